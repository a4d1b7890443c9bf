//! What snapshots count against quotas.
//!
//! Hadoop: computeQuotaUsage of INodeDirectory, INodeFile and INodeReference.WithName (3.5.0)

use super::model::{Child, SnapshotId, WithName};
use crate::namespace::Namespace;
use crate::op::policy::storage_types;
use crate::quota::{QuotaCounts, type_index};
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// What an inode that was renamed away counts where a snapshot still shows it: what it was then.
    ///
    /// Where snapshots know of no change below a directory, it counts what it counts now; while an image is loaded that
    /// is not `known` yet. Storage policies are inherited from the directory that shows the name.
    fn usage_at(&self, name: &WithName, known: bool) -> QuotaCounts {
        let mut usage = QuotaCounts::default();
        let mut waiting = vec![(name.inode, name.last_snapshot, self.storage_policy(name.parent))];
        while let Some((slot, at, inherited)) = waiting.pop() {
            let policy = match self.own_storage_policy(slot) {
                0 => inherited,
                own => own,
            };
            let record = self.record(slot);
            if record.is_file() {
                usage.add(&self.file_usage_at(slot, at, policy));
                continue;
            }
            let as_now = known && !record.has(Flag::Marked);
            if !record.is_directory() || as_now && policy == self.storage_policy(slot) {
                usage.add(&self.subtree_usage(slot));
                continue;
            }
            usage.names += 1;
            if !self.record(slot).has(Flag::Diffs) {
                waiting.extend(self.children_of(slot).iter().map(|child| (child, at, policy)));
                continue;
            }
            for child in self.children_at(slot, at) {
                waiting.push((self.child_slot(child), at, policy));
            }
        }
        usage
    }

    fn file_usage_at(&self, slot: Slot, at: SnapshotId, policy: u8) -> QuotaCounts {
        let last = self.last_diff(slot);
        if last == SnapshotId::CURRENT {
            return self.file_usage_by(slot, policy);
        }
        if self.file_header(slot).striped {
            // Hadoop counts the name twice: INodeFile.computeQuotaUsageWithStriped (3.5.0).
            let usage = self.file_usage_by(slot, policy);
            return QuotaCounts { names: 2, ..usage };
        }
        let (bytes, replication) = if last < at {
            (self.file_length(slot), self.replication_of(slot))
        } else {
            let header = self.attributes_at(slot, at).header;
            let bytes = self.file_size_at(slot, at).unwrap_or_else(|| self.file_length(slot));
            (bytes, hdfs_format::fsimage::FileHeader::unpack(header).redundancy)
        };
        let bytes = bytes.cast_signed();
        let mut usage = QuotaCounts {
            names: 1,
            space: bytes.saturating_mul(i64::from(replication)),
            ..QuotaCounts::default()
        };
        for kind in storage_types(policy, replication) {
            let space = &mut usage.types[type_index(kind)];
            *space = space.wrapping_add(bytes);
        }
        usage
    }

    /// Counts a name anew; the quotas of its directory follow.
    pub(super) fn count_name(&mut self, number: u32) {
        let name = self.snapshots.names.get(number);
        let usage = self.usage_at(name, true);
        let (parent, delta) = (name.parent, usage.minus(&name.usage));
        self.snapshots.names.get_mut(number).usage = usage;
        self.add_usage(parent, &delta);
    }

    /// Counts every name anew. A file that was open when its last snapshot was taken has grown since; Hadoop sees that when
    /// a NameNode becomes active and counts everything.
    ///
    /// Hadoop: FSDirectory.updateCountForQuota (3.5.0)
    pub fn recount_names(&mut self) {
        for number in self.name_numbers() {
            self.count_name(number);
        }
    }

    /// The numbers of all names.
    fn name_numbers(&self) -> Vec<u32> {
        let references = self.snapshots.references.values();
        references.flat_map(|known| known.names.iter().copied()).collect()
    }

    /// After loading: blocks that only snapshots show, what every name counts, and where snapshots may know something.
    pub(crate) fn index_snapshots(&mut self) {
        let files: Vec<Slot> = self.snapshots.file_diffs.keys().copied().collect();
        for slot in files {
            let kept = self.owned_count(slot) - self.blocks_of(slot).len();
            self.counts.blocks += kept as u64;
        }
        let diffs = self.snapshots.directory_diffs.keys();
        let known: Vec<Slot> = diffs
            .chain(self.snapshots.file_diffs.keys())
            .chain(self.snapshots.references.keys())
            .copied()
            .collect();
        for slot in known {
            self.mark(slot);
        }
        for number in self.name_numbers() {
            let name = self.snapshots.names.get(number);
            let usage = self.usage_at(name, false);
            self.snapshots.names.get_mut(number).usage = usage;
        }
    }

    /// What the deleted lists of a directory count themselves, and the inodes in them that count further.
    pub(crate) fn deleted_usage(&self, slot: Slot, inodes: &mut Vec<Slot>) -> QuotaCounts {
        let mut usage = QuotaCounts::default();
        for child in self.directory_diffs(slot).iter().flat_map(|diff| &diff.deleted) {
            match child {
                Child::INode(slot) => inodes.push(*slot),
                Child::Name(number) => usage.add(&self.snapshots.names.get(*number).usage),
            }
        }
        usage
    }
}
