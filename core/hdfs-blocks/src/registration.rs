//! What DataNodes say about themselves: registrations, storages, heartbeats, replicas.

use hdfs_types::{Block, DatanodeUuid, Mono, ReplicaState, StorageType, StorageUuid, WallMillis};

/// The time of an event, on both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// For timeouts and intervals.
    pub mono: Mono,
    /// For what clients see ("Last contact").
    pub wall: WallMillis,
}

/// Who a DataNode is and where it listens.
///
/// Proto: DatanodeIDProto and DatanodeRegistrationProto.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DatanodeRegistration {
    /// Identity, kept by the node in its VERSION files.
    pub uuid: DatanodeUuid,
    /// Address, as the NameNode saw it on the connection; not what the node claims.
    pub ip: String,
    /// Host name, as the node claims.
    pub host_name: String,
    /// Host name of the peer address, when the NameNode resolved one.
    pub peer_host_name: Option<String>,
    /// Port for block streams.
    pub xfer_port: u16,
    /// Port of the web server.
    pub info_port: u16,
    /// Port of the web server over TLS, or 0.
    pub info_secure_port: u16,
    /// Port of the RPC server.
    pub ipc_port: u16,
    /// Version of the software.
    pub software_version: String,
}

impl DatanodeRegistration {
    /// `ip:port` for block streams: how Hadoop names a node in messages.
    pub fn xfer_addr(&self) -> String {
        format!("{}:{}", self.ip, self.xfer_port)
    }

    /// `host:port` for block streams.
    pub fn xfer_addr_with_host_name(&self) -> String {
        format!("{}:{}", self.host_name, self.xfer_port)
    }
}

/// State of a storage, as the node and its heartbeats tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum StorageState {
    /// In use.
    #[default]
    Normal,
    /// Several nodes serve the same bytes; never the target of a write.
    ReadOnlyShared,
    /// The volume failed: its replicas do not count.
    Failed,
}

/// One volume of a node.
///
/// Proto: DatanodeStorageProto.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatanodeStorage {
    /// Identity.
    pub uuid: StorageUuid,
    /// Normal, or shared and read-only.
    pub state: StorageState,
    /// Kind of medium.
    pub storage_type: StorageType,
}

/// Space of one volume, in bytes.
///
/// Proto: StorageReportProto.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StorageReport {
    /// The volume.
    pub storage: DatanodeStorage,
    /// The volume does not work any more.
    pub failed: bool,
    /// Size.
    pub capacity: u64,
    /// Used by all block pools.
    pub dfs_used: u64,
    /// Free for blocks.
    pub remaining: u64,
    /// Used by this pool.
    pub block_pool_used: u64,
    /// Used by what is not HDFS.
    pub non_dfs_used: u64,
    /// Mount point, when the node tells it.
    pub mount: Option<String>,
}

/// What a node says about its failed volumes.
///
/// Proto: VolumeFailureSummaryProto.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VolumeFailures {
    /// Folders that do not work.
    pub locations: Vec<String>,
    /// When the last one failed, in milliseconds since 1970.
    pub last_failure_ms: u64,
    /// Bytes lost.
    pub capacity_lost: u64,
}

/// One heartbeat.
///
/// Proto: DatanodeProtocol.proto sendHeartbeat.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Heartbeat {
    /// The sender.
    pub uuid: DatanodeUuid,
    /// Port for block streams of the sender, to recognise an impostor.
    pub xfer_port: u16,
    /// Every volume.
    pub reports: Vec<StorageReport>,
    /// Bytes that it may cache in memory.
    pub cache_capacity: u64,
    /// Bytes cached.
    pub cache_used: u64,
    /// Copies and reconstructions going on.
    pub xmits_in_progress: u32,
    /// Block streams going on.
    pub xceiver_count: u32,
    /// Volumes that do not work.
    pub failed_volumes: u32,
    /// More about them.
    pub volume_failures: Option<VolumeFailures>,
    /// The node wants to send a full report.
    pub request_report_lease: bool,
    /// Nodes that take longer than others for what this one sends them.
    pub slow_peers: Vec<SlowPeer>,
    /// Its disks that take longer than its others.
    pub slow_disks: Vec<SlowDisk>,
}

/// What a node measured of another one, in milliseconds.
///
/// Hadoop: org.apache.hadoop.hdfs.server.protocol.OutlierMetrics (3.5.0)
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PeerLatency {
    /// Of this node.
    pub actual: f64,
    /// Of all that it measured.
    pub median: f64,
    /// Median of the distances from that.
    pub mad: f64,
    /// What is more is slow.
    pub upper_limit: f64,
}

/// A node that another one finds slow.
///
/// Proto: DatanodeProtocol.proto SlowPeerReportProto.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SlowPeer {
    /// Address and HTTP port.
    pub name: String,
    /// What was measured.
    pub latency: PeerLatency,
}

/// A disk that its node finds slow: means in milliseconds.
///
/// Proto: DatanodeProtocol.proto SlowDiskReportProto.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SlowDisk {
    /// Folder of the volume.
    pub folder: String,
    /// Of operations on folders and names.
    pub metadata: Option<f64>,
    /// Of reads.
    pub read: Option<f64>,
    /// Of writes.
    pub write: Option<f64>,
}

impl SlowDisk {
    /// The longest of the means.
    pub fn slowest(&self) -> f64 {
        [self.metadata, self.read, self.write].into_iter().flatten().fold(0.0, f64::max)
    }
}

/// A replica, as a report lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportedReplica {
    /// Identity, length, generation stamp.
    pub block: Block,
    /// State on the node.
    pub state: ReplicaState,
}

/// What happened to a replica.
///
/// Proto: ReceivedDeletedBlockInfoProto.BlockStatus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceivedDeleted {
    /// A writer has begun.
    Receiving,
    /// It is final.
    Received,
    /// It is gone.
    Deleted,
}

/// One line of an incremental block report.
///
/// Proto: ReceivedDeletedBlockInfoProto.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncrementalBlock {
    /// The replica.
    pub block: Block,
    /// What happened.
    pub status: ReceivedDeleted,
    /// The node that should lose its replica in return (a balancer's move).
    pub delete_hint: Option<DatanodeUuid>,
}

/// Which part of which full report an RPC carries.
///
/// Proto: BlockReportContextProto.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportContext {
    /// RPCs of this report.
    pub total_rpcs: u32,
    /// This one, from 0.
    pub current_rpc: u32,
    /// Names the report.
    pub report_id: i64,
    /// The permission, or 0 when the node asked for none.
    pub lease_id: u64,
}
