//! How operations lie in a segment, by layout.
//!
//! ```text
//! -56 and later   opcode 1 | length 4 | txid 8 | body | CRC-32 4      length: from itself to the end of the body
//! -28 and later   opcode 1 | txid 8 | body | CRC-32 4                 the txid since -37
//! before          opcode 1 | body
//! ```
//! Without lengths an operation ends where its last field ends, so it must be decoded to find the next one.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSEditLogOp.{LengthPrefixedReader, ChecksummedReader, LegacyReader} (3.5.0)

use super::decode::decode_prefix;
use crate::layout_version::{Feature, INVALID_TXID, Layout};
use hdfs_types::TxId;

/// Opcode, length, transaction id, checksum.
pub(super) const MIN_OP_BYTES: usize = 17;
/// Bytes that `length` does not count: opcode and checksum.
const UNCOUNTED_BYTES: usize = 5;
const HIGHEST_OPCODE: u8 = 52;

/// One operation whose length, checksum and place are right, not decoded yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Where it starts in the file.
    pub offset: u64,
    /// Its transaction; [`INVALID_TXID`] in layouts that store none.
    pub txid: TxId,
    /// Its opcode.
    pub opcode: u8,
    /// Its body.
    pub body: &'a [u8],
    /// All of its bytes, checksum included.
    pub bytes: &'a [u8],
}

/// The way in which a segment stores operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    Length,
    Checksum,
    Bare,
}

impl Framing {
    pub(super) fn of(layout: Layout) -> Self {
        if layout.supports(Feature::EditlogLength) {
            Self::Length
        } else if layout.supports(Feature::EditsChecksum) {
            Self::Checksum
        } else {
            Self::Bare
        }
    }

    /// Bytes of the shortest operation.
    pub(super) fn min_op_bytes(self) -> usize {
        match self {
            Self::Length => MIN_OP_BYTES,
            Self::Checksum => 5,
            Self::Bare => 1,
        }
    }
}

/// Checks the operation at the start of `rest`, which lies at `offset`. The error says what is wrong with it.
#[inline]
pub(super) fn frame_at(
    rest: &[u8],
    offset: usize,
    (layout, framing): (Layout, Framing),
    max_op_bytes: usize,
) -> Result<Frame<'_>, String> {
    match framing {
        Framing::Length => frame_with_length(rest, offset, max_op_bytes),
        Framing::Checksum | Framing::Bare => {
            old_frame(rest, offset, (layout, framing), max_op_bytes).0
        }
    }
}

fn check_opcode(opcode: u8) -> Result<(), String> {
    if opcode > HIGHEST_OPCODE || matches!(opcode, 5 | 6) {
        return Err(format!("opcode {} does not exist", opcode.cast_signed()));
    }
    Ok(())
}

fn frame_with_length(rest: &[u8], offset: usize, max_op_bytes: usize) -> Result<Frame<'_>, String> {
    let (frame, checksum) = outline(rest, offset, max_op_bytes)?;
    check_sum(frame.bytes.split_last_chunk::<4>().map_or(&[], |(covered, _)| covered), checksum)?;
    Ok(frame)
}

/// The same without a look at the checksum, which is returned.
#[inline]
pub(super) fn outline(
    rest: &[u8],
    offset: usize,
    max_op_bytes: usize,
) -> Result<(Frame<'_>, [u8; 4]), String> {
    let Some([opcode, a, b, c, d, txid @ ..]) = rest.first_chunk::<13>() else {
        return Err(format!("{} bytes are too few for an operation", rest.len()));
    };
    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize + UNCOUNTED_BYTES;
    check_opcode(*opcode)?;
    if length < MIN_OP_BYTES {
        return Err(format!("the operation has size {length}, but the minimum is {MIN_OP_BYTES}"));
    }
    if length > max_op_bytes {
        return Err(format!(
            "the operation has size {length}, but dfs.namenode.max.op.size is {max_op_bytes}"
        ));
    }
    let Some((covered, checksum)) =
        rest.get(..length).and_then(|bytes| bytes.split_last_chunk::<4>())
    else {
        return Err(format!("the operation has size {length}, but {} bytes are left", rest.len()));
    };
    let frame = Frame {
        offset: offset as u64,
        txid: TxId(u64::from_be_bytes(*txid)),
        opcode: *opcode,
        body: covered.get(13..).unwrap_or_default(),
        bytes: rest.get(..length).unwrap_or_default(),
    };
    Ok((frame, *checksum))
}

fn check_sum(covered: &[u8], checksum: [u8; 4]) -> Result<(), String> {
    let (stored, computed) = (u32::from_be_bytes(checksum), crc32fast::hash(covered));
    if stored == computed {
        return Ok(());
    }
    Err(format!("checksum is {stored:#010x}, computed {computed:#010x}"))
}

/// An operation that must be decoded to find its end, and how many bytes that looked at.
pub(super) fn old_frame(
    rest: &[u8],
    offset: usize,
    (layout, framing): (Layout, Framing),
    max_op_bytes: usize,
) -> (Result<Frame<'_>, String>, usize) {
    let (opcode, txid, after) = match old_head(rest, layout) {
        Ok(head) => head,
        Err(reason) => return (Err(reason), 1),
    };
    let head = rest.len() - after.len();
    let most = after.get(..max_op_bytes.saturating_sub(head)).unwrap_or(after);
    let length = match decode_prefix(opcode, most, layout) {
        Ok((_, length)) => length,
        Err(error) => return (Err(error.to_string()), head + error.offset),
    };
    let (body, tail) = after.split_at_checked(length).unwrap_or((after, &[]));
    let covered = rest.get(..head + length).unwrap_or(rest);
    let frame = |bytes| Frame { offset: offset as u64, txid, opcode, body, bytes };
    if framing == Framing::Bare {
        return (Ok(frame(covered)), covered.len());
    }
    let Some(checksum) = tail.first_chunk::<4>() else {
        let reason = format!("the operation has no checksum, {} bytes are left", tail.len());
        return (Err(reason), covered.len());
    };
    let bytes = rest.get(..covered.len() + 4).unwrap_or(rest);
    (check_sum(covered, *checksum).map(|()| frame(bytes)), bytes.len())
}

/// Opcode and transaction of an operation without a length, and what follows.
fn old_head(rest: &[u8], layout: Layout) -> Result<(u8, TxId, &[u8]), String> {
    let Some((opcode, after)) = rest.split_first() else {
        return Err("nothing is left for an operation".to_owned());
    };
    check_opcode(*opcode)?;
    if !layout.supports(Feature::StoredTxids) {
        return Ok((*opcode, TxId(INVALID_TXID.cast_unsigned()), after));
    }
    let Some((txid, after)) = after.split_first_chunk::<8>() else {
        return Err(format!("{} bytes are too few for an operation", rest.len()));
    };
    Ok((*opcode, TxId(u64::from_be_bytes(*txid)), after))
}
