//! Replicas that are too many: which of them go.

use std::collections::BTreeMap;

use hdfs_types::{BlockId, INodeId, Mono, StorageType};

use super::BlockManager;
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::StorageState;
use crate::storage_policy::{DEFAULT_POLICY, StoragePolicy, Types};

/// Surplus replicas whose choice waits for the file's storage policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undecided {
    id: BlockId,
    added: Option<DatanodeSlot>,
    delete_hint: Option<DatanodeSlot>,
}

/// Heartbeats after which a silent node's replica goes first
/// (`dfs.namenode.tolerate.heartbeat.multiplier`).
const TOLERATED_HEARTBEATS: u32 = 4;

impl BlockManager {
    /// Chooses surplus replicas and queues their deletion. Replicas on storages that have not reported since this
    /// NameNode became active are neither chosen nor counted; then the block is looked at again later. Replicas on
    /// different kinds of storage wait for [`Self::decide_surplus`].
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.processExtraRedundancyBlock (3.5.0)
    pub(crate) fn process_surplus(
        &mut self,
        now: Mono,
        slot: u32,
        added: Option<DatanodeSlot>,
        delete_hint: Option<DatanodeSlot>,
    ) {
        let mut kinds = self.map.storages(slot).into_iter().map(|s| self.storage(s).storage_type());
        let first = kinds.next();
        if kinds.any(|kind| Some(kind) != first) {
            let id = self.map.id(slot);
            self.undecided.push(Undecided { id, added, delete_hint });
        } else {
            // With one kind of storage every policy chooses the same.
            self.remove_surplus(now, slot, DEFAULT_POLICY, added, delete_hint);
        }
    }

    /// Chooses among surplus replicas on different kinds of storage that reports and calls have left over. Call it before
    /// letting go of the manager.
    ///
    /// `policy_of`: as for [`Self::compute_work`].
    pub fn decide_surplus(&mut self, now: Mono, policy_of: &dyn Fn(INodeId) -> u8) {
        for Undecided { id, added, delete_hint } in std::mem::take(&mut self.undecided) {
            let Some(slot) = self.map.find(id) else { continue };
            let policy = policy_of(self.map.entry(slot).owner());
            self.remove_surplus(now, slot, policy, added, delete_hint);
        }
    }

    fn remove_surplus(
        &mut self,
        now: Mono,
        slot: u32,
        policy: u8,
        added: Option<DatanodeSlot>,
        delete_hint: Option<DatanodeSlot>,
    ) {
        let policy = StoragePolicy::of(policy);
        let entry = self.map.entry(slot);
        let (block, wanted) = (self.map.block(slot), usize::from(entry.replication()));
        let delete_hint = delete_hint.filter(|hint| Some(*hint) != added);
        let mut judged = Vec::new();
        let mut unknown = false;
        for storage in self.map.storages(slot) {
            let held = self.storage(storage);
            let node = self.datanode(held.datanode);
            if held.state() != StorageState::Normal || !node.alive {
                continue;
            }
            if held.contents_stale {
                unknown = true;
            } else if node.is_in_service()
                && !self.is_excess_on(block.id, held.datanode)
                && !self.is_corrupt_on(block.id, held.datanode)
            {
                judged.push(storage);
            }
        }
        // A block always keeps one: "repair never destroys the last verified copy".
        let wanted = wanted.max(1);
        let again = self.recalled_among(block.id, &judged, judged.len().saturating_sub(wanted));
        judged.retain(|storage| !again.contains(storage));
        let more = self.choose_to_delete(now, policy, judged, wanted, added, delete_hint);
        for storage in again.into_iter().chain(more) {
            self.mark_excess(now, slot, self.storage(storage).datanode);
        }
        self.refresh_safe(slot);
        if unknown {
            self.postponed.insert(block.id);
        }
    }

    fn choose_to_delete(
        &self,
        now: Mono,
        policy: &StoragePolicy,
        mut replicas: Vec<StorageSlot>,
        wanted: usize,
        added: Option<DatanodeSlot>,
        delete_hint: Option<DatanodeSlot>,
    ) -> Vec<StorageSlot> {
        let kinds: Types = replicas.iter().map(|s| self.storage(*s).storage_type()).collect();
        let mut excess_kinds = policy.excess_types(wanted, &kinds);
        let of_node = |node: Option<DatanodeSlot>, replicas: &[StorageSlot]| {
            replicas.iter().copied().find(|s| Some(self.storage(*s).datanode) == node)
        };
        let hint = of_node(delete_hint, &replicas);
        let added = of_node(added, &replicas);
        let mut chosen = Vec::new();
        while replicas.len() > wanted {
            let shared = self.on_shared_racks(&replicas);
            let hinted = hint.filter(|hint| {
                chosen.is_empty()
                    && excess_kinds.contains(&self.storage(*hint).storage_type())
                    && self.may_follow_hint(&replicas, &shared, *hint, added)
            });
            let victim = hinted.or_else(|| {
                self.least_useful(now, &self.candidates(&replicas, &shared), &excess_kinds)
            });
            let Some(victim) = victim else { break };
            let kind = self.storage(victim).storage_type();
            if let Some(at) = excess_kinds.iter().position(|other| *other == kind) {
                excess_kinds.remove(at);
            }
            replicas.retain(|other| *other != victim);
            chosen.push(victim);
        }
        chosen
    }

    /// Replicas that share their rack with another one.
    fn on_shared_racks(&self, replicas: &[StorageSlot]) -> Vec<StorageSlot> {
        let mut per_rack: BTreeMap<&str, usize> = BTreeMap::new();
        for storage in replicas {
            *per_rack.entry(&self.datanode_of(*storage).location).or_default() += 1;
        }
        let shared = |s: &StorageSlot| per_rack[self.datanode_of(*s).location.as_str()] > 1;
        replicas.iter().copied().filter(shared).collect()
    }

    /// The replica whose node has been silent for long, else the one on the fullest storage.
    fn least_useful(
        &self,
        now: Mono,
        replicas: &[StorageSlot],
        kinds: &[StorageType],
    ) -> Option<StorageSlot> {
        let tolerated = self.conf.heartbeat_interval * TOLERATED_HEARTBEATS;
        let of_kind = || {
            replicas.iter().copied().filter(|s| kinds.contains(&self.storage(*s).storage_type()))
        };
        of_kind()
            .filter(|s| now.since(self.datanode_of(*s).last_update) > tolerated)
            .min_by_key(|s| self.datanode_of(*s).last_update)
            .or_else(|| of_kind().min_by_key(|s| self.storage(*s).remaining))
    }
}
