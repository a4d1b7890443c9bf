//! Replicas that begin: for a client's pipeline, for a copy, for an append, and those that continue after a failure.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use hdfs_datanode::transition::{self, Proceed};
use hdfs_datanode::{Place, Replica, VolumeIndex, WriterId};
use hdfs_datapath::ChecksumSpec;
use hdfs_types::{Error, ExtendedBlock, GenerationStamp, Result, StorageType};
use parking_lot::MutexGuard;

use super::super::files::{read_partial_chunk, read_spec, truncate_block};
use super::super::upgrade::unlink_before_change;
use super::super::volume::io_error;
use super::{Pool, Shard, StopHandle, WriteTarget};

impl Pool {
    /// A client's pipeline starts a block.
    ///
    /// # Errors
    /// When the block is here already or no volume has room.
    pub(crate) fn create_rbw(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        storage_type: StorageType,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        let id = block.block.id;
        self.clear_way(id, |existing| transition::check_create_rbw(existing, block, new_stamp))?;
        let mut created = block.block;
        if new_stamp.0 != 0 {
            created.generation_stamp = new_stamp;
        }
        let writer = self.new_writer();
        self.create(Place::Rbw, storage_type, expected_bytes, spec, writer, |volume| {
            Replica::rbw(created, volume, writer)
        })
    }

    /// Another DataNode starts to copy a block here.
    ///
    /// # Errors
    /// When a copy that is as good is here already or no volume has room.
    pub(crate) fn create_temporary(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        is_transfer: bool,
        storage_type: StorageType,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        let id = block.block.id;
        self.clear_way(id, |existing| {
            transition::check_create_temporary(existing, block, is_transfer)
        })?;
        let writer = self.new_writer();
        self.create(Place::Tmp, storage_type, expected_bytes, spec, writer, |volume| {
            Replica::temporary(block.block, volume, writer)
        })
    }

    /// Removes what a new replica replaces, after its writer has ended.
    fn clear_way(
        &self,
        id: hdfs_types::BlockId,
        check: impl Fn(&Replica) -> Result<Proceed>,
    ) -> Result<()> {
        loop {
            let writer = {
                let mut shard = self.shard(id);
                let Some(existing) = shard.map.get(id) else { return Ok(()) };
                match check(existing)? {
                    Proceed::Go => {
                        let existing = existing.clone();
                        shard.map.remove(id);
                        shard.open.retain(|open| open.block.id != id);
                        self.remove_files(&existing);
                        return Ok(());
                    }
                    Proceed::StopWriter(writer) => writer,
                }
            };
            self.stop_writer(id, writer)?;
        }
    }

    fn create(
        self: &Arc<Self>,
        place: Place,
        storage_type: StorageType,
        expected_bytes: u64,
        spec: ChecksumSpec,
        writer: WriterId,
        replica: impl FnOnce(VolumeIndex) -> Replica,
    ) -> Result<WriteTarget> {
        let volume = self.choose_volume(storage_type, expected_bytes)?;
        let replica = replica(volume.index);
        let block = replica.block;
        let (data_path, meta_path) = self.dirs_of(volume.index).files(place, &block);
        let mut shard = self.shard(block.id);
        if let Some(existing) = shard.map.get(block.id) {
            return Err(Error::new(
                hdfs_types::ErrorKind::ReplicaAlreadyExists,
                format!(
                    "Block {} already exists in state {} and thus cannot be created.",
                    self.extended(block),
                    existing.state().name()
                ),
            ));
        }
        let open = |path: &std::path::Path| {
            let file = File::options().read(true).write(true).create_new(true).open(path);
            file.map_err(|error| io_error("create", path, error))
        };
        let data = open(&data_path)?;
        let meta = open(&meta_path).inspect_err(|_| {
            let _ = fs::remove_file(&data_path);
        })?;
        meta.write_all_at(&spec.encode_header(), 0)
            .map_err(|error| io_error("write", &meta_path, error))?;
        let stop = Arc::new(StopHandle::default());
        shard.map.insert(replica);
        shard.writers.insert(writer, Arc::clone(&stop));
        drop(shard);
        volume.reserve(expected_bytes);
        Ok(WriteTarget {
            pool: Arc::clone(self),
            block,
            volume,
            writer,
            stop,
            data,
            meta,
            spec,
            on_disk: 0,
            partial: Vec::new(),
            reserved: expected_bytes,
        })
    }

    /// A client appends to a finalized block.
    ///
    /// # Errors
    /// When the replica is not the one that the client knows, or its last chunk is corrupt.
    pub(crate) fn append(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        expected_length: u64,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        let mut shard = self.shard(block.block.id);
        let replica = shard.map.get(block.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(block))?;
        transition::check_append(replica, block, new_stamp, expected_length)?;
        self.reopen(&mut shard, block, new_stamp, None, expected_bytes, spec)
    }

    /// A client continues an append whose set-up failed.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) fn recover_append(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        expected_length: u64,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        self.until_free(block, |shard| {
            let replica = shard.map.get(block.block.id);
            let replica = replica.ok_or_else(|| transition::non_existent(block))?;
            match transition::check_recover(replica, block, new_stamp, expected_length)? {
                Proceed::StopWriter(writer) => Ok(Err(writer)),
                Proceed::Go => {
                    self.reopen(shard, block, new_stamp, None, expected_bytes, spec).map(Ok)
                }
            }
        })
    }

    /// A client continues a block after its pipeline failed.
    ///
    /// # Errors
    /// When the replica is not one that the client's bytes continue.
    pub(crate) fn recover_rbw(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        min_bytes: u64,
        max_bytes: u64,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        self.until_free(block, |shard| {
            let replica = shard.map.get(block.block.id);
            let replica = replica.ok_or_else(|| transition::non_existent(block))?;
            match transition::check_recover_rbw(replica, block, new_stamp, min_bytes, max_bytes)? {
                Proceed::StopWriter(writer) => Ok(Err(writer)),
                Proceed::Go => {
                    let (data, _) =
                        self.dirs_of(replica.volume).files(replica.place, &replica.block);
                    let length = fs::metadata(&data)
                        .map_err(|error| io_error("look at", &data, error))?
                        .len();
                    let cut = transition::recover_rbw_length(replica, length)?;
                    let to = cut.unwrap_or(length);
                    self.reopen(shard, block, new_stamp, Some((length, to)), expected_bytes, spec)
                        .map(Ok)
                }
            }
        })
    }

    /// Runs `attempt` under the shard's lock until no writer stands in the way.
    pub(super) fn until_free<T>(
        &self,
        block: &ExtendedBlock,
        mut attempt: impl FnMut(&mut MutexGuard<'_, Shard>) -> Result<Result<T, WriterId>>,
    ) -> Result<T> {
        loop {
            let outcome = attempt(&mut self.shard(block.block.id))?;
            match outcome {
                Ok(done) => return Ok(done),
                Err(writer) => self.stop_writer(block.block.id, writer)?,
            }
        }
    }

    /// Opens a finalized or partly written replica for writing, with a new stamp; `cut`: from and to which length.
    fn reopen(
        self: &Arc<Self>,
        shard: &mut MutexGuard<'_, Shard>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        cut: Option<(u64, u64)>,
        expected_bytes: u64,
        wanted: ChecksumSpec,
    ) -> Result<WriteTarget> {
        let id = block.block.id;
        let replica = shard.map.get(id).ok_or_else(|| transition::non_existent(block))?.clone();
        let dirs = self.dirs_of(replica.volume);
        let (data_path, meta_path) = dirs.files(replica.place, &replica.block);
        let (data, meta) = (open_to_change(&data_path)?, open_to_change(&meta_path)?);
        let spec = read_spec(&meta, &meta_path)?;
        check_chunks(spec, wanted)?;
        let length = match cut {
            Some((from, to)) => {
                if to < from {
                    truncate_block(&data, &meta, spec, from, to, &data_path)?;
                }
                to
            }
            None => replica.block.num_bytes,
        };
        let (partial, _) = read_partial_chunk(&data, &meta, spec, length, &data_path)?;
        let renamed = hdfs_types::Block { generation_stamp: new_stamp, ..replica.block };
        let (new_data, new_meta) = dirs.files(Place::Rbw, &renamed);
        move_file(&meta_path, &new_meta)?;
        move_file(&data_path, &new_data)?;
        let writer = self.new_writer();
        let stop = Arc::new(StopHandle::default());
        shard.open.retain(|open| open.block.id != id);
        shard.writers.insert(writer, Arc::clone(&stop));
        let volume = Arc::clone(self.volume(replica.volume));
        if replica.place == Place::Finalized {
            volume.add_used(-(length + spec.meta_bytes(length)).cast_signed());
        }
        let last_sum =
            (!partial.is_empty()).then(|| hdfs_datapath::checksum::sum(spec.kind, &partial));
        let entry = shard.map.get_mut(id).ok_or_else(|| transition::non_existent(block))?;
        if entry.pipeline().is_some() {
            entry.resume(new_stamp, length, writer);
        } else {
            entry.into_rbw(new_stamp, writer);
        }
        entry.wrote(length, last_sum);
        let block = entry.block;
        // The client names the length: what it promises cannot be more than there is.
        let remaining = volume.space().map_or(0, |space| space.remaining);
        let reserved = expected_bytes.saturating_sub(length).min(remaining);
        volume.reserve(reserved);
        Ok(WriteTarget {
            pool: Arc::clone(self),
            block,
            volume,
            writer,
            stop,
            data,
            meta,
            spec,
            on_disk: length,
            partial,
            reserved,
        })
    }
}

/// An append goes on with the chunks that the replica has.
fn check_chunks(spec: ChecksumSpec, wanted: ChecksumSpec) -> Result<()> {
    if spec.bytes_per_checksum == wanted.bytes_per_checksum {
        return Ok(());
    }
    Err(Error::io(format!(
        "Client requested checksum {} over {} bytes when appending to an existing block with different chunk size: {}",
        wanted.kind.name(),
        wanted.bytes_per_checksum,
        spec.bytes_per_checksum
    )))
}

/// An upgrade may have linked the file to the state before.
fn open_to_change(path: &std::path::Path) -> Result<File> {
    unlink_before_change(path)?;
    let file = File::options().read(true).write(true).open(path);
    file.map_err(|error| io_error("open", path, error))
}

fn move_file(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    if from == to {
        return Ok(());
    }
    fs::rename(from, to).map_err(|error| io_error("move", from, error))
}
