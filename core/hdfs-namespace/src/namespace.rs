//! The tree itself: its parts, and the few changes of which every operation is made.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use hdfs_format::edits::{AclEntry, XAttr};
use hdfs_format::fsimage::PackedPermission;
use hdfs_types::{
    Block, BlockId, FastMap, FsPermission, GenerationStamp, INodeId, PermissionStatus, ShardedMap,
    TxId, WallMillis, constants,
};

use crate::cache::CacheManager;
use crate::effects::{BlockChange, Effects};
use crate::erasure::ErasureCodingPolicies;
use crate::lease::LeaseHolders;
use crate::op::delete_checked::Touched;
use crate::plan::NamespaceConf;
use crate::quota::{Quota, QuotaCounts};
use crate::snapshot::INLINE_STEPS;
use crate::snapshot::cleaning::Cleaning;
use crate::snapshot::model::Snapshots;
use crate::status::{INodeKind, TypeSpace};
use crate::store::children::Children;
use crate::store::id_index::IdIndex;
use crate::store::interned::Interned;
use crate::store::name_pool::NamePool;
use crate::store::record::{Flag, Record, Slot};
use crate::store::shared::{SharedAttributes, SharedTable};
use crate::store::slab::Slab;

mod attributes;
mod blocks;
mod carried;
mod copy_source;
mod invariants;
mod node;
mod reclaim;
mod usage;

pub(crate) use attributes::{group_of, user_of};
pub use blocks::BlockOfFile;
pub(crate) use carried::Carried;
pub(crate) use node::NewNode;
pub(crate) use reclaim::Detached;
pub(crate) use usage::UsageCount;

/// Counters from which identities are given, as an image stores them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identities {
    /// Last inode id given.
    pub last_inode_id: INodeId,
    /// Last generation stamp given.
    pub generation_stamp: GenerationStamp,
    /// Last legacy generation stamp given.
    pub legacy_generation_stamp: GenerationStamp,
    /// Legacy stamps are below this.
    pub legacy_generation_stamp_limit: GenerationStamp,
    /// Last id given to a replicated block.
    pub last_block_id: BlockId,
    /// Last id given to a striped block group; negative.
    pub last_striped_block_id: BlockId,
}

impl Default for Identities {
    fn default() -> Self {
        Self {
            last_inode_id: INodeId(constants::LAST_RESERVED_INODE_ID),
            generation_stamp: GenerationStamp(constants::LAST_RESERVED_GENERATION_STAMP),
            legacy_generation_stamp: GenerationStamp(constants::FIRST_VALID_GENERATION_STAMP),
            legacy_generation_stamp_limit: GenerationStamp(0),
            last_block_id: BlockId(constants::LAST_RESERVED_BLOCK_ID),
            last_striped_block_id: BlockId(i64::MIN),
        }
    }
}

/// How much there is. What waits to be reclaimed does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Directories, `/` included.
    pub directories: u64,
    /// Files.
    pub files: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Blocks of files.
    pub blocks: u64,
}

impl Counts {
    /// Inodes of all kinds.
    pub fn inodes(&self) -> u64 {
        self.directories + self.files + self.symlinks
    }
}

/// Who writes a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UnderConstruction {
    pub(crate) client_name: Arc<str>,
    pub(crate) client_machine: Arc<str>,
    /// The last block is being written.
    pub(crate) last_block_open: bool,
    /// The last block becomes a copy of the start of this one, which the file owns until then.
    pub(crate) copy_source: Option<Block>,
}

/// The namespace.
#[derive(Debug)]
pub struct Namespace {
    pub(crate) records: Vec<Record>,
    pub(crate) free_head: u32,
    pub(crate) shared: SharedTable,
    pub(crate) index: IdIndex,
    pub(crate) names: NamePool,
    pub(crate) users: Interned,
    pub(crate) groups: Interned,
    pub(crate) children: Slab<Children>,
    pub(crate) block_lists: Slab<Vec<Block>>,
    pub(crate) targets: Slab<Box<[u8]>>,
    pub(crate) open_files: FastMap<Slot, UnderConstruction>,
    pub(crate) acls: ShardedMap<Slot, Box<[AclEntry]>>,
    pub(crate) xattrs: ShardedMap<Slot, Box<[XAttr]>>,
    pub(crate) quotas: FastMap<Slot, Box<Quota>>,
    /// Of directories below which files have storage policies: bytes by kind of storage.
    pub(crate) kinds: ShardedMap<Slot, Box<TypeSpace>>,
    pub(crate) leases: LeaseHolders,
    pub(crate) identities: Identities,
    /// Counts everything that is not reclaimed yet, detached or not.
    pub(crate) counts: Counts,
    pub(crate) detached: VecDeque<Detached>,
    /// Inodes that one operation reclaims at once.
    pub(crate) inline_budget: usize,
    /// A deletion that is not at its end.
    pub(crate) cleaning: Option<Box<Cleaning>>,
    /// What steps did before an operation that failed, for the next one to hand over.
    pub(crate) left_over: Effects,
    /// Steps of a deletion that one operation does at once.
    pub(crate) inline_steps: usize,
    pub(crate) last_txid: TxId,
    /// The directory of the last change, or of the one that is applied next: a place to start looking, no more.
    pub(crate) last_directory: Slot,
    /// A directory in which a file was made, and its path as the operation had it, while nothing on the path moved.
    pub(crate) last_path: (Slot, Vec<u8>),
    /// The inode that was made last, while it is linked; else `/`, which is nobody's child.
    pub(crate) last_child: Slot,
    /// The host of the client that opened a file last, to be shared.
    pub(crate) last_machine: Arc<str>,
    pub(crate) carried: Carried,
    pub(crate) erasure: ErasureCodingPolicies,
    pub(crate) cache: CacheManager,
    /// Directories that are encryption zones, by their attribute.
    pub(crate) zones: BTreeSet<INodeId>,
    pub(crate) snapshots: Snapshots,
    pub(crate) touched: Touched,
    /// As [`NamespaceConf::capture_open_files`].
    pub(crate) capture_open_files: bool,
    /// As [`NamespaceConf::skip_access_times`].
    pub(crate) skip_access_times: bool,
    /// As [`NamespaceConf::ordered_snapshot_deletion`].
    pub(crate) ordered_snapshot_deletion: bool,
}

impl Namespace {
    /// An empty tree for these settings.
    pub fn new(conf: &NamespaceConf) -> Self {
        let mut namespace = Self::format(&conf.owner, &conf.supergroup);
        namespace.erasure = ErasureCodingPolicies::new(conf);
        namespace.configure(conf);
        namespace
    }

    /// Takes over the switches that decide how operations are applied: after loading, too.
    pub fn configure(&mut self, conf: &NamespaceConf) {
        self.capture_open_files = conf.capture_open_files;
        self.skip_access_times = conf.skip_access_times;
        self.ordered_snapshot_deletion = conf.ordered_snapshot_deletion;
    }

    /// An empty tree as `namenode -format` makes it: `/` with mode 755 of the process owner and the supergroup.
    pub fn format(owner: &str, supergroup: &str) -> Self {
        let mut namespace = Self::empty();
        let permissions = PermissionStatus {
            user: owner.to_owned(),
            group: supergroup.to_owned(),
            permission: FsPermission(0o755),
        };
        let permission = namespace.pack_permission(&permissions);
        namespace.identities.last_inode_id = INodeId(constants::ROOT_INODE_ID);
        namespace.add_root(permission, WallMillis(0));
        namespace
    }

    /// Nothing at all: for loading.
    pub(crate) fn empty() -> Self {
        Self {
            records: Vec::new(),
            free_head: Slot::NONE.0,
            shared: SharedTable::default(),
            index: IdIndex::default(),
            names: NamePool::default(),
            users: Interned::default(),
            groups: Interned::default(),
            children: Slab::default(),
            block_lists: Slab::default(),
            targets: Slab::default(),
            open_files: FastMap::default(),
            acls: ShardedMap::default(),
            xattrs: ShardedMap::default(),
            quotas: FastMap::default(),
            kinds: ShardedMap::default(),
            leases: LeaseHolders::default(),
            identities: Identities::default(),
            counts: Counts::default(),
            detached: VecDeque::new(),
            inline_budget: reclaim::INLINE_BUDGET,
            cleaning: None,
            left_over: Effects::default(),
            inline_steps: INLINE_STEPS,
            last_txid: TxId(0),
            last_directory: Slot::ROOT,
            last_path: (Slot::ROOT, Vec::new()),
            last_child: Slot::ROOT,
            last_machine: Arc::default(),
            carried: Carried::default(),
            erasure: ErasureCodingPolicies::default(),
            cache: CacheManager::default(),
            zones: BTreeSet::new(),
            snapshots: Snapshots::default(),
            touched: Touched::default(),
            capture_open_files: false,
            skip_access_times: false,
            ordered_snapshot_deletion: false,
        }
    }

    pub(crate) fn add_root(&mut self, permission: u64, mtime: WallMillis) {
        debug_assert!(self.records.is_empty(), "the root is the first inode");
        let name = self.names.insert(b"");
        let root = INodeId(constants::ROOT_INODE_ID);
        let shared = self.shared.take(SharedAttributes { permission, header: 0 }, 1);
        let mut record = Record::new(root, INodeKind::Directory, name, shared);
        record.set_mtime(mtime);
        record.set_number(self.children.insert(Children::default()));
        record.set(Flag::Quota, true);
        let slot = self.store(record);
        debug_assert_eq!(slot, Slot::ROOT);
        self.record_mut(slot).set_totals(1, 0);
        self.quotas.insert(slot, Box::new(Quota::unlimited()));
    }

    /// Counters from which identities are given.
    pub fn identities(&self) -> Identities {
        self.identities
    }

    /// The last transaction that was applied; 0 before the first.
    pub fn last_txid(&self) -> TxId {
        self.last_txid
    }

    /// Leases.
    pub fn leases(&self) -> &LeaseHolders {
        &self.leases
    }

    /// Leases, for renewal.
    pub fn leases_mut(&mut self) -> &mut LeaseHolders {
        &mut self.leases
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    #[inline]
    pub(crate) fn record(&self, slot: Slot) -> &Record {
        &self.records[slot.0 as usize]
    }

    #[inline]
    pub(crate) fn record_mut(&mut self, slot: Slot) -> &mut Record {
        &mut self.records[slot.0 as usize]
    }

    pub(crate) fn pack_permission(&mut self, status: &PermissionStatus) -> u64 {
        PackedPermission {
            user: self.users.number(&status.user),
            group: if status.group.is_empty() { 0 } else { self.groups.number(&status.group) },
            mode: status.permission,
        }
        .pack()
    }

    pub(crate) fn permission_status(&self, slot: Slot) -> PermissionStatus {
        PermissionStatus {
            user: self.users.name(self.user_of(slot)).to_string(),
            group: self.groups.name(self.group_of(slot)).to_string(),
            permission: self.mode_of(slot),
        }
    }
}

/// Difference of use, to be added to the quotas on the way to `/`.
pub(crate) fn names(count: i64) -> QuotaCounts {
    QuotaCounts { names: count, ..QuotaCounts::default() }
}

impl Effects {
    pub(crate) fn push(&mut self, change: BlockChange) {
        self.blocks.push(change);
    }
}
