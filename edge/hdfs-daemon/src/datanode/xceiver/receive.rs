//! Receiving a block: verify, forward, write, acknowledge; many packets at a time when they come fast.
//!
//! **Invariant:** a byte is forwarded and acknowledged only after its checksum was verified here (difference 2), and the
//! last packet only after the block is durable (difference 1).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockReceiver (3.5.0)

use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdfs_datapath::ChecksumSpec;
use hdfs_datapath::ack::{AckAction, last_node_ack};
use hdfs_datapath::block_writer::{BlockSink, BlockWriter, PacketSpan, Step, parse};
use hdfs_format::datatransfer::{HEARTBEAT_SEQNO, encode_delimited_into};
use hdfs_proto::hdfs::Status;
use hdfs_rt::disk;
use hdfs_types::{Error, ErrorKind, Result};

use super::super::Shared;
use super::super::dataset::WriteTarget;
use super::super::volume::io_error;
use super::super::wire::{self, Input};
use super::respond::Responder;

/// Dirty bytes after which the disk is asked to begin.
const WRITEBACK_BYTES: u64 = 8 * 1024 * 1024;

/// Who acknowledges.
pub(super) enum AckMode {
    /// Nobody: a copy between DataNodes.
    None,
    /// This node is the last one: it acknowledges what it wrote.
    Last,
    /// Acknowledgements come from below, through this input.
    Mirrored(Input),
}

/// Receives one block.
pub(super) struct Receiver<'a> {
    shared: &'a Arc<Shared>,
    target: &'a WriteTarget,
    writer: BlockWriter,
    mirror: Option<Arc<TcpStream>>,
    peer: SocketAddr,
    /// Up to here the system was asked to write to the disk.
    writeback: u64,
    corrupt: bool,
}

/// The files of the replica.
struct DiskSink<'a>(&'a WriteTarget);

impl DiskSink<'_> {
    fn explain(&self, error: io::Error) -> Error {
        self.0.volume.errors.fetch_add(1, Ordering::Relaxed);
        io_error("write block on", &self.0.volume.root, error)
    }
}

impl BlockSink for DiskSink<'_> {
    fn write_data(&mut self, data: &mut Vec<IoSlice<'_>>, at: u64) -> Result<()> {
        self.0.data.write_slices(data, at).map_err(|error| self.explain(error))
    }

    fn sync_data(&mut self) -> Result<()> {
        self.0.sync_data()
    }

    fn write_sums(&mut self, sums: &[u8], at: u64) -> Result<()> {
        let meta = &self.0.meta;
        meta.write_slices(&mut [IoSlice::new(sums)], at).map_err(|error| self.explain(error))
    }
}

impl<'a> Receiver<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        target: &'a WriteTarget,
        client_spec: ChecksumSpec,
        mirror: Option<Arc<TcpStream>>,
        peer: SocketAddr,
    ) -> Self {
        let verify = shared.conf.verify_every_hop || mirror.is_none();
        let partial = target.partial.clone();
        Self {
            shared,
            target,
            writer: BlockWriter::new(client_spec, target.spec, verify, target.on_disk, partial),
            mirror,
            peer,
            writeback: target.on_disk,
            corrupt: false,
        }
    }

    /// Bytes on disk.
    pub(super) fn length(&self) -> u64 {
        self.writer.on_disk()
    }

    /// True when a packet's checksums did not match.
    pub(super) fn saw_corruption(&self) -> bool {
        self.corrupt
    }

    /// Receives until the packet that ends the block; `finalize` makes the block complete before that one is
    /// acknowledged.
    pub(super) fn run(&mut self, input: &mut Input, mode: AckMode, finalize: bool) -> Result<()> {
        self.run_with(input, mode, finalize, &mut || Ok(()))
    }

    /// The same; `progress` is called after every batch of packets.
    pub(super) fn run_with(
        &mut self,
        input: &mut Input,
        mode: AckMode,
        finalize: bool,
        progress: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let mut acks = match mode {
            AckMode::None => Acks::None,
            AckMode::Last => Acks::Direct,
            AckMode::Mirrored(from_below) => Acks::Mirrored(Responder::start(
                self.shared,
                self.target,
                &input.stream,
                from_below,
            )?),
        };
        let result = self.receive_packets(input, &mut acks, finalize, progress);
        if let Acks::Mirrored(responder) = acks {
            if result.is_err() {
                responder.abandon();
                if let Some(mirror) = &self.mirror {
                    let _ = mirror.shutdown(Shutdown::Both);
                }
            }
            // Its thread ends in any case: the last acknowledgement, or the mirror's closed connection, ends it.
            let joined = responder.join();
            return result.and(joined);
        }
        result
    }

    fn receive_packets(
        &mut self,
        input: &mut Input,
        acks: &mut Acks,
        finalize: bool,
        progress: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let mut packets = Vec::new();
        loop {
            packets.clear();
            let wanted = parse(input.available(), &mut packets)?;
            let Some(last) = packets.last() else {
                input.fill(wanted)?;
                continue;
            };
            let (used, ended) = (last.end, last.header.last_packet_in_block);
            self.process(input.available(), &packets, acks, finalize, &input.stream)?;
            input.consume(used);
            progress()?;
            if ended {
                return Ok(());
            }
        }
    }

    fn process(
        &mut self,
        bytes: &[u8],
        packets: &[PacketSpan],
        acks: &mut Acks,
        finalize: bool,
        upstream: &TcpStream,
    ) -> Result<()> {
        let counters = &self.shared.counters;
        counters.packets_received.fetch_add(packets.len() as u64, Ordering::Relaxed);
        let (count, failure) = self.writer.check(bytes, packets);
        let (good, refused) = packets.split_at(count);
        let began = Instant::now();
        for step in
            self.writer.steps(good, finalize, self.shared.conf.sync_on_close).into_iter().flatten()
        {
            self.perform(step, bytes, good, acks, upstream, began)?;
        }
        let (Some(error), Some(packet)) = (failure, refused.first()) else { return Ok(()) };
        let error = self.explain(packet, error);
        if error.kind == ErrorKind::Checksum {
            self.corrupt = true;
            self.shared.counters.checksum_errors.fetch_add(1, Ordering::Relaxed);
            self.acknowledge(&[*packet], Status::ErrorChecksum, acks, upstream, began)?;
            if let Acks::Mirrored(responder) = acks {
                responder.wait_until_told();
            }
        }
        Err(error)
    }

    /// One step of a batch that arrived at `began`.
    fn perform(
        &mut self,
        step: Step,
        bytes: &[u8],
        good: &[PacketSpan],
        acks: &mut Acks,
        upstream: &TcpStream,
        began: Instant,
    ) -> Result<()> {
        let counters = &self.shared.counters;
        let started = Instant::now();
        match step {
            Step::Forward => {
                if let Some(end) = good.last().map(|packet| packet.end) {
                    self.forward(&bytes[..end], acks);
                }
                self.note_slow(started.elapsed(), &counters.slow_mirror);
            }
            Step::Write => {
                self.write(bytes, good)?;
                if good.iter().any(|packet| packet.header.data_len > 0) {
                    let took = started.elapsed();
                    counters.writes.record(took);
                    self.target.volume.writes.record(took);
                    self.note_slow(took, &counters.slow_write);
                }
            }
            Step::Sync { with_folder } => {
                self.target.sync(with_folder)?;
                self.writer.synced();
                self.note_slow(started.elapsed(), &counters.slow_sync);
            }
            Step::Finalize { durable } => {
                self.target.finalize(self.writer.on_disk(), durable, None)?;
                let took = started.elapsed();
                counters.finalize.record(took);
                self.note_slow(took, &counters.slow_sync);
            }
            Step::Acknowledge => {
                self.acknowledge(good, Status::Success, acks, upstream, began)?;
                self.note_slow(started.elapsed(), &counters.slow_ack);
            }
        }
        Ok(())
    }

    /// Names the block and the peer of a packet that is refused.
    fn explain(&self, packet: &PacketSpan, error: Error) -> Error {
        let (block, peer) = (self.target.extended(), self.peer);
        if error.kind != ErrorKind::Checksum {
            return Error::new(error.kind, format!("{block} from {peer}: {}", error.message));
        }
        tracing::warn!(
            %block, %peer, offset_in_block = packet.header.offset_in_block, %error,
            "Checksum error in block"
        );
        Error::new(
            ErrorKind::Checksum,
            format!("Unexpected checksum mismatch while writing {block} from {peer}"),
        )
    }

    /// Counts a step that took long.
    fn note_slow(&self, took: Duration, counter: &AtomicU64) {
        if took > self.shared.conf.slow_io {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Passes verified packets on. A node below that is gone does not end the write: the client decides.
    fn forward(&mut self, bytes: &[u8], acks: &Acks) {
        let Some(mirror) = &self.mirror else { return };
        if let Err(error) = wire::send(mirror, bytes) {
            tracing::info!(block = %self.target.extended(), %error, "Exception writing block to mirror");
            let _ = mirror.shutdown(Shutdown::Both);
            if let Acks::Mirrored(responder) = acks {
                responder.mirror_lost();
            }
            self.mirror = None;
        }
    }

    fn write(&mut self, bytes: &[u8], packets: &[PacketSpan]) -> Result<()> {
        let before = self.writer.on_disk();
        let written = self.writer.write(bytes, packets, &mut DiskSink(self.target))?;
        if let Some(last_sum) = written {
            let on_disk = self.writer.on_disk();
            self.target.wrote(on_disk, last_sum)?;
            let counted = &self.shared.counters.bytes_written;
            counted.fetch_add(on_disk - before, Ordering::Relaxed);
            self.write_back();
        }
        Ok(())
    }

    /// Lets the disk work while the network does: the sync at the end then has little to wait for.
    fn write_back(&mut self) {
        let conf = &self.shared.conf;
        let on_disk = self.writer.on_disk();
        let waiting = on_disk - self.writeback.min(on_disk);
        if waiting >= WRITEBACK_BYTES && (conf.sync_on_close || conf.sync_behind_writes) {
            disk::start_writeback(&self.target.data.file, self.writeback, waiting);
            self.writeback = on_disk;
        }
    }

    fn acknowledge(
        &self,
        packets: &[PacketSpan],
        status: Status,
        acks: &mut Acks,
        upstream: &TcpStream,
        sent: Instant,
    ) -> Result<()> {
        if packets.is_empty() {
            return Ok(());
        }
        let pending = packets.iter().map(|packet| packet.pending(status));
        match acks {
            Acks::None => Ok(()),
            Acks::Mirrored(responder) => responder.push(pending, sent),
            Acks::Direct => {
                let mut out = Vec::with_capacity(packets.len() * 16);
                let mut acked = 0;
                for packet in pending {
                    let AckAction::Send { ack, acked: bytes, .. } = last_node_ack(packet) else {
                        continue;
                    };
                    encode_delimited_into(&ack, &mut out);
                    acked = acked.max(bytes.unwrap_or(0));
                }
                let ended = packets.last().is_some_and(|p| p.header.last_packet_in_block);
                let heartbeat = packets.iter().all(|p| p.header.seqno == HEARTBEAT_SEQNO);
                if !ended && !heartbeat {
                    self.target.acked(acked)?;
                }
                wire::send(upstream, &out)?;
                Ok(())
            }
        }
    }
}

enum Acks {
    None,
    Direct,
    Mirrored(Responder),
}
