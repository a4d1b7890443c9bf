//! Snapshots: what a directory tree was, kept as differences to what it is.
//!
//! The structure is Hadoop's, node for node, because images hold it: a change of an inode that lies in a snapshot first
//! writes what it was into the inode's list of diffs. An inode that was renamed out of a snapshot is one record that several
//! places refer to: its current place (the parent of its record; Hadoop: DstReference) and each name under which a snapshot
//! still shows it (Hadoop: WithName).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.*, INodeReference (3.5.0)

mod check;
pub(crate) mod clean;
mod clean_directory;
mod clean_file;
pub(crate) mod cleaning;
mod latest;
pub(crate) mod model;
mod record;
mod rename;
mod usage;
pub(crate) mod view;

pub use cleaning::INLINE_STEPS;
