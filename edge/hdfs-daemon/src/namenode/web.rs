//! The web server: `/jmx`, `/conf` and `/isActive`, which scripts wait on.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeHttpServer (3.5.0)

use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use hdfs_conf::Configuration;
use hdfs_rt::http;
use hdfs_rt::rpc::server::Server;
use hdfs_types::{Error, Result};
use tokio::task::JoinHandle;

use super::dashboard;
use super::doctor;
use super::fsck;
use super::image_transfer;
use super::monitor::Monitor;
use super::servlets;
use super::shell::Shell;
use super::webhdfs;
use crate::webhdfs::{CrossOrigin, cross_origin};

/// The server; it ends when this is dropped.
pub(crate) struct WebServer {
    pub(crate) local_addr: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for WebServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
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
    let pages = dashboard::router(&shell, servers, runtime);
    let webhdfs = webhdfs::router(&shell, &servers[0])?;
    let transfer = image_transfer::router(shell.clone(), &configuration, true)?;
    let monitor = Arc::new(Monitor::new(shell, servers)?);
    monitor.http.set_port(local_addr.port());
    let router = Router::new()
        .merge(servlets::router(monitor.shell.clone()))
        .merge(doctor::router(monitor.shell.clone()))
        .merge(fsck::router(monitor.shell.clone(), servers[0].local_addr()))
        .merge(http::jmx_router(monitor.clone()))
        .merge(http::prom_router(monitor.clone()))
        .merge(http::common_router(configuration.clone()))
        .merge(transfer)
        .merge(pages)
        .merge(webhdfs);
    let router = with_cross_origin(router, &configuration)?;
    let router = monitor.http.around(router);
    let watch = runtime.spawn(monitor.watch());
    let task = runtime.spawn(async move {
        if let Err(error) = http::serve(listener, router).await {
            tracing::error!("the web server of the NameNode ended: {error}");
        }
    });
    Ok(WebServer { local_addr, tasks: [task, watch] })
}

/// Lets pages of other origins read every page, where an administrator wants that.
fn with_cross_origin(router: Router, conf: &Configuration) -> Result<Router> {
    Ok(match CrossOrigin::new(conf)? {
        Some(filter) => {
            router.layer(middleware::from_fn_with_state(Arc::new(filter), cross_origin))
        }
        None => router,
    })
}
