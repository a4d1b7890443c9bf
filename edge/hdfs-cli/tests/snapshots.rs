//! `hdfs snapshot` and reads below `.snapshot`: our command against a mini cluster, and the tree compared with what it was.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{CreateOptions, RenameOptions};
use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use hdfs_types::FsPermission;

/// A cluster in a folder that goes away with it.
struct Cluster {
    folder: PathBuf,
    conf_dir: PathBuf,
    running: Option<MiniCluster>,
    client: HdfsClient,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let options = MiniClusterOptions {
            datanodes: 1,
            settings: vec![("dfs.replication".to_owned(), "1".to_owned())],
            ..MiniClusterOptions::new(&folder)
        };
        let running = MiniCluster::start(options).expect("start a cluster");
        let client = HdfsClient::for_uri(&running.uri(), running.conf()).expect("connect");
        let conf_dir = running.conf_dir().to_path_buf();
        Self { folder, conf_dir, running: Some(running), client }
    }

    /// Standard output and status of `hdfs …`.
    fn run(&self, args: &[&str]) -> (String, i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_hdfs"))
            .args(args)
            .env("HADOOP_CONF_DIR", &self.conf_dir)
            .stdin(Stdio::null())
            .output()
            .expect("run hdfs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        (text + &errors, output.status.code().unwrap_or(-1))
    }

    fn write(&self, path: &str, content: &[u8]) {
        let mut file = self.client.create(path, CreateOptions::default()).expect(path);
        file.write_some(content).expect(path);
        file.close().expect(path);
    }

    fn append(&self, path: &str, content: &[u8]) {
        let mut file = self.client.append(path, false).expect(path);
        file.write_some(content).expect(path);
        file.close().expect(path);
    }

    fn rename(&self, from: &str, to: &str) {
        self.client.rename_with(from, to, RenameOptions::default()).expect(from);
    }

    /// A tree in lines: names, attributes, content.
    fn tree(&self, top: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut waiting = vec![(top.to_owned(), String::new())];
        while let Some((path, below)) = waiting.pop() {
            for status in self.client.list(&path) {
                let status = status.expect("list");
                let name = format!("{below}/{}", status.name());
                let mut line =
                    format!("{name} {} {}:{}", status.permission, status.owner, status.group);
                if status.is_dir() {
                    // Snapshots do not keep the times of directories, as in Hadoop.
                    waiting.push((status.path.clone(), name));
                } else {
                    let mut content = vec![0; status.length as usize];
                    let file = self.client.open(&status.path).expect("open");
                    file.read_exact_at(0, &mut content).expect("read");
                    let time = status.modification_time.0;
                    line += &format!(" m{time} {}", String::from_utf8_lossy(&content));
                }
                for (name, value) in self.client.xattrs(&status.path, &[]).expect("xattrs") {
                    line += &format!(" {name}={value:?}");
                }
                lines.push(line);
            }
        }
        lines.sort();
        lines
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_directory_is_brought_back_to_what_a_snapshot_holds() {
    let cluster = Cluster::start("snapshot-restore");
    let client = &cluster.client;
    for path in ["/d/keep", "/d/gone/deep", "/d/moved", "/d/out"] {
        client.mkdirs(path, None, true).expect(path);
    }
    for (path, content) in [
        ("/d/same", "same"),
        ("/d/grown", "begin"),
        ("/d/rewritten", "old"),
        ("/d/gone/deep/f", "deep"),
        ("/d/moved/f", "f"),
        ("/d/moved/g", "g"),
        ("/d/swap1", "one"),
        ("/d/swap2", "two"),
        ("/d/out/x", "x"),
    ] {
        cluster.write(path, content.as_bytes());
    }
    client.set_permission("/d/keep", FsPermission(0o710)).expect("chmod");
    client.allow_snapshot("/d").expect("allow");
    client.create_snapshot("/d", Some("s1")).expect("snapshot");
    let before = cluster.tree("/d");
    assert_eq!(cluster.tree("/d/.snapshot/s1"), before);

    cluster.append("/d/grown", b" end");
    client.delete("/d/rewritten", false).expect("delete");
    cluster.write("/d/rewritten", b"new content");
    client.delete("/d/gone", true).expect("delete");
    cluster.rename("/d/moved", "/d/keep/moved");
    cluster.rename("/d/keep/moved/f", "/d/f");
    cluster.write("/d/keep/moved/new", b"new");
    cluster.rename("/d/swap1", "/d/swap");
    cluster.rename("/d/swap2", "/d/swap1");
    cluster.rename("/d/swap", "/d/swap2");
    cluster.rename("/d/out/x", "/x");
    client.set_permission("/d/keep", FsPermission(0o777)).expect("chmod");
    client.set_xattr("/d/same", "user.a", Some(b"1"), Default::default()).expect("setfattr");
    client.mkdirs("/d/new/deeper", None, true).expect("mkdirs");
    cluster.write("/d/new/deeper/f", b"new");
    let changed = cluster.tree("/d");
    assert_eq!(cluster.tree("/d/.snapshot/s1"), before);

    let (text, status) = cluster.run(&["snapshot", "restore", "/d", "s1", "--dry-run"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("delete   ./new\n") && text.contains("copy     ./gone\n"), "{text}");
    assert!(text.contains("move     ./swap1 -> ./swap2\n"), "{text}");
    // Nobody answers the question.
    assert_eq!(cluster.run(&["snapshot", "restore", "/d", "s1"]).1, 1);
    assert_eq!(cluster.tree("/d"), changed);

    let (text, status) =
        cluster.run(&["snapshot", "restore", "/d", "s1", "--yes", "--save-as", "before"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(cluster.tree("/d"), before, "{text}");
    assert_eq!(cluster.tree("/d/.snapshot/before"), changed);
    let (text, status) = cluster.run(&["snapshot", "restore", "/d", "s2"]);
    assert_eq!(status, 1);
    assert!(text.contains("Cannot find the snapshot of directory /d with name s2"), "{text}");

    let (text, status) = cluster.run(&["snapshot", "restore", "/d", "before", "--yes"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(cluster.tree("/d"), changed, "{text}");
}

#[test]
fn snapshots_that_no_rule_keeps_are_deleted() {
    let cluster = Cluster::start("snapshot-prune");
    let client = &cluster.client;
    client.mkdirs("/d", None, true).expect("mkdirs");
    client.allow_snapshot("/d").expect("allow");
    let names = [
        "s20261001-120000.000",
        "s20261031-120000.000",
        "s20261101-080000.000",
        "s20261101-200000.000",
    ];
    for name in names {
        client.create_snapshot("/d", Some(name)).expect(name);
    }
    let prune = ["snapshot", "prune", "/d", "--keep", "daily=1,monthly=2"];
    let (text, status) = cluster.run(&[&prune[..], &["--dry-run"]].concat());
    assert_eq!(status, 0, "{text}");
    assert_eq!(
        text,
        "s20261101-200000.000  2026-11-01 20:00  keep    day 2026-11-01, month 2026-11\n\
         s20261101-080000.000  2026-11-01 08:00  delete  day 2026-11-01 is kept as s20261101-200000.000\n\
         s20261031-120000.000  2026-10-31 12:00  keep    month 2026-10\n\
         s20261001-120000.000  2026-10-01 12:00  delete  month 2026-10 is kept as s20261031-120000.000\n\
         2 snapshots of /d would be deleted, 2 kept.\n"
    );
    assert_eq!(cluster.run(&prune).1, 1, "nobody answered the question");
    assert_eq!(client.snapshots("/d").expect("list").len(), 4);
    let (text, status) = cluster.run(&[&prune[..], &["-y"]].concat());
    assert_eq!(status, 0, "{text}");
    let left = client.snapshots("/d").expect("list");
    let left: Vec<_> = left.iter().map(|of| String::from_utf8_lossy(&of.dir_status.path)).collect();
    assert_eq!(left, [names[1], names[3]]);
    assert_eq!(cluster.run(&["snapshot", "prune", "/d", "--keep", "often=1"]).1, 1);
}
