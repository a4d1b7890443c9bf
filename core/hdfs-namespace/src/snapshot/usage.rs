//! What snapshots count against quotas.
//!
//! Hadoop: computeQuotaUsage of INodeDirectory, INodeFile and INodeReference.WithName (3.5.0)

use super::cleaning::{Cleaning, Step};
use super::model::{Child, SnapshotId, WithName};
use crate::namespace::Namespace;
use crate::op::policy::storage_types;
use crate::quota::{QuotaCounts, type_index};
use crate::store::record::{Flag, Slot};

/// A count of what a name counts, inode by inode.
///
/// Where snapshots know of no change below a directory, it counts what it counts now. Storage policies are inherited from
/// the directory that shows the name.
#[derive(Debug)]
pub(super) struct NameCount {
    usage: QuotaCounts,
    /// With the snapshot, and the storage policy that the inode inherits.
    waiting: Vec<(Slot, SnapshotId, u8)>,
    /// Children that the last step found.
    entries: usize,
}

impl NameCount {
    pub(super) fn of(namespace: &Namespace, name: &WithName) -> Self {
        let policy = namespace.storage_policy(name.parent);
        let waiting = vec![(name.inode, name.last_snapshot, policy)];
        Self { usage: QuotaCounts::default(), waiting, entries: 0 }
    }

    /// Counts the next inode; false at the end. While an image is loaded what directories count is not `known` yet.
    fn next(&mut self, namespace: &Namespace, known: bool) -> bool {
        let Some((slot, at, inherited)) = self.waiting.pop() else { return false };
        let before = self.waiting.len();
        self.entries = 0;
        let policy = match namespace.own_storage_policy(slot) {
            0 => inherited,
            own => own,
        };
        let record = namespace.record(slot);
        if record.is_file() {
            self.usage.add(&namespace.file_usage_at(slot, at, policy));
            return true;
        }
        let as_now = known && !record.has(Flag::Marked);
        if !record.is_directory() || as_now && policy == namespace.storage_policy(slot) {
            self.usage.add(&namespace.subtree_usage(slot));
            return true;
        }
        self.usage.names += 1;
        if record.has(Flag::Diffs) {
            for child in namespace.children_at(slot, at) {
                self.waiting.push((namespace.child_slot(child), at, policy));
            }
        } else {
            let children = namespace.children_of(slot).iter();
            self.waiting.extend(children.map(|child| (child, at, policy)));
        }
        self.entries = self.waiting.len() - before;
        true
    }
}

impl Namespace {
    /// What an inode that was renamed away counts where a snapshot still shows it: what it was then.
    fn usage_at(&self, name: &WithName, known: bool) -> QuotaCounts {
        let mut count = NameCount::of(self, name);
        while count.next(self, known) {}
        count.usage
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
        let usage = self.usage_at(self.snapshots.names.get(number), true);
        self.set_name_usage(number, usage);
    }

    fn set_name_usage(&mut self, number: u32, usage: QuotaCounts) {
        let name = self.snapshots.names.get_mut(number);
        let (parent, delta) = (name.parent, usage.minus(&name.usage));
        name.usage = usage;
        self.add_usage(parent, &delta);
    }

    /// A step of counting a name.
    pub(super) fn count_on(&mut self, number: u32, mut count: NameCount, cleaning: &mut Cleaning) {
        if count.next(self, true) {
            cleaning.charge(count.entries);
            cleaning.first(Step::Count { number, count });
        } else {
            self.set_name_usage(number, count.usage);
        }
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
