//! `delete`: the permissions below a large tree are checked in slices before, so that they never hold the lock for long.
//!
//! Proto: ClientNamenodeProtocol.proto delete

use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::{Call, NameNode, RemovalCheck};
use hdfs_proto::hdfs::DeleteRequestProto;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use prost::Message;

use super::super::audit::Audit;
use super::super::shell::{Shell, now};

pub(super) fn delete(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let audit = Audit::new("delete", |q: &DeleteRequestProto| (&q.src, ""));
    let caller = shell.callers.get(call.caller);
    if caller.superuser {
        return shell.write(call, audit, NameNode::delete);
    }
    let request = match call.decode::<DeleteRequestProto>() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let ip = call.remote.ip().to_string();
    let context = shell.context(call, &caller, &ip);
    if !shell.read_machine().is_large_removal(&context, &request) {
        return shell.write(call, audit, NameNode::delete);
    }
    let line = shell.audit.later(call, &audit, &request);
    let key = context.key;
    let shell = shell.clone();
    Reply::later(async move {
        let context = || Call { caller: &caller, client_machine: &ip, key, now: now() };
        // What fails here fails at the deletion as well, with the right message.
        let (begun, _) = shell.write_with(|nn| nn.begin_removal_check(&context(), &request));
        let mut running = Running { shell: &shell, check: begun.ok().flatten() };
        if let Some(check) = &mut running.check {
            while !shell.read_machine().continue_removal_check(&context(), check) {
                tokio::task::yield_now().await;
            }
        }
        let check = running.check.as_ref();
        let (answer, txid) = loop {
            let (answer, txid) = shell.write_with(|nn| {
                (!nn.is_cleaning()).then(|| nn.checked_delete(&context(), &request, check))
            });
            if let Some(answer) = answer {
                break (answer, txid);
            }
            shell.settled().await;
        };
        drop(running);
        line.record(answer.as_ref().err());
        let message = answer?;
        shell.log.synced(txid).await?;
        Ok(Bytes::from(message.encode_to_vec()))
    })
}

/// A check that ends with this value, also when the client went away.
struct Running<'a> {
    shell: &'a Shell,
    check: Option<RemovalCheck>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(check) = self.check.take() {
            self.shell.write_with(|nn| nn.end_removal_check(check));
        }
    }
}
