//! Reading a range of one block from one DataNode, every chunk verified.
//!
//! The DataNode sends whole chunks, so the first packet may begin before the range and the last one may end after it.
//! When a packet fits into the caller's buffer its data goes there straight from the socket.
//!
//! **Invariant:** no byte is handed out before the checksum of its chunk was verified.
//!
//! Hadoop: org.apache.hadoop.hdfs.client.impl.BlockReaderRemote (3.5.0)

use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_format::datatransfer::{
    self, Op, PACKET_LENGTHS_BYTES, PacketHeader, PacketLengths, status_of,
};
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::Status;
use hdfs_types::{Error, ErrorKind, Result};

use crate::HdfsClient;
use crate::located::{DatanodeInfo, LocatedBlock};
use crate::peer::Peer;

/// A read in progress.
#[derive(Debug)]
pub(crate) struct BlockReader {
    peer: Peer,
    spec: ChecksumSpec,
    /// Next byte to hand out, counted in the block.
    position: u64,
    /// First byte after the range.
    end: u64,
    /// Where the next packet begins.
    next_packet: u64,
    /// Data of the last packet, when it did not go to the caller straight away.
    packet: Vec<u8>,
    /// First byte of it that was not handed out.
    packet_at: usize,
    sums: Vec<u8>,
}

/// A range of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    /// First byte, counted in the block.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
}

impl BlockReader {
    /// Asks a DataNode for a range of a block over this connection.
    pub(crate) async fn open(
        mut peer: Peer,
        client: &HdfsClient,
        located: &LocatedBlock,
        range: Range,
    ) -> Result<Self> {
        let request = proto::OpReadBlockProto {
            header: proto::ClientOperationHeaderProto {
                base_header: proto::BaseHeaderProto {
                    block: datatransfer::extended_block_proto(&located.block),
                    token: Some(located.token.clone()),
                    trace_info: None,
                },
                client_name: client.client_name().to_owned(),
            },
            offset: range.offset,
            len: range.length,
            send_checksums: Some(true),
            caching_strategy: Some(proto::CachingStrategyProto::default()),
        };
        peer.send(&datatransfer::encode_op(Op::ReadBlock, &request)).await?;
        let response: proto::BlockOpResponseProto = peer.read_message("block response").await?;
        check_status(&response, || format!("for OP_READ_BLOCK of {}", located.block))?;
        let info = response.read_op_checksum_info.ok_or_else(|| {
            Error::io(format!("the DataNode named no checksum for {}", located.block))
        })?;
        let sum = &info.checksum;
        let spec = ChecksumSpec::new(sum.r#type, sum.bytes_per_checksum.into())
            .map_err(|error| Error::io(format!("checksum of {}: {error}", located.block)))?;
        let chunk = u64::from(spec.bytes_per_checksum);
        if info.chunk_offset > range.offset || info.chunk_offset + chunk <= range.offset {
            return Err(Error::io(format!(
                "BlockReader: error in first chunk offset ({}) startOffset is {} for {}",
                info.chunk_offset, range.offset, located.block
            )));
        }
        Ok(Self {
            peer,
            spec,
            position: range.offset,
            end: range.offset + range.length,
            next_packet: info.chunk_offset,
            packet: Vec::new(),
            packet_at: 0,
            sums: Vec::new(),
        })
    }

    /// Next byte that [`Self::read`] gives, counted in the block.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// True when the whole range was handed out.
    pub(crate) fn is_done(&self) -> bool {
        self.position == self.end
    }

    /// Reads some bytes; 0 only at the end of the range or for an empty buffer.
    pub(crate) async fn read(&mut self, target: &mut [u8]) -> Result<usize> {
        let wanted = (self.end - self.position).min(target.len() as u64);
        // The smaller of two lengths, one of them a usize.
        let target = &mut target[..wanted as usize];
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            let ready = &self.packet[self.packet_at..];
            if !ready.is_empty() {
                let count = ready.len().min(target.len());
                target[..count].copy_from_slice(&ready[..count]);
                self.packet_at += count;
                self.position += count as u64;
                return Ok(count);
            }
            let direct = self.next_packet(target).await?;
            if direct > 0 {
                self.position += direct as u64;
                return Ok(direct);
            }
        }
    }

    /// Reads and throws away.
    pub(crate) async fn skip(&mut self, mut bytes: u64) -> Result<()> {
        let mut sink = [0; 8 * 1024];
        while bytes > 0 {
            let count = bytes.min(sink.len() as u64) as usize;
            let count = self.read(&mut sink[..count]).await?;
            if count == 0 {
                return Ok(());
            }
            bytes -= count as u64;
        }
        Ok(())
    }

    /// Receives a packet: into `target` when it is wanted whole and fits (the answer is its length), else into
    /// `self.packet` (the answer is 0).
    async fn next_packet(&mut self, target: &mut [u8]) -> Result<usize> {
        let header = self.receive_header().await?;
        if header.data_len == 0 {
            return Err(Error::io(format!(
                "the DataNode ended the block at {} of {}",
                self.next_packet, self.end
            )));
        }
        let length = header.data_len as usize;
        let start = self.next_packet;
        self.next_packet += length as u64;
        if start == self.position && length <= target.len() {
            let target = &mut target[..length];
            self.peer.read_exact(target).await?;
            self.verify(start, target)?;
            return Ok(length);
        }
        let mut packet = std::mem::take(&mut self.packet);
        packet.resize(length, 0);
        self.peer.read_exact(&mut packet).await?;
        self.verify(start, &packet)?;
        self.packet = packet;
        // Only the first packet begins before the range: its first chunk holds the range's first byte.
        self.packet_at = usize::try_from(self.position - start)
            .ok()
            .filter(|at| *at <= length)
            .ok_or_else(|| Error::io("the DataNode sent a packet before the range"))?;
        Ok(0)
    }

    /// Receives lengths, header and checksums of a packet.
    async fn receive_header(&mut self) -> Result<PacketHeader> {
        self.peer.fill(PACKET_LENGTHS_BYTES).await?;
        let prefix = self.peer.buffered().first_chunk().copied().unwrap_or_default();
        let lengths = PacketLengths::decode(prefix)?;
        let head = PACKET_LENGTHS_BYTES + lengths.header;
        self.peer.fill(head).await?;
        let bytes = &self.peer.buffered()[PACKET_LENGTHS_BYTES..head];
        let header = PacketHeader::decode(bytes, lengths.body)?;
        if header.data_len > 0 && header.offset_in_block != self.next_packet {
            return Err(Error::io(format!(
                "BlockReader: error in packet header: it begins at {} instead of {}",
                header.offset_in_block, self.next_packet
            )));
        }
        let sums = lengths.body - header.data_len as usize;
        self.peer.fill(head + sums).await?;
        self.sums.clear();
        self.sums.extend_from_slice(&self.peer.buffered()[head..head + sums]);
        self.peer.consume(head + sums);
        Ok(header)
    }

    fn verify(&self, start: u64, data: &[u8]) -> Result<()> {
        checksum::verify(self.spec, data, &self.sums).map_err(|mismatch| {
            let at = start + mismatch.offset as u64;
            let message = format!(
                "Checksum error: at {at} exp: {} got: {}",
                mismatch.expected.cast_signed(),
                mismatch.found.cast_signed()
            );
            Error::new(ErrorKind::Checksum, message)
        })
    }

    /// Ends a read whose whole range was handed out: tells the DataNode that the checksums were right and gives the
    /// connection back for another operation.
    pub(crate) async fn finish(mut self, client: &HdfsClient, node: &DatanodeInfo) -> Result<()> {
        debug_assert!(self.is_done());
        // A packet may reach beyond the range to the end of its chunk.
        let header = self.receive_header().await?;
        if header.data_len > 0 || !header.last_packet_in_block {
            return Err(Error::io("Expected empty end-of-read packet!"));
        }
        let status = proto::ClientReadStatusProto { status: Status::ChecksumOk as i32 };
        self.peer.send(&datatransfer::encode_delimited(&status)).await?;
        if self.peer.is_clean() {
            client.peers().put(&node.uuid, self.peer);
        }
        Ok(())
    }
}

/// Fails unless the DataNode accepted the operation.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.datatransfer.DataTransferProtoUtil.checkBlockOpStatus (3.5.0)
pub(crate) fn check_status(
    response: &proto::BlockOpResponseProto,
    what: impl FnOnce() -> String,
) -> Result<()> {
    let status = status_of(response.status);
    let message = response.message();
    match status {
        Status::Success => Ok(()),
        Status::ErrorAccessToken => Err(Error::new(
            ErrorKind::InvalidToken,
            format!("Got access token error, status message {message}, {}", what()),
        )),
        _ => Err(Error::io(format!(
            "Got error, status={}, status message {message}, {}",
            status.as_str_name(),
            what()
        ))),
    }
}
