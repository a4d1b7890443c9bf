//! Block recovery as the primary: asks every holder, decides, updates them, and tells the NameNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockRecoveryWorker (3.5.0)

use std::sync::Arc;

use hdfs_datanode::recovery::{Candidate, RecoveryInfo, SyncPlan, is_only_older, plan_sync};
use hdfs_format::datatransfer::{block, extended_block, extended_block_proto};
use hdfs_proto::hdfs::datanode::CommitBlockSynchronizationRequestProto;
use hdfs_proto::hdfs::{
    DatanodeIdProto, InitReplicaRecoveryRequestProto, InitReplicaRecoveryResponseProto,
    RecoveringBlockProto, UpdateReplicaUnderRecoveryRequestProto,
    UpdateReplicaUnderRecoveryResponseProto,
};
use hdfs_types::{BlockId, Error, ErrorKind, ExtendedBlock, GenerationStamp, ReplicaState, Result};

use super::Shared;
use super::service::NameServiceState;

/// Recovers one block. What goes wrong is logged: the NameNode asks again.
pub(super) fn recover(
    shared: &Arc<Shared>,
    service: &NameServiceState,
    request: &RecoveringBlockProto,
) {
    let old = extended_block(&request.block.b);
    let result = if request.ec_policy.is_some() {
        Err(Error::io("recovery of striped blocks is not supported"))
    } else {
        Recovery { shared, service, request, old: old.clone() }.run()
    };
    if let Err(error) = result {
        tracing::warn!(block = %old, %error, "recover Block FAILED");
    }
}

/// Does this for every element at the same time, so that one silent node costs its time-out once; results in order.
fn at_once<T: Sync, R: Send>(of: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Vec<Result<R>> {
    let work = &work;
    std::thread::scope(|scope| {
        let running: Vec<_> = of.iter().map(|element| scope.spawn(move || work(element))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<R>>| {
            thread.join().unwrap_or_else(|_| Err(Error::io("a thread of the recovery panicked")))
        };
        running.into_iter().map(join).collect()
    })
}

struct Recovery<'a> {
    shared: &'a Arc<Shared>,
    service: &'a NameServiceState,
    request: &'a RecoveringBlockProto,
    old: ExtendedBlock,
}

impl Recovery<'_> {
    fn run(&self) -> Result<()> {
        let locations: Vec<&DatanodeIdProto> =
            self.request.block.locs.iter().map(|node| &node.id).collect();
        let (mut answers, mut errors, mut silent) = (Vec::new(), 0, 0);
        for (index, answer) in at_once(&locations, |node| self.ask(node)).into_iter().enumerate() {
            let node = &locations[index].ip_addr;
            match answer {
                Ok(Some(info)) => answers.push(Candidate { index, info }),
                Ok(None) => {}
                Err(error) if error.kind == ErrorKind::RecoveryInProgress => {
                    tracing::warn!(block = %self.old, node, %error, "recovery is already in progress");
                    return Ok(());
                }
                Err(error) => {
                    errors += 1;
                    silent += usize::from(!is_only_older(&error));
                    tracing::warn!(block = %self.old, node, %error, "Failed to recover block");
                }
            }
        }
        if errors == locations.len() {
            return Err(Error::io(format!("All datanodes failed: block={}", self.old)));
        }
        let new_block = self.request.truncate_block.as_ref().map(block);
        match plan_sync(&self.old, &answers, silent, new_block.map(|block| block.num_bytes))? {
            SyncPlan::Delete => self.commit(0, true, Vec::new(), Vec::new()),
            SyncPlan::Update { participants, length } => {
                let new_id = new_block.map_or(self.old.block.id, |block| block.id);
                self.update(&locations, &participants, new_id, length)
            }
        }
    }

    fn update(
        &self,
        locations: &[&DatanodeIdProto],
        participants: &[Candidate],
        new_id: BlockId,
        length: u64,
    ) -> Result<()> {
        let (mut nodes, mut storages) = (Vec::new(), Vec::new());
        let chosen: Vec<(&DatanodeIdProto, &Candidate)> = participants
            .iter()
            .filter_map(|candidate| Some((*locations.get(candidate.index)?, candidate)))
            .collect();
        let updated =
            at_once(&chosen, |(node, candidate)| self.update_one(node, candidate, new_id, length));
        for ((node, _), answer) in chosen.iter().zip(updated) {
            match answer {
                Ok(storage) => {
                    nodes.push((*node).clone());
                    storages.push(storage);
                }
                Err(error) => {
                    tracing::warn!(block = %self.old, node = node.ip_addr, %error, "Failed to updateBlock");
                }
            }
        }
        if nodes.is_empty() {
            return Err(Error::io(format!("Cannot recover {}, all datanodes failed", self.old)));
        }
        self.commit(length, false, nodes, storages)
    }

    fn is_self(&self, node: &DatanodeIdProto) -> bool {
        node.datanode_uuid == self.shared.uuid
    }

    fn ask(&self, node: &DatanodeIdProto) -> Result<Option<RecoveryInfo>> {
        let recovery_id = GenerationStamp(self.request.new_gen_stamp);
        if self.is_self(node) {
            return self.shared.dataset.pool(&self.old.pool)?.init_recovery(&self.old, recovery_id);
        }
        let request = InitReplicaRecoveryRequestProto { block: self.request.clone() };
        let proxy = self.shared.datanode_proxy(node)?;
        let response: InitReplicaRecoveryResponseProto =
            self.shared.runtime.block_on(proxy.call("initReplicaRecovery", &request))?;
        if !response.replica_found {
            return Ok(None);
        }
        let state = response.state.unwrap_or_default();
        let state = u64::try_from(state).ok().and_then(ReplicaState::from_number);
        let found = response.block.as_ref().zip(state);
        let (found, original_state) =
            found.ok_or_else(|| Error::io("initReplicaRecovery answered without a replica"))?;
        Ok(Some(RecoveryInfo { block: block(found), original_state }))
    }

    fn update_one(
        &self,
        node: &DatanodeIdProto,
        candidate: &Candidate,
        new_id: BlockId,
        length: u64,
    ) -> Result<String> {
        let old = ExtendedBlock { pool: self.old.pool.clone(), block: candidate.info.block };
        let recovery_id = GenerationStamp(self.request.new_gen_stamp);
        if self.is_self(node) {
            let pool = self.shared.dataset.pool(&old.pool)?;
            return pool.update_recovery(&old, recovery_id, new_id, length);
        }
        let request = UpdateReplicaUnderRecoveryRequestProto {
            block: extended_block_proto(&old),
            recovery_id: recovery_id.0,
            new_length: length,
            new_block_id: Some(new_id.0.cast_unsigned()),
        };
        let proxy = self.shared.datanode_proxy(node)?;
        let response: UpdateReplicaUnderRecoveryResponseProto =
            self.shared.runtime.block_on(proxy.call("updateReplicaUnderRecovery", &request))?;
        Ok(response.storage_uuid.unwrap_or_default())
    }

    fn commit(
        &self,
        new_length: u64,
        delete_block: bool,
        new_taragets: Vec<DatanodeIdProto>,
        new_target_storages: Vec<String>,
    ) -> Result<()> {
        let active = self.service.active_actor().ok_or_else(|| {
            Error::io(format!("Block pool {} has not recognized an active NN", self.old.pool))
        })?;
        active.commit_synchronization(&CommitBlockSynchronizationRequestProto {
            block: extended_block_proto(&self.old),
            new_gen_stamp: self.request.new_gen_stamp,
            new_length,
            close_file: true,
            delete_block,
            new_taragets,
            new_target_storages,
        })
    }
}
