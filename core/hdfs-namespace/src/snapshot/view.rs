//! Reading the tree as it was.

use hdfs_format::edits::{AclEntry, XAttr};
use hdfs_types::{Block, FsPermission, WallMillis};

use super::model::{Child, DirectoryCopy, DirectoryDiff, FileCopy, Snapshot, SnapshotId};
use crate::namespace::{Namespace, group_of, user_of};
use crate::quota::QuotaCounts;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

/// Attributes of an inode, now or in a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'a> {
    /// As [`crate::store::shared::SharedAttributes::permission`].
    pub(crate) permission: u64,
    /// Files only.
    pub(crate) header: u64,
    pub(crate) mtime: WallMillis,
    pub(crate) atime: WallMillis,
    pub(crate) acl: &'a [AclEntry],
    pub(crate) xattrs: &'a [XAttr],
    /// Limits of a directory, when it had any in a snapshot; for the current state see `quotas`.
    pub(crate) quota: Option<&'a QuotaCounts>,
}

impl Attributes<'_> {
    pub(crate) fn mode(&self) -> FsPermission {
        FsPermission(self.permission as u16)
    }

    pub(crate) fn user(&self) -> u32 {
        user_of(self.permission)
    }

    pub(crate) fn group(&self) -> u32 {
        group_of(self.permission)
    }
}

impl<'a> From<&'a DirectoryCopy> for Attributes<'a> {
    fn from(copy: &'a DirectoryCopy) -> Self {
        Self {
            permission: copy.permission,
            header: 0,
            mtime: copy.mtime,
            atime: WallMillis(0),
            acl: &copy.acl,
            xattrs: &copy.xattrs,
            quota: copy.quota.as_deref(),
        }
    }
}

impl<'a> From<&'a FileCopy> for Attributes<'a> {
    fn from(copy: &'a FileCopy) -> Self {
        Self {
            permission: copy.permission,
            header: copy.header,
            mtime: copy.mtime,
            atime: copy.atime,
            acl: &copy.acl,
            xattrs: &copy.xattrs,
            quota: None,
        }
    }
}

impl Namespace {
    /// The inode behind an entry of a list.
    pub(crate) fn child_slot(&self, child: Child) -> Slot {
        match child {
            Child::INode(slot) => slot,
            Child::Name(number) => self.snapshots.names.get(number).inode,
        }
    }

    /// The name of an entry of a list.
    pub(crate) fn child_name(&self, child: Child) -> &[u8] {
        match child {
            Child::INode(slot) => self.name_of(slot),
            Child::Name(number) => &self.snapshots.names.get(number).name,
        }
    }

    /// The diffs of a directory, by snapshot; empty when it has none.
    pub(crate) fn directory_diffs(&self, slot: Slot) -> &[DirectoryDiff] {
        if self.record(slot).has(Flag::Diffs) {
            self.snapshots.directory_diffs.get(&slot).map_or(&[], |diffs| diffs)
        } else {
            &[]
        }
    }

    /// The snapshot of a snapshottable directory with this name.
    pub(crate) fn snapshot_by_name(&self, directory: Slot, name: &[u8]) -> Option<&Snapshot> {
        let feature = self.snapshots.snapshottable.get(&directory)?;
        let found =
            feature.snapshots.binary_search_by(|known| compare_names(&known.root.name, name));
        found.ok().and_then(|index| feature.snapshots.get(index))
    }

    /// The snapshot of a snapshottable directory with this id.
    pub(crate) fn snapshot_by_id(&self, directory: Slot, id: SnapshotId) -> Option<&Snapshot> {
        let feature = self.snapshots.snapshottable.get(&directory)?;
        feature.snapshots.iter().find(|known| known.id == id)
    }

    /// The attributes of an inode in a snapshot. Hadoop: INode.getSnapshotINode
    pub(crate) fn attributes_at(&self, slot: Slot, at: SnapshotId) -> Attributes<'_> {
        if at != SnapshotId::CURRENT && self.record(slot).has(Flag::Diffs) {
            if self.record(slot).is_directory() {
                let later = self.directory_diffs(slot).iter().filter(|diff| diff.snapshot >= at);
                for diff in later {
                    if let Some(copy) = &diff.copy {
                        return Attributes::from(&**copy);
                    }
                    if diff.is_root
                        && let Some(snapshot) = self.snapshot_by_id(slot, diff.snapshot)
                    {
                        return Attributes::from(&snapshot.root);
                    }
                }
            } else if let Some(feature) = self.snapshots.file_diffs.get(&slot) {
                let mut later = feature.diffs.iter().filter(|diff| diff.snapshot >= at);
                if let Some(copy) = later.find_map(|diff| diff.copy.as_deref()) {
                    return Attributes::from(copy);
                }
            }
        }
        let (record, shared) = (self.record(slot), self.shared_of(slot));
        Attributes {
            permission: shared.permission,
            header: shared.header,
            mtime: record.mtime(),
            atime: record.atime(),
            acl: self.acl(slot),
            xattrs: self.xattrs(slot),
            quota: self.quotas.get(&slot).map(|quota| &quota.limit),
        }
    }

    /// Extended attributes, now or in a snapshot.
    pub(crate) fn xattrs_at(&self, slot: Slot, at: SnapshotId) -> &[XAttr] {
        if at == SnapshotId::CURRENT {
            self.xattrs(slot)
        } else {
            self.attributes_at(slot, at).xattrs
        }
    }

    /// A child of a directory in a snapshot. Hadoop: DirectoryDiff.getChild
    pub(crate) fn child_at(&self, directory: Slot, name: &[u8], at: SnapshotId) -> Option<Child> {
        if at != SnapshotId::CURRENT {
            for diff in self.directory_diffs(directory).iter().filter(|diff| diff.snapshot >= at) {
                if let Ok(index) = self.search(&diff.deleted, name) {
                    return diff.deleted.get(index).copied();
                }
                if self.search(&diff.created, name).is_ok() {
                    return None;
                }
            }
        }
        self.child(directory, name).map(Child::INode)
    }

    /// Where a name is, or would be, in a created or deleted list.
    pub(crate) fn search(&self, list: &[Child], name: &[u8]) -> Result<usize, usize> {
        list.binary_search_by(|child| compare_names(self.child_name(*child), name))
    }

    /// The children of a directory in a snapshot, by name. Hadoop: DirectoryDiff.getChildrenList
    pub(crate) fn children_at(&self, directory: Slot, at: SnapshotId) -> Vec<Child> {
        let mut children: Vec<Child> =
            self.children_of(directory).iter().map(Child::INode).collect();
        if at == SnapshotId::CURRENT {
            return children;
        }
        let diffs = self.directory_diffs(directory);
        for diff in diffs.iter().rev().take_while(|diff| diff.snapshot >= at) {
            children = self.without(children, &diff.created);
            children = self.merge_children(children, &diff.deleted);
        }
        children
    }

    /// Children without those whose names are in a list. Both are sorted; the names between are not looked at.
    fn without(&self, children: Vec<Child>, list: &[Child]) -> Vec<Child> {
        if list.is_empty() {
            return children;
        }
        let mut kept = Vec::with_capacity(children.len());
        let mut rest = &children[..];
        for child in list {
            let name = self.child_name(*child);
            let before = self.place_of(rest, |other| compare_names(other, name).is_lt());
            kept.extend_from_slice(&rest[..before]);
            rest = &rest[before..];
            while rest.first().is_some_and(|next| self.child_name(*next) == name) {
                rest = &rest[1..];
            }
        }
        kept.extend_from_slice(rest);
        kept
    }

    /// Both lists, sorted. The second one is short as a rule: the names between its own are not looked at.
    fn merge_children(&self, children: Vec<Child>, list: &[Child]) -> Vec<Child> {
        if list.is_empty() {
            return children;
        }
        let mut merged = Vec::with_capacity(children.len() + list.len());
        let mut rest = &children[..];
        for child in list {
            let name = self.child_name(*child);
            let before = self.place_of(rest, |other| compare_names(other, name).is_le());
            merged.extend_from_slice(&rest[..before]);
            merged.push(*child);
            rest = &rest[before..];
        }
        merged.extend_from_slice(rest);
        merged
    }

    /// How many at the beginning are before a place: steps that double, then halves.
    fn place_of(&self, children: &[Child], is_before: impl Fn(&[u8]) -> bool) -> usize {
        let is_before = |child: &Child| is_before(self.child_name(*child));
        let mut end = 1;
        while children.get(end - 1).is_some_and(&is_before) {
            end *= 2;
        }
        let begin = end / 2;
        let end = end.min(children.len());
        begin + children[begin..end].partition_point(is_before)
    }

    /// The length of a file in a snapshot; None when its current length counts.
    /// Hadoop: INodeFile.computeFileSize(snapshotId)
    pub(crate) fn file_size_at(&self, slot: Slot, at: SnapshotId) -> Option<u64> {
        let feature = self.snapshots.file_diffs.get(&slot)?;
        let diff = feature.diffs.iter().find(|diff| diff.snapshot >= at)?;
        (at != SnapshotId::CURRENT).then_some(diff.size)
    }

    /// The blocks of a file in a snapshot; None when they are the current ones.
    /// Hadoop: INodeFile.getBlocks(snapshotId)
    pub(crate) fn file_blocks_at(&self, slot: Slot, at: SnapshotId) -> Option<&[Block]> {
        if at == SnapshotId::CURRENT {
            return None;
        }
        let feature = self.snapshots.file_diffs.get(&slot)?;
        let mut later = feature.diffs.iter().filter(|diff| diff.snapshot >= at);
        later.find_map(|diff| diff.blocks.as_deref())
    }
}
