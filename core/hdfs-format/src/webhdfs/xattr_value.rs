//! Extended attributes in text: names with their namespace, values quoted, `0x…` or `0s…`.
//!
//! Hadoop: org.apache.hadoop.fs.XAttrCodec, org.apache.hadoop.hdfs.XAttrHelper (3.5.0)

use std::fmt::Write;

use bytes::Bytes;
use hdfs_proto::hdfs::XAttrProto;
use hdfs_proto::hdfs::x_attr_proto::XAttrNamespaceProto;
use hdfs_types::{Error, ErrorKind, Result};

use super::base64::{self, Alphabet};
use super::query::hex_byte;

/// `user.name`.
pub(super) fn prefixed_name(xattr: &XAttrProto) -> String {
    let namespace = match xattr.namespace() {
        XAttrNamespaceProto::User => "user",
        XAttrNamespaceProto::Trusted => "trusted",
        XAttrNamespaceProto::Security => "security",
        XAttrNamespaceProto::System => "system",
        XAttrNamespaceProto::Raw => "raw",
    };
    format!("{namespace}.{}", xattr.name)
}

/// The attribute of a name with its namespace.
///
/// # Errors
/// `HadoopIllegalArgument` with Hadoop's texts.
pub fn named(name: &str, value: Option<Bytes>) -> Result<XAttrProto> {
    const PREFIX: &str =
        "An XAttr name must be prefixed with user/trusted/security/system/raw, followed by a '.'";
    let refuse = |text: &str| Error::new(ErrorKind::HadoopIllegalArgument, text);
    let (prefix, rest) = name.split_once('.').ok_or_else(|| refuse(PREFIX))?;
    if prefix.len() >= 3 && rest.is_empty() {
        return Err(refuse("XAttr name cannot be empty."));
    }
    let namespace = match prefix.to_ascii_lowercase().as_str() {
        "user" => XAttrNamespaceProto::User,
        "trusted" => XAttrNamespaceProto::Trusted,
        "security" => XAttrNamespaceProto::Security,
        "system" => XAttrNamespaceProto::System,
        "raw" => XAttrNamespaceProto::Raw,
        _ => return Err(refuse(PREFIX)),
    };
    Ok(XAttrProto { namespace: namespace as i32, name: rest.to_owned(), value })
}

/// The value of a text: in quotes, hexadecimal, base64, or as it is.
///
/// # Errors
/// `Io` for bad hexadecimal digits.
pub fn decode(text: &str) -> Result<Vec<u8>> {
    if text.len() >= 2
        && let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
    {
        return Ok(inner.as_bytes().to_vec());
    }
    match text.split_at_checked(2) {
        Some(("0x" | "0X", digits)) => decode_hex(digits),
        Some(("0s" | "0S", digits)) => Ok(base64::decode(digits)),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

fn decode_hex(digits: &str) -> Result<Vec<u8>> {
    let refuse =
        |text: String| Error::io(format!("org.apache.commons.codec.DecoderException: {text}"));
    if !digits.chars().count().is_multiple_of(2) {
        return Err(refuse("Odd number of characters.".to_owned()));
    }
    if let Some((index, c)) = digits.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(refuse(format!("Illegal hexadecimal character {c} at index {index}")));
    }
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    Ok(pairs.iter().filter_map(|pair| hex_byte(*pair)).collect())
}

/// The text of a value in one of the encodings `TEXT`, `HEX` and `BASE64`.
pub fn encode(value: &[u8], encoding: &str) -> String {
    match encoding {
        "HEX" => {
            let mut out = String::from("0x");
            for byte in value {
                // Writing to a String can't fail.
                let _ = write!(out, "{byte:02x}");
            }
            out
        }
        "BASE64" => format!("0s{}", base64::encode(value, Alphabet::Standard)),
        _ => format!("\"{}\"", String::from_utf8_lossy(value)),
    }
}
