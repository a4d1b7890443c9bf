//! Decoding of a segment ahead of replay: one thread reads and decodes, the caller applies.
//!
//! A segment is read in windows, so that replay needs no memory for the file. Only what is whole and in order is handed on;
//! at anything else decoding stops, and the caller looks at the rest of the file with the rules for its end and for damage.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use hdfs_format::edits::{EditOp, Expected, SegmentReader, SpentOps};
use hdfs_types::{Result, TxId};

use super::durable::failed;

/// Bytes read at a time, unless one operation is longer.
const WINDOW_BYTES: usize = 4 << 20;
/// Operations handed on at a time. Those on the way fit into a processor's cache.
const BATCH: usize = 128;
/// Batches that there are; the reader waits when all are on the way.
const BATCHES: usize = 8;
/// Batches that come back together: who waits for each is woken for each, which takes as long as a tenth of applying it.
const BATCHES_BACK: usize = 4;
/// Operations whose memory is asked for before the first of them is applied.
const FETCHED: usize = 8;

type Batch = Vec<(TxId, EditOp)>;

/// Applies the operations of a segment after `last` as far as they are whole and in order, and moves `last` and `count`.
///
/// # Errors
/// When the file can't be read, or `apply` fails.
pub(super) fn apply_whole(
    (path, first, max_op_bytes): (&Path, TxId, usize),
    last: &mut TxId,
    count: &mut u64,
    apply: &mut impl FnMut(TxId, &EditOp) -> Result<()>,
) -> Result<()> {
    let file = File::open(path).map_err(|e| failed("open", path, e))?;
    let (sender, receiver) = channel();
    let (give_back, applied) = channel();
    let after = *last;
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let expected = Expected { first: Some(first), last: None };
            let ops = SpentOps::default();
            let empty = (0..BATCHES).map(|_| Vec::with_capacity(BATCH)).collect();
            let ahead = Ahead { file, max_op_bytes, after, sender, applied, empty, spent: ops };
            ahead.run(&path.display().to_string(), expected)
        });
        let applied = apply_batches(&receiver, &give_back, last, count, apply);
        // The reader ends at its next batch when applying failed, also while it waits for an empty one.
        drop((receiver, give_back));
        let read = reading.join().expect("decoding does not panic");
        applied?;
        read.map_err(|e| failed("read", path, e))
    })
}

fn apply_batches(
    receiver: &Receiver<Batch>,
    give_back: &Sender<Vec<Batch>>,
    last: &mut TxId,
    count: &mut u64,
    apply: &mut impl FnMut(TxId, &EditOp) -> Result<()>,
) -> Result<()> {
    let mut done = Vec::with_capacity(BATCHES_BACK);
    for batch in receiver {
        for some in batch.chunks(FETCHED) {
            some.iter().for_each(|(_, op)| fetch(op));
            for (txid, op) in some {
                apply(*txid, op)?;
                *last = *txid;
                *count += 1;
            }
        }
        done.push(batch);
        if done.len() == BATCHES_BACK {
            // The reader may have ended.
            let _ = give_back.send(std::mem::replace(&mut done, Vec::with_capacity(BATCHES_BACK)));
        }
    }
    Ok(())
}

/// Reads a little of everything that an operation is made of. It comes from the cache of another processor, which takes as
/// long as applying: reads that do not depend on each other wait together.
fn fetch(op: &EditOp) {
    let ends = |bytes: &[u8]| {
        u64::from(bytes.first().copied().unwrap_or_default())
            | u64::from(bytes.last().copied().unwrap_or_default())
    };
    let seen = match op {
        EditOp::Add(op) => {
            let status = &op.permissions;
            let texts = [&status.user, &status.group, &op.client_name, &op.client_machine];
            let read =
                texts.into_iter().fold(ends(&op.path), |seen, text| seen | ends(text.as_bytes()));
            let block = op.blocks.first().map_or(0, |block| block.num_bytes);
            read | block | op.inode_id.0 | u64::from(op.retry.client_id.0[0])
        }
        EditOp::Close(op) => {
            let block = op.blocks.first().map_or(0, |block| block.num_bytes);
            ends(&op.path) | block | op.mtime.0
        }
        _ => return,
    };
    black_box(seen);
}

struct Ahead {
    file: File,
    max_op_bytes: usize,
    /// Transactions up to this one are known.
    after: TxId,
    sender: Sender<Batch>,
    /// Batches that were applied: their memory is used again.
    applied: Receiver<Vec<Batch>>,
    /// Batches to fill.
    empty: Vec<Batch>,
    spent: SpentOps,
}

impl Ahead {
    fn run(mut self, name: &str, expected: Expected) -> std::io::Result<()> {
        let mut window = Vec::new();
        let mut room = WINDOW_BYTES;
        let mut at_end = self.fill(&mut window, room)?;
        let Ok(reader) = SegmentReader::open(name, &window, expected) else { return Ok(()) };
        if !reader.has_txids() {
            return Ok(());
        }
        let mut used = usize::try_from(reader.position()).unwrap_or(usize::MAX);
        let mut state = reader.with_max_op_bytes(self.max_op_bytes).continued(name, &[]);
        loop {
            window.drain(..used.min(window.len()));
            at_end = at_end || self.fill(&mut window, room)?;
            let mut reader = state.continued(name, &window);
            if !self.decode(&mut reader) {
                return Ok(());
            }
            used = usize::try_from(reader.position()).unwrap_or(usize::MAX);
            state = reader.continued(name, &[]);
            if at_end {
                return Ok(());
            }
            if used == 0 {
                // One operation is longer than the window, or damaged: longer than allowed it is not read here.
                if room > self.max_op_bytes {
                    return Ok(());
                }
                room *= 2;
            }
        }
    }

    /// Reads on until the window has this many bytes; true at the end of the file.
    fn fill(&mut self, window: &mut Vec<u8>, room: usize) -> std::io::Result<bool> {
        let wanted = room.saturating_sub(window.len()) as u64;
        let read = (&mut self.file).take(wanted).read_to_end(window)?;
        Ok((read as u64) < wanted)
    }

    /// Waits for one when all are on the way; a new one when nobody applies any more.
    fn empty_batch(&mut self) -> Batch {
        if self.empty.is_empty() {
            self.empty.extend(self.applied.recv().into_iter().flatten());
        }
        let mut batch = self.empty.pop().unwrap_or_default();
        batch.drain(..).for_each(|(_, op)| self.spent.give(op));
        batch
    }

    /// Hands on what the window holds; false when nobody wants more.
    fn decode(&mut self, reader: &mut SegmentReader<'_>) -> bool {
        let mut batch = self.empty_batch();
        while let Ok(Some(frame)) = reader.next_frame_of_part() {
            if frame.txid <= self.after {
                continue;
            }
            let Ok(op) = reader.decode_reusing(&frame, &mut self.spent) else {
                let _ = self.sender.send(batch);
                return false;
            };
            batch.push((frame.txid, op));
            if batch.len() == BATCH {
                if self.sender.send(std::mem::take(&mut batch)).is_err() {
                    return false;
                }
                batch = self.empty_batch();
            }
        }
        self.sender.send(batch).is_ok()
    }
}
