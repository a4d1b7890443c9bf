//! The blocks of an open file: which ones are known, where their replicas are, how long the file is.

use std::sync::Arc;

use hdfs_proto::hdfs as proto;
use hdfs_rt::rpc::client::Proxy;
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::RwLock;

use crate::HdfsClient;
use crate::file_cipher::FileCipher;
use crate::located::{DatanodeInfo, LocatedBlock, LocatedBlocks};

/// Proto: ClientDatanodeProtocol.proto
const CLIENT_DATANODE_PROTOCOL: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientDatanodeProtocol", version: 1 };

/// What is known of a file's blocks; the rest is fetched when it is needed.
#[derive(Debug)]
pub(crate) struct FileBlocks {
    path: String,
    cipher: Option<FileCipher>,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    /// Readable length of the file, the visible part of an open last block included.
    length: u64,
    /// Sorted by offset, without overlaps; may have gaps.
    blocks: Vec<Arc<LocatedBlock>>,
}

impl FileBlocks {
    /// Asks for the first blocks of a file, and for the length of its last one when that is being written.
    pub(crate) async fn open(client: &HdfsClient, path: &str) -> Result<Self> {
        let conf = client.conf();
        let mut attempts = conf.last_block_length_retries;
        let (located, open_length) = loop {
            let located = client.block_locations(path, 0, conf.prefetch_bytes).await?;
            if located.ec_policy.is_some() && !located.blocks.is_empty() {
                let message = format!("{path} is erasure-coded: not supported yet");
                return Err(Error::new(ErrorKind::UnsupportedOperation, message));
            }
            match open_block_length(client, &located).await? {
                Some(length) => break (located, length),
                // A restarted DataNode has not reported the block yet.
                None if attempts == 0 => {
                    return Err(Error::io("Could not obtain the last block locations."));
                }
                None => {
                    attempts -= 1;
                    tokio::time::sleep(conf.last_block_length_interval).await;
                }
            }
        };
        let known = RwLock::new(Known { length: 0, blocks: Vec::new() });
        let cipher = client.file_cipher(located.encryption.as_ref()).await?;
        let blocks = Self { path: path.to_owned(), cipher, known };
        blocks.known.write().length = located.file_length + open_length;
        blocks.merge(located, open_length);
        Ok(blocks)
    }

    /// Readable length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.known.read().length
    }

    /// What the bytes are encrypted with.
    pub(crate) fn cipher(&self) -> Option<&FileCipher> {
        self.cipher.as_ref()
    }

    /// The block that holds this byte, which must lie inside the file.
    pub(crate) async fn at(&self, client: &HdfsClient, position: u64) -> Result<Arc<LocatedBlock>> {
        if let Some(block) = self.find(position) {
            return Ok(block);
        }
        self.fetch(client, position).await?;
        self.find(position).ok_or_else(|| {
            Error::io(format!("Could not find target position {position} in {}", self.path))
        })
    }

    /// Asks again for the locations of the block that holds this byte.
    pub(crate) async fn refetch(
        &self,
        client: &HdfsClient,
        position: u64,
    ) -> Result<Arc<LocatedBlock>> {
        self.fetch(client, position).await?;
        self.at(client, position).await
    }

    fn find(&self, position: u64) -> Option<Arc<LocatedBlock>> {
        let known = self.known.read();
        let index = known.blocks.partition_point(|block| block.offset <= position);
        let block = known.blocks.get(index.checked_sub(1)?)?;
        (position < block.offset + block.len()).then(|| Arc::clone(block))
    }

    async fn fetch(&self, client: &HdfsClient, position: u64) -> Result<()> {
        let length = client.conf().prefetch_bytes;
        let located = client.block_locations(&self.path, position, length).await?;
        let visible = self.length().saturating_sub(located.file_length);
        self.merge(located, visible);
        Ok(())
    }

    /// Takes over new locations; `open_length` is the visible length of a last block that is being written.
    fn merge(&self, located: LocatedBlocks, open_length: u64) {
        let mut fresh = located.blocks;
        if let Some(mut last) = located.last_block
            && !located.is_last_block_complete
        {
            last.block.block.num_bytes = open_length;
            fresh.retain(|block| block.offset != last.offset);
            fresh.push(last);
        }
        let mut known = self.known.write();
        for block in fresh {
            let index = known.blocks.partition_point(|other| other.offset < block.offset);
            let same = known.blocks.get(index).is_some_and(|other| other.offset == block.offset);
            if same {
                known.blocks[index] = Arc::new(block);
            } else {
                known.blocks.insert(index, Arc::new(block));
            }
        }
    }
}

/// The visible length of the last block while it is being written: 0 for a complete one, `None` when no DataNode has
/// reported it yet.
///
/// Hadoop: org.apache.hadoop.hdfs.DFSInputStream.getLastBlockLength (3.5.0)
async fn open_block_length(client: &HdfsClient, located: &LocatedBlocks) -> Result<Option<u64>> {
    let Some(last) = located.last_block.as_ref().filter(|_| !located.is_last_block_complete) else {
        return Ok(Some(0));
    };
    if last.locations.is_empty() {
        // Differs: Hadoop takes such a block without length for empty. But a block that is being written has its pipeline's
        // locations, unless the NameNode has restarted and no DataNode has reported it yet: it may have any length.
        return Ok(None);
    }
    let mut error = None;
    for place in &last.locations {
        match replica_visible_length(client, &place.datanode, last).await {
            Ok(length) => return Ok(Some(length)),
            // The pipeline is just being set up; there is nothing to read.
            Err(missing) if missing.kind == ErrorKind::ReplicaNotFound => {}
            Err(other) => error = Some(other),
        }
    }
    match error {
        None => Ok(Some(0)),
        Some(error) => Err(Error::new(
            ErrorKind::Remote("org.apache.hadoop.hdfs.CannotObtainBlockLengthException".to_owned()),
            format!("Cannot obtain block length for {}: {error}", last.block),
        )),
    }
}

/// Proto: ClientDatanodeProtocol.proto getReplicaVisibleLength
async fn replica_visible_length(
    client: &HdfsClient,
    node: &DatanodeInfo,
    located: &LocatedBlock,
) -> Result<u64> {
    let host = if client.conf().use_datanode_hostname { &node.host_name } else { &node.ip_addr };
    let addr = hdfs_rt::addr::HostPort::new(host.as_str(), node.ipc_port);
    let proxy = Proxy::new(addr, CLIENT_DATANODE_PROTOCOL, client.rpc(), client.ugi());
    let request = proto::GetReplicaVisibleLengthRequestProto {
        block: hdfs_format::datatransfer::extended_block_proto(&located.block),
    };
    let answer: proto::GetReplicaVisibleLengthResponseProto =
        proxy.call("getReplicaVisibleLength", &request).await?;
    Ok(answer.length)
}
