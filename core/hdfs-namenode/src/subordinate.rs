//! NamenodeProtocol, as far as it is about nodes that make checkpoints: who they are, and what they may do.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNodeRpcServer, FSNamesystem, FSImage} (3.5.0)
//! Proto: NamenodeProtocol.proto

use hdfs_proto::hdfs::namenode::{
    EndCheckpointRequestProto, EndCheckpointResponseProto, ErrorReportRequestProto,
    ErrorReportResponseProto, RegisterRequestProto, RegisterResponseProto,
    StartCheckpointRequestProto, StartCheckpointResponseProto,
};
use hdfs_proto::hdfs::{
    CheckpointCommandProto, CheckpointSignatureProto, NamenodeCommandProto,
    NamenodeRegistrationProto, namenode_command_proto, namenode_registration_proto,
};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, TxId};

use crate::call::Call;
use crate::identity::Identity;
use crate::machine::NameNode;

/// NamenodeProtocol.ACT_SHUTDOWN and ACT_CHECKPOINT.
const SHUTDOWN: u32 = 50;
const CHECKPOINT: u32 = 51;

type Role = namenode_registration_proto::NamenodeRoleProto;

impl NameNode {
    /// Proto: registerSubordinateNamenode. `own` is the registration of this NameNode.
    ///
    /// # Errors
    /// Not a superuser; another layout; another namespace.
    pub fn register_subordinate_namenode(
        &self,
        call: &Call<'_>,
        request: &RegisterRequestProto,
        own: NamenodeRegistrationProto,
    ) -> Result<RegisterResponseProto> {
        call.caller.check_superuser()?;
        let node = &request.registration;
        let version = node.storage_info.layout_version.cast_signed();
        if version != NAMENODE_LAYOUT_VERSION {
            return Err(Error::new(
                ErrorKind::IncorrectVersion,
                format!(
                    "Unexpected version of data node. Reported: {version}. Expecting = {NAMENODE_LAYOUT_VERSION}."
                ),
            ));
        }
        let (ours, theirs) = (self.identity.namespace_id, node.storage_info.namespce_id);
        if ours != theirs {
            return Err(Error::io(format!(
                "Incompatible namespaceIDs:  Namenode namespaceID = {ours}; {} node namespaceID = {theirs}",
                role_name(node.role())
            )));
        }
        if node.role() == Role::Backup {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                "a Backup Node is not supported: this NameNode streams no edits to one",
            ));
        }
        Ok(RegisterResponseProto { registration: own })
    }

    /// Proto: startCheckpoint. `latest` is the transaction of the newest image.
    ///
    /// # Errors
    /// Not a superuser; a node that is not of this file system; safe mode.
    pub fn start_checkpoint(
        &mut self,
        call: &Call<'_>,
        request: &StartCheckpointRequestProto,
        latest: TxId,
    ) -> Result<StartCheckpointResponseProto> {
        call.caller.check_superuser()?;
        self.verify_request(&request.registration)?;
        self.check_writable("Checkpoint not started", call.now.mono)?;
        if request.registration.role() == Role::Namenode {
            return Ok(StartCheckpointResponseProto { command: plain_command(SHUTDOWN) });
        }
        let (_, start) = self.roll_edit_log(call.now.mono, "Checkpoint not started")?;
        let command = NamenodeCommandProto {
            action: CHECKPOINT,
            r#type: namenode_command_proto::Type::CheckPointCommand as i32,
            checkpoint_cmd: Some(CheckpointCommandProto {
                signature: self.checkpoint_signature(latest, start),
                need_to_return_image: true,
            }),
        };
        Ok(StartCheckpointResponseProto { command })
    }

    /// Proto: endCheckpoint.
    ///
    /// # Errors
    /// Not a superuser; safe mode; a checkpoint of another file system.
    pub fn end_checkpoint(
        &self,
        call: &Call<'_>,
        request: &EndCheckpointRequestProto,
    ) -> Result<EndCheckpointResponseProto> {
        call.caller.check_superuser()?;
        self.check_writable("Checkpoint not ended", call.now.mono)?;
        check_signature(&request.signature, &self.identity)?;
        Ok(EndCheckpointResponseProto {})
    }

    /// Proto: errorReport. What the node says is the shell's to log.
    ///
    /// # Errors
    /// Not a superuser; a node that is not of this file system.
    pub fn subordinate_error_report(
        &self,
        call: &Call<'_>,
        request: &ErrorReportRequestProto,
    ) -> Result<ErrorReportResponseProto> {
        call.caller.check_superuser()?;
        self.verify_request(&request.registration)?;
        Ok(ErrorReportResponseProto {})
    }

    fn verify_request(&self, node: &NamenodeRegistrationProto) -> Result<()> {
        let info = &node.storage_info;
        let id = format!("NS-{}-{}-{}", info.namespce_id, info.cluster_id, info.c_time);
        if id == self.identity.registration_id() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UnregisteredNode,
            format!(
                "Unregistered server: NamenodeRegistration({}, role={})",
                node.rpc_address,
                role_name(node.role())
            ),
        ))
    }
}

fn plain_command(action: u32) -> NamenodeCommandProto {
    NamenodeCommandProto {
        action,
        r#type: namenode_command_proto::Type::NamenodeCommand as i32,
        checkpoint_cmd: None,
    }
}

/// Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.NamenodeRole (3.5.0)
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Namenode => "NameNode",
        Role::Backup => "Backup Node",
        Role::Checkpoint => "Checkpoint Node",
    }
}

/// Checks that a signature is of this file system, in this state.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.CheckpointSignature.validateStorageInfo (3.5.0)
///
/// # Errors
/// When it is of another one.
pub fn check_signature(signature: &CheckpointSignatureProto, ours: &Identity) -> Result<()> {
    let info = &signature.storage_info;
    let layout = info.layout_version.cast_signed();
    let same = info.namespce_id == ours.namespace_id
        && info.cluster_id == ours.cluster_id
        && signature.block_pool_id == ours.block_pool_id.as_str()
        && layout == ours.layout_version
        && info.c_time == ours.c_time;
    if same {
        return Ok(());
    }
    Err(Error::io(format!(
        "Inconsistent checkpoint fields.\nLV = {layout} namespaceID = {} cTime = {} ; clusterId = {} ; blockpoolId = \
         {}.\nExpecting respectively: {}; {}; {}; {}; {}.",
        info.namespce_id,
        info.c_time,
        info.cluster_id,
        signature.block_pool_id,
        ours.layout_version,
        ours.namespace_id,
        ours.c_time,
        ours.cluster_id,
        ours.block_pool_id.as_str()
    )))
}
