//! Who may act for whom: `hadoop.proxyuser.<user>.{users,groups,hosts}`.
//!
//! Hadoop: org.apache.hadoop.security.authorize.DefaultImpersonationProvider (3.5.0)

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use hdfs_types::{Error, ErrorKind, Result};

use super::{Authorizer, CallerIdentity};

/// Tells the groups of a user.
pub type GroupLookup = Arc<dyn Fn(&str) -> Vec<String> + Send + Sync>;

/// The rules of impersonation; as an [`Authorizer`] it refuses nobody else.
pub struct ProxyUsers {
    rules: BTreeMap<String, Rule>,
    groups: GroupLookup,
}

#[derive(Default, Debug)]
struct Rule {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    hosts: Option<MachineList>,
}

const PREFIX: &str = "hadoop.proxyuser.";

impl ProxyUsers {
    /// Takes the rules from a configuration's pairs; keys that are not about proxy users count for nothing.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        groups: GroupLookup,
    ) -> Self {
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for (key, value) in pairs {
            let Some((user, what)) =
                key.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('.'))
            else {
                continue;
            };
            let list = || value.split(',').map(|part| part.trim().to_owned()).collect();
            let rule = rules.entry(user.to_owned()).or_default();
            match what {
                "users" => rule.users = list(),
                "groups" => rule.groups = list(),
                "hosts" => rule.hosts = Some(MachineList::new(value)),
                _ => {}
            }
        }
        Self { rules, groups }
    }
}

impl Authorizer for ProxyUsers {
    fn authorize(&self, caller: &CallerIdentity, _: Option<&str>, remote: IpAddr) -> Result<()> {
        let Some(real) = &caller.real_user else {
            return Ok(());
        };
        let refuse = |message| Err(Error::new(ErrorKind::Authorization, message));
        let allows = |rule: &&Rule| {
            let named =
                |set: &BTreeSet<String>, name: &str| set.contains("*") || set.contains(name);
            named(&rule.users, &caller.user)
                || rule.groups.contains("*")
                || (!rule.groups.is_empty()
                    && (self.groups)(&caller.user).iter().any(|group| named(&rule.groups, group)))
        };
        let Some(rule) = self.rules.get(real.as_str()).filter(allows) else {
            return refuse(format!("User: {real} is not allowed to impersonate {}", caller.user));
        };
        if rule.hosts.as_ref().is_some_and(|hosts| hosts.includes(remote)) {
            Ok(())
        } else {
            refuse(format!("Unauthorized connection for super-user: {real} from IP {remote}"))
        }
    }
}

/// Addresses, address ranges and host names; names are resolved once.
///
/// Hadoop: org.apache.hadoop.util.MachineList (3.5.0)
#[derive(Debug)]
pub(super) enum MachineList {
    All,
    These { addresses: Vec<IpAddr>, ranges: Vec<(IpAddr, u32)> },
}

impl MachineList {
    pub(super) fn new(text: &str) -> Self {
        let entries: Vec<&str> =
            text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if entries == ["*"] {
            return Self::All;
        }
        let (mut addresses, mut ranges) = (Vec::new(), Vec::new());
        for entry in entries {
            if let Some((address, bits)) = entry.split_once('/') {
                match (address.parse(), bits.parse()) {
                    (Ok(address), Ok(bits)) => ranges.push((address, bits)),
                    _ => tracing::warn!("Invalid CIDR syntax : {entry}"),
                }
            } else if let Ok(address) = entry.parse() {
                addresses.push(address);
            } else {
                match (entry, 0).to_socket_addrs() {
                    Ok(resolved) => addresses.extend(resolved.map(|socket| socket.ip())),
                    Err(error) => tracing::warn!("host {entry} of a proxy user: {error}"),
                }
            }
        }
        Self::These { addresses, ranges }
    }

    pub(super) fn includes(&self, address: IpAddr) -> bool {
        match self {
            Self::All => true,
            Self::These { addresses, ranges } => {
                addresses.contains(&address)
                    || ranges.iter().any(|(base, bits)| in_range(address, *base, *bits))
            }
        }
    }
}

fn in_range(address: IpAddr, base: IpAddr, bits: u32) -> bool {
    let shared_bits = match (address, base) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    shared_bits >= bits
}
