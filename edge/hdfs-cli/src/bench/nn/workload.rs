//! Which call comes next on a slot.
//!
//! A slot is a place for one call in flight. Each has files of its own (ids `slot`, `slot + slots`, …), so calls that
//! change the same file never meet, whatever order the server answers in.

use std::collections::VecDeque;

use super::calls::Operation;

/// A file or directory of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct File {
    pub id: u64,
    /// It has its other name.
    pub renamed: bool,
}

/// What a slot is to do.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Create and close the files below this id.
    Prepare { files: u64 },
    /// One operation, again and again; `close` follows each create by a complete.
    Only { operation: Operation, close: bool },
    /// Operations by weight.
    Mix { weights: Vec<(Operation, u32)>, close: bool },
}

/// What all slots share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub slots: u64,
    pub files_per_directory: u64,
    /// Directories that hold prepared files.
    pub directories: u64,
}

/// The state of one slot.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    next_id: u64,
    alive: VecDeque<File>,
    /// A file that was created and has to be closed.
    to_complete: Option<File>,
    random: u64,
}

/// The next call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Call {
    pub operation: Operation,
    /// For [`Operation::List`] the id is that of the first file in the directory.
    pub file: File,
    /// False for a call that belongs to the one before it.
    pub counts: bool,
}

impl Slot {
    pub(super) fn new(slot: u64) -> Self {
        let random = (slot + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { next_id: slot, alive: VecDeque::new(), to_complete: None, random }
    }

    /// The next call, or `None` when there is nothing left to do; `may_start` is false when only what was begun may be
    /// ended.
    pub(super) fn next(&mut self, plan: &Plan, layout: &Layout, may_start: bool) -> Option<Call> {
        if let Some(file) = self.to_complete.take() {
            return Some(Call { operation: Operation::Complete, file, counts: false });
        }
        if !may_start {
            return None;
        }
        match plan {
            Plan::Prepare { files } if self.next_id >= *files => None,
            Plan::Prepare { .. } => self.call(Operation::Create, layout),
            Plan::Only { operation, .. } => self.call(*operation, layout),
            Plan::Mix { weights, .. } => {
                let operation = self.choose(weights);
                let call = self.call(operation, layout);
                // Nothing is left to work on: make something.
                call.or_else(|| self.call(Operation::Create, layout))
            }
        }
    }

    fn call(&mut self, operation: Operation, layout: &Layout) -> Option<Call> {
        let file = match operation {
            Operation::Create | Operation::Mkdirs => {
                let id = self.next_id;
                self.next_id += layout.slots;
                File { id, renamed: false }
            }
            Operation::List => {
                let directory = self.below(layout.directories)?;
                File { id: directory * layout.files_per_directory, renamed: false }
            }
            Operation::Rename | Operation::Delete | Operation::SetReplication => {
                self.alive.pop_front()?
            }
            Operation::Open | Operation::Stat | Operation::Complete => {
                let index = self.below(self.alive.len() as u64)?;
                self.alive[index as usize]
            }
        };
        Some(Call { operation, file, counts: true })
    }

    /// Takes note of how a call ended.
    pub(super) fn ended(&mut self, plan: &Plan, call: Call, succeeded: bool) {
        let file = call.file;
        match call.operation {
            Operation::Create if succeeded => {
                let closes = match plan {
                    Plan::Prepare { .. } => true,
                    Plan::Only { close, .. } | Plan::Mix { close, .. } => *close,
                };
                if closes {
                    self.to_complete = Some(file);
                } else {
                    self.alive.push_back(file);
                }
            }
            Operation::Complete if succeeded => self.alive.push_back(file),
            Operation::SetReplication => self.alive.push_back(file),
            Operation::Rename => {
                let renamed = file.renamed ^ succeeded;
                self.alive.push_back(File { renamed, ..file });
            }
            _ => {}
        }
    }

    /// A call that was not sent after all: its file is as it was. (An id that was taken for it stays unused.)
    pub(super) fn give_back(&mut self, call: Call) {
        if matches!(call.operation, Operation::Rename | Operation::Delete) {
            self.alive.push_front(call.file);
        }
    }

    fn choose(&mut self, weights: &[(Operation, u32)]) -> Operation {
        let total = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut at = self.below(total).unwrap_or(0);
        for (operation, weight) in weights {
            match at.checked_sub(u64::from(*weight)) {
                Some(rest) => at = rest,
                None => return *operation,
            }
        }
        Operation::Stat
    }

    /// A number below `limit`, by xorshift.
    fn below(&mut self, limit: u64) -> Option<u64> {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.checked_rem(limit)
    }
}

/// Writes the path of a file: `<root>/d<directory>/f<id>`, with `r` for its other name and `m` for a made directory.
pub(super) fn put_path(
    out: &mut Vec<u8>,
    root: &[u8],
    layout: &Layout,
    operation: Operation,
    file: File,
) {
    out.clear();
    out.extend_from_slice(root);
    out.extend_from_slice(b"/d");
    put_decimal(out, file.id / layout.files_per_directory);
    if operation == Operation::List {
        return;
    }
    out.push(b'/');
    out.push(match (operation, file.renamed) {
        (Operation::Mkdirs, _) => b'm',
        (_, true) => b'r',
        (_, false) => b'f',
    });
    put_decimal(out, file.id);
}

fn put_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LAYOUT: Layout = Layout { slots: 3, files_per_directory: 10, directories: 2 };

    /// Plays a plan against a perfect server and checks that every call is possible there.
    fn play(
        slots: &mut [Slot],
        plan: &Plan,
        calls: usize,
        there: &mut BTreeSet<(u64, bool)>,
    ) -> usize {
        let mut done = 0;
        while done < calls {
            let mut called = false;
            for slot in slots.iter_mut() {
                let Some(call) = slot.next(plan, &LAYOUT, true) else { continue };
                called = true;
                let key = (call.file.id, call.file.renamed);
                match call.operation {
                    Operation::Create => assert!(there.insert(key)),
                    Operation::Open | Operation::Stat | Operation::Complete => {
                        assert!(there.contains(&key));
                    }
                    Operation::Rename => {
                        assert!(there.remove(&key));
                        assert!(there.insert((key.0, !key.1)));
                    }
                    Operation::Delete => assert!(there.remove(&key)),
                    Operation::List => assert!(call.file.id < 20),
                    Operation::Mkdirs | Operation::SetReplication => {}
                }
                slot.ended(plan, call, true);
                done += usize::from(call.counts);
            }
            if !called {
                break;
            }
        }
        done
    }

    #[test]
    fn prepared_files_are_renamed_there_and_back_and_deleted_once() {
        let mut slots: Vec<Slot> = (0..3).map(Slot::new).collect();
        let mut there = BTreeSet::new();
        assert_eq!(play(&mut slots, &Plan::Prepare { files: 20 }, 1_000, &mut there), 20);
        assert_eq!(there, (0..20).map(|id| (id, false)).collect());
        let only = |operation| Plan::Only { operation, close: false };
        for operation in [Operation::Rename, Operation::Stat, Operation::Open, Operation::List] {
            assert!(play(&mut slots, &only(operation), 500, &mut there) >= 500);
        }
        assert_eq!(play(&mut slots, &only(Operation::Delete), 500, &mut there), 20);
        assert!(there.is_empty());
    }

    #[test]
    fn a_mix_uses_only_what_exists_and_follows_its_weights() {
        let mut slots: Vec<Slot> = (0..3).map(Slot::new).collect();
        let mut there = BTreeSet::new();
        let weights = vec![(Operation::Create, 1), (Operation::Delete, 5), (Operation::Stat, 1)];
        let plan = Plan::Mix { weights, close: true };
        assert!(play(&mut slots, &plan, 5_000, &mut there) >= 5_000);
        assert!(there.len() < 50, "deletes outweigh creates: {}", there.len());
    }

    #[test]
    fn a_failed_call_leaves_the_slot_with_what_is_there() {
        let mut slot = Slot::new(0);
        let plan = Plan::Only { operation: Operation::Rename, close: false };
        slot.alive.push_back(File { id: 0, renamed: false });
        let call = slot.next(&plan, &LAYOUT, true).expect("a file");
        slot.ended(&plan, call, false);
        assert_eq!(slot.next(&plan, &LAYOUT, true).expect("the same").file, call.file);
        assert_eq!(slot.next(&plan, &LAYOUT, false), None);
    }

    #[test]
    fn paths_name_directory_and_file() {
        let mut path = Vec::new();
        let mut text = |operation, id, renamed| {
            put_path(&mut path, b"/b/run", &LAYOUT, operation, File { id, renamed });
            String::from_utf8(path.clone()).expect("ASCII")
        };
        assert_eq!(text(Operation::Stat, 120, false), "/b/run/d12/f120");
        assert_eq!(text(Operation::Rename, 9, true), "/b/run/d0/r9");
        assert_eq!(text(Operation::Mkdirs, 0, false), "/b/run/d0/m0");
        assert_eq!(text(Operation::List, 20, false), "/b/run/d2");
    }
}
