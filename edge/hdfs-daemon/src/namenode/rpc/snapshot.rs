//! ClientProtocol: snapshots.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::{Call, NameNode as N, snapshot_diff_report, snapshot_path};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::Error;
use prost::Message;

use super::super::audit::Audit;
use super::super::shell::{Shell, now};

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    change(shell, call).or_else(|| read(shell, call))
}

fn change(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "allowSnapshot" => shell.write(
            call,
            Audit::new("allowSnapshot", |q: &p::AllowSnapshotRequestProto| (&q.snapshot_root, "")),
            N::allow_snapshot,
        ),
        "disallowSnapshot" => shell.write(
            call,
            Audit::new("disallowSnapshot", |q: &p::DisallowSnapshotRequestProto| {
                (&q.snapshot_root, "")
            }),
            N::disallow_snapshot,
        ),
        "createSnapshot" => create_snapshot(shell, call),
        "renameSnapshot" => shell.write(
            call,
            Audit::computed("renameSnapshot", |q: &p::RenameSnapshotRequestProto| {
                let path = |name: &str| snapshot_path(&q.snapshot_root, name);
                (path(&q.snapshot_old_name), path(&q.snapshot_new_name))
            }),
            N::rename_snapshot,
        ),
        "deleteSnapshot" => shell.write(
            call,
            Audit::computed("deleteSnapshot", |q: &p::DeleteSnapshotRequestProto| {
                (snapshot_path(&q.snapshot_root, &q.snapshot_name), String::new())
            }),
            N::delete_snapshot,
        ),
        _ => return None,
    })
}

/// The audit log names the path of the new snapshot, which the answer holds.
fn create_snapshot(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let mut paths = (String::new(), String::new());
    let mut refused = None;
    let mut waits = false;
    let reply = shell.write_at_once(
        call,
        Audit::<p::CreateSnapshotRequestProto>::none(),
        |nn, context, request| {
            waits = nn.is_cleaning();
            if waits {
                return Err(Error::io("a deletion is not at its end"));
            }
            paths.0.clone_from(&request.snapshot_root);
            let answer = nn.create_snapshot(context, request);
            match &answer {
                Ok(made) => paths.1.clone_from(&made.snapshot_path),
                Err(error) => refused = Some(Error::new(error.kind.clone(), "")),
            }
            answer
        },
    );
    if waits {
        return super::after_deletions(shell, call);
    }
    let audit =
        Audit::new("createSnapshot", |paths: &(String, String)| (paths.0.as_str(), &paths.1));
    shell.audit.record(call, &audit, &paths, refused.as_ref());
    reply
}

fn read(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getSnapshottableDirListing" => shell.read(
            call,
            Audit::new(
                "listSnapshottableDirectory",
                |_: &p::GetSnapshottableDirListingRequestProto| ("", ""),
            ),
            N::get_snapshottable_dir_listing,
        ),
        "getSnapshotListing" => shell.read(
            call,
            Audit::new("ListSnapshot", |q: &p::GetSnapshotListingRequestProto| {
                (&q.snapshot_root, "")
            }),
            N::get_snapshot_listing,
        ),
        "getSnapshotDiffReport" => diff_report(shell, call),
        "getSnapshotDiffReportListing" => shell.read(
            call,
            Audit::computed(
                "computeSnapshotDiff",
                |q: &p::GetSnapshotDiffReportListingRequestProto| {
                    compared(&q.snapshot_root, &q.from_snapshot, &q.to_snapshot)
                },
            ),
            N::get_snapshot_diff_report_listing,
        ),
        _ => return None,
    })
}

/// The report is made in slices, so that a large one never holds the lock for long.
fn diff_report(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let request = match call.decode::<p::GetSnapshotDiffReportRequestProto>() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let audit =
        Audit::computed("computeSnapshotDiff", |q: &p::GetSnapshotDiffReportRequestProto| {
            compared(&q.snapshot_root, &q.from_snapshot, &q.to_snapshot)
        });
    let line = shell.audit.later(call, &audit, &request);
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let shell = shell.clone();
    let mut cursor = None;
    // True after the last slice.
    let mut slice = move || {
        let context = Call { caller: &caller, client_machine: &ip, key: None, now: now() };
        let machine = shell.read_machine();
        match &mut cursor {
            None => {
                cursor = Some(machine.begin_snapshot_diff_report(&context, &request)?);
                Ok(None)
            }
            Some(begun) => Ok(machine
                .continue_snapshot_diff_report(&context, begun)?
                .then(|| cursor.take())
                .flatten()),
        }
    };
    // Nearly every report is made in one slice after the beginning.
    for _ in 0..2 {
        match slice() {
            Ok(None) => {}
            Ok(Some(done)) => {
                line.record(None);
                return Reply::message(&snapshot_diff_report(done));
            }
            Err(error) => {
                line.record(Some(&error));
                return Reply::error(error);
            }
        }
    }
    Reply::later(async move {
        loop {
            tokio::task::yield_now().await;
            match slice() {
                Ok(None) => {}
                Ok(Some(done)) => {
                    line.record(None);
                    return Ok(Bytes::from(snapshot_diff_report(done).encode_to_vec()));
                }
                Err(error) => {
                    line.record(Some(&error));
                    return Err(error);
                }
            }
        }
    })
}

/// The two trees that a report compares.
fn compared(root: &str, from: &str, to: &str) -> (String, String) {
    let tree = |name: &str| {
        if name.is_empty() { root.to_owned() } else { snapshot_path(root, name) }
    };
    (tree(from), tree(to))
}
