//! The local file system, as Hadoop's shell shows it.
//!
//! Checksum files (`.name.crc`), which Hadoop leaves beside files, are not listed; they go where their file goes.
//!
//! Hadoop: org.apache.hadoop.fs.RawLocalFileSystem, ChecksumFileSystem (3.5.0)

mod streams;

use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdfs_client::{ContentSummary, QuotaUsage};
use hdfs_types::{Error, FsAction, FsPermission};

use super::failure::{Failure, Outcome};
use super::files::{Create, FileSystem, Kind, Reader, Space, Stat, Writer};
use super::path;
use streams::{LocalReader, LocalWriter, Verifier};

/// `fs.local.block.size`.
const BLOCK_SIZE: u64 = 32 * 1024 * 1024;

/// The local file system.
pub(crate) struct Local {
    working_directory: String,
    users: NameTable,
    groups: NameTable,
}

impl Local {
    pub(crate) fn new() -> Self {
        let current = std::env::current_dir().ok();
        Self {
            working_directory: current
                .map_or_else(|| "/".into(), |dir| dir.to_string_lossy().into_owned()),
            users: NameTable::read("/etc/passwd"),
            groups: NameTable::read("/etc/group"),
        }
    }

    fn describe(&self, path: &str, metadata: &Metadata) -> Stat {
        let millis = |seconds: i64, nanos: i64| {
            u64::try_from(seconds.saturating_mul(1_000) + nanos / 1_000_000).unwrap_or(0)
        };
        Stat {
            path: path.to_owned(),
            kind: if metadata.is_dir() { Kind::Directory } else { Kind::File },
            length: metadata.len(),
            replication: 1,
            block_size: BLOCK_SIZE,
            modified_ms: millis(metadata.mtime(), metadata.mtime_nsec()),
            accessed_ms: millis(metadata.atime(), metadata.atime_nsec()),
            permission: FsPermission((metadata.mode() & 0o1777) as u16),
            owner: self.users.name(metadata.uid()),
            group: self.groups.name(metadata.gid()),
            has_acl: false,
            erasure_coded: false,
        }
    }

    fn sum(&self, path: &str, total: &mut ContentSummary) -> Outcome<()> {
        let Some(stat) = self.stat(path)? else { return Err(missing(path)) };
        if stat.is_dir() {
            total.directory_count += 1;
            for child in self.list(path)? {
                self.sum(&child.path, total)?;
            }
        } else {
            total.file_count += 1;
            total.length += stat.length;
            total.space_consumed += stat.length;
        }
        Ok(())
    }
}

fn missing(path: &str) -> Failure {
    let message = format!("File file:{path} does not exist");
    Failure::Io(Error::new(hdfs_types::ErrorKind::FileNotFound, message))
}

/// Java's text for a failed call: "path (No such file or directory)".
fn failed(path: &str, error: &std::io::Error) -> Failure {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let kind = match error.kind() {
        ErrorKind::NotFound => hdfs_types::ErrorKind::FileNotFound,
        ErrorKind::PermissionDenied => hdfs_types::ErrorKind::AccessControl,
        _ => hdfs_types::ErrorKind::Io,
    };
    Failure::Io(Error::new(kind, format!("{path} ({reason})")))
}

/// What checksum files stand in the way of.
fn without(what: &str) -> Failure {
    let class = "java.lang.UnsupportedOperationException";
    Failure::Fatal(format!("{class}: {what} is not supported by ChecksumFileSystem"))
}

fn is_checksum_file(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".crc")
}

/// Where Hadoop keeps the checksums of a file.
fn checksum_file(path: &str) -> String {
    let folder = path::parent(path).unwrap_or("/");
    path::join(folder, &format!(".{}.crc", path::name(path)))
}

impl FileSystem for Local {
    fn uri(&self) -> String {
        "file:///".into()
    }

    fn prefix(&self) -> String {
        "file:".into()
    }

    fn working_directory(&self) -> String {
        self.working_directory.clone()
    }

    fn stat(&self, path: &str) -> Outcome<Option<Stat>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(self.describe(path, &metadata))),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(path, &error)),
        }
    }

    fn list(&self, path: &str) -> Outcome<Vec<Stat>> {
        let metadata = fs::metadata(path).map_err(|error| failed(path, &error))?;
        if !metadata.is_dir() {
            return Ok(vec![self.describe(path, &metadata)]);
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(|error| failed(path, &error))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !is_checksum_file(&name) {
                // An entry may be gone by now, or a dangling link: neither is listed.
                entries.extend(self.stat(&path::join(path, &name))?);
            }
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn open(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        let file = File::open(path).map_err(|error| failed(path, &error))?;
        match Verifier::of(path) {
            Some(verifier) => Ok(Box::new(LocalReader::verified(file, verifier))),
            None => Ok(Box::new(LocalReader::plain(file))),
        }
    }

    fn open_unverified(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        let file = File::open(path).map_err(|error| failed(path, &error))?;
        Ok(Box::new(LocalReader::plain(file)))
    }

    fn create(&self, path: &str, how: Create) -> Outcome<Box<dyn Writer>> {
        if let Some(folder) = path::parent(path) {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        if !how.overwrite && Path::new(path).exists() {
            return Err(Failure::io(format!("File already exists: {path}")));
        }
        let file = File::create(path).map_err(|error| failed(path, &error))?;
        // Those of the file that was there are wrong now.
        match fs::remove_file(checksum_file(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(path, &error)),
            _ => {}
        }
        Ok(Box::new(LocalWriter::new(file, path, how.checksum_file)))
    }

    fn append(&self, _path: &str, _new_block: bool) -> Outcome<Box<dyn Writer>> {
        Err(without("Append"))
    }

    fn truncate(&self, _path: &str, _length: u64) -> Outcome<bool> {
        Err(without("Truncate"))
    }

    fn mkdirs_as(&self, path: &str, permission: Option<FsPermission>) -> Outcome<bool> {
        let mode = permission.map_or(0o777, |permission| u32::from(permission.0));
        let made = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
        made.map_err(|error| {
            let above = Path::new(path).ancestors().skip(1).find(|above| above.exists());
            match above.filter(|_| error.kind() == ErrorKind::NotADirectory) {
                Some(file) => {
                    let message =
                        format!("Parent path is not a directory: file:{}", file.display());
                    Failure::Io(Error::new(hdfs_types::ErrorKind::ParentNotDirectory, message))
                }
                None => failed(path, &error),
            }
        })?;
        Ok(true)
    }

    fn delete(&self, path: &str, recursive: bool) -> Outcome<bool> {
        let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(false) };
        let removed = if !metadata.is_dir() {
            let _ = fs::remove_file(checksum_file(path));
            fs::remove_file(path)
        } else if recursive {
            fs::remove_dir_all(path)
        } else {
            fs::remove_dir(path)
        };
        removed.map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty => Failure::io(format!("Directory {path} is not empty")),
            _ => failed(path, &error),
        })?;
        Ok(true)
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<bool> {
        let target = match self.stat(to)? {
            Some(stat) if stat.is_dir() => path::join(to, path::name(from)),
            _ => to.to_owned(),
        };
        fs::rename(from, &target).map_err(|error| failed(from, &error))?;
        // A checksum file goes with its file, and none of another content may stay.
        if fs::rename(checksum_file(from), checksum_file(&target)).is_err() {
            let _ = fs::remove_file(checksum_file(&target));
        }
        Ok(true)
    }

    fn move_to_trash(&self, from: &str, to: &str) -> Outcome<()> {
        if self.stat(to)?.is_some() {
            let message = format!("rename destination {to} already exists.");
            return Err(Failure::Io(Error::new(hdfs_types::ErrorKind::FileAlreadyExists, message)));
        }
        fs::rename(from, to).map_err(|error| failed(from, &error))
    }

    fn trash_root(&self, _path: &str) -> Outcome<String> {
        let home = std::env::var("HOME").ok().filter(|home| home.starts_with('/'));
        Ok(path::join(home.as_deref().unwrap_or("/"), ".Trash"))
    }

    fn set_permission(&self, path: &str, permission: FsPermission) -> Outcome<()> {
        let mode = fs::Permissions::from_mode(u32::from(permission.0));
        fs::set_permissions(path, mode).map_err(|error| failed(path, &error))
    }

    fn set_owner(&self, path: &str, owner: Option<&str>, group: Option<&str>) -> Outcome<()> {
        // Hadoop runs the system's command, whose words these are.
        let id = |table: &NameTable, what: &str, name: Option<&str>| match name {
            Some(name) => table.id(name).map(Some).ok_or_else(|| {
                let group = group.map(|group| format!(":{group}")).unwrap_or_default();
                let whole = format!("{}{group}", owner.unwrap_or_default());
                Failure::io(format!("chown: invalid {what}: ‘{whole}’"))
            }),
            None => Ok(None),
        };
        let uid = id(&self.users, "user", owner)?;
        let gid = id(&self.groups, "group", group)?;
        std::os::unix::fs::chown(path, uid, gid).map_err(|error| failed(path, &error))
    }

    fn set_times(&self, path: &str, modified: Option<u64>, accessed: Option<u64>) -> Outcome<()> {
        let time = |millis: u64| -> SystemTime { UNIX_EPOCH + Duration::from_millis(millis) };
        let mut times = fs::FileTimes::new();
        if let Some(modified) = modified {
            times = times.set_modified(time(modified));
        }
        if let Some(accessed) = accessed {
            times = times.set_accessed(time(accessed));
        }
        let set = File::open(path).and_then(|file| file.set_times(times));
        set.map_err(|error| failed(path, &error))
    }

    fn concat(&self, _target: &str, _sources: &[&str]) -> Outcome<()> {
        Err(Failure::io(
            "`Dest filesystem 'file' doesn't support concat.': Input/output error: \
             Concat is not supported by ChecksumFileSystem",
        ))
    }

    fn class(&self) -> &'static str {
        "RawLocalFileSystem"
    }

    fn quota_usage(&self, path: &str) -> Outcome<QuotaUsage> {
        let sum = self.content_summary(path)?;
        Ok(QuotaUsage {
            file_and_directory_count: sum.file_count + sum.directory_count,
            quota: None,
            space_consumed: sum.space_consumed,
            space_quota: None,
            type_quotas: Vec::new(),
        })
    }

    fn content_summary(&self, path: &str) -> Outcome<ContentSummary> {
        let mut total = ContentSummary {
            length: 0,
            file_count: 0,
            directory_count: 0,
            space_consumed: 0,
            quota: None,
            space_quota: None,
            type_quotas: Vec::new(),
            snapshot_length: 0,
            snapshot_file_count: 0,
            snapshot_directory_count: 0,
            snapshot_space_consumed: 0,
            erasure_coding_policy: String::new(),
        };
        self.sum(path, &mut total)?;
        Ok(total)
    }

    fn space(&self, path: &str) -> Outcome<Space> {
        let stat = rustix::fs::statvfs(path).map_err(|error| failed(path, &error.into()))?;
        let capacity = stat.f_blocks * stat.f_frsize;
        Ok(Space {
            capacity,
            used: capacity - stat.f_bfree * stat.f_frsize,
            // As Hadoop: blocks that are kept for root count, too.
            remaining: stat.f_bfree * stat.f_frsize,
        })
    }

    fn access(&self, path: &str, action: FsAction) -> Outcome<()> {
        use rustix::fs::Access;
        let mut wanted = Access::empty();
        for (bit, access) in [
            (FsAction::READ, Access::READ_OK),
            (FsAction::WRITE, Access::WRITE_OK),
            (FsAction::EXECUTE, Access::EXEC_OK),
        ] {
            if action.implies(bit) {
                wanted |= access;
            }
        }
        rustix::fs::access(path, wanted).map_err(|error| failed(path, &error.into()))
    }
}

/// Numbers and names of /etc/passwd or /etc/group.
struct NameTable(Vec<(u32, String)>);

impl NameTable {
    fn read(file: &str) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        let entry = |line: &str| {
            let mut fields = line.split(':');
            Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
        };
        Self(text.lines().filter_map(entry).map(|(name, id)| (id, name)).collect())
    }

    /// The name, or the number where there is none.
    fn name(&self, id: u32) -> String {
        let known = self.0.iter().find(|(known, _)| *known == id);
        known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }

    fn id(&self, name: &str) -> Option<u32> {
        let known = self.0.iter().find(|(_, known)| known == name).map(|(id, _)| *id);
        known.or_else(|| name.parse().ok())
    }
}
