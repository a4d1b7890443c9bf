//! What a writer does to its replica: says what it wrote, syncs it, completes it, or lets it go.

use hdfs_types::{Block, Error, Result};

use super::create::move_both;
use super::{OpenForWrite, Shard, Store, distrust};
use crate::files::{self, BlockFile, FileError, FileName, Folders};
use crate::replica::{Place, Replica};
use crate::transition;

/// Bytes of a replica that this writer has on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// So many are in the file.
    pub on_disk: u64,
    /// The checksum of a partial last chunk: readers need it.
    pub last_sum: Option<u32>,
}

fn stopped<S: Store, F>(store: &S, open: &OpenForWrite<F>) -> Error {
    Error::io(format!("the writer of {} was stopped", store.extended(open.block)))
}

fn update<S: Store, F>(
    store: &S,
    open: &OpenForWrite<F>,
    change: impl FnOnce(&mut Replica),
) -> Result<()> {
    store.with_shard(open.block.id, |shard| {
        let replica = shard.map().get_mut(open.block.id);
        let replica = replica.ok_or_else(|| transition::not_found(&store.extended(open.block)))?;
        // A writer that is being stopped still says what it did: whoever displaces it waits for its end, and goes on from
        // there.
        if replica.writer() != Some(open.writer) {
            return Err(stopped(store, open));
        }
        change(replica);
        Ok(())
    })
}

/// The writer wrote.
///
/// # Errors
/// When it was displaced.
pub fn wrote<S: Store, F>(store: &S, open: &OpenForWrite<F>, written: Written) -> Result<()> {
    update(store, open, |replica| replica.wrote(written.on_disk, written.last_sum))
}

/// Every node of the pipeline has so many bytes.
///
/// # Errors
/// When this writer was displaced.
pub fn acked<S: Store, F>(store: &S, open: &OpenForWrite<F>, bytes: u64) -> Result<()> {
    update(store, open, |replica| replica.acked(bytes))
}

/// A write failed: cuts the files back to what the replica is known to have.
///
/// # Errors
/// When the disk refuses that, too.
pub fn roll_back<S: Store, F: BlockFile>(store: &S, open: &OpenForWrite<F>) -> Result<()> {
    store.with_shard(open.block.id, |shard| {
        let known = shard.map().get(open.block.id).and_then(Replica::pipeline).copied();
        let Some(known) = known.filter(|pipeline| pipeline.writer == Some(open.writer)) else {
            return Ok(());
        };
        let (length, sum) = (known.bytes_on_disk, known.last_sum);
        files::roll_back(&open.data, &open.meta, open.spec, length, sum)
            .map_err(|error| distrust(shard.map(), open.block.id, error))
    })
}

/// Both files, and with `with_folder` their names, survive a power cut from here on (hsync).
///
/// # Errors
/// When the disk refuses: nothing may be acknowledged.
pub fn sync<S: Store, F: BlockFile>(
    store: &S,
    open: &OpenForWrite<F>,
    with_folder: bool,
) -> Result<()> {
    let sync = || -> Result<(), FileError> {
        open.data.sync()?;
        open.meta.sync()?;
        if with_folder {
            store.folders(open.volume).sync_folder(Place::Rbw, open.block.id)?;
        }
        Ok(())
    };
    sync().map_err(|error| distrust_own(store, open, error))
}

/// The block file survives a power cut as it is now.
///
/// # Errors
/// When the disk refuses: nothing that relies on it may be written.
pub fn sync_data<S: Store, F: BlockFile>(store: &S, open: &OpenForWrite<F>) -> Result<()> {
    open.data.sync().map_err(|error| distrust_own(store, open, error.into()))
}

/// The replica of this writer, if it is still that.
fn distrust_own<S: Store, F>(store: &S, open: &OpenForWrite<F>, error: FileError) -> Error {
    store.with_shard(open.block.id, |shard| {
        let map = shard.map();
        let is_ours = map.get(open.block.id).is_some_and(|of| of.writer() == Some(open.writer));
        if is_ours { distrust(map, open.block.id, error) } else { error.into() }
    })
}

/// The block is complete with `length` bytes: moves its files to their final folder. With `durable`, which the caller has
/// prepared by a [`sync`], it survives a power cut when this returns.
///
/// # Errors
/// When this writer was displaced or the disk refuses.
pub fn finalize<S: Store, F: BlockFile>(
    store: &S,
    open: &OpenForWrite<F>,
    length: u64,
    durable: bool,
    is_stopped: impl Fn() -> bool,
) -> Result<Block> {
    let folders = store.folders(open.volume);
    folders.make_finalized_folder(open.block.id)?;
    let (block, from) = store.with_shard(open.block.id, |shard| {
        let replica = shard.map().get_mut(open.block.id);
        let replica = replica.ok_or_else(|| transition::not_found(&store.extended(open.block)))?;
        if replica.writer() != Some(open.writer) || is_stopped() {
            return Err(stopped(store, open));
        }
        let from = replica.place;
        let to = FileName::pair(Place::Finalized, replica.block);
        let moved = move_both(folders, &FileName::pair(from, replica.block), &to);
        if let Err(error) = moved {
            return Err(distrust(shard.map(), open.block.id, error));
        }
        replica.wrote(length, None);
        replica.finalize();
        Ok((replica.block, from))
    })?;
    let synced = || -> Result<(), FileError> {
        folders.sync_folder(Place::Finalized, block.id)?;
        Ok(folders.sync_folder(from, block.id)?)
    };
    if durable && let Err(error) = synced() {
        return Err(store.with_shard(block.id, |shard| distrust(shard.map(), block.id, error)));
    }
    folders.add_used((length + open.spec.meta_bytes(length)).cast_signed());
    Ok(block)
}

/// A transferred copy becomes part of a pipeline, with `wanted`'s length for readers.
///
/// # Errors
/// When it is not the copy that was asked for, or the disk refuses.
pub fn convert_to_rbw<S: Store, F>(
    store: &S,
    open: &OpenForWrite<F>,
    wanted: &hdfs_types::ExtendedBlock,
) -> Result<()> {
    let folders = store.folders(open.volume);
    store.with_shard(open.block.id, |shard| {
        let replica = shard.map().get_mut(open.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(wanted))?;
        transition::check_convert_temporary(replica, wanted)?;
        let to = FileName::pair(Place::Rbw, replica.block);
        let moved = move_both(folders, &FileName::pair(Place::Tmp, replica.block), &to);
        if let Err(error) = moved {
            return Err(distrust(shard.map(), open.block.id, error));
        }
        replica.convert_to_rbw(wanted.block.num_bytes);
        Ok(())
    })
}

/// The copy failed: its files go.
pub fn discard<S: Store, F>(store: &S, open: &OpenForWrite<F>) {
    let folders = store.folders(open.volume);
    store.with_shard(open.block.id, |shard| {
        let ours = shard
            .map()
            .get(open.block.id)
            .filter(|replica| replica.place == Place::Tmp && replica.writer() == Some(open.writer));
        let Some(block) = ours.map(|replica| replica.block) else { return };
        shard.map().remove(open.block.id);
        for name in FileName::pair(Place::Tmp, block) {
            if let Err(error) = folders.remove(&name) {
                folders.note("remove failed copy", &error);
            }
        }
    });
}
