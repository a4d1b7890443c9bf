//! Moving inodes that snapshots know.
//!
//! Hadoop: FSDirRenameOp.RenameOperation, INodeDirectory.replaceChild4ReferenceWithName (3.5.0)

use super::cleaning::Cleaning;
use super::model::{Child, SnapshotId, WithName};
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::quota::QuotaCounts;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Moves an inode, with references where snapshots still show it at its old place.
    pub(crate) fn move_with_snapshots(
        &mut self,
        moved: Slot,
        parent: Slot,
        name: &[u8],
        replaced: Option<Slot>,
        timestamp: hdfs_types::WallMillis,
        effects: &mut Effects,
    ) {
        let old_parent = self.record(moved).parent;
        let src_latest = self.latest_snapshot(moved);
        let dst_latest = match replaced {
            Some(replaced) => self.latest_snapshot(replaced),
            None => self.latest_snapshot_below(parent),
        };
        let in_snapshot = self.is_child_in_latest(moved, src_latest);
        let same_policy = self.storage_policy(old_parent) == self.storage_policy(parent);
        if in_snapshot {
            self.record_file_change(moved, src_latest, true);
            self.leave_name(moved, src_latest);
        } else {
            // What is referenced takes what it counts with it.
            if !self.record(moved).has(Flag::Referenced) {
                let usage = self.subtree_usage(moved);
                self.add_usage(old_parent, &usage.negated());
            }
            self.take_out(moved, src_latest);
        }
        let clean = replaced.is_some_and(|replaced| {
            self.forget_snapshottable_below(replaced);
            let clean = self.take_out(replaced, dst_latest);
            if !clean {
                self.leave_to_snapshots(replaced, effects);
            }
            clean
        });
        self.rename_node(moved, name);
        if let Some(reference) = self.snapshots.references.get_mut(&moved) {
            reference.dst = Some(dst_latest);
        }
        self.link(parent, moved, dst_latest);
        self.add_moved_usage(moved, parent, same_policy);
        self.carry_mtime(old_parent, timestamp, src_latest);
        self.carry_mtime(parent, timestamp, dst_latest);
        if let Some(replaced) = replaced.filter(|_| clean) {
            let mut cleaning = Cleaning::of(SnapshotId::CURRENT);
            self.clean_removed(replaced, dst_latest, &mut cleaning);
            self.begin_cleaning(cleaning, effects);
        }
    }

    /// What a rename replaced is in other snapshots only, and needs no cleaning. Nobody writes it any more.
    ///
    /// Hadoop keeps the lease, and sees that the file is deleted when it loads an image (INodeFile.loadSnapshotFeature).
    fn leave_to_snapshots(&mut self, slot: Slot, effects: &mut Effects) {
        if !self.record(slot).is_file() {
            return;
        }
        self.leases.remove(self.record(slot).id());
        self.change_file(slot, effects, |namespace| {
            if let Some(feature) = namespace.snapshots.file_diffs.get_mut(&slot) {
                feature.current_deleted = true;
            }
        });
    }

    /// Takes an inode out of its directory and leaves its name where snapshots show it.
    fn leave_name(&mut self, moved: Slot, latest: SnapshotId) {
        let parent = self.record(moved).parent;
        let full = self.subtree_usage(moved);
        self.add_usage(parent, &full.negated());
        let number = self.snapshots.names.insert(WithName {
            inode: moved,
            parent,
            name: self.name_of(moved).into(),
            last_snapshot: latest,
            usage: QuotaCounts::default(),
        });
        self.record_mut(moved).set(Flag::Referenced, true);
        self.mark(moved);
        let names = &self.snapshots.names;
        let known = self.snapshots.references.get_or_insert_with(moved, Box::default);
        known.dst = None;
        let place = known.names.partition_point(|other| names.get(*other).last_snapshot < latest);
        known.names.insert(place, number);
        self.replace_created(parent, moved, number);
        self.record_deleted(parent, Child::Name(number), latest);
        self.unlink(moved);
        self.count_name(number);
    }

    /// The last created list that has the inode shows the name instead. Hadoop: DirectoryDiffList.replaceCreatedChild
    fn replace_created(&mut self, directory: Slot, slot: Slot, number: u32) {
        let Some(diffs) = self.snapshots.directory_diffs.get_mut(&directory) else { return };
        for diff in diffs.iter_mut().rev() {
            if let Some(child) = diff.created.iter_mut().find(|c| **c == Child::INode(slot)) {
                *child = Child::Name(number);
                return;
            }
        }
    }
}
