//! TRANSFER_BLOCK, and copies to other DataNodes by order of the NameNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DataNode.DataTransfer (3.5.0)

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hdfs_datanode::command::Transfer;
use hdfs_format::datatransfer::{
    Op, block_op_response, encode_op, extended_block, extended_block_proto, status_of,
};
use hdfs_proto::common::TokenProto;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{
    BaseHeaderProto, CachingStrategyProto, ChecksumProto, ClientOperationHeaderProto,
    DatanodeInfoProto, DnTransferAckProto, OpTransferBlockProto, OpWriteBlockProto, Status,
};
use hdfs_types::{Error, ExtendedBlock, ReplicaState, Result};

use super::super::Shared;
use super::super::sender::{SendError, Sender};
use super::super::wire::{self, Input, transfer_address};
use super::{After, Xceiver};

impl Xceiver<'_> {
    pub(super) fn transfer_block(&mut self, request: &OpTransferBlockProto) -> Result<After> {
        let block = extended_block(&request.header.base_header.block);
        let result = self.transfer_for_recovery(block, request);
        match result {
            Ok(()) => {
                self.respond(&block_op_response(Status::Success, None))?;
                Ok(After::Close)
            }
            Err(error) => {
                let text = format!("transferBlock received exception {error}");
                self.respond(&block_op_response(Status::Error, Some(&text)))?;
                Err(error)
            }
        }
    }

    fn transfer_for_recovery(
        &self,
        mut block: ExtendedBlock,
        request: &OpTransferBlockProto,
    ) -> Result<()> {
        let pool = self.shared.dataset.pool(&block.pool)?;
        let replica = pool.replica(block.block.id);
        let replica =
            replica.ok_or_else(|| Error::io(format!("{block} not found in datanode.")))?;
        let stored = replica.block.generation_stamp;
        if stored < block.block.generation_stamp {
            return Err(Error::io(format!(
                "{stored} = storedGS < b.getGenerationStamp(), b={block}"
            )));
        }
        let stage = match replica.state() {
            ReplicaState::Rbw => Stage::TransferRbw,
            ReplicaState::Finalized => Stage::TransferFinalized,
            _ => {
                return Err(Error::io(format!(
                    "{block} is neither a RBW nor a Finalized, r={replica}"
                )));
            }
        };
        block.block.generation_stamp = stored;
        block.block.num_bytes = replica.visible_length().unwrap_or(0);
        let copy = Copy {
            block,
            targets: request.targets.clone(),
            storage_types: request.target_storage_types.clone(),
            storage_ids: request.target_storage_ids.clone(),
            stage,
            client_name: request.header.client_name.clone(),
        };
        copy.run(self.shared)
    }
}

/// One replica on its way to other DataNodes.
struct Copy {
    block: ExtendedBlock,
    targets: Vec<DatanodeInfoProto>,
    storage_types: Vec<i32>,
    storage_ids: Vec<String>,
    stage: Stage,
    client_name: String,
}

impl Copy {
    fn run(&self, shared: &Arc<Shared>) -> Result<()> {
        shared.counters.transfers.fetch_add(1, Ordering::Relaxed);
        let result = self.push(shared);
        shared.counters.transfers.fetch_sub(1, Ordering::Relaxed);
        result
    }

    fn push(&self, shared: &Arc<Shared>) -> Result<()> {
        let Some(next) = self.targets.first() else { return Ok(()) };
        let pool = shared.dataset.pool(&self.block.pool)?;
        let length = self.block.block.num_bytes;
        let sender = Sender::open(&pool, &self.block, 0, length.cast_signed(), true)?;
        let conf = &shared.conf;
        let stream = wire::connect(next, conf.connect_by_host_name, conf.socket_timeout)?;
        let hops = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        stream.set_read_timeout(wire::timeout(conf.socket_timeout * hops))?;
        stream.set_write_timeout(wire::timeout(conf.write_timeout))?;
        wire::send(&stream, &encode_op(Op::WriteBlock, &self.request(shared, &sender)))?;
        let stream = Arc::new(stream);
        match sender.send(&stream, &shared.counters) {
            Ok(_) => {}
            Err(SendError::Peer(error)) => {
                // Who receives a copy breaks off when its checksums do not match.
                pool.report_suspect(&self.block);
                return Err(Error::io(format!("send to {}: {error}", transfer_address(next))));
            }
            Err(SendError::Disk(error)) => {
                shared.report_bad_block(&self.block, &error);
                return Err(error);
            }
        }
        if !self.client_name.is_empty() {
            let ack: DnTransferAckProto =
                Input::new(Arc::clone(&stream)).read_message("DNTransferAckProto")?;
            if status_of(ack.status) != Status::Success {
                return Err(Error::io(format!(
                    "Bad connect ack, targets={} status={}",
                    transfer_address(next),
                    status_of(ack.status).as_str_name()
                )));
            }
        } else {
            // The receiver closes when it has the block: only then was it taken.
            let mut rest = Input::new(Arc::clone(&stream));
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = rest.fill(1);
            shared.counters.blocks_replicated.fetch_add(1, Ordering::Relaxed);
        }
        tracing::info!(block = %self.block, to = transfer_address(next), "Transmitted");
        Ok(())
    }

    fn request(&self, shared: &Arc<Shared>, sender: &Sender) -> OpWriteBlockProto {
        let token = TokenProto::default();
        let spec = sender.spec();
        OpWriteBlockProto {
            header: ClientOperationHeaderProto {
                base_header: BaseHeaderProto {
                    block: extended_block_proto(&self.block),
                    token: Some(token),
                    trace_info: None,
                },
                client_name: self.client_name.clone(),
            },
            targets: self.targets.get(1..).unwrap_or_default().to_vec(),
            source: Some(DatanodeInfoProto {
                id: shared.datanode_id(),
                ..DatanodeInfoProto::default()
            }),
            stage: self.stage as i32,
            pipeline_size: 0,
            min_bytes_rcvd: 0,
            max_bytes_rcvd: 0,
            latest_generation_stamp: 0,
            requested_checksum: ChecksumProto {
                r#type: i32::from(spec.kind as u8),
                bytes_per_checksum: spec.bytes_per_checksum,
            },
            caching_strategy: Some(CachingStrategyProto {
                drop_behind: Some(true),
                readahead: None,
            }),
            storage_type: self.storage_types.first().copied(),
            target_storage_types: self.storage_types.get(1..).unwrap_or_default().to_vec(),
            allow_lazy_persist: Some(false),
            pinning: Some(false),
            target_pinnings: Vec::new(),
            storage_id: self.storage_ids.first().cloned(),
            target_storage_ids: self.storage_ids.get(1..).unwrap_or_default().to_vec(),
        }
    }
}

/// Copies a finalized block to other DataNodes, by order of the NameNode; runs in the background.
pub(crate) fn replicate(shared: &Arc<Shared>, transfer: Transfer, pool: &hdfs_types::BlockPoolId) {
    let block = ExtendedBlock { pool: pool.clone(), block: transfer.block };
    let known = shared.dataset.pool(pool).ok().and_then(|pool| pool.replica(transfer.block.id));
    let finalized = known.filter(|replica| replica.state() == ReplicaState::Finalized);
    let Some(replica) = finalized else {
        shared.report_error(pool, format!("Can't send invalid block {block}"));
        return;
    };
    if replica.block.num_bytes < transfer.block.num_bytes {
        let text = format!(
            "Can't replicate block {block} because on-disk length {} is shorter than NameNode recorded length {}",
            replica.block.num_bytes, transfer.block.num_bytes
        );
        shared.report_bad_block(&block, &Error::io(text));
        return;
    }
    let copy = Copy {
        block,
        targets: transfer.targets,
        storage_types: transfer.storage_types,
        storage_ids: transfer.storage_ids,
        stage: Stage::PipelineSetupCreate,
        client_name: String::new(),
    };
    let shared = Arc::clone(shared);
    let spawned = std::thread::Builder::new().name("transfer".to_owned()).spawn(move || {
        if let Err(error) = copy.run(&shared) {
            tracing::warn!(block = %copy.block, %error, "Failed to transfer block");
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "start a thread for a copy");
    }
}
