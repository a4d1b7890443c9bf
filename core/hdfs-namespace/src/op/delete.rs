//! Deleting.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirDeleteOp (3.5.0)

use hdfs_format::edits::{DeleteOp, EditOp};
use hdfs_types::{Error, ErrorKind, Result};

use super::delete_checked::RemovalCheck;
use super::limits::check_time;
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, invalid_path, is_exact_reserved, text};
use crate::store::record::Slot;

impl Namespace {
    /// Deletes an inode, with `recursive` everything below too. False when there is nothing to delete, and for `/`.
    ///
    /// # Errors
    /// PathIsNotEmptyDirectory, AccessControl, InvalidPath.
    pub fn plan_delete(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        recursive: bool,
    ) -> Result<Planned<bool>> {
        self.plan_checked_delete(ctx, path, recursive, None)
    }

    /// The same after the permissions of a large tree were checked in slices.
    ///
    /// # Errors
    /// As [`Self::plan_delete`].
    pub fn plan_checked_delete(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        recursive: bool,
        check: Option<&RemovalCheck>,
    ) -> Result<Planned<bool>> {
        if is_exact_reserved(path) {
            return Err(invalid_path(path));
        }
        let resolved = self.resolve(ctx, path, Purpose::WriteLink)?;
        match (resolved.last(), check) {
            (Some(slot), Some(_)) => {
                let removal = Access { below: None, ..Access::removal() };
                self.check_access(ctx, &resolved, removal)?;
                self.finish_removal_check(ctx, slot, check)?;
            }
            _ => self.check_access(ctx, &resolved, Access::removal())?,
        }
        let Some(slot) = resolved.last() else { return Ok(Planned::nothing(ctx, false)) };
        if self.is_non_empty_directory(slot) {
            if !recursive {
                return Err(Error::new(
                    ErrorKind::PathIsNotEmptyDirectory,
                    format!("`{} is non empty': Directory is not empty", resolved.text()),
                ));
            }
            self.check_protected(ctx, &resolved)?;
        }
        if slot == Slot::ROOT {
            return Ok(Planned::nothing(ctx, false));
        }
        self.check_no_snapshots(slot)?;
        let op = EditOp::Delete(DeleteOp {
            path: resolved.path(),
            timestamp: ctx.now,
            retry: ctx.retry_key(),
        });
        Ok(Planned::one(ctx, op, true).in_directory(self.record(slot).parent))
    }

    /// No directory from `top` downwards has snapshots. Hadoop: FSDirSnapshotOp.checkSnapshot
    pub(crate) fn check_no_snapshots(&self, top: Slot) -> Result<()> {
        if self.snapshots.count == 0 {
            return Ok(());
        }
        for slot in self.snapshottable_below(top) {
            if self.snapshots_of(slot).is_some_and(|snapshots| !snapshots.is_empty()) {
                let path = text(&self.path_of(slot));
                return Err(Error::new(
                    ErrorKind::Snapshot,
                    format!(
                        "The directory {path} cannot be deleted since {path} is snapshottable and already has snapshots"
                    ),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn apply_delete(&mut self, op: &DeleteOp) -> Result<Effects, String> {
        check_time(op.timestamp.0)?;
        let slot = self.replay_inode(&op.path)?;
        if slot == Slot::ROOT {
            return Err("/ can't be deleted".to_owned());
        }
        self.check_no_snapshots(slot).map_err(|error| error.message)?;
        let mut effects = Effects::default();
        self.delete_inode(slot, op.timestamp, &mut effects);
        Ok(effects)
    }
}
