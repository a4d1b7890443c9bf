//! What watches a NameNode: its own counts, those of its RPC servers and of its web server, put together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use hdfs_rt::http::{Bean, HttpStatistics, JmxSource, ProcessBeans};
use hdfs_rt::metrics::{Averages, HistogramSnapshot};
use hdfs_rt::rpc::server::{MethodSnapshot, Server, ServerMetrics};
use hdfs_types::Result;

use super::beans;
use super::shell::Shell;
use super::top::{TopUsers, UserCalls, command_of};

/// See the module's description.
pub(crate) struct Monitor {
    pub(crate) shell: Arc<Shell>,
    /// By port; the clients' first.
    pub(crate) servers: Vec<(u16, Arc<ServerMetrics>)>,
    pub(crate) http: Arc<HttpStatistics>,
    pub(crate) top: TopUsers,
    rpc_address: Option<SocketAddr>,
    process: ProcessBeans,
}

impl Monitor {
    /// Watches a NameNode with these servers.
    ///
    /// # Errors
    /// When a key of its own has a wrong value.
    pub(crate) fn new(shell: Arc<Shell>, servers: &[Server]) -> Result<Self> {
        let configuration = &shell.conf.configuration;
        let (http, top) =
            (Arc::new(HttpStatistics::new(configuration)), TopUsers::new(configuration)?);
        let metrics = |of: &Server| (of.local_addr().port(), of.metrics().clone());
        Ok(Self {
            servers: servers.iter().map(metrics).collect(),
            rpc_address: servers.first().map(Server::local_addr),
            process: ProcessBeans::new("NameNode"),
            shell,
            http,
            top,
        })
    }

    pub(crate) fn averages(&self) -> &Averages {
        self.process.averages()
    }

    /// Where clients reach this NameNode: the configured host with the port that was bound.
    pub(crate) fn host_and_port(&self) -> String {
        let configured = &self.shell.conf.rpc_address;
        let port = self.rpc_address.map_or(configured.port, |address| address.port());
        format!("{}:{port}", configured.host)
    }

    /// Calls of all servers, by method.
    pub(crate) fn calls(&self) -> Calls {
        let mut methods: BTreeMap<String, MethodSnapshot> = BTreeMap::new();
        for (_, server) in &self.servers {
            for (name, of) in server.snapshot().methods {
                let sum = methods.entry(name).or_default();
                sum.time.add(&of.time);
                sum.overall += of.overall;
                sum.failures += of.failures;
                sum.denials += of.denials;
            }
        }
        Calls { methods }
    }

    /// Calls by user and by command of the audit log.
    pub(crate) fn user_calls(&self) -> UserCalls {
        let mut all = UserCalls::new();
        for (_, server) in &self.servers {
            for (user, calls) in server.snapshot().calls_by_user {
                for (method, count) in calls {
                    if let Some(command) = command_of(&method) {
                        let of_user = all.entry(user.clone()).or_default();
                        *of_user.entry(command.to_owned()).or_default() += count;
                    }
                }
            }
        }
        all
    }

    pub(crate) fn top_users_json(&self) -> Option<String> {
        let windows = self.top.windows(Instant::now(), &self.user_calls());
        self.top.json(&windows, &hdfs_rt::clock::iso_time())
    }

    /// Takes notes for the sliding windows until it is dropped.
    pub(crate) async fn watch(self: Arc<Self>) {
        if !self.top.is_enabled() {
            return;
        }
        let mut ticks = tokio::time::interval(self.top.interval());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.top.note(Instant::now(), self.user_calls());
        }
    }
}

impl JmxSource for Monitor {
    fn beans(&self) -> Vec<Bean> {
        self.process.with(&self.http, || beans::all(self))
    }
}

/// Calls by method.
pub(crate) struct Calls {
    methods: BTreeMap<String, MethodSnapshot>,
}

impl Calls {
    /// Those that ended well.
    pub(crate) fn succeeded(&self, method: &str) -> u64 {
        self.methods.get(method).map_or(0, |of| of.time.count)
    }

    /// All that were answered.
    pub(crate) fn begun(&self, method: &str) -> u64 {
        self.methods.get(method).map_or(0, |of| of.time.count + of.failures)
    }

    /// Times of those that ended well.
    pub(crate) fn times(&self, method: &str) -> HistogramSnapshot {
        self.methods.get(method).map_or_else(HistogramSnapshot::default, |of| of.time.clone())
    }
}
