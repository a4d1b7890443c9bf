//! Upgrades: `upgradeStatus`, `finalizeUpgrade` and `rollingUpgrade`. What touches the name folders runs on a thread of its
//! own.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::{Call, CallKey, Caller, NameNode as N};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result};
use prost::Message;

use super::super::audit::Audit;
use super::super::rolling_upgrade;
use super::super::shell::{Shell, now};
use super::super::upgrade;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "upgradeStatus" => shell.read(call, Audit::none(), N::upgrade_status),
        "finalizeUpgrade" => finalize_upgrade(shell, call),
        "rollingUpgrade" => rolling_upgrade(shell, call),
        _ => return None,
    })
}

/// Who calls, for work that outlives the call's frame.
struct Owned {
    caller: Arc<Caller>,
    ip: String,
    key: Option<CallKey>,
}

impl Owned {
    fn call(&self) -> Call<'_> {
        Call { caller: &self.caller, client_machine: &self.ip, key: self.key, now: now() }
    }
}

/// Decodes a call of a superuser.
fn admit<Q: Message + Default>(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Result<(Q, Owned)> {
    let caller = shell.callers.get(call.caller);
    caller.check_superuser()?;
    let ip = call.remote.ip().to_string();
    let key = CallKey::new(call.client_id, call.call_id);
    Ok((call.decode()?, Owned { caller, ip, key }))
}

fn finalize_upgrade(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let admitted = admit::<p::FinalizeUpgradeRequestProto>(shell, call);
    let audit = Audit::new("finalizeUpgrade", |_: &p::FinalizeUpgradeRequestProto| ("", ""));
    let request = p::FinalizeUpgradeRequestProto {};
    shell.audit.record(call, &audit, &request, admitted.as_ref().err());
    if let Err(error) = admitted {
        return Reply::error(error);
    }
    let shell = shell.clone();
    blocking("finalizeUpgrade", move || {
        upgrade::finalize(shell.images.dirs(), &mut |_| Ok(()))?;
        let finalized = upgrade::is_finalized(shell.images.dirs());
        shell.write_with(|machine| machine.set_upgrade_finalized(finalized));
        Ok(p::FinalizeUpgradeResponseProto {})
    })
}

fn rolling_upgrade(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let (request, owned) = match admit::<p::RollingUpgradeRequestProto>(shell, call) {
        Ok(admitted) => admitted,
        Err(error) => return Reply::error(error),
    };
    let (name, action) = match p::RollingUpgradeActionProto::try_from(request.action) {
        Ok(action @ p::RollingUpgradeActionProto::Query) => ("queryRollingUpgrade", action),
        Ok(action @ p::RollingUpgradeActionProto::Start) => ("startRollingUpgrade", action),
        Ok(action @ p::RollingUpgradeActionProto::Finalize) => ("finalizeRollingUpgrade", action),
        Err(_) => {
            let text = format!("{} is not yet supported.", request.action);
            return Reply::error(Error::new(ErrorKind::UnsupportedOperation, text));
        }
    };
    tracing::info!("{name}");
    let audit = Audit::new(name, |_: &p::RollingUpgradeRequestProto| ("", ""));
    shell.audit.record(call, &audit, &request, None);
    let shell = shell.clone();
    blocking(name, move || {
        let info = match action {
            p::RollingUpgradeActionProto::Query => {
                let has_image = rolling_upgrade::has_rollback_image(&shell)?;
                shell.read_machine().rolling_upgrade_info(has_image)
            }
            p::RollingUpgradeActionProto::Start => {
                let (info, txid) = rolling_upgrade::prepare(&shell, &mut owned.call())?;
                shell.log.wait_synced(txid)?;
                Some(info)
            }
            p::RollingUpgradeActionProto::Finalize => {
                rolling_upgrade::finalize(&shell, &owned.call())?.map(|(info, _)| info)
            }
        };
        Ok(p::RollingUpgradeResponseProto { rolling_upgrade_info: info })
    })
}

/// A reply that a thread for blocking work makes.
fn blocking<A: Message + Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<A> + Send + 'static,
) -> Reply {
    Reply::later(async move {
        let answer = tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::new(ErrorKind::Runtime, format!("{what}: {error}")))??;
        Ok(Bytes::from(answer.encode_to_vec()))
    })
}
