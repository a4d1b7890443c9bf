//! Loading the tree from an image, and saving it.
//!
//! The container (sections, summary, digest) is `hdfs_format::fsimage`; here are the messages of inodes and snapshots. A
//! feature that this version does not have is an error that names it: nothing is dropped silently.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormatPBINode, snapshot.FSImageFormatPBSnapshot (3.5.0)

mod copies;
mod features;
mod load;
mod save;
