//! What administrators ask of one daemon, by the address of its RPC port.
//!
//! Proto: ClientDatanodeProtocol.proto, ReconfigurationProtocol.proto, GenericRefreshProtocol.proto

use std::sync::Arc;

use hdfs_conf::{Configuration, HostPort};
use hdfs_proto::{common, hdfs as proto};
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{Result, WallMillis};

const DATANODE: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientDatanodeProtocol", version: 1 };
const RECONFIGURATION: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ReconfigurationProtocol", version: 1 };
const GENERIC_REFRESH: Protocol =
    Protocol { java_name: "org.apache.hadoop.ipc.GenericRefreshProtocol", version: 1 };

/// Which protocol reconfigures a daemon: a DataNode takes it on the protocol that clients use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Daemon {
    /// A NameNode.
    NameNode,
    /// A DataNode.
    DataNode,
}

/// One daemon, called by an administrator.
#[derive(Clone, Debug)]
pub struct ServerAdmin {
    address: HostPort,
    rpc: RpcClient,
    ugi: Arc<Ugi>,
}

/// What a DataNode says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatanodeLocalInfo {
    /// Version of its software.
    pub software_version: String,
    /// Version of its configuration.
    pub config_version: String,
    /// Seconds since it started.
    pub uptime_secs: u64,
}

/// A volume of a DataNode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatanodeVolume {
    /// Its folder.
    pub path: String,
    /// `DISK`, `SSD`, …
    pub storage_type: String,
    /// Bytes of replicas.
    pub used: u64,
    /// Bytes that more replicas may take.
    pub free: u64,
    /// Bytes kept for other uses (`dfs.datanode.du.reserved`).
    pub reserved: u64,
    /// Bytes that replicas being written may still take.
    pub reserved_for_replicas: u64,
    /// Replicas.
    pub blocks: u64,
}

/// One answer to a generic refresh.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshResponse {
    /// 0 is success.
    pub exit_status: i32,
    /// Text for the administrator.
    pub message: Option<String>,
    /// Which handler answers.
    pub sender: Option<String>,
}

/// How a daemon's last reconfiguration went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReconfigurationStatus {
    /// When it began; 0 when none ever did.
    pub started: WallMillis,
    /// When it ended; `None` while it runs.
    pub ended: Option<WallMillis>,
    /// The keys whose values differed.
    pub changes: Vec<PropertyChange>,
}

/// A key whose value differed from the one in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PropertyChange {
    /// The key.
    pub name: String,
    /// The value that was in force.
    pub old: String,
    /// The value of the files; `None` when they do not name the key any more.
    pub new: Option<String>,
    /// Why the daemon keeps the old value; `None`: it took the new one.
    pub error: Option<String>,
}

impl ServerAdmin {
    /// The daemon at this address. Connects when it is first called.
    ///
    /// # Errors
    /// When a setting of RPC makes no sense.
    pub fn new(address: HostPort, conf: &Configuration) -> Result<Self> {
        let rpc = RpcClient::new(ClientConf::from_configuration(conf)?);
        Ok(Self { address, rpc, ugi: Arc::new(Ugi::current()) })
    }

    pub(crate) fn proxy(&self, protocol: Protocol) -> Proxy {
        Proxy::new(&self.address, protocol, &self.rpc, &self.ugi)
    }

    async fn datanode<Q, A>(&self, method: &str, request: &Q) -> Result<A>
    where
        Q: prost::Message,
        A: prost::Message + Default,
    {
        self.proxy(DATANODE).call(method, request).await
    }

    /// What a DataNode says about itself.
    ///
    /// Proto: ClientDatanodeProtocol.proto getDatanodeInfo
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn datanode_info(&self) -> Result<DatanodeLocalInfo> {
        let request = proto::GetDatanodeInfoRequestProto {};
        let answer: proto::GetDatanodeInfoResponseProto =
            self.datanode("getDatanodeInfo", &request).await?;
        let info = answer.local_info;
        Ok(DatanodeLocalInfo {
            software_version: info.software_version,
            config_version: info.config_version,
            uptime_secs: info.uptime,
        })
    }

    /// The volumes of a DataNode.
    ///
    /// Proto: ClientDatanodeProtocol.proto getVolumeReport
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn volume_report(&self) -> Result<Vec<DatanodeVolume>> {
        let request = proto::GetVolumeReportRequestProto {};
        let answer: proto::GetVolumeReportResponseProto =
            self.datanode("getVolumeReport", &request).await?;
        let volume = |info: proto::DatanodeVolumeInfoProto| DatanodeVolume {
            storage_type: info.storage_type().as_str_name().to_owned(),
            path: info.path,
            used: info.used_space,
            free: info.free_space,
            reserved: info.reserved_space,
            reserved_for_replicas: info.reserved_space_for_replicas,
            blocks: info.num_blocks,
        };
        Ok(answer.volume_info.into_iter().map(volume).collect())
    }

    /// Bytes a second that a DataNode gives to balancing.
    ///
    /// Proto: ClientDatanodeProtocol.proto getBalancerBandwidth
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn balancer_bandwidth(&self) -> Result<u64> {
        let request = proto::GetBalancerBandwidthRequestProto {};
        let answer: proto::GetBalancerBandwidthResponseProto =
            self.datanode("getBalancerBandwidth", &request).await?;
        Ok(answer.bandwidth)
    }

    /// Makes a DataNode report its replicas, to every NameNode or to the one at `namenode`.
    ///
    /// Proto: ClientDatanodeProtocol.proto triggerBlockReport
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn trigger_block_report(
        &self,
        incremental: bool,
        namenode: Option<&HostPort>,
    ) -> Result<()> {
        let request = proto::TriggerBlockReportRequestProto {
            incremental,
            nn_address: namenode.map(ToString::to_string),
        };
        let _: proto::TriggerBlockReportResponseProto =
            self.datanode("triggerBlockReport", &request).await?;
        Ok(())
    }

    /// Makes a DataNode read its list of NameNodes again.
    ///
    /// Proto: ClientDatanodeProtocol.proto refreshNamenodes
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn refresh_namenodes(&self) -> Result<()> {
        let request = proto::RefreshNamenodesRequestProto {};
        let _: proto::RefreshNamenodesResponseProto =
            self.datanode("refreshNamenodes", &request).await?;
        Ok(())
    }

    /// Deletes a DataNode's folder of a block pool that it does not serve any more.
    ///
    /// Proto: ClientDatanodeProtocol.proto deleteBlockPool
    ///
    /// # Errors
    /// `AccessControl`; `Io` while it serves the pool.
    pub async fn delete_block_pool(&self, pool: &str, force: bool) -> Result<()> {
        let request = proto::DeleteBlockPoolRequestProto { block_pool: pool.to_owned(), force };
        let _: proto::DeleteBlockPoolResponseProto =
            self.datanode("deleteBlockPool", &request).await?;
        Ok(())
    }

    /// Ends a DataNode, for a short upgrade if `for_upgrade` is set.
    ///
    /// Proto: ClientDatanodeProtocol.proto shutdownDatanode
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn shutdown_datanode(&self, for_upgrade: bool) -> Result<()> {
        let request = proto::ShutdownDatanodeRequestProto { for_upgrade };
        let _: proto::ShutdownDatanodeResponseProto =
            self.datanode("shutdownDatanode", &request).await?;
        Ok(())
    }

    /// Makes a DataNode send its writers away.
    ///
    /// Proto: ClientDatanodeProtocol.proto evictWriters
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn evict_writers(&self) -> Result<()> {
        let request = proto::EvictWritersRequestProto {};
        let _: proto::EvictWritersResponseProto = self.datanode("evictWriters", &request).await?;
        Ok(())
    }

    /// Runs the handlers of any daemon that are registered under this name.
    ///
    /// Proto: GenericRefreshProtocol.proto refresh
    ///
    /// # Errors
    /// `IllegalArgument` when there is no handler of this name.
    pub async fn refresh(&self, identifier: &str, args: &[String]) -> Result<Vec<RefreshResponse>> {
        let request = common::GenericRefreshRequestProto {
            identifier: Some(identifier.to_owned()),
            args: args.to_vec(),
        };
        let answer: common::GenericRefreshResponseCollectionProto =
            self.proxy(GENERIC_REFRESH).call("refresh", &request).await?;
        let response = |of: common::GenericRefreshResponseProto| RefreshResponse {
            exit_status: of.exit_status.unwrap_or(-1),
            message: of.user_message,
            sender: of.sender_name,
        };
        Ok(answer.responses.into_iter().map(response).collect())
    }

    async fn reconfiguration<Q, A>(&self, of: Daemon, method: &str, request: &Q) -> Result<A>
    where
        Q: prost::Message,
        A: prost::Message + Default,
    {
        let protocol = match of {
            Daemon::NameNode => RECONFIGURATION,
            Daemon::DataNode => DATANODE,
        };
        self.proxy(protocol).call(method, request).await
    }

    /// Makes a daemon read its configuration again and take those changes that it can take while it runs.
    ///
    /// Proto: ReconfigurationProtocol.proto startReconfiguration
    ///
    /// # Errors
    /// `AccessControl`; `Io` while another reconfiguration runs.
    pub async fn start_reconfiguration(&self, of: Daemon) -> Result<()> {
        let request = proto::StartReconfigurationRequestProto {};
        let _: proto::StartReconfigurationResponseProto =
            self.reconfiguration(of, "startReconfiguration", &request).await?;
        Ok(())
    }

    /// How the last reconfiguration went.
    ///
    /// Proto: ReconfigurationProtocol.proto getReconfigurationStatus
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn reconfiguration_status(&self, of: Daemon) -> Result<ReconfigurationStatus> {
        let request = proto::GetReconfigurationStatusRequestProto {};
        let answer: proto::GetReconfigurationStatusResponseProto =
            self.reconfiguration(of, "getReconfigurationStatus", &request).await?;
        let millis = |time: i64| WallMillis(u64::try_from(time).unwrap_or(0));
        let changes = answer.changes.into_iter().map(|change| PropertyChange {
            name: change.name,
            old: change.old_value,
            new: change.new_value,
            error: change.error_message,
        });
        Ok(ReconfigurationStatus {
            started: millis(answer.start_time),
            ended: answer.end_time.map(millis),
            changes: changes.collect(),
        })
    }

    /// The keys that a daemon can change while it runs.
    ///
    /// Proto: ReconfigurationProtocol.proto listReconfigurableProperties
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn reconfigurable_properties(&self, of: Daemon) -> Result<Vec<String>> {
        let request = proto::ListReconfigurablePropertiesRequestProto {};
        let answer: proto::ListReconfigurablePropertiesResponseProto =
            self.reconfiguration(of, "listReconfigurableProperties", &request).await?;
        Ok(answer.name)
    }
}
