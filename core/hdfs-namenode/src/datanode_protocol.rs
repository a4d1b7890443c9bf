//! What DataNodes call: registration, heartbeats, reports.
//!
//! Full reports are applied in slices by the shell, which holds the lock for one slice at a time:
//! [`NameNode::begin_storage_report`], [`NameNode::apply_storage_report`], [`NameNode::finish_storage_report`], and
//! [`NameNode::finish_block_report`] once for each call.
//!
//! Proto: DatanodeProtocol.proto. Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeRpcServer (3.5.0)

use hdfs_blocks::{
    DatanodeCommand, FullReport, Heartbeat, RecoveringBlock, ReportContext, ReportedReplica,
    StorageSlot, Transfer, VolumeFailures,
};
use hdfs_proto::hdfs::datanode::{
    BalancerBandwidthCommandProto, BlockCommandProto, BlockReceivedAndDeletedRequestProto,
    BlockReceivedAndDeletedResponseProto, BlockRecoveryCommandProto, BlockReportContextProto,
    BlockReportResponseProto, CacheReportRequestProto, CacheReportResponseProto,
    DatanodeCommandProto, DatanodeRegistrationProto, ErrorReportRequestProto,
    ErrorReportResponseProto, FinalizeCommandProto, HeartbeatRequestProto, HeartbeatResponseProto,
    KeyUpdateCommandProto, RegisterCommandProto, RegisterDatanodeRequestProto,
    RegisterDatanodeResponseProto, ReportBadBlocksRequestProto, ReportBadBlocksResponseProto,
    block_command_proto::Action, datanode_command_proto::Type,
    error_report_request_proto::ErrorCode,
};
use hdfs_proto::hdfs::datanodelifeline::LifelineResponseProto;
use hdfs_proto::hdfs::{
    DatanodeInfosProto, DatanodeStorageProto, LocatedBlockProto, NamespaceInfoProto,
    NnhaStatusHeartbeatProto, RecoveringBlockProto, StorageTypesProto, StorageUuidsProto,
    VersionRequestProto, VersionResponseProto, nnha_status_heartbeat_proto::State,
};
use hdfs_types::{Block, DatanodeUuid, Error, ErrorKind, Result};

use crate::call::Call;
use crate::convert;
use crate::machine::{NameNode, SOFTWARE_VERSION};

/// `NamespaceInfoProto.capabilities`: block reports may come as buffers.
const CAPABILITY_BLOCK_REPORT_BUFFERS: u64 = 1;

impl NameNode {
    /// Proto: HdfsServer.proto versionRequest.
    pub fn version_request(
        &self,
        _: &Call<'_>,
        _: &VersionRequestProto,
    ) -> Result<VersionResponseProto> {
        let info = NamespaceInfoProto {
            build_version: SOFTWARE_VERSION.to_owned(),
            unused: 0,
            block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            storage_info: self.identity.to_proto(),
            software_version: SOFTWARE_VERSION.to_owned(),
            capabilities: Some(CAPABILITY_BLOCK_REPORT_BUFFERS),
            state: Some(State::Active as i32),
        };
        Ok(VersionResponseProto { info })
    }

    /// `rack` is where the node stands, as the shell has found out.
    ///
    /// Proto: DatanodeProtocol.proto registerDatanode.
    ///
    /// # Errors
    /// IncorrectVersion for software before 3.0, DisallowedDatanode when the include list does not name the node.
    pub fn register_datanode(
        &mut self,
        call: &Call<'_>,
        request: &RegisterDatanodeRequestProto,
        rack: Option<&str>,
    ) -> Result<RegisterDatanodeResponseProto> {
        let proto = &request.registration;
        check_software(&proto.software_version)?;
        let registration = convert::registration(proto, call.client_machine)?;
        let slot = self.blocks.register_datanode(call.now, registration, rack)?;
        self.check_safe_mode(call.now.mono);
        let registration = DatanodeRegistrationProto {
            datanode_id: convert::datanode_id(self.blocks.datanode(slot)),
            storage_info: proto.storage_info.clone(),
            keys: convert::no_keys(),
            software_version: proto.software_version.clone(),
        };
        Ok(RegisterDatanodeResponseProto { registration })
    }

    /// Proto: DatanodeProtocol.proto sendHeartbeat.
    pub fn send_heartbeat(
        &mut self,
        call: &Call<'_>,
        request: &HeartbeatRequestProto,
    ) -> Result<HeartbeatResponseProto> {
        self.check_registration(&request.registration)?;
        let heartbeat = heartbeat(request)?;
        let reply = self.blocks.handle_heartbeat(call.now, &heartbeat)?;
        let node = self.blocks.find_datanode(heartbeat.uuid.as_str());
        let slow = node.is_some_and(|node| self.blocks.is_slow(node));
        self.check_safe_mode(call.now.mono);
        let commands = reply.commands.iter().map(|command| self.command(command)).collect();
        let (old_status, status) = self.rolling_upgrade_statuses();
        Ok(HeartbeatResponseProto {
            cmds: commands,
            ha_status: NnhaStatusHeartbeatProto {
                state: State::Active as i32,
                txid: self.last_txid().0,
            },
            rolling_upgrade_status: old_status,
            rolling_upgrade_status_v2: status,
            full_block_report_lease_id: Some(reply.report_lease_id),
            is_slownode: Some(slow),
        })
    }

    /// Proto: DatanodeLifelineProtocol.proto sendLifeline: a heartbeat that gets no commands.
    pub fn send_lifeline(
        &mut self,
        call: &Call<'_>,
        request: &HeartbeatRequestProto,
    ) -> Result<LifelineResponseProto> {
        self.check_registration(&request.registration)?;
        self.blocks.handle_lifeline(call.now, &heartbeat(request)?)?;
        Ok(LifelineResponseProto {})
    }

    /// Proto: DatanodeProtocol.proto blockReceivedAndDeleted.
    pub fn block_received_and_deleted(
        &mut self,
        call: &Call<'_>,
        request: &BlockReceivedAndDeletedRequestProto,
    ) -> Result<BlockReceivedAndDeletedResponseProto> {
        self.check_registration(&request.registration)?;
        let uuid = DatanodeUuid::from(request.registration.datanode_id.datanode_uuid.as_str());
        for report in &request.blocks {
            #[expect(deprecated, reason = "what nodes of Hadoop 2 send")]
            let storage = report.storage.as_ref().map_or_else(
                || {
                    convert::storage(&DatanodeStorageProto {
                        storage_uuid: report.storage_uuid.clone(),
                        state: None,
                        storage_type: None,
                    })
                },
                convert::storage,
            );
            let blocks: Vec<_> =
                report.blocks.iter().map(convert::incremental).collect::<Result<_>>()?;
            self.blocks.handle_incremental_report(call.now, &uuid, &storage, &blocks)?;
        }
        self.settle(call.now);
        Ok(BlockReceivedAndDeletedResponseProto {})
    }

    /// Checks who sends a full report and whether it has the permission to. False: it is to be ignored.
    ///
    /// Proto: DatanodeProtocol.proto blockReport.
    ///
    /// # Errors
    /// UnregisteredNode when the sender belongs to another cluster.
    pub fn check_block_report(
        &self,
        call: &Call<'_>,
        registration: &DatanodeRegistrationProto,
        context: Option<&BlockReportContextProto>,
    ) -> Result<bool> {
        self.check_registration(registration)?;
        let uuid = DatanodeUuid::from(registration.datanode_id.datanode_uuid.as_str());
        let context = context.map(report_context).transpose()?;
        self.blocks.check_report_lease(call.now.mono, &uuid, context.as_ref())
    }

    /// Begins the report of one storage; `None` when it is to be ignored.
    pub fn begin_storage_report(
        &mut self,
        call: &Call<'_>,
        uuid: &DatanodeUuid,
        storage: &DatanodeStorageProto,
    ) -> Result<Option<FullReport>> {
        self.blocks.begin_full_report(call.now, uuid, &convert::storage(storage))
    }

    /// Applies a slice of it.
    pub fn apply_storage_report(
        &mut self,
        call: &Call<'_>,
        report: &mut FullReport,
        replicas: &[ReportedReplica],
    ) {
        self.blocks.apply_full_report(call.now, report, replicas);
        self.settle(call.now);
    }

    /// Ends it; true when no storage of the node is stale any more.
    pub fn finish_storage_report(&mut self, call: &Call<'_>, report: FullReport) -> Result<bool> {
        let fresh = self.blocks.finish_full_report(call.now, report)?;
        self.settle(call.now);
        Ok(fresh)
    }

    /// Answers the whole call.
    pub fn finish_block_report(
        &mut self,
        call: &Call<'_>,
        uuid: &DatanodeUuid,
        context: Option<&BlockReportContextProto>,
        fresh: bool,
    ) -> Result<BlockReportResponseProto> {
        let context = context.map(report_context).transpose()?;
        self.blocks.finish_report_rpc(call.now, uuid, context.as_ref());
        let finalize = DatanodeCommandProto {
            finalize_cmd: Some(FinalizeCommandProto {
                block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            }),
            ..no_command(Type::FinalizeCommand)
        };
        let fresh = fresh && self.is_upgrade_finalized() && !self.is_rolling_upgrade();
        Ok(BlockReportResponseProto { cmd: fresh.then_some(finalize) })
    }

    /// The answer to a report of a node that must register first.
    pub fn register_first() -> BlockReportResponseProto {
        let command = DatanodeCommandProto {
            register_cmd: Some(RegisterCommandProto {}),
            ..no_command(Type::RegisterCommand)
        };
        BlockReportResponseProto { cmd: Some(command) }
    }

    /// Proto: DatanodeProtocol.proto cacheReport. Nothing is ever told to be cached yet, so there is nothing to compare.
    pub fn cache_report(
        &mut self,
        _: &Call<'_>,
        request: &CacheReportRequestProto,
    ) -> Result<CacheReportResponseProto> {
        self.check_registration(&request.registration)?;
        Ok(CacheReportResponseProto { cmd: None })
    }

    /// Proto: DatanodeProtocol.proto errorReport. A node that lost its last disk counts as dead.
    pub fn error_report(
        &mut self,
        call: &Call<'_>,
        request: &ErrorReportRequestProto,
    ) -> Result<ErrorReportResponseProto> {
        self.check_registration(&request.registartion)?;
        if request.error_code == ErrorCode::FatalDiskError as u32 {
            // The node ends itself after this report: its silence makes it dead. Nothing else to do here.
            self.check_safe_mode(call.now.mono);
        }
        Ok(ErrorReportResponseProto {})
    }

    /// Proto: DatanodeProtocol.proto reportBadBlocks.
    pub fn datanode_reports_bad_blocks(
        &mut self,
        call: &Call<'_>,
        request: &ReportBadBlocksRequestProto,
    ) -> Result<ReportBadBlocksResponseProto> {
        self.mark_bad_blocks(call, &request.blocks, "a DataNode reported it")?;
        Ok(ReportBadBlocksResponseProto {})
    }

    pub(crate) fn mark_bad_blocks(
        &mut self,
        call: &Call<'_>,
        located: &[LocatedBlockProto],
        reason: &str,
    ) -> Result<()> {
        for proto in located {
            let block = convert::block(&proto.b);
            for (index, node) in proto.locs.iter().enumerate() {
                let uuid = DatanodeUuid::from(node.id.datanode_uuid.as_str());
                let storage = proto.storage_i_ds.get(index).map(String::as_str);
                self.blocks.report_bad_block(call.now.mono, block, &uuid, storage, reason)?;
            }
        }
        self.settle(call.now);
        Ok(())
    }

    /// Refuses nodes of another cluster.
    pub(crate) fn check_registration(
        &self,
        registration: &DatanodeRegistrationProto,
    ) -> Result<()> {
        let of = &registration.storage_info;
        let theirs = format!("NS-{}-{}-{}", of.namespce_id, of.cluster_id, of.c_time);
        let ours = self.identity.registration_id();
        if theirs == ours {
            return Ok(());
        }
        let id = &registration.datanode_id;
        Err(Error::new(
            ErrorKind::UnregisteredNode,
            format!(
                "Unregistered server: DatanodeRegistration({}:{}, datanodeUuid={}) registered as {theirs}, expected \
                 {ours}",
                id.ip_addr, id.xfer_port, id.datanode_uuid
            ),
        ))
    }

    fn command(&self, command: &DatanodeCommand) -> DatanodeCommandProto {
        match command {
            DatanodeCommand::Register => DatanodeCommandProto {
                register_cmd: Some(RegisterCommandProto {}),
                ..no_command(Type::RegisterCommand)
            },
            DatanodeCommand::Recover(blocks) => DatanodeCommandProto {
                recovery_cmd: Some(BlockRecoveryCommandProto {
                    blocks: blocks.iter().map(|block| self.recovering(block)).collect(),
                }),
                ..no_command(Type::BlockRecoveryCommand)
            },
            DatanodeCommand::Transfer(transfers) => DatanodeCommandProto {
                blk_cmd: Some(self.transfers(transfers)),
                ..no_command(Type::BlockCommand)
            },
            DatanodeCommand::Invalidate(blocks) => DatanodeCommandProto {
                blk_cmd: Some(self.invalidations(blocks)),
                ..no_command(Type::BlockCommand)
            },
            DatanodeCommand::KeyUpdate => DatanodeCommandProto {
                key_update_cmd: Some(KeyUpdateCommandProto { keys: convert::no_keys() }),
                ..no_command(Type::KeyUpdateCommand)
            },
            DatanodeCommand::BalancerBandwidth(bandwidth) => DatanodeCommandProto {
                balancer_cmd: Some(BalancerBandwidthCommandProto { bandwidth: *bandwidth }),
                ..no_command(Type::BalancerBandwidthCommand)
            },
        }
    }

    fn recovering(&self, block: &RecoveringBlock) -> RecoveringBlockProto {
        let located = self.located_proto(block.block, 0, &block.locations, false);
        RecoveringBlockProto {
            new_gen_stamp: block.new_generation_stamp.0,
            block: located,
            truncate_block: block.truncate_block.map(convert::block_proto),
            ec_policy: None,
            block_indices: None,
        }
    }

    fn transfers(&self, transfers: &[Transfer]) -> BlockCommandProto {
        let infos = |targets: &[StorageSlot]| DatanodeInfosProto {
            datanodes: targets
                .iter()
                .map(|slot| convert::datanode_info_short(self.blocks.datanode_of(*slot)))
                .collect(),
        };
        let uuids = |targets: &[StorageSlot]| StorageUuidsProto {
            storage_uuids: targets
                .iter()
                .map(|slot| self.blocks.storage(*slot).uuid().as_str().to_owned())
                .collect(),
        };
        let types = |targets: &[StorageSlot]| StorageTypesProto {
            storage_types: targets
                .iter()
                .map(|slot| self.blocks.storage(*slot).storage_type() as i32)
                .collect(),
        };
        BlockCommandProto {
            action: Action::Transfer as i32,
            block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            blocks: transfers.iter().map(|transfer| convert::block_proto(transfer.block)).collect(),
            targets: transfers.iter().map(|transfer| infos(&transfer.targets)).collect(),
            target_storage_uuids: transfers
                .iter()
                .map(|transfer| uuids(&transfer.targets))
                .collect(),
            target_storage_types: transfers
                .iter()
                .map(|transfer| types(&transfer.targets))
                .collect(),
        }
    }

    fn invalidations(&self, blocks: &[Block]) -> BlockCommandProto {
        BlockCommandProto {
            action: Action::Invalidate as i32,
            block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            blocks: blocks.iter().map(|block| convert::block_proto(*block)).collect(),
            targets: Vec::new(),
            target_storage_uuids: Vec::new(),
            target_storage_types: Vec::new(),
        }
    }
}

fn no_command(kind: Type) -> DatanodeCommandProto {
    DatanodeCommandProto {
        cmd_type: kind as i32,
        balancer_cmd: None,
        blk_cmd: None,
        recovery_cmd: None,
        finalize_cmd: None,
        key_update_cmd: None,
        register_cmd: None,
        blk_id_cmd: None,
        blk_ec_reconstruction_cmd: None,
    }
}

fn heartbeat(request: &HeartbeatRequestProto) -> Result<Heartbeat> {
    let id = &request.registration.datanode_id;
    let failures = request.volume_failure_summary.as_ref().map(|summary| VolumeFailures {
        locations: summary.failed_storage_locations.clone(),
        last_failure_ms: summary.last_volume_failure_date,
        capacity_lost: summary.estimated_capacity_lost_total,
    });
    Ok(Heartbeat {
        uuid: DatanodeUuid::from(id.datanode_uuid.as_str()),
        xfer_port: u16::try_from(id.xfer_port)
            .map_err(|_| Error::io(format!("{} is no port of a DataNode", id.xfer_port)))?,
        reports: request.reports.iter().map(convert::storage_report).collect(),
        cache_capacity: request.cache_capacity.unwrap_or(0),
        cache_used: request.cache_used.unwrap_or(0),
        xmits_in_progress: request.xmits_in_progress.unwrap_or(0),
        xceiver_count: request.xceiver_count.unwrap_or(0),
        failed_volumes: request.failed_volumes.unwrap_or(0),
        volume_failures: failures,
        request_report_lease: request.request_full_block_report_lease.unwrap_or(false),
        slow_peers: request.slow_peers.iter().map(convert::slow_peer).collect(),
        slow_disks: request.slow_disks.iter().map(convert::slow_disk).collect(),
    })
}

fn report_context(proto: &BlockReportContextProto) -> Result<ReportContext> {
    let count = |number: i32| {
        u32::try_from(number)
            .map_err(|_| Error::io(format!("{number} is no count of block-report calls")))
    };
    Ok(ReportContext {
        total_rpcs: count(proto.total_rpcs)?,
        current_rpc: count(proto.cur_rpc)?,
        report_id: proto.id,
        lease_id: proto.lease_id.unwrap_or(0),
    })
}

/// Refuses DataNodes before Hadoop 3 (`dfs.namenode.min.supported.datanode.version`).
fn check_software(version: &str) -> Result<()> {
    let major = version.split('.').next().and_then(|part| part.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 3) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::IncorrectVersion,
        format!(
            "The reported DataNode version is too low to communicate with this NameNode. DataNode version: '{version}' \
             Minimum DataNode version: '3.0.0'."
        ),
    ))
}
