//! Where to read a block.

use hdfs_types::{BlockId, Mono, Rng, SplitMix64, StorageType};

use super::replicas::ReplicaClass;
use super::{BlockManager, LocatedReplicas};
use crate::datanode::{AdminState, DatanodeSlot, StorageSlot};
use crate::registration::StorageState;
use crate::topology;

impl BlockManager {
    /// Where to read a block, nearest first: the reader's own node, its rack, the others; equally near ones are shuffled
    /// with `seed`; nodes that leave service, and stale ones if so configured, come last. For a block that is not
    /// complete: where it is being written, in pipeline order.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.createLocatedBlock,
    /// DatanodeManager.sortLocatedBlock (3.5.0)
    pub fn locate(
        &self,
        now: Mono,
        id: BlockId,
        reader: Option<&str>,
        seed: u64,
    ) -> LocatedReplicas {
        let Some(slot) = self.map.find(id) else {
            return self.locate_group(id).unwrap_or_default();
        };
        let mut located = if self.map.entry(slot).is_complete() {
            self.readable_replicas(slot, id)
        } else {
            LocatedReplicas { locations: self.expected_locations(id), corrupt: false }
        };
        self.sort_for_reader(now, &mut located.locations, reader, None, seed);
        located
    }

    /// The replicas of a complete block that may be read; all of them when every one is corrupt.
    fn readable_replicas(&self, slot: u32, id: BlockId) -> LocatedReplicas {
        let storages = self.map.storages(slot);
        let is_corrupt =
            |storage: &StorageSlot| self.is_corrupt_on(id, self.storage(*storage).datanode);
        let corrupt_count = storages.iter().filter(|storage| is_corrupt(storage)).count();
        let corrupt = corrupt_count != 0 && corrupt_count == storages.len();
        let locations = storages
            .into_iter()
            .filter(|storage| self.storage(*storage).state() != StorageState::Failed)
            .filter(|storage| {
                let node = self.datanode_of(*storage);
                match node.admin_state {
                    AdminState::InMaintenance => false,
                    AdminState::EnteringMaintenance => node.alive,
                    _ => true,
                }
            })
            .filter(|storage| corrupt || !is_corrupt(storage))
            .collect();
        LocatedReplicas { locations, corrupt }
    }

    /// Orders storages for a reader. `reader_location`: its rack, when it is no DataNode and the topology knows it.
    pub fn sort_for_reader(
        &self,
        now: Mono,
        storages: &mut [StorageSlot],
        reader: Option<&str>,
        reader_location: Option<&str>,
        seed: u64,
    ) {
        if storages.len() < 2 {
            return;
        }
        let node = reader.and_then(|host| self.find_datanode_by_host(host));
        let mut rng = SplitMix64(seed);
        let mut keyed: Vec<_> = storages
            .iter()
            .map(|storage| {
                let last = self.is_last_resort(now, *storage);
                let far = self.reading_distance(node, reader_location, *storage);
                let rank = self.rank_for_reader(*storage);
                ((last, far, rank, rng.next_u64()), *storage)
            })
            .collect();
        keyed.sort_unstable();
        for (place, (_, storage)) in storages.iter_mut().zip(keyed) {
            *place = storage;
        }
    }

    /// Among equally near ones, the less the better.
    fn rank_for_reader(&self, slot: StorageSlot) -> u32 {
        if self.conf.read_considers_load {
            self.datanode_of(slot).xceiver_count
        } else if self.conf.read_considers_storage_type {
            match self.storage(slot).storage_type() {
                StorageType::RamDisk => 0,
                StorageType::Nvdimm => 1,
                StorageType::Ssd => 2,
                StorageType::Disk => 3,
                StorageType::Archive => 4,
                StorageType::Provided => 5,
            }
        } else {
            0
        }
    }

    /// In service 0, slow 1, stale 2, both 3, leaving 4, entering maintenance 5, decommissioned 6.
    fn is_last_resort(&self, now: Mono, storage: StorageSlot) -> u8 {
        let node = self.datanode_of(storage);
        let stale = self.conf.avoid_stale_for_read && node.is_stale(now, self.conf.stale_interval);
        let slow = self.conf.avoid_slow_for_read && self.is_slow(self.storage(storage).datanode);
        match node.admin_state {
            AdminState::Decommissioned => 6,
            AdminState::EnteringMaintenance | AdminState::InMaintenance => 5,
            AdminState::DecommissionInProgress => 4,
            AdminState::Normal => 2 * u8::from(stale) + u8::from(slow),
        }
    }

    fn reading_distance(
        &self,
        reader: Option<DatanodeSlot>,
        location: Option<&str>,
        storage: StorageSlot,
    ) -> u32 {
        let node = self.storage(storage).datanode;
        match (reader, location) {
            (Some(reader), _) if self.is_same_host(reader, node) => 0,
            (Some(reader), _) => self.node_distance(reader, node),
            (None, Some(location)) => topology::distance(location, &self.datanode(node).location),
            (None, None) => u32::MAX,
        }
    }

    /// Several DataNodes may run on one host: each is local to a reader there.
    fn is_same_host(&self, node: DatanodeSlot, other: DatanodeSlot) -> bool {
        node == other || self.datanode(node).registration.ip == self.datanode(other).registration.ip
    }

    /// Storages of good replicas, for the balancer and fsck.
    pub fn live_replicas(&self, id: BlockId) -> Vec<StorageSlot> {
        let Some(slot) = self.map.find(id) else { return Vec::new() };
        let good = |storage: &StorageSlot| self.classify(id, *storage) == ReplicaClass::Live;
        self.map.storages(slot).into_iter().filter(good).collect()
    }
}
