//! `hdfs groups`: the groups of users, as the NameNode sees them.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.GetGroups (3.5.0)

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_types::Result;

use crate::output::{complain, print, say};
use crate::shell;

/// Runs `hdfs groups USER…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    if args.first().is_some_and(|arg| matches!(arg.as_str(), "-h" | "-help" | "--help")) {
        print(&format!("Usage: hdfs groups [username ...]\n\n{}", shell::GENERIC_OPTIONS));
        return 0;
    }
    match print_groups(conf, args) {
        Ok(()) => 0,
        Err(error) => {
            complain!("groups: {}", error.message);
            1
        }
    }
}

fn print_groups(conf: &Configuration, users: &[String]) -> Result<()> {
    let client = HdfsClient::for_uri(&shell::default_uri(conf), conf)?;
    let own = [hdfs_rt::users::current_user()];
    for user in if users.is_empty() { &own } else { users } {
        let groups = client.groups_of(user)?;
        let mut line = format!("{user} :");
        groups.iter().for_each(|group| line.push_str(&format!(" {group}")));
        say!("{line}");
    }
    Ok(())
}
