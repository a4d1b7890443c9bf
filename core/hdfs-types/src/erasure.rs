//! The erasure-coding policies that every cluster has. Servers and images may name them by number only.
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.SystemErasureCodingPolicies (3.5.0)

/// A built-in policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SystemErasureCodingPolicy {
    /// Its number; 0 is plain replication.
    pub id: u32,
    /// `RS-6-3-1024k`.
    pub name: &'static str,
    /// `rs`, `rs-legacy`, `xor`, `replication`.
    pub codec: &'static str,
    /// Data blocks of a group.
    pub data_units: u32,
    /// Parity blocks of a group.
    pub parity_units: u32,
}

/// Bytes of a cell of every built-in policy.
pub const SYSTEM_CELL_BYTES: u32 = 1024 * 1024;

const fn policy(
    id: u32,
    name: &'static str,
    codec: &'static str,
    data_units: u32,
    parity_units: u32,
) -> SystemErasureCodingPolicy {
    SystemErasureCodingPolicy { id, name, codec, data_units, parity_units }
}

/// All of them, by number.
pub const SYSTEM_POLICIES: [SystemErasureCodingPolicy; 6] = [
    policy(0, "replication", "replication", 1, 2),
    policy(1, "RS-6-3-1024k", "rs", 6, 3),
    policy(2, "RS-3-2-1024k", "rs", 3, 2),
    policy(3, "RS-LEGACY-6-3-1024k", "rs-legacy", 6, 3),
    policy(4, "XOR-2-1-1024k", "xor", 2, 1),
    policy(5, "RS-10-4-1024k", "rs", 10, 4),
];

/// The built-in policy of this number.
pub fn system_policy(id: u32) -> Option<&'static SystemErasureCodingPolicy> {
    SYSTEM_POLICIES.iter().find(|policy| policy.id == id)
}
