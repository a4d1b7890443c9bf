//! A limit of bytes a second, shared by all who wait on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdfs_rt::clock;
use parking_lot::Mutex;

/// Bytes that may go at once after a pause, as a share of the limit: half a second's worth.
const BURST_DIVISOR: u64 = 2;

/// Slows its callers down to a limit.
#[derive(Debug)]
pub(crate) struct Throttle {
    bytes_per_second: AtomicU64,
    /// When the bytes that were let through so far would have been sent at exactly the limit, in nanoseconds.
    paid_until: Mutex<u64>,
}

impl Throttle {
    /// With this limit; 0 means none.
    pub(crate) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: AtomicU64::new(bytes_per_second), paid_until: Mutex::new(0) }
    }

    /// The limit.
    pub(crate) fn limit(&self) -> u64 {
        self.bytes_per_second.load(Ordering::Relaxed)
    }

    /// Sets another limit, from the next call on.
    pub(crate) fn set_limit(&self, bytes_per_second: u64) {
        self.bytes_per_second.store(bytes_per_second, Ordering::Relaxed);
    }

    /// So many bytes were sent: waits until the next may.
    pub(crate) fn wait(&self, bytes: u64) {
        let limit = self.limit();
        if limit == 0 {
            return;
        }
        let now = clock::mono().0;
        let cost = u128::from(bytes) * 1_000_000_000 / u128::from(limit);
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let until = {
            let mut paid_until = self.paid_until.lock();
            let earliest = now.saturating_sub(1_000_000_000 / BURST_DIVISOR);
            *paid_until = (*paid_until).max(earliest).saturating_add(cost);
            *paid_until
        };
        if until > now {
            std::thread::sleep(Duration::from_nanos(until - now));
        }
    }
}
