//! Protocol buffers to the block manager's types and back. Pure; nothing here decides.

use hdfs_blocks::{
    AdminState, BlockManager, Datanode, DatanodeRegistration, DatanodeSlot, DatanodeStorage,
    IncrementalBlock, PeerLatency, ReceivedDeleted, SlowDisk, SlowPeer, StorageReport, StorageSlot,
    StorageState,
};
use hdfs_proto::common::TokenProto;
use hdfs_proto::hdfs::datanode::{
    DatanodeRegistrationProto, ReceivedDeletedBlockInfoProto, SlowDiskReportProto,
    SlowPeerReportProto, received_deleted_block_info_proto::BlockStatus,
};
use hdfs_proto::hdfs::{
    BlockKeyProto, BlockProto, DatanodeIdProto, DatanodeInfoProto, DatanodeStorageProto,
    ExportedBlockKeysProto, ExtendedBlockProto, StorageReportProto, datanode_storage_proto,
};
use hdfs_types::{
    Block, BlockId, BlockPoolId, DatanodeUuid, Error, GenerationStamp, Result, StorageType,
};

/// A block of a request.
pub(crate) fn block(proto: &ExtendedBlockProto) -> Block {
    Block {
        id: BlockId(proto.block_id.cast_signed()),
        num_bytes: proto.num_bytes.unwrap_or(0),
        generation_stamp: GenerationStamp(proto.generation_stamp),
    }
}

/// A block of a reply.
pub(crate) fn block_proto(block: Block) -> BlockProto {
    BlockProto {
        block_id: block.id.0.cast_unsigned(),
        gen_stamp: block.generation_stamp.0,
        num_bytes: Some(block.num_bytes),
    }
}

/// A block of a reply, with its pool.
pub(crate) fn extended_block(pool: &BlockPoolId, block: Block) -> ExtendedBlockProto {
    ExtendedBlockProto {
        pool_id: pool.as_str().to_owned(),
        block_id: block.id.0.cast_unsigned(),
        generation_stamp: block.generation_stamp.0,
        num_bytes: Some(block.num_bytes),
    }
}

/// The token of a cluster without security: every field empty.
pub(crate) fn no_token() -> TokenProto {
    TokenProto {
        identifier: Vec::new().into(),
        password: Vec::new().into(),
        kind: String::new(),
        service: String::new(),
    }
}

/// The keys of a cluster without block tokens.
pub(crate) fn no_keys() -> ExportedBlockKeysProto {
    ExportedBlockKeysProto {
        is_block_token_enabled: false,
        key_update_interval: 0,
        token_life_time: 0,
        current_key: BlockKeyProto { key_id: 0, expiry_date: 0, key_bytes: None },
        all_keys: Vec::new(),
    }
}

/// A registration; the address is the one the connection came from.
pub(crate) fn registration(
    proto: &DatanodeRegistrationProto,
    ip: &str,
) -> Result<DatanodeRegistration> {
    let id = &proto.datanode_id;
    let port = |number: u32| {
        u16::try_from(number).map_err(|_| Error::io(format!("{number} is no port of a DataNode")))
    };
    Ok(DatanodeRegistration {
        uuid: DatanodeUuid::from(id.datanode_uuid.as_str()),
        ip: ip.to_owned(),
        host_name: id.host_name.clone(),
        peer_host_name: None,
        xfer_port: port(id.xfer_port)?,
        info_port: port(id.info_port)?,
        info_secure_port: port(id.info_secure_port.unwrap_or(0))?,
        ipc_port: port(id.ipc_port)?,
        software_version: proto.software_version.clone(),
    })
}

/// A volume.
pub(crate) fn storage(proto: &DatanodeStorageProto) -> DatanodeStorage {
    let read_only = datanode_storage_proto::StorageState::ReadOnlyShared as i32;
    DatanodeStorage {
        uuid: proto.storage_uuid.as_str().into(),
        state: if proto.state == Some(read_only) {
            StorageState::ReadOnlyShared
        } else {
            StorageState::Normal
        },
        storage_type: storage_type(proto.storage_type),
    }
}

fn storage_type(number: Option<i32>) -> StorageType {
    number.and_then(StorageType::from_wire).unwrap_or_default()
}

/// The space of a volume. Old nodes name it by its identity only.
pub(crate) fn storage_report(proto: &StorageReportProto) -> StorageReport {
    #[expect(deprecated, reason = "what nodes of Hadoop 2 send")]
    let storage = proto.storage.as_ref().map_or_else(
        || DatanodeStorage {
            uuid: proto.storage_uuid.as_str().into(),
            state: StorageState::Normal,
            storage_type: StorageType::Disk,
        },
        storage,
    );
    let (capacity, dfs_used) = (proto.capacity.unwrap_or(0), proto.dfs_used.unwrap_or(0));
    let remaining = proto.remaining.unwrap_or(0);
    StorageReport {
        storage,
        failed: proto.failed.unwrap_or(false),
        capacity,
        dfs_used,
        remaining,
        block_pool_used: proto.block_pool_used.unwrap_or(0),
        non_dfs_used: proto
            .non_dfs_used
            .unwrap_or_else(|| capacity.saturating_sub(dfs_used).saturating_sub(remaining)),
        mount: proto.mount.clone(),
    }
}

/// A node that another one finds slow.
pub(crate) fn slow_peer(proto: &SlowPeerReportProto) -> SlowPeer {
    SlowPeer {
        name: proto.data_node_id.clone().unwrap_or_default(),
        latency: PeerLatency {
            actual: proto.aggregate_latency(),
            median: proto.median(),
            mad: proto.mad(),
            upper_limit: proto.upper_limit_latency(),
        },
    }
}

/// A disk that its node finds slow.
pub(crate) fn slow_disk(proto: &SlowDiskReportProto) -> SlowDisk {
    SlowDisk {
        folder: proto.base_path.clone().unwrap_or_default(),
        metadata: proto.mean_metadata_op_latency,
        read: proto.mean_read_io_latency,
        write: proto.mean_write_io_latency,
    }
}

/// A line of an incremental report.
pub(crate) fn incremental(proto: &ReceivedDeletedBlockInfoProto) -> Result<IncrementalBlock> {
    let status = match BlockStatus::try_from(proto.status) {
        Ok(BlockStatus::Receiving) => ReceivedDeleted::Receiving,
        Ok(BlockStatus::Received) => ReceivedDeleted::Received,
        Ok(BlockStatus::Deleted) => ReceivedDeleted::Deleted,
        Err(_) => return Err(Error::io(format!("Unknown block status {}", proto.status))),
    };
    let hint = proto.delete_hint.as_deref().filter(|hint| !hint.is_empty());
    Ok(IncrementalBlock {
        block: Block {
            id: BlockId(proto.block.block_id.cast_signed()),
            num_bytes: proto.block.num_bytes.unwrap_or(0),
            generation_stamp: GenerationStamp(proto.block.gen_stamp),
        },
        status,
        delete_hint: hint.map(DatanodeUuid::from),
    })
}

/// Identity and addresses of a node.
pub(crate) fn datanode_id(datanode: &Datanode) -> DatanodeIdProto {
    let of = &datanode.registration;
    DatanodeIdProto {
        ip_addr: of.ip.clone(),
        host_name: of.host_name.clone(),
        datanode_uuid: of.uuid.as_str().to_owned(),
        xfer_port: u32::from(of.xfer_port),
        info_port: u32::from(of.info_port),
        ipc_port: u32::from(of.ipc_port),
        info_secure_port: Some(u32::from(of.info_secure_port)),
    }
}

/// A node as a client sees it.
pub(crate) fn datanode_info(blocks: &BlockManager, slot: DatanodeSlot) -> DatanodeInfoProto {
    let datanode = blocks.datanode(slot);
    let count: usize =
        datanode.storages.iter().map(|storage| blocks.storage(*storage).block_count()).sum();
    DatanodeInfoProto {
        num_blocks: Some(u32::try_from(count).unwrap_or(u32::MAX)),
        ..datanode_info_short(datanode)
    }
}

/// The same without what takes time to count: for located blocks.
pub(crate) fn datanode_info_short(datanode: &Datanode) -> DatanodeInfoProto {
    DatanodeInfoProto {
        id: datanode_id(datanode),
        capacity: Some(datanode.capacity),
        dfs_used: Some(datanode.dfs_used),
        remaining: Some(datanode.remaining),
        block_pool_used: Some(datanode.block_pool_used),
        last_update: Some(datanode.last_update_wall.0),
        xceiver_count: Some(datanode.xceiver_count),
        location: Some(datanode.location.clone()),
        non_dfs_used: Some(datanode.non_dfs_used),
        admin_state: Some(admin_state(datanode.admin_state)),
        cache_capacity: Some(datanode.cache_capacity),
        cache_used: Some(datanode.cache_used),
        last_update_monotonic: Some(datanode.last_update.0 / 1_000_000),
        upgrade_domain: datanode.upgrade_domain.clone(),
        last_block_report_time: Some(datanode.last_block_report_wall.0),
        last_block_report_monotonic: Some(datanode.last_block_report.0 / 1_000_000),
        num_blocks: Some(0),
        software_version: Some(datanode.registration.software_version.clone()),
    }
}

fn admin_state(state: AdminState) -> i32 {
    state as i32
}

/// A volume of a reply.
pub(crate) fn storage_proto(storage: &DatanodeStorage) -> DatanodeStorageProto {
    let state = match storage.state {
        StorageState::ReadOnlyShared => datanode_storage_proto::StorageState::ReadOnlyShared,
        StorageState::Normal | StorageState::Failed => datanode_storage_proto::StorageState::Normal,
    };
    DatanodeStorageProto {
        storage_uuid: storage.uuid.as_str().to_owned(),
        state: Some(state as i32),
        storage_type: Some(storage.storage_type as i32),
    }
}

/// The space of a volume, for `getDatanodeStorageReport`.
pub(crate) fn storage_report_proto(blocks: &BlockManager, slot: StorageSlot) -> StorageReportProto {
    let storage = blocks.storage(slot);
    #[expect(deprecated, reason = "a required field")]
    StorageReportProto {
        storage_uuid: storage.uuid().as_str().to_owned(),
        failed: Some(storage.info.state == StorageState::Failed),
        capacity: Some(storage.capacity),
        dfs_used: Some(storage.dfs_used),
        remaining: Some(storage.remaining),
        block_pool_used: Some(storage.block_pool_used),
        storage: Some(storage_proto(&storage.info)),
        non_dfs_used: Some(storage.non_dfs_used),
        mount: storage.mount.clone(),
    }
}
