//! Durable changes of the local disk. Each helper names its order of steps; after it returns, a power cut keeps the change.
//!
//! **Invariants:** a rename is made durable by syncing the folder that holds the new name; a new file by syncing the file,
//! then its folder. A failed fsync is never retried: the kernel may have dropped the pages it could not write, and a
//! second call would succeed over a hole. It comes back as [`DiskError::SyncFailed`], and the caller gives the folder up.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use hdfs_types::{Error, ErrorKind};

use crate::os;

mod direct;
mod lock;
#[cfg(test)]
mod tests;

pub use direct::{DirectBuffer, DirectFile};
pub use lock::StorageLock;

/// A failure of the local disk.
#[derive(Debug)]
pub enum DiskError {
    /// An operation failed; the state before it is still there.
    Io {
        /// What was tried: `create`, `rename to …`.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Bytes could not be made durable. What the disk holds is not known: stop using this folder, and never sync again
    /// in the hope that it works.
    SyncFailed {
        /// What was synced.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process, or another role of this process, uses the folder.
    Locked {
        /// The folder.
        root: PathBuf,
        /// What the lock file says about its holder: `pid@host`.
        holder: String,
    },
}

impl DiskError {
    fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { operation, path: path.to_owned(), source }
    }

    fn sync(path: &Path, source: io::Error) -> Self {
        Self::SyncFailed { path: path.to_owned(), source }
    }

    /// What the operator can do.
    fn remedy(source: &io::Error) -> &'static str {
        match source.kind() {
            io::ErrorKind::NotFound => "check that the folder exists and is mounted",
            io::ErrorKind::PermissionDenied => "give this user access to it",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free space on this volume or configure another one"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "the volume is read-only: look into the kernel's log for its errors, then remount it"
            }
            _ => "look into the kernel's log for errors of this volume",
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { operation, path, source } => {
                write!(f, "{operation} {}: {source}; {}", path.display(), Self::remedy(source))
            }
            Self::SyncFailed { path, source } => write!(
                f,
                "fsync {}: {source}; its newest bytes may be lost, so it is not used any more: \
                 check the volume before you start again",
                path.display()
            ),
            Self::Locked { root, holder } => write!(
                f,
                "Cannot lock storage {}. The directory is already locked by {holder}: stop that \
                 process or configure another folder",
                root.display()
            ),
        }
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::SyncFailed { source, .. } => Some(source),
            Self::Locked { .. } => None,
        }
    }
}

impl From<DiskError> for Error {
    fn from(error: DiskError) -> Self {
        let kind = match &error {
            DiskError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::FileNotFound
            }
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}

/// The result of a durable change.
pub type DiskResult<T> = Result<T, DiskError>;

/// Makes a file's bytes and metadata durable.
///
/// # Errors
/// `SyncFailed`.
pub fn fsync_file(file: &File, path: &Path) -> DiskResult<()> {
    file.sync_all().map_err(|error| DiskError::sync(path, error))
}

/// Makes a file's bytes durable, and its length.
///
/// # Errors
/// `SyncFailed`.
pub fn fdatasync_file(file: &File, path: &Path) -> DiskResult<()> {
    file.sync_data().map_err(|error| DiskError::sync(path, error))
}

/// Starts to write a range of a file to the disk, so that a later sync has less to wait for. Makes nothing durable by
/// itself: what goes wrong is told by that sync. A length of 0 means up to the end.
pub fn start_writeback(file: &File, offset: u64, length: u64) {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let started = os::start_writeback(file.as_fd(), signed(offset), signed(length));
    if let Err(error) = started {
        tracing::debug!(%error, "start writeback");
    }
}

/// What is read of this file from now on comes from the disk, except what was changed and not written yet. After a sync that
/// failed in another process, memory and disk may differ.
pub fn forget_cached(file: &File) {
    if let Err(error) = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed) {
        tracing::debug!(%error, "forget cached pages");
    }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// When the folder cannot be opened; `SyncFailed`.
pub fn fsync_dir(path: &Path) -> DiskResult<()> {
    let folder = File::open(path).map_err(|error| DiskError::io("open", path, error))?;
    folder.sync_all().map_err(|error| DiskError::sync(path, error))
}

fn fsync_parent(path: &Path) -> DiskResult<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fsync_dir(parent),
        _ => fsync_dir(Path::new(".")),
    }
}

/// Creates a folder and those above it, each made durable in the one that holds it.
///
/// # Errors
/// When one cannot be created; `SyncFailed`.
pub fn create_dir_all_durable(path: &Path) -> DiskResult<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dir_all_durable(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => fsync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(DiskError::io("create folder", path, error)),
    }
}

/// Renames inside one file system: rename, sync the new folder, then the old one when it is another.
///
/// # Errors
/// When the rename fails; `SyncFailed`.
pub fn rename_durable(from: &Path, to: &Path) -> DiskResult<()> {
    fs::rename(from, to).map_err(|error| DiskError::io("rename", from, error))?;
    fsync_parent(to)?;
    if from.parent() == to.parent() { Ok(()) } else { fsync_parent(from) }
}

/// Removes a file, if it is there: remove, sync the folder.
///
/// # Errors
/// When the removal fails; `SyncFailed`.
pub fn remove_file_durable(path: &Path) -> DiskResult<()> {
    match fs::remove_file(path) {
        Ok(()) => fsync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DiskError::io("remove", path, error)),
    }
}

/// Replaces a file at once: the old content or the new one is there at any moment, never a part.
///
/// # Errors
/// As [`AtomicFile`].
pub fn write_file_atomic(path: &Path, content: &[u8]) -> DiskResult<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(content).map_err(|error| DiskError::io("write", file.temp_path(), error))?;
    file.commit()
}

/// A file under construction beside its final name (`<name>.tmp`, as Hadoop's `AtomicFileOutputStream`).
///
/// [`Self::commit`]: sync the file, rename it, sync the folder. Dropped without it, the temporary file is removed.
#[derive(Debug)]
pub struct AtomicFile {
    file: Option<File>,
    temp: PathBuf,
    path: PathBuf,
}

impl AtomicFile {
    /// Creates or empties the temporary file.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> DiskResult<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let temp = path.with_file_name(name);
        let opened = OpenOptions::new().write(true).create(true).truncate(true).open(&temp);
        let file = opened.map_err(|error| DiskError::io("create", &temp, error))?;
        Ok(Self { file: Some(file), temp, path: path.to_owned() })
    }

    /// Where the bytes are until [`Self::commit`].
    pub fn temp_path(&self) -> &Path {
        &self.temp
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// `SyncFailed`, or when the rename fails; the old file, if there was one, is then still there.
    pub fn commit(mut self) -> DiskResult<()> {
        let file = self.file.take().expect("the file is open until it is committed");
        // When this fails the temporary file stays: nothing more may be asked of this volume.
        fsync_file(&file, &self.temp)?;
        drop(file);
        rename_durable(&self.temp, &self.path)
    }

    fn file(&mut self) -> &mut File {
        self.file.as_mut().expect("the file is open until it is committed")
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl io::Seek for AtomicFile {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.file().seek(position)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // The next creation empties it if it is still there.
            let _ = fs::remove_file(&self.temp);
        }
    }
}

/// The room of a file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskSpace {
    /// All of it.
    pub capacity: u64,
    /// Not used by anyone.
    pub free: u64,
    /// What this process may still take.
    pub available: u64,
}

/// The room of the file system that holds a path.
///
/// # Errors
/// When the path is not there.
pub fn disk_space(path: &Path) -> DiskResult<DiskSpace> {
    let stat = rustix::fs::statvfs(path)
        .map_err(|error| DiskError::io("ask the free space of", path, error.into()))?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(DiskSpace {
        capacity: bytes(stat.f_blocks),
        free: bytes(stat.f_bfree),
        available: bytes(stat.f_bavail),
    })
}
