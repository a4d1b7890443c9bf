//! `hdfs bench`: load for any HDFS, and what it costs.
//!
//! `nn` drives the NameNode's calls over few connections with many calls in flight; `io` moves bytes through the client;
//! `stalls` looks at single calls while one operation works on millions of inodes.
//! Each run works in a directory of its own and removes it. Hadoop has NNThroughputBenchmark and TestDFSIO for this.

mod histogram;
mod io;
mod nn;
mod options;
mod processes;
mod progress;
mod report;

use std::time::{SystemTime, UNIX_EPOCH};

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, keys};
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::ErrorKind;
use serde_json::{Value, json};

use crate::output::{complain, print, say};
use options::Options;
use report::Phase;

pub(crate) const USAGE: &str = include_str!("bench/usage.txt");
/// Status of a process that SIGINT ended, as shells count it.
const INTERRUPTED: i32 = 130;

/// Why there is no result.
enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The cluster does not let it run.
    Run(String),
}

impl From<hdfs_types::Error> for Failure {
    fn from(error: hdfs_types::Error) -> Self {
        Self::Run(describe(&error))
    }
}

/// An error's class and the first line of its message.
fn describe(error: &hdfs_types::Error) -> String {
    let line = error.message.lines().next().unwrap_or_default();
    format!("{}: {line}", simple_class(error))
}

fn simple_class(error: &hdfs_types::Error) -> &str {
    error.kind.java_class().rsplit('.').next().unwrap_or_default()
}

/// Runs `hdfs bench nn|io|stalls …`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    let run: fn(&Configuration, &[String]) -> Result<i32, Failure> =
        match args.first().map(String::as_str) {
            Some("nn") => nn::run,
            Some("io") => io::run,
            Some("stalls") => nn::stalls::run,
            Some("-h" | "-help" | "--help" | "help") => {
                print(USAGE);
                return 0;
            }
            Some(other) => {
                complain!("bench: {other} is none of nn, io, stalls");
                complain!("{USAGE}");
                return 1;
            }
            None => {
                complain!("{USAGE}");
                return 1;
            }
        };
    if args.iter().skip(1).any(|arg| matches!(arg.as_str(), "-h" | "-help" | "--help")) {
        print(USAGE);
        return 0;
    }
    progress::watch_interrupt();
    match run(&conf, &args[1..]) {
        Ok(status) => status,
        Err(Failure::Usage(message)) => {
            complain!("bench {}: {message}", args[0]);
            complain!("Try 'hdfs bench --help'.");
            1
        }
        Err(Failure::Run(message)) => {
            complain!("bench {}: {message}", args[0]);
            1
        }
    }
}

/// A run: its client and its directory.
struct Run {
    client: HdfsClient,
    /// The directory of this run.
    root: String,
    /// Its parent, when this run made it.
    made: Option<String>,
    keep: bool,
    json: bool,
    server_pids: Vec<u32>,
    phases: Vec<Phase>,
    settings: Value,
}

impl Run {
    /// Connects and makes the directory.
    fn start(conf: &Configuration, options: &Options, kind: &str) -> Result<Self, Failure> {
        let server_pids = options.pids().map_err(Failure::Usage)?;
        // Before anything is made: a number that is no process is a slip.
        processes::watch(&server_pids).map_err(Failure::Usage)?;
        let user = options.text("user").map_or_else(Ugi::current, Ugi::new);
        let client = HdfsClient::for_user(conf.get_str(&keys::FS_DEFAULT_FS), conf, user)?;
        let dir = options.text("dir").unwrap_or("/benchmarks").trim_end_matches('/').to_owned();
        if !dir.starts_with('/') {
            return Err(Failure::Usage(format!("--dir {dir}: an absolute path is expected")));
        }
        let millis =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        let root = format!("{dir}/{kind}-{millis}-{}", std::process::id());
        let is_new = !client.exists(&dir)?;
        client.mkdirs(&root, None, true).map_err(|error| match error.kind {
            ErrorKind::AccessControl => {
                Failure::Run(format!("{}; --dir names another directory", describe(&error)))
            }
            _ => error.into(),
        })?;
        Ok(Self {
            client,
            root,
            made: is_new.then_some(dir),
            keep: options.is_set("keep"),
            json: options.is_set("json"),
            server_pids,
            phases: Vec::new(),
            settings: json!({}),
        })
    }

    /// A line for people who wait.
    fn tell(&self, text: &str) {
        if !self.json {
            say!("{text}");
        }
    }

    fn add(&mut self, phase: Phase) {
        if !self.json {
            let with_head = self.phases.is_empty();
            phase.print(with_head);
        }
        self.phases.push(phase);
    }

    /// Removes the directory and prints what is left to print; the exit status.
    fn finish(mut self, result: Result<(), Failure>) -> Result<i32, Failure> {
        let cleaned = self.clean();
        if self.json {
            let mut all = std::mem::take(&mut self.settings);
            all["target"] = json!(self.client.uri());
            all["user"] = json!(self.client.user());
            all["directory"] = json!(self.root);
            all["interrupted"] = json!(progress::interrupted());
            all["phases"] = self.phases.iter().map(Phase::json).collect();
            say!("{all:#}");
        }
        result?;
        cleaned?;
        let errors: u64 = self.phases.iter().map(Phase::errors).sum();
        Ok(if progress::interrupted() { INTERRUPTED } else { i32::from(errors > 0) })
    }

    fn clean(&self) -> Result<(), Failure> {
        if self.keep {
            self.tell(&format!("Left in place: {}", self.root));
            return Ok(());
        }
        let line = progress::Line::new();
        line.show(&format!("removing {}", self.root));
        let removed = self.client.delete(&self.root, true);
        let removed = removed.and_then(|_| match &self.made {
            // Another run may be in there by now.
            Some(dir) if self.client.list(dir).next().is_none() => self.client.delete(dir, false),
            _ => Ok(true),
        });
        match removed {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Run(format!("remove {}: {}", self.root, describe(&error)))),
        }
    }
}
