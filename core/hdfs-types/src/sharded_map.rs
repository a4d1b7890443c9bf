//! A hash table that never grows at once: many small ones, each of which grows by itself.
//!
//! A table of millions of entries takes 0.1 s and more to move them when it grows, within whatever call comes then. The
//! parts of this one fill evenly, and each moves a 256th of the entries.

use std::hash::{BuildHasher, Hash};

use crate::FastMap;

const SHARDS: usize = 256;

/// A map like [`FastMap`] for tables that may hold millions of entries. Its order is that of no key.
#[derive(Clone, Debug)]
pub struct ShardedMap<K, V> {
    /// None before the first entry: most of these maps stay empty.
    shards: Vec<FastMap<K, V>>,
    len: usize,
}

impl<K, V> Default for ShardedMap<K, V> {
    fn default() -> Self {
        Self { shards: Vec::new(), len: 0 }
    }
}

impl<K: Eq + Hash, V> ShardedMap<K, V> {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.shards.get(shard_of(key))?.get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.shards.get_mut(shard_of(key))?.get_mut(key)
    }

    /// True when the key has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Gives a key a value; the one that it had before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.shard_mut(&key).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes a key out. The last one takes the memory of the tables along.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.shards.get_mut(shard_of(key))?.remove(key)?;
        self.len -= 1;
        if self.len == 0 {
            self.shards = Vec::new();
        }
        Some(removed)
    }

    /// The value of a key, made first when it has none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let mut made = 0;
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, FastMap::default);
        }
        let shard = &mut self.shards[shard_of(&key)];
        let value = shard.entry(key).or_insert_with(|| {
            made = 1;
            make()
        });
        self.len += made;
        value
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flatten()
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    fn shard_mut(&mut self, key: &K) -> &mut FastMap<K, V> {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, FastMap::default);
        }
        &mut self.shards[shard_of(key)]
    }
}

/// From bits of the hash that a small table does not use.
fn shard_of<K: Hash>(key: &K) -> usize {
    let hash = foldhash::fast::FixedState::default().hash_one(key);
    (hash >> 40) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_plain_map_holds() {
        let (mut map, mut plain) = (ShardedMap::default(), FastMap::default());
        let mut key = 7_u64;
        for round in 0..40_000 {
            key = key.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = (key >> 33) % 5_000;
            match round % 4 {
                0 => assert_eq!(map.remove(&number), plain.remove(&number)),
                1 => {
                    let made = *map.get_or_insert_with(number, || round);
                    assert_eq!(made, *plain.entry(number).or_insert(round));
                }
                _ => assert_eq!(map.insert(number, round), plain.insert(number, round)),
            }
            assert_eq!(map.len(), plain.len());
        }
        let sorted = |mut all: Vec<(u64, i32)>| {
            all.sort_unstable();
            all
        };
        let entries = map.iter().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(sorted(entries), sorted(plain.into_iter().collect()));
    }

    #[test]
    fn its_parts_are_about_as_long() {
        let mut map = ShardedMap::default();
        (0..256_000_u32).for_each(|key| assert_eq!(map.insert(key, ()), None));
        assert!(map.shards.iter().all(|shard| (700..1_300).contains(&shard.len())));
    }

    #[test]
    fn an_empty_one_has_no_tables() {
        let mut map = ShardedMap::default();
        map.insert(1_u64, 1);
        assert_eq!(map.remove(&2), None);
        assert_eq!(map.remove(&1), Some(1));
        assert!(map.shards.is_empty());
    }
}
