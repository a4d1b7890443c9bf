//! Pipelines: a new stamp for a block, new nodes for a block, bad replicas.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.bumpBlockGenerationStamp, updatePipeline (3.5.0)

use hdfs_blocks::{BlockInfo, BlockState};
use hdfs_proto::hdfs as p;
use hdfs_types::{Block, DatanodeUuid, Error, ErrorKind, Result};

use super::write::NO_OFFSET;
use crate::call::Call;
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

impl NameNode {
    /// Proto: updateBlockForPipeline.
    pub fn update_block_for_pipeline(
        &mut self,
        call: &Call<'_>,
        request: &p::UpdateBlockForPipelineRequestProto,
    ) -> Result<p::UpdateBlockForPipelineResponseProto> {
        let block = self.own_block(&request.block)?;
        self.check_under_construction(call, block, &request.client_name)?;
        let planned =
            self.plan(call, |namespace, context| namespace.plan_next_generation_stamp(context))?;
        let generation_stamp = self.commit(planned, call.now);
        let block = Block { generation_stamp, ..block };
        let block = self.located_proto(block, NO_OFFSET, &[], false);
        Ok(p::UpdateBlockForPipelineResponseProto { block })
    }

    /// Proto: updatePipeline.
    pub fn update_pipeline(
        &mut self,
        call: &Call<'_>,
        request: &p::UpdatePipelineRequestProto,
    ) -> Result<p::UpdatePipelineResponseProto> {
        self.once(
            call,
            |_, _| Ok(p::UpdatePipelineResponseProto {}),
            |_| CachedAnswer::Done,
            |nn| nn.update_pipeline_once(call, request),
        )
    }

    fn update_pipeline_once(
        &mut self,
        call: &Call<'_>,
        request: &p::UpdatePipelineRequestProto,
    ) -> Result<p::UpdatePipelineResponseProto> {
        self.check_writable("Pipeline not updated", call.now.mono)?;
        let (old, new) = (self.own_block(&request.old_block)?, self.own_block(&request.new_block)?);
        if old.id != new.id {
            return Err(Error::io(format!("{new} and {old} have different block identifier")));
        }
        let stored = self.check_under_construction(call, old, &request.client_name)?;
        if new.generation_stamp <= stored.block.generation_stamp {
            return Err(Error::io(format!(
                "Update {} but the new block {} does not have a larger generation stamp than the last block {}",
                self.name(old),
                self.name(new),
                stored.block
            )));
        }
        if new.num_bytes < stored.block.num_bytes {
            return Err(Error::io(format!(
                "Update {} (size={}) to a smaller size block {} (size={})",
                self.name(old),
                old.num_bytes,
                self.name(new),
                new.num_bytes
            )));
        }
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_update_pipeline(context, stored.owner, &request.client_name, new)
        })?;
        let nodes: Vec<DatanodeUuid> = request
            .new_nodes
            .iter()
            .map(|node| DatanodeUuid::from(node.datanode_uuid.as_str()))
            .collect();
        let targets = self.blocks.resolve_storages(&nodes, &request.storage_i_ds)?;
        self.blocks.update_pipeline(new, &targets)?;
        if self.blocks.is_striped(new.id) {
            // Where a node has failed, its place is left empty.
            let places = (0..).zip(nodes.iter().zip(&request.storage_i_ds));
            let found: Vec<(u8, _)> = places
                .filter_map(|(index, (node, storage))| {
                    Some((index, self.blocks.find_storage(node.as_str(), storage)?))
                })
                .collect();
            self.blocks.set_group_locations(new.id, &found);
        }
        self.commit(planned, call.now);
        self.settle(call.now);
        Ok(p::UpdatePipelineResponseProto {})
    }

    /// The block is being written, by this client.
    fn check_under_construction(
        &self,
        call: &Call<'_>,
        block: Block,
        client_name: &str,
    ) -> Result<BlockInfo> {
        let name = self.name(block);
        self.check_writable(
            &format!("Cannot get a new generation stamp and an access token for block {name}"),
            call.now.mono,
        )?;
        let Some(info) = self.blocks.block(block.id) else {
            return Err(Error::io(format!("{name} does not exist.")));
        };
        if info.state != BlockState::UnderConstruction {
            return Err(Error::io(format!(
                "Unexpected BlockUCState: {name} is {} but not UNDER_CONSTRUCTION",
                info.state.name()
            )));
        }
        let writer = self.namespace.blocks_of_inode(info.owner).and_then(|file| file.writer);
        match writer {
            None => Err(Error::io(format!(
                "The file {} belonged to does not exist or it is not under construction.",
                info.block
            ))),
            Some(writer) if *writer.client_name != *client_name => Err(Error::new(
                ErrorKind::LeaseExpired,
                format!("Lease mismatch: {name} is accessed by a non lease holder {client_name}"),
            )),
            Some(_) => Ok(info),
        }
    }

    /// Proto: reportBadBlocks.
    pub fn report_bad_blocks(
        &mut self,
        call: &Call<'_>,
        request: &p::ReportBadBlocksRequestProto,
    ) -> Result<p::ReportBadBlocksResponseProto> {
        self.mark_bad_blocks(call, &request.blocks, "client machine reported it")?;
        Ok(p::ReportBadBlocksResponseProto {})
    }
}
