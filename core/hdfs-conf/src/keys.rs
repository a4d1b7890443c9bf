//! The one table of keys: name, type, default, documentation and old names.
//!
//! A constant is named as its key, in capitals. The defaults are those of Hadoop 3.5.0; `tests/defaults.rs` compares them
//! with the published jars and lists where we differ on purpose.

mod client;
mod datanode;
mod fs;
mod http_client;
mod http_server;
mod ipc;
mod namenode;
mod s3a;
mod tusk;

pub use client::*;
pub use datanode::*;
pub use fs::*;
pub use http_client::*;
pub use http_server::*;
pub use ipc::*;
pub use namenode::*;
pub use s3a::*;
pub use tusk::*;

/// A configuration key.
#[derive(Debug)]
pub struct Key {
    /// Name, as in the XML files.
    pub name: &'static str,
    /// Name of the constant in this module.
    pub constant: &'static str,
    /// Type and unit of the value.
    pub kind: Kind,
    /// The default as it would stand in an XML file; `None` when the key is unset by default.
    pub default: Option<&'static str>,
    /// Old names, which mean the same.
    pub deprecated: &'static [&'static str],
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// The type of a key's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// Texts separated by commas; blanks around them do not count.
    List,
    /// `true` or `false`.
    Bool,
    /// A whole number, decimal or `0x…`.
    Int,
    /// A number.
    Float,
    /// Bytes: a whole number, optionally with a suffix k, m, g, t, p or e (powers of 1,024).
    Bytes,
    /// A time: a whole number in this unit, or with a suffix ns, us, ms, s, m, h or d.
    Time(TimeUnit),
}

/// The unit of a time without a suffix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeUnit {
    /// ns
    Nanos,
    /// us
    Micros,
    /// ms
    Millis,
    /// s
    Seconds,
    /// m
    Minutes,
    /// h
    Hours,
    /// d
    Days,
}

/// Old names of keys that the table does not hold.
const DEPRECATED_ELSEWHERE: &[(&str, &str)] = &[
    ("hadoop.configured.node.mapping", "net.topology.configured.node.mapping"),
    ("dfs.nfs.exports.allowed.hosts", "nfs.exports.allowed.hosts"),
    ("dfs.backup.address", "dfs.namenode.backup.address"),
    ("dfs.backup.http.address", "dfs.namenode.backup.http-address"),
    ("dfs.https.client.keystore.resource", "dfs.client.https.keystore.resource"),
    ("dfs.https.need.client.auth", "dfs.client.https.need-auth"),
    ("session.id", "dfs.metrics.session-id"),
];

/// Every key of the table, by family.
pub fn all() -> impl Iterator<Item = &'static Key> {
    [FS, IPC, CLIENT, HTTP_CLIENT, HTTP_SERVER, NAMENODE, DATANODE, S3A, TUSK]
        .into_iter()
        .flatten()
        .copied()
}

/// The key with this (current) name.
pub fn find(name: &str) -> Option<&'static Key> {
    all().find(|key| key.name == name)
}

/// The current name of a key that has an old one.
pub fn renamed(old: &str) -> Option<&'static str> {
    let in_table = all().find(|key| key.deprecated.contains(&old)).map(|key| key.name);
    in_table.or_else(|| {
        DEPRECATED_ELSEWHERE.iter().find(|(name, _)| *name == old).map(|(_, current)| *current)
    })
}

/// Declares the constants of a family, and a list of them.
macro_rules! keys {
    ($list:ident: $($(#[doc = $doc:literal])+ $constant:ident = $name:literal, $kind:ident $(($unit:ident))?, $default:tt $(, was $($old:literal),+)?;)+) => {
        $(
            $(#[doc = $doc])+
            #[doc = concat!("\n\n`", $name, "`")]
            pub const $constant: $crate::Key = $crate::Key {
                name: $name,
                constant: stringify!($constant),
                kind: keys!(@kind $kind $($unit)?),
                default: keys!(@default $default),
                deprecated: &[$($($old),+)?],
                doc: concat!($($doc),+),
            };
        )+
        pub(super) const $list: &[&$crate::Key] = &[$(&$constant),+];
    };
    (@kind $kind:ident) => { $crate::Kind::$kind };
    (@kind $kind:ident $unit:ident) => { $crate::Kind::$kind($crate::TimeUnit::$unit) };
    (@default none) => { None };
    (@default $text:literal) => { Some($text) };
}
use keys;
