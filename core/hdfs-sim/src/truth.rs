//! What the world's author knows: every byte that was written, what was acknowledged, and what each client was told.
//!
//! Each client works in a directory of its own, one operation after the other, and repeats a call until it gets an answer:
//! so the answer of every call is known beforehand, and so is the tree. Only a client that dies leaves something open:
//! its last operation may have happened or not.

use std::collections::{BTreeMap, BTreeSet};

/// A file, wherever it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FileId(pub(crate) u64);

/// What is known about a file's bytes.
#[derive(Clone, Default, Debug)]
pub(crate) struct FileTruth {
    /// Every byte that its writer gave, in order.
    pub(crate) bytes: Vec<u8>,
    /// So many were acknowledged by hflush: every reader sees them.
    pub(crate) visible: usize,
    /// So many by hsync or close: they survive a power cut of all machines.
    pub(crate) durable: usize,
    /// Closed, and nobody has opened it since: it has exactly these bytes.
    pub(crate) closed: bool,
    /// It was closed, and then an append or a truncate began, whose end is not known.
    pub(crate) changing: bool,
    /// It may have been cut to this length, by a client that died before it heard.
    pub(crate) perhaps_cut: Option<usize>,
    /// Grows when bytes are taken away.
    pub(crate) cuts: u32,
    /// Replicas that it should have.
    pub(crate) replication: u32,
    /// Nobody knows any more what it holds beyond the durable bytes: all machines lost power while it was open.
    pub(crate) lost_power: bool,
}

/// What is at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    Directory,
    File(FileId),
}

/// All of it.
#[derive(Default, Debug)]
pub(crate) struct Truth {
    pub(crate) files: BTreeMap<FileId, FileTruth>,
    pub(crate) tree: BTreeMap<String, Entry>,
    /// Paths of which nobody knows whether something is there.
    pub(crate) unknown: BTreeSet<String>,
    next: u64,
    /// Calls that were answered.
    pub(crate) calls: u64,
    /// Reads that were compared.
    pub(crate) reads: u64,
    /// Bytes that were acknowledged.
    pub(crate) acknowledged: u64,
    /// How often a DataNode lost power.
    pub(crate) power_cuts: u64,
}

impl Truth {
    /// A file begins.
    pub(crate) fn new_file(&mut self, replication: u32) -> FileId {
        self.next += 1;
        let id = FileId(self.next);
        self.files.insert(id, FileTruth { replication, ..FileTruth::default() });
        id
    }

    /// A file that must exist.
    pub(crate) fn file(&mut self, id: FileId) -> &mut FileTruth {
        self.files.entry(id).or_default()
    }

    /// A DataNode lost power: what open files had only in its memory may be gone.
    pub(crate) fn lose_power(&mut self) {
        self.power_cuts += 1;
        for file in self.files.values_mut().filter(|file| !file.closed) {
            file.visible = file.durable;
            file.lost_power = true;
        }
    }

    /// A tree moves.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let below = format!("{from}/");
        let moved: Vec<String> = self
            .tree
            .keys()
            .filter(|path| *path == from || path.starts_with(&below))
            .cloned()
            .collect();
        for path in moved {
            if let Some(entry) = self.tree.remove(&path) {
                let target = format!("{to}{}", &path[from.len()..]);
                self.tree.insert(target, entry);
            }
        }
    }

    /// A tree goes.
    pub(crate) fn delete(&mut self, path: &str) {
        let below = format!("{path}/");
        let tree = std::mem::take(&mut self.tree);
        let (gone, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            tree.into_iter().partition(|(name, _)| name == path || name.starts_with(&below));
        self.tree = rest;
        for entry in gone.into_values() {
            if let Entry::File(id) = entry {
                self.files.remove(&id);
            }
        }
    }

    /// Nobody knows whether this path, and what is below it, is there.
    pub(crate) fn forget(&mut self, path: &str) {
        self.unknown.insert(path.to_owned());
    }

    /// True when something about this path is not known.
    pub(crate) fn is_unknown(&self, path: &str) -> bool {
        self.unknown.iter().any(|unknown| {
            path == unknown
                || path.strip_prefix(unknown.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}
