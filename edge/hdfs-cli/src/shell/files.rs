//! What the shell needs from a file system, be it HDFS or the local one.

use hdfs_client::{AclEntry, AclStatus, ContentSummary, QuotaUsage};
use hdfs_types::{FsAction, FsPermission};

use super::failure::{Failure, Outcome};

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Directory,
    File,
    Symlink,
}

/// What is known about one path. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct Stat {
    /// Absolute path inside its file system.
    pub path: String,
    pub kind: Kind,
    pub length: u64,
    pub replication: u16,
    pub block_size: u64,
    pub modified_ms: u64,
    pub accessed_ms: u64,
    pub permission: FsPermission,
    pub owner: String,
    pub group: String,
    pub has_acl: bool,
    pub erasure_coded: bool,
}

impl Stat {
    pub(crate) fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }
}

/// Capacity of a whole file system, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub capacity: u64,
    pub used: u64,
    pub remaining: u64,
}

/// A file being read.
pub(crate) trait Reader: Send {
    /// The next bytes; 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize>;
    /// Moves to a position that is not beyond the end.
    fn seek(&mut self, position: u64) -> Outcome<()>;
}

/// A file being written. Dropping it without [`Writer::close`] leaves it incomplete.
pub(crate) trait Writer {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()>;
    /// Makes the file complete.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// How a file is created. Folders above it are created as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Create {
    pub overwrite: bool,
    /// One replica, kept in memory first.
    pub lazy_persist: bool,
    /// Write a checksum file beside it, where a file system does so.
    pub checksum_file: bool,
}

/// A change of an access control list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AclChange<'a> {
    /// Add these entries, or change those about the same users.
    Modify(&'a [AclEntry]),
    /// Remove the entries about these users.
    Remove(&'a [AclEntry]),
    /// Remove the default entries.
    RemoveDefault,
    /// Remove every entry.
    RemoveAll,
    /// Have just these entries.
    Set(&'a [AclEntry]),
}

/// Extended attributes: names with their namespace, and values.
pub(crate) type XAttrs = Vec<(String, Vec<u8>)>;

/// A file system. Paths are absolute and normalized.
///
/// Several threads may use one.
pub(crate) trait FileSystem: Send + Sync {
    /// `hdfs://host:port` or `file:///`.
    fn uri(&self) -> String;
    /// What stands in front of a path when it is shown in full: `hdfs://host:port` or `file:`.
    fn prefix(&self) -> String;
    /// Where relative paths start.
    fn working_directory(&self) -> String;
    /// `None` when there is nothing.
    fn stat(&self, path: &str) -> Outcome<Option<Stat>>;
    /// The entries of a directory by name, or the file itself.
    fn list(&self, path: &str) -> Outcome<Vec<Stat>>;
    /// The same entries one after the other, where a file system can give them before it has all.
    fn entries<'a>(&'a self, path: &str) -> Outcome<Box<dyn Iterator<Item = Outcome<Stat>> + 'a>> {
        Ok(Box::new(self.list(path)?.into_iter().map(Ok)))
    }
    fn open(&self, path: &str) -> Outcome<Box<dyn Reader>>;
    /// The same without a check of what is read, where a file system can do without.
    fn open_unverified(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        self.open(path)
    }
    fn create(&self, path: &str, how: Create) -> Outcome<Box<dyn Writer>>;
    /// Directories with everything above them; false when that failed without a reason.
    ///
    /// `permission`, less the umask, is that of every directory made; 0777 when `None`.
    fn mkdirs_as(&self, path: &str, permission: Option<FsPermission>) -> Outcome<bool>;
    /// The same with the usual permission.
    fn mkdirs(&self, path: &str) -> Outcome<bool> {
        self.mkdirs_as(path, None)
    }
    fn delete(&self, path: &str, recursive: bool) -> Outcome<bool>;
    fn rename(&self, from: &str, to: &str) -> Outcome<bool>;
    fn set_permission(&self, path: &str, permission: FsPermission) -> Outcome<()>;
    fn set_owner(&self, path: &str, owner: Option<&str>, group: Option<&str>) -> Outcome<()>;
    /// `None` leaves a time as it is.
    fn set_times(&self, path: &str, modified: Option<u64>, accessed: Option<u64>) -> Outcome<()>;
    fn content_summary(&self, path: &str) -> Outcome<ContentSummary>;
    fn space(&self, path: &str) -> Outcome<Space>;
    fn access(&self, path: &str, action: FsAction) -> Outcome<()>;

    /// A rename that never replaces anything, as the trash needs it.
    fn move_to_trash(&self, from: &str, to: &str) -> Outcome<()>;

    /// Minutes that a deleted file is kept; 0 without a trash.
    fn trash_interval_minutes(&self) -> Outcome<Option<u64>> {
        Ok(None)
    }

    /// The folder of the trash for this path.
    fn trash_root(&self, path: &str) -> Outcome<String>;
    /// Every trash folder of the user that may be there.
    fn trash_roots(&self) -> Outcome<Vec<String>> {
        Ok(vec![self.trash_root("/")?])
    }

    fn append(&self, path: &str, new_block: bool) -> Outcome<Box<dyn Writer>> {
        let _ = (path, new_block);
        Err(self.unsupported("append"))
    }

    fn set_replication(&self, path: &str, replication: u16) -> Outcome<bool> {
        let _ = (path, replication);
        Ok(true)
    }

    /// True when the file has its new length at once.
    fn truncate(&self, path: &str, length: u64) -> Outcome<bool> {
        let _ = (path, length);
        Err(self.unsupported("truncate"))
    }

    fn concat(&self, target: &str, sources: &[&str]) -> Outcome<()> {
        let _ = (target, sources);
        let scheme = self.uri();
        let scheme = scheme.split(':').next().unwrap_or_default().to_owned();
        let class = "Not implemented by the LocalFileSystem FileSystem implementation";
        Err(Failure::io(format!(
            "`Dest filesystem '{scheme}' doesn't support concat.': Input/output error: {class}"
        )))
    }

    fn quota_usage(&self, path: &str) -> Outcome<QuotaUsage> {
        let _ = path;
        Err(self.unsupported("getQuotaUsage"))
    }

    /// Algorithm and bytes; `None` where files have none.
    fn checksum(&self, path: &str) -> Outcome<Option<(String, Vec<u8>)>> {
        let _ = path;
        Ok(None)
    }

    /// How many DataNodes hold each block.
    fn replicas(&self, path: &str) -> Outcome<Vec<usize>> {
        let _ = path;
        Ok(vec![1])
    }

    fn acl_status(&self, path: &str) -> Outcome<AclStatus> {
        let _ = path;
        Err(self.lacks("getAclStatus"))
    }

    fn change_acl(&self, path: &str, change: AclChange<'_>) -> Outcome<()> {
        let _ = path;
        Err(self.lacks(match change {
            AclChange::Modify(_) => "modifyAclEntries",
            AclChange::Remove(_) => "removeAclEntries",
            AclChange::RemoveDefault => "removeDefaultAcl",
            AclChange::RemoveAll => "removeAcl",
            AclChange::Set(_) => "setAcl",
        }))
    }

    /// The attribute of this name, or all of them.
    fn xattrs(&self, path: &str, name: Option<&str>) -> Outcome<XAttrs> {
        let _ = path;
        Err(self.lacks(if name.is_some() { "getXAttr" } else { "getXAttrs" }))
    }

    fn set_xattr(&self, path: &str, name: &str, value: Option<&[u8]>) -> Outcome<()> {
        let _ = (path, name, value);
        Err(self.lacks("setXAttr"))
    }

    fn remove_xattr(&self, path: &str, name: &str) -> Outcome<()> {
        let _ = (path, name);
        Err(self.lacks("removeXAttr"))
    }

    /// The path of the new snapshot.
    fn create_snapshot(&self, root: &str, name: Option<&str>) -> Outcome<String> {
        let _ = (root, name);
        Err(self.lacks("createSnapshot"))
    }

    fn delete_snapshot(&self, root: &str, name: &str) -> Outcome<()> {
        let _ = (root, name);
        Err(self.lacks("deleteSnapshot"))
    }

    fn rename_snapshot(&self, root: &str, old: &str, new: &str) -> Outcome<()> {
        let _ = (root, old, new);
        Err(self.lacks("renameSnapshot"))
    }

    /// True when summaries tell the policy of erasure coding.
    fn tells_erasure_coding(&self) -> bool {
        false
    }

    /// Hadoop's name of the class, for messages.
    fn class(&self) -> &'static str {
        "LocalFileSystem"
    }

    /// Hadoop's answer for a call that a file system does not have.
    fn lacks(&self, call: &str) -> Failure {
        Failure::Fatal(format!(
            "java.lang.UnsupportedOperationException: {} doesn't support {call}",
            self.class()
        ))
    }

    fn unsupported(&self, what: &str) -> Failure {
        Failure::Fatal(format!(
            "java.lang.UnsupportedOperationException: {} does not support {what}",
            self.uri()
        ))
    }
}
