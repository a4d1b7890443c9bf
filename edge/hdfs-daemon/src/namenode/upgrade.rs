//! Upgrade, rollback and finalize of the name folders.
//!
//! ```text
//! upgrade   in each folder: current -> previous.tmp; a new current with links to its edits
//!           the image into every new current
//!           in each folder: VERSION; then, in each: previous.tmp -> previous
//! rollback  in each folder: current -> removed.tmp; then previous -> current; then removed.tmp is deleted
//! finalize  in each folder: previous -> finalized.tmp, which is deleted
//! ```
//! What a crash leaves of it, [`recover_all`] puts right at the next start: all folders have the old state then, or all
//! have the new one.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NNUpgradeUtil, FSImage} (3.5.0)

use std::path::Path;

use hdfs_conf::Configuration;
use hdfs_format::edits::EditsFile;
use hdfs_format::storage_dir::state::{
    FINALIZED_TMP, PREVIOUS, PREVIOUS_TMP, REMOVED_TMP, StorageState,
};
use hdfs_format::storage_dir::{CURRENT, NameNodeVersion, SEEN_TXID, VERSION};
use hdfs_rt::disk::{create_dir_all_durable, fsync_dir, rename_durable, write_file_atomic};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, Result};

use super::conf;
use super::durable::{failed, with_suffix};
use super::storage::{NameDirs, inconsistent};
use super::storage_state::{self, BeforeStep, delete_dir};

/// True when no folder keeps the state before an upgrade.
pub(crate) fn is_finalized(dirs: &NameDirs) -> bool {
    !dirs.live().any(|(_, dir)| dir.spec.root.join(PREVIOUS).exists())
}

/// Refuses an upgrade while the state before another one is kept.
///
/// # Errors
/// `InconsistentFSState` then.
pub(crate) fn check_none_is_open(dirs: &NameDirs) -> Result<()> {
    match dirs.all().iter().find(|dir| dir.spec.root.join(PREVIOUS).exists()) {
        None => Ok(()),
        Some(dir) => Err(inconsistent(
            &dir.spec.root,
            "previous fs state should not exist during upgrade. Finalize or rollback first.",
        )),
    }
}

/// Moves the state of every folder aside, and links its edits into the new one.
///
/// # Errors
/// When a folder can't be changed: the upgrade ends, and the next start undoes it.
pub(crate) fn move_aside(dirs: &NameDirs, before: BeforeStep<'_>) -> Result<()> {
    for (_, dir) in dirs.live() {
        let (root, current) = (&dir.spec.root, dir.current());
        tracing::info!("Starting upgrade of storage directory {}", root.display());
        let aside = root.join(PREVIOUS_TMP);
        before("current to previous.tmp")?;
        rename_durable(&current, &aside)?;
        before("new current")?;
        create_dir_all_durable(&current)?;
        let mode = std::fs::metadata(&aside).map_err(|e| failed("read the mode of", &aside, e))?;
        std::fs::set_permissions(&current, mode.permissions())
            .map_err(|e| failed("set the mode of", &current, e))?;
        before("links to edits")?;
        link_edits(&aside, &current)?;
    }
    Ok(())
}

fn link_edits(from: &Path, to: &Path) -> Result<()> {
    let entries = std::fs::read_dir(from).map_err(|e| failed("read folder", from, e))?;
    for entry in entries {
        let path = entry.map_err(|e| failed("read folder", from, e))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if EditsFile::parse(name).is_some() {
            let link = to.join(name);
            std::fs::hard_link(&path, &link).map_err(|e| failed("link", &link, e))?;
        } else if name == SEEN_TXID {
            // It is replaced, not changed, but a copy is safe whoever writes it next.
            let seen = std::fs::read(&path).map_err(|e| failed("read", &path, e))?;
            write_file_atomic(&to.join(name), &seen)?;
        }
    }
    Ok(fsync_dir(to)?)
}

/// Ends an upgrade whose image is in every folder.
///
/// # Errors
/// When a folder can't be changed; the next start completes those that have their VERSION, and undoes the others.
pub(crate) fn complete(
    dirs: &NameDirs,
    version: &NameNodeVersion,
    before: BeforeStep<'_>,
) -> Result<()> {
    let text = version.print(hdfs_rt::clock::wall());
    for (_, dir) in dirs.live() {
        tracing::info!("Performing upgrade of storage directory {}", dir.spec.root.display());
        before("VERSION")?;
        write_file_atomic(&dir.current().join(VERSION), text.as_bytes())?;
    }
    for (_, dir) in dirs.live() {
        let root = &dir.spec.root;
        before("previous.tmp to previous")?;
        rename_durable(&root.join(PREVIOUS_TMP), &root.join(PREVIOUS))?;
    }
    Ok(())
}

/// Deletes the state before an upgrade.
///
/// # Errors
/// When a folder can't be changed; what is left is deleted at the next start.
pub(crate) fn finalize(dirs: &NameDirs, before: BeforeStep<'_>) -> Result<()> {
    for (_, dir) in dirs.live() {
        let root = &dir.spec.root;
        let previous = root.join(PREVIOUS);
        if !previous.exists() {
            tracing::info!("Finalize upgrade for {} is not required.", root.display());
            continue;
        }
        tracing::info!("Finalizing upgrade of storage directory {}", root.display());
        before("previous to finalized.tmp")?;
        rename_durable(&previous, &root.join(FINALIZED_TMP))?;
        before("delete finalized.tmp")?;
        delete_dir(&root.join(FINALIZED_TMP))?;
        tracing::info!("Finalize upgrade for {} is complete.", root.display());
    }
    Ok(())
}

/// `hdfs namenode -rollback`: goes back to the state before the last upgrade. The NameNode must be down.
///
/// # Errors
/// When no folder has that state, it is of another layout, or a folder is in use or can't be changed.
pub fn rollback(configuration: &Configuration) -> Result<()> {
    let dirs = NameDirs::lock(&conf::dir_specs(configuration)?, 1)?;
    roll_back(&dirs, &mut |_| Ok(()))
}

/// The same, on folders that are locked.
pub(crate) fn roll_back(dirs: &NameDirs, before: BeforeStep<'_>) -> Result<()> {
    recover_all(dirs)?;
    let (mut any, mut image) = (false, false);
    for (_, dir) in dirs.live() {
        let can = can_roll_back(&dir.spec.root)?;
        any |= can;
        image |= can && dir.spec.image;
    }
    if !any {
        return Err(Error::io(
            "Cannot rollback. None of the storage directories contain previous fs state.",
        ));
    }
    if !image {
        return Err(Error::io(
            "Cannot rollback. Only folders for edits contain previous fs state, and none of dfs.namenode.name.dir does.",
        ));
    }
    // Differs: a folder that joined after the upgrade has only what is rolled back. Hadoop leaves that in place, and the
    // next start would take it for the newest state. It is filled again at the next start. These come first: from a state
    // in between, the next start must find the upgrade as it was.
    for (_, dir) in dirs.live() {
        let (root, current) = (&dir.spec.root, dir.current());
        if !root.join(PREVIOUS).exists() && current.exists() {
            tracing::warn!("{} has no previous state: it is emptied", root.display());
            let aside = with_suffix(&current, ".tmp");
            delete_dir(&aside)?;
            before("current without previous to current.tmp")?;
            rename_durable(&current, &aside)?;
            before("delete current.tmp")?;
            delete_dir(&aside)?;
        }
    }
    let kept: Vec<_> = dirs
        .live()
        .map(|(_, dir)| &dir.spec.root)
        .filter(|root| root.join(PREVIOUS).exists())
        .collect();
    for root in &kept {
        before("current to removed.tmp")?;
        rename_durable(&root.join(CURRENT), &root.join(REMOVED_TMP))?;
    }
    for root in &kept {
        before("previous to current")?;
        rename_durable(&root.join(PREVIOUS), &root.join(CURRENT))?;
    }
    for root in &kept {
        before("delete removed.tmp")?;
        delete_dir(&root.join(REMOVED_TMP))?;
        tracing::info!("Rollback of {} is complete.", root.display());
    }
    Ok(())
}

fn can_roll_back(root: &Path) -> Result<bool> {
    let previous = root.join(PREVIOUS);
    if !previous.exists() {
        tracing::info!("Storage directory {} does not contain previous fs state.", root.display());
        return Ok(false);
    }
    let version = previous.join(VERSION);
    let bytes = std::fs::read(&version).map_err(|e| failed("read", &version, e))?;
    let layout = NameNodeVersion::parse(&version.display().to_string(), &bytes)?.layout_version;
    if layout != NAMENODE_LAYOUT_VERSION {
        return Err(Error::io(format!(
            "Cannot rollback to storage version {layout} using this version of the NameNode, which uses storage version \
             {NAMENODE_LAYOUT_VERSION}. Please use the previous version of HDFS to perform the rollback."
        )));
    }
    tracing::info!("Can perform rollback for {}", root.display());
    Ok(true)
}

/// `hdfs namenode -metadataVersion`: the layout of the first name folder, and that of this software.
///
/// # Errors
/// When the folder has no VERSION.
pub fn metadata_version(configuration: &Configuration) -> Result<(i32, i32)> {
    let specs = conf::dir_specs(configuration)?;
    let Some(spec) = specs.first() else {
        return Err(Error::io("dfs.namenode.name.dir names no folder"));
    };
    let version = spec.root.join(CURRENT).join(VERSION);
    let bytes = std::fs::read(&version).map_err(|e| failed("read", &version, e))?;
    let layout = NameNodeVersion::parse(&version.display().to_string(), &bytes)?.layout_version;
    Ok((layout, NAMENODE_LAYOUT_VERSION))
}

/// Looks into every folder, puts what was interrupted to an end, and tells which are formatted.
///
/// What several folders were in the middle of is done in all of them, or in none. Each transition first brings all folders
/// to one point, then all to the next; so the states found tell how far it was:
///
/// - some folders have the VERSION of an upgrade, some do not: it is undone, in those that have it first, since the others
///   tell that it must be;
/// - some folders are rolled back, some are not yet: they are, before what tells of it is deleted in the others.
pub(crate) fn recover_all(dirs: &NameDirs) -> Result<Vec<StorageState>> {
    let roots: Vec<_> = dirs.all().iter().map(|dir| dir.spec.root.as_path()).collect();
    let states: Vec<_> =
        roots.iter().map(|root| storage_state::found(root)).collect::<Result<_>>()?;
    let any = |state| states.contains(&state);
    if any(StorageState::CompleteUpgrade) && any(StorageState::RecoverUpgrade) {
        for (root, _) in of_state(&roots, &states, StorageState::CompleteUpgrade) {
            storage_state::put_right(root, StorageState::RecoverUpgrade)?;
        }
    }
    if any(StorageState::CompleteRollback) {
        for (root, _) in of_state(&roots, &states, StorageState::RecoverRollback) {
            rename_durable(&root.join(PREVIOUS), &root.join(CURRENT))?;
        }
    }
    for root in &roots {
        storage_state::recover(root)?;
    }
    Ok(states)
}

fn of_state<'a>(
    roots: &'a [&'a Path],
    states: &'a [StorageState],
    wanted: StorageState,
) -> impl Iterator<Item = (&'a Path, StorageState)> {
    let all = roots.iter().copied().zip(states.iter().copied());
    all.filter(move |(_, state)| *state == wanted)
}

#[cfg(test)]
mod tests;
