//! The scan at start: which replicas the folders hold, and how much of those that were being written is proven.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hdfs_datanode::layout::{FileKind, parse_file_name};
use hdfs_datanode::store::Store;
use hdfs_datanode::{Replica, VolumeIndex, files, transition};
use hdfs_types::{Block, BlockId, GenerationStamp, Result};

use super::super::volume::{io_error, name_text};
use super::Pool;

/// What one folder holds about one block.
#[derive(Default)]
struct Found {
    length: Option<u64>,
    meta_length: u64,
    stamp: Option<GenerationStamp>,
}

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

    fn scan_volume(&self, volume: VolumeIndex) -> Result<Vec<Replica>> {
        let dirs = self.dirs_of(volume);
        let mut replicas = Vec::new();
        let mut used = 0;
        self.scan_finalized(dirs.finalized(), volume, &mut replicas, &mut used)?;
        for (id, found) in read_folder(dirs.rbw())?.0 {
            if let Some(replica) = self.scan_rbw(id, &found, volume) {
                replicas.push(replica);
            }
        }
        self.volume(volume).add_used(i64::try_from(used).unwrap_or(i64::MAX));
        Ok(replicas)
    }

    fn scan_finalized(
        &self,
        dir: &Path,
        volume: VolumeIndex,
        replicas: &mut Vec<Replica>,
        used: &mut u64,
    ) -> Result<()> {
        let (blocks, subdirs) = read_folder(dir)?;
        for (id, found) in blocks {
            let Some(length) = found.length else { continue };
            // Hadoop takes a block without checksums for one with stamp 0: the NameNode then sees that it is corrupt.
            let generation_stamp = found.stamp.unwrap_or(GenerationStamp::GRANDFATHER);
            *used += length + found.meta_length;
            let block = Block { id, num_bytes: length, generation_stamp };
            replicas.push(Replica::finalized(block, volume));
        }
        for subdir in subdirs {
            self.scan_finalized(&dir.join(subdir), volume, replicas, used)?;
        }
        Ok(())
    }

    /// A replica that was being written waits for recovery, with the bytes that its checksums prove.
    fn scan_rbw(&self, id: BlockId, found: &Found, volume: VolumeIndex) -> Option<Replica> {
        found.length?;
        let generation_stamp = found.stamp.unwrap_or(GenerationStamp::GRANDFATHER);
        let mut block = Block { id, num_bytes: 0, generation_stamp };
        block.num_bytes = files::waiting_length(self.folders(volume), block);
        Some(Replica::waiting(block, volume))
    }
}

type Folder = (BTreeMap<BlockId, Found>, Vec<String>);

/// The blocks of one folder, and its subfolders.
fn read_folder(dir: &Path) -> Result<Folder> {
    let fail = |error| io_error("read folder", dir, error);
    let mut blocks: BTreeMap<BlockId, Found> = BTreeMap::new();
    let mut subdirs = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let name = name_text(&name);
        match parse_file_name(name) {
            FileKind::Block(id) => {
                blocks.entry(id).or_default().length = Some(entry.metadata().map_err(fail)?.len());
            }
            FileKind::Meta(id, stamp) => {
                let found = blocks.entry(id).or_default();
                found.stamp = found.stamp.max(Some(stamp));
                found.meta_length = entry.metadata().map_err(fail)?.len();
            }
            FileKind::Other if name.starts_with("subdir") => subdirs.push(name.to_owned()),
            FileKind::Other => {}
        }
    }
    Ok((blocks, subdirs))
}
