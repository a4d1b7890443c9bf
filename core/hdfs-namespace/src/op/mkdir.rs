//! Making directories.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirMkdirOp (3.5.0)

use hdfs_format::edits::{AclEntry, EditOp, MkdirOp};
use hdfs_types::{
    Error, ErrorKind, FsAction, FsPermission, INodeId, PermissionStatus, Result, WallMillis,
};
use smallvec::SmallVec;

use super::acl::{CreateModes, check_logical_acl, inherit, logical};
use super::limits::{check_new_id, check_time};
use crate::effects::Effects;
use crate::namespace::{Namespace, NewNode, names};
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::quota::QuotaCounts;
use crate::resolve::{Purpose, Resolved, join, text};
use crate::status::INodeKind;
use crate::store::children::Position;
use crate::store::record::Slot;

/// Directories that are planned but not there yet, from the last that exists downwards.
pub(crate) struct NewDirectories {
    pub(crate) ops: SmallVec<[EditOp; 2]>,
    /// List of the last one, for its children.
    pub(crate) acl: Vec<AclEntry>,
    /// Its group.
    pub(crate) group: String,
}

impl Namespace {
    /// Makes a directory; with `create_parent`, missing ones above too. `unmasked`: the mode before the client's umask.
    ///
    /// # Errors
    /// As Hadoop's mkdirs: FileAlreadyExists over a file, ParentNotDirectory, FileNotFound without its parent,
    /// AccessControl, limits and quotas.
    pub fn plan_mkdirs(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        permission: FsPermission,
        unmasked: Option<FsPermission>,
        create_parent: bool,
    ) -> Result<Planned<bool>> {
        let resolved = self.resolve(ctx, path, Purpose::Create)?;
        if let Some(last) = resolved.last() {
            if self.record(last).is_file() {
                return Err(Error::new(
                    ErrorKind::FileAlreadyExists,
                    format!("Path is not a directory: {}", text(path)),
                ));
            }
            return Ok(Planned::nothing(ctx, true));
        }
        self.check_access(ctx, &resolved, Access::ancestor(FsAction::WRITE))?;
        if !create_parent {
            self.verify_parent_dir(&resolved)?;
        }
        self.check_object_limit(ctx)?;
        let modes = CreateModes { masked: permission, unmasked };
        let mut made = self.plan_parents(ctx, &resolved, modes)?;
        let above = resolved.components.len() - 1;
        self.plan_one(ctx, &resolved, above, modes, &mut made)?;
        self.verify_new_names(resolved.last_existing(), made.ops.len(), &QuotaCounts::default())?;
        let directory = resolved.last_existing();
        Ok(Planned { ops: made.ops, result: true, mono: ctx.mono, directory })
    }

    /// The missing directories above the last component, with `u+wx` added to their mode.
    pub(crate) fn plan_parents(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        modes: CreateModes,
    ) -> Result<NewDirectories> {
        let existing = resolved.last_existing();
        if !self.record(existing).is_directory() {
            let name = resolved.components[resolved.slots.len() - 1];
            return Err(Error::new(
                ErrorKind::FileAlreadyExists,
                format!(
                    "Parent path is not a directory: {} {}",
                    text(&resolved.path_to(resolved.slots.len() - 1)),
                    text(name)
                ),
            ));
        }
        let mut made = NewDirectories {
            ops: SmallVec::new(),
            acl: self.acl(existing).to_vec(),
            group: self.groups.name(self.group_of(existing)).to_string(),
        };
        let modes = CreateModes {
            masked: FsPermission(modes.masked.0 & 0o777 | 0o300),
            unmasked: modes.unmasked,
        };
        for position in resolved.slots.len() - 1..resolved.components.len().saturating_sub(1) {
            self.plan_one(ctx, resolved, position, modes, &mut made)?;
        }
        Ok(made)
    }

    /// One directory, named by the component at `position`.
    fn plan_one(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        position: usize,
        modes: CreateModes,
        made: &mut NewDirectories,
    ) -> Result<()> {
        let name = resolved.components[position];
        let parent_path = || text(&resolved.path_to(position));
        self.verify_name(ctx, name, parent_path, position == 0)?;
        if made.ops.is_empty() {
            self.verify_max_items(ctx, resolved.last_existing(), 0, parent_path)?;
        }
        let (permission, acl) = inherit(ctx, &made.acl, modes, true);
        let acl_entries = if acl.is_empty() { Vec::new() } else { logical(permission, &acl) };
        made.acl = acl;
        made.ops.push(EditOp::Mkdir(MkdirOp {
            inode_id: self.next_inode_id(made.ops.len() as u64),
            path: join(&resolved.components[..=position]),
            timestamp: ctx.now,
            permissions: PermissionStatus {
                user: ctx.caller.user.to_owned(),
                group: made.group.clone(),
                permission,
            },
            acl_entries,
            x_attrs: Vec::new(),
        }));
        Ok(())
    }

    pub(crate) fn apply_mkdir(&mut self, op: &MkdirOp) -> Result<Effects, String> {
        check_time(op.timestamp.0)?;
        check_logical_acl(&op.acl_entries)?;
        let place = self.check_new_name(&op.path, op.inode_id)?;
        let name = last_component(&op.path);
        let node = NewNode {
            id: op.inode_id,
            kind: INodeKind::Directory,
            permission: self.pack_permission(&op.permissions),
            mtime: op.timestamp,
            atime: WallMillis(0),
            header: 0,
            target: &[],
        };
        let slot = self.add_node(place, name, &node);
        self.set_logical_acl(slot, &op.acl_entries);
        self.set_xattrs(slot, op.x_attrs.clone());
        self.add_usage(place.0, &names(1));
        Ok(Effects::default())
    }

    /// In replay: a path at which something new may be; returns its parent.
    pub(crate) fn check_new_name(
        &self,
        path: &[u8],
        id: INodeId,
    ) -> Result<(Slot, Position), String> {
        match self.name_in_parent(path)? {
            Ok(_) => Err(format!("{} exists", text(path))),
            Err(place) => self.check_new_inode(id).map(|()| place),
        }
    }

    /// In replay: an inode with this id may be made.
    pub(crate) fn check_new_inode(&self, id: INodeId) -> Result<(), String> {
        check_new_id(self, id)?;
        if self.users.is_full() || self.groups.is_full() {
            return Err("there are too many users or groups".to_owned());
        }
        Ok(())
    }

    /// In replay: the inode at a path, or the place where it may be made. One walk, one search.
    pub(crate) fn name_in_parent(
        &self,
        path: &[u8],
    ) -> Result<Result<Slot, (Slot, Position)>, String> {
        let (parent, name) = match self.in_last_directory(path) {
            Some(found) => found,
            None => {
                let resolved = self.resolve_parent(path)?;
                let parent = resolved.parent();
                let parent = parent.ok_or_else(|| format!("{} has no parent", text(path)))?;
                (parent, resolved.last_name())
            }
        };
        if !self.record(parent).is_directory() {
            return Err(format!("the parent of {} is not a directory", text(path)));
        }
        if name.len() > crate::store::name_pool::MAX_NAME_BYTES {
            return Err(format!("the name of {} is too long", text(path)));
        }
        Ok(match self.find_child_position(parent, name) {
            Ok((_, slot)) => Ok(slot),
            Err(position) => Err((parent, position)),
        })
    }
}

/// The last component of a path.
pub(crate) fn last_component(path: &[u8]) -> &[u8] {
    hdfs_types::components(path).next_back().unwrap_or_default()
}
