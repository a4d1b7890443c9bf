//! Threads that copy files while the tree is walked (`-t`).
//!
//! Directories are made by the walker before their files are handed out, so threads never race for them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::transfer::Transfer;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::walk::PathData;

/// A source and its target.
type Job = (PathData, PathData);

/// Threads that wait for files.
pub(super) struct Threads {
    jobs: SyncSender<Job>,
    workers: Vec<JoinHandle<Vec<Failure>>>,
}

impl Threads {
    /// Starts `count` threads, for which `queue` files may wait.
    pub(super) fn start(count: usize, queue: usize, transfer: &Arc<Transfer>) -> Outcome<Self> {
        let (jobs, waiting) = sync_channel(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut workers = Vec::with_capacity(count);
        for number in 0..count {
            let (waiting, transfer) = (Arc::clone(&waiting), Arc::clone(transfer));
            let named = std::thread::Builder::new().name(format!("copy-{number}"));
            workers.push(named.spawn(move || copy_all(&waiting, &transfer))?);
        }
        Ok(Self { jobs, workers })
    }

    /// Hands a file out; waits while the queue is full.
    pub(super) fn copy(&self, source: PathData, target: PathData) -> Outcome<()> {
        let sent = self.jobs.send((source, target));
        sent.map_err(|_| Failure::Fatal("every copying thread has ended".into()))
    }

    /// Waits for the last file; what failed.
    pub(super) fn finish(self) -> Vec<Failure> {
        drop(self.jobs);
        let ended = self.workers.into_iter().flat_map(|worker| {
            let panicked = |_| vec![Failure::Fatal("a copying thread panicked".into())];
            worker.join().unwrap_or_else(panicked)
        });
        ended.collect()
    }
}

fn copy_all(waiting: &Mutex<Receiver<Job>>, transfer: &Transfer) -> Vec<Failure> {
    let mut failures = Vec::new();
    loop {
        // The lock is held while waiting: one thread waits for the next file, the others for the lock.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((source, target)) = next else { return failures };
        failures.extend(transfer.copy_file(&source, &target).err());
    }
}
