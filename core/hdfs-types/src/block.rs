//! Blocks and the states of their replicas.

use std::fmt;

use crate::{BlockId, BlockPoolId, GenerationStamp};

/// A block: identity, length and version.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.Block (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Block {
    /// Identity inside the pool.
    pub id: BlockId,
    /// Length of the data, in bytes.
    pub num_bytes: u64,
    /// Version.
    pub generation_stamp: GenerationStamp,
}

/// Hadoop's text form, `blk_<id>_<generation stamp>`, as in logs and error messages.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blk_{}_{}", self.id, self.generation_stamp)
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blk_{}_{}[{}]", self.id, self.generation_stamp, self.num_bytes)
    }
}

/// A block with its pool: unique in a federation.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.ExtendedBlock (3.5.0)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtendedBlock {
    /// The pool.
    pub pool: BlockPoolId,
    /// The block.
    pub block: Block,
}

/// Hadoop's text form, `<pool>:blk_<id>_<generation stamp>`.
impl fmt::Display for ExtendedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pool, self.block)
    }
}

/// State of a replica. The numbers are those of ReplicaStateProto and of block reports.
///
/// Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.ReplicaState (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ReplicaState {
    /// Complete: length and checksums are final for its generation stamp.
    Finalized = 0,
    /// Being written by a pipeline ("replica being written").
    Rbw = 1,
    /// Was being written when the DataNode restarted ("replica waiting to be recovered").
    Rwr = 2,
    /// Under recovery.
    Rur = 3,
    /// Being copied by re-replication or a balancer; not visible to clients.
    Temporary = 4,
}

impl ReplicaState {
    /// The state with this number, if there is one.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Finalized,
            1 => Self::Rbw,
            2 => Self::Rwr,
            3 => Self::Rur,
            4 => Self::Temporary,
            _ => return None,
        })
    }

    /// Hadoop's name in upper case, as in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finalized => "FINALIZED",
            Self::Rbw => "RBW",
            Self::Rwr => "RWR",
            Self::Rur => "RUR",
            Self::Temporary => "TEMPORARY",
        }
    }
}
