//! Snapshots of directories: allowed and disallowed, made, renamed, deleted.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirSnapshotOp, snapshot.SnapshotManager,
//! snapshot.DirectorySnapshottableFeature} (3.5.0)

use hdfs_format::edits::{
    AllowSnapshotOp, CreateSnapshotOp, DeleteSnapshotOp, DisallowSnapshotOp, EditOp,
    RenameSnapshotOp,
};
use hdfs_types::{Error, ErrorKind, Result, WallMillis};

use super::limits::check_time;
use crate::effects::Effects;
use crate::lease::civil_date;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, text};
use crate::snapshot::model::{SNAPSHOT_QUOTA, Snapshot, SnapshotId};
use crate::store::name_pool::{MAX_NAME_BYTES, compare_names};
use crate::store::record::{Flag, Slot};

/// Ids of snapshots have 28 bits.
const MAX_SNAPSHOT_ID: i32 = (1 << 28) - 1;

impl Namespace {
    /// Lets snapshots be taken of a directory.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, FileNotFound, PathIsNotDirectory, Snapshot when a directory above or
    /// below is snapshottable.
    pub fn plan_allow_snapshot(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<Planned<()>> {
        ctx.caller.check_superuser_for("allowSnapshot")?;
        let slot = self.snapshot_directory(ctx, path)?;
        self.check_nested(slot, path)?;
        let op = AllowSnapshotOp { snapshot_root: path.to_vec() };
        Ok(Planned::one(ctx, EditOp::AllowSnapshot(op), ()))
    }

    /// Ends that; nothing changes when it was not allowed.
    ///
    /// # Errors
    /// As [`Self::plan_allow_snapshot`]; Snapshot when there are snapshots.
    pub fn plan_disallow_snapshot(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Planned<()>> {
        ctx.caller.check_superuser_for("disallowSnapshot")?;
        let slot = self.snapshot_directory(ctx, path)?;
        if self.snapshots_of(slot).is_some_and(|snapshots| !snapshots.is_empty()) {
            return Err(refused(format!(
                "The directory {} has snapshot(s). Please redo the operation after removing all the snapshots.",
                text(path)
            )));
        }
        let op = DisallowSnapshotOp { snapshot_root: path.to_vec() };
        Ok(Planned::one(ctx, EditOp::DisallowSnapshot(op), ()))
    }

    /// Takes a snapshot; without a name it is named after the time. The result is its path.
    ///
    /// # Errors
    /// AccessControl unless the caller owns the directory, InvalidPath, HadoopIllegalArgument and PathComponentTooLong for the
    /// name, Snapshot when the directory is not snapshottable, has one of that name, or too many.
    pub fn plan_create_snapshot(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        name: Option<&[u8]>,
    ) -> Result<Planned<Vec<u8>>> {
        let resolved = self.snapshot_root_of_owner(ctx, path)?;
        let name = match name.filter(|name| !name.is_empty()) {
            None => default_name(ctx.now).into_bytes(),
            Some(name) if is_valid_component(name) => name.to_vec(),
            Some(name) => {
                return Err(Error::new(
                    ErrorKind::InvalidPath,
                    format!("Invalid path name Invalid snapshot name: {}", text(name)),
                ));
            }
        };
        self.verify_snapshot_name(ctx, &name, path)?;
        let slot = self.snapshottable(&resolved)?;
        self.check_snapshot_limits(ctx, slot, &name)?;
        let snapshot_path = snapshot_path(path, &name);
        let op = CreateSnapshotOp {
            snapshot_root: path.to_vec(),
            snapshot_name: name,
            mtime: ctx.now,
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::CreateSnapshot(op), snapshot_path))
    }

    /// Gives a snapshot another name.
    ///
    /// # Errors
    /// As [`Self::plan_create_snapshot`]; Snapshot when there is none of the old name, or one of the new.
    pub fn plan_rename_snapshot(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        old: &[u8],
        new: &[u8],
    ) -> Result<Planned<()>> {
        let resolved = self.snapshot_root_of_owner(ctx, path)?;
        self.verify_snapshot_name(ctx, new, path)?;
        let slot = self.snapshottable(&resolved)?;
        let about = |name: &[u8], what| {
            let message =
                format!("The snapshot {} {what} for directory {}", text(name), text(path));
            Err(refused(message))
        };
        if self.snapshot_by_name(slot, old).is_none() {
            return about(old, "does not exist");
        }
        if old != new && self.snapshot_by_name(slot, new).is_some() {
            return about(new, "already exists");
        }
        let op = RenameSnapshotOp {
            snapshot_root: path.to_vec(),
            snapshot_old_name: old.to_vec(),
            snapshot_new_name: new.to_vec(),
            mtime: ctx.now,
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::RenameSnapshot(op), ()))
    }

    /// Deletes a snapshot, or only marks it when deletion goes in order.
    ///
    /// # Errors
    /// AccessControl unless the caller owns the directory, Snapshot when there is no such snapshot.
    pub fn plan_delete_snapshot(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        name: &[u8],
    ) -> Result<Planned<()>> {
        let resolved = self.snapshot_root_of_owner(ctx, path)?;
        let slot = self.snapshottable(&resolved)?;
        if ctx.conf.ordered_snapshot_deletion {
            self.check_ordered_deletion(slot, &resolved, name)?;
        } else if self.snapshot_by_name(slot, name).is_none() {
            return Err(refused(format!(
                "Cannot delete snapshot {} from path {}: the snapshot does not exist.",
                text(name),
                resolved.text()
            )));
        }
        let op = DeleteSnapshotOp {
            snapshot_root: path.to_vec(),
            snapshot_name: name.to_vec(),
            mtime: ctx.now,
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::DeleteSnapshot(op), ()))
    }

    /// Snapshots of a snapshottable directory, by name; None for others. `/` always counts as one.
    pub(crate) fn snapshots_of(&self, slot: Slot) -> Option<&[Snapshot]> {
        if self.record(slot).has(Flag::Snapshottable) {
            self.snapshots.snapshottable.get(&slot).map(|feature| &*feature.snapshots)
        } else {
            (slot == Slot::ROOT).then_some(&[])
        }
    }

    /// Without permission checks, as Hadoop for superusers.
    fn snapshot_directory(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<Slot> {
        let resolved = self.resolve_unreserved(path)?;
        self.check_traverse(ctx, &resolved, true)?;
        if resolved.snapshot {
            return Err(Error::new(
                ErrorKind::SnapshotAccessControl,
                "Modification on a read-only snapshot is disallowed",
            ));
        }
        self.as_directory(resolved.last(), || text(path))
    }

    fn snapshot_root_of_owner<'a>(
        &'a self,
        ctx: &PlanContext<'_>,
        path: &'a [u8],
    ) -> Result<Resolved<'a>> {
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        if ctx.conf.permissions_enabled {
            self.check_owner(ctx, &resolved)?;
        }
        Ok(resolved)
    }

    /// Hadoop: SnapshotManager.getSnapshottableRoot
    fn snapshottable(&self, resolved: &Resolved<'_>) -> Result<Slot> {
        let slot = self.as_directory(resolved.last(), || resolved.text())?;
        if self.snapshots_of(slot).is_none() {
            return Err(refused(format!(
                "Directory is not a snapshottable directory: {}",
                resolved.text()
            )));
        }
        Ok(slot)
    }

    /// Hadoop: SnapshotManager.checkNestedSnapshottable
    fn check_nested(&self, slot: Slot, path: &[u8]) -> Result<()> {
        let ids = self.snapshots.order.iter();
        for other in ids.filter_map(|id| self.index.get(id.0)).map(Slot) {
            if other == slot {
                continue;
            }
            let relation = if self.ancestry(other).any(|above| above == slot) {
                "subdirectory"
            } else if self.ancestry(slot).any(|above| above == other) {
                "ancestor"
            } else {
                continue;
            };
            return Err(refused(format!(
                "Nested snapshottable directories not allowed: path={}, the {relation} {} is already a snapshottable \
                 directory.",
                text(path),
                text(&self.path_of(other))
            )));
        }
        Ok(())
    }

    /// Hadoop: FSDirSnapshotOp.verifySnapshotName
    fn verify_snapshot_name(&self, ctx: &PlanContext<'_>, name: &[u8], path: &[u8]) -> Result<()> {
        if name.contains(&b'/') {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                "Snapshot name cannot contain \"/\"",
            ));
        }
        if name == b".snapshot" {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                "\".snapshot\" is a reserved name.",
            ));
        }
        self.verify_component_length(ctx, name, || text(path))
    }

    fn check_snapshot_limits(&self, ctx: &PlanContext<'_>, slot: Slot, name: &[u8]) -> Result<()> {
        if self.snapshots.counter == MAX_SNAPSHOT_ID {
            return Err(refused(format!(
                "Failed to create the snapshot. The FileSystem has run out of snapshot IDs and ID rollover is not \
                 supported and the max snapshot limit is: {}",
                ctx.conf.max_snapshots
            )));
        }
        let limited = |count: usize, limit: usize, of: &str| {
            if count < limit {
                return Ok(());
            }
            Err(refused(format!(
                "Failed to create snapshot: there are already {count} snapshot(s) and the {of} snapshot limit is {limit}"
            )))
        };
        limited(self.snapshots.count as usize, ctx.conf.max_snapshots_total, "file system")?;
        let feature = self.snapshots.snapshottable.get(&slot);
        let count = feature.map_or(0, |feature| feature.snapshots.len());
        let quota = feature.map_or(0, |feature| feature.quota);
        if count >= quota as usize {
            return Err(refused(format!(
                "Failed to add snapshot: there are already {count} snapshot(s) and the snapshot quota is {quota}"
            )));
        }
        limited(count, ctx.conf.max_snapshots, "per directory")?;
        if self.snapshot_by_name(slot, name).is_some() {
            return Err(refused(format!(
                "Failed to add snapshot: there is already a snapshot with the same name \"{}\".",
                text(name)
            )));
        }
        Ok(())
    }

    pub(crate) fn apply_allow_snapshot(&mut self, op: &AllowSnapshotOp) -> Result<Effects, String> {
        let slot = self.replay_directory(&op.snapshot_root)?;
        self.record_mut(slot).set(Flag::Snapshottable, true);
        self.snapshots.snapshottable.entry(slot).or_default().quota = SNAPSHOT_QUOTA;
        let id = self.record(slot).id();
        self.snapshots.add_to_order(id);
        Ok(Effects::default())
    }

    pub(crate) fn apply_disallow_snapshot(
        &mut self,
        op: &DisallowSnapshotOp,
    ) -> Result<Effects, String> {
        let slot = self.replay_directory(&op.snapshot_root)?;
        if self.snapshots_of(slot).is_some_and(|snapshots| !snapshots.is_empty()) {
            return Err(format!("{} has snapshots", text(&op.snapshot_root)));
        }
        self.forget_snapshottable(slot);
        Ok(Effects::default())
    }

    /// Snapshots of a directory are not allowed any more, or it is gone.
    pub(crate) fn forget_snapshottable(&mut self, slot: Slot) {
        if self.record(slot).has(Flag::Snapshottable) {
            self.record_mut(slot).set(Flag::Snapshottable, false);
            self.snapshots.snapshottable.remove(&slot);
            let id = self.record(slot).id();
            self.snapshots.remove_from_order(id);
        }
    }

    pub(crate) fn apply_create_snapshot(
        &mut self,
        op: &CreateSnapshotOp,
    ) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        let slot = self.replay_snapshottable(&op.snapshot_root)?;
        let known = self.snapshots_of(slot).unwrap_or_default();
        let place =
            known.binary_search_by(|known| compare_names(&known.root.name, &op.snapshot_name));
        let Err(place) = place else {
            return Err(format!("there is a snapshot {}", text(&op.snapshot_name)));
        };
        let counter = self.snapshots.counter;
        if counter >= MAX_SNAPSHOT_ID || op.snapshot_name.len() > MAX_NAME_BYTES {
            return Err("the snapshot has no valid id or name".to_owned());
        }
        let id = SnapshotId(counter);
        let mut root = self.directory_copy(slot);
        root.name = op.snapshot_name.as_slice().into();
        root.mtime = op.mtime;
        self.add_directory_diff(slot, id, true);
        let feature = self.snapshots.snapshottable.entry(slot).or_default();
        feature.snapshots.insert(place, Snapshot { id, root });
        self.carry_mtime(slot, op.mtime, SnapshotId::CURRENT);
        self.snapshots.counter += 1;
        self.snapshots.count += 1;
        if self.capture_open_files {
            self.capture_open_files_below(slot);
        }
        Ok(Effects::default())
    }

    /// `dfs.namenode.snapshot.capture.openfiles`: open files keep the length that they have now.
    fn capture_open_files_below(&mut self, directory: Slot) {
        let open: Vec<Slot> = self
            .leases
            .files_after(hdfs_types::INodeId(0))
            .filter_map(|(id, _)| self.attached(id))
            .filter(|slot| self.ancestry(*slot).any(|above| above == directory))
            .collect();
        for slot in open {
            self.record_latest(slot);
        }
    }

    pub(crate) fn apply_rename_snapshot(
        &mut self,
        op: &RenameSnapshotOp,
    ) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        let slot = self.replay_snapshottable(&op.snapshot_root)?;
        let (old, new) = (&op.snapshot_old_name, &op.snapshot_new_name);
        if self.snapshot_by_name(slot, old).is_none() {
            return Err(format!("there is no snapshot {}", text(old)));
        }
        if old == new {
            return Ok(Effects::default());
        }
        if self.snapshot_by_name(slot, new).is_some() || new.len() > MAX_NAME_BYTES {
            return Err(format!("there can't be a snapshot {}", text(new)));
        }
        let feature = self.snapshots.snapshottable.entry(slot).or_default();
        let known = &mut feature.snapshots;
        if let Some(index) = known.iter().position(|known| *known.root.name == **old) {
            let mut snapshot = known.remove(index);
            snapshot.root.name = new.as_slice().into();
            snapshot.root.mtime = op.mtime;
            let place = known.partition_point(|other| compare_names(&other.root.name, new).is_lt());
            known.insert(place, snapshot);
        }
        Ok(Effects::default())
    }

    pub(crate) fn apply_delete_snapshot(
        &mut self,
        op: &DeleteSnapshotOp,
    ) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        let slot = self.replay_snapshottable(&op.snapshot_root)?;
        let mut effects = Effects::default();
        if self.ordered_snapshot_deletion
            && !self.mark_as_deleted(slot, &op.snapshot_name, op.mtime)?
        {
            return Ok(effects);
        }
        // As Hadoop: a log may delete a snapshot twice, when deletion in order was switched off in between.
        let Some(snapshot) = self.snapshot_by_name(slot, &op.snapshot_name) else {
            return Ok(effects);
        };
        self.remove_snapshot(slot, snapshot.id, &mut effects);
        if let Some(feature) = self.snapshots.snapshottable.get_mut(&slot) {
            feature.snapshots.retain(|known| *known.root.name != *op.snapshot_name);
        }
        self.snapshots.count -= 1;
        self.carry_mtime(slot, op.mtime, SnapshotId::CURRENT);
        Ok(effects)
    }

    pub(crate) fn replay_snapshottable(&self, path: &[u8]) -> Result<Slot, String> {
        let slot = self.replay_directory(path)?;
        if self.snapshots_of(slot).is_none() {
            return Err(format!("{} is not snapshottable", text(path)));
        }
        Ok(slot)
    }

    fn replay_directory(&self, path: &[u8]) -> Result<Slot, String> {
        let slot = self.replay_inode(path)?;
        if !self.record(slot).is_directory() {
            return Err(format!("{} is not a directory", text(path)));
        }
        Ok(slot)
    }
}

/// Hadoop: Snapshot.getSnapshotPath
fn snapshot_path(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(b".snapshot/");
    path.extend_from_slice(name);
    path
}

/// Hadoop: DFSUtil.isValidNameForComponent
fn is_valid_component(name: &[u8]) -> bool {
    !matches!(name, b"." | b".." | b".snapshot" | b".reserved")
        && !name.contains(&b':')
        && !name.contains(&b'/')
}

/// `syyyyMMdd-HHmmss.SSS`, in UTC. Hadoop: Snapshot.generateDefaultSnapshotName
fn default_name(now: WallMillis) -> String {
    let (year, month, day) = civil_date(now);
    let milliseconds = now.0 % 86_400_000;
    let seconds = milliseconds / 1_000;
    format!(
        "s{year:04}{month:02}{day:02}-{:02}{:02}{:02}.{:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        milliseconds % 1_000
    )
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Snapshot, message)
}
