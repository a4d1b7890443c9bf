//! The edit log: one thread that encodes, writes and syncs in groups, and the futures of those who wait for it.
//!
//! The holder of the namespace's write lock calls [`EditLog::enqueue`], which fixes the order; nobody touches a disk
//! under that lock. The thread takes all that is queued, encodes it, writes it to every live folder, syncs them, and then
//! publishes the last transaction: every [`Synced`] up to it wakes at once.
//!
//! **Invariant:** a transaction is published only after every folder that is still in use has synced it.
//! **Invariant:** a file that failed a write or a sync is never written again; its folder is dropped, and joins again at
//! most with a later segment, when an administrator allows it. When no folder is left, or a required one is lost, the log
//! stops for good: nothing is acknowledged any more.
//!
//! Segments begin and end with operations in the queue: `StartLogSegment` opens a file, `EndLogSegment` finalizes it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Instant;

use hdfs_format::edits::{self, EditOp};
use hdfs_rt::metrics::Histogram;
use hdfs_types::{Error, ErrorKind, Result, TxId};
use parking_lot::{Condvar, Mutex};

use super::segment::Segment;
use super::storage::NameDirs;

/// A batch is written when it reaches this size, however much is queued behind it.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// The handle of the log thread. Cheap to share; the thread ends with [`EditLog::stop`].
pub(crate) struct EditLog {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Wakes the thread.
    work: Condvar,
    /// The last transaction that is durable.
    synced: AtomicU64,
    /// Those who wait, and why the log stopped if it did.
    waiters: Mutex<Waiters>,
    /// In which segments are written from the next one on: the effective layout of a rolling upgrade.
    layout_version: AtomicI32,
    /// Told once, when the log stops for good.
    on_fatal: Box<dyn Fn(&str) + Send + Sync>,
    metrics: LogMetrics,
}

/// What the log has done since it was started.
#[derive(Debug, Default)]
pub(crate) struct LogMetrics {
    /// Transactions encoded, and the time that took.
    pub(crate) transactions: AtomicU64,
    pub(crate) encode_nanos: AtomicU64,
    /// Writes with their syncs, in all folders at once.
    pub(crate) syncs: Histogram,
    /// Transactions that went along with another one's sync.
    pub(crate) batched: AtomicU64,
}

#[derive(Default)]
struct Queue {
    ops: Vec<(TxId, EditOp)>,
    stop: bool,
    /// The thread sleeps and must be woken.
    idle: bool,
}

#[derive(Default)]
struct Waiters {
    list: Vec<(u64, Waker)>,
    failure: Option<String>,
}

impl EditLog {
    /// Starts the thread. `synced` is the last transaction on disk; the first operation queued must be a
    /// `StartLogSegment`. `on_fatal` is called once when the log can't go on.
    pub(crate) fn start(
        dirs: Arc<NameDirs>,
        synced: TxId,
        layout_version: i32,
        on_fatal: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            work: Condvar::new(),
            synced: AtomicU64::new(synced.0),
            waiters: Mutex::default(),
            layout_version: AtomicI32::new(layout_version),
            on_fatal: Box::new(on_fatal),
            metrics: LogMetrics::default(),
        });
        let mut writer = Writer {
            shared: shared.clone(),
            dirs,
            segment: None,
            layout_version,
            buf: Vec::new(),
            unsynced: 0,
            mark: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("edit-log".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| Error::io(format!("Cannot start the edit-log thread: {e}")))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Queues operations in the order of their transactions. Called under the namespace's write lock.
    pub(crate) fn enqueue(&self, ops: &mut Vec<(TxId, EditOp)>) {
        if ops.is_empty() {
            return;
        }
        let mut queue = self.shared.queue.lock();
        queue.ops.append(ops);
        if queue.idle {
            queue.idle = false;
            drop(queue);
            self.shared.work.notify_one();
        }
    }

    /// Writes segments in this layout, from the next one on.
    pub(crate) fn set_layout_version(&self, layout_version: i32) {
        self.shared.layout_version.store(layout_version, Ordering::Release);
    }

    /// What it has done.
    pub(crate) fn metrics(&self) -> &LogMetrics {
        &self.shared.metrics
    }

    /// Operations that wait for the thread.
    pub(crate) fn pending(&self) -> usize {
        self.shared.queue.lock().ops.len()
    }

    /// Resolves when `txid` is durable, or fails when it never will be.
    pub(crate) fn synced(&self, txid: TxId) -> Synced {
        Synced { shared: self.shared.clone(), txid: txid.0 }
    }

    /// True when `txid` is durable.
    pub(crate) fn is_synced(&self, txid: TxId) -> bool {
        self.shared.synced.load(Ordering::Acquire) >= txid.0
    }

    /// The last transaction that is durable.
    pub(crate) fn last_synced(&self) -> TxId {
        TxId(self.shared.synced.load(Ordering::Acquire))
    }

    /// Blocks this thread until `txid` is durable; for start and stop, not for calls.
    pub(crate) fn wait_synced(&self, txid: TxId) -> Result<()> {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut synced = self.synced(txid);
        loop {
            if let Poll::Ready(result) = Pin::new(&mut synced).poll(&mut context) {
                return result;
            }
            std::thread::park();
        }
    }

    /// Writes what is queued and ends the thread. A second call does nothing.
    pub(crate) fn stop(&self) {
        self.shared.queue.lock().stop = true;
        self.shared.work.notify_one();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the edit-log thread ended with a panic");
        }
        self.shared.give_up("the NameNode is stopping");
    }
}

/// A start that fails halfway must not leave the thread with the folders.
impl Drop for EditLog {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Resolves when a transaction is durable.
pub(crate) struct Synced {
    shared: Arc<Shared>,
    txid: u64,
}

impl Future for Synced {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.shared.synced.load(Ordering::Acquire) >= self.txid {
            return Poll::Ready(Ok(()));
        }
        let mut waiters = self.shared.waiters.lock();
        // The thread publishes before it takes this lock, so nothing is missed in between.
        if self.shared.synced.load(Ordering::Acquire) >= self.txid {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = &waiters.failure {
            return Poll::Ready(Err(stopped(reason)));
        }
        waiters.list.push((self.txid, context.waker().clone()));
        Poll::Pending
    }
}

fn stopped(reason: &str) -> Error {
    // A client of a nameservice asks the other NameNode; a plain client sees the reason.
    Error::new(ErrorKind::Io, format!("The edit log of this NameNode has stopped: {reason}"))
}

struct Writer {
    shared: Arc<Shared>,
    dirs: Arc<NameDirs>,
    segment: Option<Segment>,
    /// That of the open segment.
    layout_version: i32,
    buf: Vec<u8>,
    /// Transactions in `buf`.
    unsynced: u64,
    /// When encoding began.
    mark: Instant,
}

impl Writer {
    fn run(&mut self) {
        let mut batch = Vec::new();
        while self.take(&mut batch) {
            if let Err(error) = self.write_all(&mut batch) {
                self.fail(&error.message);
                return;
            }
        }
    }

    /// Waits for work and moves it to `batch`; false when the log is to end.
    fn take(&self, batch: &mut Vec<(TxId, EditOp)>) -> bool {
        let mut queue = self.shared.queue.lock();
        loop {
            if !queue.ops.is_empty() {
                std::mem::swap(&mut queue.ops, batch);
                return true;
            }
            if queue.stop {
                return false;
            }
            queue.idle = true;
            self.shared.work.wait(&mut queue);
            queue.idle = false;
        }
    }

    fn write_all(&mut self, batch: &mut Vec<(TxId, EditOp)>) -> Result<()> {
        let mut last = None;
        self.mark = Instant::now();
        for (txid, op) in batch.drain(..) {
            self.unsynced += 1;
            match &op {
                EditOp::StartLogSegment => {
                    self.flush(last.take())?;
                    self.dirs.attempt_restore();
                    let layout = self.shared.layout_version.load(Ordering::Acquire);
                    self.layout_version = layout;
                    let segment = self.segment.insert(Segment::open(&self.dirs, txid, layout)?);
                    edits::encode_op_as(&mut self.buf, txid, &op, layout);
                    let began = Instant::now();
                    segment.append(&self.dirs, &self.buf)?;
                    note(&self.shared.metrics, &mut self.unsynced, &mut self.mark, began);
                    segment.note_seen(&self.dirs);
                    self.buf.clear();
                    self.publish(txid);
                    continue;
                }
                EditOp::EndLogSegment => {
                    self.encode(txid, &op);
                    self.flush(Some(txid))?;
                    last = None;
                    if let Some(segment) = self.segment.take() {
                        segment.finalize(&self.dirs, txid)?;
                    }
                    continue;
                }
                _ => {}
            }
            self.encode(txid, &op);
            last = Some(txid);
            if self.buf.len() >= MAX_BATCH_BYTES {
                self.flush(last.take())?;
            }
        }
        self.flush(last)
    }

    fn encode(&mut self, txid: TxId, op: &EditOp) {
        edits::encode_op_as(&mut self.buf, txid, op, self.layout_version);
    }

    /// Writes the encoded bytes, syncs them and publishes `last`.
    fn flush(&mut self, last: Option<TxId>) -> Result<()> {
        let Some(last) = last else { return Ok(()) };
        let Some(segment) = &mut self.segment else {
            return Err(Error::io(format!("no segment of the edit log is open at {last}")));
        };
        let began = Instant::now();
        segment.append(&self.dirs, &self.buf)?;
        note(&self.shared.metrics, &mut self.unsynced, &mut self.mark, began);
        self.buf.clear();
        self.publish(last);
        Ok(())
    }

    /// Wakes everybody who waits for transactions up to this one.
    fn publish(&self, last: TxId) {
        self.shared.synced.store(last.0, Ordering::Release);
        let mut ready = Vec::new();
        {
            let mut waiters = self.shared.waiters.lock();
            waiters.list.retain(|(txid, waker)| {
                let wait = *txid > last.0;
                if !wait {
                    ready.push(waker.clone());
                }
                wait
            });
        }
        ready.into_iter().for_each(Waker::wake);
    }

    fn fail(&self, reason: &str) {
        tracing::error!(
            "the edit log can't be written any more, so this NameNode stops: {reason}. Free or repair the folders of \
             dfs.namenode.edits.dir, then start it again; nothing that was acknowledged is lost"
        );
        self.shared.give_up(reason);
        (self.shared.on_fatal)(reason);
    }
}

/// Counts a sync that began at `began`, after the encoding of `unsynced` transactions since `mark`.
fn note(metrics: &LogMetrics, unsynced: &mut u64, mark: &mut Instant, began: Instant) {
    let encoded = u64::try_from(began.duration_since(*mark).as_nanos()).unwrap_or(u64::MAX);
    *mark = Instant::now();
    metrics.encode_nanos.fetch_add(encoded, Ordering::Relaxed);
    metrics.transactions.fetch_add(*unsynced, Ordering::Relaxed);
    metrics.batched.fetch_add(unsynced.saturating_sub(1), Ordering::Relaxed);
    metrics.syncs.record(mark.duration_since(began));
    *unsynced = 0;
}

impl Shared {
    /// Nothing is synced any more: whoever waits learns why.
    fn give_up(&self, reason: &str) {
        let list = {
            let mut waiters = self.waiters.lock();
            waiters.failure.get_or_insert_with(|| reason.to_owned());
            std::mem::take(&mut waiters.list)
        };
        list.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

#[cfg(test)]
mod tests;
