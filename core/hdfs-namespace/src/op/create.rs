//! Creating files.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirWriteFileOp.startFile, FSNamesystem.startFileInt (3.5.0)

use hdfs_format::edits::{AddOp, EditOp, XAttr};
use hdfs_format::fsimage::FileHeader;
use hdfs_types::{
    Error, ErrorKind, FsAction, FsPermission, INodeId, PermissionStatus, Result, is_valid_name,
};

use super::acl::{CreateModes, check_logical_acl, inherit, logical};
use super::limits::{MAX_REPLICATION, check_block, check_replication, check_time};
use super::mkdir::last_component;
use super::policy::{LAZY_PERSIST, is_copied_on_create, policy_by_name};
use super::zone::FileKeySource;
use crate::effects::Effects;
use crate::erasure::ErasureCodingPolicy;
use crate::namespace::{Namespace, NewNode, names};
use crate::permission::Access;
use crate::plan::{Attempt, LeasePurpose, PlanContext, Planned};
use crate::resolve::{
    Purpose, Resolved, invalid_path, is_exact_reserved, is_reserved, is_reserved_inodes,
    is_reserved_raw, text,
};
use crate::status::INodeKind;
use crate::store::record::Slot;

/// Flags of a create call.
///
/// Hadoop: org.apache.hadoop.fs.CreateFlag (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CreateFlags {
    /// Make the file when it does not exist.
    pub create: bool,
    /// Replace it when it does.
    pub overwrite: bool,
    /// Data in memory first.
    pub lazy_persist: bool,
    /// Replicated, whatever erasure-coding policy the directory has.
    pub should_replicate: bool,
}

/// A create call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CreateRequest<'a> {
    /// The file.
    pub path: &'a [u8],
    /// Mode after the client's umask.
    pub permission: FsPermission,
    /// Mode before it.
    pub unmasked: Option<FsPermission>,
    /// Holder of the lease.
    pub client_name: &'a str,
    /// Its host.
    pub client_machine: &'a str,
    /// Flags.
    pub flags: CreateFlags,
    /// Make missing directories above.
    pub create_parent: bool,
    /// Replicas of each block.
    pub replication: u16,
    /// Preferred length of a block, in bytes.
    pub block_size: u64,
    /// Erasure-coding policy by name; empty: the directory's.
    pub ec_policy_name: &'a str,
    /// Storage policy by name; empty: the directory's.
    pub storage_policy: &'a str,
    /// Its key, should it lie in an encryption zone.
    pub file_key: FileKeySource<'a>,
}

impl Namespace {
    /// Creates a file and opens it. The result is the new inode.
    ///
    /// # Errors
    /// As Hadoop's create: InvalidPath, FileAlreadyExists, AlreadyBeingCreated, FileNotFound, ParentNotDirectory,
    /// AccessControl, Io for sizes out of bounds, limits and quotas.
    pub fn plan_create(
        &self,
        ctx: &PlanContext<'_>,
        request: &CreateRequest<'_>,
    ) -> Result<Attempt<INodeId>> {
        let path = request.path;
        if !is_valid_name(path)
            || is_exact_reserved(path)
            || is_reserved(path) && !is_reserved_raw(path) && !is_reserved_inodes(path)
        {
            return Err(invalid_path(path));
        }
        if request.flags.should_replicate && !request.ec_policy_name.is_empty() {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                "SHOULD_REPLICATE flag and ecPolicyName are exclusive parameters. Set both is not allowed!",
            ));
        }
        let resolved = self.resolve(ctx, path, Purpose::Create)?;
        self.check_create(ctx, request, &resolved)?;
        self.check_sizes(ctx, request, &resolved)?;
        let encryption = self.encryption_of_new_file(&resolved, request.file_key)?;
        let replaced = resolved.last();
        if let Some(slot) = replaced
            && !request.flags.overwrite
        {
            let (client, machine) = (request.client_name, request.client_machine);
            let purpose = LeasePurpose::Create;
            if let Some(release) =
                self.check_takeover(ctx, slot, purpose, &resolved.text(), client, machine)?
            {
                return Ok(Attempt::Release(release));
            }
            return Err(Error::new(
                ErrorKind::FileAlreadyExists,
                format!("{} for client {machine} already exists", resolved.text()),
            ));
        }
        self.check_object_limit(ctx)?;
        self.plan_new_file(ctx, request, &resolved, replaced, encryption).map(Attempt::Planned)
    }

    /// `resolvePathForStartFile`
    pub(super) fn check_create(
        &self,
        ctx: &PlanContext<'_>,
        request: &CreateRequest<'_>,
        resolved: &Resolved<'_>,
    ) -> Result<()> {
        self.check_access(ctx, resolved, Access::ancestor(FsAction::WRITE))?;
        let Some(slot) = resolved.last() else {
            if !request.create_parent {
                self.verify_parent_dir(resolved)?;
            }
            if !request.flags.create {
                return Err(Error::new(
                    ErrorKind::FileNotFound,
                    format!("Can't overwrite non-existent {}", text(request.path)),
                ));
            }
            return Ok(());
        };
        if self.record(slot).is_directory() {
            return Err(Error::new(
                ErrorKind::FileAlreadyExists,
                format!("{} already exists as a directory", resolved.text()),
            ));
        }
        self.as_file(Some(slot), || text(request.path))?;
        if request.flags.overwrite {
            self.check_access(ctx, resolved, Access::last(FsAction::WRITE))?;
        }
        Ok(())
    }

    fn check_sizes(
        &self,
        ctx: &PlanContext<'_>,
        request: &CreateRequest<'_>,
        resolved: &Resolved<'_>,
    ) -> Result<()> {
        // A number with a sign in Java.
        let block_size = request.block_size.cast_signed();
        if block_size < ctx.conf.min_block_size.cast_signed() {
            return Err(Error::io(format!(
                "Specified block size {block_size} is less than configured minimum value \
                 dfs.namenode.fs-limits.min-block-size={}",
                ctx.conf.min_block_size
            )));
        }
        if request.block_size >= 1 << 48 {
            return Err(Error::io(format!(
                "Specified block size {} is out of range",
                request.block_size
            )));
        }
        match self.ec_policy_of_new_file(request, resolved)? {
            Some(policy) if request.block_size < u64::from(policy.cell_size) => {
                Err(Error::io(format!(
                    "Specified block size ({}) is less than the cell size ({}) of the erasure coding policy ({policy}).",
                    request.block_size, policy.cell_size
                )))
            }
            Some(_) => Ok(()),
            None => {
                let (path, client) = (request.path, Some(request.client_machine));
                verify_replication(ctx, request.replication, path, client)
            }
        }
    }

    /// None: replicated.
    fn ec_policy_of_new_file(
        &self,
        request: &CreateRequest<'_>,
        resolved: &Resolved<'_>,
    ) -> Result<Option<&ErasureCodingPolicy>> {
        if request.flags.should_replicate {
            return Ok(None);
        }
        if !request.ec_policy_name.is_empty() {
            return self.erasure.enabled(request.ec_policy_name);
        }
        // A file that is replaced leaves its policy behind only where its directory has it, too.
        let above = match resolved.last() {
            Some(slot) => self.record(slot).parent,
            None => resolved.last_existing(),
        };
        Ok(self.ec_policy_of(above))
    }

    fn plan_new_file(
        &self,
        ctx: &PlanContext<'_>,
        request: &CreateRequest<'_>,
        resolved: &Resolved<'_>,
        replaced: Option<Slot>,
        encryption: Option<XAttr>,
    ) -> Result<Planned<INodeId>> {
        let modes = CreateModes { masked: request.permission, unmasked: request.unmasked };
        let existing = match replaced {
            Some(slot) => self.record(slot).parent,
            None => resolved.last_existing(),
        };
        // Directories above are made with the mode of the last one that exists.
        let above = CreateModes { masked: self.mode_of(existing), unmasked: None };
        let mut made = self.plan_parents_of_file(ctx, resolved, replaced, above)?;
        let name = resolved.last_name();
        let parent_path = || resolved.parent_text();
        self.verify_name(ctx, name, parent_path, resolved.components.len() == 1)?;
        if made.ops.is_empty() {
            let leaving = usize::from(replaced.is_some());
            self.verify_max_items(ctx, existing, leaving, parent_path)?;
        }
        let (permission, acl) = inherit(ctx, &made.acl, modes, false);
        let acl_entries = if acl.is_empty() { Vec::new() } else { logical(permission, &acl) };
        let inode_id = self.next_inode_id(made.ops.len() as u64);
        let ec_policy = self.ec_policy_of_new_file(request, resolved)?.map_or(0, |of| of.id);
        let freed = replaced.map(|slot| self.file_usage(slot)).unwrap_or_default();
        self.verify_new_names(existing, made.ops.len() + 1, &freed)?;
        made.ops.push(EditOp::Add(Box::new(AddOp {
            inode_id,
            path: Self::stored_path(resolved, request.path).into_owned(),
            replication: if ec_policy == 0 { request.replication } else { 1 },
            mtime: ctx.now,
            atime: ctx.now,
            block_size: request.block_size,
            blocks: Vec::new(),
            permissions: PermissionStatus {
                user: ctx.caller.user.to_owned(),
                group: made.group,
                permission,
            },
            acl_entries,
            x_attrs: encryption.into_iter().collect(),
            client_name: request.client_name.to_owned(),
            client_machine: request.client_machine.to_owned(),
            overwrite: request.flags.overwrite,
            storage_policy_id: self.policy_of_new_file(request, existing)?,
            erasure_coding_policy_id: ec_policy,
            retry: ctx.retry_key(),
        })));
        Ok(Planned { ops: made.ops, result: inode_id, mono: ctx.mono, directory: existing })
    }

    fn plan_parents_of_file(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
        replaced: Option<Slot>,
        modes: CreateModes,
    ) -> Result<super::mkdir::NewDirectories> {
        match replaced {
            Some(slot) => {
                let parent = self.record(slot).parent;
                Ok(super::mkdir::NewDirectories {
                    ops: smallvec::SmallVec::new(),
                    acl: self.acl(parent).to_vec(),
                    group: self.groups.name(self.group_of(parent)).to_string(),
                })
            }
            None => self.plan_parents(ctx, resolved, modes),
        }
    }

    fn policy_of_new_file(&self, request: &CreateRequest<'_>, existing: Slot) -> Result<u8> {
        if request.flags.lazy_persist {
            return Ok(LAZY_PERSIST);
        }
        if !request.storage_policy.is_empty() {
            return policy_by_name(request.storage_policy).ok_or_else(|| {
                Error::new(
                    ErrorKind::HadoopIllegalArgument,
                    format!("Cannot find a block policy with the name {}", request.storage_policy),
                )
            });
        }
        let inherited = self.storage_policy(existing);
        Ok(if is_copied_on_create(inherited) { inherited } else { 0 })
    }

    /// `INodeFile.valueOf`
    pub(crate) fn as_file(&self, slot: Option<Slot>, path: impl Fn() -> String) -> Result<Slot> {
        match slot {
            None => {
                Err(Error::new(ErrorKind::FileNotFound, format!("File does not exist: {}", path())))
            }
            Some(slot) if !self.record(slot).is_file() => {
                Err(Error::new(ErrorKind::FileNotFound, format!("Path is not a file: {}", path())))
            }
            Some(slot) => Ok(slot),
        }
    }

    pub(crate) fn apply_add(&mut self, op: &AddOp) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        check_time(op.atime.0)?;
        check_replication(op.replication)?;
        check_logical_acl(&op.acl_entries)?;
        op.blocks.iter().try_for_each(check_block)?;
        let mut effects = Effects::default();
        let header = self.header_of_add(op)?;
        let place = match self.name_in_parent(&op.path)? {
            Ok(slot) if !op.overwrite => return self.apply_old_append(slot, op),
            Ok(slot) => {
                if !self.record(slot).is_file() {
                    return Err(format!("{} is not a file", text(&op.path)));
                }
                self.check_new_inode(op.inode_id)?;
                self.delete_inode(slot, op.mtime, &mut effects);
                self.check_new_name(&op.path, op.inode_id)?
            }
            Err(place) => {
                self.check_new_inode(op.inode_id)?;
                place
            }
        };
        let node = NewNode {
            id: op.inode_id,
            kind: INodeKind::File,
            permission: self.pack_permission(&op.permissions),
            mtime: op.mtime,
            atime: op.atime,
            header: header.pack(),
            target: &[],
        };
        let slot = self.add_node(place, last_component(&op.path), &node);
        if !op.acl_entries.is_empty() {
            self.set_logical_acl(slot, &op.acl_entries);
        }
        if !op.x_attrs.is_empty() {
            self.set_xattrs(slot, op.x_attrs.clone());
        }
        self.open_file(slot, &op.client_name, &op.client_machine);
        self.add_usage(place.0, &names(1));
        self.remember_directory(place.0, &op.path);
        if !op.blocks.is_empty() {
            effects.merge(self.replace_blocks(slot, &op.blocks, false)?);
        }
        effects.opened = Some(op.inode_id);
        Ok(effects)
    }

    fn header_of_add(&self, op: &AddOp) -> Result<FileHeader, String> {
        let id = op.erasure_coding_policy_id;
        if id != 0 && self.erasure.get(id).is_none() {
            return Err(format!(
                "Cannot find erasure coding policy for new file {}, ecPolicyID={id}",
                text(&op.path)
            ));
        }
        Ok(FileHeader {
            preferred_block_size: op.block_size,
            striped: id != 0,
            redundancy: if id == 0 { op.replication } else { id.into() },
            storage_policy_id: op.storage_policy_id,
        })
    }

    /// Before layout -62 an append was an OP_ADD of an existing file.
    fn apply_old_append(&mut self, slot: Slot, op: &AddOp) -> Result<Effects, String> {
        if !self.record(slot).is_file() {
            return Err(format!("{} is not a file", text(&op.path)));
        }
        self.check_replacement(slot, self.blocks_of(slot).as_slice(), &op.blocks, true)?;
        let mut effects = Effects::default();
        if self.under_construction(slot).is_none() {
            effects = self.reopen(slot, &op.client_name, &op.client_machine, false);
            effects.opened = Some(self.record(slot).id());
        }
        self.record_mut(slot).set_atime(op.atime);
        self.record_mut(slot).set_mtime(op.mtime);
        effects.merge(self.replace_blocks(slot, &op.blocks, false)?);
        Ok(effects)
    }
}

/// `BlockManager.verifyReplication`
pub(crate) fn verify_replication(
    ctx: &PlanContext<'_>,
    replication: u16,
    path: &[u8],
    client: Option<&str>,
) -> Result<()> {
    let (most, least) = (ctx.conf.max_replication.min(MAX_REPLICATION), ctx.conf.min_replication);
    // A number with a sign in Java.
    let replication = replication.cast_signed();
    let wrong = if i32::from(replication) > i32::from(most) {
        format!(" exceeds maximum of {most}")
    } else if i32::from(replication) < i32::from(least) {
        format!(" is less than the required minimum of {least}")
    } else {
        return Ok(());
    };
    let client = client.map_or_else(String::new, |client| format!(", clientName={client}"));
    Err(Error::io(format!(
        "Requested replication factor of {replication}{wrong} for {}{client}",
        text(path)
    )))
}
