//! From inode id to slot: a sparse array of pages, each with a bit for every id and 4 bytes for an id in use.
//!
//! Ids are given in sequence, so pages fill up at their end; what is deleted later leaves no room behind. A page without ids
//! is freed. Three levels keep a damaged image with wild ids from asking for memory: an id costs 33 KiB at most.

use std::collections::BTreeMap;

const PAGE_BITS: u32 = 12;
const PAGE: usize = 1 << PAGE_BITS;
const WORDS: usize = PAGE / 64;
/// Slots of a page grow by this many.
const STEP: usize = 128;

#[derive(Debug)]
struct Page {
    /// Ids in use.
    used: [u64; WORDS],
    /// Ids in use before each word.
    before: [u16; WORDS],
    /// Of the ids in use, in their order.
    slots: Vec<u32>,
}

impl Page {
    fn new() -> Self {
        Self { used: [0; WORDS], before: [0; WORDS], slots: Vec::new() }
    }

    /// Where the slot of an id is, or would be.
    #[inline]
    fn place(&self, id: usize) -> Result<usize, usize> {
        let (word, bit) = (id / 64, id % 64);
        let below = self.used[word] & ((1 << bit) - 1);
        let place = usize::from(self.before[word]) + below.count_ones() as usize;
        if self.used[word] >> bit & 1 == 1 { Ok(place) } else { Err(place) }
    }

    fn insert(&mut self, id: usize, slot: u32) -> bool {
        let Err(place) = self.place(id) else { return false };
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(STEP);
        }
        self.slots.insert(place, slot);
        self.used[id / 64] |= 1 << (id % 64);
        for before in &mut self.before[id / 64 + 1..] {
            *before = before.wrapping_add(1);
        }
        true
    }

    fn remove(&mut self, id: usize) -> bool {
        let Ok(place) = self.place(id) else { return false };
        self.slots.remove(place);
        self.used[id / 64] &= !(1 << (id % 64));
        for before in &mut self.before[id / 64 + 1..] {
            *before = before.wrapping_sub(1);
        }
        if self.slots.capacity() - self.slots.len() > 2 * STEP {
            self.slots.shrink_to(self.slots.len() + STEP);
        }
        true
    }

    /// Ids in use, in their order.
    fn ids(&self) -> impl Iterator<Item = usize> + '_ {
        self.used.iter().enumerate().flat_map(|(number, word)| {
            let rest = |word: &u64| (*word != 0).then_some(*word);
            std::iter::successors(rest(word), move |word| rest(&(word & (word - 1))))
                .map(move |word| number * 64 + word.trailing_zeros() as usize)
        })
    }
}

#[derive(Debug)]
struct Region {
    used: u32,
    pages: Vec<Option<Box<Page>>>,
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct IdIndex {
    regions: BTreeMap<u64, Region>,
    len: usize,
}

impl IdIndex {
    #[inline]
    fn split(id: u64) -> (u64, usize, usize) {
        let page = (id >> PAGE_BITS) as usize % PAGE;
        (id >> (2 * PAGE_BITS), page, id as usize % PAGE)
    }

    /// The slot of an id.
    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        let (region, page, place) = Self::split(id);
        let page = self.regions.get(&region)?.pages[page].as_ref()?;
        page.place(place).ok().map(|place| page.slots[place])
    }

    /// Adds an id that is not in use; false when it is.
    pub(crate) fn insert(&mut self, id: u64, slot: u32) -> bool {
        let (region, page, place) = Self::split(id);
        let region = self.regions.entry(region).or_insert_with(|| {
            let mut pages = Vec::new();
            pages.resize_with(PAGE, || None);
            Region { used: 0, pages }
        });
        let page = &mut region.pages[page];
        let page = match page {
            Some(page) => page,
            None => {
                region.used += 1;
                page.insert(Box::new(Page::new()))
            }
        };
        let added = page.insert(place, slot);
        self.len += usize::from(added);
        added
    }

    /// Removes an id.
    pub(crate) fn remove(&mut self, id: u64) {
        let (region_number, page_number, place) = Self::split(id);
        let Some(region) = self.regions.get_mut(&region_number) else { return };
        let Some(page) = region.pages[page_number].as_mut() else { return };
        if !page.remove(place) {
            return;
        }
        self.len -= 1;
        if page.slots.is_empty() {
            region.pages[page_number] = None;
            region.used -= 1;
            if region.used == 0 {
                self.regions.remove(&region_number);
            }
        }
    }

    /// Ids in use.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Slots in the order of the ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.regions.iter().flat_map(|(region, pages)| {
            pages.pages.iter().enumerate().flat_map(move |(number, page)| {
                let base = (region << PAGE_BITS | number as u64) << PAGE_BITS;
                page.iter().flat_map(move |page| {
                    page.ids().zip(&page.slots).map(move |(id, slot)| (base | id as u64, *slot))
                })
            })
        })
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> usize {
        let pages = self.regions.values().flat_map(|region| region.pages.iter().flatten());
        pages
            .map(|page| size_of::<Page>() + page.slots.capacity() * size_of::<u32>())
            .sum::<usize>()
            + self.regions.len() * PAGE * size_of::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_until_they_are_removed_and_empty_pages_are_freed() {
        let mut index = IdIndex::default();
        for id in [16_385, 16_386, 20_480, 1 << 40] {
            assert!(index.insert(id, id as u32 & 0xFF));
        }
        assert!(!index.insert(16_385, 9), "an id is given once");
        assert_eq!(index.get(20_480), Some(0));
        assert_eq!(index.get(16_387), None);
        assert_eq!(
            index.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            [16_385, 16_386, 20_480, 1 << 40]
        );
        index.remove(1 << 40);
        index.remove(1 << 40);
        assert_eq!((index.len(), index.get(1 << 40)), (3, None));
        assert_eq!(index.regions.len(), 1);
    }

    #[test]
    fn ids_in_any_order_are_kept_in_theirs() {
        let mut index = IdIndex::default();
        let mut model = BTreeMap::new();
        let mut state = 1_u32;
        for round in 0..30_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = u64::from(state >> 8) % 10_000;
            if round % 3 == 2 || round > 25_000 {
                index.remove(id);
                model.remove(&id);
            } else {
                assert_eq!(index.insert(id, round), !model.contains_key(&id));
                model.entry(id).or_insert(round);
            }
            assert_eq!((index.get(id), index.len()), (model.get(&id).copied(), model.len()));
        }
        assert!(index.iter().eq(model.iter().map(|(id, slot)| (*id, *slot))));
        assert!(model.keys().all(|id| index.get(*id) == model.get(id).copied()));
    }

    #[test]
    fn every_other_id_costs_little_more_than_its_slot() {
        let mut index = IdIndex::default();
        for id in 0..1 << 16 {
            index.insert(2 * id, 7);
        }
        let pages = index.bytes() - PAGE * size_of::<usize>();
        assert!(pages < (1 << 16) * 9 / 2, "{pages}");
    }
}
