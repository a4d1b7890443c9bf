//! Limits of one server.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hdfs_conf::{Configuration, keys};
use hdfs_format::rpc::{DEFAULT_MAX_FRAME_BYTES, MAX_HANDSHAKE_FRAME_BYTES};
use hdfs_types::Result;

use super::{CallerIdentity, Workers};
use crate::otlp::Exporter;

/// Says who may connect: asked once for each connection, when its context has named the user.
pub trait Authorizer: Send + Sync + 'static {
    /// Refuses a connection with an error, normally of kind `Authorization`.
    ///
    /// # Errors
    /// When `caller` may not use this protocol from this address, or not act for the user it names.
    fn authorize(
        &self,
        caller: &CallerIdentity,
        protocol: Option<&str>,
        remote: IpAddr,
    ) -> Result<()>;
}

/// Address and limits of one server.
#[derive(Clone)]
pub struct ServerConf {
    /// Where to listen; port 0 picks a free one.
    pub bind: SocketAddr,
    /// `ipc.server.listen.queue.size`.
    pub listen_backlog: u32,
    /// `ipc.maximum.data.length`: a longer frame ends the connection.
    pub max_frame_bytes: usize,
    /// Frames before the connection context may not be longer than this.
    pub max_handshake_frame_bytes: usize,
    /// The connection context must have arrived by then.
    pub handshake_deadline: Duration,
    /// A connection over this count is closed at once. Differs: Hadoop has no limit (`ipc.server.max.connections` 0).
    pub max_connections: usize,
    /// Connections without a context from one address; one over this is closed at once.
    pub max_unauthenticated_per_ip: usize,
    /// Calls in flight on one connection; at this many it is not read until one is answered.
    pub max_calls_in_flight: usize,
    /// `ipc.client.idlethreshold`: only above this many connections are idle ones closed.
    pub idle_threshold: usize,
    /// A connection without calls that was silent for so long is idle (2 x `ipc.client.connection.maxidletime`).
    pub max_idle: Duration,
    /// A client that takes no answers for so long is cut off.
    pub write_deadline: Duration,
    /// Decides who may connect; `None` refuses every impersonation and nobody else.
    pub authorizer: Option<Arc<dyn Authorizer>>,
    /// Where the spans of traced calls go.
    pub spans: Option<Arc<Exporter>>,
    /// The threads that serve; `None` takes the process's own, shared by all its servers.
    pub workers: Option<Workers>,
}

impl ServerConf {
    /// The defaults, at this address.
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            listen_backlog: 256,
            max_frame_bytes: DEFAULT_MAX_FRAME_BYTES,
            max_handshake_frame_bytes: MAX_HANDSHAKE_FRAME_BYTES,
            handshake_deadline: Duration::from_secs(10),
            max_connections: 8_192,
            max_unauthenticated_per_ip: 1_024,
            max_calls_in_flight: 1_024,
            idle_threshold: 4_000,
            max_idle: Duration::from_secs(20),
            write_deadline: Duration::from_secs(15 * 60),
            authorizer: None,
            spans: Exporter::from_environment(),
            workers: None,
        }
    }

    /// The `ipc.*` keys, at this address. `ipc.server.max.connections` 0, Hadoop's "no limit", keeps ours.
    ///
    /// # Errors
    /// When a value has the wrong form; the message names the key.
    pub fn from_configuration(bind: SocketAddr, conf: &Configuration) -> Result<Self> {
        let defaults = Self::new(bind);
        let max_connections = conf.get_usize(&keys::IPC_SERVER_MAX_CONNECTIONS)?;
        Ok(Self {
            listen_backlog: conf.get_u32(&keys::IPC_SERVER_LISTEN_QUEUE_SIZE)?,
            max_frame_bytes: conf.get_usize(&keys::IPC_MAXIMUM_DATA_LENGTH)?,
            max_connections: match max_connections {
                0 => defaults.max_connections,
                limit => limit,
            },
            idle_threshold: conf.get_usize(&keys::IPC_CLIENT_IDLETHRESHOLD)?,
            max_idle: conf.get_duration(&keys::IPC_CLIENT_CONNECTION_MAXIDLETIME)? * 2,
            write_deadline: conf.get_duration(&keys::IPC_SERVER_PURGE_INTERVAL)?,
            ..defaults
        })
    }
}

impl fmt::Debug for ServerConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConf").field("bind", &self.bind).finish_non_exhaustive()
    }
}
