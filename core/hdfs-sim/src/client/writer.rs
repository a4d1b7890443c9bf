//! Writing a file: packets, pipelines, and what is done when one breaks.
//!
//! Packets are filled, acknowledgements judged, bad nodes named, stages and replacements chosen by `hdfs-datapath`, as in the
//! real client; the order of calls in a recovery is that of its streamer.

use std::collections::VecDeque;
use std::time::Duration;

use hdfs_datapath::ChecksumSpec;
use hdfs_datapath::ack::{AckVerdict, judge};
use hdfs_datapath::filler::{Buffers, Filler, Packet};
use hdfs_datapath::recovery::{ReplaceDatanode, bad_node_of_setup};
use hdfs_format::datatransfer::{extended_block, extended_block_proto, status_of};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::Status;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Wire;
use hdfs_types::{Error, ErrorKind, ExtendedBlock, PlantedBug, Result};

use super::Client;
use crate::datanode::{DataSocket, Frame, machine_at, transfer_address};
use crate::truth::FileId;

const CONNECT_LIMIT: Duration = Duration::from_secs(30);
const ACK_LIMIT: Duration = Duration::from_secs(60);
const PACKETS_IN_FLIGHT: usize = 6;
const MAX_RECOVERIES: u32 = 5;

/// Buffers of packets: new ones.
#[derive(Debug)]
struct Fresh;

impl Buffers for Fresh {
    fn take(&self, bytes: usize) -> Vec<u8> {
        vec![0; bytes]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Create,
    Append,
    Streaming,
    Closing,
}

#[derive(Clone, Debug)]
struct Place {
    node: p::DatanodeInfoProto,
    storage: String,
}

/// Why a pipeline broke.
struct Broken {
    error: Error,
    bad: usize,
}

impl Broken {
    fn first(error: Error) -> Self {
        Self { error, bad: 0 }
    }
}

/// A file that is being written.
pub(super) struct Writer<'a> {
    client: &'a Client,
    path: String,
    file_id: u64,
    truth: FileId,
    replication: usize,
    filler: Filler<Fresh>,
    unsent: VecDeque<Packet>,
    unacked: VecDeque<Packet>,
    stage: Stage,
    block: Option<ExtendedBlock>,
    places: Vec<Place>,
    socket: Option<DataSocket>,
    bytes_sent: u64,
    is_append: bool,
    hflushed: bool,
    failed: Vec<p::DatanodeInfoProto>,
    excluded: Vec<p::DatanodeInfoProto>,
    recoveries: u32,
}

impl<'a> Writer<'a> {
    /// Of a new file, or one that goes on after `last`.
    pub(super) fn new(
        client: &'a Client,
        path: &str,
        file_id: u64,
        truth: FileId,
        last: Option<p::LocatedBlockProto>,
    ) -> Self {
        let replication = client.cluster.truth.borrow_mut().file(truth).replication;
        let block = last.as_ref().map(|last| extended_block(&last.b));
        let offset = block.as_ref().map_or(0, |block| block.block.num_bytes);
        let spec = ChecksumSpec::default();
        let packet_bytes = 600 + usize::try_from(client.sim().below(2_000)).unwrap_or(0);
        Self {
            client,
            path: path.to_owned(),
            file_id,
            truth,
            replication: replication as usize,
            filler: Filler::new(spec, crate::BLOCK_BYTES, packet_bytes, offset, None, Fresh),
            unsent: VecDeque::new(),
            unacked: VecDeque::new(),
            stage: if last.is_some() { Stage::Append } else { Stage::Create },
            is_append: last.is_some(),
            places: last.map(places_of).unwrap_or_default(),
            block,
            socket: None,
            bytes_sent: offset,
            hflushed: false,
            failed: Vec::new(),
            excluded: Vec::new(),
            recoveries: 0,
        }
    }

    /// Takes these bytes.
    pub(super) async fn write(&mut self, mut data: &[u8]) -> Result<()> {
        self.client.cluster.truth.borrow_mut().file(self.truth).bytes.extend_from_slice(data);
        while !data.is_empty() {
            let (count, full) = self.filler.fill(data);
            data = &data[count..];
            self.unsent.extend(full);
            if self.filler.is_block_full() {
                self.unsent.extend(self.filler.end_block(false).into_iter().flatten());
            }
        }
        self.drive(false).await
    }

    /// hflush or hsync.
    pub(super) async fn flush(&mut self, sync: bool) -> Result<()> {
        let length = self.length();
        let power_cuts = self.client.cluster.truth.borrow().power_cuts;
        self.unsent.extend(self.filler.flush(sync));
        self.drive(true).await?;
        self.hflushed = true;
        let request = p::FsyncRequestProto {
            src: self.path.clone(),
            client: self.client.name.clone(),
            last_block_length: None,
            file_id: Some(self.file_id),
        };
        self.client.ask(move |nn, call| nn.fsync(call, &request)).await?;
        // What was only in memory may have been lost while the word was on its way.
        if power_cuts == self.client.cluster.truth.borrow().power_cuts {
            self.acknowledge(length, sync);
            let (name, path) = (&self.client.name, &self.path);
            self.client.sim().note(format_args!("{name} flushed {path} to {length}, sync: {sync}"));
        }
        Ok(())
    }

    fn length(&self) -> usize {
        self.client.cluster.truth.borrow_mut().file(self.truth).bytes.len()
    }

    fn acknowledge(&self, length: usize, durable: bool) {
        let mut truth = self.client.cluster.truth.borrow_mut();
        truth.acknowledged += length as u64;
        let file = truth.file(self.truth);
        file.visible = file.visible.max(length);
        if durable {
            file.durable = file.durable.max(length);
        }
    }

    /// Ends the file.
    pub(super) async fn close(&mut self) -> Result<()> {
        let length = self.length();
        self.unsent.extend(self.filler.end_block(false).into_iter().flatten());
        self.drive(true).await?;
        let request = p::CompleteRequestProto {
            src: self.path.clone(),
            client_name: self.client.name.clone(),
            last: self.block.as_ref().map(extended_block_proto),
            file_id: Some(self.file_id),
        };
        for attempt in 0..40 {
            let request = request.clone();
            if self.client.ask(move |nn, call| nn.complete(call, &request)).await?.result {
                self.acknowledge(length, true);
                let mut truth = self.client.cluster.truth.borrow_mut();
                let file = truth.file(self.truth);
                (file.closed, file.changing) = (true, false);
                return Ok(());
            }
            self.client.sim().sleep(Duration::from_millis(100 * (1 + attempt))).await;
        }
        Err(Error::io("Unable to close file because the last block does not have enough replicas"))
    }

    /// Sends what waits; with `all` until everything is acknowledged.
    async fn drive(&mut self, all: bool) -> Result<()> {
        loop {
            if self.unsent.is_empty() && self.unacked.is_empty() {
                return Ok(());
            }
            if self.socket.is_none() {
                match self.stage {
                    Stage::Append => self.rebuild(None).await?,
                    _ => self.set_up_create().await?,
                }
                self.stage = Stage::Streaming;
            }
            self.send_some();
            if self.unsent.is_empty() && !all && self.unacked.len() < PACKETS_IN_FLIGHT {
                return Ok(());
            }
            if let Err(broken) = self.hear().await {
                self.recover_from(broken).await?;
            }
        }
    }

    fn send_some(&mut self) {
        while let Some(front) = self.unsent.front() {
            let blocked = if front.last { !self.unacked.is_empty() } else { false };
            if blocked || self.unacked.len() >= PACKETS_IN_FLIGHT || self.stage == Stage::Closing {
                return;
            }
            let Some(packet) = self.unsent.pop_front() else { return };
            if let Some(socket) = &self.socket {
                let _ = socket.send(Frame::Packet(packet.bytes().to_vec()));
            }
            if packet.last {
                self.stage = Stage::Closing;
            }
            self.bytes_sent = self.bytes_sent.max(packet.end_offset);
            self.unacked.push_back(packet);
        }
    }

    async fn hear(&mut self) -> Result<(), Broken> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let ack = match socket.receive(ACK_LIMIT).await {
            Ok(Frame::Ack(ack)) => ack,
            Ok(_) => return Err(Broken::first(Error::io("an acknowledgement was expected"))),
            Err(gone) => return Err(Broken::first(Error::io(format!("the pipeline: {gone:?}")))),
        };
        match judge(&ack) {
            AckVerdict::Heartbeat => Ok(()),
            AckVerdict::BadNode { index, status }
                if !self.client.cluster.planted.is(PlantedBug::FailedAckCounted) =>
            {
                let bad = index.min(self.places.len().saturating_sub(1));
                let error = Error::io(format!("Bad response {status:?} from node {index}"));
                Err(Broken { error, bad })
            }
            AckVerdict::Restarting { index } => {
                Err(Broken { error: Error::io("restarting"), bad: index })
            }
            AckVerdict::BadNode { .. } | AckVerdict::Acked => {
                let Some(packet) = self.unacked.pop_front_if(|front| front.seqno == ack.seqno)
                else {
                    return Err(Broken::first(Error::io("an unexpected acknowledgement")));
                };
                self.acked(&packet);
                Ok(())
            }
        }
    }

    fn acked(&mut self, packet: &Packet) {
        if let Some(block) = &mut self.block {
            block.block.num_bytes = packet.end_offset;
        }
        self.recoveries = 0;
        if packet.last {
            self.stage = Stage::Create;
            self.is_append = false;
            self.places.clear();
            self.socket = None;
        }
    }

    /// Puts everything unacknowledged back into the queue and builds another pipeline.
    async fn recover_from(&mut self, broken: Broken) -> Result<()> {
        self.client.sim().note(format_args!(
            "{} recovers {:?}: bad {}, {}",
            self.client.name, self.block, broken.bad, broken.error
        ));
        self.socket = None;
        while let Some(packet) = self.unacked.pop_back() {
            self.unsent.push_front(packet);
        }
        self.recoveries += 1;
        if self.recoveries > MAX_RECOVERIES {
            return Err(broken.error);
        }
        self.rebuild(Some(broken)).await?;
        if self.stage == Stage::Closing
            && let Some(packet) = self.unsent.pop_front()
        {
            // A DataNode that recovers from a failed close completes its replica at once: there is nothing to send.
            self.acked(&packet);
        }
        Ok(())
    }

    async fn set_up_create(&mut self) -> Result<()> {
        let previous = self.block.clone();
        for _ in 0..5 {
            let located = self.add_block(previous.as_ref()).await?;
            let mut block = extended_block(&located.b);
            block.block.num_bytes = 0;
            self.bytes_sent = 0;
            self.places = places_of(located);
            self.block = Some(block.clone());
            match self.connect(&block, Wire::PipelineSetupCreate, 0).await {
                Ok(socket) => {
                    self.socket = Some(socket);
                    return Ok(());
                }
                Err(broken) => {
                    let request = p::AbandonBlockRequestProto {
                        b: extended_block_proto(&block),
                        src: self.path.clone(),
                        holder: self.client.name.clone(),
                        file_id: Some(self.file_id),
                    };
                    self.client.ask(move |nn, call| nn.abandon_block(call, &request)).await?;
                    self.block.clone_from(&previous);
                    if broken.bad < self.places.len() {
                        self.excluded.push(self.places.swap_remove(broken.bad).node);
                    }
                    self.places.clear();
                }
            }
        }
        Err(Error::io("Unable to create new block."))
    }

    async fn add_block(
        &mut self,
        previous: Option<&ExtendedBlock>,
    ) -> Result<p::LocatedBlockProto> {
        let request = p::AddBlockRequestProto {
            src: self.path.clone(),
            client_name: self.client.name.clone(),
            previous: previous.map(extended_block_proto),
            exclude_nodes: self.excluded.clone(),
            file_id: Some(self.file_id),
            favored_nodes: Vec::new(),
            flags: Vec::new(),
        };
        for attempt in 0..30 {
            let request = request.clone();
            match self.client.ask(move |nn, call| nn.add_block(call, &request)).await {
                Ok(answer) => return Ok(answer.block),
                Err(error) if error.kind == ErrorKind::NotReplicatedYet => {
                    self.client.sim().sleep(Duration::from_millis(100 * (1 + attempt))).await;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::io("the block before is not replicated"))
    }

    async fn connect(
        &self,
        block: &ExtendedBlock,
        stage: Wire,
        latest: u64,
    ) -> Result<DataSocket, Broken> {
        let Some(first) = self.places.first() else {
            return Err(Broken::first(Error::io("nodes are empty for write pipeline")));
        };
        let gone = |gone: crate::net::Gone| Broken::first(Error::io(format!("{gone:?}")));
        let (from, to) = (self.client.node, machine_at(&first.node.id.ip_addr));
        let socket = self.client.cluster.connect(from, to, CONNECT_LIMIT).await.map_err(gone)?;
        let mut whole = block.clone();
        whole.block.num_bytes = crate::BLOCK_BYTES;
        let spec = ChecksumSpec::default();
        let rest = &self.places[1..];
        let request = p::OpWriteBlockProto {
            header: p::ClientOperationHeaderProto {
                base_header: p::BaseHeaderProto {
                    block: extended_block_proto(&whole),
                    token: None,
                    trace_info: None,
                },
                client_name: self.client.name.clone(),
            },
            targets: rest.iter().map(|place| place.node.clone()).collect(),
            stage: stage as i32,
            pipeline_size: u32::try_from(self.places.len()).unwrap_or(0),
            min_bytes_rcvd: block.block.num_bytes,
            max_bytes_rcvd: self.bytes_sent,
            latest_generation_stamp: latest,
            requested_checksum: p::ChecksumProto {
                r#type: i32::from(spec.kind as u8),
                bytes_per_checksum: spec.bytes_per_checksum,
            },
            ..p::OpWriteBlockProto::default()
        };
        socket.send(Frame::Write(Box::new(request))).map_err(gone)?;
        let answer = match socket.receive(CONNECT_LIMIT).await {
            Ok(Frame::Response(answer)) => answer,
            Ok(_) => return Err(Broken::first(Error::io("an answer was expected"))),
            Err(why) => return Err(gone(why)),
        };
        let link = answer.first_bad_link();
        if status_of(answer.status) == Status::Success && link.is_empty() {
            return Ok(socket);
        }
        let addresses: Vec<String> =
            self.places.iter().map(|place| transfer_address(&place.node.id)).collect();
        let bad = bad_node_of_setup(link, &addresses);
        Err(Broken { error: Error::io(format!("not set up: {} {link}", answer.message())), bad })
    }

    /// Sets the pipeline of the present block up again; `None`: for the first time, for an append.
    async fn rebuild(&mut self, mut broken: Option<Broken>) -> Result<()> {
        loop {
            let is_recovery = broken.is_some();
            if let Some(broken) = &broken {
                if self.places.len() <= 1 {
                    return Err(Error::io(format!("All datanodes are bad: {}", broken.error)));
                }
                let bad = broken.bad.min(self.places.len() - 1);
                self.failed.push(self.places.remove(bad).node);
            }
            self.replace_if_wanted().await?;
            let block = self.block.clone().ok_or_else(|| Error::io("no block to recover"))?;
            let request = p::UpdateBlockForPipelineRequestProto {
                block: extended_block_proto(&block),
                client_name: self.client.name.clone(),
            };
            let answer = self
                .client
                .ask(move |nn, call| nn.update_block_for_pipeline(call, &request))
                .await?;
            let mut stamp = extended_block(&answer.block.b).block.generation_stamp;
            if self.client.cluster.planted.is(PlantedBug::StampKept) {
                stamp = block.block.generation_stamp;
            }
            let stage = match (self.stage, is_recovery) {
                (Stage::Append | Stage::Create, false) => Wire::PipelineSetupAppend,
                (Stage::Append | Stage::Create, true) => Wire::PipelineSetupAppendRecovery,
                (Stage::Streaming, _) => Wire::PipelineSetupStreamingRecovery,
                (Stage::Closing, _) => Wire::PipelineCloseRecovery,
            };
            match self.connect(&block, stage, stamp.0).await {
                Ok(socket) => {
                    let mut renewed = block.clone();
                    renewed.block.generation_stamp = stamp;
                    self.block = Some(renewed.clone());
                    if !self.client.cluster.planted.is(PlantedBug::StampKept) {
                        self.update_pipeline(&block, &renewed).await?;
                    }
                    self.socket = Some(socket);
                    return Ok(());
                }
                Err(again) => broken = Some(again),
            }
        }
    }

    async fn update_pipeline(&self, old: &ExtendedBlock, new: &ExtendedBlock) -> Result<()> {
        let request = p::UpdatePipelineRequestProto {
            client_name: self.client.name.clone(),
            old_block: extended_block_proto(old),
            new_block: extended_block_proto(new),
            new_nodes: self.places.iter().map(|place| place.node.id.clone()).collect(),
            storage_i_ds: self.places.iter().map(|place| place.storage.clone()).collect(),
        };
        self.client.ask_once(move |nn, call| nn.update_pipeline(call, &request)).await?;
        Ok(())
    }

    async fn replace_if_wanted(&mut self) -> Result<()> {
        let policy = ReplaceDatanode::default();
        let (nodes, flushed) = (self.places.len(), self.hflushed);
        let wanted = policy.wants_replacement(self.replication, nodes, self.is_append, flushed);
        if !wanted || self.failed.is_empty() {
            return Ok(());
        }
        let original = self.places.clone();
        let mut excludes = self.failed.clone();
        let mut last_error = Error::io("Failed to replace a bad datanode");
        for attempt in 0..3 {
            let block = self.block.clone().ok_or_else(|| Error::io("no block to copy"))?;
            let request = p::GetAdditionalDatanodeRequestProto {
                src: self.path.clone(),
                blk: extended_block_proto(&block),
                existings: original.iter().map(|place| place.node.clone()).collect(),
                excludes: excludes.clone(),
                num_additional_nodes: 1,
                client_name: self.client.name.clone(),
                existing_storage_uuids: original.iter().map(|of| of.storage.clone()).collect(),
                file_id: Some(self.file_id),
            };
            let answer =
                self.client.ask(move |nn, call| nn.get_additional_datanode(call, &request)).await?;
            let places = places_of(answer.block);
            let new = places.iter().find(|place| {
                let uuid = &place.node.id.datanode_uuid;
                original.iter().all(|old| old.node.id.datanode_uuid != *uuid)
            });
            let Some(new) = new.filter(|_| places.len() == original.len() + 1) else {
                return Err(last_error);
            };
            match self.transfer(&block, &original[attempt % original.len()], new).await {
                Ok(()) => {
                    self.places = places;
                    return Ok(());
                }
                Err(error) => {
                    excludes.push(new.node.clone());
                    last_error = error;
                }
            }
        }
        Err(last_error)
    }

    async fn transfer(&self, block: &ExtendedBlock, source: &Place, target: &Place) -> Result<()> {
        let gone = |gone: crate::net::Gone| Error::io(format!("{gone:?}"));
        let request = p::OpTransferBlockProto {
            header: p::ClientOperationHeaderProto {
                base_header: p::BaseHeaderProto {
                    block: extended_block_proto(block),
                    token: None,
                    trace_info: None,
                },
                client_name: self.client.name.clone(),
            },
            targets: vec![target.node.clone()],
            target_storage_types: vec![1],
            target_storage_ids: vec![target.storage.clone()],
        };
        let (from, to) = (self.client.node, machine_at(&source.node.id.ip_addr));
        let socket = self.client.cluster.connect(from, to, CONNECT_LIMIT).await.map_err(gone)?;
        socket.send(Frame::Transfer(Box::new(request))).map_err(gone)?;
        match socket.receive(CONNECT_LIMIT).await.map_err(gone)? {
            Frame::Response(answer) if status_of(answer.status) == Status::Success => Ok(()),
            _ => Err(Error::io("Failed to add a datanode")),
        }
    }
}

fn places_of(located: p::LocatedBlockProto) -> Vec<Place> {
    let storages = located.storage_i_ds.into_iter();
    let places = located.locs.into_iter().zip(storages);
    places.map(|(node, storage)| Place { node, storage }).collect()
}
