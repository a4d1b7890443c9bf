//! Counters and histograms of durations, cheap where they are written.
//!
//! [`Cell`] and [`CellHistogram`] have one writer, which pays a plain load and store; any thread may read. [`Histogram`]
//! may have many writers, which pay an atomic addition. [`Averages`] turns counts and sums into the averages of
//! Hadoop's `…AvgTime` attributes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdfs_types::FastMap;
use parking_lot::Mutex;

/// A number that one thread at a time writes.
#[derive(Default, Debug)]
pub struct Cell(AtomicU64);

impl Cell {
    /// Adds. Only the one writer may call this.
    pub fn add(&self, amount: u64) {
        self.0.store(self.get().wrapping_add(amount), Ordering::Relaxed);
    }

    /// Subtracts. Only the one writer may call this.
    pub fn sub(&self, amount: u64) {
        self.0.store(self.get().wrapping_sub(amount), Ordering::Relaxed);
    }

    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

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

impl Histogram {
    /// Up to 2^31 microseconds, 36 minutes.
    pub const BUCKETS: usize = 32;

    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let (bucket, nanos) = bucket_of(duration);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Counts what runs until the returned guard is dropped.
    pub fn time(&self) -> Timing<'_> {
        Timing { histogram: self, began: Instant::now() }
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> HistogramSnapshot {
        snapshot(&self.buckets, &self.nanos)
    }
}

/// Records the time from its making to its end.
pub struct Timing<'a> {
    histogram: &'a Histogram,
    began: Instant,
}

impl Drop for Timing<'_> {
    fn drop(&mut self) {
        self.histogram.record(self.began.elapsed());
    }
}

/// A [`Histogram`] that one thread at a time writes.
#[derive(Default, Debug)]
pub struct CellHistogram(Histogram);

impl CellHistogram {
    /// Counts one duration. Only the one writer may call this.
    pub fn record(&self, duration: Duration) {
        let (bucket, nanos) = bucket_of(duration);
        let add = |to: &AtomicU64, amount: u64| {
            to.store(to.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        };
        add(&self.0.buckets[bucket], 1);
        add(&self.0.nanos, nanos);
    }

    /// What was counted so far.
    pub fn snapshot(&self) -> HistogramSnapshot {
        self.0.snapshot()
    }
}

fn snapshot(buckets: &[AtomicU64; Histogram::BUCKETS], nanos: &AtomicU64) -> HistogramSnapshot {
    let buckets = std::array::from_fn(|index| buckets[index].load(Ordering::Relaxed));
    let total = Duration::from_nanos(nanos.load(Ordering::Relaxed));
    HistogramSnapshot { count: buckets.iter().sum(), total, buckets }
}

/// The bucket of a duration, and its nanoseconds.
fn bucket_of(duration: Duration) -> (usize, u64) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let micros = nanos / 1_000;
    let bucket = (64 - micros.leading_zeros() as usize).min(Histogram::BUCKETS - 1);
    (bucket, nanos)
}

/// The state of a [`Histogram`] at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistogramSnapshot {
    /// How many durations.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// Counts by power of two of microseconds.
    pub buckets: [u64; Histogram::BUCKETS],
}

impl HistogramSnapshot {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.total += other.total;
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
    }
}

/// Averages as Hadoop's rates show them: over the time since an earlier reading, not over the whole life.
///
/// Hadoop publishes every ten seconds; here the readings themselves are the intervals, none shorter than ten seconds.
/// Without an event since, the last average stays, as in Hadoop.
#[derive(Default, Debug)]
pub struct Averages {
    seen: Mutex<FastMap<String, Seen>>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    count: u64,
    total: f64,
    average: f64,
}

impl Averages {
    const SHORTEST: Duration = Duration::from_secs(10);

    /// The average of `total` by `count`, for the rate of this name.
    pub fn of(&self, name: &str, count: u64, total: f64) -> f64 {
        if count == 0 {
            return 0.0;
        }
        let now = Instant::now();
        let mut all = self.seen.lock();
        let Some(seen) = all.get_mut(name) else {
            let average = total / count as f64;
            all.insert(name.to_owned(), Seen { at: now, count, total, average });
            return average;
        };
        if now.duration_since(seen.at) >= Self::SHORTEST {
            if count > seen.count {
                seen.average = (total - seen.total) / (count - seen.count) as f64;
            }
            *seen = Seen { at: now, count, total, average: seen.average };
        }
        seen.average
    }

    /// The average of durations, in milliseconds.
    pub fn millis(&self, name: &str, times: &HistogramSnapshot) -> f64 {
        self.of(name, times.count, times.total.as_secs_f64() * 1_000.0)
    }

    /// The average of durations, in nanoseconds.
    pub fn nanos(&self, name: &str, times: &HistogramSnapshot) -> f64 {
        self.of(name, times.count, times.total.as_secs_f64() * 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_powers_of_two_of_microseconds() {
        let (many, one) = (Histogram::default(), CellHistogram::default());
        for micros in [0, 1, 2, 3, 1_000, u64::MAX / 2_000] {
            many.record(Duration::from_micros(micros));
            one.record(Duration::from_micros(micros));
        }
        let found = many.snapshot();
        assert_eq!(found, one.snapshot());
        assert_eq!(found.count, 6);
        assert_eq!((found.buckets[0], found.buckets[1], found.buckets[2]), (1, 1, 2));
        assert_eq!((found.buckets[10], found.buckets[31]), (1, 1));
    }

    #[test]
    fn an_average_stays_until_an_interval_is_over() {
        let averages = Averages::default();
        assert_eq!(averages.of("a", 0, 0.0), 0.0);
        assert_eq!(averages.of("a", 4, 8.0), 2.0);
        assert_eq!(averages.of("a", 5, 100.0), 2.0);
        if let Some(seen) = averages.seen.lock().get_mut("a") {
            seen.at -= Averages::SHORTEST;
        }
        assert_eq!(averages.of("a", 6, 18.0), 5.0);
    }
}
