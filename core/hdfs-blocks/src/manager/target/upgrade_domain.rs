//! Replicas on nodes that are not taken down together.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicyWithUpgradeDomain (3.5.0)

use std::borrow::Cow;

use super::placement::{Placement, Round};
use crate::datanode::{Datanode, DatanodeSlot};
use crate::placement_policy::PlacementPolicy;

/// The upgrade domain of a node; one that has none is a domain of its own.
pub(crate) fn domain_of(node: &Datanode) -> Cow<'_, str> {
    match &node.upgrade_domain {
        Some(domain) => Cow::Borrowed(domain),
        None => Cow::Owned(node.registration.xfer_addr()),
    }
}

impl Placement<'_> {
    /// Whether the node is in none of the domains of the replicas so far; after as many as wanted any will do.
    pub(super) fn is_new_domain(&self, round: &Round<'_>, node: DatanodeSlot) -> bool {
        if self.placement != PlacementPolicy::UpgradeDomain {
            return true;
        }
        let enough = round.results.len() >= self.manager.conf.upgrade_domain_factor;
        let own = domain_of(self.manager.datanode(node));
        enough || round.results.iter().all(|s| domain_of(self.manager.datanode_of(*s)) != own)
    }
}
