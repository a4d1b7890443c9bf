//! What a DataNode takes from its configuration, read once at start.

use std::time::Duration;

use hdfs_conf::{Configuration, HostPort, StorageLocation, keys};
use hdfs_datanode::schedule::Intervals;
use hdfs_datanode::volume_choice::VolumePolicy;
use hdfs_types::{Error, ErrorKind, Result};

/// The NameNodes of one nameservice: one block pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameService {
    /// Its name, when it has one.
    pub id: Option<String>,
    /// RPC addresses of its NameNodes.
    pub namenodes: Vec<HostPort>,
}

/// The configuration of one DataNode.
#[derive(Clone, Debug)]
pub struct DataNodeConf {
    /// `dfs.permissions.enabled`.
    pub permissions_enabled: bool,
    /// `dfs.permissions.superusergroup`.
    pub superuser_group: String,
    /// `dfs.datanode.data.dir`.
    pub volumes: Vec<StorageLocation>,
    /// `dfs.datanode.data.dir.perm`.
    pub data_dir_mode: u32,
    /// `dfs.datanode.failed.volumes.tolerated`; -1 means all but one.
    pub failed_volumes_tolerated: i64,
    /// `dfs.datanode.address`.
    pub data_address: HostPort,
    /// `dfs.datanode.ipc.address`.
    pub ipc_address: HostPort,
    /// `dfs.datanode.http.address`.
    pub http_address: HostPort,
    /// `dfs.datanode.hostname`, or the machine's name.
    pub host_name: String,
    /// The NameNodes to serve.
    pub name_services: Vec<NameService>,
    /// `dfs.datanode.max.transfer.threads`.
    pub max_xceivers: usize,
    /// `dfs.datanode.slow.io.warning.threshold.ms`: a longer step of a write counts as slow.
    pub slow_io: Duration,
    /// `ipc.maximum.data.length`.
    pub max_data_length: u64,
    /// `dfs.client.socket-timeout`: for reading from peers.
    pub socket_timeout: Duration,
    /// `dfs.datanode.socket.write.timeout`.
    pub write_timeout: Duration,
    /// `dfs.datanode.socket.reuse.keepalive`; zero: a connection serves one operation.
    pub keepalive: Duration,
    /// Fsync before a block's last acknowledgement. Differs: on unless `dfs.datanode.synconclose` is set to false.
    pub sync_on_close: bool,
    /// `dfs.datanode.sync.behind.writes`: the disk begins early; always so with [`Self::sync_on_close`].
    pub sync_behind_writes: bool,
    /// `dfs.datanode.balance.bandwidthPerSec`: bytes a second for balancing, until the NameNode says otherwise.
    pub balance_bandwidth: u64,
    /// `dfs.datanode.balance.max.concurrent.moves`.
    pub max_moves: usize,
    /// `tusk.datanode.verify-checksums-at-every-hop`.
    pub verify_every_hop: bool,
    /// `dfs.datanode.du.reserved`, in bytes for each volume.
    pub reserved_bytes: u64,
    /// `dfs.datanode.du.reserved.pct`.
    pub reserved_percent: u64,
    /// `dfs.datanode.fsdataset.volume.choosing.policy`.
    pub volume_policy: VolumePolicy,
    /// Heartbeats and reports.
    pub intervals: Intervals,
    /// `dfs.blockreport.split.threshold`.
    pub report_split_threshold: u64,
    /// `dfs.blocksize`: what a new block is taken to need.
    pub block_size: u64,
    /// `dfs.client.use.datanode.hostname`-like choice for connections between DataNodes.
    pub connect_by_host_name: bool,
    /// `dfs.datanode.scan.period.hours`; 0 means three weeks, less than 0 never.
    pub scan_period_hours: i64,
    /// `dfs.block.scanner.volume.bytes.per.second`; 0 or less: never.
    pub scan_bytes_per_second: u64,
    /// `dfs.block.scanner.skip.recent.accessed`.
    pub skip_recently_read: bool,
    /// `dfs.datanode.directoryscan.interval`; zero: never.
    pub directory_scan_interval: Duration,
    /// `dfs.datanode.directoryscan.threads`.
    pub directory_scan_threads: usize,
    /// `dfs.datanode.directoryscan.throttle.limit.ms.per.sec`; outside of 1 to 999 there is no limit.
    pub directory_scan_limit_ms: i64,
    /// How long a writer may take to stop (`dfs.datanode.xceiver.stop.timeout.millis`, 60 s).
    pub stop_writer_timeout: Duration,
}

impl DataNodeConf {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// When a value is malformed or no NameNode is named; the message names the key.
    pub fn new(conf: &Configuration) -> Result<Self> {
        let percent = conf.get_u64(&keys::DFS_DATANODE_DU_RESERVED_PCT)?;
        if percent > 100 {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                format!(
                    "{} is {percent}, not a percentage",
                    keys::DFS_DATANODE_DU_RESERVED_PCT.name
                ),
            ));
        }
        let host_name = match conf.get_opt(&keys::DFS_DATANODE_HOSTNAME) {
            Some(name) => name.to_owned(),
            None => hdfs_rt::host::host_name().to_owned(),
        };
        Ok(Self {
            permissions_enabled: conf.get_bool(&keys::DFS_PERMISSIONS_ENABLED),
            superuser_group: conf.get_str(&keys::DFS_PERMISSIONS_SUPERUSERGROUP).to_owned(),
            volumes: conf.get_storage_locations(&keys::DFS_DATANODE_DATA_DIR)?,
            data_dir_mode: data_dir_mode(conf)?,
            failed_volumes_tolerated: conf.get_i64(&keys::DFS_DATANODE_FAILED_VOLUMES_TOLERATED)?,
            data_address: conf.get_host_port(&keys::DFS_DATANODE_ADDRESS)?,
            ipc_address: conf.get_host_port(&keys::DFS_DATANODE_IPC_ADDRESS)?,
            http_address: conf.get_host_port(&keys::DFS_DATANODE_HTTP_ADDRESS)?,
            host_name,
            name_services: name_services(conf)?,
            max_xceivers: conf.get_usize(&keys::DFS_DATANODE_MAX_TRANSFER_THREADS)?,
            slow_io: conf.get_duration(&keys::DFS_DATANODE_SLOW_IO_WARNING_THRESHOLD_MS)?,
            max_data_length: conf.get_u64(&keys::IPC_MAXIMUM_DATA_LENGTH)?,
            socket_timeout: conf.get_duration(&keys::DFS_CLIENT_SOCKET_TIMEOUT)?,
            write_timeout: conf.get_duration(&keys::DFS_DATANODE_SOCKET_WRITE_TIMEOUT)?,
            keepalive: conf.get_duration(&keys::DFS_DATANODE_SOCKET_REUSE_KEEPALIVE)?,
            sync_on_close: !conf.is_set(&keys::DFS_DATANODE_SYNCONCLOSE)
                || conf.get_bool(&keys::DFS_DATANODE_SYNCONCLOSE),
            sync_behind_writes: conf.get_bool(&keys::DFS_DATANODE_SYNC_BEHIND_WRITES),
            balance_bandwidth: conf.get_u64(&keys::DFS_DATANODE_BALANCE_BANDWIDTH_PER_SEC)?,
            max_moves: conf.get_usize(&keys::DFS_DATANODE_BALANCE_MAX_CONCURRENT_MOVES)?,
            verify_every_hop: conf.get_bool(&keys::TUSK_DATANODE_VERIFY_CHECKSUMS_AT_EVERY_HOP),
            reserved_bytes: conf.get_u64(&keys::DFS_DATANODE_DU_RESERVED)?,
            reserved_percent: percent,
            volume_policy: volume_policy(conf)?,
            intervals: Intervals {
                heartbeat: conf.get_duration(&keys::DFS_HEARTBEAT_INTERVAL)?,
                block_report: conf.get_duration(&keys::DFS_BLOCKREPORT_INTERVAL_MSEC)?,
                initial_delay: conf.get_duration(&keys::DFS_BLOCKREPORT_INITIAL_DELAY)?,
            },
            report_split_threshold: conf.get_u64(&keys::DFS_BLOCKREPORT_SPLIT_THRESHOLD)?,
            block_size: conf.get_u64(&keys::DFS_BLOCK_SIZE)?,
            connect_by_host_name: conf.get_bool(&keys::DFS_DATANODE_USE_DATANODE_HOSTNAME),
            scan_period_hours: conf.get_i64(&keys::DFS_DATANODE_SCAN_PERIOD_HOURS)?,
            scan_bytes_per_second: conf
                .get_i64(&keys::DFS_BLOCK_SCANNER_VOLUME_BYTES_PER_SECOND)?
                .max(0)
                .unsigned_abs(),
            skip_recently_read: conf.get_bool(&keys::DFS_BLOCK_SCANNER_SKIP_RECENT_ACCESSED),
            directory_scan_interval: directory_scan_interval(conf)?,
            directory_scan_threads: conf.get_usize(&keys::DFS_DATANODE_DIRECTORYSCAN_THREADS)?,
            directory_scan_limit_ms: conf
                .get_i64(&keys::DFS_DATANODE_DIRECTORYSCAN_THROTTLE_LIMIT_MS_PER_SEC)?,
            stop_writer_timeout: Duration::from_secs(60),
        })
    }
}

/// An octal mode, as Hadoop takes it.
fn data_dir_mode(conf: &Configuration) -> Result<u32> {
    let key = &keys::DFS_DATANODE_DATA_DIR_PERM;
    let text = conf.get_str(key);
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| {
        Error::new(ErrorKind::IllegalArgument, format!("{}={text} is no octal mode", key.name))
    })
}

/// Less than nothing: never.
fn directory_scan_interval(conf: &Configuration) -> Result<Duration> {
    let millis = conf.get_millis(&keys::DFS_DATANODE_DIRECTORYSCAN_INTERVAL)?;
    Ok(Duration::from_millis(millis.max(0).unsigned_abs()))
}

/// Three weeks.
const DEFAULT_SCAN_HOURS: u64 = 504;

impl DataNodeConf {
    /// True when the block scanner runs.
    pub fn scans_blocks(&self) -> bool {
        self.scan_period_hours >= 0 && self.scan_bytes_per_second > 0
    }

    /// Time between the starts of two passes of the block scanner, in milliseconds.
    pub fn scan_period_ms(&self) -> u64 {
        let hours = match self.scan_period_hours {
            0 => DEFAULT_SCAN_HOURS,
            hours => hours.unsigned_abs(),
        };
        hours.saturating_mul(3_600_000)
    }

    /// How many volumes may fail.
    pub fn tolerated_failures(&self) -> usize {
        match self.failed_volumes_tolerated {
            all_but_one if all_but_one < 0 => self.volumes.len().saturating_sub(1),
            count => usize::try_from(count).unwrap_or(usize::MAX),
        }
    }
}

fn volume_policy(conf: &Configuration) -> Result<VolumePolicy> {
    let class = conf.get_opt(&keys::DFS_DATANODE_FSDATASET_VOLUME_CHOOSING_POLICY).unwrap_or("");
    let name = class.rsplit('.').next().unwrap_or("");
    match name {
        "" | "RoundRobinVolumeChoosingPolicy" => Ok(VolumePolicy::RoundRobin),
        "AvailableSpaceVolumeChoosingPolicy" => {
            let threshold =
                &keys::DFS_DATANODE_AVAILABLE_SPACE_VOLUME_CHOOSING_POLICY_BALANCED_SPACE_THRESHOLD;
            let fraction = &keys::DFS_DATANODE_AVAILABLE_SPACE_VOLUME_CHOOSING_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION;
            let preference = conf.get_f64(fraction)?.clamp(0.0, 1.0);
            Ok(VolumePolicy::AvailableSpace {
                threshold: conf.get_u64(threshold)?,
                preference_per_mille: (preference * 1_000.0) as u64,
            })
        }
        other => Err(Error::new(
            ErrorKind::IllegalArgument,
            format!(
                "{}: {other} is unknown; RoundRobinVolumeChoosingPolicy and AvailableSpaceVolumeChoosingPolicy are \
                 supported",
                keys::DFS_DATANODE_FSDATASET_VOLUME_CHOOSING_POLICY.name
            ),
        )),
    }
}

/// The NameNodes of every nameservice: with high availability several for each, else the one of the file system.
pub(crate) fn name_services(conf: &Configuration) -> Result<Vec<NameService>> {
    let list = |key: &str| -> Vec<String> {
        let value = conf.get(key).unwrap_or("");
        value.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
    };
    let mut services = list("dfs.internal.nameservices");
    if services.is_empty() {
        services = list("dfs.nameservices");
    }
    if services.is_empty() {
        let address = match conf.get("dfs.namenode.servicerpc-address") {
            Some(address) => HostPort::parse(address, Some(8020))?,
            None => conf.namenode_rpc_address()?,
        };
        return Ok(vec![NameService { id: None, namenodes: vec![address] }]);
    }
    let address_of = |suffix: &str| -> Result<HostPort> {
        let service = conf.get(&format!("dfs.namenode.servicerpc-address.{suffix}"));
        let address = service.or_else(|| conf.get(&format!("dfs.namenode.rpc-address.{suffix}")));
        let address = address.ok_or_else(|| {
            Error::new(
                ErrorKind::IllegalArgument,
                format!("dfs.namenode.rpc-address.{suffix} is not set: the DataNode cannot find its NameNode"),
            )
        })?;
        HostPort::parse(address, Some(8020))
    };
    let of_service = |id: String| -> Result<NameService> {
        let members = list(&format!("dfs.ha.namenodes.{id}"));
        let namenodes: Result<Vec<HostPort>> = if members.is_empty() {
            address_of(&id).map(|address| vec![address])
        } else {
            members.iter().map(|member| address_of(&format!("{id}.{member}"))).collect()
        };
        Ok(NameService { namenodes: namenodes?, id: Some(id) })
    };
    services.into_iter().map(of_service).collect()
}
