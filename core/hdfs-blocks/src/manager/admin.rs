//! Nodes that leave service, for good or for a while.
//!
//! A node on the exclude list is *decommissioning*: its replicas no longer count as live, so the redundancy queues copy
//! them elsewhere. When every block on it is safe without it, it is *decommissioned*. Nothing on it is deleted.
//!
//! A node that *enters maintenance* will be down until some moment: its replicas are expected back, so that only blocks
//! with fewer live ones elsewhere than `dfs.namenode.maintenance.replication.min` are copied. Then it is *in maintenance*,
//! and may die without any of its replicas being forgotten.

use hdfs_types::{BlockId, WallMillis};

use super::BlockManager;
use super::replicas::Counts;
use crate::datanode::{AdminState, DatanodeSlot, LeavingService, StorageSlot};
use crate::hosts::HostsLists;
use crate::registration::Now;

/// How far the look at a leaving node's blocks has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdminScan {
    storage: usize,
    from: u32,
    /// The same for the blocks of groups, which come after the others.
    group_storage: usize,
    group_from: Option<BlockId>,
    found: LeavingService,
}

impl BlockManager {
    /// Takes what new files of hosts say: nodes that may not join any more are turned away with their next heartbeat, others
    /// go into maintenance, are decommissioned, or come back into service.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.refreshNodes (3.5.0)
    pub fn refresh_nodes(&mut self, now: Now, hosts: HostsLists) {
        self.hosts = hosts;
        for slot in self.datanodes().collect::<Vec<_>>() {
            let included = self.hosts.is_included(&self.datanode(slot).registration);
            self.datanode_mut(slot).disallowed = !included;
            if included {
                self.apply_hosts_to(now, slot);
            }
        }
    }

    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.refreshDatanodes (3.5.0)
    pub(crate) fn apply_hosts_to(&mut self, now: Now, slot: DatanodeSlot) {
        let node = self.datanode(slot);
        let (retires, is_maintenance) =
            (node.is_decommissioning() || node.is_decommissioned(), node.is_maintenance());
        let maintenance = self.hosts.maintenance_of(&node.registration, now.wall);
        let excluded = self.hosts.is_excluded(&node.registration);
        let domain = self.hosts.upgrade_domain_of(&node.registration);
        self.datanode_mut(slot).upgrade_domain = domain;
        if let Some(expires) = maintenance {
            self.start_maintenance(now, slot, expires);
        } else if excluded {
            if !retires {
                self.start_decommission(now, slot);
            }
        } else if is_maintenance {
            self.stop_maintenance(now, slot);
        } else if retires {
            self.return_to_service(now, slot);
        }
    }

    fn set_admin_state(&mut self, slot: DatanodeSlot, state: AdminState) {
        self.exclude_load(slot);
        self.datanode_mut(slot).admin_state = state;
        self.include_load(slot);
    }

    fn start_decommission(&mut self, now: Now, slot: DatanodeSlot) {
        let node = self.datanode(slot);
        let (alive, was_maintenance) = (node.alive, node.is_maintenance());
        self.set_admin_state(
            slot,
            if alive { AdminState::DecommissionInProgress } else { AdminState::Decommissioned },
        );
        self.datanode_mut(slot).maintenance_expires = None;
        if was_maintenance && !alive {
            self.purge_dead(slot);
        }
        self.begin_leaving(now, slot);
    }

    /// A node that is dead, or retired, is in maintenance at once.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.HeartbeatManager.startMaintenance (3.5.0)
    fn start_maintenance(&mut self, now: Now, slot: DatanodeSlot, expires: WallMillis) {
        let at_once = self.conf.maintenance_min_replication == 0;
        let node = self.datanode_mut(slot);
        node.maintenance_expires = Some(expires);
        if node.is_maintenance() {
            return;
        }
        if !node.alive || node.is_decommissioned() || at_once {
            self.decommission_cursors.remove(&slot);
            self.set_admin_state(slot, AdminState::InMaintenance);
        } else {
            self.set_admin_state(slot, AdminState::EnteringMaintenance);
            self.begin_leaving(now, slot);
        }
    }

    fn begin_leaving(&mut self, now: Now, slot: DatanodeSlot) {
        self.datanode_mut(slot).leaving =
            LeavingService { started_ms: now.wall.0, ..LeavingService::default() };
        self.decommission_cursors.insert(slot, AdminScan::default());
    }

    /// The replicas of a node that died in maintenance were expected back: not any more.
    fn stop_maintenance(&mut self, now: Now, slot: DatanodeSlot) {
        self.return_to_service(now, slot);
        if !self.datanode(slot).alive {
            self.purge_dead(slot);
        }
    }

    fn return_to_service(&mut self, now: Now, slot: DatanodeSlot) {
        self.set_admin_state(slot, AdminState::Normal);
        let node = self.datanode_mut(slot);
        node.leaving = LeavingService::default();
        node.maintenance_expires = None;
        self.decommission_cursors.remove(&slot);
        if self.datanode(slot).alive {
            for storage in self.datanode(slot).storages.clone() {
                for block in self.storage(storage).blocks.iter().collect::<Vec<_>>() {
                    self.rescan_block(now.mono, block);
                }
            }
        }
    }

    /// One round of the decommission monitor (`dfs.namenode.decommission.interval`, 30 s): ends maintenance whose time is
    /// over, looks at the blocks of the nodes that leave, a limited number a round, and lets those nodes go whose blocks are
    /// all safe elsewhere.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeAdminDefaultMonitor (3.5.0)
    pub fn check_decommission(&mut self, now: Now) {
        if !self.populating_queues || self.safe_mode {
            return;
        }
        let expired = |slot: &DatanodeSlot| {
            let node = self.datanode(*slot);
            node.is_maintenance() && node.maintenance_expires.is_none_or(|end| end <= now.wall)
        };
        for slot in self.datanodes().filter(expired).collect::<Vec<_>>() {
            self.stop_maintenance(now, slot);
        }
        let mut left = self.conf.decommission_blocks_per_interval;
        for slot in self.tracked_nodes() {
            let node = self.datanode(slot);
            if !node.is_decommissioning() && node.admin_state != AdminState::EnteringMaintenance {
                self.decommission_cursors.remove(&slot);
            } else if self.scan_leaving(slot, &mut left) {
                self.end_pass(slot);
            }
        }
    }

    /// The nodes to look at in one round: no more than the limit, and dead ones after the others, so that they hold up
    /// nobody.
    fn tracked_nodes(&self) -> Vec<DatanodeSlot> {
        let mut nodes: Vec<DatanodeSlot> = self.decommission_cursors.keys().copied().collect();
        nodes.sort_by_key(|slot| !self.datanode(*slot).alive);
        match self.conf.decommission_max_tracked_nodes {
            0 => {}
            limit => nodes.truncate(limit),
        }
        nodes
    }

    /// Looks at some blocks of a leaving node; true at the end of a pass.
    fn scan_leaving(&mut self, slot: DatanodeSlot, left: &mut usize) -> bool {
        let mut scan = self.decommission_cursors.get(&slot).cloned().unwrap_or_default();
        let storages: Vec<StorageSlot> = self.datanode(slot).storages.clone();
        let retires = self.datanode(slot).is_decommissioning();
        while let Some(storage) = storages.get(scan.storage) {
            if *left == 0 {
                break;
            }
            let blocks: Vec<u32> =
                self.storage(*storage).blocks.iter_from(scan.from).take(*left).collect();
            *left -= blocks.len();
            let whole = *left > 0;
            scan.from = blocks.last().map_or(0, |last| last + 1);
            for block in blocks {
                self.look_at_leaving(block, retires, &mut scan.found);
            }
            if whole {
                scan.storage += 1;
                scan.from = 0;
            }
        }
        while scan.storage >= storages.len()
            && *left > 0
            && let Some(storage) = storages.get(scan.group_storage)
        {
            let from = scan.group_from;
            let (looked_at, last) =
                self.look_at_leaving_groups(*storage, from, *left, &mut scan.found);
            *left -= looked_at;
            scan.group_from = last;
            if last.is_none() {
                scan.group_storage += 1;
            }
        }
        let done = scan.storage >= storages.len() && scan.group_storage >= storages.len();
        self.decommission_cursors.insert(slot, scan);
        done
    }

    fn look_at_leaving(&mut self, block: u32, retires: bool, found: &mut LeavingService) {
        self.update_needed(block);
        let counts = self.count(block);
        let open = !self.map.entry(block).is_complete();
        if !self.may_lose_leaving(block, retires, &counts) {
            found.under_replicated += 1;
            found.under_replicated_in_open_files += u64::from(open);
            found.out_of_service_only += u64::from(counts.live == 0 && counts.out_of_service() > 0);
        }
    }

    /// Enough replicas stay when the leaving nodes are gone, for good or for a while.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeAdminManager.isSufficient (3.5.0)
    fn may_lose_leaving(&self, block: u32, retires: bool, counts: &Counts) -> bool {
        let entry = self.map.entry(block);
        if !retires {
            let min = self.conf.maintenance_min_replication.min(entry.replication());
            return self.has_enough(block, counts, 0) || counts.live >= u32::from(min);
        }
        if !entry.is_complete() {
            return counts.live >= u32::from(self.conf.min_replication);
        }
        self.has_enough(block, counts, 0) || counts.live >= u32::from(self.conf.default_replication)
    }

    /// True when a node can't leave service because of this block.
    pub fn blocks_decommission(&self, id: BlockId) -> bool {
        let Some(block) = self.map.find(id) else { return false };
        let counts = self.count(block);
        (counts.decommissioning > 0 && !self.may_lose_leaving(block, true, &counts))
            || (counts.maintenance_readable > 0 && !self.may_lose_leaving(block, false, &counts))
    }

    fn end_pass(&mut self, slot: DatanodeSlot) {
        let scan = self.decommission_cursors.insert(slot, AdminScan::default()).unwrap_or_default();
        let started_ms = self.datanode(slot).leaving.started_ms;
        self.datanode_mut(slot).leaving = LeavingService { started_ms, ..scan.found };
        let node = self.datanode(slot);
        let reported = !node.storages.is_empty()
            && node.storages.iter().all(|storage| self.storage(*storage).block_report_count > 0);
        let healthy =
            if node.alive { reported } else { self.pending.is_empty() && self.needed.len() == 0 };
        if scan.found.under_replicated == 0 && healthy {
            let state = match self.datanode(slot).admin_state {
                AdminState::EnteringMaintenance => AdminState::InMaintenance,
                _ => AdminState::Decommissioned,
            };
            self.set_admin_state(slot, state);
            self.decommission_cursors.remove(&slot);
        }
    }
}
