//! The life of a block: added, written, committed, complete, opened again, forgotten.

use hdfs_types::{Block, BlockId, Error, ErrorKind, INodeId, Mono, ReplicaState, Result};

use super::{BlockManager, CommitOutcome, CorruptReason};
use crate::block_map::{BlockState, FIELD_LIMIT};
use crate::command::NO_ACK;
use crate::datanode::StorageSlot;
use crate::registration::StorageState;
use crate::under_construction::UnderConstruction;

pub(super) fn check_fields(block: Block, owner: INodeId, replication: u16) -> Result<()> {
    let fits = block.id.0 != 0
        && block.num_bytes < FIELD_LIMIT
        && block.generation_stamp.0 < FIELD_LIMIT
        && owner.0 < FIELD_LIMIT
        && replication <= hdfs_types::constants::MAX_REPLICATION;
    if fits {
        Ok(())
    } else {
        Err(Error::io(format!("Block {block:?} of inode {owner} has a field out of range")))
    }
}

impl BlockManager {
    /// Adds a block from the image or from an edit. Complete blocks count for safe mode at once.
    ///
    /// # Errors
    /// Io when a field is out of range or the id is in use.
    pub fn add_block(
        &mut self,
        block: Block,
        owner: INodeId,
        replication: u16,
        state: BlockState,
    ) -> Result<()> {
        check_fields(block, owner, replication)?;
        if self.map.find(block.id).is_some() {
            return Err(Error::io(format!("Block {block} is in the block map already")));
        }
        self.map.insert(block, owner, replication, state);
        if state == BlockState::Complete {
            self.complete_blocks += 1;
        } else {
            self.under_construction.insert(block.id, UnderConstruction::new(block, &[]));
        }
        self.release_held(Mono::default(), block.id);
        Ok(())
    }

    /// Adds a block that a client is about to write to these storages. They count as promised until they report.
    ///
    /// # Errors
    /// As [`Self::add_block`].
    pub fn add_under_construction(
        &mut self,
        block: Block,
        owner: INodeId,
        replication: u16,
        targets: &[StorageSlot],
    ) -> Result<()> {
        self.add_block(block, owner, replication, BlockState::UnderConstruction)?;
        self.under_construction.insert(block.id, UnderConstruction::new(block, targets));
        for target in targets {
            self.schedule(*target);
        }
        Ok(())
    }

    /// Sets where a block under construction is being written: for a block that an edit has added.
    ///
    /// # Errors
    /// Io when the block is unknown or complete.
    pub fn set_expected_locations(&mut self, id: BlockId, targets: &[StorageSlot]) -> Result<()> {
        if self.set_group_expected(id, targets) {
            return Ok(());
        }
        let block = self.map.block(self.slot_of(id)?);
        let Some(uc) = self.under_construction.get_mut(&id) else {
            return Err(Error::io(format!("Block {block} is not under construction")));
        };
        uc.set_expected(block, targets);
        for target in targets {
            self.schedule(*target);
        }
        Ok(())
    }

    /// Where a block under construction is being written; for a complete block, where it is.
    pub fn expected_locations(&self, id: BlockId) -> Vec<StorageSlot> {
        if let Some(uc) = self.under_construction.get(&id) {
            return uc.replicas.iter().map(|replica| replica.storage).collect();
        }
        if let Some(expected) = self.group_expected(id) {
            return expected;
        }
        self.map.find(id).map_or_else(Vec::new, |slot| self.map.storages(slot).to_vec())
    }

    /// True when enough good replicas were reported for the block to be complete.
    pub fn has_min_storage(&self, id: BlockId) -> bool {
        self.group_has_min_storage(id).unwrap_or_else(|| {
            let slot = self.map.find(id);
            slot.is_some_and(|slot| {
                self.count(slot).usable() >= u32::from(self.conf.min_replication)
            })
        })
    }

    /// The client says the final length and stamp of a file's last block. Completes it when enough replicas were
    /// reported; otherwise it stays committed and [`crate::BlockEvent::Completed`] follows.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.commitOrCompleteLastBlock (3.5.0)
    ///
    /// # Errors
    /// Io when the block is under recovery, or the client's stamp or length does not fit.
    pub fn commit_or_complete(&mut self, now: Mono, commit: Block) -> Result<CommitOutcome> {
        if self.is_striped(commit.id) {
            return self.commit_or_complete_group(commit);
        }
        let slot = self.slot_of(commit.id)?;
        let state = self.map.entry(slot).state();
        if state == BlockState::Complete {
            return Ok(CommitOutcome { committed: false, complete: true });
        }
        if state == BlockState::UnderRecovery {
            return Err(Error::io(format!(
                "Commit or complete block {commit}, whereas it is under recovery."
            )));
        }
        let committed = state != BlockState::Committed;
        if committed {
            self.commit(slot, commit)?;
        }
        if self.count(slot).usable() >= u32::from(self.conf.min_replication) {
            if committed {
                self.expect_rest_of_pipeline(now, slot);
            }
            self.complete(slot);
        } else if self.recovery_attempts.contains_key(&commit.id) {
            // Recovery is closing the file: what it found is what there is.
            self.complete(slot);
            self.update_needed(slot);
        }
        let complete = self.map.entry(slot).is_complete();
        Ok(CommitOutcome { committed, complete })
    }

    fn commit(&mut self, slot: u32, commit: Block) -> Result<()> {
        check_commit(self.map.block(slot), commit)?;
        check_fields(commit, self.map.entry(slot).owner(), 0)?;
        let entry = self.map.entry_mut(slot);
        entry.set_num_bytes(commit.num_bytes);
        entry.set_state(BlockState::Committed);
        self.remove_stale_replicas(slot, commit.generation_stamp);
        self.mark_wrong_lengths(slot, commit.num_bytes);
        Ok(())
    }

    /// Finalized replicas that were reported with another length than the one committed are not replicas of this block.
    /// (Hadoop notices at the next full report.)
    fn mark_wrong_lengths(&mut self, slot: u32, length: u64) {
        let id = self.map.id(slot);
        let wrong: Vec<_> = self.under_construction.get(&id).map_or_else(Vec::new, |uc| {
            uc.replicas
                .iter()
                .filter(|r| r.state == ReplicaState::Finalized && r.num_bytes != length)
                .copied()
                .collect()
        });
        for replica in wrong {
            if self.map.storages(slot).contains(&replica.storage) {
                let reported = Block {
                    id,
                    num_bytes: replica.num_bytes,
                    generation_stamp: replica.generation_stamp,
                };
                self.mark_corrupt(slot, replica.storage, reported, CorruptReason::SizeMismatch);
            }
        }
    }

    /// Completes a block whatever was reported: an edit says so, or a file is closed without a writer.
    ///
    /// # Errors
    /// Io when the block is unknown.
    pub fn force_complete(&mut self, id: BlockId) -> Result<()> {
        if self.is_striped(id) {
            self.complete_group(id);
            return Ok(());
        }
        let slot = self.slot_of(id)?;
        if !self.map.entry(slot).is_complete() {
            let stamp = self.map.entry(slot).generation_stamp();
            self.remove_stale_replicas(slot, stamp);
            self.complete(slot);
            self.update_needed(slot);
        }
        self.release_held(Mono::default(), id);
        Ok(())
    }

    /// A new length or stamp from an edit in replay (OP_ADD_BLOCK, OP_UPDATE_BLOCKS, OP_CLOSE).
    ///
    /// # Errors
    /// Io when the block is unknown, a field is out of range, or the stamp would go back.
    pub fn update_block(&mut self, block: Block) -> Result<()> {
        if self.is_striped(block.id) {
            return self.update_group(block);
        }
        let slot = self.slot_of(block.id)?;
        check_fields(block, self.map.entry(slot).owner(), 0)?;
        let stored = self.map.block(slot);
        if block.generation_stamp < stored.generation_stamp {
            return Err(Error::io(format!(
                "Mismatched block IDs or generation stamps, attempting to replace block {stored} with {block}"
            )));
        }
        self.map.entry_mut(slot).set_num_bytes(block.num_bytes);
        if block.generation_stamp > stored.generation_stamp {
            self.map.entry_mut(slot).set_generation_stamp(block.generation_stamp);
            self.remove_stale_replicas(slot, block.generation_stamp);
        }
        self.release_held(Mono::default(), block.id);
        Ok(())
    }

    /// Opens a complete last block again, for append or truncation, where its replicas are. Returns these storages.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.convertLastBlockToUnderConstruction (3.5.0)
    ///
    /// # Errors
    /// Io when the block is unknown.
    pub fn convert_to_under_construction(&mut self, id: BlockId) -> Result<Vec<StorageSlot>> {
        if self.is_striped(id) {
            return Ok(self.reopen_group(id));
        }
        let slot = self.slot_of(id)?;
        let storages = self.map.storages(slot).to_vec();
        if !self.map.entry(slot).is_complete() {
            return Ok(self.expected_locations(id));
        }
        let block = self.map.block(slot);
        // Being written again, as Hadoop takes them: what was reported before says nothing of the length to come, and a
        // client may append under the old stamp (those of Go and Python do).
        self.under_construction.insert(id, UnderConstruction::new(block, &storages));
        self.map.entry_mut(slot).set_state(BlockState::UnderConstruction);
        self.complete_blocks -= 1;
        self.refresh_safe(slot);
        self.needed.remove(id);
        self.drop_pending(id);
        for storage in &storages {
            let node = self.storage(*storage).datanode;
            self.datanode_mut(node).invalidate.remove(&id);
            self.excess.remove(&(node, id));
        }
        Ok(storages)
    }

    /// A client replaces its pipeline: new stamp, a length that is not shorter, new storages.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.updatePipelineInternal (3.5.0)
    ///
    /// # Errors
    /// Io when the block is not under construction, or stamp or length goes back.
    pub fn update_pipeline(&mut self, new_block: Block, targets: &[StorageSlot]) -> Result<()> {
        if self.is_striped(new_block.id) {
            self.update_group(new_block)?;
            self.set_group_expected(new_block.id, targets);
            return Ok(());
        }
        let slot = self.slot_of(new_block.id)?;
        let stored = self.map.block(slot);
        if self.map.entry(slot).state() != BlockState::UnderConstruction {
            return Err(Error::io(format!(
                "Block {stored} is {} but not UNDER_CONSTRUCTION",
                self.map.entry(slot).state().name()
            )));
        }
        if new_block.generation_stamp <= stored.generation_stamp {
            return Err(Error::io(format!(
                "Update {stored} but the new block {new_block} does not have a larger generation stamp than the last \
                 block {stored}"
            )));
        }
        if new_block.num_bytes < stored.num_bytes {
            return Err(Error::io(format!(
                "Update {stored} (size={}) to a smaller size block {new_block} (size={})",
                stored.num_bytes, new_block.num_bytes
            )));
        }
        check_fields(new_block, self.map.entry(slot).owner(), 0)?;
        let entry = self.map.entry_mut(slot);
        entry.set_num_bytes(new_block.num_bytes);
        entry.set_generation_stamp(new_block.generation_stamp);
        self.remove_stale_replicas(slot, new_block.generation_stamp);
        let uc = self.under_construction.entry(new_block.id).or_default();
        // A node of the new pipeline may have reported its finalized replica already: keep what it said.
        let reported: Vec<_> = uc
            .replicas
            .iter()
            .filter(|replica| replica.generation_stamp == new_block.generation_stamp)
            .copied()
            .collect();
        uc.set_expected(new_block, targets);
        for replica in reported {
            match uc.replicas.iter_mut().find(|known| known.storage == replica.storage) {
                Some(known) => *known = replica,
                None => uc.replicas.push(replica),
            }
        }
        Ok(())
    }

    /// Forgets a block; its replicas will be deleted. Unknown blocks are forgotten already.
    pub fn remove_block(&mut self, id: BlockId) {
        if self.is_striped(id) {
            self.remove_group(id);
            return;
        }
        let Some(slot) = self.map.find(id) else { return };
        let block = self.map.block(slot);
        let expected = self.under_construction.remove(&id);
        for storage in self.map.storages(slot) {
            let node = self.storage(storage).datanode;
            if self.storage(storage).state() == StorageState::Normal {
                self.queue_deletion(node, Block { num_bytes: NO_ACK, ..block });
            }
            self.map.remove_storage(slot, storage);
            self.storage_mut(storage).blocks.remove(slot);
            self.excess.remove(&(node, id));
        }
        for replica in expected.iter().flat_map(|uc| &uc.replicas) {
            if replica.state != ReplicaState::Finalized {
                self.unschedule(replica.storage);
            }
        }
        if self.map.entry(slot).is_complete() {
            self.complete_blocks -= 1;
            self.safe_blocks -= u64::from(self.map.entry(slot).is_safe());
        }
        self.corrupt.remove(&id);
        self.needed.remove(id);
        self.drop_pending(id);
        self.postponed.remove(&id);
        self.recovery_attempts.remove(&id);
        self.held.remove(&id);
        self.map.remove(slot);
    }

    /// New replication of a block.
    ///
    /// # Errors
    /// Io when the block is unknown; HadoopIllegalArgument beyond 4,095.
    pub fn set_replication(&mut self, now: Mono, id: BlockId, replication: u16) -> Result<()> {
        if replication > hdfs_types::constants::MAX_REPLICATION {
            let text = format!("Replication {replication} exceeds what an inode holds");
            return Err(Error::new(ErrorKind::HadoopIllegalArgument, text));
        }
        if self.is_striped(id) {
            return Ok(());
        }
        let slot = self.slot_of(id)?;
        if self.map.entry(slot).replication() == replication {
            return Ok(());
        }
        self.map.entry_mut(slot).set_replication(replication);
        self.check_redundancy(now, id);
        Ok(())
    }

    /// Another file owns the block now (concat).
    ///
    /// # Errors
    /// Io when the block is unknown or the owner's id out of range.
    pub fn set_owner(&mut self, id: BlockId, owner: INodeId) -> Result<()> {
        if self.is_striped(id) {
            return self.set_group_owner(id, owner);
        }
        let slot = self.slot_of(id)?;
        check_fields(self.map.block(slot), owner, 0)?;
        self.map.entry_mut(slot).set_owner(owner);
        Ok(())
    }

    /// Looks at a block of a file that was just closed: too few or too many replicas?
    pub fn check_redundancy(&mut self, now: Mono, id: BlockId) {
        let Some(slot) = self.map.find(id) else { return };
        self.update_needed(slot);
        let expected = u32::from(self.map.entry(slot).replication());
        if self.populating_queues
            && self.map.entry(slot).is_complete()
            && self.count(slot).live > expected
        {
            self.process_surplus(now, slot, None, None);
        }
    }
}

/// What a client commits fits the stored block or group.
pub(super) fn check_commit(stored: Block, commit: Block) -> Result<()> {
    if stored.generation_stamp != commit.generation_stamp {
        return Err(Error::io(format!(
            "Commit block with mismatching GS. NN has {stored}, client submits {commit}"
        )));
    }
    if stored.num_bytes > commit.num_bytes {
        return Err(Error::io(format!(
            "commitBlock length is less than the stored one {} vs. {}",
            commit.num_bytes, stored.num_bytes
        )));
    }
    Ok(())
}
