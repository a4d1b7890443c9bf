//! Renaming: without options (false for most failures) and with them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirRenameOp (3.5.0)

use hdfs_format::edits::{EditOp, RenameOldOp, RenameOp, RenameOption};
use hdfs_types::{Error, ErrorKind, FsAction, Result, WallMillis};

use super::limits::check_time;
use super::mkdir::last_component;
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, is_exact_reserved, text};
use crate::snapshot::model::SnapshotId;
use crate::store::name_pool::MAX_NAME_BYTES;
use crate::store::record::{Flag, Slot};

/// Options of a rename.
///
/// Hadoop: org.apache.hadoop.fs.Options.Rename (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RenameFlags {
    /// Replace the destination.
    pub overwrite: bool,
    /// The destination lies in the trash: the caller must be allowed to delete the source.
    pub to_trash: bool,
}

impl Namespace {
    /// Renames without options: into the destination when that is a directory. False when source or destination do not
    /// allow it.
    ///
    /// # Errors
    /// AccessControl, ParentNotDirectory, InvalidPath, limits and quotas.
    pub fn plan_rename(
        &self,
        ctx: &PlanContext<'_>,
        src: &[u8],
        dst: &[u8],
    ) -> Result<Planned<bool>> {
        let source = self.resolve(ctx, src, Purpose::WriteLink)?;
        let destination = self.resolve(ctx, dst, Purpose::CreateLink)?;
        let named = destination.components.len();
        let destination = self.inside_directory(&source, destination);
        self.check_leaving(ctx, &source, false)?;
        if destination.components.len() > named {
            self.check_access(ctx, &destination, Access::ancestor(FsAction::EXECUTE))?;
        }
        self.check_access(ctx, &destination, Access::ancestor(FsAction::WRITE))?;
        let refused = Ok(Planned::nothing(ctx, false));
        let Some(moved) = source.last().filter(|slot| *slot != Slot::ROOT) else { return refused };
        self.check_no_snapshots(moved)?;
        let (from, to) = (source.path(), destination.path());
        if from == to {
            return Ok(Planned::nothing(ctx, true));
        }
        match self.validate_destination(moved, &from, &to) {
            Err(error) if error.kind == ErrorKind::InvalidPath => return Err(error),
            Err(_) => return refused,
            Ok(()) => {}
        }
        if destination.last().is_some() || destination.parent().is_none() {
            return refused;
        }
        self.check_nesting(moved, &from, destination.parent())?;
        self.check_same_snapshot_root(ctx, &source, &destination)?;
        self.check_zones(&source, &destination)?;
        self.verify_move(ctx, &source, &destination)?;
        let op = EditOp::RenameOld(RenameOldOp {
            src: from,
            dst: to,
            timestamp: ctx.now,
            retry: ctx.retry_key(),
        });
        Ok(Planned::one(ctx, op, true).in_directory(self.record(moved).parent))
    }

    /// Renames with options: the destination is the new name itself, and failures say why. True when the destination was
    /// replaced.
    ///
    /// # Errors
    /// FileNotFound, FileAlreadyExists, ParentNotDirectory, AccessControl, Io with Hadoop's reasons, limits and quotas.
    pub fn plan_rename2(
        &self,
        ctx: &PlanContext<'_>,
        src: &[u8],
        dst: &[u8],
        flags: RenameFlags,
    ) -> Result<Planned<bool>> {
        let source = self.resolve(ctx, src, Purpose::WriteLink)?;
        let destination = self.resolve(ctx, dst, Purpose::CreateLink)?;
        self.check_leaving(ctx, &source, flags.to_trash)?;
        self.check_access(ctx, &destination, Access::ancestor(FsAction::WRITE))?;
        let (from, to) = (source.path(), destination.path());
        let Some(moved) = source.last() else {
            return Err(not_found(format!("rename source {} is not found.", text(&from))));
        };
        if moved == Slot::ROOT {
            return Err(Error::io("rename source cannot be the root"));
        }
        self.check_no_snapshots(moved)?;
        if from == to {
            return Err(exists(format!(
                "The source {} and destination {} are the same",
                text(&from),
                text(&to)
            )));
        }
        self.validate_destination(moved, &from, &to)?;
        if destination.components.is_empty() {
            return Err(Error::io("rename destination cannot be the root"));
        }
        self.check_zones(&source, &destination)?;
        if let Some(replaced) = destination.last() {
            self.validate_overwrite(moved, replaced, &from, &to, flags.overwrite)?;
            self.check_no_snapshots(replaced)?;
        }
        if destination.parent().is_none() {
            return Err(not_found(format!("rename destination parent {} not found.", text(&to))));
        }
        self.check_nesting(moved, &from, destination.parent())?;
        self.check_same_snapshot_root(ctx, &source, &destination)?;
        self.verify_move(ctx, &source, &destination)?;
        let mut options = Vec::new();
        if flags.overwrite {
            options.push(RenameOption::Overwrite);
        }
        if flags.to_trash {
            options.push(RenameOption::ToTrash);
        }
        if options.is_empty() {
            options.push(RenameOption::None);
        }
        let op = EditOp::Rename(RenameOp {
            src: from,
            dst: to,
            timestamp: ctx.now,
            options,
            retry: ctx.retry_key(),
        });
        let replaces = destination.last().is_some();
        Ok(Planned::one(ctx, op, replaces).in_directory(self.record(moved).parent))
    }

    /// A destination that is a directory means the source's name inside of it.
    fn inside_directory<'a>(
        &'a self,
        source: &Resolved<'a>,
        mut destination: Resolved<'a>,
    ) -> Resolved<'a> {
        if let Some(directory) = destination.last()
            && self.record(directory).is_directory()
        {
            let name = source.last_name();
            destination.components.push(name);
            destination.slots.extend(self.child(directory, name));
        }
        destination
    }

    fn check_leaving(
        &self,
        ctx: &PlanContext<'_>,
        source: &Resolved<'_>,
        to_trash: bool,
    ) -> Result<()> {
        if source.last().is_some_and(|slot| self.is_non_empty_directory(slot)) {
            self.check_protected(ctx, source)?;
        }
        let leave = if to_trash { Access::removal() } else { Access::parent(FsAction::WRITE) };
        self.check_access(ctx, source, leave)
    }

    fn validate_destination(&self, moved: Slot, from: &[u8], to: &[u8]) -> Result<()> {
        let record = self.record(moved);
        if record.is_symlink() && **self.targets.get(record.number()) == *to {
            return Err(exists(format!(
                "Cannot rename symlink {} to its target {}",
                text(from),
                text(to)
            )));
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with(b"/")) {
            return Err(Error::io(format!(
                "Rename destination {} is a directory or file under source {}",
                text(to),
                text(from)
            )));
        }
        if is_exact_reserved(from) || is_exact_reserved(to) {
            return Err(Error::new(
                ErrorKind::InvalidPath,
                "Invalid path name Cannot rename to or from /.reserved",
            ));
        }
        Ok(())
    }

    fn validate_overwrite(
        &self,
        moved: Slot,
        replaced: Slot,
        from: &[u8],
        to: &[u8],
        overwrite: bool,
    ) -> Result<()> {
        let is_directory = self.record(replaced).is_directory();
        if is_directory != self.record(moved).is_directory() {
            return Err(Error::io(format!(
                "Source {} and destination {} must both be directories",
                text(from),
                text(to)
            )));
        }
        if !overwrite {
            return Err(exists(format!("rename destination {} already exists", text(to))));
        }
        if self.is_non_empty_directory(replaced) {
            return Err(Error::io(format!(
                "rename destination directory is not empty: {}",
                text(to)
            )));
        }
        Ok(())
    }

    /// Snapshottable directories do not move below others. Hadoop: FSDirRenameOp.validateNestSnapshot
    fn check_nesting(&self, moved: Slot, from: &[u8], parent: Option<Slot>) -> Result<()> {
        let Some(parent) = parent.filter(|_| !self.snapshots.order.is_empty()) else {
            return Ok(());
        };
        let below = |slot: Slot| self.snapshots_of(slot).is_some() && slot != Slot::ROOT;
        let nested = self.snapshots_of(parent).is_some() || self.ancestry(parent).any(below);
        if nested && !self.snapshottable_below(moved).is_empty() {
            return Err(Error::new(
                ErrorKind::Snapshot,
                format!(
                    "Unable to rename because {} has snapshottable descendant directories and {} is a descent of a \
                     snapshottable directory, and HDFS does not support nested snapshottable directory.",
                    text(from),
                    text(&self.path_of(parent))
                ),
            ));
        }
        Ok(())
    }

    /// Limits and quotas of the destination.
    fn verify_move(
        &self,
        ctx: &PlanContext<'_>,
        source: &Resolved<'_>,
        destination: &Resolved<'_>,
    ) -> Result<()> {
        let (Some(moved), Some(parent)) = (source.last(), destination.parent()) else {
            return Ok(());
        };
        let old_parent = self.record(moved).parent;
        let name = destination.last_name();
        self.verify_name(ctx, name, || destination.parent_text(), parent == Slot::ROOT)?;
        if old_parent != parent {
            self.verify_max_items(ctx, parent, 0, || destination.parent_text())?;
        }
        let common = self.common_ancestor(old_parent, parent);
        // What a snapshot holds stays counted at the old place: then the directories above both places count it twice.
        let latest = destination.last().map_or_else(
            || self.latest_snapshot_below(parent),
            |replaced| self.latest_snapshot(replaced),
        );
        let stop = (!self.is_in_latest(common, latest)).then_some(common);
        if self.has_quota_below(parent, stop) {
            let mut delta = self.subtree_usage(moved);
            let policy = self.storage_policy(parent);
            if policy != self.storage_policy(old_parent) {
                delta.types = self.types_below(moved, policy);
            }
            if let Some(replaced) = destination.last() {
                delta = delta.minus(&self.subtree_usage(replaced));
            }
            self.verify_quota(parent, &delta, stop)?;
        }
        Ok(())
    }

    fn common_ancestor(&self, a: Slot, b: Slot) -> Slot {
        let mut of_a: Vec<Slot> = self.ancestry(a).collect();
        let mut of_b: Vec<Slot> = self.ancestry(b).collect();
        let mut common = Slot::ROOT;
        while let (Some(a), Some(b)) = (of_a.pop(), of_b.pop()) {
            if a != b {
                break;
            }
            common = a;
        }
        common
    }

    fn has_quota_below(&self, from: Slot, stop: Option<Slot>) -> bool {
        self.ancestry(from)
            .take_while(|slot| Some(*slot) != stop)
            .any(|slot| self.record(slot).has(Flag::Quota))
    }

    pub(crate) fn apply_rename_old(&mut self, op: &RenameOldOp) -> Result<Effects, String> {
        let moved = self.replay_inode(&op.src)?;
        let mut dst = op.dst.clone();
        if self.find(&dst).is_some_and(|slot| self.record(slot).is_directory()) && op.src != op.dst
        {
            dst.push(b'/');
            dst.extend_from_slice(last_component(&op.src));
        }
        self.apply_move(moved, &dst, op.timestamp, false)
    }

    pub(crate) fn apply_rename(&mut self, op: &RenameOp) -> Result<Effects, String> {
        let moved = self.replay_inode(&op.src)?;
        let overwrite = op.options.contains(&RenameOption::Overwrite);
        self.apply_move(moved, &op.dst, op.timestamp, overwrite)
    }

    fn apply_move(
        &mut self,
        moved: Slot,
        dst: &[u8],
        timestamp: WallMillis,
        overwrite: bool,
    ) -> Result<Effects, String> {
        check_time(timestamp.0)?;
        let (replaced, parent, name) = {
            let destination = self.resolve_unchecked(dst).map_err(|error| error.message)?;
            let replaced = destination.last();
            if replaced == Some(moved) {
                return Ok(Effects::default());
            }
            let parent = self.check_move(moved, &destination, overwrite)?;
            (replaced, parent, destination.last_name().to_vec())
        };
        for slot in std::iter::once(moved).chain(replaced) {
            self.check_no_snapshots(slot).map_err(|error| error.message)?;
        }
        let old_parent = self.record(moved).parent;
        let mut effects = Effects::default();
        let marked = |slot: Slot| self.record(slot).has(Flag::Marked);
        if self.snapshots.in_use() || marked(moved) || replaced.is_some_and(marked) {
            self.move_with_snapshots(moved, parent, &name, replaced, timestamp, &mut effects);
            return Ok(effects);
        }
        let usage = self.subtree_usage(moved);
        let same_policy = self.storage_policy(old_parent) == self.storage_policy(parent);
        self.add_usage(old_parent, &usage.negated());
        if let Some(replaced) = replaced {
            self.forget_snapshottable_below(replaced);
            self.detach(replaced, &mut effects);
        }
        self.unlink(moved);
        self.rename_node(moved, &name);
        self.link(parent, moved, SnapshotId::CURRENT);
        self.add_moved_usage(moved, parent, same_policy);
        self.carry_mtime(old_parent, timestamp, SnapshotId::CURRENT);
        self.carry_mtime(parent, timestamp, SnapshotId::CURRENT);
        Ok(effects)
    }

    fn check_move(
        &self,
        moved: Slot,
        destination: &Resolved<'_>,
        overwrite: bool,
    ) -> Result<Slot, String> {
        let path = || destination.text();
        let parent = destination
            .parent()
            .filter(|slot| self.record(*slot).is_directory())
            .ok_or_else(|| format!("the parent of {} is not a directory", path()))?;
        if moved == Slot::ROOT || self.ancestry(parent).any(|slot| slot == moved) {
            return Err(format!("{} lies below the source", path()));
        }
        if destination.last_name().len() > MAX_NAME_BYTES {
            return Err(format!("the name of {} is too long", path()));
        }
        match destination.last() {
            Some(_) if !overwrite => Err(format!("{} exists", path())),
            Some(replaced) if self.is_non_empty_directory(replaced) => {
                Err(format!("{} is not empty", path()))
            }
            _ => Ok(parent),
        }
    }

    /// Adds what an inode counts to its new directory.
    pub(crate) fn add_moved_usage(&mut self, moved: Slot, parent: Slot, same_policy: bool) {
        let usage = if same_policy {
            self.subtree_usage(moved)
        } else {
            // Another storage policy is inherited now.
            self.recount_usage(moved).0
        };
        self.add_usage(parent, &usage);
    }
}

fn not_found(message: String) -> Error {
    Error::new(ErrorKind::FileNotFound, message)
}

fn exists(message: String) -> Error {
    Error::new(ErrorKind::FileAlreadyExists, message)
}
