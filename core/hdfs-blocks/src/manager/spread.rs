//! Whether the replicas of a block lie as the placement policy wants, and which of them may go.
//!
//! Hadoop: verifyBlockPlacement and pickupReplicaSet of the classes of BlockPlacementPolicy (3.5.0)

use std::collections::{BTreeMap, BTreeSet};

use super::BlockManager;
use super::replicas::ReplicaClass;
use super::target::domain_of;
use crate::datanode::StorageSlot;
use crate::placement_policy::PlacementPolicy;

/// Replicas on too few racks, or in too few upgrade domains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlacementViolation {
    /// Racks that are missing.
    pub missing_racks: usize,
    /// Racks with nodes.
    pub racks: usize,
    /// With too few upgrade domains: replicas wanted, and the domains that there are.
    pub domains: Option<(usize, Vec<String>)>,
}

impl BlockManager {
    /// Racks that a block wants and does not have; none when there are no more.
    fn lacking_racks(&self, rule: PlacementPolicy, replication: usize, have: usize) -> usize {
        if !self.topology.ever_multi_rack() || have >= self.topology.rack_count() {
            return 0;
        }
        let wanted = if rule.is_rack_fault_tolerant() { replication } else { replication.min(2) };
        wanted.saturating_sub(have)
    }

    fn domains_of(&self, storages: &[StorageSlot]) -> BTreeSet<String> {
        storages.iter().map(|s| domain_of(self.datanode_of(*s)).into_owned()).collect()
    }

    fn racks_of(&self, storages: &[StorageSlot]) -> usize {
        let racks: BTreeSet<&str> =
            storages.iter().map(|s| self.datanode_of(*s).location.as_str()).collect();
        racks.len()
    }

    fn lacking_domains(&self, replication: usize, have: usize) -> usize {
        replication.min(self.conf.upgrade_domain_factor).saturating_sub(have)
    }

    /// Replicas that a sound placement needs on other racks, or in other upgrade domains, than the good ones and `more`.
    pub(crate) fn misplaced(&self, slot: u32, more: &[StorageSlot]) -> usize {
        let rule = self.conf.placement;
        let by_domain = rule == PlacementPolicy::UpgradeDomain;
        if !by_domain && !self.topology.ever_multi_rack() {
            return 0;
        }
        let id = self.map.id(slot);
        let good = self.map.storages(slot).into_iter().filter(|storage| {
            !matches!(
                self.classify(id, *storage),
                ReplicaClass::Corrupt
                    | ReplicaClass::Decommissioning
                    | ReplicaClass::Decommissioned
                    | ReplicaClass::Gone
            )
        });
        let all: Vec<StorageSlot> = good.chain(more.iter().copied()).collect();
        let replication = usize::from(self.map.entry(slot).replication());
        let racks = self.lacking_racks(rule, replication, self.racks_of(&all));
        if !by_domain {
            return racks;
        }
        racks.max(self.lacking_domains(replication, self.domains_of(&all).len()))
    }

    /// Whether these places of a block with so many wanted replicas, or of a group with so many blocks, are too close to
    /// each other.
    pub fn placement_violation(
        &self,
        locations: &[StorageSlot],
        replication: u16,
        is_group: bool,
    ) -> Option<PlacementViolation> {
        let rule = if is_group { self.conf.placement_of_groups } else { self.conf.placement };
        let replication = usize::from(replication);
        let missing_racks = self.lacking_racks(rule, replication, self.racks_of(locations));
        let domains = (rule == PlacementPolicy::UpgradeDomain)
            .then(|| self.domains_of(locations))
            .filter(|domains| self.lacking_domains(replication, domains.len()) > 0)
            .map(|domains| (replication, domains.into_iter().collect()));
        (missing_racks > 0 || domains.is_some()).then(|| PlacementViolation {
            missing_racks,
            racks: self.topology.rack_count(),
            domains,
        })
    }

    /// Of surplus replicas those among which one is chosen. `shared`: those that share their rack with another one.
    pub(crate) fn candidates(
        &self,
        replicas: &[StorageSlot],
        shared: &[StorageSlot],
    ) -> Vec<StorageSlot> {
        let rule = self.conf.placement;
        if rule.is_rack_fault_tolerant() {
            return if shared.is_empty() { replicas.to_vec() } else { shared.to_vec() };
        }
        if rule == PlacementPolicy::UpgradeDomain {
            let same_domain = self.in_shared_domains(replicas);
            if !same_domain.is_empty() {
                let both: Vec<StorageSlot> =
                    same_domain.iter().copied().filter(|s| shared.contains(s)).collect();
                return if both.is_empty() { same_domain } else { both };
            }
        }
        // With two racks, those on a shared rack; else all.
        if self.racks_of(replicas) == 2 && !shared.is_empty() {
            return shared.to_vec();
        }
        replicas.to_vec()
    }

    /// Whether a replica can go as the balancer wants: neither a rack nor an upgrade domain is lost with it.
    pub(crate) fn may_follow_hint(
        &self,
        replicas: &[StorageSlot],
        shared: &[StorageSlot],
        hint: StorageSlot,
        added: Option<StorageSlot>,
    ) -> bool {
        let keeps = |groups: &[StorageSlot]| {
            groups.contains(&hint) || added.is_some_and(|added| !groups.contains(&added))
        };
        keeps(shared)
            && (self.conf.placement != PlacementPolicy::UpgradeDomain
                || keeps(&self.in_shared_domains(replicas))
                || self.domains_of(replicas).len() > self.conf.upgrade_domain_factor)
    }

    fn in_shared_domains(&self, replicas: &[StorageSlot]) -> Vec<StorageSlot> {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for storage in replicas {
            *counts.entry(domain_of(self.datanode_of(*storage))).or_default() += 1;
        }
        let shared = |s: &StorageSlot| counts[&domain_of(self.datanode_of(*s))] > 1;
        replicas.iter().copied().filter(shared).collect()
    }
}
