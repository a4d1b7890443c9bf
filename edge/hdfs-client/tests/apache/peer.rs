//! A cluster of Apache's programs for tests, and Apache's client beside it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hdfs_client::DatanodeReportType;
use hdfs_conf::Configuration;
use hdfs_types::WallMillis;

use super::scenarios::Cluster;

const DATANODES: &str = "4";

/// A running cluster; it stops when this is dropped, unless it was up before.
pub(crate) struct Peer {
    programs: PathBuf,
    dir: PathBuf,
    base_port: u16,
    owned: bool,
}

impl Peer {
    /// Starts one; `None` when `TUSK_PEER` is not set.
    pub(crate) fn start() -> Option<Self> {
        let programs = PathBuf::from(std::env::var_os("TUSK_PEER")?);
        let base_port =
            std::env::var("TUSK_PEER_PORT").map_or(23_400, |port| port.parse().unwrap());
        let (dir, owned) = match std::env::var_os("TUSK_PEER_DIR") {
            Some(dir) => (PathBuf::from(dir), false),
            None => (std::env::temp_dir().join(format!("tusk-client-{base_port}")), true),
        };
        let cluster = Self { programs, dir, base_port, owned };
        if owned {
            cluster.run_cluster(&[
                "-n",
                DATANODES,
                "-p",
                &base_port.to_string(),
                "-D",
                "dfs.namenode.fs-limits.min-block-size=0",
                "-D",
                "dfs.replication=2",
                "-D",
                "dfs.heartbeat.interval=1",
            ]);
        }
        Some(cluster)
    }

    fn run_cluster(&self, options: &[&str]) {
        let mut command = Command::new(self.programs.join("cluster"));
        command.arg("up").arg(&self.dir).args(options);
        assert!(command.status().unwrap().success(), "the cluster did not come up");
    }

    fn conf_dir(&self) -> PathBuf {
        self.dir.join("conf")
    }

    /// The name of the DataNode with this transfer port.
    fn datanode(&self, xfer_port: u16) -> String {
        format!("dn{}", (xfer_port - self.base_port) / 10)
    }
}

impl Cluster for Peer {
    fn configuration(&self, overrides: &[(&str, &str)]) -> Configuration {
        let overrides: Vec<(String, String)> =
            overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        hdfs_rt::conf_files::load_configuration(Some(&self.conf_dir()), &overrides).unwrap()
    }

    fn hadoop(&self, args: &[&str]) -> Option<Vec<u8>> {
        let output = Command::new(self.programs.join("hadoop"))
            .args(args)
            .env("HADOOP_CONF_DIR", self.conf_dir())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "hadoop {args:?} failed");
        Some(output.stdout)
    }

    fn local_dir(&self) -> PathBuf {
        self.dir.clone()
    }

    fn data_dir(&self, xfer_port: u16) -> PathBuf {
        self.dir.join(self.datanode(xfer_port))
    }

    /// Kills a DataNode without warning.
    fn lose(&self, xfer_port: u16) {
        let pid_file = self.dir.join(format!("{}.pid", self.datanode(xfer_port)));
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        let status = Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
        assert!(status.success());
    }

    /// Starts it again and waits until the NameNode has its block report.
    fn restore(&self, xfer_port: u16) {
        let mut before = now();
        let status = Command::new(self.programs.join("cluster"))
            .arg("start")
            .arg(&self.dir)
            .arg(self.datanode(xfer_port))
            .status()
            .unwrap();
        assert!(status.success());
        let client = self.client(&[]);
        let started = Instant::now();
        let mut is_back = false;
        // A NameNode gives no block to a node that seemed busy in its last heartbeat: wait for calm ones as well.
        loop {
            let live = client.datanode_report(DatanodeReportType::Live).unwrap();
            if !is_back {
                let back = live.iter().find(|node| node.xfer_port == xfer_port);
                is_back = back.is_some_and(|node| node.last_block_report >= before);
                before = now();
            } else if live.iter().all(|node| node.last_update >= before && node.xceiver_count == 0)
            {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(180),
                "{xfer_port} did not come back: {live:?}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if self.owned {
            let _ = Command::new(self.programs.join("cluster")).arg("down").arg(&self.dir).status();
        }
    }
}

fn now() -> WallMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    WallMillis(u64::try_from(since.as_millis()).unwrap())
}
