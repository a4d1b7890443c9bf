//! The trash of a rolling upgrade: blocks that are deleted while it runs are kept, so that the namespace of before finds them
//! again.
//!
//! ```text
//! <volume>/current/<pool>/trash/finalized/subdirX/subdirY/blk_…   what was deleted from current/finalized/subdirX/subdirY
//! <volume>/current/<pool>/RollingUpgradeInProgress                there while the NameNode says so
//! ```
//! `datanode -rollback` puts the trash back; the end of the upgrade empties it. While the state before an upgrade of the
//! layout is kept in `previous`, that has the blocks, and there is no trash.
//!
//! **Invariant:** the trash is emptied only after the active NameNode said that the rolling upgrade is final.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockPoolSliceStorage (3.5.0)

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hdfs_datanode::{Place, Replica, layout};
use hdfs_format::storage_dir::CURRENT;
use hdfs_format::storage_dir::state::PREVIOUS;
use hdfs_proto::hdfs::RollingUpgradeStatusProto;
use hdfs_rt::disk::{create_dir_all_durable, fsync_dir};
use hdfs_types::{Error, ErrorKind, Result};

use super::dataset::{Dataset, Pool};
use super::upgrade;
use super::volume::io_error;
use crate::namenode::storage_state::delete_dir;

/// The folder of the trash, in that of a pool.
const TRASH: &str = "trash";
/// The file that says that a rolling upgrade runs.
const MARKER: &str = "RollingUpgradeInProgress";

/// What the NameNode last said about a rolling upgrade of one pool.
#[derive(Debug, Default)]
pub(crate) struct RollingUpgrade(AtomicU8);

const RUNS: u8 = 1;
const FINAL: u8 = 2;

impl RollingUpgrade {
    /// True while deleted blocks are kept.
    pub(crate) fn runs(&self) -> bool {
        self.0.load(Ordering::Acquire) == RUNS
    }

    /// True when this is news.
    fn hear(&self, runs: bool) -> bool {
        let state = if runs { RUNS } else { FINAL };
        self.0.swap(state, Ordering::AcqRel) != state
    }
}

impl Dataset {
    /// What the active NameNode says with every heartbeat. It says nothing when there is none: then everything stays as it
    /// is.
    pub(crate) fn set_rolling_upgrade(
        &self,
        pool: &Arc<Pool>,
        status: Option<&RollingUpgradeStatusProto>,
    ) {
        let Some(status) = status else { return };
        if status.block_pool_id != pool.id.as_str() {
            tracing::error!(
                "Invalid BlockPoolId {} in HeartbeatResponse. Expected {}",
                status.block_pool_id,
                pool.id
            );
            return;
        }
        let runs = status.finalized != Some(true);
        if !pool.rolling_upgrade.hear(runs) {
            return;
        }
        let pool_of = |root: &Path| root.join(CURRENT).join(pool.id.as_str());
        if runs {
            tracing::info!("Enabled trash for bpid {}", pool.id);
            for volume in self.volumes.iter().filter(|volume| !volume.has_failed()) {
                if let Err(error) = mark(&pool_of(&volume.root)) {
                    tracing::error!(%error, "mark a rolling upgrade");
                }
            }
            return;
        }
        tracing::info!("Cleared trash for bpid {}", pool.id);
        let (pool, volumes) = (Arc::clone(pool), Arc::clone(&self.volumes));
        let spawned = std::thread::Builder::new().name("trash".to_owned()).spawn(move || {
            for volume in volumes.iter().filter(|volume| !volume.has_failed()) {
                let root = volume.root.join(CURRENT).join(pool.id.as_str());
                if let Err(error) = end(&volume.root, &root, &pool) {
                    tracing::error!(%error, "empty the trash of a rolling upgrade");
                }
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "start a thread to empty the trash");
        }
    }
}

/// Says on disk that a rolling upgrade runs.
fn mark(pool_root: &Path) -> Result<()> {
    let path = pool_root.join(MARKER);
    match File::options().write(true).create_new(true).open(&path) {
        Ok(_) => Ok(fsync_dir(pool_root)?),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_error("create", &path, error)),
    }
}

/// The rolling upgrade is final: what it kept goes, and what an upgrade of the layout kept.
fn end(volume_root: &Path, pool_root: &Path, pool: &Pool) -> Result<()> {
    let (trash, marker) = (pool_root.join(TRASH), pool_root.join(MARKER));
    if trash.exists() {
        delete_dir(&trash)?;
        tracing::info!("Cleared trash for storage directory {}", pool_root.display());
    }
    if marker.exists() {
        upgrade::finalize(volume_root, &pool.id)?;
        fs::remove_file(&marker).map_err(|error| io_error("remove", &marker, error))?;
    }
    Ok(())
}

/// Moves a replica's files to the trash; `false` where there is none. The data goes first: checksums alone are no block.
///
/// # Errors
/// When a file cannot be moved; it stays where it is.
pub(crate) fn put_away(pool_root: &Path, replica: &Replica) -> Result<bool> {
    if pool_root.join(PREVIOUS).exists() {
        return Ok(false);
    }
    let place = match replica.place {
        Place::Finalized => {
            PathBuf::from("finalized").join(layout::finalized_subdir(replica.block.id))
        }
        Place::Rbw => PathBuf::from("rbw"),
        Place::Tmp => return Ok(false),
    };
    let to = pool_root.join(TRASH).join(&place);
    fs::create_dir_all(&to).map_err(|error| io_error("create folder", &to, error))?;
    let from = pool_root.join(CURRENT).join(place);
    let (data, meta) = layout::file_names(&replica.block);
    for name in [data, meta] {
        let from = from.join(&name);
        fs::rename(&from, to.join(name))
            .map_err(|error| io_error("move to trash", &from, error))?;
    }
    Ok(true)
}

/// Puts everything in the trash of a pool back; answers how many files. A file that is there, and not shorter, stays.
///
/// # Errors
/// When a file cannot be moved: another attempt goes on from there.
pub(crate) fn restore(pool_root: &Path) -> Result<usize> {
    let trash = pool_root.join(TRASH);
    if !trash.exists() {
        return Ok(0);
    }
    if pool_root.join(PREVIOUS).exists() {
        return Err(Error::new(
            ErrorKind::InconsistentFSState,
            format!(
                "Directory {} is in an inconsistent state: previous and trash should not both be present.",
                pool_root.display()
            ),
        ));
    }
    let restored = restore_folder(&trash, &pool_root.join(CURRENT))?;
    delete_dir(&trash)?;
    tracing::info!("Restored {restored} block files from trash.");
    Ok(restored)
}

fn restore_folder(from: &Path, to: &Path) -> Result<usize> {
    let fail = |error| io_error("read folder", from, error);
    let (mut restored, mut made) = (0, false);
    for entry in fs::read_dir(from).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kept = entry.metadata().map_err(fail)?;
        if kept.is_dir() {
            restored += restore_folder(&path, &target)?;
            continue;
        }
        if !std::mem::replace(&mut made, true) {
            create_dir_all_durable(to)?;
        }
        if fs::metadata(&target).is_ok_and(|there| there.len() >= kept.len()) {
            tracing::info!(
                "Not overwriting {} with smaller file from trash directory. This message can be safely ignored.",
                target.display()
            );
            continue;
        }
        fs::rename(&path, &target).map_err(|error| io_error("restore", &path, error))?;
        restored += 1;
    }
    if made {
        fsync_dir(to)?;
    }
    Ok(restored)
}

/// The rolling upgrade was taken back.
///
/// # Errors
/// When the mark cannot be removed.
pub(crate) fn unmark(pool_root: &Path) -> Result<()> {
    let marker = pool_root.join(MARKER);
    match fs::remove_file(&marker) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", &marker, error))
        }
        _ => Ok(()),
    }
}
