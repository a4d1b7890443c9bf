//! Which NameNode of a block pool is active, as their heartbeats claim.
//!
//! **Invariant:** a claim at an older transaction never displaces a newer one: two NameNodes that both believe to be
//! active cannot both give orders.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BPOfferService.updateActorStatesFromHeartbeat (3.5.0)

use hdfs_types::TxId;

/// A NameNode of the pool, by its place in the configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NameNodeIndex(pub usize);

/// The NameNode whose orders count.
#[derive(Clone, Debug, Default)]
pub struct ActiveNameNode {
    active: Option<NameNodeIndex>,
    last_claim: TxId,
}

/// What a heartbeat changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing.
    None,
    /// This NameNode is the active one from now on.
    Took,
    /// It claims to be active at a transaction older than the last claim: it is ignored.
    StaleClaim,
    /// It is not active any more; nobody is.
    Relinquished,
}

impl ActiveNameNode {
    /// The active one, if any is known.
    pub fn get(&self) -> Option<NameNodeIndex> {
        self.active
    }

    /// A heartbeat's answer says whether this NameNode claims to be active, at which transaction.
    pub fn handle_heartbeat(&mut self, from: NameNodeIndex, active: bool, txid: TxId) -> Change {
        let thinks_active = self.active == Some(from);
        let change = match (active, thinks_active) {
            (true, false) if txid < self.last_claim => return Change::StaleClaim,
            (true, false) => {
                self.active = Some(from);
                Change::Took
            }
            (false, true) => {
                self.active = None;
                Change::Relinquished
            }
            _ => Change::None,
        };
        if self.active == Some(from) {
            self.last_claim = self.last_claim.max(txid);
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_claim_does_not_displace_a_newer_one() {
        let (a, b) = (NameNodeIndex(0), NameNodeIndex(1));
        let mut active = ActiveNameNode::default();
        assert_eq!(active.handle_heartbeat(a, true, TxId(10)), Change::Took);
        assert_eq!(active.handle_heartbeat(b, true, TxId(20)), Change::Took);
        assert_eq!(active.handle_heartbeat(a, true, TxId(11)), Change::StaleClaim);
        assert_eq!(active.get(), Some(b));
        assert_eq!(active.handle_heartbeat(b, false, TxId(21)), Change::Relinquished);
        assert_eq!(active.get(), None);
        assert_eq!(active.handle_heartbeat(a, true, TxId(19)), Change::StaleClaim);
        assert_eq!(active.handle_heartbeat(a, true, TxId(20)), Change::Took);
    }
}
