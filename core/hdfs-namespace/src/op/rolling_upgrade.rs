//! The mark of a rolling upgrade: from OP_ROLLING_UPGRADE_START to OP_ROLLING_UPGRADE_FINALIZE the state before it can be
//! had back, and DataNodes keep what they delete.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.{startRollingUpgrade, finalizeRollingUpgrade},
//! org.apache.hadoop.hdfs.protocol.RollingUpgradeInfo (3.5.0)

use hdfs_format::edits::{EditOp, RollingUpgradeOp};
use hdfs_types::{Result, WallMillis};

use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};

/// A rolling upgrade, under way or made final since the NameNode started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RollingUpgrade {
    /// When it was started.
    pub started: WallMillis,
    /// When it was made final; none while it is under way. An image does not tell.
    pub finalized: Option<WallMillis>,
}

impl Namespace {
    /// The rolling upgrade, if there is one.
    pub fn rolling_upgrade(&self) -> Option<RollingUpgrade> {
        self.carried.rolling_upgrade
    }

    /// True from the start of a rolling upgrade until it is final.
    pub fn is_rolling_upgrade(&self) -> bool {
        self.rolling_upgrade().is_some_and(|upgrade| upgrade.finalized.is_none())
    }

    /// Forgets a rolling upgrade that an image tells of: as Hadoop, when there is no image to go back to any more.
    pub fn forget_rolling_upgrade(&mut self) {
        self.carried.rolling_upgrade = None;
    }

    /// Starts a rolling upgrade. Nothing happens when one is under way. The caller has saved the image to go back to.
    ///
    /// # Errors
    /// When the caller may not.
    pub fn plan_start_rolling_upgrade(
        &self,
        ctx: &PlanContext<'_>,
    ) -> Result<Planned<RollingUpgrade>> {
        if let Some(upgrade) = self.rolling_upgrade().filter(|_| self.is_rolling_upgrade()) {
            return Ok(Planned::nothing(ctx, upgrade));
        }
        let op = EditOp::RollingUpgradeStart(RollingUpgradeOp { time: ctx.now });
        let upgrade = RollingUpgrade { started: ctx.now, finalized: None };
        Ok(Planned::one(ctx, op, upgrade))
    }

    /// Makes a rolling upgrade final; none when none is under way.
    ///
    /// # Errors
    /// When the caller may not.
    pub fn plan_finalize_rolling_upgrade(
        &self,
        ctx: &PlanContext<'_>,
    ) -> Result<Planned<Option<RollingUpgrade>>> {
        let Some(upgrade) = self.rolling_upgrade().filter(|_| self.is_rolling_upgrade()) else {
            return Ok(Planned::nothing(ctx, None));
        };
        let op = EditOp::RollingUpgradeFinalize(RollingUpgradeOp { time: ctx.now });
        let upgrade = RollingUpgrade { finalized: Some(ctx.now), ..upgrade };
        Ok(Planned::one(ctx, op, Some(upgrade)))
    }

    pub(crate) fn apply_rolling_upgrade_start(
        &mut self,
        op: &RollingUpgradeOp,
    ) -> Result<Effects, String> {
        if self.is_rolling_upgrade() {
            return Err("a rolling upgrade is already in progress".to_owned());
        }
        let upgrade = RollingUpgrade { started: op.time, finalized: None };
        self.carried.rolling_upgrade = Some(upgrade);
        Ok(Effects::default())
    }

    /// One that is under way nowhere changes nothing, as in Hadoop: its image may be gone.
    pub(crate) fn apply_rolling_upgrade_finalize(&mut self, op: &RollingUpgradeOp) -> Effects {
        if let Some(upgrade) = &mut self.carried.rolling_upgrade
            && upgrade.finalized.is_none()
        {
            upgrade.finalized = Some(op.time);
        }
        Effects::default()
    }
}
