//! The service of a simulated DataNode to its NameNode: registration, heartbeats, reports.

use std::rc::Rc;
use std::time::Duration;

use hdfs_blocks::ReportedReplica;
use hdfs_datanode::{command, report};
use hdfs_format::datatransfer::block_proto;
use hdfs_namenode::{Call, NameNode};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::datanode::{
    BlockReceivedAndDeletedRequestProto, BlockReportContextProto, DatanodeCommandProto,
    DatanodeRegistrationProto, HeartbeatRequestProto, ReceivedDeletedBlockInfoProto,
    RegisterDatanodeRequestProto, StorageReceivedDeletedBlocksProto,
};
use hdfs_types::{DatanodeUuid, Error, ErrorKind, Result};

use super::{DataNode, datanode_id, storage_uuid, uuid};
use crate::kernel::NodeId;
use crate::namenode::POOL;

fn storage(node: NodeId) -> p::DatanodeStorageProto {
    p::DatanodeStorageProto {
        storage_uuid: storage_uuid(node),
        state: Some(0),
        storage_type: Some(1),
    }
}

fn registration(node: NodeId) -> DatanodeRegistrationProto {
    DatanodeRegistrationProto {
        datanode_id: datanode_id(node),
        storage_info: p::StorageInfoProto {
            layout_version: (-57_i32).cast_unsigned(),
            namespce_id: 1,
            cluster_id: "CID-1".to_owned(),
            c_time: 0,
        },
        keys: p::ExportedBlockKeysProto::default(),
        software_version: "3.5.0".to_owned(),
    }
}

/// What the loop does next.
enum End {
    Register,
}

impl DataNode {
    async fn call<T: 'static>(
        &self,
        request: impl Fn(&mut NameNode, &Call<'_>) -> Result<T> + Clone + 'static,
    ) -> Result<T> {
        let answer = self.cluster.call_namenode(self.node, None, None, request).await;
        answer.unwrap_or_else(|gone| Err(Error::io(format!("the namenode: {gone:?}"))))
    }

    pub(super) async fn serve_namenode(self: Rc<Self>) {
        loop {
            let wanted = RegisterDatanodeRequestProto { registration: registration(self.node) };
            let rack = format!("/rack{}", self.node.0 % 2);
            let registered =
                self.call(move |nn, call| nn.register_datanode(call, &wanted, Some(&rack))).await;
            match registered {
                Ok(answer) => {
                    *self.registered.borrow_mut() = Some(answer.registration);
                    let now = self.sim.now().mono;
                    let mut schedule = self.schedule.borrow_mut();
                    schedule.handle_registered(now, &mut self.sim.kernel().rng);
                }
                Err(_) => {
                    self.sim.sleep(Duration::from_millis(500)).await;
                    continue;
                }
            }
            self.offer().await;
        }
    }

    /// Heartbeats and reports until the NameNode asks to register again.
    async fn offer(self: &Rc<Self>) {
        loop {
            match self.offer_once().await {
                Ok(None) => {}
                Ok(Some(End::Register)) => return,
                Err(error) => {
                    if error.kind.java_class().ends_with("InvalidBlockReportLeaseException") {
                        self.schedule.borrow_mut().handle_lease_refused();
                    }
                    if error.kind == ErrorKind::UnregisteredNode {
                        return;
                    }
                    self.sim.sleep(Duration::from_secs(1)).await;
                }
            }
            let next = self.schedule.borrow().poll_timeout();
            let wait = next.since(self.sim.now().mono);
            let due = || {
                let now = self.sim.now().mono;
                let due = self.reports.borrow().poll_timeout();
                (due.is_some_and(|due| due <= now)).then_some(())
            };
            let soon = self.reports.borrow().poll_timeout();
            let wait = soon.map_or(wait, |soon| wait.min(soon.since(self.sim.now().mono)));
            self.sim.until(wait, &self.wake, due).await;
        }
    }

    async fn offer_once(self: &Rc<Self>) -> Result<Option<End>> {
        let now = self.sim.now().mono;
        if self.schedule.borrow().heartbeat_due(now) {
            self.schedule.borrow_mut().handle_heartbeat_sent(now);
            let lease = self.schedule.borrow().wants_lease(now);
            let request = self.heartbeat(lease);
            let answer = self.call(move |nn, call| nn.send_heartbeat(call, &request)).await?;
            let lease = answer.full_block_report_lease_id.unwrap_or(0);
            self.schedule.borrow_mut().handle_lease(lease);
            if let Some(end) = self.obey(answer.cmds) {
                return Ok(Some(end));
            }
        }
        self.send_incremental().await?;
        let lease = self.schedule.borrow_mut().take_report();
        if let Some(lease) = lease {
            let commands = self.send_full_report(lease).await?;
            let now = self.sim.now().mono;
            {
                let mut schedule = self.schedule.borrow_mut();
                schedule.handle_report_sent(now, &mut self.sim.kernel().rng);
            }
            return Ok(self.obey(commands.into_iter().collect()));
        }
        Ok(None)
    }

    fn obey(self: &Rc<Self>, commands: Vec<DatanodeCommandProto>) -> Option<End> {
        for proto in commands {
            let command = command::decode(proto);
            if matches!(command, command::Command::Register) {
                return Some(End::Register);
            }
            self.perform_order(command);
        }
        None
    }

    #[expect(deprecated, reason = "the field is required on the wire")]
    fn heartbeat(&self, lease: bool) -> HeartbeatRequestProto {
        let remaining = self.pool.folders.disk.remaining();
        let report = p::StorageReportProto {
            storage_uuid: storage_uuid(self.node),
            failed: Some(false),
            capacity: Some(crate::DISK_BYTES),
            dfs_used: Some(crate::DISK_BYTES - remaining.min(crate::DISK_BYTES)),
            remaining: Some(remaining),
            block_pool_used: Some(crate::DISK_BYTES - remaining.min(crate::DISK_BYTES)),
            storage: Some(storage(self.node)),
            non_dfs_used: Some(0),
            mount: None,
        };
        HeartbeatRequestProto {
            registration: registration(self.node),
            reports: vec![report],
            xmits_in_progress: Some(self.transfers.get()),
            xceiver_count: Some(1),
            failed_volumes: Some(0),
            cache_capacity: Some(0),
            cache_used: Some(0),
            volume_failure_summary: None,
            request_full_block_report_lease: Some(lease),
            slow_peers: Vec::new(),
            slow_disks: Vec::new(),
        }
    }

    #[expect(deprecated, reason = "the field is required on the wire")]
    async fn send_incremental(&self) -> Result<()> {
        let batch = self.reports.borrow_mut().take();
        if batch.is_empty() {
            return Ok(());
        }
        let lines = batch.iter().flat_map(|(_, events)| events).map(|event| {
            ReceivedDeletedBlockInfoProto {
                block: block_proto(&event.block),
                status: event.event as i32,
                delete_hint: event.delete_hint.clone(),
            }
        });
        let request = BlockReceivedAndDeletedRequestProto {
            registration: registration(self.node),
            block_pool_id: POOL.to_owned(),
            blocks: vec![StorageReceivedDeletedBlocksProto {
                storage_uuid: storage_uuid(self.node),
                blocks: lines.collect(),
                storage: Some(storage(self.node)),
            }],
        };
        let sent = self.call(move |nn, call| nn.block_received_and_deleted(call, &request)).await;
        if sent.is_err() {
            self.reports.borrow_mut().put_back(batch, self.sim.now().mono);
        }
        sent.map(|_| ())
    }

    async fn send_full_report(&self, lease: u64) -> Result<Option<DatanodeCommandProto>> {
        let replicas = self.pool.replicas();
        let lines: Vec<ReportedReplica> = replicas
            .iter()
            .filter_map(report::reported)
            .map(|line| ReportedReplica { block: line.block, state: line.state })
            .collect();
        let context = BlockReportContextProto {
            total_rpcs: 1,
            cur_rpc: 0,
            id: i64::try_from(self.sim.below(1 << 40)).unwrap_or(0) + 1,
            lease_id: Some(lease),
        };
        let (node, registration) = (self.node, registration(self.node));
        let answer = self.call(move |nn, call| {
            let uuid = DatanodeUuid::from(uuid(node).as_str());
            let mut fresh = false;
            if nn.check_block_report(call, &registration, Some(&context))?
                && let Some(mut report) = nn.begin_storage_report(call, &uuid, &storage(node))?
            {
                for slice in lines.chunks(3) {
                    nn.apply_storage_report(call, &mut report, slice);
                }
                fresh = nn.finish_storage_report(call, report)?;
            }
            nn.finish_block_report(call, &uuid, Some(&context), fresh)
        });
        Ok(answer.await?.cmd)
    }
}
