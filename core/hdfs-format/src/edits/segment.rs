//! A segment of the edit log: one file, a run of consecutive transactions.
//!
//! ```text
//! int32 layout version | int32 number of layout flags, 0 (since -50) | operations … | unused space: 0xFF …
//! ```
//! While a segment is written its file grows ahead in steps of [`PREALLOCATION_BYTES`] of 0xFF; on finalization it is cut.
//! Because operations are acknowledged only after fsync, an incomplete one at the very end ("torn tail") was never
//! acknowledged and may be dropped. Anything else that does not decode is damage, and reading stops there: no operation
//! is ever skipped.
//!
//! Hadoop: EditLogFileInputStream, EditLogFileOutputStream, FSEditLogOp.LengthPrefixedReader (3.5.0)

use super::decode::{decode_body, decode_body_reusing};
use super::framing::{Frame, Framing, frame_at};
use super::op::EditOp;
use super::search::{Search, Searched};
use super::spent::SpentOps;
use super::wire::DecodeError;
use crate::layout_version::{Feature, Layout, OLDEST_UPGRADABLE_LAYOUT};
use crate::storage_dir::Corrupt;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, TxId};
use std::fmt;

/// Bytes before the first operation, in layouts since -50.
pub const HEADER_BYTES: usize = 8;
/// Step in which a segment's file grows ahead. Hadoop: EditLogFileOutputStream.MIN_PREALLOCATION_LENGTH.
pub const PREALLOCATION_BYTES: usize = 1024 * 1024;
/// What fills unused space: OP_INVALID.
pub const FILL: u8 = 0xFF;
/// Longest operation, in bytes (`dfs.namenode.max.op.size`).
pub const MAX_OP_BYTES: usize = 50 * 1024 * 1024;

const ADVICE: &str = "Restore this file from another edits folder or a JournalNode, or start once with \
    hdfs namenode -recover.";

/// Hadoop: FSEditLogLoader.check203UpgradeFailure
const ADVICE_203: &str = "Opcodes of release 0.20.203 conflict with later ones. Please go back to the old release and \
    restart the namenode. This empties the editlog and saves the namespace. Resume the upgrade after this step.";

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
    layout: Layout,
    framing: Framing,
    expected: Expected,
    last: Option<TxId>,
    max_op_bytes: usize,
    any_order: bool,
    search: Search,
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
            layout: Layout::CURRENT,
            framing: Framing::Length,
            expected,
            last: None,
            max_op_bytes: MAX_OP_BYTES,
            any_order: false,
            search: Search::default(),
        };
        let unwritten = |head: &[u8]| {
            head.iter().all(|byte| *byte == FILL) || head.iter().all(|byte| *byte == 0)
        };
        let Some((version, rest)) =
            bytes.split_first_chunk::<4>().filter(|(version, _)| !unwritten(&version[..]))
        else {
            return Err(reader.no_header(unwritten(bytes)));
        };
        let layout = Layout::of(i32::from_be_bytes(*version));
        if !layout.is_readable() {
            let reason = format!(
                "unexpected version of the edit log: {}; readable are {OLDEST_UPGRADABLE_LAYOUT} to {}",
                layout.version(),
                Layout::CURRENT.version()
            );
            return Err(reader.corrupt(0, reason));
        }
        let reader = Self { layout, framing: Framing::of(layout), position: 4, ..reader };
        if !layout.supports(Feature::AddLayoutFlags) {
            return Ok(reader);
        }
        let Some(flags) = rest.first_chunk::<4>() else {
            return Err(reader.no_header(unwritten(bytes)));
        };
        let flags = i32::from_be_bytes(*flags);
        if flags != 0 {
            return Err(reader.corrupt(
                4,
                format!("{flags} layout flags, which only newer software can handle"),
            ));
        }
        Ok(Self { position: HEADER_BYTES, ..reader })
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
        self.layout.version()
    }

    /// The layout of the header.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// False for layouts before -37: their operations have no transaction ids, and are read in their order.
    pub fn has_txids(&self) -> bool {
        self.layout.supports(Feature::StoredTxids)
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
    /// As [`next_frame`](Self::next_frame); and when an operation with a right checksum does not decode. The position
    /// stays before the operation.
    #[allow(clippy::should_implement_trait)] // An Iterator would go on after an error.
    pub fn next(&mut self) -> Result<Option<(TxId, EditOp)>, SegmentError> {
        let (position, last) = (self.position, self.last);
        let Some(frame) = self.next_frame()? else { return Ok(None) };
        match self.decode(&frame) {
            Ok(op) => Ok(Some((frame.txid, op))),
            Err(error) => {
                (self.position, self.last) = (position, last);
                Err(error)
            }
        }
    }

    /// Decodes a frame of this segment.
    ///
    /// # Errors
    /// When its body is not what Hadoop writes.
    pub fn decode(&self, frame: &Frame<'_>) -> Result<EditOp, SegmentError> {
        decode_body(frame.opcode, frame.body, self.layout)
            .map_err(|error| self.undecodable(frame, &error))
    }

    /// The same in memory of operations that are not needed any more.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_reusing(
        &self,
        frame: &Frame<'_>,
        spent: &mut SpentOps,
    ) -> Result<EditOp, SegmentError> {
        decode_body_reusing(frame.opcode, frame.body, self.layout, spent)
            .map_err(|error| self.undecodable(frame, &error))
    }

    #[cold]
    fn undecodable(&self, frame: &Frame<'_>, error: &DecodeError) -> SegmentError {
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
        self.accept(frame).map(Some)
    }

    /// Moves over a frame that comes in order.
    fn accept(&mut self, frame: Frame<'a>) -> Result<Frame<'a>, SegmentError> {
        let expected = self.last.map_or(self.expected.first, |last| Some(TxId(last.0 + 1)));
        let ordered = !self.any_order && self.has_txids();
        let unexpected = |expected: &TxId| ordered && *expected != frame.txid;
        if let Some(expected) = expected.filter(unexpected) {
            let (file, found) = (self.file.to_owned(), frame.txid);
            return Err(SegmentError::Gap { file, offset: self.position as u64, expected, found });
        }
        self.position += frame.bytes.len();
        self.last = Some(frame.txid);
        Ok(frame)
    }

    /// The same while only a part of the file is in memory: none where the part's whole operations end. Nothing is decided
    /// about the end of the file; see [`continued`](Self::continued).
    ///
    /// # Errors
    /// At a gap.
    pub fn next_frame_of_part(&mut self) -> Result<Option<Frame<'a>>, SegmentError> {
        match self.frame_at(self.position) {
            Ok(frame) => self.accept(frame).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Goes on in the next part of the file, whose first byte is the one at this reader's position. Offsets in errors and in
    /// [`position`](Self::position) then count from the beginning of that part.
    pub fn continued<'b>(&self, file: &'b str, bytes: &'b [u8]) -> SegmentReader<'b> {
        SegmentReader {
            file,
            bytes,
            position: 0,
            layout: self.layout,
            framing: self.framing,
            expected: self.expected,
            last: self.last,
            max_op_bytes: self.max_op_bytes,
            any_order: self.any_order,
            search: Search::default(),
        }
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
    fn end(&mut self, rest: &[u8], reached: bool) -> Result<(), SegmentError> {
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
        frame_at(rest, offset, (self.layout, self.framing), self.max_op_bytes)
    }

    /// Tells a torn tail from damage: after damage, a later operation is still valid.
    ///
    /// An old layout without checksums can't tell: what does not decode there is damage.
    fn broken(&mut self, reason: String) -> SegmentError {
        if self.framing == Framing::Bare {
            return self.corrupt(self.position, reason);
        }
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

    fn find_later_frame(&mut self) -> Option<Frame<'a>> {
        let left = self.bytes.len().saturating_sub(self.position);
        let known = self
            .last
            .filter(|_| !self.any_order)
            .map(|last| TxId(last.0.saturating_add(1)))
            .or(self.expected.first);
        let least_bytes = self.framing.min_op_bytes();
        // Ids in this file can't be further away than there is room for operations.
        let near =
            known.map(|txid| txid.0..=txid.0.saturating_add((left / least_bytes) as u64 + 1));
        let plausible = |txid| near.as_ref().is_none_or(|near| near.contains(&txid));
        let first = self.position + 1;
        let after = self.position + 1 + left.saturating_sub(least_bytes);
        let file = self.searched();
        self.search.find(file, first..after, plausible)
    }

    /// True when an operation after `txid` lies somewhere in the rest of the file, whatever is before it: a damaged copy of
    /// a segment may still prove that another copy is too short.
    pub fn mentions_after(&self, txid: TxId) -> bool {
        let left = self.bytes.len().saturating_sub(self.position);
        let least = txid.0.saturating_add(1);
        let most = least.saturating_add((left / self.framing.min_op_bytes()) as u64);
        let file = self.searched();
        let offsets = self.position..self.bytes.len();
        let plausible = |txid| (least..=most).contains(&txid);
        Search::default().find(file, offsets, plausible).is_some()
    }

    fn searched(&self) -> Searched<'a> {
        let Self { bytes, layout, framing, max_op_bytes, .. } = *self;
        Searched { bytes, layout, framing, max_op_bytes }
    }

    #[cfg(test)]
    pub(super) fn search(&self) -> &Search {
        &self.search
    }

    fn corrupt(&self, offset: usize, reason: String) -> SegmentError {
        SegmentError::Corrupt(Corrupt {
            file: self.file.to_owned(),
            offset: offset as u64,
            txid: self.last,
            reason,
            advice: if matches!(self.layout.version(), -19 | -31) { ADVICE_203 } else { ADVICE },
        })
    }
}
