//! Files from and to the NameNode's `/imagetransfer`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.TransferFsImage (3.5.0)

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_format::edits;
use hdfs_format::storage_dir::{self, ImageFile};
use hdfs_rt::clock;
use hdfs_rt::disk::{fsync_file, rename_durable};
use hdfs_rt::http::client::{self, Response};
use hdfs_types::{Error, Result, TxId};

use super::super::durable::failed;
use super::super::image_receiver::{Advertised, ImageReceiver};
use super::super::image_store::ImageStore;
use super::super::image_transfer::{MD5_HEADER, PATH};
use super::super::storage::NameDirs;
use crate::throttle::Throttle;

/// The NameNode's web server.
pub(super) struct Source {
    web: HostPort,
    timeout: Duration,
    bandwidth: u64,
}

impl Source {
    pub(super) fn new(conf: &Configuration) -> Result<Self> {
        let mut web = conf.get_host_port(&keys::DFS_NAMENODE_HTTP_ADDRESS)?;
        if web.host == "0.0.0.0" {
            web.host = conf.namenode_rpc_address()?.host;
        }
        Ok(Self {
            web,
            timeout: conf.get_duration(&keys::DFS_IMAGE_TRANSFER_TIMEOUT)?,
            bandwidth: conf.get_u64(&keys::DFS_IMAGE_TRANSFER_BANDWIDTH_PER_SEC)?,
        })
    }

    fn get(&self, query: &str) -> Result<(Response, Advertised)> {
        let path = format!("{PATH}?{query}");
        tracing::info!("Opening connection to http://{}{path}", self.web);
        let response = client::get_within(&self.web, &path, (self.timeout, self.timeout))?;
        if response.status != 200 {
            return Err(Error::io(format!(
                "Image transfer servlet at http://{}{path} failed with status code {}\nResponse message:\n{}",
                self.web, response.status, response.reason
            )));
        }
        let length = response.header("content-length").and_then(|length| length.parse().ok());
        let num_bytes = length.ok_or_else(|| {
            Error::io(format!(
                "Content-Length header is not provided by the namenode when trying to fetch http://{}{path}",
                self.web
            ))
        })?;
        let md5 = response.header(MD5_HEADER).and_then(storage_dir::parse_hex);
        Ok((response, Advertised { num_bytes, md5 }))
    }

    /// Takes an image into every folder.
    pub(super) fn take_image(&self, dirs: &NameDirs, txid: TxId, storage_info: &str) -> Result<()> {
        let query =
            format!("getimage=1&txid={txid}&storageInfo={storage_info}&bootstrapstandby=false");
        let (response, advertised) = self.get(&query)?;
        let mut receiver = Receiving(ImageReceiver::create(dirs, txid)?);
        response.copy_to(&mut receiver)?;
        receiver.0.commit(&ImageFile::Image(txid).name(), advertised, ImageFile::Image)
    }

    /// Takes a finished segment into every folder, unless one has it.
    pub(super) fn take_edits(
        &self,
        dirs: &NameDirs,
        (first, last): (TxId, TxId),
        storage_info: &str,
    ) -> Result<()> {
        let name = edits::finalized_name(first, last);
        if let Some(known) =
            dirs.live_edits().map(|(_, dir)| dir.current().join(&name)).find(|path| path.exists())
        {
            tracing::info!("Skipping download of edits that are here as {}", known.display());
            return Ok(());
        }
        let query =
            format!("getedit=1&startTxId={first}&endTxId={last}&storageInfo={storage_info}");
        let (response, advertised) = self.get(&query)?;
        let temporary = edits::temporary_name(first, last, clock::mono().0 / 1_000_000);
        let mut files = EditsFiles::create(dirs, &temporary)?;
        let copied = response.copy_to(&mut files)?;
        if copied != advertised.num_bytes {
            return Err(Error::io(format!(
                "File {name} received length {copied} is not of the advertised size {}",
                advertised.num_bytes
            )));
        }
        files.commit(&name)
    }

    /// Sends an image. An answer that another node was faster is no failure.
    pub(super) fn send_image(
        &self,
        images: &ImageStore,
        txid: TxId,
        storage_info: &str,
    ) -> Result<()> {
        let path = images
            .find_image(ImageFile::Image(txid))
            .ok_or_else(|| Error::io(format!("Could not find image with txid {txid}")))?;
        let file = File::open(&path).map_err(|e| failed("open", &path, e))?;
        let length = file.metadata().map_err(|e| failed("open", &path, e))?.len();
        let md5 = ImageStore::stored_md5(&path)?.map(|md5| storage_dir::print_hex(&md5));
        let target = format!(
            "{PATH}?txid={txid}&imageFile=IMAGE&File-Length={length}&storageInfo={storage_info}"
        );
        let md5 = md5.unwrap_or_default();
        let headers = [("X-MD5-Digest", md5.as_str())];
        let headers = if md5.is_empty() { &headers[..0] } else { &headers[..] };
        let mut body = Throttled { file, throttle: Throttle::new(self.bandwidth) };
        let limits = (self.timeout, self.timeout);
        let answer = client::put_within(&self.web, &target, headers, (&mut body, length), limits)?;
        match answer.status {
            200 => {
                tracing::info!("Uploaded image with txid {txid} to namenode at http://{}", self.web)
            }
            409 | 417 => tracing::warn!(
                "the NameNode did not want the image of transaction {txid}: {}",
                answer.reason
            ),
            status => {
                return Err(Error::io(format!(
                    "Image uploading failed, status: {status}, url: http://{}{target}, message: {}",
                    self.web, answer.reason
                )));
            }
        }
        Ok(())
    }
}

struct Throttled {
    file: File,
    throttle: Throttle,
}

impl Read for Throttled {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.throttle.wait(read as u64);
        Ok(read)
    }
}

/// As `io::Write`, which errors of ours become part of.
struct Receiving<'a>(ImageReceiver<'a>);

impl Write for Receiving<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|error| io::Error::other(error.message))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A segment that comes in; dropped before it is whole, it leaves nothing behind.
struct EditsFiles(Vec<(PathBuf, File)>);

impl EditsFiles {
    fn create(dirs: &NameDirs, name: &str) -> Result<Self> {
        let mut files = Self(Vec::new());
        for (_, dir) in dirs.live_edits() {
            let path = dir.current().join(name);
            let file = File::create(&path).map_err(|e| failed("create", &path, e))?;
            files.0.push((path, file));
        }
        Ok(files)
    }

    fn commit(mut self, name: &str) -> Result<()> {
        for (path, file) in std::mem::take(&mut self.0) {
            fsync_file(&file, &path)?;
            rename_durable(&path, &path.with_file_name(name))?;
        }
        Ok(())
    }
}

impl Write for EditsFiles {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (_, file) in &mut self.0 {
            file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for EditsFiles {
    fn drop(&mut self) {
        for (path, _) in &self.0 {
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!("Deleting {} has failed: {error}", path.display());
            }
        }
    }
}
