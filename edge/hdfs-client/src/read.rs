//! Reading files: sequential and positional reads, replicas tried in turn, every byte verified.
//!
//! A sequential read asks for the rest of the block at once, so that the DataNode's data waits in the socket. A
//! positional read asks for exactly its range on a connection of its own, taken from the cache when there is one.
//!
//! **Invariant:** a replica that failed is not asked again by this reader until every other one failed too. A replica
//! whose checksum was wrong is reported to the NameNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSInputStream (3.5.0)

mod block_reader;
mod blocks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hdfs_format::encryption::AesCtr;
use hdfs_types::{BlockId, DatanodeUuid, Error, ErrorKind, Result};
use parking_lot::Mutex;

pub(crate) use block_reader::check_status;
use block_reader::{BlockReader, Range};
use blocks::FileBlocks;

use crate::HdfsClient;
use crate::file_cipher::FileCipher;
use crate::located::{DatanodeInfo, LocatedBlock};
use crate::peer::{Peer, Waiting};

/// A seek forward by no more than this reads over the bytes in between instead of asking again.
const SKIP_LIMIT_BYTES: u64 = 128 * 1024;

/// An open file.
pub struct FileReader {
    file: Arc<OpenFile>,
    position: u64,
    current: Option<Current>,
    /// Of a file in an encryption zone.
    cipher: Option<AesCtr>,
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileReader")
            .field("path", &self.file.path)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// A sequential read in progress.
struct Current {
    reader: BlockReader,
    block: Arc<LocatedBlock>,
    node: DatanodeInfo,
}

impl HdfsClient {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `UnresolvedLink`.
    pub async fn open(&self, path: &str) -> Result<FileReader> {
        self.open_waiting(path, Waiting::Async).await
    }

    /// The same with a choice of how its data connections wait.
    pub(crate) async fn open_waiting(&self, path: &str, waiting: Waiting) -> Result<FileReader> {
        let blocks = FileBlocks::open(self, path).await?;
        let file = OpenFile {
            client: self.clone(),
            path: path.to_owned(),
            blocks,
            waiting,
            dead: Mutex::new(Vec::new()),
        };
        let cipher = file.blocks.cipher().map(FileCipher::start);
        Ok(FileReader { file: Arc::new(file), position: 0, current: None, cipher })
    }
}

impl FileReader {
    /// Length of the file when it was opened, in bytes; of a file being written, what was visible then.
    pub fn len(&self) -> u64 {
        self.file.blocks.length()
    }

    /// True for a file without bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the next [`Self::read`] begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves there. The end of the file is allowed.
    ///
    /// # Errors
    /// `Eof` beyond the end.
    pub fn seek(&mut self, position: u64) -> Result<()> {
        if position > self.len() {
            return Err(Error::new(ErrorKind::Eof, "Cannot seek after EOF"));
        }
        self.position = position;
        Ok(())
    }

    /// Reads the next bytes; 0 at the end of the file. Fills the buffer unless the file or its block ends.
    ///
    /// # Errors
    /// `BlockMissingException` when no replica can be read, or what the NameNode answers.
    pub async fn read(&mut self, target: &mut [u8]) -> Result<usize> {
        let rest = self.len() - self.position;
        if rest == 0 || target.is_empty() {
            return Ok(0);
        }
        let wanted = rest.min(target.len() as u64) as usize;
        let target = &mut target[..wanted];
        let mut attempts = Attempts::default();
        let mut filled = 0;
        while filled < target.len() {
            let mut current = match self.current_reader(&mut attempts).await {
                Ok(current) => current,
                Err(error) if filled == 0 => return Err(error),
                // What was read is right; the next call meets the error again.
                Err(_) => break,
            };
            match current.reader.read(&mut target[filled..]).await {
                Ok(count) => {
                    if let Some(cipher) = &mut self.cipher {
                        cipher.apply(self.position, &mut target[filled..filled + count]);
                    }
                    filled += count;
                    self.position += count as u64;
                    self.keep(current).await;
                }
                Err(error) => {
                    self.file
                        .node_failed(&current.block, &current.node, &error, &mut attempts)
                        .await;
                }
            }
        }
        Ok(filled)
    }

    /// The read in progress when it continues at the position, else a new one to the end of the block.
    async fn current_reader(&mut self, attempts: &mut Attempts) -> Result<Current> {
        if let Some(mut current) = self.current.take() {
            let at = current.block.offset + current.reader.position();
            let ahead = self.position.checked_sub(at);
            let inside = self.position < current.block.offset + current.block.len();
            match ahead.filter(|_| inside) {
                Some(0) => return Ok(current),
                Some(ahead) if ahead <= SKIP_LIMIT_BYTES => {
                    match current.reader.skip(ahead).await {
                        Ok(()) => return Ok(current),
                        Err(error) => {
                            self.file
                                .node_failed(&current.block, &current.node, &error, attempts)
                                .await;
                        }
                    }
                }
                _ => {}
            }
        }
        let (reader, block, node) = self.file.open_at(self.position, u64::MAX, attempts).await?;
        Ok(Current { reader, block, node })
    }

    /// Keeps a read that goes on, or ends it properly.
    async fn keep(&mut self, current: Current) {
        if !current.reader.is_done() {
            self.current = Some(current);
        } else if let Err(error) = current.reader.finish(&self.file.client, &current.node).await {
            // All bytes were read and verified: only the connection is lost.
            tracing::debug!(block = %current.block.block, %error, "end a read");
        }
    }

    /// Reads at a place without moving; fills the buffer unless the file ends. Any number of these may run at once.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_at(&self, position: u64, target: &mut [u8]) -> Result<usize> {
        self.file.read_at(position, target).await
    }

    /// The same, all or nothing.
    ///
    /// # Errors
    /// `Eof` when the file ends before the buffer is full; as [`Self::read`].
    pub async fn read_exact_at(&self, position: u64, target: &mut [u8]) -> Result<()> {
        if self.read_at(position, target).await? < target.len() {
            return Err(Error::new(ErrorKind::Eof, "End of File reached before reading fully."));
        }
        Ok(())
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.file.path
    }
}

/// What all reads of a file share.
struct OpenFile {
    client: HdfsClient,
    path: String,
    blocks: FileBlocks,
    waiting: Waiting,
    /// DataNodes that failed.
    dead: Mutex<Vec<DatanodeUuid>>,
}

/// What one read has tried so far.
#[derive(Debug, Default)]
struct Attempts {
    rounds: u32,
    /// Replicas with a wrong checksum.
    corrupt: usize,
    /// Replicas whose bytes were wrong once.
    doubted: Vec<(BlockId, DatanodeUuid)>,
}

impl OpenFile {
    async fn read_at(&self, position: u64, target: &mut [u8]) -> Result<usize> {
        let rest = self.blocks.length().saturating_sub(position);
        let wanted = rest.min(target.len() as u64) as usize;
        let target = &mut target[..wanted];
        let mut attempts = Attempts::default();
        let mut filled = 0;
        while filled < target.len() {
            let at = position + filled as u64;
            let wanted = (target.len() - filled) as u64;
            let (mut reader, block, node) = self.open_at(at, wanted, &mut attempts).await?;
            let mut failed = None;
            while !reader.is_done() {
                match reader.read(&mut target[filled..]).await {
                    Ok(count) => filled += count,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            match failed {
                Some(error) => self.node_failed(&block, &node, &error, &mut attempts).await,
                None => {
                    if let Err(error) = reader.finish(&self.client, &node).await {
                        tracing::debug!(block = %block.block, %error, "end a read");
                    }
                }
            }
        }
        if let Some(cipher) = self.blocks.cipher() {
            cipher.start().apply(position, &mut target[..filled]);
        }
        Ok(filled)
    }

    /// Starts to read at a place of the file, at most `wanted` bytes and not beyond its block, from the first replica
    /// that answers.
    async fn open_at(
        &self,
        position: u64,
        wanted: u64,
        attempts: &mut Attempts,
    ) -> Result<(BlockReader, Arc<LocatedBlock>, DatanodeInfo)> {
        let mut block = self.blocks.at(&self.client, position).await?;
        loop {
            let Some(node) = self.choose(&block) else {
                block = self.another_round(&block, position, attempts).await?;
                continue;
            };
            let offset = position - block.offset;
            let range = Range { offset, length: wanted.min(block.len() - offset) };
            match self.open_on(&block, &node, range).await {
                Ok(reader) => return Ok((reader, block, node)),
                Err(error) => self.node_failed(&block, &node, &error, attempts).await,
            }
        }
    }

    /// Asks a DataNode, over an idle connection if there is one and it still works.
    async fn open_on(
        &self,
        block: &LocatedBlock,
        node: &DatanodeInfo,
        range: Range,
    ) -> Result<BlockReader> {
        while let Some(peer) = self.client.peers().take(&node.uuid, self.waiting) {
            match BlockReader::open(peer, &self.client, block, range).await {
                Err(error) if is_disconnect(&error) => {}
                answer => return answer,
            }
        }
        let peer = Peer::connect(node, self.client.conf(), 0, self.waiting).await?;
        BlockReader::open(peer, &self.client, block, range).await
    }

    /// The nearest replica on a DataNode that has not failed.
    fn choose(&self, block: &LocatedBlock) -> Option<DatanodeInfo> {
        let dead = self.dead.lock();
        let mut nodes = block.locations.iter().map(|place| &place.datanode);
        nodes.find(|node| !dead.contains(&node.uuid)).cloned()
    }

    /// Remembers that a replica failed, and tells the NameNode when its bytes are wrong, twice.
    ///
    /// Differs: Hadoop reports a replica at the first wrong checksum. But a bit that turned over on the way, or in memory, says
    /// nothing about the replica, and one that is reported counts as lost: so it is read again.
    async fn node_failed(
        &self,
        block: &LocatedBlock,
        node: &DatanodeInfo,
        error: &Error,
        attempts: &mut Attempts,
    ) {
        tracing::warn!(path = %self.path, block = %block.block, node = %node.xfer_addr(), %error, "read a replica");
        let replica = (block.block.block.id, node.uuid.clone());
        if error.kind == ErrorKind::Checksum && !attempts.doubted.contains(&replica) {
            attempts.doubted.push(replica);
            return;
        }
        {
            let mut dead = self.dead.lock();
            if !dead.contains(&node.uuid) {
                dead.push(node.uuid.clone());
            }
        }
        if error.kind == ErrorKind::Checksum {
            attempts.corrupt += 1;
            // When every replica looks corrupt the fault may be here: then nothing is reported.
            if attempts.corrupt < block.locations.len() || block.locations.len() == 1 {
                self.report_bad(block, node).await;
            }
        }
    }

    async fn report_bad(&self, block: &LocatedBlock, node: &DatanodeInfo) {
        let mut bad = block.clone();
        bad.locations.retain(|place| place.datanode.uuid == node.uuid);
        if let Err(error) = self.client.report_bad_blocks(&[bad]).await {
            tracing::warn!(block = %block.block, %error, "report a corrupt replica");
        }
    }

    /// Every replica failed: forgets which, waits, and asks the NameNode again, a few times.
    async fn another_round(
        &self,
        block: &LocatedBlock,
        position: u64,
        attempts: &mut Attempts,
    ) -> Result<Arc<LocatedBlock>> {
        let conf = self.client.conf();
        if attempts.rounds >= conf.max_block_acquire_failures {
            return Err(self.missing(block));
        }
        let spread = f64::from(crate::random::below(1_000) as u32) / 1_000.0;
        let pause: Duration = conf.retry_window * attempts.rounds
            + (conf.retry_window * (attempts.rounds + 1)).mul_f64(spread);
        attempts.rounds += 1;
        tokio::time::sleep(pause).await;
        self.dead.lock().clear();
        self.blocks.refetch(&self.client, position).await
    }

    fn missing(&self, block: &LocatedBlock) -> Error {
        let names = |nodes: Vec<String>| {
            nodes.into_iter().fold(String::new(), |text, node| text + " " + &node)
        };
        let locations = block.locations.iter().map(|place| place.datanode.to_string()).collect();
        let dead_ids = self.dead.lock();
        let dead = block.locations.iter().map(|place| &place.datanode);
        let dead = dead.filter(|node| dead_ids.contains(&node.uuid));
        Error::new(
            ErrorKind::Remote("org.apache.hadoop.hdfs.BlockMissingException".to_owned()),
            format!(
                "Could not obtain block: {} file={} No live nodes contain current block Block locations:{} Dead nodes: {}",
                block.block,
                self.path,
                names(locations),
                names(dead.map(ToString::to_string).collect()),
            ),
        )
    }
}

/// True when an idle connection turned out to be closed.
fn is_disconnect(error: &Error) -> bool {
    let io = error.source.as_ref().and_then(|source| source.downcast_ref::<std::io::Error>());
    error.kind == ErrorKind::Eof
        || io.is_some_and(|io| {
            use std::io::ErrorKind::{
                BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof,
            };
            matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        })
}
