//! Hadoop's compression codecs. Streams may follow each other in a file and count as one, for all of them.
//!
//! Snappy and LZ4 streams are Hadoop's own framing of raw blocks:
//!
//! ```text
//! 4 bytes  length of the block before compression (big endian), then chunks until that much has come:
//! 4 bytes    length of the chunk (big endian)
//!            the chunk
//! ```
//!
//! Hadoop: org.apache.hadoop.io.compress.{BlockDecompressorStream, CompressionCodecFactory} (3.5.0)

mod encoder;
#[cfg(test)]
mod tests;

pub use encoder::Encoder;

use std::io::{self, BufRead, Read};

/// A codec.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// bzip2.
    Bzip2,
    /// zlib's format.
    Deflate,
    /// gzip.
    Gzip,
    /// LZ4 blocks in Hadoop's framing.
    Lz4,
    /// Snappy blocks in Hadoop's framing.
    Snappy,
    /// Zstandard.
    Zstandard,
}

const ALL: [(Codec, &str, &[&str]); 6] = [
    (Codec::Bzip2, ".bz2", &["BZip2Codec"]),
    (Codec::Deflate, ".deflate", &["DefaultCodec", "DeflateCodec"]),
    (Codec::Gzip, ".gz", &["GzipCodec"]),
    (Codec::Lz4, ".lz4", &["Lz4Codec"]),
    (Codec::Snappy, ".snappy", &["SnappyCodec"]),
    (Codec::Zstandard, ".zst", &["ZStandardCodec"]),
];

const PACKAGE: &str = "org.apache.hadoop.io.compress.";

/// Largest chunk of a framed file that is taken for real.
const MAX_CHUNK: u64 = 256 << 20;

impl Codec {
    /// The codec of a file by the ending of its name.
    pub fn of_file(path: &str) -> Option<Self> {
        ALL.iter().find(|(_, ending, _)| path.ends_with(ending)).map(|(codec, ..)| *codec)
    }

    /// The codec of this Java class.
    pub fn of_class(class: &str) -> Option<Self> {
        let name = class.strip_prefix(PACKAGE)?;
        ALL.iter().find(|(.., names)| names.contains(&name)).map(|(codec, ..)| *codec)
    }

    /// True for Hadoop's own framing of raw blocks.
    pub fn is_framed(self) -> bool {
        matches!(self, Self::Lz4 | Self::Snappy)
    }

    /// The Java class of this codec.
    pub fn class(self) -> String {
        let names = ALL.iter().find(|(codec, ..)| *codec == self).map(|(.., names)| names);
        format!("{PACKAGE}{}", names.and_then(|names| names.first()).unwrap_or(&""))
    }

    /// The text of what this codec compressed.
    pub fn decoder<'a>(self, from: Box<dyn BufRead + 'a>) -> Box<dyn Read + 'a> {
        match self {
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(from)),
            Self::Deflate => Box::new(ZlibStreams { from: Some(from), stream: None }),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
            Self::Lz4 => Box::new(Framed::new(from, unpack_lz4)),
            Self::Snappy => Box::new(Framed::new(from, unpack_snappy)),
            Self::Zstandard => Box::new(Frames::new(from)),
        }
    }

    /// All of what this codec compressed into these bytes.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn decode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.decode_at_most(bytes, u64::MAX)
    }

    /// The same, as long as it gives no more than so many bytes.
    ///
    /// # Errors
    /// When they are damaged or give more.
    pub fn decode_at_most(self, bytes: &[u8], most: u64) -> io::Result<Vec<u8>> {
        let mut decoded = Vec::new();
        let mut decoder = self.decoder(Box::new(bytes)).take(most.saturating_add(1));
        decoder.read_to_end(&mut decoded)?;
        if decoded.len() as u64 > most {
            return Err(damaged(format!("it gives more than {most} bytes")));
        }
        Ok(decoded)
    }
}

/// Decodes one chunk, which gives no more than so many bytes.
type Unpack = fn(&[u8], usize) -> io::Result<Vec<u8>>;

fn damaged(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

fn unpack_lz4(chunk: &[u8], most: usize) -> io::Result<Vec<u8>> {
    lz4_flex::block::decompress(chunk, most).map_err(damaged)
}

/// Decodes a raw Snappy block that gives no more than so many bytes.
///
/// # Errors
/// When it is damaged or gives more.
pub fn unpack_snappy(chunk: &[u8], most: usize) -> io::Result<Vec<u8>> {
    if snap::raw::decompress_len(chunk).map_err(damaged)? > most {
        return Err(damaged("a chunk is longer than its block"));
    }
    snap::raw::Decoder::new().decompress_vec(chunk).map_err(damaged)
}

/// Blocks of chunks.
struct Framed<'a> {
    from: Box<dyn BufRead + 'a>,
    unpack: Unpack,
    /// What is left of the block.
    left: u64,
    ready: io::Cursor<Vec<u8>>,
}

impl<'a> Framed<'a> {
    fn new(from: Box<dyn BufRead + 'a>, unpack: Unpack) -> Self {
        Self { from, unpack, left: 0, ready: io::Cursor::default() }
    }

    fn length(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 4];
        self.from.read_exact(&mut bytes)?;
        Ok(u64::from(u32::from_be_bytes(bytes)))
    }

    /// Decodes the next chunk; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            if self.from.fill_buf()?.is_empty() {
                return Ok(false);
            }
            self.left = self.length()?;
        }
        let length = self.length()?;
        if length > MAX_CHUNK || self.left > MAX_CHUNK {
            return Err(damaged(format!("a chunk of {length} bytes in a block of {}", self.left)));
        }
        let mut chunk = Vec::new();
        self.from.by_ref().take(length).read_to_end(&mut chunk)?;
        if (chunk.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let most = usize::try_from(self.left).map_err(damaged)?;
        let decoded = (self.unpack)(&chunk, most)?;
        let missing = self.left.checked_sub(decoded.len() as u64);
        self.left = missing
            .filter(|_| !decoded.is_empty())
            .ok_or_else(|| damaged("the chunks of a block do not add up to its length"))?;
        self.ready = io::Cursor::new(decoded);
        Ok(true)
    }
}

impl Read for Framed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.ready.read(buffer)? {
                0 if !buffer.is_empty() && self.advance()? => {}
                count => return Ok(count),
            }
        }
    }
}

/// zlib streams, one behind the other.
struct ZlibStreams<'a> {
    from: Option<Box<dyn BufRead + 'a>>,
    stream: Option<flate2::bufread::ZlibDecoder<Box<dyn BufRead + 'a>>>,
}

impl Read for ZlibStreams<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(stream) = &mut self.stream {
                match stream.read(buffer)? {
                    0 if !buffer.is_empty() => {
                        self.from = self.stream.take().map(|stream| stream.into_inner());
                    }
                    count => return Ok(count),
                }
            }
            let Some(mut from) = self.from.take() else { return Ok(0) };
            if from.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.stream = Some(flate2::bufread::ZlibDecoder::new(from));
        }
    }
}

/// Zstandard frames, one behind the other.
struct Frames<'a> {
    from: Option<Box<dyn BufRead + 'a>>,
    frame: Option<
        ruzstd::decoding::StreamingDecoder<Box<dyn BufRead + 'a>, ruzstd::decoding::FrameDecoder>,
    >,
}

impl<'a> Frames<'a> {
    fn new(from: Box<dyn BufRead + 'a>) -> Self {
        Self { from: Some(from), frame: None }
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                match frame.read(buffer)? {
                    0 => self.from = self.frame.take().map(|frame| frame.into_inner()),
                    count => return Ok(count),
                }
            }
            let Some(mut from) = self.from.take() else { return Ok(0) };
            if from.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(from).map_err(damaged)?;
            self.frame = Some(frame);
        }
    }
}
