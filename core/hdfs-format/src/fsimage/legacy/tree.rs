//! Inodes of an old image.
//!
//! ```text
//! inode       u16, name | int64 id (since -42) | i16 replication | int64 mtime | int64 atime (since -17)
//!             | int64 block size | int32 n, then by n:
//!   n >= 0    a file: n × block | file diffs (since -43) | in a deleted list: boolean open, string client, host
//!             | status
//!   n = -1    a directory: int64 names allowed | int64 bytes allowed (since -18)
//!             | boolean snapshottable, and if not: boolean with snapshots (since -43) | status
//!   n = -2    a symbolic link: text target | status
//!   n = -3    a reference: boolean by name | int32 snapshot | boolean first, then the inode, else its int64 id
//! directory   int64 id; the second time nothing more | int32 number of snapshots, n × int32 id, int32 quota; or -1
//!             | int32 n, n × inode | int32 n, n × directory diff | int32 n, n × directory
//! status      text owner | text group | i16 mode
//! ```
//! Before -30 the path takes the place of the name.

use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::constants::ROOT_INODE_ID;
use pb::i_node_reference_section::INodeReference;
use pb::i_node_section as image;
use pb::snapshot_diff_section as diff;

use super::Loader;
use super::input::{Input, Read, Status};
use super::model::{Child, Directory, File, INode, Kind, Snapshot};
use crate::layout_version::Feature;

/// Bytes that an inode takes at least.
const INODE_BYTES: usize = 24;
/// Bytes that a diff takes at least.
const DIFF_BYTES: usize = 10;
const DIRECTORY: i32 = -1;
const SYMLINK: i32 = -2;
const REFERENCE: i32 = -3;
const ROOT: u32 = 0;

/// In which list an inode is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a directory as it is.
    Current,
    /// In the deleted list of a diff.
    Deleted,
    /// It is the state of another inode in a snapshot.
    Copy,
}

enum Loaded {
    INode(INode),
    Reference { number: u32, inode: u32 },
}

impl Loader<'_> {
    /// What every snapshot's directory was.
    pub(super) fn load_snapshots(&mut self, input: &mut Input<'_>) -> Read<()> {
        self.model.snapshot_counter = input.i32("snapshot counter")?.cast_unsigned();
        let count = input.count(INODE_BYTES, "number of snapshots")?;
        for _ in 0..count {
            let id = input.i32("snapshot id")?.cast_unsigned();
            let name = self.local_name(input, false)?;
            let Loaded::INode(INode { name, kind: Kind::Directory(root), .. }) =
                self.load_inode(input, name, Place::Current)?
            else {
                return input.fail("the root of a snapshot is no directory");
            };
            self.snapshot_ids.insert(id);
            self.model.snapshots.push(Snapshot { id, name, root: directory_message(&root) });
        }
        Ok(())
    }

    pub(super) fn load_inodes(&mut self, input: &mut Input<'_>, inodes: u64) -> Read<()> {
        if !self.has(Feature::FsImageNameOptimization) {
            return self.load_paths(input, inodes);
        }
        if input.u16("name of the root")? != 0 {
            return input.fail("First node is not root");
        }
        self.load_root(input)?;
        if self.has(Feature::Snapshot) {
            return self.load_tree(input);
        }
        let mut left = inodes.saturating_sub(1);
        while left > 0 {
            let path = input.path("path of a directory")?;
            let path = self.renamed_path(input, path)?;
            let parent = self.resolve(input, &path)?;
            let children = self.load_children(input, parent)? as u64;
            let Some(rest) = left.checked_sub(children) else {
                return input.fail(format!("Read unexpect number of files: {}", children - left));
            };
            left = rest;
        }
        Ok(())
    }

    fn load_root(&mut self, input: &mut Input<'_>) -> Read<()> {
        let Loaded::INode(mut root) = self.load_inode(input, Vec::new(), Place::Current)? else {
            return input.fail("the root is a reference");
        };
        if !matches!(root.kind, Kind::Directory(_)) {
            return input.fail("the root is no directory");
        }
        root.id = ROOT_INODE_ID;
        self.add(root).or_else(|reason| input.fail(reason))?;
        Ok(())
    }

    /// Every inode comes after its path, and after its directory.
    fn load_paths(&mut self, input: &mut Input<'_>, inodes: u64) -> Read<()> {
        for _ in 0..inodes {
            let path = input.path("path")?;
            if path.is_empty() {
                self.load_root(input)?;
                continue;
            }
            let path = self.renamed_path(input, path)?;
            let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else {
                return input.fail("a path is not absolute");
            };
            let (parent, name) = path.split_at(slash);
            let name = name.get(1..).unwrap_or_default().to_vec();
            let parent = self.resolve(input, parent)?;
            let Loaded::INode(inode) = self.load_inode(input, name, Place::Current)? else {
                return input.fail("a reference is in a layout without snapshots");
            };
            let child = self.add(inode).or_else(|reason| input.fail(reason))?;
            self.put_below(parent, child).or_else(|reason| input.fail(reason))?;
        }
        if self.model.inodes.is_empty() { input.fail("the root is missing") } else { Ok(()) }
    }

    /// The directories one below the other; no deeper call for a deeper directory.
    fn load_tree(&mut self, input: &mut Input<'_>) -> Read<()> {
        let mut seen = hdfs_types::FastSet::default();
        let mut left: Vec<usize> = vec![1];
        while let Some(last) = left.last_mut() {
            let Some(rest) = last.checked_sub(1) else {
                left.pop();
                continue;
            };
            *last = rest;
            let id = input.u64("id of a directory")?;
            let directory = self.by_id.get(&id).copied();
            let Some(directory) = directory.filter(|index| self.model.directory(*index).is_some())
            else {
                return input.fail(format!("the directory {id} is missing"));
            };
            if seen.insert(directory) {
                self.load_directory(input, directory)?;
                left.push(input.count(8, "number of directories")?);
            }
        }
        Ok(())
    }

    fn load_directory(&mut self, input: &mut Input<'_>, directory: u32) -> Read<()> {
        if let Some(count) = input.optional_count(4, "number of snapshots")? {
            let ids: Vec<u32> = (0..count)
                .map(|_| input.i32("snapshot id").map(i32::cast_unsigned))
                .collect::<Read<_>>()?;
            let quota = input.i32("snapshot quota")?;
            for id in &ids {
                self.check_snapshot(input, *id)?;
            }
            // The root may always have snapshots, and is listed once it is allowed to.
            if quota > 0 {
                let id = self.model.inodes.get(directory as usize).map_or(0, |inode| inode.id);
                self.model.snapshottable.push((id, ids));
            } else if !ids.is_empty() {
                return input.fail("a directory without a quota of snapshots has some");
            }
        }
        self.load_children(input, directory)?;
        let Some(count) = input.optional_count(DIFF_BYTES, "number of diffs")? else {
            return Ok(());
        };
        let keeps = |known: &Directory| known.snapshottable || known.with_snapshots;
        if count > 0 && !self.model.directory(directory).is_some_and(keeps) {
            return input.fail("a directory without snapshots has diffs");
        }
        for _ in 0..count {
            let loaded = self.load_directory_diff(input)?;
            if let Some(known) = self.model.directory_mut(directory) {
                known.diffs.push(loaded);
            }
        }
        Ok(())
    }

    fn load_children(&mut self, input: &mut Input<'_>, parent: u32) -> Read<usize> {
        let count = input.count(INODE_BYTES, "number of children")?;
        for _ in 0..count {
            let name = self.local_name(input, parent == ROOT)?;
            let placed = match self.load_inode(input, name.clone(), Place::Current)? {
                Loaded::INode(inode) => {
                    self.add(inode).and_then(|child| self.put_below(parent, child))
                }
                Loaded::Reference { number, inode } => {
                    self.by_name.insert((parent, name), inode);
                    self.add_child(parent, Child::Reference(number))
                }
            };
            placed.or_else(|reason| input.fail(reason))?;
        }
        Ok(count)
    }

    fn load_directory_diff(
        &mut self,
        input: &mut Input<'_>,
    ) -> Read<(diff::DirectoryDiff, Vec<Vec<u8>>)> {
        let snapshot = input.i32("snapshot id")?.cast_unsigned();
        self.check_snapshot(input, snapshot)?;
        let children_size = input.i32("number of children")?.cast_unsigned();
        let is_root = input.boolean("state of the snapshot's root")?;
        let copy = match !is_root && input.boolean("state of a directory")? {
            true => Some(self.load_directory_copy(input)?),
            false => None,
        };
        let created = input.count(2, "number of created children")?;
        let created: Vec<Vec<u8>> =
            (0..created).map(|_| input.local_name()).collect::<Read<_>>()?;
        let (mut deleted_i_node, mut deleted_i_node_ref) = (Vec::new(), Vec::new());
        for _ in 0..input.count(INODE_BYTES, "number of deleted children")? {
            let name = self.local_name(input, false)?;
            match self.load_inode(input, name, Place::Deleted)? {
                Loaded::INode(inode) => {
                    deleted_i_node.push(inode.id);
                    self.add(inode).or_else(|reason| input.fail(reason))?;
                }
                Loaded::Reference { number, .. } => deleted_i_node_ref.push(number),
            }
        }
        let (name, snapshot_copy) = copy.unzip();
        let message = diff::DirectoryDiff {
            snapshot_id: Some(snapshot),
            children_size: Some(children_size),
            is_snapshot_root: Some(is_root),
            name: name.map(Into::into),
            snapshot_copy,
            created_list_size: Some(created.len() as u32),
            deleted_i_node,
            deleted_i_node_ref,
        };
        Ok((message, created))
    }

    fn load_directory_copy(
        &mut self,
        input: &mut Input<'_>,
    ) -> Read<(Vec<u8>, image::INodeDirectory)> {
        let name = self.local_name(input, false)?;
        if !self.has(Feature::OptimizeSnapshotInodes) {
            return match self.load_inode(input, name, Place::Copy)? {
                Loaded::INode(INode { name, kind: Kind::Directory(directory), .. }) => {
                    Ok((name, directory_message(&directory)))
                }
                _ => input.fail("the state of a directory in a snapshot is none"),
            };
        }
        let status = input.status()?;
        let message = image::INodeDirectory {
            permission: Some(self.model.permission(&status)),
            modification_time: Some(input.u64("modification time")?),
            ns_quota: Some(input.u64("quota of names")?),
            ds_quota: Some(input.u64("quota of bytes")?),
            ..Default::default()
        };
        Ok((name, message))
    }

    fn load_file_diffs(
        &mut self,
        input: &mut Input<'_>,
        place: Place,
    ) -> Read<Option<Vec<diff::FileDiff>>> {
        let Some(count) = input.optional_count(DIFF_BYTES, "number of diffs")? else {
            return Ok(None);
        };
        if place == Place::Copy && count > 0 {
            return input.fail("the state of a file in a snapshot has diffs");
        }
        let mut diffs = Vec::new();
        for _ in 0..count {
            let snapshot_id = input.i32("snapshot id")?.cast_unsigned();
            self.check_snapshot(input, snapshot_id)?;
            let file_size = input.u64("length of a file")?;
            let copy = match input.boolean("state of a file")? {
                true => Some(self.load_file_copy(input)?),
                false => None,
            };
            let (name, snapshot_copy) = copy.unzip();
            diffs.push(diff::FileDiff {
                snapshot_id: Some(snapshot_id),
                file_size: Some(file_size),
                name: name.map(Into::into),
                snapshot_copy,
                blocks: Vec::new(),
            });
        }
        Ok(Some(diffs))
    }

    fn load_file_copy(&mut self, input: &mut Input<'_>) -> Read<(Vec<u8>, image::INodeFile)> {
        let name = self.local_name(input, false)?;
        if !self.has(Feature::OptimizeSnapshotInodes) {
            return match self.load_inode(input, name, Place::Copy)? {
                Loaded::INode(INode { name, kind: Kind::File(file), .. }) => {
                    let copy = image::INodeFile {
                        permission: Some(file.permission),
                        modification_time: Some(file.mtime),
                        access_time: Some(file.atime),
                        replication: Some(u32::from(file.replication)),
                        preferred_block_size: Some(file.block_size),
                        ..Default::default()
                    };
                    Ok((name, copy))
                }
                _ => input.fail("the state of a file in a snapshot is none"),
            };
        }
        let status = input.status()?;
        let copy = image::INodeFile {
            permission: Some(self.model.permission(&status)),
            modification_time: Some(input.u64("modification time")?),
            access_time: Some(input.u64("access time")?),
            replication: Some(u32::from(self.replication(input)?)),
            preferred_block_size: Some(input.u64("preferred block size")?),
            ..Default::default()
        };
        Ok((name, copy))
    }

    fn load_inode(&mut self, input: &mut Input<'_>, name: Vec<u8>, place: Place) -> Read<Loaded> {
        let id = match self.has(Feature::AddInodeId) {
            true => input.u64("inode id")?,
            false => self.next_id(),
        };
        let replication = self.replication(input)?;
        let mtime = input.u64("modification time")?;
        let atime = if self.has(Feature::FileAccessTime) { input.u64("access time")? } else { 0 };
        let block_size = input.u64("preferred block size")?;
        let kind = match input.i32("number of blocks")? {
            DIRECTORY => self.load_directory_fields(input, mtime)?,
            SYMLINK => {
                let target = input.text("target of a link")?;
                let status = input.status()?;
                let permission = self.model.permission(&status);
                Kind::Symlink { permission, target, mtime, atime }
            }
            REFERENCE => return self.load_reference(input, name, place),
            count => {
                let Ok(count) = usize::try_from(count) else {
                    return input.fail(format!("Unknown inode type: numBlocks={count}"));
                };
                let blocks = input.blocks(count)?;
                let (mut diffs, mut open) = (None, None);
                if self.has(Feature::Snapshot) {
                    diffs = self.load_file_diffs(input, place)?;
                    if place != Place::Current && input.boolean("state of a file")? {
                        open = Some((input.string("client")?, input.string("host")?));
                    }
                }
                let status = input.status()?;
                let permission = self.model.permission(&status);
                Kind::File(Box::new(File {
                    replication,
                    mtime,
                    atime,
                    block_size,
                    permission,
                    blocks,
                    open,
                    diffs,
                }))
            }
        };
        Ok(Loaded::INode(INode { id, name, kind }))
    }

    fn load_directory_fields(&mut self, input: &mut Input<'_>, mtime: u64) -> Read<Kind> {
        let ns_quota = input.i64("quota of names")?;
        let ds_quota =
            if self.has(Feature::DiskspaceQuota) { input.i64("quota of bytes")? } else { -1 };
        let (mut snapshottable, mut with_snapshots) = (false, false);
        if self.has(Feature::Snapshot) {
            snapshottable = input.boolean("snapshottable")?;
            with_snapshots = !snapshottable && input.boolean("with snapshots")?;
        }
        let status: Status = input.status()?;
        Ok(Kind::Directory(Box::new(Directory {
            permission: self.model.permission(&status),
            mtime,
            ns_quota,
            ds_quota,
            snapshottable,
            with_snapshots,
            children: Vec::new(),
            diffs: Vec::new(),
        })))
    }

    fn load_reference(
        &mut self,
        input: &mut Input<'_>,
        name: Vec<u8>,
        place: Place,
    ) -> Read<Loaded> {
        if !self.has(Feature::Snapshot) || place == Place::Copy {
            return input.fail("a reference is where there can be none");
        }
        let by_name = input.boolean("kind of a reference")?;
        let snapshot = input.i32("snapshot of a reference")?.cast_unsigned();
        let inode = if input.boolean("first reference")? {
            let name = self.local_name(input, false)?;
            // A reference to a reference is not made: only one level deep.
            match self.load_inode(input, name, place)? {
                Loaded::INode(inode) => self.add(inode).or_else(|reason| input.fail(reason))?,
                Loaded::Reference { .. } => return input.fail("a reference to a reference"),
            }
        } else {
            let id = input.u64("inode id")?;
            match self.by_id.get(&id) {
                Some(inode) => *inode,
                None => return input.fail(format!("the inode {id} of a reference is missing")),
            }
        };
        let id = self.model.inodes.get(inode as usize).map(|inode| inode.id);
        let number = self.model.references.len() as u32;
        self.model.references.push(INodeReference {
            referred_id: id,
            name: by_name.then(|| name.into()),
            dst_snapshot_id: (!by_name).then_some(snapshot),
            last_snapshot_id: by_name.then_some(snapshot),
        });
        Ok(Loaded::Reference { number, inode })
    }

    fn replication(&self, input: &mut Input<'_>) -> Read<u16> {
        let stored = input.u16("replication")?.cast_signed();
        let (least, most) = (self.options.min_replication, self.options.max_replication);
        Ok(u16::try_from(stored).unwrap_or(0).clamp(least, most.max(least)))
    }

    fn local_name(&self, input: &mut Input<'_>, below_root: bool) -> Read<Vec<u8>> {
        let name = input.local_name()?;
        match self.options.names.rename_component(&name, below_root, self.layout) {
            Ok(None) => Ok(name),
            Ok(Some(new)) => Ok(new.as_bytes().to_vec()),
            Err(reason) => input.fail(reason),
        }
    }

    pub(super) fn renamed_path(&self, input: &Input<'_>, path: Vec<u8>) -> Read<Vec<u8>> {
        match self.options.names.rename(&path, self.layout) {
            Ok(renamed) => Ok(renamed.unwrap_or(path)),
            Err(reason) => input.fail(reason),
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.model.last_inode_id += 1;
        self.model.last_inode_id
    }

    /// The inode with this path.
    pub(super) fn resolve(&self, input: &Input<'_>, path: &[u8]) -> Read<u32> {
        let mut inode = ROOT;
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            inode = match self.by_name.get(&(inode, name.to_vec())) {
                Some(child) => *child,
                None => {
                    let path = String::from_utf8_lossy(path);
                    return input.fail(format!("{path} is not there"));
                }
            };
        }
        Ok(inode)
    }

    fn add(&mut self, inode: INode) -> Result<u32, String> {
        let (index, id) = (self.model.inodes.len() as u32, inode.id);
        self.model.inodes.push(inode);
        match self.by_id.insert(id, index) {
            None => Ok(index),
            Some(_) => Err(format!("inode {id} is there twice")),
        }
    }

    fn put_below(&mut self, parent: u32, child: u32) -> Result<(), String> {
        let Some(INode { id, name, .. }) = self.model.inodes.get(child as usize) else {
            return Err("an inode is missing".to_owned());
        };
        let id = *id;
        self.by_name.insert((parent, name.clone()), child);
        self.add_child(parent, Child::INode(id))
    }

    fn add_child(&mut self, parent: u32, child: Child) -> Result<(), String> {
        let directory = self.model.directory_mut(parent);
        directory.ok_or("the parent of an inode is no directory")?.children.push(child);
        Ok(())
    }

    fn check_snapshot(&self, input: &Input<'_>, id: u32) -> Read<()> {
        match self.snapshot_ids.contains(&id) {
            true => Ok(()),
            false => input.fail(format!("the snapshot {} is missing", id.cast_signed())),
        }
    }
}

fn directory_message(directory: &Directory) -> image::INodeDirectory {
    image::INodeDirectory {
        permission: Some(directory.permission),
        modification_time: Some(directory.mtime),
        ns_quota: Some(directory.ns_quota.cast_unsigned()),
        ds_quota: Some(directory.ds_quota.cast_unsigned()),
        ..Default::default()
    }
}
