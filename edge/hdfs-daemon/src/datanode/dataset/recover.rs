//! Recovery of replicas on disk: failed closes, and block recovery between DataNodes.

use std::fs::{self, File};
use std::sync::Arc;

use hdfs_datanode::recovery::{self, FileLengths, InitRecovery, RecoveryInfo, UpdateRecovery};
use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::transition::{self, Proceed};
use hdfs_datanode::{Place, Replica};
use hdfs_types::{Block, BlockId, ExtendedBlock, GenerationStamp, Result};

use super::super::files::{read_spec, truncate_block};
use super::super::upgrade::unlink_before_change;
use super::super::volume::{io_error, sync_dir};
use super::{Pool, Shard, used_bytes};

impl Pool {
    fn file_lengths(&self, replica: &Replica) -> FileLengths {
        let (data, meta) = self.dirs_of(replica.volume).files(replica.place, &replica.block);
        let length = |path| fs::metadata(path).map(|found| found.len()).ok();
        FileLengths { data: length(data), meta: length(meta) }
    }

    /// A client recovers a close whose acknowledgement got lost: the replica gets the new stamp and is finalized.
    ///
    /// # Errors
    /// When the replica is not the one that the client knows.
    pub(crate) fn recover_close(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        expected_length: u64,
    ) -> Result<Block> {
        let replica = self.until_free(block, |shard| {
            let replica = shard.map.get(block.block.id);
            let replica = replica.ok_or_else(|| transition::non_existent(block))?;
            match transition::check_recover(replica, block, new_stamp, expected_length)? {
                Proceed::StopWriter(writer) => Ok(Err(writer)),
                Proceed::Go => {
                    let old = replica.clone();
                    self.settle(&old, new_stamp, None)?;
                    shard.open.retain(|open| open.block.id != block.block.id);
                    let entry = shard.map.get_mut(block.block.id);
                    let entry = entry.ok_or_else(|| transition::non_existent(block))?;
                    recovery::finish(entry, new_stamp, old.bytes_on_disk());
                    Ok(Ok(entry.clone()))
                }
            }
        })?;
        self.notify(replica.volume, replica.block, BlockEvent::Received);
        Ok(replica.block)
    }

    /// Cuts, syncs and moves the files of a replica to `finalized`, under a new stamp; durable when this returns.
    fn settle(
        &self,
        replica: &Replica,
        stamp: GenerationStamp,
        truncate_to: Option<u64>,
    ) -> Result<()> {
        let dirs = self.dirs_of(replica.volume);
        let (data_path, meta_path) = dirs.files(replica.place, &replica.block);
        if truncate_to.is_some() {
            unlink_before_change(&data_path)?;
            unlink_before_change(&meta_path)?;
        }
        let open = |path: &std::path::Path| {
            let file = File::options().read(true).write(true).open(path);
            file.map_err(|error| io_error("open", path, error))
        };
        let (data, meta) = (open(&data_path)?, open(&meta_path)?);
        let volume = self.volume(replica.volume);
        let before = used_bytes(&data_path, &meta_path);
        if let Some(length) = truncate_to {
            let spec = read_spec(&meta, &meta_path)?;
            truncate_block(&data, &meta, spec, replica.bytes_on_disk(), length, &data_path)?;
        }
        if replica.place != Place::Finalized || truncate_to.is_some() {
            data.sync_all().map_err(|error| io_error("sync", &data_path, error))?;
            meta.sync_all().map_err(|error| io_error("sync", &meta_path, error))?;
        }
        dirs.make_finalized_dir(replica.block.id)?;
        let renamed = Block { generation_stamp: stamp, ..replica.block };
        let (new_data, new_meta) = dirs.files(Place::Finalized, &renamed);
        for (from, to) in [(&meta_path, &new_meta), (&data_path, &new_data)] {
            if from != to {
                fs::rename(from, to).map_err(|error| io_error("move", from, error))?;
            }
        }
        for dir in [&new_data, &data_path] {
            if let Some(parent) = dir.parent() {
                sync_dir(parent)?;
            }
        }
        if replica.place == Place::Finalized {
            volume.add_used(-before.cast_signed());
        }
        volume.add_used(used_bytes(&new_data, &new_meta).cast_signed());
        Ok(())
    }

    /// A primary begins the recovery of a block. `None`: it is not here.
    ///
    /// # Errors
    /// When the replica is older than the block, a newer recovery runs, or its files are not what they should be.
    pub(crate) fn init_recovery(
        &self,
        block: &ExtendedBlock,
        recovery_id: GenerationStamp,
    ) -> Result<Option<RecoveryInfo>> {
        self.until_free(block, |shard| {
            let Some(replica) = shard.map.get_mut(block.block.id) else { return Ok(Ok(None)) };
            let files = self.file_lengths(replica);
            match recovery::init(replica, &block.block, recovery_id, files)? {
                InitRecovery::StopWriter(writer) => Ok(Err(writer)),
                InitRecovery::Ready(info) => Ok(Ok(Some(info))),
            }
        })
    }

    /// A primary ends the recovery of a block here: new length, new stamp, finalized. Answers the volume's identity.
    ///
    /// # Errors
    /// When this replica is not in that recovery, too short, or the disk refuses.
    pub(crate) fn update_recovery(
        self: &Arc<Self>,
        old: &ExtendedBlock,
        recovery_id: GenerationStamp,
        new_id: BlockId,
        new_length: u64,
    ) -> Result<String> {
        let (volume, received) = {
            let mut shard = self.shard(old.block.id);
            let (mut replica, mut decision) =
                self.check_update(&shard, old, recovery_id, new_id, new_length)?;
            if let UpdateRecovery::CopyTo { id, .. } = decision {
                // One lock at a time; a newer recovery may have begun in between.
                drop(shard);
                self.drop_older_copy(id, recovery_id);
                shard = self.shard(old.block.id);
                (replica, decision) =
                    self.check_update(&shard, old, recovery_id, new_id, new_length)?;
            }
            shard.open.retain(|open| open.block.id != old.block.id);
            match decision {
                UpdateRecovery::InPlace { truncate_to } => {
                    self.settle(&replica, recovery_id, truncate_to)?;
                    let length = truncate_to.unwrap_or_else(|| replica.bytes_on_disk());
                    let entry = shard.map.get_mut(old.block.id);
                    let entry = entry.ok_or_else(|| transition::not_found(old))?;
                    recovery::finish(entry, recovery_id, length);
                    (entry.volume, entry.block)
                }
                UpdateRecovery::CopyTo { id, length } => {
                    let copy = Block { id, num_bytes: length, generation_stamp: recovery_id };
                    self.copy_truncated(&replica, copy)?;
                    // The old block stays as it was, for the snapshot that holds it.
                    let stamp = replica.block.generation_stamp;
                    self.settle(&replica, stamp, None)?;
                    let entry = shard.map.get_mut(old.block.id);
                    let entry = entry.ok_or_else(|| transition::not_found(old))?;
                    recovery::finish(entry, stamp, replica.bytes_on_disk());
                    (replica.volume, copy)
                }
            }
        };
        if received.id != old.block.id {
            self.shard(received.id).map.insert(Replica::finalized(received, volume));
        }
        self.notify(volume, received, BlockEvent::Received);
        Ok(self.volume(volume).uuid.as_str().to_owned())
    }

    fn check_update(
        &self,
        shard: &Shard,
        old: &ExtendedBlock,
        recovery_id: GenerationStamp,
        new_id: BlockId,
        new_length: u64,
    ) -> Result<(Replica, UpdateRecovery)> {
        let replica = shard.map.get(old.block.id).cloned();
        let replica = replica.ok_or_else(|| transition::not_found(old))?;
        let files = self.file_lengths(&replica);
        let decision =
            recovery::check_update(&replica, old, recovery_id, new_id, new_length, files)?;
        Ok((replica, decision))
    }

    /// A copy that an earlier recovery left, which the NameNode did not hear of.
    fn drop_older_copy(&self, id: BlockId, recovery_id: GenerationStamp) {
        let mut shard = self.shard(id);
        let older = shard.map.get(id).filter(|known| known.block.generation_stamp < recovery_id);
        if older.is_some()
            && let Some(older) = shard.map.remove(id)
        {
            self.remove_files(&older);
        }
    }

    /// Copies the start of a replica to a new finalized block, durably.
    fn copy_truncated(&self, replica: &Replica, copy: Block) -> Result<()> {
        let dirs = self.dirs_of(replica.volume);
        let (data_path, meta_path) = dirs.files(replica.place, &replica.block);
        dirs.make_finalized_dir(copy.id)?;
        let (new_data, new_meta) = dirs.files(Place::Finalized, &copy);
        for (from, to) in [(&meta_path, &new_meta), (&data_path, &new_data)] {
            fs::copy(from, to).map_err(|error| io_error("copy", from, error))?;
        }
        let open = |path: &std::path::Path| {
            let file = File::options().read(true).write(true).open(path);
            file.map_err(|error| io_error("open", path, error))
        };
        let (data, meta) = (open(&new_data)?, open(&new_meta)?);
        let spec = read_spec(&meta, &new_meta)?;
        truncate_block(&data, &meta, spec, replica.bytes_on_disk(), copy.num_bytes, &new_data)?;
        data.sync_all().map_err(|error| io_error("sync", &new_data, error))?;
        meta.sync_all().map_err(|error| io_error("sync", &new_meta, error))?;
        self.volume(replica.volume).add_used(used_bytes(&new_data, &new_meta).cast_signed());
        new_data.parent().map_or(Ok(()), sync_dir)
    }
}
