//! The processors of the viewer.

use super::{Processor, ViewError, XmlWriter, write_op};
use crate::edits::{EditOp, encode_header, encode_op};
use crate::layout_version::Layout;
use hdfs_types::TxId;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Opcodes that no longer exist and are still counted.
const OBSOLETE: [(u8, &str); 2] = [(5, "OP_DATANODE_ADD"), (6, "OP_DATANODE_REMOVE")];

/// Where operations go.
pub(super) enum Sink<W> {
    Xml(Option<W>, Option<XmlWriter<W>>, Layout),
    Stats(W, i32, BTreeMap<u8, u64>),
    Binary(W, Vec<u8>),
}

impl<W: Write> Sink<W> {
    pub(super) fn new(processor: Processor, out: W) -> Self {
        match processor {
            Processor::Xml => Self::Xml(Some(out), None, Layout::CURRENT),
            Processor::Stats => Self::Stats(out, -1, BTreeMap::new()),
            Processor::Binary => Self::Binary(out, Vec::new()),
        }
    }

    pub(super) fn start(&mut self, version: i32) -> io::Result<()> {
        match self {
            Self::Xml(out, xml, layout) => {
                *layout = Layout::of(version);
                let Some(out) = out.take() else { return Ok(()) };
                let xml = xml.insert(XmlWriter::new(out)?);
                xml.start("EDITS")?;
                xml.leaf("EDITS_VERSION", &version.to_string())
            }
            Self::Stats(_, counted, _) => {
                *counted = version;
                Ok(())
            }
            Self::Binary(out, buffer) => {
                encode_header(buffer);
                out.write_all(buffer)
            }
        }
    }

    pub(super) fn operation(&mut self, txid: TxId, op: &EditOp) -> io::Result<()> {
        match self {
            Self::Xml(_, Some(xml), layout) => {
                xml.start("RECORD")?;
                xml.leaf("OPCODE", op.name())?;
                xml.start("DATA")?;
                xml.leaf("TXID", &txid.0.cast_signed().to_string())?;
                write_op(op, *layout, xml)?;
                xml.end("DATA")?;
                xml.end("RECORD")
            }
            Self::Xml(_, None, _) => Ok(()),
            Self::Stats(_, _, counts) => {
                *counts.entry(op.opcode()).or_default() += 1;
                Ok(())
            }
            Self::Binary(out, buffer) => {
                op.check_strings().map_err(|field| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("transaction {txid}: the {field} is too long"),
                    )
                })?;
                buffer.clear();
                encode_op(buffer, txid, op);
                out.write_all(buffer)
            }
        }
    }

    pub(super) fn finish(self, error: Option<&ViewError>) -> io::Result<()> {
        match self {
            Self::Xml(_, Some(mut xml), _) => {
                xml.end("EDITS")?;
                if let Some(error) = error {
                    xml.leaf("ERROR", &error.to_string())?;
                }
                xml.finish()
            }
            Self::Xml(..) => Ok(()),
            Self::Stats(mut out, version, counts) => {
                writeln!(out, "    {:<30.30}      : {version}", "VERSION")?;
                let codes = EditOp::OPCODES.iter().chain(&OBSOLETE);
                for (code, name) in codes.copied().collect::<BTreeMap<u8, &str>>() {
                    let count = counts.get(&code).copied().unwrap_or_default();
                    writeln!(out, "    {name:<30.30} ({code:3}): {count}")?;
                }
                writeln!(out, "    {:<30.30} ({:3}): 0", "OP_INVALID", -1)?;
                if let Some(error) = error {
                    writeln!(out, "EXITING ON ERROR: {error}")?;
                }
                out.flush()
            }
            Self::Binary(mut out, _) => out.flush(),
        }
    }
}
