//! `hdfs namenode -importCheckpoint`: fills empty name folders from the folders of a SecondaryNameNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage.doImportCheckpoint (3.5.0)

use std::path::PathBuf;
use std::sync::Arc;

use hdfs_conf::{Configuration, Key, keys};
use hdfs_format::storage_dir::state::StorageState;
use hdfs_rt::disk::create_dir_all_durable;
use hdfs_types::{Error, Result};

use super::conf::NameNodeConf;
use super::identity;
use super::image_store::ImageStore;
use super::inventory::Inventory;
use super::progress::{Phase, StartupProgress};
use super::start_option::StartOption;
use super::startup::{self, Loaded};
use super::storage::{DirSpec, NameDirs};
use super::storage_state::delete_dir;
use super::upgrade;

/// Loads the newest checkpoint and writes it to the name folders, which were found in these states.
///
/// # Errors
/// When a name folder is formatted already, or there is no checkpoint; nothing was changed then.
pub(crate) fn load(
    conf: &NameNodeConf,
    dirs: Arc<NameDirs>,
    states: &[StorageState],
    progress: &StartupProgress,
) -> Result<Loaded> {
    let formatted = dirs.all().iter().zip(states).find(|(_, s)| **s != StorageState::NotFormatted);
    if let Some((dir, _)) = formatted {
        return Err(Error::io(format!(
            "Cannot import image from a checkpoint.  NameNode already contains an image in {}",
            dir.spec.root.display()
        )));
    }
    let source = NameDirs::lock(&checkpoint_dirs(&conf.configuration)?, 1)?;
    upgrade::recover_all(&source)?;
    let found = identity::read(&source)?;
    identity::check_layout(found.layout_version, &StartOption::Regular)?;
    let inventory = Inventory::of(&source)?;
    let (machine, image, replayed) = startup::load_newest(conf, &found, &inventory, progress)?;
    source.unlock();
    let last = replayed.last;
    tracing::info!("importing {} up to transaction {last}", image.path.display());
    for (_, dir) in dirs.live() {
        delete_dir(&dir.current())?;
        create_dir_all_durable(&dir.current())?;
    }
    progress.begin(Phase::SavingCheckpoint);
    let images = ImageStore::new(dirs, last, conf);
    images.save(last, |writer, crew| machine.save_image(writer, last, crew))?;
    // Last: a folder without it is not formatted, and the import can be begun again.
    identity::write_all(images.dirs(), &found)?;
    progress.end(Phase::SavingCheckpoint);
    progress.begin(Phase::SafeMode);
    Ok(Loaded { machine, images, last })
}

/// The folders of `dfs.namenode.checkpoint.dir` and `dfs.namenode.checkpoint.edits.dir`.
///
/// # Errors
/// When a location is no folder.
pub(crate) fn checkpoint_dirs(conf: &Configuration) -> Result<Vec<DirSpec>> {
    let paths = |key: &Key| -> Result<Vec<PathBuf>> {
        let locations = conf.get_storage_locations(key)?;
        let paths: Vec<_> =
            locations.into_iter().map(|location| PathBuf::from(location.path)).collect();
        if paths.is_empty() {
            return Err(Error::io(format!(
                "Cannot import image from a checkpoint. \"{}\" is not set.",
                key.name
            )));
        }
        Ok(paths)
    };
    let images = paths(&keys::DFS_NAMENODE_CHECKPOINT_DIR)?;
    let edits = paths(&keys::DFS_NAMENODE_CHECKPOINT_EDITS_DIR)?;
    let more = edits.iter().filter(|path| !images.contains(path));
    let all = images.iter().chain(more).map(|root| DirSpec {
        root: root.clone(),
        image: images.contains(root),
        edits: edits.contains(root),
        required: false,
    });
    Ok(all.collect())
}
