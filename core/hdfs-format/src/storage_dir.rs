//! What a storage folder holds besides data: VERSION files, `seen_txid`, MD5 files, and the names of images and logs.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.{Storage, StorageInfo}, NNStorage, MD5FileUtils (3.5.0)

mod corrupt;

pub use corrupt::Corrupt;
