//! Finding images and segments by name, for those who make checkpoints, and taking in what they made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hdfs_format::edits;
use hdfs_format::storage_dir::{self, ImageFile, MD5_SUFFIX};
use hdfs_proto::hdfs::{RemoteEditLogManifestProto, RemoteEditLogProto};
use hdfs_rt::disk::write_file_atomic;
use hdfs_types::{Error, ErrorKind, Result, TxId};
use parking_lot::Mutex;

use super::super::durable::{failed, with_suffix};
use super::super::inventory::Inventory;
use super::ImageStore;

/// Keeps others from making an image of the same transaction until it is dropped.
pub(crate) struct Checkpointing {
    under_way: Arc<Mutex<BTreeSet<TxId>>>,
    txid: TxId,
}

impl Drop for Checkpointing {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.txid);
    }
}

impl ImageStore {
    /// Announces an image of a transaction.
    ///
    /// # Errors
    /// The transaction of an image that is under way already and is as new, or newer.
    pub(crate) fn begin_checkpoint(&self, txid: TxId) -> Result<Checkpointing, TxId> {
        let mut under_way = self.under_way.lock();
        if let Some(newest) = under_way.last().filter(|newest| **newest >= txid) {
            return Err(*newest);
        }
        under_way.insert(txid);
        Ok(Checkpointing { under_way: self.under_way.clone(), txid })
    }

    /// An image has its name now: counts it, and purges what it makes needless.
    pub(crate) fn adopt(&self, image: ImageFile) {
        self.latest.fetch_max(image.txid().0, Ordering::AcqRel);
        self.purge(image);
    }

    /// An image, in the first folder that has it.
    pub(crate) fn find_image(&self, image: ImageFile) -> Option<PathBuf> {
        let name = image.name();
        self.dirs.live_images().map(|(_, dir)| dir.current().join(&name)).find(|path| path.exists())
    }

    /// The file of the newest image.
    pub(crate) fn newest_file(&self) -> Option<PathBuf> {
        let latest = self.latest();
        self.find_image(ImageFile::Image(latest))
            .or_else(|| self.find_image(ImageFile::Rollback(latest)))
    }

    /// Time since the newest image was written.
    pub(crate) fn age_of_latest(&self) -> Duration {
        let modified = self.newest_file().and_then(|path| path.metadata().ok()?.modified().ok());
        // A file that can't be asked is old: a new image is welcome then.
        modified.map_or(Duration::MAX, |time| time.elapsed().unwrap_or(Duration::ZERO))
    }

    /// A finalized segment.
    ///
    /// # Errors
    /// When no folder has it.
    pub(crate) fn find_edits(&self, first: TxId, last: TxId) -> Result<PathBuf> {
        let name = edits::finalized_name(first, last);
        let found = self.dirs.live_edits().map(|(_, dir)| dir.current().join(&name));
        let found = found.into_iter().find(|path| path.exists());
        found.ok_or_else(|| {
            Error::new(ErrorKind::FileNotFound, format!("No edits file for range {first}-{last}"))
        })
    }

    /// The transaction of the newest image of a kind.
    ///
    /// # Errors
    /// When a folder can't be read.
    pub(crate) fn newest_of_kind(&self, rollback: bool) -> Result<Option<TxId>> {
        let inventory = Inventory::of(&self.dirs)?;
        let images = if rollback { inventory.rollback_images } else { inventory.images };
        Ok(images.last().map(|image| image.txid))
    }

    /// The digest that lies beside a file; none when there is no such file.
    ///
    /// # Errors
    /// When it can't be read or is no digest of that file.
    pub(crate) fn stored_md5(path: &Path) -> Result<Option<[u8; 16]>> {
        let md5_file = with_suffix(path, MD5_SUFFIX);
        let line = match std::fs::read(&md5_file) {
            Ok(line) => line,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &md5_file, error)),
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(Some(storage_dir::parse_md5(&md5_file.display().to_string(), &line, name)?))
    }

    /// Writes the digest that lies beside an image.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn store_md5(image: &Path, md5: &[u8; 16]) -> Result<()> {
        let name = image.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let line = storage_dir::print_md5(md5, name);
        Ok(write_file_atomic(&with_suffix(image, MD5_SUFFIX), line.as_bytes())?)
    }

    /// The finalized segments from a transaction on, without a gap; those before a gap are left out.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.JournalSet.getEditLogManifest (3.5.0)
    pub(crate) fn edits_manifest(&self, since: TxId) -> Result<RemoteEditLogManifestProto> {
        let inventory = Inventory::of(&self.dirs)?;
        let mut longest: BTreeMap<u64, u64> = BTreeMap::new();
        for segment in inventory.segments {
            let Some(last) = segment.last.filter(|last| *last >= since) else { continue };
            let end = longest.entry(segment.first.0).or_default();
            *end = last.0.max(*end);
        }
        let mut next = since.0;
        let mut logs: Vec<RemoteEditLogProto> = Vec::new();
        while let Some((first, last)) = longest.range(next..).next().map(|(f, l)| (*f, *l)) {
            if first != next {
                logs.clear();
            }
            logs.push(RemoteEditLogProto {
                start_tx_id: first,
                end_tx_id: last,
                is_in_progress: Some(false),
            });
            next = last + 1;
        }
        Ok(RemoteEditLogManifestProto { logs, committed_txn_id: Some(next.saturating_sub(1)) })
    }
}
