//! HDFS over HTTP (`webhdfs://`) as a file system of the shell.

use std::sync::Arc;

use bytes::Bytes;
use hdfs_client::webhdfs::{WebHdfsClient, WebReader, WebWriter};
use hdfs_client::{AclStatus, ContentSummary, CreateOptions, QuotaUsage, RenameOptions, Times};
use hdfs_conf::Configuration;
use hdfs_types::{Error, FsAction, FsPermission, WallMillis};
use tokio::runtime::Runtime;

use super::failure::{Failure, Outcome};
use super::files::{AclChange, Create, FileSystem, Reader, Space, Stat, Writer, XAttrs};
use super::remote::{check_name, describe};

/// One HDFS behind its web servers.
pub(crate) struct Web {
    client: WebHdfsClient,
    runtime: Arc<Runtime>,
}

impl Web {
    /// The file system of a `webhdfs://` URI.
    pub(crate) fn connect(uri: &str, conf: &Configuration) -> Outcome<Self> {
        let client = WebHdfsClient::for_uri(uri, conf).map_err(unknown_host)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("webhdfs-client")
            .enable_all()
            .build()?;
        Ok(Self { client, runtime: Arc::new(runtime) })
    }

    fn wait<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Outcome<T> {
        self.runtime.block_on(call).map_err(unknown_host)
    }
}

/// A host that can't be is an illegal argument, which ends the command.
fn unknown_host(error: Error) -> Failure {
    if error.message.starts_with("java.net.UnknownHostException") {
        return Failure::Illegal(error.message);
    }
    Failure::Io(error)
}

impl FileSystem for Web {
    fn uri(&self) -> String {
        self.client.uri().to_owned()
    }

    fn prefix(&self) -> String {
        self.client.uri().to_owned()
    }

    fn working_directory(&self) -> String {
        self.client.home_directory()
    }

    fn stat(&self, path: &str) -> Outcome<Option<Stat>> {
        Ok(self.wait(self.client.file_info(path))?.map(describe))
    }

    fn list(&self, path: &str) -> Outcome<Vec<Stat>> {
        Ok(self.wait(self.client.list(path))?.into_iter().map(describe).collect())
    }

    fn open(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        let reader = self.wait(self.client.open(path))?;
        Ok(Box::new(Reading { reader, piece: Bytes::new(), runtime: Arc::clone(&self.runtime) }))
    }

    fn create(&self, path: &str, how: Create) -> Outcome<Box<dyn Writer>> {
        if how.lazy_persist {
            // Hadoop's WebHDFS client drops the flag without a word.
            return Err(Failure::io("lazily persisted files (-l) need hdfs://"));
        }
        let options = CreateOptions { overwrite: how.overwrite, ..CreateOptions::default() };
        let writer = self.wait(self.client.create(path, options))?;
        Ok(Box::new(Writing { writer, runtime: Arc::clone(&self.runtime) }))
    }

    fn append(&self, path: &str, new_block: bool) -> Outcome<Box<dyn Writer>> {
        if new_block {
            return Err(self.unsupported("append to a new block"));
        }
        let writer = self.wait(self.client.append(path))?;
        Ok(Box::new(Writing { writer, runtime: Arc::clone(&self.runtime) }))
    }

    fn mkdirs_as(&self, path: &str, permission: Option<FsPermission>) -> Outcome<bool> {
        self.wait(self.client.mkdirs(path, permission))
    }

    fn delete(&self, path: &str, recursive: bool) -> Outcome<bool> {
        self.wait(self.client.delete(path, recursive))
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<bool> {
        self.wait(self.client.rename(from, to))
    }

    fn move_to_trash(&self, from: &str, to: &str) -> Outcome<()> {
        let options = RenameOptions { overwrite: false, to_trash: true };
        self.wait(self.client.rename_with(from, to, options))
    }

    fn trash_interval_minutes(&self) -> Outcome<Option<u64>> {
        Ok(Some(self.wait(self.client.trash_interval_minutes())?))
    }

    fn trash_root(&self, path: &str) -> Outcome<String> {
        self.wait(self.client.trash_root(path))
    }

    fn set_permission(&self, path: &str, permission: FsPermission) -> Outcome<()> {
        self.wait(self.client.set_permission(path, permission))
    }

    fn set_owner(&self, path: &str, owner: Option<&str>, group: Option<&str>) -> Outcome<()> {
        self.wait(self.client.set_owner(path, owner, group))
    }

    fn set_times(&self, path: &str, modified: Option<u64>, accessed: Option<u64>) -> Outcome<()> {
        let times =
            Times { modification: modified.map(WallMillis), access: accessed.map(WallMillis) };
        self.wait(self.client.set_times(path, times))
    }

    fn set_replication(&self, path: &str, replication: u16) -> Outcome<bool> {
        self.wait(self.client.set_replication(path, replication))
    }

    fn truncate(&self, path: &str, length: u64) -> Outcome<bool> {
        self.wait(self.client.truncate(path, length))
    }

    fn concat(&self, target: &str, sources: &[&str]) -> Outcome<()> {
        self.wait(self.client.concat(target, sources))
    }

    fn content_summary(&self, path: &str) -> Outcome<ContentSummary> {
        self.wait(self.client.content_summary(path))
    }

    fn quota_usage(&self, path: &str) -> Outcome<QuotaUsage> {
        self.wait(self.client.quota_usage(path))
    }

    fn space(&self, path: &str) -> Outcome<Space> {
        let found = self.wait(self.client.fs_capacity(path))?;
        Ok(Space { capacity: found.capacity, used: found.used, remaining: found.remaining })
    }

    fn access(&self, path: &str, action: FsAction) -> Outcome<()> {
        self.wait(self.client.check_access(path, action))
    }

    fn checksum(&self, path: &str) -> Outcome<Option<(String, Vec<u8>)>> {
        let checksum = self.wait(self.client.file_checksum(path))?;
        Ok(Some((checksum.algorithm, checksum.bytes)))
    }

    fn replicas(&self, path: &str) -> Outcome<Vec<usize>> {
        self.wait(self.client.replicas(path))
    }

    fn acl_status(&self, path: &str) -> Outcome<AclStatus> {
        self.wait(self.client.acl_status(path))
    }

    fn change_acl(&self, path: &str, change: AclChange<'_>) -> Outcome<()> {
        match change {
            AclChange::Modify(entries) => self.wait(self.client.modify_acl_entries(path, entries)),
            AclChange::Remove(entries) => self.wait(self.client.remove_acl_entries(path, entries)),
            AclChange::RemoveDefault => self.wait(self.client.remove_default_acl(path)),
            AclChange::RemoveAll => self.wait(self.client.remove_acl(path)),
            AclChange::Set(entries) => self.wait(self.client.set_acl(path, entries)),
        }
    }

    fn xattrs(&self, path: &str, name: Option<&str>) -> Outcome<XAttrs> {
        name.map_or(Ok(()), check_name)?;
        self.wait(self.client.xattrs(path, name.as_slice()))
    }

    fn set_xattr(&self, path: &str, name: &str, value: Option<&[u8]>) -> Outcome<()> {
        self.wait(self.client.set_xattr(path, name, value))
    }

    fn remove_xattr(&self, path: &str, name: &str) -> Outcome<()> {
        check_name(name)?;
        self.wait(self.client.remove_xattr(path, name))
    }

    fn create_snapshot(&self, root: &str, name: Option<&str>) -> Outcome<String> {
        self.wait(self.client.create_snapshot(root, name))
    }

    fn delete_snapshot(&self, root: &str, name: &str) -> Outcome<()> {
        self.wait(self.client.delete_snapshot(root, name))
    }

    fn rename_snapshot(&self, root: &str, old: &str, new: &str) -> Outcome<()> {
        self.wait(self.client.rename_snapshot(root, old, new))
    }

    fn tells_erasure_coding(&self) -> bool {
        true
    }

    fn class(&self) -> &'static str {
        "WebHdfsFileSystem"
    }
}

struct Reading {
    reader: WebReader,
    /// What came and was not read yet.
    piece: Bytes,
    runtime: Arc<Runtime>,
}

impl Reader for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        if self.piece.is_empty() {
            self.piece = self.runtime.block_on(self.reader.next_piece())?;
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }

    fn seek(&mut self, position: u64) -> Outcome<()> {
        self.piece = Bytes::new();
        self.reader.seek(position);
        Ok(())
    }
}

struct Writing {
    writer: WebWriter,
    runtime: Arc<Runtime>,
}

impl Writer for Writing {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        let bytes = Bytes::copy_from_slice(bytes);
        Ok(self.runtime.block_on(self.writer.write(bytes))?)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let Self { writer, runtime } = *self;
        Ok(runtime.block_on(writer.close())?)
    }
}
