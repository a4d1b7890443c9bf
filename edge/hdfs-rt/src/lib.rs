//! The edge's runtime: sockets, the RPC server and client, HTTP, the fsync'ed disk, clocks, users and groups, logging.
//!
//! **Invariant:** nothing here decides anything about files or blocks. Machines in `core/` decide; this crate moves their
//! bytes. Formats of frames are `hdfs_format::rpc`; what is here reads and writes them on sockets.

pub mod addr;
pub mod clock;
pub mod conf_files;
pub mod crew;
pub mod disk;
pub mod host;
pub mod http;
pub mod key_provider;
pub mod log_file;
pub mod logging;
pub mod mapped;
pub mod metrics;
pub mod notify;
mod os;
pub mod otlp;
pub mod process;
pub mod rpc;
pub mod signals;
pub mod topology;
pub mod users;
