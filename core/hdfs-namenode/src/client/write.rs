//! Writing a file: create, append, addBlock, complete, and what lies between.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirWriteFileOp, FSDirAppendOp} (3.5.0)

use hdfs_blocks::{BlockState, PlacementFlags, StorageSlot, TargetRequest};
use hdfs_format::layout_version::Feature;
use hdfs_namespace::{
    AddBlockPlan, AddBlockRequest, AppendRequest, CompletePlan, CreateFlags, CreateRequest,
    FileKeySource, NewBlock, Planned,
};
use hdfs_proto::hdfs as p;
use hdfs_types::{Block, DatanodeUuid, Error, FsPermission, INodeId, Result};

use super::{check_path_length, file_id};
use crate::call::Call;
use crate::convert;
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

/// `CreateFlagProto`.
mod flag {
    pub(super) const CREATE: u32 = 1;
    pub(super) const OVERWRITE: u32 = 2;
    pub(super) const LAZY_PERSIST: u32 = 16;
    pub(super) const NEW_BLOCK: u32 = 32;
    pub(super) const SHOULD_REPLICATE: u32 = 128;
}

impl NameNode {
    /// Proto: create.
    pub fn create(
        &mut self,
        call: &Call<'_>,
        request: &p::CreateRequestProto,
        key: FileKeySource<'_>,
    ) -> Result<p::CreateResponseProto> {
        check_path_length(&request.src, "create")?;
        let inode = self.once(
            call,
            remembered_file,
            |inode| CachedAnswer::File(*inode),
            |nn| {
                nn.check_writable(&format!("Cannot create file{}", request.src), call.now.mono)?;
                let request = create_request(call, request, key)?;
                nn.attempt(call, |namespace, context| namespace.plan_create(context, &request))
            },
        )?;
        Ok(p::CreateResponseProto { fs: self.status_of(call, inode) })
    }

    /// Name of the key of the encryption zone in which a create would make its file, if it would.
    ///
    /// # Errors
    /// UnknownCryptoProtocolVersion when the client can't write into that zone.
    pub fn zone_key_of_new_file(
        &self,
        call: &Call<'_>,
        request: &p::CreateRequestProto,
    ) -> Result<Option<String>> {
        let versions = &request.crypto_protocol_version;
        let request = create_request(call, request, FileKeySource::NotInZone)?;
        self.plan(call, |namespace, context| namespace.key_of_new_file(context, &request, versions))
    }

    /// Proto: append.
    pub fn append(
        &mut self,
        call: &Call<'_>,
        request: &p::AppendRequestProto,
    ) -> Result<p::AppendResponseProto> {
        let new_block = request.flag.unwrap_or(0) & flag::NEW_BLOCK != 0;
        if new_block {
            self.check_layout_feature(Feature::AppendNewBlock, "APPEND_NEW_BLOCK")?;
        }
        let inode = self.once(
            call,
            remembered_file,
            |inode| CachedAnswer::File(*inode),
            |nn| {
                nn.check_writable(&format!("Cannot append to file{}", request.src), call.now.mono)?;
                let request = AppendRequest {
                    path: request.src.as_bytes(),
                    client_name: &request.client_name,
                    client_machine: call.client_machine,
                    new_block,
                };
                nn.attempt(call, |namespace, context| namespace.plan_append(context, &request))
                    .map(|appended| appended.inode)
            },
        )?;
        let block = self.block_to_append(inode, new_block);
        Ok(p::AppendResponseProto { block, stat: self.status_of(call, inode) })
    }

    /// What an append goes on with: the last block where it is being written, or, before a new block, the last one
    /// without locations.
    fn block_to_append(&self, inode: INodeId, new_block: bool) -> Option<p::LocatedBlockProto> {
        let file = self.namespace.blocks_of_inode(inode)?;
        let last = file.blocks.last()?;
        let info = self.blocks.block(last.id)?;
        let start = file.length() - last.num_bytes;
        if new_block {
            return Some(self.located_proto(info.block, 0, &[], false));
        }
        if info.state == BlockState::Complete {
            return None;
        }
        let locations = self.blocks.expected_locations(last.id);
        Some(self.located_proto(info.block, start, &locations, false))
    }

    /// Proto: addBlock.
    ///
    /// # Errors
    /// NotReplicatedYet while the block before the previous one is not complete: the shell holds the reply then.
    pub fn add_block(
        &mut self,
        call: &Call<'_>,
        request: &p::AddBlockRequestProto,
    ) -> Result<p::AddBlockResponseProto> {
        let mono = call.now.mono;
        let previous = request.previous.as_ref().map(|proto| self.own_block(proto)).transpose()?;
        self.check_writable(&format!("Cannot add block to {}", request.src), mono)?;
        let wanted = AddBlockRequest {
            path: request.src.as_bytes(),
            file_id: file_id(request.file_id),
            client_name: &request.client_name,
            previous,
        };
        let plan =
            self.plan(call, |namespace, context| namespace.plan_add_block(context, &wanted))?;
        let (new, targets) = match plan {
            AddBlockPlan::Repeated(new) => {
                let mut targets = self.blocks.expected_locations(new.block.id);
                if targets.is_empty() {
                    targets = self.choose_targets(call, request, &new)?;
                    self.blocks.set_expected_locations(new.block.id, &targets)?;
                }
                (new, targets)
            }
            AddBlockPlan::New(planned) => {
                let targets = self.choose_targets(call, request, &planned.result)?;
                let planned = self.commit_previous(call, &wanted, planned)?;
                (self.commit_to(planned, call.now, &targets), targets)
            }
        };
        self.settle(call.now);
        let block = self.located_proto(new.block, new.offset, &targets, false);
        Ok(p::AddBlockResponseProto { block })
    }

    /// Commits the block before the new one. When that was final before, with another length than the client says, the
    /// plan is made again with the truth.
    fn commit_previous(
        &mut self,
        call: &Call<'_>,
        wanted: &AddBlockRequest<'_>,
        planned: Planned<NewBlock>,
    ) -> Result<Planned<NewBlock>> {
        let Some(previous) = planned.result.previous else { return Ok(planned) };
        self.blocks.commit_or_complete(call.now.mono, previous)?;
        let stored = self.blocks.block(previous.id).map(|info| info.block);
        if stored == Some(previous) || wanted.previous.is_none() {
            return Ok(planned);
        }
        let wanted = AddBlockRequest { previous: stored, ..*wanted };
        match self.plan(call, |namespace, context| namespace.plan_add_block(context, &wanted))? {
            AddBlockPlan::New(planned) => Ok(planned),
            AddBlockPlan::Repeated(new) => {
                Err(Error::io(format!("{} appeared while it was being allocated", new.block)))
            }
        }
    }

    fn choose_targets(
        &mut self,
        call: &Call<'_>,
        request: &p::AddBlockRequestProto,
        new: &NewBlock,
    ) -> Result<Vec<StorageSlot>> {
        let excluded = uuids(&request.exclude_nodes);
        let has = |wanted: p::AddBlockFlagProto| request.flags.contains(&(wanted as i32));
        let targets = TargetRequest {
            path: &String::from_utf8_lossy(&new.path),
            replicas: usize::from(new.replication),
            writer_ip: Some(&new.client_machine),
            writer_location: None,
            excluded: &excluded,
            favored: &request.favored_nodes,
            chosen: &[],
            block_size: new.block_size,
            storage_policy: new.storage_policy,
            flags: PlacementFlags {
                no_local_write: has(p::AddBlockFlagProto::NoLocalWrite),
                ignore_client_locality: has(p::AddBlockFlagProto::IgnoreClientLocality),
                no_local_rack: false,
            },
        };
        let mono = call.now.mono;
        match self.namespace.erasure_coding_policy(new.ec_policy) {
            None => self.blocks.choose_targets(mono, &targets),
            Some(policy) => {
                let data = policy.data_units as usize;
                self.blocks.choose_group_targets(mono, &targets, data, &policy.name)
            }
        }
    }

    /// Proto: getAdditionalDatanode.
    pub fn get_additional_datanode(
        &mut self,
        call: &Call<'_>,
        request: &p::GetAdditionalDatanodeRequestProto,
    ) -> Result<p::GetAdditionalDatanodeResponseProto> {
        let block = self.own_block(&request.blk)?;
        let what = format!("Cannot add datanode; src={}, blk={}", request.src, self.name(block));
        self.check_writable(&what, call.now.mono)?;
        let id = file_id(request.file_id);
        let file = self.plan(call, |namespace, context| {
            namespace.check_writer(context, request.src.as_bytes(), id, &request.client_name)
        })?;
        let existing: Vec<DatanodeUuid> = uuids(&request.existings);
        let chosen = self.blocks.resolve_storages(&existing, &request.existing_storage_uuids)?;
        let machine = file.writer.map(|writer| writer.client_machine);
        let targets = TargetRequest {
            path: &request.src,
            // No pipeline is longer; a request for billions must not be believed.
            replicas: usize::from(self.conf.blocks.max_replication)
                .min(request.num_additional_nodes as usize),
            writer_ip: machine.as_deref(),
            writer_location: None,
            excluded: &uuids(&request.excludes),
            favored: &[],
            chosen: &chosen,
            block_size: file.preferred_block_size,
            storage_policy: file.storage_policy,
            flags: PlacementFlags::default(),
        };
        let targets = self.blocks.choose_additional(call.now.mono, &targets);
        let block = self.located_proto(block, NO_OFFSET, &targets, false);
        Ok(p::GetAdditionalDatanodeResponseProto { block })
    }

    /// Proto: abandonBlock.
    pub fn abandon_block(
        &mut self,
        call: &Call<'_>,
        request: &p::AbandonBlockRequestProto,
    ) -> Result<p::AbandonBlockResponseProto> {
        let block = self.own_block(&request.b)?;
        let what = format!("Cannot abandon block {} for file{}", self.name(block), request.src);
        self.check_writable(&what, call.now.mono)?;
        let id = file_id(request.file_id);
        let planned = self.plan(call, |namespace, context| {
            let path = request.src.as_bytes();
            namespace.plan_abandon_block(context, path, id, &request.holder, block)
        })?;
        self.commit(planned, call.now);
        Ok(p::AbandonBlockResponseProto {})
    }

    /// Proto: complete. False while a block lacks its minimal replication: the shell holds the reply then.
    pub fn complete(
        &mut self,
        call: &Call<'_>,
        request: &p::CompleteRequestProto,
    ) -> Result<p::CompleteResponseProto> {
        let last = request.last.as_ref().map(|proto| self.own_block(proto)).transpose()?;
        let what = format!("Cannot complete file {}", request.src);
        self.check_writable(&what, call.now.mono)?;
        let id = file_id(request.file_id);
        let plan = self.plan(call, |namespace, context| {
            let path = request.src.as_bytes();
            namespace.plan_complete(context, path, id, &request.client_name, last)
        })?;
        let inode = match plan {
            CompletePlan::AlreadyClosed => return Ok(p::CompleteResponseProto { result: true }),
            CompletePlan::Close(planned) => planned.result,
        };
        let file = self.namespace.blocks_of_inode(inode).map_or_else(Vec::new, |file| file.blocks);
        let complete = self.are_complete(&file[..file.len().saturating_sub(1)])
            && self.commit_last(call, last)?
            && self.are_complete(&file);
        if complete {
            // With the last block as it is stored: a client's word counts only once.
            let last = file.last().and_then(|last| self.blocks.block(last.id)).map(|of| of.block);
            let planned = self
                .plan(call, |namespace, context| namespace.plan_close_file(context, inode, last))?;
            self.commit(planned, call.now);
        }
        self.settle(call.now);
        Ok(p::CompleteResponseProto { result: complete })
    }

    fn commit_last(&mut self, call: &Call<'_>, last: Option<Block>) -> Result<bool> {
        match last {
            Some(last) => Ok(self.blocks.commit_or_complete(call.now.mono, last)?.complete),
            None => Ok(true),
        }
    }

    fn are_complete(&self, blocks: &[Block]) -> bool {
        blocks.iter().all(|block| {
            self.blocks.block(block.id).is_none_or(|info| info.state == BlockState::Complete)
        })
    }

    /// Proto: fsync.
    pub fn fsync(
        &mut self,
        call: &Call<'_>,
        request: &p::FsyncRequestProto,
    ) -> Result<p::FsyncResponseProto> {
        self.check_writable(&format!("Cannot fsync file {}", request.src), call.now.mono)?;
        let id = file_id(request.file_id);
        let length = request.last_block_length.unwrap_or(-1);
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_fsync(context, request.src.as_bytes(), id, &request.client, length)
        })?;
        self.commit(planned, call.now);
        Ok(p::FsyncResponseProto {})
    }

    /// A block of a request, which must be of this pool.
    pub(crate) fn own_block(&self, proto: &p::ExtendedBlockProto) -> Result<Block> {
        let pool = self.identity().block_pool_id.as_str();
        if proto.pool_id == pool {
            return Ok(convert::block(proto));
        }
        Err(Error::io(format!("Unexpected BlockPoolId {} - expected {pool}", proto.pool_id)))
    }

    /// Hadoop's text of a block with its pool.
    pub(crate) fn name(&self, block: Block) -> String {
        format!("{}:{block}", self.identity().block_pool_id)
    }

    /// The status of a file, if it still exists.
    fn status_of(&self, call: &Call<'_>, inode: INodeId) -> Option<p::HdfsFileStatusProto> {
        Some(self.status_proto(call, self.namespace.status_of(inode, false)?))
    }
}

/// The offset of a block whose place in the file does not matter: -1.
pub(crate) const NO_OFFSET: u64 = u64::MAX;

fn remembered_file(_: &NameNode, answer: &CachedAnswer) -> Result<INodeId> {
    match answer {
        CachedAnswer::File(inode) => Ok(*inode),
        other => Err(Error::io(format!("the call was another one before: {other:?}"))),
    }
}

fn uuids(nodes: &[p::DatanodeInfoProto]) -> Vec<DatanodeUuid> {
    nodes.iter().map(|node| DatanodeUuid::from(node.id.datanode_uuid.as_str())).collect()
}

fn create_request<'a>(
    call: &Call<'a>,
    request: &'a p::CreateRequestProto,
    file_key: FileKeySource<'a>,
) -> Result<CreateRequest<'a>> {
    let has = |bit: u32| request.create_flag & bit != 0;
    let mode = |proto: &p::FsPermissionProto| FsPermission((proto.perm & 0o1777) as u16);
    // Java takes the lower half of the number, too; a negative one is refused by the plan.
    let replication = (request.replication & 0xffff) as u16;
    Ok(CreateRequest {
        path: request.src.as_bytes(),
        permission: mode(&request.masked),
        unmasked: request.unmasked.as_ref().map(mode),
        client_name: &request.client_name,
        client_machine: call.client_machine,
        flags: CreateFlags {
            create: has(flag::CREATE),
            overwrite: has(flag::OVERWRITE),
            lazy_persist: has(flag::LAZY_PERSIST),
            should_replicate: has(flag::SHOULD_REPLICATE),
        },
        create_parent: request.create_parent,
        replication,
        block_size: request.block_size,
        ec_policy_name: request.ec_policy_name.as_deref().unwrap_or_default(),
        storage_policy: request.storage_policy.as_deref().unwrap_or_default(),
        file_key,
    })
}
