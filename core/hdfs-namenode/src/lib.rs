//! The composed NameNode machine: the namespace, the block manager, what binds them, and what both need to be a NameNode:
//! retry cache, safe mode, leases, identity.
//!
//! Calls arrive decoded and leave as messages of the protocol: each method of [`NameNode`] is one RPC. Methods that read
//! take `&self`, methods that may change something `&mut self`; the shell holds a lock around them and nothing else.
//!
//! **Invariants**
//! - Every change of the namespace is an operation of the edit log, decided by a plan and carried out by the one `apply`
//!   of the namespace, live and at restart.
//! - The block manager hears of files only through effects; namespace and block manager never see each other.
//! - A successful answer holds when [`NameNode::last_txid`], read under the same lock, is durable.

mod admin;
mod balancer;
mod call;
mod client;
mod convert;
mod datanode_protocol;
mod doctor;
mod facts;
mod fsck;
mod identity;
mod machine;
pub mod policies;
mod replay;
mod retry_cache;
mod safe_mode;
mod status;
mod subordinate;
mod upgrade;

pub use admin::CorruptFile;
pub use call::{Call, Caller};
pub use client::{KeyCipher, names_datanode, snapshot_diff_report};
pub use doctor::Diagnosis;
pub use fsck::{Fsck, FsckAction, FsckOptions, FsckOutcome, FsckStep};
pub use hdfs_namespace::{
    BatchLimits, FileKey, FileKeySource, ReencryptedFile, Reencryption, RemovalCheck, snapshot_path,
};
pub use identity::Identity;
pub use machine::{MachineConf, NameNode, SOFTWARE_VERSION};
pub use retry_cache::{Cached, CachedAnswer, CallKey, RetryCache};
pub use safe_mode::{Reported, SafeMode, SafeModeConf};
pub use subordinate::check_signature;
pub use upgrade::MINIMUM_COMPATIBLE_LAYOUT_VERSION;
