//! Randomness of a DataNode, handed to the machines as an argument.

use std::hash::{BuildHasher, Hasher, RandomState};

use hdfs_types::{ClientId, SplitMix64};

/// The standard library seeds its hashers from the system.
fn word() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A generator for choices, seeded by the system.
pub(super) fn rng() -> SplitMix64 {
    SplitMix64(word())
}

/// A random UUID in its text form.
pub(super) fn uuid() -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&word().to_be_bytes());
    bytes[8..].copy_from_slice(&word().to_be_bytes());
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    ClientId(bytes).to_string()
}
