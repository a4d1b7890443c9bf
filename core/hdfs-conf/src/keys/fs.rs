//! Keys of the file-system layer and of the security basics that clients and daemons share.

use super::keys;

keys! { FS:
    /// URI of the file system that paths without a scheme belong to.
    FS_DEFAULT_FS = "fs.defaultFS", Text, "file:///", was "fs.default.name";
    /// Folder that other default folders are built upon.
    HADOOP_TMP_DIR = "hadoop.tmp.dir", Text, "/tmp/hadoop-${user.name}";
    /// Mode bits, octal or symbolic, taken away from what clients create.
    FS_PERMISSIONS_UMASK_MODE = "fs.permissions.umask-mode", Text, "022", was "dfs.umaskmode";
    /// Minutes that a deleted file stays in the trash; 0 disables the trash.
    FS_TRASH_INTERVAL = "fs.trash.interval", Float, "0";
    /// Minutes between two trash checkpoints; 0 takes the trash interval.
    FS_TRASH_CHECKPOINT_INTERVAL = "fs.trash.checkpoint.interval", Float, "0";
    /// Whether trash checkpoints of every trash root are cleaned.
    FS_TRASH_CLEAN_TRASHROOT_ENABLE = "fs.trash.clean.trashroot.enable", Bool, "false";
    /// Directories that may not be deleted while they hold anything.
    FS_PROTECTED_DIRECTORIES = "fs.protected.directories", List, none;
    /// Whether the children of protected directories are protected too.
    DFS_PROTECTED_SUBDIRECTORIES_ENABLE = "dfs.protected.subdirectories.enable", Bool, "false";
    /// Milliseconds between two refreshes of a disk's free space.
    FS_DF_INTERVAL = "fs.df.interval", Int, "60000", was "dfs.df.interval";
    /// Milliseconds between two refreshes of the space that a volume uses.
    FS_DU_INTERVAL = "fs.du.interval", Int, "600000";
    /// Random spread of the space refresh, in milliseconds.
    FS_GETSPACEUSED_JITTER_MILLIS = "fs.getspaceused.jitterMillis", Int, "60000";
    /// Whether clients follow links to other file systems.
    FS_CLIENT_RESOLVE_REMOTE_SYMLINKS = "fs.client.resolve.remote.symlinks", Bool, "true";
    /// Whether the local file system verifies its checksum files.
    FS_FILE_CHECKSUM_VERIFY = "fs.file.checksum.verify", Bool, "true";
    /// How many file systems a process may create at once.
    FS_CREATION_PARALLEL_COUNT = "fs.creation.parallel.count", Int, "64";
    /// Whether each opening of an hdfs:// file system gets a client of its own.
    FS_HDFS_IMPL_DISABLE_CACHE = "fs.hdfs.impl.disable.cache", Bool, "false";
    /// Size of stream buffers, in bytes.
    IO_FILE_BUFFER_SIZE = "io.file.buffer.size", Int, "4096";
    /// How callers prove who they are: simple or kerberos.
    HADOOP_SECURITY_AUTHENTICATION = "hadoop.security.authentication", Text, "simple";
    /// Whether service-level authorization is on.
    HADOOP_SECURITY_AUTHORIZATION = "hadoop.security.authorization", Bool, "false";
    /// Whether the monitoring servlets need an administrator.
    HADOOP_SECURITY_INSTRUMENTATION_REQUIRES_ADMIN = "hadoop.security.instrumentation.requires.admin", Bool, "false";
    /// Quality of protection of RPC: authentication, integrity or privacy.
    HADOOP_RPC_PROTECTION = "hadoop.rpc.protection", List, "authentication";
    /// Rules that turn Kerberos principals into short names.
    HADOOP_SECURITY_AUTH_TO_LOCAL = "hadoop.security.auth_to_local", Text, none;
    /// Dialect of those rules: hadoop or MIT.
    HADOOP_SECURITY_AUTH_TO_LOCAL_MECHANISM = "hadoop.security.auth_to_local.mechanism", Text, "hadoop";
    /// Class that finds the groups of a user.
    HADOOP_SECURITY_GROUP_MAPPING = "hadoop.security.group.mapping", Text, "org.apache.hadoop.security.JniBasedUnixGroupsMappingWithFallback";
    /// How long a user's groups are remembered.
    HADOOP_SECURITY_GROUPS_CACHE_SECS = "hadoop.security.groups.cache.secs", Time(Seconds), "300";
    /// How long it is remembered that a user has no groups.
    HADOOP_SECURITY_GROUPS_NEGATIVE_CACHE_SECS = "hadoop.security.groups.negative-cache.secs", Time(Seconds), "30";
    /// A group look-up that takes longer is logged.
    HADOOP_SECURITY_GROUPS_CACHE_WARN_AFTER_MS = "hadoop.security.groups.cache.warn.after.ms", Time(Millis), "5000";
    /// Time limit of one group look-up by a shell command; 0 for none.
    HADOOP_SECURITY_GROUPS_SHELL_COMMAND_TIMEOUT = "hadoop.security.groups.shell.command.timeout", Time(Millis), "0s";
    /// Groups by user that replace a look-up: user1=group1,group2;user2=;
    HADOOP_USER_GROUP_STATIC_MAPPING_OVERRIDES = "hadoop.user.group.static.mapping.overrides", Text, "dr.who=;";
    /// Whether tokens name services by address instead of by host name.
    HADOOP_SECURITY_TOKEN_SERVICE_USE_IP = "hadoop.security.token.service.use_ip", Bool, "true";
    /// URI of the key provider for encryption zones.
    HADOOP_SECURITY_KEY_PROVIDER_PATH = "hadoop.security.key.provider.path", Text, none, was "dfs.encryption.key.provider.uri";
    /// Cipher of new keys of encryption zones.
    HADOOP_SECURITY_KEY_DEFAULT_CIPHER = "hadoop.security.key.default.cipher", Text, "AES/CTR/NoPadding";
    /// Bits of new keys of encryption zones.
    HADOOP_SECURITY_KEY_DEFAULT_BITLENGTH = "hadoop.security.key.default.bitlength", Int, "128";
    /// File in the configuration's folder with the password of keystores; the variable HADOOP_KEYSTORE_PASSWORD goes first.
    HADOOP_SECURITY_KEYSTORE_PASSWORD_FILE = "hadoop.security.keystore.java-keystore-provider.password-file", Text, none;
    /// SASL mechanism of tokens.
    HADOOP_SECURITY_SASL_MECHANISM = "hadoop.security.sasl.mechanism", Text, "DIGEST-MD5";
    /// Least time between two Kerberos logins.
    HADOOP_KERBEROS_MIN_SECONDS_BEFORE_RELOGIN = "hadoop.kerberos.min.seconds.before.relogin", Time(Seconds), "60";
    /// User that unauthenticated web pages act as.
    HADOOP_HTTP_STATICUSER_USER = "hadoop.http.staticuser.user", Text, "dr.who";
    /// How web callers prove who they are.
    HADOOP_HTTP_AUTHENTICATION_TYPE = "hadoop.http.authentication.type", Text, "simple";
    /// Filters of the embedded web servers.
    HADOOP_HTTP_FILTER_INITIALIZERS = "hadoop.http.filter.initializers", List, "org.apache.hadoop.http.lib.StaticUserWebFilter";
    /// Whether web answers allow cross-origin requests.
    HADOOP_HTTP_CROSS_ORIGIN_ENABLED = "hadoop.http.cross-origin.enabled", Bool, "false";
    /// Whether callers' contexts are written to the audit log.
    HADOOP_CALLER_CONTEXT_ENABLED = "hadoop.caller.context.enabled", Bool, "false";
    /// Longest caller context that is kept, in bytes.
    HADOOP_CALLER_CONTEXT_MAX_SIZE = "hadoop.caller.context.max.size", Int, "128";
    /// Longest signature of a caller context, in bytes.
    HADOOP_CALLER_CONTEXT_SIGNATURE_MAX_SIZE = "hadoop.caller.context.signature.max.size", Int, "40";
    /// How long a shutdown may take.
    HADOOP_SERVICE_SHUTDOWN_TIMEOUT = "hadoop.service.shutdown.timeout", Time(Seconds), "30s";
    /// Files that `-rm -safely` deletes without asking.
    HADOOP_SHELL_SAFELY_DELETE_LIMIT_NUM_FILES = "hadoop.shell.safely.delete.limit.num.files", Int, "100";
    /// Whether the shell warns when fs.defaultFS is not set.
    HADOOP_SHELL_MISSING_DEFAULT_FS_WARNING = "hadoop.shell.missing.defaultFs.warning", Bool, "false";
    /// Version of the common configuration.
    HADOOP_COMMON_CONFIGURATION_VERSION = "hadoop.common.configuration.version", Text, "3.0.0";
    /// Version of the HDFS configuration.
    HADOOP_HDFS_CONFIGURATION_VERSION = "hadoop.hdfs.configuration.version", Text, "1";
    /// Program that maps addresses to racks.
    NET_TOPOLOGY_SCRIPT_FILE_NAME = "net.topology.script.file.name", Text, none, was "topology.script.file.name";
    /// Most addresses that one run of that program gets.
    NET_TOPOLOGY_SCRIPT_NUMBER_ARGS = "net.topology.script.number.args", Int, "100", was "topology.script.number.args";
    /// File that maps addresses to racks.
    NET_TOPOLOGY_TABLE_FILE_NAME = "net.topology.table.file.name", Text, none;
    /// Class that maps addresses to racks.
    NET_TOPOLOGY_NODE_SWITCH_MAPPING_IMPL = "net.topology.node.switch.mapping.impl", Text, "org.apache.hadoop.net.ScriptBasedMapping", was "topology.node.switch.mapping.impl";
    /// Racks by host name, as `host=/rack`, for that class when it is org.apache.hadoop.net.StaticMapping.
    NET_TOPOLOGY_CONFIGURED_NODE_MAPPING = "net.topology.configured.node.mapping", Text, none, was "hadoop.configured.node.mapping";
    /// Class of the network topology.
    NET_TOPOLOGY_IMPL = "net.topology.impl", Text, "org.apache.hadoop.net.NetworkTopology";
    /// Logical names of the cluster's nameservices.
    DFS_NAMESERVICES = "dfs.nameservices", List, none, was "dfs.federation.nameservices";
    /// Nameservice of this daemon.
    DFS_NAMESERVICE_ID = "dfs.nameservice.id", Text, none, was "dfs.federation.nameservice.id";
    /// Nameservices that the DataNodes of this cluster report to.
    DFS_INTERNAL_NAMESERVICES = "dfs.internal.nameservices", List, none;
    /// Id of this NameNode inside its nameservice.
    DFS_HA_NAMENODE_ID = "dfs.ha.namenode.id", Text, none;
    /// Ids of the NameNodes of a nameservice; the nameservice is a suffix of the key.
    DFS_HA_NAMENODES = "dfs.ha.namenodes", List, none;
    /// Size of new files' blocks, in bytes.
    DFS_BLOCK_SIZE = "dfs.blocksize", Bytes, "134217728", was "dfs.block.size";
    /// Replicas of each block of new files.
    DFS_REPLICATION = "dfs.replication", Int, "3";
    /// Bytes that one checksum covers.
    DFS_BYTES_PER_CHECKSUM = "dfs.bytes-per-checksum", Int, "512", was "io.bytes.per.checksum";
    /// Checksum of new blocks: CRC32, CRC32C or NULL.
    DFS_CHECKSUM_TYPE = "dfs.checksum.type", Text, "CRC32C";
    /// How checksums of a file combine: MD5MD5CRC or COMPOSITE_CRC.
    DFS_CHECKSUM_COMBINE_MODE = "dfs.checksum.combine.mode", Text, "MD5MD5CRC";
    /// Size of file streams' buffers, in bytes.
    DFS_STREAM_BUFFER_SIZE = "dfs.stream-buffer-size", Int, "4096";
    /// Whether block data is encrypted on the network.
    DFS_ENCRYPT_DATA_TRANSFER = "dfs.encrypt.data.transfer", Bool, "false";
    /// Quality of protection of block data under SASL.
    DFS_DATA_TRANSFER_PROTECTION = "dfs.data.transfer.protection", List, none;
    /// Path of the DataNode's local socket; _PORT stands for its port.
    DFS_DOMAIN_SOCKET_PATH = "dfs.domain.socket.path", Text, none;
    /// Users and groups that may see the monitoring servlets.
    DFS_CLUSTER_ADMINISTRATORS = "dfs.cluster.administrators", Text, none;
    /// Folder that holds the users' home directories.
    DFS_USER_HOME_DIR_PREFIX = "dfs.user.home.dir.prefix", Text, "/user";
    /// Whether DataNodes accept disk-balancer plans.
    DFS_DISK_BALANCER_ENABLED = "dfs.disk.balancer.enabled", Bool, "true";
    /// Whether WebHDFS demands a header against cross-site requests.
    DFS_WEBHDFS_REST_CSRF_ENABLED = "dfs.webhdfs.rest-csrf.enabled", Bool, "false";
    /// Valid user names of WebHDFS, as a regular expression.
    DFS_WEBHDFS_USER_PROVIDER_USER_PATTERN = "dfs.webhdfs.user.provider.user.pattern", Text, "^[A-Za-z_][A-Za-z0-9._-]*[$]?$";
    /// Which web endpoints are open: HTTP_ONLY, HTTPS_ONLY or HTTP_AND_HTTPS.
    DFS_HTTP_POLICY = "dfs.http.policy", Text, "HTTP_ONLY";
    /// Whether web pages tell browsers who may frame them.
    DFS_XFRAME_ENABLED = "dfs.xframe.enabled", Bool, "true";
    /// Who may frame the web pages: DENY, SAMEORIGIN or ALLOW-FROM.
    DFS_XFRAME_VALUE = "dfs.xframe.value", Text, "SAMEORIGIN";
}
