//! Performing a NameNode's orders; what takes long gets a thread of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use hdfs_datanode::command::Command;
use parking_lot::Mutex;

use super::super::dataset::Pool;
use super::super::metrics::Active;
use super::super::recovery;
use super::super::upgrade;
use super::super::xceiver;
use super::Actor;

/// Block recoveries of one order that run at the same time.
const RECOVERIES_AT_ONCE: usize = 4;

impl Actor {
    pub(super) fn perform(self: &Arc<Self>, pool: &Arc<Pool>, command: Command) {
        tracing::debug!(command = command.name(), "order");
        let _timing = self.shared.counters.commands.time();
        match command {
            Command::Transfer { pool, transfers } => {
                for transfer in transfers {
                    xceiver::replicate(&self.shared, transfer, &pool);
                }
            }
            Command::Invalidate { pool: of, blocks } => {
                if of != pool.id {
                    tracing::warn!(pool = %of, "order for another block pool; ignored");
                    return;
                }
                let (pool, shared) = (Arc::clone(pool), Arc::clone(&self.shared));
                background("delete", move || {
                    let (removed, errors) = pool.invalidate(&blocks);
                    shared.counters.blocks_removed.fetch_add(removed, Ordering::Relaxed);
                    for error in errors {
                        tracing::warn!("{error}");
                    }
                });
            }
            Command::Recover(blocks) => {
                let actor = Arc::clone(self);
                background("recovery", move || {
                    let _active = Active::new(&actor.shared.counters.recoveries);
                    let next = Mutex::new(blocks.into_iter());
                    let work = || {
                        loop {
                            let Some(block) = next.lock().next() else { return };
                            recovery::recover(&actor.shared, &actor.service, &block);
                        }
                    };
                    // A block whose holder is silent holds the others up only when there are many of its kind.
                    thread::scope(|scope| {
                        for _ in 0..RECOVERIES_AT_ONCE {
                            scope.spawn(work);
                        }
                    });
                });
            }
            Command::Finalize { pool } => {
                let shared = Arc::clone(&self.shared);
                background("finalize", move || {
                    for volume in shared.dataset.volumes.iter() {
                        if let Err(error) = upgrade::finalize(&volume.root, &pool) {
                            let folder = volume.root.display();
                            tracing::error!("Finalize upgrade for {folder} failed: {error}");
                        }
                    }
                });
            }
            Command::BalancerBandwidth(bandwidth) => {
                self.shared.set_balancer_bandwidth(bandwidth);
            }
            other => {
                tracing::warn!(command = other.name(), "Unknown or unsupported DatanodeCommand")
            }
        }
    }
}

fn background(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::error!(%error, "start a thread for an order");
    }
}
