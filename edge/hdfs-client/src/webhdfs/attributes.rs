//! The calls about access control lists, extended attributes and snapshots.
//!
//! ```text
//! GETACLSTATUS  {"AclStatus": {"entries": ["user:a:rwx", …], "owner": …, "group": …, "permission": "775", "stickyBit": …}}
//! GETXATTRS     {"XAttrs": [{"name": "user.a", "value": "0x6869"}, …]}
//! ```

use hdfs_types::{Error, FsPermission, Result};
use serde_json::Value;

use super::WebHdfsClient;
use super::request::Request;
use crate::acl::{AclEntry, AclStatus, acl_entry_text, parse_acl_spec};
use crate::xattr::check_xattr_name;

fn lacks(what: &str) -> Error {
    Error::io(format!("the answer of the web server lacks {what}"))
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value> {
    value.get(name).ok_or_else(|| lacks(name))
}

fn text(value: &Value, name: &str) -> Result<String> {
    Ok(member(value, name)?.as_str().ok_or_else(|| lacks(name))?.to_owned())
}

/// `0x6869`.
fn encode(value: &[u8]) -> String {
    let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

fn spec(entries: &[AclEntry], with_permission: bool) -> String {
    let one = |entry| acl_entry_text(entry, with_permission);
    entries.iter().map(one).collect::<Vec<_>>().join(",")
}

impl WebHdfsClient {
    /// The ACL of a path; without entries when mode bits are all there is.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Acl` where ACLs are off.
    pub async fn acl_status(&self, path: &str) -> Result<AclStatus> {
        let answer = self.ask(Request::get("GETACLSTATUS", path)).await?;
        let status = member(&answer, "AclStatus")?;
        let entries = member(status, "entries")?.as_array().ok_or_else(|| lacks("entries"))?;
        let mut parsed = Vec::new();
        for entry in entries {
            parsed.extend(parse_acl_spec(entry.as_str().unwrap_or_default(), true)?);
        }
        let bits = status.get("permission").and_then(Value::as_str);
        let bits = bits.and_then(|octal| u16::from_str_radix(octal, 8).ok());
        Ok(AclStatus {
            owner: text(status, "owner")?,
            group: text(status, "group")?,
            sticky: status.get("stickyBit").and_then(Value::as_bool).unwrap_or(false),
            entries: parsed,
            permission: bits.map(FsPermission),
        })
    }

    /// Adds entries, or changes those about the same users.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Acl`, `SafeMode`.
    pub async fn modify_acl_entries(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        let request = Request::put("MODIFYACLENTRIES", path).with("aclspec", spec(entries, true));
        self.tell(request).await
    }

    /// Removes the entries about these users; their permissions do not matter.
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_acl_entries(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        let request = Request::put("REMOVEACLENTRIES", path).with("aclspec", spec(entries, false));
        self.tell(request).await
    }

    /// Removes the default entries.
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_default_acl(&self, path: &str) -> Result<()> {
        self.tell(Request::put("REMOVEDEFAULTACL", path)).await
    }

    /// Removes every entry; mode bits stay.
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn remove_acl(&self, path: &str) -> Result<()> {
        self.tell(Request::put("REMOVEACL", path)).await
    }

    /// Replaces the entries of the scopes that `entries` names.
    ///
    /// # Errors
    /// As [`Self::modify_acl_entries`].
    pub async fn set_acl(&self, path: &str, entries: &[AclEntry]) -> Result<()> {
        self.tell(Request::put("SETACL", path).with("aclspec", spec(entries, true))).await
    }

    /// These attributes of a path, or all that this user may see; in the NameNode's order.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` when a named one is not there, `HadoopIllegalArgument` for a bad name.
    pub async fn xattrs(&self, path: &str, names: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut request = Request::get("GETXATTRS", path).with("encoding", "hex");
        for name in names {
            check_xattr_name(name)?;
            request = request.with("xattr.name", name);
        }
        let answer = self.ask(request).await?;
        let found = member(&answer, "XAttrs")?.as_array().ok_or_else(|| lacks("XAttrs"))?;
        let one = |attribute: &Value| {
            let value = attribute.get("value").and_then(Value::as_str);
            let value = value.map_or_else(|| Some(Vec::new()), decode);
            Ok((text(attribute, "name")?, value.ok_or_else(|| lacks("a value in hex"))?))
        };
        found.iter().map(one).collect()
    }

    /// Sets an attribute, whether it is there or not.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` (too many, too large), `SafeMode`.
    pub async fn set_xattr(&self, path: &str, name: &str, value: Option<&[u8]>) -> Result<()> {
        check_xattr_name(name)?;
        let request = Request::put("SETXATTR", path)
            .with("xattr.name", name)
            .with_some("xattr.value", value.map(encode))
            .with("flag", "CREATE,REPLACE");
        self.tell(request).await
    }

    /// Removes an attribute.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` when it is not there, `SafeMode`.
    pub async fn remove_xattr(&self, path: &str, name: &str) -> Result<()> {
        check_xattr_name(name)?;
        self.tell(Request::put("REMOVEXATTR", path).with("xattr.name", name)).await
    }

    /// Takes a snapshot, under a name of the NameNode's choice if none is given; its path.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Snapshot`, `SafeMode`.
    pub async fn create_snapshot(&self, root: &str, name: Option<&str>) -> Result<String> {
        let request = Request::put("CREATESNAPSHOT", root).with_some("snapshotname", name);
        text(&self.ask(request).await?, "Path")
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn delete_snapshot(&self, root: &str, name: &str) -> Result<()> {
        self.tell(Request::delete("DELETESNAPSHOT", root).with("snapshotname", name)).await
    }

    /// Gives a snapshot another name.
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn rename_snapshot(&self, root: &str, old: &str, new: &str) -> Result<()> {
        let request = Request::put("RENAMESNAPSHOT", root)
            .with("oldsnapshotname", old)
            .with("snapshotname", new);
        self.tell(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_travel_in_hex() {
        assert_eq!(encode(b"hi\xff"), "0x6869ff");
        assert_eq!(decode("0x6869fF"), Some(b"hi\xff".to_vec()));
        assert_eq!(decode("0x"), Some(Vec::new()));
        for damaged in ["0x6", "6869", "0xzz"] {
            assert_eq!(decode(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn entries_to_remove_keep_their_last_colon() {
        let entries = parse_acl_spec("user:a:rwx,default:mask::r--", true).expect("valid");
        assert_eq!(spec(&entries, true), "user:a:rwx,default:mask::r--");
        assert_eq!(spec(&entries, false), "user:a:,default:mask::");
    }
}
