//! One attempt to place replicas: the order in which nodes are tried, and what makes a node good.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyDefault (3.5.0)

use std::collections::BTreeSet;

use hdfs_types::{Mono, SplitMix64, StorageType};

use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::manager::BlockManager;
use crate::placement_policy::PlacementPolicy;
use crate::storage_policy::{StoragePolicy, Types};

/// Where the writer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writer<'a> {
    Nowhere,
    Node(DatanodeSlot),
    /// Not a DataNode, but on a known rack.
    Rack(&'a str),
}

/// No suitable node was left in the scope.
#[derive(Debug)]
pub(super) struct NotEnoughReplicas;

/// Nodes to choose among.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    All,
    Rack(&'a str),
    OutsideRack(&'a str),
}

/// What does not change while targets are chosen.
pub(super) struct Placement<'a> {
    pub(super) manager: &'a BlockManager,
    pub(super) now: Mono,
    pub(super) block_size: u64,
    pub(super) policy: &'static StoragePolicy,
    pub(super) placement: PlacementPolicy,
    pub(super) new_block: bool,
}

/// What one round of choosing works on.
pub(super) struct Round<'a> {
    pub(super) rng: &'a mut SplitMix64,
    pub(super) excluded: BTreeSet<DatanodeSlot>,
    pub(super) results: Vec<StorageSlot>,
    pub(super) types: Types,
    pub(super) avoid_stale: bool,
    pub(super) max_per_rack: usize,
}

impl Placement<'_> {
    /// Chooses; when it fails, tries once more with stale nodes, then with other kinds of storage.
    pub(super) fn run(
        &self,
        wanted: usize,
        max_per_rack: usize,
        writer: Writer<'_>,
        excluded: &mut BTreeSet<DatanodeSlot>,
        results: Vec<StorageSlot>,
        rng: &mut SplitMix64,
    ) -> Vec<StorageSlot> {
        let total = results.len() + wanted;
        let untouched = excluded.clone();
        let mut unavailable: Vec<StorageType> = Vec::new();
        let avoid_stale = self.manager.avoids_stale_for_write(self.now);
        let mut round = Round {
            rng,
            excluded: untouched.clone(),
            results,
            types: Types::new(),
            avoid_stale,
            max_per_rack,
        };
        let mut first = true;
        loop {
            let have = self.kinds_of(&round.results);
            round.types = self.policy.missing_types(total, &have, &unavailable, self.new_block);
            if round.types.is_empty() {
                return round.results;
            }
            let missing = total - round.results.len();
            let outcome = if self.placement.is_rack_fault_tolerant() {
                self.over_racks(&mut round, &untouched, missing, writer)
            } else {
                self.in_order(&mut round, missing, writer)
            };
            if std::mem::take(&mut first) {
                excluded.extend(round.excluded.iter().copied());
            }
            if outcome.is_ok() {
                return round.results;
            }
            if round.avoid_stale {
                round.avoid_stale = false;
            } else {
                let before = unavailable.len();
                for kind in round.types.clone() {
                    if !unavailable.contains(&kind) {
                        unavailable.push(kind);
                    }
                }
                if unavailable.len() == before {
                    return round.results;
                }
            }
            round.excluded.clone_from(&untouched);
            let nodes = round.results.iter().map(|storage| self.manager.storage(*storage).datanode);
            round.excluded.extend(nodes.collect::<Vec<_>>());
        }
    }

    fn kinds_of(&self, storages: &[StorageSlot]) -> Types {
        storages.iter().map(|storage| self.manager.storage(*storage).storage_type()).collect()
    }

    pub(super) fn node_at(&self, round: &Round<'_>, index: usize) -> DatanodeSlot {
        self.manager.storage(round.results[index]).datanode
    }

    pub(super) fn location(&self, node: DatanodeSlot) -> &str {
        &self.manager.datanode(node).location
    }

    /// Local, remote rack, the remote rack again, then anywhere.
    fn in_order(
        &self,
        round: &mut Round<'_>,
        mut missing: usize,
        writer: Writer<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        let had = round.results.len();
        let mut writer = self.starting_point(round, writer);
        if had == 0 {
            writer = Writer::Node(self.local(round, writer)?);
            missing -= 1;
        }
        if missing > 0 && had <= 1 {
            let first = self.location(self.node_at(round, 0)).to_owned();
            self.remote(round, &first)?;
            missing -= 1;
        }
        if missing > 0 && had <= 2 {
            let first = self.location(self.node_at(round, 0)).to_owned();
            let second = self.node_at(round, 1);
            if first == self.location(second) {
                self.remote(round, &first)?;
            } else if self.new_block {
                self.near(round, self.location(second).to_owned(), Some(second))?;
            } else if let Writer::Node(node) = writer {
                self.near(round, self.location(node).to_owned(), Some(node))?;
            }
            missing -= 1;
        }
        for _ in 0..missing {
            self.random(round, Scope::All)?;
        }
        Ok(())
    }

    /// The writer's node; else that of the first replica.
    pub(super) fn starting_point<'w>(&self, round: &Round<'_>, writer: Writer<'w>) -> Writer<'w> {
        match writer {
            Writer::Node(_) => writer,
            _ if !round.results.is_empty() => Writer::Node(self.node_at(round, 0)),
            other => other,
        }
    }

    pub(super) fn local(
        &self,
        round: &mut Round<'_>,
        writer: Writer<'_>,
    ) -> Result<DatanodeSlot, NotEnoughReplicas> {
        match writer {
            Writer::Nowhere => self.random(round, Scope::All)?,
            Writer::Rack(rack) => self.near(round, rack.to_owned(), None)?,
            Writer::Node(node) => {
                let usable =
                    self.manager.datanode(node).alive && self.manager.conf.prefer_local_node;
                if usable && self.placement == PlacementPolicy::AvailableSpace {
                    if self.take_local_or_near(round, node) {
                        return Ok(self.node_at(round, round.results.len() - 1));
                    }
                } else if usable && self.take_node(round, node, false) {
                    return Ok(node);
                }
                self.near(round, self.location(node).to_owned(), Some(node))?;
            }
        }
        Ok(self.node_at(round, round.results.len() - 1))
    }

    /// On this rack; else on the rack of a replica elsewhere; else anywhere.
    pub(super) fn near(
        &self,
        round: &mut Round<'_>,
        rack: String,
        node: Option<DatanodeSlot>,
    ) -> Result<(), NotEnoughReplicas> {
        if self.random(round, Scope::Rack(&rack)).is_ok() {
            return Ok(());
        }
        let next = round
            .results
            .iter()
            .map(|storage| self.manager.storage(*storage).datanode)
            .find(|other| Some(*other) != node);
        if let Some(next) = next {
            let rack = self.location(next).to_owned();
            if self.random(round, Scope::Rack(&rack)).is_ok() {
                return Ok(());
            }
        }
        self.random(round, Scope::All)
    }

    fn remote(&self, round: &mut Round<'_>, rack: &str) -> Result<(), NotEnoughReplicas> {
        self.random(round, Scope::OutsideRack(rack))
            .or_else(|NotEnoughReplicas| self.random(round, Scope::Rack(rack)))
    }

    /// One node of the scope, at random among the suitable ones.
    pub(super) fn random(
        &self,
        round: &mut Round<'_>,
        scope: Scope<'_>,
    ) -> Result<(), NotEnoughReplicas> {
        let topology = &self.manager.topology;
        let nodes = match scope {
            Scope::Rack(rack) => topology.rack(rack),
            Scope::All | Scope::OutsideRack(_) => topology.nodes(),
        };
        let mut candidates: Vec<DatanodeSlot> = nodes
            .iter()
            .copied()
            .filter(|node| !round.excluded.contains(node))
            .filter(
                |node| !matches!(scope, Scope::OutsideRack(rack) if self.location(*node) == rack),
            )
            .collect();
        while !candidates.is_empty() {
            let index = self.draw(round, &candidates);
            let node = candidates.swap_remove(index);
            if self.take_node(round, node, true) {
                return Ok(());
            }
        }
        Err(NotEnoughReplicas)
    }

    /// Takes a node that is not excluded, if it is good; it is excluded afterwards either way.
    pub(super) fn take_node(
        &self,
        round: &mut Round<'_>,
        node: DatanodeSlot,
        consider_load: bool,
    ) -> bool {
        if !round.excluded.insert(node) || !self.is_good(round, node, consider_load) {
            return false;
        }
        for index in 0..round.types.len() {
            let kind = round.types[index];
            if let Some(storage) = self.manager.room_on(node, kind, self.block_size) {
                round.types.remove(index);
                round.results.push(storage);
                return true;
            }
        }
        false
    }

    fn is_good(&self, round: &Round<'_>, node: DatanodeSlot, consider_load: bool) -> bool {
        let manager = self.manager;
        let record = manager.datanode(node);
        if !record.alive || !record.is_in_service() {
            return false;
        }
        if round.avoid_stale && record.is_stale(self.now, manager.conf.stale_interval) {
            return false;
        }
        if manager.conf.exclude_slow_nodes && manager.is_slow(node) {
            return false;
        }
        if consider_load && manager.is_busy(node) {
            return false;
        }
        let on_rack = round
            .results
            .iter()
            .filter(|storage| manager.datanode_of(**storage).location == record.location)
            .count();
        on_rack < round.max_per_rack && self.is_new_domain(round, node)
    }
}
