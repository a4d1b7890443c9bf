//! A set of block-map slots: two bytes a member when sparse, one bit when dense.
//!
//! Each storage keeps one: it says whose replicas the storage holds. The set is cut by the upper half of the slot number
//! into parts; a part is a sorted list of the lower halves, or a bitmap when the list would be larger. Iteration is in
//! ascending order, so it is deterministic.

/// Members of a list above which a bitmap is smaller.
const LIST_LIMIT: usize = 4_096;
/// 64-bit words of a bitmap.
const WORDS: usize = 1_024;

#[derive(Clone, Debug)]
enum Part {
    List(Vec<u16>),
    Bits { words: Box<[u64; WORDS]>, count: u32 },
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Bits { count, .. } => *count as usize,
        }
    }

    fn contains(&self, low: u16) -> bool {
        match self {
            Self::List(list) => list.binary_search(&low).is_ok(),
            Self::Bits { words, .. } => words[usize::from(low >> 6)] >> (low & 63) & 1 == 1,
        }
    }

    fn insert(&mut self, low: u16) -> bool {
        match self {
            Self::List(list) => {
                // Slots are mostly given in ascending order: look at the end first.
                let at = match list.last() {
                    Some(last) if *last < low => list.len(),
                    None => 0,
                    Some(_) => match list.binary_search(&low) {
                        Ok(_) => return false,
                        Err(at) => at,
                    },
                };
                if list.len() == list.capacity() {
                    // Grow by a quarter: at two bytes a member, doubling would cost as much again.
                    list.reserve_exact((list.len() / 4).max(8));
                }
                list.insert(at, low);
                if list.len() > LIST_LIMIT {
                    *self = Self::bits_of(list);
                }
                true
            }
            Self::Bits { words, count } => {
                let word = &mut words[usize::from(low >> 6)];
                let bit = 1 << (low & 63);
                let new = *word & bit == 0;
                *word |= bit;
                *count += u32::from(new);
                new
            }
        }
    }

    fn remove(&mut self, low: u16) -> bool {
        match self {
            Self::List(list) => match list.binary_search(&low) {
                Ok(at) => {
                    list.remove(at);
                    true
                }
                Err(_) => false,
            },
            Self::Bits { words, count } => {
                let word = &mut words[usize::from(low >> 6)];
                let bit = 1 << (low & 63);
                let had = *word & bit != 0;
                *word &= !bit;
                *count -= u32::from(had);
                if (*count as usize) < LIST_LIMIT / 2 {
                    *self = Self::List(self.iter().collect());
                }
                had
            }
        }
    }

    fn bits_of(list: &[u16]) -> Self {
        let mut words = Box::new([0u64; WORDS]);
        for low in list {
            words[usize::from(low >> 6)] |= 1 << (low & 63);
        }
        Self::Bits { words, count: list.len() as u32 }
    }

    fn iter(&self) -> PartIter<'_> {
        match self {
            Self::List(list) => PartIter::List(list.iter()),
            Self::Bits { words, .. } => {
                PartIter::Bits { words: &words[..], index: 0, rest: words[0] }
            }
        }
    }
}

enum PartIter<'a> {
    List(std::slice::Iter<'a, u16>),
    Bits { words: &'a [u64], index: usize, rest: u64 },
}

impl Iterator for PartIter<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        match self {
            Self::List(list) => list.next().copied(),
            Self::Bits { words, index, rest } => {
                while *rest == 0 {
                    *index += 1;
                    *rest = *words.get(*index)?;
                }
                let bit = rest.trailing_zeros();
                *rest &= *rest - 1;
                Some((*index as u16) << 6 | bit as u16)
            }
        }
    }
}

/// A set of slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlotSet {
    /// Sorted by the upper half of the slot.
    parts: Vec<(u16, Part)>,
    len: usize,
}

impl SlotSet {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn contains(&self, slot: u32) -> bool {
        self.find(slot).is_ok_and(|at| self.parts[at].1.contains(slot as u16))
    }

    /// Adds; false when it was there.
    pub(crate) fn insert(&mut self, slot: u32) -> bool {
        let at = match self.find(slot) {
            Ok(at) => at,
            Err(at) => {
                self.parts.insert(at, ((slot >> 16) as u16, Part::List(Vec::new())));
                at
            }
        };
        let new = self.parts[at].1.insert(slot as u16);
        self.len += usize::from(new);
        new
    }

    /// Removes; false when it was not there.
    pub(crate) fn remove(&mut self, slot: u32) -> bool {
        let Ok(at) = self.find(slot) else { return false };
        let had = self.parts[at].1.remove(slot as u16);
        self.len -= usize::from(had);
        if self.parts[at].1.len() == 0 {
            self.parts.remove(at);
        }
        had
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().flat_map(|(high, part)| {
            part.iter().map(move |low| u32::from(*high) << 16 | u32::from(low))
        })
    }

    /// Members at or after `from`, ascending: lets a long walk go on where it stopped.
    pub(crate) fn iter_from(&self, from: u32) -> impl Iterator<Item = u32> + '_ {
        let start = match self.find(from) {
            Ok(at) | Err(at) => at,
        };
        self.parts[start..]
            .iter()
            .flat_map(|(high, part)| {
                part.iter().map(move |low| u32::from(*high) << 16 | u32::from(low))
            })
            .skip_while(move |slot| *slot < from)
    }

    /// Bytes on the heap, for the memory budget.
    pub(crate) fn heap_bytes(&self) -> usize {
        let parts: usize = self
            .parts
            .iter()
            .map(|(_, part)| match part {
                Part::List(list) => list.capacity() * 2,
                Part::Bits { .. } => WORDS * 8,
            })
            .sum();
        self.parts.capacity() * size_of::<(u16, Part)>() + parts
    }

    fn find(&self, slot: u32) -> Result<usize, usize> {
        let high = (slot >> 16) as u16;
        match self.parts.last() {
            Some((last, _)) if *last == high => Ok(self.parts.len() - 1),
            _ => self.parts.binary_search_by_key(&high, |(part_high, _)| *part_high),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hdfs_types::{Rng, SplitMix64};

    use super::*;

    #[test]
    fn it_behaves_as_an_ordered_set_while_lists_become_bitmaps_and_back() {
        let mut rng = SplitMix64(7);
        let mut set = SlotSet::default();
        let mut model = BTreeSet::new();
        for round in 0..60_000u64 {
            let slot = (rng.below(12_000) + rng.below(3) * 65_536) as u32;
            // Two thirds insertions first, two thirds removals later.
            if (rng.below(3) == 0) == (round > 30_000) {
                assert_eq!(set.insert(slot), model.insert(slot));
            } else {
                assert_eq!(set.remove(slot), model.remove(&slot));
            }
        }
        assert_eq!(set.len(), model.len());
        assert!(set.iter().eq(model.iter().copied()));
        assert!(set.iter_from(70_000).eq(model.range(70_000..).copied()));
        assert!((0..200_000).all(|slot| set.contains(slot) == model.contains(&slot)));
    }
}
