//! Sending a replica: header and checksums, then data, packet by packet.
//!
//! Data is read into a buffer that stays hot and written from there: on this path that costs less than sendfile.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockSender (3.5.0)

use std::io;
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use hdfs_datapath::{ChecksumSpec, ChecksumType};
use hdfs_format::block_meta::META_HEADER_BYTES;
use hdfs_format::datatransfer::{PACKET_MAX_HEADER_BYTES, PacketHeader};
use hdfs_types::{Error, ErrorKind, ExtendedBlock, Result};

use super::dataset::{Pool, ReadView};
use super::metrics::Counters;
use super::wire::{self, give_large, take_large};
use crate::throttle::Throttle;

/// Data of one packet, at most.
const PACKET_DATA_BYTES: u64 = 512 * 1024;
/// Without checksums, reads still start at such a boundary.
const CHUNK_BYTES: u32 = 512;

/// A range of a replica, ready to be sent.
pub(crate) struct Sender {
    view: ReadView,
    spec: ChecksumSpec,
    offset: u64,
    end: u64,
    /// The checksum of the partial last chunk, when the range ends with it.
    last_sum: Option<u32>,
}

/// What went wrong while sending.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The peer: it went away or takes nothing.
    Peer(io::Error),
    /// The disk.
    Disk(Error),
}

impl Sender {
    /// Opens `length` bytes from `start` on; a negative length means all that is visible.
    ///
    /// # Errors
    /// When the replica cannot be read, or the range does not lie in it.
    pub(crate) fn open(
        pool: &Pool,
        block: &ExtendedBlock,
        start: u64,
        length: i64,
        checksums: bool,
    ) -> Result<Self> {
        let wanted = u64::try_from(length).ok();
        let view = pool.open_for_read(block, start.saturating_add(wanted.unwrap_or(0)))?;
        let length = wanted.unwrap_or(view.visible);
        let blocked_by = view.length;
        let stop = start.checked_add(length).filter(|stop| *stop <= blocked_by);
        let Some(stop) = stop else {
            return Err(Error::io(format!(
                " Offset {start} and length {length} don't match block {block} ( blockLen {blocked_by} )"
            )));
        };
        let spec = if checksums {
            view.open.spec
        } else {
            ChecksumSpec { kind: ChecksumType::Null, bytes_per_checksum: CHUNK_BYTES }
        };
        let per = u64::from(spec.bytes_per_checksum);
        let offset = start - start % per;
        let rounded = stop.div_ceil(per).saturating_mul(per);
        let end = rounded.min(view.length);
        let last_sum = if end == view.length { view.last_sum } else { None };
        Ok(Self { view, spec, offset, end, last_sum })
    }

    /// The checksums that will be sent.
    pub(crate) fn spec(&self) -> ChecksumSpec {
        self.spec
    }

    /// Where the data begins: the start of the first chunk.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of data that will be sent.
    pub(crate) fn remaining(&self) -> u64 {
        self.end - self.offset
    }

    /// Sends the range and the empty packet that ends it; answers how many bytes of data went out.
    ///
    /// # Errors
    /// See [`SendError`]: what was sent before stays sent.
    pub(crate) fn send(self, stream: &TcpStream, counters: &Counters) -> Result<u64, SendError> {
        self.send_throttled(stream, counters, None)
    }

    /// The same, no faster than the throttle allows.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) fn send_throttled(
        mut self,
        stream: &TcpStream,
        counters: &Counters,
        throttle: Option<&Throttle>,
    ) -> Result<u64, SendError> {
        let total = self.remaining();
        let mut buffer = if total > 64 * 1024 {
            take_large()
        } else {
            let sums = usize::try_from(self.spec.checksum_bytes(total)).unwrap_or(0);
            vec![0; 2 * PACKET_MAX_HEADER_BYTES + sums + usize::try_from(total).unwrap_or(0)]
        };
        let result = self.send_packets(stream, &mut buffer, counters, throttle);
        give_large(buffer);
        result.map(|()| total)
    }

    fn send_packets(
        &mut self,
        stream: &TcpStream,
        buffer: &mut Vec<u8>,
        counters: &Counters,
        throttle: Option<&Throttle>,
    ) -> Result<(), SendError> {
        let mut seqno = 0;
        let per = u64::from(self.spec.bytes_per_checksum);
        let packet_data = (PACKET_DATA_BYTES / per).max(1) * per;
        loop {
            let began = Instant::now();
            let data_len = self.remaining().min(packet_data);
            let mut used = self.fill_packet(buffer, 0, seqno, data_len).map_err(SendError::Disk)?;
            seqno += 1;
            self.offset += data_len;
            let done = self.remaining() == 0;
            if done && data_len > 0 {
                // The end goes out with the last data: one segment, one wake-up of the reader.
                used = self.fill_packet(buffer, used, seqno, 0).map_err(SendError::Disk)?;
            }
            let filled = Instant::now();
            wire::send(stream, &buffer[..used]).map_err(SendError::Peer)?;
            let sent = Instant::now();
            counters.network_waits.record(sent.duration_since(filled));
            counters.packet_sends.record(sent.duration_since(began));
            if done {
                return Ok(());
            }
            if let Some(throttle) = throttle {
                throttle.wait(used as u64);
            }
        }
    }

    /// Puts one packet at `at`; an empty one ends the range. Answers where it ends.
    fn fill_packet(
        &self,
        buffer: &mut Vec<u8>,
        at: usize,
        seqno: i64,
        data_len: u64,
    ) -> Result<usize> {
        let sums_len = usize::try_from(self.spec.checksum_bytes(data_len)).unwrap_or(usize::MAX);
        let data_bytes = usize::try_from(data_len).unwrap_or(usize::MAX);
        let header = PacketHeader {
            offset_in_block: self.offset,
            seqno,
            last_packet_in_block: data_len == 0,
            data_len: u32::try_from(data_len).unwrap_or(u32::MAX),
            sync_block: false,
        };
        let encoded = header.encode(sums_len);
        let sums_at = at + header.encoded_len();
        let data_at = sums_at + sums_len;
        let end = data_at + data_bytes;
        if buffer.len() < end {
            buffer.resize(end, 0);
        }
        buffer[at..sums_at].copy_from_slice(&encoded[..header.encoded_len()]);
        let open = &self.view.open;
        let fail = |what: &str, error: io::Error| {
            Error::new(
                ErrorKind::DiskError,
                format!("read {what} of {} at {}: {error}", open.path.display(), self.offset),
            )
            .with_source(error)
        };
        if sums_len > 0 {
            let first = self.offset / u64::from(self.spec.bytes_per_checksum);
            let from = META_HEADER_BYTES as u64 + first * self.spec.kind.size() as u64;
            open.meta
                .read_exact_at(&mut buffer[sums_at..data_at], from)
                .map_err(|error| fail("checksums", error))?;
            if let Some(sum) = self.last_sum
                && self.offset + data_len == self.end
            {
                buffer[data_at - 4..data_at].copy_from_slice(&sum.to_be_bytes());
            }
        }
        if data_bytes > 0 {
            open.data
                .read_exact_at(&mut buffer[data_at..end], self.offset)
                .map_err(|error| fail("data", error))?;
        }
        Ok(end)
    }
}
