//! The operations of the edit log, as data.
//!
//! Every change of the namespace is one of these: the live call, the standby, restart, checkpoint and the offline viewer
//! speak in [`EditOp`] only. The structs carry what layout -67 stores, field by field, in Hadoop's order. Paths are bytes.
//! An operation does not hold its transaction id: that belongs to its place in the log.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSEditLogOp, FSEditLogOpCodes (3.5.0)

use hdfs_types::{
    Block, BlockId, CallId, ClientId, FsAction, FsPermission, GenerationStamp, INodeId,
    PermissionStatus, StorageType, WallMillis,
};

/// The call that caused an operation, for the retry cache: a client that repeats it after a failover gets the first answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RetryKey {
    /// The client.
    pub client_id: ClientId,
    /// Its call.
    pub call_id: CallId,
}

impl RetryKey {
    /// No client: the operation came from the server itself. Hadoop: RpcConstants.DUMMY_CLIENT_ID, INVALID_CALL_ID.
    pub const NONE: Self = Self { client_id: ClientId([0; 16]), call_id: CallId(-2) };

    /// True when a retry can be recognised by this key.
    pub fn is_present(&self) -> bool {
        !self.client_id.is_absent() && self.call_id != Self::NONE.call_id
    }
}

impl Default for RetryKey {
    fn default() -> Self {
        Self::NONE
    }
}

/// To whom an ACL entry applies. Numbers as in AclEntryTypeProto.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum AclEntryType {
    /// The owner, or the named user.
    User = 0,
    /// The owning group, or the named group.
    Group = 1,
    /// Upper bound of named users and of all groups.
    Mask = 2,
    /// Everybody else.
    Other = 3,
}

/// When an ACL entry applies. Numbers as in AclEntryScopeProto.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum AclEntryScope {
    /// To accesses of the inode itself.
    Access = 0,
    /// To children at their creation.
    Default = 1,
}

/// One entry of an access control list.
///
/// Hadoop: org.apache.hadoop.fs.permission.AclEntry (3.5.0)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AclEntry {
    /// To whom.
    pub kind: AclEntryType,
    /// When.
    pub scope: AclEntryScope,
    /// What is allowed.
    pub permission: FsAction,
    /// The user or group; absent for the owner, the owning group, mask and other.
    pub name: Option<String>,
}

/// Namespace of an extended attribute. Numbers as in XAttrNamespaceProto.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum XAttrNamespace {
    /// `user.`: for those who may read or write the inode.
    User = 0,
    /// `trusted.`: for the superuser.
    Trusted = 1,
    /// `security.`
    Security = 2,
    /// `system.`: for HDFS itself.
    System = 3,
    /// `raw.`: for copies of encrypted data.
    Raw = 4,
}

/// An extended attribute.
///
/// Hadoop: org.apache.hadoop.fs.XAttr (3.5.0)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct XAttr {
    /// The namespace.
    pub namespace: XAttrNamespace,
    /// The name without the namespace.
    pub name: String,
    /// The value; absent and empty are stored differently.
    pub value: Option<Vec<u8>>,
}

/// An option of a rename.
///
/// Hadoop: org.apache.hadoop.fs.Options.Rename (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RenameOption {
    /// Nothing special.
    None = 0,
    /// Replace the destination.
    Overwrite = 1,
    /// The destination lies in the trash.
    ToTrash = 2,
}

/// What names a delegation token.
///
/// Hadoop: org.apache.hadoop.security.token.delegation.AbstractDelegationTokenIdentifier (3.5.0)
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DelegationTokenIdentifier {
    /// Who acts.
    pub owner: String,
    /// Who may renew; may be empty.
    pub renewer: String,
    /// Who asked on behalf of the owner; may be empty.
    pub real_user: String,
    /// When it was made.
    pub issue_date: WallMillis,
    /// When it can't be renewed any more.
    pub max_date: WallMillis,
    /// Number of the token.
    pub sequence_number: i32,
    /// Number of the key that signed it.
    pub master_key_id: i32,
}

/// A key that signs delegation tokens.
///
/// Hadoop: org.apache.hadoop.security.token.delegation.DelegationKey (3.5.0)
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DelegationKey {
    /// Number of the key.
    pub key_id: i32,
    /// When it ends.
    pub expiry_date: WallMillis,
    /// The secret, if it is present.
    pub key: Option<Vec<u8>>,
}

/// A cache directive, or the fields of one that a change names.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.CacheDirectiveInfo (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CacheDirectiveInfo {
    /// Number of the directive.
    pub id: i64,
    /// What is cached.
    pub path: Option<Vec<u8>>,
    /// How many copies.
    pub replication: Option<u16>,
    /// The pool that pays.
    pub pool: Option<String>,
    /// When it ends.
    pub expiration: Option<WallMillis>,
}

/// A cache pool, or the fields of one that a change names.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.CachePoolInfo (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CachePoolInfo {
    /// Name of the pool.
    pub pool_name: String,
    /// Owner.
    pub owner_name: Option<String>,
    /// Group.
    pub group_name: Option<String>,
    /// Mode.
    pub mode: Option<FsPermission>,
    /// Bytes that may be cached.
    pub limit: Option<i64>,
    /// Longest life of a directive, in milliseconds.
    pub max_relative_expiry_ms: Option<i64>,
    /// Copies when a directive does not say.
    pub default_replication: Option<u16>,
}

/// An erasure-coding policy as a client defines it; name and id follow from these fields.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.ErasureCodingPolicy (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ErasureCodingPolicyDefinition {
    /// Name of the code, in lower case (`rs`).
    pub codec_name: String,
    /// Data units.
    pub num_data_units: i32,
    /// Parity units.
    pub num_parity_units: i32,
    /// Bytes of a cell.
    pub cell_size: i32,
    /// Further options in the order of the log.
    pub extra_options: Vec<(String, String)>,
}

/// OP_ADD: a file is created, or an old one opened for append (layouts before -62).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AddOp {
    /// The file.
    pub inode_id: INodeId,
    /// Its path.
    pub path: Vec<u8>,
    /// Replicas of each block.
    pub replication: u16,
    /// Modification time.
    pub mtime: WallMillis,
    /// Access time.
    pub atime: WallMillis,
    /// Preferred length of a block, in bytes.
    pub block_size: u64,
    /// Its blocks; none for a new file.
    pub blocks: Vec<Block>,
    /// Owner, group, mode.
    pub permissions: PermissionStatus,
    /// ACL inherited from the parent; none when empty.
    pub acl_entries: Vec<AclEntry>,
    /// Attributes given at creation.
    pub x_attrs: Vec<XAttr>,
    /// Holder of the lease.
    pub client_name: String,
    /// Its host.
    pub client_machine: String,
    /// An existing file was to be replaced.
    pub overwrite: bool,
    /// Storage policy; 0 is unspecified.
    pub storage_policy_id: u8,
    /// Erasure-coding policy; 0 is replication.
    pub erasure_coding_policy_id: u8,
    /// The call.
    pub retry: RetryKey,
}

/// OP_CLOSE: a file is complete.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CloseOp {
    /// The file.
    pub inode_id: INodeId,
    /// Its path.
    pub path: Vec<u8>,
    /// Replicas of each block.
    pub replication: u16,
    /// Modification time.
    pub mtime: WallMillis,
    /// Access time.
    pub atime: WallMillis,
    /// Preferred length of a block, in bytes.
    pub block_size: u64,
    /// All of its blocks, with their final lengths.
    pub blocks: Vec<Block>,
    /// Owner, group, mode.
    pub permissions: PermissionStatus,
}

/// OP_APPEND: a closed file is opened again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendOp {
    /// The file.
    pub path: Vec<u8>,
    /// Holder of the lease.
    pub client_name: String,
    /// Its host.
    pub client_machine: String,
    /// Data goes to a new block although the last one is not full.
    pub new_block: bool,
    /// The call.
    pub retry: RetryKey,
}

/// OP_ADD_BLOCK: a file under construction gets a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddBlockOp {
    /// The file.
    pub path: Vec<u8>,
    /// The block before, with its length now final.
    pub penultimate_block: Option<Block>,
    /// The new block.
    pub last_block: Block,
    /// The call.
    pub retry: RetryKey,
}

/// OP_UPDATE_BLOCKS: the blocks of a file under construction are replaced (fsync, pipeline update, abandoned block).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateBlocksOp {
    /// The file.
    pub path: Vec<u8>,
    /// All of its blocks.
    pub blocks: Vec<Block>,
    /// The call.
    pub retry: RetryKey,
}

/// OP_SET_REPLICATION
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetReplicationOp {
    /// The file.
    pub path: Vec<u8>,
    /// Replicas of each block.
    pub replication: u16,
}

/// OP_CONCAT_DELETE: the blocks of the sources go to the end of the target, the sources go away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcatDeleteOp {
    /// The target.
    pub trg: Vec<u8>,
    /// The sources, in order.
    pub srcs: Vec<Vec<u8>>,
    /// Modification time.
    pub timestamp: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_RENAME_OLD: rename with the semantics of FileSystem.rename without options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenameOldOp {
    /// From.
    pub src: Vec<u8>,
    /// To.
    pub dst: Vec<u8>,
    /// Modification time of both parents.
    pub timestamp: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_RENAME: rename with options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenameOp {
    /// From.
    pub src: Vec<u8>,
    /// To.
    pub dst: Vec<u8>,
    /// Modification time of both parents.
    pub timestamp: WallMillis,
    /// The options, in the order of the call.
    pub options: Vec<RenameOption>,
    /// The call.
    pub retry: RetryKey,
}

/// OP_DELETE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteOp {
    /// What goes away, with everything below.
    pub path: Vec<u8>,
    /// Modification time of the parent.
    pub timestamp: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_MKDIR: one directory; each missing parent has an operation of its own before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MkdirOp {
    /// The directory.
    pub inode_id: INodeId,
    /// Its path.
    pub path: Vec<u8>,
    /// Modification time.
    pub timestamp: WallMillis,
    /// Owner, group, mode.
    pub permissions: PermissionStatus,
    /// ACL inherited from the parent; none when empty.
    pub acl_entries: Vec<AclEntry>,
    /// Attributes given at creation.
    pub x_attrs: Vec<XAttr>,
}

/// OP_SET_GENSTAMP_V1: obsolete stamps of blocks with random ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetGenstampV1Op {
    /// The stamp.
    pub generation_stamp: GenerationStamp,
}

/// OP_SET_GENSTAMP_V2: a generation stamp is given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetGenstampV2Op {
    /// The stamp.
    pub generation_stamp: GenerationStamp,
}

/// OP_ALLOCATE_BLOCK_ID: a block id is given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AllocateBlockIdOp {
    /// The id.
    pub block_id: BlockId,
}

/// OP_SET_PERMISSIONS
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetPermissionsOp {
    /// The inode.
    pub src: Vec<u8>,
    /// Its mode.
    pub permissions: FsPermission,
}

/// OP_SET_OWNER
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetOwnerOp {
    /// The inode.
    pub src: Vec<u8>,
    /// Its owner, if that changes.
    pub username: Option<String>,
    /// Its group, if that changes.
    pub groupname: Option<String>,
}

/// OP_SET_NS_QUOTA: obsolete, read only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetNsQuotaOp {
    /// The directory.
    pub src: Vec<u8>,
    /// Names allowed.
    pub ns_quota: i64,
}

/// OP_CLEAR_NS_QUOTA: obsolete, read only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClearNsQuotaOp {
    /// The directory.
    pub src: Vec<u8>,
}

/// OP_SET_QUOTA: -1 clears, `i64::MAX` leaves as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetQuotaOp {
    /// The directory.
    pub src: Vec<u8>,
    /// Names allowed.
    pub ns_quota: i64,
    /// Bytes allowed, replicas counted.
    pub ds_quota: i64,
}

/// OP_SET_QUOTA_BY_STORAGETYPE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetQuotaByStorageTypeOp {
    /// The directory.
    pub src: Vec<u8>,
    /// Bytes allowed; -1 clears.
    pub ds_quota: i64,
    /// Of this kind.
    pub storage_type: StorageType,
}

/// OP_TIMES: a negative time leaves the stored one as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimesOp {
    /// The inode.
    pub path: Vec<u8>,
    /// Modification time in milliseconds, or -1.
    pub mtime: i64,
    /// Access time in milliseconds, or -1.
    pub atime: i64,
}

/// OP_SYMLINK
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymlinkOp {
    /// The link.
    pub inode_id: INodeId,
    /// Its path.
    pub path: Vec<u8>,
    /// Where it points.
    pub value: Vec<u8>,
    /// Modification time.
    pub mtime: WallMillis,
    /// Access time.
    pub atime: WallMillis,
    /// Owner, group, mode.
    pub permission_status: PermissionStatus,
    /// The call.
    pub retry: RetryKey,
}

/// OP_TRUNCATE: carries no retry key (HDFS-16322).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruncateOp {
    /// The file.
    pub src: Vec<u8>,
    /// Holder of the lease while the last block is cut.
    pub client_name: String,
    /// Its host.
    pub client_machine: String,
    /// Length of the file, in bytes.
    pub new_length: u64,
    /// Modification time.
    pub timestamp: WallMillis,
    /// The last block under recovery, when the cut is not at a block's end.
    pub truncate_block: Option<Block>,
}

/// OP_REASSIGN_LEASE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReassignLeaseOp {
    /// The old holder.
    pub lease_holder: String,
    /// The file.
    pub path: Vec<u8>,
    /// The new holder.
    pub new_holder: String,
}

/// OP_GET_DELEGATION_TOKEN
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetDelegationTokenOp {
    /// The token.
    pub token: DelegationTokenIdentifier,
    /// When it ends unless it is renewed.
    pub expiry_time: WallMillis,
}

/// OP_RENEW_DELEGATION_TOKEN
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenewDelegationTokenOp {
    /// The token.
    pub token: DelegationTokenIdentifier,
    /// When it ends unless it is renewed.
    pub expiry_time: WallMillis,
}

/// OP_CANCEL_DELEGATION_TOKEN
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CancelDelegationTokenOp {
    /// The token.
    pub token: DelegationTokenIdentifier,
}

/// OP_UPDATE_MASTER_KEY
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateMasterKeyOp {
    /// The key.
    pub key: DelegationKey,
}

/// OP_CREATE_SNAPSHOT
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateSnapshotOp {
    /// The snapshottable directory.
    pub snapshot_root: Vec<u8>,
    /// Name of the snapshot.
    pub snapshot_name: Vec<u8>,
    /// Modification time.
    pub mtime: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_DELETE_SNAPSHOT
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeleteSnapshotOp {
    /// The snapshottable directory.
    pub snapshot_root: Vec<u8>,
    /// Name of the snapshot.
    pub snapshot_name: Vec<u8>,
    /// Modification time.
    pub mtime: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_RENAME_SNAPSHOT
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenameSnapshotOp {
    /// The snapshottable directory.
    pub snapshot_root: Vec<u8>,
    /// Old name.
    pub snapshot_old_name: Vec<u8>,
    /// New name.
    pub snapshot_new_name: Vec<u8>,
    /// Modification time.
    pub mtime: WallMillis,
    /// The call.
    pub retry: RetryKey,
}

/// OP_ALLOW_SNAPSHOT
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowSnapshotOp {
    /// The directory.
    pub snapshot_root: Vec<u8>,
}

/// OP_DISALLOW_SNAPSHOT
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisallowSnapshotOp {
    /// The directory.
    pub snapshot_root: Vec<u8>,
}

/// OP_ADD_CACHE_DIRECTIVE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCacheDirectiveInfoOp {
    /// The directive, all fields set.
    pub directive: CacheDirectiveInfo,
    /// The call.
    pub retry: RetryKey,
}

/// OP_MODIFY_CACHE_DIRECTIVE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModifyCacheDirectiveInfoOp {
    /// The id, and the fields that change.
    pub directive: CacheDirectiveInfo,
    /// The call.
    pub retry: RetryKey,
}

/// OP_REMOVE_CACHE_DIRECTIVE
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoveCacheDirectiveInfoOp {
    /// The directive.
    pub id: i64,
    /// The call.
    pub retry: RetryKey,
}

/// OP_ADD_CACHE_POOL
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCachePoolOp {
    /// The pool.
    pub info: CachePoolInfo,
    /// The call.
    pub retry: RetryKey,
}

/// OP_MODIFY_CACHE_POOL
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModifyCachePoolOp {
    /// The name, and the fields that change.
    pub info: CachePoolInfo,
    /// The call.
    pub retry: RetryKey,
}

/// OP_REMOVE_CACHE_POOL
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoveCachePoolOp {
    /// The pool.
    pub pool_name: String,
    /// The call.
    pub retry: RetryKey,
}

/// OP_SET_ACL: carries no retry key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAclOp {
    /// The inode.
    pub src: Vec<u8>,
    /// The whole list, without the part that is in the mode; empty removes it.
    pub acl_entries: Vec<AclEntry>,
}

/// OP_SET_XATTR
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetXAttrOp {
    /// The inode.
    pub src: Vec<u8>,
    /// Attributes to set.
    pub x_attrs: Vec<XAttr>,
    /// The call.
    pub retry: RetryKey,
}

/// OP_REMOVE_XATTR
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemoveXAttrOp {
    /// The inode.
    pub src: Vec<u8>,
    /// Attributes to remove; values do not count.
    pub x_attrs: Vec<XAttr>,
    /// The call.
    pub retry: RetryKey,
}

/// OP_SET_STORAGE_POLICY
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetStoragePolicyOp {
    /// The inode.
    pub path: Vec<u8>,
    /// The policy; 0 removes it.
    pub policy_id: u8,
}

/// OP_ROLLING_UPGRADE_START, OP_ROLLING_UPGRADE_FINALIZE
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RollingUpgradeOp {
    /// When.
    pub time: WallMillis,
}

/// OP_ADD_ERASURE_CODING_POLICY
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddErasureCodingPolicyOp {
    /// The policy.
    pub ec_policy: ErasureCodingPolicyDefinition,
    /// The call.
    pub retry: RetryKey,
}

/// OP_ENABLE_, OP_DISABLE_ and OP_REMOVE_ERASURE_CODING_POLICY
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErasureCodingPolicyNameOp {
    /// Name of the policy.
    pub ec_policy_name: String,
    /// The call.
    pub retry: RetryKey,
}

macro_rules! ops {
    ($($(#[$doc:meta])* $variant:ident $(($body:ty))? = $code:literal, $name:literal;)*) => {
        /// One operation of the edit log.
        ///
        /// 5 and 6 (OP_DATANODE_ADD, OP_DATANODE_REMOVE) no longer exist; -1 (OP_INVALID) marks unused space and is
        /// not an operation.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum EditOp {
            $($(#[$doc])* #[doc(alias = $name)] $variant $(($body))?,)*
        }

        impl EditOp {
            /// The byte that starts the operation in a log.
            pub fn opcode(&self) -> u8 {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }

            /// Hadoop's name of the operation, as `hdfs oev` prints it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// Every opcode with Hadoop's name, in the order of the numbers.
            pub const OPCODES: &'static [(u8, &'static str)] = &[$(($code, $name)),*];
        }
    };
}

ops! {
    /// A file is created.
    Add(Box<AddOp>) = 0, "OP_ADD";
    /// A rename without options.
    RenameOld(RenameOldOp) = 1, "OP_RENAME_OLD";
    /// A deletion.
    Delete(DeleteOp) = 2, "OP_DELETE";
    /// A new directory.
    Mkdir(MkdirOp) = 3, "OP_MKDIR";
    /// The number of replicas changes.
    SetReplication(SetReplicationOp) = 4, "OP_SET_REPLICATION";
    /// The mode changes.
    SetPermissions(SetPermissionsOp) = 7, "OP_SET_PERMISSIONS";
    /// Owner or group change.
    SetOwner(SetOwnerOp) = 8, "OP_SET_OWNER";
    /// A file is complete.
    Close(CloseOp) = 9, "OP_CLOSE";
    /// A legacy generation stamp is given out.
    SetGenstampV1(SetGenstampV1Op) = 10, "OP_SET_GENSTAMP_V1";
    /// Obsolete.
    SetNsQuota(SetNsQuotaOp) = 11, "OP_SET_NS_QUOTA";
    /// Obsolete.
    ClearNsQuota(ClearNsQuotaOp) = 12, "OP_CLEAR_NS_QUOTA";
    /// Modification or access time change.
    Times(TimesOp) = 13, "OP_TIMES";
    /// Quotas change.
    SetQuota(SetQuotaOp) = 14, "OP_SET_QUOTA";
    /// A rename with options.
    Rename(RenameOp) = 15, "OP_RENAME";
    /// Files are joined.
    ConcatDelete(ConcatDeleteOp) = 16, "OP_CONCAT_DELETE";
    /// A new symbolic link.
    Symlink(SymlinkOp) = 17, "OP_SYMLINK";
    /// A delegation token is made.
    GetDelegationToken(GetDelegationTokenOp) = 18, "OP_GET_DELEGATION_TOKEN";
    /// A delegation token is renewed.
    RenewDelegationToken(RenewDelegationTokenOp) = 19, "OP_RENEW_DELEGATION_TOKEN";
    /// A delegation token ends.
    CancelDelegationToken(CancelDelegationTokenOp) = 20, "OP_CANCEL_DELEGATION_TOKEN";
    /// A key for delegation tokens.
    UpdateMasterKey(UpdateMasterKeyOp) = 21, "OP_UPDATE_MASTER_KEY";
    /// A lease gets another holder.
    ReassignLease(ReassignLeaseOp) = 22, "OP_REASSIGN_LEASE";
    /// Last operation of a segment.
    EndLogSegment = 23, "OP_END_LOG_SEGMENT";
    /// First operation of a segment.
    StartLogSegment = 24, "OP_START_LOG_SEGMENT";
    /// The blocks of an open file change.
    UpdateBlocks(UpdateBlocksOp) = 25, "OP_UPDATE_BLOCKS";
    /// A snapshot is taken.
    CreateSnapshot(CreateSnapshotOp) = 26, "OP_CREATE_SNAPSHOT";
    /// A snapshot goes away.
    DeleteSnapshot(DeleteSnapshotOp) = 27, "OP_DELETE_SNAPSHOT";
    /// A snapshot gets another name.
    RenameSnapshot(RenameSnapshotOp) = 28, "OP_RENAME_SNAPSHOT";
    /// A directory becomes snapshottable.
    AllowSnapshot(AllowSnapshotOp) = 29, "OP_ALLOW_SNAPSHOT";
    /// A directory is no longer snapshottable.
    DisallowSnapshot(DisallowSnapshotOp) = 30, "OP_DISALLOW_SNAPSHOT";
    /// A generation stamp is given out.
    SetGenstampV2(SetGenstampV2Op) = 31, "OP_SET_GENSTAMP_V2";
    /// A block id is given out.
    AllocateBlockId(AllocateBlockIdOp) = 32, "OP_ALLOCATE_BLOCK_ID";
    /// An open file gets a block.
    AddBlock(AddBlockOp) = 33, "OP_ADD_BLOCK";
    /// A new cache directive.
    AddCacheDirective(AddCacheDirectiveInfoOp) = 34, "OP_ADD_CACHE_DIRECTIVE";
    /// A cache directive goes away.
    RemoveCacheDirective(RemoveCacheDirectiveInfoOp) = 35, "OP_REMOVE_CACHE_DIRECTIVE";
    /// A new cache pool.
    AddCachePool(AddCachePoolOp) = 36, "OP_ADD_CACHE_POOL";
    /// A cache pool changes.
    ModifyCachePool(ModifyCachePoolOp) = 37, "OP_MODIFY_CACHE_POOL";
    /// A cache pool goes away.
    RemoveCachePool(RemoveCachePoolOp) = 38, "OP_REMOVE_CACHE_POOL";
    /// A cache directive changes.
    ModifyCacheDirective(ModifyCacheDirectiveInfoOp) = 39, "OP_MODIFY_CACHE_DIRECTIVE";
    /// The access control list changes.
    SetAcl(SetAclOp) = 40, "OP_SET_ACL";
    /// A rolling upgrade starts.
    RollingUpgradeStart(RollingUpgradeOp) = 41, "OP_ROLLING_UPGRADE_START";
    /// A rolling upgrade is final.
    RollingUpgradeFinalize(RollingUpgradeOp) = 42, "OP_ROLLING_UPGRADE_FINALIZE";
    /// Extended attributes are set.
    SetXAttr(SetXAttrOp) = 43, "OP_SET_XATTR";
    /// Extended attributes are removed.
    RemoveXAttr(RemoveXAttrOp) = 44, "OP_REMOVE_XATTR";
    /// The storage policy changes.
    SetStoragePolicy(SetStoragePolicyOp) = 45, "OP_SET_STORAGE_POLICY";
    /// A file is cut.
    Truncate(TruncateOp) = 46, "OP_TRUNCATE";
    /// A file is opened for append.
    Append(AppendOp) = 47, "OP_APPEND";
    /// The quota of one storage type changes.
    SetQuotaByStorageType(SetQuotaByStorageTypeOp) = 48, "OP_SET_QUOTA_BY_STORAGETYPE";
    /// An erasure-coding policy is defined.
    AddErasureCodingPolicy(AddErasureCodingPolicyOp) = 49, "OP_ADD_ERASURE_CODING_POLICY";
    /// An erasure-coding policy may be used.
    EnableErasureCodingPolicy(ErasureCodingPolicyNameOp) = 50, "OP_ENABLE_ERASURE_CODING_POLICY";
    /// An erasure-coding policy may not be used for new files.
    DisableErasureCodingPolicy(ErasureCodingPolicyNameOp) = 51, "OP_DISABLE_ERASURE_CODING_POLICY";
    /// An erasure-coding policy is removed.
    RemoveErasureCodingPolicy(ErasureCodingPolicyNameOp) = 52, "OP_REMOVE_ERASURE_CODING_POLICY";
}

impl EditOp {
    /// The call that caused the operation; [`RetryKey::NONE`] for operations that store none.
    pub fn retry_key(&self) -> RetryKey {
        match self {
            Self::Add(op) => op.retry,
            Self::RenameOld(op) => op.retry,
            Self::Delete(op) => op.retry,
            Self::Rename(op) => op.retry,
            Self::ConcatDelete(op) => op.retry,
            Self::Symlink(op) => op.retry,
            Self::UpdateBlocks(op) => op.retry,
            Self::CreateSnapshot(op) => op.retry,
            Self::DeleteSnapshot(op) => op.retry,
            Self::RenameSnapshot(op) => op.retry,
            Self::AddBlock(op) => op.retry,
            Self::AddCacheDirective(op) => op.retry,
            Self::RemoveCacheDirective(op) => op.retry,
            Self::AddCachePool(op) => op.retry,
            Self::ModifyCachePool(op) => op.retry,
            Self::RemoveCachePool(op) => op.retry,
            Self::ModifyCacheDirective(op) => op.retry,
            Self::SetXAttr(op) => op.retry,
            Self::RemoveXAttr(op) => op.retry,
            Self::Append(op) => op.retry,
            Self::AddErasureCodingPolicy(op) => op.retry,
            Self::EnableErasureCodingPolicy(op)
            | Self::DisableErasureCodingPolicy(op)
            | Self::RemoveErasureCodingPolicy(op) => op.retry,
            _ => RetryKey::NONE,
        }
    }
}
