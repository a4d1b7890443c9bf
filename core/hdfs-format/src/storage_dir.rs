//! What a storage folder holds besides data: VERSION files, `seen_txid`, MD5 files, and the names of images.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.{Storage, StorageInfo}, NNStorage, MD5FileUtils (3.5.0)

mod corrupt;
mod date;
mod names;
mod properties;
pub mod state;
#[cfg(test)]
mod tests;
mod version;

pub use corrupt::Corrupt;
pub use date::CivilTime;
pub(crate) use date::parse_iso_millis;
pub use names::{
    CURRENT, IN_USE_LOCK, ImageFile, MD5_SUFFIX, SEEN_TXID, VERSION, parse_hex, parse_md5,
    parse_number, print_hex, print_md5, print_number,
};
pub use properties::Properties;
pub use version::{
    BlockPoolVersion, DataNodeVersion, JournalNodeVersion, NameNodeVersion, new_block_pool_id,
    new_cluster_id, new_datanode_uuid, new_namespace_id, new_storage_uuid, random_uuid,
};
