//! Blocks whose ids have no neighbours, as Hadoop gave them by chance before it counted: id and entry, found by a hash.
//!
//! Entries lie in chunks that never move. The index is cut into [`SHARDS`], so that a table grows in small steps.

use hashbrown::HashTable;

use super::entry::Entry;

const SHARD_BITS: u32 = 6;
const SHARDS: usize = 1 << SHARD_BITS;
const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;

/// A vacant place has id 0 and is on the free list.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed)]
struct Place {
    id: i64,
    entry: Entry,
}

/// The blocks.
#[derive(Default)]
pub(super) struct Loose {
    index: Vec<HashTable<u32>>,
    chunks: Vec<Box<[Place; CHUNK]>>,
    used: u32,
    free: Vec<u32>,
    len: usize,
}

fn hash(id: i64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let id = id as u64;
    let hash = (id ^ id >> 32).wrapping_mul(ODD);
    hash ^ hash >> 32
}

fn shard_of(id: i64) -> usize {
    (id as u64 >> 8) as usize & (SHARDS - 1)
}

fn place_at(chunks: &[Box<[Place; CHUNK]>], position: u32) -> &Place {
    &chunks[(position >> CHUNK_BITS) as usize][position as usize & (CHUNK - 1)]
}

impl Loose {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Positions that were ever used.
    pub(super) fn used(&self) -> u32 {
        self.used
    }

    pub(super) fn find(&self, id: i64) -> Option<u32> {
        let index = self.index.get(shard_of(id))?;
        index.find(hash(id), |position| place_at(&self.chunks, *position).id == id).copied()
    }

    /// The id at a position; 0 when there is none.
    pub(super) fn id(&self, position: u32) -> i64 {
        place_at(&self.chunks, position).id
    }

    pub(super) fn entry(&self, position: u32) -> &Entry {
        &place_at(&self.chunks, position).entry
    }

    pub(super) fn entry_mut(&mut self, position: u32) -> &mut Entry {
        let chunk = &mut self.chunks[(position >> CHUNK_BITS) as usize];
        &mut chunk[position as usize & (CHUNK - 1)].entry
    }

    /// Adds an id that is not there; its position.
    pub(super) fn insert(&mut self, id: i64, entry: Entry) -> u32 {
        let position = self.free.pop().unwrap_or_else(|| {
            if self.used as usize & (CHUNK - 1) == 0 {
                self.chunks.push(Box::new([Place { id: 0, entry }; CHUNK]));
            }
            self.used += 1;
            self.used - 1
        });
        let chunk = &mut self.chunks[(position >> CHUNK_BITS) as usize];
        chunk[position as usize & (CHUNK - 1)] = Place { id, entry };
        if self.index.is_empty() {
            self.index.resize_with(SHARDS, HashTable::default);
        }
        let chunks = &self.chunks;
        self.index[shard_of(id)]
            .insert_unique(hash(id), position, |other| hash(place_at(chunks, *other).id));
        self.len += 1;
        position
    }

    pub(super) fn remove(&mut self, position: u32) {
        let id = self.id(position);
        let index = &mut self.index[shard_of(id)];
        if let Ok(found) = index.find_entry(hash(id), |other| *other == position) {
            found.remove();
        }
        let chunk = &mut self.chunks[(position >> CHUNK_BITS) as usize];
        chunk[position as usize & (CHUNK - 1)].id = 0;
        self.free.push(position);
        self.len -= 1;
    }

    /// Entries that fit before memory is taken for more.
    pub(super) fn capacity(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.chunks.len() * size_of::<[Place; CHUNK]>()
            + self.index.iter().map(HashTable::allocation_size).sum::<usize>()
            + self.free.capacity() * size_of::<u32>()
    }
}
