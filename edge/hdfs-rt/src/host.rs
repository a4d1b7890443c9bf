//! Names and addresses of this machine.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;

/// The machine's host name, or `localhost` when it has none.
pub fn host_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        if name.is_empty() { "localhost".to_owned() } else { name }
    })
}

/// Host name and address as Java prints them: `name/10.0.0.1`.
pub fn local_host_text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let name = host_name();
        match resolve(name, 0).ok().and_then(|all| all.first().copied()) {
            Some(first) => format!("{name}/{}", first.ip()),
            None => format!("{name}/127.0.0.1"),
        }
    })
}

/// The addresses of a name, IPv4 before IPv6 as Java prefers; a literal address needs no resolver. May block.
///
/// # Errors
/// When the name does not resolve.
pub fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let mut all: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    all.sort_by_key(SocketAddr::is_ipv6);
    if all.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(all) }
}
