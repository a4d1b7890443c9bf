//! Where new replicas go: the default placement policy.
//!
//! First replica on the writer's node, second on another rack, third on the second's rack (for a new block), the rest at
//! random; never two on one node, and no more on one rack than an even spread needs. A node must be in service, have
//! room, and not be busier than twice the average.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyDefault (3.5.0)

use std::collections::BTreeSet;

use hdfs_types::{Error, Mono, Result, Rng, SplitMix64, StorageType};

use super::{BlockManager, PlacementFlags, TargetRequest};
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::registration::StorageState;
use crate::storage_policy::{StoragePolicy, Types};
use crate::topology;

/// Where the writer is.
#[derive(Clone, Copy, Debug)]
enum Writer<'a> {
    Nowhere,
    Node(DatanodeSlot),
    /// Not a DataNode, but on a known rack.
    Rack(&'a str),
}

/// No suitable node was left in the scope.
#[derive(Debug)]
struct NotEnoughReplicas;

/// Nodes to choose among.
#[derive(Clone, Copy, Debug)]
enum Scope<'a> {
    All,
    Rack(&'a str),
    OutsideRack(&'a str),
}

/// What does not change while targets are chosen.
struct Placement<'a> {
    manager: &'a BlockManager,
    now: Mono,
    block_size: u64,
    max_per_rack: usize,
    policy: &'static StoragePolicy,
    new_block: bool,
}

/// What one round of choosing works on.
struct Round<'a> {
    rng: &'a mut SplitMix64,
    excluded: BTreeSet<DatanodeSlot>,
    results: Vec<StorageSlot>,
    types: Types,
    avoid_stale: bool,
}

/// A request for copies of an existing block, or for more nodes of a pipeline.
#[derive(Clone)]
pub(crate) struct CopyRequest<'a> {
    pub(crate) count: usize,
    pub(crate) writer: Option<DatanodeSlot>,
    pub(crate) chosen: &'a [StorageSlot],
    pub(crate) excluded: BTreeSet<DatanodeSlot>,
    pub(crate) block_size: u64,
    pub(crate) policy: u8,
}

impl BlockManager {
    /// Storages for a new block: at least `min_replication` of them, in pipeline order.
    ///
    /// # Errors
    /// Io with Hadoop's "could only be written to …".
    pub fn choose_targets(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
    ) -> Result<Vec<StorageSlot>> {
        let minimum = usize::from(self.conf.min_replication);
        self.choose_at_least(now, request, minimum, "minReplication nodes")
    }

    /// Storages for the blocks of a new group, by index: at least `data` of them.
    // Differs: as for replicas, two blocks may lie on one rack while another has none; Hadoop spreads them evenly.
    ///
    /// # Errors
    /// Io with Hadoop's "could only be written to …".
    pub fn choose_group_targets(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
        data: usize,
        policy: &str,
    ) -> Result<Vec<StorageSlot>> {
        self.choose_at_least(now, request, data, &format!("required nodes for {policy}"))
    }

    fn choose_at_least(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
        minimum: usize,
        what: &str,
    ) -> Result<Vec<StorageSlot>> {
        let mut rng = self.rng.clone();
        let writer = self.writer_of(request, &mut rng);
        let mut excluded = BTreeSet::new();
        let mut unknown = BTreeSet::new();
        for uuid in request.excluded {
            match self.find_datanode(uuid.as_str()) {
                Some(node) => excluded.insert(node),
                None => unknown.insert(uuid),
            };
        }
        let targets = self.new_block_targets(now, request, writer, &mut excluded, &mut rng);
        self.rng = rng;
        if targets.len() < minimum {
            return Err(Error::io(format!(
                "File {} could only be written to {} of the {minimum} {what}. There are {} datanode(s) running and {} \
                 node(s) are excluded in this operation.",
                request.path,
                targets.len(),
                self.topology.nodes().len(),
                excluded.len() + unknown.len()
            )));
        }
        Ok(targets)
    }

    /// More storages for a pipeline that lost nodes: the chosen ones and up to `replicas` new ones, in pipeline order.
    pub fn choose_additional(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
    ) -> Vec<StorageSlot> {
        let excluded =
            request.excluded.iter().filter_map(|uuid| self.find_datanode(uuid.as_str())).collect();
        let mut rng = self.rng.clone();
        let writer = self.writer_of(request, &mut rng);
        self.rng = rng;
        let writer = match writer {
            Writer::Node(node) => Some(node),
            _ => None,
        };
        let copies = self.choose_copies(
            now,
            CopyRequest {
                count: request.replicas,
                writer,
                chosen: request.chosen,
                excluded,
                block_size: request.block_size,
                policy: request.storage_policy,
            },
        );
        let mut all = request.chosen.to_vec();
        all.extend(copies);
        self.pipeline_order(writer, &mut all);
        all
    }

    /// Storages for copies of a block that has `chosen` already; the new ones only.
    pub(crate) fn choose_copies(
        &mut self,
        now: Mono,
        request: CopyRequest<'_>,
    ) -> Vec<StorageSlot> {
        let mut rng = self.rng.clone();
        let mut excluded = request.excluded;
        let writer = request.writer.map_or(Writer::Nowhere, Writer::Node);
        let flags = PlacementFlags::default();
        let mut all = self.place(
            &PlaceArguments {
                now,
                count: request.count,
                chosen: request.chosen,
                block_size: request.block_size,
                policy: StoragePolicy::of(request.policy),
                flags,
            },
            writer,
            &mut excluded,
            &mut rng,
        );
        self.rng = rng;
        all.drain(..request.chosen.len().min(all.len()));
        self.pipeline_order(request.writer, &mut all);
        all
    }

    fn writer_of<'a>(&self, request: &TargetRequest<'a>, rng: &mut SplitMix64) -> Writer<'a> {
        if request.flags.ignore_client_locality {
            return Writer::Nowhere;
        }
        let here = request.writer_ip.map_or(&[][..], |ip| self.datanodes_on_host(ip));
        if here.is_empty() {
            return request.writer_location.map_or(Writer::Nowhere, Writer::Rack);
        }
        // Several nodes may run on one host: they share its writers.
        Writer::Node(here[rng.below(here.len() as u64) as usize])
    }

    /// Replicas that can be placed, and how many of them on one rack.
    fn spread(&self, chosen: usize, wanted: usize) -> (usize, usize) {
        let nodes = self.topology.nodes().len();
        let total = (chosen + wanted).min(nodes);
        let wanted = total.saturating_sub(chosen).min(wanted);
        let racks = self.topology.rack_count();
        if racks <= 1 || total <= 1 {
            return (wanted, total);
        }
        let per_rack = (total - 1) / racks + 2;
        (wanted, if per_rack == total { per_rack - 1 } else { per_rack })
    }

    fn new_block_targets(
        &self,
        now: Mono,
        request: &TargetRequest<'_>,
        writer: Writer<'_>,
        excluded: &mut BTreeSet<DatanodeSlot>,
        rng: &mut SplitMix64,
    ) -> Vec<StorageSlot> {
        let policy = StoragePolicy::of(request.storage_policy);
        let mut results = Vec::new();
        if !request.favored.is_empty() {
            let (wanted, max_per_rack) = self.spread(0, request.replicas);
            let placement = Placement {
                manager: self,
                now,
                block_size: request.block_size,
                max_per_rack,
                policy,
                new_block: true,
            };
            let mut round = Round {
                rng,
                excluded: excluded.clone(),
                results: Vec::new(),
                types: policy.types_for(request.replicas),
                avoid_stale: self.avoids_stale_for_write(now),
            };
            for name in request.favored {
                if round.results.len() < wanted
                    && let Some(node) = self.find_datanode_by_addr(name)
                {
                    placement.take_node(&mut round, node, false);
                }
            }
            results = round.results;
        }
        let arguments = PlaceArguments {
            now,
            count: request.replicas - results.len().min(request.replicas),
            chosen: &results,
            block_size: request.block_size,
            policy,
            flags: request.flags,
        };
        let mut all = self.place(&arguments, writer, excluded, rng);
        let first = match writer {
            Writer::Node(node) => Some(node),
            _ => None,
        };
        self.pipeline_order(first, &mut all);
        all
    }

    /// The chosen storages and new ones after them. `excluded` grows by every node that the last attempt looked at.
    fn place(
        &self,
        arguments: &PlaceArguments<'_>,
        writer: Writer<'_>,
        excluded: &mut BTreeSet<DatanodeSlot>,
        rng: &mut SplitMix64,
    ) -> Vec<StorageSlot> {
        let chosen = arguments.chosen;
        let (wanted, max_per_rack) = self.spread(chosen.len(), arguments.count);
        if wanted == 0 {
            return chosen.to_vec();
        }
        let placement = Placement {
            manager: self,
            now: arguments.now,
            block_size: arguments.block_size,
            max_per_rack,
            policy: arguments.policy,
            new_block: chosen.is_empty(),
        };
        excluded.extend(chosen.iter().map(|storage| self.storage(*storage).datanode));
        let location = match writer {
            Writer::Nowhere => None,
            Writer::Node(node) => Some(self.datanode(node).location.as_str()),
            Writer::Rack(rack) => Some(rack),
        };
        let mut avoided: Vec<BTreeSet<DatanodeSlot>> = Vec::new();
        if let Some(location) = location {
            if arguments.flags.no_local_rack && self.topology.rack_count() > 2 {
                avoided.push(self.topology.rack(location).iter().copied().collect());
            }
            if arguments.flags.no_local_write
                && let Writer::Node(node) = writer
            {
                avoided.push(BTreeSet::from([node]));
            }
        }
        for more in avoided {
            let mut both = &*excluded | &more;
            let found = placement.run(wanted, writer, &mut both, chosen.to_vec(), rng);
            if found.len() >= chosen.len() + wanted {
                return found;
            }
        }
        placement.run(wanted, writer, excluded, chosen.to_vec(), rng)
    }

    /// Orders storages so that each is the nearest one to the one before.
    fn pipeline_order(&self, writer: Option<DatanodeSlot>, storages: &mut [StorageSlot]) {
        let Some(first) = storages.first() else { return };
        let mut from = writer
            .filter(|node| self.datanode(*node).alive)
            .unwrap_or_else(|| self.storage(*first).datanode);
        for index in 0..storages.len() {
            let nearest = (index..storages.len())
                .min_by_key(|other| {
                    self.node_distance(from, self.storage(storages[*other]).datanode)
                })
                .expect("the range holds the index itself");
            storages.swap(index, nearest);
            from = self.storage(storages[index]).datanode;
        }
    }

    pub(crate) fn node_distance(&self, node: DatanodeSlot, other: DatanodeSlot) -> u32 {
        if node == other {
            return 0;
        }
        topology::distance(&self.datanode(node).location, &self.datanode(other).location)
    }

    fn avoids_stale_for_write(&self, now: Mono) -> bool {
        if !self.conf.avoid_stale_for_write {
            return false;
        }
        let live: Vec<_> = self.datanodes().filter(|slot| self.datanode(*slot).alive).collect();
        let stale = live
            .iter()
            .filter(|slot| self.datanode(**slot).is_stale(now, self.conf.stale_interval))
            .count();
        stale as f64 <= live.len() as f64 * self.conf.stale_for_write_ratio
    }

    /// Room for one more block of this kind on a node: where, if there is.
    fn room_on(
        &self,
        node: DatanodeSlot,
        kind: StorageType,
        block_size: u64,
    ) -> Option<StorageSlot> {
        let record = self.datanode(node);
        let required = block_size.saturating_mul(self.conf.min_blocks_for_write);
        let scheduled = block_size.saturating_mul(record.scheduled.count(kind));
        let mut found = None;
        let mut remaining = 0u64;
        for slot in &record.storages {
            let storage = self.storage(*slot);
            if storage.state() == StorageState::Normal && storage.storage_type() == kind {
                found = found.or(Some(*slot));
                if storage.remaining >= required {
                    remaining = remaining.saturating_add(storage.remaining);
                }
            }
        }
        found.filter(|_| remaining.saturating_sub(scheduled) >= required && remaining >= scheduled)
    }
}

/// What [`BlockManager::place`] needs.
struct PlaceArguments<'a> {
    now: Mono,
    count: usize,
    chosen: &'a [StorageSlot],
    block_size: u64,
    policy: &'static StoragePolicy,
    flags: PlacementFlags,
}

impl Placement<'_> {
    /// Chooses; when it fails, tries once more with stale nodes, then with other kinds of storage.
    fn run(
        &self,
        wanted: usize,
        writer: Writer<'_>,
        excluded: &mut BTreeSet<DatanodeSlot>,
        results: Vec<StorageSlot>,
        rng: &mut SplitMix64,
    ) -> Vec<StorageSlot> {
        let total = results.len() + wanted;
        let untouched = excluded.clone();
        let mut unavailable: Vec<StorageType> = Vec::new();
        let avoid_stale = self.manager.avoids_stale_for_write(self.now);
        let mut round =
            Round { rng, excluded: untouched.clone(), results, types: Types::new(), avoid_stale };
        let mut first = true;
        loop {
            let have = self.kinds_of(&round.results);
            round.types = self.policy.missing_types(total, &have, &unavailable, self.new_block);
            if round.types.is_empty() {
                return round.results;
            }
            let missing = total - round.results.len();
            let outcome = self.in_order(&mut round, missing, writer);
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

    fn node_at(&self, round: &Round<'_>, index: usize) -> DatanodeSlot {
        self.manager.storage(round.results[index]).datanode
    }

    fn location(&self, node: DatanodeSlot) -> &str {
        &self.manager.datanode(node).location
    }

    /// Local, remote rack, the remote rack again, then anywhere.
    fn in_order(
        &self,
        round: &mut Round<'_>,
        mut missing: usize,
        writer: Writer<'_>,
    ) -> std::result::Result<(), NotEnoughReplicas> {
        let had = round.results.len();
        let mut writer = match writer {
            Writer::Node(_) => writer,
            _ if had > 0 => Writer::Node(self.node_at(round, 0)),
            other => other,
        };
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

    fn local(
        &self,
        round: &mut Round<'_>,
        writer: Writer<'_>,
    ) -> std::result::Result<DatanodeSlot, NotEnoughReplicas> {
        match writer {
            Writer::Nowhere => self.random(round, Scope::All)?,
            Writer::Rack(rack) => self.near(round, rack.to_owned(), None)?,
            Writer::Node(node) => {
                if self.manager.datanode(node).alive && self.take_node(round, node, false) {
                    return Ok(node);
                }
                self.near(round, self.location(node).to_owned(), Some(node))?;
            }
        }
        Ok(self.node_at(round, round.results.len() - 1))
    }

    /// On this rack; else on the rack of a replica elsewhere; else anywhere.
    fn near(
        &self,
        round: &mut Round<'_>,
        rack: String,
        node: Option<DatanodeSlot>,
    ) -> std::result::Result<(), NotEnoughReplicas> {
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

    fn remote(
        &self,
        round: &mut Round<'_>,
        rack: &str,
    ) -> std::result::Result<(), NotEnoughReplicas> {
        self.random(round, Scope::OutsideRack(rack))
            .or_else(|NotEnoughReplicas| self.random(round, Scope::Rack(rack)))
    }

    /// One node of the scope, at random among the suitable ones.
    fn random(
        &self,
        round: &mut Round<'_>,
        scope: Scope<'_>,
    ) -> std::result::Result<(), NotEnoughReplicas> {
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
            let index = round.rng.below(candidates.len() as u64) as usize;
            let node = candidates.swap_remove(index);
            if self.take_node(round, node, true) {
                return Ok(());
            }
        }
        Err(NotEnoughReplicas)
    }

    /// Takes a node that is not excluded, if it is good; it is excluded afterwards either way.
    fn take_node(&self, round: &mut Round<'_>, node: DatanodeSlot, consider_load: bool) -> bool {
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
        if consider_load && manager.conf.consider_load && manager.load.nodes > 0 {
            let average = manager.load.xceivers as f64 / manager.load.nodes as f64;
            let most = average * manager.conf.consider_load_factor;
            if most > 0.0 && f64::from(record.xceiver_count) > most {
                return false;
            }
        }
        let on_rack = round
            .results
            .iter()
            .filter(|storage| manager.datanode_of(**storage).location == record.location)
            .count();
        on_rack < self.max_per_rack
    }
}
