//! Storage policies, as far as the tree must know them: what holds for an inode, and which kinds of storage it counts for.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockStoragePolicySuite (3.5.0)

use hdfs_format::edits::{EditOp, SetStoragePolicyOp, XAttr, XAttrNamespace};
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result, StorageType, WallMillis};

use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::Purpose;
use crate::store::record::Slot;

/// Attribute that holds the policy of a directory, in the namespace `system`.
pub(crate) const POLICY_XATTR: &str = "hsm.block.storage.policy.id";
/// Data in memory first.
pub(crate) const LAZY_PERSIST: u8 = 15;

/// A policy: id, name, kinds of storage for the first replicas; the last kind serves all further ones.
struct Policy(u8, &'static str, &'static [StorageType]);

use StorageType::{Archive, Disk, Nvdimm, Provided, RamDisk, Ssd};
const POLICIES: [Policy; 8] = [
    Policy(1, "PROVIDED", &[Provided, Disk]),
    Policy(2, "COLD", &[Archive]),
    Policy(5, "WARM", &[Disk, Archive]),
    Policy(7, "HOT", &[Disk]),
    Policy(10, "ONE_SSD", &[Ssd, Disk]),
    Policy(12, "ALL_SSD", &[Ssd]),
    Policy(14, "ALL_NVDIMM", &[Nvdimm]),
    Policy(LAZY_PERSIST, "LAZY_PERSIST", &[RamDisk, Disk]),
];
const HOT: u8 = 7;
/// HOT, COLD and ALL_SSD: any other counts as none for striped files.
///
/// Hadoop: ErasureCodingPolicyManager.checkStoragePolicySuitableForECStripedMode (3.5.0)
const SUITABLE_FOR_STRIPED: [u8; 3] = [HOT, 2, 12];

/// The id of a policy by name; case does not matter.
pub(crate) fn policy_by_name(name: &str) -> Option<u8> {
    POLICIES.iter().find(|policy| policy.1.eq_ignore_ascii_case(name)).map(|policy| policy.0)
}

/// The name of a policy.
pub(crate) fn policy_name(id: u8) -> Option<&'static str> {
    POLICIES.iter().find(|policy| policy.0 == id).map(|policy| policy.1)
}

/// True for policies that a file keeps from its creation on.
pub(crate) fn is_copied_on_create(id: u8) -> bool {
    id == LAZY_PERSIST
}

/// The kinds of storage that count against quotas by kind: one entry a replica, memory left out. 0, no policy, counts for
/// none, although such files lie on disks (Hadoop: FSDirectory.getStorageTypeDeltas, INodeFile.computeQuotaUsage).
pub(crate) fn storage_types(policy: u8, replication: u16) -> impl Iterator<Item = StorageType> {
    let types = POLICIES.iter().find(|known| known.0 == policy).map_or(&[][..], |known| known.2);
    let lasting = types.iter().copied().filter(|kind| *kind != RamDisk);
    let rest = types.last().copied().filter(|kind| *kind != RamDisk);
    lasting
        .chain(std::iter::repeat_with(move || rest).map_while(|kind| kind))
        .take(replication.into())
}

/// The attribute for a directory's policy.
pub(crate) fn policy_xattr(id: u8) -> XAttr {
    XAttr {
        namespace: XAttrNamespace::System,
        name: POLICY_XATTR.to_owned(),
        value: Some(vec![id]),
    }
}

impl Namespace {
    /// Sets the storage policy of an inode by name; None removes it.
    ///
    /// # Errors
    /// HadoopIllegalArgument for unknown policies and those that only new files can have, FileNotFound, AccessControl, Io
    /// when policies are switched off.
    pub fn plan_set_storage_policy(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        policy: Option<&str>,
    ) -> Result<Planned<()>> {
        if !ctx.conf.storage_policy_enabled {
            let verb = if policy.is_some() { "set" } else { "unset" };
            return Err(Error::io(format!(
                "Failed to {verb} storage policy since dfs.storage.policy.enabled is set to false."
            )));
        }
        if ctx.conf.storage_policy_superuser_only {
            let verb = if policy.is_some() { "set" } else { "unset" };
            ctx.caller.check_superuser_for(&format!("{verb}StoragePolicy"))?;
        }
        let refused = |message| Error::new(ErrorKind::HadoopIllegalArgument, message);
        let policy_id = match policy {
            None => 0,
            Some(name) => policy_by_name(name).ok_or_else(|| {
                refused(format!("Cannot find a block policy with the name {name}"))
            })?,
        };
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::WRITE))?;
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File/Directory does not exist: {}", resolved.text()),
            ));
        };
        if self.record(slot).is_file() {
            if is_copied_on_create(policy_id) {
                return Err(refused(
                    "Policy BlockStoragePolicy{LAZY_PERSIST:15, storageTypes=[RAM_DISK, DISK], \
                     creationFallbacks=[DISK], replicationFallbacks=[DISK]} cannot be set after file creation."
                        .to_owned(),
                ));
            }
            let current = self.own_storage_policy(slot);
            if is_copied_on_create(current) {
                let name = policy_name(current).unwrap_or_default();
                return Err(refused(format!(
                    "Existing policy {name} cannot be changed after file creation."
                )));
            }
        }
        let op = SetStoragePolicyOp { path: resolved.path(), policy_id };
        Ok(Planned::one(ctx, EditOp::SetStoragePolicy(op), ()))
    }

    /// The policy that holds for an inode by id, without checks; 0: none, or the inode was deleted.
    pub fn storage_policy_of(&self, id: INodeId) -> u8 {
        self.attached(id).map_or(0, |slot| self.storage_policy(slot))
    }

    /// Whether a file is being written, or was read or changed after a moment; false when it was deleted.
    pub fn was_used_after(&self, file: INodeId, moment: WallMillis) -> bool {
        self.attached(file).is_some_and(|slot| {
            let record = self.record(slot);
            let used = record.atime() > moment || record.mtime() > moment;
            used || self.under_construction(slot).is_some()
        })
    }

    /// The policy set on an inode itself; 0: none.
    pub(crate) fn own_storage_policy(&self, slot: Slot) -> u8 {
        let record = self.record(slot);
        if record.is_file() {
            return self.file_header(slot).storage_policy_id;
        }
        self.xattrs(slot)
            .iter()
            .find(|xattr| xattr.namespace == XAttrNamespace::System && xattr.name == POLICY_XATTR)
            .and_then(|xattr| xattr.value.as_ref()?.first().copied())
            .unwrap_or(0)
    }

    /// The policy that holds for an inode: its own, or that of the nearest ancestor; 0: none.
    pub(crate) fn storage_policy(&self, slot: Slot) -> u8 {
        let policy = self
            .ancestry(slot)
            .map(|ancestor| self.own_storage_policy(ancestor))
            .find(|policy| *policy != 0)
            .unwrap_or(0);
        let record = self.record(slot);
        let fits = policy == 0 || !record.is_file() || !self.file_header(slot).striped;
        if fits || SUITABLE_FOR_STRIPED.contains(&policy) { policy } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_counts_for_a_kind_of_storage_but_those_in_memory() {
        let kinds = |policy, replication| storage_types(policy, replication).collect::<Vec<_>>();
        assert_eq!(kinds(0, 2), []);
        assert_eq!(kinds(10, 3), [Ssd, Disk, Disk]);
        assert_eq!(kinds(15, 2), [Disk, Disk]);
        assert_eq!(kinds(2, 1), [Archive]);
        assert_eq!(policy_by_name("all_ssd"), Some(12));
        assert_eq!(policy_name(5), Some("WARM"));
    }
}
