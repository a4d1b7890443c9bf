//! Counters equal a recount, in the namespace and in the block manager.

use hdfs_namenode::NameNode;

/// Recounts everything.
pub(crate) fn check(nn: &NameNode) -> Result<(), String> {
    nn.namespace()
        .check_invariants()
        .map_err(|wrong| format!("the namespace's accounts: {wrong}"))?;
    nn.blocks()
        .check_invariants()
        .map_err(|wrong| format!("the block manager's accounts: {wrong:?}"))
}
