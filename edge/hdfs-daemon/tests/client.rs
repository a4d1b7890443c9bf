//! Our client against our daemons, all in one process: the scenarios that Apache's programs pass too.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

#[path = "../../hdfs-client/tests/apache/scenarios.rs"]
mod scenarios;

use std::path::PathBuf;

use hdfs_conf::Configuration;
use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use scenarios::*;

const SCENARIOS: [Scenario; 13] = [
    ("names are made, changed and described", names_are_made_changed_and_described),
    ("who watches is told what happens", who_watches_is_told_what_happens),
    ("errors have Hadoop's class and message", errors_have_hadoops_class_and_message),
    ("administrators' calls answer", administrators_calls_answer),
    ("an erasure-coded file without bytes", an_erasure_coded_file_without_bytes_is_made_and_read),
    ("an append may begin at any byte of a chunk", an_append_may_begin_at_any_byte_of_a_chunk),
    ("flushed bytes are visible", flushed_bytes_are_visible),
    ("an idle writer keeps its pipeline", an_idle_writer_keeps_its_pipeline),
    ("a truncated file is read to its new end", a_truncated_file_is_read_to_its_new_end),
    ("a cut leaves snapshots as they were", a_cut_leaves_snapshots_as_they_were),
    ("a corrupt replica is left for another", a_corrupt_replica_is_left_for_another),
    // These two leave a DataNode less each.
    ("a flushed write gets another datanode", a_flushed_write_gets_another_datanode),
    ("a read survives a killed datanode", a_read_survives_a_killed_datanode),
];

struct InProcess {
    cluster: MiniCluster,
    dir: PathBuf,
}

impl InProcess {
    /// The number of the DataNode with this transfer port, from 0.
    fn index(&self, xfer_port: u16) -> usize {
        let mut nodes = self.cluster.datanodes.iter();
        nodes.position(|node| node.data_address().port() == xfer_port).unwrap()
    }
}

impl Cluster for InProcess {
    fn configuration(&self, overrides: &[(&str, &str)]) -> Configuration {
        let mut conf = self.cluster.conf().clone();
        for (key, value) in overrides {
            conf.set(key, value).unwrap();
        }
        conf
    }

    fn hadoop(&self, _args: &[&str]) -> Option<Vec<u8>> {
        None
    }

    fn local_dir(&self) -> PathBuf {
        self.dir.clone()
    }

    fn data_dir(&self, xfer_port: u16) -> PathBuf {
        self.dir.join(format!("data{}", self.index(xfer_port) + 1))
    }

    fn lose(&self, xfer_port: u16) {
        self.cluster.datanodes[self.index(xfer_port)].stop();
    }

    fn restore(&self, _xfer_port: u16) {}
}

#[test]
fn our_client_against_our_daemons() {
    let dir = std::env::temp_dir().join(format!("tusk-client-test-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let mut options = MiniClusterOptions::new(&dir);
    options.datanodes = 4;
    for (key, value) in [
        ("dfs.namenode.fs-limits.min-block-size", "0"),
        ("dfs.replication", "2"),
        ("dfs.heartbeat.interval", "1"),
    ] {
        options.settings.push((key.to_owned(), value.to_owned()));
    }
    let cluster = InProcess { cluster: MiniCluster::start(options).unwrap(), dir: dir.clone() };
    run(&cluster, &SCENARIOS);
    cluster.cluster.stop().unwrap();
    std::fs::remove_dir_all(dir).unwrap();
}
