//! WRITE_BLOCK on a simulated DataNode: set-up, packets, acknowledgements, end.

use std::cell::RefCell;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;

use hdfs_datanode::files::BlockFile;
use hdfs_datanode::report::BlockEvent;
use hdfs_datanode::store::{self, NewReplica, OpenForWrite, Written};
use hdfs_datapath::ack::{AckAction, MirrorAcks, PendingPacket, last_node_ack, mirror_lost};
use hdfs_datapath::block_writer::{BlockSink, BlockWriter, PacketSpan, Step, parse};
use hdfs_datapath::write_plan::WritePlan;
use hdfs_format::datatransfer::{HEARTBEAT_SEQNO, UNKNOWN_SEQNO, block_op_response, status_of};
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{OpWriteBlockProto, PipelineAckProto, Status};
use hdfs_types::{DatanodeUuid, Error, ErrorKind, PlantedBug, Result};

use super::store::{SimFile, Stop};
use super::{DataNode, DataSocket, Frame, machine_at};
use crate::kernel::Waiters;
use crate::net::Gone;

/// Patience of a DataNode with its neighbours.
const READ_LIMIT: Duration = Duration::from_secs(20);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A replica that this task writes; it lets go of it at its end.
pub(super) struct Writing {
    node: Rc<DataNode>,
    pub(super) open: OpenForWrite<SimFile>,
    stop: Stop,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.node.pool.release(self.open.block.id, self.open.writer);
    }
}

impl BlockSink for &Writing {
    fn write_data(&mut self, data: &mut Vec<IoSlice<'_>>, mut at: u64) -> Result<()> {
        for slice in data.iter() {
            self.open.data.write_at(slice, at)?;
            at += slice.len() as u64;
        }
        Ok(())
    }

    fn sync_data(&mut self) -> Result<()> {
        store::sync_data(&self.node.pool, &self.open)
    }

    fn write_sums(&mut self, sums: &[u8], at: u64) -> Result<()> {
        self.open.meta.write_at(sums, at)
    }
}

/// Passes acknowledgements up.
struct Responder {
    node: Rc<DataNode>,
    writing: Rc<Writing>,
    upstream: Rc<DataSocket>,
    state: RefCell<State>,
    changed: Waiters,
}

#[derive(Default)]
struct State {
    acks: MirrorAcks,
    lost: bool,
    abandoned: bool,
    ended: bool,
}

impl Responder {
    fn send(&self, ack: PipelineAckProto) {
        let _ = self.upstream.send(Frame::Ack(ack));
    }

    fn refused_head(&self) -> Option<PendingPacket> {
        let state = self.state.borrow();
        state.acks.head().copied().filter(|packet| packet.status != Status::Success)
    }

    fn tell(&self, refused: PendingPacket) {
        if let AckAction::Send { ack, .. } = last_node_ack(refused) {
            self.send(ack);
        }
    }

    fn push(&self, packets: impl Iterator<Item = PendingPacket>) {
        if self.node.cluster.planted.is(PlantedBug::AcknowledgedForOthers) {
            return packets.for_each(|packet| self.tell(packet));
        }
        let was_empty = {
            let mut state = self.state.borrow_mut();
            if state.lost {
                return;
            }
            let was_empty = state.acks.is_empty();
            packets.for_each(|packet| state.acks.push(packet));
            was_empty
        };
        if was_empty && let Some(refused) = self.refused_head() {
            return self.tell(refused);
        }
        self.changed.wake(&self.node.sim);
    }

    fn mirror_lost(&self) {
        if !std::mem::replace(&mut self.state.borrow_mut().lost, true) {
            self.send(mirror_lost());
        }
        self.changed.wake(&self.node.sim);
    }

    fn abandon(&self) {
        self.state.borrow_mut().abandoned = true;
        self.changed.wake(&self.node.sim);
    }

    async fn run(self: Rc<Self>, mirror: Rc<DataSocket>) {
        self.work(&mirror).await;
        self.state.borrow_mut().ended = true;
        self.changed.wake(&self.node.sim);
    }

    async fn work(&self, mirror: &DataSocket) {
        loop {
            let Ok(Frame::Ack(ack)) = mirror.receive(READ_LIMIT * 2).await else {
                if !self.state.borrow().abandoned {
                    self.mirror_lost();
                }
                return;
            };
            let look = || {
                let state = self.state.borrow();
                let ready = ack.seqno == UNKNOWN_SEQNO || !state.acks.is_empty();
                (ready || state.abandoned || state.lost).then_some(ready)
            };
            if self.node.sim.until(READ_LIMIT * 10, &self.changed, look).await != Some(true) {
                return;
            }
            let action = self.state.borrow_mut().acks.handle_downstream(&ack);
            match action {
                AckAction::Send { ack, acked, last } => {
                    if let Some(acked) = acked.filter(|_| !last) {
                        let _ = store::acked(&self.node.pool, &self.writing.open, acked);
                    }
                    self.send(ack);
                    if last {
                        return;
                    }
                }
                AckAction::SelfDestruct => return self.writing.stop.cut(),
                AckAction::OutOfOrder { .. } => return self.mirror_lost(),
            }
            if let Some(refused) = self.refused_head() {
                return self.tell(refused);
            }
        }
    }
}

impl DataNode {
    pub(super) async fn write_block(
        self: &Rc<Self>,
        socket: Rc<DataSocket>,
        request: OpWriteBlockProto,
    ) -> Result<()> {
        let plan = WritePlan::new(&request)?;
        let writing = match self.open_target(&plan, &request) {
            Ok(open) => open.map(|open| {
                let stop = self.pool.stop_of(open.writer);
                stop.attach(socket.cutter());
                Rc::new(Writing { node: Rc::clone(self), open, stop })
            }),
            Err(error) => {
                if !plan.from_datanode {
                    let mut answer = block_op_response(Status::Error, Some(&error.to_string()));
                    answer.first_bad_link = Some(transfer_address(&super::datanode_id(self.node)));
                    let _ = socket.send(Frame::Response(Box::new(answer)));
                }
                return Err(error);
            }
        };
        let mirror = self.connect_mirror(&plan, &request, &socket).await?;
        if let (Some(writing), Some((mirror, _, _))) = (&writing, &mirror) {
            writing.stop.attach(mirror.cutter());
        }
        if plan.is_client_pipeline() {
            let status = mirror.as_ref().map_or(Status::Success, |(_, status, _)| *status);
            let mut answer = block_op_response(status, None);
            answer.first_bad_link =
                Some(mirror.as_ref().map(|(_, _, link)| link.clone()).unwrap_or_default());
            let _ = socket.send(Frame::Response(Box::new(answer)));
            if status != Status::Success {
                return Err(Error::io("the pipeline was not set up below"));
            }
        }
        let Some(writing) = writing else { return Ok(()) };
        let mirror = mirror.map(|(mirror, _, _)| mirror);
        let received = self.receive(&plan, &writing, &socket, mirror).await;
        let length = match received {
            Ok(length) => length,
            Err(error) => {
                if matches!(error.kind, ErrorKind::DiskError | ErrorKind::DiskOutOfSpace)
                    && let Err(error) = store::roll_back(&self.pool, &writing.open)
                {
                    self.sim.note(format_args!("cut a failed write back: {error}"));
                }
                if !plan.is_client_pipeline() {
                    store::discard(&self.pool, &writing.open);
                }
                if error.kind == ErrorKind::Checksum
                    && plan.from_datanode
                    && let Some(source) = &request.source
                {
                    let uuid = DatanodeUuid::from(source.id.datanode_uuid.as_str());
                    if self.suspects.borrow_mut().accuse(plan.block.block.id, &uuid) {
                        self.report_bad(&plan.block, machine_at(&source.id.ip_addr));
                    }
                }
                return Err(error);
            }
        };
        if !plan.is_client_pipeline() {
            self.end_copy(&plan, &writing, length)?;
            if plan.is_transfer {
                let answer = block_op_response(Status::Success, None);
                let _ = socket.send(Frame::Response(Box::new(answer)));
            }
        }
        Ok(())
    }

    fn open_target(
        &self,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
    ) -> Result<Option<OpenForWrite<SimFile>>> {
        let (block, stamp, pool) = (&plan.block, plan.new_stamp, &self.pool);
        let (min, max) = (request.min_bytes_rcvd, request.max_bytes_rcvd);
        let new = || {
            if self.pool.folders.disk.remaining() < crate::BLOCK_BYTES {
                return Err(Error::new(ErrorKind::DiskOutOfSpace, "no volume has room"));
            }
            Ok(NewReplica { volume: Self::VOLUME, spec: plan.spec })
        };
        let open = if !plan.is_client_pipeline() {
            store::create_temporary(pool, block, plan.is_transfer, new)?
        } else {
            match plan.stage {
                Stage::PipelineSetupCreate => store::create_rbw(pool, block, stamp, new)?,
                Stage::PipelineSetupStreamingRecovery => {
                    store::recover_rbw(pool, block, stamp, (min, max), plan.spec)?
                }
                Stage::PipelineSetupAppend => store::append(pool, block, stamp, min, plan.spec)?,
                Stage::PipelineSetupAppendRecovery => {
                    store::recover_append(pool, block, stamp, min, plan.spec)?
                }
                Stage::PipelineCloseRecovery => {
                    let (_, block) = store::recover_close(pool, block, stamp, min)?;
                    self.notify(block, BlockEvent::Received, None);
                    return Ok(None);
                }
                stage => return Err(Error::io(format!("Unsupported stage {stage:?}"))),
            }
        };
        if plan.is_client_pipeline() && plan.stage != Stage::PipelineSetupStreamingRecovery {
            self.notify(open.block, BlockEvent::Receiving, None);
        }
        Ok(Some(open))
    }

    async fn connect_mirror(
        self: &Rc<Self>,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
        upstream: &DataSocket,
    ) -> Result<Option<(Rc<DataSocket>, Status, String)>> {
        let Some(next) = request.targets.first() else { return Ok(None) };
        match self.open_mirror(plan, request).await {
            Ok(mirror) => Ok(Some(mirror)),
            Err(_) if plan.from_datanode => Ok(None),
            Err(error) => {
                let mut answer = block_op_response(Status::Error, None);
                answer.first_bad_link = Some(transfer_address(&next.id));
                let _ = upstream.send(Frame::Response(Box::new(answer)));
                Err(error)
            }
        }
    }

    async fn open_mirror(
        self: &Rc<Self>,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
    ) -> Result<(Rc<DataSocket>, Status, String)> {
        let gone = |gone: Gone| Error::io(format!("the next node: {gone:?}"));
        let next = request.targets.first().ok_or_else(|| Error::io("no target"))?;
        let to = machine_at(&next.id.ip_addr);
        let socket = self.cluster.connect(self.node, to, CONNECT_LIMIT).await.map_err(gone)?;
        let mut passed = request.clone();
        passed.targets.remove(0);
        let rest = |list: &[i32]| list.get(1..).unwrap_or_default().to_vec();
        passed.storage_type = request.target_storage_types.first().copied();
        passed.target_storage_types = rest(&request.target_storage_types);
        socket.send(Frame::Write(Box::new(passed))).map_err(gone)?;
        if plan.from_datanode {
            return Ok((Rc::new(socket), Status::Success, String::new()));
        }
        match socket.receive(READ_LIMIT).await {
            Ok(Frame::Response(answer)) => {
                let link = answer.first_bad_link.clone().unwrap_or_default();
                Ok((Rc::new(socket), status_of(answer.status), link))
            }
            Ok(_) => Err(Error::io("the next node sent something else")),
            Err(why) => Err(gone(why)),
        }
    }

    async fn receive(
        self: &Rc<Self>,
        plan: &WritePlan,
        writing: &Rc<Writing>,
        socket: &Rc<DataSocket>,
        mirror: Option<Rc<DataSocket>>,
    ) -> Result<u64> {
        let responder = mirror.clone().filter(|_| plan.is_client_pipeline()).map(|mirror| {
            let responder = Rc::new(Responder {
                node: Rc::clone(self),
                writing: Rc::clone(writing),
                upstream: Rc::clone(socket),
                state: RefCell::default(),
                changed: Waiters::default(),
            });
            self.sim.spawn(self.node, Rc::clone(&responder).run(mirror));
            responder
        });
        let is_copy = !plan.is_client_pipeline();
        let mut link = Link { socket, mirror, responder, is_copy };
        let received = self.receive_packets(plan, writing, &mut link).await;
        if let Some(responder) = &link.responder {
            if received.is_err() {
                responder.abandon();
                link.mirror = None;
            } else {
                let ended = || responder.state.borrow().ended.then_some(());
                self.sim.until(READ_LIMIT * 2, &responder.changed, ended).await;
            }
        }
        received
    }

    async fn receive_packets(
        self: &Rc<Self>,
        plan: &WritePlan,
        writing: &Rc<Writing>,
        link: &mut Link<'_>,
    ) -> Result<u64> {
        let open = &writing.open;
        let mut writer =
            BlockWriter::new(plan.spec, open.spec, true, open.on_disk, open.partial.clone())
                .with_planted(self.cluster.planted);
        let mut packets = Vec::new();
        loop {
            let bytes = next_batch(link.socket).await?;
            let latency = self.sim.between(Duration::from_micros(20), Duration::from_micros(800));
            self.sim.sleep(latency).await;
            if writing.stop.is_stopped() {
                return Err(Error::io("the writer was stopped"));
            }
            packets.clear();
            parse(&bytes, &mut packets)?;
            let (count, failure) = writer.check(&bytes, &packets);
            let (good, refused) = packets.split_at(count);
            for step in writer.steps(good, plan.is_client_pipeline(), true).into_iter().flatten() {
                self.perform(step, &bytes, good, &mut writer, writing, link)?;
            }
            if let (Some(error), Some(packet)) = (failure, refused.first()) {
                if error.kind == ErrorKind::Checksum && plan.is_client_pipeline() {
                    self.acknowledge(&[*packet], Status::ErrorChecksum, writing, link)?;
                    // The word goes up before the connection ends.
                    self.sim.sleep(Duration::from_millis(50)).await;
                }
                return Err(error);
            }
            if good.last().is_some_and(|packet| packet.header.last_packet_in_block) {
                return Ok(writer.on_disk());
            }
        }
    }

    fn perform(
        self: &Rc<Self>,
        step: Step,
        bytes: &[u8],
        good: &[PacketSpan],
        writer: &mut BlockWriter,
        writing: &Rc<Writing>,
        link: &mut Link<'_>,
    ) -> Result<()> {
        match step {
            Step::Forward => {
                let mut from = 0;
                for packet in good {
                    link.forward(&bytes[from..packet.end]);
                    from = packet.end;
                }
                Ok(())
            }
            Step::Write => {
                if let Some(last_sum) = writer.write(bytes, good, &mut &**writing)? {
                    let written = Written { on_disk: writer.on_disk(), last_sum };
                    store::wrote(&self.pool, &writing.open, written)?;
                }
                Ok(())
            }
            Step::Sync { with_folder } => {
                store::sync(&self.pool, &writing.open, with_folder)?;
                writer.synced();
                Ok(())
            }
            Step::Finalize { durable } => self.finalize(writing, writer.on_disk(), durable),
            Step::Acknowledge => self.acknowledge(good, Status::Success, writing, link),
        }
    }

    fn finalize(&self, writing: &Writing, length: u64, durable: bool) -> Result<()> {
        if durable {
            store::sync(&self.pool, &writing.open, false)?;
        }
        let stopped = || writing.stop.is_stopped();
        let block = store::finalize(&self.pool, &writing.open, length, durable, stopped)?;
        self.notify(block, BlockEvent::Received, None);
        Ok(())
    }

    fn end_copy(&self, plan: &WritePlan, writing: &Writing, length: u64) -> Result<()> {
        if plan.stage == Stage::TransferRbw {
            store::sync(&self.pool, &writing.open, false)?;
            store::convert_to_rbw(&self.pool, &writing.open, &plan.block)
        } else {
            self.finalize(writing, length, true)
        }
    }

    fn acknowledge(
        &self,
        packets: &[PacketSpan],
        status: Status,
        writing: &Writing,
        link: &Link<'_>,
    ) -> Result<()> {
        if packets.is_empty() {
            return Ok(());
        }
        let pending = packets.iter().map(|packet| packet.pending(status));
        if let Some(responder) = &link.responder {
            responder.push(pending);
            return Ok(());
        }
        if link.is_copy {
            return Ok(());
        }
        for packet in pending {
            let AckAction::Send { ack, acked, last } = last_node_ack(packet) else { continue };
            if let Some(acked) = acked.filter(|_| !last && packet.seqno != HEARTBEAT_SEQNO) {
                store::acked(&self.pool, &writing.open, acked)?;
            }
            let _ = link.socket.send(Frame::Ack(ack));
        }
        Ok(())
    }
}

/// The connections of one write.
struct Link<'a> {
    socket: &'a Rc<DataSocket>,
    mirror: Option<Rc<DataSocket>>,
    responder: Option<Rc<Responder>>,
    /// Nobody waits for acknowledgements.
    is_copy: bool,
}

impl Link<'_> {
    fn forward(&mut self, packet: &[u8]) {
        let Some(mirror) = &self.mirror else { return };
        let packet = packet.to_vec();
        let frame = if self.is_copy { Frame::Data(packet) } else { Frame::Packet(packet) };
        if mirror.send(frame).is_err() {
            self.mirror = None;
            if let Some(responder) = &self.responder {
                responder.mirror_lost();
            }
        }
    }
}

async fn next_batch(socket: &DataSocket) -> Result<Vec<u8>> {
    let mut bytes = match socket.receive(READ_LIMIT * 3).await {
        Ok(Frame::Packet(bytes) | Frame::Data(bytes)) => bytes,
        Ok(_) => return Err(Error::io("a packet was expected")),
        Err(gone) => return Err(Error::io(format!("upstream: {gone:?}"))),
    };
    for _ in 0..7 {
        match socket.try_receive() {
            Some(Ok(Frame::Packet(more) | Frame::Data(more))) => bytes.extend_from_slice(&more),
            _ => break,
        }
    }
    Ok(bytes)
}

/// `ip:port` of the data transfer.
pub(crate) fn transfer_address(id: &hdfs_proto::hdfs::DatanodeIdProto) -> String {
    format!("{}:{}", id.ip_addr, id.xfer_port)
}
