//! The HDFS client: one async core, and a blocking façade over it.
//!
//! [`HdfsClient`] talks to one file system. Calls about names are its methods; [`FileReader`] and [`FileWriter`] move
//! bytes. Everything is typed: no protobuf leaves this crate, and every error is an [`hdfs_types::Error`] with Hadoop's
//! class and message. [`blocking`] wraps the same for callers without a runtime.
//!
//! It does not decide where replicas go or which user may do what: the NameNode does.

#![warn(missing_docs)]

mod acl;
mod admin;
pub mod blocking;
mod cache;
mod checksum;
mod client;
mod conf;
mod encoded;
mod encryption;
mod erasure_coding;
mod file_cipher;
mod high_availability;
mod inotify;
mod lease;
mod listing;
mod located;
mod metadata;
mod namenode;
mod operator;
mod peer;
mod random;
mod read;
mod server_admin;
mod snapshot;
mod status;
pub mod trash;
#[cfg(feature = "webhdfs")]
pub mod webhdfs;
mod write;
mod xattr;

pub use acl::{AclEntry, AclEntryScope, AclEntryType, AclStatus, acl_entry_text, parse_acl_spec};
pub use admin::{CorruptFiles, DatanodeReportType, DatanodeStorageReport, HaState, SafeModeAction};
pub use checksum::FileChecksum;
pub use client::HdfsClient;
pub use conf::{ClientConf, CombineMode};
pub use hdfs_proto::hdfs::datanode_info_proto::AdminState;
pub use inotify::{CreatedKind, Event, EventBatch, EventStream, EventXAttr, MetadataChange};
pub use listing::Listing;
pub use located::{DatanodeInfo, LocatedBlock, LocatedBlocks, ReplicaLocation, StorageReport};
pub use metadata::{QuotaChange, RenameOptions, Times};
pub use operator::{RollingUpgrade, RollingUpgradeAction};
pub use read::FileReader;
pub use server_admin::{
    Daemon, DatanodeLocalInfo, DatanodeVolume, PropertyChange, ReconfigurationStatus,
    RefreshResponse, ServerAdmin,
};
pub use status::{
    ContentSummary, EcBlockGroupStats, FileKind, FileStatus, FsStats, OpenFile, QuotaUsage,
    ReplicatedBlockStats, ServerDefaults, StoragePolicy, TypeQuota,
};
pub use write::{BlockPlacement, CreateModes, CreateOptions, FileWriter, SyncOptions};
pub use xattr::{XAttrSet, check_xattr_name};
