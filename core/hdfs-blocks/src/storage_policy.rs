//! Which kinds of storage a file's replicas belong on.

use hdfs_types::StorageType;
use hdfs_types::StorageType::{Archive, Disk, Nvdimm, Provided, RamDisk, Ssd};
use smallvec::SmallVec;

/// A list of kinds, one for each replica.
pub(crate) type Types = SmallVec<[StorageType; 8]>;

/// A storage policy. The numbers are stored in inodes.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockStoragePolicySuite (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoragePolicy {
    /// Number in inodes and on the wire.
    pub id: u8,
    /// Hadoop's name.
    pub name: &'static str,
    /// Kinds for the first replicas; the last one is for all further ones.
    pub storage_types: &'static [StorageType],
    /// Used in this order when a kind is not to be had for a new block.
    pub creation_fallbacks: &'static [StorageType],
    /// Used in this order when a kind is not to be had for a copy.
    pub replication_fallbacks: &'static [StorageType],
    /// Files keep it from their creation; it can't be set on one.
    pub copy_on_create: bool,
}

/// The policy of files that have none set.
pub const DEFAULT_POLICY: u8 = 7;

const fn policy(
    id: u8,
    name: &'static str,
    storage_types: &'static [StorageType],
    creation_fallbacks: &'static [StorageType],
    replication_fallbacks: &'static [StorageType],
) -> StoragePolicy {
    let copy_on_create = id == 15;
    StoragePolicy {
        id,
        name,
        storage_types,
        creation_fallbacks,
        replication_fallbacks,
        copy_on_create,
    }
}

/// Every policy, by falling number as Hadoop lists them.
pub const STORAGE_POLICIES: [StoragePolicy; 8] = [
    policy(15, "LAZY_PERSIST", &[RamDisk, Disk], &[Disk], &[Disk]),
    policy(14, "ALL_NVDIMM", &[Nvdimm], &[Disk], &[Disk]),
    policy(12, "ALL_SSD", &[Ssd], &[Disk], &[Disk]),
    policy(10, "ONE_SSD", &[Ssd, Disk], &[Ssd, Disk], &[Ssd, Disk]),
    policy(7, "HOT", &[Disk], &[], &[Archive]),
    policy(5, "WARM", &[Disk, Archive], &[Disk, Archive], &[Disk, Archive]),
    policy(2, "COLD", &[Archive], &[], &[]),
    policy(1, "PROVIDED", &[Provided, Disk], &[Provided, Disk], &[Provided, Disk]),
];

impl StoragePolicy {
    /// The policy with this number; 0, or a number that no policy has, means the default.
    pub fn of(id: u8) -> &'static Self {
        STORAGE_POLICIES
            .iter()
            .find(|policy| policy.id == id)
            .or_else(|| STORAGE_POLICIES.iter().find(|policy| policy.id == DEFAULT_POLICY))
            .expect("the default policy is in the table")
    }

    /// Kinds for so many replicas.
    pub(crate) fn types_for(&self, replication: usize) -> Types {
        let last = *self.storage_types.last().expect("every policy has a kind");
        (0..replication)
            .map(|index| self.storage_types.get(index).copied().unwrap_or(last))
            .collect()
    }

    /// Kinds still wanted when `chosen` are there and `unavailable` ones can't be had.
    pub(crate) fn missing_types(
        &self,
        replication: usize,
        chosen: &[StorageType],
        unavailable: &[StorageType],
        new_block: bool,
    ) -> Types {
        let mut types = self.types_for(replication);
        let mut excess = Types::new();
        subtract(&mut types, chosen, Some(&mut excess));
        let fallbacks =
            if new_block { self.creation_fallbacks } else { self.replication_fallbacks };
        let fallback = fallbacks.iter().find(|kind| !unavailable.contains(kind));
        for index in (0..types.len()).rev() {
            if unavailable.contains(&types[index]) {
                match fallback {
                    Some(kind) => types[index] = *kind,
                    None => {
                        types.remove(index);
                    }
                }
            }
        }
        subtract(&mut types, &excess, None);
        types
    }

    /// Kinds of which `chosen` has more than the policy wants.
    pub(crate) fn excess_types(&self, replication: usize, chosen: &[StorageType]) -> Types {
        let mut types = self.types_for(replication);
        let mut excess = Types::new();
        subtract(&mut types, chosen, Some(&mut excess));
        excess
    }
}

/// Takes each of `chosen` out of `types` once; what was not in it goes to `excess`.
fn subtract(types: &mut Types, chosen: &[StorageType], mut excess: Option<&mut Types>) {
    for kind in chosen {
        if let Some(at) = types.iter().position(|other| other == kind) {
            types.remove(at);
        } else if let Some(excess) = excess.as_deref_mut() {
            excess.push(*kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ssd_wants_one_and_falls_back_to_disk() {
        let one_ssd = StoragePolicy::of(10);
        assert_eq!(&one_ssd.types_for(3)[..], [Ssd, Disk, Disk]);
        assert_eq!(&one_ssd.missing_types(3, &[], &[Ssd], true)[..], [Disk, Disk, Disk]);
        assert_eq!(&one_ssd.missing_types(3, &[Disk], &[], true)[..], [Ssd, Disk]);
        assert_eq!(&one_ssd.excess_types(2, &[Disk, Disk, Ssd])[..], [Disk]);
    }

    #[test]
    fn hot_has_no_fallback_for_new_blocks_and_archive_for_copies() {
        let hot = StoragePolicy::of(0);
        assert_eq!(hot.name, "HOT");
        assert!(hot.missing_types(3, &[], &[Disk], true).is_empty());
        assert_eq!(&hot.missing_types(3, &[Disk, Disk], &[Disk], false)[..], [Archive]);
    }
}
