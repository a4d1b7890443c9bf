//! A NameNode's orders on a simulated DataNode: deletions, copies, block recovery.

use std::rc::Rc;
use std::time::Duration;

use hdfs_datanode::command::{Command, Transfer};
use hdfs_datanode::recovery::{Candidate, RecoveryInfo, SyncPlan, is_only_older, plan_sync};
use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::store::{self, Invalidated, Store};
use hdfs_format::datatransfer::{block, extended_block, extended_block_proto, status_of};
use hdfs_proto::hdfs::datanode::CommitBlockSynchronizationRequestProto;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{
    BaseHeaderProto, ChecksumProto, ClientOperationHeaderProto, DatanodeIdProto, DatanodeInfoProto,
    OpTransferBlockProto, OpWriteBlockProto, RecoveringBlockProto, Status,
};
use hdfs_types::{BlockId, Error, ErrorKind, ExtendedBlock, GenerationStamp, ReplicaState, Result};

use super::{DataNode, Frame, datanode_id, machine_at, storage_uuid};

const LIMIT: Duration = Duration::from_secs(20);

impl DataNode {
    pub(super) fn perform_order(self: &Rc<Self>, command: Command) {
        self.sim.note(format_args!("{:?} is told {}", self.node, command.name()));
        let this = Rc::clone(self);
        match command {
            Command::Invalidate { blocks, .. } => {
                self.sim.spawn(self.node, async move {
                    for block in blocks {
                        this.sim.sleep(Duration::from_millis(5)).await;
                        this.cluster.before_deletion(&this, &block);
                        if let Invalidated::Deleted(_, block) =
                            store::invalidate(&this.pool, &block)
                        {
                            this.notify(block, BlockEvent::Deleted, None);
                        }
                    }
                });
            }
            Command::Transfer { transfers, .. } => {
                for transfer in transfers {
                    self.replicate(transfer);
                }
            }
            Command::Recover(blocks) => {
                self.sim.spawn(self.node, async move {
                    for request in blocks {
                        if let Err(error) = this.recover(&request).await {
                            this.sim.note(format_args!("{:?} recovery: {error}", this.node));
                        }
                    }
                });
            }
            _ => {}
        }
    }

    fn replicate(self: &Rc<Self>, transfer: Transfer) {
        let block = self.pool.extended(transfer.block);
        let known = self.pool.replica(transfer.block.id);
        let Some(replica) = known.filter(|of| of.state() == ReplicaState::Finalized) else {
            return;
        };
        if replica.block.num_bytes < transfer.block.num_bytes {
            self.report_bad(&block, self.node);
            return;
        }
        let this = Rc::clone(self);
        self.sim.spawn(self.node, async move {
            this.transfers.set(this.transfers.get() + 1);
            let sent = this.push(&block, transfer.targets, Stage::PipelineSetupCreate, "").await;
            this.transfers.set(this.transfers.get() - 1);
            if let Err(error) = sent {
                this.sim.note(format_args!("{:?} copy {block}: {error}", this.node));
            }
        });
    }

    pub(super) async fn transfer_for_recovery(
        self: &Rc<Self>,
        mut block: ExtendedBlock,
        request: &OpTransferBlockProto,
    ) -> Result<()> {
        let replica = self.pool.replica(block.block.id);
        let replica = replica.ok_or_else(|| Error::io(format!("{block} not found")))?;
        let stored = replica.block.generation_stamp;
        if stored < block.block.generation_stamp {
            return Err(Error::io(format!("{stored} = storedGS < b.getGenerationStamp()")));
        }
        let stage = match replica.state() {
            ReplicaState::Rbw => Stage::TransferRbw,
            ReplicaState::Finalized => Stage::TransferFinalized,
            _ => return Err(Error::io(format!("{block} is neither a RBW nor a Finalized"))),
        };
        block.block.generation_stamp = stored;
        block.block.num_bytes = replica.visible_length().unwrap_or(0);
        self.push(&block, request.targets.clone(), stage, &request.header.client_name).await
    }

    /// Sends a replica to other DataNodes.
    async fn push(
        self: &Rc<Self>,
        block: &ExtendedBlock,
        targets: Vec<DatanodeInfoProto>,
        stage: Stage,
        client_name: &str,
    ) -> Result<()> {
        let Some(next) = targets.first() else { return Ok(()) };
        let length = block.block.num_bytes;
        let packets = match self.pool.open_range(block, 0, length) {
            Ok(packets) => packets,
            Err(error) => {
                if matches!(error.kind, ErrorKind::Checksum | ErrorKind::FileNotFound) {
                    self.report_bad(block, self.node);
                }
                return Err(error);
            }
        };
        let replica = self.pool.replica(block.block.id);
        let replica = replica.ok_or_else(|| Error::io("the replica is gone"))?;
        let spec = hdfs_datanode::files::read_spec(&self.pool.files_of(&replica)?.1)?;
        let gone = |gone: crate::net::Gone| Error::io(format!("{gone:?}"));
        let to = machine_at(&next.id.ip_addr);
        let socket = self.cluster.connect(self.node, to, LIMIT).await.map_err(gone)?;
        let request = OpWriteBlockProto {
            header: ClientOperationHeaderProto {
                base_header: BaseHeaderProto {
                    block: extended_block_proto(block),
                    token: None,
                    trace_info: None,
                },
                client_name: client_name.to_owned(),
            },
            targets: targets.get(1..).unwrap_or_default().to_vec(),
            source: Some(DatanodeInfoProto {
                id: datanode_id(self.node),
                ..DatanodeInfoProto::default()
            }),
            stage: stage as i32,
            requested_checksum: ChecksumProto {
                r#type: i32::from(spec.kind as u8),
                bytes_per_checksum: spec.bytes_per_checksum,
            },
            ..OpWriteBlockProto::default()
        };
        socket.send(Frame::Write(Box::new(request))).map_err(gone)?;
        let count = packets.len();
        for packet in packets {
            socket.send(Frame::Data(packet)).map_err(gone)?;
        }
        let last = last_packet(length, i64::try_from(count).unwrap_or(0), false);
        socket.send(Frame::Data(last)).map_err(gone)?;
        match socket.receive(LIMIT).await {
            Ok(Frame::Response(answer)) if status_of(answer.status) == Status::Success => Ok(()),
            // A copy by order is taken when the receiver closes.
            _ if client_name.is_empty() => Ok(()),
            other => Err(Error::io(format!("the copy was not taken: {:?}", other.err()))),
        }
    }

    async fn recover(self: &Rc<Self>, request: &RecoveringBlockProto) -> Result<()> {
        let old = extended_block(&request.block.b);
        let locations: Vec<&DatanodeIdProto> =
            request.block.locs.iter().map(|node| &node.id).collect();
        let (mut answers, mut errors, mut silent) = (Vec::new(), 0, 0);
        for (index, node) in locations.iter().enumerate() {
            match self.ask(node, &old, request.new_gen_stamp).await {
                Ok(Some(info)) => answers.push(Candidate { index, info }),
                Ok(None) => {}
                Err(error) if error.kind == ErrorKind::RecoveryInProgress => return Ok(()),
                Err(error) => {
                    self.sim.note(format_args!("{:?} asks {}: {error}", self.node, node.ip_addr));
                    errors += 1;
                    silent += usize::from(!is_only_older(&error));
                }
            }
        }
        if errors == locations.len() {
            return Err(Error::io(format!("All datanodes failed: block={old}")));
        }
        self.sim.note(format_args!("{:?} recovers {old}: {answers:?}", self.node));
        let new_block = request.truncate_block.as_ref().map(block);
        let plan = plan_sync(&old, &answers, silent, new_block.map(|block| block.num_bytes))?;
        let (participants, length) = match plan {
            SyncPlan::Delete => return self.commit(request, &old, 0, true, &[]).await,
            SyncPlan::Update { participants, length } => (participants, length),
        };
        let new_id = new_block.map_or(old.block.id, |block| block.id);
        let mut updated = Vec::new();
        for candidate in &participants {
            let Some(node) = locations.get(candidate.index) else { continue };
            let stamp = request.new_gen_stamp;
            match self.update(node, candidate, stamp, new_id, length).await {
                Ok(()) => updated.push((*node).clone()),
                Err(error) => self.sim.note(format_args!("{:?} update: {error}", self.node)),
            }
        }
        if updated.is_empty() {
            return Err(Error::io(format!("Cannot recover {old}, all datanodes failed")));
        }
        self.commit(request, &old, length, false, &updated).await
    }

    async fn ask(
        self: &Rc<Self>,
        node: &DatanodeIdProto,
        old: &ExtendedBlock,
        stamp: u64,
    ) -> Result<Option<RecoveryInfo>> {
        let (to, old) = (machine_at(&node.ip_addr), old.clone());
        self.cluster
            .call_datanode(self.node, to, move |dn| {
                store::init_recovery(&dn.pool, &old, GenerationStamp(stamp))
            })
            .await
    }

    async fn update(
        self: &Rc<Self>,
        node: &DatanodeIdProto,
        candidate: &Candidate,
        stamp: u64,
        new_id: BlockId,
        length: u64,
    ) -> Result<()> {
        let old = self.pool.extended(candidate.info.block);
        self.cluster
            .call_datanode(self.node, machine_at(&node.ip_addr), move |dn| {
                let stamp = GenerationStamp(stamp);
                let (_, block) = store::update_recovery(&dn.pool, &old, stamp, new_id, length)?;
                dn.notify(block, BlockEvent::Received, None);
                Ok(())
            })
            .await
    }

    async fn commit(
        &self,
        request: &RecoveringBlockProto,
        old: &ExtendedBlock,
        new_length: u64,
        delete_block: bool,
        nodes: &[DatanodeIdProto],
    ) -> Result<()> {
        let request = CommitBlockSynchronizationRequestProto {
            block: extended_block_proto(old),
            new_gen_stamp: request.new_gen_stamp,
            new_length,
            close_file: true,
            delete_block,
            new_taragets: nodes.to_vec(),
            new_target_storages: nodes
                .iter()
                .map(|node| storage_uuid(machine_at(&node.ip_addr)))
                .collect(),
        };
        let answer = self.cluster.call_namenode(self.node, None, None, move |nn, call| {
            nn.commit_block_synchronization(call, &request)
        });
        match answer.await {
            Ok(answer) => answer.map(|_| ()),
            Err(gone) => Err(Error::io(format!("the namenode: {gone:?}"))),
        }
    }
}

/// The packet that ends a block.
pub(crate) fn last_packet(offset: u64, seqno: i64, sync: bool) -> Vec<u8> {
    let header = hdfs_format::datatransfer::PacketHeader {
        offset_in_block: offset,
        seqno,
        last_packet_in_block: true,
        data_len: 0,
        sync_block: sync,
    };
    header.encode(0)[..header.encoded_len()].to_vec()
}
