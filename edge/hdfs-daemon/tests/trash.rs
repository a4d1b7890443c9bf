//! The NameNode's trash emptier: what users delete is kept for a while, and then it is gone.

use std::time::{Duration, Instant};

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{CreateOptions, trash};
use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};

/// Looks until it is so.
fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn deleted_files_become_a_checkpoint_and_then_are_gone() {
    let dir = std::env::temp_dir().join(format!("tusk-trash-{}", std::process::id()));
    let mut options = MiniClusterOptions::new(&dir);
    options.datanodes = 1;
    // Minutes: files stay for 3 seconds, the emptier comes every 0.3.
    options.settings.push(("fs.trash.interval".into(), "0.05".into()));
    options.settings.push(("fs.trash.checkpoint.interval".into(), "0.005".into()));
    let cluster = MiniCluster::start(options).unwrap();
    let client = HdfsClient::connect(cluster.conf()).unwrap();
    let root = "/user/someone/.Trash";
    client
        .create(&format!("{root}/Current/d/file"), CreateOptions::default())
        .unwrap()
        .close()
        .unwrap();
    client.mkdirs(&format!("{root}/no checkpoint"), None, true).unwrap();
    client.mkdirs("/user/nobody", None, true).unwrap();
    let names = || -> Vec<String> {
        client.list(root).map(|entry| entry.unwrap().name().to_owned()).collect()
    };
    await_that("a checkpoint is made", || !names().iter().any(|name| name == trash::CURRENT));
    let checkpoint =
        names().into_iter().find(|name| trash::checkpoint_time(name).is_some()).unwrap();
    assert!(client.exists(&format!("{root}/{checkpoint}/d/file")).unwrap());
    let kept = Instant::now();
    await_that("the checkpoint expires", || !names().contains(&checkpoint));
    // It begins with the second that its name tells.
    assert!(kept.elapsed() > Duration::from_millis(1_500), "after {:?}", kept.elapsed());
    assert_eq!(names(), ["no checkpoint"]);
    cluster.stop().unwrap();
    std::fs::remove_dir_all(dir).unwrap();
}
