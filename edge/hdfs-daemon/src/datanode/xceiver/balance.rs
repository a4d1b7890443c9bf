//! COPY_BLOCK and REPLACE_BLOCK: the balancer moves a replica. It asks the new holder to fetch it from a present one.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DataXceiver.{copyBlock, replaceBlock} (3.5.0)

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdfs_datapath::ChecksumSpec;
use hdfs_format::datatransfer::{
    Op, block_op_response, encode_delimited, encode_op, extended_block, status_of,
};
use hdfs_proto::hdfs::{BlockOpResponseProto, OpCopyBlockProto, OpReplaceBlockProto, Status};
use hdfs_types::{Error, ExtendedBlock, Result, StorageType};

use super::super::sender::{SendError, Sender};
use super::super::wire::{self, Input, transfer_address};
use super::read::success_with_checksums;
use super::receive::{AckMode, Receiver};
use super::{After, Xceiver};

/// What a holder sends last: the character `d`, as Java writes it.
const DONE: [u8; 2] = [0, b'd'];

/// One of the moves that may run at a time.
struct Move<'a>(&'a AtomicUsize);

impl Drop for Move<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Xceiver<'_> {
    fn begin_move(&self) -> Option<Move<'_>> {
        let moves = &self.shared.moves;
        let running = moves.fetch_add(1, Ordering::Relaxed);
        let begun = Move(moves);
        (running < self.shared.tunable.max_moves()).then_some(begun)
    }

    fn refuse_move(&self, what: &str, block: &ExtendedBlock) -> Result<After> {
        let text = format!(
            "Not able to {what} block {} {} because threads quota={} is exceeded.",
            block.block.id,
            self.peer,
            self.shared.tunable.max_moves()
        );
        self.respond(&block_op_response(Status::Error, Some(&text)))?;
        Ok(After::Close)
    }

    pub(super) fn copy_block(&mut self, request: &OpCopyBlockProto) -> Result<After> {
        let block = extended_block(&request.header.block);
        let Some(_running) = self.begin_move() else { return self.refuse_move("copy", &block) };
        let opened = self
            .shared
            .dataset
            .pool(&block.pool)
            .and_then(|pool| Sender::open(&pool, &block, 0, -1, true));
        let sender = match opened {
            Ok(sender) => sender,
            Err(error) => {
                let text = format!("opCopyBlock {block} received exception {error}");
                self.respond(&block_op_response(Status::Error, Some(&text)))?;
                return Err(error);
            }
        };
        self.respond(&success_with_checksums(&sender))?;
        match sender.send_throttled(
            &self.input.stream,
            &self.shared.counters,
            Some(&self.shared.balance),
        ) {
            Ok(_) => {}
            Err(SendError::Peer(error)) => return Err(error.into()),
            Err(SendError::Disk(error)) => {
                self.shared.report_bad_block(&block, &error);
                return Err(error);
            }
        }
        wire::send(&self.input.stream, &DONE)?;
        Ok(After::Close)
    }

    pub(super) fn replace_block(&mut self, request: &OpReplaceBlockProto) -> Result<After> {
        let block = extended_block(&request.header.block);
        let Some(_running) = self.begin_move() else { return self.refuse_move("receive", &block) };
        match self.fetch(&block, request) {
            Ok(()) => {
                self.respond(&block_op_response(Status::Success, None))?;
                tracing::info!(%block, hint = request.del_hint, "Moved");
                Ok(After::Close)
            }
            Err(error) => {
                let text = format!("opReplaceBlock {block} received exception {error}");
                self.respond(&block_op_response(Status::Error, Some(&text)))?;
                Err(error)
            }
        }
    }

    fn fetch(&self, block: &ExtendedBlock, request: &OpReplaceBlockProto) -> Result<()> {
        if request.source.id.datanode_uuid == self.shared.uuid {
            return Err(Error::io(
                "moving a block between the storages of one DataNode is not supported",
            ));
        }
        let conf = &self.shared.conf;
        let stream =
            wire::connect(&request.source, conf.connect_by_host_name, conf.socket_timeout)?;
        stream.set_read_timeout(wire::timeout(conf.socket_timeout))?;
        stream.set_write_timeout(wire::timeout(conf.write_timeout))?;
        let copy = OpCopyBlockProto { header: request.header.clone() };
        wire::send(&stream, &encode_op(Op::CopyBlock, &copy))?;
        let mut input = Input::new(Arc::new(stream));
        let response: BlockOpResponseProto = input.read_message("BlockOpResponseProto")?;
        let info = response
            .read_op_checksum_info
            .filter(|_| status_of(response.status) == Status::Success);
        let info = info.ok_or_else(|| {
            let from = transfer_address(&request.source);
            let why = response.message.unwrap_or_default();
            Error::io(format!("copy block {block} from {from}: {why}"))
        })?;
        let spec =
            ChecksumSpec::new(info.checksum.r#type, i64::from(info.checksum.bytes_per_checksum))
                .map_err(|error| Error::io(error.to_string()))?;
        let pool = self.shared.dataset.pool(&block.pool)?;
        let storage_type =
            request.storage_type.and_then(StorageType::from_wire).unwrap_or_default();
        let target = pool.create_temporary(block, false, storage_type, conf.block_size, spec)?;
        target.stop.attach(&input.stream);
        input.grow();
        let mut receiver = Receiver::new(self.shared, &target, spec, None, self.peer);
        let mut patience = Patience::new(self, conf.socket_timeout / 2);
        let received = receiver
            .run_with(&mut input, AckMode::None, false, &mut || patience.keep_waiting())
            .and_then(|()| {
                let hint = Some(request.del_hint.clone()).filter(|hint| !hint.is_empty());
                target.finalize(receiver.length(), conf.sync_on_close, hint)
            });
        if let Err(error) = received {
            if receiver.saw_corruption() {
                self.shared.report_bad_remote(block, &request.source);
            }
            target.discard();
            return Err(error);
        }
        let is_here = request.source.id.ip_addr == self.shared.datanode_id().ip_addr;
        let counters = &self.shared.counters;
        let moves = if is_here { &counters.replaced_local } else { &counters.replaced_remote };
        moves.fetch_add(1, Ordering::Relaxed);
        // The other side frees its resources before it says so; nothing depends on it here.
        let _ = input.fill_to(DONE.len());
        Ok(())
    }
}

/// Tells the balancer now and then that its move goes on.
struct Patience<'a> {
    xceiver: &'a Xceiver<'a>,
    interval: Duration,
    last: Instant,
}

impl<'a> Patience<'a> {
    fn new(xceiver: &'a Xceiver<'a>, interval: Duration) -> Self {
        Self { xceiver, interval, last: Instant::now() }
    }

    fn keep_waiting(&mut self) -> Result<()> {
        if self.last.elapsed() < self.interval {
            return Ok(());
        }
        self.last = Instant::now();
        let response = block_op_response(Status::InProgress, None);
        wire::send(&self.xceiver.input.stream, &encode_delimited(&response))?;
        Ok(())
    }
}
