//! What `fsck -move` and `-delete` do with a damaged file.
//!
//! Each run of readable blocks of `/dir/file` becomes a file `/lost+found/dir/file/N`. The damaged file stays.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck.copyBlocksToLostFound (3.5.0)

use std::net::SocketAddr;

use hdfs_client::{CreateOptions, FileReader, FileWriter, HdfsClient, LocatedBlock};
use hdfs_conf::{Configuration, keys};
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{Error, Result};

const LOST_AND_FOUND: &str = "/lost+found";
/// Bytes that are copied at a time.
const PIECE: usize = 1 << 20;

/// Changes files as the user of a check.
pub(super) struct Repair<'a> {
    configuration: &'a Configuration,
    namenode: SocketAddr,
    user: &'a str,
    client: Option<HdfsClient>,
    /// Whether `/lost+found` can be used, once that was looked at.
    ready: Option<bool>,
}

impl<'a> Repair<'a> {
    pub(super) fn new(
        configuration: &'a Configuration,
        namenode: SocketAddr,
        user: &'a str,
    ) -> Self {
        Self { configuration, namenode, user, client: None, ready: None }
    }

    fn client(&mut self) -> Result<HdfsClient> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let uri = format!("hdfs://{}", self.namenode);
        // A block that can't be read now is not waited for: there may be many.
        let mut configuration = self.configuration.clone();
        configuration.set(keys::DFS_CLIENT_MAX_BLOCK_ACQUIRE_FAILURES.name, "0")?;
        configuration.set(keys::DFS_CLIENT_RETRY_WINDOW_BASE.name, "0")?;
        let client = HdfsClient::for_user(&uri, &configuration, Ugi::new(self.user))?;
        self.client = Some(client.clone());
        Ok(client)
    }

    pub(super) async fn delete(&mut self, path: &str) -> Result<()> {
        self.client()?.delete(path, true).await?;
        Ok(())
    }

    /// Copies what can be read of a file.
    ///
    /// # Errors
    /// When nothing can be written, or a block has replicas and none can be read; the others were copied.
    pub(super) async fn salvage(&mut self, path: &str) -> Result<()> {
        let client = self.client()?;
        let ready = match self.ready {
            Some(ready) => ready,
            None => prepare(&client).await?,
        };
        self.ready = Some(ready);
        if !ready {
            return Err(Error::io(format!("{LOST_AND_FOUND} is a file: move it away")));
        }
        let target = format!("{LOST_AND_FOUND}{path}");
        if client.exists(&target).await? {
            tracing::warn!("fsck: {path} is not salvaged: {target} exists already");
            return Ok(());
        }
        let status = client.status(path).await?;
        client.mkdirs(&target, Some(status.permission), true).await?;
        let located = client.block_locations(path, 0, i64::MAX.cast_unsigned()).await?;
        let reader = client.open(path).await?;
        copy_chains(&client, &reader, &located.blocks, &target).await
    }
}

/// Makes the folder; false: there is a file in its place.
async fn prepare(client: &HdfsClient) -> Result<bool> {
    match client.file_info(LOST_AND_FOUND).await? {
        Some(status) => Ok(status.is_dir()),
        None => client.mkdirs(LOST_AND_FOUND, None, true).await,
    }
}

/// Writes each run of readable blocks into a file of its own.
async fn copy_chains(
    client: &HdfsClient,
    reader: &FileReader,
    blocks: &[LocatedBlock],
    target: &str,
) -> Result<()> {
    let mut writer: Option<FileWriter> = None;
    let mut chain = 0;
    let mut failure = None;
    for block in blocks {
        if block.locations.is_empty() {
            end(&mut writer).await?;
            continue;
        }
        let mut open = match writer.take() {
            Some(open) => open,
            None => {
                let name = format!("{target}/{chain}");
                chain += 1;
                client.create(&name, CreateOptions::default()).await?
            }
        };
        match copy_block(reader, block, &mut open).await {
            Ok(()) => writer = Some(open),
            Err(error) => {
                open.close().await?;
                failure = Some(error);
            }
        }
    }
    end(&mut writer).await?;
    failure.map_or(Ok(()), Err)
}

async fn end(writer: &mut Option<FileWriter>) -> Result<()> {
    match writer.take() {
        Some(mut open) => open.close().await,
        None => Ok(()),
    }
}

async fn copy_block(
    reader: &FileReader,
    block: &LocatedBlock,
    writer: &mut FileWriter,
) -> Result<()> {
    let mut position = block.offset;
    let end = block.offset + block.block.block.num_bytes;
    let mut buffer = vec![0; PIECE];
    while position < end {
        let wanted = PIECE.min(usize::try_from(end - position).unwrap_or(PIECE));
        let piece = &mut buffer[..wanted];
        reader.read_exact_at(position, piece).await?;
        writer.write(piece).await?;
        position += wanted as u64;
    }
    Ok(())
}
