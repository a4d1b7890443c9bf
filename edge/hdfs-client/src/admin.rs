//! The calls of administrators: safe mode, checkpoints, DataNode reports, open files, health.

use hdfs_proto::common::HaServiceStateProto;
use hdfs_proto::hdfs as proto;
use hdfs_types::{INodeId, Result, TxId};

use crate::HdfsClient;
use crate::located::{DatanodeInfo, LocatedBlock, StorageReport};
use crate::status::{EcBlockGroupStats, FsStats, OpenFile, ReplicatedBlockStats};

/// What to do with safe mode.
///
/// Proto: ClientNamenodeProtocol.proto SafeModeActionProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum SafeModeAction {
    /// End it.
    Leave = 1,
    /// Begin it.
    Enter = 2,
    /// Only ask.
    Get = 3,
    /// End it even when blocks would be lost.
    ForceExit = 4,
}

/// Which DataNodes to report.
///
/// Proto: ClientNamenodeProtocol.proto DatanodeReportTypeProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum DatanodeReportType {
    /// Every one that the NameNode knows.
    All = 1,
    /// Those with a heartbeat in time.
    Live = 2,
    /// Those without.
    Dead = 3,
    /// Those that are being emptied.
    Decommissioning = 4,
    /// Those on their way into maintenance.
    EnteringMaintenance = 5,
    /// Those in maintenance.
    InMaintenance = 6,
}

/// A DataNode with its volumes.
#[derive(Clone, PartialEq, Debug)]
pub struct DatanodeStorageReport {
    /// The DataNode.
    pub datanode: DatanodeInfo,
    /// Its volumes.
    pub storages: Vec<StorageReport>,
}

/// Files with corrupt blocks, one page of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CorruptFiles {
    /// Their paths.
    pub paths: Vec<String>,
    /// Where the next page starts.
    pub cookie: String,
}

/// What a NameNode is.
pub use hdfs_proto::common::HaServiceStateProto as HaState;

impl HdfsClient {
    /// Changes or asks for safe mode; the answer says whether it is on.
    ///
    /// Proto: ClientNamenodeProtocol.proto setSafeMode
    ///
    /// # Errors
    /// `AccessControl` unless it only asks.
    pub async fn set_safe_mode(&self, action: SafeModeAction) -> Result<bool> {
        let request =
            proto::SetSafeModeRequestProto { action: action as i32, checked: Some(false) };
        let answer: proto::SetSafeModeResponseProto =
            self.namenode().call("setSafeMode", &request).await?;
        Ok(answer.result)
    }

    /// Saves the namespace into a new image; `false` when the image was new enough. `time_window_secs` and `tx_gap`
    /// say what is new enough; 0 saves always.
    ///
    /// Proto: ClientNamenodeProtocol.proto saveNamespace
    ///
    /// # Errors
    /// `AccessControl`, `Io` outside safe mode.
    pub async fn save_namespace(&self, time_window_secs: u64, tx_gap: u64) -> Result<bool> {
        let request = proto::SaveNamespaceRequestProto {
            time_window: Some(time_window_secs),
            tx_gap: Some(tx_gap),
        };
        let answer: proto::SaveNamespaceResponseProto =
            self.namenode().call("saveNamespace", &request).await?;
        Ok(answer.saved())
    }

    /// Starts a new segment of the edit log and gives its first transaction.
    ///
    /// Proto: ClientNamenodeProtocol.proto rollEdits
    ///
    /// # Errors
    /// `AccessControl`, `SafeMode`.
    pub async fn roll_edits(&self) -> Result<TxId> {
        let request = proto::RollEditsRequestProto {};
        let answer: proto::RollEditsResponseProto =
            self.namenode().call("rollEdits", &request).await?;
        Ok(TxId(answer.new_segment_tx_id))
    }

    /// Makes the NameNode read its lists of allowed and excluded DataNodes again.
    ///
    /// Proto: ClientNamenodeProtocol.proto refreshNodes
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn refresh_nodes(&self) -> Result<()> {
        let request = proto::RefreshNodesRequestProto {};
        let _: proto::RefreshNodesResponseProto =
            self.namenode().call("refreshNodes", &request).await?;
        Ok(())
    }

    /// Turns the use of returned storage folders `true`, `false`, or asks with `check`.
    ///
    /// Proto: ClientNamenodeProtocol.proto restoreFailedStorage
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn restore_failed_storage(&self, arg: &str) -> Result<bool> {
        let request = proto::RestoreFailedStorageRequestProto { arg: arg.to_owned() };
        let answer: proto::RestoreFailedStorageResponseProto =
            self.namenode().call("restoreFailedStorage", &request).await?;
        Ok(answer.result)
    }

    /// Writes the NameNode's inner state to a file in its log folder.
    ///
    /// Proto: ClientNamenodeProtocol.proto metaSave
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn meta_save(&self, file_name: &str) -> Result<()> {
        let request = proto::MetaSaveRequestProto { filename: file_name.to_owned() };
        let _: proto::MetaSaveResponseProto = self.namenode().call("metaSave", &request).await?;
        Ok(())
    }

    /// Capacity and health of the file system.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFsStats
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn fs_stats(&self) -> Result<FsStats> {
        let request = proto::GetFsStatusRequestProto {};
        let stats: proto::GetFsStatsResponseProto =
            self.namenode().call("getFsStats", &request).await?;
        Ok(FsStats {
            capacity: stats.capacity,
            used: stats.used,
            remaining: stats.remaining,
            under_replicated: stats.under_replicated,
            corrupt_blocks: stats.corrupt_blocks,
            missing_blocks: stats.missing_blocks,
            missing_repl_one_blocks: stats.missing_repl_one_blocks.unwrap_or(0),
            bytes_in_future: stats.blocks_in_future.unwrap_or(0),
            pending_deletion_blocks: stats.pending_deletion_blocks.unwrap_or(0),
        })
    }

    /// Counters of replicated blocks.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFsReplicatedBlockStats
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn replicated_block_stats(&self) -> Result<ReplicatedBlockStats> {
        let request = proto::GetFsReplicatedBlockStatsRequestProto {};
        let stats: proto::GetFsReplicatedBlockStatsResponseProto =
            self.namenode().call("getFsReplicatedBlockStats", &request).await?;
        Ok(ReplicatedBlockStats {
            low_redundancy: stats.low_redundancy,
            corrupt_blocks: stats.corrupt_blocks,
            missing_blocks: stats.missing_blocks,
            missing_repl_one_blocks: stats.missing_repl_one_blocks,
            bytes_in_future: stats.blocks_in_future,
            pending_deletion_blocks: stats.pending_deletion_blocks,
            highest_prio_low_redundancy_blocks: stats.highest_prio_low_redundancy_blocks,
            badly_distributed_blocks: stats.badly_distributed_blocks,
        })
    }

    /// Counters of erasure-coded block groups.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFsECBlockGroupStats
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn ec_block_group_stats(&self) -> Result<EcBlockGroupStats> {
        let request = proto::GetFsEcBlockGroupStatsRequestProto {};
        let stats: proto::GetFsEcBlockGroupStatsResponseProto =
            self.namenode().call("getFsECBlockGroupStats", &request).await?;
        Ok(EcBlockGroupStats {
            low_redundancy: stats.low_redundancy,
            corrupt_blocks: stats.corrupt_blocks,
            missing_blocks: stats.missing_blocks,
            bytes_in_future: stats.blocks_in_future,
            pending_deletion_blocks: stats.pending_deletion_blocks,
            highest_prio_low_redundancy_blocks: stats.highest_prio_low_redundancy_blocks,
            badly_distributed_blocks: stats.badly_distributed_blocks,
        })
    }

    /// The DataNodes of a kind.
    ///
    /// Proto: ClientNamenodeProtocol.proto getDatanodeReport
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn datanode_report(&self, kind: DatanodeReportType) -> Result<Vec<DatanodeInfo>> {
        let request = proto::GetDatanodeReportRequestProto { r#type: kind as i32 };
        let answer: proto::GetDatanodeReportResponseProto =
            self.namenode().call("getDatanodeReport", &request).await?;
        Ok(answer.di.into_iter().map(DatanodeInfo::from_proto).collect())
    }

    /// The DataNodes of a kind with their volumes.
    ///
    /// Proto: ClientNamenodeProtocol.proto getDatanodeStorageReport
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn datanode_storage_report(
        &self,
        kind: DatanodeReportType,
    ) -> Result<Vec<DatanodeStorageReport>> {
        let request = proto::GetDatanodeStorageReportRequestProto { r#type: kind as i32 };
        let answer: proto::GetDatanodeStorageReportResponseProto =
            self.namenode().call("getDatanodeStorageReport", &request).await?;
        let report = |report: proto::DatanodeStorageReportProto| DatanodeStorageReport {
            datanode: DatanodeInfo::from_proto(report.datanode_info),
            storages: report.storage_reports.into_iter().map(StorageReport::from_proto).collect(),
        };
        Ok(answer.datanode_storage_reports.into_iter().map(report).collect())
    }

    /// Every open file at or below a path (`None`: everywhere); only those that block a decommission, if wanted.
    ///
    /// Proto: ClientNamenodeProtocol.proto listOpenFiles
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn list_open_files(
        &self,
        path: Option<&str>,
        blocking_decommission: bool,
    ) -> Result<Vec<OpenFile>> {
        let kind = if blocking_decommission {
            proto::OpenFilesTypeProto::BlockingDecommission
        } else {
            proto::OpenFilesTypeProto::AllOpenFiles
        };
        let mut files = Vec::new();
        let mut id = 0;
        loop {
            let request = proto::ListOpenFilesRequestProto {
                id,
                types: vec![kind as i32],
                path: Some(path.unwrap_or("/").to_owned()),
            };
            let answer: proto::ListOpenFilesResponseProto =
                self.namenode().call("listOpenFiles", &request).await?;
            let Some(last) = answer.entries.last() else { return Ok(files) };
            id = last.id;
            files.extend(answer.entries.into_iter().map(|entry| OpenFile {
                id: INodeId(entry.id.cast_unsigned()),
                path: entry.path,
                client_name: entry.client_name,
                client_machine: entry.client_machine,
            }));
            if !answer.has_more {
                return Ok(files);
            }
        }
    }

    /// One page of the files below a path with corrupt blocks.
    ///
    /// Proto: ClientNamenodeProtocol.proto listCorruptFileBlocks
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn list_corrupt_files(
        &self,
        path: &str,
        cookie: Option<&str>,
    ) -> Result<CorruptFiles> {
        let request = proto::ListCorruptFileBlocksRequestProto {
            path: path.to_owned(),
            cookie: cookie.map(str::to_owned),
        };
        let answer: proto::ListCorruptFileBlocksResponseProto =
            self.namenode().call("listCorruptFileBlocks", &request).await?;
        Ok(CorruptFiles { paths: answer.corrupt.files, cookie: answer.corrupt.cookie })
    }

    /// Tells the NameNode that these replicas failed their checksums.
    ///
    /// Proto: ClientNamenodeProtocol.proto reportBadBlocks
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn report_bad_blocks(&self, blocks: &[LocatedBlock]) -> Result<()> {
        let request = proto::ReportBadBlocksRequestProto {
            blocks: blocks.iter().map(LocatedBlock::to_proto).collect(),
        };
        let _: proto::ReportBadBlocksResponseProto =
            self.namenode().call("reportBadBlocks", &request).await?;
        Ok(())
    }

    /// Waits until this client's next read sees everything that was acknowledged before.
    ///
    /// Proto: ClientNamenodeProtocol.proto msync
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn msync(&self) -> Result<()> {
        let request = proto::MsyncRequestProto {};
        let _: proto::MsyncResponseProto = self.namenode().call("msync", &request).await?;
        Ok(())
    }

    /// What the NameNode that answers is: active, standby or observer.
    ///
    /// Proto: ClientNamenodeProtocol.proto getHAServiceState
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn ha_service_state(&self) -> Result<HaServiceStateProto> {
        let request = proto::HaServiceStateRequestProto {};
        let answer: proto::HaServiceStateResponseProto =
            self.namenode().call("getHAServiceState", &request).await?;
        Ok(answer.state())
    }
}
