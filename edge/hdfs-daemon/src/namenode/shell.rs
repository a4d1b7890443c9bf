//! The machine behind its lock, with the edit log beside it: how a decoded call reaches the machine and how its answer
//! waits for the disk.
//!
//! Locking: reads take the lock shared, writes exclusively; nothing under the lock blocks, encodes or touches a disk.
//! The order of transactions is fixed under the lock, by [`Shell::write_with`] handing the operations to the log.
//!
//! **Invariant:** a successful answer of a call that may have changed something leaves only after the last transaction
//! that the machine had made is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hdfs_blocks::Now;
use hdfs_namenode::{Call, CallKey, Caller, NameNode};
use hdfs_rt::clock;
use hdfs_rt::conf_files::reload_configuration;
use hdfs_rt::rpc::server::{Reply, RpcCall, ServerLimits};
use hdfs_rt::topology::RackMapping;
use hdfs_types::{Result, TxId, WallMillis};
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use prost::Message;
use tokio::sync::{Notify, watch};

use crate::reconfiguration::Reconfiguration;

use super::audit::{Audit, AuditLog};
use super::callers::Callers;
use super::conf::NameNodeConf;
use super::edit_log::EditLog;
use super::image_store::ImageStore;
use super::image_transfer::TransferHost;
use super::key_provider::Keys;
use super::metrics::{Coarse, NameNodeMetrics};
use super::progress::StartupProgress;
use super::proxies::Proxies;
use super::tail::LogTail;
use super::tunable;
use super::waiting::Waiting;

/// Now, on both clocks.
pub(crate) fn now() -> Now {
    Now { mono: clock::mono(), wall: clock::wall() }
}

/// Everything that the calls and background tasks of one NameNode share.
pub(crate) struct Shell {
    machine: RwLock<NameNode>,
    pub(crate) log: EditLog,
    pub(crate) tail: LogTail,
    pub(crate) images: ImageStore,
    pub(crate) conf: NameNodeConf,
    pub(crate) callers: Callers,
    pub(crate) racks: RackMapping,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) keys: Keys,
    /// Somebody submitted an encryption zone for re-encryption.
    pub(crate) reencryption_submitted: Arc<Notify>,
    pub(crate) audit: AuditLog,
    pub(crate) waiting: Waiting,
    pub(crate) metrics: NameNodeMetrics,
    pub(crate) progress: Arc<StartupProgress>,
    pub(crate) reconfiguration: Arc<Reconfiguration>,
    /// Those of every RPC port, once they serve.
    pub(crate) rpc_limits: Mutex<Vec<ServerLimits>>,
    /// When this process began, for display.
    pub(crate) started: WallMillis,
    /// Set under the machine's lock when the NameNode stops.
    closed: AtomicBool,
    /// A deletion is not at its end. Set under the machine's lock.
    cleaning: watch::Sender<bool>,
}

/// A call that may change something, with all that it needs, so that it can wait.
struct WriteCall<Q, F> {
    caller: Arc<Caller>,
    ip: String,
    key: Option<CallKey>,
    request: Q,
    run: Option<F>,
}

impl<Q, F> WriteCall<Q, F> {
    /// Runs on the machine, unless a deletion is to be waited for; that is known for sure under the lock only.
    fn run<A>(&mut self, machine: &mut NameNode) -> Option<Result<A>>
    where
        F: FnOnce(&mut NameNode, &Call<'_>, &Q) -> Result<A>,
    {
        if machine.is_cleaning() {
            return None;
        }
        let run = self.run.take()?;
        let (caller, client_machine) = (&self.caller, self.ip.as_str());
        let context = Call { caller, client_machine, key: self.key, now: now() };
        Some(run(machine, &context, &self.request))
    }
}

impl TransferHost for Shell {
    fn images(&self) -> &ImageStore {
        &self.images
    }

    fn storage_info(&self) -> String {
        self.read_machine().identity().to_colon_separated()
    }
}

impl Shell {
    pub(crate) fn new(
        machine: NameNode,
        log: EditLog,
        images: ImageStore,
        conf: NameNodeConf,
        progress: Arc<StartupProgress>,
    ) -> Result<Self> {
        let callers = Callers::new(&conf)?;
        let racks = RackMapping::from_configuration(&conf.configuration)?;
        let keys = Keys::from_configuration(&conf.configuration)?;
        let proxies = Arc::new(Proxies::new(&conf.configuration)?);
        Ok(Self {
            machine: RwLock::new(machine),
            log,
            tail: LogTail::default(),
            images,
            callers,
            racks,
            proxies,
            keys,
            reencryption_submitted: Arc::default(),
            audit: AuditLog::from_environment(),
            waiting: Waiting::default(),
            metrics: NameNodeMetrics::new(&conf.configuration)?,
            progress,
            rpc_limits: Mutex::default(),
            reconfiguration: Arc::new(Reconfiguration::new(&conf.configuration, tunable::KEYS)),
            started: clock::wall(),
            closed: AtomicBool::new(false),
            cleaning: watch::Sender::new(false),
            conf,
        })
    }

    /// The machine, for a longer piece of work. Give the operations that it makes to the log before letting go.
    pub(crate) fn lock_machine(&self) -> RwLockWriteGuard<'_, NameNode> {
        self.metrics.lock.write(&self.machine)
    }

    /// The machine, for reading.
    pub(crate) fn read_machine(&self) -> RwLockReadGuard<'_, NameNode> {
        self.metrics.lock.read(&self.machine)
    }

    /// Reads the `ipc.*` keys again: `dfsadmin -refreshCallQueue`. Calls run where they arrive, so there is no queue to
    /// replace; what Hadoop configures about it here is how many connections there may be, how long they may idle, and
    /// how long a frame may be.
    pub(crate) fn refresh_rpc_limits(&self) -> Result<()> {
        let conf = reload_configuration()?;
        self.rpc_limits.lock().iter().try_for_each(|limits| limits.set(&conf))
    }

    /// Runs `f` on the machine, gives the operations it made to the log and tells waiting calls what happened.
    ///
    /// Returns the answer and the transaction that it depends on.
    pub(crate) fn write_with<T>(&self, f: impl FnOnce(&mut NameNode) -> T) -> (T, TxId) {
        let by = std::any::type_name_of_val(&f);
        let mut machine = self.lock_machine();
        let since = Coarse::now();
        let answer = f(&mut machine);
        let txid = machine.last_txid();
        if self.closed.load(Ordering::Acquire) {
            // The log has ended: this call's wait for it fails.
            machine.pending_ops().clear();
        } else {
            self.log.enqueue(machine.pending_ops());
        }
        self.waiting.notify(&mut machine);
        let cleaning = machine.is_cleaning();
        if *self.cleaning.borrow() != cleaning {
            self.cleaning.send_replace(cleaning);
        }
        drop(machine);
        self.metrics.lock.held_exclusively(since, by);
        (answer, txid)
    }

    /// A deletion is not at its end.
    pub(crate) fn is_cleaning(&self) -> bool {
        *self.cleaning.borrow()
    }

    /// Tells whether one is not.
    pub(crate) fn watch_cleaning(&self) -> watch::Receiver<bool> {
        self.cleaning.subscribe()
    }

    /// Waits until deletions are at their end.
    pub(crate) async fn settled(&self) {
        self.cleaning
            .subscribe()
            .wait_for(|cleaning| !*cleaning)
            .await
            .expect("the sender is a part of this value");
    }

    /// Ends the edit log after all that was decided; nothing decided later is logged or acknowledged.
    pub(crate) fn close(&self) -> Result<()> {
        let end = {
            let mut machine = self.lock_machine();
            let end = machine.close_segment();
            self.log.enqueue(machine.pending_ops());
            self.closed.store(true, Ordering::Release);
            end
        };
        let ended = self.log.wait_synced(end);
        self.log.stop();
        ended
    }

    /// Answers a call that only reads.
    pub(crate) fn read<Q, A>(
        &self,
        call: &RpcCall<'_>,
        audit: Audit<Q>,
        f: impl FnOnce(&NameNode, &Call<'_>, &Q) -> Result<A>,
    ) -> Reply
    where
        Q: Message + Default,
        A: Message,
    {
        let request = match call.decode::<Q>() {
            Ok(request) => request,
            Err(error) => return Reply::error(error),
        };
        let caller = self.callers.get(call.caller);
        let ip = call.remote.ip().to_string();
        let by = std::any::type_name_of_val(&f);
        let answer = {
            let context = self.context(call, &caller, &ip);
            let machine = self.read_machine();
            let since = Coarse::now();
            let answer = f(&machine, &context, &request);
            drop(machine);
            self.metrics.lock.held_shared(since, by);
            answer
        };
        self.audit.record(call, &audit, &request, answer.as_ref().err());
        match answer {
            Ok(message) => Reply::message(&message),
            Err(error) => Reply::error(error),
        }
    }

    /// Answers a call that may change something: now with an error, or when its transaction is durable.
    ///
    /// While a deletion is not at its end the call waits, so that reads go on between the slices.
    pub(crate) fn write<Q, A, F>(
        self: &Arc<Self>,
        call: &RpcCall<'_>,
        audit: Audit<Q>,
        run: F,
    ) -> Reply
    where
        Q: Message + Default + 'static,
        A: Message,
        F: FnOnce(&mut NameNode, &Call<'_>, &Q) -> Result<A> + Send + 'static,
    {
        let request = match call.decode::<Q>() {
            Ok(request) => request,
            Err(error) => return Reply::error(error),
        };
        let caller = self.callers.get(call.caller);
        let ip = call.remote.ip().to_string();
        let key = CallKey::new(call.client_id, call.call_id);
        let mut wanted = WriteCall { caller, ip, key, request, run: Some(run) };
        if let (Some(answer), txid) = self.write_with(|machine| wanted.run(machine)) {
            self.audit.record(call, &audit, &wanted.request, answer.as_ref().err());
            return match answer {
                Ok(message) => self.after_sync(txid, Bytes::from(message.encode_to_vec())),
                Err(error) => Reply::error(error),
            };
        }
        let line = self.audit.later(call, &audit, &wanted.request);
        let shell = self.clone();
        Reply::later(async move {
            loop {
                shell.settled().await;
                let (answer, txid) = shell.write_with(|machine| wanted.run(machine));
                let Some(answer) = answer else { continue };
                line.record(answer.as_ref().err());
                let body = Bytes::from(answer?.encode_to_vec());
                shell.log.synced(txid).await?;
                return Ok(body);
            }
        })
    }

    /// The same without waiting: for what does not change the namespace, or looks for itself.
    pub(crate) fn write_at_once<Q, A>(
        self: &Arc<Self>,
        call: &RpcCall<'_>,
        audit: Audit<Q>,
        f: impl FnOnce(&mut NameNode, &Call<'_>, &Q) -> Result<A>,
    ) -> Reply
    where
        Q: Message + Default,
        A: Message,
    {
        let request = match call.decode::<Q>() {
            Ok(request) => request,
            Err(error) => return Reply::error(error),
        };
        let caller = self.callers.get(call.caller);
        let ip = call.remote.ip().to_string();
        let context = self.context(call, &caller, &ip);
        let (answer, txid) = self.write_with(|machine| f(machine, &context, &request));
        self.audit.record(call, &audit, &request, answer.as_ref().err());
        match answer {
            Ok(message) => self.after_sync(txid, Bytes::from(message.encode_to_vec())),
            Err(error) => Reply::error(error),
        }
    }

    /// Answers a call that changes nothing durable.
    pub(crate) fn write_unsynced<Q, A>(
        &self,
        call: &RpcCall<'_>,
        f: impl FnOnce(&mut NameNode, &Call<'_>, &Q) -> Result<A>,
    ) -> Reply
    where
        Q: Message + Default,
        A: Message,
    {
        let request = match call.decode::<Q>() {
            Ok(request) => request,
            Err(error) => return Reply::error(error),
        };
        let caller = self.callers.get(call.caller);
        let ip = call.remote.ip().to_string();
        let context = self.context(call, &caller, &ip);
        match self.write_with(|machine| f(machine, &context, &request)).0 {
            Ok(message) => Reply::message(&message),
            Err(error) => Reply::error(error),
        }
    }

    /// A reply that leaves when `txid` is durable.
    pub(crate) fn after_sync(&self, txid: TxId, body: Bytes) -> Reply {
        if self.log.is_synced(txid) {
            return Reply::Now(Ok(body));
        }
        let synced = self.log.synced(txid);
        Reply::later(async move {
            synced.await?;
            Ok(body)
        })
    }

    pub(crate) fn context<'a>(
        &self,
        call: &RpcCall<'_>,
        caller: &'a Arc<Caller>,
        ip: &'a str,
    ) -> Call<'a> {
        Call {
            caller,
            client_machine: ip,
            key: CallKey::new(call.client_id, call.call_id),
            now: now(),
        }
    }
}
