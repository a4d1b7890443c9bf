//! The edit log as text: `hdfs oev` with its processors `xml`, `stats` and `binary`.
//!
//! The output equals that of Apache's viewer byte for byte. Hadoop: XmlEditsVisitor, StatisticsEditsVisitor,
//! BinaryEditsVisitor, and the toXml of each operation in FSEditLogOp (3.5.0)

mod operations;
mod writer;

use super::{EditOp, Expected, SegmentError, SegmentReader, encode_header_as, encode_op_as};
use hdfs_types::TxId;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

pub(crate) use operations::hex;
pub use operations::write_op;
pub use writer::XmlWriter;
pub(crate) use writer::mangle_with_entities;

/// Why a file could not be shown completely.
#[derive(Debug)]
#[non_exhaustive]
pub enum ViewError {
    /// The output can't be written.
    Output(io::Error),
    /// The segment is damaged; what comes before is in the output.
    Segment(SegmentError),
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "write the output: {error}"),
            Self::Segment(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ViewError {}

impl From<io::Error> for ViewError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Shows a segment as XML.
///
/// # Errors
/// When the output can't be written, or the segment is damaged: then the XML ends in an ERROR element.
pub fn write_xml(file: &str, bytes: &[u8], out: impl Write) -> Result<(), ViewError> {
    let mut reader = open(file, bytes)?;
    let mut xml = XmlWriter::new(out)?;
    xml.start("EDITS")?;
    xml.leaf("EDITS_VERSION", &reader.layout_version().to_string())?;
    let outcome = visit(&mut reader, |txid, op| {
        xml.start("RECORD")?;
        xml.leaf("OPCODE", op.name())?;
        xml.start("DATA")?;
        xml.leaf("TXID", &txid.0.cast_signed().to_string())?;
        write_op(op, &mut xml)?;
        xml.end("DATA")?;
        xml.end("RECORD")
    });
    xml.end("EDITS")?;
    if let Err(ViewError::Segment(error)) = &outcome {
        xml.leaf("ERROR", &error.to_string())?;
    }
    xml.finish()?;
    outcome
}

/// Counts the operations of a segment.
///
/// # Errors
/// As [`write_xml`]; the counts up to the damage are printed.
pub fn write_stats(file: &str, bytes: &[u8], mut out: impl Write) -> Result<(), ViewError> {
    let mut reader = open(file, bytes)?;
    let mut counts: BTreeMap<u8, u64> = BTreeMap::new();
    let outcome = visit(&mut reader, |_, op| {
        *counts.entry(op.opcode()).or_default() += 1;
        Ok(())
    });
    writeln!(out, "    {:<30.30}      : {}", "VERSION", reader.layout_version())?;
    let obsolete = [(5, "OP_DATANODE_ADD"), (6, "OP_DATANODE_REMOVE")];
    let names: BTreeMap<u8, &str> = EditOp::OPCODES.iter().copied().chain(obsolete).collect();
    for (code, name) in names {
        let count = counts.get(&code).copied().unwrap_or_default();
        writeln!(out, "    {name:<30.30} ({code:3}): {count}")?;
    }
    writeln!(out, "    {:<30.30} ({:3}): 0", "OP_INVALID", -1)?;
    if let Err(ViewError::Segment(error)) = &outcome {
        writeln!(out, "EXITING ON ERROR: {error}")?;
    }
    out.flush()?;
    outcome
}

/// Writes a segment again from its operations, without unused space.
///
/// # Errors
/// As [`write_xml`]; the operations before the damage are written.
pub fn write_binary(file: &str, bytes: &[u8], mut out: impl Write) -> Result<(), ViewError> {
    let mut reader = open(file, bytes)?;
    let layout_version = reader.layout_version();
    let mut buffer = Vec::new();
    encode_header_as(&mut buffer, layout_version);
    out.write_all(&buffer)?;
    let outcome = visit(&mut reader, |txid, op| {
        buffer.clear();
        encode_op_as(&mut buffer, txid, op, layout_version);
        out.write_all(&buffer)
    });
    out.flush()?;
    outcome
}

fn open<'a>(file: &'a str, bytes: &'a [u8]) -> Result<SegmentReader<'a>, ViewError> {
    let reader = SegmentReader::open(file, bytes, Expected::default());
    reader.map(SegmentReader::with_any_order).map_err(ViewError::Segment)
}

fn visit(
    reader: &mut SegmentReader<'_>,
    mut each: impl FnMut(TxId, &EditOp) -> io::Result<()>,
) -> Result<(), ViewError> {
    while let Some((txid, op)) = reader.next().map_err(ViewError::Segment)? {
        each(txid, &op)?;
    }
    Ok(())
}
