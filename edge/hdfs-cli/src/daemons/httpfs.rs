//! `hdfs httpfs`.

use std::path::Path;

use hdfs_conf::Configuration;
use hdfs_daemon::httpfs;
use hdfs_rt::conf_files::{load_configuration, load_configuration_with};
use hdfs_types::Result;

use super::{exit_status, refuse, waiter};

/// The usage text.
pub(crate) const USAGE: &str = "\
Usage: hdfs httpfs
Runs an HTTP gateway to the default file system: WebHDFS for clients that reach no DataNode.
It reads httpfs-site.xml as well; httpfs.http.port (14000) is where it listens. The NameNode must let the user that
runs it act for others (hadoop.proxyuser.USER.hosts, .groups).";

/// Runs `hdfs httpfs ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    if !args.is_empty() {
        return refuse(&args, USAGE);
    }
    exit_status("httpfs", serve(conf))
}

fn serve(mut conf: Configuration) -> Result<i32> {
    let folders = ["HTTPFS_CONF_DIR", "HADOOP_CONF_DIR"].map(|name| std::env::var(name).ok());
    let files = folders.into_iter().flatten().map(|folder| format!("{folder}/httpfs-site.xml"));
    if let Some(file) = files.into_iter().find(|file| Path::new(file).is_file()) {
        let before = load_configuration(None, &[])?;
        for (key, value) in load_configuration_with(None, &[file], &[])?.iter() {
            let is_of_file = before.get_raw(key) != Some(value);
            // What was given on the command line stays.
            if is_of_file && conf.get_raw(key) == before.get_raw(key) {
                conf.set(key, value)?;
            }
        }
    }
    let handle = httpfs::start(&conf)?;
    tracing::info!("HttpFS serves at http://{}/webhdfs/v1", handle.local_addr());
    waiter()?.block_on(async { hdfs_rt::signals::shutdown_signal().await.map(|_| 0) })
}
