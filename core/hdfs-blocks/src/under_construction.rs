//! What is known about a block while it is being written or recovered.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockUnderConstructionFeature (3.5.0)

use hdfs_types::{Block, GenerationStamp, ReplicaState};
use smallvec::SmallVec;

use crate::datanode::StorageSlot;

/// A replica that is expected, or was reported, on a storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UcReplica {
    pub(crate) storage: StorageSlot,
    /// As reported, or the block's own while only expected.
    pub(crate) generation_stamp: GenerationStamp,
    /// As reported last.
    pub(crate) num_bytes: u64,
    pub(crate) state: ReplicaState,
    /// Its node led a recovery before.
    pub(crate) tried_as_primary: bool,
}

/// The side record of a block that is not complete.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderConstruction {
    pub(crate) replicas: SmallVec<[UcReplica; 3]>,
    /// Stamp of the recovery under way.
    pub(crate) recovery_stamp: Option<GenerationStamp>,
    /// What truncation wants the block to be.
    pub(crate) truncate_block: Option<Block>,
}

impl UnderConstruction {
    pub(crate) fn new(block: Block, targets: &[StorageSlot]) -> Self {
        let mut this = Self::default();
        this.set_expected(block, targets);
        this
    }

    /// The pipeline is these storages now.
    pub(crate) fn set_expected(&mut self, block: Block, targets: &[StorageSlot]) {
        self.replicas.clear();
        self.expect_more(block, targets);
    }

    /// These storages are expected to have a replica, beside those that are known.
    pub(crate) fn expect_more(&mut self, block: Block, targets: &[StorageSlot]) {
        for storage in targets {
            if self.replicas.iter().all(|replica| replica.storage != *storage) {
                self.replicas.push(UcReplica {
                    storage: *storage,
                    generation_stamp: block.generation_stamp,
                    num_bytes: block.num_bytes,
                    state: ReplicaState::Rbw,
                    tried_as_primary: false,
                });
            }
        }
    }
}
