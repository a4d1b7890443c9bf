//! A reader of protobuf fields that borrows: headers are read on every call, so they are not copied.

/// Reads fields of one message.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// One field's value.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed-width value; no header has one that matters.
    Fixed,
}

/// The bytes are no protobuf message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken;

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's number and value; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Broken> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = take_varint(&mut self.rest)?;
        let number = key >> 3;
        if number == 0 {
            return Err(Broken);
        }
        let value = match key & 7 {
            0 => Value::Varint(take_varint(&mut self.rest)?),
            1 => self.skip(8)?,
            2 => Value::Bytes(take_delimited(&mut self.rest)?),
            5 => self.skip(4)?,
            _ => return Err(Broken),
        };
        Ok(Some((number, value)))
    }

    fn skip(&mut self, bytes: usize) -> Result<Value<'a>, Broken> {
        self.rest = self.rest.get(bytes..).ok_or(Broken)?;
        Ok(Value::Fixed)
    }
}

/// Reads a varint of at most ten bytes.
pub(super) fn take_varint(input: &mut &[u8]) -> Result<u64, Broken> {
    let mut value = 0_u64;
    for (index, byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7F);
        if index == 9 && bits > 1 {
            return Err(Broken);
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            *input = input.get(index + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(Broken)
}

/// Reads a varint length and that many bytes.
pub(super) fn take_delimited<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = usize::try_from(take_varint(input)?).map_err(|_| Broken)?;
    let (message, rest) = input.split_at_checked(length).ok_or(Broken)?;
    *input = rest;
    Ok(message)
}

/// The signed number of an `sint32` field.
pub(super) fn zigzag32(value: u64) -> i32 {
    let bits = value as u32;
    ((bits >> 1) as i32) ^ -((bits & 1) as i32)
}
