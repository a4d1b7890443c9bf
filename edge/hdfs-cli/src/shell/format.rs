//! Texts of numbers, times and tables as Hadoop writes them.

use chrono::{DateTime, Local};

/// A number with a binary prefix and one decimal: `1.5 K`; exact multiples have none: `128 M`.
pub(crate) fn human(number: i64) -> String {
    human_with(number, "", 1)
}

/// Bytes with a binary prefix and two decimals: `1.50 KB`.
pub(crate) fn human_bytes(number: u64) -> String {
    human_with(i64::try_from(number).unwrap_or(i64::MAX), "B", 2)
}

/// Hadoop: StringUtils.TraditionalBinaryPrefix.long2String
fn human_with(number: i64, unit: &str, decimals: usize) -> String {
    const PREFIXES: [(char, u32); 6] =
        [('K', 10), ('M', 20), ('G', 30), ('T', 40), ('P', 50), ('E', 60)];
    let sign = if number < 0 { "-" } else { "" };
    let size = number.unsigned_abs();
    let Some(at) = PREFIXES.iter().rposition(|(_, shift)| size >> shift > 0) else {
        let space = if unit.is_empty() { "" } else { " " };
        return format!("{sign}{size}{space}{unit}");
    };
    let (symbol, shift) = PREFIXES[at];
    if size.trailing_zeros() >= shift {
        return format!("{sign}{} {symbol}{unit}", size >> shift);
    }
    let text = |shift: u32| half_up(size as f64 / (1_u64 << shift) as f64, decimals);
    match (text(shift), PREFIXES.get(at + 1)) {
        (rounded, Some((next, shift))) if rounded.starts_with("1024") => {
            format!("{sign}{} {next}{unit}", text(*shift))
        }
        (rounded, _) => format!("{sign}{rounded} {symbol}{unit}"),
    }
}

/// Decimals as Java's formatter gives them: halves go away from zero, judged by the shortest decimal text of the number.
pub(crate) fn half_up(number: f64, decimals: usize) -> String {
    let shortest = format!("{number}");
    let halfway = shortest
        .split_once('.')
        .is_some_and(|(_, digits)| digits.len() == decimals + 1 && digits.ends_with('5'));
    if halfway {
        let step = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
        let rounded = (number.abs() * step + 0.5 + 1e-9).floor() / step;
        return format!("{:.*}", decimals, rounded.copysign(number));
    }
    format!("{number:.decimals$}")
}

/// A number of bytes, plain or with a prefix.
pub(crate) fn size(number: i64, human_readable: bool) -> String {
    if human_readable { human(number) } else { number.to_string() }
}

/// Milliseconds since 1970 in the time zone of this machine, by a format of strftime.
pub(crate) fn local_time(millis: u64, format: &str) -> String {
    let utc = i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis);
    utc.unwrap_or_default().with_timezone(&Local).format(format).to_string()
}

/// The same as Java prints a date: `Sat Nov 21 10:00:00 UTC 2026`.
pub(crate) fn java_date(millis: u64) -> String {
    let zone = match local_time(millis, "%:z").as_str() {
        "+00:00" => "UTC".to_owned(),
        offset => format!("GMT{offset}"),
    };
    let text = local_time(millis, "%a %b %d %H:%M:%S ZONE %Y");
    text.replace("ZONE", &zone)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Rows whose columns are as wide as their widest cell.
///
/// Hadoop: org.apache.hadoop.fs.shell.FsUsage.TableBuilder
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    right_aligned: &'static [usize],
}

impl Table {
    pub(crate) fn new(right_aligned: &'static [usize]) -> Self {
        Self { rows: Vec::new(), right_aligned }
    }

    pub(crate) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The lines; the last column is not padded.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
            })
            .collect();
        let cell = |(column, text): (usize, &String)| match widths[column] {
            width if self.right_aligned.contains(&column) => format!("{text:>width$}"),
            width if column + 1 < columns => format!("{text:<width$}"),
            _ => text.clone(),
        };
        self.rows
            .iter()
            .map(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  "))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_prefixes_and_one_decimal() {
        for (number, expected) in [
            (0, "0"),
            (1_023, "1023"),
            (1_024, "1 K"),
            (1_536, "1.5 K"),
            (1_048_575, "1.0 M"),
            (134_217_728, "128 M"),
            (1_181_116_006, "1.1 G"),
            (-2_048, "-2 K"),
            (1_280, "1.3 K"),
        ] {
            assert_eq!(human(number), expected);
        }
    }

    #[test]
    fn halves_are_rounded_up_as_java_does() {
        assert_eq!(half_up(0.25, 1), "0.3");
        assert_eq!(half_up(2.5, 0), "3");
        assert_eq!(half_up(2.4, 0), "2");
        assert_eq!(half_up(1.05, 1), "1.1");
    }
}
