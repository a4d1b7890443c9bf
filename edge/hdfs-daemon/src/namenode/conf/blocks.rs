//! The settings of the block manager.

use hdfs_blocks::{BlocksConf, PlacementPolicy, SpacePreference};
use hdfs_conf::{Configuration, Key, keys};
use hdfs_types::{Error, ErrorKind, Result};

/// The placement policy of a class; one that is not built would be silently another behaviour.
fn placement_policy(conf: &Configuration, key: &Key) -> Result<PlacementPolicy> {
    let class = conf.get_str(key);
    PlacementPolicy::of_class(class).ok_or_else(|| {
        Error::new(
            ErrorKind::UnsupportedOperation,
            format!("{}={class}: this placement policy is not supported", key.name),
        )
    })
}

/// A share as a percentage, cut as Java cuts it; what is above the whole counts as the whole.
fn percent_of_share(conf: &Configuration, key: &Key) -> Result<u32> {
    Ok((100.0 * conf.get_f64(key)?) as u32)
}

/// A percentage up to a limit, above which Hadoop takes the default.
fn percent_up_to(conf: &Configuration, key: &Key, limit: i64, default: u32) -> Result<u32> {
    let value = conf.get_i64(key)?;
    match u32::try_from(value) {
        Ok(percent) if value <= limit => Ok(percent),
        _ => {
            tracing::warn!("{}={value} is not from 0 to {limit}: {default} is used", key.name);
            Ok(default)
        }
    }
}

fn space_preference(conf: &Configuration) -> Result<SpacePreference> {
    use keys as k;
    let default = SpacePreference::default();
    let tolerance =
        &k::DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE;
    let limit =
        &k::DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE_LIMIT;
    let emptier =
        &k::DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION;
    Ok(SpacePreference {
        emptier: percent_of_share(conf, emptier)?,
        tolerance: percent_up_to(conf, tolerance, 20, default.tolerance)?,
        tolerance_limit: percent_up_to(conf, limit, 100, default.tolerance_limit)?,
        weigh_local: conf
            .get_bool(&k::DFS_NAMENODE_AVAILABLE_SPACE_BLOCK_PLACEMENT_POLICY_BALANCE_LOCAL_NODE),
    })
}

fn rack_space_preference(conf: &Configuration) -> Result<SpacePreference> {
    use keys as k;
    // No limit: nodes that are equally full are equal however full they are.
    let default = SpacePreference { tolerance_limit: u32::MAX, ..SpacePreference::default() };
    let tolerance = &k::DFS_NAMENODE_AVAILABLE_SPACE_RACK_FAULT_TOLERANT_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_TOLERANCE;
    let emptier = &k::DFS_NAMENODE_AVAILABLE_SPACE_RACK_FAULT_TOLERANT_BLOCK_PLACEMENT_POLICY_BALANCED_SPACE_PREFERENCE_FRACTION;
    Ok(SpacePreference {
        emptier: percent_of_share(conf, emptier)?,
        tolerance: percent_up_to(conf, tolerance, 20, default.tolerance)?,
        ..default
    })
}

/// What decides about blocks and DataNodes.
pub(crate) fn blocks_conf(conf: &Configuration) -> Result<BlocksConf> {
    let min_replication = conf.get_u16(&keys::DFS_NAMENODE_REPLICATION_MIN)?;
    let safe = conf.get_opt_i64(&keys::DFS_NAMENODE_SAFEMODE_REPLICATION_MIN)?;
    Ok(BlocksConf {
        min_replication,
        max_replication: conf.get_u16(&keys::DFS_REPLICATION_MAX)?,
        default_replication: conf.get_u16(&keys::DFS_REPLICATION)?,
        safe_mode_min_replication: safe
            .and_then(|count| u16::try_from(count).ok())
            .unwrap_or(min_replication),
        maintenance_min_replication: conf
            .get_u16(&keys::DFS_NAMENODE_MAINTENANCE_REPLICATION_MIN)?,
        heartbeat_interval: conf.get_duration(&keys::DFS_HEARTBEAT_INTERVAL)?,
        heartbeat_recheck_interval: conf
            .get_duration(&keys::DFS_NAMENODE_HEARTBEAT_RECHECK_INTERVAL)?,
        stale_interval: conf.get_duration(&keys::DFS_NAMENODE_STALE_DATANODE_INTERVAL)?,
        avoid_stale_for_read: conf.get_bool(&keys::DFS_NAMENODE_AVOID_READ_STALE_DATANODE),
        avoid_stale_for_write: conf.get_bool(&keys::DFS_NAMENODE_AVOID_WRITE_STALE_DATANODE),
        stale_for_write_ratio: conf.get_f64(&keys::DFS_NAMENODE_WRITE_STALE_DATANODE_RATIO)?,
        max_replication_streams: conf.get_u32(&keys::DFS_NAMENODE_REPLICATION_MAX_STREAMS)?,
        replication_streams_hard_limit: conf
            .get_u32(&keys::DFS_NAMENODE_REPLICATION_MAX_STREAMS_HARD_LIMIT)?,
        work_multiplier: conf
            .get_u32(&keys::DFS_NAMENODE_REPLICATION_WORK_MULTIPLIER_PER_ITERATION)?,
        pending_timeout: conf
            .get_duration(&keys::DFS_NAMENODE_RECONSTRUCTION_PENDING_TIMEOUT_SEC)?,
        invalidate_limit: conf.get_usize(&keys::DFS_BLOCK_INVALIDATE_LIMIT)?,
        startup_deletion_delay: conf
            .get_duration(&keys::DFS_NAMENODE_STARTUP_DELAY_BLOCK_DELETION_SEC)?,
        placement: placement_policy(conf, &keys::DFS_BLOCK_REPLICATOR_CLASSNAME)?,
        placement_of_groups: placement_policy(conf, &keys::DFS_BLOCK_PLACEMENT_EC_CLASSNAME)?,
        space_preference: space_preference(conf)?,
        rack_space_preference: rack_space_preference(conf)?,
        upgrade_domain_factor: conf.get_usize(&keys::DFS_UPGRADE_DOMAIN_FACTOR)?,
        prefer_local_node: conf
            .get_bool(&keys::DFS_NAMENODE_BLOCK_PLACEMENT_POLICY_DEFAULT_PREFER_LOCAL_NODE),
        consider_load: conf.get_bool(&keys::DFS_NAMENODE_REDUNDANCY_CONSIDER_LOAD),
        consider_load_factor: conf.get_f64(&keys::DFS_NAMENODE_REDUNDANCY_CONSIDER_LOAD_FACTOR)?,
        min_blocks_for_write: conf
            .get_u64(&keys::DFS_NAMENODE_BLOCK_PLACEMENT_MIN_BLOCKS_FOR_WRITE)?,
        report_leases: conf.get_usize(&keys::DFS_NAMENODE_MAX_FULL_BLOCK_REPORT_LEASES)?,
        report_lease_length: conf
            .get_duration(&keys::DFS_NAMENODE_FULL_BLOCK_REPORT_LEASE_LENGTH_MS)?,
        delete_corrupt_immediately: conf
            .get_bool(&keys::DFS_NAMENODE_CORRUPT_BLOCK_DELETE_IMMEDIATELY_ENABLED),
        decommission_blocks_per_interval: conf
            .get_usize(&keys::DFS_NAMENODE_DECOMMISSION_BLOCKS_PER_INTERVAL)?,
        decommission_max_tracked_nodes: conf
            .get_usize(&keys::DFS_NAMENODE_DECOMMISSION_MAX_CONCURRENT_TRACKED_NODES)?,
        postponed_rescan_limit: conf
            .get_usize(&keys::DFS_NAMENODE_BLOCKS_PER_POSTPONEDBLOCKS_RESCAN)?,
        excess_timeout: conf.get_duration(&keys::DFS_NAMENODE_EXCESS_REDUNDANCY_TIMEOUT_SEC)?,
        excess_check_limit: conf
            .get_usize(&keys::DFS_NAMENODE_EXCESS_REDUNDANCY_TIMEOUT_CHECK_LIMIT)?
            .max(1),
        ..slow_nodes_conf(conf)?
    })
}

/// What is done about nodes that others find slow, and the order for readers.
fn slow_nodes_conf(conf: &Configuration) -> Result<BlocksConf> {
    Ok(BlocksConf {
        peer_stats: conf.get_bool(&keys::DFS_DATANODE_PEER_STATS_ENABLED),
        disk_stats: conf.get_i64(&keys::DFS_DATANODE_FILEIO_PROFILING_SAMPLING_PERCENTAGE)? > 0,
        outliers_report_interval: conf
            .get_duration(&keys::DFS_DATANODE_OUTLIERS_REPORT_INTERVAL)?,
        slow_peers_told: conf.get_usize(&keys::DFS_DATANODE_MAX_NODES_TO_REPORT)?,
        slow_disks_told: conf.get_usize(&keys::DFS_DATANODE_MAX_DISKS_TO_REPORT)?,
        slow_peer_collect_interval: conf
            .get_duration(&keys::DFS_NAMENODE_SLOWPEER_COLLECT_INTERVAL)?,
        slow_peers_collected: conf.get_usize(&keys::DFS_NAMENODE_MAX_SLOWPEER_COLLECT_NODES)?,
        exclude_slow_nodes: conf
            .get_bool(&keys::DFS_NAMENODE_BLOCK_PLACEMENT_POLICY_EXCLUDE_SLOW_NODES_ENABLED),
        avoid_slow_for_read: conf.get_bool(&keys::DFS_NAMENODE_AVOID_READ_SLOW_DATANODE),
        read_considers_load: conf.get_bool(&keys::DFS_NAMENODE_READ_CONSIDER_LOAD),
        read_considers_storage_type: conf.get_bool(&keys::DFS_NAMENODE_READ_CONSIDER_STORAGE_TYPE),
        ..BlocksConf::default()
    })
}
