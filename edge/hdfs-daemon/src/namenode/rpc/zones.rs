//! ClientProtocol: encryption zones.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::key_provider;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    let conf = &shell.conf.configuration;
    Some(match call.method {
        "createEncryptionZone" => shell.write(
            call,
            Audit::new("createEncryptionZone", |q: &p::CreateEncryptionZoneRequestProto| {
                (&q.src, "")
            }),
            |nn, context, request| {
                nn.create_encryption_zone(context, request, key_provider::cipher_of(conf))
            },
        ),
        "reencryptEncryptionZone" => shell.write(
            call,
            Audit::new("reencryptEncryptionZone", |q: &p::ReencryptEncryptionZoneRequestProto| {
                (&q.zone, "")
            }),
            |nn, context, request| {
                let has_provider = key_provider::is_configured(conf);
                nn.reencrypt_encryption_zone(context, request, has_provider)
            },
        ),
        "getEZForPath" => shell.read(
            call,
            Audit::new("getEZForPath", |q: &p::GetEzForPathRequestProto| (&q.src, "")),
            N::get_ez_for_path,
        ),
        "listEncryptionZones" => shell.read(
            call,
            Audit::new("listEncryptionZones", |_: &p::ListEncryptionZonesRequestProto| ("", "")),
            N::list_encryption_zones,
        ),
        "listReencryptionStatus" => shell.read(
            call,
            Audit::new("listReencryptionStatus", |_: &p::ListReencryptionStatusRequestProto| {
                ("", "")
            }),
            N::list_reencryption_status,
        ),
        _ => return None,
    })
}
