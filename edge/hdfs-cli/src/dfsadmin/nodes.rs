//! Commands that ask one daemon by the address of its RPC port.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSAdmin (3.5.0)

use hdfs_client::ServerAdmin;
use hdfs_conf::HostPort;
use hdfs_types::{Error, Result};

use super::{Call, block_on, java_text, pop_option, pop_value};
use crate::output::{complain, say};
use crate::shell::format::human_bytes;

/// The daemon at `host:port`.
pub(super) fn server(call: &Call<'_>, address: &str) -> Result<ServerAdmin> {
    ServerAdmin::new(HostPort::parse(address, None)?, call.conf)
}

/// As Hadoop says it when a DataNode does not answer, or refuses.
fn unreachable(error: &Error) -> Error {
    Error::io(format!("Datanode unreachable. {}", java_text(error)))
}

pub(super) fn datanode_info(call: &Call<'_>) -> Result<i32> {
    let node = server(call, &call.args[0])?;
    let info = block_on(node.datanode_info())?.map_err(|error| unreachable(&error))?;
    say!(
        "Uptime: {}, Software version: {}, Config version: {}",
        info.uptime_secs,
        info.software_version,
        info.config_version
    );
    Ok(0)
}

pub(super) fn volume_report(call: &Call<'_>) -> Result<i32> {
    let node = server(call, &call.args[0])?;
    let volumes = block_on(node.volume_report())??;
    say!("Active Volumes : {}", volumes.len());
    let bytes = |count: u64| format!("{count}({})", human_bytes(count));
    for volume in volumes {
        say!("\nDirectory: {}", volume.path);
        say!("StorageType: {}", volume.storage_type);
        say!("Capacity Used: {}", bytes(volume.used));
        say!("Capacity Left: {}", bytes(volume.free));
        say!("Capacity Reserved: {}", bytes(volume.reserved));
        say!("Reserved Space for Replicas: {}", bytes(volume.reserved_for_replicas));
        say!("Blocks: {}", volume.blocks);
    }
    Ok(0)
}

pub(super) fn balancer_bandwidth(call: &Call<'_>) -> Result<i32> {
    let node = server(call, &call.args[0])?;
    let bandwidth = block_on(node.balancer_bandwidth())?.map_err(|error| unreachable(&error))?;
    say!("Balancer bandwidth is {bandwidth} bytes per second.");
    Ok(0)
}

pub(super) fn evict_writers(call: &Call<'_>) -> Result<i32> {
    let address = &call.args[0];
    let node = server(call, address)?;
    block_on(node.evict_writers())?.map_err(|error| unreachable(&error))?;
    say!("Requested writer eviction to datanode {address}");
    Ok(0)
}

pub(super) fn shutdown(call: &Call<'_>) -> Result<i32> {
    let address = &call.args[0];
    let node = server(call, address)?;
    let for_upgrade = match call.args.get(1) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("upgrade") => true,
        Some(_) => return Ok(call.usage()),
    };
    block_on(node.shutdown_datanode(for_upgrade))??;
    say!("Submitted a shutdown request to datanode {address}");
    Ok(0)
}

pub(super) fn refresh_namenodes(call: &Call<'_>) -> Result<i32> {
    let node = server(call, &call.args[0])?;
    block_on(node.refresh_namenodes())??;
    Ok(0)
}

pub(super) fn delete_block_pool(call: &Call<'_>) -> Result<i32> {
    let node = server(call, &call.args[0])?;
    let force = match call.args.get(2).map(String::as_str) {
        None => false,
        Some("force") => true,
        Some(_) => return Ok(call.usage()),
    };
    block_on(node.delete_block_pool(&call.args[1], force))??;
    Ok(0)
}

pub(super) fn trigger_block_report(call: &Call<'_>) -> Result<i32> {
    let mut args = call.args.to_vec();
    let namenode = pop_value("-namenode", &mut args)?;
    let address_of_namenode = namenode.as_deref().map(|text| HostPort::parse(text, None));
    let address_of_namenode = address_of_namenode.transpose()?;
    let incremental = pop_option("-incremental", &mut args);
    let Some(at) = args.iter().position(|arg| !arg.starts_with('-')) else {
        complain!("You must specify a host:port pair.");
        return Ok(1);
    };
    let address = args.remove(at);
    if !args.is_empty() {
        complain!("Can't understand arguments: {}", args.join(" "));
        return Ok(1);
    }
    let node = server(call, &address)?;
    let asked = block_on(node.trigger_block_report(incremental, address_of_namenode.as_ref()))?;
    if let Err(error) = asked {
        complain!("triggerBlockReport error: {}", java_text(&error));
        return Ok(1);
    }
    let kind = if incremental { "an incremental" } else { "a full" };
    let to = namenode.map_or_else(String::new, |address| format!(" to namenode {address}"));
    say!("Triggering {kind} block report on {address}{to}.");
    Ok(0)
}

/// Any failure to get an answer has the same message: Hadoop drops the cause, and so the cause goes after it.
pub(super) fn generic_refresh(call: &Call<'_>) -> Result<i32> {
    let [address, identifier, args @ ..] = call.args else { return Ok(call.usage()) };
    let daemon = server(call, address)?;
    let responses = match block_on(daemon.refresh(identifier, args))? {
        Ok(responses) => responses,
        Err(error) => {
            say!("Failed to get response.\n");
            complain!("refresh: {}", error.message);
            return Ok(255);
        }
    };
    say!("Refresh Responses:\n");
    let mut status = 0;
    for response in responses {
        let sender = response.sender.map_or_else(String::new, |sender| format!("{sender}: "));
        let message = response.message.unwrap_or_default();
        say!("{sender}{message} (exit {})", response.exit_status);
        status = match (status, response.exit_status) {
            (status, 0) => status,
            (0, only) => only,
            _ => -1,
        };
    }
    // As a process's status Java's -1 is 255.
    Ok(status & 0xFF)
}
