//! The life of replicas on disk: every step, in its order, over files that the shell or a simulation lends.
//!
//! A [`Store`] gives exclusive access to a shard of the replica map. Checks, renames and changes of the map happen inside;
//! data and syncs outside. Whoever displaces a writer waits for its end first.
//!
//! **Invariants**
//! - What is acknowledged as durable lies in files and folders that were synced before.
//! - A block file is never found without its checksums: they move first.
//! - A replica's stamp only grows, and its files carry it before the map says so.
//! - No sync is repeated: a replica whose sync failed is out of the map, and its files wait for the next start.
//! - Only [`invalidate`] and the start of a newer copy remove a replica's files.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.FsDatasetImpl (3.5.0)

mod create;
mod finish;
mod recover;

use hdfs_datapath::ChecksumSpec;
use hdfs_types::{Block, BlockId, Error, ExtendedBlock, Result};

pub use create::{NewReplica, append, create_rbw, create_temporary, recover_append, recover_rbw};
pub use finish::{
    Written, acked, convert_to_rbw, discard, finalize, roll_back, sync, sync_data, wrote,
};
pub use recover::{init_recovery, recover_close, update_recovery};

use crate::files::{FileError, Folders};
use crate::replica::{ReplicaMap, VolumeIndex, WriterId};

/// One shard of the replica map, held exclusively.
pub trait Shard {
    /// Its replicas.
    fn map(&mut self) -> &mut ReplicaMap;
    /// The files of this block change: who keeps them open for readers lets go.
    fn forget_open(&mut self, id: BlockId);
    /// A number for a writer that begins now; it can be stopped from here on.
    fn begin_writer(&mut self) -> WriterId;
    /// Tells a writer to end, without waiting.
    fn cut_writer(&mut self, writer: WriterId);
}

/// The replicas of one pool.
pub trait Store {
    /// A shard.
    type Shard: Shard;
    /// A volume's folders.
    type Folders: Folders;
    /// Works on the shard of a block.
    fn with_shard<T>(&self, id: BlockId, work: impl FnOnce(&mut Self::Shard) -> T) -> T;
    /// The folders of a volume.
    fn folders(&self, volume: VolumeIndex) -> &Self::Folders;
    /// Stops a writer and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    fn stop_writer(&self, id: BlockId, writer: WriterId) -> Result<()>;
    /// This pool's name with a block.
    fn extended(&self, block: Block) -> ExtendedBlock;
}

/// A replica that is open for writing.
#[derive(Debug)]
pub struct OpenForWrite<F> {
    /// The block with its present stamp; its length is not kept up to date.
    pub block: Block,
    /// The volume that holds it.
    pub volume: VolumeIndex,
    /// Who writes.
    pub writer: WriterId,
    /// The block file.
    pub data: F,
    /// The `.meta` file.
    pub meta: F,
    /// The checksums on disk.
    pub spec: ChecksumSpec,
    /// Bytes on disk when this writer began.
    pub on_disk: u64,
    /// Bytes of the partial last chunk on disk, verified.
    pub partial: Vec<u8>,
}

/// Runs `attempt` with the block's shard until no writer stands in the way.
fn until_free<S: Store, T>(
    store: &S,
    id: BlockId,
    mut attempt: impl FnMut(&mut S::Shard) -> Result<Result<T, WriterId>>,
) -> Result<T> {
    loop {
        match store.with_shard(id, &mut attempt)? {
            Ok(done) => return Ok(done),
            Err(writer) => store.stop_writer(id, writer)?,
        }
    }
}

/// A change of a replica's files failed: one whose sync failed, or whose files lie apart, is not trusted any more.
fn distrust(map: &mut ReplicaMap, id: BlockId, error: FileError) -> Error {
    if matches!(error, FileError::NotSynced(_) | FileError::Apart(_)) {
        map.fail(id);
    }
    error.into()
}

/// What became of one block of an order to delete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Invalidated {
    /// It was not here.
    Absent,
    /// It has another stamp and stays.
    OtherStamp(Block),
    /// Its files are gone, from this volume.
    Deleted(VolumeIndex, Block),
}

/// Deletes a replica by order of the active NameNode; one with another stamp stays.
pub fn invalidate<S: Store>(store: &S, block: &Block) -> Invalidated {
    let removed = store.with_shard(block.id, |shard| {
        let Some(replica) = shard.map().get(block.id) else { return Err(Invalidated::Absent) };
        if replica.block.generation_stamp != block.generation_stamp {
            return Err(Invalidated::OtherStamp(replica.block));
        }
        let replica = replica.clone();
        if let Some(writer) = replica.writer() {
            shard.cut_writer(writer);
        }
        shard.map().remove(block.id);
        shard.forget_open(block.id);
        Ok(replica)
    });
    match removed {
        Err(kept) => kept,
        Ok(replica) => {
            store.folders(replica.volume).dispose(&replica);
            Invalidated::Deleted(replica.volume, replica.block)
        }
    }
}
