//! The data-transfer protocol: what client and DataNode, and DataNode and DataNode, say about block bytes.
//!
//! ```text
//! operation   int16 version = 28 (big-endian) | int8 opcode | varint n | n bytes of the operation's protobuf
//! message     varint n | n bytes of protobuf                    (BlockOpResponse, PipelineAck, ClientReadStatus)
//! packet      int32 PLEN | int16 HLEN | HLEN bytes PacketHeader | checksums | data
//!             PLEN = 4 + length(checksums) + length(data); HLEN is 25, or 27 when sync_block is set
//! ```
//!
//! Invariants: lengths are checked against their limit before anything is parsed or allocated, and "more bytes are
//! needed" is an outcome of its own, never an error.
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.datatransfer.{Op, Sender, Receiver, PacketHeader, PipelineAck} (3.5.0)

mod ack;
mod packet;
#[cfg(test)]
mod tests;

pub use ack::{AckFlag, Ecn, Slow, UNKNOWN_SEQNO, pipeline_ack, reply_flags, status_of};
pub use packet::{
    HEARTBEAT_SEQNO, MAX_PACKET_BYTES, PACKET_LENGTHS_BYTES, PACKET_MAX_HEADER_BYTES, PacketHeader,
    PacketLengths,
};

use hdfs_proto::hdfs::{BlockOpResponseProto, Status};
use hdfs_types::{Block, BlockId, BlockPoolId, ExtendedBlock, GenerationStamp};
use prost::Message;
use std::fmt;

/// The only version of the protocol in use.
pub const DATA_TRANSFER_VERSION: i16 = 28;
/// Bytes before the protobuf of an operation: version and opcode.
pub const OP_PREFIX_BYTES: usize = 3;
/// Limit of an operation's or a response's protobuf, checked before it is parsed.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// What a server answers first when the client wants SASL; seen where a version is expected.
pub const SASL_TRANSFER_MAGIC: u32 = 0xDEAD_BEEF;

/// An operation by its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Op {
    /// Pipeline write.
    WriteBlock = 80,
    /// Read.
    ReadBlock = 81,
    /// Obsolete; the slot is kept.
    ReadMetadata = 82,
    /// Balancer move, received by the new holder.
    ReplaceBlock = 83,
    /// Balancer copy, sent to the present holder.
    CopyBlock = 84,
    /// Checksum of a block, for file checksums.
    BlockChecksum = 85,
    /// Copy a replica to further nodes during pipeline recovery.
    TransferBlock = 86,
    /// Pass file descriptors over a domain socket.
    RequestShortCircuitFds = 87,
    /// Release a shared-memory slot.
    ReleaseShortCircuitFds = 88,
    /// Ask for a shared-memory segment.
    RequestShortCircuitShm = 89,
    /// Checksum of a block group.
    BlockGroupChecksum = 90,
    /// Hook for extensions.
    Custom = 127,
}

impl Op {
    /// Every operation.
    pub const ALL: [Self; 12] = [
        Self::WriteBlock,
        Self::ReadBlock,
        Self::ReadMetadata,
        Self::ReplaceBlock,
        Self::CopyBlock,
        Self::BlockChecksum,
        Self::TransferBlock,
        Self::RequestShortCircuitFds,
        Self::ReleaseShortCircuitFds,
        Self::RequestShortCircuitShm,
        Self::BlockGroupChecksum,
        Self::Custom,
    ];

    /// The operation with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| *op as u8 == code)
    }

    /// Hadoop's name, as in logs and error messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::WriteBlock => "WRITE_BLOCK",
            Self::ReadBlock => "READ_BLOCK",
            Self::ReadMetadata => "READ_METADATA",
            Self::ReplaceBlock => "REPLACE_BLOCK",
            Self::CopyBlock => "COPY_BLOCK",
            Self::BlockChecksum => "BLOCK_CHECKSUM",
            Self::TransferBlock => "TRANSFER_BLOCK",
            Self::RequestShortCircuitFds => "REQUEST_SHORT_CIRCUIT_FDS",
            Self::ReleaseShortCircuitFds => "RELEASE_SHORT_CIRCUIT_FDS",
            Self::RequestShortCircuitShm => "REQUEST_SHORT_CIRCUIT_SHM",
            Self::BlockGroupChecksum => "BLOCK_GROUP_CHECKSUM",
            Self::Custom => "CUSTOM",
        }
    }
}

/// Why bytes are not data-transfer protocol. Each one ends the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TransferDecodeError {
    /// The peer speaks another version.
    Version(i16),
    /// The peer starts a SASL handshake.
    Sasl,
    /// No operation has this code.
    UnknownOp(u8),
    /// A protobuf's length is over [`MAX_MESSAGE_BYTES`] or its varint is longer than five bytes.
    MessageTooLong(u64),
    /// A protobuf does not parse or lacks a required field.
    Malformed(&'static str),
    /// PLEN is below 4 or over [`MAX_PACKET_BYTES`].
    PacketLength(i32),
    /// HLEN is negative or absurd.
    HeaderLength(i16),
    /// The packet's data length does not fit its payload.
    DataLength(i32),
}

impl fmt::Display for TransferDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(found) => write!(
                f,
                "Version Mismatch (Expected: {DATA_TRANSFER_VERSION}, Received: {found} )"
            ),
            Self::Sasl => f.write_str("the peer asks for a SASL handshake, which is not enabled"),
            Self::UnknownOp(code) => write!(f, "Unknown op {code} in data stream"),
            Self::MessageTooLong(length) => {
                write!(f, "message of {length} bytes is over the limit of {MAX_MESSAGE_BYTES}")
            }
            Self::Malformed(what) => write!(f, "malformed {what}"),
            Self::PacketLength(length) => {
                write!(f, "Incorrect value for packet payload size: {length}")
            }
            Self::HeaderLength(length) => write!(f, "Invalid header length {length}"),
            Self::DataLength(length) => write!(f, "Invalid packet data length {length}"),
        }
    }
}

impl std::error::Error for TransferDecodeError {}

impl From<TransferDecodeError> for hdfs_types::Error {
    fn from(error: TransferDecodeError) -> Self {
        Self::io(error.to_string()).with_source(error)
    }
}

/// The bytes of an operation: version, opcode, delimited protobuf.
pub fn encode_op(op: Op, message: &impl Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(OP_PREFIX_BYTES + 5 + message.encoded_len());
    out.extend_from_slice(&DATA_TRANSFER_VERSION.to_be_bytes());
    out.push(op as u8);
    encode_delimited_into(message, &mut out);
    out
}

/// The operation named by the first three bytes of a request.
///
/// # Errors
/// When the version or the opcode is unknown, or the bytes start a SASL handshake.
pub fn decode_op(prefix: [u8; OP_PREFIX_BYTES]) -> Result<Op, TransferDecodeError> {
    let [high, low, code] = prefix;
    let version = i16::from_be_bytes([high, low]);
    let magic = SASL_TRANSFER_MAGIC.to_be_bytes();
    if magic.starts_with(&prefix) {
        return Err(TransferDecodeError::Sasl);
    }
    if version != DATA_TRANSFER_VERSION {
        return Err(TransferDecodeError::Version(version));
    }
    Op::from_code(code).ok_or(TransferDecodeError::UnknownOp(code))
}

/// A message with its length in front.
pub fn encode_delimited(message: &impl Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(5 + message.encoded_len());
    encode_delimited_into(message, &mut out);
    out
}

/// Appends a message with its length in front.
pub fn encode_delimited_into(message: &impl Message, out: &mut Vec<u8>) {
    message.encode_length_delimited(out).expect("a Vec grows as needed");
}

/// How far a length prefix is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prefix {
    /// Another byte is needed.
    Incomplete,
    /// The message starts after `prefix` bytes and has `length` bytes.
    Complete {
        /// Bytes of the varint.
        prefix: usize,
        /// Bytes of the message; within [`MAX_MESSAGE_BYTES`].
        length: usize,
    },
}

/// Reads the length in front of a message. At most five bytes are looked at.
///
/// # Errors
/// When the length is over the limit.
pub fn decode_prefix(input: &[u8]) -> Result<Prefix, TransferDecodeError> {
    let mut length = 0_u64;
    for (index, byte) in input.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return match usize::try_from(length) {
                Ok(length) if length <= MAX_MESSAGE_BYTES => {
                    Ok(Prefix::Complete { prefix: index + 1, length })
                }
                _ => Err(TransferDecodeError::MessageTooLong(length)),
            };
        }
    }
    if input.len() >= 5 {
        return Err(TransferDecodeError::MessageTooLong(length));
    }
    Ok(Prefix::Incomplete)
}

/// Parses the bytes of a message, without its length.
///
/// # Errors
/// When it is malformed.
pub fn decode_message<M: Message + Default>(
    what: &'static str,
    bytes: &[u8],
) -> Result<M, TransferDecodeError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(TransferDecodeError::MessageTooLong(bytes.len() as u64));
    }
    M::decode(bytes).map_err(|_| TransferDecodeError::Malformed(what))
}

/// A response that holds a status and a text.
pub fn block_op_response(status: Status, message: Option<&str>) -> BlockOpResponseProto {
    BlockOpResponseProto {
        status: status as i32,
        message: message.map(str::to_owned),
        ..BlockOpResponseProto::default()
    }
}

/// The block of a header; `None` length counts as 0.
///
/// Proto: hdfs.proto ExtendedBlockProto
pub fn extended_block(proto: &hdfs_proto::hdfs::ExtendedBlockProto) -> ExtendedBlock {
    ExtendedBlock {
        pool: BlockPoolId::from(proto.pool_id.as_str()),
        block: Block {
            id: BlockId(proto.block_id.cast_signed()),
            num_bytes: proto.num_bytes.unwrap_or(0),
            generation_stamp: GenerationStamp(proto.generation_stamp),
        },
    }
}

/// The protobuf of a block with its pool.
///
/// Proto: hdfs.proto ExtendedBlockProto
pub fn extended_block_proto(block: &ExtendedBlock) -> hdfs_proto::hdfs::ExtendedBlockProto {
    hdfs_proto::hdfs::ExtendedBlockProto {
        pool_id: block.pool.as_str().to_owned(),
        block_id: block.block.id.0.cast_unsigned(),
        generation_stamp: block.block.generation_stamp.0,
        num_bytes: Some(block.block.num_bytes),
    }
}

/// The block of a BlockProto; `None` length counts as 0.
///
/// Proto: hdfs.proto BlockProto
pub fn block(proto: &hdfs_proto::hdfs::BlockProto) -> Block {
    Block {
        id: BlockId(proto.block_id.cast_signed()),
        num_bytes: proto.num_bytes.unwrap_or(0),
        generation_stamp: GenerationStamp(proto.gen_stamp),
    }
}

/// The protobuf of a block.
///
/// Proto: hdfs.proto BlockProto
pub fn block_proto(block: &Block) -> hdfs_proto::hdfs::BlockProto {
    hdfs_proto::hdfs::BlockProto {
        block_id: block.id.0.cast_unsigned(),
        gen_stamp: block.generation_stamp.0,
        num_bytes: Some(block.num_bytes),
    }
}
