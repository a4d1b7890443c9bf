//! Texts of values to numbers, sizes and times, with Java's messages for what is none.

use crate::TimeUnit;

/// Why a text is no number, in Java's words.
pub(crate) type Refusal = String;

fn refusal(text: &str) -> Refusal {
    format!("For input string: \"{text}\"")
}

/// A whole number: decimal with an optional sign, or `0x` and hexadecimal digits after an optional `-`.
///
/// Hadoop: Configuration.getLong, getHexDigits
pub(crate) fn int(text: &str) -> Result<i64, Refusal> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let number = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        Some(digits) if digits.starts_with(['+', '-']) => return Err(refusal(text)),
        Some(digits) if negative => i64::from_str_radix(&format!("-{digits}"), 16),
        Some(digits) => i64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| refusal(text))
}

/// Bytes as users write them, `64k`; for command lines.
///
/// # Errors
/// Java's message for what is no size.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    bytes(text)
}

/// Bytes, with an optional suffix of powers of 1,024 in either case.
///
/// Hadoop: StringUtils.TraditionalBinaryPrefix.string2long
pub(crate) fn bytes(text: &str) -> Result<i64, Refusal> {
    let text = text.trim();
    let Some(last) = text.chars().next_back() else { return Err(refusal(text)) };
    if last.is_ascii_digit() {
        return text.parse().map_err(|_| refusal(text));
    }
    let shift = match last.to_ascii_lowercase() {
        'k' => 10,
        'm' => 20,
        'g' => 30,
        't' => 40,
        'p' => 50,
        'e' => 60,
        _ => {
            return Err(format!(
                "Invalid size prefix '{last}' in '{text}'. Allowed prefixes are k, m, g, t, p, e(case insensitive)"
            ));
        }
    };
    let number = text[..text.len() - 1].trim();
    let count: i64 = number.parse().map_err(|_| refusal(number))?;
    count.checked_mul(1 << shift).ok_or_else(|| format!("{text} does not fit in a Long"))
}

/// A number; Java's float suffixes `f` and `d` are allowed.
pub(crate) fn float(text: &str) -> Result<f64, Refusal> {
    let text = text.trim();
    let digits = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    digits.parse().map_err(|_| refusal(text))
}

/// A time in nanoseconds, by its suffix or else in `unit`.
///
/// Hadoop: Configuration.getTimeDurationHelper
pub(crate) fn time(text: &str, unit: TimeUnit) -> Result<i128, Refusal> {
    let lower = text.trim().to_ascii_lowercase();
    // The order matters: "ms" and "ns" end with "s" too.
    const SUFFIXES: [(&str, TimeUnit); 7] = [
        ("ns", TimeUnit::Nanos),
        ("us", TimeUnit::Micros),
        ("ms", TimeUnit::Millis),
        ("s", TimeUnit::Seconds),
        ("m", TimeUnit::Minutes),
        ("h", TimeUnit::Hours),
        ("d", TimeUnit::Days),
    ];
    let (digits, unit) = SUFFIXES
        .iter()
        .find_map(|(suffix, unit)| lower.strip_suffix(suffix).map(|digits| (digits, *unit)))
        .unwrap_or((&lower, unit));
    let count: i64 = digits.parse().map_err(|_| refusal(digits))?;
    Ok(i128::from(count) * nanos_per(unit))
}

/// Nanoseconds of one unit.
pub(crate) fn nanos_per(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Nanos => 1,
        TimeUnit::Micros => 1_000,
        TimeUnit::Millis => 1_000_000,
        TimeUnit::Seconds => 1_000_000_000,
        TimeUnit::Minutes => 60_000_000_000,
        TimeUnit::Hours => 3_600_000_000_000,
        TimeUnit::Days => 86_400_000_000_000,
    }
}

/// The parts between commas, trimmed, without empty ones.
pub(crate) fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_suffixes_in_either_case() {
        assert_eq!(bytes(" 64k "), Ok(65_536));
        assert_eq!(bytes("1G"), Ok(1 << 30));
        assert_eq!(bytes("-1k"), Ok(-1_024));
        assert_eq!(bytes("128 m"), Ok(128 << 20));
        assert!(bytes("9e").is_err());
        assert!(bytes("12x").is_err_and(|why| why.contains("Invalid size prefix 'x'")));
        assert!(bytes("").is_err());
        assert!(bytes("0x10").is_err());
        assert!(bytes("1é").is_err());
    }

    #[test]
    fn times_carry_their_own_unit_or_take_the_keys() {
        assert_eq!(time("3", TimeUnit::Seconds), Ok(3_000_000_000));
        assert_eq!(time("3MS", TimeUnit::Seconds), Ok(3_000_000));
        assert_eq!(time("2d", TimeUnit::Millis), Ok(172_800_000_000_000));
        assert_eq!(time("-1", TimeUnit::Millis), Ok(-1_000_000));
        assert_eq!(time("1.5s", TimeUnit::Millis), Err("For input string: \"1.5\"".into()));
    }

    #[test]
    fn whole_numbers_may_be_hexadecimal() {
        assert_eq!(int("0x1F"), Ok(31));
        assert_eq!(int("-0x10"), Ok(-16));
        assert_eq!(int(" +7"), Ok(7));
        assert_eq!(int("64k"), Err("For input string: \"64k\"".into()));
        assert_eq!(int("0x-1"), Err("For input string: \"0x-1\"".into()));
    }

    #[test]
    fn javas_float_suffix_is_a_number() {
        assert_eq!(float("0.999f"), Ok(0.999));
        assert!(float("f").is_err());
    }

    #[test]
    fn lists_lose_blanks_and_empty_parts() {
        assert_eq!(list(" a, b ,,c\n"), ["a", "b", "c"]);
        assert_eq!(list(" "), [""; 0]);
    }
}
