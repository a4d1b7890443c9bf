//! The NameNode: the shell around the machine of `hdfs-namenode`.
//!
//! ```text
//! connection ── rpc ──> shell ── lock ──> NameNode (core) ── operations ──> edit_log ──> name folders
//!                         ^                                                    │
//!                         └────────────── replies, when synced ────────────────┘
//! ```
//!
//! **Invariants**
//! - No answer to a change leaves before its transaction is on every name folder in use.
//! - Nothing under the machine's lock blocks, encodes or touches a disk.
//! - A file of a name folder that failed is not written again; when no folder is left, the NameNode stops.
//!
//! Entry points: [`format`] and [`start`].

mod audit;
mod background;
mod beans;
mod callers;
mod checkpoint;
mod conf;
mod dashboard;
mod decode_ahead;
mod doctor;
mod durable;
mod edit_log;
mod format;
mod fsck;
mod handle;
mod hosts;
mod identity;
mod image_receiver;
mod image_store;
mod image_transfer;
mod import;
mod inventory;
mod key_provider;
mod metrics;
mod monitor;
mod old_layout;
mod progress;
mod prom;
mod proxies;
mod recover;
mod reencryption;
mod replay;
mod restore;
mod rolling_upgrade;
mod rpc;
mod secondary;
mod segment;
mod servlets;
mod shell;
mod start_option;
mod startup;
mod storage;
pub(crate) mod storage_state;
mod tail;
mod top;
mod trash_emptier;
mod tunable;
mod upgrade;
mod waiting;
mod web;
mod webhdfs;

pub use format::{FormatOptions, Formatted, format};
pub use handle::{NameNodeHandle, start, start_with};
pub use recover::{Recovered, recover};
pub use secondary::SecondaryNameNode;
pub use start_option::{StartOption, UpgradeOptions};
pub use upgrade::{metadata_version, rollback};
