//! The calls about snapshots of directories.

use hdfs_proto::hdfs as proto;
use hdfs_types::Result;

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
