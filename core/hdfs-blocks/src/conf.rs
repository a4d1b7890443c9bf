//! What the block side of a NameNode is told to do: one plain struct, filled once from the configuration.

use std::time::Duration;

use crate::placement_policy::{PlacementPolicy, SpacePreference};

/// Settings of the block manager. `default()` holds Hadoop's defaults.
///
/// Hadoop: org.apache.hadoop.hdfs.DFSConfigKeys (3.5.0)
#[derive(Clone, PartialEq, Debug)]
pub struct BlocksConf {
    /// Replicas that make a block complete (`dfs.namenode.replication.min`).
    pub min_replication: u16,
    /// Most replicas that a file may ask for (`dfs.replication.max`).
    pub max_replication: u16,
    /// Replicas of a file that asks for none (`dfs.replication`); a node may leave once a block has these elsewhere.
    pub default_replication: u16,
    /// Replicas that make a block safe at start (`dfs.namenode.safemode.replication.min`).
    pub safe_mode_min_replication: u16,
    /// Replicas that must stay while nodes are in maintenance (`dfs.namenode.maintenance.replication.min`).
    pub maintenance_min_replication: u16,
    /// Seconds between heartbeats (`dfs.heartbeat.interval`).
    pub heartbeat_interval: Duration,
    /// Time between two looks for dead nodes (`dfs.namenode.heartbeat.recheck-interval`).
    pub heartbeat_recheck_interval: Duration,
    /// Silence after which a node is stale (`dfs.namenode.stale.datanode.interval`).
    pub stale_interval: Duration,
    /// Readers get stale nodes last (`dfs.namenode.avoid.read.stale.datanode`).
    pub avoid_stale_for_read: bool,
    /// Writers get no stale nodes (`dfs.namenode.avoid.write.stale.datanode`).
    pub avoid_stale_for_write: bool,
    /// Above this share of stale nodes, writers get them all the same
    /// (`dfs.namenode.write.stale.datanode.ratio`).
    pub stale_for_write_ratio: f64,
    /// Copies that one node sends at a time (`dfs.namenode.replication.max-streams`).
    pub max_replication_streams: u32,
    /// The same for blocks of the highest priority (`dfs.namenode.replication.max-streams-hard-limit`).
    pub replication_streams_hard_limit: u32,
    /// Blocks looked at in one round, per live node
    /// (`dfs.namenode.replication.work.multiplier.per.iteration`).
    pub work_multiplier: u32,
    /// Time after which a copy that was not reported is scheduled again
    /// (`dfs.namenode.reconstruction.pending.timeout-sec`).
    pub pending_timeout: Duration,
    /// Blocks that one heartbeat reply tells a node to delete (`dfs.block.invalidate.limit`).
    pub invalidate_limit: usize,
    /// No replica is deleted for this long after start
    /// (`dfs.namenode.startup.delay.block.deletion.sec`).
    pub startup_deletion_delay: Duration,
    /// Where replicas go (`dfs.block.replicator.classname`).
    pub placement: PlacementPolicy,
    /// Where the blocks of erasure-coded files go (`dfs.block.placement.ec.classname`).
    pub placement_of_groups: PlacementPolicy,
    /// For [`PlacementPolicy::AvailableSpace`] (`dfs.namenode.available-space-block-placement-policy.*`).
    pub space_preference: SpacePreference,
    /// For [`PlacementPolicy::AvailableSpaceRackFaultTolerant`]
    /// (`dfs.namenode.available-space-rack-fault-tolerant-block-placement-policy.*`).
    pub rack_space_preference: SpacePreference,
    /// Upgrade domains that a block is spread over (`dfs.namenode.upgrade.domain.factor`).
    pub upgrade_domain_factor: usize,
    /// The first replica goes to the writer's own node
    /// (`dfs.namenode.block-placement-policy.default.prefer-local-node`).
    pub prefer_local_node: bool,
    /// Busy nodes get no new blocks (`dfs.namenode.redundancy.considerLoad`).
    pub consider_load: bool,
    /// What is busy: more transfers than this times the average
    /// (`dfs.namenode.redundancy.considerLoad.factor`).
    pub consider_load_factor: f64,
    /// Blocks that must fit on a storage before it gets one more
    /// (`dfs.namenode.block-placement.min-blocks-for.write`).
    pub min_blocks_for_write: u64,
    /// Full block reports in flight at a time (`dfs.namenode.max.full.block.report.leases`).
    pub report_leases: usize,
    /// Life of a permission to send a full report
    /// (`dfs.namenode.full.block.report.lease.length.ms`).
    pub report_lease_length: Duration,
    /// Time before a block recovery is started once more; Hadoop: 30 heartbeats.
    pub recovery_timeout: Duration,
    /// A corrupt replica goes as soon as enough good ones exist, even while some storages have not reported
    /// (`dfs.namenode.corrupt.block.delete.immediately.enabled`).
    pub delete_corrupt_immediately: bool,
    /// Blocks that one round of the decommission monitor looks at
    /// (`dfs.namenode.decommission.blocks.per.interval`).
    pub decommission_blocks_per_interval: usize,
    /// Nodes that leave service at a time (`dfs.namenode.decommission.max.concurrent.tracked.nodes`).
    pub decommission_max_tracked_nodes: usize,
    /// Blocks rescanned in one round after a postponed decision
    /// (`dfs.namenode.blocks.per.postponedblocks.rescan`).
    pub postponed_rescan_limit: usize,
    /// Time after which a node that kept a surplus replica is told once more
    /// (`dfs.namenode.excess.redundancy.timeout-sec`).
    pub excess_timeout: Duration,
    /// Surplus replicas looked at in one round (`dfs.namenode.excess.redundancy.timeout.check.limit`).
    pub excess_check_limit: usize,
    /// Reports of slow nodes are taken (`dfs.datanode.peer.stats.enabled`).
    pub peer_stats: bool,
    /// Reports of slow disks are taken (`dfs.datanode.fileio.profiling.sampling.percentage`).
    pub disk_stats: bool,
    /// How often DataNodes report slow nodes and disks (`dfs.datanode.outliers.report.interval`).
    pub outliers_report_interval: Duration,
    /// Slow nodes told in JMX (`dfs.datanode.max.nodes.to.report`).
    pub slow_peers_told: usize,
    /// Slow disks told in JMX (`dfs.datanode.max.disks.to.report`).
    pub slow_disks_told: usize,
    /// How often the nodes to be spared are chosen (`dfs.namenode.slowpeer.collect.interval`).
    pub slow_peer_collect_interval: Duration,
    /// Nodes that are spared at a time (`dfs.namenode.max.slowpeer.collect.nodes`).
    pub slow_peers_collected: usize,
    /// Slow nodes get no new blocks (`dfs.namenode.block-placement-policy.exclude-slow-nodes.enabled`).
    pub exclude_slow_nodes: bool,
    /// Readers get slow nodes last (`dfs.namenode.avoid.read.slow.datanode`).
    pub avoid_slow_for_read: bool,
    /// Of nodes that are equally near, readers get the least busy first (`dfs.namenode.read.considerLoad`).
    pub read_considers_load: bool,
    /// Of nodes that are equally near, readers get those with the fastest storage first
    /// (`dfs.namenode.read.considerStorageType`); load goes before it.
    pub read_considers_storage_type: bool,
    /// Racks of the cluster are few, so a lone node of a rack counts less
    /// (`net.topology.impl` is the default one).
    pub default_location: String,
}

impl Default for BlocksConf {
    fn default() -> Self {
        Self {
            min_replication: 1,
            max_replication: 512,
            default_replication: 3,
            safe_mode_min_replication: 1,
            maintenance_min_replication: 1,
            heartbeat_interval: Duration::from_secs(3),
            heartbeat_recheck_interval: Duration::from_secs(300),
            stale_interval: Duration::from_secs(30),
            avoid_stale_for_read: false,
            avoid_stale_for_write: false,
            stale_for_write_ratio: 0.5,
            max_replication_streams: 2,
            replication_streams_hard_limit: 4,
            work_multiplier: 2,
            pending_timeout: Duration::from_secs(300),
            invalidate_limit: 1_000,
            startup_deletion_delay: Duration::ZERO,
            placement: PlacementPolicy::Default,
            placement_of_groups: PlacementPolicy::RackFaultTolerant,
            space_preference: SpacePreference::default(),
            rack_space_preference: SpacePreference::default(),
            upgrade_domain_factor: 3,
            prefer_local_node: true,
            consider_load: true,
            consider_load_factor: 2.0,
            min_blocks_for_write: 1,
            report_leases: 6,
            report_lease_length: Duration::from_secs(300),
            recovery_timeout: Duration::from_secs(90),
            delete_corrupt_immediately: true,
            decommission_blocks_per_interval: 500_000,
            decommission_max_tracked_nodes: 100,
            postponed_rescan_limit: 10_000,
            excess_timeout: Duration::from_secs(3_600),
            excess_check_limit: 1_000,
            peer_stats: false,
            disk_stats: false,
            outliers_report_interval: Duration::from_secs(1_800),
            slow_peers_told: 5,
            slow_disks_told: 5,
            slow_peer_collect_interval: Duration::from_secs(1_800),
            slow_peers_collected: 5,
            exclude_slow_nodes: false,
            avoid_slow_for_read: false,
            read_considers_load: false,
            read_considers_storage_type: false,
            default_location: "/default-rack".to_owned(),
        }
    }
}

impl BlocksConf {
    /// Silence after which a node is dead: twice the recheck interval and ten heartbeats.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager (3.5.0)
    pub fn dead_interval(&self) -> Duration {
        2 * self.heartbeat_recheck_interval + 10 * self.heartbeat_interval
    }

    /// What one heartbeat reply may delete: at least twenty blocks for each second between heartbeats.
    pub fn effective_invalidate_limit(&self) -> usize {
        let seconds = usize::try_from(self.heartbeat_interval.as_secs()).unwrap_or(1);
        let by_interval = seconds.saturating_mul(20);
        self.invalidate_limit.max(by_interval)
    }
}
