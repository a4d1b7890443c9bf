//! The checks and changes of a replica's life, in Hadoop's order and with Hadoop's messages.
//!
//! Every function looks at a replica under its shard's lock. Those that answer [`Proceed::StopWriter`] ask the caller to
//! stop that writer without the lock, and to call again.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.FsDatasetImpl (3.5.0)

use crate::replica::{InPipeline, Place, Replica, State, WriterId};
use hdfs_types::{Block, Error, ErrorKind, ExtendedBlock, GenerationStamp, ReplicaState, Result};

/// May the caller go on?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proceed {
    /// Yes.
    Go,
    /// Not before this writer has ended.
    StopWriter(WriterId),
}

/// The error for a block that is not here.
pub fn not_found(block: &ExtendedBlock) -> Error {
    Error::new(
        ErrorKind::ReplicaNotFound,
        format!(
            "Replica not found for {block}. The block may have been removed recently by the balancer or by \
             intentionally reducing the replication factor. This condition is usually harmless. To be certain, please \
             check the preceding datanode log messages for signs of a more serious issue."
        ),
    )
}

/// The error for a block that recovery or a pipeline expects and that is not here.
pub fn non_existent(block: &ExtendedBlock) -> Error {
    Error::new(ErrorKind::ReplicaNotFound, format!("Replica does not exist {block}"))
}

/// The error for a replica whose files are here and are not trusted before the next start.
pub fn distrusted(block: &ExtendedBlock) -> Error {
    Error::io(format!(
        "the files of {block} here are not trusted: a sync of them failed, or their volume did; the next start of the \
         DataNode reads them again"
    ))
}

fn missing(message: String) -> Error {
    Error::new(ErrorKind::ReplicaNotFound, message)
}

fn exists(block: &ExtendedBlock, state: ReplicaState) -> Error {
    Error::new(
        ErrorKind::ReplicaAlreadyExists,
        format!(
            "Block {block} already exists in state {} and thus cannot be created.",
            state.name()
        ),
    )
}

/// A client starts a block: may it be created, when this is here already?
///
/// A set-up that was retried with a new stamp replaces what its first attempt left; anything else is refused.
///
/// # Errors
/// When the replica stays.
pub fn check_create_rbw(
    existing: &Replica,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
) -> Result<Proceed> {
    let retried = new_stamp.0 != 0
        && existing.state() == ReplicaState::Rbw
        && existing.block.generation_stamp <= new_stamp;
    if !retried {
        return Err(exists(block, existing.state()));
    }
    Ok(existing.writer().map_or(Proceed::Go, Proceed::StopWriter))
}

/// A DataNode starts to copy a block here: may it, when this is here already? The replica is deleted first.
///
/// # Errors
/// When the replica stays.
pub fn check_create_temporary(
    existing: &Replica,
    block: &ExtendedBlock,
    is_transfer: bool,
) -> Result<Proceed> {
    let in_pipeline = matches!(existing.state(), ReplicaState::Temporary | ReplicaState::Rbw);
    if existing.block.generation_stamp >= block.block.generation_stamp
        || (!is_transfer && !in_pipeline)
    {
        return Err(exists(block, existing.state()));
    }
    Ok(existing.writer().map_or(Proceed::Go, Proceed::StopWriter))
}

/// A client appends to a finalized block.
///
/// # Errors
/// When the replica is not the one the client knows.
pub fn check_append(
    replica: &Replica,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    expected_length: u64,
) -> Result<()> {
    if new_stamp < block.block.generation_stamp || new_stamp < replica.block.generation_stamp {
        return Err(Error::io(format!(
            "The new generation stamp {new_stamp} should be greater than the replica {block}'s generation stamp"
        )));
    }
    if replica.state() != ReplicaState::Finalized {
        return Err(missing(format!("Cannot append to an unfinalized replica {block}")));
    }
    check_stored_stamp(replica, block)?;
    check_length(replica, expected_length)
}

/// Hadoop looks a replica up by id and stamp where a client names both.
fn check_stored_stamp(replica: &Replica, block: &ExtendedBlock) -> Result<()> {
    if replica.block.generation_stamp == block.block.generation_stamp {
        Ok(())
    } else {
        Err(non_existent(block))
    }
}

fn check_length(replica: &Replica, expected: u64) -> Result<()> {
    if replica.block.num_bytes == expected {
        return Ok(());
    }
    Err(Error::io(format!(
        "Corrupted replica {replica} with a length of {} expected length is {expected}",
        replica.block.num_bytes
    )))
}

/// A client recovers a failed append or a failed close.
///
/// # Errors
/// When the replica is not the one the client knows.
pub fn check_recover(
    replica: &Replica,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    expected_length: u64,
) -> Result<Proceed> {
    if !matches!(replica.state(), ReplicaState::Finalized | ReplicaState::Rbw) {
        return Err(missing(format!(
            "Cannot recover append/close to a replica that's not FINALIZED and not RBW {replica}"
        )));
    }
    let stamp = replica.block.generation_stamp;
    if stamp < block.block.generation_stamp || stamp > new_stamp {
        return Err(missing(format!(
            "Cannot append to a replica with unexpected generation stamp {stamp}. Expected GS range is [{}, \
             {new_stamp}].",
            block.block.generation_stamp
        )));
    }
    if let State::Rbw(pipeline) = &replica.state {
        if let Some(writer) = pipeline.writer {
            return Ok(Proceed::StopWriter(writer));
        }
        let received = replica.block.num_bytes;
        if received != pipeline.bytes_on_disk || received != pipeline.bytes_acked {
            return Err(Error::new(
                ErrorKind::ReplicaAlreadyExists,
                format!(
                    "RBW replica {replica}bytesRcvd({received}), bytesOnDisk({}), and bytesAcked({}) are not the \
                     same.",
                    pipeline.bytes_on_disk, pipeline.bytes_acked
                ),
            ));
        }
    }
    check_length(replica, expected_length)?;
    Ok(Proceed::Go)
}

/// A client recovers a pipeline in the middle of a block.
///
/// # Errors
/// When the replica is not one that the client's bytes continue.
pub fn check_recover_rbw(
    replica: &Replica,
    block: &ExtendedBlock,
    new_stamp: GenerationStamp,
    min_bytes: u64,
    max_bytes: u64,
) -> Result<Proceed> {
    let State::Rbw(pipeline) = &replica.state else {
        return Err(missing(format!("Cannot recover a non-RBW replica {replica}")));
    };
    if let Some(writer) = pipeline.writer {
        return Ok(Proceed::StopWriter(writer));
    }
    let stamp = replica.block.generation_stamp;
    if stamp < block.block.generation_stamp || stamp > new_stamp {
        return Err(missing(format!(
            "Cannot append to a replica with unexpected generation stamp {block}. Expected GS range is [{}, \
             {new_stamp}].",
            block.block.generation_stamp
        )));
    }
    let (acked, received) = (pipeline.bytes_acked, replica.block.num_bytes);
    if acked < min_bytes || received > max_bytes {
        return Err(missing(format!(
            "Unmatched length replica {replica}: BytesAcked = {acked} BytesRcvd = {received} are not in the range of \
             [{min_bytes}, {max_bytes}]."
        )));
    }
    Ok(Proceed::Go)
}

/// After [`check_recover_rbw`], with the length of the block file: to which length the files are cut. What lies beyond
/// the acknowledged bytes may be corrupt: no other node vouches for it.
///
/// # Errors
/// When acknowledged bytes are missing on disk.
pub fn recover_rbw_length(replica: &Replica, file_length: u64) -> Result<Option<u64>> {
    let acked = replica.pipeline().map_or(0, |pipeline| pipeline.bytes_acked);
    if file_length < acked {
        return Err(missing(format!(
            "Found fewer bytesOnDisk than bytesAcked for replica {replica}"
        )));
    }
    Ok((file_length > acked).then_some(acked))
}

/// A transferred copy becomes part of a pipeline.
///
/// # Errors
/// When it is not the copy that was asked for.
pub fn check_convert_temporary(replica: &Replica, block: &ExtendedBlock) -> Result<()> {
    let expected = block.block.generation_stamp;
    if replica.state() != ReplicaState::Temporary {
        let message = format!("r.getState() != ReplicaState.TEMPORARY, r={replica}");
        return Err(Error::new(ErrorKind::ReplicaAlreadyExists, message));
    }
    if replica.block.generation_stamp != expected {
        let message =
            format!("temp.getGenerationStamp() != expectedGs = {expected}, temp={replica}");
        return Err(Error::new(ErrorKind::ReplicaAlreadyExists, message));
    }
    if replica.block.num_bytes < block.block.num_bytes {
        return Err(Error::io(format!(
            "{} = numBytes < visible = {}, temp={replica}",
            replica.block.num_bytes, block.block.num_bytes
        )));
    }
    Ok(())
}

/// May this reader read? Answers the stamp that the replica has, which may be newer than the reader's.
///
/// # Errors
/// When the replica is older than what the reader knows, or not readable.
pub fn check_read(replica: &Replica, block: &ExtendedBlock) -> Result<u64> {
    if replica.block.generation_stamp < block.block.generation_stamp {
        return Err(Error::io(format!(
            "Replica gen stamp < block genstamp, block={block}, replica={replica}"
        )));
    }
    replica.visible_length().ok_or_else(|| {
        Error::io(format!("Replica is not readable, block={block}, replica={replica}"))
    })
}

impl Replica {
    /// A finalized or waiting replica continues in a pipeline, with a new version. Its files must be in `rbw` by now.
    pub fn into_rbw(&mut self, new_stamp: GenerationStamp, writer: WriterId) {
        let length = self.block.num_bytes;
        self.bump(new_stamp);
        self.place = Place::Rbw;
        self.state = State::Rbw(Box::new(InPipeline {
            bytes_on_disk: length,
            bytes_acked: length,
            last_sum: None,
            writer: Some(writer),
        }));
    }

    /// A replica in a pipeline continues after recovery, cut to `length`, with a new version and writer.
    pub fn resume(&mut self, new_stamp: GenerationStamp, length: u64, writer: WriterId) {
        self.bump(new_stamp);
        self.block.num_bytes = length;
        if let Some(pipeline) = self.pipeline_mut() {
            pipeline.bytes_on_disk = length;
            pipeline.bytes_acked = pipeline.bytes_acked.min(length);
            pipeline.last_sum = None;
            pipeline.writer = Some(writer);
        }
    }

    /// A transferred copy becomes readable as part of a pipeline. Its files must be in `rbw` by now.
    pub fn convert_to_rbw(&mut self, visible: u64) {
        let on_disk = self.bytes_on_disk();
        self.place = Place::Rbw;
        self.state = State::Rbw(Box::new(InPipeline {
            bytes_on_disk: on_disk,
            bytes_acked: visible,
            last_sum: None,
            writer: None,
        }));
    }

    /// The replica is complete. Its files must be in `finalized` by now.
    pub fn finalize(&mut self) {
        self.block.num_bytes = self.bytes_on_disk();
        self.place = Place::Finalized;
        self.state = State::Finalized;
    }

    /// The writer wrote: so many bytes are in the file, with this checksum of a partial last chunk.
    pub fn wrote(&mut self, bytes_on_disk: u64, last_sum: Option<u32>) {
        self.block.num_bytes = self.block.num_bytes.max(bytes_on_disk);
        if let Some(pipeline) = self.pipeline_mut() {
            pipeline.bytes_on_disk = bytes_on_disk;
            pipeline.last_sum = last_sum;
        }
    }

    /// Every node of the pipeline has so many bytes.
    pub fn acked(&mut self, bytes: u64) {
        if let Some(pipeline) = self.pipeline_mut() {
            pipeline.bytes_acked = pipeline.bytes_acked.max(bytes);
        }
    }

    /// The writer ended; `true` when it was this one.
    pub fn release(&mut self, writer: WriterId) -> bool {
        match self.pipeline_mut() {
            Some(pipeline) if pipeline.writer == Some(writer) => {
                pipeline.writer = None;
                true
            }
            _ => false,
        }
    }
}

/// Of two copies of one block found at start, the better: newer, then longer, then the first.
pub fn better_duplicate<'a>(first: &'a Block, second: &'a Block) -> &'a Block {
    let key = |block: &Block| (block.generation_stamp, block.num_bytes);
    if key(second) > key(first) { second } else { first }
}

#[cfg(test)]
mod tests;
