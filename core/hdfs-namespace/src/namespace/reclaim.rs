//! Deleting: what is detached in constant time is reclaimed in slices.
//!
//! Until then its inodes have ids and records, but no path leads to them and no look-up by id finds them. They do not
//! count against quotas any more.

use super::Namespace;
use crate::effects::{BlockChange, Effects};
use crate::status::INodeKind;
use crate::store::record::{Flag, Record, Slot};

/// Inodes that one operation reclaims at once; what is more waits.
pub(crate) const INLINE_BUDGET: usize = 256;

/// A detached tree: the path from its root to the directory that is being emptied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Detached(Vec<Slot>);

impl Namespace {
    /// Takes an inode and everything below out of the tree; reclaims the first ones at once.
    pub(crate) fn detach(&mut self, slot: Slot, effects: &mut Effects) {
        self.unlink(slot);
        self.push_detached(slot);
        self.reclaim_inline(effects);
    }

    /// An inode that is in no list any more waits to be reclaimed, with everything below.
    pub(crate) fn push_detached(&mut self, slot: Slot) {
        let parent = self.record(slot).parent;
        if parent != Slot::NONE {
            let usage = self.subtree_usage(slot);
            self.add_usage(parent, &usage.negated());
            self.record_mut(slot).parent = Slot::NONE;
        }
        self.detached.push_back(Detached(vec![slot]));
    }

    /// Reclaims the first of what waits.
    pub(crate) fn reclaim_inline(&mut self, effects: &mut Effects) {
        // What was detached before goes first, so that a row of small deletions leaves nothing behind.
        self.reclaim(self.inline_budget, effects);
        effects.reclaim_pending = !self.detached.is_empty();
    }

    /// Reclaims at most `budget` inodes of what was deleted, or does as many steps of a deletion that is not at its end;
    /// call again while `reclaim_pending`.
    pub fn reclaim_step(&mut self, budget: usize) -> Effects {
        let mut effects = self.clean_step(budget);
        if self.is_cleaning() {
            return effects;
        }
        self.reclaim(budget, &mut effects);
        effects.reclaim_pending = !self.detached.is_empty();
        effects
    }

    fn reclaim(&mut self, budget: usize, effects: &mut Effects) {
        for _ in 0..budget {
            let Some(mut tree) = self.detached.pop_front() else { return };
            if let Some(slot) = self.next_leaf(&mut tree) {
                self.erase(slot, effects);
            }
            if !tree.0.is_empty() {
                self.detached.push_front(tree);
            }
        }
    }

    /// The next inode without children, taken off the stack.
    fn next_leaf(&mut self, tree: &mut Detached) -> Option<Slot> {
        while let Some(slot) = tree.0.last().copied() {
            let record = self.record(slot);
            if !record.is_directory() {
                return tree.0.pop();
            }
            let number = record.number();
            match self.children.get_mut(number).pop() {
                Some(child) => tree.0.push(child),
                None => return tree.0.pop(),
            }
        }
        None
    }

    /// Frees one inode that is linked nowhere and has no children.
    pub(crate) fn erase(&mut self, slot: Slot, effects: &mut Effects) {
        let kind = self.record(slot).kind().expect("a detached inode is in use");
        effects.removed += 1;
        match kind {
            INodeKind::Directory => {
                let number = self.record(slot).number();
                self.children.remove(number);
                self.kinds.remove(&slot);
                self.counts.directories -= 1;
            }
            INodeKind::Symlink => {
                let number = self.record(slot).number();
                self.targets.remove(number);
                self.counts.symlinks -= 1;
            }
            INodeKind::File => {
                let blocks = self.blocks_of(slot).to_vec();
                self.end_copy(slot, effects);
                effects
                    .blocks
                    .extend(blocks.iter().map(|block| BlockChange::Removed { block: *block }));
                self.set_blocks(slot, Vec::new().into());
                self.close_file(slot);
                self.counts.files -= 1;
            }
        }
        self.set_acl(slot, Vec::new());
        self.set_xattrs(slot, Vec::new());
        if self.record(slot).has(Flag::Quota) {
            self.quotas.remove(&slot);
        }
        let (id, name) = (self.record(slot).id(), self.record(slot).name);
        self.names.release(name);
        self.shared.release(self.record(slot).shared);
        self.index.remove(id.0);
        *self.record_mut(slot) = Record::free(self.free_head);
        self.free_head = slot.0;
    }
}
