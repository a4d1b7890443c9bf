//! Names of inodes: an append arena with sharing of repeated names.
//!
//! ```text
//! u16 little-endian: length 13 | users 3      name bytes      padding to 4 bytes
//! ```
//! A name is named by the number of its first 4-byte unit. Names lie in segments of 1 MiB and never cross them.
//!
//! - **Sharing:** a small direct-mapped cache finds a name that was stored lately (`part-00000`, `_SUCCESS`); users are
//!   counted up to 7. A name with 7 users stays for ever: such names are few.
//! - **Reclaiming:** the room of a name without users goes to a list of free rooms of exactly its size, which the next name
//!   of that size takes. Names are never moved.

use std::cmp::Ordering;

use super::name_block::{Moved, NameBlock};

/// Longest name in bytes: what 13 bits hold. A path has at most 8,000 bytes, so no call can reach it.
pub(crate) const MAX_NAME_BYTES: usize = (1 << 13) - 1;
pub(super) const UNIT: usize = 4;
const SEGMENT_UNITS: usize = 1 << 18;
const CACHE_ENTRIES: usize = 1 << 14;
const NONE: u32 = u32::MAX;
const IMMORTAL: u16 = 7;

/// The order of names in a directory: byte by byte, as signed numbers, so that UTF-8 beyond ASCII comes first.
///
/// Hadoop: org.apache.hadoop.hdfs.DFSUtilClient.compareBytes (3.5.0)
#[inline]
pub(crate) fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    let mut at = 0;
    while at < common {
        let (a_word, b_word) = (word(a, at), word(b, at));
        if a_word != b_word {
            return a_word.cmp(&b_word);
        }
        at += 8;
    }
    a.len().cmp(&b.len())
}

/// Eight bytes as a number that orders as they do; what lies behind the end is the least byte.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    const SIGNS: u64 = 0x8080_8080_8080_8080;
    let rest = &bytes[at..];
    let word = match rest.first_chunk::<8>() {
        Some(word) => u64::from_be_bytes(*word),
        None => {
            let mut word = [0x80; 8];
            word[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(word)
        }
    };
    word ^ SIGNS
}

/// A stored name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct NameRef(pub(crate) u32);

/// The arena.
#[derive(Debug)]
pub(crate) struct NamePool {
    segments: Vec<Box<[u8]>>,
    /// First unit that was never used.
    next: usize,
    /// First free room for each size in units.
    free: Vec<u32>,
    /// Tags and places: a name is looked at only when its tag is right.
    cache: Box<[(u32, u32)]>,
    live_bytes: usize,
}

impl Default for NamePool {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
            next: 0,
            free: Vec::new(),
            cache: vec![(0, NONE); CACHE_ENTRIES].into_boxed_slice(),
            live_bytes: 0,
        }
    }
}

impl NamePool {
    /// The bytes of a name.
    #[inline]
    pub(crate) fn get(&self, name: NameRef) -> &[u8] {
        let (segment, offset) = Self::place(name.0);
        let room = &self.segments[segment][offset..];
        let length = usize::from(u16::from_le_bytes([room[0], room[1]]) & MAX_NAME_BYTES as u16);
        &room[2..2 + length]
    }

    /// Stores a name, or shares one that is stored.
    ///
    /// # Panics
    /// When the name is longer than [`MAX_NAME_BYTES`]; callers check.
    pub(crate) fn insert(&mut self, bytes: &[u8]) -> NameRef {
        assert!(bytes.len() <= MAX_NAME_BYTES, "the length of a name is checked before");
        let (entry, tag) = cache_entry(bytes);
        let (known, cached) = self.cache[entry];
        if known == tag && cached != NONE && self.get(NameRef(cached)) == bytes {
            let (length, users) = self.header(cached);
            if users < IMMORTAL {
                self.set_header(cached, length, users + 1);
            }
            return NameRef(cached);
        }
        let units = units(bytes.len());
        let at = self.take_room(units);
        let (segment, offset) = Self::place(at);
        self.segments[segment][offset + 2..offset + 2 + bytes.len()].copy_from_slice(bytes);
        self.set_header(at, bytes.len() as u16, 1);
        self.live_bytes += units * UNIT;
        self.cache[entry] = (tag, at);
        NameRef(at)
    }

    /// Takes the names of a block over. They share no room with names that were here before.
    pub(crate) fn append(&mut self, block: &NameBlock) -> Moved {
        let mut moved = Vec::new();
        let mut from = 0;
        while from < block.bytes.len() {
            let room = (SEGMENT_UNITS - self.next % SEGMENT_UNITS) * UNIT;
            let rest = &block.bytes[from..];
            let mut fits = rest.len();
            if fits > room {
                // Names do not cross segments.
                fits = 0;
                loop {
                    let bytes = units(usize::from(header(&rest[fits..]).0)) * UNIT;
                    if fits + bytes > room {
                        break;
                    }
                    fits += bytes;
                }
            }
            if fits == 0 {
                self.next += room / UNIT;
                continue;
            }
            let at = self.take_end(fits / UNIT);
            let (segment, offset) = Self::place(at);
            self.segments[segment][offset..offset + fits].copy_from_slice(&rest[..fits]);
            moved.push(((from / UNIT) as u32, at));
            self.live_bytes += fits;
            from += fits;
        }
        Moved(moved)
    }

    /// One user less.
    pub(crate) fn release(&mut self, name: NameRef) {
        let (length, users) = self.header(name.0);
        debug_assert!(users > 0, "a name is released by its users only");
        if users == IMMORTAL {
            return;
        }
        if users > 1 {
            self.set_header(name.0, length, users - 1);
            return;
        }
        let (entry, tag) = cache_entry(self.get(name));
        if self.cache[entry] == (tag, name.0) {
            self.cache[entry] = (0, NONE);
        }
        let units = units(usize::from(length));
        self.live_bytes -= units * UNIT;
        self.give_room(name.0, units);
    }

    /// Bytes that names in use take, and bytes allocated.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        (self.live_bytes, self.segments.len() * SEGMENT_UNITS * UNIT)
    }

    fn take_room(&mut self, units: usize) -> u32 {
        if let Some(head) = self.free.get(units).copied().filter(|head| *head != NONE) {
            let (segment, offset) = Self::place(head);
            let next = &self.segments[segment][offset..offset + UNIT];
            self.free[units] = u32::from_le_bytes([next[0], next[1], next[2], next[3]]);
            return head;
        }
        self.take_end(units)
    }

    /// Room that was never used, within one segment.
    fn take_end(&mut self, units: usize) -> u32 {
        let used = self.next % SEGMENT_UNITS;
        if used + units > SEGMENT_UNITS {
            self.next += SEGMENT_UNITS - used;
        }
        if self.next / SEGMENT_UNITS == self.segments.len() {
            self.segments.push(vec![0; SEGMENT_UNITS * UNIT].into_boxed_slice());
        }
        let at = u32::try_from(self.next).expect("16 GiB of names exceed the memory before");
        self.next += units;
        at
    }

    fn give_room(&mut self, at: u32, units: usize) {
        if self.free.len() <= units {
            self.free.resize(units + 1, NONE);
        }
        let (segment, offset) = Self::place(at);
        self.segments[segment][offset..offset + UNIT]
            .copy_from_slice(&self.free[units].to_le_bytes());
        self.free[units] = at;
    }

    fn header(&self, at: u32) -> (u16, u16) {
        let (segment, offset) = Self::place(at);
        header(&self.segments[segment][offset..])
    }

    fn set_header(&mut self, at: u32, length: u16, users: u16) {
        let (segment, offset) = Self::place(at);
        self.segments[segment][offset..offset + 2]
            .copy_from_slice(&(length | users << 13).to_le_bytes());
    }

    #[inline]
    fn place(at: u32) -> (usize, usize) {
        let at = at as usize;
        (at / SEGMENT_UNITS, at % SEGMENT_UNITS * UNIT)
    }
}

/// Units of a name of this length.
pub(super) fn units(length: usize) -> usize {
    (length + 2).div_ceil(UNIT)
}

/// Length and users of the name that starts here.
pub(super) fn header(room: &[u8]) -> (u16, u16) {
    let header = u16::from_le_bytes([room[0], room[1]]);
    (header & MAX_NAME_BYTES as u16, header >> 13)
}

/// Where the cache may have a name, and the name's tag there. Any hash will do: the cache only guesses.
#[inline]
pub(super) fn cache_entry(bytes: &[u8]) -> (usize, u32) {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = bytes.len() as u64;
    let mut words = bytes.chunks_exact(8);
    for bytes in &mut words {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(ODD);
    }
    for byte in words.remainder() {
        hash = hash << 8 ^ hash >> 56 ^ u64::from(*byte);
    }
    hash = (hash ^ hash >> 29).wrapping_mul(ODD);
    ((hash >> 50) as usize % CACHE_ENTRIES, (hash >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_signed_bytes() {
        let mut names = ["b", "a", "ä", "abcdefgh", "abcdefghä", "abcdefghz", "abcdefg", ""];
        names.sort_by(|a, b| compare_names(a.as_bytes(), b.as_bytes()));
        assert_eq!(names, ["", "ä", "a", "abcdefg", "abcdefgh", "abcdefghä", "abcdefghz", "b"]);
        let naive = |a: &[u8], b: &[u8]| {
            a.iter().map(|byte| byte.cast_signed()).cmp(b.iter().map(|byte| byte.cast_signed()))
        };
        let bytes = [0x00, 0x7F, 0x80, 0x81, 0xFF];
        let mut all: Vec<Vec<u8>> = vec![vec![], vec![b'x'; 7], vec![b'x'; 8]];
        for byte in bytes {
            all.push(vec![byte]);
            for tail in bytes {
                all.push([vec![b'x'; 6], vec![byte, tail, byte]].concat());
                all.push(vec![byte, tail]);
            }
        }
        for a in &all {
            for b in &all {
                assert_eq!(compare_names(a, b), naive(a, b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn repeated_names_share_their_room_and_freed_rooms_are_used_again() {
        let mut pool = NamePool::default();
        let first = pool.insert(b"part-00000");
        assert_eq!(pool.insert(b"part-00000"), first);
        let other = pool.insert(b"part-00001");
        assert_eq!((pool.get(first), pool.get(other)), (&b"part-00000"[..], &b"part-00001"[..]));

        pool.release(first);
        assert_eq!(pool.get(first), b"part-00000", "it has one user left");
        pool.release(first);
        let again = pool.insert(b"part-00002");
        assert_eq!(again, first, "a room of the same size is taken again");
        assert_ne!(pool.insert(b"part-00000"), first);
    }

    #[test]
    fn names_with_many_users_stay() {
        let mut pool = NamePool::default();
        let name = pool.insert(b"_SUCCESS");
        for _ in 0..20 {
            assert_eq!(pool.insert(b"_SUCCESS"), name);
        }
        for _ in 0..21 {
            pool.release(name);
        }
        assert_eq!(pool.get(name), b"_SUCCESS");
        assert_eq!(pool.insert(b""), NameRef(3));
        assert_eq!(pool.get(NameRef(3)), b"");
    }

    #[test]
    fn blocks_of_names_are_cut_where_segments_end() {
        let mut pool = NamePool::default();
        let mut stored = vec![(pool.insert(b"before"), b"before".to_vec())];
        for round in 0..5_u32 {
            let mut block = NameBlock::with_capacity(0);
            let names: Vec<Vec<u8>> = (0..400_u32)
                .map(|number| {
                    let length = 1 + (number * 37 + round * 11) as usize % 2_500;
                    format!("{:>length$}", number % 300).into_bytes()
                })
                .collect();
            let places: Vec<NameRef> = names.iter().map(|name| block.insert(name)).collect();
            let moved = pool.append(&block);
            stored.extend(places.into_iter().map(|name| moved.to_pool(name)).zip(names));
        }
        stored.push((pool.insert(b"after"), b"after".to_vec()));
        for (place, name) in &stored {
            assert_eq!(pool.get(*place), name);
        }
        let (live, allocated) = pool.bytes();
        assert!(live > 2 << 20 && allocated < live + (2 << 20), "{live} of {allocated}");
        stored.iter().for_each(|(place, _)| pool.release(*place));
        assert_eq!(pool.bytes().0, 0);
    }

    #[test]
    fn names_do_not_cross_segments() {
        let mut pool = NamePool::default();
        let long = vec![b'x'; MAX_NAME_BYTES - 1];
        let names: Vec<_> = (0..300_u32)
            .map(|number| {
                let mut name = long.clone();
                name[..4].copy_from_slice(&number.to_be_bytes());
                pool.insert(&name)
            })
            .collect();
        for (number, name) in names.into_iter().enumerate() {
            assert_eq!(pool.get(name)[..4], (number as u32).to_be_bytes());
        }
        assert!(pool.bytes().1 >= 3 << 20);
    }
}
