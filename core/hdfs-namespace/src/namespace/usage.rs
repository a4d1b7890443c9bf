//! What directories count against quotas: kept in their records, counted anew after loading.

use super::Namespace;
use crate::quota::QuotaCounts;
use crate::status::TypeSpace;
use crate::store::record::{Flag, Slot};

const NO_KINDS: TypeSpace = [0; 6];

impl Namespace {
    /// Adds a difference to every directory from one up to `/`.
    pub(crate) fn add_usage(&mut self, from: Slot, delta: &QuotaCounts) {
        if *delta == QuotaCounts::default() {
            return;
        }
        let mut slot = from;
        while slot != Slot::NONE {
            let record = self.record_mut(slot);
            let (names, space) = record.totals();
            record.set_totals(names.wrapping_add(delta.names), space.wrapping_add(delta.space));
            slot = record.parent;
        }
        if delta.types == NO_KINDS {
            return;
        }
        let mut slot = from;
        while slot != Slot::NONE {
            let known = self.kinds.get_or_insert_with(slot, Box::default);
            for (mine, more) in known.iter_mut().zip(delta.types) {
                *mine = mine.wrapping_add(more);
            }
            if **known == NO_KINDS {
                self.kinds.remove(&slot);
            }
            slot = self.record(slot).parent;
        }
    }

    /// What a directory and everything below counts.
    pub(crate) fn usage_of_directory(&self, slot: Slot) -> QuotaCounts {
        let (names, space) = self.record(slot).totals();
        let types = self.kinds.get(&slot).map_or(NO_KINDS, |kinds| **kinds);
        QuotaCounts { names, space, types }
    }

    /// What an inode and everything below counts.
    pub(crate) fn subtree_usage(&self, top: Slot) -> QuotaCounts {
        let record = self.record(top);
        if record.is_directory() {
            self.usage_of_directory(top)
        } else if record.is_file() {
            self.file_usage(top)
        } else {
            QuotaCounts { names: 1, ..QuotaCounts::default() }
        }
    }

    /// The kinds of storage that an inode and everything below would count in a directory of this storage policy.
    ///
    /// Hadoop: FSDirRenameOp.verifyQuotaForRename, INode.computeQuotaUsage without its cache (3.5.0)
    pub(crate) fn types_below(&self, top: Slot, inherited: u8) -> TypeSpace {
        let mut used = QuotaCounts::default();
        let mut waiting = vec![(top, inherited)];
        while let Some((slot, inherited)) = waiting.pop() {
            let own = self.own_storage_policy(slot);
            let record = self.record(slot);
            if record.is_file() {
                let policy = if own == 0 { inherited } else { own };
                used.add(&self.file_usage_by(slot, policy));
            } else if own != 0 || !record.is_directory() {
                // Nothing is inherited from above.
                used.add(&self.subtree_usage(slot));
            } else {
                if record.has(Flag::Diffs) {
                    let mut deleted = Vec::new();
                    used.add(&self.deleted_usage(slot, &mut deleted));
                    waiting.extend(deleted.into_iter().map(|slot| (slot, inherited)));
                }
                waiting.extend(self.children_of(slot).iter().map(|child| (child, inherited)));
            }
        }
        used.types
    }

    /// Counts anew what every directory from `top` down counts: after loading, and when another storage policy holds.
    /// Returns what `top` counts, and how many inodes were reached.
    pub(crate) fn recount_usage(&mut self, top: Slot) -> (QuotaCounts, u64) {
        let mut count = UsageCount::of(top);
        while let Some((slot, used)) = count.next(self) {
            self.record_mut(slot).set_totals(used.names, used.space);
            match used.types {
                NO_KINDS => self.kinds.remove(&slot),
                kinds => self.kinds.insert(slot, Box::new(kinds)),
            };
        }
        (count.top, count.reached)
    }
}

/// A count of a tree, from the leaves up.
#[derive(Debug)]
pub(crate) struct UsageCount {
    /// What is to be counted, and directories of which everything is.
    order: Vec<(Slot, bool)>,
    /// What each directory on the way counts so far.
    running: Vec<QuotaCounts>,
    /// What the top counts, in the end.
    pub(crate) top: QuotaCounts,
    /// Inodes that were counted.
    pub(crate) reached: u64,
}

impl UsageCount {
    pub(crate) fn of(top: Slot) -> Self {
        Self {
            order: vec![(top, false)],
            running: Vec::new(),
            top: QuotaCounts::default(),
            reached: 0,
        }
    }

    /// The next directory of which everything is counted. None at the end.
    pub(crate) fn next(&mut self, namespace: &Namespace) -> Option<(Slot, QuotaCounts)> {
        while let Some((slot, counted)) = self.order.pop() {
            if counted {
                let used = self.running.pop().unwrap_or_default();
                self.add(&used);
                return Some((slot, used));
            }
            self.reached += 1;
            let record = namespace.record(slot);
            if !record.is_directory() {
                let usage = namespace.subtree_usage(slot);
                self.add(&usage);
                continue;
            }
            self.order.push((slot, true));
            let mut own = QuotaCounts { names: 1, ..QuotaCounts::default() };
            if record.has(Flag::Diffs) {
                let mut deleted = Vec::new();
                own.add(&namespace.deleted_usage(slot, &mut deleted));
                self.order.extend(deleted.into_iter().map(|slot| (slot, false)));
            }
            self.running.push(own);
            self.order.extend(namespace.children_of(slot).iter().map(|child| (child, false)));
        }
        None
    }

    fn add(&mut self, usage: &QuotaCounts) {
        self.running.last_mut().unwrap_or(&mut self.top).add(usage);
    }
}
