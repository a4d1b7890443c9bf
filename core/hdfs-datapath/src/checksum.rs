//! Checksums of chunks, and the algebra of CRCs.
//!
//! Hadoop: org.apache.hadoop.util.{DataChecksum, CrcUtil, CrcComposer} (3.5.0)

use hdfs_format::block_meta::{ChecksumSpec, ChecksumType};
use std::fmt;

/// The checksum of one piece of data; 0 for [`ChecksumType::Null`].
pub fn sum(kind: ChecksumType, data: &[u8]) -> u32 {
    match kind {
        ChecksumType::Null => 0,
        ChecksumType::Crc32 => crc_fast::crc32_iso_hdlc(data),
        ChecksumType::Crc32c => crc_fast::crc32_iscsi(data),
    }
}

/// Appends the checksums of `data`, chunk by chunk from its start; the last chunk may be partial.
pub fn append_sums(spec: ChecksumSpec, data: &[u8], out: &mut Vec<u8>) {
    if spec.kind == ChecksumType::Null {
        return;
    }
    out.reserve(data.len().div_ceil(spec.bytes_per_checksum as usize) * spec.kind.size());
    for chunk in data.chunks(spec.bytes_per_checksum as usize) {
        out.extend_from_slice(&sum(spec.kind, chunk).to_be_bytes());
    }
}

/// Where data and checksums disagree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChecksumMismatch {
    /// First byte of the bad chunk, counted from the start of the data.
    pub offset: usize,
    /// The checksum that came with the data.
    pub expected: u32,
    /// The checksum of the data.
    pub found: u32,
}

impl fmt::Display for ChecksumMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, expected, found } = self;
        write!(f, "Checksum error at {offset} exp: {expected} got: {found}")
    }
}

impl std::error::Error for ChecksumMismatch {}

/// Compares data with its checksums, chunk by chunk.
///
/// # Errors
/// The first chunk that differs. Missing checksums count as a difference: `sums` must hold one for every chunk.
pub fn verify(spec: ChecksumSpec, data: &[u8], sums: &[u8]) -> Result<(), ChecksumMismatch> {
    let chunk_size = spec.bytes_per_checksum as usize;
    match spec.kind {
        ChecksumType::Null => Ok(()),
        ChecksumType::Crc32 => verify_with(chunk_size, data, sums, crc_fast::crc32_iso_hdlc),
        ChecksumType::Crc32c => verify_with(chunk_size, data, sums, crc_fast::crc32_iscsi),
    }
}

fn verify_with(
    chunk_size: usize,
    data: &[u8],
    sums: &[u8],
    crc: impl Fn(&[u8]) -> u32,
) -> Result<(), ChecksumMismatch> {
    let mut sums = sums.chunks_exact(4);
    for (index, chunk) in data.chunks(chunk_size).enumerate() {
        let found = crc(chunk);
        let expected = sums.next().and_then(|sum| <[u8; 4]>::try_from(sum).ok());
        let expected = expected.map_or(!found, u32::from_be_bytes);
        if expected != found {
            return Err(ChecksumMismatch { offset: index * chunk_size, expected, found });
        }
    }
    Ok(())
}

/// The longest start of a chunk that has this checksum: what a chunk that grew afterwards was when it was summed.
pub fn proven_prefix(kind: ChecksumType, chunk: &[u8], expected: u32) -> usize {
    let mut composer = Composer::new(kind);
    let (mut proven, mut so_far) = (0, 0);
    for (index, byte) in chunk.iter().enumerate() {
        let one = sum(kind, std::slice::from_ref(byte));
        so_far = if index == 0 { one } else { composer.concat(so_far, one, 1) };
        if so_far == expected {
            proven = index + 1;
        }
    }
    proven
}

/// The checksum of two pieces in a row, from the checksum of each.
///
/// Zero bytes appended to the first piece multiply its CRC by x^(8 n); both polynomials are used bit-reflected.
pub fn concat(kind: ChecksumType, first: u32, second: u32, second_len: u64) -> u32 {
    Composer::new(kind).concat(first, second, second_len)
}

/// Composes the CRC of a whole out of the CRCs of its parts, remembering the multiplier of the usual part length.
#[derive(Clone, Debug)]
pub struct Composer {
    polynomial: u32,
    cached: Option<(u64, u32)>,
}

impl Composer {
    /// For parts with checksums of this kind; [`ChecksumType::Null`] composes to nothing useful.
    pub fn new(kind: ChecksumType) -> Self {
        let polynomial = match kind {
            ChecksumType::Null | ChecksumType::Crc32 => 0xEDB8_8320,
            ChecksumType::Crc32c => 0x82F6_3B78,
        };
        Self { polynomial, cached: None }
    }

    /// The CRC of `first` followed by a part of `second_len` bytes whose CRC is `second`.
    pub fn concat(&mut self, first: u32, second: u32, second_len: u64) -> u32 {
        let monomial = match self.cached {
            Some((length, monomial)) if length == second_len => monomial,
            _ => {
                let monomial = self.power(second_len);
                self.cached = Some((second_len, monomial));
                monomial
            }
        };
        self.multiply(first, monomial) ^ second
    }

    /// x^(8 n) modulo the polynomial; bit 31 is x^0.
    fn power(&self, bytes: u64) -> u32 {
        let mut result = 0x8000_0000_u32;
        let mut base = 0x0080_0000_u32; // x^8
        let mut remaining = bytes;
        while remaining > 0 {
            if remaining & 1 == 1 {
                result = self.multiply(result, base);
            }
            base = self.multiply(base, base);
            remaining >>= 1;
        }
        result
    }

    fn multiply(&self, a: u32, mut b: u32) -> u32 {
        let mut product = 0;
        let mut mask = 0x8000_0000_u32;
        while mask != 0 {
            if a & mask != 0 {
                product ^= b;
            }
            let low = b & 1;
            b >>= 1;
            b ^= self.polynomial & low.wrapping_neg();
            mask >>= 1;
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [ChecksumType; 2] = [ChecksumType::Crc32, ChecksumType::Crc32c];

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(sum(ChecksumType::Crc32, b"123456789"), 0xCBF4_3926);
        assert_eq!(sum(ChecksumType::Crc32c, b"123456789"), 0xE306_9283);
    }

    proptest! {
        #[test]
        fn one_flipped_bit_is_found_where_it_is(
            data in prop::collection::vec(any::<u8>(), 1..3_000), at: prop::sample::Index, bit in 0..8_u8,
            per in 1..700_u32,
        ) {
            for kind in KINDS {
                let spec = ChecksumSpec { kind, bytes_per_checksum: per };
                let mut sums = Vec::new();
                append_sums(spec, &data, &mut sums);
                prop_assert_eq!(verify(spec, &data, &sums), Ok(()));
                let mut bad = data.clone();
                let at = at.index(bad.len());
                bad[at] ^= 1 << bit;
                let found = verify(spec, &bad, &sums).unwrap_err();
                prop_assert_eq!(found.offset, at / per as usize * per as usize);
                let short = &sums[..sums.len() - 1];
                prop_assert!(verify(spec, &data, short).is_err());
            }
        }

        #[test]
        fn parts_compose_to_the_whole(data: Vec<u8>, cut: prop::sample::Index) {
            let (first, second) = data.split_at(cut.index(data.len() + 1));
            for kind in KINDS {
                let composed = concat(kind, sum(kind, first), sum(kind, second), second.len() as u64);
                prop_assert_eq!(composed, sum(kind, &data));
            }
        }
    }
}
