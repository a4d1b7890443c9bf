//! One run: a world, its faults, its end, and what the checkers say.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use hdfs_proto::hdfs as p;

use crate::check;
use crate::client::Client;
use crate::cluster::Cluster;
use crate::kernel::{NAMENODE, Sim};
use crate::namenode;
use crate::nemesis::{self, Weather};

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Everything follows from it.
    pub seed: u64,
    /// Given every line of the history.
    pub print: Option<fn(&str)>,
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
    let Options { seed, print } = options;
    let (datanodes, clients) = (0, 3);
    let sim = Sim::new(seed, 1 + datanodes + clients, print);
    let cluster = Cluster::new(&sim, seed, datanodes, clients);
    cluster.start_namenode();
    for client in cluster.clients.clone() {
        Client::start(&cluster, client);
    }
    let weather = Weather::draw(&cluster);
    sim.note(format_args!("seed {seed}: {weather:?}"));
    sim.run(Duration::from_secs(2));
    weather.begin(&cluster);
    let rage = Duration::from_secs(30 + sim.below(120));
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
    // The tasks hold the world, and the world holds the tasks.
    let machines = sim.kernel().machines.len();
    for node in 0..machines {
        sim.end_tasks(crate::kernel::NodeId(node));
    }
    sim.clear();
    outcome
}

/// The faults are over: everything that is down starts, and the world gets time to heal.
fn calm(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    sim.note(format_args!("calm"));
    Weather::end(cluster);
    cluster.namenode_disk.set_faults(crate::disk::DiskFaults::default());
    let machines = sim.kernel().machines.len();
    for node in (0..machines).map(crate::kernel::NodeId) {
        sim.pause(node, false);
    }
    if cluster.namenode().is_some_and(|process| process.has_failed()) {
        cluster.crash(NAMENODE, crate::cluster::Crash::Killed);
    }
    if !sim.machine(NAMENODE).up {
        cluster.start_namenode();
    }
    for client in cluster.clients.clone() {
        cluster.crash(client, crate::cluster::Crash::Killed);
    }
    sim.run(Duration::from_secs(60));
}

fn verdict(cluster: &Rc<Cluster>) -> Result<(), String> {
    let Some(process) = cluster.namenode() else {
        return Err("the NameNode is down after the faults ended".to_owned());
    };
    let nn = process.machine();
    if nn.in_safe_mode() {
        return Err(format!(
            "safe mode does not end: {}",
            nn.safe_mode_tip(cluster.sim.now().mono)
        ));
    }
    check::accounts::check(&nn)?;
    let mut found = BTreeSet::new();
    list(cluster, &nn, "/", &mut found)?;
    check::tree::check(&found, &cluster.truth.borrow())?;
    let replayed = namenode::rebuilt(&cluster.sim, &cluster.namenode_disk, cluster.seed)?;
    check::replay::check(&nn, &replayed)
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
