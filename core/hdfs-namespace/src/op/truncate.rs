//! Cutting files.
//!
//! A cut at a block's end is done at once. Otherwise a block recovery cuts the last block: the file is under construction
//! until the DataNodes have done it. A block that a snapshot shows, or that a rollback may need, stays as it is: a new block
//! takes its place, into which the recovery copies what is left (copy on truncate).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirTruncateOp (3.5.0)

use hdfs_format::edits::{AllocateBlockIdOp, EditOp, SetGenstampV2Op, TruncateOp};
use hdfs_types::{Block, BlockId, Error, ErrorKind, FsAction, GenerationStamp, INodeId, Result};

use super::limits::{check_block, check_time};
use super::policy::LAZY_PERSIST;
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{Attempt, BlockStage, LeasePurpose, PlanContext, Planned};
use crate::quota::QuotaCounts;
use crate::resolve::{Purpose, text};
use crate::store::record::Slot;

/// A truncate call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TruncateRequest<'a> {
    /// The file.
    pub path: &'a [u8],
    /// Its new length, in bytes.
    pub new_length: i64,
    /// Holder of the lease during recovery.
    pub client_name: &'a str,
    /// Its host.
    pub client_machine: &'a str,
    /// An upgrade is not finalized: blocks stay as they are for a rollback.
    pub upgrading: bool,
}

/// What a truncation comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncated {
    /// The file.
    pub inode: INodeId,
    /// True: the file has its new length. False: a recovery must cut the last block.
    pub done: bool,
}

impl Namespace {
    /// Cuts a file.
    ///
    /// # Errors
    /// HadoopIllegalArgument when it would grow, FileNotFound, AccessControl, AlreadyBeingCreated, quotas.
    pub fn plan_truncate(
        &self,
        ctx: &PlanContext<'_>,
        request: &TruncateRequest<'_>,
    ) -> Result<Attempt<Truncated>> {
        let Ok(new_length) = u64::try_from(request.new_length) else {
            return Err(refused(format!(
                "Cannot truncate to a negative file size: {}.",
                request.new_length
            )));
        };
        let resolved = self.resolve(ctx, request.path, Purpose::Write)?;
        let path = resolved.text();
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let slot = self.as_file(resolved.last(), || path.clone())?;
        self.check_can_truncate(slot, &path)?;
        let inode = self.record(slot).id();
        let (client, machine) = (request.client_name, request.client_machine);
        if let Some(repeated) =
            self.check_repeated_truncate(ctx, slot, &path, request, new_length)?
        {
            let truncated = Truncated { inode, done: repeated };
            return Ok(Attempt::Planned(Planned::nothing(ctx, truncated)));
        }
        if let Some(release) =
            self.check_takeover(ctx, slot, LeasePurpose::Truncate, &path, client, machine)?
        {
            return Ok(Attempt::Release(release));
        }
        let length = self.file_length(slot);
        if length == new_length {
            return Ok(Attempt::Planned(Planned::nothing(ctx, Truncated { inode, done: true })));
        }
        if length < new_length {
            return Err(refused(format!(
                "Cannot truncate to a larger file size. Current size: {length}, truncate size: {new_length}."
            )));
        }
        self.plan_cut(ctx, slot, resolved.path(), request, new_length).map(Attempt::Planned)
    }

    fn check_can_truncate(&self, slot: Slot, path: &str) -> Result<()> {
        let unsupported = |what: &str| {
            let message = format!("Cannot truncate {what} {path}");
            Err(Error::new(ErrorKind::UnsupportedOperation, message))
        };
        if self.file_header(slot).striped {
            return unsupported("file with striped block");
        }
        if self.storage_policy(slot) == LAZY_PERSIST {
            return unsupported("lazy persist file");
        }
        Ok(())
    }

    /// The last block is being cut already: to the same length, or not.
    fn check_repeated_truncate(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        path: &str,
        request: &TruncateRequest<'_>,
        new_length: u64,
    ) -> Result<Option<bool>> {
        let Some(last) = self.blocks_of(slot).last() else { return Ok(None) };
        if ctx.blocks.stage(last.id) != BlockStage::UnderRecovery {
            return Ok(None);
        }
        let Some(cut) = ctx.blocks.truncate_length(last.id) else { return Ok(None) };
        if new_length == self.file_length(slot) - last.num_bytes + cut {
            return Ok(Some(false));
        }
        Err(Error::new(
            ErrorKind::AlreadyBeingCreated,
            format!(
                "Failed to {} {path} for {} on {} because {path} is being truncated.",
                LeasePurpose::Truncate.name(),
                request.client_name,
                request.client_machine
            ),
        ))
    }

    fn plan_cut(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        path: Vec<u8>,
        request: &TruncateRequest<'_>,
        new_length: u64,
    ) -> Result<Planned<Truncated>> {
        let (kept, rest) = self.kept_blocks(slot, new_length);
        let done = rest == new_length;
        self.verify_quota(
            self.record(slot).parent,
            &self.truncate_delta(slot, kept, (!done).then_some(rest - new_length)),
            None,
        )?;
        let inode = self.record(slot).id();
        let mut planned = Planned::nothing(ctx, Truncated { inode, done });
        let last =
            self.blocks_of(slot).as_slice().get(..kept).and_then(|kept| kept.last().copied());
        let truncate_block = match last.filter(|_| !done) {
            None => None,
            Some(last) => {
                let mut cut = Block { generation_stamp: self.next_generation_stamp(0)?, ..last };
                let copies = request.upgrading
                    || self.is_rolling_upgrade()
                    || self.is_in_latest_snapshot(slot, last.id);
                if copies {
                    let block_id = self.next_block_id();
                    cut = Block { id: block_id, num_bytes: 0, ..cut };
                    planned.ops.push(EditOp::AllocateBlockId(AllocateBlockIdOp { block_id }));
                }
                planned.ops.push(EditOp::SetGenstampV2(SetGenstampV2Op {
                    generation_stamp: cut.generation_stamp,
                }));
                Some(cut)
            }
        };
        planned.ops.push(EditOp::Truncate(TruncateOp {
            src: path,
            client_name: request.client_name.to_owned(),
            client_machine: request.client_machine.to_owned(),
            new_length,
            timestamp: ctx.now,
            truncate_block,
        }));
        Ok(planned)
    }

    /// How many blocks hold the first `new_length` bytes, and how many bytes those blocks have.
    fn kept_blocks(&self, slot: Slot, new_length: u64) -> (usize, u64) {
        let mut bytes = 0;
        let mut kept = 0;
        for block in self.blocks_of(slot).iter() {
            if bytes >= new_length {
                break;
            }
            bytes += block.num_bytes;
            kept += 1;
        }
        (kept, bytes)
    }

    /// What the file counts more when it keeps this many blocks, the last of which loses `cut` bytes.
    ///
    /// Hadoop: INodeFile.computeQuotaDeltaForTruncate
    fn truncate_delta(&self, slot: Slot, kept: usize, cut: Option<u64>) -> QuotaCounts {
        let size = self.file_header(slot).preferred_block_size.cast_signed();
        let blocks = self.blocks_of(slot);
        let shown = self.blocks_of_last_diff(slot);
        let is_shown = |index: usize, block: &Block| {
            shown.as_ref().and_then(|shown| shown.get(index)).is_some_and(|of| of.id == block.id)
        };
        let mut bytes = 0;
        for (index, block) in blocks.iter().enumerate().skip(kept - usize::from(cut.is_some())) {
            if index < kept {
                bytes += size;
            }
            if !is_shown(index, block) {
                bytes -= block.num_bytes.cast_signed();
            }
        }
        self.block_usage(slot, bytes)
    }

    /// The blocks that the last diff of a file shows once the truncation has recorded what the file was; None: it shows none.
    fn blocks_of_last_diff(&self, slot: Slot) -> Option<Vec<Block>> {
        let latest = self.latest_snapshot(slot);
        let last = self.file_diffs(slot).last();
        if let Some(blocks) = last.and_then(|diff| diff.blocks.as_deref())
            && (!self.records_change(slot, latest) || last.is_some_and(|l| l.snapshot >= latest))
        {
            return Some(blocks.to_vec());
        }
        if !self.records_change(slot, latest) {
            return None;
        }
        let size = last
            .filter(|diff| diff.snapshot >= latest)
            .map_or_else(|| self.file_length(slot), |diff| diff.size);
        let shown = self
            .blocks_of(slot)
            .iter()
            .scan(0, |bytes, block| {
                let needed = *bytes < size;
                *bytes += block.num_bytes;
                needed.then_some(*block)
            })
            .collect();
        Some(shown)
    }

    /// The latest diff with blocks shows the block, once the truncation has recorded what the file was.
    ///
    /// Hadoop: INodeFile.isBlockInLatestSnapshot
    fn is_in_latest_snapshot(&self, slot: Slot, id: BlockId) -> bool {
        if let Some(blocks) = self.blocks_of_last_diff(slot).filter(|blocks| !blocks.is_empty()) {
            return blocks.iter().any(|block| block.id == id);
        }
        let mut with_blocks = self.file_diffs(slot).iter().rev().filter_map(|d| d.blocks.as_ref());
        with_blocks.next().is_some_and(|blocks| blocks.iter().any(|block| block.id == id))
    }

    pub(crate) fn apply_truncate(&mut self, op: &TruncateOp) -> Result<Effects, String> {
        check_time(op.timestamp.0)?;
        let slot = self.replay_file(&op.src)?;
        let (kept, bytes) = self.kept_blocks(slot, op.new_length);
        let mut blocks = self.blocks_of(slot).to_vec();
        blocks.truncate(kept);
        let last = blocks.last().copied();
        let cut = self.check_cut(op, last, bytes)?;
        if cut.is_some() && self.under_construction(slot).is_some() {
            return Err(format!("{} is already under construction", text(&op.src)));
        }
        let latest = self.latest_snapshot(slot);
        let mut effects = Effects::default();
        self.change_file(slot, &mut effects, |namespace| {
            namespace.record_file_change(slot, latest, true);
            if let (Some(Cut::Copy { block }), Some(last)) = (&cut, blocks.last_mut()) {
                *last = *block;
            }
            namespace.set_blocks(slot, blocks.into());
            namespace.record_mut(slot).set_mtime(op.timestamp);
            if cut.is_some() {
                namespace.open_file(slot, &op.client_name, &op.client_machine);
                namespace.set_last_block_open(slot, true);
            }
            if let (Some(Cut::Copy { .. }), Some(open)) =
                (&cut, namespace.open_files.get_mut(&slot))
            {
                open.copy_source = last;
            }
        });
        match cut {
            None => {}
            Some(Cut::InPlace { id, new_length, recovery_stamp }) => {
                self.saw_generation_stamp(recovery_stamp);
                effects.push(BlockChange::Reopened { id });
                effects.push(BlockChange::TruncateScheduled { id, new_length, recovery_stamp });
            }
            Some(Cut::Copy { block }) => {
                self.saw_generation_stamp(block.generation_stamp);
                let (owner, replication) = (self.record(slot).id(), self.block_replication(slot));
                effects.push(BlockChange::Added { block, owner, replication, complete: false });
                if let Some(source) = last {
                    let (id, recovery_stamp) = (block.id, block.generation_stamp);
                    effects.push(BlockChange::CopyScheduled { id, source, recovery_stamp });
                }
            }
        }
        Ok(effects)
    }

    /// The block that a recovery must cut, its new length and its stamp.
    fn check_cut(
        &self,
        op: &TruncateOp,
        last: Option<Block>,
        bytes: u64,
    ) -> Result<Option<Cut>, String> {
        let path = || text(&op.src);
        if bytes < op.new_length {
            return Err(format!("{} has only {bytes} bytes", path()));
        }
        if bytes == op.new_length {
            return Ok(None);
        }
        let (Some(last), Some(cut)) = (last, op.truncate_block) else {
            return Err(format!("the operation on {} lacks the block to be cut", path()));
        };
        check_block(&cut)?;
        let new_length = last.num_bytes - (bytes - op.new_length);
        if cut.id != last.id {
            return Ok(Some(Cut::Copy { block: Block { num_bytes: new_length, ..cut } }));
        }
        let (id, recovery_stamp) = (last.id, cut.generation_stamp);
        Ok(Some(Cut::InPlace { id, new_length, recovery_stamp }))
    }
}

/// How a recovery cuts the last block.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The block itself becomes shorter.
    InPlace { id: BlockId, new_length: u64, recovery_stamp: GenerationStamp },
    /// A shorter copy takes its place; the block stays for snapshots.
    Copy { block: Block },
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::HadoopIllegalArgument, message)
}
