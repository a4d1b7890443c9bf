//! Replicas that begin: for a client's pipeline, for a copy, for an append, and those that continue after a failure.

use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_types::{Block, Error, ErrorKind, ExtendedBlock, GenerationStamp, Result};

use super::{OpenForWrite, Shard, Store, distrust, until_free};
use crate::files::{
    self, BlockFile, FileError, FileName, Folders, read_partial_chunk, read_spec, truncate_block,
};
use crate::replica::{Place, Replica, VolumeIndex};
use crate::transition::{self, Proceed};

type Opened<S> = OpenForWrite<<<S as Store>::Folders as Folders>::File>;

/// Where and how a new replica begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewReplica {
    /// The volume that was chosen for it.
    pub volume: VolumeIndex,
    /// Its checksums.
    pub spec: ChecksumSpec,
}

/// A client's pipeline starts a block.
///
/// # Errors
/// When the block is here already, or the disk refuses.
pub fn create_rbw<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    new: impl FnOnce() -> Result<NewReplica>,
) -> Result<Opened<S>> {
    clear_way(store, block, |existing| transition::check_create_rbw(existing, block, new_stamp))?;
    let mut created = block.block;
    if new_stamp.0 != 0 {
        created.generation_stamp = new_stamp;
    }
    create(store, Place::Rbw, created, new()?)
}

/// Another DataNode starts to copy a block here.
///
/// # Errors
/// When a copy that is as good is here already, or the disk refuses.
pub fn create_temporary<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    is_transfer: bool,
    new: impl FnOnce() -> Result<NewReplica>,
) -> Result<Opened<S>> {
    clear_way(store, block, |existing| {
        transition::check_create_temporary(existing, block, is_transfer)
    })?;
    create(store, Place::Tmp, block.block, new()?)
}

/// Removes what a new replica replaces, after its writer has ended.
fn clear_way<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    check: impl Fn(&Replica) -> Result<Proceed>,
) -> Result<()> {
    let id = block.block.id;
    until_free(store, id, |shard| {
        let Some(existing) = shard.map().get(id) else { return Ok(Ok(())) };
        match check(existing)? {
            Proceed::StopWriter(writer) => Ok(Err(writer)),
            Proceed::Go => {
                let existing = existing.clone();
                shard.map().remove(id);
                shard.forget_open(id);
                files::remove(store.folders(existing.volume), &existing);
                Ok(Ok(()))
            }
        }
    })
}

fn create<S: Store>(store: &S, place: Place, block: Block, new: NewReplica) -> Result<Opened<S>> {
    let folders = store.folders(new.volume);
    store.with_shard(block.id, |shard| {
        if let Some(existing) = shard.map().get(block.id) {
            return Err(Error::new(
                ErrorKind::ReplicaAlreadyExists,
                format!(
                    "Block {} already exists in state {} and thus cannot be created.",
                    store.extended(block),
                    existing.state().name()
                ),
            ));
        }
        if shard.map().failed_on(block.id) == Some(new.volume) {
            return Err(transition::distrusted(&store.extended(block)));
        }
        let [meta_name, data_name] = FileName::pair(place, block);
        let data = folders.create(&data_name)?;
        let meta = folders.create(&meta_name).inspect_err(|_| {
            let _ = folders.remove(&data_name);
        })?;
        meta.write_at(&new.spec.encode_header(), 0)?;
        let writer = shard.begin_writer();
        let replica = match place {
            Place::Tmp => Replica::temporary(block, new.volume, writer),
            Place::Rbw | Place::Finalized => Replica::rbw(block, new.volume, writer),
        };
        let block = replica.block;
        shard.map().insert(replica);
        Ok(OpenForWrite {
            block,
            volume: new.volume,
            writer,
            data,
            meta,
            spec: new.spec,
            on_disk: 0,
            partial: Vec::new(),
        })
    })
}

/// A client appends to a finalized block.
///
/// # Errors
/// When the replica is not the one that the client knows, or its last chunk is corrupt.
pub fn append<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    expected_length: u64,
    spec: ChecksumSpec,
) -> Result<Opened<S>> {
    store.with_shard(block.block.id, |shard| {
        let replica = shard.map().get(block.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(block))?;
        transition::check_append(replica, block, new_stamp, expected_length)?;
        reopen(store, shard, block, new_stamp, None, spec)
    })
}

/// A client continues an append whose set-up failed.
///
/// # Errors
/// As [`append`].
pub fn recover_append<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    expected_length: u64,
    spec: ChecksumSpec,
) -> Result<Opened<S>> {
    until_free(store, block.block.id, |shard| {
        let replica = shard.map().get(block.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(block))?;
        match transition::check_recover(replica, block, new_stamp, expected_length)? {
            Proceed::StopWriter(writer) => Ok(Err(writer)),
            Proceed::Go => reopen(store, shard, block, new_stamp, None, spec).map(Ok),
        }
    })
}

/// A client continues a block after its pipeline failed.
///
/// # Errors
/// When the replica is not one that the client's bytes continue.
pub fn recover_rbw<S: Store>(
    store: &S,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    (min_bytes, max_bytes): (u64, u64),
    spec: ChecksumSpec,
) -> Result<Opened<S>> {
    until_free(store, block.block.id, |shard| {
        let replica = shard.map().get(block.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(block))?;
        match transition::check_recover_rbw(replica, block, new_stamp, min_bytes, max_bytes)? {
            Proceed::StopWriter(writer) => Ok(Err(writer)),
            Proceed::Go => {
                let lengths = files::lengths(store.folders(replica.volume), replica);
                let length = lengths.data.ok_or_else(|| transition::not_found(block))?;
                let to = transition::recover_rbw_length(replica, length)?.unwrap_or(length);
                reopen(store, shard, block, new_stamp, Some((length, to)), spec).map(Ok)
            }
        }
    })
}

/// Opens a finalized or partly written replica for writing, with a new stamp; `cut`: from and to which length.
fn reopen<S: Store>(
    store: &S,
    shard: &mut S::Shard,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    cut: Option<(u64, u64)>,
    wanted: ChecksumSpec,
) -> Result<Opened<S>> {
    let id = block.block.id;
    let replica = shard.map().get(id).ok_or_else(|| transition::non_existent(block))?.clone();
    let folders = store.folders(replica.volume);
    let old_names = FileName::pair(replica.place, replica.block);
    let [meta_name, data_name] = &old_names;
    let (data, meta) = (folders.open_to_change(data_name)?, folders.open_to_change(meta_name)?);
    let spec = read_spec(&meta)?;
    check_chunks(spec, wanted)?;
    let length = cut.map_or(replica.block.num_bytes, |(_, to)| to);
    let prepare = || -> Result<Vec<u8>, FileError> {
        if let Some((from, to)) = cut
            && to < from
        {
            truncate_block(&data, &meta, spec, from, to)?;
        }
        let (partial, _) = read_partial_chunk(&data, &meta, spec, length)?;
        let renamed = Block { generation_stamp: new_stamp, ..replica.block };
        move_both(folders, &old_names, &FileName::pair(Place::Rbw, renamed))?;
        // The NameNode counts on the new stamp as soon as the pipeline stands: a power cut must not bring the old one back,
        // or no replica is new enough for a recovery, and bytes that were durable before are lost.
        folders.sync_folder(Place::Rbw, id)?;
        if replica.place == Place::Finalized {
            folders.sync_folder(Place::Finalized, id)?;
        }
        Ok(partial)
    };
    let partial = prepare().map_err(|error| distrust(shard.map(), id, error))?;
    let writer = shard.begin_writer();
    shard.forget_open(id);
    if replica.place == Place::Finalized {
        folders.add_used(-(length + spec.meta_bytes(length)).cast_signed());
    }
    let last_sum = (!partial.is_empty()).then(|| checksum::sum(spec.kind, &partial));
    let entry = shard.map().get_mut(id).ok_or_else(|| transition::non_existent(block))?;
    if entry.pipeline().is_some() {
        entry.resume(new_stamp, length, writer);
    } else {
        entry.into_rbw(new_stamp, writer);
    }
    entry.wrote(length, last_sum);
    let block = entry.block;
    Ok(OpenForWrite {
        block,
        volume: replica.volume,
        writer,
        data,
        meta,
        spec,
        on_disk: length,
        partial,
    })
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

/// Moves the checksums, then the data; when the data can't follow, the checksums go back, so that they stay together.
pub(super) fn move_both(
    folders: &impl Folders,
    from: &[FileName; 2],
    to: &[FileName; 2],
) -> Result<(), FileError> {
    move_file(folders, &from[0], &to[0])?;
    let Err(error) = move_file(folders, &from[1], &to[1]) else { return Ok(()) };
    if let Err(apart) = move_file(folders, &to[0], &from[0]) {
        folders.note("move checksums back", &apart);
        return Err(FileError::Apart(error));
    }
    Err(error.into())
}

/// Renames unless the name stays the same.
fn move_file(folders: &impl Folders, from: &FileName, to: &FileName) -> Result<()> {
    let name = |of: &FileName| {
        let stamp = match of.part {
            files::Part::Data => GenerationStamp(0),
            files::Part::Meta => of.block.generation_stamp,
        };
        (of.place, of.block.id, stamp, of.part)
    };
    if name(from) == name(to) { Ok(()) } else { folders.rename(from, to) }
}
