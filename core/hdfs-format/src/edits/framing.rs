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
            old_frame(rest, offset, (layout, framing), max_op_bytes)
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
    check_sum(covered, *checksum)?;
    Ok(Frame {
        offset: offset as u64,
        txid: TxId(u64::from_be_bytes(*txid)),
        opcode: *opcode,
        body: covered.get(13..).unwrap_or_default(),
        bytes: rest.get(..length).unwrap_or_default(),
    })
}

fn check_sum(covered: &[u8], checksum: [u8; 4]) -> Result<(), String> {
    let (stored, computed) = (u32::from_be_bytes(checksum), crc_fast::crc32_iso_hdlc(covered));
    if stored == computed {
        return Ok(());
    }
    Err(format!("checksum is {stored:#010x}, computed {computed:#010x}"))
}

fn old_frame(
    rest: &[u8],
    offset: usize,
    (layout, framing): (Layout, Framing),
    max_op_bytes: usize,
) -> Result<Frame<'_>, String> {
    let Some((opcode, after)) = rest.split_first() else {
        return Err("nothing is left for an operation".to_owned());
    };
    check_opcode(*opcode)?;
    let (txid, after) = if layout.supports(Feature::StoredTxids) {
        let Some((txid, after)) = after.split_first_chunk::<8>() else {
            return Err(format!("{} bytes are too few for an operation", rest.len()));
        };
        (TxId(u64::from_be_bytes(*txid)), after)
    } else {
        (TxId(INVALID_TXID.cast_unsigned()), after)
    };
    let head = rest.len() - after.len();
    let most = after.get(..max_op_bytes.saturating_sub(head)).unwrap_or(after);
    let (_, length) = decode_prefix(*opcode, most, layout).map_err(|error| error.to_string())?;
    let (body, tail) = after.split_at_checked(length).unwrap_or((after, &[]));
    let covered = rest.get(..head + length).unwrap_or(rest);
    if framing == Framing::Bare {
        return Ok(Frame { offset: offset as u64, txid, opcode: *opcode, body, bytes: covered });
    }
    let Some(checksum) = tail.first_chunk::<4>() else {
        return Err(format!("the operation has no checksum, {} bytes are left", tail.len()));
    };
    check_sum(covered, *checksum)?;
    let bytes = rest.get(..covered.len() + 4).unwrap_or(rest);
    Ok(Frame { offset: offset as u64, txid, opcode: *opcode, body, bytes })
}
