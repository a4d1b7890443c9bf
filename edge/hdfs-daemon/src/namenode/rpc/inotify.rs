//! `getEditsFromTxid`: the edit log as events, read from the name folders on a thread of its own.
//!
//! No lock of the namespace is taken. Events are told only of durable transactions.
//!
//! Proto: ClientNamenodeProtocol.proto getEditsFromTxid

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_format::edits::{EditOp, event_batch};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result, TxId};
use prost::Message;

use super::super::shell::Shell;

/// Transactions that one call looks at, however few events they are.
const MAX_TRANSACTIONS: u64 = 100_000;

pub(super) fn get_edits_from_txid(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let request = shell
        .callers
        .get(call.caller)
        .check_superuser_for("getEditsFromTxid")
        .and_then(|()| call.decode::<p::GetEditsFromTxidRequestProto>());
    let from = match request {
        Ok(request) => TxId(u64::try_from(request.txid).unwrap_or(0)),
        Err(error) => return Reply::error(error),
    };
    let shell = shell.clone();
    Reply::later(async move {
        let list = tokio::task::spawn_blocking(move || events_from(&shell, from))
            .await
            .map_err(|e| Error::new(ErrorKind::Runtime, format!("getEditsFromTxid: {e}")))??;
        Ok(Bytes::from(p::GetEditsFromTxidResponseProto { events_list: list }.encode_to_vec()))
    })
}

fn events_from(shell: &Shell, from: TxId) -> Result<p::EventsListProto> {
    let durable = shell.log.last_synced();
    let most = shell.conf.inotify_max_events;
    let (mut batches, mut events) = (Vec::new(), 0);
    let (mut first, mut last) = (None, None);
    let visit = |txid: TxId, op: &EditOp| {
        let first = *first.get_or_insert(txid);
        last = Some(txid);
        if let Some(batch) = event_batch(txid, op) {
            events += batch.events.len();
            batches.push(batch);
        }
        if events >= most || txid.0 - first.0 >= MAX_TRANSACTIONS {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let (dirs, max_op_bytes) = (shell.images.dirs(), shell.conf.max_op_bytes);
    shell.tail.read(dirs, from, durable, max_op_bytes, visit)?;
    let number = |txid: Option<TxId>| txid.map_or(-1, |txid| txid.0.cast_signed());
    Ok(p::EventsListProto {
        events: Vec::new(),
        first_txid: number(first),
        last_txid: number(last),
        sync_txid: durable.0.cast_signed(),
        batch: batches,
    })
}
