//! Why a block lacks replicas, and what keeps them from being made: everything that is known, in one value.

use std::collections::{BTreeMap, BTreeSet};

use hdfs_types::{BlockId, Mono, SplitMix64};

use super::replicas::ReplicaClass;
use super::target::CopyRequest;
use super::{BlockInfo, BlockManager, ReplicaCounts, ReplicaHealth};
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::low_redundancy::Level;

/// Why a node can't take a copy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unsuitable {
    /// It holds a replica, good or bad.
    HoldsReplica,
    /// It is leaving service, or in maintenance.
    LeavesService,
    /// It has been silent for a while.
    Stale,
    /// Others find it slow.
    Slow,
    /// It is much busier than the others.
    Busy,
    /// None of its storages of a kind that the file's policy allows has room.
    NoRoom,
    /// By itself it would do: its rack, or its upgrade domain, has enough.
    TooClose,
}

/// What keeps a block from having what it should.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hindrance {
    /// It is being written or recovered: nothing is copied before.
    BeingWritten,
    /// The NameNode starts, or stands by: it does not look for such blocks yet.
    NotLookedFor,
    /// In safe mode nothing is copied.
    SafeMode,
    /// There is nothing to copy from.
    NoSource,
    /// Every node with a good replica is sending as much as it may.
    SourcesBusy,
    /// No node can take a copy; how many for which reason.
    NoTarget(BTreeMap<Unsuitable, usize>),
    /// Copies are on their way.
    OnTheirWay,
    /// It waits for its turn.
    Waiting,
    /// Blocks of groups are not rebuilt.
    Group,
}

/// A replica as it is known.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaExplanation {
    /// Where.
    pub storage: StorageSlot,
    /// All that can be said about it.
    pub health: ReplicaHealth,
    /// Its node is alive, and its storage works.
    pub reachable: bool,
    /// Its node will be told, with its next heartbeat, to delete it.
    pub to_be_deleted: bool,
}

/// A block, explained.
#[derive(Clone, PartialEq, Debug)]
pub struct BlockExplanation {
    /// What is stored.
    pub info: BlockInfo,
    /// Its replicas, by what they are good for.
    pub counts: ReplicaCounts,
    /// Good ones that there should be now.
    pub required: u32,
    /// Racks or upgrade domains that its replicas lack.
    pub misplaced: usize,
    /// How urgent it is, as the queues have it.
    pub urgency: Option<&'static str>,
    /// Where copies are on their way to.
    pub pending: Vec<StorageSlot>,
    /// Its deletions wait until every storage has reported.
    pub postponed: bool,
    /// Every replica that is known.
    pub replicas: Vec<ReplicaExplanation>,
    /// What keeps it from having what it should; None: it has.
    pub hindrance: Option<Hindrance>,
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Highest => "highest",
        Level::VeryLow => "very low redundancy",
        Level::Low => "low redundancy",
        Level::BadlyDistributed => "badly distributed",
        Level::Missing => "missing",
    }
}

impl BlockManager {
    /// Explains a block. `policy`: the storage policy of its file (0: the default one).
    pub fn explain(&self, now: Mono, id: BlockId, policy: u8) -> Option<BlockExplanation> {
        let (info, counts) = (self.block(id)?, self.replica_counts(id)?);
        let storages = match self.map.find(id) {
            Some(slot) => self.map.storages(slot).to_vec(),
            None => self.stored_replicas(id),
        };
        let replica = |storage: StorageSlot| ReplicaExplanation {
            storage,
            health: self.replica_health(now, id, storage),
            reachable: self.classify(id, storage) != ReplicaClass::Gone
                && self.datanode_of(storage).alive,
            to_be_deleted: self.datanode_of(storage).invalidate.contains_key(&id),
        };
        let mut explained = BlockExplanation {
            info,
            counts,
            required: u32::from(info.replication),
            misplaced: 0,
            urgency: self.needed.level(id).map(name),
            pending: self.pending.get(&id).map_or_else(Vec::new, |p| p.targets.to_vec()),
            postponed: self.postponed.contains(&id),
            replicas: storages.into_iter().map(replica).collect(),
            hindrance: None,
        };
        let Some(slot) = self.map.find(id) else {
            if counts.live < explained.required {
                explained.hindrance = Some(Hindrance::Group);
            }
            return Some(explained);
        };
        let inner = self.count(slot);
        explained.required = self.required_live(slot, &inner);
        explained.misplaced = self.misplaced(slot, &[]);
        if counts.live < explained.required || explained.misplaced > 0 {
            explained.hindrance = Some(self.hindrance(now, slot, policy, &explained));
        }
        Some(explained)
    }

    fn hindrance(
        &self,
        now: Mono,
        slot: u32,
        policy: u8,
        explained: &BlockExplanation,
    ) -> Hindrance {
        if !self.map.entry(slot).is_complete() {
            return Hindrance::BeingWritten;
        }
        if !self.populating_queues {
            return Hindrance::NotLookedFor;
        }
        if self.safe_mode {
            return Hindrance::SafeMode;
        }
        if !explained.pending.is_empty() {
            return Hindrance::OnTheirWay;
        }
        let id = self.map.id(slot);
        let level = self.needed.level(id).unwrap_or(Level::Low);
        let sources: Vec<DatanodeSlot> = self
            .map
            .storages(slot)
            .into_iter()
            .filter(|storage| self.is_source(id, *storage))
            .map(|storage| self.storage(storage).datanode)
            .collect();
        if sources.is_empty() {
            return Hindrance::NoSource;
        }
        if !sources.iter().any(|node| self.may_send(*node, level)) {
            return Hindrance::SourcesBusy;
        }
        self.no_target(now, slot, policy, sources[0])
    }

    fn is_source(&self, id: BlockId, storage: StorageSlot) -> bool {
        matches!(
            self.classify(id, storage),
            ReplicaClass::Live
                | ReplicaClass::ReadOnly
                | ReplicaClass::Decommissioning
                | ReplicaClass::Decommissioned
                | ReplicaClass::MaintenanceReadable
        ) && self.datanode_of(storage).alive
    }

    /// Chooses a target as a round of copies would, without taking it.
    fn no_target(&self, now: Mono, slot: u32, policy: u8, source: DatanodeSlot) -> Hindrance {
        let id = self.map.id(slot);
        let storages = self.map.storages(slot);
        let live: Vec<StorageSlot> = storages
            .iter()
            .copied()
            .filter(|storage| self.classify(id, *storage) == ReplicaClass::Live)
            .collect();
        let holders: BTreeSet<DatanodeSlot> =
            storages.iter().map(|storage| self.storage(*storage).datanode).collect();
        let request = CopyRequest {
            count: 1,
            writer: Some(source),
            chosen: &live,
            excluded: holders.clone(),
            block_size: self.map.entry(slot).num_bytes(),
            policy,
            placement: self.conf.placement,
        };
        let mut rng = SplitMix64(now.0);
        if !self.choose_copies_with(now, request, &mut rng).is_empty() {
            return Hindrance::Waiting;
        }
        let mut reasons = BTreeMap::new();
        for node in self.topology.nodes() {
            let reason = if holders.contains(node) {
                Unsuitable::HoldsReplica
            } else {
                self.unsuitable(now, slot, policy, *node)
            };
            *reasons.entry(reason).or_default() += 1;
        }
        Hindrance::NoTarget(reasons)
    }

    fn unsuitable(&self, now: Mono, slot: u32, policy: u8, node: DatanodeSlot) -> Unsuitable {
        let record = self.datanode(node);
        let block_size = self.map.entry(slot).num_bytes();
        if record.invalidate.contains_key(&self.map.id(slot)) {
            Unsuitable::HoldsReplica
        } else if !record.is_in_service() {
            Unsuitable::LeavesService
        } else if !self.has_room(node, policy, block_size) {
            Unsuitable::NoRoom
        } else if self.conf.avoid_stale_for_write && record.is_stale(now, self.conf.stale_interval)
        {
            Unsuitable::Stale
        } else if self.conf.exclude_slow_nodes && self.is_slow(node) {
            Unsuitable::Slow
        } else if self.is_busy(node) {
            Unsuitable::Busy
        } else {
            Unsuitable::TooClose
        }
    }
}
