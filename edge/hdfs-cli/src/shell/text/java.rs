//! Numbers as Java prints them, integers as Hadoop packs them, and the order of Java's hash maps.

use std::io::{self, Read};

/// `Double.toString`: `1.0`, `0.001`, `1.0E10`, `NaN`, `Infinity`.
pub(super) fn double(number: f64) -> String {
    decimal(number, &format!("{number:e}"))
}

/// `Float.toString`.
pub(super) fn float(number: f32) -> String {
    decimal(f64::from(number), &format!("{number:e}"))
}

/// From the shortest digits that name a number: `-1.5e-7`.
fn decimal(number: f64, scientific: &str) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number.is_infinite() {
        return format!("{sign}Infinity");
    }
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number == 0.0 {
        return format!("{sign}0.0");
    }
    match usize::try_from(exponent) {
        Ok(before @ 0..7) => {
            let padded = format!("{digits:0<width$}", width = before + 2);
            let (whole, fraction) = padded.split_at(before + 1);
            format!("{sign}{whole}.{fraction}")
        }
        Err(_) if exponent >= -3 => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let rest = if rest.is_empty() { "0" } else { rest };
            format!("{sign}{first}.{rest}E{exponent}")
        }
    }
}

/// An integer of 1 to 9 bytes, the first of which tells sign and number of the others.
///
/// Hadoop: org.apache.hadoop.io.WritableUtils.readVLong (3.5.0)
pub(super) fn read_vlong(from: &mut impl Read) -> io::Result<i64> {
    let mut first = [0];
    from.read_exact(&mut first)?;
    let first = first[0].cast_signed();
    let (bytes, negative) = match first {
        -112.. => return Ok(first.into()),
        -120..-112 => (-112 - i32::from(first), false),
        _ => (-120 - i32::from(first), true),
    };
    let mut number = 0_i64;
    for _ in 0..bytes {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        number = number << 8 | i64::from(byte[0]);
    }
    Ok(if negative { !number } else { number })
}

/// The same as a length.
pub(super) fn read_vlength(from: &mut impl Read) -> io::Result<u64> {
    let number = read_vlong(from)?;
    u64::try_from(number)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{number} is no length")))
}

/// So many bytes, gathered as they come: a false length costs no memory.
pub(super) fn read_bytes(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Sorts entries as a `HashMap` gives them that was made for `capacity` entries, and filled in this order.
pub(super) fn hash_map_order<T>(entries: &mut [T], capacity: usize, hash: impl Fn(&T) -> u32) {
    let mut buckets = capacity.max(1).next_power_of_two();
    while entries.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = hash(entry);
        (hash ^ hash >> 16) as usize & (buckets - 1)
    });
}

/// The hash of a text as Java has it, of its bytes.
pub(super) fn hash_bytes(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(byte.cast_signed() as u32))
}
