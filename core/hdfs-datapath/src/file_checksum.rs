//! Checksums of blocks and of whole files, as `hdfs dfs -checksum` and distcp compare them.
//!
//! MD5MD5CRC: a block's is the MD5 of its chunk CRCs; a file's the MD5 of its blocks' digests. COMPOSITE_CRC: the CRC of
//! the data itself, composed from the chunk CRCs, independent of chunk and block size.
//!
//! Hadoop: org.apache.hadoop.hdfs.FileChecksumHelper,
//! org.apache.hadoop.hdfs.server.datanode.BlockChecksumHelper (3.5.0)

use crate::checksum::Composer;
use hdfs_format::block_meta::{ChecksumSpec, ChecksumType};
use md5::{Digest, Md5};

/// The composed CRC of a block, from its chunk CRCs (big-endian, as in the `.meta` file).
///
/// `length` is the data that the CRCs cover; `stripe` cuts the result into one CRC for each so many bytes, 0 means one
/// CRC for all. `None` when there are fewer CRCs than chunks, or the block has no checksums.
pub fn composite_block_crc(
    spec: ChecksumSpec,
    sums: &[u8],
    length: u64,
    stripe: u64,
) -> Option<Vec<u8>> {
    if spec.kind == ChecksumType::Null {
        return None;
    }
    let stripe = if stripe == 0 || stripe > length { length } else { stripe };
    let per = u64::from(spec.bytes_per_checksum);
    let mut composer = Composer::new(spec.kind);
    let mut sums = sums.chunks_exact(4);
    let mut out = Vec::new();
    let (mut remaining, mut in_stripe, mut crc) = (length, 0_u64, 0_u32);
    while remaining > 0 {
        let chunk = remaining.min(per);
        let sum = u32::from_be_bytes(sums.next()?.try_into().ok()?);
        crc = if in_stripe == 0 { sum } else { composer.concat(crc, sum, chunk) };
        in_stripe += chunk;
        remaining -= chunk;
        if in_stripe >= stripe {
            out.extend_from_slice(&crc.to_be_bytes());
            (in_stripe, crc) = (0, 0);
        }
    }
    if in_stripe > 0 || length == 0 {
        out.extend_from_slice(&crc.to_be_bytes());
    }
    Some(out)
}

/// The MD5 of chunk CRCs: the block checksum of the kind MD5CRC.
pub fn md5_block_crc(sums: &[u8]) -> [u8; 16] {
    Md5::digest(sums).into()
}

/// The MD5 of the blocks' digests, in file order.
///
/// Hadoop digests its whole buffer, not only the bytes in it: 32 bytes at first, doubled whenever full, zeros at the end.
pub fn md5_of_md5s(block_digests: &[[u8; 16]]) -> [u8; 16] {
    let used = block_digests.len() * 16;
    let mut buffer = block_digests.concat();
    buffer.resize(used.next_power_of_two().max(32), 0);
    Md5::digest(&buffer).into()
}

/// The CRC of a file, from the CRC and the length of each block.
pub fn composite_file_crc(kind: ChecksumType, blocks: &[(u32, u64)]) -> u32 {
    let mut composer = Composer::new(kind);
    blocks.iter().fold(0, |crc, (block, length)| composer.concat(crc, *block, *length))
}

/// The name of the algorithm of an MD5MD5CRC checksum, as `hdfs dfs -checksum` prints it.
///
/// `crc_per_block` is 0 for a file of one block.
pub fn md5md5crc_algorithm(spec: ChecksumSpec, crc_per_block: u64) -> String {
    format!("MD5-of-{crc_per_block}MD5-of-{}{}", spec.bytes_per_checksum, spec.kind.name())
}

/// The bytes of an MD5MD5CRC checksum: bytes per checksum, CRCs per block, digest.
pub fn md5md5crc_bytes(bytes_per_checksum: u32, crc_per_block: u64, digest: [u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(28);
    out.extend_from_slice(&bytes_per_checksum.to_be_bytes());
    out.extend_from_slice(&crc_per_block.to_be_bytes());
    out.extend_from_slice(&digest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{append_sums, sum};

    #[test]
    fn composite_crc_does_not_depend_on_chunks_or_blocks() {
        let data: Vec<u8> = (0..5_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        for kind in [ChecksumType::Crc32, ChecksumType::Crc32c] {
            for per in [1, 100, 512, 10_000] {
                let spec = ChecksumSpec { kind, bytes_per_checksum: per };
                let mut blocks = Vec::new();
                for block in data.chunks(1_300) {
                    let mut sums = Vec::new();
                    append_sums(spec, block, &mut sums);
                    let length = block.len() as u64;
                    let crc = composite_block_crc(spec, &sums, length, 0).unwrap();
                    blocks.push((u32::from_be_bytes(crc.try_into().unwrap()), length));
                    assert_eq!(composite_block_crc(spec, &sums[4..], length, 0), None);
                }
                assert_eq!(composite_file_crc(kind, &blocks), sum(kind, &data));
            }
        }
    }

    #[test]
    fn the_digest_buffer_is_padded_as_in_hadoop() {
        let digest = [7; 16];
        let mut padded = vec![7; 48];
        padded.resize(64, 0);
        assert_eq!(md5_of_md5s(&[digest; 3]), <[u8; 16]>::from(Md5::digest(&padded)));
        assert_eq!(md5_of_md5s(&[]), <[u8; 16]>::from(Md5::digest([0; 32])));
    }
}
