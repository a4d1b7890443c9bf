//! Where DataNodes stand: `/rack` by a table, a script, a list in the configuration, or one rack for all.
//!
//! Hadoop: org.apache.hadoop.net.{TableMapping, ScriptBasedMapping, StaticMapping} (3.5.0)

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, Result};
use parking_lot::RwLock;

/// The rack of nodes that nobody knows.
pub const DEFAULT_RACK: &str = "/default-rack";

/// Finds racks; answers are remembered until [`Self::reload`].
#[derive(Debug)]
pub struct RackMapping {
    source: Source,
    known: RwLock<BTreeMap<String, String>>,
}

#[derive(Debug)]
enum Source {
    /// `net.topology.table.file.name`: two words a line.
    Table(PathBuf),
    /// `net.topology.script.file.name`: prints a rack for each argument.
    Script {
        path: PathBuf,
        max_arguments: usize,
    },
    /// `net.topology.configured.node.mapping`: `host=rack`, by host name.
    Configured(BTreeMap<String, String>),
    None,
}

impl RackMapping {
    /// By the configured table, else script. The class of `net.topology.node.switch.mapping.impl` chooses when both are
    /// set.
    ///
    /// # Errors
    /// When a value has the wrong form, or the class is one that is not known here.
    pub fn from_configuration(conf: &Configuration) -> Result<Self> {
        let class = conf.get_str(&keys::NET_TOPOLOGY_NODE_SWITCH_MAPPING_IMPL);
        let source = match class.rsplit('.').next().unwrap_or(class) {
            "TableMapping" => match conf.get_opt(&keys::NET_TOPOLOGY_TABLE_FILE_NAME) {
                Some(path) => Source::Table(path.into()),
                None => Source::None,
            },
            "ScriptBasedMapping" => match conf.get_opt(&keys::NET_TOPOLOGY_SCRIPT_FILE_NAME) {
                Some(path) => Source::Script {
                    path: path.into(),
                    max_arguments: conf.get_usize(&keys::NET_TOPOLOGY_SCRIPT_NUMBER_ARGS)?.max(1),
                },
                None => Source::None,
            },
            "StaticMapping" => Source::Configured(configured(conf)?),
            _ => {
                return Err(Error::io(format!(
                    "{}: the class {class} cannot be loaded here; use org.apache.hadoop.net.TableMapping, \
                     org.apache.hadoop.net.ScriptBasedMapping or org.apache.hadoop.net.StaticMapping",
                    keys::NET_TOPOLOGY_NODE_SWITCH_MAPPING_IMPL.name
                )));
            }
        };
        let mapping = Self { source, known: RwLock::default() };
        mapping.reload()?;
        Ok(mapping)
    }

    /// Forgets what it knows and reads the table again.
    ///
    /// # Errors
    /// When the table cannot be read: what was known before is kept.
    pub fn reload(&self) -> Result<()> {
        let table = match &self.source {
            Source::Table(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Error::io(format!("read topology table {}: {error}", path.display()))
                })?;
                parse_table(&text)
            }
            Source::Configured(table) => table.clone(),
            Source::Script { .. } | Source::None => BTreeMap::new(),
        };
        *self.known.write() = table;
        Ok(())
    }

    /// The rack of a host name or address. A script is run for a name that was not asked before: this may block.
    pub fn rack_of(&self, name: &str) -> String {
        self.resolve(name).unwrap_or_else(|error| {
            tracing::warn!("{error}; {name} counts as {DEFAULT_RACK}");
            DEFAULT_RACK.to_owned()
        })
    }

    /// The same, for callers that must know when a rack is not found out.
    ///
    /// # Errors
    /// When the script fails.
    pub fn resolve(&self, name: &str) -> Result<String> {
        if let Some(rack) = self.known.read().get(name) {
            return Ok(rack.clone());
        }
        let Source::Script { .. } = &self.source else { return Ok(DEFAULT_RACK.to_owned()) };
        let racks = self.run_script(&[name])?;
        let rack = racks.into_iter().next().unwrap_or_else(|| DEFAULT_RACK.to_owned());
        self.known.write().insert(name.to_owned(), rack.clone());
        Ok(rack)
    }

    /// What a DataNode is looked up by: its address, but its host name in the list of the configuration, as in Hadoop.
    pub fn name_of<'a>(&self, ip: &'a str, host_name: &'a str) -> &'a str {
        match &self.source {
            Source::Configured(_) => host_name,
            _ => ip,
        }
    }

    fn run_script(&self, names: &[&str]) -> Result<Vec<String>> {
        let Source::Script { path, max_arguments } = &self.source else {
            return Ok(Vec::new());
        };
        let mut racks = Vec::new();
        for batch in names.chunks(*max_arguments) {
            let output = Command::new(path).args(batch).output().map_err(|error| {
                Error::io(format!("run topology script {}: {error}", path.display()))
            })?;
            let text = String::from_utf8_lossy(&output.stdout);
            let found: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            if !output.status.success() || found.len() != batch.len() {
                return Err(Error::io(format!(
                    "topology script {} returned {} racks for {} names and ended with {}",
                    path.display(),
                    found.len(),
                    batch.len(),
                    output.status
                )));
            }
            racks.extend(found);
        }
        Ok(racks)
    }
}

fn configured(conf: &Configuration) -> Result<BTreeMap<String, String>> {
    let key = &keys::NET_TOPOLOGY_CONFIGURED_NODE_MAPPING;
    conf.get_list(key)
        .into_iter()
        .map(|pair| match pair.split_once('=') {
            Some((host, rack)) => Ok((host.trim().to_owned(), rack.trim().to_owned())),
            None => Err(Error::io(format!("{}: {pair} is not HOST=RACK", key.name))),
        })
        .collect()
}

fn parse_table(text: &str) -> BTreeMap<String, String> {
    let mut table = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, rack] => {
                table.insert(name.to_owned(), rack.to_owned());
            }
            _ => tracing::warn!("Line does not have two columns. Ignoring. {line}"),
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_two_columns() {
        let table = parse_table("# racks\n10.0.0.1 /r1\n\nhost2\t/r2\nthree words here\n");
        assert_eq!(table.get("10.0.0.1").map(String::as_str), Some("/r1"));
        assert_eq!(table.get("host2").map(String::as_str), Some("/r2"));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn without_a_source_there_is_one_rack() {
        let mapping = RackMapping::from_configuration(&Configuration::new()).unwrap();
        assert_eq!(mapping.rack_of("10.0.0.1"), DEFAULT_RACK);
    }

    #[test]
    fn a_script_is_asked_once_for_each_name() {
        let mut conf = Configuration::new();
        conf.set(keys::NET_TOPOLOGY_SCRIPT_FILE_NAME.name, "/bin/echo").unwrap();
        let mapping = RackMapping::from_configuration(&conf).unwrap();
        // echo prints its argument, which then is the rack.
        assert_eq!(mapping.rack_of("/r7"), "/r7");
        conf.set(keys::NET_TOPOLOGY_SCRIPT_FILE_NAME.name, "/no/such/script").unwrap();
        let broken = RackMapping::from_configuration(&conf).unwrap();
        assert_eq!(broken.rack_of("x"), DEFAULT_RACK);
        broken.resolve("x").unwrap_err();
    }

    #[test]
    fn a_list_in_the_configuration_is_by_host_name() {
        let mut conf = Configuration::new();
        let class = "org.apache.hadoop.net.StaticMapping";
        conf.set(keys::NET_TOPOLOGY_NODE_SWITCH_MAPPING_IMPL.name, class).unwrap();
        conf.set(keys::NET_TOPOLOGY_CONFIGURED_NODE_MAPPING.name, "host1=/r1, host2=/r2").unwrap();
        let mapping = RackMapping::from_configuration(&conf).unwrap();
        mapping.reload().unwrap();
        assert_eq!(mapping.rack_of(mapping.name_of("10.0.0.2", "host2")), "/r2");
        assert_eq!(mapping.rack_of("host3"), DEFAULT_RACK);
        conf.set(keys::NET_TOPOLOGY_CONFIGURED_NODE_MAPPING.name, "host1").unwrap();
        RackMapping::from_configuration(&conf).unwrap_err();
    }
}
