//! What administrators ask a NameNode of a pair: its state, its health, another state.
//!
//! Proto: HAServiceProtocol.proto

use hdfs_proto::common as proto;
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::Result;

use crate::{HaState, ServerAdmin};

const HA: Protocol = Protocol { java_name: "org.apache.hadoop.ha.HAServiceProtocol", version: 1 };

impl ServerAdmin {
    /// What the NameNode is now.
    ///
    /// Proto: HAServiceProtocol.proto getServiceStatus
    ///
    /// # Errors
    /// `ServiceFailed` without high availability, `AccessControl`.
    pub async fn ha_state(&self) -> Result<HaState> {
        let request = proto::GetServiceStatusRequestProto {};
        let answer: proto::GetServiceStatusResponseProto =
            self.proxy(HA).call("getServiceStatus", &request).await?;
        Ok(answer.state())
    }

    /// Lets the NameNode look at itself.
    ///
    /// Proto: HAServiceProtocol.proto monitorHealth
    ///
    /// # Errors
    /// `HealthCheckFailed`, `AccessControl`.
    pub async fn check_health(&self) -> Result<()> {
        let request = proto::MonitorHealthRequestProto {};
        let _: proto::MonitorHealthResponseProto =
            self.proxy(HA).call("monitorHealth", &request).await?;
        Ok(())
    }

    /// Tells the NameNode to be active, standby or observer. `forced`: even where controllers decide that.
    ///
    /// Proto: HAServiceProtocol.proto transitionToActive, transitionToStandby, transitionToObserver
    ///
    /// # Errors
    /// `ServiceFailed` when it can't, `AccessControl`.
    pub async fn transition_to(&self, state: HaState, forced: bool) -> Result<()> {
        use proto::HaRequestSource::{RequestByUser, RequestByUserForced};
        let source = if forced { RequestByUserForced } else { RequestByUser };
        let req_info = proto::HaStateChangeRequestInfoProto { req_source: source as i32 };
        let proxy = self.proxy(HA);
        match state {
            HaState::Standby => {
                let request = proto::TransitionToStandbyRequestProto { req_info };
                let _: proto::TransitionToStandbyResponseProto =
                    proxy.call("transitionToStandby", &request).await?;
            }
            HaState::Observer => {
                let request = proto::TransitionToObserverRequestProto { req_info };
                let _: proto::TransitionToObserverResponseProto =
                    proxy.call("transitionToObserver", &request).await?;
            }
            HaState::Active | HaState::Initializing => {
                let request = proto::TransitionToActiveRequestProto { req_info };
                let _: proto::TransitionToActiveResponseProto =
                    proxy.call("transitionToActive", &request).await?;
            }
        }
        Ok(())
    }
}
