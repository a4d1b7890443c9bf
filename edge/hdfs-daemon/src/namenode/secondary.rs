//! The SecondaryNameNode: takes image and edits from a NameNode, merges them, and sends the new image back.
//!
//! ```text
//! rollEditLog ──> getEditLogManifest ──> GET image (if it has another) and edits ──> replay ──> save ──> PUT image
//! ```
//! It keeps what it took, and the namespace in memory, so that the next time only new edits travel. What it holds fills
//! empty name folders with `hdfs namenode -importCheckpoint`.
//!
//! **Invariant:** an image is sent only when it was saved here with its digest, from an image and every transaction after it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode (3.5.0)

mod merge;
mod transfer;
mod web;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_proto::hdfs::namenode as n;
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;
use hdfs_rt::{clock, host, users};
use hdfs_types::{Error, Mono, Result, TxId};
use parking_lot::Mutex;
use prost::Message;
use tokio::sync::watch;

use self::merge::Checkpoint;
use self::transfer::Source;
use super::conf::NameNodeConf;
use super::import::checkpoint_dirs;

const NAMENODE: Protocol = Protocol { java_name: super::rpc::names::NAMENODE, version: 1 };

/// What the role knows of itself, for its beans and page.
struct Status {
    namenode: HostPort,
    started: u64,
    /// Milliseconds since 1970 of the last checkpoint, 0 before the first, and the same on the other clock.
    last_checkpoint: AtomicU64,
    last_checkpoint_mono: AtomicU64,
    period: Duration,
    txns: u64,
    image_dirs: Vec<String>,
    edits_dirs: Vec<String>,
}

/// A SecondaryNameNode that does nothing by itself: [`serve`](Self::serve), [`checkpoint`](Self::checkpoint).
pub struct SecondaryNameNode {
    conf: Configuration,
    namenode: Proxy,
    runtime: tokio::runtime::Runtime,
    status: Arc<Status>,
    check_period: Duration,
    max_retries: u64,
    checkpoint: Arc<Mutex<Checkpoint>>,
}

impl SecondaryNameNode {
    /// Takes the folders of `dfs.namenode.checkpoint.dir`, and makes those that are not there; with `format` they are
    /// emptied first.
    ///
    /// # Errors
    /// When a folder is in use, damaged or can't be made, or the configuration is wrong.
    pub fn new(conf: &Configuration, format: bool) -> Result<Self> {
        let mut settings = NameNodeConf::new(conf)?;
        settings.dirs = checkpoint_dirs(conf)?;
        let service = conf.get_opt_host_port(&keys::DFS_NAMENODE_SERVICERPC_ADDRESS)?;
        let address = match service {
            Some(address) => address,
            None => conf.namenode_rpc_address()?,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("secondary")
            .enable_all()
            .build()
            .map_err(|e| Error::io(format!("Cannot start the threads of the role: {e}")))?;
        let ugi = Arc::new(Ugi::new(users::current_user()));
        let client = RpcClient::new(ClientConf::from_configuration(conf)?);
        let namenode = Proxy::new(resolve(&address)?, NAMENODE, &client, &ugi);
        let period = conf.get_duration(&keys::DFS_NAMENODE_CHECKPOINT_PERIOD)?;
        let paths = |image: bool| {
            let wanted =
                settings.dirs.iter().filter(|dir| if image { dir.image } else { dir.edits });
            wanted.map(|dir| format!("file://{}", dir.root.display())).collect()
        };
        let status = Arc::new(Status {
            namenode: address,
            started: clock::wall().0,
            last_checkpoint: AtomicU64::new(0),
            last_checkpoint_mono: AtomicU64::new(0),
            period,
            txns: settings.checkpoint_txns,
            image_dirs: paths(true),
            edits_dirs: paths(false),
        });
        let source = Source::new(conf)?;
        let check = conf.get_duration(&keys::DFS_NAMENODE_CHECKPOINT_CHECK_PERIOD)?;
        tracing::info!(
            "Checkpoint Period   :{} secs ({} min)",
            period.as_secs(),
            period.as_secs() / 60
        );
        tracing::info!("Log Size Trigger    :{} txns", status.txns);
        Ok(Self {
            conf: conf.clone(),
            namenode,
            runtime,
            status,
            check_period: check.min(period),
            max_retries: conf.get_u64(&keys::DFS_NAMENODE_CHECKPOINT_MAX_RETRIES)?,
            checkpoint: Arc::new(Mutex::new(Checkpoint::open(settings, source, format)?)),
        })
    }

    fn call<Q: Message, A: Message + Default>(
        &self,
        method: &'static str,
        request: &Q,
    ) -> Result<A> {
        self.runtime.block_on(self.namenode.call(method, request))
    }

    /// Transactions of the NameNode that the newest image here does not have.
    ///
    /// # Errors
    /// When the NameNode does not answer.
    pub fn uncheckpointed(&self) -> Result<u64> {
        let request = n::GetTransactionIdRequestProto {};
        let last: n::GetTransactionIdResponseProto = self.call("getTransactionId", &request)?;
        Ok(last.tx_id.saturating_sub(self.checkpoint.lock().latest().0))
    }

    /// `dfs.namenode.checkpoint.txns`.
    pub fn txns(&self) -> u64 {
        self.status.txns
    }

    /// Makes a checkpoint now; its transaction.
    ///
    /// # Errors
    /// When the NameNode does not answer or belongs to another file system, edits are missing or damaged, or no folder
    /// takes the image. What was taken stays for the next time.
    pub fn checkpoint(&self) -> Result<TxId> {
        let mut checkpoint = self.checkpoint.lock();
        checkpoint.ensure_current()?;
        let request = n::RollEditLogRequestProto {};
        let rolled: n::RollEditLogResponseProto = self.call("rollEditLog", &request)?;
        let signature = rolled.signature;
        checkpoint.adopt_identity(&signature)?;
        let since_tx_id = signature.most_recent_checkpoint_tx_id + 1;
        let request = n::GetEditLogManifestRequestProto { since_tx_id };
        let answer: n::GetEditLogManifestResponseProto =
            self.call("getEditLogManifest", &request)?;
        let txid = checkpoint.make(&signature, &answer.manifest)?;
        let now = (clock::wall().0, clock::mono().0.max(1));
        self.status.last_checkpoint.store(now.0, Ordering::Relaxed);
        self.status.last_checkpoint_mono.store(now.1, Ordering::Relaxed);
        Ok(txid)
    }

    /// Serves the web pages, and makes checkpoints when they are due, until `stop` says so. The exit status.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn serve(&self, mut stop: watch::Receiver<bool>) -> Result<i32> {
        let _web =
            web::serve(&self.conf, &self.checkpoint.lock().host(), &self.status, &self.runtime)?;
        let mut failures = 0;
        let mut made: Option<Mono> = None;
        loop {
            let ended = self.runtime.block_on(async {
                tokio::select! {
                    () = tokio::time::sleep(self.check_period) => false,
                    _ = stop.wait_for(|stop| *stop) => true,
                }
            });
            if ended {
                return Ok(0);
            }
            let now = clock::mono();
            let period = self.status.period.as_nanos();
            let is_old = made.is_none_or(|at| u128::from(now.0.saturating_sub(at.0)) >= period);
            let is_due = || Ok::<_, Error>(is_old || self.uncheckpointed()? >= self.status.txns);
            match is_due().and_then(|due| if due { self.checkpoint().map(Some) } else { Ok(None) })
            {
                Ok(Some(_)) => (failures, made) = (0, Some(now)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!("Exception in doCheckpoint: {error}");
                    failures += u64::from(self.checkpoint.lock().merge_failed());
                    if failures > self.max_retries {
                        tracing::error!("Merging failed {failures} times.");
                        return Ok(1);
                    }
                }
            }
        }
    }
}

fn resolve(address: &HostPort) -> Result<SocketAddr> {
    let found = host::resolve(&address.host, address.port)?;
    found.first().copied().ok_or_else(|| Error::io(format!("{address} has no address")))
}
