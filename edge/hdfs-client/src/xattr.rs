//! The calls about extended attributes. Their names carry the namespace in front: `user.owner`.

use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::x_attr_proto::XAttrNamespaceProto as Namespace;
use hdfs_types::{Error, ErrorKind, Result};

use crate::HdfsClient;

/// What setting an attribute does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum XAttrSet {
    /// Make it or change it.
    #[default]
    Any,
    /// Make it; it must not be there.
    Create,
    /// Change it; it must be there.
    Replace,
}

impl XAttrSet {
    fn flags(self) -> u32 {
        let create = proto::XAttrSetFlagProto::XattrCreate as u32;
        let replace = proto::XAttrSetFlagProto::XattrReplace as u32;
        match self {
            Self::Any => create | replace,
            Self::Create => create,
            Self::Replace => replace,
        }
    }
}

const NAMESPACES: [(Namespace, &str); 5] = [
    (Namespace::User, "user"),
    (Namespace::Trusted, "trusted"),
    (Namespace::System, "system"),
    (Namespace::Security, "security"),
    (Namespace::Raw, "raw"),
];

/// Hadoop: org.apache.hadoop.hdfs.XAttrHelper.buildXAttr (3.5.0)
fn to_proto(name: &str, value: Option<&[u8]>) -> Result<proto::XAttrProto> {
    let illegal = |text: &str| Error::new(ErrorKind::HadoopIllegalArgument, text);
    let (prefix, rest) = name.split_once('.').unwrap_or(("", name));
    let known = NAMESPACES.iter().find(|(_, known)| known.eq_ignore_ascii_case(prefix));
    if rest.is_empty() && prefix.len() >= 3 {
        return Err(illegal("XAttr name cannot be empty."));
    }
    let (namespace, _) = known.ok_or_else(|| {
        illegal(
            "An XAttr name must be prefixed with user/trusted/security/system/raw, followed by a '.'",
        )
    })?;
    Ok(proto::XAttrProto {
        namespace: *namespace as i32,
        name: rest.to_owned(),
        value: value.map(bytes::Bytes::copy_from_slice),
    })
}

/// Checks a name with its namespace, as Hadoop's client does before it asks.
///
/// # Errors
/// `HadoopIllegalArgument` with Hadoop's message.
pub fn check_xattr_name(name: &str) -> Result<()> {
    to_proto(name, None).map(|_| ())
}

fn full_name(attribute: &proto::XAttrProto) -> String {
    let namespace = attribute.namespace();
    let prefix = NAMESPACES.iter().find(|(known, _)| *known == namespace);
    format!("{}.{}", prefix.map_or("user", |(_, prefix)| prefix), attribute.name)
}

impl HdfsClient {
    /// These attributes of a path, or all that this user may see; in the NameNode's order.
    ///
    /// Proto: ClientNamenodeProtocol.proto getXAttrs
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` when a named one is not there, `HadoopIllegalArgument` for a bad name.
    pub async fn xattrs(&self, path: &str, names: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
        let names = names.iter().map(|name| to_proto(name, None)).collect::<Result<_>>()?;
        let request = proto::GetXAttrsRequestProto { src: path.to_owned(), x_attrs: names };
        let answer: proto::GetXAttrsResponseProto =
            self.namenode().call("getXAttrs", &request).await?;
        let pair = |attribute: proto::XAttrProto| {
            (full_name(&attribute), attribute.value.unwrap_or_default().to_vec())
        };
        Ok(answer.x_attrs.into_iter().map(pair).collect())
    }

    /// The names of all attributes that this user may see.
    ///
    /// Proto: ClientNamenodeProtocol.proto listXAttrs
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn list_xattrs(&self, path: &str) -> Result<Vec<String>> {
        let request = proto::ListXAttrsRequestProto { src: path.to_owned() };
        let answer: proto::ListXAttrsResponseProto =
            self.namenode().call("listXAttrs", &request).await?;
        Ok(answer.x_attrs.iter().map(full_name).collect())
    }

    /// Sets an attribute.
    ///
    /// Proto: ClientNamenodeProtocol.proto setXAttr
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` (there or not there, against `how`; too many, too large), `SafeMode`.
    pub async fn set_xattr(
        &self,
        path: &str,
        name: &str,
        value: Option<&[u8]>,
        how: XAttrSet,
    ) -> Result<()> {
        let request = proto::SetXAttrRequestProto {
            src: path.to_owned(),
            x_attr: Some(to_proto(name, value)?),
            flag: Some(how.flags()),
        };
        let _: proto::SetXAttrResponseProto = self.namenode().call("setXAttr", &request).await?;
        Ok(())
    }

    /// Removes an attribute.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeXAttr
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` when it is not there, `SafeMode`.
    pub async fn remove_xattr(&self, path: &str, name: &str) -> Result<()> {
        let request = proto::RemoveXAttrRequestProto {
            src: path.to_owned(),
            x_attr: Some(to_proto(name, None)?),
        };
        let _: proto::RemoveXAttrResponseProto =
            self.namenode().call("removeXAttr", &request).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_a_namespace_and_a_name() {
        let message = |name: &str| check_xattr_name(name).err().map(|error| error.message);
        assert_eq!(message("user.a.b"), None);
        assert_eq!(message("TRUSTED.a"), None);
        assert_eq!(message("user."), Some("XAttr name cannot be empty.".into()));
        for name in ["a", "user", ".a", "us.a", "other.a"] {
            assert!(message(name).expect(name).starts_with("An XAttr name must be prefixed"));
        }
    }
}
