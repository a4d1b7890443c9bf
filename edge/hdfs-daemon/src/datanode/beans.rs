//! The DataNode's beans for `/jmx`.
//!
//! What belongs to a feature that is not built (caching, lazy persistence, block groups, the scanner) is a true zero.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DataNodeMXBean, FSDatasetMBean}, metrics.DataNodeMetrics (3.5.0)

mod activity;

use hdfs_rt::host::host_name;
use hdfs_rt::http::Bean;
use serde_json::{Map, Value, json};

use super::volume::Space;
use super::web::Monitor;
use super::{SOFTWARE_VERSION, Shared};

/// Every bean of the DataNode itself.
pub(super) fn all(monitor: &Monitor) -> Vec<Bean> {
    let shared = &monitor.shared;
    let spaces = spaces(shared);
    let mut beans = vec![
        info(shared, &spaces),
        state(shared, &spaces),
        state_metrics(shared, &spaces),
        activity::operations(monitor),
    ];
    beans.extend(shared.dataset.volumes.iter().map(|volume| activity::volume(monitor, volume)));
    beans
}

fn spaces(shared: &Shared) -> Vec<(String, Space)> {
    let volumes = shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
    volumes
        .filter_map(|volume| Some((volume.root.display().to_string(), volume.space().ok()?)))
        .collect()
}

/// `DataNodeInfo`.
fn info(shared: &Shared, spaces: &[(String, Space)]) -> Bean {
    use std::sync::atomic::Ordering::Relaxed;
    let (id, counters) = (shared.datanode_id(), &shared.counters);
    let xceivers = shared.xceivers.load(Relaxed);
    let errors: Vec<Value> = counters
        .errors_by_host()
        .into_iter()
        .map(|(host, count)| {
            let value = json!([{"key": "networkErrors", "value": count}]);
            json!({"key": host.to_string(), "value": value})
        })
        .collect();
    let plan =
        json!({"currentState": [], "result": "NO_PLAN", "planID": "", "planFile": ""}).to_string();
    Bean::new(
        "Hadoop:service=DataNode,name=DataNodeInfo",
        "org.apache.hadoop.hdfs.server.datanode.DataNode",
    )
    .with("Version", format!("{SOFTWARE_VERSION}, rtusk-{}", env!("CARGO_PKG_VERSION")))
    .with("SecurityEnabled", false)
    .with("XceiverCount", xceivers)
    .with("ActiveTransferThreadCount", counters.transfers.load(Relaxed))
    .with("DatanodeNetworkCounts", errors)
    .with("XmitsInProgress", counters.transfers.load(Relaxed))
    .with("SoftwareVersion", SOFTWARE_VERSION)
    .with("RpcPort", id.ipc_port.to_string())
    .with("DataPort", id.xfer_port.to_string())
    .with("HttpPort", id.info_port.to_string())
    .with("DNStartedTimeInMillis", shared.started.0)
    .with("NamenodeAddresses", namenodes(shared))
    .with("DatanodeHostname", id.host_name)
    .with("BPServiceActorInfo", actors(shared))
    .with("VolumeInfo", volumes(shared, spaces))
    .with("ClusterId", shared.cluster_id())
    .with("DiskBalancerStatus", plan)
    // Hadoop's too are null unless peers and disks are watched.
    .with("SendPacketDownstreamAvgInfo", Value::Null)
    .with("SlowDisks", Value::Null)
}

fn namenodes(shared: &Shared) -> String {
    let map: Map<String, Value> = shared
        .actors()
        .iter()
        .map(|actor| (actor.address.host.to_string(), Value::from(shared.pool_names())))
        .collect();
    Value::Object(map).to_string()
}

fn actors(shared: &Shared) -> String {
    let actors: Vec<Value> = shared
        .actors()
        .iter()
        .map(|actor| {
            let registered = actor.registration().is_some();
            let pool = if registered { shared.pool_names() } else { String::new() };
            json!({
                "NamenodeAddress": actor.address.to_string(),
                "BlockPoolID": pool,
                "ActorState": if registered { "RUNNING" } else { "CONNECTING" },
                "LastHeartbeat": actor.seconds_since_contact().to_string(),
                "LastHeartbeatResponseTime": actor.seconds_since_contact().to_string(),
                "NamenodeHaState": actor.namenode_state(),
                "LastBlockReport": actor.since_report().map_or(0, |since| since.as_secs()).to_string(),
                "maxBlockReportSize": actor.largest_report().to_string(),
                "maxDataLength": shared.conf.max_data_length.to_string(),
                "isSlownode": "false",
            })
        })
        .collect();
    Value::Array(actors).to_string()
}

fn volumes(shared: &Shared, spaces: &[(String, Space)]) -> String {
    let map: Map<String, Value> = shared
        .dataset
        .volumes
        .iter()
        .filter_map(|volume| {
            let path = volume.root.display().to_string();
            let space = spaces.iter().find(|(of, _)| *of == path).map(|(_, space)| space)?;
            let shown = json!({
                "freeSpace": space.remaining,
                "usedSpace": space.dfs_used,
                "reservedSpace": volume.reserved_space(),
                "reservedSpaceForReplicas": volume.reserved_for_replicas(),
                "numBlocks": shared.blocks_on(volume.index),
                "storageType": volume.storage_type.name(),
            });
            Some((path, shown))
        })
        .collect();
    Value::Object(map).to_string()
}

/// What both beans of the dataset show.
struct Dataset {
    info: String,
    capacity: u64,
    used: u64,
    remaining: u64,
    failed: Vec<String>,
    last_failure: u64,
    lost: u64,
}

impl Dataset {
    fn new(shared: &Shared, spaces: &[(String, Space)]) -> Self {
        let sum = |of: fn(&Space) -> u64| spaces.iter().map(|(_, space)| of(space)).sum::<u64>();
        let paths: Vec<&str> = spaces.iter().map(|(path, _)| path.as_str()).collect();
        let failures = shared.dataset.volume_failures();
        Self {
            info: format!("FSDataset{{dirpath='[{}]'}}", paths.join(", ")),
            capacity: sum(|space| space.capacity),
            used: sum(|space| space.dfs_used),
            remaining: sum(|space| space.remaining),
            failed: failures.locations,
            last_failure: failures.last_ms,
            lost: failures.lost_bytes,
        }
    }
}

/// `FSDatasetState-<uuid>`.
fn state(shared: &Shared, spaces: &[(String, Space)]) -> Bean {
    let dataset = Dataset::new(shared, spaces);
    Bean::new(
        format!("Hadoop:service=DataNode,name=FSDatasetState-{}", shared.uuid),
        "org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.FsDatasetImpl",
    )
    .with("Remaining", dataset.remaining)
    .with("NumFailedVolumes", dataset.failed.len())
    .with("FailedStorageLocations", dataset.failed)
    .with("StorageInfo", dataset.info)
    .with("DfsUsed", dataset.used)
    .with("Capacity", dataset.capacity)
    .with("LastVolumeFailureDate", dataset.last_failure)
    .with("EstimatedCapacityLostTotal", dataset.lost)
    .with("CacheUsed", 0)
    .with("CacheCapacity", 0)
    .with("NumBlocksCached", 0)
    .with("NumBlocksFailedToCache", 0)
    .with("NumBlocksFailedToUncache", 0)
    .with("LastDirScannerFinishTime", 0)
    .with("PendingAsyncDeletions", 0)
}

/// `FSDatasetState`.
fn state_metrics(shared: &Shared, spaces: &[(String, Space)]) -> Bean {
    let dataset = Dataset::new(shared, spaces);
    Bean::new("Hadoop:service=DataNode,name=FSDatasetState", "FSDatasetState")
        .with("tag.Context", "FSDatasetState")
        .with("tag.StorageInfo", dataset.info)
        .with("tag.Hostname", host_name())
        .with("Capacity", dataset.capacity)
        .with("DfsUsed", dataset.used)
        .with("Remaining", dataset.remaining)
        .with("NumFailedVolumes", dataset.failed.len())
        .with("LastVolumeFailureDate", dataset.last_failure)
        .with("EstimatedCapacityLostTotal", dataset.lost)
        .with("CacheUsed", 0)
        .with("CacheCapacity", 0)
        .with("NumBlocksCached", 0)
        .with("NumBlocksFailedToCache", 0)
        .with("NumBlocksFailedToUnCache", 0)
        .with("LastDirectoryScannerFinishTime", 0)
        .with("PendingAsyncDeletions", 0)
}
