//! What changed below a directory between two snapshots, or between a snapshot and now.
//!
//! Both reports walk the earlier tree from the top: a directory tells from its diffs which names came and went, a file
//! whether its length or its attributes changed. What was deleted is not entered, unless it was renamed to another place
//! below the same directory.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.{DirectorySnapshottableFeature.computeDiff, SnapshotDiffInfo,
//! SnapshotDiffListingInfo} (3.5.0)

use hdfs_types::{FsAction, Result};

use crate::namespace::Namespace;
use crate::permission::{Access, BelowCheck};
use crate::plan::PlanContext;
use crate::resolve::{Purpose, Resolved, join, text};
use crate::snapshot::model::{Child, SnapshotId};
use crate::store::record::{Flag, Slot};

mod changed;
mod listing;
mod report;
mod scope;

pub use listing::{DiffCursor, DiffListing, DiffListingEntry};
pub use report::DiffReportCursor;

/// Names below the directory of a report.
pub(crate) type RelativePath = Vec<Box<[u8]>>;

/// What happened to an entry of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiffKind {
    /// It is new.
    Create,
    /// Its attributes, its content or its names changed.
    Modify,
    /// It is gone.
    Delete,
    /// It has another name or place.
    Rename,
}

impl DiffKind {
    /// Hadoop's mark.
    pub fn label(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Modify => "M",
            Self::Delete => "-",
            Self::Rename => "R",
        }
    }
}

/// A line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiffEntry {
    /// What happened.
    pub kind: DiffKind,
    /// Path below the directory of the report; empty for itself.
    pub path: Vec<u8>,
    /// Where it was renamed to.
    pub target: Option<Vec<u8>>,
}

/// A whole report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiffReport {
    /// The snapshottable directory.
    pub root: Vec<u8>,
    /// Name of the first snapshot; empty for now.
    pub from: Vec<u8>,
    /// Name of the second snapshot; empty for now.
    pub to: Vec<u8>,
    /// The changes that lead from the first to the second.
    pub entries: Vec<DiffEntry>,
}

impl Namespace {
    /// Begins to check that the caller may read everything of both states.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub(super) fn begin_diff_access(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        (from, to): (&[u8], &[u8]),
    ) -> Result<Vec<BelowCheck>> {
        self.resolve(ctx, path, Purpose::Read)?;
        let from = self.begin_snapshot_access(ctx, path, from)?;
        let to = self.begin_snapshot_access(ctx, path, to)?;
        Ok([to, from].into_iter().flatten().collect())
    }

    fn begin_snapshot_access(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        name: &[u8],
    ) -> Result<Option<BelowCheck>> {
        let mut path = path.to_vec();
        if path == b"/" {
            path.clear();
        }
        path.extend_from_slice(b"/.snapshot/");
        path.extend_from_slice(name);
        let resolved = self.resolve(ctx, &path, Purpose::Read)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        let top = resolved.last().map(|slot| (slot, resolved.at));
        Ok(top.map(|top| self.begin_below_check(ctx, top, (FsAction::READ, false))))
    }

    /// Checks on, at most about `budget` inodes; true at the end.
    pub(super) fn continue_diff_access(
        &self,
        ctx: &PlanContext<'_>,
        checks: &mut Vec<BelowCheck>,
        budget: usize,
    ) -> Result<bool> {
        while let Some(check) = checks.last_mut() {
            if !self.continue_below_check(&ctx.caller, check, budget)? {
                return Ok(false);
            }
            checks.pop();
        }
        Ok(true)
    }

    /// The entry stands for an inode that was renamed out of a snapshot.
    pub(crate) fn is_reference(&self, child: Child) -> bool {
        match child {
            Child::Name(_) => true,
            Child::INode(slot) => self.record(slot).has(Flag::Referenced),
        }
    }

    /// Where an inode that was renamed is in the later tree, when it is still below `top`.
    /// Hadoop: DirectorySnapshottableFeature.findRenameTargetPath
    pub(crate) fn rename_target(
        &self,
        top: Slot,
        mut slot: Slot,
        later: SnapshotId,
    ) -> Option<RelativePath> {
        let mut names = RelativePath::new();
        while slot != top {
            let (child, parent) = self.place_at(slot, later)?;
            if self.listed_until(parent, child) < later {
                return None;
            }
            names.push(self.child_name(child).into());
            slot = parent;
        }
        names.reverse();
        Some(names)
    }

    /// The entry under which an inode is known in a snapshot, and its directory. Hadoop: WithCount.getParentRef
    fn place_at(&self, slot: Slot, at: SnapshotId) -> Option<(Child, Slot)> {
        let mut place = (Child::INode(slot), self.record(slot).parent);
        if self.record(slot).has(Flag::Referenced)
            && let Some(reference) = self.snapshots.references.get(&slot)
        {
            let known = |number: &u32| self.snapshots.names.get(*number);
            let then = reference.names.iter().find(|number| known(number).last_snapshot >= at);
            match then {
                Some(number) => place = (Child::Name(*number), known(number).parent),
                None => drop(reference.dst?),
            }
        }
        (place.1 != Slot::NONE).then_some(place)
    }

    /// The last snapshot in which a directory has an entry: the current state when it still has.
    /// Hadoop: INodeDirectory.searchChild
    fn listed_until(&self, directory: Slot, child: Child) -> SnapshotId {
        let name = self.child_name(child);
        if let Child::INode(slot) = child
            && self.child(directory, name) == Some(slot)
        {
            return SnapshotId::CURRENT;
        }
        let mut diffs = self.directory_diffs(directory).iter().rev();
        let holds = |list: &[Child]| {
            self.search(list, name).is_ok_and(|index| list.get(index) == Some(&child))
        };
        diffs.find(|diff| holds(&diff.deleted)).map_or(SnapshotId::NONE, |diff| diff.snapshot)
    }
}

fn below(path: &RelativePath, name: &[u8]) -> RelativePath {
    let mut path = path.clone();
    path.push(name.into());
    path
}

/// `a/b`; empty for the directory itself.
fn relative(path: &RelativePath) -> Vec<u8> {
    path.join(&b'/')
}

fn parent_is_dot_snapshot(resolved: &Resolved<'_>) -> bool {
    matches!(&*resolved.components, [.., parent, _] if parent == b".snapshot")
}

impl Namespace {
    /// The snapshottable directory of a report and the directory that it is about; true when that is named as the root of
    /// a snapshot.
    fn diff_directories(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        path: &[u8],
    ) -> Result<(Slot, Slot, bool)> {
        if !ctx.conf.snapshot_diff_allow_descendant {
            let root = self.snapshottable_root(resolved)?;
            return Ok((root, root, false));
        }
        // `.snapshot` itself is no directory.
        let last =
            resolved.last().filter(|_| !resolved.snapshot || resolved.snapshot_root.is_some());
        let directory = match last {
            Some(slot) if self.record(slot).is_directory() => slot,
            // A snapshot that is not there has a parent.
            None if resolved.snapshot && parent_is_dot_snapshot(resolved) => {
                resolved.last_existing()
            }
            _ => self.as_directory(resolved.parent(), || resolved.parent_text())?,
        };
        let is_known = |slot: &Slot| {
            *slot == directory && self.is_snapshottable(*slot)
                || self.snapshots.snapshottable.contains_key(slot)
        };
        let Some(root) = self.ancestry(directory).find(is_known) else {
            let components: Vec<&[u8]> = resolved.components.to_vec();
            return Err(hdfs_types::Error::new(
                hdfs_types::ErrorKind::Snapshot,
                format!(
                    "The path {} is neither snapshottable nor under a snapshot root!",
                    text(&join(&components))
                ),
            ));
        };
        let top = self.as_directory(last, || text(path))?;
        Ok((root, top, resolved.is_snapshot_root()))
    }
}
