//! `addBlock` and `complete`: the two calls that wait for DataNodes.
//!
//! The first try runs inline. When the machine says "not yet", the reply becomes a future that tries again at each news
//! about the file, and gives Hadoop's "not yet" to the client when the time is over. As in Hadoop, neither is audited.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_namenode::{Call, NameNode};
use hdfs_proto::hdfs::{
    AddBlockRequestProto, AddBlockResponseProto, CompleteRequestProto, CompleteResponseProto,
};
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{ErrorKind, INodeId, Result, TxId};
use prost::Message;

use super::super::shell::{Shell, now};
use super::super::waiting::Ticket;

/// Proto: ClientNamenodeProtocol.proto complete.
pub(super) fn complete(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    hold::<CompleteRequestProto, CompleteResponseProto>(
        shell,
        call,
        NameNode::complete,
        |answer| matches!(answer, Ok(response) if !response.result),
        |request| request.file_id,
    )
}

/// Proto: ClientNamenodeProtocol.proto addBlock.
pub(super) fn add_block(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    hold::<AddBlockRequestProto, AddBlockResponseProto>(
        shell,
        call,
        NameNode::add_block,
        |answer| matches!(answer, Err(error) if error.kind == ErrorKind::NotReplicatedYet),
        |request| request.file_id,
    )
}

type Method<Q, A> = fn(&mut NameNode, &Call<'_>, &Q) -> Result<A>;

/// One try: the answer, and the place in the queue when it is "not yet".
enum Tried<A> {
    Done(Result<A>, TxId),
    /// A deletion is not at its end.
    Deleting,
    NotYet(Result<A>, TxId, Ticket, Pin<Box<dyn Future<Output = ()> + Send>>),
}

fn hold<Q, A>(
    shell: &Arc<Shell>,
    call: &RpcCall<'_>,
    method: Method<Q, A>,
    not_yet: fn(&Result<A>) -> bool,
    file: fn(&Q) -> Option<u64>,
) -> Reply
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    let request = match call.decode::<Q>() {
        Ok(request) => request,
        Err(error) => return Reply::error(error),
    };
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let key = shell.context(call, &caller, &ip).key;
    let wait = shell.conf.hold_replies;
    let shell = shell.clone();
    let attempt = move |shell: &Shell, ticket: Option<Ticket>| {
        let context = Call { caller: &caller, client_machine: &ip, key, now: now() };
        let (tried, txid) = shell.write_with(|nn| {
            if nn.is_cleaning() {
                return None;
            }
            let answer = method(nn, &context, &request);
            if !not_yet(&answer) || wait.is_zero() {
                return Some((answer, None));
            }
            let ticket = ticket.or_else(|| Some(shell.waiting.register(INodeId(file(&request)?))));
            let news = ticket.as_ref().and_then(Ticket::news);
            Some((answer, ticket.zip(news)))
        });
        match tried {
            None => Tried::Deleting,
            Some((answer, None)) => Tried::Done(answer, txid),
            Some((answer, Some((ticket, news)))) => {
                Tried::NotYet(answer, txid, ticket, Box::pin(news))
            }
        }
    };
    match attempt(&shell, None) {
        Tried::Done(answer, txid) => reply(&shell, answer, txid),
        mut tried => Reply::later(async move {
            let end = tokio::time::Instant::now() + wait;
            loop {
                tried = match tried {
                    Tried::Done(answer, txid) => return finish(&shell, answer, txid).await,
                    Tried::Deleting => {
                        shell.settled().await;
                        attempt(&shell, None)
                    }
                    Tried::NotYet(answer, txid, ticket, news) => {
                        if tokio::time::timeout_at(end, news).await.is_err() {
                            return finish(&shell, answer, txid).await;
                        }
                        attempt(&shell, Some(ticket))
                    }
                };
            }
        }),
    }
}

fn reply<A: Message>(shell: &Shell, answer: Result<A>, txid: TxId) -> Reply {
    match answer {
        Ok(message) => shell.after_sync(txid, Bytes::from(message.encode_to_vec())),
        Err(error) => Reply::error(error),
    }
}

async fn finish<A: Message>(shell: &Shell, answer: Result<A>, txid: TxId) -> Result<Bytes> {
    let message = answer?;
    shell.log.synced(txid).await?;
    Ok(Bytes::from(message.encode_to_vec()))
}
