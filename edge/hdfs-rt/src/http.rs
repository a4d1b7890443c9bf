//! The web server of a daemon: axum on hyper, and the handlers that all daemons share.

use std::net::SocketAddr;

use axum::Router;
use hdfs_types::{Error, Result};
use tokio::net::TcpListener;

mod conf;
mod jmx;
mod json;
mod process_beans;
mod statistics;

pub use conf::conf_router;
pub use jmx::{Bean, JmxSource, jmx_router};
pub use json::hadoop_json;
pub use process_beans::ProcessBeans;
pub use statistics::{HttpStatistics, http_date};

/// Binds the address of a web server; port 0 picks a free one.
///
/// # Errors
/// When the address cannot be bound; the message names it and what to do.
pub async fn bind(addr: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|error| {
        let remedy = "configure another address or stop the process that listens there";
        Error::io(format!("Port in use or not available: {addr} ({error}); {remedy}"))
            .with_source(error)
    })
}

/// Serves until the returned future is dropped or the listener breaks. Unknown paths answer 404.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.map_err(|error| Error::io(format!("serve HTTP: {error}")))
}
