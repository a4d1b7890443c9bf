//! Connections to DataNodes: how they are made, what is read from them, which idle ones are kept.
//!
//! A DataNode serves one operation after another on a connection, and drops it after a few idle seconds, so a reader
//! that comes back soon saves the handshake. Writers never share a connection.
//!
//! Hadoop: org.apache.hadoop.hdfs.PeerCache, org.apache.hadoop.hdfs.net.Peer (3.5.0)

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use hdfs_format::datatransfer::{self, Prefix};
use hdfs_types::{DatanodeUuid, Error, ErrorKind, Result};
use parking_lot::Mutex;
use prost::Message;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use crate::conf::ClientConf;
use crate::located::DatanodeInfo;

/// Bytes that a connection reads ahead while it parses messages: a packet's header with its checksums fits.
const SCRATCH_BYTES: usize = 4 * 1024;

/// A connection to a DataNode, with the bytes that were read and not yet used.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
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
    ) -> Result<Self> {
        let host = if conf.use_datanode_hostname { &node.host_name } else { &node.ip_addr };
        let connecting = TcpStream::connect((host.as_str(), node.xfer_port));
        let stream = match tokio::time::timeout(conf.socket_timeout, connecting).await {
            Ok(stream) => stream.map_err(|error| connect_error(node, error))?,
            Err(_) => {
                let message = format!(
                    "{} millis timeout while waiting for a connection to {}",
                    conf.socket_timeout.as_millis(),
                    node.xfer_addr()
                );
                return Err(Error::new(ErrorKind::SocketTimeout, message));
            }
        };
        stream.set_nodelay(conf.data_tcp_no_delay)?;
        Ok(Self {
            stream,
            buffer: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            timeout: conf.read_timeout(nodes),
        })
    }

    /// Changes how long the DataNode may be silent.
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
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
        match tokio::time::timeout(self.timeout, self.stream.write_all(bytes)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(self.silent()),
        }
    }

    /// Gives the socket what it takes without waiting. A broken connection is an error and no signal.
    pub(crate) fn try_send(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.stream.try_io(Interest::WRITABLE, || {
            let mut control = SendAncillaryBuffer::default();
            Ok(sendmsg(&self.stream, slices, &mut control, SendFlags::NOSIGNAL)?)
        })
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
            let reading = self.stream.read(&mut self.buffer[self.end..]);
            let count = match tokio::time::timeout(self.timeout, reading).await {
                Ok(count) => count?,
                Err(_) => return Err(self.silent()),
            };
            if count == 0 {
                return Err(eof());
            }
            self.end += count;
        }
        Ok(())
    }

    /// Reads what is there without waiting, as far as the buffer has room; 0 at the end of the connection.
    pub(crate) fn try_fill(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            self.make_room(self.end - self.start + 1);
        }
        let count = self.stream.try_read(&mut self.buffer[self.end..])?;
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
            match self.stream.try_read_vectored(&mut slices) {
                Ok(0) => return Err(eof()),
                Ok(count) => {
                    let direct = count.min(target.len() - filled);
                    filled += direct;
                    self.end = count - direct;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match tokio::time::timeout(self.timeout, self.stream.readable()).await {
                        Ok(ready) => ready?,
                        Err(_) => return Err(self.silent()),
                    }
                }
                Err(error) => return Err(error.into()),
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

    fn silent(&self) -> Error {
        let message = format!(
            "{} millis timeout while waiting for the DataNode{}",
            self.timeout.as_millis(),
            self.stream.peer_addr().map_or_else(|_| String::new(), |addr| format!(" {addr}"))
        );
        Error::new(ErrorKind::SocketTimeout, message)
    }
}

/// The other side closed the connection in the middle.
pub(crate) fn eof() -> Error {
    Error::new(ErrorKind::Eof, "Unexpected EOF while reading from the DataNode")
}

fn connect_error(node: &DatanodeInfo, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => ErrorKind::SocketTimeout,
        _ => ErrorKind::Connect,
    };
    Error::new(kind, format!("connect to {}: {error}", node.xfer_addr())).with_source(error)
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

    /// The newest idle connection to a DataNode.
    pub(crate) fn take(&self, node: &DatanodeUuid) -> Option<Peer> {
        let mut idle = self.idle.lock();
        while idle.front().is_some_and(|oldest| oldest.since.elapsed() >= self.expiry) {
            idle.pop_front();
        }
        let index = idle.iter().rposition(|entry| entry.node == *node)?;
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
