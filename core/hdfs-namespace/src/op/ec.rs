//! Erasure coding: the policies themselves, and which one an inode has.
//!
//! A directory's policy is an attribute, so that setting it is an operation on attributes.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirErasureCodingOp (3.5.0)

use hdfs_format::edits::{
    AddErasureCodingPolicyOp, EditOp, ErasureCodingPolicyDefinition, ErasureCodingPolicyNameOp,
    RemoveXAttrOp, SetXAttrOp, XAttr, XAttrNamespace,
};
use hdfs_proto::hdfs::ErasureCodingPolicyState;
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};

use crate::effects::Effects;
use crate::erasure::{ErasureCodingPolicy, REPLICATION};
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, is_exact_reserved, text};
use crate::snapshot::model::SnapshotId;
use crate::store::record::{Flag, Slot};

/// Attribute that holds the policy of a directory, in the namespace `system`.
const EC_XATTR: &str = "hdfs.erasurecoding.policy";

impl Namespace {
    /// The policies with their states, sorted by name.
    pub fn erasure_coding_policies(
        &self,
    ) -> impl Iterator<Item = (&ErasureCodingPolicy, ErasureCodingPolicyState)> {
        self.erasure.by_name()
    }

    /// The policy with this number, whatever its state.
    pub fn erasure_coding_policy(&self, id: u8) -> Option<&ErasureCodingPolicy> {
        self.erasure.get(id)
    }

    /// The policy with this name, whatever its state; `Ok(None)`: plain replication.
    ///
    /// # Errors
    /// HadoopIllegalArgument when there is none.
    pub fn erasure_coding_policy_named(&self, name: &str) -> Result<Option<&ErasureCodingPolicy>> {
        match self.erasure.by_exact_name(name) {
            None if !name.eq_ignore_ascii_case(REPLICATION) => Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                format!("The given erasure coding policy {name} does not exist."),
            )),
            policy => Ok(policy),
        }
    }

    /// The policy of a file by id, in the tree or in snapshots only; None: it is replicated.
    pub fn erasure_coding_policy_of(&self, file: INodeId) -> Option<&ErasureCodingPolicy> {
        let slot = Slot(self.index.get(file.0)?);
        self.record(slot).is_file().then(|| self.ec_policy_of(slot)).flatten()
    }

    /// The configured default policy exists.
    ///
    /// # Errors
    /// Io when it does not.
    pub fn check_default_erasure_coding_policy(
        &self,
        conf: &crate::plan::NamespaceConf,
    ) -> Result<()> {
        self.erasure.check_default(conf)
    }

    /// The policy that holds for a path; None: replication.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Option<&ErasureCodingPolicy>> {
        if is_exact_reserved(path) {
            return Ok(None);
        }
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        if resolved.is_dot_snapshot() {
            return Ok(None);
        }
        let slot = resolved.last().ok_or_else(|| path_not_found(&text(path)))?;
        Ok(self.ec_policy_on(&resolved, slot))
    }

    /// Sets the policy of a directory.
    ///
    /// # Errors
    /// HadoopIllegalArgument for a policy that is not enabled, FileNotFound, AccessControl, Io for a file.
    pub fn plan_set_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        name: &str,
    ) -> Result<Planned<()>> {
        let policy = self.erasure.enabled(name)?;
        let resolved = self.resolve(ctx, path, Purpose::WriteLink)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let slot = resolved.last().ok_or_else(|| path_not_found(&resolved.text()))?;
        if !self.record(slot).is_directory() {
            return Err(Error::io(format!(
                "Attempt to set an erasure coding policy for a file {}",
                resolved.text()
            )));
        }
        let stored = policy.map_or(REPLICATION, |policy| &policy.name);
        let op = SetXAttrOp {
            src: resolved.path(),
            x_attrs: vec![policy_xattr(stored)],
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::SetXAttr(op), ()))
    }

    /// Removes the policy of a directory.
    ///
    /// # Errors
    /// NoECPolicySetException when it has none itself, FileNotFound, AccessControl, Io for a file.
    pub fn plan_unset_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Planned<()>> {
        let resolved = self.resolve(ctx, path, Purpose::WriteLink)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let slot = resolved.last().ok_or_else(|| path_not_found(&resolved.text()))?;
        if !self.record(slot).is_directory() {
            return Err(Error::io(format!(
                "Cannot unset an erasure coding policy on a file {}",
                resolved.text()
            )));
        }
        let Some(xattr) = self.own_ec_xattr(slot) else {
            return Err(Error::new(
                ErrorKind::Remote(
                    "org.apache.hadoop.hdfs.protocol.NoECPolicySetException".to_owned(),
                ),
                format!("No erasure coding policy explicitly set on {}", resolved.text()),
            ));
        };
        let op = RemoveXAttrOp {
            src: resolved.path(),
            x_attrs: vec![xattr.clone()],
            retry: ctx.retry_key(),
        };
        Ok(Planned::one(ctx, EditOp::RemoveXAttr(op), ()))
    }

    /// Adds policies: for each one the policy that it is now, or why not.
    ///
    /// # Errors
    /// IllegalArgument when a definition makes no sense at all.
    pub fn plan_add_erasure_coding_policies(
        &self,
        ctx: &PlanContext<'_>,
        definitions: &[ErasureCodingPolicyDefinition],
    ) -> Result<Planned<Vec<Result<ErasureCodingPolicy>>>> {
        let mut policies = self.erasure.clone();
        let mut planned = Planned::nothing(ctx, Vec::with_capacity(definitions.len()));
        for definition in definitions {
            let added = match policies.check_new(ctx.conf, definition) {
                Err(error) if error.kind == ErrorKind::HadoopIllegalArgument => Err(error),
                Err(error) => return Err(error),
                Ok(()) => {
                    let ec_policy = definition.clone();
                    let retry = ctx.retry_key();
                    let op = AddErasureCodingPolicyOp { ec_policy, retry };
                    planned.ops.push(EditOp::AddErasureCodingPolicy(op));
                    policies.add(definition).cloned().map_err(Error::io)
                }
            };
            planned.result.push(added);
        }
        Ok(planned)
    }

    /// Lets new files have a policy. False when they could before.
    ///
    /// # Errors
    /// HadoopIllegalArgument for an unknown policy.
    pub fn plan_enable_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        name: &str,
    ) -> Result<Planned<bool>> {
        if !self.erasure.check_enable(ctx.conf, name)? {
            return Ok(Planned::nothing(ctx, false));
        }
        let op = EditOp::EnableErasureCodingPolicy(name_op(ctx, name));
        Ok(Planned::one(ctx, op, true))
    }

    /// No new files may have a policy. False when they could not before.
    ///
    /// # Errors
    /// HadoopIllegalArgument for an unknown policy.
    pub fn plan_disable_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        name: &str,
    ) -> Result<Planned<bool>> {
        if !self.erasure.check_disable(name)? {
            return Ok(Planned::nothing(ctx, false));
        }
        let op = EditOp::DisableErasureCodingPolicy(name_op(ctx, name));
        Ok(Planned::one(ctx, op, true))
    }

    /// Marks a policy of a user as removed; files that have it keep it.
    ///
    /// # Errors
    /// HadoopIllegalArgument for unknown and for built-in policies.
    pub fn plan_remove_erasure_coding_policy(
        &self,
        ctx: &PlanContext<'_>,
        name: &str,
    ) -> Result<Planned<()>> {
        self.erasure.check_remove(name)?;
        let op = EditOp::RemoveErasureCodingPolicy(name_op(ctx, name));
        Ok(Planned::one(ctx, op, ()))
    }

    pub(crate) fn apply_erasure_coding(&mut self, op: &EditOp) -> Result<Effects, String> {
        let policies = &mut self.erasure;
        match op {
            EditOp::AddErasureCodingPolicy(op) => policies.add(&op.ec_policy).map(|_| ()),
            EditOp::EnableErasureCodingPolicy(op) => policies.enable(&op.ec_policy_name),
            EditOp::DisableErasureCodingPolicy(op) => policies.disable(&op.ec_policy_name),
            EditOp::RemoveErasureCodingPolicy(op) => policies.remove(&op.ec_policy_name),
            _ => Err("the operation is not one of erasure coding".to_owned()),
        }?;
        Ok(Effects::default())
    }

    /// The policy of an inode: a file's own, or that of the nearest directory that has one. None: replication.
    pub(crate) fn ec_policy_of(&self, slot: Slot) -> Option<&ErasureCodingPolicy> {
        let record = self.record(slot);
        if record.is_file() {
            let header = self.file_header(slot);
            return header.striped.then(|| self.erasure.get(header.redundancy as u8)).flatten();
        }
        if record.is_symlink() {
            return None;
        }
        let name = self
            .ancestry(slot)
            .find_map(|ancestor| self.own_ec_xattr(ancestor))
            .and_then(policy_name)?;
        self.erasure.by_exact_name(name)
    }

    /// The policy of the last inode of a path, as of the path's snapshot: its directories had other policies then.
    pub(crate) fn ec_policy_on(
        &self,
        resolved: &Resolved<'_>,
        slot: Slot,
    ) -> Option<&ErasureCodingPolicy> {
        if resolved.at == SnapshotId::CURRENT || !self.record(slot).is_directory() {
            return self.ec_policy_of(slot);
        }
        let mut above = resolved.slots.iter().rev();
        let xattr = above.find_map(|slot| ec_xattr(self.xattrs_at(*slot, resolved.at)))?;
        self.erasure.by_exact_name(policy_name(xattr)?)
    }

    /// The same, where the parent's is known.
    pub(crate) fn ec_policy_below(&self, slot: Slot, at: SnapshotId, parent: u8) -> u8 {
        if !self.record(slot).is_directory() {
            return self.ec_policy_of(slot).map_or(0, |policy| policy.id);
        }
        let Some(xattr) = ec_xattr(self.xattrs_at(slot, at)) else { return parent };
        let policy = policy_name(xattr).and_then(|name| self.erasure.by_exact_name(name));
        policy.map_or(0, |policy| policy.id)
    }

    /// The name that a content summary shows for a directory: its own, or, when it has no attribute at all, its parent's.
    ///
    /// Hadoop: ContentSummaryComputationContext.getErasureCodingPolicyName (3.5.0)
    pub(crate) fn ec_policy_text(&self, slot: Slot) -> String {
        let record = self.record(slot);
        if record.is_file() {
            return self
                .ec_policy_of(slot)
                .map_or_else(|| "Replicated".to_owned(), |policy| policy.name.clone());
        }
        if record.is_symlink() {
            return String::new();
        }
        let with = self.ancestry(slot).find(|slot| self.record(*slot).has(Flag::XAttrs));
        with.and_then(|slot| self.own_ec_xattr(slot)).and_then(policy_name).map_or_else(
            String::new,
            |name| match self.erasure.by_exact_name(name) {
                Some(policy) => policy.name.clone(),
                None => REPLICATION.to_owned(),
            },
        )
    }

    fn own_ec_xattr(&self, slot: Slot) -> Option<&XAttr> {
        ec_xattr(self.xattrs(slot))
    }
}

fn ec_xattr(xattrs: &[XAttr]) -> Option<&XAttr> {
    let is_policy =
        |xattr: &&XAttr| xattr.namespace == XAttrNamespace::System && xattr.name == EC_XATTR;
    xattrs.iter().find(is_policy)
}

/// The name of a policy in an attribute: four bytes of length, then the text, as Java's WritableUtils writes it.
fn policy_name(xattr: &XAttr) -> Option<&str> {
    let (length, text) = xattr.value.as_deref()?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()
}

fn policy_xattr(name: &str) -> XAttr {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    let mut value = length.to_be_bytes().to_vec();
    value.extend_from_slice(name.as_bytes());
    XAttr { namespace: XAttrNamespace::System, name: EC_XATTR.to_owned(), value: Some(value) }
}

fn name_op(ctx: &PlanContext<'_>, name: &str) -> ErasureCodingPolicyNameOp {
    ErasureCodingPolicyNameOp { ec_policy_name: name.to_owned(), retry: ctx.retry_key() }
}

fn path_not_found(path: &str) -> Error {
    Error::new(ErrorKind::FileNotFound, format!("Path not found: {path}"))
}
