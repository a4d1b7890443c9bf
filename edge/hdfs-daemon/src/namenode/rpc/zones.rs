//! ClientProtocol: encryption zones.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::Result;

use super::super::audit::Audit;
use super::super::key_provider::Keys;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "createEncryptionZone" => create(shell, call),
        "reencryptEncryptionZone" => reencrypt(shell, call),
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

/// As with [`create`], the provider says which version of the key is the newest before the lock is taken.
fn reencrypt(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let request = match call.decode::<p::ReencryptEncryptionZoneRequestProto>() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let version = newest_version(shell, call, &request);
    let command = match request.action() {
        p::ReencryptActionProto::StartReencrypt => "STARTreencryption",
        p::ReencryptActionProto::CancelReencrypt => "CANCELreencryption",
    };
    let reply = shell.write(
        call,
        Audit::new(command, |q: &p::ReencryptEncryptionZoneRequestProto| (&q.zone, "")),
        |nn, context, request| nn.reencrypt_encryption_zone(context, request, version?.as_deref()),
    );
    shell.reencryption_submitted.notify_one();
    reply
}

fn newest_version(
    shell: &Arc<Shell>,
    call: &RpcCall<'_>,
    request: &p::ReencryptEncryptionZoneRequestProto,
) -> Result<Option<String>> {
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let context = shell.context(call, &caller, &ip);
    let has_provider = !matches!(shell.keys, Keys::None);
    let key = shell.read_machine().check_reencryption(&context, request, has_provider)?;
    let (Some(key), Some(provider)) = (key, shell.keys.provider()?) else { return Ok(None) };
    provider.generate_encrypted_key(&key).map(|made| Some(made.version_name))
}
