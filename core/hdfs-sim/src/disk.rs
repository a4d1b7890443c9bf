//! The faulty disk of one machine.
//!
//! What is written lies in memory until it is synced: a file's bytes by a sync of the file, its name by a sync of its
//! folder. A crash of the machine keeps any subset of the rest:
//!
//! | Fault | What happens |
//! |---|---|
//! | crash | of the writes and cuts that were not synced any subset stays; one of them may be torn at any byte |
//! | lost name | a name that was made, moved or removed without a sync of its folder comes back, or not, each on its own |
//! | lost write | a write is acknowledged and synced, and never reaches the disk |
//! | misdirected write | it reaches the disk elsewhere in the file |
//! | rot | a bit of a file at rest turns over |
//! | error | a write or a sync fails; after a failed sync the bytes are lost, though later syncs succeed |
//! | full | nothing more fits |
//!
//! A rename is one step: the file is found under the old name or the new one, never under none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::Sim;

/// Why the disk refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// No such file.
    NotFound,
    /// The name is taken.
    Exists,
    /// The medium.
    Io,
    /// No room.
    Full,
}

type Disked<T> = Result<T, Refused>;

/// A file, whatever its names are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(u64);

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

#[derive(Clone, Default, Debug)]
struct Content {
    /// On the medium.
    durable: Vec<u8>,
    /// As processes see it.
    current: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Naming {
    Made { path: String, file: Handle },
    Moved { from: String, to: String, file: Handle },
    Removed { path: String },
}

#[derive(Default)]
struct State {
    files: BTreeMap<Handle, Content>,
    names: BTreeMap<String, Handle>,
    durable_names: BTreeMap<String, Handle>,
    pending_names: Vec<Naming>,
    next: u64,
    /// What is wrong with it now.
    pub(crate) faults: DiskFaults,
    /// A sync failed since the process began.
    lost_sync: bool,
    capacity: u64,
}

/// What goes wrong, so many times of a million.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct DiskFaults {
    /// Writes that fail.
    pub(crate) write_error: u64,
    /// Syncs that fail.
    pub(crate) sync_error: u64,
    /// Writes that are lost.
    pub(crate) lost_write: u64,
    /// Writes that go elsewhere.
    pub(crate) misdirected: u64,
    /// Nothing fits.
    pub(crate) full: bool,
}

/// The disk; handles to it are cheap.
#[derive(Clone)]
pub(crate) struct Disk {
    sim: Sim,
    state: Rc<RefCell<State>>,
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Content {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write { at, bytes: new } => {
                let end = at + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(new);
            }
            Change::Cut { length } => bytes.resize(*length, 0),
        }
    }
}

/// Torn writes keep a multiple of so many bytes.
const TEAR_BYTES: u64 = 4;

impl Disk {
    /// An empty one.
    pub(crate) fn new(sim: &Sim, capacity: u64) -> Self {
        let state = State { capacity, ..State::default() };
        Self { sim: sim.clone(), state: Rc::new(RefCell::new(state)) }
    }

    /// Changes what goes wrong.
    pub(crate) fn set_faults(&self, faults: DiskFaults) {
        self.state.borrow_mut().faults = faults;
    }

    /// What goes wrong.
    pub(crate) fn faults(&self) -> DiskFaults {
        self.state.borrow().faults
    }

    fn fails(&self, per_million: u64) -> bool {
        per_million > 0 && self.sim.chance(per_million)
    }

    /// Bytes that still fit.
    pub(crate) fn remaining(&self) -> u64 {
        let state = self.state.borrow();
        if state.faults.full {
            return 0;
        }
        let used: usize = state.names.values().map(|file| state.files[file].current.len()).sum();
        state.capacity.saturating_sub(used as u64)
    }

    /// Makes a file; with `replace` an old one of this name is emptied.
    pub(crate) fn create(&self, path: &str, replace: bool) -> Disked<Handle> {
        if self.fails(self.faults().write_error) {
            return Err(Refused::Io);
        }
        let mut state = self.state.borrow_mut();
        if let Some(file) = state.names.get(path).copied() {
            if !replace {
                return Err(Refused::Exists);
            }
            drop(state);
            self.cut(file, 0)?;
            return Ok(file);
        }
        if state.faults.full {
            return Err(Refused::Full);
        }
        state.next += 1;
        let file = Handle(state.next);
        state.files.insert(file, Content::default());
        state.names.insert(path.to_owned(), file);
        state.pending_names.push(Naming::Made { path: path.to_owned(), file });
        Ok(file)
    }

    /// Finds a file.
    pub(crate) fn open(&self, path: &str) -> Disked<Handle> {
        self.state.borrow().names.get(path).copied().ok_or(Refused::NotFound)
    }

    /// Its length.
    pub(crate) fn len(&self, file: Handle) -> u64 {
        self.state.borrow().files.get(&file).map_or(0, |of| of.current.len() as u64)
    }

    /// All of it.
    pub(crate) fn read(&self, file: Handle) -> Vec<u8> {
        self.state.borrow().files.get(&file).map_or_else(Vec::new, |of| of.current.clone())
    }

    /// Fills the buffer from there; fewer bytes at the end of the file.
    pub(crate) fn read_at(&self, file: Handle, buffer: &mut [u8], at: u64) -> usize {
        let state = self.state.borrow();
        let Some(content) = state.files.get(&file) else { return 0 };
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(content.current.len());
        let count = buffer.len().min(content.current.len() - from);
        buffer[..count].copy_from_slice(&content.current[from..from + count]);
        count
    }

    /// Writes there.
    pub(crate) fn write_at(&self, file: Handle, bytes: &[u8], at: u64) -> Disked<()> {
        let faults = self.faults();
        if self.fails(faults.write_error) {
            return Err(Refused::Io);
        }
        let grows = at + bytes.len() as u64 > self.len(file);
        if grows && self.remaining() < bytes.len() as u64 {
            return Err(Refused::Full);
        }
        let lost = self.fails(faults.lost_write);
        let misdirected = self.fails(faults.misdirected);
        let change = Change::Write { at: usize::try_from(at).unwrap_or(0), bytes: bytes.to_vec() };
        let mut state = self.state.borrow_mut();
        let Some(content) = state.files.get_mut(&file) else { return Err(Refused::Io) };
        Content::apply(&mut content.current, &change);
        if lost {
            return Ok(());
        }
        if misdirected && content.current.len() > bytes.len() {
            let limit = (content.current.len() - bytes.len()) as u64;
            let at = usize::try_from(self.sim.below(limit)).unwrap_or(0);
            content.pending.push(Change::Write { at, bytes: bytes.to_vec() });
            return Ok(());
        }
        content.pending.push(change);
        Ok(())
    }

    /// Makes it this long.
    pub(crate) fn cut(&self, file: Handle, length: u64) -> Disked<()> {
        if self.fails(self.faults().write_error) {
            return Err(Refused::Io);
        }
        let mut state = self.state.borrow_mut();
        let Some(content) = state.files.get_mut(&file) else { return Err(Refused::Io) };
        let change = Change::Cut { length: usize::try_from(length).unwrap_or(0) };
        Content::apply(&mut content.current, &change);
        content.pending.push(change);
        Ok(())
    }

    /// Its bytes survive a crash when this succeeds. When it fails they are lost for good.
    pub(crate) fn sync(&self, file: Handle) -> Disked<()> {
        let failed = self.fails(self.faults().sync_error);
        let mut state = self.state.borrow_mut();
        let Some(content) = state.files.get_mut(&file) else { return Err(Refused::Io) };
        let pending = std::mem::take(&mut content.pending);
        if failed {
            state.lost_sync = true;
            return Err(Refused::Io);
        }
        for change in &pending {
            Content::apply(&mut content.durable, change);
        }
        Ok(())
    }

    /// True when a sync failed since [`Self::begin_anew`]: whoever uses the disk ends.
    pub(crate) fn has_lost_a_sync(&self) -> bool {
        self.state.borrow().lost_sync
    }

    /// A process begins to use it.
    pub(crate) fn begin_anew(&self) {
        self.state.borrow_mut().lost_sync = false;
    }

    /// What is read of the file from now on is what the medium has, and what waits to go there.
    pub(crate) fn forget_cached(&self, file: Handle) {
        if let Some(content) = self.state.borrow_mut().files.get_mut(&file) {
            let mut bytes = content.durable.clone();
            content.pending.iter().for_each(|change| Content::apply(&mut bytes, change));
            content.current = bytes;
        }
    }

    /// The names in this folder survive a crash when this succeeds.
    pub(crate) fn sync_folder(&self, path: &str) -> Disked<()> {
        if self.fails(self.faults().sync_error) {
            self.state.borrow_mut().lost_sync = true;
            return Err(Refused::Io);
        }
        let state = &mut *self.state.borrow_mut();
        let names = &state.names;
        let here = |name: &str| folder(name) == path;
        let settled: BTreeMap<Handle, &String> =
            names.iter().filter(|(name, _)| here(name)).map(|(name, file)| (*file, name)).collect();
        // What is found here under its name of now has no older names, and nothing of its past can come back.
        state.pending_names.retain(|naming| match naming {
            Naming::Made { file, .. } | Naming::Moved { file, .. } => !settled.contains_key(file),
            Naming::Removed { path } => !here(path),
        });
        // What was moved away keeps its old name until the new one lasts.
        let moving: Vec<Handle> = state
            .pending_names
            .iter()
            .filter_map(|naming| match naming {
                Naming::Moved { file, .. } => Some(*file),
                _ => None,
            })
            .collect();
        state.durable_names.retain(|name, file| {
            !settled.contains_key(file) && (!here(name) || moving.contains(file))
        });
        let current = settled.into_iter().map(|(file, name)| (name.clone(), file));
        state.durable_names.extend(current);
        Ok(())
    }

    /// Gives a file another name, which may be taken.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Disked<()> {
        if self.fails(self.faults().write_error) {
            return Err(Refused::Io);
        }
        let state = &mut *self.state.borrow_mut();
        let Some(file) = state.names.get(from).copied() else { return Err(Refused::NotFound) };
        let naming = Naming::Moved { from: from.to_owned(), to: to.to_owned(), file };
        rename_in(&mut state.names, &naming);
        state.pending_names.push(naming);
        Ok(())
    }

    /// Removes a name.
    pub(crate) fn remove(&self, path: &str) -> Disked<()> {
        let state = &mut *self.state.borrow_mut();
        if state.names.remove(path).is_none() {
            return Err(Refused::NotFound);
        }
        state.pending_names.push(Naming::Removed { path: path.to_owned() });
        Ok(())
    }

    /// Every name below a folder.
    pub(crate) fn list(&self, below: &str) -> Vec<String> {
        let state = self.state.borrow();
        state.names.keys().filter(|path| path.starts_with(below)).cloned().collect()
    }

    /// Turns one bit of a file over, on the medium and in memory.
    pub(crate) fn rot(&self, path: &str, random: u64) {
        let state = &mut *self.state.borrow_mut();
        let Some(content) = state.names.get(path).and_then(|file| state.files.get_mut(file)) else {
            return;
        };
        for bytes in [&mut content.durable, &mut content.current] {
            let bits = bytes.len() as u64 * 8;
            if bits > 0 {
                let bit = random % bits;
                bytes[usize::try_from(bit / 8).unwrap_or(0)] ^= 1 << (bit % 8);
            }
        }
    }

    /// The machine loses power: some of what was not synced is gone. Writes tear between words: of two checksums that were
    /// written over each other one is there, as both lie in one sector (but for one in 128, which no start can prove).
    pub(crate) fn power_cut(&self) {
        let state = &mut *self.state.borrow_mut();
        for naming in std::mem::take(&mut state.pending_names) {
            if self.sim.chance(500_000) {
                rename_in(&mut state.durable_names, &naming);
            }
        }
        state.names = state.durable_names.clone();
        // Half of the cuts tear something, so that whole writes that are missing are seen as well.
        let tears = self.sim.chance(500_000);
        let keep = self.sim.below(1_000_001);
        for content in state.files.values_mut() {
            for change in std::mem::take(&mut content.pending) {
                if !self.sim.chance(keep) {
                    continue;
                }
                match change {
                    Change::Write { at, mut bytes } if tears && self.sim.chance(300_000) => {
                        let kept = self.sim.below(bytes.len() as u64 + 1);
                        bytes.truncate(usize::try_from(kept - kept % TEAR_BYTES).unwrap_or(0));
                        Content::apply(&mut content.durable, &Change::Write { at, bytes });
                    }
                    change => Content::apply(&mut content.durable, &change),
                }
            }
            content.current = content.durable.clone();
        }
        let named: std::collections::BTreeSet<Handle> = state.names.values().copied().collect();
        state.files.retain(|file, _| named.contains(file));
    }
}

fn rename_in(names: &mut BTreeMap<String, Handle>, naming: &Naming) {
    match naming {
        Naming::Made { path, file } => {
            names.insert(path.clone(), *file);
        }
        Naming::Moved { from, to, file } => {
            names.remove(from);
            names.retain(|_, known| known != file);
            names.insert(to.clone(), *file);
        }
        Naming::Removed { path } => {
            names.remove(path);
        }
    }
}
