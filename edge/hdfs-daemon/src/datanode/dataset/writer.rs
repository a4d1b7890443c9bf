//! A replica that is open for writing, and the handle that stops its writer.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdfs_datanode::VolumeIndex;
use hdfs_datanode::report::{BlockEvent, Event};
use hdfs_datanode::store::{self, OpenForWrite, Written};
use hdfs_rt::disk;
use hdfs_types::{Block, Error, ExtendedBlock, Result};
use parking_lot::{Condvar, Mutex};

use super::super::files::DiskFile;
use super::super::volume::Volume;
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
    /// The volume that holds it.
    pub volume: Arc<Volume>,
    /// Stops this writer.
    pub stop: Arc<StopHandle>,
    /// The files and what was in them when this writer began.
    pub(super) open: OpenForWrite<DiskFile>,
    pub(super) reserved: u64,
}

impl std::ops::Deref for WriteTarget {
    type Target = OpenForWrite<DiskFile>;

    fn deref(&self) -> &OpenForWrite<DiskFile> {
        &self.open
    }
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

    /// So many bytes are in the file; readers need `last_sum` for a partial last chunk.
    ///
    /// # Errors
    /// When this writer was displaced.
    pub(crate) fn wrote(&self, on_disk: u64, last_sum: Option<u32>) -> Result<()> {
        store::wrote(&*self.pool, &self.open, Written { on_disk, last_sum })
    }

    /// Every node of the pipeline has so many bytes.
    ///
    /// # Errors
    /// When this writer was displaced.
    pub(crate) fn acked(&self, bytes: u64) -> Result<()> {
        store::acked(&*self.pool, &self.open, bytes)
    }

    /// A write failed: cuts the files back to what the replica is known to have.
    pub(crate) fn roll_back(&self) {
        if let Err(error) = store::roll_back(&*self.pool, &self.open) {
            tracing::warn!(block = %self.extended(), %error, "cut a failed write back");
        }
    }

    /// Both files and their folder survive a power cut from here on (hsync).
    ///
    /// # Errors
    /// When the disk refuses: nothing may be acknowledged.
    pub(crate) fn sync(&self, with_folder: bool) -> Result<()> {
        let _timing = self.volume.syncs.time();
        // Both files' pages go out before the first wait: one journal commit then carries the sizes of both.
        disk::start_writeback(&self.meta.file, 0, 0);
        disk::start_writeback(&self.data.file, 0, 0);
        store::sync(&*self.pool, &self.open, with_folder)
    }

    /// The block file survives a power cut as it is now.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn sync_data(&self) -> Result<()> {
        let _timing = self.volume.syncs.time();
        store::sync_data(&*self.pool, &self.open)
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
        let is_stopped = || self.stop.is_stopped();
        let block = store::finalize(&*self.pool, &self.open, length, durable, is_stopped)?;
        self.pool
            .tell(self.volume.index, &Event { block, event: BlockEvent::Received, delete_hint });
        Ok(block)
    }

    /// A transferred copy becomes part of a pipeline, with `visible` bytes for readers.
    ///
    /// # Errors
    /// When it is not the copy that was asked for, or the disk refuses.
    pub(crate) fn convert_to_rbw(&self, wanted: &ExtendedBlock) -> Result<()> {
        store::convert_to_rbw(&*self.pool, &self.open, wanted)
    }

    /// The copy failed: its files go.
    pub(crate) fn discard(&self) {
        store::discard(&*self.pool, &self.open);
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
