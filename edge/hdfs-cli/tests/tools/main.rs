//! The load generator and the completion of command lines, on a small cluster in this process.

mod bench;
mod completion;

use std::path::PathBuf;
use std::process::{Command, Output};

use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};

/// A cluster with one DataNode, and its folder; dropped, both are gone.
struct Cluster {
    running: Option<MiniCluster>,
    dir: PathBuf,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tusk-{name}-{}", std::process::id()));
        let options = MiniClusterOptions { datanodes: 1, ..MiniClusterOptions::new(&dir) };
        Self { running: Some(MiniCluster::start(options).expect("a cluster")), dir }
    }

    fn running(&self) -> &MiniCluster {
        self.running.as_ref().expect("it runs until it is dropped")
    }

    /// Runs `hdfs` on it.
    fn hdfs(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hdfs"))
            .args(args)
            .env("HADOOP_CONF_DIR", self.running().conf_dir())
            .output()
            .expect("the program was built")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().expect("stop the cluster");
        }
        std::fs::remove_dir_all(&self.dir).expect("remove the cluster's folder");
    }
}
