//! `hdfs cacheadmin`: pools and directives of the centralized cache.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.CacheAdmin (3.5.0)

mod directives;
mod pools;

use crate::admin_tool::{AdminCommand, AdminTool, Stop};

pub(crate) static TOOL: AdminTool = AdminTool { name: "cacheadmin", commands: &COMMANDS };

static COMMANDS: [AdminCommand; 9] = [
    directives::ADD,
    directives::MODIFY,
    directives::LIST,
    directives::REMOVE,
    directives::REMOVE_ALL,
    pools::ADD,
    pools::MODIFY,
    pools::REMOVE,
    pools::LIST,
];

/// `CachePoolInfo.RELATIVE_EXPIRY_NEVER`, milliseconds: as far as a relative time can go.
const NEVER_MS: i64 = i64::MAX / 4;

/// Milliseconds of `30m`, `4h`, `2d` or `never`.
fn parse_time(text: Option<&str>, what: &str) -> Result<Option<i64>, Stop> {
    let Some(text) = text else { return Ok(None) };
    if text.eq_ignore_ascii_case("never") {
        return Ok(Some(NEVER_MS));
    }
    let bad = |reason: String| {
        Stop::Said(
            1,
            format!(
                "Error while parsing {what} value: Unable to parse relative time value of {text}: {reason}"
            ),
        )
    };
    let Some((at, unit)) = text.char_indices().last().filter(|(at, _)| *at > 0) else {
        return Err(bad("too short".into()));
    };
    let number: i64 =
        text[..at].parse().map_err(|_| bad(format!("{} is not a number", &text[..at])))?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(bad(format!("unknown time unit {unit}"))),
    };
    let millis = number.checked_mul(seconds * 1_000);
    millis.map(Some).ok_or_else(|| bad("too long".into()))
}

/// `DDD:HH:MM:SS.mmm`.
fn duration_text(millis: i64) -> String {
    let (sign, left) = if millis < 0 { ("-", millis.unsigned_abs()) } else { ("", millis as u64) };
    let seconds = left / 1_000;
    format!(
        "{sign}{:03}:{:02}:{:02}:{:02}.{:03}",
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        left % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_never() {
        let parse = |text| parse_time(Some(text), "ttl").ok().flatten();
        assert_eq!(parse("30m"), Some(1_800_000));
        assert_eq!(parse("2d"), Some(172_800_000));
        assert_eq!(parse("never"), Some(NEVER_MS));
        assert_eq!(parse("5"), None);
        assert_eq!(parse("5x"), None);
        assert_eq!(parse("999999999999999999d"), None);
        assert_eq!(duration_text(93_784_005), "001:02:03:04.005");
    }
}
