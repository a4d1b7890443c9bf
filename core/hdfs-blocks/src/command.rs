//! What a heartbeat's reply tells a DataNode to do.

use hdfs_types::{Block, GenerationStamp};

use crate::datanode::StorageSlot;

/// A length that means "do not report the deletion": the block is forgotten already.
///
/// Hadoop: org.apache.hadoop.hdfs.server.protocol.BlockCommand.NO_ACK (3.5.0)
pub const NO_ACK: u64 = i64::MAX as u64;

/// A copy to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The block.
    pub block: Block,
    /// Where to, in pipeline order.
    pub targets: Vec<StorageSlot>,
}

/// A block to recover; the node that gets this leads.
///
/// Proto: RecoveringBlockProto.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecoveringBlock {
    /// The block as it is stored now.
    pub block: Block,
    /// Who may hold a replica.
    pub locations: Vec<StorageSlot>,
    /// The generation stamp after recovery.
    pub new_generation_stamp: GenerationStamp,
    /// For truncation: the block as it shall be (same id: in place; another id: copy).
    pub truncate_block: Option<Block>,
}

/// One command of a heartbeat's reply.
///
/// Proto: DatanodeCommandProto.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatanodeCommand {
    /// Register again: this NameNode does not know you.
    Register,
    /// Recover these blocks.
    Recover(Vec<RecoveringBlock>),
    /// Send these copies.
    Transfer(Vec<Transfer>),
    /// Delete these replicas.
    Invalidate(Vec<Block>),
    /// Take the current block keys; the NameNode adds them.
    KeyUpdate,
    /// Balance no faster than this, in bytes a second.
    BalancerBandwidth(u64),
}

/// The block manager's part of a heartbeat's reply.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeartbeatReply {
    /// In Hadoop's order.
    pub commands: Vec<DatanodeCommand>,
    /// Permission to send a full report, or 0.
    pub report_lease_id: u64,
}
