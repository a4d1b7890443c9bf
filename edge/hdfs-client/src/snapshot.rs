//! The calls about snapshots of directories.

mod diff;

use hdfs_proto::hdfs as proto;
use hdfs_types::{ErrorKind, Result};

use crate::HdfsClient;

impl HdfsClient {
    /// Takes a snapshot, under a name of the NameNode's choice if none is given; its path.
    ///
    /// Proto: ClientNamenodeProtocol.proto createSnapshot
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `Snapshot`, `SafeMode`.
    pub async fn create_snapshot(&self, root: &str, name: Option<&str>) -> Result<String> {
        let request = proto::CreateSnapshotRequestProto {
            snapshot_root: root.to_owned(),
            snapshot_name: name.map(str::to_owned),
        };
        let answer: proto::CreateSnapshotResponseProto =
            self.namenode().call("createSnapshot", &request).await?;
        Ok(answer.snapshot_path)
    }

    /// Removes a snapshot.
    ///
    /// Proto: ClientNamenodeProtocol.proto deleteSnapshot
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn delete_snapshot(&self, root: &str, name: &str) -> Result<()> {
        let request = proto::DeleteSnapshotRequestProto {
            snapshot_root: root.to_owned(),
            snapshot_name: name.to_owned(),
        };
        let _: proto::DeleteSnapshotResponseProto =
            self.namenode().call("deleteSnapshot", &request).await?;
        Ok(())
    }

    /// Gives a snapshot another name.
    ///
    /// Proto: ClientNamenodeProtocol.proto renameSnapshot
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn rename_snapshot(&self, root: &str, old: &str, new: &str) -> Result<()> {
        let request = proto::RenameSnapshotRequestProto {
            snapshot_root: root.to_owned(),
            snapshot_old_name: old.to_owned(),
            snapshot_new_name: new.to_owned(),
        };
        let _: proto::RenameSnapshotResponseProto =
            self.namenode().call("renameSnapshot", &request).await?;
        Ok(())
    }
}

impl HdfsClient {
    /// What differs between two snapshots; an empty name is the tree as it is now.
    ///
    /// Between two snapshots it is asked for in parts. The tree as it is now could change between two parts, so that
    /// is one call.
    ///
    /// Proto: ClientNamenodeProtocol.proto getSnapshotDiffReport, getSnapshotDiffReportListing.
    /// Hadoop: org.apache.hadoop.hdfs.DFSUtilClient.getSnapshotDiffReport (3.5.0)
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn snapshot_diff(
        &self,
        root: &str,
        from: &str,
        to: &str,
    ) -> Result<proto::SnapshotDiffReportProto> {
        if from.is_empty() || to.is_empty() {
            return self.whole_snapshot_diff(root, from, to).await;
        }
        let mut parts = diff::Parts::default();
        let mut cursor = proto::SnapshotDiffReportCursorProto::default();
        loop {
            let request = proto::GetSnapshotDiffReportListingRequestProto {
                snapshot_root: root.to_owned(),
                from_snapshot: from.to_owned(),
                to_snapshot: to.to_owned(),
                cursor: Some(cursor),
            };
            let answer = self.namenode().call("getSnapshotDiffReportListing", &request).await;
            let answer: proto::GetSnapshotDiffReportListingResponseProto = match answer {
                // A server from before there were parts.
                Err(error)
                    if matches!(
                        error.kind,
                        ErrorKind::RpcNoSuchMethod | ErrorKind::UnsupportedOperation
                    ) =>
                {
                    return self.whole_snapshot_diff(root, from, to).await;
                }
                answer => answer?,
            };
            match parts.add(answer.diff_report) {
                Some(next) => cursor = next,
                None => return Ok(parts.report(root, from, to)),
            }
        }
    }

    async fn whole_snapshot_diff(
        &self,
        root: &str,
        from: &str,
        to: &str,
    ) -> Result<proto::SnapshotDiffReportProto> {
        let request = proto::GetSnapshotDiffReportRequestProto {
            snapshot_root: root.to_owned(),
            from_snapshot: from.to_owned(),
            to_snapshot: to.to_owned(),
        };
        let answer: proto::GetSnapshotDiffReportResponseProto =
            self.namenode().call("getSnapshotDiffReport", &request).await?;
        Ok(answer.diff_report)
    }

    /// The caller's snapshottable directories; a superuser's are all.
    ///
    /// Proto: ClientNamenodeProtocol.proto getSnapshottableDirListing
    ///
    /// # Errors
    /// As the NameNode answers.
    pub async fn snapshottable_directories(
        &self,
    ) -> Result<Vec<proto::SnapshottableDirectoryStatusProto>> {
        let request = proto::GetSnapshottableDirListingRequestProto {};
        let answer: proto::GetSnapshottableDirListingResponseProto =
            self.namenode().call("getSnapshottableDirListing", &request).await?;
        Ok(answer
            .snapshottable_dir_list
            .map(|list| list.snapshottable_dir_listing)
            .unwrap_or_default())
    }

    /// The snapshots of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto getSnapshotListing
    ///
    /// # Errors
    /// As [`Self::create_snapshot`].
    pub async fn snapshots(&self, root: &str) -> Result<Vec<proto::SnapshotStatusProto>> {
        let request = proto::GetSnapshotListingRequestProto { snapshot_root: root.to_owned() };
        let answer: proto::GetSnapshotListingResponseProto =
            self.namenode().call("getSnapshotListing", &request).await?;
        Ok(answer.snapshot_list.map(|list| list.snapshot_listing).unwrap_or_default())
    }
}
