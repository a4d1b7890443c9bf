//! Users with their groups, as the machine sees callers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdfs_namenode::Caller;
use hdfs_rt::rpc::server::CallerIdentity;
use hdfs_rt::users::{self, Groups};
use hdfs_types::Result;
use parking_lot::RwLock;

use super::conf::NameNodeConf;

/// The callers seen lately.
pub(crate) struct Callers {
    /// The user that runs this NameNode: a superuser.
    owner: String,
    superuser_group: String,
    groups: Groups,
    known: RwLock<BTreeMap<String, (Instant, Arc<Caller>)>>,
}

/// How long a caller is kept before its groups, which are remembered for longer, are compared again.
const KEEP: Duration = Duration::from_secs(10);
/// More callers than this push all out.
const MAX_CALLERS: usize = 65_536;

impl Callers {
    pub(crate) fn new(conf: &NameNodeConf) -> Result<Self> {
        Ok(Self {
            owner: users::current_user(),
            superuser_group: conf.superuser_group.clone(),
            groups: Groups::from_configuration(&conf.configuration)?,
            known: RwLock::default(),
        })
    }

    /// The effective user of a call.
    pub(crate) fn get(&self, identity: &CallerIdentity) -> Arc<Caller> {
        self.user(short_name(&identity.user))
    }

    /// The groups of a user.
    pub(crate) fn groups_of(&self, user: &str) -> Vec<String> {
        self.groups.of(user).to_vec()
    }

    /// Forgets all, so that groups are looked up again.
    pub(crate) fn refresh(&self) {
        self.groups.refresh();
        self.known.write().clear();
    }

    fn user(&self, user: &str) -> Arc<Caller> {
        if let Some((at, caller)) = self.known.read().get(user)
            && at.elapsed() < KEEP
        {
            return caller.clone();
        }
        let groups = self.groups.of(user).to_vec();
        let superuser = user == self.owner || groups.contains(&self.superuser_group);
        let caller = Arc::new(Caller { user: user.to_owned(), groups, superuser });
        let mut known = self.known.write();
        if known.len() >= MAX_CALLERS {
            known.clear();
        }
        known.insert(user.to_owned(), (Instant::now(), caller.clone()));
        caller
    }
}

/// `user` of `user/host@REALM`.
fn short_name(user: &str) -> &str {
    user.split(['/', '@']).next().unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_are_cut_off() {
        assert_eq!(short_name("nn/host@REALM"), "nn");
        assert_eq!(short_name("alice"), "alice");
    }
}
