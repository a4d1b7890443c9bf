//! What other daemons and administrators call: HAServiceProtocol, user mappings and the refresh protocols.
//!
//! Proto: HAServiceProtocol.proto, GetUserMappingsProtocol.proto, Refresh….proto

use std::sync::Arc;

use hdfs_proto::common as c;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result};

use super::super::audit::Audit;
use super::super::shell::Shell;
use super::super::tunable;
use super::names;

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
