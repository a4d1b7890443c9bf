//! The web server of the role: `/jmx`, `/imagetransfer`, the common pages, and its status.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.SecondaryNameNodeInfoMXBean (3.5.0)

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::get;
use hdfs_conf::{Configuration, keys};
use hdfs_format::storage_dir::CivilTime;
use hdfs_namenode::SOFTWARE_VERSION;
use hdfs_rt::clock;
use hdfs_rt::http::{self, Bean, HttpStatistics, ProcessBeans};
use hdfs_types::{Result, WallMillis};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::super::image_transfer;
use super::Status;
use super::merge::Host;

/// The server; it ends when this is dropped.
pub(super) struct Web(AbortHandle);

impl Drop for Web {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn serve(
    conf: &Configuration,
    host: &Arc<Host>,
    status: &Arc<Status>,
    runtime: &tokio::runtime::Runtime,
) -> Result<Web> {
    let address = conf.get_host_port(&keys::DFS_NAMENODE_SECONDARY_HTTP_ADDRESS)?;
    let listener = runtime.block_on(http::bind(super::resolve(&address)?))?;
    tracing::info!("SecondaryNameNode web server up at: {address}");
    let statistics = Arc::new(HttpStatistics::new(conf));
    let process = ProcessBeans::new("SecondaryNameNode");
    let (of_bean, of_http) = (status.clone(), statistics.clone());
    let beans = move || process.with(&of_http, || vec![bean(&of_bean)]);
    let router = Router::new()
        .route("/", get(|| async { Redirect::temporary("/status.html") }))
        .route("/status.html", get(page))
        .with_state(status.clone())
        .merge(http::jmx_router(Arc::new(beans)))
        .merge(http::common_router(Arc::new(conf.clone())))
        .merge(image_transfer::router(host.clone(), conf, false)?);
    let router = statistics.around(router);
    let task = runtime.spawn(async move {
        if let Err(error) = http::serve(listener, router).await {
            tracing::error!("the web server of the SecondaryNameNode ended: {error}");
        }
    });
    Ok(Web(task.abort_handle()))
}

/// Milliseconds since the last checkpoint; -1 before the first.
fn delta_ms(status: &Status) -> Value {
    match status.last_checkpoint_mono.load(Ordering::Relaxed) {
        0 => json!(-1),
        at => json!(clock::mono().0.saturating_sub(at) / 1_000_000),
    }
}

fn bean(status: &Status) -> Bean {
    Bean::new(
        "Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo",
        "org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode",
    )
    .with("HostAndPort", status.namenode.to_string())
    .with("StartTime", status.started)
    .with("SecurityEnabled", false)
    .with("LastCheckpointTime", status.last_checkpoint.load(Ordering::Relaxed))
    .with("LastCheckpointDeltaMs", delta_ms(status))
    .with("CheckpointDirectories", json!(status.image_dirs))
    .with("CheckpointEditlogDirectories", json!(status.edits_dirs))
    .with("CompileInfo", format!("Tusk {}", env!("CARGO_PKG_VERSION")))
    .with("SoftwareVersion", SOFTWARE_VERSION)
}

async fn page(State(status): State<Arc<Status>>) -> Html<String> {
    let date = |millis: u64| CivilTime::from(WallMillis(millis)).to_string();
    let last = match status.last_checkpoint.load(Ordering::Relaxed) {
        0 => "--".to_owned(),
        millis => date(millis),
    };
    let mut rows = String::new();
    for (name, value) in [
        ("Version", format!("{SOFTWARE_VERSION} (Tusk {})", env!("CARGO_PKG_VERSION"))),
        ("NameNode Address", status.namenode.to_string()),
        ("Started", date(status.started)),
        ("Last Checkpoint", last),
        ("Checkpoint Period", format!("{} seconds", status.period.as_secs())),
        ("Checkpoint Transactions", status.txns.to_string()),
        ("Checkpoint Image URI", status.image_dirs.join(", ")),
        ("Checkpoint Editlog URI", status.edits_dirs.join(", ")),
    ] {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        // Writing to a String can't fail.
        let _ = writeln!(rows, "<tr><th>{name}</th><td>{value}</td></tr>");
    }
    Html(format!(
        "<!DOCTYPE html>\n<html><head><title>SecondaryNamenode information</title></head>\n<body><h1>Overview</h1>\n\
         <table>\n{rows}</table>\n<p><a href=\"/logs/\">Logs</a> <a href=\"/jmx\">Metrics</a> <a \
         href=\"/conf\">Configuration</a></p></body></html>\n"
    ))
}
