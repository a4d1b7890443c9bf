//! When a DataNode talks to one NameNode: heartbeats, full block reports, incremental ones.
//!
//! Times are monotonic and passed in. A full report needs a lease, asked for by a heartbeat, unless it is forced.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BPServiceActor.Scheduler (3.5.0)

use hdfs_types::{Mono, Rng};
use std::time::Duration;

/// The intervals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intervals {
    /// `dfs.heartbeat.interval` (3 s).
    pub heartbeat: Duration,
    /// `dfs.blockreport.intervalMsec` (6 h).
    pub block_report: Duration,
    /// `dfs.blockreport.initialDelay` (0): the first report comes within so long after registration.
    pub initial_delay: Duration,
}

/// The schedule towards one NameNode.
#[derive(Clone, Debug)]
pub struct Schedule {
    intervals: Intervals,
    next_heartbeat: Mono,
    next_report: Mono,
    /// Spread the next report over a whole interval: not all DataNodes at once.
    spread_next: bool,
    forced: bool,
    /// Lease for a full report; 0 when there is none.
    lease: u64,
}

impl Schedule {
    /// Everything is due at once.
    pub fn new(intervals: Intervals, now: Mono) -> Self {
        Self {
            intervals,
            next_heartbeat: now,
            next_report: now,
            spread_next: true,
            forced: false,
            lease: 0,
        }
    }

    /// The NameNode accepted the registration: heartbeat now, report after a random short delay.
    pub fn handle_registered(&mut self, now: Mono, rng: &mut dyn Rng) {
        self.lease = 0;
        self.next_heartbeat = now;
        self.next_report = now.after(random_below(self.intervals.initial_delay, rng));
        self.spread_next = true;
    }

    /// Other intervals, for what is scheduled from now on.
    pub fn set_intervals(&mut self, intervals: Intervals) {
        self.intervals = intervals;
    }

    /// Is a heartbeat due?
    pub fn heartbeat_due(&self, now: Mono) -> bool {
        self.next_heartbeat <= now
    }

    /// A heartbeat goes out.
    pub fn handle_heartbeat_sent(&mut self, now: Mono) {
        self.next_heartbeat = now.after(self.intervals.heartbeat);
    }

    /// Send the next heartbeat at once.
    pub fn heartbeat_now(&mut self, now: Mono) {
        self.next_heartbeat = now;
    }

    /// Should the heartbeat ask for a lease for a full report?
    pub fn wants_lease(&self, now: Mono) -> bool {
        self.lease == 0 && self.next_report <= now
    }

    /// A heartbeat's answer brought a lease (0: none).
    pub fn handle_lease(&mut self, lease: u64) {
        if lease != 0 {
            self.lease = lease;
        }
    }

    /// The NameNode refused the lease.
    pub fn handle_lease_refused(&mut self) {
        self.lease = 0;
    }

    /// An operator or a test asks for a full report.
    pub fn force_report(&mut self) {
        self.forced = true;
        self.spread_next = true;
    }

    /// The lease to send a full report with, when one is to be sent now; 0 for a forced one without.
    pub fn take_report(&mut self) -> Option<u64> {
        if self.lease == 0 && !self.forced {
            return None;
        }
        self.forced = false;
        Some(std::mem::take(&mut self.lease))
    }

    /// A full report went through.
    pub fn handle_report_sent(&mut self, now: Mono, rng: &mut dyn Rng) {
        let interval = self.intervals.block_report;
        if self.spread_next {
            self.spread_next = false;
            self.next_report = now.after(random_below(interval, rng));
            return;
        }
        // Keep the rhythm: the first time after now that lies a whole number of intervals after the last one.
        let late = now.since(self.next_report).as_nanos() / interval.as_nanos().max(1);
        let steps = u32::try_from(late + 1).unwrap_or(u32::MAX);
        self.next_report = self.next_report.after(interval.saturating_mul(steps));
    }

    /// When something is due next, incremental reports aside.
    pub fn poll_timeout(&self) -> Mono {
        self.next_heartbeat
    }
}

fn random_below(limit: Duration, rng: &mut dyn Rng) -> Duration {
    let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(if limit == 0 { 0 } else { rng.below(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_types::SplitMix64;

    const SECOND: u64 = 1_000_000_000;

    fn schedule() -> Schedule {
        let intervals = Intervals {
            heartbeat: Duration::from_secs(3),
            block_report: Duration::from_secs(100),
            initial_delay: Duration::ZERO,
        };
        Schedule::new(intervals, Mono(0))
    }

    #[test]
    fn a_full_report_waits_for_its_lease() {
        let mut rng = SplitMix64(1);
        let mut schedule = schedule();
        schedule.handle_registered(Mono(5), &mut rng);
        assert!(schedule.heartbeat_due(Mono(5)) && schedule.wants_lease(Mono(5)));
        schedule.handle_heartbeat_sent(Mono(5));
        assert_eq!(schedule.poll_timeout(), Mono(5 + 3 * SECOND));
        assert_eq!(schedule.take_report(), None);
        schedule.handle_lease(9);
        assert!(!schedule.wants_lease(Mono(6)));
        assert_eq!(schedule.take_report(), Some(9));
        schedule.handle_report_sent(Mono(6), &mut rng);
        assert!(!schedule.wants_lease(Mono(6)));
        assert!(schedule.wants_lease(Mono(6 + 100 * SECOND)));
    }

    #[test]
    fn reports_keep_their_rhythm() {
        let mut rng = SplitMix64(1);
        let mut schedule = schedule();
        schedule.handle_report_sent(Mono(0), &mut rng);
        let first = schedule.next_report;
        let late = first.after(Duration::from_secs(250));
        schedule.handle_report_sent(late, &mut rng);
        assert_eq!(schedule.next_report, first.after(Duration::from_secs(300)));
    }

    #[test]
    fn a_forced_report_needs_no_lease() {
        let mut schedule = schedule();
        schedule.force_report();
        assert_eq!(schedule.take_report(), Some(0));
        assert_eq!(schedule.take_report(), None);
    }
}
