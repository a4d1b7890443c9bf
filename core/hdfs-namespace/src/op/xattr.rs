//! Changing and reading extended attributes.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirXAttrOp, XAttrPermissionFilter} (3.5.0)

use hdfs_format::edits::{EditOp, RemoveXAttrOp, SetXAttrOp, XAttr, XAttrNamespace};
use hdfs_types::{Error, ErrorKind, FsAction, Result};

use super::attr::same;
use super::zone::is_zone_xattr;
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, is_reserved_raw};
use crate::snapshot::model::SnapshotId;
use crate::store::record::Slot;

/// Not even a superuser reads a file that has it.
const UNREADABLE: &str = "security.hdfs.unreadable.by.superuser";

/// What a new value may do.
///
/// Hadoop: org.apache.hadoop.fs.XAttrSetFlag (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct XAttrSetFlags {
    /// Make the attribute.
    pub create: bool,
    /// Replace its value.
    pub replace: bool,
}

impl Namespace {
    /// Sets an attribute.
    ///
    /// # Errors
    /// AccessControl, FileNotFound, Io when the flags do not fit or there are too many, HadoopIllegalArgument when it is too
    /// big.
    pub fn plan_set_xattr(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        xattr: &XAttr,
        flags: XAttrSetFlags,
    ) -> Result<Planned<()>> {
        check_switch(ctx)?;
        let size = xattr.name.len() + xattr.value.as_ref().map_or(0, Vec::len);
        if size > ctx.conf.max_xattr_size {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                format!(
                    "The XAttr is too big. The maximum combined size of the name and value is {}, but the total size is \
                     {size}",
                    ctx.conf.max_xattr_size
                ),
            ));
        }
        check_permission(ctx, xattr, is_reserved_raw(path))?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        self.check_change_access(ctx, &resolved, xattr)?;
        let slot = self.last_inode(&resolved)?;
        self.check_flags(slot, xattr, flags)?;
        self.check_count(ctx, slot, xattr)?;
        if prefixed(xattr) == UNREADABLE && !self.record(slot).is_file() {
            return Err(Error::io(format!("Can only set '{UNREADABLE}' on a file.")));
        }
        let op = SetXAttrOp {
            src: resolved.path(),
            x_attrs: vec![xattr.clone()],
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::SetXAttr(op), ()))
    }

    /// Removes an attribute.
    ///
    /// # Errors
    /// AccessControl, FileNotFound, Io when the inode lacks it.
    pub fn plan_remove_xattr(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        xattr: &XAttr,
    ) -> Result<Planned<()>> {
        check_switch(ctx)?;
        check_permission(ctx, xattr, is_reserved_raw(path))?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        self.check_change_access(ctx, &resolved, xattr)?;
        let slot = self.last_inode(&resolved)?;
        if is_zone_xattr(xattr) {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                "The encryption zone xattr should never be deleted.",
            ));
        }
        let existing = self.xattrs(slot);
        if !existing.is_empty() && prefixed(xattr) == UNREADABLE {
            return Err(Error::new(
                ErrorKind::AccessControl,
                format!("The xattr '{UNREADABLE}' can not be deleted."),
            ));
        }
        if !existing.iter().any(|known| same(known, xattr)) {
            return Err(Error::io("No matching attributes found for remove operation"));
        }
        let op = RemoveXAttrOp {
            src: resolved.path(),
            x_attrs: vec![xattr.clone()],
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::RemoveXAttr(op), ()))
    }

    /// Attributes with their values: those asked for, or all that the caller may see.
    ///
    /// # Errors
    /// AccessControl, FileNotFound, XAttrNotFound when one that was asked for is missing.
    pub fn get_xattrs(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        wanted: &[XAttr],
    ) -> Result<Vec<XAttr>> {
        check_switch(ctx)?;
        let is_raw = is_reserved_raw(path);
        for xattr in wanted {
            check_permission(ctx, xattr, is_raw)?;
        }
        let visible = self.visible_xattrs(ctx, path, Some(FsAction::READ))?;
        if wanted.is_empty() {
            return Ok(visible);
        }
        let find = |wanted: &XAttr| visible.iter().find(|known| same(known, wanted)).cloned();
        wanted.iter().map(find).collect::<Option<Vec<_>>>().ok_or_else(|| {
            Error::new(
                ErrorKind::XAttrNotFound,
                "At least one of the attributes provided was not found.",
            )
        })
    }

    /// The attributes of an inode that the caller may see.
    ///
    /// # Errors
    /// AccessControl, FileNotFound.
    pub fn list_xattrs(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<Vec<XAttr>> {
        check_switch(ctx)?;
        self.visible_xattrs(ctx, path, Some(FsAction::READ))
    }

    fn visible_xattrs(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        action: Option<FsAction>,
    ) -> Result<Vec<XAttr>> {
        let is_raw = is_reserved_raw(path);
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        self.check_access(ctx, &resolved, Access { last: action, ..Access::default() })?;
        let slot = self.last_inode(&resolved)?;
        let xattrs = self.xattrs_at(slot, resolved.at);
        let may_see = |xattr: &&XAttr| match xattr.namespace {
            XAttrNamespace::User => true,
            XAttrNamespace::Trusted => ctx.caller.is_superuser,
            XAttrNamespace::Raw => is_raw,
            _ => prefixed(xattr) == UNREADABLE,
        };
        Ok(xattrs.iter().filter(may_see).cloned().collect())
    }

    fn last_inode(&self, resolved: &Resolved<'_>) -> Result<Slot> {
        resolved.last().ok_or_else(|| {
            Error::new(ErrorKind::FileNotFound, format!("cannot find {}", resolved.text()))
        })
    }

    /// `checkUnreadableBySuperuser`
    pub(crate) fn check_readable(
        &self,
        ctx: &PlanContext<'_>,
        (slot, at): (Slot, SnapshotId),
    ) -> Result<()> {
        if ctx.conf.permissions_enabled
            && ctx.caller.is_superuser
            && self.xattrs_at(slot, at).iter().any(|xattr| prefixed(xattr) == UNREADABLE)
        {
            return Err(Error::new(
                ErrorKind::AccessControl,
                format!(
                    "Access is denied for {} since the superuser is not allowed to perform this operation.",
                    ctx.caller.user
                ),
            ));
        }
        Ok(())
    }

    /// In a sticky directory only its owner changes attributes of users.
    fn check_change_access(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        xattr: &XAttr,
    ) -> Result<()> {
        if !ctx.conf.permissions_enabled || xattr.namespace != XAttrNamespace::User {
            return Ok(());
        }
        let sticky = resolved.last().is_some_and(|slot| {
            let record = self.record(slot);
            record.is_directory() && self.mode_of(slot).sticky()
        });
        if sticky {
            self.check_owner(ctx, resolved).map(|_| ())
        } else {
            self.check_access(ctx, resolved, Access::last(FsAction::WRITE))
        }
    }

    fn check_flags(&self, slot: Slot, xattr: &XAttr, flags: XAttrSetFlags) -> Result<()> {
        if flags == XAttrSetFlags::default() {
            return Err(Error::new(ErrorKind::HadoopIllegalArgument, "A flag must be specified."));
        }
        let exists = self.xattrs(slot).iter().any(|known| same(known, xattr));
        if exists && !flags.replace {
            return Err(Error::io(format!(
                "XAttr: {} already exists. The REPLACE flag must be specified.",
                xattr.name
            )));
        }
        if !exists && !flags.create {
            return Err(Error::io(format!(
                "XAttr: {} does not exist. The CREATE flag must be specified.",
                xattr.name
            )));
        }
        Ok(())
    }

    fn check_count(&self, ctx: &PlanContext<'_>, slot: Slot, xattr: &XAttr) -> Result<()> {
        let counts = |xattr: &&XAttr| {
            matches!(xattr.namespace, XAttrNamespace::User | XAttrNamespace::Trusted)
        };
        let kept = self.xattrs(slot).iter().filter(|known| !same(known, xattr)).filter(counts);
        let count = kept.count() + usize::from(counts(&xattr));
        let limit = ctx.conf.max_xattrs_per_inode;
        if count > limit {
            return Err(Error::io(format!(
                "Cannot add additional XAttr to inode, would exceed limit of {limit}"
            )));
        }
        Ok(())
    }
}

fn check_switch(ctx: &PlanContext<'_>) -> Result<()> {
    if ctx.conf.xattrs_enabled {
        return Ok(());
    }
    Err(Error::io(
        "The XAttr operation has been rejected.  Support for XAttrs has been disabled by setting \
         dfs.namenode.xattrs.enabled to false.",
    ))
}

/// `user.name`
fn prefixed(xattr: &XAttr) -> String {
    let namespace = match xattr.namespace {
        XAttrNamespace::User => "user",
        XAttrNamespace::Trusted => "trusted",
        XAttrNamespace::Security => "security",
        XAttrNamespace::System => "system",
        XAttrNamespace::Raw => "raw",
    };
    format!("{namespace}.{}", xattr.name)
}

/// `XAttrPermissionFilter.checkPermissionForApi`
fn check_permission(ctx: &PlanContext<'_>, xattr: &XAttr, is_raw: bool) -> Result<()> {
    let denied = |message: String| Err(Error::new(ErrorKind::AccessControl, message));
    match xattr.namespace {
        XAttrNamespace::User => Ok(()),
        XAttrNamespace::Trusted if ctx.caller.is_superuser => Ok(()),
        XAttrNamespace::Raw if is_raw => Ok(()),
        _ if prefixed(xattr) == UNREADABLE => {
            if xattr.value.is_some() {
                return denied(format!(
                    "Attempt to set a value for '{UNREADABLE}'. Values are not allowed for this xattr."
                ));
            }
            Ok(())
        }
        _ => denied(format!("User doesn't have permission for xattr: {}", prefixed(xattr))),
    }
}
