//! Which DataNodes may join, and which are to leave service: what the files of hosts say, by host.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.HostFileManager, CombinedHostFileManager,
//! org.apache.hadoop.hdfs.protocol.DatanodeAdminProperties (3.5.0)

use std::collections::BTreeMap;

use hdfs_types::WallMillis;

use crate::datanode::AdminState;
use crate::registration::DatanodeRegistration;

/// What a file says about the DataNodes of one host, or about one of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostEntry {
    /// Name or address, as it stands in the file.
    pub host: String,
    /// Addresses of that name; empty when nothing resolves it.
    pub addresses: Vec<String>,
    /// Port of data transfer; 0 means every DataNode of the host.
    pub port: u16,
    /// It may join. (A line of an exclude file alone does not say so.)
    pub included: bool,
    /// Normal, Decommissioned or InMaintenance; the states between mean nothing here, as in Hadoop.
    pub admin: AdminState,
    /// Its upgrade domain.
    pub upgrade_domain: Option<String>,
    /// End of maintenance; None: never.
    pub maintenance_expires: Option<WallMillis>,
}

impl HostEntry {
    /// A line `host`, `ip` or either with `:port`.
    pub fn from_line(line: &str, included: bool, admin: AdminState) -> Self {
        let (host, port) = match line.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().unwrap_or(0)),
            None => (line, 0),
        };
        Self { host: host.to_owned(), port, included, admin, ..Self::default() }
    }

    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.port == 0 || self.port == port
    }
}

/// Ports of a DataNode that a file names and that never registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultPorts {
    /// Data transfer.
    pub xfer: u16,
    /// HTTP.
    pub info: u16,
    /// HTTPS.
    pub info_secure: u16,
    /// RPC.
    pub ipc: u16,
}

impl Default for DefaultPorts {
    fn default() -> Self {
        Self { xfer: 9866, info: 9864, info_secure: 9865, ipc: 9867 }
    }
}

/// All that the files say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostsLists {
    /// In the order of the files.
    entries: Vec<HostEntry>,
    /// Places in `entries` by name, in small letters, and by address.
    by_name: BTreeMap<String, Vec<usize>>,
    everybody: bool,
    ports: DefaultPorts,
}

impl Default for HostsLists {
    fn default() -> Self {
        Self::new(Vec::new(), true, DefaultPorts::default())
    }
}

impl HostsLists {
    /// `everybody`: hosts that are not named may join, too. `ports`: of nodes that never registered.
    pub fn new(entries: Vec<HostEntry>, everybody: bool, ports: DefaultPorts) -> Self {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            for name in std::iter::once(&entry.host).chain(&entry.addresses) {
                let places = by_name.entry(name.to_ascii_lowercase()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { entries, by_name, everybody, ports }
    }

    /// From the lines of an include and an exclude file, without addresses.
    pub fn from_lines<S: AsRef<str>>(include: &[S], exclude: &[S]) -> Self {
        let include_lines = include.iter().map(|line| (line, true, AdminState::Normal));
        let exclude_lines = exclude.iter().map(|line| (line, false, AdminState::Decommissioned));
        let entries = include_lines
            .chain(exclude_lines)
            .map(|(line, included, admin)| HostEntry::from_line(line.as_ref(), included, admin))
            .collect();
        Self::new(entries, include.is_empty(), DefaultPorts::default())
    }

    pub(crate) fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    pub(crate) fn ports(&self) -> DefaultPorts {
        self.ports
    }

    /// What is said of a node, in the order of the files.
    fn of(&self, node: &DatanodeRegistration) -> Vec<&HostEntry> {
        let names = [Some(&node.ip), Some(&node.host_name), node.peer_host_name.as_ref()];
        let mut places: Vec<usize> = names
            .into_iter()
            .flatten()
            .filter_map(|name| self.by_name.get(&name.to_ascii_lowercase()))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        let entries = places.into_iter().map(|place| &self.entries[place]);
        entries.filter(|entry| entry.has_port(node.xfer_port)).collect()
    }

    pub(crate) fn is_included(&self, node: &DatanodeRegistration) -> bool {
        self.everybody || self.of(node).into_iter().any(|entry| entry.included)
    }

    pub(crate) fn is_excluded(&self, node: &DatanodeRegistration) -> bool {
        self.of(node).into_iter().any(|entry| entry.admin == AdminState::Decommissioned)
    }

    /// Until when the node is to be in maintenance: None when it is not to be, or when that time is over.
    pub(crate) fn maintenance_of(
        &self,
        node: &DatanodeRegistration,
        now: WallMillis,
    ) -> Option<WallMillis> {
        let of = self.of(node);
        let entry = of.into_iter().find(|entry| entry.admin == AdminState::InMaintenance)?;
        let expires = entry.maintenance_expires.unwrap_or(WallMillis(u64::MAX));
        (now < expires).then_some(expires)
    }

    pub(crate) fn upgrade_domain_of(&self, node: &DatanodeRegistration) -> Option<String> {
        self.of(node).first().and_then(|entry| entry.upgrade_domain.clone())
    }
}
