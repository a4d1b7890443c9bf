//! Blocking reads of the data-transfer protocol: a buffer in front of a socket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use hdfs_format::datatransfer::{
    OP_PREFIX_BYTES, Op, Prefix, decode_message, decode_op, decode_prefix,
};
use hdfs_proto::hdfs::DatanodeInfoProto;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use prost::Message;

/// Bytes of a buffer for operations and acknowledgements.
const SMALL_BYTES: usize = 8 * 1024;
/// Bytes of a buffer for packets.
pub(crate) const LARGE_BYTES: usize = 1024 * 1024;
/// Large buffers that are kept for the next writer.
const POOLED: usize = 32;

static POOL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A large buffer, used before if one is there.
pub(crate) fn take_large() -> Vec<u8> {
    POOL.lock().pop().unwrap_or_else(|| vec![0; LARGE_BYTES])
}

/// Gives a large buffer back.
pub(crate) fn give_large(buffer: Vec<u8>) {
    let mut pool = POOL.lock();
    if buffer.len() == LARGE_BYTES && pool.len() < POOLED {
        pool.push(buffer);
    }
}

/// A socket with the bytes that were read from it and not used yet.
pub(crate) struct Input {
    /// The socket.
    pub stream: Arc<TcpStream>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// With a small buffer.
    pub(crate) fn new(stream: Arc<TcpStream>) -> Self {
        Self { stream, buffer: vec![0; SMALL_BYTES], start: 0, end: 0 }
    }

    /// Bytes that are here.
    pub(crate) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// These bytes are used.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end, "only bytes that are here can be used");
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Replaces the buffer by a large one, for packets.
    pub(crate) fn grow(&mut self) {
        if self.buffer.len() < LARGE_BYTES {
            self.replace(take_large());
        }
    }

    /// Goes back to a small buffer.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.len() > SMALL_BYTES && self.end - self.start <= SMALL_BYTES {
            let large = self.replace(vec![0; SMALL_BYTES]);
            give_large(large);
        }
    }

    fn replace(&mut self, mut buffer: Vec<u8>) -> Vec<u8> {
        let kept = self.end - self.start;
        buffer[..kept].copy_from_slice(&self.buffer[self.start..self.end]);
        (self.start, self.end) = (0, kept);
        std::mem::replace(&mut self.buffer, buffer)
    }

    /// Reads once, making room for `wanted` bytes in all first.
    ///
    /// # Errors
    /// `UnexpectedEof` at the end of the stream; what the socket says.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.buffer.len() - self.start < wanted.max(1) || self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
        }
        loop {
            match (&*self.stream).read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    self.end += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads until at least so many bytes are here.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub(crate) fn fill_to(&mut self, wanted: usize) -> io::Result<()> {
        while self.available().len() < wanted {
            self.fill(wanted)?;
        }
        Ok(())
    }

    /// The next operation's code. `None`: the peer closed, or was silent for too long.
    ///
    /// # Errors
    /// When the bytes are no operation.
    pub(crate) fn read_op(&mut self) -> Result<Option<Op>> {
        match self.fill_to(OP_PREFIX_BYTES) {
            Ok(()) => {}
            Err(error) if is_end(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let [a, b, c, ..] = *self.available() else { return Ok(None) };
        let op = decode_op([a, b, c])?;
        self.consume(OP_PREFIX_BYTES);
        Ok(Some(op))
    }

    /// The next message with its length in front.
    ///
    /// # Errors
    /// When the connection ends, or the bytes are no such message.
    pub(crate) fn read_message<M: Message + Default>(&mut self, what: &'static str) -> Result<M> {
        loop {
            if let Prefix::Complete { prefix, length } = decode_prefix(self.available())? {
                self.fill_to(prefix + length)?;
                let message = decode_message(what, &self.available()[prefix..prefix + length])?;
                self.consume(prefix + length);
                return Ok(message);
            }
            self.fill(1)?;
        }
    }

    /// The next message, if it is here already.
    ///
    /// # Errors
    /// When the bytes are no such message.
    pub(crate) fn buffered_message<M: Message + Default>(
        &mut self,
        what: &'static str,
    ) -> Result<Option<M>> {
        let Prefix::Complete { prefix, length } = decode_prefix(self.available())? else {
            return Ok(None);
        };
        if self.available().len() < prefix + length {
            return Ok(None);
        }
        let message = decode_message(what, &self.available()[prefix..prefix + length])?;
        self.consume(prefix + length);
        Ok(Some(message))
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        give_large(std::mem::take(&mut self.buffer));
    }
}

/// True for the ordinary ends of a connection: closed, reset, or silent beyond its timeout.
pub(crate) fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::WouldBlock
            | io::ErrorKind::TimedOut
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

/// Writes all bytes.
///
/// # Errors
/// What the socket says.
pub(crate) fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut stream = stream;
    stream.write_all(bytes)
}

/// A timeout as sockets take it: zero means none.
pub(crate) fn timeout(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

/// The transfer address of a DataNode, as clients and messages name it.
pub(crate) fn transfer_address(node: &DatanodeInfoProto) -> String {
    format!("{}:{}", node.id.ip_addr, node.id.xfer_port)
}

/// Connects to another DataNode.
///
/// # Errors
/// When its name does not resolve or it does not answer.
pub(crate) fn connect(
    node: &DatanodeInfoProto,
    by_host_name: bool,
    connect_timeout: Duration,
) -> Result<TcpStream> {
    let host = if by_host_name { &node.id.host_name } else { &node.id.ip_addr };
    let port = u16::try_from(node.id.xfer_port)
        .map_err(|_| Error::io(format!("{} is no port", node.id.xfer_port)))?;
    let addresses: Vec<SocketAddr> = (host.as_str(), port)
        .to_socket_addrs()
        .map_err(|error| Error::new(ErrorKind::UnknownHost, format!("{host}: {error}")))?
        .collect();
    let mut last = Error::new(ErrorKind::UnknownHost, format!("{host} has no address"));
    for address in addresses {
        match TcpStream::connect_timeout(&address, connect_timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => {
                last = Error::new(ErrorKind::Connect, format!("connect to {address}: {error}"))
                    .with_source(error);
            }
        }
    }
    Err(last)
}
