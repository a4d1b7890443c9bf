//! The buffers of packets: they are filled again when their packets are acknowledged.

use std::sync::Arc;

use hdfs_datapath::filler::{Buffers, Packet};
use parking_lot::Mutex;

/// Fills packets with the bytes of one file.
pub(super) type Filler = hdfs_datapath::filler::Filler<PoolHandle>;

/// Buffers of acknowledged packets, to be filled again.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
}

/// Shorter ones belong to packets without data.
const SHORTEST: usize = 64;

impl Pool {
    /// Takes back the buffer of a packet.
    pub(super) fn recycle(&self, packet: Packet) {
        let buffer = packet.into_buffer();
        if buffer.len() > SHORTEST {
            self.free.lock().push(buffer);
        }
    }
}

/// The pool, as the filler holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct PoolHandle(pub(super) Arc<Pool>);

impl Buffers for PoolHandle {
    fn take(&self, bytes: usize) -> Vec<u8> {
        let known = self.0.free.lock().pop().filter(|buffer| buffer.len() == bytes);
        known.unwrap_or_else(|| vec![0; bytes])
    }
}
