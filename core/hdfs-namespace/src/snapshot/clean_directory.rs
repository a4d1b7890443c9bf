//! Cleaning directories: their diffs are removed or combined, and what only those held goes away.
//!
//! Hadoop: DirectoryWithSnapshotFeature.{cleanDirectory, cleanDeletedINode}, INodeDirectory.cleanSubtree,
//! org.apache.hadoop.hdfs.util.Diff (3.5.0)

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use hdfs_types::FastSet;

use super::clean::Range;
use super::cleaning::{Cleaning, Step};
use super::latest::before;
use super::model::{Child, DirectoryCopy, DirectoryDiff, SnapshotId};
use crate::namespace::Namespace;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Hadoop: INodeDirectory.cleanSubtree
    pub(super) fn clean_directory(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        let children = Step::Children { directory: slot, range, excluded: None };
        if !self.record(slot).has(Flag::Diffs) {
            if range.is_current() && range.prior == SnapshotId::NONE {
                self.destroy_inode(slot, cleaning);
            } else {
                cleaning.first(children);
            }
            return;
        }
        cleaning.first(Step::DropDiffs(slot));
        if range.is_current() {
            self.record_change(slot, range.prior);
            cleaning.first(children);
            cleaning
                .first(Step::DestroyCreated { directory: slot, snapshot: self.last_diff(slot) });
        } else {
            self.clean_snapshot_of(slot, range, cleaning);
        }
    }

    pub(super) fn drop_empty_diffs(&mut self, slot: Slot) {
        if self.record(slot).has(Flag::Diffs) && self.directory_diffs(slot).is_empty() {
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
        let deleted = Arc::new(deleted);
        let excluded = Some(deleted.clone());
        cleaning.charge(created.len() + deleted.len());
        cleaning.first(Step::TakenOver { directory: slot, range, created, deleted });
        cleaning.first(Step::Children { directory: slot, range, excluded });
        self.delete_directory_diff(slot, range, cleaning);
    }

    pub(super) fn clean_taken_over(
        &mut self,
        slot: Slot,
        range: Range,
        created: &FastSet<Slot>,
        before: Arc<FastSet<Slot>>,
        cleaning: &mut Cleaning,
    ) {
        let Some(prior) = self.diff_at(slot, range.prior) else { return };
        let known = |child: &&Child| created.contains(&self.child_slot(**child));
        let children: Vec<Child> = prior.created.iter().rev().filter(known).copied().collect();
        cleaning.charge(prior.created.len());
        let destroy = self.reference_count(slot) == 1
            && self.last_diff(slot) == range.prior
            && !self.is_current(slot);
        cleaning.first(Step::Deleted { directory: slot, range, before });
        cleaning.first(Step::Created { directory: slot, range, children, destroy });
    }

    pub(super) fn clean_created(
        &mut self,
        slot: Slot,
        range: Range,
        child: Child,
        destroy: bool,
        cleaning: &mut Cleaning,
    ) {
        if destroy {
            self.forget_created(slot, range.prior, child);
            self.unlink_child(slot, child);
            self.destroy_child(child, cleaning);
        } else {
            self.clean_child(child, Range { prior: SnapshotId::NONE, ..range }, cleaning);
        }
    }

    pub(super) fn clean_now_deleted(
        &self,
        slot: Slot,
        range: Range,
        before: &FastSet<Slot>,
        cleaning: &mut Cleaning,
    ) {
        let deleted = self.diff_at(slot, range.prior).map_or(&[][..], |diff| &diff.deleted);
        let new = |child: &&Child| !before.contains(&self.child_slot(**child));
        let children: Vec<Child> = deleted.iter().rev().filter(new).copied().collect();
        cleaning.charge(deleted.len());
        cleaning.first(Step::DeletedTrees { children, range });
    }

    /// Hadoop: INodeDirectory.cleanSubtreeRecursively. The children to clean, in reverse.
    pub(super) fn children_to_clean(
        &self,
        slot: Slot,
        range: Range,
        excluded: Option<&FastSet<Slot>>,
    ) -> Vec<Child> {
        let at = if range.is_current() || range.prior == SnapshotId::NONE {
            range.snapshot
        } else {
            range.prior
        };
        let mut children = self.marked_children(slot, at);
        if let Some(excluded) = excluded.filter(|_| !range.is_current()) {
            children.retain(|child| !excluded.contains(&self.child_slot(*child)));
        }
        children.reverse();
        children
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
        let mut removed = diffs.remove(index);
        if index == 0 {
            removed.deleted.reverse();
            cleaning.first(Step::Destroy(removed.deleted));
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
        cleaning.charge(removed.created.len() + removed.deleted.len());
        let mut gone =
            self.combine_lists(&mut created, &mut deleted, &removed.created, &removed.deleted);
        if let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot) {
            (diffs[previous].created, diffs[previous].deleted) = (created, deleted);
        }
        gone.reverse();
        cleaning.first(Step::Destroy(gone));
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

    /// Destroys the first of what was made after a snapshot, and leaves the others to the next step. What is in no created
    /// list any more must not be among the children either: earlier snapshots would show it.
    ///
    /// Hadoop: ChildrenDiff.destroyCreatedList
    pub(super) fn destroy_first_created(
        &mut self,
        slot: Slot,
        snapshot: SnapshotId,
        cleaning: &mut Cleaning,
    ) {
        const AT_ONCE: usize = 256;
        let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot) else { return };
        let Some(diff) = diffs.iter_mut().find(|diff| diff.snapshot == snapshot) else { return };
        let count = diff.created.len().min(AT_ONCE);
        if count < diff.created.len() {
            cleaning.first(Step::DestroyCreated { directory: slot, snapshot });
        }
        let mut children: Vec<Child> = diff.created.drain(..count).collect();
        for child in &children {
            self.unlink_child(slot, *child);
        }
        children.reverse();
        cleaning.charge(count);
        cleaning.first(Step::Destroy(children));
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

    /// Takes a child out of the created list of a diff.
    fn forget_created(&mut self, slot: Slot, snapshot: SnapshotId, child: Child) {
        let Some(diff) = self.diff_at(slot, snapshot) else { return };
        let found = self.search(&diff.created, self.child_name(child));
        let found = found.ok().filter(|place| diff.created[*place] == child);
        if let Some(place) = found
            && let Some(diffs) = self.snapshots.directory_diffs.get_mut(&slot)
            && let Some(diff) = diffs.iter_mut().find(|diff| diff.snapshot == snapshot)
        {
            diff.created.remove(place);
        }
    }

    /// Takes an inode out of every created list of its directory.
    pub(super) fn forget_created_everywhere(&mut self, directory: Slot, slot: Slot) {
        if directory == Slot::NONE {
            return;
        }
        let snapshots = self.directory_diffs(directory).iter().map(|diff| diff.snapshot);
        for snapshot in snapshots.collect::<Vec<_>>() {
            self.forget_created(directory, snapshot, Child::INode(slot));
        }
    }

    /// Children moved into the deleted list of the prior diff: what they got after that goes away. First what is `below` a
    /// directory of which that was done joins the queue.
    pub(super) fn clean_deleted(
        &mut self,
        mut queue: VecDeque<Child>,
        below: Option<Slot>,
        range: Range,
        cleaning: &mut Cleaning,
    ) {
        if let Some(slot) = below {
            let deleted: FastSet<Slot> = self.deleted_in(slot, range.prior).into_iter().collect();
            let children = self.marked_children(slot, range.prior).into_iter();
            queue.extend(children.filter(|child| !deleted.contains(&self.child_slot(*child))));
            cleaning.charge(self.children_of(slot).len() + deleted.len());
        }
        let Some(child) = queue.pop_front() else { return };
        let slot = self.child_slot(child);
        if let Child::Name(number) = child {
            let is_later = self.snapshots.names.get(number).last_snapshot >= range.snapshot;
            let known = self.snapshots.references.get(&slot);
            let is_only = known.is_some_and(|k| k.dst.is_none() && k.names.last() == Some(&number));
            if is_later && is_only {
                queue.push_back(Child::INode(slot));
            }
            cleaning.first(Step::DeletedTree { queue, below: None, range });
            if is_later && !is_only {
                self.clean_name(number, range, cleaning);
            }
            return;
        }
        let is_directory = self.record(slot).is_directory();
        let below = is_directory.then_some(slot);
        cleaning.first(Step::DeletedTree { queue, below, range });
        if is_directory {
            cleaning.first(Step::DestroyCreated { directory: slot, snapshot: range.prior });
        } else if self.record(slot).is_file() && self.record(slot).has(Flag::Diffs) {
            self.delete_file_diff(slot, range, cleaning);
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
