//! `hdfs fsck`: asks the NameNode's web server to check files and blocks, and prints what it says as it comes.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSck (3.5.0)

use std::io::Write;
use std::time::Duration;

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{Output, complain, print, print_error, say};
use crate::shell;
use crate::shell::path::ParsedPath;
use hdfs_rt::http::client as http_get;

pub(crate) const USAGE: &str = include_str!("fsck/usage.txt");

/// Options without an argument, and the parameter that each becomes.
const OPTIONS: [(&str, &str); 15] = [
    ("-move", "move"),
    ("-delete", "delete"),
    ("-files", "files"),
    ("-openforwrite", "openforwrite"),
    ("-blocks", "blocks"),
    ("-locations", "locations"),
    ("-racks", "racks"),
    ("-replicaDetails", "replicadetails"),
    ("-upgradedomains", "upgradedomains"),
    ("-storagepolicies", "storagepolicies"),
    ("-showprogress", "showprogress"),
    ("-list-corruptfileblocks", "listcorruptfileblocks"),
    ("-includeSnapshots", "includeSnapshots"),
    ("-maintenance", "maintenance"),
    ("-replicate", "replicate"),
];

/// How the last line of a report ends, and the exit status for it. Hadoop: NamenodeFsck's status texts.
const ENDINGS: [(&str, i32); 9] = [
    ("is HEALTHY", 0),
    ("is CORRUPT", 1),
    ("does not exist", 0),
    ("is EXCESS", 0),
    ("is DECOMMISSIONED", 2),
    ("is DECOMMISSIONING", 3),
    ("is IN MAINTENANCE", 4),
    ("is ENTERING MAINTENANCE", 5),
    ("is STALE", 6),
];

/// What needs no cluster and no generic options: help, and arguments that Hadoop takes for a misplaced option of
/// MapReduce.
pub(crate) fn answer_alone(args: &[String]) -> Option<i32> {
    let usage = || format!("{USAGE}\n{}", shell::GENERIC_OPTIONS);
    match args {
        [] => print_error(&usage()),
        [first, ..] if first == "-files" => print_error(&usage()),
        [only] if ["-h", "-help", "--help"].contains(&only.as_str()) => {
            print(&usage());
            return Some(0);
        }
        _ => return None,
    }
    Some(255)
}

/// Runs `hdfs fsck ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    if let Some(status) = answer_alone(args) {
        return status;
    }
    let Some(request) = Request::parse(args) else {
        print_error(&format!("{USAGE}\n{}", shell::GENERIC_OPTIONS));
        return 255;
    };
    let place = match Place::find(conf, &request.path) {
        Ok(Some(place)) => place,
        Ok(None) => {
            complain!("DFSck exiting.");
            return 0;
        }
        Err(error) => {
            complain!(
                "FileSystem is inaccessible due to:\n{}: {}",
                error.kind.java_class(),
                error.message
            );
            complain!("DFSck exiting.");
            return 0;
        }
    };
    let user = hdfs_rt::users::current_user();
    let query =
        format!("/fsck?ugi={user}{}&path={}", request.parameters, form_encoded(&place.path));
    complain!("Connecting to namenode via http://{}{query}", place.web);
    let asked = if request.lists_corrupt {
        list_corrupt(&place, &query, &request.path)
    } else {
        check(&place, &query)
    };
    asked.unwrap_or_else(|error| {
        complain!("fsck: {}", error.message);
        1
    })
}

/// The arguments.
struct Request {
    path: String,
    /// `&files=1&blocks=1`.
    parameters: String,
    lists_corrupt: bool,
}

impl Request {
    /// `None` after it has said what is wrong.
    fn parse(args: &[String]) -> Option<Self> {
        let mut path = None;
        let mut parameters = String::new();
        let mut lists_corrupt = false;
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            if let Some((_, name)) = OPTIONS.iter().find(|(option, _)| option == arg) {
                parameters.push_str(&format!("&{name}=1"));
                lists_corrupt |= *name == "listcorruptfileblocks";
            } else if arg == "-blockId" {
                let mut ids = String::new();
                while let Some(id) = args.next_if(|next| !next.starts_with('-')) {
                    ids.push_str(id);
                    ids.push(' ');
                }
                // Java's loop passes over the argument that ends the list.
                args.next();
                parameters.push_str(&format!("&blockId={}", form_encoded(&ids)));
            } else if arg.starts_with('-') {
                complain!("fsck: Illegal option '{arg}'");
                return None;
            } else if path.is_some() {
                complain!("fsck: can only operate on one path at a time '{arg}'");
                return None;
            } else {
                path = Some(arg.clone());
            }
        }
        let path = path.unwrap_or_else(|| "/".to_owned());
        Some(Self { path, parameters, lists_corrupt })
    }
}

/// A path of a cluster, and the web server of its NameNode.
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) web: HostPort,
    timeouts: (Duration, Duration),
}

impl Place {
    /// `None` for a path of another kind of file system, after it has said so.
    pub(crate) fn find(conf: &Configuration, path: &str) -> Result<Option<Self>> {
        let invalid = |message: String| Error::new(ErrorKind::IllegalArgument, message);
        let parsed =
            ParsedPath::parse(path).map_err(|failure| invalid(failure.message().to_owned()))?;
        let default = shell::default_uri(conf);
        let uri = match (&parsed.scheme, &parsed.authority) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            (Some(scheme), None) if !default.starts_with(&format!("{scheme}:")) => {
                format!("{scheme}://")
            }
            _ => default,
        };
        if !uri.starts_with("hdfs:") {
            let root = uri.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
            let scheme = uri.split(':').next().unwrap_or_default();
            let end = if root.is_empty() { "/" } else { "" };
            complain!("FileSystem is {scheme}://{root}{end}");
            return Ok(None);
        }
        let client = HdfsClient::for_uri(&uri, conf)?;
        let absolute = parsed.absolute(&client.home_directory());
        if client.file_info(&absolute)?.is_none() {
            // Java's path is qualified unless it was absolute.
            let shown = if path.starts_with('/') {
                absolute
            } else {
                format!("{}{absolute}", client.uri())
            };
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File does not exist: {shown}"),
            ));
        }
        let timeouts = (
            conf.get_duration(&keys::DFS_CLIENT_FSCK_CONNECT_TIMEOUT)?,
            conf.get_duration(&keys::DFS_CLIENT_FSCK_READ_TIMEOUT)?,
        );
        Ok(Some(Self { path: absolute, web: web_address(conf, client.uri())?, timeouts }))
    }

    /// Asks the web server, whatever its answer.
    pub(crate) fn ask(&self, query: &str) -> Result<http_get::Response> {
        http_get::get_within(&self.web, query, self.timeouts)
    }

    fn get(&self, query: &str) -> Result<http_get::Response> {
        let response = self.ask(query)?;
        if response.status == 200 {
            return Ok(response);
        }
        let (status, reason) = (response.status, &response.reason);
        Err(Error::io(format!(
            "Server returned HTTP response code: {status} {reason} for URL: http://{}{query}",
            self.web
        )))
    }
}

/// The web server of the NameNode with this URI: its port is configured; so is its host, unless it listens everywhere.
fn web_address(conf: &Configuration, uri: &str) -> Result<HostPort> {
    let web = conf.get_host_port(&keys::DFS_NAMENODE_HTTP_ADDRESS)?;
    if web.host != "0.0.0.0" {
        return Ok(web);
    }
    let authority = uri.strip_prefix("hdfs://").unwrap_or_default();
    match HostPort::parse(authority, Some(0)) {
        Ok(namenode) => Ok(HostPort { host: namenode.host, ..web }),
        Err(_) => Ok(HostPort { host: conf.namenode_rpc_address()?.host, ..web }),
    }
}

/// Prints the report; its last line says the status.
fn check(place: &Place, query: &str) -> Result<i32> {
    let mut lines = Lines::new(|_: &str, _: &mut Output| true);
    place.get(query)?.copy_to(&mut lines)?;
    let last = lines.finish();
    let ended = ENDINGS.iter().find(|(ending, _)| last.ends_with(ending));
    Ok(match ended {
        Some((_, status)) => *status,
        None if last.contains("Incorrect blockId format:") => 0,
        None => 255,
    })
}

/// Asks for page after page of the blocks without any good replica.
fn list_corrupt(place: &Place, query: &str, typed: &str) -> Result<i32> {
    let mut cookie = 0_i64;
    let mut count = 0_u64;
    loop {
        let page = match cookie {
            0 => place.get(query)?,
            cookie => place.get(&format!("{query}&startblockafter={cookie}"))?,
        };
        let mut ended = false;
        let mut denied = false;
        let mut next = cookie;
        let mut lines = Lines::new(|line: &str, out: &mut Output| {
            if ended || denied {
                return false;
            }
            if let Some(text) = line.strip_prefix("Cookie:") {
                match text.trim_start_matches('\t').parse() {
                    Ok(cookie) => next = cookie,
                    Err(_) => ended = true,
                }
                return false;
            }
            ended = ["has no CORRUPT files", "has no more CORRUPT files", "does not exist"]
                .iter()
                .any(|ending| line.ends_with(ending));
            denied = line.starts_with("Access denied for user");
            let other = ["FSCK started by", "FSCK ended at", "The filesystem under path"];
            let about = line.is_empty() || other.iter().any(|start| line.starts_with(start));
            if ended || denied || about {
                return false;
            }
            count += 1;
            if count == 1 {
                out.line(format!("The list of corrupt blocks under path '{typed}' are:"));
            }
            true
        });
        page.copy_to(&mut lines)?;
        lines.finish();
        if denied {
            say!("Failed to open path '{typed}': Permission denied");
            return Ok(255);
        }
        // A server that neither ends its list nor goes on would be asked for ever.
        if ended || next == cookie {
            break;
        }
        cookie = next;
    }
    say!("The filesystem under path '{typed}' has {count} CORRUPT blocks");
    Ok(if count == 0 { 0 } else { 255 })
}

/// Prints the lines that `keep` wants, as soon as they are whole, and remembers the last one.
struct Lines<F: FnMut(&str, &mut Output) -> bool> {
    keep: F,
    out: Output,
    rest: Vec<u8>,
    last: String,
}

impl<F: FnMut(&str, &mut Output) -> bool> Lines<F> {
    fn new(keep: F) -> Self {
        Self { keep, out: Output::new(), rest: Vec::new(), last: String::new() }
    }

    fn line(&mut self, bytes: &[u8]) {
        let line = String::from_utf8_lossy(bytes);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if (self.keep)(line, &mut self.out) {
            self.out.line(line);
        }
        line.clone_into(&mut self.last);
    }

    /// Ends the last line, which need not have an end of its own; returns it.
    fn finish(mut self) -> String {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.line(&rest);
        }
        self.out.flush();
        self.last
    }
}

impl<F: FnMut(&str, &mut Output) -> bool> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut from = 0;
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(&bytes[from..at]);
            self.line(&line);
            from = at + 1;
        }
        self.rest.extend_from_slice(&bytes[from..]);
        self.out.flush();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush();
        Ok(())
    }
}

/// As Java's URLEncoder: letters, digits and `.-*_` stay, a blank is `+`.
pub(crate) fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'.' | b'-' | b'*' | b'_' => out.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Request> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&args)
    }

    #[test]
    fn options_become_parameters_in_their_order() {
        let request = parse("/a -racks -blocks -files -blockId blk_1 blk_2").expect("fine");
        assert_eq!(request.path, "/a");
        assert_eq!(request.parameters, "&racks=1&blocks=1&files=1&blockId=blk_1+blk_2+");
        assert!(parse("/a /b").is_none());
        assert!(parse("/a -nosuch").is_none());
        assert!(parse("-list-corruptfileblocks").expect("fine").lists_corrupt);
    }

    #[test]
    fn paths_are_encoded_as_java_encodes_forms() {
        assert_eq!(form_encoded("/a b/ü*~"), "%2Fa+b%2F%C3%BC*%7E");
    }

    #[test]
    fn lines_are_whole_and_the_last_one_needs_no_end() {
        let mut seen = Vec::new();
        let mut lines = Lines::new(|line: &str, _: &mut Output| {
            seen.push(line.to_owned());
            false
        });
        for piece in ["a", "b\nc\n", "\nis HE", "ALTHY"] {
            lines.write_all(piece.as_bytes()).expect("it is only kept");
        }
        assert_eq!(lines.finish(), "is HEALTHY");
        assert_eq!(seen, ["ab", "c", "", "is HEALTHY"]);
    }
}
