//! Names and contents of the small files beside the edit log.
//!
//! Hadoop: NNStorage.NameNodeFile, PersistentLongFile, MD5FileUtils (3.5.0)

use super::Corrupt;
use hdfs_types::TxId;
use std::fmt::Write as _;

/// The folder inside a storage folder that holds its state.
pub const CURRENT: &str = "current";
/// The identity of a storage folder.
pub const VERSION: &str = "VERSION";
/// Held while a daemon uses a storage folder.
pub const IN_USE_LOCK: &str = "in_use.lock";
/// The transaction up to which edits must be there at the next start.
pub const SEEN_TXID: &str = "seen_txid";
/// What the name of an MD5 file adds to that of its image.
pub const MD5_SUFFIX: &str = ".md5";

const ADVICE: &str = "Take the file from another name folder.";

/// An image of the namespace, by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ImageFile {
    /// `fsimage_<txid>`.
    Image(TxId),
    /// `fsimage.ckpt_<txid>`: still being written, or left by a crash.
    Checkpoint(TxId),
    /// `fsimage_rollback_<txid>`: before a rolling upgrade.
    Rollback(TxId),
}

impl ImageFile {
    /// The name of the file.
    pub fn name(self) -> String {
        match self {
            Self::Image(txid) => format!("fsimage_{:019}", txid.0),
            Self::Checkpoint(txid) => format!("fsimage.ckpt_{:019}", txid.0),
            Self::Rollback(txid) => format!("fsimage_rollback_{:019}", txid.0),
        }
    }

    /// The name of the file with its MD5.
    pub fn md5_name(self) -> String {
        self.name() + MD5_SUFFIX
    }

    /// What a name says; none for other files, MD5 files among them.
    pub fn parse(name: &str) -> Option<Self> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse().ok().map(TxId) } else { None }
        };
        if let Some(rest) = name.strip_prefix("fsimage.ckpt_") {
            return number(rest).map(Self::Checkpoint);
        }
        if let Some(rest) = name.strip_prefix("fsimage_rollback_") {
            return number(rest).map(Self::Rollback);
        }
        name.strip_prefix("fsimage_").and_then(number).map(Self::Image)
    }

    /// The last transaction that the image holds.
    pub fn txid(self) -> TxId {
        match self {
            Self::Image(txid) | Self::Checkpoint(txid) | Self::Rollback(txid) => txid,
        }
    }
}

/// The content of a file that holds one number (`seen_txid`, `last-promised-epoch`, …).
pub fn print_number(number: u64) -> String {
    format!("{number}\n")
}

/// Reads a file that holds one number.
///
/// # Errors
/// When its first line is not a number.
pub fn parse_number(file: &str, bytes: &[u8]) -> Result<u64, Corrupt> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_suffix('\r').unwrap_or(line).parse().ok())
        .ok_or_else(|| {
            corrupt(file, format!("\"{}\" is not a number", String::from_utf8_lossy(line)))
        })
}

/// The content of the MD5 file of `name`.
pub fn print_md5(md5: &[u8; 16], name: &str) -> String {
    format!("{} *{name}\n", print_hex(md5))
}

/// A digest in hexadecimal digits.
pub fn print_hex(md5: &[u8; 16]) -> String {
    let mut out = String::with_capacity(32);
    for byte in md5 {
        // Writing to a String can't fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A digest of hexadecimal digits; none for anything else.
pub fn parse_hex(digits: &str) -> Option<[u8; 16]> {
    let only_digits = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    only_digits.then(|| decode_hex(digits)).flatten()
}

/// Reads an MD5 file, which must be that of `name`.
///
/// # Errors
/// When it is no MD5 line, or one of another file.
pub fn parse_md5(file: &str, bytes: &[u8], name: &str) -> Result<[u8; 16], Corrupt> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    let parsed = line
        .split_at_checked(32)
        .and_then(|(hex, rest)| {
            Some((hex, rest.strip_prefix(" *").or_else(|| rest.strip_prefix("  "))?))
        })
        .and_then(|(hex, referenced)| Some((decode_hex(hex)?, referenced)));
    let Some((md5, referenced)) = parsed else {
        return Err(corrupt(file, format!("\"{line}\" is not an MD5 line")));
    };
    if referenced.rsplit('/').next() != Some(name) {
        return Err(corrupt(file, format!("it is about {referenced}, expected {name}")));
    }
    Ok(md5)
}

fn decode_hex(hex: &str) -> Option<[u8; 16]> {
    let mut md5 = [0; 16];
    for (byte, pair) in md5.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(md5)
}

fn corrupt(file: &str, reason: String) -> Corrupt {
    Corrupt { file: file.to_owned(), offset: 0, txid: None, reason, advice: ADVICE }
}
