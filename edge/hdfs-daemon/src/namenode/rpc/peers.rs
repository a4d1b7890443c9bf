//! What other daemons and administrators call: NamenodeProtocol, HAServiceProtocol, user mappings and the refresh
//! protocols.
//!
//! Proto: NamenodeProtocol.proto, HAServiceProtocol.proto, GetUserMappingsProtocol.proto, Refresh….proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::common as c;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::namenode as n;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::super::audit::Audit;
use super::super::shell::Shell;
use super::super::tunable;
use super::names;

/// NamenodeProtocol: what a SecondaryNameNode, a standby or a balancer asks.
pub(super) fn namenode(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
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
        "getMostRecentNameNodeFileTxId" => shell.read(
            call,
            Audit::none(),
            |_, context, request: &n::GetMostRecentNameNodeFileTxIdRequestProto| {
                context.caller.check_superuser()?;
                if request.name_node_file != "fsimage" {
                    return Err(Error::io(format!("no file of kind {}", request.name_node_file)));
                }
                let tx_id = shell.images.latest().0;
                Ok(n::GetMostRecentNameNodeFileTxIdResponseProto { tx_id })
            },
        ),
        "rollEditLog" => shell.write(
            call,
            Audit::new("rollEditLog", |_: &n::RollEditLogRequestProto| ("", "")),
            |nn, context, _| {
                context.caller.check_superuser()?;
                let (_, start) = nn.roll_edit_log(context.now.mono, "Log not rolled")?;
                let signature = nn.checkpoint_signature(shell.images.latest(), start);
                Ok(n::RollEditLogResponseProto { signature })
            },
        ),
        "getEditLogManifest" => shell.read(
            call,
            Audit::none(),
            |nn, context, request: &n::GetEditLogManifestRequestProto| {
                context.caller.check_superuser()?;
                let since = TxId(request.since_tx_id);
                let manifest = shell.images.edits_manifest(since, nn.segment_start())?;
                Ok(n::GetEditLogManifestResponseProto { manifest })
            },
        ),
        "getBlockKeys" | "isUpgradeFinalized" | "isRollingUpgrade" => fixed_state(shell, call),
        "getBlocks"
        | "errorReport"
        | "registerSubordinateNamenode"
        | "startCheckpoint"
        | "endCheckpoint"
        | "getNextSPSPath" => unsupported(call),
        _ => return None,
    })
}

/// What is always so while there are no tokens and no upgrades.
fn fixed_state(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    match call.method {
        "getBlockKeys" => {
            shell.read(call, Audit::none(), |_, context, _: &n::GetBlockKeysRequestProto| {
                context.caller.check_superuser()?;
                Ok(n::GetBlockKeysResponseProto { keys: None })
            })
        }
        "isUpgradeFinalized" => {
            shell.read(call, Audit::none(), |_, context, _: &n::IsUpgradeFinalizedRequestProto| {
                context.caller.check_superuser()?;
                Ok(n::IsUpgradeFinalizedResponseProto { is_upgrade_finalized: true })
            })
        }
        "isRollingUpgrade" => {
            shell.read(call, Audit::none(), |_, context, _: &n::IsRollingUpgradeRequestProto| {
                context.caller.check_superuser()?;
                Ok(n::IsRollingUpgradeResponseProto { is_rolling_upgrade: false })
            })
        }
        _ => unsupported(call),
    }
}

/// HAServiceProtocol of a NameNode without high availability.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNode.getServiceStatus, monitorHealth (3.5.0)
pub(super) fn ha(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "monitorHealth" => {
            shell.read(call, Audit::none(), |_, context, _: &c::MonitorHealthRequestProto| {
                context.caller.check_superuser()?;
                Ok(c::MonitorHealthResponseProto {})
            })
        }
        "getServiceStatus"
        | "transitionToActive"
        | "transitionToStandby"
        | "transitionToObserver" => {
            if let Err(error) = shell.callers.get(call.caller).check_superuser() {
                return Some(Reply::error(error));
            }
            Reply::error(Error::new(ErrorKind::ServiceFailed, "HA for namenode is not enabled"))
        }
        _ => return None,
    })
}

/// User mappings, and "read this part of your configuration again".
pub(super) fn refresh(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match (call.protocol, call.method) {
        (names::USER_MAPPINGS, "getGroupsForUser") => {
            shell.read(call, Audit::none(), |_, _, request: &c::GetGroupsForUserRequestProto| {
                let groups = shell.callers.groups_of(&request.user);
                Ok(c::GetGroupsForUserResponseProto { groups })
            })
        }
        (names::REFRESH_USER_MAPPINGS, "refreshUserToGroupsMappings") => shell.read(
            call,
            Audit::none(),
            |_, context, _: &c::RefreshUserToGroupsMappingsRequestProto| {
                context.caller.check_superuser()?;
                shell.callers.refresh();
                Ok(c::RefreshUserToGroupsMappingsResponseProto {})
            },
        ),
        (names::REFRESH_USER_MAPPINGS, "refreshSuperUserGroupsConfiguration") => shell.read(
            call,
            Audit::none(),
            |_, context, _: &c::RefreshSuperUserGroupsConfigurationRequestProto| {
                context.caller.check_superuser()?;
                shell.proxies.reload()?;
                Ok(c::RefreshSuperUserGroupsConfigurationResponseProto {})
            },
        ),
        (names::REFRESH_ACL, "refreshServiceAcl") => shell.read(
            call,
            Audit::new("refreshServiceAcl", |_: &c::RefreshServiceAclRequestProto| ("", "")),
            |_, _, _| {
                shell.proxies.reload_services()?;
                Ok(c::RefreshServiceAclResponseProto {})
            },
        ),
        (names::REFRESH_CALL_QUEUE, "refreshCallQueue") => {
            shell.read(call, Audit::none(), |_, context, _: &c::RefreshCallQueueRequestProto| {
                context.caller.check_superuser()?;
                shell.refresh_rpc_limits()?;
                Ok(c::RefreshCallQueueResponseProto {})
            })
        }
        (names::GENERIC_REFRESH, "refresh") => {
            shell.read(call, Audit::none(), |_, _, request: &c::GenericRefreshRequestProto| {
                generic_refresh(request)
            })
        }
        (names::RECONFIGURATION, _) => return reconfiguration(shell, call),
        _ => return None,
    })
}

/// Hadoop's registry of handlers is for code that runs inside of the daemon; without such code it is empty there, too.
///
/// Hadoop: org.apache.hadoop.ipc.RefreshRegistry.dispatch (3.5.0)
fn generic_refresh(
    request: &c::GenericRefreshRequestProto,
) -> Result<c::GenericRefreshResponseCollectionProto> {
    Err(Error::new(
        ErrorKind::IllegalArgument,
        format!(
            "Identifier '{}' does not exist in RefreshRegistry. Valid options are: ",
            request.identifier()
        ),
    ))
}

/// Proto: ReconfigurationProtocol.proto
fn reconfiguration(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    let reconfiguration = &shell.reconfiguration;
    Some(match call.method {
        "getReconfigurationStatus" => shell.read(
            call,
            Audit::none(),
            |_, context, _: &p::GetReconfigurationStatusRequestProto| {
                context.caller.check_superuser()?;
                Ok(reconfiguration.status())
            },
        ),
        "startReconfiguration" => shell.read(
            call,
            Audit::new(
                "startNamenodeReconfiguration",
                |_: &p::StartReconfigurationRequestProto| ("", ""),
            ),
            |_, context, _| {
                context.caller.check_superuser()?;
                let shell = shell.clone();
                reconfiguration.start(move |conf| tunable::apply(&shell, conf))?;
                Ok(p::StartReconfigurationResponseProto {})
            },
        ),
        "listReconfigurableProperties" => shell.read(
            call,
            Audit::none(),
            |_, context, _: &p::ListReconfigurablePropertiesRequestProto| {
                context.caller.check_superuser()?;
                Ok(reconfiguration.properties())
            },
        ),
        _ => return None,
    })
}

fn unsupported(call: &RpcCall<'_>) -> Reply {
    Reply::error(Error::new(
        ErrorKind::UnsupportedOperation,
        format!("{} is not supported yet", call.method),
    ))
}
