//! Checksums of whole files, as `hdfs dfs -checksum` and distcp compare them.
//!
//! The DataNodes compute them over their stored CRCs; no data crosses the network.
//!
//! Hadoop: org.apache.hadoop.hdfs.FileChecksumHelper (3.5.0)

use hdfs_datapath::file_checksum::{
    composite_file_crc, md5_of_md5s, md5md5crc_algorithm, md5md5crc_bytes,
};
use hdfs_datapath::{ChecksumSpec, ChecksumType};
use hdfs_format::datatransfer::{self, Op};
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::BlockChecksumTypeProto;
use hdfs_types::{Error, ErrorKind, Result};

use crate::HdfsClient;
use crate::conf::CombineMode;
use crate::located::{DatanodeInfo, LocatedBlock};
use crate::peer::{Peer, Waiting};
use crate::read::check_status;

/// The checksum of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileChecksum {
    /// Name of the algorithm: `MD5-of-0MD5-of-512CRC32C` or `COMPOSITE-CRC32C`.
    pub algorithm: String,
    /// Its bytes, as Hadoop prints them in hexadecimal.
    pub bytes: Vec<u8>,
}

/// What one DataNode says about one block.
struct BlockSum {
    response: proto::OpBlockChecksumResponseProto,
    kind: ChecksumType,
    /// Bytes that it covers.
    length: u64,
}

impl HdfsClient {
    /// The checksum of a file, made as `dfs.checksum.combine.mode` says; `None` when the file has no checksums.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, or `Io` when a block can't be summed anywhere.
    pub async fn file_checksum(&self, path: &str) -> Result<Option<FileChecksum>> {
        self.file_checksum_of(path, u64::MAX).await
    }

    /// The checksum of the first `length` bytes.
    ///
    /// # Errors
    /// As [`Self::file_checksum`].
    pub async fn file_checksum_of(&self, path: &str, length: u64) -> Result<Option<FileChecksum>> {
        let wire_length = length.min(i64::MAX as u64);
        let located = self.block_locations(path, 0, wire_length).await?;
        if located.blocks.iter().any(LocatedBlock::is_striped) {
            let message = format!("{path} is erasure-coded: not supported yet");
            return Err(Error::new(ErrorKind::UnsupportedOperation, message));
        }
        if located.blocks.is_empty() {
            return Ok(Some(empty_checksum()));
        }
        if located.under_construction {
            return Err(Error::io(format!(
                "Fail to get checksum, since file {path} is under construction."
            )));
        }
        let mut remaining = length;
        let mut sums = Vec::with_capacity(located.blocks.len());
        for block in &located.blocks {
            if remaining == 0 {
                break;
            }
            let mut block = block.clone();
            block.block.block.num_bytes = block.len().min(remaining);
            remaining -= block.len();
            sums.push(self.block_checksum(path, &block).await?);
        }
        match self.conf().combine_mode {
            CombineMode::Md5Md5Crc => md5_result(&sums),
            CombineMode::CompositeCrc => composite_result(&sums).map(Some),
        }
    }

    /// The checksum of a block from the first DataNode that gives one.
    async fn block_checksum(&self, path: &str, block: &LocatedBlock) -> Result<BlockSum> {
        for place in &block.locations {
            match self.block_checksum_from(block, &place.datanode).await {
                Ok(sum) => return Ok(sum),
                Err(error) => tracing::warn!(
                    path, block = %block.block, node = %place.datanode, %error, "get a block's checksum"
                ),
            }
        }
        Err(Error::new(
            ErrorKind::Remote("org.apache.hadoop.fs.PathIOException".to_owned()),
            format!("`{path}': Fail to get block MD5 for {}", block.block),
        ))
    }

    /// Proto: datatransfer.proto OpBlockChecksumProto
    async fn block_checksum_from(
        &self,
        block: &LocatedBlock,
        node: &DatanodeInfo,
    ) -> Result<BlockSum> {
        let kind = match self.conf().combine_mode {
            CombineMode::Md5Md5Crc => BlockChecksumTypeProto::Md5crc,
            CombineMode::CompositeCrc => BlockChecksumTypeProto::CompositeCrc,
        };
        let request = proto::OpBlockChecksumProto {
            header: proto::BaseHeaderProto {
                block: datatransfer::extended_block_proto(&block.block),
                token: Some(block.token.clone()),
                trace_info: None,
            },
            block_checksum_options: Some(proto::BlockChecksumOptionsProto {
                block_checksum_type: Some(kind as i32),
                stripe_length: None,
            }),
        };
        let mut peer =
            Peer::connect(node, self.conf(), block.locations.len(), Waiting::Async).await?;
        peer.send(&datatransfer::encode_op(Op::BlockChecksum, &request)).await?;
        let response: proto::BlockOpResponseProto = peer.read_message("checksum response").await?;
        check_status(&response, || format!("for block {} from datanode {node}", block.block))?;
        let response = response
            .checksum_response
            .ok_or_else(|| Error::io(format!("datanode {node} sent no checksum")))?;
        let kind = ChecksumType::from_number(response.crc_type() as i32)
            .ok_or_else(|| Error::io("the DataNode names an unknown checksum type"))?;
        Ok(BlockSum { response, kind, length: block.len() })
    }
}

/// What Hadoop gives for a file without blocks.
fn empty_checksum() -> FileChecksum {
    let spec = ChecksumSpec { kind: ChecksumType::Crc32, bytes_per_checksum: 0 };
    FileChecksum {
        algorithm: md5md5crc_algorithm(spec, 0),
        bytes: md5md5crc_bytes(0, 0, md5_of_md5s(&[])),
    }
}

/// Chunk size and kind that all blocks share; CRCs of a full block, 0 for a file of one block.
fn md5_result(sums: &[BlockSum]) -> Result<Option<FileChecksum>> {
    let Some(first) = sums.first() else { return Ok(Some(empty_checksum())) };
    let bytes_per_checksum = first.response.bytes_per_crc;
    let mut digests = Vec::with_capacity(sums.len());
    for sum in sums {
        if sum.response.bytes_per_crc != bytes_per_checksum {
            return Err(Error::io(format!(
                "Byte-per-checksum not matched: bpc={} but bytesPerCRC={bytes_per_checksum}",
                sum.response.bytes_per_crc
            )));
        }
        let digest = <[u8; 16]>::try_from(&*sum.response.block_checksum);
        digests.push(digest.map_err(|_| Error::io("the DataNode sent no MD5"))?);
    }
    // Mixed kinds and blocks without checksums have no comparable result in Hadoop either.
    if first.kind == ChecksumType::Null || sums.iter().any(|sum| sum.kind != first.kind) {
        return Ok(None);
    }
    let spec = ChecksumSpec { kind: first.kind, bytes_per_checksum };
    let crc_per_block = if sums.len() > 1 { first.response.crc_per_block } else { 0 };
    Ok(Some(FileChecksum {
        algorithm: md5md5crc_algorithm(spec, crc_per_block),
        bytes: md5md5crc_bytes(bytes_per_checksum, crc_per_block, md5_of_md5s(&digests)),
    }))
}

fn composite_result(sums: &[BlockSum]) -> Result<FileChecksum> {
    let Some(first) = sums.first() else { return Ok(empty_checksum()) };
    let mut parts = Vec::with_capacity(sums.len());
    for sum in sums {
        if sum.kind != first.kind {
            return Err(Error::io("DataChecksum.Type.MIXED is not supported for COMPOSITE_CRC"));
        }
        let crc = <[u8; 4]>::try_from(&*sum.response.block_checksum);
        let crc = crc.map_err(|_| Error::io("the DataNode sent no composite CRC"))?;
        parts.push((u32::from_be_bytes(crc), sum.length));
    }
    Ok(FileChecksum {
        algorithm: format!("COMPOSITE-{}", first.kind.name()),
        bytes: composite_file_crc(first.kind, &parts).to_be_bytes().to_vec(),
    })
}
