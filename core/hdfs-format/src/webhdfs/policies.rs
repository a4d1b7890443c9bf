//! Storage policies and erasure-coding policies in JSON.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.JsonUtil, org.apache.hadoop.hdfs.protocol.BlockStoragePolicy (3.5.0)

use hdfs_proto::hdfs as p;
use hdfs_types::erasure::{SYSTEM_CELL_BYTES, system_policy};

use super::json::{Fields, object, text, wrapped};

/// LAZY_PERSIST, whose files keep their policy when they are made.
const LAZY_PERSIST: u32 = 15;

/// GETALLSTORAGEPOLICY.
pub(super) fn storage_policies(policies: &[p::BlockStoragePolicyProto]) -> String {
    wrapped("BlockStoragePolicies", |out| {
        object(out, |fields| {
            if policies.is_empty() {
                fields.plain("BlockStoragePolicy", "null");
            } else {
                fields.array("BlockStoragePolicy", policies, write_storage_policy);
            }
        });
    })
}

/// GETSTORAGEPOLICY.
pub(super) fn storage_policy(policy: &p::BlockStoragePolicyProto) -> String {
    wrapped("BlockStoragePolicy", |out| write_storage_policy(out, policy))
}

fn write_storage_policy(out: &mut String, policy: &p::BlockStoragePolicyProto) {
    let types = |fields: &mut Fields<'_>, name, types: Option<&p::StorageTypesProto>| {
        let types = types.into_iter().flat_map(|of| of.storage_types());
        fields.array(name, types, |out, of| text(out, of.as_str_name()));
    };
    object(out, |fields| {
        fields.plain("copyOnCreateFile", policy.policy_id == LAZY_PERSIST);
        types(fields, "creationFallbacks", policy.creation_fallback_policy.as_ref());
        fields.plain("id", policy.policy_id);
        fields.text("name", &policy.name);
        types(fields, "replicationFallbacks", policy.replication_fallback_policy.as_ref());
        types(fields, "storageTypes", Some(&policy.creation_policy));
    });
}

struct EcPolicy<'a> {
    name: &'a str,
    codec: &'a str,
    data: u32,
    parity: u32,
    cell: u32,
    options: &'a [p::EcSchemaOptionEntryProto],
    is_built_in: bool,
}

fn ec_policy(policy: &p::ErasureCodingPolicyProto) -> EcPolicy<'_> {
    let built_in = system_policy(policy.id);
    let (name, codec, data, parity) =
        built_in.map_or(("", "", 0, 0), |of| (of.name, of.codec, of.data_units, of.parity_units));
    let schema = policy.schema.as_ref();
    EcPolicy {
        name: policy.name.as_deref().unwrap_or(name),
        codec: schema.map_or(codec, |schema| &schema.codec_name),
        data: schema.map_or(data, |schema| schema.data_units),
        parity: schema.map_or(parity, |schema| schema.parity_units),
        cell: policy.cell_size.unwrap_or(SYSTEM_CELL_BYTES),
        options: schema.map(|schema| schema.options.as_slice()).unwrap_or_default(),
        is_built_in: built_in.is_some(),
    }
}

/// The name of a policy.
pub(super) fn ec_name(policy: &p::ErasureCodingPolicyProto) -> &str {
    ec_policy(policy).name
}

fn options(fields: &mut Fields<'_>, options: &[p::EcSchemaOptionEntryProto]) {
    fields.object("extraOptions", |fields| {
        for option in options {
            fields.text(&option.key, &option.value);
        }
    });
}

/// The policy of a file, as its status shows it.
pub(super) fn write_ec_policy(out: &mut String, policy: &p::ErasureCodingPolicyProto) {
    let of = ec_policy(policy);
    object(out, |fields| {
        fields.text("name", of.name);
        fields.plain("cellSize", of.cell);
        fields.plain("numDataUnits", of.data);
        fields.plain("numParityUnits", of.parity);
        fields.text("codecName", of.codec);
        fields.plain("id", policy.id);
        options(fields, of.options);
    });
}

/// A policy as Jackson shows the Java object.
fn write_ec_bean(out: &mut String, policy: &p::ErasureCodingPolicyProto) {
    let of = ec_policy(policy);
    object(out, |fields| {
        fields.text("name", of.name);
        fields.object("schema", |fields| {
            fields.text("codecName", of.codec);
            fields.plain("numDataUnits", of.data);
            fields.plain("numParityUnits", of.parity);
            options(fields, of.options);
        });
        fields.plain("cellSize", of.cell);
        fields.plain("id", policy.id);
        fields.plain("replicationPolicy", policy.id == 0);
        fields.plain("numDataUnits", of.data);
        fields.plain("numParityUnits", of.parity);
        fields.text("codecName", of.codec);
        fields.plain("systemPolicy", of.is_built_in);
    });
}

/// GETECPOLICY.
pub(super) fn ec_policy_of_path(policy: Option<&p::ErasureCodingPolicyProto>) -> String {
    let mut out = String::new();
    match policy {
        Some(policy) => write_ec_bean(&mut out, policy),
        None => out.push_str("null"),
    }
    out
}

/// GETECPOLICIES.
pub(super) fn ec_policies(policies: &[p::ErasureCodingPolicyProto]) -> String {
    wrapped("ErasureCodingPolicies", |out| {
        object(out, |fields| {
            if policies.is_empty() {
                fields.plain("ErasureCodingPolicyInfo", "null");
                return;
            }
            fields.array("ErasureCodingPolicyInfo", policies, |out, policy| {
                object(out, |fields| {
                    fields.text("state", policy.state().as_str_name());
                    fields.with("policy", |out| write_ec_bean(out, policy));
                });
            });
        });
    })
}

/// GETECCODECS.
pub(super) fn ec_codecs(codecs: &[p::CodecProto]) -> String {
    let mut sorted: Vec<_> = codecs.iter().map(|codec| (&codec.codec, &codec.coders)).collect();
    sorted.sort();
    wrapped("ErasureCodingCodecs", |out| {
        object(out, |fields| {
            for (codec, coders) in sorted {
                fields.text(codec, coders);
            }
        });
    })
}
