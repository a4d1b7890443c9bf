//! Where blocks are: DataNodes, blocks with their replicas, the blocks of a file.

use std::fmt;

use bytes::Bytes;
use hdfs_format::datatransfer;
use hdfs_proto::common::TokenProto;
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::datanode_info_proto::AdminState;
use hdfs_types::{DatanodeUuid, ExtendedBlock, StorageType, StorageUuid, WallMillis};

/// A DataNode as the NameNode describes it. Sizes are bytes.
///
/// Proto: hdfs.proto DatanodeInfoProto. Hadoop: org.apache.hadoop.hdfs.protocol.DatanodeInfo (3.5.0)
#[derive(Clone, PartialEq, Debug)]
pub struct DatanodeInfo {
    /// IP address.
    pub ip_addr: String,
    /// Host name.
    pub host_name: String,
    /// Identity.
    pub uuid: DatanodeUuid,
    /// Port of the data transfer.
    pub xfer_port: u16,
    /// Port of its web server.
    pub info_port: u16,
    /// Port of its web server with TLS; 0 when there is none.
    pub info_secure_port: u16,
    /// Port of its RPC server.
    pub ipc_port: u16,
    /// What it may hold.
    pub capacity: u64,
    /// What HDFS uses of it.
    pub dfs_used: u64,
    /// What anything else uses.
    pub non_dfs_used: u64,
    /// What is free for HDFS.
    pub remaining: u64,
    /// What this block pool uses.
    pub block_pool_used: u64,
    /// What its cache may hold.
    pub cache_capacity: u64,
    /// What its cache holds.
    pub cache_used: u64,
    /// When its last heartbeat came.
    pub last_update: WallMillis,
    /// When its last full block report came.
    pub last_block_report: WallMillis,
    /// Transfers that it serves now.
    pub xceiver_count: u32,
    /// Blocks on it.
    pub num_blocks: u32,
    /// Rack, as `/default-rack`.
    pub location: String,
    /// In service, or on its way out of it.
    pub admin_state: AdminState,
    /// Upgrade domain, when one is set.
    pub upgrade_domain: Option<String>,
    /// Version of its software, when the NameNode said so.
    pub software_version: Option<String>,
    /// The message itself, for requests that must send it back unchanged.
    pub(crate) wire: proto::DatanodeInfoProto,
}

impl DatanodeInfo {
    /// `ip:port` of the data transfer: what Hadoop calls the name of a DataNode.
    pub fn xfer_addr(&self) -> String {
        format!("{}:{}", self.ip_addr, self.xfer_port)
    }

    /// From the wire.
    pub(crate) fn from_proto(wire: proto::DatanodeInfoProto) -> Self {
        let port = |number: u32| u16::try_from(number).unwrap_or(0);
        Self {
            ip_addr: wire.id.ip_addr.clone(),
            host_name: wire.id.host_name.clone(),
            uuid: wire.id.datanode_uuid.as_str().into(),
            xfer_port: port(wire.id.xfer_port),
            info_port: port(wire.id.info_port),
            info_secure_port: port(wire.id.info_secure_port()),
            ipc_port: port(wire.id.ipc_port),
            capacity: wire.capacity(),
            dfs_used: wire.dfs_used(),
            // Hadoop 2 did not send it; what is neither ours nor free is somebody else's.
            non_dfs_used: wire.non_dfs_used.unwrap_or_else(|| {
                wire.capacity().saturating_sub(wire.dfs_used()).saturating_sub(wire.remaining())
            }),
            remaining: wire.remaining(),
            block_pool_used: wire.block_pool_used(),
            cache_capacity: wire.cache_capacity(),
            cache_used: wire.cache_used(),
            last_update: WallMillis(wire.last_update()),
            last_block_report: WallMillis(wire.last_block_report_time()),
            xceiver_count: wire.xceiver_count(),
            num_blocks: wire.num_blocks(),
            location: wire.location().to_owned(),
            admin_state: wire.admin_state(),
            upgrade_domain: wire.upgrade_domain.clone(),
            software_version: wire.software_version.clone(),
            wire,
        }
    }
}

/// As Hadoop prints a replica's place: `DatanodeInfoWithStorage[ip:port,…]` without the storage.
impl fmt::Display for DatanodeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.xfer_addr())
    }
}

/// One volume of a DataNode. Sizes are bytes.
///
/// Proto: hdfs.proto StorageReportProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StorageReport {
    /// Identity.
    pub uuid: StorageUuid,
    /// Kind.
    pub storage_type: StorageType,
    /// The volume failed.
    pub failed: bool,
    /// What it may hold.
    pub capacity: u64,
    /// What HDFS uses.
    pub dfs_used: u64,
    /// What anything else uses.
    pub non_dfs_used: u64,
    /// What is free for HDFS.
    pub remaining: u64,
    /// What this block pool uses.
    pub block_pool_used: u64,
    /// Where it is mounted, when known.
    pub mount: Option<String>,
}

impl StorageReport {
    /// From the wire.
    pub(crate) fn from_proto(report: proto::StorageReportProto) -> Self {
        #[expect(deprecated, reason = "Hadoop 2 sends only this one")]
        let old_uuid = report.storage_uuid.as_str();
        let storage = report.storage.as_ref();
        let uuid = storage.map_or(old_uuid, |storage| &storage.storage_uuid);
        Self {
            uuid: uuid.into(),
            storage_type: storage
                .and_then(|storage| StorageType::from_wire(storage.storage_type.unwrap_or(1)))
                .unwrap_or_default(),
            failed: report.failed(),
            capacity: report.capacity(),
            dfs_used: report.dfs_used(),
            non_dfs_used: report.non_dfs_used.unwrap_or(0),
            remaining: report.remaining(),
            block_pool_used: report.block_pool_used(),
            mount: report.mount.clone(),
        }
    }
}

/// One replica's place.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaLocation {
    /// The DataNode.
    pub datanode: DatanodeInfo,
    /// The volume.
    pub storage_id: StorageUuid,
    /// Its kind.
    pub storage_type: StorageType,
    /// The replica is in the DataNode's cache.
    pub cached: bool,
}

/// A block, its place in the file and its replicas, nearest first.
///
/// Proto: hdfs.proto LocatedBlockProto. Hadoop: org.apache.hadoop.hdfs.protocol.LocatedBlock (3.5.0)
#[derive(Clone, PartialEq, Debug)]
pub struct LocatedBlock {
    /// The block; its length is `block.block.num_bytes`.
    pub block: ExtendedBlock,
    /// Where it starts in the file.
    pub offset: u64,
    /// The replicas.
    pub locations: Vec<ReplicaLocation>,
    /// Every replica is corrupt.
    pub corrupt: bool,
    /// What the DataNodes want to see.
    pub(crate) token: TokenProto,
    /// Which internal blocks of a striped group these are.
    pub(crate) block_indices: Option<Bytes>,
}

impl LocatedBlock {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.block.block.num_bytes
    }

    /// True when it holds nothing yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True for a group of erasure-coded internal blocks.
    pub fn is_striped(&self) -> bool {
        self.block_indices.is_some()
    }

    /// From the wire.
    pub(crate) fn from_proto(located: proto::LocatedBlockProto) -> Self {
        let proto::LocatedBlockProto { storage_types, storage_i_ds, is_cached, .. } = &located;
        let block = datatransfer::extended_block(&located.b);
        let locations = located
            .locs
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, datanode)| ReplicaLocation {
                datanode: DatanodeInfo::from_proto(datanode),
                storage_id: storage_i_ds.get(index).map_or("", String::as_str).into(),
                storage_type: storage_types
                    .get(index)
                    .and_then(|number| StorageType::from_wire(*number))
                    .unwrap_or_default(),
                cached: is_cached.get(index).copied().unwrap_or(false),
            })
            .collect();
        Self {
            block,
            offset: located.offset,
            locations,
            corrupt: located.corrupt,
            token: located.block_token,
            block_indices: located.block_indices,
        }
    }

    /// To the wire, for a report of bad replicas.
    pub(crate) fn to_proto(&self) -> proto::LocatedBlockProto {
        proto::LocatedBlockProto {
            b: datatransfer::extended_block_proto(&self.block),
            offset: self.offset,
            locs: self.locations.iter().map(|place| place.datanode.wire.clone()).collect(),
            corrupt: self.corrupt,
            block_token: self.token.clone(),
            is_cached: Vec::new(),
            storage_types: self.locations.iter().map(|place| place.storage_type as i32).collect(),
            storage_i_ds: self.locations.iter().map(|place| place.storage_id.to_string()).collect(),
            block_indices: None,
            block_tokens: Vec::new(),
        }
    }
}

/// The blocks of a file, or of a range of it.
///
/// Proto: hdfs.proto LocatedBlocksProto. Hadoop: org.apache.hadoop.hdfs.protocol.LocatedBlocks (3.5.0)
#[derive(Clone, PartialEq, Debug)]
pub struct LocatedBlocks {
    /// Length of the complete blocks of the file, in bytes.
    pub file_length: u64,
    /// The blocks of the range, in order.
    pub blocks: Vec<LocatedBlock>,
    /// Some client writes the file.
    pub under_construction: bool,
    /// The last block of the file, in the range or not.
    pub last_block: Option<LocatedBlock>,
    /// The length of the last block is final.
    pub is_last_block_complete: bool,
    /// How the data is encrypted, when it is.
    pub encryption: Option<proto::FileEncryptionInfoProto>,
    /// Name of the erasure-coding policy.
    pub ec_policy: Option<String>,
}

impl LocatedBlocks {
    /// From the wire.
    pub(crate) fn from_proto(blocks: proto::LocatedBlocksProto) -> Self {
        Self {
            file_length: blocks.file_length,
            blocks: blocks.blocks.into_iter().map(LocatedBlock::from_proto).collect(),
            under_construction: blocks.under_construction,
            last_block: blocks.last_block.map(LocatedBlock::from_proto),
            is_last_block_complete: blocks.is_last_block_complete,
            encryption: blocks.file_encryption_info,
            ec_policy: blocks.ec_policy.map(|policy| policy.name.unwrap_or_default()),
        }
    }
}
