//! The edit log: what is written comes back, and each kind of damage is told from the others.

#![allow(clippy::unwrap_used)] // Clippy does not see that helpers of tests are tests.

use hdfs_format::edits::*;
use hdfs_format::layout_version::Layout;
use hdfs_types::{
    Block, BlockId, CallId, ClientId, FsAction, FsPermission, GenerationStamp, INodeId,
    PermissionStatus, StorageType, TxId, WallMillis,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn path() -> impl Strategy<Value = Vec<u8>> {
    "(/[a-z\u{e4}\u{65e5}\u{1F600}]{1,4}){1,3}".prop_map(String::into_bytes)
}

fn text() -> impl Strategy<Value = String> {
    "[ -~\u{e4}\u{1F600}]{0,6}"
}

fn millis() -> impl Strategy<Value = WallMillis> {
    any::<u64>().prop_map(WallMillis)
}

fn block() -> impl Strategy<Value = Block> {
    any::<(i64, u64, u64)>().prop_map(|(id, num_bytes, stamp)| Block {
        id: BlockId(id),
        num_bytes: num_bytes >> 1,
        generation_stamp: GenerationStamp(stamp),
    })
}

fn retry() -> impl Strategy<Value = RetryKey> {
    (any::<[u8; 16]>(), any::<i32>(), any::<bool>()).prop_map(|(client_id, call_id, present)| {
        if present {
            RetryKey { client_id: ClientId(client_id), call_id: CallId(call_id) }
        } else {
            RetryKey::NONE
        }
    })
}

fn permissions() -> impl Strategy<Value = PermissionStatus> {
    (text(), text(), any::<u16>()).prop_map(|(user, group, mode)| PermissionStatus {
        user,
        group,
        permission: FsPermission(mode),
    })
}

fn acl() -> impl Strategy<Value = Vec<AclEntry>> {
    use AclEntryType::{Group, Mask, Other, User};
    let kind = prop_oneof![Just(User), Just(Group), Just(Mask), Just(Other)];
    let scope = prop_oneof![Just(AclEntryScope::Access), Just(AclEntryScope::Default)];
    let entry = (kind, scope, 0_u8..8, option::of("[ -~\u{1F600}]{1,6}")).prop_map(
        |(kind, scope, bits, name)| AclEntry { kind, scope, permission: FsAction(bits), name },
    );
    vec(entry, 0..3)
}

fn x_attrs() -> impl Strategy<Value = Vec<XAttr>> {
    use XAttrNamespace::{Raw, Security, System, Trusted, User};
    let namespace = prop_oneof![Just(User), Just(Trusted), Just(Security), Just(System), Just(Raw)];
    let x_attr = (namespace, text(), option::of(vec(any::<u8>(), 0..4)))
        .prop_map(|(namespace, name, value)| XAttr { namespace, name, value });
    vec(x_attr, 0..3)
}

fn file_op() -> impl Strategy<Value = EditOp> {
    let add = (
        (any::<u64>(), path(), any::<u16>(), millis(), millis(), any::<u64>()),
        (vec(block(), 0..3), permissions(), acl(), x_attrs(), text(), text()),
        (any::<bool>(), any::<u8>(), any::<u8>(), retry()),
    )
        .prop_map(|(a, b, c)| {
            EditOp::Add(Box::new(AddOp {
                inode_id: INodeId(a.0),
                path: a.1,
                replication: a.2,
                mtime: a.3,
                atime: a.4,
                block_size: a.5,
                blocks: b.0,
                permissions: b.1,
                acl_entries: b.2,
                x_attrs: b.3,
                client_name: b.4,
                client_machine: b.5,
                overwrite: c.0,
                storage_policy_id: c.1,
                erasure_coding_policy_id: c.2,
                retry: c.3,
            }))
        });
    let close = (any::<u64>(), path(), any::<u16>(), millis(), vec(block(), 0..3), permissions())
        .prop_map(|(id, path, replication, mtime, blocks, permissions)| {
            EditOp::Close(CloseOp {
                inode_id: INodeId(id),
                path,
                replication,
                mtime,
                atime: mtime,
                block_size: id,
                blocks,
                permissions,
            })
        });
    let add_block = (path(), option::of(block()), block(), retry()).prop_map(
        |(path, penultimate_block, last_block, retry)| {
            EditOp::AddBlock(AddBlockOp { path, penultimate_block, last_block, retry })
        },
    );
    let update = (path(), vec(block(), 0..4), retry()).prop_map(|(path, blocks, retry)| {
        EditOp::UpdateBlocks(UpdateBlocksOp { path, blocks, retry })
    });
    let truncate = (path(), text(), text(), any::<u64>(), option::of(block())).prop_map(
        |(src, client_name, client_machine, new_length, truncate_block)| {
            EditOp::Truncate(TruncateOp {
                src,
                client_name,
                client_machine,
                new_length,
                timestamp: WallMillis(new_length),
                truncate_block,
            })
        },
    );
    let append = (path(), text(), text(), any::<bool>(), retry()).prop_map(
        |(path, client_name, client_machine, new_block, retry)| {
            EditOp::Append(AppendOp { path, client_name, client_machine, new_block, retry })
        },
    );
    prop_oneof![add, close, add_block, update, truncate, append]
}

fn tree_op() -> impl Strategy<Value = EditOp> {
    let mkdir = (any::<u64>(), path(), millis(), permissions(), acl(), x_attrs()).prop_map(
        |(id, path, timestamp, permissions, acl_entries, x_attrs)| {
            let inode_id = INodeId(id);
            EditOp::Mkdir(MkdirOp { inode_id, path, timestamp, permissions, acl_entries, x_attrs })
        },
    );
    let option = prop_oneof![
        Just(RenameOption::None),
        Just(RenameOption::Overwrite),
        Just(RenameOption::ToTrash)
    ];
    let rename = (path(), path(), millis(), vec(option, 0..3), retry()).prop_map(
        |(src, dst, timestamp, options, retry)| {
            EditOp::Rename(RenameOp { src, dst, timestamp, options, retry })
        },
    );
    let concat =
        (path(), vec(path(), 0..4), millis(), retry()).prop_map(|(trg, srcs, timestamp, retry)| {
            EditOp::ConcatDelete(ConcatDeleteOp { trg, srcs, timestamp, retry })
        });
    let delete = (path(), millis(), retry())
        .prop_map(|(path, timestamp, retry)| EditOp::Delete(DeleteOp { path, timestamp, retry }));
    let symlink = (any::<u64>(), path(), path(), millis(), permissions(), retry()).prop_map(
        |(id, path, value, mtime, permission_status, retry)| {
            EditOp::Symlink(SymlinkOp {
                inode_id: INodeId(id),
                path,
                value,
                mtime,
                atime: mtime,
                permission_status,
                retry,
            })
        },
    );
    let snapshot = (path(), text(), text(), millis(), retry()).prop_map(
        |(snapshot_root, old, new, mtime, retry)| {
            EditOp::RenameSnapshot(RenameSnapshotOp {
                snapshot_root,
                snapshot_old_name: old.into_bytes(),
                snapshot_new_name: new.into_bytes(),
                mtime,
                retry,
            })
        },
    );
    prop_oneof![mkdir, rename, concat, delete, symlink, snapshot]
}

fn other_op() -> impl Strategy<Value = EditOp> {
    let acl = (path(), acl())
        .prop_map(|(src, acl_entries)| EditOp::SetAcl(SetAclOp { src, acl_entries }));
    let x_attr = (path(), x_attrs(), retry())
        .prop_map(|(src, x_attrs, retry)| EditOp::SetXAttr(SetXAttrOp { src, x_attrs, retry }));
    let kind = (0..StorageType::ALL.len()).prop_map(|index| StorageType::ALL[index]);
    let quota = (path(), any::<i64>(), kind).prop_map(|(src, ds_quota, storage_type)| {
        EditOp::SetQuotaByStorageType(SetQuotaByStorageTypeOp { src, ds_quota, storage_type })
    });
    let owner = (path(), option::of("[a-z]{1,4}"), option::of("[a-z]{1,4}")).prop_map(
        |(src, username, groupname)| EditOp::SetOwner(SetOwnerOp { src, username, groupname }),
    );
    let token = (text(), text(), text(), any::<(u64, u64, i32, i32)>(), millis()).prop_map(
        |(owner, renewer, real_user, numbers, expiry_time)| {
            let token = DelegationTokenIdentifier {
                owner,
                renewer,
                real_user,
                issue_date: WallMillis(numbers.0),
                max_date: WallMillis(numbers.1),
                sequence_number: numbers.2,
                master_key_id: numbers.3,
            };
            EditOp::GetDelegationToken(GetDelegationTokenOp { token, expiry_time })
        },
    );
    let key = (any::<i32>(), millis(), option::of(vec(any::<u8>(), 0..20))).prop_map(
        |(key_id, expiry_date, key)| {
            let key = DelegationKey { key_id, expiry_date, key };
            EditOp::UpdateMasterKey(UpdateMasterKeyOp { key })
        },
    );
    let directive = (
        any::<i64>(),
        option::of(path()),
        option::of(any::<u16>()),
        option::of(text()),
        option::of(millis()),
        retry(),
    )
        .prop_map(|(id, path, replication, pool, expiration, retry)| {
            let directive = CacheDirectiveInfo { id, path, replication, pool, expiration };
            EditOp::ModifyCacheDirective(ModifyCacheDirectiveInfoOp { directive, retry })
        });
    let pool = (
        (text(), option::of(text()), option::of(text()), option::of(any::<u16>())),
        (option::of(any::<i64>()), option::of(any::<i64>()), option::of(any::<u16>())),
        retry(),
    )
        .prop_map(|(a, b, retry)| {
            let info = CachePoolInfo {
                pool_name: a.0,
                owner_name: a.1,
                group_name: a.2,
                mode: a.3.map(FsPermission),
                limit: b.0,
                max_relative_expiry_ms: b.1,
                default_replication: b.2,
            };
            EditOp::AddCachePool(AddCachePoolOp { info, retry })
        });
    let units = || 1..=i32::MAX;
    let policy = (text(), (units(), units(), units()), vec((text(), text()), 0..2), retry())
        .prop_map(|(codec_name, (data, parity, cell_size), extra_options, retry)| {
            let ec_policy = ErasureCodingPolicyDefinition {
                codec_name,
                num_data_units: data,
                num_parity_units: parity,
                cell_size: cell_size & !1023 | 1024,
                extra_options,
            };
            EditOp::AddErasureCodingPolicy(AddErasureCodingPolicyOp { ec_policy, retry })
        });
    prop_oneof![acl, x_attr, quota, owner, token, key, directive, pool, policy]
}

fn any_op() -> impl Strategy<Value = EditOp> {
    prop_oneof![file_op(), tree_op(), other_op()]
}

fn segment(first: u64, ops: &[EditOp]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_header(&mut bytes);
    for (op, txid) in ops.iter().zip(first..) {
        encode_op(&mut bytes, TxId(txid), op);
    }
    bytes
}

fn read(bytes: &[u8], expected: Expected) -> Result<Vec<(TxId, EditOp)>, SegmentError> {
    let mut reader = SegmentReader::open("edits", bytes, expected)?;
    let mut ops = Vec::new();
    while let Some(op) = reader.next()? {
        ops.push(op);
    }
    Ok(ops)
}

fn some_ops() -> Vec<EditOp> {
    let stamp =
        |stamp| EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp: GenerationStamp(stamp) });
    let delete = EditOp::Delete(DeleteOp {
        path: b"/dir/file".to_vec(),
        timestamp: WallMillis(1_795_253_399_999),
        retry: RetryKey { client_id: ClientId([7; 16]), call_id: CallId(3) },
    });
    vec![EditOp::StartLogSegment, stamp(1001), delete, stamp(1002), EditOp::EndLogSegment]
}

fn in_progress() -> Expected {
    Expected { first: Some(TxId(10)), last: None }
}

fn finalized() -> Expected {
    Expected { first: Some(TxId(10)), last: Some(TxId(14)) }
}

/// Where each operation starts, and where the last one ends.
fn bounds(ops: &[EditOp]) -> Vec<usize> {
    (0..=ops.len()).map(|count| segment(10, &ops[..count]).len()).collect()
}

proptest! {
    #[test]
    fn what_is_written_comes_back(ops in vec(any_op(), 1..4), first in 1_u64..1 << 60) {
        let bytes = segment(first, &ops);
        let last = first + ops.len() as u64 - 1;
        let expected = Expected { first: Some(TxId(first)), last: Some(TxId(last)) };
        let read = read(&bytes, expected).unwrap();
        let txids: Vec<u64> = read.iter().map(|(txid, _)| txid.0).collect();
        prop_assert_eq!(txids, (first..=last).collect::<Vec<_>>());
        let read: Vec<EditOp> = read.into_iter().map(|(_, op)| op).collect();
        prop_assert_eq!(&read, &ops);
        prop_assert_eq!(segment(first, &read), bytes);
    }

    #[test]
    fn bodies_that_are_noise_never_panic(opcode in any::<u8>(), body in vec(any::<u8>(), 0..200)) {
        for layout in [-16, -28, -33, -37, -41, -47, -53, -56, -61, -64, -67] {
            let _ = decode_body(opcode, &body, Layout::of(layout));
        }
    }

    #[test]
    fn a_flipped_byte_of_a_body_never_panics(op in any_op(), place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let bytes = segment(1, std::slice::from_ref(&op));
        let mut body = bytes[HEADER_BYTES + 13..bytes.len() - 4].to_vec();
        if !body.is_empty() {
            let place = place.index(body.len());
            body[place] ^= flip;
            if let Ok(decoded) = decode_body(op.opcode(), &body, Layout::CURRENT) {
                let mut again = Vec::new();
                encode_op(&mut again, TxId(1), &decoded);
            }
        }
    }
}

#[test]
fn a_cut_in_progress_segment_has_a_torn_tail_and_a_cut_finalized_one_is_damaged() {
    let ops = some_ops();
    let (bytes, bounds) = (segment(10, &ops), bounds(&ops));
    for length in 0..=bytes.len() {
        let cut = &bytes[..length];
        let whole = bounds.iter().rposition(|bound| *bound <= length);
        match (whole, read(cut, in_progress())) {
            (None, Err(SegmentError::NoHeader { .. })) => assert!(length < HEADER_BYTES),
            (Some(count), Ok(read)) => {
                assert_eq!(
                    (read.len(), bounds[count]),
                    (count, length),
                    "only at an operation's end"
                );
            }
            (Some(count), Err(SegmentError::TornTail { offset, last, .. })) => {
                assert_eq!(offset as usize, bounds[count]);
                assert_eq!(last, (count > 0).then(|| TxId(9 + count as u64)));
            }
            (_, other) => panic!("{length}: {other:?}"),
        }
        if length < bytes.len() {
            let error = read(cut, finalized()).unwrap_err();
            assert!(matches!(error, SegmentError::Corrupt(_)), "{length}: {error}");
        }
    }
}

#[test]
fn a_flipped_byte_is_damage_unless_it_is_in_the_last_operation() {
    let ops = some_ops();
    let (bytes, bounds) = (segment(10, &ops), bounds(&ops));
    for index in HEADER_BYTES..bytes.len() {
        for flip in [1, 0x80, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[index] ^= flip;
            let op = bounds.iter().rposition(|bound| *bound <= index).unwrap();
            let in_last = op + 1 == ops.len();
            match read(&damaged, in_progress()).unwrap_err() {
                SegmentError::Corrupt(corrupt) => {
                    assert!(!in_last, "{index}: {corrupt}");
                    assert_eq!(corrupt.offset as usize, bounds[op]);
                    assert!(corrupt.to_string().contains("-recover"), "{corrupt}");
                }
                SegmentError::TornTail { offset, .. } => {
                    assert!(in_last, "{index}");
                    assert_eq!(offset as usize, bounds[op]);
                }
                other => panic!("{index}: {other}"),
            }
            let error = read(&damaged, finalized()).unwrap_err();
            assert!(matches!(error, SegmentError::Corrupt(_)), "{index}: {error}");
        }
    }
}

#[test]
fn unused_space_ends_a_segment_cleanly_also_below_a_torn_write() {
    let ops = some_ops();
    let mut bytes = segment(10, &ops);
    let end = bytes.len();
    bytes.resize(end + PREALLOCATION_BYTES, FILL);
    assert_eq!(read(&bytes, in_progress()).unwrap().len(), ops.len());
    let summary = SegmentReader::open("edits", &bytes, in_progress()).unwrap().scan();
    assert_eq!((summary.end, summary.error), (end as u64, None));
    assert_eq!((summary.first, summary.last), (Some(TxId(10)), Some(TxId(14))));

    // The first half of an operation arrived, the rest is still unused space.
    let mut next = Vec::new();
    encode_op(&mut next, TxId(15), &ops[2]);
    bytes[end..end + next.len() / 2].copy_from_slice(&next[..next.len() / 2]);
    let error = read(&bytes, in_progress()).unwrap_err();
    assert!(
        matches!(&error, SegmentError::TornTail { offset, last: Some(TxId(14)), .. } if *offset == end as u64),
        "{error}"
    );

    // The second half arrived without the first: an operation is there, so the hole below it is damage.
    bytes[end..end + next.len()].fill(FILL);
    bytes[end + 64..end + 64 + next.len()].copy_from_slice(&next);
    let error = read(&bytes, in_progress()).unwrap_err();
    assert!(matches!(&error, SegmentError::Corrupt(_)), "{error}");
}

#[test]
fn missing_transactions_are_a_gap() {
    let ops = some_ops();
    let mut bytes = segment(10, &ops[..2]);
    encode_op(&mut bytes, TxId(13), &ops[3]);
    let error = read(&bytes, in_progress()).unwrap_err();
    assert!(
        matches!(error, SegmentError::Gap { expected: TxId(12), found: TxId(13), .. }),
        "{error}"
    );
    let error = read(&segment(11, &ops), in_progress()).unwrap_err();
    assert!(
        matches!(error, SegmentError::Gap { expected: TxId(10), found: TxId(11), .. }),
        "{error}"
    );
}

#[test]
fn a_segment_without_header_or_of_another_layout_is_told() {
    for empty in
        [vec![], vec![0xFF; 8], vec![0; 4096], vec![0xFF; PREALLOCATION_BYTES], vec![0xFF; 3]]
    {
        let error = read(&empty, in_progress()).unwrap_err();
        assert!(matches!(error, SegmentError::NoHeader { .. }), "{error}");
        let error = read(&empty, finalized()).unwrap_err();
        assert!(matches!(error, SegmentError::Corrupt(_)), "{error}");
    }
    let mut newer = segment(10, &some_ops());
    newer[..4].copy_from_slice(&(-68_i32).to_be_bytes());
    let error = read(&newer, in_progress()).unwrap_err().to_string();
    assert!(error.contains("unexpected version of the edit log: -68"), "{error}");
}

#[test]
fn an_operation_above_the_limit_is_not_read() {
    let bytes = segment(10, &some_ops());
    let reader = SegmentReader::open("edits", &bytes, finalized()).unwrap();
    let error = reader.with_max_op_bytes(30).scan().error.unwrap().to_string();
    assert!(error.contains("dfs.namenode.max.op.size is 30"), "{error}");
}

#[test]
fn strings_that_the_log_cannot_hold_are_found_before_they_are_written() {
    let op = |length| {
        EditOp::Append(AppendOp {
            path: b"/f".to_vec(),
            client_name: "x".repeat(length),
            client_machine: String::new(),
            new_block: false,
            retry: RetryKey::NONE,
        })
    };
    assert_eq!(op(MAX_STRING_BYTES).check_strings(), Ok(()));
    assert_eq!(op(MAX_STRING_BYTES + 1).check_strings(), Err("client name"));
    for length in [MAX_STRING_BYTES, MAX_STRING_BYTES + 1, 100_000] {
        let bytes = segment(1, &[op(length)]);
        let read = read(&bytes, Expected::default()).unwrap();
        assert_eq!(read[0].1, op(MAX_STRING_BYTES), "a log that goes on matters more");
    }
    // Wherever the cut falls in a surrogate pair, what is left is text.
    for before in 0..6 {
        let name = "x".repeat(before) + &"\u{1F600}".repeat(20_000);
        let cut = RemoveCachePoolOp { pool_name: name, retry: RetryKey::NONE };
        let bytes = segment(1, &[EditOp::RemoveCachePool(cut)]);
        let read = read(&bytes, Expected::default()).unwrap();
        let EditOp::RemoveCachePool(op) = &read[0].1 else { panic!("{:?}", read[0].1) };
        assert_eq!(op.pool_name.chars().count(), before + (MAX_STRING_BYTES - before) / 6);
    }
}

#[test]
fn a_mode_of_xml_has_the_bits_that_the_log_keeps() {
    let xml = "<?xml version=\"1.0\"?><EDITS><EDITS_VERSION>-67</EDITS_VERSION><RECORD>\
        <OPCODE>OP_SET_PERMISSIONS</OPCODE><DATA><TXID>1</TXID><SRC>/f</SRC><MODE>-20</MODE></DATA>\
        </RECORD></EDITS>";
    let (mut segment, options) = (Vec::new(), xml::Options::default());
    let (from, to) = (xml::Format::Xml, xml::Processor::Binary);
    xml::view("edits.xml", xml.as_bytes(), from, to, options, &mut segment, |_| {}).unwrap();
    let read = read(&segment, Expected::default()).unwrap();
    let EditOp::SetPermissions(op) = &read[0].1 else { panic!("{:?}", read[0].1) };
    assert_eq!(op.permissions, FsPermission(0o1754));
}
