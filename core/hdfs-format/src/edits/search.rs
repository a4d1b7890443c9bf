//! Finding the next valid operation after damage, in time that grows with the file and not with its square.
//!
//! Any byte may be where an operation begins, and in noise many claim to be as long as the rest of the file. A checksum of
//! a long stretch is therefore made of checksums from a fixed place to its two ends, which are kept for every
//! [`STEP`] bytes. Without lengths an operation must be decoded to know its end: once decoding has looked at
//! [`LOOKS_PER_BYTE`] bytes for each byte searched, only short operations are found.

use super::framing::{Frame, Framing, MIN_OP_BYTES, old_frame, outline};
use crate::layout_version::{Feature, Layout};

/// Distance of two kept checksums.
const STEP: usize = 1_024;
/// Shorter stretches are summed as they are.
const SHORT_BYTES: usize = 4 * STEP;
/// Bytes that decoding may look at, for each byte that is searched.
const LOOKS_PER_BYTE: u64 = 4_096;
/// What it may look at for one operation when it has used that up.
const SHORT_OP_BYTES: usize = 4_096;

/// What searches of one file keep.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    /// Where the first search began.
    base: Option<usize>,
    /// Checksums of the bytes from there on, each [`STEP`] bytes longer than the one before.
    sums: Vec<u32>,
    searched: u64,
    /// Bytes that were summed or decoded.
    looked: u64,
}

/// The file that is searched.
#[derive(Clone, Copy)]
pub(super) struct Searched<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) layout: Layout,
    pub(super) framing: Framing,
    pub(super) max_op_bytes: usize,
}

impl Search {
    /// The first operation in a range of offsets; `plausible` tells from its transaction whether it is worth a look.
    pub(super) fn find<'a>(
        &mut self,
        file: Searched<'a>,
        offsets: impl Iterator<Item = usize>,
        plausible: impl Fn(u64) -> bool,
    ) -> Option<Frame<'a>> {
        let before_txid = if file.framing == Framing::Length { 5 } else { 1 };
        for offset in offsets {
            self.searched += 1;
            let rest = file.bytes.get(offset..)?;
            if file.layout.supports(Feature::StoredTxids) {
                let txid = rest.get(before_txid..)?.first_chunk::<8>()?;
                if !plausible(u64::from_be_bytes(*txid)) {
                    continue;
                }
            }
            if let Some(frame) = self.frame_at(file, offset, rest) {
                return Some(frame);
            }
        }
        None
    }

    fn frame_at<'a>(
        &mut self,
        file: Searched<'a>,
        offset: usize,
        rest: &'a [u8],
    ) -> Option<Frame<'a>> {
        if file.framing != Framing::Length {
            let all = LOOKS_PER_BYTE.saturating_mul(self.searched);
            let most = if self.looked < all { file.max_op_bytes } else { SHORT_OP_BYTES };
            let place = (file.layout, file.framing);
            let (frame, looked) = old_frame(rest, offset, place, most.min(file.max_op_bytes));
            self.looked += looked as u64;
            return frame.ok();
        }
        let (frame, checksum) = outline(rest, offset, file.max_op_bytes).ok()?;
        let covered = frame.bytes.len().checked_sub(size_of_val(&checksum))?;
        let computed = self.checksum(file.bytes, offset, offset + covered)?;
        (computed == u32::from_be_bytes(checksum)).then_some(frame)
    }

    fn checksum(&mut self, bytes: &[u8], start: usize, end: usize) -> Option<u32> {
        let base = *self.base.get_or_insert(start);
        if end - start <= SHORT_BYTES || start < base {
            return self.sum(bytes.get(start..end)?);
        }
        let to_start = self.checksum_to(bytes, base, start)?;
        let to_end = self.checksum_to(bytes, base, end)?;
        Some(shifted(to_start, end - start) ^ to_end)
    }

    /// The checksum of the bytes from `base` to `end`.
    fn checksum_to(&mut self, bytes: &[u8], base: usize, end: usize) -> Option<u32> {
        let steps = (end - base) / STEP;
        // The first one is the checksum of nothing.
        while self.sums.len() <= steps {
            let sum = match self.sums.last() {
                None => 0,
                Some(last) => {
                    let start = base + (self.sums.len() - 1) * STEP;
                    let last = shifted(*last, STEP);
                    last ^ self.sum(bytes.get(start..start + STEP)?)?
                }
            };
            self.sums.push(sum);
        }
        let rest = bytes.get(base + steps * STEP..end)?;
        Some(shifted(*self.sums.get(steps)?, rest.len()) ^ self.sum(rest)?)
    }

    fn sum(&mut self, bytes: &[u8]) -> Option<u32> {
        self.looked += bytes.len() as u64;
        Some(crc_fast::crc32_iso_hdlc(bytes))
    }
}

/// x to the power of 1, 2, 4, 8, … modulo the polynomial of CRC-32, the highest coefficient in the lowest bit.
const POWERS: [u32; 64] = {
    let mut powers = [1 << 30; 64];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = product(powers[index - 1], powers[index - 1]);
        index += 1;
    }
    powers
};

/// The product of two polynomials modulo that of CRC-32.
const fn product(mut a: u32, mut b: u32) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    let mut product = 0;
    while a != 0 {
        if a & 1 << 31 != 0 {
            product ^= b;
        }
        a <<= 1;
        b = (b >> 1) ^ if b & 1 != 0 { POLYNOMIAL } else { 0 };
    }
    product
}

/// What a checksum adds to the checksum of the same bytes with `length` bytes after them.
fn shifted(checksum: u32, length: usize) -> u32 {
    let bits = POWERS.iter().skip(3).enumerate();
    bits.filter(|(bit, _)| length as u64 >> bit & 1 != 0)
        .fold(checksum, |sum, (_, power)| product(*power, sum))
}

const _: () = assert!(SHORT_OP_BYTES > MIN_OP_BYTES);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::{Expected, SegmentReader};

    /// xorshift: noise that is the same every time.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        };
        (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
    }

    /// OP_END_LOG_SEGMENT, which has no body.
    fn end_of_segment(layout: Layout, txid: u64) -> Vec<u8> {
        let mut op = vec![23];
        if layout.supports(Feature::EditlogLength) {
            op.extend(12_u32.to_be_bytes());
        }
        if layout.supports(Feature::StoredTxids) {
            op.extend(txid.to_be_bytes());
        }
        op.extend(crc_fast::crc32_iso_hdlc(&op).to_be_bytes());
        op
    }

    /// Damage between two operations: how many operations are found, and how many bytes were looked at.
    fn read(version: i32, between: &[u8]) -> (usize, u64) {
        let layout = Layout::of(version);
        let mut bytes = version.to_be_bytes().to_vec();
        if layout.supports(Feature::AddLayoutFlags) {
            bytes.extend([0; 4]);
        }
        bytes.extend(end_of_segment(layout, 7));
        bytes.extend(between);
        bytes.extend(end_of_segment(layout, 8));
        let mut reader = SegmentReader::open("edits", &bytes, Expected::default())
            .expect("it has a header")
            .with_any_order();
        let mut found = 0;
        loop {
            match reader.next() {
                Ok(Some(_)) => found += 1,
                Ok(None) => break,
                Err(_) if reader.skip_damage() => {}
                Err(_) => break,
            }
        }
        (found, reader.search().looked)
    }

    #[test]
    fn checksums_of_long_stretches_are_made_of_kept_ones() {
        let bytes = noise(5 * SHORT_BYTES);
        let mut search = Search { base: Some(77), ..Search::default() };
        for (start, end) in [(77, 19_999), (1_101, 5 * SHORT_BYTES), (9_000, 9_001), (0, 12_288)] {
            let sum = crc_fast::crc32_iso_hdlc(&bytes[start..end]);
            assert_eq!(search.checksum(&bytes, start, end), Some(sum), "{start} to {end}");
        }
    }

    #[test]
    fn a_megabyte_of_noise_is_searched_once() {
        let bytes = noise(1 << 20);
        let (found, looked) = read(-67, &bytes);
        assert_eq!(found, 2);
        assert!(looked < 16 << 20, "{looked}");
    }

    #[test]
    fn claims_of_great_length_cost_a_bounded_number_of_bytes_each() {
        // Two of three offsets claim an opcode and a length below that of the file.
        let length = 40_000;
        let bytes: Vec<u8> = [0, 0, 10].into_iter().cycle().take(length).collect();
        let (found, looked) = read(-67, &bytes);
        assert_eq!(found, 2);
        assert!(looked < (length * SHORT_BYTES) as u64, "{looked}");
    }

    #[test]
    fn old_layouts_are_decoded_within_a_bound() {
        for layout in [-41, -30] {
            let bytes = noise(1 << 14);
            let (found, looked) = read(layout, &bytes);
            assert!(found >= 2, "{layout}");
            assert!(looked < 3 * LOOKS_PER_BYTE * bytes.len() as u64, "{layout}: {looked}");
        }
    }
}
