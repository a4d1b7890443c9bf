//! Cleaning directories: their diffs are removed or combined, and what only those held goes away.
//!
//! Hadoop: DirectoryWithSnapshotFeature.{cleanDirectory, cleanDeletedINode}, INodeDirectory.cleanSubtree,
//! org.apache.hadoop.hdfs.util.Diff (3.5.0)

use std::cmp::Ordering;
use std::collections::VecDeque;

use hdfs_types::FastSet;

use super::clean::{Cleaning, Range};
use super::latest::before;
use super::model::{Child, DirectoryCopy, DirectoryDiff, SnapshotId};
use crate::namespace::Namespace;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Hadoop: INodeDirectory.cleanSubtree
    pub(super) fn clean_directory(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if !self.record(slot).has(Flag::Diffs) {
            if range.is_current() && range.prior == SnapshotId::NONE {
                self.destroy_inode(slot, cleaning);
            } else {
                self.clean_children(slot, range, &FastSet::default(), cleaning);
            }
            return;
        }
        if range.is_current() {
            self.record_change(slot, range.prior);
            let last = self.last_diff(slot);
            self.destroy_created(slot, last, cleaning);
            self.clean_children(slot, range, &FastSet::default(), cleaning);
        } else {
            self.clean_snapshot_of(slot, range, cleaning);
        }
        if self.directory_diffs(slot).is_empty() {
            self.snapshots.directory_diffs.remove(&slot);
            self.record_mut(slot).set(Flag::Diffs, false);
        }
    }

    /// A snapshot is deleted.
    fn clean_snapshot_of(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        let own = before(self.directory_diffs(slot).iter().map(|d| d.snapshot), range.snapshot);
        let range = Range { prior: own.max(range.prior), ..range };
        let created: FastSet<Slot> = self.created_in(slot, range.prior).into_iter().collect();
        let deleted: FastSet<Slot> = self.deleted_in(slot, range.prior).into_iter().collect();
        self.delete_directory_diff(slot, range, cleaning);
        self.clean_children(slot, range, &deleted, cleaning);
        let Some(prior) = self.diff_at(slot, range.prior) else { return };
        let now_created: Vec<Child> = prior.created.clone();
        let destroy = self.reference_count(slot) == 1
            && self.last_diff(slot) == range.prior
            && !self.is_current(slot);
        for child in now_created {
            if !created.contains(&self.child_slot(child)) {
                continue;
            }
            if destroy {
                self.forget_created(slot, range.prior, child);
                self.unlink_child(slot, child);
                self.destroy_child(child, cleaning);
            } else {
                self.clean_child(child, Range { prior: SnapshotId::NONE, ..range }, cleaning);
            }
        }
        let now_deleted =
            self.diff_at(slot, range.prior).map_or_else(Vec::new, |diff| diff.deleted.clone());
        for child in now_deleted {
            if !deleted.contains(&self.child_slot(child)) {
                self.clean_deleted(child, range, cleaning);
            }
        }
    }

    /// Hadoop: INodeDirectory.cleanSubtreeRecursively
    fn clean_children(
        &mut self,
        slot: Slot,
        range: Range,
        excluded: &FastSet<Slot>,
        cleaning: &mut Cleaning,
    ) {
        let at = if range.is_current() || range.prior == SnapshotId::NONE {
            range.snapshot
        } else {
            range.prior
        };
        for child in self.marked_children(slot, at) {
            if range.is_current() || !excluded.contains(&self.child_slot(child)) {
                self.clean_child(child, range, cleaning);
            }
        }
    }

    /// Hadoop: AbstractINodeDiffList.deleteSnapshotDiff of a directory
    pub(super) fn delete_directory_diff(
        &mut self,
        slot: Slot,
        range: Range,
        cleaning: &mut Cleaning,
    ) {
        let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot) else { return };
        let Ok(index) = diffs.binary_search_by_key(&range.snapshot, |diff| diff.snapshot) else {
            return;
        };
        let known_prior = match index.checked_sub(1) {
            None => SnapshotId::NONE,
            Some(previous) => diffs[previous].snapshot,
        };
        if known_prior != range.prior {
            diffs[index].snapshot = range.prior;
            let was_root = std::mem::take(&mut diffs[index].is_root);
            if was_root {
                self.keep_root(slot, range);
            }
            return;
        }
        let removed = diffs.remove(index);
        if index == 0 {
            for child in removed.deleted {
                self.destroy_child(child, cleaning);
            }
        } else {
            self.combine_into(slot, index - 1, removed, cleaning);
        }
    }

    /// The diff of a snapshot that goes away becomes the diff of an earlier one, of a directory in which this one was
    /// before: with a copy of its own. Hadoop goes on to say that it is the root of that snapshot, and takes the attributes of
    /// the other directory when it loads the image.
    fn keep_root(&mut self, slot: Slot, range: Range) {
        let Some(snapshot) = self.snapshot_by_id(slot, range.snapshot) else { return };
        let copy = DirectoryCopy { name: self.name_of(slot).into(), ..snapshot.root.clone() };
        if let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot)
            && let Some(diff) = diffs.iter_mut().find(|diff| diff.snapshot == range.prior)
        {
            diff.copy = Some(Box::new(copy));
        }
    }

    /// Hadoop: DirectoryDiff.combinePosteriorAndCollectBlocks
    fn combine_into(
        &mut self,
        slot: Slot,
        previous: usize,
        removed: DirectoryDiff,
        cleaning: &mut Cleaning,
    ) {
        let root = removed.is_root.then(|| self.snapshot_by_id(slot, removed.snapshot)).flatten();
        let copy = root.map(|snapshot| Box::new(snapshot.root.clone())).or(removed.copy);
        let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot) else { return };
        let diff = &mut diffs[previous];
        if !diff.is_root && diff.copy.is_none() {
            diff.copy = copy;
        }
        let mut created = std::mem::take(&mut diff.created);
        let mut deleted = std::mem::take(&mut diff.deleted);
        let gone =
            self.combine_lists(&mut created, &mut deleted, &removed.created, &removed.deleted);
        if let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot) {
            (diffs[previous].created, diffs[previous].deleted) = (created, deleted);
        }
        for child in gone {
            self.destroy_child(child, cleaning);
        }
    }

    /// Hadoop: Diff.combinePosterior. What was made after the one and deleted before the other is returned.
    pub(crate) fn combine_lists(
        &self,
        created: &mut Vec<Child>,
        deleted: &mut Vec<Child>,
        later_created: &[Child],
        later_deleted: &[Child],
    ) -> Vec<Child> {
        let mut gone = Vec::new();
        let (mut c, mut d) = (later_created.iter().peekable(), later_deleted.iter().peekable());
        loop {
            let order = match (c.peek(), d.peek()) {
                (None, None) => return gone,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(c), Some(d)) => compare_names(self.child_name(**c), self.child_name(**d)),
            };
            let made = if order.is_le() { c.next() } else { None };
            let left = if order.is_ge() { d.next() } else { None };
            match (made, left) {
                (Some(made), None) => self.insert_child(created, *made),
                (None, Some(left)) => gone.extend(self.delete_in(created, deleted, *left)),
                (Some(made), Some(left)) => {
                    gone.extend(self.modify_in(created, deleted, *left, *made));
                }
                (None, None) => {}
            }
        }
    }

    /// Hadoop: Diff.modify
    fn modify_in(
        &self,
        created: &mut Vec<Child>,
        deleted: &mut Vec<Child>,
        old: Child,
        new: Child,
    ) -> Option<Child> {
        match self.search(created, self.child_name(new)) {
            Ok(place) => {
                created[place] = new;
                Some(old)
            }
            Err(place) => {
                if let Err(free) = self.search(deleted, self.child_name(old)) {
                    created.insert(place, new);
                    deleted.insert(free, old);
                }
                None
            }
        }
    }

    /// Destroys what was made after a snapshot. Hadoop: ChildrenDiff.destroyCreatedList
    pub(super) fn destroy_created(
        &mut self,
        slot: Slot,
        snapshot: SnapshotId,
        cleaning: &mut Cleaning,
    ) {
        let created = match self.snapshots.directory_diffs.get_mut(&slot) {
            None => return,
            Some(diffs) => diffs
                .iter_mut()
                .find(|diff| diff.snapshot == snapshot)
                .map_or_else(Vec::new, |diff| std::mem::take(&mut diff.created)),
        };
        for child in created {
            self.unlink_child(slot, child);
            self.destroy_child(child, cleaning);
        }
    }

    /// Takes an entry of a list out of the current children, if it is there.
    fn unlink_child(&mut self, directory: Slot, child: Child) {
        if let Child::INode(slot) = child
            && self.record(slot).parent == directory
            && self.child(directory, self.name_of(slot)) == Some(slot)
        {
            self.unlink(slot);
        }
    }

    fn forget_created(&mut self, slot: Slot, snapshot: SnapshotId, child: Child) {
        if let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot)
            && let Some(diff) = diffs.iter_mut().find(|diff| diff.snapshot == snapshot)
        {
            diff.created.retain(|known| *known != child);
        }
    }

    /// A child moved into the deleted list of the prior diff: what it got after that goes away.
    fn clean_deleted(&mut self, child: Child, range: Range, cleaning: &mut Cleaning) {
        let mut queue = VecDeque::from([child]);
        while let Some(child) = queue.pop_front() {
            let slot = self.child_slot(child);
            if let Child::Name(number) = child {
                if self.snapshots.names.get(number).last_snapshot < range.snapshot {
                    continue;
                }
                let known = self.snapshots.references.get(&slot);
                let is_only =
                    known.is_some_and(|k| k.dst.is_none() && k.names.last() == Some(&number));
                if is_only {
                    queue.push_back(Child::INode(slot));
                } else {
                    self.clean_name(number, range, cleaning);
                }
                continue;
            }
            if self.record(slot).is_file() {
                if self.record(slot).has(Flag::Diffs) {
                    self.delete_file_diff(slot, range, cleaning);
                }
            } else if self.record(slot).is_directory() {
                self.destroy_created(slot, range.prior, cleaning);
                let deleted: FastSet<Slot> =
                    self.deleted_in(slot, range.prior).into_iter().collect();
                let children = self.marked_children(slot, range.prior);
                queue.extend(
                    children
                        .into_iter()
                        .filter(|child| !deleted.contains(&self.child_slot(*child))),
                );
            }
        }
    }

    fn diff_at(&self, slot: Slot, snapshot: SnapshotId) -> Option<&DirectoryDiff> {
        self.directory_diffs(slot).iter().find(|diff| diff.snapshot == snapshot)
    }

    /// Inodes in the created list of a diff.
    fn created_in(&self, slot: Slot, snapshot: SnapshotId) -> Vec<Slot> {
        let created = self.diff_at(slot, snapshot).map_or(&[][..], |diff| &diff.created);
        created.iter().map(|child| self.child_slot(*child)).collect()
    }

    /// Inodes in the deleted list of a diff.
    pub(super) fn deleted_in(&self, slot: Slot, snapshot: SnapshotId) -> Vec<Slot> {
        let deleted = self.diff_at(slot, snapshot).map_or(&[][..], |diff| &diff.deleted);
        deleted.iter().map(|child| self.child_slot(*child)).collect()
    }
}
