//! Recounting everything, for tests and for a careful operator; and a digest of the tree, to compare two of them.

use std::collections::BTreeMap;

use super::{Namespace, UsageCount};
use crate::status::INodeKind;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Every inode in memory is counted where it takes what it shares.
    fn check_shared(&self) -> Result<(), String> {
        let mut users = BTreeMap::new();
        for record in self.records.iter().filter(|record| record.kind().is_some()) {
            *users.entry(record.shared).or_insert(0) += 1;
        }
        let known = self.shared.rows().map(|(row, _, users)| (row, users)).collect();
        if users == known { Ok(()) } else { Err(format!("rows have {known:?}, not {users:?}")) }
    }

    /// Recounts the whole tree; the first thing that is wrong, as text.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_invariants(&self) -> Result<(), String> {
        if self.is_cleaning() {
            return Err("a deletion is not at its end".to_owned());
        }
        self.leases.check()?;
        let mut counts = super::Counts::default();
        let mut waiting = vec![Slot::ROOT];
        let mut open = 0;
        while let Some(slot) = waiting.pop() {
            let record = self.record(slot);
            let path = || String::from_utf8_lossy(&self.path_of(slot)).into_owned();
            if self.index.get(record.id().0) != Some(slot.0) {
                return Err(format!("the index does not know {}", path()));
            }
            if record.id() > self.identities.last_inode_id {
                return Err(format!("{} has an id that was not given yet", path()));
            }
            match record.kind() {
                None => return Err(format!("{} is a free place", path())),
                Some(INodeKind::Directory) => {
                    counts.directories += 1;
                    self.check_children(slot)?;
                    waiting.extend(self.children_of(slot).iter());
                    self.kept_by(slot, &mut waiting);
                }
                Some(INodeKind::File) => {
                    counts.files += 1;
                    counts.blocks += self.owned_count(slot) as u64;
                    let is_open = record.has(Flag::Open) && self.is_current(slot);
                    open += usize::from(is_open);
                    let holder = self.leases.holder(record.id());
                    let writer = self.under_construction(slot).filter(|_| is_open);
                    let writer = writer.map(|open| &open.client_name);
                    if holder != writer {
                        return Err(format!("{}: lease {holder:?}, writer {writer:?}", path()));
                    }
                }
                Some(INodeKind::Symlink) => counts.symlinks += 1,
            }
            self.check_snapshots_at(slot)?;
            if self.quotas.contains_key(&slot) != record.has(Flag::Quota) {
                return Err(format!("{} has a quota and does not say so, or the reverse", path()));
            }
        }
        let mut usage = UsageCount::of(Slot::ROOT);
        while let Some((slot, used)) = usage.next(self) {
            let known = self.usage_of_directory(slot);
            if used != known {
                let path = String::from_utf8_lossy(&self.path_of(slot)).into_owned();
                return Err(format!("{path} counts {used:?}, not {known:?}"));
            }
        }
        self.check_shared()?;
        if self.detached.is_empty() {
            if counts != self.counts {
                return Err(format!("counted {counts:?}, known {:?}", self.counts));
            }
            if self.index.len() as u64 != counts.inodes() || self.leases.len() != open {
                return Err("the index or the leases know inodes that are not there".to_owned());
            }
        }
        Ok(())
    }

    fn check_children(&self, slot: Slot) -> Result<(), String> {
        let mut before: Option<&[u8]> = None;
        let mut seen = 0;
        for child in self.children_of(slot).iter() {
            let name = self.name_of(child);
            if before.is_some_and(|before| compare_names(before, name).is_ge())
                || self.record(child).parent != slot
            {
                let path = String::from_utf8_lossy(&self.path_of(child)).into_owned();
                return Err(format!("{path} is in the wrong place"));
            }
            before = Some(name);
            seen += 1;
        }
        if seen != self.children_of(slot).len() {
            return Err(format!("a directory has {seen} children, not what it says"));
        }
        Ok(())
    }

    /// Everything that a restart must bring back, as text: equal texts are equal trees.
    pub fn dump(&self) -> String {
        use std::fmt::Write;
        let mut out =
            format!("{:?} {} {}\n", self.identities, self.snapshots.counter, self.snapshots.count);
        let _ = writeln!(out, "{:?}", self.erasure.save());
        let _ = writeln!(out, "{:?}", self.cache);
        let mut waiting = vec![Slot::ROOT];
        while let Some(slot) = waiting.pop() {
            let record = self.record(slot);
            // Images do not hold access times of directories: Hadoop forgets them as well.
            let atime = if record.is_directory() { 0 } else { record.atime().0 };
            let _ = write!(
                out,
                "{} {:?} {} {}:{}:{:o} m{} a{atime}",
                String::from_utf8_lossy(&self.path_of(slot)),
                record.kind(),
                record.id(),
                self.users.name(self.user_of(slot)),
                self.groups.name(self.group_of(slot)),
                self.mode_of(slot).0,
                record.mtime().0,
            );
            match record.kind() {
                Some(INodeKind::Directory) => {
                    let children: Vec<Slot> = self.children_of(slot).iter().collect();
                    waiting.extend(children.into_iter().rev());
                    self.kept_by(slot, &mut waiting);
                }
                Some(INodeKind::File) => {
                    let header = self.shared_of(slot).header;
                    let _ = write!(out, " {header:x} {:?}", self.blocks_of(slot).as_slice());
                    if let Some(open) = self.under_construction(slot) {
                        // Whether the last block is open is not in images: Hadoop opens it when it loads one.
                        let _ = write!(out, " {}@{}", open.client_name, open.client_machine);
                        if let Some(source) = open.copy_source {
                            let _ = write!(out, " of {source}");
                        }
                    }
                }
                _ => {
                    let target = self.targets.get(record.number());
                    let _ = write!(out, " -> {}", String::from_utf8_lossy(target));
                }
            }
            for entry in self.acl(slot) {
                let _ = write!(out, " {entry:?}");
            }
            for xattr in self.xattrs(slot) {
                let _ = write!(out, " {xattr:?}");
            }
            if let Some(quota) = self.quotas.get(&slot) {
                let _ = write!(out, " {:?}", quota.limit);
            }
            self.dump_snapshots_at(slot, &mut out);
            out.push('\n');
        }
        out
    }

    /// Bytes of memory for the tree, by what they are for.
    pub fn memory(&self) -> Vec<(&'static str, usize)> {
        let children: usize = (0..self.records.len())
            .map(|slot| Slot(slot as u32))
            .filter(|slot| self.record(*slot).is_directory())
            .map(|slot| self.children_of(slot).bytes())
            .sum();
        let (names, names_allocated) = self.names.bytes();
        vec![
            ("shared attributes", self.shared.bytes()),
            ("records", self.records.capacity() * size_of_val(&self.records[0])),
            ("names in use", names),
            ("names allocated", names_allocated),
            ("index", self.index.bytes()),
            ("children", children + self.children.bytes()),
            ("block lists", self.block_lists.bytes()),
            ("values", self.children.len() + self.targets.len()),
        ]
    }
}
