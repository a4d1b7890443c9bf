//! The DataNode's beans for `/jmx`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DataNodeMXBean, FSDatasetMBean}, DataNodeMetrics (3.5.0)

use std::sync::atomic::Ordering;

use hdfs_rt::http::Bean;
use serde_json::{Map, Value, json};

use super::volume::Space;
use super::{SOFTWARE_VERSION, Shared};

/// Every bean, as it is now.
pub(super) fn all(shared: &Shared) -> Vec<Bean> {
    vec![info(shared), state(shared), activity(shared)]
}

fn spaces(shared: &Shared) -> Vec<(String, Space)> {
    let volumes = shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
    volumes
        .filter_map(|volume| Some((volume.root.display().to_string(), volume.space().ok()?)))
        .collect()
}

fn info(shared: &Shared) -> Bean {
    let id = shared.datanode_id();
    let volumes: Map<String, Value> = spaces(shared)
        .into_iter()
        .map(|(path, space)| {
            let value = json!({
                "freeSpace": space.remaining, "usedSpace": space.dfs_used, "reservedSpace": 0,
            });
            (path, value)
        })
        .collect();
    let actors: Vec<Value> = shared
        .actors()
        .iter()
        .map(|actor| {
            json!({
                "NamenodeAddress": actor.address.to_string(),
                "BlockPoolID": actor.registration().map_or_else(String::new, |_| shared.pool_names()),
                "ActorState": if actor.registration().is_some() { "RUNNING" } else { "CONNECTING" },
                "LastHeartbeat": actor.seconds_since_contact().to_string(),
            })
        })
        .collect();
    let namenodes: Map<String, Value> = shared
        .actors()
        .iter()
        .map(|actor| (actor.address.host.to_string(), Value::from(shared.pool_names())))
        .collect();
    Bean::new(
        "Hadoop:service=DataNode,name=DataNodeInfo",
        "org.apache.hadoop.hdfs.server.datanode.DataNode",
    )
    .with("Version", SOFTWARE_VERSION)
    .with("SoftwareVersion", SOFTWARE_VERSION)
    .with("XceiverCount", shared.xceivers.load(Ordering::Relaxed))
    .with("XmitsInProgress", shared.counters.transfers.load(Ordering::Relaxed))
    .with("DatanodeHostname", id.host_name)
    .with("RpcPort", id.ipc_port.to_string())
    .with("HttpPort", id.info_port.to_string())
    .with("DataPort", id.xfer_port.to_string())
    .with("ClusterId", shared.cluster_id())
    .with("NamenodeAddresses", Value::Object(namenodes).to_string())
    .with("BPServiceActorInfo", Value::Array(actors).to_string())
    .with("VolumeInfo", Value::Object(volumes).to_string())
    .with("DNStartedTimeInMillis", shared.started.0)
    .with("SecurityEnabled", false)
}

fn state(shared: &Shared) -> Bean {
    let spaces = spaces(shared);
    let sum = |part: fn(&Space) -> u64| spaces.iter().map(|(_, space)| part(space)).sum::<u64>();
    let failed = shared.dataset.volumes.iter().filter(|volume| volume.has_failed()).count();
    let blocks: usize = shared.dataset.pools().iter().map(|pool| pool.len()).sum();
    Bean::new(
        format!("Hadoop:service=DataNode,name=FSDatasetState-{}", shared.uuid),
        "org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.FsDatasetImpl",
    )
    .with("Capacity", sum(|space| space.capacity))
    .with("DfsUsed", sum(|space| space.dfs_used))
    .with("Remaining", sum(|space| space.remaining))
    .with("NumFailedVolumes", failed + shared.failed_at_start.len())
    .with("NumBlocks", blocks)
    .with("CacheCapacity", 0)
    .with("CacheUsed", 0)
}

fn activity(shared: &Shared) -> Bean {
    let counters = &shared.counters;
    let id = shared.datanode_id();
    Bean::new(
        format!("Hadoop:service=DataNode,name=DataNodeActivity-{}-{}", id.host_name, id.xfer_port),
        format!("DataNodeActivity-{}-{}", id.host_name, id.xfer_port),
    )
    .with("BytesWritten", counters.bytes_written.load(Ordering::Relaxed))
    .with("BytesRead", counters.bytes_read.load(Ordering::Relaxed))
    .with("BlocksWritten", counters.blocks_written.load(Ordering::Relaxed))
    .with("BlocksRead", counters.blocks_read.load(Ordering::Relaxed))
    .with("BlocksReplicated", counters.blocks_replicated.load(Ordering::Relaxed))
    .with("ChecksumErrors", counters.checksum_errors.load(Ordering::Relaxed))
}
