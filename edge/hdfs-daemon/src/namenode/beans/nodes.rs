//! DataNodes as JSON inside of JSON, which is how `NameNodeInfo` has them.

use hdfs_blocks::{Datanode, DatanodeReportType};
use serde_json::{Map, Value, json};

use super::{View, f64_of, percent};

/// `LiveNodes`.
pub(super) fn live(view: &View<'_>) -> String {
    listed(view, DatanodeReportType::Live, |node| {
        let blocks = view.nn.blocks();
        let registration = &node.registration;
        let held: usize =
            node.storages.iter().map(|slot| blocks.storage(*slot).block_count()).sum();
        let report_age = view.now.mono.since(node.last_block_report).as_secs() / 60;
        let mut shown = json!({
            "infoAddr": format!("{}:{}", registration.ip, registration.info_port),
            "infoSecureAddr": format!("{}:{}", registration.ip, registration.info_secure_port),
            "xferaddr": registration.xfer_addr(),
            "location": node.location,
            "uuid": registration.uuid.as_str(),
            "lastContact": view.now.mono.since(node.last_update).as_secs(),
            "usedSpace": node.dfs_used,
            "adminState": node.admin_state.text(),
            "nonDfsUsedSpace": node.non_dfs_used,
            "capacity": node.capacity,
            "numBlocks": held,
            "version": registration.software_version,
            "used": node.dfs_used,
            "remaining": node.remaining,
            "blockScheduled": node.blocks_scheduled(),
            "blockPoolUsed": node.block_pool_used,
            "blockPoolUsedPercent": percent(node.block_pool_used, node.capacity),
            "volfails": node.failed_volumes,
            "lastBlockReport": report_age,
            "blockPoolUsedPercentStdDev": pool_deviation(view, node),
        });
        if let (Some(domain), Some(fields)) = (&node.upgrade_domain, shown.as_object_mut()) {
            fields.insert("upgradeDomain".to_owned(), json!(domain));
        }
        if let (Some(failures), Some(fields)) = (&node.volume_failures, shown.as_object_mut()) {
            fields.insert("failedStorageIDs".to_owned(), json!(failures.locations));
            fields.insert("lastVolumeFailureDate".to_owned(), json!(failures.last_failure_ms));
            fields.insert("estimatedCapacityLostTotal".to_owned(), json!(failures.capacity_lost));
        }
        shown
    })
}

/// How unevenly the volumes of a node are filled.
fn pool_deviation(view: &View<'_>, node: &Datanode) -> f64 {
    let blocks = view.nn.blocks();
    let shares: Vec<f32> = node
        .storages
        .iter()
        .map(|slot| blocks.storage(*slot))
        .filter(|storage| storage.capacity > 0)
        .map(|storage| storage.block_pool_used as f32 * 100.0 / storage.capacity as f32)
        .collect();
    f64_of(deviation(&shares))
}

fn deviation(values: &[f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let squares: f32 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f32).sqrt()
}

/// `DeadNodes`.
pub(super) fn dead(view: &View<'_>) -> String {
    listed(view, DatanodeReportType::Dead, |node| {
        json!({
            "lastContact": view.now.mono.since(node.last_update).as_secs(),
            "decommissioned": node.is_decommissioned(),
            "adminState": node.admin_state.text(),
            "xferaddr": node.registration.xfer_addr(),
            "location": node.location,
            "uuid": node.registration.uuid.as_str(),
        })
    })
}

/// `DecomNodes`.
pub(super) fn decommissioning(view: &View<'_>) -> String {
    listed(view, DatanodeReportType::Decommissioning, |node| {
        let leaving = node.leaving_service();
        json!({
            "xferaddr": node.registration.xfer_addr(),
            "location": node.location,
            "uuid": node.registration.uuid.as_str(),
            "underReplicatedBlocks": leaving.under_replicated,
            "decommissionOnlyReplicas": leaving.out_of_service_only,
            "underReplicateInOpenFiles": leaving.under_replicated_in_open_files,
            "decommissionDuration": view.now.wall.0.saturating_sub(leaving.started_ms),
        })
    })
}

/// `EnteringMaintenanceNodes`.
pub(super) fn entering_maintenance(view: &View<'_>) -> String {
    listed(view, DatanodeReportType::EnteringMaintenance, |node| {
        let leaving = node.leaving_service();
        json!({
            "xferaddr": node.registration.xfer_addr(),
            "location": node.location,
            "uuid": node.registration.uuid.as_str(),
            "underReplicatedBlocks": leaving.under_replicated,
            "maintenanceOnlyReplicas": leaving.out_of_service_only,
            "underReplicateInOpenFiles": leaving.under_replicated_in_open_files,
        })
    })
}

fn listed(view: &View<'_>, kind: DatanodeReportType, show: impl Fn(&Datanode) -> Value) -> String {
    let blocks = view.nn.blocks();
    let nodes = blocks.list_datanodes(view.now.mono, kind);
    let absent = blocks.never_registered(kind);
    let map: Map<String, Value> = nodes
        .into_iter()
        .map(|slot| blocks.datanode(slot))
        .chain(&absent)
        .map(|node| (node.registration.xfer_addr_with_host_name(), show(node)))
        .collect();
    Value::Object(map).to_string()
}

/// `NodeUsage`: how evenly the nodes in service are filled.
pub(super) fn usage(view: &View<'_>) -> String {
    let blocks = view.nn.blocks();
    let mut shares: Vec<f32> = blocks
        .list_datanodes(view.now.mono, DatanodeReportType::Live)
        .into_iter()
        .map(|slot| blocks.datanode(slot))
        .filter(|node| node.is_in_service())
        .map(|node| match node.capacity {
            0 => 100.0,
            capacity => node.dfs_used as f32 * 100.0 / capacity as f32,
        })
        .collect();
    shares.sort_by(f32::total_cmp);
    let at = |index: usize| shares.get(index).copied().unwrap_or(0.0);
    let text = |share: f32| format!("{share:.2}%");
    json!({"nodeUsage": {
        "min": text(at(0)),
        "median": text(at(shares.len() / 2)),
        "max": text(shares.last().copied().unwrap_or(0.0)),
        "stdDev": text(deviation(&shares)),
    }})
    .to_string()
}
