//! Addresses of daemons, as the configuration gives them.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSUtilClient.getNNAddress, org.apache.hadoop.net.NetUtils.createSocketAddr (3.5.0)

use std::fmt;

use hdfs_types::{Error, ErrorKind, Result};

use crate::{Configuration, Key, keys};

/// Port of the NameNode's RPC when an address names none.
pub const NAMENODE_RPC_DEFAULT_PORT: u16 = 8020;

/// A host, not yet resolved, and a port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HostPort {
    /// Name or address; IPv6 addresses without brackets.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl HostPort {
    /// This host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Reads `host:port`, `[v6]:port`, `host`, or a URI whose authority is one of these.
    ///
    /// # Errors
    /// When there is no host, no valid port, or no port at all and no default.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self> {
        let refuse = || {
            let message = format!("Does not contain a valid host:port authority: {text}");
            Error::new(ErrorKind::IllegalArgument, message)
        };
        let trimmed = text.trim();
        let authority = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(refuse)?;
                (host, after.strip_prefix(':'))
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| refuse())?,
            None => default_port.ok_or_else(refuse)?,
        };
        if host.is_empty() {
            return Err(refuse());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

/// The authority of `fs.defaultFS` when that is an hdfs:// URI: `host:port`, a nameservice, or `None`.
pub fn default_file_system_authority(conf: &Configuration) -> Option<&str> {
    let rest = conf.get_str(&keys::FS_DEFAULT_FS).strip_prefix("hdfs://")?;
    rest.split('/').next().filter(|authority| !authority.is_empty())
}

impl Configuration {
    /// Where the NameNode serves clients: `dfs.namenode.rpc-address`, else the authority of `fs.defaultFS`.
    ///
    /// # Errors
    /// When neither names a host, or the address is malformed.
    pub fn namenode_rpc_address(&self) -> Result<HostPort> {
        if let Some(address) = self.get_opt(&keys::DFS_NAMENODE_RPC_ADDRESS) {
            return HostPort::parse(address, Some(NAMENODE_RPC_DEFAULT_PORT));
        }
        let authority = default_file_system_authority(self).ok_or_else(|| {
            let uri = self.get_str(&keys::FS_DEFAULT_FS);
            let message = format!(
                "Invalid URI for NameNode address (check fs.defaultFS): {uri} has no authority of scheme hdfs"
            );
            Error::new(ErrorKind::IllegalArgument, message)
        })?;
        HostPort::parse(authority, Some(NAMENODE_RPC_DEFAULT_PORT))
    }

    /// The address under this key, in which a port must stand.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn get_host_port(&self, key: &Key) -> Result<HostPort> {
        HostPort::parse(self.get_str(key), None)
    }

    /// The same for a key that may be unset.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn get_opt_host_port(&self, key: &Key) -> Result<Option<HostPort>> {
        self.get_opt(key).map(|text| HostPort::parse(text, None)).transpose()
    }

    /// What a server binds to: the host under `bind_host` if it is set, with the port of `address`.
    pub fn bind_address(&self, address: &HostPort, bind_host: &Key) -> HostPort {
        match self.get_opt(bind_host) {
            Some(host) => HostPort { host: host.to_owned(), port: address.port },
            None => address.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String> {
        HostPort::parse(text, Some(8020)).map(|parsed| parsed.to_string())
    }

    #[test]
    fn addresses_have_a_default_port() {
        for (text, expected) in [
            ("nn1", "nn1:8020"),
            (" nn1:9000 ", "nn1:9000"),
            ("hdfs://nn1:9000/x:y", "nn1:9000"),
            ("[::1]:80", "[::1]:80"),
            ("[::1]", "[::1]:8020"),
        ] {
            assert_eq!(parse(text).expect(text), expected);
        }
        for text in ["", ":80", "nn1:x", "nn1:70000", "[::1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_namenodes_address_comes_from_its_key_or_the_default_file_system() {
        let mut conf = Configuration::new();
        let error = conf.namenode_rpc_address().expect_err("file:/// has no NameNode");
        assert!(error.message.contains("check fs.defaultFS"), "{}", error.message);
        conf.set("fs.default.name", "hdfs://nn1").expect("expands");
        assert_eq!(conf.namenode_rpc_address().expect("valid").to_string(), "nn1:8020");
        conf.set("dfs.namenode.rpc-address", "nn2:9000").expect("expands");
        let address = conf.namenode_rpc_address().expect("valid");
        assert_eq!(address.to_string(), "nn2:9000");
        conf.set("dfs.namenode.rpc-bind-host", "0.0.0.0").expect("expands");
        let bind = conf.bind_address(&address, &keys::DFS_NAMENODE_RPC_BIND_HOST);
        assert_eq!(bind.to_string(), "0.0.0.0:9000");
    }
}
