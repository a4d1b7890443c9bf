//! The DataNode's RPC port: clients and administrators, and DataNodes that recover blocks.
//!
//! Proto: ClientDatanodeProtocol.proto, InterDatanodeProtocol.proto

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_format::datatransfer::{block_proto, extended_block};
use hdfs_proto::hdfs::{
    DatanodeLocalInfoProto, DatanodeVolumeInfoProto, DeleteBlockPoolRequestProto,
    DeleteBlockPoolResponseProto, EvictWritersResponseProto, GetBalancerBandwidthResponseProto,
    GetDatanodeInfoResponseProto, GetReplicaVisibleLengthRequestProto,
    GetReplicaVisibleLengthResponseProto, GetVolumeReportResponseProto,
    InitReplicaRecoveryRequestProto, InitReplicaRecoveryResponseProto,
    RefreshNamenodesResponseProto, ShutdownDatanodeRequestProto, ShutdownDatanodeResponseProto,
    StartReconfigurationResponseProto, TriggerBlockReportRequestProto,
    TriggerBlockReportResponseProto, UpdateReplicaUnderRecoveryRequestProto,
    UpdateReplicaUnderRecoveryResponseProto,
};
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService};
use hdfs_types::{BlockId, Error, ErrorKind, GenerationStamp, Result};
use prost::Message;

use super::conf::name_services;
use super::{SOFTWARE_VERSION, Shared, hot_swap};

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
                    reserved_space: space.reserved,
                    reserved_space_for_replicas: volume.reserved_for_replicas(),
                    num_blocks: self.shared.blocks_on(volume.index),
                })
            })
            .collect();
        Ok(GetVolumeReportResponseProto { volume_info: infos? })
    }

    fn trigger_report(&self, call: &RpcCall<'_>) -> Result<TriggerBlockReportResponseProto> {
        let request: TriggerBlockReportRequestProto = call.decode()?;
        let wanted = request.nn_address.as_deref();
        for actor in self.shared.actors() {
            if wanted.is_none_or(|address| actor.address.to_string() == address) {
                actor.trigger_report(request.incremental);
            }
        }
        Ok(TriggerBlockReportResponseProto::default())
    }

    /// As Hadoop's checkSuperuserPrivilege.
    fn check_superuser(&self, call: &RpcCall<'_>) -> Result<()> {
        let (shared, user) = (&self.shared, &call.caller.user);
        let short = user.split(['/', '@']).next().unwrap_or(user);
        if !shared.conf.permissions_enabled
            || short == shared.ugi.user
            || shared.groups.of(short).contains(&shared.conf.superuser_group)
        {
            return Ok(());
        }
        Err(Error::new(ErrorKind::AccessControl, "Permission denied."))
    }

    fn shutdown(&self, call: &RpcCall<'_>) -> Result<ShutdownDatanodeResponseProto> {
        let request: ShutdownDatanodeRequestProto = call.decode()?;
        if request.for_upgrade {
            return Err(unsupported("shutdownDatanode for an upgrade"));
        }
        tracing::info!(
            "shutdownDatanode command received (upgrade=false). Shutting down Datanode..."
        );
        self.shared.request_shutdown();
        Ok(ShutdownDatanodeResponseProto::default())
    }

    fn evict_writers(&self) -> EvictWritersResponseProto {
        let evicted: usize =
            self.shared.dataset.pools().iter().map(|pool| pool.evict_writers()).sum();
        tracing::info!("Evicting all writers: {evicted}");
        EvictWritersResponseProto {}
    }

    /// The list of NameNodes may be read again; another one than before takes a restart.
    fn refresh_namenodes(&self) -> Result<RefreshNamenodesResponseProto> {
        let new = name_services(&hdfs_rt::conf_files::reload_configuration()?)?;
        if new != self.shared.conf.name_services {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "the list of NameNodes has changed, which this DataNode takes with a restart only",
            ));
        }
        Ok(RefreshNamenodesResponseProto {})
    }

    fn start_reconfiguration(&self) -> Result<StartReconfigurationResponseProto> {
        let shared = Arc::clone(&self.shared);
        self.shared.reconfiguration.start(move |conf| {
            shared.tunable.apply(conf)?;
            hot_swap::apply(&shared, conf)
        })?;
        Ok(StartReconfigurationResponseProto {})
    }

    /// The calls that Hadoop gives to superusers only.
    fn administer(&self, call: &RpcCall<'_>) -> Option<Reply> {
        if !ADMINISTRATION.contains(&call.method) {
            return None;
        }
        if let Err(error) = self.check_superuser(call) {
            return Some(Reply::error(error));
        }
        let shared = Arc::clone(&self.shared);
        Some(match call.method {
            "getVolumeReport" => ready(self.volume_report()),
            "triggerBlockReport" => ready(self.trigger_report(call)),
            "shutdownDatanode" => ready(self.shutdown(call)),
            "evictWriters" => Reply::message(&self.evict_writers()),
            "refreshNamenodes" => ready(self.refresh_namenodes()),
            "deleteBlockPool" => match call.decode() {
                Ok(request) => blocking(move || delete_block_pool(&shared, &request)),
                Err(error) => Reply::error(error),
            },
            "startReconfiguration" => ready(self.start_reconfiguration()),
            "getReconfigurationStatus" => Reply::message(&shared.reconfiguration.status()),
            "listReconfigurableProperties" => Reply::message(&shared.reconfiguration.properties()),
            method => Reply::error(unsupported(method)),
        })
    }
}

/// Methods for superusers.
const ADMINISTRATION: [&str; 13] = [
    "getVolumeReport",
    "triggerBlockReport",
    "shutdownDatanode",
    "evictWriters",
    "refreshNamenodes",
    "deleteBlockPool",
    "startReconfiguration",
    "getReconfigurationStatus",
    "listReconfigurableProperties",
    "submitDiskBalancerPlan",
    "cancelDiskBalancerPlan",
    "queryDiskBalancerPlan",
    "getDiskBalancerSetting",
];

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
        if let Some(reply) = self.administer(&call) {
            return reply;
        }
        match call.method {
            "getReplicaVisibleLength" => ready(self.visible_length(&call)),
            "getDatanodeInfo" => Reply::message(&self.datanode_info()),
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
            "getBlockLocalPathInfo" => Reply::error(unsupported("getBlockLocalPathInfo")),
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

/// Deletes what is left of a block pool that is not served any more.
///
/// Hadoop: org.apache.hadoop.hdfs.server.datanode.DataNode.deleteBlockPool (3.5.0)
fn delete_block_pool(
    shared: &Shared,
    request: &DeleteBlockPoolRequestProto,
) -> Result<DeleteBlockPoolResponseProto> {
    let name = &request.block_pool;
    tracing::info!(
        "deleteBlockPool command received for block pool {name}, force={}",
        request.force
    );
    if shared.dataset.pools().iter().any(|pool| pool.id.as_str() == name) {
        return Err(Error::io(
            "The block pool is still running. First do a refreshNamenodes to shutdown the block pool service",
        ));
    }
    // What is no plain name of a pool is no folder of one.
    if !name.starts_with("BP-") || name.contains('/') {
        return Ok(DeleteBlockPoolResponseProto {});
    }
    let folders = shared.dataset.volumes.iter().map(|of| of.root.join("current").join(name));
    let folders: Vec<_> = folders.filter(|folder| folder.is_dir()).collect();
    if !request.force && folders.iter().any(|folder| holds_blocks(&folder.join("current"))) {
        return Err(Error::io("Cannot delete block pool, it contains some block files"));
    }
    for folder in folders {
        std::fs::remove_dir_all(&folder).map_err(|error| {
            Error::io(format!("Failed to delete {}: {error}", folder.display()))
        })?;
    }
    Ok(DeleteBlockPoolResponseProto {})
}

/// True when there is any block, or what can't be read.
fn holds_blocks(folder: &Path) -> bool {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return error.kind() != std::io::ErrorKind::NotFound,
    };
    entries.into_iter().any(|entry| match entry {
        Ok(entry) if entry.path().is_dir() => holds_blocks(&entry.path()),
        Ok(entry) => entry.file_name().to_string_lossy().starts_with("blk_"),
        Err(_) => true,
    })
}
