//! The NameNode's beans for `/jmx`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSNamesystem, NameNode}, metrics.FSNamesystemMBean,
//! NameNodeStatusMXBean, NameNodeMXBean (3.5.0)

use hdfs_blocks::{DatanodeReportType, FsStats};
use hdfs_namenode::NameNode;
use hdfs_namenode::SOFTWARE_VERSION;
use hdfs_rt::http::Bean;

use super::shell::{Shell, now};

/// Every bean.
pub(crate) fn all(shell: &Shell) -> Vec<Bean> {
    let now = now();
    let nn = shell.read_machine();
    let stats = nn.block_stats(now.mono);
    vec![
        namesystem_state(&nn, &stats),
        namesystem(shell, &nn, &stats),
        replicated_blocks(&stats),
        block_groups(),
        status(shell),
        info(shell, &nn, &stats),
    ]
}

fn state(nn: &NameNode) -> &'static str {
    if nn.in_safe_mode() { "safeMode" } else { "Operational" }
}

fn namesystem_state(nn: &NameNode, stats: &FsStats) -> Bean {
    let in_service = stats
        .live_datanodes
        .saturating_sub(stats.decommissioning_datanodes)
        .saturating_sub(stats.decommissioned_live_datanodes)
        .saturating_sub(stats.entering_maintenance_datanodes)
        .saturating_sub(stats.in_maintenance_live_datanodes);
    let count = u64::from;
    Bean::new(
        "Hadoop:service=NameNode,name=FSNamesystemState",
        "org.apache.hadoop.hdfs.server.namenode.FSNamesystem",
    )
    .with("BlocksTotal", stats.blocks)
    .with("UnderReplicatedBlocks", stats.low_redundancy)
    .with("CapacityTotal", stats.capacity)
    .with("CapacityUsed", stats.used)
    .with("CapacityRemaining", stats.remaining)
    .with("TotalLoad", stats.total_load)
    .with("SnapshotStats", "{\"SnapshottableDirectories\":0,\"Snapshots\":0}")
    .with("NumEncryptionZones", 0_u64)
    .with("FsLockQueueLength", 0_u64)
    .with("MaxObjects", 0_u64)
    .with("FilesTotal", nn.inode_count())
    .with("ScheduledReplicationBlocks", stats.scheduled_replication)
    .with("PendingReplicationBlocks", stats.pending_reconstruction)
    .with("PendingReconstructionBlocks", stats.pending_reconstruction)
    .with("LowRedundancyBlocks", stats.low_redundancy)
    .with("PendingDeletionBlocks", stats.pending_deletion)
    .with("FSState", state(nn))
    .with("NumLiveDataNodes", count(stats.live_datanodes))
    .with("NumDeadDataNodes", count(stats.dead_datanodes))
    .with("NumStaleDataNodes", count(stats.stale_datanodes))
    .with("NumDecomLiveDataNodes", count(stats.decommissioned_live_datanodes))
    .with("NumDecomDeadDataNodes", count(stats.decommissioned_dead_datanodes))
    .with("NumInServiceLiveDataNodes", count(in_service))
    .with("NumDecommissioningDataNodes", count(stats.decommissioning_datanodes))
    .with("NumInMaintenanceLiveDataNodes", count(stats.in_maintenance_live_datanodes))
    .with("NumInMaintenanceDeadDataNodes", count(stats.in_maintenance_dead_datanodes))
    .with("NumEnteringMaintenanceDataNodes", count(stats.entering_maintenance_datanodes))
    .with("VolumeFailuresTotal", count(stats.failed_volumes))
    .with("EstimatedCapacityLostTotal", stats.capacity_lost)
    .with("NumStaleStorages", count(stats.stale_storages))
}

fn namesystem(shell: &Shell, nn: &NameNode, stats: &FsStats) -> Bean {
    Bean::new("Hadoop:service=NameNode,name=FSNamesystem", "FSNamesystem")
        .with("tag.HAState", "active")
        .with("tag.Hostname", shell.conf.machine.host.as_str())
        .with("MissingBlocks", stats.missing)
        .with("MissingReplOneBlocks", stats.missing_replication_one)
        .with("BadlyDistributedBlocks", stats.badly_distributed)
        .with(
            "TransactionsSinceLastCheckpoint",
            nn.last_txid().0 - shell.images.latest().0.min(nn.last_txid().0),
        )
        .with("TransactionsSinceLastLogRoll", nn.last_txid().0.saturating_sub(nn.segment_start().0))
        .with("LastWrittenTransactionId", nn.last_txid().0)
        .with("CapacityTotal", stats.capacity)
        .with("CapacityUsed", stats.used)
        .with("CapacityRemaining", stats.remaining)
        .with("CapacityUsedNonDFS", stats.non_dfs_used)
        .with("TotalLoad", stats.total_load)
        .with("BlocksTotal", stats.blocks)
        .with("NumFilesUnderConstruction", nn.open_file_count())
        .with("FilesTotal", nn.inode_count())
        .with("PendingReplicationBlocks", stats.pending_reconstruction)
        .with("PendingReconstructionBlocks", stats.pending_reconstruction)
        .with("UnderReplicatedBlocks", stats.low_redundancy)
        .with("LowRedundancyBlocks", stats.low_redundancy)
        .with("CorruptBlocks", stats.corrupt)
        .with("ScheduledReplicationBlocks", stats.scheduled_replication)
        .with("PendingDeletionBlocks", stats.pending_deletion)
        .with("ExcessBlocks", stats.excess)
        .with("NumTimedOutPendingReconstructions", stats.timed_out_reconstructions)
        .with("PostponedMisreplicatedBlocks", stats.postponed)
        .with("StaleDataNodes", u64::from(stats.stale_datanodes))
}

fn replicated_blocks(stats: &FsStats) -> Bean {
    Bean::new(
        "Hadoop:service=NameNode,name=ReplicatedBlocksState",
        "org.apache.hadoop.hdfs.server.namenode.FSNamesystem",
    )
    .with("LowRedundancyReplicatedBlocks", stats.low_redundancy)
    .with("CorruptReplicatedBlocks", stats.corrupt)
    .with("MissingReplicatedBlocks", stats.missing)
    .with("MissingReplicationOneBlocks", stats.missing_replication_one)
    .with("BadlyDistributedBlocks", stats.badly_distributed)
    .with("PendingDeletionReplicatedBlocks", stats.pending_deletion)
    .with("TotalReplicatedBlocks", stats.blocks)
}

/// There are no block groups yet.
fn block_groups() -> Bean {
    let names = [
        "LowRedundancyECBlockGroups",
        "CorruptECBlockGroups",
        "MissingECBlockGroups",
        "BytesInFutureECBlockGroups",
        "PendingDeletionECBlocks",
        "TotalECBlockGroups",
    ];
    let bean = Bean::new(
        "Hadoop:service=NameNode,name=ECBlockGroupsState",
        "org.apache.hadoop.hdfs.server.namenode.FSNamesystem",
    );
    names
        .into_iter()
        .fold(bean, |bean, name| bean.with(name, 0_u64))
        .with("EnabledEcPolicies", "RS-6-3-1024k")
}

fn status(shell: &Shell) -> Bean {
    Bean::new(
        "Hadoop:service=NameNode,name=NameNodeStatus",
        "org.apache.hadoop.hdfs.server.namenode.NameNode",
    )
    .with("NNRole", "NameNode")
    .with("HostAndPort", shell.conf.rpc_address.to_string())
    .with("SecurityEnabled", false)
    .with("LastHATransitionTime", 0_u64)
    .with("BytesWithFutureGenerationStamps", 0_u64)
    .with("SlowPeersReport", "[]")
    .with("State", "active")
}

fn info(shell: &Shell, nn: &NameNode, stats: &FsStats) -> Bean {
    let identity = nn.identity();
    let percent = |part: u64| {
        if stats.capacity == 0 { 0.0 } else { part as f64 * 100.0 / stats.capacity as f64 }
    };
    let safe_mode = if nn.in_safe_mode() { nn.safe_mode_tip(now().mono) } else { String::new() };
    Bean::new(
        "Hadoop:service=NameNode,name=NameNodeInfo",
        "org.apache.hadoop.hdfs.server.namenode.FSNamesystem",
    )
    .with("Version", SOFTWARE_VERSION)
    .with("SoftwareVersion", SOFTWARE_VERSION)
    .with("Used", stats.used)
    .with("Free", stats.remaining)
    .with("Total", stats.capacity)
    .with("Safemode", safe_mode)
    .with("UpgradeFinalized", true)
    .with("NonDfsUsedSpace", stats.non_dfs_used)
    .with("PercentUsed", percent(stats.used))
    .with("PercentRemaining", percent(stats.remaining))
    .with("CacheUsed", stats.cache_used)
    .with("CacheCapacity", stats.cache_capacity)
    .with("BlockPoolUsedSpace", stats.block_pool_used)
    .with("PercentBlockPoolUsed", percent(stats.block_pool_used))
    .with("TotalBlocks", stats.blocks)
    .with("NumberOfMissingBlocks", stats.missing)
    .with("NumberOfMissingBlocksWithReplicationFactorOne", stats.missing_replication_one)
    .with("LiveNodes", nodes(nn, DatanodeReportType::Live))
    .with("DeadNodes", nodes(nn, DatanodeReportType::Dead))
    .with("DecomNodes", nodes(nn, DatanodeReportType::Decommissioning))
    .with("ClusterId", identity.cluster_id.as_str())
    .with("BlockPoolId", identity.block_pool_id.as_str())
    .with("NNStartedTimeInMillis", shell.started.0)
}

/// JSON inside of JSON, as Hadoop has it.
fn nodes(nn: &NameNode, kind: DatanodeReportType) -> String {
    let now = now();
    let mut map = serde_json::Map::new();
    for slot in nn.blocks().list_datanodes(now.mono, kind) {
        let node = nn.blocks().datanode(slot);
        let blocks: usize =
            node.storages.iter().map(|storage| nn.blocks().storage(*storage).block_count()).sum();
        let registration = &node.registration;
        map.insert(
            format!("{}:{}", registration.host_name, registration.xfer_port),
            serde_json::json!({
                "infoAddr": format!("{}:{}", registration.ip, registration.info_port),
                "infoSecureAddr": format!("{}:{}", registration.ip, registration.info_secure_port),
                "xferaddr": registration.xfer_addr(),
                "location": node.location,
                "uuid": registration.uuid.as_str(),
                "lastContact": now.mono.since(node.last_update).as_secs(),
                "usedSpace": node.dfs_used,
                "adminState": node.admin_state.text(),
                "nonDfsUsedSpace": node.non_dfs_used,
                "capacity": node.capacity,
                "numBlocks": blocks,
                "version": registration.software_version,
                "used": node.dfs_used,
                "remaining": node.remaining,
                "blockScheduled": node.blocks_scheduled(),
                "blockPoolUsed": node.block_pool_used,
                "volfails": node.failed_volumes,
            }),
        );
    }
    serde_json::Value::Object(map).to_string()
}
