//! The replicas of this DataNode and their files: performs on disk what `hdfs_datanode` decides.
//!
//! One lock a shard, chosen by block id; renames and opens of a block's files happen under its shard's lock, data and
//! fsync outside it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.FsDatasetImpl (3.5.0)

mod compare;
mod create;
mod delete;
mod health;
mod open;
mod recover;
mod scan;
mod verify;
mod volumes;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use hdfs_datanode::report::{self, BlockEvent, Event};
use hdfs_datanode::volume_choice::{VolumeChooser, VolumePolicy, VolumeSpace};
use hdfs_datanode::{Replica, ReplicaMap, VolumeIndex, WriterId, store, transition};
use hdfs_format::block_list::BlockListEncoder;
use hdfs_format::storage_dir::BlockPoolVersion;
use hdfs_types::{
    Block, BlockId, BlockPoolId, Error, ExtendedBlock, FastMap, Result, SplitMix64, StorageType,
};
use parking_lot::{Mutex, MutexGuard, RwLock};

pub(crate) use open::{OpenReplica, ReadView};
pub(crate) use verify::Verified;
pub(crate) use volumes::VolumeList;
pub(crate) use writer::{StopHandle, WriteTarget};

use super::files::VolumeFolders;
use super::random;
use super::trash::RollingUpgrade;
use super::upgrade::StartOption;
use super::volume::{PoolDirs, Volume};
use verify::Suspects;
use volumes::Slots;

const SHARDS: usize = 64;

/// Who is told about replicas that came and went: the services of the block pool's NameNodes.
pub(crate) trait BlockListener: Send + Sync {
    /// Something happened to a replica on this volume.
    fn block_event(&self, volume: VolumeIndex, event: Event);
}

#[derive(Default)]
pub(crate) struct Shard {
    map: ReplicaMap,
    /// Writers that run, to stop them.
    writers: FastMap<WriterId, Arc<StopHandle>>,
    /// Writers that ever began here.
    writers_begun: u64,
    /// Open files of finalized replicas, newest last.
    open: Vec<Arc<OpenReplica>>,
    /// Replicas that are out of the map and whose files are about to go.
    deleting: BTreeSet<BlockId>,
}

impl store::Shard for Shard {
    fn map(&mut self) -> &mut ReplicaMap {
        &mut self.map
    }

    fn forget_open(&mut self, id: BlockId) {
        self.open.retain(|open| open.block.id != id);
    }

    fn begin_writer(&mut self) -> WriterId {
        self.writers_begun += 1;
        let writer = WriterId(self.writers_begun);
        self.writers.insert(writer, Arc::default());
        writer
    }

    fn cut_writer(&mut self, writer: WriterId) {
        if let Some(handle) = self.writers.get(&writer) {
            handle.cut();
        }
    }
}

/// One block pool: the blocks of one namespace.
pub(crate) struct Pool {
    /// Its name.
    pub id: BlockPoolId,
    /// What its VERSION files say.
    pub version: BlockPoolVersion,
    volumes: Arc<VolumeList>,
    folders: Slots<VolumeFolders>,
    /// A volume that nobody could read may hold any replica.
    unread: AtomicBool,
    /// What the NameNode says about one.
    pub rolling_upgrade: Arc<RollingUpgrade>,
    option: StartOption,
    shards: Vec<Mutex<Shard>>,
    chooser: Mutex<(VolumeChooser, SplitMix64)>,
    stop_timeout: Duration,
    listeners: RwLock<Vec<Arc<dyn BlockListener>>>,
    suspects: Mutex<Suspects>,
}

/// All volumes and pools of one DataNode.
pub(crate) struct Dataset {
    /// The volumes.
    pub volumes: Arc<VolumeList>,
    /// When the DataNode started, and which folders it could not use then.
    failed_at_start: Mutex<(u64, Vec<String>)>,
    /// How this DataNode was started.
    pub option: StartOption,
    pools: RwLock<Vec<Arc<Pool>>>,
    policy: VolumePolicy,
    stop_timeout: Duration,
}

impl Dataset {
    /// Over these volumes, without pools. `failed_at_start`: folders that can't be used, and when that was.
    pub(crate) fn new(
        volumes: VolumeList,
        failed_at_start: (u64, Vec<String>),
        option: StartOption,
        policy: VolumePolicy,
        stop_timeout: Duration,
    ) -> Self {
        let (volumes, pools) = (Arc::new(volumes), RwLock::default());
        let failed_at_start = Mutex::new(failed_at_start);
        Self { volumes, failed_at_start, option, pools, policy, stop_timeout }
    }

    /// The pool of this name.
    ///
    /// # Errors
    /// When this DataNode does not serve it (yet).
    pub(crate) fn pool(&self, id: &BlockPoolId) -> Result<Arc<Pool>> {
        let pools = self.pools.read();
        let found = pools.iter().find(|pool| pool.id == *id);
        found.cloned().ok_or_else(|| Error::io(format!("block pool {id} is not found")))
    }

    /// The DataNode ends: nobody is told anything any more, and other processes may use the folders.
    pub(crate) fn release(&self) {
        for pool in self.pools() {
            pool.listeners.write().clear();
        }
        for volume in self.volumes.iter() {
            volume.unlock();
        }
    }

    /// All pools.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.read().clone()
    }

    /// Adds a pool, reading its folders on every volume; one that is there already is answered as it is. A volume whose
    /// folders cannot be read has failed; the others serve.
    ///
    /// # Errors
    /// When the pool is of another namespace, or no volume is left.
    pub(crate) fn add_pool(&self, version: &BlockPoolVersion) -> Result<Arc<Pool>> {
        // Several NameNodes of one pool may come here at once: the lock is held while the folders are read.
        let mut pools = self.pools.write();
        if let Some(pool) = pools.iter().find(|pool| pool.id == version.block_pool) {
            if pool.version.namespace_id != version.namespace_id {
                return Err(Error::io(format!(
                    "block pool {} has namespace {}, the NameNode says {}",
                    pool.id, pool.version.namespace_id, version.namespace_id
                )));
            }
            return Ok(Arc::clone(pool));
        }
        let pool = Arc::new(Pool {
            id: version.block_pool.clone(),
            version: version.clone(),
            volumes: Arc::clone(&self.volumes),
            folders: Slots::new(),
            unread: AtomicBool::new(!self.failed_at_start().is_empty()),
            rolling_upgrade: Arc::default(),
            option: self.option,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            chooser: Mutex::new((VolumeChooser::new(self.policy), random::rng())),
            stop_timeout: self.stop_timeout,
            listeners: RwLock::default(),
            suspects: Mutex::default(),
        });
        pool.scan()?;
        pools.push(Arc::clone(&pool));
        Ok(pool)
    }
}

impl Pool {
    fn shard(&self, id: BlockId) -> MutexGuard<'_, Shard> {
        // Ids count up one by one: their low bits spread blocks evenly.
        self.shards[id.0.rem_euclid(SHARDS as i64) as usize].lock()
    }

    fn dirs_of(&self, volume: VolumeIndex) -> &PoolDirs {
        &store::Store::folders(self, volume).dirs
    }

    /// The volume at this index.
    pub(crate) fn volume(&self, index: VolumeIndex) -> &Arc<Volume> {
        self.volumes.get(index)
    }

    /// This pool's name with a block.
    pub(crate) fn extended(&self, block: Block) -> ExtendedBlock {
        ExtendedBlock { pool: self.id.clone(), block }
    }

    /// A copy of what is known about a replica.
    pub(crate) fn replica(&self, id: BlockId) -> Option<Replica> {
        self.shard(id).map.get(id).cloned()
    }

    /// Every node of the writer's pipeline has so many bytes; nothing changes when it was displaced.
    pub(crate) fn acked(&self, id: BlockId, writer: WriterId, bytes: u64) {
        let mut shard = self.shard(id);
        if let Some(replica) = shard.map.get_mut(id).filter(|found| found.writer() == Some(writer))
        {
            replica.acked(bytes);
        }
    }

    /// Adds one that hears of every change.
    pub(crate) fn listen(&self, listener: Arc<dyn BlockListener>) {
        self.listeners.write().push(listener);
    }

    /// Tells the NameNodes what happened to a replica.
    pub(crate) fn notify(&self, volume: VolumeIndex, block: Block, event: BlockEvent) {
        self.tell(volume, &Event { block, event, delete_hint: None });
    }

    fn tell(&self, volume: VolumeIndex, event: &Event) {
        for listener in self.listeners.read().iter() {
            listener.block_event(volume, event.clone());
        }
    }

    /// Bytes that a reader may see.
    ///
    /// # Errors
    /// When the replica is not here, older than the reader's block, or not readable.
    pub(crate) fn visible_length(&self, block: &ExtendedBlock) -> Result<u64> {
        let shard = self.shard(block.block.id);
        let replica = shard.map.get(block.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(block))?;
        transition::check_read(replica, block)
    }

    /// The block list of a full report, for each volume, and how many blocks it holds.
    pub(crate) fn full_report(&self) -> Vec<(VolumeIndex, BlockListEncoder)> {
        let usable = self.volumes.iter().filter(|volume| !volume.has_failed());
        let mut lists: BTreeMap<VolumeIndex, BlockListEncoder> =
            usable.map(|volume| (volume.index, BlockListEncoder::new())).collect();
        for shard in &self.shards {
            for replica in shard.lock().map.iter() {
                if let Some(line) = report::reported(replica)
                    && let Some(list) = lists.get_mut(&replica.volume)
                {
                    list.push(&line);
                }
            }
        }
        lists.into_iter().collect()
    }

    /// A volume of this kind with room.
    fn choose_volume(&self, wanted: StorageType, bytes: u64) -> Result<Arc<Volume>> {
        let usable = self
            .volumes
            .iter()
            .filter(|volume| volume.storage_type == wanted && !volume.has_failed())
            .filter(|volume| self.folders.get(volume.index).is_some());
        let mut spaces = Vec::new();
        for volume in usable {
            match volume.space() {
                Ok(space) => {
                    spaces.push(VolumeSpace { index: volume.index, available: space.remaining })
                }
                Err(error) => volume.fail(&error),
            }
        }
        let (chooser, rng) = &mut *self.chooser.lock();
        let index = chooser.choose(&spaces, bytes, rng)?;
        Ok(Arc::clone(self.volume(index)))
    }
}

impl store::Store for Pool {
    type Shard = Shard;
    type Folders = VolumeFolders;

    fn with_shard<T>(&self, id: BlockId, work: impl FnOnce(&mut Shard) -> T) -> T {
        work(&mut self.shard(id))
    }

    fn folders(&self, volume: VolumeIndex) -> &VolumeFolders {
        self.folders.get(volume).expect("a volume is in use when its folders are known")
    }

    fn extended(&self, block: Block) -> ExtendedBlock {
        ExtendedBlock { pool: self.id.clone(), block }
    }

    /// Stops a writer that a newer one displaces.
    fn stop_writer(&self, id: BlockId, writer: WriterId) -> Result<()> {
        let handle = self.shard(id).writers.get(&writer).cloned();
        match handle {
            Some(handle) => handle.stop(self.stop_timeout),
            None => {
                // Nobody runs under this number any more: the map has not heard yet.
                if let Some(replica) = self.shard(id).map.get_mut(id) {
                    replica.release(writer);
                }
                Ok(())
            }
        }
    }
}
