//! Compressing, as Hadoop's output streams do.
//!
//! Hadoop: org.apache.hadoop.io.compress.{CompressorStream, BlockCompressorStream} (3.5.0)

use super::Codec;
use bzip2::write::BzEncoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::{self, Write};

/// Bytes of a Zstandard frame before compression: frames follow each other, as readers allow.
const FRAME_BYTES: usize = 4 << 20;
/// Hadoop's buffer of framed codecs. A chunk and what it was made of must fit it on the reader's side.
/// Hadoop: io.compression.codec.{lz4,snappy}.buffersize
const BUFFER_BYTES: usize = 256 << 10;

/// One compressed stream.
pub struct Encoder(Kind);

enum Kind {
    Bzip2(BzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    Blocks(Blocks),
}

/// Input that is gathered until a block is full.
struct Blocks {
    codec: Codec,
    most: usize,
    input: Vec<u8>,
    out: Vec<u8>,
    is_empty: bool,
}

impl Encoder {
    /// Begins a stream.
    pub fn new(codec: Codec) -> Self {
        let blocks = |most| {
            Kind::Blocks(Blocks { codec, most, input: Vec::new(), out: Vec::new(), is_empty: true })
        };
        Self(match codec {
            // Hadoop's Java code packs blocks of 900,000 bytes.
            Codec::Bzip2 => Kind::Bzip2(BzEncoder::new(Vec::new(), bzip2::Compression::best())),
            Codec::Deflate => {
                Kind::Deflate(ZlibEncoder::new(Vec::new(), flate2::Compression::default()))
            }
            Codec::Gzip => Kind::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::default())),
            Codec::Lz4 => blocks(BUFFER_BYTES - BUFFER_BYTES / 255 - 16),
            Codec::Snappy => blocks(BUFFER_BYTES - BUFFER_BYTES / 6 - 32),
            Codec::Zstandard => blocks(FRAME_BYTES),
        })
    }

    /// Adds input.
    ///
    /// # Errors
    /// When the library fails; a Vec grows, so space does not end.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Bzip2(encoder) => encoder.write_all(bytes),
            Kind::Deflate(encoder) => encoder.write_all(bytes),
            Kind::Gzip(encoder) => encoder.write_all(bytes),
            Kind::Blocks(blocks) => blocks.write(bytes),
        }
    }

    /// Moves what is ready behind `out`.
    pub fn drain_into(&mut self, out: &mut Vec<u8>) {
        match &mut self.0 {
            Kind::Bzip2(encoder) => out.append(encoder.get_mut()),
            Kind::Deflate(encoder) => out.append(encoder.get_mut()),
            Kind::Gzip(encoder) => out.append(encoder.get_mut()),
            Kind::Blocks(blocks) => out.append(&mut blocks.out),
        }
    }

    /// Ends the stream; what was not drained yet.
    ///
    /// # Errors
    /// When the library fails.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Kind::Bzip2(encoder) => encoder.finish(),
            Kind::Deflate(encoder) => encoder.finish(),
            Kind::Gzip(encoder) => encoder.finish(),
            Kind::Blocks(mut blocks) => {
                if !blocks.input.is_empty() || blocks.is_empty {
                    let input = std::mem::take(&mut blocks.input);
                    blocks.pack(&input)?;
                }
                Ok(blocks.out)
            }
        }
    }
}

impl Blocks {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = self.most - self.input.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.input.extend_from_slice(now);
            bytes = later;
            if self.input.len() == self.most {
                let mut input = std::mem::take(&mut self.input);
                self.pack(&input)?;
                input.clear();
                self.input = input;
            }
        }
        Ok(())
    }

    /// An empty stream of framed blocks is the length 0.
    fn pack(&mut self, block: &[u8]) -> io::Result<()> {
        self.is_empty = false;
        let chunk = match self.codec {
            Codec::Zstandard => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                self.out.append(&mut ruzstd::encoding::compress_to_vec(block, level));
                return Ok(());
            }
            _ if block.is_empty() => Vec::new(),
            Codec::Snappy => {
                snap::raw::Encoder::new().compress_vec(block).map_err(io::Error::other)?
            }
            _ => lz4_flex::block::compress(block),
        };
        self.out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        if !chunk.is_empty() {
            self.out.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
            self.out.extend_from_slice(&chunk);
        }
        Ok(())
    }
}
