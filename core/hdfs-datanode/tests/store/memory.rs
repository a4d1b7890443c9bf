//! A disk in memory that loses what was not synced, and on which syncs and renames may fail; and a pool over it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hdfs_datanode::files::{BlockFile, FileName, Folders, NotSynced, Part};
use hdfs_datanode::startup::{FolderContents, Inventory};
use hdfs_datanode::store::{self, Store};
use hdfs_datanode::{Place, Replica, ReplicaMap, VolumeIndex, WriterId, files, layout};
use hdfs_types::{Block, BlockId, BlockPoolId, Error, ErrorKind, ExtendedBlock, Result};

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Content {
    pub(crate) durable: Vec<u8>,
    pub(crate) pending: Vec<Change>,
}

impl Content {
    /// With those changes that `keep` has a bit for.
    pub(crate) fn with(&self, keep: u64) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (index, change) in self.pending.iter().enumerate() {
            if keep >> index & 1 == 0 {
                continue;
            }
            match change {
                Change::Write(at, new) => {
                    bytes.resize(bytes.len().max(at + new.len()), 0);
                    bytes[*at..at + new.len()].copy_from_slice(new);
                }
                Change::Cut(length) => bytes.resize(*length, 0),
            }
        }
        bytes
    }

    fn now(&self) -> Vec<u8> {
        self.with(u64::MAX)
    }
}

#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) files: BTreeMap<String, Content>,
    pub(crate) syncs_fail: bool,
    /// So many renames succeed.
    pub(crate) renames_left: Option<u32>,
    pub(crate) syncs: u32,
}

#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Rc<RefCell<Disk>>);

/// An open file, by the name that it has.
pub(crate) struct MemoryFile {
    disk: Shared,
    name: String,
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::DiskError, format!("{what}: no"))
}

impl MemoryFile {
    pub(crate) fn content<T>(&self, work: impl FnOnce(&mut Content) -> T) -> T {
        work(self.disk.0.borrow_mut().files.get_mut(&self.name).unwrap())
    }

    fn change(&self, change: Change) {
        self.content(|content| content.pending.push(change));
    }
}

impl BlockFile for MemoryFile {
    fn length(&self) -> Result<u64> {
        Ok(self.content(|content| content.now().len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        let bytes = self.content(|content| content.now());
        let from = bytes.len().min(usize::try_from(at).unwrap());
        let count = buffer.len().min(bytes.len() - from);
        buffer[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> Result<()> {
        self.change(Change::Write(usize::try_from(at).unwrap(), bytes.to_vec()));
        Ok(())
    }

    fn cut(&self, length: u64) -> Result<()> {
        self.change(Change::Cut(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync(&self) -> Result<(), NotSynced> {
        self.disk.0.borrow_mut().syncs += 1;
        let fails = self.disk.0.borrow().syncs_fail;
        self.content(|content| {
            if !fails {
                content.durable = content.now();
            }
            content.pending.clear();
        });
        if fails { Err(NotSynced(refused("sync"))) } else { Ok(()) }
    }

    fn forget_cached(&self) {}

    fn shown(&self) -> String {
        self.name.clone()
    }
}

pub(crate) fn path(name: &FileName) -> String {
    let (data, meta) = layout::file_names(&name.block);
    format!("{:?}/{}", name.place, if name.part == Part::Data { data } else { meta })
}

impl Shared {
    /// A disk with one file.
    pub(crate) fn file(name: &str, durable: Vec<u8>) -> MemoryFile {
        let disk = Self::default();
        let content = Content { durable, pending: Vec::new() };
        disk.0.borrow_mut().files.insert(name.to_owned(), content);
        MemoryFile { disk, name: name.to_owned() }
    }
}

impl Folders for Shared {
    type File = MemoryFile;

    fn create(&self, name: &FileName) -> Result<MemoryFile> {
        let old = self.0.borrow_mut().files.insert(path(name), Content::default());
        assert!(old.is_none(), "{} exists", path(name));
        self.open_to_change(name)
    }

    fn open_to_change(&self, name: &FileName) -> Result<MemoryFile> {
        let name = path(name);
        if !self.0.borrow().files.contains_key(&name) {
            return Err(Error::new(ErrorKind::FileNotFound, name));
        }
        Ok(MemoryFile { disk: self.clone(), name })
    }

    fn length(&self, name: &FileName) -> Option<u64> {
        self.0.borrow().files.get(&path(name)).map(|of| of.now().len() as u64)
    }

    fn rename(&self, from: &FileName, to: &FileName) -> Result<()> {
        let disk = &mut *self.0.borrow_mut();
        if let Some(left) = &mut disk.renames_left {
            *left = left.checked_sub(1).ok_or_else(|| refused("rename"))?;
        }
        let content = disk.files.remove(&path(from)).unwrap();
        disk.files.insert(path(to), content);
        Ok(())
    }

    fn copy(&self, from: &FileName, to: &FileName) -> Result<()> {
        let bytes = self.0.borrow().files.get(&path(from)).unwrap().now();
        self.create(to)?.write_at(&bytes, 0)
    }

    fn remove(&self, name: &FileName) -> Result<()> {
        self.0.borrow_mut().files.remove(&path(name));
        Ok(())
    }

    fn make_finalized_folder(&self, _: BlockId) -> Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: Place, _: BlockId) -> Result<(), NotSynced> {
        let disk = &mut *self.0.borrow_mut();
        disk.syncs += 1;
        if disk.syncs_fail { Err(NotSynced(refused("sync folder"))) } else { Ok(()) }
    }

    fn add_used(&self, _: i64) {}

    fn note(&self, _: &str, _: &Error) {}
}

#[derive(Default)]
pub(crate) struct OneShard {
    pub(crate) map: ReplicaMap,
    begun: u64,
}

impl store::Shard for OneShard {
    fn map(&mut self) -> &mut ReplicaMap {
        &mut self.map
    }

    fn forget_open(&mut self, _: BlockId) {}

    fn begin_writer(&mut self) -> WriterId {
        self.begun += 1;
        WriterId(self.begun)
    }

    fn cut_writer(&mut self, _: WriterId) {}
}

#[derive(Default)]
pub(crate) struct Pool {
    pub(crate) folders: Shared,
    pub(crate) shard: RefCell<OneShard>,
}

impl Store for Pool {
    type Shard = OneShard;
    type Folders = Shared;

    fn with_shard<T>(&self, _: BlockId, work: impl FnOnce(&mut OneShard) -> T) -> T {
        work(&mut self.shard.borrow_mut())
    }

    fn folders(&self, _: VolumeIndex) -> &Shared {
        &self.folders
    }

    fn stop_writer(&self, id: BlockId, writer: WriterId) -> Result<()> {
        self.shard.borrow_mut().map.get_mut(id).unwrap().release(writer);
        Ok(())
    }

    fn extended(&self, block: Block) -> ExtendedBlock {
        ExtendedBlock { pool: BlockPoolId::from("BP-1"), block }
    }
}

impl Pool {
    /// Every file.
    pub(crate) fn names(&self) -> Vec<String> {
        self.folders.0.borrow().files.keys().cloned().collect()
    }

    /// Reads the folders as a start does, and empties `tmp`.
    pub(crate) fn scan(&self) -> Vec<Replica> {
        let mut inventory = Inventory::new(VolumeIndex(0));
        for place in [Place::Finalized, Place::Rbw, Place::Tmp] {
            let mut contents = FolderContents::default();
            let folder = format!("{place:?}/");
            for (name, content) in &self.folders.0.borrow().files {
                if let Some(name) = name.strip_prefix(&folder) {
                    contents.note(name, || Ok(content.now().len() as u64)).unwrap();
                }
            }
            inventory.add(place, &contents);
        }
        let found = inventory.take(&self.folders, files::waiting_length).unwrap();
        self.folders.0.borrow_mut().files.retain(|name, _| !name.starts_with("Tmp/"));
        found.replicas
    }
}
