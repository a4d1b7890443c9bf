//! DatanodeProtocol and DatanodeLifelineProtocol.
//!
//! A full report is decoded outside the machine's lock and applied in slices, so that a large one never stalls clients.
//!
//! Proto: DatanodeProtocol.proto, DatanodeLifelineProtocol.proto

use std::sync::Arc;

use bytes::Bytes;
use hdfs_blocks::ReportedReplica;
use hdfs_format::block_list::BlockListDecoder;
use hdfs_namenode::{Call, Caller, NameNode as N};
use hdfs_proto::hdfs::datanode::{
    BlockReportRequestProto, BlockReportResponseProto, RegisterDatanodeRequestProto,
    StorageBlockReportProto,
};
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{DatanodeUuid, Error, ErrorKind, Result};
use prost::Message;

use super::super::audit::Audit;
use super::super::shell::{Shell, now};

/// Replicas applied under one hold of the lock (about a millisecond).
const SLICE: usize = 4_096;
/// Longer reports leave the connection's task.
const LARGE_REPORT_BYTES: usize = 256 << 10;

/// The class of a refusal; none of our table, for nobody acts on it.
const UNRESOLVED_TOPOLOGY: &str =
    "org.apache.hadoop.hdfs.server.blockmanagement.UnresolvedTopologyException";

/// Answers a call of a DataNode.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "versionRequest" => shell.read(call, Audit::none(), N::version_request),
        "registerDatanode" => register(shell, call),
        // Its commands may delete replicas of files whose deletion must be durable first.
        "sendHeartbeat" => shell.write_at_once(call, Audit::none(), N::send_heartbeat),
        "sendLifeline" => shell.write_unsynced(call, N::send_lifeline),
        "blockReport" => block_report(shell, call),
        "blockReceivedAndDeleted" => shell.write_unsynced(call, N::block_received_and_deleted),
        "cacheReport" => shell.write_unsynced(call, N::cache_report),
        "errorReport" => shell.write_unsynced(call, N::error_report),
        "reportBadBlocks" => shell.write_unsynced(call, N::datanode_reports_bad_blocks),
        "commitBlockSynchronization" => {
            shell.write(call, Audit::none(), N::commit_block_synchronization)
        }
        _ => return None,
    })
}

/// The rack is looked up before the lock is taken: a script may run for it.
fn register(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let rack = match rack(shell, call) {
        Ok(rack) => rack,
        Err(error) => return Reply::error(error),
    };
    let reply = shell.write_unsynced(call, |nn, context, request| {
        nn.register_datanode(context, request, Some(&rack))
    });
    if matches!(reply, Reply::Now(Ok(_))) {
        tracing::info!("DataNode at {} registered in {rack}", call.remote.ip());
    }
    reply
}

fn rack(shell: &Shell, call: &RpcCall<'_>) -> Result<String> {
    let request = call.decode::<RegisterDatanodeRequestProto>()?;
    let host_name = &request.registration.datanode_id.host_name;
    let ip = call.remote.ip().to_string();
    let name = shell.racks.name_of(&ip, host_name);
    if !shell.conf.reject_unresolved_racks {
        return Ok(shell.racks.rack_of(name));
    }
    shell.racks.resolve(name).map_err(|error| {
        tracing::error!("{error}");
        Error::new(
            ErrorKind::Remote(UNRESOLVED_TOPOLOGY.to_owned()),
            format!("Unresolved topology mapping for host {host_name}"),
        )
    })
}

fn block_report(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let body = call.body.clone();
    if body.len() < LARGE_REPORT_BYTES {
        return Reply::Now(apply(shell, &caller, &ip, body));
    }
    let shell = shell.clone();
    Reply::later(async move {
        tokio::task::spawn_blocking(move || apply(&shell, &caller, &ip, body))
            .await
            .map_err(|e| Error::new(ErrorKind::Runtime, format!("block report: {e}")))?
    })
}

fn apply(shell: &Shell, caller: &Arc<Caller>, ip: &str, body: Bytes) -> Result<Bytes> {
    let request = BlockReportRequestProto::decode(body)
        .map_err(|e| Error::new(ErrorKind::RpcServer, format!("blockReport: {e}")))?;
    match apply_request(shell, caller, ip, &request) {
        Ok(answer) => Ok(Bytes::from(answer.encode_to_vec())),
        Err(error) if error.kind == ErrorKind::UnregisteredNode => {
            tracing::warn!("block report from {ip}: {error}; told to register");
            Ok(Bytes::from(N::register_first().encode_to_vec()))
        }
        Err(error) => Err(error),
    }
}

fn apply_request(
    shell: &Shell,
    caller: &Arc<Caller>,
    ip: &str,
    request: &BlockReportRequestProto,
) -> Result<BlockReportResponseProto> {
    let context = || Call { caller, client_machine: ip, key: None, now: now() };
    let uuid = DatanodeUuid::from(request.registration.datanode_id.datanode_uuid.as_str());
    let report = request.context.as_ref();
    let mut fresh = false;
    if shell.read_machine().check_block_report(&context(), &request.registration, report)? {
        for storage in &request.reports {
            fresh = apply_storage(shell, &context, &uuid, storage)?;
        }
    }
    shell.write_with(|nn| nn.finish_block_report(&context(), &uuid, report, fresh)).0
}

fn apply_storage<'a>(
    shell: &Shell,
    context: &impl Fn() -> Call<'a>,
    uuid: &DatanodeUuid,
    proto: &StorageBlockReportProto,
) -> Result<bool> {
    let _timing = shell.metrics.storage_reports.time();
    let replicas = decode(proto)?;
    let begun =
        shell.write_with(|nn| nn.begin_storage_report(&context(), uuid, &proto.storage)).0?;
    let Some(mut report) = begun else { return Ok(false) };
    for slice in replicas.chunks(SLICE) {
        shell.write_with(|nn| nn.apply_storage_report(&context(), &mut report, slice));
    }
    shell.write_with(|nn| nn.finish_storage_report(&context(), report)).0
}

fn decode(proto: &StorageBlockReportProto) -> Result<Vec<ReportedReplica>> {
    let decoder = match proto.number_of_blocks {
        Some(count) if !proto.blocks_buffers.is_empty() => {
            BlockListDecoder::from_buffers(count, &proto.blocks_buffers)
        }
        _ => BlockListDecoder::from_longs(&proto.blocks).map_err(|e| Error::io(e.to_string()))?,
    };
    let replica = |item: std::result::Result<hdfs_format::block_list::ReportedReplica, _>| {
        item.map(|of| ReportedReplica { block: of.block, state: of.state })
    };
    decoder
        .map(replica)
        .collect::<std::result::Result<_, _>>()
        .map_err(|e: hdfs_format::block_list::BlockListError| Error::io(e.to_string()))
}
