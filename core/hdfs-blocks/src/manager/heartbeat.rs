//! Heartbeats: health and space of the nodes, and the commands of the reply.

use std::collections::BTreeSet;

use hdfs_types::{Block, ErrorKind, Mono, Result};

use super::BlockManager;
use super::registry::disallowed;
use crate::command::{DatanodeCommand, HeartbeatReply, Transfer};
use crate::datanode::DatanodeSlot;
use crate::registration::{Heartbeat, Now, StorageState};

impl BlockManager {
    /// Takes a heartbeat and says what to do, in Hadoop's order: recoveries alone; else copies, deletions, keys,
    /// bandwidth. In safe mode: nothing.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.handleHeartbeat (3.5.0)
    ///
    /// # Errors
    /// DisallowedDatanode when the node was taken off the include list.
    pub fn handle_heartbeat(&mut self, now: Now, heartbeat: &Heartbeat) -> Result<HeartbeatReply> {
        let Some(node) = self.heartbeating_node(heartbeat)? else {
            let commands = vec![DatanodeCommand::Register];
            return Ok(HeartbeatReply { commands, report_lease_id: 0 });
        };
        self.take_facts(now, node, heartbeat);
        let mut reply = HeartbeatReply::default();
        if heartbeat.request_report_lease {
            let length = self.conf.report_lease_length;
            reply.report_lease_id =
                self.leases.request(now.mono, node, self.conf.report_leases, length);
        }
        if !self.safe_mode {
            reply.commands = self.commands_for(now.mono, node, heartbeat.xmits_in_progress);
        }
        Ok(reply)
    }

    /// Takes a lifeline message: a heartbeat without commands. An unknown node is left to its heartbeats.
    ///
    /// # Errors
    /// DisallowedDatanode.
    pub fn handle_lifeline(&mut self, now: Now, heartbeat: &Heartbeat) -> Result<()> {
        if let Some(node) = self.heartbeating_node(heartbeat)? {
            self.take_facts(now, node, heartbeat);
        }
        Ok(())
    }

    fn heartbeating_node(&mut self, heartbeat: &Heartbeat) -> Result<Option<DatanodeSlot>> {
        let Some(slot) = self.by_uuid.get(heartbeat.uuid.as_str()).copied() else {
            return Ok(None);
        };
        let node = self.datanode(slot);
        if node.registration.xfer_port != heartbeat.xfer_port {
            // Another node with a copied identity, or one that moved: it must register.
            return Ok(None);
        }
        if node.disallowed {
            let error = disallowed(&node.registration);
            debug_assert_eq!(error.kind, ErrorKind::DisallowedDatanode);
            self.set_dead(slot);
            return Err(error);
        }
        Ok(node.is_registered().then_some(slot))
    }

    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeDescriptor.updateHeartbeatState (3.5.0)
    fn take_facts(&mut self, now: Now, slot: DatanodeSlot, heartbeat: &Heartbeat) {
        self.exclude_load(slot);
        let node = self.datanode_mut(slot);
        let check_failed = match (&heartbeat.volume_failures, &node.volume_failures) {
            (Some(new), Some(old)) => new.last_failure_ms > old.last_failure_ms,
            _ => {
                heartbeat.failed_volumes > node.failed_volumes
                    || !node.heartbeated_since_registration
            }
        };
        node.last_update = now.mono;
        node.last_update_wall = now.wall;
        node.heartbeated_since_registration = true;
        node.cache_capacity = heartbeat.cache_capacity;
        node.cache_used = heartbeat.cache_used;
        node.xceiver_count = heartbeat.xceiver_count;
        node.failed_volumes = heartbeat.failed_volumes;
        node.volume_failures.clone_from(&heartbeat.volume_failures);
        node.scheduled.roll(now.mono);
        self.take_storage_reports(slot, heartbeat, check_failed);
        if !heartbeat.slow_peers.is_empty() || !heartbeat.slow_disks.is_empty() {
            let (peers, disks) = (&heartbeat.slow_peers, &heartbeat.slow_disks);
            self.take_slow_reports(now.mono, slot, peers, disks);
        }
        self.include_load(slot);
    }

    fn take_storage_reports(&mut self, node: DatanodeSlot, heartbeat: &Heartbeat, check: bool) {
        let mut sums = [0u64; 5];
        let mut mounts = BTreeSet::new();
        let mut reported = BTreeSet::new();
        for report in &heartbeat.reports {
            let slot = self.learn_storage(node, &report.storage, report.failed);
            reported.insert(slot);
            let storage = self.storage_mut(slot);
            storage.update(report);
            storage.heartbeated_since_failover = true;
            let own_mount = match report.mount.as_deref() {
                None | Some("") => true,
                Some(mount) => mounts.insert(mount),
            };
            let non_dfs = if own_mount { report.non_dfs_used } else { 0 };
            let values = [
                report.capacity,
                report.dfs_used,
                report.remaining,
                report.block_pool_used,
                non_dfs,
            ];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = sum.saturating_add(value);
            }
            if report.failed && !self.storage(slot).blocks.is_empty() {
                self.to_purge.insert(slot);
            }
        }
        let record = self.datanode_mut(node);
        [
            record.capacity,
            record.dfs_used,
            record.remaining,
            record.block_pool_used,
            record.non_dfs_used,
        ] = sums;
        for slot in record.storages.clone() {
            if reported.contains(&slot) {
                continue;
            }
            if self.storage(slot).blocks.is_empty() {
                self.storage_mut(slot).present = false;
                self.datanode_mut(node).storages.retain(|other| *other != slot);
            } else if check {
                // The node does not name it any more and says that volumes failed.
                self.storage_mut(slot).info.state = StorageState::Failed;
                self.to_purge.insert(slot);
            }
        }
    }

    fn commands_for(
        &mut self,
        now: Mono,
        slot: DatanodeSlot,
        xmits_in_progress: u32,
    ) -> Vec<DatanodeCommand> {
        let recoveries = self.take_recoveries(now, slot);
        if !recoveries.is_empty() {
            return vec![DatanodeCommand::Recover(recoveries)];
        }
        let mut commands = Vec::new();
        let transfers = self.take_transfers(slot, xmits_in_progress);
        if !transfers.is_empty() {
            commands.push(DatanodeCommand::Transfer(transfers));
        }
        let deletions = self.take_deletions(now, slot);
        if !deletions.is_empty() {
            commands.push(DatanodeCommand::Invalidate(deletions));
        }
        let node = self.datanode_mut(slot);
        if std::mem::take(&mut node.key_update_due) {
            commands.push(DatanodeCommand::KeyUpdate);
        }
        if let Some(bandwidth) = node.balancer_bandwidth.take() {
            commands.push(DatanodeCommand::BalancerBandwidth(bandwidth));
        }
        commands
    }

    fn take_transfers(&mut self, slot: DatanodeSlot, xmits_in_progress: u32) -> Vec<Transfer> {
        let free = self.conf.max_replication_streams.saturating_sub(xmits_in_progress) as usize;
        let mut transfers = Vec::new();
        while transfers.len() < free {
            let Some(task) = self.datanode_mut(slot).transfers.pop_front() else { break };
            let block = match self.map.get(task.block) {
                Some(entry) => entry.is_complete_or_committed().then(|| entry.block(task.block)),
                None => self.internal_to_send(task.block, slot),
            };
            match block {
                Some(block) => transfers.push(Transfer { block, targets: task.targets.to_vec() }),
                // Deleted, or opened again, since it was chosen.
                None => task.targets.iter().for_each(|target| self.unschedule(*target)),
            }
        }
        transfers
    }

    fn take_deletions(&mut self, now: Mono, slot: DatanodeSlot) -> Vec<Block> {
        if !self.populating_queues {
            return Vec::new();
        }
        let since = *self.active_since.get_or_insert(now);
        if now.since(since) < self.conf.startup_deletion_delay {
            return Vec::new();
        }
        let limit = self.conf.effective_invalidate_limit();
        let mut blocks = Vec::with_capacity(limit.min(self.datanode(slot).invalidate.len()));
        while blocks.len() < limit {
            let Some((_, block)) = self.datanode_mut(slot).invalidate.pop_first() else { break };
            if self.is_still_needless(slot, block) {
                blocks.push(block);
            }
        }
        blocks
    }

    /// The last look before a replica is ordered away: a block that a file owns must have a good replica left, on a node
    /// that is alive and has reported. Otherwise the order is dropped; the next full report brings the replica up again.
    fn is_still_needless(&mut self, node: DatanodeSlot, block: Block) -> bool {
        let Some(slot) = self.map.find(block.id) else { return true };
        if self.count(slot).live_and_known > 0 {
            return true;
        }
        self.excess.remove(&(node, block.id));
        self.refresh_safe(slot);
        self.update_needed(slot);
        false
    }

    /// Finds nodes that became dead, and forgets their replicas and those of failed storages, at most `limit` in this
    /// call. True: there is more to forget; call again soon. Not during the first safe mode.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.HeartbeatManager.heartbeatCheck (3.5.0)
    pub fn check_heartbeats(&mut self, now: Now, limit: usize) -> bool {
        self.collect_slow_nodes(now.mono);
        if self.startup_safe_mode {
            return false;
        }
        let dead: Vec<DatanodeSlot> = self
            .datanodes()
            .filter(|slot| self.datanode(*slot).alive && self.is_dead(now.mono, *slot))
            .collect();
        for slot in dead {
            self.expired_heartbeats += 1;
            self.set_dead(slot);
        }
        let mut left = limit;
        while let Some(storage) = self.to_purge.first().copied() {
            if left == 0 {
                return true;
            }
            let held = self.storage(storage).blocks.len();
            self.purge_storage(storage, left);
            left -= held.min(left);
        }
        false
    }

    /// After becoming active: until a storage has heartbeat and reported once more, nothing on it justifies a deletion.
    pub fn mark_all_datanodes_stale(&mut self) {
        for storage in &mut self.storages {
            storage.heartbeated_since_failover = false;
            storage.contents_stale = true;
        }
    }

    /// Every node takes new block keys with its next reply: for a NameNode that gives block tokens.
    pub fn request_key_update(&mut self) {
        for node in &mut self.datanodes {
            node.key_update_due = true;
        }
    }

    /// Tells every live node how fast balancing may be, in bytes a second.
    pub fn set_balancer_bandwidth(&mut self, bytes_per_second: u64) {
        for node in self.datanodes.iter_mut().filter(|node| node.present) {
            node.balancer_bandwidth = Some(bytes_per_second);
        }
    }
}
