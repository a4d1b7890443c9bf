//! Operations from XML elements: the inverse of `operations.rs`. What the XML does not show gets its default.

use super::input::Stanza;
use crate::edits::encode::storage_type_of_ordinal;
use crate::edits::op::*;
use hdfs_types::{
    Block, BlockId, CallId, ClientId, FsAction, FsPermission, GenerationStamp, INodeId,
    PermissionStatus, WallMillis,
};
use std::str::FromStr;

type Parsed<T> = Result<T, String>;

/// The operation with Hadoop's name `opcode` from the elements of its DATA.
pub(super) fn parse_op(opcode: &str, data: &Stanza) -> Parsed<EditOp> {
    Ok(match opcode {
        "OP_ADD" => EditOp::Add(Box::new(add(data)?)),
        "OP_CLOSE" => EditOp::Close(close(data)?),
        "OP_ADD_BLOCK" => {
            let mut blocks = blocks(data)?;
            let last_block = blocks.pop().ok_or("no entry found for BLOCK")?;
            let penultimate_block = blocks.pop();
            if !blocks.is_empty() {
                return Err("more than two blocks".to_owned());
            }
            let (path, retry) = (path(data, "PATH")?, retry(data)?);
            EditOp::AddBlock(AddBlockOp { path, penultimate_block, last_block, retry })
        }
        "OP_UPDATE_BLOCKS" => EditOp::UpdateBlocks(UpdateBlocksOp {
            path: path(data, "PATH")?,
            blocks: blocks(data)?,
            retry: retry(data)?,
        }),
        "OP_APPEND" => EditOp::Append(AppendOp {
            path: path(data, "PATH")?,
            client_name: string(data, "CLIENT_NAME")?,
            client_machine: string(data, "CLIENT_MACHINE")?,
            new_block: flag(data, "NEWBLOCK"),
            retry: retry(data)?,
        }),
        "OP_TRUNCATE" => EditOp::Truncate(TruncateOp {
            src: path(data, "SRC")?,
            client_name: string(data, "CLIENTNAME")?,
            client_machine: string(data, "CLIENTMACHINE")?,
            new_length: unsigned(data, "NEWLENGTH")?,
            timestamp: millis(data, "TIMESTAMP")?,
            truncate_block: blocks(data)?.pop(),
        }),
        "OP_SET_GENSTAMP_V1" => {
            EditOp::SetGenstampV1(SetGenstampV1Op { generation_stamp: stamp(data, "GENSTAMP")? })
        }
        "OP_SET_GENSTAMP_V2" => {
            EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp: stamp(data, "GENSTAMPV2")? })
        }
        "OP_ALLOCATE_BLOCK_ID" => {
            let block_id = BlockId(number(data, "BLOCK_ID")?);
            EditOp::AllocateBlockId(AllocateBlockIdOp { block_id })
        }
        "OP_REASSIGN_LEASE" => EditOp::ReassignLease(ReassignLeaseOp {
            lease_holder: string(data, "LEASEHOLDER")?,
            path: path(data, "PATH")?,
            new_holder: string(data, "NEWHOLDER")?,
        }),
        "OP_START_LOG_SEGMENT" => EditOp::StartLogSegment,
        "OP_END_LOG_SEGMENT" => EditOp::EndLogSegment,
        _ => tree_op(opcode, data)?,
    })
}

fn tree_op(opcode: &str, data: &Stanza) -> Parsed<EditOp> {
    Ok(match opcode {
        "OP_MKDIR" => EditOp::Mkdir(MkdirOp {
            inode_id: INodeId(unsigned(data, "INODEID")?),
            path: path(data, "PATH")?,
            timestamp: millis(data, "TIMESTAMP")?,
            permissions: permissions(data)?,
            acl_entries: acl(data)?,
            x_attrs: x_attrs(data)?,
        }),
        "OP_DELETE" => EditOp::Delete(DeleteOp {
            path: path(data, "PATH")?,
            timestamp: millis(data, "TIMESTAMP")?,
            retry: retry(data)?,
        }),
        "OP_RENAME_OLD" => EditOp::RenameOld(RenameOldOp {
            src: path(data, "SRC")?,
            dst: path(data, "DST")?,
            timestamp: millis(data, "TIMESTAMP")?,
            retry: retry(data)?,
        }),
        "OP_RENAME" => EditOp::Rename(RenameOp {
            src: path(data, "SRC")?,
            dst: path(data, "DST")?,
            timestamp: millis(data, "TIMESTAMP")?,
            options: rename_options(data.text("OPTIONS")?)?,
            retry: retry(data)?,
        }),
        "OP_CONCAT_DELETE" => {
            let sources = data.all("SOURCES").next().ok_or("no entry found for SOURCES")?;
            EditOp::ConcatDelete(ConcatDeleteOp {
                trg: path(data, "TRG")?,
                srcs: sources.children.iter().map(|src| src.text.clone().into_bytes()).collect(),
                timestamp: millis(data, "TIMESTAMP")?,
                retry: retry(data)?,
            })
        }
        "OP_SYMLINK" => EditOp::Symlink(SymlinkOp {
            inode_id: INodeId(unsigned(data, "INODEID")?),
            path: path(data, "PATH")?,
            value: path(data, "VALUE")?,
            mtime: millis(data, "MTIME")?,
            atime: millis(data, "ATIME")?,
            permission_status: permissions(data)?,
            retry: retry(data)?,
        }),
        _ => snapshot_op(opcode, data)?,
    })
}

fn snapshot_op(opcode: &str, data: &Stanza) -> Parsed<EditOp> {
    let snapshot_root = || path(data, "SNAPSHOTROOT");
    Ok(match opcode {
        "OP_CREATE_SNAPSHOT" => EditOp::CreateSnapshot(CreateSnapshotOp {
            snapshot_root: snapshot_root()?,
            snapshot_name: path(data, "SNAPSHOTNAME")?,
            mtime: millis(data, "MTIME")?,
            retry: retry(data)?,
        }),
        "OP_DELETE_SNAPSHOT" => EditOp::DeleteSnapshot(DeleteSnapshotOp {
            snapshot_root: snapshot_root()?,
            snapshot_name: path(data, "SNAPSHOTNAME")?,
            mtime: millis(data, "MTIME")?,
            retry: retry(data)?,
        }),
        "OP_RENAME_SNAPSHOT" => EditOp::RenameSnapshot(RenameSnapshotOp {
            snapshot_root: snapshot_root()?,
            snapshot_old_name: path(data, "SNAPSHOTOLDNAME")?,
            snapshot_new_name: path(data, "SNAPSHOTNEWNAME")?,
            mtime: millis(data, "MTIME")?,
            retry: retry(data)?,
        }),
        "OP_ALLOW_SNAPSHOT" => {
            EditOp::AllowSnapshot(AllowSnapshotOp { snapshot_root: snapshot_root()? })
        }
        "OP_DISALLOW_SNAPSHOT" => {
            EditOp::DisallowSnapshot(DisallowSnapshotOp { snapshot_root: snapshot_root()? })
        }
        _ => attribute_op(opcode, data)?,
    })
}

fn attribute_op(opcode: &str, data: &Stanza) -> Parsed<EditOp> {
    Ok(match opcode {
        "OP_SET_REPLICATION" => EditOp::SetReplication(SetReplicationOp {
            path: path(data, "PATH")?,
            replication: short(data, "REPLICATION")?,
        }),
        "OP_SET_PERMISSIONS" => EditOp::SetPermissions(SetPermissionsOp {
            src: path(data, "SRC")?,
            permissions: mode(short(data, "MODE")?),
        }),
        "OP_SET_OWNER" => EditOp::SetOwner(SetOwnerOp {
            src: path(data, "SRC")?,
            username: data.optional("USERNAME").map(str::to_owned),
            groupname: data.optional("GROUPNAME").map(str::to_owned),
        }),
        "OP_SET_NS_QUOTA" => EditOp::SetNsQuota(SetNsQuotaOp {
            src: path(data, "SRC")?,
            ns_quota: number(data, "NSQUOTA")?,
        }),
        "OP_CLEAR_NS_QUOTA" => EditOp::ClearNsQuota(ClearNsQuotaOp { src: path(data, "SRC")? }),
        "OP_SET_QUOTA" => EditOp::SetQuota(SetQuotaOp {
            src: path(data, "SRC")?,
            ns_quota: number(data, "NSQUOTA")?,
            ds_quota: number(data, "DSQUOTA")?,
        }),
        "OP_SET_QUOTA_BY_STORAGETYPE" => EditOp::SetQuotaByStorageType(SetQuotaByStorageTypeOp {
            src: path(data, "SRC")?,
            ds_quota: number(data, "DSQUOTA")?,
            storage_type: storage_type_of_ordinal(number(data, "STORAGETYPE")?)
                .ok_or("STORAGETYPE names no storage type")?,
        }),
        "OP_TIMES" => EditOp::Times(TimesOp {
            path: path(data, "PATH")?,
            mtime: number(data, "MTIME")?,
            atime: number(data, "ATIME")?,
        }),
        "OP_SET_ACL" => {
            EditOp::SetAcl(SetAclOp { src: path(data, "SRC")?, acl_entries: acl(data)? })
        }
        "OP_SET_XATTR" => EditOp::SetXAttr(SetXAttrOp {
            src: path(data, "SRC")?,
            x_attrs: x_attrs(data)?,
            retry: retry(data)?,
        }),
        "OP_REMOVE_XATTR" => EditOp::RemoveXAttr(RemoveXAttrOp {
            src: path(data, "SRC")?,
            x_attrs: x_attrs(data)?,
            retry: retry(data)?,
        }),
        "OP_SET_STORAGE_POLICY" => EditOp::SetStoragePolicy(SetStoragePolicyOp {
            path: path(data, "PATH")?,
            policy_id: byte(data, "POLICYID")?,
        }),
        _ => service_op(opcode, data)?,
    })
}

fn service_op(opcode: &str, data: &Stanza) -> Parsed<EditOp> {
    let policy = || -> Parsed<ErasureCodingPolicyNameOp> {
        let (ec_policy_name, retry) = (string(data, "POLICYNAME")?, retry(data)?);
        Ok(ErasureCodingPolicyNameOp { ec_policy_name, retry })
    };
    Ok(match opcode {
        "OP_GET_DELEGATION_TOKEN" => EditOp::GetDelegationToken(GetDelegationTokenOp {
            token: token(data)?,
            expiry_time: millis(data, "EXPIRY_TIME")?,
        }),
        "OP_RENEW_DELEGATION_TOKEN" => EditOp::RenewDelegationToken(RenewDelegationTokenOp {
            token: token(data)?,
            expiry_time: millis(data, "EXPIRY_TIME")?,
        }),
        "OP_CANCEL_DELEGATION_TOKEN" => {
            EditOp::CancelDelegationToken(CancelDelegationTokenOp { token: token(data)? })
        }
        "OP_UPDATE_MASTER_KEY" => {
            EditOp::UpdateMasterKey(UpdateMasterKeyOp { key: delegation_key(data)? })
        }
        "OP_ADD_CACHE_DIRECTIVE" => EditOp::AddCacheDirective(AddCacheDirectiveInfoOp {
            directive: directive(data)?,
            retry: retry(data)?,
        }),
        "OP_MODIFY_CACHE_DIRECTIVE" => EditOp::ModifyCacheDirective(ModifyCacheDirectiveInfoOp {
            directive: directive(data)?,
            retry: retry(data)?,
        }),
        "OP_REMOVE_CACHE_DIRECTIVE" => EditOp::RemoveCacheDirective(RemoveCacheDirectiveInfoOp {
            id: number(data, "ID")?,
            retry: retry(data)?,
        }),
        "OP_ADD_CACHE_POOL" => {
            EditOp::AddCachePool(AddCachePoolOp { info: pool(data)?, retry: retry(data)? })
        }
        "OP_MODIFY_CACHE_POOL" => {
            EditOp::ModifyCachePool(ModifyCachePoolOp { info: pool(data)?, retry: retry(data)? })
        }
        "OP_REMOVE_CACHE_POOL" => EditOp::RemoveCachePool(RemoveCachePoolOp {
            pool_name: string(data, "POOLNAME")?,
            retry: retry(data)?,
        }),
        "OP_ROLLING_UPGRADE_START" => {
            EditOp::RollingUpgradeStart(RollingUpgradeOp { time: millis(data, "STARTTIME")? })
        }
        "OP_ROLLING_UPGRADE_FINALIZE" => {
            EditOp::RollingUpgradeFinalize(RollingUpgradeOp { time: millis(data, "FINALIZETIME")? })
        }
        "OP_ADD_ERASURE_CODING_POLICY" => {
            EditOp::AddErasureCodingPolicy(AddErasureCodingPolicyOp {
                ec_policy: erasure_coding_policy(data)?,
                retry: retry(data)?,
            })
        }
        "OP_ENABLE_ERASURE_CODING_POLICY" => EditOp::EnableErasureCodingPolicy(policy()?),
        "OP_DISABLE_ERASURE_CODING_POLICY" => EditOp::DisableErasureCodingPolicy(policy()?),
        "OP_REMOVE_ERASURE_CODING_POLICY" => EditOp::RemoveErasureCodingPolicy(policy()?),
        other => return Err(format!("{other} is no operation")),
    })
}

fn add(data: &Stanza) -> Parsed<AddOp> {
    Ok(AddOp {
        inode_id: INodeId(unsigned(data, "INODEID")?),
        path: path(data, "PATH")?,
        replication: short(data, "REPLICATION")?,
        mtime: millis(data, "MTIME")?,
        atime: millis(data, "ATIME")?,
        block_size: unsigned(data, "BLOCKSIZE")?,
        blocks: blocks(data)?,
        permissions: permissions(data)?,
        acl_entries: acl(data)?,
        x_attrs: Vec::new(),
        client_name: string(data, "CLIENT_NAME")?,
        client_machine: string(data, "CLIENT_MACHINE")?,
        overwrite: flag(data, "OVERWRITE"),
        storage_policy_id: 0,
        erasure_coding_policy_id: match data.optional("ERASURE_CODING_POLICY_ID") {
            Some(_) => byte(data, "ERASURE_CODING_POLICY_ID")?,
            None => 0,
        },
        retry: retry(data)?,
    })
}

fn close(data: &Stanza) -> Parsed<CloseOp> {
    Ok(CloseOp {
        inode_id: INodeId(unsigned(data, "INODEID")?),
        path: path(data, "PATH")?,
        replication: short(data, "REPLICATION")?,
        mtime: millis(data, "MTIME")?,
        atime: millis(data, "ATIME")?,
        block_size: unsigned(data, "BLOCKSIZE")?,
        blocks: blocks(data)?,
        permissions: permissions(data)?,
    })
}

fn string(data: &Stanza, name: &str) -> Parsed<String> {
    data.text(name).map(str::to_owned)
}

fn path(data: &Stanza, name: &str) -> Parsed<Vec<u8>> {
    data.text(name).map(|text| text.as_bytes().to_vec())
}

fn number<T: FromStr>(data: &Stanza, name: &str) -> Parsed<T> {
    let text = data.text(name)?;
    text.parse().map_err(|_| format!("{name} is \"{text}\", not a number that fits"))
}

fn unsigned(data: &Stanza, name: &str) -> Parsed<u64> {
    number::<i64>(data, name).map(i64::cast_unsigned)
}

fn short(data: &Stanza, name: &str) -> Parsed<u16> {
    number::<i16>(data, name).map(i16::cast_unsigned)
}

fn byte(data: &Stanza, name: &str) -> Parsed<u8> {
    number::<i8>(data, name).map(i8::cast_unsigned)
}

fn millis(data: &Stanza, name: &str) -> Parsed<WallMillis> {
    unsigned(data, name).map(WallMillis)
}

fn stamp(data: &Stanza, name: &str) -> Parsed<GenerationStamp> {
    unsigned(data, name).map(GenerationStamp)
}

fn flag(data: &Stanza, name: &str) -> bool {
    data.optional(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn retry(data: &Stanza) -> Parsed<RetryKey> {
    let client_id = match data.optional("RPC_CLIENTID") {
        None | Some("") => ClientId::default(),
        Some(uuid) => {
            let digits: String = uuid.chars().filter(|character| *character != '-').collect();
            let bytes = decode_hex(&digits).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            ClientId(bytes.ok_or_else(|| format!("RPC_CLIENTID \"{uuid}\" is no UUID"))?)
        }
    };
    let call_id = match data.optional("RPC_CALLID") {
        Some(_) => CallId(number(data, "RPC_CALLID")?),
        None => RetryKey::NONE.call_id,
    };
    Ok(RetryKey { client_id, call_id })
}

fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}

fn blocks(data: &Stanza) -> Parsed<Vec<Block>> {
    let block = |block: &Stanza| -> Parsed<Block> {
        Ok(Block {
            id: BlockId(number(block, "BLOCK_ID")?),
            num_bytes: unsigned(block, "NUM_BYTES")?,
            generation_stamp: stamp(block, "GENSTAMP")?,
        })
    };
    data.all("BLOCK").map(block).collect()
}

fn permissions(data: &Stanza) -> Parsed<PermissionStatus> {
    let status =
        data.all("PERMISSION_STATUS").next().ok_or("no entry found for PERMISSION_STATUS")?;
    Ok(PermissionStatus {
        user: string(status, "USERNAME")?,
        group: string(status, "GROUPNAME")?,
        permission: mode(short(status, "MODE")?),
    })
}

fn acl(data: &Stanza) -> Parsed<Vec<AclEntry>> {
    let entry = |entry: &Stanza| -> Parsed<AclEntry> {
        let permission = (0..8)
            .map(FsAction)
            .find(|action| entry.optional("PERM").is_some_and(|symbol| symbol == action.symbol()));
        Ok(AclEntry {
            scope: match entry.text("SCOPE")? {
                "ACCESS" => AclEntryScope::Access,
                "DEFAULT" => AclEntryScope::Default,
                other => return Err(format!("{other} is no ACL scope")),
            },
            kind: match entry.text("TYPE")? {
                "USER" => AclEntryType::User,
                "GROUP" => AclEntryType::Group,
                "MASK" => AclEntryType::Mask,
                "OTHER" => AclEntryType::Other,
                other => return Err(format!("{other} is no ACL type")),
            },
            permission: permission.ok_or("Invalid value for FsAction")?,
            name: entry.optional("NAME").filter(|name| !name.is_empty()).map(str::to_owned),
        })
    };
    data.all("ENTRY").map(entry).collect()
}

fn x_attrs(data: &Stanza) -> Parsed<Vec<XAttr>> {
    let x_attr = |x_attr: &Stanza| -> Parsed<XAttr> {
        let value = match x_attr.optional("VALUE") {
            None => None,
            Some(text) => {
                let digits = text.strip_prefix("0x").and_then(decode_hex);
                Some(digits.ok_or_else(|| format!("VALUE \"{text}\" is not hexadecimal"))?)
            }
        };
        Ok(XAttr {
            namespace: match x_attr.text("NAMESPACE")? {
                "USER" => XAttrNamespace::User,
                "TRUSTED" => XAttrNamespace::Trusted,
                "SECURITY" => XAttrNamespace::Security,
                "SYSTEM" => XAttrNamespace::System,
                "RAW" => XAttrNamespace::Raw,
                other => return Err(format!("{other} is no namespace of attributes")),
            },
            name: string(x_attr, "NAME")?,
            value,
        })
    };
    data.all("XATTR").map(x_attr).collect()
}

fn rename_options(text: &str) -> Parsed<Vec<RenameOption>> {
    let option = |name: &str| match name {
        "NONE" => Ok(RenameOption::None),
        "OVERWRITE" => Ok(RenameOption::Overwrite),
        "TO_TRASH" => Ok(RenameOption::ToTrash),
        other => Err(format!("error parsing Rename value: \"{other}\"")),
    };
    text.split('|').filter(|name| !name.is_empty()).map(option).collect()
}

fn token(data: &Stanza) -> Parsed<DelegationTokenIdentifier> {
    let token = data
        .all("DELEGATION_TOKEN_IDENTIFIER")
        .next()
        .ok_or("no entry found for DELEGATION_TOKEN_IDENTIFIER")?;
    let kind = token.text("KIND")?;
    if kind != "HDFS_DELEGATION_TOKEN" {
        return Err(format!("can't understand DelegationTokenIdentifier KIND {kind}"));
    }
    Ok(DelegationTokenIdentifier {
        owner: string(token, "OWNER")?,
        renewer: string(token, "RENEWER")?,
        real_user: string(token, "REALUSER")?,
        issue_date: millis(token, "ISSUE_DATE")?,
        max_date: millis(token, "MAX_DATE")?,
        sequence_number: number(token, "SEQUENCE_NUMBER")?,
        master_key_id: number(token, "MASTER_KEY_ID")?,
    })
}

fn delegation_key(data: &Stanza) -> Parsed<DelegationKey> {
    let key = data.all("DELEGATION_KEY").next().ok_or("no entry found for DELEGATION_KEY")?;
    let secret = match key.optional("KEY") {
        Some(digits) => Some(decode_hex(digits).ok_or("KEY is not hexadecimal")?),
        None => None,
    };
    Ok(DelegationKey {
        key_id: number(key, "KEY_ID")?,
        expiry_date: millis(key, "EXPIRY_DATE")?,
        key: secret,
    })
}

/// Reads a field if it is there.
fn maybe<T>(
    data: &Stanza,
    name: &str,
    read: impl FnOnce(&Stanza, &str) -> Parsed<T>,
) -> Parsed<Option<T>> {
    data.optional(name).map(|_| read(data, name)).transpose()
}

fn directive(data: &Stanza) -> Parsed<CacheDirectiveInfo> {
    Ok(CacheDirectiveInfo {
        id: number(data, "ID")?,
        path: maybe(data, "PATH", path)?,
        replication: maybe(data, "REPLICATION", short)?,
        pool: maybe(data, "POOL", string)?,
        expiration: maybe(data, "EXPIRATION", millis)?,
    })
}

fn pool(data: &Stanza) -> Parsed<CachePoolInfo> {
    Ok(CachePoolInfo {
        pool_name: string(data, "POOLNAME")?,
        owner_name: maybe(data, "OWNERNAME", string)?,
        group_name: maybe(data, "GROUPNAME", string)?,
        mode: maybe(data, "MODE", short)?.map(mode),
        limit: maybe(data, "LIMIT", number)?,
        max_relative_expiry_ms: maybe(data, "MAXRELATIVEEXPIRY", number)?,
        default_replication: maybe(data, "DEFAULTREPLICATION", short)?,
    })
}

fn erasure_coding_policy(data: &Stanza) -> Parsed<ErasureCodingPolicyDefinition> {
    let option = |option: &Stanza| -> Parsed<(String, String)> {
        Ok((string(option, "KEY")?, string(option, "VALUE")?))
    };
    Ok(ErasureCodingPolicyDefinition {
        codec_name: string(data, "CODEC")?,
        num_data_units: number(data, "DATAUNITS")?,
        num_parity_units: number(data, "PARITYUNITS")?,
        cell_size: number(data, "CELLSIZE")?,
        extra_options: data.all("EXTRAOPTION").map(option).collect::<Parsed<_>>()?,
    })
}

/// As Hadoop's FsPermission, which keeps the sticky bit and nine others of a number.
fn mode(number: u16) -> FsPermission {
    FsPermission(number & 0o1777)
}
