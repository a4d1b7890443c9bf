//! The list of volumes: it grows while the DataNode runs, and an index is never used twice.

use std::sync::{Arc, OnceLock};

use hdfs_datanode::VolumeIndex;
use hdfs_datanode::report::BlockEvent;
use hdfs_types::{Error, Result};
use parking_lot::Mutex;

use super::super::volume::Volume;
use super::Dataset;

/// Volumes that one process may use in its life, counting every time one is taken out and put in again.
const MAX_VOLUMES: usize = 1_024;

/// Places that are filled once, in order.
pub(crate) struct Slots<T> {
    slots: Box<[OnceLock<Box<T>>]>,
}

impl<T> Slots<T> {
    /// Empty ones.
    pub(crate) fn new() -> Self {
        Self { slots: (0..MAX_VOLUMES).map(|_| OnceLock::new()).collect() }
    }

    /// What belongs to a volume.
    pub(crate) fn get(&self, index: VolumeIndex) -> Option<&T> {
        self.slots.get(usize::from(index.0))?.get().map(|found| &**found)
    }

    /// Fills a place.
    pub(crate) fn set(&self, index: VolumeIndex, value: T) {
        if let Some(slot) = self.slots.get(usize::from(index.0)) {
            let _ = slot.set(Box::new(value));
        }
    }
}

/// All volumes, those that failed as well.
pub(crate) struct VolumeList {
    volumes: Slots<Arc<Volume>>,
    next: Mutex<u16>,
}

impl VolumeList {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { volumes: Slots::new(), next: Mutex::new(0) }
    }

    /// Adds the volume that `make` gives for the index.
    ///
    /// # Errors
    /// When this process has used too many already.
    pub(crate) fn add(&self, make: impl FnOnce(VolumeIndex) -> Volume) -> Result<Arc<Volume>> {
        let mut next = self.next.lock();
        if usize::from(*next) >= MAX_VOLUMES {
            return Err(Error::io(format!(
                "this DataNode has used {MAX_VOLUMES} volumes since it started: restart it to add more"
            )));
        }
        let index = VolumeIndex(*next);
        let volume = Arc::new(make(index));
        self.volumes.set(index, Arc::clone(&volume));
        *next += 1;
        Ok(volume)
    }

    /// In the order in which they came, without those that were taken out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Volume>> {
        let all = (0..).map_while(|index| self.volumes.get(VolumeIndex(index)));
        all.filter(|volume| !volume.is_removed())
    }

    /// The volume at this index, wherever that came from.
    pub(crate) fn get(&self, index: VolumeIndex) -> &Arc<Volume> {
        self.volumes.get(index).expect("an index is given with its volume")
    }
}

/// What is told about volumes that failed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct VolumeFailures {
    /// Their folders; of those that could not be used at the start with the reason.
    pub locations: Vec<String>,
    /// When the last one failed, in milliseconds since 1970.
    pub last_ms: u64,
    /// Bytes that they had in all, as far as it is known.
    pub lost_bytes: u64,
}

impl Dataset {
    /// Those that could not be used when the DataNode started, with the reason.
    pub(crate) fn failed_at_start(&self) -> Vec<String> {
        self.failed_at_start.lock().1.clone()
    }

    /// An administrator has put other folders in their place, or taken them out.
    pub(crate) fn forget_failures_at_start(&self) {
        self.failed_at_start.lock().1.clear();
    }

    /// Takes a volume out of use: its writers are stopped, and the NameNodes hear that its replicas are not here any more.
    pub(crate) fn take_out(&self, volume: &Volume) {
        volume.take_out();
        for pool in self.pools() {
            for (block, writer) in pool.drop_volume(volume.index) {
                if let Some(writer) = writer {
                    writer.cut();
                }
                pool.notify(volume.index, block, BlockEvent::Deleted);
            }
        }
        volume.unlock();
    }

    /// All that failed.
    pub(crate) fn volume_failures(&self) -> VolumeFailures {
        let (started_ms, at_start) = &*self.failed_at_start.lock();
        let mut failures = VolumeFailures {
            locations: at_start.clone(),
            last_ms: if at_start.is_empty() { 0 } else { *started_ms },
            lost_bytes: 0,
        };
        for volume in self.volumes.iter().filter(|volume| volume.has_failed()) {
            failures.locations.push(volume.root.display().to_string());
            failures.last_ms = failures.last_ms.max(volume.failed_at_ms());
            failures.lost_bytes += volume.last_capacity();
        }
        failures
    }
}
