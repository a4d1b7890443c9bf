//! Keys of the DataNode.

use super::keys;

keys! { DATANODE:
    /// Volumes: folders, each with an optional [TYPE] in front.
    DFS_DATANODE_DATA_DIR = "dfs.datanode.data.dir", List, "file://${hadoop.tmp.dir}/dfs/data", was "dfs.data.dir";
    /// Mode of the volumes' folders, octal.
    DFS_DATANODE_DATA_DIR_PERM = "dfs.datanode.data.dir.perm", Text, "700";
    /// Host and port of data transfer.
    DFS_DATANODE_ADDRESS = "dfs.datanode.address", Text, "0.0.0.0:9866";
    /// Host and port of RPC.
    DFS_DATANODE_IPC_ADDRESS = "dfs.datanode.ipc.address", Text, "0.0.0.0:9867";
    /// Host and port of the web server.
    DFS_DATANODE_HTTP_ADDRESS = "dfs.datanode.http.address", Text, "0.0.0.0:9864";
    /// Host and port of the TLS web server.
    DFS_DATANODE_HTTPS_ADDRESS = "dfs.datanode.https.address", Text, "0.0.0.0:9865";
    /// Name that the DataNode registers under.
    DFS_DATANODE_HOSTNAME = "dfs.datanode.hostname", Text, none, was "slave.host.name";
    /// Network interface whose name the DataNode registers under.
    DFS_DATANODE_DNS_INTERFACE = "dfs.datanode.dns.interface", Text, "default";
    /// Name server that tells that name.
    DFS_DATANODE_DNS_NAMESERVER = "dfs.datanode.dns.nameserver", Text, "default";
    /// Handlers of RPC.
    DFS_DATANODE_HANDLER_COUNT = "dfs.datanode.handler.count", Int, "10";
    /// Data transfers at once.
    DFS_DATANODE_MAX_TRANSFER_THREADS = "dfs.datanode.max.transfer.threads", Int, "4096", was "dfs.datanode.max.xcievers";
    /// Whether a closed block is on disk before its last acknowledgement.
    DFS_DATANODE_SYNCONCLOSE = "dfs.datanode.synconclose", Bool, "false";
    /// Whether written data is handed to the disk at once.
    DFS_DATANODE_SYNC_BEHIND_WRITES = "dfs.datanode.sync.behind.writes", Bool, "false";
    /// Whether that happens in the background.
    DFS_DATANODE_SYNC_BEHIND_WRITES_IN_BACKGROUND = "dfs.datanode.sync.behind.writes.in.background", Bool, "false";
    /// Whether read data leaves the page cache.
    DFS_DATANODE_DROP_CACHE_BEHIND_READS = "dfs.datanode.drop.cache.behind.reads", Bool, "false";
    /// Whether written data leaves the page cache.
    DFS_DATANODE_DROP_CACHE_BEHIND_WRITES = "dfs.datanode.drop.cache.behind.writes", Bool, "false";
    /// Bytes that a reader reads ahead.
    DFS_DATANODE_READAHEAD_BYTES = "dfs.datanode.readahead.bytes", Int, "4194304";
    /// Whether the kernel copies blocks to sockets.
    DFS_DATANODE_TRANSFER_TO_ALLOWED = "dfs.datanode.transferTo.allowed", Bool, "true";
    /// Send buffer of data sockets; 0 lets the kernel choose.
    DFS_DATANODE_TRANSFER_SOCKET_SEND_BUFFER_SIZE = "dfs.datanode.transfer.socket.send.buffer.size", Int, "0";
    /// Receive buffer of data sockets; 0 lets the kernel choose.
    DFS_DATANODE_TRANSFER_SOCKET_RECV_BUFFER_SIZE = "dfs.datanode.transfer.socket.recv.buffer.size", Int, "0";
    /// Time limit of writing to a data socket.
    DFS_DATANODE_SOCKET_WRITE_TIMEOUT = "dfs.datanode.socket.write.timeout", Time(Millis), "480000";
    /// How long an idle data connection stays open.
    DFS_DATANODE_SOCKET_REUSE_KEEPALIVE = "dfs.datanode.socket.reuse.keepalive", Time(Millis), "4000";
    /// Whether data sockets disable Nagle's algorithm.
    DFS_DATA_TRANSFER_SERVER_TCPNODELAY = "dfs.data.transfer.server.tcpnodelay", Bool, "true";
    /// Largest packet that is accepted, in bytes.
    DFS_DATA_TRANSFER_MAX_PACKET_SIZE = "dfs.data.transfer.max.packet.size", Int, "16777216";
    /// Bytes of each volume that HDFS leaves free.
    DFS_DATANODE_DU_RESERVED = "dfs.datanode.du.reserved", Bytes, "0";
    /// Per cent of each volume that HDFS leaves free.
    DFS_DATANODE_DU_RESERVED_PCT = "dfs.datanode.du.reserved.pct", Int, "0";
    /// Volumes that may fail before the DataNode stops.
    DFS_DATANODE_FAILED_VOLUMES_TOLERATED = "dfs.datanode.failed.volumes.tolerated", Int, "0";
    /// Class that chooses the volume of a new block.
    DFS_DATANODE_FSDATASET_VOLUME_CHOOSING_POLICY = "dfs.datanode.fsdataset.volume.choosing.policy", Text, none;
    /// Spare bytes that a volume needs beyond the block.
    DFS_DATANODE_ROUND_ROBIN_VOLUME_CHOOSING_POLICY_ADDITIONAL_AVAILABLE_SPACE = "dfs.datanode.round-robin-volume-choosing-policy.additional-available-space", Int, "1073741824";
    /// Volumes count as balanced within so many bytes.
    DFS_DATANODE_AVAILABLE_SPACE_VOLUME_CHOOSING_POLICY_BALANCED_SPACE_THRESHOLD = "dfs.datanode.available-space-volume-choosing-policy.balanced-space-threshold", Bytes, "10737418240";
    /// Part of the blocks that goes to emptier volumes.
    DFS_DATANODE_AVAILABLE_SPACE_VOLUME_CHOOSING_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION = "dfs.datanode.available-space-volume-choosing-policy.balanced-space-preference-fraction", Float, "0.75f";
    /// Least time between two checks of a volume.
    DFS_DATANODE_DISK_CHECK_MIN_GAP = "dfs.datanode.disk.check.min.gap", Time(Millis), "15m";
    /// Time limit of checking a volume.
    DFS_DATANODE_DISK_CHECK_TIMEOUT = "dfs.datanode.disk.check.timeout", Time(Millis), "10m";
    /// Time between two comparisons of memory and disk.
    DFS_DATANODE_DIRECTORYSCAN_INTERVAL = "dfs.datanode.directoryscan.interval", Time(Seconds), "21600";
    /// Threads of that comparison.
    DFS_DATANODE_DIRECTORYSCAN_THREADS = "dfs.datanode.directoryscan.threads", Int, "1";
    /// Milliseconds of each second that it may use.
    DFS_DATANODE_DIRECTORYSCAN_THROTTLE_LIMIT_MS_PER_SEC = "dfs.datanode.directoryscan.throttle.limit.ms.per.sec", Int, "1000";
    /// Hours in which every block is read and checked; negative disables it.
    DFS_DATANODE_SCAN_PERIOD_HOURS = "dfs.datanode.scan.period.hours", Int, "504";
    /// Bytes a second of that check on each volume.
    DFS_BLOCK_SCANNER_VOLUME_BYTES_PER_SECOND = "dfs.block.scanner.volume.bytes.per.second", Int, "1048576";
    /// Whether the scanner leaves blocks out that somebody read within a scan period.
    DFS_BLOCK_SCANNER_SKIP_RECENT_ACCESSED = "dfs.block.scanner.skip.recent.accessed", Bool, "false";
    /// Time between two full block reports.
    DFS_BLOCKREPORT_INTERVAL_MSEC = "dfs.blockreport.intervalMsec", Time(Millis), "21600000";
    /// Random delay of the first full block report, at most.
    DFS_BLOCKREPORT_INITIAL_DELAY = "dfs.blockreport.initialDelay", Time(Seconds), "0";
    /// Blocks above which each volume reports by itself.
    DFS_BLOCKREPORT_SPLIT_THRESHOLD = "dfs.blockreport.split.threshold", Int, "1000000";
    /// Time that incremental reports are gathered.
    DFS_BLOCKREPORT_INCREMENTAL_INTERVAL_MSEC = "dfs.blockreport.incremental.intervalMsec", Time(Millis), "0";
    /// How long a request waits for the DataNode to be registered.
    DFS_DATANODE_BP_READY_TIMEOUT = "dfs.datanode.bp-ready.timeout", Time(Seconds), "20";
    /// Time between two lifelines; unset: three heartbeats.
    DFS_DATANODE_LIFELINE_INTERVAL_SECONDS = "dfs.datanode.lifeline.interval.seconds", Time(Seconds), none;
    /// How often slow peers and disks are reported.
    DFS_DATANODE_OUTLIERS_REPORT_INTERVAL = "dfs.datanode.outliers.report.interval", Time(Millis), "30m";
    /// Whether slow peers are looked for.
    DFS_DATANODE_PEER_STATS_ENABLED = "dfs.datanode.peer.stats.enabled", Bool, "false";
    /// Bytes a second that balancing may use.
    DFS_DATANODE_BALANCE_BANDWIDTH_PER_SEC = "dfs.datanode.balance.bandwidthPerSec", Bytes, "100m", was "dfs.balance.bandwidthPerSec";
    /// Blocks moved by balancing at once.
    DFS_DATANODE_BALANCE_MAX_CONCURRENT_MOVES = "dfs.datanode.balance.max.concurrent.moves", Int, "100";
    /// Bytes a second of transfers between DataNodes; 0 for no limit.
    DFS_DATANODE_DATA_TRANSFER_BANDWIDTH_PER_SEC = "dfs.datanode.data.transfer.bandwidthPerSec", Bytes, "0";
    /// Bytes a second of writes; 0 for no limit.
    DFS_DATANODE_DATA_WRITE_BANDWIDTH_PER_SEC = "dfs.datanode.data.write.bandwidthPerSec", Bytes, "0";
    /// Bytes a second of reads; 0 for no limit.
    DFS_DATANODE_DATA_READ_BANDWIDTH_PER_SEC = "dfs.datanode.data.read.bandwidthPerSec", Bytes, "0";
    /// Threads that delete blocks of one volume.
    DFS_DATANODE_FSDATASETASYNCDISK_MAX_THREADS_PER_VOLUME = "dfs.datanode.fsdatasetasyncdisk.max.threads.per.volume", Int, "4";
    /// Whether DataNodes reach each other by host name.
    DFS_DATANODE_USE_DATANODE_HOSTNAME = "dfs.datanode.use.datanode.hostname", Bool, "false";
    /// Bytes of memory for cached and memory-backed blocks.
    DFS_DATANODE_MAX_LOCKED_MEMORY = "dfs.datanode.max.locked.memory", Bytes, "0";
    /// Age up to which the used space saved at shutdown is trusted.
    DFS_DATANODE_CACHED_DFSUSED_CHECK_INTERVAL_MS = "dfs.datanode.cached-dfsused.check.interval.ms", Time(Millis), "600000";
    /// Age up to which the replica list saved at shutdown is trusted.
    DFS_DATANODE_REPLICA_CACHE_EXPIRY_TIME = "dfs.datanode.replica.cache.expiry.time", Time(Millis), "5m";
    /// Folder of the replica list; unset: that of the block pool.
    DFS_DATANODE_REPLICA_CACHE_ROOT_DIR = "dfs.datanode.replica.cache.root.dir", Text, none;
    /// How long a block being written survives an upgrade restart.
    DFS_DATANODE_RESTART_REPLICA_EXPIRATION = "dfs.datanode.restart.replica.expiration", Time(Seconds), "50";
    /// A slower disk or network operation is logged.
    DFS_DATANODE_SLOW_IO_WARNING_THRESHOLD_MS = "dfs.datanode.slow.io.warning.threshold.ms", Time(Millis), "300";
    /// Commands that take longer are logged.
    DFS_DATANODE_PROCESSCOMMANDS_THRESHOLD = "dfs.datanode.processcommands.threshold", Time(Millis), "2s";
    /// How often metrics are logged; 0 for never.
    DFS_DATANODE_METRICS_LOGGER_PERIOD_SECONDS = "dfs.datanode.metrics.logger.period.seconds", Time(Seconds), "600";
    /// Threads of the upgrade to the layout by block id.
    DFS_DATANODE_BLOCK_ID_LAYOUT_UPGRADE_THREADS = "dfs.datanode.block.id.layout.upgrade.threads", Int, "6";
    /// Whether blocks on favoured DataNodes are pinned.
    DFS_DATANODE_BLOCK_PINNING_ENABLED = "dfs.datanode.block-pinning.enabled", Bool, "false";
    /// Wait for each kind of restart message to reach writers, in milliseconds.
    DFS_DATANODE_OOB_TIMEOUT_MS = "dfs.datanode.oob.timeout-ms", List, "1500,0,0,0";
    /// Folders of the memory that is shared with local readers.
    DFS_DATANODE_SHARED_FILE_DESCRIPTOR_PATHS = "dfs.datanode.shared.file.descriptor.paths", List, "/dev/shm,/tmp";
    /// Kerberos principal of the DataNode.
    DFS_DATANODE_KERBEROS_PRINCIPAL = "dfs.datanode.kerberos.principal", Text, none;
    /// Keytab of the DataNode.
    DFS_DATANODE_KEYTAB_FILE = "dfs.datanode.keytab.file", Text, none;
    /// Block lists that balancers may ask for a second.
    DFS_NAMENODE_GET_BLOCKS_MAX_QPS = "dfs.namenode.get-blocks.max-qps", Int, "20";
}
