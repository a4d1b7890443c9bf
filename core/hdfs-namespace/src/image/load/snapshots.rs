//! Loading snapshots: INODE_REFERENCE, SNAPSHOT and SNAPSHOT_DIFF.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.FSImageFormatPBSnapshot.Loader (3.5.0)

use hdfs_format::fsimage::{Messages, SectionName};
use hdfs_format::storage_dir::Corrupt;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::{Block, BlockId, GenerationStamp, INodeId};
use pb::snapshot_diff_section as diff;

use super::Loader;
use crate::image::copies;
use crate::op::limits::check_block;
use crate::snapshot::model::{
    Child, DirectoryDiff, FileDiff, FileDiffs, Snapshot, SnapshotId, Snapshottable, WithName,
};
use crate::store::name_pool::{MAX_NAME_BYTES, compare_names};
use crate::store::record::{Flag, Slot};

/// Snapshots of a directory that a loaded one may have. Hadoop: DirectorySnapshottableFeature.SNAPSHOT_QUOTA_DEFAULT
const SNAPSHOT_QUOTA: u32 = 1 << 16;

/// More directories than any path has.
pub(super) const MAX_DEPTH: usize = 1 << 16;

impl<'a> Loader<'a> {
    /// References are named by their number in this section.
    pub(super) fn load_references(&mut self) -> Result<(), Corrupt> {
        let mut messages = self.image.messages(SectionName::InodeReference);
        while let Some(reference) = messages.next_message()? {
            let child = self.load_reference(&reference).map_err(|e| messages.damaged(&e))?;
            self.references.push(child);
        }
        Ok(())
    }

    fn load_reference(
        &mut self,
        message: &pb::i_node_reference_section::INodeReference,
    ) -> Result<Child, String> {
        let slot = self.known(message.referred_id())?;
        if slot == Slot::ROOT {
            return Err("a reference refers to the root".to_owned());
        }
        let namespace = &mut self.namespace;
        namespace.record_mut(slot).set(Flag::Referenced, true);
        let known = namespace.snapshots.references.get_or_insert_with(slot, Box::default);
        if let Some(id) = message.dst_snapshot_id {
            if known.dst.replace(SnapshotId(id.cast_signed())).is_some() {
                return Err(format!("inode {} is renamed to two places", message.referred_id()));
            }
            return Ok(Child::INode(slot));
        }
        if message.name().len() > MAX_NAME_BYTES {
            return Err("the name of a reference is too long".to_owned());
        }
        let last_snapshot = SnapshotId(message.last_snapshot_id().cast_signed());
        let names = &namespace.snapshots.names;
        let place = known
            .names
            .binary_search_by_key(&last_snapshot, |number| names.get(*number).last_snapshot);
        let Err(place) = place else {
            return Err(format!("inode {} has two names in a snapshot", message.referred_id()));
        };
        let number = namespace.snapshots.names.insert(WithName {
            inode: slot,
            parent: Slot::NONE,
            name: message.name().into(),
            last_snapshot,
            usage: Default::default(),
        });
        known.names.insert(place, number);
        Ok(Child::Name(number))
    }

    pub(super) fn load_snapshots(&mut self) -> Result<(), Corrupt> {
        let mut messages = self.image.messages(SectionName::Snapshot);
        let Some(section) = messages.next_message::<pb::SnapshotSection>()? else { return Ok(()) };
        self.namespace.snapshots.counter = section.snapshot_counter().cast_signed();
        for id in &section.snapshottable_dir {
            self.add_snapshottable(*id).map_err(|reason| messages.damaged(&reason))?;
        }
        for _ in 0..section.num_snapshots() {
            let snapshot: pb::snapshot_section::Snapshot = messages.required()?;
            self.load_snapshot(&snapshot).map_err(|reason| messages.damaged(&reason))?;
        }
        self.namespace.snapshots.count = section.num_snapshots();
        Ok(())
    }

    fn add_snapshottable(&mut self, id: u64) -> Result<(), String> {
        let slot = self.known_directory(id)?;
        let feature = Snapshottable { quota: SNAPSHOT_QUOTA, ..Snapshottable::default() };
        if self.namespace.snapshots.snapshottable.insert(slot, Box::new(feature)).is_some() {
            return Err(format!("the directory {id} is snapshottable twice"));
        }
        self.namespace.record_mut(slot).set(Flag::Snapshottable, true);
        self.namespace.snapshots.add_to_order(INodeId(id));
        Ok(())
    }

    fn load_snapshot(&mut self, message: &pb::snapshot_section::Snapshot) -> Result<(), String> {
        let root = message.root.as_ref().ok_or("a snapshot has no root")?;
        let directory = root.directory.as_ref().ok_or("a snapshot's root is no directory")?;
        let slot = self.known_directory(root.id)?;
        let permission = self.known_permission(directory.permission())?;
        let root = copies::load_directory(root.name(), directory, permission, self.names)?;
        let Some(feature) = self.namespace.snapshots.snapshottable.get_mut(&slot) else {
            return Err("a snapshot is of a directory that has none".to_owned());
        };
        let place =
            feature.snapshots.binary_search_by(|known| compare_names(&known.root.name, &root.name));
        let id = SnapshotId(message.snapshot_id().cast_signed());
        let Err(place) = place else { return Err(format!("snapshot {} is there twice", id.0)) };
        feature.snapshots.insert(place, Snapshot { id, root });
        Ok(())
    }

    pub(super) fn load_diffs(&mut self) -> Result<(), Corrupt> {
        let mut messages = self.image.messages(SectionName::SnapshotDiff);
        while let Some(entry) = messages.next_message::<diff::DiffEntry>()? {
            let slot = self.known(entry.inode_id()).map_err(|reason| messages.damaged(&reason))?;
            let (is_file, count) = (self.namespace.record(slot).is_file(), entry.num_of_diff());
            match entry.r#type() {
                diff::diff_entry::Type::Filediff if is_file => {
                    self.load_file_diffs(&mut messages, slot, count)?;
                }
                diff::diff_entry::Type::Directorydiff
                    if self.namespace.record(slot).is_directory() =>
                {
                    if count == 0 && self.namespace.snapshots_of(slot).is_some() {
                        continue;
                    }
                    self.load_directory_diffs(&mut messages, slot, count)?;
                }
                _ => return Err(messages.damaged("a diff is of an inode of another kind")),
            }
            self.namespace.record_mut(slot).set(Flag::Diffs, true);
        }
        Ok(())
    }

    fn load_file_diffs(
        &mut self,
        messages: &mut Messages<'a>,
        slot: Slot,
        count: u32,
    ) -> Result<(), Corrupt> {
        let mut diffs = Vec::new();
        for _ in 0..count {
            let message: diff::FileDiff = messages.required()?;
            diffs.push(self.load_file_diff(&message).map_err(|e| messages.damaged(&e))?);
        }
        diffs.reverse();
        if !diffs.is_sorted_by(|a, b| a.snapshot < b.snapshot) {
            return Err(messages.damaged("the diffs of a file are out of order"));
        }
        let feature = FileDiffs { diffs, current_deleted: false };
        if self.namespace.snapshots.file_diffs.insert(slot, Box::new(feature)).is_some() {
            return Err(messages.damaged("the diffs of a file are there twice"));
        }
        Ok(())
    }

    fn load_file_diff(&mut self, message: &diff::FileDiff) -> Result<FileDiff, String> {
        let copy = match &message.snapshot_copy {
            None => None,
            Some(copy) => {
                let permission = self.known_permission(copy.permission())?;
                let copy = copies::load_file(message.name(), copy, permission, self.names)?;
                Some(Box::new(copy))
            }
        };
        let mut blocks = Vec::with_capacity(message.blocks.len());
        for block in &message.blocks {
            let block = Block {
                id: BlockId(block.block_id.cast_signed()),
                num_bytes: block.num_bytes(),
                generation_stamp: GenerationStamp(block.gen_stamp),
            };
            check_block(&block)?;
            blocks.push(block);
        }
        Ok(FileDiff {
            snapshot: SnapshotId(message.snapshot_id().cast_signed()),
            copy,
            size: message.file_size(),
            blocks: (!blocks.is_empty()).then(|| blocks.into()),
        })
    }

    /// Latest first: a created child is found among what later diffs and the directory itself hold.
    fn load_directory_diffs(
        &mut self,
        messages: &mut Messages<'a>,
        slot: Slot,
        count: u32,
    ) -> Result<(), Corrupt> {
        let mut diffs: Vec<DirectoryDiff> = Vec::new();
        for _ in 0..count {
            let message: diff::DirectoryDiff = messages.required()?;
            let mut loaded = self
                .load_directory_diff(slot, &message)
                .map_err(|reason| messages.damaged(&reason))?;
            for _ in 0..message.created_list_size() {
                let created: diff::CreatedListEntry = messages.required()?;
                let child = self.created_child(slot, &diffs, created.name()).ok_or_else(|| {
                    let name = String::from_utf8_lossy(created.name()).into_owned();
                    messages.damaged(&format!("no inode for the name {name} of a created list"))
                })?;
                loaded.created.push(child);
            }
            if !self.is_sorted(&loaded.created) {
                return Err(messages.damaged("a created list is out of order"));
            }
            if diffs.last().is_some_and(|later| later.snapshot <= loaded.snapshot) {
                return Err(messages.damaged("the diffs of a directory are out of order"));
            }
            diffs.push(loaded);
        }
        diffs.reverse();
        if self.namespace.snapshots.directory_diffs.insert(slot, diffs).is_some() {
            return Err(messages.damaged("the diffs of a directory are there twice"));
        }
        Ok(())
    }

    fn load_directory_diff(
        &mut self,
        directory: Slot,
        message: &diff::DirectoryDiff,
    ) -> Result<DirectoryDiff, String> {
        let snapshot = SnapshotId(message.snapshot_id().cast_signed());
        let is_root = message.is_snapshot_root();
        if is_root && self.namespace.snapshot_by_id(directory, snapshot).is_none() {
            return Err(format!("there is no snapshot {} of its directory", snapshot.0));
        }
        let copy = match &message.snapshot_copy {
            Some(copy) if !is_root => {
                let permission = self.known_permission(copy.permission())?;
                let copy = copies::load_directory(message.name(), copy, permission, self.names)?;
                Some(Box::new(copy))
            }
            _ => None,
        };
        let mut deleted = Vec::new();
        for id in &message.deleted_i_node {
            let slot = self.known(*id)?;
            if self.namespace.record(slot).has(Flag::Referenced) {
                return Err(format!("the inode {id} is deleted and renamed"));
            }
            self.place(directory, slot)?;
            deleted.push(Child::INode(slot));
        }
        for number in &message.deleted_i_node_ref {
            let reference = self.reference(*number)?;
            match reference {
                Child::INode(slot) => self.place(directory, slot)?,
                Child::Name(name) => {
                    let name = self.namespace.snapshots.names.get_mut(name);
                    if name.parent != Slot::NONE {
                        return Err("a reference is deleted in two places".to_owned());
                    }
                    name.parent = directory;
                }
            }
            deleted.push(reference);
        }
        let names = &self.namespace;
        deleted.sort_by(|a, b| compare_names(names.child_name(*a), names.child_name(*b)));
        if !self.is_sorted(&deleted) {
            return Err("a deleted list has one name twice".to_owned());
        }
        Ok(DirectoryDiff {
            snapshot,
            copy,
            is_root,
            children_size: message.children_size(),
            created: Vec::new(),
            deleted,
        })
    }

    /// `later` are the diffs after this one, latest first.
    fn created_child(
        &self,
        directory: Slot,
        later: &[DirectoryDiff],
        name: &[u8],
    ) -> Option<Child> {
        let namespace = &self.namespace;
        for diff in later.iter().rev() {
            if let Ok(index) = namespace.search(&diff.deleted, name) {
                return diff.deleted.get(index).copied();
            }
        }
        namespace.child(directory, name).map(Child::INode)
    }

    fn is_sorted(&self, list: &[Child]) -> bool {
        let name = |child: &Child| self.namespace.child_name(*child);
        list.is_sorted_by(|a, b| compare_names(name(a), name(b)).is_lt())
    }

    pub(super) fn reference(&self, number: u32) -> Result<Child, String> {
        let known = self.references.get(number as usize).copied();
        known.ok_or_else(|| format!("the reference {number} is missing"))
    }

    /// What image and snapshots show must be all that there is; a path to `/` must end.
    pub(super) fn check_reached(&self) -> Result<(), String> {
        let namespace = &self.namespace;
        let mut seen = hdfs_types::FastSet::default();
        let mut waiting = vec![Slot::ROOT];
        let mut reached = 0;
        while let Some(slot) = waiting.pop() {
            if namespace.record(slot).has(Flag::Referenced) && !seen.insert(slot) {
                continue;
            }
            reached += 1;
            if !namespace.record(slot).is_directory() {
                continue;
            }
            waiting.extend(namespace.children_of(slot).iter());
            let deleted = namespace.directory_diffs(slot).iter().flat_map(|diff| &diff.deleted);
            waiting.extend(deleted.map(|child| match child {
                Child::INode(slot) => *slot,
                Child::Name(number) => namespace.snapshots.names.get(*number).inode,
            }));
        }
        let unreachable = namespace.counts.inodes() - reached;
        if unreachable > 0 {
            return Err(format!("{unreachable} inodes are in no directory"));
        }
        // Only a reference can close a circle: everything else is in one place and was reached from `/`.
        for slot in seen {
            if namespace.ancestry(slot).nth(MAX_DEPTH).is_some() {
                let id = namespace.record(slot).id();
                return Err(format!("the directory of inode {id} is below itself"));
            }
        }
        Ok(())
    }
}
