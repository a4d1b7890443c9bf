//! What a report is about, and the walk over it.

use std::vec::IntoIter;

use hdfs_types::{Error, ErrorKind, Result};

use super::changed::ChildrenDiff;
use super::{RelativePath, below};
use crate::namespace::Namespace;
use crate::resolve::text;
use crate::snapshot::model::{Child, SnapshotId};
use crate::store::record::{Flag, Slot};

/// The two states that are compared, and from where on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// The directory of the report.
    pub(super) top: Slot,
    /// It was named as the root of a snapshot. As in Hadoop, what changed in it itself is left out then, and nothing that
    /// was renamed is below it.
    pub(super) is_snapshot_root: bool,
    pub(super) earlier: SnapshotId,
    pub(super) later: SnapshotId,
    /// The report leads from the earlier to the later one.
    pub(super) from_earlier: bool,
}

/// A node that is to be looked at.
pub(super) struct Node {
    pub(super) child: Child,
    /// It was renamed to this place.
    pub(super) renamed_to: Option<RelativePath>,
    /// It is only on the way to where an earlier call stopped.
    pub(super) is_seen: bool,
}

/// What comes next in a walk.
pub(super) enum Step {
    /// A node, and its path.
    At(Node, RelativePath),
    /// Enough was looked at: a later walk may begin at this path.
    Stopped(RelativePath),
    End,
}

/// Children of a directory that wait, and the names that the later tree does not have.
struct Frame {
    children: IntoIter<Child>,
    gone: Vec<Box<[u8]>>,
}

/// A walk over the earlier tree, parents first. The caller looks at a node and enters it if it is a directory.
pub(super) struct Walk<'a> {
    scope: Scope,
    frames: Vec<Frame>,
    path: RelativePath,
    first: Option<Slot>,
    /// Names on the way to where the walk begins; None once it is there.
    resume: Option<Vec<&'a [u8]>>,
}

impl Scope {
    /// Where an inode that was renamed is in the later tree, when it is still below the directory of the report.
    pub(super) fn rename_target(&self, namespace: &Namespace, slot: Slot) -> Option<RelativePath> {
        if self.is_snapshot_root {
            return None;
        }
        namespace.rename_target(self.top, slot, self.later)
    }

    pub(super) fn walk<'a>(&self, resume: Option<Vec<&'a [u8]>>) -> Walk<'a> {
        let (frames, path) = (Vec::new(), RelativePath::new());
        Walk { scope: *self, frames, path, first: Some(self.top), resume }
    }
}

impl Walk<'_> {
    /// The next node and its path. Each inode that is looked at takes one from `left`.
    pub(super) fn next(&mut self, namespace: &Namespace, left: &mut usize) -> Step {
        if let Some(slot) = self.first.take() {
            let is_seen = self.resume.is_some();
            let node = Node { child: Child::INode(slot), renamed_to: None, is_seen };
            return Step::At(node, RelativePath::new());
        }
        loop {
            let level = self.frames.len();
            let Some(frame) = self.frames.last_mut() else { return Step::End };
            self.path.truncate(level - 1);
            let Some(child) = frame.children.as_slice().first().copied() else {
                self.frames.pop();
                // What follows comes after the place at which the walk was to begin.
                self.resume = None;
                continue;
            };
            let name = namespace.child_name(child);
            if *left == 0 && self.resume.is_none() {
                return Step::Stopped(below(&self.path, name));
            }
            *left = left.saturating_sub(1);
            frame.children.next();
            let mut is_seen = false;
            if let Some(resume) = &self.resume {
                if resume.get(level - 1) != Some(&name) {
                    continue;
                }
                is_seen = level < resume.len();
            }
            if !is_seen || !namespace.record(namespace.child_slot(child)).is_directory() {
                self.resume = None;
            }
            let is_gone = frame.gone.binary_search_by(|gone| compare(gone, name)).is_ok();
            let renamed_to = if is_gone && matches!(child, Child::Name(_)) {
                let slot = namespace.child_slot(child);
                self.scope.rename_target(namespace, slot)
            } else {
                None
            };
            // Nothing is known of what has no mark and no marks below: it is as it was.
            let is_marked = namespace.record(namespace.child_slot(child)).has(Flag::Marked);
            if is_gone && renamed_to.is_none() || !is_marked && !is_seen && renamed_to.is_none() {
                self.resume = None;
                continue;
            }
            self.path.push(name.into());
            return Step::At(Node { child, renamed_to, is_seen }, self.path.clone());
        }
    }

    /// Goes on with what is in the directory that came last.
    pub(super) fn enter(
        &mut self,
        namespace: &Namespace,
        slot: Slot,
        diff: &ChildrenDiff,
        scope: &Scope,
    ) {
        let mut children = namespace.children_at(slot, scope.earlier);
        if let Some(name) = self.resume.as_ref().and_then(|names| names.get(self.frames.len())) {
            let (Ok(seen) | Err(seen)) = namespace.search(&children, name);
            children.drain(..seen);
        }
        let children = children.into_iter();
        let gone = diff.deleted.iter().map(|child| namespace.child_name(*child).into()).collect();
        self.frames.push(Frame { children, gone });
    }
}

fn compare(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    crate::store::name_pool::compare_names(a, b)
}

impl Namespace {
    pub(super) fn scope(
        &self,
        (root, top, is_snapshot_root): (Slot, Slot, bool),
        from: &[u8],
        to: &[u8],
    ) -> Result<Scope> {
        let find = |name: &[u8]| {
            if name.is_empty() {
                return Ok(SnapshotId::CURRENT);
            }
            let found = self.snapshot_by_name(root, name).map(|snapshot| snapshot.id);
            found.ok_or_else(|| {
                Error::new(
                    ErrorKind::Snapshot,
                    format!(
                        "Cannot find the snapshot of directory {} with name {}",
                        text(&self.path_of(root)),
                        text(name)
                    ),
                )
            })
        };
        let (from, to) = (find(from)?, find(to)?);
        Ok(Scope {
            top,
            is_snapshot_root,
            earlier: from.min(to),
            later: from.max(to),
            from_earlier: from < to,
        })
    }
}
