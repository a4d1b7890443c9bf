//! NamenodeProtocol: what a SecondaryNameNode, a standby or a balancer asks.
//!
//! Proto: NamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::namenode as n;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::super::audit::Audit;
use super::super::shell::Shell;

/// `HdfsServerConstants.INVALID_TXID`, as the protocol's unsigned number.
const INVALID_TXID: u64 = (-12345_i64).cast_unsigned();

/// Answers a call of this protocol; `None` for what is none of its methods.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "versionRequest" => shell.read(call, Audit::none(), N::version_request),
        "getTransactionId" => {
            shell.read(call, Audit::none(), |nn, context, _: &n::GetTransactionIdRequestProto| {
                context.caller.check_superuser()?;
                Ok(n::GetTransactionIdResponseProto { tx_id: nn.last_txid().0 })
            })
        }
        "getMostRecentCheckpointTxId" => shell.read(
            call,
            Audit::none(),
            |_, context, _: &n::GetMostRecentCheckpointTxIdRequestProto| {
                context.caller.check_superuser()?;
                let tx_id = shell.images.latest().0;
                Ok(n::GetMostRecentCheckpointTxIdResponseProto { tx_id })
            },
        ),
        "rollEditLog" => shell.write_at_once(
            call,
            Audit::new("rollEditLog", |_: &n::RollEditLogRequestProto| ("", "")),
            |nn, context, _| {
                context.caller.check_superuser()?;
                let (_, start) = nn.roll_edit_log(context.now.mono, "Log not rolled")?;
                let signature = nn.checkpoint_signature(shell.images.latest(), start);
                Ok(n::RollEditLogResponseProto { signature })
            },
        ),
        "getMostRecentNameNodeFileTxId" | "getEditLogManifest" => on_disk(shell, call),
        "registerSubordinateNamenode" | "startCheckpoint" | "endCheckpoint" | "errorReport" => {
            subordinate(shell, call)
        }
        "getBlockKeys" | "isUpgradeFinalized" | "isRollingUpgrade" => state(shell, call),
        "getBlocks" => shell.read(call, Audit::none(), N::get_blocks_of_datanode),
        "getNextSPSPath" => Reply::error(Error::new(
            ErrorKind::UnsupportedOperation,
            format!("{} is not supported yet", call.method),
        )),
        _ => return None,
    })
}

/// What lies in the name folders.
fn on_disk(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    if let Err(error) = shell.callers.get(call.caller).check_superuser() {
        return Reply::error(error);
    }
    let images = &shell.images;
    if call.method == "getEditLogManifest" {
        return answer(call, |request: &n::GetEditLogManifestRequestProto| {
            let manifest = images.edits_manifest(TxId(request.since_tx_id))?;
            Ok(n::GetEditLogManifestResponseProto { manifest })
        });
    }
    answer(call, |request: &n::GetMostRecentNameNodeFileTxIdRequestProto| {
        let rollback = match request.name_node_file.as_str() {
            "IMAGE" => false,
            "IMAGE_ROLLBACK" => true,
            other => {
                return Err(Error::new(
                    ErrorKind::IllegalArgument,
                    format!(
                        "No enum constant org.apache.hadoop.hdfs.server.namenode.NNStorage.NameNodeFile.{other}, or no \
                         kind of image"
                    ),
                ));
            }
        };
        let tx_id = images.newest_of_kind(rollback)?.map_or(INVALID_TXID, |txid| txid.0);
        Ok(n::GetMostRecentNameNodeFileTxIdResponseProto { tx_id })
    })
}

/// Answers a call that needs neither the machine nor its lock.
fn answer<Q, A>(call: &RpcCall<'_>, f: impl FnOnce(&Q) -> Result<A>) -> Reply
where
    Q: prost::Message + Default,
    A: prost::Message,
{
    match call.decode::<Q>().and_then(|request| f(&request)) {
        Ok(message) => Reply::message(&message),
        Err(error) => Reply::error(error),
    }
}

fn subordinate(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    match call.method {
        "registerSubordinateNamenode" => {
            shell.read(call, Audit::none(), |nn, context, request: &n::RegisterRequestProto| {
                let own = p::NamenodeRegistrationProto {
                    rpc_address: shell.conf.rpc_address.to_string(),
                    http_address: shell.conf.http_bind.to_string(),
                    storage_info: nn.identity().to_proto(),
                    role: None,
                };
                nn.register_subordinate_namenode(context, request, own)
            })
        }
        "startCheckpoint" => shell.write_at_once(
            call,
            Audit::none(),
            |nn, context, request: &n::StartCheckpointRequestProto| {
                nn.start_checkpoint(context, request, shell.images.latest())
            },
        ),
        "endCheckpoint" => shell.read(call, Audit::none(), N::end_checkpoint),
        _ => {
            shell.read(call, Audit::none(), |nn, context, request: &n::ErrorReportRequestProto| {
                let reply = nn.subordinate_error_report(context, request)?;
                let (node, text) = (&request.registration.rpc_address, &request.msg);
                tracing::warn!("error report from {node}: {text:?}");
                Ok(reply)
            })
        }
    }
}

/// What a balancer must know: keys of block tokens, and upgrades.
fn state(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    match call.method {
        "getBlockKeys" => shell.read(call, Audit::none(), N::get_block_keys),
        "isUpgradeFinalized" => shell.read(call, Audit::none(), N::peer_upgrade_status),
        _ => shell.read(call, Audit::none(), N::peer_rolling_upgrade),
    }
}
