//! One connection of the client: callers append to its outgoing buffer, one task writes and reads.
//!
//! **Invariant:** a caller appends and registers under the same lock under which the task closes, so no call is lost
//! between: it is answered, or failed with the word whether its bytes left.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hdfs_format::rpc::{
    AuthProtocol, Context as ConnectionContext, FrameBuffer, Response, decode_response,
    encode_context, encode_ping, encode_preamble,
};
use hdfs_proto::common::rpc_response_header_proto::RpcStatusProto;
use hdfs_types::{CallId, ClientId, Error, ErrorKind, FastMap, Result};
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::{ClientConf, ConnectionKey, Inner, failure};

/// A call without an answer.
pub(super) struct Lost {
    pub(super) error: Error,
    /// False when surely no byte of the call left this machine.
    pub(super) was_sent: bool,
}

type Outcome = Result<Response, Lost>;

/// A connection that is being made, open or closed.
pub(super) struct Connection {
    key: ConnectionKey,
    client_id: ClientId,
    state: Mutex<State>,
}

struct State {
    /// Bytes that the task has not taken yet.
    out: BytesMut,
    /// Bytes appended so far, and bytes the socket took so far.
    appended: u64,
    written: u64,
    pending: FastMap<i32, Pending>,
    /// Wakes the task.
    waker: Option<Waker>,
    closed: bool,
    connected_at: Option<Instant>,
    last_read: Instant,
}

struct Pending {
    reply: oneshot::Sender<Outcome>,
    /// Where the call's bytes begin in the stream.
    start: u64,
}

impl Connection {
    /// Starts to connect on the current runtime.
    pub(super) fn start(key: ConnectionKey, client: &Arc<Inner>) -> Arc<Self> {
        let connection = Arc::new(Self {
            key,
            client_id: client.client_id,
            state: Mutex::new(State {
                out: BytesMut::new(),
                appended: 0,
                written: 0,
                pending: FastMap::default(),
                waker: None,
                closed: false,
                connected_at: None,
                last_read: Instant::now(),
            }),
        });
        let driver = Driver {
            connection: Arc::clone(&connection),
            client: Arc::downgrade(client),
            conf: client.conf.clone(),
        };
        tokio::spawn(driver.run());
        connection
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Ends the connection; its calls fail.
    pub(super) fn close(&self) {
        let waker = {
            let mut state = self.state.lock();
            state.closed = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Appends a call; `None` when the connection has closed meanwhile.
    ///
    /// # Errors
    /// When a call of this id is waiting already.
    pub(super) fn send(
        self: &Arc<Self>,
        call_id: CallId,
        encode: impl FnOnce(&mut BytesMut),
    ) -> Result<Option<PendingCall>> {
        let (reply, answer) = oneshot::channel();
        let waker = {
            let mut state = self.state.lock();
            if state.closed {
                return Ok(None);
            }
            if state.pending.contains_key(&call_id.0) {
                return Err(Error::new(
                    ErrorKind::IllegalState,
                    format!("call {call_id} is already in flight on this connection"),
                ));
            }
            let before = state.out.len();
            encode(&mut state.out);
            let start = state.appended;
            state.appended += (state.out.len() - before) as u64;
            state.pending.insert(call_id.0, Pending { reply, start });
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(Some(PendingCall {
            connection: Arc::clone(self),
            call_id,
            answer,
            sent_at: Instant::now(),
        }))
    }

    /// Closes the books: every waiting call fails with this error.
    fn fail_all(&self, error: impl Fn() -> Error) {
        let (pending, written) = {
            let mut state = self.state.lock();
            state.closed = true;
            state.out = BytesMut::new();
            (std::mem::take(&mut state.pending), state.written)
        };
        for call in pending.into_values() {
            let lost = Lost { error: error(), was_sent: written > call.start };
            // A caller that no longer waits needs no answer.
            let _ = call.reply.send(Err(lost));
        }
    }
}

/// A call that was appended; dropping it forgets the call.
pub(super) struct PendingCall {
    connection: Arc<Connection>,
    call_id: CallId,
    answer: oneshot::Receiver<Outcome>,
    sent_at: Instant,
}

impl PendingCall {
    /// Waits for the answer, at most so long after the call was sent on an open connection.
    pub(super) async fn answer(mut self, limit: Option<Duration>) -> Outcome {
        let Some(limit) = limit else {
            return Self::received((&mut self.answer).await, &self.connection);
        };
        let mut deadline = self.sent_at + limit;
        loop {
            tokio::select! {
                biased;
                answer = &mut self.answer => return Self::received(answer, &self.connection),
                () = sleep_until(deadline) => {}
            }
            // Connecting has its own limits; the answer's begins when the connection stands.
            let connected_at = self.connection.state.lock().connected_at;
            let start = connected_at.map_or_else(Instant::now, |at| at.max(self.sent_at));
            if start + limit > deadline {
                deadline = start + limit;
                continue;
            }
            return Err(self.timed_out(limit));
        }
    }

    fn received(
        answer: Result<Outcome, oneshot::error::RecvError>,
        connection: &Connection,
    ) -> Outcome {
        answer.unwrap_or_else(|_| {
            let error = failure::closed(&connection.key.addr, None);
            Err(Lost { error, was_sent: true })
        })
    }

    /// A server that said nothing at all since the call was sent may be gone: then the connection goes too.
    fn timed_out(&self, limit: Duration) -> Lost {
        let state = self.connection.state.lock();
        let is_silent = state.last_read < self.sent_at;
        let was_sent =
            state.pending.get(&self.call_id.0).is_none_or(|call| state.written > call.start);
        drop(state);
        if is_silent {
            self.connection.close();
        }
        Lost { error: failure::timeout(&self.connection.key.addr, limit), was_sent }
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        self.connection.state.lock().pending.remove(&self.call_id.0);
    }
}

/// The task of one connection.
struct Driver {
    connection: Arc<Connection>,
    client: Weak<Inner>,
    conf: ClientConf,
}

/// Why a connection ended.
enum End {
    /// Nobody needs it.
    Idle,
    /// The peer closed or the socket broke.
    Broken(Option<io::Error>),
    /// The server refused the connection.
    Refused(Error),
    /// The peer's bytes are no answer.
    Nonsense(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(Some(error))
    }
}

impl Driver {
    async fn run(self) {
        // Also when the runtime ends and drops this task: callers elsewhere must not wait for ever.
        let books = Books { connection: Arc::clone(&self.connection), client: self.client.clone() };
        let end = match self.connect().await {
            Ok(stream) => match self.serve(stream).await {
                Ok(never) => match never {},
                Err(end) => end,
            },
            Err(error) => End::Refused(error),
        };
        let addr = &self.connection.key.addr;
        books.connection.fail_all(|| match &end {
            End::Idle => failure::closed(addr, None),
            End::Broken(cause) => failure::closed(addr, cause.as_ref()),
            End::Refused(error) => Error::new(error.kind.clone(), error.message.clone()),
            End::Nonsense(what) => Error::io(failure::local(addr, what)),
        });
    }

    /// Connects by Hadoop's rules of retrying; the name is resolved anew each time.
    async fn connect(&self) -> Result<TcpStream> {
        let addr = &self.connection.key.addr;
        let (mut failures, mut timeouts) = (0, 0);
        loop {
            let error = match self.connect_once().await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            let (count, max) = if error.kind == ErrorKind::SocketTimeout {
                (&mut timeouts, self.conf.connect_max_retries_on_timeouts)
            } else {
                (&mut failures, self.conf.connect_max_retries)
            };
            if *count >= max || self.is_unwanted() {
                return Err(error);
            }
            tracing::info!(
                "Retrying connect to server: {addr}. Already tried {count} time(s); maxRetries={max}"
            );
            *count += 1;
            if error.kind != ErrorKind::SocketTimeout {
                sleep(self.conf.connect_retry_interval).await;
            }
        }
    }

    async fn connect_once(&self) -> Result<TcpStream> {
        let addr = &self.connection.key.addr;
        let candidates = match addr.host.parse() {
            Ok(address) => vec![std::net::SocketAddr::new(address, addr.port)],
            Err(_) => {
                let mut all: Vec<_> = tokio::net::lookup_host((addr.host.as_str(), addr.port))
                    .await
                    .map_err(|_| failure::unknown_host(addr))?
                    .collect();
                all.sort_by_key(std::net::SocketAddr::is_ipv6);
                all
            }
        };
        let mut last = failure::unknown_host(addr);
        for candidate in candidates {
            let limit = self.conf.connect_timeout;
            let outcome = timeout(limit, TcpStream::connect(candidate)).await;
            let outcome = outcome.unwrap_or_else(|_| {
                let what = format!("{} millis timeout while connecting", limit.as_millis());
                Err(io::Error::new(io::ErrorKind::TimedOut, what))
            });
            match outcome.and_then(|stream| self.prepare(stream)) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = failure::connect(addr, &error),
            }
        }
        Err(last)
    }

    fn prepare(&self, stream: TcpStream) -> io::Result<TcpStream> {
        stream.set_nodelay(self.conf.tcp_no_delay)?;
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(600));
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        // A port of the ephemeral range can connect to itself when nothing listens there.
        if stream.local_addr()? == stream.peer_addr()? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(stream)
    }

    /// True when no caller waits for this connection.
    fn is_unwanted(&self) -> bool {
        let state = self.connection.state.lock();
        state.closed || state.pending.is_empty()
    }

    async fn serve(&self, stream: TcpStream) -> Result<std::convert::Infallible, End> {
        let mut wire = Wire {
            stream,
            writing: BytesMut::new(),
            greeting: 0,
            frames: FrameBuffer::default(),
            timer: Box::pin(sleep(self.tick())),
            last_active: Instant::now(),
        };
        self.greet(&mut wire);
        self.connection.state.lock().connected_at = Some(Instant::now());
        loop {
            poll_fn(|context| self.poll(&mut wire, context)).await?;
            let mut read = false;
            while let Some(frame) =
                wire.frames.next(self.conf.max_response_bytes).map_err(|error| {
                    End::Nonsense(error.describe(&self.connection.key.addr.to_string()))
                })?
            {
                self.on_frame(frame)?;
                read = true;
            }
            if read {
                let now = Instant::now();
                wire.last_active = now;
                self.connection.state.lock().last_read = now;
            }
        }
    }

    /// Preamble and context go out with the first call: the server answers neither.
    fn greet(&self, wire: &mut Wire) {
        encode_preamble(&mut wire.writing, AuthProtocol::None);
        let key = &self.connection.key;
        let context = ConnectionContext {
            user: Some(&key.ugi.user),
            real_user: key.ugi.real_user.as_deref(),
            protocol: key.protocol,
        };
        encode_context(&mut wire.writing, self.connection.client_id, context);
        wire.greeting = wire.writing.len();
    }

    fn tick(&self) -> Duration {
        self.conf.ping_interval.unwrap_or(self.conf.max_idle).min(self.conf.max_idle)
    }

    /// Writes what waits and reads what has come; ready when bytes were read.
    fn poll(&self, wire: &mut Wire, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        while wire.timer.as_mut().poll(context).is_ready() {
            self.on_tick(wire)?;
        }
        {
            let mut state = self.connection.state.lock();
            if state.closed {
                return Poll::Ready(Err(End::Idle));
            }
            if !state.waker.as_ref().is_some_and(|old| old.will_wake(context.waker())) {
                state.waker = Some(context.waker().clone());
            }
        }
        self.poll_write(wire, context)?;
        let read = pin!(wire.stream.read_buf(wire.frames.space()));
        match read.poll(context) {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(End::Broken(None))),
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes until nothing waits or the socket takes no more; the task is woken for more of either.
    fn poll_write(&self, wire: &mut Wire, context: &mut Context<'_>) -> Result<(), End> {
        loop {
            if wire.writing.len() <= wire.greeting {
                let mut state = self.connection.state.lock();
                if state.out.is_empty() {
                    // The greeting alone waits for the first call. Who appends takes the waker, so leave one.
                    state.waker = Some(context.waker().clone());
                    return Ok(());
                }
                if wire.writing.is_empty() {
                    std::mem::swap(&mut wire.writing, &mut state.out);
                } else {
                    let out = state.out.split();
                    wire.writing.extend_from_slice(&out);
                }
            }
            match Pin::new(&mut wire.stream).poll_write(context, &wire.writing) {
                Poll::Ready(Ok(0)) => return Err(End::Broken(None)),
                Poll::Ready(Ok(sent)) => {
                    wire.writing.advance(sent);
                    let greeting = sent.min(wire.greeting);
                    wire.greeting -= greeting;
                    wire.last_active = Instant::now();
                    self.connection.state.lock().written += (sent - greeting) as u64;
                }
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Closes an idle connection, pings a silent one that somebody waits on.
    fn on_tick(&self, wire: &mut Wire) -> Result<(), End> {
        let quiet = wire.last_active.elapsed();
        let mut state = self.connection.state.lock();
        if state.pending.is_empty() {
            if quiet >= self.conf.max_idle {
                state.closed = true;
                return Err(End::Idle);
            }
        } else if self.conf.ping_interval.is_some_and(|interval| quiet >= interval)
            && wire.greeting == 0
        {
            let before = state.out.len();
            encode_ping(&mut state.out);
            state.appended += (state.out.len() - before) as u64;
        }
        wire.timer.as_mut().reset(Instant::now() + self.tick());
        Ok(())
    }

    fn on_frame(&self, frame: Bytes) -> Result<(), End> {
        let response =
            decode_response(frame).map_err(|broken| End::Nonsense(broken.what.to_owned()))?;
        let header = &response.header;
        let other = header.client_id.as_ref().filter(|id| !id.is_empty());
        if other.is_some_and(|id| **id != self.connection.client_id.0) {
            return Err(End::Nonsense("Client IDs not matched".to_owned()));
        }
        let call_id = response.call_id();
        let outcome = match RpcStatusProto::try_from(header.status) {
            Ok(RpcStatusProto::Success) => Ok(response),
            Ok(RpcStatusProto::Error) => {
                Err(Lost { error: failure::remote(header), was_sent: true })
            }
            Ok(RpcStatusProto::Fatal) | Err(_) => {
                return Err(End::Refused(failure::remote(header)));
            }
        };
        if let Some(call) = self.connection.state.lock().pending.remove(&call_id) {
            // A caller that no longer waits needs no answer.
            let _ = call.reply.send(outcome);
        }
        Ok(())
    }
}

/// Marks the connection closed and takes it out of the client, however its task ends.
struct Books {
    connection: Arc<Connection>,
    client: Weak<Inner>,
}

impl Drop for Books {
    fn drop(&mut self) {
        let addr = &self.connection.key.addr;
        self.connection.fail_all(|| failure::closed(addr, None));
        if let Some(client) = self.client.upgrade() {
            let mut connections = client.connections.lock();
            let key = &self.connection.key;
            if connections.get(key).is_some_and(|open| Arc::ptr_eq(open, &self.connection)) {
                connections.remove(key);
            }
        }
    }
}

/// The socket and what is on its way.
struct Wire {
    stream: TcpStream,
    writing: BytesMut,
    /// How many bytes of the greeting are left at the front of `writing`.
    greeting: usize,
    frames: FrameBuffer,
    timer: Pin<Box<Sleep>>,
    last_active: Instant,
}
