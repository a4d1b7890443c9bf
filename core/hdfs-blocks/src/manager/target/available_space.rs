//! Of two nodes more often the one that is less full.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.AvailableSpaceBlockPlacementPolicy,
//! AvailableSpaceRackFaultTolerantBlockPlacementPolicy (3.5.0)

use std::cmp::Ordering;

use hdfs_types::Rng;

use super::placement::{Placement, Round};
use crate::datanode::{Datanode, DatanodeSlot};
use crate::placement_policy::{PlacementPolicy, SpacePreference};

/// Below this share, the writer's own node is never weighed against another one.
const ROOMY_PERCENT: f64 = 50.0;

fn used_percent(node: &Datanode) -> f64 {
    if node.capacity == 0 { 100.0 } else { node.dfs_used as f64 * 100.0 / node.capacity as f64 }
}

/// Less: the first one is emptier.
fn compare(preference: &SpacePreference, one: f64, other: f64, first_is_local: bool) -> Ordering {
    let tolerant = one.max(other) < f64::from(preference.tolerance_limit);
    let near = (one - other).abs() < f64::from(preference.tolerance);
    if (tolerant && near) || (first_is_local && one < ROOMY_PERCENT) {
        return Ordering::Equal;
    }
    // Two nodes that are equally full differ, too, as soon as nothing is tolerated: the second one is taken for emptier.
    if one < other { Ordering::Less } else { Ordering::Greater }
}

impl Placement<'_> {
    fn preference(&self) -> Option<&SpacePreference> {
        match self.placement {
            PlacementPolicy::AvailableSpace => Some(&self.manager.conf.space_preference),
            PlacementPolicy::AvailableSpaceRackFaultTolerant => {
                Some(&self.manager.conf.rack_space_preference)
            }
            _ => None,
        }
    }

    /// The place of one of the candidates: at random, or of two the one that is preferred.
    pub(super) fn draw(&self, round: &mut Round<'_>, candidates: &[DatanodeSlot]) -> usize {
        let one = round.rng.below(candidates.len() as u64) as usize;
        let Some(preference) = self.preference() else { return one };
        let other = round.rng.below(candidates.len() as u64) as usize;
        let prefers_one = candidates[one] == candidates[other]
            || self.prefers(round, preference, candidates[one], candidates[other], false);
        if prefers_one { one } else { other }
    }

    fn prefers(
        &self,
        round: &mut Round<'_>,
        preference: &SpacePreference,
        one: DatanodeSlot,
        other: DatanodeSlot,
        first_is_local: bool,
    ) -> bool {
        let used = |slot| used_percent(self.manager.datanode(slot));
        match compare(preference, used(one), used(other), first_is_local) {
            Ordering::Equal => true,
            order => {
                let emptier = round.rng.below(100) < u64::from(preference.emptier);
                emptier == (order == Ordering::Less)
            }
        }
    }

    /// Takes the writer's node, or one of its rack that is preferred; false: neither could be had, nothing is taken.
    pub(super) fn take_local_or_near(&self, round: &mut Round<'_>, node: DatanodeSlot) -> bool {
        let preference = self.manager.conf.space_preference;
        if !self.take_node(round, node, false) {
            return false;
        }
        if !preference.weigh_local {
            return true;
        }
        let Some(local) = round.results.pop() else { return false };
        let types = round.types.clone();
        round.types.push(self.manager.storage(local).storage_type());
        if self.near(round, self.location(node).to_owned(), Some(node)).is_ok() {
            let near = self.node_at(round, round.results.len() - 1);
            if !self.prefers(round, &preference, node, near, true) {
                round.excluded.remove(&node);
                return true;
            }
            round.results.pop();
            round.excluded.remove(&near);
        }
        round.types = types;
        round.results.push(local);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_are_nearly_equally_full_are_equal() {
        let preference = SpacePreference::default();
        assert_eq!(compare(&preference, 10.0, 14.9, false), Ordering::Equal);
        assert_eq!(compare(&preference, 10.0, 15.0, false), Ordering::Less);
        assert_eq!(compare(&preference, 40.0, 15.0, false), Ordering::Greater);
        assert_eq!(compare(&preference, 40.0, 15.0, true), Ordering::Equal);
        assert_eq!(compare(&preference, 50.0, 15.0, true), Ordering::Greater);
        let strict = SpacePreference { tolerance_limit: 80, ..preference };
        assert_eq!(compare(&strict, 78.0, 81.0, false), Ordering::Less);
    }
}
