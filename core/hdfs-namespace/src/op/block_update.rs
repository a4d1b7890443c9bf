//! Changes of a file's blocks while it is written: lengths made durable, pipelines replaced, blocks given up.
//!
//! Hadoop: FSDirWriteFileOp.abandonBlock, FSNamesystem.{fsync, updatePipeline, commitBlockSynchronization},
//! FSEditLogLoader.updateBlocks (3.5.0)

use hdfs_format::edits::{EditOp, RetryKey, UpdateBlocksOp};
use hdfs_types::{Block, Error, ErrorKind, INodeId, Result};
use smallvec::SmallVec;

use super::add_block::matching;
use super::limits::check_block;
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::text;
use crate::store::record::Slot;

impl Namespace {
    /// Gives up the last block of a file. Nothing happens when `block` is not the last one. The result is the block that
    /// goes away.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired.
    pub fn plan_abandon_block(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        file_id: INodeId,
        holder: &str,
        block: Block,
    ) -> Result<Planned<Option<Block>>> {
        let resolved = self.resolve_file(ctx, path, file_id)?;
        let slot = self.check_lease(&resolved, Some(holder), file_id)?;
        let mut blocks = self.blocks_of(slot).to_vec();
        // As Hadoop's removeLastBlock: the id alone must match.
        if blocks.last().is_none_or(|last| last.id != block.id) || self.file_header(slot).striped {
            return Ok(Planned::nothing(ctx, None));
        }
        let removed = blocks.pop();
        Ok(update(ctx, resolved.path(), blocks, RetryKey::NONE).map(|()| removed))
    }

    /// Makes the length of the last block durable, as far as the client says that it was written.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired.
    pub fn plan_fsync(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        file_id: INodeId,
        holder: &str,
        last_block_length: i64,
    ) -> Result<Planned<()>> {
        let resolved = self.resolve_file(ctx, path, file_id)?;
        let slot = self.check_lease(&resolved, Some(holder), file_id)?;
        let mut blocks = self.blocks_of(slot).to_vec();
        if let Some(last) = blocks.last_mut()
            && let Ok(length) = u64::try_from(last_block_length)
            && length > 0
        {
            last.num_bytes = length;
            check_block(last).map_err(Error::io)?;
        }
        Ok(update(ctx, resolved.path(), blocks, RetryKey::NONE))
    }

    /// Replaces the last block of an open file by one with a newer stamp (updatePipeline). The caller has checked block,
    /// client and stamp against the block manager.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired when `client_name` does not write the file, Io when it is not the last block.
    pub fn plan_update_pipeline(
        &self,
        ctx: &PlanContext<'_>,
        inode: INodeId,
        client_name: &str,
        new_block: Block,
    ) -> Result<Planned<()>> {
        let slot = self.open_file_by_id(inode)?;
        let owner = self.under_construction(slot).map(|open| open.client_name.clone());
        if owner.as_deref() != Some(client_name) {
            return Err(Error::new(
                ErrorKind::LeaseExpired,
                format!(
                    "Lease mismatch: {new_block} is accessed by a non lease holder {client_name}"
                ),
            ));
        }
        self.plan_replace_last(ctx, slot, Some(new_block), ctx.retry_key())
    }

    /// Stores what a block recovery found: new stamp and length of the last block (None: it is removed), while the file
    /// stays open. To close it as well, plan [`Self::plan_close_file`] with the block.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired when it is closed, Io when it is not the last block.
    pub fn plan_set_last_block(
        &self,
        ctx: &PlanContext<'_>,
        inode: INodeId,
        block: Option<Block>,
    ) -> Result<Planned<()>> {
        let slot = self.open_file_by_id(inode)?;
        self.plan_replace_last(ctx, slot, block, RetryKey::NONE)
    }

    fn plan_replace_last(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        block: Option<Block>,
        retry: RetryKey,
    ) -> Result<Planned<()>> {
        let mut blocks = self.blocks_of(slot).to_vec();
        let last = blocks.pop();
        if let Some(block) = block {
            if last.is_none_or(|last| last.id != block.id) {
                return Err(Error::io(format!(
                    "Trying to update block {block} of {} but the last block is {last:?}",
                    text(&self.path_of(slot))
                )));
            }
            check_block(&block).map_err(Error::io)?;
            blocks.push(block);
        }
        Ok(update(ctx, self.path_of(slot), blocks, retry))
    }

    pub(crate) fn apply_update_blocks(&mut self, op: &UpdateBlocksOp) -> Result<Effects, String> {
        let slot = self.replay_file(&op.path)?;
        self.replace_blocks(slot, &op.blocks, false)
    }

    /// FSEditLogLoader.updateBlocks: lengths, a newer stamp of the last block, one block less, or new ones. `close`: every
    /// block is complete then.
    pub(crate) fn replace_blocks(
        &mut self,
        slot: Slot,
        new: &[Block],
        close: bool,
    ) -> Result<Effects, String> {
        let old: SmallVec<[Block; 2]> = self.blocks_of(slot).as_slice().into();
        if close && *old == *new {
            return self.complete_blocks(slot, &old);
        }
        let open = self.under_construction(slot).is_some();
        self.check_replacement(slot, &old, new, open)?;
        let policy = self.storage_policy(slot);
        let before = self.file_usage_by(slot, policy);
        let mut effects = Effects::default();
        for (index, (old_block, new_block)) in old.iter().zip(new).enumerate() {
            if old_block != new_block {
                self.follow_block(slot, *new_block);
                effects.push(BlockChange::Updated { block: *new_block });
                self.saw_generation_stamp(new_block.generation_stamp);
            }
            // Blocks before the last were completed when the next one was added.
            if index + 1 == old.len() && (index + 1 < new.len() || close) {
                effects.push(BlockChange::Completed { id: new_block.id });
            }
        }
        let owner = self.record(slot).id();
        let replication = self.block_replication(slot);
        for block in new.iter().skip(old.len()) {
            self.saw_generation_stamp(block.generation_stamp);
            let (block, complete) = (*block, close);
            effects.push(BlockChange::Added { block, owner, replication, complete });
        }
        for block in old.iter().skip(new.len()).filter(|block| !self.keeps_block(slot, block.id)) {
            effects.push(BlockChange::Removed { block: *block });
        }
        self.set_blocks(slot, new.into());
        if new.len() < old.len() || close {
            self.set_last_block_open(slot, false);
            self.end_copy(slot, &mut effects);
        } else if new.len() > old.len() {
            self.set_last_block_open(slot, true);
        }
        let delta = self.file_usage_by(slot, policy).minus(&before);
        self.add_usage(self.record(slot).parent, &delta);
        Ok(effects)
    }

    /// The same for a file that is closed with the blocks that it has: what nearly every close in a log is.
    fn complete_blocks(&mut self, slot: Slot, blocks: &[Block]) -> Result<Effects, String> {
        let mut effects = Effects::default();
        blocks.iter().try_for_each(check_block)?;
        if let Some(last) = blocks.last() {
            effects.push(BlockChange::Completed { id: last.id });
        }
        // Nothing else of what the file counts depends on its being open.
        if self.under_construction(slot).is_some_and(|open| open.last_block_open) {
            let policy = self.storage_policy(slot);
            let before = self.file_usage_by(slot, policy);
            self.set_last_block_open(slot, false);
            let delta = self.file_usage_by(slot, policy).minus(&before);
            self.end_copy(slot, &mut effects);
            self.add_usage(self.record(slot).parent, &delta);
        } else {
            self.end_copy(slot, &mut effects);
        }
        Ok(effects)
    }

    pub(crate) fn check_replacement(
        &self,
        slot: Slot,
        old: &[Block],
        new: &[Block],
        open: bool,
    ) -> Result<(), String> {
        new.iter().try_for_each(check_block)?;
        let path = || text(&self.path_of(slot));
        for (index, (old_block, new_block)) in old.iter().zip(new).enumerate() {
            let stamp_may_change = old.len() == new.len() && index + 1 == new.len();
            let same = matching(Some(*old_block), Some(*new_block));
            let restamped = stamp_may_change && old_block.id == new_block.id;
            if !(same || restamped) {
                return Err(format!(
                    "Mismatched block IDs or generation stamps, attempting to replace block {old_block} with {new_block} \
                     as block # {index}/{} of {}",
                    new.len(),
                    path()
                ));
            }
        }
        if new.len() < old.len() {
            if !open {
                return Err(format!(
                    "Trying to remove a block from file {} which is not under construction.",
                    path()
                ));
            }
            if new.len() + 1 != old.len() {
                return Err(format!("Trying to remove more than one block from file {}", path()));
            }
        }
        Ok(())
    }
}

fn update(
    ctx: &PlanContext<'_>,
    path: Vec<u8>,
    blocks: Vec<Block>,
    retry: RetryKey,
) -> Planned<()> {
    Planned::one(ctx, EditOp::UpdateBlocks(UpdateBlocksOp { path, blocks, retry }), ())
}
