//! The header of a packet: lengths, then a protobuf whose fields have fixed width.
//!
//! ```text
//! 0   int32  PLEN = 4 + checksums + data            big-endian
//! 4   int16  HLEN = 25, or 27 with sync_block       big-endian
//! 6   09 int64 offset_in_block | 11 int64 seqno | 18 bool last | 25 int32 data_len [| 28 bool sync]   little-endian
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.datatransfer.{PacketHeader, PacketReceiver} (3.5.0)

use super::TransferDecodeError;
use hdfs_proto::hdfs::PacketHeaderProto;
use prost::Message;

/// Bytes of PLEN and HLEN.
pub const PACKET_LENGTHS_BYTES: usize = 6;
/// Bytes of lengths and header at most, as writers of Hadoop produce them.
pub const PACKET_MAX_HEADER_BYTES: usize = PACKET_LENGTHS_BYTES + 27;
/// Limit of checksums and data of one packet (`dfs.data.transfer.max.packet.size`).
pub const MAX_PACKET_BYTES: usize = 16 * 1024 * 1024;
/// Sequence number of the packets that only keep a connection alive.
pub const HEARTBEAT_SEQNO: i64 = -1;
/// A header longer than this is refused: it has five fields.
const MAX_HEADER_BYTES: i16 = 1024;
const PLAIN_HEADER_BYTES: usize = 25;

/// The two lengths that open a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketLengths {
    /// Bytes of the header's protobuf.
    pub header: usize,
    /// Bytes of checksums and data together.
    pub body: usize,
}

impl PacketLengths {
    /// Reads and checks both lengths.
    ///
    /// # Errors
    /// When one is outside its limits.
    pub fn decode(bytes: [u8; PACKET_LENGTHS_BYTES]) -> Result<Self, TransferDecodeError> {
        let [a, b, c, d, e, f] = bytes;
        let payload = i32::from_be_bytes([a, b, c, d]);
        let header = i16::from_be_bytes([e, f]);
        let body = payload.checked_sub(4).and_then(|body| usize::try_from(body).ok());
        let body = body.filter(|body| *body <= MAX_PACKET_BYTES);
        let body = body.ok_or(TransferDecodeError::PacketLength(payload))?;
        if !(0..=MAX_HEADER_BYTES).contains(&header) {
            return Err(TransferDecodeError::HeaderLength(header));
        }
        Ok(Self { header: usize::from(header.cast_unsigned()), body })
    }

    /// Bytes of the whole packet, lengths included.
    pub fn total(self) -> usize {
        PACKET_LENGTHS_BYTES + self.header + self.body
    }
}

/// The header of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PacketHeader {
    /// Where the data begins in the block.
    pub offset_in_block: u64,
    /// Counts up from 0; [`HEARTBEAT_SEQNO`] for a heartbeat.
    pub seqno: i64,
    /// True for the empty packet that ends the block.
    pub last_packet_in_block: bool,
    /// Bytes of data.
    pub data_len: u32,
    /// True when the receiver must sync to disk before it acknowledges.
    pub sync_block: bool,
}

impl PacketHeader {
    /// Bytes that [`Self::encode`] writes for this header.
    pub fn encoded_len(&self) -> usize {
        PACKET_LENGTHS_BYTES + PLAIN_HEADER_BYTES + if self.sync_block { 2 } else { 0 }
    }

    /// Lengths and header; the first [`Self::encoded_len`] bytes of the answer count. `checksum_len` bytes of checksums
    /// are to follow.
    ///
    /// # Panics
    /// When checksums and data together are over [`MAX_PACKET_BYTES`]: writers choose their packet size.
    pub fn encode(&self, checksum_len: usize) -> [u8; PACKET_MAX_HEADER_BYTES] {
        let data_len = i32::try_from(self.data_len).expect("a packet is below 16 MiB");
        let body = checksum_len + self.data_len as usize;
        assert!(body <= MAX_PACKET_BYTES, "a packet of {body} bytes is over the limit");
        let payload = i32::try_from(4 + body).expect("a packet is below 16 MiB");
        let header = PLAIN_HEADER_BYTES + if self.sync_block { 2 } else { 0 };
        let mut out = [0_u8; PACKET_MAX_HEADER_BYTES];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            for byte in bytes {
                if let Some(slot) = out.get_mut(at) {
                    *slot = *byte;
                }
                at += 1;
            }
        };
        put(&payload.to_be_bytes());
        put(&[0, u8::try_from(header).expect("a header has 25 or 27 bytes")]);
        put(&[0x09]);
        put(&self.offset_in_block.to_le_bytes());
        put(&[0x11]);
        put(&self.seqno.to_le_bytes());
        put(&[0x18, u8::from(self.last_packet_in_block), 0x25]);
        put(&data_len.to_le_bytes());
        if self.sync_block {
            put(&[0x28, 1]);
        }
        out
    }

    /// Reads a header's protobuf; `body` is what [`PacketLengths`] announced.
    ///
    /// # Errors
    /// When it is malformed, or its data length does not fit into the packet.
    pub fn decode(bytes: &[u8], body: usize) -> Result<Self, TransferDecodeError> {
        let proto = PacketHeaderProto::decode(bytes)
            .map_err(|_| TransferDecodeError::Malformed("packet header"))?;
        let data_len = u32::try_from(proto.data_len)
            .ok()
            .filter(|length| *length as usize <= body)
            .ok_or(TransferDecodeError::DataLength(proto.data_len))?;
        Ok(Self {
            offset_in_block: u64::try_from(proto.offset_in_block)
                .map_err(|_| TransferDecodeError::Malformed("packet offset"))?,
            seqno: proto.seqno,
            last_packet_in_block: proto.last_packet_in_block,
            data_len,
            sync_block: proto.sync_block.unwrap_or(false),
        })
    }
}
