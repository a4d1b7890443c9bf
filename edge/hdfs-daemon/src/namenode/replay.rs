//! The edits after an image: read in order, each transaction once, from whatever folder has it.
//!
//! A segment may lie in several folders, and one of its copies may be damaged or short: reading goes on in another copy at
//! the transaction where the first one stopped. Only when no copy has the next transaction does reading end, and then
//! only if nothing after it was ever seen.
//!
//! **Invariant:** no transaction is skipped, and none that was acknowledged is dropped: a file is cut only after an
//! operation that is incomplete at its very end, and never when it was finalized.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLogLoader, JournalSet, RedundantEditLogInputStream} (3.5.0)

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use hdfs_format::edits::{self, EditOp, Expected, SegmentError, SegmentReader, SegmentSummary};
use hdfs_rt::disk::{fsync_file, rename_durable};
use hdfs_types::{Error, Result, TxId};

use super::decode_ahead;
use super::durable::{failed, with_suffix};
use super::inventory::{Inventory, SegmentFile};
use super::progress::{Phase, StartupProgress, Step, millis_since};

/// What replay found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Replayed {
    /// The last transaction.
    pub(crate) last: TxId,
    /// How many were applied.
    pub(crate) count: u64,
}

/// Applies every transaction after `image`.
///
/// # Errors
/// At a gap, at damage that no other copy heals, or when the newest segment that was ever begun is missing.
pub(crate) fn replay(
    inventory: &Inventory,
    image: TxId,
    max_op_bytes: usize,
    progress: &StartupProgress,
    mut apply: impl FnMut(TxId, &EditOp) -> Result<()>,
) -> Result<Replayed> {
    let mut last = image;
    let mut count = 0;
    loop {
        let next = TxId(last.0 + 1);
        let mut damaged = Vec::new();
        let before = last;
        for segment in candidates(&inventory.segments, next) {
            let (began, done) = (Instant::now(), count);
            let outcome = replay_segment(segment, max_op_bytes, &mut last, &mut count, &mut apply)?;
            note_segment(progress, segment, count - done, began);
            if let Err(error) = outcome {
                tracing::warn!("{error}");
                damaged.push((segment, error));
            }
            if last > before {
                break;
            }
        }
        if last == before {
            check_end(inventory, last, damaged)?;
            return Ok(Replayed { last, count });
        }
    }
}

fn note_segment(progress: &StartupProgress, segment: &SegmentFile, count: u64, began: Instant) {
    progress.add_step(
        Phase::LoadingEdits,
        Step {
            file: Some(segment.path.display().to_string()),
            size: std::fs::metadata(&segment.path).ok().map(|metadata| metadata.len()),
            count,
            total: count,
            elapsed_ms: millis_since(began),
            ..Step::default()
        },
    );
}

/// The copies that may hold a transaction: finalized ones first, long ones first.
pub(super) fn candidates(segments: &[SegmentFile], txid: TxId) -> Vec<&SegmentFile> {
    let mut found: Vec<_> = segments
        .iter()
        .filter(|segment| segment.first <= txid && segment.last.is_none_or(|last| last >= txid))
        .collect();
    found.sort_by_key(|segment| {
        (segment.last.is_none(), std::cmp::Reverse(segment.last), std::cmp::Reverse(segment.first))
    });
    found
}

/// Applies what a copy has after `last`. The inner error is about the copy: another one may help.
fn replay_segment(
    segment: &SegmentFile,
    max_op_bytes: usize,
    last: &mut TxId,
    count: &mut u64,
    apply: &mut impl FnMut(TxId, &EditOp) -> Result<()>,
) -> Result<Result<(), SegmentError>> {
    decode_ahead::apply_whole((&segment.path, segment.first, max_op_bytes), last, count, apply)?;
    if segment.last == Some(*last) {
        return Ok(Ok(()));
    }
    // The end of a segment in progress, or damage.
    let bytes = std::fs::read(&segment.path).map_err(|e| failed("read", &segment.path, e))?;
    let name = segment.path.display().to_string();
    let expected = Expected { first: Some(segment.first), last: segment.last };
    let mut reader = match SegmentReader::open(&name, &bytes, expected) {
        Ok(reader) => reader.with_max_op_bytes(max_op_bytes),
        Err(SegmentError::NoHeader { .. }) => return Ok(Ok(())),
        Err(error) => return Ok(Err(error)),
    };
    loop {
        let frame = match reader.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) | Err(SegmentError::TornTail { .. }) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        if frame.txid <= *last {
            continue;
        }
        match reader.decode(&frame) {
            Ok(op) => apply(frame.txid, &op)?,
            Err(error) => return Ok(Err(error)),
        }
        *last = frame.txid;
        *count += 1;
    }
}

/// Decides whether the log may end here.
fn check_end(
    inventory: &Inventory,
    last: TxId,
    damaged: Vec<(&SegmentFile, SegmentError)>,
) -> Result<()> {
    for (segment, error) in damaged {
        // Another copy ended without damage. That one is whole if no later transaction is in this one either.
        if segment.last.is_some() || mentions_after(segment, last)? {
            return Err(error.into());
        }
    }
    let next = TxId(last.0 + 1);
    let later = inventory.segments.iter().map(|segment| segment.first).find(|first| *first > next);
    if let Some(found) = later {
        return Err(Error::io(format!(
            "There appears to be a gap in the edit log.  We expected txid {next}, but got txid {found}. Restore the \
             missing edits_… file to dfs.namenode.edits.dir."
        )));
    }
    if inventory.seen > last {
        return Err(Error::io(format!(
            "Gap in transactions. Expected to be able to read up until at least txid {} but unable to find any edit \
             logs containing txid {next}. Restore the missing edits_… files to dfs.namenode.edits.dir.",
            inventory.seen
        )));
    }
    Ok(())
}

/// True when a damaged copy holds a transaction after `last` behind its damage.
fn mentions_after(segment: &SegmentFile, last: TxId) -> Result<bool> {
    let bytes = std::fs::read(&segment.path).map_err(|e| failed("read", &segment.path, e))?;
    let name = segment.path.display().to_string();
    let expected = Expected { first: Some(segment.first), last: None };
    let Ok(mut reader) = SegmentReader::open(&name, &bytes, expected) else {
        return Ok(true);
    };
    while let Ok(Some(_)) = reader.next_frame() {}
    Ok(reader.mentions_after(last))
}

/// Gives every segment in progress its final name, cut after its last complete operation; one without operations is
/// set aside as `.empty`, a damaged one as `.corrupt` (its transactions were read from another copy).
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.FileJournalManager.recoverUnfinalizedSegments (3.5.0)
pub(crate) fn finalize_unfinished(inventory: &Inventory) -> Result<()> {
    for segment in inventory.segments.iter().filter(|segment| segment.last.is_none()) {
        let path = &segment.path;
        match scan(path, segment.first)? {
            Some(SegmentSummary {
                error: Some(SegmentError::Corrupt(_) | SegmentError::Gap { .. }),
                ..
            }) => {
                tracing::warn!("{} is damaged and set aside", path.display());
                rename_durable(path, &with_suffix(path, ".corrupt"))?;
            }
            Some(SegmentSummary { last: Some(last), end, .. }) => {
                rewrite(path, end)?;
                let name = edits::finalized_name(segment.first, last);
                tracing::info!("recovered {} as {name}", path.display());
                rename_durable(path, &path.with_file_name(name))?;
            }
            Some(_) | None => rename_durable(path, &with_suffix(path, ".empty"))?,
        }
    }
    Ok(())
}

fn scan(path: &Path, first: TxId) -> Result<Option<SegmentSummary>> {
    let bytes = std::fs::read(path).map_err(|e| failed("read", path, e))?;
    let name = path.display().to_string();
    match SegmentReader::open(&name, &bytes, Expected { first: Some(first), last: None }) {
        Ok(reader) => Ok(Some(reader.scan())),
        Err(SegmentError::NoHeader { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Cuts a segment and writes what stays once more. After a sync that failed, the system's memory still shows bytes that are
/// not on the disk, and no later sync writes them: what was replayed from there must become durable before it counts.
fn rewrite(path: &Path, end: u64) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|e| failed("read", path, e))?;
    let file = OpenOptions::new().write(true).open(path).map_err(|e| failed("open", path, e))?;
    let kept = usize::try_from(end).ok().and_then(|end| bytes.get(..end)).unwrap_or(&bytes);
    file.write_all_at(kept, 0).map_err(|e| failed("write", path, e))?;
    file.set_len(end).map_err(|e| failed("cut", path, e))?;
    Ok(fsync_file(&file, path)?)
}
