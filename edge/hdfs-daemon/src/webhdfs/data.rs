//! Moving the bytes of files between HTTP and HDFS, with bounded memory in both directions.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.web.webhdfs.WebHdfsHandler, HdfsWriter (3.5.0)

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use hdfs_client::{BlockPlacement, CreateModes, CreateOptions, FileReader, FileWriter, HdfsClient};
use hdfs_format::webhdfs::{self, Params};
use hdfs_types::{Error, ErrorKind, FsPermission, Result};

/// Bytes that a download has in memory.
const CHUNK: usize = 256 * 1024;
/// What is read and thrown away of an upload that failed, so that the client comes to read the answer.
const DRAIN_BYTES: usize = 4 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A part of a file: its length and a body that reads as fast as the client takes it.
pub(crate) async fn open(client: &HdfsClient, path: &str, params: &Params) -> Result<(u64, Body)> {
    let mut reader = client.open(path).await?;
    let offset = params.number("offset").and_then(|of| u64::try_from(of).ok()).unwrap_or(0);
    let wanted = params.number("length").and_then(|of| u64::try_from(of).ok());
    reader.seek(offset)?;
    let rest = reader.len().saturating_sub(offset);
    let length = wanted.map_or(rest, |wanted| wanted.min(rest));
    if length == 0 {
        return Ok((0, Body::empty()));
    }
    // The first bytes before the answer begins: a block that can't be read is an error with a name.
    let (first, left) = read_chunk(&mut reader, length).await?;
    let body = stream::once(async move { Ok::<_, Error>(first) })
        .chain(stream::try_unfold((reader, left), next_chunk));
    Ok((length, Body::from_stream(body)))
}

async fn read_chunk(reader: &mut FileReader, left: u64) -> Result<(Bytes, u64)> {
    let size = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
    let mut chunk = vec![0; size];
    let count = reader.read(&mut chunk).await?;
    if count == 0 {
        let message = format!("{} ended {left} bytes early", reader.path());
        return Err(Error::new(ErrorKind::Eof, message));
    }
    chunk.truncate(count);
    Ok((chunk.into(), left - count as u64))
}

async fn next_chunk(
    (mut reader, left): (FileReader, u64),
) -> Result<Option<(Bytes, (FileReader, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let read = read_chunk(&mut reader, left).await;
    let (chunk, left) = read.inspect_err(|error| {
        tracing::warn!(path = reader.path(), %error, "a download breaks off");
    })?;
    Ok(Some((chunk, (reader, left))))
}

/// CREATE: makes the file and fills it with the body.
pub(crate) async fn create(
    client: &HdfsClient,
    path: &str,
    params: &Params,
    body: Body,
) -> Result<()> {
    let opened = async {
        let (options, modes) = create_options(params)?;
        client.create_with_modes(path, options, modes).await
    };
    fill(opened.await, body).await
}

/// APPEND: adds the body to the end of the file.
pub(crate) async fn append(client: &HdfsClient, path: &str, body: Body) -> Result<()> {
    fill(client.append(path, false).await, body).await
}

fn create_options(params: &Params) -> Result<(CreateOptions, CreateModes)> {
    let flags = params.flags("createflag");
    if flags.contains(&"NO_LOCAL_RACK") {
        let message = "createflag NO_LOCAL_RACK is not supported yet";
        return Err(Error::new(ErrorKind::UnsupportedOperation, message));
    }
    let mode = |name| {
        let bits = params.number(name).and_then(|bits| u16::try_from(bits).ok());
        bits.map(FsPermission)
    };
    let masked = mode("permission").unwrap_or(FsPermission::DEFAULT_FILE);
    let options = CreateOptions {
        overwrite: params.is("overwrite") || flags.contains(&"OVERWRITE"),
        create_parent: params.is("createparent"),
        replication: params.number("replication").and_then(|of| u16::try_from(of).ok()),
        block_size: params.number("blocksize").and_then(|of| u64::try_from(of).ok()),
        permission: None,
        lazy_persist: flags.contains(&"LAZY_PERSIST"),
        sync_block: flags.contains(&"SYNC_BLOCK"),
        placement: BlockPlacement {
            no_local_write: flags.contains(&"NO_LOCAL_WRITE"),
            ignore_client_locality: flags.contains(&"IGNORE_CLIENT_LOCALITY"),
            favored_nodes: Vec::new(),
        },
    };
    let modes = CreateModes {
        masked,
        unmasked: mode("unmaskedpermission").unwrap_or(masked),
        should_replicate: flags.contains(&"SHOULD_REPLICATE"),
    };
    Ok((options, modes))
}

/// Writes the body and closes the file. A client that goes away leaves a closed file with what came, as with Hadoop.
async fn fill(opened: Result<FileWriter>, body: Body) -> Result<()> {
    let mut body = body.into_data_stream();
    let written = async {
        let mut writer = opened?;
        let mut broken = None;
        while let Some(chunk) = body.next().await {
            match chunk {
                Ok(chunk) => writer.write(&chunk).await?,
                Err(error) => {
                    broken = Some(Error::io(format!("the upload broke off: {error}")));
                    break;
                }
            }
        }
        writer.close().await?;
        broken.map_or(Ok(()), Err)
    };
    let result = written.await;
    if result.is_err() {
        let drain = async {
            let mut drained = 0;
            while let Some(Ok(chunk)) = body.next().await {
                drained += chunk.len();
                if drained > DRAIN_BYTES {
                    break;
                }
            }
        };
        // Either way the answer is the error.
        let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
    }
    result
}

/// GETFILECHECKSUM.
pub(crate) async fn checksum(client: &HdfsClient, path: &str) -> Result<String> {
    let sum = client
        .file_checksum(path)
        .await?
        .ok_or_else(|| Error::new(ErrorKind::NullPointer, format!("{path} has no checksum")))?;
    Ok(webhdfs::file_checksum(&sum.algorithm, &sum.bytes))
}
