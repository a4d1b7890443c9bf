//! ClientProtocol: encryption zones.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::key_provider::Keys;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "createEncryptionZone" => create(shell, call),
        "reencryptEncryptionZone" => shell.write(
            call,
            Audit::new("reencryptEncryptionZone", |q: &p::ReencryptEncryptionZoneRequestProto| {
                (&q.zone, "")
            }),
            |nn, context, request| {
                let has_provider = !matches!(shell.keys, Keys::None);
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

/// The provider is asked before the lock is taken, and only for somebody who may make zones.
fn create(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let cipher = match call.decode::<p::CreateEncryptionZoneRequestProto>() {
        Ok(request) if shell.callers.get(call.caller).superuser => {
            shell.keys.cipher_of(request.key_name())
        }
        Ok(_) => None,
        Err(error) => return Reply::error(error),
    };
    shell.write(
        call,
        Audit::new("createEncryptionZone", |q: &p::CreateEncryptionZoneRequestProto| (&q.src, "")),
        |nn, context, request| nn.create_encryption_zone(context, request, cipher),
    )
}
