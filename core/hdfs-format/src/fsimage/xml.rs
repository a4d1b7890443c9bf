//! An image as XML, and back: `hdfs oiv -p XML` and `-p ReverseXML`.
//!
//! The output equals that of Apache's viewer byte for byte, line breaks included; only the revision of the viewer is the
//! caller's. Numbers are printed with Java's signs.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.PBImageXmlWriter (3.5.0)

mod inode;
mod policies;
mod reverse;
mod sections;

pub use reverse::{ReverseError, read_xml};

use super::{Image, SectionName, StringTable};
use crate::edits::xml::mangle_with_entities;
use crate::storage_dir::Corrupt;
use std::fmt;
use std::io::{self, Write};

/// Why an image could not be shown completely.
#[derive(Debug)]
#[non_exhaustive]
pub enum ViewError {
    /// The output can't be written.
    Output(io::Error),
    /// The image is damaged; what comes before is in the output.
    Image(Corrupt),
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "write the output: {error}"),
            Self::Image(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for ViewError {}

impl From<io::Error> for ViewError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Corrupt> for ViewError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Image(corrupt)
    }
}

/// Shows an image as XML. `revision` is that of the viewer (`oivRevision`).
///
/// # Errors
/// When the output can't be written or the image is damaged.
pub fn write_xml(image: &Image<'_>, revision: &str, out: impl Write) -> Result<(), ViewError> {
    let mut writer = Writer { out, text: String::new(), names: StringTable::default() };
    writer.raw("<?xml version=\"1.0\"?>\n<fsimage><version>");
    writer.number("layoutVersion", i64::from(image.layout_version()));
    writer.number("onDiskVersion", i64::from(image.summary().ondisk_version.cast_signed()));
    writer.leaf("oivRevision", revision);
    writer.raw("</version>\n");
    let names = image.summary().sections.iter();
    let mut names: Vec<SectionName> =
        names.filter_map(|section| SectionName::from_name(section.name())).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        writer.section(image, name)?;
    }
    writer.raw("</fsimage>\n");
    writer.flush()?;
    writer.out.flush()?;
    Ok(())
}

/// Bytes that are gathered before they go to the output.
const BUFFER_BYTES: usize = 64 * 1024;

struct Writer<W> {
    out: W,
    text: String,
    names: StringTable,
}

impl<W: Write> Writer<W> {
    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn open(&mut self, tag: &str) {
        self.text.push('<');
        self.text.push_str(tag);
        self.text.push('>');
    }

    fn close(&mut self, tag: &str) {
        self.text.push_str("</");
        self.text.push_str(tag);
        self.text.push('>');
    }

    fn close_line(&mut self, tag: &str) {
        self.close(tag);
        self.text.push('\n');
    }

    fn leaf(&mut self, tag: &str, text: &str) {
        self.open(tag);
        mangle_with_entities(&mut self.text, text);
        self.close(tag);
    }

    fn bytes(&mut self, tag: &str, bytes: &[u8]) {
        self.leaf(tag, &String::from_utf8_lossy(bytes));
    }

    fn number(&mut self, tag: &str, value: i64) {
        self.leaf(tag, &value.to_string());
    }

    /// An unsigned 64-bit field, which Java holds in a signed one.
    fn long(&mut self, tag: &str, value: u64) {
        self.number(tag, value.cast_signed());
    }

    /// An unsigned 32-bit field, which Java holds in a signed one.
    fn int(&mut self, tag: &str, value: u32) {
        self.number(tag, i64::from(value.cast_signed()));
    }

    /// An empty element for true, nothing for false.
    fn flag(&mut self, tag: &str, value: bool) {
        if value {
            self.text.push('<');
            self.text.push_str(tag);
            self.text.push_str("/>");
        }
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.text.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}
