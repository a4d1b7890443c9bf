//! What a NameNode counts beside its calls, which the RPC servers count, and beside what its machine knows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdfs_conf::{Configuration, keys};
use hdfs_rt::metrics::Histogram;
use hdfs_rt::rpc::server::lock_wait;
use hdfs_types::Result;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustix::time::{ClockId, clock_gettime};

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct NameNodeMetrics {
    /// Full reports of one storage.
    pub(crate) storage_reports: Histogram,
    /// Looks at the free space of the name folders.
    pub(crate) resource_checks: Histogram,
    /// Entries that listings gave.
    pub(crate) listed: AtomicU64,
    pub(crate) lock: LockMetrics,
}

impl NameNodeMetrics {
    /// Reads the thresholds of long holds.
    ///
    /// # Errors
    /// When a value is no time.
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let read = conf.get_duration(&keys::DFS_NAMENODE_READ_LOCK_REPORTING_THRESHOLD_MS)?;
        let write = conf.get_duration(&keys::DFS_NAMENODE_WRITE_LOCK_REPORTING_THRESHOLD_MS)?;
        Ok(Self { lock: LockMetrics::new(read, write), ..Self::default() })
    }
}

/// Waits for the machine's lock, and long holds of it.
#[derive(Debug)]
pub(crate) struct LockMetrics {
    read_threshold: Duration,
    write_threshold: Duration,
    pub(crate) waiting: AtomicU64,
    pub(crate) long_reads: AtomicU64,
    pub(crate) long_writes: AtomicU64,
}

impl Default for LockMetrics {
    fn default() -> Self {
        Self::new(Duration::from_secs(5), Duration::from_secs(5))
    }
}

impl LockMetrics {
    /// Holds over these thresholds are counted and logged.
    pub(crate) fn new(read_threshold: Duration, write_threshold: Duration) -> Self {
        let zero = AtomicU64::default;
        let (waiting, long_reads, long_writes) = (zero(), zero(), zero());
        Self { read_threshold, write_threshold, waiting, long_reads, long_writes }
    }

    /// Takes the lock shared. Only a caller that has to wait pays for the measurement.
    pub(crate) fn read<'a, T>(&self, lock: &'a RwLock<T>) -> RwLockReadGuard<'a, T> {
        lock.try_read().unwrap_or_else(|| self.wait(|| lock.read()))
    }

    /// Takes the lock exclusively, likewise.
    pub(crate) fn write<'a, T>(&self, lock: &'a RwLock<T>) -> RwLockWriteGuard<'a, T> {
        lock.try_write().unwrap_or_else(|| self.wait(|| lock.write()))
    }

    fn wait<G>(&self, take: impl FnOnce() -> G) -> G {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let guard = take();
        lock_wait::add(began.elapsed());
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        guard
    }

    /// Tells how long the lock was held shared, and by which code.
    pub(crate) fn held_shared(&self, since: Coarse, by: &str) {
        let held = since.elapsed();
        if held >= self.read_threshold {
            self.long_reads.fetch_add(1, Ordering::Relaxed);
            let held = held.as_millis();
            tracing::warn!("the namespace lock was held shared for {held} ms by {by}");
        }
    }

    /// Tells how long the lock was held exclusively, and by which code.
    pub(crate) fn held_exclusively(&self, since: Coarse, by: &str) {
        let held = since.elapsed();
        if held >= self.write_threshold {
            self.long_writes.fetch_add(1, Ordering::Relaxed);
            let held = held.as_millis();
            tracing::warn!("the namespace lock was held exclusively for {held} ms by {by}");
        }
    }
}

/// A moment of the kernel's coarse clock: a few milliseconds exact, and a quarter of the price of the fine one.
#[derive(Clone, Copy)]
pub(crate) struct Coarse(Duration);

impl Coarse {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::MonotonicCoarse);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Self(Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0)))
    }

    fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}
