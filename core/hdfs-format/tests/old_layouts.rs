//! Edit logs of every layout that Hadoop 3.5.0 reads: an encoder of old layouts writes one operation of each kind, and
//! what is read is that operation, without the fields that its layout does not have.
//!
//! `testdata/hadoop-3.5.0/edits` holds what Apache's viewer prints for some of these segments; see its PROVENANCE.md.

#![allow(clippy::unwrap_used)] // Clippy does not see that helpers of tests are tests.

use hdfs_format::edits::xml::write_xml;
use hdfs_format::edits::*;
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_types::{
    Block, BlockId, CallId, ClientId, FsAction, FsPermission, GenerationStamp, INodeId,
    PermissionStatus, TxId, WallMillis,
};

/// Writes operations as software of another time did.
struct Old {
    layout: Layout,
    out: Vec<u8>,
}

impl Old {
    fn has(&self, feature: Feature) -> bool {
        self.layout.supports(feature)
    }

    fn string(&mut self, text: &[u8]) {
        self.out.extend((text.len() as u16).to_be_bytes());
        self.out.extend(text);
    }

    /// How many texts follow, in layouts that say so.
    fn fields(&mut self, count: i32) {
        if !self.has(Feature::EditlogOpOptimization) {
            self.out.extend(count.to_be_bytes());
        }
    }

    fn long(&mut self, value: u64) {
        if self.has(Feature::EditlogOpOptimization) {
            self.out.extend(value.to_be_bytes());
        } else {
            self.string(value.cast_signed().to_string().as_bytes());
        }
    }

    fn short(&mut self, value: u16) {
        if self.has(Feature::EditlogOpOptimization) {
            self.out.extend(value.to_be_bytes());
        } else {
            self.string(value.to_string().as_bytes());
        }
    }

    fn inode(&mut self, id: INodeId) {
        if self.has(Feature::AddInodeId) {
            self.out.extend(id.0.to_be_bytes());
        }
    }

    fn access_time(&mut self, time: WallMillis) {
        if self.has(Feature::FileAccessTime) {
            self.long(time.0);
        }
    }

    fn retry(&mut self, key: RetryKey) {
        if self.has(Feature::EditlogSupportRetryCache) {
            self.out.extend(16_u16.to_be_bytes());
            self.out.extend(key.client_id.0);
            self.out.extend(key.call_id.0.to_be_bytes());
        }
    }

    /// Fields that every layout stores in the same way, taken from the body in the newest one: its bytes from `from`, and
    /// up to `before_end` bytes before its end.
    fn copy(&mut self, op: &EditOp, from: usize, before_end: usize) {
        let body = newest_body(op);
        self.out.extend(&body[from..body.len() - before_end]);
    }

    fn permissions(&mut self, status: &PermissionStatus) {
        for name in [&status.user, &status.group] {
            self.out.push(name.len() as u8);
            self.out.extend(name.as_bytes());
        }
        self.out.extend(status.permission.0.to_be_bytes());
    }

    fn acl(&mut self, entries: &[AclEntry]) {
        if self.has(Feature::ExtendedAcl) {
            self.out.extend((entries.len() as i32).to_be_bytes());
            for entry in entries {
                let name = entry.name.as_deref().unwrap_or_default();
                let bits = (entry.scope as u8) << 5 | (entry.kind as u8) << 3 | entry.permission.0;
                self.out.push(u8::from(!name.is_empty()) << 6 | bits);
                if !name.is_empty() {
                    self.string(name.as_bytes());
                }
            }
        }
        if self.has(Feature::XAttrs) {
            self.out.push(0);
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        self.out.extend((blocks.len() as i32).to_be_bytes());
        for block in blocks {
            self.out.extend(block.id.0.to_be_bytes());
            self.out.extend(block.num_bytes.to_be_bytes());
            self.out.extend(block.generation_stamp.0.to_be_bytes());
        }
    }

    fn body(&mut self, op: &EditOp) {
        let times = i32::from(self.has(Feature::FileAccessTime));
        match op {
            EditOp::Add(add) => {
                self.fields(4 + times);
                self.inode(add.inode_id);
                self.string(&add.path);
                self.short(add.replication);
                self.long(add.mtime.0);
                self.access_time(add.atime);
                self.long(add.block_size);
                self.blocks(&add.blocks);
                self.permissions(&add.permissions);
                self.acl(&add.acl_entries);
                self.string(add.client_name.as_bytes());
                self.string(add.client_machine.as_bytes());
                let bytes = [
                    (Feature::CreateOverwrite, u8::from(add.overwrite)),
                    (Feature::BlockStoragePolicy, add.storage_policy_id),
                    (Feature::ErasureCoding, add.erasure_coding_policy_id),
                ];
                for (feature, byte) in bytes {
                    if self.has(feature) {
                        self.out.push(byte);
                    }
                }
                self.retry(add.retry);
            }
            EditOp::Close(close) => {
                self.fields(4 + times);
                self.inode(close.inode_id);
                self.string(&close.path);
                self.short(close.replication);
                self.long(close.mtime.0);
                self.access_time(close.atime);
                self.long(close.block_size);
                self.blocks(&close.blocks);
                self.permissions(&close.permissions);
            }
            EditOp::Mkdir(mkdir) => {
                self.fields(2 + times);
                self.inode(mkdir.inode_id);
                self.string(&mkdir.path);
                self.long(mkdir.timestamp.0);
                self.access_time(mkdir.timestamp);
                self.permissions(&mkdir.permissions);
                self.acl(&mkdir.acl_entries);
            }
            EditOp::Delete(delete) => {
                self.fields(2);
                self.string(&delete.path);
                self.long(delete.timestamp.0);
                self.retry(delete.retry);
            }
            EditOp::RenameOld(rename) => {
                self.fields(3);
                self.string(&rename.src);
                self.string(&rename.dst);
                self.long(rename.timestamp.0);
                self.retry(rename.retry);
            }
            EditOp::Rename(rename) => {
                self.fields(3);
                self.string(&rename.src);
                self.string(&rename.dst);
                self.long(rename.timestamp.0);
                self.out.extend((rename.options.len() as i32).to_be_bytes());
                self.out.extend(rename.options.iter().map(|option| *option as u8));
                self.retry(rename.retry);
            }
            EditOp::ConcatDelete(concat) => {
                self.fields(2 + concat.srcs.len() as i32);
                self.string(&concat.trg);
                if self.has(Feature::EditlogOpOptimization) {
                    self.out.extend((concat.srcs.len() as i32).to_be_bytes());
                }
                concat.srcs.iter().for_each(|src| self.string(src));
                self.long(concat.timestamp.0);
                self.retry(concat.retry);
            }
            EditOp::Symlink(link) => {
                self.fields(4);
                self.inode(link.inode_id);
                self.string(&link.path);
                self.string(&link.value);
                self.long(link.mtime.0);
                self.long(link.atime.0);
                self.permissions(&link.permission_status);
                self.retry(link.retry);
            }
            _ => self.other_body(op),
        }
    }

    fn other_body(&mut self, op: &EditOp) {
        const RETRY_BYTES: usize = 22;
        match op {
            EditOp::Times(times) => {
                self.fields(3);
                self.string(&times.path);
                self.long(times.mtime.cast_unsigned());
                self.long(times.atime.cast_unsigned());
            }
            EditOp::SetReplication(set) => {
                self.string(&set.path);
                self.short(set.replication);
            }
            EditOp::GetDelegationToken(GetDelegationTokenOp { expiry_time, .. })
            | EditOp::RenewDelegationToken(RenewDelegationTokenOp { expiry_time, .. }) => {
                self.copy(op, 0, 8);
                self.long(expiry_time.0);
            }
            EditOp::CreateSnapshot(_) | EditOp::DeleteSnapshot(_) | EditOp::RenameSnapshot(_) => {
                let times = self.has(Feature::SnapshotModificationTime);
                self.copy(op, 0, RETRY_BYTES + if times { 0 } else { 8 });
                self.retry(op.retry_key());
            }
            _ if op.retry_key().is_present() => {
                self.copy(op, 0, RETRY_BYTES);
                self.retry(op.retry_key());
            }
            _ => self.copy(op, 0, 0),
        }
    }

    fn operation(&mut self, txid: u64, op: &EditOp) {
        let start = self.out.len();
        self.out.push(op.opcode());
        let length = self.has(Feature::EditlogLength);
        if length {
            self.out.extend([0; 4]);
        }
        if self.has(Feature::StoredTxids) {
            self.out.extend(txid.to_be_bytes());
        }
        self.body(op);
        if length {
            let bytes = (self.out.len() - start - 1) as u32;
            self.out[start + 1..start + 5].copy_from_slice(&bytes.to_be_bytes());
        }
        if self.has(Feature::EditsChecksum) {
            let checksum = crc_fast::crc32_iso_hdlc(&self.out[start..]);
            self.out.extend(checksum.to_be_bytes());
        }
    }
}

fn newest_body(op: &EditOp) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_op(&mut bytes, TxId(1), op);
    bytes[13..bytes.len() - 4].to_vec()
}

/// A segment of a layout, with the operations numbered from 1, and unused space.
fn segment(layout: Layout, ops: &[EditOp]) -> Vec<u8> {
    let mut old = Old { layout, out: layout.version().to_be_bytes().to_vec() };
    if old.has(Feature::AddLayoutFlags) {
        old.out.extend([0; 4]);
    }
    for (txid, op) in (1..).zip(ops) {
        old.operation(txid, op);
    }
    old.out.extend([FILL; 100]);
    old.out
}

/// The operation without what a layout does not store.
fn as_stored(layout: Layout, op: &EditOp) -> EditOp {
    let has = |feature| layout.supports(feature);
    let retry = |key: &mut RetryKey| {
        if !has(Feature::EditlogSupportRetryCache) {
            *key = RetryKey::NONE;
        }
    };
    let inode = |id: &mut INodeId| {
        if !has(Feature::AddInodeId) {
            *id = INodeId(0);
        }
    };
    let time = |time: &mut WallMillis, feature| {
        if !has(feature) {
            *time = WallMillis(0);
        }
    };
    let acl = |entries: &mut Vec<AclEntry>| {
        if !has(Feature::ExtendedAcl) {
            entries.clear();
        }
    };
    let mut op = op.clone();
    match &mut op {
        EditOp::Add(op) => {
            inode(&mut op.inode_id);
            time(&mut op.atime, Feature::FileAccessTime);
            acl(&mut op.acl_entries);
            op.overwrite &= has(Feature::CreateOverwrite);
            op.storage_policy_id *= u8::from(has(Feature::BlockStoragePolicy));
            op.erasure_coding_policy_id *= u8::from(has(Feature::ErasureCoding));
            retry(&mut op.retry);
        }
        EditOp::Close(op) => {
            inode(&mut op.inode_id);
            time(&mut op.atime, Feature::FileAccessTime);
        }
        EditOp::Mkdir(op) => {
            inode(&mut op.inode_id);
            acl(&mut op.acl_entries);
        }
        EditOp::Symlink(op) => {
            inode(&mut op.inode_id);
            retry(&mut op.retry);
        }
        EditOp::CreateSnapshot(op) => {
            time(&mut op.mtime, Feature::SnapshotModificationTime);
            retry(&mut op.retry);
        }
        EditOp::DeleteSnapshot(op) => {
            time(&mut op.mtime, Feature::SnapshotModificationTime);
            retry(&mut op.retry);
        }
        EditOp::RenameSnapshot(op) => {
            time(&mut op.mtime, Feature::SnapshotModificationTime);
            retry(&mut op.retry);
        }
        EditOp::Delete(op) => retry(&mut op.retry),
        EditOp::RenameOld(op) => retry(&mut op.retry),
        EditOp::Rename(op) => retry(&mut op.retry),
        EditOp::ConcatDelete(op) => retry(&mut op.retry),
        EditOp::AddBlock(op) => retry(&mut op.retry),
        EditOp::UpdateBlocks(op) => retry(&mut op.retry),
        EditOp::Append(op) => retry(&mut op.retry),
        EditOp::SetXAttr(op) => retry(&mut op.retry),
        EditOp::RemoveCachePool(op) => retry(&mut op.retry),
        EditOp::EnableErasureCodingPolicy(op) => retry(&mut op.retry),
        _ => {}
    }
    op
}

/// One operation of each kind whose bytes changed, and some whose bytes did not.
fn samples() -> Vec<EditOp> {
    let retry = RetryKey { client_id: ClientId(*b"sixteen bytes id"), call_id: CallId(77) };
    let status = PermissionStatus {
        user: "ann".into(),
        group: "staff".into(),
        permission: FsPermission(0o644),
    };
    let at = WallMillis(1_300_000_000_123);
    let block =
        |id| Block { id: BlockId(id), num_bytes: 4096, generation_stamp: GenerationStamp(1007) };
    let acl = vec![AclEntry {
        kind: AclEntryType::User,
        scope: AclEntryScope::Access,
        permission: FsAction(6),
        name: Some("bob".into()),
    }];
    let token = DelegationTokenIdentifier {
        owner: "ann".into(),
        renewer: "yarn".into(),
        real_user: String::new(),
        issue_date: at,
        max_date: WallMillis(at.0 + 1000),
        sequence_number: 12,
        master_key_id: 3,
    };
    let snapshot = CreateSnapshotOp {
        snapshot_root: b"/d".to_vec(),
        snapshot_name: b"s1".to_vec(),
        mtime: at,
        retry,
    };
    let mut ops = vec![
        EditOp::StartLogSegment,
        EditOp::Add(Box::new(AddOp {
            inode_id: INodeId(16_400),
            path: "/d/file \u{e4}".into(),
            replication: 3,
            mtime: at,
            atime: WallMillis(at.0 + 5),
            block_size: 1 << 26,
            blocks: vec![block(-7_000_000_000), block(9)],
            permissions: status.clone(),
            acl_entries: acl.clone(),
            x_attrs: Vec::new(),
            client_name: "DFSClient_1".into(),
            client_machine: "10.0.0.1".into(),
            overwrite: true,
            storage_policy_id: 7,
            erasure_coding_policy_id: 0,
            retry,
        })),
        EditOp::Close(CloseOp {
            inode_id: INodeId(16_400),
            path: b"/d/file".to_vec(),
            replication: 2,
            mtime: at,
            atime: WallMillis(at.0 + 6),
            block_size: 1 << 26,
            blocks: vec![block(9)],
            permissions: status.clone(),
        }),
        EditOp::Mkdir(MkdirOp {
            inode_id: INodeId(16_401),
            path: b"/d".to_vec(),
            timestamp: at,
            permissions: status.clone(),
            acl_entries: acl,
            x_attrs: Vec::new(),
        }),
        EditOp::Delete(DeleteOp { path: b"/gone".to_vec(), timestamp: at, retry }),
        EditOp::RenameOld(RenameOldOp {
            src: b"/a".to_vec(),
            dst: b"/b".to_vec(),
            timestamp: at,
            retry,
        }),
        EditOp::Rename(RenameOp {
            src: b"/a".to_vec(),
            dst: b"/b".to_vec(),
            timestamp: at,
            options: vec![RenameOption::Overwrite],
            retry,
        }),
        EditOp::ConcatDelete(ConcatDeleteOp {
            trg: b"/t".to_vec(),
            srcs: vec![b"/1".to_vec(), b"/2".to_vec()],
            timestamp: at,
            retry,
        }),
        EditOp::Symlink(SymlinkOp {
            inode_id: INodeId(16_402),
            path: b"/link".to_vec(),
            value: b"/target".to_vec(),
            mtime: at,
            atime: at,
            permission_status: status,
            retry,
        }),
        EditOp::SetReplication(SetReplicationOp { path: b"/d/file".to_vec(), replication: 4 }),
        EditOp::Times(TimesOp { path: b"/d/file".to_vec(), mtime: -1, atime: 1_300_000_001_000 }),
        EditOp::GetDelegationToken(GetDelegationTokenOp { token: token.clone(), expiry_time: at }),
        EditOp::RenewDelegationToken(RenewDelegationTokenOp {
            token: token.clone(),
            expiry_time: at,
        }),
        EditOp::CancelDelegationToken(CancelDelegationTokenOp { token }),
        EditOp::UpdateMasterKey(UpdateMasterKeyOp {
            key: DelegationKey { key_id: 3, expiry_date: at, key: Some(vec![1, 2, 0xFE]) },
        }),
        EditOp::CreateSnapshot(snapshot.clone()),
        EditOp::DeleteSnapshot(DeleteSnapshotOp {
            snapshot_root: snapshot.snapshot_root.clone(),
            snapshot_name: snapshot.snapshot_name.clone(),
            mtime: at,
            retry,
        }),
        EditOp::RenameSnapshot(RenameSnapshotOp {
            snapshot_root: snapshot.snapshot_root,
            snapshot_old_name: snapshot.snapshot_name,
            snapshot_new_name: b"s2".to_vec(),
            mtime: at,
            retry,
        }),
    ];
    ops.extend([
        EditOp::SetGenstampV1(SetGenstampV1Op { generation_stamp: GenerationStamp(1007) }),
        EditOp::SetPermissions(SetPermissionsOp {
            src: b"/d".to_vec(),
            permissions: FsPermission(0o1777),
        }),
        EditOp::SetOwner(SetOwnerOp {
            src: b"/d".to_vec(),
            username: None,
            groupname: Some("g".into()),
        }),
        EditOp::SetNsQuota(SetNsQuotaOp { src: b"/d".to_vec(), ns_quota: 9 }),
        EditOp::ClearNsQuota(ClearNsQuotaOp { src: b"/d".to_vec() }),
        EditOp::SetQuota(SetQuotaOp { src: b"/d".to_vec(), ns_quota: 9, ds_quota: -1 }),
        EditOp::ReassignLease(ReassignLeaseOp {
            lease_holder: "DFSClient_1".into(),
            path: b"/d/file".to_vec(),
            new_holder: "HDFS_NameNode".into(),
        }),
        EditOp::UpdateBlocks(UpdateBlocksOp {
            path: b"/d/file".to_vec(),
            blocks: vec![block(9), block(10)],
            retry,
        }),
        EditOp::AddBlock(AddBlockOp {
            path: b"/d/file".to_vec(),
            penultimate_block: Some(block(9)),
            last_block: block(10),
            retry,
        }),
        EditOp::Append(AppendOp {
            path: b"/d/file".to_vec(),
            client_name: "c".into(),
            client_machine: "m".into(),
            new_block: true,
            retry,
        }),
        EditOp::SetXAttr(SetXAttrOp {
            src: b"/d".to_vec(),
            x_attrs: vec![XAttr {
                namespace: XAttrNamespace::User,
                name: "a".into(),
                value: Some(vec![7]),
            }],
            retry,
        }),
        EditOp::RemoveCachePool(RemoveCachePoolOp { pool_name: "p".into(), retry }),
        EditOp::EnableErasureCodingPolicy(ErasureCodingPolicyNameOp {
            ec_policy_name: "RS-6-3-1024k".into(),
            retry,
        }),
        EditOp::EndLogSegment,
    ]);
    ops
}

fn readable_layouts() -> impl Iterator<Item = Layout> {
    (-67..=-16).rev().map(Layout::of)
}

#[test]
fn operations_of_every_layout_are_read_without_the_fields_that_it_lacks() {
    let ops = samples();
    for layout in readable_layouts() {
        let bytes = segment(layout, &ops);
        let mut reader = SegmentReader::open("edits", &bytes, Expected::default()).unwrap();
        for (txid, op) in (1..).zip(&ops) {
            let (found, read) = reader.next().unwrap().unwrap();
            let expected = if reader.has_txids() { TxId(txid) } else { TxId(-12345_i64 as u64) };
            assert_eq!((found, read), (expected, as_stored(layout, op)), "{layout:?}");
        }
        assert_eq!(reader.next().unwrap(), None, "{layout:?}");
        assert_eq!(reader.position() as usize, bytes.len() - 100, "{layout:?}");
    }
}

#[test]
fn damage_of_an_old_log_is_never_read_as_an_operation_when_there_are_checksums() {
    let ops = samples();
    for version in [-28, -37, -40, -55, -56, -60] {
        let layout = Layout::of(version);
        let bytes = segment(layout, &ops);
        let end = bytes.len() - 100;
        let head = if layout.supports(Feature::AddLayoutFlags) { 8 } else { 4 };
        for index in head..end {
            let mut damaged = bytes.clone();
            damaged[index] ^= 0x55;
            let mut reader = SegmentReader::open("edits", &damaged, Expected::default()).unwrap();
            let mut read = 0;
            let error = loop {
                match reader.next() {
                    Ok(Some((_, op))) => assert_eq!(op, as_stored(layout, &ops[read])),
                    Ok(None) => panic!("{version}: byte {index} was not noticed"),
                    Err(error) => break error,
                }
                read += 1;
            };
            let torn = matches!(error, SegmentError::TornTail { .. });
            assert!(!torn || read + 1 == ops.len(), "{version}: byte {index} of {end}: {error}");
        }
    }
}

#[test]
fn the_text_of_old_layouts_is_that_of_apaches_viewer() {
    macro_rules! golden {
        ($($version:literal),*) => {
            [$((
                -$version,
                &include_bytes!(concat!("../../../testdata/hadoop-3.5.0/edits/layout-", $version, ".edits"))[..],
                include_str!(concat!("../../../testdata/hadoop-3.5.0/edits/layout-", $version, ".xml")),
            )),*]
        };
    }
    for (version, bytes, printed) in golden![16, 38, 41, 55] {
        assert!(segment(Layout::of(version), &samples()) == bytes, "these bytes were printed");
        let mut out = Vec::new();
        write_xml("edits", bytes, &mut out).unwrap();
        assert!(out == printed.as_bytes(), "layout {version} is printed differently");
    }
}
