//! `hdfs getconf`.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.GetConf (3.5.0)

use crate::output::{complain, say};
use hdfs_conf::{Configuration, HostPort, keys};

pub(crate) const USAGE: &str = "\
hdfs getconf is utility for getting configuration information from the config file.

hadoop getconf 
\t[-namenodes]\t\t\tgets list of namenodes in the cluster.
\t[-secondaryNameNodes]\t\t\tgets list of secondary namenodes in the cluster.
\t[-backupNodes]\t\t\tgets list of backup nodes in the cluster.
\t[-journalNodes]\t\t\tgets list of journal nodes in the cluster.
\t[-includeFile]\t\t\tgets the include file path that defines the datanodes that can join the cluster.
\t[-excludeFile]\t\t\tgets the exclude file path that defines the datanodes that need to decommissioned.
\t[-nnRpcAddresses]\t\t\tgets the namenode rpc addresses
\t[-confKey [key]]\t\t\tgets a specific key from the configuration
";

/// Runs `hdfs getconf ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let Some((command, rest)) = args.split_first() else {
        complain!("{USAGE}");
        return 255;
    };
    let answer = match command.to_ascii_lowercase().as_str() {
        "-confkey" => match rest {
            [key] => value(conf, key),
            _ => Err("usage: -confKey [key]".into()),
        },
        "-includefile" => without_arguments(rest).and_then(|()| value(conf, keys::DFS_HOSTS.name)),
        "-excludefile" => {
            without_arguments(rest).and_then(|()| value(conf, keys::DFS_HOSTS_EXCLUDE.name))
        }
        "-namenodes" => without_arguments(rest).and_then(|()| namenode(conf, false)),
        "-nnrpcaddresses" => without_arguments(rest).and_then(|()| namenode(conf, true)),
        "-secondarynamenodes" | "-backupnodes" | "-journalnodes" => {
            Err(format!("{command} is not supported yet"))
        }
        _ => Err(USAGE.into()),
    };
    match answer {
        Ok(text) => {
            say!("{text}");
            0
        }
        Err(message) => {
            complain!("{message}");
            255
        }
    }
}

fn without_arguments(rest: &[String]) -> Result<(), String> {
    rest.first().map_or(Ok(()), |argument| Err(format!("Did not expect argument: {argument}")))
}

fn value(conf: &Configuration, key: &str) -> Result<String, String> {
    let missing = || format!("Configuration {key} is missing.");
    conf.get(key).map(|value| value.trim().to_owned()).ok_or_else(missing)
}

/// The one NameNode of this configuration, with or without its port.
fn namenode(conf: &Configuration, with_port: bool) -> Result<String, String> {
    if !conf.get_list(&keys::DFS_NAMESERVICES).is_empty() {
        return Err("nameservices are not supported yet".into());
    }
    let service = conf.get_opt_host_port(&keys::DFS_NAMENODE_SERVICERPC_ADDRESS);
    let address = match service.map_err(|error| error.message)? {
        Some(address) => address,
        None => conf.namenode_rpc_address().map_err(|_| {
            "Incorrect configuration: namenode address dfs.namenode.servicerpc-address or \
             dfs.namenode.rpc-address is not configured."
                .to_owned()
        })?,
    };
    let host = crate::host_names::host_of(&address.host).unwrap_or_else(|| address.host.clone());
    let named = HostPort { host, ..address };
    Ok(if with_port { named.to_string() } else { named.host })
}
