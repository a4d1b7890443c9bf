//! The whole report, made in slices: a walk goes on at the path where the one before stopped. It is over the earlier state,
//! which is a snapshot and does not change; when the later one is the current state, what changes meanwhile may be in the
//! report or not, as in Hadoop's report in parts.

use std::cmp::Ordering;

use hdfs_types::{FastMap, INodeId, Result};

use super::changed::ChildrenDiff;
use super::scope::{Scope, Step};
use super::{DiffEntry, DiffKind, DiffReport, RelativePath, below, relative};
use crate::namespace::Namespace;
use crate::permission::BelowCheck;
use crate::plan::PlanContext;
use crate::resolve::{Purpose, text};
use crate::snapshot::model::Child;
use crate::store::name_pool::compare_names;
use crate::store::record::Slot;

/// A report that is under way: the caller may give the namespace away between two steps.
#[derive(Debug)]
pub struct DiffReportCursor {
    report: DiffReport,
    from_earlier: bool,
    access: Vec<BelowCheck>,
    /// The snapshottable directory and that of the report, once the caller may read them.
    place: Option<(INodeId, INodeId, bool)>,
    /// Where the walk goes on.
    next: RelativePath,
    modified: Vec<Modified>,
    renamed: FastMap<INodeId, Renamed>,
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
#[derive(Debug)]
struct Modified {
    /// Names of its current place.
    order: Vec<ByName>,
    path: RelativePath,
    /// Directories only.
    changes: Option<Changes>,
}

/// What came and went in a directory.
#[derive(Debug)]
struct Changes {
    created: Vec<(INodeId, Box<[u8]>)>,
    deleted: Vec<(INodeId, Box<[u8]>)>,
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
        let mut cursor = self.begin_snapshot_diff(ctx, path, from, to)?;
        while !self.continue_snapshot_diff(ctx, &mut cursor, usize::MAX)? {}
        Ok(cursor.into_report())
    }

    /// Begins a report.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn begin_snapshot_diff(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        from: &[u8],
        to: &[u8],
    ) -> Result<DiffReportCursor> {
        let access = self.begin_diff_access(ctx, path, (from, to))?;
        let report = DiffReport {
            root: path.to_vec(),
            from: from.to_vec(),
            to: to.to_vec(),
            entries: Vec::new(),
        };
        Ok(DiffReportCursor {
            report,
            from_earlier: false,
            access,
            place: None,
            next: RelativePath::new(),
            modified: Vec::new(),
            renamed: FastMap::default(),
        })
    }

    /// Goes on with a report, by about `budget` inodes; true when all of it is known.
    ///
    /// # Errors
    /// As [`Self::get_snapshot_diff`].
    pub fn continue_snapshot_diff(
        &self,
        ctx: &PlanContext<'_>,
        cursor: &mut DiffReportCursor,
        budget: usize,
    ) -> Result<bool> {
        if !self.continue_diff_access(ctx, &mut cursor.access, budget)? {
            return Ok(false);
        }
        let (root, top, is_snapshot_root) = match cursor.place {
            Some((root, top, is_snapshot_root)) => {
                let path = || text(&cursor.report.root);
                let root = self.as_directory(self.attached(root), path)?;
                (root, self.attached(top), is_snapshot_root)
            }
            None => {
                let path = cursor.report.root.clone();
                let resolved = self.resolve(ctx, &path, Purpose::Read)?;
                let (root, top, is_snapshot_root) = self.diff_directories(ctx, &resolved, &path)?;
                let (root_id, top_id) = (self.record(root).id(), self.record(top).id());
                cursor.place = Some((root_id, top_id, is_snapshot_root));
                (root, Some(top), is_snapshot_root)
            }
        };
        let top = self.as_directory(top, || text(&cursor.report.root))?;
        let report = &mut cursor.report;
        if report.from.is_empty() && report.to.is_empty() {
            return Ok(true);
        }
        let scope = self.scope((root, top, is_snapshot_root), &report.from, &report.to)?;
        if report.from == report.to {
            return Ok(true);
        }
        report.root = self.path_of(root);
        cursor.from_earlier = scope.from_earlier;
        Ok(self.walk_on(&scope, cursor, budget))
    }

    fn walk_on(&self, scope: &Scope, cursor: &mut DiffReportCursor, budget: usize) -> bool {
        let mut left = budget.max(1);
        let next = std::mem::take(&mut cursor.next);
        let names = next.iter().map(|name| &**name).collect();
        let mut walk = scope.walk((!next.is_empty()).then_some(names));
        loop {
            let (node, path) = match walk.next(self, &mut left) {
                Step::At(node, path) => (node, path),
                Step::Stopped(at) => {
                    cursor.next = at;
                    return false;
                }
                Step::End => return true,
            };
            let slot = self.child_slot(node.child);
            if let Some(target) = node.renamed_to.filter(|_| !node.is_seen) {
                cursor.renamed.entry(self.record(slot).id()).or_default().target = Some(target);
            }
            if self.record(slot).is_directory() {
                let (changed, diff) = self.directory_change(slot, scope);
                walk.enter(self, slot, &diff, scope);
                if changed && !node.is_seen {
                    left = left.saturating_sub(diff.created.len() + diff.deleted.len());
                    self.note_renames(&diff, &path, &mut cursor.renamed);
                    cursor.modified.push(self.modified(slot, path, Some(&diff)));
                }
            } else if self.record(slot).is_file() && self.file_changed(slot, scope) {
                cursor.modified.push(self.modified(slot, path, None));
            }
        }
    }

    fn modified(&self, slot: Slot, path: RelativePath, diff: Option<&ChildrenDiff>) -> Modified {
        let mut order: Vec<ByName> =
            self.ancestry(slot).map(|ancestor| ByName(self.name_of(ancestor).into())).collect();
        order.reverse();
        let named = |list: &[Child]| {
            let name = |child: &Child| {
                (self.record(self.child_slot(*child)).id(), self.child_name(*child).into())
            };
            list.iter().map(name).collect()
        };
        let changes = diff
            .map(|diff| Changes { created: named(&diff.created), deleted: named(&diff.deleted) });
        Modified { order, path, changes }
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
}

impl DiffReportCursor {
    /// The report, once all of it is known. Needs no namespace any more.
    pub fn into_report(mut self) -> DiffReport {
        // Hadoop sorts what changed by its current place: what lies higher comes first, then names decide from the top.
        let mut modified = std::mem::take(&mut self.modified);
        modified
            .sort_by(|a, b| a.order.len().cmp(&b.order.len()).then_with(|| a.order.cmp(&b.order)));
        let mut entries = Vec::new();
        for node in &modified {
            let path = relative(&node.path);
            entries.push(DiffEntry { kind: DiffKind::Modify, path, target: None });
            if let Some(changes) = &node.changes {
                self.report_children(changes, &node.path, &mut entries);
            }
        }
        DiffReport { entries, ..self.report }
    }

    fn report_children(
        &self,
        changes: &Changes,
        path: &RelativePath,
        entries: &mut Vec<DiffEntry>,
    ) {
        let (made, gone) = if self.from_earlier {
            (DiffKind::Create, DiffKind::Delete)
        } else {
            (DiffKind::Delete, DiffKind::Create)
        };
        let rename_of = |id: &INodeId| self.renamed.get(id).and_then(Renamed::both);
        let plain = |kind, name: &[u8]| DiffEntry {
            kind,
            path: relative(&below(path, name)),
            target: None,
        };
        for (id, name) in &changes.created {
            if rename_of(id).is_none() {
                entries.push(plain(made, name));
            }
        }
        for (id, name) in &changes.deleted {
            entries.push(match rename_of(id) {
                None => plain(gone, name),
                Some((source, target)) => {
                    let (path, target) =
                        if self.from_earlier { (source, target) } else { (target, source) };
                    let target = Some(relative(target));
                    DiffEntry { kind: DiffKind::Rename, path: relative(path), target }
                }
            });
        }
    }
}

/// A name in Hadoop's order.
#[derive(PartialEq, Eq, Debug)]
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
