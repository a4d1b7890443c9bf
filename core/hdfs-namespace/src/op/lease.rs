//! Who may write a file: checks of the lease, taking it over, giving it to another holder.
//!
//! Hadoop: FSNamesystem.{checkLease, recoverLease, recoverLeaseInternal, reassignLease} (3.5.0)

use std::sync::Arc;
use std::time::Duration;

use hdfs_format::edits::{EditOp, ReassignLeaseOp};
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};

use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{BlockStage, LeasePurpose, LeaseRelease, PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, text};
use crate::status::FileBlocks;
use crate::store::record::Slot;

impl Namespace {
    /// `checkLease`: the file is open and `holder` writes it.
    pub(crate) fn check_lease(
        &self,
        resolved: &Resolved<'_>,
        holder: Option<&str>,
        file_id: INodeId,
    ) -> Result<Slot> {
        let who = || {
            let holder = holder.unwrap_or("null");
            format!("{} (inode {file_id}) {}", resolved.text(), self.leases.describe(holder))
        };
        let expired =
            |what: &str| Err(Error::new(ErrorKind::LeaseExpired, format!("{what}: {}", who())));
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File does not exist: {}", who()),
            ));
        };
        if !self.record(slot).is_file() {
            return expired("INode is not a regular file");
        }
        let Some(open) = self.under_construction(slot) else {
            return expired("File is not open for writing");
        };
        if let Some(holder) = holder
            && *open.client_name != *holder
        {
            return Err(Error::new(
                ErrorKind::LeaseExpired,
                format!(
                    "Client (={holder}) is not the lease owner (={}: {}",
                    open.client_name,
                    who()
                ),
            ));
        }
        Ok(slot)
    }

    /// Resolves a file by path and id and checks that `holder` writes it: for calls that change nothing in the tree
    /// (getAdditionalDatanode).
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired.
    pub fn check_writer(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        file_id: INodeId,
        holder: &str,
    ) -> Result<FileBlocks> {
        let resolved = self.resolve_file(ctx, path, file_id)?;
        let slot = self.check_lease(&resolved, Some(holder), file_id)?;
        Ok(self.blocks_view(slot, resolved.at, resolved.path()))
    }

    /// May another client (or the same again) write this file? None: it is closed. Some: its writer was silent for longer
    /// than the soft limit.
    ///
    /// # Errors
    /// AlreadyBeingCreated, RecoveryInProgress.
    pub(crate) fn check_takeover(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        purpose: LeasePurpose,
        path: &str,
        client: &str,
        machine: &str,
    ) -> Result<Option<LeaseRelease>> {
        let Some(open) = self.under_construction(slot) else { return Ok(None) };
        let id = self.record(slot).id();
        let message_start =
            format!("Failed to {} {path} for {client} on {machine} because ", purpose.name());
        let refuse = |kind, why: String| Err(Error::new(kind, format!("{message_start}{why}")));
        let force = purpose == LeasePurpose::Recover;
        if !force && self.leases.holder(id).is_some_and(|holder| &**holder == client) {
            return refuse(
                ErrorKind::AlreadyBeingCreated,
                format!("{client} is already the current lease holder."),
            );
        }
        let owner = &open.client_name;
        if !self.leases.has(owner) {
            return refuse(
                ErrorKind::AlreadyBeingCreated,
                "the file is under construction but no leases found.".to_owned(),
            );
        }
        let release = LeaseRelease {
            inode: id,
            holder: owner.to_string(),
            new_holder: force.then(|| client.to_owned()),
            message_start: message_start.clone(),
        };
        let soft_limit = Duration::from_millis(ctx.conf.lease_soft_limit_ms);
        if force || self.leases.is_silent(owner, ctx.mono, soft_limit) {
            return Ok(Some(release));
        }
        let by = format!("{owner} on {}", open.client_machine);
        let last = self.blocks_of(slot).last();
        if last.is_some_and(|last| ctx.blocks.stage(last.id) == BlockStage::UnderRecovery) {
            refuse(
                ErrorKind::RecoveryInProgress,
                format!("another recovery is in progress by {by}"),
            )
        } else {
            refuse(
                ErrorKind::AlreadyBeingCreated,
                format!("this file lease is currently owned by {by}"),
            )
        }
    }

    /// recoverLease: None when the file is closed, otherwise what must be released. The caller releases it and answers
    /// whether the file is closed then.
    ///
    /// # Errors
    /// FileNotFound, AccessControl, AlreadyBeingCreated.
    pub fn plan_recover_lease(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        client_name: &str,
        client_machine: &str,
    ) -> Result<Option<LeaseRelease>> {
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        let slot = self.as_file(resolved.last(), || resolved.text())?;
        if self.under_construction(slot).is_none() {
            return Ok(None);
        }
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let path = resolved.text();
        self.check_takeover(ctx, slot, LeasePurpose::Recover, &path, client_name, client_machine)
    }

    /// Gives the lease of an open file to another holder.
    ///
    /// # Errors
    /// FileNotFound when it was deleted, LeaseExpired when it is closed.
    pub fn plan_reassign_lease(
        &self,
        ctx: &PlanContext<'_>,
        inode: INodeId,
        new_holder: &str,
    ) -> Result<Planned<()>> {
        let slot = self.open_file_by_id(inode)?;
        let open = self.under_construction(slot).map(|open| open.client_name.to_string());
        let op = EditOp::ReassignLease(ReassignLeaseOp {
            lease_holder: open.unwrap_or_default(),
            path: self.path_of(slot),
            new_holder: new_holder.to_owned(),
        });
        Ok(Planned::one(ctx, op, ()))
    }

    /// The file with this id, when it is open.
    pub(crate) fn open_file_by_id(&self, inode: INodeId) -> Result<Slot> {
        let slot = self.attached(inode).filter(|slot| self.record(*slot).is_file());
        let Some(slot) = slot else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File does not exist: inode {inode}"),
            ));
        };
        if self.under_construction(slot).is_none() {
            let path = text(&self.path_of(slot));
            return Err(Error::new(
                ErrorKind::LeaseExpired,
                format!("Cannot finalize file {path} because it is not under construction"),
            ));
        }
        Ok(slot)
    }

    pub(crate) fn apply_reassign_lease(&mut self, op: &ReassignLeaseOp) -> Result<Effects, String> {
        let slot = self.replay_file(&op.path)?;
        if self.under_construction(slot).is_none() {
            return Err(format!("{} is not under construction", text(&op.path)));
        }
        let holder: Arc<str> = op.new_holder.as_str().into();
        self.leases.add(&holder, self.record(slot).id());
        if let Some(open) = self.open_files.get_mut(&slot) {
            open.client_name = holder;
        }
        Ok(Effects::default())
    }
}
