//! Cleaning files: their diffs are removed or combined, and blocks that nothing shows any more go away.
//!
//! Hadoop: FileWithSnapshotFeature, FileDiffList, INodeFile.{cleanSubtree, collectBlocksBeyondMax} (3.5.0)

use hdfs_types::{Block, BlockId, FastSet};

use super::clean::Range;
use super::cleaning::Cleaning;
use super::latest::before;
use super::model::{FileDiff, SnapshotId};
use crate::effects::{BlockChange, Effects};
use crate::namespace::Namespace;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Hadoop: INodeFile.cleanSubtree
    pub(super) fn clean_file(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if !self.record(slot).has(Flag::Diffs) {
            if range.is_current() {
                self.clean_plain_file(slot, range, cleaning);
            }
            return;
        }
        let erased = if range.is_current() {
            let in_tree = cleaning.deleting == SnapshotId::CURRENT;
            self.change_file(slot, &mut cleaning.effects, |namespace| {
                namespace.delete_current(slot, range.prior, in_tree);
                namespace.collect_blocks(slot)
            })
        } else {
            let own = before(self.file_diffs(slot).iter().map(|d| d.snapshot), range.snapshot);
            let range = Range { prior: own.max(range.prior), ..range };
            self.remove_file_diff(slot, range, &mut cleaning.effects)
        };
        if erased {
            self.destroy_cleared(slot, cleaning);
            return;
        }
        if cleaning.deleting == SnapshotId::CURRENT {
            self.leases.remove(self.record(slot).id());
        }
        if self.file_diffs(slot).is_empty() {
            self.snapshots.file_diffs.remove(&slot);
            self.record_mut(slot).set(Flag::Diffs, false);
        }
    }

    /// Without diffs a snapshot shows the file as it is, but for a block without bytes that was being written.
    fn clean_plain_file(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if range.prior == SnapshotId::NONE {
            self.destroy_inode(slot, cleaning);
            return;
        }
        let Some(open) = self.under_construction(slot) else { return };
        let unfinished = open.last_block_open;
        if let Some(last) = self.blocks_of(slot).last()
            && unfinished
            && last.num_bytes == 0
        {
            self.change_file(slot, &mut cleaning.effects, |namespace| {
                let mut blocks = namespace.blocks_of(slot).to_vec();
                blocks.pop();
                namespace.set_blocks(slot, blocks.into());
                namespace.set_last_block_open(slot, false);
                false
            });
        }
        if cleaning.deleting == SnapshotId::CURRENT {
            self.leases.remove(self.record(slot).id());
        }
    }

    fn delete_current(&mut self, slot: Slot, prior: SnapshotId, in_tree: bool) {
        let deleted = self.file_feature(slot).is_some_and(|feature| feature.current_deleted);
        if deleted || !in_tree {
            return;
        }
        self.record_change(slot, prior);
        if let Some(feature) = self.snapshots.file_diffs.get_mut(&slot) {
            feature.current_deleted = true;
        }
    }

    /// Hadoop: AbstractINodeDiffList.deleteSnapshotDiff of a file, outside of its cleaning
    pub(super) fn delete_file_diff(&mut self, slot: Slot, range: Range, cleaning: &mut Cleaning) {
        if self.remove_file_diff(slot, range, &mut cleaning.effects) {
            self.destroy_cleared(slot, cleaning);
        }
    }

    /// True when nothing shows the file any more.
    fn remove_file_diff(&mut self, slot: Slot, range: Range, effects: &mut Effects) -> bool {
        let Some(feature) = self.snapshots.file_diffs.get_mut(&slot) else { return false };
        let diffs = &mut feature.diffs;
        let Ok(index) = diffs.binary_search_by_key(&range.snapshot, |diff| diff.snapshot) else {
            return false;
        };
        let known_prior = match index.checked_sub(1) {
            None => SnapshotId::NONE,
            Some(previous) => diffs[previous].snapshot,
        };
        if known_prior != range.prior {
            diffs[index].snapshot = range.prior;
            return false;
        }
        self.change_file(slot, effects, |namespace| {
            let Some(feature) = namespace.snapshots.file_diffs.get_mut(&slot) else { return false };
            let mut removed = feature.diffs.remove(index);
            if let Some(previous) = index.checked_sub(1).map(|at| &mut feature.diffs[at])
                && previous.copy.is_none()
            {
                previous.copy = removed.copy.take();
            }
            namespace.collect_diff_blocks(slot, &removed)
        })
    }

    /// Hadoop: FileDiffList.combineAndCollectSnapshotBlocks. True when nothing shows the file any more.
    fn collect_diff_blocks(&mut self, slot: Slot, removed: &FileDiff) -> bool {
        let Some(blocks) = &removed.blocks else {
            let deleted = self.file_feature(slot).is_some_and(|feature| feature.current_deleted);
            return deleted && self.collect_blocks(slot);
        };
        if let Some(feature) = self.snapshots.file_diffs.get_mut(&slot) {
            let earlier = feature.diffs.partition_point(|diff| diff.snapshot < removed.snapshot);
            if let Some(diff) = earlier.checked_sub(1).and_then(|at| feature.diffs.get_mut(at)) {
                diff.keep_blocks(blocks);
            }
        }
        false
    }

    /// Removes blocks that neither the file nor its last diff shows. True when nothing shows the file any more.
    ///
    /// Hadoop: FileWithSnapshotFeature.collectBlocksAndClear
    fn collect_blocks(&mut self, slot: Slot) -> bool {
        let Some(feature) = self.file_feature(slot) else { return false };
        let last = feature.diffs.last();
        if feature.current_deleted && last.is_none() {
            return true;
        }
        let blocks = self.blocks_of(slot);
        let blocks = blocks.as_slice();
        let kept = match last.and_then(|diff| diff.blocks.as_deref()) {
            Some(known) => {
                blocks.iter().zip(known).take_while(|(block, known)| block.id == known.id).count()
            }
            None if feature.current_deleted => covering(blocks, last.map_or(0, |diff| diff.size)),
            None => covering(blocks, self.file_length(slot)),
        };
        if kept < blocks.len() {
            let kept = blocks[..kept].to_vec();
            self.set_blocks(slot, kept.into());
            self.set_last_block_open(slot, false);
        }
        false
    }

    /// Changes the blocks or diffs of a file. Counts, quotas and the wanted replicas of its blocks follow; blocks that
    /// neither the file nor a snapshot shows any more are removed.
    pub(crate) fn change_file<R>(
        &mut self,
        slot: Slot,
        effects: &mut Effects,
        change: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let usage = self.file_usage(slot);
        let (from, before) = (self.block_replication(slot), self.owned_blocks(slot));
        let blocks = self.counts.blocks;
        let result = change(self);
        let after = self.owned_blocks(slot);
        self.counts.blocks = blocks + after.len() as u64 - before.len() as u64;
        let delta = self.file_usage(slot).minus(&usage);
        self.add_usage(self.record(slot).parent, &delta);
        let kept: FastSet<BlockId> = after.iter().map(|block| block.id).collect();
        let removed = before.into_iter().filter(|block| !kept.contains(&block.id));
        effects.blocks.extend(removed.map(|block| BlockChange::Removed { block }));
        let to = self.block_replication(slot);
        if from != to && to != 0 {
            let changed =
                after.iter().map(|block| BlockChange::Replication { id: block.id, from, to });
            effects.blocks.extend(changed);
        }
        result
    }

    /// Every block that the file or one of its diffs shows, or that the file is being copied from, once.
    pub(crate) fn owned_blocks(&self, slot: Slot) -> Vec<Block> {
        let mut owned = self.shown_blocks(slot);
        let source = self.copy_source(slot);
        owned.extend(source.filter(|source| owned.iter().all(|block| block.id != source.id)));
        owned
    }

    /// Every block that the file or one of its diffs shows, once: what counts against quotas.
    pub(crate) fn shown_blocks(&self, slot: Slot) -> Vec<Block> {
        let mut owned = self.blocks_of(slot).to_vec();
        if self.file_diffs(slot).iter().all(|diff| diff.blocks.is_none()) {
            return owned;
        }
        let mut seen: FastSet<BlockId> = owned.iter().map(|block| block.id).collect();
        for block in self.file_diffs(slot).iter().flat_map(|diff| diff.blocks.iter().flatten()) {
            if seen.insert(block.id) {
                owned.push(*block);
            }
        }
        owned
    }

    pub(crate) fn owned_count(&self, slot: Slot) -> usize {
        match self.file_feature(slot) {
            Some(_) => self.owned_blocks(slot).len(),
            None => self.blocks_of(slot).len() + usize::from(self.copy_source(slot).is_some()),
        }
    }

    /// A snapshot shows the block.
    pub(crate) fn keeps_block(&self, slot: Slot, id: BlockId) -> bool {
        let mut kept = self.file_diffs(slot).iter().filter_map(|diff| diff.blocks.as_ref());
        kept.any(|blocks| blocks.iter().any(|block| block.id == id))
    }

    /// The file goes away: every block that it owns becomes its own again, to be reclaimed.
    pub(super) fn strip_file(&mut self, slot: Slot) {
        if !self.record(slot).has(Flag::Diffs) {
            return;
        }
        self.change_file(slot, &mut Effects::default(), |namespace| {
            let owned = namespace.owned_blocks(slot);
            if let Some(open) = namespace.open_files.get_mut(&slot) {
                open.copy_source = None;
            }
            namespace.snapshots.file_diffs.remove(&slot);
            namespace.record_mut(slot).set(Flag::Diffs, false);
            namespace.set_blocks(slot, owned.into());
        });
    }

    /// No snapshot shows the file any more. Its directory, which is deleted, may still have it among its last children.
    fn destroy_cleared(&mut self, slot: Slot, cleaning: &mut Cleaning) {
        if self.record(slot).has(Flag::Referenced) {
            return;
        }
        let parent = self.record(slot).parent;
        self.forget_created_everywhere(parent, slot);
        if parent != Slot::NONE && self.child(parent, self.name_of(slot)) == Some(slot) {
            self.unlink(slot);
        }
        self.destroy_inode(slot, cleaning);
    }

    /// Replicas wanted of the blocks of a file: as many as the file or one of its snapshots wants.
    ///
    /// Hadoop: INodeFile.getPreferredBlockReplication
    pub(crate) fn block_replication(&self, slot: Slot) -> u16 {
        let own = self.replication_of(slot);
        let Some(feature) = self.file_feature(slot) else { return own };
        if self.file_header(slot).striped {
            return own;
        }
        let copies = feature.diffs.iter().filter_map(|diff| diff.copy.as_ref());
        let most = copies
            .map(|copy| hdfs_format::fsimage::FileHeader::unpack(copy.header).redundancy)
            .max()
            .unwrap_or(0);
        if feature.current_deleted { most } else { own.max(most) }
    }
}

/// How many blocks hold the first bytes of a file.
fn covering(blocks: &[Block], bytes: u64) -> usize {
    let mut size = 0;
    blocks
        .iter()
        .take_while(|block| {
            let needed = size < bytes;
            size += block.num_bytes;
            needed
        })
        .count()
}
