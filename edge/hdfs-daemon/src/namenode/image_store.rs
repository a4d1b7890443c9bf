//! Images on disk: reading one with its MD5, writing one to every folder, purging old ones.
//!
//! ```text
//! fsimage.ckpt_<txid>  written and synced first
//! fsimage_<txid>.md5   then its digest
//! fsimage_<txid>       then the rename, which makes it an image
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage, NNStorageRetentionManager (3.5.0)

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdfs_format::fsimage::{ImageDigest, ImageWriter};
use hdfs_format::storage_dir::{self, ImageFile, MD5_SUFFIX};
use hdfs_proto::hdfs::{RemoteEditLogManifestProto, RemoteEditLogProto};
use hdfs_rt::disk::{fsync_file, rename_durable, write_file_atomic};
use hdfs_types::{Error, ErrorKind, Result, TxId};
use md5::{Digest, Md5};

use super::conf::NameNodeConf;
use super::durable::{failed, with_suffix};
use super::inventory::{Inventory, SegmentFile};
use super::storage::NameDirs;

/// The images of one NameNode.
pub(crate) struct ImageStore {
    dirs: Arc<NameDirs>,
    latest: AtomicU64,
    checkpoints_retained: usize,
    extra_edits_retained: u64,
    extra_segments_retained: usize,
}

impl ImageStore {
    pub(crate) fn new(dirs: Arc<NameDirs>, latest: TxId, conf: &NameNodeConf) -> Self {
        Self {
            dirs,
            latest: AtomicU64::new(latest.0),
            checkpoints_retained: conf.checkpoints_retained,
            extra_edits_retained: conf.extra_edits_retained,
            extra_segments_retained: conf.extra_segments_retained,
        }
    }

    /// The transaction of the newest image.
    pub(crate) fn latest(&self) -> TxId {
        TxId(self.latest.load(Ordering::Acquire))
    }

    /// The folders.
    pub(crate) fn dirs(&self) -> &Arc<NameDirs> {
        &self.dirs
    }

    /// Writes an image of the state after `txid` to every folder, then purges what is not needed any more.
    ///
    /// # Errors
    /// When no folder could take it.
    pub(crate) fn save(
        &self,
        txid: TxId,
        write: impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
    ) -> Result<()> {
        save(&self.dirs, txid, write)?;
        self.latest.store(txid.0, Ordering::Release);
        self.purge();
        Ok(())
    }

    /// Deletes images beyond the number to keep, and edits that no image to keep needs.
    pub(crate) fn purge(&self) {
        let inventory = match Inventory::of(&self.dirs) {
            Ok(inventory) => inventory,
            Err(error) => {
                tracing::warn!("old images and edits are not purged: {error}");
                return;
            }
        };
        let txids: BTreeSet<TxId> = inventory.images.iter().map(|image| image.txid).collect();
        let Some(oldest) = txids
            .iter()
            .rev()
            .nth(self.checkpoints_retained.min(txids.len()).wrapping_sub(1))
            .copied()
        else {
            return;
        };
        for image in inventory.images.iter().filter(|image| image.txid < oldest) {
            delete(&image.path);
            delete(&with_suffix(&image.path, MD5_SUFFIX));
        }
        let from = self.keep_edits_from(oldest, &inventory.segments);
        for segment in &inventory.segments {
            if segment.last.is_some_and(|last| last < from) {
                delete(&segment.path);
            }
        }
    }

    /// The first transaction whose edits stay.
    fn keep_edits_from(&self, oldest_image: TxId, segments: &[SegmentFile]) -> TxId {
        let needed = oldest_image.0 + 1;
        let mut from = needed.saturating_sub(self.extra_edits_retained);
        let extra: BTreeSet<(TxId, TxId)> = segments
            .iter()
            .filter_map(|segment| Some((segment.first, segment.last?)))
            .filter(|(first, last)| last.0 >= from && first.0 < needed)
            .collect();
        let excess = extra.len().saturating_sub(self.extra_segments_retained);
        if let Some((_, last)) = excess.checked_sub(1).and_then(|index| extra.iter().nth(index)) {
            from = from.max(last.0 + 1).min(needed);
        }
        TxId(from)
    }

    /// The segments from a transaction on, for a SecondaryNameNode or standby.
    pub(crate) fn edits_manifest(
        &self,
        since: TxId,
        current: TxId,
    ) -> Result<RemoteEditLogManifestProto> {
        let inventory = Inventory::of(&self.dirs)?;
        let finished: BTreeSet<(TxId, TxId)> = inventory
            .segments
            .iter()
            .filter_map(|segment| Some((segment.first, segment.last?)))
            .filter(|(first, last)| *last >= since && *first < current)
            .collect();
        let logs = finished
            .into_iter()
            .map(|(first, last)| RemoteEditLogProto {
                start_tx_id: first.0,
                end_tx_id: last.0,
                is_in_progress: Some(false),
            })
            .collect();
        Ok(RemoteEditLogManifestProto { logs, committed_txn_id: None })
    }
}

/// Writes an image to every folder; a folder that fails is dropped.
pub(crate) fn save(
    dirs: &NameDirs,
    txid: TxId,
    write: impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let mut written = 0;
    for (index, dir) in dirs.live_images() {
        match write_image(&dir.current(), txid, &write) {
            Ok(()) => written += 1,
            Err(error) => dirs.drop_dir(index, &error),
        }
    }
    if written == 0 {
        return Err(Error::io(format!(
            "the image of transaction {txid} could not be written to any folder of dfs.namenode.name.dir; see the log"
        )));
    }
    Ok(())
}

fn write_image(
    current: &Path,
    txid: TxId,
    write: &impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let temporary = current.join(ImageFile::Checkpoint(txid).name());
    let name = ImageFile::Image(txid).name();
    let image = current.join(&name);
    let digest = write_file(&temporary, write).inspect_err(|_| delete(&temporary))?;
    let md5 = with_suffix(&image, MD5_SUFFIX);
    write_file_atomic(&md5, storage_dir::print_md5(&digest.md5, &name).as_bytes())?;
    Ok(rename_durable(&temporary, &image)?)
}

fn write_file(
    path: &Path,
    write: &impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
) -> Result<ImageDigest> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|e| failed("create", path, e))?;
    let mut writer = ImageWriter::new(file);
    write(&mut writer).map_err(|e| failed("write", path, e))?;
    let (file, digest) = writer.finish().map_err(|e| failed("write", path, e))?;
    fsync_file(&file, path)?;
    Ok(digest)
}

/// Reads an image and checks it against the digest beside it.
///
/// # Errors
/// When it can't be read, has no digest, or differs from it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|e| failed("read", path, e))?;
    let md5_file = with_suffix(path, MD5_SUFFIX);
    let line = std::fs::read(&md5_file).map_err(|e| {
        let mut error = failed("read", &md5_file, e);
        error.message.push_str(". Every image has such a file; copy both from another name folder");
        error
    })?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let wanted = storage_dir::parse_md5(&md5_file.display().to_string(), &line, name)?;
    let found: [u8; 16] = Md5::digest(&bytes).into();
    if wanted != found {
        return Err(Error::new(
            ErrorKind::Io,
            format!(
                "Image file {} is corrupt with MD5 checksum of {} but expecting {}",
                path.display(),
                hex(&found),
                hex(&wanted)
            ),
        ));
    }
    Ok(bytes)
}

fn hex(md5: &[u8; 16]) -> String {
    md5.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn delete(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::info!("purged {}", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // It is tried again after the next checkpoint.
        Err(error) => tracing::warn!("could not purge {}: {error}", path.display()),
    }
}
