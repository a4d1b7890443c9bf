//! Copies: which blocks need them, and who makes them.

use std::collections::BTreeSet;

use hdfs_types::{BlockId, INodeId, Mono, Rng};

use super::BlockManager;
use super::replicas::{Counts, ReplicaClass};
use super::target::CopyRequest;
use crate::datanode::{DatanodeSlot, StorageSlot, TransferTask};
use crate::low_redundancy::Level;

/// Blocks that one round of [`BlockManager::compute_work`] scans after safe mode.
const SCAN_SLICE: usize = 100_000;

impl BlockManager {
    /// Replicas that must be live: fewer while some are in maintenance.
    pub(crate) fn required_live(&self, slot: u32, counts: &Counts) -> u32 {
        let expected = u32::from(self.map.entry(slot).replication());
        let at_least = u32::from(self.conf.maintenance_min_replication).min(expected);
        expected.saturating_sub(counts.maintenance()).max(at_least)
    }

    /// True when a block lies on as many racks as it should: for fsck.
    pub fn is_well_placed(&self, id: BlockId) -> bool {
        self.map.find(id).is_none_or(|slot| self.misplaced(slot, &[]) == 0)
    }

    pub(crate) fn has_enough(&self, slot: u32, counts: &Counts, pending: u32) -> bool {
        counts.live + pending >= self.required_live(slot, counts)
            && (pending > 0 || self.misplaced(slot, &[]) == 0)
    }

    /// Puts a block on the queue where it belongs, or takes it off.
    pub(crate) fn update_needed(&mut self, slot: u32) {
        if !self.populating_queues {
            return;
        }
        let entry = self.map.entry(slot);
        let (id, expected) = (self.map.id(slot), u32::from(entry.replication()));
        if !entry.is_complete() {
            self.needed.remove(id);
            return;
        }
        let mut counts = self.count(slot);
        if counts.excess > 0 && counts.live < expected {
            self.rescue_excess(slot, expected - counts.live);
            counts = self.count(slot);
        }
        if self.is_last_excess(&counts) {
            self.recall_excess(slot);
            counts = self.count(slot);
        }
        let pending = self.pending_count(id);
        if self.has_enough(slot, &counts, pending) {
            self.needed.remove(id);
        } else {
            let have = counts.live + pending;
            let level = Level::of(have, counts.read_only, counts.out_of_service(), expected);
            self.needed.put(id, level, expected);
        }
    }

    /// In safe mode no copy or deletion is handed out. `startup`: the first safe mode of this process, in which nodes
    /// are not declared dead and repeated full reports are ignored.
    pub fn set_safe_mode(&mut self, on: bool, startup: bool) {
        self.safe_mode = on;
        self.startup_safe_mode = on && startup;
    }

    /// True while the queues of copies and deletions are kept.
    pub fn is_populating_queues(&self) -> bool {
        self.populating_queues
    }

    /// Begins to keep the queues of copies and deletions: when the safe block threshold is reached, or when becoming
    /// active. All blocks are scanned, in slices: see [`Self::scan_redundancy`].
    pub fn start_redundancy_queues(&mut self) {
        self.populating_queues = true;
        self.active_since = None;
        self.scan = Some(0);
    }

    /// Forgets the queues (becoming standby).
    pub fn clear_queues(&mut self) {
        self.populating_queues = false;
        self.scan = None;
        self.needed.clear();
        self.excess.clear();
        self.postponed.clear();
        self.striped.clear_copies();
        let pending: Vec<BlockId> = self.pending.keys().copied().collect();
        for id in pending {
            self.drop_pending(id);
        }
        for node in &mut self.datanodes {
            node.invalidate.clear();
            node.recoveries.clear();
            node.transfers.clear();
        }
    }

    /// Looks at up to `limit` blocks for too few or too many replicas; true: there are more.
    pub fn scan_redundancy(&mut self, now: Mono, limit: usize) -> bool {
        let Some(from) = self.scan else { return false };
        let (slots, next) = self.map.slots_from(from, limit);
        for slot in slots {
            self.rescan_block(now, slot);
        }
        self.scan = next;
        self.scan.is_some()
    }

    pub(crate) fn rescan_block(&mut self, now: Mono, slot: u32) {
        self.update_needed(slot);
        let entry = self.map.entry(slot);
        let expected = u32::from(entry.replication());
        if !entry.is_complete() {
            return;
        }
        let counts = self.count(slot);
        if counts.live > expected {
            self.process_surplus(now, slot, None, None);
        }
        if counts.corrupt > 0 {
            self.invalidate_corrupt_replicas(slot);
        }
    }

    /// One round of the redundancy monitor (`dfs.namenode.redundancy.interval.seconds`, 3 s): gives up copies that were
    /// never reported, looks again at postponed blocks, goes on with the scan, and schedules copies. Returns how many.
    ///
    /// `policy_of` tells the storage policy that holds for a file (0: the default one). It is asked when it is needed, since
    /// a folder's policy and a rename change it for whole trees.
    pub fn compute_work(&mut self, now: Mono, policy_of: &dyn Fn(INodeId) -> u8) -> usize {
        if !self.populating_queues {
            return 0;
        }
        self.give_up_pending(now);
        if self.safe_mode {
            return 0;
        }
        self.scan_redundancy(now, SCAN_SLICE);
        self.rescan_postponed(now);
        self.give_up_excess(now);
        self.decide_surplus(now, policy_of);
        let live = self.topology.nodes().len();
        let limit = live * self.conf.work_multiplier as usize;
        let mut scheduled = 0;
        for (id, level) in self.needed.choose(limit) {
            match self.map.find(id) {
                Some(slot) => {
                    let policy = policy_of(self.map.entry(slot).owner());
                    scheduled += usize::from(self.schedule_copy(now, slot, level, policy));
                }
                None => {
                    self.needed.remove(id);
                }
            }
        }
        scheduled += self.copy_leaving_groups(now, policy_of);
        self.scheduled_last_round = scheduled;
        scheduled
    }

    fn give_up_pending(&mut self, now: Mono) {
        let late: Vec<BlockId> = self
            .pending
            .iter()
            .filter(|(_, pending)| now.since(pending.since) > self.conf.pending_timeout)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.timed_out += 1;
            self.pending.remove(&id);
            if let Some(slot) = self.map.find(id) {
                self.update_needed(slot);
            }
        }
    }

    fn rescan_postponed(&mut self, now: Mono) {
        let some: Vec<BlockId> =
            self.postponed.iter().take(self.conf.postponed_rescan_limit).copied().collect();
        for id in some {
            self.postponed.remove(&id);
            if let Some(slot) = self.map.find(id) {
                self.rescan_block(now, slot);
            }
        }
    }

    /// Chooses a source and targets for one block; true when copies were scheduled.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.scheduleReconstruction (3.5.0)
    fn schedule_copy(&mut self, now: Mono, slot: u32, level: Level, policy: u8) -> bool {
        let entry = self.map.entry(slot);
        let id = self.map.id(slot);
        let block_size = entry.num_bytes();
        if !entry.is_complete_or_committed() {
            self.needed.remove(id);
            return false;
        }
        let counts = self.count(slot);
        let pending = self.pending_count(id);
        if self.has_enough(slot, &counts, pending) {
            self.needed.remove(id);
            return false;
        }
        let Some(source) = self.choose_source(slot, level) else {
            self.copies_not_scheduled += 1;
            return false;
        };
        let required = self.required_live(slot, &counts);
        let misplaced = self.misplaced(slot, &[]);
        let count = if counts.live < required {
            required.saturating_sub(counts.live + pending) as usize
        } else {
            misplaced
        };
        let storages = self.map.storages(slot);
        let live: Vec<StorageSlot> = storages
            .iter()
            .copied()
            .filter(|storage| self.classify(id, *storage) == ReplicaClass::Live)
            .collect();
        let pending_targets = self.pending.get(&id).map(|p| p.targets.clone()).unwrap_or_default();
        let excluded: BTreeSet<DatanodeSlot> = storages
            .iter()
            .chain(&pending_targets)
            .map(|storage| self.storage(*storage).datanode)
            .collect();
        let request = CopyRequest {
            count,
            writer: Some(source),
            chosen: &live,
            placement: self.conf.placement,
            excluded,
            block_size,
            policy,
        };
        let spare = (counts.live < required && counts.corrupt > 0).then(|| request.clone());
        let mut targets = self.choose_copies(now, request);
        let chosen = targets.len();
        // A node that is to delete an old replica can't take a new one before it did.
        targets.retain(|target| !self.datanode_of(*target).invalidate.contains_key(&id));
        let no_better =
            counts.live >= required && misplaced > 0 && self.misplaced(slot, &targets) >= misplaced;
        if targets.is_empty() || no_better {
            if let Some(request) = spare.filter(|_| chosen == 0) {
                self.make_room(now, slot, &counts, &request);
            }
            self.copies_not_scheduled += 1;
            return false;
        }
        for target in &targets {
            self.schedule(*target);
        }
        self.add_pending(now, id, &targets);
        let task = TransferTask { block: id, targets: targets.into_iter().collect() };
        self.datanode_mut(source).transfers.push_back(task);
        self.update_needed(slot);
        true
    }

    /// Every node that could take a copy holds a corrupt replica: deletes one of them, where a copy could go. Two replicas
    /// stay, good or bad: should the good one turn out to be none, a reader may still try the others. (Hadoop leaves the
    /// block as it is until a node joins.)
    fn make_room(&mut self, now: Mono, slot: u32, counts: &Counts, request: &CopyRequest<'_>) {
        if counts.live + counts.corrupt < 3 {
            return;
        }
        for corrupt in self.corrupt.get(&self.map.id(slot)).cloned().unwrap_or_default() {
            let mut request = CopyRequest { count: 1, ..request.clone() };
            request.excluded.remove(&corrupt.node);
            if self.choose_copies(now, request).is_empty() {
                continue;
            }
            if let Some(storage) = self.storage_on(slot, corrupt.node) {
                self.invalidate_replica(slot, storage, corrupt.block);
            }
            return;
        }
    }

    /// A node to copy from: any good replica, at random, on a node that is not sending enough already. A
    /// decommissioned one only when there is no other.
    fn choose_source(&mut self, slot: u32, level: Level) -> Option<DatanodeSlot> {
        let id = self.map.id(slot);
        let mut good = Vec::new();
        let mut decommissioned = Vec::new();
        let mut any_live = false;
        for storage in self.map.storages(slot) {
            let class = self.classify(id, storage);
            let node = self.storage(storage).datanode;
            any_live |= class == ReplicaClass::Live;
            match class {
                ReplicaClass::Decommissioned => decommissioned.push(node),
                ReplicaClass::Live
                | ReplicaClass::ReadOnly
                | ReplicaClass::Decommissioning
                | ReplicaClass::MaintenanceReadable
                    if self.may_send(node, level) =>
                {
                    good.push(node);
                }
                _ => {}
            }
        }
        if good.is_empty() && !any_live {
            good = decommissioned;
        }
        if good.is_empty() {
            return None;
        }
        let index = self.rng.below(good.len() as u64) as usize;
        Some(good[index])
    }

    pub(crate) fn may_send(&self, node: DatanodeSlot, level: Level) -> bool {
        let node = self.datanode(node);
        let queued = node.transfers.len();
        let leaving = !node.is_in_service();
        let soft = level == Level::Highest
            || leaving
            || queued < self.conf.max_replication_streams as usize;
        node.alive && soft && queued < self.conf.replication_streams_hard_limit as usize
    }
}
