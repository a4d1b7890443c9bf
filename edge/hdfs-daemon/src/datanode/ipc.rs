//! The DataNode's RPC port: clients and administrators, and DataNodes that recover blocks.
//!
//! Proto: ClientDatanodeProtocol.proto, InterDatanodeProtocol.proto

use std::sync::Arc;

use bytes::Bytes;
use hdfs_format::datatransfer::{block_proto, extended_block};
use hdfs_proto::hdfs::{
    DatanodeLocalInfoProto, DatanodeVolumeInfoProto, GetBalancerBandwidthResponseProto,
    GetDatanodeInfoResponseProto, GetReplicaVisibleLengthRequestProto,
    GetReplicaVisibleLengthResponseProto, GetVolumeReportResponseProto,
    InitReplicaRecoveryRequestProto, InitReplicaRecoveryResponseProto,
    ShutdownDatanodeRequestProto, ShutdownDatanodeResponseProto, TriggerBlockReportRequestProto,
    TriggerBlockReportResponseProto, UpdateReplicaUnderRecoveryRequestProto,
    UpdateReplicaUnderRecoveryResponseProto,
};
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService};
use hdfs_types::{BlockId, Error, ErrorKind, GenerationStamp, Result};
use prost::Message;

use super::{SOFTWARE_VERSION, Shared};

/// DataNode to DataNode.
pub(crate) const INTER_DATANODE_PROTOCOL: Protocol = Protocol {
    java_name: "org.apache.hadoop.hdfs.server.protocol.InterDatanodeProtocol",
    version: 1,
};
const CLIENT_DATANODE_PROTOCOL: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientDatanodeProtocol", version: 1 };
const PROTOCOLS: &[Protocol] = &[CLIENT_DATANODE_PROTOCOL, INTER_DATANODE_PROTOCOL];
/// Version of the answers' configuration part, as Hadoop sends it.
const CONFIG_VERSION: &str = "core-3.0.0,hdfs-1";

/// Answers the RPC port.
pub(crate) struct DataNodeIpc {
    shared: Arc<Shared>,
}

impl DataNodeIpc {
    /// For this DataNode.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn visible_length(&self, call: &RpcCall<'_>) -> Result<GetReplicaVisibleLengthResponseProto> {
        let request: GetReplicaVisibleLengthRequestProto = call.decode()?;
        let block = extended_block(&request.block);
        let length = self.shared.dataset.pool(&block.pool)?.visible_length(&block)?;
        Ok(GetReplicaVisibleLengthResponseProto { length })
    }

    fn datanode_info(&self) -> GetDatanodeInfoResponseProto {
        let uptime = hdfs_rt::clock::wall().0.saturating_sub(self.shared.started.0) / 1_000;
        GetDatanodeInfoResponseProto {
            local_info: DatanodeLocalInfoProto {
                software_version: SOFTWARE_VERSION.to_owned(),
                config_version: CONFIG_VERSION.to_owned(),
                uptime,
            },
        }
    }

    fn volume_report(&self) -> Result<GetVolumeReportResponseProto> {
        let usable = self.shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
        let infos: Result<Vec<DatanodeVolumeInfoProto>> = usable
            .map(|volume| {
                let space = volume.space()?;
                Ok(DatanodeVolumeInfoProto {
                    path: volume.root.display().to_string(),
                    storage_type: volume.storage_type as i32,
                    used_space: space.dfs_used,
                    free_space: space.remaining,
                    reserved_space: 0,
                    reserved_space_for_replicas: volume.reserved_for_replicas(),
                    num_blocks: self.shared.blocks_on(volume.index),
                })
            })
            .collect();
        Ok(GetVolumeReportResponseProto { volume_info: infos? })
    }

    fn trigger_report(&self, call: &RpcCall<'_>) -> Result<TriggerBlockReportResponseProto> {
        let request: TriggerBlockReportRequestProto = call.decode()?;
        self.check_superuser(call)?;
        let wanted = request.nn_address.as_deref();
        for actor in self.shared.actors() {
            if wanted.is_none_or(|address| actor.address.to_string() == address) {
                actor.trigger_report(request.incremental);
            }
        }
        Ok(TriggerBlockReportResponseProto::default())
    }

    fn check_superuser(&self, call: &RpcCall<'_>) -> Result<()> {
        if call.caller.user == self.shared.ugi.user {
            return Ok(());
        }
        Err(Error::new(ErrorKind::AccessControl, "Superuser privilege is required"))
    }

    fn shutdown(&self, call: &RpcCall<'_>) -> Result<ShutdownDatanodeResponseProto> {
        let request: ShutdownDatanodeRequestProto = call.decode()?;
        self.check_superuser(call)?;
        if request.for_upgrade {
            return Err(unsupported("shutdownDatanode for an upgrade"));
        }
        self.shared.request_shutdown();
        Ok(ShutdownDatanodeResponseProto::default())
    }

    fn unsupported(method: &str) -> bool {
        matches!(
            method,
            "refreshNamenodes"
                | "deleteBlockPool"
                | "getBlockLocalPathInfo"
                | "evictWriters"
                | "getReconfigurationStatus"
                | "startReconfiguration"
                | "listReconfigurableProperties"
                | "submitDiskBalancerPlan"
                | "cancelDiskBalancerPlan"
                | "queryDiskBalancerPlan"
                | "getDiskBalancerSetting"
        )
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::UnsupportedOperation, format!("{what} is not supported by this DataNode"))
}

fn ready<M: Message>(result: Result<M>) -> Reply {
    match result {
        Ok(message) => Reply::message(&message),
        Err(error) => Reply::error(error),
    }
}

/// Work on the disk, off the connection's task.
fn blocking<M: Message + 'static>(work: impl FnOnce() -> Result<M> + Send + 'static) -> Reply {
    Reply::later(async move {
        let done = tokio::task::spawn_blocking(work).await;
        let message = done.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Runtime, "the work on the disk ended without an answer"))
        })?;
        Ok(Bytes::from(message.encode_to_vec()))
    })
}

impl RpcService for DataNodeIpc {
    fn protocols(&self) -> &[Protocol] {
        PROTOCOLS
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        match call.method {
            "getReplicaVisibleLength" => ready(self.visible_length(&call)),
            "getDatanodeInfo" => Reply::message(&self.datanode_info()),
            "getVolumeReport" => ready(self.volume_report()),
            "triggerBlockReport" => ready(self.trigger_report(&call)),
            "shutdownDatanode" => ready(self.shutdown(&call)),
            "getBalancerBandwidth" => Reply::message(&GetBalancerBandwidthResponseProto {
                bandwidth: self.shared.balance.limit(),
            }),
            "initReplicaRecovery" => match call.decode() {
                Ok(request) => {
                    let shared = Arc::clone(&self.shared);
                    blocking(move || init_recovery(&shared, &request))
                }
                Err(error) => Reply::error(error),
            },
            "updateReplicaUnderRecovery" => match call.decode() {
                Ok(request) => {
                    let shared = Arc::clone(&self.shared);
                    blocking(move || update_recovery(&shared, &request))
                }
                Err(error) => Reply::error(error),
            },
            method if Self::unsupported(method) => Reply::error(unsupported(method)),
            _ => call.no_such_method(),
        }
    }
}

fn init_recovery(
    shared: &Shared,
    request: &InitReplicaRecoveryRequestProto,
) -> Result<InitReplicaRecoveryResponseProto> {
    let block = extended_block(&request.block.block.b);
    let pool = shared.dataset.pool(&block.pool)?;
    let recovery_id = GenerationStamp(request.block.new_gen_stamp);
    let info = pool.init_recovery(&block, recovery_id)?;
    Ok(InitReplicaRecoveryResponseProto {
        replica_found: info.is_some(),
        state: info.map(|info| info.original_state as i32),
        block: info.map(|info| block_proto(&info.block)),
    })
}

fn update_recovery(
    shared: &Shared,
    request: &UpdateReplicaUnderRecoveryRequestProto,
) -> Result<UpdateReplicaUnderRecoveryResponseProto> {
    let old = extended_block(&request.block);
    let pool = shared.dataset.pool(&old.pool)?;
    let new_id = request.new_block_id.map_or(BlockId(0), |id| BlockId(id.cast_signed()));
    let recovery_id = GenerationStamp(request.recovery_id);
    let storage = pool.update_recovery(&old, recovery_id, new_id, request.new_length)?;
    Ok(UpdateReplicaUnderRecoveryResponseProto { storage_uuid: Some(storage) })
}
