//! Whether one inode changed between two states, and what came and went in a directory.

use crate::namespace::Namespace;
use crate::quota::QuotaCounts;
use crate::snapshot::model::{Child, DirectoryDiff, SnapshotId};
use crate::snapshot::view::Attributes;
use crate::store::record::{Flag, Slot};

use super::scope::Scope;

/// What came and went in a directory, by name. Hadoop: ChildrenDiff
#[derive(Debug, Default)]
pub(super) struct ChildrenDiff {
    pub(super) created: Vec<Child>,
    pub(super) deleted: Vec<Child>,
}

impl ChildrenDiff {
    fn is_empty(&self) -> bool {
        self.created.is_empty() && self.deleted.is_empty()
    }
}

impl Namespace {
    /// Whether a directory changed, and its names. Hadoop: DirectoryWithSnapshotFeature.computeDiffBetweenSnapshots
    pub(super) fn directory_change(&self, slot: Slot, scope: &Scope) -> (bool, ChildrenDiff) {
        let mut diff = ChildrenDiff::default();
        if scope.is_snapshot_root && slot == scope.top {
            return (false, diff);
        }
        let known = self.directory_diffs(slot);
        let Some((earlier, later)) = between(known.iter().map(|diff| diff.snapshot), scope) else {
            return (false, diff);
        };
        let mut first: Option<Attributes<'_>> = None;
        let mut attributes_changed = false;
        for step in known.get(earlier..later).unwrap_or_default() {
            self.combine(&mut diff, step);
            if let Some(copy) = self.copy_of(slot, step) {
                match &first {
                    None => first = Some(copy),
                    Some(first) => attributes_changed |= !same(first, &copy),
                }
            }
        }
        if !diff.is_empty() || attributes_changed {
            return (true, diff);
        }
        // As in Hadoop the last comparison is with the current attributes, even for a later snapshot.
        let now = self.attributes_at(slot, SnapshotId::CURRENT);
        (first.is_some_and(|first| !same(&first, &now)), diff)
    }

    /// The attributes that a diff keeps. Hadoop: AbstractINodeDiff.snapshotINode
    fn copy_of<'a>(&'a self, slot: Slot, diff: &'a DirectoryDiff) -> Option<Attributes<'a>> {
        if diff.is_root {
            let snapshot = self.snapshot_by_id(slot, diff.snapshot)?;
            return Some(Attributes::from(&snapshot.root));
        }
        diff.copy.as_deref().map(Attributes::from)
    }

    /// Adds the changes of the next diff. Hadoop: Diff.combinePosterior
    fn combine(&self, diff: &mut ChildrenDiff, next: &DirectoryDiff) {
        let position = |list: &[Child], name: &[u8]| self.search(list, name);
        let mut created = next.created.iter().copied().peekable();
        let mut deleted = next.deleted.iter().copied().peekable();
        while created.peek().is_some() || deleted.peek().is_some() {
            let order = match (created.peek(), deleted.peek()) {
                (Some(made), Some(gone)) => crate::store::name_pool::compare_names(
                    self.child_name(*made),
                    self.child_name(*gone),
                ),
                (None, _) => std::cmp::Ordering::Greater,
                _ => std::cmp::Ordering::Less,
            };
            let made = if order.is_le() { created.next() } else { None };
            let gone = if order.is_ge() { deleted.next() } else { None };
            match (made, gone) {
                (Some(made), None) => {
                    if let Err(at) = position(&diff.created, self.child_name(made)) {
                        diff.created.insert(at, made);
                    }
                }
                (None, Some(gone)) => match position(&diff.created, self.child_name(gone)) {
                    Ok(at) => drop(diff.created.remove(at)),
                    Err(_) => {
                        if let Err(at) = position(&diff.deleted, self.child_name(gone)) {
                            diff.deleted.insert(at, gone);
                        }
                    }
                },
                (Some(made), Some(gone)) => self.replace(diff, made, gone),
                (None, None) => {}
            }
        }
    }

    /// One name was deleted and made again. Hadoop: Diff.modify
    fn replace(&self, diff: &mut ChildrenDiff, made: Child, gone: Child) {
        match self.search(&diff.created, self.child_name(made)) {
            Ok(at) => diff.created[at] = made,
            Err(at) => {
                if let Err(before) = self.search(&diff.deleted, self.child_name(gone)) {
                    diff.created.insert(at, made);
                    diff.deleted.insert(before, gone);
                }
            }
        }
    }

    /// Whether a file changed. Hadoop: FileWithSnapshotFeature.changedBetweenSnapshots
    pub(super) fn file_changed(&self, slot: Slot, scope: &Scope) -> bool {
        if !self.record(slot).has(Flag::Diffs) {
            return false;
        }
        let Some(feature) = self.snapshots.file_diffs.get(&slot) else { return false };
        let ids = feature.diffs.iter().map(|diff| diff.snapshot);
        let Some((earlier, later)) = between(ids, scope) else { return false };
        let length = |index: usize| {
            feature.diffs.get(index).map_or_else(|| self.file_length(slot), |of| of.size)
        };
        if length(earlier) != length(later) {
            return true;
        }
        let steps = feature.diffs.get(earlier..later).unwrap_or_default();
        let Some(then) = steps.iter().find_map(|diff| diff.copy.as_deref()) else { return false };
        !same(&Attributes::from(then), &self.attributes_at(slot, scope.later))
    }
}

/// Indices of the diffs of both states; None when nothing changed. Hadoop: AbstractINodeDiffList.changedBetweenSnapshots
fn between(
    ids: impl ExactSizeIterator<Item = SnapshotId> + Clone,
    scope: &Scope,
) -> Option<(usize, usize)> {
    let size = ids.len();
    let first = |at: SnapshotId| ids.clone().position(|id| id >= at).unwrap_or(size);
    let earlier = first(scope.earlier);
    let later = if scope.later == SnapshotId::CURRENT { size } else { first(scope.later) };
    (earlier != size && later != 0).then_some((earlier, later))
}

/// Hadoop: metadataEquals. Times do not count.
fn same(a: &Attributes<'_>, b: &Attributes<'_>) -> bool {
    let quota = |of: &Attributes<'_>| {
        of.quota.map_or([-1; 8], |quota: &QuotaCounts| {
            let mut all = [quota.names, quota.space, -1, -1, -1, -1, -1, -1];
            for (to, from) in all[2..].iter_mut().zip(quota.types) {
                *to = from;
            }
            all
        })
    };
    a.permission == b.permission
        && a.header == b.header
        && a.acl == b.acl
        && a.xattrs == b.xattrs
        && quota(a) == quota(b)
}
