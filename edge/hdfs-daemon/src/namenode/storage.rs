//! The name folders: where images and edits live, who holds them, and which of them still work.
//!
//! A folder that fails is dropped ("drop" is a mark, not a deletion): its files stay behind as they are, and the next
//! start takes the most advanced folder; `restore` may take it in again. `in_use.lock` keeps two NameNodes apart, of either
//! implementation.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NNStorage, org.apache.hadoop.hdfs.server.common.Storage (3.5.0)

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hdfs_rt::disk::StorageLock;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::durable::failed;

/// One folder, with its purposes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DirSpec {
    /// The folder; `current/` lies below it.
    pub(crate) root: PathBuf,
    /// Keeps images (`dfs.namenode.name.dir`).
    pub(crate) image: bool,
    /// Keeps edits (`dfs.namenode.edits.dir`).
    pub(crate) edits: bool,
    /// The NameNode stops when it is lost (`dfs.namenode.edits.dir.required`).
    pub(crate) required: bool,
}

/// A folder in use.
pub(crate) struct NameDir {
    pub(crate) spec: DirSpec,
    dropped: AtomicBool,
    /// Nanoseconds that syncs of the edit log took here.
    sync_nanos: AtomicU64,
}

impl NameDir {
    /// The folder of the files in use.
    pub(crate) fn current(&self) -> PathBuf {
        self.spec.root.join("current")
    }

    /// Time that syncs of the edit log took here.
    pub(crate) fn sync_time(&self) -> Duration {
        Duration::from_nanos(self.sync_nanos.load(Ordering::Relaxed))
    }
}

/// All folders of one NameNode.
pub(crate) struct NameDirs {
    dirs: Vec<NameDir>,
    /// `dfs.namenode.edits.dir.minimum`.
    minimum_edits: usize,
    /// Dropped folders that are well again are used again.
    restore: AtomicBool,
    /// By folder; held until the NameNode stops, whatever still refers to the folders.
    locks: Mutex<Vec<Option<StorageLock>>>,
}

impl NameDirs {
    /// Takes the folders and locks them.
    ///
    /// # Errors
    /// When one does not exist, can't be written, or is in use.
    pub(crate) fn lock(specs: &[DirSpec], minimum_edits: usize) -> Result<Self> {
        let (mut dirs, mut locks) = (Vec::new(), Vec::new());
        for spec in specs {
            check_root(&spec.root)?;
            locks.push(Some(StorageLock::acquire(&spec.root)?));
            dirs.push(NameDir {
                spec: spec.clone(),
                dropped: AtomicBool::new(false),
                sync_nanos: AtomicU64::new(0),
            });
        }
        if !dirs.iter().any(|dir| dir.spec.image) || !dirs.iter().any(|dir| dir.spec.edits) {
            return Err(Error::io("All specified directories are not accessible or do not exist."));
        }
        let restore = AtomicBool::new(false);
        Ok(Self { dirs, minimum_edits, restore, locks: Mutex::new(locks) })
    }

    /// Lets other processes have the folders: the last thing that a NameNode does.
    pub(crate) fn unlock(&self) {
        self.locks.lock().clear();
    }

    /// Allows or forbids the use of folders that failed and are well again.
    pub(crate) fn set_restore(&self, allowed: bool) {
        self.restore.store(allowed, Ordering::Release);
    }

    /// Are folders that failed used again when they are well?
    pub(crate) fn restores(&self) -> bool {
        self.restore.load(Ordering::Acquire)
    }

    /// Takes the lock of a dropped folder anew.
    pub(crate) fn relock(
        &self,
        index: usize,
        acquire: impl FnOnce() -> Result<StorageLock>,
    ) -> Result<()> {
        let mut locks = self.locks.lock();
        // The old one first: a process may not lock a folder twice.
        let Some(held) = locks.get_mut(index) else {
            return Err(Error::io("the NameNode is stopping"));
        };
        *held = None;
        *held = Some(acquire()?);
        Ok(())
    }

    /// Uses a dropped folder again.
    pub(crate) fn revive(&self, index: usize) {
        self.dirs[index].dropped.store(false, Ordering::Release);
    }

    /// Every folder, dropped or not.
    pub(crate) fn all(&self) -> &[NameDir] {
        &self.dirs
    }

    /// The folders in use.
    pub(crate) fn live(&self) -> impl Iterator<Item = (usize, &NameDir)> {
        self.dirs.iter().enumerate().filter(|(_, dir)| !dir.dropped.load(Ordering::Acquire))
    }

    /// The folders in use that keep edits.
    pub(crate) fn live_edits(&self) -> impl Iterator<Item = (usize, &NameDir)> {
        self.live().filter(|(_, dir)| dir.spec.edits)
    }

    /// The folders in use that keep images.
    pub(crate) fn live_images(&self) -> impl Iterator<Item = (usize, &NameDir)> {
        self.live().filter(|(_, dir)| dir.spec.image)
    }

    /// True while this folder is in use.
    pub(crate) fn is_live(&self, index: usize) -> bool {
        !self.dirs[index].dropped.load(Ordering::Acquire)
    }

    /// A sync of the edit log in a folder took so long.
    pub(crate) fn note_sync(&self, index: usize, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.dirs[index].sync_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Stops using a folder; says so once.
    pub(crate) fn drop_dir(&self, index: usize, reason: &Error) {
        let dir = &self.dirs[index];
        if !dir.dropped.swap(true, Ordering::AcqRel) {
            tracing::error!(
                "name folder {} is not used any more: {reason}. It stays as it is; repair it, then restart the NameNode or run \
                 `hdfs dfsadmin -restoreFailedStorage true`",
                dir.spec.root.display()
            );
        }
    }

    /// Checks that enough folders for edits are left.
    pub(crate) fn check_edits(&self) -> Result<()> {
        if let Some((_, dir)) = self.dropped().find(|(_, dir)| dir.spec.edits && dir.spec.required)
        {
            return Err(Error::io(format!(
                "the required folder {} (dfs.namenode.edits.dir.required) is lost",
                dir.spec.root.display()
            )));
        }
        let left = self.live_edits().count();
        let wanted = self.minimum_edits.max(1);
        if left < wanted {
            return Err(Error::io(format!(
                "{left} folders for edits are left, and dfs.namenode.edits.dir.minimum is {wanted}"
            )));
        }
        Ok(())
    }

    fn dropped(&self) -> impl Iterator<Item = (usize, &NameDir)> {
        self.dirs.iter().enumerate().filter(|(_, dir)| dir.dropped.load(Ordering::Acquire))
    }
}

/// True when `current/` holds anything: what a format would destroy.
pub(crate) fn has_some_data(root: &Path) -> Result<bool> {
    let current = root.join("current");
    match std::fs::read_dir(&current) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("read", &current, error)),
    }
}

/// A folder contradicts itself.
pub(crate) fn inconsistent(root: &Path, text: &str) -> Error {
    Error::new(
        ErrorKind::InconsistentFSState,
        format!("Directory {} is in an inconsistent state: {text}", root.display()),
    )
}

/// Checks that a folder is there and may be read and written.
pub(crate) fn check_root(root: &Path) -> Result<()> {
    let advice = "Check dfs.namenode.name.dir and dfs.namenode.edits.dir; a new cluster is made by `hdfs namenode \
                  -format`.";
    let metadata = match std::fs::metadata(root) {
        Ok(metadata) => metadata,
        Err(error) => {
            let text = format!(
                "storage directory does not exist or is not accessible. ({error}) {advice}"
            );
            return Err(inconsistent(root, &text));
        }
    };
    if !metadata.is_dir() {
        return Err(inconsistent(root, &format!("it is not a folder. {advice}")));
    }
    rustix::fs::access(root, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|error| {
            let text = format!(
                "storage directory does not exist or is not accessible. ({error}; the user that runs the NameNode must \
                 own it)"
            );
            inconsistent(root, &text)
        })
}
