//! Volumes that fail while in use: probed after a disk error, taken out of service when the probe fails too. A volume that
//! failed a sync, or that does not tell its space, needs no probe.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.checker.DatasetVolumeChecker (3.5.0)

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use hdfs_datanode::VolumeIndex;
use hdfs_types::{Block, Result};

use super::super::volume::{Volume, io_error};
use super::{Dataset, Pool, StopHandle};

impl Dataset {
    /// Writes, syncs and removes a small file on every volume. Those that can't are out of service from now on, with all
    /// their replicas; answers how many are so in all.
    pub(crate) fn check_volumes(&self) -> usize {
        for volume in self.volumes.iter().filter(|volume| !volume.has_failed()) {
            if let Err(error) = probe(&volume.root) {
                volume.fail(&error);
            }
        }
        for volume in self.volumes.iter() {
            if volume.begin_to_forget() {
                self.pools().iter().for_each(|pool| pool.forget_volume(volume));
            }
        }
        self.failed_at_start().len()
            + self.volumes.iter().filter(|volume| volume.has_failed()).count()
    }

    /// True when a volume failed on the way and [`Self::check_volumes`] has not run since.
    pub(crate) fn has_new_failure(&self) -> bool {
        self.volumes.iter().any(|volume| volume.awaits_forgetting())
    }
}

impl Pool {
    /// Drops the replicas of a failed volume from the map and stops their writers; their files stay as they are.
    fn forget_volume(&self, volume: &Volume) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let lost: Vec<_> = shard
                .map
                .iter()
                .filter(|replica| replica.volume == volume.index)
                .map(|replica| (replica.block.id, replica.writer()))
                .collect();
            for (id, writer) in lost {
                shard.map.fail(id);
                shard.open.retain(|open| open.block.id != id);
                let stop = writer.and_then(|writer| shard.writers.get(&writer).cloned());
                if let Some(stop) = stop {
                    stop.cut();
                }
            }
        }
    }
}

impl Pool {
    /// Forgets the replicas of a volume that an administrator takes out; answers them with those who write them.
    pub(super) fn drop_volume(&self, volume: VolumeIndex) -> Vec<(Block, Option<Arc<StopHandle>>)> {
        let mut dropped = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock();
            let here = shard.map.iter().filter(|replica| replica.volume == volume);
            let here: Vec<_> = here.map(|replica| (replica.block, replica.writer())).collect();
            for (block, writer) in here {
                shard.map.remove(block.id);
                shard.open.retain(|open| open.block.id != block.id);
                let stop = writer.and_then(|writer| shard.writers.get(&writer).cloned());
                dropped.push((block, stop));
            }
        }
        dropped
    }
}

fn probe(root: &Path) -> Result<()> {
    let path = root.join("current/.probe");
    let attempt = || -> io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(b"probe")?;
        file.sync_all()?;
        fs::remove_file(&path)
    };
    match attempt() {
        // A full disk is no broken one.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            let _ = fs::remove_file(&path);
            Ok(())
        }
        done => done.map_err(|error| io_error("probe", &path, error)),
    }
}
