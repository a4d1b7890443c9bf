//! Keys of the NameNode.

use super::keys;

keys! { NAMENODE:
    /// Host and port of client RPC; without it, that of fs.defaultFS.
    DFS_NAMENODE_RPC_ADDRESS = "dfs.namenode.rpc-address", Text, none;
    /// Address to bind client RPC to, instead of its host.
    DFS_NAMENODE_RPC_BIND_HOST = "dfs.namenode.rpc-bind-host", Text, none;
    /// Host and port of the RPC of DataNodes and daemons; unset: they share client RPC.
    DFS_NAMENODE_SERVICERPC_ADDRESS = "dfs.namenode.servicerpc-address", Text, none;
    /// Address to bind service RPC to, instead of its host.
    DFS_NAMENODE_SERVICERPC_BIND_HOST = "dfs.namenode.servicerpc-bind-host", Text, none;
    /// Host and port of the lifeline RPC; unset: none.
    DFS_NAMENODE_LIFELINE_RPC_ADDRESS = "dfs.namenode.lifeline.rpc-address", Text, none;
    /// Address to bind lifeline RPC to.
    DFS_NAMENODE_LIFELINE_RPC_BIND_HOST = "dfs.namenode.lifeline.rpc-bind-host", Text, none;
    /// Handlers of the lifeline RPC.
    DFS_NAMENODE_LIFELINE_HANDLER_COUNT = "dfs.namenode.lifeline.handler.count", Int, none;
    /// More ports of client RPC.
    DFS_NAMENODE_RPC_ADDRESS_AUXILIARY_PORTS = "dfs.namenode.rpc-address.auxiliary-ports", List, none;
    /// Host and port of the web server.
    DFS_NAMENODE_HTTP_ADDRESS = "dfs.namenode.http-address", Text, "0.0.0.0:9870", was "dfs.http.address";
    /// Address to bind the web server to, instead of its host.
    DFS_NAMENODE_HTTP_BIND_HOST = "dfs.namenode.http-bind-host", Text, none;
    /// Host and port of the TLS web server.
    DFS_NAMENODE_HTTPS_ADDRESS = "dfs.namenode.https-address", Text, "0.0.0.0:9871", was "dfs.https.address";
    /// Address to bind the TLS web server to.
    DFS_NAMENODE_HTTPS_BIND_HOST = "dfs.namenode.https-bind-host", Text, none;
    /// Host and port of the checkpointing daemon's web server.
    DFS_NAMENODE_SECONDARY_HTTP_ADDRESS = "dfs.namenode.secondary.http-address", Text, "0.0.0.0:9868", was "dfs.secondary.http.address";
    /// Handlers of client RPC.
    DFS_NAMENODE_HANDLER_COUNT = "dfs.namenode.handler.count", Int, "10";
    /// Handlers of service RPC.
    DFS_NAMENODE_SERVICE_HANDLER_COUNT = "dfs.namenode.service.handler.count", Int, "10";
    /// Folders that hold the image, and the edits unless these have folders of their own.
    DFS_NAMENODE_NAME_DIR = "dfs.namenode.name.dir", List, "file://${hadoop.tmp.dir}/dfs/name", was "dfs.name.dir";
    /// Folders that hold the edit log.
    DFS_NAMENODE_EDITS_DIR = "dfs.namenode.edits.dir", List, "${dfs.namenode.name.dir}", was "dfs.name.edits.dir";
    /// Edit folders without which the NameNode stops.
    DFS_NAMENODE_EDITS_DIR_REQUIRED = "dfs.namenode.edits.dir.required", List, none;
    /// Least edit folders with which the NameNode goes on.
    DFS_NAMENODE_EDITS_DIR_MINIMUM = "dfs.namenode.edits.dir.minimum", Int, "1";
    /// Edit log that several NameNodes share.
    DFS_NAMENODE_SHARED_EDITS_DIR = "dfs.namenode.shared.edits.dir", List, none;
    /// Whether a failed name folder is tried again at checkpoints.
    DFS_NAMENODE_NAME_DIR_RESTORE = "dfs.namenode.name.dir.restore", Bool, "false", was "dfs.name.dir.restore";
    /// Mode of the NameNode's folders, octal.
    DFS_NAMENODE_STORAGE_DIR_PERM = "dfs.namenode.storage.dir.perm", Text, "700";
    /// Whether the NameNode may be formatted.
    DFS_NAMENODE_SUPPORT_ALLOW_FORMAT = "dfs.namenode.support.allow.format", Bool, "true";
    /// Whether a NameNode with metadata may not be formatted again.
    DFS_REFORMAT_DISABLED = "dfs.reformat.disabled", Bool, "false";
    /// Whether edits are logged without blocking handlers; here always so.
    DFS_NAMENODE_EDITS_ASYNCLOGGING = "dfs.namenode.edits.asynclogging", Bool, "true";
    /// Edits that may wait for the log.
    DFS_NAMENODE_EDITS_ASYNCLOGGING_PENDING_QUEUE_SIZE = "dfs.namenode.edits.asynclogging.pending.queue.size", Int, "4096";
    /// Whether the edit log is left to the kernel; only for tests.
    DFS_NAMENODE_EDITS_NOEDITLOGCHANNELFLUSH = "dfs.namenode.edits.noeditlogchannelflush", Bool, "false";
    /// Largest edit that is read, in bytes.
    DFS_NAMENODE_MAX_OP_SIZE = "dfs.namenode.max.op.size", Int, "52428800";
    /// An edit segment is rolled at this multiple of the checkpoint's transactions.
    DFS_NAMENODE_EDIT_LOG_AUTOROLL_MULTIPLIER_THRESHOLD = "dfs.namenode.edit.log.autoroll.multiplier.threshold", Float, "0.5";
    /// How often that is checked.
    DFS_NAMENODE_EDIT_LOG_AUTOROLL_CHECK_INTERVAL_MS = "dfs.namenode.edit.log.autoroll.check.interval.ms", Time(Millis), "300000";
    /// Folders of a checkpointing daemon's image.
    DFS_NAMENODE_CHECKPOINT_DIR = "dfs.namenode.checkpoint.dir", List, "file://${hadoop.tmp.dir}/dfs/namesecondary", was "fs.checkpoint.dir";
    /// Folders of a checkpointing daemon's edits.
    DFS_NAMENODE_CHECKPOINT_EDITS_DIR = "dfs.namenode.checkpoint.edits.dir", List, "${dfs.namenode.checkpoint.dir}", was "fs.checkpoint.edits.dir";
    /// Longest time between two checkpoints.
    DFS_NAMENODE_CHECKPOINT_PERIOD = "dfs.namenode.checkpoint.period", Time(Seconds), "3600", was "fs.checkpoint.period";
    /// Most transactions between two checkpoints.
    DFS_NAMENODE_CHECKPOINT_TXNS = "dfs.namenode.checkpoint.txns", Int, "1000000";
    /// How often it is checked whether a checkpoint is due.
    DFS_NAMENODE_CHECKPOINT_CHECK_PERIOD = "dfs.namenode.checkpoint.check.period", Time(Seconds), "60";
    /// Attempts of a checkpoint.
    DFS_NAMENODE_CHECKPOINT_MAX_RETRIES = "dfs.namenode.checkpoint.max-retries", Int, "3";
    /// Images that are kept.
    DFS_NAMENODE_NUM_CHECKPOINTS_RETAINED = "dfs.namenode.num.checkpoints.retained", Int, "2";
    /// Transactions that are kept beyond what the oldest image needs.
    DFS_NAMENODE_NUM_EXTRA_EDITS_RETAINED = "dfs.namenode.num.extra.edits.retained", Int, "1000000";
    /// Segments that are kept beyond what the oldest image needs.
    DFS_NAMENODE_MAX_EXTRA_EDITS_SEGMENTS_RETAINED = "dfs.namenode.max.extra.edits.segments.retained", Int, "10000";
    /// At shutdown an image is saved when so many checkpoint periods were missed.
    DFS_NAMENODE_MISSING_CHECKPOINT_PERIODS_BEFORE_SHUTDOWN = "dfs.namenode.missing.checkpoint.periods.before.shutdown", Int, "3";
    /// Whether images are compressed.
    DFS_IMAGE_COMPRESS = "dfs.image.compress", Bool, "false";
    /// Codec of compressed images.
    DFS_IMAGE_COMPRESSION_CODEC = "dfs.image.compression.codec", Text, "org.apache.hadoop.io.compress.DefaultCodec";
    /// Whether images are written so that they can be loaded in parallel.
    DFS_IMAGE_PARALLEL_LOAD = "dfs.image.parallel.load", Bool, "false";
    /// Threads that load an image.
    DFS_IMAGE_PARALLEL_THREADS = "dfs.image.parallel.threads", Int, "4";
    /// Parts that an image is cut into.
    DFS_IMAGE_PARALLEL_TARGET_SECTIONS = "dfs.image.parallel.target.sections", Int, "12";
    /// Least inodes for which an image is cut.
    DFS_IMAGE_PARALLEL_INODE_THRESHOLD = "dfs.image.parallel.inode.threshold", Int, "1000000";
    /// Time limit of an image transfer's socket.
    DFS_IMAGE_TRANSFER_TIMEOUT = "dfs.image.transfer.timeout", Time(Millis), "60000";
    /// Bytes a second of image transfers; 0 for no limit.
    DFS_IMAGE_TRANSFER_BANDWIDTH_PER_SEC = "dfs.image.transfer.bandwidthPerSec", Bytes, "52428800";
    /// The same for the images of a standby that is set up; 0 for no limit.
    DFS_IMAGE_TRANSFER_BOOTSTRAP_STANDBY_BANDWIDTH_PER_SEC = "dfs.image.transfer-bootstrap-standby.bandwidthPerSec", Bytes, "0";
    /// Chunk of image uploads, in bytes.
    DFS_IMAGE_TRANSFER_CHUNKSIZE = "dfs.image.transfer.chunksize", Bytes, "65536";
    /// Time limit of an edit transfer's socket.
    DFS_EDIT_LOG_TRANSFER_TIMEOUT = "dfs.edit.log.transfer.timeout", Time(Millis), "30000";
    /// Bytes a second of edit transfers; 0 for no limit.
    DFS_EDIT_LOG_TRANSFER_BANDWIDTH_PER_SEC = "dfs.edit.log.transfer.bandwidthPerSec", Int, "0";
    /// Free bytes that each name folder's disk must have.
    DFS_NAMENODE_RESOURCE_DU_RESERVED = "dfs.namenode.resource.du.reserved", Bytes, "104857600";
    /// More folders whose disks are checked.
    DFS_NAMENODE_RESOURCE_CHECKED_VOLUMES = "dfs.namenode.resource.checked.volumes", List, none;
    /// Least disks with enough space.
    DFS_NAMENODE_RESOURCE_CHECKED_VOLUMES_MINIMUM = "dfs.namenode.resource.checked.volumes.minimum", Int, "1";
    /// How often the disks are checked.
    DFS_NAMENODE_RESOURCE_CHECK_INTERVAL = "dfs.namenode.resource.check.interval", Time(Millis), "5000";
    /// Part of the blocks that must be reported to leave safe mode.
    DFS_NAMENODE_SAFEMODE_THRESHOLD_PCT = "dfs.namenode.safemode.threshold-pct", Float, "0.999f", was "dfs.safemode.threshold.pct";
    /// Live DataNodes needed to leave safe mode.
    DFS_NAMENODE_SAFEMODE_MIN_DATANODES = "dfs.namenode.safemode.min.datanodes", Int, "0";
    /// How long safe mode stays after the threshold is reached.
    DFS_NAMENODE_SAFEMODE_EXTENSION = "dfs.namenode.safemode.extension", Time(Millis), "30000", was "dfs.safemode.extension";
    /// How often that is checked.
    DFS_NAMENODE_SAFEMODE_RECHECK_INTERVAL = "dfs.namenode.safemode.recheck.interval", Time(Millis), "1000";
    /// Replicas that make a block count as safe; unset: the minimal replication.
    DFS_NAMENODE_SAFEMODE_REPLICATION_MIN = "dfs.namenode.safemode.replication.min", Int, none;
    /// Least replicas of a block that is written.
    DFS_NAMENODE_REPLICATION_MIN = "dfs.namenode.replication.min", Int, "1", was "dfs.replication.min";
    /// Least live replicas while DataNodes are in maintenance.
    DFS_NAMENODE_MAINTENANCE_REPLICATION_MIN = "dfs.namenode.maintenance.replication.min", Int, "1";
    /// Most replicas that a file may ask for.
    DFS_REPLICATION_MAX = "dfs.replication.max", Int, "512";
    /// Replications that a DataNode takes part in at once.
    DFS_NAMENODE_REPLICATION_MAX_STREAMS = "dfs.namenode.replication.max-streams", Int, "2", was "dfs.max-repl-streams";
    /// The same with the most urgent ones.
    DFS_NAMENODE_REPLICATION_MAX_STREAMS_HARD_LIMIT = "dfs.namenode.replication.max-streams-hard-limit", Int, "4";
    /// Replications scheduled for each live DataNode and round.
    DFS_NAMENODE_REPLICATION_WORK_MULTIPLIER_PER_ITERATION = "dfs.namenode.replication.work.multiplier.per.iteration", Int, "2";
    /// Part of the DataNodes that get deletions each round.
    DFS_NAMENODE_INVALIDATE_WORK_PCT_PER_ITERATION = "dfs.namenode.invalidate.work.pct.per.iteration", Float, "0.32f";
    /// Most deletions that one heartbeat's answer carries.
    DFS_BLOCK_INVALIDATE_LIMIT = "dfs.block.invalidate.limit", Int, "1000";
    /// Time between two rounds of redundancy work.
    DFS_NAMENODE_REDUNDANCY_INTERVAL_SECONDS = "dfs.namenode.redundancy.interval.seconds", Time(Seconds), "3", was "dfs.replication.interval", "dfs.namenode.replication.interval";
    /// Rounds after which the queues are walked from the start.
    DFS_NAMENODE_REDUNDANCY_QUEUE_RESTART_ITERATIONS = "dfs.namenode.redundancy.queue.restart.iterations", Int, "2400";
    /// Time after which a replication that was ordered counts as failed.
    DFS_NAMENODE_RECONSTRUCTION_PENDING_TIMEOUT_SEC = "dfs.namenode.reconstruction.pending.timeout-sec", Time(Seconds), "300", was "dfs.replication.pending.timeout.sec", "dfs.namenode.replication.pending.timeout-sec";
    /// Time after which a DataNode that kept a surplus replica is told once more to delete it.
    DFS_NAMENODE_EXCESS_REDUNDANCY_TIMEOUT_SEC = "dfs.namenode.excess.redundancy.timeout-sec", Time(Seconds), "3600";
    /// Surplus replicas that each round looks at for that.
    DFS_NAMENODE_EXCESS_REDUNDANCY_TIMEOUT_CHECK_LIMIT = "dfs.namenode.excess.redundancy.timeout.check.limit", Int, "1000";
    /// Whether placement avoids busy DataNodes.
    DFS_NAMENODE_REDUNDANCY_CONSIDER_LOAD = "dfs.namenode.redundancy.considerLoad", Bool, "true", was "dfs.replication.considerLoad", "dfs.namenode.replication.considerLoad";
    /// A DataNode is busy above this multiple of the average load.
    DFS_NAMENODE_REDUNDANCY_CONSIDER_LOAD_FACTOR = "dfs.namenode.redundancy.considerLoad.factor", Float, "2.0", was "dfs.namenode.replication.considerLoad.factor";
    /// Whether the first replica goes to the writer's own DataNode.
    DFS_NAMENODE_BLOCK_PLACEMENT_POLICY_DEFAULT_PREFER_LOCAL_NODE = "dfs.namenode.block-placement-policy.default.prefer-local-node", Bool, "true";
    /// Blocks that a DataNode must have room for.
    DFS_NAMENODE_BLOCK_PLACEMENT_MIN_BLOCKS_FOR_WRITE = "dfs.namenode.block-placement.min-blocks-for.write", Int, "1";
    /// Class of the block placement.
    DFS_BLOCK_REPLICATOR_CLASSNAME = "dfs.block.replicator.classname", Text, "org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyDefault";
    /// Class of the placement of the blocks of erasure-coded files.
    DFS_BLOCK_PLACEMENT_EC_CLASSNAME = "dfs.block.placement.ec.classname", Text, "org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyRackFaultTolerant";
    /// Upgrade domains that the placement by upgrade domains spreads a block over.
    DFS_UPGRADE_DOMAIN_FACTOR = "dfs.namenode.upgrade.domain.factor", Int, "${dfs.replication}";
    /// How often the placement by available space takes the emptier one of two DataNodes.
    DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION = "dfs.namenode.available-space-block-placement-policy.balanced-space-preference-fraction", Float, "0.6";
    /// Difference in percent of used space below which two DataNodes are equal to it, 0 to 20.
    DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE = "dfs.namenode.available-space-block-placement-policy.balanced-space-tolerance", Int, "5";
    /// Percent of used space from which on they differ all the same, 0 to 100.
    DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE_LIMIT = "dfs.namenode.available-space-block-placement-policy.balanced-space-tolerance-limit", Int, "100";
    /// Whether it weighs the writer's own DataNode against one of the same rack.
    DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCE_LOCAL_NODE = "dfs.namenode.available-space-block-placement-policy.balance-local-node", Bool, "false";
    /// How often the placement by racks and available space takes the emptier one of two DataNodes.
    DFS_NAMENODE_AVAILABLE_SPACE_RACK_FAULT_TOLERANT_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION = "dfs.namenode.available-space-rack-fault-tolerant-block-placement-policy.balanced-space-preference-fraction", Float, "0.6";
    /// Difference in percent of used space below which two DataNodes are equal to it, 0 to 20.
    DFS_NAMENODE_AVAILABLE_SPACE_RACK_FAULT_TOLERANT_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE = "dfs.namenode.available-space-rack-fault-tolerant-block-placement-policy.balanced-space-tolerance", Int, "5";
    /// Blocks that one slice of the start-up check of redundancy covers.
    DFS_BLOCK_MISREPLICATION_PROCESSING_LIMIT = "dfs.block.misreplication.processing.limit", Int, "10000";
    /// Postponed blocks that are looked at in each round.
    DFS_NAMENODE_BLOCKS_PER_POSTPONEDBLOCKS_RESCAN = "dfs.namenode.blocks.per.postponedblocks.rescan", Int, "10000";
    /// Whether placement knows storage types.
    DFS_USE_DFS_NETWORK_TOPOLOGY = "dfs.use.dfs.network.topology", Bool, "true";
    /// Time after the start before blocks are deleted.
    DFS_NAMENODE_STARTUP_DELAY_BLOCK_DELETION_SEC = "dfs.namenode.startup.delay.block.deletion.sec", Time(Seconds), "0";
    /// Longest slice of block deletion under the lock.
    DFS_NAMENODE_BLOCK_DELETION_LOCK_THRESHOLD_MS = "dfs.namenode.block.deletion.lock.threshold.ms", Time(Millis), "50";
    /// Pause between two slices.
    DFS_NAMENODE_BLOCK_DELETION_UNLOCK_INTERVAL_MS = "dfs.namenode.block.deletion.unlock.interval.ms", Time(Millis), "10";
    /// Whether damaged replicas are deleted once enough sound ones exist.
    DFS_NAMENODE_CORRUPT_BLOCK_DELETE_IMMEDIATELY_ENABLED = "dfs.namenode.corrupt.block.delete.immediately.enabled", Bool, "true";
    /// Damaged files that one list names.
    DFS_NAMENODE_MAX_CORRUPT_FILE_BLOCKS_RETURNED = "dfs.namenode.max-corrupt-file-blocks-returned", Int, "100";
    /// Time between two heartbeats of a DataNode.
    DFS_HEARTBEAT_INTERVAL = "dfs.heartbeat.interval", Time(Seconds), "3";
    /// How often the NameNode looks for dead DataNodes.
    DFS_NAMENODE_HEARTBEAT_RECHECK_INTERVAL = "dfs.namenode.heartbeat.recheck-interval", Time(Millis), "300000", was "heartbeat.recheck.interval";
    /// A DataNode that is silent for so long is stale.
    DFS_NAMENODE_STALE_DATANODE_INTERVAL = "dfs.namenode.stale.datanode.interval", Time(Millis), "30000";
    /// Least stale interval, in heartbeats.
    DFS_NAMENODE_STALE_DATANODE_MINIMUM_INTERVAL = "dfs.namenode.stale.datanode.minimum.interval", Int, "3";
    /// Whether readers get stale DataNodes last.
    DFS_NAMENODE_AVOID_READ_STALE_DATANODE = "dfs.namenode.avoid.read.stale.datanode", Bool, "false";
    /// Whether readers get slow DataNodes last.
    DFS_NAMENODE_AVOID_READ_SLOW_DATANODE = "dfs.namenode.avoid.read.slow.datanode", Bool, "false";
    /// Whether slow DataNodes get no new blocks.
    DFS_NAMENODE_BLOCK_PLACEMENT_POLICY_EXCLUDE_SLOW_NODES_ENABLED = "dfs.namenode.block-placement-policy.exclude-slow-nodes.enabled", Bool, "false";
    /// Slow DataNodes that are spared at a time.
    DFS_NAMENODE_MAX_SLOWPEER_COLLECT_NODES = "dfs.namenode.max.slowpeer.collect.nodes", Int, "5";
    /// How often these are chosen.
    DFS_NAMENODE_SLOWPEER_COLLECT_INTERVAL = "dfs.namenode.slowpeer.collect.interval", Time(Millis), "30m";
    /// Whether readers get the less busy one of two DataNodes that are equally near.
    DFS_NAMENODE_READ_CONSIDER_LOAD = "dfs.namenode.read.considerLoad", Bool, "false";
    /// Whether readers get the faster storage of two DataNodes that are equally near.
    DFS_NAMENODE_READ_CONSIDER_STORAGE_TYPE = "dfs.namenode.read.considerStorageType", Bool, "false";
    /// Slow DataNodes that JMX names.
    DFS_DATANODE_MAX_NODES_TO_REPORT = "dfs.datanode.max.nodes.to.report", Int, "5";
    /// Percent of disk operations that DataNodes time; the NameNode takes their reports of slow disks above 0.
    DFS_DATANODE_FILEIO_PROFILING_SAMPLING_PERCENTAGE = "dfs.datanode.fileio.profiling.sampling.percentage", Int, "0";
    /// Slow disks that JMX names.
    DFS_DATANODE_MAX_DISKS_TO_REPORT = "dfs.datanode.max.disks.to.report", Int, "5";
    /// Whether writers are kept from stale DataNodes.
    DFS_NAMENODE_AVOID_WRITE_STALE_DATANODE = "dfs.namenode.avoid.write.stale.datanode", Bool, "false";
    /// Writers are not kept from stale DataNodes above this ratio.
    DFS_NAMENODE_WRITE_STALE_DATANODE_RATIO = "dfs.namenode.write.stale.datanode.ratio", Float, "0.5f";
    /// Dead DataNodes that are removed in one round.
    DFS_NAMENODE_REMOVE_DEAD_DATANODE_BATCHNUM = "dfs.namenode.remove.dead.datanode.batchnum", Int, "10";
    /// Full block reports under way at once.
    DFS_NAMENODE_MAX_FULL_BLOCK_REPORT_LEASES = "dfs.namenode.max.full.block.report.leases", Int, "6";
    /// Time that a DataNode has for its full block report.
    DFS_NAMENODE_FULL_BLOCK_REPORT_LEASE_LENGTH_MS = "dfs.namenode.full.block.report.lease.length.ms", Time(Millis), "300000";
    /// Block reports that may wait.
    DFS_NAMENODE_BLOCKREPORT_QUEUE_SIZE = "dfs.namenode.blockreport.queue.size", Int, "1024";
    /// Longest slice of block-report work under the lock.
    DFS_NAMENODE_BLOCKREPORT_MAX_LOCK_HOLD_TIME = "dfs.namenode.blockreport.max.lock.hold.time", Time(Millis), "4";
    /// Whether a DataNode's address must resolve to a name.
    DFS_NAMENODE_DATANODE_REGISTRATION_IP_HOSTNAME_CHECK = "dfs.namenode.datanode.registration.ip-hostname-check", Bool, "true";
    /// Whether a DataNode without a rack is refused.
    DFS_NAMENODE_REJECT_UNRESOLVED_DN_TOPOLOGY_MAPPING = "dfs.namenode.reject-unresolved-dn-topology-mapping", Bool, "false";
    /// File of the DataNodes that may join.
    DFS_HOSTS = "dfs.hosts", Text, none;
    /// File of the DataNodes to be decommissioned.
    DFS_HOSTS_EXCLUDE = "dfs.hosts.exclude", Text, none;
    /// How long reading those files may take; 0: as long as it takes.
    DFS_HOSTS_TIMEOUT = "dfs.hosts.timeout", Time(Millis), "0";
    /// Class that reads those files.
    DFS_NAMENODE_HOSTS_PROVIDER_CLASSNAME = "dfs.namenode.hosts.provider.classname", Text, "org.apache.hadoop.hdfs.server.blockmanagement.HostFileManager";
    /// How often decommissioning is checked.
    DFS_NAMENODE_DECOMMISSION_INTERVAL = "dfs.namenode.decommission.interval", Time(Seconds), "30";
    /// Blocks looked at in each check.
    DFS_NAMENODE_DECOMMISSION_BLOCKS_PER_INTERVAL = "dfs.namenode.decommission.blocks.per.interval", Int, "500000";
    /// DataNodes decommissioned at once.
    DFS_NAMENODE_DECOMMISSION_MAX_CONCURRENT_TRACKED_NODES = "dfs.namenode.decommission.max.concurrent.tracked.nodes", Int, "100";
    /// How often leases are checked.
    DFS_NAMENODE_LEASE_RECHECK_INTERVAL_MS = "dfs.namenode.lease-recheck-interval-ms", Time(Millis), "2000";
    /// Longest slice of releasing leases under the lock.
    DFS_NAMENODE_MAX_LOCK_HOLD_TO_RELEASE_LEASE_MS = "dfs.namenode.max-lock-hold-to-release-lease-ms", Time(Millis), "25";
    /// Time after which anybody may take over the lease of a silent writer.
    DFS_NAMENODE_LEASE_HARD_LIMIT_SEC = "dfs.namenode.lease-hard-limit-sec", Time(Seconds), "1200";
    /// Last blocks that may lack replicas when a file is closed.
    DFS_NAMENODE_FILE_CLOSE_NUM_COMMITTED_ALLOWED = "dfs.namenode.file.close.num-committed-allowed", Int, "0";
    /// Open files that one page lists.
    DFS_NAMENODE_LIST_OPENFILES_NUM_RESPONSES = "dfs.namenode.list.openfiles.num.responses", Int, "1000";
    /// Entries that one page of a listing holds.
    DFS_LS_LIMIT = "dfs.ls.limit", Int, "1000";
    /// Directories that one batched listing may name.
    DFS_BATCHED_LS_LIMIT = "dfs.batched.ls.limit", Int, "100";
    /// Longest name, in bytes; 0 for no limit.
    DFS_NAMENODE_FS_LIMITS_MAX_COMPONENT_LENGTH = "dfs.namenode.fs-limits.max-component-length", Bytes, "255";
    /// Most children of a directory.
    DFS_NAMENODE_FS_LIMITS_MAX_DIRECTORY_ITEMS = "dfs.namenode.fs-limits.max-directory-items", Int, "1048576";
    /// Least block size, in bytes.
    DFS_NAMENODE_FS_LIMITS_MIN_BLOCK_SIZE = "dfs.namenode.fs-limits.min-block-size", Bytes, "1048576";
    /// Most blocks of a file.
    DFS_NAMENODE_FS_LIMITS_MAX_BLOCKS_PER_FILE = "dfs.namenode.fs-limits.max-blocks-per-file", Int, "10000";
    /// Longest extended attribute, in bytes.
    DFS_NAMENODE_FS_LIMITS_MAX_XATTR_SIZE = "dfs.namenode.fs-limits.max-xattr-size", Bytes, "16384";
    /// Most extended attributes of an inode.
    DFS_NAMENODE_FS_LIMITS_MAX_XATTRS_PER_INODE = "dfs.namenode.fs-limits.max-xattrs-per-inode", Int, "32";
    /// Most files, directories and blocks; 0 for no limit.
    DFS_NAMENODE_MAX_OBJECTS = "dfs.namenode.max.objects", Int, "0", was "dfs.max.objects";
    /// Whether permissions are checked.
    DFS_PERMISSIONS_ENABLED = "dfs.permissions.enabled", Bool, "true", was "dfs.permissions";
    /// Group of the superusers.
    DFS_PERMISSIONS_SUPERUSERGROUP = "dfs.permissions.superusergroup", Text, "supergroup", was "dfs.permissions.supergroup";
    /// Whether a summary checks each subdirectory on its way.
    DFS_PERMISSIONS_CONTENT_SUMMARY_SUB_ACCESS = "dfs.permissions.ContentSummary.subAccess", Bool, "false";
    /// Whether owners may set quotas.
    DFS_PERMISSIONS_ALLOW_OWNER_SET_QUOTA = "dfs.permissions.allow.owner.set.quota", Bool, "false";
    /// Whether ACLs are supported.
    DFS_NAMENODE_ACLS_ENABLED = "dfs.namenode.acls.enabled", Bool, "true";
    /// Whether default ACLs win over the client's umask.
    DFS_NAMENODE_POSIX_ACL_INHERITANCE_ENABLED = "dfs.namenode.posix.acl.inheritance.enabled", Bool, "true";
    /// Whether extended attributes are supported.
    DFS_NAMENODE_XATTRS_ENABLED = "dfs.namenode.xattrs.enabled", Bool, "true";
    /// Granularity of access times; 0 disables them.
    DFS_NAMENODE_ACCESSTIME_PRECISION = "dfs.namenode.accesstime.precision", Time(Millis), "3600000", was "dfs.access.time.precision";
    /// Whether quotas by storage type are supported.
    DFS_QUOTA_BY_STORAGE_TYPE_ENABLED = "dfs.quota.by.storage.type.enabled", Bool, "true";
    /// Threads that count quotas at the start.
    DFS_NAMENODE_QUOTA_INIT_THREADS = "dfs.namenode.quota.init-threads", Int, "12";
    /// Whether repeated calls are answered from memory.
    DFS_NAMENODE_ENABLE_RETRYCACHE = "dfs.namenode.enable.retrycache", Bool, "true";
    /// How long answers are remembered.
    DFS_NAMENODE_RETRYCACHE_EXPIRYTIME_MILLIS = "dfs.namenode.retrycache.expirytime.millis", Time(Millis), "600000";
    /// Part of Java's heap for remembered answers.
    DFS_NAMENODE_RETRYCACHE_HEAP_PERCENT = "dfs.namenode.retrycache.heap.percent", Float, "0.03f";
    /// Whether storage policies are supported.
    DFS_STORAGE_POLICY_ENABLED = "dfs.storage.policy.enabled", Bool, "true";
    /// Whether only superusers change storage policies.
    DFS_STORAGE_POLICY_PERMISSIONS_SUPERUSER_ONLY = "dfs.storage.policy.permissions.superuser-only", Bool, "false";
    /// Class that says who owns an inode and who may use it; not supported yet, so that the NameNode does not start with one.
    DFS_NAMENODE_INODE_ATTRIBUTES_PROVIDER_CLASS = "dfs.namenode.inode.attributes.provider.class", Text, none;
    /// Folder for images of the format before protobuf; not supported yet, and the NameNode says so at its start.
    DFS_NAMENODE_LEGACY_OIV_IMAGE_DIR = "dfs.namenode.legacy-oiv-image.dir", Text, none;
    /// Storage policy of what has none; the NameNode does not start with another one than HOT yet.
    DFS_STORAGE_DEFAULT_POLICY = "dfs.storage.default.policy", Text, "HOT";
    /// Whether the NameNode manages DataNodes' caches.
    DFS_NAMENODE_CACHING_ENABLED = "dfs.namenode.caching.enabled", Bool, "true";
    /// How often cache directives are rescanned.
    DFS_NAMENODE_PATH_BASED_CACHE_REFRESH_INTERVAL_MS = "dfs.namenode.path.based.cache.refresh.interval.ms", Time(Millis), "30000";
    /// Classes of the audit log.
    DFS_NAMENODE_AUDIT_LOGGERS = "dfs.namenode.audit.loggers", List, "default";
    /// Whether the audit log names tokens.
    DFS_NAMENODE_AUDIT_LOG_TOKEN_TRACKING_ID = "dfs.namenode.audit.log.token.tracking.id", Bool, "false";
    /// Whether snapshots fix the length of open files.
    DFS_NAMENODE_SNAPSHOT_CAPTURE_OPENFILES = "dfs.namenode.snapshot.capture.openfiles", Bool, "false";
    /// Whether only the first snapshot of a directory is deleted at once, and a later one is marked and collected.
    DFS_NAMENODE_SNAPSHOT_DELETION_ORDERED = "dfs.namenode.snapshot.deletion.ordered", Bool, "false";
    /// How often a marked snapshot is collected.
    DFS_NAMENODE_SNAPSHOT_DELETION_ORDERED_GC_PERIOD_MS = "dfs.namenode.snapshot.deletion.ordered.gc.period.ms", Time(Millis), "300000";
    /// Most snapshots of one directory.
    DFS_NAMENODE_SNAPSHOT_MAX_LIMIT = "dfs.namenode.snapshot.max.limit", Int, "65536";
    /// Most snapshots of all directories.
    DFS_NAMENODE_SNAPSHOT_FILESYSTEM_LIMIT = "dfs.namenode.snapshot.filesystem.limit", Int, "65536";
    /// Whether a change of the access time alone is not kept for snapshots.
    DFS_NAMENODE_SNAPSHOT_SKIP_CAPTURE_ACCESSTIME_ONLY_CHANGE = "dfs.namenode.snapshot.skip.capture.accesstime-only-change", Bool, "false";
    /// Entries in one part of a snapshot diff report.
    DFS_NAMENODE_SNAPSHOT_DIFF_LISTING_LIMIT = "dfs.namenode.snapshotdiff.listing.limit", Int, "1000";
    /// Whether a snapshot diff report may be about a directory below the snapshottable one.
    DFS_NAMENODE_SNAPSHOT_DIFF_ALLOW_SNAP_ROOT_DESCENDANT = "dfs.namenode.snapshotdiff.allow.snap-root-descendant", Bool, "true";
    /// Whether snapshottable directories have trash of their own.
    DFS_NAMENODE_SNAPSHOT_TRASHROOT_ENABLED = "dfs.namenode.snapshot.trashroot.enabled", Bool, "false";
    /// Events that one inotify answer holds.
    DFS_NAMENODE_INOTIFY_MAX_EVENTS_PER_RPC = "dfs.namenode.inotify.max.events.per.rpc", Int, "1000";
    /// Uses after which Java interns a file name.
    DFS_NAMENODE_NAME_CACHE_THRESHOLD = "dfs.namenode.name.cache.threshold", Int, "10";
    /// Time between two master keys of delegation tokens.
    DFS_NAMENODE_DELEGATION_KEY_UPDATE_INTERVAL = "dfs.namenode.delegation.key.update-interval", Time(Millis), "86400000";
    /// Longest life of a delegation token.
    DFS_NAMENODE_DELEGATION_TOKEN_MAX_LIFETIME = "dfs.namenode.delegation.token.max-lifetime", Time(Millis), "604800000";
    /// Time that one renewal of a delegation token lasts.
    DFS_NAMENODE_DELEGATION_TOKEN_RENEW_INTERVAL = "dfs.namenode.delegation.token.renew-interval", Time(Millis), "86400000";
    /// Whether tokens are given without security; only for tests.
    DFS_NAMENODE_DELEGATION_TOKEN_ALWAYS_USE = "dfs.namenode.delegation.token.always-use", Bool, "false";
    /// Whether DataNodes demand block tokens.
    DFS_BLOCK_ACCESS_TOKEN_ENABLE = "dfs.block.access.token.enable", Bool, "false";
    /// Minutes between two keys of block tokens.
    DFS_BLOCK_ACCESS_KEY_UPDATE_INTERVAL = "dfs.block.access.key.update.interval", Int, "600";
    /// Minutes that a block token lives.
    DFS_BLOCK_ACCESS_TOKEN_LIFETIME = "dfs.block.access.token.lifetime", Int, "600";
    /// Kerberos principal of the NameNode.
    DFS_NAMENODE_KERBEROS_PRINCIPAL = "dfs.namenode.kerberos.principal", Text, none;
    /// Keytab of the NameNode.
    DFS_NAMENODE_KEYTAB_FILE = "dfs.namenode.keytab.file", Text, none;
    /// A longer read lock is logged.
    DFS_NAMENODE_READ_LOCK_REPORTING_THRESHOLD_MS = "dfs.namenode.read-lock-reporting-threshold-ms", Time(Millis), "5000";
    /// A longer write lock is logged.
    DFS_NAMENODE_WRITE_LOCK_REPORTING_THRESHOLD_MS = "dfs.namenode.write-lock-reporting-threshold-ms", Time(Millis), "5000";
    /// How often metrics are logged; 0 for never.
    DFS_NAMENODE_METRICS_LOGGER_PERIOD_SECONDS = "dfs.namenode.metrics.logger.period.seconds", Time(Seconds), "600";
    /// Blocks that one log line of a report names.
    DFS_NAMENODE_MAX_NUM_BLOCKS_TO_LOG = "dfs.namenode.max-num-blocks-to-log", Int, "1000";
    /// Erasure-coding policy that is enabled at every start, and that a call without one means; empty for none.
    DFS_NAMENODE_EC_SYSTEM_DEFAULT_POLICY = "dfs.namenode.ec.system.default.policy", Text, "RS-6-3-1024k";
    /// Encryption zones in one answer.
    DFS_NAMENODE_LIST_ENCRYPTION_ZONES_NUM_RESPONSES = "dfs.namenode.list.encryption.zones.num.responses", Int, "100";
    /// States of re-encryption in one answer.
    DFS_NAMENODE_LIST_REENCRYPTION_STATUS_NUM_RESPONSES = "dfs.namenode.list.reencryption.status.num.responses", Int, "100";
    /// Files of a zone whose keys are encrypted anew in one step.
    DFS_NAMENODE_REENCRYPT_BATCH_SIZE = "dfs.namenode.reencrypt.batch.size", Int, "1000";
    /// How often the NameNode looks for zones to encrypt anew, should nobody submit one.
    DFS_NAMENODE_REENCRYPT_SLEEP_INTERVAL = "dfs.namenode.reencrypt.sleep.interval", Time(Millis), "1m";
    /// Cache pools in one answer.
    DFS_NAMENODE_LIST_CACHE_POOLS_NUM_RESPONSES = "dfs.namenode.list.cache.pools.num.responses", Int, "100";
    /// Cache directives in one answer.
    DFS_NAMENODE_LIST_CACHE_DIRECTIVES_NUM_RESPONSES = "dfs.namenode.list.cache.directives.num.responses", Int, "100";
    /// Most bytes of a cell of an erasure-coding policy that a user adds.
    DFS_NAMENODE_EC_POLICIES_MAX_CELLSIZE = "dfs.namenode.ec.policies.max.cellsize", Int, "4194304";
    /// Whether users may add erasure-coding policies.
    DFS_NAMENODE_EC_USERDEFINED_POLICY_ALLOWED = "dfs.namenode.ec.userdefined.policy.allowed", Bool, "true";
    /// Whether standbys make checkpoints.
    DFS_HA_STANDBY_CHECKPOINTS = "dfs.ha.standby.checkpoints", Bool, "true";
    /// Whether standbys read edits of the segment being written.
    DFS_HA_TAIL_EDITS_IN_PROGRESS = "dfs.ha.tail-edits.in-progress", Bool, "false";
    /// Time between two readings of edits by a standby.
    DFS_HA_TAIL_EDITS_PERIOD = "dfs.ha.tail-edits.period", Time(Seconds), "60";
    /// Time after which a standby asks the active to roll its log.
    DFS_HA_LOG_ROLL_PERIOD = "dfs.ha.log-roll.period", Time(Seconds), "120";
    /// Whether a standby answers reads.
    DFS_HA_ALLOW_STALE_READS = "dfs.ha.allow.stale.reads", Bool, "false";
    /// Whether calls are counted by user in sliding windows.
    DFS_NAMENODE_TOP_ENABLED = "dfs.namenode.top.enabled", Bool, "true";
    /// Users shown for each window and operation.
    DFS_NAMENODE_TOP_NUM_USERS = "dfs.namenode.top.num.users", Int, "10";
    /// Steps in which a window moves on.
    DFS_NAMENODE_TOP_WINDOW_NUM_BUCKETS = "dfs.namenode.top.window.num.buckets", Int, "10";
    /// Lengths of the windows, in minutes.
    DFS_NAMENODE_TOP_WINDOWS_MINUTES = "dfs.namenode.top.windows.minutes", List, "1,5,25";
}
