//! What the directory scanner asks of a pool: what is in its folders, and to settle a difference with memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdfs_datanode::files::{FileName, Folders, Part};
use hdfs_datanode::layout;
use hdfs_datanode::reconcile::{Difference, OnDisk, compare};
use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::store::{Shard as _, Store};
use hdfs_datanode::{Place, Replica, VolumeIndex};
use hdfs_types::{Block, BlockId, GenerationStamp, ReplicaState, Result};

use super::super::directory_scanner::Found;
use super::super::volume::{io_error, name_text};
use super::Pool;
use super::scan::read_folder;

impl Pool {
    /// Ids of the complete replicas that memory has on a volume.
    pub(crate) fn finalized_on(&self, volume: VolumeIndex) -> BTreeSet<BlockId> {
        let mut ids = BTreeSet::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let here = shard.map.iter().filter(|replica| {
                replica.volume == volume && replica.state() == ReplicaState::Finalized
            });
            ids.extend(here.map(|replica| replica.block.id));
        }
        ids
    }

    /// Where the data of a complete replica is.
    pub(crate) fn block_path(&self, id: BlockId) -> Option<PathBuf> {
        let replica = self.replica(id)?;
        Some(self.dirs_of(replica.volume).files(replica.place, &replica.block).0)
    }

    /// The folders that hold complete replicas.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn finalized_folders(&self, volume: VolumeIndex) -> Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for outer in subdirs(self.dirs_of(volume).finalized())? {
            folders.extend(subdirs(&outer)?);
        }
        Ok(folders)
    }

    /// The blocks of one of them that belong there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_finalized(&self, volume: VolumeIndex, folder: &Path) -> Result<Vec<OnDisk>> {
        let (contents, _) = read_folder(folder)?;
        let finalized = self.dirs_of(volume).finalized();
        let belongs = |found: &OnDisk| finalized.join(layout::finalized_subdir(found.id)) == folder;
        let (here, astray): (Vec<_>, Vec<_>) = contents.on_disk(volume).partition(belongs);
        for found in astray {
            tracing::warn!(
                "Block blk_{} is in {}, where nobody looks for it; it stays",
                found.id,
                folder.display()
            );
        }
        Ok(here)
    }

    /// Compares memory and disk about one block, and makes memory right. `None`: they agree, or a change is under way.
    pub(crate) fn settle_difference(
        self: &Arc<Self>,
        id: BlockId,
        volume: VolumeIndex,
    ) -> Option<Found> {
        let mut shard = self.shard(id);
        if shard.deleting.contains(&id) || shard.map.failed_on(id).is_some() {
            return None;
        }
        let replica = shard.map.get(id).cloned();
        let disk = self.look(id, volume, replica.as_ref());
        let difference = compare(replica.as_ref(), &disk)?;
        let known = replica.as_ref().map(|replica| replica.block);
        let named = Block {
            id,
            num_bytes: disk.length.unwrap_or(0),
            generation_stamp: disk.stamp.unwrap_or(GenerationStamp::GRANDFATHER),
        };
        let block = known.unwrap_or(named);
        let event = match difference {
            Difference::Unknown(block) => {
                shard.map.insert(Replica::finalized(block, volume));
                self.volume(volume).add_used(self.bytes_of(block, volume));
                Some(BlockEvent::Received)
            }
            Difference::DataGone => {
                shard.map.remove(id);
                shard.forget_open(id);
                self.volume(volume).add_used(-block.num_bytes.cast_signed());
                Some(BlockEvent::Deleted)
            }
            Difference::Corrupt | Difference::Duplicate | Difference::Half => None,
        };
        drop(shard);
        if let Some(event) = event {
            self.notify(volume, block, event);
        }
        Some(Found { block, difference })
    }

    fn bytes_of(&self, block: Block, volume: VolumeIndex) -> i64 {
        let [meta, _] = FileName::pair(Place::Finalized, block);
        let meta = self.folders(volume).length(&meta).unwrap_or(0);
        (block.num_bytes + meta).cast_signed()
    }

    /// The files of one block now. The checksums are those of the version that memory has, if they are there.
    fn look(&self, id: BlockId, volume: VolumeIndex, replica: Option<&Replica>) -> OnDisk {
        let folders = self.folders(volume);
        let stamp_of = |replica: &Replica| replica.block.generation_stamp;
        let named = |generation_stamp| Block { id, num_bytes: 0, generation_stamp };
        let [_, data] = FileName::pair(Place::Finalized, named(GenerationStamp(0)));
        let has = |stamp: &GenerationStamp| {
            let meta = FileName { part: Part::Meta, block: named(*stamp), ..data };
            folders.length(&meta).is_some()
        };
        let known = replica.filter(|of| of.volume == volume).map(stamp_of).filter(has);
        let stamp = known.or_else(|| self.newest_stamp(id, volume));
        OnDisk { id, volume, length: folders.length(&data), stamp }
    }

    fn newest_stamp(&self, id: BlockId, volume: VolumeIndex) -> Option<GenerationStamp> {
        let folder = self.dirs_of(volume).dir(Place::Finalized, id);
        let (contents, _) = read_folder(&folder).ok()?;
        let found = contents.on_disk(volume).find(|found| found.id == id)?;
        found.stamp
    }
}

fn subdirs(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |error| io_error("read folder", folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if name_text(&entry.file_name()).starts_with("subdir") {
            found.push(entry.path());
        }
    }
    Ok(found)
}
