//! `in_use.lock`: one process for each storage folder, Java's or ours.
//!
//! Java's `FileChannel.tryLock` takes a POSIX record lock, so this takes one too. Such locks hold between processes only,
//! and end when any descriptor of the file is closed; so this process also keeps a list of the folders that it locked.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.Storage.StorageDirectory.tryLock (3.5.0)

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::{DiskError, DiskResult};
use crate::host::host_name;

const FILE_NAME: &str = "in_use.lock";

/// Device and inode of the folders that this process holds.
static HELD: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// The lock of one storage folder, held until it is dropped.
#[derive(Debug)]
pub struct StorageLock {
    path: PathBuf,
    folder: (u64, u64),
    /// Its descriptor carries the lock.
    _file: File,
}

impl StorageLock {
    /// Locks a folder and writes `pid@host` into its lock file.
    ///
    /// # Errors
    /// `Locked` when someone holds it; else when the lock file cannot be made.
    pub fn acquire(root: &Path) -> DiskResult<Self> {
        let path = root.join(FILE_NAME);
        let failed = |operation, error| DiskError::io(operation, &path, error);
        let metadata = fs::metadata(root)
            .map_err(|error| DiskError::io("open storage folder", root, error))?;
        let folder = (metadata.dev(), metadata.ino());
        let mut held = HELD.lock();
        if held.contains(&folder) {
            // The file is not opened: closing it would end the lock that this process has.
            return Err(locked(root, owner()));
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed("create lock file", error))?;
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::AGAIN | Errno::ACCESS) => {
                let mut holder = String::new();
                // The name only helps the message; a lock file may be empty.
                let _ = file.read_to_string(&mut holder);
                return Err(locked(root, holder.lines().next().unwrap_or("?").to_owned()));
            }
            Err(error) => return Err(failed("lock", error.into())),
        }
        file.set_len(0).map_err(|error| failed("empty lock file", error))?;
        file.write_all(owner().as_bytes()).map_err(|error| failed("write lock file", error))?;
        held.insert(folder);
        tracing::info!("Lock on {} acquired by nodename {}", path.display(), owner());
        Ok(Self { path, folder, _file: file })
    }
}

impl Drop for StorageLock {
    fn drop(&mut self) {
        // Like Java's deleteOnExit; a leftover lock file without a lock stops nobody.
        let _ = fs::remove_file(&self.path);
        HELD.lock().remove(&self.folder);
    }
}

fn locked(root: &Path, holder: String) -> DiskError {
    DiskError::Locked { root: root.to_owned(), holder }
}

fn owner() -> String {
    format!("{}@{}", std::process::id(), host_name())
}
