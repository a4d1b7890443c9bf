//! Block recovery: making the replicas of a block without a writer equal.
//!
//! The NameNode gives a new generation stamp and chooses a node to lead (the *primary*); that node agrees with the others
//! on a length and answers with commitBlockSynchronization. A stamp only grows, so the answer of an older attempt is
//! refused (B3).

use hdfs_types::{Block, BlockId, Error, GenerationStamp, Mono, ReplicaState, Result};

use super::{BlockManager, CommitOutcome, CorruptReason};
use crate::block_map::BlockState;
use crate::command::RecoveringBlock;
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::under_construction::UcReplica;

impl BlockManager {
    /// Starts the recovery of a block: its state becomes UNDER_RECOVERY, and a live node that was not asked yet is told
    /// with its next heartbeat to lead. False when an attempt is under way and has not timed out: then nothing changes.
    ///
    /// `truncate_block` is what the block shall become: the same id with a smaller length (in place), or, for a block
    /// that a snapshot needs, the *old* block to copy from.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockUnderConstructionFeature.initializeBlockRecovery
    /// (3.5.0)
    ///
    /// # Errors
    /// Io when the block is unknown, complete, or the stamp does not grow.
    pub fn initialize_recovery(
        &mut self,
        now: Mono,
        id: BlockId,
        new_stamp: GenerationStamp,
        truncate_block: Option<Block>,
    ) -> Result<bool> {
        let slot = self.slot_of(id)?;
        let block = self.map.block(slot);
        let copies = truncate_block.is_some_and(|truncate| truncate.id != id);
        // Copy on truncate: the new block carries the new stamp already.
        if new_stamp < block.generation_stamp || (new_stamp == block.generation_stamp && !copies) {
            return Err(Error::io(format!("Recovery of {block} needs a stamp above {new_stamp}")));
        }
        let stored = match truncate_block.filter(|_| copies) {
            Some(source) => self.map.find(source.id).map(|slot| self.map.storages(slot)),
            None => Some(self.map.storages(slot)),
        };
        let stored = stored.unwrap_or_default();
        if self.recovery_attempts.get(&id).is_some_and(|until| *until >= now) {
            return Ok(false);
        }
        let Some(uc) = self.under_construction.get_mut(&id) else {
            return Err(Error::io(format!(
                "Block {block} is complete: there is nothing to recover"
            )));
        };
        if uc.recovery_stamp.is_some_and(|before| before >= new_stamp) {
            return Err(Error::io(format!("Recovery of {block} goes back to stamp {new_stamp}")));
        }
        if uc.replicas.is_empty() {
            uc.set_expected(block, &stored);
        } else if copies {
            uc.expect_more(block, &stored);
        }
        uc.recovery_stamp = Some(new_stamp);
        if truncate_block.is_some() {
            uc.truncate_block = truncate_block;
        }
        if let Some(truncate) = uc.truncate_block.as_mut().filter(|truncate| truncate.id == id) {
            truncate.generation_stamp = new_stamp;
        }
        self.map.entry_mut(slot).set_state(BlockState::UnderRecovery);
        // With nobody to lead (in replay, or before any report) the next attempt need not wait.
        if self.choose_primary(id) {
            self.recovery_attempts.insert(id, now.after(self.conf.recovery_timeout));
        }
        Ok(true)
    }

    /// An image says that a block is being copied from another one.
    pub fn set_truncate_block(&mut self, id: BlockId, source: Block) {
        if let Some(uc) = self.under_construction.get_mut(&id) {
            uc.truncate_block = Some(source);
        }
    }

    /// The live node that heartbeat last and was not asked yet leads; when all were asked, all may be asked again.
    /// False: there is none.
    fn choose_primary(&mut self, id: BlockId) -> bool {
        let Some(uc) = self.under_construction.get(&id) else { return false };
        let node_of = |replica: &UcReplica| self.storage(replica.storage).datanode;
        let alive = |replica: &&UcReplica| self.datanode(node_of(replica)).alive;
        let start_over = uc.replicas.iter().filter(alive).all(|replica| replica.tried_as_primary);
        let primary = uc
            .replicas
            .iter()
            .filter(alive)
            .filter(|replica| start_over || !replica.tried_as_primary)
            .max_by_key(|replica| self.datanode(node_of(replica)).last_update)
            .map(|replica| (replica.storage, node_of(replica)));
        let uc = self.under_construction.get_mut(&id).expect("it was found above");
        if start_over {
            for replica in &mut uc.replicas {
                replica.tried_as_primary = false;
            }
        }
        let Some((storage, node)) = primary else { return false };
        for replica in uc.replicas.iter_mut().filter(|replica| replica.storage == storage) {
            replica.tried_as_primary = true;
        }
        let queue = &mut self.datanode_mut(node).recoveries;
        if !queue.contains(&id) {
            queue.push_back(id);
        }
        true
    }

    /// True when no attempt to recover the block is under way, or the last one has timed out: a stamp given now is used.
    pub fn recovery_is_due(&self, now: Mono, id: BlockId) -> bool {
        self.recovery_attempts.get(&id).is_none_or(|until| *until < now)
    }

    /// The stamp of the recovery under way.
    pub fn recovery_stamp(&self, id: BlockId) -> Option<GenerationStamp> {
        self.under_construction.get(&id).and_then(|uc| uc.recovery_stamp)
    }

    /// What truncation wants the block to be, or to be copied from.
    pub fn truncate_block(&self, id: BlockId) -> Option<Block> {
        self.under_construction.get(&id).and_then(|uc| uc.truncate_block)
    }

    /// The length to which the block is being cut, when its recovery is a truncation.
    pub fn truncate_length(&self, id: BlockId) -> Option<u64> {
        let truncate = self.truncate_block(id)?;
        if truncate.id == id {
            return Some(truncate.num_bytes);
        }
        self.block(id).map(|info| info.block.num_bytes)
    }

    /// Everything that waits for a node to lead.
    pub(crate) fn take_recoveries(
        &mut self,
        now: Mono,
        node: DatanodeSlot,
    ) -> Vec<RecoveringBlock> {
        let ids = std::mem::take(&mut self.datanode_mut(node).recoveries);
        ids.into_iter().filter_map(|id| self.recovering_block(now, id)).collect()
    }

    fn recovering_block(&self, now: Mono, id: BlockId) -> Option<RecoveringBlock> {
        let slot = self.map.find(id)?;
        let uc = self.under_construction.get(&id)?;
        let new_stamp = uc.recovery_stamp?;
        let alive = |storage: &StorageSlot| self.datanode_of(*storage).alive;
        let fresh = |storage: &StorageSlot| {
            !self.datanode_of(*storage).is_stale(now, self.conf.stale_interval)
        };
        let source = uc.truncate_block.filter(|old| old.id != id);
        let of_source = source.and_then(|old| self.map.find(old.id));
        let all: Vec<StorageSlot> = match of_source {
            Some(slot) => self.map.storages(slot).into_iter().filter(alive).collect(),
            None => uc.replicas.iter().map(|replica| replica.storage).filter(alive).collect(),
        };
        let some: Vec<StorageSlot> = all.iter().copied().filter(fresh).collect();
        let locations = if some.len() > 1 { some } else { all };
        let block = self.map.block(slot);
        Some(match uc.truncate_block {
            Some(old) if old.id != id => RecoveringBlock {
                block: old,
                locations,
                new_generation_stamp: new_stamp,
                truncate_block: Some(Block { generation_stamp: new_stamp, ..block }),
            },
            truncate_block => RecoveringBlock {
                block,
                locations,
                new_generation_stamp: new_stamp,
                truncate_block,
            },
        })
    }

    /// The block's part of commitBlockSynchronization, unless it deletes the block: stamp, length and where it is. With
    /// `close`, the block is committed and completed as well.
    ///
    /// `id` is the file's last block (for copy on truncate: the new one).
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.commitBlockSynchronization (3.5.0)
    ///
    /// # Errors
    /// Io when the block is unknown or complete, or the stamp is not that of the recovery under way.
    pub fn finish_recovery(
        &mut self,
        now: Mono,
        id: BlockId,
        new_stamp: GenerationStamp,
        new_length: u64,
        targets: &[StorageSlot],
        close: bool,
    ) -> Result<CommitOutcome> {
        let slot = self.slot_of(id)?;
        let old = self.map.block(slot);
        let current = self.recovery_stamp(id).unwrap_or(GenerationStamp(0));
        if current != new_stamp {
            return Err(Error::io(format!(
                "The recovery id {new_stamp} does not match current recovery id {current} for block {old}"
            )));
        }
        let new = Block { id, num_bytes: new_length, generation_stamp: new_stamp };
        self.update_block(new)?;
        if close {
            self.mark_others_corrupt(slot, old, new, targets);
        }
        let entry = self.map.entry_mut(slot);
        entry.set_state(BlockState::UnderConstruction);
        if let Some(uc) = self.under_construction.get_mut(&id) {
            if !targets.is_empty() {
                uc.set_expected(new, targets);
            }
            uc.recovery_stamp = None;
            uc.truncate_block = None;
        }
        let mut outcome = CommitOutcome::default();
        if close {
            for target in targets {
                self.add_recovered(slot, *target, new);
            }
            outcome = self.commit_or_complete(now, new)?;
            self.check_redundancy(now, id);
        }
        self.recovery_attempts.remove(&id);
        Ok(outcome)
    }

    /// The recovering nodes have made this replica final with the new stamp and length.
    fn add_recovered(&mut self, slot: u32, storage: StorageSlot, new: Block) {
        self.link_recovered(slot, storage);
        let id = new.id;
        let node = self.storage(storage).datanode;
        self.forget_corrupt(id, node, None);
        self.datanode_mut(node).invalidate.remove(&id);
        if let Some(uc) = self.under_construction.get_mut(&id) {
            for replica in uc.replicas.iter_mut().filter(|replica| replica.storage == storage) {
                replica.state = ReplicaState::Finalized;
                replica.num_bytes = new.num_bytes;
                replica.generation_stamp = new.generation_stamp;
            }
        }
    }

    /// Replicas that took no part in the recovery are of an older version.
    fn mark_others_corrupt(&mut self, slot: u32, old: Block, new: Block, targets: &[StorageSlot]) {
        let reason = if old.generation_stamp != new.generation_stamp {
            CorruptReason::GenstampMismatch
        } else if old.num_bytes != new.num_bytes {
            CorruptReason::SizeMismatch
        } else {
            return;
        };
        for storage in self.map.storages(slot) {
            if !targets.contains(&storage) {
                self.mark_corrupt(slot, storage, old, reason);
            }
        }
    }
}
