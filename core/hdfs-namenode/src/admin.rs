//! Statistics, reports on DataNodes, and what an administrator may ask of the machine alone. What needs the disk
//! (`saveNamespace`, `rollEdits`) or files (`refreshNodes`) begins in the shell.
//!
//! Proto: ClientNamenodeProtocol.proto. Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem (3.5.0)

use std::fmt;

use hdfs_blocks::{BlocksConf, DatanodeReportType, DumpNames, HostsLists};
use hdfs_format::storage_dir::CivilTime;
use hdfs_namespace::NamespaceConf;
use hdfs_proto::common::{GetDelegationTokenRequestProto, GetDelegationTokenResponseProto};
use hdfs_proto::hdfs as p;
use hdfs_types::{BlockId, Error, ErrorKind, Mono, Result};
use p::SafeModeActionProto as Action;

use crate::call::Call;
use crate::convert;
use crate::machine::NameNode;
use crate::policies;

/// What a list of corrupt files is called where it is refused.
pub(crate) const LIST_CORRUPT: &str = "listCorruptFileBlocks";

/// A block without a good replica.
///
/// Hadoop: FSNamesystem.CorruptFileBlockInfo (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorruptFile {
    /// The block.
    pub block: BlockId,
    /// How many replicas its file wants, or its policy of erasure coding.
    pub redundancy: String,
    /// The file.
    pub path: String,
}

impl fmt::Display for CorruptFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blk_{}\t{}\t{}", self.block, self.redundancy, self.path)
    }
}

/// True for a directory's own path and those below it.
pub(crate) fn is_inside(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl NameNode {
    /// Proto: getServerDefaults.
    pub fn get_server_defaults(
        &self,
        _: &Call<'_>,
        _: &p::GetServerDefaultsRequestProto,
    ) -> Result<p::GetServerDefaultsResponseProto> {
        Ok(p::GetServerDefaultsResponseProto { server_defaults: self.conf.server_defaults.clone() })
    }

    /// Proto: getStoragePolicies.
    pub fn get_storage_policies(
        &self,
        _: &Call<'_>,
        _: &p::GetStoragePoliciesRequestProto,
    ) -> Result<p::GetStoragePoliciesResponseProto> {
        let policies = policies::STORAGE_POLICIES.iter().map(|policy| policy.to_proto()).collect();
        Ok(p::GetStoragePoliciesResponseProto { policies })
    }

    /// Proto: getFsStats.
    pub fn get_fs_stats(
        &self,
        call: &Call<'_>,
        _: &p::GetFsStatusRequestProto,
    ) -> Result<p::GetFsStatsResponseProto> {
        let stats = self.blocks.stats(call.now.mono);
        let groups = self.blocks.group_stats();
        Ok(p::GetFsStatsResponseProto {
            capacity: stats.capacity,
            used: stats.used,
            remaining: stats.remaining,
            under_replicated: stats.low_redundancy + groups.low_redundancy,
            corrupt_blocks: stats.corrupt,
            missing_blocks: stats.missing + groups.missing,
            missing_repl_one_blocks: Some(stats.missing_replication_one),
            blocks_in_future: Some(self.blocks.bytes_in_future()),
            pending_deletion_blocks: Some(stats.pending_deletion),
        })
    }

    /// Proto: getFsReplicatedBlockStats.
    pub fn get_fs_replicated_block_stats(
        &self,
        call: &Call<'_>,
        _: &p::GetFsReplicatedBlockStatsRequestProto,
    ) -> Result<p::GetFsReplicatedBlockStatsResponseProto> {
        let stats = self.blocks.stats(call.now.mono);
        Ok(p::GetFsReplicatedBlockStatsResponseProto {
            low_redundancy: stats.low_redundancy,
            corrupt_blocks: stats.corrupt,
            missing_blocks: stats.missing,
            missing_repl_one_blocks: stats.missing_replication_one,
            blocks_in_future: self.blocks.bytes_in_future(),
            pending_deletion_blocks: stats.pending_deletion,
            highest_prio_low_redundancy_blocks: Some(stats.highest_priority),
            badly_distributed_blocks: Some(stats.badly_distributed),
        })
    }

    /// Proto: getFsECBlockGroupStats. Blocks that are there twice, corrupt or on too few racks are not told from others.
    pub fn get_fs_ec_block_group_stats(
        &self,
        _: &Call<'_>,
        _: &p::GetFsEcBlockGroupStatsRequestProto,
    ) -> Result<p::GetFsEcBlockGroupStatsResponseProto> {
        let stats = self.blocks.group_stats();
        Ok(p::GetFsEcBlockGroupStatsResponseProto {
            low_redundancy: stats.low_redundancy,
            corrupt_blocks: 0,
            missing_blocks: stats.missing,
            blocks_in_future: 0,
            pending_deletion_blocks: 0,
            highest_prio_low_redundancy_blocks: Some(stats.highest_priority),
            badly_distributed_blocks: Some(0),
        })
    }

    /// Proto: getDatanodeReport.
    pub fn get_datanode_report(
        &self,
        call: &Call<'_>,
        request: &p::GetDatanodeReportRequestProto,
    ) -> Result<p::GetDatanodeReportResponseProto> {
        let kind = report_type(request.r#type)?;
        let slots = self.blocks.list_datanodes(call.now.mono, kind);
        let known = slots.into_iter().map(|slot| convert::datanode_info(&self.blocks, slot));
        let absent = self.blocks.never_registered(kind);
        let di = known.chain(absent.iter().map(convert::datanode_info_short)).collect();
        Ok(p::GetDatanodeReportResponseProto { di })
    }

    /// Proto: getDatanodeStorageReport.
    pub fn get_datanode_storage_report(
        &self,
        call: &Call<'_>,
        request: &p::GetDatanodeStorageReportRequestProto,
    ) -> Result<p::GetDatanodeStorageReportResponseProto> {
        let kind = report_type(request.r#type)?;
        let slots = self.blocks.list_datanodes(call.now.mono, kind);
        let report = |slot| p::DatanodeStorageReportProto {
            datanode_info: convert::datanode_info(&self.blocks, slot),
            storage_reports: self
                .blocks
                .datanode(slot)
                .storages
                .iter()
                .map(|storage| convert::storage_report_proto(&self.blocks, *storage))
                .collect(),
        };
        let absent = self.blocks.never_registered(kind);
        let absent = absent.iter().map(|node| p::DatanodeStorageReportProto {
            datanode_info: convert::datanode_info_short(node),
            storage_reports: Vec::new(),
        });
        let datanode_storage_reports = slots.into_iter().map(report).chain(absent).collect();
        Ok(p::GetDatanodeStorageReportResponseProto { datanode_storage_reports })
    }

    /// Proto: getSlowDatanodeReport.
    pub fn get_slow_datanode_report(
        &self,
        call: &Call<'_>,
        _: &p::GetSlowDatanodeReportRequestProto,
    ) -> Result<p::GetSlowDatanodeReportResponseProto> {
        call.caller.check_superuser()?;
        let slots = self.blocks.slow_datanodes(call.now.mono);
        let datanode_info_proto =
            slots.into_iter().map(|slot| convert::datanode_info(&self.blocks, slot)).collect();
        Ok(p::GetSlowDatanodeReportResponseProto { datanode_info_proto })
    }

    /// Proto: setSafeMode.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser, unless it only asks.
    pub fn set_safe_mode(
        &mut self,
        call: &Call<'_>,
        request: &p::SetSafeModeRequestProto,
    ) -> Result<p::SetSafeModeResponseProto> {
        let action = Action::try_from(request.action).map_err(|_| {
            Error::new(
                ErrorKind::IllegalArgument,
                format!("Unexpected SafeModeAction :{}", request.action),
            )
        })?;
        if action != Action::SafemodeGet {
            call.caller.check_superuser()?;
        }
        let mono = call.now.mono;
        match action {
            Action::SafemodeGet => {}
            Action::SafemodeEnter => self.enter_safe_mode(),
            Action::SafemodeLeave => self.leave_safe_mode(mono, false),
            Action::SafemodeForceExit => self.leave_safe_mode(mono, true),
        }
        Ok(p::SetSafeModeResponseProto { result: self.safe_mode.is_on() })
    }

    /// Proto: listCorruptFileBlocks.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn list_corrupt_file_blocks(
        &self,
        call: &Call<'_>,
        request: &p::ListCorruptFileBlocksRequestProto,
    ) -> Result<p::ListCorruptFileBlocksResponseProto> {
        call.caller.check_superuser_for(LIST_CORRUPT)?;
        self.check_lists_corrupt()?;
        // What is no cookie of ours begins anew, and so does the 0 that says that nothing was found.
        let cookie = request.cookie.as_deref();
        let from = cookie.and_then(|cookie| cookie.parse().ok()).filter(|cookie| *cookie != 0);
        let mut next = BlockId(from.unwrap_or(i64::MIN));
        let found = self.corrupt_files(&request.path, &mut next);
        let cookie = match next {
            BlockId(id) if Some(id) != from && id != i64::MIN => id.to_string(),
            _ => cookie.unwrap_or("0").to_owned(),
        };
        let files = found.into_iter().map(|file| file.path).collect();
        let corrupt = p::CorruptFileBlocksProto { files, cookie };
        Ok(p::ListCorruptFileBlocksResponseProto { corrupt })
    }

    /// Refuses to list corrupt files while it is not known which they are.
    pub(crate) fn check_lists_corrupt(&self) -> Result<()> {
        let missing = self.blocks.missing_after(BlockId(i64::MIN)).next().is_some();
        if missing && !self.blocks.is_populating_queues() {
            return Err(Error::io(
                "Cannot run listCorruptFileBlocks because replication queues have not been initialized.",
            ));
        }
        Ok(())
    }

    /// Blocks without a good replica from `next` on, each with its file, which is below a path; as many as
    /// `dfs.namenode.max-corrupt-file-blocks-returned` allows. Files that only snapshots show have the path that they had
    /// last. `next` moves behind what was looked at.
    pub fn corrupt_files(&self, path: &str, next: &mut BlockId) -> Vec<CorruptFile> {
        let mut found = Vec::new();
        for info in self.blocks.missing_after(*next) {
            if found.len() >= self.conf.max_corrupt_files {
                break;
            }
            *next = BlockId(info.block.id.0.saturating_add(1));
            let Some(of_file) = self.namespace.last_path(info.owner) else { continue };
            let of_file = String::from_utf8_lossy(&of_file).into_owned();
            if !is_inside(&of_file, path) {
                continue;
            }
            let policy = self.namespace.erasure_coding_policy_of(info.owner);
            let redundancy =
                policy.map_or_else(|| info.replication.to_string(), |policy| policy.name.clone());
            found.push(CorruptFile { block: info.block.id, redundancy, path: of_file });
        }
        found
    }

    /// Proto: setBalancerBandwidth.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn set_balancer_bandwidth(
        &mut self,
        call: &Call<'_>,
        request: &p::SetBalancerBandwidthRequestProto,
    ) -> Result<p::SetBalancerBandwidthResponseProto> {
        call.caller.check_superuser()?;
        let bandwidth = u64::try_from(request.bandwidth).map_err(|_| {
            Error::new(
                ErrorKind::IllegalArgument,
                "Balancer bandwidth should be 0 or more bytes a second",
            )
        })?;
        self.blocks.set_balancer_bandwidth(bandwidth);
        Ok(p::SetBalancerBandwidthResponseProto {})
    }

    /// Takes new lists of hosts, which the shell has read.
    ///
    /// Proto: refreshNodes.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn refresh_nodes(&mut self, call: &Call<'_>, hosts: HostsLists) -> Result<()> {
        call.caller.check_superuser()?;
        self.blocks.refresh_nodes(call.now, hosts);
        Ok(())
    }

    /// Takes other settings while it runs.
    pub fn reconfigure(&mut self, namespace: NamespaceConf, blocks: BlocksConf) {
        self.blocks.set_conf(blocks.clone());
        self.conf.namespace = namespace;
        self.conf.blocks = blocks;
    }

    /// Takes the first lists of hosts.
    pub fn set_hosts(&mut self, now: hdfs_blocks::Now, hosts: HostsLists) {
        self.blocks.refresh_nodes(now, hosts);
    }

    /// Proto: msync. This NameNode is the active one: it is never behind itself.
    pub fn msync(&self, _: &Call<'_>, _: &p::MsyncRequestProto) -> Result<p::MsyncResponseProto> {
        Ok(p::MsyncResponseProto {})
    }

    /// Proto: getHAServiceState.
    pub fn get_ha_service_state(
        &self,
        _: &Call<'_>,
        _: &p::HaServiceStateRequestProto,
    ) -> Result<p::HaServiceStateResponseProto> {
        // As Hadoop without high availability; clients take that for active.
        Err(Error::new(ErrorKind::ServiceFailed, "HA for namenode is not enabled"))
    }

    /// Proto: getDataEncryptionKey. Data is not encrypted on the wire: there is no key.
    pub fn get_data_encryption_key(
        &self,
        _: &Call<'_>,
        _: &p::GetDataEncryptionKeyRequestProto,
    ) -> Result<p::GetDataEncryptionKeyResponseProto> {
        Ok(p::GetDataEncryptionKeyResponseProto { data_encryption_key: None })
    }

    /// Proto: getDelegationToken. Without security there are no tokens: as Hadoop, it answers that there is none.
    pub fn get_delegation_token(
        &self,
        _: &Call<'_>,
        _: &GetDelegationTokenRequestProto,
    ) -> Result<GetDelegationTokenResponseProto> {
        Ok(GetDelegationTokenResponseProto { token: None })
    }

    /// Proto: getCurrentEditLogTxid.
    pub fn get_current_edit_log_txid(
        &self,
        call: &Call<'_>,
        _: &p::GetCurrentEditLogTxidRequestProto,
    ) -> Result<p::GetCurrentEditLogTxidResponseProto> {
        call.caller.check_superuser_for("getCurrentEditLogTxid")?;
        let txid = i64::try_from(self.last_txid().0).unwrap_or(i64::MAX);
        Ok(p::GetCurrentEditLogTxidResponseProto { txid })
    }

    /// The text of `metaSave`.
    ///
    /// Proto: ClientNamenodeProtocol.proto metaSave.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn meta_save(&self, call: &Call<'_>) -> Result<String> {
        call.caller.check_superuser()?;
        let (inodes, blocks) = (self.inode_count(), self.blocks.block_count() as u64);
        let mut text = format!(
            "{inodes} files and directories, {blocks} blocks = {} total filesystem objects\n",
            inodes + blocks
        );
        let names = DumpNames {
            path: &|file| self.path_text(file),
            date: &|time| CivilTime::from(time).to_string(),
            time: &|time| CivilTime::from(time).time_of_day(),
        };
        self.blocks.dump(call.now, &names, &mut text);
        Ok(text)
    }

    /// Looks for silent nodes; true: call again soon.
    pub fn check_heartbeats(&mut self, now: hdfs_blocks::Now) -> bool {
        const DEAD_NODES_A_ROUND: usize = 10;
        let more = self.blocks.check_heartbeats(now, DEAD_NODES_A_ROUND);
        self.check_safe_mode(now.mono);
        more
    }

    /// One round of the redundancy monitor; returns the copies scheduled.
    pub fn compute_redundancy_work(&mut self, now: Mono) -> usize {
        if self.safe_mode.is_on() {
            return 0;
        }
        let namespace = &self.namespace;
        self.blocks.compute_work(now, &|file| namespace.storage_policy_of(file))
    }

    /// One round of the decommission monitor.
    pub fn check_decommission(&mut self, now: hdfs_blocks::Now) {
        self.blocks.check_decommission(now);
        self.decide_surplus(now.mono);
    }
}

fn report_type(number: i32) -> Result<DatanodeReportType> {
    use p::DatanodeReportTypeProto as Wire;
    Ok(match Wire::try_from(number) {
        Ok(Wire::All) => DatanodeReportType::All,
        Ok(Wire::Live) => DatanodeReportType::Live,
        Ok(Wire::Dead) => DatanodeReportType::Dead,
        Ok(Wire::Decommissioning) => DatanodeReportType::Decommissioning,
        Ok(Wire::EnteringMaintenance) => DatanodeReportType::EnteringMaintenance,
        Ok(Wire::InMaintenance) => DatanodeReportType::InMaintenance,
        Err(_) => {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                format!("{number} is no kind of DataNode report"),
            ));
        }
    })
}
