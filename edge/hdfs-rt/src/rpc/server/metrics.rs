//! Counters of one server, readable at any time: what `RpcActivityForPort<port>` shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts of durations by power of two: bucket `i` holds those below `2^i` microseconds.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; Self::BUCKETS],
    nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), nanos: AtomicU64::new(0) }
    }
}

/// The state of a [`Histogram`] at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistogramSnapshot {
    /// How many durations.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// Counts by power of two of microseconds.
    pub buckets: [u64; Histogram::BUCKETS],
}

impl Histogram {
    /// Up to 2^31 microseconds, 36 minutes.
    pub const BUCKETS: usize = 32;

    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let (bucket, nanos) = bucket_of(duration);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let buckets = std::array::from_fn(|index| self.buckets[index].load(Ordering::Relaxed));
        HistogramSnapshot {
            count: buckets.iter().sum(),
            total: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
            buckets,
        }
    }
}

/// What one connection counted since it last told its server: plain numbers, so that a batch of calls costs a few atomic
/// additions instead of a few for each call.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) queue_time: TallyHistogram,
    pub(super) processing_time: TallyHistogram,
}

#[derive(Default)]
pub(super) struct TallyHistogram {
    buckets: [u64; Histogram::BUCKETS],
    /// One bit for each bucket that is not zero.
    used: u32,
    nanos: u64,
}

impl TallyHistogram {
    pub(super) fn record(&mut self, duration: Duration) {
        let (bucket, nanos) = bucket_of(duration);
        self.buckets[bucket] += 1;
        self.used |= 1 << bucket;
        self.nanos = self.nanos.saturating_add(nanos);
    }

    fn move_to(&mut self, histogram: &Histogram) {
        while self.used != 0 {
            let bucket = self.used.trailing_zeros() as usize;
            let count = std::mem::take(&mut self.buckets[bucket]);
            histogram.buckets[bucket].fetch_add(count, Ordering::Relaxed);
            self.used &= self.used - 1;
        }
        if self.nanos > 0 {
            histogram.nanos.fetch_add(std::mem::take(&mut self.nanos), Ordering::Relaxed);
        }
    }
}

impl Tally {
    /// Adds everything to the server's counters and starts at zero.
    pub(super) fn move_to(&mut self, metrics: &ServerMetrics) {
        for (count, counter) in
            [(&mut self.successes, &metrics.successes), (&mut self.failures, &metrics.failures)]
        {
            if *count > 0 {
                counter.fetch_add(std::mem::take(count), Ordering::Relaxed);
            }
        }
        self.queue_time.move_to(&metrics.queue_time);
        self.processing_time.move_to(&metrics.processing_time);
    }
}

/// The bucket of a duration, and its nanoseconds.
fn bucket_of(duration: Duration) -> (usize, u64) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let micros = nanos / 1_000;
    let bucket = (64 - micros.leading_zeros() as usize).min(Histogram::BUCKETS - 1);
    (bucket, nanos)
}

/// Counters of one server.
#[derive(Default, Debug)]
pub struct ServerMetrics {
    /// Connections that are open now.
    pub open_connections: AtomicU64,
    /// Connections that were refused by a limit.
    pub refused_connections: AtomicU64,
    /// Bytes read.
    pub received_bytes: AtomicU64,
    /// Bytes written.
    pub sent_bytes: AtomicU64,
    /// Calls that were answered with success.
    pub successes: AtomicU64,
    /// Calls that were answered with an error.
    pub failures: AtomicU64,
    /// Contexts that were accepted.
    pub authorization_successes: AtomicU64,
    /// Contexts that were refused.
    pub authorization_failures: AtomicU64,
    /// Calls whose reply is not there yet.
    pub calls_in_flight: AtomicU64,
    /// From the read that brought a call to its start.
    pub queue_time: Histogram,
    /// From a call's start to its reply.
    pub processing_time: Histogram,
}

impl ServerMetrics {
    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn sub(counter: &AtomicU64, amount: u64) {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }
}
