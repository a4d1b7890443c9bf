//! From operations to bytes.
//!
//! ```text
//! opcode 1 | length 4: from itself to the end of the body | txid 8 | body | CRC-32 of all before 4      big-endian
//! ```
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSEditLogOp.Writer (3.5.0)

use super::op::*;
use super::wire::{MAX_STRING_BYTES, Put, stored_length};
use crate::layout_version::{Feature, Layout};
use hdfs_proto::hdfs as pb;
use hdfs_types::{Block, PermissionStatus, StorageType, TxId};

/// Appends one operation in layout -67. No allocation beyond the growth of `out`.
///
/// A string longer than [`MAX_STRING_BYTES`] is cut, as Hadoop does: planners call [`EditOp::check_strings`] first.
#[inline]
pub fn encode_op(out: &mut Vec<u8>, txid: TxId, op: &EditOp) {
    encode_with(out, txid, op, Layout::CURRENT);
}

/// Appends one operation in the effective layout of a rolling upgrade (-61 and later). Otherwise as [`encode_op`].
pub fn encode_op_as(out: &mut Vec<u8>, txid: TxId, op: &EditOp, layout_version: i32) {
    encode_with(out, txid, op, Layout::of(layout_version));
}

fn encode_with(out: &mut Vec<u8>, txid: TxId, op: &EditOp, layout: Layout) {
    let start = out.len();
    out.push(op.opcode());
    out.put_i32(0);
    out.put_u64(txid.0);
    put_body(out, op, layout);
    let length = u32::try_from(out.len() - start - 1).expect("an operation is far below 4 GiB");
    if let Some(field) = out.get_mut(start + 1..start + 5) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    let checksum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_be_bytes());
}

fn put_body(out: &mut Vec<u8>, op: &EditOp, layout: Layout) {
    match op {
        EditOp::Add(op) => put_add(out, op, layout),
        EditOp::Close(op) => {
            out.put_u64(op.inode_id.0);
            out.put_string(&op.path);
            out.put_u16(op.replication);
            out.put_u64(op.mtime.0);
            out.put_u64(op.atime.0);
            out.put_u64(op.block_size);
            put_blocks(out, &op.blocks);
            put_permissions(out, &op.permissions);
        }
        EditOp::AddBlock(op) => {
            out.put_string(&op.path);
            match &op.penultimate_block {
                Some(penultimate) => put_compact_blocks(out, &[*penultimate, op.last_block]),
                None => put_compact_blocks(out, &[op.last_block]),
            }
            put_retry(out, op.retry);
        }
        EditOp::UpdateBlocks(op) => {
            out.put_string(&op.path);
            put_compact_blocks(out, &op.blocks);
            put_retry(out, op.retry);
        }
        EditOp::Append(op) => {
            out.put_string(&op.path);
            out.put_string(op.client_name.as_bytes());
            out.put_string(op.client_machine.as_bytes());
            out.push(u8::from(op.new_block));
            put_retry(out, op.retry);
        }
        EditOp::Truncate(op) => {
            out.put_string(&op.src);
            out.put_string(op.client_name.as_bytes());
            out.put_string(op.client_machine.as_bytes());
            out.put_u64(op.new_length);
            out.put_u64(op.timestamp.0);
            put_compact_blocks(out, op.truncate_block.as_slice());
        }
        EditOp::SetGenstampV1(SetGenstampV1Op { generation_stamp })
        | EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp }) => {
            out.put_u64(generation_stamp.0);
        }
        EditOp::AllocateBlockId(op) => out.put_i64(op.block_id.0),
        EditOp::ReassignLease(op) => {
            out.put_string(op.lease_holder.as_bytes());
            out.put_string(&op.path);
            out.put_string(op.new_holder.as_bytes());
        }
        EditOp::StartLogSegment | EditOp::EndLogSegment => {}
        _ => put_tree_body(out, op, layout),
    }
}

/// Operations on the shape of the tree.
fn put_tree_body(out: &mut Vec<u8>, op: &EditOp, layout: Layout) {
    match op {
        EditOp::Mkdir(op) => {
            out.put_u64(op.inode_id.0);
            out.put_string(&op.path);
            out.put_u64(op.timestamp.0);
            out.put_u64(op.timestamp.0);
            put_permissions(out, &op.permissions);
            put_acl(out, &op.acl_entries);
            put_x_attrs(out, None, &op.x_attrs, layout);
        }
        EditOp::Delete(op) => {
            out.put_string(&op.path);
            out.put_u64(op.timestamp.0);
            put_retry(out, op.retry);
        }
        EditOp::RenameOld(op) => {
            out.put_string(&op.src);
            out.put_string(&op.dst);
            out.put_u64(op.timestamp.0);
            put_retry(out, op.retry);
        }
        EditOp::Rename(op) => {
            out.put_string(&op.src);
            out.put_string(&op.dst);
            out.put_u64(op.timestamp.0);
            put_count(out, op.options.len());
            out.extend(op.options.iter().map(|option| *option as u8));
            put_retry(out, op.retry);
        }
        EditOp::ConcatDelete(op) => {
            out.put_string(&op.trg);
            put_count(out, op.srcs.len());
            for src in &op.srcs {
                out.put_string(src);
            }
            out.put_u64(op.timestamp.0);
            put_retry(out, op.retry);
        }
        EditOp::Symlink(op) => {
            out.put_u64(op.inode_id.0);
            out.put_string(&op.path);
            out.put_string(&op.value);
            out.put_u64(op.mtime.0);
            out.put_u64(op.atime.0);
            put_permissions(out, &op.permission_status);
            put_retry(out, op.retry);
        }
        EditOp::CreateSnapshot(op) => {
            let names = [&op.snapshot_root, &op.snapshot_name];
            put_snapshot(out, &names, op.mtime.0, op.retry, layout);
        }
        EditOp::DeleteSnapshot(op) => {
            let names = [&op.snapshot_root, &op.snapshot_name];
            put_snapshot(out, &names, op.mtime.0, op.retry, layout);
        }
        EditOp::RenameSnapshot(op) => {
            let names = [&op.snapshot_root, &op.snapshot_old_name, &op.snapshot_new_name];
            put_snapshot(out, &names, op.mtime.0, op.retry, layout);
        }
        EditOp::AllowSnapshot(AllowSnapshotOp { snapshot_root })
        | EditOp::DisallowSnapshot(DisallowSnapshotOp { snapshot_root }) => {
            out.put_string(snapshot_root);
        }
        _ => put_attribute_body(out, op, layout),
    }
}

/// Operations on attributes of an inode.
fn put_attribute_body(out: &mut Vec<u8>, op: &EditOp, layout: Layout) {
    match op {
        EditOp::SetReplication(op) => {
            out.put_string(&op.path);
            out.put_u16(op.replication);
        }
        EditOp::SetPermissions(op) => {
            out.put_string(&op.src);
            out.put_u16(op.permissions.0);
        }
        EditOp::SetOwner(op) => {
            out.put_string(&op.src);
            out.put_string(op.username.as_deref().unwrap_or_default().as_bytes());
            out.put_string(op.groupname.as_deref().unwrap_or_default().as_bytes());
        }
        EditOp::SetNsQuota(op) => {
            out.put_string(&op.src);
            out.put_i64(op.ns_quota);
        }
        EditOp::ClearNsQuota(op) => out.put_string(&op.src),
        EditOp::SetQuota(op) => {
            out.put_string(&op.src);
            out.put_i64(op.ns_quota);
            out.put_i64(op.ds_quota);
        }
        EditOp::SetQuotaByStorageType(op) => {
            out.put_string(&op.src);
            out.put_i32(storage_type_ordinal(op.storage_type));
            out.put_i64(op.ds_quota);
        }
        EditOp::Times(op) => {
            out.put_string(&op.path);
            out.put_i64(op.mtime);
            out.put_i64(op.atime);
        }
        EditOp::SetAcl(op) => out.put_message(&pb::AclEditLogProto {
            src: String::from_utf8_lossy(&op.src).into_owned(),
            entries: op.acl_entries.iter().map(acl_proto).collect(),
        }),
        EditOp::SetXAttr(op) => {
            put_x_attrs(out, Some(&op.src), &op.x_attrs, layout);
            put_retry(out, op.retry);
        }
        EditOp::RemoveXAttr(op) => {
            put_x_attrs(out, Some(&op.src), &op.x_attrs, layout);
            put_retry(out, op.retry);
        }
        EditOp::SetStoragePolicy(op) => {
            out.put_string(&op.path);
            out.push(op.policy_id);
        }
        _ => put_service_body(out, op),
    }
}

/// Operations on what belongs to the whole namespace.
fn put_service_body(out: &mut Vec<u8>, op: &EditOp) {
    match op {
        EditOp::GetDelegationToken(GetDelegationTokenOp { token, expiry_time })
        | EditOp::RenewDelegationToken(RenewDelegationTokenOp { token, expiry_time }) => {
            put_token(out, token);
            out.put_u64(expiry_time.0);
        }
        EditOp::CancelDelegationToken(op) => put_token(out, &op.token),
        EditOp::UpdateMasterKey(op) => {
            out.put_vlong(i64::from(op.key.key_id));
            out.put_vlong(op.key.expiry_date.0.cast_signed());
            match &op.key.key {
                Some(key) => {
                    out.put_vlong(i64::try_from(key.len()).expect("a key is short"));
                    out.extend_from_slice(key);
                }
                None => out.put_vlong(-1),
            }
        }
        EditOp::AddCacheDirective(AddCacheDirectiveInfoOp { directive, retry })
        | EditOp::ModifyCacheDirective(ModifyCacheDirectiveInfoOp { directive, retry }) => {
            put_directive(out, directive);
            put_retry(out, *retry);
        }
        EditOp::RemoveCacheDirective(op) => {
            out.put_i64(op.id);
            put_retry(out, op.retry);
        }
        EditOp::AddCachePool(AddCachePoolOp { info, retry })
        | EditOp::ModifyCachePool(ModifyCachePoolOp { info, retry }) => {
            put_pool(out, info);
            put_retry(out, *retry);
        }
        EditOp::RemoveCachePool(op) => {
            out.put_string(op.pool_name.as_bytes());
            put_retry(out, op.retry);
        }
        EditOp::RollingUpgradeStart(op) | EditOp::RollingUpgradeFinalize(op) => {
            out.put_u64(op.time.0);
        }
        EditOp::AddErasureCodingPolicy(op) => {
            let policy = &op.ec_policy;
            out.put_string(policy.codec_name.as_bytes());
            out.put_i32(policy.num_data_units);
            out.put_i32(policy.num_parity_units);
            out.put_i32(policy.cell_size);
            put_count(out, policy.extra_options.len());
            for (key, value) in &policy.extra_options {
                out.put_string(key.as_bytes());
                out.put_string(value.as_bytes());
            }
            put_retry(out, op.retry);
        }
        EditOp::EnableErasureCodingPolicy(op)
        | EditOp::DisableErasureCodingPolicy(op)
        | EditOp::RemoveErasureCodingPolicy(op) => {
            out.put_string(op.ec_policy_name.as_bytes());
            put_retry(out, op.retry);
        }
        other => unreachable!("{} is encoded above", other.name()),
    }
}

fn put_add(out: &mut Vec<u8>, op: &AddOp, layout: Layout) {
    out.put_u64(op.inode_id.0);
    out.put_string(&op.path);
    out.put_u16(op.replication);
    out.put_u64(op.mtime.0);
    out.put_u64(op.atime.0);
    out.put_u64(op.block_size);
    put_blocks(out, &op.blocks);
    put_permissions(out, &op.permissions);
    put_acl(out, &op.acl_entries);
    put_x_attrs(out, None, &op.x_attrs, layout);
    out.put_string(op.client_name.as_bytes());
    out.put_string(op.client_machine.as_bytes());
    if layout.supports(Feature::CreateOverwrite) {
        out.push(u8::from(op.overwrite));
    }
    if layout.supports(Feature::BlockStoragePolicy) {
        out.push(op.storage_policy_id);
    }
    if layout.supports(Feature::ErasureCoding) {
        out.push(op.erasure_coding_policy_id);
    }
    put_retry(out, op.retry);
}

fn put_snapshot(
    out: &mut Vec<u8>,
    names: &[&Vec<u8>],
    mtime: u64,
    retry: RetryKey,
    layout: Layout,
) {
    for name in names {
        out.put_string(name);
    }
    if layout.supports(Feature::SnapshotModificationTime) {
        out.put_u64(mtime);
    }
    put_retry(out, retry);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.put_i32(i32::try_from(count).expect("a list in memory that is to be logged is short"));
}

#[inline]
fn put_retry(out: &mut Vec<u8>, retry: RetryKey) {
    if retry.client_id.is_absent() {
        out.put_u16(0);
    } else {
        out.put_u16(16);
        out.extend_from_slice(&retry.client_id.0);
    }
    out.put_i32(retry.call_id.0);
}

fn put_permissions(out: &mut Vec<u8>, status: &PermissionStatus) {
    out.put_text(&status.user);
    out.put_text(&status.group);
    out.put_u16(status.permission.0);
}

fn put_blocks(out: &mut Vec<u8>, blocks: &[Block]) {
    put_count(out, blocks.len());
    for block in blocks {
        out.put_i64(block.id.0);
        out.put_u64(block.num_bytes);
        out.put_u64(block.generation_stamp.0);
    }
}

fn put_compact_blocks(out: &mut Vec<u8>, blocks: &[Block]) {
    out.put_vlong(i64::try_from(blocks.len()).expect("a list in memory is short"));
    let (mut bytes, mut stamp) = (0, 0);
    for block in blocks {
        out.put_i64(block.id.0);
        out.put_vlong(block.num_bytes.wrapping_sub(bytes).cast_signed());
        out.put_vlong(block.generation_stamp.0.wrapping_sub(stamp).cast_signed());
        (bytes, stamp) = (block.num_bytes, block.generation_stamp.0);
    }
}

fn put_acl(out: &mut Vec<u8>, entries: &[AclEntry]) {
    put_count(out, entries.len());
    for entry in entries {
        let named = u8::from(entry.name.is_some()) << 6;
        let (scope, kind) = ((entry.scope as u8) << 5, (entry.kind as u8) << 3);
        out.push(named | scope | kind | entry.permission.0 & 7);
        if let Some(name) = &entry.name {
            out.put_string(name.as_bytes());
        }
    }
}

fn put_x_attrs(out: &mut Vec<u8>, src: Option<&[u8]>, x_attrs: &[XAttr], layout: Layout) {
    if !layout.supports(Feature::XAttrs) {
        return;
    }
    if src.is_none() && x_attrs.is_empty() {
        out.push(0);
        return;
    }
    out.put_message(&pb::XAttrEditLogProto {
        src: src.map(|src| String::from_utf8_lossy(src).into_owned()),
        x_attrs: x_attrs.iter().map(x_attr_proto).collect(),
    });
}

pub(super) fn acl_proto(entry: &AclEntry) -> pb::AclEntryProto {
    pb::AclEntryProto {
        r#type: entry.kind as i32,
        scope: entry.scope as i32,
        permissions: i32::from(entry.permission.0 & 7),
        name: entry.name.clone(),
    }
}

pub(super) fn x_attr_proto(x_attr: &XAttr) -> pb::XAttrProto {
    pb::XAttrProto {
        namespace: x_attr.namespace as i32,
        name: x_attr.name.clone(),
        value: x_attr.value.clone().map(Into::into),
    }
}

fn put_token(out: &mut Vec<u8>, token: &DelegationTokenIdentifier) {
    out.push(0);
    out.put_text(&token.owner);
    out.put_text(&token.renewer);
    out.put_text(&token.real_user);
    out.put_vlong(token.issue_date.0.cast_signed());
    out.put_vlong(token.max_date.0.cast_signed());
    out.put_vlong(i64::from(token.sequence_number));
    out.put_vlong(i64::from(token.master_key_id));
}

fn put_directive(out: &mut Vec<u8>, directive: &CacheDirectiveInfo) {
    out.put_i64(directive.id);
    out.put_i32(
        i32::from(directive.path.is_some())
            | i32::from(directive.replication.is_some()) << 1
            | i32::from(directive.pool.is_some()) << 2
            | i32::from(directive.expiration.is_some()) << 3,
    );
    if let Some(path) = &directive.path {
        out.put_string(path);
    }
    if let Some(replication) = directive.replication {
        out.put_u16(replication);
    }
    if let Some(pool) = &directive.pool {
        out.put_string(pool.as_bytes());
    }
    if let Some(expiration) = directive.expiration {
        out.put_u64(expiration.0);
    }
}

fn put_pool(out: &mut Vec<u8>, info: &CachePoolInfo) {
    out.put_string(info.pool_name.as_bytes());
    out.put_i32(
        i32::from(info.owner_name.is_some())
            | i32::from(info.group_name.is_some()) << 1
            | i32::from(info.mode.is_some()) << 2
            | i32::from(info.limit.is_some()) << 3
            | i32::from(info.max_relative_expiry_ms.is_some()) << 4
            | i32::from(info.default_replication.is_some()) << 5,
    );
    if let Some(owner) = &info.owner_name {
        out.put_string(owner.as_bytes());
    }
    if let Some(group) = &info.group_name {
        out.put_string(group.as_bytes());
    }
    if let Some(mode) = info.mode {
        out.put_u16(mode.0);
    }
    if let Some(limit) = info.limit {
        out.put_i64(limit);
    }
    if let Some(expiry) = info.max_relative_expiry_ms {
        out.put_i64(expiry);
    }
    if let Some(replication) = info.default_replication {
        out.put_u16(replication);
    }
}

/// Java's order of StorageType, which is not that of the protobuf numbers.
const STORAGE_TYPES: [StorageType; 6] = [
    StorageType::RamDisk,
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];

pub(super) fn storage_type_ordinal(kind: StorageType) -> i32 {
    STORAGE_TYPES.iter().zip(0..).find(|(other, _)| **other == kind).map_or(0, |(_, index)| index)
}

pub(super) fn storage_type_of_ordinal(ordinal: i32) -> Option<StorageType> {
    usize::try_from(ordinal).ok().and_then(|ordinal| STORAGE_TYPES.get(ordinal)).copied()
}

impl EditOp {
    /// Checks that every string fits the 65,535 bytes that the log has for one. Planners call it before they apply:
    /// such an operation must be refused to its client.
    ///
    /// # Errors
    /// The name of the field that is too long.
    pub fn check_strings(&self) -> Result<(), &'static str> {
        let check = |what: &'static str, bytes: &[u8]| {
            // A byte takes at most 1.5 bytes in the log, so short strings need no look.
            let fits =
                bytes.len() <= MAX_STRING_BYTES / 2 || stored_length(bytes) <= MAX_STRING_BYTES;
            if fits { Ok(()) } else { Err(what) }
        };
        let all = |fields: &[(&'static str, &[u8])]| {
            fields.iter().try_for_each(|(what, bytes)| check(what, bytes))
        };
        match self {
            Self::Add(op) => {
                for entry in &op.acl_entries {
                    check("ACL name", entry.name.as_deref().unwrap_or_default().as_bytes())?;
                }
                let (name, machine) = (op.client_name.as_bytes(), op.client_machine.as_bytes());
                all(&[("path", &op.path), ("client name", name), ("client machine", machine)])
            }
            Self::Mkdir(op) => check("path", &op.path),
            Self::Append(op) => {
                let (name, machine) = (op.client_name.as_bytes(), op.client_machine.as_bytes());
                all(&[("path", &op.path), ("client name", name), ("client machine", machine)])
            }
            Self::Truncate(op) => {
                let (name, machine) = (op.client_name.as_bytes(), op.client_machine.as_bytes());
                all(&[("path", &op.src), ("client name", name), ("client machine", machine)])
            }
            Self::ReassignLease(op) => {
                let (old, new) = (op.lease_holder.as_bytes(), op.new_holder.as_bytes());
                all(&[("path", &op.path), ("lease holder", old), ("new holder", new)])
            }
            Self::Symlink(op) => all(&[("path", &op.path), ("link target", &op.value)]),
            Self::SetOwner(op) => all(&[
                ("user", op.username.as_deref().unwrap_or_default().as_bytes()),
                ("group", op.groupname.as_deref().unwrap_or_default().as_bytes()),
            ]),
            Self::AddCachePool(AddCachePoolOp { info, .. })
            | Self::ModifyCachePool(ModifyCachePoolOp { info, .. }) => all(&[
                ("pool name", info.pool_name.as_bytes()),
                ("owner", info.owner_name.as_deref().unwrap_or_default().as_bytes()),
                ("group", info.group_name.as_deref().unwrap_or_default().as_bytes()),
            ]),
            Self::AddCacheDirective(AddCacheDirectiveInfoOp { directive, .. })
            | Self::ModifyCacheDirective(ModifyCacheDirectiveInfoOp { directive, .. }) => all(&[
                ("path", directive.path.as_deref().unwrap_or_default()),
                ("pool name", directive.pool.as_deref().unwrap_or_default().as_bytes()),
            ]),
            Self::AddErasureCodingPolicy(op) => {
                check("codec name", op.ec_policy.codec_name.as_bytes())?;
                op.ec_policy.extra_options.iter().try_for_each(|(key, value)| {
                    all(&[("option", key.as_bytes()), ("option value", value.as_bytes())])
                })
            }
            // The others name inodes and policies that exist, so their strings were checked when these were made.
            _ => Ok(()),
        }
    }
}
