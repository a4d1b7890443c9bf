//! Which directories are snapshottable, and which snapshots they have.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.SnapshotManager (3.5.0)

use hdfs_types::{Error, ErrorKind, FsAction, Result, WallMillis};

use super::Inherited;
use crate::namespace::Namespace;
use crate::op::ordered_deletion::is_marked_as_deleted;
use crate::permission::Access;
use crate::plan::{Caller, PlanContext};
use crate::resolve::Resolved;
use crate::snapshot::model::{Snapshot, SnapshotId};
use crate::status::FileStatus;
use crate::store::name_pool::compare_names;
use crate::store::record::Slot;

/// A snapshottable directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshottableDirectory {
    /// Its status, with its own name.
    pub status: FileStatus,
    /// Snapshots that it has.
    pub snapshots: u32,
    /// Most snapshots at a time.
    pub quota: u32,
    /// The path of its parent; empty for `/`.
    pub parent: Vec<u8>,
}

/// A snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotStatus {
    /// Status of its root, with the snapshot's name.
    pub status: FileStatus,
    /// Its number.
    pub id: u32,
    /// It waits to be deleted.
    pub is_deleted: bool,
    /// The snapshottable directory.
    pub directory: Vec<u8>,
}

impl Namespace {
    /// Snapshottable directories of a user, by path; all of them for a superuser. None when there are none at all.
    pub fn snapshottable_directories(
        &self,
        caller: &Caller<'_>,
    ) -> Option<Vec<SnapshottableDirectory>> {
        if self.snapshots.order.is_empty() {
            return None;
        }
        let mine = |slot: &Slot| {
            let owner = self.users.name(self.user_of(*slot));
            caller.is_superuser || &**owner == caller.user
        };
        let mut directories: Vec<SnapshottableDirectory> = self
            .snapshottable_slots()
            .filter(mine)
            .map(|slot| self.describe_snapshottable(slot))
            .collect();
        directories.sort_by(|a, b| {
            compare_names(&a.parent, &b.parent)
                .then_with(|| compare_names(&a.status.name, &b.status.name))
        });
        Some(directories)
    }

    fn snapshottable_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.snapshots.order.iter().filter_map(|id| self.index.get(id.0).map(Slot))
    }

    fn describe_snapshottable(&self, slot: Slot) -> SnapshottableDirectory {
        let feature = self.snapshots.snapshottable.get(&slot);
        let now = SnapshotId::CURRENT;
        let mut status = self.status(slot, now, self.name_of(slot).to_vec(), false);
        status.storage_policy = 0;
        status.ec_policy = 0;
        status.has_acl = false;
        status.snapshottable = false;
        let parent = self.record(slot).parent;
        SnapshottableDirectory {
            status,
            snapshots: feature
                .map_or(0, |of| u32::try_from(of.snapshots.len()).unwrap_or(u32::MAX)),
            quota: feature.map_or(0, |of| of.quota),
            parent: if parent == Slot::NONE { Vec::new() } else { self.path_of(parent) },
        }
    }

    /// The snapshots of a directory, by name.
    ///
    /// # Errors
    /// FileNotFound, PathIsNotDirectory, Snapshot, AccessControl.
    pub fn get_snapshot_listing(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Vec<SnapshotStatus>> {
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
        let resolved = self.resolve_unreserved(path.get(..end).unwrap_or(path))?;
        let anyone = PlanContext { caller: Caller { is_superuser: true, ..ctx.caller }, ..*ctx };
        self.check_traverse(&anyone, &resolved, true)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        let slot = self.snapshottable_root(&resolved)?;
        let known = self.snapshots.snapshottable.get(&slot);
        let snapshots = known.map_or(&[][..], |feature| &feature.snapshots);
        Ok(snapshots.iter().map(|snapshot| self.snapshot_status(slot, snapshot)).collect())
    }

    /// A snapshot as an entry of `.snapshot`.
    pub(super) fn snapshot_root_status(&self, slot: Slot, snapshot: &Snapshot) -> FileStatus {
        let name = snapshot.root.name.to_vec();
        let mut status = self.status_with_policy((slot, snapshot.id), name, false, Inherited::NONE);
        // As in Hadoop, which does not look for the number of children then.
        status.children = self.children_count_at(slot, SnapshotId::CURRENT);
        status.snapshottable = false;
        status
    }

    fn snapshot_status(&self, slot: Slot, snapshot: &Snapshot) -> SnapshotStatus {
        let mut status = self.snapshot_root_status(slot, snapshot);
        status.atime = WallMillis(0);
        status.ec_policy = 0;
        status.has_acl = false;
        SnapshotStatus {
            status,
            id: snapshot.id.0.cast_unsigned(),
            is_deleted: is_marked_as_deleted(snapshot),
            directory: self.path_of(slot),
        }
    }

    /// Every snapshottable directory and its snapshots, for monitoring: directories in Hadoop's order.
    pub fn snapshots_by_directory(
        &self,
    ) -> impl Iterator<Item = (SnapshottableDirectory, Vec<SnapshotStatus>)> + '_ {
        self.snapshottable_slots().map(|slot| {
            let known = self.snapshots.snapshottable.get(&slot);
            let snapshots = known.map_or(&[][..], |feature| &feature.snapshots);
            let statuses = snapshots.iter().map(|of| self.snapshot_status(slot, of)).collect();
            (self.describe_snapshottable(slot), statuses)
        })
    }

    /// How many snapshottable directories there are, and how many snapshots.
    pub fn snapshot_counts(&self) -> (u32, u32) {
        let directories = u32::try_from(self.snapshots.order.len()).unwrap_or(u32::MAX);
        (directories, self.snapshots.count)
    }

    /// The snapshottable directory at a path. Hadoop: SnapshotManager.getSnapshottableRoot
    pub(crate) fn snapshottable_root(&self, resolved: &Resolved<'_>) -> Result<Slot> {
        let slot = self.as_directory(resolved.last(), || resolved.text())?;
        if self.is_snapshottable(slot) && !resolved.is_snapshot_root() {
            return Ok(slot);
        }
        Err(Error::new(
            ErrorKind::Snapshot,
            format!("Directory is not a snapshottable directory: {}", resolved.text()),
        ))
    }
}

/// `DIRECTORY/.snapshot/NAME`. Hadoop: Snapshot.getSnapshotPath
pub fn snapshot_path(directory: &str, name: &str) -> String {
    format!("{}/.snapshot/{name}", directory.strip_suffix('/').unwrap_or(directory))
}
