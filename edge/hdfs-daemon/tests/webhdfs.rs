//! WebHDFS against what Apache Hadoop answered to the same requests, and what only ours must hold.
//!
//! `testdata/hadoop-3.5.0/webhdfs/answers.txt` was recorded by this test itself: with `WEBHDFS_RECORD=host:port` it asks
//! that NameNode and writes the file.

#[path = "webhdfs/http.rs"]
mod http;
#[path = "webhdfs/masks.rs"]
mod masks;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use http::{Answer, ask};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0/webhdfs")
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("tusk-webhdfs-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn start(scratch: &Scratch, settings: &[(&str, &str)]) -> MiniCluster {
    let mut options = MiniClusterOptions::new(&scratch.0);
    options.settings =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    MiniCluster::start(options).unwrap()
}

/// Follows a redirect to a DataNode, with the body; anything else is the answer.
fn follow(namenode: &str, method: &str, target: &str, body: &str) -> Answer {
    let first = ask(namenode, method, target, &[], b"");
    let Some(location) = first.header("location") else { return first };
    let rest = location.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    // The name of the machine need not resolve where the test runs.
    let port = host.rsplit_once(':').unwrap().1;
    ask(&format!("127.0.0.1:{port}"), method, path, &[], body.as_bytes())
}

fn transcript(namenode: &str, requests: &str, user: &str) -> String {
    let mut out = String::new();
    for line in requests.lines().filter(|line| !line.starts_with('#')) {
        let request = line.replace("{u}", user);
        let (request, body) = request.split_once('\t').unwrap_or((&request, ""));
        let (to_datanode, request) = match request.strip_prefix("DN ") {
            Some(rest) => (true, rest),
            None => (false, request),
        };
        let (method, target) = request.split_once(' ').unwrap();
        let target = format!("/webhdfs/v1{target}");
        let answer = if to_datanode {
            follow(namenode, method, &target, body)
        } else {
            ask(namenode, method, &target, &[], b"")
        };
        writeln!(out, "> {line}").unwrap();
        let content_type = answer.header("content-type").unwrap_or("-");
        writeln!(out, "{} {content_type}", answer.status).unwrap();
        if let Some(location) = answer.header("location") {
            writeln!(out, "location: {}", masks::mask(location, user)).unwrap();
        }
        writeln!(out, "{}", masks::mask(&answer.text(), user)).unwrap();
    }
    out
}

#[test]
fn every_request_is_answered_as_by_apache() {
    let requests = std::fs::read_to_string(folder().join("requests.txt")).unwrap();
    let user = hdfs_rt::users::current_user();
    let golden = folder().join("answers.txt");
    if let Ok(peer) = std::env::var("WEBHDFS_RECORD") {
        std::fs::write(&golden, transcript(&peer, &requests, &user)).unwrap();
        return;
    }
    let scratch = Scratch::new("golden");
    let cluster = start(&scratch, &[("fs.trash.interval", "60")]);
    let ours = transcript(&cluster.namenode.http_addr().to_string(), &requests, &user);
    let apache = std::fs::read_to_string(golden).unwrap();
    let blocks = |text: &str| -> Vec<String> {
        text.split("\n> ").map(|block| block.trim_end().to_owned()).collect()
    };
    let (ours, apache) = (blocks(&ours), blocks(&apache));
    assert_eq!(ours.len(), apache.len());
    let differences: Vec<String> = ours
        .iter()
        .zip(&apache)
        .filter(|(ours, apache)| ours != apache)
        .map(|(ours, apache)| format!("--- Apache\n{apache}\n+++ ours\n{ours}\n"))
        .collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    cluster.stop().unwrap();
}
