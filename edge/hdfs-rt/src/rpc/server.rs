//! The RPC server: accepts connections, decodes every frame a read brought, calls the service inline on the connection's
//! task and answers with one write for each batch.
//!
//! A service answers at once ([`Reply::Now`]) or hands back a future ([`Reply::Later`]), which completes out of order and
//! holds no thread. Limits hold before authentication: small frames, a deadline for the handshake, capped connections.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_types::{CallId, ClientId, Error, ErrorKind, Result};

mod activity;
mod conf;
mod connection;
mod dispatch;
mod listener;
mod meta;
mod metrics;
mod proxy_users;
mod service_acls;
mod session;
mod workers;

pub use activity::{ActivityNames, activity_beans};
pub use conf::{Authorizer, ServerConf};
pub use listener::{Server, ServerLimits};
pub use metrics::{MethodSnapshot, ServerMetrics, ServerSnapshot, lock_wait};
pub use proxy_users::{GroupLookup, ProxyUsers};
pub use service_acls::ServiceAcls;
pub use workers::Workers;

/// A protocol that a service answers: the Java interface's name and its version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protocol {
    /// As in `RequestHeaderProto.declaringClassProtocolName`: `org.apache.hadoop.hdfs.protocol.ClientProtocol`.
    pub java_name: &'static str,
    /// As in `RequestHeaderProto.clientProtocolVersion`; 1 for nearly all.
    pub version: u64,
}

/// How a caller proved who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthMethod {
    /// It said so.
    Simple,
    /// Kerberos, by GSSAPI.
    Kerberos,
    /// A delegation token.
    Token,
    /// The real user authenticated and acts for another.
    Proxy,
}

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallerIdentity {
    /// The effective user, as the client names it (no realm cut off yet): whose permissions count.
    pub user: String,
    /// The user behind it, when `user` is impersonated.
    pub real_user: Option<String>,
    /// How the connection was authenticated.
    pub auth: AuthMethod,
}

/// A caller's note about itself, for the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallerContext {
    /// Free text.
    pub context: String,
    /// Signature of the text, if the caller signs.
    pub signature: Option<Bytes>,
}

/// One call, borrowed from its connection. A service that answers later copies what it keeps.
#[derive(Debug)]
pub struct RpcCall<'a> {
    /// The Java name of the protocol that the client called; one of the service's own.
    pub protocol: &'a str,
    /// The method's name in the `.proto` service.
    pub method: &'a str,
    /// The request message, encoded, without its length prefix. A part of the connection's read buffer: copy what is kept
    /// beyond the call.
    pub body: Bytes,
    /// Who calls.
    pub caller: &'a Arc<CallerIdentity>,
    /// The client's id; with `call_id` the key of the retry cache.
    pub client_id: ClientId,
    /// The call's number on its client.
    pub call_id: CallId,
    /// How often the client sent this call before; -1 when it does not say.
    pub retry_count: i32,
    /// The address the call came from.
    pub remote: SocketAddr,
    /// The caller's note about itself.
    pub caller_context: Option<CallerContext>,
    /// The newest state the client has seen (`RpcRequestHeaderProto.stateId`).
    pub state_id: Option<i64>,
    /// The namespaces' states that a router's client has seen.
    pub router_federated_state: Option<Bytes>,
}

impl RpcCall<'_> {
    /// Decodes the request message.
    ///
    /// # Errors
    /// When the bytes are no such message; the class is the one that Java's protobuf throws.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M> {
        const CLASS: &str = "org.apache.hadoop.thirdparty.protobuf.InvalidProtocolBufferException";
        M::decode(self.body.clone()).map_err(|error| {
            let kind = ErrorKind::Remote(CLASS.to_owned());
            Error::new(kind, format!("{}: {error}", self.method))
        })
    }

    /// The answer to a method that the protocol lacks.
    ///
    /// Hadoop: org.apache.hadoop.ipc.ProtobufRpcEngine2.Server.ProtoBufRpcInvoker (3.5.0)
    pub fn no_such_method(&self) -> Reply {
        Reply::Now(Err(Error::new(
            ErrorKind::RpcNoSuchMethod,
            format!("Unknown method {} called on {} protocol.", self.method, self.protocol),
        )))
    }
}

/// A reply that is not there yet.
pub type LaterReply = Pin<Box<dyn Future<Output = Result<Bytes>> + Send>>;

/// What a service answers: the encoded response message (without a length prefix) or an error.
pub enum Reply {
    /// Ready.
    Now(Result<Bytes>),
    /// Ready when the future is; the connection serves other calls meanwhile.
    Later(LaterReply),
}

impl Reply {
    /// A ready reply with this message.
    pub fn message(message: &impl prost::Message) -> Self {
        Self::Now(Ok(Bytes::from(message.encode_to_vec())))
    }

    /// A ready reply with this error.
    pub fn error(error: Error) -> Self {
        Self::Now(Err(error))
    }

    /// A reply that this future brings.
    pub fn later(future: impl Future<Output = Result<Bytes>> + Send + 'static) -> Self {
        Self::Later(Box::pin(future))
    }
}

/// What a daemon serves.
pub trait RpcService: Send + Sync + 'static {
    /// The protocols that this service answers.
    fn protocols(&self) -> &[Protocol];

    /// Answers one call. Runs on the connection's task: it must not block on disk or network; what has to wait returns
    /// [`Reply::Later`]. An unknown method is answered with [`RpcCall::no_such_method`].
    fn call(&self, call: RpcCall<'_>) -> Reply;

    /// The state id to put into response headers (the last written transaction), where clients align reads.
    fn state_id(&self) -> Option<i64> {
        None
    }
}
