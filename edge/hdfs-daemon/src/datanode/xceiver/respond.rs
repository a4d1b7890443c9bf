//! Acknowledgements from the node below, passed up as soon as this node has the packet too.

use std::collections::VecDeque;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hdfs_datapath::ack::{AckAction, MirrorAcks, PendingPacket, last_node_ack, mirror_lost};
use hdfs_format::datatransfer::{UNKNOWN_SEQNO, encode_delimited, encode_delimited_into};
use hdfs_proto::hdfs::{PipelineAckProto, Status};
use hdfs_types::{Block, Error, Result};
use parking_lot::{Condvar, Mutex};

use super::super::Shared;
use super::super::dataset::{Pool, WriteTarget};
use super::super::metrics::Active;
use super::super::wire::{self, Input};

const STACK_BYTES: usize = 256 * 1024;
/// How long a corrupt packet's writer waits for the word to go up.
const TELL_PATIENCE: Duration = Duration::from_secs(3);

#[derive(Default)]
struct State {
    acks: MirrorAcks,
    /// The last packet of each batch that was passed on, and when.
    sent: VecDeque<(i64, Instant)>,
    /// The receiver has given up.
    abandoned: bool,
    /// The node below is gone, and upstream was told.
    lost: bool,
    /// A packet's corruption was reported upstream.
    told: bool,
}

struct Inner {
    shared: Arc<Shared>,
    state: Mutex<State>,
    changed: Condvar,
    upstream: Arc<TcpStream>,
    pool: Arc<Pool>,
    block: Block,
    writer: hdfs_datanode::WriterId,
}

/// The thread that passes acknowledgements up.
pub(super) struct Responder {
    inner: Arc<Inner>,
    thread: JoinHandle<Result<()>>,
}

impl Responder {
    pub(super) fn start(
        shared: &Arc<Shared>,
        target: &WriteTarget,
        upstream: &Arc<TcpStream>,
        from_below: Input,
    ) -> Result<Self> {
        let inner = Arc::new(Inner {
            shared: Arc::clone(shared),
            state: Mutex::default(),
            changed: Condvar::new(),
            upstream: Arc::clone(upstream),
            pool: Arc::clone(&target.pool),
            block: target.block,
            writer: target.writer,
        });
        let of_thread = Arc::clone(&inner);
        let thread = thread::Builder::new()
            .name("responder".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let active = Active::new(&of_thread.shared.counters.responders);
                let result = of_thread.run(from_below);
                drop(active);
                if result.is_err() {
                    // Ends the receiver too: upstream sees the connection close and blames this node.
                    let _ = of_thread.upstream.shutdown(Shutdown::Both);
                }
                result
            })?;
        Ok(Self { inner, thread })
    }

    /// These packets are on this node's disk, or refused. They were passed on from `sent` on.
    pub(super) fn push(
        &self,
        packets: impl Iterator<Item = PendingPacket>,
        sent: Instant,
    ) -> Result<()> {
        let mut state = self.inner.state.lock();
        if state.lost {
            return Ok(());
        }
        let was_empty = state.acks.is_empty();
        let mut last = None;
        packets.for_each(|packet| {
            last = Some(packet.seqno);
            state.acks.push(packet);
        });
        state.sent.extend(last.map(|seqno| (seqno, sent)));
        if was_empty && let Some(refused) = state.refused_head() {
            state.told = true;
            drop(state);
            return self.inner.tell(refused);
        }
        drop(state);
        self.inner.changed.notify_one();
        Ok(())
    }

    /// Waits until the refusal of a packet went up.
    pub(super) fn wait_until_told(&self) {
        let mut state = self.inner.state.lock();
        while !state.told && !state.lost {
            if self.inner.changed.wait_for(&mut state, TELL_PATIENCE).timed_out() {
                return;
            }
        }
    }

    /// The node below is gone: upstream is told once.
    pub(super) fn mirror_lost(&self) {
        self.inner.mirror_lost();
    }

    /// The receiver gave up.
    pub(super) fn abandon(&self) {
        self.inner.state.lock().abandoned = true;
        self.inner.changed.notify_all();
    }

    /// Waits for the thread's end.
    pub(super) fn join(self) -> Result<()> {
        self.thread.join().unwrap_or_else(|_| Err(Error::io("the responder failed")))
    }
}

impl State {
    fn refused_head(&self) -> Option<PendingPacket> {
        self.acks.head().copied().filter(|packet| packet.status != Status::Success)
    }
}

impl Inner {
    fn run(&self, mut from_below: Input) -> Result<()> {
        let mut out = Vec::new();
        loop {
            let first: PipelineAckProto = match from_below.read_message("PipelineAckProto") {
                Ok(ack) => ack,
                Err(error) => return self.below_failed(&error),
            };
            out.clear();
            let mut acked = 0;
            let mut next = Some(first);
            let mut ended = false;
            while let Some(ack) = next {
                let action = self.handle(&ack);
                match action {
                    None => return Ok(()),
                    Some(AckAction::Send { ack, acked: bytes, last }) => {
                        encode_delimited_into(&ack, &mut out);
                        acked = acked.max(bytes.unwrap_or(0));
                        ended |= last;
                    }
                    Some(AckAction::SelfDestruct) => {
                        return Err(Error::io(
                            "Shutting down writer and responder since the down streams reported the data sent by this \
                             thread is corrupt",
                        ));
                    }
                    Some(AckAction::OutOfOrder { expected, received }) => {
                        let text = format!("seqno: expected={expected}, received={received}");
                        return self.below_failed(&Error::io(text));
                    }
                }
                next = from_below.buffered_message("PipelineAckProto")?;
            }
            if acked > 0 && !ended {
                self.acked(acked);
            }
            wire::send(&self.upstream, &out)?;
            if ended {
                return Ok(());
            }
            let refused = {
                let mut state = self.state.lock();
                let refused = state.refused_head();
                state.told |= refused.is_some();
                refused
            };
            if let Some(refused) = refused {
                self.tell(refused)?;
                self.changed.notify_all();
                return Ok(());
            }
        }
    }

    /// Handles one acknowledgement, waiting until this node has the packet too. `None`: the receiver gave up.
    fn handle(&self, ack: &PipelineAckProto) -> Option<AckAction> {
        let mut state = self.state.lock();
        while ack.seqno != UNKNOWN_SEQNO && state.acks.is_empty() {
            if state.abandoned || state.lost {
                return None;
            }
            self.changed.wait(&mut state);
        }
        while let Some((seqno, sent)) = state.sent.front().copied()
            && seqno <= ack.seqno
        {
            state.sent.pop_front();
            if seqno == ack.seqno {
                self.shared.counters.packet_acks.record(sent.elapsed());
            }
        }
        Some(state.acks.handle_downstream(ack))
    }

    fn below_failed(&self, error: &Error) -> Result<()> {
        if self.state.lock().abandoned {
            return Ok(());
        }
        tracing::info!(block = %self.pool.extended(self.block), %error, "the next node of the pipeline failed");
        self.mirror_lost();
        Ok(())
    }

    fn mirror_lost(&self) {
        {
            let mut state = self.state.lock();
            if std::mem::replace(&mut state.lost, true) {
                return;
            }
        }
        self.changed.notify_all();
        // Upstream that is gone as well needs no word.
        let _ = wire::send(&self.upstream, &encode_delimited(&mirror_lost()));
    }

    fn tell(&self, refused: PendingPacket) -> Result<()> {
        if let AckAction::Send { ack, .. } = last_node_ack(refused) {
            wire::send(&self.upstream, &encode_delimited(&ack))?;
        }
        Ok(())
    }

    fn acked(&self, bytes: u64) {
        self.pool.acked(self.block.id, self.writer, bytes);
    }
}
