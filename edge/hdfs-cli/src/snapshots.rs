//! `hdfs snapshotDiff`, `hdfs lsSnapshottableDir`, `hdfs lsSnapshot`.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.snapshot.{SnapshotDiff, LsSnapshottableDir, LsSnapshot} (3.5.0)

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_proto::hdfs as proto;
use hdfs_types::FsPermission;

use crate::output::{complain, say};
use crate::shell;

const DIFF: &str = "hdfs snapshotDiff <snapshotDir> <from> <to>:
\tGet the difference between two snapshots, 
\tor between a snapshot and the current tree of a directory.
\tFor <from>/<to>, users can use \".\" to present the current status,
\tand use \".snapshot/snapshot_name\" to present a snapshot,
\twhere \".snapshot/\" can be omitted
";
const DIRECTORIES: &str = "hdfs lsSnapshottableDir: 
\tGet the list of snapshottable directories that are owned by the current user.
\tReturn all the snapshottable directories if the current user is a super user.
";
const SNAPSHOTS: &str = "hdfs lsSnapshot <snapshotDir>: 
\tGet the list of snapshots for a snapshottable directory.
";

/// The name of a snapshot; `.` is the tree as it is now.
pub(crate) fn snapshot_name(name: &str) -> &str {
    if name == "." {
        return "";
    }
    let bare = name.strip_prefix('/').unwrap_or(name);
    bare.strip_prefix(".snapshot/").unwrap_or(name)
}

/// The cluster of `fs.defaultFS`, or the one that the path names, and the path in it.
pub(crate) fn place(conf: &Configuration, path: &str) -> hdfs_types::Result<(HdfsClient, String)> {
    let default = shell::default_uri(conf);
    let (uri, inner) = match path.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split('/').next().unwrap_or_default();
            (format!("{scheme}://{authority}"), rest[authority.len()..].to_owned())
        }
        None if path.starts_with('/') => (default, path.to_owned()),
        None => (default, format!("/user/{}/{path}", hdfs_rt::users::current_user())),
    };
    if !uri.starts_with("hdfs:") {
        let (default, given) = (shell::default_uri(conf), path.replacen(":///", ":/", 1));
        let text = format!("Wrong FS: {given}, expected: {}", default.trim_end_matches('/'));
        return Err(hdfs_types::Error::new(hdfs_types::ErrorKind::IllegalArgument, text));
    }
    Ok((HdfsClient::for_uri(&uri, conf)?, inner))
}

fn refused(tool: &str, error: &hdfs_types::Error) -> i32 {
    complain!("{tool}: {}", error.message.lines().next().unwrap_or_default());
    1
}

/// Runs `hdfs snapshotDiff DIR FROM TO`; the exit status.
pub(crate) fn diff(conf: &Configuration, args: &[String]) -> i32 {
    let [root, from, to] = args else {
        complain!("Usage: \n{DIFF}");
        return 1;
    };
    if root.starts_with("file:") {
        complain!("SnapshotDiff can only be used in DistributedFileSystem");
        return 1;
    }
    let report = place(conf, root).and_then(|(client, root)| {
        client.snapshot_diff(&root, snapshot_name(from), snapshot_name(to))
    });
    match report {
        Ok(report) => {
            say!("{}", report_text(&report));
            0
        }
        Err(error) => refused("snapshotDiff", &error),
    }
}

fn report_text(report: &proto::SnapshotDiffReportProto) -> String {
    let named = |name: &str| match name {
        "" => "current directory".to_owned(),
        name => format!("snapshot {name}"),
    };
    let mut text = format!(
        "Difference between {} and {} under directory {}:\n",
        named(&report.from_snapshot),
        named(&report.to_snapshot),
        report.snapshot_root
    );
    let path = |bytes: &[u8]| match String::from_utf8_lossy(bytes).as_ref() {
        "" => ".".to_owned(),
        path => format!("./{path}"),
    };
    for entry in &report.diff_report_entries {
        text.push_str(&format!("{}\t{}", entry.modification_label, path(&entry.fullpath)));
        if let Some(target) = entry.target_path.as_ref().filter(|_| entry.modification_label == "R")
        {
            text.push_str(&format!(" -> {}", path(target)));
        }
        text.push('\n');
    }
    text
}

/// Runs `hdfs lsSnapshottableDir`; the exit status.
pub(crate) fn directories(conf: &Configuration, args: &[String]) -> i32 {
    if !args.is_empty() {
        complain!("Usage: \n{DIRECTORIES}");
        return 1;
    }
    let found = place(conf, "/").and_then(|(client, _)| client.snapshottable_directories());
    match found {
        Ok(found) => {
            let rows = found.iter().map(|of| {
                let tail = [of.snapshot_number.to_string(), of.snapshot_quota.to_string()];
                let name = joined(&of.parent_fullpath, &of.dir_status.path);
                (&of.dir_status, tail, name)
            });
            print_rows(&rows.collect::<Vec<_>>());
            0
        }
        Err(error) => refused("lsSnapshottableDir", &error),
    }
}

/// Runs `hdfs lsSnapshot DIR`; the exit status.
pub(crate) fn snapshots(conf: &Configuration, args: &[String]) -> i32 {
    let [root] = args else {
        complain!("Invalid no of arguments\nUsage: \n{SNAPSHOTS}");
        return 1;
    };
    match place(conf, root).and_then(|(client, root)| client.snapshots(&root)) {
        Ok(found) => {
            let rows = found.iter().map(|of| {
                let state = if of.is_deleted { "DELETED" } else { "ACTIVE" };
                let tail = [of.snapshot_id.to_string(), state.to_owned()];
                let root = String::from_utf8_lossy(&of.parent_fullpath).into_owned();
                let name = String::from_utf8_lossy(&of.dir_status.path).into_owned();
                (&of.dir_status, tail, format!("{}/.snapshot/{name}", root.trim_end_matches('/')))
            });
            print_rows(&rows.collect::<Vec<_>>());
            0
        }
        Err(error) => refused("lsSnapshot", &error),
    }
}

fn joined(parent: &[u8], name: &[u8]) -> String {
    let parent = String::from_utf8_lossy(parent).into_owned();
    let name = String::from_utf8_lossy(name);
    if name.is_empty() {
        return if parent.is_empty() { "/".to_owned() } else { parent };
    }
    format!("{}/{name}", parent.trim_end_matches('/'))
}

/// A directory's status, two columns of the tool's own, the path.
type Row<'a> = (&'a proto::HdfsFileStatusProto, [String; 2], String);

/// Aligned as `ls` aligns; an empty line when there is nothing.
fn print_rows(rows: &[Row<'_>]) {
    if rows.is_empty() {
        say!("");
        return;
    }
    let width = |of: fn(&Row<'_>) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let replication = width(|row| row.0.block_replication().to_string().len());
    let owner = width(|row| row.0.owner.len());
    let group = width(|row| row.0.group.len());
    let length = width(|row| row.0.length.to_string().len());
    let first = width(|row| row.1[0].len());
    for (status, [one, two], path) in rows {
        let permission = FsPermission(u16::try_from(status.permission.perm & 0o1777).unwrap_or(0));
        let time = i64::try_from(status.modification_time).ok();
        let time = time.and_then(chrono::DateTime::from_timestamp_millis).map_or_else(
            || status.modification_time.to_string(),
            |time| time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string(),
        );
        say!(
            "d{permission} {:>replication$} {:<owner$} {:<group$} {:>length$} {time} {one:>first$} {two} {path}",
            status.block_replication(),
            status.owner,
            status.group,
            status.length,
        );
    }
}
