//! Upgrades: whether one is open, and the mark of a rolling one.
//!
//! What an upgrade does to the name folders is the shell's; it tells the machine how they are.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem (3.5.0)
//! Proto: ClientNamenodeProtocol.proto upgradeStatus, rollingUpgrade; NamenodeProtocol.proto isUpgradeFinalized,
//! isRollingUpgrade

use hdfs_blocks::Now;
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_namespace::RollingUpgrade;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::namenode as n;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, WallMillis};

use crate::call::Call;
use crate::identity::Identity;
use crate::machine::NameNode;

/// The newest layout that every layout after it can be read with, too.
///
/// Hadoop: NameNodeLayoutVersion.MINIMUM_COMPATIBLE_LAYOUT_VERSION
pub const MINIMUM_COMPATIBLE_LAYOUT_VERSION: i32 = -61;

impl NameNode {
    /// Tells whether the state before an upgrade is gone, so that DataNodes may delete theirs.
    pub fn set_upgrade_finalized(&mut self, finalized: bool) {
        self.upgrade_finalized = finalized;
    }

    /// True unless the state before an upgrade is still kept.
    pub fn is_upgrade_finalized(&self) -> bool {
        self.upgrade_finalized
    }

    /// True while a rolling upgrade can be taken back.
    pub fn is_rolling_upgrade(&self) -> bool {
        self.namespace.is_rolling_upgrade()
    }

    /// The layout in which edits and images are written: the folders' own while a rolling upgrade may be taken back by
    /// the software before it.
    pub fn effective_layout_version(&self) -> i32 {
        let stored = self.identity.layout_version;
        if self.is_rolling_upgrade() && stored <= MINIMUM_COMPATIBLE_LAYOUT_VERSION {
            return stored;
        }
        NAMENODE_LAYOUT_VERSION
    }

    /// The name folders were upgraded: they have another identity now.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = identity;
    }

    /// The name folders have another layout now.
    pub fn set_layout_version(&mut self, layout_version: i32) {
        self.identity.layout_version = layout_version;
    }

    /// Proto: upgradeStatus.
    ///
    /// # Errors
    /// Not a superuser.
    pub fn upgrade_status(
        &self,
        call: &Call<'_>,
        _: &p::UpgradeStatusRequestProto,
    ) -> Result<p::UpgradeStatusResponseProto> {
        call.caller.check_superuser()?;
        Ok(p::UpgradeStatusResponseProto { upgrade_finalized: self.upgrade_finalized })
    }

    /// Proto: isUpgradeFinalized.
    ///
    /// # Errors
    /// Not a superuser.
    pub fn peer_upgrade_status(
        &self,
        call: &Call<'_>,
        _: &n::IsUpgradeFinalizedRequestProto,
    ) -> Result<n::IsUpgradeFinalizedResponseProto> {
        call.caller.check_superuser()?;
        Ok(n::IsUpgradeFinalizedResponseProto { is_upgrade_finalized: self.upgrade_finalized })
    }

    /// Proto: isRollingUpgrade.
    ///
    /// # Errors
    /// Not a superuser.
    pub fn peer_rolling_upgrade(
        &self,
        call: &Call<'_>,
        _: &n::IsRollingUpgradeRequestProto,
    ) -> Result<n::IsRollingUpgradeResponseProto> {
        call.caller.check_superuser()?;
        Ok(n::IsRollingUpgradeResponseProto { is_rolling_upgrade: self.is_rolling_upgrade() })
    }

    /// The rolling upgrade that is under way, as a message.
    pub fn rolling_upgrade_info(
        &self,
        has_rollback_image: bool,
    ) -> Option<p::RollingUpgradeInfoProto> {
        let upgrade = self.namespace.rolling_upgrade().filter(|of| of.finalized.is_none())?;
        Some(self.info_proto(upgrade, has_rollback_image))
    }

    fn info_proto(
        &self,
        upgrade: RollingUpgrade,
        created_rollback_images: bool,
    ) -> p::RollingUpgradeInfoProto {
        p::RollingUpgradeInfoProto {
            status: self.rolling_status(upgrade),
            start_time: upgrade.started.0,
            finalize_time: upgrade.finalized.map_or(0, |WallMillis(millis)| millis),
            created_rollback_images: created_rollback_images && upgrade.finalized.is_none(),
        }
    }

    fn rolling_status(&self, upgrade: RollingUpgrade) -> p::RollingUpgradeStatusProto {
        p::RollingUpgradeStatusProto {
            block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            finalized: Some(upgrade.finalized.is_some()),
        }
    }

    /// What a heartbeat tells a DataNode: for old ones, which know no final upgrade, and for others.
    pub(crate) fn rolling_upgrade_statuses(
        &self,
    ) -> (Option<p::RollingUpgradeStatusProto>, Option<p::RollingUpgradeStatusProto>) {
        let Some(upgrade) = self.namespace.rolling_upgrade() else { return (None, None) };
        let status = self.rolling_status(upgrade);
        let old = upgrade.finalized.is_none().then(|| status.clone());
        (old, Some(status))
    }

    /// Checks that a rolling upgrade may be started by a NameNode without a standby.
    ///
    /// # Errors
    /// Outside of safe mode.
    pub fn check_start_of_rolling_upgrade(&self) -> Result<()> {
        if !self.in_safe_mode() {
            return Err(Error::io(
                "Safe mode should be turned ON in order to create namespace image.",
            ));
        }
        Ok(())
    }

    /// Starts a rolling upgrade, after the image to go back to was saved, and leaves safe mode.
    ///
    /// # Errors
    /// When the caller may not.
    pub fn start_rolling_upgrade(&mut self, call: &Call<'_>) -> Result<p::RollingUpgradeInfoProto> {
        self.leave_safe_mode(call.now.mono, false);
        let planned =
            self.plan(call, |namespace, ctx| namespace.plan_start_rolling_upgrade(ctx))?;
        let upgrade = self.commit(planned, call.now);
        Ok(self.info_proto(upgrade, true))
    }

    /// Checks that a rolling upgrade may be made final; false when none is under way.
    ///
    /// # Errors
    /// Safe mode.
    pub fn check_end_of_rolling_upgrade(&self, now: Now) -> Result<bool> {
        if !self.is_rolling_upgrade() {
            return Ok(false);
        }
        self.check_writable("Failed to finalize rolling upgrade", now.mono)?;
        Ok(true)
    }

    /// Makes a rolling upgrade final; none when none is under way.
    ///
    /// # Errors
    /// Safe mode.
    pub fn finalize_rolling_upgrade(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Option<p::RollingUpgradeInfoProto>> {
        self.check_end_of_rolling_upgrade(call.now)?;
        let planned =
            self.plan(call, |namespace, ctx| namespace.plan_finalize_rolling_upgrade(ctx))?;
        let upgrade = self.commit(planned, call.now);
        Ok(upgrade.map(|upgrade| self.info_proto(upgrade, false)))
    }

    /// Refuses what the software before a rolling upgrade could not read.
    ///
    /// # Errors
    /// When the effective layout does not have it.
    pub(crate) fn check_layout_feature(&self, feature: Feature, name: &str) -> Result<()> {
        let layout = self.effective_layout_version();
        if Layout::of(layout).supports(feature) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::HadoopIllegalArgument,
            format!(
                "Feature {name} unsupported at NameNode layout version {layout}.  If a rolling upgrade is in progress, \
                 then it must be finalized before using this feature."
            ),
        ))
    }

    /// Refuses to act during a rolling upgrade.
    ///
    /// Hadoop: FSNamesystem.checkRollingUpgrade
    ///
    /// # Errors
    /// During one.
    pub fn check_no_rolling_upgrade(&self, action: &str) -> Result<()> {
        let Some(upgrade) = self.namespace.rolling_upgrade().filter(|_| self.is_rolling_upgrade())
        else {
            return Ok(());
        };
        let started = hdfs_format::storage_dir::CivilTime::from(upgrade.started);
        Err(Error::new(
            ErrorKind::RollingUpgrade,
            format!(
                "Failed to {action} since a rolling upgrade is already in progress. Existing rolling upgrade info:\n  \
                 Block Pool ID: {}\n     Start Time: {started} (={})\n  Finalize Time: <NOT FINALIZED>",
                self.identity.block_pool_id.as_str(),
                upgrade.started.0
            ),
        ))
    }
}
