//! A replica that is open for writing, and the handle that stops its writer.

use std::fs::File;
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdfs_datanode::report::{BlockEvent, Event};
use hdfs_datanode::{Place, VolumeIndex, WriterId, transition};
use hdfs_datapath::ChecksumSpec;
use hdfs_rt::disk;
use hdfs_types::{Block, Error, ExtendedBlock, Result};
use parking_lot::{Condvar, Mutex};

use super::super::files;
use super::super::volume::{Volume, io_error, sync_dir};
use super::Pool;

/// Stops one writer from another thread: cuts its connections and waits until it has let go.
#[derive(Default)]
pub(crate) struct StopHandle {
    stopped: AtomicBool,
    sockets: Mutex<Vec<Arc<TcpStream>>>,
    done: Mutex<bool>,
    ended: Condvar,
}

impl StopHandle {
    /// The writer reads or writes this connection: it is cut when the writer is stopped.
    pub(crate) fn attach(&self, socket: &Arc<TcpStream>) {
        self.sockets.lock().push(Arc::clone(socket));
        if self.is_stopped() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// True once the writer must not touch the replica any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Stops the writer without waiting for it.
    pub(crate) fn cut(&self) {
        self.stopped.store(true, Ordering::Release);
        for socket in self.sockets.lock().iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Stops the writer and waits.
    ///
    /// # Errors
    /// When it has not ended in time.
    pub(crate) fn stop(&self, timeout: Duration) -> Result<()> {
        self.cut();
        let mut done = self.done.lock();
        while !*done {
            if self.ended.wait_for(&mut done, timeout).timed_out() {
                return Err(Error::io("Join on writer thread timed out"));
            }
        }
        Ok(())
    }

    fn end(&self) {
        *self.done.lock() = true;
        self.ended.notify_all();
    }
}

/// A replica that this thread writes. Dropping it lets go of the replica, which stays as it is.
pub(crate) struct WriteTarget {
    /// The pool.
    pub pool: Arc<Pool>,
    /// The block with its present stamp; its length is not kept up to date.
    pub block: Block,
    /// The volume that holds it.
    pub volume: Arc<Volume>,
    /// This writer.
    pub writer: WriterId,
    /// Stops this writer.
    pub stop: Arc<StopHandle>,
    /// The block file.
    pub data: File,
    /// The `.meta` file.
    pub meta: File,
    /// The checksums on disk.
    pub spec: ChecksumSpec,
    /// Bytes on disk when this writer began.
    pub on_disk: u64,
    /// Bytes of the partial last chunk on disk, verified.
    pub partial: Vec<u8>,
    pub(super) reserved: u64,
}

impl WriteTarget {
    /// The block with its pool.
    pub(crate) fn extended(&self) -> ExtendedBlock {
        self.pool.extended(self.block)
    }

    /// The index of the volume.
    pub(crate) fn volume_index(&self) -> VolumeIndex {
        self.volume.index
    }

    fn update(&self, change: impl FnOnce(&mut hdfs_datanode::Replica)) -> Result<()> {
        let mut shard = self.pool.shard(self.block.id);
        let replica = shard.map.get_mut(self.block.id);
        let replica = replica.ok_or_else(|| transition::not_found(&self.extended()))?;
        // A writer that is being stopped still says what it did: whoever displaces it waits for its end, and goes on from
        // there.
        if replica.writer() != Some(self.writer) {
            return Err(Error::io(format!("the writer of {} was stopped", self.extended())));
        }
        change(replica);
        Ok(())
    }

    /// So many bytes are in the file; readers need `last_sum` for a partial last chunk.
    ///
    /// # Errors
    /// When this writer was displaced.
    pub(crate) fn wrote(&self, on_disk: u64, last_sum: Option<u32>) -> Result<()> {
        self.update(|replica| replica.wrote(on_disk, last_sum))
    }

    /// Every node of the pipeline has so many bytes.
    ///
    /// # Errors
    /// When this writer was displaced.
    pub(crate) fn acked(&self, bytes: u64) -> Result<()> {
        self.update(|replica| replica.acked(bytes))
    }

    /// A write failed: cuts the files back to what the replica is known to have.
    pub(crate) fn roll_back(&self) {
        let shard = self.pool.shard(self.block.id);
        let known =
            shard.map.get(self.block.id).and_then(hdfs_datanode::Replica::pipeline).copied();
        let Some(known) = known.filter(|pipeline| pipeline.writer == Some(self.writer)) else {
            return;
        };
        let (length, sum) = (known.bytes_on_disk, known.last_sum);
        if let Err(error) = files::roll_back(&self.data, &self.meta, self.spec, length, sum) {
            tracing::warn!(block = %self.extended(), %error, "cut a failed write back");
        }
    }

    /// Both files and their folder survive a power cut from here on (hsync).
    ///
    /// # Errors
    /// When the disk refuses: nothing may be acknowledged.
    pub(crate) fn sync(&self, with_folder: bool) -> Result<()> {
        let _timing = self.volume.syncs.time();
        let path = &self.volume.root;
        // Both files' pages go out before the first wait: one journal commit then carries the sizes of both.
        disk::start_writeback(&self.meta, 0, 0);
        disk::start_writeback(&self.data, 0, 0);
        self.data.sync_data().map_err(|error| io_error("sync block on", path, error))?;
        self.meta.sync_data().map_err(|error| io_error("sync checksums on", path, error))?;
        if with_folder {
            sync_dir(self.pool.dirs_of(self.volume.index).rbw())?;
        }
        Ok(())
    }

    /// The block is complete with `length` bytes: moves its files to their final folder and tells the NameNodes, who may
    /// then delete the copy on the DataNode that `delete_hint` names. With `durable`, it survives a power cut when this returns.
    ///
    /// # Errors
    /// When this writer was displaced or the disk refuses.
    pub(crate) fn finalize(
        &self,
        length: u64,
        durable: bool,
        delete_hint: Option<String>,
    ) -> Result<Block> {
        if durable {
            self.sync(false)?;
        }
        let dirs = self.pool.dirs_of(self.volume.index);
        let dir = dirs.make_finalized_dir(self.block.id)?;
        let (block, from) = {
            let mut shard = self.pool.shard(self.block.id);
            let replica = shard.map.get_mut(self.block.id);
            let replica = replica.ok_or_else(|| transition::not_found(&self.extended()))?;
            if replica.writer() != Some(self.writer) || self.stop.is_stopped() {
                return Err(Error::io(format!("the writer of {} was stopped", self.extended())));
            }
            let (data, meta) = dirs.files(replica.place, &replica.block);
            let from = data.parent().map(PathBuf::from).unwrap_or_default();
            // The checksums move first: a block file is never seen without them.
            for path in [&meta, &data] {
                let to = dir.join(path.file_name().unwrap_or_default());
                std::fs::rename(path, &to).map_err(|error| io_error("move", path, error))?;
            }
            replica.wrote(length, None);
            replica.finalize();
            (replica.block, from)
        };
        if durable {
            sync_dir(&dir)?;
            sync_dir(&from)?;
        }
        self.volume.add_used((length + self.spec.meta_bytes(length)).cast_signed());
        self.pool
            .tell(self.volume.index, &Event { block, event: BlockEvent::Received, delete_hint });
        Ok(block)
    }

    /// A transferred copy becomes part of a pipeline, with `visible` bytes for readers.
    ///
    /// # Errors
    /// When it is not the copy that was asked for, or the disk refuses.
    pub(crate) fn convert_to_rbw(&self, wanted: &ExtendedBlock) -> Result<()> {
        let dirs = self.pool.dirs_of(self.volume.index);
        let mut shard = self.pool.shard(self.block.id);
        let replica = shard.map.get_mut(self.block.id);
        let replica = replica.ok_or_else(|| transition::non_existent(wanted))?;
        transition::check_convert_temporary(replica, wanted)?;
        let (data, meta) = dirs.files(Place::Tmp, &replica.block);
        for path in [&meta, &data] {
            let to = dirs.rbw().join(path.file_name().unwrap_or_default());
            std::fs::rename(path, &to).map_err(|error| io_error("move", path, error))?;
        }
        replica.convert_to_rbw(wanted.block.num_bytes);
        Ok(())
    }

    /// The copy failed: its files go.
    pub(crate) fn discard(&self) {
        let mut shard = self.pool.shard(self.block.id);
        let ours = shard
            .map
            .get(self.block.id)
            .filter(|replica| replica.place == Place::Tmp && replica.writer() == Some(self.writer));
        let Some(replica) = ours else { return };
        let (data, meta) = self.pool.dirs_of(self.volume.index).files(Place::Tmp, &replica.block);
        shard.map.remove(self.block.id);
        for path in [data, meta] {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "remove failed copy");
            }
        }
    }
}

impl Drop for WriteTarget {
    fn drop(&mut self) {
        {
            let mut shard = self.pool.shard(self.block.id);
            if let Some(replica) = shard.map.get_mut(self.block.id) {
                replica.release(self.writer);
            }
            shard.writers.remove(&self.writer);
        }
        self.volume.release(self.reserved);
        self.stop.end();
    }
}
