//! What a request to write a block asks a DataNode for.
//!
//! Proto: datatransfer.proto OpWriteBlockProto. Hadoop: DataXceiver.writeBlock (3.5.0)

use hdfs_format::datatransfer::extended_block;
use hdfs_proto::hdfs::OpWriteBlockProto;
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_types::{Error, ExtendedBlock, GenerationStamp, Result};

use crate::ChecksumSpec;

/// A request to write a block, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WritePlan {
    /// The block as the writer knows it.
    pub block: ExtendedBlock,
    /// Where in its life the pipeline is.
    pub stage: Stage,
    /// No client name: another DataNode copies a block here.
    pub from_datanode: bool,
    /// A copy for a pipeline that is being recovered.
    pub is_transfer: bool,
    /// The checksums that the writer sends.
    pub spec: ChecksumSpec,
    /// The stamp that the replica is to get; 0 where the stage gives none.
    pub new_stamp: GenerationStamp,
}

impl WritePlan {
    /// Reads a request.
    ///
    /// # Errors
    /// Unknown stage or kind of checksum, or a transfer that names further targets.
    pub fn new(request: &OpWriteBlockProto) -> Result<Self> {
        let stage = Stage::try_from(request.stage)
            .map_err(|_| Error::io(format!("Unsupported stage {}", request.stage)))?;
        let checksum = &request.requested_checksum;
        let spec = ChecksumSpec::new(checksum.r#type, i64::from(checksum.bytes_per_checksum))
            .map_err(|error| Error::io(format!("Could not create DataChecksum: {error}")))?;
        let is_transfer = matches!(stage, Stage::TransferRbw | Stage::TransferFinalized);
        if is_transfer && !request.targets.is_empty() {
            return Err(Error::io(format!(
                "{} does not support multiple targets",
                stage.as_str_name()
            )));
        }
        Ok(Self {
            block: extended_block(&request.header.base_header.block),
            stage,
            from_datanode: request.header.client_name.is_empty(),
            is_transfer,
            spec,
            new_stamp: GenerationStamp(request.latest_generation_stamp),
        })
    }

    /// A client waits for acknowledgements of its own pipeline.
    pub fn is_client_pipeline(&self) -> bool {
        !self.from_datanode && !self.is_transfer
    }
}
