//! What interrupted upgrades, rollbacks and checkpoints left in a folder, and the steps that finish or undo them.
//!
//! **Invariant:** every step is one rename, made durable, or the deletion of a folder that was renamed away before; so
//! a crash between any two leaves a state that [`recover`] knows.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.Storage.StorageDirectory.doRecover (3.5.0)

use std::io;
use std::path::Path;

use hdfs_format::storage_dir::state::{
    FINALIZED_TMP, LAST_CHECKPOINT_TMP, PREVIOUS, PREVIOUS_CHECKPOINT, PREVIOUS_TMP, Present,
    REMOVED_TMP, StorageState,
};
use hdfs_format::storage_dir::{CURRENT, VERSION};
use hdfs_rt::disk::{fsync_dir, rename_durable};
use hdfs_types::Result;

use super::durable::{failed, with_suffix};
use super::storage::inconsistent;

/// Called before each step with its name; an error stops there, as a crash would.
pub(crate) type BeforeStep<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

/// Looks into a folder and puts what was interrupted to an end. The state that was found.
///
/// # Errors
/// When the folder contradicts itself, or can't be changed.
pub(crate) fn recover(root: &Path) -> Result<StorageState> {
    let state = found(root)?;
    put_right(root, state)?;
    Ok(state)
}

/// The state that a folder is in.
///
/// # Errors
/// When the folder contradicts itself.
pub(crate) fn found(root: &Path) -> Result<StorageState> {
    StorageState::of(present(root)?).map_err(|text| inconsistent(root, text))
}

/// Does what a state asks for.
///
/// # Errors
/// When the folder can't be changed.
pub(crate) fn put_right(root: &Path, state: StorageState) -> Result<()> {
    let of = |name: &str| root.join(name);
    let (name, current) = (root.display(), of(CURRENT));
    match state {
        StorageState::NotFormatted | StorageState::Normal => {}
        StorageState::CompleteUpgrade => {
            tracing::info!("Completing previous upgrade for storage directory {name}");
            rename_durable(&of(PREVIOUS_TMP), &of(PREVIOUS))?;
        }
        StorageState::RecoverUpgrade => {
            tracing::info!("Recovering storage directory {name} from previous upgrade");
            put_back(&of(PREVIOUS_TMP), &current)?;
        }
        StorageState::CompleteRollback => {
            tracing::info!("Completing previous rollback for storage directory {name}");
            delete_dir(&of(REMOVED_TMP))?;
        }
        StorageState::RecoverRollback => {
            tracing::info!("Recovering storage directory {name} from previous rollback");
            put_back(&of(REMOVED_TMP), &current)?;
        }
        StorageState::CompleteFinalize => {
            tracing::info!("Completing previous finalize for storage directory {name}");
            delete_dir(&of(FINALIZED_TMP))?;
        }
        StorageState::CompleteCheckpoint => {
            tracing::info!("Completing previous checkpoint for storage directory {name}");
            put_back(&of(LAST_CHECKPOINT_TMP), &of(PREVIOUS_CHECKPOINT))?;
        }
        StorageState::RecoverCheckpoint => {
            tracing::info!("Recovering storage directory {name} from failed checkpoint");
            put_back(&of(LAST_CHECKPOINT_TMP), &current)?;
        }
    }
    Ok(())
}

fn present(root: &Path) -> Result<Present> {
    let has = |path: &Path| match path.try_exists() {
        Ok(there) => Ok(there),
        Err(error) => Err(failed("look for", path, error)),
    };
    Ok(Present {
        version: has(&root.join(CURRENT).join(VERSION))?,
        previous: has(&root.join(PREVIOUS))?,
        previous_tmp: has(&root.join(PREVIOUS_TMP))?,
        removed_tmp: has(&root.join(REMOVED_TMP))?,
        finalized_tmp: has(&root.join(FINALIZED_TMP))?,
        last_checkpoint_tmp: has(&root.join(LAST_CHECKPOINT_TMP))?,
    })
}

/// Gives a folder its name back, in place of what is there now.
fn put_back(from: &Path, to: &Path) -> Result<()> {
    // Out of the way first: a rename replaces no folder that holds something.
    let aside = with_suffix(to, ".tmp");
    if to.exists() {
        delete_dir(&aside)?;
        rename_durable(to, &aside)?;
    }
    rename_durable(from, to)?;
    delete_dir(&aside)
}

/// Deletes a folder with all that is in it, if it is there.
pub(crate) fn delete_dir(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("remove folder", path, error)),
    }
    match path.parent() {
        Some(parent) => Ok(fsync_dir(parent)?),
        None => Ok(()),
    }
}
