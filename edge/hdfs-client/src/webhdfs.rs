//! The WebHDFS client: the same file system over HTTP.
//!
//! A call goes to a NameNode; data goes to the DataNode that the NameNode redirects to, so a write asks first without
//! data. Behind a nameservice the client changes to the next NameNode when one is a standby or can't be reached. Errors
//! come back as JSON and become the [`Error`] that RPC would have given.
//!
//! Not here: TLS, SPNEGO and delegation tokens (`swebhdfs`).
//!
//! Hadoop: org.apache.hadoop.hdfs.web.WebHdfsFileSystem (3.5.0)

mod attributes;
mod calls;
mod json;
mod request;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{Error, ErrorKind, FsPermission, Result};

pub use stream::{WebReader, WebWriter};

use crate::conf::umask;

/// Port of the NameNode's web server when an address names none.
const NAMENODE_HTTP_DEFAULT_PORT: u16 = 9870;

/// A WebHDFS file system. Cheap to clone.
#[derive(Clone)]
pub struct WebHdfsClient {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    uri: String,
    ugi: Ugi,
    namenodes: Vec<HostPort>,
    /// The NameNode that answered last.
    current: AtomicUsize,
    conf: WebConf,
}

/// Capacity of a whole file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FsCapacity {
    /// What all DataNodes may hold.
    pub capacity: u64,
    /// What HDFS uses.
    pub used: u64,
    /// What is free for HDFS.
    pub remaining: u64,
}

/// The settings.
struct WebConf {
    read_timeout: Duration,
    umask: FsPermission,
    replication: u16,
    block_size: u64,
    failovers: u32,
    sleep_base: Duration,
    sleep_max: Duration,
    csrf: Option<Csrf>,
}

/// The header that a server with protection against cross-site requests demands.
struct Csrf {
    header: String,
    ignored_methods: Vec<String>,
}

impl fmt::Debug for WebHdfsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebHdfsClient").field("uri", &self.shared.uri).finish_non_exhaustive()
    }
}

impl WebHdfsClient {
    /// A client of `webhdfs://host:port` or `webhdfs://nameservice`, as the user who runs the process.
    ///
    /// # Errors
    /// `IllegalArgument` when the URI or a setting makes no sense.
    pub fn for_uri(uri: &str, conf: &Configuration) -> Result<Self> {
        Self::for_user(uri, conf, Ugi::current())
    }

    /// The same as another user.
    ///
    /// # Errors
    /// As [`Self::for_uri`].
    pub fn for_user(uri: &str, conf: &Configuration, ugi: Ugi) -> Result<Self> {
        let authority = uri.strip_prefix("webhdfs://").and_then(|rest| rest.split('/').next());
        let authority = authority.filter(|authority| !authority.is_empty()).ok_or_else(|| {
            // What Java says when there is no host.
            Error::new(ErrorKind::IllegalArgument, "java.net.UnknownHostException: null")
        })?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(conf.get_duration(&keys::DFS_WEBHDFS_SOCKET_CONNECT_TIMEOUT)?)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::io(format!("HTTP client: {error}")))?;
        let shared = Shared {
            http,
            uri: format!("webhdfs://{authority}"),
            ugi,
            namenodes: namenodes(authority, conf)?,
            current: AtomicUsize::new(0),
            conf: WebConf::from_configuration(conf)?,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// `webhdfs://` and the authority, without a path.
    pub fn uri(&self) -> &str {
        &self.shared.uri
    }

    /// The user whose permissions count.
    pub fn user(&self) -> &str {
        &self.shared.ugi.user
    }

    /// `/user/<name>`: where relative paths start.
    pub fn home_directory(&self) -> String {
        format!("/user/{}", self.shared.ugi.user)
    }

    fn conf(&self) -> &WebConf {
        &self.shared.conf
    }

    /// The NameNode to ask now, and its number.
    fn namenode(&self) -> (usize, &HostPort) {
        let index = self.shared.current.load(Ordering::Relaxed) % self.shared.namenodes.len();
        (index, &self.shared.namenodes[index])
    }

    /// Leaves the NameNode with this number, unless another call has done so already.
    fn fail_over(&self, index: usize) {
        let next = (index + 1) % self.shared.namenodes.len();
        let (order, current) = (Ordering::Relaxed, &self.shared.current);
        let _ = current.compare_exchange(index, next, order, order);
    }
}

impl WebConf {
    fn from_configuration(conf: &Configuration) -> Result<Self> {
        let csrf = conf.get_bool(&keys::DFS_WEBHDFS_REST_CSRF_ENABLED).then(|| {
            let ignored = conf.get_list(&keys::DFS_WEBHDFS_REST_CSRF_METHODS_TO_IGNORE);
            Csrf {
                header: conf.get_str(&keys::DFS_WEBHDFS_REST_CSRF_CUSTOM_HEADER).to_owned(),
                ignored_methods: ignored.into_iter().map(str::to_owned).collect(),
            }
        });
        Ok(Self {
            read_timeout: conf.get_duration(&keys::DFS_WEBHDFS_SOCKET_READ_TIMEOUT)?,
            umask: umask(conf)?,
            replication: conf.get_u16(&keys::DFS_REPLICATION)?,
            block_size: conf.get_u64(&keys::DFS_BLOCK_SIZE)?,
            failovers: conf.get_u32(&keys::DFS_HTTP_CLIENT_FAILOVER_MAX_ATTEMPTS)?,
            sleep_base: conf.get_duration(&keys::DFS_HTTP_CLIENT_FAILOVER_SLEEP_BASE_MILLIS)?,
            sleep_max: conf.get_duration(&keys::DFS_HTTP_CLIENT_FAILOVER_SLEEP_MAX_MILLIS)?,
            csrf,
        })
    }
}

/// The web addresses behind an authority: those of a nameservice, or the address itself.
fn namenodes(authority: &str, conf: &Configuration) -> Result<Vec<HostPort>> {
    let port = Some(NAMENODE_HTTP_DEFAULT_PORT);
    let Some(ids) = conf.get_suffixed(&keys::DFS_HA_NAMENODES, &[authority]) else {
        return Ok(vec![HostPort::parse(authority, port)?]);
    };
    let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
    let addresses = ids
        .map(|id| {
            let key = &keys::DFS_NAMENODE_HTTP_ADDRESS;
            let address = conf.get_suffixed(key, &[authority, id]).ok_or_else(|| {
                let message = format!("{}.{authority}.{id} is not set", key.name);
                Error::new(ErrorKind::IllegalArgument, message)
            })?;
            HostPort::parse(address, port)
        })
        .collect::<Result<Vec<_>>>()?;
    if addresses.is_empty() {
        let message = format!("{}.{authority} names no NameNode", keys::DFS_HA_NAMENODES.name);
        return Err(Error::new(ErrorKind::IllegalArgument, message));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_web_address_or_a_nameservice() {
        let mut conf = Configuration::new();
        conf.set("dfs.ha.namenodes.ns", "a, b").unwrap();
        conf.set("dfs.namenode.http-address.ns.a", "nn1:50070").unwrap();
        conf.set("dfs.namenode.http-address.ns.b", "nn2").unwrap();
        let uris = |authority| {
            let found = namenodes(authority, &conf).unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(uris("ns"), ["nn1:50070", "nn2:9870"]);
        assert_eq!(uris("host"), ["host:9870"]);
        let nowhere = WebHdfsClient::for_uri("webhdfs:///a", &conf).unwrap_err();
        assert_eq!(nowhere.message, "java.net.UnknownHostException: null");
    }
}
