//! The directory scanner: compares the folders of complete replicas with memory, now and then.
//!
//! **Invariant:** nothing is deleted here (see [`hdfs_datanode::reconcile`]), and every finding is looked at again under the
//! lock of its block before anything is done about it: blocks come and go while folders are read.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DirectoryScanner (3.5.0)

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdfs_datanode::reconcile::{Difference, Findings};
use hdfs_rt::clock;
use hdfs_types::{Error, ErrorKind, Result, Rng};
use parking_lot::Mutex;

use super::Shared;
use super::dataset::Pool;
use super::random;
use super::volume::Volume;

/// Time that one second of work is measured in.
const SECOND_MS: u64 = 1_000;

/// Scans until the DataNode ends. The first scan comes within an interval, so that not all DataNodes begin at once.
pub(super) fn run(shared: &Arc<Shared>) {
    let interval = shared.conf.directory_scan_interval;
    let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    let mut pause = Duration::from_nanos(random::rng().next_u64() % nanos);
    while !shared.wait_for_end(pause) {
        for pool in shared.dataset.pools() {
            scan_pool(shared, &pool);
        }
        pause = interval;
    }
}

fn scan_pool(shared: &Arc<Shared>, pool: &Arc<Pool>) {
    let began = clock::mono();
    let usable = shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
    let waiting: Mutex<VecDeque<Arc<Volume>>> = Mutex::new(usable.cloned().collect());
    let findings = Mutex::new(Findings::default());
    std::thread::scope(|scope| {
        for _ in 0..shared.conf.directory_scan_threads.max(1) {
            scope.spawn(|| {
                while let Some(volume) = next(&waiting) {
                    match scan_volume(shared, pool, &volume) {
                        Ok(found) => {
                            let mut all = findings.lock();
                            *all = all.and(found);
                        }
                        Err(error) => {
                            tracing::error!(volume = %volume.root.display(), %error, "compare folders with memory");
                            if error.kind == ErrorKind::DiskError {
                                shared.check_volumes();
                            }
                        }
                    }
                }
            });
        }
    });
    let found = *findings.lock();
    let took = clock::mono().since(began).as_millis();
    let text = format!(
        "BlockPool {} Total blocks: {}, missing metadata files or wrong lengths: {}, missing block files: {}, missing blocks \
         in memory: {}, duplicated blocks: {}, files without their other half: {}, {took} ms",
        pool.id,
        found.blocks,
        found.corrupt,
        found.data_gone,
        found.unknown,
        found.duplicates,
        found.halves
    );
    if found.is_clean() {
        tracing::info!("{text}");
    } else {
        tracing::warn!("{text}");
    }
}

fn next(waiting: &Mutex<VecDeque<Arc<Volume>>>) -> Option<Arc<Volume>> {
    waiting.lock().pop_front()
}

fn scan_volume(shared: &Arc<Shared>, pool: &Arc<Pool>, volume: &Arc<Volume>) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut work = Work::new(shared.conf.directory_scan_limit_ms);
    let mut unseen = pool.finalized_on(volume.index);
    for folder in pool.finalized_folders(volume.index)? {
        for on_disk in pool.read_finalized(volume.index, &folder)? {
            findings.blocks += u64::from(on_disk.length.is_some());
            unseen.remove(&on_disk.id);
            if let Some(found) = pool.settle_difference(on_disk.id, volume.index) {
                tell(shared, pool, volume, &found, &folder);
                findings.add(&found.difference);
            }
        }
        if !work.pause(shared) {
            return Ok(findings);
        }
    }
    // What memory knows and no folder has.
    for id in unseen {
        if let Some(found) = pool.settle_difference(id, volume.index) {
            tell(shared, pool, volume, &found, &PathBuf::from("memory"));
            findings.add(&found.difference);
        }
    }
    Ok(findings)
}

/// What was found about one block and is so.
pub(crate) struct Found {
    /// The block, as memory or disk has it.
    pub block: hdfs_types::Block,
    /// What is different.
    pub difference: Difference,
}

fn tell(
    shared: &Arc<Shared>,
    pool: &Arc<Pool>,
    volume: &Volume,
    found: &Found,
    folder: &std::path::Path,
) {
    let (block, volume_root) = (pool.extended(found.block), volume.root.display());
    match found.difference {
        Difference::Unknown(_) => {
            tracing::warn!(%block, volume = %volume_root, "Added missing block to memory");
        }
        Difference::DataGone => {
            tracing::warn!(%block, volume = %volume_root, "Removed block from memory with missing block file on the disk");
        }
        Difference::Corrupt => {
            let text = format!("its files in {} are not those of memory", folder.display());
            shared.report_bad_block(&block, &Error::io(text));
        }
        Difference::Duplicate => {
            tracing::warn!(%block, volume = %volume_root, "a second copy of a block; it stays, nobody reads it");
        }
        Difference::Half => {
            tracing::warn!(%block, volume = %volume_root, "data without checksums, or checksums without data; they stay");
        }
    }
}

/// Works for so many milliseconds of each second (`dfs.datanode.directoryscan.throttle.limit.ms.per.sec`).
struct Work {
    limit_ms: u64,
    since: Instant,
}

impl Work {
    fn new(limit_ms: i64) -> Self {
        let limit_ms = u64::try_from(limit_ms).ok().filter(|limit| (1..SECOND_MS).contains(limit));
        Self { limit_ms: limit_ms.unwrap_or(SECOND_MS), since: Instant::now() }
    }

    /// Rests when it is time; `false` when the DataNode ends.
    fn pause(&mut self, shared: &Shared) -> bool {
        let worked = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        if self.limit_ms == SECOND_MS || worked < self.limit_ms {
            return !shared.is_ending();
        }
        let rest = Duration::from_millis(SECOND_MS.saturating_sub(self.limit_ms));
        let goes_on = !shared.wait_for_end(rest);
        self.since = Instant::now();
        goes_on
    }
}
