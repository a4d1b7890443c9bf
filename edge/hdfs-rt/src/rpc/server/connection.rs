//! One connection's task: reads what has come, runs every frame of it, and sends all answers with one write.
//!
//! Calls whose reply comes later wait in a set that this task polls itself, so a finished reply costs no message between
//! tasks. At the limit of calls in flight the socket is not read: the client feels it as back-pressure.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::FuturesUnordered;
use hdfs_format::rpc::{
    FrameBuffer, HTTP_ON_RPC_PORT, PreambleOutcome, encode_version_mismatch, read_preamble,
};
use hdfs_types::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::ServerConf;
use super::listener::ConnectionGuard;
use super::metrics::RESPONSE_SAMPLE;
use super::session::{PendingHead, PendingReply, Session, Step};

/// Answers are sent when so many bytes wait, even when more frames are there.
const FLUSH_AT: usize = 256 << 10;
/// A buffer that grew over this is given back after its bytes are sent.
const KEEP_BUFFER: usize = 1 << 20;

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) session: Session,
    pub(super) conf: Arc<ServerConf>,
    pub(super) guard: ConnectionGuard,
    frames: FrameBuffer,
    out: BytesMut,
    later: FuturesUnordered<LaterCall>,
    writes: u64,
}

/// Why the connection ends; nothing is wrong with any of them.
enum End {
    /// The peer closed, or the connection broke.
    Peer,
    /// An answer was sent after which the connection closes.
    Fatal,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Peer
    }
}

/// What the task was waiting for.
enum Event {
    Read(usize),
    /// At least one late reply was written into the buffer.
    Replied,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        session: Session,
        conf: Arc<ServerConf>,
        guard: ConnectionGuard,
    ) -> Self {
        Self {
            stream,
            session,
            conf,
            guard,
            frames: FrameBuffer::default(),
            out: BytesMut::new(),
            later: FuturesUnordered::new(),
            writes: 0,
        }
    }

    /// Serves until the peer leaves, breaks a rule or the server stops.
    pub(super) async fn run(mut self) {
        let deadline = self.conf.handshake_deadline;
        let outcome = match timeout(deadline, self.handshake()).await {
            Ok(Ok(())) => {
                self.guard.authenticated();
                self.serve().await
            }
            Ok(Err(end)) => Err(end),
            Err(_) => {
                tracing::debug!("close a connection: no context within {deadline:?}");
                Err(End::Peer)
            }
        };
        if matches!(outcome, Err(End::Fatal)) {
            // The answer says why; it is worth one try, not a wait.
            let _ = timeout(deadline, self.flush()).await;
            let _ = timeout(deadline, self.stream.shutdown()).await;
        }
    }

    /// Until the session is ready.
    async fn handshake(&mut self) -> Result<(), End> {
        loop {
            match read_preamble(self.frames.pending()) {
                PreambleOutcome::NeedMore => self.read_some().await?,
                PreambleOutcome::Rpc(preamble) => {
                    self.frames.advance(7);
                    let step = self.session.on_preamble(preamble, &mut self.out);
                    self.after(step)?;
                    break;
                }
                PreambleOutcome::HttpGet => {
                    self.out.extend_from_slice(HTTP_ON_RPC_PORT.as_bytes());
                    return Err(End::Fatal);
                }
                PreambleOutcome::OtherVersion { is_hadoop, version } => {
                    tracing::debug!(is_hadoop, version, "refuse a client of another version");
                    encode_version_mismatch(&mut self.out, version);
                    return Err(End::Fatal);
                }
            }
        }
        while !self.session.is_ready() {
            let now = Instant::now();
            if !self.next_frame(self.conf.max_handshake_frame_bytes, (now, now))? {
                self.flush().await?;
                self.read_some().await?;
            }
        }
        Ok(())
    }

    async fn serve(&mut self) -> Result<(), End> {
        loop {
            self.run_frames().await?;
            self.flush().await?;
            let reading = self.later.len() < self.conf.max_calls_in_flight;
            match poll_fn(|context| self.poll_event(context, reading)).await? {
                Event::Read(0) => return Err(End::Peer),
                Event::Read(bytes) => {
                    self.session.tally.tally.received_bytes.add(bytes as u64);
                    self.guard.touch();
                }
                Event::Replied => {}
            }
        }
    }

    /// Runs every whole frame, up to the limit of calls in flight.
    async fn run_frames(&mut self) -> Result<(), End> {
        let read_at = Instant::now();
        let mut now = read_at;
        while self.later.len() < self.conf.max_calls_in_flight {
            if !self.next_frame(self.conf.max_frame_bytes, (read_at, now))? {
                return Ok(());
            }
            let done = Instant::now();
            self.session.took(now.duration_since(read_at), done.duration_since(now));
            now = done;
            if self.out.len() >= FLUSH_AT {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Takes one frame; false when none is whole.
    fn next_frame(&mut self, limit: usize, times: (Instant, Instant)) -> Result<bool, End> {
        match self.frames.next(limit) {
            Ok(None) => Ok(false),
            Ok(Some(frame)) => {
                let step = self.session.on_frame(&frame, times, &mut self.out);
                self.after(step)?;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!("{}", error.describe(&self.guard.peer()));
                Err(End::Peer)
            }
        }
    }

    fn after(&mut self, step: Step) -> Result<(), End> {
        match step {
            Step::Done => Ok(()),
            Step::Later(PendingReply { reply, head }) => {
                self.guard.call_started();
                self.later.push(LaterCall { reply, head: Some(head) });
                Ok(())
            }
            Step::Close => Err(End::Fatal),
        }
    }

    async fn read_some(&mut self) -> Result<(), End> {
        match self.stream.read_buf(self.frames.space()).await? {
            0 => Err(End::Peer),
            _ => Ok(()),
        }
    }

    /// Sends everything that waits.
    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.session.tally.tally.sent_bytes.add(self.out.len() as u64);
        let began = self.writes.is_multiple_of(RESPONSE_SAMPLE).then(Instant::now);
        self.writes += 1;
        let sent = match self.stream.try_write(&self.out) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        if sent < self.out.len() {
            let rest = self.stream.write_all(&self.out[sent..]);
            timeout(self.conf.write_deadline, rest).await.map_err(|_| End::Peer)??;
        }
        if let Some(began) = began {
            self.session.tally.tally.response_time.record(began.elapsed());
        }
        if self.out.capacity() > KEEP_BUFFER {
            self.out = BytesMut::new();
        } else {
            self.out.clear();
        }
        Ok(())
    }

    /// Writes all late replies that are ready; else reads.
    fn poll_event(&mut self, context: &mut Context<'_>, reading: bool) -> Poll<Result<Event, End>> {
        let mut replied = false;
        while self.out.len() < FLUSH_AT {
            let Poll::Ready(Some((head, result))) = Pin::new(&mut self.later).poll_next(context)
            else {
                break;
            };
            self.session.on_later(head, &result, &mut self.out);
            self.guard.call_ended();
            replied = true;
        }
        if replied {
            return Poll::Ready(Ok(Event::Replied));
        }
        if !reading {
            return Poll::Pending;
        }
        let read = pin!(self.stream.read_buf(self.frames.space()));
        read.poll(context).map(|outcome| Ok(Event::Read(outcome?)))
    }
}

/// A reply in the making, with the head that its answer repeats.
struct LaterCall {
    reply: super::LaterReply,
    head: Option<PendingHead>,
}

impl Future for LaterCall {
    type Output = (PendingHead, Result<Bytes>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(result) = self.reply.as_mut().poll(context) else {
            return Poll::Pending;
        };
        let head = self.head.take().expect("a finished reply is not polled again");
        Poll::Ready((head, result))
    }
}
