//! What a NameNode does by itself: looks for dead DataNodes, copies and deletes replicas, recovers leases, rolls the edit
//! log, watches its disks. Each task sleeps, takes the machine's lock for a bounded piece of work, and sleeps again.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::shell::{Shell, now};

/// Starts the tasks; they end when the set is dropped.
pub(crate) fn spawn(shell: &Arc<Shell>, runtime: &tokio::runtime::Handle) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let blocks = &shell.conf.machine.blocks;
    // As in Hadoop, half of the recheck interval, but no more than five seconds.
    let heartbeat = (blocks.heartbeat_recheck_interval / 2).min(Duration::from_secs(5));
    every(&mut tasks, shell, runtime, heartbeat, check_heartbeats);
    every(&mut tasks, shell, runtime, shell.conf.redundancy_interval, |shell| {
        shell.write_with(|nn| nn.compute_redundancy_work(now().mono));
    });
    every(&mut tasks, shell, runtime, shell.conf.lease_interval, check_leases);
    every(&mut tasks, shell, runtime, shell.conf.decommission_interval, |shell| {
        shell.write_with(|nn| nn.check_decommission(now()));
    });
    every(&mut tasks, shell, runtime, shell.conf.roll_check_interval, roll_long_segment);
    every(&mut tasks, shell, runtime, shell.conf.resource_check_interval, check_resources);
    every(&mut tasks, shell, runtime, Duration::from_millis(100), tick);
    tasks
}

fn every(
    tasks: &mut JoinSet<()>,
    shell: &Arc<Shell>,
    runtime: &tokio::runtime::Handle,
    interval: Duration,
    work: impl Fn(&Shell) + Send + 'static,
) {
    let shell = Arc::downgrade(shell);
    let interval = interval.max(Duration::from_millis(10));
    tasks.spawn_on(
        async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(shell) = shell.upgrade() else { return };
                work(&shell);
            }
        },
        runtime,
    );
}

fn check_heartbeats(shell: &Shell) {
    while shell.write_with(|nn| nn.check_heartbeats(now())).0 {}
}

fn check_leases(shell: &Shell) {
    let (recovered, _) = shell.write_with(|nn| nn.check_leases(now()));
    for note in recovered {
        tracing::info!("{note}");
    }
}

/// The end of safe mode's extension, and what deleted folders left to be reclaimed.
fn tick(shell: &Shell) {
    if !shell.read_machine().has_work() {
        return;
    }
    shell.write_with(|nn| nn.tick(now()));
}

fn roll_long_segment(shell: &Shell) {
    if !shell.read_machine().segment_is_longer_than(shell.conf.roll_txns) {
        return;
    }
    let (rolled, _) = shell.write_with(|nn| nn.roll_edit_log(now().mono, "Log not rolled"));
    match rolled {
        Ok((end, _)) => tracing::info!("rolled the edit log after transaction {end}"),
        Err(error) => tracing::info!("the edit log is not rolled: {error}"),
    }
}

/// Turns safe mode on when every name folder is nearly full.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeResourceChecker (3.5.0)
fn check_resources(shell: &Shell) {
    let mut free = Vec::new();
    for (_, dir) in shell.images.dirs().live_edits() {
        match rustix::fs::statvfs(&dir.spec.root) {
            Ok(stat) => free.push((dir, stat.f_bavail.saturating_mul(stat.f_frsize))),
            Err(error) => {
                tracing::warn!("free space of {}: {error}", dir.spec.root.display());
            }
        }
    }
    let low = |bytes: u64| bytes < shell.conf.reserved_bytes;
    let required_low = free.iter().any(|(dir, bytes)| dir.spec.required && low(*bytes));
    let all_low = !free.is_empty() && free.iter().all(|(_, bytes)| low(*bytes));
    if !(required_low || all_low) || shell.read_machine().resources_are_low() {
        return;
    }
    for (dir, bytes) in free.iter().filter(|(_, bytes)| low(*bytes)) {
        tracing::warn!(
            "{} has {bytes} bytes left, and dfs.namenode.resource.du.reserved is {}: safe mode is on. Free some space, \
             then run `hdfs dfsadmin -safemode leave`",
            dir.spec.root.display(),
            shell.conf.reserved_bytes
        );
    }
    shell.write_with(|nn| nn.set_resources_low());
}
