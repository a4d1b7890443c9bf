//! Every byte that HDFS puts on a wire or a disk.
//!
//! Decoders never panic and never allocate by a length that was not checked against a limit. One module a format; the
//! layout box at the head of each module is the specification.

pub mod block_list;
pub mod block_meta;
pub mod compression;
pub mod credentials;
pub mod datatransfer;
pub mod edits;
pub mod encryption;
pub mod fsimage;
pub mod java_hash;
pub mod keystore;
pub mod layout_version;
pub mod reserved_names;
pub mod rpc;
pub mod storage_dir;
pub mod webhdfs;
