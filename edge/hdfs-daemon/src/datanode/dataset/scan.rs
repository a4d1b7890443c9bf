//! The scan at start: which replicas the folders hold, and how much of those that were being written is proven.

use std::fs;
use std::path::Path;

use hdfs_datanode::startup::{FolderContents, Inventory};
use hdfs_datanode::store::Store;
use hdfs_datanode::{Place, Replica, VolumeIndex, files, transition};
use hdfs_types::Result;

use super::super::volume::{io_error, name_text};
use super::Pool;

impl Pool {
    /// Reads all folders of the pool, one thread a volume.
    pub(super) fn scan(&self) -> Result<()> {
        let results: Vec<Result<Vec<Replica>>> = std::thread::scope(|scope| {
            let scans = self.volumes.iter().map(|volume| {
                let index = volume.index;
                scope.spawn(move || self.scan_volume(index))
            });
            let scans: Vec<_> = scans.collect();
            let joined = scans.into_iter().map(|scan| scan.join());
            joined.map(|result| result.expect("a scan does not panic")).collect()
        });
        for replicas in results {
            for replica in replicas? {
                self.add_found(replica);
            }
        }
        Ok(())
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
fn read_folder(dir: &Path) -> Result<(FolderContents, Vec<String>)> {
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
