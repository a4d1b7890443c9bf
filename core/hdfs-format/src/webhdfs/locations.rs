//! Blocks and where they are, in JSON.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.JsonUtil, org.apache.hadoop.hdfs.DFSUtilClient.locatedBlocks2Locations (3.5.0)

use hdfs_proto::hdfs as p;

use super::json::{Fields, object, text, wrapped};
use super::token;

/// GET_BLOCK_LOCATIONS.
pub(super) fn located_blocks(located: &p::LocatedBlocksProto) -> String {
    wrapped("LocatedBlocks", |out| {
        object(out, |fields| {
            fields.plain("fileLength", located.file_length);
            fields.plain("isLastBlockComplete", located.is_last_block_complete);
            fields.plain("isUnderConstruction", located.under_construction);
            fields.with("lastLocatedBlock", |out| match &located.last_block {
                Some(block) => write_block(out, block),
                None => out.push_str("null"),
            });
            fields.array("locatedBlocks", &located.blocks, write_block);
        });
    })
}

fn write_block(out: &mut String, located: &p::LocatedBlockProto) {
    object(out, |fields| {
        fields.object("block", |fields| {
            fields.plain("blockId", located.b.block_id.cast_signed());
            fields.text("blockPoolId", &located.b.pool_id);
            fields.plain("generationStamp", located.b.generation_stamp);
            fields.plain("numBytes", located.b.num_bytes());
        });
        fields.object("blockToken", |fields| {
            fields.text("urlString", &token::encode(&located.block_token));
        });
        let cached = located.locs.iter().zip(&located.is_cached).filter(|of| *of.1);
        fields.array("cachedLocations", cached, |out, (node, _)| write_node(out, node));
        fields.plain("isCorrupt", located.corrupt);
        fields.array("locations", &located.locs, write_node);
        fields.plain("startOffset", located.offset);
        storage_types(fields, located);
    });
}

/// As many types as places: a sender that names none means disks.
fn storage_types(fields: &mut Fields<'_>, located: &p::LocatedBlockProto) {
    let mut types: Vec<&str> = located.storage_types().map(|of| of.as_str_name()).collect();
    types.resize(located.locs.len(), "DISK");
    fields.array("storageTypes", types, text);
}

fn write_node(out: &mut String, node: &p::DatanodeInfoProto) {
    let id = &node.id;
    object(out, |fields| {
        fields.text("adminState", node.admin_state().as_str_name());
        fields.plain("blockPoolUsed", node.block_pool_used());
        fields.plain("cacheCapacity", node.cache_capacity());
        fields.plain("cacheUsed", node.cache_used());
        fields.plain("capacity", node.capacity());
        fields.plain("dfsUsed", node.dfs_used());
        fields.text("hostName", &id.host_name);
        fields.plain("infoPort", id.info_port);
        fields.plain("infoSecurePort", id.info_secure_port());
        fields.text("ipAddr", &id.ip_addr);
        fields.plain("ipcPort", id.ipc_port);
        fields.plain("lastBlockReportMonotonic", node.last_block_report_monotonic());
        fields.plain("lastBlockReportTime", node.last_block_report_time());
        fields.plain("lastUpdate", node.last_update());
        fields.plain("lastUpdateMonotonic", node.last_update_monotonic());
        fields.text("name", &address(id));
        fields.text("networkLocation", node.location());
        fields.plain("remaining", node.remaining());
        fields.text("storageID", &id.datanode_uuid);
        if let Some(domain) = &node.upgrade_domain {
            fields.text("upgradeDomain", domain);
        }
        fields.plain("xceiverCount", node.xceiver_count());
        fields.plain("xferPort", id.xfer_port);
    });
}

fn address(id: &p::DatanodeIdProto) -> String {
    format!("{}:{}", id.ip_addr, id.xfer_port)
}

/// GETFILEBLOCKLOCATIONS, in the order of Java's HashMap.
pub(super) fn block_locations(located: &p::LocatedBlocksProto) -> String {
    wrapped("BlockLocations", |out| {
        object(out, |fields| fields.array("BlockLocation", &located.blocks, write_location));
    })
}

fn write_location(out: &mut String, located: &p::LocatedBlockProto) {
    let nodes = &located.locs;
    object(out, |fields| {
        let paths = nodes.iter().map(|node| format!("{}/{}", node.location(), address(&node.id)));
        fields.array("topologyPaths", paths, |out, path| text(out, &path));
        fields.plain("corrupt", located.corrupt);
        let cached = nodes.iter().zip(&located.is_cached).filter(|of| *of.1);
        fields.array("cachedHosts", cached, |out, (node, _)| text(out, &node.id.host_name));
        fields.array("names", nodes, |out, node| text(out, &address(&node.id)));
        fields.plain("offset", located.offset);
        fields.array("hosts", nodes, |out, node| text(out, &node.id.host_name));
        fields.plain("length", located.b.num_bytes());
        storage_types(fields, located);
    });
}
