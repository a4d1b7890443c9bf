//! Numbers as Hadoop writes them in messages that clients and scripts read.

/// Bytes with a binary prefix: `24 KB`, `251.97 GB`; exact multiples have no decimals.
///
/// Hadoop: org.apache.hadoop.util.StringUtils.byteDesc (3.5.0)
pub fn byte_desc(bytes: i64) -> String {
    const PREFIXES: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    if bytes.unsigned_abs() < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = 0;
    while value.abs() >= 1024.0 && unit < 6 {
        value /= 1024.0;
        unit += 1;
    }
    if bytes.trailing_zeros() >= unit as u32 * 10 {
        return format!("{} {}B", bytes >> (unit * 10), PREFIXES[unit]);
    }
    let text = format!("{value:.2}");
    if text.trim_start_matches('-') == "1024.00" && unit < 6 {
        return format!("{:.2} {}B", value / 1024.0, PREFIXES[unit + 1]);
    }
    format!("{text} {}B", PREFIXES[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_get_a_prefix_and_decimals_only_when_they_are_no_multiple() {
        assert_eq!(byte_desc(0), "0 B");
        assert_eq!(byte_desc(1_023), "1023 B");
        assert_eq!(byte_desc(24_576), "24 KB");
        assert_eq!(byte_desc(-1_536), "-1.50 KB");
        assert_eq!(byte_desc(270_553_174_016), "251.97 GB");
        assert_eq!(byte_desc(1_048_575), "1.00 MB");
    }
}
