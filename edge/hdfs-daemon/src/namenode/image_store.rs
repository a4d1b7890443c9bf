//! Images on disk: reading one with its MD5, writing one to every folder, purging old ones.
//!
//! ```text
//! fsimage.ckpt_<txid>  written and synced first
//! fsimage_<txid>.md5   then its digest
//! fsimage_<txid>       then the rename, which makes it an image
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage, NNStorageRetentionManager (3.5.0)

mod files;
mod lookup;
mod retention;
mod settings;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdfs_format::fsimage::ImageWriter;
use hdfs_format::storage_dir::{self, ImageFile, MD5_SUFFIX};
use hdfs_rt::crew::Crew;
use hdfs_types::{Error, ErrorKind, Result, TxId};
use md5::{Digest, Md5};
use parking_lot::Mutex;

use super::conf::NameNodeConf;
use super::durable::{failed, with_suffix};
use super::storage::NameDirs;

pub(crate) use files::Behind;
use files::ImageFiles;
pub(crate) use lookup::Checkpointing;
pub(crate) use settings::ImageSettings;

/// The images of one NameNode.
pub(crate) struct ImageStore {
    dirs: Arc<NameDirs>,
    latest: AtomicU64,
    checkpoints_retained: usize,
    extra_edits_retained: u64,
    extra_segments_retained: usize,
    settings: ImageSettings,
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
            settings: conf.image,
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
        write: impl FnOnce(&mut ImageWriter<Behind>, &Crew) -> io::Result<()>,
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
        write: impl FnOnce(&mut ImageWriter<Behind>, &Crew) -> io::Result<()>,
    ) -> Result<()> {
        let txid = image.txid();
        let _under_way = self.begin_checkpoint(txid).map_err(|_| {
            Error::io(format!("FS image is being downloaded from another NN at txid {txid}"))
        })?;
        save(&self.dirs, image, &self.settings, write)?;
        self.adopt(image);
        hdfs_rt::process::release_free_memory();
        Ok(())
    }
}

/// Writes an image to every folder; a folder that fails is dropped.
pub(crate) fn save(
    dirs: &NameDirs,
    image: ImageFile,
    settings: &ImageSettings,
    write: impl FnOnce(&mut ImageWriter<Behind>, &Crew) -> io::Result<()>,
) -> Result<()> {
    let mut files = ImageFiles::create(dirs, image)?;
    let (out, ahead) = Behind::new();
    let digest = std::thread::scope(|scope| {
        let disk = scope.spawn(|| {
            // This end goes with the thread, so that the other one learns of an error.
            let ahead = ahead;
            files.write_all_of(&ahead)
        });
        let mut writer = ImageWriter::with_options(out, settings.options);
        let made = write(&mut writer, &settings.crew).and_then(|()| writer.finish());
        let made = made.map(|(_, digest)| digest).map_err(|error| Error::io(error.to_string()));
        disk.join().expect("writing files does not panic")?;
        made
    })?;
    files.commit(&digest.md5)
}

/// Reads an image, and at the same time checks it against the digest beside it: what comes of it counts only when it is
/// whole.
///
/// # Errors
/// When it can't be read, has no digest, or differs from it; otherwise what `load` says.
pub(crate) fn load<T: Send>(path: &Path, load: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    let md5_file = with_suffix(path, MD5_SUFFIX);
    let line = std::fs::read(&md5_file).map_err(|e| {
        let mut error = failed("read", &md5_file, e);
        error.message.push_str(". Every image has such a file; copy both from another name folder");
        error
    })?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let wanted = storage_dir::parse_md5(&md5_file.display().to_string(), &line, name)?;
    load_checked(path, Some(wanted), load)
}

/// The same with a digest that was found elsewhere; none for images of before there was one.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_checked<T: Send>(
    path: &Path,
    wanted: Option<[u8; 16]>,
    load: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<T> {
    let bytes = read_in_parts(path).map_err(|e| failed("read", path, e))?;
    let Some(wanted) = wanted else { return load(&bytes) };
    let (found, loaded): ([u8; 16], _) = std::thread::scope(|scope| {
        let digest = scope.spawn(|| Md5::digest(&bytes).into());
        let loaded = load(&bytes);
        (digest.join().expect("a digest does not fail"), loaded)
    });
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
    loaded
}

/// The bytes of a file that nobody writes to any more: copying them takes as long as parsing a part of them, so that every
/// processor reads.
fn read_in_parts(path: &Path) -> io::Result<Vec<u8>> {
    const LEAST: usize = 8 << 20;
    let file = File::open(path)?;
    let length =
        usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; length];
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = length.div_ceil(threads).max(LEAST);
    let file = &file;
    std::thread::scope(|scope| {
        let readers: Vec<_> = bytes
            .chunks_mut(part)
            .enumerate()
            .map(|(number, into)| {
                scope.spawn(move || file.read_exact_at(into, (number * part) as u64))
            })
            .collect();
        readers.into_iter().try_for_each(|reader| reader.join().expect("reading does not panic"))
    })?;
    Ok(bytes)
}

fn delete(path: &Path) {
    match std::fs::remove_file(path) {
        Ok(()) => tracing::info!("purged {}", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // It is tried again after the next checkpoint.
        Err(error) => tracing::warn!("could not purge {}: {error}", path.display()),
    }
}
