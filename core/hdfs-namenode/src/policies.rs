//! The storage policies, all of them built in.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockStoragePolicySuite (3.5.0)

use hdfs_proto::hdfs::{BlockStoragePolicyProto, StorageTypesProto};
use hdfs_types::StorageType::{self, Archive, Disk, Nvdimm, Provided, RamDisk, Ssd};

/// A storage policy: which kinds of storage a block wants, and what it takes instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoragePolicy {
    /// The number in inodes.
    pub id: u8,
    /// The name.
    pub name: &'static str,
    /// The kinds for the first replicas; the last one counts for the rest.
    pub types: &'static [StorageType],
    /// Instead, when a file is written.
    pub creation_fallback: &'static [StorageType],
    /// Instead, when a block is copied.
    pub replication_fallback: &'static [StorageType],
}

/// The policy of everything that names none.
pub const HOT: u8 = 7;

/// Every policy, in the order in which `getStoragePolicies` lists them.
pub const STORAGE_POLICIES: [StoragePolicy; 8] = [
    policy(1, "PROVIDED", &[Provided, Disk], &[Provided, Disk], &[Provided, Disk]),
    policy(2, "COLD", &[Archive], &[], &[]),
    policy(5, "WARM", &[Disk, Archive], &[Disk, Archive], &[Disk, Archive]),
    policy(HOT, "HOT", &[Disk], &[], &[Archive]),
    policy(10, "ONE_SSD", &[Ssd, Disk], &[Ssd, Disk], &[Ssd, Disk]),
    policy(12, "ALL_SSD", &[Ssd], &[Disk], &[Disk]),
    policy(14, "ALL_NVDIMM", &[Nvdimm], &[Disk], &[Disk]),
    policy(15, "LAZY_PERSIST", &[RamDisk, Disk], &[Disk], &[Disk]),
];

const fn policy(
    id: u8,
    name: &'static str,
    types: &'static [StorageType],
    creation_fallback: &'static [StorageType],
    replication_fallback: &'static [StorageType],
) -> StoragePolicy {
    StoragePolicy { id, name, types, creation_fallback, replication_fallback }
}

impl StoragePolicy {
    /// The policy with this number.
    pub fn by_id(id: u8) -> Option<&'static Self> {
        STORAGE_POLICIES.iter().find(|policy| policy.id == id)
    }

    /// The policy with this name; case does not matter.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        STORAGE_POLICIES.iter().find(|policy| policy.name.eq_ignore_ascii_case(name))
    }

    /// Proto: hdfs.proto BlockStoragePolicyProto.
    pub fn to_proto(self) -> BlockStoragePolicyProto {
        let types = |list: &[StorageType]| StorageTypesProto {
            storage_types: list.iter().map(|kind| *kind as i32).collect(),
        };
        let fallback = |list: &[StorageType]| (!list.is_empty()).then(|| types(list));
        BlockStoragePolicyProto {
            policy_id: u32::from(self.id),
            name: self.name.to_owned(),
            creation_policy: types(self.types),
            creation_fallback_policy: fallback(self.creation_fallback),
            replication_fallback_policy: fallback(self.replication_fallback),
        }
    }
}
