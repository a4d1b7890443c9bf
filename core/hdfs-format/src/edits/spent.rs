//! Operations that were applied, for the memory in them: a replay of millions decodes into the same few thousand buffers.
//!
//! Those that every file has are kept as they are, with their texts: owner and client are those of the operation before,
//! mostly, and what is equal is not copied.

use super::op::{AddOp, CloseOp, EditOp};

/// Operations kept at most, of each kind.
const MOST: usize = 1 << 13;
/// Longer buffers are given back.
const MOST_BYTES: usize = 1 << 10;

/// Memory of operations that nobody needs any more; see [`super::SegmentReader::decode_reusing`].
#[derive(Debug, Default)]
pub struct SpentOps {
    bytes: Vec<Vec<u8>>,
    #[allow(clippy::vec_box)] // The boxes are what is used again.
    adds: Vec<Box<AddOp>>,
    closes: Vec<CloseOp>,
}

impl SpentOps {
    /// Takes an operation over. Only those that every file has are worth keeping.
    pub fn give(&mut self, op: EditOp) {
        match op {
            EditOp::Add(op) => {
                let status = &op.permissions;
                let texts = [&status.user, &status.group, &op.client_name, &op.client_machine];
                let small = texts.iter().all(|text| text.capacity() <= MOST_BYTES)
                    && op.path.capacity() <= MOST_BYTES
                    && op.blocks.capacity() <= MOST_BYTES / 8;
                if small && self.adds.len() < MOST {
                    self.adds.push(op);
                }
            }
            EditOp::Close(op) => {
                let status = &op.permissions;
                let texts = [&status.user, &status.group];
                let small = texts.iter().all(|text| text.capacity() <= MOST_BYTES)
                    && op.path.capacity() <= MOST_BYTES
                    && op.blocks.capacity() <= MOST_BYTES / 8;
                if small && self.closes.len() < MOST {
                    self.closes.push(op);
                }
            }
            EditOp::AddBlock(op) => self.give_bytes(op.path),
            EditOp::Delete(op) => self.give_bytes(op.path),
            EditOp::Times(op) => self.give_bytes(op.path),
            _ => {}
        }
    }

    fn give_bytes(&mut self, bytes: Vec<u8>) {
        if bytes.capacity() <= MOST_BYTES && self.bytes.len() < MOST {
            self.bytes.push(bytes);
        }
    }

    /// A buffer to be overwritten.
    #[inline]
    pub(super) fn bytes(&mut self) -> Vec<u8> {
        self.bytes.pop().unwrap_or_default()
    }

    /// An operation to be overwritten.
    #[inline]
    pub(super) fn add(&mut self) -> Box<AddOp> {
        self.adds.pop().unwrap_or_default()
    }

    /// An operation to be overwritten.
    #[inline]
    pub(super) fn close(&mut self) -> CloseOp {
        self.closes.pop().unwrap_or_default()
    }
}
