//! Quotas from logs: limits of names and bytes.
//!
//! Hadoop: FSDirAttrOp.unprotectedSetQuota, INodeDirectory.setQuota (3.5.0)

use hdfs_types::StorageType;

use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::quota::{DONT_SET, Quota, QuotaCounts, RESET, type_index};
use crate::resolve::text;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// Sets limits; `kind` names the kind of storage that `space` is for.
    pub(crate) fn apply_set_quota(
        &mut self,
        path: &[u8],
        names: i64,
        space: i64,
        kind: Option<StorageType>,
    ) -> Result<Effects, String> {
        let slot = self.replay_inode(path)?;
        if !self.record(slot).is_directory() {
            return Err(format!("{} is not a directory", text(path)));
        }
        if names < RESET || space < RESET {
            return Err(format!("illegal quotas {names} and {space}"));
        }
        let is_root = slot == Slot::ROOT;
        let mut quota = match self.quotas.remove(&slot) {
            Some(quota) => quota,
            None => {
                let used = self.subtree_usage(slot);
                let limit = QuotaCounts { names: RESET, space: RESET, types: [RESET; 6] };
                Box::new(Quota { limit, used })
            }
        };
        match kind {
            Some(kind) => quota.limit.types[type_index(kind)] = space,
            None => {
                if is_root && names == RESET {
                    quota.limit.names = i64::MAX;
                } else if names != DONT_SET || is_root {
                    quota.limit.names = names;
                }
                if space != DONT_SET {
                    quota.limit.space = space;
                }
            }
        }
        let keep = is_root || quota.is_set();
        self.record_mut(slot).set(Flag::Quota, keep);
        if keep {
            self.quotas.insert(slot, quota);
        }
        Ok(Effects::default())
    }
}
