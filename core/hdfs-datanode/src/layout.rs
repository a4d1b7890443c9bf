//! Names of files and folders below a volume.
//!
//! ```text
//! <volume>/current/VERSION
//! <volume>/current/<pool>/current/VERSION
//! <volume>/current/<pool>/current/finalized/subdir{d1}/subdir{d2}/blk_<id>, blk_<id>_<stamp>.meta
//!                                            d1 = id >> 16 & 0x1F, d2 = id >> 8 & 0x1F
//! <volume>/current/<pool>/current/rbw/       replicas being written
//! <volume>/current/<pool>/tmp/               copies in flight; emptied at start
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DatanodeUtil, BlockPoolSlice} (3.5.0)

use hdfs_types::{Block, BlockId, GenerationStamp};

/// The folder of a finalized block below `finalized/`.
pub fn finalized_subdir(id: BlockId) -> String {
    let (d1, d2) = finalized_subdir_numbers(id);
    format!("subdir{d1}/subdir{d2}")
}

/// The two numbers of [`finalized_subdir`], each below 32.
pub fn finalized_subdir_numbers(id: BlockId) -> (u8, u8) {
    ((id.0 >> 16 & 0x1F) as u8, (id.0 >> 8 & 0x1F) as u8)
}

/// The name of a block file.
pub fn block_file_name(id: BlockId) -> String {
    format!("blk_{id}")
}

/// The name of a `.meta` file.
pub fn meta_file_name(id: BlockId, stamp: GenerationStamp) -> String {
    format!("blk_{id}_{stamp}.meta")
}

/// Both names.
pub fn file_names(block: &Block) -> (String, String) {
    (block_file_name(block.id), meta_file_name(block.id, block.generation_stamp))
}

/// What a name in a block folder is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A block file.
    Block(BlockId),
    /// A `.meta` file.
    Meta(BlockId, GenerationStamp),
    /// Neither: left alone.
    Other,
}

/// Reads a name as block or `.meta` file.
pub fn parse_file_name(name: &str) -> FileKind {
    let Some(rest) = name.strip_prefix("blk_") else { return FileKind::Other };
    if let Some(rest) = rest.strip_suffix(".meta") {
        let parts = rest
            .rsplit_once('_')
            .and_then(|(id, stamp)| Some((id.parse::<i64>().ok()?, stamp.parse::<u64>().ok()?)));
        return parts.map_or(FileKind::Other, |(id, stamp)| {
            FileKind::Meta(BlockId(id), GenerationStamp(stamp))
        });
    }
    rest.parse().map_or(FileKind::Other, |id| FileKind::Block(BlockId(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let block = Block {
            id: BlockId(1_073_741_825),
            num_bytes: 0,
            generation_stamp: GenerationStamp(1_001),
        };
        let (data, meta) = file_names(&block);
        assert_eq!((data.as_str(), meta.as_str()), ("blk_1073741825", "blk_1073741825_1001.meta"));
        assert_eq!(parse_file_name(&data), FileKind::Block(block.id));
        assert_eq!(parse_file_name(&meta), FileKind::Meta(block.id, block.generation_stamp));
        let striped = FileKind::Meta(BlockId(-9_223_372_036_854_775_792), GenerationStamp(7));
        assert_eq!(parse_file_name("blk_-9223372036854775792_7.meta"), striped);
        for other in ["blk_", "blk_x", "VERSION", "blk_1.meta", "blk_1_.meta", "blk_1.unlinked"] {
            assert_eq!(parse_file_name(other), FileKind::Other, "{other}");
        }
    }

    #[test]
    fn blocks_lie_in_32_by_32_folders() {
        assert_eq!(finalized_subdir(BlockId(1_073_741_825)), "subdir0/subdir0");
        assert_eq!(finalized_subdir(BlockId(0x40_12_34_56)), "subdir18/subdir20");
        assert_eq!(finalized_subdir(BlockId(-1)), "subdir31/subdir31");
    }
}
