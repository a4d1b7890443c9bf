//! The vocabulary of HDFS: identifiers, blocks, permissions, paths, time, errors.
//!
//! Every other crate speaks in these types. They hold no behaviour beyond what their own fields need, do no IO and read
//! no clock. Identifiers are newtypes, so that a generation stamp is never taken for a length.

mod block;
mod collections;
pub mod erasure;
mod error;
mod ids;
mod path;
mod permission;
mod planted;
mod rng;
mod sharded_map;
mod storage;
mod text;
mod time;
mod workers;

pub use block::{Block, ExtendedBlock, ReplicaState};
pub use collections::{FastMap, FastSet};
pub use error::{Error, ErrorKind, Result, Retry};
pub use ids::{
    BlockId, BlockPoolId, CallId, ClientId, DatanodeUuid, GenerationStamp, INodeId, StorageUuid,
    TxId,
};
pub use path::{HdfsPath, PathError, components, is_valid_name, normalize};
pub use permission::{FsAction, FsPermission, PermissionStatus};
pub use planted::{Planted, PlantedBug};
pub use rng::{Rng, SplitMix64};
pub use sharded_map::ShardedMap;
pub use storage::StorageType;
pub use text::byte_desc;
pub use time::{Mono, WallMillis};
pub use workers::{Alone, Workers};

/// Hadoop's constants of identity and layout.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.INodeId, org.apache.hadoop.hdfs.protocol.HdfsConstants (3.5.0)
pub mod constants {
    /// The inode of `/`.
    pub const ROOT_INODE_ID: u64 = 16_385;
    /// Inode ids up to here are reserved.
    pub const LAST_RESERVED_INODE_ID: u64 = 16_384;
    /// Block ids up to here are reserved: the first block is 1,073,741,825.
    pub const LAST_RESERVED_BLOCK_ID: i64 = 1 << 30;
    /// Generation stamps up to here are reserved: the first one given is 1,001.
    pub const LAST_RESERVED_GENERATION_STAMP: u64 = 1_000;
    /// Legacy generation stamps count from here as well (OP_SET_GENSTAMP_V1).
    pub const FIRST_VALID_GENERATION_STAMP: u64 = 1_000;
    /// Layout version of NameNode folders, images and edit logs.
    pub const NAMENODE_LAYOUT_VERSION: i32 = -67;
    /// Layout version of DataNode folders.
    pub const DATANODE_LAYOUT_VERSION: i32 = -57;
    /// Length of one component of a path, in bytes (`dfs.namenode.fs-limits.max-component-length`).
    pub const MAX_COMPONENT_LENGTH: usize = 255;
    /// Length of a whole path, in bytes.
    pub const MAX_PATH_LENGTH: usize = 8_000;
    /// Components of a path.
    pub const MAX_PATH_DEPTH: usize = 1_000;
    /// Replication stored in 12 bits of an inode's header.
    pub const MAX_REPLICATION: u16 = 4_095;
    /// Transaction ids start at 1; Hadoop's INVALID_TXID.
    pub const INVALID_TXID: i64 = -12_345;
}
