//! The settings that an administrator may change while the NameNode runs (`dfsadmin -reconfig`).
//!
//! Hadoop lists 29 keys here; those of features that are not built, or that mean nothing here, are left out.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNode.reconfigurePropertyImpl (3.5.0)

use std::sync::Arc;

use hdfs_conf::{Configuration, Key, keys};
use hdfs_types::{Error, ErrorKind, Result};

use super::conf::{blocks_conf, namespace_conf};
use super::shell::Shell;

/// In the order of their names, as Hadoop lists them.
pub(crate) const KEYS: &[&Key] = &[
    &keys::DFS_BLOCK_INVALIDATE_LIMIT,
    &keys::DFS_BLOCK_PLACEMENT_EC_CLASSNAME,
    &keys::DFS_BLOCK_REPLICATOR_CLASSNAME,
    &keys::DFS_DATANODE_MAX_NODES_TO_REPORT,
    &keys::DFS_DATANODE_PEER_STATS_ENABLED,
    &keys::DFS_HEARTBEAT_INTERVAL,
    &keys::DFS_NAMENODE_AVOID_READ_SLOW_DATANODE,
    &keys::DFS_NAMENODE_BLOCK_PLACEMENT_POLICY_EXCLUDE_SLOW_NODES_ENABLED,
    &keys::DFS_NAMENODE_BLOCK_PLACEMENT_MIN_BLOCKS_FOR_WRITE,
    &keys::DFS_NAMENODE_FS_LIMITS_MAX_DIRECTORY_ITEMS,
    &keys::DFS_NAMENODE_HEARTBEAT_RECHECK_INTERVAL,
    &keys::DFS_NAMENODE_MAX_SLOWPEER_COLLECT_NODES,
    &keys::DFS_NAMENODE_RECONSTRUCTION_PENDING_TIMEOUT_SEC,
    &keys::DFS_NAMENODE_REPLICATION_MAX_STREAMS,
    &keys::DFS_NAMENODE_REPLICATION_MAX_STREAMS_HARD_LIMIT,
    &keys::DFS_NAMENODE_REPLICATION_WORK_MULTIPLIER_PER_ITERATION,
    &keys::DFS_NAMENODE_SLOWPEER_COLLECT_INTERVAL,
    &keys::FS_PROTECTED_DIRECTORIES,
];

/// Puts a configuration in force, as far as [`KEYS`] go.
///
/// # Errors
/// When a value makes no sense; nothing changed then.
pub(crate) fn apply(shell: &Arc<Shell>, conf: &Configuration) -> Result<()> {
    let positive = [
        &keys::DFS_HEARTBEAT_INTERVAL,
        &keys::DFS_NAMENODE_HEARTBEAT_RECHECK_INTERVAL,
        &keys::DFS_NAMENODE_RECONSTRUCTION_PENDING_TIMEOUT_SEC,
    ];
    for key in positive {
        if conf.get_duration(key)?.is_zero() {
            let text = format!("{} must be longer than 0", key.name);
            return Err(Error::new(ErrorKind::IllegalArgument, text));
        }
    }
    let (namespace, blocks) = (namespace_conf(conf)?, blocks_conf(conf)?);
    shell.write_with(|machine| machine.reconfigure(namespace, blocks));
    Ok(())
}
