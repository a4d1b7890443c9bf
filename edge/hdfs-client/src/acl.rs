//! The calls about access control lists.

use hdfs_proto::hdfs as proto;
use hdfs_types::{FsAction, FsPermission, Result};

pub use hdfs_format::edits::{AclEntry, AclEntryScope, AclEntryType};
/// Reads `user:alice:rwx,default:group::r-x`, as `-setfacl` takes it; without the last part where entries are removed.
pub use hdfs_format::webhdfs::parse_acl_spec;

use crate::HdfsClient;

/// The ACL of a path.
///
/// Proto: acl.proto AclStatusProto. Hadoop: org.apache.hadoop.fs.permission.AclStatus (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclStatus {
    /// Owner.
    pub owner: String,
    /// Group.
    pub group: String,
    /// The sticky bit.
    pub sticky: bool,
    /// Entries beyond those that the mode bits hold: access entries first, then the default ones.
    pub entries: Vec<AclEntry>,
    /// Mode bits, when the NameNode sent them; those of the group are the mask.
    pub permission: Option<FsPermission>,
}

fn to_proto(entries: &[AclEntry]) -> Vec<proto::AclEntryProto> {
    let one = |entry: &AclEntry| proto::AclEntryProto {
        r#type: entry.kind as i32,
        scope: entry.scope as i32,
        permissions: i32::from(entry.permission.0 & 7),
        name: entry.name.clone(),
    };
    entries.iter().map(one).collect()
}

pub(crate) fn entry_from_proto(entry: proto::AclEntryProto) -> AclEntry {
    use proto::acl_entry_proto::{AclEntryScopeProto as Scope, AclEntryTypeProto as Type};
    AclEntry {
        kind: match entry.r#type() {
            Type::User => AclEntryType::User,
            Type::Group => AclEntryType::Group,
            Type::Mask => AclEntryType::Mask,
            Type::Other => AclEntryType::Other,
        },
        scope: match entry.scope() {
            Scope::Access => AclEntryScope::Access,
            Scope::Default => AclEntryScope::Default,
        },
        permission: FsAction((entry.permissions & 7) as u8),
        name: entry.name.filter(|name| !name.is_empty()),
    }
}

impl HdfsClient {
    /// The ACL of a path; without entries when mode bits are all there is.
    ///
    /// Proto: ClientNamenodeProtocol.proto getAclStatus
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Acl` where ACLs are off.
    pub async fn acl_status(&self, path: &str) -> Result<AclStatus> {
        let request = proto::GetAclStatusRequestProto { src: path.to_owned() };
        let answer: proto::GetAclStatusResponseProto =
            self.namenode().call("getAclStatus", &request).await?;
        let status = answer.result;
        Ok(AclStatus {
            owner: status.owner,
            group: status.group,
            sticky: status.sticky,
            entries: status.entries.into_iter().map(entry_from_proto).collect(),
            permission: status.permission.map(|bits| FsPermission((bits.perm & 0o1777) as u16)),
        })
    }

    /// Adds entries, or changes those about the same users.
    ///
    /// Proto: ClientNamenodeProtocol.proto modifyAclEntries
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Acl`, `SafeMode`.
    pub async fn modify_acl_entries(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        let request = proto::ModifyAclEntriesRequestProto {
            src: path.to_owned(),
            acl_spec: to_proto(entries),
        };
        let _: proto::ModifyAclEntriesResponseProto =
            self.namenode().call("modifyAclEntries", &request).await?;
        Ok(())
    }

    /// Removes the entries about these users; their permissions do not matter.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeAclEntries
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_acl_entries(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        let request = proto::RemoveAclEntriesRequestProto {
            src: path.to_owned(),
            acl_spec: to_proto(entries),
        };
        let _: proto::RemoveAclEntriesResponseProto =
            self.namenode().call("removeAclEntries", &request).await?;
        Ok(())
    }

    /// Removes the default entries.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeDefaultAcl
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_default_acl(&self, path: &str) -> Result<()> {
        let request = proto::RemoveDefaultAclRequestProto { src: path.to_owned() };
        let _: proto::RemoveDefaultAclResponseProto =
            self.namenode().call("removeDefaultAcl", &request).await?;
        Ok(())
    }

    /// Removes every entry; mode bits stay.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeAcl
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_acl(&self, path: &str) -> Result<()> {
        let request = proto::RemoveAclRequestProto { src: path.to_owned() };
        let _: proto::RemoveAclResponseProto = self.namenode().call("removeAcl", &request).await?;
        Ok(())
    }

    /// Replaces the access entries, the default entries, or both: those of the scopes that `entries` names.
    ///
    /// Proto: ClientNamenodeProtocol.proto setAcl
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn set_acl(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        let request =
            proto::SetAclRequestProto { src: path.to_owned(), acl_spec: to_proto(entries) };
        let _: proto::SetAclResponseProto = self.namenode().call("setAcl", &request).await?;
        Ok(())
    }
}

/// An entry as `-getfacl` shows it and `-setfacl` takes it: `default:user:alice:rwx`.
pub fn acl_entry_text(entry: &AclEntry, with_permission: bool) -> String {
    let scope = if entry.scope == AclEntryScope::Default { "default:" } else { "" };
    let kind = match entry.kind {
        AclEntryType::User => "user",
        AclEntryType::Group => "group",
        AclEntryType::Mask => "mask",
        AclEntryType::Other => "other",
    };
    let name = entry.name.as_deref().unwrap_or_default();
    let permission = if with_permission { entry.permission.symbol() } else { "" };
    format!("{scope}{kind}:{name}:{permission}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acl_specs_are_read_as_hadoop_reads_them() {
        let parsed = parse_acl_spec("user::rwx,,default:GROUP:eng:r-x", true).expect("valid");
        let entry = |kind, scope, permission, name: Option<&str>| AclEntry {
            kind,
            scope,
            permission: FsAction(permission),
            name: name.map(str::to_owned),
        };
        assert_eq!(
            parsed,
            [
                entry(AclEntryType::User, AclEntryScope::Access, 7, None),
                entry(AclEntryType::Group, AclEntryScope::Default, 5, Some("eng")),
            ]
        );
        assert_eq!(parse_acl_spec("mask", false).expect("no name is needed").len(), 1);
    }

    #[test]
    fn bad_acl_specs_have_hadoops_messages() {
        let message = |text, with| parse_acl_spec(text, with).expect_err("invalid").message;
        assert_eq!(message("x:y:rwx", true), "Invalid type of acl in <aclSpec> :x:y:rwx");
        assert_eq!(message("user:a:rwz", true), "Invalid permission in <aclSpec> : user:a:rwz");
        assert_eq!(message("user:a", true), "Invalid <aclSpec> : user:a");
        assert_eq!(message("user:a:rwx", false), "Invalid <aclSpec> : user:a:rwx");
        assert_eq!(message("default", true), "Invalid <aclSpec> : default");
        assert_eq!(message(":::", true), "Invalid <aclSpec> : :::");
    }
}
