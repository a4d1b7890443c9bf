//! Reading the edit log while it is written: the transactions from a number on, up to the last durable one.
//!
//! Nothing after the durable end is looked at: what lies there may be half written, and was never acknowledged. A segment
//! that was finalized or purged since it was found is looked for again. Whoever polls gets where it stopped from a short
//! list, so that a poll costs what is new and not what the segment holds.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLog.selectInputStreams, RedundantEditLogInputStream} (3.5.0)

use std::collections::VecDeque;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use hdfs_format::edits::{EditOp, Expected, HEADER_BYTES, SegmentError, SegmentReader};
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_types::{Result, TxId};
use parking_lot::Mutex;

use super::durable::failed;
use super::inventory::{Inventory, SegmentFile};
use super::replay::candidates;
use super::storage::NameDirs;

/// Bytes that are read at first.
const WINDOW_BYTES: usize = 256 << 10;
/// Places that are remembered: one for each client that polls, if they are not too many.
const PLACES: usize = 64;
/// How often a segment that is renamed or purged meanwhile is looked for again.
const LOOKS: usize = 5;

/// Where in a segment a transaction starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// First transaction of the segment.
    segment: TxId,
    next: TxId,
    offset: u64,
}

/// Reads the log of this NameNode.
#[derive(Debug, Default)]
pub(crate) struct LogTail {
    places: Mutex<VecDeque<Place>>,
}

/// What one file gave.
enum Read {
    /// The visitor has enough, or the durable end is reached.
    Enough,
    /// The file ends; the next segment goes on.
    End,
    /// The file is not there any more.
    Gone,
}

impl LogTail {
    /// Gives `visit` the transactions from `from` to `durable`, in order, until it breaks. Those that were purged are
    /// left out at the start, never in between.
    ///
    /// # Errors
    /// When no folder has an undamaged copy of a transaction.
    pub(crate) fn read(
        &self,
        dirs: &NameDirs,
        from: TxId,
        durable: TxId,
        max_op_bytes: usize,
        mut visit: impl FnMut(TxId, &EditOp) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut next = from;
        let mut looks = 0;
        while next <= durable && looks < LOOKS {
            let inventory = Inventory::of(dirs)?;
            let Some(first) = first_available(&inventory.segments, next) else { return Ok(()) };
            if first > next && next > from {
                // Purged while it was read: what was given so far is without a gap.
                return Ok(());
            }
            next = next.max(first);
            let before = next;
            let mut damage = None;
            for segment in candidates(&inventory.segments, next) {
                let read = self.read_file(segment, &mut next, durable, max_op_bytes, &mut visit);
                match read {
                    Ok(Read::Enough) => return Ok(()),
                    Ok(Read::End | Read::Gone) => {}
                    Err(error) => damage = Some(error),
                }
                if next > before {
                    break;
                }
            }
            match damage.filter(|_| next == before) {
                Some(error) => return Err(error),
                None if next == before => looks += 1,
                None => looks = 0,
            }
        }
        Ok(())
    }

    fn read_file(
        &self,
        segment: &SegmentFile,
        next: &mut TxId,
        durable: TxId,
        max_op_bytes: usize,
        visit: &mut impl FnMut(TxId, &EditOp) -> ControlFlow<()>,
    ) -> Result<Read> {
        let path = &segment.path;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Read::Gone),
            Err(error) => return Err(failed("open", path, error)),
        };
        let place = self.place_before(segment.first, *next);
        let mut window = Window::new(file, path.clone(), place.map(|place| place.offset))?;
        let mut expects = place.map_or(segment.first, |place| place.next);
        loop {
            let whole = window.fill()?;
            let expected = Expected { first: Some(expects), last: segment.last };
            let name = path.display().to_string();
            let mut reader = match SegmentReader::open(&name, &window.bytes, expected) {
                Ok(reader) => reader.with_max_op_bytes(max_op_bytes),
                Err(SegmentError::NoHeader { .. }) => return Ok(Read::End),
                Err(error) => return Err(error.into()),
            };
            let stopped = loop {
                if expects > durable {
                    break None;
                }
                let frame = match reader.next_frame() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break Some(Ok(())),
                    Err(error) => break Some(Err(error)),
                };
                if frame.txid >= *next {
                    let op = reader.decode(&frame)?;
                    *next = TxId(frame.txid.0 + 1);
                    if visit(frame.txid, &op).is_break() {
                        expects = *next;
                        break None;
                    }
                }
                expects = TxId(frame.txid.0 + 1);
            };
            let used = reader.position();
            let Some(ended) = stopped else {
                self.keep_place(segment.first, expects, window.offset_of(used));
                return Ok(Read::Enough);
            };
            match ended {
                // The window ends inside an operation, or at the end of one: more of the file follows.
                _ if !whole && window.size <= 2 * max_op_bytes => window.advance(used),
                Ok(()) | Err(SegmentError::TornTail { .. }) => return Ok(Read::End),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The nearest known place before a transaction in a segment.
    fn place_before(&self, segment: TxId, next: TxId) -> Option<Place> {
        let places = self.places.lock();
        let usable = places.iter().filter(|place| place.segment == segment && place.next <= next);
        usable.max_by_key(|place| place.next).copied()
    }

    fn keep_place(&self, segment: TxId, next: TxId, offset: u64) {
        let place = Place { segment, next, offset };
        let mut places = self.places.lock();
        places.retain(|other| *other != place);
        places.push_front(place);
        places.truncate(PLACES);
    }
}

/// The transaction, or the first one after it, that some segment has.
fn first_available(segments: &[SegmentFile], txid: TxId) -> Option<TxId> {
    segments
        .iter()
        .filter(|segment| segment.last.is_none_or(|last| last >= txid))
        .map(|segment| segment.first.max(txid))
        .min()
}

/// The header of a segment, and a part of the rest behind it.
struct Window {
    file: File,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Bytes of the header.
    head: usize,
    /// Where in the file the part starts.
    offset: u64,
    size: usize,
}

impl Window {
    fn new(file: File, path: PathBuf, offset: Option<u64>) -> Result<Self> {
        let mut bytes = vec![0; HEADER_BYTES];
        let read = read_at(&file, &mut bytes, 0).map_err(|e| failed("read", &path, e))?;
        let version = bytes.first_chunk().map_or(0, |version| i32::from_be_bytes(*version));
        let flags = Layout::of(version).supports(Feature::AddLayoutFlags);
        let head = read.min(if flags { HEADER_BYTES } else { 4 });
        bytes.truncate(head);
        let offset = offset.unwrap_or(head as u64);
        Ok(Self { file, path, bytes, head, offset, size: WINDOW_BYTES })
    }

    /// Reads the part; true when the file ends in it.
    fn fill(&mut self) -> Result<bool> {
        let head = self.head;
        self.bytes.truncate(head);
        self.bytes.resize(head + self.size, 0);
        let part = self.bytes.get_mut(head..).unwrap_or_default();
        let read = read_at(&self.file, part, self.offset);
        let read = read.map_err(|e| failed("read", &self.path, e))?;
        self.bytes.truncate(head + read);
        Ok(read < self.size)
    }

    /// Where in the file a position of the window lies.
    fn offset_of(&self, position: u64) -> u64 {
        self.offset + position - self.head as u64
    }

    /// Goes on at a position of the window; with a larger part, when nothing of this one was used.
    fn advance(&mut self, position: u64) {
        let next = self.offset_of(position);
        if next == self.offset {
            self.size *= 2;
        }
        self.offset = next;
    }
}

/// Reads until the buffer is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests;
