//! Block groups of erasure-coded files, beside the map of replicated blocks.
//!
//! A group has one id; the block with index `i` has the group's id plus `i`, in the low four bits of a negative number.
//! DataNodes know such a block as any other one. Each storage that reports one counts for its index.
//!
//! What it does not do: it rebuilds no block that is lost, and deletes none that is there twice. Blocks on nodes that leave
//! service are copied.
//!
//! **Invariant:** a block of a group that is known is never deleted, whatever its length or stamp says, before its file is.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockInfoStriped (3.5.0)

mod leaving;

use std::collections::{BTreeMap, BTreeSet};

use hdfs_types::{Block, BlockId, Error, GenerationStamp, INodeId, Mono, ReplicaState, Result};
use smallvec::SmallVec;

use super::lifecycle::{check_commit, check_fields};
use super::replicas::Counts;
use super::{BlockInfo, BlockManager, CommitOutcome, LocatedReplicas};
use crate::block_map::BlockState;
use crate::command::NO_ACK;
use crate::datanode::{AdminState, DatanodeSlot, StorageSlot};
use crate::event::BlockEvent;
use crate::registration::{ReportedReplica, StorageState};

/// Bits of an id that are the index in a group.
const INDEX_MASK: i64 = 15;

/// What a group is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StripedUnits {
    /// Data blocks of a full group.
    pub data: u8,
    /// Parity blocks.
    pub parity: u8,
    /// Bytes of a cell.
    pub cell_bytes: u32,
}

/// A reported block of a group.
#[derive(Clone, Copy, Debug)]
struct Internal {
    index: u8,
    storage: StorageSlot,
    generation_stamp: GenerationStamp,
    num_bytes: u64,
    /// The full report that was the last to begin when this block was reported.
    report: u64,
}

#[derive(Clone, Debug)]
struct Group {
    block: Block,
    owner: INodeId,
    units: StripedUnits,
    state: BlockState,
    internal: SmallVec<[Internal; 9]>,
    /// Index and storage, while it is being written.
    expected: Vec<(u8, StorageSlot)>,
    is_safe: bool,
}

impl Group {
    /// Data blocks that hold anything.
    ///
    /// Hadoop: BlockInfoStriped.getRealDataBlockNum (3.5.0)
    fn real_data(&self) -> u32 {
        let data = u64::from(self.units.data);
        if !matches!(self.state, BlockState::Complete | BlockState::Committed) {
            return data as u32;
        }
        let cells = self.block.num_bytes.saturating_sub(1) / u64::from(self.units.cell_bytes) + 1;
        data.min(cells) as u32
    }

    fn real_total(&self) -> u32 {
        self.real_data() + u32::from(self.units.parity)
    }
}

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: BTreeMap<BlockId, Group>,
    /// Which blocks of groups a storage holds.
    by_storage: BTreeMap<StorageSlot, BTreeSet<BlockId>>,
    /// Blocks to be copied from nodes that leave service.
    leaving: BTreeMap<DatanodeSlot, BTreeSet<BlockId>>,
    /// Such copies on their way: since when, and where to.
    copies: BTreeMap<BlockId, (Mono, DatanodeSlot)>,
    complete: u64,
    safe: u64,
}

/// Numbers about groups.
///
/// Proto: ClientNamenodeProtocol.proto GetFsECBlockGroupStatsResponseProto
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupStats {
    /// Groups.
    pub groups: u64,
    /// Those that lack blocks, missing ones included.
    pub low_redundancy: u64,
    /// Those that lack more than parity can make up for.
    pub missing: u64,
    /// Those that lose data with the next block.
    pub highest_priority: u64,
}

/// The group that a block belongs to, if it belongs to one, and its index there.
fn group_of(id: BlockId) -> (BlockId, u8) {
    (BlockId(id.0 & !INDEX_MASK), (id.0 & INDEX_MASK) as u8)
}

impl Groups {
    fn find(&self, id: BlockId) -> Option<&Group> {
        if id.0 >= 0 || self.groups.is_empty() {
            return None;
        }
        self.groups.get(&group_of(id).0)
    }

    fn find_mut(&mut self, id: BlockId) -> Option<&mut Group> {
        if id.0 >= 0 || self.groups.is_empty() {
            return None;
        }
        self.groups.get_mut(&group_of(id).0)
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Forgets the copies that are to be made.
    pub(crate) fn clear_copies(&mut self) {
        self.leaving.clear();
        self.copies.clear();
    }

    /// Complete groups, and those of them whose data was reported.
    pub(crate) fn safe_counts(&self) -> (u64, u64) {
        (self.complete, self.safe)
    }
}

/// The life of a group.
impl BlockManager {
    /// True for a group, or a block of one.
    pub fn is_striped(&self, id: BlockId) -> bool {
        self.striped.find(id).is_some()
    }

    /// Adds a group. `targets`, by index, are where a client is about to write it.
    ///
    /// # Errors
    /// Io when a field is out of range or the id is in use.
    pub fn add_group(
        &mut self,
        block: Block,
        owner: INodeId,
        units: StripedUnits,
        state: BlockState,
        targets: &[StorageSlot],
    ) -> Result<()> {
        check_fields(block, owner, 0)?;
        let fits = block.id.0 < 0 && block.id.0 & INDEX_MASK == 0 && units.cell_bytes > 0;
        if !fits || u32::from(units.data) + u32::from(units.parity) > 16 || units.data == 0 {
            return Err(Error::io(format!(
                "Block group {block:?} of inode {owner} makes no sense"
            )));
        }
        if self.striped.groups.contains_key(&block.id) || self.map.find(block.id).is_some() {
            return Err(Error::io(format!("Block {block} is in the block map already")));
        }
        let group = Group {
            block,
            owner,
            units,
            state,
            internal: SmallVec::new(),
            expected: (0..).zip(targets.iter().copied()).collect(),
            is_safe: false,
        };
        self.striped.complete += u64::from(state == BlockState::Complete);
        self.striped.groups.insert(block.id, group);
        for target in targets {
            self.schedule(*target);
        }
        Ok(())
    }

    pub(crate) fn group_info(&self, id: BlockId) -> Option<BlockInfo> {
        let group = self.striped.find(id)?;
        Some(BlockInfo {
            block: group.block,
            owner: group.owner,
            replication: group.real_total() as u16,
            state: group.state,
        })
    }

    pub(crate) fn group_expected(&self, id: BlockId) -> Option<Vec<StorageSlot>> {
        let group = self.striped.find(id)?;
        if group.state == BlockState::Complete {
            return Some(group.internal.iter().map(|of| of.storage).collect());
        }
        Some(group.expected.iter().map(|of| of.1).collect())
    }

    pub(crate) fn set_group_expected(&mut self, id: BlockId, targets: &[StorageSlot]) -> bool {
        let indexed: Vec<_> = (0..).zip(targets.iter().copied()).collect();
        self.set_group_locations(id, &indexed)
    }

    /// The same where some indices are left out: a client goes on without nodes that failed. False: it is no group.
    pub fn set_group_locations(&mut self, id: BlockId, targets: &[(u8, StorageSlot)]) -> bool {
        let Some(group) = self.striped.find_mut(id) else { return false };
        let before = std::mem::replace(&mut group.expected, targets.to_vec());
        for (_, storage) in before {
            self.unschedule(storage);
        }
        for (_, target) in targets {
            self.schedule(*target);
        }
        true
    }

    /// True when enough blocks were reported to read the group.
    pub(crate) fn group_has_min_storage(&self, id: BlockId) -> Option<bool> {
        let group = self.striped.find(id)?;
        Some(self.group_counts(group).usable() >= group.real_data())
    }

    /// As for a replicated block: commits length and stamp, and completes the group when its data is there.
    pub(crate) fn commit_or_complete_group(&mut self, commit: Block) -> Result<CommitOutcome> {
        let Some(group) = self.striped.find_mut(commit.id) else {
            return Err(Error::io(format!("Block {commit} does not exist")));
        };
        if group.state == BlockState::Complete {
            return Ok(CommitOutcome { committed: false, complete: true });
        }
        let committed = group.state != BlockState::Committed;
        if committed {
            check_commit(group.block, commit)?;
            check_fields(commit, group.owner, 0)?;
            group.block.num_bytes = commit.num_bytes;
            group.state = BlockState::Committed;
        }
        let complete = self.group_has_min_storage(commit.id) == Some(true);
        if complete {
            self.complete_group(commit.id);
        }
        Ok(CommitOutcome { committed, complete })
    }

    /// Marks a group complete, whatever was reported.
    pub(crate) fn complete_group(&mut self, id: BlockId) {
        let Some(group) = self.striped.find_mut(id) else { return };
        if group.state == BlockState::Complete {
            return;
        }
        group.state = BlockState::Complete;
        let promised = std::mem::take(&mut group.expected);
        let arrived: BTreeSet<StorageSlot> = group.internal.iter().map(|of| of.storage).collect();
        self.striped.complete += 1;
        for (_, storage) in promised {
            if !arrived.contains(&storage) {
                self.unschedule(storage);
            }
        }
        self.refresh_group_safe(id);
    }

    /// A new length or stamp, from an edit or from a client that replaces its pipelines.
    pub(crate) fn update_group(&mut self, block: Block) -> Result<()> {
        let Some(group) = self.striped.find_mut(block.id) else {
            return Err(Error::io(format!("Block {block} does not exist")));
        };
        check_fields(block, group.owner, 0)?;
        if block.generation_stamp < group.block.generation_stamp {
            return Err(Error::io(format!(
                "Mismatched block IDs or generation stamps, attempting to replace block {} with {block}",
                group.block
            )));
        }
        group.block = block;
        self.refresh_group_safe(block.id);
        Ok(())
    }

    /// Opens a complete group again.
    pub(crate) fn reopen_group(&mut self, id: BlockId) -> Vec<StorageSlot> {
        let Some(group) = self.striped.find_mut(id) else { return Vec::new() };
        if group.state == BlockState::Complete {
            group.state = BlockState::UnderConstruction;
            group.expected = group.internal.iter().map(|of| (of.index, of.storage)).collect();
            self.striped.complete -= 1;
            self.refresh_group_safe(id);
        }
        self.group_expected(id).unwrap_or_default()
    }

    /// Forgets a group; its blocks will be deleted.
    pub(crate) fn remove_group(&mut self, id: BlockId) {
        let (id, _) = group_of(id);
        let Some(group) = self.striped.groups.remove(&id) else { return };
        self.striped.complete -= u64::from(group.state == BlockState::Complete);
        self.striped.safe -= u64::from(group.is_safe);
        for (_, storage) in group.expected {
            self.unschedule(storage);
        }
        for of in group.internal {
            let block = Block {
                id: BlockId(id.0 | i64::from(of.index)),
                num_bytes: NO_ACK,
                generation_stamp: of.generation_stamp,
            };
            if let Some(held) = self.striped.by_storage.get_mut(&of.storage) {
                held.remove(&block.id);
            }
            if self.storage(of.storage).state() == StorageState::Normal {
                let node = self.storage(of.storage).datanode;
                self.queue_deletion(node, block);
            }
        }
    }

    pub(crate) fn set_group_owner(&mut self, id: BlockId, owner: INodeId) -> Result<()> {
        let Some(group) = self.striped.find_mut(id) else { return Ok(()) };
        check_fields(group.block, owner, 0)?;
        group.owner = owner;
        Ok(())
    }
}

/// Reports of DataNodes.
impl BlockManager {
    /// A DataNode reports a block of a known group.
    pub(crate) fn internal_reported(&mut self, storage: StorageSlot, replica: &ReportedReplica) {
        let block = replica.block;
        let (id, index) = group_of(block.id);
        let node = self.storage(storage).datanode;
        if self.is_queued_for_deletion(node, block) || replica.state != ReplicaState::Finalized {
            return;
        }
        let (storages, report) = (&self.storages, self.report_number);
        if self.striped.copies.get(&block.id).is_some_and(|(_, target)| *target == node) {
            self.striped.copies.remove(&block.id);
            self.copies_arrived += 1;
        }
        let Some(group) = self.striped.groups.get_mut(&id) else { return };
        let same_node = |of: &Internal| storages[of.storage.0 as usize].datanode == node;
        let moved = group.internal.iter().position(|of| of.index == index && same_node(of));
        if let Some(position) = moved {
            let gone = group.internal.remove(position);
            if let Some(held) = self.striped.by_storage.get_mut(&gone.storage) {
                held.remove(&block.id);
            }
        }
        group.internal.push(Internal {
            index,
            storage,
            generation_stamp: block.generation_stamp,
            num_bytes: block.num_bytes,
            report,
        });
        group.internal.sort_by_key(|of| of.index);
        let (state, owner) = (group.state, group.owner);
        self.striped.by_storage.entry(storage).or_default().insert(block.id);
        let enough = self.group_has_min_storage(id) == Some(true);
        match state {
            BlockState::Complete => self.refresh_group_safe(id),
            BlockState::Committed if enough => {
                self.complete_group(id);
                if let Some(info) = self.group_info(id) {
                    self.events.push_back(BlockEvent::Completed { block: info.block, owner });
                }
            }
            _ if enough => self.events.push_back(BlockEvent::Finalized { block: id, owner }),
            _ => {}
        }
    }

    /// A DataNode has deleted a block of a group.
    pub(crate) fn internal_deleted(&mut self, storage: StorageSlot, id: BlockId) {
        let (group_id, index) = group_of(id);
        if let Some(held) = self.striped.by_storage.get_mut(&storage) {
            held.remove(&id);
        }
        if let Some(group) = self.striped.groups.get_mut(&group_id) {
            group.internal.retain(|of| of.index != index || of.storage != storage);
            self.refresh_group_safe(group_id);
        }
    }

    /// A full report has ended: what it did not list, and what did not come since it began, is gone.
    pub(crate) fn forget_unreported_internals(&mut self, storage: StorageSlot, report: u64) {
        let Some(held) = self.striped.by_storage.get(&storage) else { return };
        let is_gone = |id: &BlockId| {
            let (group, index) = group_of(*id);
            self.striped.groups.get(&group).is_none_or(|group| {
                !group
                    .internal
                    .iter()
                    .any(|of| of.index == index && of.storage == storage && of.report >= report)
            })
        };
        let gone: Vec<BlockId> = held.iter().filter(|id| is_gone(id)).copied().collect();
        for id in gone {
            self.internal_deleted(storage, id);
        }
    }

    fn refresh_group_safe(&mut self, id: BlockId) {
        let Some(group) = self.striped.find(id) else { return };
        let counts = self.group_counts(group);
        let present = counts.live + counts.excess + counts.out_of_service();
        let is = group.state == BlockState::Complete && present >= group.real_data();
        let Some(group) = self.striped.find_mut(id) else { return };
        if group.is_safe != is {
            group.is_safe = is;
            if is {
                self.striped.safe += 1;
            } else {
                self.striped.safe -= 1;
            }
        }
    }
}

/// Questions.
impl BlockManager {
    /// Blocks of a group by what they are good for; an index that is there twice counts once as live.
    fn group_counts(&self, group: &Group) -> Counts {
        let mut counts = Counts::default();
        let mut live = 0_u32;
        for of in &group.internal {
            let storage = self.storage(of.storage);
            let node = self.datanode(storage.datanode);
            let gone = storage.state() == StorageState::Failed
                || !node.alive && !node.is_maintenance()
                || of.generation_stamp != group.block.generation_stamp;
            if gone {
                continue;
            }
            match node.admin_state {
                AdminState::Normal if live & 1 << of.index != 0 => counts.excess += 1,
                AdminState::Normal => {
                    live |= 1 << of.index;
                    counts.live += 1;
                    counts.live_and_known += u32::from(!storage.contents_stale);
                }
                AdminState::DecommissionInProgress => counts.decommissioning += 1,
                AdminState::Decommissioned => counts.decommissioned += 1,
                AdminState::EnteringMaintenance if node.alive => counts.maintenance_readable += 1,
                AdminState::EnteringMaintenance | AdminState::InMaintenance => {
                    counts.maintenance_down += 1;
                }
            }
            counts.stale += u32::from(storage.contents_stale);
        }
        counts
    }

    pub(crate) fn counts_of_group(&self, id: BlockId) -> Option<Counts> {
        self.striped.find(id).map(|group| self.group_counts(group))
    }

    /// Where the blocks of a group are, or are being written: index and storage, by index.
    pub fn group_locations(&self, id: BlockId) -> Option<Vec<(u8, StorageSlot)>> {
        let group = self.striped.find(id)?;
        if group.state != BlockState::Complete && !group.expected.is_empty() {
            return Some(group.expected.clone());
        }
        let readable = |of: &&Internal| {
            let node = self.datanode_of(of.storage);
            self.storage(of.storage).state() != StorageState::Failed
                && of.generation_stamp == group.block.generation_stamp
                && node.admin_state != AdminState::InMaintenance
                && (node.alive || node.admin_state != AdminState::EnteringMaintenance)
        };
        // A reader takes the first one of each index: nodes that stay go before those that leave.
        let mut all: Vec<(u8, StorageSlot)> =
            group.internal.iter().filter(readable).map(|of| (of.index, of.storage)).collect();
        all.sort_by_key(|(index, storage)| (*index, !self.datanode_of(*storage).is_in_service()));
        Some(all)
    }

    pub(crate) fn locate_group(&self, id: BlockId) -> Option<LocatedReplicas> {
        let locations = self.group_locations(id)?.into_iter().map(|of| of.1).collect();
        Some(LocatedReplicas { locations, corrupt: false })
    }

    /// Bytes of the block with this index, as it was reported.
    pub fn internal_length(&self, id: BlockId, index: u8) -> Option<u64> {
        let group = self.striped.find(id)?;
        group.internal.iter().find(|of| of.index == index).map(|of| of.num_bytes)
    }

    fn is_missing(&self, group: &Group) -> bool {
        group.state == BlockState::Complete && self.group_counts(group).usable() < group.real_data()
    }

    /// Groups from this one on that lack more than parity can make up for, by id.
    pub(crate) fn missing_groups_after(
        &self,
        from: BlockId,
    ) -> impl Iterator<Item = BlockInfo> + '_ {
        self.striped
            .groups
            .range(from..)
            .filter(|(_, group)| self.populating_queues && self.is_missing(group))
            .filter_map(|(id, _)| self.group_info(*id))
    }

    /// Numbers about groups. They are counted when asked for.
    pub fn group_stats(&self) -> GroupStats {
        let mut stats = GroupStats { groups: self.striped.len() as u64, ..GroupStats::default() };
        if !self.populating_queues {
            return stats;
        }
        for group in self.striped.groups.values() {
            if group.state != BlockState::Complete {
                continue;
            }
            let usable = self.group_counts(group).usable();
            stats.low_redundancy += u64::from(usable < group.real_total());
            stats.missing += u64::from(usable < group.real_data());
            stats.highest_priority += u64::from(usable == group.real_data());
        }
        stats
    }
}
