//! What the NameNode knows about a DataNode and its storages.

use std::collections::{BTreeMap, VecDeque};

use hdfs_types::{Block, BlockId, DatanodeUuid, Mono, StorageType, StorageUuid, WallMillis};
use smallvec::SmallVec;

use crate::registration::{
    DatanodeRegistration, DatanodeStorage, StorageReport, StorageState, VolumeFailures,
};
use crate::slot_set::SlotSet;

/// A DataNode, as a small number: an index that stays valid while the manager lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DatanodeSlot(pub u32);

/// A storage of some DataNode, as a small number: an index that stays valid while the manager lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StorageSlot(pub u32);

/// Where a node is on its way out of service.
///
/// Proto: DatanodeInfoProto.AdminState; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(i32)]
pub enum AdminState {
    /// In service.
    #[default]
    Normal = 0,
    /// Its blocks are being copied away.
    DecommissionInProgress = 1,
    /// Nothing on it is needed any more.
    Decommissioned = 2,
    /// Will be down for a while; its blocks are being made safe.
    EnteringMaintenance = 3,
    /// May be down.
    InMaintenance = 4,
}

impl AdminState {
    /// Hadoop's text, as in `dfsadmin -report` and JMX.
    pub fn text(self) -> &'static str {
        match self {
            Self::Normal => "In Service",
            Self::DecommissionInProgress => "Decommission In Progress",
            Self::Decommissioned => "Decommissioned",
            Self::EnteringMaintenance => "Entering Maintenance",
            Self::InMaintenance => "In Maintenance",
        }
    }
}

/// A storage and the replicas on it.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Its node.
    pub datanode: DatanodeSlot,
    /// Identity, state and kind.
    pub info: DatanodeStorage,
    /// Size in bytes, from the last heartbeat; so are the next four.
    pub capacity: u64,
    /// Used by all block pools.
    pub dfs_used: u64,
    /// Free for blocks.
    pub remaining: u64,
    /// Used by this pool.
    pub block_pool_used: u64,
    /// Used by what is not HDFS.
    pub non_dfs_used: u64,
    /// Mount point.
    pub mount: Option<String>,
    /// Full reports since the node registered.
    pub block_report_count: u32,
    /// A full report was applied at some time.
    pub(crate) has_received_report: bool,
    /// A heartbeat has arrived since this NameNode became active.
    pub heartbeated_since_failover: bool,
    /// No full report since this NameNode became active: nothing on it may justify a deletion elsewhere.
    pub contents_stale: bool,
    /// False once the storage was pruned; its slot is never given again.
    pub present: bool,
    /// Entries of the block map that count a replica here.
    pub(crate) blocks: SlotSet,
    /// What was added since a full report began to be applied, and the number of that report.
    pub(crate) report_guard: Option<(u64, SlotSet)>,
}

impl Storage {
    pub(crate) fn new(datanode: DatanodeSlot, info: DatanodeStorage) -> Self {
        Self {
            datanode,
            info,
            capacity: 0,
            dfs_used: 0,
            remaining: 0,
            block_pool_used: 0,
            non_dfs_used: 0,
            mount: None,
            block_report_count: 0,
            has_received_report: false,
            heartbeated_since_failover: false,
            contents_stale: true,
            present: true,
            blocks: SlotSet::default(),
            report_guard: None,
        }
    }

    /// Replicas on it.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Identity.
    pub fn uuid(&self) -> &StorageUuid {
        &self.info.uuid
    }

    /// Kind of medium.
    pub fn storage_type(&self) -> StorageType {
        self.info.storage_type
    }

    /// State.
    pub fn state(&self) -> StorageState {
        self.info.state
    }

    pub(crate) fn update(&mut self, report: &StorageReport) {
        self.capacity = report.capacity;
        self.dfs_used = report.dfs_used;
        self.remaining = report.remaining;
        self.block_pool_used = report.block_pool_used;
        self.non_dfs_used = report.non_dfs_used;
        self.mount.clone_from(&report.mount);
    }
}

/// Blocks that were promised to a node and have not arrived, by kind of storage.
///
/// Approximate on purpose: the counts of the last one or two windows of ten minutes.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScheduledBlocks {
    current: BTreeMap<StorageType, u32>,
    previous: BTreeMap<StorageType, u32>,
    rolled_at: Mono,
}

/// One window of [`ScheduledBlocks`].
const SCHEDULED_WINDOW: std::time::Duration = std::time::Duration::from_secs(600);

impl ScheduledBlocks {
    pub(crate) fn count(&self, kind: StorageType) -> u64 {
        let of = |map: &BTreeMap<_, u32>| u64::from(map.get(&kind).copied().unwrap_or(0));
        of(&self.current) + of(&self.previous)
    }

    pub(crate) fn total(&self) -> u64 {
        self.current.values().chain(self.previous.values()).map(|count| u64::from(*count)).sum()
    }

    pub(crate) fn add(&mut self, kind: StorageType) {
        *self.current.entry(kind).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, kind: StorageType) {
        for map in [&mut self.previous, &mut self.current] {
            if let Some(count) = map.get_mut(&kind).filter(|count| **count > 0) {
                *count -= 1;
                return;
            }
        }
    }

    pub(crate) fn roll(&mut self, now: Mono) {
        if now.since(self.rolled_at) > SCHEDULED_WINDOW {
            self.previous = std::mem::take(&mut self.current);
            self.rolled_at = now;
        }
    }
}

/// A copy that a node was chosen to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TransferTask {
    pub(crate) block: BlockId,
    pub(crate) targets: SmallVec<[StorageSlot; 2]>,
}

/// A DataNode: identity, health, space, storages and the work that waits for it.
#[derive(Clone, Debug)]
pub struct Datanode {
    /// Identity and addresses.
    pub registration: DatanodeRegistration,
    /// Rack, as `/rack` or `/datacenter/rack`.
    pub location: String,
    /// Way out of service.
    pub admin_state: AdminState,
    /// Nodes of one upgrade domain are down at the same time.
    pub upgrade_domain: Option<String>,
    /// Wall-clock end of maintenance, if any.
    pub maintenance_expires: Option<WallMillis>,
    /// Heartbeats arrive.
    pub alive: bool,
    /// The include list does not name it: it may not come back.
    pub disallowed: bool,
    /// The node must register again before anything else.
    pub force_registration: bool,
    /// A heartbeat has arrived since the registration.
    pub heartbeated_since_registration: bool,
    /// Last heartbeat, for timeouts.
    pub last_update: Mono,
    /// Last heartbeat, for display.
    pub last_update_wall: WallMillis,
    /// End of the last full report, for display.
    pub last_block_report_wall: WallMillis,
    /// End of the last full report.
    pub last_block_report: Mono,
    /// Sums of the storages, in bytes; so are the next four.
    pub capacity: u64,
    /// Used by all block pools.
    pub dfs_used: u64,
    /// Free for blocks.
    pub remaining: u64,
    /// Used by this pool.
    pub block_pool_used: u64,
    /// Used by what is not HDFS.
    pub non_dfs_used: u64,
    /// Bytes that it may cache in memory.
    pub cache_capacity: u64,
    /// Bytes cached.
    pub cache_used: u64,
    /// Block streams going on.
    pub xceiver_count: u32,
    /// Volumes that do not work.
    pub failed_volumes: u32,
    /// More about them.
    pub volume_failures: Option<VolumeFailures>,
    /// Its storages, in the order in which they appeared.
    pub storages: Vec<StorageSlot>,
    /// False once it was wiped; its slot is never given again.
    pub present: bool,
    /// Bandwidth for balancing to send with the next reply, in bytes a second.
    pub(crate) balancer_bandwidth: Option<u64>,
    pub(crate) key_update_due: bool,
    pub(crate) scheduled: ScheduledBlocks,
    pub(crate) transfers: VecDeque<TransferTask>,
    pub(crate) recoveries: VecDeque<BlockId>,
    pub(crate) invalidate: BTreeMap<BlockId, Block>,
    pub(crate) leaving: LeavingService,
}

/// What keeps a node from leaving service.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeDescriptor.LeavingServiceStatus (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeavingService {
    /// Blocks with too few replicas elsewhere.
    pub under_replicated: u64,
    /// Those of them in files that are being written.
    pub under_replicated_in_open_files: u64,
    /// Blocks whose only replicas are on nodes that leave.
    pub out_of_service_only: u64,
    /// When it began, in wall-clock milliseconds.
    pub started_ms: u64,
}

impl Datanode {
    pub(crate) fn new(registration: DatanodeRegistration, location: String) -> Self {
        Self {
            registration,
            location,
            admin_state: AdminState::Normal,
            upgrade_domain: None,
            maintenance_expires: None,
            alive: false,
            disallowed: false,
            force_registration: false,
            heartbeated_since_registration: false,
            last_update: Mono::default(),
            last_update_wall: WallMillis::default(),
            last_block_report_wall: WallMillis::default(),
            last_block_report: Mono::default(),
            capacity: 0,
            dfs_used: 0,
            remaining: 0,
            block_pool_used: 0,
            non_dfs_used: 0,
            cache_capacity: 0,
            cache_used: 0,
            xceiver_count: 0,
            failed_volumes: 0,
            volume_failures: None,
            storages: Vec::new(),
            present: true,
            balancer_bandwidth: None,
            key_update_due: false,
            scheduled: ScheduledBlocks::default(),
            transfers: VecDeque::new(),
            recoveries: VecDeque::new(),
            invalidate: BTreeMap::new(),
            leaving: LeavingService::default(),
        }
    }

    /// Identity.
    pub fn uuid(&self) -> &DatanodeUuid {
        &self.registration.uuid
    }

    /// Alive, and not told to register again: reports from it count.
    pub fn is_registered(&self) -> bool {
        self.alive && !self.force_registration
    }

    /// Neither leaving service nor in maintenance.
    pub fn is_in_service(&self) -> bool {
        self.admin_state == AdminState::Normal
    }

    /// Its blocks are being copied away.
    pub fn is_decommissioning(&self) -> bool {
        self.admin_state == AdminState::DecommissionInProgress
    }

    /// Out of service.
    pub fn is_decommissioned(&self) -> bool {
        self.admin_state == AdminState::Decommissioned
    }

    /// In, or on the way into, maintenance.
    pub fn is_maintenance(&self) -> bool {
        matches!(self.admin_state, AdminState::EnteringMaintenance | AdminState::InMaintenance)
    }

    /// What keeps it from leaving service.
    pub fn leaving_service(&self) -> LeavingService {
        self.leaving
    }

    /// Silent for longer than this.
    pub fn is_stale(&self, now: Mono, interval: std::time::Duration) -> bool {
        now.since(self.last_update) >= interval
    }

    /// Blocks promised to it that have not arrived.
    pub fn blocks_scheduled(&self) -> u64 {
        self.scheduled.total()
    }

    /// Copies that it was chosen to send and has not been told of.
    pub fn pending_transfers(&self) -> usize {
        self.transfers.len()
    }

    /// Replicas that it was chosen to delete and has not been told of.
    pub fn pending_deletions(&self) -> usize {
        self.invalidate.len()
    }
}
