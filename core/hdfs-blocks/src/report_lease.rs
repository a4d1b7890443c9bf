//! Permissions to send a full block report, so that few arrive at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use hdfs_types::Mono;

use crate::datanode::DatanodeSlot;

/// Who may send a full report now.
///
/// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockReportLeaseManager (3.5.0)
#[derive(Clone, Debug)]
pub(crate) struct ReportLeases {
    next_id: u64,
    held: BTreeMap<DatanodeSlot, (u64, Mono)>,
}

impl ReportLeases {
    /// Starts counting at a random number: a permission of the NameNode before is not one of this.
    pub(crate) fn new(first_id: u64) -> Self {
        // The wire's number is read as signed by Java: keep it positive.
        Self { next_id: first_id >> 2, held: BTreeMap::new() }
    }

    /// A new permission, or 0 when enough are out. An older one of the node ends.
    pub(crate) fn request(
        &mut self,
        now: Mono,
        node: DatanodeSlot,
        limit: usize,
        length: Duration,
    ) -> u64 {
        self.held.remove(&node);
        self.held.retain(|_, (_, since)| now.since(*since) < length);
        if self.held.len() >= limit {
            return 0;
        }
        self.next_id += 1;
        self.held.insert(node, (self.next_id, now));
        self.next_id
    }

    /// True for a permission that holds, and for 0: the node was told to report by hand.
    pub(crate) fn check(&self, now: Mono, node: DatanodeSlot, id: u64, length: Duration) -> bool {
        id == 0
            || self
                .held
                .get(&node)
                .is_some_and(|(held, since)| *held == id && now.since(*since) < length)
    }

    pub(crate) fn remove(&mut self, node: DatanodeSlot) {
        self.held.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_given_up_to_the_limit_and_expires() {
        let (a, b) = (DatanodeSlot(0), DatanodeSlot(1));
        let length = Duration::from_secs(300);
        let mut leases = ReportLeases::new(u64::MAX);
        let start = Mono(1);
        let id = leases.request(start, a, 1, length);
        assert!(id != 0 && id < i64::MAX as u64);
        assert_eq!(leases.request(start, b, 1, length), 0);
        assert!(leases.check(start, a, id, length));
        assert!(!leases.check(start, b, id, length));
        assert!(!leases.check(start, a, id + 1, length));
        assert!(leases.check(start, b, 0, length), "0 asks for no permission");
        let later = start.after(length);
        assert!(!leases.check(later, a, id, length));
        assert_ne!(leases.request(later, b, 1, length), 0);
    }
}
