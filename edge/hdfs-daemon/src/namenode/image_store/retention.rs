//! Which images and edits stay.
//!
//! ```text
//! images       the newest dfs.namenode.num.checkpoints.retained of their kind
//! edits        what the oldest of these needs, and before that dfs.namenode.num.extra.edits.retained transactions in
//!              at most dfs.namenode.max.extra.edits.segments.retained segments
//! fsimage.ckpt_…  of transactions that nobody writes
//! ```
//! A file that can't be deleted is tried again after the next image.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NNStorageRetentionManager (3.5.0)

use std::collections::BTreeSet;
use std::path::Path;

use hdfs_format::storage_dir::{ImageFile, MD5_SUFFIX};
use hdfs_types::TxId;

use super::super::durable::with_suffix;
use super::super::inventory::{self, Inventory, SegmentFile};
use super::{ImageStore, delete};

impl ImageStore {
    /// Deletes images of this one's kind beyond the number to keep, and edits that no image to keep needs.
    pub(super) fn purge(&self, newest: ImageFile) {
        let inventory = match Inventory::of(&self.dirs) {
            Ok(inventory) => inventory,
            Err(error) => {
                tracing::warn!("old images and edits are not purged: {error}");
                return;
            }
        };
        let rollback = matches!(newest, ImageFile::Rollback(_));
        let images = if rollback { &inventory.rollback_images } else { &inventory.images };
        let txids: BTreeSet<TxId> = images.iter().map(|image| image.txid).collect();
        let retained = self.checkpoints_retained.clamp(1, txids.len().max(1));
        let Some(oldest) = txids.iter().rev().nth(retained - 1).copied() else { return };
        for image in images.iter().filter(|image| image.txid < oldest) {
            purge_image(&image.path);
        }
        self.purge_unfinished(&inventory);
        if rollback {
            return;
        }
        let from = self.keep_edits_from(oldest, &inventory.segments);
        for segment in &inventory.segments {
            if segment.last.is_some_and(|last| last < from) {
                delete(&segment.path);
            }
        }
        for aside in inventory.set_aside.iter().filter(|aside| aside.first < from) {
            delete(&aside.path);
        }
    }

    /// Deletes every image of a kind that is newer than this transaction.
    pub(crate) fn purge_after(&self, rollback: bool, txid: Option<TxId>) -> hdfs_types::Result<()> {
        let inventory = Inventory::of(&self.dirs)?;
        let images = if rollback { inventory.rollback_images } else { inventory.images };
        for image in images.iter().filter(|image| txid.is_none_or(|txid| image.txid > txid)) {
            purge_image(&image.path);
        }
        Ok(())
    }

    fn purge_unfinished(&self, inventory: &Inventory) {
        let under_way = self.under_way.lock();
        for inventory::ImageFile { txid, path } in &inventory.unfinished_images {
            if !under_way.contains(txid) {
                delete(path);
            }
        }
    }

    /// The first transaction whose edits stay.
    fn keep_edits_from(&self, oldest_image: TxId, segments: &[SegmentFile]) -> TxId {
        let needed = oldest_image.0 + 1;
        let mut from = needed.saturating_sub(self.extra_edits_retained);
        let extra: BTreeSet<(TxId, TxId)> = segments
            .iter()
            .filter_map(|segment| Some((segment.first, segment.last?)))
            .filter(|(first, last)| last.0 >= from && first.0 < needed)
            .collect();
        let excess = extra.len().saturating_sub(self.extra_segments_retained);
        if let Some((_, last)) = excess.checked_sub(1).and_then(|index| extra.iter().nth(index)) {
            from = from.max(last.0 + 1).min(needed);
        }
        TxId(from)
    }
}

fn purge_image(path: &Path) {
    delete(path);
    delete(&with_suffix(path, MD5_SUFFIX));
}

#[cfg(test)]
mod tests;
