//! The calls about erasure-coding policies and storage policies. Policies are given as the wire has them.

use hdfs_proto::hdfs as proto;
use hdfs_types::Result;

use crate::HdfsClient;

impl HdfsClient {
    /// Every policy of the cluster with its state.
    ///
    /// Proto: ClientNamenodeProtocol.proto getErasureCodingPolicies
    ///
    /// # Errors
    /// As the NameNode answers.
    pub async fn erasure_coding_policies(&self) -> Result<Vec<proto::ErasureCodingPolicyProto>> {
        let request = proto::GetErasureCodingPoliciesRequestProto {};
        let answer: proto::GetErasureCodingPoliciesResponseProto =
            self.namenode().call("getErasureCodingPolicies", &request).await?;
        Ok(answer.ec_policies)
    }

    /// Codecs and their coders, in the order in which they are tried.
    ///
    /// Proto: ClientNamenodeProtocol.proto getErasureCodingCodecs
    ///
    /// # Errors
    /// As the NameNode answers.
    pub async fn erasure_coding_codecs(&self) -> Result<Vec<proto::CodecProto>> {
        let request = proto::GetErasureCodingCodecsRequestProto {};
        let answer: proto::GetErasureCodingCodecsResponseProto =
            self.namenode().call("getErasureCodingCodecs", &request).await?;
        Ok(answer.codec)
    }

    /// The policy of a path; `None` when its files are replicated.
    ///
    /// Proto: ClientNamenodeProtocol.proto getErasureCodingPolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn erasure_coding_policy(
        &self,
        path: &str,
    ) -> Result<Option<proto::ErasureCodingPolicyProto>> {
        let request = proto::GetErasureCodingPolicyRequestProto { src: path.to_owned() };
        let answer: proto::GetErasureCodingPolicyResponseProto =
            self.namenode().call("getErasureCodingPolicy", &request).await?;
        Ok(answer.ec_policy)
    }

    /// Sets the policy of a directory; `None` is the cluster's default.
    ///
    /// Proto: ClientNamenodeProtocol.proto setErasureCodingPolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `SafeMode`, `HadoopIllegalArgument` for a policy that is not enabled.
    pub async fn set_erasure_coding_policy(&self, path: &str, policy: Option<&str>) -> Result<()> {
        let request = proto::SetErasureCodingPolicyRequestProto {
            src: path.to_owned(),
            ec_policy_name: policy.map(str::to_owned),
        };
        let _: proto::SetErasureCodingPolicyResponseProto =
            self.namenode().call("setErasureCodingPolicy", &request).await?;
        Ok(())
    }

    /// Takes a directory's own policy away.
    ///
    /// Proto: ClientNamenodeProtocol.proto unsetErasureCodingPolicy
    ///
    /// # Errors
    /// As [`Self::set_erasure_coding_policy`]; `NoECPolicySetException` when it has none of its own.
    pub async fn unset_erasure_coding_policy(&self, path: &str) -> Result<()> {
        let request = proto::UnsetErasureCodingPolicyRequestProto { src: path.to_owned() };
        let _: proto::UnsetErasureCodingPolicyResponseProto =
            self.namenode().call("unsetErasureCodingPolicy", &request).await?;
        Ok(())
    }

    /// Adds policies; for each the answer says whether that worked.
    ///
    /// Proto: ClientNamenodeProtocol.proto addErasureCodingPolicies
    ///
    /// # Errors
    /// `AccessControl`, `SafeMode`.
    pub async fn add_erasure_coding_policies(
        &self,
        policies: Vec<proto::ErasureCodingPolicyProto>,
    ) -> Result<Vec<proto::AddErasureCodingPolicyResponseProto>> {
        let request = proto::AddErasureCodingPoliciesRequestProto { ec_policies: policies };
        let answer: proto::AddErasureCodingPoliciesResponseProto =
            self.namenode().call("addErasureCodingPolicies", &request).await?;
        Ok(answer.responses)
    }

    /// Removes a policy that a user added.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeErasureCodingPolicy
    ///
    /// # Errors
    /// `AccessControl`, `SafeMode`, `HadoopIllegalArgument`.
    pub async fn remove_erasure_coding_policy(&self, name: &str) -> Result<()> {
        let request =
            proto::RemoveErasureCodingPolicyRequestProto { ec_policy_name: name.to_owned() };
        let _: proto::RemoveErasureCodingPolicyResponseProto =
            self.namenode().call("removeErasureCodingPolicy", &request).await?;
        Ok(())
    }

    /// Lets a policy be set.
    ///
    /// Proto: ClientNamenodeProtocol.proto enableErasureCodingPolicy
    ///
    /// # Errors
    /// As [`Self::remove_erasure_coding_policy`].
    pub async fn enable_erasure_coding_policy(&self, name: &str) -> Result<()> {
        let request =
            proto::EnableErasureCodingPolicyRequestProto { ec_policy_name: name.to_owned() };
        let _: proto::EnableErasureCodingPolicyResponseProto =
            self.namenode().call("enableErasureCodingPolicy", &request).await?;
        Ok(())
    }

    /// Lets a policy not be set any more.
    ///
    /// Proto: ClientNamenodeProtocol.proto disableErasureCodingPolicy
    ///
    /// # Errors
    /// As [`Self::remove_erasure_coding_policy`].
    pub async fn disable_erasure_coding_policy(&self, name: &str) -> Result<()> {
        let request =
            proto::DisableErasureCodingPolicyRequestProto { ec_policy_name: name.to_owned() };
        let _: proto::DisableErasureCodingPolicyResponseProto =
            self.namenode().call("disableErasureCodingPolicy", &request).await?;
        Ok(())
    }

    /// Whether racks and DataNodes suffice for these policies; for the enabled ones if none is named.
    ///
    /// Proto: ClientNamenodeProtocol.proto getECTopologyResultForPolicies
    ///
    /// # Errors
    /// `AccessControl`, `SafeMode`, `HadoopIllegalArgument`.
    pub async fn erasure_coding_topology(
        &self,
        policies: Vec<String>,
    ) -> Result<proto::EcTopologyVerifierResultProto> {
        let request = proto::GetEcTopologyResultForPoliciesRequestProto { policies };
        let answer: proto::GetEcTopologyResultForPoliciesResponseProto =
            self.namenode().call("getECTopologyResultForPolicies", &request).await?;
        Ok(answer.response)
    }

    /// Takes a path's own storage policy away.
    ///
    /// Proto: ClientNamenodeProtocol.proto unsetStoragePolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `SafeMode`.
    pub async fn unset_storage_policy(&self, path: &str) -> Result<()> {
        let request = proto::UnsetStoragePolicyRequestProto { src: path.to_owned() };
        let _: proto::UnsetStoragePolicyResponseProto =
            self.namenode().call("unsetStoragePolicy", &request).await?;
        Ok(())
    }

    /// Asks for blocks to be moved to where the path's storage policy wants them.
    ///
    /// Proto: ClientNamenodeProtocol.proto satisfyStoragePolicy
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `SafeMode`, `UnsupportedOperation` without a satisfier.
    pub async fn satisfy_storage_policy(&self, path: &str) -> Result<()> {
        let request = proto::SatisfyStoragePolicyRequestProto { src: path.to_owned() };
        let _: proto::SatisfyStoragePolicyResponseProto =
            self.namenode().call("satisfyStoragePolicy", &request).await?;
        Ok(())
    }
}
