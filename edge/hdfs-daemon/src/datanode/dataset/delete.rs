//! Replicas that go: by order of a NameNode, or replaced by a newer one.

use std::sync::Arc;

use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::store::{self, Invalidated};
use hdfs_types::Block;

use super::Pool;

impl Pool {
    /// Deletes blocks by order of the active NameNode; a block with another stamp stays. Says how many it
    /// deleted, and what could not be.
    ///
    /// Unlinking a large file takes long: call this where that does not matter.
    pub(crate) fn invalidate(self: &Arc<Self>, blocks: &[Block]) -> (u64, Vec<String>) {
        let (mut deleted, mut errors) = (0, Vec::new());
        for block in blocks {
            // The directory scanner must not take files that are about to go for a replica that memory forgot.
            self.shard(block.id).deleting.insert(block.id);
            let invalidated = store::invalidate(&**self, block);
            self.shard(block.id).deleting.remove(&block.id);
            match invalidated {
                Invalidated::Absent => tracing::info!(%block, "delete: not here, deleted before"),
                Invalidated::OtherStamp(existing) => errors.push(format!(
                    "Failed to delete replica {block}: GenerationStamp not matched, existing replica is {existing}"
                )),
                Invalidated::Deleted(volume, block) => {
                    deleted += 1;
                    self.notify(volume, block, BlockEvent::Deleted);
                }
            }
        }
        (deleted, errors)
    }

    /// Cuts every writer off: `dfsadmin -evictWriters`. Their clients go on without this DataNode.
    pub(crate) fn evict_writers(&self) -> usize {
        let mut evicted = 0;
        for shard in &self.shards {
            let writers: Vec<_> = shard.lock().writers.values().cloned().collect();
            evicted += writers.len();
            writers.iter().for_each(|writer| writer.cut());
        }
        evicted
    }
}
