//! The edit log: operations, their bytes, the files that hold them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLog, FSEditLogOp, EditLogFileInputStream} (3.5.0)

pub(crate) mod decode;
mod encode;
mod events;
mod framing;
mod names;
pub mod op;
mod search;
mod segment;
mod spent;
pub(crate) mod wire;
pub mod xml;

pub use decode::decode_body;
pub use encode::{encode_op, encode_op_as};
pub use events::event_batch;
pub use framing::Frame;
pub use names::{EditsFile, finalized_name, in_progress_name, temporary_name};
pub use op::*;
pub use segment::{
    Expected, FILL, HEADER_BYTES, MAX_OP_BYTES, PREALLOCATION_BYTES, SegmentError, SegmentReader,
    SegmentSummary, encode_header, encode_header_as,
};
pub use spent::SpentOps;
pub use wire::{DecodeError, DecodeErrorKind, MAX_STRING_BYTES};
