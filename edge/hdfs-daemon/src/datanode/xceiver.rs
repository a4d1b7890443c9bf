//! The data port: one thread a connection, operations one after the other.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DataXceiverServer, DataXceiver} (3.5.0)

mod balance;
mod checksum;
mod read;
mod receive;
mod refuse;
mod respond;
mod transfer;
mod write;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hdfs_format::datatransfer::{Op, block_op_response, encode_delimited};
use hdfs_proto::hdfs::{
    BlockOpResponseProto, OpBlockChecksumProto, OpCopyBlockProto, OpReadBlockProto,
    OpReplaceBlockProto, OpRequestShortCircuitAccessProto, OpTransferBlockProto, OpWriteBlockProto,
    ShortCircuitShmRequestProto, ShortCircuitShmResponseProto, Status,
};
use hdfs_rt::metrics::Histogram;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::{Condvar, Mutex};

pub(super) use transfer::replicate;

use super::Shared;
use super::metrics::Active;
use super::wire::{self, Input};
use refuse::Refusals;

/// Enough for a thread that reads and writes from buffers on the heap.
const STACK_BYTES: usize = 512 * 1024;

/// How long the end of the DataNode waits for its connections to end.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The listening data port.
pub(crate) struct XceiverServer {
    address: SocketAddr,
    connections: Arc<Connections>,
    accept: Mutex<Option<thread::JoinHandle<()>>>,
}

#[derive(Default)]
struct Connections {
    stopped: AtomicBool,
    open: Mutex<Vec<Arc<TcpStream>>>,
    ended: Condvar,
}

impl XceiverServer {
    /// Serves the data port.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(shared: Arc<Shared>, listener: TcpListener) -> Result<Self> {
        let address = listener.local_addr()?;
        let connections = Arc::new(Connections::default());
        let of_thread = Arc::clone(&connections);
        let accept = thread::Builder::new()
            .name(format!("xceiver-{}", address.port()))
            .spawn(move || accept_all(&shared, &listener, &of_thread))?;
        Ok(Self { address, connections, accept: Mutex::new(Some(accept)) })
    }

    /// Closes the port and every connection.
    pub(crate) fn stop(&self) {
        self.connections.stopped.store(true, Ordering::SeqCst);
        for stream in self.connections.open.lock().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that waits in accept.
        let mut wake = self.address;
        if wake.ip().is_unspecified() {
            wake.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let _ = TcpStream::connect(wake);
        if let Some(accept) = self.accept.lock().take() {
            let _ = accept.join();
        }
        // Their sockets are closed: what still runs is in the middle of one disk operation.
        let mut open = self.connections.open.lock();
        while !open.is_empty() {
            if self.connections.ended.wait_for(&mut open, STOP_PATIENCE).timed_out() {
                tracing::warn!(connections = open.len(), "connections did not end in time");
                return;
            }
        }
    }
}

fn accept_all(shared: &Arc<Shared>, listener: &TcpListener, connections: &Arc<Connections>) {
    let refusals = Refusals::start(shared);
    loop {
        let accepted = listener.accept();
        if connections.stopped.load(Ordering::SeqCst) {
            return;
        }
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept on the data port");
                thread::sleep(Duration::from_millis(20));
                continue;
            }
        };
        let active = shared.xceivers.fetch_add(1, Ordering::Relaxed) + 1;
        let limit = shared.tunable.max_xceivers();
        if active > limit {
            let why =
                format!("Xceiver count {active} exceeds the limit of concurrent xceivers: {limit}");
            tracing::error!(%peer, "{why}");
            shared.xceivers.fetch_sub(1, Ordering::Relaxed);
            refusals.refuse(stream, peer, why);
            continue;
        }
        let stream = Arc::new(stream);
        connections.open.lock().push(Arc::clone(&stream));
        let (of_thread, set) = (Arc::clone(shared), Arc::clone(connections));
        let name = "xceiver".to_owned();
        let spawned = thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(move || {
            serve(&of_thread, &stream, peer);
            let _ = stream.shutdown(Shutdown::Both);
            set.open.lock().retain(|open| !Arc::ptr_eq(open, &stream));
            set.ended.notify_all();
            of_thread.xceivers.fetch_sub(1, Ordering::Relaxed);
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "start a thread for a connection");
            // The newest entry is the one that got no thread: only this thread adds any.
            connections.open.lock().pop();
            shared.xceivers.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What an operation leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    /// The connection may carry another operation.
    Keep,
    /// It may not.
    Close,
}

/// One connection.
struct Xceiver<'a> {
    shared: &'a Arc<Shared>,
    input: Input,
    peer: SocketAddr,
}

fn serve(shared: &Arc<Shared>, stream: &Arc<TcpStream>, peer: SocketAddr) {
    let setup = || -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(wire::timeout(shared.conf.write_timeout))
    };
    if let Err(error) = setup() {
        tracing::debug!(%peer, %error, "prepare connection");
        return;
    }
    let mut xceiver = Xceiver { shared, input: Input::new(Arc::clone(stream)), peer };
    let mut first = true;
    loop {
        let patience = if first { shared.conf.socket_timeout } else { shared.conf.keepalive };
        if stream.set_read_timeout(wire::timeout(patience)).is_err() {
            return;
        }
        let op = match xceiver.input.read_op() {
            Ok(Some(op)) => op,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%peer, %error, "read operation");
                return;
            }
        };
        if stream.set_read_timeout(wire::timeout(shared.conf.socket_timeout)).is_err() {
            return;
        }
        first = false;
        match xceiver.process(op) {
            Ok(After::Keep) if !shared.conf.keepalive.is_zero() => xceiver.input.shrink(),
            Ok(_) => return,
            Err(error) => {
                tracing::info!(%peer, op = op.name(), %error, "DataXceiver error processing operation");
                if error.kind == ErrorKind::DiskError {
                    shared.check_volumes();
                } else {
                    shared.counters.network_error(peer.ip());
                }
                return;
            }
        }
    }
}

impl Xceiver<'_> {
    fn process(&mut self, op: Op) -> Result<After> {
        let counters = &self.shared.counters;
        let (active, times) = match op {
            Op::WriteBlock => (Some(&counters.active_writes), Some(&counters.write_ops)),
            Op::ReadBlock => (Some(&counters.active_reads), Some(&counters.read_ops)),
            Op::BlockChecksum => (None, Some(&counters.checksum_ops)),
            Op::CopyBlock => (Some(&counters.active_reads), Some(&counters.copy_ops)),
            Op::ReplaceBlock => (Some(&counters.active_writes), Some(&counters.replace_ops)),
            _ => (None, None),
        };
        let _active = active.map(Active::new);
        let _timing = times.map(Histogram::time);
        match op {
            Op::WriteBlock => {
                let request: OpWriteBlockProto = self.input.read_message("OpWriteBlockProto")?;
                self.write_block(request)
            }
            Op::ReadBlock => {
                let request: OpReadBlockProto = self.input.read_message("OpReadBlockProto")?;
                self.read_block(&request)
            }
            Op::TransferBlock => {
                let request: OpTransferBlockProto =
                    self.input.read_message("OpTransferBlockProto")?;
                self.transfer_block(&request)
            }
            Op::BlockChecksum => {
                let request: OpBlockChecksumProto =
                    self.input.read_message("OpBlockChecksumProto")?;
                self.block_checksum(&request)
            }
            Op::RequestShortCircuitFds => {
                let _: OpRequestShortCircuitAccessProto =
                    self.input.read_message("OpRequestShortCircuitAccessProto")?;
                let text =
                    "You cannot pass file descriptors over anything but a UNIX domain socket.";
                self.respond(&block_op_response(Status::ErrorUnsupported, Some(text)))?;
                Ok(After::Keep)
            }
            Op::RequestShortCircuitShm => {
                let _: ShortCircuitShmRequestProto =
                    self.input.read_message("ShortCircuitShmRequestProto")?;
                let response = ShortCircuitShmResponseProto {
                    status: Status::ErrorUnsupported as i32,
                    error: Some("shared memory needs a UNIX domain socket".to_owned()),
                    ..ShortCircuitShmResponseProto::default()
                };
                wire::send(&self.input.stream, &encode_delimited(&response))?;
                Ok(After::Keep)
            }
            Op::CopyBlock => {
                let request: OpCopyBlockProto = self.input.read_message("OpCopyBlockProto")?;
                self.copy_block(&request)
            }
            Op::ReplaceBlock => {
                let request: OpReplaceBlockProto =
                    self.input.read_message("OpReplaceBlockProto")?;
                self.replace_block(&request)
            }
            Op::BlockGroupChecksum => {
                let text = format!("{} is not supported by this DataNode", op.name());
                self.respond(&block_op_response(Status::ErrorUnsupported, Some(&text)))?;
                Err(Error::io(text))
            }
            Op::ReadMetadata | Op::ReleaseShortCircuitFds | Op::Custom => {
                Err(Error::io(format!("Unknown op {} in data stream", op.name())))
            }
        }
    }

    fn respond(&self, response: &BlockOpResponseProto) -> Result<()> {
        wire::send(&self.input.stream, &encode_delimited(response))?;
        Ok(())
    }
}
