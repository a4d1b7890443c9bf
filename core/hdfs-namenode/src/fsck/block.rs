//! `-blockId`: what is known about single blocks.

use std::fmt::Write;

use hdfs_blocks::{AdminState, StorageSlot};
use hdfs_types::BlockId;

use super::{Fsck, Phase, put};
use crate::call::Call;
use crate::machine::NameNode;

/// Blocks that one step tells about.
const STEP: usize = 64;

impl Fsck {
    /// Tells about the next blocks of the list.
    pub(super) fn check_blocks(&mut self, nn: &NameNode, call: &Call<'_>, out: &mut String) {
        let (Phase::Blocks { next }, Some(ids)) = (&self.phase, &self.options.block_ids) else {
            return;
        };
        let end = ids.len().min(next + STEP);
        for id in &ids[*next..end] {
            if id.contains("blk_") {
                out.push('\n');
                self.check_block(nn, call, id, out);
            } else {
                put!(out, "Incorrect blockId format: {id}\n");
            }
        }
        self.phase = if end == ids.len() { Phase::Finished } else { Phase::Blocks { next: end } };
    }

    fn check_block(&self, nn: &NameNode, call: &Call<'_>, text: &str, out: &mut String) {
        let id = match parse(text) {
            Ok(id) => id,
            Err(digits) => {
                put!(out, "For input string: \"{digits}\"\n\n\nFsck on blockId '{text}");
                return;
            }
        };
        let blocks = &nn.blocks;
        let (Some(info), Some(counts)) = (blocks.block(id), blocks.replica_counts(id)) else {
            put!(out, "Block {text} does not exist\n");
            return;
        };
        let path = nn.path_text(info.owner).unwrap_or_default();
        put!(out, "Block Id: {text}\nBlock belongs to: {path}\n");
        put!(out, "No. of Expected Replica: {}\n", info.replication);
        put!(out, "No. of live Replica: {}\n", counts.live);
        put!(out, "No. of excess Replica: {}\n", counts.excess);
        put!(out, "No. of stale Replica: {}\n", counts.stale);
        put!(out, "No. of decommissioned Replica: {}\n", counts.decommissioned);
        put!(out, "No. of decommissioning Replica: {}\n", counts.decommissioning);
        if self.options.maintenance {
            put!(out, "No. of entering maintenance Replica: {}\n", counts.entering_maintenance);
            put!(out, "No. of in maintenance Replica: {}\n", counts.in_maintenance);
        }
        put!(out, "No. of corrupted Replica: {}\n", counts.corrupt);
        for storage in blocks.stored_replicas(id).into_iter().rev() {
            self.replica_line(nn, call, id, storage, out);
        }
    }

    fn replica_line(
        &self,
        nn: &NameNode,
        call: &Call<'_>,
        id: BlockId,
        storage: StorageSlot,
        out: &mut String,
    ) {
        let node = nn.blocks.datanode_of(storage);
        let (host, rack) = (&node.registration.host_name, &node.location);
        put!(out, "Block replica on datanode/rack: {host}{rack} ");
        let health = nn.blocks.replica_health(call.now.mono, id, storage);
        let tells_maintenance = self.options.maintenance;
        let state = match (health.corrupt, health.admin) {
            (Some(reason), _) => {
                put!(out, "is CORRUPT\t ReasonCode: {reason}\n");
                return;
            }
            (None, AdminState::Decommissioned) => "is DECOMMISSIONED",
            (None, AdminState::DecommissionInProgress) => "is DECOMMISSIONING",
            (None, AdminState::EnteringMaintenance) if tells_maintenance => {
                "is ENTERING MAINTENANCE"
            }
            (None, AdminState::InMaintenance) if tells_maintenance => "is IN MAINTENANCE",
            _ if health.stale_node => "is STALE",
            _ if health.excess => "is EXCESS",
            _ => "is HEALTHY",
        };
        put!(out, "{state}\n");
    }
}

/// `blk_ID` or `blk_ID_STAMP.meta`; anything else means block 0, which never exists. The error: digits that are no
/// number.
fn parse(text: &str) -> Result<BlockId, &str> {
    let Some(rest) = text.strip_prefix("blk_") else { return Ok(BlockId(0)) };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let digits = match rest.split_once('_') {
        None => rest,
        Some((digits, tail)) if tail.strip_suffix(".meta").is_some_and(is_number) => digits,
        Some(_) => return Ok(BlockId(0)),
    };
    if !is_number(digits.strip_prefix('-').unwrap_or(digits)) {
        return Ok(BlockId(0));
    }
    digits.parse().map(BlockId).map_err(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_named_by_its_file_or_its_meta_file() {
        assert_eq!(parse("blk_7"), Ok(BlockId(7)));
        assert_eq!(parse("blk_-7"), Ok(BlockId(-7)));
        assert_eq!(parse("blk_7_1001.meta"), Ok(BlockId(7)));
        for other in ["blk_7_1001", "blk_", "x blk_7", "blk_7_.meta", "blk_--7"] {
            assert_eq!(parse(other), Ok(BlockId(0)), "{other}");
        }
        assert_eq!(parse("blk_99999999999999999999"), Err("99999999999999999999"));
    }
}
