//! Small pages of the NameNode: `/isActive`, `/startupProgress` and `/topology`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{IsNameNodeActiveServlet, StartupProgressServlet,
//! NetworkTopologyServlet} (3.5.0)

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hdfs_blocks::DatanodeReportType;
use serde_json::{Value, json};

use super::shell::{Shell, now};

/// Their routes.
pub(super) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/isActive", get(|| async { ([text_plain()], "I am Active!") }))
        .route("/startupProgress", get(startup_progress))
        .route("/topology", get(topology))
        .with_state(shell)
}

fn text_plain() -> (header::HeaderName, &'static str) {
    (header::CONTENT_TYPE, "text/plain;charset=utf-8")
}

fn application_json() -> (header::HeaderName, &'static str) {
    (header::CONTENT_TYPE, "application/json;charset=utf-8")
}

async fn startup_progress(State(shell): State<Arc<Shell>>) -> Response {
    ([application_json()], shell.progress.json()).into_response()
}

/// A node of a rack: address for block streams and host name.
type Node = (String, String);

async fn topology(State(shell): State<Arc<Shell>>, headers: HeaderMap) -> Response {
    let racks = racks(&shell);
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        ([application_json()], topology_json(&racks)).into_response()
    } else {
        ([text_plain()], topology_text(&racks)).into_response()
    }
}

/// Every node that is registered, by rack.
fn racks(shell: &Shell) -> BTreeMap<String, Vec<Node>> {
    let machine = shell.read_machine();
    let blocks = machine.blocks();
    let mut racks: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for slot in blocks.list_datanodes(now().mono, DatanodeReportType::All) {
        let node = blocks.datanode(slot);
        let registration = &node.registration;
        let shown = (registration.xfer_addr(), registration.host_name.clone());
        racks.entry(node.location.clone()).or_default().push(shown);
    }
    racks
}

fn topology_json(racks: &BTreeMap<String, Vec<Node>>) -> String {
    let node = |(address, host): &Node| {
        format!("{{\"ip\":{},\"hostname\":{}}}", json!(address), json!(host))
    };
    let racks: Vec<String> = racks
        .iter()
        .map(|(rack, nodes)| {
            let nodes: Vec<String> = nodes.iter().map(node).collect();
            format!("{{{}:[{}]}}", Value::from(rack.as_str()), nodes.join(","))
        })
        .collect();
    format!("[{}]", racks.join(","))
}

fn topology_text(racks: &BTreeMap<String, Vec<Node>>) -> String {
    if racks.is_empty() {
        return "No DataNodes".to_owned();
    }
    let mut out = String::new();
    for (rack, nodes) in racks {
        // Writing to a String can't fail.
        let _ = writeln!(out, "Rack: {rack}");
        for (address, host) in nodes {
            let _ = writeln!(out, "   {address} ({host})");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROVENANCE: `curl 127.0.0.1:19001/topology` of Apache 3.5.0, with `Accept: application/json` for the second.
    #[test]
    fn the_topology_reads_as_apaches() {
        let node = |port| (format!("127.0.0.1:{port}"), "localhost".to_owned());
        let racks = BTreeMap::from([("/default-rack".to_owned(), vec![node(19010), node(19020)])]);
        assert_eq!(
            topology_text(&racks),
            "Rack: /default-rack\n   127.0.0.1:19010 (localhost)\n   127.0.0.1:19020 (localhost)\n\n"
        );
        assert_eq!(
            topology_json(&racks),
            r#"[{"/default-rack":[{"ip":"127.0.0.1:19010","hostname":"localhost"},{"ip":"127.0.0.1:19020","hostname":"localhost"}]}]"#
        );
    }
}
