//! Nodes that leave service.
//!
//! A node on the exclude list is *decommissioning*: its replicas no longer count as live, so the redundancy queues copy
//! them elsewhere. When every block on it is safe without it, it is *decommissioned*. Nothing on it is deleted.

use hdfs_types::BlockId;

use super::replicas::Counts;
use super::{BlockManager, HostsLists};
use crate::datanode::{AdminState, DatanodeSlot, LeavingService, StorageSlot};
use crate::registration::{DatanodeRegistration, Now};

/// How far the look at a leaving node's blocks has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdminScan {
    storage: usize,
    from: u32,
    found: LeavingService,
}

/// True when a line of a hosts file names this node: by address or host name, with or without a port.
fn names(line: &str, node: &DatanodeRegistration) -> bool {
    let (host, port) = match line.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (line, None),
    };
    let host_fits = host == node.ip
        || host.eq_ignore_ascii_case(&node.host_name)
        || node.peer_host_name.as_deref().is_some_and(|name| host.eq_ignore_ascii_case(name));
    host_fits && port.is_none_or(|port| port == 0 || port == node.xfer_port)
}

impl BlockManager {
    pub(crate) fn is_included(&self, node: &DatanodeRegistration) -> bool {
        self.hosts.include.is_empty() || self.hosts.include.iter().any(|line| names(line, node))
    }

    fn is_excluded(&self, node: &DatanodeRegistration) -> bool {
        self.hosts.exclude.iter().any(|line| names(line, node))
    }

    /// Takes new include and exclude lists: nodes off the include list are turned away with their next heartbeat, nodes
    /// on the exclude list are decommissioned, and nodes taken off it come back into service.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.refreshNodes (3.5.0)
    pub fn refresh_nodes(&mut self, now: Now, hosts: HostsLists) {
        self.hosts = hosts;
        for slot in self.datanodes().collect::<Vec<_>>() {
            let included = self.is_included(&self.datanode(slot).registration);
            self.datanode_mut(slot).disallowed = !included;
            if included {
                self.apply_hosts_to(now, slot);
            }
        }
    }

    pub(crate) fn apply_hosts_to(&mut self, now: Now, slot: DatanodeSlot) {
        let node = self.datanode(slot);
        let leaving = node.is_decommissioning() || node.is_decommissioned();
        let excluded = self.is_excluded(&node.registration);
        if excluded && !leaving {
            self.start_decommission(now, slot);
        } else if !excluded && leaving {
            self.stop_decommission(now, slot);
        }
    }

    fn start_decommission(&mut self, now: Now, slot: DatanodeSlot) {
        self.exclude_load(slot);
        let node = self.datanode_mut(slot);
        node.admin_state = if node.alive {
            AdminState::DecommissionInProgress
        } else {
            AdminState::Decommissioned
        };
        node.leaving = LeavingService { started_ms: now.wall.0, ..LeavingService::default() };
        self.include_load(slot);
        self.decommission_cursors.insert(slot, AdminScan::default());
    }

    fn stop_decommission(&mut self, now: Now, slot: DatanodeSlot) {
        self.exclude_load(slot);
        self.datanode_mut(slot).admin_state = AdminState::Normal;
        self.datanode_mut(slot).leaving = LeavingService::default();
        self.include_load(slot);
        self.decommission_cursors.remove(&slot);
        if self.datanode(slot).alive {
            for storage in self.datanode(slot).storages.clone() {
                for block in self.storage(storage).blocks.iter().collect::<Vec<_>>() {
                    self.rescan_block(now.mono, block);
                }
            }
        }
    }

    /// One round of the decommission monitor (`dfs.namenode.decommission.interval`, 30 s): looks at the blocks of the
    /// nodes that leave, a limited number a round, and retires the nodes whose blocks are all safe elsewhere.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeAdminDefaultMonitor (3.5.0)
    pub fn check_decommission(&mut self, _now: Now) {
        if !self.populating_queues || self.safe_mode {
            return;
        }
        let mut left = self.conf.decommission_blocks_per_interval;
        let nodes: Vec<DatanodeSlot> = self
            .decommission_cursors
            .keys()
            .copied()
            .take(self.conf.decommission_max_tracked_nodes)
            .collect();
        for slot in nodes {
            if !self.datanode(slot).is_decommissioning() {
                self.decommission_cursors.remove(&slot);
            } else if self.scan_leaving(slot, &mut left) {
                self.end_pass(slot);
            }
        }
    }

    /// Looks at some blocks of a leaving node; true at the end of a pass.
    fn scan_leaving(&mut self, slot: DatanodeSlot, left: &mut usize) -> bool {
        let mut scan = self.decommission_cursors.get(&slot).cloned().unwrap_or_default();
        let storages: Vec<StorageSlot> = self.datanode(slot).storages.clone();
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
                self.look_at_leaving(block, &mut scan.found);
            }
            if whole {
                scan.storage += 1;
                scan.from = 0;
            }
        }
        let done = scan.storage >= storages.len();
        self.decommission_cursors.insert(slot, scan);
        done
    }

    fn look_at_leaving(&mut self, block: u32, found: &mut LeavingService) {
        self.update_needed(block);
        let counts = self.count(block);
        let open = !self.map.entry(block).is_complete();
        if !self.may_lose_leaving(block, &counts) {
            found.under_replicated += 1;
            found.under_replicated_in_open_files += u64::from(open);
            found.out_of_service_only += u64::from(counts.live == 0 && counts.out_of_service() > 0);
        }
    }

    /// Enough replicas stay when the leaving nodes are gone.
    fn may_lose_leaving(&self, block: u32, counts: &Counts) -> bool {
        if !self.map.entry(block).is_complete() {
            return counts.live >= u32::from(self.conf.min_replication);
        }
        self.has_enough(block, counts, 0) || counts.live >= u32::from(self.conf.default_replication)
    }

    /// True when a node can't leave service because of this block.
    pub fn blocks_decommission(&self, id: BlockId) -> bool {
        let Some(block) = self.map.find(id) else { return false };
        let counts = self.count(block);
        counts.decommissioning > 0 && !self.may_lose_leaving(block, &counts)
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
            self.exclude_load(slot);
            self.datanode_mut(slot).admin_state = AdminState::Decommissioned;
            self.include_load(slot);
            self.decommission_cursors.remove(&slot);
        }
    }
}
