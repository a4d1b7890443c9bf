//! Volumes that fail while in use: probed after a disk error, taken out of service when the probe fails too.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.checker.DatasetVolumeChecker (3.5.0)

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use hdfs_types::Result;

use super::super::volume::{Volume, io_error};
use super::{Dataset, Pool};

impl Dataset {
    /// Writes, syncs and removes a small file on every volume. Those that can't are out of service from now on, with all
    /// their replicas; answers how many are so in all.
    pub(crate) fn check_volumes(&self) -> usize {
        for volume in self.volumes.iter().filter(|volume| !volume.has_failed()) {
            if let Err(error) = probe(&volume.root) {
                tracing::error!(
                    volume = %volume.root.display(), %error,
                    "volume failed: it takes no more blocks and its replicas are not served"
                );
                volume.fail();
                for pool in self.pools() {
                    pool.forget_volume(volume);
                }
            }
        }
        self.volumes.iter().filter(|volume| volume.has_failed()).count()
    }
}

impl Pool {
    /// Drops the replicas of a failed volume from the map; their files stay as they are.
    fn forget_volume(&self, volume: &Volume) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let lost: Vec<_> = shard
                .map
                .iter()
                .filter(|replica| replica.volume == volume.index)
                .map(|replica| replica.block.id)
                .collect();
            for id in lost {
                shard.map.remove(id);
                shard.open.retain(|open| open.block.id != id);
            }
        }
    }
}

fn probe(root: &Path) -> Result<()> {
    let path = root.join("current/.probe");
    let attempt = || -> std::io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(b"probe")?;
        file.sync_all()?;
        fs::remove_file(&path)
    };
    attempt().map_err(|error| io_error("probe", &path, error))
}
