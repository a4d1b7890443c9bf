//! Inodes from XML.

use super::events::{Node, number};
use super::{Names, ReverseError};
use crate::edits::XAttrNamespace;
use crate::fsimage::{pack_acl_entry, pack_xattr_name};
use crate::webhdfs::parse_acl_entry;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::fsimage::i_node_section as pb;

impl Names {
    /// The message of an inode.
    pub(super) fn inode(&mut self, mut node: Node) -> Result<pb::INode, ReverseError> {
        let kind = node.string("type")?.ok_or("INode XML found with no <type> tag.")?;
        let id = node.long("id")?.ok_or("<inode> found without <id>")?;
        let name = node.string("name")?.map(Into::into);
        let mut inode = pb::INode { id, name, ..pb::INode::default() };
        match kind.as_str() {
            "FILE" => {
                inode.set_type(pb::i_node::Type::File);
                inode.file = Some(self.file(&mut node)?);
            }
            "DIRECTORY" => {
                inode.set_type(pb::i_node::Type::Directory);
                inode.directory = Some(self.directory(&mut node)?);
            }
            "SYMLINK" => {
                inode.set_type(pb::i_node::Type::Symlink);
                inode.symlink = Some(self.symlink(&mut node)?);
            }
            other => {
                return Err(format!("INode XML found with unknown <type> tag {other}").into());
            }
        }
        node.end("inode")?;
        Ok(inode)
    }

    /// The fields of a file, which are taken out of the node.
    pub(super) fn file(&mut self, node: &mut Node) -> Result<pb::INodeFile, String> {
        let mut file = pb::INodeFile {
            replication: node.int("replication")?,
            modification_time: node.long("mtime")?,
            access_time: node.long("atime")?,
            preferred_block_size: node.long("preferredBlockSize")?,
            permission: self.permission(node)?,
            blocks: blocks(node)?,
            ..pb::INodeFile::default()
        };
        if let Some(mut feature) = node.child("file-under-construction") {
            let without = |name: &str| format!("<file-under-construction> found without <{name}>");
            let client = feature.string("clientName")?.ok_or_else(|| without("clientName"))?;
            let machine =
                feature.string("clientMachine")?.ok_or_else(|| without("clientMachine"))?;
            file.file_uc = Some(pb::FileUnderConstructionFeature {
                client_name: Some(client),
                client_machine: Some(machine),
            });
        }
        file.acl = self.acl(node)?;
        file.x_attrs = self.x_attrs(node)?;
        file.storage_policy_id = node.int("storagePolicyId")?;
        match node.string("blockType")?.as_deref() {
            None => {}
            Some("CONTIGUOUS") => file.set_block_type(p::BlockTypeProto::Contiguous),
            Some("STRIPED") => {
                file.set_block_type(p::BlockTypeProto::Striped);
                file.erasure_coding_policy_id = node.int("erasureCodingPolicyId")?;
            }
            Some(other) => return Err(format!("INode XML found with unknown <blocktype> {other}")),
        }
        Ok(file)
    }

    /// The fields of a directory, which are taken out of the node.
    pub(super) fn directory(&mut self, node: &mut Node) -> Result<pb::INodeDirectory, String> {
        let modification_time = node.long("mtime")?;
        let (ns_quota, ds_quota) = (node.long("nsquota")?, node.long("dsquota")?);
        let permission = self.permission(node)?;
        let (acl, x_attrs) = (self.acl(node)?, self.x_attrs(node)?);
        let quotas = node.all("typeQuota").map(type_quota).collect::<Result<_, _>>()?;
        let type_quotas = Some(pb::QuotaByStorageTypeFeatureProto { quotas });
        Ok(pb::INodeDirectory {
            modification_time,
            ns_quota,
            ds_quota,
            permission,
            acl,
            x_attrs,
            type_quotas,
        })
    }

    fn symlink(&mut self, node: &mut Node) -> Result<pb::INodeSymlink, String> {
        Ok(pb::INodeSymlink {
            permission: self.permission(node)?,
            target: node.string("target")?.map(Into::into),
            modification_time: node.long("mtime")?,
            access_time: node.long("atime")?,
        })
    }

    /// `owner:group:0755`.
    fn permission(&mut self, node: &mut Node) -> Result<Option<u64>, String> {
        let Some(text) = node.string("permission")? else { return Ok(None) };
        // Java's split drops empty parts at the end.
        let parts: Vec<&str> = text.trim_end_matches(':').split(':').collect();
        let [user, group, digits] = parts.as_slice() else {
            return Err(format!(
                "Unable to parse permission string {text}: expected 3 components, but only had {}",
                parts.len()
            ));
        };
        let (user, group) = (self.id(user)?, self.id(group)?);
        let trimmed = digits.trim_matches(|c: char| c.is_ascii_whitespace());
        let is_octal = match trimmed.as_bytes() {
            [sticky, rest @ ..] if rest.len() == 3 => {
                matches!(sticky, b'0' | b'1')
                    && rest.iter().all(|digit| (b'0'..=b'7').contains(digit))
            }
            digits => digits.len() == 3 && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)),
        };
        let mode = u64::from_str_radix(trimmed, 8).ok().filter(|_| is_octal);
        let mode = mode.ok_or_else(|| (*digits).to_owned())?;
        Ok(Some(u64::from(user) << 40 | u64::from(group) << 16 | mode))
    }

    fn acl(&mut self, node: &mut Node) -> Result<Option<pb::AclFeatureProto>, String> {
        let Some(mut acls) = node.child("acls") else { return Ok(None) };
        let mut entries = Vec::new();
        for acl in acls.all("acl") {
            let entry = parse_acl_entry(acl.text(), true).map_err(|error| error.message)?;
            let name = self.id(entry.name.as_deref().unwrap_or_default())?;
            entries.push(pack_acl_entry(entry.kind, entry.scope, entry.permission, name));
        }
        Ok(Some(pb::AclFeatureProto { entries }))
    }

    fn x_attrs(&mut self, node: &mut Node) -> Result<Option<pb::XAttrFeatureProto>, String> {
        let Some(mut attributes) = node.child("xattrs") else { return Ok(None) };
        let x_attrs = attributes.all("xattr").map(|node| self.x_attr(node));
        let x_attrs = x_attrs.collect::<Result<_, _>>()?;
        attributes.end("xattrs")?;
        Ok(Some(pb::XAttrFeatureProto { x_attrs }))
    }

    fn x_attr(&mut self, mut node: Node) -> Result<pb::XAttrCompactProto, String> {
        let namespace = node.string("ns")?.ok_or("<xattr> had no <ns> entry.")?;
        let namespace = match namespace.as_str() {
            "USER" => XAttrNamespace::User,
            "TRUSTED" => XAttrNamespace::Trusted,
            "SECURITY" => XAttrNamespace::Security,
            "SYSTEM" => XAttrNamespace::System,
            "RAW" => XAttrNamespace::Raw,
            other => return Err(no_constant("XAttrProtos.XAttrProto.XAttrNamespaceProto", other)),
        };
        let name = node.string("name")?.ok_or("<xattr> had no <name> entry.")?;
        let value = match (node.string("val")?, &mut node) {
            (Some(text), _) => text.into_bytes(),
            (None, node) => {
                let digits = node.string("valHex")?;
                hex(&digits.ok_or("<xattr> had no <val> or <valHex> entry.")?)?
            }
        };
        node.end("xattr")?;
        let name = pack_xattr_name(namespace, self.id(&name)?);
        Ok(pb::XAttrCompactProto { name, value: Some(value.into()) })
    }
}

/// The element `blocks`, if it is there.
pub(super) fn blocks(node: &mut Node) -> Result<Vec<p::BlockProto>, String> {
    let Some(mut blocks) = node.child("blocks") else { return Ok(Vec::new()) };
    let block = |mut block: Node| {
        let without = |name: &str| format!("<block> found without <{name}>");
        Ok(p::BlockProto {
            block_id: block.long("id")?.ok_or_else(|| without("id"))?,
            gen_stamp: block.long("genstamp")?.ok_or_else(|| without("genstamp"))?,
            num_bytes: Some(block.long("numBytes")?.ok_or_else(|| without("numBytes"))?),
        })
    };
    blocks.all("block").map(block).collect()
}

fn type_quota(mut node: Node) -> Result<pb::QuotaByStorageTypeEntryProto, String> {
    let kind = node.string("type")?.ok_or("<typeQuota> was missing <type>")?;
    let kind = p::StorageTypeProto::from_str_name(&kind)
        .ok_or_else(|| no_constant("HdfsProtos.StorageTypeProto", &kind))?;
    let quota = node.string("quota")?.ok_or("<typeQuota> was missing <quota>")?;
    let quota = number::<i64>(&quota)?.cast_unsigned();
    Ok(pb::QuotaByStorageTypeEntryProto { storage_type: kind as i32, quota })
}

/// What Java says of a name that an enumeration lacks.
pub(super) fn no_constant(class: &str, name: &str) -> String {
    format!("No enum constant org.apache.hadoop.hdfs.protocol.proto.{class}.{name}")
}

/// Bytes in hexadecimal digits. Hadoop: HexBinaryAdapter
pub(super) fn hex(text: &str) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) {
        return Err(format!("hexBinary needs to be even-length: {text}"));
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| format!("contains illegal character for hexBinary: {text}"))
}
