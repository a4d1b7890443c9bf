//! Block reports, incremental and full.
//!
//! Every reported replica goes through one judgement, [`BlockManager::judge`], and one application. A full report is
//! applied in slices: other calls may come between two of them. What came to the storage meanwhile is guarded, so that
//! the end of the report does not take it for missing.

use hdfs_types::{Block, BlockId, DatanodeUuid, Error, Mono, ReplicaState, Result};

use super::standby::Held;
use super::{BlockManager, CorruptReason, FullReport};
use crate::block_map::{BlockState, Entry};
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::{
    DatanodeStorage, IncrementalBlock, Now, ReceivedDeleted, ReportContext, ReportedReplica,
};
use crate::slot_set::SlotSet;
use crate::under_construction::UcReplica;

/// Replicas of a full report that are looked up together.
const FIND_BATCH: usize = 64;

/// What a reported replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// Nothing to do: known, or being deleted.
    Known,
    /// Good and final.
    Good,
    /// Belongs to a block that is being written.
    UnderConstruction,
    /// Not what it should be.
    Corrupt(CorruptReason),
}

/// The table of what is corrupt.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.checkReplicaCorrupt (3.5.0)
fn corruption(reported: &ReportedReplica, stored: &Entry) -> Option<CorruptReason> {
    let stamp = reported.block.generation_stamp;
    let stored_stamp = stored.generation_stamp();
    match (reported.state, stored.state()) {
        (ReplicaState::Finalized, BlockState::Complete | BlockState::Committed) => {
            if stamp != stored_stamp {
                Some(CorruptReason::GenstampMismatch)
            } else if reported.block.num_bytes != stored.num_bytes() {
                Some(CorruptReason::SizeMismatch)
            } else {
                None
            }
        }
        // Hadoop lets any finalized replica of a block under recovery pass; an older stamp never counts here (B6).
        (ReplicaState::Finalized, _) => {
            (stamp < stored_stamp).then_some(CorruptReason::GenstampMismatch)
        }
        (ReplicaState::Rbw | ReplicaState::Rwr, BlockState::Complete) => {
            if stamp != stored_stamp {
                Some(CorruptReason::GenstampMismatch)
            } else if reported.state == ReplicaState::Rbw {
                // A full report made before the writer closed may arrive after it.
                None
            } else {
                Some(CorruptReason::InvalidState)
            }
        }
        (ReplicaState::Rbw | ReplicaState::Rwr, _) => {
            (stamp < stored_stamp).then_some(CorruptReason::GenstampMismatch)
        }
        (ReplicaState::Rur | ReplicaState::Temporary, _) => Some(CorruptReason::InvalidState),
    }
}

fn belongs_to_writer(state: ReplicaState, stored: BlockState) -> bool {
    match state {
        ReplicaState::Finalized => {
            matches!(stored, BlockState::UnderConstruction | BlockState::UnderRecovery)
        }
        ReplicaState::Rbw | ReplicaState::Rwr => stored != BlockState::Complete,
        ReplicaState::Rur | ReplicaState::Temporary => false,
    }
}

/// Incremental reports.
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
        let node = self.find_datanode(datanode.as_str());
        let Some(node) = node.filter(|node| self.datanode(*node).is_registered()) else {
            return Err(Error::io("Got incremental block report from unregistered or dead node"));
        };
        let storage = self.learn_storage(node, storage, false);
        for line in blocks {
            match line.status {
                ReceivedDeleted::Deleted => self.replica_deleted(storage, line.block),
                ReceivedDeleted::Received => self.replica_received(now.mono, node, storage, line),
                ReceivedDeleted::Receiving => {
                    let replica = ReportedReplica { block: line.block, state: ReplicaState::Rbw };
                    self.apply_reported(now.mono, storage, &replica, None, true);
                }
            }
        }
        Ok(())
    }

    /// Hadoop forgets whatever the node held of this block. Here it must be on the storage that says so: a replica that
    /// moved between two volumes of a node stays.
    pub(crate) fn replica_deleted(&mut self, storage: StorageSlot, block: Block) {
        if self.is_striped(block.id) {
            self.internal_deleted(storage, block.id);
            return;
        }
        if self.is_from_future(block) {
            self.hold(storage, Held::Deleted(block));
            return;
        }
        self.supersede_held(storage, block);
        if let Some(slot) = self.map.find(block.id) {
            self.remove_stored(slot, storage);
        }
    }

    fn replica_received(
        &mut self,
        now: Mono,
        node: DatanodeSlot,
        storage: StorageSlot,
        line: &IncrementalBlock,
    ) {
        let kind = self.storage(storage).storage_type();
        self.datanode_mut(node).scheduled.remove(kind);
        let hint = line.delete_hint.as_ref().filter(|hint| !hint.as_str().is_empty());
        let hint = hint.and_then(|hint| self.find_datanode(hint.as_str()));
        let current = self.map.get(line.block.id).map(Entry::generation_stamp);
        if current == Some(line.block.generation_stamp) {
            self.settle_pending(line.block.id, node);
        }
        let replica = ReportedReplica { block: line.block, state: ReplicaState::Finalized };
        self.apply_reported(now, storage, &replica, hint, true);
    }

    fn judge(&self, slot: u32, storage: StorageSlot, replica: &ReportedReplica) -> Verdict {
        let entry = self.map.entry(slot);
        let node = self.storage(storage).datanode;
        if self.is_queued_for_deletion(node, replica.block) {
            Verdict::Known
        } else if let Some(reason) = corruption(replica, entry) {
            Verdict::Corrupt(reason)
        } else if belongs_to_writer(replica.state, entry.state()) {
            Verdict::UnderConstruction
        } else if replica.state == ReplicaState::Finalized
            && (!self.storage(storage).blocks.contains(slot)
                || self.is_corrupt_on(replica.block.id, node))
        {
            Verdict::Good
        } else {
            Verdict::Known
        }
    }

    /// Judges and applies one reported replica.
    pub(crate) fn apply_reported(
        &mut self,
        now: Mono,
        storage: StorageSlot,
        replica: &ReportedReplica,
        delete_hint: Option<DatanodeSlot>,
        delete_unknown: bool,
    ) {
        let slot = self.map.find(replica.block.id);
        self.apply_found(now, storage, replica, slot, delete_hint, delete_unknown);
    }

    fn apply_found(
        &mut self,
        now: Mono,
        storage: StorageSlot,
        replica: &ReportedReplica,
        slot: Option<u32>,
        delete_hint: Option<DatanodeSlot>,
        delete_unknown: bool,
    ) {
        if self.is_from_future(replica.block) {
            self.hold(storage, Held::Reported(*replica));
            return;
        }
        self.supersede_held(storage, replica.block);
        let Some(slot) = slot else {
            if self.is_striped(replica.block.id) {
                self.internal_reported(storage, replica);
                return;
            }
            self.apply_unknown(storage, replica.block, delete_unknown);
            return;
        };
        match self.judge(slot, storage, replica) {
            Verdict::Known => {}
            Verdict::Good => self.add_stored(now, slot, storage, delete_hint),
            Verdict::UnderConstruction => self.add_written(now, slot, storage, replica),
            Verdict::Corrupt(_) if self.standby => self.hold(storage, Held::Reported(*replica)),
            Verdict::Corrupt(reason) => self.mark_corrupt(slot, storage, replica.block, reason),
        }
    }

    fn apply_unknown(&mut self, storage: StorageSlot, block: Block, delete: bool) {
        if delete {
            let node = self.storage(storage).datanode;
            self.queue_unknown_deletion(node, block);
        } else if self.startup_safe_mode && block.generation_stamp > self.generation_stamp {
            self.bytes_in_future = self.bytes_in_future.saturating_add(block.num_bytes);
        }
    }

    /// A replica of a block that is being written.
    fn add_written(
        &mut self,
        now: Mono,
        slot: u32,
        storage: StorageSlot,
        replica: &ReportedReplica,
    ) {
        let id = replica.block.id;
        let node = self.storage(storage).datanode;
        let storages = &self.storages;
        let uc = self.under_construction.entry(id).or_default();
        let reported = UcReplica {
            storage,
            generation_stamp: replica.block.generation_stamp,
            num_bytes: replica.block.num_bytes,
            state: replica.state,
            tried_as_primary: false,
        };
        let known = uc
            .replicas
            .iter_mut()
            .find(|known| storages[known.storage.0 as usize].datanode == node);
        match known {
            Some(known) => {
                let tried_as_primary = known.tried_as_primary;
                *known = UcReplica { tried_as_primary, ..reported };
            }
            None => uc.replicas.push(reported),
        }
        let held = self.storage(storage).blocks.contains(slot);
        if replica.state == ReplicaState::Finalized && (!held || self.is_corrupt_on(id, node)) {
            self.add_stored(now, slot, storage, None);
        }
    }
}

/// Full reports.
impl BlockManager {
    /// False when the report's permission is unknown or over: then it must be ignored.
    ///
    /// # Errors
    /// UnregisteredNode when the node is unknown.
    pub fn check_report_lease(
        &self,
        now: Mono,
        datanode: &DatanodeUuid,
        context: Option<&ReportContext>,
    ) -> Result<bool> {
        let Some(context) = context else { return Ok(true) };
        let node = self.registered_node(datanode)?;
        let length = self.conf.report_lease_length;
        Ok(self.leases.check(now, node, context.lease_id, length))
    }

    /// Begins to apply a full report of one storage. None: ignore it, for it repeats one while the NameNode starts.
    ///
    /// # Errors
    /// Io when the node is unknown, dead or must register again.
    pub fn begin_full_report(
        &mut self,
        _now: Now,
        datanode: &DatanodeUuid,
        storage: &DatanodeStorage,
    ) -> Result<Option<FullReport>> {
        let node = self.find_datanode(datanode.as_str());
        let Some(node) = node.filter(|node| self.datanode(*node).is_registered()) else {
            return Err(Error::io(format!(
                "ProcessReport from dead or unregistered node: {datanode}"
            )));
        };
        let slot = self.learn_storage(node, storage, false);
        if self.startup_safe_mode && self.storage(slot).block_report_count > 0 {
            return Ok(None);
        }
        self.report_number += 1;
        let number = self.report_number;
        let held = self.storage_mut(slot);
        held.report_guard = Some((number, SlotSet::default()));
        let before = held.blocks.clone();
        let first = !held.has_received_report;
        Ok(Some(FullReport { storage: slot, number, first, before, seen: SlotSet::default() }))
    }

    /// Applies a slice of it.
    pub fn apply_full_report(
        &mut self,
        now: Now,
        report: &mut FullReport,
        replicas: &[ReportedReplica],
    ) {
        // Finding a block costs a few cache misses, applying it many instructions: a batch is found first, so that the
        // misses overlap. Applying never forgets a block, so what was found stays.
        let mut found = [None; FIND_BATCH];
        for batch in replicas.chunks(FIND_BATCH) {
            for (slot, replica) in found.iter_mut().zip(batch) {
                *slot = self.map.find(replica.block.id);
            }
            for (slot, replica) in found.iter().zip(batch) {
                self.apply_found(now.mono, report.storage, replica, *slot, None, !report.first);
                if let Some(slot) = slot {
                    report.seen.insert(*slot);
                }
            }
        }
    }

    /// Ends it: what the storage held when the report began, and neither was listed nor came since, is gone. True when
    /// no storage of the node is stale any more.
    ///
    /// # Errors
    /// Io when another report of this storage began meanwhile.
    pub fn finish_full_report(&mut self, _now: Now, report: FullReport) -> Result<bool> {
        let held = self.storage_mut(report.storage);
        match &held.report_guard {
            Some((number, _)) if *number == report.number => {}
            _ => return Err(Error::io("A later block report of this storage has begun")),
        }
        let guard = held.report_guard.take().map(|(_, guard)| guard).unwrap_or_default();
        for slot in report.before.iter() {
            if !report.seen.contains(slot) && !guard.contains(slot) {
                self.remove_stored(slot, report.storage);
            }
        }
        self.forget_unreported_internals(report.storage, report.number);
        let held = self.storage_mut(report.storage);
        if held.heartbeated_since_failover {
            held.contents_stale = false;
        }
        held.block_report_count += 1;
        held.has_received_report = true;
        let node = held.datanode;
        Ok(self
            .datanode(node)
            .storages
            .iter()
            .all(|storage| !self.storage(*storage).contents_stale))
    }

    /// After every storage of one blockReport RPC: the last RPC of a report gives its permission back.
    pub fn finish_report_rpc(
        &mut self,
        now: Now,
        datanode: &DatanodeUuid,
        context: Option<&ReportContext>,
    ) {
        let Some(node) = self.find_datanode(datanode.as_str()) else { return };
        if context.is_some_and(|c| c.total_rpcs == c.current_rpc.saturating_add(1)) {
            self.leases.remove(node);
            let node = self.datanode_mut(node);
            node.last_block_report = now.mono;
            node.last_block_report_wall = now.wall;
        }
    }

    /// A client or a node found a replica corrupt. It is deleted only once enough good ones exist: a read error never
    /// destroys the last copy (B8). The storage on which the node is known to hold it counts, whatever storage the
    /// reporter names; the reason is for the caller's log.
    ///
    /// # Errors
    /// Io when the node is unknown.
    pub fn report_bad_block(
        &mut self,
        _now: Mono,
        block: Block,
        datanode: &DatanodeUuid,
        _storage_id: Option<&str>,
        _reason: &str,
    ) -> Result<()> {
        let Some(slot) = self.map.find(block.id) else { return Ok(()) };
        let Some(node) = self.find_datanode(datanode.as_str()) else {
            return Err(Error::io(format!(
                "Cannot mark {block} as corrupt because datanode {datanode} ({datanode}) does not exist"
            )));
        };
        // Hadoop takes the storage that the reporter names even when no replica is known there, and so invents one.
        let Some(storage) = self.storage_on(slot, node) else { return Ok(()) };
        self.mark_corrupt(slot, storage, block, CorruptReason::Reported);
        Ok(())
    }

    /// The replicas of a block that are corrupt, as (node, Hadoop's name of the reason).
    pub fn corrupt_replicas(&self, id: BlockId) -> Vec<(DatanodeSlot, &'static str)> {
        let name = |reason| match reason {
            CorruptReason::GenstampMismatch => "GENSTAMP_MISMATCH",
            CorruptReason::SizeMismatch => "SIZE_MISMATCH",
            CorruptReason::InvalidState => "INVALID_STATE",
            CorruptReason::Reported => "CORRUPTION_REPORTED",
        };
        self.corrupt
            .get(&id)
            .map_or_else(Vec::new, |all| all.iter().map(|c| (c.node, name(c.reason))).collect())
    }
}
