//! WebHDFS against what Apache Hadoop answered to the same requests, and what only ours must hold.
//!
//! `testdata/hadoop-3.5.0/webhdfs/answers.txt` was recorded by this test itself: with `WEBHDFS_RECORD=host:port` it asks
//! that NameNode and writes the file.

#![allow(clippy::unwrap_used)]

#[path = "webhdfs/http.rs"]
mod http;
#[path = "webhdfs/masks.rs"]
mod masks;

use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
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

/// Head and body of an upload, sent in pieces; `None` when the connection is to break after them.
fn upload(address: &str, target: &str, head: &str, pieces: &[&[u8]]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "PUT {target} HTTP/1.1\r\nHost: {address}\r\n{head}\r\n").unwrap();
    for piece in pieces {
        stream.write_all(piece).unwrap();
    }
    stream
}

/// The DataNode that a redirect names, and the target there.
fn redirected(namenode: &str, target: &str) -> (String, String) {
    let answer = ask(namenode, "PUT", target, &[], b"");
    assert_eq!(answer.status, 307, "{}", answer.text());
    let location = answer.header("location").unwrap().strip_prefix("http://").unwrap().to_owned();
    let (host, path) = location.split_at(location.find('/').unwrap());
    (format!("127.0.0.1:{}", host.rsplit_once(':').unwrap().1), path.to_owned())
}

#[test]
fn files_move_in_any_framing_and_an_upload_that_breaks_leaves_a_closed_file() {
    let scratch = Scratch::new("data");
    let cluster = start(&scratch, &[("dfs.blocksize", "1048576"), ("dfs.ls.limit", "3")]);
    let namenode = cluster.namenode.http_addr().to_string();
    let user = hdfs_rt::users::current_user();
    let target = |name: &str, op: &str| format!("/webhdfs/v1/{name}?op={op}&user.name={user}");

    // Chunks, and a client that waits to be told to go on.
    let (datanode, there) = redirected(&namenode, &target("chunked", "CREATE"));
    let head = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    let stream =
        upload(&datanode, &there, head, &[b"5\r\nhello\r\n", b"7;x=y\r\n, world\r\n0\r\n\r\n"]);
    let answer = http::read(&mut BufReader::new(stream));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(follow(&namenode, "GET", &target("chunked", "OPEN"), "").text(), "hello, world");

    // Several blocks, read from the middle across a boundary.
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (datanode, there) = redirected(&namenode, &target("big", "CREATE"));
    let head = format!("Content-Length: {}\r\n", big.len());
    let answer = http::read(&mut BufReader::new(upload(&datanode, &there, &head, &[&big])));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let part = target("big", "OPEN&offset=1000000&length=1500000");
    assert_eq!(follow(&namenode, "GET", &part, "").body, big[1_000_000..2_500_000]);

    // The connection breaks in the middle: what came is in the file, and nobody holds its lease.
    let (datanode, there) = redirected(&namenode, &target("broken", "CREATE"));
    let stream = upload(&datanode, &there, "Content-Length: 1000\r\n", &[b"only this"]);
    let status = target("broken", "GETFILESTATUS");
    wait_until(|| ask(&namenode, "GET", &status, &[], b"").status == 200);
    stream.shutdown(std::net::Shutdown::Both).unwrap();
    let has_closed = || {
        let text = ask(&namenode, "GET", &status, &[], b"").text();
        text.contains("\"length\":9")
    };
    wait_until(has_closed);
    assert_eq!(follow(&namenode, "GET", &target("broken", "OPEN"), "").text(), "only this");

    // A listing that takes several calls is one answer.
    let listing = ask(&namenode, "GET", &target("", "LISTSTATUS"), &[], b"").text();
    for name in ["big", "broken", "chunked"] {
        assert!(listing.contains(&format!("\"pathSuffix\":\"{name}\"")), "{listing}");
    }
    for index in 0..10 {
        let name = target(&format!("many/{index}"), "MKDIRS");
        assert_eq!(ask(&namenode, "PUT", &name, &[], b"").status, 200);
    }
    let listing = ask(&namenode, "GET", &target("many", "LISTSTATUS"), &[], b"").text();
    assert_eq!(listing.matches("\"pathSuffix\"").count(), 10, "{listing}");
    assert!(listing.ends_with("}\n]}}\n") && listing.matches("},\n{").count() == 9, "{listing}");

    // A DataNode that is not wanted is not named.
    let all: Vec<String> =
        cluster.datanodes.iter().map(|node| node.data_address().to_string()).collect();
    let but_first = target("one", &format!("CREATE&excludedatanodes={}", all[1..].join(",")));
    let (datanode, _) = redirected(&namenode, &but_first);
    assert_eq!(datanode, cluster.datanodes[0].http_address().to_string());
    let none = target("one", &format!("CREATE&excludedatanodes={}", all.join(",")));
    let refused = ask(&namenode, "PUT", &none, &[], b"");
    assert!(refused.text().contains("Failed to find datanode"), "{}", refused.text());
    cluster.stop().unwrap();
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it did not happen within 10 s");
}

#[test]
fn filters_and_impersonation_follow_the_configuration() {
    let scratch = Scratch::new("filters");
    let user = hdfs_rt::users::current_user();
    let (users, hosts) =
        (format!("hadoop.proxyuser.{user}.users"), format!("hadoop.proxyuser.{user}.hosts"));
    let cluster = start(
        &scratch,
        &[
            ("dfs.webhdfs.rest-csrf.enabled", "true"),
            ("hadoop.http.cross-origin.enabled", "true"),
            ("hadoop.http.cross-origin.allowed-origins", "http://*.example.com"),
            ("dfs.webhdfs.user.provider.user.pattern", "[a-z]+"),
            (&users, "alice"),
            (&hosts, "127.0.0.1"),
        ],
    );
    let namenode = cluster.namenode.http_addr().to_string();
    let mkdirs = format!("/webhdfs/v1/made?op=MKDIRS&user.name={user}");
    let browser = ("User-Agent", "Mozilla/5.0");
    let refused = ask(&namenode, "PUT", &mkdirs, &[browser], b"");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("Missing Required Header for CSRF"), "{}", refused.text());
    let with_header = [browser, ("X-XSRF-HEADER", "any")];
    assert_eq!(ask(&namenode, "PUT", &mkdirs, &with_header, b"").status, 200);
    assert_eq!(ask(&namenode, "PUT", &mkdirs, &[], b"").status, 200);

    let origin = ("Origin", "http://a.example.com");
    let status = "/webhdfs/v1/made?op=GETFILESTATUS";
    let answer = ask(&namenode, "GET", status, &[origin], b"");
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://a.example.com"));
    let other = ask(&namenode, "GET", status, &[("Origin", "http://example.org")], b"");
    assert_eq!(other.header("access-control-allow-origin"), None);

    let home = |query: &str| {
        let target = format!("/webhdfs/v1/?op=GETHOMEDIRECTORY&{query}");
        let answer = ask(&namenode, "GET", &target, &[], b"");
        (answer.status, answer.text())
    };
    let alice = home(&format!("user.name={user}&doas=alice"));
    assert_eq!(alice, (200, "{\"Path\":\"/user/alice\"}".to_owned()));
    assert_eq!(home(&format!("user.name={user}&doas=bob")).0, 403);
    let bad = home("user.name=Bob");
    assert!(bad.0 == 400 && bad.1.contains("does not belong to the domain [a-z]+"), "{bad:?}");
    cluster.stop().unwrap();
}

#[test]
fn the_gateway_moves_the_bytes_itself() {
    let scratch = Scratch::new("httpfs");
    let user = hdfs_rt::users::current_user();
    let hosts = format!("hadoop.proxyuser.{user}.hosts");
    let users = format!("hadoop.proxyuser.{user}.users");
    let cluster = start(&scratch, &[(&users, "alice"), (&hosts, "*")]);
    let mut conf = cluster.conf().clone();
    conf.set("httpfs.http.hostname", "127.0.0.1").unwrap();
    conf.set("httpfs.http.port", "0").unwrap();
    let gateway = hdfs_daemon::httpfs::start(&conf).unwrap();
    let address = gateway.local_addr().to_string();
    let target =
        |name: &str, op: &str, user: &str| format!("/webhdfs/v1/{name}?op={op}&user.name={user}");

    let open_to_all = target("open", "MKDIRS&permission=777", &user);
    assert_eq!(ask(&address, "PUT", &open_to_all, &[], b"").status, 200);
    let first = ask(&address, "PUT", &target("open/f", "CREATE", "alice"), &[], b"");
    assert_eq!(first.status, 307);
    let location = first.header("location").unwrap().strip_prefix("http://").unwrap().to_owned();
    let there = location.strip_prefix(&address).unwrap();
    assert!(there.ends_with("&data=true"), "{there}");
    let untyped = ask(&address, "PUT", there, &[], b"hello");
    assert!(untyped.status == 400 && untyped.text().contains("application/octet-stream"));
    let octets = [("Content-Type", "application/octet-stream")];
    let created = ask(&address, "PUT", there, &octets, b"hello");
    assert_eq!(created.status, 201, "{}", created.text());
    let more = target("open/f", "APPEND&data=true", "alice");
    assert_eq!(ask(&address, "POST", &more, &octets, b", world").status, 200);
    let open = ask(&address, "GET", &target("open/f", "OPEN&offset=3", "alice"), &[], b"");
    assert_eq!((open.status, open.text().as_str()), (200, "lo, world"));
    let status = ask(&address, "GET", &target("open/f", "GETFILESTATUS", "alice"), &[], b"");
    assert!(status.text().contains("\"owner\":\"alice\""), "{}", status.text());
    let sum = ask(&address, "GET", &target("open/f", "GETFILECHECKSUM", "alice"), &[], b"");
    assert!(
        sum.text().starts_with("{\"FileChecksum\":{\"algorithm\":\"MD5-of-0MD5-of-512CRC32C\"")
    );
    let list = ask(&address, "GET", &target("open", "LISTSTATUS", "alice"), &[], b"");
    assert!(list.text().contains("\"pathSuffix\":\"f\""), "{}", list.text());
    let missing = ask(&address, "GET", &target("none", "GETFILESTATUS", "alice"), &[], b"");
    assert!(missing.status == 404 && missing.text().contains("File does not exist: /none"));
    let stranger = ask(&address, "GET", &target("", "LISTSTATUS", "bob"), &[], b"");
    assert!(stranger.status == 403 && stranger.text().contains("not allowed to impersonate bob"));
    assert_eq!(ask(&address, "GET", "/webhdfs/v1/?op=LISTSTATUS", &[], b"").status, 401);
    drop(gateway);
    cluster.stop().unwrap();
}

#[test]
fn no_request_breaks_a_server() {
    let scratch = Scratch::new("junk");
    let cluster = start(&scratch, &[]);
    let namenode = cluster.namenode.http_addr().to_string();
    let datanode = cluster.datanodes[0].http_address().to_string();
    let targets = [
        "/webhdfs/v1/%ff%fe%00?op=GETFILESTATUS",
        "/webhdfs/v1/%?op=MKDIRS%",
        "/webhdfs/v1/?op=LISTSTATUS&&&=&%=%&user.name=%zz",
        "/webhdfs/v1/?op=OPEN&offset=9223372036854775807&length=9223372036854775807",
        "/webhdfs/v1/?op=OPEN&namenoderpcaddress=:",
        "/webhdfs/v1/?op=OPEN&namenoderpcaddress=a:b:c",
        "/webhdfs/v1/?op=CREATE&namenoderpcaddress=%00&createflag=%252525",
        "/webhdfs/v1/?op=RENEWDELEGATIONTOKEN&token=-----_____",
        "/webhdfs/v1/?op=SETXATTR&xattr.name=user.x&xattr.value=0x%C3%A9&flag=CREATE",
        "/webhdfs/v1/?op=SETACL&aclspec=user:%C3%A9:rwx",
        "/webhdfs/v1/?op=GETSNAPSHOTDIFFLISTING&snapshotdiffindex=2147483647",
        "/webhdfs/v1/?op=GETXATTRS&encoding=text&xattr.name=.&xattr.name=%F0%9F%90%98",
        "/webhdfs/v2/?op=OPEN",
    ];
    let long = format!("/webhdfs/v1/{}?op=MKDIRS&user.name=a", "x/".repeat(5_000));
    for target in targets.into_iter().chain([long.as_str()]) {
        for method in ["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "TRACE"] {
            for server in [&namenode, &datanode] {
                let answer = ask(server, method, target, &[], b"");
                assert!(answer.status >= 200, "{method} {target}");
                assert!(!answer.text().contains("task ended"), "{method} {target}: {answer:?}");
            }
        }
    }
    assert_eq!(ask(&namenode, "GET", "/webhdfs/v1/?op=LISTSTATUS", &[], b"").status, 200);
    cluster.stop().unwrap();
}
