//! Tokens in a URL: base64 with `-` and `_`, without padding, over Hadoop's Writable form.
//!
//! ```text
//! vint length, identifier | vint length, password | vint length, kind | vint length, service
//! ```
//!
//! Hadoop: org.apache.hadoop.security.token.Token.encodeToUrlString (3.5.0)

use hdfs_proto::common::TokenProto;
use hdfs_types::{Error, ErrorKind, Result};

use super::base64;

/// The token as a part of a URL.
pub(super) fn encode(token: &TokenProto) -> String {
    let mut bytes = Vec::new();
    let parts = [
        token.identifier.as_ref(),
        token.password.as_ref(),
        token.kind.as_bytes(),
        token.service.as_bytes(),
    ];
    for part in parts {
        write_vint(&mut bytes, part.len());
        bytes.extend_from_slice(part);
    }
    base64::encode(&bytes, base64::Alphabet::Url)
}

/// The token of a part of a URL.
///
/// # Errors
/// `Eof`, as Java's, when it ends early.
pub(super) fn decode(text: &str) -> Result<TokenProto> {
    let bytes = base64::decode(text);
    let mut rest = bytes.as_slice();
    let identifier = part(&mut rest)?.to_vec();
    let password = part(&mut rest)?.to_vec();
    let kind = String::from_utf8_lossy(part(&mut rest)?).into_owned();
    let service = String::from_utf8_lossy(part(&mut rest)?).into_owned();
    Ok(TokenProto { identifier: identifier.into(), password: password.into(), kind, service })
}

fn part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let ended = || Error::new(ErrorKind::Eof, "");
    let length = read_vint(rest).ok_or_else(ended)?;
    let (part, after) = rest.split_at_checked(length).ok_or_else(ended)?;
    *rest = after;
    Ok(part)
}

/// Hadoop's variable-length integers: one byte up to 127, else the number of bytes that follow as `-112 - count`.
fn write_vint(out: &mut Vec<u8>, value: usize) {
    match u8::try_from(value) {
        Ok(small @ 0..=127) => out.push(small),
        _ => {
            let bytes = value.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let count = bytes.len().saturating_sub(zeros);
            out.push(0x90_u8.saturating_sub(u8::try_from(count).unwrap_or(8)));
            out.extend(bytes.iter().skip(zeros));
        }
    }
}

fn read_vint(rest: &mut &[u8]) -> Option<usize> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    if first < 0x80 {
        return Some(usize::from(first));
    }
    // -113 … -116: one to four bytes follow; a length needs no more.
    let count = usize::from(0x90_u8.checked_sub(first)?);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (bytes, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(bytes.iter().fold(0, |value: usize, byte| (value << 8) | usize::from(*byte)))
}
