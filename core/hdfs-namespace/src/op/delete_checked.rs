//! Deleting a large tree for a caller who must be allowed to: the permissions below are checked in slices first, and at the
//! deletion only what changed since.
//!
//! A slice reads; the deletion itself must see what it would have seen alone. So while such a check is under way, the tree
//! writes down which directories got stricter: new ones, those whose permissions changed, those that are empty no more.

use hdfs_types::{FsAction, INodeId, Result};

use crate::namespace::Namespace;
use crate::permission::{Access, BelowCheck};
use crate::plan::PlanContext;
use crate::resolve::Purpose;
use crate::snapshot::model::SnapshotId;
use crate::store::record::Slot;

/// Trees with fewer names are checked when they are deleted.
const LARGE: i64 = 20_000;
/// More changes than this are not written down: then the deletion checks everything.
const MOST_TOUCHED: usize = 1 << 16;
/// What a deletion wants of every directory below; empty ones need nothing.
const REMOVAL: (FsAction, bool) = (FsAction::ALL, true);

/// Directories that got stricter while checks are under way.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    checks: usize,
    /// True: with everything below.
    directories: Vec<(INodeId, bool)>,
}

impl Touched {
    /// Someone wants to know.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.checks > 0
    }
}

/// A check before a deletion. It must be ended, whatever comes of it.
#[derive(Debug)]
pub struct RemovalCheck {
    top: INodeId,
    below: BelowCheck,
    /// What was written down before.
    since: usize,
    /// The caller may not: the deletion finds out why.
    failed: bool,
}

impl Namespace {
    /// True when a deletion has so much to check that it is better done in slices before.
    pub fn is_large_removal(&self, ctx: &PlanContext<'_>, path: &[u8]) -> bool {
        if !ctx.conf.permissions_enabled || ctx.caller.is_superuser {
            return false;
        }
        let resolved = self.resolve(ctx, path, Purpose::WriteLink).ok();
        resolved.and_then(|resolved| resolved.last()).is_some_and(|slot| {
            let record = self.record(slot);
            record.is_directory() && record.totals().0 > LARGE
        })
    }

    /// Begins to check a tree that is to be deleted.
    ///
    /// # Errors
    /// When the path can't be resolved, or leads to nothing: there is nothing to check.
    pub fn begin_removal_check(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Option<RemovalCheck>> {
        let Some(slot) = self.resolve(ctx, path, Purpose::WriteLink)?.last() else {
            return Ok(None);
        };
        let top = self.record(slot).id();
        let below = self.begin_below_check(ctx, (slot, SnapshotId::CURRENT), REMOVAL);
        Ok(Some(RemovalCheck { top, below, since: self.touched.directories.len(), failed: false }))
    }

    /// What gets stricter is written down from now on. Goes with [`Self::begin_removal_check`], under the same lock.
    pub fn watch_removal_check(&mut self) {
        self.touched.checks += 1;
    }

    /// Checks on, at most `budget` inodes; true at the end.
    pub fn continue_removal_check(
        &self,
        ctx: &PlanContext<'_>,
        check: &mut RemovalCheck,
        budget: usize,
    ) -> bool {
        match self.continue_below_check(&ctx.caller, &mut check.below, budget) {
            Ok(done) => done,
            Err(_) => {
                check.failed = true;
                true
            }
        }
    }

    /// Ends a check.
    pub fn end_removal_check(&mut self, _: RemovalCheck) {
        self.touched.checks = self.touched.checks.saturating_sub(1);
        if self.touched.checks == 0 {
            self.touched.directories = Vec::new();
        }
    }

    /// The rest of the check, when the tree is deleted: what was denied, and what got stricter since.
    pub(crate) fn finish_removal_check(
        &self,
        ctx: &PlanContext<'_>,
        top: Slot,
        check: Option<&RemovalCheck>,
    ) -> Result<()> {
        let whole = Access { parent: None, ..Access::removal() };
        let touched = &self.touched.directories;
        let known = check
            .filter(|check| check.top == self.record(top).id() && touched.len() < MOST_TOUCHED);
        let Some(check) = known else { return self.check_tree(ctx, top, whole) };
        if check.failed {
            // If the caller may now, the rest is still to be looked at.
            let mut again = check.below.clone();
            self.continue_below_check(&ctx.caller, &mut again, usize::MAX)?;
        }
        for (id, deep) in touched.get(check.since..).unwrap_or_default() {
            let Some(slot) = self.attached(*id) else { continue };
            if !self.ancestry(slot).any(|above| above == top) {
                continue;
            }
            if *deep {
                self.check_tree(ctx, slot, whole)?;
            } else {
                self.check_only(&ctx.caller, slot, REMOVAL)?;
            }
        }
        Ok(())
    }

    fn check_tree(&self, ctx: &PlanContext<'_>, top: Slot, access: Access) -> Result<()> {
        let Some(action) = access.below else { return Ok(()) };
        let what = (action, access.ignore_empty);
        let mut check = self.begin_below_check(ctx, (top, SnapshotId::CURRENT), what);
        self.continue_below_check(&ctx.caller, &mut check, usize::MAX).map(|_| ())
    }

    /// An inode got stricter, or came with everything below.
    #[inline]
    pub(crate) fn touch(&mut self, slot: Slot, deep: bool) {
        if self.touched.is_watched() {
            self.note_touched(slot, deep);
        }
    }

    #[cold]
    fn note_touched(&mut self, slot: Slot, deep: bool) {
        let record = self.record(slot);
        // Of a file only its owner matters, below a directory with the sticky bit.
        let directory = if record.is_directory() { slot } else { record.parent };
        if directory == Slot::NONE || self.touched.directories.len() >= MOST_TOUCHED {
            return;
        }
        let entry = (self.record(directory).id(), deep && directory == slot);
        if self.touched.directories.last() != Some(&entry) {
            self.touched.directories.push(entry);
        }
    }
}
