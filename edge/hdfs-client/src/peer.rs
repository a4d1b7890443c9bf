//! Connections to DataNodes: how they are made, what is read from them, which idle ones are kept.
//!
//! A DataNode serves one operation after another on a connection, and drops it after a few idle seconds, so a reader
//! that comes back soon saves the handshake. Writers never share a connection.
//!
//! Hadoop: org.apache.hadoop.hdfs.PeerCache, org.apache.hadoop.hdfs.net.Peer (3.5.0)

use std::collections::VecDeque;
use std::io;
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use hdfs_format::datatransfer::{self, Prefix};
use hdfs_types::{DatanodeUuid, Error, ErrorKind, Result};
use parking_lot::Mutex;
use prost::Message;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use crate::conf::ClientConf;
use crate::located::DatanodeInfo;

/// Bytes that a connection reads ahead while it parses messages: a packet's header with its checksums fits.
const SCRATCH_BYTES: usize = 4 * 1024;

/// How a connection waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Waiting {
    /// As a task of the runtime.
    Async,
    /// In the system call itself, on the caller's own thread: only for the blocking façade, whose futures run alone on
    /// their thread. It saves two thread switches for each wait.
    Blocking,
}

#[derive(Debug)]
enum Stream {
    Async(TcpStream),
    Blocking(std::net::TcpStream),
}

/// A connection to a DataNode, with the bytes that were read and not yet used.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: Stream,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Silence after which the DataNode counts as lost.
    timeout: Duration,
}

impl Peer {
    /// Connects to the transfer port of a DataNode. `nodes` is the length of the pipeline behind it.
    pub(crate) async fn connect(
        node: &DatanodeInfo,
        conf: &ClientConf,
        nodes: usize,
        waiting: Waiting,
    ) -> Result<Self> {
        let host = if conf.use_datanode_hostname { &node.host_name } else { &node.ip_addr };
        let address = (host.as_str(), node.xfer_port);
        let timeout = conf.read_timeout(nodes);
        let stream = match waiting {
            Waiting::Async => {
                let connecting = TcpStream::connect(address);
                let stream = match tokio::time::timeout(conf.socket_timeout, connecting).await {
                    Ok(stream) => stream.map_err(|error| connect_error(node, conf, error))?,
                    Err(late) => return Err(connect_error(node, conf, late.into())),
                };
                stream.set_nodelay(conf.data_tcp_no_delay)?;
                Stream::Async(stream)
            }
            Waiting::Blocking => {
                let stream = connect_blocking(address, conf.socket_timeout)
                    .map_err(|error| connect_error(node, conf, error))?;
                stream.set_nodelay(conf.data_tcp_no_delay)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Stream::Blocking(stream)
            }
        };
        let buffer = vec![0; SCRATCH_BYTES].into_boxed_slice();
        Ok(Self { stream, buffer, start: 0, end: 0, timeout })
    }

    /// Waits until the socket can take or give bytes; never, for a blocking connection, which waits elsewhere.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<()> {
        match &self.stream {
            Stream::Async(stream) => stream.ready(interest).await.map(|_| ()),
            Stream::Blocking(_) => std::future::pending().await,
        }
    }

    /// Changes how long the DataNode may be silent.
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        debug_assert!(self.is_async(), "a blocking socket has its time-out already");
        self.timeout = timeout;
    }

    /// The bytes that were read and not yet used.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Uses up so many of them.
    pub(crate) fn consume(&mut self, bytes: usize) {
        debug_assert!(self.start + bytes <= self.end);
        self.start += bytes;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// True when nothing is left over: the connection may serve another operation.
    pub(crate) fn is_clean(&self) -> bool {
        self.start == self.end
    }

    /// Sends everything, within the time limit.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = match &mut self.stream {
            Stream::Async(stream) => {
                match tokio::time::timeout(self.timeout, stream.write_all(bytes)).await {
                    Ok(sent) => sent,
                    Err(_) => return Err(self.silent()),
                }
            }
            Stream::Blocking(stream) => io::Write::write_all(stream, bytes),
        };
        sent.map_err(|error| self.io_error(error))
    }

    /// Gives the socket what it takes without waiting. A broken connection is an error and no signal.
    pub(crate) fn try_send(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let send = |fd: BorrowedFd<'_>| {
            let mut control = SendAncillaryBuffer::default();
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            Ok(sendmsg(fd, slices, &mut control, flags)?)
        };
        match &self.stream {
            Stream::Async(stream) => stream.try_io(Interest::WRITABLE, || send(stream.as_fd())),
            Stream::Blocking(stream) => send(stream.as_fd()),
        }
    }

    /// Reads until at least `wanted` bytes are buffered. `wanted` must fit into the buffer, or the buffer grows.
    pub(crate) async fn fill(&mut self, wanted: usize) -> Result<()> {
        if self.end - self.start >= wanted {
            return Ok(());
        }
        if self.start + wanted > self.buffer.len() {
            self.make_room(wanted);
        }
        while self.end - self.start < wanted {
            let target = &mut self.buffer[self.end..];
            let read = match &mut self.stream {
                Stream::Async(stream) => {
                    match tokio::time::timeout(self.timeout, stream.read(target)).await {
                        Ok(read) => read,
                        Err(_) => return Err(self.silent()),
                    }
                }
                Stream::Blocking(stream) => io::Read::read(stream, target),
            };
            match read {
                Ok(0) => return Err(eof()),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io_error(error)),
            }
        }
        Ok(())
    }

    /// Reads what is there without waiting, as far as the buffer has room; 0 at the end of the connection.
    pub(crate) fn try_fill(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            self.make_room(self.end - self.start + 1);
        }
        let target = &mut self.buffer[self.end..];
        let count = match &self.stream {
            Stream::Async(stream) => stream.try_read(target)?,
            Stream::Blocking(stream) => recv(stream, target, RecvFlags::DONTWAIT)?.0,
        };
        self.end += count;
        Ok(count)
    }

    fn make_room(&mut self, wanted: usize) {
        if wanted > self.buffer.len() {
            let mut larger = vec![0; wanted.next_power_of_two()].into_boxed_slice();
            larger[..self.end - self.start].copy_from_slice(&self.buffer[self.start..self.end]);
            self.buffer = larger;
        } else {
            self.buffer.copy_within(self.start..self.end, 0);
        }
        (self.start, self.end) = (0, self.end - self.start);
    }

    /// Fills `target` from the buffer and then straight from the socket; what comes after it goes to the buffer.
    pub(crate) async fn read_exact(&mut self, target: &mut [u8]) -> Result<()> {
        let ready = self.buffered().len().min(target.len());
        target[..ready].copy_from_slice(&self.buffered()[..ready]);
        self.consume(ready);
        let mut filled = ready;
        while filled < target.len() {
            debug_assert!(self.is_clean());
            let mut slices =
                [io::IoSliceMut::new(&mut target[filled..]), io::IoSliceMut::new(&mut self.buffer)];
            let read = match &mut self.stream {
                Stream::Async(stream) => stream.try_read_vectored(&mut slices),
                Stream::Blocking(stream) => io::Read::read_vectored(stream, &mut slices),
            };
            match read {
                Ok(0) => return Err(eof()),
                Ok(count) => {
                    let direct = count.min(target.len() - filled);
                    filled += direct;
                    self.end = count - direct;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.is_async() => {
                    let ready = self.ready(Interest::READABLE);
                    match tokio::time::timeout(self.timeout, ready).await {
                        Ok(ready) => ready?,
                        Err(_) => return Err(self.silent()),
                    }
                }
                Err(error) => return Err(self.io_error(error)),
            }
        }
        Ok(())
    }

    /// Reads a message with its length in front.
    pub(crate) async fn read_message<M: Message + Default>(
        &mut self,
        what: &'static str,
    ) -> Result<M> {
        let (prefix, length) = loop {
            match datatransfer::decode_prefix(self.buffered())? {
                Prefix::Complete { prefix, length } => break (prefix, length),
                Prefix::Incomplete => self.fill(self.buffered().len() + 1).await?,
            }
        };
        self.fill(prefix + length).await?;
        let bytes = &self.buffered()[prefix..prefix + length];
        let message = datatransfer::decode_message(what, bytes)?;
        self.consume(prefix + length);
        Ok(message)
    }

    fn is_async(&self) -> bool {
        matches!(self.stream, Stream::Async(_))
    }

    /// A blocking socket reports its time-out as if it would block.
    fn io_error(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::WouldBlock { self.silent() } else { error.into() }
    }

    fn silent(&self) -> Error {
        let address = match &self.stream {
            Stream::Async(stream) => stream.peer_addr(),
            Stream::Blocking(stream) => stream.peer_addr(),
        };
        let message = format!(
            "{} millis timeout while waiting for the DataNode{}",
            self.timeout.as_millis(),
            address.map_or_else(|_| String::new(), |address| format!(" {address}"))
        );
        Error::new(ErrorKind::SocketTimeout, message)
    }
}

/// The other side closed the connection in the middle.
pub(crate) fn eof() -> Error {
    Error::new(ErrorKind::Eof, "Unexpected EOF while reading from the DataNode")
}

fn connect_blocking(address: (&str, u16), timeout: Duration) -> io::Result<std::net::TcpStream> {
    let mut last = None;
    for address in address.to_socket_addrs()? {
        match std::net::TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address")))
}

fn connect_error(node: &DatanodeInfo, conf: &ClientConf, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::TimedOut {
        let millis = conf.socket_timeout.as_millis();
        let message = format!("{millis} millis timeout while waiting for a connection to {node}");
        return Error::new(ErrorKind::SocketTimeout, message).with_source(error);
    }
    Error::new(ErrorKind::Connect, format!("connect to {node}: {error}")).with_source(error)
}

/// Idle connections, newest last.
#[derive(Debug)]
pub(crate) struct PeerCache {
    capacity: usize,
    expiry: Duration,
    idle: Mutex<VecDeque<Idle>>,
}

#[derive(Debug)]
struct Idle {
    node: DatanodeUuid,
    since: Instant,
    peer: Peer,
}

impl PeerCache {
    pub(crate) fn new(capacity: usize, expiry: Duration) -> Self {
        Self { capacity, expiry, idle: Mutex::new(VecDeque::new()) }
    }

    /// The newest idle connection to a DataNode that waits in this way.
    pub(crate) fn take(&self, node: &DatanodeUuid, waiting: Waiting) -> Option<Peer> {
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() >= self.expiry) {
            idle.pop_front();
        }
        let wants_async = waiting == Waiting::Async;
        let fits = |entry: &Idle| entry.node == *node && entry.peer.is_async() == wants_async;
        let index = idle.iter().rposition(fits)?;
        idle.remove(index).map(|entry| entry.peer)
    }

    /// Keeps a connection on which nothing is outstanding.
    pub(crate) fn put(&self, node: &DatanodeUuid, peer: Peer) {
        debug_assert!(peer.is_clean());
        if self.capacity == 0 {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.len() >= self.capacity {
            idle.pop_front();
        }
        idle.push_back(Idle { node: node.clone(), since: Instant::now(), peer });
    }
}
