//! ACLs, extended attributes and quotas in messages.

use hdfs_format::edits::{AclEntry, AclEntryType, XAttr};
use hdfs_format::fsimage::{
    DirectoryRecord, NameTable, StringTable, pack_acl_entry, pack_xattr_name, unpack_acl_entry,
    unpack_xattr_name,
};
use hdfs_proto::hdfs::fsimage::i_node_section as pb;
use hdfs_types::StorageType;
use prost::Message;

use crate::quota::{Quota, QuotaCounts, RESET, type_index};

fn acl_table(kind: AclEntryType) -> NameTable {
    if kind == AclEntryType::User { NameTable::User } else { NameTable::Group }
}

pub(super) fn load_acl(encoded: &[u8], names: &StringTable) -> Result<Vec<AclEntry>, String> {
    let message = pb::AclFeatureProto::decode(encoded).map_err(|error| error.to_string())?;
    acl_entries(&message, names)
}

pub(super) fn acl_entries(
    message: &pb::AclFeatureProto,
    names: &StringTable,
) -> Result<Vec<AclEntry>, String> {
    let load = |packed: &u32| {
        let (kind, scope, permission, number) = unpack_acl_entry(*packed);
        // In images made of XML names are numbered from 0, and no name is an empty one.
        let name = match (names.name(acl_table(kind), number), number) {
            (Some(name), _) => Some(name.to_string()).filter(|name| !name.is_empty()),
            (None, 0) => None,
            (None, number) => return Err(format!("an ACL entry has the unknown name {number}")),
        };
        Ok(AclEntry { kind, scope, permission, name })
    };
    message.entries.iter().map(load).collect()
}

/// `names` knows every name: see [`intern_acl`].
pub(super) fn acl_message(entries: &[AclEntry], names: &StringTable) -> pb::AclFeatureProto {
    let entries = entries
        .iter()
        .map(|entry| {
            let number =
                entry.name.as_ref().map_or(0, |name| names.number(acl_table(entry.kind), name));
            pack_acl_entry(entry.kind, entry.scope, entry.permission, number)
        })
        .collect();
    pb::AclFeatureProto { entries }
}

/// Gives the names of entries their numbers, before anything is written.
pub(super) fn intern_acl(entries: &[AclEntry], names: &mut StringTable) {
    for entry in entries {
        if let Some(name) = &entry.name {
            names.id(acl_table(entry.kind), name);
        }
    }
}

pub(super) fn load_xattrs(encoded: &[u8], names: &StringTable) -> Result<Vec<XAttr>, String> {
    let message = pb::XAttrFeatureProto::decode(encoded).map_err(|error| error.to_string())?;
    xattr_values(&message, names)
}

pub(super) fn xattr_values(
    message: &pb::XAttrFeatureProto,
    names: &StringTable,
) -> Result<Vec<XAttr>, String> {
    let load = |xattr: &pb::XAttrCompactProto| {
        let (namespace, number) = unpack_xattr_name(xattr.name)
            .ok_or_else(|| format!("unknown namespace of attribute {:#x}", xattr.name))?;
        let name = names
            .name(NameTable::XAttr, number)
            .ok_or_else(|| format!("an attribute has the unknown name {number}"))?
            .to_string();
        Ok(XAttr { namespace, name, value: xattr.value.as_ref().map(|value| value.to_vec()) })
    };
    message.x_attrs.iter().map(load).collect()
}

/// `names` knows every name: see [`intern_xattrs`].
pub(super) fn xattr_message(xattrs: &[XAttr], names: &StringTable) -> pb::XAttrFeatureProto {
    let x_attrs = xattrs
        .iter()
        .map(|xattr| pb::XAttrCompactProto {
            name: pack_xattr_name(xattr.namespace, names.number(NameTable::XAttr, &xattr.name)),
            value: xattr.value.clone().map(Into::into),
        })
        .collect();
    pb::XAttrFeatureProto { x_attrs }
}

/// Gives the names of attributes their numbers, before anything is written.
pub(super) fn intern_xattrs(xattrs: &[XAttr], names: &mut StringTable) {
    for xattr in xattrs {
        names.id(NameTable::XAttr, &xattr.name);
    }
}

/// The limits of a directory; None when it has none.
pub(super) fn load_quota(directory: &DirectoryRecord<'_>) -> Result<Option<Quota>, String> {
    let types = directory.type_quotas.map(pb::QuotaByStorageTypeFeatureProto::decode);
    let types = types.transpose().map_err(|error| error.to_string())?;
    let limit = limits(directory.ns_quota, directory.ds_quota, types.as_ref())?;
    let quota = Quota { limit };
    Ok(quota.is_set().then_some(quota))
}

pub(super) fn limits(
    names: i64,
    space: i64,
    by_type: Option<&pb::QuotaByStorageTypeFeatureProto>,
) -> Result<QuotaCounts, String> {
    let mut limit = QuotaCounts { names, space, types: [RESET; 6] };
    for entry in by_type.iter().flat_map(|message| &message.quotas) {
        let kind = StorageType::from_wire(entry.storage_type)
            .ok_or_else(|| format!("unknown storage type {}", entry.storage_type))?;
        limit.types[type_index(kind)] = entry.quota.cast_signed();
    }
    Ok(limit)
}

/// Hadoop: StorageType.getTypesSupportingQuota, in the order of its enum.
const QUOTA_ORDER: [StorageType; 5] = [
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];

pub(super) fn type_quotas(limit: &QuotaCounts) -> Option<pb::QuotaByStorageTypeFeatureProto> {
    let quotas: Vec<_> = QUOTA_ORDER
        .into_iter()
        .filter(|kind| limit.types[type_index(*kind)] >= 0)
        .map(|kind| pb::QuotaByStorageTypeEntryProto {
            storage_type: kind as i32,
            quota: limit.types[type_index(kind)].cast_unsigned(),
        })
        .collect();
    (!quotas.is_empty()).then_some(pb::QuotaByStorageTypeFeatureProto { quotas })
}
