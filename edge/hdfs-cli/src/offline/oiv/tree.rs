//! Who is whose parent in an image, and the paths that follow from it.
//!
//! Both are tables by inode id: in memory, or in files of a folder (`-t`) for images whose ids outgrow memory.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.PBImageTextWriter (3.5.0), which keeps its tables in LevelDB

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hdfs_format::fsimage::{INodeKind, INodeRecord, Image, Messages, SectionName};
use hdfs_proto::hdfs::fsimage::i_node_directory_section::DirEntry;
use hdfs_proto::hdfs::fsimage::i_node_reference_section::INodeReference;
use hdfs_rt::mapped::MappedTable;
use hdfs_types::INodeId;

use super::Failure;

/// The id of `/`, and the first of all.
pub(super) const ROOT: u64 = 16_385;
/// Longest way up to the root. Hadoop allows 1,000 components; a longer way is a loop.
const MAX_DEPTH: usize = 10_000;
/// Paths that are kept when the tables are in files, as many as Hadoop keeps.
const KEPT_PATHS: usize = 16 * 1024;

/// Numbers by inode id. 0 is none.
struct IdTable {
    dense: Dense,
    /// Ids outside of `dense`.
    rest: HashMap<u64, u64>,
}

enum Dense {
    Memory(Vec<u64>),
    File(MappedTable),
}

impl IdTable {
    fn get(&self, id: u64) -> u64 {
        let entries: &[u64] = match &self.dense {
            Dense::Memory(entries) => entries,
            Dense::File(table) => table,
        };
        match index(id).and_then(|index| entries.get(index)) {
            Some(value) => *value,
            None => self.rest.get(&id).copied().unwrap_or_default(),
        }
    }

    /// Sets a number; gives back the one before.
    fn set(&mut self, id: u64, value: u64) -> u64 {
        let entries: &mut [u64] = match &mut self.dense {
            Dense::Memory(entries) => entries,
            Dense::File(table) => table,
        };
        match index(id).and_then(|index| entries.get_mut(index)) {
            Some(entry) => std::mem::replace(entry, value),
            None => self.rest.insert(id, value).unwrap_or_default(),
        }
    }
}

fn index(id: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(ROOT)?).ok()
}

/// Where tables are made.
struct Tables {
    /// Ids from the root to the last one.
    ids: u64,
    /// Bytes of the inode section.
    section_bytes: u64,
    folder: Option<Folder>,
}

/// The folder of `-t`: made by us, and deleted with the tables.
struct Folder(PathBuf);

impl Folder {
    fn create(path: &str) -> Result<Self, Failure> {
        let folder = Path::new(path);
        if folder.exists() {
            let remedy = "Delete manually or provide another (not existing) directory!";
            return Err(Failure::Io(format!("Folder {path} already exists! {remedy}")));
        }
        std::fs::create_dir_all(folder)
            .map_err(|_| Failure::Io(format!("Failed to mkdir on {path}")))?;
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the way of nobody but the next run, which says so.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Tables {
    fn table(&self, name: &str) -> Result<IdTable, Failure> {
        let in_file = |error: io::Error| {
            let path = self.folder.as_ref().map(|folder| folder.0.join(name)).unwrap_or_default();
            Failure::file(&path, &error)
        };
        let dense = match &self.folder {
            Some(folder) => {
                let table = MappedTable::create(&folder.0.join(name), self.ids);
                Dense::File(table.map_err(in_file)?)
            }
            // An inode takes some eighty bytes of its section: ids with wide gaps are kept by hash.
            None if self.ids * 4 > self.section_bytes + (1 << 20) => Dense::Memory(Vec::new()),
            None => Dense::Memory(vec![0; usize::try_from(self.ids).unwrap_or_default()]),
        };
        Ok(IdTable { dense, rest: HashMap::new() })
    }
}

/// The inodes of an image with their parents.
pub(super) struct Tree<'a> {
    inodes: Messages<'a>,
    count: u64,
    references: Vec<u64>,
    /// Where the message of an inode starts in the section, plus one.
    nodes: IdTable,
    parents: IdTable,
    kept_paths: usize,
    // Dropped last: it deletes the files of the tables.
    _folder: Option<Folder>,
}

impl<'a> Tree<'a> {
    /// Reads the ids of all inodes; parents come with [`link`](Self::link). `temp` is empty for tables in memory.
    pub(super) fn read(image: &'a Image<'a>, temp: &str) -> Result<Self, Failure> {
        let folder = if temp.is_empty() { None } else { Some(Folder::create(temp)?) };
        let references = references(image)?;
        let (head, inodes) = image.inodes()?;
        let section = image.section(SectionName::Inode);
        let tables = Tables {
            ids: head.last_inode_id().saturating_sub(ROOT).saturating_add(1),
            section_bytes: section.map_or(0, |section| section.bytes().len() as u64),
            folder,
        };
        let (nodes, parents) = (tables.table("nodes")?, tables.table("parents")?);
        let kept_paths = if tables.folder.is_some() { KEPT_PATHS } else { usize::MAX };
        let count = head.num_inodes();
        let _folder = tables.folder;
        let mut tree = Self { inodes, count, references, nodes, parents, kept_paths, _folder };
        tree.index()?;
        Ok(tree)
    }

    fn index(&mut self) -> Result<(), Failure> {
        let mut messages = self.inodes;
        for _ in 0..self.count {
            let position = messages.position();
            let bytes = messages.next_bytes()?.ok_or(Failure::Ended)?;
            let id = INodeRecord::id_of(bytes).map_err(|reason| messages.damaged(reason))?;
            if self.nodes.set(id.0, position as u64 + 1) != 0 {
                let text = format!("two inodes have the id {}", id.0);
                return Err(Failure::uncaught("java.lang.IllegalStateException", text));
            }
        }
        Ok(())
    }

    /// Reads the entries of directories. `see` is told of each before it is linked.
    pub(super) fn link(
        &mut self,
        image: &Image<'a>,
        mut see: impl FnMut(&Self, &DirEntry),
    ) -> Result<(), Failure> {
        let mut messages = image.messages(SectionName::InodeDir);
        while let Some(entry) = messages.next_message::<DirEntry>()? {
            see(self, &entry);
            let parent = entry.parent();
            for child in &entry.children {
                self.put_child(parent, *child)?;
            }
            for reference in &entry.ref_children {
                let child = self.reference(*reference)?;
                self.put_child(parent, child)?;
            }
        }
        Ok(())
    }

    fn put_child(&mut self, parent: u64, child: u64) -> Result<(), Failure> {
        if self.parents.set(child, parent) == 0 {
            return Ok(());
        }
        let text = format!("inode {child} is in two directories");
        Err(Failure::uncaught("java.lang.IllegalStateException", text))
    }

    /// The inode that a reference stands for.
    pub(super) fn reference(&self, number: u32) -> Result<u64, Failure> {
        let found = usize::try_from(number).ok().and_then(|number| self.references.get(number));
        found.copied().ok_or_else(|| {
            let length = self.references.len();
            let text = format!("index ({number}) must be less than size ({length})");
            Failure::uncaught("java.lang.IndexOutOfBoundsException", text)
        })
    }

    /// What every reference stands for.
    pub(super) fn references(&self) -> &[u64] {
        &self.references
    }

    /// The messages of all inodes.
    pub(super) fn inodes(&self) -> Messages<'a> {
        self.inodes
    }

    /// How many inodes the image says that it has.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// True when the inode section has this id.
    pub(super) fn has(&self, id: u64) -> bool {
        self.nodes.get(id) != 0
    }

    /// The inode with this id.
    pub(super) fn inode(&self, id: u64) -> Result<Option<INodeRecord<'a>>, Failure> {
        let Some(position) = self.nodes.get(id).checked_sub(1) else { return Ok(None) };
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        Ok(self.inodes.at(position).next_inode()?)
    }

    /// The id of the parent, if a directory lists the inode.
    pub(super) fn parent(&self, id: u64) -> Option<u64> {
        Some(self.parents.get(id)).filter(|parent| *parent != 0)
    }

    /// The name of a directory; none for anything else.
    pub(super) fn directory_name(&self, id: u64) -> Result<Option<String>, Failure> {
        let inode = self.inode(id)?.filter(|inode| matches!(inode.kind, INodeKind::Directory(_)));
        Ok(inode.map(|inode| String::from_utf8_lossy(inode.name).into_owned()))
    }

    /// Paths, with a memory of its own: one for each thread.
    pub(super) fn paths(&self) -> Paths<'_, 'a> {
        Paths { tree: self, known: HashMap::new(), last: (0, None) }
    }
}

fn references(image: &Image<'_>) -> Result<Vec<u64>, Failure> {
    let mut messages = image.messages(SectionName::InodeReference);
    let mut references = Vec::new();
    while let Some(reference) = messages.next_message::<INodeReference>()? {
        references.push(reference.referred_id());
    }
    Ok(references)
}

/// The paths of directories.
pub(super) struct Paths<'t, 'a> {
    tree: &'t Tree<'a>,
    known: HashMap<u64, Option<Rc<str>>>,
    /// The directory that was asked for last, and its path: neighbours in an image are often siblings.
    last: (u64, Option<Rc<str>>),
}

impl Paths<'_, '_> {
    /// The path of the directory that lists an inode; none for what only snapshots hold.
    pub(super) fn of_parent(&mut self, id: INodeId) -> Result<Option<Rc<str>>, Failure> {
        if id.0 == ROOT {
            return Ok(Some("/".into()));
        }
        match self.tree.parent(id.0) {
            Some(parent) if parent == self.last.0 => Ok(self.last.1.clone()),
            Some(parent) => {
                self.last = (parent, self.of_directory(parent)?);
                Ok(self.last.1.clone())
            }
            None => Ok(None),
        }
    }

    fn of_directory(&mut self, id: u64) -> Result<Option<Rc<str>>, Failure> {
        if let Some(path) = self.known.get(&id) {
            return Ok(path.clone());
        }
        let mut way = Vec::new();
        let mut at = id;
        let mut path = loop {
            if let Some(path) = self.known.get(&at) {
                break path.clone();
            }
            let Some(name) = self.tree.directory_name(at)? else { break None };
            if at == ROOT {
                break Some("/".into());
            }
            way.push((at, name));
            if way.len() > MAX_DEPTH {
                let text = format!("the parents of inode {id} form a loop");
                return Err(Failure::uncaught("java.lang.StackOverflowError", text));
            }
            match self.tree.parent(at) {
                Some(parent) => at = parent,
                None => break None,
            }
        };
        if self.known.len().saturating_add(way.len()) > self.tree.kept_paths {
            self.known.clear();
        }
        for (directory, name) in way.into_iter().rev() {
            path = path.map(|parent| join(&parent, &name).into());
            self.known.insert(directory, path.clone());
        }
        Ok(path)
    }
}

/// A name below a path. Hadoop: Path, for which an empty name is the root.
pub(super) fn join(parent: &str, name: &str) -> String {
    match (parent, name) {
        (_, "") => "/".to_owned(),
        ("/" | "", name) => format!("/{name}"),
        (parent, name) => format!("{parent}/{name}"),
    }
}
