//! Replicas of other DataNodes that sent wrong bytes once.
//!
//! A bit may turn over on the way as well as on the sender's disk, and to the NameNode a corrupt replica is one copy less. So
//! the first copy with wrong bytes is thrown away, and only the second from the same place accuses it.
//! Differs: Hadoop's reportRemoteBadBlock accuses at once.

use std::collections::VecDeque;

use hdfs_types::{BlockId, DatanodeUuid};

/// Suspicions that are remembered; the oldest go first.
const LIMIT: usize = 1_000;

/// Who is under suspicion.
#[derive(Default, Debug)]
pub struct Suspects(VecDeque<(BlockId, DatanodeUuid)>);

impl Suspects {
    /// This node sent wrong bytes of this block. True when it did so before: then its replica is corrupt.
    pub fn accuse(&mut self, block: BlockId, node: &DatanodeUuid) -> bool {
        if let Some(at) = self.0.iter().position(|(of, by)| *of == block && by == node) {
            self.0.remove(at);
            return true;
        }
        if self.0.len() == LIMIT {
            self.0.pop_front();
        }
        self.0.push_back((block, node.clone()));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_second_wrong_copy_from_the_same_place_accuses_it() {
        let mut suspects = Suspects::default();
        let (one, other) = (DatanodeUuid::from("one"), DatanodeUuid::from("other"));
        assert!(!suspects.accuse(BlockId(1), &one));
        assert!(!suspects.accuse(BlockId(1), &other));
        assert!(!suspects.accuse(BlockId(2), &one));
        assert!(suspects.accuse(BlockId(1), &one));
        assert!(!suspects.accuse(BlockId(1), &one));
        for id in (10..).take(LIMIT) {
            assert!(!suspects.accuse(BlockId(id), &one));
        }
        assert_eq!(suspects.0.len(), LIMIT);
        assert!(!suspects.accuse(BlockId(2), &one));
    }
}
