//! What a balancer asks: which blocks a DataNode has.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNodeRpcServer, FSNamesystem} (3.5.0)
//! Proto: NamenodeProtocol.proto

use hdfs_blocks::{BlockOnNode, BlocksWanted};
use hdfs_proto::hdfs::namenode::{
    GetBlockKeysRequestProto, GetBlockKeysResponseProto, GetBlocksRequestProto,
    GetBlocksResponseProto,
};
use hdfs_proto::hdfs::{BlockWithLocationsProto, BlocksWithLocationsProto};
use hdfs_types::{Error, ErrorKind, INodeId, Result, Rng, SplitMix64, StorageType, WallMillis};

use crate::call::Call;
use crate::convert;
use crate::machine::NameNode;

impl NameNode {
    /// Proto: getBlocks.
    ///
    /// # Errors
    /// IllegalArgument for a size that is none; not a superuser; safe mode; an unknown DataNode.
    pub fn get_blocks_of_datanode(
        &self,
        call: &Call<'_>,
        request: &GetBlocksRequestProto,
    ) -> Result<GetBlocksResponseProto> {
        // The wire's numbers are unsigned, Java's are not.
        let (size, min) = (request.size.cast_signed(), request.min_block_size().cast_signed());
        if size <= 0 || min < 0 {
            let text = format!("Unexpected not positive size: {size}");
            return Err(Error::new(ErrorKind::IllegalArgument, text));
        }
        call.caller.check_superuser_for("getBlocks")?;
        self.check_writable("Cannot execute getBlocks", call.now.mono)?;
        let named = &request.datanode;
        let address = format!("{}:{}", named.ip_addr, named.xfer_port);
        let node = self.blocks.find_datanode(&named.datanode_uuid).ok_or_else(|| {
            let text = format!("Datanode {address} not found.");
            Error::new(ErrorKind::HadoopIllegalArgument, text)
        })?;
        let known = self.blocks.datanode(node).registration.xfer_addr();
        if known != address {
            let text = format!(
                "Data node {address} is attempting to report storage ID {}. Node {known} is expected to serve this \
                 storage.",
                named.datanode_uuid
            );
            return Err(Error::new(ErrorKind::UnregisteredNode, text));
        }
        let wanted = BlocksWanted {
            bytes: request.size,
            min_block_bytes: request.min_block_size(),
            kind: request.storage_type.and_then(StorageType::from_wire),
            start: SplitMix64(call.now.mono.0).next_u64(),
        };
        let interval = request.time_interval();
        let since = WallMillis(call.now.wall.0.saturating_sub(interval));
        let is_hot = |file: INodeId| interval > 0 && self.namespace.was_used_after(file, since);
        let found = self.blocks.blocks_for_balancer(node, &wanted, &is_hot);
        let blocks = found.into_iter().map(|found| self.with_locations(found)).collect();
        Ok(GetBlocksResponseProto { blocks: BlocksWithLocationsProto { blocks } })
    }

    /// Proto: getBlockKeys. Without block tokens the keys say so; a balancer needs that answer.
    ///
    /// # Errors
    /// Not a superuser.
    pub fn get_block_keys(
        &self,
        call: &Call<'_>,
        _: &GetBlockKeysRequestProto,
    ) -> Result<GetBlockKeysResponseProto> {
        call.caller.check_superuser_for("getBlockKeys")?;
        Ok(GetBlockKeysResponseProto { keys: Some(convert::no_keys()) })
    }

    fn with_locations(&self, found: BlockOnNode) -> BlockWithLocationsProto {
        let mut proto = BlockWithLocationsProto {
            block: convert::block_proto(found.block),
            ..BlockWithLocationsProto::default()
        };
        for slot in found.locations {
            let storage = self.blocks.storage(slot);
            let node = self.blocks.datanode(storage.datanode);
            proto.datanode_uuids.push(node.uuid().as_str().to_owned());
            proto.storage_uuids.push(storage.uuid().as_str().to_owned());
            proto.storage_types.push(storage.storage_type() as i32);
        }
        proto
    }
}
