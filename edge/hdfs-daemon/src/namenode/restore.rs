//! Name folders that failed and are well again: used from the next segment on, when an administrator allows it
//! (`dfs.namenode.name.dir.restore`, `dfsadmin -restoreFailedStorage true`).
//!
//! What the folder holds of the segment that it failed in is set aside: no file that failed is ever continued. It has
//! every transaction from the new segment on, and a whole image after the next checkpoint.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NNStorage.attemptRestoreRemovedStorage (3.5.0)

use std::path::Path;

use hdfs_format::edits::EditsFile;
use hdfs_format::storage_dir::{NameNodeVersion, VERSION};
use hdfs_rt::disk::{StorageLock, create_dir_all_durable, rename_durable, write_file_atomic};
use hdfs_types::{Error, ErrorKind, Result};

use super::durable::{failed, with_suffix};
use super::storage::{NameDirs, check_root};

/// What a segment's file is called once it is set aside.
const SET_ASIDE: &str = ".stale";

impl NameDirs {
    /// Uses those dropped folders again that can be written, if that is allowed. The log thread calls it before it opens
    /// a segment: a folder may only join between two segments.
    pub(crate) fn attempt_restore(&self) {
        if !self.restores() {
            return;
        }
        for (index, dir) in self.all().iter().enumerate() {
            if self.is_live(index) {
                continue;
            }
            match self.make_usable(index) {
                Ok(()) => {
                    tracing::warn!("name folder {} is used again", dir.spec.root.display());
                    self.revive(index);
                }
                Err(error) => tracing::info!(
                    "name folder {} is not used again yet: {error}",
                    dir.spec.root.display()
                ),
            }
        }
    }

    fn make_usable(&self, index: usize) -> Result<()> {
        let dir = &self.all()[index];
        check_root(&dir.spec.root)?;
        // Another process may have taken it meanwhile, and another disk may be mounted there.
        self.relock(index, || Ok(StorageLock::acquire(&dir.spec.root)?))?;
        let current = dir.current();
        create_dir_all_durable(&current)?;
        let Some((_, live)) = self.live().next() else {
            return Err(Error::io("no folder is left that says what belongs there"));
        };
        adopt_version(&live.current(), &current)?;
        set_aside(&current)
    }
}

/// Writes the VERSION of a folder in use, unless one of another file system is there.
fn adopt_version(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.join(VERSION), to.join(VERSION));
    let ours = std::fs::read(&from).map_err(|error| failed("read", &from, error))?;
    match std::fs::read(&to) {
        Ok(found) => {
            let parse = |path: &Path, bytes: &[u8]| -> Result<NameNodeVersion> {
                Ok(NameNodeVersion::parse(&path.display().to_string(), bytes)?)
            };
            let (ours, found) = (parse(&from, &ours)?, parse(&to, &found)?);
            if (ours.namespace_id, &ours.cluster_id, &ours.block_pool)
                != (found.namespace_id, &found.cluster_id, &found.block_pool)
            {
                return Err(Error::new(
                    ErrorKind::InconsistentFSState,
                    format!("{} belongs to another file system", to.display()),
                ));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read", &to, error)),
    }
    // Written in any case: it shows that the folder takes writes.
    Ok(write_file_atomic(&to, &ours)?)
}

fn set_aside(current: &Path) -> Result<()> {
    let entries = std::fs::read_dir(current).map_err(|e| failed("read folder", current, e))?;
    for entry in entries {
        let path = entry.map_err(|e| failed("read folder", current, e))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(EditsFile::InProgress { .. }) = EditsFile::parse(name) {
            rename_durable(&path, &with_suffix(&path, SET_ASIDE))?;
        }
    }
    Ok(())
}
