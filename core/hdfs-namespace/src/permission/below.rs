//! Permissions of every directory of a tree, checked in slices.

use hdfs_types::{FsAction, FsPermission, INodeId, Result};

use crate::namespace::Namespace;
use crate::plan::{Caller, PlanContext};
use crate::snapshot::model::{Child, SnapshotId};
use crate::store::children::Children;
use crate::store::record::Slot;

/// A check that is under way: the caller may give the namespace away between two steps.
#[derive(Clone, Debug)]
pub(crate) struct BelowCheck {
    /// What is not checked to its end, the next last.
    open: Vec<Open>,
    action: FsAction,
    /// Empty directories need nothing.
    ignore_empty: bool,
}

/// A directory, as it is in a snapshot or now, and the last of its children that was looked at.
#[derive(Clone, Debug)]
struct Open {
    directory: INodeId,
    at: SnapshotId,
    after: Option<Vec<u8>>,
}

impl Namespace {
    /// Begins to check every directory below an inode, itself included, and the sticky bits of those directories. Nothing is
    /// to be checked for superusers.
    pub(crate) fn begin_below_check(
        &self,
        ctx: &PlanContext<'_>,
        (top, at): (Slot, SnapshotId),
        (action, ignore_empty): (FsAction, bool),
    ) -> BelowCheck {
        let free = !ctx.conf.permissions_enabled || ctx.caller.is_superuser;
        let top = (!free && self.record(top).is_directory()).then(|| self.open_at(top, at));
        BelowCheck { open: top.into_iter().collect(), action, ignore_empty }
    }

    fn open_at(&self, slot: Slot, at: SnapshotId) -> Open {
        Open { directory: self.record(slot).id(), at, after: None }
    }

    /// Checks on, at most about `budget` inodes; true at the end. What went away meanwhile needs nothing.
    ///
    /// # Errors
    /// AccessControl. The directory is then the next one again.
    pub(crate) fn continue_below_check(
        &self,
        caller: &Caller<'_>,
        check: &mut BelowCheck,
        budget: usize,
    ) -> Result<bool> {
        let mut left = budget.max(1);
        while let Some(next) = check.open.pop() {
            if left == 0 {
                check.open.push(next);
                return Ok(false);
            }
            let slot = if next.at == SnapshotId::CURRENT {
                self.attached(next.directory)
            } else {
                self.index.get(next.directory.0).map(Slot)
            };
            if let Some(slot) = slot.filter(|slot| self.record(*slot).is_directory()) {
                self.check_directory(caller, check, (slot, next), &mut left)?;
            }
        }
        Ok(true)
    }

    /// Checks one directory of the current tree alone.
    ///
    /// # Errors
    /// AccessControl.
    pub(crate) fn check_only(
        &self,
        caller: &Caller<'_>,
        slot: Slot,
        (action, ignore_empty): (FsAction, bool),
    ) -> Result<()> {
        let mut check = BelowCheck { open: Vec::new(), action, ignore_empty };
        let open = self.open_at(slot, SnapshotId::CURRENT);
        // Without the sticky bit it is no matter what is in it.
        let mut left = if self.mode_of(slot).sticky() { usize::MAX } else { 1 };
        self.check_directory(caller, &mut check, (slot, open), &mut left)
    }

    fn check_directory(
        &self,
        caller: &Caller<'_>,
        check: &mut BelowCheck,
        (directory, open): (Slot, Open),
        left: &mut usize,
    ) -> Result<()> {
        let at = open.at;
        let mut children = self.children_after(directory, at, open.after.as_deref()).peekable();
        if open.after.is_none() {
            *left = left.saturating_sub(1);
            let needs_nothing = check.ignore_empty && children.peek().is_none();
            if !needs_nothing && !self.may(caller, directory, at, check.action) {
                let path = self.path_of(directory);
                let denied = self.denied_action(caller, (directory, at), &path, check.action);
                check.open.push(open);
                return Err(denied);
            }
        }
        let (permission, _) = self.guard(directory, at);
        let sticky = FsPermission(permission as u16).sticky();
        let mut found = Vec::new();
        let mut stopped = None;
        let mut last = None;
        for child in children {
            // Each slice gets one child further at least.
            if let Some(last) = last.filter(|_| *left == 0) {
                let after = Some(self.child_name(last).to_vec());
                stopped = Some(Open { after, directory: open.directory, at });
                break;
            }
            *left = left.saturating_sub(1);
            last = Some(child);
            let slot = self.child_slot(child);
            if sticky && self.violates_sticky(caller, at, (directory, slot)) {
                let (parent, path) = (self.path_of(directory), self.path_of(slot));
                let inodes = (directory, slot);
                check.open.push(open);
                return self.check_sticky(caller, at, inodes, (&parent, &path));
            }
            if self.record(slot).is_directory() {
                found.push(self.open_at(slot, at));
            }
        }
        check.open.extend(found);
        check.open.extend(stopped);
        Ok(())
    }

    /// The children of a directory, now or in a snapshot, behind a name. Nothing is copied for the current ones.
    fn children_after(
        &self,
        directory: Slot,
        at: SnapshotId,
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Child> + '_ {
        let is_current = at == SnapshotId::CURRENT;
        let mut then = if is_current { Vec::new() } else { self.children_at(directory, at) };
        if let Some(after) = after {
            let seen = self.search(&then, after).map_or_else(|place| place, |place| place + 1);
            then.drain(..seen);
        }
        let start = match self.find_child_position(directory, after.unwrap_or_default()) {
            Ok((position, _)) if after.is_some() => Children::after(position),
            Ok((position, _)) | Err(position) => position,
        };
        let now = self.children_of(directory).iter_from(start);
        let now = now.take(if is_current { usize::MAX } else { 0 }).map(Child::INode);
        now.chain(then)
    }
}
