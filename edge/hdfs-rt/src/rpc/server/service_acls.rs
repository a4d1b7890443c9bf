//! Who may speak which protocol: `security.<protocol>.protocol.acl` of `hadoop-policy.xml`, with the lists of those who are
//! blocked and of the hosts, under `hadoop.security.authorization`.
//!
//! Hadoop: org.apache.hadoop.security.authorize.ServiceAuthorizationManager, org.apache.hadoop.hdfs.HDFSPolicyProvider (3.5.0)

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hdfs_types::{Error, ErrorKind, Result};

use super::proxy_users::MachineList;
use super::{AuthMethod, Authorizer, CallerIdentity, GroupLookup};

/// Protocols of HDFS, and the keys of their lists without the ending `.acl`.
const SERVICES: [(&str, &str); 16] = [
    ("org.apache.hadoop.hdfs.protocol.ClientProtocol", "security.client.protocol"),
    ("org.apache.hadoop.hdfs.protocol.ClientDatanodeProtocol", "security.client.datanode.protocol"),
    ("org.apache.hadoop.hdfs.server.protocol.DatanodeProtocol", "security.datanode.protocol"),
    (
        "org.apache.hadoop.hdfs.server.protocol.InterDatanodeProtocol",
        "security.inter.datanode.protocol",
    ),
    ("org.apache.hadoop.hdfs.server.protocol.NamenodeProtocol", "security.namenode.protocol"),
    (
        "org.apache.hadoop.hdfs.qjournal.protocol.QJournalProtocol",
        "security.qjournal.service.protocol",
    ),
    (
        "org.apache.hadoop.hdfs.qjournal.protocol.InterQJournalProtocol",
        "security.interqjournal.service.protocol",
    ),
    ("org.apache.hadoop.ha.HAServiceProtocol", "security.ha.service.protocol"),
    ("org.apache.hadoop.ha.ZKFCProtocol", "security.zkfc.protocol"),
    (
        "org.apache.hadoop.security.authorize.RefreshAuthorizationPolicyProtocol",
        "security.refresh.policy.protocol",
    ),
    (
        "org.apache.hadoop.security.RefreshUserMappingsProtocol",
        "security.refresh.user.mappings.protocol",
    ),
    ("org.apache.hadoop.tools.GetUserMappingsProtocol", "security.get.user.mappings.protocol"),
    ("org.apache.hadoop.ipc.RefreshCallQueueProtocol", "security.refresh.callqueue.protocol"),
    ("org.apache.hadoop.ipc.GenericRefreshProtocol", "security.refresh.generic.protocol"),
    (
        "org.apache.hadoop.hdfs.server.protocol.DatanodeLifelineProtocol",
        "security.datanode.lifeline.protocol",
    ),
    (
        "org.apache.hadoop.hdfs.protocol.ReconfigurationProtocol",
        "security.reconfiguration.protocol",
    ),
];
/// The lists of protocols that have none of their own.
const DEFAULT: &str = "security.service.authorization.default";

/// The lists in force.
pub struct ServiceAcls {
    services: BTreeMap<&'static str, Service>,
    groups: GroupLookup,
}

struct Service {
    allowed: Acl,
    blocked: Acl,
    hosts: MachineList,
    blocked_hosts: MachineList,
}

impl ServiceAcls {
    /// Takes the lists from a configuration's pairs; others count for nothing.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        groups: GroupLookup,
    ) -> Self {
        let lists: BTreeMap<&str, &str> =
            pairs.into_iter().filter(|(key, _)| key.starts_with("security.")).collect();
        let get = |service: &str, ending: &str, otherwise| {
            let of = |prefix| lists.get(format!("{prefix}{ending}").as_str()).copied();
            of(service).or_else(|| of(DEFAULT)).unwrap_or(otherwise)
        };
        let services = SERVICES.iter().map(|(protocol, key)| {
            let service = Service {
                allowed: Acl::new(get(key, ".acl", "*")),
                blocked: Acl::new(get(key, ".acl.blocked", "")),
                hosts: MachineList::new(get(key, ".hosts", "*")),
                blocked_hosts: MachineList::new(get(key, ".hosts.blocked", "")),
            };
            (*protocol, service)
        });
        Self { services: services.collect(), groups }
    }
}

impl Authorizer for ServiceAcls {
    fn authorize(
        &self,
        caller: &CallerIdentity,
        protocol: Option<&str>,
        remote: IpAddr,
    ) -> Result<()> {
        let refuse = |message| Err(Error::new(ErrorKind::Authorization, message));
        let Some(protocol) = protocol else {
            return refuse("Null protocol not authorized".to_owned());
        };
        let Some(service) = self.services.get(protocol) else {
            return refuse(format!("Protocol interface {protocol} is not known."));
        };
        if !service.allowed.names(&caller.user, &self.groups)
            || service.blocked.names(&caller.user, &self.groups)
        {
            return refuse(format!(
                "User {} is not authorized for protocol interface {protocol}: denied by configured ACL",
                described(caller)
            ));
        }
        if !service.hosts.includes(remote) || service.blocked_hosts.includes(remote) {
            return refuse(format!(
                "Host {remote} is not authorized for protocol interface {protocol}"
            ));
        }
        Ok(())
    }
}

/// As Java's UserGroupInformation describes itself.
fn described(caller: &CallerIdentity) -> String {
    let auth = match caller.auth {
        AuthMethod::Simple => "SIMPLE",
        AuthMethod::Kerberos => "KERBEROS",
        AuthMethod::Token => "TOKEN",
        AuthMethod::Proxy => "PROXY",
    };
    match &caller.real_user {
        None => format!("{} (auth:{auth})", caller.user),
        Some(real) => format!("{} (auth:{auth}) via {real} (auth:SIMPLE)", caller.user),
    }
}

/// `user,user group,group`, or `*`.
///
/// Hadoop: org.apache.hadoop.security.authorize.AccessControlList (3.5.0)
struct Acl {
    everybody: bool,
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Acl {
    fn new(text: &str) -> Self {
        let (users, groups) = text.split_once(' ').unwrap_or((text, ""));
        let names = |list: &str| {
            let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let everybody = users.trim() == "*" || groups.trim() == "*";
        Self { everybody, users: names(users), groups: names(groups) }
    }

    fn names(&self, user: &str, groups: &GroupLookup) -> bool {
        let short = user.split(['/', '@']).next().unwrap_or(user);
        self.everybody
            || self.users.contains(short)
            || (!self.groups.is_empty()
                && groups(short).iter().any(|group| self.groups.contains(group)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use super::*;

    const CLIENT: &str = "org.apache.hadoop.hdfs.protocol.ClientProtocol";

    fn ask(pairs: &[(&str, &str)], user: &str) -> Result<()> {
        let groups = |user: &str| vec![format!("{user}s")];
        let acls = ServiceAcls::new(pairs.iter().copied(), Arc::new(groups));
        let caller =
            CallerIdentity { user: user.to_owned(), real_user: None, auth: AuthMethod::Simple };
        acls.authorize(&caller, Some(CLIENT), IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    #[test]
    fn everybody_may_call_what_has_no_list() {
        assert!(ask(&[], "alice").is_ok());
        assert!(ask(&[("security.client.protocol.acl", "*")], "alice").is_ok());
    }

    #[test]
    fn lists_name_users_and_groups() {
        let acl = [("security.client.protocol.acl", "alice,carol bobs")];
        assert!(ask(&acl, "alice").is_ok());
        assert!(ask(&acl, "bob").is_ok());
        let refused = ask(&acl, "dave").expect_err("not named");
        assert_eq!(
            refused.message,
            "User dave (auth:SIMPLE) is not authorized for protocol interface \
             org.apache.hadoop.hdfs.protocol.ClientProtocol: denied by configured ACL"
        );
        let default = [("security.service.authorization.default.acl", "alice")];
        assert!(ask(&default, "bob").is_err());
    }

    #[test]
    fn blocked_users_and_hosts_are_refused() {
        assert!(ask(&[("security.client.protocol.acl.blocked", "alice")], "alice").is_err());
        assert!(ask(&[("security.client.protocol.hosts", "10.0.0.0/8")], "alice").is_err());
        assert!(ask(&[("security.client.protocol.hosts.blocked", "127.0.0.1")], "bob").is_err());
    }
}
