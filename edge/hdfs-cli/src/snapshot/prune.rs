//! `hdfs snapshot prune`: deletes the snapshots that a schedule does not keep.

use chrono::{DateTime, Local, NaiveDateTime};
use hdfs_conf::Configuration;
use hdfs_proto::hdfs as proto;

use super::keep::{Keep, Taken, Verdict};
use super::{Manner, Progress, confirmed};
use crate::output::{complain, say};
use crate::snapshots::place;

/// Runs it; the exit status, or why it can't be done.
pub(super) fn run(
    conf: &Configuration,
    directory: &str,
    rules: &str,
    manner: Manner,
) -> Result<i32, String> {
    let keep = Keep::parse(rules)?;
    let message = |error: hdfs_types::Error| error.message;
    let (client, root) = place(conf, directory).map_err(message)?;
    let found = client.snapshots(&root).map_err(message)?;
    let active = found.iter().filter(|of| !of.is_deleted);
    let verdicts = keep.judge(active.filter_map(taken).collect());
    print_table(&verdicts);
    let mut doomed: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| !verdict.is_kept)
        .map(|verdict| verdict.snapshot.name.as_str())
        .collect();
    // The oldest first: clusters with `dfs.namenode.snapshot.deletion.ordered` delete in no other order.
    doomed.reverse();
    let kept = verdicts.len() - doomed.len();
    if doomed.is_empty() || manner.dry_run {
        let would = if manner.dry_run { " would be" } else { "" };
        say!("{} of {root}{would} deleted, {kept} kept.", count(doomed.len()));
        return Ok(0);
    }
    if !manner.yes && !confirmed(&format!("Delete {} of {root}?", count(doomed.len()))) {
        complain!("Nothing was deleted.");
        return Ok(1);
    }
    let mut progress = Progress::new();
    let mut failed = 0;
    for (index, name) in doomed.iter().enumerate() {
        progress.show(&format!("{} of {}: deleting {name}", index + 1, doomed.len()));
        if let Err(error) = client.delete_snapshot(&root, name) {
            progress.end();
            complain!("snapshot prune: {name}: {}", error.message);
            failed += 1;
        }
    }
    progress.end();
    say!("{} of {root} deleted, {kept} kept.", count(doomed.len() - failed));
    Ok(i32::from(failed > 0))
}

fn count(snapshots: usize) -> String {
    if snapshots == 1 { "1 snapshot".to_owned() } else { format!("{snapshots} snapshots") }
}

/// When a snapshot was taken: what a name of Hadoop's own choice says, else the modification time of its root, which a
/// rename sets.
fn taken(of: &proto::SnapshotStatusProto) -> Option<Taken> {
    let name = String::from_utf8_lossy(&of.dir_status.path).into_owned();
    let named = NaiveDateTime::parse_from_str(&name, "s%Y%m%d-%H%M%S%.3f").ok();
    let time = named.or_else(|| {
        let millis = i64::try_from(of.dir_status.modification_time).ok()?;
        let utc = DateTime::from_timestamp_millis(millis)?;
        Some(utc.with_timezone(&Local).naive_local())
    })?;
    Some(Taken { name, id: of.snapshot_id, time })
}

fn print_table(verdicts: &[Verdict]) {
    let name = verdicts.iter().map(|of| of.snapshot.name.chars().count()).max().unwrap_or(0);
    for verdict in verdicts {
        let action = if verdict.is_kept { "keep" } else { "delete" };
        let time = verdict.snapshot.time.format("%Y-%m-%d %H:%M");
        say!("{:<name$}  {time}  {action:<6}  {}", verdict.snapshot.name, verdict.reason);
    }
}
