//! The edit log as text and back: `hdfs oev`.
//!
//! A binary segment or an XML document goes in; XML, counts, or a binary segment come out. The output equals that of
//! Apache's viewer byte for byte.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineEditsViewer.{OfflineEditsBinaryLoader, OfflineEditsXmlLoader,
//! XmlEditsVisitor, StatisticsEditsVisitor, BinaryEditsVisitor} (3.5.0)

mod input;
mod operations;
mod parse;
mod sink;
mod writer;

use super::{Expected, SegmentError, SegmentReader};
use hdfs_types::TxId;
use sink::Sink;
use std::fmt;
use std::io::{self, Write};

pub(crate) use input::unmangle;
pub(crate) use operations::hex;
pub use operations::write_op;
pub use writer::XmlWriter;
pub use writer::mangle_with_entities;

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Processor {
    /// XML.
    Xml,
    /// How often each operation occurs.
    Stats,
    /// A segment, always in layout -67.
    Binary,
}

/// What goes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A segment.
    Binary,
    /// XML as this viewer writes it.
    Xml,
}

/// How the input is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Transactions are numbered again from that of the first one (`-f`).
    pub fix_txids: bool,
    /// Damaged parts of a segment are skipped (`-r`); each is told to the caller.
    pub recover: bool,
}

/// Why a file could not be shown completely.
#[derive(Debug)]
#[non_exhaustive]
pub enum ViewError {
    /// The output can't be written.
    Output(io::Error),
    /// The segment is damaged; what comes before is in the output.
    Segment(SegmentError),
    /// The XML is not what the viewer writes; what comes before is in the output.
    Xml(String),
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "write the output: {error}"),
            Self::Segment(error) => error.fmt(f),
            Self::Xml(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ViewError {}

impl From<io::Error> for ViewError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Shows a file. `damage` is told of every part that recovery skips.
///
/// # Errors
/// When the output can't be written, or the input is damaged: then XML ends in an ERROR element, counts in a line.
pub fn view(
    file: &str,
    bytes: &[u8],
    format: Format,
    processor: Processor,
    options: Options,
    out: impl Write,
    mut damage: impl FnMut(&SegmentError),
) -> Result<(), ViewError> {
    let mut sink = Sink::new(processor, out);
    let mut next = None;
    let mut renumber = |txid: TxId| {
        if !options.fix_txids {
            return txid;
        }
        let positive = if txid.0.cast_signed() <= 0 { TxId(1) } else { txid };
        let given = next.unwrap_or(positive);
        next = Some(TxId(given.0 + 1));
        given
    };
    let outcome = match format {
        Format::Xml => input::read(bytes, |event| match event {
            input::Event::Version(version) => sink.start(version),
            input::Event::Operation(txid, op) => sink.operation(renumber(txid), op),
        }),
        Format::Binary => {
            let mut reader = SegmentReader::open(file, bytes, Expected::default())
                .map_err(ViewError::Segment)?
                .with_any_order();
            sink.start(reader.layout_version())?;
            loop {
                match reader.next() {
                    Ok(Some((txid, op))) => sink.operation(renumber(txid), &op)?,
                    Ok(None) => break Ok(()),
                    Err(error) if options.recover => {
                        damage(&error);
                        if !reader.skip_damage() {
                            break Ok(());
                        }
                    }
                    Err(error) => break Err(ViewError::Segment(error)),
                }
            }
        }
    };
    if !matches!(outcome, Err(ViewError::Output(_))) {
        sink.finish(outcome.as_ref().err())?;
    }
    outcome
}

/// Shows a segment as XML.
///
/// # Errors
/// As [`view`].
pub fn write_xml(file: &str, bytes: &[u8], out: impl Write) -> Result<(), ViewError> {
    view(file, bytes, Format::Binary, Processor::Xml, Options::default(), out, |_| {})
}

/// Counts the operations of a segment.
///
/// # Errors
/// As [`view`].
pub fn write_stats(file: &str, bytes: &[u8], out: impl Write) -> Result<(), ViewError> {
    view(file, bytes, Format::Binary, Processor::Stats, Options::default(), out, |_| {})
}

/// Writes a segment again from its operations, without unused space.
///
/// # Errors
/// As [`view`].
pub fn write_binary(file: &str, bytes: &[u8], out: impl Write) -> Result<(), ViewError> {
    view(file, bytes, Format::Binary, Processor::Binary, Options::default(), out, |_| {})
}
