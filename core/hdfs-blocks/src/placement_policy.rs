//! The rules by which replicas are placed, verified and chosen for deletion.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockPlacementPolicy (3.5.0)

/// A rule: Hadoop's class of the same name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlacementPolicy {
    /// Two racks.
    #[default]
    Default,
    /// As many racks as there are replicas.
    RackFaultTolerant,
    /// Two racks, and of two nodes more often the one that is less full.
    AvailableSpace,
    /// Both of these.
    AvailableSpaceRackFaultTolerant,
    /// Two racks, and nodes that are not taken down together.
    UpgradeDomain,
}

impl PlacementPolicy {
    /// The rule of a class.
    pub fn of_class(name: &str) -> Option<Self> {
        let class = name.rsplit_once('.').map_or(name, |(_, class)| class);
        Some(match class {
            "BlockPlacementPolicyDefault" => Self::Default,
            "BlockPlacementPolicyRackFaultTolerant" => Self::RackFaultTolerant,
            "AvailableSpaceBlockPlacementPolicy" => Self::AvailableSpace,
            "AvailableSpaceRackFaultTolerantBlockPlacementPolicy" => {
                Self::AvailableSpaceRackFaultTolerant
            }
            "BlockPlacementPolicyWithUpgradeDomain" => Self::UpgradeDomain,
            _ => return None,
        })
    }

    pub(crate) fn is_rack_fault_tolerant(self) -> bool {
        matches!(self, Self::RackFaultTolerant | Self::AvailableSpaceRackFaultTolerant)
    }
}

/// How much fuller nodes are avoided. Percentages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpacePreference {
    /// How often the emptier one of two nodes is taken.
    pub emptier: u32,
    /// Nodes that differ by less are equal.
    pub tolerance: u32,
    /// As long as both are less full than this.
    pub tolerance_limit: u32,
    /// The writer's own node is weighed against one of its rack.
    pub weigh_local: bool,
}

impl Default for SpacePreference {
    fn default() -> Self {
        Self { emptier: 60, tolerance: 5, tolerance_limit: 100, weigh_local: false }
    }
}
