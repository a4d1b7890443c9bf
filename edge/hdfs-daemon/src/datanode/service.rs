//! The service of one block pool to one NameNode: handshake, heartbeats, reports, orders. One thread each.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{BPServiceActor, BPOfferService} (3.5.0)

mod calls;
mod orders;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdfs_conf::HostPort;
use hdfs_datanode::active::{ActiveNameNode, Change, NameNodeIndex};
use hdfs_datanode::report::{BlockEvent, Event, IncrementalReports};
use hdfs_datanode::schedule::Schedule;
use hdfs_datanode::{VolumeIndex, command};
use hdfs_proto::hdfs::datanode::{DatanodeCommandProto, HeartbeatResponseProto};
use hdfs_proto::hdfs::nnha_status_heartbeat_proto::State as HaState;
use hdfs_rt::clock;
use hdfs_rt::rpc::client::Proxy;
use hdfs_types::{Error, ErrorKind, Result, SplitMix64, TxId};
use parking_lot::{Condvar, Mutex};

use super::Shared;
use super::dataset::{BlockListener, Pool};
use super::random;

pub(crate) use calls::Registered;

/// Between attempts to reach a NameNode that does not answer: short at first, a NameNode may just be starting.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// What the NameNodes of one pool share.
pub(crate) struct NameServiceState {
    active: Mutex<ActiveNameNode>,
    /// The services to its NameNodes, in the order of the configuration.
    pub actors: Mutex<Vec<Arc<Actor>>>,
}

impl NameServiceState {
    /// Without services yet.
    pub(crate) fn new() -> Self {
        Self { active: Mutex::default(), actors: Mutex::default() }
    }

    /// The service to the active NameNode.
    pub(crate) fn active_actor(&self) -> Option<Arc<Actor>> {
        let NameNodeIndex(index) = self.active.lock().get()?;
        self.actors.lock().get(index).cloned()
    }
}

#[derive(Default)]
struct Inbox {
    reports: IncrementalReports,
    force_report: bool,
    force_heartbeat: bool,
}

/// The service to one NameNode.
pub(crate) struct Actor {
    shared: Arc<Shared>,
    service: Arc<NameServiceState>,
    index: NameNodeIndex,
    /// Where the NameNode is.
    pub address: HostPort,
    proxy: Proxy,
    inbox: Mutex<Inbox>,
    wake: Condvar,
    stopped: AtomicBool,
    registered: Mutex<Option<Registered>>,
    /// Milliseconds since 1970 of the last heartbeat that was answered; 0 for never.
    last_contact: Mutex<u64>,
    /// When a full report was last sent, and the bytes of the largest.
    last_report: Mutex<Option<Instant>>,
    largest_report: AtomicUsize,
}

impl BlockListener for Actor {
    fn block_event(&self, volume: VolumeIndex, event: Event) {
        if self.inbox.lock().reports.push(volume.0, event, clock::mono()) {
            self.wake.notify_one();
        }
    }
}

/// Why the service stops offering.
enum End {
    /// Asked to register anew.
    Register,
    /// The NameNode does not want this DataNode, or the DataNode stops.
    Stop,
}

impl Actor {
    /// A service that does not run yet.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        service: &Arc<NameServiceState>,
        index: usize,
        address: HostPort,
    ) -> Arc<Self> {
        let proxy = shared.namenode_proxy(&address);
        Arc::new(Self {
            shared: Arc::clone(shared),
            service: Arc::clone(service),
            index: NameNodeIndex(index),
            address,
            proxy,
            inbox: Mutex::default(),
            wake: Condvar::new(),
            stopped: AtomicBool::new(false),
            registered: Mutex::default(),
            last_contact: Mutex::new(0),
            last_report: Mutex::default(),
            largest_report: AtomicUsize::new(0),
        })
    }

    /// Ends the thread soon.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.wake.notify_all();
    }

    /// Sends a report soon: the full one, or what has gathered.
    pub(crate) fn trigger_report(&self, incremental: bool) {
        let mut inbox = self.inbox.lock();
        if incremental {
            inbox.force_heartbeat = true;
        } else {
            inbox.force_report = true;
        }
        drop(inbox);
        self.wake.notify_all();
    }

    /// What the NameNode gave at registration.
    pub(crate) fn registration(&self) -> Option<Registered> {
        self.registered.lock().clone()
    }

    /// Seconds since the last answered heartbeat.
    pub(crate) fn seconds_since_contact(&self) -> u64 {
        clock::wall().0.saturating_sub(*self.last_contact.lock()) / 1_000
    }

    /// What the NameNode is, as far as this DataNode knows.
    pub(crate) fn namenode_state(&self) -> &'static str {
        match self.service.active.lock().get() {
            _ if self.registration().is_none() => "unknown",
            Some(active) if active == self.index => "active",
            _ => "standby",
        }
    }

    /// Since the last full report.
    pub(crate) fn since_report(&self) -> Option<Duration> {
        self.last_report.lock().map(|at| at.elapsed())
    }

    /// Bytes of the largest full report so far.
    pub(crate) fn largest_report(&self) -> usize {
        self.largest_report.load(Ordering::Relaxed)
    }

    fn note_report(&self, bytes: usize) {
        *self.last_report.lock() = Some(Instant::now());
        self.largest_report.fetch_max(bytes, Ordering::Relaxed);
    }

    /// What the NameNode has not been told yet.
    pub(crate) fn pending_events(&self) -> Vec<BlockEvent> {
        self.inbox.lock().reports.events().collect()
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Serves until stopped.
    pub(crate) fn run(self: &Arc<Self>) {
        let mut pause = FIRST_RETRY;
        let mut listening = false;
        while !self.is_stopped() {
            match self.handshake() {
                Ok((pool, registered)) => {
                    pause = FIRST_RETRY;
                    *self.registered.lock() = Some(registered.clone());
                    if !std::mem::replace(&mut listening, true) {
                        pool.listen(Arc::clone(self) as Arc<dyn BlockListener>);
                    }
                    tracing::info!(namenode = %self.address, pool = %pool.id, "registered");
                    match self.offer(&pool, &registered) {
                        End::Register => {}
                        End::Stop => break,
                    }
                }
                Err(error) => {
                    if is_final(&error) {
                        tracing::error!(namenode = %self.address, %error, "the NameNode refuses this DataNode");
                        break;
                    }
                    tracing::warn!(namenode = %self.address, %error, "Problem connecting to server");
                    self.sleep(pause);
                    pause = (pause * 2).min(LAST_RETRY);
                }
            }
        }
    }

    fn sleep(&self, duration: Duration) {
        let mut inbox = self.inbox.lock();
        if !self.is_stopped() {
            self.wake.wait_for(&mut inbox, duration);
        }
    }

    /// Heartbeats, reports and orders until something ends it.
    fn offer(self: &Arc<Self>, pool: &Arc<Pool>, registered: &Registered) -> End {
        let mut rng = random::rng();
        let mut schedule = Schedule::new(self.shared.tunable.intervals(), clock::mono());
        schedule.handle_registered(clock::mono(), &mut rng);
        loop {
            if self.is_stopped() {
                return End::Stop;
            }
            match self.offer_once(pool, registered, &mut schedule, &mut rng) {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(error) if is_final(&error) => {
                    tracing::error!(namenode = %self.address, %error, "the NameNode refuses this DataNode");
                    return End::Stop;
                }
                Err(error) => {
                    if error.kind.java_class().ends_with("InvalidBlockReportLeaseException") {
                        schedule.handle_lease_refused();
                    }
                    tracing::warn!(namenode = %self.address, %error, "offer service");
                    self.sleep(self.shared.conf.intervals.heartbeat.min(LAST_RETRY));
                }
            }
            self.wait(&schedule);
        }
    }

    /// Waits until the next heartbeat is due or something is to be reported.
    fn wait(&self, schedule: &Schedule) {
        let mut inbox = self.inbox.lock();
        loop {
            let next = schedule.poll_timeout();
            let next = inbox.reports.poll_timeout().map_or(next, |due| due.min(next));
            let left = next.since(clock::mono());
            let asked = inbox.force_report || inbox.force_heartbeat;
            if asked || left.is_zero() || self.is_stopped() {
                return;
            }
            self.wake.wait_for(&mut inbox, left);
        }
    }

    fn offer_once(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        registered: &Registered,
        schedule: &mut Schedule,
        rng: &mut SplitMix64,
    ) -> Result<Option<End>> {
        {
            let mut inbox = self.inbox.lock();
            if std::mem::take(&mut inbox.force_report) {
                schedule.force_report();
            }
            if std::mem::take(&mut inbox.force_heartbeat) {
                schedule.heartbeat_now(clock::mono());
            }
        }
        schedule.set_intervals(self.shared.tunable.intervals());
        if schedule.heartbeat_due(clock::mono()) {
            schedule.handle_heartbeat_sent(clock::mono());
            let lease = schedule.wants_lease(clock::mono());
            let response = self.send_heartbeat(registered, lease)?;
            schedule.handle_lease(response.full_block_report_lease_id.unwrap_or(0));
            self.hear_state(&response);
            if self.service.active.lock().get() == Some(self.index) {
                let status = response.rolling_upgrade_status_v2.as_ref();
                let status = status.or(response.rolling_upgrade_status.as_ref());
                self.shared.dataset.set_rolling_upgrade(pool, status);
            }
            *self.last_contact.lock() = clock::wall().0;
            if let Some(end) = self.obey(pool, response.cmds) {
                return Ok(Some(end));
            }
        }
        self.send_incremental(pool, registered)?;
        if let Some(lease) = schedule.take_report() {
            let commands = self.send_full_report(pool, registered, lease, rng)?;
            schedule.handle_report_sent(clock::mono(), rng);
            if let Some(end) = self.obey(pool, commands) {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn send_incremental(&self, pool: &Pool, registered: &Registered) -> Result<()> {
        let batch = self.inbox.lock().reports.take();
        if batch.is_empty() {
            return Ok(());
        }
        let sent = self.send_received_and_deleted(pool, registered, &batch);
        if sent.is_err() {
            self.inbox.lock().reports.put_back(batch, clock::mono());
        }
        sent
    }

    /// Takes note of what the NameNode says about itself.
    fn hear_state(&self, response: &HeartbeatResponseProto) {
        let active = response.ha_status.state == HaState::Active as i32;
        let txid = TxId(response.ha_status.txid);
        match self.service.active.lock().handle_heartbeat(self.index, active, txid) {
            Change::Took => {
                tracing::info!(namenode = %self.address, "Acknowledging ACTIVE Namenode")
            }
            Change::StaleClaim => tracing::warn!(
                namenode = %self.address, txid = txid.0,
                "NameNode tried to claim ACTIVE state at an older transaction; ignored"
            ),
            Change::Relinquished => {
                tracing::info!(namenode = %self.address, "Namenode relinquishing ACTIVE state");
            }
            Change::None => {}
        }
    }

    fn obey(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        commands: Vec<DatanodeCommandProto>,
    ) -> Option<End> {
        let is_active = self.service.active.lock().get() == Some(self.index);
        for proto in commands {
            let command = command::decode(proto);
            if matches!(command, command::Command::Register) {
                tracing::info!(namenode = %self.address, "the NameNode asks to register");
                return Some(End::Register);
            }
            if !is_active && !command.from_standby_counts() {
                tracing::warn!(
                    namenode = %self.address, command = command.name(),
                    "Got a command from standby NN - ignoring command"
                );
                continue;
            }
            self.perform(pool, command);
        }
        None
    }
}

/// Errors after which asking again is useless.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::UnregisteredNode | ErrorKind::DisallowedDatanode | ErrorKind::IncorrectVersion
    )
}
