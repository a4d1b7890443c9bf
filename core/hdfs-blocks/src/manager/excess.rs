//! Surplus replicas whose deletion was ordered: what becomes of the order.
//!
//! An order goes out with the reply to a heartbeat and may be lost with it. Until the node says that the replica is gone, it
//! is surplus: it does not count, and nothing is copied from it. Two things end that: the order is given once more when it is
//! too old, and a replica that is the last good one counts again. Such a *recalled* replica is remembered, for the order may
//! still be carried out: it is the first to go should the block have too many replicas again.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.ExcessRedundancyMap,
//! BlockManager.processTimedOutExcessBlocks (3.5.0)

use std::ops::Bound;

use hdfs_types::{BlockId, Mono};

use super::BlockManager;
use super::replicas::Counts;
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::StorageState;

/// A replica that a node was told, or will be told, to delete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Excess {
    /// When it was chosen, or chosen last.
    pub(crate) since: Mono,
    /// It counts all the same.
    pub(crate) recalled: bool,
}

impl BlockManager {
    /// True when the replica does not count, because it is to be deleted as one too many.
    pub(crate) fn is_excess_on(&self, id: BlockId, node: DatanodeSlot) -> bool {
        !self.excess.is_empty() && self.excess.get(&(node, id)).is_some_and(|e| !e.recalled)
    }

    /// True when the order to delete the replica may still be on its way, though it counts.
    pub(crate) fn is_recalled_on(&self, id: BlockId, node: DatanodeSlot) -> bool {
        !self.excess.is_empty() && self.excess.get(&(node, id)).is_some_and(|e| e.recalled)
    }

    /// Chooses a replica as one too many, and queues its deletion.
    pub(crate) fn mark_excess(&mut self, now: Mono, slot: u32, node: DatanodeSlot) {
        let block = self.map.block(slot);
        self.excess.insert((node, block.id), Excess { since: now, recalled: false });
        self.queue_deletion(node, block);
    }

    /// No replica counts, and there are some that were ordered away: they count again. Their nodes may have deleted them by
    /// now; then they will say so.
    pub(crate) fn recall_excess(&mut self, slot: u32) {
        let id = self.map.id(slot);
        for storage in self.map.storages(slot) {
            let node = self.storage(storage).datanode;
            if let Some(excess) = self.excess.get_mut(&(node, id)) {
                excess.recalled = true;
            }
        }
    }

    /// Other replicas were lost: takes back deletions of surplus ones that no node was told of yet. (Hadoop deletes them
    /// all the same and copies again, if it still can.)
    pub(crate) fn rescue_excess(&mut self, slot: u32, wanted: u32) {
        let block = self.map.block(slot);
        let mut left = wanted;
        for storage in self.map.storages(slot) {
            let node = self.storage(storage).datanode;
            if left > 0
                && self.is_excess_on(block.id, node)
                && self.is_queued_for_deletion(node, block)
            {
                self.datanode_mut(node).invalidate.remove(&block.id);
                self.excess.remove(&(node, block.id));
                left -= 1;
            }
        }
    }

    /// Whether nothing is left to read and copy from but what was ordered away.
    pub(crate) fn is_last_excess(&self, counts: &Counts) -> bool {
        counts.excess > 0 && counts.usable() == 0 && counts.read_only == 0
    }

    /// Orders surplus replicas away once more whose nodes have kept them for too long, as far as they are still too many; a
    /// part of all in each call.
    pub(crate) fn give_up_excess(&mut self, now: Mono) {
        if self.excess.is_empty() {
            return;
        }
        let limit = self.conf.excess_check_limit;
        let from = self.excess_cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let some: Vec<_> = self.excess.range((from, Bound::Unbounded)).take(limit).collect();
        self.excess_cursor =
            (some.len() == limit).then(|| some.last().map(|(key, _)| **key)).flatten();
        let late: Vec<(DatanodeSlot, BlockId, bool)> = some
            .into_iter()
            .filter(|(_, excess)| now.since(excess.since) > self.conf.excess_timeout)
            .map(|((node, id), excess)| (*node, *id, excess.recalled))
            .collect();
        for (node, id, recalled) in late {
            if recalled {
                // An order that old is not carried out any more.
                self.excess.remove(&(node, id));
            } else {
                self.order_excess_again(now, node, id);
            }
        }
    }

    fn order_excess_again(&mut self, now: Mono, node: DatanodeSlot, id: BlockId) {
        let Some(slot) = self.map.find(id) else { return };
        let held = self.storage_on(slot, node);
        let there = held.is_some_and(|held| self.storage(held).state() == StorageState::Normal);
        if !there || !self.datanode(node).alive {
            return;
        }
        if self.is_queued_for_deletion(node, self.map.block(slot)) {
            return;
        }
        if self.count(slot).live >= u32::from(self.map.entry(slot).replication()) {
            self.mark_excess(now, slot, node);
        } else {
            self.excess.insert((node, id), Excess { since: now, recalled: true });
            self.update_needed(slot);
        }
    }

    /// Of replicas that count, those that were ordered away before, at most `limit`.
    pub(crate) fn recalled_among(
        &self,
        id: BlockId,
        storages: &[StorageSlot],
        limit: usize,
    ) -> Vec<StorageSlot> {
        let recalled = |s: &StorageSlot| self.is_recalled_on(id, self.storage(*s).datanode);
        storages.iter().copied().filter(recalled).take(limit).collect()
    }
}
