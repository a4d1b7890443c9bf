//! `hdfs minicluster`: every role in one process and one folder.

use std::io::Write as _;

use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use hdfs_rt::signals::shutdown_signal;
use hdfs_types::{Error, Result};

use super::{exit_status, tell_ready, tell_stopping, waiter};
use crate::output::{complain, print};

pub(crate) const USAGE: &str = "\
Usage: hdfs minicluster [OPTION...]
Runs a NameNode and DataNodes in one process and one folder until Ctrl-C.

  --dir DIR         the folder of everything; started again on it, everything is there (default: ./hdfs-data)
  --datanodes N     how many DataNodes (default: 3)
  --base-port P     NameNode RPC on P, its web page on P+1, DataNode K on P+10K (default: 0, free ports)
  -D KEY=VALUE      a setting for every daemon and for the clients
  --loglevel LEVEL  OFF, ERROR, WARN, INFO, DEBUG or TRACE (default: WARN)
";

/// Runs `hdfs minicluster ARGS…`; the exit status.
pub(crate) fn run(args: Vec<String>) -> i32 {
    match cluster_options(&args) {
        Ok(None) => {
            print(USAGE);
            0
        }
        Ok(Some((options, level))) => {
            hdfs_rt::logging::init(level);
            hdfs_rt::conf_files::remember_sources(None, &[], &options.settings);
            exit_status("minicluster", serve(options))
        }
        Err(message) => {
            complain!("minicluster: {message}\n{USAGE}");
            1
        }
    }
}

type ClusterStart = (MiniClusterOptions, tracing::level_filters::LevelFilter);

fn cluster_options(args: &[String]) -> std::result::Result<Option<ClusterStart>, String> {
    let mut options = MiniClusterOptions::new("hdfs-data");
    let mut level = "WARN".to_owned();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => match arg.strip_prefix("-D").filter(|rest| !rest.is_empty()) {
                Some(rest) => ("-D", Some(rest.to_owned())),
                None => (arg.as_str(), None),
            },
        };
        if matches!(name, "-h" | "-help" | "--help") {
            return Ok(None);
        }
        if !matches!(name, "--dir" | "--datanodes" | "--base-port" | "-D" | "--loglevel") {
            return Err(format!("{arg} is no option"));
        }
        let value = attached
            .or_else(|| args.next().cloned())
            .ok_or_else(|| format!("{name} needs a value"))?;
        let number = |what: &str| format!("{name} {value}: {what}");
        match name {
            "--dir" => options.dir = value.into(),
            "--datanodes" => {
                options.datanodes = value.parse().map_err(|_| number("want a number of nodes"))?;
            }
            "--base-port" => {
                options.base_port = value.parse().map_err(|_| number("want a port below 65536"))?;
            }
            "-D" => {
                let (key, value) = value.split_once('=').ok_or_else(|| number("want KEY=VALUE"))?;
                options.settings.push((key.to_owned(), value.to_owned()));
            }
            _ => level = value,
        }
    }
    let level = hdfs_rt::logging::parse_level(&level).map_err(|error| error.message)?;
    Ok(Some((options, level)))
}

fn serve(options: MiniClusterOptions) -> Result<i32> {
    let cluster = MiniCluster::start(options)?;
    let mut out = std::io::stdout();
    writeln!(out, "URI: {}", cluster.uri())?;
    writeln!(out, "web: http://{}", cluster.namenode.http_addr())?;
    writeln!(out, "export HADOOP_CONF_DIR={}", cluster.conf_dir().display())?;
    writeln!(out, "ready")?;
    out.flush()?;
    tell_ready("The mini cluster", cluster.uri());
    let failure = waiter()?.block_on(async {
        tokio::select! {
            signal = shutdown_signal() => signal.map(|_| None),
            reason = cluster.namenode.failed() => Ok(Some(reason)),
        }
    })?;
    match failure {
        None => {
            tell_stopping("The mini cluster");
            cluster.stop().map(|()| 0)
        }
        Some(reason) => Err(Error::io(reason)),
    }
}
