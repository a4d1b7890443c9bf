//! The real clocks: what machines in `core/` get as arguments.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hdfs_types::{Mono, WallMillis};

/// Monotonic time since this function was first called; only differences mean anything.
pub fn mono() -> Mono {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    Mono(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

/// The time of day; it may jump when someone sets the clock.
pub fn wall() -> WallMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallMillis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
