//! The calls about names: status, listing, directories, renames, attributes, quotas, leases.
//!
//! Paths are absolute; the NameNode refuses what is not well-formed, with Hadoop's messages.

use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::acl_entry_proto::FsActionProto;
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, Result, StorageType, WallMillis};

use crate::HdfsClient;
use crate::located::LocatedBlocks;
use crate::status::{ContentSummary, FileStatus, QuotaUsage, ServerDefaults, StoragePolicy};

/// How a rename treats an existing target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RenameOptions {
    /// Replace an existing file or empty directory.
    pub overwrite: bool,
    /// The target is the trash: quotas are not checked as for a move.
    pub to_trash: bool,
}

/// Which time fields a call sets; the others stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// Last change.
    pub modification: Option<WallMillis>,
    /// Last read.
    pub access: Option<WallMillis>,
}

/// What a quota becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotaChange {
    /// As it is.
    Keep,
    /// No limit.
    Clear,
    /// This limit.
    Set(u64),
}

impl QuotaChange {
    /// Hadoop: HdfsConstants.QUOTA_DONT_SET is the largest long, QUOTA_RESET is -1.
    fn to_wire(self) -> u64 {
        match self {
            Self::Keep => i64::MAX as u64,
            Self::Clear => u64::MAX,
            Self::Set(limit) => limit,
        }
    }
}

/// Hadoop's message for a path that is not there.
pub(crate) fn not_found(path: &str) -> Error {
    Error::new(ErrorKind::FileNotFound, format!("File does not exist: {path}"))
}

impl HdfsClient {
    /// Status of a path, links followed; `None` when it does not exist.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFileInfo
    ///
    /// # Errors
    /// `AccessControl`, `UnresolvedLink`, or what the connection gives.
    pub async fn file_info(&self, path: &str) -> Result<Option<FileStatus>> {
        let request = proto::GetFileInfoRequestProto { src: path.to_owned() };
        let answer: proto::GetFileInfoResponseProto =
            self.namenode().call("getFileInfo", &request).await?;
        Ok(answer.fs.map(|status| FileStatus::from_proto(status, path)))
    }

    /// The same, with an error when it does not exist.
    ///
    /// # Errors
    /// `FileNotFound`, and as [`Self::file_info`].
    pub async fn status(&self, path: &str) -> Result<FileStatus> {
        self.file_info(path).await?.ok_or_else(|| not_found(path))
    }

    /// True when the path exists.
    ///
    /// # Errors
    /// As [`Self::file_info`].
    pub async fn exists(&self, path: &str) -> Result<bool> {
        Ok(self.file_info(path).await?.is_some())
    }

    /// Status of a path, of a link itself when it is one.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFileLinkInfo
    ///
    /// # Errors
    /// As [`Self::file_info`].
    pub async fn file_link_info(&self, path: &str) -> Result<Option<FileStatus>> {
        let request = proto::GetFileLinkInfoRequestProto { src: path.to_owned() };
        let answer: proto::GetFileLinkInfoResponseProto =
            self.namenode().call("getFileLinkInfo", &request).await?;
        Ok(answer.fs.map(|status| FileStatus::from_proto(status, path)))
    }

    /// Status with the blocks of a file.
    ///
    /// Proto: ClientNamenodeProtocol.proto getLocatedFileInfo
    ///
    /// # Errors
    /// As [`Self::file_info`].
    pub async fn located_file_info(&self, path: &str) -> Result<Option<FileStatus>> {
        let request = proto::GetLocatedFileInfoRequestProto {
            src: Some(path.to_owned()),
            need_block_token: Some(true),
        };
        let answer: proto::GetLocatedFileInfoResponseProto =
            self.namenode().call("getLocatedFileInfo", &request).await?;
        Ok(answer.fs.map(|status| FileStatus::from_proto(status, path)))
    }

    /// The blocks that hold a range of a file, replicas nearest to this client first.
    ///
    /// Proto: ClientNamenodeProtocol.proto getBlockLocations
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `UnresolvedLink`.
    pub async fn block_locations(
        &self,
        path: &str,
        offset: u64,
        length: u64,
    ) -> Result<LocatedBlocks> {
        let request = proto::GetBlockLocationsRequestProto { src: path.to_owned(), offset, length };
        let answer: proto::GetBlockLocationsResponseProto =
            self.namenode().call("getBlockLocations", &request).await?;
        answer.locations.map(LocatedBlocks::from_proto).ok_or_else(|| not_found(path))
    }

    /// Makes a directory; `permission` before the umask, 0777 when `None`.
    ///
    /// Proto: ClientNamenodeProtocol.proto mkdirs
    ///
    /// # Errors
    /// `FileAlreadyExists`, `ParentNotDirectory`, `FileNotFound` (without `create_parent`), `AccessControl`, quotas, `SafeMode`.
    pub async fn mkdirs(
        &self,
        path: &str,
        permission: Option<FsPermission>,
        create_parent: bool,
    ) -> Result<bool> {
        let unmasked = permission.unwrap_or(FsPermission(0o777));
        let request = proto::MkdirsRequestProto {
            src: path.to_owned(),
            masked: permission_to_proto(unmasked.apply_umask(self.conf().umask)),
            create_parent,
            unmasked: Some(permission_to_proto(unmasked)),
        };
        let answer: proto::MkdirsResponseProto = self.namenode().call("mkdirs", &request).await?;
        Ok(answer.result)
    }

    /// Deletes a path; `false` when there was nothing.
    ///
    /// Proto: ClientNamenodeProtocol.proto delete
    ///
    /// # Errors
    /// `PathIsNotEmptyDirectory` without `recursive`, `AccessControl`, `SafeMode`.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<bool> {
        let request = proto::DeleteRequestProto { src: path.to_owned(), recursive };
        let answer: proto::DeleteResponseProto = self.namenode().call("delete", &request).await?;
        Ok(answer.result)
    }

    /// Renames as `hdfs dfs -mv` does: into an existing directory, `false` when that can't be.
    ///
    /// Proto: ClientNamenodeProtocol.proto rename
    ///
    /// # Errors
    /// `AccessControl`, quotas, `SafeMode`.
    pub async fn rename(&self, source: &str, target: &str) -> Result<bool> {
        let request = proto::RenameRequestProto { src: source.to_owned(), dst: target.to_owned() };
        let answer: proto::RenameResponseProto = self.namenode().call("rename", &request).await?;
        Ok(answer.result)
    }

    /// Renames to exactly this target.
    ///
    /// Proto: ClientNamenodeProtocol.proto rename2
    ///
    /// # Errors
    /// `FileNotFound`, `FileAlreadyExists`, `ParentNotDirectory`, `Io` (a target that is not empty), `AccessControl`.
    pub async fn rename_with(
        &self,
        source: &str,
        target: &str,
        options: RenameOptions,
    ) -> Result<()> {
        let request = proto::Rename2RequestProto {
            src: source.to_owned(),
            dst: target.to_owned(),
            overwrite_dest: options.overwrite,
            move_to_trash: Some(options.to_trash),
        };
        let _: proto::Rename2ResponseProto = self.namenode().call("rename2", &request).await?;
        Ok(())
    }

    /// Moves the blocks of `sources` to the end of `target` and removes the sources.
    ///
    /// Proto: ClientNamenodeProtocol.proto concat
    ///
    /// # Errors
    /// `HadoopIllegalArgument`, `FileNotFound`, `AccessControl`.
    pub async fn concat(&self, target: &str, sources: &[&str]) -> Result<()> {
        let request = proto::ConcatRequestProto {
            trg: target.to_owned(),
            srcs: sources.iter().map(|source| (*source).to_owned()).collect(),
        };
        let _: proto::ConcatResponseProto = self.namenode().call("concat", &request).await?;
        Ok(())
    }

    /// Cuts a file; `false` when its last block must be recovered first: wait with [`Self::wait_for_truncate`].
    ///
    /// Proto: ClientNamenodeProtocol.proto truncate
    ///
    /// # Errors
    /// `FileNotFound`, `HadoopIllegalArgument` (longer than the file), `AlreadyBeingCreated`, `AccessControl`.
    pub async fn truncate(&self, path: &str, new_length: u64) -> Result<bool> {
        let request = proto::TruncateRequestProto {
            src: path.to_owned(),
            new_length,
            client_name: self.client_name().to_owned(),
        };
        let answer: proto::TruncateResponseProto =
            self.namenode().call("truncate", &request).await?;
        Ok(answer.result)
    }

    /// Waits until a truncated file is closed with its new length.
    ///
    /// # Errors
    /// `FileNotFound`, or what the connection gives.
    pub async fn wait_for_truncate(&self, path: &str, new_length: u64) -> Result<()> {
        let mut pause = std::time::Duration::from_millis(10);
        loop {
            if self.is_file_closed(path).await? && self.status(path).await?.length == new_length {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(std::time::Duration::from_secs(1));
        }
    }

    /// Sets mode bits.
    ///
    /// Proto: ClientNamenodeProtocol.proto setPermission
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn set_permission(&self, path: &str, permission: FsPermission) -> Result<()> {
        let request = proto::SetPermissionRequestProto {
            src: path.to_owned(),
            permission: permission_to_proto(permission),
        };
        let _: proto::SetPermissionResponseProto =
            self.namenode().call("setPermission", &request).await?;
        Ok(())
    }

    /// Sets owner or group; `None` stays.
    ///
    /// Proto: ClientNamenodeProtocol.proto setOwner
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn set_owner(
        &self,
        path: &str,
        owner: Option<&str>,
        group: Option<&str>,
    ) -> Result<()> {
        let request = proto::SetOwnerRequestProto {
            src: path.to_owned(),
            username: owner.map(str::to_owned),
            groupname: group.map(str::to_owned),
        };
        let _: proto::SetOwnerResponseProto = self.namenode().call("setOwner", &request).await?;
        Ok(())
    }

    /// Sets times; `None` stays.
    ///
    /// Proto: ClientNamenodeProtocol.proto setTimes
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` when access times are off.
    pub async fn set_times(&self, path: &str, times: Times) -> Result<()> {
        // Hadoop: -1 keeps a time.
        let wire = |time: Option<WallMillis>| time.map_or(u64::MAX, |time| time.0);
        let request = proto::SetTimesRequestProto {
            src: path.to_owned(),
            mtime: wire(times.modification),
            atime: wire(times.access),
        };
        let _: proto::SetTimesResponseProto = self.namenode().call("setTimes", &request).await?;
        Ok(())
    }

    /// Sets the number of wanted replicas; `false` when the path is not a file.
    ///
    /// Proto: ClientNamenodeProtocol.proto setReplication
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Io` (out of the allowed range), quotas.
    pub async fn set_replication(&self, path: &str, replication: u16) -> Result<bool> {
        let request = proto::SetReplicationRequestProto {
            src: path.to_owned(),
            replication: replication.into(),
        };
        let answer: proto::SetReplicationResponseProto =
            self.namenode().call("setReplication", &request).await?;
        Ok(answer.result)
    }

    /// Sums over a subtree.
    ///
    /// Proto: ClientNamenodeProtocol.proto getContentSummary
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn content_summary(&self, path: &str) -> Result<ContentSummary> {
        let request = proto::GetContentSummaryRequestProto { path: path.to_owned() };
        let answer: proto::GetContentSummaryResponseProto =
            self.namenode().call("getContentSummary", &request).await?;
        Ok(answer.summary.into())
    }

    /// Quota and use of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto getQuotaUsage
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn quota_usage(&self, path: &str) -> Result<QuotaUsage> {
        let request = proto::GetQuotaUsageRequestProto { path: path.to_owned() };
        let answer: proto::GetQuotaUsageResponseProto =
            self.namenode().call("getQuotaUsage", &request).await?;
        Ok(answer.usage.into())
    }

    /// Changes the quotas of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto setQuota
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl` (superusers only), `IllegalArgument`.
    pub async fn set_quota(
        &self,
        path: &str,
        names: QuotaChange,
        space_bytes: QuotaChange,
    ) -> Result<()> {
        let request = proto::SetQuotaRequestProto {
            path: path.to_owned(),
            namespace_quota: names.to_wire(),
            storagespace_quota: space_bytes.to_wire(),
            storage_type: None,
        };
        let _: proto::SetQuotaResponseProto = self.namenode().call("setQuota", &request).await?;
        Ok(())
    }

    /// Sets, clears or keeps the quota of bytes on one kind of storage.
    ///
    /// Proto: ClientNamenodeProtocol.proto setQuota
    ///
    /// # Errors
    /// As [`Self::set_quota`].
    pub async fn set_quota_by_storage_type(
        &self,
        path: &str,
        storage_type: StorageType,
        bytes: QuotaChange,
    ) -> Result<()> {
        let request = proto::SetQuotaRequestProto {
            path: path.to_owned(),
            namespace_quota: QuotaChange::Keep.to_wire(),
            storagespace_quota: bytes.to_wire(),
            storage_type: Some(storage_type as i32),
        };
        let _: proto::SetQuotaResponseProto = self.namenode().call("setQuota", &request).await?;
        Ok(())
    }

    /// Asks whether this user may do this to a path; an error says no.
    ///
    /// Proto: ClientNamenodeProtocol.proto checkAccess
    ///
    /// # Errors
    /// `AccessControl`, `FileNotFound`.
    pub async fn check_access(&self, path: &str, action: FsAction) -> Result<()> {
        let mode = FsActionProto::try_from(i32::from(action.0 & 7)).unwrap_or(FsActionProto::None);
        let request = proto::CheckAccessRequestProto { path: path.to_owned(), mode: mode as i32 };
        let _: proto::CheckAccessResponseProto =
            self.namenode().call("checkAccess", &request).await?;
        Ok(())
    }

    /// True when nobody writes the file.
    ///
    /// Proto: ClientNamenodeProtocol.proto isFileClosed
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn is_file_closed(&self, path: &str) -> Result<bool> {
        let request = proto::IsFileClosedRequestProto { src: path.to_owned() };
        let answer: proto::IsFileClosedResponseProto =
            self.namenode().call("isFileClosed", &request).await?;
        Ok(answer.result)
    }

    /// Takes a file from its writer; `true` when it is closed already, else recovery has started.
    ///
    /// Proto: ClientNamenodeProtocol.proto recoverLease
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn recover_lease(&self, path: &str) -> Result<bool> {
        let request = proto::RecoverLeaseRequestProto {
            src: path.to_owned(),
            client_name: self.client_name().to_owned(),
        };
        let answer: proto::RecoverLeaseResponseProto =
            self.namenode().call("recoverLease", &request).await?;
        Ok(answer.result)
    }

    /// Block size of a file in bytes.
    ///
    /// Proto: ClientNamenodeProtocol.proto getPreferredBlockSize
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn preferred_block_size(&self, path: &str) -> Result<u64> {
        let request = proto::GetPreferredBlockSizeRequestProto { filename: path.to_owned() };
        let answer: proto::GetPreferredBlockSizeResponseProto =
            self.namenode().call("getPreferredBlockSize", &request).await?;
        Ok(answer.bsize)
    }

    /// What the server would choose for a client that does not.
    ///
    /// Proto: ClientNamenodeProtocol.proto getServerDefaults
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn server_defaults(&self) -> Result<ServerDefaults> {
        let request = proto::GetServerDefaultsRequestProto {};
        let answer: proto::GetServerDefaultsResponseProto =
            self.namenode().call("getServerDefaults", &request).await?;
        Ok(answer.server_defaults.into())
    }

    /// Makes a symbolic link.
    ///
    /// Proto: ClientNamenodeProtocol.proto createSymlink
    ///
    /// # Errors
    /// `UnsupportedOperation` where links are off, as by default in Hadoop.
    pub async fn create_symlink(
        &self,
        target: &str,
        link: &str,
        create_parent: bool,
    ) -> Result<()> {
        let permission = FsPermission(0o777).apply_umask(self.conf().umask);
        let request = proto::CreateSymlinkRequestProto {
            target: target.to_owned(),
            link: link.to_owned(),
            dir_perm: permission_to_proto(permission),
            create_parent,
        };
        let _: proto::CreateSymlinkResponseProto =
            self.namenode().call("createSymlink", &request).await?;
        Ok(())
    }

    /// The nearest ancestor that a rename can't leave: the root of an encryption zone, or `/`.
    ///
    /// Proto: ClientNamenodeProtocol.proto getEnclosingRoot
    ///
    /// # Errors
    /// `AccessControl`, `FileNotFound`.
    pub async fn enclosing_root(&self, path: &str) -> Result<String> {
        let request = proto::GetEnclosingRootRequestProto { filename: Some(path.to_owned()) };
        let answer: proto::GetEnclosingRootResponseProto =
            self.namenode().call("getEnclosingRoot", &request).await?;
        answer.enclosing_root_path.ok_or_else(|| not_found(path))
    }

    /// Every storage policy that the server knows.
    ///
    /// Proto: ClientNamenodeProtocol.proto getStoragePolicies
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn storage_policies(&self) -> Result<Vec<StoragePolicy>> {
        let request = proto::GetStoragePoliciesRequestProto {};
        let answer: proto::GetStoragePoliciesResponseProto =
            self.namenode().call("getStoragePolicies", &request).await?;
        Ok(answer.policies.into_iter().map(Into::into).collect())
    }

    /// The storage policy in force for a path.
    ///
    /// Proto: ClientNamenodeProtocol.proto getStoragePolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn storage_policy(&self, path: &str) -> Result<StoragePolicy> {
        let request = proto::GetStoragePolicyRequestProto { path: path.to_owned() };
        let answer: proto::GetStoragePolicyResponseProto =
            self.namenode().call("getStoragePolicy", &request).await?;
        Ok(answer.storage_policy.into())
    }

    /// Sets the storage policy of a path by name.
    ///
    /// Proto: ClientNamenodeProtocol.proto setStoragePolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `HadoopIllegalArgument` (no such policy).
    pub async fn set_storage_policy(&self, path: &str, policy: &str) -> Result<()> {
        let request = proto::SetStoragePolicyRequestProto {
            src: path.to_owned(),
            policy_name: policy.to_owned(),
        };
        let _: proto::SetStoragePolicyResponseProto =
            self.namenode().call("setStoragePolicy", &request).await?;
        Ok(())
    }
}

/// Mode bits to the wire.
pub(crate) fn permission_to_proto(permission: FsPermission) -> proto::FsPermissionProto {
    proto::FsPermissionProto { perm: permission.0.into() }
}
