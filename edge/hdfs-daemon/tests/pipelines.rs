//! The pipeline matrix: what breaks × when × on which DataNode × for how many replicas. The writer finishes or gets a clear
//! error, every acknowledged byte is read back, and the DataNode that failed is the one that is left out.
//!
//! Every test run does the rows of three replicas that need no waiting, and one with a silent node; `TUSK_PIPELINE_MATRIX=1`
//! does all of them (some minutes; a full disk needs the right to mount a tmpfs).

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hdfs_client::blocking::{FileWriter, HdfsClient};
use hdfs_client::{BlockPlacement, CreateOptions, DatanodeReportType};
use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use hdfs_faults::{Fault, Faults, Proxy, Trigger, Way};
use parking_lot::Mutex;

const DATANODES: usize = 4;
/// DataNodes are reached here, through their proxies; daemons listen at 127.0.0.1.
const PROXIES: &str = "127.0.0.2";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Setup,
    Streaming,
    Ack,
    Hflush,
    Close,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Killed,
    Silent,
    Slow,
    DiskFull,
    Corrupt,
    Restart,
}

const STAGES: [Stage; 5] =
    [Stage::Setup, Stage::Streaming, Stage::Ack, Stage::Hflush, Stage::Close];

#[derive(Clone, Copy, Debug)]
struct Case {
    replication: u16,
    position: usize,
    stage: Stage,
    kind: Kind,
}

struct World {
    cluster: Arc<Mutex<MiniCluster>>,
    faults: Faults,
    proxies: Vec<Proxy>,
    /// Its disks can be filled.
    mounts: Arc<Mounts>,
    dir: PathBuf,
    /// Sees the proxies.
    writer: HdfsClient,
    reader: HdfsClient,
}

/// Folders on a tmpfs of their own.
struct Mounts(Vec<PathBuf>);

impl Drop for Mounts {
    fn drop(&mut self) {
        for folder in &self.0 {
            let _ = std::process::Command::new("umount").arg("-l").arg(folder).status();
        }
    }
}

fn mount(folder: &Path) -> bool {
    std::fs::create_dir_all(folder).unwrap();
    let mut command = std::process::Command::new("mount");
    command.args(["-t", "tmpfs", "-o", "size=48m", "tusk"]).arg(folder);
    command.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

/// On ports that the system gives to no connection: a DataNode that starts again needs its own.
fn start(mut options: MiniClusterOptions) -> MiniCluster {
    let own = u16::try_from(std::process::id() % 199).unwrap();
    for attempt in 0..20 {
        options.base_port = 10_000 + (own + attempt * 17) % 199 * 100;
        if let Ok(cluster) = MiniCluster::start(options.clone()) {
            return cluster;
        }
    }
    panic!("no free ports");
}

impl World {
    fn new(name: &str, with_disks: bool) -> Self {
        let dir =
            std::env::temp_dir().join(format!("tusk-pipelines-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let folders = (1..=DATANODES).map(|number| dir.join(format!("data{number}")));
        let mounts = folders.filter(|folder| with_disks && mount(folder)).collect();
        let mounts = Arc::new(Mounts(mounts));
        let mut options = MiniClusterOptions::new(&dir);
        options.datanodes = DATANODES;
        for (key, value) in [
            ("dfs.namenode.fs-limits.min-block-size", "0"),
            ("dfs.blocksize", "524288"),
            ("dfs.heartbeat.interval", "1"),
            ("dfs.namenode.redundancy.considerLoad", "false"),
            ("dfs.client.socket-timeout", "500"),
            ("dfs.datanode.hostname", PROXIES),
            ("dfs.datanode.use.datanode.hostname", "true"),
            ("dfs.client.datanode-restart.timeout", "5"),
        ] {
            options.settings.push((key.to_owned(), value.to_owned()));
        }
        let cluster = start(options);
        let faults = Faults::new(b"DFSClient_");
        let mut proxies = Vec::new();
        for (number, datanode) in cluster.datanodes.iter().enumerate() {
            for (target, counted) in
                [(datanode.data_address(), Some(number)), (datanode.ipc_address(), None)]
            {
                let address = format!("{PROXIES}:{}", target.port()).parse().unwrap();
                proxies.push(Proxy::start(address, target, counted, &faults).unwrap());
            }
        }
        let mut conf = cluster.conf().clone();
        let reader = HdfsClient::connect(&conf).unwrap();
        conf.set("dfs.client.use.datanode.hostname", "true").unwrap();
        let writer = HdfsClient::connect(&conf).unwrap();
        let cluster = Arc::new(Mutex::new(cluster));
        Self { cluster, faults, proxies, mounts, dir, writer, reader }
    }

    fn arm(&self, kind: Kind, trigger: Option<Trigger>) {
        let (cluster, mounts) = (Arc::clone(&self.cluster), Arc::clone(&self.mounts));
        self.faults.arm(trigger, move |number| match kind {
            Kind::Killed => cluster.lock().datanodes[number].stop(),
            Kind::Restart => cluster.lock().restart_datanode(number).unwrap(),
            Kind::DiskFull => fill(&mounts.0[number]),
            Kind::Silent | Kind::Slow | Kind::Corrupt => {}
        });
    }

    /// What was broken works again.
    fn mend(&self, kind: Kind) {
        self.faults.calm();
        let struck = self.faults.struck();
        let mut cluster = self.cluster.lock();
        match (kind, struck) {
            (Kind::Killed, Some(number)) => cluster.restart_datanode(number).unwrap(),
            (Kind::DiskFull, Some(number)) => {
                std::fs::remove_file(self.mounts.0[number].join("filler")).unwrap();
            }
            _ => {}
        }
        let up = |cluster: &MiniCluster| cluster.datanodes.iter().all(|of| of.is_registered());
        wait("every DataNode is registered", || up(&cluster));
        drop(cluster);
        wait("the NameNode knows of space on every DataNode", || {
            let nodes = self.reader.datanode_report(DatanodeReportType::Live).unwrap();
            nodes.iter().filter(|node| node.remaining > 4 << 20).count() == DATANODES
        });
    }

    fn end(self) {
        for proxy in &self.proxies {
            proxy.end();
        }
        drop((self.writer, self.reader));
        let cluster = Arc::into_inner(self.cluster);
        // A callback that waits for its DataNode may hold it a moment longer.
        if let Some(cluster) = cluster {
            cluster.into_inner().stop().unwrap();
        }
        self.faults.arm(None, |_| {});
        drop(self.mounts);
        let _ = std::fs::remove_dir_all(self.dir);
    }
}

/// Leaves no byte on a volume.
fn fill(folder: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("filler")).unwrap();
    for size in [1 << 20, 1 << 10, 1] {
        let bytes = vec![0; size];
        while file.write_all(&bytes).is_ok() {}
    }
}

/// Awaits what other threads do; the daemons have no event to wait for.
fn wait(what: &str, mut look: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(40);
    while !look() {
        assert!(Instant::now() < until, "{what} did not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// How a write ended, and how much was acknowledged before.
struct Written {
    acked: usize,
    error: Option<String>,
}

fn write(world: &World, case: Case, path: &str, data: &[u8]) -> Written {
    let fault = match case.kind {
        Kind::Killed | Kind::DiskFull | Kind::Restart => Fault::Callback,
        Kind::Silent => Fault::Silence,
        Kind::Slow => Fault::Slow(15),
        Kind::Corrupt => Fault::Flip,
    };
    let trigger = |way, after| Trigger { position: case.position, way, after, fault };
    let at_start = match case.stage {
        // A bit that turns over needs bytes: those of the request.
        Stage::Setup if case.kind == Kind::Corrupt => Some(trigger(Way::Down, Some(0))),
        Stage::Setup => Some(trigger(Way::Down, None)),
        Stage::Streaming => Some(trigger(Way::Down, Some(100_000))),
        Stage::Ack => Some(trigger(Way::Up, Some(30))),
        Stage::Hflush | Stage::Close => None,
    };
    world.arm(case.kind, at_start);
    let mut written = Written { acked: 0, error: None };
    let options = CreateOptions { replication: Some(case.replication), ..CreateOptions::default() };
    let mut file = world.writer.create(path, options).unwrap();
    let steps = || -> hdfs_types::Result<()> {
        let before = data.len() - 20_000;
        put(&mut file, &data[..before])?;
        file.hflush()?;
        written.acked = before;
        put(&mut file, &data[before..])?;
        let late = trigger(Way::Down, Some(0));
        if case.stage == Stage::Hflush {
            world.faults.strike(late);
        }
        if case.stage != Stage::Close {
            file.hflush()?;
            written.acked = data.len();
        } else {
            world.faults.strike(late);
        }
        file.close()?;
        written.acked = data.len();
        Ok(())
    };
    written.error = steps().err().map(|error| error.to_string());
    written
}

fn put(file: &mut FileWriter, data: &[u8]) -> hdfs_types::Result<()> {
    std::io::Write::write_all(file, data).map_err(Into::into)
}

fn read(world: &World, path: &str) -> Vec<u8> {
    let mut found = Vec::new();
    world.reader.open(path).unwrap().read_to_end(&mut found).unwrap();
    found
}

/// Numbers of the DataNodes that have the file's block.
fn holders(world: &World, path: &str) -> Vec<usize> {
    let ports: Vec<u16> =
        world.cluster.lock().datanodes.iter().map(|of| of.data_address().port()).collect();
    let located = world.reader.block_locations(path, 0, u64::MAX >> 1).unwrap();
    let block = located.blocks.last().unwrap();
    let numbers = block.locations.iter().map(|place| {
        let port = place.datanode.xfer_port;
        ports.iter().position(|known| *known == port).unwrap()
    });
    numbers.collect()
}

/// Who may be left out, and who must be: places in the first pipeline, from 0.
fn blame(case: Case) -> (Vec<usize>, bool) {
    let struck = case.position - 1;
    match case.kind {
        // At an acknowledgement every byte may be on its disk already.
        Kind::DiskFull => (vec![struck], case.stage != Stage::Ack),
        Kind::Killed | Kind::Silent => (vec![struck], true),
        // It is there again, and may be taken for a copy.
        Kind::Restart => (vec![struck], false),
        Kind::Slow => (Vec::new(), false),
        // Both ends of the way on which the bit turned over.
        Kind::Corrupt => (vec![struck.saturating_sub(1), struck], false),
    }
}

fn check_blame(world: &World, case: Case, path: &str) {
    let pipeline = world.faults.pipeline();
    let first = &pipeline[..usize::from(case.replication)];
    let (may, must) = blame(case);
    if must {
        // The pipeline goes on without it; it hears nothing of the block's last version.
        let struck = world.faults.struck().unwrap();
        let is_out = || !holders(world, path).contains(&struck);
        assert!(is_out(), "{case:?}: DataNode {struck} of {first:?} is not left out");
    }
    // A block that was not set up is given up as a whole, and damaged requests and acknowledgements don't say who is bad.
    let names = case.stage != Stage::Setup
        && (case.kind != Kind::Corrupt || matches!(case.stage, Stage::Streaming | Stage::Hflush));
    if !names {
        return;
    }
    let healthy: Vec<usize> = first
        .iter()
        .enumerate()
        .filter(|(place, _)| !may.contains(place))
        .map(|(_, number)| *number)
        .collect();
    let mut found = Vec::new();
    let until = Instant::now() + Duration::from_secs(20);
    while !healthy.iter().all(|number| found.contains(number)) {
        assert!(
            Instant::now() < until,
            "{case:?}: a healthy one of {first:?} was left out: {found:?} have it"
        );
        found = holders(world, path);
        thread::sleep(Duration::from_millis(20));
    }
}

fn run(world: &World, case: Case) {
    let path = format!("/{case:?}").replace([' ', ':', '{', '}', ','], "-");
    let data = bytes(300_000);
    let written = write(world, case, &path, &data);
    if case.kind != Kind::Slow {
        assert!(world.faults.struck().is_some(), "{case:?}: nothing was struck");
    }
    match &written.error {
        None => {
            assert_eq!(read(world, &path).len(), data.len(), "{case:?}");
            assert!(read(world, &path) == data, "{case:?}: wrong bytes");
            if case.replication > 1 {
                check_blame(world, case, &path);
            }
            world.mend(case.kind);
        }
        Some(error) => {
            // A writer with one DataNode can't go on without it.
            assert_eq!(case.replication, 1, "{case:?}: {error}");
            assert!(!error.is_empty());
            world.mend(case.kind);
            wait("the lease is recovered", || world.reader.recover_lease(&path).unwrap());
            let found = read(world, &path);
            assert!(found.len() >= written.acked, "{case:?}: {} of {}", found.len(), written.acked);
            assert!(found == data[..found.len()], "{case:?}: wrong bytes");
        }
    }
    assert!(world.reader.delete(&path, false).unwrap());
}

fn cases(replications: &[u16], kinds: &[Kind]) -> Vec<Case> {
    let mut cases = Vec::new();
    for &kind in kinds {
        for &replication in replications {
            for position in 1..=usize::from(replication) {
                for stage in STAGES {
                    cases.push(Case { replication, position, stage, kind });
                }
            }
        }
    }
    cases
}

#[test]
fn whatever_breaks_in_a_pipeline_no_acknowledged_byte_is_lost_and_the_bad_node_is_left_out() {
    let all = std::env::var_os("TUSK_PIPELINE_MATRIX").is_some();
    let mut wanted = if all {
        let kinds =
            [Kind::Killed, Kind::Silent, Kind::Slow, Kind::DiskFull, Kind::Corrupt, Kind::Restart];
        cases(&[1, 2, 3], &kinds)
    } else {
        let (stage, kind) = (Stage::Streaming, Kind::Silent);
        let mut few = cases(&[3], &[Kind::Killed, Kind::Corrupt, Kind::Restart]);
        few.push(Case { replication: 3, position: 3, stage, kind });
        few
    };
    let world = World::new("matrix", all);
    if world.mounts.0.len() < DATANODES {
        wanted.retain(|case| case.kind != Kind::DiskFull);
        if all {
            println!("no right to mount a tmpfs: rows with full disks are left out");
        }
    }
    let one = std::env::var("TUSK_PIPELINE_CASE").unwrap_or_default();
    for case in wanted.into_iter().filter(|case| format!("{case:?}").contains(&one)) {
        let began = Instant::now();
        run(&world, case);
        println!("{case:?}: {} ms", began.elapsed().as_millis());
    }
    world.end();
}

#[test]
fn a_writer_says_where_its_blocks_go_and_gives_its_file_away_when_it_cannot_close() {
    let world = World::new("options", false);
    for number in 0..DATANODES {
        let address = world.cluster.lock().datanodes[number].data_address().to_string();
        let placement =
            BlockPlacement { favored_nodes: vec![address], ..BlockPlacement::default() };
        let options = CreateOptions {
            replication: Some(1),
            sync_block: true,
            placement,
            ..CreateOptions::default()
        };
        let path = format!("/favored-{number}");
        let mut file = world.reader.create(&path, options).unwrap();
        put(&mut file, b"bytes").unwrap();
        file.close().unwrap();
        assert_eq!(holders(&world, &path), [number]);
    }
    let mut conf = world.cluster.lock().conf().clone();
    conf.set("dfs.client.use.datanode.hostname", "true").unwrap();
    conf.set("dfs.client.write.recover.lease.on.close.exception", "true").unwrap();
    let client = HdfsClient::connect(&conf).unwrap();
    world.arm(Kind::Corrupt, None);
    let options = CreateOptions { replication: Some(1), ..CreateOptions::default() };
    let mut file = client.create("/left", options).unwrap();
    put(&mut file, b"flushed").unwrap();
    file.hflush().unwrap();
    put(&mut file, b" and not").unwrap();
    let (way, fault) = (Way::Down, Fault::Flip);
    world.faults.strike(Trigger { position: 1, way, after: Some(0), fault });
    assert!(file.close().is_err());
    wait("the file is closed", || world.reader.is_file_closed("/left").unwrap());
    assert_eq!(read(&world, "/left"), b"flushed");
    world.end();
}
