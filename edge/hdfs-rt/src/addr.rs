//! The address of a server: a name and a port, resolved anew for every connection.

use std::net::SocketAddr;

pub use hdfs_conf::HostPort;

/// What names a server: a configured `host:port` or a socket address.
pub trait ServerName {
    /// Name and port.
    fn to_host_port(self) -> HostPort;
}

impl ServerName for HostPort {
    fn to_host_port(self) -> HostPort {
        self
    }
}

impl ServerName for &HostPort {
    fn to_host_port(self) -> HostPort {
        self.clone()
    }
}

impl ServerName for SocketAddr {
    fn to_host_port(self) -> HostPort {
        HostPort { host: self.ip().to_string(), port: self.port() }
    }
}
