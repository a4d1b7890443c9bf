//! `-report` and `-printTopology`.
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.DatanodeInfo.getDatanodeReport (3.5.0)

use std::collections::BTreeMap;

use hdfs_client::{AdminState, DatanodeInfo, DatanodeReportType, SafeModeAction};
use hdfs_types::Result;

use super::Call;
use crate::host_names::host_of;
use crate::output::say;
use crate::shell::format::{half_up, human_bytes, java_date};

/// Options that choose DataNodes, which they choose, and the title of the list.
const LISTS: [(&str, DatanodeReportType, &str); 5] = [
    ("-live", DatanodeReportType::Live, "Live"),
    ("-dead", DatanodeReportType::Dead, "Dead"),
    ("-decommissioning", DatanodeReportType::Decommissioning, "Decommissioning"),
    ("-enteringmaintenance", DatanodeReportType::EnteringMaintenance, "Entering maintenance"),
    ("-inmaintenance", DatanodeReportType::InMaintenance, "In maintenance"),
];

pub(super) fn run(call: &Call<'_>) -> Result<i32> {
    let wanted = |option: &str| call.args.iter().any(|arg| arg == option);
    summary(call)?;
    let slow = wanted("-slownodes");
    let all = !slow && !LISTS.iter().any(|(option, ..)| wanted(option));
    for (option, kind, title) in LISTS {
        if !all && !wanted(option) {
            continue;
        }
        list(title, &call.client()?.datanode_report(kind)?, !all);
    }
    if all || slow {
        list("Slow", &call.client()?.slow_datanodes()?, slow);
    }
    Ok(0)
}

fn list(title: &str, nodes: &[DatanodeInfo], even_if_empty: bool) {
    if !nodes.is_empty() || even_if_empty {
        say!("{title} datanodes ({}):\n", nodes.len());
    }
    for node in nodes {
        say!("{}\n", describe(node));
    }
}

fn line(name: &str, bytes: u64) -> String {
    format!("{name}: {bytes} ({})", human_bytes(bytes))
}

fn summary(call: &Call<'_>) -> Result<()> {
    let client = call.client()?;
    let stats = client.fs_stats()?;
    if client.set_safe_mode(SafeModeAction::Get)? {
        say!("Safe mode is ON");
        if stats.bytes_in_future > 0 {
            say!(
                "\nWARNING: \nName node has detected blocks with generation stamps in future.\n\
                 Forcing exit from safemode will cause {} byte(s) to be deleted.\n\
                 If you are sure that the NameNode was started with the correct metadata files then you may \
                 proceed with '-safemode forceExit'\n",
                stats.bytes_in_future
            );
        }
    }
    let present = stats.used + stats.remaining;
    say!("{}", line("Configured Capacity", stats.capacity));
    say!("{}", line("Present Capacity", present));
    say!("{}", line("DFS Remaining", stats.remaining));
    say!("{}", line("DFS Used", stats.used));
    let percent = if present == 0 { 0.0 } else { stats.used as f64 / present as f64 * 100.0 };
    say!("DFS Used%: {}%", half_up(percent, 2));
    let blocks = client.replicated_block_stats()?;
    say!("Replicated Blocks:");
    say!("\tUnder replicated blocks: {}", blocks.low_redundancy);
    say!("\tBlocks with corrupt replicas: {}", blocks.corrupt_blocks);
    say!("\tMissing blocks: {}", blocks.missing_blocks);
    say!("\tMissing blocks (with replication factor 1): {}", blocks.missing_repl_one_blocks);
    print_optional(blocks.badly_distributed_blocks, blocks.highest_prio_low_redundancy_blocks);
    say!("\tPending deletion blocks: {}", blocks.pending_deletion_blocks);
    let groups = client.ec_block_group_stats()?;
    say!("Erasure Coded Block Groups: ");
    say!("\tLow redundancy block groups: {}", groups.low_redundancy);
    say!("\tBlock groups with corrupt internal blocks: {}", groups.corrupt_blocks);
    say!("\tMissing block groups: {}", groups.missing_blocks);
    print_optional(groups.badly_distributed_blocks, groups.highest_prio_low_redundancy_blocks);
    say!("\tPending deletion blocks: {}", groups.pending_deletion_blocks);
    say!("\n-------------------------------------------------");
    Ok(())
}

fn print_optional(badly_distributed: Option<u64>, highest_priority: Option<u64>) {
    if let Some(blocks) = badly_distributed {
        say!("\tBadly Distributed Blocks: {blocks}");
    }
    if let Some(blocks) = highest_priority {
        say!("\tLow redundancy blocks with highest priority to recover: {blocks}");
    }
}

/// Java computes these in single precision.
fn percent(part: u64, whole: u64, of_nothing: f32) -> String {
    let percent = if whole == 0 { of_nothing } else { part as f32 * 100.0 / whole as f32 };
    format!("{}%", half_up(f64::from(percent), 2))
}

fn describe(node: &DatanodeInfo) -> String {
    let address = node.xfer_addr();
    let name = host_of(&node.ip_addr).map_or_else(String::new, |name| format!(" ({name})"));
    let state = match node.admin_state {
        AdminState::Normal => "Normal",
        AdminState::DecommissionInprogress => "Decommission in progress",
        AdminState::Decommissioned => "Decommissioned",
        AdminState::EnteringMaintenance => "Entering maintenance",
        AdminState::InMaintenance => "In maintenance",
    };
    let mut lines = vec![format!("Name: {address}{name}"), format!("Hostname: {}", node.host_name)];
    if node.location != "/default-rack" {
        lines.push(format!("Rack: {}", node.location));
    }
    if let Some(domain) = &node.upgrade_domain {
        lines.push(format!("Upgrade domain: {domain}"));
    }
    let cache_left = node.cache_capacity.saturating_sub(node.cache_used);
    let last_report = match node.last_block_report.0 {
        0 => "Never".to_owned(),
        millis => java_date(millis),
    };
    lines.extend([
        format!("Decommission Status : {state}"),
        line("Configured Capacity", node.capacity),
        line("DFS Used", node.dfs_used),
        line("Non DFS Used", node.non_dfs_used),
        line("DFS Remaining", node.remaining),
        format!("DFS Used%: {}", percent(node.dfs_used, node.capacity, 100.0)),
        format!("DFS Remaining%: {}", percent(node.remaining, node.capacity, 0.0)),
        line("Configured Cache Capacity", node.cache_capacity),
        line("Cache Used", node.cache_used),
        line("Cache Remaining", cache_left),
        format!("Cache Used%: {}", percent(node.cache_used, node.cache_capacity, 100.0)),
        format!("Cache Remaining%: {}", percent(cache_left, node.cache_capacity, 0.0)),
        format!("Xceivers: {}", node.xceiver_count),
        format!("Last contact: {}", java_date(node.last_update.0)),
        format!("Last Block Report: {last_report}"),
        format!("Num of Blocks: {}", node.num_blocks),
    ]);
    lines.join("\n") + "\n"
}

pub(super) fn topology(call: &Call<'_>) -> Result<i32> {
    let mut racks: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for node in call.client()?.datanode_report(DatanodeReportType::All)? {
        let host = host_of(&node.ip_addr).map_or_else(String::new, |name| format!(" ({name})"));
        let state = match node.admin_state {
            AdminState::Normal => "In Service",
            AdminState::DecommissionInprogress => "Decommission In Progress",
            AdminState::Decommissioned => "Decommissioned",
            AdminState::EnteringMaintenance => "Entering Maintenance",
            AdminState::InMaintenance => "In Maintenance",
        };
        let nodes = racks.entry(node.location.clone()).or_default();
        nodes.insert(node.xfer_addr(), format!("{host} {state}"));
    }
    for (rack, nodes) in racks {
        say!("Rack: {rack}");
        for (address, rest) in nodes {
            say!("   {address}{rest}");
        }
        say!("");
    }
    Ok(0)
}
