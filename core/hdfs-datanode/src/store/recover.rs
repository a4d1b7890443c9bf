//! Recovery of replicas on disk: failed closes, and block recovery between DataNodes.

use hdfs_types::{Block, BlockId, ExtendedBlock, GenerationStamp, Result};

use super::create::move_both;
use super::{Shard, Store, distrust, until_free};
use crate::files::{
    self, BlockFile, FileError, FileName, Folders, read_spec, truncate_block, used_bytes,
};
use crate::recovery::{self, InitRecovery, RecoveryInfo, UpdateRecovery};
use crate::replica::{Place, Replica, VolumeIndex};
use crate::transition::{self, Proceed};

/// A client recovers a close whose acknowledgement got lost: the replica gets the new stamp and is finalized.
///
/// # Errors
/// When the replica is not the one that the client knows.
pub fn recover_close<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    expected_length: u64,
) -> Result<(VolumeIndex, Block)> {
    let id = block.block.id;
    until_free(store, id, |shard| {
        let replica = shard.map().get(id).ok_or_else(|| transition::non_existent(block))?;
        match transition::check_recover(replica, block, new_stamp, expected_length)? {
            Proceed::StopWriter(writer) => Ok(Err(writer)),
            Proceed::Go => {
                let old = replica.clone();
                settle(store.folders(old.volume), &old, new_stamp, None)
                    .map_err(|error| distrust(shard.map(), id, error))?;
                shard.forget_open(id);
                let entry = shard.map().get_mut(id);
                let entry = entry.ok_or_else(|| transition::non_existent(block))?;
                recovery::finish(entry, new_stamp, old.bytes_on_disk());
                Ok(Ok((entry.volume, entry.block)))
            }
        }
    })
}

/// Cuts, syncs and moves the files of a replica to `finalized`, under a new stamp; durable when this returns.
fn settle<D: Folders>(
    folders: &D,
    replica: &Replica,
    stamp: GenerationStamp,
    truncate_to: Option<u64>,
) -> Result<(), FileError> {
    let old_names = FileName::pair(replica.place, replica.block);
    let [meta_name, data_name] = &old_names;
    let before = used_bytes(folders, replica.place, replica.block);
    if replica.place != Place::Finalized || truncate_to.is_some() {
        let (data, meta) = (folders.open_to_change(data_name)?, folders.open_to_change(meta_name)?);
        if let Some(length) = truncate_to {
            let spec = read_spec(&meta)?;
            truncate_block(&data, &meta, spec, replica.bytes_on_disk(), length)?;
        }
        data.sync()?;
        meta.sync()?;
    }
    folders.make_finalized_folder(replica.block.id)?;
    let renamed = Block { generation_stamp: stamp, ..replica.block };
    move_both(folders, &old_names, &FileName::pair(Place::Finalized, renamed))?;
    folders.sync_folder(Place::Finalized, replica.block.id)?;
    if replica.place != Place::Finalized {
        folders.sync_folder(replica.place, replica.block.id)?;
    } else {
        folders.add_used(-before.cast_signed());
    }
    folders.add_used(used_bytes(folders, Place::Finalized, renamed).cast_signed());
    Ok(())
}

/// A primary begins the recovery of a block. `None`: it is not here.
///
/// # Errors
/// When the replica is older than the block, a newer recovery runs, or its files are not what they should be.
pub fn init_recovery<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    recovery_id: GenerationStamp,
) -> Result<Option<RecoveryInfo>> {
    until_free(store, block.block.id, |shard| {
        let id = block.block.id;
        let Some(replica) = shard.map().get_mut(id) else {
            // "It is not here" would let the primary give the block up.
            return match shard.map().failed_on(id) {
                Some(_) => Err(transition::distrusted(block)),
                None => Ok(Ok(None)),
            };
        };
        if replica.proves_nothing() {
            return Ok(Ok(None));
        }
        let folders = store.folders(replica.volume);
        if replica.writer().is_none()
            && let Err(error) = cut_leftovers(folders, replica)
        {
            return Err(distrust(shard.map(), id, error));
        }
        let lengths = files::lengths(folders, replica);
        match recovery::init(replica, &block.block, recovery_id, lengths)? {
            InitRecovery::StopWriter(writer) => Ok(Err(writer)),
            InitRecovery::Ready(info) => Ok(Ok(Some(info))),
        }
    })
}

/// A write that failed on the disk, and could not be cut back then, left more bytes than the replica has: they would keep
/// every recovery from beginning.
fn cut_leftovers<D: Folders>(folders: &D, replica: &Replica) -> Result<(), FileError> {
    let (Some(pipeline), Some(length)) =
        (replica.pipeline(), files::lengths(folders, replica).data)
    else {
        return Ok(());
    };
    if length <= pipeline.bytes_on_disk {
        return Ok(());
    }
    let [meta, data] = FileName::pair(replica.place, replica.block);
    let (data, meta) = (folders.open_to_change(&data)?, folders.open_to_change(&meta)?);
    let spec = read_spec(&meta)?;
    files::roll_back(&data, &meta, spec, pipeline.bytes_on_disk, pipeline.last_sum)
}

/// A primary ends the recovery of a block here: new length, new stamp, finalized.
///
/// # Errors
/// When this replica is not in that recovery, too short, or the disk refuses.
pub fn update_recovery<S: Store>(
    store: &S,
    old: &ExtendedBlock,
    recovery_id: GenerationStamp,
    new_id: BlockId,
    new_length: u64,
) -> Result<(VolumeIndex, Block)> {
    let id = old.block.id;
    let check = |shard: &mut S::Shard| -> Result<(Replica, UpdateRecovery)> {
        let replica = shard.map().get(id).cloned().ok_or_else(|| transition::not_found(old))?;
        let lengths = files::lengths(store.folders(replica.volume), &replica);
        let decision =
            recovery::check_update(&replica, old, recovery_id, new_id, new_length, lengths)?;
        Ok((replica, decision))
    };
    if let (_, UpdateRecovery::CopyTo { id, .. }) = store.with_shard(id, check)? {
        // One shard at a time; a newer recovery may begin in between.
        drop_older_copy(store, id, recovery_id);
    }
    let (volume, received) = store.with_shard(id, |shard| {
        let (replica, decision) = check(shard)?;
        shard.forget_open(id);
        let folders = store.folders(replica.volume);
        let (stamp, truncate_to, received) = match decision {
            UpdateRecovery::InPlace { truncate_to } => (recovery_id, truncate_to, None),
            UpdateRecovery::CopyTo { id, length } => {
                let copy = Block { id, num_bytes: length, generation_stamp: recovery_id };
                copy_truncated(folders, &replica, copy)?;
                // The old block stays as it was, for the snapshot that holds it.
                (replica.block.generation_stamp, None, Some(copy))
            }
        };
        if let Err(error) = settle(folders, &replica, stamp, truncate_to) {
            let entry = shard.map().get_mut(id).ok_or_else(|| transition::not_found(old))?;
            let length = files::lengths(folders, entry).data;
            if let Some(cut) = truncate_to.filter(|cut| length == Some(*cut)) {
                // Only the rest failed: the next attempt must not miss the bytes that are gone as they should.
                recovery::was_cut(entry, cut);
            }
            return Err(distrust(shard.map(), id, error));
        }
        let length = truncate_to.unwrap_or_else(|| replica.bytes_on_disk());
        let entry = shard.map().get_mut(id).ok_or_else(|| transition::not_found(old))?;
        recovery::finish(entry, stamp, length);
        Ok::<_, hdfs_types::Error>((entry.volume, received.unwrap_or(entry.block)))
    })?;
    if received.id != id {
        store.with_shard(received.id, |shard| {
            shard.map().insert(Replica::finalized(received, volume));
        });
    }
    Ok((volume, received))
}

/// A copy that an earlier recovery left, which the NameNode did not hear of.
fn drop_older_copy<S: Store>(store: &S, id: BlockId, recovery_id: GenerationStamp) {
    store.with_shard(id, |shard| {
        let older = shard.map().get(id).filter(|known| known.block.generation_stamp < recovery_id);
        if older.is_some()
            && let Some(older) = shard.map().remove(id)
        {
            files::remove(store.folders(older.volume), &older);
        }
    });
}

/// Copies the start of a replica to a new finalized block, durably. It becomes one when it is complete.
fn copy_truncated<D: Folders>(folders: &D, replica: &Replica, copy: Block) -> Result<()> {
    let unfinished = FileName::pair(Place::Tmp, copy);
    let make = || -> Result<()> {
        for (from, to) in FileName::pair(replica.place, replica.block).iter().zip(&unfinished) {
            folders.copy(from, to)?;
        }
        let [meta_name, data_name] = &unfinished;
        let (data, meta) = (folders.open_to_change(data_name)?, folders.open_to_change(meta_name)?);
        let spec = read_spec(&meta)?;
        Ok(truncate_block(&data, &meta, spec, replica.bytes_on_disk(), copy.num_bytes)?)
    };
    make().inspect_err(|_| {
        for name in unfinished.iter().filter(|name| folders.length(name).is_some()) {
            if let Err(error) = folders.remove(name) {
                folders.note("remove a copy that failed", &error);
            }
        }
    })?;
    folders.make_finalized_folder(copy.id)?;
    move_both(folders, &unfinished, &FileName::pair(Place::Finalized, copy))?;
    folders.add_used(used_bytes(folders, Place::Finalized, copy).cast_signed());
    Ok(folders.sync_folder(Place::Finalized, copy.id)?)
}
