//! The threads that serve connections: one single-threaded runtime each, and a connection stays on one.
//!
//! A call runs where its bytes were read, with no hand-off to another thread (facts: performance.md A6).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use hdfs_types::{Error, Result};
use tokio::runtime::Handle;
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
    /// Starts this many threads.
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

    /// The process's own: a thread for each core, started when first used.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn shared() -> Result<Self> {
        static SHARED: OnceLock<Workers> = OnceLock::new();
        if let Some(workers) = SHARED.get() {
            return Ok(workers.clone());
        }
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let started = Self::new(cores, "rpc")?;
        Ok(SHARED.get_or_init(|| started).clone())
    }

    /// The next runtime, in turn.
    pub fn next(&self) -> &Handle {
        let index = self.inner.next.fetch_add(1, Ordering::Relaxed);
        &self.inner.handles[index % self.inner.handles.len()]
    }
}
