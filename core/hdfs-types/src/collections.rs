//! Hash collections with a fixed hasher.
//!
//! **Iteration order is not defined**: use them for look-up only, and a BTreeMap where anything iterates. The hasher is
//! fast and seeded with a constant, so keys that an attacker chooses freely do not belong here.

/// A map for look-up by keys that the cluster itself allocates.
pub type FastMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::FixedState>;

/// A set for look-up by keys that the cluster itself allocates.
pub type FastSet<K> = hashbrown::HashSet<K, foldhash::fast::FixedState>;
