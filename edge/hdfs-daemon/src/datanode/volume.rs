//! Volumes: one folder each, locked, with its identity, its space and the folders of its block pools.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hdfs_conf::StorageLocation;
use hdfs_datanode::files::NotSynced;
use hdfs_datanode::{Place, VolumeIndex, layout};
use hdfs_format::storage_dir::{BlockPoolVersion, DataNodeVersion};
use hdfs_rt::clock;
use hdfs_rt::disk::{self, StorageLock};
use hdfs_rt::metrics::Histogram;
use hdfs_types::constants::DATANODE_LAYOUT_VERSION;
use hdfs_types::{Block, BlockId, BlockPoolId, Error, ErrorKind, Result, StorageType, StorageUuid};
use parking_lot::Mutex;
use rustix::fs::statvfs;

use super::upgrade::StartOption;
use super::{random, upgrade};
use crate::namenode::storage_state;

/// An error that names what was done to which file.
pub(crate) fn io_error(verb: &str, path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::FileNotFound,
        io::ErrorKind::StorageFull => ErrorKind::DiskOutOfSpace,
        _ => ErrorKind::DiskError,
    };
    Error::new(kind, format!("{verb} {}: {error}", path.display())).with_source(error)
}

/// Space of a volume, as heartbeats report it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Space {
    /// Bytes for HDFS in all: the disk without what is reserved.
    pub capacity: u64,
    /// Bytes of blocks and their checksums.
    pub dfs_used: u64,
    /// Bytes for new blocks.
    pub remaining: u64,
    /// Bytes that are kept for others.
    pub reserved: u64,
    /// Bytes of others beyond what is reserved for them.
    pub non_dfs_used: u64,
}

/// One volume.
#[derive(Debug)]
pub(crate) struct Volume {
    /// Its place in the list of volumes.
    pub index: VolumeIndex,
    /// Its identity.
    pub uuid: StorageUuid,
    /// Its kind.
    pub storage_type: StorageType,
    /// Its folder.
    pub root: PathBuf,
    reserved_bytes: u64,
    reserved_percent: u64,
    dfs_used: AtomicU64,
    /// Space promised to replicas that are being written.
    reserved_for_replicas: AtomicU64,
    /// When it failed, in milliseconds since 1970; 0 while it works.
    failed_at_ms: AtomicU64,
    forgotten: AtomicBool,
    removed: AtomicBool,
    /// Its size when it was last looked at.
    last_capacity: AtomicU64,
    /// Times of writes and syncs of blocks, and how many failed.
    pub writes: Histogram,
    pub syncs: Histogram,
    pub errors: AtomicU64,
    version: Mutex<Option<DataNodeVersion>>,
    /// Held as long as this DataNode uses the folder.
    lock: Mutex<Option<StorageLock>>,
}

/// What opening a volume found.
pub(crate) struct Opened {
    location: StorageLocation,
    version: Option<DataNodeVersion>,
    lock: StorageLock,
}

impl Opened {
    /// Its VERSION; `None` for an empty folder, to be formatted.
    pub(crate) fn version(&self) -> Option<&DataNodeVersion> {
        self.version.as_ref()
    }
}

/// Creates the folder when it is missing, gives it this mode, locks it and reads its VERSION.
///
/// # Errors
/// When another process holds it, or it cannot be used; the message names the folder and says why.
pub(crate) fn open(location: StorageLocation, permission: u32) -> Result<Opened> {
    let root = Path::new(&location.path);
    disk::create_dir_all_durable(root)?;
    fs::set_permissions(root, fs::Permissions::from_mode(permission))
        .map_err(|error| io_error("set the permissions of", root, error))?;
    let lock = StorageLock::acquire(root)?;
    storage_state::recover(root)?;
    let version = read_version(root)?;
    if version.is_none() {
        refuse_foreign_content(root)?;
    }
    Ok(Opened { location, version, lock })
}

/// The VERSION of a volume, of a layout that can be used.
fn read_version(root: &Path) -> Result<Option<DataNodeVersion>> {
    let path = root.join("current/VERSION");
    match fs::read(&path) {
        Ok(bytes) => {
            let version = DataNodeVersion::parse(&path.to_string_lossy(), &bytes)?;
            upgrade::check_layout(root, version.layout_version)?;
            Ok(Some(version))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &path, error)),
    }
}

/// After an upgrade there is only one layout.
fn check_layout(folder: &Path, layout: i32) -> Result<()> {
    if layout == DATANODE_LAYOUT_VERSION {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::IncorrectVersion,
        format!(
            "Unexpected version of storage directory {}. Reported: {layout}. Expecting = {DATANODE_LAYOUT_VERSION}.",
            folder.display()
        ),
    ))
}

/// A folder without VERSION must be empty: blocks without identity are not formatted over.
fn refuse_foreign_content(root: &Path) -> Result<()> {
    let current = root.join("current");
    let Ok(mut entries) = fs::read_dir(&current) else { return Ok(()) };
    if entries.next().is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InconsistentFSState,
        format!(
            "Directory {} is in an inconsistent state: current/ holds files but no VERSION. Restore VERSION from \
             another volume's backup, or empty the folder to start anew.",
            root.display()
        ),
    ))
}

impl Volume {
    /// Takes an opened folder into use. A new one gets its identity here and its VERSION by [`Self::format`].
    pub(crate) fn new(
        opened: Opened,
        index: VolumeIndex,
        reserved_bytes: u64,
        reserved_percent: u64,
    ) -> Self {
        let uuid = match opened.version.as_ref().filter(|version| version.has_valid_storage_uuid())
        {
            Some(version) => version.storage_uuid.as_str().to_owned(),
            None => format!("DS-{}", random::uuid()),
        };
        Self {
            index,
            uuid: StorageUuid::from(uuid),
            storage_type: opened.location.storage_type,
            root: PathBuf::from(&opened.location.path),
            reserved_bytes,
            reserved_percent,
            dfs_used: AtomicU64::new(0),
            reserved_for_replicas: AtomicU64::new(0),
            failed_at_ms: AtomicU64::new(0),
            forgotten: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            last_capacity: AtomicU64::new(0),
            writes: Histogram::default(),
            syncs: Histogram::default(),
            errors: AtomicU64::new(0),
            version: Mutex::new(opened.version),
            lock: Mutex::new(Some(opened.lock)),
        }
    }

    /// Refuses another cluster than that of a volume in use.
    ///
    /// # Errors
    /// When it belongs to another one.
    pub(crate) fn check_cluster(&self, cluster_id: &str) -> Result<()> {
        match &*self.version.lock() {
            Some(known)
                if upgrade::has_pools(known.layout_version) && known.cluster_id != cluster_id =>
            {
                Err(Error::io(format!(
                    "Incompatible clusterIDs in {}: namenode clusterID = {cluster_id}; datanode clusterID = {}",
                    self.root.display(),
                    known.cluster_id
                )))
            }
            _ => Ok(()),
        }
    }

    /// Writes VERSION on a new volume; upgrades one of an older layout, whose blocks are of `pool` if it is from before
    /// federation.
    ///
    /// # Errors
    /// When it belongs to another namespace, or cannot be written.
    pub(crate) fn format(
        &self,
        cluster_id: &str,
        datanode_uuid: &str,
        pool: &BlockPoolVersion,
        option: StartOption,
    ) -> Result<()> {
        let mut version = self.version.lock();
        if option == StartOption::Rollback && upgrade::roll_back_volume(&self.root, pool)? {
            *version = read_version(&self.root)?;
        }
        let fresh =
            DataNodeVersion::new(cluster_id.to_owned(), self.uuid.clone(), datanode_uuid.into());
        let is_old = |known: &&DataNodeVersion| known.layout_version > DATANODE_LAYOUT_VERSION;
        if let Some(old) = version.as_ref().filter(is_old)
            && !upgrade::has_pools(old.layout_version)
        {
            upgrade::before_federation(&self.root, old, &fresh, pool)?;
            *version = Some(fresh);
            return Ok(());
        }
        if let Some(known) = &mut *version {
            if is_old(&&*known) {
                let path = self.root.join("current/VERSION");
                let upgraded = DataNodeVersion { c_time: known.c_time, ..fresh };
                disk::write_file_atomic(&path, upgraded.print(clock::wall()).as_bytes())?;
                *known = upgraded;
            }
            return Ok(());
        }
        let current = self.root.join("current");
        disk::create_dir_all_durable(&current)?;
        disk::write_file_atomic(&current.join("VERSION"), fresh.print(clock::wall()).as_bytes())?;
        *version = Some(fresh);
        Ok(())
    }

    /// Lets others use the folder.
    pub(crate) fn unlock(&self) {
        *self.lock.lock() = None;
    }

    /// Space, as it is now.
    ///
    /// # Errors
    /// When the file system does not answer.
    pub(crate) fn space(&self) -> Result<Space> {
        let stat = statvfs(&self.root)
            .map_err(|error| io_error("ask for the space of", &self.root, error.into()))?;
        let total = stat.f_blocks.saturating_mul(stat.f_frsize);
        let free = stat.f_bfree.saturating_mul(stat.f_frsize);
        let usable = stat.f_bavail.saturating_mul(stat.f_frsize);
        let reserved = self.reserved_bytes.max(total / 100 * self.reserved_percent).min(total);
        let dfs_used = self.dfs_used.load(Ordering::Relaxed);
        let promised = self.reserved_for_replicas.load(Ordering::Relaxed);
        let others = total.saturating_sub(free).saturating_sub(dfs_used);
        let capacity = total - reserved;
        self.last_capacity.store(capacity, Ordering::Relaxed);
        let still_reserved = reserved.saturating_sub(others);
        let by_capacity = capacity.saturating_sub(dfs_used).saturating_sub(promised);
        let by_disk = usable.saturating_sub(still_reserved).saturating_sub(promised);
        Ok(Space {
            capacity,
            dfs_used,
            remaining: by_capacity.min(by_disk),
            reserved,
            non_dfs_used: others.saturating_sub(reserved),
        })
    }

    /// Bytes of blocks were written, or deleted when negative.
    pub(crate) fn add_used(&self, bytes: i64) {
        if bytes >= 0 {
            self.dfs_used.fetch_add(bytes.unsigned_abs(), Ordering::Relaxed);
        } else {
            let less = |used: u64| Some(used.saturating_sub(bytes.unsigned_abs()));
            let _ = self.dfs_used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Promises space to a replica; give it back with [`Self::release`].
    pub(crate) fn reserve(&self, bytes: u64) {
        self.reserved_for_replicas.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes a promise back.
    pub(crate) fn release(&self, bytes: u64) {
        let less = |promised: u64| Some(promised.saturating_sub(bytes));
        let _ = self.reserved_for_replicas.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Bytes promised to replicas that are being written.
    pub(crate) fn reserved_for_replicas(&self) -> u64 {
        self.reserved_for_replicas.load(Ordering::Relaxed)
    }

    /// The volume does not do what it should: it is out of service from now on. Its replicas are forgotten soon after.
    pub(crate) fn fail(&self, error: &Error) {
        let now = clock::wall().0.max(1);
        let changed =
            self.failed_at_ms.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        if changed.is_ok() {
            tracing::error!(
                volume = %self.root.display(), %error,
                "volume failed: it takes no more blocks and its replicas are not served"
            );
        }
    }

    /// True once for a volume that failed: its replicas are to be forgotten.
    pub(crate) fn begin_to_forget(&self) -> bool {
        self.has_failed() && !self.forgotten.swap(true, Ordering::AcqRel)
    }

    /// True when it failed and [`Self::begin_to_forget`] was not called yet.
    pub(crate) fn awaits_forgetting(&self) -> bool {
        self.has_failed() && !self.forgotten.load(Ordering::Acquire)
    }

    /// The same, out of use until [`Self::put_in`].
    #[must_use]
    pub(crate) fn taken_out(self) -> Self {
        self.removed.store(true, Ordering::Release);
        self
    }

    /// In use from now on.
    pub(crate) fn put_in(&self) {
        self.removed.store(false, Ordering::Release);
    }

    /// Out of use from now on: it is in no list of volumes any more.
    pub(crate) fn take_out(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// True for the folder of this location.
    pub(crate) fn is_at(&self, location: &StorageLocation) -> bool {
        self.root == Path::new(&location.path)
    }

    /// True once it was taken out by an administrator.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// A sync failed: what was written is lost though later syncs may succeed, and so may be other files of this disk. The
    /// volume is out of service from now on; nothing on it is synced or changed again.
    pub(crate) fn not_synced(&self, error: Error) -> NotSynced {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.fail(&error);
        NotSynced(Error::new(ErrorKind::DiskError, error.message.clone()).with_source(error))
    }

    /// Refuses to change anything on a volume that failed.
    ///
    /// # Errors
    /// When it failed.
    pub(crate) fn usable(&self) -> Result<()> {
        if self.has_failed() {
            let text = format!("the volume {} has failed", self.root.display());
            return Err(Error::new(ErrorKind::DiskError, text));
        }
        Ok(())
    }

    /// When it failed, in milliseconds since 1970; 0 while it works.
    pub(crate) fn failed_at_ms(&self) -> u64 {
        self.failed_at_ms.load(Ordering::Relaxed)
    }

    /// Its size in bytes when it was last looked at.
    pub(crate) fn last_capacity(&self) -> u64 {
        self.last_capacity.load(Ordering::Relaxed)
    }

    /// Bytes that are kept for others (`dfs.datanode.du.reserved`).
    pub(crate) fn reserved_space(&self) -> u64 {
        self.reserved_bytes
    }

    /// True once it failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed_at_ms() != 0
    }
}

/// The folders of one block pool on one volume.
#[derive(Debug)]
pub(crate) struct PoolDirs {
    /// `current/<pool>`.
    pub root: PathBuf,
    /// `current/<pool>/current`.
    pub current: PathBuf,
    finalized: PathBuf,
    rbw: PathBuf,
    tmp: PathBuf,
    /// Which of the 32 × 32 folders exist, one bit each.
    known: Vec<AtomicBool>,
}

impl PoolDirs {
    /// Where they are.
    pub(crate) fn new(volume_root: &Path, pool: &BlockPoolId) -> Self {
        let pool = volume_root.join("current").join(pool.as_str());
        let current = pool.join("current");
        Self {
            finalized: current.join("finalized"),
            rbw: current.join("rbw"),
            tmp: pool.join("tmp"),
            known: (0..1_024).map(|_| AtomicBool::new(false)).collect(),
            current,
            root: pool,
        }
    }

    /// Ends or makes an upgrade, creates what is missing and checks the pool's VERSION.
    ///
    /// # Errors
    /// When the folder belongs to another namespace, or cannot be used.
    pub(crate) fn open(
        volume_root: &Path,
        wanted: &BlockPoolVersion,
        option: StartOption,
    ) -> Result<Self> {
        upgrade::pool(volume_root, wanted, option)?;
        let dirs = Self::new(volume_root, &wanted.block_pool);
        for dir in [&dirs.finalized, &dirs.rbw, &dirs.tmp] {
            disk::create_dir_all_durable(dir)?;
        }
        dirs.check_version(wanted)?;
        // Java's cache of replicas describes the folder as it was before: it must not survive changes made here.
        for stale in ["replicas", "dfsUsed"] {
            let _ = fs::remove_file(dirs.current.join(stale));
        }
        Ok(dirs)
    }

    fn check_version(&self, wanted: &BlockPoolVersion) -> Result<()> {
        let path = self.current.join("VERSION");
        match fs::read(&path) {
            Ok(bytes) => {
                let found = BlockPoolVersion::parse(&path.to_string_lossy(), &bytes)?;
                check_layout(&self.current, found.layout_version)?;
                if found.namespace_id != wanted.namespace_id
                    || found.block_pool != wanted.block_pool
                {
                    return Err(Error::io(format!(
                        "Incompatible namespaceIDs in {}: namenode namespaceID = {}; datanode namespaceID = {}",
                        self.current.display(),
                        wanted.namespace_id,
                        found.namespace_id
                    )));
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk::write_file_atomic(&path, wanted.print(clock::wall()).as_bytes())?;
                Ok(())
            }
            Err(error) => Err(io_error("read", &path, error)),
        }
    }

    /// The folder of a replica at this place.
    pub(crate) fn dir(&self, place: Place, id: BlockId) -> PathBuf {
        match place {
            Place::Rbw => self.rbw.clone(),
            Place::Tmp => self.tmp.clone(),
            Place::Finalized => self.finalized.join(layout::finalized_subdir(id)),
        }
    }

    /// The folder of finalized replicas.
    pub(crate) fn finalized(&self) -> &Path {
        &self.finalized
    }

    /// The folder of replicas that are being written.
    pub(crate) fn rbw(&self) -> &Path {
        &self.rbw
    }

    /// The folder of copies in flight.
    pub(crate) fn tmp(&self) -> &Path {
        &self.tmp
    }

    /// Removes copies that were in flight when the process before ended.
    ///
    /// # Errors
    /// When the folder cannot be emptied.
    pub(crate) fn empty_tmp(&self) -> Result<()> {
        fs::remove_dir_all(&self.tmp)
            .map_err(|error| io_error("empty folder", &self.tmp, error))?;
        Ok(disk::create_dir_all_durable(&self.tmp)?)
    }

    /// The two files of a replica at this place.
    pub(crate) fn files(&self, place: Place, block: &Block) -> (PathBuf, PathBuf) {
        let dir = self.dir(place, block.id);
        let (data, meta) = layout::file_names(block);
        (dir.join(data), dir.join(meta))
    }

    /// Makes the folder of a finalized block; a new one is durable when this returns.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make_finalized_dir(&self, id: BlockId) -> Result<PathBuf> {
        let dir = self.dir(Place::Finalized, id);
        let (d1, d2) = layout::finalized_subdir_numbers(id);
        let known = &self.known[usize::from(d1) * 32 + usize::from(d2)];
        if known.load(Ordering::Acquire) {
            return Ok(dir);
        }
        if !dir.is_dir() {
            disk::create_dir_all_durable(&dir)?;
        }
        known.store(true, Ordering::Release);
        Ok(dir)
    }
}

/// A file name as text; other names are not ours.
pub(crate) fn name_text(name: &OsStr) -> &str {
    name.to_str().unwrap_or("")
}
