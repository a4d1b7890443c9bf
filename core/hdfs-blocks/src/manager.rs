//! The machine itself: its state, and the types of its calls. Families of calls have a file each below `manager/`.

mod admin;
mod balance;
mod check;
mod dump;
mod excess;
mod explain;
mod heartbeat;
mod invariants;
mod lifecycle;
mod locate;
mod recovery;
mod redundancy;
mod registry;
mod replicas;
mod report;
mod slow;
mod spread;
mod standby;
mod stats;
mod striped;
mod surplus;
mod target;

pub use balance::{BlockOnNode, BlocksWanted};
pub use check::ReplicaHealth;
pub use dump::DumpNames;
pub use explain::{BlockExplanation, Hindrance, ReplicaExplanation, Unsuitable};
pub use slow::SlowNode;
pub use spread::PlacementViolation;
pub use stats::{ReplicaCounts, StorageTypeStats};
pub use striped::{GroupStats, StripedUnits};

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hdfs_types::{
    Block, BlockId, DatanodeUuid, Error, GenerationStamp, INodeId, Mono, Result, Rng, SplitMix64,
};
use smallvec::SmallVec;

use crate::block_map::{BlockMap, BlockState};
use crate::conf::BlocksConf;
use crate::datanode::{Datanode, DatanodeSlot, Storage, StorageSlot};
use crate::event::BlockEvent;
use crate::hosts::HostsLists;
use crate::low_redundancy::LowRedundancy;
use crate::report_lease::ReportLeases;
use crate::slot_set::SlotSet;
use crate::topology::Topology;
use crate::under_construction::UnderConstruction;

/// What is stored for a block, copied out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockInfo {
    /// Identity, length, generation stamp.
    pub block: Block,
    /// The file that owns it.
    pub owner: INodeId,
    /// Replicas wanted.
    pub replication: u16,
    /// State.
    pub state: BlockState,
}

/// What became of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CommitOutcome {
    /// This call moved the block to COMMITTED.
    pub committed: bool,
    /// The block is complete (now, or it was before).
    pub complete: bool,
}

/// Flags of a request for targets.
///
/// Hadoop: org.apache.hadoop.hdfs.AddBlockFlag (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlacementFlags {
    /// Not on the writer's own node.
    pub no_local_write: bool,
    /// As if the writer were nowhere.
    pub ignore_client_locality: bool,
    /// Not on the writer's rack.
    pub no_local_rack: bool,
}

/// A request for storages to write a block to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TargetRequest<'a> {
    /// Path of the file, for the message.
    pub path: &'a str,
    /// Replicas wanted (for an additional node: how many more).
    pub replicas: usize,
    /// Address of the writer.
    pub writer_ip: Option<&'a str>,
    /// Rack of the writer, when it is no DataNode and the topology knows it.
    pub writer_location: Option<&'a str>,
    /// Nodes not to use, by identity. Unknown ones count in the message only.
    pub excluded: &'a [DatanodeUuid],
    /// Nodes to use first, as `host:port` or `ip:port`.
    pub favored: &'a [String],
    /// Storages chosen already: the pipeline that lacks a node.
    pub chosen: &'a [StorageSlot],
    /// Block size of the file, in bytes.
    pub block_size: u64,
    /// Storage policy of the file; 0 means none was set (HOT).
    pub storage_policy: u8,
    /// Flags.
    pub flags: PlacementFlags,
}

/// Where to read a block, or where it is being written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LocatedReplicas {
    /// Storages in the order in which the reader should try.
    pub locations: Vec<StorageSlot>,
    /// Only corrupt replicas are left.
    pub corrupt: bool,
}

/// Which nodes to list.
///
/// Proto: ClientNamenodeProtocol.proto DatanodeReportTypeProto; the numbers are the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum DatanodeReportType {
    /// Every node.
    All = 1,
    /// Heartbeats arrive.
    Live = 2,
    /// They do not.
    Dead = 3,
    /// Leaving service.
    Decommissioning = 4,
    /// On the way into maintenance.
    EnteringMaintenance = 5,
    /// In maintenance.
    InMaintenance = 6,
}

/// Counts for safe mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SafeCounts {
    /// Complete blocks: Hadoop's "total".
    pub total: u64,
    /// Those of them with their minimal replication reported.
    pub safe: u64,
    /// Live nodes.
    pub live_datanodes: u32,
}

/// Numbers for `getFsStats`, the other statistics calls and JMX. Bytes and counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FsStats {
    /// Size of all live nodes' storages.
    pub capacity: u64,
    /// Used by all pools.
    pub used: u64,
    /// Free for blocks.
    pub remaining: u64,
    /// Used by this pool.
    pub block_pool_used: u64,
    /// Used by what is not HDFS.
    pub non_dfs_used: u64,
    /// Bytes that nodes may cache.
    pub cache_capacity: u64,
    /// Bytes cached.
    pub cache_used: u64,
    /// Blocks in the map.
    pub blocks: u64,
    /// Blocks that lack redundancy, missing ones included.
    pub low_redundancy: u64,
    /// Blocks with a corrupt replica.
    pub corrupt: u64,
    /// Blocks without any good replica.
    pub missing: u64,
    /// Those of them that want one replica only.
    pub missing_replication_one: u64,
    /// Blocks whose replicas lie on too few racks.
    pub badly_distributed: u64,
    /// Blocks with one good replica left.
    pub highest_priority: u64,
    /// Copies scheduled and not reported.
    pub pending_reconstruction: u64,
    /// Copies that were never reported, since start.
    pub timed_out_reconstructions: u64,
    /// Copies that arrived, since start.
    pub successful_reconstructions: u64,
    /// How often no copy could be scheduled for a block that lacks one, since start.
    pub reconstructions_not_scheduled: u64,
    /// Nodes that fell silent, since start.
    pub expired_heartbeats: u64,
    /// Messages of DataNodes that wait for edits, on a standby.
    pub pending_datanode_messages: u64,
    /// Copies handed out in the last round.
    pub scheduled_replication: u64,
    /// Replicas to delete.
    pub pending_deletion: u64,
    /// Replicas too many, not deleted yet.
    pub excess: u64,
    /// Blocks whose surplus is not judged until all nodes have reported.
    pub postponed: u64,
    /// Blocks being written or recovered.
    pub under_construction: u64,
    /// Block streams on all live nodes.
    pub total_load: u64,
    /// Nodes, by health.
    pub live_datanodes: u32,
    /// Silent nodes.
    pub dead_datanodes: u32,
    /// Live nodes that have been silent for a while.
    pub stale_datanodes: u32,
    /// Storages whose blocks are not known since the last failover.
    pub stale_storages: u32,
    /// Nodes leaving service.
    pub decommissioning_datanodes: u32,
    /// Nodes on the way into maintenance.
    pub entering_maintenance_datanodes: u32,
    /// Nodes in maintenance that heartbeat.
    pub in_maintenance_live_datanodes: u32,
    /// Nodes in maintenance that do not.
    pub in_maintenance_dead_datanodes: u32,
    /// Nodes out of service that heartbeat.
    pub decommissioned_live_datanodes: u32,
    /// Nodes out of service that do not.
    pub decommissioned_dead_datanodes: u32,
    /// Volumes that do not work, on live nodes.
    pub failed_volumes: u32,
    /// Bytes lost with them.
    pub capacity_lost: u64,
}

/// A full report of one storage, while it is applied slice by slice.
#[derive(Debug)]
pub struct FullReport {
    storage: StorageSlot,
    /// Names the report, so that an abandoned one cannot end another.
    number: u64,
    /// The first report of the storage: unknown replicas are left alone.
    first: bool,
    /// What the storage held when the report began.
    before: SlotSet,
    /// What the report listed.
    seen: SlotSet,
}

/// Why a replica counts as corrupt.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.CorruptReplicasMap.Reason (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CorruptReason {
    GenstampMismatch,
    SizeMismatch,
    InvalidState,
    Reported,
}

/// A corrupt replica.
#[derive(Clone, Debug)]
pub(crate) struct CorruptReplica {
    pub(crate) node: DatanodeSlot,
    pub(crate) reason: CorruptReason,
    /// As reported: what to delete.
    pub(crate) block: Block,
}

/// Copies that are on their way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) since: Mono,
    pub(crate) targets: SmallVec<[StorageSlot; 2]>,
}

/// Block streams on the nodes in service, for the placement of new blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Load {
    pub(crate) nodes: u64,
    pub(crate) xceivers: u64,
}

/// The block side of a NameNode. See the crate's description.
pub struct BlockManager {
    conf: BlocksConf,
    rng: SplitMix64,

    datanodes: Vec<Datanode>,
    storages: Vec<Storage>,
    by_uuid: BTreeMap<String, DatanodeSlot>,
    by_addr: BTreeMap<(String, u16), DatanodeSlot>,
    /// By address and by host name.
    by_host: BTreeMap<String, Vec<DatanodeSlot>>,
    topology: Topology,
    hosts: HostsLists,
    load: Load,
    leases: ReportLeases,
    slow: slow::SlowReports,
    /// Dead nodes and failed storages whose replicas are still being forgotten.
    to_purge: BTreeSet<StorageSlot>,

    map: BlockMap,
    /// Block groups of erasure-coded files, and what is known of their blocks.
    striped: striped::Groups,
    under_construction: BTreeMap<BlockId, UnderConstruction>,
    /// Surplus replicas on different kinds of storage: which of them go depends on the file's storage policy.
    undecided: Vec<surplus::Undecided>,
    corrupt: BTreeMap<BlockId, SmallVec<[CorruptReplica; 1]>>,
    excess: BTreeMap<(DatanodeSlot, BlockId), excess::Excess>,
    /// Where the look for orders that were not carried out stands.
    excess_cursor: Option<(DatanodeSlot, BlockId)>,
    needed: LowRedundancy,
    pending: BTreeMap<BlockId, Pending>,
    /// Blocks whose surplus can't be judged while a storage has not reported.
    postponed: BTreeSet<BlockId>,
    /// Recoveries under way, and when they may be started again.
    recovery_attempts: BTreeMap<BlockId, Mono>,
    complete_blocks: u64,
    safe_blocks: u64,

    /// The NameNode reads edits behind an active one.
    standby: bool,
    held: BTreeMap<BlockId, BTreeMap<StorageSlot, standby::Held>>,
    safe_mode: bool,
    startup_safe_mode: bool,
    populating_queues: bool,
    /// The slot where the scan of all blocks stands.
    scan: Option<u32>,
    /// The first heartbeat after the queues began to be filled: the deletion delay counts from here.
    active_since: Option<Mono>,
    /// The highest stamp given so far, and bytes of unknown replicas above it.
    generation_stamp: GenerationStamp,
    bytes_in_future: u64,
    decommission_cursors: BTreeMap<DatanodeSlot, admin::AdminScan>,
    scheduled_last_round: usize,
    timed_out: u64,
    /// Copies that arrived, that could not be scheduled, and nodes that fell silent, since start.
    copies_arrived: u64,
    copies_not_scheduled: u64,
    expired_heartbeats: u64,
    report_number: u64,
    events: VecDeque<BlockEvent>,
}

impl BlockManager {
    /// A manager that knows no block and no node, in its first safe mode.
    pub fn new(conf: BlocksConf, seed: u64) -> Self {
        let mut rng = SplitMix64(seed);
        let leases = ReportLeases::new(rng.next_u64());
        Self {
            conf,
            rng,
            datanodes: Vec::new(),
            storages: Vec::new(),
            by_uuid: BTreeMap::new(),
            by_addr: BTreeMap::new(),
            by_host: BTreeMap::new(),
            topology: Topology::default(),
            hosts: HostsLists::default(),
            load: Load::default(),
            leases,
            slow: slow::SlowReports::default(),
            to_purge: BTreeSet::new(),
            map: BlockMap::default(),
            striped: striped::Groups::default(),
            under_construction: BTreeMap::new(),
            undecided: Vec::new(),
            corrupt: BTreeMap::new(),
            excess: BTreeMap::new(),
            excess_cursor: None,
            needed: LowRedundancy::default(),
            pending: BTreeMap::new(),
            postponed: BTreeSet::new(),
            recovery_attempts: BTreeMap::new(),
            complete_blocks: 0,
            safe_blocks: 0,
            standby: false,
            held: BTreeMap::new(),
            safe_mode: true,
            startup_safe_mode: true,
            populating_queues: false,
            scan: None,
            active_since: None,
            generation_stamp: GenerationStamp(u64::MAX),
            bytes_in_future: 0,
            decommission_cursors: BTreeMap::new(),
            scheduled_last_round: 0,
            timed_out: 0,
            copies_arrived: 0,
            copies_not_scheduled: 0,
            expired_heartbeats: 0,
            report_number: 0,
            events: VecDeque::new(),
        }
    }

    /// The settings.
    pub fn conf(&self) -> &BlocksConf {
        &self.conf
    }

    /// Takes other settings, from the next decision on.
    pub fn set_conf(&mut self, conf: BlocksConf) {
        self.conf = conf;
    }

    /// The next thing that happened, oldest first.
    pub fn poll_event(&mut self) -> Option<BlockEvent> {
        self.events.pop_front()
    }

    /// What is stored for a block.
    pub fn block(&self, id: BlockId) -> Option<BlockInfo> {
        self.map.find(id).map(|slot| self.info(slot)).or_else(|| self.group_info(id))
    }

    /// Blocks in the map.
    pub fn block_count(&self) -> usize {
        self.map.len() + self.striped.len()
    }

    /// A node. The slot must come from this manager.
    pub fn datanode(&self, slot: DatanodeSlot) -> &Datanode {
        &self.datanodes[slot.0 as usize]
    }

    /// A storage. The slot must come from this manager.
    pub fn storage(&self, slot: StorageSlot) -> &Storage {
        &self.storages[slot.0 as usize]
    }

    /// The node of a storage.
    pub fn datanode_of(&self, slot: StorageSlot) -> &Datanode {
        self.datanode(self.storage(slot).datanode)
    }

    fn datanode_mut(&mut self, slot: DatanodeSlot) -> &mut Datanode {
        &mut self.datanodes[slot.0 as usize]
    }

    fn storage_mut(&mut self, slot: StorageSlot) -> &mut Storage {
        &mut self.storages[slot.0 as usize]
    }

    fn info(&self, slot: u32) -> BlockInfo {
        let entry = self.map.entry(slot);
        BlockInfo {
            block: self.map.block(slot),
            owner: entry.owner(),
            replication: entry.replication(),
            state: entry.state(),
        }
    }

    /// The highest generation stamp given so far, when the namespace is loaded: unknown replicas above it hint that the
    /// namespace is older than the DataNodes.
    pub fn set_generation_stamp(&mut self, stamp: GenerationStamp) {
        self.generation_stamp = stamp;
    }

    /// Bytes of replicas that reported a stamp that was never given, during the first safe mode.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManagerSafeMode.checkBlocksWithFutureGS (3.5.0)
    pub fn bytes_in_future(&self) -> u64 {
        self.bytes_in_future
    }

    /// An administrator has left safe mode all the same: those bytes count as lost.
    pub fn forget_bytes_in_future(&mut self) {
        self.bytes_in_future = 0;
    }

    fn slot_of(&self, id: BlockId) -> Result<u32> {
        self.map.find(id).ok_or_else(|| Error::io(format!("Block blk_{id} does not exist")))
    }
}
