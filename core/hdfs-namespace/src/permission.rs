//! Permission checks, with Hadoop's messages.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSPermissionChecker (3.5.0)

use hdfs_format::edits::{AclEntry, AclEntryScope, AclEntryType};
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, Result};

use crate::namespace::{Namespace, group_of, user_of};
use crate::plan::{Caller, PlanContext};
use crate::resolve::{Resolved, text};
use crate::snapshot::model::SnapshotId;
use crate::store::record::Slot;

mod below;

pub(crate) use below::BelowCheck;

/// What a call wants on a path, beyond traversing it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Access {
    /// Be the owner of the last inode.
    pub(crate) owner: bool,
    /// On the last inode that exists before the last component.
    pub(crate) ancestor: Option<FsAction>,
    /// On the parent.
    pub(crate) parent: Option<FsAction>,
    /// On the last inode.
    pub(crate) last: Option<FsAction>,
    /// On every directory below and including the last inode.
    pub(crate) below: Option<FsAction>,
    /// Empty directories below need nothing.
    pub(crate) ignore_empty: bool,
}

impl Access {
    pub(crate) fn last(action: FsAction) -> Self {
        Self { last: Some(action), ..Self::default() }
    }
    pub(crate) fn parent(action: FsAction) -> Self {
        Self { parent: Some(action), ..Self::default() }
    }
    pub(crate) fn ancestor(action: FsAction) -> Self {
        Self { ancestor: Some(action), ..Self::default() }
    }
    /// To remove the last inode with everything below.
    pub(crate) fn removal() -> Self {
        Self {
            parent: Some(FsAction::WRITE),
            below: Some(FsAction::ALL),
            ignore_empty: true,
            ..Self::default()
        }
    }
}

impl Namespace {
    /// The components before the last are directories that the caller may traverse; with `resolve_link` the last is no
    /// symbolic link.
    pub(crate) fn check_traverse(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        resolve_link: bool,
    ) -> Result<()> {
        let checked = ctx.conf.permissions_enabled && !ctx.caller.is_superuser;
        let before_last = resolved.components.len().min(resolved.slots.len());
        for position in 0..before_last {
            let slot = resolved.slots[position];
            self.check_is_directory(slot, resolved, position)?;
            if checked {
                self.check_action(&ctx.caller, resolved, position, FsAction::EXECUTE)?;
            }
        }
        if resolve_link && let Some(last) = resolved.last() {
            self.check_not_symlink(last, resolved, resolved.components.len())?;
        }
        Ok(())
    }

    fn check_is_directory(&self, slot: Slot, resolved: &Resolved<'_>, at: usize) -> Result<()> {
        if self.record(slot).is_directory() {
            return Ok(());
        }
        self.check_not_symlink(slot, resolved, at)?;
        Err(Error::new(
            ErrorKind::ParentNotDirectory,
            format!("{} (is not a directory)", text(&resolved.path_to(at))),
        ))
    }

    fn check_not_symlink(&self, slot: Slot, resolved: &Resolved<'_>, at: usize) -> Result<()> {
        if !self.record(slot).is_symlink() {
            return Ok(());
        }
        let target = text(self.targets.get(self.record(slot).number()));
        let mut message = if target.starts_with('/') || target.contains("://") {
            target
        } else {
            format!("{}/{target}", text(&resolved.path_to(at - 1)).trim_end_matches('/'))
        };
        for component in &resolved.components[at..] {
            message.push('/');
            message.push_str(&text(component));
        }
        Err(Error::new(ErrorKind::UnresolvedLink, message))
    }

    /// Checks what a call wants. Superusers may do everything.
    ///
    /// # Errors
    /// AccessControl.
    pub(crate) fn check_access(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        access: Access,
    ) -> Result<()> {
        if !ctx.conf.permissions_enabled || ctx.caller.is_superuser {
            return Ok(());
        }
        let caller = &ctx.caller;
        let last = resolved.components.len();
        if access.parent.is_some_and(|action| action.implies(FsAction::WRITE))
            && last > 0
            && let Some(slot) = resolved.last()
        {
            let parent = resolved.slots[last - 1];
            let paths = (&*resolved.path_to(last - 1), &*resolved.path());
            self.check_sticky(caller, resolved.at, (parent, slot), paths)?;
        }
        if let Some(action) = access.ancestor
            && last > 0
        {
            let ancestor = (last - 1).min(resolved.slots.len() - 1);
            self.check_action(caller, resolved, ancestor, action)?;
        }
        if let Some(action) = access.parent
            && last > 0
        {
            self.check_action(caller, resolved, last - 1, action)?;
        }
        if let Some(action) = access.last {
            self.check_action(caller, resolved, last, action)?;
        }
        if let Some(action) = access.below
            && let Some(slot) = resolved.last()
        {
            let (inode, what) = ((slot, resolved.at), (action, access.ignore_empty));
            let mut check = self.begin_below_check(ctx, inode, what);
            self.continue_below_check(caller, &mut check, usize::MAX)?;
        }
        if access.owner
            && let Some(slot) = resolved.last()
        {
            self.check_is_owner(caller, slot, resolved)?;
        }
        Ok(())
    }

    /// `checkOwner`: the inode must exist and belong to the caller.
    pub(crate) fn check_owner(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
    ) -> Result<Slot> {
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Directory/File does not exist {}", resolved.text()),
            ));
        };
        // Hadoop checks the owner even when permissions are switched off.
        if !ctx.caller.is_superuser {
            self.check_is_owner(&ctx.caller, slot, resolved)?;
        }
        Ok(slot)
    }

    fn check_is_owner(
        &self,
        caller: &Caller<'_>,
        slot: Slot,
        resolved: &Resolved<'_>,
    ) -> Result<()> {
        let (permission, _) = self.guard(slot, resolved.at);
        if &**self.users.name(user_of(permission)) == caller.user {
            return Ok(());
        }
        Err(denied(format!(
            "Permission denied. user={} is not the owner of inode={}",
            caller.user,
            resolved.text()
        )))
    }

    fn check_action(
        &self,
        caller: &Caller<'_>,
        resolved: &Resolved<'_>,
        position: usize,
        action: FsAction,
    ) -> Result<()> {
        match resolved.slot(position) {
            Some(slot) if !self.may(caller, slot, resolved.at, action) => {
                let path = resolved.path_to(position);
                Err(self.denied_action(caller, (slot, resolved.at), &path, action))
            }
            _ => Ok(()),
        }
    }

    /// Hadoop's text for a missing permission.
    pub(crate) fn denied_action(
        &self,
        caller: &Caller<'_>,
        (slot, at): (Slot, SnapshotId),
        path: &[u8],
        action: FsAction,
    ) -> Error {
        denied(format!(
            "Permission denied: user={}, access={}, inode={}",
            caller.user,
            action.name(),
            self.describe(slot, at, path)
        ))
    }

    /// `"/path":owner:group:drwxr-xr-x`
    fn describe(&self, slot: Slot, at: SnapshotId, path: &[u8]) -> String {
        let (permission, _) = self.guard(slot, at);
        format!(
            "\"{}\":{}:{}:{}{}",
            text(path),
            self.users.name(user_of(permission)),
            self.groups.name(group_of(permission)),
            if self.record(slot).is_directory() { 'd' } else { '-' },
            FsPermission(permission as u16)
        )
    }

    /// What decides about access: the packed permission and the list.
    fn guard(&self, slot: Slot, at: SnapshotId) -> (u64, &[AclEntry]) {
        if at == SnapshotId::CURRENT {
            return (self.permission_of(slot), self.acl(slot));
        }
        let attributes = self.attributes_at(slot, at);
        (attributes.permission, attributes.acl)
    }

    /// True when the caller may do this to the inode itself.
    pub(crate) fn may(
        &self,
        caller: &Caller<'_>,
        slot: Slot,
        at: SnapshotId,
        action: FsAction,
    ) -> bool {
        let (permission, acl) = self.guard(slot, at);
        let mode = FsPermission(permission as u16);
        let is_owner = &**self.users.name(user_of(permission)) == caller.user;
        if acl.first().is_some_and(|entry| entry.scope == AclEntryScope::Access) {
            return self.may_by_acl(caller, (permission, acl), action, is_owner);
        }
        if is_owner {
            mode.user().implies(action)
        } else if caller.is_member(self.groups.name(group_of(permission))) {
            mode.group().implies(action)
        } else {
            mode.other().implies(action)
        }
    }

    /// With an ACL the group bits of the mode are the mask, and the group's own entry is in the list.
    fn may_by_acl(
        &self,
        caller: &Caller<'_>,
        (permission, acl): (u64, &[AclEntry]),
        action: FsAction,
        is_owner: bool,
    ) -> bool {
        let mode = FsPermission(permission as u16);
        if is_owner {
            return mode.user().implies(action);
        }
        let mask = mode.group();
        let mut found = false;
        for entry in acl {
            if entry.scope == AclEntryScope::Default {
                break;
            }
            let applies = match entry.kind {
                AclEntryType::User => entry.name.as_deref() == Some(caller.user),
                AclEntryType::Group => {
                    let own = self.groups.name(group_of(permission));
                    caller.is_member(entry.name.as_deref().unwrap_or(own))
                }
                AclEntryType::Mask | AclEntryType::Other => false,
            };
            if applies {
                found = true;
                if FsAction(entry.permission.0 & mask.0).implies(action) {
                    return true;
                }
                if entry.kind == AclEntryType::User {
                    break;
                }
            }
        }
        !found && mode.other().implies(action)
    }

    fn violates_sticky(
        &self,
        caller: &Caller<'_>,
        at: SnapshotId,
        (parent, slot): (Slot, Slot),
    ) -> bool {
        let (permission, _) = self.guard(parent, at);
        FsPermission(permission as u16).sticky()
            && &**self.users.name(user_of(permission)) != caller.user
            && &**self.users.name(user_of(self.guard(slot, at).0)) != caller.user
    }

    fn check_sticky(
        &self,
        caller: &Caller<'_>,
        at: SnapshotId,
        (parent, slot): (Slot, Slot),
        (parent_path, path): (&[u8], &[u8]),
    ) -> Result<()> {
        if !self.violates_sticky(caller, at, (parent, slot)) {
            return Ok(());
        }
        Err(denied(format!(
            "Permission denied by sticky bit: user={}, path={}, parent={}",
            caller.user,
            self.describe(slot, at, path),
            self.describe(parent, at, parent_path)
        )))
    }
}

fn denied(message: String) -> Error {
    Error::new(ErrorKind::AccessControl, message)
}
