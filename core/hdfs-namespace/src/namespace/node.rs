//! Single inodes: made, linked, found, named.

use std::cmp::Ordering;

use hdfs_format::edits::{AclEntry, XAttr};
use hdfs_types::{INodeId, WallMillis};

use super::Namespace;
use super::attributes::{group_of, with_group};
use crate::op::zone::is_zone_xattr;
use crate::snapshot::model::SnapshotId;
use crate::status::INodeKind;
use crate::store::children::{Children, Position};
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Record, Slot};
use crate::store::shared::SharedAttributes;

/// A new inode, as an operation describes it.
pub(crate) struct NewNode<'a> {
    pub(crate) id: INodeId,
    pub(crate) kind: INodeKind,
    /// User and group by number; group 0 is the parent's.
    pub(crate) permission: u64,
    pub(crate) mtime: WallMillis,
    pub(crate) atime: WallMillis,
    /// Files only.
    pub(crate) header: u64,
    /// Symbolic links only.
    pub(crate) target: &'a [u8],
}

impl Namespace {
    /// Gives a record a place and its id.
    pub(crate) fn store(&mut self, record: Record) -> Slot {
        let id = record.id();
        match record.kind() {
            Some(INodeKind::Directory) => self.counts.directories += 1,
            Some(INodeKind::File) => self.counts.files += 1,
            Some(INodeKind::Symlink) => self.counts.symlinks += 1,
            None => unreachable!("a record that is stored has a kind"),
        }
        let slot = if self.free_head == Slot::NONE.0 {
            let slot = Slot(u32::try_from(self.records.len()).expect("2^32 inodes exceed memory"));
            self.records.push(record);
            slot
        } else {
            let slot = Slot(self.free_head);
            self.free_head = self.record(slot).number();
            *self.record_mut(slot) = record;
            slot
        };
        let new = self.index.insert(id.0, slot.0);
        assert!(new, "an inode id is given once");
        self.identities.last_inode_id = self.identities.last_inode_id.max(id);
        slot
    }

    /// Makes an inode and links it. The parent's modification time follows.
    pub(crate) fn add_node(
        &mut self,
        (parent, position): (Slot, Position),
        name: &[u8],
        node: &NewNode<'_>,
    ) -> Slot {
        let name = self.names.insert(name);
        let mut permission = node.permission;
        if group_of(permission) == 0 {
            permission = with_group(permission, self.group_of(parent));
        }
        let shared = self.shared.take(SharedAttributes { permission, header: node.header }, 1);
        let mut record = Record::new(node.id, node.kind, name, shared);
        record.set_mtime(node.mtime);
        record.set_atime(node.atime);
        record.set_number(match node.kind {
            INodeKind::Directory => self.children.insert(Children::default()),
            INodeKind::Symlink => self.targets.insert(node.target.into()),
            INodeKind::File => 0,
        });
        if node.kind == INodeKind::Directory {
            record.set_totals(1, 0);
        }
        let slot = self.store(record);
        let latest = self.latest_snapshot_below(parent);
        self.link_at(parent, position, slot, latest);
        self.last_child = slot;
        slot
    }

    /// Puts an inode that has a name below a directory, and carries the directory's modification time forward to the
    /// inode's, as Hadoop does.
    ///
    /// `latest` is the latest snapshot on the path to the directory.
    pub(crate) fn link(&mut self, parent: Slot, slot: Slot, latest: SnapshotId) {
        let name = self.names.get(self.record(slot).name);
        let Err(position) = self.find_child_position(parent, name) else {
            unreachable!("the name was free when the operation was checked");
        };
        self.link_at(parent, position, slot, latest);
    }

    fn link_at(&mut self, parent: Slot, position: Position, slot: Slot, latest: SnapshotId) {
        if latest != SnapshotId::CURRENT && self.is_in_latest(parent, latest) {
            self.record_created(parent, slot, latest);
        }
        let number = self.record(parent).number();
        self.children.get_mut(number).insert(position, slot);
        self.record_mut(slot).parent = parent;
        if self.touched.is_watched() {
            // An empty directory may have needed nothing before, and the sticky bit asks for each child's owner.
            if self.children.get(number).len() == 1 || self.mode_of(parent).sticky() {
                self.touch(parent, false);
            }
            if self.record(slot).is_directory() {
                self.touch(slot, true);
            }
        }
        if self.record(slot).has(Flag::Marked) {
            self.mark(parent);
        }
        // As Hadoop: a directory that records the new child does not record this change of its time.
        let mtime = self.record(slot).mtime();
        self.carry_mtime(parent, mtime, SnapshotId::CURRENT);
    }

    /// Takes an inode out of its directory's children. Its parent stays: snapshots may hold it there.
    pub(crate) fn unlink(&mut self, slot: Slot) -> Slot {
        let parent = self.record(slot).parent;
        let name = self.names.get(self.record(slot).name);
        let (position, found) = self
            .find_child_position(parent, name)
            .expect("an attached inode is a child of its parent");
        assert_eq!(found, slot, "an attached inode is found by its name");
        let number = self.record(parent).number();
        self.children.get_mut(number).remove(position);
        self.last_child = Slot::ROOT;
        if self.record(slot).is_directory() {
            // It keeps its parent, and so do those below it: the place to start looking may be among them.
            self.last_directory = Slot::ROOT;
            self.forget_path();
        }
        parent
    }

    /// Remembers the directory in which the file of a path was just made.
    pub(crate) fn remember_directory(&mut self, directory: Slot, path: &[u8]) {
        self.last_directory = directory;
        if self.last_path.0 != directory {
            let cut = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            self.last_path.0 = directory;
            self.last_path.1.clear();
            self.last_path.1.extend_from_slice(&path[..cut]);
        }
    }

    fn forget_path(&mut self) {
        self.last_path.0 = Slot::ROOT;
        self.last_path.1.clear();
    }

    /// Modification times of directories never go back by themselves.
    pub(crate) fn carry_mtime(&mut self, slot: Slot, time: WallMillis, latest: SnapshotId) {
        if time > self.record(slot).mtime() {
            self.record_change(slot, latest);
            self.record_mut(slot).set_mtime(time);
        }
    }

    pub(crate) fn rename_node(&mut self, slot: Slot, name: &[u8]) {
        let old = self.record(slot).name;
        if self.names.get(old) != name {
            let new = self.names.insert(name);
            self.names.release(old);
            self.record_mut(slot).name = new;
        }
    }

    #[inline]
    pub(crate) fn children_of(&self, slot: Slot) -> &Children {
        debug_assert!(self.record(slot).is_directory(), "only directories have children");
        self.children.get(self.record(slot).number())
    }

    #[inline]
    pub(crate) fn compare_name(&self, slot: Slot, name: &[u8]) -> Ordering {
        compare_names(self.names.get(self.record(slot).name), name)
    }

    pub(crate) fn find_child_position(
        &self,
        parent: Slot,
        name: &[u8],
    ) -> Result<(Position, Slot), Position> {
        self.children_of(parent).find(|slot| self.compare_name(slot, name))
    }

    /// The child with this name. A file is written right after it was made: the newest child is looked at first.
    #[inline]
    pub(crate) fn child(&self, parent: Slot, name: &[u8]) -> Option<Slot> {
        let last = self.last_child;
        if self.record(last).parent == parent && self.name_of(last) == name {
            return Some(last);
        }
        self.find_child_position(parent, name).ok().map(|(_, slot)| slot)
    }

    pub(crate) fn name_of(&self, slot: Slot) -> &[u8] {
        self.names.get(self.record(slot).name)
    }

    /// The inode with this id, unless it was deleted.
    pub(crate) fn attached(&self, id: INodeId) -> Option<Slot> {
        let slot = Slot(self.index.get(id.0)?);
        let plain = self.detached.is_empty() && !self.snapshots.in_use() && !self.is_cleaning();
        (plain || self.is_current(slot)).then_some(slot)
    }

    /// True for what the current tree shows: not for what only snapshots show, or what waits to be reclaimed.
    pub(crate) fn is_current(&self, mut slot: Slot) -> bool {
        while slot != Slot::ROOT {
            let parent = self.record(slot).parent;
            // What a deletion took out keeps its directory until nothing of it is left in snapshots.
            if parent == Slot::NONE
                || (self.record(parent).has(Flag::Diffs) || self.is_cleaning())
                    && self.child(parent, self.name_of(slot)) != Some(slot)
            {
                return false;
            }
            slot = parent;
        }
        true
    }

    /// False for what was deleted and waits to be reclaimed: no directory and no snapshot shows it.
    pub(crate) fn is_kept(&self, slot: Slot) -> bool {
        let is_named = |slot: &Slot| {
            let known = self.snapshots.references.get(slot);
            known.is_some_and(|known| !known.names.is_empty())
        };
        self.ancestry(slot).any(|ancestor| {
            ancestor == Slot::ROOT
                || self.record(ancestor).has(Flag::Referenced) && is_named(&ancestor)
        })
    }

    /// The inode and its ancestors, from itself to `/`.
    pub(crate) fn ancestry(&self, slot: Slot) -> impl Iterator<Item = Slot> + '_ {
        std::iter::successors(Some(slot), |slot| {
            let parent = self.record(*slot).parent;
            (parent != Slot::NONE).then_some(parent)
        })
    }

    /// The full path of an inode.
    pub(crate) fn path_of(&self, slot: Slot) -> Vec<u8> {
        if slot == Slot::ROOT {
            return b"/".to_vec();
        }
        let mut components: Vec<&[u8]> =
            self.ancestry(slot).map(|ancestor| self.name_of(ancestor)).collect();
        components.pop();
        let mut path = Vec::with_capacity(components.iter().map(|name| name.len() + 1).sum());
        for component in components.into_iter().rev() {
            path.push(b'/');
            path.extend_from_slice(component);
        }
        path
    }

    /// The full path of an inode by id, unless it was deleted.
    pub fn path(&self, id: INodeId) -> Option<Vec<u8>> {
        self.attached(id).map(|slot| self.path_of(slot))
    }

    /// The path of an inode; of one that only snapshots show, the path that it had last.
    pub fn last_path(&self, id: INodeId) -> Option<Vec<u8>> {
        self.with_last_path(id).map(|slot| self.path_of(slot))
    }

    /// The inode with this id, when it is, or was last, at a path: not when it was renamed out of a snapshot and deleted.
    pub(crate) fn with_last_path(&self, id: INodeId) -> Option<Slot> {
        let slot = Slot(self.index.get(id.0)?);
        let reaches_root = self.ancestry(slot).last() == Some(Slot::ROOT);
        reaches_root.then_some(slot)
    }

    pub(crate) fn acl(&self, slot: Slot) -> &[AclEntry] {
        if self.record(slot).has(Flag::Acl) {
            self.acls.get(&slot).map_or(&[], |entries| entries)
        } else {
            &[]
        }
    }

    pub(crate) fn set_acl(&mut self, slot: Slot, entries: Vec<AclEntry>) {
        self.touch(slot, false);
        self.record_mut(slot).set(Flag::Acl, !entries.is_empty());
        if entries.is_empty() {
            self.acls.remove(&slot);
        } else {
            self.acls.insert(slot, entries.into_boxed_slice());
        }
    }

    pub(crate) fn xattrs(&self, slot: Slot) -> &[XAttr] {
        if self.record(slot).has(Flag::XAttrs) {
            self.xattrs.get(&slot).map_or(&[], |xattrs| xattrs)
        } else {
            &[]
        }
    }

    pub(crate) fn set_xattrs(&mut self, slot: Slot, xattrs: Vec<XAttr>) {
        let id = self.record(slot).id();
        if self.record(slot).is_directory() && xattrs.iter().any(is_zone_xattr) {
            self.zones.insert(id);
        } else if !self.zones.is_empty() {
            self.zones.remove(&id);
        }
        self.record_mut(slot).set(Flag::XAttrs, !xattrs.is_empty());
        if xattrs.is_empty() {
            self.xattrs.remove(&slot);
        } else {
            self.xattrs.insert(slot, xattrs.into_boxed_slice());
        }
    }
}
