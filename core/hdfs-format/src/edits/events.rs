//! Operations as events of inotify: what a client that watches the namespace is told.
//!
//! Most operations that make, change or remove something that has a path are events; those about blocks, leases,
//! snapshots, quotas, tokens and caches are none.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.InotifyFSEditLogOpTranslator (3.5.0)

use super::encode::{acl_proto, x_attr_proto};
use super::op::*;
use hdfs_proto::hdfs as pb;
use hdfs_types::{FsPermission, PermissionStatus, TxId, WallMillis};
use prost::Message;

/// The events of an operation; none for most that no client watches for.
///
/// Proto: inotify.proto EventBatchProto
pub fn event_batch(txid: TxId, op: &EditOp) -> Option<pb::EventBatchProto> {
    let events = events(op)?;
    Some(pb::EventBatchProto { txid: txid.0.cast_signed(), events })
}

fn events(op: &EditOp) -> Option<Vec<pb::EventProto>> {
    let event = match op {
        EditOp::Add(op) if op.blocks.is_empty() => create(pb::CreateEventProto {
            replication: Some(i32::from(op.replication.cast_signed())),
            overwrite: Some(op.overwrite),
            default_block_size: Some(op.block_size.cast_signed()),
            erasure_coded: Some(op.erasure_coding_policy_id != 0),
            ..created(pb::INodeType::ITypeFile, &op.path, op.atime, &op.permissions)
        }),
        // An append, in layouts before OP_APPEND.
        EditOp::Add(op) => append(&op.path, false),
        EditOp::Append(op) => append(&op.path, op.new_block),
        EditOp::Close(op) => {
            let bytes = op.blocks.iter().map(|block| block.num_bytes.cast_signed());
            close(&op.path, bytes.fold(0, i64::wrapping_add), op.mtime)
        }
        EditOp::Mkdir(op) => {
            create(created(pb::INodeType::ITypeDirectory, &op.path, op.timestamp, &op.permissions))
        }
        EditOp::Symlink(op) => create(pb::CreateEventProto {
            symlink_target: Some(text(&op.value)),
            ..created(pb::INodeType::ITypeSymlink, &op.path, op.atime, &op.permission_status)
        }),
        EditOp::RenameOld(op) => rename(&op.src, &op.dst, op.timestamp),
        EditOp::Rename(op) => rename(&op.src, &op.dst, op.timestamp),
        EditOp::Delete(op) => unlink(&op.path, op.timestamp),
        EditOp::ConcatDelete(op) => {
            let mut events = vec![append(&op.trg, false)];
            events.extend(op.srcs.iter().map(|src| unlink(src, op.timestamp)));
            // Hadoop does not know the length here.
            events.push(close(&op.trg, -1, op.timestamp));
            return Some(events);
        }
        EditOp::Truncate(op) => {
            let event = pb::TruncateEventProto {
                path: text(&op.src),
                file_size: op.new_length.cast_signed(),
                timestamp: millis(op.timestamp),
            };
            wrapped(pb::EventType::EventTruncate, &event)
        }
        _ => wrapped(pb::EventType::EventMetadata, &metadata(op)?),
    };
    Some(vec![event])
}

/// Changes of attributes.
fn metadata(op: &EditOp) -> Option<pb::MetadataUpdateEventProto> {
    use pb::MetadataUpdateType as Kind;
    let changed = |kind: Kind, path: &[u8]| pb::MetadataUpdateEventProto {
        path: text(path),
        r#type: kind as i32,
        mtime: Some(0),
        atime: Some(0),
        replication: Some(0),
        owner_name: Some(String::new()),
        group_name: Some(String::new()),
        perms: None,
        acls: Vec::new(),
        x_attrs: Vec::new(),
        x_attrs_removed: Some(false),
    };
    Some(match op {
        EditOp::SetReplication(op) => pb::MetadataUpdateEventProto {
            replication: Some(i32::from(op.replication.cast_signed())),
            ..changed(Kind::MetaTypeReplication, &op.path)
        },
        EditOp::SetPermissions(op) => pb::MetadataUpdateEventProto {
            perms: Some(mode(op.permissions)),
            ..changed(Kind::MetaTypePerms, &op.src)
        },
        EditOp::SetOwner(op) => pb::MetadataUpdateEventProto {
            owner_name: Some(op.username.clone().unwrap_or_default()),
            group_name: Some(op.groupname.clone().unwrap_or_default()),
            ..changed(Kind::MetaTypeOwner, &op.src)
        },
        EditOp::Times(op) => pb::MetadataUpdateEventProto {
            mtime: Some(op.mtime),
            atime: Some(op.atime),
            ..changed(Kind::MetaTypeTimes, &op.path)
        },
        EditOp::SetAcl(op) => pb::MetadataUpdateEventProto {
            acls: op.acl_entries.iter().map(acl_proto).collect(),
            ..changed(Kind::MetaTypeAcls, &op.src)
        },
        EditOp::SetXAttr(op) => pb::MetadataUpdateEventProto {
            x_attrs: op.x_attrs.iter().map(x_attr_proto).collect(),
            ..changed(Kind::MetaTypeXattrs, &op.src)
        },
        EditOp::RemoveXAttr(op) => pb::MetadataUpdateEventProto {
            x_attrs: op.x_attrs.iter().map(x_attr_proto).collect(),
            x_attrs_removed: Some(true),
            ..changed(Kind::MetaTypeXattrs, &op.src)
        },
        _ => return None,
    })
}

fn created(
    kind: pb::INodeType,
    path: &[u8],
    ctime: WallMillis,
    status: &PermissionStatus,
) -> pb::CreateEventProto {
    pb::CreateEventProto {
        r#type: kind as i32,
        path: text(path),
        ctime: millis(ctime),
        owner_name: status.user.clone(),
        group_name: status.group.clone(),
        perms: mode(status.permission),
        replication: Some(0),
        symlink_target: Some(String::new()),
        overwrite: Some(false),
        default_block_size: Some(0),
        erasure_coded: None,
    }
}

fn create(event: pb::CreateEventProto) -> pb::EventProto {
    wrapped(pb::EventType::EventCreate, &event)
}

fn append(path: &[u8], new_block: bool) -> pb::EventProto {
    let event = pb::AppendEventProto { path: text(path), new_block: Some(new_block) };
    wrapped(pb::EventType::EventAppend, &event)
}

fn close(path: &[u8], file_size: i64, mtime: WallMillis) -> pb::EventProto {
    let event = pb::CloseEventProto { path: text(path), file_size, timestamp: millis(mtime) };
    wrapped(pb::EventType::EventClose, &event)
}

fn rename(src: &[u8], dst: &[u8], timestamp: WallMillis) -> pb::EventProto {
    let event = pb::RenameEventProto {
        src_path: text(src),
        dest_path: text(dst),
        timestamp: millis(timestamp),
    };
    wrapped(pb::EventType::EventRename, &event)
}

fn unlink(path: &[u8], timestamp: WallMillis) -> pb::EventProto {
    let event = pb::UnlinkEventProto { path: text(path), timestamp: millis(timestamp) };
    wrapped(pb::EventType::EventUnlink, &event)
}

fn wrapped(kind: pb::EventType, event: &impl Message) -> pb::EventProto {
    pb::EventProto { r#type: kind as i32, contents: event.encode_to_vec().into() }
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn millis(time: WallMillis) -> i64 {
    time.0.cast_signed()
}

fn mode(permission: FsPermission) -> pb::FsPermissionProto {
    pb::FsPermissionProto { perm: u32::from(permission.0 & 0o1777) }
}
