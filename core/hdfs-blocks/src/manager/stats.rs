//! Numbers: for safe mode, for statistics calls and JMX, and the memory that the map takes.

use std::collections::BTreeMap;

use hdfs_types::{BlockId, Mono, StorageType};

use super::{BlockInfo, BlockManager, DatanodeReportType, FsStats, SafeCounts};
use crate::datanode::AdminState;
use crate::low_redundancy::Level;
use crate::registration::StorageState;

/// Space of all storages of one kind, in bytes.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.StorageTypeStats (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StorageTypeStats {
    /// Size.
    pub capacity: u64,
    /// Used by all pools.
    pub used: u64,
    /// Used by what is not HDFS.
    pub non_dfs_used: u64,
    /// Free for blocks.
    pub remaining: u64,
    /// Used by this pool.
    pub block_pool_used: u64,
    /// Nodes in service that have such a storage.
    pub nodes_in_service: u32,
}

/// Sums what nodes claim: a silly claim must not end the NameNode.
fn add(sum: &mut u64, value: u64) {
    *sum = sum.saturating_add(value);
}

impl BlockManager {
    /// Counts for safe mode.
    pub fn safe_counts(&self) -> SafeCounts {
        let groups = self.striped.safe_counts();
        SafeCounts {
            total: self.complete_blocks + groups.0,
            safe: self.safe_blocks + groups.1,
            live_datanodes: self.topology.nodes().len() as u32,
        }
    }

    /// Numbers for statistics calls and JMX. Space is that of nodes in service, as in Hadoop.
    pub fn stats(&self, now: Mono) -> FsStats {
        let mut stats = FsStats {
            blocks: self.map.len() as u64,
            low_redundancy: self.needed.len() as u64,
            corrupt: self.corrupt.len() as u64,
            missing: self.needed.len_of(Level::Missing) as u64,
            missing_replication_one: self.needed.missing_of_one() as u64,
            badly_distributed: self.needed.len_of(Level::BadlyDistributed) as u64,
            highest_priority: self.needed.len_of(Level::Highest) as u64,
            pending_reconstruction: self.pending.len() as u64,
            timed_out_reconstructions: self.timed_out,
            successful_reconstructions: self.copies_arrived,
            reconstructions_not_scheduled: self.copies_not_scheduled,
            expired_heartbeats: self.expired_heartbeats,
            pending_datanode_messages: self.held.values().map(|of| of.len() as u64).sum(),
            scheduled_replication: self.scheduled_last_round as u64,
            excess: self.excess.len() as u64,
            postponed: self.postponed.len() as u64,
            under_construction: self.under_construction.len() as u64,
            ..FsStats::default()
        };
        for slot in self.datanodes() {
            self.add_node(now, slot, &mut stats);
        }
        for node in self.never_registered(DatanodeReportType::Dead) {
            stats.dead_datanodes += 1;
            stats.decommissioned_dead_datanodes += u32::from(node.is_decommissioned());
        }
        stats
    }

    fn add_node(&self, now: Mono, slot: crate::DatanodeSlot, stats: &mut FsStats) {
        let node = self.datanode(slot);
        stats.pending_deletion += node.invalidate.len() as u64;
        let live = !self.is_dead(now, slot);
        match (node.admin_state, live) {
            (AdminState::DecommissionInProgress, _) => stats.decommissioning_datanodes += 1,
            (AdminState::EnteringMaintenance, _) => stats.entering_maintenance_datanodes += 1,
            (AdminState::Decommissioned, true) => stats.decommissioned_live_datanodes += 1,
            (AdminState::Decommissioned, false) => stats.decommissioned_dead_datanodes += 1,
            (AdminState::InMaintenance, true) => stats.in_maintenance_live_datanodes += 1,
            (AdminState::InMaintenance, false) => stats.in_maintenance_dead_datanodes += 1,
            (AdminState::Normal, _) => {}
        }
        if !live {
            stats.dead_datanodes += 1;
            return;
        }
        stats.live_datanodes += 1;
        stats.stale_datanodes += u32::from(node.is_stale(now, self.conf.stale_interval));
        let stale = node.storages.iter().filter(|storage| self.storage(**storage).contents_stale);
        stats.stale_storages += stale.count() as u32;
        stats.total_load += u64::from(node.xceiver_count);
        stats.failed_volumes = stats.failed_volumes.saturating_add(node.failed_volumes);
        let lost = node.volume_failures.as_ref().map_or(0, |lost| lost.capacity_lost);
        add(&mut stats.capacity_lost, lost);
        if node.is_in_service() {
            add(&mut stats.capacity, node.capacity);
            add(&mut stats.used, node.dfs_used);
            add(&mut stats.remaining, node.remaining);
            add(&mut stats.block_pool_used, node.block_pool_used);
            add(&mut stats.non_dfs_used, node.non_dfs_used);
        }
        if !node.is_decommissioned() && node.admin_state != AdminState::InMaintenance {
            add(&mut stats.cache_capacity, node.cache_capacity);
            add(&mut stats.cache_used, node.cache_used);
        }
    }

    /// How far the first scan for blocks that lack redundancy is: 0 to 1, and 0 when it has not begun.
    pub fn queues_progress(&self) -> f64 {
        match (self.populating_queues, self.scan) {
            (false, _) => 0.0,
            (true, None) => 1.0,
            (true, Some(next)) => self.map.share_before(next),
        }
    }

    /// Blocks that the map has room for before it grows.
    pub fn block_capacity(&self) -> usize {
        self.map.capacity()
    }

    /// Space by kind of storage, of live nodes.
    pub fn storage_type_stats(&self) -> BTreeMap<StorageType, StorageTypeStats> {
        let mut all: BTreeMap<StorageType, StorageTypeStats> = BTreeMap::new();
        for slot in self.datanodes().filter(|slot| self.datanode(*slot).alive) {
            let node = self.datanode(slot);
            let mut kinds = std::collections::BTreeSet::new();
            for storage in node.storages.iter().map(|storage| self.storage(*storage)) {
                if storage.state() == StorageState::Failed {
                    continue;
                }
                let stats = all.entry(storage.storage_type()).or_default();
                add(&mut stats.used, storage.dfs_used);
                add(&mut stats.block_pool_used, storage.block_pool_used);
                add(&mut stats.non_dfs_used, storage.non_dfs_used);
                if node.is_in_service() {
                    add(&mut stats.capacity, storage.capacity);
                    add(&mut stats.remaining, storage.remaining);
                    kinds.insert(storage.storage_type());
                }
            }
            for kind in kinds {
                all.entry(kind).or_default().nodes_in_service += 1;
            }
        }
        all
    }

    /// Blocks without any good replica, from an id on, for listCorruptFileBlocks and fsck.
    pub fn corrupt_blocks(&self, from: BlockId, limit: usize) -> Vec<BlockInfo> {
        self.missing_after(from).take(limit).collect()
    }

    /// How many replicas of a block are good, leaving, corrupt and surplus: for fsck.
    pub fn replica_counts(&self, id: BlockId) -> Option<ReplicaCounts> {
        let counts = match self.counts_of_group(id) {
            Some(counts) => counts,
            None => self.count(self.map.find(id)?),
        };
        Some(ReplicaCounts {
            live: counts.live,
            decommissioning: counts.decommissioning,
            decommissioned: counts.decommissioned,
            entering_maintenance: counts.maintenance_readable,
            in_maintenance: counts.maintenance_down,
            corrupt: counts.corrupt,
            excess: counts.excess,
            stale: counts.stale,
        })
    }

    /// True when every volume of every live DataNode has reported all its replicas since this NameNode became active.
    pub fn live_storages_have_reported(&self) -> bool {
        let has_reported = |slot: &crate::datanode::StorageSlot| {
            let storage = self.storage(*slot);
            !storage.contents_stale || storage.state() == StorageState::Failed
        };
        let mut live = self.datanodes().map(|slot| self.datanode(slot)).filter(|node| node.alive);
        live.all(|node| !node.storages.is_empty() && node.storages.iter().all(has_reported))
    }

    /// Bytes on the heap for blocks and for which storage holds which.
    pub fn heap_bytes(&self) -> usize {
        let sets: usize = self.storages.iter().map(|storage| storage.blocks.heap_bytes()).sum();
        self.map.heap_bytes() + sets
    }
}

/// Replicas of a block, by what they are good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplicaCounts {
    /// Good.
    pub live: u32,
    /// On nodes being decommissioned.
    pub decommissioning: u32,
    /// On decommissioned nodes.
    pub decommissioned: u32,
    /// On nodes that enter maintenance.
    pub entering_maintenance: u32,
    /// On nodes in maintenance.
    pub in_maintenance: u32,
    /// Corrupt.
    pub corrupt: u32,
    /// Too many, about to be deleted.
    pub excess: u32,
    /// Any of these on storages that have not reported yet.
    pub stale: u32,
}
