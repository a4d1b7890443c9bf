//! Joining files: the blocks of the sources go to the end of the target.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirConcatOp (3.5.0)

use hdfs_format::edits::{ConcatDeleteOp, EditOp};
use hdfs_types::{Error, ErrorKind, FsAction, Result};

use super::limits::check_time;
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::quota::QuotaCounts;
use crate::resolve::{Purpose, is_reserved_inodes, is_reserved_raw, text};
use crate::store::record::Slot;

impl Namespace {
    /// Joins files of one directory.
    ///
    /// # Errors
    /// HadoopIllegalArgument with Hadoop's reasons, FileNotFound, AccessControl, quotas.
    pub fn plan_concat(
        &self,
        ctx: &PlanContext<'_>,
        target: &[u8],
        sources: &[&[u8]],
    ) -> Result<Planned<()>> {
        if target.is_empty() || sources.is_empty() {
            let message =
                if target.is_empty() { "Target file name is empty" } else { "No sources given" };
            return Err(Error::new(ErrorKind::IllegalArgument, message));
        }
        for path in std::iter::once(&target).chain(sources) {
            if is_reserved_raw(path) || is_reserved_inodes(path) {
                return Err(Error::io(format!(
                    "Concat operation doesn't support .reserved relative path : {}",
                    text(path)
                )));
            }
        }
        let resolved = self.resolve(ctx, target, Purpose::Write)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        self.check_concat_zone(&resolved)?;
        let slot = self.as_file(resolved.last(), || text(target))?;
        if self.under_construction(slot).is_some() {
            return Err(refused(format!(
                "concat: target file {} is under construction",
                text(target)
            )));
        }
        let path = resolved.text();
        let mut slots = Vec::with_capacity(sources.len());
        for source in sources {
            let source_slot = self.check_concat_source(ctx, source, slot, &path)?;
            if !slots.contains(&source_slot) {
                slots.push(source_slot);
            }
        }
        if slots.len() < sources.len() {
            return Err(refused(
                "concat: at least two of the source files are the same".to_owned(),
            ));
        }
        let delta = self.concat_delta(slot, &slots);
        self.verify_quota(self.record(slot).parent, &delta, None)?;
        let op = EditOp::ConcatDelete(ConcatDeleteOp {
            trg: resolved.path(),
            srcs: slots.iter().map(|slot| self.path_of(*slot)).collect(),
            timestamp: ctx.now,
            retry: ctx.retry_key(),
        });
        Ok(Planned::one(ctx, op, ()))
    }

    fn check_concat_source(
        &self,
        ctx: &PlanContext<'_>,
        source: &[u8],
        target: Slot,
        target_path: &str,
    ) -> Result<Slot> {
        let resolved = self.resolve(ctx, source, Purpose::Write)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        self.check_access(ctx, &resolved, Access::parent(FsAction::WRITE))?;
        let slot = self.as_file(resolved.last(), || text(source))?;
        let source = text(source);
        let header = self.file_header(slot);
        let target_header = self.file_header(target);
        if self.record(slot).parent != self.record(target).parent {
            return Err(refused(format!(
                "Source file {source} is not in the same directory with the target {target_path}"
            )));
        }
        if self.is_child_in_latest(slot, self.latest_snapshot(slot)) {
            return Err(Error::new(
                ErrorKind::Snapshot,
                format!("Concat: the source file {source} is in snapshot"),
            ));
        }
        if self.reference_count(slot) > 1 {
            return Err(Error::new(
                ErrorKind::Snapshot,
                format!(
                    "Concat: the source file {source} is referred by some other reference in some snapshot."
                ),
            ));
        }
        if slot == target {
            return Err(refused(format!(
                "concat: the src file {source} is the same with the target file {target_path}"
            )));
        }
        if self.under_construction(slot).is_some() || self.blocks_of(slot).len() == 0 {
            return Err(refused(format!(
                "concat: source file {source} is invalid or empty or underConstruction"
            )));
        }
        let (size, target_size) = (header.preferred_block_size, target_header.preferred_block_size);
        if size > target_size {
            return Err(refused(format!(
                "concat: source file {source} has preferred block size {size} which is greater than the target file's \
                 preferred block size {target_size}"
            )));
        }
        if header.striped != target_header.striped
            || header.striped && header.redundancy != target_header.redundancy
        {
            return Err(refused(format!(
                "Source file {source} and target file {target_path} have different erasure coding policy"
            )));
        }
        Ok(slot)
    }

    fn concat_delta(&self, target: Slot, sources: &[Slot]) -> QuotaCounts {
        let mut delta = QuotaCounts::default();
        let striped = self.file_header(target).striped;
        for source in sources {
            if striped {
                // Groups take the same space in another file of the same policy.
                delta.names -= 1;
                continue;
            }
            let length = self.file_length(*source).cast_signed();
            delta.add(&self.block_usage(target, length));
            delta = delta.minus(&self.file_usage(*source));
        }
        delta
    }

    pub(crate) fn apply_concat(&mut self, op: &ConcatDeleteOp) -> Result<Effects, String> {
        check_time(op.timestamp.0)?;
        let target = self.replay_file(&op.trg)?;
        let mut sources = Vec::with_capacity(op.srcs.len());
        for source in &op.srcs {
            let slot = self.replay_file(source)?;
            let open = self.under_construction(slot).is_some();
            if slot == target || sources.contains(&slot) || open {
                return Err(format!("{} can't be joined", text(source)));
            }
            if self.is_child_in_latest(slot, self.latest_snapshot(slot))
                || self.reference_count(slot) > 1
            {
                return Err(format!("{} is in a snapshot", text(source)));
            }
            sources.push(slot);
        }
        let latest = self.latest_snapshot(target);
        self.record_change(target, latest);
        let before = self.file_usage(target);
        let (owner, replication) = (self.record(target).id(), self.block_replication(target));
        let mut effects = Effects::default();
        let mut blocks = self.blocks_of(target).to_vec();
        for source in &sources {
            for block in self.blocks_of(*source).iter() {
                effects.push(BlockChange::Owner { id: block.id, owner, replication });
                blocks.push(*block);
            }
            let usage = self.file_usage(*source);
            self.add_usage(self.record(*source).parent, &usage.negated());
            self.set_blocks(*source, Vec::new().into());
            self.take_out_joined(*source, latest);
            self.erase(*source, &mut effects);
        }
        self.set_blocks(target, blocks.into());
        self.record_mut(target).set_mtime(op.timestamp);
        let parent = self.record(target).parent;
        self.carry_mtime(parent, op.timestamp, latest);
        let after = self.file_usage(target);
        self.add_usage(parent, &after.minus(&before));
        Ok(effects)
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::HadoopIllegalArgument, message)
}
