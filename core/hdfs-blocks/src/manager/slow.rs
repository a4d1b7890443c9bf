//! DataNodes that others find slow, and disks that their own DataNodes find slow.
//!
//! A report counts for three times the interval at which DataNodes report. The nodes that most others complain about are
//! collected from time to time; they may then be spared by placement and by readers.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.SlowPeerTracker, SlowDiskTracker (3.5.0)

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use hdfs_types::Mono;

use super::BlockManager;
use crate::datanode::{Datanode, DatanodeSlot};
use crate::registration::{PeerLatency, SlowDisk, SlowPeer};

/// Reports count for so many intervals.
const VALID_INTERVALS: u32 = 3;

/// What was reported, and what was made of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlowReports {
    /// By the slow node's name in the report, then by the reporter's address.
    peers: BTreeMap<String, BTreeMap<String, (Mono, PeerLatency)>>,
    /// By node and folder.
    disks: BTreeMap<String, (Mono, SlowDisk)>,
    /// Nodes to be spared.
    nodes: BTreeSet<DatanodeSlot>,
    collected: Option<Mono>,
}

/// A node that others find slow, with what each of them measured.
#[derive(Clone, PartialEq, Debug)]
pub struct SlowNode {
    /// As the reports name it: address and HTTP port.
    pub name: String,
    /// By the reporter's address for RPC.
    pub reports: Vec<(String, PeerLatency)>,
}

impl BlockManager {
    /// Takes what a node says of its peers and of its disks. What is said of unknown nodes is left out.
    pub(crate) fn take_slow_reports(
        &mut self,
        now: Mono,
        reporter: DatanodeSlot,
        peers: &[SlowPeer],
        disks: &[SlowDisk],
    ) {
        let registration = &self.datanode(reporter).registration;
        let address = format!("{}:{}", registration.ip, registration.ipc_port);
        if self.conf.peer_stats {
            for peer in peers {
                if self.node_named(&peer.name).is_some() {
                    let of = self.slow.peers.entry(peer.name.clone()).or_default();
                    of.insert(address.clone(), (now, peer.latency));
                }
            }
        }
        if self.conf.disk_stats {
            let volumes = self.datanode(reporter).storages.len().max(disks.len().min(64));
            for disk in disks.iter().take(volumes) {
                let name = format!("{address}:{}", disk.folder);
                self.slow.disks.insert(name, (now, disk.clone()));
            }
        }
    }

    /// The node at `ip:port`, whichever of its ports that is; else the first one of that host.
    fn node_named(&self, name: &str) -> Option<DatanodeSlot> {
        let (host, port) = name.split_once(':')?;
        let nodes = self.datanodes_on_host(host);
        let has_port = |node: &Datanode| {
            let of = &node.registration;
            [of.xfer_port, of.info_port, of.info_secure_port, of.ipc_port]
                .iter()
                .any(|own| port.parse() == Ok(*own))
        };
        let exact = nodes.iter().find(|slot| has_port(self.datanode(**slot)));
        exact.or_else(|| nodes.first()).copied()
    }

    fn is_valid(&self, now: Mono, since: Mono) -> bool {
        now.since(since) < self.conf.outliers_report_interval * VALID_INTERVALS
    }

    /// The nodes that most others find slow, at most `limit`; those with the most reports first.
    pub fn slow_nodes(&self, now: Mono, limit: usize) -> Vec<SlowNode> {
        let mut nodes: Vec<SlowNode> = self
            .slow
            .peers
            .iter()
            .map(|(name, reports)| SlowNode {
                name: name.clone(),
                reports: reports
                    .iter()
                    .filter(|(_, (since, _))| self.is_valid(now, *since))
                    .map(|(reporter, (_, latency))| (reporter.clone(), *latency))
                    .collect(),
            })
            .filter(|node| !node.reports.is_empty())
            .collect();
        nodes.sort_by_key(|node| Reverse(node.reports.len()));
        nodes.truncate(limit);
        nodes
    }

    /// The slowest disks, at most as many as are to be told, by node and folder.
    pub fn slow_disks(&self, now: Mono) -> Vec<(String, SlowDisk)> {
        let mut disks: Vec<(String, SlowDisk)> = self
            .slow
            .disks
            .iter()
            .filter(|(_, (since, _))| self.is_valid(now, *since))
            .map(|(name, (_, disk))| (name.clone(), disk.clone()))
            .collect();
        disks.sort_by(|one, other| other.1.slowest().total_cmp(&one.1.slowest()));
        disks.truncate(self.conf.slow_disks_told);
        disks
    }

    /// Every node that others find slow.
    pub fn slow_datanodes(&self, now: Mono) -> Vec<DatanodeSlot> {
        let named = self.slow_nodes(now, usize::MAX);
        named.iter().filter_map(|node| self.node_named(&node.name)).collect()
    }

    /// True for a node that is to be spared.
    pub fn is_slow(&self, node: DatanodeSlot) -> bool {
        !self.slow.nodes.is_empty() && self.slow.nodes.contains(&node)
    }

    /// From time to time: forgets old reports, and says anew which nodes are to be spared.
    pub(crate) fn collect_slow_nodes(&mut self, now: Mono) {
        let interval = self.conf.slow_peer_collect_interval;
        if self.slow.collected.is_some_and(|last| now.since(last) < interval) {
            return;
        }
        let mut slow = std::mem::take(&mut self.slow);
        slow.collected = Some(now);
        if !self.conf.peer_stats {
            slow.peers.clear();
        }
        slow.peers.retain(|_, reports| {
            reports.retain(|_, (since, _)| self.is_valid(now, *since));
            !reports.is_empty()
        });
        slow.disks.retain(|_, (since, _)| self.is_valid(now, *since));
        self.slow = slow;
        let named = self.slow_nodes(now, self.conf.slow_peers_collected);
        self.slow.nodes = named.iter().filter_map(|node| self.node_named(&node.name)).collect();
    }
}
