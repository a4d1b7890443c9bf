//! Calls that wait for DataNodes' reports: `complete` and `addBlock` hold their reply, without a thread, until the blocks
//! of their file have moved on, or a bounded time has passed.
//!
//! A waiting call registers under the machine's lock, and reports are applied under it, so none is missed.
//!
//! // Differs: Hadoop answers "not yet" at once and its clients sleep 400 ms (docs/differences.md, 3).

use std::collections::BTreeMap;
use std::sync::Arc;

use hdfs_namenode::NameNode;
use hdfs_types::INodeId;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// The files whose blocks somebody waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    files: Arc<Mutex<BTreeMap<INodeId, Arc<Notify>>>>,
}

/// One call's place in the queue of its file; given back when it is dropped.
pub(crate) struct Ticket {
    files: Arc<Mutex<BTreeMap<INodeId, Arc<Notify>>>>,
    file: INodeId,
    notify: Option<Arc<Notify>>,
}

impl Waiting {
    /// Registers for news of a file. Called under the machine's lock; so is each [`Ticket::news`].
    pub(crate) fn register(&self, file: INodeId) -> Ticket {
        let notify = self.files.lock().entry(file).or_default().clone();
        Ticket { files: self.files.clone(), file, notify: Some(notify) }
    }

    /// Wakes the calls whose files had news. Called under the machine's lock after each change.
    pub(crate) fn notify(&self, machine: &mut NameNode) {
        let news = machine.files_with_news();
        if news.is_empty() {
            return;
        }
        let files = self.files.lock();
        for file in news.drain(..) {
            if let Some(notify) = files.get(&file) {
                notify.notify_waiters();
            }
        }
    }
}

impl Ticket {
    /// Resolves at the next news.
    pub(crate) fn news(&self) -> Option<OwnedNotified> {
        self.notify.as_ref().map(|notify| notify.clone().notified_owned())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut files = self.files.lock();
        self.notify = None;
        // Only the map's own handle is left (a future of another call holds one too).
        if files.get(&self.file).is_some_and(|notify| Arc::strong_count(notify) == 1) {
            files.remove(&self.file);
        }
    }
}
