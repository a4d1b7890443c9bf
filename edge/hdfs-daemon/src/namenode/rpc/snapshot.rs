//! ClientProtocol: snapshots.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::{NameNode as N, snapshot_path};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::Error;

use super::super::audit::Audit;
use super::super::shell::Shell;

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
    let reply = shell.write(
        call,
        Audit::<p::CreateSnapshotRequestProto>::none(),
        |nn, context, request| {
            paths.0.clone_from(&request.snapshot_root);
            let answer = nn.create_snapshot(context, request);
            match &answer {
                Ok(made) => paths.1.clone_from(&made.snapshot_path),
                Err(error) => refused = Some(Error::new(error.kind.clone(), "")),
            }
            answer
        },
    );
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
        "getSnapshotDiffReport" => shell.read(
            call,
            Audit::computed("computeSnapshotDiff", |q: &p::GetSnapshotDiffReportRequestProto| {
                compared(&q.snapshot_root, &q.from_snapshot, &q.to_snapshot)
            }),
            N::get_snapshot_diff_report,
        ),
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

/// The two trees that a report compares.
fn compared(root: &str, from: &str, to: &str) -> (String, String) {
    let tree = |name: &str| {
        if name.is_empty() { root.to_owned() } else { snapshot_path(root, name) }
    };
    (tree(from), tree(to))
}
