//! Users and their groups, as the operating system and the configuration tell.
//!
//! Hadoop: org.apache.hadoop.security.UserGroupInformation, org.apache.hadoop.security.Groups (3.5.0)

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind, Result};
use nix::unistd::{Group, Uid, User, getgrouplist};
use parking_lot::Mutex;

use crate::metrics::Histogram;

/// Times of this process's questions to the user database.
pub fn lookups() -> &'static Histogram {
    static LOOKUPS: OnceLock<Histogram> = OnceLock::new();
    LOOKUPS.get_or_init(Histogram::default)
}

/// The user that this process runs as: `HADOOP_USER_NAME`, else the operating system's.
pub fn current_user() -> String {
    match std::env::var("HADOOP_USER_NAME") {
        Ok(name) if !name.is_empty() => name,
        _ => system_user(),
    }
}

/// The operating system's name of this process's user, or its number when it has no name.
pub fn system_user() -> String {
    let uid = Uid::effective();
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        // Without a user database, as in a small container, the number is all there is.
        Ok(None) | Err(_) => uid.to_string(),
    }
}

/// The system's groups of a user, the primary one first; none for an unknown user.
fn system_groups(user: &str) -> nix::Result<Vec<String>> {
    let Ok(name) = CString::new(user) else { return Ok(Vec::new()) };
    let Some(known) = User::from_name(user)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for id in getgrouplist(&name, known.gid)? {
        // A number without a name is no group to Hadoop.
        names.extend(Group::from_gid(id)?.map(|group| group.name));
    }
    Ok(names)
}

/// Groups of users, remembered for a while. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Groups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `hadoop.user.group.static.mapping.overrides`: these users are not looked up.
    fixed: BTreeMap<String, Arc<[String]>>,
    keep: Duration,
    keep_negative: Duration,
    cache: Mutex<BTreeMap<String, Remembered>>,
}

/// Since when, and what.
type Remembered = (Instant, Arc<[String]>);

/// Users that are remembered at most; over it all are forgotten.
const MAX_CACHED_USERS: usize = 65_536;

impl Groups {
    /// Reads `hadoop.user.group.static.mapping.overrides` and the cache's times.
    ///
    /// # Errors
    /// When a value has the wrong form; the message names the key.
    pub fn from_configuration(conf: &Configuration) -> Result<Self> {
        let overrides = conf.get_str(&keys::HADOOP_USER_GROUP_STATIC_MAPPING_OVERRIDES);
        Ok(Self {
            inner: Arc::new(Inner {
                fixed: parse_overrides(overrides)?,
                keep: conf.get_duration(&keys::HADOOP_SECURITY_GROUPS_CACHE_SECS)?,
                keep_negative: conf
                    .get_duration(&keys::HADOOP_SECURITY_GROUPS_NEGATIVE_CACHE_SECS)?,
                cache: Mutex::default(),
            }),
        })
    }

    /// The groups of a user, the primary one first; none for an unknown user. A user that is not remembered is looked up
    /// in the system's user database, which may block.
    pub fn of(&self, user: &str) -> Arc<[String]> {
        if let Some(groups) = self.inner.fixed.get(user) {
            return Arc::clone(groups);
        }
        if let Some((since, groups)) = self.inner.cache.lock().get(user) {
            let keep = if groups.is_empty() { self.inner.keep_negative } else { self.inner.keep };
            if since.elapsed() < keep {
                return Arc::clone(groups);
            }
        }
        let timing = lookups().time();
        let found: Arc<[String]> = system_groups(user)
            .unwrap_or_else(|error| {
                tracing::warn!("look up the groups of {user}: {error}; it counts as in none");
                Vec::new()
            })
            .into();
        drop(timing);
        let mut cache = self.inner.cache.lock();
        if cache.len() >= MAX_CACHED_USERS {
            cache.clear();
        }
        cache.insert(user.to_owned(), (Instant::now(), Arc::clone(&found)));
        found
    }

    /// Forgets what it knows: `-refreshUserToGroupsMappings`.
    pub fn refresh(&self) {
        self.inner.cache.lock().clear();
    }
}

/// `user1=group1,group2;user2=;`
fn parse_overrides(text: &str) -> Result<BTreeMap<String, Arc<[String]>>> {
    let mut fixed = BTreeMap::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let parts: Vec<&str> = entry.split('=').collect();
        let (user, groups) = match parts[..] {
            [user] => (user, ""),
            [user, groups] => (user, groups),
            _ => ("", ""),
        };
        if user.is_empty() {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                format!("Invalid static user-to-group mapping: {entry}; write user=group1,group2"),
            ));
        }
        let groups =
            groups.split(',').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned);
        fixed.insert(user.trim().to_owned(), groups.collect());
    }
    Ok(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_win_over_the_system() {
        let mut conf = Configuration::new();
        let key = keys::HADOOP_USER_GROUP_STATIC_MAPPING_OVERRIDES.name;
        conf.set(key, "root=wheel, staff;nobody=;alice").unwrap();
        let groups = Groups::from_configuration(&conf).unwrap();
        assert_eq!(*groups.of("root"), ["wheel".to_owned(), "staff".to_owned()]);
        assert!(groups.of("nobody").is_empty());
        assert!(groups.of("alice").is_empty());
        conf.set(key, "a=b=c").unwrap();
        assert!(Groups::from_configuration(&conf).is_err());
    }

    #[test]
    fn the_system_is_asked_for_others() {
        let groups = Groups::from_configuration(&Configuration::new()).unwrap();
        assert_eq!(groups.of("root")[0], "root");
        assert!(groups.of("no-such-user-here").is_empty());
        assert!(groups.of("a\0b").is_empty());
        groups.refresh();
        assert_eq!(groups.of("root")[0], "root");
    }
}
