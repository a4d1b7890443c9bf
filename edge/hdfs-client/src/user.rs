//! Who runs this process.

use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{Error, Result};

/// `HADOOP_USER_NAME`, else the operating system's user.
///
/// Hadoop: org.apache.hadoop.security.UserGroupInformation (3.5.0), simple authentication
pub(crate) fn current() -> Result<Ugi> {
    if let Some(name) = std::env::var("HADOOP_USER_NAME").ok().filter(|name| !name.is_empty()) {
        return Ok(Ugi::new(name));
    }
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(uid, &passwd)
        .map(Ugi::new)
        .or_else(|| std::env::var("USER").ok().map(Ugi::new))
        .ok_or_else(|| Error::io(format!("user {uid} has no name; set HADOOP_USER_NAME")))
}

/// The name of a user in the lines of /etc/passwd.
fn name_of(uid: u32, passwd: &str) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1_000, passwd), Some("ann"));
        assert_eq!(name_of(7, passwd), None);
    }
}
