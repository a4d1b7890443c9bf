//! Counters of one server, readable at any time: what `RpcActivityForPort<port>` shows.
//!
//! Every connection counts in a [`ConnectionTally`] of its own, which only its task writes: a call costs plain additions to
//! memory that no other core touches. Who reads sums over the open connections; a connection that ends leaves its counts
//! with the server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hdfs_types::{ErrorKind, FastMap};
use parking_lot::Mutex;

use super::CallerIdentity;
use crate::metrics::{Cell, CellHistogram, Histogram, HistogramSnapshot};

/// Users whose calls are told apart after their connections ended; those of more users count together.
const MAX_USERS: usize = 10_000;
/// Where the calls of more users count.
const OTHER_USERS: &str = "(others)";

/// What one connection counted. Written by its task alone.
#[derive(Default, Debug)]
pub(super) struct ConnectionTally {
    pub(super) received_bytes: Cell,
    pub(super) sent_bytes: Cell,
    pub(super) successes: Cell,
    pub(super) failures: Cell,
    pub(super) in_flight: Cell,
    pub(super) queue_time: CellHistogram,
    pub(super) processing_time: CellHistogram,
    /// Of one write in [`RESPONSE_SAMPLE`].
    pub(super) response_time: CellHistogram,
    pub(super) lock_wait: CellHistogram,
    caller: OnceLock<Arc<CallerIdentity>>,
    methods: Mutex<Vec<Arc<MethodTally>>>,
}

/// One write of answers in so many is timed.
pub(super) const RESPONSE_SAMPLE: u64 = 16;

/// What one connection counted of one method, or of one exception.
#[derive(Debug)]
pub(super) struct MethodTally {
    name: String,
    is_exception: bool,
    failures: Cell,
    denials: Cell,
    time: CellHistogram,
    overall_nanos: Cell,
}

impl MethodTally {
    /// Counts a call of this method that ended well, or any that ended with this exception.
    pub(super) fn record(&self, waited: Duration, took: Duration) {
        self.time.record(took);
        let overall = u64::try_from((waited + took).as_nanos()).unwrap_or(u64::MAX);
        self.overall_nanos.add(overall);
    }

    /// Counts a call of this method that failed.
    pub(super) fn record_failure(&self, kind: &ErrorKind) {
        self.failures.add(1);
        if *kind == ErrorKind::AccessControl {
            self.denials.add(1);
        }
    }
}

/// The writing end of a [`ConnectionTally`]: finds the entry of a method without a lock.
pub(super) struct TallyWriter {
    pub(super) tally: Arc<ConnectionTally>,
    known: Vec<Arc<MethodTally>>,
    last: usize,
}

impl TallyWriter {
    pub(super) fn new(tally: Arc<ConnectionTally>) -> Self {
        Self { tally, known: Vec::new(), last: 0 }
    }

    pub(super) fn set_caller(&self, caller: &Arc<CallerIdentity>) {
        // The context is accepted once; a second caller can't come.
        let _ = self.tally.caller.set(Arc::clone(caller));
    }

    /// The entry of a method. Names must be of a bounded set: those that a service has answered.
    pub(super) fn method(&mut self, name: &str) -> &Arc<MethodTally> {
        self.entry(name, false)
    }

    /// The entry of an error's class.
    pub(super) fn exception(&mut self, kind: &ErrorKind) -> &Arc<MethodTally> {
        self.entry(simple_name(kind), true)
    }

    fn entry(&mut self, name: &str, is_exception: bool) -> &Arc<MethodTally> {
        let is_it = |of: &Arc<MethodTally>| of.name == name && of.is_exception == is_exception;
        if !self.known.get(self.last).is_some_and(is_it) {
            self.last = self.known.iter().position(is_it).unwrap_or_else(|| {
                let entry = Arc::new(MethodTally {
                    name: name.to_owned(),
                    is_exception,
                    failures: Cell::default(),
                    denials: Cell::default(),
                    time: CellHistogram::default(),
                    overall_nanos: Cell::default(),
                });
                self.tally.methods.lock().push(Arc::clone(&entry));
                self.known.push(entry);
                self.known.len() - 1
            });
        }
        &self.known[self.last]
    }
}

/// The name of an error's class without its package.
fn simple_name(kind: &ErrorKind) -> &str {
    let class = kind.java_class();
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// Calls of one method, or those that ended with one exception.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MethodSnapshot {
    /// Calls that ended well, with their times from start to reply; for an exception, all that ended with it.
    pub time: HistogramSnapshot,
    /// Sum of the times from arrival to reply.
    pub overall: Duration,
    /// Calls that ended with an error.
    pub failures: u64,
    /// Those of them that were not permitted.
    pub denials: u64,
}

impl MethodSnapshot {
    fn add_tally(&mut self, tally: &MethodTally) {
        self.time.add(&tally.time.snapshot());
        self.overall += Duration::from_nanos(tally.overall_nanos.get());
        self.failures += tally.failures.get();
        self.denials += tally.denials.get();
    }
}

/// The counts of a server at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerSnapshot {
    /// Bytes read.
    pub received_bytes: u64,
    /// Bytes written.
    pub sent_bytes: u64,
    /// Calls that were answered with success.
    pub successes: u64,
    /// Calls that were answered with an error.
    pub failures: u64,
    /// Calls whose reply is not there yet.
    pub in_flight: u64,
    /// From the read that brought a call to its start.
    pub queue_time: HistogramSnapshot,
    /// From a call's start to its reply.
    pub processing_time: HistogramSnapshot,
    /// Writes of answers, a sample.
    pub response_time: HistogramSnapshot,
    /// Waits for a lock, of the calls that had to wait.
    pub lock_wait: HistogramSnapshot,
    /// By method, under the name in the `.proto` service.
    pub methods: BTreeMap<String, MethodSnapshot>,
    /// By the simple name of the exception's class.
    pub exceptions: BTreeMap<String, MethodSnapshot>,
    /// Open connections by user.
    pub connections_by_user: BTreeMap<String, u64>,
    /// Calls that were answered with success or were not permitted, by user and method.
    pub calls_by_user: BTreeMap<String, BTreeMap<String, u64>>,
}

impl ServerSnapshot {
    /// Calls that were answered.
    pub fn requests(&self) -> u64 {
        self.successes + self.failures
    }

    fn add_tally(&mut self, tally: &ConnectionTally) {
        self.received_bytes += tally.received_bytes.get();
        self.sent_bytes += tally.sent_bytes.get();
        self.successes += tally.successes.get();
        self.failures += tally.failures.get();
        self.queue_time.add(&tally.queue_time.snapshot());
        self.processing_time.add(&tally.processing_time.snapshot());
        self.response_time.add(&tally.response_time.snapshot());
        self.lock_wait.add(&tally.lock_wait.snapshot());
        let user = tally.caller.get().map(|caller| caller.user.as_str());
        for method in tally.methods.lock().iter() {
            let map = if method.is_exception { &mut self.exceptions } else { &mut self.methods };
            map.entry(method.name.clone()).or_default().add_tally(method);
            if let (Some(user), false) = (user, method.is_exception) {
                let count = method.time.snapshot().count + method.denials.get();
                self.add_user_calls(user, &method.name, count);
            }
        }
    }

    fn add_user_calls(&mut self, user: &str, method: &str, count: u64) {
        let room = self.calls_by_user.len() < MAX_USERS || self.calls_by_user.contains_key(user);
        let user = if room { user } else { OTHER_USERS };
        let of_user = self.calls_by_user.entry(user.to_owned()).or_default();
        *of_user.entry(method.to_owned()).or_default() += count;
    }
}

/// Counters of one server.
#[derive(Default, Debug)]
pub struct ServerMetrics {
    /// Connections that are open now.
    pub open_connections: AtomicU64,
    /// Connections that were refused by a limit.
    pub refused_connections: AtomicU64,
    /// Contexts that were accepted.
    pub authorization_successes: AtomicU64,
    /// Contexts that were refused.
    pub authorization_failures: AtomicU64,
    requests_per_second: AtomicU64,
    tallies: Mutex<Tallies>,
}

#[derive(Default, Debug)]
struct Tallies {
    live: FastMap<u64, Arc<ConnectionTally>>,
    /// Of the connections that ended.
    ended: ServerSnapshot,
}

impl ServerMetrics {
    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn sub(counter: &AtomicU64, amount: u64) {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }

    pub(super) fn open(&self, id: u64, tally: Arc<ConnectionTally>) {
        self.tallies.lock().live.insert(id, tally);
        Self::add(&self.open_connections, 1);
    }

    pub(super) fn close(&self, id: u64) {
        Self::sub(&self.open_connections, 1);
        let mut tallies = self.tallies.lock();
        if let Some(tally) = tallies.live.remove(&id) {
            tallies.ended.add_tally(&tally);
        }
    }

    /// Everything counted so far.
    pub fn snapshot(&self) -> ServerSnapshot {
        let tallies = self.tallies.lock();
        let mut sum = tallies.ended.clone();
        for tally in tallies.live.values() {
            sum.add_tally(tally);
            sum.in_flight += tally.in_flight.get();
            if let Some(caller) = tally.caller.get() {
                *sum.connections_by_user.entry(caller.user.clone()).or_default() += 1;
            }
        }
        sum
    }

    /// Counts a call that a page of the daemon made for a user, not a connection.
    pub fn record_in_process(
        &self,
        user: &str,
        method: &str,
        took: Duration,
        error: Option<&ErrorKind>,
    ) {
        let times = Histogram::default();
        times.record(took);
        let times = times.snapshot();
        let ended = &mut self.tallies.lock().ended;
        ended.processing_time.add(&times);
        ended.queue_time.buckets[0] += 1;
        ended.queue_time.count += 1;
        let of_method = ended.methods.entry(method.to_owned()).or_default();
        match error {
            None => {
                ended.successes += 1;
                of_method.time.add(&times);
                of_method.overall += took;
            }
            Some(kind) => {
                ended.failures += 1;
                of_method.failures += 1;
                of_method.denials += u64::from(*kind == ErrorKind::AccessControl);
                let of_class = ended.exceptions.entry(simple_name(kind).to_owned()).or_default();
                of_class.time.add(&times);
                of_class.overall += took;
            }
        }
        if error.is_none_or(|kind| *kind == ErrorKind::AccessControl) {
            ended.add_user_calls(user, method, 1);
        }
    }

    /// Calls whose reply is not there yet.
    pub fn calls_in_flight(&self) -> u64 {
        self.tallies.lock().live.values().map(|tally| tally.in_flight.get()).sum()
    }

    /// Calls that were answered.
    pub fn requests(&self) -> u64 {
        let tallies = self.tallies.lock();
        let of = |tally: &Arc<ConnectionTally>| tally.successes.get() + tally.failures.get();
        tallies.ended.requests() + tallies.live.values().map(of).sum::<u64>()
    }

    /// Calls answered in the last whole second that was measured.
    pub fn requests_per_second(&self) -> u64 {
        self.requests_per_second.load(Ordering::Relaxed)
    }

    pub(super) fn set_requests_per_second(&self, requests: u64) {
        self.requests_per_second.store(requests, Ordering::Relaxed);
    }
}

/// Time that calls wait for a lock of their service, told by the service and asked for by the connection, which runs the
/// call on the same thread.
pub mod lock_wait {
    use std::cell::Cell;
    use std::time::Duration;

    thread_local! {
        static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// A service waited so long on this thread.
    pub fn add(waited: Duration) {
        WAITED.set(WAITED.get() + waited);
    }

    /// What was added on this thread since this was last asked.
    pub(in crate::rpc::server) fn take() -> Duration {
        WAITED.take()
    }
}
