//! More calls of administrators: "read this part of your configuration again", upgrades, where snapshots are allowed.
//!
//! Proto: RefreshAuthorizationPolicyProtocol.proto, RefreshUserMappingsProtocol.proto, RefreshCallQueueProtocol.proto,
//! GetUserMappingsProtocol.proto, ClientNamenodeProtocol.proto

use hdfs_proto::{common, hdfs as proto};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{Result, WallMillis};

use crate::HdfsClient;
use crate::located::DatanodeInfo;

const fn protocol(java_name: &'static str) -> Protocol {
    Protocol { java_name, version: 1 }
}

const ACL: Protocol =
    protocol("org.apache.hadoop.security.authorize.RefreshAuthorizationPolicyProtocol");
const REFRESH_USERS: Protocol = protocol("org.apache.hadoop.security.RefreshUserMappingsProtocol");
const CALL_QUEUE: Protocol = protocol("org.apache.hadoop.ipc.RefreshCallQueueProtocol");
const USERS: Protocol = protocol("org.apache.hadoop.tools.GetUserMappingsProtocol");

/// What to do about a rolling upgrade.
///
/// Proto: ClientNamenodeProtocol.proto RollingUpgradeActionProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum RollingUpgradeAction {
    /// Only ask.
    Query = 1,
    /// Begin one.
    Prepare = 2,
    /// End it.
    Finalize = 3,
}

/// A rolling upgrade.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RollingUpgrade {
    /// The block pool it is about.
    pub block_pool: String,
    /// When it began.
    pub started: WallMillis,
    /// When it ended.
    pub finalized: Option<WallMillis>,
    /// The image to go back to is there.
    pub has_rollback_image: bool,
}

impl HdfsClient {
    /// Makes the NameNode read the lists of who may speak which protocol again.
    ///
    /// Proto: RefreshAuthorizationPolicyProtocol.proto refreshServiceAcl
    ///
    /// # Errors
    /// `AccessControl`; `Authorization` when `hadoop.security.authorization` is off.
    pub async fn refresh_service_acl(&self) -> Result<()> {
        let request = common::RefreshServiceAclRequestProto {};
        let _: common::RefreshServiceAclResponseProto =
            self.namenode().speaking(ACL).call("refreshServiceAcl", &request).await?;
        Ok(())
    }

    /// Makes the NameNode forget which groups users have.
    ///
    /// Proto: RefreshUserMappingsProtocol.proto refreshUserToGroupsMappings
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn refresh_user_to_groups_mappings(&self) -> Result<()> {
        let namenode = self.namenode().speaking(REFRESH_USERS);
        let request = common::RefreshUserToGroupsMappingsRequestProto {};
        let _: common::RefreshUserToGroupsMappingsResponseProto =
            namenode.call("refreshUserToGroupsMappings", &request).await?;
        Ok(())
    }

    /// Makes the NameNode read again who may act for whom.
    ///
    /// Proto: RefreshUserMappingsProtocol.proto refreshSuperUserGroupsConfiguration
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn refresh_super_user_groups(&self) -> Result<()> {
        let namenode = self.namenode().speaking(REFRESH_USERS);
        let request = common::RefreshSuperUserGroupsConfigurationRequestProto {};
        let _: common::RefreshSuperUserGroupsConfigurationResponseProto =
            namenode.call("refreshSuperUserGroupsConfiguration", &request).await?;
        Ok(())
    }

    /// Makes the NameNode read the settings of its call queue again.
    ///
    /// Proto: RefreshCallQueueProtocol.proto refreshCallQueue
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn refresh_call_queue(&self) -> Result<()> {
        let request = common::RefreshCallQueueRequestProto {};
        let _: common::RefreshCallQueueResponseProto =
            self.namenode().speaking(CALL_QUEUE).call("refreshCallQueue", &request).await?;
        Ok(())
    }

    /// The groups of a user, as the NameNode sees them.
    ///
    /// Proto: GetUserMappingsProtocol.proto getGroupsForUser
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn groups_of(&self, user: &str) -> Result<Vec<String>> {
        let request = common::GetGroupsForUserRequestProto { user: user.to_owned() };
        let answer: common::GetGroupsForUserResponseProto =
            self.namenode().speaking(USERS).call("getGroupsForUser", &request).await?;
        Ok(answer.groups)
    }

    /// Bytes a second that every DataNode may give to balancing, until it restarts.
    ///
    /// Proto: ClientNamenodeProtocol.proto setBalancerBandwidth
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn set_balancer_bandwidth(&self, bytes_per_second: u64) -> Result<()> {
        let bandwidth = i64::try_from(bytes_per_second).unwrap_or(i64::MAX);
        let request = proto::SetBalancerBandwidthRequestProto { bandwidth };
        let _: proto::SetBalancerBandwidthResponseProto =
            self.namenode().call("setBalancerBandwidth", &request).await?;
        Ok(())
    }

    /// DataNodes that their peers find slow.
    ///
    /// Proto: ClientNamenodeProtocol.proto getSlowDatanodeReport
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn slow_datanodes(&self) -> Result<Vec<DatanodeInfo>> {
        let request = proto::GetSlowDatanodeReportRequestProto {};
        let answer: proto::GetSlowDatanodeReportResponseProto =
            self.namenode().call("getSlowDatanodeReport", &request).await?;
        Ok(answer.datanode_info_proto.into_iter().map(DatanodeInfo::from_proto).collect())
    }

    /// Makes an upgrade final: there is no way back after it.
    ///
    /// Proto: ClientNamenodeProtocol.proto finalizeUpgrade
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn finalize_upgrade(&self) -> Result<()> {
        let request = proto::FinalizeUpgradeRequestProto {};
        let _: proto::FinalizeUpgradeResponseProto =
            self.namenode().call("finalizeUpgrade", &request).await?;
        Ok(())
    }

    /// True when no upgrade waits to be made final.
    ///
    /// Proto: ClientNamenodeProtocol.proto upgradeStatus
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn is_upgrade_finalized(&self) -> Result<bool> {
        let request = proto::UpgradeStatusRequestProto {};
        let answer: proto::UpgradeStatusResponseProto =
            self.namenode().call("upgradeStatus", &request).await?;
        Ok(answer.upgrade_finalized)
    }

    /// Asks for, begins or ends a rolling upgrade.
    ///
    /// Proto: ClientNamenodeProtocol.proto rollingUpgrade
    ///
    /// # Errors
    /// `AccessControl`; what the state of the cluster does not allow.
    pub async fn rolling_upgrade(
        &self,
        action: RollingUpgradeAction,
    ) -> Result<Option<RollingUpgrade>> {
        let request = proto::RollingUpgradeRequestProto { action: action as i32 };
        let answer: proto::RollingUpgradeResponseProto =
            self.namenode().call("rollingUpgrade", &request).await?;
        Ok(answer.rolling_upgrade_info.map(|info| RollingUpgrade {
            block_pool: info.status.block_pool_id,
            started: WallMillis(info.start_time),
            finalized: (info.finalize_time != 0).then_some(WallMillis(info.finalize_time)),
            has_rollback_image: info.created_rollback_images,
        }))
    }

    /// Allows snapshots of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto allowSnapshot
    ///
    /// # Errors
    /// `AccessControl`, `FileNotFound`, `Snapshot`.
    pub async fn allow_snapshot(&self, path: &str) -> Result<()> {
        let request = proto::AllowSnapshotRequestProto { snapshot_root: path.to_owned() };
        let _: proto::AllowSnapshotResponseProto =
            self.namenode().call("allowSnapshot", &request).await?;
        Ok(())
    }

    /// Allows no more snapshots of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto disallowSnapshot
    ///
    /// # Errors
    /// `AccessControl`; `Snapshot` while it has snapshots.
    pub async fn disallow_snapshot(&self, path: &str) -> Result<()> {
        let request = proto::DisallowSnapshotRequestProto { snapshot_root: path.to_owned() };
        let _: proto::DisallowSnapshotResponseProto =
            self.namenode().call("disallowSnapshot", &request).await?;
        Ok(())
    }

    /// The directories of which this user may make snapshots.
    ///
    /// Proto: ClientNamenodeProtocol.proto getSnapshottableDirListing
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn snapshottable_paths(&self) -> Result<Vec<String>> {
        let request = proto::GetSnapshottableDirListingRequestProto {};
        let answer: proto::GetSnapshottableDirListingResponseProto =
            self.namenode().call("getSnapshottableDirListing", &request).await?;
        let listing = answer.snapshottable_dir_list.map(|list| list.snapshottable_dir_listing);
        let path = |entry: proto::SnapshottableDirectoryStatusProto| {
            let parent = String::from_utf8_lossy(&entry.parent_fullpath).into_owned();
            let name = String::from_utf8_lossy(&entry.dir_status.path).into_owned();
            match (parent.as_str(), name.as_str()) {
                ("", "") => "/".to_owned(),
                ("" | "/", name) => format!("/{name}"),
                (parent, name) => format!("{parent}/{name}"),
            }
        };
        Ok(listing.unwrap_or_default().into_iter().map(path).collect())
    }

    /// A delegation token; none from a NameNode without security.
    ///
    /// Proto: ClientNamenodeProtocol.proto getDelegationToken
    ///
    /// # Errors
    /// What the connection gives.
    pub async fn delegation_token(&self, renewer: &str) -> Result<Option<common::TokenProto>> {
        let request = common::GetDelegationTokenRequestProto { renewer: renewer.to_owned() };
        let answer: common::GetDelegationTokenResponseProto =
            self.namenode().call("getDelegationToken", &request).await?;
        Ok(answer.token)
    }

    /// Makes a token last longer, and says until when.
    ///
    /// Proto: ClientNamenodeProtocol.proto renewDelegationToken
    ///
    /// # Errors
    /// `InvalidToken`; `AccessControl` when the caller is not its renewer.
    pub async fn renew_delegation_token(&self, token: common::TokenProto) -> Result<WallMillis> {
        let request = common::RenewDelegationTokenRequestProto { token };
        let answer: common::RenewDelegationTokenResponseProto =
            self.namenode().call("renewDelegationToken", &request).await?;
        Ok(WallMillis(answer.new_expiry_time))
    }

    /// Makes a token void.
    ///
    /// Proto: ClientNamenodeProtocol.proto cancelDelegationToken
    ///
    /// # Errors
    /// `InvalidToken`; `AccessControl` when the caller is neither its owner nor its renewer.
    pub async fn cancel_delegation_token(&self, token: common::TokenProto) -> Result<()> {
        let request = common::CancelDelegationTokenRequestProto { token };
        let _: common::CancelDelegationTokenResponseProto =
            self.namenode().call("cancelDelegationToken", &request).await?;
        Ok(())
    }
}
