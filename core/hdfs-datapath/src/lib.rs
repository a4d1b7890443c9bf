//! The path of block bytes, shared by client and DataNode: checksums, packets, acknowledgements, pipeline recovery.
//!
//! Everything here is a function of its arguments: no sockets, no files, no clock. Payload stays in the caller's buffers.
//!
//! **Invariant:** a checksum is computed over bytes that were just verified or just written by the user, never over
//! bytes read back unverified (HDFS-4660).

pub mod ack;
pub mod block_writer;
pub mod checksum;
pub mod file_checksum;
pub mod filler;
pub mod packet;
pub mod receive;
pub mod recovery;
pub mod write_plan;

pub use hdfs_format::block_meta::{ChecksumSpec, ChecksumType};
