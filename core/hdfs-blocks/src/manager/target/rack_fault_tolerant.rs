//! As many racks as there are replicas: first every rack gets as many as all can have, then some get one more. Where racks
//! are too small for that, the others take what is left.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyRackFaultTolerant (3.5.0)

use std::collections::{BTreeMap, BTreeSet};

use super::placement::{NotEnoughReplicas, Placement, Round, Scope, Writer};
use crate::datanode::DatanodeSlot;

impl Placement<'_> {
    /// Places `missing` replicas over the racks. `barred`: nodes that must not be taken in any case.
    pub(super) fn over_racks(
        &self,
        round: &mut Round<'_>,
        barred: &BTreeSet<DatanodeSlot>,
        missing: usize,
        writer: Writer<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        let total = round.results.len() + missing;
        let most = round.max_per_rack;
        let writer = self.starting_point(round, writer);
        let outcome = self.evenly(round, total, writer);
        round.max_per_rack = most;
        outcome.or_else(|_| self.on_remaining_racks(round, barred, total, writer))
    }

    fn evenly(
        &self,
        round: &mut Round<'_>,
        total: usize,
        writer: Writer<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        let racks = self.manager.topology.rack_count().max(1);
        let most = round.max_per_rack;
        if total >= racks && !total.is_multiple_of(racks) {
            // What lies on a rack above the even share does not fill another one.
            let surplus: usize =
                self.per_rack(round).values().map(|count| count.saturating_sub(most - 1)).sum();
            let placed = round.results.len();
            let even = ((most - 1) * racks).saturating_sub(placed - surplus).min(total - placed);
            let excluded = round.excluded.clone();
            round.max_per_rack = most - 1;
            self.once(round, even, writer)?;
            round.max_per_rack = most;
            round.excluded = excluded;
            self.exclude_results(round);
        }
        self.once(round, total - round.results.len(), writer)
    }

    /// The writer's own node first, if it is still free, then any.
    fn once(
        &self,
        round: &mut Round<'_>,
        count: usize,
        writer: Writer<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        if count == 0 {
            return Ok(());
        }
        self.local(round, writer)?;
        for _ in 1..count {
            self.random(round, Scope::All)?;
        }
        Ok(())
    }

    /// Lets a rack have one more, again and again. (Hadoop then also takes nodes that the caller had excluded.)
    fn on_remaining_racks(
        &self,
        round: &mut Round<'_>,
        barred: &BTreeSet<DatanodeSlot>,
        total: usize,
        writer: Writer<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        let most = round.max_per_rack;
        while round.results.len() < total && round.max_per_rack < total {
            let before = round.results.len();
            round.excluded.clone_from(barred);
            self.exclude_results(round);
            round.max_per_rack += 1;
            // What could be placed counts; whether it was enough is seen below.
            let _ = self.once(round, total - before, writer);
            if round.results.len() == before {
                let fullest = self.per_rack(round).into_values().max().unwrap_or(0);
                round.max_per_rack = round.max_per_rack.max(fullest);
            }
        }
        round.max_per_rack = most;
        if round.results.len() < total { Err(NotEnoughReplicas) } else { Ok(()) }
    }

    fn exclude_results(&self, round: &mut Round<'_>) {
        let nodes = round.results.iter().map(|storage| self.manager.storage(*storage).datanode);
        round.excluded.extend(nodes);
    }

    fn per_rack(&self, round: &Round<'_>) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for storage in &round.results {
            *counts.entry(self.manager.datanode_of(*storage).location.as_str()).or_default() += 1;
        }
        counts
    }
}
