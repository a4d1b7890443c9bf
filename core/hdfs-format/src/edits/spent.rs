//! Operations that were applied, for the memory in them: a replay of millions decodes into the same few thousand buffers.

use hdfs_types::Block;

use super::op::{AddOp, EditOp};

/// Buffers kept at most, of each kind.
const MOST: usize = 1 << 15;
/// Longer buffers are given back.
const MOST_BYTES: usize = 1 << 10;

/// Memory of operations that nobody needs any more; see [`super::SegmentReader::decode_reusing`].
#[derive(Debug, Default)]
pub struct SpentOps {
    bytes: Vec<Vec<u8>>,
    blocks: Vec<Vec<Block>>,
    #[allow(clippy::vec_box)] // The boxes are what is used again.
    adds: Vec<Box<AddOp>>,
}

impl SpentOps {
    /// Takes an operation over. Only those that every file has are worth keeping.
    pub fn give(&mut self, op: EditOp) {
        match op {
            EditOp::Add(mut op) => {
                let status = &mut op.permissions;
                for text in [
                    &mut status.user,
                    &mut status.group,
                    &mut op.client_name,
                    &mut op.client_machine,
                ] {
                    give_bytes(&mut self.bytes, std::mem::take(text).into_bytes());
                }
                give_bytes(&mut self.bytes, std::mem::take(&mut op.path));
                if self.adds.len() < MOST {
                    self.adds.push(op);
                }
            }
            EditOp::Close(op) => {
                let status = op.permissions;
                for bytes in [status.user.into_bytes(), status.group.into_bytes(), op.path] {
                    give_bytes(&mut self.bytes, bytes);
                }
                if op.blocks.capacity() > 0
                    && op.blocks.capacity() < MOST_BYTES
                    && self.blocks.len() < MOST
                {
                    self.blocks.push(op.blocks);
                }
            }
            EditOp::AddBlock(op) => give_bytes(&mut self.bytes, op.path),
            EditOp::Delete(op) => give_bytes(&mut self.bytes, op.path),
            EditOp::Times(op) => give_bytes(&mut self.bytes, op.path),
            _ => {}
        }
    }

    /// A buffer with these bytes.
    #[inline]
    pub(super) fn filled(&mut self, with: &[u8]) -> Vec<u8> {
        if with.is_empty() {
            return Vec::new();
        }
        let mut bytes = self.bytes.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(with);
        bytes
    }

    /// An empty list with room for `count` blocks.
    #[inline]
    pub(super) fn blocks(&mut self, count: usize) -> Vec<Block> {
        if count == 0 {
            return Vec::new();
        }
        let mut blocks = self.blocks.pop().unwrap_or_default();
        blocks.clear();
        blocks.reserve(count);
        blocks
    }

    /// The operation in a box.
    #[inline]
    pub(super) fn boxed(&mut self, op: AddOp) -> Box<AddOp> {
        match self.adds.pop() {
            Some(mut spent) => {
                *spent = op;
                spent
            }
            None => Box::new(op),
        }
    }
}

#[inline]
fn give_bytes(kept: &mut Vec<Vec<u8>>, bytes: Vec<u8>) {
    if bytes.capacity() > 0 && bytes.capacity() <= MOST_BYTES && kept.len() < MOST {
        kept.push(bytes);
    }
}
