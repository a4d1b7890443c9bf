//! From bytes to operations.
//!
//! The body must end exactly where its last field ends: Hadoop would read the next operation from the wrong place.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSEditLogOp (3.5.0), the readFields of each operation

use super::encode::storage_type_of_ordinal;
use super::op::*;
use super::spent::SpentOps;
use super::wire::{Body, DecodeError, DecodeErrorKind, Decoded};
use crate::layout_version::{Feature, Layout};
use hdfs_proto::hdfs as pb;
use hdfs_types::{
    Block, BlockId, CallId, ClientId, FsAction, FsPermission, GenerationStamp, INodeId,
    PermissionStatus, WallMillis,
};
use std::mem::take;

/// Most sources of a concat. Hadoop: ConcatDeleteOp.MAX_CONCAT_SRC.
const MAX_CONCAT_SOURCES: usize = 1024 * 1024;
/// Longest key of delegation tokens, in bytes. Hadoop: DelegationKey.MAX_KEY_LEN.
const MAX_KEY_BYTES: usize = 1024 * 1024;

/// Decodes the body of an operation (without opcode, length, transaction id and checksum).
///
/// # Errors
/// When a field is cut or holds what Hadoop never writes, or when the opcode is unknown.
pub fn decode_body(opcode: u8, body: &[u8], layout: Layout) -> Result<EditOp, DecodeError> {
    let mut body = Body::new(body);
    let op = decode(opcode, &mut body, layout)?;
    body.end()?;
    Ok(op)
}

/// The same in memory of operations that are not needed any more.
pub(super) fn decode_body_reusing(
    opcode: u8,
    body: &[u8],
    layout: Layout,
    spent: &mut SpentOps,
) -> Result<EditOp, DecodeError> {
    let mut body = Body::reusing(body, spent);
    let op = decode(opcode, &mut body, layout)?;
    body.end()?;
    Ok(op)
}

/// Decodes the body of an operation at the start of `bytes`, for layouts in which operations have no length; the second
/// result is how many bytes it has.
pub(super) fn decode_prefix(
    opcode: u8,
    bytes: &[u8],
    layout: Layout,
) -> Result<(EditOp, usize), DecodeError> {
    let mut body = Body::new(bytes);
    let op = decode(opcode, &mut body, layout)?;
    Ok((op, bytes.len() - body.remaining()))
}

fn decode(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    Ok(match opcode {
        0 | 9 | 25 | 33 | 46 | 47 => file_op(opcode, body, layout)?,
        1..=3 | 15..=17 | 26..=30 => tree_op(opcode, body, layout)?,
        4 | 7 | 8 | 11..=14 | 40 | 43..=45 | 48 => attribute_op(opcode, body, layout)?,
        10 => EditOp::SetGenstampV1(SetGenstampV1Op { generation_stamp: stamp(body)? }),
        31 => EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp: stamp(body)? }),
        32 => {
            EditOp::AllocateBlockId(AllocateBlockIdOp { block_id: BlockId(body.i64("block id")?) })
        }
        22 => EditOp::ReassignLease(ReassignLeaseOp {
            lease_holder: body.string("lease holder")?,
            path: body.path("path")?,
            new_holder: body.string("new holder")?,
        }),
        23 => EditOp::EndLogSegment,
        24 => EditOp::StartLogSegment,
        _ => service_op(opcode, body, layout)?,
    })
}

fn file_op(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    Ok(match opcode {
        0 => {
            let mut kept = body.spent_add();
            *kept = add(body, layout, &mut kept)?;
            EditOp::Add(kept)
        }
        9 => {
            let kept = body.spent_close();
            EditOp::Close(close(body, layout, kept)?)
        }
        33 => {
            let path = body.path("path")?;
            let blocks = compact_blocks(body)?;
            let (penultimate_block, last_block) = match blocks.as_slice() {
                [last] => (None, *last),
                [penultimate, last] => (Some(*penultimate), *last),
                other => {
                    let count = i64::try_from(other.len()).unwrap_or(i64::MAX);
                    return body.fail("number of blocks", DecodeErrorKind::Value(count));
                }
            };
            EditOp::AddBlock(AddBlockOp {
                path,
                penultimate_block,
                last_block,
                retry: retry(body, layout)?,
            })
        }
        25 => EditOp::UpdateBlocks(UpdateBlocksOp {
            path: body.path("path")?,
            blocks: compact_blocks(body)?,
            retry: retry(body, layout)?,
        }),
        46 => EditOp::Truncate(TruncateOp {
            src: body.path("path")?,
            client_name: body.string("client name")?,
            client_machine: body.string("client machine")?,
            new_length: body.u64("new length")?,
            timestamp: body.millis("timestamp")?,
            truncate_block: match compact_blocks(body)?.as_slice() {
                [] => None,
                [block] => Some(*block),
                other => {
                    let count = i64::try_from(other.len()).unwrap_or(i64::MAX);
                    return body.fail("number of blocks", DecodeErrorKind::Value(count));
                }
            },
        }),
        _ => EditOp::Append(AppendOp {
            path: body.path("path")?,
            client_name: body.string("client name")?,
            client_machine: body.string("client machine")?,
            new_block: body.boolean("new block")?,
            retry: retry(body, layout)?,
        }),
    })
}

/// `kept`: its memory is used again.
fn add(body: &mut Body<'_>, layout: Layout, kept: &mut AddOp) -> Decoded<AddOp> {
    fields(body, layout, if layout.supports(Feature::FileAccessTime) { 5 } else { 4 })?;
    Ok(AddOp {
        inode_id: inode(body, layout)?,
        path: body.path_in("path", take(&mut kept.path))?,
        replication: replication(body, layout)?,
        mtime: millis(body, layout, "modification time")?,
        atime: access_time(body, layout)?,
        block_size: long(body, layout, "block size")?.cast_unsigned(),
        blocks: blocks(body, take(&mut kept.blocks))?,
        permissions: permissions(body, take(&mut kept.permissions))?,
        acl_entries: acl(body, layout)?,
        x_attrs: new_x_attrs(body, layout)?,
        client_name: body.string_in("client name", take(&mut kept.client_name))?,
        client_machine: body.string_in("client machine", take(&mut kept.client_machine))?,
        overwrite: since(layout, Feature::CreateOverwrite, || body.boolean("overwrite"))?,
        storage_policy_id: since(layout, Feature::BlockStoragePolicy, || {
            body.u8("storage policy")
        })?,
        erasure_coding_policy_id: since(layout, Feature::ErasureCoding, || {
            body.u8("erasure coding policy")
        })?,
        retry: retry(body, layout)?,
    })
}

/// `kept`: its memory is used again.
fn close(body: &mut Body<'_>, layout: Layout, kept: CloseOp) -> Decoded<CloseOp> {
    fields(body, layout, if layout.supports(Feature::FileAccessTime) { 5 } else { 4 })?;
    Ok(CloseOp {
        inode_id: inode(body, layout)?,
        path: body.path_in("path", kept.path)?,
        replication: replication(body, layout)?,
        mtime: millis(body, layout, "modification time")?,
        atime: access_time(body, layout)?,
        block_size: long(body, layout, "block size")?.cast_unsigned(),
        blocks: blocks(body, kept.blocks)?,
        permissions: permissions(body, kept.permissions)?,
    })
}

/// Reads a field that a layout introduced; before, it has its default value.
fn since<T: Default>(
    layout: Layout,
    introduced: Feature,
    read: impl FnOnce() -> Decoded<T>,
) -> Decoded<T> {
    if layout.supports(introduced) { read() } else { Ok(T::default()) }
}

/// Reads how many texts an old operation holds: before [`Feature::EditlogOpOptimization`], paths and numbers were an
/// array of texts.
fn fields(body: &mut Body<'_>, layout: Layout, expected: i32) -> Decoded<()> {
    if layout.supports(Feature::EditlogOpOptimization) {
        return Ok(());
    }
    let found = body.i32("number of fields")?;
    if found == expected {
        return Ok(());
    }
    body.fail("number of fields", DecodeErrorKind::Value(i64::from(found)))
}

fn long(body: &mut Body<'_>, layout: Layout, what: &'static str) -> Decoded<i64> {
    if layout.supports(Feature::EditlogOpOptimization) {
        body.i64(what)
    } else {
        body.decimal(what)
    }
}

fn millis(body: &mut Body<'_>, layout: Layout, what: &'static str) -> Decoded<WallMillis> {
    long(body, layout, what).map(|millis| WallMillis(millis.cast_unsigned()))
}

fn access_time(body: &mut Body<'_>, layout: Layout) -> Decoded<WallMillis> {
    since(layout, Feature::FileAccessTime, || millis(body, layout, "access time"))
}

fn replication(body: &mut Body<'_>, layout: Layout) -> Decoded<u16> {
    if layout.supports(Feature::EditlogOpOptimization) {
        body.u16("replication")
    } else {
        body.decimal::<i16>("replication").map(i16::cast_unsigned)
    }
}

fn tree_op(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    Ok(match opcode {
        1 => {
            fields(body, layout, 3)?;
            EditOp::RenameOld(RenameOldOp {
                src: body.path("source")?,
                dst: body.path("destination")?,
                timestamp: millis(body, layout, "timestamp")?,
                retry: retry(body, layout)?,
            })
        }
        2 => {
            fields(body, layout, 2)?;
            EditOp::Delete(DeleteOp {
                path: body.path("path")?,
                timestamp: millis(body, layout, "timestamp")?,
                retry: retry(body, layout)?,
            })
        }
        3 => {
            fields(body, layout, if layout.supports(Feature::FileAccessTime) { 3 } else { 2 })?;
            let (inode_id, path) = (inode(body, layout)?, body.path("path")?);
            let timestamp = millis(body, layout, "modification time")?;
            access_time(body, layout)?;
            EditOp::Mkdir(MkdirOp {
                inode_id,
                path,
                timestamp,
                permissions: permissions(body, PermissionStatus::default())?,
                acl_entries: acl(body, layout)?,
                x_attrs: new_x_attrs(body, layout)?,
            })
        }
        15 => {
            fields(body, layout, 3)?;
            EditOp::Rename(RenameOp {
                src: body.path("source")?,
                dst: body.path("destination")?,
                timestamp: millis(body, layout, "timestamp")?,
                options: rename_options(body)?,
                retry: retry(body, layout)?,
            })
        }
        16 => EditOp::ConcatDelete(concat(body, layout)?),
        17 => {
            fields(body, layout, 4)?;
            EditOp::Symlink(SymlinkOp {
                inode_id: inode(body, layout)?,
                path: body.path("path")?,
                value: body.path("link target")?,
                mtime: millis(body, layout, "modification time")?,
                atime: millis(body, layout, "access time")?,
                permission_status: permissions(body, PermissionStatus::default())?,
                retry: retry(body, layout)?,
            })
        }
        _ => snapshot_op(opcode, body, layout)?,
    })
}

fn snapshot_op(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    let snapshot_root = body.path("snapshot root")?;
    let mtime = |body: &mut Body<'_>| {
        since(layout, Feature::SnapshotModificationTime, || body.millis("modification time"))
    };
    Ok(match opcode {
        26 => EditOp::CreateSnapshot(CreateSnapshotOp {
            snapshot_root,
            snapshot_name: body.path("snapshot name")?,
            mtime: mtime(body)?,
            retry: retry(body, layout)?,
        }),
        27 => EditOp::DeleteSnapshot(DeleteSnapshotOp {
            snapshot_root,
            snapshot_name: body.path("snapshot name")?,
            mtime: mtime(body)?,
            retry: retry(body, layout)?,
        }),
        28 => EditOp::RenameSnapshot(RenameSnapshotOp {
            snapshot_root,
            snapshot_old_name: body.path("old snapshot name")?,
            snapshot_new_name: body.path("new snapshot name")?,
            mtime: mtime(body)?,
            retry: retry(body, layout)?,
        }),
        29 => EditOp::AllowSnapshot(AllowSnapshotOp { snapshot_root }),
        _ => EditOp::DisallowSnapshot(DisallowSnapshotOp { snapshot_root }),
    })
}

fn attribute_op(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    Ok(match opcode {
        4 => EditOp::SetReplication(SetReplicationOp {
            path: body.path("path")?,
            replication: replication(body, layout)?,
        }),
        7 => EditOp::SetPermissions(SetPermissionsOp {
            src: body.path("path")?,
            permissions: FsPermission(body.u16("mode")?),
        }),
        8 => EditOp::SetOwner(SetOwnerOp {
            src: body.path("path")?,
            username: Some(body.string("user")?).filter(|name| !name.is_empty()),
            groupname: Some(body.string("group")?).filter(|name| !name.is_empty()),
        }),
        11 => EditOp::SetNsQuota(SetNsQuotaOp {
            src: body.path("path")?,
            ns_quota: body.i64("names quota")?,
        }),
        12 => EditOp::ClearNsQuota(ClearNsQuotaOp { src: body.path("path")? }),
        13 => {
            fields(body, layout, 3)?;
            EditOp::Times(TimesOp {
                path: body.path("path")?,
                mtime: long(body, layout, "modification time")?,
                atime: long(body, layout, "access time")?,
            })
        }
        14 => EditOp::SetQuota(SetQuotaOp {
            src: body.path("path")?,
            ns_quota: body.i64("names quota")?,
            ds_quota: body.i64("space quota")?,
        }),
        40 => set_acl(body)?,
        43 => {
            let (src, x_attrs) = x_attrs(body)?;
            EditOp::SetXAttr(SetXAttrOp { src, x_attrs, retry: retry(body, layout)? })
        }
        44 => {
            let (src, x_attrs) = x_attrs(body)?;
            EditOp::RemoveXAttr(RemoveXAttrOp { src, x_attrs, retry: retry(body, layout)? })
        }
        45 => EditOp::SetStoragePolicy(SetStoragePolicyOp {
            path: body.path("path")?,
            policy_id: body.u8("storage policy")?,
        }),
        _ => {
            let src = body.path("path")?;
            let ordinal = body.i32("storage type")?;
            let Some(storage_type) = storage_type_of_ordinal(ordinal) else {
                let kind = DecodeErrorKind::Value(i64::from(ordinal));
                return body.fail("storage type", kind);
            };
            let ds_quota = body.i64("space quota")?;
            EditOp::SetQuotaByStorageType(SetQuotaByStorageTypeOp { src, ds_quota, storage_type })
        }
    })
}

fn service_op(opcode: u8, body: &mut Body<'_>, layout: Layout) -> Decoded<EditOp> {
    Ok(match opcode {
        18 => EditOp::GetDelegationToken(GetDelegationTokenOp {
            token: token(body)?,
            expiry_time: millis(body, layout, "expiry time")?,
        }),
        19 => EditOp::RenewDelegationToken(RenewDelegationTokenOp {
            token: token(body)?,
            expiry_time: millis(body, layout, "expiry time")?,
        }),
        20 => EditOp::CancelDelegationToken(CancelDelegationTokenOp { token: token(body)? }),
        21 => EditOp::UpdateMasterKey(UpdateMasterKeyOp { key: delegation_key(body)? }),
        34 => EditOp::AddCacheDirective(AddCacheDirectiveInfoOp {
            directive: directive(body)?,
            retry: retry(body, layout)?,
        }),
        35 => EditOp::RemoveCacheDirective(RemoveCacheDirectiveInfoOp {
            id: body.i64("directive id")?,
            retry: retry(body, layout)?,
        }),
        36 => {
            EditOp::AddCachePool(AddCachePoolOp { info: pool(body)?, retry: retry(body, layout)? })
        }
        37 => EditOp::ModifyCachePool(ModifyCachePoolOp {
            info: pool(body)?,
            retry: retry(body, layout)?,
        }),
        38 => EditOp::RemoveCachePool(RemoveCachePoolOp {
            pool_name: body.string("pool name")?,
            retry: retry(body, layout)?,
        }),
        39 => EditOp::ModifyCacheDirective(ModifyCacheDirectiveInfoOp {
            directive: directive(body)?,
            retry: retry(body, layout)?,
        }),
        41 => EditOp::RollingUpgradeStart(RollingUpgradeOp { time: body.millis("time")? }),
        42 => EditOp::RollingUpgradeFinalize(RollingUpgradeOp { time: body.millis("time")? }),
        49 => EditOp::AddErasureCodingPolicy(AddErasureCodingPolicyOp {
            ec_policy: erasure_coding_policy(body)?,
            retry: retry(body, layout)?,
        }),
        50 => EditOp::EnableErasureCodingPolicy(policy_name(body, layout)?),
        51 => EditOp::DisableErasureCodingPolicy(policy_name(body, layout)?),
        52 => EditOp::RemoveErasureCodingPolicy(policy_name(body, layout)?),
        other => {
            return body.fail("opcode", DecodeErrorKind::Value(i64::from(other.cast_signed())));
        }
    })
}

/// Before inodes had ids, they get one when the operation is applied: 0 stands for it.
fn inode(body: &mut Body<'_>, layout: Layout) -> Decoded<INodeId> {
    since(layout, Feature::AddInodeId, || body.u64("inode id")).map(INodeId)
}

fn stamp(body: &mut Body<'_>) -> Decoded<GenerationStamp> {
    body.u64("generation stamp").map(GenerationStamp)
}

fn retry(body: &mut Body<'_>, layout: Layout) -> Decoded<RetryKey> {
    if !layout.supports(Feature::EditlogSupportRetryCache) {
        return Ok(RetryKey::NONE);
    }
    let length = body.u16("client id")?;
    let client_id = match length {
        0 | 16 => ClientId::from_wire(body.take(usize::from(length), "client id")?),
        other => {
            return body.fail("length of the client id", DecodeErrorKind::Value(i64::from(other)));
        }
    };
    Ok(RetryKey { client_id, call_id: CallId(body.i32("call id")?) })
}

fn permissions(body: &mut Body<'_>, kept: PermissionStatus) -> Decoded<PermissionStatus> {
    Ok(PermissionStatus {
        user: body.text_in("user", kept.user)?,
        group: body.text_in("group", kept.group)?,
        permission: FsPermission(body.u16("mode")?),
    })
}

fn blocks(body: &mut Body<'_>, mut blocks: Vec<Block>) -> Decoded<Vec<Block>> {
    let count = body.count(24, "number of blocks")?;
    blocks.clear();
    blocks.reserve(count);
    for _ in 0..count {
        let (id, length) = (BlockId(body.i64("block id")?), body.i64("block length")?);
        let Ok(num_bytes) = u64::try_from(length) else {
            return body.fail("block length", DecodeErrorKind::Value(length));
        };
        blocks.push(Block { id, num_bytes, generation_stamp: stamp(body)? });
    }
    Ok(blocks)
}

fn compact_blocks(body: &mut Body<'_>) -> Decoded<Vec<Block>> {
    let count = body.vint("number of blocks")?;
    let count = body.check_count(i64::from(count), 10, "number of blocks")?;
    let mut blocks = Vec::with_capacity(count);
    let (mut bytes, mut stamp) = (0_u64, 0_u64);
    for _ in 0..count {
        let id = BlockId(body.i64("block id")?);
        bytes = bytes.wrapping_add(body.vlong("block length")?.cast_unsigned());
        stamp = stamp.wrapping_add(body.vlong("generation stamp")?.cast_unsigned());
        blocks.push(Block { id, num_bytes: bytes, generation_stamp: GenerationStamp(stamp) });
    }
    Ok(blocks)
}

fn acl(body: &mut Body<'_>, layout: Layout) -> Decoded<Vec<AclEntry>> {
    if !layout.supports(Feature::ExtendedAcl) {
        return Ok(Vec::new());
    }
    let count = body.count(1, "number of ACL entries")?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let packed = body.u8("ACL entry")?;
        entries.push(AclEntry {
            kind: acl_type(i32::from(packed >> 3 & 3)).expect("two bits name one of four types"),
            scope: if packed >> 5 & 1 == 0 {
                AclEntryScope::Access
            } else {
                AclEntryScope::Default
            },
            permission: FsAction(packed & 7),
            name: if packed >> 6 & 1 == 1 { named(body.string("ACL name")?) } else { None },
        });
    }
    Ok(entries)
}

/// An empty name counts as none, as in Hadoop's AclEntry.
fn named(name: String) -> Option<String> {
    Some(name).filter(|name| !name.is_empty())
}

fn acl_type(number: i32) -> Option<AclEntryType> {
    Some(match number {
        0 => AclEntryType::User,
        1 => AclEntryType::Group,
        2 => AclEntryType::Mask,
        3 => AclEntryType::Other,
        _ => return None,
    })
}

fn set_acl(body: &mut Body<'_>) -> Decoded<EditOp> {
    let message: pb::AclEditLogProto = body.message("ACL")?;
    let mut acl_entries = Vec::with_capacity(message.entries.len());
    for entry in message.entries {
        let scope = match entry.scope {
            0 => AclEntryScope::Access,
            1 => AclEntryScope::Default,
            other => return body.fail("ACL scope", DecodeErrorKind::Value(i64::from(other))),
        };
        let Some(kind) = acl_type(entry.r#type) else {
            return body.fail("ACL type", DecodeErrorKind::Value(i64::from(entry.r#type)));
        };
        let permission = u8::try_from(entry.permissions).ok().filter(|bits| *bits <= 7);
        let Some(permission) = permission.map(FsAction) else {
            let kind = DecodeErrorKind::Value(i64::from(entry.permissions));
            return body.fail("ACL permission", kind);
        };
        let name = entry.name.and_then(named);
        acl_entries.push(AclEntry { kind, scope, permission, name });
    }
    Ok(EditOp::SetAcl(SetAclOp { src: message.src.into_bytes(), acl_entries }))
}

/// The attributes of a new inode.
fn new_x_attrs(body: &mut Body<'_>, layout: Layout) -> Decoded<Vec<XAttr>> {
    since(layout, Feature::XAttrs, || x_attrs(body).map(|(_, x_attrs)| x_attrs))
}

fn x_attrs(body: &mut Body<'_>) -> Decoded<(Vec<u8>, Vec<XAttr>)> {
    let message: pb::XAttrEditLogProto = body.message("attributes")?;
    let mut x_attrs = Vec::with_capacity(message.x_attrs.len());
    for x_attr in message.x_attrs {
        let namespace = match x_attr.namespace {
            0 => XAttrNamespace::User,
            1 => XAttrNamespace::Trusted,
            2 => XAttrNamespace::Security,
            3 => XAttrNamespace::System,
            4 => XAttrNamespace::Raw,
            other => {
                return body.fail("attribute namespace", DecodeErrorKind::Value(i64::from(other)));
            }
        };
        x_attrs.push(XAttr {
            namespace,
            name: x_attr.name,
            value: x_attr.value.map(|value| value.to_vec()),
        });
    }
    Ok((message.src.unwrap_or_default().into_bytes(), x_attrs))
}

fn rename_options(body: &mut Body<'_>) -> Decoded<Vec<RenameOption>> {
    let count = body.count(1, "number of rename options")?;
    let mut options = Vec::with_capacity(count);
    for _ in 0..count {
        options.push(match body.u8("rename option")? {
            0 => RenameOption::None,
            1 => RenameOption::Overwrite,
            2 => RenameOption::ToTrash,
            other => return body.fail("rename option", DecodeErrorKind::Value(i64::from(other))),
        });
    }
    Ok(options)
}

fn concat(body: &mut Body<'_>, layout: Layout) -> Decoded<ConcatDeleteOp> {
    let counted_before = !layout.supports(Feature::EditlogOpOptimization);
    // Target and timestamp are counted there.
    let before = if counted_before { body.i32("number of fields")?.saturating_sub(2) } else { 0 };
    let trg = body.path("target")?;
    let count = if counted_before { before } else { body.i32("number of sources")? };
    let count = body.check_count(i64::from(count), 2, "number of sources")?;
    if count > MAX_CONCAT_SOURCES || counted_before && count == 0 {
        let kind = DecodeErrorKind::Value(i64::try_from(count).unwrap_or(i64::MAX));
        return body.fail("number of sources", kind);
    }
    Ok(ConcatDeleteOp {
        trg,
        srcs: (0..count).map(|_| body.path("source")).collect::<Decoded<_>>()?,
        timestamp: millis(body, layout, "timestamp")?,
        retry: retry(body, layout)?,
    })
}

pub(crate) fn token(body: &mut Body<'_>) -> Decoded<DelegationTokenIdentifier> {
    let version = body.u8("token version")?;
    if version != 0 {
        return body.fail("token version", DecodeErrorKind::Value(i64::from(version)));
    }
    Ok(DelegationTokenIdentifier {
        owner: body.text("owner")?,
        renewer: body.text("renewer")?,
        real_user: body.text("real user")?,
        issue_date: vmillis(body, "issue date")?,
        max_date: vmillis(body, "max date")?,
        sequence_number: body.vint("sequence number")?,
        master_key_id: body.vint("master key id")?,
    })
}

fn vmillis(body: &mut Body<'_>, what: &'static str) -> Decoded<WallMillis> {
    body.vlong(what).map(|millis| WallMillis(millis.cast_unsigned()))
}

pub(crate) fn delegation_key(body: &mut Body<'_>) -> Decoded<DelegationKey> {
    let (key_id, expiry_date) = (body.vint("key id")?, vmillis(body, "expiry date")?);
    let length = body.vint("length of the key")?;
    let key = if length == -1 {
        None
    } else {
        let length = body.check_count(i64::from(length), 1, "length of the key")?;
        if length > MAX_KEY_BYTES {
            return body.fail("length of the key", DecodeErrorKind::Value(length as i64));
        }
        Some(body.take(length, "key")?.to_vec())
    };
    Ok(DelegationKey { key_id, expiry_date, key })
}

pub(crate) fn directive(body: &mut Body<'_>) -> Decoded<CacheDirectiveInfo> {
    let id = body.i64("directive id")?;
    let flags = body.i32("directive fields")?;
    if flags & !0xF != 0 {
        return body.fail("directive fields", DecodeErrorKind::Value(i64::from(flags)));
    }
    let has = |bit: i32| flags & bit != 0;
    Ok(CacheDirectiveInfo {
        id,
        // An image holds it as text of protobuf, so that it is text here, too.
        path: has(1).then(|| body.string("path").map(String::into_bytes)).transpose()?,
        replication: has(2).then(|| body.u16("replication")).transpose()?,
        pool: has(4).then(|| body.string("pool")).transpose()?,
        expiration: has(8).then(|| body.millis("expiration")).transpose()?,
    })
}

pub(crate) fn pool(body: &mut Body<'_>) -> Decoded<CachePoolInfo> {
    let pool_name = body.string("pool name")?;
    let flags = body.i32("pool fields")?;
    if flags & !0x3F != 0 {
        return body.fail("pool fields", DecodeErrorKind::Value(i64::from(flags)));
    }
    let has = |bit: i32| flags & bit != 0;
    Ok(CachePoolInfo {
        pool_name,
        owner_name: has(1).then(|| body.string("owner")).transpose()?,
        group_name: has(2).then(|| body.string("group")).transpose()?,
        mode: has(4).then(|| body.u16("mode").map(FsPermission)).transpose()?,
        limit: has(8).then(|| body.i64("limit")).transpose()?,
        max_relative_expiry_ms: has(16).then(|| body.i64("max relative expiry")).transpose()?,
        default_replication: has(32).then(|| body.u16("default replication")).transpose()?,
    })
}

fn erasure_coding_policy(body: &mut Body<'_>) -> Decoded<ErasureCodingPolicyDefinition> {
    let codec_name = body.string("codec name")?;
    let num_data_units = body.i32("data units")?;
    let num_parity_units = body.i32("parity units")?;
    let cell_size = body.i32("cell size")?;
    let count = body.count(4, "number of options")?;
    let mut extra_options = Vec::with_capacity(count);
    for _ in 0..count {
        extra_options.push((body.string("option")?, body.string("option value")?));
    }
    Ok(ErasureCodingPolicyDefinition {
        codec_name,
        num_data_units,
        num_parity_units,
        cell_size,
        extra_options,
    })
}

fn policy_name(body: &mut Body<'_>, layout: Layout) -> Decoded<ErasureCodingPolicyNameOp> {
    let ec_policy_name = body.string("policy name")?;
    Ok(ErasureCodingPolicyNameOp { ec_policy_name, retry: retry(body, layout)? })
}
