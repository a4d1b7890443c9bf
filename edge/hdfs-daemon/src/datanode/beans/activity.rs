//! What a DataNode did: `DataNodeActivity-<host>-<port>` and `DataNodeVolume-<folder>`.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use hdfs_datanode::report::BlockEvent;
use hdfs_rt::host::host_name;
use hdfs_rt::http::Bean;
use hdfs_rt::metrics::{Histogram, HistogramSnapshot};
use serde_json::Value;

use super::super::volume::Volume;
use super::super::web::Monitor;

/// A bean in the making, with what makes its rates.
struct Making<'a> {
    monitor: &'a Monitor,
    name: String,
    bean: Bean,
}

impl Making<'_> {
    fn count(&mut self, name: &str, value: impl Into<Value>) {
        self.bean.attributes.push((name.to_owned(), value.into()));
    }

    fn counter(&mut self, name: &str, counter: &AtomicU64) {
        self.count(name, counter.load(Ordering::Relaxed));
    }

    fn gauge(&mut self, name: &str, gauge: &AtomicUsize) {
        self.count(name, gauge.load(Ordering::Relaxed));
    }

    fn rate(&mut self, name: &str, count: u64, average: f64) {
        self.count(&format!("{name}NumOps"), count);
        self.count(&format!("{name}AvgTime"), average);
    }

    /// A rate in milliseconds.
    fn millis(&mut self, name: &str, times: &Histogram) {
        let times = times.snapshot();
        let key = format!("{}.{name}", self.name);
        self.rate(name, times.count, self.monitor.process.averages().millis(&key, &times));
    }

    /// A rate in nanoseconds.
    fn nanos(&mut self, name: &str, times: &HistogramSnapshot) {
        let key = format!("{}.{name}", self.name);
        self.rate(name, times.count, self.monitor.process.averages().nanos(&key, times));
    }

    fn zeros(&mut self, counts: &[&str], rates: &[&str]) {
        counts.iter().for_each(|name| self.count(name, 0));
        rates.iter().for_each(|name| self.rate(name, 0, 0.0));
    }
}

/// `DataNodeActivity`.
pub(super) fn operations(monitor: &Monitor) -> Bean {
    let id = monitor.shared.datanode_id();
    let name = format!("DataNodeActivity-{}-{}", id.host_name, id.xfer_port);
    let bean = Bean::new(format!("Hadoop:service=DataNode,name={name}"), name.clone())
        .with("tag.SessionId", Value::Null)
        .with("tag.Context", "dfs")
        .with("tag.Hostname", host_name());
    let mut making = Making { monitor, name, bean };
    streams(&mut making);
    times(&mut making);
    reports(&mut making);
    not_built(&mut making);
    making.bean
}

fn streams(making: &mut Making<'_>) {
    let counters = &making.monitor.shared.counters;
    let failed = making.monitor.shared.dataset.volumes.iter().filter(|of| of.has_failed()).count();
    making.count("VolumeFailures", failed);
    for (name, counter) in [
        ("BytesRead", &counters.bytes_read),
        ("BytesWritten", &counters.bytes_written),
        ("RemoteBytesRead", &counters.remote_bytes_read),
        ("RemoteBytesWritten", &counters.remote_bytes_written),
        ("BlocksRead", &counters.blocks_read),
        ("BlocksWritten", &counters.blocks_written),
        ("BlocksReplicated", &counters.blocks_replicated),
        ("BlocksRemoved", &counters.blocks_removed),
        ("BlocksVerified", &counters.blocks_verified),
        ("BlockVerificationFailures", &counters.verification_failures),
        ("ReadsFromLocalClient", &counters.reads_local),
        ("ReadsFromRemoteClient", &counters.reads_remote),
        ("WritesFromLocalClient", &counters.writes_local),
        ("WritesFromRemoteClient", &counters.writes_remote),
        ("PacketsReceived", &counters.packets_received),
        ("PacketsSlowWriteToMirror", &counters.slow_mirror),
        ("PacketsSlowWriteToOsCache", &counters.slow_write),
        ("PacketsSlowWriteToDisk", &counters.slow_sync),
        ("SlowFlushOrSyncCount", &counters.slow_sync),
        ("SlowAckToUpstreamCount", &counters.slow_ack),
        ("DatanodeNetworkErrors", &counters.network_errors),
        ("ReplaceBlockOpOnSameHost", &counters.replaced_local),
        ("ReplaceBlockOpToOtherHost", &counters.replaced_remote),
    ] {
        making.counter(name, counter);
    }
    making.gauge("DataNodeActiveXceiversCount", &making.monitor.shared.xceivers);
    making.gauge("DataNodeReadActiveXceiversCount", &counters.active_reads);
    making.gauge("DataNodeWriteActiveXceiversCount", &counters.active_writes);
    making.gauge("DataNodePacketResponderCount", &counters.responders);
    making.gauge("DataNodeBlockRecoveryWorkerCount", &counters.recoveries);
}

fn times(making: &mut Making<'_>) {
    let shared = &making.monitor.shared;
    let counters = &shared.counters;
    for (name, times) in [
        ("ReadBlockOp", &counters.read_ops),
        ("WriteBlockOp", &counters.write_ops),
        ("BlockChecksumOp", &counters.checksum_ops),
        ("CopyBlockOp", &counters.copy_ops),
        ("ReplaceBlockOp", &counters.replace_ops),
        ("CreateRbwOp", &counters.create_rbw),
        ("RecoverRbwOp", &counters.recover_rbw),
        ("CreateTemporaryOp", &counters.create_temporary),
        ("ConvertTemporaryToRbwOp", &counters.convert_temporary),
        ("FinalizeBlockOp", &counters.finalize),
    ] {
        making.millis(name, times);
    }
    let total =
        |times: &Histogram| u64::try_from(times.snapshot().total.as_millis()).unwrap_or(u64::MAX);
    making.count("TotalReadTime", total(&counters.read_ops));
    making.count("TotalWriteTime", total(&counters.write_ops));
    let mut syncs = HistogramSnapshot::default();
    shared.dataset.volumes.iter().for_each(|volume| syncs.add(&volume.syncs.snapshot()));
    making.count("FsyncCount", syncs.count);
    making.nanos("FsyncNanos", &syncs);
    making.nanos("FlushNanos", &counters.writes.snapshot());
    making.nanos("PacketAckRoundTripTimeNanos", &counters.packet_acks.snapshot());
    making.nanos("SendDataPacketBlockedOnNetworkNanos", &counters.network_waits.snapshot());
    making.nanos("SendDataPacketTransferNanos", &counters.packet_sends.snapshot());
    let rates = counters.transfer_rates.load(Ordering::Relaxed);
    let sum = counters.transfer_rate_sum.load(Ordering::Relaxed) as f64;
    let average = making.monitor.process.averages().of("ReadTransferRate", rates, sum);
    making.rate("ReadTransferRate", rates, average);
}

fn reports(making: &mut Making<'_>) {
    let counters = &making.monitor.shared.counters;
    for (name, times) in [
        ("Heartbeats", &counters.heartbeats),
        ("HeartbeatsTotal", &counters.heartbeats_total),
        ("BlockReports", &counters.reports),
        ("BlockReportsCreateCostMills", &counters.reports_made),
        ("IncrementalBlockReports", &counters.incremental_reports),
        ("ProcessedCommandsOp", &counters.commands),
    ] {
        making.millis(name, times);
    }
    making.count("NumProcessedCommands", counters.commands.snapshot().count);
    let pending: Vec<BlockEvent> =
        making.monitor.shared.actors().iter().flat_map(|actor| actor.pending_events()).collect();
    let of = |wanted| pending.iter().filter(|event| **event == wanted).count();
    making.count("BlocksInPendingIBR", pending.len());
    making.count("BlocksReceivingInPendingIBR", of(BlockEvent::Receiving));
    making.count("BlocksReceivedInPendingIBR", of(BlockEvent::Received));
    making.count("BlocksDeletedInPendingIBR", of(BlockEvent::Deleted));
}

/// True zeros. There is no one lock of the dataset, hence no wait for it; an order is performed when it comes, so none
/// is queued; the rest belongs to features that are not built.
fn not_built(making: &mut Making<'_>) {
    let counts = [
        "BlocksCached",
        "BlocksGetLocalPathInfo",
        "BlocksUncached",
        "EcDecodingTimeNanos",
        "EcFailedReconstructionTasks",
        "EcInvalidReconstructionTasks",
        "EcReconstructionBytesRead",
        "EcReconstructionBytesWritten",
        "EcReconstructionDecodingTimeMillis",
        "EcReconstructionReadTimeMillis",
        "EcReconstructionRemoteBytesRead",
        "EcReconstructionTasks",
        "EcReconstructionValidateTimeMillis",
        "EcReconstructionWriteTimeMillis",
        "NullStorageBlockReports",
        "RamDiskBlocksDeletedBeforeLazyPersisted",
        "RamDiskBlocksEvicted",
        "RamDiskBlocksEvictedWithoutRead",
        "RamDiskBlocksLazyPersisted",
        "RamDiskBlocksReadHits",
        "RamDiskBlocksWrite",
        "RamDiskBlocksWriteFallback",
        "RamDiskBytesLazyPersisted",
        "RamDiskBytesWrite",
        "ReplaceBlockOpOnSameMount",
        "SumOfActorCommandQueueLength",
    ];
    let rates = [
        "AcquireDatasetReadLock",
        "AcquireDatasetWriteLock",
        "CacheReports",
        "CheckAndUpdateOp",
        "Lifelines",
        "RamDiskBlocksEvictionWindowMs",
        "RamDiskBlocksLazyPersistWindowMs",
        "UnfinalizeBlockOp",
        "UpdateReplicaUnderRecoveryOp",
    ];
    making.zeros(&counts, &rates);
}

/// `DataNodeVolume-<folder>`. As in Hadoop, whose profiling of file IO is off by default, only some kinds are timed: here
/// it is the writes and syncs of blocks.
pub(super) fn volume(monitor: &Monitor, volume: &Volume) -> Bean {
    let path = volume.root.display().to_string();
    let name = format!("DataNodeVolume-{path}");
    let bean = Bean::new(format!("Hadoop:service=DataNode,name={name}"), name.clone())
        .with("tag.Context", "dfs")
        .with("tag.VolumeName", path)
        .with("tag.Hostname", host_name());
    let mut making = Making { monitor, name, bean };
    let (writes, syncs) = (volume.writes.snapshot(), volume.syncs.snapshot());
    let mut all = writes.clone();
    all.add(&syncs);
    making.count("TotalDataFileIos", all.count);
    making.count("TotalFileIoErrors", volume.errors.load(Ordering::Relaxed));
    making.count("TotalMetadataOperations", 0);
    making.nanos("DataFileIoRate", &all);
    making.nanos("WriteIoRate", &writes);
    making.nanos("SyncIoRate", &syncs);
    making.zeros(
        &[],
        &[
            "FileIoErrorRate",
            "FlushIoRate",
            "MetadataOperationRate",
            "NativeCopyIoRate",
            "ReadIoRate",
            "TransferIoRate",
        ],
    );
    making.bean
}
