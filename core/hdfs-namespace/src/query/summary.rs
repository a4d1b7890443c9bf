//! Content summaries: what lies below an inode, counted in slices.
//!
//! Hadoop: INode.computeAndConvertContentSummary, ContentSummaryComputationContext (3.5.0)

use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};

use crate::namespace::Namespace;
use crate::op::policy::storage_types;
use crate::permission::Access;
use crate::plan::PlanContext;
use crate::quota::{RESET, type_index};
use crate::resolve::Purpose;
use crate::status::{ContentSummary, INodeKind};
use crate::store::children::Children;
use crate::store::record::{Flag, Slot};

/// A count that is under way: the caller may give the namespace away between two steps. What changes meanwhile may count
/// or not, as in Hadoop.
#[derive(Clone, Debug)]
pub struct SummaryCursor {
    summary: ContentSummary,
    /// Directories that are not counted to their end, with the last name that was.
    open: Vec<(INodeId, Option<Vec<u8>>)>,
    check_access: bool,
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
        if let Some(quota) = self.quotas.get(&slot).filter(|_| self.record(slot).has(Flag::Quota)) {
            cursor.summary.quota = quota.limit.names;
            cursor.summary.space_quota = quota.limit.space;
            cursor.summary.type_quota = quota.limit.types;
        }
        self.count(ctx, slot, &mut cursor)?;
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
        while let Some((id, last)) = cursor.open.pop() {
            if left == 0 {
                cursor.open.push((id, last));
                return Ok(None);
            }
            let Some(slot) = self.attached(id).filter(|slot| self.record(*slot).is_directory())
            else {
                continue;
            };
            self.count_children(ctx, slot, last, cursor, &mut left)?;
        }
        Ok(Some(cursor.summary.clone()))
    }

    fn count_children(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
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
                cursor.open.push((self.record(slot).id(), Some(name)));
            }
            self.count(ctx, child, cursor)?;
            if is_directory || *left == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn count(&self, ctx: &PlanContext<'_>, slot: Slot, cursor: &mut SummaryCursor) -> Result<()> {
        let record = self.record(slot);
        let summary = &mut cursor.summary;
        match record.kind() {
            Some(INodeKind::Directory) => {
                if cursor.check_access && !self.may(&ctx.caller, slot, FsAction::READ_EXECUTE) {
                    let path = self.path_of(slot);
                    return Err(self.denied_action(
                        &ctx.caller,
                        slot,
                        &path,
                        FsAction::READ_EXECUTE,
                    ));
                }
                summary.directories += 1;
                cursor.open.push((record.id(), None));
            }
            Some(INodeKind::File) => {
                let length = self.file_length(slot);
                summary.files += 1;
                summary.length += length;
                summary.space_consumed += self.file_usage(slot).space.max(0).cast_unsigned();
                let policy = self.storage_policy(slot);
                if policy != 0 {
                    for kind in storage_types(policy, self.replication_of(slot)) {
                        summary.type_consumed[type_index(kind)] += length.cast_signed();
                    }
                }
            }
            _ => summary.files += 1,
        }
        Ok(())
    }

    fn ec_policy_text(&self, slot: Slot) -> String {
        let record = self.record(slot);
        if record.is_file() && !record.file_header().striped {
            return "Replicated".to_owned();
        }
        self.ec_policy_name(slot).unwrap_or_default()
    }
}
