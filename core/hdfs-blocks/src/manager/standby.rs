//! A standby judges no report by a namespace that is behind.
//!
//! Nodes report to every NameNode at once; the edits come later. A replica whose stamp the standby has not read of yet,
//! or that looks corrupt, is held back until the edits have caught up: for each block and storage the newest word counts
//! (B7: an older one that arrived late must not win).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.PendingDataNodeMessages (3.5.0)

use hdfs_types::{Block, BlockId, Mono};

use super::BlockManager;
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::ReportedReplica;

/// A word about a replica that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    Reported(ReportedReplica),
    Deleted(Block),
}

impl Held {
    fn block(&self) -> Block {
        match self {
            Self::Reported(replica) => replica.block,
            Self::Deleted(block) => *block,
        }
    }
}

impl BlockManager {
    /// As a standby, reports that do not fit the namespace are held back, and no queue is kept. Leaving standby applies
    /// them: the edits must have been read to their end before.
    pub fn set_standby(&mut self, now: Mono, standby: bool) {
        self.standby = standby;
        if standby {
            self.clear_queues();
        } else {
            for id in self.held.keys().copied().collect::<Vec<_>>() {
                self.release_held(now, id);
            }
        }
    }

    /// Words that wait, for metrics.
    pub fn held_back(&self) -> usize {
        self.held.values().map(std::collections::BTreeMap::len).sum()
    }

    /// True for a stamp that the edits have not mentioned yet.
    pub(crate) fn is_from_future(&self, block: Block) -> bool {
        self.standby && block.generation_stamp > self.generation_stamp
    }

    /// Keeps the newest word for each block and storage.
    pub(crate) fn hold(&mut self, storage: StorageSlot, word: Held) {
        let of_block = self.held.entry(word.block().id).or_default();
        let newer = |known: &Held| word.block().generation_stamp >= known.block().generation_stamp;
        if of_block.get(&storage).is_none_or(newer) {
            of_block.insert(storage, word);
        }
    }

    /// A word about this replica was taken: an older one that waits is void.
    pub(crate) fn supersede_held(&mut self, storage: StorageSlot, block: Block) {
        if self.held.is_empty() {
            return;
        }
        if let Some(of_block) = self.held.get_mut(&block.id) {
            of_block.retain(|other, word| {
                *other != storage || word.block().generation_stamp > block.generation_stamp
            });
            if of_block.is_empty() {
                self.held.remove(&block.id);
            }
        }
    }

    /// The edits said something about a block: what waits for it is looked at again.
    pub(crate) fn release_held(&mut self, now: Mono, id: BlockId) {
        let Some(words) = self.held.remove(&id) else { return };
        for (storage, word) in words {
            match word {
                Held::Reported(replica) => {
                    self.apply_reported(now, storage, &replica, None, !self.standby);
                }
                Held::Deleted(block) => self.replica_deleted(storage, block),
            }
        }
    }

    /// A node is gone: so is what it said.
    pub(crate) fn drop_held_of(&mut self, node: DatanodeSlot) {
        let storages = self.datanode(node).storages.clone();
        for words in self.held.values_mut() {
            words.retain(|storage, _| !storages.contains(storage));
        }
        self.held.retain(|_, words| !words.is_empty());
    }
}
