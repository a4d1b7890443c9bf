//! Opening files again, at their end.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirAppendOp (3.5.0)

use hdfs_format::edits::{AppendOp, EditOp};
use hdfs_types::{Block, Error, ErrorKind, FsAction, INodeId, Result};

use super::policy::LAZY_PERSIST;
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{Attempt, BlockStage, LeasePurpose, PlanContext, Planned};
use crate::quota::QuotaCounts;
use crate::resolve::{Purpose, text};
use crate::store::record::Slot;

/// An append call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppendRequest<'a> {
    /// The file.
    pub path: &'a [u8],
    /// Holder of the lease.
    pub client_name: &'a str,
    /// Its host.
    pub client_machine: &'a str,
    /// CreateFlag.NEW_BLOCK: data goes to a new block even if the last one is not full.
    pub new_block: bool,
}

/// What an append opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// The file.
    pub inode: INodeId,
    /// Its last block, if the answer must name it: a block to go on with, or (with `new_block`) the one before the new.
    pub last_block: Option<Block>,
    /// That block is written on; it must be converted to under construction.
    pub reopened: bool,
}

impl Namespace {
    /// Opens a file for append.
    ///
    /// # Errors
    /// As Hadoop's append: FileNotFound, FileAlreadyExists for a directory, AccessControl, AlreadyBeingCreated,
    /// Retriable while the last block is committed and not complete, quotas.
    pub fn plan_append(
        &self,
        ctx: &PlanContext<'_>,
        request: &AppendRequest<'_>,
    ) -> Result<Attempt<Appended>> {
        let resolved = self.resolve(ctx, request.path, Purpose::Write)?;
        let path = resolved.text();
        if resolved.last().is_some_and(|slot| self.record(slot).is_directory()) {
            return Err(Error::new(
                ErrorKind::FileAlreadyExists,
                format!("Cannot append to directory {path}; already exists as a directory."),
            ));
        }
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let (client, machine) = (request.client_name, request.client_machine);
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Failed to append to non-existent file {path} for client {machine}"),
            ));
        };
        let slot = self.as_file(Some(slot), || path.clone())?;
        let header = self.file_header(slot);
        if header.striped && !request.new_block {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "Append on EC file without new block is not supported. Use NEW_BLOCK create flag while appending file.",
            ));
        }
        if self.storage_policy(slot) == LAZY_PERSIST {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                format!("Cannot append to lazy persist file {path}"),
            ));
        }
        if let Some(release) =
            self.check_takeover(ctx, slot, LeasePurpose::Append, &path, client, machine)?
        {
            return Ok(Attempt::Release(release));
        }
        self.check_last_block(ctx, slot, &path)?;
        let op = EditOp::Append(AppendOp {
            path: Self::stored_path(&resolved, request.path).into_owned(),
            client_name: client.to_owned(),
            client_machine: machine.to_owned(),
            new_block: request.new_block,
            retry: ctx.retry_key(),
        });
        let reopened = self.reopens_last_block(slot, request.new_block);
        if reopened {
            self.verify_quota(self.record(slot).parent, &self.growth_of_last_block(slot), None)?;
        }
        let last_block = self.blocks_of(slot).last().filter(|_| reopened || request.new_block);
        let appended = Appended { inode: self.record(slot).id(), last_block, reopened };
        Ok(Attempt::Planned(Planned::one(ctx, op, appended)))
    }

    fn check_last_block(&self, ctx: &PlanContext<'_>, slot: Slot, path: &str) -> Result<()> {
        let Some(last) = self.blocks_of(slot).last() else { return Ok(()) };
        match ctx.blocks.stage(last.id) {
            BlockStage::Committed => Err(Error::new(
                ErrorKind::Retriable,
                format!(
                    "org.apache.hadoop.hdfs.server.namenode.NotReplicatedYetException: append: lastBlock={last} of src={path} is COMMITTED but not yet COMPLETE."
                ),
            )),
            BlockStage::Complete if !ctx.blocks.is_sufficiently_replicated(last.id) => {
                Err(Error::io(format!(
                    "append: lastBlock={last} of src={path} is not sufficiently replicated yet."
                )))
            }
            _ => Ok(()),
        }
    }

    /// True when an append writes on in the last block.
    pub(crate) fn reopens_last_block(&self, slot: Slot, new_block: bool) -> bool {
        let size = self.file_header(slot).preferred_block_size;
        !new_block && self.blocks_of(slot).last().is_some_and(|last| last.num_bytes < size)
    }

    /// What the last block counts more once it is being written.
    pub(crate) fn growth_of_last_block(&self, slot: Slot) -> QuotaCounts {
        let size = self.file_header(slot).preferred_block_size;
        let last = self.blocks_of(slot).last().map_or(0, |last| last.num_bytes);
        self.block_usage(slot, size.cast_signed() - last.cast_signed())
    }

    /// What bytes in a file's blocks count against quotas.
    pub(crate) fn block_usage(&self, slot: Slot, bytes: i64) -> QuotaCounts {
        if let Some(policy) = self.ec_policy_of(slot) {
            let space = bytes.saturating_mul(policy.units().into());
            return QuotaCounts { space, ..QuotaCounts::default() };
        }
        let replication = self.block_replication(slot);
        let mut usage = QuotaCounts {
            space: bytes.saturating_mul(i64::from(replication)),
            ..QuotaCounts::default()
        };
        for kind in super::policy::storage_types(self.storage_policy(slot), replication) {
            let space = &mut usage.types[crate::quota::type_index(kind)];
            *space = space.wrapping_add(bytes);
        }
        usage
    }

    /// Opens a closed file: lease, and the last block again unless data goes to a new one.
    pub(crate) fn reopen(
        &mut self,
        slot: Slot,
        client_name: &str,
        client_machine: &str,
        new_block: bool,
    ) -> Effects {
        let mut effects = Effects::default();
        self.record_latest(slot);
        let before = self.file_usage(slot);
        let reopens = self.reopens_last_block(slot, new_block);
        self.open_file(slot, client_name, client_machine);
        if reopens && let Some(last) = self.blocks_of(slot).last() {
            self.set_last_block_open(slot, true);
            effects.push(BlockChange::Reopened { id: last.id });
        }
        let delta = self.file_usage(slot).minus(&before);
        self.add_usage(self.record(slot).parent, &delta);
        effects
    }

    pub(crate) fn apply_append(&mut self, op: &AppendOp) -> Result<Effects, String> {
        let slot = self.replay_file(&op.path)?;
        if self.under_construction(slot).is_some() {
            return Ok(Effects::default());
        }
        let mut effects = self.reopen(slot, &op.client_name, &op.client_machine, op.new_block);
        effects.opened = Some(self.record(slot).id());
        Ok(effects)
    }

    /// In replay: the file at a path.
    pub(crate) fn replay_file(&self, path: &[u8]) -> Result<Slot, String> {
        self.find(path)
            .filter(|slot| self.record(*slot).is_file())
            .ok_or_else(|| format!("file {} does not exist", text(path)))
    }

    /// In replay: the inode at a path.
    pub(crate) fn replay_inode(&self, path: &[u8]) -> Result<Slot, String> {
        self.find(path).ok_or_else(|| format!("{} does not exist", text(path)))
    }
}
