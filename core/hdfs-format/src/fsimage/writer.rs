//! Writing an image, one section after the other.

use super::{FILE_VERSION, MAGIC, SectionName};
use crate::compression::{Codec, Encoder};
use hdfs_proto::hdfs::fsimage::{FileSummary, file_summary};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use md5::{Digest, Md5};
use prost::Message;
use std::io::{self, Write};

/// Bytes that are gathered before they go to the file and the digest.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a finished image is: its MD5 goes into the file beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageDigest {
    /// MD5 of the whole file.
    pub md5: [u8; 16],
    /// Length of the whole file.
    pub num_bytes: u64,
}

/// How an image is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageOptions {
    /// The effective layout version: an older one while a rolling upgrade may be undone.
    pub layout_version: i32,
    /// Hadoop: dfs.image.compress, dfs.image.compression.codec
    pub codec: Option<Codec>,
    /// Parts that big sections are cut into. Hadoop: dfs.image.parallel.load, dfs.image.parallel.target.sections
    pub target_sections: Option<u64>,
    /// An image with fewer inodes is not cut. Hadoop: dfs.image.parallel.inode.threshold
    pub inode_threshold: u64,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            layout_version: NAMENODE_LAYOUT_VERSION,
            codec: None,
            target_sections: None,
            inode_threshold: 1_000_000,
        }
    }
}

/// Writes an image: messages, then [`end_section`](Self::end_section), …, then [`finish`](Self::finish).
///
/// The caller keeps [`super::SAVE_ORDER`], and syncs and renames the file: a file without summary is not an image.
pub struct ImageWriter<W> {
    out: W,
    options: ImageOptions,
    digest: Md5,
    /// Messages that are not compressed yet; unused without a codec.
    plain: Vec<u8>,
    /// The open stream.
    encoder: Option<Encoder>,
    stream_is_empty: bool,
    /// Bytes of the file that are not written yet.
    buffer: Vec<u8>,
    /// Bytes before the buffer.
    flushed: u64,
    section_start: u64,
    sub_section_start: u64,
    writes_sub_sections: bool,
    summary: FileSummary,
}

impl<W: Write> ImageWriter<W> {
    /// Starts an image of layout -67. `out` needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self::with_options(out, ImageOptions::default())
    }

    /// Starts an image of another effective layout version.
    pub fn with_layout_version(out: W, layout_version: i32) -> Self {
        Self::with_options(out, ImageOptions { layout_version, ..ImageOptions::default() })
    }

    /// Starts an image.
    pub fn with_options(out: W, options: ImageOptions) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        buffer.extend_from_slice(MAGIC);
        let start = MAGIC.len() as u64;
        Self {
            out,
            options,
            digest: Md5::new(),
            plain: Vec::new(),
            encoder: options.codec.map(Encoder::new),
            stream_is_empty: true,
            buffer,
            flushed: 0,
            section_start: start,
            sub_section_start: start,
            writes_sub_sections: false,
            summary: FileSummary {
                ondisk_version: FILE_VERSION,
                // Java puts the negative number into an unsigned field.
                layout_version: options.layout_version.cast_unsigned(),
                codec: options.codec.map(Codec::class),
                sections: Vec::new(),
            },
        }
    }

    /// Changes the layout that the summary names: that of a rolling upgrade which can still be taken back.
    pub fn set_layout_version(&mut self, layout_version: i32) {
        self.options.layout_version = layout_version;
        self.summary.layout_version = layout_version.cast_unsigned();
    }

    /// The layout version of the image.
    pub fn layout_version(&self) -> i32 {
        self.options.layout_version
    }

    /// Says how many inodes there will be. Inodes of each part of a section, when sections are cut into parts.
    ///
    /// Hadoop: FSImageFormatProtobuf.Saver.enableSubSectionsIfRequired (3.5.0)
    pub fn begin_inodes(&mut self, inodes: u64) -> Option<u64> {
        let target = self.options.target_sections.filter(|target| *target > 0)?;
        self.writes_sub_sections = inodes >= self.options.inode_threshold;
        self.writes_sub_sections.then(|| inodes.div_ceil(target).max(1))
    }

    /// Writes one message with its length before it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn message<M: Message>(&mut self, message: &M) -> io::Result<()> {
        let compresses = self.compresses();
        message
            .encode_length_delimited(if compresses { &mut self.plain } else { &mut self.buffer })
            .expect("a Vec grows, so encoding can't run out of space");
        self.stream_is_empty = false;
        self.flush_when_full()
    }

    /// Writes messages that are already encoded with their lengths (by [`Message::encode_length_delimited`]): for
    /// savers that encode in parallel.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn encoded(&mut self, messages: &[u8]) -> io::Result<()> {
        self.stream_is_empty &= messages.is_empty();
        if self.compresses() {
            self.plain.extend_from_slice(messages);
        } else if messages.len() >= BUFFER_BYTES {
            self.flush()?;
            self.digest.update(messages);
            self.flushed += messages.len() as u64;
            return self.out.write_all(messages);
        } else {
            self.buffer.extend_from_slice(messages);
        }
        self.flush_when_full()
    }

    /// Ends a part of a section, but not the last one. A part without bytes is not listed, as in Hadoop.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn end_sub_section(&mut self, name: SectionName) -> io::Result<()> {
        self.close_sub_section(name)?;
        self.begin_stream();
        Ok(())
    }

    /// Ends a section; an empty one is listed with length 0.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn end_section(&mut self, name: SectionName) -> io::Result<()> {
        self.end_stream()?;
        let end = self.position();
        self.list(name, self.section_start, end);
        self.section_start = end;
        self.sub_section_start = end;
        self.begin_stream();
        Ok(())
    }

    /// Ends a section that may be cut into parts, and its last part.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn end_sections(&mut self, name: SectionName, part: SectionName) -> io::Result<()> {
        self.close_sub_section(part)?;
        self.end_section(name)
    }

    /// Bytes of the file so far, when no stream is open.
    pub fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    /// Writes the summary. The caller syncs what comes back.
    ///
    /// # Errors
    /// When the file can't be written.
    ///
    /// # Panics
    /// When messages were written after the last section ended: such an image would not load.
    pub fn finish(mut self) -> io::Result<(W, ImageDigest)> {
        assert_eq!(self.position(), self.section_start, "messages outside of a section");
        assert!(self.plain.is_empty(), "messages outside of a section");
        // As in Hadoop, which has begun a stream that nothing comes into.
        self.end_stream()?;
        let before = self.buffer.len();
        self.summary
            .encode_length_delimited(&mut self.buffer)
            .expect("a Vec grows, so encoding can't run out of space");
        let length = u32::try_from(self.buffer.len() - before).expect("a summary is small");
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.flush()?;
        self.out.flush()?;
        let digest = ImageDigest { md5: self.digest.finalize().into(), num_bytes: self.flushed };
        Ok((self.out, digest))
    }

    fn compresses(&self) -> bool {
        self.options.codec.is_some()
    }

    fn close_sub_section(&mut self, name: SectionName) -> io::Result<()> {
        if !self.writes_sub_sections {
            return Ok(());
        }
        // Differs: Hadoop ends an empty stream of blocks with the length 0, at which its own reader takes the section for
        // finished and forgets what follows. Other codecs have no such mark.
        if self.stream_is_empty && self.options.codec.is_some_and(Codec::is_framed) {
            self.encoder = None;
            return Ok(());
        }
        self.end_stream()?;
        let end = self.position();
        if end > self.sub_section_start {
            self.list(name, self.sub_section_start, end);
            self.sub_section_start = end;
        }
        Ok(())
    }

    fn begin_stream(&mut self) {
        self.encoder = self.options.codec.map(Encoder::new);
        self.stream_is_empty = true;
    }

    fn end_stream(&mut self) -> io::Result<()> {
        if let Some(mut encoder) = self.encoder.take() {
            encoder.write(&self.plain)?;
            self.plain.clear();
            self.buffer.append(&mut encoder.finish()?);
        }
        Ok(())
    }

    fn list(&mut self, name: SectionName, start: u64, end: u64) {
        self.summary.sections.push(file_summary::Section {
            name: Some(name.as_str().to_owned()),
            length: Some(end - start),
            offset: Some(start),
        });
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.plain.len() >= BUFFER_BYTES
            && let Some(encoder) = &mut self.encoder
        {
            encoder.write(&self.plain)?;
            self.plain.clear();
            encoder.drain_into(&mut self.buffer);
        }
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.digest.update(&self.buffer);
        self.out.write_all(&self.buffer)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
