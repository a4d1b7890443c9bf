//! What the NameNode is told about replicas: full reports, and incremental ones as they come.
//!
//! Differs: RECEIVED goes out at once, one RPC at a time, with whatever gathered meanwhile; RECEIVING and DELETED, for which
//! nobody waits, within 100 ms. Hadoop keeps those until the next heartbeat.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{IncrementalBlockReportManager, BPServiceActor.blockReport} (3.5.0)

use crate::replica::{Replica, State};
use hdfs_format::block_list::ReportedReplica;
use hdfs_types::{Block, BlockId, Mono};
use std::collections::BTreeMap;
use std::time::Duration;

/// The line of a full report about a replica; `None` for one that is not reported.
///
/// A replica under recovery is reported as it was before.
pub fn reported(replica: &Replica) -> Option<ReportedReplica> {
    let state = match &replica.state {
        State::Temporary(_) => return None,
        State::Rur(recovery) if recovery.original_state == hdfs_types::ReplicaState::Temporary => {
            return None;
        }
        State::Rur(recovery) => recovery.original_state,
        _ => replica.state(),
    };
    let block = Block { num_bytes: replica.bytes_on_disk(), ..replica.block };
    Some(ReportedReplica { block, state })
}

/// How long an event that nobody waits for may wait for others.
const BATCH_DELAY: Duration = Duration::from_millis(100);

/// What happened to a replica. The numbers are those of ReceivedDeletedBlockInfoProto.BlockStatus.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i32)]
pub enum BlockEvent {
    /// A pipeline writes it.
    Receiving = 1,
    /// It is complete here.
    Received = 2,
    /// Its files are gone.
    Deleted = 3,
}

/// One line of an incremental report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The block.
    pub block: Block,
    /// What happened.
    pub event: BlockEvent,
    /// The DataNode whose copy may go now that this one is here.
    pub delete_hint: Option<String>,
}

/// Incremental reports that one NameNode has not got yet. `S` orders the storages: their index.
#[derive(Clone, Debug, Default)]
pub struct IncrementalReports {
    pending: BTreeMap<u16, BTreeMap<BlockId, Event>>,
    /// When the pending lines are to be sent at the latest.
    due: Option<Mono>,
}

/// The lines for each storage.
pub type Batch = Vec<(u16, Vec<Event>)>;

impl IncrementalReports {
    /// Nothing pending.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// What happened to each replica that waits.
    pub fn events(&self) -> impl Iterator<Item = BlockEvent> {
        self.pending.values().flat_map(|of| of.values().map(|event| event.event))
    }

    /// When something is to be sent, if anything waits.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.due
    }

    /// Something happened; it replaces an older line about the same block, on any storage. `true` when that made the next
    /// sending earlier.
    pub fn push(&mut self, storage: u16, event: Event, now: Mono) -> bool {
        let due = match event.event {
            BlockEvent::Received => now,
            BlockEvent::Receiving | BlockEvent::Deleted => now.after(BATCH_DELAY),
        };
        let earlier = self.due.is_none_or(|known| due < known);
        if earlier {
            self.due = Some(due);
        }
        for events in self.pending.values_mut() {
            events.remove(&event.block.id);
        }
        self.pending.retain(|_, events| !events.is_empty());
        self.pending.entry(storage).or_default().insert(event.block.id, event);
        earlier
    }

    /// Takes everything to send it.
    pub fn take(&mut self) -> Batch {
        self.due = None;
        let pending = std::mem::take(&mut self.pending);
        pending.into_iter().map(|(index, events)| (index, events.into_values().collect())).collect()
    }

    /// Puts a batch back that did not go through, except where something newer is known about a block.
    pub fn put_back(&mut self, batch: Batch, now: Mono) {
        self.due = Some(self.due.map_or(now, |due| due.min(now)));
        for (storage, events) in batch {
            for event in events {
                let newer = self.pending.values().any(|known| known.contains_key(&event.block.id));
                if !newer {
                    self.pending.entry(storage).or_default().insert(event.block.id, event);
                }
            }
        }
    }

    /// Forgets everything: a full report follows.
    pub fn clear(&mut self) {
        self.due = None;
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::{VolumeIndex, WriterId};
    use hdfs_types::{GenerationStamp, ReplicaState};

    fn block(id: i64) -> Block {
        Block { id: BlockId(id), num_bytes: 10, generation_stamp: GenerationStamp(1_001) }
    }

    fn event(id: i64, event: BlockEvent) -> Event {
        Event { block: block(id), event, delete_hint: None }
    }

    #[test]
    fn a_newer_event_replaces_an_older_one_even_after_a_failed_send() {
        let mut reports = IncrementalReports::new();
        let now = Mono(5);
        assert!(reports.push(0, event(1, BlockEvent::Receiving), now));
        assert!(!reports.push(0, event(2, BlockEvent::Receiving), now));
        assert_eq!(reports.poll_timeout(), Some(now.after(BATCH_DELAY)));
        let batch = reports.take();
        assert!(reports.is_empty() && reports.poll_timeout().is_none());
        assert!(reports.push(1, event(1, BlockEvent::Received), now));
        assert_eq!(reports.poll_timeout(), Some(now));
        reports.put_back(batch, now);
        assert_eq!(
            reports.take(),
            [(0, vec![event(2, BlockEvent::Receiving)]), (1, vec![event(1, BlockEvent::Received)])]
        );
    }

    #[test]
    fn copies_in_flight_are_not_reported() {
        let temporary = Replica::temporary(block(1), VolumeIndex(0), WriterId(1));
        assert_eq!(reported(&temporary), None);
        let mut rbw = Replica::rbw(block(1), VolumeIndex(0), WriterId(1));
        rbw.wrote(4, None);
        let line = reported(&rbw).unwrap();
        assert_eq!((line.state, line.block.num_bytes), (ReplicaState::Rbw, 4));
    }
}
