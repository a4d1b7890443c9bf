//! What a NameNode does by itself: looks for dead DataNodes, copies and deletes replicas, recovers leases, rolls the edit
//! log, watches its disks. Each task sleeps, takes the machine's lock for a bounded piece of work, and sleeps again.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hdfs_namenode::NameNode;
use hdfs_types::INodeId;
use tokio::task::JoinSet;

use super::shell::{Shell, now};

/// Starts the tasks; they end when the set is dropped.
pub(crate) fn spawn(shell: &Arc<Shell>, runtime: &tokio::runtime::Handle) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    check_heartbeats_forever(&mut tasks, shell, runtime);
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
    if let Some(interval) = shell.conf.snapshot_collection_interval {
        let last = Cell::new(None);
        every(&mut tasks, shell, runtime, interval, move |shell| collect_snapshot(shell, &last));
    }
    clean_forever(&mut tasks, shell, runtime);
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

/// Slices of deletions, one after the other: calls that change something wait for the end. Whoever waits for the lock
/// gets it between two slices: a thread that was just woken would lose the race against the next slice again and again.
fn clean_forever(tasks: &mut JoinSet<()>, shell: &Arc<Shell>, runtime: &tokio::runtime::Handle) {
    let mut cleaning = shell.watch_cleaning();
    let shell = Arc::downgrade(shell);
    let task = async move {
        while cleaning.wait_for(|cleaning| *cleaning).await.is_ok() {
            let Some(shell) = shell.upgrade() else { return };
            shell.write_with(|nn| nn.clean_slice(now()));
            if shell.metrics.lock.waiting.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            } else {
                tokio::task::yield_now().await;
            }
        }
    };
    tasks.spawn_on(task, runtime);
}

/// As in Hadoop, after half of the recheck interval, which may change, but no more than five seconds.
fn check_heartbeats_forever(
    tasks: &mut JoinSet<()>,
    shell: &Arc<Shell>,
    runtime: &tokio::runtime::Handle,
) {
    let shell = Arc::downgrade(shell);
    let task = async move {
        loop {
            let Some(pause) = shell
                .upgrade()
                .map(|shell| shell.read_machine().blocks().conf().heartbeat_recheck_interval / 2)
            else {
                return;
            };
            tokio::time::sleep(pause.clamp(Duration::from_millis(10), Duration::from_secs(5)))
                .await;
            let Some(shell) = shell.upgrade() else { return };
            check_heartbeats(&shell);
        }
    };
    tasks.spawn_on(task, runtime);
}

fn check_heartbeats(shell: &Shell) {
    while shell.write_with(|nn| nn.check_heartbeats(now())).0 {}
}

fn check_leases(shell: &Shell) {
    let (recovered, _) = shell.write_with(|nn| {
        // What is being deleted may have leases that end with it.
        if nn.is_cleaning() { Vec::new() } else { nn.check_leases(now()) }
    });
    for note in recovered {
        tracing::info!("{note}");
    }
}

/// The end of safe mode's extension, and what deleted folders left to be reclaimed.
fn tick(shell: &Shell) {
    if shell.progress.is_running() {
        let machine = shell.read_machine();
        let (safe, total) = machine.safe_blocks();
        let ended = machine.safe_mode_left().is_some() || !machine.in_safe_mode();
        shell.progress.note_safe_mode(safe, total, ended);
    }
    if !shell.read_machine().has_work() {
        return;
    }
    let (notes, _) = shell.write_with(|nn| nn.tick(now()));
    for note in notes {
        tracing::info!("{note}");
    }
}

/// One snapshot at a time. Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.SnapshotDeletionGc (3.5.0)
fn collect_snapshot(shell: &Shell, last: &Cell<Option<INodeId>>) {
    // The one before may not be at its end.
    let collected = shell.write_with(|nn| {
        if nn.is_cleaning() { Ok(None) } else { nn.collect_snapshot(now(), last.get()) }
    });
    match collected.0 {
        Ok(None) => {}
        Ok(Some(collected)) => {
            last.set(Some(collected.directory));
            let (name, path) = (collected.name, collected.path);
            let text = String::from_utf8_lossy;
            tracing::info!("deleted the marked snapshot {} of {}", text(&name), text(&path));
        }
        Err(error) => tracing::error!("no marked snapshot is deleted: {error}"),
    }
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

/// Turns safe mode on when the folders that matter are nearly full: a required one, or too many of the others.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeResourceChecker, NameNodeResourcePolicy (3.5.0)
fn check_resources(shell: &Shell) {
    let _timing = shell.metrics.resource_checks.time();
    let conf = &shell.conf;
    let edits = shell.images.dirs().live_edits();
    let edits = edits.map(|(_, dir)| (dir.spec.root.as_path(), dir.spec.required));
    let others = conf.checked_volumes.iter().map(|path| (path.as_path(), true));
    let (mut redundant, mut with_room, mut enough, mut low) = (0, 0, true, Vec::new());
    for (path, required) in edits.chain(others) {
        let free = match rustix::fs::statvfs(path) {
            Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
            Err(error) => {
                tracing::warn!("free space of {}: {error}", path.display());
                0
            }
        };
        let has_room = free >= conf.reserved_bytes;
        if !has_room {
            low.push(format!("{} has {free} bytes left", path.display()));
        }
        if required {
            enough &= has_room;
        } else {
            redundant += 1;
            with_room += usize::from(has_room);
        }
    }
    enough &= redundant == 0 || with_room >= conf.checked_volumes_minimum.min(redundant);
    if enough || shell.read_machine().resources_are_low() {
        return;
    }
    tracing::warn!(
        "{}, and dfs.namenode.resource.du.reserved is {}: safe mode is on. Free some space, then run `hdfs dfsadmin \
         -safemode leave`",
        low.join(", "),
        conf.reserved_bytes
    );
    shell.write_with(NameNode::set_resources_low);
}
