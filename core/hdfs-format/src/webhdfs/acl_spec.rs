//! Entries of access control lists in text: `default:user:alice:rwx`.
//!
//! Hadoop: org.apache.hadoop.fs.permission.AclEntry (3.5.0)

use hdfs_proto::hdfs::AclEntryProto;
use hdfs_proto::hdfs::acl_entry_proto::{AclEntryScopeProto, AclEntryTypeProto, FsActionProto};
use hdfs_types::{Error, ErrorKind, FsAction, Result};

/// The text of an entry.
pub(super) fn show(entry: &AclEntryProto) -> String {
    let scope = if entry.scope() == AclEntryScopeProto::Default { "default:" } else { "" };
    let kind = match entry.r#type() {
        AclEntryTypeProto::User => "user",
        AclEntryTypeProto::Group => "group",
        AclEntryTypeProto::Mask => "mask",
        AclEntryTypeProto::Other => "other",
    };
    let action = FsAction(u8::try_from(entry.permissions).unwrap_or(0));
    format!("{scope}{kind}:{}:{}", entry.name.as_deref().unwrap_or_default(), action.symbol())
}

/// The entries of a list; removals have no permissions.
///
/// # Errors
/// `HadoopIllegalArgument` with Hadoop's texts.
pub(super) fn parse(spec: &str, with_permission: bool) -> Result<Vec<AclEntryProto>> {
    let entries = spec.split(',').filter(|entry| !entry.is_empty());
    entries.map(|entry| parse_entry(entry, with_permission)).collect()
}

/// One entry.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_entry(entry: &str, with_permission: bool) -> Result<AclEntryProto> {
    let refuse =
        |what: &str| Error::new(ErrorKind::HadoopIllegalArgument, format!("{what}{entry}"));
    let invalid = || refuse("Invalid <aclSpec> : ");
    // Java's split drops empty parts at the end.
    let mut parts = entry.trim_end_matches(':').split(':').peekable();
    let mut scope = AclEntryScopeProto::Access;
    if parts.next_if_eq(&"default").is_some() {
        scope = AclEntryScopeProto::Default;
    }
    let kind = match parts.next().ok_or_else(invalid)?.to_ascii_uppercase().as_str() {
        "USER" => AclEntryTypeProto::User,
        "GROUP" => AclEntryTypeProto::Group,
        "MASK" => AclEntryTypeProto::Mask,
        "OTHER" => AclEntryTypeProto::Other,
        _ => return Err(refuse("Invalid type of acl in <aclSpec> :")),
    };
    let name = parts.next().filter(|name| !name.is_empty()).map(str::to_owned);
    let mut permissions = FsActionProto::None as i32;
    if with_permission {
        let symbol = parts.next().ok_or_else(invalid)?;
        let known = (0..8).find(|bits| FsAction(*bits).symbol() == symbol);
        let bits = known.ok_or_else(|| refuse("Invalid permission in <aclSpec> : "))?;
        permissions = i32::from(bits);
    }
    if parts.next().is_some() {
        return Err(invalid());
    }
    Ok(AclEntryProto { r#type: kind as i32, scope: scope as i32, permissions, name })
}
