//! The children of a directory: slots, sorted by name.
//!
//! Few children are one sorted array. Many are a list of sorted arrays of 256 to 512 slots, so that adding one to a
//! directory of a million moves 1 KiB. The names are not here: every search takes a function that compares.

use std::cmp::Ordering;

use super::record::Slot;

/// Arrays are cut in two beyond this.
const CHUNK: usize = 512;

/// Children.
#[derive(Debug)]
pub(crate) enum Children {
    /// One array.
    Small(Vec<Slot>),
    /// Many.
    Large(Box<Chunks>),
}

/// The arrays; none is empty.
#[derive(Debug)]
pub(crate) struct Chunks {
    len: usize,
    chunks: Vec<Vec<Slot>>,
}

/// Where a child is, or would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    chunk: usize,
    place: usize,
}

impl Default for Children {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl Children {
    /// From slots that are sorted already.
    pub(crate) fn from_sorted(slots: Vec<Slot>) -> Self {
        if slots.len() <= CHUNK {
            return Self::Small(slots);
        }
        let chunks = slots.chunks(CHUNK * 3 / 4).map(<[Slot]>::to_vec).collect();
        Self::Large(Box::new(Chunks { len: slots.len(), chunks }))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Small(slots) => slots.len(),
            Self::Large(chunks) => chunks.len,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds a child. `compare` says how the name of a slot compares to the one that is looked for.
    #[inline]
    pub(crate) fn find(
        &self,
        mut compare: impl FnMut(Slot) -> Ordering,
    ) -> Result<(Position, Slot), Position> {
        match self {
            Self::Small(slots) => {
                // Names often come in order: look behind the last one first.
                if slots.last().is_none_or(|last| compare(*last).is_lt()) {
                    return Err(Position { chunk: 0, place: slots.len() });
                }
                match slots.binary_search_by(|slot| compare(*slot)) {
                    Ok(place) => Ok((Position { chunk: 0, place }, slots[place])),
                    Err(place) => Err(Position { chunk: 0, place }),
                }
            }
            Self::Large(chunks) => {
                let after = chunks.chunks.partition_point(|chunk| compare(chunk[0]).is_le());
                let chunk = after.saturating_sub(1);
                let slots = &chunks.chunks[chunk];
                match slots.binary_search_by(|slot| compare(*slot)) {
                    Ok(place) => Ok((Position { chunk, place }, slots[place])),
                    Err(place) => Err(Position { chunk, place }),
                }
            }
        }
    }

    /// Adds a child where `find` says that it would be.
    pub(crate) fn insert(&mut self, position: Position, slot: Slot) {
        match self {
            Self::Small(slots) => {
                if slots.len() == slots.capacity() {
                    // By a quarter: doubling would leave a third of the room unused.
                    slots.reserve_exact((slots.len() / 4).max(4));
                }
                slots.insert(position.place, slot);
                if slots.len() > CHUNK {
                    *self = Self::from_sorted(std::mem::take(slots));
                }
            }
            Self::Large(chunks) => {
                let last = position.chunk + 1 == chunks.chunks.len();
                let target = &mut chunks.chunks[position.chunk];
                target.insert(position.place, slot);
                chunks.len += 1;
                if target.len() > CHUNK {
                    // Names that come in order would leave every array half full: cut the last one near its end.
                    let at = if last && position.place == CHUNK { CHUNK - 8 } else { CHUNK / 2 };
                    let tail = target.split_off(at);
                    target.shrink_to(CHUNK);
                    chunks.chunks.insert(position.chunk + 1, tail);
                }
            }
        }
    }

    /// Removes the child at a position that `find` gave.
    pub(crate) fn remove(&mut self, position: Position) -> Slot {
        match self {
            Self::Small(slots) => {
                let slot = slots.remove(position.place);
                if slots.is_empty() {
                    *slots = Vec::new();
                }
                slot
            }
            Self::Large(chunks) => {
                let slot = chunks.chunks[position.chunk].remove(position.place);
                chunks.len -= 1;
                if chunks.chunks[position.chunk].is_empty() {
                    chunks.chunks.remove(position.chunk);
                }
                if chunks.len <= CHUNK / 4 {
                    *self = Self::Small(std::mem::take(&mut chunks.chunks).concat());
                }
                slot
            }
        }
    }

    /// Removes any child, cheaply.
    pub(crate) fn pop(&mut self) -> Option<Slot> {
        match self {
            Self::Small(slots) => slots.pop(),
            Self::Large(chunks) => {
                let last = chunks.chunks.last_mut()?;
                let slot = last.pop();
                chunks.len -= 1;
                if last.is_empty() {
                    chunks.chunks.pop();
                }
                slot
            }
        }
    }

    /// The number of children before a position.
    pub(crate) fn rank(&self, position: Position) -> usize {
        match self {
            Self::Small(_) => position.place,
            Self::Large(chunks) => {
                chunks.chunks[..position.chunk].iter().map(Vec::len).sum::<usize>() + position.place
            }
        }
    }

    /// Children in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        self.iter_from(Position { chunk: 0, place: 0 })
    }

    /// Children from a position on.
    pub(crate) fn iter_from(&self, position: Position) -> impl Iterator<Item = Slot> + '_ {
        let (first, rest): (&[Slot], &[Vec<Slot>]) = match self {
            Self::Small(slots) => (slots.get(position.place..).unwrap_or_default(), &[]),
            Self::Large(chunks) => (
                chunks
                    .chunks
                    .get(position.chunk)
                    .map_or(&[][..], |chunk| chunk.get(position.place..).unwrap_or_default()),
                chunks.chunks.get(position.chunk + 1..).unwrap_or_default(),
            ),
        };
        first.iter().chain(rest.iter().flatten()).copied()
    }

    /// The position after one that `find` gave.
    pub(crate) fn after(position: Position) -> Position {
        Position { place: position.place + 1, ..position }
    }

    /// Bytes allocated outside of this value.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Small(slots) => slots.capacity() * size_of::<Slot>(),
            Self::Large(chunks) => {
                size_of::<Chunks>()
                    + chunks.chunks.capacity() * size_of::<Vec<Slot>>()
                    + chunks
                        .chunks
                        .iter()
                        .map(|chunk| chunk.capacity() * size_of::<Slot>())
                        .sum::<usize>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn find(children: &Children, key: u32) -> Result<(Position, Slot), Position> {
        children.find(|slot| slot.0.cmp(&key))
    }

    #[test]
    fn any_order_of_insertions_and_removals_keeps_the_order() {
        let mut children = Children::default();
        let mut model = BTreeSet::new();
        let mut state = 1_u32;
        for round in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (state >> 8) % 5_000;
            match find(&children, key) {
                Ok((position, slot)) => {
                    assert_eq!(children.rank(position), model.range(..key).count());
                    if round % 3 == 0 || round > 15_000 {
                        assert_eq!(children.remove(position), slot);
                        assert!(model.remove(&key));
                    }
                }
                Err(position) if round <= 15_000 => {
                    children.insert(position, Slot(key));
                    assert!(model.insert(key));
                }
                Err(_) => assert!(!model.contains(&key)),
            }
            assert_eq!(children.len(), model.len());
        }
        assert!(children.iter().map(|slot| slot.0).eq(model.iter().copied()));
        while let Some(slot) = children.pop() {
            assert_eq!(model.pop_last(), Some(slot.0));
        }
        assert!(model.is_empty() && children.is_empty());
    }

    #[test]
    fn names_that_come_in_order_fill_the_arrays() {
        let mut children = Children::default();
        for key in 0..100_000 {
            let position = find(&children, key).expect_err("it is new");
            children.insert(position, Slot(key));
        }
        assert!(children.bytes() < 100_000 * 5, "{}", children.bytes());
        let (position, _) = find(&children, 70_000).expect("it is there");
        let after: Vec<u32> =
            children.iter_from(Children::after(position)).take(3).map(|slot| slot.0).collect();
        assert_eq!(after, [70_001, 70_002, 70_003]);
    }
}
