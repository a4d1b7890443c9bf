//! Choosing paths, names and numbers.

use hdfs_namespace::{FileStatus, INodeKind};
use hdfs_types::{FsPermission, INodeId, Rng};

use crate::Generator;

/// Names of most inodes: few, so that calls meet.
const NAMES: [&str; 5] = ["a", "b", "c", "part-0", "_x"];
/// Names of some: what must survive XML and Java's modified UTF-8.
const ODD_NAMES: [&str; 7] =
    ["a b", "x&y<z>", "\"q'", "schnee\u{2603}", "\u{1f600}", "%41;", "back\\slash;"];
/// Levels of a path.
const MAX_DEPTH: usize = 5;

/// An inode of the tree.
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) status: FileStatus,
}

impl Entry {
    pub(crate) fn is_file(&self) -> bool {
        self.status.kind == INodeKind::File
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.status.kind == INodeKind::Directory
    }
}

/// A path, or part of one, for what is said.
pub(crate) fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// A child of a directory.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

impl Generator {
    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.rng.below(times) == 0
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.below(choices.len() as u64) as usize]
    }

    /// Everything below `/`, and `/` itself first.
    pub(crate) fn tree(&mut self) -> Vec<Entry> {
        let caller = self.replace_caller(0);
        let root = self.with(|namespace, ctx| namespace.get_file_info(ctx, b"/", false, false));
        let root = root.ok().flatten().expect("the superuser sees the root");
        let mut tree = vec![Entry { path: b"/".to_vec(), status: root }];
        let mut next = 0;
        while let Some(entry) = tree.get(next) {
            if entry.is_directory() {
                let path = entry.path.clone();
                let listing =
                    self.with(|namespace, ctx| namespace.get_listing(ctx, &path, b"", false));
                let listing = listing.ok().flatten().expect("the superuser lists what is there");
                tree.extend(
                    listing
                        .entries
                        .into_iter()
                        .map(|status| Entry { path: join(&path, &status.name), status }),
                );
            }
            next += 1;
        }
        self.replace_caller(caller);
        tree
    }

    /// The path of an inode of this sort, if there is one.
    pub(crate) fn existing(&mut self, sort: impl Fn(&Entry) -> bool) -> Option<Vec<u8>> {
        let mut tree = self.tree();
        tree.retain(sort);
        if tree.is_empty() {
            return None;
        }
        let index = self.rng.below(tree.len() as u64) as usize;
        Some(tree.swap_remove(index).path)
    }

    /// The path of a file, or `/none`.
    pub(crate) fn a_file(&mut self) -> Vec<u8> {
        self.existing(Entry::is_file).unwrap_or_else(|| b"/none".to_vec())
    }

    /// The path of a file that nobody writes, or `/none`.
    pub(crate) fn a_closed_file(&mut self) -> Vec<u8> {
        let open: Vec<INodeId> =
            self.namespace.leases().files_after(INodeId(0)).map(|(id, _)| id).collect();
        let closed = |entry: &Entry| entry.is_file() && !open.contains(&entry.status.inode);
        self.existing(closed).unwrap_or_else(|| b"/none".to_vec())
    }

    /// The path of a directory; `/` less often than others.
    pub(crate) fn a_directory(&mut self) -> Vec<u8> {
        let not_root = |entry: &Entry| entry.is_directory() && entry.path != b"/";
        let below = if self.one_in(4) { None } else { self.existing(not_root) };
        below.unwrap_or_else(|| b"/".to_vec())
    }

    /// The path of anything.
    pub(crate) fn anything(&mut self) -> Vec<u8> {
        self.existing(|entry| entry.path != b"/").unwrap_or_else(|| b"/".to_vec())
    }

    /// A name.
    pub(crate) fn a_name(&mut self) -> String {
        let odd = self.one_in(12);
        let names: &[&str] = if odd { &ODD_NAMES } else { &NAMES };
        self.one_of(names).to_owned()
    }

    /// A path that may exist or not, below a directory that exists.
    pub(crate) fn a_place(&mut self) -> Vec<u8> {
        let fits = |entry: &Entry| {
            entry.is_directory() && entry.path.split(|byte| *byte == b'/').count() <= MAX_DEPTH
        };
        let directory = self.existing(fits).unwrap_or_else(|| b"/".to_vec());
        let name = self.a_name();
        join(&directory, name.as_bytes())
    }

    /// A path that does not exist, most of the time.
    pub(crate) fn a_new_place(&mut self) -> Vec<u8> {
        let mut path = self.a_place();
        for _ in 0..8 {
            if !self.tree().iter().any(|entry| entry.path == path) {
                break;
            }
            path = self.a_place();
        }
        path
    }

    /// A mode.
    pub(crate) fn a_mode(&mut self) -> FsPermission {
        let modes = [0o755, 0o644, 0o777, 0o1777, 0o700, 0o000, 0o750, 0o640];
        FsPermission(self.one_of(&modes))
    }
}
