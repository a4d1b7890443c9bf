//! Packets as a writer makes them: which bytes go into which packet, with which checksums.
//!
//! ```text
//! packet  lengths and header (31 or 33 bytes) | checksums | data
//! ```
//!
//! A packet starts at a chunk boundary, with one exception: the first packet after an append to a block with a partial
//! last chunk, which fills that chunk and nothing more. After a flush the partial last chunk stays in the buffer and is
//! sent again, whole, with the bytes that follow.
//!
//! Hadoop: org.apache.hadoop.hdfs.{DFSOutputStream, DFSPacket} (3.5.0)

use crate::checksum;
use hdfs_format::block_meta::ChecksumSpec;
use hdfs_format::datatransfer::{HEARTBEAT_SEQNO, PACKET_MAX_HEADER_BYTES, PacketHeader};

/// Appends one whole packet: header, checksums, data.
///
/// # Panics
/// When it is over the limit of a packet; see [`data_bytes_per_packet`].
pub fn append_packet(
    spec: ChecksumSpec,
    offset_in_block: u64,
    seqno: i64,
    last_packet_in_block: bool,
    sync_block: bool,
    data: &[u8],
    out: &mut Vec<u8>,
) {
    let chunks = data.len().div_ceil(spec.bytes_per_checksum as usize);
    let checksum_len = chunks * spec.kind.size();
    let data_len = u32::try_from(data.len()).expect("a packet is below 16 MiB");
    let header =
        PacketHeader { offset_in_block, seqno, last_packet_in_block, data_len, sync_block };
    let encoded = header.encode(checksum_len);
    out.reserve(header.encoded_len() + checksum_len + data.len());
    out.extend_from_slice(encoded.get(..header.encoded_len()).unwrap_or(&encoded));
    checksum::append_sums(spec, data, out);
    out.extend_from_slice(data);
}

/// The packet that keeps an idle pipeline alive.
pub fn heartbeat() -> Vec<u8> {
    let mut out = Vec::new();
    append_packet(ChecksumSpec::default(), 0, HEARTBEAT_SEQNO, false, false, &[], &mut out);
    out
}

/// Data bytes of a full packet: whole chunks that fit, with checksums and the largest header, into `packet_bytes`
/// (`dfs.client-write-packet-size`, 65,536).
pub fn data_bytes_per_packet(spec: ChecksumSpec, packet_bytes: usize) -> usize {
    let chunk = spec.bytes_per_checksum as usize + spec.kind.size();
    let chunks = packet_bytes.saturating_sub(PACKET_MAX_HEADER_BYTES) / chunk;
    chunks.max(1) * spec.bytes_per_checksum as usize
}

/// One packet, ready for the wire, kept until it is acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Its sequence number.
    pub seqno: i64,
    /// First byte after its data, counted in the block.
    pub end_offset: u64,
    /// True for the empty packet that ends the block.
    pub last: bool,
    /// All bytes.
    pub bytes: Vec<u8>,
}

/// Cuts the bytes of one block into packets.
#[derive(Clone, Debug)]
pub struct PacketWriter {
    spec: ChecksumSpec,
    data_per_packet: usize,
    next_seqno: i64,
    /// Position in the block of the first byte in `buffer`.
    buffer_offset: u64,
    buffer: Vec<u8>,
    /// Bytes at the start of `buffer` that were already sent by a flush.
    resent: usize,
}

impl PacketWriter {
    /// A writer that continues at `offset` bytes: 0 for a new block, the length of the block for an append.
    pub fn new(spec: ChecksumSpec, packet_bytes: usize, offset: u64) -> Self {
        Self {
            spec,
            data_per_packet: data_bytes_per_packet(spec, packet_bytes),
            next_seqno: 0,
            buffer_offset: offset,
            buffer: Vec::new(),
            resent: 0,
        }
    }

    /// Bytes of the block so far, buffered ones included.
    pub fn offset(&self) -> u64 {
        self.buffer_offset + self.buffer.len() as u64
    }

    /// Bytes in the buffer that no packet has carried yet.
    pub fn unsent(&self) -> usize {
        self.buffer.len() - self.resent
    }

    /// Bytes that fit into the packet that is being filled, counted from the buffer's start.
    fn capacity(&self) -> usize {
        let chunk = u64::from(self.spec.bytes_per_checksum);
        let into_chunk = self.buffer_offset % chunk;
        if into_chunk == 0 {
            self.data_per_packet
        } else {
            usize::try_from(chunk - into_chunk).expect("a chunk is below 16 MiB")
        }
    }

    /// Adds data; full packets go to `out`.
    pub fn write(&mut self, mut data: &[u8], out: &mut Vec<Packet>) {
        while !data.is_empty() {
            let capacity = self.capacity();
            if self.buffer.is_empty() && data.len() >= capacity {
                let (now, rest) = data.split_at(capacity);
                let packet = self.packet(now, false, false);
                self.buffer_offset += now.len() as u64;
                out.push(packet);
                data = rest;
                continue;
            }
            let (now, rest) = data.split_at(data.len().min(capacity - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            data = rest;
            if self.buffer.len() == capacity {
                out.push(self.send_buffer(false, 0));
            }
        }
    }

    /// Sends what is buffered (hflush; with `sync` hsync). The partial last chunk stays to be sent again.
    ///
    /// `None` when nothing is unsent and no sync is asked for. A sync with nothing unsent is an empty packet.
    pub fn flush(&mut self, sync: bool) -> Option<Packet> {
        if self.unsent() == 0 {
            return sync.then(|| {
                let offset = self.offset();
                self.packet_at(offset, &[], false, true)
            });
        }
        let chunk = u64::from(self.spec.bytes_per_checksum);
        let keep = if self.buffer_offset.is_multiple_of(chunk) {
            self.buffer.len() % chunk as usize
        } else {
            // An unaligned packet cannot be sent again from its chunk's start: those bytes are not here.
            0
        };
        Some(self.send_buffer(sync, keep))
    }

    /// Ends the block: what is buffered, then the empty last packet (with `sync` it asks for a sync of its own).
    pub fn finish(&mut self, sync: bool, out: &mut Vec<Packet>) {
        if self.unsent() > 0 {
            out.push(self.send_buffer(false, 0));
        }
        let offset = self.offset();
        let mut packet = self.packet_at(offset, &[], true, sync);
        packet.last = true;
        out.push(packet);
        self.buffer_offset = offset;
        self.buffer.clear();
        self.resent = 0;
    }

    fn send_buffer(&mut self, sync: bool, keep: usize) -> Packet {
        let buffer = std::mem::take(&mut self.buffer);
        let packet = self.packet(&buffer, false, sync);
        let kept = buffer.len() - keep;
        self.buffer_offset += kept as u64;
        self.buffer = buffer;
        self.buffer.drain(..kept);
        self.resent = keep;
        packet
    }

    fn packet(&mut self, data: &[u8], last: bool, sync: bool) -> Packet {
        self.packet_at(self.buffer_offset, data, last, sync)
    }

    fn packet_at(&mut self, offset: u64, data: &[u8], last: bool, sync: bool) -> Packet {
        let seqno = self.next_seqno;
        self.next_seqno += 1;
        let mut bytes = Vec::new();
        append_packet(self.spec, offset, seqno, last, sync, data, &mut bytes);
        Packet { seqno, end_offset: offset + data.len() as u64, last, bytes }
    }
}

#[cfg(test)]
mod tests;
