//! Attributes that snapshots keep, in messages.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormatPBINode.{Loader.loadINodeDirectory, Saver.buildINodeFile,
//! Saver.buildINodeDirectory}, snapshot.FSImageFormatPBSnapshot (3.5.0)

use hdfs_format::fsimage::{FileHeader, StringTable};
use hdfs_proto::hdfs::BlockTypeProto;
use hdfs_proto::hdfs::fsimage::i_node_section as pb;
use hdfs_types::WallMillis;

use super::features::{acl_entries, acl_message, limits, type_quotas, xattr_message, xattr_values};
use crate::op::limits::{MAX_REPLICATION, check_time};
use crate::quota::{Quota, RESET};
use crate::snapshot::model::{DirectoryCopy, FileCopy};
use crate::store::record::MAX_48;

/// What a file's redundancy and sizes are, checked. `policy` is the erasure-coding policy of a striped file.
pub(super) fn file_header(
    block_size: u64,
    replication: u32,
    policy: Option<u32>,
    storage_policy: u32,
) -> Result<FileHeader, String> {
    let redundancy = policy.unwrap_or(replication);
    let most = if policy.is_some() { u32::from(u8::MAX) } else { u32::from(MAX_REPLICATION) };
    if redundancy > most || block_size > MAX_48 || storage_policy > 15 {
        return Err("replication, block size or storage policy is out of range".to_owned());
    }
    Ok(FileHeader {
        preferred_block_size: block_size,
        striped: policy.is_some(),
        redundancy: redundancy as u16,
        storage_policy_id: storage_policy as u8,
    })
}

/// A copy of a file; `permission` has our numbers already.
pub(super) fn load_file(
    name: &[u8],
    message: &pb::INodeFile,
    permission: u64,
    names: &StringTable,
) -> Result<FileCopy, String> {
    check_time(message.modification_time())?;
    check_time(message.access_time())?;
    let striped = message.block_type() == BlockTypeProto::Striped;
    let header = file_header(
        message.preferred_block_size(),
        message.replication(),
        striped.then(|| message.erasure_coding_policy_id()),
        message.storage_policy_id(),
    )?;
    let acl = message.acl.as_ref().map(|acl| acl_entries(acl, names)).transpose()?;
    let xattrs =
        message.x_attrs.as_ref().map(|message| xattr_values(message, names)).transpose()?;
    Ok(FileCopy {
        name: name.into(),
        permission,
        header: header.pack(),
        mtime: WallMillis(message.modification_time()),
        atime: WallMillis(message.access_time()),
        acl: acl.unwrap_or_default().into(),
        xattrs: xattrs.unwrap_or_default().into(),
    })
}

/// A copy of a directory, or the root of a snapshot; `permission` has our numbers already.
pub(super) fn load_directory(
    name: &[u8],
    message: &pb::INodeDirectory,
    permission: u64,
    names: &StringTable,
) -> Result<DirectoryCopy, String> {
    check_time(message.modification_time())?;
    let limit = limits(
        message.ns_quota.map_or(RESET, u64::cast_signed),
        message.ds_quota.map_or(RESET, u64::cast_signed),
        message.type_quotas.as_ref(),
    )?;
    let acl = message.acl.as_ref().map(|acl| acl_entries(acl, names)).transpose()?;
    let xattrs =
        message.x_attrs.as_ref().map(|message| xattr_values(message, names)).transpose()?;
    let quota = Quota { limit };
    Ok(DirectoryCopy {
        name: name.into(),
        permission,
        mtime: WallMillis(message.modification_time()),
        acl: acl.unwrap_or_default().into(),
        xattrs: xattrs.unwrap_or_default().into(),
        quota: quota.is_set().then(|| Box::new(quota.limit)),
    })
}

pub(super) fn file_message(copy: &FileCopy, names: &StringTable) -> pb::INodeFile {
    let header = FileHeader::unpack(copy.header);
    let redundancy = u32::from(header.redundancy);
    let kind = if header.striped { BlockTypeProto::Striped } else { BlockTypeProto::Contiguous };
    pb::INodeFile {
        replication: (!header.striped).then_some(redundancy),
        modification_time: Some(copy.mtime.0),
        access_time: Some(copy.atime.0),
        preferred_block_size: Some(header.preferred_block_size),
        permission: Some(copy.permission),
        blocks: Vec::new(),
        file_uc: None,
        acl: (!copy.acl.is_empty()).then(|| acl_message(&copy.acl, names)),
        x_attrs: (!copy.xattrs.is_empty()).then(|| xattr_message(&copy.xattrs, names)),
        storage_policy_id: Some(header.storage_policy_id.into()),
        block_type: Some(kind as i32),
        erasure_coding_policy_id: header.striped.then_some(redundancy),
    }
}

pub(super) fn directory_message(copy: &DirectoryCopy, names: &StringTable) -> pb::INodeDirectory {
    let limit = copy.quota.as_deref();
    pb::INodeDirectory {
        modification_time: Some(copy.mtime.0),
        ns_quota: Some(limit.map_or(RESET, |limit| limit.names).cast_unsigned()),
        ds_quota: Some(limit.map_or(RESET, |limit| limit.space).cast_unsigned()),
        permission: Some(copy.permission),
        acl: (!copy.acl.is_empty()).then(|| acl_message(&copy.acl, names)),
        x_attrs: (!copy.xattrs.is_empty()).then(|| xattr_message(&copy.xattrs, names)),
        type_quotas: limit.and_then(type_quotas),
    }
}
