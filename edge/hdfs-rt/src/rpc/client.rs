//! The RPC client: one connection for each (address, protocol, user), any number of calls in flight on it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hdfs_types::{CallId, ClientId, Error, ErrorKind, Result};

use super::server::{CallerContext, Protocol};
use crate::addr::HostPort;

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

/// The connections of one client id. Cheap to clone; connections close when idle or when the last clone is gone.
#[derive(Clone, Debug)]
pub struct RpcClient {
    conf: Arc<ClientConf>,
    client_id: ClientId,
}

impl RpcClient {
    /// A client with a new random id.
    pub fn new(conf: ClientConf) -> Self {
        Self { conf: Arc::new(conf), client_id: ClientId::default() }
    }

    /// The id that names this client to servers.
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The way it connects, waits and retries.
    pub fn conf(&self) -> &ClientConf {
        &self.conf
    }
}

/// One protocol of one server, called as one user.
#[derive(Clone, Debug)]
pub struct Proxy {
    client: RpcClient,
    addr: HostPort,
    protocol: Protocol,
    ugi: Arc<Ugi>,
}

impl Proxy {
    /// A proxy; connects when it is first called.
    pub fn new(
        addr: impl Into<HostPort>,
        protocol: Protocol,
        client: &RpcClient,
        ugi: &Arc<Ugi>,
    ) -> Self {
        Self { client: client.clone(), addr: addr.into(), protocol, ugi: Arc::clone(ugi) }
    }

    /// The server.
    pub fn addr(&self) -> &HostPort {
        &self.addr
    }

    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The client whose connections and id it uses.
    pub fn client(&self) -> &RpcClient {
        &self.client
    }

    /// The user.
    pub fn ugi(&self) -> &Arc<Ugi> {
        &self.ugi
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// What the server answered, by its Java class; `Connect`, `SocketTimeout` or `Eof` when there was no answer.
    pub async fn call<Req, Resp>(&self, method: &str, request: &Req) -> Result<Resp>
    where
        Req: prost::Message,
        Resp: prost::Message + Default,
    {
        let answer = self.call_with(method, request, CallOptions::default()).await?;
        Ok(answer.message)
    }

    /// The same with options, and with the answer's header.
    ///
    /// # Errors
    /// As [`Self::call`].
    #[expect(clippy::unused_async, reason = "awaits the connection once it is there")]
    pub async fn call_with<Req, Resp>(
        &self,
        method: &str,
        _request: &Req,
        _options: CallOptions,
    ) -> Result<Answer<Resp>>
    where
        Req: prost::Message,
        Resp: prost::Message + Default,
    {
        Err(Error::new(
            ErrorKind::UnsupportedOperation,
            format!("{method} to {}: the RPC client is being written", self.addr),
        ))
    }
}
