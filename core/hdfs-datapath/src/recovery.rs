//! Recovery of a pipeline, as a client decides it: which node is bad, whether a new one joins, what stage comes next.
//!
//! Hadoop: org.apache.hadoop.hdfs.DataStreamer,
//! org.apache.hadoop.hdfs.protocol.datatransfer.{ReplaceDatanodeOnFailure, BlockConstructionStage} (3.5.0)

use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage;
use hdfs_types::{Error, ErrorKind, Result};

/// When a failed node of a pipeline is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplacePolicy {
    /// The feature is off: asking for a node is refused.
    Disable,
    /// Never.
    Never,
    /// With replication 3 or more: when half of the nodes or fewer are left, or the block was appended to or flushed.
    #[default]
    Default,
    /// Whenever a node is missing.
    Always,
}

/// `dfs.client.block.write.replace-datanode-on-failure.*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplaceDatanode {
    /// `….enable` (true) and `….policy` (DEFAULT) together.
    pub policy: ReplacePolicy,
    /// `….best-effort` (false): go on with the nodes that are left when no replacement works.
    pub best_effort: bool,
    /// `….min-replication` (0): go on when at least so many nodes are left; 0 means that this is off.
    pub min_replication: usize,
}

impl ReplaceDatanode {
    /// From the values of the configuration.
    ///
    /// # Errors
    /// When the policy has no such name.
    pub fn new(enable: bool, policy: &str, best_effort: bool, min: usize) -> Result<Self> {
        let named = [
            ("NEVER", ReplacePolicy::Never),
            ("DEFAULT", ReplacePolicy::Default),
            ("ALWAYS", ReplacePolicy::Always),
        ];
        let policy = if enable {
            let found = named.iter().find(|(name, _)| name.eq_ignore_ascii_case(policy));
            let (_, found) = found.ok_or_else(|| {
                Error::new(
                    ErrorKind::HadoopIllegalArgument,
                    format!(
                        "Illegal configuration value for \
                         dfs.client.block.write.replace-datanode-on-failure.policy: {policy}"
                    ),
                )
            })?;
            *found
        } else {
            ReplacePolicy::Disable
        };
        Ok(Self { policy, best_effort, min_replication: min })
    }

    /// True when a pipeline of `existing` nodes for a file of this replication should get another node.
    pub fn wants_replacement(
        &self,
        replication: usize,
        existing: usize,
        is_append: bool,
        is_hflushed: bool,
    ) -> bool {
        existing > 0
            && existing < replication
            && match self.policy {
                ReplacePolicy::Disable | ReplacePolicy::Never => false,
                ReplacePolicy::Always => true,
                ReplacePolicy::Default => {
                    replication >= 3 && (existing <= replication / 2 || is_append || is_hflushed)
                }
            }
    }

    /// True when the write may go on although the wanted replacement failed.
    pub fn may_continue_without(&self, existing: usize) -> bool {
        existing > 0
            && (self.best_effort || (self.min_replication > 0 && existing >= self.min_replication))
    }
}

/// The stage that a pipeline in this stage is set up with again after a failure.
///
/// Hadoop: BlockConstructionStage.getRecoveryStage
pub fn recovery_stage(stage: BlockConstructionStage) -> BlockConstructionStage {
    use BlockConstructionStage as Stage;
    match stage {
        Stage::PipelineSetupAppend | Stage::PipelineSetupAppendRecovery => {
            Stage::PipelineSetupAppendRecovery
        }
        Stage::DataStreaming | Stage::PipelineSetupStreamingRecovery => {
            Stage::PipelineSetupStreamingRecovery
        }
        Stage::PipelineClose | Stage::PipelineCloseRecovery => Stage::PipelineCloseRecovery,
        other => other,
    }
}

/// The bad node of a failed set-up: the one that `first_bad_link` names, or the first when it names none of them.
///
/// `nodes` are the nodes' transfer addresses (`ip:port`).
pub fn bad_node_of_setup(first_bad_link: &str, nodes: &[String]) -> usize {
    nodes.iter().position(|node| node == first_bad_link).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_replaces_when_half_is_left_or_bytes_are_visible() {
        let policy = ReplaceDatanode::new(true, "default", false, 0).unwrap();
        assert!(!policy.wants_replacement(3, 2, false, false));
        assert!(policy.wants_replacement(3, 1, false, false));
        assert!(policy.wants_replacement(3, 2, true, false));
        assert!(policy.wants_replacement(3, 2, false, true));
        assert!(!policy.wants_replacement(2, 1, true, true));
        assert!(!policy.wants_replacement(3, 3, true, true));
        assert!(!policy.wants_replacement(3, 0, true, true));
    }

    #[test]
    fn always_and_never_do_what_they_say() {
        let always = ReplaceDatanode::new(true, "ALWAYS", false, 0).unwrap();
        let never = ReplaceDatanode::new(true, "NEVER", true, 0).unwrap();
        assert!(always.wants_replacement(2, 1, false, false));
        assert!(!never.wants_replacement(3, 1, true, true));
        assert!(never.may_continue_without(1) && !always.may_continue_without(1));
        assert!(ReplaceDatanode::new(true, "SOMETIMES", false, 0).is_err());
    }

    #[test]
    fn the_named_link_is_bad_else_the_first_node() {
        let nodes = ["10.0.0.1:9866".to_owned(), "10.0.0.2:9866".to_owned()];
        assert_eq!(bad_node_of_setup("10.0.0.2:9866", &nodes), 1);
        assert_eq!(bad_node_of_setup("", &nodes), 0);
    }
}
