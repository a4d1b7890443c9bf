//! BLOCK_CHECKSUM: the checksum of a block's checksums.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockChecksumHelper (3.5.0)

use std::os::unix::fs::FileExt;

use hdfs_datapath::{checksum, file_checksum};
use hdfs_format::block_meta::META_HEADER_BYTES;
use hdfs_format::datatransfer::{block_op_response, extended_block};
use hdfs_proto::hdfs::{
    BlockChecksumOptionsProto, BlockChecksumTypeProto, BlockOpResponseProto, OpBlockChecksumProto,
    OpBlockChecksumResponseProto, Status,
};
use hdfs_types::{Error, ErrorKind, ExtendedBlock, Result};

use super::super::dataset::ReadView;
use super::{After, Xceiver};

impl Xceiver<'_> {
    pub(super) fn block_checksum(&mut self, request: &OpBlockChecksumProto) -> Result<After> {
        let block = extended_block(&request.header.block);
        let options = request.block_checksum_options.unwrap_or_default();
        let computed = self
            .shared
            .dataset
            .pool(&block.pool)
            .and_then(|pool| pool.open_for_read(&block, 0))
            .and_then(|view| compute(&block, &view, &options));
        match computed {
            Ok(checksum) => {
                self.respond(&BlockOpResponseProto {
                    status: Status::Success as i32,
                    checksum_response: Some(checksum),
                    ..BlockOpResponseProto::default()
                })?;
                Ok(After::Close)
            }
            Err(error) => {
                let text = format!("blockChecksum {block} received exception {error}");
                self.respond(&block_op_response(Status::Error, Some(&text)))?;
                Err(error)
            }
        }
    }
}

fn compute(
    block: &ExtendedBlock,
    view: &ReadView,
    options: &BlockChecksumOptionsProto,
) -> Result<OpBlockChecksumResponseProto> {
    let spec = view.open.spec;
    let requested = block.block.num_bytes;
    let partial_block = requested < view.visible;
    let covered = requested.min(view.visible);
    let sums = read_sums(view, covered, partial_block)?;
    let meta_length = view.open.meta.metadata()?.len();
    let crc_per_block = match spec.kind.size() as u64 {
        0 => 0,
        size => meta_length.saturating_sub(META_HEADER_BYTES as u64) / size,
    };
    let kind = options.block_checksum_type.unwrap_or(BlockChecksumTypeProto::Md5crc as i32);
    let bytes = match BlockChecksumTypeProto::try_from(kind) {
        Ok(BlockChecksumTypeProto::Md5crc) => file_checksum::md5_block_crc(&sums).to_vec(),
        Ok(BlockChecksumTypeProto::CompositeCrc) => {
            let stripe = options.stripe_length.unwrap_or(0);
            file_checksum::composite_block_crc(spec, &sums, covered, stripe).ok_or_else(|| {
                Error::io(format!("block {block} lacks the checksums for a composite CRC"))
            })?
        }
        Err(_) => return Err(Error::io(format!("Unrecognized BlockChecksumType: {kind}"))),
    };
    Ok(OpBlockChecksumResponseProto {
        bytes_per_crc: spec.bytes_per_checksum,
        crc_per_block,
        block_checksum: bytes.into(),
        crc_type: Some(i32::from(spec.kind as u8)),
        block_checksum_options: Some(*options),
    })
}

/// The checksums of the first `length` bytes. When that ends inside a chunk that goes on, its checksum is made from the
/// data, which is verified first.
fn read_sums(view: &ReadView, length: u64, partial_block: bool) -> Result<Vec<u8>> {
    let spec = view.open.spec;
    let count = usize::try_from(spec.checksum_bytes(length)).unwrap_or(usize::MAX);
    let mut sums = vec![0; count];
    view.open
        .meta
        .read_exact_at(&mut sums, META_HEADER_BYTES as u64)
        .map_err(|error| Error::io(format!("read checksums: {error}")).with_source(error))?;
    let per = u64::from(spec.bytes_per_checksum);
    let partial = length % per;
    let Some(last) = sums.last_chunk_mut::<4>().filter(|_| partial != 0) else { return Ok(sums) };
    if !partial_block {
        if let Some(sum) = view.last_sum {
            *last = sum.to_be_bytes();
        }
        return Ok(sums);
    }
    let start = length - partial;
    let whole = usize::try_from(per.min(view.length - start)).unwrap_or(0);
    let mut chunk = vec![0; whole];
    view.open.data.read_exact_at(&mut chunk, start)?;
    let expected = match view.last_sum {
        Some(sum) if start + whole as u64 == view.length => sum,
        _ => u32::from_be_bytes(*last),
    };
    if checksum::sum(spec.kind, &chunk) != expected {
        let message = format!("chunk at {start} of {} is corrupt", view.open.path.display());
        return Err(Error::new(ErrorKind::Checksum, message));
    }
    let partial = usize::try_from(partial).unwrap_or(0);
    *last = checksum::sum(spec.kind, &chunk[..partial]).to_be_bytes();
    Ok(sums)
}
