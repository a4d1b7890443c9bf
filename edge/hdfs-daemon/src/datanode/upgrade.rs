//! Folders of older layouts, made into ones of today: blocks are linked, so that the old folders stay as they were in
//! `previous` until the upgrade is finalized.
//!
//! ```text
//! before federation (before -35)  <volume>/current -> previous.tmp; a new current with one block pool; then VERSION;
//!                                 then previous.tmp -> previous
//! -35 to -56                      <volume>/current/VERSION in place, and the same in each <volume>/current/<pool>
//! the namespace was upgraded      the same in each <volume>/current/<pool>, whose cTime is older than the NameNode's
//! rollback                        current -> removed.tmp, previous -> current; removed.tmp is deleted
//! finalize                        previous -> finalized.tmp, which is deleted
//! ```
//! Folders named after parts of the block id came with -57 as they are (before, any folder named `subdir…` held blocks),
//! those of blocks that are being written with -20.
//!
//! **Invariant:** VERSION is written when every link is durable: whatever step it was stopped at, the next start
//! completes or undoes it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DataStorage, BlockPoolSliceStorage} (3.5.0)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hdfs_datanode::layout::{self, FileKind};
use hdfs_format::layout_version::{Feature, Layout, OLDEST_UPGRADABLE_LAYOUT};
use hdfs_format::storage_dir::state::{FINALIZED_TMP, PREVIOUS, PREVIOUS_TMP, REMOVED_TMP};
use hdfs_format::storage_dir::{BlockPoolVersion, CURRENT, DataNodeVersion, VERSION};
use hdfs_rt::clock;
use hdfs_rt::disk::{self, AtomicFile, create_dir_all_durable, rename_durable, write_file_atomic};
use hdfs_types::constants::DATANODE_LAYOUT_VERSION;
use hdfs_types::{BlockPoolId, Error, ErrorKind, Result, WallMillis};

use super::trash;
use super::volume::io_error;
use crate::namenode::storage_state::{self, delete_dir};

const FINALIZED: &str = "finalized";
const RBW: &str = "rbw";
/// Where releases before -20 copied blocks to that were linked and about to change.
const DETACHED: &str = "detach";
/// Where they had blocks that were being written.
const BLOCKS_BEING_WRITTEN: &str = "blocksBeingWritten";
const BLOCK_PREFIX: &str = "blk_";
const SUBDIR_PREFIX: &str = "subdir";

/// How a DataNode starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StartOption {
    /// As usual.
    #[default]
    Regular,
    /// `-rollback`: the state before an upgrade, or the blocks that a rolling upgrade kept, come back.
    Rollback,
}

/// Refuses layouts that are newer, or older than what can be upgraded.
///
/// # Errors
/// `IncorrectVersion` then.
pub(crate) fn check_layout(folder: &Path, layout: i32) -> Result<()> {
    // The oldest folders are upgraded as -7 once was; Hadoop draws the line at the same layout as for the NameNode.
    if (DATANODE_LAYOUT_VERSION..=OLDEST_UPGRADABLE_LAYOUT).contains(&layout) {
        return Ok(());
    }
    let folder = folder.display();
    Err(Error::new(
        ErrorKind::IncorrectVersion,
        format!(
            "Unexpected version of storage directory {folder}. Reported: {layout}. Expecting = {DATANODE_LAYOUT_VERSION}."
        ),
    ))
}

/// Did folders of this layout know block pools?
pub(crate) fn has_pools(layout: i32) -> bool {
    Layout::of(layout).supports(Feature::Federation)
}

/// Upgrades a volume of before federation: all of its blocks are of this pool. `new` becomes its VERSION.
///
/// # Errors
/// When it is of another namespace, or cannot be changed; the next start undoes what was done.
pub(crate) fn before_federation(
    root: &Path,
    old: &DataNodeVersion,
    new: &DataNodeVersion,
    pool: &BlockPoolVersion,
) -> Result<()> {
    if let Some(found) = old.namespace_id.filter(|found| *found != pool.namespace_id) {
        return Err(Error::io(format!(
            "Incompatible namespaceIDs in {}: namenode namespaceID = {}; datanode namespaceID = {}",
            root.display(),
            pool.namespace_id.cast_signed(),
            found.cast_signed()
        )));
    }
    let (current, aside) = (root.join(CURRENT), root.join(PREVIOUS_TMP));
    let has_rbw = Layout::of(old.layout_version).supports(Feature::AppendRbwDir);
    if !has_rbw {
        remove_detached(&current.join(DETACHED))?;
    }
    announce(root, old.layout_version);
    delete_dir(&root.join(PREVIOUS))?;
    rename_durable(&current, &aside)?;
    let pool_current = current.join(pool.block_pool.as_str()).join(CURRENT);
    let (finalized, rbw) = (pool_current.join(FINALIZED), pool_current.join(RBW));
    if has_rbw {
        link_by_id(&aside.join(FINALIZED), &finalized)?;
        link_flat(&aside.join(RBW), &rbw)?;
    } else {
        link_by_id(&aside, &finalized)?;
        link_flat(&root.join(BLOCKS_BEING_WRITTEN), &rbw)?;
    }
    let now = clock::wall();
    write_file_atomic(&pool_current.join(VERSION), pool.print(now).as_bytes())?;
    write_file_atomic(&current.join(VERSION), new.print(now).as_bytes())?;
    rename_durable(&aside, &root.join(PREVIOUS))?;
    tracing::info!("Upgrade of {} is complete", root.display());
    Ok(())
}

/// Puts an interrupted upgrade of a pool's folder to an end, takes an upgrade back if that is asked for, and upgrades a
/// folder of an older layout, or of before an upgrade of the namespace.
///
/// # Errors
/// When it is of another namespace or a newer state, or cannot be changed; the next start undoes what was done.
pub(crate) fn pool(
    volume_root: &Path,
    wanted: &BlockPoolVersion,
    option: StartOption,
) -> Result<()> {
    let root = volume_root.join(CURRENT).join(wanted.block_pool.as_str());
    storage_state::recover(&root)?;
    if option == StartOption::Rollback {
        if !roll_back_pool(&root, wanted)? {
            trash::restore(&root)?;
        }
        trash::unmark(&root)?;
    }
    let current = root.join(CURRENT);
    let path = current.join(VERSION);
    let Some(found) = read_pool_version(&path)? else { return Ok(()) };
    let is_of_another =
        found.namespace_id != wanted.namespace_id || found.block_pool != wanted.block_pool;
    let is_current =
        found.layout_version == DATANODE_LAYOUT_VERSION && found.c_time == wanted.c_time;
    // Who opens the folder refuses it, or takes it as it is.
    if is_current || found.layout_version < DATANODE_LAYOUT_VERSION || is_of_another {
        return Ok(());
    }
    check_layout(&current, found.layout_version)?;
    let has_old_layout = found.layout_version > DATANODE_LAYOUT_VERSION;
    if !has_old_layout && found.c_time > wanted.c_time {
        return Err(Error::io(format!(
            "Datanode state: LV = {} CTime = {} is newer than the namespace state: LV = {DATANODE_LAYOUT_VERSION} CTime = \
             {}; if the namespace was rolled back, start with -rollback",
            found.layout_version, found.c_time.0, wanted.c_time.0
        )));
    }
    // Blocks that a rolling upgrade kept go to the state of before.
    trash::restore(&root)?;
    announce(&root, found.layout_version);
    let aside = root.join(PREVIOUS_TMP);
    delete_dir(&volume_root.join(PREVIOUS))?;
    delete_dir(&root.join(PREVIOUS))?;
    rename_durable(&current, &aside)?;
    link_by_id(&aside.join(FINALIZED), &current.join(FINALIZED))?;
    link_flat(&aside.join(RBW), &current.join(RBW))?;
    let new = BlockPoolVersion { layout_version: DATANODE_LAYOUT_VERSION, ..wanted.clone() };
    write_file_atomic(&path, new.print(clock::wall()).as_bytes())?;
    rename_durable(&aside, &root.join(PREVIOUS))?;
    tracing::info!("Upgrade of block pool {} at {} is complete", wanted.block_pool, root.display());
    Ok(())
}

fn read_pool_version(path: &Path) -> Result<Option<BlockPoolVersion>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(BlockPoolVersion::parse(&path.to_string_lossy(), &bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path, error)),
    }
}

/// Brings back the state of a pool before its upgrade; `false` when none was kept.
fn roll_back_pool(root: &Path, wanted: &BlockPoolVersion) -> Result<bool> {
    let Some(before) = read_pool_version(&root.join(PREVIOUS).join(VERSION))? else {
        return Ok(false);
    };
    check_rollback(root, (before.layout_version, before.c_time), wanted.c_time)?;
    roll_back(root)?;
    Ok(true)
}

/// Brings back the state of a volume before it knew block pools.
///
/// # Errors
/// When that is newer than the namespace, or cannot be changed.
pub(crate) fn roll_back_volume(root: &Path, pool: &BlockPoolVersion) -> Result<bool> {
    let path = root.join(PREVIOUS).join(VERSION);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io_error("read", &path, error)),
    };
    let before = DataNodeVersion::parse(&path.to_string_lossy(), &bytes)?;
    check_rollback(root, (before.layout_version, before.c_time), pool.c_time)?;
    roll_back(root)?;
    Ok(true)
}

fn check_rollback(root: &Path, before: (i32, WallMillis), namespace: WallMillis) -> Result<()> {
    let (layout, c_time) = before;
    if layout >= DATANODE_LAYOUT_VERSION && c_time <= namespace {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InconsistentFSState,
        format!(
            "Directory {} is in an inconsistent state: Cannot rollback to a newer state.\nDatanode previous state: LV = \
             {layout} CTime = {} is newer than the namespace state: LV = {DATANODE_LAYOUT_VERSION} CTime = {}",
            root.display(),
            c_time.0,
            namespace.0
        ),
    ))
}

fn roll_back(root: &Path) -> Result<()> {
    tracing::info!("Rolling back storage directory {}.", root.display());
    let (current, removed) = (root.join(CURRENT), root.join(REMOVED_TMP));
    rename_durable(&current, &removed)?;
    rename_durable(&root.join(PREVIOUS), &current)?;
    delete_dir(&removed)?;
    tracing::info!("Rollback of {} is complete", root.display());
    Ok(())
}

fn announce(root: &Path, old: i32) {
    tracing::info!(
        "Upgrading storage directory {}.\n   old LV = {old}; new LV = {DATANODE_LAYOUT_VERSION}",
        root.display()
    );
}

fn remove_detached(folder: &Path) -> Result<()> {
    let Ok(mut entries) = fs::read_dir(folder) else { return Ok(()) };
    if entries.next().is_some() {
        return Err(Error::io(format!(
            "Detached directory {} is not empty. Please manually move each file under this directory to the finalized \
             directory if the finalized directory tree does not have the file.",
            folder.display()
        )));
    }
    delete_dir(folder)
}

/// Deletes the state before an upgrade, of a volume and of one of its pools.
///
/// # Errors
/// When a folder can't be changed; what is left is deleted at the next start or finalization.
pub(crate) fn finalize(volume_root: &Path, pool: &BlockPoolId) -> Result<()> {
    let pool_root = volume_root.join(CURRENT).join(pool.as_str());
    let is_volume = volume_root.join(PREVIOUS).exists();
    for root in [volume_root, &pool_root] {
        let (previous, going) = (root.join(PREVIOUS), root.join(FINALIZED_TMP));
        if !previous.exists() && !going.exists() {
            continue;
        }
        tracing::info!("Finalizing upgrade for storage directory {}", root.display());
        if previous.exists() {
            rename_durable(&previous, &going)?;
        }
        delete_dir(&going)?;
        tracing::info!("Finalize upgrade for {} is complete", root.display());
    }
    if is_volume {
        delete_dir(&volume_root.join(BLOCKS_BEING_WRITTEN))?;
    }
    Ok(())
}

/// The files of one block in one folder.
#[derive(Default)]
struct Copy {
    names: Vec<String>,
    /// The newest generation stamp of a meta file.
    stamp: u64,
    /// Length of the block file.
    length: u64,
}

/// Links every block below `from` to the folder below `to` that its id names. Of a block that is there twice the newest
/// copy is taken, and of equally new ones the longest.
fn link_by_id(from: &Path, to: &Path) -> Result<()> {
    create_dir_all_durable(to)?;
    let mut blocks: BTreeMap<i64, BTreeMap<PathBuf, Copy>> = BTreeMap::new();
    visit_blocks(from, &mut |folder, name| {
        let (id, stamp) = match layout::parse_file_name(name) {
            FileKind::Block(id) => (id, None),
            FileKind::Meta(id, stamp) => (id, Some(stamp.0)),
            FileKind::Other => return Ok(()),
        };
        let copy = blocks.entry(id.0).or_default().entry(folder.to_owned()).or_default();
        match stamp {
            Some(stamp) => copy.stamp = copy.stamp.max(stamp),
            None => {
                let path = folder.join(name);
                let found = fs::metadata(&path).map_err(|e| io_error("look at", &path, e))?;
                copy.length = found.len();
            }
        }
        copy.names.push(name.to_owned());
        Ok(())
    })?;
    let mut made = BTreeSet::new();
    for (id, copies) in &blocks {
        let best = copies.iter().max_by_key(|(_, copy)| (copy.stamp, copy.length));
        let Some((folder, copy)) = best else { continue };
        for (other, _) in copies.iter().filter(|(other, _)| *other != folder) {
            tracing::warn!(
                "Discarding block {id} in {}: it is in {}",
                other.display(),
                folder.display()
            );
        }
        let place = to.join(layout::finalized_subdir(hdfs_types::BlockId(*id)));
        if made.insert(place.clone()) {
            create_dir_all_durable(&place)?;
        }
        for name in &copy.names {
            link(&folder.join(name), &place.join(name))?;
        }
    }
    for place in made {
        disk::fsync_dir(&place)?;
    }
    tracing::info!("Linked {} blocks from {} to {}", blocks.len(), from.display(), to.display());
    Ok(())
}

/// Links every block below `from` into `to`.
fn link_flat(from: &Path, to: &Path) -> Result<()> {
    create_dir_all_durable(to)?;
    visit_blocks(from, &mut |folder, name| link(&folder.join(name), &to.join(name)))?;
    Ok(disk::fsync_dir(to)?)
}

fn link(from: &Path, to: &Path) -> Result<()> {
    fs::hard_link(from, to).map_err(|error| io_error("link", to, error))
}

/// Calls for every file of a block, in the folder or in one of those inside that hold blocks.
fn visit_blocks(from: &Path, visit: &mut dyn FnMut(&Path, &str) -> Result<()>) -> Result<()> {
    let mut waiting = vec![from.to_owned()];
    while let Some(folder) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error("read folder", &folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| io_error("read folder", &folder, error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(SUBDIR_PREFIX) && entry.path().is_dir() {
                waiting.push(entry.path());
            } else if name.starts_with(BLOCK_PREFIX) {
                visit(&folder, name)?;
            }
        }
    }
    Ok(())
}

/// Gives a file bytes of its own, if an upgrade linked it: it is about to change, and the old state is kept.
///
/// # Errors
/// When it can't be copied; it is as it was, then.
pub(crate) fn unlink_before_change(path: &Path) -> Result<()> {
    let found = fs::metadata(path).map_err(|error| io_error("look at", path, error))?;
    if found.nlink() < 2 {
        return Ok(());
    }
    let mut bytes = fs::File::open(path).map_err(|error| io_error("open", path, error))?;
    let mut copy = AtomicFile::create(path)?;
    io::copy(&mut bytes, &mut copy).map_err(|error| io_error("copy", path, error))?;
    Ok(copy.commit()?)
}

#[cfg(test)]
mod tests;
