//! Slow DataNodes and disks as JSON inside of JSON, which is how `NameNodeStatus` has them; null unless they are watched
//! (`dfs.datanode.peer.stats.enabled`, `dfs.datanode.fileio.profiling.sampling.percentage`).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.SlowPeerJsonReport, SlowPeerLatencyWithReportingNode,
//! SlowDiskTracker.DiskLatency (3.5.0)

use hdfs_blocks::{PeerLatency, SlowDisk};
use serde_json::{Map, Value, json};

use super::super::monitor::Monitor;
use super::super::shell::now;

/// `SlowPeersReport`.
pub(super) fn peers(monitor: &Monitor) -> Value {
    let machine = monitor.shell.read_machine();
    let blocks = machine.blocks();
    if !blocks.conf().peer_stats {
        return Value::Null;
    }
    let nodes = blocks.slow_nodes(now().mono, blocks.conf().slow_peers_told);
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|node| {
            let reports: Vec<Value> = node.reports.iter().map(report).collect();
            json!({"SlowNode": node.name, "SlowPeerLatencyWithReportingNodes": reports})
        })
        .collect();
    Value::String(Value::Array(nodes).to_string())
}

fn report((reporter, latency): &(String, PeerLatency)) -> Value {
    json!({
        "ReportingNode": reporter,
        "ReportedLatency": latency.actual,
        "MedianLatency": latency.median,
        "MadLatency": latency.mad,
        "UpperLimitLatency": latency.upper_limit,
    })
}

/// `SlowDisksReport`.
pub(super) fn disks(monitor: &Monitor) -> Value {
    let machine = monitor.shell.read_machine();
    let disks = machine.blocks().slow_disks(now().mono);
    if disks.is_empty() {
        return Value::Null;
    }
    let disks: Vec<Value> = disks
        .iter()
        .map(|(name, disk)| json!({"SlowDiskID": name, "Latencies": latencies(disk)}))
        .collect();
    Value::String(Value::Array(disks).to_string())
}

fn latencies(disk: &SlowDisk) -> Map<String, Value> {
    [("METADATA", disk.metadata), ("READ", disk.read), ("WRITE", disk.write)]
        .into_iter()
        .filter_map(|(name, mean)| Some((name.to_owned(), json!(mean?))))
        .collect()
}
