//! Entries of access control lists in text: `default:user:alice:rwx`.
//!
//! Hadoop: org.apache.hadoop.fs.permission.AclEntry (3.5.0)

use hdfs_proto::hdfs::AclEntryProto;
use hdfs_proto::hdfs::acl_entry_proto::{AclEntryScopeProto, AclEntryTypeProto};
use hdfs_types::{Error, ErrorKind, FsAction, Result};

use crate::edits::{AclEntry, AclEntryScope, AclEntryType};

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

/// An entry as calls hold it.
pub(super) fn to_proto(entry: AclEntry) -> AclEntryProto {
    AclEntryProto {
        r#type: entry.kind as i32,
        scope: entry.scope as i32,
        permissions: i32::from(entry.permission.0),
        name: entry.name,
    }
}

/// The entries of a list; removals have no permissions.
///
/// Hadoop: org.apache.hadoop.fs.permission.AclEntry.parseAclSpec (3.5.0)
///
/// # Errors
/// `HadoopIllegalArgument` with Hadoop's texts.
pub fn parse(spec: &str, with_permission: bool) -> Result<Vec<AclEntry>> {
    // Empty entries are passed over, as Java's StringTokenizer does.
    let entries = spec.split(',').filter(|entry| !entry.is_empty());
    entries.map(|entry| parse_entry(entry, with_permission)).collect()
}

/// One entry.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_entry(entry: &str, with_permission: bool) -> Result<AclEntry> {
    let refuse =
        |what: &str| Error::new(ErrorKind::HadoopIllegalArgument, format!("{what}{entry}"));
    let invalid = || refuse("Invalid <aclSpec> : ");
    // Java's split drops empty parts at the end.
    let kept = entry.trim_end_matches(':');
    if kept.is_empty() && !entry.is_empty() {
        return Err(invalid());
    }
    let mut parts = kept.split(':').peekable();
    let mut scope = AclEntryScope::Access;
    if parts.next_if_eq(&"default").is_some() {
        scope = AclEntryScope::Default;
    }
    let kind = match parts.next().ok_or_else(invalid)?.to_ascii_uppercase().as_str() {
        "USER" => AclEntryType::User,
        "GROUP" => AclEntryType::Group,
        "MASK" => AclEntryType::Mask,
        "OTHER" => AclEntryType::Other,
        _ => return Err(refuse("Invalid type of acl in <aclSpec> :")),
    };
    let name = parts.next().filter(|name| !name.is_empty()).map(str::to_owned);
    let mut permission = FsAction::NONE;
    if with_permission {
        let symbol = parts.next().ok_or_else(invalid)?;
        let known = (0..8).map(FsAction).find(|action| action.symbol() == symbol);
        permission = known.ok_or_else(|| refuse("Invalid permission in <aclSpec> : "))?;
    }
    match parts.next() {
        None => Ok(AclEntry { kind, scope, permission, name }),
        Some(_) => Err(invalid()),
    }
}
