//! What the namespace asks the block manager while it plans.

use hdfs_blocks::{BlockManager, BlockState};
use hdfs_namespace::{BlockFacts, BlockStage};
use hdfs_types::{Block, BlockId};

/// The block manager, for plans.
pub(crate) struct Facts<'a>(pub(crate) &'a BlockManager);

impl BlockFacts for Facts<'_> {
    fn stage(&self, id: BlockId) -> BlockStage {
        match self.0.block(id).map(|info| info.state) {
            None | Some(BlockState::Complete) => BlockStage::Complete,
            Some(BlockState::UnderConstruction) => BlockStage::UnderConstruction,
            Some(BlockState::UnderRecovery) => BlockStage::UnderRecovery,
            Some(BlockState::Committed) => BlockStage::Committed,
        }
    }

    fn stored(&self, id: BlockId) -> Option<Block> {
        self.0.block(id).map(|info| info.block)
    }

    fn is_sufficiently_replicated(&self, id: BlockId) -> bool {
        self.0.has_min_storage(id)
    }

    fn truncate_length(&self, id: BlockId) -> Option<u64> {
        self.0.truncate_length(id)
    }
}
