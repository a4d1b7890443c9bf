//! `hdfs bench stalls`: how long a stat waits while one operation works on millions of inodes.
//!
//! One caller stats one file again and again, a call at a time, while each operation runs and for a while after it, since
//! what an operation leaves behind (inodes to reclaim, blocks to invalidate) is work too. The longest wait is the result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{QuotaChange, RenameOptions};
use hdfs_conf::Configuration;
use hdfs_conf::keys;
use hdfs_rt::rpc::client::Ugi;
use serde_json::{Value, json};

use super::super::histogram::Histogram;
use super::super::options::{Known, Options};
use super::super::progress::interrupted;
use super::super::report::{grouped, micros, time};
use super::super::{Failure, Run};
use super::connection::Connection;
use super::workload::Plan;
use super::{Bench, Goal, Operation, Settings, drive, resolve};
use crate::output::say;

pub(in super::super) const KNOWN: &[Known] = &[
    ("files", true),
    ("files-per-dir", true),
    ("after", true),
    ("connections", true),
    ("in-flight", true),
    ("user", true),
    ("dir", true),
    ("keep", false),
    ("json", false),
    ("server-pids", true),
];

/// What one big operation does, in the order in which they run.
const STEPS: [Step; 11] = [
    Step { name: "quota", what: "set a quota on the tree" },
    Step { name: "count", what: "content summary of the tree" },
    Step { name: "setrep", what: "set the replication of every file" },
    Step { name: "diff", what: "report what changed in every directory since a snapshot" },
    Step { name: "rename", what: "rename the tree" },
    Step { name: "rename-in", what: "rename the tree below a directory with a quota" },
    Step { name: "delete", what: "delete the tree" },
    Step { name: "delete-changed", what: "delete a snapshot since which every file changed" },
    Step { name: "delete-marked", what: "delete the tree afterwards, beside another snapshot" },
    Step { name: "delete-kept", what: "delete the tree, which a snapshot keeps" },
    Step { name: "delete-snapshot", what: "delete the snapshot" },
];

struct Step {
    name: &'static str,
    what: &'static str,
}

/// What a step found out.
struct Outcome {
    step: &'static Step,
    took: Duration,
    stats: Histogram,
}

/// Runs `hdfs bench stalls`; the exit status.
pub(in super::super) fn run(conf: &Configuration, args: &[String]) -> Result<i32, Failure> {
    let mut options = Options::parse(args, KNOWN).map_err(Failure::Usage)?;
    let files = options.number("files", 1_000_000, (1, 1 << 32)).map_err(Failure::Usage)?;
    let after = options.duration("after").map_err(Failure::Usage)?;
    let after = after.unwrap_or(Duration::from_secs(3));
    // The words name steps here, not calls.
    let words = std::mem::take(&mut options.words);
    let wanted = wanted(&words).map_err(Failure::Usage)?;
    let settings =
        Settings::read(&options, &std::process::id().to_string()).map_err(Failure::Usage)?;
    let mut run = Run::start(conf, &options, "stalls")?;
    run.settings = json!({ "files": files });
    let result = Stalls { conf, files, after, settings: &settings, options: &options }
        .measure(&mut run, &wanted);
    run.finish(result)
}

fn wanted(words: &[String]) -> Result<Vec<&'static Step>, String> {
    let names: Vec<&str> = words.iter().flat_map(|word| word.split(',')).collect();
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("{unknown} is none of {}", known.join(", ")));
    }
    Ok(STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

struct Stalls<'a> {
    conf: &'a Configuration,
    files: u64,
    after: Duration,
    settings: &'a Settings,
    options: &'a Options,
}

impl Stalls<'_> {
    fn measure(&self, run: &mut Run, wanted: &[&'static Step]) -> Result<(), Failure> {
        let namenode = run.client.inner().current_namenode();
        let addr = resolve(&namenode.host, namenode.port)?;
        let probed = format!("{}/probed", run.root);
        run.client.mkdirs(&probed, None, true)?;
        run.tell(&format!("{} ({addr}): {} files", run.client.uri(), grouped(self.files)));
        let mut tree = Tree { at: None, connections: Vec::new() };
        let mut outcomes: Vec<Value> = Vec::new();
        for step in wanted {
            if interrupted() {
                break;
            }
            self.make_ready(run, addr, &mut tree, step.name)?;
            let outcome = self.watch_step(run, &probed, &mut tree, step)?;
            if step.name == "diff" {
                let at = tree.at.clone().unwrap_or_default();
                run.client.delete_snapshot(&at, "before")?;
                run.client.disallow_snapshot(&at)?;
            }
            if !run.json {
                outcome.print(outcomes.is_empty());
            }
            outcomes.push(outcome.json());
        }
        run.settings["steps"] = Value::Array(outcomes);
        // What a snapshot holds can't be removed with the directory.
        for directory in ["snapped", "other"].map(|name| format!("{}/{name}", run.root)) {
            if run.client.exists(&directory)? {
                if run.client.exists(&format!("{directory}/.snapshot/kept"))? {
                    run.client.delete_snapshot(&directory, "kept")?;
                }
                run.client.disallow_snapshot(&directory)?;
            }
        }
        Ok(())
    }

    /// What a step needs that is not part of it.
    fn make_ready(
        &self,
        run: &Run,
        addr: std::net::SocketAddr,
        tree: &mut Tree,
        step: &str,
    ) -> Result<(), Failure> {
        let client = &run.client;
        let snapped = format!("{}/snapped", run.root);
        if step == "delete-snapshot" {
            return if client.exists(&format!("{snapped}/.snapshot/kept"))? {
                Ok(())
            } else {
                Err(Failure::Usage("delete-snapshot comes after delete-kept".to_owned()))
            };
        }
        if step == "delete-marked" && tree.at.is_none() {
            return Err(Failure::Usage("delete-marked comes after delete-changed".to_owned()));
        }
        if tree.at.is_none() {
            let bench = Bench { run, settings: self.settings, addr };
            tree.connections = bench.connect()?;
            bench.prepare(&mut tree.connections, "tree", self.files)?;
            tree.at = Some(format!("{}/tree", run.root));
        }
        let at = tree.at.clone().unwrap_or_default();
        if step == "rename-in" {
            let limited = format!("{}/limited", run.root);
            client.mkdirs(&limited, None, true)?;
            let names = QuotaChange::Set(1 << 40);
            client.set_quota(&limited, names, QuotaChange::Keep)?;
        }
        if step == "diff" {
            client.allow_snapshot(&at)?;
            client.create_snapshot(&at, Some("before"))?;
            add_directories(client, &at)?;
        }
        if step == "delete-changed" {
            client.allow_snapshot(&at)?;
            client.create_snapshot(&at, Some("before"))?;
            self.set_replication(run, tree)?;
        }
        if step == "delete-marked" {
            let other = format!("{}/other", run.root);
            client.mkdirs(&other, None, true)?;
            client.allow_snapshot(&other)?;
            client.create_snapshot(&other, Some("kept"))?;
        }
        if step == "delete-kept" {
            client.mkdirs(&snapped, None, true)?;
            client.allow_snapshot(&snapped)?;
            client.rename_with(&at, &format!("{snapped}/tree"), RenameOptions::default())?;
            tree.at = Some(format!("{snapped}/tree"));
            client.create_snapshot(&snapped, Some("kept"))?;
        }
        Ok(())
    }

    /// Runs a step beside the caller that stats.
    fn watch_step(
        &self,
        run: &Run,
        probed: &str,
        tree: &mut Tree,
        step: &'static Step,
    ) -> Result<Outcome, Failure> {
        let user = self.options.text("user").map_or_else(Ugi::current, Ugi::new);
        let caller =
            HdfsClient::for_user(self.conf.get_str(&keys::FS_DEFAULT_FS), self.conf, user)?;
        caller.status(probed)?;
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stats = scope.spawn(|| stat_until(&caller, probed, &stop));
            let started = Instant::now();
            let done = self.take_step(run, tree, step.name);
            let took = started.elapsed();
            if done.is_ok() {
                std::thread::sleep(self.after);
            }
            stop.store(true, Ordering::Relaxed);
            let stats = stats.join().expect("the caller does not panic");
            done?;
            Ok(Outcome { step, took, stats: stats? })
        })
    }

    fn take_step(&self, run: &Run, tree: &mut Tree, step: &str) -> Result<(), Failure> {
        let (client, root) = (&run.client, &run.root);
        let at = tree.at.clone().unwrap_or_default();
        match step {
            "quota" => client.set_quota(&at, QuotaChange::Set(1 << 40), QuotaChange::Keep)?,
            "count" => {
                client.content_summary(&at)?;
            }
            "diff" => {
                client.block_on(client.inner().snapshot_diff(&at, "before", ""))?;
            }
            "setrep" => self.set_replication(run, tree)?,
            "rename" | "rename-in" => {
                let parent =
                    if step == "rename" { root.clone() } else { format!("{root}/limited") };
                let to = format!("{parent}/renamed");
                client.rename_with(&at, &to, RenameOptions::default())?;
                tree.at = Some(to);
            }
            "delete" | "delete-marked" | "delete-kept" => {
                client.delete(&at, true)?;
                tree.at = None;
            }
            "delete-changed" => {
                client.delete_snapshot(&at, "before")?;
                // Waits for the end of the deletion, as every change does.
                client.disallow_snapshot(&at)?;
            }
            _ => client.delete_snapshot(&format!("{root}/snapped"), "kept")?,
        }
        Ok(())
    }

    fn set_replication(&self, run: &Run, tree: &mut Tree) -> Result<(), Failure> {
        let namenode = run.client.inner().current_namenode();
        let bench =
            Bench { run, settings: self.settings, addr: resolve(&namenode.host, namenode.port)? };
        let at = tree.at.clone().unwrap_or_default();
        let under = at.strip_prefix(&format!("{}/", run.root)).unwrap_or_default();
        let shared = bench.shared(under, self.files, self.files as i64);
        let goal = Goal { name: "setrep", operations: Some(self.files), until: None };
        let plan = Plan::Only { operation: Operation::SetReplication, close: false };
        let (rows, _) = drive(&mut tree.connections, &plan, &shared, &goal);
        match rows.iter().find_map(|row| row.errors.first()) {
            Some(error) => Err(Failure::Run(format!("setrep: {error}"))),
            None => Ok(()),
        }
    }
}

/// Makes an empty directory in every directory of a tree.
fn add_directories(client: &HdfsClient, top: &str) -> Result<(), Failure> {
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in client.list(&directory) {
            let entry = entry?;
            if entry.is_dir() {
                open.push(entry.path);
            }
        }
        client.mkdirs(&format!("{directory}/new-since"), None, false)?;
    }
    Ok(())
}

/// The tree that the steps work on.
struct Tree {
    at: Option<String>,
    /// They know its files.
    connections: Vec<Connection>,
}

fn stat_until(
    caller: &HdfsClient,
    probed: &str,
    stop: &AtomicBool,
) -> Result<Histogram, hdfs_types::Error> {
    let mut stats = Histogram::default();
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        caller.status(probed)?;
        stats.record(started.elapsed());
        // A stat each millisecond: the wait is measured, not the load.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(stats)
}

impl Outcome {
    fn print(&self, with_head: bool) {
        if with_head {
            say!(
                "{:<16}{:>9}{:>10}{:>9}{:>9}{:>10}",
                "Step",
                "Time",
                "Stats",
                "p50",
                "p99",
                "Longest"
            );
        }
        let stats = &self.stats;
        say!(
            "{:<16}{:>9}{:>10}{:>9}{:>9}{:>10}",
            self.step.name,
            time(self.took),
            grouped(stats.count()),
            time(stats.percentile(0.5)),
            time(stats.percentile(0.99)),
            time(stats.max())
        );
    }

    fn json(&self) -> Value {
        json!({
            "step": self.step.name,
            "what": self.step.what,
            "seconds": self.took.as_secs_f64(),
            "stats": self.stats.count(),
            "stat_wait_us": {
                "p50": micros(self.stats.percentile(0.5)),
                "p99": micros(self.stats.percentile(0.99)),
                "max": micros(self.stats.max()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_their_order_whatever_the_order_of_the_words() {
        let names = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            wanted(&words).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["delete", "count"]), Ok(vec!["count", "delete"]));
        assert_eq!(names(&[]).map(|all| all.len()), Ok(STEPS.len()));
        assert!(names(&["fly"]).expect_err("unknown").starts_with("fly is none of quota, "));
    }
}
