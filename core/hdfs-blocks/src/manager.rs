//! The machine itself: its state, and the types of its calls. Families of calls have a file each below `manager/`.

mod signatures;

use std::collections::{BTreeMap, VecDeque};

use hdfs_types::{Block, BlockId, DatanodeUuid, GenerationStamp, INodeId, SplitMix64};

use crate::block_map::{BlockMap, BlockState};
use crate::conf::BlocksConf;
use crate::datanode::{Datanode, DatanodeSlot, Storage, StorageSlot};
use crate::event::BlockEvent;
use crate::slot_set::SlotSet;

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

/// The files of `dfs.hosts` and `dfs.hosts.exclude`, one entry a line: `host`, `ip` or either with `:port`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostsLists {
    /// Who may join; empty: everybody.
    pub include: Vec<String>,
    /// Who leaves.
    pub exclude: Vec<String>,
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
    number: u64,
    first: bool,
    before: SlotSet,
    seen: SlotSet,
}

/// The block side of a NameNode. See the crate's description.
pub struct BlockManager {
    conf: BlocksConf,
    rng: SplitMix64,
    datanodes: Vec<Datanode>,
    storages: Vec<Storage>,
    by_uuid: BTreeMap<DatanodeUuid, DatanodeSlot>,
    map: BlockMap,
    events: VecDeque<BlockEvent>,
}

impl BlockManager {
    /// A manager that knows no block and no node.
    pub fn new(conf: BlocksConf, seed: u64) -> Self {
        Self {
            conf,
            rng: SplitMix64(seed),
            datanodes: Vec::new(),
            storages: Vec::new(),
            by_uuid: BTreeMap::new(),
            map: BlockMap::default(),
            events: VecDeque::new(),
        }
    }

    /// The settings.
    pub fn conf(&self) -> &BlocksConf {
        &self.conf
    }

    /// The next thing that happened, oldest first.
    pub fn poll_event(&mut self) -> Option<BlockEvent> {
        self.events.pop_front()
    }

    /// What is stored for a block.
    pub fn block(&self, id: BlockId) -> Option<BlockInfo> {
        let entry = self.map.get(id)?;
        Some(BlockInfo {
            block: entry.block(),
            owner: entry.owner(),
            replication: entry.replication(),
            state: entry.state(),
        })
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

    /// The highest generation stamp given so far: reports of later ones are from the future.
    pub fn set_generation_stamp(&mut self, _stamp: GenerationStamp) {}
}
