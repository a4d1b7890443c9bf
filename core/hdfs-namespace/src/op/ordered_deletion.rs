//! Deletion of snapshots in order (`dfs.namenode.snapshot.deletion.ordered`): only the first snapshot of a directory is
//! removed. A later one is marked by an extended attribute and gets another name; the collector removes it once it is the
//! first one.
//!
//! The log holds the same operation for both: what it does depends on the setting, and on which snapshot is the first one
//! when it is applied. Differs: a marked snapshot's time is the operation's, so that a replay makes the same tree; Hadoop
//! takes the time at which it replays.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.{SnapshotManager, SnapshotDeletionGc} (3.5.0)

use hdfs_format::edits::{DeleteSnapshotOp, EditOp, XAttr, XAttrNamespace};
use hdfs_types::{Error, ErrorKind, INodeId, Result, WallMillis};

use super::attr::same;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Resolved, text};
use crate::snapshot::model::{Snapshot, SnapshotId};
use crate::store::name_pool::{MAX_NAME_BYTES, compare_names};
use crate::store::record::Slot;

/// Attribute of a snapshot's root that says it is to be deleted, in the namespace `system`.
const DELETED_XATTR: &str = "hdfs.snapshot.deleted";

/// What the collector takes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollectedSnapshot {
    /// Id of the directory.
    pub directory: INodeId,
    /// Path of the directory.
    pub path: Vec<u8>,
    /// Name of the snapshot.
    pub name: Vec<u8>,
}

impl Namespace {
    /// The deletion of a snapshot that is marked and the first one of its directory; None when there is none. Directories
    /// take turns: the one after `last` is looked at first.
    ///
    /// # Errors
    /// Snapshot when a directory above has an older snapshot.
    pub fn plan_collect_snapshot(
        &self,
        ctx: &PlanContext<'_>,
        last: Option<INodeId>,
    ) -> Result<Option<Planned<CollectedSnapshot>>> {
        let order = &self.snapshots.order;
        let begin = last
            .and_then(|last| order.iter().position(|id| *id == last))
            .map_or(0, |index| index + 1);
        let (before, after) = order.split_at(begin);
        let marked = |id: &INodeId| {
            let slot = self.index.get(id.0).map(Slot)?;
            let first = self.snapshot_by_id(slot, self.first_diff(slot)?)?;
            is_marked_as_deleted(first).then(|| (slot, first.root.name.to_vec()))
        };
        let Some((slot, name)) = after.iter().chain(before).find_map(marked) else {
            return Ok(None);
        };
        let path = self.path_of(slot);
        self.check_deleted_in_order(slot, &path, &name)?;
        let op = DeleteSnapshotOp {
            snapshot_root: path.clone(),
            snapshot_name: name.clone(),
            mtime: ctx.now,
            retry: ctx.retry_key(),
        };
        let collected = CollectedSnapshot { directory: self.record(slot).id(), path, name };
        Ok(Some(Planned::one(ctx, EditOp::DeleteSnapshot(op), collected)))
    }

    /// What deletion in order demands of a snapshot that a caller deletes.
    pub(super) fn check_ordered_deletion(
        &self,
        slot: Slot,
        resolved: &Resolved<'_>,
        name: &[u8],
    ) -> Result<()> {
        let Some(snapshot) = self.snapshot_by_name(slot, name) else {
            return Err(refused(format!(
                "Cannot find the snapshot of directory {} with name {}",
                resolved.text(),
                text(name)
            )));
        };
        if self.first_diff(slot) == Some(snapshot.id) {
            return self.check_deleted_in_order(slot, &self.path_of(slot), name);
        }
        let marked = marked_name(snapshot);
        if self.snapshot_by_name(slot, &marked).is_some() {
            return Err(refused(format!(
                "The snapshot {} already exists for directory {}",
                text(&marked),
                resolved.text()
            )));
        }
        if marked.len() > MAX_NAME_BYTES {
            return Err(refused(format!("The name {} is too long", text(&marked))));
        }
        Ok(())
    }

    /// No directory above has an older snapshot: only nested snapshottable directories can.
    /// Hadoop: SnapshotManager.assertPrior
    fn check_deleted_in_order(&self, slot: Slot, path: &[u8], name: &[u8]) -> Result<()> {
        let snapshot = self.snapshot_by_name(slot, name);
        let prior = snapshot.map_or(SnapshotId::NONE, |of| self.latest_before(slot, of.id));
        if prior == SnapshotId::NONE {
            return Ok(());
        }
        Err(refused(format!(
            "Failed to removeSnapshot {} from {}: Unexpected prior (={}) when \
             dfs.namenode.snapshot.deletion.ordered is true",
            text(name),
            text(path),
            prior.0
        )))
    }

    /// Marks a snapshot, unless it is the first one: then it is to be removed, and the answer is true.
    pub(super) fn mark_as_deleted(
        &mut self,
        slot: Slot,
        name: &[u8],
        time: WallMillis,
    ) -> Result<bool, String> {
        let missing = || format!("there is no snapshot {}", text(name));
        let snapshot = self.snapshot_by_name(slot, name).ok_or_else(missing)?;
        if self.first_diff(slot) == Some(snapshot.id) {
            return Ok(true);
        }
        let new = marked_name(snapshot);
        if self.snapshot_by_name(slot, &new).is_some() || new.len() > MAX_NAME_BYTES {
            return Err(format!("there can't be a snapshot {}", text(&new)));
        }
        let known = &mut self.snapshots.snapshottable.entry(slot).or_default().snapshots;
        let index = known.iter().position(|known| *known.root.name == *name).ok_or_else(missing)?;
        let mut snapshot = known.remove(index);
        let mark = mark();
        let mut xattrs = vec![mark.clone()];
        xattrs.extend(snapshot.root.xattrs.iter().filter(|old| !same(old, &mark)).cloned());
        snapshot.root.xattrs = xattrs.into();
        snapshot.root.name = new.as_slice().into();
        snapshot.root.mtime = time;
        let place = known.partition_point(|other| compare_names(&other.root.name, &new).is_lt());
        known.insert(place, snapshot);
        Ok(false)
    }

    /// The snapshot of a directory's first diff.
    fn first_diff(&self, slot: Slot) -> Option<SnapshotId> {
        self.directory_diffs(slot).first().map(|diff| diff.snapshot)
    }

    /// With deletion in order and trashes of snapshottable directories, nothing is renamed from one such directory to
    /// another, into one or out of it. As in Hadoop, a file or a new name in `/` counts as of a snapshottable directory:
    /// `/` always is one.
    ///
    /// Hadoop: FSDirRenameOp.checkUnderSameSnapshottableRoot
    pub(super) fn check_same_snapshot_root(
        &self,
        ctx: &PlanContext<'_>,
        source: &Resolved<'_>,
        destination: &Resolved<'_>,
    ) -> Result<()> {
        if !ctx.conf.ordered_snapshot_deletion || !ctx.conf.snapshot_trash_roots {
            return Ok(());
        }
        if self.snapshottable_above(source) == self.snapshottable_above(destination) {
            return Ok(());
        }
        Err(refused(format!(
            "Source {} and dest {} are not under the same snapshot root.",
            source.text(),
            destination.text()
        )))
    }

    /// Hadoop: SnapshotManager.getSnapshottableAncestorDir
    fn snapshottable_above(&self, resolved: &Resolved<'_>) -> Option<Slot> {
        let directory = resolved
            .last()
            .filter(|slot| self.record(*slot).is_directory())
            .or_else(|| resolved.parent())?;
        if self.is_snapshottable(directory) {
            return Some(directory);
        }
        let listed = |slot: &Slot| self.snapshots.order.contains(&self.record(*slot).id());
        self.ancestry(directory).find(listed)
    }
}

/// `NAME#ID`. Hadoop: Snapshot.generateDeletedSnapshotName
fn marked_name(snapshot: &Snapshot) -> Vec<u8> {
    let mut name = snapshot.root.name.to_vec();
    name.extend_from_slice(format!("#{}", snapshot.id.0).as_bytes());
    name
}

fn mark() -> XAttr {
    XAttr { namespace: XAttrNamespace::System, name: DELETED_XATTR.to_owned(), value: None }
}

/// Hadoop: Snapshot.Root.isMarkedAsDeleted
pub(crate) fn is_marked_as_deleted(snapshot: &Snapshot) -> bool {
    let mark = mark();
    snapshot.root.xattrs.iter().any(|xattr| same(xattr, &mark))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Snapshot, message)
}
