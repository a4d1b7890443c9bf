//! WRITE_BLOCK: sets a pipeline up, receives the block, and ends it.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hdfs_datanode::report::BlockEvent;
use hdfs_datapath::write_plan::WritePlan;
use hdfs_format::datatransfer::{Op, block_op_response, encode_op};
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{BlockOpResponseProto, OpWriteBlockProto, Status};
use hdfs_types::{Error, ErrorKind, Result, StorageType};

use super::super::dataset::{Pool, WriteTarget};
use super::super::wire::{self, Input, transfer_address};
use super::receive::{AckMode, Receiver};
use super::{After, Xceiver};

/// More patience for every further node of a pipeline, when reading and when writing.
const EXTENSION: Duration = Duration::from_secs(5);

/// The next node of the pipeline.
struct Mirror {
    stream: Arc<TcpStream>,
    input: Input,
    status: Status,
    first_bad_link: String,
}

impl Xceiver<'_> {
    pub(super) fn write_block(&mut self, request: OpWriteBlockProto) -> Result<After> {
        let plan = WritePlan::new(&request)?;
        let pool = self.shared.dataset.pool(&plan.block.pool)?;
        let target = match self.open_target(&pool, &plan, &request) {
            Ok(target) => target,
            Err(error) => {
                if !plan.from_datanode {
                    // Differs: Hadoop closes without a word; naming ourselves as the bad link gives the reason as well.
                    let text = format!("{}: {error}", error.kind.java_class());
                    let mut response = block_op_response(Status::Error, Some(&text));
                    response.first_bad_link = Some(self.shared.transfer_address());
                    self.respond(&response)?;
                }
                return Err(error);
            }
        };
        if let Some(target) = &target {
            target.stop.attach(&self.input.stream);
        }
        let mirror = self.connect_mirror(&plan, &request)?;
        if let (Some(target), Some(mirror)) = (&target, &mirror) {
            target.stop.attach(&mirror.stream);
        }
        if plan.is_client_pipeline() {
            let status = mirror.as_ref().map_or(Status::Success, |mirror| mirror.status);
            let link = mirror.as_ref().map(|mirror| mirror.first_bad_link.clone());
            let mut response = block_op_response(status, None);
            response.first_bad_link = Some(link.unwrap_or_default());
            self.respond(&response)?;
            if status != Status::Success {
                return Err(Error::io(format!("pipeline of {} was not set up below", plan.block)));
            }
        }
        if let Some(target) = target {
            self.receive(&plan, &request, &target, mirror)?;
        }
        Ok(After::Close)
    }

    /// Opens the replica that the request writes; `None` when the block only had to be closed.
    fn open_target(
        &self,
        pool: &Arc<Pool>,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
    ) -> Result<Option<WriteTarget>> {
        let block = &plan.block;
        let stamp = plan.new_stamp;
        let expected = match block.block.num_bytes {
            0 => self.shared.conf.block_size,
            bytes => bytes,
        };
        let storage_type =
            request.storage_type.and_then(StorageType::from_wire).unwrap_or_default();
        let (min, max) = (request.min_bytes_rcvd, request.max_bytes_rcvd);
        let counters = &self.shared.counters;
        let target = if plan.from_datanode || plan.is_transfer {
            let _timing = counters.create_temporary.time();
            pool.create_temporary(block, plan.is_transfer, storage_type, expected, plan.spec)?
        } else {
            match plan.stage {
                Stage::PipelineSetupCreate => {
                    let _timing = counters.create_rbw.time();
                    pool.create_rbw(block, stamp, storage_type, expected, plan.spec)?
                }
                Stage::PipelineSetupStreamingRecovery => {
                    let _timing = counters.recover_rbw.time();
                    pool.recover_rbw(block, stamp, (min, max), expected, plan.spec)?
                }
                Stage::PipelineSetupAppend => {
                    pool.append(block, stamp, min, expected, plan.spec)?
                }
                Stage::PipelineSetupAppendRecovery => {
                    pool.recover_append(block, stamp, min, expected, plan.spec)?
                }
                Stage::PipelineCloseRecovery => {
                    pool.recover_close(block, stamp, min)?;
                    return Ok(None);
                }
                stage => {
                    return Err(Error::io(format!(
                        "Unsupported stage {} while receiving block {block} from {}",
                        stage.as_str_name(),
                        self.peer
                    )));
                }
            }
        };
        if plan.is_client_pipeline() && plan.stage != Stage::PipelineSetupStreamingRecovery {
            pool.notify(target.volume_index(), target.block, BlockEvent::Receiving);
        }
        Ok(Some(target))
    }

    /// Connects to the next node and passes the request on. A client is told which node does not answer.
    fn connect_mirror(
        &self,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
    ) -> Result<Option<Mirror>> {
        let Some(next) = request.targets.first() else { return Ok(None) };
        match self.open_mirror(plan, request) {
            Ok(mirror) => Ok(Some(mirror)),
            Err(error) if plan.from_datanode => {
                tracing::info!(
                    block = %plan.block, mirror = transfer_address(next), %error,
                    "copying to the next node failed; continuing without it"
                );
                Ok(None)
            }
            Err(error) => {
                let mut response = block_op_response(Status::Error, None);
                response.first_bad_link = Some(transfer_address(next));
                self.respond(&response)?;
                Err(error)
            }
        }
    }

    fn open_mirror(&self, plan: &WritePlan, request: &OpWriteBlockProto) -> Result<Mirror> {
        let conf = &self.shared.conf;
        let next = request.targets.first().ok_or_else(|| Error::io("no target"))?;
        let further = u32::try_from(request.targets.len()).unwrap_or(u32::MAX);
        let read_timeout = conf.socket_timeout + EXTENSION * further;
        let stream = wire::connect(next, conf.connect_by_host_name, read_timeout)?;
        stream.set_read_timeout(wire::timeout(read_timeout))?;
        let write_timeout = match conf.write_timeout {
            none if none.is_zero() => none,
            some => some + EXTENSION * further,
        };
        stream.set_write_timeout(wire::timeout(write_timeout))?;
        let mut passed = request.clone();
        passed.targets = request.targets.get(1..).unwrap_or_default().to_vec();
        passed.storage_type = request.target_storage_types.first().copied();
        passed.target_storage_types =
            request.target_storage_types.get(1..).unwrap_or_default().to_vec();
        passed.pinning = Some(request.target_pinnings.first().copied().unwrap_or(false));
        passed.target_pinnings = request.target_pinnings.get(1..).unwrap_or_default().to_vec();
        passed.storage_id = request.target_storage_ids.first().cloned();
        passed.target_storage_ids =
            request.target_storage_ids.get(1..).unwrap_or_default().to_vec();
        wire::send(&stream, &encode_op(Op::WriteBlock, &passed))?;
        let stream = Arc::new(stream);
        let mut mirror = Mirror {
            input: Input::new(Arc::clone(&stream)),
            stream,
            status: Status::Success,
            first_bad_link: String::new(),
        };
        if !plan.from_datanode {
            let ack: BlockOpResponseProto = mirror.input.read_message("BlockOpResponseProto")?;
            mirror.status = hdfs_format::datatransfer::status_of(ack.status);
            mirror.first_bad_link = ack.first_bad_link.unwrap_or_default();
        }
        Ok(mirror)
    }

    fn receive(
        &mut self,
        plan: &WritePlan,
        request: &OpWriteBlockProto,
        target: &WriteTarget,
        mirror: Option<Mirror>,
    ) -> Result<()> {
        let (mirror, mirror_input) = match mirror {
            Some(mirror) => (Some(mirror.stream), Some(mirror.input)),
            None => (None, None),
        };
        let mode = match (plan.is_client_pipeline(), mirror_input) {
            (false, _) => AckMode::None,
            (true, None) => AckMode::Last,
            (true, Some(input)) => AckMode::Mirrored(input),
        };
        self.input.grow();
        let mut receiver = Receiver::new(self.shared, target, plan.spec, mirror, self.peer);
        let received = receiver.run(&mut self.input, mode, plan.is_client_pipeline());
        if let Err(error) = received {
            if matches!(error.kind, ErrorKind::DiskError | ErrorKind::DiskOutOfSpace) {
                target.roll_back();
            }
            if plan.from_datanode || plan.is_transfer {
                target.discard();
            }
            if receiver.saw_corruption()
                && plan.from_datanode
                && let Some(source) = &request.source
            {
                self.shared.report_bad_remote(&plan.block, source);
            }
            return Err(error);
        }
        if !plan.is_client_pipeline() {
            self.end_copy(plan, target, receiver.length())?;
        }
        let counters = &self.shared.counters;
        counters.blocks_written.fetch_add(1, Ordering::Relaxed);
        if plan.is_client_pipeline() {
            counters.written(receiver.length(), &self.input.stream);
        }
        Ok(())
    }

    /// A copy is complete: it becomes final, or part of the pipeline that is being recovered.
    fn end_copy(&self, plan: &WritePlan, target: &WriteTarget, length: u64) -> Result<()> {
        if plan.stage == Stage::TransferRbw {
            target.sync(false)?;
            let _timing = self.shared.counters.convert_temporary.time();
            target.convert_to_rbw(&plan.block)?;
        } else {
            target.finalize(length, self.shared.conf.sync_on_close, None)?;
        }
        if plan.is_transfer {
            self.respond(&block_op_response(Status::Success, None))?;
        }
        Ok(())
    }
}
