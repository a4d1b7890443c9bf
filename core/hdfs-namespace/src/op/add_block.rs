//! A new block for a file that is being written, and identities for blocks.
//!
//! Hadoop: FSDirWriteFileOp.{validateAddBlock, storeAllocatedBlock, analyzeFileState}, BlockIdManager (3.5.0)

use std::sync::Arc;

use hdfs_format::edits::{AddBlockOp, AllocateBlockIdOp, EditOp, RetryKey, SetGenstampV2Op};
use hdfs_types::{Block, BlockId, Error, ErrorKind, GenerationStamp, INodeId, Result};

use super::limits::check_block;
use crate::effects::{BlockChange, Effects};
use crate::erasure::MAX_BLOCKS_IN_GROUP;
use crate::namespace::Namespace;
use crate::plan::{BlockStage, PlanContext, Planned};
use crate::resolve::text;
use crate::store::record::{MAX_48, Slot};

/// An addBlock call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddBlockRequest<'a> {
    /// The file.
    pub path: &'a [u8],
    /// Its id; 0 from old clients.
    pub file_id: INodeId,
    /// Holder of the lease.
    pub client_name: &'a str,
    /// The block before, with the length that was written.
    pub previous: Option<Block>,
}

/// A block to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewBlock {
    /// The file.
    pub inode: INodeId,
    /// Its path, resolved.
    pub path: Vec<u8>,
    /// The block.
    pub block: Block,
    /// Where it starts in the file, in bytes.
    pub offset: u64,
    /// The block before it, to be committed with this length before the plan is applied.
    pub previous: Option<Block>,
    /// Replicas wanted; of a group, its data and parity blocks.
    pub replication: u16,
    /// Erasure-coding policy of a group; 0: a replicated block.
    pub ec_policy: u8,
    /// Preferred length of a block, in bytes.
    pub block_size: u64,
    /// Storage policy that holds; 0: none set.
    pub storage_policy: u8,
    /// Host of the writer.
    pub client_machine: Arc<str>,
}

/// What addBlock comes to.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack, one at a time.
pub enum AddBlockPlan {
    /// A new block.
    New(Planned<NewBlock>),
    /// The call is a repetition: its block is there already, perhaps without locations.
    Repeated(NewBlock),
}

impl Namespace {
    /// Adds a block to a file that the client writes. The caller commits `previous` in the block manager first (which may
    /// refuse), and chooses targets.
    ///
    /// # Errors
    /// FileNotFound, LeaseExpired, NotReplicatedYet while the block before the previous one is not complete, Io when
    /// `previous` is not the last block, or the file has too many blocks; quotas.
    pub fn plan_add_block(
        &self,
        ctx: &PlanContext<'_>,
        request: &AddBlockRequest<'_>,
    ) -> Result<AddBlockPlan> {
        let resolved = self.resolve_file(ctx, request.path, request.file_id)?;
        self.check_object_limit(ctx)?;
        let slot = self.check_lease(&resolved, Some(request.client_name), request.file_id)?;
        let path = resolved.path();
        let blocks = self.blocks_of(slot);
        let blocks = blocks.as_slice();
        let last = blocks.last().copied();
        if !matching(request.previous, last)
            && let Some(repeated) = self.repeated(ctx, slot, &path, request, blocks)?
        {
            return Ok(AddBlockPlan::Repeated(repeated));
        }
        if let [.., before, _] = blocks
            && !is_complete(ctx, before)
        {
            return Err(Error::new(
                ErrorKind::NotReplicatedYet,
                format!("Not replicated yet: {}", text(request.path)),
            ));
        }
        if blocks.len() >= ctx.conf.max_blocks_per_file {
            return Err(Error::io(format!(
                "File has reached the limit on maximum number of blocks (dfs.namenode.fs-limits.max-blocks-per-file): {} >= {}",
                blocks.len(),
                ctx.conf.max_blocks_per_file
            )));
        }
        let size = self.file_header(slot).preferred_block_size;
        let delta = self.block_usage(slot, size.cast_signed());
        self.verify_quota(self.record(slot).parent, &delta, None)?;
        // The block before keeps its place; the client says its final length.
        let previous = last.map(|last| {
            request.previous.filter(|_| matching(request.previous, Some(last))).unwrap_or(last)
        });
        if let Some(previous) = previous {
            check_block(&previous).map_err(Error::io)?;
        }
        Ok(AddBlockPlan::New(self.plan_new_block(ctx, slot, path, previous)?))
    }

    /// The client's idea of the last block is not ours: a repetition, the first block after an append at a block's end, or
    /// nonsense.
    fn repeated(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        path: &[u8],
        request: &AddBlockRequest<'_>,
        blocks: &[Block],
    ) -> Result<Option<NewBlock>> {
        let size = self.file_header(slot).preferred_block_size;
        let Some(last) = blocks.last().copied() else {
            return Err(wrong_previous(path, request.previous, None));
        };
        if request.previous.is_none() && last.num_bytes >= size && is_complete(ctx, &last) {
            return Ok(None);
        }
        let before = blocks.len().checked_sub(2).map(|index| blocks[index]);
        if !matching(before, request.previous) {
            return Err(wrong_previous(path, request.previous, Some(last)));
        }
        if last.num_bytes != 0 {
            return Err(Error::io(format!(
                "Request looked like a retry to allocate block {last} but it already contains {} bytes",
                last.num_bytes
            )));
        }
        let offset = self.file_length(slot);
        Ok(Some(self.new_block(slot, path.to_vec(), last, before, offset)))
    }

    fn new_block(
        &self,
        slot: Slot,
        path: Vec<u8>,
        block: Block,
        previous: Option<Block>,
        offset: u64,
    ) -> NewBlock {
        let record = self.record(slot);
        let policy = self.ec_policy_of(slot);
        NewBlock {
            inode: record.id(),
            path,
            block,
            offset,
            previous,
            replication: policy
                .map_or_else(|| self.block_replication(slot), |policy| policy.units() as u16),
            ec_policy: policy.map_or(0, |policy| policy.id),
            block_size: self.file_header(slot).preferred_block_size,
            storage_policy: self.storage_policy(slot),
            client_machine: self
                .under_construction(slot)
                .map_or_else(|| "".into(), |open| open.client_machine.clone()),
        }
    }

    fn plan_new_block(
        &self,
        ctx: &PlanContext<'_>,
        slot: Slot,
        path: Vec<u8>,
        previous: Option<Block>,
    ) -> Result<Planned<NewBlock>> {
        let block_id = match self.file_header(slot).striped {
            false => self.next_block_id(),
            true => self.next_group_id()?,
        };
        let generation_stamp = self.next_generation_stamp(0)?;
        let block = Block { id: block_id, num_bytes: 0, generation_stamp };
        let stored_last = self.blocks_of(slot).last().map_or(0, |last| last.num_bytes);
        let offset = self.file_length(slot) - stored_last
            + previous.map_or(0, |previous| previous.num_bytes);
        let mut planned =
            Planned::nothing(ctx, self.new_block(slot, path.clone(), block, previous, offset))
                .in_directory(self.record(slot).parent);
        planned.ops.push(EditOp::AllocateBlockId(AllocateBlockIdOp { block_id }));
        planned.ops.push(EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp }));
        planned.ops.push(EditOp::AddBlock(AddBlockOp {
            path,
            penultimate_block: previous,
            last_block: block,
            retry: RetryKey::NONE,
        }));
        Ok(planned)
    }

    /// The id of the next replicated block.
    pub(crate) fn next_block_id(&self) -> BlockId {
        BlockId(self.identities.last_block_id.0 + 1)
    }

    /// The low bits of a group's id are for the indices of its blocks.
    ///
    /// Hadoop: SequentialBlockGroupIdGenerator (3.5.0)
    fn next_group_id(&self) -> Result<BlockId> {
        let step = i64::from(MAX_BLOCKS_IN_GROUP);
        let next = (self.identities.last_striped_block_id.0 & !(step - 1)) + step;
        if next >= 0 {
            return Err(Error::new(
                ErrorKind::IllegalState,
                "All negative block group IDs are used, growing into positive IDs, which might conflict with non-erasure \
                 coded blocks.",
            ));
        }
        Ok(BlockId(next))
    }

    /// The next stamp, `ahead` of those that are planned already.
    pub(crate) fn next_generation_stamp(&self, ahead: u64) -> Result<GenerationStamp> {
        let next = self.identities.generation_stamp.0 + 1 + ahead;
        if next > MAX_48 {
            return Err(Error::io("generation stamps are used up"));
        }
        Ok(GenerationStamp(next))
    }

    /// Gives out a generation stamp.
    ///
    /// # Errors
    /// Io when there is none left.
    pub fn plan_next_generation_stamp(
        &self,
        ctx: &PlanContext<'_>,
    ) -> Result<Planned<GenerationStamp>> {
        let generation_stamp = self.next_generation_stamp(0)?;
        let op = EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp });
        Ok(Planned::one(ctx, op, generation_stamp))
    }

    pub(crate) fn apply_add_block(&mut self, op: &AddBlockOp) -> Result<Effects, String> {
        check_block(&op.last_block)?;
        let slot = self.replay_file(&op.path)?;
        if self.under_construction(slot).is_none() {
            return Err(format!("{} is not under construction", text(&op.path)));
        }
        let last = self.blocks_of(slot).last();
        let mut effects = Effects::default();
        let before = self.file_usage(slot);
        match (op.penultimate_block, last) {
            (Some(previous), Some(last)) if matching(Some(previous), Some(last)) => {
                check_block(&previous)?;
                self.set_last_block(slot, previous);
                if previous != last {
                    effects.push(BlockChange::Updated { block: previous });
                }
                effects.push(BlockChange::Completed { id: previous.id });
            }
            (Some(previous), last) => {
                return Err(format!(
                    "Mismatched block IDs or generation stamps for the old last block of file {}, the old last block is \
                     {last:?}, and the block read from editlog is {previous}",
                    text(&op.path)
                ));
            }
            (None, None) => {}
            (None, Some(_)) => return Err(format!("{} has blocks already", text(&op.path))),
        }
        self.end_copy(slot, &mut effects);
        self.push_block(slot, op.last_block);
        self.set_last_block_open(slot, true);
        self.saw_generation_stamp(op.last_block.generation_stamp);
        let delta = self.file_usage(slot).minus(&before);
        self.add_usage(self.record(slot).parent, &delta);
        effects.push(BlockChange::Added {
            block: op.last_block,
            owner: self.record(slot).id(),
            replication: self.block_replication(slot),
            complete: false,
        });
        Ok(effects)
    }

    /// Stamps only grow.
    pub(crate) fn saw_generation_stamp(&mut self, stamp: GenerationStamp) {
        let current = &mut self.identities.generation_stamp;
        *current = (*current).max(stamp);
    }
}

fn is_complete(ctx: &PlanContext<'_>, block: &Block) -> bool {
    ctx.blocks.stage(block.id) == BlockStage::Complete
}

fn wrong_previous(path: &[u8], previous: Option<Block>, last: Option<Block>) -> Error {
    let name =
        |block: Option<Block>| block.map_or_else(|| "null".to_owned(), |block| block.to_string());
    Error::io(format!(
        "Cannot allocate block in {}: passed 'previous' block {} does not match actual last block in file {}",
        text(path),
        name(previous),
        name(last)
    ))
}

/// `Block.matchingIdAndGenStamp`: none matches none.
pub(crate) fn matching(a: Option<Block>, b: Option<Block>) -> bool {
    let key = |block: Block| (block.id, block.generation_stamp);
    a.map(key) == b.map(key)
}
