//! Writing an image, one section after the other.

use super::{FILE_VERSION, MAGIC, SectionName};
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

/// Writes an image: messages, then [`end_section`](Self::end_section), …, then [`finish`](Self::finish).
///
/// The caller keeps [`super::SAVE_ORDER`], and syncs and renames the file: a file without summary is not an image.
pub struct ImageWriter<W> {
    out: W,
    digest: Md5,
    buffer: Vec<u8>,
    /// Bytes before the buffer.
    flushed: u64,
    section_start: u64,
    sub_section_start: u64,
    summary: FileSummary,
}

impl<W: Write> ImageWriter<W> {
    /// Starts an image of layout -67. `out` needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self::with_layout_version(out, NAMENODE_LAYOUT_VERSION)
    }

    /// Starts an image of another effective layout version (rolling upgrade).
    pub fn with_layout_version(out: W, layout_version: i32) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        buffer.extend_from_slice(MAGIC);
        let start = MAGIC.len() as u64;
        Self {
            out,
            digest: Md5::new(),
            buffer,
            flushed: 0,
            section_start: start,
            sub_section_start: start,
            summary: FileSummary {
                ondisk_version: FILE_VERSION,
                // Java puts the negative number into an unsigned field.
                layout_version: layout_version.cast_unsigned(),
                codec: None,
                sections: Vec::new(),
            },
        }
    }

    /// Writes one message with its length before it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn message<M: Message>(&mut self, message: &M) -> io::Result<()> {
        message
            .encode_length_delimited(&mut self.buffer)
            .expect("a Vec grows, so encoding can't run out of space");
        self.flush_when_full()
    }

    /// Writes messages that are already encoded with their lengths (by [`Message::encode_length_delimited`]): for
    /// savers that encode in parallel.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn encoded(&mut self, messages: &[u8]) -> io::Result<()> {
        if messages.len() >= BUFFER_BYTES {
            self.flush()?;
            self.digest.update(messages);
            self.flushed += messages.len() as u64;
            return self.out.write_all(messages);
        }
        self.buffer.extend_from_slice(messages);
        self.flush_when_full()
    }

    /// Ends a part of a section. A part without bytes is not listed, as in Hadoop.
    pub fn end_sub_section(&mut self, name: SectionName) {
        let end = self.position();
        if end > self.sub_section_start {
            self.list(name, self.sub_section_start, end);
            self.sub_section_start = end;
        }
    }

    /// Ends a section; an empty one is listed with length 0.
    pub fn end_section(&mut self, name: SectionName) {
        let end = self.position();
        self.list(name, self.section_start, end);
        self.section_start = end;
        self.sub_section_start = end;
    }

    /// Bytes written so far.
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

    fn list(&mut self, name: SectionName, start: u64, end: u64) {
        self.summary.sections.push(file_summary::Section {
            name: Some(name.as_str().to_owned()),
            length: Some(end - start),
            offset: Some(start),
        });
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
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
