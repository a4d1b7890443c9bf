//! The settings that an administrator may change while the DataNode runs (`dfsadmin -reconfig`).
//!
//! Hadoop lists 25 keys here; those of features that are not built, or that mean nothing here, are left out.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DataNode.reconfigurePropertyImpl (3.5.0)

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hdfs_conf::{Configuration, Key, keys};
use hdfs_datanode::schedule::Intervals;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::conf::DataNodeConf;

/// What may change.
pub(crate) const KEYS: &[&Key] = &[
    &keys::DFS_DATANODE_DATA_DIR,
    &keys::DFS_DATANODE_BALANCE_MAX_CONCURRENT_MOVES,
    &keys::DFS_BLOCKREPORT_INTERVAL_MSEC,
    &keys::DFS_BLOCKREPORT_SPLIT_THRESHOLD,
    &keys::DFS_BLOCKREPORT_INITIAL_DELAY,
    &keys::DFS_DATANODE_MAX_TRANSFER_THREADS,
];

/// The values in force.
pub(crate) struct Tunable {
    max_moves: AtomicUsize,
    max_xceivers: AtomicUsize,
    report_split_threshold: AtomicU64,
    intervals: Mutex<Intervals>,
}

impl Tunable {
    /// Those of the configuration.
    pub(crate) fn new(conf: &DataNodeConf) -> Self {
        Self {
            max_moves: AtomicUsize::new(conf.max_moves),
            max_xceivers: AtomicUsize::new(conf.max_xceivers),
            report_split_threshold: AtomicU64::new(conf.report_split_threshold),
            intervals: Mutex::new(conf.intervals),
        }
    }

    /// `dfs.datanode.balance.max.concurrent.moves`.
    pub(crate) fn max_moves(&self) -> usize {
        self.max_moves.load(Ordering::Relaxed)
    }

    /// `dfs.datanode.max.transfer.threads`.
    pub(crate) fn max_xceivers(&self) -> usize {
        self.max_xceivers.load(Ordering::Relaxed)
    }

    /// `dfs.blockreport.split.threshold`.
    pub(crate) fn report_split_threshold(&self) -> u64 {
        self.report_split_threshold.load(Ordering::Relaxed)
    }

    /// Heartbeats and reports.
    pub(crate) fn intervals(&self) -> Intervals {
        *self.intervals.lock()
    }

    /// Puts a configuration in force, as far as [`KEYS`] go.
    ///
    /// # Errors
    /// When a value makes no sense; nothing changed then.
    pub(crate) fn apply(&self, conf: &Configuration) -> Result<()> {
        let new = DataNodeConf::new(conf)?;
        let refuse = |key: &Key| {
            Err(Error::new(ErrorKind::IllegalArgument, format!("{} must be above 0", key.name)))
        };
        if new.max_moves == 0 {
            return refuse(&keys::DFS_DATANODE_BALANCE_MAX_CONCURRENT_MOVES);
        }
        if new.max_xceivers == 0 {
            return refuse(&keys::DFS_DATANODE_MAX_TRANSFER_THREADS);
        }
        if new.intervals.block_report.is_zero() {
            return refuse(&keys::DFS_BLOCKREPORT_INTERVAL_MSEC);
        }
        self.max_moves.store(new.max_moves, Ordering::Relaxed);
        self.max_xceivers.store(new.max_xceivers, Ordering::Relaxed);
        self.report_split_threshold.store(new.report_split_threshold, Ordering::Relaxed);
        let mut intervals = self.intervals.lock();
        intervals.block_report = new.intervals.block_report;
        intervals.initial_delay = new.intervals.initial_delay;
        Ok(())
    }
}
