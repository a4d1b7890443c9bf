//! The blocks from which a truncation copies.
//!
//! A cut inside of a block that must stay as it is (a snapshot shows it, or an upgrade may be rolled back) gives the file a
//! new last block, into which DataNodes copy the start of the old one. Until that is done the file owns the old block as
//! well, whether a snapshot shows it or not: deleting the snapshot in between takes nothing from the copy.
//!
//! Hadoop: BlockUnderConstructionFeature.truncateBlock (3.5.0)
// Differs: Hadoop knows the old block in the block manager only, so that an image or a replay in between forgets it.

use hdfs_types::Block;

use super::Namespace;
use crate::effects::{BlockChange, Effects};
use crate::store::record::Slot;

impl Namespace {
    /// The block whose start is being copied to the last block of the file.
    pub(crate) fn copy_source(&self, slot: Slot) -> Option<Block> {
        self.under_construction(slot).and_then(|open| open.copy_source)
    }

    /// Copying is over, done or given up: the old block goes away when no snapshot shows it.
    pub(crate) fn end_copy(&mut self, slot: Slot, effects: &mut Effects) {
        let Some(source) = self.copy_source(slot) else { return };
        if let Some(open) = self.open_files.get_mut(&slot) {
            open.copy_source = None;
        }
        if !self.keeps_block(slot, source.id) {
            self.counts.blocks -= 1;
            effects.blocks.push(BlockChange::Removed { block: source });
        }
    }
}
