//! Bytes of an old image, with errors that say where they are wrong.

use std::borrow::Cow;

use hdfs_types::{Block, BlockId, GenerationStamp};

use crate::compression::Codec;
use crate::edits::wire::{Body, Decoded};
use crate::edits::{DecodeError, DecodeErrorKind};

/// Bytes that a section may give when it is decompressed, per byte that is stored; and what any may give.
const MAX_RATIO: u64 = 1_100;
const FREE_BYTES: u64 = 256 << 20;
/// A block: id, length, generation stamp.
const BLOCK_BYTES: usize = 24;

/// Why an image can't be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failed {
    /// Where in the file; in a compressed image, where the stream begins plus the offset in what it holds.
    pub(super) offset: usize,
    pub(super) reason: String,
}

pub(super) type Read<T> = Result<T, Failed>;

/// The rest of an image.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    body: Body<'a>,
    base: usize,
}

/// Owner, group and mode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Status {
    pub(super) user: String,
    pub(super) group: String,
    pub(super) mode: u16,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, body: Body::new(bytes), base }
    }

    pub(super) fn offset(&self) -> usize {
        self.base + self.bytes.len() - self.body.remaining()
    }

    pub(super) fn remaining(&self) -> usize {
        self.body.remaining()
    }

    pub(super) fn fail<T>(&self, reason: impl Into<String>) -> Read<T> {
        Err(Failed { offset: self.offset(), reason: reason.into() })
    }

    /// Reads what an edit log has in the same form.
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&mut Body<'a>) -> Decoded<T>) -> Read<T> {
        read(&mut self.body).map_err(|error| {
            let DecodeError { offset, what, kind } = error;
            let reason = match kind {
                DecodeErrorKind::Short => format!("{what} is cut"),
                DecodeErrorKind::Value(value) => format!("{what} is {value}"),
                DecodeErrorKind::Utf8 => format!("{what} is not UTF-8"),
                DecodeErrorKind::Number => format!("{what} is not a number"),
                DecodeErrorKind::Protobuf => format!("{what} does not parse"),
                DecodeErrorKind::Trailing => format!("bytes follow {what}"),
            };
            Failed { offset: self.base + offset, reason }
        })
    }

    pub(super) fn boolean(&mut self, what: &'static str) -> Read<bool> {
        self.read(|body| body.boolean(what))
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Read<u16> {
        self.read(|body| body.u16(what))
    }

    pub(super) fn i32(&mut self, what: &'static str) -> Read<i32> {
        self.read(|body| body.i32(what))
    }

    pub(super) fn i64(&mut self, what: &'static str) -> Read<i64> {
        self.read(|body| body.i64(what))
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Read<u64> {
        self.read(|body| body.u64(what))
    }

    /// A count of things that take at least so many bytes each.
    pub(super) fn count(&mut self, least: usize, what: &'static str) -> Read<usize> {
        self.read(|body| body.count(least, what))
    }

    /// The same; none for -1.
    pub(super) fn optional_count(
        &mut self,
        least: usize,
        what: &'static str,
    ) -> Read<Option<usize>> {
        match self.i32(what)? {
            -1 => Ok(None),
            count => self.read(|body| body.check_count(i64::from(count), least, what)).map(Some),
        }
    }

    pub(super) fn text(&mut self, what: &'static str) -> Read<String> {
        self.read(|body| body.text(what))
    }

    pub(super) fn string(&mut self, what: &'static str) -> Read<String> {
        self.read(|body| body.string(what))
    }

    pub(super) fn path(&mut self, what: &'static str) -> Read<Vec<u8>> {
        self.read(|body| body.path(what))
    }

    /// The last component of a path.
    pub(super) fn local_name(&mut self) -> Read<Vec<u8>> {
        let length = self.u16("length of a name")?;
        self.read(|body| body.take(usize::from(length), "name")).map(<[u8]>::to_vec)
    }

    pub(super) fn blocks(&mut self, count: usize) -> Read<Vec<Block>> {
        self.read(|body| body.check_count(count as i64, BLOCK_BYTES, "number of blocks"))?;
        (0..count).map(|_| self.block()).collect()
    }

    fn block(&mut self) -> Read<Block> {
        let id = BlockId(self.i64("block id")?);
        let num_bytes = self.i64("length of a block")?;
        let Ok(num_bytes) = u64::try_from(num_bytes) else {
            return self.fail(format!("Unexpected block size: {num_bytes}"));
        };
        let generation_stamp = GenerationStamp(self.u64("generation stamp")?);
        Ok(Block { id, num_bytes, generation_stamp })
    }

    pub(super) fn status(&mut self) -> Read<Status> {
        let (user, group) = (self.text("owner")?, self.text("group")?);
        Ok(Status { user, group, mode: self.u16("mode")? })
    }

    /// What the rest of the file holds, decompressed if it is compressed.
    pub(super) fn rest(&self, codec: Option<Codec>) -> Read<Cow<'a, [u8]>> {
        let start = self.bytes.len() - self.body.remaining();
        let stored = self.bytes.get(start..).unwrap_or_default();
        let Some(codec) = codec else { return Ok(stored.into()) };
        let most = FREE_BYTES.max(stored.len() as u64 * MAX_RATIO);
        let decoded = codec.decode_at_most(stored, most);
        decoded
            .map(Cow::Owned)
            .or_else(|error| self.fail(format!("it does not decompress: {error}")))
    }
}
