//! What the block manager tells its owner, besides answers.

use hdfs_types::{Block, BlockId, INodeId};

/// Something happened that a waiting reply, or the namespace, may depend on. Taken with
/// [`crate::BlockManager::poll_event`], in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockEvent {
    /// A committed block got its minimal replication from reports: it is complete now. The namespace settles the
    /// space that it takes, and a `complete()` or `addBlock()` that waits for it may be answered.
    Completed {
        /// The block, with its final length and stamp.
        block: Block,
        /// Its file.
        owner: INodeId,
    },
    /// A block that is still being written got its minimal replication of final replicas: if the client commits their
    /// length and stamp now, the block is complete at once.
    Finalized {
        /// The block.
        block: BlockId,
        /// Its file.
        owner: INodeId,
    },
}
