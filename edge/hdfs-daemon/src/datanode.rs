//! The DataNode: volumes, the data port, the RPC port, the web port, and a service to every NameNode.
//!
//! Block streams run on plain threads and blocking sockets: they are few and long. Control runs on tokio. Several
//! DataNodes may live in one process.
//!
//! **Invariant:** nothing is acknowledged that a single power cut could take away (unless `dfs.datanode.synconclose` is
//! set to false), and no byte whose checksum was not verified here.

mod beans;
mod block_scanner;
mod conf;
mod dashboard;
mod dataset;
mod directory_scanner;
mod files;
mod hot_swap;
mod ipc;
mod metrics;
mod prom;
mod random;
mod recovery;
mod sender;
mod service;
mod trash;
mod tunable;
mod upgrade;
mod volume;
mod web;
mod webhdfs;
mod wire;
mod xceiver;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_datanode::VolumeIndex;
use hdfs_datanode::suspects::Suspects;
use hdfs_proto::hdfs::{DatanodeIdProto, DatanodeInfoProto, LocatedBlockProto};
use hdfs_rt::clock;
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::{Protocol, RpcService, Server, ServerConf, Workers};
use hdfs_rt::{host, users};
use hdfs_types::{BlockPoolId, DatanodeUuid, Error, ErrorKind, ExtendedBlock, Result, WallMillis};
use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

pub use conf::{DataNodeConf, NameService};
pub use upgrade::StartOption;

use crate::reconfiguration::Reconfiguration;
use crate::throttle::Throttle;
use block_scanner::BlockScanner;
use dataset::{Dataset, VolumeList};
use hdfs_rt::users::Groups;
use ipc::{DataNodeIpc, INTER_DATANODE_PROTOCOL};
use metrics::Counters;
use service::{Actor, NameServiceState};
use tunable::Tunable;
use volume::Volume;
use xceiver::XceiverServer;

/// The version that this DataNode says it is.
const SOFTWARE_VERSION: &str = "3.5.0";
const DATANODE_PROTOCOL: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.server.protocol.DatanodeProtocol", version: 1 };
/// ErrorReportRequestProto.ErrorCode INVALID_BLOCK.
const INVALID_BLOCK: u32 = 2;

/// Ports and names that other nodes know this DataNode by.
#[derive(Clone, Debug)]
struct Identity {
    ip: String,
    host_name: String,
    data_port: u16,
    info_port: u16,
    ipc_port: u16,
}

impl Identity {
    /// Until a NameNode says from which address it was called; the RPC port is not known yet.
    fn new(conf: &DataNodeConf, data: SocketAddr, http: SocketAddr) -> Self {
        let ip = if data.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { data.ip() };
        Self {
            ip: ip.to_string(),
            host_name: conf.host_name.clone(),
            data_port: data.port(),
            info_port: http.port(),
            ipc_port: 0,
        }
    }
}

/// What all parts of one DataNode share.
struct Shared {
    conf: DataNodeConf,
    tunable: Tunable,
    reconfiguration: Arc<Reconfiguration>,
    groups: Groups,
    dataset: Dataset,
    counters: Counters,
    /// Connections on the data port.
    xceivers: AtomicUsize,
    uuid: String,
    identity: Mutex<Identity>,
    services: Mutex<Vec<Arc<NameServiceState>>>,
    rpc: RpcClient,
    ugi: Arc<Ugi>,
    runtime: Handle,
    started: WallMillis,
    /// Replicas elsewhere that sent wrong bytes once.
    suspects: Mutex<Suspects>,
    /// Limit of what balancing may send and receive.
    balance: Throttle,
    /// Balancer moves that run.
    moves: AtomicUsize,
    checking_volumes: AtomicBool,
    block_scanner: BlockScanner,
    /// `dfs.datanode.data.dir`, as it is in force.
    data_dirs: Mutex<String>,
    shutdown: Mutex<bool>,
    shutdown_asked: Condvar,
}

impl Shared {
    fn datanode_id(&self) -> DatanodeIdProto {
        let identity = self.identity.lock();
        DatanodeIdProto {
            ip_addr: identity.ip.clone(),
            host_name: identity.host_name.clone(),
            datanode_uuid: self.uuid.clone(),
            xfer_port: u32::from(identity.data_port),
            info_port: u32::from(identity.info_port),
            ipc_port: u32::from(identity.ipc_port),
            info_secure_port: Some(0),
        }
    }

    /// The NameNode knows this DataNode by the address that its connection came from.
    fn learn_address(&self, ip: &str, host_name: &str) {
        let mut identity = self.identity.lock();
        ip.clone_into(&mut identity.ip);
        host_name.clone_into(&mut identity.host_name);
    }

    fn transfer_address(&self) -> String {
        let identity = self.identity.lock();
        format!("{}:{}", identity.ip, identity.data_port)
    }

    fn namenode_proxy(&self, address: &HostPort) -> Proxy {
        Proxy::new(address, DATANODE_PROTOCOL, &self.rpc, &self.ugi)
    }

    fn datanode_proxy(&self, node: &DatanodeIdProto) -> Result<Proxy> {
        let host = if self.conf.connect_by_host_name { &node.host_name } else { &node.ip_addr };
        let port = u16::try_from(node.ipc_port)
            .map_err(|_| Error::io(format!("{} is no port", node.ipc_port)))?;
        let address = HostPort { host: host.clone(), port };
        Ok(Proxy::new(&address, INTER_DATANODE_PROTOCOL, &self.rpc, &self.ugi))
    }

    fn actors(&self) -> Vec<Arc<Actor>> {
        let services = self.services.lock();
        services.iter().flat_map(|service| service.actors.lock().clone()).collect()
    }

    fn pool_names(&self) -> String {
        let pools = self.dataset.pools();
        pools.iter().map(|pool| pool.id.as_str()).collect::<Vec<_>>().join(",")
    }

    fn cluster_id(&self) -> String {
        let registered = self.actors().iter().find_map(|actor| actor.registration());
        registered.map(|found| found.registration.storage_info.cluster_id).unwrap_or_default()
    }

    fn blocks_on(&self, volume: VolumeIndex) -> u64 {
        let pools = self.dataset.pools();
        let lists = pools.iter().flat_map(|pool| pool.full_report());
        lists.filter(|(index, _)| *index == volume).map(|(_, list)| list.count()).sum()
    }

    /// Tells every NameNode, in the background, that a replica is corrupt on `node`.
    fn report_bad(self: &Arc<Self>, block: &ExtendedBlock, node: DatanodeInfoProto) {
        let located = LocatedBlockProto {
            b: hdfs_format::datatransfer::extended_block_proto(block),
            locs: vec![node],
            ..LocatedBlockProto::default()
        };
        let (shared, block) = (Arc::clone(self), block.clone());
        let spawned = std::thread::Builder::new().name("report".to_owned()).spawn(move || {
            for actor in shared.actors() {
                if let Err(error) = actor.report_bad_blocks(vec![located.clone()]) {
                    tracing::warn!(%block, %error, "report bad block");
                }
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "start a thread for a report");
        }
    }

    /// A replica here cannot be read: the NameNode hears of it, and decides.
    fn report_bad_block(self: &Arc<Self>, block: &ExtendedBlock, why: &Error) {
        tracing::warn!(%block, %why, "replica here is bad");
        let id = self.datanode_id();
        self.report_bad(block, DatanodeInfoProto { id, ..DatanodeInfoProto::default() });
    }

    /// A replica that another DataNode sent had wrong bytes: reported when it happens again.
    fn report_bad_remote(self: &Arc<Self>, block: &ExtendedBlock, node: &DatanodeInfoProto) {
        tracing::warn!(%block, node = node.id.ip_addr, "replica from another DataNode is corrupt");
        let uuid = DatanodeUuid::from(node.id.datanode_uuid.as_str());
        if self.suspects.lock().accuse(block.block.id, &uuid) {
            self.report_bad(block, node.clone());
        }
    }

    /// An order could not be performed.
    fn report_error(self: &Arc<Self>, pool: &BlockPoolId, text: String) {
        tracing::info!(%pool, "{text}");
        let shared = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("report".to_owned()).spawn(move || {
            for actor in shared.actors() {
                if let Err(error) = actor.report_error(INVALID_BLOCK, text.clone()) {
                    tracing::warn!(%error, "report an error");
                }
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "start a thread for a report");
        }
    }

    /// After a disk error: looks at every volume, in the background. More failed ones than tolerated end the DataNode.
    fn check_volumes(self: &Arc<Self>) {
        if self.checking_volumes.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("check".to_owned()).spawn(move || {
            let failed = shared.dataset.check_volumes();
            shared.checking_volumes.store(false, Ordering::Release);
            if failed == 0 {
                return;
            }
            let tolerated = shared.conf.tolerated_failures();
            if failed > tolerated || shared.dataset.volumes.iter().all(|v| v.has_failed()) {
                tracing::error!(failed, tolerated, "too many failed volumes; the DataNode ends");
                shared.request_shutdown();
            }
            for actor in shared.actors() {
                actor.trigger_report(true);
            }
        });
        if let Err(error) = spawned {
            self.checking_volumes.store(false, Ordering::Release);
            tracing::error!(%error, "start a thread to check volumes");
        }
    }

    fn set_balancer_bandwidth(&self, bandwidth: u64) {
        if bandwidth > 0 {
            tracing::info!(bandwidth, "Updating balance throttler bandwidth");
            self.balance.set_limit(bandwidth);
        }
    }

    /// Waits so long; `true` when the DataNode ends.
    fn wait_for_end(&self, patience: Duration) -> bool {
        let until = Instant::now().checked_add(patience);
        let mut asked = self.shutdown.lock();
        while !*asked {
            match until {
                Some(until) => {
                    if self.shutdown_asked.wait_until(&mut asked, until).timed_out() {
                        break;
                    }
                }
                None => self.shutdown_asked.wait(&mut asked),
            }
        }
        *asked
    }

    /// True once the DataNode ends.
    fn is_ending(&self) -> bool {
        *self.shutdown.lock()
    }

    fn request_shutdown(&self) {
        *self.shutdown.lock() = true;
        self.shutdown_asked.notify_all();
    }
}

/// A running DataNode. [`Self::stop`] ends it; so does dropping it.
pub struct DataNodeHandle {
    shared: Arc<Shared>,
    data: SocketAddr,
    ipc: SocketAddr,
    http: SocketAddr,
    xceivers: XceiverServer,
    server: Server,
    web: AbortHandle,
    actors: Mutex<Vec<JoinHandle<()>>>,
    scanners: Mutex<Vec<JoinHandle<()>>>,
}

impl DataNodeHandle {
    /// The data port.
    pub fn data_address(&self) -> SocketAddr {
        self.data
    }

    /// The RPC port.
    pub fn ipc_address(&self) -> SocketAddr {
        self.ipc
    }

    /// The web port.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// The DataNode's UUID.
    pub fn uuid(&self) -> &str {
        &self.shared.uuid
    }

    /// True once every configured NameNode has accepted this DataNode.
    pub fn is_registered(&self) -> bool {
        self.shared.actors().iter().all(|actor| actor.registration().is_some())
    }

    /// True when no service to a NameNode runs any more: all of them refused this DataNode.
    pub fn is_rejected(&self) -> bool {
        self.actors.lock().iter().all(JoinHandle::is_finished)
    }

    /// Waits until an administrator asks for the end (`dfsadmin -shutdownDatanode`).
    pub fn wait_for_shutdown(&self) {
        let mut asked = self.shared.shutdown.lock();
        while !*asked {
            self.shared.shutdown_asked.wait(&mut asked);
        }
    }

    /// Puts the volumes of a configuration into use, and others out of it (`dfsadmin -reconfig`).
    ///
    /// # Errors
    /// When a folder cannot be used, or none would be left; nothing has changed then.
    pub fn set_volumes(&self, configuration: &Configuration) -> Result<()> {
        hot_swap::apply(&self.shared, configuration)
    }

    /// True when an administrator asked for the end.
    pub fn is_shutdown_requested(&self) -> bool {
        *self.shared.shutdown.lock()
    }

    /// Closes ports and connections and ends every thread. Blocks that are being written stay as they are: the next start
    /// finds them.
    pub fn stop(&self) {
        self.shared.request_shutdown();
        for actor in self.shared.actors() {
            actor.stop();
        }
        self.web.abort();
        self.server.stop();
        self.xceivers.stop();
        for thread in self.actors.lock().drain(..).chain(self.scanners.lock().drain(..)) {
            let _ = thread.join();
        }
        self.shared.dataset.release();
        self.shared.services.lock().clear();
    }
}

impl Drop for DataNodeHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Opens the volumes; those that fail count against what is tolerated.
fn open_volumes(conf: &DataNodeConf) -> Result<(Vec<volume::Opened>, Vec<String>)> {
    let mut opened = Vec::new();
    let mut failed = Vec::new();
    for location in &conf.volumes {
        match volume::open(location.clone(), conf.data_dir_mode) {
            Ok(volume) => opened.push(volume),
            Err(error) => {
                tracing::error!(folder = location.path, %error, "volume cannot be used");
                failed.push(format!("{}: {error}", location.path));
            }
        }
    }
    if failed.len() > conf.tolerated_failures() || opened.is_empty() {
        return Err(Error::new(
            ErrorKind::DiskError,
            format!(
                "Too many failed volumes - current valid volumes: {}, volumes configured: {}, volumes failed: {}, \
                 volume failures tolerated: {}: {}",
                opened.len(),
                conf.volumes.len(),
                failed.len(),
                conf.failed_volumes_tolerated,
                failed.join("; ")
            ),
        ));
    }
    Ok((opened, failed))
}

/// The identity that the volumes agree on; a new one when all are empty.
fn datanode_uuid(opened: &[volume::Opened]) -> Result<String> {
    let mut uuids = opened
        .iter()
        .filter_map(|volume| volume.version())
        .filter_map(|v| v.datanode_uuid.as_ref());
    let Some(first) = uuids.next() else { return Ok(random::uuid()) };
    match uuids.find(|uuid| *uuid != first) {
        None => Ok(first.as_str().to_owned()),
        Some(other) => Err(Error::new(
            ErrorKind::InconsistentFSState,
            format!(
                "the data folders belong to two DataNodes, {first} and {other}: configure each one's own folders"
            ),
        )),
    }
}

/// The volumes, open, and the identity that they agree on.
fn open_dataset(conf: &DataNodeConf, option: StartOption) -> Result<(Dataset, String)> {
    let (opened, failed_at_start) = open_volumes(conf)?;
    let uuid = datanode_uuid(&opened)?;
    let volumes = volume_list(conf, opened)?;
    let failed_at_start = (clock::wall().0, failed_at_start);
    let (policy, patience) = (conf.volume_policy, conf.stop_writer_timeout);
    Ok((Dataset::new(volumes, failed_at_start, option, policy, patience), uuid))
}

fn bind_address(address: &HostPort, key: &str) -> Result<SocketAddr> {
    let found = host::resolve(&address.host, address.port)
        .map_err(|error| Error::io(format!("{key}={address}: {error}")))?;
    found.first().copied().ok_or_else(|| Error::io(format!("{key}={address} has no address")))
}

/// Listens at a configured address; port 0 picks a free one.
fn listen(address: &HostPort, key: &str) -> Result<TcpListener> {
    let address = bind_address(address, key)?;
    TcpListener::bind(address).map_err(|error| {
        let remedy = format!("set {key} or stop the process that listens there");
        Error::io(format!("Port in use or not available: {address} ({error}); {remedy}"))
            .with_source(error)
    })
}

/// Starts a DataNode. It serves at once; it registers with its NameNodes as soon as they answer.
///
/// # Errors
/// When the configuration is wrong, folders cannot be used, or a port is taken; the message says what to do.
pub fn start(configuration: &Configuration) -> Result<DataNodeHandle> {
    start_with(configuration, StartOption::Regular)
}

/// The same with an option of the command.
///
/// # Errors
/// As [`start`].
pub fn start_with(configuration: &Configuration, option: StartOption) -> Result<DataNodeHandle> {
    let conf = DataNodeConf::new(configuration)?;
    let (dataset, uuid) = open_dataset(&conf, option)?;

    let listener = listen(&conf.data_address, "dfs.datanode.address")?;
    let data = listener.local_addr()?;
    let web_listener = listen(&conf.http_address, "dfs.datanode.http.address")?;
    web_listener.set_nonblocking(true)?;
    let http_address = web_listener.local_addr()?;

    let client = ClientConf {
        // This DataNode retries by itself, faster than a client would.
        connect_max_retries: 0,
        connect_max_retries_on_timeouts: 0,
        ..ClientConf::from_configuration(configuration)?
    };
    let identity = Identity::new(&conf, data, http_address);
    let ipc_bind = bind_address(&conf.ipc_address, "dfs.datanode.ipc.address")?;
    let bandwidth = conf.balance_bandwidth;
    let shared = Arc::new(Shared {
        tunable: Tunable::new(&conf),
        reconfiguration: Arc::new(Reconfiguration::new(configuration, tunable::KEYS)),
        groups: Groups::from_configuration(configuration)?,
        conf,
        dataset,
        counters: Counters::default(),
        xceivers: AtomicUsize::new(0),
        uuid,
        identity: Mutex::new(identity),
        services: Mutex::default(),
        rpc: RpcClient::new(client),
        ugi: Arc::new(Ugi::new(users::current_user())),
        runtime: Workers::shared()?.next().clone(),
        started: clock::wall(),
        suspects: Mutex::default(),
        balance: Throttle::new(bandwidth),
        moves: AtomicUsize::new(0),
        checking_volumes: AtomicBool::new(false),
        block_scanner: BlockScanner::default(),
        data_dirs: Mutex::new(configuration.get_str(&keys::DFS_DATANODE_DATA_DIR).to_owned()),
        shutdown: Mutex::new(false),
        shutdown_asked: Condvar::new(),
    });
    let services: Vec<Arc<dyn RpcService>> = vec![Arc::new(DataNodeIpc::new(Arc::clone(&shared)))];
    let server = Server::start(ServerConf::new(ipc_bind), services)?;
    shared.identity.lock().ipc_port = server.local_addr().port();
    let xceivers = XceiverServer::start(Arc::clone(&shared), listener)?;
    let web = web::serve(&shared, &server, web_listener, configuration)?;
    let actors = start_services(&shared)?;
    let scanners = start_scanners(&shared)?;
    let ipc = server.local_addr();
    tracing::info!(%data, %ipc, http = %http_address, uuid = shared.uuid, "DataNode started");
    Ok(DataNodeHandle {
        data,
        ipc,
        http: http_address,
        xceivers,
        server,
        web,
        actors: Mutex::new(actors),
        scanners: Mutex::new(scanners),
        shared,
    })
}

fn volume_list(conf: &DataNodeConf, opened: Vec<volume::Opened>) -> Result<VolumeList> {
    let volumes = VolumeList::new();
    for opened in opened {
        let (bytes, percent) = (conf.reserved_bytes, conf.reserved_percent);
        volumes.add(|index| Volume::new(opened, index, bytes, percent))?;
    }
    Ok(volumes)
}

/// What looks after replicas that nobody reads.
fn start_scanners(shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    if shared.conf.scans_blocks() {
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("scanners".to_owned());
        threads.push(thread.spawn(move || block_scanner::run(&shared))?);
    }
    if !shared.conf.directory_scan_interval.is_zero() {
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("directories".to_owned());
        threads.push(thread.spawn(move || directory_scanner::run(&shared))?);
    }
    Ok(threads)
}

fn start_services(shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::new();
    for name_service in &shared.conf.name_services {
        let state = Arc::new(NameServiceState::new());
        for (index, address) in name_service.namenodes.iter().enumerate() {
            let actor = Actor::new(shared, &state, index, address.clone());
            state.actors.lock().push(Arc::clone(&actor));
            let name = format!("namenode-{index}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || actor.run())?);
        }
        shared.services.lock().push(state);
    }
    Ok(threads)
}
