//! What a DataNode counts.
//!
//! Streams move 64 KiB and more with each step that is counted, so shared counters cost nothing beside it.

use std::collections::BTreeMap;
use std::net::{IpAddr, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hdfs_rt::metrics::Histogram;
use parking_lot::Mutex;

/// Hosts whose network errors are told apart.
const MAX_HOSTS: usize = 1_024;

/// The counts of one DataNode.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Bytes of data that pipelines wrote here.
    pub bytes_written: AtomicU64,
    /// Bytes of data sent to readers.
    pub bytes_read: AtomicU64,
    /// Those of them that came from, and went to, other machines.
    pub remote_bytes_written: AtomicU64,
    pub remote_bytes_read: AtomicU64,
    /// Blocks written.
    pub blocks_written: AtomicU64,
    /// Reads served.
    pub blocks_read: AtomicU64,
    /// Blocks copied to other DataNodes.
    pub blocks_replicated: AtomicU64,
    /// Replicas that the block scanner found good, and corrupt.
    pub blocks_verified: AtomicU64,
    pub verification_failures: AtomicU64,
    /// Replicas deleted.
    pub blocks_removed: AtomicU64,
    /// Copies in flight.
    pub transfers: AtomicUsize,
    /// Packets whose checksums did not match.
    pub checksum_errors: AtomicU64,
    /// Packets that came.
    pub packets_received: AtomicU64,
    /// Steps over `dfs.datanode.slow.io.warning.threshold.ms`: passing packets on, writing them, syncing, acknowledging.
    pub slow_mirror: AtomicU64,
    pub slow_write: AtomicU64,
    pub slow_sync: AtomicU64,
    pub slow_ack: AtomicU64,
    /// Operations by clients on this machine and on others.
    pub reads_local: AtomicU64,
    pub reads_remote: AtomicU64,
    pub writes_local: AtomicU64,
    pub writes_remote: AtomicU64,
    /// Balancer's moves from another machine, and from this one.
    pub replaced_remote: AtomicU64,
    pub replaced_local: AtomicU64,
    /// Connections that failed.
    pub network_errors: AtomicU64,
    errors_by_host: Mutex<BTreeMap<IpAddr, u64>>,
    /// Going on now.
    pub active_reads: AtomicUsize,
    pub active_writes: AtomicUsize,
    pub responders: AtomicUsize,
    pub recoveries: AtomicUsize,
    /// Times of operations of the data port.
    pub read_ops: Histogram,
    pub write_ops: Histogram,
    pub checksum_ops: Histogram,
    pub copy_ops: Histogram,
    pub replace_ops: Histogram,
    /// Times of steps of them.
    pub create_rbw: Histogram,
    pub recover_rbw: Histogram,
    pub create_temporary: Histogram,
    pub convert_temporary: Histogram,
    pub finalize: Histogram,
    pub writes: Histogram,
    pub packet_acks: Histogram,
    pub packet_sends: Histogram,
    pub network_waits: Histogram,
    /// Kilobytes a second of reads, as the count and the sum.
    pub transfer_rates: AtomicU64,
    pub transfer_rate_sum: AtomicU64,
    /// Calls to NameNodes; a heartbeat alone, and with what is collected for it.
    pub heartbeats: Histogram,
    pub heartbeats_total: Histogram,
    pub reports: Histogram,
    pub reports_made: Histogram,
    pub incremental_reports: Histogram,
    pub commands: Histogram,
}

impl Counters {
    /// A connection with a peer failed.
    pub(crate) fn network_error(&self, peer: IpAddr) {
        self.network_errors.fetch_add(1, Ordering::Relaxed);
        let mut hosts = self.errors_by_host.lock();
        if hosts.len() < MAX_HOSTS || hosts.contains_key(&peer) {
            *hosts.entry(peer).or_default() += 1;
        }
    }

    /// Failed connections by peer.
    pub(crate) fn errors_by_host(&self) -> BTreeMap<IpAddr, u64> {
        self.errors_by_host.lock().clone()
    }

    /// A read of so many bytes took so long.
    pub(crate) fn read(&self, bytes: u64, took: Duration, stream: &TcpStream) {
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
        if is_local(stream) {
            self.reads_local.fetch_add(1, Ordering::Relaxed);
        } else {
            self.reads_remote.fetch_add(1, Ordering::Relaxed);
            self.remote_bytes_read.fetch_add(bytes, Ordering::Relaxed);
        }
        let seconds = took.as_secs_f64();
        if seconds > 0.0 {
            let kilobytes = (bytes as f64 / 1_000.0 / seconds) as u64;
            self.transfer_rates.fetch_add(1, Ordering::Relaxed);
            self.transfer_rate_sum.fetch_add(kilobytes, Ordering::Relaxed);
        }
    }

    /// A client wrote a block of so many bytes.
    pub(crate) fn written(&self, bytes: u64, stream: &TcpStream) {
        if is_local(stream) {
            self.writes_local.fetch_add(1, Ordering::Relaxed);
        } else {
            self.writes_remote.fetch_add(1, Ordering::Relaxed);
            self.remote_bytes_written.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// Both ends have the same address.
fn is_local(stream: &TcpStream) -> bool {
    match (stream.peer_addr(), stream.local_addr()) {
        (Ok(peer), Ok(local)) => peer.ip() == local.ip(),
        _ => false,
    }
}

/// One of something, until it is dropped.
pub(crate) struct Active<'a>(&'a AtomicUsize);

impl<'a> Active<'a> {
    pub(crate) fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
