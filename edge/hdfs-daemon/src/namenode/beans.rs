//! The NameNode's beans for `/jmx`.
//!
//! What belongs to a feature that is not built (snapshots, block groups, encryption zones, tokens, caching) is a true
//! zero. The attributes are those of Hadoop's daemon, and a test compares them with a recording of it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSNamesystem, NameNode}, metrics.FSNamesystemMBean,
//! NameNodeStatusMXBean, NameNodeMXBean (3.5.0)

mod activity;
mod info;
mod methods;
mod namesystem;
mod nodes;
mod slow;

use hdfs_blocks::{FsStats, Now};
use hdfs_namenode::NameNode;
use hdfs_rt::http::Bean;

use super::monitor::Monitor;
use super::shell::now;

/// What the beans of one answer share: the machine is held shared while they are made.
struct View<'a> {
    monitor: &'a Monitor,
    nn: &'a NameNode,
    stats: FsStats,
    now: Now,
}

/// Every bean of the NameNode itself.
pub(super) fn all(monitor: &Monitor) -> Vec<Bean> {
    // What asks the disk comes first: nothing under the lock waits for one.
    let storage = info::Storage::read(&monitor.shell);
    let now = now();
    let mut beans = activity::counted(monitor);
    beans.push(monitor.shell.progress.bean());
    beans.push(info::status(monitor));
    let nn = monitor.shell.read_machine();
    let view = View { monitor, nn: &nn, stats: nn.block_stats(now.mono), now };
    beans.extend([
        namesystem::state(&view),
        namesystem::metrics(&view, &storage),
        namesystem::replicated_blocks(&view.stats),
        namesystem::block_groups(&view),
        namesystem::snapshots(&view),
        namesystem::storage_types(&view),
        activity::retry_cache(&view),
        activity::operations(&view),
        info::info(&view, &storage),
    ]);
    beans
}

/// A percentage in the precision of Java's `float`, which is how Hadoop computes it.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { f64_of(part as f32 * 100.0 / whole as f32) }
}

/// The number that prints as this `float` does.
fn f64_of(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}
