//! The one function that changes the tree.

use std::fmt;

use hdfs_format::edits::EditOp;
use hdfs_types::TxId;

use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::plan::Planned;

/// An operation of a log does not fit the tree: the log or the image is damaged, or one of them is not the other's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplayError {
    /// The transaction.
    pub txid: TxId,
    /// Its operation, by Hadoop's name.
    pub op: &'static str,
    /// What does not fit.
    pub reason: String,
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction {} ({}) can't be applied: {}", self.txid, self.op, self.reason)
    }
}

impl std::error::Error for ReplayError {}

impl Namespace {
    /// Applies the operations of a plan that was made on this very state. They get `first_txid` and the numbers after it.
    ///
    /// # Panics
    /// When the state changed since: that is a bug of the caller, and going on would lose data.
    pub fn apply_planned<T>(&mut self, first_txid: TxId, planned: &Planned<T>) -> Effects {
        self.leases.set_now(planned.mono);
        self.last_directory = planned.directory;
        let mut effects = Effects::default();
        for (txid, op) in (first_txid.0..).zip(&planned.ops) {
            effects.merge(self.apply(TxId(txid), op));
        }
        effects
    }

    /// Applies one operation that was planned on this state.
    ///
    /// # Panics
    /// As [`Self::apply_planned`].
    pub fn apply(&mut self, txid: TxId, op: &EditOp) -> Effects {
        match self.replay(txid, op) {
            Ok(effects) => effects,
            Err(error) => panic!("a planned operation must apply: {error}"),
        }
    }

    /// Applies one operation from a log. When it fails, nothing has changed.
    ///
    /// # Errors
    /// When the operation does not fit the tree, or needs a feature that is not there yet.
    pub fn replay(&mut self, txid: TxId, op: &EditOp) -> Result<Effects, ReplayError> {
        // What the rest of a deletion does for blocks is handed over by the operation that does it, or by the next one.
        if self.is_cleaning() {
            let rest = self.run_cleaning(usize::MAX);
            self.left_over.merge(rest);
        }
        let effects =
            self.apply_op(op).map_err(|reason| ReplayError { txid, op: op.name(), reason })?;
        self.last_txid = self.last_txid.max(txid);
        if self.left_over.is_empty() {
            return Ok(effects);
        }
        let mut all = std::mem::take(&mut self.left_over);
        all.merge(effects);
        Ok(all)
    }

    fn apply_op(&mut self, op: &EditOp) -> Result<Effects, String> {
        match op {
            EditOp::Add(op) => self.apply_add(op),
            EditOp::Close(op) => self.apply_close(op),
            EditOp::Append(op) => self.apply_append(op),
            EditOp::AddBlock(op) => self.apply_add_block(op),
            EditOp::UpdateBlocks(op) => self.apply_update_blocks(op),
            EditOp::Mkdir(op) => self.apply_mkdir(op),
            EditOp::Delete(op) => self.apply_delete(op),
            EditOp::RenameOld(op) => self.apply_rename_old(op),
            EditOp::Rename(op) => self.apply_rename(op),
            EditOp::ConcatDelete(op) => self.apply_concat(op),
            EditOp::Truncate(op) => self.apply_truncate(op),
            EditOp::Symlink(op) => self.apply_symlink(op),
            EditOp::SetReplication(op) => self.apply_set_replication(op),
            EditOp::SetPermissions(op) => self.apply_set_permissions(op),
            EditOp::SetOwner(op) => self.apply_set_owner(op),
            EditOp::Times(op) => self.apply_times(op),
            EditOp::ReassignLease(op) => self.apply_reassign_lease(op),
            EditOp::SetAcl(op) => self.apply_set_acl(op),
            EditOp::SetXAttr(op) => self.apply_set_xattr(op),
            EditOp::RemoveXAttr(op) => self.apply_remove_xattr(op),
            EditOp::SetStoragePolicy(op) => self.apply_set_storage_policy(op),
            other => self.apply_state(other),
        }
    }

    /// Operations that change counters, quotas and what is carried.
    fn apply_state(&mut self, op: &EditOp) -> Result<Effects, String> {
        use crate::quota::DONT_SET;
        match op {
            EditOp::SetQuota(op) => self.apply_set_quota(&op.src, op.ns_quota, op.ds_quota, None),
            EditOp::SetNsQuota(op) => self.apply_set_quota(&op.src, op.ns_quota, DONT_SET, None),
            EditOp::ClearNsQuota(op) => self.apply_set_quota(&op.src, -1, DONT_SET, None),
            EditOp::SetQuotaByStorageType(op) => {
                self.apply_set_quota(&op.src, DONT_SET, op.ds_quota, Some(op.storage_type))
            }
            EditOp::SetGenstampV1(op) => {
                self.identities.legacy_generation_stamp = op.generation_stamp;
                Ok(Effects::default())
            }
            EditOp::SetGenstampV2(op) => {
                crate::op::limits::check_stamp(op.generation_stamp)?;
                self.identities.generation_stamp = op.generation_stamp;
                Ok(Effects::default())
            }
            EditOp::AllocateBlockId(op) => {
                if op.block_id.0 == i64::MAX {
                    return Err("block ids are used up".to_owned());
                }
                if op.block_id.0 < 0 {
                    self.identities.last_striped_block_id = op.block_id;
                } else {
                    self.identities.last_block_id = op.block_id;
                }
                Ok(Effects::default())
            }
            EditOp::StartLogSegment | EditOp::EndLogSegment => Ok(Effects::default()),
            EditOp::GetDelegationToken(_)
            | EditOp::RenewDelegationToken(_)
            | EditOp::CancelDelegationToken(_)
            | EditOp::UpdateMasterKey(_) => self.carried.secrets.apply(op),
            EditOp::AddErasureCodingPolicy(_)
            | EditOp::EnableErasureCodingPolicy(_)
            | EditOp::DisableErasureCodingPolicy(_)
            | EditOp::RemoveErasureCodingPolicy(_) => self.apply_erasure_coding(op),
            EditOp::AllowSnapshot(op) => self.apply_allow_snapshot(op),
            EditOp::DisallowSnapshot(op) => self.apply_disallow_snapshot(op),
            EditOp::CreateSnapshot(op) => self.apply_create_snapshot(op),
            EditOp::RenameSnapshot(op) => self.apply_rename_snapshot(op),
            EditOp::DeleteSnapshot(op) => self.apply_delete_snapshot(op),
            EditOp::AddCacheDirective(_)
            | EditOp::ModifyCacheDirective(_)
            | EditOp::RemoveCacheDirective(_)
            | EditOp::AddCachePool(_)
            | EditOp::ModifyCachePool(_)
            | EditOp::RemoveCachePool(_) => self.apply_cache(op),
            EditOp::RollingUpgradeStart(op) => self.apply_rolling_upgrade_start(op),
            EditOp::RollingUpgradeFinalize(op) => Ok(self.apply_rolling_upgrade_finalize(op)),
            _ => Err("the operation is not supported".to_owned()),
        }
    }
}
