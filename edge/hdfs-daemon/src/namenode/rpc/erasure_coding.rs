//! ClientProtocol: erasure coding.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "setErasureCodingPolicy" => shell.write(
            call,
            Audit::new("setErasureCodingPolicy", |q: &p::SetErasureCodingPolicyRequestProto| {
                (&q.src, "")
            }),
            N::set_erasure_coding_policy,
        ),
        "unsetErasureCodingPolicy" => shell.write(
            call,
            Audit::new(
                "unsetErasureCodingPolicy",
                |q: &p::UnsetErasureCodingPolicyRequestProto| (&q.src, ""),
            ),
            N::unset_erasure_coding_policy,
        ),
        "addErasureCodingPolicies" => shell.write(
            call,
            Audit::new(
                "addErasureCodingPolicies",
                |_: &p::AddErasureCodingPoliciesRequestProto| ("", ""),
            ),
            N::add_erasure_coding_policies,
        ),
        "removeErasureCodingPolicy" => shell.write(
            call,
            Audit::new(
                "removeErasureCodingPolicy",
                |q: &p::RemoveErasureCodingPolicyRequestProto| (&q.ec_policy_name, ""),
            ),
            N::remove_erasure_coding_policy,
        ),
        "enableErasureCodingPolicy" => shell.write(
            call,
            Audit::new(
                "enableErasureCodingPolicy",
                |q: &p::EnableErasureCodingPolicyRequestProto| (&q.ec_policy_name, ""),
            ),
            N::enable_erasure_coding_policy,
        ),
        "disableErasureCodingPolicy" => shell.write(
            call,
            Audit::new(
                "disableErasureCodingPolicy",
                |q: &p::DisableErasureCodingPolicyRequestProto| (&q.ec_policy_name, ""),
            ),
            N::disable_erasure_coding_policy,
        ),
        _ => return read(shell, call),
    })
}

fn read(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getErasureCodingPolicy" => shell.read(
            call,
            Audit::new("getErasureCodingPolicy", |q: &p::GetErasureCodingPolicyRequestProto| {
                (&q.src, "")
            }),
            N::get_erasure_coding_policy,
        ),
        "getErasureCodingPolicies" => shell.read(
            call,
            Audit::new(
                "getErasureCodingPolicies",
                |_: &p::GetErasureCodingPoliciesRequestProto| ("", ""),
            ),
            N::get_erasure_coding_policies,
        ),
        "getErasureCodingCodecs" => shell.read(
            call,
            Audit::new("getErasureCodingCodecs", |_: &p::GetErasureCodingCodecsRequestProto| {
                ("", "")
            }),
            N::get_erasure_coding_codecs,
        ),
        "getECTopologyResultForPolicies" => shell.read(
            call,
            Audit::new(
                "getECTopologyResultForPolicies",
                |_: &p::GetEcTopologyResultForPoliciesRequestProto| ("", ""),
            ),
            N::get_ec_topology_result_for_policies,
        ),
        _ => return None,
    })
}
