//! What the NameNode did: operations, transactions, reports, users.
//!
//! Operations are the RPC servers' counts of methods, so no call counts twice.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.metrics.NameNodeMetrics, org.apache.hadoop.ipc.metrics.RetryCacheMetrics,
//! org.apache.hadoop.hdfs.server.namenode.top.metrics.TopMetrics (3.5.0)

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hdfs_rt::host::host_name;
use hdfs_rt::http::Bean;
use hdfs_rt::metrics::HistogramSnapshot;
use hdfs_rt::rpc::server::{ActivityNames, activity_beans};
use serde_json::Value;

use super::super::monitor::{Calls, Monitor};
use super::super::progress::Phase;
use super::View;
use super::methods::METHODS;

const NAMES: ActivityNames =
    ActivityNames { service: "NameNode", server_name: "ClientNamenodeProtocol", methods: &METHODS };

/// Beans that need nothing of the machine.
pub(super) fn counted(monitor: &Monitor) -> Vec<Bean> {
    let mut beans: Vec<Bean> = monitor
        .servers
        .iter()
        .flat_map(|(port, of)| activity_beans(NAMES, *port, of, monitor.averages()))
        .collect();
    beans.push(
        Bean::new("Hadoop:service=NameNode,name=NameNode", "NameNode")
            .with("tag.Context", "dfs")
            .with("tag.Hostname", host_name())
            // Active, in Hadoop's numbering of HA states.
            .with("NameNodeState", 1),
    );
    beans.push(tokens());
    if monitor.top.is_enabled() {
        beans.push(top_users(monitor));
    }
    beans
}

/// There are no delegation tokens yet.
fn tokens() -> Bean {
    let name = "DelegationTokenSecretManagerMetrics";
    let bean = Bean::new(format!("Hadoop:service=NameNode,name={name}"), name)
        .with("tag.Context", "token")
        .with("tag.Hostname", host_name())
        .with("TokenFailure", 0);
    ["RemoveToken", "StoreToken", "UpdateToken"].into_iter().fold(bean, |bean, name| {
        bean.with(format!("{name}NumOps"), 0).with(format!("{name}AvgTime"), 0.0)
    })
}

/// One record for each window, told apart by a number after the names, as Hadoop's JMX does.
fn top_users(monitor: &Monitor) -> Bean {
    let mut bean = Bean::new("Hadoop:service=NameNode,name=NNTopUserOpCounts", "NNTopUserOpCounts");
    let windows = monitor.top.windows(Instant::now(), &monitor.user_calls());
    for (index, window) in windows.iter().enumerate() {
        let suffix = if index == 0 { String::new() } else { format!(".{index}") };
        bean = bean
            .with(format!("tag.Context{suffix}"), "dfs")
            .with(format!("tag.Hostname{suffix}"), host_name());
        for command in window.commands.iter().filter(|command| command.total > 0) {
            let name = &command.name;
            bean = bean.with(format!("op={name}.TotalCount{suffix}"), command.total);
            for (user, count) in &command.users[..command.top] {
                bean = bean.with(format!("op={name}.user={user}.count{suffix}"), *count);
            }
        }
    }
    bean
}

/// `RetryCache.NameNodeRetryCache`.
pub(super) fn retry_cache(view: &View<'_>) -> Bean {
    let (hits, updates, clears) = view.nn.retry_cache_counts();
    let name = "RetryCache.NameNodeRetryCache";
    Bean::new(format!("Hadoop:service=NameNode,name={name}"), name)
        .with("tag.Context", "rpc")
        .with("tag.Hostname", host_name())
        .with("CacheCleared", clears)
        .with("CacheHit", hits)
        .with("CacheUpdated", updates)
}

/// `NameNodeActivity`.
pub(super) fn operations(view: &View<'_>) -> Bean {
    let calls = view.monitor.calls();
    let bean = Bean::new("Hadoop:service=NameNode,name=NameNodeActivity", "NameNodeActivity")
        .with("tag.ProcessName", "NameNode")
        .with("tag.SessionId", Value::Null)
        .with("tag.Context", "dfs")
        .with("tag.Hostname", host_name());
    let bean = files(bean, view, &calls);
    let bean = not_built(bean);
    let bean = reports(bean, view, &calls);
    transactions(bean, view)
}

/// Calls as Hadoop counts them: some before they run, some after they succeeded.
fn files(bean: Bean, view: &View<'_>, calls: &Calls) -> Bean {
    let located = calls.begun("getBlockLocations") + calls.succeeded("getLocatedFileInfo");
    let created = calls.succeeded("create");
    let renamed = calls.succeeded("rename") + calls.succeeded("rename2");
    let infos = calls.begun("getFileInfo")
        + calls.begun("getFileLinkInfo")
        + calls.begun("isFileClosed")
        + calls.succeeded("getLocatedFileInfo");
    let listings = calls.succeeded("getListing") + calls.succeeded("getBatchedListing");
    let reports =
        calls.succeeded("getSnapshotDiffReport") + calls.succeeded("getSnapshotDiffReportListing");
    let counts = [
        ("GetBlockLocations", located),
        ("CreateFileOps", created),
        ("FilesAppended", calls.succeeded("append")),
        ("AddBlockOps", calls.succeeded("addBlock")),
        ("GetAdditionalDatanodeOps", calls.begun("getAdditionalDatanode")),
        ("FilesRenamed", renamed),
        ("FilesTruncated", calls.succeeded("truncate")),
        ("DeleteFileOps", calls.succeeded("delete")),
        ("GetListingOps", listings),
        ("FileInfoOps", infos),
        ("GetLinkTargetOps", calls.begun("getLinkTarget")),
        ("CreateSymlinkOps", calls.succeeded("createSymlink")),
        ("AllowSnapshotOps", calls.begun("allowSnapshot")),
        ("DisallowSnapshotOps", calls.begun("disallowSnapshot")),
        ("CreateSnapshotOps", calls.begun("createSnapshot")),
        ("RenameSnapshotOps", calls.begun("renameSnapshot")),
        ("DeleteSnapshotOps", calls.begun("deleteSnapshot")),
        ("ListSnapshottableDirOps", calls.succeeded("getSnapshottableDirListing")),
        ("ListSnapshotOps", calls.succeeded("getSnapshotListing")),
        ("SnapshotDiffReportOps", reports),
    ];
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let bean = counts.into_iter().fold(bean, |bean, (name, count)| bean.with(name, count));
    bean.with("TotalFileOps", total)
        .with("FilesCreated", created)
        .with("FilesDeleted", view.nn.removed_inode_count())
        .with("FilesInGetListingOps", view.monitor.shell.metrics.listed.load(Ordering::Relaxed))
}

/// True zeros: encryption zones, standbys and image transfers do not exist yet, and no block operation is
/// queued: reports are applied by the call that brings them, and blocks are removed in slices by the deletion itself.
fn not_built(bean: Bean) -> Bean {
    let counts =
        ["BlockOpsBatched", "BlockOpsQueued", "DeleteBlocksQueued", "PendingDeleteBlocksCount"];
    let rates = [
        "EditLogFetchTime",
        "EditLogTailInterval",
        "EditLogTailTime",
        "GenerateEDEKTime",
        "GetAliasMap",
        "GetEdit",
        "GetImage",
        "PutImage",
        "WarmUpEDEKTime",
    ];
    let bean = counts.into_iter().fold(bean, |bean, name| bean.with(name, 0));
    let bean = rates.into_iter().fold(bean, |bean, name| {
        bean.with(format!("{name}NumOps"), 0).with(format!("{name}AvgTime"), 0.0)
    });
    bean.with("NumEditLogLoadedNumOps", 0).with("NumEditLogLoadedAvgCount", 0.0)
}

fn rate(bean: Bean, view: &View<'_>, name: &str, times: &HistogramSnapshot) -> Bean {
    let average = view.monitor.averages().millis(name, times);
    bean.with(format!("{name}NumOps"), times.count).with(format!("{name}AvgTime"), average)
}

fn reports(bean: Bean, view: &View<'_>, calls: &Calls) -> Bean {
    let (stats, metrics) = (&view.stats, &view.monitor.shell.metrics);
    let bean = bean
        .with("BlockReceivedAndDeletedOps", calls.begun("blockReceivedAndDeleted"))
        .with("NumTimesReReplicationNotScheduled", stats.reconstructions_not_scheduled)
        .with("SuccessfulReReplications", stats.successful_reconstructions)
        .with("TimeoutReReplications", stats.timed_out_reconstructions);
    let bean = rate(bean, view, "CacheReport", &calls.times("cacheReport"));
    let bean = rate(bean, view, "StorageBlockReport", &metrics.storage_reports.snapshot());
    rate(bean, view, "ResourceCheckTime", &metrics.resource_checks.snapshot())
}

fn transactions(bean: Bean, view: &View<'_>) -> Bean {
    let shell = &view.monitor.shell;
    let log = shell.log.metrics();
    let encoded = HistogramSnapshot {
        count: log.transactions.load(Ordering::Relaxed),
        total: Duration::from_nanos(log.encode_nanos.load(Ordering::Relaxed)),
        ..HistogramSnapshot::default()
    };
    let progress = &shell.progress;
    let loading =
        progress.phase_millis(Phase::LoadingFsImage) + progress.phase_millis(Phase::LoadingEdits);
    let bean = bean
        .with("FsImageLoadTime", loading)
        .with("SafeModeTime", progress.safe_mode_millis())
        .with("PendingEditsCount", shell.log.pending())
        .with("TransactionsBatchedInSync", log.batched.load(Ordering::Relaxed));
    let bean = rate(bean, view, "Syncs", &log.syncs.snapshot());
    rate(bean, view, "Transactions", &encoded)
}
