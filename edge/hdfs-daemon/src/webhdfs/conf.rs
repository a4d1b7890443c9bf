//! What WebHDFS takes from the configuration.

use hdfs_conf::{Configuration, keys};
use hdfs_format::webhdfs::{Matcher, Patterns, Settings};
use hdfs_types::{Error, ErrorKind, Result, Rng, SplitMix64};
use regex::Regex;

/// The settings, read once.
pub(crate) struct WebHdfsConf {
    pub(crate) patterns: Patterns,
    /// `hadoop.http.staticuser.user`: who a caller without a name is.
    pub(crate) default_user: String,
    /// `dfs.user.home.dir.prefix`.
    home_prefix: String,
    replication: u32,
    block_size: u64,
}

impl WebHdfsConf {
    /// # Errors
    /// `IllegalArgument` for a pattern that is none; the message names the key.
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let user = &keys::DFS_WEBHDFS_USER_PROVIDER_USER_PATTERN;
        let acl = &keys::DFS_WEBHDFS_ACL_PROVIDER_PERMISSION_PATTERN;
        let (user_text, acl_text) = (conf.get_str(user), conf.get_str(acl));
        Ok(Self {
            patterns: Patterns {
                is_user: matcher(user.name, user_text)?,
                user_text: user_text.to_owned(),
                is_acl: matcher(acl.name, acl_text)?,
                acl_text: acl_text.to_owned(),
            },
            default_user: conf.get_str(&keys::HADOOP_HTTP_STATICUSER_USER).to_owned(),
            home_prefix: conf.get_str(&keys::DFS_USER_HOME_DIR_PREFIX).to_owned(),
            replication: conf.get_u32(&keys::DFS_REPLICATION)?,
            block_size: conf.get_u64(&keys::DFS_BLOCK_SIZE)?,
        })
    }

    /// What the configuration adds to a request.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            replication: self.replication,
            block_size: self.block_size,
            client_name: format!("DFSClient_{}", random().cast_signed()),
        }
    }

    /// The home of a user.
    pub(crate) fn home(&self, user: &str) -> String {
        format!("{}/{user}", self.home_prefix.trim_end_matches('/'))
    }

    /// The folder of all homes.
    pub(super) fn homes(&self) -> &str {
        &self.home_prefix
    }
}

/// The standard library seeds its hashers from the system.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    SplitMix64(RandomState::new().build_hasher().finish()).next_u64()
}

/// Whether a whole text matches, as Java's `matches`.
fn matcher(key: &str, pattern: &str) -> Result<Matcher> {
    let regex = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
        Error::new(ErrorKind::IllegalArgument, format!("{key}={pattern}: {error}"))
    })?;
    Ok(Box::new(move |text| regex.is_match(text)))
}
