//! How a NameNode starts.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.StartupOption (3.5.0)

use hdfs_format::reserved_names::ReservedNames;

/// What becomes of the name folders when a NameNode starts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StartOption {
    /// `-regular`: they stay as they are.
    #[default]
    Regular,
    /// `-upgrade`: the state is written anew, in the layout of this software; the one before is kept in `previous` until
    /// it is finalized or rolled back.
    Upgrade(UpgradeOptions),
    /// `-importCheckpoint`: the empty name folders are filled from `dfs.namenode.checkpoint.dir`.
    ImportCheckpoint,
    /// `-rollingUpgrade started`: folders of an older layout are taken, and kept in it until the rolling upgrade is final.
    RollingUpgradeStarted,
    /// `-rollingUpgrade rollback`: back to the image from before the rolling upgrade; later edits are set aside.
    RollingUpgradeRollback,
}

/// Options of `-upgrade`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpgradeOptions {
    /// `-clusterid`: the name of a cluster that had none yet.
    pub cluster_id: Option<String>,
    /// `-renameReserved`: what becomes of names that old layouts allowed and that are reserved today.
    pub reserved_names: ReservedNames,
}

impl StartOption {
    /// Are folders of an older layout welcome?
    pub(crate) fn takes_old_layouts(&self) -> bool {
        matches!(self, Self::Upgrade(_) | Self::RollingUpgradeStarted)
    }
}
