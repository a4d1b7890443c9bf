//! The calls to a NameNode.
//!
//! Proto: DatanodeProtocol.proto

use std::sync::Arc;

use bytes::Bytes;
use hdfs_datanode::VolumeIndex;
use hdfs_datanode::report::Batch;
use hdfs_format::block_list::{BlockListDecoder, encode_longs};
use hdfs_format::datatransfer::block_proto;
use hdfs_format::storage_dir::BlockPoolVersion;
use hdfs_proto::hdfs::datanode::{
    BlockReceivedAndDeletedRequestProto, BlockReceivedAndDeletedResponseProto,
    BlockReportContextProto, BlockReportRequestProto, BlockReportResponseProto,
    CommitBlockSynchronizationRequestProto, CommitBlockSynchronizationResponseProto,
    DatanodeCommandProto, DatanodeRegistrationProto, ErrorReportRequestProto,
    ErrorReportResponseProto, HeartbeatRequestProto, HeartbeatResponseProto,
    ReceivedDeletedBlockInfoProto, RegisterDatanodeRequestProto, RegisterDatanodeResponseProto,
    ReportBadBlocksRequestProto, ReportBadBlocksResponseProto, StorageBlockReportProto,
    StorageReceivedDeletedBlocksProto, VolumeFailureSummaryProto,
};
use hdfs_proto::hdfs::{
    DatanodeStorageProto, LocatedBlockProto, StorageInfoProto, StorageReportProto,
    VersionRequestProto, VersionResponseProto,
};
use hdfs_types::constants::DATANODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, Rng, SplitMix64, WallMillis};

use super::super::SOFTWARE_VERSION;
use super::super::dataset::Pool;
use super::super::volume::Volume;
use super::Actor;

/// The oldest NameNode that this DataNode serves (`dfs.datanode.min.supported.namenode.version`).
const OLDEST_NAMENODE: &str = "3.0.0";
/// NamespaceInfoProto.capabilities: block reports as buffers.
const CAPABILITY_BUFFERS: u64 = 1;

/// What a NameNode gave at registration.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    /// The registration, which every later call carries.
    pub registration: DatanodeRegistrationProto,
    buffers: bool,
}

impl Actor {
    fn call<Req, Resp>(&self, method: &str, request: &Req) -> Result<Resp>
    where
        Req: prost::Message,
        Resp: prost::Message + Default,
    {
        self.shared.runtime.block_on(self.proxy.call(method, request))
    }

    /// Asks who the NameNode is, opens the pool, and registers.
    pub(super) fn handshake(&self) -> Result<(Arc<Pool>, Registered)> {
        let response: VersionResponseProto =
            self.call("versionRequest", &VersionRequestProto::default())?;
        let info = response.info;
        if older(&info.software_version, OLDEST_NAMENODE) {
            return Err(Error::new(
                ErrorKind::IncorrectVersion,
                format!(
                    "The reported NameNode version is too low to communicate with this DataNode. NameNode version: \
                     '{}' Minimum NameNode version: '{OLDEST_NAMENODE}'",
                    info.software_version
                ),
            ));
        }
        let cluster = &info.storage_info.cluster_id;
        let c_time = info.storage_info.c_time;
        let version = BlockPoolVersion::new(
            info.storage_info.namespce_id,
            WallMillis(c_time),
            info.block_pool_id.as_str().into(),
        );
        let usable = || self.shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
        for volume in usable() {
            volume.check_cluster(cluster)?;
        }
        for volume in usable() {
            let option = self.shared.dataset.option;
            if let Err(error) = volume.format(cluster, &self.shared.uuid, &version, option) {
                volume.fail(&error);
            }
        }
        // Volumes may fail here: whether what is left is enough is decided for all of them.
        let pool = self.shared.dataset.add_pool(&version);
        if self.shared.dataset.has_new_failure() {
            self.shared.check_volumes();
        }
        let pool = pool?;
        let registration = DatanodeRegistrationProto {
            datanode_id: self.shared.datanode_id(),
            storage_info: StorageInfoProto {
                layout_version: DATANODE_LAYOUT_VERSION.cast_unsigned(),
                namespce_id: info.storage_info.namespce_id,
                cluster_id: cluster.clone(),
                c_time,
            },
            keys: hdfs_proto::hdfs::ExportedBlockKeysProto::default(),
            software_version: SOFTWARE_VERSION.to_owned(),
        };
        let request = RegisterDatanodeRequestProto { registration };
        let response: RegisterDatanodeResponseProto = self.call("registerDatanode", &request)?;
        let id = &response.registration.datanode_id;
        self.shared.learn_address(&id.ip_addr, &id.host_name);
        let buffers = info.capabilities.unwrap_or(0) & CAPABILITY_BUFFERS != 0;
        Ok((pool, Registered { registration: response.registration, buffers }))
    }

    pub(super) fn send_heartbeat(
        &self,
        registered: &Registered,
        lease: bool,
    ) -> Result<HeartbeatResponseProto> {
        let shared = &self.shared;
        let _total = shared.counters.heartbeats_total.time();
        if shared.dataset.has_new_failure() {
            shared.check_volumes();
        }
        let failures = shared.dataset.volume_failures();
        let count = |number: usize| Some(u32::try_from(number).unwrap_or(u32::MAX));
        let request = HeartbeatRequestProto {
            registration: registered.registration.clone(),
            reports: self.storage_reports(),
            xmits_in_progress: count(
                shared.counters.transfers.load(std::sync::atomic::Ordering::Relaxed),
            ),
            xceiver_count: count(shared.xceivers.load(std::sync::atomic::Ordering::Relaxed)),
            failed_volumes: count(failures.locations.len()),
            cache_capacity: Some(0),
            cache_used: Some(0),
            volume_failure_summary: (!failures.locations.is_empty()).then_some(
                VolumeFailureSummaryProto {
                    failed_storage_locations: failures.locations,
                    last_volume_failure_date: failures.last_ms,
                    estimated_capacity_lost_total: failures.lost_bytes,
                },
            ),
            request_full_block_report_lease: Some(lease),
            slow_peers: Vec::new(),
            slow_disks: Vec::new(),
        };
        let _timing = shared.counters.heartbeats.time();
        self.call("sendHeartbeat", &request)
    }

    #[expect(deprecated, reason = "the field is required on the wire")]
    fn storage_reports(&self) -> Vec<StorageReportProto> {
        let usable = self.shared.dataset.volumes.iter().filter(|volume| !volume.has_failed());
        usable
            .filter_map(|volume| {
                let space = match volume.space() {
                    Ok(space) => space,
                    Err(error) => {
                        volume.fail(&error);
                        return None;
                    }
                };
                Some(StorageReportProto {
                    storage_uuid: volume.uuid.as_str().to_owned(),
                    failed: Some(false),
                    capacity: Some(space.capacity),
                    dfs_used: Some(space.dfs_used),
                    remaining: Some(space.remaining),
                    block_pool_used: Some(space.dfs_used),
                    storage: Some(storage(volume)),
                    non_dfs_used: Some(space.non_dfs_used),
                    mount: Some(String::new()),
                })
            })
            .collect()
    }

    #[expect(deprecated, reason = "the field is required on the wire")]
    pub(super) fn send_received_and_deleted(
        &self,
        pool: &Pool,
        registered: &Registered,
        batch: &Batch,
    ) -> Result<()> {
        let blocks = batch.iter().map(|(index, events)| {
            let volume = pool.volume(VolumeIndex(*index));
            StorageReceivedDeletedBlocksProto {
                storage_uuid: volume.uuid.as_str().to_owned(),
                blocks: events
                    .iter()
                    .map(|event| ReceivedDeletedBlockInfoProto {
                        block: block_proto(&event.block),
                        status: event.event as i32,
                        delete_hint: event.delete_hint.clone(),
                    })
                    .collect(),
                storage: Some(storage(volume)),
            }
        });
        let request = BlockReceivedAndDeletedRequestProto {
            registration: registered.registration.clone(),
            block_pool_id: pool.id.as_str().to_owned(),
            blocks: blocks.collect(),
        };
        let _timing = self.shared.counters.incremental_reports.time();
        let _: BlockReceivedAndDeletedResponseProto =
            self.call("blockReceivedAndDeleted", &request)?;
        Ok(())
    }

    pub(super) fn send_full_report(
        &self,
        pool: &Pool,
        registered: &Registered,
        lease: u64,
        rng: &mut SplitMix64,
    ) -> Result<Vec<DatanodeCommandProto>> {
        let making = self.shared.counters.reports_made.time();
        let mut total = 0;
        let mut reports = Vec::new();
        for (index, list) in pool.full_report() {
            let count = list.count();
            total += count;
            let buffers = list.finish();
            let (blocks, buffers) = if registered.buffers {
                (Vec::new(), buffers)
            } else {
                (longs(count, &buffers)?, Vec::new())
            };
            reports.push(StorageBlockReportProto {
                storage: storage(pool.volume(index)),
                blocks,
                number_of_blocks: registered.buffers.then_some(count),
                blocks_buffers: buffers,
            });
        }
        let id = rng.next_u64().max(1).cast_signed();
        let groups: Vec<Vec<StorageBlockReportProto>> =
            if total < self.shared.tunable.report_split_threshold() {
                vec![reports]
            } else {
                reports.into_iter().map(|report| vec![report]).collect()
            };
        drop(making);
        let _sending = self.shared.counters.reports.time();
        let total_rpcs = i32::try_from(groups.len()).unwrap_or(i32::MAX);
        let mut commands = Vec::new();
        for (cur_rpc, reports) in (0..).zip(groups) {
            let request = BlockReportRequestProto {
                registration: registered.registration.clone(),
                block_pool_id: pool.id.as_str().to_owned(),
                reports,
                context: Some(BlockReportContextProto {
                    total_rpcs,
                    cur_rpc,
                    id,
                    lease_id: Some(lease),
                }),
            };
            self.note_report(prost::Message::encoded_len(&request));
            let response: BlockReportResponseProto = self.call("blockReport", &request)?;
            commands.extend(response.cmd);
        }
        tracing::info!(namenode = %self.address, blocks = total, rpcs = total_rpcs, "sent full block report");
        Ok(commands)
    }

    /// Tells the NameNode that replicas are corrupt.
    ///
    /// # Errors
    /// When the NameNode does not answer.
    pub(crate) fn report_bad_blocks(&self, blocks: Vec<LocatedBlockProto>) -> Result<()> {
        let request = ReportBadBlocksRequestProto { blocks };
        let _: ReportBadBlocksResponseProto = self.call("reportBadBlocks", &request)?;
        Ok(())
    }

    /// Tells the NameNode what went wrong here.
    ///
    /// # Errors
    /// When the NameNode does not answer, or this DataNode is not registered.
    pub(crate) fn report_error(&self, code: u32, text: String) -> Result<()> {
        let registered = self.registration().ok_or_else(|| Error::io("not registered"))?;
        let request = ErrorReportRequestProto {
            registartion: registered.registration,
            error_code: code,
            msg: text,
        };
        let _: ErrorReportResponseProto = self.call("errorReport", &request)?;
        Ok(())
    }

    /// Tells the NameNode how the recovery of a block ended.
    ///
    /// # Errors
    /// What the NameNode says.
    pub(crate) fn commit_synchronization(
        &self,
        request: &CommitBlockSynchronizationRequestProto,
    ) -> Result<()> {
        let _: CommitBlockSynchronizationResponseProto =
            self.call("commitBlockSynchronization", request)?;
        Ok(())
    }
}

/// A report as longs, for a NameNode that knows no buffers.
fn longs(count: u64, buffers: &[Bytes]) -> Result<Vec<u64>> {
    let replicas: Result<Vec<_>, _> = BlockListDecoder::from_buffers(count, buffers).collect();
    let replicas = replicas.map_err(|error| Error::io(error.to_string()).with_source(error))?;
    Ok(encode_longs(&replicas))
}

fn storage(volume: &Volume) -> DatanodeStorageProto {
    DatanodeStorageProto {
        storage_uuid: volume.uuid.as_str().to_owned(),
        state: Some(0),
        storage_type: Some(volume.storage_type as i32),
    }
}

/// Compares versions number by number; what follows a `-` does not count.
fn older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let plain = text.split('-').next().unwrap_or("");
        plain.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(than)
}

#[cfg(test)]
mod tests {
    use super::older;

    #[test]
    fn versions_compare_by_number() {
        assert!(older("2.10.1", "3.0.0"));
        assert!(!older("3.0.0", "3.0.0"));
        assert!(!older("3.10.0-SNAPSHOT", "3.9.1"));
    }
}
