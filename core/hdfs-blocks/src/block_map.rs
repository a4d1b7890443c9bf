//! The block map: everything that the NameNode keeps for each block, in forty bytes.
//!
//! ```text
//! entry, 40 bytes                                     index, per shard
//! +----+--------+--------+--------+-----------+----------+  hash table of u32 positions,
//! | id | gs low | len low| own low| storage×3 | high, 16 |  keyed by the id in the entry:
//! |  8 |    4   |    4   |    4   |    3 × 4  | 3×2 + 2  |  about 8 bytes a block
//! +----+--------+--------+--------+-----------+----------+
//! last two bytes: replication (12 bits), state (2), "has more storages" (1), "counted as safe" (1)
//! ```
//!
//! Generation stamps, lengths and owner ids take 48 bits: 281 trillion, checked when a block is added. A fourth replica
//! and further ones go to a side table. Blocks are spread over [`SHARDS`] by their id, each shard with its own
//! index, arena and free list, so that a table grows in small steps and locks can be cut along shards later. A *slot*
//! names an entry: `shard << POSITION_BITS | position`. Entries live in chunks that never move.
//!
//! Reports list blocks roughly by id, and ids are given one after the other. So 256 consecutive ids share a shard, and
//! eight of them lie next to each other in its index: a report walks memory forwards instead of missing the cache for
//! every block.

use hashbrown::HashTable;
use hdfs_types::{Block, BlockId, FastMap, GenerationStamp, INodeId};
use smallvec::SmallVec;

use crate::datanode::StorageSlot;

const SHARD_BITS: u32 = 6;
const POSITION_BITS: u32 = 32 - SHARD_BITS;
/// Shards of the map.
pub(crate) const SHARDS: usize = 1 << SHARD_BITS;
/// Consecutive ids that share a shard, as a power of two.
const SHARD_RUN_BITS: u32 = 8;
/// Consecutive ids that lie next to each other in the index.
const INDEX_RUN: u64 = 8;
const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;
const NONE: u32 = u32::MAX;
/// Generation stamps, lengths and owner ids are below this.
pub const FIELD_LIMIT: u64 = 1 << 48;

/// State of a block.
///
/// Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.BlockUCState (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum BlockState {
    /// Final, with its minimal replication.
    Complete = 0,
    /// Being written.
    UnderConstruction = 1,
    /// Its last writer is gone; replicas are being made equal.
    UnderRecovery = 2,
    /// The client said the final length; replicas must still report.
    Committed = 3,
}

impl BlockState {
    /// Hadoop's name, as in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::UnderConstruction => "UNDER_CONSTRUCTION",
            Self::UnderRecovery => "UNDER_RECOVERY",
            Self::Committed => "COMMITTED",
        }
    }

    fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::Complete,
            1 => Self::UnderConstruction,
            2 => Self::UnderRecovery,
            _ => Self::Committed,
        }
    }
}

const REPLICATION_MASK: u16 = 0x0FFF;
const STATE_SHIFT: u16 = 12;
const MORE: u16 = 1 << 14;
const SAFE: u16 = 1 << 15;

/// What is stored for a block. A vacant entry has id 0 and is on its shard's free list.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Entry {
    id: i64,
    generation_stamp_low: u32,
    length_low: u32,
    owner_low: u32,
    storages: [u32; 3],
    generation_stamp_high: u16,
    length_high: u16,
    owner_high: u16,
    flags: u16,
}

fn split(value: u64) -> (u32, u16) {
    assert!(value < FIELD_LIMIT, "fields of a block are checked before they are stored");
    (value as u32, (value >> 32) as u16)
}

impl Entry {
    fn new(block: Block, owner: INodeId, replication: u16, state: BlockState) -> Self {
        let mut entry = Self {
            id: block.id.0,
            generation_stamp_low: 0,
            length_low: 0,
            owner_low: 0,
            storages: [NONE; 3],
            generation_stamp_high: 0,
            length_high: 0,
            owner_high: 0,
            flags: replication & REPLICATION_MASK | (state as u16) << STATE_SHIFT,
        };
        entry.set_generation_stamp(block.generation_stamp);
        entry.set_num_bytes(block.num_bytes);
        entry.set_owner(owner);
        entry
    }

    pub(crate) fn id(&self) -> BlockId {
        BlockId(self.id)
    }

    pub(crate) fn generation_stamp(&self) -> GenerationStamp {
        GenerationStamp(
            u64::from(self.generation_stamp_high) << 32 | u64::from(self.generation_stamp_low),
        )
    }

    /// The stamp only grows (B3).
    pub(crate) fn set_generation_stamp(&mut self, stamp: GenerationStamp) {
        assert!(stamp >= self.generation_stamp(), "a generation stamp never goes back");
        (self.generation_stamp_low, self.generation_stamp_high) = split(stamp.0);
    }

    pub(crate) fn num_bytes(&self) -> u64 {
        u64::from(self.length_high) << 32 | u64::from(self.length_low)
    }

    pub(crate) fn set_num_bytes(&mut self, length: u64) {
        (self.length_low, self.length_high) = split(length);
    }

    pub(crate) fn owner(&self) -> INodeId {
        INodeId(u64::from(self.owner_high) << 32 | u64::from(self.owner_low))
    }

    pub(crate) fn set_owner(&mut self, owner: INodeId) {
        (self.owner_low, self.owner_high) = split(owner.0);
    }

    pub(crate) fn block(&self) -> Block {
        Block {
            id: self.id(),
            num_bytes: self.num_bytes(),
            generation_stamp: self.generation_stamp(),
        }
    }

    pub(crate) fn replication(&self) -> u16 {
        self.flags & REPLICATION_MASK
    }

    pub(crate) fn set_replication(&mut self, replication: u16) {
        self.flags = self.flags & !REPLICATION_MASK | replication & REPLICATION_MASK;
    }

    pub(crate) fn state(&self) -> BlockState {
        BlockState::from_bits(self.flags >> STATE_SHIFT)
    }

    pub(crate) fn set_state(&mut self, state: BlockState) {
        self.flags = self.flags & !(3 << STATE_SHIFT) | (state as u16) << STATE_SHIFT;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state() == BlockState::Complete
    }

    pub(crate) fn is_complete_or_committed(&self) -> bool {
        matches!(self.state(), BlockState::Complete | BlockState::Committed)
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.flags & SAFE != 0
    }

    pub(crate) fn set_safe(&mut self, safe: bool) {
        self.flags = if safe { self.flags | SAFE } else { self.flags & !SAFE };
    }
}

/// Where a block's replicas are. Small, and copied out so that the map can be changed meanwhile.
pub(crate) type Storages = SmallVec<[StorageSlot; 4]>;

#[derive(Default)]
struct Shard {
    index: HashTable<u32>,
    chunks: Vec<Box<[Entry; CHUNK]>>,
    used: u32,
    free: Vec<u32>,
    more: FastMap<u32, SmallVec<[u32; 2]>>,
}

impl Shard {
    fn entry(&self, position: u32) -> &Entry {
        &self.chunks[(position >> CHUNK_BITS) as usize][position as usize & (CHUNK - 1)]
    }

    fn entry_mut(&mut self, position: u32) -> &mut Entry {
        &mut self.chunks[(position >> CHUNK_BITS) as usize][position as usize & (CHUNK - 1)]
    }
}

/// Where runs of ids go is spread by a multiplication; inside a run, neighbours stay neighbours. The upper half, from
/// which the table takes its tags, depends on every bit.
fn hash(id: i64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let id = id as u64;
    let run = (id / INDEX_RUN).wrapping_mul(ODD) >> 32;
    let tag = (id ^ id >> 32).wrapping_mul(ODD) & 0xFFFF_FFFF_0000_0000;
    tag | run & !(INDEX_RUN - 1) | id & (INDEX_RUN - 1)
}

fn shard_of(id: BlockId) -> usize {
    (id.0 >> SHARD_RUN_BITS) as usize & (SHARDS - 1)
}

fn slot_at(shard: usize, position: u32) -> u32 {
    (shard as u32) << POSITION_BITS | position
}

fn shard_part(slot: u32) -> usize {
    (slot >> POSITION_BITS) as usize
}

fn position_part(slot: u32) -> u32 {
    slot & ((1 << POSITION_BITS) - 1)
}

/// All blocks.
pub(crate) struct BlockMap {
    shards: Vec<Shard>,
    len: usize,
}

impl Default for BlockMap {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::default()).collect(), len: 0 }
    }
}

impl BlockMap {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Blocks that fit before memory is taken for more.
    pub(crate) fn capacity(&self) -> usize {
        self.shards.iter().map(|shard| shard.chunks.len() * CHUNK).sum()
    }

    pub(crate) fn find(&self, id: BlockId) -> Option<u32> {
        let shard_number = shard_of(id);
        let shard = &self.shards[shard_number];
        let position =
            shard.index.find(hash(id.0), |position| shard.entry(*position).id == id.0)?;
        Some(slot_at(shard_number, *position))
    }

    pub(crate) fn entry(&self, slot: u32) -> &Entry {
        self.shards[shard_part(slot)].entry(position_part(slot))
    }

    pub(crate) fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        self.shards[shard_part(slot)].entry_mut(position_part(slot))
    }

    pub(crate) fn get(&self, id: BlockId) -> Option<&Entry> {
        self.find(id).map(|slot| self.entry(slot))
    }

    /// Adds a block that is not there.
    pub(crate) fn insert(
        &mut self,
        block: Block,
        owner: INodeId,
        replication: u16,
        state: BlockState,
    ) -> u32 {
        let entry = Entry::new(block, owner, replication, state);
        let shard_number = shard_of(block.id);
        let shard = &mut self.shards[shard_number];
        let position = shard.free.pop().unwrap_or_else(|| {
            let position = shard.used;
            assert!(position < 1 << POSITION_BITS, "a shard holds 67 million blocks");
            if position as usize & (CHUNK - 1) == 0 {
                shard.chunks.push(Box::new([entry; CHUNK]));
            }
            shard.used += 1;
            position
        });
        *shard.entry_mut(position) = entry;
        let Shard { index, chunks, .. } = shard;
        index.insert_unique(hash(block.id.0), position, |other| {
            hash(chunks[(*other >> CHUNK_BITS) as usize][*other as usize & (CHUNK - 1)].id)
        });
        self.len += 1;
        slot_at(shard_number, position)
    }

    /// Forgets a block; its storages must have been removed.
    pub(crate) fn remove(&mut self, slot: u32) {
        let shard = &mut self.shards[shard_part(slot)];
        let position = position_part(slot);
        let entry = *shard.entry(position);
        assert!(entry.storages[0] == NONE, "a forgotten block has no replicas");
        if let Ok(found) = shard.index.find_entry(hash(entry.id), |other| *other == position) {
            found.remove();
        }
        shard.entry_mut(position).id = 0;
        shard.free.push(position);
        self.len -= 1;
    }

    pub(crate) fn storages(&self, slot: u32) -> Storages {
        let shard = &self.shards[shard_part(slot)];
        let position = position_part(slot);
        let entry = shard.entry(position);
        let mut storages: Storages = entry
            .storages
            .iter()
            .take_while(|storage| **storage != NONE)
            .map(|storage| StorageSlot(*storage))
            .collect();
        if entry.flags & MORE != 0
            && let Some(more) = shard.more.get(&position)
        {
            storages.extend(more.iter().map(|storage| StorageSlot(*storage)));
        }
        storages
    }

    pub(crate) fn add_storage(&mut self, slot: u32, storage: StorageSlot) {
        let shard = &mut self.shards[shard_part(slot)];
        let position = position_part(slot);
        let entry = shard.entry_mut(position);
        if let Some(place) = entry.storages.iter_mut().find(|place| **place == NONE) {
            *place = storage.0;
        } else {
            entry.flags |= MORE;
            shard.more.entry(position).or_default().push(storage.0);
        }
    }

    /// Removes a storage; false when it was not there. The others keep their order.
    pub(crate) fn remove_storage(&mut self, slot: u32, storage: StorageSlot) -> bool {
        let mut storages = self.storages(slot);
        let Some(at) = storages.iter().position(|other| *other == storage) else { return false };
        storages.remove(at);
        let shard = &mut self.shards[shard_part(slot)];
        let position = position_part(slot);
        let entry = shard.entry_mut(position);
        for (index, place) in entry.storages.iter_mut().enumerate() {
            *place = storages.get(index).map_or(NONE, |storage| storage.0);
        }
        if entry.flags & MORE != 0 {
            if storages.len() > 3 {
                let rest = storages[3..].iter().map(|storage| storage.0).collect();
                shard.more.insert(position, rest);
            } else {
                entry.flags &= !MORE;
                shard.more.remove(&position);
            }
        }
        true
    }

    /// Every slot in use, shard by shard.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.shards.iter().enumerate().flat_map(|(number, shard)| {
            (0..shard.used)
                .filter(|position| shard.entry(*position).id != 0)
                .map(move |position| slot_at(number, position))
        })
    }

    /// Slots in use of one shard, from a position on: for walks in slices.
    pub(crate) fn slots_of_shard(
        &self,
        shard: usize,
        from: u32,
        limit: usize,
    ) -> impl Iterator<Item = u32> + '_ {
        let used = self.shards[shard].used;
        (from..used)
            .take(limit)
            .filter(move |position| self.shards[shard].entry(*position).id != 0)
            .map(move |position| slot_at(shard, position))
    }

    /// Positions of a shard that were ever used.
    pub(crate) fn shard_size(&self, shard: usize) -> u32 {
        self.shards[shard].used
    }

    /// Bytes on the heap, for the memory budget.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| {
                shard.chunks.len() * size_of::<[Entry; CHUNK]>()
                    + shard.index.allocation_size()
                    + shard.free.capacity() * 4
                    + shard.more.allocation_size()
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(id: i64) -> Block {
        Block { id: BlockId(id), num_bytes: 1 << 27, generation_stamp: GenerationStamp(1_001) }
    }

    #[test]
    fn an_entry_takes_forty_bytes() {
        assert_eq!(size_of::<Entry>(), 40);
    }

    #[test]
    fn fields_survive_at_their_limits() {
        let mut map = BlockMap::default();
        let wide = Block {
            id: BlockId(i64::MAX),
            num_bytes: FIELD_LIMIT - 1,
            generation_stamp: GenerationStamp(FIELD_LIMIT - 1),
        };
        let slot = map.insert(wide, INodeId(FIELD_LIMIT - 1), 4_095, BlockState::Committed);
        let entry = map.entry(slot);
        assert_eq!(entry.block(), wide);
        assert_eq!(entry.owner(), INodeId(FIELD_LIMIT - 1));
        assert_eq!(entry.replication(), 4_095);
        assert_eq!(entry.state(), BlockState::Committed);
        assert!(!entry.is_safe());
    }

    #[test]
    fn storages_spill_beyond_three_and_come_back() {
        let mut map = BlockMap::default();
        let slot = map.insert(block(1), INodeId(16_386), 3, BlockState::Complete);
        for storage in 0..6 {
            map.add_storage(slot, StorageSlot(storage));
        }
        assert!(map.remove_storage(slot, StorageSlot(1)));
        assert!(!map.remove_storage(slot, StorageSlot(1)));
        assert_eq!(map.storages(slot).iter().map(|s| s.0).collect::<Vec<_>>(), [0, 2, 3, 4, 5]);
        for storage in [0, 5, 3, 2, 4] {
            assert!(map.remove_storage(slot, StorageSlot(storage)));
        }
        assert!(map.storages(slot).is_empty());
        map.remove(slot);
        assert_eq!(map.len(), 0);
        assert!(map.find(BlockId(1)).is_none());
    }

    #[test]
    fn slots_of_forgotten_blocks_are_used_again() {
        let mut map = BlockMap::default();
        for id in 1..40_000 {
            map.insert(block(id), INodeId(16_386), 3, BlockState::Complete);
        }
        let before = map.heap_bytes();
        for id in 1..40_000 {
            let slot = map.find(BlockId(id)).expect("it was inserted");
            map.remove(slot);
        }
        for id in 50_000..89_999 {
            map.insert(block(id), INodeId(16_386), 3, BlockState::Complete);
        }
        assert!(map.heap_bytes() < before + before / 4);
        assert_eq!(map.slots().count(), 39_999);
    }
}
