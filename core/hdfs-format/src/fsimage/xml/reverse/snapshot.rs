//! Snapshots and differences from XML.

use super::events::{Node, Token};
use super::inode::blocks;
use super::sections::{ints, longs};
use super::{Reverse, ReverseError};
use hdfs_proto::hdfs::fsimage as pb;
use pb::snapshot_diff_section as diff;
use std::io::Write;

impl<W: Write> Reverse<'_, W> {
    pub(super) fn snapshots(&mut self) -> Result<(), ReverseError> {
        let mut head = self.events.head("SnapshotSection fields", &["snapshot"])?;
        let missing = |name: &str| format!("No <{name}> entry found in SnapshotSection header");
        let counter = head.int("snapshotCounter")?.ok_or_else(|| missing("snapshotCounter"))?;
        let count: i32 = head.number("numSnapshots")?.ok_or_else(|| missing("numSnapshots"))?;
        let mut snapshottable_dir = Vec::new();
        for mut directories in head.all("snapshottableDir") {
            snapshottable_dir.append(&mut longs(&mut directories, "dir")?);
        }
        head.end("SnapshotSection")?;
        self.out.message(&pb::SnapshotSection {
            snapshot_counter: Some(counter),
            snapshottable_dir,
            num_snapshots: Some(count.cast_unsigned()),
        })?;
        for found in 0..count {
            let only = format!("Only read {found} <snapshot> entries out of {count}");
            let mut node = self.next_of("snapshot", "snapshot fields", &only)?;
            let id = node.int("id")?.ok_or("<snapshot> section was missing <id>")?;
            let root = node.child("root");
            let root = root.ok_or("<snapshot> section was missing <root>")?;
            let root = Some(self.names.inode(root)?);
            self.out.message(&pb::snapshot_section::Snapshot { snapshot_id: Some(id), root })?;
        }
        Ok(self.events.end_of("SnapshotSection")?)
    }

    pub(super) fn snapshot_diffs(&mut self) -> Result<(), ReverseError> {
        loop {
            match self.events.tag("[diff start tag]")? {
                Token::Start(name) if name == "dirDiffEntry" => {
                    self.diff_entry("dirDiffEntry", "dirDiff", Self::directory_diff)?;
                }
                Token::Start(name) if name == "fileDiffEntry" => {
                    self.diff_entry("fileDiffEntry", "fileDiff", Self::file_diff)?;
                }
                Token::Start(name) => {
                    let text = format!("SnapshotDiffSection contained unexpected tag {name}");
                    return Err(text.into());
                }
                Token::End(name) if name == "SnapshotDiffSection" => return Ok(()),
                other => {
                    return Err(format!("Got unexpected end tag for {}", other.name()).into());
                }
            }
        }
    }

    fn diff_entry(
        &mut self,
        tag: &str,
        element: &str,
        mut each: impl FnMut(&mut Self, Node) -> Result<(), ReverseError>,
    ) -> Result<(), ReverseError> {
        let mut head = self.events.head(&format!("{tag} fields"), &[element])?;
        let without = |name: &str| format!("<{tag}> contained no <{name}> entry.");
        let inode_id = head.long("inodeId")?.ok_or_else(|| without("inodeId"))?;
        let count: i32 = head.number("count")?.ok_or_else(|| without("count"))?;
        head.end(tag)?;
        let kind = match element {
            "dirDiff" => diff::diff_entry::Type::Directorydiff,
            _ => diff::diff_entry::Type::Filediff,
        };
        self.out.message(&diff::DiffEntry {
            r#type: kind as i32,
            inode_id: Some(inode_id),
            num_of_diff: Some(count.cast_unsigned()),
        })?;
        for found in 1..=count {
            let only = format!("Only read {found} diffs out of {count}");
            let node = self.next_of(element, &format!("{element} fields"), &only)?;
            each(self, node)?;
        }
        Ok(self.events.end_of(tag)?)
    }

    fn directory_diff(&mut self, mut node: Node) -> Result<(), ReverseError> {
        let expected = |name: &str| format!("Expected to find <{name}> in <dirDiff> section.");
        let snapshot_id = node.int("snapshotId")?;
        let children_size = node.int("childrenSize")?.ok_or_else(|| expected("childrenSize"))?;
        let is_snapshot_root = node.flag("isSnapshotRoot")?;
        let name = node.string("name")?.map(Into::into);
        let snapshot_copy = match node.child("snapshotCopy") {
            Some(mut copy) => Some(self.names.directory(&mut copy)?),
            None => None,
        };
        let count: i32 =
            node.number("createdListSize")?.ok_or_else(|| expected("createdListSize"))?;
        self.out.message(&diff::DirectoryDiff {
            snapshot_id,
            children_size: Some(children_size),
            is_snapshot_root: Some(is_snapshot_root),
            name,
            snapshot_copy,
            created_list_size: Some(count.cast_unsigned()),
            deleted_i_node: longs(&mut node, "deletedInode")?,
            deleted_i_node_ref: ints(&mut node, "deletedInoderef")?,
        })?;
        let mut found = 0;
        for mut created in node.all("created") {
            let missing = "Expected <created> entry to have a <name> field".to_owned();
            let name = created.string("name")?.ok_or(missing)?;
            created.end("created")?;
            self.out.message(&diff::CreatedListEntry { name: Some(name.into()) })?;
            found += 1;
        }
        if found != count {
            return Err(format!(
                "<createdListSize> was {count}, but there were {found} <created> entries."
            )
            .into());
        }
        Ok(node.end("dirDiff")?)
    }

    fn file_diff(&mut self, mut node: Node) -> Result<(), ReverseError> {
        let snapshot_id = node.int("snapshotId")?;
        let file_size = node.long("size")?;
        let name = node.string("name")?.map(Into::into);
        let snapshot_copy = match node.child("snapshotCopy") {
            Some(mut copy) => Some(self.names.file(&mut copy)?),
            None => None,
        };
        let blocks = blocks(&mut node)?;
        node.end("fileDiff")?;
        let file = diff::FileDiff { snapshot_id, file_size, name, snapshot_copy, blocks };
        Ok(self.out.message(&file)?)
    }
}
