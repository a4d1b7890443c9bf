//! Replicas that begin: for a client's pipeline, for a copy, for an append, and those that continue after a failure.

use std::sync::Arc;

use hdfs_datanode::VolumeIndex;
use hdfs_datanode::store::{self, NewReplica, OpenForWrite};
use hdfs_datapath::ChecksumSpec;
use hdfs_types::{Error, ExtendedBlock, GenerationStamp, Result, StorageType};

use super::super::files::DiskFile;
use super::{Pool, WriteTarget};

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
        let open = store::create_rbw(&**self, block, new_stamp, || {
            self.new_replica(storage_type, expected_bytes, spec)
        })?;
        self.target(open, expected_bytes)
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
        let open = store::create_temporary(&**self, block, is_transfer, || {
            self.new_replica(storage_type, expected_bytes, spec)
        })?;
        self.target(open, expected_bytes)
    }

    fn new_replica(
        &self,
        storage_type: StorageType,
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<NewReplica> {
        let volume = self.choose_volume(storage_type, expected_bytes)?.index;
        Ok(NewReplica { volume, spec })
    }

    /// A replica that is open for writing, with the room that is kept for it.
    fn target(
        self: &Arc<Self>,
        open: OpenForWrite<DiskFile>,
        reserved: u64,
    ) -> Result<WriteTarget> {
        let stop = self.shard(open.block.id).writers.get(&open.writer).cloned();
        let stop = stop.ok_or_else(|| {
            Error::io(format!("the writer of {} was stopped", self.extended(open.block)))
        })?;
        let volume = Arc::clone(self.volume(open.volume));
        volume.reserve(reserved);
        Ok(WriteTarget { pool: Arc::clone(self), volume, stop, open, reserved })
    }

    /// The same for a block that goes on; the client names the length: what it promises can't be more than there is.
    fn target_again(
        self: &Arc<Self>,
        open: OpenForWrite<DiskFile>,
        expected_bytes: u64,
    ) -> Result<WriteTarget> {
        let remaining = self.remaining(open.volume);
        let reserved = expected_bytes.saturating_sub(open.on_disk).min(remaining);
        self.target(open, reserved)
    }

    fn remaining(&self, volume: VolumeIndex) -> u64 {
        self.volume(volume).space().map_or(0, |space| space.remaining)
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
        let open = store::append(&**self, block, new_stamp, expected_length, spec)?;
        self.target_again(open, expected_bytes)
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
        let open = store::recover_append(&**self, block, new_stamp, expected_length, spec)?;
        self.target_again(open, expected_bytes)
    }

    /// A client continues a block after its pipeline failed.
    ///
    /// # Errors
    /// When the replica is not one that the client's bytes continue.
    pub(crate) fn recover_rbw(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        (min_bytes, max_bytes): (u64, u64),
        expected_bytes: u64,
        spec: ChecksumSpec,
    ) -> Result<WriteTarget> {
        let range = (min_bytes, max_bytes);
        let open = store::recover_rbw(&**self, block, new_stamp, range, spec)?;
        self.target_again(open, expected_bytes)
    }
}
