//! Taking inodes out of the tree or out of snapshots.
//!
//! Cleaning removes what only the deleted state (a snapshot, or the current tree) showed; destroying removes an inode
//! with everything that its snapshots kept. What is left without a place is detached and reclaimed later. Quotas follow
//! every inode that goes, so no difference is carried along as in Hadoop. What a function here leaves to others it puts on
//! the stack of steps, the last first.
//!
//! Hadoop: INode.{cleanSubtree, destroyAndCollectBlocks}, INodeReference.*, DirectoryWithSnapshotFeature (3.5.0)

use hdfs_types::FastSet;

use super::cleaning::{Cleaning, Step};
use super::latest::up_to;
use super::model::{Child, SnapshotId, WithName};
use super::usage::NameCount;
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::store::record::{Flag, Slot};

/// What is cleaned: the state of `snapshot`, as far as `prior` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Range {
    pub(super) snapshot: SnapshotId,
    pub(super) prior: SnapshotId,
}

impl Range {
    pub(super) fn is_current(self) -> bool {
        self.snapshot == SnapshotId::CURRENT
    }

    fn with_prior(self, prior: SnapshotId) -> Self {
        Self { prior, ..self }
    }

    /// A prior snapshot that a reference has seen already covers the one that is deleted.
    fn is_covered(self) -> bool {
        self.prior != SnapshotId::NONE && self.snapshot <= self.prior
    }
}

impl Namespace {
    /// Removes an inode and everything below from the current tree. Hadoop: FSDirDeleteOp.unprotectedDelete
    pub(crate) fn delete_inode(
        &mut self,
        slot: Slot,
        time: hdfs_types::WallMillis,
        effects: &mut Effects,
    ) {
        let parent = self.record(slot).parent;
        self.forget_snapshottable_below(slot);
        if !self.snapshots.in_use() && !self.record(slot).has(Flag::Marked) {
            self.detach(slot, effects);
            self.carry_mtime(parent, time, SnapshotId::CURRENT);
            return;
        }
        let latest = self.latest_snapshot(slot);
        self.record_change(slot, latest);
        self.take_out(slot, latest);
        self.carry_mtime(parent, time, latest);
        let mut cleaning = Cleaning::of(SnapshotId::CURRENT);
        self.clean_removed(slot, latest, &mut cleaning);
        self.begin_cleaning(cleaning, effects);
    }

    /// Removes what only a snapshot of a directory shows. Hadoop: DirectorySnapshottableFeature.removeSnapshot
    pub(crate) fn remove_snapshot(
        &mut self,
        directory: Slot,
        snapshot: SnapshotId,
        effects: &mut Effects,
    ) {
        let range = Range { snapshot, prior: self.latest_before(directory, snapshot) };
        let mut cleaning = Cleaning::of(snapshot);
        self.clean_inode(directory, range, &mut cleaning);
        self.begin_cleaning(cleaning, effects);
    }

    /// Takes a child out of its directory, into a deleted list when the latest snapshot holds it. False when other places
    /// refer to it, and nothing needs to be cleaned for a rename that replaces it.
    ///
    /// Hadoop: FSDirectory.removeLastINode
    pub(crate) fn take_out(&mut self, slot: Slot, latest: SnapshotId) -> bool {
        let parent = self.record(slot).parent;
        if latest != SnapshotId::CURRENT && self.is_in_latest(parent, latest) {
            self.record_deleted(parent, Child::INode(slot), latest);
        }
        self.unlink(slot);
        if !self.record(slot).has(Flag::Referenced) || self.is_child_in_latest(slot, latest) {
            return true;
        }
        self.drop_dst(slot);
        self.snapshots.references.get(&slot).is_none_or(|reference| reference.names.is_empty())
    }

    /// Places that refer to an inode; 0 when it never was renamed out of a snapshot.
    pub(crate) fn reference_count(&self, slot: Slot) -> usize {
        if !self.record(slot).has(Flag::Referenced) {
            return 0;
        }
        let known = self.snapshots.references.get(&slot);
        known.map_or(0, |known| known.names.len() + usize::from(known.dst.is_some()))
    }

    /// A source of a concat, which no snapshot shows, leaves its directory for good.
    pub(crate) fn take_out_joined(&mut self, slot: Slot, latest: SnapshotId) {
        let parent = self.record(slot).parent;
        if latest != SnapshotId::CURRENT && self.is_in_latest(parent, latest) {
            self.record_deleted(parent, Child::INode(slot), latest);
        }
        self.unlink(slot);
        if self.record(slot).has(Flag::Marked) {
            self.snapshots.references.remove(&slot);
            self.record_mut(slot).set(Flag::Referenced, false);
            self.snapshots.file_diffs.remove(&slot);
            self.record_mut(slot).set(Flag::Diffs, false);
        }
    }

    /// Cleans or destroys what `take_out` took out.
    pub(crate) fn clean_removed(
        &mut self,
        slot: Slot,
        latest: SnapshotId,
        cleaning: &mut Cleaning,
    ) {
        self.mark_open_files(slot);
        if self.is_child_in_latest(slot, latest) {
            let range = Range { snapshot: SnapshotId::CURRENT, prior: latest };
            self.clean_child(Child::INode(slot), range, cleaning);
        } else {
            self.destroy_child(Child::INode(slot), cleaning);
        }
    }

    /// Open files must be found by a cleaning, which looks only where a mark is.
    fn mark_open_files(&mut self, top: Slot) {
        let open: Vec<Slot> = self.open_files.keys().copied().collect();
        for slot in open {
            if self.ancestry(slot).any(|above| above == top) {
                self.mark(slot);
            }
        }
    }

    /// Hadoop: SnapshotManager.removeSnapshottable of what is deleted
    pub(crate) fn forget_snapshottable_below(&mut self, top: Slot) {
        if self.snapshots.order.is_empty() {
            return;
        }
        for slot in self.snapshottable_below(top) {
            self.forget_snapshottable(slot);
        }
    }

    /// Snapshottable directories from `top` downwards, in the order of paths.
    pub(crate) fn snapshottable_below(&self, top: Slot) -> Vec<Slot> {
        let slots = self.snapshots.order.iter().filter_map(|id| self.index.get(id.0)).map(Slot);
        let mut below: Vec<Slot> =
            slots.filter(|slot| self.ancestry(*slot).any(|above| above == top)).collect();
        below.sort_by_cached_key(|slot| {
            let mut path: Vec<_> = self.ancestry(*slot).map(|at| self.name_of(at)).collect();
            path.reverse();
            path.iter().map(|name| name.to_vec()).collect::<Vec<_>>()
        });
        below
    }

    /// The current place of a renamed inode goes away, with what it counts.
    pub(crate) fn drop_dst(&mut self, slot: Slot) {
        let usage = self.subtree_usage(slot);
        let parent = self.record(slot).parent;
        self.add_usage(parent, &usage.negated());
        if let Some(reference) = self.snapshots.references.get_mut(&slot) {
            reference.dst = None;
        }
        self.record_mut(slot).parent = Slot::NONE;
    }

    /// Hadoop: cleanSubtree of a child of a directory
    pub(super) fn clean_child(&mut self, child: Child, range: Range, cleaning: &mut Cleaning) {
        match child {
            Child::Name(number) => self.clean_name(number, range, cleaning),
            Child::INode(slot) if self.record(slot).has(Flag::Referenced) => {
                self.clean_dst(slot, range, cleaning);
            }
            Child::INode(slot) => self.clean_inode(slot, range, cleaning),
        }
    }

    /// Hadoop: INodeReference.WithName.cleanSubtree
    pub(super) fn clean_name(&mut self, number: u32, range: Range, cleaning: &mut Cleaning) {
        let WithName { inode, last_snapshot, .. } = *self.snapshots.names.get(number);
        let prior = match range.prior {
            SnapshotId::NONE => self.prior_of_name(inode, last_snapshot),
            prior => prior,
        };
        let range = range.with_prior(prior);
        if range.is_covered() {
            return;
        }
        if range.snapshot >= last_snapshot {
            let count = NameCount::of(self, self.snapshots.names.get(number));
            cleaning.first(Step::Count { number, count });
        }
        self.clean_inode(inode, range, cleaning);
    }

    /// Hadoop: INodeReference.DstReference.cleanSubtree
    fn clean_dst(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if range.is_current() && range.prior == SnapshotId::NONE {
            self.destroy_dst(slot, cleaning);
            return;
        }
        let prior = match range.prior {
            SnapshotId::NONE => self.prior_of_dst(slot),
            prior => prior,
        };
        let range = range.with_prior(prior);
        if range.is_current() || !range.is_covered() {
            self.clean_inode(slot, range, cleaning);
        }
    }

    /// Hadoop: cleanSubtree of an inode itself
    pub(super) fn clean_inode(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        let record = self.record(slot);
        if record.is_file() {
            self.clean_file(slot, range, cleaning);
        } else if record.is_directory() {
            self.clean_directory(slot, range, cleaning);
        } else if range.is_current() && range.prior == SnapshotId::NONE {
            self.destroy_inode(slot, cleaning);
        }
    }

    /// Hadoop: destroyAndCollectBlocks of a child of a directory
    pub(super) fn destroy_child(&mut self, child: Child, cleaning: &mut Cleaning) {
        match child {
            Child::Name(number) => self.destroy_name(number, cleaning),
            Child::INode(slot) if self.record(slot).has(Flag::Referenced) => {
                self.destroy_dst(slot, cleaning);
            }
            Child::INode(slot) => self.destroy_inode(slot, cleaning),
        }
    }

    /// Hadoop: INodeReference.WithName.destroyAndCollectBlocks
    fn destroy_name(&mut self, number: u32, cleaning: &mut Cleaning) {
        let name = self.snapshots.names.remove(number);
        self.add_usage(name.parent, &name.usage.negated());
        let slot = name.inode;
        let snapshot = self.diff_up_to(slot, name.last_snapshot);
        if let Some(reference) = self.snapshots.references.get_mut(&slot) {
            reference.names.retain(|known| *known != number);
            if reference.names.is_empty() && reference.dst.is_none() {
                self.destroy_unreferenced(slot, cleaning);
                return;
            }
        }
        if snapshot == SnapshotId::NONE {
            return;
        }
        let range = Range { snapshot, prior: self.prior_of_name(slot, name.last_snapshot) };
        if !range.is_covered() {
            self.clean_inode(slot, range, cleaning);
        }
    }

    /// Hadoop: INodeReference.DstReference.destroyAndCollectBlocks
    fn destroy_dst(&mut self, slot: Slot, cleaning: &mut Cleaning) {
        if self.dst_snapshot(slot).is_some() {
            self.drop_dst(slot);
        }
        let reference = self.snapshots.references.get(&slot);
        if reference.is_none_or(|reference| reference.names.is_empty()) {
            self.destroy_unreferenced(slot, cleaning);
            return;
        }
        let prior = self.prior_of_dst(slot);
        if prior == SnapshotId::NONE {
            return;
        }
        let last = self.last_diff(slot);
        let snapshot = if last == prior { SnapshotId::CURRENT } else { last };
        if let Some(feature) = self.snapshots.file_diffs.get_mut(&slot) {
            feature.current_deleted = true;
        }
        self.destroy_dst_inode(slot, Range { snapshot, prior }, cleaning);
    }

    fn destroy_unreferenced(&mut self, slot: Slot, cleaning: &mut Cleaning) {
        self.snapshots.references.remove(&slot);
        self.record_mut(slot).set(Flag::Referenced, false);
        self.destroy_inode(slot, cleaning);
    }

    /// Hadoop: DirectoryWithSnapshotFeature.destroyDstSubtree
    pub(super) fn destroy_dst_inode(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if self.record(slot).is_file() {
            self.clean_file(slot, range, cleaning);
            return;
        }
        if !self.record(slot).is_directory() {
            return;
        }
        let excluded: FastSet<Slot> = self.deleted_in(slot, range.prior).into_iter().collect();
        cleaning.charge(excluded.len());
        cleaning.first(Step::DstChildren { directory: slot, range, excluded });
        cleaning.first(Step::DestroyCreated { directory: slot, snapshot: range.prior });
        if !range.is_current() {
            self.delete_directory_diff(slot, range, cleaning);
        }
    }

    /// Removes an inode that has no place any more, with everything below and everything that snapshots kept of it.
    pub(super) fn destroy_inode(&mut self, slot: Slot, cleaning: &mut Cleaning) {
        if cleaning.destroyed.insert(slot) {
            cleaning.first(Step::Detach(slot));
            self.strip(slot, cleaning);
        }
    }

    /// Takes everything about snapshots out of a tree that goes away, so that it can be reclaimed like any other.
    fn strip(&mut self, slot: Slot, cleaning: &mut Cleaning) {
        // Marks outlive the snapshots that set them: looking for what they announce would walk the tree for nothing.
        if !self.record(slot).has(Flag::Marked) || self.snapshots.is_empty() {
            return;
        }
        self.record_mut(slot).set(Flag::Marked, false);
        if self.record(slot).is_file() {
            self.strip_file(slot);
            return;
        }
        if !self.record(slot).is_directory() {
            return;
        }
        self.record_mut(slot).set(Flag::Diffs, false);
        let diffs = self.snapshots.directory_diffs.remove(&slot).unwrap_or_default();
        let mut deleted: Vec<Child> =
            diffs.iter().flat_map(|diff| &diff.deleted).copied().collect();
        deleted.reverse();
        cleaning.first(Step::StripChildren(slot));
        cleaning.first(Step::Destroy(deleted));
    }

    pub(super) fn strip_children(&mut self, directory: Slot, cleaning: &mut Cleaning) {
        let children = self.children_of(directory);
        cleaning.charge(children.len());
        let marked = children.iter().filter(|child| self.record(*child).has(Flag::Marked));
        let mut marked: Vec<Slot> = marked.collect();
        marked.reverse();
        cleaning.first(Step::StripList(marked));
    }

    pub(super) fn strip_child(&mut self, child: Slot, cleaning: &mut Cleaning) {
        if self.record(child).has(Flag::Referenced) {
            self.unlink(child);
            self.destroy_dst(child, cleaning);
        } else {
            self.strip(child, cleaning);
        }
    }

    /// The last diff of an inode up to a snapshot; NONE without one.
    pub(super) fn diff_up_to(&self, slot: Slot, snapshot: SnapshotId) -> SnapshotId {
        if !self.record(slot).has(Flag::Diffs) {
            return SnapshotId::NONE;
        }
        if self.record(slot).is_directory() {
            up_to(self.directory_diffs(slot).iter().map(|diff| diff.snapshot), snapshot)
        } else {
            up_to(self.file_diffs(slot).iter().map(|diff| diff.snapshot), snapshot)
        }
    }

    /// Hadoop: INodeReference.getPriorSnapshot of a WithName
    fn prior_of_name(&self, inode: Slot, last_snapshot: SnapshotId) -> SnapshotId {
        let names = self.snapshots.references.get(&inode).map_or(&[][..], |known| &known.names);
        let earlier = names
            .iter()
            .map(|number| self.snapshots.names.get(*number).last_snapshot)
            .take_while(|snapshot| *snapshot < last_snapshot)
            .last();
        earlier.map_or(SnapshotId::NONE, |snapshot| self.diff_up_to(inode, snapshot))
    }

    /// Hadoop: INodeReference.getPriorSnapshot of a DstReference
    fn prior_of_dst(&self, inode: Slot) -> SnapshotId {
        self.prior_of_name(inode, SnapshotId::CURRENT)
    }

    /// The children of a directory in a snapshot about which snapshots may know something.
    pub(super) fn marked_children(&self, slot: Slot, at: SnapshotId) -> Vec<Child> {
        let marked = |child: Child| match child {
            Child::Name(_) => true,
            Child::INode(slot) => self.record(slot).has(Flag::Marked),
        };
        if at == SnapshotId::CURRENT || self.directory_diffs(slot).is_empty() {
            let children = self.children_of(slot).iter().map(Child::INode);
            return children.filter(|child| marked(*child)).collect();
        }
        let mut children = self.children_at(slot, at);
        children.retain(|child| marked(*child));
        children
    }
}
