//! Saving snapshots: SNAPSHOT, SNAPSHOT_DIFF and INODE_REFERENCE.
//!
//! References have no ids: they are numbered as directories and diffs name them, so the section that holds them comes last.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.snapshot.FSImageFormatPBSnapshot.Saver (3.5.0)

use std::io::{self, Write};

use hdfs_format::fsimage::{ImageWriter, SectionName, StringTable};
use hdfs_proto::hdfs::{BlockProto, fsimage as pb};
use hdfs_types::Block;
use pb::snapshot_diff_section as diff;

use crate::image::copies::{directory_message, file_message};
use crate::image::features::{intern_acl, intern_xattrs};
use crate::namespace::Namespace;
use crate::snapshot::model::{Child, DirectoryDiff, FileDiff};
use crate::store::record::{Flag, Slot};

/// References in the order in which they were named.
#[derive(Debug, Default)]
pub(super) struct References(Vec<Child>);

impl References {
    /// The number of the next reference.
    pub(super) fn add(&mut self, reference: Child) -> u32 {
        self.0.push(reference);
        (self.0.len() - 1) as u32
    }
}

impl Namespace {
    /// Names in what snapshots keep get their numbers. In the order of ids, so that equal trees give equal images.
    pub(super) fn intern_snapshot_names(&self, slots: &[Slot], names: &mut StringTable) {
        for slot in slots {
            let snapshots = self.snapshots.snapshottable.get(slot);
            let roots =
                snapshots.iter().flat_map(|feature| &feature.snapshots).map(|known| &known.root);
            let copies = self.directory_diffs(*slot).iter().filter_map(|diff| diff.copy.as_deref());
            for copy in roots.chain(copies) {
                intern_acl(&copy.acl, names);
                intern_xattrs(&copy.xattrs, names);
            }
            let files = self.snapshots.file_diffs.get(slot);
            for copy in
                files.iter().flat_map(|feature| &feature.diffs).filter_map(|d| d.copy.as_ref())
            {
                intern_acl(&copy.acl, names);
                intern_xattrs(&copy.xattrs, names);
            }
        }
    }

    pub(super) fn save_snapshots<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        names: &StringTable,
    ) -> io::Result<()> {
        writer.message(&pb::SnapshotSection {
            snapshot_counter: Some(self.snapshots.counter.cast_unsigned()),
            snapshottable_dir: self.snapshots.order.iter().map(|id| id.0).collect(),
            num_snapshots: Some(self.snapshots.count),
        })?;
        for id in &self.snapshots.order {
            let slot = self.index.get(id.0).map(Slot);
            let Some(feature) = slot.and_then(|slot| self.snapshots.snapshottable.get(&slot))
            else {
                continue;
            };
            for snapshot in &feature.snapshots {
                let root = pb::i_node_section::INode {
                    r#type: pb::i_node_section::i_node::Type::Directory as i32,
                    id: id.0,
                    name: Some(snapshot.root.name.to_vec().into()),
                    file: None,
                    directory: Some(directory_message(&snapshot.root, names)),
                    symlink: None,
                };
                writer.message(&pb::snapshot_section::Snapshot {
                    snapshot_id: Some(snapshot.id.0.cast_unsigned()),
                    root: Some(root),
                })?;
            }
        }
        writer.end_section(SectionName::Snapshot)
    }

    /// The diffs of an inode, latest first.
    pub(super) fn save_diffs<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        slot: Slot,
        references: &mut References,
        names: &StringTable,
    ) -> io::Result<()> {
        // As Hadoop: where snapshots may be taken there is an entry, even if it is empty.
        if !self.record(slot).has(Flag::Diffs) && self.snapshots_of(slot).is_none() {
            return Ok(());
        }
        let id = Some(self.record(slot).id().0);
        let entry = |kind: diff::diff_entry::Type, count: usize| diff::DiffEntry {
            r#type: kind as i32,
            inode_id: id,
            num_of_diff: Some(count as u32),
        };
        if let Some(feature) = self.snapshots.file_diffs.get(&slot) {
            writer.message(&entry(diff::diff_entry::Type::Filediff, feature.diffs.len()))?;
            for file in feature.diffs.iter().rev() {
                writer.message(&file_diff(file, names))?;
            }
        }
        if self.record(slot).is_directory() {
            let diffs = self.directory_diffs(slot);
            writer.message(&entry(diff::diff_entry::Type::Directorydiff, diffs.len()))?;
            for directory in diffs.iter().rev() {
                writer.message(&self.directory_diff(directory, references, names))?;
                for created in &directory.created {
                    let name = Some(self.child_name(*created).to_vec().into());
                    writer.message(&diff::CreatedListEntry { name })?;
                }
            }
        }
        Ok(())
    }

    fn directory_diff(
        &self,
        directory: &DirectoryDiff,
        references: &mut References,
        names: &StringTable,
    ) -> diff::DirectoryDiff {
        let copy = directory.copy.as_deref().filter(|_| !directory.is_root);
        let mut message = diff::DirectoryDiff {
            snapshot_id: Some(directory.snapshot.0.cast_unsigned()),
            children_size: Some(directory.children_size),
            is_snapshot_root: Some(directory.is_root),
            name: copy.map(|copy| copy.name.to_vec().into()),
            snapshot_copy: copy.map(|copy| directory_message(copy, names)),
            created_list_size: Some(directory.created.len() as u32),
            deleted_i_node: Vec::new(),
            deleted_i_node_ref: Vec::new(),
        };
        for deleted in &directory.deleted {
            match deleted {
                Child::INode(slot) if !self.record(*slot).has(Flag::Referenced) => {
                    message.deleted_i_node.push(self.record(*slot).id().0);
                }
                reference => message.deleted_i_node_ref.push(references.add(*reference)),
            }
        }
        message
    }

    pub(super) fn save_references<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        references: &References,
    ) -> io::Result<()> {
        for reference in &references.0 {
            let message = match reference {
                Child::INode(slot) => {
                    let dst = self.snapshots.references.get(slot).and_then(|known| known.dst);
                    pb::i_node_reference_section::INodeReference {
                        referred_id: Some(self.record(*slot).id().0),
                        dst_snapshot_id: Some(dst.unwrap_or_default().0.cast_unsigned()),
                        ..Default::default()
                    }
                }
                Child::Name(number) => {
                    let known = self.snapshots.names.get(*number);
                    pb::i_node_reference_section::INodeReference {
                        referred_id: Some(self.record(known.inode).id().0),
                        name: Some(known.name.to_vec().into()),
                        last_snapshot_id: Some(known.last_snapshot.0.cast_unsigned()),
                        dst_snapshot_id: None,
                    }
                }
            };
            writer.message(&message)?;
        }
        writer.end_section(SectionName::InodeReference)
    }
}

fn file_diff(file: &FileDiff, names: &StringTable) -> diff::FileDiff {
    let block = |block: &Block| BlockProto {
        block_id: block.id.0.cast_unsigned(),
        gen_stamp: block.generation_stamp.0,
        num_bytes: Some(block.num_bytes),
    };
    diff::FileDiff {
        snapshot_id: Some(file.snapshot.0.cast_unsigned()),
        file_size: Some(file.size),
        name: file.copy.as_ref().map(|copy| copy.name.to_vec().into()),
        snapshot_copy: file.copy.as_ref().map(|copy| file_message(copy, names)),
        blocks: file.blocks.iter().flatten().map(block).collect(),
    }
}
