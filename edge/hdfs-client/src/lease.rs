//! Renewal of the client's lease, for as long as it writes any file.
//!
//! One lease covers every file that a client has open. The NameNode gives a file to another writer when the lease was
//! not renewed for a minute (soft limit), and closes it by itself after twenty (hard limit).
//!
//! Hadoop: org.apache.hadoop.hdfs.client.impl.LeaseRenewer (3.5.0)

use std::sync::Arc;
use std::time::Duration;

use hdfs_proto::hdfs as proto;
use hdfs_types::Result;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::namenode::NameNode;

/// Half the soft limit. Hadoop: HdfsConstants.LEASE_SOFTLIMIT_PERIOD is 60 s.
const RENEW_INTERVAL: Duration = Duration::from_secs(30);
/// Pause after a renewal that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Renews while at least one [`LeaseGuard`] lives.
#[derive(Debug)]
pub(crate) struct LeaseRenewer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    namenode: NameNode,
    client_name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open_files: usize,
    task: Option<JoinHandle<()>>,
}

/// One open file; dropping it ends the renewal when it was the last.
#[derive(Debug)]
pub(crate) struct LeaseGuard {
    shared: Arc<Shared>,
}

impl LeaseRenewer {
    pub(crate) fn new(namenode: NameNode, client_name: String) -> Self {
        let state = Mutex::new(State::default());
        Self { shared: Arc::new(Shared { namenode, client_name, state }) }
    }

    /// A file was opened for writing. Must be called inside a runtime.
    pub(crate) fn begin(&self) -> LeaseGuard {
        let mut state = self.shared.state.lock();
        state.open_files += 1;
        if state.open_files == 1 {
            let shared = Arc::clone(&self.shared);
            state.task = Some(tokio::spawn(async move { shared.renew_forever().await }));
        }
        LeaseGuard { shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    async fn renew_forever(&self) {
        let mut pause = RENEW_INTERVAL;
        loop {
            tokio::time::sleep(pause).await;
            pause = match self.renew().await {
                Ok(()) => RENEW_INTERVAL,
                Err(error) => {
                    tracing::warn!(client = %self.client_name, %error, "renew the lease");
                    RETRY_INTERVAL
                }
            };
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
        state.open_files -= 1;
        if state.open_files == 0
            && let Some(task) = state.task.take()
        {
            task.abort();
        }
    }
}
