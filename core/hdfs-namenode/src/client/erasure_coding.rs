//! Erasure coding: policies, which directory has which, and whether the cluster is big enough for them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirErasureCodingOp,
//! org.apache.hadoop.hdfs.server.common.ECTopologyVerifier (3.5.0)

use hdfs_format::edits::ErasureCodingPolicyDefinition;
use hdfs_namespace::{ErasureCodingPolicy, Namespace, PlanContext, Planned};
use hdfs_proto::hdfs as p;
use hdfs_types::erasure::system_policy;
use hdfs_types::{Error, ErrorKind, Result};

use crate::call::Call;
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

/// Codecs with the coders that Hadoop names for them, in the order in which it lists them.
///
/// Hadoop: org.apache.hadoop.io.erasurecode.CodecRegistry (3.5.0)
const CODECS: [(&str, &str); 3] = [
    ("rs", "rs_native, rs_java"),
    ("rs-legacy", "rs-legacy_java"),
    ("xor", "xor_native, xor_java"),
];

impl NameNode {
    /// Proto: setErasureCodingPolicy.
    pub fn set_erasure_coding_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::SetErasureCodingPolicyRequestProto,
    ) -> Result<p::SetErasureCodingPolicyResponseProto> {
        self.change_once(
            call,
            &format!("Cannot set erasure coding policy on {}", request.src),
            |namespace, context| {
                let default = context.conf.default_erasure_coding_policy.as_str();
                let name = request.ec_policy_name.as_deref().unwrap_or(default);
                let path = request.src.as_bytes();
                namespace.plan_set_erasure_coding_policy(context, path, name)
            },
        )?;
        Ok(p::SetErasureCodingPolicyResponseProto {})
    }

    /// Proto: unsetErasureCodingPolicy.
    pub fn unset_erasure_coding_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::UnsetErasureCodingPolicyRequestProto,
    ) -> Result<p::UnsetErasureCodingPolicyResponseProto> {
        self.change_once(
            call,
            &format!("Cannot unset erasure coding policy on {}", request.src),
            |namespace, context| {
                let path = request.src.as_bytes();
                namespace.plan_unset_erasure_coding_policy(context, path)
            },
        )?;
        Ok(p::UnsetErasureCodingPolicyResponseProto {})
    }

    /// Proto: getErasureCodingPolicy.
    pub fn get_erasure_coding_policy(
        &self,
        call: &Call<'_>,
        request: &p::GetErasureCodingPolicyRequestProto,
    ) -> Result<p::GetErasureCodingPolicyResponseProto> {
        let ec_policy = self.plan(call, |namespace, context| {
            namespace
                .get_erasure_coding_policy(context, request.src.as_bytes())
                .map(Option::<&ErasureCodingPolicy>::cloned)
        })?;
        let ec_policy = ec_policy.map(|policy| policy.to_proto());
        Ok(p::GetErasureCodingPolicyResponseProto { ec_policy })
    }

    /// Proto: getErasureCodingPolicies.
    pub fn get_erasure_coding_policies(
        &self,
        _: &Call<'_>,
        _: &p::GetErasureCodingPoliciesRequestProto,
    ) -> Result<p::GetErasureCodingPoliciesResponseProto> {
        let ec_policies = self
            .namespace
            .erasure_coding_policies()
            .map(|(policy, state)| p::ErasureCodingPolicyProto {
                state: Some(state as i32),
                ..policy.to_proto()
            })
            .collect();
        Ok(p::GetErasureCodingPoliciesResponseProto { ec_policies })
    }

    /// Proto: getErasureCodingCodecs.
    pub fn get_erasure_coding_codecs(
        &self,
        _: &Call<'_>,
        _: &p::GetErasureCodingCodecsRequestProto,
    ) -> Result<p::GetErasureCodingCodecsResponseProto> {
        let codec = CODECS
            .iter()
            .map(|(codec, coders)| p::CodecProto {
                codec: (*codec).to_owned(),
                coders: (*coders).to_owned(),
            })
            .collect();
        Ok(p::GetErasureCodingCodecsResponseProto { codec })
    }

    /// Proto: addErasureCodingPolicies. A repetition finds the policies there and answers the same.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, SafeMode, IllegalArgument for a policy without its fields.
    pub fn add_erasure_coding_policies(
        &mut self,
        call: &Call<'_>,
        request: &p::AddErasureCodingPoliciesRequestProto,
    ) -> Result<p::AddErasureCodingPoliciesResponseProto> {
        check_superuser_for(call, "addErasureCodingPolicies")?;
        let definitions: Vec<_> =
            request.ec_policies.iter().map(definition).collect::<Result<_>>()?;
        let plan = |nn: &Self| -> Result<Planned<Vec<Result<ErasureCodingPolicy>>>> {
            nn.plan(call, |namespace, context| {
                namespace.plan_add_erasure_coding_policies(context, &definitions)
            })
        };
        let added = self.once(
            call,
            |nn, _| plan(nn).map(|planned| planned.result),
            |_| CachedAnswer::Done,
            |nn| {
                nn.check_writable("Cannot add erasure coding policy", call.now.mono)?;
                let planned = plan(nn)?;
                Ok(nn.commit(planned, call.now))
            },
        )?;
        let responses = request
            .ec_policies
            .iter()
            .zip(added)
            .map(|(asked, added)| match added {
                Ok(policy) => p::AddErasureCodingPolicyResponseProto {
                    policy: policy.to_proto(),
                    succeed: true,
                    error_msg: None,
                },
                Err(error) => p::AddErasureCodingPolicyResponseProto {
                    policy: asked.clone(),
                    succeed: false,
                    error_msg: Some(error.message),
                },
            })
            .collect();
        Ok(p::AddErasureCodingPoliciesResponseProto { responses })
    }

    /// Proto: enableErasureCodingPolicy.
    pub fn enable_erasure_coding_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::EnableErasureCodingPolicyRequestProto,
    ) -> Result<p::EnableErasureCodingPolicyResponseProto> {
        let name = &request.ec_policy_name;
        self.change_policy(call, "enable", name, |namespace, context| {
            namespace.plan_enable_erasure_coding_policy(context, name)
        })?;
        Ok(p::EnableErasureCodingPolicyResponseProto {})
    }

    /// Proto: disableErasureCodingPolicy.
    pub fn disable_erasure_coding_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::DisableErasureCodingPolicyRequestProto,
    ) -> Result<p::DisableErasureCodingPolicyResponseProto> {
        let name = &request.ec_policy_name;
        self.change_policy(call, "disable", name, |namespace, context| {
            namespace.plan_disable_erasure_coding_policy(context, name)
        })?;
        Ok(p::DisableErasureCodingPolicyResponseProto {})
    }

    /// Proto: removeErasureCodingPolicy.
    pub fn remove_erasure_coding_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveErasureCodingPolicyRequestProto,
    ) -> Result<p::RemoveErasureCodingPolicyResponseProto> {
        let name = &request.ec_policy_name;
        self.change_policy(call, "remove", name, |namespace, context| {
            namespace.plan_remove_erasure_coding_policy(context, name)
        })?;
        Ok(p::RemoveErasureCodingPolicyResponseProto {})
    }

    fn change_policy<T>(
        &mut self,
        call: &Call<'_>,
        verb: &str,
        name: &str,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
    ) -> Result<()> {
        check_superuser_for(call, &format!("{verb}ErasureCodingPolicy"))?;
        self.change_once(call, &format!("Cannot {verb} erasure coding policy {name}"), plan)
    }

    /// Proto: getECTopologyResultForPolicies. Without names: for every enabled policy.
    pub fn get_ec_topology_result_for_policies(
        &self,
        call: &Call<'_>,
        request: &p::GetEcTopologyResultForPoliciesRequestProto,
    ) -> Result<p::GetEcTopologyResultForPoliciesResponseProto> {
        check_superuser_for(call, "getECTopologyResultForPolicies")?;
        let (is_supported, result_message) = if request.policies.is_empty() {
            self.verify_enabled_erasure_coding_policies()
        } else {
            let mut policies = Vec::with_capacity(request.policies.len());
            for name in &request.policies {
                // Plain replication counts as one data and two parity blocks.
                let units = match self.namespace.erasure_coding_policy_named(name)? {
                    Some(policy) => (&*policy.name, policy.units(), policy.parity_units),
                    None => ("replication", 3, 2),
                };
                policies.push(units);
            }
            self.verify_topology(&policies)
        };
        let response = p::EcTopologyVerifierResultProto { result_message, is_supported };
        Ok(p::GetEcTopologyResultForPoliciesResponseProto { response })
    }

    /// Whether there are nodes and racks enough for the enabled policies, and Hadoop's sentence about it.
    pub fn verify_enabled_erasure_coding_policies(&self) -> (bool, String) {
        let policies: Vec<_> = self
            .enabled_policies()
            .map(|policy| (&*policy.name, policy.units(), policy.parity_units))
            .collect();
        self.verify_topology(&policies)
    }

    fn enabled_policies(&self) -> impl Iterator<Item = &ErasureCodingPolicy> {
        self.namespace
            .erasure_coding_policies()
            .filter(|(_, state)| *state == p::ErasureCodingPolicyState::Enabled)
            .map(|(policy, _)| policy)
    }

    /// The names of the enabled policies, as metrics show them.
    pub fn enabled_erasure_coding_policies(&self) -> String {
        let names: Vec<&str> = self.enabled_policies().map(|policy| &*policy.name).collect();
        names.join(", ")
    }

    /// Name, blocks of a group, and parity blocks of each policy.
    fn verify_topology(&self, policies: &[(&str, u32, u32)]) -> (bool, String) {
        let names: Vec<&str> = policies.iter().map(|policy| policy.0).collect();
        let names = names.join(", ");
        let nodes = policies.iter().map(|policy| policy.1).max().unwrap_or(0) as usize;
        let racks = policies.iter().map(|policy| policy.1.div_ceil(policy.2.max(1))).max();
        let racks = racks.unwrap_or(0) as usize;
        if nodes == 0 || racks == 0 {
            return (true, "No erasure coding policy is given.".to_owned());
        }
        let needs = |needed: usize, what: &str, found: usize| {
            let text = format!(
                "{needed} {what} are required for the erasure coding policies: {names}. The number of {what} is only \
                 {found}."
            );
            (false, text)
        };
        let (present, spread) = (self.blocks.datanodes().count(), self.blocks.rack_count());
        if present < nodes {
            needs(nodes, "DataNodes", present)
        } else if spread < racks {
            needs(racks, "racks", spread)
        } else {
            (true, format!("The cluster setup can support EC policies: {names}"))
        }
    }
}

fn check_superuser_for(call: &Call<'_>, operation: &str) -> Result<()> {
    if call.caller.superuser {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AccessControl,
        format!(
            "Access denied for user {}. Superuser privilege is required for operation {operation}",
            call.caller.user
        ),
    ))
}

/// What a request defines; one that names a built-in policy by its number means that.
fn definition(proto: &p::ErasureCodingPolicyProto) -> Result<ErasureCodingPolicyDefinition> {
    let number = |value: u32| {
        i32::try_from(value)
            .map_err(|_| Error::new(ErrorKind::IllegalArgument, "a number is out of range"))
    };
    if let Some(policy) = system_policy(proto.id & 0xFF).filter(|policy| policy.id != 0) {
        return Ok(ErasureCodingPolicyDefinition {
            codec_name: policy.codec.to_owned(),
            num_data_units: number(policy.data_units)?,
            num_parity_units: number(policy.parity_units)?,
            cell_size: number(hdfs_types::erasure::SYSTEM_CELL_BYTES)?,
            extra_options: Vec::new(),
        });
    }
    let missing = |what: &str| {
        let text = format!("Missing {what} field in ErasureCodingPolicy proto");
        Error::new(ErrorKind::IllegalArgument, text)
    };
    if proto.name.is_none() {
        return Err(missing("name"));
    }
    let schema = proto.schema.as_ref().ok_or_else(|| missing("schema"))?;
    Ok(ErasureCodingPolicyDefinition {
        codec_name: schema.codec_name.clone(),
        num_data_units: number(schema.data_units)?,
        num_parity_units: number(schema.parity_units)?,
        cell_size: number(proto.cell_size.ok_or_else(|| missing("cellsize"))?)?,
        extra_options: schema.options.iter().map(|of| (of.key.clone(), of.value.clone())).collect(),
    })
}
