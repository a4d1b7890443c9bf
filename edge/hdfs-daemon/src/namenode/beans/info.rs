//! Who this NameNode is and where it keeps things: `NameNodeInfo` and `NameNodeStatus`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNodeMXBean, NameNodeStatusMXBean} (3.5.0)

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use hdfs_blocks::DatanodeReportType;
use hdfs_format::edits;
use hdfs_namenode::SOFTWARE_VERSION;
use hdfs_rt::http::Bean;
use hdfs_rt::process::ProcessStats;
use hdfs_types::{BlockId, TxId};
use serde_json::{Map, Value, json};

use super::super::monitor::Monitor;
use super::super::shell::Shell;
use super::super::storage::DirSpec;
use super::{View, nodes, percent, slow};

/// What the beans tell about the name folders, read before the machine's lock is taken.
pub(super) struct Storage {
    /// When the newest image was written.
    pub(super) checkpoint_ms: u64,
    /// There is an image from before a rolling upgrade.
    has_rollback_image: bool,
    statuses: String,
    sizes: String,
}

impl Storage {
    pub(super) fn read(shell: &Shell) -> Self {
        let dirs = shell.images.dirs();
        let (mut active, mut failed, mut sizes) = (Map::new(), Map::new(), Map::new());
        for (index, dir) in dirs.all().iter().enumerate() {
            let path = dir.spec.root.display().to_string();
            if dirs.is_live(index) {
                sizes.insert(path.clone(), Value::from(folder_bytes(&dir.current())));
                active.insert(path, Value::from(purpose(&dir.spec)));
            } else {
                failed.insert(path, Value::from(purpose(&dir.spec)));
            }
        }
        let written = shell.images.newest_file().and_then(|path| {
            let modified = path.metadata().ok()?.modified().ok()?;
            modified.duration_since(UNIX_EPOCH).ok()
        });
        let millis = written.map_or(0, |since| since.as_millis());
        Self {
            has_rollback_image: matches!(shell.images.newest_of_kind(true), Ok(Some(_))),
            checkpoint_ms: u64::try_from(millis).unwrap_or(u64::MAX),
            statuses: json!({"active": active, "failed": failed}).to_string(),
            sizes: Value::Object(sizes).to_string(),
        }
    }
}

/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NNStorage.NameNodeDirType (3.5.0)
fn purpose(spec: &DirSpec) -> &'static str {
    match (spec.image, spec.edits) {
        (true, true) => "IMAGE_AND_EDITS",
        (true, false) => "IMAGE",
        _ => "EDITS",
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum()
}

/// `NameNodeStatus`.
pub(super) fn status(monitor: &Monitor) -> Bean {
    Bean::new(
        "Hadoop:service=NameNode,name=NameNodeStatus",
        "org.apache.hadoop.hdfs.server.namenode.NameNode",
    )
    .with("State", "active")
    .with("SecurityEnabled", false)
    .with("LastHATransitionTime", 0)
    .with("SlowPeersReport", slow::peers(monitor))
    .with("SlowDisksReport", slow::disks(monitor))
    .with("NNRole", "NameNode")
    .with("HostAndPort", monitor.host_and_port())
    .with("BytesWithFutureGenerationStamps", monitor.shell.read_machine().bytes_in_future())
}

/// `NameNodeInfo`.
pub(super) fn info(view: &View<'_>, storage: &Storage) -> Bean {
    let bean = Bean::new(
        "Hadoop:service=NameNode,name=NameNodeInfo",
        "org.apache.hadoop.hdfs.server.namenode.FSNamesystem",
    );
    let bean = identity(bean, view, storage);
    let bean = space(bean, view);
    let corrupt = corrupt_files(view);
    bean.with("LiveNodes", nodes::live(view))
        .with("DeadNodes", nodes::dead(view))
        .with("DecomNodes", nodes::decommissioning(view))
        .with("EnteringMaintenanceNodes", nodes::entering_maintenance(view))
        .with("NodeUsage", nodes::usage(view))
        .with("NameDirStatuses", storage.statuses.as_str())
        .with("NameDirSize", storage.sizes.as_str())
        .with("NameJournalStatus", journals(view))
        .with("JournalTransactionInfo", transactions(view))
        .with("CorruptFilesCount", corrupt.len())
        .with("CorruptFiles", json!(corrupt).to_string())
        .with("VerifyECWithTopologyResult", erasure_coding_fits(view))
}

/// Null while none is under way.
///
/// Hadoop: org.apache.hadoop.hdfs.protocol.RollingUpgradeInfo.Bean (3.5.0)
fn rolling_upgrade(view: &View<'_>, storage: &Storage) -> Value {
    view.nn.rolling_upgrade_info(storage.has_rollback_image).map_or(Value::Null, |info| {
        json!({
            "blockPoolId": info.status.block_pool_id,
            "createdRollbackImages": info.created_rollback_images,
            "finalizeTime": info.finalize_time,
            "startTime": info.start_time,
        })
    })
}

fn identity(bean: Bean, view: &View<'_>, storage: &Storage) -> Bean {
    let (identity, package) = (view.nn.identity(), env!("CARGO_PKG_VERSION"));
    let safe_mode = if view.nn.in_safe_mode() {
        format!("Safe mode is ON. {}", view.nn.safe_mode_tip(view.now.mono))
    } else {
        String::new()
    };
    let blocks = view.nn.blocks();
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    for slot in blocks.list_datanodes(view.now.mono, DatanodeReportType::Live) {
        *versions.entry(&blocks.datanode(slot).registration.software_version).or_default() += 1;
    }
    let distinct: Vec<Value> =
        versions.iter().map(|(version, count)| json!({"key": version, "value": count})).collect();
    bean.with("Threads", ProcessStats::read().threads)
        .with("Version", format!("{SOFTWARE_VERSION}, rtusk-{package}"))
        .with("SoftwareVersion", SOFTWARE_VERSION)
        .with("CompileInfo", format!("Tusk {package}"))
        .with("BlockPoolId", identity.block_pool_id.as_str())
        .with("ClusterId", identity.cluster_id.as_str())
        .with("UpgradeFinalized", view.nn.is_upgrade_finalized())
        .with("RollingUpgradeStatus", rolling_upgrade(view, storage))
        .with("Safemode", safe_mode)
        .with("NNStartedTimeInMillis", view.monitor.shell.started.0)
        .with("NumberOfSnapshottableDirs", view.nn.namespace().snapshot_counts().0)
        .with("DistinctVersionCount", versions.len())
        .with("DistinctVersions", distinct)
}

fn space(bean: Bean, view: &View<'_>) -> Bean {
    let stats = &view.stats;
    let groups = view.nn.blocks().group_stats();
    bean.with("HighestPriorityLowRedundancyReplicatedBlocks", stats.highest_priority)
        .with("HighestPriorityLowRedundancyECBlocks", groups.highest_priority)
        .with("ProvidedCapacity", 0)
        .with("TotalBlocks", stats.blocks + groups.groups)
        .with("PercentBlockPoolUsed", percent(stats.block_pool_used, stats.capacity))
        .with("CacheCapacity", stats.cache_capacity)
        .with("CacheUsed", stats.cache_used)
        .with("Used", stats.used)
        .with("Free", stats.remaining)
        .with("Total", stats.capacity)
        .with("NonDfsUsedSpace", stats.non_dfs_used)
        .with("PercentUsed", percent(stats.used, stats.capacity))
        .with("BlockPoolUsedSpace", stats.block_pool_used)
        .with("PercentRemaining", percent(stats.remaining, stats.capacity))
        .with("NumberOfMissingBlocks", stats.missing)
        .with("NumberOfMissingBlocksWithReplicationFactorOne", stats.missing_replication_one)
        .with("NumberOfBadlyDistributedBlocks", stats.badly_distributed)
}

/// Blocks without a good replica and their files, as many as `dfs.namenode.max-corrupt-file-blocks-returned` allows.
fn corrupt_files(view: &View<'_>) -> Vec<String> {
    let found = view.nn.corrupt_files("/", &mut BlockId(i64::MIN));
    found.iter().map(ToString::to_string).collect()
}

fn journals(view: &View<'_>) -> String {
    let dirs = view.monitor.shell.images.dirs();
    let segment = edits::in_progress_name(TxId(view.nn.segment_start().0));
    let journals: Vec<Value> = dirs
        .all()
        .iter()
        .enumerate()
        .filter(|(_, dir)| dir.spec.edits)
        .map(|(index, dir)| {
            let live = dirs.is_live(index);
            let file = dir.current().join(&segment);
            let stream = if live {
                format!("EditLogFileOutputStream({})", file.display())
            } else {
                "Failed".to_owned()
            };
            json!({
                "manager": format!("FileJournalManager(root={})", dir.spec.root.display()),
                "stream": stream,
                "disabled": (!live).to_string(),
                "required": dir.spec.required.to_string(),
            })
        })
        .collect();
    Value::Array(journals).to_string()
}

fn transactions(view: &View<'_>) -> String {
    json!({
        "LastAppliedOrWrittenTxId": view.nn.last_txid().0.to_string(),
        "MostRecentCheckpointTxId": view.monitor.shell.images.latest().0.to_string(),
    })
    .to_string()
}

/// Whether there are nodes and racks enough for the enabled policies.
fn erasure_coding_fits(view: &View<'_>) -> String {
    let (fits, message) = view.nn.verify_enabled_erasure_coding_policies();
    json!({"isSupported": fits.to_string(), "resultMessage": message}).to_string()
}
