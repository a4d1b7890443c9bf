//! Every role in one process and one folder: what `hdfs minicluster` runs and what tests use.
//!
//! The folder holds `name/` (NameNode), `data1/`, `data2/`, … (a volume of each DataNode) and `conf/` (the clients'
//! configuration, written again at each start because ports may differ). Started on a folder of before, everything is
//! there. The cluster has no state of its own: each daemon is the one that runs alone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, Result};

use crate::datanode::{self, DataNodeHandle};
use crate::namenode::{self, NameNodeHandle};

/// What to start.
#[derive(Clone, Debug)]
pub struct MiniClusterOptions {
    /// The folder of everything; made when it does not exist.
    pub dir: PathBuf,
    /// How many DataNodes.
    pub datanodes: usize,
    /// NameNode RPC on this port, its HTTP on the next, DataNode K on `base + 10 K` (data), `+ 1` (HTTP) and `+ 2`
    /// (IPC). 0 picks free ports.
    pub base_port: u16,
    /// Settings on top (`key`, `value`), for every daemon and for the clients.
    pub settings: Vec<(String, String)>,
}

impl MiniClusterOptions {
    /// Three DataNodes on free ports.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), datanodes: 3, base_port: 0, settings: Vec::new() }
    }
}

/// A running cluster.
pub struct MiniCluster {
    /// The NameNode.
    pub namenode: NameNodeHandle,
    /// The DataNodes, first to last.
    pub datanodes: Vec<DataNodeHandle>,
    conf: Configuration,
    conf_dir: PathBuf,
    datanode_confs: Vec<Configuration>,
}

impl MiniCluster {
    /// Formats the folder if it is new, starts every daemon, and returns when the cluster is writable.
    ///
    /// # Errors
    /// When a folder, a port or a setting can't be used; the message names it.
    pub fn start(options: MiniClusterOptions) -> Result<Self> {
        if options.datanodes == 0 {
            return Err(Error::io("a cluster needs at least one DataNode (--datanodes 1)"));
        }
        std::fs::create_dir_all(&options.dir).map_err(|error| {
            Error::io(format!("make the folder {}: {error}", options.dir.display()))
        })?;
        let dir = options.dir.canonicalize()?;
        let name_conf = configuration(&namenode_settings(&dir, &options)?)?;
        if !dir.join("name/current/VERSION").exists() {
            namenode::format(&name_conf, &namenode::FormatOptions::default())?;
        }
        let namenode = namenode::start(&name_conf)?;
        let rpc = namenode.rpc_addr();
        let mut datanodes = Vec::with_capacity(options.datanodes);
        let mut datanode_confs = Vec::with_capacity(options.datanodes);
        for number in 1..=options.datanodes {
            let mut conf = configuration(&datanode_settings(&dir, &options, number, rpc)?)?;
            let datanode = datanode::start(&conf)?;
            // Started again it is the same one, on the same ports for data and calls. The web server ends in its own time.
            conf.set(keys::DFS_DATANODE_HTTP_ADDRESS.name, "127.0.0.1:0")?;
            conf.set(keys::DFS_DATANODE_ADDRESS.name, &datanode.data_address().to_string())?;
            conf.set(keys::DFS_DATANODE_IPC_ADDRESS.name, &datanode.ipc_address().to_string())?;
            datanodes.push(datanode);
            datanode_confs.push(conf);
        }
        let client = client_settings(&options, rpc, namenode.http_addr());
        let conf_dir = dir.join("conf");
        write_conf(&conf_dir, &client)?;
        let conf = configuration(&client)?;
        let cluster = Self { namenode, datanodes, conf, conf_dir, datanode_confs };
        cluster.wait_until_writable(options.datanodes)?;
        Ok(cluster)
    }

    /// The clients' configuration.
    pub fn conf(&self) -> &Configuration {
        &self.conf
    }

    /// The folder with the clients' configuration, for `HADOOP_CONF_DIR`.
    pub fn conf_dir(&self) -> &Path {
        &self.conf_dir
    }

    /// `hdfs://host:port`.
    pub fn uri(&self) -> String {
        format!("hdfs://{}", self.namenode.rpc_addr())
    }

    /// Stops a DataNode, from 0, as a kill does, and starts it again.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn restart_datanode(&mut self, index: usize) -> Result<()> {
        let (Some(datanode), Some(conf)) =
            (self.datanodes.get_mut(index), self.datanode_confs.get(index))
        else {
            return Err(Error::io(format!("there is no DataNode {index}")));
        };
        datanode.stop();
        *datanode = datanode::start(conf)?;
        Ok(())
    }

    /// Stops every daemon in order: DataNodes first, so that the NameNode's last word is in the log.
    ///
    /// # Errors
    /// When the NameNode can't close its edit log.
    pub fn stop(self) -> Result<()> {
        for datanode in &self.datanodes {
            datanode.stop();
        }
        self.namenode.stop()
    }

    fn wait_until_writable(&self, datanodes: usize) -> Result<()> {
        for _ in 0..6_000 {
            if self.namenode.live_datanodes() >= datanodes && !self.namenode.in_safe_mode() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Err(Error::io(format!(
            "after 30 s {} of {datanodes} DataNodes are live and safe mode is {}; see the log",
            self.namenode.live_datanodes(),
            if self.namenode.in_safe_mode() { "on" } else { "off" }
        )))
    }
}

type Settings = Vec<(String, String)>;

fn configuration(settings: &[(String, String)]) -> Result<Configuration> {
    let mut conf = Configuration::new();
    for (key, value) in settings {
        conf.set(key, value)?;
    }
    Ok(conf)
}

fn setting(key: &str, value: impl ToString) -> (String, String) {
    (key.to_owned(), value.to_string())
}

/// `base + offset` on loopback, or a free port when the base is 0.
fn address(base_port: u16, offset: usize) -> Result<SocketAddr> {
    let port = match base_port {
        0 => 0,
        base => u16::try_from(usize::from(base) + offset).map_err(|_| {
            Error::io(format!(
                "--base-port {base} leaves no room: port {} does not exist",
                usize::from(base) + offset
            ))
        })?,
    };
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// What every daemon and client of the cluster shares.
fn shared_settings(options: &MiniClusterOptions) -> Settings {
    vec![
        setting(keys::DFS_REPLICATION.name, options.datanodes.min(3)),
        // All replicas report within milliseconds of the start, so there is nothing to wait for after them.
        setting(keys::DFS_NAMENODE_SAFEMODE_EXTENSION.name, 0),
    ]
}

fn namenode_settings(dir: &Path, options: &MiniClusterOptions) -> Result<Settings> {
    let mut settings = shared_settings(options);
    let rpc = address(options.base_port, 0)?;
    settings.push(setting(keys::FS_DEFAULT_FS.name, format!("hdfs://{rpc}")));
    settings.push(setting(keys::DFS_NAMENODE_RPC_ADDRESS.name, rpc));
    settings.push(setting(keys::DFS_NAMENODE_HTTP_ADDRESS.name, address(options.base_port, 1)?));
    settings.push(setting(keys::DFS_NAMENODE_NAME_DIR.name, folder(dir, "name")));
    settings.extend(options.settings.iter().cloned());
    Ok(settings)
}

fn datanode_settings(
    dir: &Path,
    options: &MiniClusterOptions,
    number: usize,
    namenode: SocketAddr,
) -> Result<Settings> {
    let mut settings = shared_settings(options);
    let at = |offset| address(options.base_port, 10 * number + offset);
    settings.push(setting(keys::FS_DEFAULT_FS.name, format!("hdfs://{namenode}")));
    settings.push(setting(keys::DFS_DATANODE_ADDRESS.name, at(0)?));
    settings.push(setting(keys::DFS_DATANODE_HTTP_ADDRESS.name, at(1)?));
    settings.push(setting(keys::DFS_DATANODE_IPC_ADDRESS.name, at(2)?));
    settings.push(setting(keys::DFS_DATANODE_DATA_DIR.name, folder(dir, &format!("data{number}"))));
    settings.extend(options.settings.iter().cloned());
    Ok(settings)
}

fn client_settings(options: &MiniClusterOptions, rpc: SocketAddr, http: SocketAddr) -> Settings {
    let mut settings = shared_settings(options);
    settings.extend(options.settings.iter().cloned());
    settings.push(setting(keys::FS_DEFAULT_FS.name, format!("hdfs://{rpc}")));
    settings.push(setting(keys::DFS_NAMENODE_RPC_ADDRESS.name, rpc));
    settings.push(setting(keys::DFS_NAMENODE_HTTP_ADDRESS.name, http));
    settings
}

fn folder(dir: &Path, name: &str) -> String {
    format!("file://{}", dir.join(name).display())
}

/// Writes core-site.xml (the file system) and hdfs-site.xml (the rest).
fn write_conf(dir: &Path, settings: &[(String, String)]) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let (core, hdfs): (Settings, Settings) =
        settings.iter().cloned().partition(|(key, _)| !key.starts_with("dfs."));
    write_site(&dir.join("core-site.xml"), &core)?;
    write_site(&dir.join("hdfs-site.xml"), &hdfs)
}

fn write_site(file: &Path, settings: &[(String, String)]) -> Result<()> {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n");
    for (key, value) in settings {
        xml.push_str(&format!(
            "  <property><name>{}</name><value>{}</value></property>\n",
            escape(key),
            escape(value)
        ));
    }
    xml.push_str("</configuration>\n");
    // Other processes poll for this file: they must see all of it or nothing.
    let whole = file.with_extension("xml.new");
    std::fs::write(&whole, xml)?;
    std::fs::rename(&whole, file)?;
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
