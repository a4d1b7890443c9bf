//! One run: a world, its faults, its end, and what the checkers say.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use hdfs_proto::hdfs as p;
use hdfs_types::Planted;

use crate::check;
use crate::client::Client;
use crate::cluster::{Cluster, Crash};
use crate::disk::DiskFaults;
use crate::kernel::{NAMENODE, NodeId, Sim};
use crate::namenode;
use crate::nemesis::{self, Weather};
use crate::truth::{Entry, FileId};

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Everything follows from it.
    pub seed: u64,
    /// Given every line of the history.
    pub print: Option<fn(&str)>,
    /// A bug that the machines have: the run should break a promise.
    pub planted: Planted,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Promises that were broken. Empty: all is well.
    pub violations: Vec<String>,
    /// Hash of the history: the same for the same seed.
    pub trace: u64,
    /// Lines of the history.
    pub lines: u64,
    /// Calls that clients had answered.
    pub calls: u64,
    /// Reads whose bytes were compared.
    pub reads: u64,
    /// Bytes that were acknowledged to writers.
    pub acknowledged_bytes: u64,
}

/// Runs one seed.
pub fn run(options: Options) -> Outcome {
    let Options { seed, print, planted } = options;
    let (datanodes, clients) = (4, 3);
    let sim = Sim::new(seed, 1 + datanodes + clients, print);
    let cluster = Cluster::new(&sim, seed, datanodes, clients, planted);
    cluster.start_namenode();
    for node in cluster.datanodes.clone() {
        cluster.start_datanode(node);
    }
    for client in cluster.clients.clone() {
        Client::start(&cluster, client);
    }
    let weather = Weather::draw(&cluster);
    sim.note(format_args!("seed {seed}: {weather:?}"));
    Weather::end(&cluster);
    sim.run(Duration::from_secs(8));
    weather.begin(&cluster);
    let rage = Duration::from_secs(20 + sim.below(100));
    nemesis::rage(&cluster, weather, rage);
    if !sim.has_failed() {
        calm(&cluster);
    }
    if !sim.has_failed()
        && let Err(wrong) = verdict(&cluster)
    {
        sim.violation(wrong);
    }
    let outcome = outcome(&cluster);
    cluster.end();
    outcome
}

/// How long the world may take to heal: a silent writer's lease, a dead node, a copy that was not reported, each in turn.
const HEALING: Duration = Duration::from_secs(900);

/// The faults are over: everything that is down starts, and the world gets time to heal.
fn calm(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    sim.note(format_args!("calm"));
    // What the last faults had planned to happen later has happened by then.
    sim.run(Duration::from_secs(61));
    Weather::end(cluster);
    cluster.namenode_disk.set_faults(DiskFaults::default());
    for node in cluster.datanodes.clone() {
        cluster.disk(node).set_faults(DiskFaults::default());
    }
    let machines = sim.kernel().machines.len();
    for node in (0..machines).map(NodeId) {
        sim.pause(node, false);
    }
    nemesis::watch(cluster);
    if !sim.machine(NAMENODE).up {
        cluster.start_namenode();
    }
    for node in cluster.datanodes.clone() {
        if !sim.machine(node).up {
            cluster.start_datanode(node);
        }
    }
    for client in cluster.clients.clone() {
        cluster.crash(client, Crash::Killed);
    }
    let end = sim.now().mono.after(HEALING);
    // Twice in a row: a late call may open what was whole.
    let mut whole = 0;
    while whole < 2 && sim.now().mono < end && !sim.has_failed() {
        sim.run(Duration::from_secs(10));
        cluster.look_at_replicas();
        let is_whole = check::healing::why_not_whole(cluster).is_none();
        whole = if is_whole { whole + 1 } else { 0 };
    }
}

fn verdict(cluster: &Rc<Cluster>) -> Result<(), String> {
    if let Some(why) = check::healing::why_not_whole(cluster) {
        return Err(format!("{} s after the last fault: {why}", HEALING.as_secs()));
    }
    let process = cluster.namenode().ok_or("the NameNode is down")?;
    {
        let nn = process.machine();
        check::accounts::check(&nn)?;
        let mut found = BTreeSet::new();
        list(cluster, &nn, "/", &mut found)?;
        check::tree::check(&found, &cluster.truth.borrow())?;
        let replayed = namenode::rebuilt(&cluster.sim, &cluster.namenode_disk, cluster.seed)?;
        check::replay::check(&nn, &replayed)?;
    }
    read_everything(cluster);
    Ok(())
}

/// Every file must be readable now.
fn read_everything(cluster: &Rc<Cluster>) {
    let node = cluster.clients[0];
    let reader = Client::observer(cluster, node);
    let files: Vec<(String, FileId)> = {
        let truth = cluster.truth.borrow();
        let known = truth.tree.iter().filter(|(path, _)| !truth.is_unknown(path));
        let files = known.filter_map(|(path, entry)| match entry {
            Entry::File(id) => Some((path.clone(), *id)),
            Entry::Directory => None,
        });
        files.collect()
    };
    let (left, count) = (Rc::new(Cell::new(files.len())), files.len());
    let inner = Rc::clone(cluster);
    let counter = Rc::clone(&left);
    cluster.sim.spawn(node, async move {
        for (path, id) in files {
            let known = inner.truth.borrow_mut().file(id).clone();
            match reader.read_file(&path).await {
                Ok(bytes) => {
                    inner.truth.borrow_mut().reads += 1;
                    if let Err(wrong) = check::bytes::check(&bytes, &known, &known) {
                        inner.sim.violation(format!("at the end: {path}: {wrong}"));
                    }
                }
                Err(error) => inner.sim.violation(format!("at the end: {path}: {error}")),
            }
            counter.set(counter.get() - 1);
        }
    });
    cluster.sim.run(Duration::from_secs(60 + 5 * count as u64));
    if left.get() > 0 && !cluster.sim.has_failed() {
        cluster.sim.violation(format!("{} of {count} files could not be read in time", left.get()));
    }
}

/// Every path of the NameNode.
fn list(
    cluster: &Cluster,
    nn: &hdfs_namenode::NameNode,
    path: &str,
    found: &mut BTreeSet<String>,
) -> Result<(), String> {
    let caller = std::sync::Arc::new(hdfs_namenode::Caller {
        user: "root".to_owned(),
        groups: Vec::new(),
        superuser: true,
    });
    let now = cluster.sim.now();
    let call = hdfs_namenode::Call { caller: &caller, client_machine: "10.0.0.1", key: None, now };
    let request = p::GetListingRequestProto {
        src: path.to_owned(),
        start_after: Vec::new().into(),
        need_location: false,
    };
    let listing = nn.get_listing(&call, &request).map_err(|error| error.to_string())?;
    for status in listing.dir_list.map(|list| list.partial_listing).unwrap_or_default() {
        let name = String::from_utf8_lossy(&status.path).into_owned();
        let child = format!("{}/{name}", path.trim_end_matches('/'));
        if status.file_type == p::hdfs_file_status_proto::FileType::IsDir as i32 {
            found.insert(format!("{child}/"));
            list(cluster, nn, &child, found)?;
        } else {
            found.insert(child);
        }
    }
    Ok(())
}

fn outcome(cluster: &Cluster) -> Outcome {
    let (trace, lines) = cluster.sim.trace();
    let truth = cluster.truth.borrow();
    Outcome {
        seed: cluster.seed,
        violations: cluster.sim.violations(),
        trace,
        lines,
        calls: truth.calls,
        reads: truth.reads,
        acknowledged_bytes: truth.acknowledged,
    }
}
