//! Receiving a block: verify, forward, write, acknowledge; many packets at a time when they come fast.
//!
//! **Invariant:** a byte is forwarded and acknowledged only after its checksum was verified here (difference 2), and the
//! last packet only after the block is durable (difference 1).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockReceiver (3.5.0)

use std::io::IoSlice;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdfs_datapath::ack::{AckAction, PendingPacket, last_node_ack};
use hdfs_datapath::receive::{check_packet, plan_write};
use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_format::datatransfer::{
    HEARTBEAT_SEQNO, PACKET_LENGTHS_BYTES, PacketHeader, PacketLengths, encode_delimited_into,
};
use hdfs_proto::hdfs::Status;
use hdfs_rt::disk;
use hdfs_types::{Error, ErrorKind, Result};

use super::super::Shared;
use super::super::dataset::WriteTarget;
use super::super::files::write_slices;
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

/// One packet in the input buffer.
#[derive(Clone, Copy)]
struct Parsed {
    header: PacketHeader,
    sums: (usize, usize),
    data: (usize, usize),
    end: usize,
}

/// Receives one block.
pub(super) struct Receiver<'a> {
    shared: &'a Arc<Shared>,
    target: &'a WriteTarget,
    /// The checksums that the writer sends.
    client_spec: ChecksumSpec,
    mirror: Option<Arc<TcpStream>>,
    peer: SocketAddr,
    verify: bool,
    on_disk: u64,
    /// Bytes of the partial last chunk on disk.
    partial: Vec<u8>,
    synced_folder: bool,
    /// Up to here the system was asked to write to the disk.
    writeback: u64,
    corrupt: bool,
    sums: Vec<u8>,
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
        Self {
            shared,
            target,
            client_spec,
            mirror,
            peer,
            verify,
            on_disk: target.on_disk,
            partial: target.partial.clone(),
            synced_folder: false,
            writeback: target.on_disk,
            corrupt: false,
            sums: Vec::new(),
        }
    }

    /// Bytes on disk.
    pub(super) fn length(&self) -> u64 {
        self.on_disk
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
        packets: &[Parsed],
        acks: &mut Acks,
        finalize: bool,
        upstream: &TcpStream,
    ) -> Result<()> {
        let counters = &self.shared.counters;
        counters.packets_received.fetch_add(packets.len() as u64, Ordering::Relaxed);
        let (good, failure) = self.check(bytes, packets);
        let began = Instant::now();
        if let Some(end) = good.last().map(|packet| packet.end) {
            self.forward(&bytes[..end], acks);
        }
        let forwarded = Instant::now();
        self.note_slow(forwarded.duration_since(began), &counters.slow_mirror);
        self.write(bytes, good)?;
        if good.iter().any(|packet| packet.header.data_len > 0) {
            let took = forwarded.elapsed();
            counters.writes.record(took);
            self.target.volume.writes.record(took);
            self.note_slow(took, &counters.slow_write);
        }
        if good.iter().any(|packet| packet.header.sync_block && packet.header.data_len > 0)
            || good.iter().any(|p| p.header.sync_block && !p.header.last_packet_in_block)
        {
            let began = Instant::now();
            self.target.sync(!self.synced_folder)?;
            self.note_slow(began.elapsed(), &counters.slow_sync);
            self.synced_folder = true;
        }
        if let Some(last) = good.last().filter(|packet| packet.header.last_packet_in_block)
            && finalize
        {
            let durable = self.shared.conf.sync_on_close || last.header.sync_block;
            let began = Instant::now();
            self.target.finalize(self.on_disk, durable, None)?;
            let took = began.elapsed();
            counters.finalize.record(took);
            self.note_slow(took, &counters.slow_sync);
        }
        let ready = Instant::now();
        self.acknowledge(good, Status::Success, acks, upstream, began)?;
        self.note_slow(ready.elapsed(), &counters.slow_ack);
        if let Some((packet, error)) = failure {
            if error.kind == ErrorKind::Checksum {
                self.corrupt = true;
                self.shared.counters.checksum_errors.fetch_add(1, Ordering::Relaxed);
                self.acknowledge(&[packet], Status::ErrorChecksum, acks, upstream, began)?;
                if let Acks::Mirrored(responder) = acks {
                    responder.wait_until_told();
                }
            }
            return Err(error);
        }
        Ok(())
    }

    /// Counts a step that took long.
    fn note_slow(&self, took: Duration, counter: &AtomicU64) {
        if took > self.shared.conf.slow_io {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The packets up to the first that is malformed or corrupt, and that one.
    fn check<'p>(
        &self,
        bytes: &[u8],
        packets: &'p [Parsed],
    ) -> (&'p [Parsed], Option<(Parsed, Error)>) {
        let mut received = self.on_disk;
        for (index, packet) in packets.iter().enumerate() {
            if let Err(error) = self.check_one(bytes, packet, received) {
                return (&packets[..index], Some((*packet, error)));
            }
            let end = packet.header.offset_in_block + u64::from(packet.header.data_len);
            received = received.max(end);
        }
        (packets, None)
    }

    fn check_one(&self, bytes: &[u8], packet: &Parsed, received: u64) -> Result<()> {
        let sums = &bytes[packet.sums.0..packet.sums.1];
        let block = self.target.extended();
        check_packet(self.client_spec, &packet.header, sums.len(), received)
            .map_err(|error| Error::io(format!("{block} from {}: {error}", self.peer)))?;
        let unsigned = sums.is_empty() && packet.header.data_len > 0;
        if unsigned || (!self.verify && self.client_spec == self.target.spec) {
            return Ok(());
        }
        let data = &bytes[packet.data.0..packet.data.1];
        checksum::verify(self.client_spec, data, sums).map_err(|error| {
            tracing::warn!(
                %block, peer = %self.peer, offset_in_block = packet.header.offset_in_block, %error,
                "Checksum error in block"
            );
            Error::new(
                ErrorKind::Checksum,
                format!("Unexpected checksum mismatch while writing {block} from {}", self.peer),
            )
        })
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

    fn write(&mut self, bytes: &[u8], packets: &[Parsed]) -> Result<()> {
        let spec = self.target.spec;
        let size = spec.kind.size();
        let per = u64::from(spec.bytes_per_checksum);
        let before = self.on_disk;
        let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(packets.len());
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        let (mut data_from, mut meta_from) = (self.on_disk, 0);
        for packet in packets {
            let Some(plan) = plan_write(spec, &packet.header, self.on_disk) else { continue };
            if slices.is_empty() {
                meta_from = plan.meta_offset;
            } else if plan.recompute.is_some() || plan.meta_offset != meta_from + sums.len() as u64
            {
                self.flush(&mut slices, &sums, data_from, meta_from)?;
                sums.clear();
                (data_from, meta_from) = (self.on_disk, plan.meta_offset);
            }
            let all = &bytes[packet.data.0..packet.data.1];
            let data = all.get(plan.skip_data..).unwrap_or_default();
            if let Some(partial) = plan.recompute {
                let mut chunk = std::mem::take(&mut self.partial);
                chunk.extend_from_slice(data.get(..partial.from_packet).unwrap_or_default());
                sums.extend_from_slice(&checksum::sum(spec.kind, &chunk).to_be_bytes());
                self.partial = chunk;
            }
            let translated;
            let unsigned = packet.sums.0 == packet.sums.1 && !all.is_empty();
            let packet_sums = if self.client_spec == spec && !unsigned {
                &bytes[packet.sums.0..packet.sums.1]
            } else {
                let mut own = Vec::new();
                checksum::append_sums(spec, all, &mut own);
                translated = own;
                &translated
            };
            sums.extend_from_slice(packet_sums.get(plan.skip_sums * size..).unwrap_or_default());
            slices.push(IoSlice::new(data));
            self.on_disk = packet.header.offset_in_block + u64::from(packet.header.data_len);
            self.keep_partial(all, plan.recompute.is_some(), per);
        }
        if self.on_disk > before {
            self.flush(&mut slices, &sums, data_from, meta_from)?;
            let last_sum = (!self.on_disk.is_multiple_of(per))
                .then(|| sums.last_chunk::<4>().map(|sum| u32::from_be_bytes(*sum)))
                .flatten();
            self.target.wrote(self.on_disk, last_sum)?;
            let written = &self.shared.counters.bytes_written;
            written.fetch_add(self.on_disk - before, Ordering::Relaxed);
            self.write_back();
        }
        self.sums = sums;
        Ok(())
    }

    /// Lets the disk work while the network does: the sync at the end then has little to wait for.
    fn write_back(&mut self) {
        let conf = &self.shared.conf;
        let waiting = self.on_disk - self.writeback.min(self.on_disk);
        if waiting >= WRITEBACK_BYTES && (conf.sync_on_close || conf.sync_behind_writes) {
            disk::start_writeback(&self.target.data, self.writeback, waiting);
            self.writeback = self.on_disk;
        }
    }

    /// Remembers the bytes of a partial last chunk: a packet that continues it inside needs them.
    fn keep_partial(&mut self, data: &[u8], extended: bool, per: u64) {
        let partial = usize::try_from(self.on_disk % per).unwrap_or(0);
        if extended && partial != 0 {
            return;
        }
        self.partial.clear();
        if partial != 0 {
            self.partial.extend_from_slice(&data[data.len() - partial..]);
        }
    }

    fn flush(
        &self,
        slices: &mut Vec<IoSlice<'_>>,
        sums: &[u8],
        data_from: u64,
        meta_from: u64,
    ) -> Result<()> {
        let path = &self.target.volume.root;
        write_slices(&self.target.data, slices, data_from)
            .and_then(|()| self.target.meta.write_all_at(sums, meta_from))
            .map_err(|error| {
                self.target.volume.errors.fetch_add(1, Ordering::Relaxed);
                io_error("write block on", path, error)
            })?;
        slices.clear();
        Ok(())
    }

    fn acknowledge(
        &self,
        packets: &[Parsed],
        status: Status,
        acks: &mut Acks,
        upstream: &TcpStream,
        sent: Instant,
    ) -> Result<()> {
        if packets.is_empty() {
            return Ok(());
        }
        let pending = packets.iter().map(|packet| PendingPacket {
            seqno: packet.header.seqno,
            end_offset: packet.header.offset_in_block + u64::from(packet.header.data_len),
            last: packet.header.last_packet_in_block,
            status,
        });
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

/// Finds the complete packets; answers how many bytes the next incomplete one needs.
fn parse(bytes: &[u8], packets: &mut Vec<Parsed>) -> Result<usize> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(lengths) = rest.first_chunk::<PACKET_LENGTHS_BYTES>() else {
            return Ok(PACKET_LENGTHS_BYTES);
        };
        let lengths = PacketLengths::decode(*lengths)?;
        if rest.len() < lengths.total() {
            return Ok(lengths.total());
        }
        let body = PACKET_LENGTHS_BYTES + lengths.header;
        let header = PacketHeader::decode(&rest[PACKET_LENGTHS_BYTES..body], lengths.body)?;
        let end = at + lengths.total();
        let data = end - header.data_len as usize;
        packets.push(Parsed { header, sums: (at + body, data), data: (data, end), end });
        at = end;
        if header.last_packet_in_block {
            return Ok(0);
        }
    }
}
