//! The work of a cleaning, in steps: each looks at one inode, or at one entry of a list, and leaves behind what is to be done
//! after it.
//!
//! Steps lie on a stack and run in the order in which Hadoop's functions call each other, so a cleaning of any depth needs no
//! stack of a thread, and may stop after any step. An operation does the first steps itself; the rest is done in slices
//! ([`Namespace::reclaim_step`]). Until then every answer about the tree and about the snapshots that are left is the final
//! one: what a step removes or combines, none of them shows. Only counts of use, and blocks that are freed, follow with the
//! steps. The next operation does the rest first: operations never see a cleaning that is not at its end, and replay makes
//! the same tree whatever slices there were.
//!
//! **Invariant:** between operations and slices nothing but the steps changes what snapshots keep, and nothing is reclaimed.

use std::collections::VecDeque;
use std::sync::Arc;

use hdfs_types::FastSet;

use super::clean::Range;
use super::model::{Child, SnapshotId};
use super::usage::NameCount;
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::store::record::Slot;

/// Steps that an operation does at once; what is more waits.
pub const INLINE_STEPS: usize = 500;
/// Entries of a list that cost as much as a step when a step reads the list.
const ENTRIES_A_STEP: usize = 32;

/// One deletion, of a snapshot or of a part of the current tree. Hadoop: INode.ReclaimContext
#[derive(Debug)]
pub(crate) struct Cleaning {
    /// The snapshot that is deleted; CURRENT for a deletion in the tree.
    pub(super) deleting: SnapshotId,
    pub(super) effects: Effects,
    /// What was destroyed: nothing is twice.
    pub(super) destroyed: FastSet<Slot>,
    /// The last one is next.
    steps: Vec<Step>,
    /// Entries of lists that were read since they were last charged for.
    entries: usize,
}

impl Cleaning {
    pub(crate) fn of(deleting: SnapshotId) -> Self {
        Self {
            deleting,
            effects: Effects::default(),
            destroyed: FastSet::default(),
            steps: Vec::new(),
            entries: 0,
        }
    }

    /// What is to be done before everything that was said until now.
    pub(super) fn first(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// A list of so many entries was read.
    pub(super) fn charge(&mut self, entries: usize) {
        self.entries += entries;
    }
}

/// A piece of work. Lists are done from their end, so they are kept in reverse.
#[derive(Debug)]
pub(super) enum Step {
    /// Cleans children of a directory, but for some.
    Children { directory: Slot, range: Range, excluded: Option<Arc<FastSet<Slot>>> },
    /// Cleans a list of children.
    Clean { children: Vec<Child>, range: Range },
    /// Destroys a list of children.
    Destroy(Vec<Child>),
    /// Takes the created list of a diff out of the directory, the first ones first, and destroys it.
    DestroyCreated { directory: Slot, snapshot: SnapshotId },
    /// After the children of a directory of which a snapshot is deleted: what its prior diff took over.
    TakenOver { directory: Slot, range: Range, created: FastSet<Slot>, deleted: Arc<FastSet<Slot>> },
    /// Children that were in the prior created list before.
    Created { directory: Slot, range: Range, children: Vec<Child>, destroy: bool },
    /// Children that came into the prior deleted list.
    Deleted { directory: Slot, range: Range, before: Arc<FastSet<Slot>> },
    /// Trees of children that came there.
    DeletedTrees { children: Vec<Child>, range: Range },
    /// What is left of one of them, level by level, after the children of a directory.
    DeletedTree { queue: VecDeque<Child>, below: Option<Slot>, range: Range },
    /// Children of an inode whose current place is gone.
    DstChildren { directory: Slot, range: Range, excluded: FastSet<Slot> },
    /// The same, as a list.
    DstList { children: Vec<Child>, range: Range },
    /// Takes the list of diffs from a directory when it is empty.
    DropDiffs(Slot),
    /// Takes everything about snapshots out of the children of a directory that goes away.
    StripChildren(Slot),
    /// The same, as a list.
    StripList(Vec<Slot>),
    /// Lets an inode go that has nothing of snapshots any more.
    Detach(Slot),
    /// Counts anew what a name counts.
    Count { number: u32, count: NameCount },
}

impl Namespace {
    /// True while a deletion has steps to do.
    pub fn is_cleaning(&self) -> bool {
        self.cleaning.is_some()
    }

    /// An operation does at most so many steps of a deletion itself.
    pub fn set_inline_steps(&mut self, steps: usize) {
        self.inline_steps = steps;
    }

    /// Does at most so many steps of a deletion that is not at its end; [`Self::replay`] does all of them by itself.
    pub fn clean_step(&mut self, budget: usize) -> Effects {
        let mut effects = std::mem::take(&mut self.left_over);
        effects.merge(self.run_cleaning(budget));
        effects
    }

    /// Begins with the work of a deletion: what exceeds the steps of one operation waits.
    pub(crate) fn begin_cleaning(&mut self, cleaning: Cleaning, effects: &mut Effects) {
        debug_assert!(self.cleaning.is_none(), "an operation finishes the cleaning before it");
        self.cleaning = Some(Box::new(cleaning));
        effects.merge(self.run_cleaning(self.inline_steps));
        if self.cleaning.is_none() {
            self.reclaim_inline(effects);
        } else {
            effects.reclaim_pending = true;
        }
    }

    /// Does so many steps.
    pub(crate) fn run_cleaning(&mut self, budget: usize) -> Effects {
        let Some(mut cleaning) = self.cleaning.take() else { return Effects::default() };
        let mut left = budget;
        while left > 0 {
            let Some(step) = cleaning.steps.pop() else { break };
            self.take_step(step, &mut cleaning);
            left = left.saturating_sub(1 + cleaning.entries / ENTRIES_A_STEP);
            cleaning.entries %= ENTRIES_A_STEP;
        }
        let mut effects = std::mem::take(&mut cleaning.effects);
        effects.reclaim_pending = true;
        if !cleaning.steps.is_empty() {
            self.cleaning = Some(cleaning);
        }
        effects
    }

    fn take_step(&mut self, step: Step, cleaning: &mut Cleaning) {
        match step {
            Step::Children { directory, range, excluded } => {
                let children = self.children_to_clean(directory, range, excluded.as_deref());
                cleaning.charge(self.children_of(directory).len());
                cleaning.first(Step::Clean { children, range });
            }
            Step::Clean { mut children, range } => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::Clean { children, range });
                self.clean_child(child, range, cleaning);
            }
            Step::Destroy(mut children) => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::Destroy(children));
                self.destroy_child(child, cleaning);
            }
            Step::DestroyCreated { directory, snapshot } => {
                self.destroy_first_created(directory, snapshot, cleaning);
            }
            Step::DropDiffs(directory) => self.drop_empty_diffs(directory),
            Step::Detach(slot) => self.push_detached(slot),
            Step::StripChildren(directory) => self.strip_children(directory, cleaning),
            Step::StripList(mut children) => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::StripList(children));
                self.strip_child(child, cleaning);
            }
            Step::Count { number, count } => self.count_on(number, count, cleaning),
            step => self.take_rare_step(step, cleaning),
        }
    }

    fn take_rare_step(&mut self, step: Step, cleaning: &mut Cleaning) {
        match step {
            Step::TakenOver { directory, range, created, deleted } => {
                self.clean_taken_over(directory, range, &created, deleted, cleaning);
            }
            Step::Created { directory, range, mut children, destroy } => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::Created { directory, range, children, destroy });
                self.clean_created(directory, range, child, destroy, cleaning);
            }
            Step::Deleted { directory, range, before } => {
                self.clean_now_deleted(directory, range, &before, cleaning);
            }
            Step::DeletedTrees { mut children, range } => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::DeletedTrees { children, range });
                let queue = VecDeque::from([child]);
                cleaning.first(Step::DeletedTree { queue, below: None, range });
            }
            Step::DeletedTree { queue, below, range } => {
                self.clean_deleted(queue, below, range, cleaning);
            }
            Step::DstChildren { directory, range, excluded } => {
                let mut children = self.marked_children(directory, range.prior);
                children.retain(|child| !excluded.contains(&self.child_slot(*child)));
                children.reverse();
                cleaning.charge(self.children_of(directory).len());
                cleaning.first(Step::DstList { children, range });
            }
            Step::DstList { mut children, range } => {
                let Some(child) = children.pop() else { return };
                cleaning.first(Step::DstList { children, range });
                match child {
                    Child::Name(number) if !range.is_current() => {
                        self.clean_name(number, range, cleaning);
                    }
                    child => self.destroy_dst_inode(self.child_slot(child), range, cleaning),
                }
            }
            _ => unreachable!("the others are taken before"),
        }
    }
}
