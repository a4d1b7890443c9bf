//! Latencies, counted in a log-linear histogram: each power of two is cut into 64 parts, so a percentile is at most
//! 1.6 % above the truth, whatever its size, and recording one costs a few instructions.

use std::time::Duration;

/// Parts of each power of two, as a power of two.
const PART_BITS: u32 = 6;
const PARTS: usize = 1 << PART_BITS;

/// How often each duration was seen.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum_nanos: u128,
    max_nanos: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = index(u64::MAX) + 1;
        Self { counts: vec![0; buckets], total: 0, sum_nanos: 0, max_nanos: 0 }
    }
}

/// The bucket of a number of nanoseconds.
fn index(nanos: u64) -> usize {
    let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(PART_BITS + 1);
    // Below 2^7 every nanosecond has its bucket; above, the leading seven bits choose it.
    (shift as usize) * PARTS + (nanos >> shift) as usize
}

/// The largest number of nanoseconds in a bucket.
fn upper(index: usize) -> u64 {
    if index < 2 * PARTS {
        return index as u64;
    }
    let shift = index / PARTS - 1;
    let leading = (index - shift * PARTS) as u128;
    u64::try_from(((leading + 1) << shift) - 1).unwrap_or(u64::MAX)
}

impl Histogram {
    pub(super) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[index(nanos)] += 1;
        self.total += 1;
        self.sum_nanos += u128::from(nanos);
        self.max_nanos = self.max_nanos.max(nanos);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum_nanos += other.sum_nanos;
        self.max_nanos = self.max_nanos.max(other.max_nanos);
    }

    /// How many were recorded.
    pub(super) fn count(&self) -> u64 {
        self.total
    }

    pub(super) fn max(&self) -> Duration {
        Duration::from_nanos(self.max_nanos)
    }

    pub(super) fn mean(&self) -> Duration {
        let mean = self.sum_nanos.checked_div(u128::from(self.total)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// What `share` (0 to 1) of all stay at or below.
    pub(super) fn percentile(&self, share: f64) -> Duration {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper(index).min(self.max_nanos));
            }
        }
        self.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_a_64th_above_the_truth() {
        for scale in [1_u64, 37, 1_000, 999_983] {
            let mut histogram = Histogram::default();
            // Every value from 1 to 1,000 times the scale once, in an order that is not sorted.
            for n in 0..1_000_u64 {
                histogram.record(Duration::from_nanos((n * 617 % 1_000 + 1) * scale));
            }
            assert_eq!(
                (histogram.count(), histogram.max()),
                (1_000, Duration::from_nanos(1_000 * scale))
            );
            for (share, rank) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999), (1.0, 1_000)] {
                let truth = rank * scale;
                let told = histogram.percentile(share).as_nanos() as u64;
                assert!(
                    (truth..=truth + truth / 64).contains(&told),
                    "{share}: {told} for {truth}"
                );
            }
        }
    }

    #[test]
    fn buckets_meet_without_gaps_up_to_the_largest_number() {
        let last = index(u64::MAX);
        assert_eq!(upper(last), u64::MAX);
        for bucket in 0..last {
            assert_eq!(index(upper(bucket)), bucket);
            assert_eq!(index(upper(bucket) + 1), bucket + 1);
        }
    }

    #[test]
    fn merged_histograms_are_one_of_all() {
        let (mut low, mut high) = (Histogram::default(), Histogram::default());
        (1..=9).for_each(|n| low.record(Duration::from_millis(n)));
        high.record(Duration::from_secs(1));
        low.merge(&high);
        assert_eq!((low.count(), low.percentile(1.0)), (10, Duration::from_secs(1)));
        assert_eq!(low.mean(), Duration::from_micros(104_500));
    }
}
