//! The same client for callers without a runtime.
//!
//! A client owns a small runtime: one thread that drives the connections, renews leases and sends packets, while the
//! caller's own thread does the rest. Clones, readers and writers share it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hdfs_conf::Configuration;
use hdfs_proto::common::TokenProto;
use hdfs_proto::hdfs as proto;
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, Result, StorageType, TxId, WallMillis};
use tokio::runtime::Runtime;

use crate::peer::Waiting;
use crate::{
    CorruptFiles, CreateOptions, DatanodeInfo, DatanodeReportType, DatanodeStorageReport,
    EcBlockGroupStats, EventBatch, FileChecksum, FileStatus, FsStats, HaState, LocatedBlocks,
    OpenFile, QuotaChange, QuotaUsage, RenameOptions, ReplicatedBlockStats, RollingUpgrade,
    RollingUpgradeAction, SafeModeAction, ServerDefaults, StoragePolicy, SyncOptions, Times,
};

/// [`crate::HdfsClient`], blocking. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HdfsClient {
    client: crate::HdfsClient,
    runtime: Arc<Runtime>,
}

macro_rules! calls {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl HdfsClient {
            $(
                #[doc = concat!("[`crate::HdfsClient::", stringify!($name), "`], blocking.\n\n# Errors\nAs there.")]
                pub fn $name(&self, $($arg: $type),*) -> Result<$answer> {
                    self.runtime.block_on(self.client.$name($($arg),*))
                }
            )*
        }
    };
}

calls! {
    file_info(path: &str) -> Option<FileStatus>;
    status(path: &str) -> FileStatus;
    exists(path: &str) -> bool;
    file_link_info(path: &str) -> Option<FileStatus>;
    located_file_info(path: &str) -> Option<FileStatus>;
    list_batched(paths: &[&str]) -> Vec<Result<Vec<FileStatus>>>;
    block_locations(path: &str, offset: u64, length: u64) -> LocatedBlocks;
    mkdirs(path: &str, permission: Option<FsPermission>, create_parent: bool) -> bool;
    delete(path: &str, recursive: bool) -> bool;
    rename(source: &str, target: &str) -> bool;
    rename_with(source: &str, target: &str, options: RenameOptions) -> ();
    concat(target: &str, sources: &[&str]) -> ();
    truncate(path: &str, new_length: u64) -> bool;
    wait_for_truncate(path: &str, new_length: u64) -> ();
    set_permission(path: &str, permission: FsPermission) -> ();
    set_owner(path: &str, owner: Option<&str>, group: Option<&str>) -> ();
    set_times(path: &str, times: Times) -> ();
    set_replication(path: &str, replication: u16) -> bool;
    content_summary(path: &str) -> crate::ContentSummary;
    quota_usage(path: &str) -> QuotaUsage;
    set_quota(path: &str, names: QuotaChange, space_bytes: QuotaChange) -> ();
    check_access(path: &str, action: FsAction) -> ();
    acl_status(path: &str) -> crate::AclStatus;
    modify_acl_entries(path: &str, entries: &[crate::AclEntry]) -> ();
    remove_acl_entries(path: &str, entries: &[crate::AclEntry]) -> ();
    remove_default_acl(path: &str) -> ();
    remove_acl(path: &str) -> ();
    set_acl(path: &str, entries: &[crate::AclEntry]) -> ();
    xattrs(path: &str, names: &[&str]) -> Vec<(String, Vec<u8>)>;
    list_xattrs(path: &str) -> Vec<String>;
    set_xattr(path: &str, name: &str, value: Option<&[u8]>, how: crate::XAttrSet) -> ();
    remove_xattr(path: &str, name: &str) -> ();
    create_snapshot(root: &str, name: Option<&str>) -> String;
    delete_snapshot(root: &str, name: &str) -> ();
    rename_snapshot(root: &str, old: &str, new: &str) -> ();
    snapshot_diff(root: &str, from: &str, to: &str) -> proto::SnapshotDiffReportProto;
    snapshottable_directories() -> Vec<proto::SnapshottableDirectoryStatusProto>;
    snapshots(root: &str) -> Vec<proto::SnapshotStatusProto>;
    erasure_coding_policies() -> Vec<proto::ErasureCodingPolicyProto>;
    erasure_coding_codecs() -> Vec<proto::CodecProto>;
    erasure_coding_policy(path: &str) -> Option<proto::ErasureCodingPolicyProto>;
    set_erasure_coding_policy(path: &str, policy: Option<&str>) -> ();
    unset_erasure_coding_policy(path: &str) -> ();
    add_erasure_coding_policies(policies: Vec<proto::ErasureCodingPolicyProto>)
        -> Vec<proto::AddErasureCodingPolicyResponseProto>;
    remove_erasure_coding_policy(name: &str) -> ();
    enable_erasure_coding_policy(name: &str) -> ();
    disable_erasure_coding_policy(name: &str) -> ();
    erasure_coding_topology(policies: Vec<String>) -> proto::EcTopologyVerifierResultProto;
    unset_storage_policy(path: &str) -> ();
    satisfy_storage_policy(path: &str) -> ();
    add_cache_directive(info: proto::CacheDirectiveInfoProto, force: bool) -> i64;
    modify_cache_directive(info: proto::CacheDirectiveInfoProto, force: bool) -> ();
    remove_cache_directive(id: i64) -> ();
    cache_directives(filter: proto::CacheDirectiveInfoProto)
        -> Vec<proto::CacheDirectiveEntryProto>;
    add_cache_pool(info: proto::CachePoolInfoProto) -> ();
    modify_cache_pool(info: proto::CachePoolInfoProto) -> ();
    remove_cache_pool(name: &str) -> ();
    cache_pools() -> Vec<proto::CachePoolEntryProto>;
    create_encryption_zone(path: &str, key: &str) -> ();
    encryption_zone(path: &str) -> Option<proto::EncryptionZoneProto>;
    encryption_zones() -> Vec<proto::EncryptionZoneProto>;
    reencrypt_encryption_zone(path: &str, cancel: bool) -> ();
    reencryption_status() -> Vec<proto::ZoneReencryptionStatusProto>;
    file_encryption_info(path: &str) -> Option<proto::FileEncryptionInfoProto>;
    is_file_closed(path: &str) -> bool;
    recover_lease(path: &str) -> bool;
    preferred_block_size(path: &str) -> u64;
    server_defaults() -> ServerDefaults;
    create_symlink(target: &str, link: &str, create_parent: bool) -> ();
    enclosing_root(path: &str) -> String;
    storage_policies() -> Vec<StoragePolicy>;
    storage_policy(path: &str) -> StoragePolicy;
    set_storage_policy(path: &str, policy: &str) -> ();
    file_checksum(path: &str) -> Option<FileChecksum>;
    file_checksum_of(path: &str, length: u64) -> Option<FileChecksum>;
    set_safe_mode(action: SafeModeAction) -> bool;
    save_namespace(time_window_secs: u64, tx_gap: u64) -> bool;
    roll_edits() -> TxId;
    refresh_nodes() -> ();
    restore_failed_storage(arg: &str) -> bool;
    meta_save(file_name: &str) -> ();
    fs_stats() -> FsStats;
    replicated_block_stats() -> ReplicatedBlockStats;
    ec_block_group_stats() -> EcBlockGroupStats;
    datanode_report(kind: DatanodeReportType) -> Vec<DatanodeInfo>;
    datanode_storage_report(kind: DatanodeReportType) -> Vec<DatanodeStorageReport>;
    list_open_files(path: Option<&str>, blocking_decommission: bool) -> Vec<OpenFile>;
    list_corrupt_files(path: &str, cookie: Option<&str>) -> CorruptFiles;
    msync() -> ();
    ha_service_state() -> HaState;
    refresh_service_acl() -> ();
    refresh_user_to_groups_mappings() -> ();
    refresh_super_user_groups() -> ();
    refresh_call_queue() -> ();
    groups_of(user: &str) -> Vec<String>;
    set_balancer_bandwidth(bytes_per_second: u64) -> ();
    slow_datanodes() -> Vec<DatanodeInfo>;
    finalize_upgrade() -> ();
    is_upgrade_finalized() -> bool;
    rolling_upgrade(action: RollingUpgradeAction) -> Option<RollingUpgrade>;
    delegation_token(renewer: &str) -> Option<TokenProto>;
    renew_delegation_token(token: TokenProto) -> WallMillis;
    cancel_delegation_token(token: TokenProto) -> ();
    allow_snapshot(path: &str) -> ();
    disallow_snapshot(path: &str) -> ();
    snapshottable_paths() -> Vec<String>;
    set_quota_by_storage_type(path: &str, storage_type: StorageType, bytes: QuotaChange) -> ();
}

impl HdfsClient {
    /// [`crate::HdfsClient::connect`] with a runtime of its own.
    ///
    /// # Errors
    /// As there, or when no thread can be started.
    pub fn connect(conf: &Configuration) -> Result<Self> {
        Self::over(crate::HdfsClient::connect(conf)?)
    }

    /// [`crate::HdfsClient::for_uri`] with a runtime of its own.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn for_uri(uri: &str, conf: &Configuration) -> Result<Self> {
        Self::over(crate::HdfsClient::for_uri(uri, conf)?)
    }

    /// [`crate::HdfsClient::for_user`] with a runtime of its own.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn for_user(uri: &str, conf: &Configuration, ugi: Ugi) -> Result<Self> {
        Self::over(crate::HdfsClient::for_user(uri, conf, ugi)?)
    }

    fn over(client: crate::HdfsClient) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("hdfs-client")
            .enable_all()
            .build()?;
        Ok(Self { client, runtime: Arc::new(runtime) })
    }

    /// The async client, for what has no blocking form here.
    pub fn inner(&self) -> &crate::HdfsClient {
        &self.client
    }

    /// Runs a future of the async client to its end. Must not be called inside a runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// `hdfs://` and the authority, without a path.
    pub fn uri(&self) -> &str {
        self.client.uri()
    }

    /// The user whose permissions count.
    pub fn user(&self) -> &str {
        self.client.user()
    }

    /// `/user/<name>`.
    pub fn home_directory(&self) -> String {
        self.client.home_directory()
    }

    /// The settings.
    pub fn conf(&self) -> &crate::ClientConf {
        self.client.conf()
    }

    /// The entries of a directory, page by page.
    pub fn list(&self, path: &str) -> Listing {
        Listing { listing: self.client.list(path), runtime: Arc::clone(&self.runtime) }
    }

    /// The entries of a directory, files with their blocks.
    pub fn list_located(&self, path: &str) -> Listing {
        Listing { listing: self.client.list_located(path), runtime: Arc::clone(&self.runtime) }
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`crate::HdfsClient::open`].
    pub fn open(&self, path: &str) -> Result<FileReader> {
        let reader = self.runtime.block_on(self.client.open_waiting(path, Waiting::Blocking))?;
        Ok(FileReader { reader, runtime: Arc::clone(&self.runtime) })
    }

    /// Creates a file.
    ///
    /// # Errors
    /// As [`crate::HdfsClient::create`].
    pub fn create(&self, path: &str, options: CreateOptions) -> Result<FileWriter> {
        let writer = self.runtime.block_on(self.client.create(path, options))?;
        Ok(FileWriter { writer, runtime: Arc::clone(&self.runtime) })
    }

    /// Opens a file to add to its end.
    ///
    /// # Errors
    /// As [`crate::HdfsClient::append`].
    pub fn append(&self, path: &str, new_block: bool) -> Result<FileWriter> {
        let writer = self.runtime.block_on(self.client.append(path, new_block))?;
        Ok(FileWriter { writer, runtime: Arc::clone(&self.runtime) })
    }
}

/// The entries of a directory. After an error there are no more.
#[derive(Debug)]
pub struct Listing {
    listing: crate::Listing,
    runtime: Arc<Runtime>,
}

impl Iterator for Listing {
    type Item = Result<FileStatus>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.listing.next()).transpose()
    }
}

/// [`crate::FileReader`], blocking.
#[derive(Debug)]
pub struct FileReader {
    reader: crate::FileReader,
    runtime: Arc<Runtime>,
}

impl FileReader {
    /// Length of the file when it was opened, in bytes.
    pub fn len(&self) -> u64 {
        self.reader.len()
    }

    /// True for a file without bytes.
    pub fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// Reads at a place without moving; fills the buffer unless the file ends.
    ///
    /// # Errors
    /// As [`crate::FileReader::read_at`].
    pub fn read_at(&self, position: u64, target: &mut [u8]) -> Result<usize> {
        self.runtime.block_on(self.reader.read_at(position, target))
    }

    /// The same, all or nothing.
    ///
    /// # Errors
    /// As [`crate::FileReader::read_exact_at`].
    pub fn read_exact_at(&self, position: u64, target: &mut [u8]) -> Result<()> {
        self.runtime.block_on(self.reader.read_exact_at(position, target))
    }

    /// The next bytes, with an error of this crate; [`io::Read`] gives the same inside an [`io::Error`].
    ///
    /// # Errors
    /// As [`crate::FileReader::read`].
    pub fn read_some(&mut self, target: &mut [u8]) -> Result<usize> {
        self.runtime.block_on(self.reader.read(target))
    }
}

impl io::Read for FileReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        self.read_some(target).map_err(into_io)
    }
}

impl io::Seek for FileReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let position = match to {
            io::SeekFrom::Start(position) => Some(position),
            io::SeekFrom::End(delta) => self.reader.len().checked_add_signed(delta),
            io::SeekFrom::Current(delta) => self.reader.position().checked_add_signed(delta),
        };
        let position = position
            .ok_or_else(|| into_io(Error::new(ErrorKind::Eof, "Cannot seek to negative offset")))?;
        self.reader.seek(position).map_err(into_io)?;
        Ok(position)
    }
}

/// [`crate::FileWriter`], blocking. Close it: dropping it leaves the file open until its lease expires.
#[derive(Debug)]
pub struct FileWriter {
    writer: crate::FileWriter,
    runtime: Arc<Runtime>,
}

impl FileWriter {
    /// Length of the file with every byte that was accepted.
    pub fn position(&self) -> u64 {
        self.writer.position()
    }

    /// Takes all of these bytes.
    ///
    /// # Errors
    /// As [`crate::FileWriter::write`].
    pub fn write_some(&mut self, data: &[u8]) -> Result<()> {
        if self.writer.write_now(data) {
            return Ok(());
        }
        self.runtime.block_on(self.writer.write(data))
    }

    /// Returns when every reader can see what was written.
    ///
    /// # Errors
    /// As [`crate::FileWriter::hflush`].
    pub fn hflush(&mut self) -> Result<()> {
        self.runtime.block_on(self.writer.hflush())
    }

    /// The same, and it is on the DataNodes' disks.
    ///
    /// # Errors
    /// As [`crate::FileWriter::hsync`].
    pub fn hsync(&mut self) -> Result<()> {
        self.runtime.block_on(self.writer.hsync())
    }

    /// [`Self::hsync`] with more.
    ///
    /// # Errors
    /// As [`crate::FileWriter::hsync_with`].
    pub fn hsync_with(&mut self, options: SyncOptions) -> Result<()> {
        self.runtime.block_on(self.writer.hsync_with(options))
    }

    /// Sends what is left and closes the file at the NameNode.
    ///
    /// # Errors
    /// As [`crate::FileWriter::close`].
    pub fn close(mut self) -> Result<()> {
        self.runtime.block_on(self.writer.close())
    }
}

/// [`io::Write::flush`] is [`FileWriter::hflush`].
impl io::Write for FileWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_some(data).map_err(into_io)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hflush().map_err(into_io)
    }
}

/// An error of this crate inside one of the standard library.
fn into_io(error: Error) -> io::Error {
    let kind = match error.kind {
        ErrorKind::FileNotFound => io::ErrorKind::NotFound,
        ErrorKind::AccessControl => io::ErrorKind::PermissionDenied,
        ErrorKind::FileAlreadyExists => io::ErrorKind::AlreadyExists,
        ErrorKind::Eof => io::ErrorKind::UnexpectedEof,
        ErrorKind::SocketTimeout => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

impl HdfsClient {
    /// Watches what happens after now.
    ///
    /// # Errors
    /// As [`crate::HdfsClient::watch`].
    pub fn watch(&self) -> Result<EventStream> {
        let stream = self.runtime.block_on(self.client.watch())?;
        Ok(EventStream { stream, runtime: Arc::clone(&self.runtime) })
    }

    /// Watches what happens after a transaction.
    pub fn watch_from(&self, last_read: TxId) -> EventStream {
        let stream = self.client.watch_from(last_read);
        EventStream { stream, runtime: Arc::clone(&self.runtime) }
    }
}

/// [`crate::EventStream`], blocking.
#[derive(Debug)]
pub struct EventStream {
    stream: crate::EventStream,
    runtime: Arc<Runtime>,
}

impl EventStream {
    /// The next batch; none when there is none yet.
    ///
    /// # Errors
    /// As [`crate::EventStream::poll`].
    pub fn poll(&mut self) -> Result<Option<EventBatch>> {
        self.runtime.block_on(self.stream.poll())
    }

    /// The next batch, for which it waits so long; none after that.
    ///
    /// # Errors
    /// As [`crate::EventStream::poll`].
    pub fn poll_for(&mut self, patience: Duration) -> Result<Option<EventBatch>> {
        self.runtime.block_on(self.stream.poll_for(patience))
    }

    /// The last transaction that was read.
    pub fn last_read(&self) -> Option<TxId> {
        self.stream.last_read()
    }

    /// How many transactions the NameNode was ahead at the last read that found any.
    pub fn txids_behind_estimate(&self) -> Option<u64> {
        self.stream.txids_behind_estimate()
    }
}

impl Iterator for EventStream {
    type Item = Result<EventBatch>;

    /// The next batch, however long it takes; the stream has no end.
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.runtime.block_on(self.stream.next()))
    }
}
