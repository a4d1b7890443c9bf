//! The NameNode's numbers for Prometheus.

use std::sync::atomic::Ordering;

use hdfs_blocks::FsStats;
use hdfs_namenode::{NameNode, SOFTWARE_VERSION};
use hdfs_rt::http::{PromSource, PromText};

use super::monitor::Monitor;
use super::shell::now;

impl PromSource for Monitor {
    fn write(&self, text: &mut PromText) {
        text.process("namenode", SOFTWARE_VERSION);
        text.http(&self.http);
        text.rpc(&self.servers);
        let (stats, namespace) = {
            let nn = self.shell.read_machine();
            (nn.block_stats(now().mono), Namespace::of(&nn))
        };
        namespace.write(text);
        blocks(text, &stats);
        datanodes(text, &stats);
        capacity(text, &stats);
        log(text, self, &namespace);
        lock(text, self);
    }
}

/// What is read of the machine while it is held.
struct Namespace {
    inodes: u64,
    open_files: usize,
    leases: usize,
    safe_mode: bool,
    removed: u64,
    retry_hits: u64,
    last_txid: u64,
    segment_start: u64,
}

impl Namespace {
    fn of(nn: &NameNode) -> Self {
        Self {
            inodes: nn.inode_count(),
            open_files: nn.open_file_count(),
            leases: nn.namespace().leases().holders(),
            safe_mode: nn.in_safe_mode(),
            removed: nn.removed_inode_count(),
            retry_hits: nn.retry_cache_counts().0,
            last_txid: nn.last_txid().0,
            segment_start: nn.segment_start().0,
        }
    }

    fn write(&self, text: &mut PromText) {
        let flag = |on: bool| if on { 1.0 } else { 0.0 };
        text.gauge("hdfs_namenode_active", "1 while this NameNode is the active one.", 1.0);
        text.gauge("hdfs_namenode_safe_mode", "1 in safe mode.", flag(self.safe_mode));
        text.gauge("hdfs_namenode_inodes", "Files, directories and links.", self.inodes as f64);
        text.gauge("hdfs_namenode_open_files", "Files being written.", self.open_files as f64);
        text.gauge("hdfs_namenode_lease_holders", "Clients that write.", self.leases as f64);
        text.counter("hdfs_namenode_inodes_removed_total", "Inodes removed.", self.removed);
        let help = "Repeated calls that got their first answer.";
        text.counter("hdfs_namenode_retry_cache_hits_total", help, self.retry_hits);
    }
}

fn blocks(text: &mut PromText, stats: &FsStats) {
    text.gauge("hdfs_namenode_blocks", "Blocks.", stats.blocks as f64);
    let name = "hdfs_namenode_unhealthy_blocks";
    text.family(
        name,
        "gauge",
        "Blocks that lack something, by what; a block may count for several.",
    );
    for (reason, count) in [
        ("low_redundancy", stats.low_redundancy),
        ("highest_priority", stats.highest_priority),
        ("missing", stats.missing),
        ("missing_replication_one", stats.missing_replication_one),
        ("corrupt", stats.corrupt),
        ("badly_distributed", stats.badly_distributed),
        ("postponed", stats.postponed),
    ] {
        text.sample(name, &[("reason", reason)], count as f64);
    }
    for (name, help, value) in [
        (
            "hdfs_namenode_pending_reconstructions",
            "Copies on their way.",
            stats.pending_reconstruction,
        ),
        ("hdfs_namenode_pending_deletions", "Replicas to delete.", stats.pending_deletion),
        ("hdfs_namenode_excess_replicas", "Replicas too many.", stats.excess),
        (
            "hdfs_namenode_blocks_under_construction",
            "Blocks being written.",
            stats.under_construction,
        ),
    ] {
        text.gauge(name, help, value as f64);
    }
    let name = "hdfs_namenode_reconstructions_total";
    text.family(name, "counter", "Copies for redundancy, by their end.");
    for (end, count) in [
        ("succeeded", stats.successful_reconstructions),
        ("timed_out", stats.timed_out_reconstructions),
        ("not_scheduled", stats.reconstructions_not_scheduled),
    ] {
        text.sample(name, &[("end", end)], count as f64);
    }
}

fn datanodes(text: &mut PromText, stats: &FsStats) {
    let name = "hdfs_namenode_datanodes";
    text.family(name, "gauge", "DataNodes by state; stale and leaving ones count as live, too.");
    for (state, count) in [
        ("live", stats.live_datanodes),
        ("dead", stats.dead_datanodes),
        ("stale", stats.stale_datanodes),
        ("decommissioning", stats.decommissioning_datanodes),
        ("decommissioned_live", stats.decommissioned_live_datanodes),
        ("decommissioned_dead", stats.decommissioned_dead_datanodes),
        ("entering_maintenance", stats.entering_maintenance_datanodes),
        ("in_maintenance_live", stats.in_maintenance_live_datanodes),
        ("in_maintenance_dead", stats.in_maintenance_dead_datanodes),
    ] {
        text.sample(name, &[("state", state)], f64::from(count));
    }
    let help = "Volumes that do not work, on live DataNodes.";
    text.gauge("hdfs_namenode_failed_volumes", help, f64::from(stats.failed_volumes));
    let help = "Storages without a block report since the last failover.";
    text.gauge("hdfs_namenode_stale_storages", help, f64::from(stats.stale_storages));
    text.gauge(
        "hdfs_namenode_block_streams",
        "Block streams on all DataNodes.",
        stats.total_load as f64,
    );
    let help = "DataNodes that fell silent.";
    text.counter("hdfs_namenode_expired_heartbeats_total", help, stats.expired_heartbeats);
}

fn capacity(text: &mut PromText, stats: &FsStats) {
    let whole = stats.capacity as f64;
    text.gauge("hdfs_namenode_capacity_bytes", "Space of the nodes in service.", whole);
    let name = "hdfs_namenode_space_bytes";
    text.family(name, "gauge", "Space of the nodes in service, by use.");
    for (kind, bytes) in [
        ("used", stats.used),
        ("remaining", stats.remaining),
        ("non_dfs", stats.non_dfs_used),
        ("block_pool", stats.block_pool_used),
    ] {
        text.sample(name, &[("use", kind)], bytes as f64);
    }
}

fn log(text: &mut PromText, monitor: &Monitor, namespace: &Namespace) {
    let shell = &monitor.shell;
    let log = shell.log.metrics();
    let transactions = log.transactions.load(Ordering::Relaxed);
    text.counter("hdfs_namenode_transactions_total", "Transactions logged.", transactions);
    let help = "Writes of the edit log with their syncs, all folders at once.";
    text.times("hdfs_namenode_edit_sync_seconds", help, &log.syncs.snapshot());
    let help = "Transactions that went along with another one's sync.";
    let batched = log.batched.load(Ordering::Relaxed);
    text.counter("hdfs_namenode_transactions_batched_total", help, batched);
    let name = "hdfs_namenode_last_transaction";
    text.gauge(name, "The last transaction.", namespace.last_txid as f64);
    let since = |txid: u64| namespace.last_txid.saturating_sub(txid) as f64;
    let help = "Transactions since the last image.";
    text.gauge("hdfs_namenode_transactions_since_checkpoint", help, since(shell.images.latest().0));
    let help = "Transactions in the open segment.";
    text.gauge("hdfs_namenode_transactions_since_roll", help, since(namespace.segment_start));
    let dirs = shell.images.dirs();
    let (live, all) = (dirs.live().count(), dirs.all().len());
    text.gauge("hdfs_namenode_name_folders", "Name folders that are used.", live as f64);
    let failed = (all - live) as f64;
    text.gauge("hdfs_namenode_failed_name_folders", "Name folders that failed.", failed);
    let help = "Block reports of one storage, from decoding to the end.";
    let reports = shell.metrics.storage_reports.snapshot();
    text.times("hdfs_namenode_storage_report_seconds", help, &reports);
    let listed = shell.metrics.listed.load(Ordering::Relaxed);
    text.counter("hdfs_namenode_listed_entries_total", "Entries that listings gave.", listed);
}

fn lock(text: &mut PromText, monitor: &Monitor) {
    let lock = &monitor.shell.metrics.lock;
    let waiting = lock.waiting.load(Ordering::Relaxed) as f64;
    text.gauge("hdfs_namenode_lock_waiters", "Calls that wait for the namespace lock.", waiting);
    let name = "hdfs_namenode_long_lock_holds_total";
    text.family(name, "counter", "Holds of the namespace lock over the threshold, by mode.");
    for (mode, count) in [("shared", &lock.long_reads), ("exclusive", &lock.long_writes)] {
        text.sample(name, &[("mode", mode)], count.load(Ordering::Relaxed) as f64);
    }
}
