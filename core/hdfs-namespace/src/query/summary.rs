//! Content summaries: what lies below an inode, counted in slices.
//!
//! Hadoop: INode.computeAndConvertContentSummary, ContentSummaryComputationContext (3.5.0)

use hdfs_format::fsimage::FileHeader;
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};

use crate::namespace::Namespace;
use crate::op::policy::storage_types;
use crate::permission::Access;
use crate::plan::PlanContext;
use crate::quota::{RESET, type_index};
use crate::resolve::Purpose;
use crate::snapshot::model::{Child, SnapshotId};
use crate::status::{ContentSummary, INodeKind};
use crate::store::children::Children;
use crate::store::record::{Flag, Slot};

/// A count that is under way: the caller may give the namespace away between two steps. What changes meanwhile may count
/// or not, as in Hadoop.
#[derive(Clone, Debug)]
pub struct SummaryCursor {
    summary: ContentSummary,
    /// What is not counted to its end, the next last.
    open: Vec<Open>,
    check_access: bool,
}

/// A place at which a count goes on.
#[derive(Clone, Debug)]
enum Open {
    /// A directory of the current tree, and the last of its names that was counted.
    Children(INodeId, Seen, Option<Vec<u8>>),
    /// An inode, whole.
    Whole(INodeId, Seen),
}

/// How a count came to an inode.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// It is counted as it was in this snapshot.
    at: SnapshotId,
    /// It was deleted, or renamed away, and a snapshot keeps it: Hadoop counts it for everything and for snapshots.
    is_deleted: bool,
}

impl Namespace {
    /// Counts everything below an inode at once.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_content_summary(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<ContentSummary> {
        let mut cursor = self.begin_content_summary(ctx, path)?;
        loop {
            if let Some(summary) = self.continue_content_summary(ctx, &mut cursor, usize::MAX)? {
                return Ok(summary);
            }
        }
    }

    /// Begins to count what lies below an inode.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn begin_content_summary(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<SummaryCursor> {
        let resolved = self.resolve(ctx, path, Purpose::ReadLink)?;
        let at_once = ctx.conf.content_summary_sub_access;
        if at_once {
            let access = Access { below: Some(FsAction::READ_EXECUTE), ..Access::default() };
            self.check_access(ctx, &resolved, access)?;
        }
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File does not exist: {}", resolved.text()),
            ));
        };
        let seen = Seen { at: resolved.at, is_deleted: false };
        let mut cursor = SummaryCursor {
            summary: ContentSummary {
                quota: RESET,
                space_quota: RESET,
                type_quota: [RESET; 6],
                erasure_coding_policy: self.ec_policy_text(slot),
                ..ContentSummary::default()
            },
            open: Vec::new(),
            check_access: !at_once && ctx.conf.permissions_enabled && !ctx.caller.is_superuser,
        };
        let limit = if resolved.is_snapshot_root() {
            self.attributes_at(slot, resolved.at).quota
        } else {
            let quota = self.quotas.get(&slot).filter(|_| self.record(slot).has(Flag::Quota));
            quota.map(|quota| &quota.limit)
        };
        if let Some(limit) = limit {
            cursor.summary.quota = limit.names;
            cursor.summary.space_quota = limit.space;
            cursor.summary.type_quota = limit.types;
        }
        self.count(ctx, slot, seen, &mut cursor)?;
        Ok(cursor)
    }

    /// Counts on, at most `budget` inodes; the summary when it is done.
    ///
    /// # Errors
    /// AccessControl when the caller may not list a directory.
    pub fn continue_content_summary(
        &self,
        ctx: &PlanContext<'_>,
        cursor: &mut SummaryCursor,
        budget: usize,
    ) -> Result<Option<ContentSummary>> {
        let mut left = budget.max(1);
        while let Some(next) = cursor.open.pop() {
            if left == 0 {
                cursor.open.push(next);
                return Ok(None);
            }
            match next {
                Open::Children(id, seen, last) => {
                    if let Some(slot) = self.still_there(id, seen)
                        && self.record(slot).is_directory()
                    {
                        self.count_children(ctx, (slot, seen), last, cursor, &mut left)?;
                    }
                }
                Open::Whole(id, seen) => {
                    left -= 1;
                    if let Some(slot) = self.still_there(id, seen) {
                        self.count(ctx, slot, seen, cursor)?;
                    }
                }
            }
        }
        Ok(Some(cursor.summary.clone()))
    }

    fn still_there(&self, id: INodeId, seen: Seen) -> Option<Slot> {
        if seen.is_deleted || seen.at != SnapshotId::CURRENT {
            self.index.get(id.0).map(Slot)
        } else {
            self.attached(id)
        }
    }

    fn count_children(
        &self,
        ctx: &PlanContext<'_>,
        (slot, seen): (Slot, Seen),
        last: Option<Vec<u8>>,
        cursor: &mut SummaryCursor,
        left: &mut usize,
    ) -> Result<()> {
        let children = self.children_of(slot);
        let start = match &last {
            None => self.find_child_position(slot, b"").map_or_else(|at| at, |(at, _)| at),
            Some(name) => match self.find_child_position(slot, name) {
                Ok((position, _)) => Children::after(position),
                Err(position) => position,
            },
        };
        for child in children.iter_from(start) {
            *left -= 1;
            let is_directory = self.record(child).is_directory();
            if is_directory || *left == 0 {
                // Go on behind this child later: first what lies below it.
                let name = self.name_of(child).to_vec();
                cursor.open.push(Open::Children(self.record(slot).id(), seen, Some(name)));
            }
            self.count(ctx, child, seen, cursor)?;
            if is_directory || *left == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn count(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        seen: Seen,
        cursor: &mut SummaryCursor,
    ) -> Result<()> {
        let record = self.record(slot);
        let summary = &mut cursor.summary;
        let (mut files, mut directories, mut length, mut space) = (0, 0, 0, 0);
        match record.kind() {
            Some(INodeKind::Directory) => {
                let check = cursor.check_access && !seen.is_deleted;
                if check && !self.may(&ctx.caller, slot, seen.at, FsAction::READ_EXECUTE) {
                    let (path, inode) = (self.path_of(slot), (slot, seen.at));
                    return Err(self.denied_action(
                        &ctx.caller,
                        inode,
                        &path,
                        FsAction::READ_EXECUTE,
                    ));
                }
                directories = 1;
                self.open_directory(slot, seen, &mut cursor.open);
            }
            Some(INodeKind::File) => {
                files = 1;
                length = self.file_size_at(slot, seen.at).unwrap_or_else(|| self.file_length(slot));
                space = self.file_space_at(slot, seen.at);
                let policy = self.storage_policy(slot);
                if policy != 0 {
                    for kind in storage_types(policy, self.replication_of(slot)) {
                        summary.type_consumed[type_index(kind)] += length.cast_signed();
                    }
                }
            }
            _ => files = 1,
        }
        summary.files += files;
        summary.directories += directories;
        summary.length += length;
        summary.space_consumed += space;
        if seen.is_deleted {
            summary.snapshot_files += if record.is_symlink() { 0 } else { files };
            summary.snapshot_directories += directories;
            summary.snapshot_length += length;
            summary.snapshot_space_consumed += space;
        }
        Ok(())
    }

    /// Adds what is to be counted below a directory. Of the current tree that is also what its snapshots keep.
    fn open_directory(&self, slot: Slot, seen: Seen, open: &mut Vec<Open>) {
        if seen.at != SnapshotId::CURRENT {
            let children = self.children_at(slot, seen.at);
            open.extend(
                children
                    .iter()
                    .rev()
                    .map(|child| Open::Whole(self.record(self.child_slot(*child)).id(), seen)),
            );
            return;
        }
        for child in self.directory_diffs(slot).iter().flat_map(|diff| &diff.deleted) {
            let at = match child {
                Child::INode(_) => SnapshotId::CURRENT,
                Child::Name(number) => self.snapshots.names.get(*number).last_snapshot,
            };
            let id = self.record(self.child_slot(*child)).id();
            open.push(Open::Whole(id, Seen { at, is_deleted: true }));
        }
        open.push(Open::Children(self.record(slot).id(), seen, None));
    }

    /// Bytes of a file with its replicas, for a summary. Hadoop: INodeFile.getDiskSpaceQuota
    fn file_space_at(&self, slot: Slot, at: SnapshotId) -> u64 {
        let last = self.snapshots.file_diffs.get(&slot).and_then(|known| known.diffs.last());
        let Some(last) = last.filter(|_| at != SnapshotId::CURRENT) else {
            return self.file_usage(slot).space.max(0).cast_unsigned();
        };
        if self.file_header(slot).striped {
            return self.file_usage(slot).space.max(0).cast_unsigned();
        }
        if last.snapshot < at {
            return self.file_length(slot) * u64::from(self.replication_of(slot));
        }
        let header = FileHeader::unpack(self.attributes_at(slot, at).header);
        self.file_size_at(slot, at).unwrap_or(0) * u64::from(header.redundancy)
    }
}
