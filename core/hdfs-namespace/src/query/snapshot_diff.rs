//! What changed below a directory between two snapshots, or between a snapshot and now.
//!
//! Both reports walk the earlier tree from the top: a directory tells from its diffs which names came and went, a file
//! whether its length or its attributes changed. What was deleted is not entered, unless it was renamed to another place
//! below the same directory.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.{DirectorySnapshottableFeature.computeDiff, SnapshotDiffInfo,
//! SnapshotDiffListingInfo} (3.5.0)

use std::cmp::Ordering;

use hdfs_types::{FastMap, INodeId, Result};

use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::PlanContext;
use crate::resolve::{Purpose, Resolved, join, text};
use crate::snapshot::model::{Child, SnapshotId};
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

mod changed;
mod listing;
mod scope;

use changed::ChildrenDiff;
pub use listing::{DiffCursor, DiffListing, DiffListingEntry};
use scope::Scope;

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

/// Where an inode was before and after.
#[derive(Debug, Default)]
struct Renamed {
    source: Option<RelativePath>,
    target: Option<RelativePath>,
}

impl Renamed {
    fn both(&self) -> Option<(&RelativePath, &RelativePath)> {
        Some((self.source.as_ref()?, self.target.as_ref()?))
    }
}

/// A directory or file that changed.
struct Modified {
    slot: Slot,
    path: RelativePath,
    /// Directories only.
    diff: Option<ChildrenDiff>,
}

impl Namespace {
    /// What changed between two snapshots of a directory, or of the directory above it; an empty name is now.
    ///
    /// # Errors
    /// FileNotFound, AccessControl, Snapshot for directories without snapshots and unknown names.
    pub fn get_snapshot_diff(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        from: &[u8],
        to: &[u8],
    ) -> Result<DiffReport> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        self.check_diff_access(ctx, path, from)?;
        self.check_diff_access(ctx, path, to)?;
        let (root, top) = self.diff_directories(ctx, &resolved, path)?;
        let empty = DiffReport {
            root: path.to_vec(),
            from: from.to_vec(),
            to: to.to_vec(),
            entries: Vec::new(),
        };
        if from.is_empty() && to.is_empty() {
            return Ok(empty);
        }
        let scope = self.scope(root, top, from, to)?;
        if from == to {
            return Ok(empty);
        }
        let entries = self.report(&scope);
        Ok(DiffReport { root: self.path_of(root), entries, ..empty })
    }

    /// The caller may read everything of a snapshot.
    fn check_diff_access(&self, ctx: &PlanContext<'_>, path: &[u8], name: &[u8]) -> Result<()> {
        let mut path = path.to_vec();
        if path == b"/" {
            path.clear();
        }
        path.extend_from_slice(b"/.snapshot/");
        path.extend_from_slice(name);
        let resolved = self.resolve(ctx, &path, Purpose::Read)?;
        let read = Some(hdfs_types::FsAction::READ);
        self.check_access(ctx, &resolved, Access { last: read, below: read, ..Access::default() })
    }

    fn report(&self, scope: &Scope) -> Vec<DiffEntry> {
        let mut modified: Vec<Modified> = Vec::new();
        let mut renamed: FastMap<INodeId, Renamed> = FastMap::default();
        let mut walk = scope.walk(None);
        while let Some((node, path)) = walk.next(self) {
            let slot = self.child_slot(node.child);
            if let Some(target) = node.renamed_to {
                renamed.entry(self.record(slot).id()).or_default().target = Some(target);
            }
            if self.record(slot).is_directory() {
                let (changed, diff) = self.directory_change(slot, scope);
                walk.enter(self, slot, &diff, scope);
                if changed {
                    self.note_renames(&diff, &path, &mut renamed);
                    modified.push(Modified { slot, path, diff: Some(diff) });
                }
            } else if self.record(slot).is_file() && self.file_changed(slot, scope) {
                modified.push(Modified { slot, path, diff: None });
            }
        }
        self.sort_as_hadoop(&mut modified);
        let mut entries = Vec::new();
        for node in &modified {
            let path = relative(&node.path);
            entries.push(DiffEntry { kind: DiffKind::Modify, path, target: None });
            if let Some(diff) = &node.diff {
                self.report_children(diff, &node.path, scope.from_earlier, &renamed, &mut entries);
            }
        }
        entries
    }

    fn note_renames(
        &self,
        diff: &ChildrenDiff,
        path: &RelativePath,
        renamed: &mut FastMap<INodeId, Renamed>,
    ) {
        for child in diff.created.iter().filter(|child| self.is_reference(**child)) {
            let id = self.record(self.child_slot(*child)).id();
            let known = renamed.entry(id).or_default();
            if known.target.is_none() {
                known.target = Some(below(path, self.child_name(*child)));
            }
        }
        for child in diff.deleted.iter().filter(|child| matches!(child, Child::Name(_))) {
            let id = self.record(self.child_slot(*child)).id();
            renamed.entry(id).or_default().source = Some(below(path, self.child_name(*child)));
        }
    }

    fn report_children(
        &self,
        diff: &ChildrenDiff,
        path: &RelativePath,
        from_earlier: bool,
        renamed: &FastMap<INodeId, Renamed>,
        entries: &mut Vec<DiffEntry>,
    ) {
        let (made, gone) = if from_earlier {
            (DiffKind::Create, DiffKind::Delete)
        } else {
            (DiffKind::Delete, DiffKind::Create)
        };
        let rename_of = |child: Child| {
            renamed.get(&self.record(self.child_slot(child)).id()).and_then(Renamed::both)
        };
        let plain = |kind, child| {
            let path = relative(&below(path, self.child_name(child)));
            DiffEntry { kind, path, target: None }
        };
        for child in &diff.created {
            if rename_of(*child).is_none() {
                entries.push(plain(made, *child));
            }
        }
        for child in &diff.deleted {
            entries.push(match rename_of(*child) {
                None => plain(gone, *child),
                Some((source, target)) => {
                    let (path, target) =
                        if from_earlier { (source, target) } else { (target, source) };
                    let target = Some(relative(target));
                    DiffEntry { kind: DiffKind::Rename, path: relative(path), target }
                }
            });
        }
    }

    /// Hadoop sorts what changed by its current place: what lies higher comes first, then names decide from the top.
    fn sort_as_hadoop(&self, modified: &mut [Modified]) {
        modified.sort_by_cached_key(|node| {
            let mut names: Vec<ByName> = self
                .ancestry(node.slot)
                .map(|ancestor| ByName(self.name_of(ancestor).into()))
                .collect();
            names.reverse();
            (names.len(), names)
        });
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

/// A name in Hadoop's order.
#[derive(PartialEq, Eq)]
struct ByName(Box<[u8]>);

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_names(&self.0, &other.0)
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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

impl Namespace {
    /// The snapshottable directory of a report and the directory that it is about.
    fn diff_directories(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        path: &[u8],
    ) -> Result<(Slot, Slot)> {
        if !ctx.conf.snapshot_diff_allow_descendant {
            let root = self.snapshottable_root(resolved)?;
            return Ok((root, root));
        }
        let directory = match resolved.last() {
            Some(slot) if self.record(slot).is_directory() => slot,
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
        Ok((root, self.as_directory(resolved.last(), || text(path))?))
    }
}
