//! Which snapshot is the latest one that may hold an inode, and whether it does.

use smallvec::SmallVec;

use super::model::{Child, SnapshotId};
use crate::namespace::Namespace;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// The latest snapshot on the path to an inode of the current tree; CURRENT when there is none.
    ///
    /// Hadoop: INodesInPath.{resolve, getLatestSnapshotId} (3.5.0)
    pub(crate) fn latest_snapshot(&self, slot: Slot) -> SnapshotId {
        if !self.snapshots.in_use() {
            return SnapshotId::CURRENT;
        }
        let record = self.record(slot);
        let latest = match record.parent {
            Slot::NONE => SnapshotId::CURRENT,
            parent => self.latest_snapshot_below(parent),
        };
        if record.is_directory() && !record.has(Flag::Referenced) {
            later(latest, self.last_diff(slot))
        } else {
            latest
        }
    }

    /// The latest snapshot on a path that goes on below a directory.
    pub(crate) fn latest_snapshot_below(&self, directory: Slot) -> SnapshotId {
        let mut latest = SnapshotId::CURRENT;
        if !self.snapshots.in_use() {
            return latest;
        }
        let path: SmallVec<[Slot; 13]> = self.ancestry(directory).collect();
        for slot in path.into_iter().rev() {
            let last = self.last_diff(slot);
            if !self.record(slot).has(Flag::Referenced) {
                latest = later(latest, last);
                continue;
            }
            // What was renamed to here records its changes for the source, until the destination has a later snapshot.
            let dst = self.dst_snapshot(slot).unwrap_or_default();
            if latest == SnapshotId::CURRENT || dst != SnapshotId::CURRENT && dst >= latest {
                latest = last;
            }
        }
        latest
    }

    /// The snapshot of a directory's or a file's last diff; CURRENT without one.
    pub(crate) fn last_diff(&self, slot: Slot) -> SnapshotId {
        let record = self.record(slot);
        if !record.has(Flag::Diffs) {
            return SnapshotId::CURRENT;
        }
        let last = if record.is_directory() {
            self.directory_diffs(slot).last().map(|diff| diff.snapshot)
        } else {
            self.file_diffs(slot).last().map(|diff| diff.snapshot)
        };
        last.unwrap_or(SnapshotId::CURRENT)
    }

    /// Hadoop: DstReference.dstSnapshotId of an inode's current place.
    pub(crate) fn dst_snapshot(&self, slot: Slot) -> Option<SnapshotId> {
        self.snapshots.references.get(&slot).and_then(|reference| reference.dst)
    }

    /// The snapshot holds the inode.
    ///
    /// Hadoop: INode.isInLatestSnapshot of the inode itself (3.5.0)
    pub(crate) fn is_in_latest(&self, slot: Slot, latest: SnapshotId) -> bool {
        if matches!(latest, SnapshotId::CURRENT | SnapshotId::NONE) {
            return false;
        }
        let mut slot = slot;
        loop {
            let record = self.record(slot);
            if record.has(Flag::Referenced) || record.parent == Slot::NONE {
                return true;
            }
            if self.child_at(record.parent, self.name_of(slot), latest) != Some(Child::INode(slot))
            {
                return false;
            }
            slot = record.parent;
        }
    }

    /// The snapshot holds the inode at its place in its directory: for what was renamed, that is the destination's.
    ///
    /// Hadoop: INode.isInLatestSnapshot of the child of a directory, which may be a DstReference (3.5.0)
    pub(crate) fn is_child_in_latest(&self, slot: Slot, latest: SnapshotId) -> bool {
        let record = self.record(slot);
        if !record.has(Flag::Referenced) {
            return self.is_in_latest(slot, latest);
        }
        record.parent != Slot::NONE
            && self.is_in_latest(record.parent, latest)
            && self.child_at(record.parent, self.name_of(slot), latest) == Some(Child::INode(slot))
    }

    /// The change belongs to the snapshots of the place from which the inode was renamed.
    ///
    /// Hadoop: INode.shouldRecordInSrcSnapshot (3.5.0)
    pub(super) fn records_for_source(&self, slot: Slot, latest: SnapshotId) -> bool {
        latest == SnapshotId::CURRENT
            || self
                .dst_snapshot(slot)
                .is_some_and(|dst| dst != SnapshotId::CURRENT && dst >= latest)
    }

    /// The latest snapshot before `anchor` that an inode or a directory above has a diff of.
    ///
    /// Hadoop: Snapshot.findLatestSnapshot (3.5.0)
    pub(crate) fn latest_before(&self, slot: Slot, anchor: SnapshotId) -> SnapshotId {
        self.ancestry(slot).fold(SnapshotId::NONE, |latest, ancestor| {
            let diffs = self.directory_diffs(ancestor).iter().map(|diff| diff.snapshot);
            latest.max(before(diffs, anchor))
        })
    }
}

/// Hadoop: INodesInPath.shouldUpdateLatestId
fn later(known: SnapshotId, last: SnapshotId) -> SnapshotId {
    if known == SnapshotId::CURRENT || last != SnapshotId::CURRENT && known < last {
        last
    } else {
        known
    }
}

/// The last of some snapshots before `anchor`; NONE when there is none. Hadoop: AbstractINodeDiffList.getPrior, exclusive
pub(super) fn before(diffs: impl Iterator<Item = SnapshotId>, anchor: SnapshotId) -> SnapshotId {
    diffs.take_while(|snapshot| *snapshot < anchor).last().unwrap_or(SnapshotId::NONE)
}

/// The last of some snapshots not after `anchor`. Hadoop: AbstractINodeDiffList.getPrior
pub(super) fn up_to(diffs: impl Iterator<Item = SnapshotId>, anchor: SnapshotId) -> SnapshotId {
    diffs.take_while(|snapshot| *snapshot <= anchor).last().unwrap_or(SnapshotId::NONE)
}
