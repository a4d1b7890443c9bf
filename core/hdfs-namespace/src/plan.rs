//! What a plan is given and what it gives back.
//!
//! A plan reads the namespace and its arguments, nothing else: the times are in the context, identities are allocated by
//! counting on from the namespace. The caller applies the operations before it plans anything else.

use hdfs_format::edits::{EditOp, RetryKey};
use hdfs_types::{Block, BlockId, Error, ErrorKind, INodeId, Mono, WallMillis};
use smallvec::SmallVec;

use crate::store::record::Slot;

/// Limits and switches. Each names its key and Hadoop's default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamespaceConf {
    /// Owner of `/` and of the NameNode's process: always a superuser.
    pub owner: String,
    /// `dfs.permissions.superusergroup` (supergroup).
    pub supergroup: String,
    /// `dfs.permissions.enabled` (true).
    pub permissions_enabled: bool,
    /// `dfs.namenode.fs-limits.max-component-length` (255 bytes; 0: no limit).
    pub max_component_length: usize,
    /// `dfs.namenode.fs-limits.max-directory-items` (1,048,576).
    pub max_directory_items: usize,
    /// `dfs.namenode.fs-limits.min-block-size` (1 MiB).
    pub min_block_size: u64,
    /// `dfs.namenode.fs-limits.max-blocks-per-file` (10,000).
    pub max_blocks_per_file: usize,
    /// `dfs.namenode.max.objects` (0: no limit): inodes and blocks.
    pub max_objects: u64,
    /// `dfs.ls.limit` (1,000).
    pub ls_limit: usize,
    /// `dfs.namenode.accesstime.precision` in milliseconds (3,600,000; 0: access times are not kept).
    pub access_time_precision_ms: u64,
    /// `dfs.permissions.ContentSummary.subAccess` (false).
    pub content_summary_sub_access: bool,
    /// `dfs.content-summary.limit` (5,000): inodes counted in one slice.
    pub content_summary_limit: usize,
    /// `dfs.replication.max` (512).
    pub max_replication: u16,
    /// `dfs.namenode.replication.min` (1).
    pub min_replication: u16,
    /// `dfs.namenode.acls.enabled` (true).
    pub acls_enabled: bool,
    /// `dfs.namenode.posix.acl.inheritance.enabled` (true).
    pub posix_acl_inheritance: bool,
    /// `dfs.namenode.xattrs.enabled` (true).
    pub xattrs_enabled: bool,
    /// `dfs.namenode.fs-limits.max-xattr-size` (16,384 bytes).
    pub max_xattr_size: usize,
    /// `dfs.namenode.fs-limits.max-xattrs-per-inode` (32).
    pub max_xattrs_per_inode: usize,
    /// `dfs.storage.policy.enabled` (true).
    pub storage_policy_enabled: bool,
    /// `dfs.storage.policy.permissions.superuser-only` (false).
    pub storage_policy_superuser_only: bool,
    /// `dfs.quota.by.storage.type.enabled` (true).
    pub quota_by_storage_type_enabled: bool,
    /// `dfs.permissions.allow.owner.set.quota` (false).
    pub allow_owner_set_quota: bool,
    /// `fs.protected.directories`: not deleted or renamed while not empty.
    pub protected_directories: Vec<Vec<u8>>,
    /// `dfs.protected.subdirectories.enable` (false).
    pub protect_subdirectories: bool,
    /// `dfs.namenode.ec.system.default.policy` (RS-6-3-1024k): enabled at every start; empty: none.
    pub default_erasure_coding_policy: String,
    /// `dfs.namenode.ec.policies.max.cellsize` (4 MiB).
    pub max_erasure_coding_cell_bytes: u32,
    /// `dfs.namenode.ec.userdefined.policy.allowed` (true).
    pub user_erasure_coding_policies: bool,
    /// `dfs.namenode.caching.enabled` (true): what directives need is counted.
    pub caching_enabled: bool,
    /// `dfs.namenode.list.cache.pools.num.responses` (100).
    pub max_cache_pools_listed: usize,
    /// `dfs.namenode.list.cache.directives.num.responses` (100).
    pub max_cache_directives_listed: usize,
    /// `dfs.namenode.list.encryption.zones.num.responses` (100).
    pub max_encryption_zones_listed: usize,
    /// `dfs.namenode.list.reencryption.status.num.responses` (100).
    pub max_reencryption_status_listed: usize,
    /// `dfs.namenode.list.openfiles.num.responses` (1,000).
    pub max_open_files_listed: usize,
    /// `dfs.namenode.snapshot.max.limit` (65,536): snapshots of one directory.
    pub max_snapshots: usize,
    /// `dfs.namenode.snapshot.filesystem.limit` (65,536): all snapshots.
    pub max_snapshots_total: usize,
    /// `dfs.namenode.snapshot.capture.openfiles` (false): a snapshot fixes the length of open files.
    pub capture_open_files: bool,
    /// `dfs.namenode.snapshot.skip.capture.accesstime-only-change` (false): access times alone are not kept.
    pub skip_access_times: bool,
    /// `dfs.namenode.snapshot.deletion.ordered` (false): snapshots but the first one are only marked as deleted.
    pub ordered_snapshot_deletion: bool,
    /// `dfs.namenode.snapshot.trashroot.enabled` (false): with the setting before, nothing is renamed out of a snapshottable
    /// directory or into one.
    pub snapshot_trash_roots: bool,
    /// `dfs.namenode.snapshotdiff.listing.limit` (1,000): entries of one part of a report.
    pub snapshot_diff_listing_limit: usize,
    /// `dfs.namenode.snapshotdiff.allow.snap-root-descendant` (true): reports about directories below a snapshottable one.
    pub snapshot_diff_allow_descendant: bool,
    /// Soft limit of a lease: others may take the file over (60 s, not configurable in Hadoop).
    pub lease_soft_limit_ms: u64,
    /// `dfs.namenode.lease-hard-limit-sec` in milliseconds (20 minutes): the NameNode closes the file.
    pub lease_hard_limit_ms: u64,
}

impl Default for NamespaceConf {
    fn default() -> Self {
        Self {
            owner: "hdfs".to_owned(),
            supergroup: "supergroup".to_owned(),
            permissions_enabled: true,
            max_component_length: 255,
            max_directory_items: 1_048_576,
            min_block_size: 1_048_576,
            max_blocks_per_file: 10_000,
            max_objects: 0,
            ls_limit: 1_000,
            access_time_precision_ms: 3_600_000,
            content_summary_sub_access: false,
            content_summary_limit: 5_000,
            max_replication: 512,
            min_replication: 1,
            acls_enabled: true,
            posix_acl_inheritance: true,
            xattrs_enabled: true,
            max_xattr_size: 16_384,
            max_xattrs_per_inode: 32,
            storage_policy_enabled: true,
            storage_policy_superuser_only: false,
            quota_by_storage_type_enabled: true,
            allow_owner_set_quota: false,
            protected_directories: Vec::new(),
            protect_subdirectories: false,
            default_erasure_coding_policy: "RS-6-3-1024k".to_owned(),
            max_erasure_coding_cell_bytes: 4_194_304,
            user_erasure_coding_policies: true,
            caching_enabled: true,
            max_cache_pools_listed: 100,
            max_cache_directives_listed: 100,
            max_encryption_zones_listed: 100,
            max_reencryption_status_listed: 100,
            max_open_files_listed: 1_000,
            max_snapshots: 65_536,
            max_snapshots_total: 65_536,
            capture_open_files: false,
            skip_access_times: false,
            ordered_snapshot_deletion: false,
            snapshot_trash_roots: false,
            snapshot_diff_listing_limit: 1_000,
            snapshot_diff_allow_descendant: true,
            lease_soft_limit_ms: 60_000,
            lease_hard_limit_ms: 1_200_000,
        }
    }
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller<'a> {
    /// Short name.
    pub user: &'a str,
    /// Groups.
    pub groups: &'a [String],
    /// The NameNode's owner, or a member of the supergroup.
    pub is_superuser: bool,
}

impl Caller<'_> {
    /// True when the caller is in this group.
    pub fn is_member(&self, group: &str) -> bool {
        self.groups.iter().any(|member| member == group)
    }

    /// # Errors
    /// AccessControl unless the caller is a superuser.
    pub fn check_superuser(&self) -> hdfs_types::Result<()> {
        if self.is_superuser { Ok(()) } else { Err(self.not_superuser("")) }
    }

    /// # Errors
    /// AccessControl, which names the operation, unless the caller is a superuser.
    pub fn check_superuser_for(&self, operation: &str) -> hdfs_types::Result<()> {
        if self.is_superuser {
            return Ok(());
        }
        Err(self.not_superuser(&format!(" for operation {operation}")))
    }

    fn not_superuser(&self, what: &str) -> Error {
        let user = self.user;
        Error::new(
            ErrorKind::AccessControl,
            format!("Access denied for user {user}. Superuser privilege is required{what}"),
        )
    }
}

/// State of a block as the block manager sees it.
///
/// Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.BlockUCState (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockStage {
    /// Final.
    Complete,
    /// Being written.
    UnderConstruction,
    /// Being recovered.
    UnderRecovery,
    /// The client said the final length.
    Committed,
}

/// What plans must know from the block manager; the NameNode implements it.
pub trait BlockFacts {
    /// The stage of a block; `Complete` when it is unknown.
    fn stage(&self, id: BlockId) -> BlockStage;
    /// The stored block: its stamp and length may be newer than the namespace's (committed).
    fn stored(&self, id: BlockId) -> Option<Block>;
    /// A complete block has its minimal number of live replicas.
    fn is_sufficiently_replicated(&self, id: BlockId) -> bool;
    /// The length to which a block is being cut, when its recovery is a truncation.
    fn truncate_length(&self, id: BlockId) -> Option<u64>;
}

/// Every block is complete: for tests, and for a tree without data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AllComplete;

impl BlockFacts for AllComplete {
    fn stage(&self, _: BlockId) -> BlockStage {
        BlockStage::Complete
    }
    fn stored(&self, _: BlockId) -> Option<Block> {
        None
    }
    fn is_sufficiently_replicated(&self, _: BlockId) -> bool {
        true
    }
    fn truncate_length(&self, _: BlockId) -> Option<u64> {
        None
    }
}

/// What every plan and every checked query is given.
#[derive(Clone, Copy)]
pub struct PlanContext<'a> {
    /// For modification and access times.
    pub now: WallMillis,
    /// For leases.
    pub mono: Mono,
    /// Who calls.
    pub caller: Caller<'a>,
    /// The call, stored in operations that a client may repeat; None stores none.
    pub retry: Option<RetryKey>,
    /// Limits and switches.
    pub conf: &'a NamespaceConf,
    /// The block manager's facts.
    pub blocks: &'a dyn BlockFacts,
}

impl PlanContext<'_> {
    pub(crate) fn retry_key(&self) -> RetryKey {
        self.retry.unwrap_or_default()
    }
}

/// The operations of one call, in the order in which they must be applied and logged, and its answer.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub struct Planned<T> {
    /// The operations; none when the call changes nothing.
    pub ops: SmallVec<[EditOp; 2]>,
    /// The answer.
    pub result: T,
    /// When it was planned: leases count as renewed at this time.
    pub mono: Mono,
    /// The directory of the first operation: the path was walked by the plan.
    pub(crate) directory: Slot,
}

impl<T> Planned<T> {
    pub(crate) fn nothing(ctx: &PlanContext<'_>, result: T) -> Self {
        Self { ops: SmallVec::new(), result, mono: ctx.mono, directory: Slot::ROOT }
    }

    pub(crate) fn one(ctx: &PlanContext<'_>, op: EditOp, result: T) -> Self {
        let mut planned = Self::nothing(ctx, result);
        planned.ops.push(op);
        planned
    }

    /// Remembers the directory in which the first operation happens.
    pub(crate) fn in_directory(mut self, directory: Slot) -> Self {
        self.directory = directory;
        self
    }

    /// The same operations with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Planned<U> {
        Planned {
            ops: self.ops,
            result: change(self.result),
            mono: self.mono,
            directory: self.directory,
        }
    }
}

/// A plan that may have to wait for a lease.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
#[allow(clippy::large_enum_variant)] // It lives on the stack, one at a time.
pub enum Attempt<T> {
    /// It can be done.
    Planned(Planned<T>),
    /// The file's writer was silent for longer than the soft limit: release its lease, then plan again. When that does
    /// not close the file at once, answer [`LeaseRelease::in_progress`].
    Release(LeaseRelease),
}

/// Why a lease is to be taken over.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.RecoverLeaseOp (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeasePurpose {
    /// create()
    Create,
    /// append()
    Append,
    /// truncate()
    Truncate,
    /// recoverLease()
    Recover,
}

impl LeasePurpose {
    /// Hadoop's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE_FILE",
            Self::Append => "APPEND_FILE",
            Self::Truncate => "TRUNCATE_FILE",
            Self::Recover => "RECOVER_LEASE",
        }
    }
}

/// A lease that must be released before a call can go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseRelease {
    /// The file.
    pub inode: INodeId,
    /// Who holds it now.
    pub holder: String,
    /// Who is to hold it during recovery; None leaves the holder and renews its lease (Hadoop: recoverLeaseInternal).
    pub new_holder: Option<String>,
    /// Beginning of messages: "Failed to … for … on … because ".
    pub message_start: String,
}

impl LeaseRelease {
    /// The answer while the last block is being recovered.
    pub fn in_progress(&self) -> Error {
        Error::new(
            ErrorKind::RecoveryInProgress,
            format!("{}lease recovery is in progress. Try again later.", self.message_start),
        )
    }
}
