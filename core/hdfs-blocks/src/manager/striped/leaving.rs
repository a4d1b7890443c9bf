//! Blocks of groups on nodes that leave service: they are copied as they are, while their node still runs.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.ErasureCodingWork.createReplicationWork (3.5.0)

use std::collections::BTreeSet;

use hdfs_types::{Block, BlockId, INodeId, Mono};

use super::{Group, Internal, group_of};
use crate::block_map::BlockState;
use crate::datanode::{AdminState, DatanodeSlot, LeavingService, StorageSlot, TransferTask};
use crate::low_redundancy::Level;
use crate::manager::BlockManager;
use crate::manager::target::CopyRequest;
use crate::registration::StorageState;

impl BlockManager {
    /// Looks at blocks of groups that a storage of a leaving node holds, after `from`, at most `limit`. Returns the last one;
    /// None: there are no more.
    pub(crate) fn look_at_leaving_groups(
        &mut self,
        storage: StorageSlot,
        from: Option<BlockId>,
        limit: usize,
        found: &mut LeavingService,
    ) -> (usize, Option<BlockId>) {
        let held = self.striped.by_storage.get(&storage);
        let after = |id: &&BlockId| from.is_none_or(|from| **id > from);
        let some: Vec<BlockId> = held
            .into_iter()
            .flat_map(|held| held.range(from.unwrap_or(BlockId(i64::MIN))..))
            .filter(after)
            .take(limit)
            .copied()
            .collect();
        let node = self.storage(storage).datanode;
        for id in &some {
            self.look_at_leaving_internal(node, *id, found);
        }
        (some.len(), if some.len() == limit { some.last().copied() } else { None })
    }

    fn look_at_leaving_internal(
        &mut self,
        node: DatanodeSlot,
        id: BlockId,
        found: &mut LeavingService,
    ) {
        let Some(group) = self.striped.find(id) else { return };
        let counts = self.group_counts(group);
        let retires = self.datanode(node).is_decommissioning();
        let safe = self.has_live_index(group, group_of(id).1)
            || (!retires && counts.live >= group.real_data())
            || !self.is_current(group, id, node);
        if safe {
            return;
        }
        let complete = group.state == BlockState::Complete;
        found.under_replicated += 1;
        found.under_replicated_in_open_files += u64::from(!complete);
        found.out_of_service_only += u64::from(counts.live == 0);
        if complete && !self.striped.copies.contains_key(&id) {
            self.striped.leaving.entry(node).or_default().insert(id);
        }
    }

    /// The replica of the group's version that a node holds.
    fn internal_on(&self, group: &Group, id: BlockId, node: DatanodeSlot) -> Option<Internal> {
        let index = group_of(id).1;
        let here = |of: &&Internal| {
            of.index == index
                && self.storage(of.storage).datanode == node
                && of.generation_stamp == group.block.generation_stamp
        };
        group.internal.iter().find(here).copied()
    }

    fn is_current(&self, group: &Group, id: BlockId, node: DatanodeSlot) -> bool {
        self.internal_on(group, id, node).is_some()
    }

    /// True when a node that stays has the block with this index.
    fn has_live_index(&self, group: &Group, index: u8) -> bool {
        group.internal.iter().any(|of| of.index == index && self.is_live(group, of))
    }

    fn is_live(&self, group: &Group, of: &Internal) -> bool {
        let storage = self.storage(of.storage);
        let node = self.datanode(storage.datanode);
        of.generation_stamp == group.block.generation_stamp
            && storage.state() != StorageState::Failed
            && node.alive
            && node.admin_state == AdminState::Normal
    }

    /// What a node is to send when it was told to copy a block of a group; None: it has none to send any more.
    pub(crate) fn internal_to_send(&self, id: BlockId, node: DatanodeSlot) -> Option<Block> {
        let group = self.striped.find(id)?;
        let of = self.internal_on(group, id, node)?;
        let generation_stamp = of.generation_stamp;
        Some(Block { id, num_bytes: of.num_bytes, generation_stamp })
    }

    /// Chooses targets for blocks of groups on nodes that leave; returns how many copies were scheduled.
    pub(crate) fn copy_leaving_groups(
        &mut self,
        now: Mono,
        policy_of: &dyn Fn(INodeId) -> u8,
    ) -> usize {
        let timeout = self.conf.pending_timeout;
        self.striped.copies.retain(|_, (since, _)| now.since(*since) <= timeout);
        let mut scheduled = 0;
        let limit = self.conf.replication_streams_hard_limit as usize;
        let nodes: Vec<DatanodeSlot> = self.striped.leaving.keys().copied().collect();
        for node in nodes {
            let ids = self.striped.leaving.get(&node);
            let some: Vec<BlockId> = ids.into_iter().flatten().take(limit).copied().collect();
            for id in some {
                if !self.may_send(node, Level::Low) {
                    break;
                }
                // What is still needed after all comes back with the next look at the node.
                if let Some(ids) = self.striped.leaving.get_mut(&node) {
                    ids.remove(&id);
                }
                scheduled += usize::from(self.copy_internal(now, id, node, policy_of));
            }
            if self.striped.leaving.get(&node).is_some_and(BTreeSet::is_empty) {
                self.striped.leaving.remove(&node);
            }
        }
        scheduled
    }

    fn copy_internal(
        &mut self,
        now: Mono,
        id: BlockId,
        node: DatanodeSlot,
        policy_of: &dyn Fn(INodeId) -> u8,
    ) -> bool {
        let Some(block) = self.internal_to_send(id, node) else { return false };
        let Some(group) = self.striped.find(id) else { return false };
        let leaves = !self.datanode(node).is_in_service();
        if !leaves || self.has_live_index(group, group_of(id).1) {
            return false;
        }
        let live: Vec<StorageSlot> = group
            .internal
            .iter()
            .filter(|of| self.is_live(group, of))
            .map(|of| of.storage)
            .collect();
        let excluded = group.internal.iter().map(|of| self.storage(of.storage).datanode).collect();
        let policy = policy_of(group.owner);
        let targets = self.choose_copies(
            now,
            CopyRequest {
                count: 1,
                writer: Some(node),
                chosen: &live,
                excluded,
                block_size: block.num_bytes,
                policy,
                placement: self.conf.placement_of_groups,
            },
        );
        let Some(target) = targets.first().copied() else {
            self.copies_not_scheduled += 1;
            return false;
        };
        self.schedule(target);
        self.striped.copies.insert(id, (now, self.storage(target).datanode));
        let task = TransferTask { block: id, targets: [target].into_iter().collect() };
        self.datanode_mut(node).transfers.push_back(task);
        true
    }
}
