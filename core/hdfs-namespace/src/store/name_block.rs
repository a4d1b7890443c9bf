//! Names that are gathered apart, to be put into the arena at once: for loading in parallel.

use super::name_pool::{MAX_NAME_BYTES, NameRef, UNIT, cache_entry, header, units};

const NONE: u32 = u32::MAX;
const CACHE_ENTRIES: usize = 1 << 10;
const MOST_USERS: u16 = 7;

/// Names in the form in which [`super::name_pool::NamePool`] keeps them. Repeated names share their room here as well.
#[derive(Debug)]
pub(crate) struct NameBlock {
    pub(super) bytes: Vec<u8>,
    cache: Vec<(u32, u32)>,
}

impl NameBlock {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), cache: vec![(0, NONE); CACHE_ENTRIES] }
    }

    /// Stores a name; its place in this block.
    ///
    /// # Panics
    /// When the name is longer than [`MAX_NAME_BYTES`]; callers check.
    pub(crate) fn insert(&mut self, name: &[u8]) -> NameRef {
        assert!(name.len() <= MAX_NAME_BYTES, "the length of a name is checked before");
        let (entry, tag) = cache_entry(name);
        let entry = entry % CACHE_ENTRIES;
        let (known_tag, known) = self.cache[entry];
        if known_tag == tag && known != NONE {
            let at = known as usize * UNIT;
            let (length, users) = header(&self.bytes[at..]);
            if usize::from(length) == name.len() && self.bytes[at + 2..at + 2 + name.len()] == *name
            {
                let users = (users + 1).min(MOST_USERS);
                self.bytes[at..at + 2].copy_from_slice(&(length | users << 13).to_le_bytes());
                return NameRef(known);
            }
        }
        let at = (self.bytes.len() / UNIT) as u32;
        self.bytes.extend_from_slice(&(name.len() as u16 | 1 << 13).to_le_bytes());
        self.bytes.extend_from_slice(name);
        self.bytes.resize((at as usize + units(name.len())) * UNIT, 0);
        self.cache[entry] = (tag, at);
        NameRef(at)
    }
}

/// Where the names of a block came to lie.
#[derive(Debug)]
pub(crate) struct Moved(pub(super) Vec<(u32, u32)>);

impl Moved {
    /// The place in the arena of a name in the block.
    #[inline]
    pub(crate) fn to_pool(&self, name: NameRef) -> NameRef {
        // Runs are few: a block is cut where a segment of the arena ends.
        let run = self.0.iter().rev().find(|(from, _)| *from <= name.0);
        run.map_or(name, |(from, to)| NameRef(name.0 - from + to))
    }
}
