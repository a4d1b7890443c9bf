//! The web server: `/jmx`, `/conf` and `/isActive`, which scripts wait on.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeHttpServer (3.5.0)

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use hdfs_rt::http;
use hdfs_rt::rpc::server::{Server, activity_bean};
use hdfs_types::{Error, Result};
use tokio::task::JoinHandle;

use super::beans;
use super::dashboard;
use super::shell::Shell;

/// The server; it ends when this is dropped.
pub(crate) struct WebServer {
    pub(crate) local_addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves on a listener that was bound before the image was loaded, so that a port in use is found early.
pub(crate) fn serve(
    listener: tokio::net::TcpListener,
    shell: Arc<Shell>,
    servers: &[Server],
    runtime: &tokio::runtime::Handle,
) -> Result<WebServer> {
    let local_addr = listener.local_addr().map_err(Error::from)?;
    let configuration = Arc::new(shell.conf.configuration.clone());
    let rpc: Vec<_> =
        servers.iter().map(|of| (of.local_addr().port(), of.metrics().clone())).collect();
    let pages = dashboard::router(&shell, servers, runtime);
    let all = move || {
        let activity = rpc.iter().map(|(port, of)| activity_bean("NameNode", *port, of));
        beans::all(&shell).into_iter().chain(activity).collect()
    };
    let router = Router::new()
        .route("/isActive", get(|| async { "" }))
        .merge(http::jmx_router(Arc::new(all)))
        .merge(http::conf_router(configuration))
        .merge(pages);
    let task = runtime.spawn(async move {
        if let Err(error) = http::serve(listener, router).await {
            tracing::error!("the web server of the NameNode ended: {error}");
        }
    });
    Ok(WebServer { local_addr, task })
}
