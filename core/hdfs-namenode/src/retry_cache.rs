//! What non-idempotent calls answered, so that a repeated call gets the same answer and has no second effect.
//!
//! A call is named by client id and call id. Entries are made by the live path and by replay (operations carry the same
//! two ids), so a call repeated after a restart is recognised too. Failed calls leave no entry: they had no effect.
//!
//! **Invariant:** an entry's answer may be given only when its transaction is durable; the caller waits for
//! [`Cached::txid`].
//!
//! Hadoop: org.apache.hadoop.ipc.RetryCache, org.apache.hadoop.hdfs.server.namenode.NameNode (3.5.0)

use std::collections::VecDeque;
use std::time::Duration;

use hdfs_types::{CallId, ClientId, INodeId, Mono, ShardedMap, TxId};

/// Names one call of one client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallKey {
    /// The client.
    pub client_id: ClientId,
    /// The call's number.
    pub call_id: CallId,
}

impl CallKey {
    /// The key of a call, if the client names itself and its call.
    pub fn new(client_id: ClientId, call_id: CallId) -> Option<Self> {
        (!client_id.is_absent() && call_id.0 >= 0).then_some(Self { client_id, call_id })
    }
}

/// The answer of a call that succeeded, as far as it can't be computed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CachedAnswer {
    /// Nothing but success.
    Done,
    /// A yes or no.
    Flag(bool),
    /// A file was created or opened for append; its status is computed when it is asked again.
    File(INodeId),
    /// The number of a new cache directive.
    Directive(i64),
    /// A path, as of a snapshot.
    Path(Vec<u8>),
}

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cached {
    /// What was answered.
    pub answer: CachedAnswer,
    /// The answer holds when this is durable.
    pub txid: TxId,
}

/// The entries, each kept for a fixed time.
#[derive(Debug)]
pub struct RetryCache {
    /// `dfs.namenode.retrycache.expirytime.millis`; zero switches the cache off.
    keep: Duration,
    entries: ShardedMap<CallKey, Cached>,
    /// In the order they were added, with the time they end.
    order: VecDeque<(Mono, CallKey)>,
    updates: u64,
}

/// More entries than this push out the oldest ones, however young (about 100 bytes each).
const MAX_ENTRIES: usize = 4 << 20;

impl RetryCache {
    /// An empty cache.
    pub fn new(keep: Duration) -> Self {
        Self { keep, entries: ShardedMap::default(), order: VecDeque::new(), updates: 0 }
    }

    /// What this call answered before.
    pub fn get(&self, key: Option<CallKey>) -> Option<&Cached> {
        if self.entries.is_empty() { None } else { self.entries.get(&key?) }
    }

    /// Remembers an answer. Old entries go first.
    pub fn put(&mut self, key: Option<CallKey>, cached: Cached, now: Mono) {
        self.expire(now);
        let Some(key) = key else { return };
        if self.keep.is_zero() {
            return;
        }
        self.updates += 1;
        if self.entries.insert(key, cached).is_none() {
            self.order.push_back((now.after(self.keep), key));
        }
    }

    /// Answers put into it so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn expire(&mut self, now: Mono) {
        while let Some((end, key)) = self.order.front() {
            if *end > now && self.order.len() < MAX_ENTRIES {
                return;
            }
            self.entries.remove(key);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(call: i32) -> Option<CallKey> {
        CallKey::new(ClientId([1; 16]), CallId(call))
    }

    fn done(txid: u64) -> Cached {
        Cached { answer: CachedAnswer::Done, txid: TxId(txid) }
    }

    #[test]
    fn a_call_is_remembered_until_its_time_is_over() {
        let mut cache = RetryCache::new(Duration::from_secs(600));
        cache.put(key(1), done(7), Mono(0));
        assert_eq!(cache.get(key(1)), Some(&done(7)));
        assert_eq!(cache.get(key(2)), None);
        cache.put(key(2), done(8), Mono::default().after(Duration::from_secs(601)));
        assert_eq!(cache.get(key(1)), None);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_client_without_an_id_is_never_remembered() {
        assert_eq!(CallKey::new(ClientId::default(), CallId(3)), None);
        assert_eq!(CallKey::new(ClientId([1; 16]), CallId(-1)), None);
        let mut cache = RetryCache::new(Duration::from_secs(600));
        cache.put(None, done(7), Mono(0));
        assert!(cache.is_empty());
    }
}
