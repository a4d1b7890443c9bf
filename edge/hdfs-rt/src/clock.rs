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

/// Now, as `2026-11-21T12:45:38+0000`.
pub fn iso_time() -> String {
    let [year, month, day, hour, minute, second] = universal_time(wall().0 / 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+0000")
}

/// Year, month, day, hour, minute and second, in universal time, of seconds since 1970.
pub fn universal_time(seconds: u64) -> [u64; 6] {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that a leap day is the last one; eras have 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month < 3);
    [year, month, day, second / 3_600, second / 60 % 60, second % 60]
}

/// The time of day; it may jump when someone sets the clock.
pub fn wall() -> WallMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallMillis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}
