//! Setting up pipelines: blocks from the NameNode, the connection to the first DataNode.

use hdfs_datapath::ChecksumSpec;
use hdfs_datapath::recovery::bad_node_of_setup;
use hdfs_format::datatransfer::{self, Op, status_of};
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage;
use hdfs_proto::hdfs::{ChecksumTypeProto, Status};
use hdfs_types::{Error, ErrorKind, ExtendedBlock, GenerationStamp, Result};
use tokio::time::Instant;

use super::LocatePauses;
use super::streamer::{Broken, Streamer};
use crate::located::LocatedBlock;
use crate::peer::{Peer, Waiting};
use crate::read::check_status;

impl Streamer {
    /// Gets a new block and a pipeline for it; DataNodes that fail are left out of the next attempt.
    pub(super) async fn set_up_create(&mut self) -> Result<Peer> {
        let previous = self.block.clone();
        let attempts = self.file.client.conf().block_write_retries + 1;
        for _ in 0..=attempts {
            let located = self.add_block(previous.as_ref()).await?;
            let mut block = located.block;
            block.block.num_bytes = 0;
            self.bytes_sent = 0;
            self.token = located.token;
            self.nodes = located.locations;
            self.block = Some(block.clone());
            self.shared.set_block(self.block.clone());
            let stage = BlockConstructionStage::PipelineSetupCreate;
            match self.connect(&block, stage, GenerationStamp(0)).await {
                Ok(peer) => {
                    self.shared.set_persist_blocks();
                    return Ok(peer);
                }
                Err(broken) => {
                    tracing::warn!(path = %self.file.path, %block, error = %broken.error, "set up a pipeline");
                    self.abandon_block(&block).await?;
                    self.block.clone_from(&previous);
                    self.shared.set_block(previous.clone());
                    if broken.bad < self.nodes.len() {
                        let node = self.nodes.swap_remove(broken.bad).datanode;
                        self.excluded.push((node, Instant::now()));
                    }
                    self.nodes.clear();
                }
            }
        }
        Err(Error::io("Unable to create new block."))
    }

    /// Continues the last block of the file: a new generation stamp, then the pipeline of its DataNodes.
    pub(super) async fn set_up_append(&mut self) -> Result<Peer> {
        if self.nodes.is_empty() {
            return Err(Error::io(format!(
                "Unable to retrieve blocks locations  for last block {:?} of file {}",
                self.block, self.file.path
            )));
        }
        let peer = self.rebuild_pipeline(None).await?;
        self.shared.set_persist_blocks();
        Ok(peer)
    }

    /// Connects to the first DataNode, which connects to the next one, and so on.
    ///
    /// A new block has generation stamp `latest` 0; for any other the DataNodes raise their replica to it.
    pub(super) async fn connect(
        &self,
        block: &ExtendedBlock,
        stage: BlockConstructionStage,
        latest: GenerationStamp,
    ) -> Result<Peer, Broken> {
        let conf = self.file.client.conf();
        let first = &self.nodes.first().ok_or_else(|| {
            Broken::first(Error::io(format!("nodes are empty for write pipeline of {block}")))
        })?;
        let peer = Peer::connect(&first.datanode, conf, self.nodes.len(), Waiting::Async).await;
        let mut peer = peer.map_err(Broken::first)?;
        let request = self.write_request(block, stage, latest);
        peer.send(&datatransfer::encode_op(Op::WriteBlock, &request))
            .await
            .map_err(Broken::first)?;
        let response: proto::BlockOpResponseProto =
            peer.read_message("block response").await.map_err(Broken::first)?;
        let link = response.first_bad_link();
        if status_of(response.status) == Status::Success && link.is_empty() {
            return Ok(peer);
        }
        let addresses: Vec<String> =
            self.nodes.iter().map(|place| place.datanode.xfer_addr()).collect();
        let error = check_status(&response, || format!("ack with firstBadLink as {link}")).err();
        let error = error
            .unwrap_or_else(|| Error::io(format!("the pipeline ends before firstBadLink {link}")));
        let bad = bad_node_of_setup(link, &addresses);
        Err(Broken { error, bad, restarting: status_of(response.status) == Status::OobRestart })
    }

    fn write_request(
        &self,
        block: &ExtendedBlock,
        stage: BlockConstructionStage,
        latest: GenerationStamp,
    ) -> proto::OpWriteBlockProto {
        // The length that the block is to have; what is acknowledged goes as min_bytes_rcvd.
        let mut whole = block.clone();
        whole.block.num_bytes = self.file.block_size;
        let (first, rest) = self.nodes.split_first().expect("connect checked that there is one");
        proto::OpWriteBlockProto {
            header: proto::ClientOperationHeaderProto {
                base_header: proto::BaseHeaderProto {
                    block: datatransfer::extended_block_proto(&whole),
                    token: Some(self.token.clone()),
                    trace_info: None,
                },
                client_name: self.file.client.client_name().to_owned(),
            },
            targets: rest.iter().map(|place| place.datanode.wire.clone()).collect(),
            source: None,
            stage: stage as i32,
            pipeline_size: u32::try_from(self.nodes.len()).unwrap_or(u32::MAX),
            min_bytes_rcvd: block.block.num_bytes,
            max_bytes_rcvd: self.bytes_sent,
            latest_generation_stamp: latest.0,
            requested_checksum: checksum_to_proto(self.file.client.conf().checksum),
            caching_strategy: Some(proto::CachingStrategyProto::default()),
            storage_type: Some(first.storage_type as i32),
            target_storage_types: rest.iter().map(|place| place.storage_type as i32).collect(),
            allow_lazy_persist: Some(false),
            pinning: Some(false),
            target_pinnings: vec![false; rest.len()],
            storage_id: Some(first.storage_id.to_string()),
            target_storage_ids: rest.iter().map(|place| place.storage_id.to_string()).collect(),
        }
    }

    /// Proto: ClientNamenodeProtocol.proto addBlock
    async fn add_block(&mut self, previous: Option<&ExtendedBlock>) -> Result<LocatedBlock> {
        let conf = self.file.client.conf();
        self.excluded.retain(|(_, since)| since.elapsed() < conf.exclude_expiry);
        let request = proto::AddBlockRequestProto {
            src: self.file.path.clone(),
            client_name: self.file.client.client_name().to_owned(),
            previous: previous.map(datatransfer::extended_block_proto),
            exclude_nodes: self.excluded.iter().map(|(node, _)| node.wire.clone()).collect(),
            file_id: Some(self.file.file_id.0),
            favored_nodes: self.file.placement.favored_nodes.clone(),
            flags: self.file.placement.flags(),
        };
        let mut pauses = LocatePauses::new(conf);
        loop {
            let answer: Result<proto::AddBlockResponseProto> =
                self.file.client.namenode().call("addBlock", &request).await;
            match answer {
                Ok(answer) => return Ok(LocatedBlock::from_proto(answer.block)),
                Err(error) if error.kind == ErrorKind::NotReplicatedYet => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Proto: ClientNamenodeProtocol.proto abandonBlock
    async fn abandon_block(&self, block: &ExtendedBlock) -> Result<()> {
        let request = proto::AbandonBlockRequestProto {
            b: datatransfer::extended_block_proto(block),
            src: self.file.path.clone(),
            holder: self.file.client.client_name().to_owned(),
            file_id: Some(self.file.file_id.0),
        };
        let _: proto::AbandonBlockResponseProto =
            self.file.client.namenode().call("abandonBlock", &request).await?;
        Ok(())
    }

    /// A new generation stamp and a token for the present block. Proto: ClientNamenodeProtocol.proto updateBlockForPipeline
    pub(super) async fn new_generation(
        &mut self,
        block: &ExtendedBlock,
    ) -> Result<GenerationStamp> {
        let request = proto::UpdateBlockForPipelineRequestProto {
            block: datatransfer::extended_block_proto(block),
            client_name: self.file.client.client_name().to_owned(),
        };
        let answer: proto::UpdateBlockForPipelineResponseProto =
            self.file.client.namenode().call("updateBlockForPipeline", &request).await?;
        let located = LocatedBlock::from_proto(answer.block);
        self.token = located.token;
        Ok(located.block.block.generation_stamp)
    }

    /// Tells the NameNode which DataNodes hold the block under its new stamp. Proto: ClientNamenodeProtocol.proto updatePipeline
    pub(super) async fn update_pipeline(
        &self,
        old: &ExtendedBlock,
        new: &ExtendedBlock,
    ) -> Result<()> {
        let request = proto::UpdatePipelineRequestProto {
            client_name: self.file.client.client_name().to_owned(),
            old_block: datatransfer::extended_block_proto(old),
            new_block: datatransfer::extended_block_proto(new),
            new_nodes: self.nodes.iter().map(|place| place.datanode.wire.id.clone()).collect(),
            storage_i_ds: self.nodes.iter().map(|place| place.storage_id.to_string()).collect(),
        };
        let _: proto::UpdatePipelineResponseProto =
            self.file.client.namenode().call("updatePipeline", &request).await?;
        Ok(())
    }
}

/// Proto: datatransfer.proto ChecksumProto
fn checksum_to_proto(spec: ChecksumSpec) -> proto::ChecksumProto {
    let kind = ChecksumTypeProto::try_from(i32::from(spec.kind as u8));
    proto::ChecksumProto {
        r#type: kind.unwrap_or(ChecksumTypeProto::ChecksumNull) as i32,
        bytes_per_checksum: spec.bytes_per_checksum,
    }
}
