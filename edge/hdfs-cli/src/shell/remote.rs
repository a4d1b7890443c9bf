//! HDFS as a file system of the shell: the blocking client, with Hadoop's words for what goes wrong.

use hdfs_client::blocking::{FileReader, FileWriter, HdfsClient};
use hdfs_client::{
    AclStatus, ContentSummary, CreateOptions, FileKind, FileStatus, QuotaUsage, RenameOptions,
    ServerDefaults, Times, XAttrSet, check_xattr_name,
};
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, Result, WallMillis};

use super::failure::{Failure, Outcome};
use super::files::{AclChange, Create, FileSystem, Kind, Reader, Space, Stat, Writer, XAttrs};
use super::path;

/// One HDFS.
pub(crate) struct Remote {
    client: HdfsClient,
}

impl Remote {
    pub(crate) fn new(client: HdfsClient) -> Self {
        Self { client }
    }

    /// Refuses, before the NameNode is asked, what cannot be a path of HDFS.
    fn check(&self, path: &str) -> Outcome<()> {
        if hdfs_types::is_valid_name(path.as_bytes()) {
            return Ok(());
        }
        let full = format!("{}{path}", self.client.uri());
        Err(Failure::Illegal(format!("Pathname {path} from {full} is not a valid DFS filename.")))
    }

    /// A directory that is not there, or no more, as Java's client says it.
    fn listed(&self, path: &str, entry: Result<FileStatus>) -> Outcome<Stat> {
        entry.map(describe).map_err(|error| match error.kind {
            ErrorKind::FileNotFound if error.message == format!("File does not exist: {path}") => {
                let text = format!("File {}{path} does not exist.", self.client.uri());
                Failure::Io(Error::new(ErrorKind::FileNotFound, text))
            }
            _ => Failure::Io(error),
        })
    }
}

/// A bad name ends the whole command, as in Hadoop.
pub(super) fn check_name(name: &str) -> Outcome<()> {
    check_xattr_name(name).map_err(|error| Failure::Illegal(error.message))
}

/// What the client says about a path, as the shell keeps it.
pub(super) fn describe(status: FileStatus) -> Stat {
    Stat {
        kind: match status.kind {
            FileKind::Directory => Kind::Directory,
            FileKind::File => Kind::File,
            FileKind::Symlink => Kind::Symlink,
        },
        path: status.path,
        length: status.length,
        replication: status.replication,
        block_size: status.block_size,
        modified_ms: status.modification_time.0,
        accessed_ms: status.access_time.0,
        permission: status.permission,
        owner: status.owner,
        group: status.group,
        has_acl: status.has_acl,
        erasure_coded: status.is_erasure_coded,
    }
}

impl Remote {
    /// The user's trash in a directory that has its own. Hadoop: DFSUtilClient.{getSnapshotTrashRoot, getEZTrashRoot}
    fn trash_below(&self, root: &str) -> String {
        format!("{}/.Trash/{}", root.trim_end_matches('/'), self.client.user())
    }
}

impl FileSystem for Remote {
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
        self.check(path)?;
        match self.client.file_info(path) {
            // The number of an inode that does not exist.
            Err(error) if error.kind == ErrorKind::FileNotFound => Ok(None),
            found => Ok(found?.map(describe)),
        }
    }

    fn list(&self, path: &str) -> Outcome<Vec<Stat>> {
        self.check(path)?;
        self.client.list(path).map(|entry| self.listed(path, entry)).collect()
    }

    fn entries<'a>(&'a self, path: &str) -> Outcome<Box<dyn Iterator<Item = Outcome<Stat>> + 'a>> {
        self.check(path)?;
        let of = path.to_owned();
        Ok(Box::new(self.client.list(path).map(move |entry| self.listed(&of, entry))))
    }

    fn open(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        Ok(Box::new(RemoteReader(self.client.open(path)?)))
    }

    fn create(&self, path: &str, how: Create) -> Outcome<Box<dyn Writer>> {
        let options = CreateOptions {
            overwrite: how.overwrite,
            create_parent: true,
            lazy_persist: how.lazy_persist,
            replication: how.lazy_persist.then_some(1),
            ..CreateOptions::default()
        };
        let writer = self.client.create(path, options).map_err(|error| {
            // The client itself refuses a block size: that ends the command.
            match error.message.starts_with("Invalid values: ") {
                true => Failure::Illegal(error.message),
                false => Failure::Io(error),
            }
        })?;
        Ok(Box::new(RemoteWriter(writer)))
    }

    fn append(&self, path: &str, new_block: bool) -> Outcome<Box<dyn Writer>> {
        Ok(Box::new(RemoteWriter(self.client.append(path, new_block)?)))
    }

    fn mkdirs_as(&self, path: &str, permission: Option<FsPermission>) -> Outcome<bool> {
        Ok(self.client.mkdirs(path, permission, true)?)
    }

    fn delete(&self, path: &str, recursive: bool) -> Outcome<bool> {
        Ok(self.client.delete(path, recursive)?)
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<bool> {
        Ok(self.client.rename(from, to)?)
    }

    fn move_to_trash(&self, from: &str, to: &str) -> Outcome<()> {
        Ok(self.client.rename_with(from, to, RenameOptions { overwrite: false, to_trash: true })?)
    }

    fn trash_interval_minutes(&self) -> Outcome<Option<u64>> {
        Ok(Some(self.client.server_defaults()?.trash_interval_minutes))
    }

    fn trash_root(&self, path: &str) -> Outcome<String> {
        let defaults = self.client.server_defaults()?;
        let mut roots = Vec::new();
        if defaults.snapshot_trash_root_enabled {
            let within =
                |root: &String| path.starts_with(&format!("{}/", root.trim_end_matches('/')));
            roots.extend(self.client.snapshottable_paths()?.into_iter().find(within));
        }
        if has_key_provider(&defaults) {
            let parent =
                path.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
            let parent = if parent.is_empty() { "/" } else { parent };
            match self.client.encryption_zone(parent) {
                Ok(zone) => roots.extend(zone.map(|zone| zone.path)),
                Err(error) => tracing::warn!(
                    "Exception in checking the encryption zone for the path {parent}. {}",
                    error.message
                ),
            }
        }
        // The inner one counts.
        let inner = roots.iter().max_by_key(|root| root.len());
        let home = || path::join(&self.client.home_directory(), ".Trash");
        Ok(inner.map_or_else(home, |root| self.trash_below(root)))
    }

    fn trash_roots(&self) -> Outcome<Vec<String>> {
        let mut roots = vec![path::join(&self.client.home_directory(), ".Trash")];
        let defaults = self.client.server_defaults()?;
        if has_key_provider(&defaults) {
            // Only a superuser may list zones.
            match self.client.encryption_zones() {
                Ok(zones) => roots.extend(zones.iter().map(|zone| self.trash_below(&zone.path))),
                Err(error) => {
                    tracing::warn!("Cannot get all encrypted trash roots: {}", error.message);
                }
            }
        }
        if defaults.snapshot_trash_root_enabled {
            let snapshottable = self.client.snapshottable_paths()?;
            roots.extend(snapshottable.iter().map(|root| self.trash_below(root)));
        }
        Ok(roots)
    }

    fn set_permission(&self, path: &str, permission: FsPermission) -> Outcome<()> {
        Ok(self.client.set_permission(path, permission)?)
    }

    fn set_owner(&self, path: &str, owner: Option<&str>, group: Option<&str>) -> Outcome<()> {
        Ok(self.client.set_owner(path, owner, group)?)
    }

    fn set_times(&self, path: &str, modified: Option<u64>, accessed: Option<u64>) -> Outcome<()> {
        let times =
            Times { modification: modified.map(WallMillis), access: accessed.map(WallMillis) };
        Ok(self.client.set_times(path, times)?)
    }

    fn set_replication(&self, path: &str, replication: u16) -> Outcome<bool> {
        Ok(self.client.set_replication(path, replication)?)
    }

    fn truncate(&self, path: &str, length: u64) -> Outcome<bool> {
        Ok(self.client.truncate(path, length)?)
    }

    fn concat(&self, target: &str, sources: &[&str]) -> Outcome<()> {
        Ok(self.client.concat(target, sources)?)
    }

    fn content_summary(&self, path: &str) -> Outcome<ContentSummary> {
        Ok(self.client.content_summary(path)?)
    }

    fn quota_usage(&self, path: &str) -> Outcome<QuotaUsage> {
        Ok(self.client.quota_usage(path)?)
    }

    fn space(&self, _path: &str) -> Outcome<Space> {
        let stats = self.client.fs_stats()?;
        Ok(Space { capacity: stats.capacity, used: stats.used, remaining: stats.remaining })
    }

    fn access(&self, path: &str, action: FsAction) -> Outcome<()> {
        Ok(self.client.check_access(path, action)?)
    }

    fn checksum(&self, path: &str) -> Outcome<Option<(String, Vec<u8>)>> {
        Ok(self.client.file_checksum(path)?.map(|checksum| (checksum.algorithm, checksum.bytes)))
    }

    fn acl_status(&self, path: &str) -> Outcome<AclStatus> {
        Ok(self.client.acl_status(path)?)
    }

    fn change_acl(&self, path: &str, change: AclChange<'_>) -> Outcome<()> {
        match change {
            AclChange::Modify(entries) => self.client.modify_acl_entries(path, entries)?,
            AclChange::Remove(entries) => self.client.remove_acl_entries(path, entries)?,
            AclChange::RemoveDefault => self.client.remove_default_acl(path)?,
            AclChange::RemoveAll => self.client.remove_acl(path)?,
            AclChange::Set(entries) => self.client.set_acl(path, entries)?,
        }
        Ok(())
    }

    fn xattrs(&self, path: &str, name: Option<&str>) -> Outcome<XAttrs> {
        name.map_or(Ok(()), check_name)?;
        Ok(self.client.xattrs(path, name.as_slice())?)
    }

    fn set_xattr(&self, path: &str, name: &str, value: Option<&[u8]>) -> Outcome<()> {
        check_name(name)?;
        Ok(self.client.set_xattr(path, name, value, XAttrSet::Any)?)
    }

    fn remove_xattr(&self, path: &str, name: &str) -> Outcome<()> {
        check_name(name)?;
        Ok(self.client.remove_xattr(path, name)?)
    }

    fn create_snapshot(&self, root: &str, name: Option<&str>) -> Outcome<String> {
        Ok(self.client.create_snapshot(root, name)?)
    }

    fn delete_snapshot(&self, root: &str, name: &str) -> Outcome<()> {
        Ok(self.client.delete_snapshot(root, name)?)
    }

    fn rename_snapshot(&self, root: &str, old: &str, new: &str) -> Outcome<()> {
        Ok(self.client.rename_snapshot(root, old, new)?)
    }

    fn tells_erasure_coding(&self) -> bool {
        true
    }

    fn class(&self) -> &'static str {
        "DistributedFileSystem"
    }

    fn replicas(&self, path: &str) -> Outcome<Vec<usize>> {
        let located = self.client.block_locations(path, 0, i64::MAX as u64)?;
        Ok(located.blocks.iter().map(|block| block.locations.len()).collect())
    }
}

struct RemoteReader(FileReader);

impl Reader for RemoteReader {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(self.0.read_some(buffer)?)
    }

    fn seek(&mut self, position: u64) -> Outcome<()> {
        std::io::Seek::seek(&mut self.0, std::io::SeekFrom::Start(position))?;
        Ok(())
    }
}

struct RemoteWriter(FileWriter);

impl Writer for RemoteWriter {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        Ok(self.0.write_some(bytes)?)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.0.close()?)
    }
}

/// True when there may be encryption zones.
fn has_key_provider(defaults: &ServerDefaults) -> bool {
    defaults.key_provider_uri.as_ref().is_some_and(|uri| !uri.trim().is_empty())
}
