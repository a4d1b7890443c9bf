//! The web server of a daemon: axum on hyper, and the handlers that all daemons share.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, Result};
use tokio::net::TcpListener;

pub mod client;
mod conf;
mod jmx;
mod json;
mod log_level;
mod logs;
mod process_beans;
mod prom;
mod stacks;
mod statistics;

pub use conf::conf_router;
pub use jmx::{Bean, JmxSource, jmx_router};
pub use json::hadoop_json;
pub use process_beans::ProcessBeans;
pub use prom::{Labels, PromSource, PromText, prom_router};
pub use statistics::{HttpStatistics, http_date};

/// The pages that every daemon has: `/conf`, `/logLevel`, `/stacks` and `/logs/`.
pub fn common_router(conf: Arc<Configuration>) -> Router {
    Router::new()
        .merge(log_level::router(Arc::clone(&conf)))
        .merge(logs::router(Arc::clone(&conf)))
        .merge(stacks::router())
        .merge(conf_router(conf))
}

/// Refuses a page that only an administrator may see, when `hadoop.security.authorization` is on: without security
/// nobody proves to be one.
///
/// Hadoop: org.apache.hadoop.http.HttpServer2.hasAdministratorAccess (3.5.0)
fn refuse_stranger(conf: &Configuration) -> Option<Response> {
    if !conf.get_bool(&keys::HADOOP_SECURITY_AUTHORIZATION) {
        return None;
    }
    let text = "Unauthenticated users are not authorized to access this page.";
    Some((StatusCode::FORBIDDEN, text).into_response())
}

/// Text as it may stand in a page.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

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
