//! The protocols that a NameNode serves: a method's name to what decodes, calls and encodes it.
//!
//! One file a family. A method that is in the `.proto` file but not built yet answers `UnsupportedOperationException`; one
//! that Hadoop does not know answers `RpcNoSuchMethodException`. Nothing answers success without having done it.

mod admin;
mod cache;
mod client;
mod datanode;
mod delete;
mod erasure_coding;
mod hold;
mod inotify;
mod locations;
mod namenode_protocol;
mod peers;
mod snapshot;
mod summary;
mod unsupported;
mod upgrade;
mod zones;

use std::sync::Arc;

use bytes::Bytes;
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService};

use super::shell::Shell;

/// Java names of the protocols.
pub(super) mod names {
    pub(in crate::namenode) const CLIENT: &str = "org.apache.hadoop.hdfs.protocol.ClientProtocol";
    pub(super) const DATANODE: &str = "org.apache.hadoop.hdfs.server.protocol.DatanodeProtocol";
    pub(super) const LIFELINE: &str =
        "org.apache.hadoop.hdfs.server.protocol.DatanodeLifelineProtocol";
    pub(in crate::namenode) const NAMENODE: &str =
        "org.apache.hadoop.hdfs.server.protocol.NamenodeProtocol";
    pub(super) const HA: &str = "org.apache.hadoop.ha.HAServiceProtocol";
    pub(super) const USER_MAPPINGS: &str = "org.apache.hadoop.tools.GetUserMappingsProtocol";
    pub(super) const REFRESH_USER_MAPPINGS: &str =
        "org.apache.hadoop.security.RefreshUserMappingsProtocol";
    pub(super) const REFRESH_ACL: &str =
        "org.apache.hadoop.security.authorize.RefreshAuthorizationPolicyProtocol";
    pub(super) const REFRESH_CALL_QUEUE: &str = "org.apache.hadoop.ipc.RefreshCallQueueProtocol";
    pub(super) const GENERIC_REFRESH: &str = "org.apache.hadoop.ipc.GenericRefreshProtocol";
    pub(super) const RECONFIGURATION: &str =
        "org.apache.hadoop.hdfs.protocol.ReconfigurationProtocol";
}

const PROTOCOLS: [Protocol; 11] = [
    protocol(names::CLIENT),
    protocol(names::DATANODE),
    protocol(names::LIFELINE),
    protocol(names::NAMENODE),
    protocol(names::HA),
    protocol(names::USER_MAPPINGS),
    protocol(names::REFRESH_USER_MAPPINGS),
    protocol(names::REFRESH_ACL),
    protocol(names::REFRESH_CALL_QUEUE),
    protocol(names::GENERIC_REFRESH),
    protocol(names::RECONFIGURATION),
];

const fn protocol(java_name: &'static str) -> Protocol {
    Protocol { java_name, version: 1 }
}

/// The service of one NameNode.
pub(crate) struct NameNodeService {
    shell: Arc<Shell>,
}

impl NameNodeService {
    pub(crate) fn new(shell: Arc<Shell>) -> Self {
        Self { shell }
    }
}

impl RpcService for NameNodeService {
    fn protocols(&self) -> &[Protocol] {
        &PROTOCOLS
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        // What is counted of a deletion comes with its slices: answers with sums wait for the end.
        let sums = matches!(call.method, "getContentSummary" | "getQuotaUsage");
        if sums && self.shell.is_cleaning() {
            return after_deletions(&self.shell, &call);
        }
        dispatch(&self.shell, &call)
    }
}

fn dispatch(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let reply = match call.protocol {
        names::CLIENT => client::call(shell, call)
            .or_else(|| snapshot::call(shell, call))
            .or_else(|| admin::call(shell, call))
            .or_else(|| erasure_coding::call(shell, call))
            .or_else(|| cache::call(shell, call))
            .or_else(|| upgrade::call(shell, call))
            .or_else(|| zones::call(shell, call))
            .or_else(|| unsupported::call(call)),
        names::DATANODE | names::LIFELINE => datanode::call(shell, call),
        names::NAMENODE => namenode_protocol::call(shell, call),
        names::HA => peers::ha(shell, call),
        _ => peers::refresh(shell, call),
    };
    reply.unwrap_or_else(|| call.no_such_method())
}

/// Answers a call when deletions are at their end.
fn after_deletions(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let shell = shell.clone();
    let (protocol, method) = (call.protocol.to_owned(), call.method.to_owned());
    let (body, caller) = (Bytes::copy_from_slice(&call.body), call.caller.clone());
    let RpcCall { client_id, call_id, retry_count, remote, state_id, .. } = *call;
    let caller_context = call.caller_context.clone();
    Reply::later(async move {
        shell.settled().await;
        let reply = dispatch(
            &shell,
            &RpcCall {
                protocol: &protocol,
                method: &method,
                body,
                caller: &caller,
                client_id,
                call_id,
                retry_count,
                remote,
                caller_context,
                state_id,
                router_federated_state: None,
            },
        );
        match reply {
            Reply::Now(answer) => answer,
            Reply::Later(answer) => answer.await,
        }
    })
}
