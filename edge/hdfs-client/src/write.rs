//! Writing files: create, append, flush, close.
//!
//! [`FileWriter`] cuts the bytes into packets; a task of its own ([`streamer`]) sends them down the pipeline, takes the
//! acknowledgements, allocates blocks and recovers from failures. Up to `dfs.client.write.max-packets-in-flight` packets
//! wait between them.
//!
//! **Invariant:** a packet is kept until every DataNode of the pipeline acknowledged it.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSOutputStream (3.5.0)

mod packet;
mod pipeline;
mod recovery;
mod shared;
mod streamer;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::CreateFlagProto;
use hdfs_types::{Error, ErrorKind, ExtendedBlock, FsPermission, INodeId, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::HdfsClient;
use crate::conf::ClientConf;
use crate::file_cipher::CRYPTO_PROTOCOL_VERSIONS;
use crate::lease::LeaseGuard;
use crate::located::LocatedBlock;
use crate::metadata::permission_to_proto;
use hdfs_datapath::filler::Packet;
use packet::{Filler, PoolHandle};
use shared::Shared;
use streamer::{FileContext, Streamer};

/// Creates that are tried again while zones change.
const CREATE_RETRIES: u32 = 10;

/// How a file is created. `None` takes the configured value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateOptions {
    /// Replace an existing file.
    pub overwrite: bool,
    /// Make missing directories.
    pub create_parent: bool,
    /// Wanted replicas.
    pub replication: Option<u16>,
    /// Block size in bytes.
    pub block_size: Option<u64>,
    /// Mode bits before the umask; 0666 when `None`.
    pub permission: Option<FsPermission>,
    /// Kept in the DataNode's memory first, where it has memory for that.
    pub lazy_persist: bool,
    /// Every block is on the disks of its DataNodes when it ends (`CreateFlag.SYNC_BLOCK`).
    pub sync_block: bool,
    /// Where blocks are placed.
    pub placement: BlockPlacement,
}

/// What a writer asks of the placement of its blocks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockPlacement {
    /// Not on this machine (`CreateFlag.NO_LOCAL_WRITE`).
    pub no_local_write: bool,
    /// As if this machine were none of the cluster (`CreateFlag.IGNORE_CLIENT_LOCALITY`).
    pub ignore_client_locality: bool,
    /// On these DataNodes where it can be: `host:port` of their data ports.
    pub favored_nodes: Vec<String>,
}

impl BlockPlacement {
    fn flags(&self) -> Vec<i32> {
        let flags = [
            (self.no_local_write, proto::AddBlockFlagProto::NoLocalWrite),
            (self.ignore_client_locality, proto::AddBlockFlagProto::IgnoreClientLocality),
        ];
        flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag as i32).collect()
    }
}

/// Overwrites and makes directories, as `FileSystem.create(path)` does.
impl Default for CreateOptions {
    fn default() -> Self {
        Self {
            overwrite: true,
            create_parent: true,
            replication: None,
            block_size: None,
            permission: None,
            lazy_persist: false,
            sync_block: false,
            placement: BlockPlacement::default(),
        }
    }
}

/// Mode bits and flags that somebody else decided, as a gateway's client did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CreateModes {
    /// Mode bits with a umask applied.
    pub masked: FsPermission,
    /// Mode bits before it, for directories whose default ACL takes the umask's place.
    pub unmasked: FsPermission,
    /// Replicate even if the directory is erasure-coded (`SHOULD_REPLICATE`).
    pub should_replicate: bool,
}

/// How far a sync goes beyond [`FileWriter::hsync`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SyncOptions {
    /// The NameNode learns the length as well.
    pub update_length: bool,
    /// The block ends here; the next byte begins another one.
    pub end_block: bool,
}

/// A file being written. Close it: dropping it leaves the file open until its lease expires.
pub struct FileWriter {
    client: HdfsClient,
    path: String,
    file_id: INodeId,
    filler: Filler,
    shared: Arc<Shared>,
    /// Packets that wait until another one may be in flight: a future that is dropped loses none.
    sealed: VecDeque<Packet>,
    /// `None` when the file is closed, or closing it failed.
    packets: Option<mpsc::UnboundedSender<Packet>>,
    task: JoinHandle<()>,
    /// Length of the file with every byte that was accepted.
    position: u64,
    lease: Option<LeaseGuard>,
    is_closed: bool,
    is_erasure_coded: bool,
    sync_block: bool,
}

impl HdfsClient {
    /// Creates a file.
    ///
    /// Proto: ClientNamenodeProtocol.proto create
    ///
    /// # Errors
    /// `FileAlreadyExists`, `AlreadyBeingCreated`, `FileNotFound` (without `create_parent`), `ParentNotDirectory`,
    /// `AccessControl`, quotas, `SafeMode`, `HadoopIllegalArgument` (block size).
    pub async fn create(&self, path: &str, options: CreateOptions) -> Result<FileWriter> {
        let unmasked = options.permission.unwrap_or(FsPermission(0o666));
        let masked = unmasked.apply_umask(self.conf().umask);
        let modes = CreateModes { masked, unmasked, should_replicate: false };
        self.create_with_modes(path, options, modes).await
    }

    /// The same for a gateway, whose own client chose the modes: no umask is applied here.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub async fn create_with_modes(
        &self,
        path: &str,
        options: CreateOptions,
        modes: CreateModes,
    ) -> Result<FileWriter> {
        let conf = self.conf();
        let block_size = options.block_size.unwrap_or(conf.block_size);
        check_block_size(block_size, conf.checksum.bytes_per_checksum)?;
        let flag = |is_set, flag: CreateFlagProto| if is_set { flag as u32 } else { 0 };
        let request = proto::CreateRequestProto {
            src: path.to_owned(),
            masked: permission_to_proto(modes.masked),
            client_name: self.client_name().to_owned(),
            create_flag: CreateFlagProto::Create as u32
                | flag(options.overwrite, CreateFlagProto::Overwrite)
                | flag(options.lazy_persist, CreateFlagProto::LazyPersist)
                | flag(modes.should_replicate, CreateFlagProto::ShouldReplicate),
            create_parent: options.create_parent,
            replication: options.replication.unwrap_or(conf.replication).into(),
            block_size,
            crypto_protocol_version: CRYPTO_PROTOCOL_VERSIONS.to_vec(),
            unmasked: Some(permission_to_proto(modes.unmasked)),
            ec_policy_name: None,
            storage_policy: None,
        };
        let answer = self.create_file(&request).await?;
        let status = answer.fs.ok_or_else(|| Error::io("HdfsFileStatus should not be null!"))?;
        let mut file = FileWriter::start(
            self,
            path,
            &status,
            Start { placement: options.placement, ..Start::default() },
        )
        .await?;
        file.sync_block = options.sync_block;
        Ok(file)
    }

    /// Again and again while somebody makes the directory an encryption zone, or another one.
    async fn create_file(
        &self,
        request: &proto::CreateRequestProto,
    ) -> Result<proto::CreateResponseProto> {
        for _ in 0..CREATE_RETRIES {
            match self.namenode().call("create", request).await {
                Err(error) if error.kind == ErrorKind::RetryStartFile => {}
                answer => return answer,
            }
        }
        self.namenode().call("create", request).await.map_err(|error| match error.kind {
            ErrorKind::RetryStartFile => {
                Error::io("Too many retries because of encryption zone operations")
            }
            _ => error,
        })
    }

    /// Opens a file to add to its end. With `new_block` the next byte begins a block of its own.
    ///
    /// Proto: ClientNamenodeProtocol.proto append
    ///
    /// # Errors
    /// `FileNotFound`, `AlreadyBeingCreated`, `RecoveryInProgress`, `AccessControl`, `SafeMode`.
    pub async fn append(&self, path: &str, new_block: bool) -> Result<FileWriter> {
        let new_block_flag = if new_block { CreateFlagProto::NewBlock as u32 } else { 0 };
        let request = proto::AppendRequestProto {
            src: path.to_owned(),
            client_name: self.client_name().to_owned(),
            flag: Some(CreateFlagProto::Append as u32 | new_block_flag),
        };
        let answer: proto::AppendResponseProto = self.namenode().call("append", &request).await?;
        let last = answer.block.map(LocatedBlock::from_proto);
        let Some(status) = answer.stat else {
            return Err(Error::io("the NameNode sent no status of the file to append to"));
        };
        let length = status.length;
        if status.ec_policy.is_some() {
            return Err(erasure_coded(path));
        }
        let start = Start { length, last, fill_last: !new_block, ..Start::default() };
        FileWriter::start(self, path, &status, start).await
    }
}

/// Hadoop's check and message.
fn check_block_size(block_size: u64, bytes_per_checksum: u32) -> Result<()> {
    if block_size.is_multiple_of(bytes_per_checksum.into()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::HadoopIllegalArgument,
        format!(
            "Invalid values: dfs.bytes-per-checksum (={bytes_per_checksum}) must divide block size (={block_size})."
        ),
    ))
}

/// Striped data is not written yet: of such files, those without bytes can be made.
fn erasure_coded(path: &str) -> Error {
    let message = format!("{path} is erasure-coded: not supported yet");
    Error::new(ErrorKind::UnsupportedOperation, message)
}

/// Where a writer begins.
#[derive(Default)]
struct Start {
    /// Of the file.
    length: u64,
    /// The last block of a file that is appended to.
    last: Option<LocatedBlock>,
    /// It is continued.
    fill_last: bool,
    placement: BlockPlacement,
}

impl FileWriter {
    /// Starts the task.
    async fn start(
        client: &HdfsClient,
        path: &str,
        status: &proto::HdfsFileStatusProto,
        start: Start,
    ) -> Result<Self> {
        let Start { length, last, fill_last, placement } = start;
        let conf = client.conf();
        let block_size = status.blocksize();
        let offset = last.as_ref().filter(|_| fill_last).map_or(0, LocatedBlock::len);
        let cipher = client.file_cipher(status.file_encryption_info.as_ref()).await?;
        let cipher = cipher.map(|cipher| (cipher.start(), length));
        let pool = PoolHandle::default();
        let shared = Arc::new(Shared::new(conf.max_packets_in_flight, Arc::clone(&pool.0)));
        let packet_bytes = conf.write_packet_bytes;
        let filler = Filler::new(conf.checksum, block_size, packet_bytes, offset, cipher, pool);
        let file_id = INodeId(status.file_id());
        let context = FileContext {
            client: client.clone(),
            path: path.to_owned(),
            file_id,
            block_size,
            replication: status.block_replication() as usize,
            placement,
        };
        let (packets, receiver) = mpsc::unbounded_channel();
        let streamer = Streamer::new(context, Arc::clone(&shared), receiver, last, fill_last);
        let task = tokio::spawn(streamer.run());
        let (of, streaming) = (Arc::clone(&shared), task.abort_handle());
        let lease = Some(client.leases().begin(Box::new(move |error| {
            of.fail(Error::new(error.kind.clone(), error.message.clone()));
            streaming.abort();
        })));
        Ok(Self {
            client: client.clone(),
            path: path.to_owned(),
            file_id,
            filler,
            shared,
            sealed: VecDeque::new(),
            packets: Some(packets),
            task,
            position: length,
            lease,
            is_closed: false,
            is_erasure_coded: status.ec_policy.is_some(),
            sync_block: false,
        })
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Length of the file with every byte that was accepted.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Takes all of these bytes. They are safe when a later flush or close succeeds. When the future is dropped,
    /// [`Self::position`] tells how many were taken.
    ///
    /// # Errors
    /// What made the pipeline fail, at this or an earlier write.
    pub async fn write(&mut self, mut data: &[u8]) -> Result<()> {
        if self.is_erasure_coded && !data.is_empty() {
            return Err(erasure_coded(&self.path));
        }
        while !data.is_empty() {
            self.send_sealed().await?;
            let (count, full) = self.filler.fill(data);
            data = &data[count..];
            self.position += count as u64;
            self.sealed.extend(full);
            if self.filler.is_block_full() {
                self.sealed.extend(self.filler.end_block(self.sync_block).into_iter().flatten());
            }
        }
        self.send_sealed().await
    }

    /// Takes the bytes without waiting when they do not fill a packet; else takes none and gives `false`.
    pub(crate) fn write_now(&mut self, data: &[u8]) -> bool {
        let is_open = self.packets.is_some() && self.sealed.is_empty() && !self.is_erasure_coded;
        if !is_open || data.len() >= self.filler.room() {
            return false;
        }
        if !data.is_empty() {
            let (count, full) = self.filler.fill(data);
            debug_assert!(count == data.len() && full.is_none());
            self.position += count as u64;
        }
        true
    }

    /// Returns when every reader can see what was written: it is in the memory of every DataNode of the pipeline.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn hflush(&mut self) -> Result<()> {
        self.flush(false, SyncOptions::default()).await
    }

    /// The same, and on their disks.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn hsync(&mut self) -> Result<()> {
        self.flush(true, SyncOptions::default()).await
    }

    /// [`Self::hsync`] with more.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn hsync_with(&mut self, options: SyncOptions) -> Result<()> {
        self.flush(true, options).await
    }

    async fn flush(&mut self, sync: bool, options: SyncOptions) -> Result<()> {
        if options.end_block {
            self.sealed.extend(self.filler.end_block(sync).into_iter().flatten());
        } else {
            self.sealed.extend(self.filler.flush(sync));
        }
        self.send_sealed().await?;
        self.shared.wait_acked(self.filler.last_seqno()).await?;
        self.shared.set_hflushed();
        if self.shared.take_persist_blocks() || options.update_length {
            let length = options.update_length.then(|| self.shared.block_length());
            self.fsync(length.flatten()).await?;
        }
        Ok(())
    }

    /// Makes the NameNode write the file's blocks to its log. Proto: ClientNamenodeProtocol.proto fsync
    async fn fsync(&self, last_block_length: Option<u64>) -> Result<()> {
        let request = proto::FsyncRequestProto {
            src: self.path.clone(),
            client: self.client.client_name().to_owned(),
            last_block_length: last_block_length.map(u64::cast_signed),
            file_id: Some(self.file_id.0),
        };
        let _: proto::FsyncResponseProto = self.client.namenode().call("fsync", &request).await?;
        Ok(())
    }

    async fn send_sealed(&mut self) -> Result<()> {
        while !self.sealed.is_empty() {
            self.shared.reserve().await?;
            let Some(packets) = &self.packets else { return Err(self.shared.failure()) };
            let sent = self.sealed.pop_front().map(|packet| packets.send(packet));
            if matches!(sent, Some(Err(_))) {
                return Err(self.shared.failure());
            }
        }
        // A write to a closed file fails even when it fills no packet.
        if self.packets.is_some() { Ok(()) } else { Err(self.shared.failure()) }
    }

    /// Sends what is left, waits for it, and closes the file at the NameNode.
    ///
    /// # Errors
    /// As [`Self::write`]; the file then stays open until its lease expires or [`HdfsClient::recover_lease`] is called.
    pub async fn close(&mut self) -> Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = self.flush_all().await;
        self.packets = None;
        self.task.abort();
        let result = match flushed {
            Ok(last) => self.complete(last).await,
            Err(error) => Err(error),
        };
        self.lease = None;
        self.is_closed = result.is_ok();
        if result.is_err() && self.client.conf().recover_lease_on_close_exception {
            // Hadoop: the exception of close is thrown all the same.
            if let Err(error) = self.client.recover_lease(&self.path).await {
                tracing::warn!(path = %self.path, %error, "Fail to recover lease");
            }
        }
        result
    }

    async fn flush_all(&mut self) -> Result<Option<ExtendedBlock>> {
        self.sealed.extend(self.filler.end_block(self.sync_block).into_iter().flatten());
        self.send_sealed().await?;
        self.shared.wait_acked(self.filler.last_seqno()).await?;
        Ok(self.shared.last_block())
    }

    /// Proto: ClientNamenodeProtocol.proto complete
    async fn complete(&self, last: Option<ExtendedBlock>) -> Result<()> {
        let conf = self.client.conf();
        let request = proto::CompleteRequestProto {
            src: self.path.clone(),
            client_name: self.client.client_name().to_owned(),
            last: last.as_ref().map(hdfs_format::datatransfer::extended_block_proto),
            file_id: Some(self.file_id.0),
        };
        let mut pauses = LocatePauses::new(conf);
        loop {
            let answer: proto::CompleteResponseProto =
                self.client.namenode().call("complete", &request).await?;
            if answer.result {
                return Ok(());
            }
            let Some(pause) = pauses.next() else {
                let last = last.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
                return Err(Error::io(format!(
                    "Unable to close file because the last block {last} does not have enough number of replicas."
                )));
            };
            tokio::time::sleep(pause).await;
        }
    }
}

impl fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter")
            .field("path", &self.path)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// Pauses before addBlock or complete is called again, while the DataNodes' reports are on their way.
// Differs: Hadoop's first pause is the configured one (400 ms). Reports take a few milliseconds, so shorter pauses come
// first here, each twice the one before; the configured ones follow, and only they count as retries.
#[derive(Debug)]
struct LocatePauses {
    next: Duration,
    configured: Duration,
    longest: Duration,
    retries: u32,
}

/// How many times the first pause is halved.
const SHORT_PAUSES: u32 = 7;

impl LocatePauses {
    fn new(conf: &ClientConf) -> Self {
        Self {
            next: conf.locate_initial_delay / (1 << SHORT_PAUSES),
            configured: conf.locate_initial_delay,
            longest: conf.locate_max_delay,
            retries: conf.locate_retries,
        }
    }
}

impl Iterator for LocatePauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.next >= self.configured {
            self.retries = self.retries.checked_sub(1)?;
        }
        let pause = self.next.min(self.longest);
        self.next = (self.next * 2).max(Duration::from_millis(1));
        Some(pause)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pauses_come_before_the_configured_ones() {
        let conf = ClientConf::from_configuration(&hdfs_conf::Configuration::new()).unwrap();
        let pauses: Vec<Duration> = LocatePauses::new(&conf).collect();
        assert_eq!(pauses.len(), 7 + 5);
        assert_eq!(pauses[0], Duration::from_micros(3_125));
        let configured: Vec<u128> = pauses[7..].iter().map(Duration::as_millis).collect();
        assert_eq!(configured, [400, 800, 1_600, 3_200, 6_400]);
    }
}
