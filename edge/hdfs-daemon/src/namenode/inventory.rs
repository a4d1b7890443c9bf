//! What lies in the name folders: images, segments of the edit log, and the last transaction that must be there.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageTransactionalStorageInspector, FileJournalManager (3.5.0)

use std::path::{Path, PathBuf};

use hdfs_format::edits::EditsFile;
use hdfs_format::storage_dir::{self, ImageFile as ImageName, SEEN_TXID};
use hdfs_types::{Result, TxId};

use super::durable::failed;
use super::rolling_upgrade::TRASH;
use super::storage::NameDirs;

/// An image.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ImageFile {
    /// The last transaction in it.
    pub(crate) txid: TxId,
    pub(crate) path: PathBuf,
}

/// A segment of the edit log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SegmentFile {
    pub(crate) first: TxId,
    /// The last transaction; `None` while the segment is in progress.
    pub(crate) last: Option<TxId>,
    pub(crate) path: PathBuf,
}

/// Everything found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Inventory {
    /// By transaction, the oldest first.
    pub(crate) images: Vec<ImageFile>,
    /// Those from before a rolling upgrade.
    pub(crate) rollback_images: Vec<ImageFile>,
    /// Those that somebody writes, or stopped to.
    pub(crate) unfinished_images: Vec<ImageFile>,
    /// By first transaction.
    pub(crate) segments: Vec<SegmentFile>,
    /// Segments that a rolling upgrade's rollback took out of use.
    pub(crate) trashed: Vec<SegmentFile>,
    /// Segments in progress that were damaged, empty or stale.
    pub(crate) set_aside: Vec<SegmentFile>,
    /// The highest `seen_txid`: a restart must reach this transaction.
    pub(crate) seen: TxId,
}

impl Inventory {
    /// Images of both kinds by transaction, the oldest first.
    pub(crate) fn all_images(&self) -> Vec<&ImageFile> {
        let mut all: Vec<_> = self.rollback_images.iter().chain(&self.images).collect();
        all.sort_by_key(|image| image.txid);
        all
    }

    /// Looks into every folder in use.
    ///
    /// # Errors
    /// When a folder can't be read, or a `seen_txid` holds no number.
    pub(crate) fn of(dirs: &NameDirs) -> Result<Self> {
        let mut found = Self::default();
        for (_, dir) in dirs.live() {
            found.add(&dir.current(), dir.spec.image, dir.spec.edits)?;
        }
        found.images.sort();
        found.rollback_images.sort();
        found.segments.sort();
        Ok(found)
    }

    fn add(&mut self, current: &Path, images: bool, edits: bool) -> Result<()> {
        let entries = match std::fs::read_dir(current) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("read folder", current, error)),
        };
        for entry in entries {
            let path = entry.map_err(|e| failed("read folder", current, e))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if edits && let Some((first, last)) = name.strip_suffix(TRASH).and_then(segment) {
                self.trashed.push(SegmentFile { first, last, path });
            } else if images && let Some(txid) = image(name) {
                self.images.push(ImageFile { txid, path });
            } else if images && let Some(ImageName::Rollback(txid)) = ImageName::parse(name) {
                self.rollback_images.push(ImageFile { txid, path });
            } else if images && let Some(ImageName::Checkpoint(txid)) = ImageName::parse(name) {
                self.unfinished_images.push(ImageFile { txid, path });
            } else if edits && let Some(EditsFile::SetAside { first, .. }) = EditsFile::parse(name)
            {
                self.set_aside.push(SegmentFile { first, last: None, path });
            } else if edits && let Some((first, last)) = segment(name) {
                self.segments.push(SegmentFile { first, last, path });
            }
        }
        let seen = current.join(SEEN_TXID);
        match std::fs::read(&seen) {
            Ok(bytes) => {
                let number = storage_dir::parse_number(&seen.display().to_string(), &bytes)?;
                self.seen = self.seen.max(TxId(number));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read", &seen, error)),
        }
        Ok(())
    }
}

fn image(name: &str) -> Option<TxId> {
    match ImageName::parse(name)? {
        ImageName::Image(txid) => Some(txid).filter(|txid| *txid < NEVER),
        ImageName::Checkpoint(_) | ImageName::Rollback(_) => None,
    }
}

/// No log gets so far; a name that says so is not ours.
const NEVER: TxId = TxId(1 << 62);

fn segment(name: &str) -> Option<(TxId, Option<TxId>)> {
    match EditsFile::parse(name)? {
        EditsFile::Finalized { first, last } => Some((first, Some(last))),
        EditsFile::InProgress { first } => Some((first, None)),
        EditsFile::SetAside { .. } => None,
    }
    .filter(|(first, last)| *first < NEVER && last.is_none_or(|last| last < NEVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments_and_images_are_recognised() {
        assert_eq!(image("fsimage_0000000000000000012"), Some(TxId(12)));
        assert_eq!(image("fsimage_0000000000000000012.md5"), None);
        assert_eq!(
            segment("edits_0000000000000000001-0000000000000000007"),
            Some((TxId(1), Some(TxId(7))))
        );
        assert_eq!(segment("edits_inprogress_0000000000000000008"), Some((TxId(8), None)));
        assert_eq!(segment("edits_inprogress_0000000000000000008.empty"), None);
        assert_eq!(segment("edits_tmp_1-2_3"), None);
    }
}
