//! The error for damaged storage: what, where, and what to do.

use hdfs_types::{Error, TxId};
use std::fmt;

/// A file whose bytes can't be right.
///
/// Nothing of it was applied beyond `offset`; the file was not changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corrupt {
    /// The file, as its owner names it.
    pub file: String,
    /// First byte that can't be right.
    pub offset: u64,
    /// The last transaction before it (edit logs).
    pub txid: Option<TxId>,
    /// What is wrong.
    pub reason: String,
    /// What an administrator can do.
    pub advice: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at offset {}", self.file, self.offset)?;
        if let Some(txid) = self.txid {
            write!(f, ", after transaction {txid}")?;
        }
        write!(f, ": {}. {}", self.reason, self.advice)
    }
}

impl std::error::Error for Corrupt {}

impl From<Corrupt> for Error {
    fn from(corrupt: Corrupt) -> Self {
        Self::io(corrupt.to_string()).with_source(corrupt)
    }
}
