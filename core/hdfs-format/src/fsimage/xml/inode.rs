//! Inodes as XML.

use super::Writer;
use crate::edits::xml::hex;
use crate::edits::{AclEntryScope, AclEntryType, XAttrNamespace};
use crate::fsimage::{NameTable, PackedPermission, unpack_acl_entry, unpack_xattr_name};
use hdfs_proto::hdfs as pb;
use hdfs_proto::hdfs::fsimage::i_node_section as inode;
use hdfs_types::StorageType;
use std::io::Write;

impl<W: Write> Writer<W> {
    pub(super) fn inode(&mut self, inode: &inode::INode) {
        self.long("id", inode.id);
        self.leaf("type", inode.r#type().as_str_name());
        self.bytes("name", inode.name());
        if let Some(file) = &inode.file {
            self.file(file);
        } else if let Some(directory) = &inode.directory {
            self.directory(directory);
        } else if let Some(symlink) = &inode.symlink {
            self.permission(symlink.permission());
            self.bytes("target", symlink.target());
            self.long("mtime", symlink.modification_time());
            self.long("atime", symlink.access_time());
        }
    }

    pub(super) fn file(&mut self, file: &inode::INodeFile) {
        // A striped file has no replication of its own: Hadoop shows 1.
        let striped = file.erasure_coding_policy_id.is_some();
        self.int("replication", if striped { 1 } else { file.replication() });
        self.long("mtime", file.modification_time());
        self.long("atime", file.access_time());
        self.long("preferredBlockSize", file.preferred_block_size());
        self.permission(file.permission());
        self.x_attrs(file.x_attrs.as_ref());
        self.acls(file.acl.as_ref());
        self.blocks(&file.blocks);
        if let Some(policy) = file.storage_policy_id {
            self.int("storagePolicyId", policy);
        }
        if let Some(policy) = file.erasure_coding_policy_id {
            self.leaf("blockType", file.block_type().as_str_name());
            self.int("erasureCodingPolicyId", policy);
        }
        if let Some(feature) = &file.file_uc {
            self.open("file-under-construction");
            self.leaf("clientName", feature.client_name());
            self.leaf("clientMachine", feature.client_machine());
            self.close_line("file-under-construction");
        }
    }

    pub(super) fn directory(&mut self, directory: &inode::INodeDirectory) {
        self.long("mtime", directory.modification_time());
        self.permission(directory.permission());
        self.x_attrs(directory.x_attrs.as_ref());
        self.acls(directory.acl.as_ref());
        if let (Some(names), Some(bytes)) = (directory.ns_quota, directory.ds_quota) {
            self.long("nsquota", names);
            self.long("dsquota", bytes);
        }
        for entry in directory.type_quotas.iter().flat_map(|quotas| &quotas.quotas) {
            self.open("typeQuota");
            let kind = StorageType::from_wire(entry.storage_type).unwrap_or_default();
            self.leaf("type", kind.name());
            self.long("quota", entry.quota);
            self.close("typeQuota");
        }
    }

    pub(super) fn blocks(&mut self, blocks: &[pb::BlockProto]) {
        if blocks.is_empty() {
            return;
        }
        self.open("blocks");
        for block in blocks {
            self.open("block");
            self.long("id", block.block_id);
            self.long("genstamp", block.gen_stamp);
            self.long("numBytes", block.num_bytes());
            self.close_line("block");
        }
        self.close_line("blocks");
    }

    fn permission(&mut self, packed: u64) {
        let permission = PackedPermission::unpack(packed);
        let user = self.names.name(NameTable::User, permission.user).cloned();
        let group = self.names.name(NameTable::Group, permission.group).cloned();
        let name = |name: Option<std::sync::Arc<str>>| name.unwrap_or_else(|| "null".into());
        let mode = permission.mode.0 & 0o1777;
        self.leaf("permission", &format!("{}:{}:{mode:04o}", name(user), name(group)));
    }

    fn acls(&mut self, feature: Option<&inode::AclFeatureProto>) {
        let Some(feature) = feature.filter(|feature| !feature.entries.is_empty()) else { return };
        self.open("acls");
        for packed in &feature.entries {
            let (kind, scope, permission, name) = unpack_acl_entry(*packed);
            let (kind, name) = match kind {
                AclEntryType::User => ("user", self.names.name(NameTable::User, name)),
                AclEntryType::Group => ("group", self.names.name(NameTable::Group, name)),
                AclEntryType::Mask => ("mask", None),
                AclEntryType::Other => ("other", None),
            };
            let prefix = if scope == AclEntryScope::Default { "default:" } else { "" };
            let name = name.map_or("", |name| name.as_ref());
            let entry = format!("{prefix}{kind}:{name}:{}", permission.symbol());
            self.leaf("acl", &entry);
        }
        self.close("acls");
    }

    fn x_attrs(&mut self, feature: Option<&inode::XAttrFeatureProto>) {
        let Some(feature) = feature else { return };
        self.open("xattrs");
        for x_attr in &feature.x_attrs {
            self.open("xattr");
            let (namespace, name) = match unpack_xattr_name(x_attr.name) {
                Some((XAttrNamespace::User, name)) => ("USER", name),
                Some((XAttrNamespace::Trusted, name)) => ("TRUSTED", name),
                Some((XAttrNamespace::Security, name)) => ("SECURITY", name),
                Some((XAttrNamespace::System, name)) => ("SYSTEM", name),
                Some((XAttrNamespace::Raw, name)) => ("RAW", name),
                None => ("UNKNOWN", 0),
            };
            self.leaf("ns", namespace);
            let name = self.names.name(NameTable::XAttr, name).cloned();
            self.leaf("name", name.as_deref().unwrap_or("null"));
            match std::str::from_utf8(x_attr.value()) {
                Ok(text) => self.leaf("val", text),
                Err(_) => self.leaf("valHex", &hex(x_attr.value())),
            }
            self.close("xattr");
        }
        self.close("xattrs");
    }
}
