//! Base64, as Java's commons-codec reads and writes it.

/// The two last digits, and whether the end is padded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Alphabet {
    /// `+` and `/`, with padding.
    Standard,
    /// `-` and `_`, without padding.
    Url,
}

const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The text of these bytes.
pub(super) fn encode(bytes: &[u8], alphabet: Alphabet) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = (at(0) << 16) | (at(1) << 8) | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            if index <= chunk.len() {
                out.push(digit((group >> shift) & 63, alphabet));
            } else if alphabet == Alphabet::Standard {
                out.push('=');
            }
        }
    }
    out
}

fn digit(value: u32, alphabet: Alphabet) -> char {
    let last = match alphabet {
        Alphabet::Standard => ['+', '/'],
        Alphabet::Url => ['-', '_'],
    };
    let plain = DIGITS.get(value as usize).map(|digit| char::from(*digit));
    plain.unwrap_or(if value == 62 { last[0] } else { last[1] })
}

/// The bytes of a text in either alphabet. What is no digit is skipped, and a rest of too few bits is dropped, as in
/// Java.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let value = match byte {
            b'+' | b'-' => Some(62),
            b'/' | b'_' => Some(63),
            other => DIGITS.iter().position(|digit| *digit == other),
        };
        let Some(value) = value.and_then(|value| u32::try_from(value).ok()) else { continue };
        group = (group << 6) | value;
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            bytes.extend(u8::try_from((group >> bits) & 0xff));
        }
    }
    bytes
}
