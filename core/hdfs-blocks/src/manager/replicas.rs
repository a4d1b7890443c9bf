//! Counting replicas, adding them and removing them: the one place where the block map and the storages' sets change.

use hdfs_types::{Block, BlockId, GenerationStamp, Mono};

use super::{BlockManager, CorruptReason, CorruptReplica};
use crate::block_map::{BlockState, Storages};
use crate::command::NO_ACK;
use crate::datanode::{AdminState, DatanodeSlot, StorageSlot};
use crate::event::BlockEvent;
use crate::registration::StorageState;

/// Replicas of a block, by what they are good for.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.NumberReplicas (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    /// Good, on nodes in service, not surplus.
    pub(crate) live: u32,
    /// Those of them on storages that have reported since this NameNode became active.
    pub(crate) live_and_known: u32,
    pub(crate) read_only: u32,
    pub(crate) decommissioning: u32,
    pub(crate) decommissioned: u32,
    /// On nodes that enter maintenance and still run.
    pub(crate) maintenance_readable: u32,
    pub(crate) maintenance_down: u32,
    pub(crate) corrupt: u32,
    pub(crate) excess: u32,
    /// Any of the above on storages that have not reported yet.
    pub(crate) stale: u32,
}

impl Counts {
    /// What makes a block complete: good replicas that can be read now.
    pub(crate) fn usable(&self) -> u32 {
        self.live + self.decommissioning + self.maintenance_readable
    }

    pub(crate) fn maintenance(&self) -> u32 {
        self.maintenance_readable + self.maintenance_down
    }

    pub(crate) fn out_of_service(&self) -> u32 {
        self.maintenance() + self.decommissioning + self.decommissioned
    }
}

/// What one replica counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReplicaClass {
    Live,
    ReadOnly,
    Decommissioning,
    Decommissioned,
    MaintenanceReadable,
    MaintenanceDown,
    Corrupt,
    Excess,
    /// On a failed storage or a dead node: as good as gone.
    Gone,
}

/// What adding a replica did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Added {
    New,
    /// It was on another storage of the same node.
    Moved,
    Known,
}

impl BlockManager {
    pub(crate) fn is_corrupt_on(&self, id: BlockId, node: DatanodeSlot) -> bool {
        !self.corrupt.is_empty()
            && self.corrupt.get(&id).is_some_and(|all| all.iter().any(|c| c.node == node))
    }

    /// What the replica of a block on a storage counts as.
    pub(crate) fn classify(&self, id: BlockId, storage: StorageSlot) -> ReplicaClass {
        let storage = self.storage(storage);
        let node = self.datanode(storage.datanode);
        match storage.state() {
            StorageState::Failed => return ReplicaClass::Gone,
            StorageState::ReadOnlyShared => return ReplicaClass::ReadOnly,
            StorageState::Normal => {}
        }
        if !node.alive && !node.is_maintenance() {
            ReplicaClass::Gone
        } else if self.is_corrupt_on(id, storage.datanode) {
            ReplicaClass::Corrupt
        } else {
            match node.admin_state {
                AdminState::DecommissionInProgress => ReplicaClass::Decommissioning,
                AdminState::Decommissioned => ReplicaClass::Decommissioned,
                AdminState::EnteringMaintenance if node.alive => ReplicaClass::MaintenanceReadable,
                AdminState::EnteringMaintenance | AdminState::InMaintenance => {
                    ReplicaClass::MaintenanceDown
                }
                AdminState::Normal if self.is_excess_on(id, storage.datanode) => {
                    ReplicaClass::Excess
                }
                AdminState::Normal => ReplicaClass::Live,
            }
        }
    }

    /// Counts the replicas of a block.
    pub(crate) fn count(&self, slot: u32) -> Counts {
        self.count_among(self.map.id(slot), &self.map.storages(slot))
    }

    fn count_among(&self, id: BlockId, storages: &Storages) -> Counts {
        let mut counts = Counts::default();
        for storage in storages {
            let stale = self.storage(*storage).contents_stale;
            match self.classify(id, *storage) {
                ReplicaClass::Live => {
                    counts.live += 1;
                    counts.live_and_known += u32::from(!stale);
                }
                ReplicaClass::ReadOnly => counts.read_only += 1,
                ReplicaClass::Decommissioning => counts.decommissioning += 1,
                ReplicaClass::Decommissioned => counts.decommissioned += 1,
                ReplicaClass::MaintenanceReadable => counts.maintenance_readable += 1,
                ReplicaClass::MaintenanceDown => counts.maintenance_down += 1,
                ReplicaClass::Corrupt => counts.corrupt += 1,
                ReplicaClass::Excess => counts.excess += 1,
                ReplicaClass::Gone => continue,
            }
            counts.stale += u32::from(stale);
        }
        counts
    }

    pub(crate) fn pending_count(&self, id: BlockId) -> u32 {
        if self.pending.is_empty() {
            return 0;
        }
        self.pending.get(&id).map_or(0, |pending| pending.targets.len() as u32)
    }

    /// Sets the "safe" mark of a block to what it should be, and counts it.
    pub(crate) fn refresh_safe(&mut self, slot: u32) {
        let entry = self.map.entry(slot);
        let was = entry.is_safe();
        let is = entry.is_complete() && {
            let counts = self.count(slot);
            let present = counts.live + counts.excess + counts.out_of_service();
            present >= u32::from(self.conf.safe_mode_min_replication.max(1))
        };
        if was != is {
            self.map.entry_mut(slot).set_safe(is);
            if is {
                self.safe_blocks += 1;
            } else {
                self.safe_blocks -= 1;
            }
        }
    }

    /// The storage of a node that holds a block.
    pub(crate) fn storage_on(&self, slot: u32, node: DatanodeSlot) -> Option<StorageSlot> {
        self.map.storages(slot).into_iter().find(|s| self.storage(*s).datanode == node)
    }

    fn link(&mut self, slot: u32, storage: StorageSlot) -> Added {
        let node = self.storage(storage).datanode;
        let mut added = Added::New;
        if let Some(other) = self.storage_on(slot, node) {
            if other == storage {
                return Added::Known;
            }
            self.map.remove_storage(slot, other);
            self.storage_mut(other).blocks.remove(slot);
            added = Added::Moved;
        }
        self.map.add_storage(slot, storage);
        let held = self.storage_mut(storage);
        held.blocks.insert(slot);
        if let Some((_, guard)) = &mut held.report_guard {
            guard.insert(slot);
        }
        added
    }

    /// Counts a replica that block recovery has made final, before its node reports it.
    pub(crate) fn link_recovered(&mut self, slot: u32, storage: StorageSlot) {
        self.link(slot, storage);
        self.refresh_safe(slot);
    }

    /// A good finalized replica was reported: counts it, completes the block if it was committed and has enough now,
    /// and judges its redundancy.
    pub(crate) fn add_stored(
        &mut self,
        now: Mono,
        slot: u32,
        storage: StorageSlot,
        delete_hint: Option<DatanodeSlot>,
    ) {
        let node = self.storage(storage).datanode;
        let id = self.map.id(slot);
        let added = self.link(slot, storage);
        if added == Added::Known {
            // A good report takes back what an older one had said. Its length was judged only if the block has one.
            self.forget_corrupt(id, node, Some(CorruptReason::GenstampMismatch));
            if self.map.entry(slot).is_complete_or_committed() {
                self.forget_corrupt(id, node, Some(CorruptReason::SizeMismatch));
            }
        }
        let counts = self.count(slot);
        if self.map.entry(slot).state() == BlockState::Committed
            && counts.usable() >= u32::from(self.conf.min_replication)
        {
            self.expect_rest_of_pipeline(now, slot);
            self.complete(slot);
            let entry = self.map.entry(slot);
            let event = BlockEvent::Completed { block: self.map.block(slot), owner: entry.owner() };
            self.events.push_back(event);
        } else {
            self.refresh_safe(slot);
            let entry = self.map.entry(slot);
            let reached = counts.usable() == u32::from(self.conf.min_replication);
            if added == Added::New && reached && !entry.is_complete() {
                self.events.push_back(BlockEvent::Finalized { block: id, owner: entry.owner() });
            }
        }
        if self.map.entry(slot).is_complete_or_committed() && self.populating_queues {
            self.judge_after_addition(now, slot, node, delete_hint);
        }
    }

    fn judge_after_addition(
        &mut self,
        now: Mono,
        slot: u32,
        node: DatanodeSlot,
        delete_hint: Option<DatanodeSlot>,
    ) {
        let counts = self.count(slot);
        let expected = u32::from(self.map.entry(slot).replication());
        self.update_needed(slot);
        if counts.live > expected {
            self.process_surplus(now, slot, Some(node), delete_hint);
        }
        if counts.corrupt > 0 {
            // Hadoop looks only when there are enough good ones: with as many nodes as good and corrupt replicas, no
            // node is left for the copies that are missing.
            self.invalidate_corrupt_replicas(slot);
        }
    }

    /// Every storage of the pipeline that has not reported yet will: no copies until it times out.
    pub(crate) fn expect_rest_of_pipeline(&mut self, now: Mono, slot: u32) {
        let id = self.map.id(slot);
        let Some(uc) = self.under_construction.get(&id) else { return };
        let missing: Vec<StorageSlot> = uc
            .replicas
            .iter()
            .map(|replica| replica.storage)
            .filter(|storage| self.storage_on(slot, self.storage(*storage).datanode).is_none())
            .collect();
        if !missing.is_empty() {
            self.add_pending(now, id, &missing);
        }
    }

    pub(crate) fn add_pending(&mut self, now: Mono, id: BlockId, targets: &[StorageSlot]) {
        let pending = self
            .pending
            .entry(id)
            .or_insert_with(|| super::Pending { since: now, targets: Default::default() });
        pending.since = now;
        for target in targets {
            if !pending.targets.contains(target) {
                pending.targets.push(*target);
            }
        }
    }

    /// A copy arrived on a node, on whichever volume it chose: it is not pending any more.
    pub(crate) fn settle_pending(&mut self, id: BlockId, node: DatanodeSlot) {
        let storages = &self.storages;
        if let Some(pending) = self.pending.get_mut(&id) {
            let waiting = pending.targets.len();
            pending.targets.retain(|target| storages[target.0 as usize].datanode != node);
            self.copies_arrived += (waiting - pending.targets.len()) as u64;
            if pending.targets.is_empty() {
                self.pending.remove(&id);
            }
        }
    }

    /// Forgets the pending copies of a block, and that they were promised.
    pub(crate) fn drop_pending(&mut self, id: BlockId) {
        if let Some(pending) = self.pending.remove(&id) {
            for target in pending.targets {
                self.unschedule(target);
            }
        }
    }

    pub(crate) fn schedule(&mut self, storage: StorageSlot) {
        let (node, kind) = (self.storage(storage).datanode, self.storage(storage).storage_type());
        self.datanode_mut(node).scheduled.add(kind);
    }

    pub(crate) fn unschedule(&mut self, storage: StorageSlot) {
        let (node, kind) = (self.storage(storage).datanode, self.storage(storage).storage_type());
        self.datanode_mut(node).scheduled.remove(kind);
    }

    /// Marks a block complete. The caller has checked that it may be.
    pub(crate) fn complete(&mut self, slot: u32) {
        let entry = self.map.entry_mut(slot);
        if entry.is_complete() {
            return;
        }
        entry.set_state(BlockState::Complete);
        let id = self.map.id(slot);
        self.under_construction.remove(&id);
        self.complete_blocks += 1;
        self.refresh_safe(slot);
    }

    /// Forgets the replica of a block on a storage; false when it was not there.
    pub(crate) fn remove_stored(&mut self, slot: u32, storage: StorageSlot) -> bool {
        if !self.map.remove_storage(slot, storage) {
            return false;
        }
        let held = self.storage_mut(storage);
        held.blocks.remove(slot);
        let node = held.datanode;
        let id = self.map.id(slot);
        self.excess.remove(&(node, id));
        self.forget_corrupt(id, node, None);
        self.refresh_safe(slot);
        self.update_needed(slot);
        true
    }

    /// Takes a node out of the corrupt ones of a block, if the reason fits.
    pub(crate) fn forget_corrupt(
        &mut self,
        id: BlockId,
        node: DatanodeSlot,
        reason: Option<CorruptReason>,
    ) {
        if let Some(all) = self.corrupt.get_mut(&id) {
            all.retain(|c| c.node != node || reason.is_some_and(|reason| c.reason != reason));
            if all.is_empty() {
                self.corrupt.remove(&id);
            }
        }
    }

    /// Marks a replica corrupt, and deletes it when enough good ones stay.
    pub(crate) fn mark_corrupt(
        &mut self,
        slot: u32,
        storage: StorageSlot,
        reported: Block,
        reason: CorruptReason,
    ) {
        let node = self.storage(storage).datanode;
        // It counts as stored, so that it is known and can be deleted later.
        self.link(slot, storage);
        let id = self.map.id(slot);
        let all = self.corrupt.entry(id).or_default();
        all.retain(|c| c.node != node);
        all.push(CorruptReplica { node, reason, block: reported });
        self.refresh_safe(slot);
        self.invalidate_corrupt_replicas(slot);
        self.update_needed(slot);
    }

    /// Deletes a corrupt replica, unless the good ones are not known well enough: then the decision is postponed.
    pub(crate) fn invalidate_replica(&mut self, slot: u32, storage: StorageSlot, reported: Block) {
        let counts = self.count(slot);
        let id = self.map.id(slot);
        // "Repair never destroys the last verified copy": stricter than Hadoop, which trusts storages that have not
        // reported since the failover when told to delete immediately.
        let verified = counts.live_and_known >= u32::from(self.conf.min_replication.max(1));
        if !verified || (counts.stale > 0 && !self.conf.delete_corrupt_immediately) {
            self.postponed.insert(id);
            return;
        }
        let node = self.storage(storage).datanode;
        self.queue_deletion(node, reported);
        self.remove_stored(slot, storage);
    }

    /// Deletes the corrupt replicas of a block that need not be kept: there are as many good ones as wanted, or more
    /// replicas than wanted in all, or it is of an older version, by its stamp or by its length (an append under the old
    /// stamp went on without it). Hadoop keeps the latter, and a cluster of few nodes then has no room for a good one.
    pub(crate) fn invalidate_corrupt_replicas(&mut self, slot: u32) {
        let entry = self.map.entry(slot);
        let (id, stored) = (self.map.id(slot), self.map.block(slot));
        let expected = u32::from(entry.replication());
        if !self.populating_queues {
            return;
        }
        for corrupt in self.corrupt.get(&id).cloned().unwrap_or_default() {
            let Some(storage) = self.storage_on(slot, corrupt.node) else {
                self.forget_corrupt(id, corrupt.node, None);
                continue;
            };
            let counts = self.count(slot);
            let min = counts.usable() >= u32::from(self.conf.min_replication);
            let enough = counts.usable() >= expected;
            let more_than_wanted = min && counts.live + counts.corrupt > expected;
            let shorter = corrupt.reason == CorruptReason::SizeMismatch
                && corrupt.block.num_bytes < stored.num_bytes;
            let older = corrupt.block.generation_stamp < stored.generation_stamp || shorter;
            if enough || more_than_wanted || (min && older) {
                self.invalidate_replica(slot, storage, corrupt.block);
            }
        }
    }

    /// Tells a node to delete a replica, with some heartbeat to come.
    pub(crate) fn queue_deletion(&mut self, node: DatanodeSlot, block: Block) {
        if self.populating_queues {
            self.datanode_mut(node).invalidate.insert(block.id, block);
        }
    }

    /// Tells a node to delete a replica that no file owns; it need not report that.
    pub(crate) fn queue_unknown_deletion(&mut self, node: DatanodeSlot, block: Block) {
        self.queue_deletion(node, Block { num_bytes: NO_ACK, ..block });
    }

    /// True when a node was chosen to delete exactly this replica.
    pub(crate) fn is_queued_for_deletion(&self, node: DatanodeSlot, block: Block) -> bool {
        self.datanode(node)
            .invalidate
            .get(&block.id)
            .is_some_and(|queued| queued.generation_stamp == block.generation_stamp)
    }

    /// Forgets the stored replicas whose last report carries another stamp than `stamp` (B6).
    pub(crate) fn remove_stale_replicas(&mut self, slot: u32, stamp: GenerationStamp) {
        let id = self.map.id(slot);
        let stale: Vec<StorageSlot> =
            self.under_construction.get(&id).map_or_else(Vec::new, |uc| {
                uc.replicas
                    .iter()
                    .filter(|replica| replica.generation_stamp != stamp)
                    .map(|replica| replica.storage)
                    .collect()
            });
        for storage in stale {
            let node = self.storage(storage).datanode;
            if let Some(held) = self.storage_on(slot, node) {
                self.remove_stored(slot, held);
            }
        }
    }
}
