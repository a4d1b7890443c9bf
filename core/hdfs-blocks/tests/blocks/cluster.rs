//! A small cluster as the manager sees it: nodes that register, heartbeat and report.

use std::time::Duration;

use hdfs_blocks::{
    BlockEvent, BlockManager, BlocksConf, DatanodeCommand, DatanodeRegistration, DatanodeStorage,
    Heartbeat, IncrementalBlock, Now, ReceivedDeleted, ReportedReplica, StorageReport, StorageSlot,
    StorageState, TargetRequest,
};
use hdfs_types::{
    Block, BlockId, DatanodeUuid, GenerationStamp, INodeId, Mono, ReplicaState, StorageType,
    StorageUuid, WallMillis,
};

pub(crate) const OWNER: INodeId = INodeId(16_386);
pub(crate) const GIB: u64 = 1 << 30;

pub(crate) struct Cluster {
    pub(crate) bm: BlockManager,
    pub(crate) seconds: u64,
}

pub(crate) fn block(id: i64, stamp: u64, num_bytes: u64) -> Block {
    Block { id: BlockId(id), num_bytes, generation_stamp: GenerationStamp(stamp) }
}

pub(crate) fn uuid(node: usize) -> DatanodeUuid {
    DatanodeUuid::from(format!("dn-{node}"))
}

pub(crate) fn storage_of(node: usize) -> DatanodeStorage {
    DatanodeStorage {
        uuid: StorageUuid::from(format!("DS-{node}")),
        state: StorageState::Normal,
        storage_type: StorageType::Disk,
    }
}

pub(crate) fn registration(node: usize) -> DatanodeRegistration {
    DatanodeRegistration {
        uuid: uuid(node),
        ip: format!("10.0.0.{node}"),
        host_name: format!("host{node}"),
        xfer_port: 9866,
        ipc_port: 9867,
        ..DatanodeRegistration::default()
    }
}

impl Cluster {
    /// Nodes `0..racks.len()`, registered on these racks, reported empty, out of safe mode.
    pub(crate) fn with(conf: BlocksConf, racks: &[&str]) -> Self {
        let mut this = Self { bm: BlockManager::new(conf, 1), seconds: 1_000 };
        for (node, rack) in racks.iter().enumerate() {
            this.register(node, rack);
            this.heartbeat(node);
            this.full_report(node, &[]);
        }
        this.bm.set_safe_mode(false, false);
        this.bm.start_redundancy_queues();
        this
    }

    pub(crate) fn of(nodes: usize) -> Self {
        Self::with(BlocksConf::default(), &vec!["/default-rack"; nodes])
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: self.mono(), wall: WallMillis(self.seconds * 1_000) }
    }

    pub(crate) fn mono(&self) -> Mono {
        Mono(self.seconds * 1_000_000_000)
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.seconds += duration.as_secs();
    }

    pub(crate) fn register(&mut self, node: usize, rack: &str) {
        let now = self.now();
        self.bm.register_datanode(now, registration(node), Some(rack)).expect("nobody is excluded");
    }

    pub(crate) fn heartbeat_of(&self, node: usize) -> Heartbeat {
        Heartbeat {
            uuid: uuid(node),
            xfer_port: 9866,
            reports: vec![StorageReport {
                storage: storage_of(node),
                failed: false,
                capacity: 1_000 * GIB,
                dfs_used: 0,
                remaining: (500 + node as u64) * GIB,
                block_pool_used: 0,
                non_dfs_used: 0,
                mount: None,
            }],
            ..Heartbeat::default()
        }
    }

    pub(crate) fn heartbeat(&mut self, node: usize) -> Vec<DatanodeCommand> {
        let heartbeat = self.heartbeat_of(node);
        let now = self.now();
        self.bm.handle_heartbeat(now, &heartbeat).expect("the node may speak").commands
    }

    pub(crate) fn full_report(&mut self, node: usize, replicas: &[ReportedReplica]) {
        let now = self.now();
        let storage = storage_of(node);
        let report = self.bm.begin_full_report(now, &uuid(node), &storage).expect("registered");
        let Some(mut report) = report else { return };
        for slice in replicas.chunks(2) {
            self.bm.apply_full_report(now, &mut report, slice);
        }
        self.bm.finish_full_report(now, report).expect("nobody else reported");
    }

    fn incremental(&mut self, node: usize, block: Block, status: ReceivedDeleted) {
        let lines = [IncrementalBlock { block, status, delete_hint: None }];
        let now = self.now();
        self.bm
            .handle_incremental_report(now, &uuid(node), &storage_of(node), &lines)
            .expect("the node is registered");
    }

    pub(crate) fn receiving(&mut self, node: usize, block: Block) {
        self.incremental(node, block, ReceivedDeleted::Receiving);
    }

    pub(crate) fn received(&mut self, node: usize, block: Block) {
        self.incremental(node, block, ReceivedDeleted::Received);
    }

    pub(crate) fn deleted(&mut self, node: usize, block: Block) {
        self.incremental(node, block, ReceivedDeleted::Deleted);
    }

    pub(crate) fn storage(&self, node: usize) -> StorageSlot {
        self.bm.find_storage(&format!("dn-{node}"), &format!("DS-{node}")).expect("it heartbeat")
    }

    pub(crate) fn node_of(&self, storage: StorageSlot) -> usize {
        let uuid = self.bm.datanode_of(storage).uuid().as_str().to_owned();
        uuid.strip_prefix("dn-").and_then(|n| n.parse().ok()).expect("named by the fixture")
    }

    pub(crate) fn nodes_of(&self, storages: &[StorageSlot]) -> Vec<usize> {
        let mut nodes: Vec<usize> = storages.iter().map(|s| self.node_of(*s)).collect();
        nodes.sort_unstable();
        nodes
    }

    /// Nodes where a reader finds the block.
    pub(crate) fn readable_on(&self, id: i64) -> Vec<usize> {
        self.nodes_of(&self.bm.locate(self.mono(), BlockId(id), None, 7).locations)
    }

    pub(crate) fn request(replicas: usize) -> TargetRequest<'static> {
        TargetRequest { path: "/f", replicas, block_size: 1 << 27, ..TargetRequest::default() }
    }

    /// A block written to these nodes and closed; `num_bytes` long, stamp 1001.
    pub(crate) fn closed_block(&mut self, id: i64, nodes: &[usize], replication: u16) -> Block {
        let targets: Vec<_> = nodes.iter().map(|node| self.storage(*node)).collect();
        self.bm
            .add_under_construction(block(id, 1_001, 0), OWNER, replication, &targets)
            .expect("new");
        let done = block(id, 1_001, 100);
        for node in nodes {
            self.received(*node, done);
        }
        let outcome = self.bm.commit_or_complete(self.mono(), done).expect("fits");
        assert!(outcome.complete);
        self.bm.check_redundancy(self.mono(), done.id);
        self.check();
        done
    }

    pub(crate) fn events(&mut self) -> Vec<BlockEvent> {
        std::iter::from_fn(|| self.bm.poll_event()).collect()
    }

    pub(crate) fn check(&self) {
        self.bm.check_invariants().expect("the invariants hold");
    }

    /// Blocks that heartbeats tell a node to delete.
    pub(crate) fn told_to_delete(&mut self, node: usize) -> Vec<Block> {
        self.heartbeat(node)
            .into_iter()
            .flat_map(|command| match command {
                DatanodeCommand::Invalidate(blocks) => blocks,
                _ => Vec::new(),
            })
            .collect()
    }

    /// Copies that heartbeats tell a node to send, as (block, target nodes).
    pub(crate) fn told_to_copy(&mut self, node: usize) -> Vec<(i64, Vec<usize>)> {
        let commands = self.heartbeat(node);
        let transfers = commands.into_iter().flat_map(|command| match command {
            DatanodeCommand::Transfer(transfers) => transfers,
            _ => Vec::new(),
        });
        transfers.map(|t| (t.block.id.0, self.nodes_of(&t.targets))).collect()
    }
}

pub(crate) fn finalized(block: Block) -> ReportedReplica {
    ReportedReplica { block, state: ReplicaState::Finalized }
}
