//! The few shapes of protobuf that inodes are made of, without copies: millions of them are read and written.
//!
//! ```text
//! message: (tag << 3 | type, varint) value ...     type 0: varint, 1: 8 bytes little-endian, 2: length and bytes
//! ```

/// Reads the fields of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The number of a varint or fixed field.
    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::Varint(number) | Self::Fixed64(number) => Some(number),
            Self::Bytes(_) => None,
        }
    }
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for (index, byte) in self.0.iter().enumerate().take(10) {
            number |= u64::from(byte & 0x7F) << (7 * index);
            if *byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Tag and value of the next field; None at the end.
    ///
    /// # Errors
    /// When the bytes are no message, or have a shape that inodes do not have.
    #[inline]
    pub(super) fn next_field(&mut self) -> Result<Option<(u32, Value<'a>)>, ()> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint().ok_or(())?;
        let tag = u32::try_from(key >> 3).map_err(|_| ())?;
        let value = match key & 7 {
            0 => self.varint().map(Value::Varint),
            1 => self
                .take(8)
                .and_then(|bytes| Some(Value::Fixed64(u64::from_le_bytes(bytes.try_into().ok()?)))),
            2 => self
                .varint()
                .and_then(|length| usize::try_from(length).ok())
                .and_then(|length| self.take(length))
                .map(Value::Bytes),
            _ => None,
        };
        Ok(Some((tag, value.ok_or(())?)))
    }
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_number(out: &mut Vec<u8>, tag: u32, number: u64) {
    put_varint(out, u64::from(tag << 3));
    put_varint(out, number);
}

pub(super) fn put_fixed64(out: &mut Vec<u8>, tag: u32, number: u64) {
    put_varint(out, u64::from(tag << 3 | 1));
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_bytes(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    put_varint(out, u64::from(tag << 3 | 2));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_were_written_and_damage_is_refused() {
        let mut out = Vec::new();
        put_number(&mut out, 1, u64::MAX);
        put_fixed64(&mut out, 5, 7);
        put_bytes(&mut out, 16, b"name");
        let mut fields = Fields(&out);
        assert_eq!(fields.next_field(), Ok(Some((1, Value::Varint(u64::MAX)))));
        assert_eq!(fields.next_field(), Ok(Some((5, Value::Fixed64(7)))));
        assert_eq!(fields.next_field(), Ok(Some((16, Value::Bytes(b"name")))));
        assert_eq!(fields.next_field(), Ok(None));
        for cut in 1..out.len() {
            let mut fields = Fields(&out[..cut]);
            while let Ok(Some(_)) = fields.next_field() {}
        }
        assert_eq!(Fields(&[0x0B]).next_field(), Err(()));
    }
}
