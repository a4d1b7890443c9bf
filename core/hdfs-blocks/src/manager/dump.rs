//! The text of `dfsadmin -metasave`: what waits for copies or deletion, what is corrupt, and every node.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManager.metaSave (3.5.0)

use std::collections::BTreeMap;
use std::fmt::Write;

use hdfs_types::{Block, BlockId, INodeId, Mono, WallMillis, byte_desc};

use super::{BlockManager, CorruptReason, DatanodeReportType};
use crate::datanode::{AdminState, DatanodeSlot};
use crate::low_redundancy::Level;
use crate::registration::{Now, StorageState};

/// What the text needs and blocks do not know.
pub struct DumpNames<'a> {
    /// The path of a file.
    pub path: &'a dyn Fn(INodeId) -> Option<String>,
    /// A time as Java prints it.
    pub date: &'a dyn Fn(WallMillis) -> String,
    /// The time of day, as in `09:30:00`.
    pub time: &'a dyn Fn(WallMillis) -> String,
}

/// A line; writing to a String can't fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {{
        let _ = writeln!($out, $($text)*);
    }};
}

impl BlockManager {
    /// Writes everything that is out of the ordinary, and the nodes, as Hadoop's `metasave` does.
    pub fn dump(&self, now: Now, names: &DumpNames<'_>, out: &mut String) {
        let count = |kind| self.list_datanodes(now.mono, kind).len();
        line!(out, "Live Datanodes: {}", count(DatanodeReportType::Live));
        line!(out, "Dead Datanodes: {}", count(DatanodeReportType::Dead));
        let missing = self.needed.len_of(Level::Missing);
        let waiting = self.needed.len() - missing;
        line!(out, "Metasave: Blocks waiting for reconstruction: {waiting}");
        for level in [Level::Highest, Level::VeryLow, Level::Low, Level::BadlyDistributed] {
            self.dump_level(level, names, out);
        }
        line!(out, "Metasave: Blocks currently missing: {missing}");
        self.dump_level(Level::Missing, names, out);
        line!(out, "Mis-replicated blocks that have been postponed:");
        for id in &self.postponed {
            self.dump_block(*id, names, out);
        }
        line!(out, "Metasave: Blocks being reconstructed: {}", self.pending.len());
        for (id, pending) in &self.pending {
            let Some(slot) = self.map.find(*id) else { continue };
            let began = began(now, pending.since);
            let (block, time) = (self.map.block(slot), (names.time)(began));
            let copies = pending.targets.len();
            line!(out, "{block} StartTime: {time} NumReconstructInProgress: {copies}");
        }
        self.dump_deletions(out);
        line!(out, "Corrupt Blocks:");
        for id in self.corrupt.keys() {
            self.dump_corrupt(*id, out);
        }
        self.dump_nodes(names, out);
    }

    fn dump_level(&self, level: Level, names: &DumpNames<'_>, out: &mut String) {
        for id in self.needed.iter_level(level, BlockId(i64::MIN)) {
            self.dump_block(id, names, out);
        }
    }

    /// A block, the counts of its replicas, and where they are.
    fn dump_block(&self, id: BlockId, names: &DumpNames<'_>, out: &mut String) {
        let Some(slot) = self.map.find(id) else {
            line!(out, "Block blk_{id} is Null");
            return;
        };
        let entry = self.map.entry(slot);
        let counts = self.count(slot);
        let file = (names.path)(entry.owner()).unwrap_or_else(|| "[orphaned]".to_owned());
        let leaving = counts.decommissioning + counts.decommissioned;
        let missing = if counts.live + leaving > 0 { "" } else { " MISSING" };
        let _ = write!(
            out,
            "{file}: {}{missing} (replicas: live: {} decommissioning and decommissioned: {leaving} corrupt: {} in \
             excess: {} maintenance mode: {}) ",
            self.map.block(slot),
            counts.live,
            counts.corrupt,
            counts.excess,
            counts.maintenance()
        );
        for storage in self.map.storages(slot) {
            let held = self.storage(storage);
            let node = self.datanode(held.datanode);
            let state = if self.is_corrupt_on(id, held.datanode) {
                "(corrupt)"
            } else if node.is_decommissioned() || node.is_decommissioning() {
                "(decommissioned)"
            } else if node.is_maintenance() {
                "(maintenance)"
            } else {
                ""
            };
            let stale =
                if held.contents_stale { " (block deletions maybe out of date)" } else { "" };
            let _ = write!(out, " {}{state}{stale} : ", node.registration.xfer_addr());
        }
        out.push('\n');
    }

    fn dump_deletions(&self, out: &mut String) {
        let nodes: Vec<DatanodeSlot> =
            self.datanodes().filter(|slot| !self.datanode(*slot).invalidate.is_empty()).collect();
        let blocks: usize = nodes.iter().map(|slot| self.datanode(*slot).invalidate.len()).sum();
        let count = nodes.len();
        line!(out, "Metasave: Blocks {blocks} waiting deletion from {count} datanodes.");
        for slot in nodes {
            let node = self.datanode(slot);
            line!(out, "{}", node.registration.xfer_addr());
            let blocks: Vec<String> = node.invalidate.values().map(Block::to_string).collect();
            line!(out, "{}", blocks.join(","));
        }
    }

    /// Each corrupt replica of a block.
    fn dump_corrupt(&self, id: BlockId, out: &mut String) {
        let (Some(slot), Some(corrupt)) = (self.map.find(id), self.corrupt.get(&id)) else {
            return;
        };
        let block = self.map.block(slot);
        let storages = self.map.storages(slot);
        for storage in &storages {
            let held = self.storage(*storage);
            let Some(replica) = corrupt.iter().find(|replica| replica.node == held.datanode) else {
                continue;
            };
            line!(
                out,
                "Block={block}\tSize={}\tNode={}\tStorageID={}\tStorageState={}\tTotalReplicas={}\tReason={}",
                block.num_bytes,
                self.datanode(held.datanode).registration.xfer_addr(),
                held.uuid().as_str(),
                state_name(held.state()),
                storages.len(),
                reason_name(replica.reason)
            );
        }
    }

    fn dump_nodes(&self, names: &DumpNames<'_>, out: &mut String) {
        let nodes: BTreeMap<&str, DatanodeSlot> =
            self.datanodes().map(|slot| (self.datanode(slot).uuid().as_str(), slot)).collect();
        line!(out, "Metasave: Number of datanodes: {}", nodes.len());
        for slot in nodes.into_values() {
            self.dump_node(slot, names, out);
        }
    }

    fn dump_node(&self, slot: DatanodeSlot, names: &DumpNames<'_>, out: &mut String) {
        let node = self.datanode(slot);
        let with_unit = |bytes: u64| format!("{bytes}({})", byte_desc(bytes.cast_signed()));
        let _ = write!(out, "{}", node.registration.xfer_addr());
        if node.location != self.conf.default_location {
            let _ = write!(out, " {}", node.location);
        }
        let _ = write!(
            out,
            " {} {} {} {} {} {} {} {} {} {}",
            match node.admin_state {
                AdminState::Decommissioned => "DD",
                AdminState::DecommissionInProgress => "DP",
                AdminState::InMaintenance => "IM",
                AdminState::EnteringMaintenance => "EM",
                AdminState::Normal => "IN",
            },
            with_unit(node.capacity),
            with_unit(node.dfs_used),
            percent(node.dfs_used, node.capacity),
            with_unit(node.remaining),
            with_unit(node.cache_capacity),
            with_unit(node.cache_capacity.saturating_sub(node.cache_used)),
            percent(node.cache_used, node.cache_capacity),
            with_unit(node.cache_used),
            (names.date)(node.last_update_wall)
        );
        let waiting = [
            (node.transfers.len(), "replicated"),
            (node.invalidate.len(), "invalidated"),
            (node.recoveries.len(), "recovered"),
        ];
        for (count, what) in waiting.into_iter().filter(|(count, _)| *count > 0) {
            let _ = write!(out, " {count} blocks to be {what};");
        }
        out.push('\n');
    }
}

/// A past moment on the other clock.
fn began(now: Now, at: Mono) -> WallMillis {
    let ago = u64::try_from(now.mono.since(at).as_millis()).unwrap_or(u64::MAX);
    WallMillis(now.wall.0.saturating_sub(ago))
}

/// A node without space counts as full.
fn percent(used: u64, capacity: u64) -> String {
    let share = if capacity == 0 { 100.0 } else { used as f64 * 100.0 / capacity as f64 };
    format!("{share:.2}%")
}

fn state_name(state: StorageState) -> &'static str {
    match state {
        StorageState::Normal => "NORMAL",
        StorageState::ReadOnlyShared => "READ_ONLY_SHARED",
        StorageState::Failed => "FAILED",
    }
}

fn reason_name(reason: CorruptReason) -> &'static str {
    match reason {
        CorruptReason::GenstampMismatch => "GENSTAMP_MISMATCH",
        CorruptReason::SizeMismatch => "SIZE_MISMATCH",
        CorruptReason::InvalidState => "INVALID_STATE",
        CorruptReason::Reported => "CORRUPTION_REPORTED",
    }
}
