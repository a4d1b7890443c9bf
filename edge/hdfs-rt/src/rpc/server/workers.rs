//! The threads that serve connections. A call runs where its bytes were read, with no hand-off to another thread.
//!
//! Measured on two cores with 64 connections: single-threaded runtimes with pinned connections and one runtime that steals
//! work cost the same (7–8 us CPU for a lone call, 0.9 us in batches of 16). The process's own workers steal, so that a long
//! call holds up nobody else; [`Workers::new`] pins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use hdfs_types::{Error, Result};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

/// A set of runtimes. Cheap to clone; the threads end with the last clone.
#[derive(Clone, Debug)]
pub struct Workers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    handles: Vec<Handle>,
    next: AtomicUsize,
    /// Dropping these ends the threads.
    _stop: Vec<oneshot::Sender<()>>,
}

impl Workers {
    /// Starts this many threads, each with a runtime of its own; a connection stays on one.
    ///
    /// # Errors
    /// When the system gives no thread or no epoll instance.
    pub fn new(threads: usize, name: &str) -> Result<Self> {
        let mut handles = Vec::new();
        let mut stops = Vec::new();
        for index in 0..threads.max(1) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Error::io(format!("start an RPC runtime: {error}")))?;
            let (stop, stopped) = oneshot::channel();
            handles.push(runtime.handle().clone());
            stops.push(stop);
            thread::Builder::new()
                .name(format!("{name}-{index}"))
                .spawn(move || runtime.block_on(stopped))
                .map_err(|error| Error::io(format!("start an RPC thread: {error}")))?;
        }
        Ok(Self { inner: Arc::new(Inner { handles, next: AtomicUsize::new(0), _stop: stops }) })
    }

    /// Serves on runtimes that someone else drives.
    ///
    /// # Panics
    /// When there is none.
    pub fn on(handles: Vec<Handle>) -> Self {
        assert!(!handles.is_empty(), "connections need a runtime");
        Self { inner: Arc::new(Inner { handles, next: AtomicUsize::new(0), _stop: Vec::new() }) }
    }

    /// The process's own: a thread for each core, at least two, started when first used and never ended.
    ///
    /// # Errors
    /// When the system gives no thread or no epoll instance.
    pub fn shared() -> Result<Self> {
        static SHARED: OnceLock<Runtime> = OnceLock::new();
        if SHARED.get().is_none() {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            let started = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(cores.max(2))
                .thread_name("rpc")
                .enable_all()
                .build()
                .map_err(|error| Error::io(format!("start the RPC threads: {error}")))?;
            // When another thread was faster, this one goes; it may block, which no runtime's own thread may do.
            if let Err(spare) = SHARED.set(started) {
                spare.shutdown_background();
            }
        }
        let runtime = SHARED.get().expect("it was set above");
        Ok(Self::on(vec![runtime.handle().clone()]))
    }

    /// The next runtime, in turn.
    pub fn next(&self) -> &Handle {
        let index = self.inner.next.fetch_add(1, Ordering::Relaxed);
        &self.inner.handles[index % self.inner.handles.len()]
    }
}
