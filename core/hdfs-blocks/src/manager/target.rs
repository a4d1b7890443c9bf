//! Where new replicas go.
//!
//! The default placement policy: first replica on the writer's node, second on another rack, third on the second's rack
//! (for a new block), the rest at random; never two on one node, and no more on one rack than an even spread needs. A node
//! must be in service, have room, and not be busier than twice the average. What other policies do otherwise is below
//! `target/`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyDefault (3.5.0)

mod available_space;
mod placement;
mod rack_fault_tolerant;
mod upgrade_domain;

use std::collections::BTreeSet;

use hdfs_types::{Error, Mono, Result, Rng, SplitMix64, StorageType};

use self::placement::{Placement, Round, Writer};
pub(crate) use self::upgrade_domain::domain_of;
use super::{BlockManager, PlacementFlags, TargetRequest};
use crate::datanode::{DatanodeSlot, StorageSlot};
use crate::placement_policy::PlacementPolicy;
use crate::registration::StorageState;
use crate::storage_policy::StoragePolicy;
use crate::topology;

/// A request for copies of an existing block, or for more nodes of a pipeline.
#[derive(Clone)]
pub(crate) struct CopyRequest<'a> {
    pub(crate) count: usize,
    pub(crate) writer: Option<DatanodeSlot>,
    pub(crate) chosen: &'a [StorageSlot],
    pub(crate) excluded: BTreeSet<DatanodeSlot>,
    pub(crate) block_size: u64,
    pub(crate) policy: u8,
    pub(crate) placement: PlacementPolicy,
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
        self.choose_at_least(now, request, minimum, "minReplication nodes", self.conf.placement)
    }

    /// Storages for the blocks of a new group, by index: at least `data` of them.
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
        let what = format!("required nodes for {policy}");
        self.choose_at_least(now, request, data, &what, self.conf.placement_of_groups)
    }

    fn choose_at_least(
        &mut self,
        now: Mono,
        request: &TargetRequest<'_>,
        minimum: usize,
        what: &str,
        placement: PlacementPolicy,
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
        let targets =
            self.new_block_targets(now, request, writer, &mut excluded, &mut rng, placement);
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
                placement: self.conf.placement,
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
        let all = self.choose_copies_with(now, request, &mut rng);
        self.rng = rng;
        all
    }

    /// The same without a trace.
    pub(crate) fn choose_copies_with(
        &self,
        now: Mono,
        request: CopyRequest<'_>,
        rng: &mut SplitMix64,
    ) -> Vec<StorageSlot> {
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
                placement: request.placement,
                flags,
            },
            writer,
            &mut excluded,
            rng,
        );
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
    fn spread(&self, placement: PlacementPolicy, chosen: usize, wanted: usize) -> (usize, usize) {
        let nodes = self.topology.nodes().len();
        let total = (chosen + wanted).min(nodes);
        let wanted = total.saturating_sub(chosen).min(wanted);
        let racks = self.topology.rack_count();
        if racks <= 1 || total <= 1 {
            return (wanted, total);
        }
        if placement.is_rack_fault_tolerant() {
            return (wanted, total.div_ceil(racks));
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
        rule: PlacementPolicy,
    ) -> Vec<StorageSlot> {
        let policy = StoragePolicy::of(request.storage_policy);
        let mut results = Vec::new();
        if !request.favored.is_empty() {
            let (wanted, max_per_rack) = self.spread(rule, 0, request.replicas);
            let placement = Placement {
                manager: self,
                now,
                block_size: request.block_size,
                policy,
                placement: rule,
                new_block: true,
            };
            let mut round = Round {
                rng,
                excluded: excluded.clone(),
                results: Vec::new(),
                types: policy.types_for(request.replicas),
                avoid_stale: self.avoids_stale_for_write(now),
                max_per_rack,
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
            placement: rule,
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
        let (wanted, max_per_rack) =
            self.spread(arguments.placement, chosen.len(), arguments.count);
        if wanted == 0 {
            return chosen.to_vec();
        }
        let placement = Placement {
            manager: self,
            now: arguments.now,
            block_size: arguments.block_size,
            policy: arguments.policy,
            placement: arguments.placement,
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
            let found =
                placement.run(wanted, max_per_rack, writer, &mut both, chosen.to_vec(), rng);
            if found.len() >= chosen.len() + wanted {
                return found;
            }
        }
        placement.run(wanted, max_per_rack, writer, excluded, chosen.to_vec(), rng)
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

    /// Room for one more block on a node, on some kind of storage that the policy allows.
    pub(crate) fn has_room(&self, node: DatanodeSlot, policy: u8, block_size: u64) -> bool {
        let policy = StoragePolicy::of(policy);
        let mut kinds = policy.types_for(policy.storage_types.len());
        kinds.extend(policy.replication_fallbacks.iter().copied());
        kinds.iter().any(|kind| self.room_on(node, *kind, block_size).is_some())
    }

    /// Much busier than the others.
    pub(crate) fn is_busy(&self, node: DatanodeSlot) -> bool {
        if !self.conf.consider_load || self.load.nodes == 0 {
            return false;
        }
        let average = self.load.xceivers as f64 / self.load.nodes as f64;
        let most = average * self.conf.consider_load_factor;
        most > 0.0 && f64::from(self.datanode(node).xceiver_count) > most
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
    placement: PlacementPolicy,
    flags: PlacementFlags,
}
