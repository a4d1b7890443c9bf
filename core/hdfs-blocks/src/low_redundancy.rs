//! Blocks that need copies, the most urgent first.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.LowRedundancyBlocks (3.5.0). Unlike there, the level of a block
//! is remembered, so removal never guesses it from old counts.

use std::collections::BTreeSet;

use hdfs_types::{BlockId, ShardedMap};

/// How urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Level {
    /// One good replica, or only ones on nodes that leave.
    Highest = 0,
    /// Less than a third of what is wanted.
    VeryLow = 1,
    /// Less than what is wanted.
    Low = 2,
    /// Enough, on too few racks.
    BadlyDistributed = 3,
    /// No good replica: nothing to copy from.
    Missing = 4,
}

const LEVELS: usize = 5;

impl Level {
    /// The level of a block with these counts.
    pub(crate) fn of(live: u32, read_only: u32, out_of_service: u32, expected: u32) -> Self {
        if live >= expected {
            Self::BadlyDistributed
        } else if live == 0 {
            if out_of_service > 0 || read_only > 0 { Self::Highest } else { Self::Missing }
        } else if live == 1 {
            Self::Highest
        } else if live * 3 < expected {
            Self::VeryLow
        } else {
            Self::Low
        }
    }
}

/// The queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct LowRedundancy {
    queues: [BTreeSet<BlockId>; LEVELS],
    /// Level, and whether only one replica is wanted.
    levels: ShardedMap<BlockId, (Level, bool)>,
    /// Where the next round goes on, for each level.
    bookmarks: [Option<BlockId>; LEVELS],
    missing_of_one: usize,
}

impl LowRedundancy {
    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    pub(crate) fn len_of(&self, level: Level) -> usize {
        self.queues[level as usize].len()
    }

    /// Missing blocks that want one replica.
    pub(crate) fn missing_of_one(&self) -> usize {
        self.missing_of_one
    }

    /// How urgent a block is.
    pub(crate) fn level(&self, id: BlockId) -> Option<Level> {
        self.levels.get(&id).map(|(level, _)| *level)
    }

    pub(crate) fn contains(&self, id: BlockId) -> bool {
        self.levels.contains_key(&id)
    }

    /// Puts a block where it belongs now.
    pub(crate) fn put(&mut self, id: BlockId, level: Level, expected: u32) {
        self.remove(id);
        let of_one = expected == 1;
        self.queues[level as usize].insert(id);
        self.levels.insert(id, (level, of_one));
        self.missing_of_one += usize::from(level == Level::Missing && of_one);
    }

    /// Takes it out; false when it was not in.
    pub(crate) fn remove(&mut self, id: BlockId) -> bool {
        let Some((level, of_one)) = self.levels.remove(&id) else { return false };
        self.queues[level as usize].remove(&id);
        self.missing_of_one -= usize::from(level == Level::Missing && of_one);
        true
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Blocks of a level from an id on.
    pub(crate) fn iter_level(
        &self,
        level: Level,
        from: BlockId,
    ) -> impl Iterator<Item = BlockId> + '_ {
        self.queues[level as usize].range(from..).copied()
    }

    /// The next blocks to work on, urgent ones first; each call goes on where the last one stopped, and starts over when
    /// all levels were walked.
    pub(crate) fn choose(&mut self, limit: usize) -> Vec<(BlockId, Level)> {
        const WORKABLE: [Level; 4] =
            [Level::Highest, Level::VeryLow, Level::Low, Level::BadlyDistributed];
        let mut chosen = Vec::new();
        for level in WORKABLE {
            let queue = &self.queues[level as usize];
            let bookmark = &mut self.bookmarks[level as usize];
            let after = bookmark.map_or(i64::MIN, |id| id.0.saturating_add(1));
            for id in queue.range(BlockId(after)..).take(limit - chosen.len()) {
                chosen.push((*id, level));
                *bookmark = Some(*id);
            }
            if chosen.len() == limit {
                return chosen;
            }
        }
        self.bookmarks = [None; LEVELS];
        chosen
    }

    /// Recounts; what is wrong, as text.
    pub(crate) fn check(&self) -> Result<(), String> {
        let total: usize = self.queues.iter().map(BTreeSet::len).sum();
        if total != self.levels.len() {
            return Err(format!("queues hold {total} blocks, levels {}", self.levels.len()));
        }
        let of_one = self.queues[Level::Missing as usize]
            .iter()
            .filter(|id| self.levels.get(*id).is_some_and(|(_, of_one)| *of_one))
            .count();
        if of_one != self.missing_of_one {
            return Err(format!("{of_one} missing of one, counted {}", self.missing_of_one));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_hadoops() {
        assert_eq!(Level::of(3, 0, 0, 3), Level::BadlyDistributed);
        assert_eq!(Level::of(2, 0, 0, 3), Level::Low);
        assert_eq!(Level::of(1, 0, 0, 3), Level::Highest);
        assert_eq!(Level::of(2, 0, 0, 10), Level::VeryLow);
        assert_eq!(Level::of(0, 0, 0, 3), Level::Missing);
        assert_eq!(Level::of(0, 0, 1, 3), Level::Highest);
    }

    #[test]
    fn rounds_walk_through_urgent_blocks_first_and_come_back() {
        let mut queues = LowRedundancy::default();
        for id in 1..=3 {
            queues.put(BlockId(id), Level::Low, 3);
        }
        queues.put(BlockId(9), Level::Highest, 3);
        queues.put(BlockId(8), Level::Missing, 1);
        let ids = |chosen: Vec<(BlockId, Level)>| chosen.iter().map(|c| c.0.0).collect::<Vec<_>>();
        assert_eq!(ids(queues.choose(2)), [9, 1]);
        assert_eq!(ids(queues.choose(2)), [2, 3]);
        assert_eq!(ids(queues.choose(9)), [0i64; 0]);
        assert_eq!(ids(queues.choose(9)), [9, 1, 2, 3], "missing blocks have no source");
        assert_eq!(queues.missing_of_one(), 1);
        queues.put(BlockId(8), Level::Highest, 1);
        assert_eq!(queues.missing_of_one(), 0);
        queues.check().expect("counts agree");
    }
}
