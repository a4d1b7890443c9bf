//! The files and folders that the machine of `hdfs_datanode` works with, on a real disk.

use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hdfs_datanode::files::{BlockFile, FileName, Folders, NotSynced, Part, remove, used_bytes};
use hdfs_datanode::{Place, Replica};
use hdfs_rt::disk;
use hdfs_types::{BlockId, Error, Result};

use super::trash::{self, RollingUpgrade};
use super::upgrade::unlink_before_change;
use super::volume::{PoolDirs, Volume, io_error};

/// A file of a replica, as the machine sees it.
#[derive(Debug)]
pub(crate) struct DiskFile {
    /// The open file.
    pub file: File,
    /// Where it is, for messages.
    pub path: PathBuf,
    volume: Arc<Volume>,
    /// Changed since its last sync, as far as this handle knows.
    dirty: AtomicBool,
}

impl DiskFile {
    /// An open file on this volume.
    pub(crate) fn new(file: File, path: PathBuf, volume: &Arc<Volume>) -> Self {
        Self { file, path, volume: Arc::clone(volume), dirty: AtomicBool::new(true) }
    }

    /// Writes all slices one after the other, from `offset` on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write_slices(
        &self,
        mut slices: &mut [IoSlice<'_>],
        mut offset: u64,
    ) -> io::Result<()> {
        /// The system's limit of slices in one call.
        const MAX_SLICES: usize = 1_024;
        // Without those that are empty: to write nothing is no failure.
        IoSlice::advance_slices(&mut slices, 0);
        if slices.is_empty() {
            return Ok(());
        }
        self.dirty.store(true, Ordering::Relaxed);
        while !slices.is_empty() {
            let count = slices.len().min(MAX_SLICES);
            let written = rustix::io::pwritev(self.file.as_fd(), &slices[..count], offset)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            offset += written as u64;
            IoSlice::advance_slices(&mut slices, written);
        }
        Ok(())
    }
}

impl BlockFile for DiskFile {
    fn length(&self) -> Result<u64> {
        let found = self.file.metadata().map_err(|error| io_error("look at", &self.path, error))?;
        Ok(found.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        FileExt::read_at(&self.file, buffer, at)
            .map_err(|error| io_error("read", &self.path, error))
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> Result<()> {
        self.dirty.store(true, Ordering::Relaxed);
        self.file.write_all_at(bytes, at).map_err(|error| io_error("write", &self.path, error))
    }

    fn cut(&self, length: u64) -> Result<()> {
        self.dirty.store(true, Ordering::Relaxed);
        self.file.set_len(length).map_err(|error| io_error("truncate", &self.path, error))
    }

    fn sync(&self) -> Result<(), NotSynced> {
        self.volume.usable().map_err(NotSynced)?;
        // One writer at a time changes and syncs a file. Syncing it again without a change would cost a flush of the disk.
        if !self.dirty.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let synced = self.file.sync_data();
        synced.map_err(|error| self.volume.not_synced(io_error("sync", &self.path, error)))
    }

    fn forget_cached(&self) {
        disk::forget_cached(&self.file);
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// The folders of one pool on one volume, and what it counts.
pub(crate) struct VolumeFolders {
    /// The names.
    pub dirs: PoolDirs,
    /// The volume.
    pub volume: Arc<Volume>,
    /// What the NameNode says about one.
    pub rolling_upgrade: Arc<RollingUpgrade>,
}

impl VolumeFolders {
    fn path(&self, name: &FileName) -> PathBuf {
        let (data, meta) = self.dirs.files(name.place, &name.block);
        match name.part {
            Part::Data => data,
            Part::Meta => meta,
        }
    }
}

impl Folders for VolumeFolders {
    type File = DiskFile;

    fn create(&self, name: &FileName) -> Result<DiskFile> {
        self.volume.usable()?;
        let path = self.path(name);
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|error| io_error("create", &path, error))?;
        Ok(DiskFile::new(file, path, &self.volume))
    }

    fn open_to_change(&self, name: &FileName) -> Result<DiskFile> {
        self.volume.usable()?;
        let path = self.path(name);
        // An upgrade may have linked the file to the state before.
        unlink_before_change(&path)?;
        let file = File::options().read(true).write(true).open(&path);
        let file = file.map_err(|error| io_error("open", &path, error))?;
        Ok(DiskFile::new(file, path, &self.volume))
    }

    fn length(&self, name: &FileName) -> Option<u64> {
        fs::metadata(self.path(name)).ok().map(|found| found.len())
    }

    fn rename(&self, from: &FileName, to: &FileName) -> Result<()> {
        let from = self.path(from);
        fs::rename(&from, self.path(to)).map_err(|error| io_error("move", &from, error))
    }

    fn copy(&self, from: &FileName, to: &FileName) -> Result<()> {
        let from = self.path(from);
        fs::copy(&from, self.path(to)).map_err(|error| io_error("copy", &from, error))?;
        Ok(())
    }

    fn remove(&self, name: &FileName) -> Result<()> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(|error| io_error("remove", &path, error))
    }

    fn dispose(&self, replica: &Replica) {
        if !self.rolling_upgrade.runs() {
            return remove(self, replica);
        }
        let used = used_bytes(self, replica.place, replica.block);
        match trash::put_away(&self.dirs.root, replica) {
            Ok(false) => remove(self, replica),
            Ok(true) if replica.place == Place::Finalized => self.add_used(-used.cast_signed()),
            Ok(true) => {}
            Err(error) => self.note("move a replica to the trash; it stays where it is", &error),
        }
    }

    fn make_finalized_folder(&self, id: BlockId) -> Result<()> {
        self.dirs.make_finalized_dir(id).map(|_| ())
    }

    fn sync_folder(&self, place: Place, id: BlockId) -> Result<(), NotSynced> {
        let folder = self.dirs.dir(place, id);
        self.volume.usable().map_err(NotSynced)?;
        disk::fsync_dir(&folder).map_err(|error| self.volume.not_synced(error.into()))
    }

    fn add_used(&self, bytes: i64) {
        self.volume.add_used(bytes);
    }

    fn note(&self, what: &str, error: &Error) {
        tracing::warn!(volume = %self.volume.root.display(), %error, "{what}");
    }
}
