//! Who this file system is: what `-format` decides once.

use hdfs_proto::hdfs::StorageInfoProto;
use hdfs_types::BlockPoolId;

/// The identity of a namespace, as in its VERSION files.
///
/// Hadoop: org.apache.hadoop.hdfs.server.common.StorageInfo, NNStorage (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Layout of the name folders: that of this software, but for a rolling upgrade that is not final yet.
    pub layout_version: i32,
    /// Number of the namespace.
    pub namespace_id: u32,
    /// Name of the cluster.
    pub cluster_id: String,
    /// When it was last upgraded; 0 after a format.
    pub c_time: u64,
    /// Its blocks.
    pub block_pool_id: BlockPoolId,
}

impl Identity {
    /// What DataNodes must belong to.
    pub fn registration_id(&self) -> String {
        format!("NS-{}-{}-{}", self.namespace_id, self.cluster_id, self.c_time)
    }

    /// How `/imagetransfer` names it.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.common.StorageInfo.toColonSeparatedString (3.5.0)
    pub fn to_colon_separated(&self) -> String {
        let Self { layout_version, namespace_id, c_time, cluster_id, .. } = self;
        format!("{layout_version}:{namespace_id}:{c_time}:{cluster_id}")
    }

    /// Proto: HdfsServer.proto StorageInfoProto.
    pub fn to_proto(&self) -> StorageInfoProto {
        StorageInfoProto {
            layout_version: self.layout_version.cast_unsigned(),
            namespce_id: self.namespace_id,
            cluster_id: self.cluster_id.clone(),
            c_time: self.c_time,
        }
    }
}
