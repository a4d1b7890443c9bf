//! Closing files.
//!
//! Hadoop: FSDirWriteFileOp.completeFile, FSNamesystem.finalizeINodeFileUnderConstruction (3.5.0)

use hdfs_format::edits::{CloseOp, EditOp};
use hdfs_types::{Block, Error, ErrorKind, INodeId, Result};

use super::add_block::matching;
use super::limits::{check_block, check_time};
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::text;
use crate::store::record::Slot;

/// What complete() comes to.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack, one at a time.
pub enum CompletePlan {
    /// It was closed by the same call before: answer success.
    AlreadyClosed,
    /// Close it. The caller commits `last` in the block manager first; when a block is not complete yet, it keeps the reply
    /// and plans again later. Nothing of this plan must be applied before.
    Close(Planned<INodeId>),
}

impl Namespace {
    /// The client has written everything; `last` is the last block with its final length.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired, Io when `last` is not the last block.
    pub fn plan_complete(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        file_id: INodeId,
        holder: &str,
        last: Option<Block>,
    ) -> Result<CompletePlan> {
        let resolved = self.resolve_file(ctx, path, file_id)?;
        let slot = match self.check_lease(&resolved, Some(holder), file_id) {
            Ok(slot) => slot,
            Err(error) => {
                let closed = resolved.last().filter(|slot| {
                    error.kind == ErrorKind::LeaseExpired
                        && self.record(*slot).is_file()
                        && self.under_construction(*slot).is_none()
                        && matching(last, self.blocks_of(*slot).last())
                });
                return closed.map_or(Err(error), |_| Ok(CompletePlan::AlreadyClosed));
            }
        };
        self.plan_close(ctx, slot, last).map(CompletePlan::Close)
    }

    /// Closes an open file, whoever writes it: after lease recovery. `last`: the last block as the block manager stores it
    /// now, when stamp or length changed.
    ///
    /// # Errors
    /// FileNotFound when it was deleted, LeaseExpired when it is closed, Io when `last` is not the last block.
    pub fn plan_close_file(
        &self,
        ctx: &PlanContext<'_>,
        inode: INodeId,
        last: Option<Block>,
    ) -> Result<Planned<INodeId>> {
        let slot = self.open_file_by_id(inode)?;
        self.plan_close(ctx, slot, last)
    }

    fn plan_close(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        last: Option<Block>,
    ) -> Result<Planned<INodeId>> {
        let mut blocks = self.blocks_of(slot).to_vec();
        if let Some(last) = last {
            check_block(&last).map_err(Error::io)?;
            match blocks.last_mut() {
                Some(stored) if stored.id == last.id => *stored = last,
                stored => {
                    return Err(Error::io(format!(
                        "Trying to commit block {last} of {} but the last block is {stored:?}",
                        text(&self.path_of(slot))
                    )));
                }
            }
        }
        let record = self.record(slot);
        let header = self.file_header(slot);
        let op = EditOp::Close(CloseOp {
            // Hadoop leaves id and access time of its log helper at their defaults: the reader ignores the id.
            inode_id: INodeId(0),
            path: self.path_of(slot),
            replication: self.replication_of(slot),
            mtime: ctx.now,
            atime: record.atime(),
            block_size: header.preferred_block_size,
            blocks,
            permissions: self.permission_status(slot),
        });
        Ok(Planned::one(ctx, op, record.id()).in_directory(record.parent))
    }

    pub(crate) fn apply_close(&mut self, op: &CloseOp) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        check_time(op.atime.0)?;
        let slot = self.replay_file(&op.path)?;
        if self.under_construction(slot).is_none() {
            return Err(format!("File is not under construction: {}", text(&op.path)));
        }
        let mut effects = self.replace_blocks(slot, &op.blocks, true)?;
        self.record_mut(slot).set_atime(op.atime);
        self.record_mut(slot).set_mtime(op.mtime);
        self.close_file(slot);
        effects.closed = Some(self.record(slot).id());
        Ok(effects)
    }
}
