//! Leases: renewing, recovering, and what the NameNode does about silent writers.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.internalReleaseLease, commitBlockSynchronization,
//! LeaseManager.checkLeases (3.5.0)

use std::sync::Arc;
use std::time::Duration;

use hdfs_blocks::{BlockState, Now};
use hdfs_namespace::FileBlocks;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::datanode::{
    CommitBlockSynchronizationRequestProto, CommitBlockSynchronizationResponseProto,
};
use hdfs_types::{Block, DatanodeUuid, Error, ErrorKind, GenerationStamp, INodeId, Result};

use crate::call::{Call, Caller};
use crate::convert;
use crate::machine::NameNode;

impl NameNode {
    /// Proto: renewLease.
    pub fn renew_lease(
        &mut self,
        call: &Call<'_>,
        request: &p::RenewLeaseRequestProto,
    ) -> Result<p::RenewLeaseResponseProto> {
        let what = format!("Cannot renew lease for {}", request.client_name);
        self.check_writable(&what, call.now.mono)?;
        self.namespace.leases_mut().renew(&request.client_name, call.now.mono);
        Ok(p::RenewLeaseResponseProto {})
    }

    /// Proto: recoverLease. True when the file is closed.
    pub fn recover_lease(
        &mut self,
        call: &Call<'_>,
        request: &p::RecoverLeaseRequestProto,
    ) -> Result<p::RecoverLeaseResponseProto> {
        let what = format!("Cannot recover the lease of {}", request.src);
        self.check_writable(&what, call.now.mono)?;
        let release = self.plan(call, |namespace, context| {
            let path = request.src.as_bytes();
            namespace.plan_recover_lease(context, path, &request.client_name, call.client_machine)
        })?;
        let result = match release {
            None => true,
            Some(release) => {
                self.release_lease(call.now, release.inode, release.new_holder.as_deref())?
            }
        };
        Ok(p::RecoverLeaseResponseProto { result })
    }

    /// Closes a file whose writer is gone, or starts the recovery of its last block; true when it is closed now.
    ///
    /// # Errors
    /// AlreadyBeingCreated while committed blocks wait for their minimal replication.
    pub(crate) fn release_lease(
        &mut self,
        now: Now,
        inode: INodeId,
        new_holder: Option<&str>,
    ) -> Result<bool> {
        let system = system_caller();
        let call = system_call(&system, now);
        let Some(file) = self.namespace.blocks_of_inode(inode) else {
            return Err(Error::new(ErrorKind::FileNotFound, format!("inode {inode} is deleted")));
        };
        let path = String::from_utf8_lossy(&file.path).into_owned();
        match self.state_of_end(now, &file, &path)? {
            End::Complete => {
                self.close(&call, inode)?;
                return Ok(true);
            }
            End::Empty => {
                let planned = self.plan(&call, |namespace, context| {
                    namespace.plan_set_last_block(context, inode, None)
                })?;
                self.commit(planned, now);
                self.close(&call, inode)?;
                return Ok(true);
            }
            End::Recover(last) => self.start_recovery(&call, last)?,
            End::Unreported => {}
        }
        match new_holder {
            Some(holder) => {
                let planned = self.plan(&call, |namespace, context| {
                    namespace.plan_reassign_lease(context, inode, holder)
                })?;
                self.commit(planned, now);
            }
            None => {
                if let Some(holder) = self.namespace.leases().holder(inode).cloned() {
                    self.namespace.leases_mut().renew(&holder, now.mono);
                }
            }
        }
        Ok(false)
    }

    fn close(&mut self, call: &Call<'_>, inode: INodeId) -> Result<()> {
        let last =
            self.namespace.blocks_of_inode(inode).and_then(|file| file.blocks.last().copied());
        let last = last.and_then(|last| self.blocks.block(last.id)).map(|info| info.block);
        let planned =
            self.plan(call, |namespace, context| namespace.plan_close_file(context, inode, last))?;
        self.commit(planned, call.now);
        Ok(())
    }

    /// What the last blocks of a file without a writer allow.
    fn state_of_end(&self, now: Now, file: &FileBlocks, path: &str) -> Result<End> {
        let state = |block: &Block| {
            self.blocks.block(block.id).map_or(BlockState::Complete, |info| info.state)
        };
        let first = file.blocks.iter().position(|block| state(block) != BlockState::Complete);
        let (Some(first), Some(last)) = (first, file.blocks.last()) else {
            return Ok(End::Complete);
        };
        let count = file.blocks.len();
        let before = count.checked_sub(2).map(|index| &file.blocks[index]);
        if first + 2 < count
            || first + 2 == count && before.map(state) != Some(BlockState::Committed)
        {
            return Err(Error::io(format!(
                "DIR* NameSystem.internalReleaseLease: attempt to release a create lock on {path} but file is already \
                 closed."
            )));
        }
        let before_is_safe = before.is_none_or(|before| self.blocks.has_min_storage(before.id));
        if state(last) == BlockState::Committed {
            if before_is_safe && self.blocks.has_min_storage(last.id) {
                return Ok(End::Complete);
            }
            if !before_is_safe {
                return Err(Error::new(
                    ErrorKind::AlreadyBeingCreated,
                    format!(
                        "DIR* NameSystem.internalReleaseLease: Failed to release lease for file {path}. Committed blocks \
                         are waiting to be minimally replicated."
                    ),
                ));
            }
        }
        let stored = self.blocks.block(last.id).map_or(*last, |info| info.block);
        if self.blocks.expected_locations(last.id).is_empty() && stored.num_bytes == 0 {
            return Ok(if self.may_be_unreported(now) { End::Unreported } else { End::Empty });
        }
        Ok(End::Recover(stored))
    }

    /// True while a block without known locations may have replicas all the same.
    ///
    /// Locations of open blocks are in no log: after a restart only reports tell them. Differs: Hadoop takes such a block for
    /// one that was never written, and drops it with what was synced to it. Here every DataNode that lives must have
    /// reported, and one that was down gets the time after which a silent node is dead.
    fn may_be_unreported(&self, now: Now) -> bool {
        let waited = self.safe_mode_left().map(|left| now.mono.since(left));
        waited.is_none_or(|waited| waited < self.conf.blocks.dead_interval())
            || !self.blocks.live_storages_have_reported()
    }

    fn start_recovery(&mut self, call: &Call<'_>, last: Block) -> Result<()> {
        let mono = call.now.mono;
        if self.blocks.is_striped(last.id) {
            return Err(Error::new(
                ErrorKind::UnsupportedOperation,
                format!("Recovery of block group {last} is not supported yet"),
            ));
        }
        if !self.blocks.recovery_is_due(mono, last.id) {
            return Ok(());
        }
        let planned =
            self.plan(call, |namespace, context| namespace.plan_next_generation_stamp(context))?;
        let stamp = self.commit(planned, call.now);
        self.blocks.set_generation_stamp(stamp);
        let truncate = self.blocks.truncate_block(last.id);
        self.blocks.initialize_recovery(mono, last.id, stamp, truncate)?;
        Ok(())
    }

    /// What recovering DataNodes agreed on.
    ///
    /// Proto: DatanodeProtocol.proto commitBlockSynchronization.
    pub fn commit_block_synchronization(
        &mut self,
        call: &Call<'_>,
        request: &CommitBlockSynchronizationRequestProto,
    ) -> Result<CommitBlockSynchronizationResponseProto> {
        let answer = CommitBlockSynchronizationResponseProto {};
        self.check_writable("Cannot commitBlockSynchronization while in safe mode", call.now.mono)?;
        let old = convert::block(&request.block);
        let Some(stored) = self.blocks.block(old.id) else {
            if request.delete_block {
                return Ok(answer);
            }
            return Err(Error::io(format!("Block (={}) not found", self.name(old))));
        };
        let Some(file) = self.namespace.blocks_of_inode(stored.owner) else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!(
                    "File not found: inode {}, likely due to delayed block removal",
                    stored.owner
                ),
            ));
        };
        let Some(last) = file.blocks.last().copied() else { return Ok(answer) };
        let last_state = self.blocks.block(last.id).map(|info| info.state);
        let closed = file.writer.is_none() || stored.state == BlockState::Complete;
        if closed && last_state.is_none_or(|state| state == BlockState::Complete) {
            return Ok(answer);
        }
        let current = self.blocks.recovery_stamp(last.id).unwrap_or(GenerationStamp(0));
        let stamp = GenerationStamp(request.new_gen_stamp);
        if current != stamp {
            return Err(Error::io(format!(
                "The recovery id {stamp} does not match current recovery id {current} for block {}",
                self.name(old)
            )));
        }
        self.finish(call, request, file.inode, last)?;
        self.settle(call.now);
        Ok(answer)
    }

    fn finish(
        &mut self,
        call: &Call<'_>,
        request: &CommitBlockSynchronizationRequestProto,
        inode: INodeId,
        last: Block,
    ) -> Result<()> {
        let source = self.blocks.truncate_block(last.id).filter(|source| source.id != last.id);
        let block = if request.delete_block && source.is_some() {
            // Nobody has the block to copy from: the file keeps its length, and its last block is missing.
            let (stamp, length) = (GenerationStamp(request.new_gen_stamp), last.num_bytes);
            let mono = call.now.mono;
            self.blocks.finish_recovery(mono, last.id, stamp, length, &[], request.close_file)?;
            self.blocks.block(last.id).map(|info| info.block)
        } else if request.delete_block {
            None
        } else {
            let nodes: Vec<DatanodeUuid> = request
                .new_taragets
                .iter()
                .map(|node| DatanodeUuid::from(node.datanode_uuid.as_str()))
                .collect();
            let targets = self.blocks.resolve_storages(&nodes, &request.new_target_storages)?;
            self.blocks.finish_recovery(
                call.now.mono,
                last.id,
                GenerationStamp(request.new_gen_stamp),
                request.new_length,
                &targets,
                request.close_file,
            )?;
            self.blocks.block(last.id).map(|info| info.block)
        };
        if block.is_none() || !request.close_file {
            let planned = self.plan(call, |namespace, context| {
                namespace.plan_set_last_block(context, inode, block)
            })?;
            self.commit(planned, call.now);
        }
        if request.close_file {
            self.close(call, inode)?;
        }
        Ok(())
    }

    /// Looks for writers that were silent for longer than the hard limit; returns what to write to the log.
    pub fn check_leases(&mut self, now: Now) -> Vec<String> {
        if self.safe_mode.is_on() {
            return Vec::new();
        }
        let limit = Duration::from_millis(self.conf.namespace.lease_hard_limit_ms);
        let expired = self.namespace.leases().expired(now.mono, limit);
        let mut notes = Vec::new();
        for lease in expired {
            let holder = self.namespace.leases_mut().internal_holder(now.mono, now.wall, limit);
            for file in lease.files {
                let name = self.path_text(file).unwrap_or_else(|| format!("inode {file}"));
                notes.push(match self.release_lease(now, file, Some(&holder)) {
                    Ok(true) => format!("closed {name}, whose writer {} was silent", lease.holder),
                    Ok(false) => {
                        format!("recovering {name}, whose writer {} was silent", lease.holder)
                    }
                    Err(error) => format!("can't release the lease of {name}: {error}"),
                });
            }
        }
        self.settle(now);
        notes
    }
}

/// What is to be done about the end of a file.
enum End {
    /// Every block is, or may be called, complete: close.
    Complete,
    /// The last block was never written: remove it, then close.
    Empty,
    /// Replicas must agree first.
    Recover(Block),
    /// Nobody has reported the last block since the NameNode started: whether it was written is not known yet.
    Unreported,
}

/// The NameNode itself.
fn system_caller() -> Arc<Caller> {
    Arc::new(Caller { user: String::new(), groups: Vec::new(), superuser: true })
}

fn system_call(caller: &Arc<Caller>, now: Now) -> Call<'_> {
    Call { caller, client_machine: "", key: None, now }
}
