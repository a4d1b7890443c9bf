//! What a DataNode does with a packet: is it well-formed, and which of its bytes go to disk.
//!
//! The bytes of a packet may overlap those on disk: a client that recovers a pipeline, or flushed a partial chunk, sends
//! a chunk again from its start. Bytes on disk are kept; the checksum of a chunk that was partial is replaced.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockReceiver.receivePacket (3.5.0)

use hdfs_format::block_meta::{ChecksumSpec, META_HEADER_BYTES};
use hdfs_format::datatransfer::PacketHeader;
use std::fmt;

/// Why a packet ends the write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PacketRefused {
    /// It starts beyond what was received: bytes are missing.
    OutOfSequence {
        /// Where the packet starts.
        offset: u64,
        /// Where it should start at the latest.
        expected: u64,
    },
    /// Its checksums are neither absent nor one for every chunk.
    ChecksumLength {
        /// Bytes of checksums in the packet.
        received: usize,
        /// Bytes of checksums that its data needs.
        expected: usize,
    },
    /// It starts inside a chunk and goes beyond that chunk's end.
    PartialChunk {
        /// Bytes of data.
        length: u32,
        /// Bytes of a chunk.
        bytes_per_checksum: u32,
    },
    /// The last packet carries data.
    LastWithData,
}

impl fmt::Display for PacketRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfSequence { offset, expected } => write!(
                f,
                "Received an out-of-sequence packet at offset {offset}. Expecting packet starting at {expected}"
            ),
            Self::ChecksumLength { received, expected } => write!(
                f,
                "Invalid checksum length: received length is {received} but expected length is {expected}"
            ),
            Self::PartialChunk { length, bytes_per_checksum } => write!(
                f,
                "Unexpected packet data length: a partial chunk must be  sent in an individual packet \
                 (data length = {length} > bytesPerChecksum = {bytes_per_checksum})"
            ),
            Self::LastWithData => f.write_str("the last packet of a block carries data"),
        }
    }
}

impl std::error::Error for PacketRefused {}

/// Checks the shape of a packet with `checksum_len` bytes of checksums, when `received` bytes of the block are known.
/// A packet may come without checksums: Java's client computes none for what it writes to memory (`-put -l`).
///
/// # Errors
/// When the packet breaks a rule; the write must end.
pub fn check_packet(
    spec: ChecksumSpec,
    header: &PacketHeader,
    checksum_len: usize,
    received: u64,
) -> Result<(), PacketRefused> {
    if header.offset_in_block > received {
        return Err(PacketRefused::OutOfSequence {
            offset: header.offset_in_block,
            expected: received,
        });
    }
    if header.last_packet_in_block && header.data_len > 0 {
        return Err(PacketRefused::LastWithData);
    }
    let length = header.data_len as usize;
    let expected = length.div_ceil(spec.bytes_per_checksum as usize) * spec.kind.size();
    if checksum_len != expected && checksum_len != 0 {
        return Err(PacketRefused::ChecksumLength { received: checksum_len, expected });
    }
    let into_chunk = header.offset_in_block % u64::from(spec.bytes_per_checksum);
    if into_chunk != 0
        && into_chunk + u64::from(header.data_len) > u64::from(spec.bytes_per_checksum)
    {
        return Err(PacketRefused::PartialChunk {
            length: header.data_len,
            bytes_per_checksum: spec.bytes_per_checksum,
        });
    }
    Ok(())
}

/// What to write of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WritePlan {
    /// Bytes at the start of the packet's data that are on disk already.
    pub skip_data: usize,
    /// Checksums (counted, not bytes) at the start of the packet that are not written.
    pub skip_sums: usize,
    /// Where in the `.meta` file the first written checksum goes.
    pub meta_offset: u64,
    /// When set, the chunk that is partial on disk gets a checksum of its own, before those of the packet: that of its
    /// bytes on disk, verified, followed by the packet's bytes for it. The packet started inside that chunk.
    pub recompute: Option<PartialChunk>,
}

/// The partial last chunk on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartialChunk {
    /// Where the chunk starts in the block.
    pub start: u64,
    /// Its bytes on disk.
    pub on_disk: usize,
    /// Bytes of the packet, from `skip_data` on, that belong to it.
    pub from_packet: usize,
}

/// Plans the write of a packet that passed [`check_packet`], when `on_disk` bytes are on disk. `None`: all of it is
/// there already.
///
/// For a packet that starts inside the partial chunk, the chunk's checksum must be computed over verified bytes from disk
/// and the packet's bytes (HDFS-4660); for one that starts at a chunk boundary its own checksums serve.
pub fn plan_write(spec: ChecksumSpec, header: &PacketHeader, on_disk: u64) -> Option<WritePlan> {
    let per = u64::from(spec.bytes_per_checksum);
    let size = spec.kind.size() as u64;
    let end = header.offset_in_block + u64::from(header.data_len);
    if end <= on_disk {
        return None;
    }
    let skip = on_disk - header.offset_in_block;
    let partial = on_disk % per;
    let boundary = on_disk - partial;
    let meta_offset = META_HEADER_BYTES as u64 + boundary / per * size;
    let (skip_sums, recompute) = if partial != 0 && header.offset_in_block > boundary {
        // Inside the partial chunk: check_packet made sure that the packet ends with it.
        let from_packet = usize::try_from(end - on_disk).ok()?;
        let on_disk = usize::try_from(partial).ok()?;
        (1, Some(PartialChunk { start: boundary, on_disk, from_packet }))
    } else {
        (usize::try_from((boundary - header.offset_in_block) / per).ok()?, None)
    };
    Some(WritePlan { skip_data: usize::try_from(skip).ok()?, skip_sums, meta_offset, recompute })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{append_sums, sum};
    use proptest::prelude::*;

    /// A block on disk, written by the plan as the DataNode does it.
    #[derive(Default)]
    struct Disk {
        data: Vec<u8>,
        meta: Vec<u8>,
    }

    impl Disk {
        fn receive(&mut self, spec: ChecksumSpec, offset: usize, data: &[u8]) {
            let header = PacketHeader {
                offset_in_block: offset as u64,
                data_len: data.len() as u32,
                ..PacketHeader::default()
            };
            let mut sums = Vec::new();
            append_sums(spec, data, &mut sums);
            check_packet(spec, &header, sums.len(), self.data.len() as u64).unwrap();
            let Some(plan) = plan_write(spec, &header, self.data.len() as u64) else { return };
            let mut new_sums = Vec::new();
            if let Some(partial) = plan.recompute {
                let mut chunk = self.data[partial.start as usize..].to_vec();
                assert_eq!(chunk.len(), partial.on_disk);
                chunk.extend_from_slice(&data[plan.skip_data..][..partial.from_packet]);
                new_sums.extend_from_slice(&sum(spec.kind, &chunk).to_be_bytes());
            }
            new_sums.extend_from_slice(&sums[plan.skip_sums * 4..]);
            self.data.extend_from_slice(&data[plan.skip_data..]);
            self.meta.truncate(plan.meta_offset as usize);
            assert_eq!(self.meta.len() as u64, plan.meta_offset);
            self.meta.extend_from_slice(&new_sums);
        }
    }

    proptest! {
        /// HDFS-4660: whatever is sent again after a failure, the checksums on disk are those of the data on disk.
        #[test]
        fn hdfs_4660_checksums_on_disk_match_the_data_after_any_resend(
            block in prop::collection::vec(any::<u8>(), 1..4_000),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 1..2_000_usize), 1..30),
        ) {
            let spec = ChecksumSpec::default();
            let mut disk = Disk { data: Vec::new(), meta: vec![0; META_HEADER_BYTES] };
            for (start, length) in cuts {
                let start = start.index(disk.data.len().min(block.len() - 1) + 1);
                let limit = if start % 512 == 0 { length } else { length.min(512 - start % 512) };
                let end = (start + limit).min(block.len());
                disk.receive(spec, start, &block[start..end]);
                prop_assert_eq!(&disk.data, &block[..disk.data.len()]);
                let mut expected = vec![0; META_HEADER_BYTES];
                append_sums(spec, &disk.data, &mut expected);
                prop_assert_eq!(&disk.meta, &expected);
            }
        }
    }

    #[test]
    fn packets_that_break_a_rule_are_refused() {
        let spec = ChecksumSpec::default();
        let packet = |offset_in_block, data_len, last_packet_in_block| PacketHeader {
            offset_in_block,
            data_len,
            last_packet_in_block,
            ..PacketHeader::default()
        };
        let check = |header, sums, received| check_packet(spec, &header, sums, received);
        assert_eq!(check(packet(512, 512, false), 4, 512), Ok(()));
        assert!(check(packet(513, 1, false), 4, 512).is_err());
        assert!(check(packet(512, 513, false), 4, 512).is_err());
        assert!(check(packet(100, 413, false), 4, 512).is_err());
        assert_eq!(check(packet(100, 412, false), 4, 512), Ok(()));
        assert!(check(packet(0, 1, true), 4, 512).is_err());
    }
}
