//! The `.meta` file beside every block file: a header and one checksum a chunk.
//!
//! ```text
//! 0  int16  version = 1                       big-endian
//! 2  int8   checksum type: 0 NULL, 1 CRC32, 2 CRC32C
//! 3  int32  bytes per checksum (512)          big-endian
//! 7  4 bytes big-endian for each chunk of data, the last one possibly partial; nothing for NULL
//! ```
//!
//! Invariant: a short, unknown or impossible header is an error, never "no checksums" (HDFS-14706): its replica is
//! corrupt.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockMetadataHeader (3.5.0)

use std::fmt;

/// The version of the header.
pub const META_VERSION: i16 = 1;
/// Bytes of the header.
pub const META_HEADER_BYTES: usize = 7;
/// Chunks larger than this are refused: a packet, at most 16 MiB, holds whole chunks with their checksums.
pub const MAX_BYTES_PER_CHECKSUM: u32 = 8 * 1024 * 1024;

/// The kind of a checksum. The numbers are those of ChecksumTypeProto.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum ChecksumType {
    /// No checksum.
    Null = 0,
    /// CRC-32, as in zlib.
    Crc32 = 1,
    /// CRC-32C (Castagnoli).
    #[default]
    Crc32c = 2,
}

impl ChecksumType {
    /// The kind with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Crc32,
            2 => Self::Crc32c,
            _ => return None,
        })
    }

    /// Bytes of one checksum.
    pub fn size(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Crc32 | Self::Crc32c => 4,
        }
    }

    /// Hadoop's name, as in configuration (`dfs.checksum.type`) and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
        }
    }

    /// The kind with this name; case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Null, Self::Crc32, Self::Crc32c]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// What a `.meta` file says about its checksums; the same pair opens every read and write on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChecksumSpec {
    /// The kind.
    pub kind: ChecksumType,
    /// Bytes of data for each checksum; at least 1.
    pub bytes_per_checksum: u32,
}

/// Hadoop's defaults: CRC32C over 512 bytes.
impl Default for ChecksumSpec {
    fn default() -> Self {
        Self { kind: ChecksumType::Crc32c, bytes_per_checksum: 512 }
    }
}

/// Why a `.meta` header, or a checksum announced on the wire, is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MetaError {
    /// Fewer than seven bytes.
    Short(usize),
    /// Another version.
    Version(i16),
    /// No such kind of checksum.
    Kind(i32),
    /// Zero, negative or absurd.
    BytesPerChecksum(i64),
}

impl fmt::Display for MetaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(length) => {
                write!(f, "the meta header has {length} bytes instead of {META_HEADER_BYTES}")
            }
            Self::Version(version) => write!(f, "meta version {version} is not {META_VERSION}"),
            Self::Kind(kind) => write!(f, "checksum type {kind} does not exist"),
            Self::BytesPerChecksum(bytes) => write!(f, "{bytes} bytes per checksum"),
        }
    }
}

impl std::error::Error for MetaError {}

impl ChecksumSpec {
    /// Checks numbers from disk or wire.
    ///
    /// # Errors
    /// When the kind does not exist or the size makes no sense.
    pub fn new(kind: i32, bytes_per_checksum: i64) -> Result<Self, MetaError> {
        let kind = ChecksumType::from_number(kind).ok_or(MetaError::Kind(kind))?;
        let bytes_per_checksum = u32::try_from(bytes_per_checksum)
            .ok()
            .filter(|bytes| (1..=MAX_BYTES_PER_CHECKSUM).contains(bytes))
            .ok_or(MetaError::BytesPerChecksum(bytes_per_checksum))?;
        Ok(Self { kind, bytes_per_checksum })
    }

    /// The seven bytes that open a `.meta` file.
    pub fn encode_header(self) -> [u8; META_HEADER_BYTES] {
        let [version_high, version_low] = META_VERSION.to_be_bytes();
        let [a, b, c, d] = self.bytes_per_checksum.to_be_bytes();
        [version_high, version_low, self.kind as u8, a, b, c, d]
    }

    /// Reads the header of a `.meta` file; bytes after it are not looked at.
    ///
    /// # Errors
    /// When it is short or says something impossible: the replica is corrupt.
    pub fn decode_header(bytes: &[u8]) -> Result<Self, MetaError> {
        let Some([version_high, version_low, kind, a, b, c, d]) =
            bytes.first_chunk::<META_HEADER_BYTES>()
        else {
            return Err(MetaError::Short(bytes.len()));
        };
        let version = i16::from_be_bytes([*version_high, *version_low]);
        if version != META_VERSION {
            return Err(MetaError::Version(version));
        }
        let bytes_per_checksum = i32::from_be_bytes([*a, *b, *c, *d]);
        Self::new(i32::from(kind.cast_signed()), i64::from(bytes_per_checksum))
    }

    /// Chunks that hold `length` bytes of data.
    pub fn chunks(self, length: u64) -> u64 {
        length.div_ceil(u64::from(self.bytes_per_checksum))
    }

    /// Bytes of the checksums for `length` bytes of data.
    pub fn checksum_bytes(self, length: u64) -> u64 {
        self.chunks(length).saturating_mul(self.kind.size() as u64)
    }

    /// Bytes of a `.meta` file for `length` bytes of data.
    pub fn meta_bytes(self, length: u64) -> u64 {
        self.checksum_bytes(length).saturating_add(META_HEADER_BYTES as u64)
    }

    /// The most data that `meta_length` bytes of a `.meta` file can cover; for NULL no limit.
    pub fn covered_bytes(self, meta_length: u64) -> u64 {
        let size = self.kind.size() as u64;
        if size == 0 {
            return u64::MAX;
        }
        let sums = meta_length.saturating_sub(META_HEADER_BYTES as u64).checked_div(size);
        sums.unwrap_or(0).saturating_mul(u64::from(self.bytes_per_checksum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_bytes_of_hadoop() {
        let header = ChecksumSpec::default().encode_header();
        assert_eq!(header, [0, 1, 2, 0, 0, 2, 0]);
        assert_eq!(ChecksumSpec::decode_header(&header), Ok(ChecksumSpec::default()));
    }

    #[test]
    fn hdfs_14706_a_short_or_impossible_header_is_an_error() {
        for length in 0..7 {
            let header = ChecksumSpec::default().encode_header();
            assert_eq!(
                ChecksumSpec::decode_header(&header[..length]),
                Err(MetaError::Short(length))
            );
        }
        assert_eq!(ChecksumSpec::decode_header(&[0; 7]), Err(MetaError::Version(0)));
        assert_eq!(ChecksumSpec::decode_header(&[0, 1, 9, 0, 0, 2, 0]), Err(MetaError::Kind(9)));
        assert_eq!(
            ChecksumSpec::decode_header(&[0, 1, 2, 0, 0, 0, 0]),
            Err(MetaError::BytesPerChecksum(0))
        );
        assert_eq!(
            ChecksumSpec::decode_header(&[0, 1, 2, 0xFF, 0, 0, 0]),
            Err(MetaError::BytesPerChecksum(-16_777_216))
        );
    }

    #[test]
    fn sizes_round_up_to_chunks() {
        let spec = ChecksumSpec::default();
        assert_eq!(spec.meta_bytes(0), 7);
        assert_eq!(spec.meta_bytes(1), 11);
        assert_eq!(spec.meta_bytes(512), 11);
        assert_eq!(spec.meta_bytes(513), 15);
        assert_eq!(spec.covered_bytes(7 + 4 * 3 + 2), 1_536);
        assert_eq!(spec.covered_bytes(3), 0);
    }
}
