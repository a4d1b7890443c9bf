//! The calls about names, one HTTP request each.

use hdfs_types::{ErrorKind, FsAction, FsPermission, Result};

use super::request::Request;
use super::{FsCapacity, WebHdfsClient, json};
use crate::checksum::FileChecksum;
use crate::metadata::{RenameOptions, Times};
use crate::status::{ContentSummary, FileStatus, QuotaUsage};

/// Mode of a directory that is made without saying one, before the umask.
const DIRECTORY_MODE: FsPermission = FsPermission(0o777);

/// Octal, as parameters have it.
fn octal(permission: FsPermission) -> String {
    format!("{:o}", permission.0)
}

impl WebHdfsClient {
    /// Status of a path, links followed; `None` when it does not exist.
    ///
    /// # Errors
    /// `AccessControl`, or what the connection gives.
    pub async fn file_info(&self, path: &str) -> Result<Option<FileStatus>> {
        match self.ask(Request::get("GETFILESTATUS", path)).await {
            Ok(answer) => json::file_status(json::member(&answer, "FileStatus")?, path).map(Some),
            Err(error) if error.kind == ErrorKind::FileNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page of a directory that starts after this name, and whether there are more. A file is its own only entry.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn list_page(&self, path: &str, after: &str) -> Result<(Vec<FileStatus>, bool)> {
        let request = Request::get("LISTSTATUS_BATCH", path).with("startAfter", after);
        json::directory_listing(&self.ask(request).await?, path)
    }

    /// Every entry of a directory, by name.
    ///
    /// # Errors
    /// As [`Self::list_page`].
    pub async fn list(&self, path: &str) -> Result<Vec<FileStatus>> {
        let mut entries: Vec<FileStatus> = Vec::new();
        loop {
            let after = entries.last().map_or("", FileStatus::name).to_owned();
            let (page, more) = self.list_page(path, &after).await?;
            let stuck = page.is_empty();
            entries.extend(page);
            if !more || stuck {
                return Ok(entries);
            }
        }
    }

    /// Makes a directory and everything above it. The umask of the configuration counts.
    ///
    /// # Errors
    /// `ParentNotDirectory`, `FileAlreadyExists`, `AccessControl`, quotas.
    pub async fn mkdirs(&self, path: &str, permission: Option<FsPermission>) -> Result<bool> {
        let whole = permission.unwrap_or(DIRECTORY_MODE);
        let request = Request::put("MKDIRS", path)
            .with("permission", octal(whole.apply_umask(self.conf().umask)))
            .with("unmaskedpermission", octal(whole));
        self.ask_bool(request).await
    }

    /// Deletes; false when there was nothing.
    ///
    /// # Errors
    /// `PathIsNotEmptyDirectory` for a directory with entries unless `recursive`, `AccessControl`.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<bool> {
        self.ask_bool(Request::delete("DELETE", path).with("recursive", recursive)).await
    }

    /// Renames; false when Hadoop's old rename refuses without saying why.
    ///
    /// # Errors
    /// `AccessControl`, quotas.
    pub async fn rename(&self, source: &str, target: &str) -> Result<bool> {
        self.ask_bool(Request::put("RENAME", source).with("destination", target)).await
    }

    /// Renames and says why it can't.
    ///
    /// # Errors
    /// `FileNotFound`, `FileAlreadyExists`, `ParentNotDirectory`, `AccessControl`.
    pub async fn rename_with(
        &self,
        source: &str,
        target: &str,
        options: RenameOptions,
    ) -> Result<()> {
        let named = [(options.overwrite, "OVERWRITE"), (options.to_trash, "TO_TRASH")];
        let names: Vec<&str> =
            named.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name).collect();
        let names = if names.is_empty() { "NONE".to_owned() } else { names.join(",") };
        let request =
            Request::put("RENAME", source).with("destination", target).with("renameoptions", names);
        self.tell(request).await
    }

    /// Moves the blocks of the sources to the end of the target.
    ///
    /// # Errors
    /// `HadoopIllegalArgument`, `FileNotFound`, `AccessControl`.
    pub async fn concat(&self, target: &str, sources: &[&str]) -> Result<()> {
        self.tell(Request::post("CONCAT", target).with("sources", sources.join(","))).await
    }

    /// Cuts a file; true when it has its new length at once.
    ///
    /// # Errors
    /// `HadoopIllegalArgument`, `FileNotFound`, `AlreadyBeingCreated`, `AccessControl`.
    pub async fn truncate(&self, path: &str, new_length: u64) -> Result<bool> {
        self.ask_bool(Request::post("TRUNCATE", path).with("newlength", new_length)).await
    }

    /// Sets the mode bits.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn set_permission(&self, path: &str, permission: FsPermission) -> Result<()> {
        self.tell(Request::put("SETPERMISSION", path).with("permission", octal(permission))).await
    }

    /// Sets owner, group or both.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn set_owner(
        &self,
        path: &str,
        owner: Option<&str>,
        group: Option<&str>,
    ) -> Result<()> {
        let request =
            Request::put("SETOWNER", path).with_some("owner", owner).with_some("group", group);
        self.tell(request).await
    }

    /// Sets times.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn set_times(&self, path: &str, times: Times) -> Result<()> {
        let request = Request::put("SETTIMES", path)
            .with_some("modificationtime", times.modification.map(|time| time.0))
            .with_some("accesstime", times.access.map(|time| time.0));
        self.tell(request).await
    }

    /// Sets the wanted replicas; false for what is no file.
    ///
    /// # Errors
    /// `AccessControl`, or `Io` for a number out of range.
    pub async fn set_replication(&self, path: &str, replication: u16) -> Result<bool> {
        self.ask_bool(Request::put("SETREPLICATION", path).with("replication", replication)).await
    }

    /// Sums over a subtree.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn content_summary(&self, path: &str) -> Result<ContentSummary> {
        json::content_summary(&self.ask(Request::get("GETCONTENTSUMMARY", path)).await?)
    }

    /// Quota and use of a directory.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn quota_usage(&self, path: &str) -> Result<QuotaUsage> {
        json::quota_usage(&self.ask(Request::get("GETQUOTAUSAGE", path)).await?)
    }

    /// Capacity of the file system.
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn fs_capacity(&self, path: &str) -> Result<FsCapacity> {
        json::fs_status(&self.ask(Request::get("GETSTATUS", path)).await?)
    }

    /// Fails unless the user may do this.
    ///
    /// # Errors
    /// `AccessControl`, `FileNotFound`.
    pub async fn check_access(&self, path: &str, action: FsAction) -> Result<()> {
        self.tell(Request::get("CHECKACCESS", path).with("fsaction", action.symbol())).await
    }

    /// The checksum of a file, computed by the DataNodes.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io`.
    pub async fn file_checksum(&self, path: &str) -> Result<FileChecksum> {
        json::file_checksum(&self.ask(Request::get("GETFILECHECKSUM", path)).await?)
    }

    /// How many DataNodes hold each block of a file.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn replicas(&self, path: &str) -> Result<Vec<usize>> {
        let request = Request::get("GETFILEBLOCKLOCATIONS", path).with("offset", 0);
        json::replicas(&self.ask(request.with("length", i64::MAX)).await?)
    }

    /// The folder of the trash for this path.
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn trash_root(&self, path: &str) -> Result<String> {
        json::text(&self.ask(Request::get("GETTRASHROOT", path)).await?, "Path")
    }

    /// Minutes that the server keeps deleted files; 0 without a trash.
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn trash_interval_minutes(&self) -> Result<u64> {
        json::trash_interval_minutes(&self.ask(Request::get("GETSERVERDEFAULTS", "/")).await?)
    }
}
