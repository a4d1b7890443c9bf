//! An image that comes over the network: written to every name folder at once, and an image only when it is whole.
//!
//! ```text
//! fsimage.ckpt_<txid>   while it comes in; then length and digest are checked, and it is synced
//! <kind>_<txid>.md5     then its digest
//! <kind>_<txid>         then the rename, which makes it an image
//! ```
//! Dropped before that, it leaves nothing behind.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.Util.receiveFile, FSImage.saveDigestAndRenameCheckpointImage (3.5.0)

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use hdfs_format::storage_dir::{self, ImageFile};
use hdfs_rt::disk::{fsync_file, rename_durable, write_file_atomic};
use hdfs_types::{Error, Result, TxId};
use md5::{Digest, Md5};

use super::durable::failed;
use super::storage::NameDirs;

/// What the sender says about a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Advertised {
    pub(crate) num_bytes: u64,
    pub(crate) md5: Option<[u8; 16]>,
}

/// An image that is coming in.
pub(crate) struct ImageReceiver<'a> {
    dirs: &'a NameDirs,
    txid: TxId,
    files: Vec<Target>,
    md5: Md5,
    received: u64,
}

struct Target {
    /// Index into the folders.
    dir: usize,
    path: PathBuf,
    file: File,
}

impl<'a> ImageReceiver<'a> {
    /// Creates the temporary files.
    ///
    /// # Errors
    /// When no folder takes one.
    pub(crate) fn create(dirs: &'a NameDirs, txid: TxId) -> Result<Self> {
        let mut files = Vec::new();
        for (dir, folder) in dirs.live_images() {
            let path = folder.current().join(ImageFile::Checkpoint(txid).name());
            match File::create(&path) {
                Ok(file) => files.push(Target { dir, path, file }),
                Err(error) => dirs.drop_dir(dir, &failed("create", &path, error)),
            }
        }
        if files.is_empty() {
            return Err(Error::io("Unable to download to any storage directory"));
        }
        Ok(Self { dirs, txid, files, md5: Md5::new(), received: 0 })
    }

    /// Takes the next bytes. A folder that fails is dropped.
    ///
    /// # Errors
    /// When no folder is left.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.md5.update(bytes);
        self.received += bytes.len() as u64;
        let dirs = self.dirs;
        self.files.retain_mut(|target| match target.file.write_all(bytes) {
            Ok(()) => true,
            Err(error) => {
                dirs.drop_dir(target.dir, &failed("write", &target.path, error));
                false
            }
        });
        self.check_left()
    }

    /// Bytes so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Makes it an image, when it is what the sender said. `name`: the file, for messages.
    ///
    /// # Errors
    /// When its length or digest differs, or no folder is left.
    pub(crate) fn commit(
        mut self,
        name: &str,
        advertised: Advertised,
        kind: fn(TxId) -> ImageFile,
    ) -> Result<()> {
        if self.received != advertised.num_bytes {
            return Err(Error::io(format!(
                "File {name} received length {} is not of the advertised size {}. Fsimage name: {name} lastReceived: 0",
                self.received, advertised.num_bytes
            )));
        }
        let md5: [u8; 16] = std::mem::take(&mut self.md5).finalize().into();
        if let Some(wanted) = advertised.md5.filter(|wanted| *wanted != md5) {
            return Err(Error::io(format!(
                "File {name} computed digest {} does not match advertised digest {}",
                storage_dir::print_hex(&md5),
                storage_dir::print_hex(&wanted)
            )));
        }
        let image = kind(self.txid);
        let dirs = self.dirs;
        let md5_line = storage_dir::print_md5(&md5, &image.name());
        self.files.retain(|target| {
            let finished = || -> Result<()> {
                fsync_file(&target.file, &target.path)?;
                let md5_file = target.path.with_file_name(image.md5_name());
                write_file_atomic(&md5_file, md5_line.as_bytes())?;
                Ok(rename_durable(&target.path, &target.path.with_file_name(image.name()))?)
            };
            finished().map_err(|error| dirs.drop_dir(target.dir, &error)).is_ok()
        });
        self.check_left()?;
        tracing::info!("received {} of {} bytes", image.name(), self.received);
        self.files.clear();
        Ok(())
    }

    fn check_left(&self) -> Result<()> {
        if self.files.is_empty() {
            return Err(Error::io("Unable to download to any storage directory"));
        }
        Ok(())
    }
}

impl Drop for ImageReceiver<'_> {
    fn drop(&mut self) {
        for target in &self.files {
            if let Err(error) = std::fs::remove_file(&target.path) {
                tracing::warn!("Deleting {} has failed: {error}", target.path.display());
            }
        }
    }
}
