//! Replicas that are open for reading. Files of finalized replicas stay open for a while: the next reader is there soon.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdfs_datanode::files::{read_partial_chunk, read_spec};
use hdfs_datanode::{Replica, State, transition};
use hdfs_datapath::ChecksumSpec;
use hdfs_types::{Block, Error, ExtendedBlock, ReplicaState, Result};

use super::super::files::DiskFile;
use super::super::volume::io_error;
use super::Pool;

/// Open files kept for each of the 64 shards.
const OPEN_PER_SHARD: usize = 4;
/// How long a reader of a block that is being written waits for bytes that it knows of.
const WAIT_FOR_BYTES: Duration = Duration::from_secs(3);

/// Both files of a replica.
#[derive(Debug)]
pub(crate) struct OpenReplica {
    /// The block as it was when the files were opened.
    pub block: Block,
    /// The block file.
    pub data: File,
    /// The `.meta` file.
    pub meta: File,
    /// The checksums.
    pub spec: ChecksumSpec,
    /// Where the block file is, for messages.
    pub path: PathBuf,
    /// For a finalized replica: the checksum of its partial last chunk. An append replaces that in the file.
    last_sum: Option<u32>,
}

/// What one reader sees: it does not change while the block grows.
#[derive(Clone, Debug)]
pub(crate) struct ReadView {
    /// The files.
    pub open: Arc<OpenReplica>,
    /// Bytes that may be read.
    pub length: u64,
    /// Bytes that every node of the pipeline has; all of them for a finalized replica.
    pub visible: u64,
    /// The checksum of the partial last chunk that ends at `length`.
    pub last_sum: Option<u32>,
}

impl Pool {
    /// Opens a replica for a reader who wants bytes up to `end`.
    ///
    /// # Errors
    /// When the replica is not here, older than the reader's block, not readable, or its files are gone or corrupt.
    pub(crate) fn open_for_read(&self, block: &ExtendedBlock, end: u64) -> Result<ReadView> {
        let id = block.block.id;
        let started = Instant::now();
        loop {
            let shard = self.shard(id);
            let replica = shard.map.get(id).ok_or_else(|| transition::not_found(block))?;
            let visible = transition::check_read(replica, block)?;
            let on_disk = replica.bytes_on_disk();
            if replica.state() == ReplicaState::Rbw && on_disk < end {
                drop(shard);
                if started.elapsed() > WAIT_FOR_BYTES {
                    return Err(Error::io(format!(
                        "Need {end} bytes, but only {on_disk} bytes available"
                    )));
                }
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            let replica = replica.clone();
            let finalized = replica.state() == ReplicaState::Finalized;
            let cached = shard.open.iter().find(|open| open.block == replica.block && finalized);
            let cached = cached.cloned();
            drop(shard);
            let open = match cached {
                Some(open) => open,
                // Without the lock: a slow disk holds nobody else up.
                None => match self.open_files(&replica) {
                    Ok(open) => {
                        let open = Arc::new(open);
                        if finalized && !self.keep_open(&replica, &open) {
                            // An append began meanwhile: the checksum of the last chunk may be its already.
                            continue;
                        }
                        open
                    }
                    // Its files moved meanwhile: look again.
                    Err(_) if self.replica(id).as_ref() != Some(&replica) => continue,
                    Err(error) => return Err(error),
                },
            };
            let last_sum = match &replica.state {
                State::Rbw(pipeline) => pipeline.last_sum,
                _ => open.last_sum,
            };
            return Ok(ReadView { open, length: on_disk, visible, last_sum });
        }
    }

    /// Keeps the files of a finalized replica for the next reader; `false` when it is no longer as it was.
    fn keep_open(&self, replica: &Replica, open: &Arc<OpenReplica>) -> bool {
        let mut shard = self.shard(replica.block.id);
        if shard.map.get(replica.block.id) != Some(replica) {
            return false;
        }
        if shard.open.len() >= OPEN_PER_SHARD {
            shard.open.remove(0);
        }
        shard.open.push(Arc::clone(open));
        true
    }

    fn open_files(&self, replica: &Replica) -> Result<OpenReplica> {
        let (data_path, meta_path) =
            self.dirs_of(replica.volume).files(replica.place, &replica.block);
        let volume = self.volume(replica.volume);
        let open = |path: PathBuf| match File::open(&path) {
            Ok(file) => Ok(DiskFile::new(file, path, volume)),
            Err(error) => Err(io_error("open", &path, error)),
        };
        let (data, meta) = (open(data_path)?, open(meta_path)?);
        let spec = read_spec(&meta)?;
        let length = replica.bytes_on_disk();
        let last_sum = match replica.state {
            State::Rbw(_) => None,
            // A corrupt last chunk is for the reader to find: it must still be able to read the rest.
            _ => read_partial_chunk(&data, &meta, spec, length).map_or(None, |(_, sum)| sum),
        };
        let (path, data, meta) = (data.path, data.file, meta.file);
        Ok(OpenReplica { block: replica.block, data, meta, spec, path, last_sum })
    }
}
