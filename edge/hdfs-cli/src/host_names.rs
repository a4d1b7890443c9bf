//! Names of addresses, as Hadoop's tools show them.

/// The name of an address in /etc/hosts.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
    let line = hosts.lines().find(|line| line.split_whitespace().next() == Some(address))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}
