//! The NameNode's process: the machine, its edit log on a simulated disk, its periodic work.
//!
//! A call is answered when what it decided is synced, as in the real shell. A crash loses the machine; the next start
//! reads the segments that the disk kept and replays them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hdfs_format::edits::{
    self, EditOp, EditsFile, Expected, FILL, SegmentError, SegmentReader, encode_header,
};
use hdfs_namenode::{Call, CallKey, Caller, Identity, MachineConf, NameNode};
use hdfs_namespace::Namespace;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{BlockPoolId, Planted, PlantedBug, Result, TxId};

use crate::disk::{Disk, Handle, Refused};
use crate::kernel::{NAMENODE, Sim, Waiters};

/// The one pool.
pub(crate) const POOL: &str = "BP-1-127.0.0.1-1";
const FOLDER: &str = "name";
/// Written ahead of the operations, as the real log does with a megabyte.
const PREALLOCATED: usize = 4_096;

/// Settings with times short enough for a simulation; everything else is the default.
pub(crate) fn conf(seed: u64) -> MachineConf {
    let mut conf = MachineConf {
        retry_cache_expiry: Duration::from_secs(3_600),
        host: "nn".to_owned(),
        batched_listing_limit: 100,
        max_corrupt_files: 100,
        seed,
        ..MachineConf::default()
    };
    conf.namespace.owner = "root".to_owned();
    conf.namespace.min_block_size = 0;
    conf.namespace.lease_hard_limit_ms = 120_000;
    conf.blocks.heartbeat_recheck_interval = Duration::from_secs(15);
    conf.blocks.pending_timeout = Duration::from_secs(60);
    conf.blocks.excess_timeout = Duration::from_secs(120);
    conf.safe_mode.extension = Duration::from_secs(5);
    conf
}

fn machine(seed: u64, planted: Planted) -> Result<NameNode> {
    let identity = Identity {
        layout_version: NAMENODE_LAYOUT_VERSION,
        namespace_id: 1,
        cluster_id: "CID-1".to_owned(),
        c_time: 0,
        block_pool_id: BlockPoolId::from(POOL),
    };
    let mut conf = conf(seed);
    if planted.is(PlantedBug::RetryCacheOff) {
        conf.retry_cache_expiry = Duration::ZERO;
    }
    let namespace = Namespace::new(&conf.namespace);
    NameNode::new(conf, identity, namespace, TxId(0))
}

struct Log {
    disk: Disk,
    file: Handle,
    position: u64,
    allocated: u64,
    queue: Vec<(TxId, EditOp)>,
    synced: TxId,
    /// A write or a sync failed: nothing is acknowledged any more.
    broken: bool,
}

/// The process. It lives from one start to the next crash.
pub(crate) struct Process {
    sim: Sim,
    machine: RefCell<NameNode>,
    log: RefCell<Log>,
    queued: Waiters,
    synced: Waiters,
    planted: Planted,
    caller: Arc<Caller>,
}

fn segment_path(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

impl Process {
    /// Starts over what the disk holds. `Err`: it must not start, says the real rule.
    pub(crate) fn start(
        sim: &Sim,
        disk: &Disk,
        seed: u64,
        planted: Planted,
    ) -> std::result::Result<Rc<Self>, String> {
        let mut nn = machine(seed, planted).map_err(|error| error.to_string())?;
        let last = replay(sim, disk, &mut nn)?;
        nn.start(sim.now()).map_err(|error| error.to_string())?;
        let first = TxId(last.0 + 1);
        let log = Log::open(disk, first, last).map_err(|why| format!("{why:?}: open a segment"))?;
        nn.open_segment();
        sim.note(format_args!("namenode starts after transaction {last}"));
        let this = Rc::new(Self {
            sim: sim.clone(),
            machine: RefCell::new(nn),
            log: RefCell::new(log),
            queued: Waiters::default(),
            synced: Waiters::default(),
            planted,
            caller: Arc::new(Caller {
                user: "root".to_owned(),
                groups: Vec::new(),
                superuser: true,
            }),
        });
        this.enqueue();
        sim.spawn(NAMENODE, Rc::clone(&this).write_log());
        sim.spawn(NAMENODE, Rc::clone(&this).work());
        Ok(this)
    }

    /// The machine, to look at.
    pub(crate) fn machine(&self) -> std::cell::Ref<'_, NameNode> {
        self.machine.borrow()
    }

    /// Runs a call and waits until what it decided is durable. `None`: it never will be.
    pub(crate) async fn serve<T>(
        self: Rc<Self>,
        from: String,
        key: Option<CallKey>,
        request: impl FnOnce(&mut NameNode, &Call<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        let (answer, txid) = {
            let mut nn = self.machine.borrow_mut();
            let now = self.sim.now();
            let call = Call { caller: &self.caller, client_machine: &from, key, now };
            let answer = request(&mut nn, &call);
            (answer, nn.last_txid())
        };
        self.enqueue();
        if answer.is_err() || self.planted.is(PlantedBug::AnsweredBeforeSynced) {
            return Some(answer);
        }
        self.durable(txid).await.then_some(answer)
    }

    async fn durable(&self, txid: TxId) -> bool {
        loop {
            let state = self
                .sim
                .until(Duration::from_secs(60), &self.synced, || {
                    let log = self.log.borrow();
                    (log.broken || log.synced >= txid).then_some(!log.broken)
                })
                .await;
            if let Some(state) = state {
                return state;
            }
        }
    }

    fn enqueue(&self) {
        let mut nn = self.machine.borrow_mut();
        if nn.pending_ops().is_empty() {
            return;
        }
        self.log.borrow_mut().queue.append(nn.pending_ops());
        nn.files_with_news().clear();
        drop(nn);
        self.queued.wake(&self.sim);
    }

    /// The log's thread: writes what is queued, syncs it, and lets the answers go.
    async fn write_log(self: Rc<Self>) {
        loop {
            let hour = Duration::from_secs(3_600);
            let look = || (!self.log.borrow().queue.is_empty()).then_some(());
            self.sim.until(hour, &self.queued, look).await;
            let batch = std::mem::take(&mut self.log.borrow_mut().queue);
            let Some(last) = batch.last().map(|(txid, _)| *txid) else { continue };
            let written = self.log.borrow_mut().write(&batch);
            let latency = self.sim.between(Duration::from_micros(200), Duration::from_millis(3));
            self.sim.sleep(latency).await;
            let mut log = self.log.borrow_mut();
            let synced = written.and_then(|()| log.disk.sync(log.file));
            match synced {
                Ok(()) => log.synced = last,
                Err(why) => {
                    self.sim.note(format_args!("the edit log failed: {why:?}"));
                    log.broken = true;
                }
            }
            let broken = log.broken;
            drop(log);
            self.synced.wake(&self.sim);
            if broken {
                return;
            }
        }
    }

    /// True when its log can't go on: the process ends itself.
    pub(crate) fn has_failed(&self) -> bool {
        self.log.borrow().broken
    }

    /// What the NameNode does by itself, at the real intervals.
    async fn work(self: Rc<Self>) {
        let mut round = 0_u64;
        loop {
            self.sim.sleep(Duration::from_millis(500)).await;
            round += 1;
            let now = self.sim.now();
            {
                let mut nn = self.machine.borrow_mut();
                if nn.has_work() {
                    nn.tick(now);
                }
                if round.is_multiple_of(4) {
                    nn.check_leases(now);
                }
                if round.is_multiple_of(6) {
                    nn.compute_redundancy_work(now.mono);
                }
                if round.is_multiple_of(10) {
                    while nn.check_heartbeats(now) {}
                }
            }
            self.enqueue();
        }
    }
}

impl Log {
    fn open(disk: &Disk, first: TxId, synced: TxId) -> std::result::Result<Self, Refused> {
        let path = segment_path(&edits::in_progress_name(first));
        let file = disk.create(&path, true)?;
        let mut log = Self {
            disk: disk.clone(),
            file,
            position: 0,
            allocated: 0,
            queue: Vec::new(),
            synced,
            broken: false,
        };
        let mut header = Vec::new();
        encode_header(&mut header);
        log.append(&header)?;
        disk.sync(file)?;
        disk.sync_folder(FOLDER)?;
        Ok(log)
    }

    fn write(&mut self, batch: &[(TxId, EditOp)]) -> std::result::Result<(), Refused> {
        let mut bytes = Vec::new();
        for (txid, op) in batch {
            edits::encode_op(&mut bytes, *txid, op);
        }
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> std::result::Result<(), Refused> {
        let end = self.position + bytes.len() as u64;
        while self.allocated < end {
            self.disk.write_at(self.file, &[FILL; PREALLOCATED], self.allocated)?;
            self.allocated += PREALLOCATED as u64;
        }
        self.disk.write_at(self.file, bytes, self.position)?;
        self.position = end;
        Ok(())
    }
}

/// Applies every segment in order, as the real start does: a torn end is cut, damage refuses the start.
fn replay(sim: &Sim, disk: &Disk, nn: &mut NameNode) -> std::result::Result<TxId, String> {
    let mut segments: Vec<(TxId, Option<TxId>, String)> = Vec::new();
    for path in disk.list(FOLDER) {
        let name = path.rsplit('/').next().unwrap_or_default();
        match EditsFile::parse(name) {
            Some(EditsFile::Finalized { first, last }) => segments.push((first, Some(last), path)),
            Some(EditsFile::InProgress { first }) => segments.push((first, None, path)),
            _ => {}
        }
    }
    segments.sort();
    let mut last = TxId(0);
    for (first, end, path) in segments {
        let file = disk.open(&path).map_err(|why| format!("{why:?}: {path}"))?;
        let bytes = disk.read(file);
        let expected = Expected { first: Some(first), last: end };
        let opened = SegmentReader::open(&path, &bytes, expected);
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(SegmentError::NoHeader { .. }) if end.is_none() => {
                set_aside(disk, &path)?;
                continue;
            }
            Err(error) => return Err(error.to_string()),
        };
        if first.0 > last.0 + 1 {
            return Err(format!("a gap in the edit log: {path} after {last}"));
        }
        let before = last;
        loop {
            match reader.next() {
                Ok(Some((txid, op))) if txid > last => {
                    nn.replay(txid, &op, sim.now()).map_err(|error| format!("{path}: {error}"))?;
                    last = txid;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(SegmentError::TornTail { .. }) => break,
                Err(error) => return Err(error.to_string()),
            }
        }
        if end.is_none() {
            finish_segment(disk, &path, file, first, (before, last), &bytes)?;
        }
    }
    Ok(last)
}

fn set_aside(disk: &Disk, path: &str) -> std::result::Result<(), String> {
    let aside = format!("{path}.empty");
    disk.rename(path, &aside)
        .and_then(|()| disk.sync_folder(FOLDER))
        .map_err(|why| format!("{why:?}: set {path} aside"))
}

/// Cuts a segment in progress after its last operation and gives it its final name.
fn finish_segment(
    disk: &Disk,
    path: &str,
    file: Handle,
    first: TxId,
    (before, last): (TxId, TxId),
    bytes: &[u8],
) -> std::result::Result<(), String> {
    if last == before {
        return set_aside(disk, path);
    }
    let expected = Expected { first: Some(first), last: None };
    let reader = SegmentReader::open(path, bytes, expected).map_err(|error| error.to_string())?;
    let end = reader.scan().end;
    let name = segment_path(&edits::finalized_name(first, last));
    // Written again: a sync that failed before this start may have lost bytes that memory still shows.
    let whole = bytes.get(..usize::try_from(end).unwrap_or(bytes.len())).unwrap_or(bytes);
    disk.write_at(file, whole, 0)
        .and_then(|()| disk.cut(file, end))
        .and_then(|()| disk.sync(file))
        .and_then(|()| disk.rename(path, &name))
        .and_then(|()| disk.sync_folder(FOLDER))
        .map_err(|why| format!("{why:?}: finish {path}"))
}

/// A machine built from the log alone, for the checker that compares it with the live one.
pub(crate) fn rebuilt(sim: &Sim, disk: &Disk, seed: u64) -> std::result::Result<NameNode, String> {
    let mut nn = machine(seed, Planted::NONE).map_err(|error| error.to_string())?;
    let copy = disk.clone();
    replay_only(sim, &copy, &mut nn)?;
    Ok(nn)
}

fn replay_only(sim: &Sim, disk: &Disk, nn: &mut NameNode) -> std::result::Result<(), String> {
    let mut paths: Vec<(TxId, String)> = Vec::new();
    for path in disk.list(FOLDER) {
        let named = EditsFile::parse(path.rsplit('/').next().unwrap_or_default());
        if let Some(EditsFile::Finalized { first, .. } | EditsFile::InProgress { first }) = named {
            paths.push((first, path));
        }
    }
    paths.sort();
    let mut last = TxId(0);
    for (first, path) in paths {
        let file = disk.open(&path).map_err(|why| format!("{why:?}: {path}"))?;
        let bytes = disk.read(file);
        let expected = Expected { first: Some(first), last: None };
        let mut reader =
            SegmentReader::open(&path, &bytes, expected).map_err(|error| error.to_string())?;
        while let Some((txid, op)) = reader.next().map_err(|error| error.to_string())? {
            if txid > last {
                nn.replay(txid, &op, sim.now()).map_err(|error| format!("{path}: {error}"))?;
                last = txid;
            }
        }
    }
    nn.add_blocks().map_err(|error| error.to_string())
}
