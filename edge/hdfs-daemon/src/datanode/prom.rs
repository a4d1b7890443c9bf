//! The DataNode's numbers for Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

use hdfs_rt::http::{PromSource, PromText};
use hdfs_rt::metrics::Histogram;

use super::SOFTWARE_VERSION;
use super::metrics::Counters;
use super::web::Monitor;

impl PromSource for Monitor {
    fn write(&self, text: &mut PromText) {
        text.process("datanode", SOFTWARE_VERSION);
        text.http(&self.http);
        text.rpc(std::slice::from_ref(&self.ipc));
        let counters = &self.shared.counters;
        streams(text, self, counters);
        operations(text, counters);
        namenodes(text, counters);
        volumes(text, self);
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn streams(text: &mut PromText, monitor: &Monitor, counters: &Counters) {
    for (name, help, counter) in [
        ("hdfs_datanode_read_bytes_total", "Bytes sent to readers.", &counters.bytes_read),
        ("hdfs_datanode_written_bytes_total", "Bytes that came.", &counters.bytes_written),
        ("hdfs_datanode_blocks_read_total", "Reads of blocks.", &counters.blocks_read),
        ("hdfs_datanode_blocks_written_total", "Blocks written.", &counters.blocks_written),
        ("hdfs_datanode_blocks_replicated_total", "Blocks copied.", &counters.blocks_replicated),
        ("hdfs_datanode_blocks_removed_total", "Replicas deleted.", &counters.blocks_removed),
        ("hdfs_datanode_packets_received_total", "Packets that came.", &counters.packets_received),
        ("hdfs_datanode_checksum_errors_total", "Corrupt packets.", &counters.checksum_errors),
        ("hdfs_datanode_network_errors_total", "Failed streams.", &counters.network_errors),
    ] {
        text.counter(name, help, read(counter));
    }
    let name = "hdfs_datanode_slow_steps_total";
    text.family(name, "counter", "Steps of writes over dfs.datanode.slow.io.warning.threshold.ms.");
    for (step, counter) in [
        ("mirror", &counters.slow_mirror),
        ("write", &counters.slow_write),
        ("sync", &counters.slow_sync),
        ("ack", &counters.slow_ack),
    ] {
        text.sample(name, &[("step", step)], read(counter) as f64);
    }
    let name = "hdfs_datanode_block_streams";
    text.family(name, "gauge", "Block streams that are open, by kind.");
    for (kind, gauge) in [
        ("all", &monitor.shared.xceivers),
        ("read", &counters.active_reads),
        ("write", &counters.active_writes),
        ("copy", &counters.transfers),
    ] {
        text.sample(name, &[("kind", kind)], gauge.load(Ordering::Relaxed) as f64);
    }
}

fn operations(text: &mut PromText, counters: &Counters) {
    let name = "hdfs_datanode_operation_seconds";
    text.family(name, "histogram", "Operations of the data port, from request to end.");
    for (operation, times) in [
        ("read_block", &counters.read_ops),
        ("write_block", &counters.write_ops),
        ("block_checksum", &counters.checksum_ops),
        ("copy_block", &counters.copy_ops),
        ("replace_block", &counters.replace_ops),
    ] {
        text.histogram(name, &[("operation", operation)], &times.snapshot());
    }
    for (name, help, times) in [
        (
            "hdfs_datanode_packet_ack_seconds",
            "From passing packets on to the acknowledgement from below.",
            &counters.packet_acks,
        ),
        ("hdfs_datanode_packet_write_seconds", "Writes of packets to files.", &counters.writes),
        (
            "hdfs_datanode_packet_send_seconds",
            "Packets sent, with their reads.",
            &counters.packet_sends,
        ),
        (
            "hdfs_datanode_block_finalize_seconds",
            "Blocks ended, with their syncs.",
            &counters.finalize,
        ),
    ] {
        text.times(name, help, &times.snapshot());
    }
}

fn namenodes(text: &mut PromText, counters: &Counters) {
    let name = "hdfs_datanode_namenode_call_seconds";
    text.family(name, "histogram", "Calls to NameNodes.");
    let calls: [(&str, &Histogram); 3] = [
        ("heartbeat", &counters.heartbeats),
        ("block_report", &counters.reports),
        ("incremental_report", &counters.incremental_reports),
    ];
    for (call, times) in calls {
        text.histogram(name, &[("call", call)], &times.snapshot());
    }
    let orders = counters.commands.snapshot().count;
    text.counter("hdfs_datanode_orders_total", "Orders of NameNodes.", orders);
}

fn volumes(text: &mut PromText, monitor: &Monitor) {
    let volumes = &monitor.shared.dataset.volumes;
    let name = "hdfs_datanode_volume_failed";
    text.family(name, "gauge", "1 for a volume that failed.");
    for volume in volumes.iter() {
        let path = volume.root.display().to_string();
        let failed = if volume.has_failed() { 1.0 } else { 0.0 };
        text.sample(name, &[("volume", &path)], failed);
    }
    let at_start = monitor.shared.dataset.failed_at_start().len() as f64;
    let help = "Folders that could not be used at the start.";
    text.gauge("hdfs_datanode_volumes_failed_at_start", help, at_start);
    let name = "hdfs_datanode_volume_space_bytes";
    text.family(name, "gauge", "Space of a volume, by use.");
    for volume in volumes.iter().filter(|volume| !volume.has_failed()) {
        let Ok(space) = volume.space() else { continue };
        let path = volume.root.display().to_string();
        for (kind, bytes) in [
            ("capacity", space.capacity),
            ("used", space.dfs_used),
            ("remaining", space.remaining),
            ("non_dfs", space.non_dfs_used),
        ] {
            text.sample(name, &[("volume", &path), ("use", kind)], bytes as f64);
        }
    }
    let name = "hdfs_datanode_volume_blocks";
    text.family(name, "gauge", "Replicas on a volume.");
    for volume in volumes.iter().filter(|volume| !volume.has_failed()) {
        let path = volume.root.display().to_string();
        let blocks = monitor.shared.blocks_on(volume.index) as f64;
        text.sample(name, &[("volume", &path)], blocks);
    }
    let name = "hdfs_datanode_volume_sync_seconds";
    text.family(name, "histogram", "Syncs of blocks, by volume.");
    for volume in volumes.iter() {
        let path = volume.root.display().to_string();
        text.histogram(name, &[("volume", &path)], &volume.syncs.snapshot());
    }
}
