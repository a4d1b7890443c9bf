//! What the writer and its streamer tell each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hdfs_datapath::filler::Packet;
use hdfs_types::{Error, ErrorKind, ExtendedBlock, Result};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use super::packet::Pool;

/// Shared by a writer and its streamer.
#[derive(Debug)]
pub(super) struct Shared {
    /// One permit for each packet that may be in flight.
    window: Semaphore,
    progress: watch::Sender<Progress>,
    /// The block that is being written, or was written last, with the bytes that are acknowledged.
    block: Mutex<Option<ExtendedBlock>>,
    /// Some of the block was flushed: readers may have seen it.
    hflushed: AtomicBool,
    /// The NameNode has not logged the present block yet.
    persist_blocks: AtomicBool,
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Progress {
    acked: i64,
    failure: Option<Arc<Error>>,
}

impl Shared {
    pub(super) fn new(packets_in_flight: usize, pool: Arc<Pool>) -> Self {
        Self {
            window: Semaphore::new(packets_in_flight),
            progress: watch::Sender::new(Progress { acked: -1, failure: None }),
            block: Mutex::new(None),
            hflushed: AtomicBool::new(false),
            persist_blocks: AtomicBool::new(false),
            pool,
        }
    }

    /// Waits until another packet may be in flight.
    pub(super) async fn reserve(&self) -> Result<()> {
        match self.window.acquire().await {
            Ok(permit) => {
                permit.forget();
                Ok(())
            }
            Err(_) => Err(self.failure()),
        }
    }

    /// Waits until this packet is acknowledged by the whole pipeline.
    pub(super) async fn wait_acked(&self, seqno: i64) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|now| now.acked >= seqno || now.failure.is_some()).await;
        match reached {
            Ok(now) if now.acked >= seqno => Ok(()),
            _ => Err(self.failure()),
        }
    }

    /// A packet is acknowledged; its buffer can be used again.
    pub(super) fn acked(&self, packet: Packet) {
        self.progress.send_modify(|progress| progress.acked = packet.seqno);
        self.pool.recycle(packet);
        self.window.add_permits(1);
    }

    /// The streamer gave up.
    pub(super) fn fail(&self, error: Error) {
        self.progress.send_modify(|progress| progress.failure = Some(Arc::new(error)));
        self.window.close();
    }

    /// Why the streamer gave up.
    pub(super) fn failure(&self) -> Error {
        match &self.progress.borrow().failure {
            Some(error) => Error::new(error.kind.clone(), error.message.clone()),
            None => Error::new(
                ErrorKind::Remote("java.nio.channels.ClosedChannelException".to_owned()),
                "the file is closed",
            ),
        }
    }

    pub(super) fn set_block(&self, block: Option<ExtendedBlock>) {
        *self.block.lock() = block;
    }

    pub(super) fn last_block(&self) -> Option<ExtendedBlock> {
        self.block.lock().clone()
    }

    pub(super) fn set_block_length(&self, length: u64) {
        if let Some(block) = &mut *self.block.lock() {
            block.block.num_bytes = length;
        }
    }

    pub(super) fn block_length(&self) -> Option<u64> {
        self.block.lock().as_ref().map(|block| block.block.num_bytes)
    }

    pub(super) fn set_hflushed(&self) {
        self.hflushed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_hflushed(&self) -> bool {
        self.hflushed.load(Ordering::Relaxed)
    }

    pub(super) fn set_persist_blocks(&self) {
        self.persist_blocks.store(true, Ordering::Release);
    }

    pub(super) fn take_persist_blocks(&self) -> bool {
        self.persist_blocks.swap(false, Ordering::AcqRel)
    }
}
