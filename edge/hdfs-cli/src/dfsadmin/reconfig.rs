//! `-reconfig`: changing settings of daemons while they run.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSAdmin.reconfig (3.5.0)

use hdfs_client::{Daemon, DatanodeReportType, ReconfigurationStatus};
use hdfs_types::{Error, ErrorKind, Result};

use super::nodes::server;
use super::{Call, block_on, java_text};
use crate::output::{complain, say};
use crate::shell::format::java_date;

/// DataNodes asked at a time by `livenodes` and `decomnodes`.
const AT_A_TIME: usize = 5;

pub(super) fn run(call: &Call<'_>) -> Result<i32> {
    let [kind, address, operation] = call.args else { return Ok(call.usage()) };
    let daemon = match kind.as_str() {
        "namenode" => Some(Daemon::NameNode),
        "datanode" => Some(Daemon::DataNode),
        _ => None,
    };
    match operation.as_str() {
        "start" => in_bulk(call, "Starting of reconfiguration task", &|address| {
            start(call, daemon, address)
        }),
        "status" => in_bulk(call, "Retrieval of reconfiguration status", &|address| {
            status(call, daemon, address)
        }),
        "properties" => properties(call, daemon, address),
        other => {
            complain!("Unknown operation: {other}");
            Ok(255)
        }
    }
}

/// On one daemon, or on every DataNode of a kind.
fn in_bulk(call: &Call<'_>, what: &str, one: &(dyn Fn(&str) -> Result<i32> + Sync)) -> Result<i32> {
    let kind = match call.args[1].as_str() {
        "livenodes" => DatanodeReportType::Live,
        "decomnodes" => DatanodeReportType::Decommissioning,
        address => return one(address),
    };
    if call.args[0] != "datanode" {
        complain!("Only datanode type supports reconfiguration in bulk.");
        return Ok(1);
    }
    let nodes = call.client()?.datanode_report(kind)?;
    let addresses: Vec<String> =
        nodes.iter().map(|node| format!("{}:{}", node.ip_addr, node.ipc_port)).collect();
    let mut failed = 0;
    for group in addresses.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let asked = group.iter().map(|address| scope.spawn(|| one(address)));
            let asked: Vec<_> = asked.collect();
            for answer in asked {
                failed += usize::from(!matches!(answer.join(), Ok(Ok(0))));
            }
        });
    }
    say!("{what} successful on {} nodes, failed on {failed} nodes.", addresses.len() - failed);
    Ok(i32::from(failed > 0))
}

fn unknown(call: &Call<'_>) {
    complain!("Node type {} does not support reconfiguration.", call.args[0]);
}

/// A message for what went wrong with a daemon; a malformed address is the caller's error.
fn told(address: &str, what: &str, error: Error) -> Result<i32> {
    if error.kind == ErrorKind::IllegalArgument {
        return Err(error);
    }
    complain!("Node [{address}] {what}: {}.", java_text(&error));
    Ok(1)
}

fn start(call: &Call<'_>, daemon: Option<Daemon>, address: &str) -> Result<i32> {
    let Some(daemon) = daemon else {
        unknown(call);
        return Ok(1);
    };
    let admin = server(call, address)?;
    match block_on(admin.start_reconfiguration(daemon))? {
        Ok(()) => {
            say!("Started reconfiguration task on node [{address}].");
            Ok(0)
        }
        Err(error) => told(address, "reconfiguring", error),
    }
}

fn status(call: &Call<'_>, daemon: Option<Daemon>, address: &str) -> Result<i32> {
    let Some(daemon) = daemon else {
        unknown(call);
        return Ok(1);
    };
    let admin = server(call, address)?;
    match block_on(admin.reconfiguration_status(daemon))? {
        Ok(status) => {
            say!("{}", describe(address, &status));
            Ok(0)
        }
        Err(error) => told(address, "reloading configuration", error),
    }
}

fn describe(address: &str, status: &ReconfigurationStatus) -> String {
    let head = format!("Reconfiguring status for node [{address}]: ");
    if status.started.0 == 0 {
        return head + "no task was found.";
    }
    let head = format!("{head}started at {}", java_date(status.started.0));
    let Some(ended) = status.ended else { return head + " and is still running." };
    let mut lines = vec![format!("{head} and finished at {}.", java_date(ended.0))];
    for change in &status.changes {
        let new = change.new.as_deref().unwrap_or("null");
        let old = if change.old.is_empty() { "null" } else { &change.old };
        let verdict = match change.error {
            None => "SUCCESS: Changed",
            Some(_) => "FAILED: Change",
        };
        lines.push(format!(
            "{verdict} property {}\n\tFrom: \"{old}\"\n\tTo: \"{new}\"",
            change.name
        ));
        if let Some(error) = &change.error {
            lines.push(format!("\tError: {error}."));
        }
    }
    lines.join("\n")
}

fn properties(call: &Call<'_>, daemon: Option<Daemon>, address: &str) -> Result<i32> {
    let Some(daemon) = daemon else {
        unknown(call);
        return Ok(1);
    };
    let admin = server(call, address)?;
    match block_on(admin.reconfigurable_properties(daemon))? {
        Ok(names) => {
            say!("Node [{address}] Reconfigurable properties:");
            names.iter().for_each(|name| say!("{name}"));
            Ok(0)
        }
        Err(error) => told(address, "reconfiguration", error),
    }
}

#[cfg(test)]
mod tests {
    use hdfs_client::PropertyChange;
    use hdfs_types::WallMillis;

    use super::*;

    #[test]
    fn a_status_says_what_changed_and_what_did_not() {
        let mut status =
            ReconfigurationStatus { started: WallMillis(0), ended: None, changes: Vec::new() };
        let head = "Reconfiguring status for node [n:1]: ";
        assert_eq!(describe("n:1", &status), format!("{head}no task was found."));
        status.started = WallMillis(1);
        let began = format!("{head}started at {}", java_date(1));
        assert_eq!(describe("n:1", &status), format!("{began} and is still running."));
        status.ended = Some(WallMillis(2));
        let change = |error: Option<&str>| PropertyChange {
            name: "k".into(),
            old: "1".into(),
            new: error.is_none().then(|| "2".into()),
            error: error.map(str::to_owned),
        };
        status.changes = vec![change(None), change(Some("no"))];
        let text = describe("n:1", &status);
        let ended = format!("{began} and finished at {}.\n", java_date(2));
        assert_eq!(
            text,
            ended
                + "SUCCESS: Changed property k\n\tFrom: \"1\"\n\tTo: \"2\"\nFAILED: Change property \
                   k\n\tFrom: \"1\"\n\tTo: \"null\"\n\tError: no."
        );
    }
}
