//! What the client takes from the configuration, read once when it is made.

use std::time::Duration;

use hdfs_conf::{Configuration, Key, keys};
use hdfs_datapath::recovery::ReplaceDatanode;
use hdfs_datapath::{ChecksumSpec, ChecksumType};
use hdfs_rt::key_provider::KeyProviderConf;
use hdfs_types::{Error, ErrorKind, FsPermission, Result};

use crate::namenode::RetryConf;

/// How the checksum of a file is made of those of its blocks (`dfs.checksum.combine.mode`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CombineMode {
    /// MD5 of the MD5s of the chunks' CRCs: depends on block and chunk size.
    Md5Md5Crc,
    /// The CRC of the file's bytes.
    CompositeCrc,
}

/// The client's settings.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientConf {
    /// Mode bits that new files and directories lose (`fs.permissions.umask-mode`).
    pub umask: FsPermission,
    /// Where keys of encryption zones are, should the NameNode not say (`hadoop.security.key.provider.path`).
    pub key_provider: KeyProviderConf,
    /// Block size of new files in bytes (`dfs.blocksize`).
    pub block_size: u64,
    /// Replicas of new files (`dfs.replication`).
    pub replication: u16,
    /// Checksums of new files (`dfs.checksum.type`, `dfs.bytes-per-checksum`).
    pub checksum: ChecksumSpec,
    /// How checksums of files are combined.
    pub combine_mode: CombineMode,
    /// Size of a packet on the wire in bytes (`dfs.client-write-packet-size`).
    pub write_packet_bytes: usize,
    /// Packets that may be unacknowledged (`dfs.client.write.max-packets-in-flight`).
    pub max_packets_in_flight: usize,
    /// Silence after which a DataNode counts as lost (`dfs.client.socket-timeout`).
    pub socket_timeout: Duration,
    /// A close that fails starts the recovery of the file's lease.
    pub recover_lease_on_close_exception: bool,
    /// A client that could not renew its lease for so long has lost its files.
    pub lease_hard_limit: Duration,
    /// DataNodes are reached by their host name (`dfs.client.use.datanode.hostname`).
    pub use_datanode_hostname: bool,
    /// Small writes are not delayed (`dfs.data.transfer.client.tcpnodelay`).
    pub data_tcp_no_delay: bool,
    /// Idle connections to DataNodes that are kept (`dfs.client.socketcache.capacity`).
    pub peer_cache_capacity: usize,
    /// How long they are kept (`dfs.client.socketcache.expiryMsec`).
    pub peer_cache_expiry: Duration,
    /// Further blocks that are tried when no pipeline can be set up (`dfs.client.block.write.retries`).
    pub block_write_retries: u32,
    /// Retries of addBlock and complete (`dfs.client.block.write.locateFollowingBlock.retries`).
    pub locate_retries: u32,
    /// First pause between them.
    pub locate_initial_delay: Duration,
    /// Longest pause between them.
    pub locate_max_delay: Duration,
    /// When a lost DataNode of a pipeline is replaced.
    pub replace_datanode: ReplaceDatanode,
    /// Recoveries in a row without progress (`dfs.client.pipeline.recovery.max-retries`).
    pub max_pipeline_recoveries: u32,
    /// How long to wait for a DataNode that says it restarts (`dfs.client.datanode-restart.timeout`).
    pub datanode_restart_timeout: Duration,
    /// How long a DataNode that failed is not asked for (`dfs.client.write.exclude.nodes.cache.expiry.interval.millis`).
    pub exclude_expiry: Duration,
    /// Rounds over all replicas before a read fails (`dfs.client.max.block.acquire.failures`).
    pub max_block_acquire_failures: u32,
    /// Base of the pause between the rounds (`dfs.client.retry.window.base`).
    pub retry_window: Duration,
    /// Bytes whose locations are fetched at once (`dfs.client.read.prefetch.size`).
    pub prefetch_bytes: u64,
    /// Attempts to learn the length of an open block.
    pub last_block_length_retries: u32,
    /// Pause between them.
    pub last_block_length_interval: Duration,
    pub(crate) retry: RetryConf,
}

impl ClientConf {
    /// Reads the settings.
    ///
    /// # Errors
    /// `IllegalArgument`, naming the key, when a value makes no sense.
    pub fn from_configuration(conf: &Configuration) -> Result<Self> {
        let block_size = conf.get_u64(&keys::DFS_BLOCK_SIZE)?;
        let prefetch = conf.get_opt_i64(&keys::DFS_CLIENT_READ_PREFETCH_SIZE)?;
        Ok(Self {
            umask: umask(conf)?,
            key_provider: KeyProviderConf::from_configuration(conf),
            block_size,
            replication: conf.get_u16(&keys::DFS_REPLICATION)?,
            checksum: checksum(conf)?,
            combine_mode: combine_mode(conf)?,
            write_packet_bytes: conf.get_usize(&keys::DFS_CLIENT_WRITE_PACKET_SIZE)?,
            max_packets_in_flight: conf
                .get_usize(&keys::DFS_CLIENT_WRITE_MAX_PACKETS_IN_FLIGHT)?
                .max(1),
            socket_timeout: conf.get_duration(&keys::DFS_CLIENT_SOCKET_TIMEOUT)?,
            recover_lease_on_close_exception: conf
                .get_bool(&keys::DFS_CLIENT_WRITE_RECOVER_LEASE_ON_CLOSE_EXCEPTION),
            lease_hard_limit: conf.get_duration(&keys::DFS_NAMENODE_LEASE_HARD_LIMIT_SEC)?,
            use_datanode_hostname: conf.get_bool(&keys::DFS_CLIENT_USE_DATANODE_HOSTNAME),
            data_tcp_no_delay: conf.get_bool(&keys::DFS_DATA_TRANSFER_CLIENT_TCPNODELAY),
            peer_cache_capacity: conf.get_usize(&keys::DFS_CLIENT_SOCKETCACHE_CAPACITY)?,
            peer_cache_expiry: conf.get_duration(&keys::DFS_CLIENT_SOCKETCACHE_EXPIRY_MSEC)?,
            block_write_retries: conf.get_u32(&keys::DFS_CLIENT_BLOCK_WRITE_RETRIES)?,
            locate_retries: conf
                .get_u32(&keys::DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_RETRIES)?,
            locate_initial_delay: conf.get_duration(
                &keys::DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_INITIAL_DELAY_MS,
            )?,
            locate_max_delay: conf
                .get_duration(&keys::DFS_CLIENT_BLOCK_WRITE_LOCATE_FOLLOWING_BLOCK_MAX_DELAY_MS)?,
            replace_datanode: replace_datanode(conf)?,
            max_pipeline_recoveries: conf
                .get_u32(&keys::DFS_CLIENT_PIPELINE_RECOVERY_MAX_RETRIES)?,
            datanode_restart_timeout: conf
                .get_duration(&keys::DFS_CLIENT_DATANODE_RESTART_TIMEOUT)?,
            exclude_expiry: conf
                .get_duration(&keys::DFS_CLIENT_WRITE_EXCLUDE_NODES_CACHE_EXPIRY_INTERVAL_MILLIS)?,
            max_block_acquire_failures: conf
                .get_u32(&keys::DFS_CLIENT_MAX_BLOCK_ACQUIRE_FAILURES)?,
            retry_window: conf.get_duration(&keys::DFS_CLIENT_RETRY_WINDOW_BASE)?,
            prefetch_bytes: prefetch
                .and_then(|bytes| u64::try_from(bytes).ok())
                .filter(|bytes| *bytes > 0)
                .unwrap_or(10 * block_size),
            last_block_length_retries: conf
                .get_u32(&keys::DFS_CLIENT_RETRY_TIMES_GET_LAST_BLOCK_LENGTH)?,
            last_block_length_interval: conf
                .get_duration(&keys::DFS_CLIENT_RETRY_INTERVAL_MS_GET_LAST_BLOCK_LENGTH)?,
            retry: RetryConf {
                max_failovers: conf.get_u32(&keys::DFS_CLIENT_FAILOVER_MAX_ATTEMPTS)?,
                max_retries: conf.get_u32(&keys::DFS_CLIENT_RETRY_MAX_ATTEMPTS)?,
                sleep_base: conf.get_duration(&keys::DFS_CLIENT_FAILOVER_SLEEP_BASE_MILLIS)?,
                sleep_max: conf.get_duration(&keys::DFS_CLIENT_FAILOVER_SLEEP_MAX_MILLIS)?,
            },
        })
    }

    /// How long a DataNode at the head of `nodes` may be silent.
    pub(crate) fn read_timeout(&self, nodes: usize) -> Duration {
        self.socket_timeout + TIMEOUT_EXTENSION * u32::try_from(nodes).unwrap_or(u32::MAX)
    }
}

/// More patience for each node of a pipeline. Hadoop: HdfsConstants.READ_TIMEOUT_EXTENSION.
const TIMEOUT_EXTENSION: Duration = Duration::from_secs(5);

fn refuse(key: &Key, value: &str) -> Error {
    let message = format!("Illegal configuration value for {}: {value}", key.name);
    Error::new(ErrorKind::IllegalArgument, message)
}

/// Hadoop: org.apache.hadoop.fs.permission.FsPermission.getUMask
fn refuse_umask(key: &Key, value: &str) -> Error {
    let name = key.name;
    let message = format!(
        "Unable to parse configuration {name} with value {value} as octal or symbolic umask."
    );
    Error::new(ErrorKind::IllegalArgument, message)
}

/// Octal (`022`), or symbolic as `u=rwx,g=rx,o=rx`, which lists what is kept.
pub(crate) fn umask(conf: &Configuration) -> Result<FsPermission> {
    let text = conf.get_str(&keys::FS_PERMISSIONS_UMASK_MODE);
    let octal = u16::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o1777);
    octal
        .or_else(|| symbolic_umask(text))
        .map(FsPermission)
        .ok_or_else(|| refuse_umask(&keys::FS_PERMISSIONS_UMASK_MODE, text))
}

/// Hadoop: org.apache.hadoop.fs.permission.UmaskParser (3.5.0)
fn symbolic_umask(text: &str) -> Option<u16> {
    let mut kept = 0_u16;
    for clause in text.split(',') {
        let at = clause.find(['=', '+', '-'])?;
        let (who, rest) = clause.split_at(at);
        let bits = rest[1..].chars().try_fold(0, |bits, letter| {
            Some(
                bits | match letter {
                    'r' => 4,
                    'w' => 2,
                    'x' => 1,
                    _ => return None,
                },
            )
        })?;
        for letter in if who.is_empty() { "a" } else { who }.chars() {
            let spread = match letter {
                'u' => bits << 6,
                'g' => bits << 3,
                'o' => bits,
                'a' => bits << 6 | bits << 3 | bits,
                _ => return None,
            };
            match &rest[..1] {
                "-" => kept &= !spread,
                _ => kept |= spread,
            }
        }
    }
    Some(!kept & 0o777)
}

fn checksum(conf: &Configuration) -> Result<ChecksumSpec> {
    let name = conf.get_str(&keys::DFS_CHECKSUM_TYPE);
    let kind = ChecksumType::from_name(name);
    let kind = kind.ok_or_else(|| refuse(&keys::DFS_CHECKSUM_TYPE, name))?;
    let bytes = conf.get_i64(&keys::DFS_BYTES_PER_CHECKSUM)?;
    ChecksumSpec::new(i32::from(kind as u8), bytes)
        .map_err(|error| refuse(&keys::DFS_BYTES_PER_CHECKSUM, &error.to_string()))
}

fn combine_mode(conf: &Configuration) -> Result<CombineMode> {
    match conf.get_str(&keys::DFS_CHECKSUM_COMBINE_MODE) {
        "MD5MD5CRC" => Ok(CombineMode::Md5Md5Crc),
        "COMPOSITE_CRC" => Ok(CombineMode::CompositeCrc),
        other => Err(refuse(&keys::DFS_CHECKSUM_COMBINE_MODE, other)),
    }
}

fn replace_datanode(conf: &Configuration) -> Result<ReplaceDatanode> {
    ReplaceDatanode::new(
        conf.get_bool(&keys::DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_ENABLE),
        conf.get_str(&keys::DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_POLICY),
        conf.get_bool(&keys::DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_BEST_EFFORT),
        conf.get_usize(&keys::DFS_CLIENT_BLOCK_WRITE_REPLACE_DATANODE_ON_FAILURE_MIN_REPLICATION)?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_hadoops() {
        let conf = ClientConf::from_configuration(&Configuration::new()).unwrap();
        assert_eq!(conf.umask, FsPermission(0o022));
        assert_eq!(conf.block_size, 128 << 20);
        assert_eq!(conf.prefetch_bytes, 10 * conf.block_size);
        assert_eq!(conf.checksum, ChecksumSpec::default());
        assert_eq!((conf.max_packets_in_flight, conf.write_packet_bytes), (80, 65_536));
        assert_eq!(conf.read_timeout(3), Duration::from_secs(75));
    }

    #[test]
    fn a_umask_is_octal_or_symbolic() {
        let mut conf = Configuration::new();
        for (text, mask) in [("077", 0o077), ("u=rwx,g=rx,o=", 0o027), ("a+r", 0o333)] {
            conf.set("fs.permissions.umask-mode", text).unwrap();
            assert_eq!(umask(&conf).unwrap(), FsPermission(mask), "{text}");
        }
        conf.set("fs.permissions.umask-mode", "9").unwrap();
        assert!(
            umask(&conf).unwrap_err().message.contains("fs.permissions.umask-mode with value 9")
        );
    }
}
