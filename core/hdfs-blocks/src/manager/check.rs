//! What `fsck` asks about a block: where all of its replicas are, what each is good for.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck (3.5.0)

use hdfs_types::{BlockId, Mono};

use super::replicas::ReplicaClass;
use super::{BlockInfo, BlockManager};
use crate::datanode::{AdminState, StorageSlot};
use crate::low_redundancy::Level;

/// Everything that can be said about one replica; several may hold at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicaHealth {
    /// Where its node is on its way out of service.
    pub admin: AdminState,
    /// Why it counts as corrupt, in Hadoop's words.
    pub corrupt: Option<&'static str>,
    /// One too many, about to be deleted.
    pub excess: bool,
    /// Its node has been silent for a while.
    pub stale_node: bool,
    /// Its storage has not reported since this NameNode became active.
    pub stale_contents: bool,
}

impl BlockManager {
    /// Storages that hold a replica, good or bad; of a block that is not complete those that it is written to.
    pub fn all_replicas(&self, id: BlockId) -> Vec<StorageSlot> {
        if let Some(located) = self.locate_group(id) {
            return located.locations;
        }
        let Some(slot) = self.map.find(id) else { return Vec::new() };
        if !self.map.entry(slot).is_complete() {
            return self.expected_locations(id);
        }
        self.stored_replicas(id)
    }

    /// Storages that have reported a replica, good or bad.
    pub fn stored_replicas(&self, id: BlockId) -> Vec<StorageSlot> {
        if let Some(located) = self.locate_group(id) {
            return located.locations;
        }
        let Some(slot) = self.map.find(id) else { return Vec::new() };
        let there = |storage: &StorageSlot| self.classify(id, *storage) != ReplicaClass::Gone;
        self.map.storages(slot).into_iter().filter(there).collect()
    }

    /// What is known about the replica of a block on a storage.
    pub fn replica_health(&self, now: Mono, id: BlockId, storage: StorageSlot) -> ReplicaHealth {
        let held = self.storage(storage);
        let node = self.datanode(held.datanode);
        let corrupt = self
            .is_corrupt_on(id, held.datanode)
            .then(|| self.corrupt_replicas(id))
            .and_then(|all| all.into_iter().find(|(node, _)| *node == held.datanode))
            .map(|(_, reason)| reason);
        ReplicaHealth {
            admin: node.admin_state,
            corrupt,
            excess: self.is_excess_on(id, held.datanode),
            stale_node: node.is_stale(now, self.conf.stale_interval),
            stale_contents: held.contents_stale,
        }
    }

    /// Racks with nodes.
    pub fn rack_count(&self) -> usize {
        self.topology.rack_count()
    }

    /// Blocks without any good replica after this one, by id.
    pub fn missing_after(&self, from: BlockId) -> impl Iterator<Item = BlockInfo> + '_ {
        let replicated = self.needed.iter_level(Level::Missing, from);
        self.missing_groups_after(from).chain(replicated.filter_map(|id| self.block(id)))
    }

    /// Looks at these blocks again, so that copies are scheduled for those that lie badly; returns how many there
    /// still are.
    pub fn recheck(&mut self, now: Mono, blocks: &[BlockId]) -> usize {
        let mut found = 0;
        for id in blocks {
            if let Some(slot) = self.map.find(*id) {
                self.rescan_block(now, slot);
                found += 1;
            }
        }
        found
    }
}
