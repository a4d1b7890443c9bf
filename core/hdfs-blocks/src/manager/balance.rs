//! What a balancer may move.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.getBlocksWithLocations (3.5.0)

use hdfs_types::{Block, INodeId, StorageType};

use super::BlockManager;
use crate::datanode::{DatanodeSlot, StorageSlot};

/// A block of a node, and all places that it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockOnNode {
    /// As it is stored.
    pub block: Block,
    /// Replicas that nobody was told to delete.
    pub locations: Vec<StorageSlot>,
}

/// What a balancer asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlocksWanted {
    /// As many blocks as hold so many bytes in all.
    pub bytes: u64,
    /// No block that is smaller.
    pub min_block_bytes: u64,
    /// Only replicas on this kind of storage.
    pub kind: Option<StorageType>,
    /// Where to begin, at random: the same balancer asks again and again.
    pub start: u64,
}

impl BlockManager {
    /// Complete blocks of a node, from some block on and then from the first. Blocks of files that are in use (`is_hot`) come
    /// last, and only if the others are not enough.
    // Differs: Hadoop names blocks of erasure-coded groups, too.
    pub fn blocks_for_balancer(
        &self,
        node: DatanodeSlot,
        wanted: &BlocksWanted,
        is_hot: &dyn Fn(INodeId) -> bool,
    ) -> Vec<BlockOnNode> {
        let storages: Vec<StorageSlot> = self
            .datanode(node)
            .storages
            .iter()
            .copied()
            .filter(|slot| !self.storage(*slot).contents_stale)
            .filter(|slot| wanted.kind.is_none_or(|k| self.storage(*slot).storage_type() == k))
            .collect();
        let total: usize = storages.iter().map(|slot| self.storage(*slot).blocks.len()).sum();
        if total == 0 {
            return Vec::new();
        }
        let start = (wanted.start % total as u64) as usize;
        let all = || storages.iter().flat_map(|slot| self.storage(*slot).blocks.iter());
        let in_turn = all().skip(start).chain(all().take(start));
        let fits = |slot: &u32| {
            let entry = self.map.entry(*slot);
            entry.is_complete() && entry.num_bytes() >= wanted.min_block_bytes
        };
        let (mut found, mut hot, mut bytes) = (Vec::new(), Vec::new(), 0u64);
        for slot in in_turn.filter(fits) {
            if bytes >= wanted.bytes {
                return found;
            }
            if is_hot(self.map.entry(slot).owner()) {
                hot.push(slot);
            } else {
                bytes = bytes.saturating_add(self.name_places(slot, &mut found));
            }
        }
        for slot in hot {
            if bytes >= wanted.bytes {
                break;
            }
            bytes = bytes.saturating_add(self.name_places(slot, &mut found));
        }
        found
    }

    fn name_places(&self, slot: u32, found: &mut Vec<BlockOnNode>) -> u64 {
        let block = self.map.block(slot);
        let stays = |storage: &StorageSlot| {
            !self.is_queued_for_deletion(self.storage(*storage).datanode, block)
        };
        let locations: Vec<StorageSlot> =
            self.map.storages(slot).into_iter().filter(stays).collect();
        if locations.is_empty() {
            return 0;
        }
        found.push(BlockOnNode { block, locations });
        block.num_bytes
    }
}
