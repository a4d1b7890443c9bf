//! The task that sends packets, takes acknowledgements, and moves from block to block.
//!
//! One task does both directions of the connection: it writes as many packets as the socket takes, in one call for
//! several, and reads every acknowledgement that is there, and sleeps only when neither goes on.
//!
//! **Invariants:** packets are acknowledged in the order in which they are sent. The packet that ends a block is sent
//! when everything before it is acknowledged, so that a failure while closing finds complete replicas.
//!
//! Hadoop: org.apache.hadoop.hdfs.DataStreamer (3.5.0)

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use hdfs_datapath::ack::{AckVerdict, judge};
use hdfs_datapath::filler::Packet;
use hdfs_format::datatransfer::{self, Prefix};
use hdfs_proto::common::TokenProto;
use hdfs_proto::hdfs as proto;
use hdfs_types::{Error, ExtendedBlock, INodeId, Result};
use tokio::io::Interest;
use tokio::sync::mpsc::{self, error::TryRecvError};
use tokio::time::Instant;

use super::BlockPlacement;
use super::shared::Shared;
use crate::HdfsClient;
use crate::located::{DatanodeInfo, LocatedBlock, ReplicaLocation};
use crate::peer::Peer;

/// Packets that one call gives to the socket at most.
const MAX_SLICES: usize = 16;

/// The file that is being written.
#[derive(Debug)]
pub(super) struct FileContext {
    pub(super) client: HdfsClient,
    pub(super) path: String,
    pub(super) file_id: INodeId,
    pub(super) block_size: u64,
    pub(super) replication: usize,
    pub(super) placement: BlockPlacement,
}

/// How far a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The next packet begins a new block.
    Create,
    /// The next packet continues the last block of the file.
    Append,
    /// The pipeline stands.
    Streaming,
    /// Everything is acknowledged and the last packet is on its way.
    Closing,
}

/// Why a pipeline broke, as far as is known.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Error,
    /// The DataNode to leave out; the first when nobody was named.
    pub(super) bad: usize,
    /// That DataNode said that it restarts.
    pub(super) restarting: bool,
}

impl Broken {
    pub(super) fn first(error: impl Into<Error>) -> Self {
        Self { error: error.into(), bad: 0, restarting: false }
    }
}

/// How streaming a block ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// The block is complete on every DataNode.
    Block,
    /// The writer is gone.
    Abandoned,
}

/// The state of the task.
#[derive(Debug)]
pub(super) struct Streamer {
    pub(super) file: FileContext,
    pub(super) shared: Arc<Shared>,
    receiver: mpsc::UnboundedReceiver<Packet>,
    pub(super) unsent: VecDeque<Packet>,
    /// Bytes of the first unsent packet that the socket has taken.
    front_sent: usize,
    pub(super) unacked: VecDeque<Packet>,
    pub(super) stage: Stage,
    /// The block with the length that is acknowledged; the one before while there is no new one.
    pub(super) block: Option<ExtendedBlock>,
    pub(super) token: TokenProto,
    pub(super) nodes: Vec<ReplicaLocation>,
    /// First byte after the last data that was sent.
    pub(super) bytes_sent: u64,
    pub(super) is_append: bool,
    /// DataNodes that failed in pipelines of this file.
    pub(super) failed: Vec<DatanodeInfo>,
    /// DataNodes with which no pipeline could be set up, and when.
    pub(super) excluded: Vec<(DatanodeInfo, Instant)>,
    /// Recoveries since the last acknowledgement.
    recoveries: u32,
    last_heard: Instant,
    last_sent: Instant,
    heartbeats_out: u32,
}

impl Streamer {
    /// `last` is the last block of a file that is appended to; with `fill_last` it is continued.
    pub(super) fn new(
        file: FileContext,
        shared: Arc<Shared>,
        receiver: mpsc::UnboundedReceiver<Packet>,
        last: Option<LocatedBlock>,
        fill_last: bool,
    ) -> Self {
        let is_append = fill_last && last.is_some();
        let (block, token, nodes) = match last {
            Some(last) => (Some(last.block), last.token, last.locations),
            None => (None, TokenProto::default(), Vec::new()),
        };
        shared.set_block(block.clone());
        let now = Instant::now();
        Self {
            bytes_sent: block.as_ref().filter(|_| is_append).map_or(0, |b| b.block.num_bytes),
            stage: if is_append { Stage::Append } else { Stage::Create },
            file,
            shared,
            receiver,
            unsent: VecDeque::new(),
            front_sent: 0,
            unacked: VecDeque::new(),
            block,
            token,
            nodes: if is_append { nodes } else { Vec::new() },
            is_append,
            failed: Vec::new(),
            excluded: Vec::new(),
            recoveries: 0,
            last_heard: now,
            last_sent: now,
            heartbeats_out: 0,
        }
    }

    /// Runs until the writer is gone or nothing helps any more.
    pub(super) async fn run(mut self) {
        if let Err(error) = self.blocks().await {
            tracing::warn!(path = %self.file.path, %error, "write");
            self.shared.fail(error);
        }
    }

    async fn blocks(&mut self) -> Result<()> {
        loop {
            if self.unsent.is_empty() {
                match self.receiver.recv().await {
                    Some(packet) => self.unsent.push_back(packet),
                    None => return Ok(()),
                }
            }
            let mut peer = match self.stage {
                Stage::Append => self.set_up_append().await?,
                _ => self.set_up_create().await?,
            };
            loop {
                self.begin_streaming();
                match self.stream(&mut peer).await {
                    Ok(Ended::Abandoned) => return Ok(()),
                    Ok(Ended::Block) => break,
                    Err(broken) => {
                        drop(peer);
                        match self.recover_from(broken).await? {
                            Some(again) => peer = again,
                            None => break,
                        }
                    }
                }
            }
            self.stage = Stage::Create;
            self.is_append = false;
            self.nodes.clear();
        }
    }

    fn begin_streaming(&mut self) {
        if self.stage != Stage::Closing {
            self.stage = Stage::Streaming;
        }
        self.last_heard = Instant::now();
        self.last_sent = self.last_heard;
        self.heartbeats_out = 0;
    }

    /// Puts everything unacknowledged back into the queue and builds another pipeline; `None` when the block is
    /// complete with that.
    async fn recover_from(&mut self, broken: Broken) -> Result<Option<Peer>> {
        tracing::warn!(
            path = %self.file.path,
            block = ?self.block,
            bad = self.nodes.get(broken.bad).map(|place| place.datanode.xfer_addr()),
            error = %broken.error,
            "recover the pipeline"
        );
        self.front_sent = 0;
        self.unsent.retain(|packet| !packet.is_heartbeat());
        while let Some(packet) = self.unacked.pop_back() {
            self.unsent.push_front(packet);
        }
        if !broken.restarting {
            self.recoveries += 1;
        }
        let limit = self.file.client.conf().max_pipeline_recoveries;
        if self.recoveries > limit {
            return Err(Error::io(format!(
                "Failing write. Tried pipeline recovery {limit} times without success."
            ))
            .with_source(broken.error));
        }
        let peer = self.rebuild_pipeline(Some(broken)).await?;
        if self.stage != Stage::Closing {
            return Ok(Some(peer));
        }
        // A DataNode that recovers from a failed close completes its replica at once: there is nothing to send.
        if let Some(packet) = self.unsent.pop_front() {
            debug_assert!(packet.last);
            self.recoveries = 0;
            self.shared.acked(packet);
        }
        Ok(None)
    }

    /// Sends packets and takes acknowledgements until the block ends or the pipeline breaks.
    async fn stream(&mut self, peer: &mut Peer) -> Result<Ended, Broken> {
        loop {
            match self.take_queued() {
                Ok(()) => {}
                Err(()) => return Ok(Ended::Abandoned),
            }
            let sent = match self.send_some(peer) {
                Ok(sent) => sent,
                Err(error) => return Err(self.blame(peer, error)),
            };
            let (heard, ended) = self.hear_some(peer)?;
            if ended {
                return Ok(Ended::Block);
            }
            if !(sent || heard) && self.wait(peer).await? {
                return Ok(Ended::Abandoned);
            }
        }
    }

    /// Takes what the writer has queued; an error when the writer is gone.
    fn take_queued(&mut self) -> Result<(), ()> {
        loop {
            match self.receiver.try_recv() {
                Ok(packet) => self.unsent.push_back(packet),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(()),
            }
        }
    }

    /// How many packets may go out now: up to the one that ends the block, that one alone, and nothing after it.
    fn sendable(&self) -> usize {
        if self.stage == Stage::Closing {
            return usize::from(self.unsent.front().is_some_and(Packet::is_heartbeat));
        }
        let window = self.unsent.iter().take(MAX_SLICES);
        match window.clone().position(|packet| packet.last) {
            Some(0) if self.unacked.is_empty() => 1,
            Some(index) => index,
            None => window.len(),
        }
    }

    /// Gives the socket what it takes without waiting; true when it took anything.
    fn send_some(&mut self, peer: &Peer) -> io::Result<bool> {
        let mut any = false;
        loop {
            let count = self.sendable();
            if count == 0 {
                return Ok(any);
            }
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            for (index, (slot, packet)) in
                slices.iter_mut().zip(&self.unsent).take(count).enumerate()
            {
                let skip = if index == 0 { self.front_sent } else { 0 };
                *slot = IoSlice::new(&packet.bytes()[skip..]);
            }
            match peer.try_send(&slices[..count]) {
                Ok(written) => {
                    any = true;
                    self.sent(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                Err(error) => return Err(error),
            }
        }
    }

    /// The socket took so many bytes more.
    fn sent(&mut self, mut bytes: usize) {
        self.last_sent = Instant::now();
        if self.unacked.is_empty() {
            self.last_heard = self.last_sent;
        }
        while let Some(front) = self.unsent.front() {
            let rest = front.bytes().len() - self.front_sent;
            if bytes < rest {
                self.front_sent += bytes;
                return;
            }
            bytes -= rest;
            self.front_sent = 0;
            let Some(packet) = self.unsent.pop_front() else { return };
            if packet.is_heartbeat() {
                self.heartbeats_out += 1;
                continue;
            }
            if packet.last {
                self.stage = Stage::Closing;
            }
            self.bytes_sent = self.bytes_sent.max(packet.end_offset);
            self.unacked.push_back(packet);
            if bytes == 0 {
                return;
            }
        }
    }

    /// Reads the acknowledgements that are there: whether there were any, and whether the block is complete.
    fn hear_some(&mut self, peer: &mut Peer) -> Result<(bool, bool), Broken> {
        let mut any = false;
        loop {
            while let Some(ack) = next_ack(peer).map_err(Broken::first)? {
                any = true;
                if self.handle_ack(&ack)? {
                    return Ok((true, true));
                }
            }
            match peer.try_fill() {
                Ok(0) => return Err(Broken::first(crate::peer::eof())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok((any, false)),
                Err(error) => return Err(Broken::first(error)),
            }
        }
    }

    /// True when this acknowledges the end of the block.
    fn handle_ack(&mut self, ack: &proto::PipelineAckProto) -> Result<bool, Broken> {
        self.last_heard = Instant::now();
        let broken = |bad: usize, restarting, message| Broken {
            error: Error::io(message),
            bad: bad.min(self.nodes.len().saturating_sub(1)),
            restarting,
        };
        let name = |index: usize| {
            self.nodes.get(index).map_or_else(String::new, |place| place.datanode.xfer_addr())
        };
        match judge(ack) {
            AckVerdict::Heartbeat => {
                self.heartbeats_out = self.heartbeats_out.saturating_sub(1);
                Ok(false)
            }
            AckVerdict::BadNode { index, status } => {
                let status = status.as_str_name();
                let message = format!("Bad response {status} from datanode {}", name(index));
                Err(broken(index, false, message))
            }
            AckVerdict::Restarting { index } => {
                let message = format!("Datanode {index} is restarting: {}", name(index));
                Err(broken(index, true, message))
            }
            AckVerdict::Acked => {
                let expected = self.unacked.front().map(|packet| packet.seqno);
                let Some(packet) = self.unacked.pop_front_if(|front| front.seqno == ack.seqno)
                else {
                    let message = format!(
                        "ResponseProcessor: Expecting seqno {expected:?} but received {}",
                        ack.seqno
                    );
                    return Err(broken(0, false, message));
                };
                if let Some(block) = &mut self.block {
                    block.block.num_bytes = packet.end_offset;
                }
                self.shared.set_block_length(packet.end_offset);
                self.recoveries = 0;
                let last = packet.last;
                self.shared.acked(packet);
                Ok(last)
            }
        }
    }

    /// A send failed. The reason may be an acknowledgement that was not read yet, and names the bad node.
    fn blame(&mut self, peer: &mut Peer, error: io::Error) -> Broken {
        match self.hear_some(peer) {
            Err(broken) if broken.bad > 0 || broken.restarting => broken,
            _ => Broken::first(error),
        }
    }

    /// Sleeps until something can go on; true when the writer is gone.
    async fn wait(&mut self, peer: &Peer) -> Result<bool, Broken> {
        let conf = self.file.client.conf();
        let silence: Duration = conf.read_timeout(self.nodes.len());
        let awaited = !self.unacked.is_empty() || self.heartbeats_out > 0 || self.front_sent > 0;
        let heartbeat_at = self.last_sent + conf.socket_timeout / 2;
        let give_up_at = self.last_heard + silence;
        let wake_at = if awaited { heartbeat_at.min(give_up_at) } else { heartbeat_at };
        let writes = self.sendable() > 0;
        let interest =
            if writes { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        tokio::select! {
            ready = peer.ready(interest) => {
                ready.map_err(Broken::first)?;
            }
            packet = self.receiver.recv() => match packet {
                Some(packet) => self.unsent.push_back(packet),
                None => return Ok(true),
            },
            () = tokio::time::sleep_until(wake_at) => {
                let now = Instant::now();
                if awaited && now >= give_up_at {
                    let message = format!("{} millis timeout while waiting for the pipeline", silence.as_millis());
                    let kind = hdfs_types::ErrorKind::SocketTimeout;
                    return Err(Broken::first(Error::new(kind, message)));
                }
                if now >= heartbeat_at {
                    self.last_sent = now;
                    if self.front_sent == 0 {
                        self.unsent.push_front(Packet::heartbeat());
                    }
                }
            }
        }
        Ok(false)
    }
}

/// The next acknowledgement in the connection's buffer.
fn next_ack(peer: &mut Peer) -> Result<Option<proto::PipelineAckProto>> {
    let Prefix::Complete { prefix, length } = datatransfer::decode_prefix(peer.buffered())? else {
        return Ok(None);
    };
    let Some(bytes) = peer.buffered().get(prefix..prefix + length) else { return Ok(None) };
    let ack = datatransfer::decode_message("pipeline ack", bytes)?;
    peer.consume(prefix + length);
    Ok(Some(ack))
}
