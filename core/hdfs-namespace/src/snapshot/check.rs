//! What must hold of everything that snapshots keep; and a text of it, to compare two trees.

use std::fmt::Write;

use super::model::{Child, DirectoryCopy, DirectoryDiff, SnapshotId};
use crate::namespace::Namespace;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Inodes that only snapshots show below an inode: in deleted lists, and behind names.
    pub(crate) fn kept_by(&self, slot: Slot, inodes: &mut Vec<Slot>) {
        for child in self.directory_diffs(slot).iter().flat_map(|diff| &diff.deleted) {
            match child {
                Child::INode(slot) => inodes.push(*slot),
                Child::Name(number) => {
                    let inode = self.snapshots.names.get(*number).inode;
                    let known = self.snapshots.references.get(&inode);
                    // Behind the first of its names, when it is in no directory.
                    if known.is_some_and(|known| {
                        known.dst.is_none() && known.names.first() == Some(number)
                    }) {
                        inodes.push(inode);
                    }
                }
            }
        }
    }

    /// # Errors
    /// What is wrong.
    pub(crate) fn check_snapshots_at(&self, slot: Slot) -> Result<(), String> {
        let record = self.record(slot);
        let path = || String::from_utf8_lossy(&self.path_of(slot)).into_owned();
        let known = record.has(Flag::Diffs) || record.has(Flag::Referenced);
        if known && !self.ancestry(slot).all(|above| self.record(above).has(Flag::Marked)) {
            return Err(format!("{} has diffs or references and no mark", path()));
        }
        let has_diffs = if record.is_directory() {
            self.snapshots.directory_diffs.contains_key(&slot)
        } else {
            self.snapshots.file_diffs.contains_key(&slot)
        };
        if has_diffs != record.has(Flag::Diffs) {
            return Err(format!("{}: diffs {has_diffs}, flag {}", path(), !has_diffs));
        }
        self.check_reference(slot).map_err(|reason| format!("{}: {reason}", path()))?;
        let snapshots: Vec<SnapshotId> = if record.is_directory() {
            self.directory_diffs(slot).iter().map(|diff| diff.snapshot).collect()
        } else {
            self.file_diffs(slot).iter().map(|diff| diff.snapshot).collect()
        };
        if !snapshots.is_sorted_by(|a, b| a < b) {
            return Err(format!("{}: diffs of {snapshots:?}", path()));
        }
        for diff in self.directory_diffs(slot) {
            self.check_diff(slot, diff).map_err(|reason| format!("{}: {reason}", path()))?;
        }
        Ok(())
    }

    fn check_reference(&self, slot: Slot) -> Result<(), String> {
        let record = self.record(slot);
        let known = self.snapshots.references.get(&slot);
        if known.is_some() != record.has(Flag::Referenced) {
            return Err("references and flag differ".to_owned());
        }
        let Some(known) = known else { return Ok(()) };
        if known.dst.is_some() != (record.parent != Slot::NONE) {
            return Err(format!("its place is {:?}, its directory {:?}", known.dst, record.parent));
        }
        let name = |number: &u32| self.snapshots.names.get(*number);
        if !known.names.is_sorted_by(|a, b| name(a).last_snapshot < name(b).last_snapshot) {
            return Err("names are not in order".to_owned());
        }
        for number in &known.names {
            let child = Child::Name(*number);
            let name = name(number);
            let diffs = self.directory_diffs(name.parent);
            if name.inode != slot || !diffs.iter().any(|diff| diff.deleted.contains(&child)) {
                return Err(format!("no deleted list shows the name {name:?}"));
            }
        }
        Ok(())
    }

    fn check_diff(&self, slot: Slot, diff: &DirectoryDiff) -> Result<(), String> {
        for list in [&diff.created, &diff.deleted] {
            let name = |child: &Child| self.child_name(*child);
            if !list.is_sorted_by(|a, b| compare_names(name(a), name(b)).is_lt()) {
                return Err(format!("a list of {:?} is not in order", diff.snapshot));
            }
        }
        for child in &diff.deleted {
            let inode = self.child_slot(*child);
            if self.record(inode).kind().is_none() {
                return Err(format!("{:?} shows {child:?}, which is gone", diff.snapshot));
            }
            let wrong = match child {
                Child::Name(number) => self.snapshots.names.get(*number).parent != slot,
                Child::INode(inode) => {
                    self.record(*inode).parent != slot
                        || self.child(slot, self.name_of(*inode)) == Some(*inode)
                }
            };
            if wrong {
                return Err(format!("{:?} shows {child:?} in the wrong place", diff.snapshot));
            }
        }
        let children = self.children_at(slot, diff.snapshot).len();
        if children != diff.children_size as usize {
            return Err(format!(
                "{:?} shows {children} children, not {}",
                diff.snapshot, diff.children_size
            ));
        }
        Ok(())
    }

    /// What snapshots keep of an inode, as text.
    pub(crate) fn dump_snapshots_at(&self, slot: Slot, out: &mut String) {
        let child = |child: &Child| {
            let name = String::from_utf8_lossy(self.child_name(*child)).into_owned();
            let kind = if matches!(child, Child::Name(_)) { "name of " } else { "" };
            format!("{name}:{kind}{}", self.record(self.child_slot(*child)).id())
        };
        if let Some(feature) = self.snapshots.snapshottable.get(&slot) {
            for snapshot in &feature.snapshots {
                let _ =
                    write!(out, "\n  {:?} {}", snapshot.id, self.show_directory(&snapshot.root));
            }
        }
        if let Some(known) = self.snapshots.references.get(&slot) {
            let names: Vec<_> =
                known.names.iter().map(|number| self.snapshots.names.get(*number)).collect();
            let _ = write!(out, " referenced at {:?}", known.dst);
            for name in names {
                let parent = self.record(name.parent).id();
                let _ = write!(
                    out,
                    " {parent}/{} {:?}",
                    String::from_utf8_lossy(&name.name),
                    name.last_snapshot
                );
            }
        }
        for diff in self.directory_diffs(slot) {
            let created: Vec<String> = diff.created.iter().map(child).collect();
            let deleted: Vec<String> = diff.deleted.iter().map(child).collect();
            let _ = write!(
                out,
                "\n  {:?} root {} size {} copy {} +{created:?} -{deleted:?}",
                diff.snapshot,
                diff.is_root,
                diff.children_size,
                diff.copy.as_ref().map_or_else(String::new, |copy| self.show_directory(copy)),
            );
        }
        let Some(feature) = self.file_feature(slot) else { return };
        let _ = write!(out, "\n  deleted {}", feature.current_deleted);
        for diff in &feature.diffs {
            let _ = write!(out, "\n  {:?} {} {:?}", diff.snapshot, diff.size, diff.blocks);
            if let Some(copy) = &diff.copy {
                let _ = write!(
                    out,
                    " {} {} {:x} m{} a{} {:?} {:?}",
                    String::from_utf8_lossy(&copy.name),
                    self.show_permission(copy.permission),
                    copy.header,
                    copy.mtime.0,
                    copy.atime.0,
                    copy.acl,
                    copy.xattrs
                );
            }
        }
    }

    fn show_directory(&self, copy: &DirectoryCopy) -> String {
        format!(
            "{} {} m{} {:?} {:?} {:?}",
            String::from_utf8_lossy(&copy.name),
            self.show_permission(copy.permission),
            copy.mtime.0,
            copy.acl,
            copy.xattrs,
            copy.quota
        )
    }

    fn show_permission(&self, permission: u64) -> String {
        format!(
            "{}:{}:{:o}",
            self.users.name((permission >> 40) as u32),
            self.groups.name((permission >> 16) as u32 & 0xFF_FFFF),
            permission as u16
        )
    }
}
