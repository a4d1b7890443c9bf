//! `hdfs bench nn`: calls of `ClientProtocol`, as fast as the NameNode answers them.
//!
//! A connection is a thread with a blocking socket and pre-encoded requests: no runtime, no task, no channel, so that a
//! call costs the generator about a microsecond and the server is what saturates.

mod calls;
mod connection;
pub(super) mod stalls;
mod workload;

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::{Duration, Instant};

use hdfs_conf::Configuration;
use hdfs_rt::rpc::client::{ClientConf, RpcClient};
use serde_json::json;

use super::options::{Known, Options};
use super::processes;
use super::progress::{Line, interrupted};
use super::report::{Phase, Row, grouped};
use super::{Failure, Run};
use calls::{FileKind, Operation};
use connection::{Connection, Peer, Shared, combine};
use workload::{Layout, Plan};

const KNOWN: &[Known] = &[
    ("ops", true),
    ("duration", true),
    ("connections", true),
    ("in-flight", true),
    ("files", true),
    ("files-per-dir", true),
    ("mix", true),
    ("close", false),
    ("replication", true),
    ("block-size", true),
    ("user", true),
    ("dir", true),
    ("keep", false),
    ("json", false),
    ("server-pids", true),
];

/// What runs when no operation is named.
const DEFAULT: [&str; 7] = ["create", "mkdirs", "open", "stat", "list", "rename", "delete"];
const DEFAULT_MIX: &str = "stat=55,open=25,list=8,create=6,delete=4,rename=2";

/// The command line, understood.
struct Settings {
    operations: Vec<Wanted>,
    ops: u64,
    duration: Option<Duration>,
    connections: usize,
    in_flight: usize,
    files: u64,
    files_per_directory: u64,
    close: bool,
    kind: FileKind,
}

#[derive(Clone)]
enum Wanted {
    One(Operation),
    Mix(Vec<(Operation, u32)>),
}

impl Settings {
    fn read(options: &Options, run: &str) -> Result<Self, String> {
        let words = &options.words;
        let names: Vec<&str> = if words.is_empty() {
            DEFAULT.to_vec()
        } else {
            words.iter().flat_map(|word| word.split(',')).collect()
        };
        let mix = parse_mix(options.text("mix").unwrap_or(DEFAULT_MIX))?;
        let operations = names.iter().map(|name| match Operation::find(name) {
            _ if *name == "mix" => Ok(Wanted::Mix(mix.clone())),
            Some(operation) if operation != Operation::Complete => Ok(Wanted::One(operation)),
            _ => Err(format!("{name} is none of {}, mix", DEFAULT.join(", "))),
        });
        let in_flight = options.number("in-flight", 32, (1, 1_000))?;
        let connections = options.number("connections", 4, (1, 10_000))?;
        let ops = options.number("ops", 50_000, (1, 1 << 40))?;
        Ok(Self {
            operations: operations.collect::<Result<_, _>>()?,
            ops,
            duration: options.duration("duration")?,
            connections: connections as usize,
            in_flight: in_flight as usize,
            files: options.number("files", ops.min(10_000), (1, 1 << 32))?,
            files_per_directory: options.number("files-per-dir", 100, (1, 1 << 20))?,
            close: options.is_set("close"),
            kind: FileKind {
                client_name: format!("hdfs-bench-{run}"),
                replication: options.number("replication", 3, (1, 512))? as u32,
                block_size: options.bytes("block-size", 128 << 20, (1, 1 << 50))?,
            },
        })
    }

    fn slots(&self) -> u64 {
        (self.connections * self.in_flight) as u64
    }

    fn layout(&self, files: u64) -> Layout {
        Layout {
            slots: self.slots(),
            files_per_directory: self.files_per_directory,
            directories: files.div_ceil(self.files_per_directory),
        }
    }
}

fn parse_mix(text: &str) -> Result<Vec<(Operation, u32)>, String> {
    let odd = || format!("--mix {text}: operations with weights, like {DEFAULT_MIX}, are expected");
    let mix: Vec<(Operation, u32)> = text
        .split(',')
        .map(|part| {
            let (name, weight) = part.split_once('=').ok_or_else(odd)?;
            let operation = Operation::find(name).filter(|op| *op != Operation::Complete);
            let weight = weight.parse().ok().filter(|weight| *weight <= 1_000_000);
            operation.zip(weight).ok_or_else(odd)
        })
        .collect::<Result<_, _>>()?;
    if mix.iter().all(|(_, weight)| *weight == 0) { Err(odd()) } else { Ok(mix) }
}

/// Runs `hdfs bench nn`; the exit status.
pub(super) fn run(conf: &Configuration, args: &[String]) -> Result<i32, Failure> {
    let options = Options::parse(args, KNOWN).map_err(Failure::Usage)?;
    let name = std::process::id().to_string();
    let settings = Settings::read(&options, &name).map_err(Failure::Usage)?;
    let mut run = Run::start(conf, &options, "nn")?;
    run.settings = json!({
        "connections": settings.connections,
        "in_flight": settings.in_flight,
        "files_per_directory": settings.files_per_directory,
        "replication": settings.kind.replication,
        "block_size": settings.kind.block_size,
    });
    let result = measure_all(&mut run, &settings);
    run.finish(result)
}

fn measure_all(run: &mut Run, settings: &Settings) -> Result<(), Failure> {
    let namenode = run.client.inner().current_namenode();
    let addr = resolve(&namenode.host, namenode.port)?;
    run.tell(&format!(
        "{} ({addr}): {} connections with {} calls in flight each",
        run.client.uri(),
        settings.connections,
        settings.in_flight
    ));
    // The files that reading operations and renames share, and the connections that know them.
    let mut shared_files: Option<Vec<Connection>> = None;
    for wanted in &settings.operations {
        if interrupted() {
            break;
        }
        let (name, plan) = match wanted {
            Wanted::One(operation) => {
                let plan = Plan::Only { operation: *operation, close: settings.close };
                (operation.name(), plan)
            }
            Wanted::Mix(weights) => {
                ("mix", Plan::Mix { weights: weights.clone(), close: settings.close })
            }
        };
        let bench = Bench { run, settings, addr };
        let phase = match wanted {
            Wanted::One(Operation::Create | Operation::Mkdirs) => {
                let mut fresh = bench.connect()?;
                bench.measure(&mut fresh, &plan, name, settings.files)?
            }
            Wanted::One(Operation::Delete) | Wanted::Mix(_) => {
                let files = match (wanted, settings.duration) {
                    (Wanted::One(_), None) => settings.ops,
                    _ => settings.files,
                };
                let mut fresh = bench.connect()?;
                bench.prepare(&mut fresh, name, files)?;
                bench.measure(&mut fresh, &plan, name, files)?
            }
            Wanted::One(_) => {
                if shared_files.is_none() {
                    let mut fresh = bench.connect()?;
                    bench.prepare(&mut fresh, "files", settings.files)?;
                    shared_files = Some(fresh);
                }
                let connections = shared_files.as_mut().expect("prepared above");
                bench.measure(connections, &plan, "files", settings.files)?
            }
        };
        run.add(phase);
    }
    Ok(())
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, Failure> {
    let found = (host, port).to_socket_addrs().map_err(|error| error.to_string());
    let found = found.and_then(|mut all| all.next().ok_or_else(|| "no address".to_owned()));
    found.map_err(|error| Failure::Run(format!("{host}:{port}: {error}")))
}

/// Where and how to measure.
struct Bench<'a> {
    run: &'a Run,
    settings: &'a Settings,
    addr: SocketAddr,
}

impl Bench<'_> {
    fn connect(&self) -> Result<Vec<Connection>, Failure> {
        let depth = self.settings.in_flight;
        (0..self.settings.connections)
            .map(|index| {
                let client_id = RpcClient::new(ClientConf::default()).client_id();
                let peer = Peer { addr: self.addr, user: self.run.client.user(), client_id };
                let first_slot = (index * depth) as u64;
                Connection::open(peer, &self.settings.kind, first_slot, depth)
                    .map_err(|error| Failure::Run(format!("connect to {}: {error}", self.addr)))
            })
            .collect()
    }

    /// Makes the files that the operation works on.
    fn prepare(
        &self,
        connections: &mut [Connection],
        under: &str,
        files: u64,
    ) -> Result<(), Failure> {
        let shared = self.shared(under, files, i64::MAX);
        let goal = Goal { name: "preparing files", operations: Some(files), until: None };
        let (rows, _) = drive(connections, &Plan::Prepare { files }, &shared, &goal);
        match rows.iter().find_map(|row| row.errors.first().map(|error| (row.name, error))) {
            Some((name, error)) => Err(Failure::Run(format!("prepare files: {name}: {error}"))),
            None => Ok(()),
        }
    }

    fn measure(
        &self,
        connections: &mut [Connection],
        plan: &Plan,
        under: &str,
        files: u64,
    ) -> Result<Phase, Failure> {
        let Settings { ops, duration, .. } = *self.settings;
        let budget = if duration.is_some() { i64::MAX } else { ops as i64 };
        let shared = self.shared(under, files, budget);
        let name = match plan {
            Plan::Only { operation, .. } => operation.name(),
            _ => "mix",
        };
        let goal = Goal { name, operations: duration.is_none().then_some(ops), until: duration };
        let servers = processes::watch(&self.run.server_pids).map_err(Failure::Run)?;
        let own_before = processes::own_cpu();
        let (rows, elapsed) = drive(connections, plan, &shared, &goal);
        let own_cpu = processes::own_cpu().saturating_sub(own_before);
        let servers = processes::used(&servers).map_err(Failure::Run)?;
        Ok(Phase { rows, elapsed, own_cpu, servers, moves_bytes: false })
    }

    fn shared(&self, under: &str, files: u64, budget: i64) -> Shared {
        Shared {
            root: format!("{}/{under}", self.run.root),
            layout: self.settings.layout(files),
            budget: AtomicI64::new(budget),
            stop: AtomicBool::new(false),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            start: Barrier::new(self.settings.connections + 1),
        }
    }
}

/// What ends a phase, for the line of progress too.
struct Goal {
    name: &'static str,
    operations: Option<u64>,
    until: Option<Duration>,
}

/// Lets all connections work on a plan, each on a thread; the rows, and the time from the common start to the last answer.
fn drive(
    connections: &mut [Connection],
    plan: &Plan,
    shared: &Shared,
    goal: &Goal,
) -> (Vec<Row>, Duration) {
    let line = Line::new();
    let (sender, ended) = mpsc::channel();
    let mut all = Vec::new();
    let elapsed = std::thread::scope(|scope| {
        let expected = connections.len();
        for connection in connections {
            let sender = sender.clone();
            scope.spawn(move || {
                let rows = connection.run(plan, shared);
                // The receiver lives until every thread has sent.
                let _ = sender.send((rows, Instant::now()));
            });
        }
        shared.start.wait();
        let started = Instant::now();
        let mut last = started;
        while all.len() < expected {
            match ended.recv_timeout(Duration::from_millis(20)) {
                Ok((rows, at)) => {
                    all.push(rows);
                    last = last.max(at);
                }
                Err(_) => watch(shared, goal, started, &line),
            }
        }
        last - started
    });
    (combine(all), elapsed)
}

/// Ends the work in time, and shows how far it is.
fn watch(shared: &Shared, goal: &Goal, started: Instant, line: &Line) {
    let elapsed = started.elapsed();
    if interrupted() || goal.until.is_some_and(|limit| elapsed >= limit) {
        shared.stop.store(true, Ordering::Relaxed);
    }
    let done = shared.done.load(Ordering::Relaxed);
    let rate = grouped((done as f64 / elapsed.as_secs_f64()) as u64);
    let share = match (goal.operations, goal.until) {
        (Some(all), _) => done as f64 / all as f64,
        (None, Some(limit)) => elapsed.as_secs_f64() / limit.as_secs_f64(),
        (None, None) => 0.0,
    };
    let failed = match shared.failed.load(Ordering::Relaxed) {
        0 => String::new(),
        count => format!(", {} errors", grouped(count)),
    };
    let percent = share.min(1.0) * 100.0;
    line.show(&format!("{}: {percent:3.0} %, {} done, {rate}/s{failed}", goal.name, grouped(done)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_has_known_operations_and_some_weight() {
        let mix = parse_mix("stat=3,create=1").expect("valid");
        assert_eq!(mix, [(Operation::Stat, 3), (Operation::Create, 1)]);
        assert!(parse_mix(DEFAULT_MIX).is_ok());
        for odd in ["", "stat", "stat=x", "fly=1", "complete=1", "stat=0,open=0", "stat=-1"] {
            assert!(parse_mix(odd).expect_err(odd).starts_with("--mix "), "{odd}");
        }
    }
}
