//! The replicas of one simulated DataNode: lends the simulated disk to the machine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hdfs_datanode::files::{self, BlockFile, FileName, Folders, NotSynced, Part, read_spec};
use hdfs_datanode::layout;
use hdfs_datanode::startup::{FolderContents, Inventory};
use hdfs_datanode::store::Store;
use hdfs_datanode::{Place, Replica, ReplicaMap, State, VolumeIndex, WriterId, store, transition};
use hdfs_datapath::checksum;
use hdfs_format::datatransfer::PacketHeader;
use hdfs_types::{
    Block, BlockId, BlockPoolId, Error, ErrorKind, ExtendedBlock, Planted, PlantedBug, Result,
};

use super::DataNode;
use crate::disk::{Disk, Handle, Refused};
use crate::kernel::Sim;
use crate::namenode::POOL;
use crate::net::Cutter;

/// A file of the simulated disk.
#[derive(Clone)]
pub(crate) struct SimFile {
    disk: Disk,
    file: Handle,
    path: String,
}

fn explain(verb: &str, path: &str, why: Refused) -> Error {
    let kind = match why {
        Refused::NotFound => ErrorKind::FileNotFound,
        Refused::Full => ErrorKind::DiskOutOfSpace,
        Refused::Io | Refused::Exists => ErrorKind::DiskError,
    };
    Error::new(kind, format!("{verb} {path}: {why:?}"))
}

impl BlockFile for SimFile {
    fn length(&self) -> Result<u64> {
        Ok(self.disk.len(self.file))
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        Ok(self.disk.read_at(self.file, buffer, at))
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> Result<()> {
        self.disk.write_at(self.file, bytes, at).map_err(|why| explain("write", &self.path, why))
    }

    fn cut(&self, length: u64) -> Result<()> {
        self.disk.cut(self.file, length).map_err(|why| explain("truncate", &self.path, why))
    }

    fn sync(&self) -> Result<(), NotSynced> {
        let synced = self.disk.sync(self.file);
        synced.map_err(|why| NotSynced(explain("sync", &self.path, why)))
    }

    fn forget_cached(&self) {
        self.disk.forget_cached(self.file);
    }

    fn shown(&self) -> String {
        self.path.clone()
    }
}

/// The folders of the one pool on the one volume.
pub(crate) struct SimFolders {
    sim: Sim,
    pub(crate) disk: Disk,
    planted: Planted,
}

fn path(name: &FileName) -> String {
    let (data, meta) = layout::file_names(&name.block);
    DataNode::path_of(name.place, if name.part == Part::Data { &data } else { &meta })
}

impl SimFolders {
    fn file(
        &self,
        path: String,
        verb: &str,
        file: std::result::Result<Handle, Refused>,
    ) -> Result<SimFile> {
        match file {
            Ok(file) => Ok(SimFile { disk: self.disk.clone(), file, path }),
            Err(why) => Err(explain(verb, &path, why)),
        }
    }
}

impl Folders for SimFolders {
    type File = SimFile;

    fn create(&self, name: &FileName) -> Result<SimFile> {
        let path = path(name);
        let file = self.disk.create(&path, false);
        self.file(path, "create", file)
    }

    fn open_to_change(&self, name: &FileName) -> Result<SimFile> {
        let path = path(name);
        let file = self.disk.open(&path);
        self.file(path, "open", file)
    }

    fn length(&self, name: &FileName) -> Option<u64> {
        self.disk.open(&path(name)).ok().map(|file| self.disk.len(file))
    }

    fn rename(&self, from: &FileName, to: &FileName) -> Result<()> {
        let from = path(from);
        self.disk.rename(&from, &path(to)).map_err(|why| explain("move", &from, why))
    }

    fn copy(&self, from: &FileName, to: &FileName) -> Result<()> {
        let source = self.open_to_change(from)?;
        let bytes = self.disk.read(source.file);
        let path = path(to);
        let target = self.disk.create(&path, true);
        self.file(path, "copy", target)?.write_at(&bytes, 0)
    }

    fn remove(&self, name: &FileName) -> Result<()> {
        let path = path(name);
        self.disk.remove(&path).map_err(|why| explain("remove", &path, why))
    }

    fn make_finalized_folder(&self, _: BlockId) -> Result<()> {
        Ok(())
    }

    fn sync_folder(&self, place: Place, _: BlockId) -> Result<(), NotSynced> {
        if self.planted.is(PlantedBug::RenameNotSynced) && place == Place::Finalized {
            return Ok(());
        }
        let folder = DataNode::path_of(place, "");
        let folder = folder.trim_end_matches('/');
        let synced = self.disk.sync_folder(folder);
        synced.map_err(|why| NotSynced(explain("sync folder", folder, why)))
    }

    fn add_used(&self, _: i64) {}

    fn note(&self, what: &str, error: &Error) {
        self.sim.note(format_args!("{what}: {error}"));
    }
}

/// How a writer is stopped: its connections are cut.
#[derive(Clone, Default)]
pub(crate) struct Stop(Rc<RefCell<(bool, Vec<Cutter>)>>);

impl Stop {
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.borrow().0
    }

    pub(crate) fn attach(&self, cutter: Cutter) {
        if self.is_stopped() {
            cutter.cut();
        }
        self.0.borrow_mut().1.push(cutter);
    }

    pub(crate) fn cut(&self) {
        self.0.borrow_mut().0 = true;
        let cutters = self.0.borrow().1.clone();
        cutters.iter().for_each(Cutter::cut);
    }
}

/// The one shard.
#[derive(Default)]
pub(crate) struct SimShard {
    map: ReplicaMap,
    begun: u64,
    writers: BTreeMap<WriterId, Stop>,
}

impl store::Shard for SimShard {
    fn map(&mut self) -> &mut ReplicaMap {
        &mut self.map
    }

    fn forget_open(&mut self, _: BlockId) {}

    fn begin_writer(&mut self) -> WriterId {
        self.begun += 1;
        let writer = WriterId(self.begun);
        self.writers.insert(writer, Stop::default());
        writer
    }

    fn cut_writer(&mut self, writer: WriterId) {
        if let Some(stop) = self.writers.get(&writer) {
            stop.cut();
        }
    }
}

/// The one pool.
pub(crate) struct Pool {
    pub(crate) folders: SimFolders,
    shard: RefCell<SimShard>,
}

impl Store for Pool {
    type Shard = SimShard;
    type Folders = SimFolders;

    fn with_shard<T>(&self, _: BlockId, work: impl FnOnce(&mut SimShard) -> T) -> T {
        work(&mut self.shard.borrow_mut())
    }

    fn folders(&self, _: VolumeIndex) -> &SimFolders {
        &self.folders
    }

    /// A simulated writer stands still between its steps: it ends where it is.
    fn stop_writer(&self, id: BlockId, writer: WriterId) -> Result<()> {
        let stop = self.shard.borrow_mut().writers.remove(&writer);
        if let Some(stop) = stop {
            stop.cut();
        }
        if let Some(replica) = self.shard.borrow_mut().map.get_mut(id) {
            replica.release(writer);
        }
        Ok(())
    }

    fn extended(&self, block: Block) -> ExtendedBlock {
        ExtendedBlock { pool: BlockPoolId::from(POOL), block }
    }
}

/// The names of a folder.
fn contents(disk: &Disk, place: Place) -> Result<FolderContents> {
    let mut contents = FolderContents::default();
    for path in disk.list(&DataNode::path_of(place, "")) {
        let name = path.rsplit('/').next().unwrap_or_default();
        contents.note(name, || Ok(disk.open(&path).map_or(0, |file| disk.len(file))))?;
    }
    Ok(contents)
}

/// Data in one packet that a reader gets.
const PACKET_DATA: u64 = 1_024;

impl Pool {
    /// Reads the folders after a start. Copies that were in flight go.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn scan(sim: &Sim, disk: &Disk, planted: Planted) -> Result<Self> {
        let folders = SimFolders { sim: sim.clone(), disk: disk.clone(), planted };
        disk.begin_anew();
        let mut inventory = Inventory::new(DataNode::VOLUME);
        for place in [Place::Finalized, Place::Rbw, Place::Tmp] {
            inventory.add(place, &contents(disk, place)?);
        }
        let claim = |folders: &SimFolders, block: Block| match planted {
            bug if bug.is(PlantedBug::UnprovenBytesClaimed) => block.num_bytes,
            _ => files::waiting_length(folders, block),
        };
        let found = inventory.take(&folders, claim)?;
        for path in disk.list("tmp/") {
            disk.remove(&path).map_err(|why| explain("remove", &path, why))?;
        }
        let pool = Self { folders, shard: RefCell::default() };
        for replica in found.replicas {
            pool.add(replica);
        }
        Ok(pool)
    }

    fn add(&self, replica: Replica) {
        let mut shard = self.shard.borrow_mut();
        if let Some(known) = shard.map.get(replica.block.id)
            && *transition::better_duplicate(&known.block, &replica.block) == known.block
        {
            return;
        }
        shard.map.insert(replica);
    }

    /// Replicas.
    pub(crate) fn count(&self) -> usize {
        self.shard.borrow().map.iter().count()
    }

    /// True when only another start reads some replicas.
    pub(crate) fn has_failed(&self) -> bool {
        self.shard.borrow_mut().map.has_failed()
    }

    /// Every replica.
    pub(crate) fn replicas(&self) -> Vec<Replica> {
        self.shard.borrow().map.iter().cloned().collect()
    }

    /// What is known about a block.
    pub(crate) fn replica(&self, id: BlockId) -> Option<Replica> {
        self.shard.borrow().map.get(id).cloned()
    }

    /// How a writer is stopped.
    pub(crate) fn stop_of(&self, writer: WriterId) -> Stop {
        self.shard.borrow().writers.get(&writer).cloned().unwrap_or_else(|| {
            let stop = Stop::default();
            stop.cut();
            stop
        })
    }

    /// A writer ends.
    pub(crate) fn release(&self, id: BlockId, writer: WriterId) {
        let mut shard = self.shard.borrow_mut();
        shard.writers.remove(&writer);
        if let Some(replica) = shard.map.get_mut(id) {
            replica.release(writer);
        }
    }

    /// The files of a replica, opened for reading.
    pub(crate) fn files_of(&self, replica: &Replica) -> Result<(SimFile, SimFile)> {
        let [meta, data] = FileName::pair(replica.place, replica.block);
        Ok((self.folders.open_to_change(&data)?, self.folders.open_to_change(&meta)?))
    }

    /// The packets of a range: whole chunks around it, with the checksums that are on disk.
    ///
    /// # Errors
    /// When the replica is not here, older than the reader's block, or does not have the range.
    pub(crate) fn open_range(
        &self,
        block: &ExtendedBlock,
        offset: u64,
        length: u64,
    ) -> Result<Vec<Vec<u8>>> {
        let replica = self.replica(block.block.id).ok_or_else(|| transition::not_found(block))?;
        transition::check_read(&replica, block)?;
        let on_disk = replica.bytes_on_disk();
        if offset + length > on_disk {
            return Err(Error::io(format!("Need {} bytes, but only {on_disk}", offset + length)));
        }
        let (data, meta) = self.files_of(&replica)?;
        let spec = read_spec(&meta)?;
        let per = u64::from(spec.bytes_per_checksum);
        let mut at = offset - offset % per;
        let end = ((offset + length).div_ceil(per) * per).min(on_disk);
        let mut packets = Vec::new();
        let mut seqno = 0;
        while at < end {
            let size = PACKET_DATA.min(end - at);
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            files::read_exact(&data, &mut bytes, at)?;
            let mut sums = vec![0; usize::try_from(spec.checksum_bytes(size)).unwrap_or(0)];
            let sums_at = spec.meta_bytes(at);
            files::read_exact(&meta, &mut sums, sums_at)?;
            if let State::Rbw(pipeline) = &replica.state
                && let Some(sum) = pipeline.last_sum
                && at + size == on_disk
                && let Some(last) = sums.last_chunk_mut::<4>()
            {
                *last = sum.to_be_bytes();
            }
            packets.push(encode_packet(at, seqno, &sums, &bytes));
            seqno += 1;
            at += size;
        }
        Ok(packets)
    }

    /// The bytes of a replica, when its checksums prove all of them.
    pub(crate) fn proven_bytes(&self, replica: &Replica) -> Option<Vec<u8>> {
        let (data, meta) = self.files_of(replica).ok()?;
        let spec = read_spec(&meta).ok()?;
        let length = replica.bytes_on_disk();
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        files::read_exact(&data, &mut bytes, 0).ok()?;
        let mut sums = vec![0; usize::try_from(spec.checksum_bytes(length)).ok()?];
        files::read_exact(&meta, &mut sums, spec.meta_bytes(0)).ok()?;
        checksum::verify(spec, &bytes, &sums).ok()?;
        Some(bytes)
    }
}

/// One packet with data, as it is on the wire.
pub(crate) fn encode_packet(offset: u64, seqno: i64, sums: &[u8], data: &[u8]) -> Vec<u8> {
    let header = PacketHeader {
        offset_in_block: offset,
        seqno,
        last_packet_in_block: false,
        data_len: u32::try_from(data.len()).unwrap_or(0),
        sync_block: false,
    };
    let mut packet = header.encode(sums.len())[..header.encoded_len()].to_vec();
    packet.extend_from_slice(sums);
    packet.extend_from_slice(data);
    packet
}
