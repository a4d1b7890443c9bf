//! Renewal of the client's lease, for as long as it writes any file.
//!
//! One lease covers every file that a client has open. The NameNode gives a file to another writer when the lease was
//! not renewed for a minute (soft limit), and closes it by itself after twenty (hard limit).
//!
//! A client that can't renew for that long has lost its files, whatever it believes: its writers fail.
//!
//! Hadoop: org.apache.hadoop.hdfs.client.impl.LeaseRenewer, org.apache.hadoop.hdfs.DFSClient.renewLease (3.5.0)

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hdfs_proto::hdfs as proto;
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::namenode::NameNode;

/// Half the soft limit. Hadoop: HdfsConstants.LEASE_SOFTLIMIT_PERIOD is 60 s.
const RENEW_INTERVAL: Duration = Duration::from_secs(30);
/// Pause after a renewal that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Ends a writer with this error.
pub(crate) type Abort = Box<dyn Fn(&Error) + Send + Sync>;

/// Renews while at least one [`LeaseGuard`] lives.
#[derive(Debug)]
pub(crate) struct LeaseRenewer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    namenode: NameNode,
    client_name: String,
    hard_limit: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Number of the next file.
    next: u64,
    open_files: BTreeMap<u64, Abort>,
    task: Option<JoinHandle<()>>,
}

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} open files", self.open_files.len())
    }
}

/// One open file; dropping it ends the renewal when it was the last.
#[derive(Debug)]
pub(crate) struct LeaseGuard {
    shared: Arc<Shared>,
    file: u64,
}

impl LeaseRenewer {
    /// `hard_limit`: after so long without a renewal the NameNode closes the files of this client.
    pub(crate) fn new(namenode: NameNode, client_name: String, hard_limit: Duration) -> Self {
        let state = Mutex::new(State::default());
        Self { shared: Arc::new(Shared { namenode, client_name, hard_limit, state }) }
    }

    /// A file was opened for writing; `abort` ends its writer. Must be called inside a runtime.
    pub(crate) fn begin(&self, abort: Abort) -> LeaseGuard {
        let mut state = self.shared.state.lock();
        let file = state.next;
        state.next += 1;
        state.open_files.insert(file, abort);
        if state.open_files.len() == 1 {
            let shared = Arc::clone(&self.shared);
            state.task = Some(tokio::spawn(async move { shared.renew_forever().await }));
        }
        LeaseGuard { shared: Arc::clone(&self.shared), file }
    }
}

impl Shared {
    async fn renew_forever(&self) {
        let mut renewed = Instant::now();
        let mut pause = RENEW_INTERVAL.min(self.hard_limit / 2);
        loop {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            let limit = renewed + self.hard_limit;
            let answer = match tokio::time::timeout_at(limit, self.renew()).await {
                Ok(answer) => answer,
                Err(_) => Err(Error::new(ErrorKind::SocketTimeout, "no answer to renewLease")),
            };
            pause = match answer {
                Ok(()) => {
                    // The NameNode counts from when it was asked.
                    renewed = began;
                    RENEW_INTERVAL.min(self.hard_limit / 2)
                }
                Err(error) if Instant::now() >= limit => {
                    self.abort_writers(&error);
                    renewed = Instant::now();
                    RENEW_INTERVAL.min(self.hard_limit / 2)
                }
                Err(error) => {
                    tracing::warn!(client = %self.client_name, %error, "renew the lease");
                    RETRY_INTERVAL.min(self.hard_limit / 4)
                }
            };
        }
    }

    fn abort_writers(&self, why: &Error) {
        let seconds = self.hard_limit.as_secs();
        let message = format!(
            "Failed to renew lease for {} for {seconds} seconds (>= hard-limit ={seconds} seconds.) Closing all files \
             being written: {why}",
            self.client_name
        );
        tracing::warn!("{message}");
        let error = Error::new(ErrorKind::LeaseExpired, message);
        for abort in self.state.lock().open_files.values() {
            abort(&error);
        }
    }

    /// Proto: ClientNamenodeProtocol.proto renewLease
    async fn renew(&self) -> Result<()> {
        let request = proto::RenewLeaseRequestProto {
            client_name: self.client_name.clone(),
            namespaces: Vec::new(),
        };
        let _: proto::RenewLeaseResponseProto = self.namenode.call("renewLease", &request).await?;
        Ok(())
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.open_files.remove(&self.file);
        if state.open_files.is_empty()
            && let Some(task) = state.task.take()
        {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HdfsClient;
    use hdfs_conf::Configuration;

    #[tokio::test]
    async fn a_client_that_cannot_renew_for_the_hard_limit_ends_its_writers() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        drop(nobody);
        let mut conf = Configuration::default();
        conf.set("fs.defaultFS", &format!("hdfs://127.0.0.1:{port}")).unwrap();
        conf.set("dfs.namenode.lease-hard-limit-sec", "60ms").unwrap();
        let client = HdfsClient::connect(&conf).unwrap();
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let guard = client.leases().begin(Box::new(move |error| {
            told.send((error.kind.clone(), error.message.clone())).unwrap();
        }));
        let (kind, message) = heard.recv().await.unwrap();
        assert_eq!(kind, ErrorKind::LeaseExpired);
        assert!(message.contains("Closing all files being written"), "{message}");
        drop(guard);
        assert!(heard.recv().await.is_none());
    }
}
