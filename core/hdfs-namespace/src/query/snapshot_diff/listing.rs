//! The report in parts: each call goes on where the one before stopped.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.SnapshotDiffListingInfo (3.5.0)

use hdfs_types::{Error, ErrorKind, INodeId, Result};

use super::changed::ChildrenDiff;
use super::scope::{Scope, Step};
use super::{RelativePath, below, relative};
use crate::namespace::Namespace;
use crate::plan::PlanContext;
use crate::resolve::Purpose;
use crate::snapshot::model::Child;

/// Where to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiffCursor {
    /// Path below the directory of the report, of the node at which the last part stopped.
    pub start_path: Vec<u8>,
    /// Index among what came and went in that directory; -1: before it.
    pub index: i32,
}

impl Default for DiffCursor {
    fn default() -> Self {
        Self { start_path: Vec::new(), index: WHOLE }
    }
}

/// An entry of a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiffListingEntry {
    /// The directory, or the file itself.
    pub directory: INodeId,
    /// The inode.
    pub inode: INodeId,
    /// Path below the directory of the report.
    pub path: Vec<u8>,
    /// It was renamed; true for every changed directory.
    pub is_reference: bool,
    /// Where it was renamed to.
    pub target: Option<Vec<u8>>,
}

/// A part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DiffListing {
    /// Changed directories and files.
    pub modified: Vec<DiffListingEntry>,
    /// What came, in changed directories.
    pub created: Vec<DiffListingEntry>,
    /// What went.
    pub deleted: Vec<DiffListingEntry>,
    /// The first name of the request is the earlier one.
    pub from_earlier: bool,
    /// Where the next call goes on; an empty path with -1 when this was all.
    pub cursor: DiffCursor,
}

impl DiffListing {
    fn len(&self) -> usize {
        self.modified.len() + self.created.len() + self.deleted.len()
    }
}

impl Namespace {
    /// A part of what changed between two snapshots.
    ///
    /// # Errors
    /// As [`Self::get_snapshot_diff`]; and IndexOutOfBounds when the directory does not have as many entries as the index says.
    pub fn get_snapshot_diff_listing(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        (from, to): (&[u8], &[u8]),
        cursor: &DiffCursor,
    ) -> Result<DiffListing> {
        let mut checks = self.begin_diff_access(ctx, path, (from, to))?;
        self.continue_diff_access(ctx, &mut checks, usize::MAX)?;
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        let directories = self.diff_directories(ctx, &resolved, path)?;
        let scope = self.scope(directories, from, to)?;
        if from == to {
            return Ok(DiffListing::default());
        }
        let resume = (!cursor.start_path.is_empty()).then(|| components(&cursor.start_path));
        let mut part = Part {
            listing: DiffListing { from_earlier: scope.from_earlier, ..DiffListing::default() },
            limit: ctx.conf.snapshot_diff_listing_limit,
            index: cursor.index,
        };
        let mut walk = scope.walk(resume);
        while let Step::At(node, path) = walk.next(self, &mut usize::MAX.clone()) {
            let slot = self.child_slot(node.child);
            if self.record(slot).is_directory() {
                let mut diff = ChildrenDiff::default();
                if !node.is_seen {
                    let change = self.directory_change(slot, &scope);
                    diff = change.1;
                    let id = self.record(slot).id();
                    if change.0 && !part.add_directory(self, &scope, id, &path, &diff)? {
                        break;
                    }
                }
                walk.enter(self, slot, &diff, &scope);
            } else if self.record(slot).is_file()
                && !node.is_seen
                && self.file_changed(slot, &scope)
                && !part.add_file(self.record(slot).id(), &path)
            {
                break;
            }
        }
        part.listing.cursor.index = part.index;
        Ok(part.listing)
    }
}

/// The components of the place at which a part begins. Slashes that are too many count for nothing, except before the
/// first name: no path begins so, and nothing is found.
///
/// Hadoop: DFSUtilClient.bytes2byteArray
fn components(path: &[u8]) -> Vec<&[u8]> {
    let names = path.split(|byte| *byte == b'/').enumerate();
    names.filter(|(at, name)| *at == 0 || !name.is_empty()).map(|(_, name)| name).collect()
}

/// The place of an index in a list.
fn place(index: i64, list: usize) -> Result<usize> {
    let place = usize::try_from(index).ok().filter(|place| *place <= list);
    place.ok_or_else(|| {
        let message = format!("Index: {index}, Size: {list}");
        Error::new(ErrorKind::IndexOutOfBounds, message)
    })
}

/// Before everything of a directory.
const WHOLE: i32 = -1;

struct Part {
    listing: DiffListing,
    limit: usize,
    /// Where to begin among what came and went in the first directory; [`WHOLE`] after it.
    index: i32,
}

impl Part {
    fn is_full(&self) -> bool {
        self.listing.len() >= self.limit
    }

    /// False when the part is full.
    fn add_file(&mut self, id: INodeId, path: &RelativePath) -> bool {
        if self.is_full() {
            return self.stop(path, None);
        }
        self.listing.modified.push(entry(id, id, path, false));
        true
    }

    /// False when the part is full.
    fn add_directory(
        &mut self,
        namespace: &Namespace,
        scope: &Scope,
        id: INodeId,
        path: &RelativePath,
        diff: &ChildrenDiff,
    ) -> Result<bool> {
        let (created, deleted) = (diff.created.len(), diff.deleted.len());
        let index = i64::from(self.index);
        let start = match self.index {
            WHOLE if self.is_full() => return Ok(self.stop(path, Some(WHOLE))),
            WHOLE => {
                self.listing.modified.push(entry(id, id, path, true));
                0
            }
            _ if index < created as i64 => place(index, created)?,
            _ => created + place(index - created as i64, deleted)?,
        };
        let all = diff.created.iter().map(|child| (child, true));
        let all = all.chain(diff.deleted.iter().map(|child| (child, false)));
        for (at, (child, is_created)) in all.enumerate().skip(start) {
            if self.is_full() {
                return Ok(self.stop(path, i32::try_from(at).ok()));
            }
            let slot = namespace.child_slot(*child);
            let full = below(path, namespace.child_name(*child));
            let inode = namespace.record(slot).id();
            if is_created {
                let is_reference = namespace.is_reference(*child);
                self.listing.created.push(entry(id, inode, &full, is_reference));
            } else {
                let target = match child {
                    Child::Name(_) => scope.rename_target(namespace, slot),
                    Child::INode(_) => None,
                };
                let gone = entry(id, inode, &full, target.is_some());
                let target = target.as_ref().map(relative);
                self.listing.deleted.push(DiffListingEntry { target, ..gone });
            }
        }
        self.index = WHOLE;
        Ok(true)
    }

    /// Notes where the next part begins; as Hadoop, a file leaves the index as it is.
    fn stop(&mut self, path: &RelativePath, index: Option<i32>) -> bool {
        self.index = index.unwrap_or(self.index);
        self.listing.cursor.start_path = relative(path);
        false
    }
}

fn entry(
    directory: INodeId,
    inode: INodeId,
    path: &RelativePath,
    is_reference: bool,
) -> DiffListingEntry {
    DiffListingEntry { directory, inode, path: relative(path), is_reference, target: None }
}
