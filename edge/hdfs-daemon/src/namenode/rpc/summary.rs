//! `getContentSummary`: counts a tree in slices, so that a huge one never holds the lock for long.
//!
//! Proto: ClientNamenodeProtocol.proto getContentSummary

use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::Call;
use hdfs_proto::hdfs::GetContentSummaryRequestProto;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use prost::Message;

use super::super::audit::Audit;
use super::super::shell::{Shell, now};

pub(super) fn get_content_summary(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let request = match call.decode::<GetContentSummaryRequestProto>() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let audit = Audit::new("contentSummary", |q: &GetContentSummaryRequestProto| (&q.path, ""));
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let begun =
        shell.read_machine().begin_content_summary(&shell.context(call, &caller, &ip), &request);
    shell.audit.record(call, &audit, &request, begun.as_ref().err());
    let mut cursor = match begun {
        Ok(cursor) => cursor,
        Err(error) => return Reply::error(error),
    };
    let shell = shell.clone();
    let mut slice = move || {
        let context = Call { caller: &caller, client_machine: &ip, key: None, now: now() };
        shell.read_machine().continue_content_summary(&context, &mut cursor)
    };
    // Nearly every tree is counted in one slice.
    match slice() {
        Ok(Some(answer)) => Reply::message(&answer),
        Err(error) => Reply::error(error),
        Ok(None) => Reply::later(async move {
            loop {
                tokio::task::yield_now().await;
                if let Some(answer) = slice()? {
                    return Ok(Bytes::from(answer.encode_to_vec()));
                }
            }
        }),
    }
}
