//! Randomness for names and pauses; nothing here is a secret.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 64 random bits.
pub(crate) fn bits() -> u64 {
    // Every RandomState starts from fresh keys of the operating system.
    RandomState::new().build_hasher().finish()
}

/// A random number below `bound`.
pub(crate) fn below(bound: u64) -> u64 {
    bits() % bound.max(1)
}
