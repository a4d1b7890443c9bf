//! A segment of the edit log: one file, a run of consecutive transactions.
//!
//! ```text
//! int32 layout version | int32 number of layout flags, 0 | operations … | unused space: 0xFF …
//! ```
//! While a segment is written its file grows ahead in steps of [`PREALLOCATION_BYTES`] of 0xFF; on finalization it is cut.
//! Because operations are acknowledged only after fsync, an incomplete one at the very end ("torn tail") was never
//! acknowledged and may be dropped. Anything else that does not decode is damage, and reading stops there: no operation
//! is ever skipped.
//!
//! Hadoop: EditLogFileInputStream, EditLogFileOutputStream, FSEditLogOp.LengthPrefixedReader (3.5.0)

use super::decode::decode_body;
use super::op::EditOp;
use crate::storage_dir::Corrupt;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, TxId};
use std::fmt;

/// Bytes before the first operation.
pub const HEADER_BYTES: usize = 8;
/// Step in which a segment's file grows ahead. Hadoop: EditLogFileOutputStream.MIN_PREALLOCATION_LENGTH.
pub const PREALLOCATION_BYTES: usize = 1024 * 1024;
/// What fills unused space: OP_INVALID.
pub const FILL: u8 = 0xFF;
/// Longest operation, in bytes (`dfs.namenode.max.op.size`).
pub const MAX_OP_BYTES: usize = 50 * 1024 * 1024;

/// The oldest layout whose operations have lengths. Hadoop: NameNodeLayoutVersion.Feature.EDITLOG_LENGTH.
const OLDEST_LAYOUT: i32 = -56;
/// Opcode, length, transaction id, checksum.
const MIN_OP_BYTES: usize = 17;
/// Bytes that `length` does not count: opcode and checksum.
const UNCOUNTED_BYTES: usize = 5;
const HIGHEST_OPCODE: u8 = 52;
const ADVICE: &str = "Restore this file from another edits folder or a JournalNode, or start once with \
    hdfs namenode -recover.";

/// Appends the header of a segment in layout -67.
pub fn encode_header(out: &mut Vec<u8>) {
    encode_header_as(out, NAMENODE_LAYOUT_VERSION);
}

/// Appends the header of a segment in the effective layout of a rolling upgrade.
pub fn encode_header_as(out: &mut Vec<u8>, layout_version: i32) {
    out.extend_from_slice(&layout_version.to_be_bytes());
    out.extend_from_slice(&0_i32.to_be_bytes());
}

/// What the reader of a segment knows from its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expected {
    /// First transaction, if known.
    pub first: Option<TxId>,
    /// Last transaction of a finalized segment; none while it is in progress. With it, a torn tail is damage.
    pub last: Option<TxId>,
}

/// Why reading a segment stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SegmentError {
    /// There is no header: the file was made and never written. It holds no transaction; set it aside.
    NoHeader {
        /// The file.
        file: String,
    },
    /// The last operation is incomplete and nothing valid follows. It was never acknowledged: cut the file at `offset`.
    TornTail {
        /// The file.
        file: String,
        /// Where the complete operations end.
        offset: u64,
        /// The last complete transaction.
        last: Option<TxId>,
        /// How the operation is incomplete.
        reason: String,
    },
    /// Transactions are missing between two that are there. Do not go on: operations would be lost.
    Gap {
        /// The file.
        file: String,
        /// Where the unexpected transaction starts.
        offset: u64,
        /// The transaction that should come.
        expected: TxId,
        /// The one that came.
        found: TxId,
    },
    /// The file is damaged. Do not go on: operations would be lost.
    Corrupt(Corrupt),
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { file } => {
                write!(f, "{file} has no header: the segment was made and never written")
            }
            Self::TornTail { file, offset, last, reason } => {
                write!(f, "{file} ends in an incomplete operation at offset {offset}")?;
                if let Some(last) = last {
                    write!(f, ", after transaction {last}")?;
                }
                write!(f, ": {reason}")
            }
            Self::Gap { file, offset, expected, found } => write!(
                f,
                "{file} has transaction {found} at offset {offset}, expected {expected}: edits are missing. {ADVICE}"
            ),
            Self::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl std::error::Error for SegmentError {}

impl From<SegmentError> for Error {
    fn from(error: SegmentError) -> Self {
        Self::io(error.to_string()).with_source(error)
    }
}

/// One operation whose length, checksum and place are right, not decoded yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Where it starts in the file.
    pub offset: u64,
    /// Its transaction.
    pub txid: TxId,
    /// Its opcode.
    pub opcode: u8,
    /// Its body.
    pub body: &'a [u8],
    /// All of its bytes, checksum included.
    pub bytes: &'a [u8],
}

/// What the frames of a segment say without decoding them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentSummary {
    /// First transaction.
    pub first: Option<TxId>,
    /// Last transaction.
    pub last: Option<TxId>,
    /// Where the complete operations end.
    pub end: u64,
    /// Why it ends there, unless it ends cleanly.
    pub error: Option<SegmentError>,
}

/// Reads the operations of one segment that lies in memory (read or mapped by the caller).
#[derive(Clone, Debug)]
pub struct SegmentReader<'a> {
    file: &'a str,
    bytes: &'a [u8],
    position: usize,
    layout_version: i32,
    expected: Expected,
    last: Option<TxId>,
    max_op_bytes: usize,
    any_order: bool,
}

impl<'a> SegmentReader<'a> {
    /// Reads the header. `file` is for error messages.
    ///
    /// # Errors
    /// When there is no header, or the layout is not one that can be read.
    pub fn open(file: &'a str, bytes: &'a [u8], expected: Expected) -> Result<Self, SegmentError> {
        let reader = Self {
            file,
            bytes,
            position: 0,
            layout_version: NAMENODE_LAYOUT_VERSION,
            expected,
            last: None,
            max_op_bytes: MAX_OP_BYTES,
            any_order: false,
        };
        let unwritten = |head: &[u8]| {
            head.iter().all(|byte| *byte == FILL) || head.iter().all(|byte| *byte == 0)
        };
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>().filter(|head| !unwritten(*head))
        else {
            return Err(reader.no_header(unwritten(bytes)));
        };
        let [a, b, c, d, flags @ ..] = *head;
        let layout_version = i32::from_be_bytes([a, b, c, d]);
        if !(NAMENODE_LAYOUT_VERSION..=OLDEST_LAYOUT).contains(&layout_version) {
            let reason = format!(
                "unexpected version of the edit log: {layout_version}; readable are {OLDEST_LAYOUT} to {NAMENODE_LAYOUT_VERSION}"
            );
            return Err(reader.corrupt(0, reason));
        }
        let flags = i32::from_be_bytes(flags);
        if flags != 0 {
            return Err(reader.corrupt(
                4,
                format!("{flags} layout flags, which only newer software can handle"),
            ));
        }
        Ok(Self { position: HEADER_BYTES, layout_version, ..reader })
    }

    fn no_header(&self, unwritten: bool) -> SegmentError {
        match self.expected.last {
            None if unwritten || self.bytes.len() < HEADER_BYTES => {
                SegmentError::NoHeader { file: self.file.to_owned() }
            }
            _ => self.corrupt(0, "it has no header".to_owned()),
        }
    }

    /// Sets the longest operation that is read, in bytes (`dfs.namenode.max.op.size`).
    #[must_use]
    pub fn with_max_op_bytes(mut self, max_op_bytes: usize) -> Self {
        self.max_op_bytes = max_op_bytes;
        self
    }

    /// Accepts transactions in any order: for viewers, never for loading.
    #[must_use]
    pub fn with_any_order(mut self) -> Self {
        self.any_order = true;
        self
    }

    /// The layout version of the header.
    pub fn layout_version(&self) -> i32 {
        self.layout_version
    }

    /// The last transaction that was read.
    pub fn last_txid(&self) -> Option<TxId> {
        self.last
    }

    /// Where the operations end that were read.
    pub fn position(&self) -> u64 {
        self.position as u64
    }

    /// The next operation; none at the end.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame); and when an operation with a right checksum does not decode.
    #[allow(clippy::should_implement_trait)] // An Iterator would go on after an error.
    pub fn next(&mut self) -> Result<Option<(TxId, EditOp)>, SegmentError> {
        let Some(frame) = self.next_frame()? else { return Ok(None) };
        self.decode(&frame).map(|op| Some((frame.txid, op)))
    }

    /// Decodes a frame of this segment.
    ///
    /// # Errors
    /// When its body is not what Hadoop writes.
    pub fn decode(&self, frame: &Frame<'_>) -> Result<EditOp, SegmentError> {
        decode_body(frame.opcode, frame.body, self.layout_version).map_err(|error| {
            let reason = format!(
                "transaction {} (opcode {}) has a right checksum and does not decode: {error}",
                frame.txid, frame.opcode
            );
            SegmentError::Corrupt(Corrupt {
                file: self.file.to_owned(),
                offset: frame.offset,
                txid: frame.txid.0.checked_sub(1).map(TxId),
                reason,
                advice: "The writer may be newer than this software, or differ from it: keep the file and report it.",
            })
        })
    }

    /// The next operation without decoding its body; none at the end.
    ///
    /// # Errors
    /// At a torn tail, a gap or damage. The position stays before the operation.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'a>>, SegmentError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let reached = self.expected.last.is_some_and(|last| self.last == Some(last));
        if reached || rest.is_empty() || rest.first() == Some(&FILL) {
            return self.end(rest, reached).map(|()| None);
        }
        let frame = match self.frame_at(self.position) {
            Ok(frame) => frame,
            Err(reason) => return Err(self.broken(reason)),
        };
        let expected = self.last.map_or(self.expected.first, |last| Some(TxId(last.0 + 1)));
        let unexpected = |expected: &TxId| !self.any_order && *expected != frame.txid;
        if let Some(expected) = expected.filter(unexpected) {
            let (file, found) = (self.file.to_owned(), frame.txid);
            return Err(SegmentError::Gap { file, offset: self.position as u64, expected, found });
        }
        self.position += frame.bytes.len();
        self.last = Some(frame.txid);
        Ok(Some(frame))
    }

    /// After an error, goes on at the next operation that is valid; false when there is none. For viewers and for recovery
    /// by an administrator only: what lies between is lost.
    pub fn skip_damage(&mut self) -> bool {
        let Some(frame) = self.find_later_frame() else { return false };
        self.position = usize::try_from(frame.offset).unwrap_or(usize::MAX);
        true
    }

    /// Reads frames to the end without decoding bodies: what recovery and the JournalNode need to know of a file.
    pub fn scan(mut self) -> SegmentSummary {
        let mut first = None;
        let error = loop {
            match self.next_frame() {
                Ok(Some(frame)) => first = first.or(Some(frame.txid)),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        SegmentSummary { first, last: self.last, end: self.position as u64, error }
    }

    /// Decides whether the segment may end here.
    fn end(&self, rest: &[u8], reached: bool) -> Result<(), SegmentError> {
        if let Some(last) = self.expected.last.filter(|_| !reached) {
            let found = self.last.map_or_else(
                || "no transaction".to_owned(),
                |found| format!("transaction {found}"),
            );
            return Err(self.corrupt(
                self.position,
                format!("the segment ends with {found}, its name says {last}"),
            ));
        }
        if reached || rest.iter().all(|byte| matches!(*byte, FILL | 0)) {
            return Ok(());
        }
        Err(self.broken("unused space holds other bytes than 0xFF".to_owned()))
    }

    /// Checks the operation at an offset. The error says what is wrong with it.
    fn frame_at(&self, offset: usize) -> Result<Frame<'a>, String> {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let Some([opcode, a, b, c, d, txid @ ..]) = rest.first_chunk::<13>() else {
            return Err(format!("{} bytes are too few for an operation", rest.len()));
        };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize + UNCOUNTED_BYTES;
        if *opcode > HIGHEST_OPCODE || matches!(opcode, 5 | 6) {
            return Err(format!("opcode {} does not exist", opcode.cast_signed()));
        }
        if length < MIN_OP_BYTES {
            return Err(format!(
                "the operation has size {length}, but the minimum is {MIN_OP_BYTES}"
            ));
        }
        if length > self.max_op_bytes {
            return Err(format!(
                "the operation has size {length}, but dfs.namenode.max.op.size is {}",
                self.max_op_bytes
            ));
        }
        let Some((covered, checksum)) =
            rest.get(..length).and_then(|bytes| bytes.split_last_chunk::<4>())
        else {
            return Err(format!(
                "the operation has size {length}, but {} bytes are left",
                rest.len()
            ));
        };
        let (stored, computed) = (u32::from_be_bytes(*checksum), crc_fast::crc32_iso_hdlc(covered));
        if stored != computed {
            return Err(format!("checksum is {stored:#010x}, computed {computed:#010x}"));
        }
        Ok(Frame {
            offset: offset as u64,
            txid: TxId(u64::from_be_bytes(*txid)),
            opcode: *opcode,
            body: covered.get(13..).unwrap_or_default(),
            bytes: rest.get(..length).unwrap_or_default(),
        })
    }

    /// Tells a torn tail from damage: after damage, a later operation is still valid.
    fn broken(&self, reason: String) -> SegmentError {
        if let Some(frame) = self.find_later_frame() {
            let (txid, offset) = (frame.txid, frame.offset);
            return self.corrupt(
                self.position,
                format!("{reason}; but transaction {txid} at offset {offset} is valid, so the operations between are lost"),
            );
        }
        if self.expected.last.is_some() {
            return self.corrupt(
                self.position,
                format!("{reason}; the segment is finalized, so it was complete once"),
            );
        }
        SegmentError::TornTail {
            file: self.file.to_owned(),
            offset: self.position as u64,
            last: self.last,
            reason,
        }
    }

    fn find_later_frame(&self) -> Option<Frame<'a>> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let known = self
            .last
            .filter(|_| !self.any_order)
            .map(|last| TxId(last.0.saturating_add(1)))
            .or(self.expected.first);
        let least = known.map_or(1, |txid| txid.0);
        // Every operation has at least MIN_OP_BYTES, so ids in this file can't be further away.
        let most = known.map_or(i64::MAX.unsigned_abs(), |txid| {
            txid.0.saturating_add((rest.len() / MIN_OP_BYTES) as u64 + 1)
        });
        (1..rest.len().saturating_sub(MIN_OP_BYTES - 1)).find_map(|distance| {
            let txid = rest.get(distance + 5..)?.first_chunk::<8>()?;
            if !(least..=most).contains(&u64::from_be_bytes(*txid)) {
                return None;
            }
            self.frame_at(self.position + distance).ok()
        })
    }

    /// True when an operation after `txid` lies somewhere in the rest of the file, whatever is before it: a damaged copy of
    /// a segment may still prove that another copy is too short.
    pub fn mentions_after(&self, txid: TxId) -> bool {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let least = txid.0.saturating_add(1);
        let most = least.saturating_add((rest.len() / MIN_OP_BYTES) as u64);
        (0..rest.len().saturating_sub(MIN_OP_BYTES - 1)).any(|distance| {
            rest.get(distance + 5..)
                .and_then(|bytes| bytes.first_chunk::<8>())
                .is_some_and(|bytes| (least..=most).contains(&u64::from_be_bytes(*bytes)))
                && self.frame_at(self.position + distance).is_ok()
        })
    }

    fn corrupt(&self, offset: usize, reason: String) -> SegmentError {
        SegmentError::Corrupt(Corrupt {
            file: self.file.to_owned(),
            offset: offset as u64,
            txid: self.last,
            reason,
            advice: ADVICE,
        })
    }
}
