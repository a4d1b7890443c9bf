//! What an operation means for blocks: values that the NameNode hands to the block manager.

use hdfs_types::{Block, BlockId, GenerationStamp, INodeId};
use smallvec::SmallVec;

/// One change of a block, in the order in which it must be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockChange {
    /// The file owns a new block. Not complete: it is being written.
    Added {
        /// The block.
        block: Block,
        /// The file.
        owner: INodeId,
        /// Replicas wanted.
        replication: u16,
        /// It is final (an edit or image of a closed file).
        complete: bool,
    },
    /// Length or stamp changed. In the live path the block manager knows this already.
    Updated {
        /// As it is now.
        block: Block,
    },
    /// The edit says that the block is final. In replay: complete it whatever was reported; in the live path it was
    /// committed before.
    Completed {
        /// The block.
        id: BlockId,
    },
    /// The last block of a closed file is written again (append, truncate).
    Reopened {
        /// The block.
        id: BlockId,
    },
    /// The last block is to be cut by a recovery with this stamp. `Reopened` came before.
    TruncateScheduled {
        /// The block.
        id: BlockId,
        /// Length after the cut, in bytes.
        new_length: u64,
        /// Stamp of the recovery.
        recovery_stamp: GenerationStamp,
    },
    /// A recovery with this stamp is to make the last block, which `Added` came before for, of the start of another one.
    CopyScheduled {
        /// The new block.
        id: BlockId,
        /// The block to copy from.
        source: Block,
        /// Stamp of the recovery.
        recovery_stamp: GenerationStamp,
    },
    /// Replicas wanted.
    Replication {
        /// The block.
        id: BlockId,
        /// Before.
        from: u16,
        /// Now.
        to: u16,
    },
    /// Another file owns the block (concat).
    Owner {
        /// The block.
        id: BlockId,
        /// The new owner.
        owner: INodeId,
        /// Replicas that the new owner wants.
        replication: u16,
    },
    /// No file owns the block any more.
    Removed {
        /// The block.
        block: Block,
    },
}

/// What one operation, or one slice of reclaiming, did beyond the tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Changes of blocks, in order. Most operations have one at most.
    pub blocks: SmallVec<[BlockChange; 1]>,
    /// A file was closed: look at the redundancy of its blocks.
    pub closed: Option<INodeId>,
    /// A file or directory was created or opened for append by this operation: what a retry cache stores.
    pub opened: Option<INodeId>,
    /// Detached inodes wait for [`crate::Namespace::reclaim_step`].
    pub reclaim_pending: bool,
    /// Inodes that are gone.
    pub removed: u64,
}

impl Effects {
    /// Nothing was done.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && !self.reclaim_pending
    }

    /// Adds those of a later operation.
    pub fn merge(&mut self, later: Self) {
        self.blocks.extend(later.blocks);
        self.closed = later.closed.or(self.closed);
        self.opened = later.opened.or(self.opened);
        self.reclaim_pending |= later.reclaim_pending;
        self.removed += later.removed;
    }
}
