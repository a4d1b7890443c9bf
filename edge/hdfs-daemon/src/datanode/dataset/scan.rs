//! The scan at start: which replicas the folders hold, and how much of those that were being written is proven.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hdfs_datanode::startup::{FolderContents, Inventory};
use hdfs_datanode::store::Store;
use hdfs_datanode::{Place, Replica, VolumeIndex, files, transition};
use hdfs_types::{Error, ErrorKind, Result};

use super::super::files::VolumeFolders;
use super::super::volume::{PoolDirs, Volume, io_error, name_text};
use super::Pool;

impl Pool {
    /// Reads all folders of the pool, one thread a volume. A volume that cannot be read fails, alone.
    ///
    /// # Errors
    /// When no volume is left: what is wrong with the last one.
    pub(super) fn scan(&self) -> Result<()> {
        let usable: Vec<&Arc<Volume>> =
            self.volumes.iter().filter(|volume| !volume.has_failed()).collect();
        let found: Vec<(&Arc<Volume>, Result<Vec<Replica>>)> = std::thread::scope(|scope| {
            let scans = usable.into_iter().map(|volume| {
                let scan = scope.spawn(move || self.open_volume(volume));
                (volume, scan)
            });
            let scans: Vec<_> = scans.collect();
            let joined = scans.into_iter();
            joined.map(|(of, scan)| (of, scan.join().expect("a scan does not panic"))).collect()
        });
        let mut last_error = None;
        let mut good = 0;
        for (volume, replicas) in found {
            match replicas {
                Ok(replicas) => {
                    good += 1;
                    self.take_in(replicas);
                }
                Err(error) => {
                    self.unread.store(true, Ordering::Release);
                    volume.fail(&error);
                    last_error = Some(error);
                }
            }
        }
        match last_error {
            Some(error) if good == 0 => Err(error),
            None if good == 0 => Err(Error::new(ErrorKind::DiskError, "all volumes have failed")),
            _ => Ok(()),
        }
    }

    /// Takes in what [`Self::open_volume`] found.
    pub(crate) fn take_in(&self, replicas: Vec<Replica>) {
        replicas.into_iter().for_each(|replica| self.add_found(replica));
    }

    /// Takes the pool's folders on a volume into use; answers the replicas there.
    pub(crate) fn open_volume(&self, volume: &Arc<Volume>) -> Result<Vec<Replica>> {
        let dirs = PoolDirs::open(&volume.root, &self.version, self.option)?;
        let rolling_upgrade = Arc::clone(&self.rolling_upgrade);
        let folders = VolumeFolders { dirs, volume: Arc::clone(volume), rolling_upgrade };
        self.folders.set(volume.index, folders);
        self.scan_volume(volume.index)
    }

    /// Adds a replica; of two copies of one block the better stays in the map, and neither file is touched: which one may
    /// go is the NameNode's decision.
    fn add_found(&self, replica: Replica) {
        let mut shard = self.shard(replica.block.id);
        if let Some(known) = shard.map.get(replica.block.id) {
            let better = transition::better_duplicate(&known.block, &replica.block);
            tracing::warn!(
                kept = %better, first = %known.block, second = %replica.block,
                "two copies of one block on this DataNode"
            );
            if *better == known.block {
                return;
            }
        }
        shard.map.insert(replica);
    }

    /// Reads the folders of one volume. Replicas whose files a crash left in two folders are joined first; copies that were
    /// in flight go.
    fn scan_volume(&self, volume: VolumeIndex) -> Result<Vec<Replica>> {
        let dirs = self.dirs_of(volume);
        let mut inventory = Inventory::new(volume);
        read_tree(dirs.finalized(), &mut inventory)?;
        for (place, folder) in [(Place::Rbw, dirs.rbw()), (Place::Tmp, dirs.tmp())] {
            inventory.add(place, &read_folder(folder)?.0);
        }
        let found = inventory.take(self.folders(volume), files::waiting_length)?;
        dirs.empty_tmp()?;
        if found.joined > 0 {
            let (folder, replicas) = (&self.volume(volume).root, found.joined);
            tracing::info!(volume = %folder.display(), replicas, "joined replicas that a crash left in two folders");
        }
        self.volume(volume).add_used(i64::try_from(found.used).unwrap_or(i64::MAX));
        Ok(found.replicas)
    }
}

/// The finalized replicas: in folders inside folders.
fn read_tree(dir: &Path, inventory: &mut Inventory) -> Result<()> {
    let (contents, subdirs) = read_folder(dir)?;
    inventory.add(Place::Finalized, &contents);
    for subdir in subdirs {
        read_tree(&dir.join(subdir), inventory)?;
    }
    Ok(())
}

/// The blocks of one folder, and its subfolders.
pub(super) fn read_folder(dir: &Path) -> Result<(FolderContents, Vec<String>)> {
    let fail = |error| io_error("read folder", dir, error);
    let mut contents = FolderContents::default();
    let mut subdirs = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let name = name_text(&name);
        let length = || entry.metadata().map(|found| found.len()).map_err(fail);
        if !contents.note(name, length)? && name.starts_with("subdir") {
            subdirs.push(name.to_owned());
        }
    }
    Ok((contents, subdirs))
}
