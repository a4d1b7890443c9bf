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
    let load = |packed: &u32| {
        let (kind, scope, permission, number) = unpack_acl_entry(*packed);
        let name = match number {
            0 => None,
            number => Some(
                names
                    .name(acl_table(kind), number)
                    .ok_or_else(|| format!("an ACL entry has the unknown name {number}"))?
                    .to_string(),
            ),
        };
        Ok(AclEntry { kind, scope, permission, name })
    };
    message.entries.iter().map(load).collect()
}

pub(super) fn save_acl(entries: &[AclEntry], names: &mut StringTable) -> Vec<u8> {
    let entries = entries
        .iter()
        .map(|entry| {
            let number =
                entry.name.as_ref().map_or(0, |name| names.id(acl_table(entry.kind), name));
            pack_acl_entry(entry.kind, entry.scope, entry.permission, number)
        })
        .collect();
    pb::AclFeatureProto { entries }.encode_to_vec()
}

pub(super) fn load_xattrs(encoded: &[u8], names: &StringTable) -> Result<Vec<XAttr>, String> {
    let message = pb::XAttrFeatureProto::decode(encoded).map_err(|error| error.to_string())?;
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

pub(super) fn save_xattrs(xattrs: &[XAttr], names: &mut StringTable) -> Vec<u8> {
    let x_attrs = xattrs
        .iter()
        .map(|xattr| pb::XAttrCompactProto {
            name: pack_xattr_name(xattr.namespace, names.id(NameTable::XAttr, &xattr.name)),
            value: xattr.value.clone().map(Into::into),
        })
        .collect();
    pb::XAttrFeatureProto { x_attrs }.encode_to_vec()
}

/// The limits of a directory; None when it has none.
pub(super) fn load_quota(directory: &DirectoryRecord<'_>) -> Result<Option<Quota>, String> {
    let mut limit =
        QuotaCounts { names: directory.ns_quota, space: directory.ds_quota, types: [RESET; 6] };
    if let Some(encoded) = directory.type_quotas {
        let message = pb::QuotaByStorageTypeFeatureProto::decode(encoded)
            .map_err(|error| error.to_string())?;
        for entry in message.quotas {
            let kind = StorageType::from_wire(entry.storage_type)
                .ok_or_else(|| format!("unknown storage type {}", entry.storage_type))?;
            limit.types[type_index(kind)] = entry.quota.cast_signed();
        }
    }
    let quota = Quota { limit, used: QuotaCounts::default() };
    Ok(quota.is_set().then_some(quota))
}

/// Hadoop: StorageType.getTypesSupportingQuota, in the order of its enum.
const QUOTA_ORDER: [StorageType; 5] = [
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];

pub(super) fn save_type_quotas(limit: &QuotaCounts) -> Option<Vec<u8>> {
    let quotas: Vec<_> = QUOTA_ORDER
        .into_iter()
        .filter(|kind| limit.types[type_index(*kind)] >= 0)
        .map(|kind| pb::QuotaByStorageTypeEntryProto {
            storage_type: kind as i32,
            quota: limit.types[type_index(kind)].cast_unsigned(),
        })
        .collect();
    (!quotas.is_empty()).then(|| pb::QuotaByStorageTypeFeatureProto { quotas }.encode_to_vec())
}
