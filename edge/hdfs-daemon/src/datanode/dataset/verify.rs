//! Reading a complete replica as nobody but the block scanner does: all of it, from the disk, against its checksums.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hdfs_datanode::files::{BlockFile, first_unproven, read_spec};
use hdfs_datanode::{Replica, VolumeIndex};
use hdfs_types::{Block, BlockId, Error, ErrorKind, ExtendedBlock, ReplicaState, Result};

use super::super::files::DiskFile;
use super::super::volume::io_error;
use super::Pool;

/// Replicas that wait to be looked at before others, at most, and those that were so not long ago.
const MAX_SUSPECTS: usize = 1_000;
/// How long one is not looked at again.
const RECENTLY: Duration = Duration::from_secs(600);

/// What a scan of one replica found.
#[derive(Debug)]
pub(crate) enum Verified {
    /// All of it is as its checksums say.
    Good,
    /// It is not there any more, is being changed, or the scan was ended.
    Skipped,
    /// It is corrupt.
    Bad(Block, Error),
}

/// Replicas of which somebody thinks that they are corrupt.
#[derive(Default)]
pub(crate) struct Suspects {
    waiting: VecDeque<BlockId>,
    recent: VecDeque<(Instant, BlockId)>,
}

impl Pool {
    /// Somebody thinks that this replica is corrupt: the block scanner reads it before others.
    pub(crate) fn report_suspect(&self, block: &ExtendedBlock) {
        let id = block.block.id;
        let mut suspects = self.suspects.lock();
        while suspects.recent.front().is_some_and(|(since, _)| since.elapsed() > RECENTLY) {
            suspects.recent.pop_front();
        }
        let is_known = suspects.recent.iter().any(|(_, known)| *known == id);
        if !is_known && suspects.recent.len() < MAX_SUSPECTS {
            suspects.recent.push_back((Instant::now(), id));
            suspects.waiting.push_back(id);
            tracing::info!(%block, "suspected to be corrupt; it is scanned next");
        }
    }

    /// The next of them that is on this volume.
    pub(crate) fn next_suspect(&self, volume: VolumeIndex) -> Option<BlockId> {
        let waiting = self.suspects.lock().waiting.clone();
        let is_here = |id: &BlockId| self.replica(*id).is_none_or(|found| found.volume == volume);
        let next = waiting.into_iter().find(is_here)?;
        self.suspects.lock().waiting.retain(|id| *id != next);
        Some(next)
    }

    /// Reads a replica; `pace` is told how many bytes were read each time, and says whether to go on.
    pub(crate) fn verify(
        &self,
        id: BlockId,
        volume: VolumeIndex,
        pace: &mut dyn FnMut(u64) -> bool,
    ) -> Verified {
        let found = self.replica(id).filter(|replica| {
            replica.volume == volume && replica.state() == ReplicaState::Finalized
        });
        let Some(replica) = found else { return Verified::Skipped };
        let mut attempt = || match self.read_all(&replica, pace) {
            Ok(going_on) => Ok(going_on),
            // It is about to be deleted, appended to, or moved.
            Err(_) if self.replica(id).as_ref() != Some(&replica) => Ok(false),
            Err(error) => Err(error),
        };
        // What was wrong once may have been so in memory only.
        match attempt().or_else(|_| attempt()) {
            Ok(true) => Verified::Good,
            Ok(false) => Verified::Skipped,
            Err(error) if error.kind == ErrorKind::FileNotFound => {
                tracing::info!(block = %replica.block, %error, "scan; the directory scanner will see");
                Verified::Skipped
            }
            Err(error) => Verified::Bad(replica.block, error),
        }
    }

    /// `false`: the scan was ended.
    fn read_all(&self, replica: &Replica, pace: &mut dyn FnMut(u64) -> bool) -> Result<bool> {
        let volume = self.volume(replica.volume);
        let (data, meta) = self.dirs_of(replica.volume).files(replica.place, &replica.block);
        let open = |path: PathBuf| match File::open(&path) {
            Ok(file) => Ok(DiskFile::new(file, path, volume)),
            Err(error) => Err(io_error("open", &path, error)),
        };
        let (data, meta) = (open(data)?, open(meta)?);
        data.forget_cached();
        meta.forget_cached();
        let length = replica.block.num_bytes;
        let spec = read_spec(&meta)?;
        let mut goes_on = true;
        let unproven = first_unproven(&data, &meta, spec, length, &mut |bytes| {
            goes_on = pace(bytes);
            goes_on
        })?;
        // Readers have their own pages; these were needed once.
        data.forget_cached();
        meta.forget_cached();
        let text = match unproven {
            Some(at) => format!(
                "{}: the chunk of byte {at} does not match its checksum",
                data.path.display()
            ),
            None if goes_on && data.length()? != length => {
                format!("{} has {} bytes instead of {length}", data.path.display(), data.length()?)
            }
            None => return Ok(goes_on),
        };
        Err(Error::new(ErrorKind::Checksum, text))
    }
}
