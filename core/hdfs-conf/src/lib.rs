//! Configuration: Hadoop's XML files read as Hadoop reads them, and one table of typed keys.
//!
//! A [`Configuration`] is a value: it is loaded once ([`load`]), and every getter takes a [`Key`] of the table in [`keys`],
//! so that no caller spells a key's name, default or unit. `${var}` is expanded when it is loaded.
//!
//! This crate does no IO: whoever loads a configuration passes a [`Source`] that reads files, and an [`Environment`].
//! It knows nothing of what a key means beyond its type.
//!
//! Hadoop: org.apache.hadoop.conf.Configuration, org.apache.hadoop.hdfs.HdfsConfiguration (3.5.0)

mod address;
mod configuration;
mod expand;
pub mod keys;
mod load;
mod storage_location;
mod unknown;
mod value;
mod warning;
mod xml;

pub use address::{HostPort, NAMENODE_RPC_DEFAULT_PORT, default_file_system_authority};
pub use configuration::{Configuration, Environment};
pub use keys::{Key, Kind, TimeUnit};
pub use load::{Load, Source, load};
pub use storage_location::StorageLocation;
pub use value::parse_bytes;
pub use warning::Warning;
