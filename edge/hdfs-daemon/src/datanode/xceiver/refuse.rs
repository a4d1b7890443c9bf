//! Above the limit of connections a request is refused with a word, by a few threads that exist for that.
//!
//! Differs: Hadoop closes the connection, and a client takes the DataNode for dead. An answer says what is wrong, and in a
//! pipeline with whom.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use hdfs_format::datatransfer::{Op, block_op_response, encode_delimited};
use hdfs_proto::hdfs::{
    OpBlockChecksumProto, OpCopyBlockProto, OpReadBlockProto, OpReplaceBlockProto,
    OpTransferBlockProto, OpWriteBlockProto, Status,
};
use hdfs_types::Result;
use parking_lot::Mutex;

use super::super::Shared;
use super::super::wire::{self, Input};

const THREADS: usize = 2;
/// Requests that wait for their answer; those beyond are closed.
const QUEUE: usize = 64;
/// What a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(1);

/// One connection too many.
struct Excess {
    stream: TcpStream,
    peer: SocketAddr,
    why: String,
}

/// The threads that refuse. They end when this is dropped.
pub(super) struct Refusals(SyncSender<Excess>);

impl Refusals {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let (sender, receiver) = sync_channel(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..THREADS {
            let (shared, receiver) = (Arc::clone(shared), Arc::clone(&receiver));
            let work = move || refuse_all(&shared, &receiver);
            if let Err(error) = thread::Builder::new().name("refusal".to_owned()).spawn(work) {
                tracing::error!(%error, "start a thread that refuses connections");
            }
        }
        Self(sender)
    }

    /// Answers what this connection asks for with `why`.
    pub(super) fn refuse(&self, stream: TcpStream, peer: SocketAddr, why: String) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.0.try_send(Excess { stream, peer, why })
        {
            tracing::debug!(%peer, "closed without an answer");
        }
    }
}

fn refuse_all(shared: &Shared, receiver: &Mutex<Receiver<Excess>>) {
    loop {
        let Ok(excess) = receiver.lock().recv() else { return };
        if let Err(error) = refuse(shared, &excess) {
            tracing::debug!(peer = %excess.peer, %error, "refuse a connection");
        }
    }
}

fn refuse(shared: &Shared, excess: &Excess) -> Result<()> {
    let stream = Arc::new(excess.stream.try_clone()?);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut input = Input::new(Arc::clone(&stream));
    let Some(op) = input.read_op()? else { return Ok(()) };
    // What was sent is read: unread bytes would reset the connection before the answer is there.
    match op {
        Op::WriteBlock => drop(input.read_message::<OpWriteBlockProto>("OpWriteBlockProto")?),
        Op::ReadBlock => drop(input.read_message::<OpReadBlockProto>("OpReadBlockProto")?),
        Op::TransferBlock => {
            drop(input.read_message::<OpTransferBlockProto>("OpTransferBlockProto")?);
        }
        Op::BlockChecksum => {
            drop(input.read_message::<OpBlockChecksumProto>("OpBlockChecksumProto")?);
        }
        Op::CopyBlock => drop(input.read_message::<OpCopyBlockProto>("OpCopyBlockProto")?),
        Op::ReplaceBlock => {
            drop(input.read_message::<OpReplaceBlockProto>("OpReplaceBlockProto")?);
        }
        _ => return Ok(()),
    }
    let mut response = block_op_response(Status::Error, Some(&excess.why));
    if op == Op::WriteBlock {
        // The upstream nodes pass it on: the client leaves out this node, and not the first.
        let own = shared.datanode_id();
        response.first_bad_link = Some(format!("{}:{}", own.ip_addr, own.xfer_port));
    }
    wire::send(&stream, &encode_delimited(&response))?;
    Ok(())
}
