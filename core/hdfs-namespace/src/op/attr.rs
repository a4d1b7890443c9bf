//! Attributes of inodes: mode, owner, times, replication; and, from logs, policies, quotas, lists and extended attributes.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirAttrOp (3.5.0)

use hdfs_format::edits::{
    EditOp, RemoveXAttrOp, SetAclOp, SetOwnerOp, SetPermissionsOp, SetReplicationOp,
    SetStoragePolicyOp, SetXAttrOp, TimesOp, XAttr,
};
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, INodeId, Result, WallMillis};

use super::acl::{check_logical_acl, stored};
use super::create::verify_replication;
use super::limits::{check_replication, check_time};
use super::policy::{POLICY_XATTR, policy_xattr};
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, invalid_path, is_exact_reserved, text};
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Sets the mode.
    ///
    /// # Errors
    /// FileNotFound, AccessControl unless the caller owns the inode.
    pub fn plan_set_permission(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        permission: FsPermission,
    ) -> Result<Planned<()>> {
        refuse_reserved(path)?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        let slot = self.check_owner(ctx, &resolved)?;
        if self.mode_of(slot) == permission {
            return Ok(Planned::nothing(ctx, ()));
        }
        let op = SetPermissionsOp { src: resolved.path(), permissions: permission };
        Ok(Planned::one(ctx, EditOp::SetPermissions(op), ()))
    }

    /// Sets owner, group or both. Owners may choose a group of theirs; only superusers give inodes away.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn plan_set_owner(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        user: Option<&str>,
        group: Option<&str>,
    ) -> Result<Planned<()>> {
        refuse_reserved(path)?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        let slot = self.check_owner(ctx, &resolved)?;
        let caller = &ctx.caller;
        if !caller.is_superuser {
            let denied = |message| Err(Error::new(ErrorKind::AccessControl, message));
            if user.is_some_and(|user| user != caller.user) {
                return denied(format!(
                    "User {} is not a super user (non-super user cannot change owner).",
                    caller.user
                ));
            }
            if let Some(group) = group.filter(|group| !caller.is_member(group)) {
                return denied(format!("User {} does not belong to {group}", caller.user));
            }
        }
        let same_user = user.is_none_or(|user| **self.users.name(self.user_of(slot)) == *user);
        let same_group =
            group.is_none_or(|group| **self.groups.name(self.group_of(slot)) == *group);
        if same_user && same_group {
            return Ok(Planned::nothing(ctx, ()));
        }
        let op = SetOwnerOp {
            src: resolved.path(),
            username: user.map(str::to_owned),
            groupname: group.map(str::to_owned),
        };
        Ok(Planned::one(ctx, EditOp::SetOwner(op), ()))
    }

    /// Sets modification and access time; -1 leaves one as it is.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn plan_set_times(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        mtime: i64,
        atime: i64,
    ) -> Result<Planned<()>> {
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        if resolved.last().is_none() {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File/Directory {} does not exist.", resolved.text()),
            ));
        }
        if mtime < 0 && atime < 0 {
            return Ok(Planned::nothing(ctx, ()));
        }
        for time in [mtime, atime] {
            check_time(u64::try_from(time).unwrap_or(0)).map_err(Error::io)?;
        }
        let op = TimesOp { path: resolved.path(), mtime, atime };
        Ok(Planned::one(ctx, EditOp::Times(op), ()))
    }

    /// The file was read: its access time follows, if that is kept and old enough. None: nothing to do.
    pub fn plan_access_time(&self, ctx: &PlanContext<'_>, inode: INodeId) -> Option<Planned<()>> {
        let precision = ctx.conf.access_time_precision_ms;
        let slot = self.attached(inode)?;
        let due = self.record(slot).atime().0.saturating_add(precision);
        if precision == 0 || ctx.now.0 <= due {
            return None;
        }
        let atime = i64::try_from(ctx.now.0).ok()?;
        let op = TimesOp { path: self.path_of(slot), mtime: -1, atime };
        Some(Planned::one(ctx, EditOp::Times(op), ()))
    }

    /// Sets the replication of a file. False for directories and missing inodes.
    ///
    /// # Errors
    /// Io beyond the bounds, AccessControl, quotas.
    pub fn plan_set_replication(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        replication: u16,
    ) -> Result<Planned<bool>> {
        verify_replication(ctx, replication, path, None)?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let Some(slot) = resolved.last().filter(|slot| {
            let record = self.record(*slot);
            record.is_file() && !self.file_header(*slot).striped
        }) else {
            return Ok(Planned::nothing(ctx, false));
        };
        let old = self.replication_of(slot);
        if replication > old {
            let mut delta = self.file_usage(slot);
            delta.names = 0;
            delta.space = delta.space / i64::from(old.max(1)) * i64::from(replication - old);
            delta.types = [0; 6];
            self.verify_quota(self.record(slot).parent, &delta, None)?;
        }
        let op = SetReplicationOp { path: resolved.path(), replication };
        Ok(Planned::one(ctx, EditOp::SetReplication(op), true))
    }

    pub(crate) fn apply_set_permissions(
        &mut self,
        op: &SetPermissionsOp,
    ) -> Result<Effects, String> {
        let slot = self.replay_inode(&op.src)?;
        self.record_latest(slot);
        self.touch(slot, false);
        self.set_mode(slot, op.permissions);
        Ok(Effects::default())
    }

    pub(crate) fn apply_set_owner(&mut self, op: &SetOwnerOp) -> Result<Effects, String> {
        let slot = self.replay_inode(&op.src)?;
        if self.users.is_full() || self.groups.is_full() {
            return Err("there are too many users or groups".to_owned());
        }
        if op.username.is_some() || op.groupname.is_some() {
            self.record_latest(slot);
        }
        if let Some(user) = &op.username {
            let user = self.users.number(user);
            self.touch(slot, false);
            self.set_user(slot, user);
        }
        if let Some(group) = &op.groupname {
            let group = self.groups.number(group);
            self.touch(slot, false);
            self.set_group(slot, group);
        }
        Ok(Effects::default())
    }

    pub(crate) fn apply_times(&mut self, op: &TimesOp) -> Result<Effects, String> {
        let slot = self.replay_inode(&op.path)?;
        let times = [op.mtime, op.atime].map(u64::try_from);
        times.into_iter().flatten().try_for_each(check_time)?;
        let [mtime, atime] = times;
        if let Ok(mtime) = mtime {
            self.record_latest(slot);
            self.record_mut(slot).set_mtime(WallMillis(mtime));
        }
        if let Ok(atime) = atime {
            if !self.skip_access_times {
                self.record_latest(slot);
            }
            self.record_mut(slot).set_atime(WallMillis(atime));
        }
        Ok(Effects::default())
    }

    pub(crate) fn apply_set_replication(
        &mut self,
        op: &SetReplicationOp,
    ) -> Result<Effects, String> {
        check_replication(op.replication)?;
        let slot = self.replay_inode(&op.path)?;
        let mut effects = Effects::default();
        if !self.record(slot).is_file() || self.file_header(slot).striped {
            return Ok(effects);
        }
        self.record_latest(slot);
        let before = self.file_usage(slot);
        let from = self.block_replication(slot);
        let mut header = self.file_header(slot);
        header.redundancy = op.replication;
        self.set_file_header(slot, header);
        let delta = self.file_usage(slot).minus(&before);
        self.add_usage(self.record(slot).parent, &delta);
        let to = self.block_replication(slot);
        let changes = self
            .blocks_of(slot)
            .iter()
            .map(|block| BlockChange::Replication { id: block.id, from, to })
            .collect();
        effects.blocks = changes;
        Ok(effects)
    }

    pub(crate) fn apply_set_acl(&mut self, op: &SetAclOp) -> Result<Effects, String> {
        let slot = self.replay_with_attributes(&op.src, "ACLs")?;
        check_logical_acl(&op.acl_entries)?;
        if !op.acl_entries.is_empty() || self.record(slot).has(Flag::Acl) {
            self.record_latest(slot);
        }
        if op.acl_entries.is_empty() {
            self.remove_acl(slot);
        } else {
            self.set_logical_acl(slot, &op.acl_entries);
        }
        Ok(Effects::default())
    }

    /// An inode that can have attributes: links have none, in memory or in images.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.INodeSymlink (3.5.0)
    fn replay_with_attributes(&self, path: &[u8], what: &str) -> Result<Slot, String> {
        let slot = self.replay_inode(path)?;
        if self.record(slot).is_symlink() {
            return Err(format!("{what} are not supported on symlinks: {}", text(path)));
        }
        Ok(slot)
    }

    /// Other attributes, for good. Hadoop: XAttrStorage.updateINodeXAttrs
    pub(crate) fn change_xattrs(&mut self, slot: Slot, xattrs: Vec<XAttr>) {
        if !xattrs.is_empty() || self.record(slot).has(Flag::XAttrs) {
            self.record_latest(slot);
        }
        self.set_xattrs(slot, xattrs);
    }

    /// The group's own entry goes back into the mode.
    fn remove_acl(&mut self, slot: Slot) {
        if !self.record(slot).has(Flag::Acl) {
            return;
        }
        let mode = self.mode_of(slot);
        let access: Vec<_> = super::acl::logical(mode, self.acl(slot))
            .into_iter()
            .filter(|entry| {
                entry.scope == hdfs_format::edits::AclEntryScope::Access
                    && entry.name.is_none()
                    && entry.kind != hdfs_format::edits::AclEntryType::Mask
            })
            .collect();
        if let Ok((mode, _)) = stored(mode, &access) {
            self.touch(slot, false);
            self.set_mode(slot, mode);
        }
        self.set_acl(slot, Vec::new());
    }

    pub(crate) fn apply_set_xattr(&mut self, op: &SetXAttrOp) -> Result<Effects, String> {
        let slot = self.replay_with_attributes(&op.src, "XAttrs")?;
        // New ones first, then those that stay: Hadoop's order.
        let mut xattrs = op.x_attrs.clone();
        let kept =
            self.xattrs(slot).iter().filter(|old| !op.x_attrs.iter().any(|new| same(old, new)));
        xattrs.extend(kept.cloned());
        self.change_xattrs(slot, xattrs);
        Ok(Effects::default())
    }

    pub(crate) fn apply_remove_xattr(&mut self, op: &RemoveXAttrOp) -> Result<Effects, String> {
        let slot = self.replay_with_attributes(&op.src, "XAttrs")?;
        let kept =
            self.xattrs(slot).iter().filter(|old| !op.x_attrs.iter().any(|gone| same(old, gone)));
        let kept = kept.cloned().collect();
        self.change_xattrs(slot, kept);
        Ok(Effects::default())
    }

    pub(crate) fn apply_set_storage_policy(
        &mut self,
        op: &SetStoragePolicyOp,
    ) -> Result<Effects, String> {
        let slot = self.replay_inode(&op.path)?;
        if op.policy_id > 15 {
            return Err(format!("storage policy {} does not exist", op.policy_id));
        }
        if self.record(slot).is_symlink() {
            return Err(format!("{} is not a file or directory", text(&op.path)));
        }
        let before = self.subtree_usage(slot);
        if self.record(slot).is_file() {
            self.record_latest(slot);
            let mut header = self.file_header(slot);
            header.storage_policy_id = op.policy_id;
            self.set_file_header(slot, header);
        } else {
            let mut xattrs = self.xattrs(slot).to_vec();
            xattrs.retain(|xattr| xattr.name != POLICY_XATTR);
            if op.policy_id != 0 {
                xattrs.insert(0, policy_xattr(op.policy_id));
            }
            self.change_xattrs(slot, xattrs);
        }
        let (usage, _) = self.recount_usage(slot);
        let delta = usage.minus(&before);
        self.add_usage(self.record(slot).parent, &delta);
        Ok(Effects::default())
    }
}

/// Two attributes with the same name.
pub(crate) fn same(a: &XAttr, b: &XAttr) -> bool {
    a.namespace == b.namespace && a.name == b.name
}

fn refuse_reserved(path: &[u8]) -> Result<()> {
    if is_exact_reserved(path) {
        return Err(invalid_path(path));
    }
    Ok(())
}
