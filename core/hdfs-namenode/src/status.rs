//! Answers of queries as messages: file status and located blocks.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirStatAndListingOp,
//! org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.createLocatedBlocks (3.5.0)

use hdfs_blocks::{BlockState, StorageSlot};
use hdfs_namespace::{FileBlocks, FileStatus, INodeKind};
use hdfs_proto::hdfs::{
    ErasureCodingPolicyProto, FsPermissionProto, HdfsFileStatusProto, LocatedBlockProto,
    LocatedBlocksProto, hdfs_file_status_proto::FileType,
};
use hdfs_types::{Block, Mono};

use crate::call::Call;
use crate::convert;
use crate::machine::NameNode;

/// `HdfsFileStatusProto.Flags`.
const HAS_ACL: u32 = 1;
const HAS_CRYPT: u32 = 2;
const HAS_EC: u32 = 4;
const SNAPSHOT_ENABLED: u32 = 8;

impl NameNode {
    /// Proto: hdfs.proto HdfsFileStatusProto.
    pub(crate) fn status_proto(&self, call: &Call<'_>, status: FileStatus) -> HdfsFileStatusProto {
        let kind = match status.kind {
            INodeKind::Directory => FileType::IsDir,
            INodeKind::File => FileType::IsFile,
            INodeKind::Symlink => FileType::IsSymlink,
        };
        let acl = if status.has_acl { HAS_ACL } else { 0 };
        let ec = if status.ec_policy == 0 { 0 } else { HAS_EC };
        let crypt = if status.encrypted { HAS_CRYPT } else { 0 };
        let snapshots = if status.snapshottable { SNAPSHOT_ENABLED } else { 0 };
        let locations = status.blocks.as_ref().map(|blocks| {
            self.located_blocks(call, blocks, 0, status.length, Some(call.client_machine))
        });
        HdfsFileStatusProto {
            file_type: kind as i32,
            path: status.name.into(),
            length: status.length,
            permission: FsPermissionProto { perm: u32::from(status.permission.0) },
            owner: status.owner.to_string(),
            group: status.group.to_string(),
            modification_time: status.mtime.0,
            access_time: status.atime.0,
            symlink: status.symlink.map(Into::into),
            block_replication: Some(u32::from(status.replication)),
            blocksize: Some(status.block_size),
            locations,
            file_id: Some(status.inode.0),
            children_num: Some(i32::try_from(status.children).unwrap_or(i32::MAX)),
            file_encryption_info: status.encryption.map(|of| *of),
            storage_policy: Some(u32::from(status.storage_policy)),
            ec_policy: self.ec_policy_proto(status.ec_policy),
            flags: Some(acl | crypt | ec | snapshots),
            namespace: None,
        }
    }

    /// The policy with this number; 0 is none.
    fn ec_policy_proto(&self, id: u8) -> Option<ErasureCodingPolicyProto> {
        self.namespace.erasure_coding_policy(id).map(|policy| policy.to_proto())
    }

    /// The blocks of a file that overlap a range, and its last one.
    pub(crate) fn located_blocks(
        &self,
        call: &Call<'_>,
        file: &FileBlocks,
        offset: u64,
        length: u64,
        reader: Option<&str>,
    ) -> LocatedBlocksProto {
        let stored: Vec<(Block, bool)> =
            file.blocks.iter().map(|block| self.stored_block(*block)).collect();
        let mono = call.now.mono;
        if file.snapshot_length.is_some() {
            return self.located_in_snapshot((mono, reader), file, &stored, (offset, length));
        }
        let complete: u64 = stored.iter().filter(|of| of.1).map(|of| of.0.num_bytes).sum();
        let blocks = overlapping(&stored, offset, length)
            .map(|(block, position)| self.located(mono, block, position, reader))
            .collect();
        let last = stored.last().map(|(block, is_complete)| {
            let position = if *is_complete { complete - block.num_bytes } else { complete };
            self.located(mono, *block, position, reader)
        });
        LocatedBlocksProto {
            file_length: complete,
            blocks,
            under_construction: file.writer.is_some(),
            is_last_block_complete: stored.last().is_some_and(|of| of.1),
            last_block: last,
            file_encryption_info: file.encryption.as_deref().cloned(),
            ec_policy: self.ec_policy_proto(file.ec_policy),
        }
    }

    /// The same for a file in a snapshot: it may end inside a block, and nobody writes it.
    fn located_in_snapshot(
        &self,
        (mono, reader): (Mono, Option<&str>),
        file: &FileBlocks,
        stored: &[(Block, bool)],
        (offset, length): (u64, u64),
    ) -> LocatedBlocksProto {
        let file_length = file.length();
        let mut located = LocatedBlocksProto {
            file_length: if stored.is_empty() { 0 } else { file_length },
            blocks: Vec::new(),
            under_construction: false,
            is_last_block_complete: !stored.is_empty(),
            last_block: None,
            file_encryption_info: file.encryption.as_deref().cloned(),
            ec_policy: self.ec_policy_proto(file.ec_policy),
        };
        let length = length.min(file_length.saturating_sub(offset));
        if offset <= file_length {
            located.blocks = overlapping(stored, offset, length)
                .map(|(block, position)| self.located(mono, block, position, reader))
                .collect();
        }
        let mut position = 0;
        let last = stored.iter().enumerate().find(|(index, (block, _))| {
            let is_last = position + block.num_bytes >= file_length || index + 1 == stored.len();
            position += if is_last { 0 } else { block.num_bytes };
            is_last
        });
        located.last_block =
            last.map(|(_, (block, _))| self.located(mono, *block, position, reader));
        located
    }

    /// The block as the block manager has it, and whether it is complete.
    pub(crate) fn stored_block(&self, block: Block) -> (Block, bool) {
        match self.blocks.block(block.id) {
            Some(info) => (info.block, info.state == BlockState::Complete),
            None => (block, true),
        }
    }

    fn located(
        &self,
        mono: Mono,
        block: Block,
        position: u64,
        reader: Option<&str>,
    ) -> LocatedBlockProto {
        let replicas = self.blocks.locate(mono, block.id, reader, mono.0);
        self.located_proto(block, position, &replicas.locations, replicas.corrupt)
    }

    /// The indices of a group's blocks, as these locations lie; without locations, those that are being written.
    fn put_indices(&self, block: Block, locations: &[StorageSlot], proto: &mut LocatedBlockProto) {
        let Some(group) = self.blocks.group_locations(block.id) else { return };
        let index = |slot: &StorageSlot| group.iter().find(|of| of.1 == *slot).map_or(0, |of| of.0);
        let indices: Vec<u8> = match locations {
            [] if self.stored_block(block).1 => return,
            [] => group.iter().map(|of| of.0).collect(),
            locations => locations.iter().map(index).collect(),
        };
        proto.block_tokens = vec![convert::no_token(); indices.len()];
        proto.block_indices = Some(indices.into());
    }

    /// Proto: hdfs.proto LocatedBlockProto.
    pub(crate) fn located_proto(
        &self,
        block: Block,
        offset: u64,
        locations: &[StorageSlot],
        corrupt: bool,
    ) -> LocatedBlockProto {
        let mut proto = LocatedBlockProto {
            b: convert::extended_block(&self.identity.block_pool_id, block),
            offset,
            locs: Vec::with_capacity(locations.len()),
            corrupt,
            block_token: convert::no_token(),
            is_cached: vec![false; locations.len()],
            storage_types: Vec::with_capacity(locations.len()),
            storage_i_ds: Vec::with_capacity(locations.len()),
            block_indices: None,
            block_tokens: Vec::new(),
        };
        if block.id.0 < 0 {
            self.put_indices(block, locations, &mut proto);
        }
        for slot in locations {
            let storage = self.blocks.storage(*slot);
            let datanode = self.blocks.datanode(storage.datanode);
            proto.locs.push(convert::datanode_info_short(datanode));
            proto.storage_types.push(storage.storage_type() as i32);
            proto.storage_i_ds.push(storage.uuid().as_str().to_owned());
        }
        proto
    }
}

/// Blocks that overlap a range, with their position in the file. A file whose first block has no length yet has that
/// block at any position, as in Hadoop.
pub(crate) fn overlapping(
    blocks: &[(Block, bool)],
    offset: u64,
    length: u64,
) -> impl Iterator<Item = (Block, u64)> {
    let end = offset.saturating_add(length);
    let empty = blocks.first().is_some_and(|of| of.0.num_bytes == 0);
    let mut position = 0;
    let mut any = false;
    blocks
        .iter()
        .map_while(move |(block, _)| {
            let start = position;
            position += block.num_bytes;
            let skip = position <= offset && !empty;
            if any && start >= end {
                return None;
            }
            any |= !skip;
            Some((!skip).then_some((*block, start)))
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_types::{BlockId, GenerationStamp};

    fn ranges(lengths: &[u64], offset: u64, length: u64) -> Vec<(i64, u64)> {
        let block = |(index, num_bytes): (usize, &u64)| {
            let id = BlockId(index as i64);
            (Block { id, num_bytes: *num_bytes, generation_stamp: GenerationStamp(1) }, true)
        };
        let blocks: Vec<_> = lengths.iter().enumerate().map(block).collect();
        overlapping(&blocks, offset, length).map(|(block, at)| (block.id.0, at)).collect()
    }

    #[test]
    fn only_blocks_that_overlap_the_range_are_located() {
        assert_eq!(ranges(&[10, 10, 5], 0, 10), [(0, 0)]);
        assert_eq!(ranges(&[10, 10, 5], 9, 2), [(0, 0), (1, 10)]);
        assert_eq!(ranges(&[10, 10, 5], 20, 100), [(2, 20)]);
        assert_eq!(ranges(&[10, 10, 5], 12, 0), [(1, 10)]);
        assert_eq!(ranges(&[10, 10, 5], 25, 1), []);
        assert_eq!(ranges(&[], 0, 1), []);
        assert_eq!(ranges(&[0], 0, 10), [(0, 0)]);
    }
}
