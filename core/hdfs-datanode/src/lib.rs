//! The DataNode machine: what to do with replicas, reports and commands; never how to read a disk or a socket.
//!
//! Invariants: a generation stamp only grows (HDFS-7065); a replica whose writer still runs changes hands only after
//! that writer was stopped; nothing but an order of the NameNode deletes a finalized replica (HDFS-17342).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode (3.5.0)

pub mod active;
pub mod command;
pub mod files;
pub mod layout;
pub mod reconcile;
pub mod recovery;
pub mod replica;
pub mod report;
pub mod scan_cursor;
pub mod schedule;
pub mod startup;
pub mod store;
pub mod suspects;
pub mod transition;
pub mod volume_choice;

pub use replica::{InPipeline, Place, Replica, ReplicaMap, State, VolumeIndex, WriterId};
