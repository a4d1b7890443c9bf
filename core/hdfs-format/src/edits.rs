//! The edit log: operations, their bytes, the files that hold them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLog, FSEditLogOp, EditLogFileInputStream} (3.5.0)

pub mod op;

pub use op::*;
