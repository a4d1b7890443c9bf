//! The NameNode's side of the web interface: what is sampled for its plots, and which DataNodes a page may talk to.

use std::sync::{Arc, Weak};

use axum::Router;
use hdfs_blocks::DatanodeReportType;
use hdfs_rt::rpc::server::{Server, ServerMetrics, ServerSnapshot};
use tokio::runtime::Handle;

use super::shell::{Shell, now};
use crate::history::{self, Column, History, Kind};
use crate::webui;

/// What the plots of the overview show. Names are those of `/jmx` where it has the number.
const COLUMNS: &[Column] = &[
    ("CapacityTotal", Kind::Gauge),
    ("CapacityUsed", Kind::Gauge),
    ("CapacityUsedNonDFS", Kind::Gauge),
    ("CapacityRemaining", Kind::Gauge),
    ("FilesTotal", Kind::Gauge),
    ("BlocksTotal", Kind::Gauge),
    ("LowRedundancyBlocks", Kind::Gauge),
    ("MissingBlocks", Kind::Gauge),
    ("NumLiveDataNodes", Kind::Gauge),
    ("NumDeadDataNodes", Kind::Gauge),
    ("TotalLoad", Kind::Gauge),
    ("Transactions", Kind::Counter),
    ("RpcCalls", Kind::Counter),
    ("RpcProcessingMicros", Kind::Counter),
    ("RpcReceivedBytes", Kind::Counter),
    ("RpcSentBytes", Kind::Counter),
];

/// The pages and the past of this NameNode, which is recorded for as long as the router lives.
pub(crate) fn router(shell: &Arc<Shell>, servers: &[Server], runtime: &Handle) -> Router {
    let history = History::new(COLUMNS);
    let rpc: Vec<_> = servers.iter().map(|server| Arc::clone(server.metrics())).collect();
    let of_samples = Arc::downgrade(shell);
    runtime.spawn(history::keep(Arc::downgrade(&history), move || sample(&of_samples, &rpc)));
    let of_pages = Arc::downgrade(shell);
    webui::namenode_router(Arc::new(move || origins(&of_pages))).merge(history.router())
}

fn sample(shell: &Weak<Shell>, rpc: &[Arc<ServerMetrics>]) -> Option<Vec<u64>> {
    let shell = shell.upgrade()?;
    let counts: Vec<_> = rpc.iter().map(|metrics| metrics.snapshot()).collect();
    let sum = |of: &dyn Fn(&ServerSnapshot) -> u64| counts.iter().map(of).sum();
    let calls = sum(&ServerSnapshot::requests);
    let micros = sum(&|of| u64::try_from(of.processing_time.total.as_micros()).unwrap_or(u64::MAX));
    let received = sum(&|of| of.received_bytes);
    let sent = sum(&|of| of.sent_bytes);
    let nn = shell.read_machine();
    let stats = nn.block_stats(now().mono);
    Some(vec![
        stats.capacity,
        stats.used,
        stats.non_dfs_used,
        stats.remaining,
        nn.inode_count(),
        stats.blocks,
        stats.low_redundancy,
        stats.missing,
        stats.live_datanodes.into(),
        stats.dead_datanodes.into(),
        stats.total_load,
        nn.last_txid().0,
        calls,
        micros,
        received,
        sent,
    ])
}

/// Where WebHDFS may send a browser: every live DataNode, by name and by address.
fn origins(shell: &Weak<Shell>) -> Vec<String> {
    let Some(shell) = shell.upgrade() else {
        return Vec::new();
    };
    let nn = shell.read_machine();
    let live = nn.blocks().list_datanodes(now().mono, DatanodeReportType::Live);
    let origins = live.into_iter().flat_map(|slot| {
        let node = &nn.blocks().datanode(slot).registration;
        let ip = if node.ip.contains(':') { format!("[{}]", node.ip) } else { node.ip.to_string() };
        [
            format!("http://{}:{}", node.host_name, node.info_port),
            format!("http://{ip}:{}", node.info_port),
        ]
    });
    origins.collect()
}
