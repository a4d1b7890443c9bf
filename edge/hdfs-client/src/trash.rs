//! Names in the trash.
//!
//! ```text
//! <home>/.Trash/Current/<path>           deleted since the last checkpoint
//! <home>/.Trash/<yyMMddHHmmss>/<path>    deleted before it; removed when older than fs.trash.interval
//! ```
//!
//! Hadoop: org.apache.hadoop.fs.TrashPolicyDefault (3.5.0)

use chrono::{DateTime, Local, NaiveDateTime, TimeZone as _};

/// The folder of the trash in a home directory.
pub const FOLDER: &str = ".Trash";
/// The folder of what was deleted since the last checkpoint.
pub const CURRENT: &str = "Current";
/// Checkpoints within one second get a number behind their name, up to this one.
pub const MAX_ATTEMPTS: u32 = 1_000;

const FORMAT: &str = "%y%m%d%H%M%S";

/// The name of a checkpoint that is made now: milliseconds since 1970, in the time zone of this machine.
pub fn checkpoint_name(now_ms: u64) -> String {
    let utc = i64::try_from(now_ms).ok().and_then(DateTime::from_timestamp_millis);
    utc.unwrap_or_default().with_timezone(&Local).format(FORMAT).to_string()
}

/// The time in a checkpoint's name, in milliseconds since 1970; Java reads no further than the time goes.
pub fn checkpoint_time(name: &str) -> Option<u64> {
    let time = NaiveDateTime::parse_from_str(name.get(..12)?, FORMAT).ok()?;
    u64::try_from(Local.from_local_datetime(&time).earliest()?.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_checkpoints_hold_their_second() {
        let now = 1_795_266_300_326;
        assert_eq!(checkpoint_time(&checkpoint_name(now)), Some(now - 326));
        assert_eq!(checkpoint_time(&(checkpoint_name(now) + "-7")), Some(now - 326));
        for no_checkpoint in ["Current", "", "26112", "261399000000", "äöü261121"] {
            assert_eq!(checkpoint_time(no_checkpoint), None, "{no_checkpoint}");
        }
    }
}
