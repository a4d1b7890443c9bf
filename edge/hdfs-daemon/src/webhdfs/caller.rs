//! Who a request comes from: `user.name`, `doas`, or the web's default user.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.JspHelper.getUGI (3.5.0)

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hdfs_format::webhdfs::Query;
use hdfs_rt::rpc::server::{AuthMethod, Authorizer, CallerIdentity};
use hdfs_types::{Error, ErrorKind, Result};

use super::conf::WebHdfsConf;

/// Who may act for whom.
pub(crate) enum Impersonation {
    /// These rules decide here.
    Rules(Arc<dyn Authorizer>),
    /// The NameNode decides when it is called.
    AskedLater,
}

impl Impersonation {
    pub(crate) fn caller(
        &self,
        query: &Query,
        conf: &WebHdfsConf,
        remote: SocketAddr,
    ) -> Result<CallerIdentity> {
        let named = query.get("user.name");
        if named.is_some_and(|name| name.is_empty() || name.contains('&')) {
            let message = "userName is NULL, empty or contains a '&'";
            return Err(Error::new(ErrorKind::IllegalArgument, message));
        }
        let user = named.unwrap_or(&conf.default_user);
        let acts_for = query.get("doas").filter(|other| !other.is_empty() && *other != user);
        let Some(other) = acts_for else {
            let auth = AuthMethod::Simple;
            return Ok(CallerIdentity { user: user.to_owned(), real_user: None, auth });
        };
        let identity = CallerIdentity {
            user: other.to_owned(),
            real_user: Some(user.to_owned()),
            auth: AuthMethod::Proxy,
        };
        if let Self::Rules(rules) = self {
            self.check(&**rules, &identity, remote.ip(), named.is_some())?;
        }
        Ok(identity)
    }

    fn check(
        &self,
        rules: &dyn Authorizer,
        identity: &CallerIdentity,
        remote: IpAddr,
        is_named: bool,
    ) -> Result<()> {
        rules.authorize(identity, None, remote).map_err(|error| {
            // Hadoop's filter knows callers with a name only; the others are refused further inside.
            if is_named {
                return error;
            }
            let class = error.kind.java_class();
            let message =
                format!("Failed to obtain user group information: {class}: {}", error.message);
            Error::new(ErrorKind::Remote("java.lang.SecurityException".to_owned()), message)
        })
    }
}
