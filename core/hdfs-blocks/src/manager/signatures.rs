//! Calls whose bodies are being written: each moves to the file of its family.
#![allow(unused_variables, clippy::unimplemented)]

use hdfs_types::{Block, BlockId, DatanodeUuid, GenerationStamp, INodeId, Mono, Result};

use super::{
    BlockInfo, BlockManager, CommitOutcome, DatanodeReportType, FsStats, FullReport, HostsLists,
    LocatedReplicas, SafeCounts, TargetRequest,
};
use crate::block_map::BlockState;
use crate::command::HeartbeatReply;
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::{
    DatanodeRegistration, DatanodeStorage, Heartbeat, IncrementalBlock, Now, ReportContext,
    ReportedReplica,
};

/// Nodes and heartbeats (registry.rs, admin.rs).
impl BlockManager {
    /// Registers a node, or takes new facts of a known one. `location` is its rack from the topology, if known.
    ///
    /// # Errors
    /// DisallowedDatanode when the include list does not name it.
    pub fn register_datanode(
        &mut self,
        now: Now,
        registration: DatanodeRegistration,
        location: Option<&str>,
    ) -> Result<DatanodeSlot> {
        unimplemented!()
    }
    /// Takes a heartbeat and says what to do. In safe mode: nothing.
    ///
    /// # Errors
    /// DisallowedDatanode.
    pub fn handle_heartbeat(&mut self, now: Now, heartbeat: &Heartbeat) -> Result<HeartbeatReply> {
        unimplemented!()
    }
    /// Takes a lifeline message: a heartbeat without commands.
    pub fn handle_lifeline(&mut self, now: Now, heartbeat: &Heartbeat) -> Result<()> {
        unimplemented!()
    }
    /// Finds nodes that became dead and forgets their replicas, at most `limit` of them in this call; true: call again.
    pub fn check_heartbeats(&mut self, now: Now, limit: usize) -> bool {
        unimplemented!()
    }
    /// The node with this identity.
    pub fn find_datanode(&self, uuid: &str) -> Option<DatanodeSlot> {
        unimplemented!()
    }
    /// A node at this address or host name.
    pub fn find_datanode_by_host(&self, ip_or_host: &str) -> Option<DatanodeSlot> {
        unimplemented!()
    }
    /// The storage of a node with this identity.
    pub fn find_storage(&self, datanode: &str, storage: &str) -> Option<StorageSlot> {
        unimplemented!()
    }
    /// The storages that a client names by node and storage id (updatePipeline, commitBlockSynchronization).
    ///
    /// # Errors
    /// Io when a node is unknown.
    pub fn resolve_storages(
        &self,
        datanodes: &[DatanodeUuid],
        storage_ids: &[String],
    ) -> Result<Vec<StorageSlot>> {
        unimplemented!()
    }
    /// Nodes for a report, in the order of their addresses.
    pub fn list_datanodes(&self, now: Mono, kind: DatanodeReportType) -> Vec<DatanodeSlot> {
        unimplemented!()
    }
    /// Takes new include and exclude lists; starts and stops decommissioning.
    pub fn refresh_nodes(&mut self, now: Now, hosts: HostsLists) {
        unimplemented!()
    }
    /// One round of the decommission monitor.
    pub fn check_decommission(&mut self, now: Now) {
        unimplemented!()
    }
    /// After becoming active: nothing is known for sure until nodes report again.
    pub fn mark_all_datanodes_stale(&mut self) {
        unimplemented!()
    }
    /// Tells every live node how fast balancing may be.
    pub fn set_balancer_bandwidth(&mut self, bytes_per_second: u64) {
        unimplemented!()
    }
}

/// Life of a block (lifecycle.rs, recovery.rs).
impl BlockManager {
    /// Adds a block from the image or from an edit; complete blocks count for safe mode at once.
    ///
    /// # Errors
    /// Io when a field is out of range or the id is in use by another file.
    pub fn add_block(
        &mut self,
        block: Block,
        owner: INodeId,
        replication: u16,
        state: BlockState,
    ) -> Result<()> {
        unimplemented!()
    }
    /// Adds a block that a client is about to write to these storages.
    pub fn add_under_construction(
        &mut self,
        block: Block,
        owner: INodeId,
        replication: u16,
        targets: &[StorageSlot],
    ) -> Result<()> {
        unimplemented!()
    }
    /// Sets where a block under construction is being written.
    pub fn set_expected_locations(&mut self, id: BlockId, targets: &[StorageSlot]) -> Result<()> {
        unimplemented!()
    }
    /// Where a block under construction is being written; for a complete block, where it is.
    pub fn expected_locations(&self, id: BlockId) -> Vec<StorageSlot> {
        unimplemented!()
    }
    /// The client says the final length: checks it, then completes the block if enough replicas were reported.
    pub fn commit_or_complete(&mut self, now: Mono, commit: Block) -> Result<CommitOutcome> {
        unimplemented!()
    }
    /// True when enough finalized replicas of the stored stamp were reported.
    pub fn has_min_storage(&self, id: BlockId) -> bool {
        unimplemented!()
    }
    /// Completes a block whatever was reported: what the edits say (replay), or the last block of an abandoned file.
    pub fn force_complete(&mut self, id: BlockId) -> Result<()> {
        unimplemented!()
    }
    /// A new length or stamp from an edit (OP_UPDATE_BLOCKS, OP_ADD_BLOCK, OP_CLOSE in replay).
    pub fn update_block(&mut self, block: Block) -> Result<()> {
        unimplemented!()
    }
    /// Turns a complete last block into one under construction at its replicas' storages (append, truncate).
    pub fn convert_to_under_construction(&mut self, id: BlockId) -> Result<Vec<StorageSlot>> {
        unimplemented!()
    }
    /// A client replaces its pipeline (updatePipeline): new stamp, length not shorter, new storages.
    pub fn update_pipeline(&mut self, new_block: Block, targets: &[StorageSlot]) -> Result<()> {
        unimplemented!()
    }
    /// Starts block recovery; false when an attempt is under way and has not timed out.
    pub fn initialize_recovery(
        &mut self,
        now: Mono,
        id: BlockId,
        new_stamp: GenerationStamp,
        truncate_block: Option<Block>,
    ) -> Result<bool> {
        unimplemented!()
    }
    /// The stamp of the recovery under way.
    pub fn recovery_stamp(&self, id: BlockId) -> Option<GenerationStamp> {
        unimplemented!()
    }
    /// The block's part of commitBlockSynchronization without deletion: stamp, length, where it is.
    pub fn finish_recovery(
        &mut self,
        now: Mono,
        id: BlockId,
        new_stamp: GenerationStamp,
        new_length: u64,
        targets: &[StorageSlot],
    ) -> Result<()> {
        unimplemented!()
    }
    /// Forgets a block; its replicas will be deleted.
    pub fn remove_block(&mut self, id: BlockId) {
        unimplemented!()
    }
    /// New replication of a block.
    pub fn set_replication(&mut self, now: Mono, id: BlockId, replication: u16) -> Result<()> {
        unimplemented!()
    }
    /// Another file owns the block now (concat).
    pub fn set_owner(&mut self, id: BlockId, owner: INodeId) -> Result<()> {
        unimplemented!()
    }
    /// Looks at a closed file's block: too few or too many replicas?
    pub fn check_redundancy(&mut self, now: Mono, id: BlockId) {
        unimplemented!()
    }
}

/// Reports (report.rs).
impl BlockManager {
    /// An incremental report of one storage.
    ///
    /// # Errors
    /// Io when the node is unknown, dead or must register again.
    pub fn handle_incremental_report(
        &mut self,
        now: Now,
        datanode: &DatanodeUuid,
        storage: &DatanodeStorage,
        blocks: &[IncrementalBlock],
    ) -> Result<()> {
        unimplemented!()
    }
    /// False when the report's permission is unknown or over: it must be ignored.
    pub fn check_report_lease(
        &self,
        now: Mono,
        datanode: &DatanodeUuid,
        context: Option<&ReportContext>,
    ) -> Result<bool> {
        unimplemented!()
    }
    /// Begins to apply a full report of one storage; None when it is to be ignored (repeated during startup).
    pub fn begin_full_report(
        &mut self,
        now: Now,
        datanode: &DatanodeUuid,
        storage: &DatanodeStorage,
    ) -> Result<Option<FullReport>> {
        unimplemented!()
    }
    /// Applies a slice of it. Other calls may come between two slices.
    pub fn apply_full_report(
        &mut self,
        now: Now,
        report: &mut FullReport,
        replicas: &[ReportedReplica],
    ) {
        unimplemented!()
    }
    /// Ends it: what was not reported is gone. True when no storage of the node is stale any more (finalize upgrade).
    pub fn finish_full_report(&mut self, now: Now, report: FullReport) -> Result<bool> {
        unimplemented!()
    }
    /// After every storage of one blockReport RPC: gives the permission back with the last RPC.
    pub fn finish_report_rpc(
        &mut self,
        now: Now,
        datanode: &DatanodeUuid,
        context: Option<&ReportContext>,
    ) {
        unimplemented!()
    }
    /// A client or node found a replica corrupt (reportBadBlocks).
    pub fn report_bad_block(
        &mut self,
        now: Mono,
        block: Block,
        datanode: &DatanodeUuid,
        storage_id: Option<&str>,
        reason: &str,
    ) -> Result<()> {
        unimplemented!()
    }
}

/// Placement and location (target.rs, locate.rs).
impl BlockManager {
    /// Storages for a new block: at least `min_replication` of them.
    ///
    /// # Errors
    /// Io with Hadoop's "could only be written to …".
    pub fn choose_targets(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
    ) -> Result<Vec<StorageSlot>> {
        unimplemented!()
    }
    /// More storages for a pipeline: the chosen ones and up to `replicas` new ones after them.
    pub fn choose_additional(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
    ) -> Vec<StorageSlot> {
        unimplemented!()
    }
    /// Where to read a block. `seed` shuffles equally near replicas.
    pub fn locate(
        &self,
        now: Mono,
        id: BlockId,
        reader: Option<&str>,
        seed: u64,
    ) -> LocatedReplicas {
        unimplemented!()
    }
}

/// Redundancy and numbers (redundancy.rs, stats.rs).
impl BlockManager {
    /// In safe mode no copy or deletion is handed out. `startup`: the first safe mode of this process.
    pub fn set_safe_mode(&mut self, on: bool, startup: bool) {
        unimplemented!()
    }
    /// Fills the queues after safe mode (or after becoming active); the scan itself runs in `compute_work`.
    pub fn start_redundancy_queues(&mut self) {
        unimplemented!()
    }
    /// Forgets the queues (becoming standby).
    pub fn clear_queues(&mut self) {
        unimplemented!()
    }
    /// One round of the redundancy monitor (`dfs.namenode.redundancy.interval.seconds`, 3 s): looks at timed-out copies,
    /// schedules copies. Returns copies scheduled.
    pub fn compute_work(&mut self, now: Mono) -> usize {
        unimplemented!()
    }
    /// Counts for safe mode.
    pub fn safe_counts(&self) -> SafeCounts {
        unimplemented!()
    }
    /// Numbers.
    pub fn stats(&self, now: Mono) -> FsStats {
        unimplemented!()
    }
    /// Blocks without a good replica, from an id on, for listCorruptFileBlocks and fsck.
    pub fn corrupt_blocks(&self, from: BlockId, limit: usize) -> Vec<BlockInfo> {
        unimplemented!()
    }
    /// Recounts everything; the first thing that is wrong, as text.
    pub fn check_invariants(&self) -> std::result::Result<(), String> {
        unimplemented!()
    }
}
