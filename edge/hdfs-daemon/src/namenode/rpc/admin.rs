//! ClientProtocol: statistics and administration.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result};
use prost::Message;

use super::super::audit::Audit;
use super::super::checkpoint;
use super::super::hosts;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    statistics(shell, call).or_else(|| small(shell, call)).or_else(|| change(shell, call))
}

fn statistics(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getFsStats" => shell.read(call, Audit::none(), N::get_fs_stats),
        "getFsReplicatedBlockStats" => {
            shell.read(call, Audit::none(), N::get_fs_replicated_block_stats)
        }
        "getFsECBlockGroupStats" => shell.read(call, Audit::none(), N::get_fs_ec_block_group_stats),
        "getDatanodeReport" => shell.read(
            call,
            Audit::new("datanodeReport", |_: &p::GetDatanodeReportRequestProto| ("", "")),
            N::get_datanode_report,
        ),
        "getDatanodeStorageReport" => shell.read(
            call,
            Audit::new(
                "getDatanodeStorageReport",
                |_: &p::GetDatanodeStorageReportRequestProto| ("", ""),
            ),
            N::get_datanode_storage_report,
        ),
        "getSlowDatanodeReport" => shell.read(
            call,
            Audit::new("slowDataNodesReport", |_: &p::GetSlowDatanodeReportRequestProto| ("", "")),
            N::get_slow_datanode_report,
        ),
        "listCorruptFileBlocks" => shell.read(
            call,
            Audit::new("listCorruptFileBlocks", |q: &p::ListCorruptFileBlocksRequestProto| {
                (&q.path, "")
            }),
            N::list_corrupt_file_blocks,
        ),
        "listOpenFiles" => shell.read(
            call,
            Audit::new("listOpenFiles", |_: &p::ListOpenFilesRequestProto| ("", "")),
            N::list_open_files,
        ),
        "msync" => shell.read(call, Audit::none(), N::msync),
        "getHAServiceState" => shell.read(call, Audit::none(), N::get_ha_service_state),
        _ => return None,
    })
}

/// Calls about features that a cluster may lack, which Hadoop answers with "none".
fn small(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getDataEncryptionKey" => shell.read(call, Audit::none(), N::get_data_encryption_key),
        "getDelegationToken" => shell.read(call, Audit::none(), N::get_delegation_token),
        "getCurrentEditLogTxid" => shell.read(call, Audit::none(), N::get_current_edit_log_txid),
        "getEditsFromTxid" => super::inotify::get_edits_from_txid(shell, call),
        _ => return None,
    })
}

fn change(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "setSafeMode" => shell.write(
            call,
            Audit::new("setSafeMode", |_: &p::SetSafeModeRequestProto| ("", "")),
            N::set_safe_mode,
        ),
        "setBalancerBandwidth" => shell.write(
            call,
            Audit::new("setBalancerBandwidth", |_: &p::SetBalancerBandwidthRequestProto| ("", "")),
            N::set_balancer_bandwidth,
        ),
        "refreshNodes" => refresh_nodes(shell, call),
        "rollEdits" => roll_edits(shell, call),
        "saveNamespace" => save_namespace(shell, call),
        "metaSave" => meta_save(shell, call),
        "restoreFailedStorage" => restore_failed_storage(shell, call),
        _ => return None,
    })
}

fn refresh_nodes(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let lists = match shell.racks.reload().and_then(|()| hosts::read(&shell.conf.hosts)) {
        Ok(lists) => lists,
        Err(error) => return Reply::error(error),
    };
    shell.write(
        call,
        Audit::new("refreshNodes", |_: &p::RefreshNodesRequestProto| ("", "")),
        |nn, context, _| {
            nn.refresh_nodes(context, lists)?;
            Ok(p::RefreshNodesResponseProto {})
        },
    )
}

fn roll_edits(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    shell.write(
        call,
        Audit::new("rollEditLog", |_: &p::RollEditsRequestProto| ("", "")),
        |nn, context, _| {
            context.caller.check_superuser()?;
            let (_, start) = nn.roll_edit_log(context.now.mono, "Log not rolled")?;
            Ok(p::RollEditsResponseProto { new_segment_tx_id: start.0 })
        },
    )
}

/// Proto: saveNamespace. The image is written on a thread of its own.
fn save_namespace(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let checked = || -> Result<p::SaveNamespaceRequestProto> {
        shell.callers.get(call.caller).check_superuser()?;
        call.decode()
    };
    let request = match checked() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let shell = shell.clone();
    Reply::later(async move {
        let saved = tokio::task::spawn_blocking(move || {
            checkpoint::save_namespace(
                &shell,
                request.time_window.unwrap_or(0),
                request.tx_gap.unwrap_or(0),
            )
        })
        .await
        .map_err(|e| Error::new(ErrorKind::Runtime, format!("saveNamespace: {e}")))??;
        Ok(Bytes::from(p::SaveNamespaceResponseProto { saved: Some(saved) }.encode_to_vec()))
    })
}

/// Proto: metaSave. The file is written on a thread of its own, into the folder of the logs: `HADOOP_LOG_DIR`, or the
/// working folder.
// Differs: a name that leads out of that folder is refused; Hadoop follows it.
fn meta_save(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let (request, caller) = match call.decode::<p::MetaSaveRequestProto>() {
        Ok(request) => (request, shell.callers.get(call.caller)),
        Err(error) => return Reply::error(error),
    };
    let ip = call.remote.ip().to_string();
    let text = shell.read_machine().meta_save(&shell.context(call, &caller, &ip));
    let audit = Audit::new("metaSave", |_: &p::MetaSaveRequestProto| ("", ""));
    shell.audit.record(call, &audit, &request, text.as_ref().err());
    let written = text.and_then(|text| Ok((text, log_file(&request.filename)?)));
    let (text, path) = match written {
        Ok(written) => written,
        Err(error) => return Reply::error(error),
    };
    Reply::later(async move {
        let write = move || {
            std::fs::write(&path, text)
                .map_err(|error| Error::io(format!("write {}: {error}", path.display())))
        };
        tokio::task::spawn_blocking(write)
            .await
            .map_err(|e| Error::new(ErrorKind::Runtime, format!("metaSave: {e}")))??;
        Ok(Bytes::from(p::MetaSaveResponseProto {}.encode_to_vec()))
    })
}

/// A file in the folder of the logs.
fn log_file(name: &str) -> Result<PathBuf> {
    let parts = Path::new(name).components();
    if name.is_empty() || parts.into_iter().any(|part| part == Component::ParentDir) {
        return Err(Error::io(format!(
            "metaSave: {name:?} is no name of a file in the log folder"
        )));
    }
    let folder = std::env::var_os("HADOOP_LOG_DIR").map_or_else(|| PathBuf::from("."), Into::into);
    Ok(folder.join(name.trim_start_matches('/')))
}

/// Proto: restoreFailedStorage. A folder that is well again joins with the next segment (`dfsadmin -rollEdits`).
fn restore_failed_storage(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let audit =
        Audit::new("restoreFailedStorage", |_: &p::RestoreFailedStorageRequestProto| ("", ""));
    shell.read(call, audit, |_, context, request| {
        context.caller.check_superuser()?;
        let dirs = shell.images.dirs();
        if request.arg != "check" {
            dirs.set_restore(request.arg == "true");
        }
        Ok(p::RestoreFailedStorageResponseProto { result: dirs.restores() })
    })
}
