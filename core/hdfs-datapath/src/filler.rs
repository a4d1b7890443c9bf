//! Packets as the writer fills them: header, checksums and data in one recycled buffer, so that the user's bytes are
//! copied once and a packet goes out in one piece.
//!
//! ```text
//! | unused | header (31 or 33) | checksums (4 a chunk) | data | unused |
//!          ^ start                                     ^ data_start (fixed)
//! ```
//!
//! After a flush the partial last chunk is kept and sent again, whole, with the bytes that follow: the DataNode replaces
//! its checksum. A block that is appended to may start inside a chunk; then the first packet ends with that chunk.
//!
//! Hadoop: org.apache.hadoop.hdfs.{DFSPacket, DFSOutputStream} (3.5.0)

use hdfs_format::datatransfer::{HEARTBEAT_SEQNO, PACKET_MAX_HEADER_BYTES, PacketHeader};
use hdfs_format::encryption::AesCtr;

use crate::packet::data_bytes_per_packet;
use crate::{ChecksumSpec, checksum};

/// A packet that waits to be sent or acknowledged.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its number; -1 for a heartbeat.
    pub seqno: i64,
    /// First byte after its data, counted in the block.
    pub end_offset: u64,
    /// True for the empty packet that ends the block.
    pub last: bool,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Packet {
    /// What goes over the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// A packet that only keeps the connection alive.
    pub fn heartbeat() -> Self {
        let buffer = crate::packet::heartbeat();
        let end = buffer.len();
        Self { seqno: HEARTBEAT_SEQNO, end_offset: 0, last: false, buffer, start: 0, end }
    }

    /// Its buffer, to be filled again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// True for such a packet.
    pub fn is_heartbeat(&self) -> bool {
        self.seqno == HEARTBEAT_SEQNO
    }
}

/// Where packets get their buffers from.
pub trait Buffers {
    /// A buffer of this length, whatever is in it.
    fn take(&self, bytes: usize) -> Vec<u8>;
}

/// Fills packets with the bytes of one file, block after block.
#[derive(Debug)]
pub struct Filler<B> {
    spec: ChecksumSpec,
    block_size: u64,
    data_start: usize,
    data_per_packet: usize,
    buffers: B,
    buffer_bytes: usize,
    next_seqno: i64,
    /// The packet being filled; `None` when nothing waits in it.
    buffer: Option<Vec<u8>>,
    /// Where its data begins in the block.
    packet_offset: u64,
    /// Bytes of data in it.
    filled: usize,
    /// Bytes at its start that a flush has sent before.
    resent: usize,
    /// Encrypts what it is filled with, from this place of the file on.
    cipher: Option<(AesCtr, u64)>,
}

impl<B: Buffers> Filler<B> {
    /// Continues a block at `offset`: 0 for a new one. With a cipher and the place of the next byte in the file it
    /// encrypts.
    pub fn new(
        spec: ChecksumSpec,
        block_size: u64,
        packet_bytes: usize,
        offset: u64,
        cipher: Option<(AesCtr, u64)>,
        buffers: B,
    ) -> Self {
        let data_per_packet = data_bytes_per_packet(spec, packet_bytes);
        let sums = data_per_packet.div_ceil(spec.bytes_per_checksum as usize) * spec.kind.size();
        let data_start = PACKET_MAX_HEADER_BYTES + sums;
        let buffer_bytes = data_start + data_per_packet;
        Self {
            spec,
            block_size,
            data_start,
            data_per_packet,
            buffers,
            buffer_bytes,
            next_seqno: 0,
            buffer: None,
            packet_offset: offset,
            filled: 0,
            resent: 0,
            cipher,
        }
    }

    /// Where buffers come from.
    pub fn buffers(&self) -> &B {
        &self.buffers
    }

    /// Bytes of the block so far.
    pub fn offset(&self) -> u64 {
        self.packet_offset + self.filled as u64
    }

    /// Number of the last packet that was made; -1 before the first.
    pub fn last_seqno(&self) -> i64 {
        self.next_seqno - 1
    }

    /// Data bytes that the packet being filled may hold.
    fn capacity(&self) -> usize {
        let chunk = u64::from(self.spec.bytes_per_checksum);
        let into_chunk = self.packet_offset % chunk;
        let capacity =
            if into_chunk == 0 { self.data_per_packet as u64 } else { chunk - into_chunk };
        capacity.min(self.block_size.saturating_sub(self.packet_offset)) as usize
    }

    /// Bytes that fill the packet.
    pub fn room(&self) -> usize {
        self.capacity() - self.filled
    }

    /// Copies from the start of `data` what fits into the packet; the answer is how much. Gives the packet when it is
    /// full.
    pub fn fill(&mut self, data: &[u8]) -> (usize, Option<Packet>) {
        let capacity = self.capacity();
        let count = data.len().min(capacity - self.filled);
        let bytes = self.buffer_bytes;
        let buffer = self.buffer.get_or_insert_with(|| self.buffers.take(bytes));
        let at = self.data_start + self.filled;
        let filled = &mut buffer[at..at + count];
        filled.copy_from_slice(&data[..count]);
        if let Some((cipher, position)) = &mut self.cipher {
            cipher.apply(*position, filled);
            *position += count as u64;
        }
        self.filled += count;
        let full = (self.filled == capacity).then(|| self.seal(false, 0));
        (count, full)
    }

    /// True when the block can't take another byte; then [`Self::end_block`] is due.
    pub fn is_block_full(&self) -> bool {
        self.offset() >= self.block_size
    }

    /// What a flush must send: the bytes since the last one, or an empty packet when only the sync is new.
    pub fn flush(&mut self, sync: bool) -> Option<Packet> {
        let offset = self.offset();
        if self.filled > self.resent {
            let chunk = u64::from(self.spec.bytes_per_checksum);
            // Bytes before the start of the packet are not here, so only an aligned packet can be sent again.
            let keep = if self.packet_offset.is_multiple_of(chunk) {
                (offset % chunk) as usize
            } else {
                0
            };
            return Some(self.seal(sync, keep));
        }
        // A block without bytes has no pipeline yet, hence nothing to sync.
        (sync && offset > 0).then(|| self.empty(false, true))
    }

    /// Ends the block: the bytes that wait, then the empty last packet. Nothing for a block without bytes.
    pub fn end_block(&mut self, sync: bool) -> [Option<Packet>; 2] {
        if self.offset() == 0 {
            return [None, None];
        }
        let rest = (self.filled > self.resent).then(|| self.seal(false, 0));
        self.packet_offset = self.offset();
        self.filled = 0;
        let last = self.empty(true, sync);
        self.packet_offset = 0;
        self.resent = 0;
        [rest, Some(last)]
    }

    fn empty(&mut self, last: bool, sync: bool) -> Packet {
        let header = PacketHeader {
            offset_in_block: self.offset(),
            seqno: self.next_seqno,
            last_packet_in_block: last,
            data_len: 0,
            sync_block: sync,
        };
        self.next_seqno += 1;
        let buffer = header.encode(0)[..header.encoded_len()].to_vec();
        let end = buffer.len();
        Packet { seqno: header.seqno, end_offset: self.offset(), last, buffer, start: 0, end }
    }

    /// Adds checksums and header to the packet, and starts the next one with the last `keep` bytes.
    fn seal(&mut self, sync: bool, keep: usize) -> Packet {
        let mut buffer = self.buffer.take().unwrap_or_else(|| self.buffers.take(self.buffer_bytes));
        let end = self.data_start + self.filled;
        let (head, data) = buffer.split_at_mut(self.data_start);
        let data = &data[..self.filled];
        let sum_bytes = self.spec.checksum_bytes(self.filled as u64) as usize;
        let sums_start = self.data_start - sum_bytes;
        if sum_bytes > 0 {
            let chunks = data.chunks(self.spec.bytes_per_checksum as usize);
            for (slot, chunk) in head[sums_start..].chunks_exact_mut(4).zip(chunks) {
                slot.copy_from_slice(&checksum::sum(self.spec.kind, chunk).to_be_bytes());
            }
        }
        let header = PacketHeader {
            offset_in_block: self.packet_offset,
            seqno: self.next_seqno,
            last_packet_in_block: false,
            data_len: self.filled as u32,
            sync_block: sync,
        };
        self.next_seqno += 1;
        let start = sums_start - header.encoded_len();
        let encoded = header.encode(sum_bytes);
        head[start..sums_start].copy_from_slice(&encoded[..header.encoded_len()]);
        let end_offset = self.offset();
        if keep > 0 {
            let mut next = self.buffers.take(self.buffer_bytes);
            next[self.data_start..self.data_start + keep].copy_from_slice(&buffer[end - keep..end]);
            self.buffer = Some(next);
        }
        self.packet_offset = end_offset - keep as u64;
        self.filled = keep;
        self.resent = keep;
        Packet { seqno: header.seqno, end_offset, last: false, buffer, start, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_format::datatransfer::{PACKET_LENGTHS_BYTES, PacketLengths};

    struct Fresh;

    impl Buffers for Fresh {
        fn take(&self, bytes: usize) -> Vec<u8> {
            vec![0; bytes]
        }
    }

    /// Offset, data and flags of a packet, after its checksums were verified.
    fn read(packet: &Packet) -> (PacketHeader, Vec<u8>) {
        let bytes = packet.bytes();
        let lengths = PacketLengths::decode(*bytes.first_chunk().unwrap()).unwrap();
        let head = PACKET_LENGTHS_BYTES + lengths.header;
        let header =
            PacketHeader::decode(&bytes[PACKET_LENGTHS_BYTES..head], lengths.body).unwrap();
        let (sums, data) = bytes[head..].split_at(lengths.body - header.data_len as usize);
        checksum::verify(ChecksumSpec::default(), data, sums).unwrap();
        assert_eq!(packet.end_offset, header.offset_in_block + u64::from(header.data_len));
        (header, data.to_vec())
    }

    /// What a DataNode holds after these packets.
    fn replay(packets: &[Packet], mut block: Vec<u8>) -> Vec<u8> {
        for packet in packets {
            let (header, data) = read(packet);
            let at = usize::try_from(header.offset_in_block).unwrap();
            assert!(at <= block.len(), "a hole before {at}");
            assert!(at % 512 + data.len() <= 512 || at % 512 == 0, "a partial chunk is sent alone");
            block.truncate(at);
            block.extend_from_slice(&data);
        }
        block
    }

    #[test]
    fn any_cut_of_the_bytes_with_flushes_gives_the_same_block() {
        let data: Vec<u8> = (0..200_000_u32).map(|n| (n * 31 % 251) as u8).collect();
        for start in [0, 1, 100, 511, 512, 513] {
            for step in [1_000, 511, 512, 70_000] {
                let mut filler = Filler::new(
                    ChecksumSpec::default(),
                    1 << 30,
                    65_536,
                    start as u64,
                    None,
                    Fresh,
                );
                let mut packets = Vec::new();
                for (index, mut piece) in data[start..].chunks(step).enumerate() {
                    while !piece.is_empty() {
                        let (count, full) = filler.fill(piece);
                        packets.extend(full);
                        piece = &piece[count..];
                    }
                    if index % 3 == 0 {
                        packets.extend(filler.flush(false));
                        assert!(filler.flush(false).is_none(), "nothing is new");
                    }
                }
                packets.extend(filler.end_block(false).into_iter().flatten());
                assert!(packets.last().unwrap().last);
                assert!(packets.iter().zip(0..).all(|(packet, n)| packet.seqno == n));
                assert_eq!(replay(&packets, data[..start].to_vec()), data, "{start} {step}");
            }
        }
    }

    #[test]
    fn a_block_takes_no_more_than_its_size() {
        let mut filler = Filler::new(ChecksumSpec::default(), 1_024, 65_536, 0, None, Fresh);
        let (count, full) = filler.fill(&[7; 5_000]);
        assert_eq!(count, 1_024);
        assert_eq!(read(&full.unwrap()).1.len(), 1_024);
        assert!(filler.is_block_full());
        let [rest, last] = filler.end_block(false);
        assert!(rest.is_none() && last.unwrap().last);
        assert_eq!(filler.offset(), 0);
    }

    #[test]
    fn a_sync_without_new_bytes_is_an_empty_packet() {
        let mut filler = Filler::new(ChecksumSpec::default(), 1 << 20, 65_536, 0, None, Fresh);
        assert!(filler.flush(true).is_none(), "no bytes, no pipeline");
        filler.fill(&[1; 700]);
        assert!(!read(&filler.flush(false).unwrap()).0.sync_block);
        let (header, data) = read(&filler.flush(true).unwrap());
        assert!(header.sync_block && data.is_empty());
        assert_eq!(header.offset_in_block, 700);
    }
}
