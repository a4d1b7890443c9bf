//! Recovery of replicas on disk: failed closes, and block recovery between DataNodes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hdfs_datanode::recovery::RecoveryInfo;
use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::{store, transition};
use hdfs_types::{Block, BlockId, ExtendedBlock, GenerationStamp, Result};

use super::Pool;

impl Pool {
    /// A client recovers a close whose acknowledgement got lost: the replica gets the new stamp and is finalized.
    ///
    /// # Errors
    /// When the replica is not the one that the client knows.
    pub(crate) fn recover_close(
        self: &Arc<Self>,
        block: &ExtendedBlock,
        new_stamp: GenerationStamp,
        expected_length: u64,
    ) -> Result<Block> {
        let (volume, block) = store::recover_close(&**self, block, new_stamp, expected_length)?;
        self.notify(volume, block, BlockEvent::Received);
        Ok(block)
    }

    /// A primary begins the recovery of a block. `None`: it is not here.
    ///
    /// # Errors
    /// When the replica is older than the block, a newer recovery runs, or its files are not what they should be.
    pub(crate) fn init_recovery(
        &self,
        block: &ExtendedBlock,
        recovery_id: GenerationStamp,
    ) -> Result<Option<RecoveryInfo>> {
        let found = store::init_recovery(self, block, recovery_id)?;
        if found.is_none() && self.unread.load(Ordering::Acquire) {
            // "Not here" would let the primary give up a block that may be on the volume that could not be read.
            return Err(transition::distrusted(block));
        }
        Ok(found)
    }

    /// A primary ends the recovery of a block here: new length, new stamp, finalized. Answers the volume's identity.
    ///
    /// # Errors
    /// When this replica is not in that recovery, too short, or the disk refuses.
    pub(crate) fn update_recovery(
        self: &Arc<Self>,
        old: &ExtendedBlock,
        recovery_id: GenerationStamp,
        new_id: BlockId,
        new_length: u64,
    ) -> Result<String> {
        let (volume, received) =
            store::update_recovery(&**self, old, recovery_id, new_id, new_length)?;
        self.notify(volume, received, BlockEvent::Received);
        Ok(self.volume(volume).uuid.as_str().to_owned())
    }
}
