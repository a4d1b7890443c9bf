//! Access control lists and extended attributes of an image, in the messages of the protocols: for viewers.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormatPBINode.Loader (3.5.0)

use super::{NameTable, StringTable, unpack_acl_entry, unpack_xattr_name};
use crate::edits::{AclEntryType, XAttrNamespace};
use hdfs_proto::hdfs::fsimage::i_node_section as image;
use hdfs_proto::hdfs::x_attr_proto::XAttrNamespaceProto;
use hdfs_proto::hdfs::{AclEntryProto, XAttrProto};
use prost::Message;

/// The entries of an encoded `AclFeatureProto`.
///
/// # Errors
/// When it does not decode.
pub fn acl_entries(encoded: &[u8], names: &StringTable) -> Result<Vec<AclEntryProto>, String> {
    let feature = image::AclFeatureProto::decode(encoded).map_err(|error| error.to_string())?;
    let entry = |packed: &u32| {
        let (kind, scope, permission, number) = unpack_acl_entry(*packed);
        let name = match kind {
            AclEntryType::User => names.name(NameTable::User, number),
            AclEntryType::Group => names.name(NameTable::Group, number),
            AclEntryType::Mask | AclEntryType::Other => None,
        };
        AclEntryProto {
            r#type: kind as i32,
            scope: scope as i32,
            permissions: i32::from(permission.0),
            name: name.filter(|name| !name.is_empty()).map(ToString::to_string),
        }
    };
    Ok(feature.entries.iter().map(entry).collect())
}

/// The attributes of an encoded `XAttrFeatureProto`.
///
/// # Errors
/// When it does not decode, or names what the image does not have.
pub fn x_attrs(encoded: &[u8], names: &StringTable) -> Result<Vec<XAttrProto>, String> {
    let feature = image::XAttrFeatureProto::decode(encoded).map_err(|error| error.to_string())?;
    let attribute = |compact: image::XAttrCompactProto| {
        let (namespace, number) = unpack_xattr_name(compact.name)
            .ok_or_else(|| format!("unknown namespace of attribute {:#x}", compact.name))?;
        let name = names
            .name(NameTable::XAttr, number)
            .ok_or_else(|| format!("an attribute has the unknown name {number}"))?;
        let namespace = match namespace {
            XAttrNamespace::User => XAttrNamespaceProto::User,
            XAttrNamespace::Trusted => XAttrNamespaceProto::Trusted,
            XAttrNamespace::Security => XAttrNamespaceProto::Security,
            XAttrNamespace::System => XAttrNamespaceProto::System,
            XAttrNamespace::Raw => XAttrNamespaceProto::Raw,
        };
        let value = Some(compact.value.unwrap_or_default());
        Ok(XAttrProto { namespace: namespace as i32, name: name.to_string(), value })
    };
    feature.x_attrs.into_iter().map(attribute).collect()
}
