//! Replicas that go: by order of a NameNode, or replaced by a newer one.

use std::sync::Arc;

use hdfs_datanode::Replica;
use hdfs_datanode::report::BlockEvent;
use hdfs_types::Block;

use super::{Pool, used_bytes};

impl Pool {
    /// Deletes blocks by order of the active NameNode; a block with another stamp stays. Says how many it
    /// deleted, and what could not be.
    ///
    /// Unlinking a large file takes long: call this where that does not matter.
    pub(crate) fn invalidate(self: &Arc<Self>, blocks: &[Block]) -> (u64, Vec<String>) {
        let (mut deleted, mut errors) = (0, Vec::new());
        for block in blocks {
            let removed = {
                let mut shard = self.shard(block.id);
                match shard.map.get(block.id) {
                    None => {
                        tracing::info!(%block, "delete: not here, deleted before");
                        continue;
                    }
                    Some(replica) if replica.block.generation_stamp != block.generation_stamp => {
                        errors.push(format!(
                            "Failed to delete replica {block}: GenerationStamp not matched, existing replica is {}",
                            replica.block
                        ));
                        continue;
                    }
                    Some(replica) => {
                        let replica = replica.clone();
                        if let Some(writer) = replica.writer()
                            && let Some(handle) = shard.writers.get(&writer)
                        {
                            handle.cut();
                        }
                        shard.map.remove(block.id);
                        shard.open.retain(|open| open.block.id != block.id);
                        replica
                    }
                }
            };
            self.remove_files(&removed);
            deleted += 1;
            self.notify(removed.volume, removed.block, BlockEvent::Deleted);
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

    /// Unlinks the files of a replica that is no longer in the map.
    pub(super) fn remove_files(&self, replica: &Replica) {
        let (data, meta) = self.dirs_of(replica.volume).files(replica.place, &replica.block);
        if replica.place == hdfs_datanode::Place::Finalized {
            let used = used_bytes(&data, &meta);
            self.volume(replica.volume).add_used(-used.cast_signed());
        }
        for path in [data, meta] {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "delete replica");
            }
        }
    }
}
