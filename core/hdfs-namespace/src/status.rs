//! What queries answer: file status, listings, blocks of a file, summaries.

use std::sync::Arc;

use hdfs_proto::hdfs::FileEncryptionInfoProto;
use hdfs_types::{Block, FsPermission, INodeId, WallMillis};

/// What an inode is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum INodeKind {
    /// A directory.
    Directory = 1,
    /// A file.
    File = 2,
    /// A symbolic link.
    Symlink = 3,
}

/// Who writes a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Writer {
    /// Holder of the lease.
    pub client_name: Arc<str>,
    /// Its host.
    pub client_machine: Arc<str>,
    /// The last block is being written (false: the next data goes to a new block).
    pub last_block_open: bool,
}

/// A file as the block side must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileBlocks {
    /// The file.
    pub inode: INodeId,
    /// Its path, resolved.
    pub path: Vec<u8>,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
    /// Length of the file in the snapshot in which it is looked at: it may end inside a block.
    pub snapshot_length: Option<u64>,
    /// Preferred length of a block, in bytes.
    pub preferred_block_size: u64,
    /// Replicas wanted.
    pub replication: u16,
    /// Storage policy that holds (own or inherited); 0: none set.
    pub storage_policy: u8,
    /// Erasure-coding policy; 0: replicated.
    pub ec_policy: u8,
    /// Who writes it, if it is open.
    pub writer: Option<Writer>,
    /// Key, when it is in an encryption zone.
    pub encryption: Option<Box<FileEncryptionInfoProto>>,
    /// Access time.
    pub atime: WallMillis,
}

impl FileBlocks {
    /// Length with everything known of the last block.
    pub fn length(&self) -> u64 {
        if let Some(length) = self.snapshot_length {
            return length;
        }
        self.blocks.iter().map(|block| block.num_bytes).sum()
    }

    /// Length of the complete blocks.
    pub fn complete_length(&self) -> u64 {
        let open = self.writer.as_ref().is_some_and(|writer| writer.last_block_open);
        self.length() - self.blocks.last().filter(|_| open).map_or(0, |last| last.num_bytes)
    }
}

/// Status of one inode.
///
/// Proto: hdfs.proto HdfsFileStatusProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileStatus {
    /// What it is.
    pub kind: INodeKind,
    /// Its own name; empty when the caller named it by path.
    pub name: Vec<u8>,
    /// Identity; `u64::MAX` (Hadoop: -1) for `/.reserved` and `/.snapshot`.
    pub inode: INodeId,
    /// Length in bytes; 0 for directories.
    pub length: u64,
    /// Replicas wanted; 1 for striped files, 0 for directories.
    pub replication: u16,
    /// Preferred length of a block; 0 for directories.
    pub block_size: u64,
    /// Modification time.
    pub mtime: WallMillis,
    /// Access time.
    pub atime: WallMillis,
    /// Mode.
    pub permission: FsPermission,
    /// Owner.
    pub owner: Arc<str>,
    /// Group.
    pub group: Arc<str>,
    /// Target of a symbolic link.
    pub symlink: Option<Vec<u8>>,
    /// Children of a directory.
    pub children: u32,
    /// Storage policy that holds; 0: none set.
    pub storage_policy: u8,
    /// Erasure-coding policy that holds; 0: replicated.
    pub ec_policy: u8,
    /// It is in an encryption zone, or is one.
    pub encrypted: bool,
    /// Key of a file in an encryption zone.
    pub encryption: Option<Box<FileEncryptionInfoProto>>,
    /// It has an access control list.
    pub has_acl: bool,
    /// Snapshots may be taken of it.
    pub snapshottable: bool,
    /// Blocks, when they were asked for; files only.
    pub blocks: Option<FileBlocks>,
}

impl FileStatus {
    /// Leaves the key away, as for a path below `/.reserved/raw`.
    pub(crate) fn hide_encryption(&mut self) {
        self.encryption = None;
        if let Some(blocks) = &mut self.blocks {
            blocks.encryption = None;
        }
    }
}

/// A part of a directory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// Entries by name.
    pub entries: Vec<FileStatus>,
    /// Entries after them.
    pub remaining: usize,
}

impl Listing {
    /// Adds an entry, and takes its locations off what one answer may carry.
    pub(crate) fn push(&mut self, status: FileStatus, budget: &mut usize) {
        if let Some(blocks) = &status.blocks {
            let locations = blocks.blocks.len() * usize::from(status.replication);
            *budget = budget.saturating_sub(locations);
        }
        self.entries.push(status);
    }
}

/// An open file, for listOpenFiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenFile {
    /// The file.
    pub inode: INodeId,
    /// Its path.
    pub path: Vec<u8>,
    /// Who writes it.
    pub client_name: Arc<str>,
    /// From where.
    pub client_machine: Arc<str>,
}

/// Space by kind of storage: SSD, DISK, ARCHIVE, PROVIDED, NVDIMM, in the order of `StorageType::ALL`.
pub type TypeSpace = [i64; 6];

/// What lies below an inode.
///
/// Proto: hdfs.proto ContentSummaryProto
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContentSummary {
    /// Bytes of the files.
    pub length: u64,
    /// Files and symbolic links.
    pub files: u64,
    /// Directories, the root of the count included.
    pub directories: u64,
    /// Bytes with replicas.
    pub space_consumed: u64,
    /// Names allowed; -1: no quota.
    pub quota: i64,
    /// Bytes allowed; -1: no quota.
    pub space_quota: i64,
    /// Bytes of each kind of storage.
    pub type_consumed: TypeSpace,
    /// Bytes allowed of each kind; -1: no quota.
    pub type_quota: TypeSpace,
    /// Bytes of files that only snapshots keep.
    pub snapshot_length: u64,
    /// Files that only snapshots keep.
    pub snapshot_files: u64,
    /// Directories that only snapshots keep.
    pub snapshot_directories: u64,
    /// Bytes with replicas of files that only snapshots keep.
    pub snapshot_space_consumed: u64,
    /// Name of the erasure-coding policy, `Replicated`, or empty.
    pub erasure_coding_policy: String,
}

/// Quotas and their use.
///
/// Proto: hdfs.proto QuotaUsageProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaUsage {
    /// Files and directories.
    pub file_and_directory_count: i64,
    /// Names allowed; -1: no quota.
    pub quota: i64,
    /// Bytes with replicas.
    pub space_consumed: i64,
    /// Bytes allowed; -1: no quota.
    pub space_quota: i64,
    /// Bytes of each kind of storage.
    pub type_consumed: TypeSpace,
    /// Bytes allowed of each kind; -1: no quota.
    pub type_quota: TypeSpace,
}
