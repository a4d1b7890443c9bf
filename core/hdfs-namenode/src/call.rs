//! Who calls, from where, when.

use std::sync::Arc;

use hdfs_blocks::Now;
use hdfs_types::{Error, ErrorKind, Result};

use crate::retry_cache::CallKey;

/// A user with its groups, as the shell has looked them up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caller {
    /// Short name.
    pub user: String,
    /// Groups, the primary one first.
    pub groups: Vec<String>,
    /// The user that runs the NameNode, or a member of the superuser group: permissions do not bind it.
    pub superuser: bool,
}

impl Caller {
    /// Refuses everybody but the superuser.
    ///
    /// # Errors
    /// AccessControl, in Hadoop's words.
    pub fn check_superuser(&self) -> Result<()> {
        if self.superuser { Ok(()) } else { Err(self.not_superuser("")) }
    }

    /// The same, naming the operation.
    ///
    /// # Errors
    /// AccessControl, in Hadoop's words.
    pub fn check_superuser_for(&self, operation: &str) -> Result<()> {
        if self.superuser {
            return Ok(());
        }
        Err(self.not_superuser(&format!(" for operation {operation}")))
    }

    fn not_superuser(&self, what: &str) -> Error {
        let user = &self.user;
        Error::new(
            ErrorKind::AccessControl,
            format!("Access denied for user {user}. Superuser privilege is required{what}"),
        )
    }
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who.
    pub caller: &'a Arc<Caller>,
    /// From where: the address, as text.
    pub client_machine: &'a str,
    /// Its name for the retry cache, if it has one.
    pub key: Option<CallKey>,
    /// When.
    pub now: Now,
}
