//! The wire format of protocol buffers, as far as inodes need it.

/// A field of a message.
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
}

/// Its value.
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of a message, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, &'static str> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let (bytes, rest) = self.rest.split_first_chunk().ok_or("a number is cut")?;
                self.rest = rest;
                Value::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| "a length is wrong")?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or("a field is cut")?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => {
                let (_, rest) = self.rest.split_first_chunk::<4>().ok_or("a number is cut")?;
                self.rest = rest;
                Value::Fixed32
            }
            _ => return Err("a field has an unknown wire type"),
        };
        let number = u32::try_from(key >> 3).map_err(|_| "a field number is too large")?;
        Ok(Some(Field { number, value }))
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, &'static str> {
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        if let Some(chunk) = self.rest.first_chunk() {
            let word = u64::from_le_bytes(*chunk);
            // The first byte without the high bit ends the number.
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let bits = ends.trailing_zeros() + 1;
                self.rest = self.rest.get(bits as usize / 8..).unwrap_or_default();
                return Ok(join_sevens(word & (u64::MAX >> (64 - bits))));
            }
        }
        self.long_varint()
    }

    #[cold]
    fn long_varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * index);
            if *byte < 0x80 {
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err("a number is cut or too long")
    }
}

/// Joins the low seven bits of each byte, the first byte lowest.
#[inline]
fn join_sevens(word: u64) -> u64 {
    let pairs = word & 0x007F_007F_007F_007F | (word & 0x7F00_7F00_7F00_7F00) >> 1;
    let quads = pairs & 0x0000_3FFF_0000_3FFF | (pairs & 0x3FFF_0000_3FFF_0000) >> 2;
    quads & 0x0FFF_FFFF | (quads & 0x0FFF_FFFF_0000_0000) >> 4
}

/// Appends a varint without a field number.
#[inline]
pub(super) fn put_raw_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length without a field number.
pub(super) fn put_length(out: &mut Vec<u8>, length: usize) {
    put_raw_varint(out, length as u64);
}

#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    put_raw_varint(out, u64::from(number) << 3);
    put_raw_varint(out, value);
}

pub(super) fn put_fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    put_raw_varint(out, u64::from(number) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

#[inline]
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_raw_varint(out, u64::from(number) << 3 | 2);
    put_raw_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back_whatever_follows(value in any::<u64>(), shift in 0..64, tail in 0..9_usize) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            put_raw_varint(&mut bytes, value);
            bytes.resize(bytes.len() + tail, 0xFF);
            let mut fields = Fields::new(&bytes);
            prop_assert_eq!(fields.varint(), Ok(value));
            prop_assert_eq!(fields.rest().len(), tail);
        }
    }
}
