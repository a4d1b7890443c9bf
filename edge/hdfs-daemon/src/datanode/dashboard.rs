//! The DataNode's side of the web interface: what is sampled for the plots of its page.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use axum::Router;

use super::Shared;
use crate::history::{self, Column, History, Kind};
use crate::webui;

/// What the plots show. Names are those of `/jmx`.
const COLUMNS: &[Column] = &[
    ("BytesRead", Kind::Counter),
    ("BytesWritten", Kind::Counter),
    ("BlocksRead", Kind::Counter),
    ("BlocksWritten", Kind::Counter),
    ("XceiverCount", Kind::Gauge),
    ("DfsUsed", Kind::Gauge),
    ("Remaining", Kind::Gauge),
];

/// The page and the past of this DataNode, which is recorded for as long as the router lives.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let history = History::new(COLUMNS);
    let of_samples = Arc::downgrade(shared);
    shared.runtime.spawn(history::keep(Arc::downgrade(&history), move || sample(&of_samples)));
    webui::datanode_router().merge(history.router())
}

fn sample(shared: &Weak<Shared>) -> Option<Vec<u64>> {
    let shared = shared.upgrade()?;
    let counters = &shared.counters;
    let working = shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
    let (used, remaining) = working
        .filter_map(|volume| volume.space().ok())
        .fold((0_u64, 0_u64), |(used, remaining), space| {
            (used + space.dfs_used, remaining + space.remaining)
        });
    Some(vec![
        counters.bytes_read.load(Ordering::Relaxed),
        counters.bytes_written.load(Ordering::Relaxed),
        counters.blocks_read.load(Ordering::Relaxed),
        counters.blocks_written.load(Ordering::Relaxed),
        shared.xceivers.load(Ordering::Relaxed) as u64,
        used,
        remaining,
    ])
}
