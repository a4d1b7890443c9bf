//! Keys of the HDFS client.

use super::keys;

keys! { CLIENT:
    /// Size of the packets that a writer sends, in bytes.
    DFS_CLIENT_WRITE_PACKET_SIZE = "dfs.client-write-packet-size", Int, "65536", was "dfs.write.packet.size";
    /// Packets that a writer may have unacknowledged.
    DFS_CLIENT_WRITE_MAX_PACKETS_IN_FLIGHT = "dfs.client.write.max-packets-in-flight", Int, "80";
    /// How long a writer avoids a DataNode that failed.
    DFS_CLIENT_WRITE_EXCLUDE_NODES_CACHE_EXPIRY_INTERVAL_MILLIS = "dfs.client.write.exclude.nodes.cache.expiry.interval.millis", Time(Millis), "600000";
    /// Whether a failed close starts lease recovery.
    DFS_CLIENT_WRITE_RECOVER_LEASE_ON_CLOSE_EXCEPTION = "dfs.client.write.recover.lease.on.close.exception", Bool, "false";
    /// Whether Java's writer recycles its buffers.
    DFS_CLIENT_WRITE_BYTE_ARRAY_MANAGER_ENABLED = "dfs.client.write.byte-array-manager.enabled", Bool, "false";
    /// Time limit of reading from a DataNode.
    DFS_CLIENT_SOCKET_TIMEOUT = "dfs.client.socket-timeout", Time(Millis), "60000", was "dfs.socket.timeout";
    /// Send buffer of sockets to DataNodes, in bytes; 0 lets the kernel choose.
    DFS_CLIENT_SOCKET_SEND_BUFFER_SIZE = "dfs.client.socket.send.buffer.size", Int, "0";
    /// Idle DataNode connections that are kept.
    DFS_CLIENT_SOCKETCACHE_CAPACITY = "dfs.client.socketcache.capacity", Int, "16";
    /// How long an idle DataNode connection is kept.
    DFS_CLIENT_SOCKETCACHE_EXPIRY_MSEC = "dfs.client.socketcache.expiryMsec", Time(Millis), "3000";
    /// Attempts to get a new block when a pipeline cannot be built.
    DFS_CLIENT_BLOCK_WRITE_RETRIES = "dfs.client.block.write.retries", Int, "3";
    /// Attempts of addBlock and complete while the block before lacks replicas.
    DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_RETRIES = "dfs.client.block.write.locateFollowingBlock.retries", Int, "5";
    /// First pause between those attempts; it doubles.
    DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_INITIAL_DELAY_MS = "dfs.client.block.write.locateFollowingBlock.initial.delay.ms", Time(Millis), "400";
    /// Longest pause between those attempts.
    DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_MAX_DELAY_MS = "dfs.client.block.write.locateFollowingBlock.max.delay.ms", Time(Millis), "60000";
    /// Whether a failed DataNode of a pipeline is replaced.
    DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_ENABLE = "dfs.client.block.write.replace-datanode-on-failure.enable", Bool, "true";
    /// When it is replaced: NEVER, DEFAULT or ALWAYS.
    DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_POLICY = "dfs.client.block.write.replace-datanode-on-failure.policy", Text, "DEFAULT";
    /// Whether writing goes on when there is no replacement.
    DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_BEST_EFFORT = "dfs.client.block.write.replace-datanode-on-failure.best-effort", Bool, "false";
    /// Least DataNodes with which writing goes on; 0 for the policy alone.
    DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_MIN_REPLICATION = "dfs.client.block.write.replace-datanode-on-failure.min-replication", Int, "0";
    /// Recoveries of one packet before the writer gives up.
    DFS_CLIENT_PIPELINE_RECOVERY_MAX_RETRIES = "dfs.client.pipeline.recovery.max-retries", Int, "5";
    /// Rounds over all replicas before a read fails.
    DFS_CLIENT_MAX_BLOCK_ACQUIRE_FAILURES = "dfs.client.max.block.acquire.failures", Int, "3";
    /// Base of the random pause between those rounds.
    DFS_CLIENT_RETRY_WINDOW_BASE = "dfs.client.retry.window.base", Time(Millis), "3000";
    /// Attempts of a call without failover.
    DFS_CLIENT_RETRY_MAX_ATTEMPTS = "dfs.client.retry.max.attempts", Int, "10";
    /// Whether calls are retried as the specification says.
    DFS_CLIENT_RETRY_POLICY_ENABLED = "dfs.client.retry.policy.enabled", Bool, "false";
    /// Pairs of pause in milliseconds and attempts.
    DFS_CLIENT_RETRY_POLICY_SPEC = "dfs.client.retry.policy.spec", Text, "10000,6,60000,10";
    /// Attempts to learn the length of a block being written.
    DFS_CLIENT_RETRY_TIMES_GET_LAST_BLOCK_LENGTH = "dfs.client.retry.times.get-last-block-length", Int, "3";
    /// Pause between those attempts.
    DFS_CLIENT_RETRY_INTERVAL_MS_GET_LAST_BLOCK_LENGTH = "dfs.client.retry.interval-ms.get-last-block-length", Time(Millis), "4000";
    /// Bytes whose block locations an open asks for; ten blocks when unset.
    DFS_CLIENT_READ_PREFETCH_SIZE = "dfs.client.read.prefetch.size", Int, none, was "dfs.read.prefetch.size";
    /// Whether local replicas are read past the DataNode.
    DFS_CLIENT_READ_SHORTCIRCUIT = "dfs.client.read.shortcircuit", Bool, "false";
    /// Whether such reads skip checksums.
    DFS_CLIENT_READ_SHORTCIRCUIT_SKIP_CHECKSUM = "dfs.client.read.shortcircuit.skip.checksum", Bool, "false";
    /// Buffer of such reads, in bytes.
    DFS_CLIENT_READ_SHORTCIRCUIT_BUFFER_SIZE = "dfs.client.read.shortcircuit.buffer.size", Int, "1048576";
    /// Open local replicas that are kept.
    DFS_CLIENT_READ_SHORTCIRCUIT_STREAMS_CACHE_SIZE = "dfs.client.read.shortcircuit.streams.cache.size", Int, "256";
    /// How long an open local replica is kept.
    DFS_CLIENT_READ_SHORTCIRCUIT_STREAMS_CACHE_EXPIRY_MS = "dfs.client.read.shortcircuit.streams.cache.expiry.ms", Time(Millis), "300000";
    /// Whether block data of remote reads uses the local socket.
    DFS_CLIENT_DOMAIN_SOCKET_DATA_TRAFFIC = "dfs.client.domain.socket.data.traffic", Bool, "false";
    /// Buffer for draining remote readers, in bytes.
    DFS_CLIENT_BLOCK_READER_REMOTE_BUFFER_SIZE = "dfs.client.block.reader.remote.buffer.size", Int, "512";
    /// How often open files refresh block locations; 0 for never.
    DFS_CLIENT_REFRESH_READ_BLOCK_LOCATIONS_MS = "dfs.client.refresh.read-block-locations.ms", Time(Millis), "0";
    /// Whether clients reach DataNodes by host name.
    DFS_CLIENT_USE_DATANODE_HOSTNAME = "dfs.client.use.datanode.hostname", Bool, "false";
    /// How long a writer waits for a DataNode that restarts.
    DFS_CLIENT_DATANODE_RESTART_TIMEOUT = "dfs.client.datanode-restart.timeout", Time(Seconds), "30";
    /// A DataNode operation that takes longer is logged.
    DFS_CLIENT_SLOW_IO_WARNING_THRESHOLD_MS = "dfs.client.slow.io.warning.threshold.ms", Time(Millis), "30000";
    /// Whether DataNodes drop what was read from the page cache.
    DFS_CLIENT_CACHE_DROP_BEHIND_READS = "dfs.client.cache.drop.behind.reads", Bool, none;
    /// Whether DataNodes drop what was written from the page cache.
    DFS_CLIENT_CACHE_DROP_BEHIND_WRITES = "dfs.client.cache.drop.behind.writes", Bool, none;
    /// Bytes that DataNodes read ahead.
    DFS_CLIENT_CACHE_READAHEAD = "dfs.client.cache.readahead", Bytes, none;
    /// Name of the shared resources of a client.
    DFS_CLIENT_CONTEXT = "dfs.client.context", Text, "default";
    /// Failovers before a call fails.
    DFS_CLIENT_FAILOVER_MAX_ATTEMPTS = "dfs.client.failover.max.attempts", Int, "15";
    /// Base of the growing pause between failovers.
    DFS_CLIENT_FAILOVER_SLEEP_BASE_MILLIS = "dfs.client.failover.sleep.base.millis", Time(Millis), "500";
    /// Longest pause between failovers.
    DFS_CLIENT_FAILOVER_SLEEP_MAX_MILLIS = "dfs.client.failover.sleep.max.millis", Time(Millis), "15000";
    /// Connection attempts before a failover.
    DFS_CLIENT_FAILOVER_CONNECTION_RETRIES = "dfs.client.failover.connection.retries", Int, "0";
    /// Connection attempts after time-outs before a failover.
    DFS_CLIENT_FAILOVER_CONNECTION_RETRIES_ON_TIMEOUTS = "dfs.client.failover.connection.retries.on.timeouts", Int, "0";
    /// Whether clients try the NameNodes in random order.
    DFS_CLIENT_FAILOVER_RANDOM_ORDER = "dfs.client.failover.random.order", Bool, "true";
    /// Whether a host name of several NameNodes is resolved.
    DFS_CLIENT_FAILOVER_RESOLVE_NEEDED = "dfs.client.failover.resolve-needed", Bool, "false";
    /// Threads of hedged reads; 0 disables them.
    DFS_CLIENT_HEDGED_READ_THREADPOOL_SIZE = "dfs.client.hedged.read.threadpool.size", Int, "0";
    /// Wait before a second replica is asked.
    DFS_CLIENT_HEDGED_READ_THRESHOLD_MILLIS = "dfs.client.hedged.read.threshold.millis", Time(Millis), "500";
    /// Whether the streams of a client share what they know of dead DataNodes.
    DFS_CLIENT_DEADNODE_DETECTION_ENABLED = "dfs.client.deadnode.detection.enabled", Bool, "false";
    /// How long the server's defaults are remembered.
    DFS_CLIENT_SERVER_DEFAULTS_VALIDITY_PERIOD_MS = "dfs.client.server-defaults.validity.period.ms", Time(Millis), "3600000";
    /// Time limit of fsck's connection.
    DFS_CLIENT_FSCK_CONNECT_TIMEOUT = "dfs.client.fsck.connect.timeout", Time(Millis), "60000ms";
    /// Time limit of fsck's answer.
    DFS_CLIENT_FSCK_READ_TIMEOUT = "dfs.client.fsck.read.timeout", Time(Millis), "60000ms";
    /// Whether clients disable Nagle's algorithm towards DataNodes.
    DFS_DATA_TRANSFER_CLIENT_TCPNODELAY = "dfs.data.transfer.client.tcpnodelay", Bool, "true";
    /// Inodes that a summary counts before it yields the lock.
    DFS_CONTENT_SUMMARY_LIMIT = "dfs.content-summary.limit", Int, "5000";
    /// How long it yields, in microseconds.
    DFS_CONTENT_SUMMARY_SLEEP_MICROSEC = "dfs.content-summary.sleep-microsec", Int, "500";
}
