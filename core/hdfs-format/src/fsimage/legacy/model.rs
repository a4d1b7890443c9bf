//! What an old image holds, before it is written anew.

use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::Block;

use super::super::{NameTable, PackedPermission, StringTable};
use super::input::Status;
use hdfs_types::FsPermission;

/// Everything.
#[derive(Default)]
pub(super) struct Model {
    pub(super) counters: pb::NameSystemSection,
    pub(super) last_inode_id: u64,
    /// The root first.
    pub(super) inodes: Vec<INode>,
    pub(super) references: Vec<pb::i_node_reference_section::INodeReference>,
    pub(super) snapshot_counter: u32,
    pub(super) snapshots: Vec<Snapshot>,
    /// Directories where snapshots may be taken, with the ids of theirs.
    pub(super) snapshottable: Vec<(u64, Vec<u32>)>,
    /// Open files, with their paths.
    pub(super) open: Vec<(u64, String)>,
    pub(super) secrets: Secrets,
    pub(super) cache: Cache,
    pub(super) names: StringTable,
}

/// A snapshot and what its directory was.
pub(super) struct Snapshot {
    pub(super) id: u32,
    pub(super) name: Vec<u8>,
    pub(super) root: pb::i_node_section::INodeDirectory,
}

/// A file, directory or symbolic link.
pub(super) struct INode {
    pub(super) id: u64,
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    File(Box<File>),
    Directory(Box<Directory>),
    Symlink { permission: u64, target: String, mtime: u64, atime: u64 },
}

pub(super) struct File {
    pub(super) replication: u16,
    pub(super) mtime: u64,
    pub(super) atime: u64,
    pub(super) block_size: u64,
    pub(super) permission: u64,
    pub(super) blocks: Vec<Block>,
    /// Client and host that write it.
    pub(super) open: Option<(String, String)>,
    /// The latest first.
    pub(super) diffs: Option<Vec<pb::snapshot_diff_section::FileDiff>>,
}

pub(super) struct Directory {
    pub(super) permission: u64,
    pub(super) mtime: u64,
    pub(super) ns_quota: i64,
    pub(super) ds_quota: i64,
    pub(super) snapshottable: bool,
    pub(super) with_snapshots: bool,
    pub(super) children: Vec<Child>,
    /// The latest first, each with the names that it created.
    pub(super) diffs: Vec<(pb::snapshot_diff_section::DirectoryDiff, Vec<Vec<u8>>)>,
}

/// What a list of children names: an id, or the number of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Child {
    INode(u64),
    Reference(u32),
}

#[derive(Default)]
pub(super) struct Secrets {
    pub(super) current_id: u32,
    pub(super) sequence_number: u32,
    pub(super) keys: Vec<pb::secret_manager_section::DelegationKey>,
    pub(super) tokens: Vec<pb::secret_manager_section::PersistToken>,
}

#[derive(Default)]
pub(super) struct Cache {
    pub(super) next_directive_id: u64,
    pub(super) pools: Vec<hdfs_proto::hdfs::CachePoolInfoProto>,
    pub(super) directives: Vec<hdfs_proto::hdfs::CacheDirectiveInfoProto>,
}

impl Model {
    /// Owner, group and mode as numbers.
    pub(super) fn permission(&mut self, status: &Status) -> u64 {
        let user = self.names.id(NameTable::User, &status.user);
        let group = self.names.id(NameTable::Group, &status.group);
        PackedPermission { user, group, mode: FsPermission(status.mode) }.pack()
    }

    pub(super) fn directory(&self, index: u32) -> Option<&Directory> {
        match &self.inodes.get(index as usize)?.kind {
            Kind::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    pub(super) fn directory_mut(&mut self, index: u32) -> Option<&mut Directory> {
        match &mut self.inodes.get_mut(index as usize)?.kind {
            Kind::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    pub(super) fn file_mut(&mut self, index: u32) -> Option<&mut File> {
        match &mut self.inodes.get_mut(index as usize)?.kind {
            Kind::File(file) => Some(file),
            _ => None,
        }
    }
}
