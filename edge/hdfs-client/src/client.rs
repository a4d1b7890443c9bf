//! The client itself: who it is, which NameNodes it asks, what its open files share.

use std::fmt;
use std::sync::Arc;

use hdfs_conf::{Configuration, HostPort, NAMENODE_RPC_DEFAULT_PORT, keys};
use hdfs_rt::rpc::client::{self as rpc_client, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use crate::conf::ClientConf;
use crate::lease::LeaseRenewer;
use crate::namenode::NameNode;
use crate::peer::PeerCache;

/// Proto: ClientNamenodeProtocol.proto
const CLIENT_PROTOCOL: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientProtocol", version: 1 };

/// A client of one file system. Cheap to clone; clones share connections, leases and settings.
///
/// It needs a tokio runtime with time and IO when it is used, not when it is made.
#[derive(Clone)]
pub struct HdfsClient {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    conf: ClientConf,
    uri: String,
    /// `DFSClient_NONMAPREDUCE_<random>_1`: the holder of this client's leases.
    client_name: String,
    ugi: Arc<Ugi>,
    rpc: RpcClient,
    namenode: NameNode,
    leases: LeaseRenewer,
    peers: PeerCache,
    /// What the NameNode names, once it was asked.
    key_provider_uri: OnceCell<String>,
}

impl fmt::Debug for HdfsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HdfsClient")
            .field("uri", &self.shared.uri)
            .field("client_name", &self.shared.client_name)
            .finish_non_exhaustive()
    }
}

impl HdfsClient {
    /// A client of the default file system (`fs.defaultFS`). Connects when it is first used.
    ///
    /// # Errors
    /// `IllegalArgument` when `fs.defaultFS` is no hdfs:// URI or a setting makes no sense.
    pub fn connect(conf: &Configuration) -> Result<Self> {
        Self::for_uri(conf.get_str(&keys::FS_DEFAULT_FS), conf)
    }

    /// A client of `hdfs://host:port` or `hdfs://nameservice`; a path behind it does not matter.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn for_uri(uri: &str, conf: &Configuration) -> Result<Self> {
        Self::for_user(uri, conf, Ugi::new(hdfs_rt::users::current_user()))
    }

    /// The same as another user than the one who runs the process.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn for_user(uri: &str, conf: &Configuration, ugi: Ugi) -> Result<Self> {
        let authority = authority(uri)?;
        let settings = ClientConf::from_configuration(conf)?;
        let addresses = namenode_addresses(authority, conf)?;
        let rpc_conf = rpc_conf(conf, addresses.len() > 1)?;
        let rpc = RpcClient::new(rpc_conf);
        let ugi = Arc::new(ugi);
        let proxies = addresses
            .into_iter()
            .map(|addr| {
                let addr = HostPort::new(addr.host, addr.port);
                Proxy::new(addr, CLIENT_PROTOCOL, &rpc, &ugi)
            })
            .collect();
        let namenode = NameNode::new(proxies, settings.retry.clone());
        // Java names the thread last; a client of ours has no thread of its own.
        let random = (crate::random::bits() as u32 as i32).wrapping_abs();
        let client_name = format!("DFSClient_NONMAPREDUCE_{random}_1");
        let leases =
            LeaseRenewer::new(namenode.clone(), client_name.clone(), settings.lease_hard_limit);
        let peers = PeerCache::new(settings.peer_cache_capacity, settings.peer_cache_expiry);
        let uri = format!("hdfs://{authority}");
        let shared = Shared {
            conf: settings,
            uri,
            client_name,
            ugi,
            rpc,
            namenode,
            leases,
            peers,
            key_provider_uri: OnceCell::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// `hdfs://` and the authority, without a path.
    pub fn uri(&self) -> &str {
        &self.shared.uri
    }

    /// The name under which this client holds leases.
    pub fn client_name(&self) -> &str {
        &self.shared.client_name
    }

    /// The user whose permissions count.
    pub fn user(&self) -> &str {
        &self.shared.ugi.user
    }

    /// `/user/<name>`: what relative paths of the shell start from (`dfs.user.home.dir.prefix` is not looked at).
    pub fn home_directory(&self) -> String {
        format!("/user/{}", self.shared.ugi.user)
    }

    /// The settings.
    pub fn conf(&self) -> &ClientConf {
        &self.shared.conf
    }

    /// The NameNode that calls go to now; after a call that succeeded it is the active one.
    pub fn current_namenode(&self) -> &HostPort {
        self.shared.namenode.current()
    }

    pub(crate) fn namenode(&self) -> &NameNode {
        &self.shared.namenode
    }

    pub(crate) fn key_provider_uri(&self) -> &OnceCell<String> {
        &self.shared.key_provider_uri
    }

    pub(crate) fn leases(&self) -> &LeaseRenewer {
        &self.shared.leases
    }

    pub(crate) fn peers(&self) -> &PeerCache {
        &self.shared.peers
    }

    pub(crate) fn rpc(&self) -> &RpcClient {
        &self.shared.rpc
    }

    pub(crate) fn ugi(&self) -> &Arc<Ugi> {
        &self.shared.ugi
    }
}

/// How the RPC client connects and waits. Behind a nameservice a refused connection means the next NameNode at once.
fn rpc_conf(conf: &Configuration, has_failover: bool) -> Result<rpc_client::ClientConf> {
    let mut rpc = rpc_client::ClientConf::from_configuration(conf)?;
    if has_failover {
        rpc.connect_max_retries = conf.get_u32(&keys::DFS_CLIENT_FAILOVER_CONNECTION_RETRIES)?;
        rpc.connect_max_retries_on_timeouts =
            conf.get_u32(&keys::DFS_CLIENT_FAILOVER_CONNECTION_RETRIES_ON_TIMEOUTS)?;
    }
    Ok(rpc)
}

/// The authority of an hdfs:// URI.
fn authority(uri: &str) -> Result<&str> {
    let authority = uri.strip_prefix("hdfs://").and_then(|rest| rest.split('/').next());
    authority.filter(|authority| !authority.is_empty()).ok_or_else(|| {
        let message = format!(
            "Invalid URI for NameNode address (check fs.defaultFS): {uri} has no authority of scheme hdfs"
        );
        Error::new(ErrorKind::IllegalArgument, message)
    })
}

/// The RPC addresses behind an authority: those of a nameservice, or the address itself.
///
/// Hadoop: org.apache.hadoop.hdfs.DFSUtilClient.getAddresses (3.5.0)
fn namenode_addresses(authority: &str, conf: &Configuration) -> Result<Vec<HostPort>> {
    let Some(ids) = conf.get_suffixed(&keys::DFS_HA_NAMENODES, &[authority]) else {
        return Ok(vec![HostPort::parse(authority, Some(NAMENODE_RPC_DEFAULT_PORT))?]);
    };
    let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
    let mut addresses = ids
        .map(|id| {
            let key = &keys::DFS_NAMENODE_RPC_ADDRESS;
            let address = conf.get_suffixed(key, &[authority, id]).ok_or_else(|| {
                let message = format!("{}.{authority}.{id} is not set", key.name);
                Error::new(ErrorKind::IllegalArgument, message)
            })?;
            HostPort::parse(address, Some(NAMENODE_RPC_DEFAULT_PORT))
        })
        .collect::<Result<Vec<_>>>()?;
    if addresses.is_empty() {
        let message = format!("{}.{authority} names no NameNode", keys::DFS_HA_NAMENODES.name);
        return Err(Error::new(ErrorKind::IllegalArgument, message));
    }
    if conf.get_bool(&keys::DFS_CLIENT_FAILOVER_RANDOM_ORDER) {
        let count = addresses.len();
        addresses.rotate_left(crate::random::below(count as u64) as usize);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_an_address_or_a_nameservice() {
        let mut conf = Configuration::new();
        conf.set("dfs.ha.namenodes.ns", "a, b").unwrap();
        conf.set("dfs.namenode.rpc-address.ns.a", "nn1:9000").unwrap();
        conf.set("dfs.namenode.rpc-address.ns.b", "nn2").unwrap();
        conf.set("dfs.client.failover.random.order", "false").unwrap();
        let text = |authority| {
            let addresses = namenode_addresses(authority, &conf).unwrap();
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(text("ns"), ["nn1:9000", "nn2:8020"]);
        assert_eq!(text("other"), ["other:8020"]);
        assert_eq!(authority("hdfs://ns/a/b").unwrap(), "ns");
        assert!(authority("file:///x").is_err());
    }
}
