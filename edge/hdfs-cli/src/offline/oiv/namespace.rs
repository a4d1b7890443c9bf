//! The namespace of an image, asked by path.
//!
//! Fields of JSON are in the order of Java's hash tables.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.FSImageLoader (3.5.0)

use std::collections::HashMap;

use hdfs_format::fsimage::{
    DirectoryRecord, FileRecord, INodeKind, INodeRecord, Image, Messages, NameTable,
    PackedPermission, SectionName, StringTable, acl_entries, x_attrs,
};
use hdfs_format::storage_dir::Corrupt;
use hdfs_format::webhdfs::{self, Fields, object};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::fsimage::i_node_directory_section::DirEntry;
use hdfs_types::{Error, ErrorKind, Result};

use super::Failure;
use super::tree::{ROOT, Tree};

/// An image and where things are in it.
pub(super) struct Namespace<'a> {
    tree: Tree<'a>,
    names: StringTable,
    directories: Messages<'a>,
    /// Where the entry of a directory that has children starts.
    entries: HashMap<u64, usize>,
}

impl<'a> Namespace<'a> {
    pub(super) fn load(image: &'a Image<'a>) -> std::result::Result<Self, Failure> {
        let tree = Tree::read(image, "")?;
        let names = image.string_table()?;
        let directories = image.messages(SectionName::InodeDir);
        let (mut messages, mut entries) = (directories, HashMap::new());
        loop {
            let position = messages.position();
            let Some(entry) = messages.next_message::<DirEntry>()? else { break };
            entries.insert(entry.parent(), position);
        }
        Ok(Self { tree, names, directories, entries })
    }

    /// GETFILESTATUS.
    pub(super) fn file_status(&self, path: &str) -> Result<String> {
        let inode = self.lookup(path)?;
        let mut status = String::new();
        self.write_status(&mut status, &inode, "")?;
        Ok(format!("{{\"FileStatus\":\n{status}\n}}\n"))
    }

    /// LISTSTATUS.
    pub(super) fn list_status(&self, path: &str) -> Result<String> {
        let inode = self.lookup(path)?;
        let mut out = String::from("{\"FileStatuses\":{\"FileStatus\":[\n");
        if matches!(inode.kind, INodeKind::Directory(_)) {
            for (index, child) in self.children(inode.id.0)?.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let child = self.inode(child)?;
                self.write_status(&mut out, &child, &String::from_utf8_lossy(child.name))?;
            }
        } else {
            self.write_status(&mut out, &inode, "")?;
        }
        out.push_str("\n]}}\n");
        Ok(out)
    }

    /// GETACLSTATUS.
    pub(super) fn acl_status(&self, path: &str) -> Result<String> {
        let inode = self.lookup(path)?;
        let (acl, packed) = match &inode.kind {
            INodeKind::File(file) => (file.acl, file.permission),
            INodeKind::Directory(directory) => (directory.acl, directory.permission),
            INodeKind::Symlink(link) => (None, link.permission),
        };
        let permission = PackedPermission::unpack(packed);
        let entries = match acl {
            Some(encoded) => acl_entries(encoded, &self.names).map_err(damaged)?,
            None => Vec::new(),
        };
        let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
        Ok(webhdfs::acl_status(&p::AclStatusProto {
            owner: name(self.name(NameTable::User, permission.user)),
            group: name(self.name(NameTable::Group, permission.group)),
            sticky: permission.mode.sticky(),
            entries,
            permission: Some(p::FsPermissionProto { perm: u32::from(permission.mode.0) }),
        }))
    }

    /// GETXATTRS: all of them, or those with the given names.
    pub(super) fn x_attrs(&self, path: &str, names: &[&str], encoding: &str) -> Result<String> {
        let all = self.attributes(path)?;
        let chosen = match (&all, names) {
            (Some(all), [_, ..]) => {
                names.iter().map(|name| find(all, name)).collect::<Result<_>>()?
            }
            (None, [_, ..]) => {
                return Err(null("java.util.List.iterator()", "xAttrs"));
            }
            _ => all.unwrap_or_default(),
        };
        let encoding = encoding.to_uppercase();
        if !["", "TEXT", "HEX", "BASE64"].contains(&encoding.as_str()) {
            let text = format!("No enum constant org.apache.hadoop.fs.XAttrCodec.{encoding}");
            return Err(Error::new(ErrorKind::IllegalArgument, text));
        }
        if names.is_empty() && matches!(self.lookup(path)?.kind, INodeKind::Symlink(_)) {
            return Ok("{\"XAttrs\":null}".to_owned());
        }
        Ok(webhdfs::xattrs(&chosen, &encoding))
    }

    /// LISTXATTRS.
    pub(super) fn x_attr_names(&self, path: &str) -> Result<String> {
        match self.attributes(path)? {
            Some(attributes) => Ok(webhdfs::xattr_names(&attributes)),
            None => Err(null("java.util.List.size()", "xAttrs")),
        }
    }

    /// GETCONTENTSUMMARY.
    pub(super) fn content_summary(&self, path: &str) -> Result<String> {
        let inode = self.lookup(path)?;
        let mut sum = Sum::default();
        let (quota, space_quota) = match &inode.kind {
            INodeKind::Directory(directory) => {
                self.add_directory(inode.id.0, &mut sum)?;
                (directory.ns_quota, directory.ds_quota)
            }
            INodeKind::File(file) => {
                sum.add_file(file);
                (-1, -1)
            }
            INodeKind::Symlink(_) => {
                sum.files = 1;
                (-1, -1)
            }
        };
        let mut out = String::from("{\"ContentSummary\":\n");
        object(&mut out, |fields| {
            fields.plain("directoryCount", sum.directories);
            fields.plain("quota", quota);
            fields.plain("length", sum.length);
            fields.plain("spaceConsumed", sum.space);
            fields.plain("fileCount", sum.files);
            fields.plain("spaceQuota", space_quota);
        });
        out.push_str("\n}\n");
        Ok(out)
    }

    fn add_directory(&self, id: u64, sum: &mut Sum) -> Result<()> {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            sum.directories += 1;
            if sum.directories > self.tree.count() {
                return Err(damaged(format!("the directories below inode {id} form a loop")));
            }
            for child in self.children(id)? {
                match &self.inode(child)?.kind {
                    INodeKind::Directory(_) => open.push(child),
                    INodeKind::File(file) => sum.add_file(file),
                    INodeKind::Symlink(_) => sum.files += 1,
                }
            }
        }
        Ok(())
    }

    /// The attributes of what a path names; none for a symbolic link.
    fn attributes(&self, path: &str) -> Result<Option<Vec<p::XAttrProto>>> {
        let encoded = match self.lookup(path)?.kind {
            INodeKind::File(FileRecord { x_attrs, .. })
            | INodeKind::Directory(DirectoryRecord { x_attrs, .. }) => x_attrs,
            INodeKind::Symlink(_) => return Ok(None),
        };
        let attributes = encoded.map(|encoded| x_attrs(encoded, &self.names).map_err(damaged));
        Ok(Some(attributes.transpose()?.unwrap_or_default()))
    }

    fn lookup(&self, path: &str) -> Result<INodeRecord<'a>> {
        let missing = || Error::new(ErrorKind::FileNotFound, path);
        let mut inode = self.inode(ROOT)?;
        for component in path.split('/').filter(|component| !component.is_empty()) {
            if !self.entries.contains_key(&inode.id.0) {
                return Err(missing());
            }
            let mut found = None;
            for child in self.children(inode.id.0)? {
                let child = self.inode(child)?;
                if String::from_utf8_lossy(child.name) == component {
                    found = Some(child);
                    break;
                }
            }
            inode = found.ok_or_else(missing)?;
        }
        Ok(inode)
    }

    fn inode(&self, id: u64) -> Result<INodeRecord<'a>> {
        let inode = self.tree.inode(id).map_err(|failure| damaged(format!("{failure:?}")))?;
        inode.ok_or_else(|| damaged(format!("inode {id} is missing")))
    }

    /// The children of a directory in the order of the image: those of its own, then references.
    fn children(&self, id: u64) -> Result<Vec<u64>> {
        let Some(position) = self.entries.get(&id) else { return Ok(Vec::new()) };
        let entry = self.directories.at(*position).next_message::<DirEntry>();
        let entry = entry.map_err(|corrupt: Corrupt| damaged(corrupt.to_string()))?;
        let entry = entry.unwrap_or_default();
        let mut children = entry.children;
        for reference in entry.ref_children {
            let child = self.tree.reference(reference);
            children.push(child.map_err(|failure| damaged(format!("{failure:?}")))?);
        }
        Ok(children)
    }

    fn name(&self, table: NameTable, id: u32) -> Option<&str> {
        self.names.name(table, id).map(|name| name.as_ref())
    }

    fn write_status(&self, out: &mut String, inode: &INodeRecord<'_>, suffix: &str) -> Result<()> {
        let kids = match inode.kind {
            INodeKind::Directory(_) => self.children(inode.id.0)?.len(),
            _ => 0,
        };
        object(out, |fields| match &inode.kind {
            INodeKind::File(file) => {
                // A striped file has no replication of its own: Hadoop shows 1.
                let replication = match file.erasure_coding_policy_id {
                    Some(_) => 1,
                    None => file.replication.unwrap_or_default().cast_signed(),
                };
                self.owner(fields, file.permission);
                fields.plain("replication", replication);
                fields.text("pathSuffix", suffix);
                fields.plain("modificationTime", file.modification_time.cast_signed());
                fields.plain("childrenNum", 0);
                fields.plain("length", length(file));
                self.mode(fields, file.permission);
                fields.text("type", "FILE");
                fields.plain("blockSize", file.preferred_block_size.cast_signed());
                fields.plain("accessTime", file.access_time.cast_signed());
                self.group(fields, file.permission);
                fields.plain("fileId", inode.id.0.cast_signed());
            }
            INodeKind::Directory(directory) => {
                self.owner(fields, directory.permission);
                fields.plain("replication", 0);
                fields.text("pathSuffix", suffix);
                fields.plain("modificationTime", directory.modification_time.cast_signed());
                fields.plain("childrenNum", kids);
                fields.plain("length", 0);
                self.mode(fields, directory.permission);
                fields.text("type", "DIRECTORY");
                fields.plain("blockSize", 0);
                fields.plain("accessTime", 0);
                self.group(fields, directory.permission);
                fields.plain("fileId", inode.id.0.cast_signed());
            }
            INodeKind::Symlink(link) => {
                self.owner(fields, link.permission);
                fields.plain("replication", 0);
                fields.plain("length", 0);
                self.mode(fields, link.permission);
                fields.text("type", "SYMLINK");
                fields.plain("blockSize", 0);
                fields.text("pathSuffix", suffix);
                fields.plain("modificationTime", link.modification_time.cast_signed());
                fields.plain("childrenNum", 0);
                fields.text("symlink", &String::from_utf8_lossy(link.target));
                fields.plain("accessTime", link.access_time.cast_signed());
                self.group(fields, link.permission);
                fields.plain("fileId", inode.id.0.cast_signed());
            }
        });
        Ok(())
    }

    fn owner(&self, fields: &mut Fields<'_>, packed: u64) {
        let user = PackedPermission::unpack(packed).user;
        text_or_null(fields, "owner", self.name(NameTable::User, user));
    }

    fn group(&self, fields: &mut Fields<'_>, packed: u64) {
        let group = PackedPermission::unpack(packed).group;
        text_or_null(fields, "group", self.name(NameTable::Group, group));
    }

    fn mode(&self, fields: &mut Fields<'_>, packed: u64) {
        let mode = PackedPermission::unpack(packed).mode;
        fields.text("permission", &format!("{:o}", mode.0));
    }
}

#[derive(Default)]
struct Sum {
    directories: u64,
    files: u64,
    length: i64,
    space: i64,
}

impl Sum {
    fn add_file(&mut self, file: &FileRecord<'_>) {
        let length = length(file);
        let replication = i64::from(file.replication.unwrap_or_default().cast_signed());
        self.files += 1;
        self.length = self.length.wrapping_add(length);
        self.space = self.space.wrapping_add(length.wrapping_mul(replication));
    }
}

fn length(file: &FileRecord<'_>) -> i64 {
    let lengths = file.blocks.iter().map(|block| block.num_bytes.cast_signed());
    lengths.fold(0, i64::wrapping_add)
}

fn text_or_null(fields: &mut Fields<'_>, field: &str, text: Option<&str>) {
    match text {
        Some(text) => fields.text(field, text),
        None => fields.plain(field, "null"),
    }
}

/// The attribute with a name like `user.colour`.
fn find(all: &[p::XAttrProto], name: &str) -> Result<p::XAttrProto> {
    let wanted = webhdfs::named_xattr(name, None)?;
    let is_it = |one: &&p::XAttrProto| one.namespace == wanted.namespace && one.name == wanted.name;
    all.iter().find(is_it).cloned().ok_or_else(|| {
        let class = "org.apache.hadoop.hdfs.protocol.XAttrNotFoundException";
        let text = "At least one of the attributes provided was not found.";
        Error::new(ErrorKind::Remote(class.into()), text)
    })
}

/// Java's NullPointerException.
fn null(call: &str, variable: &str) -> Error {
    let text = format!("Cannot invoke \"{call}\" because \"{variable}\" is null");
    Error::new(ErrorKind::NullPointer, text)
}

fn damaged(reason: String) -> Error {
    Error::new(ErrorKind::Runtime, format!("the image is damaged: {reason}"))
}
