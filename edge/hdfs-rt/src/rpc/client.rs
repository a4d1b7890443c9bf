//! The RPC client: one connection for each (address, protocol, user), any number of calls in flight on it.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hdfs_conf::{Configuration, keys};
use hdfs_format::rpc::{Response, encode_request};
use hdfs_proto::common::{RequestHeaderProto, RpcCallerContextProto, RpcRequestHeaderProto};
use hdfs_types::{CallId, ClientId, Error, ErrorKind, Result};
use parking_lot::Mutex;
use prost::Message;

use super::server::{CallerContext, Protocol};
use crate::addr::{HostPort, ServerName};
use crate::users;

mod connection;
mod failure;

use connection::{Connection, Lost};

/// How the client connects, waits and retries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConf {
    /// `ipc.client.connect.timeout`.
    pub connect_timeout: Duration,
    /// `ipc.client.connect.max.retries`: after a refused connection.
    pub connect_max_retries: u32,
    /// `ipc.client.connect.retry.interval`.
    pub connect_retry_interval: Duration,
    /// `ipc.client.connect.max.retries.on.timeouts`.
    pub connect_max_retries_on_timeouts: u32,
    /// `ipc.client.connection.maxidletime`.
    pub max_idle: Duration,
    /// `ipc.ping.interval`, when `ipc.client.ping` is on: how long a silent connection waits before it pings.
    pub ping_interval: Option<Duration>,
    /// `ipc.client.rpc-timeout.ms`: how long a call waits for its answer; `None` waits as long as pings go through.
    pub rpc_timeout: Option<Duration>,
    /// `ipc.client.tcpnodelay`.
    pub tcp_no_delay: bool,
    /// `ipc.maximum.response.length`: a longer answer breaks the connection.
    pub max_response_bytes: usize,
}

impl ClientConf {
    /// Reads the `ipc.client.*` keys.
    ///
    /// # Errors
    /// When a value has the wrong form; the message names the key.
    pub fn from_configuration(conf: &Configuration) -> Result<Self> {
        let none_if_zero = |duration: Duration| Some(duration).filter(|limit| !limit.is_zero());
        let ping = conf.get_bool(&keys::IPC_CLIENT_PING);
        Ok(Self {
            connect_timeout: conf.get_duration(&keys::IPC_CLIENT_CONNECT_TIMEOUT)?,
            connect_max_retries: conf.get_u32(&keys::IPC_CLIENT_CONNECT_MAX_RETRIES)?,
            connect_retry_interval: conf.get_duration(&keys::IPC_CLIENT_CONNECT_RETRY_INTERVAL)?,
            connect_max_retries_on_timeouts: conf
                .get_u32(&keys::IPC_CLIENT_CONNECT_MAX_RETRIES_ON_TIMEOUTS)?,
            max_idle: conf.get_duration(&keys::IPC_CLIENT_CONNECTION_MAXIDLETIME)?,
            ping_interval: none_if_zero(conf.get_duration(&keys::IPC_PING_INTERVAL)?)
                .filter(|_| ping),
            rpc_timeout: none_if_zero(conf.get_duration(&keys::IPC_CLIENT_RPC_TIMEOUT_MS)?),
            tcp_no_delay: conf.get_bool(&keys::IPC_CLIENT_TCPNODELAY),
            max_response_bytes: conf.get_usize(&keys::IPC_MAXIMUM_RESPONSE_LENGTH)?,
        })
    }
}

impl Default for ClientConf {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            connect_max_retries: 10,
            connect_retry_interval: Duration::from_secs(1),
            connect_max_retries_on_timeouts: 45,
            max_idle: Duration::from_secs(10),
            ping_interval: Some(Duration::from_secs(60)),
            rpc_timeout: Some(Duration::from_secs(120)),
            tcp_no_delay: true,
            max_response_bytes: 128 << 20,
        }
    }
}

/// Who the client says it is.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Ugi {
    /// The user whose permissions count.
    pub user: String,
    /// The user that really runs, when it impersonates `user`.
    pub real_user: Option<String>,
}

impl Ugi {
    /// This user, acting for itself.
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), real_user: None }
    }

    /// Who runs this process: `HADOOP_USER_NAME` or the operating system's user, acting for `HADOOP_PROXY_USER` if that is
    /// set.
    pub fn current() -> Self {
        let user = users::current_user();
        match std::env::var("HADOOP_PROXY_USER") {
            Ok(acting_for) if !acting_for.is_empty() => Self::proxy(acting_for, user),
            _ => Self::new(user),
        }
    }

    /// `user`, impersonated by `real_user`.
    pub fn proxy(user: impl Into<String>, real_user: impl Into<String>) -> Self {
        Self { user: user.into(), real_user: Some(real_user.into()) }
    }
}

/// What one call may override.
#[derive(Clone, Default, Debug)]
pub struct CallOptions {
    /// Sends the call under this number instead of a new one: what a retry on the same or another server does.
    pub call_id: Option<CallId>,
    /// How often this call was sent before; servers look into their retry cache when it is above 0.
    pub retry_count: u32,
    /// How often the call may be sent again after its connection broke with the call on its way; right for calls that the
    /// server's retry cache or their nature makes repeatable.
    pub max_resends: u32,
    /// Overrides [`ClientConf::rpc_timeout`].
    pub timeout: Option<Duration>,
    /// A note for the audit log.
    pub caller_context: Option<Arc<CallerContext>>,
    /// The newest state seen, for reads from observers.
    pub state_id: Option<i64>,
    /// The namespaces' states seen through a router.
    pub router_federated_state: Option<Bytes>,
}

/// An answer with what its header said.
#[derive(Debug)]
pub struct Answer<M> {
    /// The response message.
    pub message: M,
    /// `RpcResponseHeaderProto.stateId`.
    pub state_id: Option<i64>,
    /// `RpcResponseHeaderProto.routerFederatedState`.
    pub router_federated_state: Option<Bytes>,
}

/// The connections of one client id. Cheap to clone; connections close when idle, or when the last clone is gone.
#[derive(Clone)]
pub struct RpcClient {
    inner: Arc<Inner>,
}

struct Inner {
    conf: ClientConf,
    client_id: ClientId,
    connections: Mutex<BTreeMap<ConnectionKey, Arc<Connection>>>,
}

/// What makes two calls share a connection.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct ConnectionKey {
    addr: HostPort,
    protocol: &'static str,
    ugi: Arc<Ugi>,
}

impl RpcClient {
    /// A client with a new random id.
    pub fn new(conf: ClientConf) -> Self {
        let connections = Mutex::default();
        Self { inner: Arc::new(Inner { conf, client_id: random_client_id(), connections }) }
    }

    /// The id that names this client to servers.
    pub fn client_id(&self) -> ClientId {
        self.inner.client_id
    }

    /// The way it connects, waits and retries.
    pub fn conf(&self) -> &ClientConf {
        &self.inner.conf
    }

    /// A call id that no other call of this process has: for a call that may have to be sent more than once.
    pub fn next_call_id(&self) -> CallId {
        static NEXT: AtomicI32 = AtomicI32::new(0);
        CallId(NEXT.fetch_add(1, Ordering::Relaxed) & i32::MAX)
    }

    /// The open connection for a key, or a new one that starts to connect.
    fn connection(&self, key: &ConnectionKey) -> Arc<Connection> {
        let mut connections = self.inner.connections.lock();
        if let Some(open) = connections.get(key).filter(|connection| !connection.is_closed()) {
            return Arc::clone(open);
        }
        let new = Connection::start(key.clone(), &self.inner);
        connections.insert(key.clone(), Arc::clone(&new));
        new
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for connection in self.connections.lock().values() {
            connection.close();
        }
    }
}

impl fmt::Debug for RpcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcClient")
            .field("client_id", &self.inner.client_id)
            .finish_non_exhaustive()
    }
}

/// Sixteen random bytes in the form of a UUID of version 4; the standard library seeds its hashers from the system.
fn random_client_id() -> ClientId {
    let word = || RandomState::new().build_hasher().finish().to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&word());
    id[8..].copy_from_slice(&word());
    id[6] = id[6] & 0x0F | 0x40;
    id[8] = id[8] & 0x3F | 0x80;
    ClientId(id)
}

/// One protocol of one server, called as one user. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Proxy {
    client: RpcClient,
    key: ConnectionKey,
    version: u64,
}

impl Proxy {
    /// A proxy; connects when it is first called.
    pub fn new(
        addr: impl ServerName,
        protocol: Protocol,
        client: &RpcClient,
        ugi: &Arc<Ugi>,
    ) -> Self {
        let (addr, ugi) = (addr.to_host_port(), Arc::clone(ugi));
        let key = ConnectionKey { addr, protocol: protocol.java_name, ugi };
        Self { client: client.clone(), key, version: protocol.version }
    }

    /// The server.
    pub fn addr(&self) -> &HostPort {
        &self.key.addr
    }

    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        Protocol { java_name: self.key.protocol, version: self.version }
    }

    /// The client whose connections and id it uses.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    /// The user.
    pub fn ugi(&self) -> &Arc<Ugi> {
        &self.key.ugi
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// What the server answered, by its Java class; `Connect`, `SocketTimeout` or `Eof` when there was no answer.
    pub async fn call<Req, Resp>(&self, method: &str, request: &Req) -> Result<Resp>
    where
        Req: Message,
        Resp: Message + Default,
    {
        let answer = self.call_with(method, request, CallOptions::default()).await?;
        Ok(answer.message)
    }

    /// The same with options, and with the answer's header. Must run inside a tokio runtime: the first call of a
    /// connection spawns its task there.
    ///
    /// A call whose bytes never left is sent again on a new connection; one that may have reached the server only when
    /// `options.max_resends` allows it, under the same id and with a retry count that grows.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_with<Req, Resp>(
        &self,
        method: &str,
        request: &Req,
        options: CallOptions,
    ) -> Result<Answer<Resp>>
    where
        Req: Message,
        Resp: Message + Default,
    {
        let call_id = options.call_id.unwrap_or_else(|| self.client.next_call_id());
        let method_header = RequestHeaderProto {
            method_name: method.to_owned(),
            declaring_class_protocol_name: self.key.protocol.to_owned(),
            client_protocol_version: self.version,
        };
        let timeout = options.timeout.or_else(|| self.client.conf().rpc_timeout);
        let (mut retry_count, mut resends) = (options.retry_count, 0);
        loop {
            let header = request_header(&options, retry_count);
            let connection = self.client.connection(&self.key);
            let encode = |out: &mut BytesMut| {
                let key = (self.client.client_id(), call_id);
                encode_request(out, key, header, &method_header, request);
            };
            let Some(pending) = connection.send(call_id, encode)? else {
                continue;
            };
            match pending.answer(timeout).await {
                Ok(response) => return decode_answer(method, response),
                Err(Lost { error, was_sent }) => {
                    let is_stale = !was_sent && error.kind == ErrorKind::Eof;
                    if !is_stale && (!was_sent || resends >= options.max_resends) {
                        return Err(error);
                    }
                    if was_sent {
                        resends += 1;
                        retry_count += 1;
                    }
                }
            }
        }
    }
}

fn request_header(options: &CallOptions, retry_count: u32) -> RpcRequestHeaderProto {
    RpcRequestHeaderProto {
        retry_count: Some(i32::try_from(retry_count).unwrap_or(i32::MAX)),
        caller_context: options.caller_context.as_ref().map(|context| RpcCallerContextProto {
            context: context.context.clone(),
            signature: context.signature.clone(),
        }),
        state_id: options.state_id,
        router_federated_state: options.router_federated_state.clone(),
        ..RpcRequestHeaderProto::default()
    }
}

fn decode_answer<M: Message + Default>(method: &str, response: Response) -> Result<Answer<M>> {
    let message = M::decode(response.body)
        .map_err(|error| Error::io(format!("decode the answer of {method}: {error}")))?;
    let Response { header, .. } = response;
    Ok(Answer {
        message,
        state_id: header.state_id,
        router_federated_state: header.router_federated_state,
    })
}
