//! Who may act for whom, as the configuration says now: `dfsadmin -refreshSuperUserGroupsConfiguration` reads it again.
//!
//! Hadoop: org.apache.hadoop.security.authorize.ProxyUsers (3.5.0)

use std::net::IpAddr;
use std::sync::Arc;

use hdfs_conf::Configuration;
use hdfs_rt::conf_files::load_configuration;
use hdfs_rt::rpc::server::{Authorizer, CallerIdentity, ProxyUsers};
use hdfs_rt::users::Groups;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::RwLock;

/// The rules in force.
pub(crate) struct Proxies {
    groups: Groups,
    rules: RwLock<ProxyUsers>,
}

impl Proxies {
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let groups = Groups::from_configuration(conf)?;
        let rules = RwLock::new(rules(conf, &groups));
        Ok(Self { groups, rules })
    }

    /// Reads the files of `HADOOP_CONF_DIR` again.
    ///
    /// # Errors
    /// When they can't be read, or the process was not started with that variable.
    pub(crate) fn reload(&self) -> Result<()> {
        if std::env::var_os("HADOOP_CONF_DIR").is_none() {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "this NameNode was started without HADOOP_CONF_DIR, so there is no file to read again; restart it",
            ));
        }
        let conf = load_configuration(None, &[])?;
        *self.rules.write() = rules(&conf, &self.groups);
        Ok(())
    }
}

fn rules(conf: &Configuration, groups: &Groups) -> ProxyUsers {
    let groups = groups.clone();
    ProxyUsers::new(conf.iter(), Arc::new(move |user: &str| groups.of(user).to_vec()))
}

impl Authorizer for Proxies {
    fn authorize(
        &self,
        caller: &CallerIdentity,
        protocol: Option<&str>,
        remote: IpAddr,
    ) -> Result<()> {
        self.rules.read().authorize(caller, protocol, remote)
    }
}
