//! The primitives of Hadoop's Writables: how numbers and strings lie in an operation.
//!
//! ```text
//! long, int, short, byte, boolean    big-endian, 8, 4, 2, 1, 1 bytes
//! string       u16 length | UTF-8 in which a character above U+FFFF is a pair of surrogates, three bytes each
//! text         vint length | UTF-8
//! bytes        int32 length | bytes
//! vint, vlong  -112 ..= 127: one byte; else -112 - n (positive) or -120 - n (complement), then n bytes big-endian
//! ```
//! Hadoop: org.apache.hadoop.io.{UTF8, Text, BytesWritable, WritableUtils} (3.5.0)

use super::op::{AddOp, CloseOp};
use super::spent::SpentOps;
use hdfs_types::WallMillis;
use std::fmt;

/// Longest string of an operation, in bytes as stored.
pub const MAX_STRING_BYTES: usize = u16::MAX as usize;

/// Why the body of an operation does not decode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// Where in the body.
    pub offset: usize,
    /// Which field or rule.
    pub what: &'static str,
    /// How it is wrong.
    pub kind: DecodeErrorKind,
}

/// How a field is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body ends inside the field.
    Short,
    /// The value is none that Hadoop writes.
    Value(i64),
    /// The text is not UTF-8.
    Utf8,
    /// The text is not a number that fits.
    Number,
    /// The protobuf message does not parse.
    Protobuf,
    /// Bytes follow the last field.
    Trailing,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, offset) = (self.what, self.offset);
        match self.kind {
            DecodeErrorKind::Short => write!(f, "{what} is cut at byte {offset} of the operation"),
            DecodeErrorKind::Value(value) => {
                write!(f, "{what} is {value} at byte {offset} of the operation")
            }
            DecodeErrorKind::Utf8 => {
                write!(f, "{what} is not UTF-8 at byte {offset} of the operation")
            }
            DecodeErrorKind::Number => {
                write!(f, "{what} is not a number at byte {offset} of the operation")
            }
            DecodeErrorKind::Protobuf => {
                write!(f, "{what} does not parse at byte {offset} of the operation")
            }
            DecodeErrorKind::Trailing => {
                write!(f, "bytes follow the last field at byte {offset} of the operation")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

pub(crate) type Decoded<T> = Result<T, DecodeError>;

/// Reads primitives from the body of an operation. Lengths are checked against what is there before anything is copied.
pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    position: usize,
    /// Memory to use again.
    spent: Option<&'a mut SpentOps>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, spent: None }
    }

    pub(super) fn reusing(bytes: &'a [u8], spent: &'a mut SpentOps) -> Self {
        Self { bytes, position: 0, spent: Some(spent) }
    }

    /// An operation to be overwritten; an empty one, if none is to be used again.
    #[inline]
    pub(super) fn spent_add(&mut self) -> Box<AddOp> {
        self.spent.as_mut().map_or_else(Box::default, |spent| spent.add())
    }

    /// An operation to be overwritten; an empty one, if none is to be used again.
    #[inline]
    pub(super) fn spent_close(&mut self) -> CloseOp {
        self.spent.as_mut().map_or_else(CloseOp::default, |spent| spent.close())
    }

    pub(crate) fn fail<T>(&self, what: &'static str, kind: DecodeErrorKind) -> Decoded<T> {
        Err(DecodeError { offset: self.position, what, kind })
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(crate) fn end(&self) -> Decoded<()> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            self.fail("operation", DecodeErrorKind::Trailing)
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize, what: &'static str) -> Decoded<&'a [u8]> {
        let Some(bytes) = self.bytes.get(self.position..).and_then(|rest| rest.get(..length))
        else {
            return self.fail(what, DecodeErrorKind::Short);
        };
        self.position += length;
        Ok(bytes)
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &'static str) -> Decoded<[u8; N]> {
        let Some(bytes) = self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<N>())
        else {
            return self.fail(what, DecodeErrorKind::Short);
        };
        self.position += N;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Decoded<u8> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(crate) fn boolean(&mut self, what: &'static str) -> Decoded<bool> {
        Ok(self.u8(what)? != 0)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Decoded<u16> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Decoded<i32> {
        Ok(i32::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Decoded<i64> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Decoded<u64> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn millis(&mut self, what: &'static str) -> Decoded<WallMillis> {
        self.u64(what).map(WallMillis)
    }

    /// A count of elements that take at least `least` bytes each.
    pub(crate) fn count(&mut self, least: usize, what: &'static str) -> Decoded<usize> {
        let count = self.i32(what)?;
        self.check_count(i64::from(count), least, what)
    }

    pub(crate) fn check_count(
        &self,
        count: i64,
        least: usize,
        what: &'static str,
    ) -> Decoded<usize> {
        usize::try_from(count)
            .ok()
            .filter(|count| count.saturating_mul(least) <= self.remaining())
            .map_or_else(|| self.fail(what, DecodeErrorKind::Value(count)), Ok)
    }

    pub(crate) fn vlong(&mut self, what: &'static str) -> Decoded<i64> {
        let first = self.u8(what)?.cast_signed();
        if first >= -112 {
            return Ok(i64::from(first));
        }
        let negative = first < -120;
        let length = if negative { -120 - i16::from(first) } else { -112 - i16::from(first) };
        let mut value = 0_i64;
        for byte in self.take(usize::from(length.unsigned_abs()), what)? {
            value = value << 8 | i64::from(*byte);
        }
        Ok(if negative { !value } else { value })
    }

    pub(crate) fn vint(&mut self, what: &'static str) -> Decoded<i32> {
        let value = self.vlong(what)?;
        i32::try_from(value).or_else(|_| self.fail(what, DecodeErrorKind::Value(value)))
    }

    /// A path: bytes that are not checked further.
    #[inline]
    pub(crate) fn path(&mut self, what: &'static str) -> Decoded<Vec<u8>> {
        let kept = self.spent.as_mut().map_or_else(Vec::new, |spent| spent.bytes());
        self.path_in(what, kept)
    }

    /// A path in memory that is overwritten.
    #[inline]
    pub(super) fn path_in(&mut self, what: &'static str, kept: Vec<u8>) -> Decoded<Vec<u8>> {
        let length = self.u16(what)?;
        let bytes = self.take(usize::from(length), what)?;
        Ok(plain(bytes, kept))
    }

    pub(crate) fn string(&mut self, what: &'static str) -> Decoded<String> {
        self.string_in(what, String::new())
    }

    /// A string in memory that is overwritten, unless it holds the same string.
    #[inline]
    pub(super) fn string_in(&mut self, what: &'static str, kept: String) -> Decoded<String> {
        let length = self.u16(what)?;
        let bytes = self.take(usize::from(length), what)?;
        if kept.as_bytes() == bytes && !bytes.contains(&SURROGATE_LEAD) {
            return Ok(kept);
        }
        let bytes = plain(bytes, kept.into_bytes());
        String::from_utf8(bytes).or_else(|_| self.fail(what, DecodeErrorKind::Utf8))
    }

    /// A number as decimal text: how layouts before -39 hold most numbers.
    pub(crate) fn decimal<T: std::str::FromStr>(&mut self, what: &'static str) -> Decoded<T> {
        let text = self.string(what)?;
        text.parse().or_else(|_| self.fail(what, DecodeErrorKind::Number))
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Decoded<String> {
        self.text_in(what, String::new())
    }

    /// A text in memory that is overwritten, unless it holds the same text.
    #[inline]
    pub(super) fn text_in(&mut self, what: &'static str, kept: String) -> Decoded<String> {
        let length = self.vint(what)?;
        let length = self.check_count(i64::from(length), 1, what)?;
        let bytes = self.take(length, what)?;
        if kept.as_bytes() == bytes {
            return Ok(kept);
        }
        let bytes = overwritten(bytes, kept.into_bytes());
        String::from_utf8(bytes).or_else(|_| self.fail(what, DecodeErrorKind::Utf8))
    }

    /// A protobuf message with a varint length before it.
    pub(crate) fn message<M: prost::Message + Default>(
        &mut self,
        what: &'static str,
    ) -> Decoded<M> {
        let mut rest = self.bytes.get(self.position..).unwrap_or_default();
        let before = rest.len();
        let Ok(length) = prost::decode_length_delimiter(&mut rest) else {
            return self.fail(what, DecodeErrorKind::Protobuf);
        };
        self.position += before - rest.len();
        let bytes = self.take(length, what)?;
        M::decode(bytes).or_else(|_| self.fail(what, DecodeErrorKind::Protobuf))
    }
}

/// First byte of a surrogate as three bytes; also that of U+D000 to U+D7FF.
const SURROGATE_LEAD: u8 = 0xED;

/// The bytes in memory that was used for others.
#[inline]
fn overwritten(bytes: &[u8], mut kept: Vec<u8>) -> Vec<u8> {
    kept.clear();
    kept.extend_from_slice(bytes);
    kept
}

/// The same, pairs of surrogates joined.
#[inline]
fn plain(bytes: &[u8], kept: Vec<u8>) -> Vec<u8> {
    if bytes.contains(&SURROGATE_LEAD) { join_surrogates(bytes) } else { overwritten(bytes, kept) }
}

/// Replaces pairs of surrogates by the four bytes that UTF-8 has for the character.
fn join_surrogates(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let [
            0xED,
            a @ 0xA0..=0xAF,
            b @ 0x80..=0xBF,
            0xED,
            c @ 0xB0..=0xBF,
            d @ 0x80..=0xBF,
            tail @ ..,
        ] = rest
        {
            let high = u32::from(a & 0x0F) << 6 | u32::from(b & 0x3F);
            let low = u32::from(c & 0x0F) << 6 | u32::from(d & 0x3F);
            let character = char::from_u32(0x1_0000 + (high << 10 | low))
                .expect("ten bits above and ten below U+10000 are a character");
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = tail;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// Bytes that a string takes at most, without its length.
pub(super) fn stored_length(bytes: &[u8]) -> usize {
    bytes.len() + 2 * bytes.iter().filter(|byte| **byte >= 0xF0).count()
}

/// Writes primitives at the end of a buffer.
pub(super) trait Put {
    fn put_u16(&mut self, value: u16);
    fn put_i32(&mut self, value: i32);
    fn put_i64(&mut self, value: i64);
    fn put_u64(&mut self, value: u64);
    fn put_string(&mut self, bytes: &[u8]);
    fn put_text(&mut self, text: &str);
    fn put_vlong(&mut self, value: i64);
    fn put_message<M: prost::Message>(&mut self, message: &M);
}

impl Put for Vec<u8> {
    #[inline]
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_i32(&mut self, value: i32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_i64(&mut self, value: i64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn put_string(&mut self, bytes: &[u8]) {
        let at = self.len();
        self.put_u16(0);
        if bytes.iter().all(|byte| *byte < 0xF0) {
            self.extend_from_slice(bytes);
        } else {
            split_surrogates(self, bytes);
        }
        let mut length = self.len() - at - 2;
        if length > MAX_STRING_BYTES {
            length = cut_string(self, at + 2);
        }
        if let Some(field) = self.get_mut(at..at + 2) {
            field.copy_from_slice(&(length as u16).to_be_bytes());
        }
    }

    #[inline]
    fn put_text(&mut self, text: &str) {
        self.put_vlong(i64::try_from(text.len()).expect("a string is shorter than 2^63"));
        self.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn put_vlong(&mut self, value: i64) {
        if (-112..=127).contains(&value) {
            self.push((value as i8).cast_unsigned());
            return;
        }
        let (base, magnitude) = if value < 0 { (-120_i16, !value) } else { (-112, value) };
        let length = (8 - magnitude.leading_zeros() / 8) as i16;
        self.push((base - length) as u8);
        let bytes = magnitude.to_be_bytes();
        self.extend_from_slice(bytes.get(8 - length.unsigned_abs() as usize..).unwrap_or_default());
    }

    fn put_message<M: prost::Message>(&mut self, message: &M) {
        message
            .encode_length_delimited(self)
            .expect("a Vec grows, so encoding can't run out of space");
    }
}

/// Cuts the string that starts at `start` to what its length can say, between two characters; returns that length.
///
/// Hadoop cuts too (UTF8.set, at 21,845 characters). [`super::EditOp::check_strings`] finds such strings before they are
/// applied; a log that goes on matters more than one that stops here.
#[cold]
fn cut_string(out: &mut Vec<u8>, start: usize) -> usize {
    let mut end = start + MAX_STRING_BYTES;
    while end > start && out.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    // The first half of a pair does not stay alone.
    if let Some([SURROGATE_LEAD, 0xA0..=0xAF, _]) = out.get(..end).and_then(<[u8]>::last_chunk) {
        end -= 3;
    }
    out.truncate(end);
    end - start
}

fn split_surrogates(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let character = rest
            .get(..4)
            .filter(|_| *first >= 0xF0)
            .and_then(|four| std::str::from_utf8(four).ok())
            .and_then(|four| four.chars().next());
        if let Some(character) = character {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push(0xE0 | (*unit >> 12) as u8);
                out.push(0x80 | (*unit >> 6) as u8 & 0x3F);
                out.push(0x80 | *unit as u8 & 0x3F);
            }
            rest = rest.get(4..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_beyond_the_basic_plane_are_surrogate_pairs() {
        let mut out = Vec::new();
        out.put_string("a\u{1F600}z".as_bytes());
        assert_eq!(out, b"\x00\x08a\xED\xA0\xBD\xED\xB8\x80z");
        assert_eq!(Body::new(&out).path("path").as_deref(), Ok("a\u{1F600}z".as_bytes()));
    }

    #[test]
    fn vlongs_are_as_short_as_in_hadoop() {
        for (value, bytes) in [
            (0, vec![0]),
            (127, vec![127]),
            (-112, vec![0x90]),
            (128, vec![0x8F, 128]),
            (-113, vec![0x87, 112]),
            (1 << 32, vec![0x8B, 1, 0, 0, 0, 0]),
            (i64::MAX, vec![0x88, 0x7F, 255, 255, 255, 255, 255, 255, 255]),
            (i64::MIN, vec![0x80, 0x7F, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut out = Vec::new();
            out.put_vlong(value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(Body::new(&out).vlong("value"), Ok(value));
        }
    }

    proptest! {
        #[test]
        fn strings_and_numbers_come_back(text in any::<String>(), number in any::<i64>()) {
            let mut out = Vec::new();
            out.put_string(text.as_bytes());
            out.put_text(&text);
            out.put_vlong(number);
            let mut body = Body::new(&out);
            prop_assert_eq!(body.string("text"), Ok(text.clone()));
            prop_assert_eq!(body.text("text"), Ok(text));
            prop_assert_eq!(body.vlong("number"), Ok(number));
            prop_assert_eq!(body.end(), Ok(()));
        }
    }
}
