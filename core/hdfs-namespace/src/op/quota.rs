//! Quotas: limits of names and bytes below a directory.
//!
//! Hadoop: FSDirAttrOp.unprotectedSetQuota, INodeDirectory.setQuota (3.5.0)

use hdfs_format::edits::{EditOp, SetQuotaByStorageTypeOp, SetQuotaOp};
use hdfs_types::{Error, ErrorKind, Result, StorageType};

use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::quota::{DONT_SET, Quota, QuotaCounts, RESET, type_index};
use crate::resolve::{Purpose, text};
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Sets the limits of a directory: -1 clears one, `i64::MAX` leaves it as it is. `kind` names the kind of storage that
    /// `space` is for.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser (or owns the parent, when that is allowed), FileNotFound,
    /// PathIsNotDirectory, IllegalArgument.
    pub fn plan_set_quota(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        names: i64,
        space: i64,
        kind: Option<StorageType>,
    ) -> Result<Planned<()>> {
        if ctx.conf.permissions_enabled && !ctx.conf.allow_owner_set_quota {
            ctx.caller.check_superuser_for(quota_command(names, space))?;
        }
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        if ctx.conf.permissions_enabled && !ctx.caller.is_superuser {
            let parent = resolved.parent().map(|parent| self.resolved_from(parent));
            let owns = parent.is_some_and(|parent| self.check_owner(ctx, &parent).is_ok());
            if !owns {
                return Err(Error::new(
                    ErrorKind::AccessControl,
                    format!(
                        "Access denied for user {}. Superuser or owner of parent folder privilege is required",
                        ctx.caller.user
                    ),
                ));
            }
        }
        if names < RESET || space < RESET {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                format!("Illegal value for nsQuota or ssQuota : {names} and {space}"),
            ));
        }
        if kind.is_some() && (!ctx.conf.quota_by_storage_type_enabled || names != DONT_SET) {
            return Err(Error::new(
                ErrorKind::Remote(
                    "org.apache.hadoop.hdfs.server.namenode.UnsupportedActionException".to_owned(),
                ),
                format!(
                    "Failed to set quota by storage type because eitherdfs.quota.by.storage.type.enabled is set to {} or \
                     nsQuota value is illegal {names}",
                    ctx.conf.quota_by_storage_type_enabled
                ),
            ));
        }
        let slot = self.as_directory(resolved.last(), || resolved.text())?;
        Ok(self.plan_new_quota(ctx, slot, names, space, kind))
    }

    fn plan_new_quota(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        names: i64,
        space: i64,
        kind: Option<StorageType>,
    ) -> Planned<()> {
        let none = QuotaCounts { names: RESET, space: RESET, types: [RESET; 6] };
        let old = self.quotas.get(&slot).map_or(none, |quota| quota.limit);
        let src = self.path_of(slot);
        if let Some(storage_type) = kind {
            if old.types[type_index(storage_type)] == space {
                return Planned::nothing(ctx, ());
            }
            let op = SetQuotaByStorageTypeOp { src, ds_quota: space, storage_type };
            return Planned::one(ctx, EditOp::SetQuotaByStorageType(op), ());
        }
        let mut ns_quota = match names {
            RESET if slot == Slot::ROOT => DONT_SET,
            DONT_SET => old.names,
            names => names,
        };
        let ds_quota = if space == DONT_SET { old.space } else { space };
        if (ns_quota, ds_quota) == (old.names, old.space) {
            return Planned::nothing(ctx, ());
        }
        // Differs: Apache logs the number that means "leave as it is", and its replay leaves the old limit of `/`.
        if slot == Slot::ROOT && ns_quota == DONT_SET {
            ns_quota = RESET;
        }
        Planned::one(ctx, EditOp::SetQuota(SetQuotaOp { src, ns_quota, ds_quota }), ())
    }

    /// `INodeDirectory.valueOf`
    pub(crate) fn as_directory(
        &self,
        slot: Option<Slot>,
        path: impl Fn() -> String,
    ) -> Result<Slot> {
        match slot {
            None => Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Directory does not exist: {}", path()),
            )),
            Some(slot) if !self.record(slot).is_directory() => Err(Error::new(
                ErrorKind::PathIsNotDirectory,
                format!("`{}': Is not a directory", path()),
            )),
            Some(slot) => Ok(slot),
        }
    }

    /// Sets limits; `kind` names the kind of storage that `space` is for.
    pub(crate) fn apply_set_quota(
        &mut self,
        path: &[u8],
        names: i64,
        space: i64,
        kind: Option<StorageType>,
    ) -> Result<Effects, String> {
        let slot = self.replay_inode(path)?;
        if !self.record(slot).is_directory() {
            return Err(format!("{} is not a directory", text(path)));
        }
        if names < RESET || space < RESET {
            return Err(format!("illegal quotas {names} and {space}"));
        }
        let is_root = slot == Slot::ROOT;
        let none = QuotaCounts { names: RESET, space: RESET, types: [RESET; 6] };
        let old = self.quotas.get(&slot).map_or(none, |quota| quota.limit);
        let mut limit = old;
        match kind {
            Some(kind) => limit.types[type_index(kind)] = space,
            None => {
                if is_root && names == RESET {
                    limit.names = i64::MAX;
                } else if names != DONT_SET {
                    limit.names = names;
                }
                if space != DONT_SET {
                    limit.space = space;
                }
            }
        }
        if limit == old {
            return Ok(Effects::default());
        }
        self.record_latest(slot);
        let quota = Box::new(Quota { limit });
        let keep = is_root || quota.is_set();
        self.record_mut(slot).set(Flag::Quota, keep);
        if keep {
            self.quotas.insert(slot, quota);
        } else {
            self.quotas.remove(&slot);
        }
        Ok(Effects::default())
    }
}

/// Hadoop: FSNamesystem.getQuotaCommand (3.5.0)
fn quota_command(names: i64, space: i64) -> &'static str {
    match (names, space) {
        (RESET, DONT_SET) => "clearQuota",
        (DONT_SET, RESET) => "clearSpaceQuota",
        (_, DONT_SET) => "setQuota",
        _ => "setSpaceQuota",
    }
}
