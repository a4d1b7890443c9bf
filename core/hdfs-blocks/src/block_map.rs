//! The block map: everything that the NameNode keeps for each block.
//!
//! Hadoop gives ids one after the other. So 256 consecutive ids are one page ([`page`]): a bit an id, and a dense array of
//! 29-byte entries ([`entry`]) without ids; pages are found by a hash. Ids that were given by chance, before Hadoop
//! counted, have no neighbours: each is kept with its entry ([`loose`]), 45 bytes and more.
//!
//! A *slot* names a block while it is there: number of the page and place of the id in it, or, with the first bit set, a
//! position among the loose ones. A fourth replica and further ones go to a side table.

use hashbrown::HashTable;
use hdfs_types::{Block, BlockId, FastMap, INodeId};
use smallvec::SmallVec;

use crate::datanode::StorageSlot;

mod entry;
mod loose;
mod page;

pub(crate) use entry::Entry;
pub use entry::{BlockState, FIELD_LIMIT};

use loose::Loose;
use page::{PAGE, PAGE_BITS, Page};

/// Counted ids are below this; those given by chance have 64 bits, so one of 16 million of them is here.
const COUNTED_LIMIT: i64 = 1 << 40;
/// In slots of loose blocks.
const LOOSE: u32 = 1 << 31;
/// Pages that slots can name. When they are used up, further blocks are loose.
const MOST_PAGES: usize = (LOOSE >> PAGE_BITS) as usize;
/// Parts of the side table, so that it grows in small steps.
const MORE_PARTS: usize = 64;

/// Where a block's replicas are. Small, and copied out so that the map can be changed meanwhile.
pub(crate) type Storages = SmallVec<[StorageSlot; 4]>;

/// All blocks.
#[derive(Default)]
pub(crate) struct BlockMap {
    pages: Vec<Page>,
    /// Of `pages`, by the number inside.
    index: HashTable<u32>,
    free_pages: Vec<u32>,
    loose: Loose,
    more: Vec<FastMap<u32, SmallVec<[u32; 2]>>>,
    len: usize,
}

fn hash(number: i64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let hash = (number as u64).wrapping_mul(ODD);
    hash ^ hash >> 32
}

fn page_of(slot: u32) -> usize {
    (slot >> PAGE_BITS) as usize
}

fn more_part(slot: u32) -> usize {
    (slot >> PAGE_BITS) as usize % MORE_PARTS
}

impl BlockMap {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Blocks that fit before memory is taken for more.
    pub(crate) fn capacity(&self) -> usize {
        self.pages.iter().map(Page::capacity).sum::<usize>() + self.loose.capacity()
    }

    fn find_page(&self, number: i64) -> Option<u32> {
        self.index.find(hash(number), |at| self.pages[*at as usize].number == number).copied()
    }

    pub(crate) fn find(&self, id: BlockId) -> Option<u32> {
        if (0..COUNTED_LIMIT).contains(&id.0)
            && let Some(page) = self.find_page(id.0 >> PAGE_BITS)
            && self.pages[page as usize].contains(id.0 as u8)
        {
            return Some(page << PAGE_BITS | id.0 as u32 & (PAGE as u32 - 1));
        }
        if self.loose.is_empty() {
            return None;
        }
        self.loose.find(id.0).map(|position| LOOSE | position)
    }

    /// True while the slot names a block.
    fn is_used(&self, slot: u32) -> bool {
        if slot & LOOSE == 0 {
            self.pages[page_of(slot)].contains(slot as u8)
        } else {
            self.loose.id(slot & !LOOSE) != 0
        }
    }

    pub(crate) fn entry(&self, slot: u32) -> &Entry {
        if slot & LOOSE == 0 {
            self.pages[page_of(slot)].get(slot as u8).expect("the slot names a block")
        } else {
            self.loose.entry(slot & !LOOSE)
        }
    }

    pub(crate) fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        if slot & LOOSE == 0 {
            self.pages[page_of(slot)].get_mut(slot as u8).expect("the slot names a block")
        } else {
            self.loose.entry_mut(slot & !LOOSE)
        }
    }

    /// The id of the block in a slot.
    pub(crate) fn id(&self, slot: u32) -> BlockId {
        if slot & LOOSE == 0 {
            BlockId(self.pages[page_of(slot)].number << PAGE_BITS | i64::from(slot as u8))
        } else {
            BlockId(self.loose.id(slot & !LOOSE))
        }
    }

    /// The block in a slot.
    pub(crate) fn block(&self, slot: u32) -> Block {
        self.entry(slot).block(self.id(slot))
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
        let id = block.id.0;
        self.len += 1;
        let counted = (0..COUNTED_LIMIT).contains(&id);
        match counted.then(|| self.page_for(id >> PAGE_BITS)).flatten() {
            Some(page) => {
                self.pages[page as usize].insert(id as u8, entry);
                page << PAGE_BITS | id as u32 & (PAGE as u32 - 1)
            }
            None => {
                let position = self.loose.insert(id, entry);
                assert!(position < LOOSE, "memory ends before two billion loose blocks");
                LOOSE | position
            }
        }
    }

    /// The page of this number; none when there can be no more pages.
    fn page_for(&mut self, number: i64) -> Option<u32> {
        if let Some(page) = self.find_page(number) {
            return Some(page);
        }
        let page = match self.free_pages.pop() {
            Some(page) => {
                self.pages[page as usize] = Page::new(number);
                page
            }
            None if self.pages.len() == MOST_PAGES => return None,
            None => {
                self.pages.push(Page::new(number));
                (self.pages.len() - 1) as u32
            }
        };
        let Self { index, pages, .. } = self;
        index.insert_unique(hash(number), page, |other| hash(pages[*other as usize].number));
        Some(page)
    }

    /// Forgets a block; its storages must have been removed.
    pub(crate) fn remove(&mut self, slot: u32) {
        assert!(self.storages(slot).is_empty(), "a forgotten block has no replicas");
        self.len -= 1;
        if slot & LOOSE != 0 {
            self.loose.remove(slot & !LOOSE);
            return;
        }
        let page = &mut self.pages[page_of(slot)];
        page.remove(slot as u8);
        if page.is_empty() {
            let (number, at) = (page.number, slot >> PAGE_BITS);
            if let Ok(found) = self.index.find_entry(hash(number), |other| *other == at) {
                found.remove();
            }
            self.free_pages.push(at);
        }
    }

    /// Where the replicas of a block are: nowhere, once it is forgotten.
    pub(crate) fn storages(&self, slot: u32) -> Storages {
        if !self.is_used(slot) {
            return Storages::new();
        }
        let entry = self.entry(slot);
        let mut storages: Storages = entry.inline_storages().collect();
        if entry.has_more()
            && let Some(more) = self.more.get(more_part(slot)).and_then(|part| part.get(&slot))
        {
            storages.extend(more.iter().map(|storage| StorageSlot(*storage)));
        }
        storages
    }

    pub(crate) fn add_storage(&mut self, slot: u32, storage: StorageSlot) {
        let entry = self.entry_mut(slot);
        if !entry.add_inline(storage) {
            entry.set_more(true);
            if self.more.is_empty() {
                self.more.resize_with(MORE_PARTS, FastMap::default);
            }
            self.more[more_part(slot)].entry(slot).or_default().push(storage.0);
        }
    }

    /// Removes a storage; false when it was not there. The others keep their order.
    pub(crate) fn remove_storage(&mut self, slot: u32, storage: StorageSlot) -> bool {
        let mut storages = self.storages(slot);
        let Some(at) = storages.iter().position(|other| *other == storage) else { return false };
        storages.remove(at);
        let entry = self.entry_mut(slot);
        let rest = entry.set_inline(&storages);
        if entry.has_more() {
            entry.set_more(!rest.is_empty());
            let part = &mut self.more[more_part(slot)];
            if rest.is_empty() {
                part.remove(&slot);
            } else {
                part.insert(slot, rest.iter().map(|storage| storage.0).collect());
            }
        }
        true
    }

    /// Every slot in use, in ascending order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        let paged = (0..).zip(&self.pages).flat_map(|(number, page)| {
            page.ids_from(0).map(move |low| number << PAGE_BITS | u32::from(low))
        });
        let loose = (0..self.loose.used()).filter(|position| self.loose.id(*position) != 0);
        paged.chain(loose.map(|position| LOOSE | position))
    }

    /// Slots in use from one on, after a walk over about `limit` places, and where to go on: for walks in slices.
    pub(crate) fn slots_from(&self, from: u32, limit: usize) -> (Vec<u32>, Option<u32>) {
        let (mut slots, mut walked) = (Vec::new(), 0);
        let mut low = from as u8;
        for page in page_of(from & !LOOSE)..self.pages.len() {
            if from & LOOSE != 0 {
                break;
            }
            let base = (page as u32) << PAGE_BITS;
            if walked >= limit {
                return (slots, Some(base));
            }
            let before = slots.len();
            slots.extend(self.pages[page].ids_from(low).map(|low| base | u32::from(low)));
            walked += 1 + slots.len() - before;
            low = 0;
        }
        let first = if from & LOOSE == 0 { 0 } else { from & !LOOSE };
        let left = u32::try_from(limit.saturating_sub(walked)).unwrap_or(u32::MAX);
        let end = self.loose.used().min(first.saturating_add(left));
        let used = (first..end).filter(|position| self.loose.id(*position) != 0);
        slots.extend(used.map(|position| LOOSE | position));
        (slots, (end < self.loose.used()).then_some(LOOSE | end))
    }

    /// How much of all places lies before a slot, from 0 to 1.
    pub(crate) fn share_before(&self, slot: u32) -> f64 {
        let paged = self.pages.len() * PAGE;
        let all = paged + self.loose.used() as usize;
        let before =
            if slot & LOOSE == 0 { slot as usize } else { paged + (slot & !LOOSE) as usize };
        before as f64 / all.max(1) as f64
    }

    /// Bytes on the heap, for the memory budget.
    pub(crate) fn heap_bytes(&self) -> usize {
        let entries: usize = self.pages.iter().map(Page::capacity).sum();
        entries * size_of::<Entry>()
            + self.pages.capacity() * size_of::<Page>()
            + self.index.allocation_size()
            + self.free_pages.capacity() * size_of::<u32>()
            + self.loose.heap_bytes()
            + self.more.iter().map(FastMap::allocation_size).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use hdfs_types::{GenerationStamp, Rng, SplitMix64};

    use super::*;

    fn block(id: i64) -> Block {
        Block { id: BlockId(id), num_bytes: 1 << 27, generation_stamp: GenerationStamp(1_001) }
    }

    #[test]
    fn an_entry_takes_29_bytes() {
        assert_eq!(size_of::<Entry>(), 29);
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
        assert_eq!(map.block(slot), wide);
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
    fn storages_of_any_number_keep_their_order() {
        let mut map = BlockMap::default();
        let slot = map.insert(block(-1), INodeId(16_386), 3, BlockState::Complete);
        let wide = (1 << 24) - 1;
        let all = [(1 << 24) - 2, wide, 3, u32::MAX, 4];
        for storage in all {
            map.add_storage(slot, StorageSlot(storage));
        }
        let storages = |map: &BlockMap| map.storages(slot).iter().map(|s| s.0).collect::<Vec<_>>();
        assert_eq!(storages(&map), all);
        assert!(map.remove_storage(slot, StorageSlot(wide)));
        assert_eq!(storages(&map), [(1 << 24) - 2, 3, u32::MAX, 4]);
        assert!(map.remove_storage(slot, StorageSlot(u32::MAX)));
        assert_eq!(storages(&map), [(1 << 24) - 2, 3, 4]);
        map.add_storage(slot, StorageSlot(5));
        assert_eq!(storages(&map), [(1 << 24) - 2, 3, 4, 5]);
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

    #[test]
    fn ids_of_every_kind_are_found_until_they_are_forgotten() {
        let mut map = BlockMap::default();
        let mut model = std::collections::BTreeMap::new();
        let mut rng = SplitMix64(11);
        for round in 0..60_000_u64 {
            let id = match rng.below(3) {
                0 => (1 << 30) + rng.below(5_000) as i64,
                1 => COUNTED_LIMIT - 300 + rng.below(600) as i64,
                _ => (rng.below(2_000) as i64 - 1_000).wrapping_mul(0x0123_4567_89AB_CDEF) | 1,
            };
            // Two thirds insertions first, two thirds removals later.
            if (rng.below(3) == 0) == (round > 30_000) {
                model.entry(id).or_insert_with(|| {
                    map.insert(block(id), INodeId(round), 3, BlockState::Complete);
                    round
                });
            } else if model.remove(&id).is_some() {
                let slot = map.find(BlockId(id)).expect("it was inserted");
                map.remove(slot);
                assert!(map.storages(slot).is_empty(), "what is forgotten is nowhere");
            }
            assert_eq!(map.find(BlockId(id)).is_some(), model.contains_key(&id));
        }
        assert_eq!(map.len(), model.len());
        for (id, owner) in &model {
            let slot = map.find(BlockId(*id)).expect("it is there");
            assert_eq!((map.id(slot).0, map.entry(slot).owner().0), (*id, *owner));
        }
        let slots: Vec<u32> = map.slots().collect();
        assert!(slots.len() == model.len() && slots.is_sorted());
        let (mut walked, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let (slots, next) = map.slots_from(at, 100);
            assert!(slots.len() <= 100 + PAGE && next.is_none_or(|next| next > at));
            assert!(next.is_none_or(|next| (0.0..=1.0).contains(&map.share_before(next))));
            walked.extend(slots);
            from = next;
        }
        assert_eq!(walked, slots);
    }

    #[test]
    fn memory_follows_the_ids_in_use() {
        let per_block = |ids: &mut dyn Iterator<Item = i64>| {
            let mut map = BlockMap::default();
            for id in ids {
                map.insert(block(id), INodeId(16_386), 3, BlockState::Complete);
            }
            map.heap_bytes() as f64 / map.len() as f64
        };
        let counted = per_block(&mut (1 << 30..(1 << 30) + 100_000));
        assert!(counted < 30.0, "{counted}");
        let every_third = per_block(&mut (0..100_000).map(|number| (1 << 30) + 3 * number));
        assert!(every_third < 39.0, "{every_third}");
        let alone = per_block(&mut (0..20_000).map(|number| (1 << 30) + 1_000 * number));
        assert!(alone < 300.0, "{alone}");
        let mut rng = SplitMix64(3);
        let by_chance = per_block(&mut (0..100_000).map(|_| rng.next_u64().cast_signed() | 1));
        assert!(by_chance < 51.0, "{by_chance}");
    }
}
