//! From inode id to slot: a sparse array of dense pages, 4 bytes for an id in use.
//!
//! Ids are given in sequence, so pages fill up. A page without ids is freed. Three levels keep a damaged image with wild
//! ids from asking for memory: an id costs 48 KiB at most.

use std::collections::BTreeMap;

const PAGE_BITS: u32 = 12;
const PAGE: usize = 1 << PAGE_BITS;
/// No slot.
pub(crate) const NO_SLOT: u32 = u32::MAX;

#[derive(Debug)]
struct Page {
    used: u32,
    slots: [u32; PAGE],
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
        Some(page.slots[place]).filter(|slot| *slot != NO_SLOT)
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
                page.insert(Box::new(Page { used: 0, slots: [NO_SLOT; PAGE] }))
            }
        };
        if page.slots[place] != NO_SLOT {
            return false;
        }
        page.slots[place] = slot;
        page.used += 1;
        self.len += 1;
        true
    }

    /// Removes an id.
    pub(crate) fn remove(&mut self, id: u64) {
        let (region_number, page_number, place) = Self::split(id);
        let Some(region) = self.regions.get_mut(&region_number) else { return };
        let Some(page) = region.pages[page_number].as_mut() else { return };
        if std::mem::replace(&mut page.slots[place], NO_SLOT) == NO_SLOT {
            return;
        }
        self.len -= 1;
        page.used -= 1;
        if page.used == 0 {
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
                    page.slots
                        .iter()
                        .enumerate()
                        .filter(|(_, slot)| **slot != NO_SLOT)
                        .map(move |(place, slot)| (base | place as u64, *slot))
                })
            })
        })
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> usize {
        let pages: usize = self.regions.values().map(|region| region.used as usize).sum();
        pages * size_of::<Page>() + self.regions.len() * PAGE * size_of::<usize>()
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
}
