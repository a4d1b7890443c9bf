//! What the NameNode answers about files, directories and the file system, in this crate's own types.
//!
//! Times are milliseconds since 1970 (UTC), lengths are bytes. A name or a quota that the NameNode does not know stays
//! as it sent it; nothing is made up here.

use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::hdfs_file_status_proto::{FileType, Flags};
use hdfs_types::{FsPermission, INodeId, StorageType, WallMillis};

use crate::located::LocatedBlocks;

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
}

/// Everything about one file, directory or link except its data.
///
/// Proto: hdfs.proto HdfsFileStatusProto. Hadoop: org.apache.hadoop.hdfs.protocol.HdfsFileStatus (3.5.0)
#[derive(Clone, Debug)]
pub struct FileStatus {
    /// The absolute path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Length of a file in bytes; 0 for a directory.
    pub length: u64,
    /// Wanted replicas; 0 for a directory.
    pub replication: u16,
    /// Preferred block size in bytes; 0 for a directory.
    pub block_size: u64,
    /// Last change of the content.
    pub modification_time: WallMillis,
    /// Last read, as exact as `dfs.namenode.accesstime.precision`.
    pub access_time: WallMillis,
    /// Mode bits, sticky bit included.
    pub permission: FsPermission,
    /// Owner.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Target of a link.
    pub symlink: Option<String>,
    /// Identity that a rename keeps.
    pub file_id: INodeId,
    /// Number of children of a directory; -1 when the NameNode did not say.
    pub children: i32,
    /// It has an ACL beyond the mode bits.
    pub has_acl: bool,
    /// It lies in an encryption zone.
    pub is_encrypted: bool,
    /// It is, or makes its files, erasure-coded.
    pub is_erasure_coded: bool,
    /// Snapshots of it may be taken.
    pub is_snapshot_enabled: bool,
    /// Id of its own storage policy; 0 for none.
    pub storage_policy: u8,
    /// Name of the erasure-coding policy in force.
    pub ec_policy: Option<String>,
    /// The blocks, when the call asked for locations.
    pub locations: Option<LocatedBlocks>,
}

impl FileStatus {
    /// True for a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// True for a file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// The last component of the path; empty for `/`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// From the wire. `parent` is the path that was asked for; the message holds the name below it, if any.
    pub(crate) fn from_proto(status: proto::HdfsFileStatusProto, parent: &str) -> Self {
        let kind = match status.file_type() {
            FileType::IsDir => FileKind::Directory,
            FileType::IsFile => FileKind::File,
            FileType::IsSymlink => FileKind::Symlink,
        };
        let flags = status.flags.unwrap_or(0);
        let has = |flag: Flags| flags & flag as u32 != 0;
        Self {
            path: join(parent, &String::from_utf8_lossy(&status.path)),
            kind,
            length: status.length,
            replication: status.block_replication().try_into().unwrap_or(u16::MAX),
            block_size: status.blocksize(),
            modification_time: WallMillis(status.modification_time),
            access_time: WallMillis(status.access_time),
            permission: FsPermission((status.permission.perm & 0o1777) as u16),
            symlink: status.symlink.as_ref().map(|link| String::from_utf8_lossy(link).into_owned()),
            file_id: INodeId(status.file_id()),
            children: status.children_num(),
            has_acl: has(Flags::HasAcl),
            is_encrypted: has(Flags::HasCrypt) || status.file_encryption_info.is_some(),
            is_erasure_coded: has(Flags::HasEc) || status.ec_policy.is_some(),
            is_snapshot_enabled: has(Flags::SnapshotEnabled),
            storage_policy: status.storage_policy().try_into().unwrap_or(0),
            ec_policy: status.ec_policy.as_ref().and_then(|policy| policy.name.clone()),
            locations: status.locations.map(LocatedBlocks::from_proto),
            owner: status.owner,
            group: status.group,
        }
    }
}

/// `parent` and a name below it; the parent itself when the name is empty.
pub(crate) fn join(parent: &str, name: &str) -> String {
    let parent = if parent == "/" { "" } else { parent.trim_end_matches('/') };
    match name {
        "" if parent.is_empty() => "/".to_owned(),
        "" => parent.to_owned(),
        name => format!("{parent}/{name}"),
    }
}

/// Sums over a subtree.
///
/// Proto: hdfs.proto ContentSummaryProto. Hadoop: org.apache.hadoop.fs.ContentSummary (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentSummary {
    /// Bytes of all files, counted once.
    pub length: u64,
    /// Number of files.
    pub file_count: u64,
    /// Number of directories, the root of the subtree included.
    pub directory_count: u64,
    /// Bytes of all replicas.
    pub space_consumed: u64,
    /// Limit of names; `None` when there is none.
    pub quota: Option<u64>,
    /// Limit of bytes of all replicas; `None` when there is none.
    pub space_quota: Option<u64>,
    /// What each storage type holds and may hold.
    pub type_quotas: Vec<TypeQuota>,
    /// The part of `length` that only snapshots hold.
    pub snapshot_length: u64,
    /// The part of `file_count` that only snapshots hold.
    pub snapshot_file_count: u64,
    /// The part of `directory_count` that only snapshots hold.
    pub snapshot_directory_count: u64,
    /// The part of `space_consumed` that only snapshots hold.
    pub snapshot_space_consumed: u64,
    /// Name of the erasure-coding policy; `Replicated` for plain files, empty when the NameNode did not say.
    pub erasure_coding_policy: String,
}

/// Quota and use of one storage type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeQuota {
    /// The type.
    pub storage_type: StorageType,
    /// Limit in bytes; `None` when there is none.
    pub quota: Option<u64>,
    /// Bytes in use.
    pub consumed: u64,
}

/// Quota and use of a directory, without a walk over it.
///
/// Proto: hdfs.proto QuotaUsageProto. Hadoop: org.apache.hadoop.fs.QuotaUsage (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuotaUsage {
    /// Number of names.
    pub file_and_directory_count: u64,
    /// Limit of names.
    pub quota: Option<u64>,
    /// Bytes of all replicas.
    pub space_consumed: u64,
    /// Limit of bytes of all replicas.
    pub space_quota: Option<u64>,
    /// What each storage type holds and may hold.
    pub type_quotas: Vec<TypeQuota>,
}

/// -1 on the wire, in two's complement, means that there is no quota.
fn quota(wire: u64) -> Option<u64> {
    (wire <= i64::MAX as u64).then_some(wire)
}

fn type_quotas(infos: Option<&proto::StorageTypeQuotaInfosProto>) -> Vec<TypeQuota> {
    let infos = infos.map_or(&[][..], |infos| &infos.type_quota_info);
    infos
        .iter()
        .filter_map(|info| {
            let storage_type = StorageType::from_wire(info.r#type.unwrap_or(1))?;
            Some(TypeQuota { storage_type, quota: quota(info.quota), consumed: info.consumed })
        })
        .collect()
}

impl From<proto::ContentSummaryProto> for ContentSummary {
    fn from(summary: proto::ContentSummaryProto) -> Self {
        Self {
            length: summary.length,
            file_count: summary.file_count,
            directory_count: summary.directory_count,
            space_consumed: summary.space_consumed,
            quota: quota(summary.quota),
            space_quota: quota(summary.space_quota),
            type_quotas: type_quotas(summary.type_quota_infos.as_ref()),
            snapshot_length: summary.snapshot_length.unwrap_or(0),
            snapshot_file_count: summary.snapshot_file_count.unwrap_or(0),
            snapshot_directory_count: summary.snapshot_directory_count.unwrap_or(0),
            snapshot_space_consumed: summary.snapshot_space_consumed.unwrap_or(0),
            erasure_coding_policy: summary.erasure_coding_policy.unwrap_or_default(),
        }
    }
}

impl From<proto::QuotaUsageProto> for QuotaUsage {
    fn from(usage: proto::QuotaUsageProto) -> Self {
        Self {
            file_and_directory_count: usage.file_and_directory_count,
            quota: quota(usage.quota),
            space_consumed: usage.space_consumed,
            space_quota: quota(usage.space_quota),
            type_quotas: type_quotas(usage.type_quota_infos.as_ref()),
        }
    }
}

/// Capacity and health of the whole file system, in bytes and blocks.
///
/// Proto: ClientNamenodeProtocol.proto getFsStats
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FsStats {
    /// Bytes that all DataNodes may hold.
    pub capacity: u64,
    /// Bytes in use by HDFS.
    pub used: u64,
    /// Bytes free for HDFS.
    pub remaining: u64,
    /// Blocks with too few replicas.
    pub under_replicated: u64,
    /// Blocks with a corrupt replica.
    pub corrupt_blocks: u64,
    /// Blocks without any good replica.
    pub missing_blocks: u64,
    /// The same among files with replication 1.
    pub missing_repl_one_blocks: u64,
    /// Bytes in blocks with a generation stamp of the future.
    pub bytes_in_future: u64,
    /// Blocks that wait to be deleted.
    pub pending_deletion_blocks: u64,
}

/// Counters of replicated blocks.
///
/// Proto: ClientNamenodeProtocol.proto getFsReplicatedBlockStats
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplicatedBlockStats {
    /// Blocks with too few replicas.
    pub low_redundancy: u64,
    /// Blocks with a corrupt replica.
    pub corrupt_blocks: u64,
    /// Blocks without any good replica.
    pub missing_blocks: u64,
    /// The same among files with replication 1.
    pub missing_repl_one_blocks: u64,
    /// Bytes in blocks with a generation stamp of the future.
    pub bytes_in_future: u64,
    /// Blocks that wait to be deleted.
    pub pending_deletion_blocks: u64,
    /// Blocks with a single replica left, when the NameNode said so.
    pub highest_prio_low_redundancy_blocks: Option<u64>,
    /// Blocks on too few racks, when the NameNode said so.
    pub badly_distributed_blocks: Option<u64>,
}

/// Counters of erasure-coded block groups.
///
/// Proto: ClientNamenodeProtocol.proto getFsECBlockGroupStats
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EcBlockGroupStats {
    /// Groups with too few internal blocks.
    pub low_redundancy: u64,
    /// Groups with a corrupt internal block.
    pub corrupt_blocks: u64,
    /// Groups that can't be read.
    pub missing_blocks: u64,
    /// Bytes in groups with a generation stamp of the future.
    pub bytes_in_future: u64,
    /// Internal blocks that wait to be deleted.
    pub pending_deletion_blocks: u64,
    /// Groups that the next loss would make unreadable, when the NameNode said so.
    pub highest_prio_low_redundancy_blocks: Option<u64>,
    /// Groups on too few racks, when the NameNode said so.
    pub badly_distributed_blocks: Option<u64>,
}

/// What the server would choose for a client that does not.
///
/// Proto: hdfs.proto FsServerDefaultsProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerDefaults {
    /// Block size in bytes.
    pub block_size: u64,
    /// Bytes per checksum.
    pub bytes_per_checksum: u32,
    /// Packet size of writes in bytes.
    pub write_packet_size: u32,
    /// Replicas.
    pub replication: u16,
    /// Buffer size in bytes.
    pub file_buffer_size: u32,
    /// Data connections are encrypted.
    pub encrypt_data_transfer: bool,
    /// Minutes that the trash keeps a deleted file; 0 when there is no trash.
    pub trash_interval_minutes: u64,
    /// 0 none, 1 CRC32, 2 CRC32C.
    pub checksum_type: i32,
    /// URI of the key provider of encryption zones.
    pub key_provider_uri: Option<String>,
    /// Id of the default storage policy.
    pub policy_id: u8,
    /// Snapshottable directories have a trash of their own.
    pub snapshot_trash_root_enabled: bool,
}

impl From<proto::FsServerDefaultsProto> for ServerDefaults {
    fn from(defaults: proto::FsServerDefaultsProto) -> Self {
        Self {
            block_size: defaults.block_size,
            bytes_per_checksum: defaults.bytes_per_checksum,
            write_packet_size: defaults.write_packet_size,
            replication: defaults.replication.try_into().unwrap_or(u16::MAX),
            file_buffer_size: defaults.file_buffer_size,
            encrypt_data_transfer: defaults.encrypt_data_transfer(),
            trash_interval_minutes: defaults.trash_interval(),
            checksum_type: defaults.checksum_type() as i32,
            policy_id: defaults.policy_id().try_into().unwrap_or(0),
            snapshot_trash_root_enabled: defaults.snapshot_trash_root_enabled(),
            key_provider_uri: defaults.key_provider_uri,
        }
    }
}

/// A file that some client writes.
///
/// Proto: ClientNamenodeProtocol.proto OpenFilesBatchResponseProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenFile {
    /// Identity of the file.
    pub id: INodeId,
    /// Its path.
    pub path: String,
    /// Name of the client that holds the lease.
    pub client_name: String,
    /// Address of that client.
    pub client_machine: String,
}

/// A named way to place replicas on kinds of storage.
///
/// Proto: hdfs.proto BlockStoragePolicyProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoragePolicy {
    /// Id, 1 to 15.
    pub id: u8,
    /// Name, as `HOT`.
    pub name: String,
    /// Where new replicas go.
    pub storage_types: Vec<StorageType>,
    /// Where they go when that is full, at creation.
    pub creation_fallbacks: Vec<StorageType>,
    /// The same for re-replication.
    pub replication_fallbacks: Vec<StorageType>,
}

impl From<proto::BlockStoragePolicyProto> for StoragePolicy {
    fn from(policy: proto::BlockStoragePolicyProto) -> Self {
        let types = |wire: Option<proto::StorageTypesProto>| {
            let wire = wire.map(|types| types.storage_types).unwrap_or_default();
            wire.into_iter().filter_map(StorageType::from_wire).collect()
        };
        Self {
            id: policy.policy_id.try_into().unwrap_or(0),
            name: policy.name,
            storage_types: types(Some(policy.creation_policy)),
            creation_fallbacks: types(policy.creation_fallback_policy),
            replication_fallbacks: types(policy.replication_fallback_policy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_joined_to_the_path_that_was_asked_for() {
        assert_eq!(join("/", ""), "/");
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("/a/", "b"), "/a/b");
        assert_eq!(join("/a", ""), "/a");
    }

    #[test]
    fn minus_one_is_no_quota() {
        assert_eq!(quota(u64::MAX), None);
        assert_eq!(quota(5), Some(5));
    }
}
