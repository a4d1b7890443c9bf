//! Where WebHDFS sends a client: the part of its redirects that needs the block manager.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.web.resources.NamenodeWebHdfsMethods.chooseDatanode (3.5.0)

use hdfs_blocks::{DatanodeReportType, PlacementFlags, TargetRequest};
use hdfs_proto::hdfs::DatanodeIdProto;
use hdfs_types::{DatanodeUuid, Error, Result};

use crate::call::Call;
use crate::convert::datanode_id;
use crate::machine::NameNode;

impl NameNode {
    /// The DataNode that a file is best written through: where its first replica would be placed, else any live one.
    ///
    /// `exclude` lists DataNodes that are not wanted, as hosts or `host:port`, with commas between them.
    ///
    /// # Errors
    /// Io when no DataNode is left.
    pub fn choose_datanode_for_write(
        &mut self,
        call: &Call<'_>,
        path: &str,
        block_size: u64,
        exclude: Option<&str>,
    ) -> Result<DatanodeIdProto> {
        let slots = self.blocks.datanodes();
        let excluded: Vec<DatanodeUuid> = slots
            .map(|slot| &self.blocks.datanode(slot).registration)
            .filter(|node| {
                exclude.is_some_and(|list| {
                    names_datanode(list, &node.ip, node.xfer_port)
                        || names_datanode(list, &node.host_name, node.xfer_port)
                })
            })
            .map(|node| node.uuid.clone())
            .collect();
        let request = TargetRequest {
            path,
            replicas: 1,
            writer_ip: Some(call.client_machine),
            writer_location: None,
            excluded: &excluded,
            favored: &[],
            chosen: &[],
            block_size,
            storage_policy: 0,
            flags: PlacementFlags::default(),
        };
        let target = self.blocks.choose_targets(call.now.mono, &request).ok();
        if let Some(storage) = target.and_then(|storages| storages.first().copied()) {
            return Ok(datanode_id(self.blocks.datanode_of(storage)));
        }
        let mut live = self.blocks.list_datanodes(call.now.mono, DatanodeReportType::Live);
        live.retain(|slot| !excluded.contains(&self.blocks.datanode(*slot).registration.uuid));
        // The clock spreads the choice well enough.
        let index = (call.now.mono.0 / 1_000).checked_rem(live.len() as u64);
        let chosen = index.and_then(|index| live.get(index as usize).copied());
        let chosen = chosen.ok_or_else(|| {
            let exclude = exclude.unwrap_or("null");
            Error::io(format!(
                "Failed to find datanode, suggest to check cluster health. excludeDatanodes={exclude}"
            ))
        })?;
        Ok(datanode_id(self.blocks.datanode(chosen)))
    }
}

/// True when a list names a node, by host or by address and port.
pub fn names_datanode(list: &str, host: &str, port: u16) -> bool {
    list.split(',').map(str::trim).any(|entry| match entry.rsplit_once(':') {
        Some((name, number)) => name == host && number.parse() == Ok(port),
        None => entry == host,
    })
}
