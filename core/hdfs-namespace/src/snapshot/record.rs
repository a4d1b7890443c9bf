//! Keeping what an inode was before it changes.

use hdfs_types::Block;

use super::model::{
    Child, DirectoryCopy, DirectoryDiff, FileCopy, FileDiff, FileDiffs, SnapshotId,
};
use crate::namespace::Namespace;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Keeps the attributes of an inode that is about to change, when the latest snapshot holds it and has no copy yet.
    ///
    /// Hadoop: INodeDirectory.recordModification, INodeFile.recordModification (3.5.0)
    pub(crate) fn record_change(&mut self, slot: Slot, latest: SnapshotId) {
        if latest != SnapshotId::CURRENT {
            self.record_file_change(slot, latest, false);
        }
    }

    /// The same, with the blocks of a file when they are about to change.
    pub(crate) fn record_file_change(&mut self, slot: Slot, latest: SnapshotId, with_blocks: bool) {
        if !self.records_change(slot, latest) {
            return;
        }
        if self.record(slot).is_directory() {
            let copy = self.directory_copy(slot);
            let diff = self.diff_for(slot, latest);
            if !diff.is_root && diff.copy.is_none() {
                diff.copy = Some(Box::new(copy));
            }
        } else if self.record(slot).is_file() {
            self.save_file(slot, latest, with_blocks);
        }
    }

    /// The latest snapshot on an inode's path holds it, and takes its changes.
    pub(crate) fn records_change(&self, slot: Slot, latest: SnapshotId) -> bool {
        self.is_in_latest(slot, latest) && !self.records_for_source(slot, latest)
    }

    /// Keeps the attributes of an inode that an operation names.
    pub(crate) fn record_latest(&mut self, slot: Slot) {
        if self.snapshots.in_use() {
            let latest = self.latest_snapshot(slot);
            self.record_change(slot, latest);
        }
    }

    /// The diff into which changes of a directory go. Hadoop: AbstractINodeDiffList.checkAndAddLatestSnapshotDiff
    pub(crate) fn diff_for(&mut self, directory: Slot, latest: SnapshotId) -> &mut DirectoryDiff {
        if self.directory_diffs(directory).last().is_none_or(|last| last.snapshot < latest) {
            self.add_directory_diff(directory, latest, false);
        }
        self.snapshots
            .directory_diffs
            .get_mut(&directory)
            .and_then(|diffs| diffs.last_mut())
            .expect("the last diff was there or was added")
    }

    pub(crate) fn add_directory_diff(&mut self, slot: Slot, snapshot: SnapshotId, is_root: bool) {
        let children_size = self.children_of(slot).len() as u32;
        self.record_mut(slot).set(Flag::Diffs, true);
        self.mark(slot);
        self.snapshots.directory_diffs.get_or_insert_with(slot, Vec::default).push(DirectoryDiff {
            snapshot,
            copy: None,
            is_root,
            children_size,
            created: Vec::new(),
            deleted: Vec::new(),
        });
    }

    fn save_file(&mut self, slot: Slot, latest: SnapshotId, with_blocks: bool) {
        let copy = self.file_copy(slot);
        let size = self.file_length(slot);
        let blocks = with_blocks.then(|| self.blocks_of(slot).to_vec());
        self.record_mut(slot).set(Flag::Diffs, true);
        self.mark(slot);
        let diffs = &mut self.snapshots.file_diffs.get_or_insert_with(slot, Box::default).diffs;
        if diffs.last().is_none_or(|last| last.snapshot < latest) {
            diffs.push(FileDiff { snapshot: latest, copy: None, size, blocks: None });
        }
        if let Some(diff) = diffs.last_mut() {
            diff.copy.get_or_insert_with(|| Box::new(copy));
            if let Some(blocks) = blocks {
                diff.keep_blocks(&blocks);
            }
        }
    }

    /// Attributes of a directory as they are.
    pub(crate) fn directory_copy(&self, slot: Slot) -> DirectoryCopy {
        let record = self.record(slot);
        DirectoryCopy {
            name: self.name_of(slot).into(),
            permission: self.permission_of(slot),
            mtime: record.mtime(),
            acl: self.acl(slot).into(),
            xattrs: self.xattrs(slot).into(),
            quota: self.quotas.get(&slot).map(|quota| Box::new(quota.limit)),
        }
    }

    fn file_copy(&self, slot: Slot) -> FileCopy {
        let record = self.record(slot);
        FileCopy {
            name: self.name_of(slot).into(),
            permission: self.permission_of(slot),
            header: self.shared_of(slot).header,
            mtime: record.mtime(),
            atime: record.atime(),
            acl: self.acl(slot).into(),
            xattrs: self.xattrs(slot).into(),
        }
    }

    /// The diffs of a file, by snapshot; empty when it has none.
    pub(crate) fn file_diffs(&self, slot: Slot) -> &[FileDiff] {
        self.file_feature(slot).map_or(&[], |feature| &feature.diffs)
    }

    pub(crate) fn file_feature(&self, slot: Slot) -> Option<&FileDiffs> {
        if self.record(slot).has(Flag::Diffs) {
            self.snapshots.file_diffs.get(&slot).map(|feature| &**feature)
        } else {
            None
        }
    }

    /// Says of an inode and everything above that snapshots may know something there.
    pub(crate) fn mark(&mut self, slot: Slot) {
        let mut slot = slot;
        while slot != Slot::NONE && !self.record(slot).has(Flag::Marked) {
            let record = self.record_mut(slot);
            record.set(Flag::Marked, true);
            slot = record.parent;
        }
    }

    /// A child comes into a directory of the latest snapshot. Hadoop: Diff.create
    pub(crate) fn record_created(&mut self, directory: Slot, slot: Slot, latest: SnapshotId) {
        let child = Child::INode(slot);
        let mut created = std::mem::take(&mut self.diff_for(directory, latest).created);
        self.insert_child(&mut created, child);
        self.diff_for(directory, latest).created = created;
    }

    /// A child leaves a directory of the latest snapshot. Hadoop: Diff.delete
    pub(crate) fn record_deleted(&mut self, directory: Slot, child: Child, latest: SnapshotId) {
        let diff = self.diff_for(directory, latest);
        let mut lists = (std::mem::take(&mut diff.created), std::mem::take(&mut diff.deleted));
        self.delete_in(&mut lists.0, &mut lists.1, child);
        let diff = self.diff_for(directory, latest);
        (diff.created, diff.deleted) = lists;
    }

    pub(super) fn insert_child(&self, list: &mut Vec<Child>, child: Child) {
        if let Err(place) = self.search(list, self.child_name(child)) {
            list.insert(place, child);
        } else {
            debug_assert!(false, "a list has one child of each name");
        }
    }

    /// Hadoop: Diff.delete. What was created since is forgotten, and returned.
    pub(super) fn delete_in(
        &self,
        created: &mut Vec<Child>,
        deleted: &mut Vec<Child>,
        child: Child,
    ) -> Option<Child> {
        match self.search(created, self.child_name(child)) {
            Ok(place) => Some(created.remove(place)),
            Err(_) => {
                self.insert_child(deleted, child);
                None
            }
        }
    }

    /// A block of a file has another length or stamp: its diffs show the same block.
    pub(crate) fn follow_block(&mut self, slot: Slot, block: Block) {
        if !self.record(slot).has(Flag::Diffs) {
            return;
        }
        let Some(feature) = self.snapshots.file_diffs.get_mut(&slot) else { return };
        for diff in &mut feature.diffs {
            for known in diff.blocks.iter_mut().flatten().filter(|known| known.id == block.id) {
                *known = block;
            }
        }
    }
}

impl FileDiff {
    /// Keeps the blocks that hold the file's length then, when none are kept yet. Hadoop: FileDiff.setBlocks
    pub(super) fn keep_blocks(&mut self, blocks: &[Block]) {
        if self.blocks.is_some() {
            return;
        }
        let mut bytes = 0;
        let mut count = 0;
        for block in blocks {
            if bytes >= self.size {
                break;
            }
            bytes += block.num_bytes;
            count += 1;
        }
        // None and no blocks are the same in images.
        self.blocks = (count > 0).then(|| blocks[..count].into());
    }
}
