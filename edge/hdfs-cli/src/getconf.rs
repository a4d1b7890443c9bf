//! `hdfs getconf`.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.GetConf (3.5.0)

use std::collections::BTreeSet;

use hdfs_conf::{Configuration, HostPort, NAMENODE_RPC_DEFAULT_PORT, keys};

use crate::output::{complain, say};

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
        "-namenodes" => without_arguments(rest).and_then(|()| hosts(&namenodes(conf)?)),
        "-nnrpcaddresses" => without_arguments(rest).and_then(|()| {
            let addresses = namenodes(conf)?.into_iter().map(|address| named(address).to_string());
            Ok(addresses.collect::<Vec<_>>().join("\n"))
        }),
        "-secondarynamenodes" => without_arguments(rest).and_then(|()| {
            hosts(&addresses(conf, "dfs.namenode.secondary.http-address", "0.0.0.0:9868")?)
        }),
        "-backupnodes" => without_arguments(rest).and_then(|()| {
            hosts(&addresses(conf, "dfs.namenode.backup.address", "0.0.0.0:50100")?)
        }),
        "-journalnodes" => without_arguments(rest).and_then(|()| journal_nodes(conf)),
        "-help" => {
            say!("{USAGE}");
            return 0;
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

/// A configuration's nameservices; one without a name when none is configured.
fn nameservices(conf: &Configuration) -> Vec<String> {
    let list = |key: &str| -> Vec<String> {
        let names = conf.get(key).unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let internal = list("dfs.internal.nameservices");
    let found = if internal.is_empty() { list("dfs.nameservices") } else { internal };
    if found.is_empty() { vec![String::new()] } else { found }
}

/// The keys of a nameservice: one for each of its NameNodes.
fn suffixes(conf: &Configuration, nameservice: &str) -> Vec<String> {
    if nameservice.is_empty() {
        return vec![String::new()];
    }
    let ids = conf.get(&format!("dfs.ha.namenodes.{nameservice}")).unwrap_or_default();
    let ids: Vec<&str> = ids.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    match ids.is_empty() {
        true => vec![format!(".{nameservice}")],
        false => ids.iter().map(|id| format!(".{nameservice}.{id}")).collect(),
    }
}

/// The NameNodes of every nameservice, as DataNodes reach them.
fn namenodes(conf: &Configuration) -> Result<Vec<HostPort>, String> {
    let mut found = Vec::new();
    for suffix in nameservices(conf).iter().flat_map(|name| suffixes(conf, name)) {
        let of = |key: &str| conf.get(&format!("{key}{suffix}"));
        let service = of(keys::DFS_NAMENODE_SERVICERPC_ADDRESS.name);
        let address = service.or_else(|| of(keys::DFS_NAMENODE_RPC_ADDRESS.name));
        let parsed = match address {
            Some(text) => HostPort::parse(text, Some(NAMENODE_RPC_DEFAULT_PORT)),
            None if suffix.is_empty() => conf.namenode_rpc_address(),
            None => continue,
        };
        if let Ok(address) = parsed {
            found.push(address);
        }
    }
    if found.is_empty() {
        return Err(
            "Incorrect configuration: namenode address dfs.namenode.servicerpc-address or \
                    dfs.namenode.rpc-address is not configured."
                .to_owned(),
        );
    }
    Ok(found)
}

/// The addresses under a key, in every nameservice; the default without any.
fn addresses(conf: &Configuration, key: &str, default: &str) -> Result<Vec<HostPort>, String> {
    let keys = nameservices(conf);
    let keys = keys.iter().flat_map(|name| suffixes(conf, name));
    let set = keys.filter_map(|suffix| conf.get(&format!("{key}{suffix}")));
    let mut set: Vec<&str> = set.collect();
    if set.is_empty() {
        set.push(default);
    }
    set.into_iter().map(|text| HostPort::parse(text, None).map_err(|error| error.message)).collect()
}

/// Hosts of `qjournal://a:8485;b:8485/name`, each once.
fn journal_nodes(conf: &Configuration) -> Result<String, String> {
    let key = keys::DFS_NAMENODE_SHARED_EDITS_DIR.name;
    let keys = nameservices(conf);
    let keys = keys.iter().flat_map(|name| {
        let own = suffixes(conf, name);
        own.into_iter().chain([format!(".{name}"), String::new()])
    });
    let mut hosts = BTreeSet::new();
    for suffix in keys {
        let Some(uri) = conf.get(&format!("{key}{suffix}")) else { continue };
        let Some(rest) = uri.trim().strip_prefix("qjournal://") else { continue };
        let authority = rest.split('/').next().unwrap_or_default();
        for address in authority.split(';') {
            let parsed = HostPort::parse(address, Some(8485)).map_err(|error| error.message)?;
            hosts.insert(parsed.host);
        }
    }
    Ok(hosts.into_iter().collect::<Vec<_>>().join(" "))
}

fn hosts(addresses: &[HostPort]) -> Result<String, String> {
    let hosts = addresses.iter().map(|address| named(address.clone()).host);
    Ok(hosts.collect::<Vec<_>>().join(" "))
}

/// With the host's name instead of its address, if that is known here.
fn named(address: HostPort) -> HostPort {
    let host = crate::host_names::host_of(&address.host).unwrap_or_else(|| address.host.clone());
    HostPort { host, ..address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_of_a_nameservice_are_found() {
        let mut conf = Configuration::new();
        for (key, value) in [
            ("dfs.nameservices", "ns"),
            ("dfs.ha.namenodes.ns", "a, b"),
            ("dfs.namenode.rpc-address.ns.a", "nn1:9000"),
            ("dfs.namenode.rpc-address.ns.b", "nn2:9000"),
            ("dfs.namenode.servicerpc-address.ns.b", "nn2:9001"),
            ("dfs.namenode.shared.edits.dir", "qjournal://j1:1;j2:2;j1:3/ns"),
        ] {
            conf.set(key, value).expect("a value");
        }
        let found = namenodes(&conf).expect("both are configured");
        assert_eq!(hosts(&found).as_deref(), Ok("nn1 nn2"));
        assert_eq!(found[1].port, 9001);
        assert_eq!(journal_nodes(&conf).as_deref(), Ok("j1 j2"));
        let secondary = addresses(&conf, "dfs.namenode.secondary.http-address", "0.0.0.0:9868");
        assert_eq!(secondary.map(|all| all[0].to_string()).as_deref(), Ok("0.0.0.0:9868"));
        assert!(namenodes(&Configuration::new()).is_err(), "file:/// has no NameNode");
    }
}
