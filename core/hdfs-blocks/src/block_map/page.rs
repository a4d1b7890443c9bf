//! Blocks of 256 consecutive ids: a bit for every id, and the entries of the ids in use, in their order.

use super::entry::Entry;

/// Ids of a page, as a power of two.
pub(super) const PAGE_BITS: u32 = 8;
/// Ids of a page.
pub(super) const PAGE: usize = 1 << PAGE_BITS;
const WORDS: usize = PAGE / 64;
/// Entries for which a page takes room at first.
const FIRST_ROOM: usize = 4;

/// The page. One that holds nothing is not in use.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The ids without their last bits.
    pub(super) number: i64,
    used: [u64; WORDS],
    /// Ids in use before each word.
    before: [u8; WORDS],
    entries: Vec<Entry>,
}

impl Page {
    pub(super) fn new(number: i64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Where the entry of an id is, or would be.
    #[inline]
    fn place(&self, low: u8) -> Result<usize, usize> {
        let (word, bit) = (usize::from(low >> 6), low & 63);
        let below = self.used[word] & ((1 << bit) - 1);
        let place = usize::from(self.before[word]) + below.count_ones() as usize;
        if self.used[word] >> bit & 1 == 1 { Ok(place) } else { Err(place) }
    }

    #[inline]
    pub(super) fn contains(&self, low: u8) -> bool {
        self.used[usize::from(low >> 6)] >> (low & 63) & 1 == 1
    }

    #[inline]
    pub(super) fn get(&self, low: u8) -> Option<&Entry> {
        self.place(low).ok().map(|place| &self.entries[place])
    }

    #[inline]
    pub(super) fn get_mut(&mut self, low: u8) -> Option<&mut Entry> {
        self.place(low).ok().map(|place| &mut self.entries[place])
    }

    /// Adds an id that is not in use.
    pub(super) fn insert(&mut self, low: u8, entry: Entry) {
        let Err(place) = self.place(low) else { panic!("a block is added once") };
        let len = self.entries.len();
        if len == self.entries.capacity() {
            // By a quarter: doubling would cost as much again where ids have gaps.
            self.entries.reserve_exact((len / 4).max(FIRST_ROOM).min(PAGE - len));
        }
        self.entries.insert(place, entry);
        self.used[usize::from(low >> 6)] |= 1 << (low & 63);
        self.count();
    }

    pub(super) fn remove(&mut self, low: u8) {
        let Ok(place) = self.place(low) else { return };
        self.entries.remove(place);
        self.used[usize::from(low >> 6)] &= !(1 << (low & 63));
        self.count();
        let len = self.entries.len();
        if self.entries.capacity() > 2 * len + FIRST_ROOM {
            self.entries.shrink_to(len + len / 4);
        }
    }

    fn count(&mut self) {
        let mut before = 0;
        for (word, count) in self.used.iter().zip(&mut self.before) {
            *count = before;
            // The last word's own ids are not added up: at most 192 come before it.
            before = before.wrapping_add(word.count_ones() as u8);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Ids in use from one on, in their order.
    pub(super) fn ids_from(&self, low: u8) -> impl Iterator<Item = u8> + '_ {
        let first = usize::from(low >> 6);
        let mask = u64::MAX << (low & 63);
        self.used.iter().enumerate().skip(first).flat_map(move |(number, word)| {
            let word = if number == first { word & mask } else { *word };
            let rest = |word: u64| (word != 0).then_some(word);
            std::iter::successors(rest(word), move |word| rest(word & (word - 1)))
                .map(move |word| number as u8 * 64 + word.trailing_zeros() as u8)
        })
    }

    /// Entries that fit before memory is taken for more.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }
}
