//! Frames: a big-endian length of four bytes, then that many bytes.

use bytes::{Buf, Bytes, BytesMut};

/// A frame's length is not acceptable; the connection cannot continue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The length is negative.
    Negative(i32),
    /// The length is over the limit that holds now.
    TooLong {
        /// What the frame says.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
}

impl FrameError {
    /// Hadoop's words, for the log: `peer` is the address of the other side.
    pub fn describe(&self, peer: &str) -> String {
        match self {
            Self::Negative(length) => format!("Unexpected data length {length}!! from {peer}"),
            Self::TooLong { length, limit } => format!(
                "Requested data length {length} is longer than maximum configured RPC length \
                 {limit}.  RPC came from {peer}"
            ),
        }
    }
}

/// The length of the next frame, if its four bytes are there.
///
/// # Errors
/// When the length is negative or over `limit`.
pub fn check_frame_length(input: &[u8], limit: usize) -> Result<Option<usize>, FrameError> {
    let Some(prefix) = input.first_chunk::<4>() else {
        return Ok(None);
    };
    let signed = i32::from_be_bytes(*prefix);
    let length = usize::try_from(signed).map_err(|_| FrameError::Negative(signed))?;
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    Ok(Some(length))
}

/// Bytes as they were read, cut into frames without copying.
///
/// The reader appends to [`Self::space`] and takes frames until there is no whole one left.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    buffer: BytesMut,
}

/// What a read is offered at least.
const MIN_SPACE: usize = 8 << 10;
/// What a read is offered at most before the frame's bytes are arriving.
const MAX_STEP: usize = 1 << 20;

impl FrameBuffer {
    /// The bytes that were read and not yet taken.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Drops bytes from the front: what follows another format (the preamble).
    pub fn advance(&mut self, bytes: usize) {
        self.buffer.advance(bytes.min(self.buffer.len()));
    }

    /// Where to append what is read. Grows with the bytes that arrive, never by a length that was only announced: at
    /// most to twice of what is here.
    pub fn space(&mut self) -> &mut BytesMut {
        let have = self.buffer.len();
        let announced = match self.buffer.first_chunk::<4>() {
            Some(prefix) => usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(0) + 4,
            None => 0,
        };
        let missing = announced.saturating_sub(have);
        let want = missing.clamp(MIN_SPACE, have.clamp(MIN_SPACE, MAX_STEP));
        if self.buffer.capacity() - have < want.min(MIN_SPACE) {
            self.buffer.reserve(want);
        }
        &mut self.buffer
    }

    /// The next whole frame, without its length; `None` needs more bytes.
    ///
    /// # Errors
    /// When the frame's length is negative or over `limit`, whether or not its bytes are here.
    pub fn next(&mut self, limit: usize) -> Result<Option<Bytes>, FrameError> {
        let Some(length) = check_frame_length(&self.buffer, limit)? else {
            return Ok(None);
        };
        if self.buffer.len() - 4 < length {
            return Ok(None);
        }
        self.buffer.advance(4);
        let frame = self.buffer.split_to(length).freeze();
        if length > MAX_STEP {
            // One long frame must not keep its memory for the connection's life.
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
        Ok(Some(frame))
    }
}
