//! Replay of the log at start, and what follows it: the blocks of all files, at once.
//!
//! Before a NameNode serves nobody asks it for blocks. So replay changes the namespace only, and when it ends every block is
//! added as the files have it then: once, in the order of the files, without what was undone on the way.

use std::collections::BTreeMap;

use hdfs_blocks::BlockState::{Complete, UnderConstruction};
use hdfs_blocks::Now;
use hdfs_format::edits::EditOp;
use hdfs_namespace::{BlockChange, INLINE_STEPS};
use hdfs_types::{Block, BlockId, Error, Result, TxId};

use crate::machine::{NameNode, Source, striped_units};
use crate::retry_cache::{Cached, CachedAnswer, CallKey};
use crate::safe_mode::SafeMode;

/// What files do not say about their blocks: recoveries that truncation began and that have not ended.
#[derive(Default)]
pub(crate) struct BlocksLater {
    recoveries: BTreeMap<BlockId, BlockChange>,
}

impl BlocksLater {
    /// Follows a change of a block.
    #[inline]
    pub(crate) fn note(&mut self, change: &BlockChange) {
        match change {
            BlockChange::TruncateScheduled { id, .. } | BlockChange::CopyScheduled { id, .. } => {
                self.recoveries.insert(*id, *change);
            }
            BlockChange::Completed { id } | BlockChange::Removed { block: Block { id, .. } }
                if !self.recoveries.is_empty() =>
            {
                self.recoveries.remove(id);
            }
            _ => {}
        }
    }
}

impl NameNode {
    /// Applies an operation of the log.
    ///
    /// # Errors
    /// When it does not fit the namespace.
    pub fn replay(&mut self, txid: TxId, op: &EditOp, now: Now) -> Result<()> {
        let effects = self
            .namespace
            .replay(txid, op)
            .map_err(|error| Error::io(error.to_string()).with_source(error))?;
        self.last_txid = txid;
        let retry = op.retry_key();
        if retry.is_present() {
            let key = CallKey::new(retry.client_id, retry.call_id);
            let answer = effects.opened.map_or_else(|| replayed_answer(op), CachedAnswer::File);
            self.retry.put(key, Cached { answer, txid }, now.mono);
        }
        self.perform(effects, &Source::Replay)
    }

    /// Ends replay: from here on the machine serves.
    ///
    /// # Errors
    /// As [`Self::add_blocks`].
    pub fn start(&mut self, now: Now) -> Result<()> {
        self.add_blocks()?;
        let total = self.blocks.safe_counts().total;
        self.safe_mode = SafeMode::new(self.conf.safe_mode.clone(), total, self.conf.host.clone());
        self.blocks.set_generation_stamp(self.namespace.identities().generation_stamp);
        self.blocks.set_safe_mode(self.safe_mode.is_on(), true);
        self.namespace.leases_mut().renew_all(now.mono);
        self.namespace.recount_names();
        self.namespace.set_inline_steps(INLINE_STEPS);
        self.check_safe_mode(now.mono);
        Ok(())
    }

    /// Adds the blocks of all files, if that was not done. Operations that are replayed later change them one by one.
    ///
    /// # Errors
    /// When a block is out of range or belongs to two files.
    pub fn add_blocks(&mut self) -> Result<()> {
        let Some(later) = self.blocks_later.take() else { return Ok(()) };
        let (namespace, blocks) = (&self.namespace, &mut self.blocks);
        let mut added = Ok(());
        namespace.visit_blocks(|of| {
            let state = if of.complete { Complete } else { UnderConstruction };
            if added.is_ok() {
                added = match striped_units(namespace, of.block.id, of.owner) {
                    Some(units) => blocks.add_group(of.block, of.owner, units, state, &[]),
                    None => blocks.add_block(of.block, of.owner, of.replication, state),
                };
                if let Some(source) = of.copy_source {
                    blocks.set_truncate_block(of.block.id, source);
                }
            }
        });
        added?;
        for (id, change) in later.recoveries {
            if self.still_recovers(id, &change) {
                self.change_block(change, &Source::Replay)?;
            }
        }
        Ok(())
    }

    /// False when the block is gone, complete, or has the stamp of its recovery already.
    fn still_recovers(&self, id: BlockId, change: &BlockChange) -> bool {
        let Some(info) = self.blocks.block(id).filter(|info| info.state == UnderConstruction)
        else {
            return false;
        };
        match change {
            BlockChange::TruncateScheduled { recovery_stamp, .. } => {
                *recovery_stamp > info.block.generation_stamp
            }
            BlockChange::CopyScheduled { recovery_stamp, .. } => {
                *recovery_stamp >= info.block.generation_stamp
            }
            _ => false,
        }
    }
}

/// What a call answered, as far as its operation says.
fn replayed_answer(op: &EditOp) -> CachedAnswer {
    match op {
        EditOp::Delete(_) | EditOp::RenameOld(_) | EditOp::Truncate(_) => CachedAnswer::Flag(true),
        EditOp::CreateSnapshot(op) => {
            let mut path = op.snapshot_root.clone();
            if path != b"/" {
                path.push(b'/');
            }
            path.extend_from_slice(b".snapshot/");
            path.extend_from_slice(&op.snapshot_name);
            CachedAnswer::Path(path)
        }
        EditOp::AddCacheDirective(op) => CachedAnswer::Directive(op.directive.id),
        _ => CachedAnswer::Done,
    }
}
