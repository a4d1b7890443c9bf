//! What snapshots keep, and where.

use hdfs_format::edits::{AclEntry, XAttr};
use hdfs_types::{Block, FastMap, INodeId, ShardedMap, WallMillis};

use crate::quota::QuotaCounts;
use crate::store::record::Slot;
use crate::store::slab::Slab;

/// Number of a snapshot, ordered by the time at which it was taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct SnapshotId(pub(crate) i32);

impl SnapshotId {
    /// The tree as it is now: after every snapshot. Hadoop: Snapshot.CURRENT_STATE_ID
    pub(crate) const CURRENT: Self = Self(i32::MAX - 1);
    /// Before every snapshot. Hadoop: Snapshot.NO_SNAPSHOT_ID
    pub(crate) const NONE: Self = Self(-1);
}

/// An entry of a created or deleted list. Current children are always [`Child::INode`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Child {
    /// An inode, by its own name; when it is referenced, its current place (Hadoop: DstReference).
    INode(Slot),
    /// A name under which a snapshot shows an inode that was renamed away: a number in [`Snapshots::names`].
    Name(u32),
}

/// Hadoop: INodeReference.WithName
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct WithName {
    /// The inode (Hadoop: referred.referred).
    pub(crate) inode: Slot,
    /// The directory of the source.
    pub(crate) parent: Slot,
    pub(crate) name: Box<[u8]>,
    pub(crate) last_snapshot: SnapshotId,
    /// What it counts against the quotas of the source: what the inode was in `last_snapshot`.
    pub(crate) usage: QuotaCounts,
}

/// Where a referenced inode is known. Hadoop: INodeReference.WithCount
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Reference {
    /// Numbers in [`Snapshots::names`], by `last_snapshot`.
    pub(crate) names: Vec<u32>,
    /// The current place, whose directory is the parent of the record: the last snapshot there before the rename
    /// (Hadoop: DstReference.dstSnapshotId). None when the inode is not in the current tree.
    pub(crate) dst: Option<SnapshotId>,
}

/// Attributes of a file as they were. Hadoop: INodeFileAttributes.SnapshotCopy
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FileCopy {
    pub(crate) name: Box<[u8]>,
    /// As [`crate::store::shared::SharedAttributes::permission`].
    pub(crate) permission: u64,
    pub(crate) header: u64,
    pub(crate) mtime: WallMillis,
    pub(crate) atime: WallMillis,
    pub(crate) acl: Box<[AclEntry]>,
    pub(crate) xattrs: Box<[XAttr]>,
}

/// Attributes of a directory as they were. Hadoop: INodeDirectoryAttributes.{SnapshotCopy, CopyWithQuota}, Snapshot.Root
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DirectoryCopy {
    pub(crate) name: Box<[u8]>,
    pub(crate) permission: u64,
    pub(crate) mtime: WallMillis,
    pub(crate) acl: Box<[AclEntry]>,
    pub(crate) xattrs: Box<[XAttr]>,
    /// Limits, when any was set.
    pub(crate) quota: Option<Box<QuotaCounts>>,
}

/// Hadoop: FileDiff
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FileDiff {
    pub(crate) snapshot: SnapshotId,
    pub(crate) copy: Option<Box<FileCopy>>,
    /// Length of the file when the snapshot was taken.
    pub(crate) size: u64,
    /// Blocks of the file then, when truncate changed them.
    pub(crate) blocks: Option<Box<[Block]>>,
}

/// Hadoop: FileWithSnapshotFeature
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct FileDiffs {
    /// By snapshot.
    pub(crate) diffs: Vec<FileDiff>,
    /// The file is in snapshots only.
    pub(crate) current_deleted: bool,
}

/// Hadoop: DirectoryWithSnapshotFeature.DirectoryDiff
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DirectoryDiff {
    pub(crate) snapshot: SnapshotId,
    /// None: the attributes are those of the next diff that has a copy, or the current ones. For `is_root` the attributes
    /// are those of the snapshot's root.
    pub(crate) copy: Option<Box<DirectoryCopy>>,
    pub(crate) is_root: bool,
    /// Number of children when the snapshot was taken.
    pub(crate) children_size: u32,
    /// Made after the snapshot and before the next diff; by name.
    pub(crate) created: Vec<Child>,
    /// Deleted after the snapshot and before the next diff; by name.
    pub(crate) deleted: Vec<Child>,
}

/// Hadoop: Snapshot
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Snapshot {
    pub(crate) id: SnapshotId,
    /// Its `name` is the snapshot's.
    pub(crate) root: DirectoryCopy,
}

/// Hadoop: DirectorySnapshottableFeature
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Snapshottable {
    /// By name.
    pub(crate) snapshots: Vec<Snapshot>,
    /// Most snapshots at a time. Hadoop: snapshotQuota
    pub(crate) quota: u32,
}

/// Everything about snapshots that is not in a record. A record's flags say which table to look at:
/// `Snapshottable`, `Diffs`, `Referenced`.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    /// The id that the next snapshot gets. Hadoop: SnapshotManager.snapshotCounter
    pub(crate) counter: i32,
    /// Snapshots that exist.
    pub(crate) count: u32,
    pub(crate) snapshottable: FastMap<Slot, Box<Snapshottable>>,
    pub(crate) directory_diffs: ShardedMap<Slot, Vec<DirectoryDiff>>,
    pub(crate) file_diffs: ShardedMap<Slot, Box<FileDiffs>>,
    pub(crate) references: ShardedMap<Slot, Box<Reference>>,
    pub(crate) names: Slab<WithName>,
    /// Ids of snapshottable directories in the order in which Hadoop keeps them.
    pub(crate) order: Vec<INodeId>,
}

/// Hadoop: DirectorySnapshottableFeature.SNAPSHOT_QUOTA_DEFAULT
pub(crate) const SNAPSHOT_QUOTA: u32 = 1 << 16;

impl Snapshots {
    /// Some directory has diffs. Without, no change has anything to record.
    #[inline]
    pub(crate) fn in_use(&self) -> bool {
        !self.directory_diffs.is_empty()
    }

    /// No inode has diffs or references.
    pub(crate) fn is_empty(&self) -> bool {
        self.directory_diffs.is_empty() && self.file_diffs.is_empty() && self.references.is_empty()
    }

    /// Puts a snapshottable directory where Java's map would show it: by the place of its id in a table that doubles when
    /// it is three quarters full.
    pub(crate) fn add_to_order(&mut self, id: INodeId) {
        if !self.order.contains(&id) {
            self.order.push(id);
            self.sort_order();
        }
    }

    pub(crate) fn remove_from_order(&mut self, id: INodeId) {
        self.order.retain(|known| *known != id);
    }

    fn sort_order(&mut self) {
        let mut size = 16_u64;
        while self.order.len() as u64 >= size / 4 * 3 {
            size *= 2;
        }
        self.order.sort_by_key(|id| {
            let hash = (id.0 ^ id.0 >> 32) as u32;
            u64::from((hash ^ hash >> 16) & 0x7FFF_FFFF) & (size - 1)
        });
    }
}
