//! The web server of a DataNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.web.DatanodeHttpServer (3.5.0)

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use hdfs_conf::Configuration;
use hdfs_rt::http::{self, Bean, HttpStatistics, JmxSource, ProcessBeans, PromSource};
use hdfs_rt::rpc::server::{ActivityNames, Server, ServerMetrics, activity_beans};
use hdfs_types::Result;
use tokio::task::AbortHandle;

use super::{Shared, beans, block_scanner, dashboard, webhdfs};

/// What watches a DataNode: its own counts and those of its servers.
pub(super) struct Monitor {
    pub(super) shared: Arc<Shared>,
    pub(super) http: Arc<HttpStatistics>,
    pub(super) ipc: (u16, Arc<ServerMetrics>),
    pub(super) process: ProcessBeans,
}

/// Methods that are shown before their first call: those of the Java interfaces that a DataNode serves.
const METHODS: [&str; 19] = [
    "cancelDiskBalancerPlan",
    "deleteBlockPool",
    "evictWriters",
    "getBalancerBandwidth",
    "getBlockLocalPathInfo",
    "getDatanodeInfo",
    "getDiskBalancerSetting",
    "getReconfigurationStatus",
    "getReplicaVisibleLength",
    "getVolumeReport",
    "initReplicaRecovery",
    "listReconfigurableProperties",
    "queryDiskBalancerPlan",
    "refreshNamenodes",
    "shutdownDatanode",
    "startReconfiguration",
    "submitDiskBalancerPlan",
    "triggerBlockReport",
    "updateReplicaUnderRecovery",
];

const NAMES: ActivityNames = ActivityNames {
    service: "DataNode",
    server_name: "ClientDatanodeProtocolService",
    methods: &METHODS,
};

impl JmxSource for Monitor {
    fn beans(&self) -> Vec<Bean> {
        self.process.with(&self.http, || {
            let mut beans = beans::all(self);
            let (port, metrics) = &self.ipc;
            beans.extend(activity_beans(NAMES, *port, metrics, self.process.averages()));
            beans
        })
    }
}

/// `/blockScannerReport`: what the block scanner did.
fn scanner_page(shared: &Arc<Shared>) -> Router {
    let shared = Arc::clone(shared);
    let page = axum::routing::get(move || std::future::ready(block_scanner::report(&shared)));
    Router::new().route("/blockScannerReport", page)
}

/// Serves until aborted.
///
/// # Errors
/// When the listener can't be read.
pub(super) fn serve(
    shared: &Arc<Shared>,
    server: &Server,
    listener: TcpListener,
    configuration: &Configuration,
) -> Result<AbortHandle> {
    let monitor = Arc::new(Monitor {
        shared: Arc::clone(shared),
        http: Arc::new(HttpStatistics::new(configuration)),
        ipc: (server.local_addr().port(), Arc::clone(server.metrics())),
        process: ProcessBeans::new("DataNode"),
    });
    monitor.http.set_port(listener.local_addr()?.port());
    let router = Router::new()
        .merge(http::jmx_router(Arc::clone(&monitor) as Arc<dyn JmxSource>))
        .merge(http::prom_router(Arc::clone(&monitor) as Arc<dyn PromSource>))
        .merge(http::common_router(Arc::new(configuration.clone())))
        .merge(dashboard::router(shared))
        .merge(scanner_page(shared));
    // As with Hadoop, the pages' statistics do not count what moves files.
    let router = monitor.http.around(router).merge(webhdfs::router(configuration)?);
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        http::serve(listener, router).await
    };
    let logged = async {
        if let Err(error) = serve.await {
            tracing::error!(%error, "serve the web port");
        }
    };
    Ok(shared.runtime.spawn(logged).abort_handle())
}
