//! Images on disk: reading one with its MD5, writing one to every folder, purging old ones.
//!
//! ```text
//! fsimage.ckpt_<txid>  written and synced first
//! fsimage_<txid>.md5   then its digest
//! fsimage_<txid>       then the rename, which makes it an image
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage, NNStorageRetentionManager (3.5.0)

mod lookup;
mod retention;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdfs_format::fsimage::{ImageDigest, ImageWriter};
use hdfs_format::storage_dir::{self, ImageFile, MD5_SUFFIX};
use hdfs_rt::disk::{fsync_file, rename_durable, write_file_atomic};
use hdfs_types::{Error, ErrorKind, Result, TxId};
use md5::{Digest, Md5};
use parking_lot::Mutex;

use super::conf::NameNodeConf;
use super::durable::{failed, with_suffix};
use super::storage::NameDirs;

pub(crate) use lookup::Checkpointing;

/// The images of one NameNode.
pub(crate) struct ImageStore {
    dirs: Arc<NameDirs>,
    latest: AtomicU64,
    checkpoints_retained: usize,
    extra_edits_retained: u64,
    extra_segments_retained: usize,
    /// Transactions of the images that are being written or received.
    under_way: Arc<Mutex<BTreeSet<TxId>>>,
}

impl ImageStore {
    pub(crate) fn new(dirs: Arc<NameDirs>, latest: TxId, conf: &NameNodeConf) -> Self {
        Self {
            dirs,
            latest: AtomicU64::new(latest.0),
            checkpoints_retained: conf.checkpoints_retained,
            extra_edits_retained: conf.extra_edits_retained,
            extra_segments_retained: conf.extra_segments_retained,
            under_way: Arc::default(),
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
        self.save_as(ImageFile::Image(txid), write)
    }

    /// The same for an image of any kind.
    ///
    /// # Errors
    /// When no folder could take it, or one of the same transaction is being received.
    pub(crate) fn save_as(
        &self,
        image: ImageFile,
        write: impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
    ) -> Result<()> {
        let txid = image.txid();
        let _under_way = self.begin_checkpoint(txid).map_err(|_| {
            Error::io(format!("FS image is being downloaded from another NN at txid {txid}"))
        })?;
        save(&self.dirs, image, write)?;
        self.adopt(image);
        Ok(())
    }
}

/// Writes an image to every folder; a folder that fails is dropped.
pub(crate) fn save(
    dirs: &NameDirs,
    image: ImageFile,
    write: impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let mut written = 0;
    for (index, dir) in dirs.live_images() {
        match write_image(&dir.current(), image, &write) {
            Ok(()) => written += 1,
            Err(error) => dirs.drop_dir(index, &error),
        }
    }
    if written == 0 {
        return Err(Error::io(format!(
            "the image of transaction {} could not be written to any folder of dfs.namenode.name.dir; see the log",
            image.txid()
        )));
    }
    Ok(())
}

fn write_image(
    current: &Path,
    image: ImageFile,
    write: &impl Fn(&mut ImageWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let temporary = current.join(ImageFile::Checkpoint(image.txid()).name());
    let name = image.name();
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
                storage_dir::print_hex(&found),
                storage_dir::print_hex(&wanted)
            ),
        ));
    }
    Ok(bytes)
}

fn delete(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::info!("purged {}", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // It is tried again after the next checkpoint.
        Err(error) => tracing::warn!("could not purge {}: {error}", path.display()),
    }
}
