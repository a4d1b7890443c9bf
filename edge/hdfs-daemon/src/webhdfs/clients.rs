//! Clients that read on behalf of many users, kept for a while with their connections.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdfs_client::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::Result;
use parking_lot::Mutex;

/// How long an idle client is kept.
const KEEP: Duration = Duration::from_secs(60);
/// More clients than this push all out.
const MAX_CLIENTS: usize = 256;

/// The clients.
pub(crate) struct Clients {
    conf: Configuration,
    shared: Mutex<BTreeMap<(String, Ugi), (Instant, HdfsClient)>>,
}

impl Clients {
    pub(crate) fn new(conf: Configuration) -> Self {
        Self { conf, shared: Mutex::default() }
    }

    /// A client of its own, whose leases nobody shares: for writers.
    pub(crate) fn fresh(&self, uri: &str, ugi: Ugi) -> Result<HdfsClient> {
        HdfsClient::for_user(uri, &self.conf, ugi)
    }

    /// A client that others may use as well.
    pub(crate) fn shared(&self, uri: &str, ugi: Ugi) -> Result<HdfsClient> {
        let key = (uri.to_owned(), ugi.clone());
        let mut shared = self.shared.lock();
        if let Some((used, client)) = shared.get_mut(&key) {
            *used = Instant::now();
            return Ok(client.clone());
        }
        shared.retain(|_, (used, _)| used.elapsed() < KEEP);
        if shared.len() >= MAX_CLIENTS {
            shared.clear();
        }
        let client = self.fresh(uri, ugi)?;
        shared.insert(key, (Instant::now(), client.clone()));
        Ok(client)
    }
}
