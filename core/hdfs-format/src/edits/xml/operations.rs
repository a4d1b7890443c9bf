//! The fields of each operation as XML elements, in Hadoop's order.

use super::XmlWriter;
use crate::edits::encode::storage_type_ordinal;
use crate::edits::op::*;
use crate::layout_version::{Feature, Layout};
use hdfs_types::{Block, FsPermission, PermissionStatus, WallMillis};
use std::fmt::Write as _;
use std::io::{self, Write};

type Out<'a, W> = &'a mut XmlWriter<W>;

/// Writes the fields of an operation of a layout: what stands in DATA after TXID.
///
/// # Errors
/// When the output can't be written.
pub fn write_op<W: Write>(op: &EditOp, layout: Layout, out: Out<'_, W>) -> io::Result<()> {
    if let Some(length) = length(op, layout) {
        number("LENGTH", length, out)?;
    }
    file_op(op, out)
}

/// What Hadoop shows as LENGTH: how many texts the operation holds, in layouts that say so; else 0.
fn length(op: &EditOp, layout: Layout) -> Option<i64> {
    let times = layout.supports(Feature::FileAccessTime);
    let length = match op {
        EditOp::Add(_) | EditOp::Close(_) => 4 + i64::from(times),
        EditOp::Mkdir(_) => 2 + i64::from(times),
        EditOp::Delete(_) => 2,
        EditOp::RenameOld(_) | EditOp::Rename(_) | EditOp::Times(_) => 3,
        EditOp::ConcatDelete(op) => i64::try_from(op.srcs.len()).unwrap_or(i64::MAX - 2) + 2,
        EditOp::Symlink(_) => 4,
        _ => return None,
    };
    Some(if layout.supports(Feature::EditlogOpOptimization) { 0 } else { length })
}

fn file_op<W: Write>(op: &EditOp, out: Out<'_, W>) -> io::Result<()> {
    match op {
        EditOp::Add(op) => add(op, out),
        EditOp::Close(op) => close(op, out),
        EditOp::AddBlock(op) => {
            out.path("PATH", &op.path)?;
            blocks(op.penultimate_block.as_slice(), out)?;
            blocks(&[op.last_block], out)?;
            retry(op.retry, out)
        }
        EditOp::UpdateBlocks(op) => {
            out.path("PATH", &op.path)?;
            blocks(&op.blocks, out)?;
            retry(op.retry, out)
        }
        EditOp::Append(op) => {
            out.path("PATH", &op.path)?;
            out.leaf("CLIENT_NAME", &op.client_name)?;
            out.leaf("CLIENT_MACHINE", &op.client_machine)?;
            out.leaf("NEWBLOCK", &op.new_block.to_string())?;
            retry(op.retry, out)
        }
        EditOp::Truncate(op) => {
            out.path("SRC", &op.src)?;
            out.leaf("CLIENTNAME", &op.client_name)?;
            out.leaf("CLIENTMACHINE", &op.client_machine)?;
            number("NEWLENGTH", op.new_length.cast_signed(), out)?;
            millis("TIMESTAMP", op.timestamp, out)?;
            blocks(op.truncate_block.as_slice(), out)
        }
        EditOp::SetGenstampV1(op) => number("GENSTAMP", op.generation_stamp.0.cast_signed(), out),
        EditOp::SetGenstampV2(op) => number("GENSTAMPV2", op.generation_stamp.0.cast_signed(), out),
        EditOp::AllocateBlockId(op) => number("BLOCK_ID", op.block_id.0, out),
        EditOp::ReassignLease(op) => {
            out.leaf("LEASEHOLDER", &op.lease_holder)?;
            out.path("PATH", &op.path)?;
            out.leaf("NEWHOLDER", &op.new_holder)
        }
        EditOp::StartLogSegment | EditOp::EndLogSegment => Ok(()),
        _ => tree_op(op, out),
    }
}

fn tree_op<W: Write>(op: &EditOp, out: Out<'_, W>) -> io::Result<()> {
    match op {
        EditOp::Mkdir(op) => {
            number("INODEID", op.inode_id.0.cast_signed(), out)?;
            out.path("PATH", &op.path)?;
            millis("TIMESTAMP", op.timestamp, out)?;
            permissions(&op.permissions, out)?;
            acl(&op.acl_entries, out)?;
            x_attrs(&op.x_attrs, out)
        }
        EditOp::Delete(op) => {
            out.path("PATH", &op.path)?;
            millis("TIMESTAMP", op.timestamp, out)?;
            retry(op.retry, out)
        }
        EditOp::RenameOld(op) => {
            renamed(&op.src, &op.dst, op.timestamp, out)?;
            retry(op.retry, out)
        }
        EditOp::Rename(op) => {
            renamed(&op.src, &op.dst, op.timestamp, out)?;
            let name = |option: &RenameOption| match option {
                RenameOption::None => "NONE",
                RenameOption::Overwrite => "OVERWRITE",
                RenameOption::ToTrash => "TO_TRASH",
            };
            let options: Vec<&str> = op.options.iter().map(name).collect();
            out.leaf("OPTIONS", &options.join("|"))?;
            retry(op.retry, out)
        }
        EditOp::ConcatDelete(op) => {
            out.path("TRG", &op.trg)?;
            millis("TIMESTAMP", op.timestamp, out)?;
            out.start("SOURCES")?;
            for (index, src) in op.srcs.iter().enumerate() {
                out.path(&format!("SOURCE{}", index + 1), src)?;
            }
            out.end("SOURCES")?;
            retry(op.retry, out)
        }
        EditOp::Symlink(op) => {
            number("INODEID", op.inode_id.0.cast_signed(), out)?;
            out.path("PATH", &op.path)?;
            out.path("VALUE", &op.value)?;
            millis("MTIME", op.mtime, out)?;
            millis("ATIME", op.atime, out)?;
            permissions(&op.permission_status, out)?;
            retry(op.retry, out)
        }
        _ => snapshot_op(op, out),
    }
}

fn snapshot_op<W: Write>(op: &EditOp, out: Out<'_, W>) -> io::Result<()> {
    match op {
        EditOp::CreateSnapshot(CreateSnapshotOp {
            snapshot_root,
            snapshot_name,
            mtime,
            retry: key,
        })
        | EditOp::DeleteSnapshot(DeleteSnapshotOp {
            snapshot_root,
            snapshot_name,
            mtime,
            retry: key,
        }) => {
            out.path("SNAPSHOTROOT", snapshot_root)?;
            out.path("SNAPSHOTNAME", snapshot_name)?;
            millis("MTIME", *mtime, out)?;
            retry(*key, out)
        }
        EditOp::RenameSnapshot(op) => {
            out.path("SNAPSHOTROOT", &op.snapshot_root)?;
            out.path("SNAPSHOTOLDNAME", &op.snapshot_old_name)?;
            out.path("SNAPSHOTNEWNAME", &op.snapshot_new_name)?;
            millis("MTIME", op.mtime, out)?;
            retry(op.retry, out)
        }
        EditOp::AllowSnapshot(AllowSnapshotOp { snapshot_root })
        | EditOp::DisallowSnapshot(DisallowSnapshotOp { snapshot_root }) => {
            out.path("SNAPSHOTROOT", snapshot_root)
        }
        _ => attribute_op(op, out),
    }
}

fn attribute_op<W: Write>(op: &EditOp, out: Out<'_, W>) -> io::Result<()> {
    match op {
        EditOp::SetReplication(op) => {
            out.path("PATH", &op.path)?;
            number("REPLICATION", i64::from(op.replication.cast_signed()), out)
        }
        EditOp::SetPermissions(op) => {
            out.path("SRC", &op.src)?;
            mode(op.permissions, out)
        }
        EditOp::SetOwner(op) => {
            out.path("SRC", &op.src)?;
            optional("USERNAME", op.username.as_deref(), out)?;
            optional("GROUPNAME", op.groupname.as_deref(), out)
        }
        EditOp::SetNsQuota(op) => {
            out.path("SRC", &op.src)?;
            number("NSQUOTA", op.ns_quota, out)
        }
        EditOp::ClearNsQuota(op) => out.path("SRC", &op.src),
        EditOp::SetQuota(op) => {
            out.path("SRC", &op.src)?;
            number("NSQUOTA", op.ns_quota, out)?;
            number("DSQUOTA", op.ds_quota, out)
        }
        EditOp::SetQuotaByStorageType(op) => {
            out.path("SRC", &op.src)?;
            number("STORAGETYPE", i64::from(storage_type_ordinal(op.storage_type)), out)?;
            number("DSQUOTA", op.ds_quota, out)
        }
        EditOp::Times(op) => {
            out.path("PATH", &op.path)?;
            number("MTIME", op.mtime, out)?;
            number("ATIME", op.atime, out)
        }
        EditOp::SetAcl(op) => {
            out.path("SRC", &op.src)?;
            acl(&op.acl_entries, out)
        }
        EditOp::SetXAttr(SetXAttrOp { src, x_attrs: list, retry: key })
        | EditOp::RemoveXAttr(RemoveXAttrOp { src, x_attrs: list, retry: key }) => {
            out.path("SRC", src)?;
            x_attrs(list, out)?;
            retry(*key, out)
        }
        EditOp::SetStoragePolicy(op) => {
            out.path("PATH", &op.path)?;
            number("POLICYID", i64::from(op.policy_id.cast_signed()), out)
        }
        _ => service_op(op, out),
    }
}

fn service_op<W: Write>(op: &EditOp, out: Out<'_, W>) -> io::Result<()> {
    match op {
        EditOp::GetDelegationToken(GetDelegationTokenOp { token, expiry_time })
        | EditOp::RenewDelegationToken(RenewDelegationTokenOp { token, expiry_time }) => {
            delegation_token(token, out)?;
            millis("EXPIRY_TIME", *expiry_time, out)
        }
        EditOp::CancelDelegationToken(op) => delegation_token(&op.token, out),
        EditOp::UpdateMasterKey(op) => {
            out.start("DELEGATION_KEY")?;
            number("KEY_ID", i64::from(op.key.key_id), out)?;
            millis("EXPIRY_DATE", op.key.expiry_date, out)?;
            if let Some(key) = &op.key.key {
                out.leaf("KEY", &hex(key))?;
            }
            out.end("DELEGATION_KEY")
        }
        EditOp::AddCacheDirective(AddCacheDirectiveInfoOp { directive: info, retry: key })
        | EditOp::ModifyCacheDirective(ModifyCacheDirectiveInfoOp {
            directive: info,
            retry: key,
        }) => {
            directive(info, out)?;
            retry(*key, out)
        }
        EditOp::RemoveCacheDirective(op) => {
            number("ID", op.id, out)?;
            retry(op.retry, out)
        }
        EditOp::AddCachePool(AddCachePoolOp { info, retry: key })
        | EditOp::ModifyCachePool(ModifyCachePoolOp { info, retry: key }) => {
            pool(info, out)?;
            retry(*key, out)
        }
        EditOp::RemoveCachePool(op) => {
            out.leaf("POOLNAME", &op.pool_name)?;
            retry(op.retry, out)
        }
        EditOp::RollingUpgradeStart(op) => millis("STARTTIME", op.time, out),
        EditOp::RollingUpgradeFinalize(op) => millis("FINALIZETIME", op.time, out),
        EditOp::AddErasureCodingPolicy(op) => {
            erasure_coding_policy(&op.ec_policy, out)?;
            retry(op.retry, out)
        }
        EditOp::EnableErasureCodingPolicy(op)
        | EditOp::DisableErasureCodingPolicy(op)
        | EditOp::RemoveErasureCodingPolicy(op) => {
            out.leaf("POLICYNAME", &op.ec_policy_name)?;
            retry(op.retry, out)
        }
        other => unreachable!("{} is written above", other.name()),
    }
}

fn add<W: Write>(op: &AddOp, out: Out<'_, W>) -> io::Result<()> {
    number("INODEID", op.inode_id.0.cast_signed(), out)?;
    out.path("PATH", &op.path)?;
    number("REPLICATION", i64::from(op.replication.cast_signed()), out)?;
    millis("MTIME", op.mtime, out)?;
    millis("ATIME", op.atime, out)?;
    number("BLOCKSIZE", op.block_size.cast_signed(), out)?;
    out.leaf("CLIENT_NAME", &op.client_name)?;
    out.leaf("CLIENT_MACHINE", &op.client_machine)?;
    out.leaf("OVERWRITE", &op.overwrite.to_string())?;
    blocks(&op.blocks, out)?;
    permissions(&op.permissions, out)?;
    acl(&op.acl_entries, out)?;
    let policy = i64::from(op.erasure_coding_policy_id.cast_signed());
    number("ERASURE_CODING_POLICY_ID", policy, out)?;
    retry(op.retry, out)
}

fn close<W: Write>(op: &CloseOp, out: Out<'_, W>) -> io::Result<()> {
    number("INODEID", op.inode_id.0.cast_signed(), out)?;
    out.path("PATH", &op.path)?;
    number("REPLICATION", i64::from(op.replication.cast_signed()), out)?;
    millis("MTIME", op.mtime, out)?;
    millis("ATIME", op.atime, out)?;
    number("BLOCKSIZE", op.block_size.cast_signed(), out)?;
    out.leaf("CLIENT_NAME", "")?;
    out.leaf("CLIENT_MACHINE", "")?;
    out.leaf("OVERWRITE", "false")?;
    blocks(&op.blocks, out)?;
    permissions(&op.permissions, out)
}

fn renamed<W: Write>(
    src: &[u8],
    dst: &[u8],
    timestamp: WallMillis,
    out: Out<'_, W>,
) -> io::Result<()> {
    out.path("SRC", src)?;
    out.path("DST", dst)?;
    millis("TIMESTAMP", timestamp, out)
}

fn number<W: Write>(tag: &str, value: i64, out: Out<'_, W>) -> io::Result<()> {
    out.leaf(tag, &value.to_string())
}

fn millis<W: Write>(tag: &str, value: WallMillis, out: Out<'_, W>) -> io::Result<()> {
    number(tag, value.0.cast_signed(), out)
}

fn mode<W: Write>(value: FsPermission, out: Out<'_, W>) -> io::Result<()> {
    number("MODE", i64::from(value.0 & 0o1777), out)
}

fn optional<W: Write>(tag: &str, value: Option<&str>, out: Out<'_, W>) -> io::Result<()> {
    value.map_or(Ok(()), |value| out.leaf(tag, value))
}

fn retry<W: Write>(key: RetryKey, out: Out<'_, W>) -> io::Result<()> {
    let absent = key.client_id.is_absent();
    let client_id = if absent { String::new() } else { key.client_id.to_string() };
    out.leaf("RPC_CLIENTID", &client_id)?;
    number("RPC_CALLID", i64::from(key.call_id.0), out)
}

fn blocks<W: Write>(blocks: &[Block], out: Out<'_, W>) -> io::Result<()> {
    for block in blocks {
        out.start("BLOCK")?;
        number("BLOCK_ID", block.id.0, out)?;
        number("NUM_BYTES", block.num_bytes.cast_signed(), out)?;
        number("GENSTAMP", block.generation_stamp.0.cast_signed(), out)?;
        out.end("BLOCK")?;
    }
    Ok(())
}

fn permissions<W: Write>(status: &PermissionStatus, out: Out<'_, W>) -> io::Result<()> {
    out.start("PERMISSION_STATUS")?;
    out.leaf("USERNAME", &status.user)?;
    out.leaf("GROUPNAME", &status.group)?;
    mode(status.permission, out)?;
    out.end("PERMISSION_STATUS")
}

fn acl<W: Write>(entries: &[AclEntry], out: Out<'_, W>) -> io::Result<()> {
    for entry in entries {
        out.start("ENTRY")?;
        let scope = match entry.scope {
            AclEntryScope::Access => "ACCESS",
            AclEntryScope::Default => "DEFAULT",
        };
        let kind = match entry.kind {
            AclEntryType::User => "USER",
            AclEntryType::Group => "GROUP",
            AclEntryType::Mask => "MASK",
            AclEntryType::Other => "OTHER",
        };
        out.leaf("SCOPE", scope)?;
        out.leaf("TYPE", kind)?;
        optional("NAME", entry.name.as_deref(), out)?;
        out.leaf("PERM", entry.permission.symbol())?;
        out.end("ENTRY")?;
    }
    Ok(())
}

fn x_attrs<W: Write>(x_attrs: &[XAttr], out: Out<'_, W>) -> io::Result<()> {
    for x_attr in x_attrs {
        out.start("XATTR")?;
        let namespace = match x_attr.namespace {
            XAttrNamespace::User => "USER",
            XAttrNamespace::Trusted => "TRUSTED",
            XAttrNamespace::Security => "SECURITY",
            XAttrNamespace::System => "SYSTEM",
            XAttrNamespace::Raw => "RAW",
        };
        out.leaf("NAMESPACE", namespace)?;
        out.leaf("NAME", &x_attr.name)?;
        if let Some(value) = &x_attr.value {
            out.leaf("VALUE", &format!("0x{}", hex(value)))?;
        }
        out.end("XATTR")?;
    }
    Ok(())
}

fn delegation_token<W: Write>(
    token: &DelegationTokenIdentifier,
    out: Out<'_, W>,
) -> io::Result<()> {
    out.start("DELEGATION_TOKEN_IDENTIFIER")?;
    out.leaf("KIND", "HDFS_DELEGATION_TOKEN")?;
    number("SEQUENCE_NUMBER", i64::from(token.sequence_number), out)?;
    out.leaf("OWNER", &token.owner)?;
    out.leaf("RENEWER", &token.renewer)?;
    out.leaf("REALUSER", &token.real_user)?;
    millis("ISSUE_DATE", token.issue_date, out)?;
    millis("MAX_DATE", token.max_date, out)?;
    number("MASTER_KEY_ID", i64::from(token.master_key_id), out)?;
    out.end("DELEGATION_TOKEN_IDENTIFIER")
}

fn directive<W: Write>(info: &CacheDirectiveInfo, out: Out<'_, W>) -> io::Result<()> {
    number("ID", info.id, out)?;
    if let Some(path) = &info.path {
        out.path("PATH", path)?;
    }
    if let Some(replication) = info.replication {
        number("REPLICATION", i64::from(replication.cast_signed()), out)?;
    }
    optional("POOL", info.pool.as_deref(), out)?;
    info.expiration.map_or(Ok(()), |expiration| millis("EXPIRATION", expiration, out))
}

fn pool<W: Write>(info: &CachePoolInfo, out: Out<'_, W>) -> io::Result<()> {
    out.leaf("POOLNAME", &info.pool_name)?;
    optional("OWNERNAME", info.owner_name.as_deref(), out)?;
    optional("GROUPNAME", info.group_name.as_deref(), out)?;
    if let Some(permission) = info.mode {
        mode(permission, out)?;
    }
    if let Some(limit) = info.limit {
        number("LIMIT", limit, out)?;
    }
    if let Some(expiry) = info.max_relative_expiry_ms {
        number("MAXRELATIVEEXPIRY", expiry, out)?;
    }
    if let Some(replication) = info.default_replication {
        number("DEFAULTREPLICATION", i64::from(replication.cast_signed()), out)?;
    }
    Ok(())
}

fn erasure_coding_policy<W: Write>(
    policy: &ErasureCodingPolicyDefinition,
    out: Out<'_, W>,
) -> io::Result<()> {
    out.leaf("CODEC", &policy.codec_name)?;
    number("DATAUNITS", i64::from(policy.num_data_units), out)?;
    number("PARITYUNITS", i64::from(policy.num_parity_units), out)?;
    number("CELLSIZE", i64::from(policy.cell_size), out)?;
    out.leaf("EXTRAOPTIONS", &policy.extra_options.len().to_string())?;
    for (key, value) in &policy.extra_options {
        out.start("EXTRAOPTION")?;
        out.leaf("KEY", key)?;
        out.leaf("VALUE", value)?;
        out.end("EXTRAOPTION")?;
    }
    Ok(())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
