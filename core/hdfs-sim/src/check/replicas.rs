//! Replicas are safe: no order to delete takes the last good copy, and no replica's stamp goes back.

use std::collections::BTreeMap;

use hdfs_types::{BlockId, GenerationStamp};

use crate::kernel::NodeId;

/// Stamps that were seen, by node and block.
#[derive(Default, Debug)]
pub(crate) struct Stamps(BTreeMap<(NodeId, BlockId), GenerationStamp>);

impl Stamps {
    /// A replica is there with this stamp.
    pub(crate) fn see(
        &mut self,
        node: NodeId,
        id: BlockId,
        stamp: GenerationStamp,
    ) -> Result<(), String> {
        let known = self.0.entry((node, id)).or_insert(stamp);
        if stamp < *known {
            return Err(format!(
                "{node:?}: the stamp of blk_{id} went from {known} back to {stamp}"
            ));
        }
        *known = stamp;
        Ok(())
    }

    /// It lost power, or the replica is gone: what comes is new.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.0.retain(|(of, _), _| *of != node);
    }
}

/// A deletion of one of `good` copies, of which `wanted` should be.
pub(crate) fn check_deletion(
    block: BlockId,
    is_good: bool,
    good: usize,
    wanted: usize,
) -> Result<(), String> {
    if is_good && good <= wanted.max(1) && good <= 1 {
        return Err(format!("blk_{block}: an order deletes the last good copy"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_that_goes_back_is_found() {
        let mut stamps = Stamps::default();
        let see =
            |stamps: &mut Stamps, stamp| stamps.see(NodeId(1), BlockId(7), GenerationStamp(stamp));
        assert!(see(&mut stamps, 5).is_ok() && see(&mut stamps, 6).is_ok());
        assert!(see(&mut stamps, 5).unwrap_err().contains("back"));
        stamps.forget(NodeId(1));
        assert!(see(&mut stamps, 5).is_ok());
    }

    #[test]
    fn the_deletion_of_the_last_good_copy_is_found() {
        assert!(check_deletion(BlockId(7), true, 1, 1).is_err());
        assert!(check_deletion(BlockId(7), false, 1, 1).is_ok());
        assert!(check_deletion(BlockId(7), true, 2, 1).is_ok());
    }
}
