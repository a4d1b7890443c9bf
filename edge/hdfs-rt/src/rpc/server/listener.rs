//! Accepting connections, counting them and ending them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hdfs_conf::Configuration;
use hdfs_types::{Error, FastMap, Result};
use parking_lot::{Mutex, RwLock};
use socket2::{Domain, Protocol as SocketProtocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::connection::Connection;
use super::dispatch::Dispatch;
use super::metrics::{ConnectionTally, ServerMetrics};
use super::session::Session;
use super::{RpcService, ServerConf, Workers};

/// After an accept that failed (no file descriptors left) the listener pauses so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Idle connections are looked for this often.
const IDLE_SCAN: Duration = Duration::from_secs(10);

/// A listening server; dropping it closes its port and its connections.
pub struct Server {
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<AbortHandle>,
}

struct Shared {
    conf: RwLock<Arc<ServerConf>>,
    dispatch: Arc<Dispatch>,
    metrics: Arc<ServerMetrics>,
    workers: Workers,
    connections: Mutex<Connections>,
    started: Instant,
}

#[derive(Default)]
struct Connections {
    next_id: u64,
    open: FastMap<u64, Entry>,
    /// Connections without a context, by address.
    strangers: FastMap<IpAddr, usize>,
}

struct Entry {
    state: Arc<ConnectionState>,
    /// Set right after the task was spawned.
    abort: Option<AbortHandle>,
}

/// What the idle scan looks at.
#[derive(Default)]
struct ConnectionState {
    /// Milliseconds since the server's start.
    last_active_ms: AtomicU64,
    tally: Arc<ConnectionTally>,
}

impl Server {
    /// Binds, then serves these services until the server is dropped. Several servers may share services.
    ///
    /// # Errors
    /// When the address cannot be bound; the message names it and what to do.
    pub fn start(conf: ServerConf, services: Vec<Arc<dyn RpcService>>) -> Result<Self> {
        let listener = bind(&conf)?;
        let local_addr =
            listener.local_addr().map_err(|error| Error::io(format!("read own port: {error}")))?;
        let workers = match &conf.workers {
            Some(workers) => workers.clone(),
            None => Workers::shared()?,
        };
        let shared = Arc::new(Shared {
            conf: RwLock::new(Arc::new(conf)),
            dispatch: Arc::new(Dispatch::new(services)),
            metrics: Arc::default(),
            workers: workers.clone(),
            connections: Mutex::default(),
            started: Instant::now(),
        });
        let accept = workers.next().spawn(accept_all(Arc::clone(&shared), listener));
        let scan = workers.next().spawn(scan_idle(Arc::clone(&shared)));
        let rate = workers.next().spawn(count_requests(Arc::clone(&shared.metrics)));
        let tasks = vec![accept.abort_handle(), scan.abort_handle(), rate.abort_handle()];
        Ok(Self { local_addr, shared, tasks })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Its counters.
    pub fn metrics(&self) -> &Arc<ServerMetrics> {
        &self.shared.metrics
    }

    /// A handle to change its limits with.
    pub fn limits(&self) -> ServerLimits {
        ServerLimits { shared: Arc::downgrade(&self.shared) }
    }

    /// Closes the port and every connection; calls in flight get no answer.
    pub fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
        for entry in self.shared.connections.lock().open.values() {
            if let Some(abort) = &entry.abort {
                abort.abort();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// Changes the limits of a server that runs.
#[derive(Clone)]
pub struct ServerLimits {
    shared: Weak<Shared>,
}

impl ServerLimits {
    /// Takes the `ipc.*` keys of this configuration: connections accepted from now on have these limits. The port, its
    /// backlog and who may connect stay.
    ///
    /// # Errors
    /// When a value has the wrong form; nothing changed then.
    pub fn set(&self, conf: &Configuration) -> Result<()> {
        let Some(shared) = self.shared.upgrade() else { return Ok(()) };
        let old = shared.conf();
        let mut new = ServerConf::from_configuration(old.bind, conf)?;
        new.authorizer.clone_from(&old.authorizer);
        new.workers.clone_from(&old.workers);
        *shared.conf.write() = Arc::new(new);
        Ok(())
    }
}

fn bind(conf: &ServerConf) -> Result<std::net::TcpListener> {
    let open = || -> std::io::Result<std::net::TcpListener> {
        let socket =
            Socket::new(Domain::for_address(conf.bind), Type::STREAM, Some(SocketProtocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&conf.bind.into())?;
        socket.listen(i32::try_from(conf.listen_backlog).unwrap_or(i32::MAX))?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    open().map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another process listens there: stop it or configure another port"
            }
            std::io::ErrorKind::AddrNotAvailable => {
                "no interface of this machine has that address: configure one that it has"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need privileges: configure a higher one"
            }
            _ => "check the configured address",
        };
        Error::io(format!("Problem binding to [{}] ({error}); {remedy}", conf.bind))
            .with_source(error)
    })
}

async fn accept_all(shared: Arc<Shared>, listener: std::net::TcpListener) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("cannot watch the RPC port {}: {error}", shared.conf().bind);
            return;
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(&shared, stream, remote),
            Err(error) => {
                tracing::warn!("accept on {}: {error}", shared.conf().bind);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Starts a connection's task, unless a limit refuses it.
fn admit(shared: &Arc<Shared>, stream: TcpStream, remote: SocketAddr) {
    let Some(guard) = register(shared, remote) else {
        let refused = shared.metrics.refused_connections.fetch_add(1, Ordering::Relaxed) + 1;
        // Every one of them in the log would help an attacker.
        if refused.is_power_of_two() {
            tracing::warn!(
                "refuse a connection from {remote}: too many connections ({refused} so far)"
            );
        }
        return;
    };
    let prepare = || {
        stream.set_nodelay(true)?;
        SockRef::from(&stream)
            .set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(600)))?;
        stream.into_std()
    };
    let stream = match prepare() {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!("drop a connection from {remote}: {error}");
            return;
        }
    };
    let (id, task_shared) = (guard.id, Arc::clone(shared));
    let task = shared.workers.next().spawn(async move {
        let shared = task_shared;
        let conf = shared.conf();
        let session = Session::new(
            remote,
            Arc::clone(&shared.dispatch),
            conf.authorizer.clone(),
            Arc::clone(&shared.metrics),
            Arc::clone(&guard.state.tally),
            shared.conf.read().spans.clone(),
        );
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                Connection::new(stream, session, conf, guard).run().await;
            }
            Err(error) => tracing::debug!("drop a connection from {remote}: {error}"),
        }
    });
    if let Some(entry) = shared.connections.lock().open.get_mut(&id) {
        entry.abort = Some(task.abort_handle());
    }
}

/// Counts a new connection; `None` when it is one too many.
fn register(shared: &Arc<Shared>, remote: SocketAddr) -> Option<ConnectionGuard> {
    let conf = shared.conf();
    let mut connections = shared.connections.lock();
    let of_address = connections.strangers.get(&remote.ip()).copied().unwrap_or(0);
    if connections.open.len() >= conf.max_connections
        || of_address >= conf.max_unauthenticated_per_ip
    {
        return None;
    }
    let id = connections.next_id;
    connections.next_id += 1;
    let state = Arc::new(ConnectionState::default());
    connections.open.insert(id, Entry { state: Arc::clone(&state), abort: None });
    connections.strangers.insert(remote.ip(), of_address + 1);
    shared.metrics.open(id, Arc::clone(&state.tally));
    let guard =
        ConnectionGuard { shared: Arc::clone(shared), id, remote, state, is_stranger: true };
    guard.touch();
    Some(guard)
}

/// Ends connections that are idle, when there are many, and forgets nothing else.
///
/// Hadoop: org.apache.hadoop.ipc.Server.ConnectionManager.closeIdle (3.5.0)
async fn scan_idle(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(IDLE_SCAN.min(shared.conf().max_idle)).await;
        let conf = shared.conf();
        let max_idle_ms = u64::try_from(conf.max_idle.as_millis()).unwrap_or(u64::MAX);
        let now = shared.now_ms();
        let connections = shared.connections.lock();
        if connections.open.len() < conf.idle_threshold {
            continue;
        }
        for entry in connections.open.values() {
            let last = entry.state.last_active_ms.load(Ordering::Relaxed);
            let is_idle =
                entry.state.tally.in_flight.get() == 0 && now.saturating_sub(last) > max_idle_ms;
            if let Some(abort) = entry.abort.as_ref().filter(|_| is_idle) {
                abort.abort();
            }
        }
    }
}

/// Measures the requests of each second.
async fn count_requests(metrics: Arc<ServerMetrics>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut before, mut at) = (0, Instant::now());
    loop {
        seconds.tick().await;
        let (requests, now) = (metrics.requests(), Instant::now());
        let elapsed = now.duration_since(at).as_secs_f64();
        if elapsed > 0.5 {
            let rate = requests.saturating_sub(before) as f64 / elapsed;
            metrics.set_requests_per_second(rate.round() as u64);
            (before, at) = (requests, now);
        }
    }
}

impl Shared {
    /// The limits in force.
    fn conf(&self) -> Arc<ServerConf> {
        Arc::clone(&self.conf.read())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Connections {
    fn forget_stranger(&mut self, address: IpAddr) {
        if let Some(count) = self.strangers.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.strangers.remove(&address);
            }
        }
    }
}

/// A connection's place in its server's books; leaves them when dropped, however the task ends.
pub(super) struct ConnectionGuard {
    shared: Arc<Shared>,
    id: u64,
    remote: SocketAddr,
    state: Arc<ConnectionState>,
    is_stranger: bool,
}

impl ConnectionGuard {
    pub(super) fn peer(&self) -> String {
        self.remote.to_string()
    }

    /// Marks the connection as active now.
    pub(super) fn touch(&self) {
        self.state.last_active_ms.store(self.shared.now_ms(), Ordering::Relaxed);
    }

    pub(super) fn call_started(&self) {
        self.state.tally.in_flight.add(1);
    }

    pub(super) fn call_ended(&self) {
        self.state.tally.in_flight.sub(1);
    }

    /// The context was accepted: the limit of strangers no longer counts this connection.
    pub(super) fn authenticated(&mut self) {
        if self.is_stranger {
            self.is_stranger = false;
            self.shared.connections.lock().forget_stranger(self.remote.ip());
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.shared.metrics.close(self.id);
        let mut connections = self.shared.connections.lock();
        connections.open.remove(&self.id);
        if self.is_stranger {
            connections.forget_stranger(self.remote.ip());
        }
    }
}
