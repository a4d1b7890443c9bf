//! The namespace and its blocks in numbers.

use std::sync::atomic::Ordering;

use hdfs_blocks::{DatanodeReportType, FsStats};
use hdfs_namenode::snapshot_path;
use hdfs_namespace::SnapshottableDirectory;
use hdfs_rt::host::host_name;
use hdfs_rt::http::Bean;
use serde_json::{Value, json};

use super::info::Storage;
use super::{View, percent};

const FS_NAMESYSTEM: &str = "org.apache.hadoop.hdfs.server.namenode.FSNamesystem";
const GIB: f64 = 1_073_741_824.0;

fn in_service(stats: &FsStats) -> u32 {
    stats
        .live_datanodes
        .saturating_sub(stats.decommissioning_datanodes)
        .saturating_sub(stats.decommissioned_live_datanodes)
        .saturating_sub(stats.entering_maintenance_datanodes)
        .saturating_sub(stats.in_maintenance_live_datanodes)
}

fn operational(view: &View<'_>) -> &'static str {
    if view.nn.in_safe_mode() { "safeMode" } else { "Operational" }
}

/// `FSNamesystemState`.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.metrics.FSNamesystemMBean (3.5.0)
pub(super) fn state(view: &View<'_>) -> Bean {
    let (stats, shell) = (&view.stats, &view.monitor.shell);
    let bean = Bean::new("Hadoop:service=NameNode,name=FSNamesystemState", FS_NAMESYSTEM)
        .with("FilesTotal", view.nn.inode_count())
        .with("BlocksTotal", stats.blocks)
        .with("LowRedundancyBlocks", stats.low_redundancy)
        .with("CapacityTotal", stats.capacity)
        .with("CapacityUsed", stats.used)
        .with("CapacityRemaining", stats.remaining)
        .with("NumEncryptionZones", view.nn.namespace().encryption_zone_count())
        .with("PendingSPSPaths", 0)
        .with("ReconstructionQueuesInitProgress", view.nn.blocks().queues_progress())
        .with("NumLiveDataNodes", stats.live_datanodes)
        .with("NumDeadDataNodes", stats.dead_datanodes)
        .with("EstimatedCapacityLostTotal", stats.capacity_lost)
        .with("NumStaleStorages", stats.stale_storages)
        .with("ProvidedCapacityTotal", 0)
        .with("UnderReplicatedBlocks", stats.low_redundancy)
        .with("TotalSyncCount", shell.log.metrics().syncs.snapshot().count)
        .with("TotalLoad", stats.total_load)
        .with("SnapshotStats", snapshot_stats(view))
        .with("CurrentTokensCount", 0)
        .with("FsLockQueueLength", shell.metrics.lock.waiting.load(Ordering::Relaxed))
        .with("MaxObjects", 0)
        .with("PendingReplicationBlocks", stats.pending_reconstruction)
        .with("PendingReconstructionBlocks", stats.pending_reconstruction)
        .with("ScheduledReplicationBlocks", stats.scheduled_replication)
        .with("PendingDeletionBlocks", stats.pending_deletion)
        .with("BlockDeletionStartTime", shell.started.0)
        .with("FSState", operational(view));
    nodes(bean, stats)
        .with("NumStaleDataNodes", stats.stale_datanodes)
        .with("TopUserOpCounts", view.monitor.top_users_json())
        .with("TotalSyncTimes", sync_times(view))
}

/// Counts of DataNodes that several beans show.
fn nodes(bean: Bean, stats: &FsStats) -> Bean {
    bean.with("NumDecomLiveDataNodes", stats.decommissioned_live_datanodes)
        .with("NumDecomDeadDataNodes", stats.decommissioned_dead_datanodes)
        .with("NumInServiceLiveDataNodes", in_service(stats))
        .with("VolumeFailuresTotal", stats.failed_volumes)
        .with("NumDecommissioningDataNodes", stats.decommissioning_datanodes)
        .with("NumInMaintenanceLiveDataNodes", stats.in_maintenance_live_datanodes)
        .with("NumInMaintenanceDeadDataNodes", stats.in_maintenance_dead_datanodes)
        .with("NumEnteringMaintenanceDataNodes", stats.entering_maintenance_datanodes)
}

/// Milliseconds of the edit log's syncs in each folder, with a blank after each, as in Hadoop.
fn sync_times(view: &View<'_>) -> String {
    let dirs = view.monitor.shell.images.dirs();
    dirs.live_edits().map(|(_, dir)| format!("{} ", dir.sync_time().as_millis())).collect()
}

/// `FSNamesystem`.
pub(super) fn metrics(view: &View<'_>, storage: &Storage) -> Bean {
    let bean = Bean::new("Hadoop:service=NameNode,name=FSNamesystem", "FSNamesystem")
        .with("tag.Context", "dfs")
        .with("tag.EnabledEcPolicies", view.nn.enabled_erasure_coding_policies())
        .with("tag.HAState", "active")
        .with("tag.TotalSyncTimes", sync_times(view))
        .with("tag.Hostname", host_name());
    let bean = redundancy(bean, view);
    let bean = capacity(bean, view);
    let bean = transactions(bean, view, storage);
    let stats = &view.stats;
    nodes(bean, stats)
        .with("NumLiveDataNodes", stats.live_datanodes)
        .with("NumDeadDataNodes", stats.dead_datanodes)
        .with("EstimatedCapacityLostTotal", stats.capacity_lost)
        .with("NumStaleStorages", stats.stale_storages)
        .with("StaleDataNodes", stats.stale_datanodes)
        .with("ExpiredHeartbeats", stats.expired_heartbeats)
        .with("TotalLoad", stats.total_load)
}

fn redundancy(bean: Bean, view: &View<'_>) -> Bean {
    let stats = &view.stats;
    let groups = view.nn.blocks().group_stats();
    bean.with("FilesTotal", view.nn.inode_count())
        .with("BlocksTotal", stats.blocks + groups.groups)
        .with("MissingBlocks", stats.missing)
        .with("MissingReplOneBlocks", stats.missing_replication_one)
        .with("BadlyDistBlocks", stats.badly_distributed)
        .with("LowRedundancyBlocks", stats.low_redundancy)
        .with("CorruptBlocks", stats.corrupt)
        .with("LowRedundancyReplicatedBlocks", stats.low_redundancy)
        .with("CorruptReplicatedBlocks", stats.corrupt)
        .with("MissingReplicatedBlocks", stats.missing)
        .with("MissingReplicationOneBlocks", stats.missing_replication_one)
        .with("BytesInFutureReplicatedBlocks", view.nn.bytes_in_future())
        .with("PendingDeletionReplicatedBlocks", stats.pending_deletion)
        .with("HighestPriorityLowRedundancyReplicatedBlocks", stats.highest_priority)
        .with("BadlyDistributedBlocks", stats.badly_distributed)
        .with("LowRedundancyECBlockGroups", groups.low_redundancy)
        .with("CorruptECBlockGroups", 0)
        .with("MissingECBlockGroups", groups.missing)
        .with("BytesInFutureECBlockGroups", 0)
        .with("PendingDeletionECBlocks", 0)
        .with("HighestPriorityLowRedundancyECBlocks", groups.highest_priority)
        .with("ReconstructionQueuesInitProgress", view.nn.blocks().queues_progress())
        .with("TotalReplicatedBlocks", stats.blocks)
        .with("TotalECBlockGroups", groups.groups)
        .with("NumTimedOutPendingReconstructions", stats.timed_out_reconstructions)
        .with("PendingDataNodeMessageCount", stats.pending_datanode_messages)
        .with("UnderReplicatedBlocks", stats.low_redundancy)
        .with("PendingReplicationBlocks", stats.pending_reconstruction)
        .with("PendingReconstructionBlocks", stats.pending_reconstruction)
        .with("ScheduledReplicationBlocks", stats.scheduled_replication)
        .with("PendingDeletionBlocks", stats.pending_deletion)
        .with("ExcessBlocks", stats.excess)
        .with("PostponedMisreplicatedBlocks", stats.postponed)
        .with("BlockCapacity", view.nn.blocks().block_capacity())
}

fn capacity(bean: Bean, view: &View<'_>) -> Bean {
    let stats = &view.stats;
    let gib = |bytes: u64| (bytes as f64 / GIB).round();
    bean.with("CapacityTotal", stats.capacity)
        .with("CapacityUsed", stats.used)
        .with("CapacityRemaining", stats.remaining)
        .with("CapacityUsedNonDFS", stats.non_dfs_used)
        .with("CapacityTotalGB", gib(stats.capacity))
        .with("CapacityUsedGB", gib(stats.used))
        .with("CapacityRemainingGB", gib(stats.remaining))
        .with("ProvidedCapacityTotal", 0)
        .with("SnapshottableDirectories", view.nn.namespace().snapshot_counts().0)
        .with("Snapshots", view.nn.namespace().snapshot_counts().1)
        .with("NumEncryptionZones", view.nn.namespace().encryption_zone_count())
        .with("PendingSPSPaths", 0)
        .with("CurrentTokensCount", 0)
}

fn transactions(bean: Bean, view: &View<'_>, storage: &Storage) -> Bean {
    let shell = &view.monitor.shell;
    let lock = &shell.metrics.lock;
    let last = view.nn.last_txid().0;
    let since = |txid: u64| last.saturating_sub(txid);
    bean.with("LastCheckpointTime", storage.checkpoint_ms)
        .with("TotalSyncCount", shell.log.metrics().syncs.snapshot().count)
        .with("TransactionsSinceLastCheckpoint", since(shell.images.latest().0))
        // As in Hadoop, the one that opened the segment counts.
        .with("TransactionsSinceLastLogRoll", since(view.nn.segment_start().0) + 1)
        .with("LastWrittenTransactionId", last)
        .with("ReadLockLongHoldCount", lock.long_reads.load(Ordering::Relaxed))
        .with("WriteLockLongHoldCount", lock.long_writes.load(Ordering::Relaxed))
        .with("LockQueueLength", lock.waiting.load(Ordering::Relaxed))
        .with("NumFilesUnderConstruction", view.nn.open_file_count())
        .with("NumActiveClients", view.nn.namespace().leases().holders())
        // Of a standby.
        .with("MillisSinceLastLoadedEdits", 0)
}

/// `ReplicatedBlocksState`.
pub(super) fn replicated_blocks(stats: &FsStats) -> Bean {
    Bean::new("Hadoop:service=NameNode,name=ReplicatedBlocksState", FS_NAMESYSTEM)
        .with("LowRedundancyReplicatedBlocks", stats.low_redundancy)
        .with("CorruptReplicatedBlocks", stats.corrupt)
        .with("MissingReplicatedBlocks", stats.missing)
        .with("MissingReplicationOneBlocks", stats.missing_replication_one)
        .with("BytesInFutureReplicatedBlocks", 0)
        .with("PendingDeletionReplicatedBlocks", stats.pending_deletion)
        .with("BadlyDistributedBlocks", stats.badly_distributed)
        .with("TotalReplicatedBlocks", stats.blocks)
}

/// `ECBlockGroupsState`. Corrupt blocks of groups, and those that are to be deleted, are not told from others.
pub(super) fn block_groups(view: &View<'_>) -> Bean {
    let groups = view.nn.blocks().group_stats();
    Bean::new("Hadoop:service=NameNode,name=ECBlockGroupsState", FS_NAMESYSTEM)
        .with("LowRedundancyECBlockGroups", groups.low_redundancy)
        .with("CorruptECBlockGroups", 0)
        .with("MissingECBlockGroups", groups.missing)
        .with("BytesInFutureECBlockGroups", 0)
        .with("PendingDeletionECBlocks", 0)
        .with("TotalECBlockGroups", groups.groups)
        .with("EnabledEcPolicies", view.nn.enabled_erasure_coding_policies())
}

fn snapshot_stats(view: &View<'_>) -> String {
    let (directories, snapshots) = view.nn.namespace().snapshot_counts();
    json!({"SnapshottableDirectories": directories, "Snapshots": snapshots}).to_string()
}

/// `SnapshotInfo`.
pub(super) fn snapshots(view: &View<'_>) -> Bean {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (mut directories, mut all) = (Vec::new(), Vec::new());
    for (directory, snapshots) in view.nn.namespace().snapshots_by_directory() {
        let status = &directory.status;
        let octal = format!("{:o}", status.permission.0);
        let path = snapshot_root(&directory);
        directories.push(json!({
            "group": &*status.group,
            "modificationTime": status.mtime.0,
            "owner": &*status.owner,
            "path": text(&path),
            "permission": octal.parse::<u64>().unwrap_or_default(),
            "snapshotNumber": directory.snapshots,
            "snapshotQuota": directory.quota,
        }));
        for snapshot in snapshots {
            let name = text(&snapshot.status.name);
            all.push(json!({
                "modificationTime": snapshot.status.mtime.0,
                "snapshotDirectory": snapshot_path(&text(&path), &name),
                "snapshotID": snapshot.id,
                "status": if snapshot.is_deleted { "DELETED" } else { "ACTIVE" },
            }));
        }
    }
    Bean::new(
        "Hadoop:service=NameNode,name=SnapshotInfo",
        "org.apache.hadoop.hdfs.server.namenode.snapshot.SnapshotManager",
    )
    .with("SnapshottableDirectories", directories)
    .with("Snapshots", all)
}

fn snapshot_root(directory: &SnapshottableDirectory) -> Vec<u8> {
    let mut path = directory.parent.clone();
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(&directory.status.name);
    path
}

/// `BlockStats`: space by kind of storage.
pub(super) fn storage_types(view: &View<'_>) -> Bean {
    let blocks = view.nn.blocks();
    let live = blocks.list_datanodes(view.now.mono, DatanodeReportType::Live);
    let streams = |kind| -> u64 {
        live.iter()
            .map(|slot| blocks.datanode(*slot))
            .filter(|node| node.is_in_service())
            .filter(|node| {
                node.storages.iter().any(|slot| blocks.storage(*slot).storage_type() == kind)
            })
            .map(|node| u64::from(node.xceiver_count))
            .sum()
    };
    let all: Vec<Value> = blocks
        .storage_type_stats()
        .into_iter()
        .map(|(kind, stats)| {
            json!({"key": kind.name(), "value": {
                "blockPoolUsed": stats.block_pool_used,
                "capacityNonDfsUsed": stats.non_dfs_used,
                "capacityRemaining": stats.remaining,
                "capacityTotal": stats.capacity,
                "capacityUsed": stats.used,
                "nodesInService": stats.nodes_in_service,
                "nodesInServiceXceiverCount": streams(kind),
                "percentBlockPoolUsed": percent(stats.block_pool_used, stats.capacity),
                "percentRemaining": percent(stats.remaining, stats.capacity),
                "percentUsed": percent(stats.used, stats.capacity),
            }})
        })
        .collect();
    Bean::new(
        "Hadoop:service=NameNode,name=BlockStats",
        "org.apache.hadoop.hdfs.server.blockmanagement.BlockManager",
    )
    .with("StorageTypeStats", all)
}
