//! Rebuilding a pipeline after a failure: the bad DataNode leaves, another may join and gets a copy of what was written,
//! the block gets a new generation stamp so that the replica that stayed behind counts as stale.
//!
//! Hadoop: org.apache.hadoop.hdfs.DataStreamer.setupPipelineInternal (3.5.0)

use std::time::Duration;

use hdfs_format::datatransfer::{self, Op};
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage;
use hdfs_types::{Error, ExtendedBlock, Result};
use tokio::time::Instant;

use super::streamer::{Broken, Stage, Streamer};
use crate::located::{LocatedBlock, ReplicaLocation};
use crate::peer::{Peer, Waiting};
use crate::read::check_status;

/// Pause before a DataNode that restarts is tried again.
const RESTART_RETRY: Duration = Duration::from_secs(4);
/// DataNodes that are tried as replacement.
const REPLACEMENT_ATTEMPTS: usize = 3;

impl Streamer {
    /// Sets the pipeline of the present block up again, without the DataNode that broke it. `None`: it stands for the
    /// first time, for an append.
    pub(super) async fn rebuild_pipeline(&mut self, mut broken: Option<Broken>) -> Result<Peer> {
        let mut restart_deadline = None;
        loop {
            let is_recovery = broken.is_some();
            if let Some(broken) = &broken {
                let conf = self.file.client.conf();
                let patience = conf.datanode_restart_timeout;
                let deadline = *restart_deadline.get_or_insert_with(|| Instant::now() + patience);
                // With other DataNodes left it is faster to go on without this one.
                if broken.restarting && self.nodes.len() == 1 && Instant::now() < deadline {
                    tokio::time::sleep(RESTART_RETRY.min(patience)).await;
                } else {
                    self.leave_out(broken)?;
                }
            }
            self.replace_if_wanted().await?;
            let block =
                self.block.clone().ok_or_else(|| Error::io("there is no block to recover"))?;
            let generation = self.new_generation(&block).await?;
            match self.connect(&block, self.wire_stage(is_recovery), generation).await {
                Ok(peer) => {
                    let mut renewed = block.clone();
                    renewed.block.generation_stamp = generation;
                    self.block = Some(renewed.clone());
                    self.shared.set_block(self.block.clone());
                    self.update_pipeline(&block, &renewed).await?;
                    return Ok(peer);
                }
                Err(mut again) => {
                    tracing::warn!(path = %self.file.path, %block, error = %again.error, "rebuild a pipeline");
                    // A DataNode that restarts refuses connections for a while.
                    let was_restarting = broken.as_ref().is_some_and(|broken| broken.restarting);
                    again.restarting |= was_restarting && self.nodes.len() == 1;
                    broken = Some(again);
                }
            }
        }
    }

    fn wire_stage(&self, is_recovery: bool) -> BlockConstructionStage {
        match (self.stage, is_recovery) {
            (Stage::Append | Stage::Create, false) => BlockConstructionStage::PipelineSetupAppend,
            (Stage::Append | Stage::Create, true) => {
                BlockConstructionStage::PipelineSetupAppendRecovery
            }
            (Stage::Streaming, _) => BlockConstructionStage::PipelineSetupStreamingRecovery,
            (Stage::Closing, _) => BlockConstructionStage::PipelineCloseRecovery,
        }
    }

    fn leave_out(&mut self, broken: &Broken) -> Result<()> {
        if self.nodes.len() <= 1 {
            let names: Vec<String> =
                self.nodes.iter().map(|place| place.datanode.xfer_addr()).collect();
            return Err(Error::io(format!(
                "All datanodes [{}] are bad. Aborting...",
                names.join(", ")
            )));
        }
        let bad = broken.bad.min(self.nodes.len() - 1);
        self.failed.push(self.nodes.remove(bad).datanode);
        Ok(())
    }

    /// Adds a DataNode when the policy asks for it and one is to be had.
    async fn replace_if_wanted(&mut self) -> Result<()> {
        let policy = self.file.client.conf().replace_datanode;
        let hflushed = self.shared.is_hflushed();
        let wanted = policy.wants_replacement(
            self.file.replication,
            self.nodes.len(),
            self.is_append,
            hflushed,
        );
        // At the first set-up for an append nothing has failed.
        if !wanted || self.failed.is_empty() {
            return Ok(());
        }
        match self.add_node().await {
            Ok(()) => Ok(()),
            Err(error) if policy.may_continue_without(self.nodes.len()) => {
                tracing::warn!(path = %self.file.path, %error, "replace a DataNode; continue without");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Asks for another DataNode and has what was written copied to it.
    async fn add_node(&mut self) -> Result<()> {
        let original = self.nodes.clone();
        let mut excludes: Vec<_> = self.failed.iter().map(|node| node.wire.clone()).collect();
        let mut last_error = None;
        for attempt in 0..REPLACEMENT_ATTEMPTS {
            let block = self.block.clone().ok_or_else(|| Error::io("there is no block to copy"))?;
            let located = self.additional_datanode(&block, &original, excludes.clone()).await?;
            let added = located.locations.iter().position(|place| {
                original.iter().all(|old| old.datanode.uuid != place.datanode.uuid)
            });
            let Some(index) = added.filter(|_| located.locations.len() == original.len() + 1)
            else {
                return Err(self.no_replacement(&located.locations, &original));
            };
            let source = &original[attempt % original.len()];
            let target = &located.locations[index];
            match self.transfer(&block, source, target, &located).await {
                Ok(()) => {
                    self.nodes = located.locations;
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(
                        source = %source.datanode, target = %target.datanode, %error,
                        "copy a replica to a new DataNode"
                    );
                    excludes.push(target.datanode.wire.clone());
                    last_error = Some(error);
                }
            }
        }
        Err(last_error.unwrap_or_else(|| Error::io("Failed to add a node")))
    }

    fn no_replacement(&self, now: &[ReplicaLocation], original: &[ReplicaLocation]) -> Error {
        let names = |places: &[ReplicaLocation]| {
            let names: Vec<String> =
                places.iter().map(|place| place.datanode.to_string()).collect();
            names.join(", ")
        };
        Error::io(format!(
            "Failed to replace a bad datanode on the existing pipeline due to no more good datanodes being available to try. \
             (Nodes: current=[{}], original=[{}]). The current failed datanode replacement policy is {}, and a client may \
             configure this via 'dfs.client.block.write.replace-datanode-on-failure.policy' in its configuration.",
            names(now),
            names(original),
            format!("{:?}", self.file.client.conf().replace_datanode.policy).to_uppercase(),
        ))
    }

    /// Proto: ClientNamenodeProtocol.proto getAdditionalDatanode
    async fn additional_datanode(
        &self,
        block: &ExtendedBlock,
        existing: &[ReplicaLocation],
        excludes: Vec<proto::DatanodeInfoProto>,
    ) -> Result<LocatedBlock> {
        let request = proto::GetAdditionalDatanodeRequestProto {
            src: self.file.path.clone(),
            blk: datatransfer::extended_block_proto(block),
            existings: existing.iter().map(|place| place.datanode.wire.clone()).collect(),
            excludes,
            num_additional_nodes: 1,
            client_name: self.file.client.client_name().to_owned(),
            existing_storage_uuids: existing.iter().map(|p| p.storage_id.to_string()).collect(),
            file_id: Some(self.file.file_id.0),
        };
        let answer: proto::GetAdditionalDatanodeResponseProto =
            self.file.client.namenode().call("getAdditionalDatanode", &request).await?;
        Ok(LocatedBlock::from_proto(answer.block))
    }

    /// Has one DataNode copy its replica to another.
    async fn transfer(
        &self,
        block: &ExtendedBlock,
        source: &ReplicaLocation,
        target: &ReplicaLocation,
        located: &LocatedBlock,
    ) -> Result<()> {
        let conf = self.file.client.conf();
        let request = proto::OpTransferBlockProto {
            header: proto::ClientOperationHeaderProto {
                base_header: proto::BaseHeaderProto {
                    block: datatransfer::extended_block_proto(block),
                    token: Some(located.token.clone()),
                    trace_info: None,
                },
                client_name: self.file.client.client_name().to_owned(),
            },
            targets: vec![target.datanode.wire.clone()],
            target_storage_types: vec![target.storage_type as i32],
            target_storage_ids: vec![target.storage_id.to_string()],
        };
        let mut peer = Peer::connect(&source.datanode, conf, 2, Waiting::Async).await?;
        // More time for more bytes: one extension for every 200 packets.
        let packets =
            usize::try_from(self.bytes_sent).unwrap_or(usize::MAX) / conf.write_packet_bytes.max(1);
        peer.set_timeout(conf.read_timeout(2 + packets / 200));
        peer.send(&datatransfer::encode_op(Op::TransferBlock, &request)).await?;
        let response: proto::BlockOpResponseProto = peer.read_message("transfer response").await?;
        check_status(&response, || "Failed to add a datanode".to_owned())
    }
}
