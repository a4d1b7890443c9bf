//! Who may act for whom, and who may speak which protocol, as the configuration says now: `dfsadmin
//! -refreshSuperUserGroupsConfiguration` and `-refreshServiceAcl` read it again.
//!
//! Hadoop: org.apache.hadoop.security.authorize.ProxyUsers (3.5.0)

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use hdfs_conf::{Configuration, keys};
use hdfs_rt::conf_files::{
    configuration_directories, load_configuration_with, reload_configuration,
};
use hdfs_rt::rpc::server::{Authorizer, CallerIdentity, ProxyUsers, ServiceAcls};
use hdfs_rt::users::Groups;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::RwLock;

/// The rules in force.
pub(crate) struct Proxies {
    groups: Groups,
    rules: RwLock<ProxyUsers>,
    /// None while `hadoop.security.authorization` is off.
    services: Option<RwLock<ServiceAcls>>,
}

impl Proxies {
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let groups = Groups::from_configuration(conf)?;
        let rules = RwLock::new(rules(conf, &groups));
        let services = match conf.get_bool(&keys::HADOOP_SECURITY_AUTHORIZATION) {
            true => Some(RwLock::new(services(conf, &groups)?)),
            false => None,
        };
        Ok(Self { groups, rules, services })
    }

    /// Reads the lists of who may speak which protocol again.
    ///
    /// # Errors
    /// Authorization when they are switched off; else as [`Self::reload`].
    pub(crate) fn reload_services(&self) -> Result<()> {
        let Some(known) = &self.services else {
            return Err(Error::new(
                ErrorKind::Authorization,
                "Service Level Authorization not enabled!",
            ));
        };
        let new = services(&reload_configuration()?, &self.groups)?;
        *known.write() = new;
        Ok(())
    }

    /// Reads the files of the configuration again.
    ///
    /// # Errors
    /// When they can't be read, or the process was started without any.
    pub(crate) fn reload(&self) -> Result<()> {
        let conf = reload_configuration()?;
        *self.rules.write() = rules(&conf, &self.groups);
        Ok(())
    }
}

/// The lists of `hadoop-policy.xml`, which stands beside the other files and may be missing.
fn services(conf: &Configuration, groups: &Groups) -> Result<ServiceAcls> {
    let folders = configuration_directories();
    let file = folders.iter().map(|folder| format!("{folder}/hadoop-policy.xml"));
    let present: Vec<String> = file.filter(|file| Path::new(file).is_file()).take(1).collect();
    let groups = groups.clone();
    let groups = Arc::new(move |user: &str| groups.of(user).to_vec());
    if present.is_empty() {
        return Ok(ServiceAcls::new(conf.iter(), groups));
    }
    let policy = load_configuration_with(None, &present, &[])?;
    Ok(ServiceAcls::new(conf.iter().chain(policy.iter()), groups))
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
        self.rules.read().authorize(caller, protocol, remote)?;
        match &self.services {
            Some(services) => services.read().authorize(caller, protocol, remote),
            None => Ok(()),
        }
    }
}
