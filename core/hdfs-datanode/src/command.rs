//! The NameNode's orders, read from the wire and checked against who gave them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BPOfferService.processCommandFromActor,
//! org.apache.hadoop.hdfs.protocolPB.PBHelper (3.5.0)

use hdfs_format::datatransfer::block;
use hdfs_proto::hdfs::datanode::block_command_proto::Action;
use hdfs_proto::hdfs::datanode::datanode_command_proto::Type;
use hdfs_proto::hdfs::datanode::{BlockCommandProto, DatanodeCommandProto};
use hdfs_proto::hdfs::{DatanodeInfoProto, RecoveringBlockProto};
use hdfs_types::{Block, BlockPoolId};

/// One block to copy to other DataNodes.
#[derive(Clone, PartialEq, Debug)]
pub struct Transfer {
    /// The block.
    pub block: Block,
    /// Where it goes, in pipeline order.
    pub targets: Vec<DatanodeInfoProto>,
    /// The storage type on each target.
    pub storage_types: Vec<i32>,
    /// The storage on each target.
    pub storage_ids: Vec<String>,
}

/// An order.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Register again: the NameNode does not know this DataNode.
    Register,
    /// Copy blocks to other DataNodes.
    Transfer {
        /// The pool.
        pool: BlockPoolId,
        /// What goes where.
        transfers: Vec<Transfer>,
    },
    /// Delete blocks.
    Invalidate {
        /// The pool.
        pool: BlockPoolId,
        /// Which, with their stamps.
        blocks: Vec<Block>,
    },
    /// Recover blocks as the primary.
    Recover(Vec<RecoveringBlockProto>),
    /// Make an upgrade final.
    Finalize {
        /// The pool.
        pool: BlockPoolId,
    },
    /// The NameNode's limit for balancing, in bytes a second.
    BalancerBandwidth(u64),
    /// New keys of block tokens.
    KeyUpdate,
    /// Nothing to do, or nothing that this DataNode can do: what it was.
    Unsupported(&'static str),
}

/// Reads an order. A part that is missing makes it [`Command::Unsupported`]: it is logged, never guessed.
pub fn decode(proto: DatanodeCommandProto) -> Command {
    match Type::try_from(proto.cmd_type) {
        Ok(Type::RegisterCommand) => Command::Register,
        Ok(Type::BlockCommand) => {
            proto.blk_cmd.map_or(Command::Unsupported("BlockCommand"), block_command)
        }
        Ok(Type::BlockRecoveryCommand) => {
            proto.recovery_cmd.map_or(Command::Unsupported("BlockRecoveryCommand"), |cmd| {
                Command::Recover(cmd.blocks)
            })
        }
        Ok(Type::FinalizeCommand) => {
            proto.finalize_cmd.map_or(Command::Unsupported("FinalizeCommand"), |cmd| {
                Command::Finalize { pool: BlockPoolId::from(cmd.block_pool_id) }
            })
        }
        Ok(Type::BalancerBandwidthCommand) => {
            proto.balancer_cmd.map_or(Command::Unsupported("BalancerBandwidthCommand"), |cmd| {
                Command::BalancerBandwidth(cmd.bandwidth)
            })
        }
        Ok(Type::KeyUpdateCommand) => Command::KeyUpdate,
        Ok(Type::BlockIdCommand) => Command::Unsupported("BlockIdCommand"),
        Ok(Type::BlockEcReconstructionCommand) => {
            Command::Unsupported("BlockECReconstructionCommand")
        }
        Ok(Type::UnusedUpgradeCommand | Type::NullDatanodeCommand) => {
            Command::Unsupported("NullDatanodeCommand")
        }
        Err(_) => Command::Unsupported("unknown command"),
    }
}

fn block_command(cmd: BlockCommandProto) -> Command {
    let pool = BlockPoolId::from(cmd.block_pool_id);
    match Action::try_from(cmd.action) {
        Ok(Action::Invalidate) => {
            Command::Invalidate { pool, blocks: cmd.blocks.iter().map(block).collect() }
        }
        Ok(Action::Transfer) => {
            let mut targets = cmd.targets.into_iter();
            let mut types = cmd.target_storage_types.into_iter();
            let mut ids = cmd.target_storage_uuids.into_iter();
            let transfers = cmd.blocks.iter().map(|proto| Transfer {
                block: block(proto),
                targets: targets.next().map(|all| all.datanodes).unwrap_or_default(),
                storage_types: types.next().map(|all| all.storage_types).unwrap_or_default(),
                storage_ids: ids.next().map(|all| all.storage_uuids).unwrap_or_default(),
            });
            Command::Transfer { pool, transfers: transfers.collect() }
        }
        Ok(Action::Shutdown) => Command::Unsupported("DNA_SHUTDOWN"),
        Err(_) => Command::Unsupported("unknown block command"),
    }
}

impl Command {
    /// True when a standby's order counts too.
    pub fn from_standby_counts(&self) -> bool {
        matches!(self, Self::Register | Self::KeyUpdate)
    }

    /// Hadoop's name, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register => "DNA_REGISTER",
            Self::Transfer { .. } => "DNA_TRANSFER",
            Self::Invalidate { .. } => "DNA_INVALIDATE",
            Self::Recover(_) => "DNA_RECOVERBLOCK",
            Self::Finalize { .. } => "DNA_FINALIZE",
            Self::BalancerBandwidth(_) => "DNA_BALANCERBANDWIDTHUPDATE",
            Self::KeyUpdate => "DNA_ACCESSKEYUPDATE",
            Self::Unsupported(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_without_its_part_is_not_obeyed() {
        let proto = DatanodeCommandProto {
            cmd_type: Type::BlockCommand as i32,
            ..DatanodeCommandProto::default()
        };
        assert_eq!(decode(proto), Command::Unsupported("BlockCommand"));
    }

    #[test]
    fn a_standby_may_only_ask_to_register_and_give_keys() {
        let pool = BlockPoolId::from("BP-1");
        assert!(Command::Register.from_standby_counts());
        assert!(!Command::Invalidate { pool, blocks: Vec::new() }.from_standby_counts());
    }
}
