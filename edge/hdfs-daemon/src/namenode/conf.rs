//! The settings of one NameNode: read once from the configuration, plain afterwards.

mod blocks;

use std::path::PathBuf;
use std::time::Duration;

use hdfs_blocks::DefaultPorts;
use hdfs_conf::{Configuration, HostPort, Key, StorageLocation, keys};
use hdfs_format::reserved_names::ReservedNames;
use hdfs_namenode::{MachineConf, SafeModeConf};
use hdfs_namespace::NamespaceConf;
use hdfs_proto::hdfs::{ChecksumTypeProto, FsServerDefaultsProto};
use hdfs_rt::users;
use hdfs_types::{Error, ErrorKind, Result};

pub(crate) use self::blocks::blocks_conf;
use super::image_store::ImageSettings;
use super::storage::DirSpec;

/// The files that say which DataNodes may join, and which are to leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostsConf {
    pub(crate) include: Option<PathBuf>,
    /// Not read with [`HostsFormat::Combined`].
    pub(crate) exclude: Option<PathBuf>,
    pub(crate) format: HostsFormat,
    /// Zero: as long as it takes.
    pub(crate) timeout: Duration,
    pub(crate) ports: DefaultPorts,
}

/// What the files look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum HostsFormat {
    /// A host a line.
    #[default]
    Lines,
    /// One file in JSON.
    Combined,
}

/// What the shell needs; [`MachineConf`] is what the machine needs.
#[derive(Clone, Debug)]
pub(crate) struct NameNodeConf {
    pub(crate) machine: MachineConf,
    pub(crate) dirs: Vec<DirSpec>,
    /// `dfs.namenode.edits.dir.minimum`.
    pub(crate) minimum_edits_dirs: usize,
    /// Where to serve RPC, and under which name clients know it.
    pub(crate) rpc_bind: HostPort,
    pub(crate) rpc_address: HostPort,
    /// Further RPC ports, with the key of each: for DataNodes, for their lifelines, and auxiliary ones.
    pub(crate) more_rpc_binds: Vec<(&'static str, HostPort)>,
    pub(crate) http_bind: HostPort,
    /// `dfs.namenode.num.checkpoints.retained`.
    pub(crate) checkpoints_retained: usize,
    /// `dfs.namenode.num.extra.edits.retained`.
    pub(crate) extra_edits_retained: u64,
    /// `dfs.namenode.max.extra.edits.segments.retained`.
    pub(crate) extra_segments_retained: usize,
    /// How images are written and read.
    pub(crate) image: ImageSettings,
    /// `dfs.namenode.checkpoint.period`: an image older than this is renewed at start.
    pub(crate) checkpoint_period: Duration,
    /// `dfs.namenode.checkpoint.txns`: so is one with more edits behind it.
    pub(crate) checkpoint_txns: u64,
    /// A segment with more transactions than this is rolled.
    pub(crate) roll_txns: u64,
    /// `dfs.namenode.edit.log.autoroll.check.interval.ms`.
    pub(crate) roll_check_interval: Duration,
    /// `dfs.namenode.resource.du.reserved`: less free space than this on every name folder means safe mode.
    pub(crate) reserved_bytes: u64,
    /// `dfs.namenode.resource.checked.volumes`: so does less on any of these.
    pub(crate) checked_volumes: Vec<PathBuf>,
    /// `dfs.namenode.resource.checked.volumes.minimum`: folders for edits that must have room.
    pub(crate) checked_volumes_minimum: usize,
    /// `dfs.namenode.max.op.size`.
    pub(crate) max_op_bytes: usize,
    /// `-renameReserved`; not from the configuration.
    pub(crate) reserved_names: ReservedNames,
    /// Events that one inotify answer holds (`dfs.namenode.inotify.max.events.per.rpc`).
    pub(crate) inotify_max_events: usize,
    /// `dfs.namenode.resource.check.interval`.
    pub(crate) resource_check_interval: Duration,
    /// `dfs.namenode.redundancy.interval.seconds`.
    pub(crate) redundancy_interval: Duration,
    /// `dfs.namenode.lease-recheck-interval-ms`.
    pub(crate) lease_interval: Duration,
    /// `dfs.namenode.snapshot.deletion.ordered.gc.period.ms`; None unless snapshots are deleted in order.
    pub(crate) snapshot_collection_interval: Option<Duration>,
    /// `dfs.namenode.decommission.interval`.
    pub(crate) decommission_interval: Duration,
    /// How long `complete` and `addBlock` wait for reports; zero: as Hadoop, not at all.
    pub(crate) hold_replies: Duration,
    /// `dfs.permissions.superusergroup`.
    pub(crate) superuser_group: String,
    /// `dfs.hosts` and `dfs.hosts.exclude`.
    pub(crate) hosts: HostsConf,
    /// `dfs.namenode.reject-unresolved-dn-topology-mapping`: a DataNode whose rack is not found out may not join.
    pub(crate) reject_unresolved_racks: bool,
    /// `hadoop.user.group.static.mapping.overrides` and the other keys of group mapping live there.
    pub(crate) configuration: Configuration,
}

impl NameNodeConf {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When a value is malformed or contradicts another one.
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        refuse_unsupported(conf)?;
        let rpc_address = conf.namenode_rpc_address()?;
        let http = conf.get_host_port(&keys::DFS_NAMENODE_HTTP_ADDRESS)?;
        let checkpoint_txns = conf.get_u64(&keys::DFS_NAMENODE_CHECKPOINT_TXNS)?;
        let roll = conf.get_f64(&keys::DFS_NAMENODE_EDIT_LOG_AUTOROLL_MULTIPLIER_THRESHOLD)?;
        let hold = conf.get_bool(&keys::TUSK_NAMENODE_HOLD_REPLIES_FOR_RECEIVED_REPORTS);
        let reserved = conf.get_u64(&keys::DFS_NAMENODE_RESOURCE_DU_RESERVED)?;
        Ok(Self {
            machine: machine_conf(conf, &rpc_address)?,
            dirs: dir_specs(conf)?,
            minimum_edits_dirs: conf.get_usize(&keys::DFS_NAMENODE_EDITS_DIR_MINIMUM)?,
            rpc_bind: conf.bind_address(&rpc_address, &keys::DFS_NAMENODE_RPC_BIND_HOST),
            more_rpc_binds: more_rpc_binds(conf, &rpc_address)?,
            rpc_address,
            http_bind: conf.bind_address(&http, &keys::DFS_NAMENODE_HTTP_BIND_HOST),
            checkpoints_retained: conf
                .get_usize(&keys::DFS_NAMENODE_NUM_CHECKPOINTS_RETAINED)?
                .max(1),
            extra_edits_retained: conf.get_u64(&keys::DFS_NAMENODE_NUM_EXTRA_EDITS_RETAINED)?,
            extra_segments_retained: conf
                .get_usize(&keys::DFS_NAMENODE_MAX_EXTRA_EDITS_SEGMENTS_RETAINED)?,
            image: ImageSettings::new(conf)?,
            checkpoint_period: conf.get_duration(&keys::DFS_NAMENODE_CHECKPOINT_PERIOD)?,
            roll_txns: (roll * checkpoint_txns as f64) as u64,
            checkpoint_txns,
            roll_check_interval: conf
                .get_duration(&keys::DFS_NAMENODE_EDIT_LOG_AUTOROLL_CHECK_INTERVAL_MS)?,
            reserved_bytes: reserved,
            checked_volumes: conf
                .get_storage_locations(&keys::DFS_NAMENODE_RESOURCE_CHECKED_VOLUMES)?
                .into_iter()
                .map(|location| PathBuf::from(location.path))
                .collect(),
            checked_volumes_minimum: conf
                .get_usize(&keys::DFS_NAMENODE_RESOURCE_CHECKED_VOLUMES_MINIMUM)?,
            max_op_bytes: conf.get_usize(&keys::DFS_NAMENODE_MAX_OP_SIZE)?,
            reserved_names: ReservedNames::default(),
            inotify_max_events: conf.get_usize(&keys::DFS_NAMENODE_INOTIFY_MAX_EVENTS_PER_RPC)?,
            resource_check_interval: conf
                .get_duration(&keys::DFS_NAMENODE_RESOURCE_CHECK_INTERVAL)?,
            redundancy_interval: conf
                .get_duration(&keys::DFS_NAMENODE_REDUNDANCY_INTERVAL_SECONDS)?,
            lease_interval: conf.get_duration(&keys::DFS_NAMENODE_LEASE_RECHECK_INTERVAL_MS)?,
            snapshot_collection_interval: snapshot_collection_interval(conf)?,
            decommission_interval: conf.get_duration(&keys::DFS_NAMENODE_DECOMMISSION_INTERVAL)?,
            hold_replies: if hold {
                conf.get_duration(&keys::TUSK_NAMENODE_HOLD_REPLIES_TIMEOUT)?
            } else {
                Duration::ZERO
            },
            superuser_group: conf.get_str(&keys::DFS_PERMISSIONS_SUPERUSERGROUP).to_owned(),
            hosts: hosts_conf(conf)?,
            reject_unresolved_racks: conf
                .get_bool(&keys::DFS_NAMENODE_REJECT_UNRESOLVED_DN_TOPOLOGY_MAPPING),
            configuration: conf.clone(),
        })
    }
}

impl NameNodeConf {
    /// Where RPC is served, with the key of each address.
    pub(crate) fn rpc_binds(&self) -> impl Iterator<Item = (&'static str, &HostPort)> {
        std::iter::once((keys::DFS_NAMENODE_RPC_ADDRESS.name, &self.rpc_bind))
            .chain(self.more_rpc_binds.iter().map(|(key, bind)| (*key, bind)))
    }
}

fn more_rpc_binds(
    conf: &Configuration,
    rpc_address: &HostPort,
) -> Result<Vec<(&'static str, HostPort)>> {
    let mut binds = Vec::new();
    for (key, bind_host) in [
        (&keys::DFS_NAMENODE_SERVICERPC_ADDRESS, &keys::DFS_NAMENODE_SERVICERPC_BIND_HOST),
        (&keys::DFS_NAMENODE_LIFELINE_RPC_ADDRESS, &keys::DFS_NAMENODE_LIFELINE_RPC_BIND_HOST),
    ] {
        if let Some(address) = conf.get_opt_host_port(key)? {
            binds.push((key.name, conf.bind_address(&address, bind_host)));
        }
    }
    let key = &keys::DFS_NAMENODE_RPC_ADDRESS_AUXILIARY_PORTS;
    for port in conf.get_list(key) {
        let port = port.parse().map_err(|_| {
            Error::new(ErrorKind::IllegalArgument, format!("{port} in {} is no port", key.name))
        })?;
        let address = HostPort { host: rpc_address.host.clone(), port };
        binds.push((key.name, conf.bind_address(&address, &keys::DFS_NAMENODE_RPC_BIND_HOST)));
    }
    Ok(binds)
}

/// Settings whose absence does no harm, but which are not honoured.
pub(crate) fn warn_of_ignored(conf: &Configuration) {
    let key = &keys::DFS_NAMENODE_DELEGATION_TOKEN_ALWAYS_USE;
    if conf.get_bool(key) {
        tracing::warn!("{}=true: there are no delegation tokens yet", key.name);
    }
}

/// Settings that ask for what is not built yet: a NameNode that started all the same would be less safe, or another one,
/// than its administrator thinks.
fn refuse_unsupported(conf: &Configuration) -> Result<()> {
    let on = |key: &Key| conf.get_bool(key).then(|| format!("{}=true", key.name));
    let other = |key: &Key, supported: &str| {
        let value = conf.get_str(key);
        (!value.eq_ignore_ascii_case(supported)).then(|| format!("{}={value}", key.name))
    };
    let nameservice = || conf.iter().find(|(key, _)| key.starts_with("dfs.ha.namenodes."));
    let asked = other(&keys::HADOOP_SECURITY_AUTHENTICATION, "simple")
        .or_else(|| other(&keys::DFS_HTTP_POLICY, "HTTP_ONLY"))
        .or_else(|| hosts_provider(conf).err())
        .or_else(|| on(&keys::DFS_BLOCK_ACCESS_TOKEN_ENABLE))
        .or_else(|| on(&keys::DFS_ENCRYPT_DATA_TRANSFER))
        .or_else(|| conf.get_opt(&keys::DFS_NAMENODE_SHARED_EDITS_DIR).map(str::to_owned))
        .or_else(|| nameservice().map(|(key, value)| format!("{key}={value}")));
    match asked {
        None => Ok(()),
        Some(asked) => Err(Error::new(
            ErrorKind::UnsupportedOperation,
            format!(
                "{asked} is configured, and this NameNode does not support it yet; remove the setting"
            ),
        )),
    }
}

fn hosts_conf(conf: &Configuration) -> Result<HostsConf> {
    Ok(HostsConf {
        include: conf.get_opt(&keys::DFS_HOSTS).map(PathBuf::from),
        exclude: conf.get_opt(&keys::DFS_HOSTS_EXCLUDE).map(PathBuf::from),
        format: hosts_provider(conf).unwrap_or_default(),
        timeout: conf.get_duration(&keys::DFS_HOSTS_TIMEOUT)?,
        ports: default_ports(conf)?,
    })
}

/// Who reads the files of hosts.
///
/// # Errors
/// The setting, when it names another class.
fn hosts_provider(conf: &Configuration) -> std::result::Result<HostsFormat, String> {
    let key = &keys::DFS_NAMENODE_HOSTS_PROVIDER_CLASSNAME;
    let class = conf.get_str(key);
    match class.rsplit_once('.').map_or(class, |(_, name)| name) {
        "HostFileManager" => Ok(HostsFormat::Lines),
        "CombinedHostFileManager" => Ok(HostsFormat::Combined),
        _ => Err(format!("{}={class}", key.name)),
    }
}

/// The ports of a DataNode that a file of hosts names without its having registered.
fn default_ports(conf: &Configuration) -> Result<DefaultPorts> {
    let port = |key| conf.get_host_port(key).map(|address| address.port);
    Ok(DefaultPorts {
        xfer: port(&keys::DFS_DATANODE_ADDRESS)?,
        info: port(&keys::DFS_DATANODE_HTTP_ADDRESS)?,
        info_secure: port(&keys::DFS_DATANODE_HTTPS_ADDRESS)?,
        ipc: port(&keys::DFS_DATANODE_IPC_ADDRESS)?,
    })
}

/// The folders for images and edits, each once.
///
/// Hadoop: FSNamesystem.getNamespaceDirs, getNamespaceEditsDirs (3.5.0)
pub(crate) fn dir_specs(conf: &Configuration) -> Result<Vec<DirSpec>> {
    let paths = |key: &Key| -> Result<Vec<PathBuf>> {
        let locations: Vec<StorageLocation> = conf.get_storage_locations(key)?;
        Ok(locations.into_iter().map(|location| PathBuf::from(location.path)).collect())
    };
    let images = paths(&keys::DFS_NAMENODE_NAME_DIR)?;
    let edits = paths(&keys::DFS_NAMENODE_EDITS_DIR)?;
    let required = paths(&keys::DFS_NAMENODE_EDITS_DIR_REQUIRED)?;
    if let Some(odd) = required.iter().find(|path| !edits.contains(path)) {
        return Err(Error::new(
            ErrorKind::IllegalArgument,
            format!(
                "dfs.namenode.edits.dir.required names {}, which is not in dfs.namenode.edits.dir",
                odd.display()
            ),
        ));
    }
    let mut all = images.clone();
    all.extend(edits.iter().filter(|path| !images.contains(path)).cloned());
    Ok(all
        .into_iter()
        .map(|root| DirSpec {
            image: images.contains(&root),
            edits: edits.contains(&root),
            required: required.contains(&root),
            root,
        })
        .collect())
}

fn machine_conf(conf: &Configuration, address: &HostPort) -> Result<MachineConf> {
    let host = if address.host.is_empty() || address.host == "0.0.0.0" {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    } else {
        address.host.clone()
    };
    let retry = conf.get_bool(&keys::DFS_NAMENODE_ENABLE_RETRYCACHE);
    check_unsupported(conf)?;
    Ok(MachineConf {
        namespace: namespace_conf(conf)?,
        blocks: blocks_conf(conf)?,
        safe_mode: SafeModeConf {
            threshold: conf.get_f64(&keys::DFS_NAMENODE_SAFEMODE_THRESHOLD_PCT)? as f32,
            min_datanodes: conf.get_u64(&keys::DFS_NAMENODE_SAFEMODE_MIN_DATANODES)?,
            extension: conf.get_duration(&keys::DFS_NAMENODE_SAFEMODE_EXTENSION)?,
        },
        server_defaults: server_defaults(conf)?,
        retry_cache_expiry: if retry {
            conf.get_duration(&keys::DFS_NAMENODE_RETRYCACHE_EXPIRYTIME_MILLIS)?
        } else {
            Duration::ZERO
        },
        max_corrupt_files: conf.get_usize(&keys::DFS_NAMENODE_MAX_CORRUPT_FILE_BLOCKS_RETURNED)?,
        batched_listing_limit: conf.get_usize(&keys::DFS_BATCHED_LS_LIMIT)?,
        host,
        seed: 0,
    })
}

/// Refuses what would make the namespace mean something else, and warns of what only leaves a file unwritten.
fn check_unsupported(conf: &Configuration) -> Result<()> {
    let provider = &keys::DFS_NAMENODE_INODE_ATTRIBUTES_PROVIDER_CLASS;
    if let Some(class) = conf.get_opt(provider) {
        return Err(Error::io(format!("{} is {class}, which is not supported yet", provider.name)));
    }
    let policy = &keys::DFS_STORAGE_DEFAULT_POLICY;
    let name = conf.get_str(policy);
    if !name.eq_ignore_ascii_case("HOT") {
        return Err(Error::io(format!("{} is {name}; only HOT is supported yet", policy.name)));
    }
    let legacy = &keys::DFS_NAMENODE_LEGACY_OIV_IMAGE_DIR;
    if let Some(folder) = conf.get_opt(legacy) {
        tracing::warn!(
            "{} is {folder}, and images of the format before protobuf are not supported yet: none is written",
            legacy.name
        );
    }
    Ok(())
}

fn snapshot_collection_interval(conf: &Configuration) -> Result<Option<Duration>> {
    if !conf.get_bool(&keys::DFS_NAMENODE_SNAPSHOT_DELETION_ORDERED) {
        return Ok(None);
    }
    let key = &keys::DFS_NAMENODE_SNAPSHOT_DELETION_ORDERED_GC_PERIOD_MS;
    match conf.get_duration(key)? {
        Duration::ZERO => Err(Error::io(format!("{} must be more than 0", key.name))),
        interval => Ok(Some(interval)),
    }
}

/// Limits and switches of the namespace.
pub(crate) fn namespace_conf(conf: &Configuration) -> Result<NamespaceConf> {
    let hard_limit = conf.get_duration(&keys::DFS_NAMENODE_LEASE_HARD_LIMIT_SEC)?;
    let precision = conf.get_duration(&keys::DFS_NAMENODE_ACCESSTIME_PRECISION)?;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let protected = conf.get_list(&keys::FS_PROTECTED_DIRECTORIES);
    Ok(NamespaceConf {
        owner: users::current_user(),
        supergroup: conf.get_str(&keys::DFS_PERMISSIONS_SUPERUSERGROUP).to_owned(),
        permissions_enabled: conf.get_bool(&keys::DFS_PERMISSIONS_ENABLED),
        max_component_length: conf.get_usize(&keys::DFS_NAMENODE_FS_LIMITS_MAX_COMPONENT_LENGTH)?,
        max_directory_items: conf.get_usize(&keys::DFS_NAMENODE_FS_LIMITS_MAX_DIRECTORY_ITEMS)?,
        min_block_size: conf.get_u64(&keys::DFS_NAMENODE_FS_LIMITS_MIN_BLOCK_SIZE)?,
        max_blocks_per_file: conf.get_usize(&keys::DFS_NAMENODE_FS_LIMITS_MAX_BLOCKS_PER_FILE)?,
        max_objects: conf.get_u64(&keys::DFS_NAMENODE_MAX_OBJECTS)?,
        ls_limit: conf.get_usize(&keys::DFS_LS_LIMIT)?,
        access_time_precision_ms: millis(precision),
        content_summary_sub_access: conf
            .get_bool(&keys::DFS_PERMISSIONS_CONTENT_SUMMARY_SUB_ACCESS),
        content_summary_limit: conf.get_usize(&keys::DFS_CONTENT_SUMMARY_LIMIT)?.max(1),
        max_replication: conf.get_u16(&keys::DFS_REPLICATION_MAX)?,
        min_replication: conf.get_u16(&keys::DFS_NAMENODE_REPLICATION_MIN)?,
        acls_enabled: conf.get_bool(&keys::DFS_NAMENODE_ACLS_ENABLED),
        posix_acl_inheritance: conf.get_bool(&keys::DFS_NAMENODE_POSIX_ACL_INHERITANCE_ENABLED),
        xattrs_enabled: conf.get_bool(&keys::DFS_NAMENODE_XATTRS_ENABLED),
        max_xattr_size: conf.get_usize(&keys::DFS_NAMENODE_FS_LIMITS_MAX_XATTR_SIZE)?,
        max_xattrs_per_inode: conf.get_usize(&keys::DFS_NAMENODE_FS_LIMITS_MAX_XATTRS_PER_INODE)?,
        storage_policy_enabled: conf.get_bool(&keys::DFS_STORAGE_POLICY_ENABLED),
        storage_policy_superuser_only: conf
            .get_bool(&keys::DFS_STORAGE_POLICY_PERMISSIONS_SUPERUSER_ONLY),
        quota_by_storage_type_enabled: conf.get_bool(&keys::DFS_QUOTA_BY_STORAGE_TYPE_ENABLED),
        allow_owner_set_quota: conf.get_bool(&keys::DFS_PERMISSIONS_ALLOW_OWNER_SET_QUOTA),
        protected_directories: protected.into_iter().map(|path| path.as_bytes().to_vec()).collect(),
        protect_subdirectories: conf.get_bool(&keys::DFS_PROTECTED_SUBDIRECTORIES_ENABLE),
        default_erasure_coding_policy: conf
            .get_str(&keys::DFS_NAMENODE_EC_SYSTEM_DEFAULT_POLICY)
            .to_owned(),
        max_erasure_coding_cell_bytes: conf
            .get_u32(&keys::DFS_NAMENODE_EC_POLICIES_MAX_CELLSIZE)?,
        user_erasure_coding_policies: conf
            .get_bool(&keys::DFS_NAMENODE_EC_USERDEFINED_POLICY_ALLOWED),
        caching_enabled: conf.get_bool(&keys::DFS_NAMENODE_CACHING_ENABLED),
        max_cache_pools_listed: conf
            .get_usize(&keys::DFS_NAMENODE_LIST_CACHE_POOLS_NUM_RESPONSES)?,
        max_cache_directives_listed: conf
            .get_usize(&keys::DFS_NAMENODE_LIST_CACHE_DIRECTIVES_NUM_RESPONSES)?,
        max_encryption_zones_listed: conf
            .get_usize(&keys::DFS_NAMENODE_LIST_ENCRYPTION_ZONES_NUM_RESPONSES)?,
        max_reencryption_status_listed: conf
            .get_usize(&keys::DFS_NAMENODE_LIST_REENCRYPTION_STATUS_NUM_RESPONSES)?,
        max_open_files_listed: conf.get_usize(&keys::DFS_NAMENODE_LIST_OPENFILES_NUM_RESPONSES)?,
        max_snapshots: conf.get_usize(&keys::DFS_NAMENODE_SNAPSHOT_MAX_LIMIT)?,
        max_snapshots_total: conf.get_usize(&keys::DFS_NAMENODE_SNAPSHOT_FILESYSTEM_LIMIT)?,
        capture_open_files: conf.get_bool(&keys::DFS_NAMENODE_SNAPSHOT_CAPTURE_OPENFILES),
        skip_access_times: conf
            .get_bool(&keys::DFS_NAMENODE_SNAPSHOT_SKIP_CAPTURE_ACCESSTIME_ONLY_CHANGE),
        ordered_snapshot_deletion: conf.get_bool(&keys::DFS_NAMENODE_SNAPSHOT_DELETION_ORDERED),
        snapshot_trash_roots: conf.get_bool(&keys::DFS_NAMENODE_SNAPSHOT_TRASHROOT_ENABLED),
        snapshot_diff_listing_limit: conf
            .get_usize(&keys::DFS_NAMENODE_SNAPSHOT_DIFF_LISTING_LIMIT)?,
        snapshot_diff_allow_descendant: conf
            .get_bool(&keys::DFS_NAMENODE_SNAPSHOT_DIFF_ALLOW_SNAP_ROOT_DESCENDANT),
        lease_hard_limit_ms: millis(hard_limit),
        ..NamespaceConf::default()
    })
}

fn server_defaults(conf: &Configuration) -> Result<FsServerDefaultsProto> {
    let checksum = match conf.get_str(&keys::DFS_CHECKSUM_TYPE) {
        "NULL" => ChecksumTypeProto::ChecksumNull,
        "CRC32" => ChecksumTypeProto::ChecksumCrc32,
        "CRC32C" => ChecksumTypeProto::ChecksumCrc32c,
        other => {
            return Err(Error::io(format!(
                "Invalid checksum type in dfs.checksum.type: {other}; it must be CRC32C, CRC32 or NULL"
            )));
        }
    };
    Ok(FsServerDefaultsProto {
        block_size: conf.get_u64(&keys::DFS_BLOCK_SIZE)?,
        bytes_per_checksum: conf.get_u32(&keys::DFS_BYTES_PER_CHECKSUM)?,
        write_packet_size: conf.get_u32(&keys::DFS_CLIENT_WRITE_PACKET_SIZE)?,
        replication: conf.get_u32(&keys::DFS_REPLICATION)?,
        file_buffer_size: conf.get_u32(&keys::IO_FILE_BUFFER_SIZE)?,
        encrypt_data_transfer: Some(false),
        trash_interval: Some(conf.get_f64(&keys::FS_TRASH_INTERVAL)? as u64),
        checksum_type: Some(checksum as i32),
        key_provider_uri: Some(conf.get_str(&keys::HADOOP_SECURITY_KEY_PROVIDER_PATH).to_owned()),
        policy_id: Some(u32::from(hdfs_namenode::policies::HOT)),
        snapshot_trash_root_enabled: Some(
            conf.get_bool(&keys::DFS_NAMENODE_SNAPSHOT_TRASHROOT_ENABLED),
        ),
    })
}
