//! The blocks of files: one inside the record, or a list.

use std::borrow::Cow;

use hdfs_types::{Block, INodeId};

use super::{Namespace, UnderConstruction};
use crate::op::policy::storage_types;
use crate::quota::{QuotaCounts, type_index};
use crate::status::Writer;
use crate::store::record::{Flag, Slot};

impl Namespace {
    /// The blocks of a file, in order.
    pub(crate) fn blocks_of(&self, slot: Slot) -> BlocksOf<'_> {
        let record = self.record(slot);
        if record.has(Flag::OneBlock) {
            BlocksOf::One(record.inline_block())
        } else if record.has(Flag::ManyBlocks) {
            BlocksOf::Many(self.block_lists.get(record.number()))
        } else {
            BlocksOf::None
        }
    }

    /// Replaces the blocks of a file.
    pub(crate) fn set_blocks(&mut self, slot: Slot, blocks: Cow<'_, [Block]>) {
        let before = self.owned_count(slot) as u64;
        self.replace_block_list(slot, blocks);
        self.counts.blocks = self.counts.blocks + self.owned_count(slot) as u64 - before;
    }

    fn replace_block_list(&mut self, slot: Slot, blocks: Cow<'_, [Block]>) {
        let record = self.record(slot);
        let list = record.has(Flag::ManyBlocks).then(|| record.number());
        match (blocks.len(), list) {
            (0 | 1, list) => {
                if let Some(number) = list {
                    self.block_lists.remove(number);
                }
                let record = self.record_mut(slot);
                record.set(Flag::ManyBlocks, false);
                record.set(Flag::OneBlock, blocks.len() == 1);
                record.set_inline_block(blocks.first().copied().unwrap_or_default());
            }
            (_, Some(number)) => *self.block_lists.get_mut(number) = blocks.into_owned(),
            (_, None) => {
                let number = self.block_lists.insert(blocks.into_owned());
                let record = self.record_mut(slot);
                record.set(Flag::OneBlock, false);
                record.set(Flag::ManyBlocks, true);
                record.set_number(number);
            }
        }
    }

    /// Adds a block at the end.
    pub(crate) fn push_block(&mut self, slot: Slot, block: Block) {
        let record = self.record_mut(slot);
        if record.has(Flag::ManyBlocks) {
            let number = record.number();
            self.block_lists.get_mut(number).push(block);
            self.counts.blocks += 1;
        } else if !record.has(Flag::OneBlock) {
            record.set(Flag::OneBlock, true);
            record.set_inline_block(block);
            self.counts.blocks += 1;
        } else {
            let mut blocks = self.blocks_of(slot).to_vec();
            blocks.push(block);
            self.set_blocks(slot, blocks.into());
        }
    }

    /// Replaces the last block.
    pub(crate) fn set_last_block(&mut self, slot: Slot, block: Block) {
        self.follow_block(slot, block);
        let record = self.record_mut(slot);
        if record.has(Flag::OneBlock) {
            record.set_inline_block(block);
        } else if record.has(Flag::ManyBlocks) {
            let number = record.number();
            let list = self.block_lists.get_mut(number);
            *list.last_mut().expect("a block list has two blocks or more") = block;
        }
    }

    /// Every block of every file, in the order of the files' ids: for a block manager that starts. `complete` is false for
    /// the last block of a file that is being written.
    pub fn visit_blocks(&self, mut visit: impl FnMut(BlockOfFile)) {
        for (_, slot) in self.index.iter() {
            let slot = Slot(slot);
            let record = self.record(slot);
            if !record.is_file() || !self.detached.is_empty() && !self.is_kept(slot) {
                continue;
            }
            let open_last = self.under_construction(slot).is_some_and(|open| open.last_block_open);
            let copy_source = self.copy_source(slot);
            let blocks = self.blocks_of(slot);
            let last = blocks.len().wrapping_sub(1);
            let replication = self.block_replication(slot);
            for (index, block) in blocks.iter().enumerate() {
                visit(BlockOfFile {
                    block: *block,
                    owner: record.id(),
                    replication,
                    complete: !(open_last && index == last),
                    copy_source: copy_source.filter(|_| index == last),
                });
            }
            if record.has(Flag::Diffs) || copy_source.is_some() {
                let owner = record.id();
                for block in self.owned_blocks(slot).into_iter().skip(blocks.len()) {
                    let (complete, copy_source) = (true, None);
                    visit(BlockOfFile { block, owner, replication, complete, copy_source });
                }
            }
        }
    }

    /// Sum of the lengths of a file's blocks.
    pub(crate) fn file_length(&self, slot: Slot) -> u64 {
        self.blocks_of(slot).iter().map(|block| block.num_bytes).sum()
    }

    pub(crate) fn under_construction(&self, slot: Slot) -> Option<&UnderConstruction> {
        if self.record(slot).has(Flag::Open) { self.open_files.get(&slot) } else { None }
    }

    pub(crate) fn writer(&self, slot: Slot) -> Option<Writer> {
        self.under_construction(slot).map(|open| Writer {
            client_name: open.client_name.clone(),
            client_machine: open.client_machine.clone(),
            last_block_open: open.last_block_open,
        })
    }

    /// Puts a file under construction, with its lease.
    pub(crate) fn open_file(&mut self, slot: Slot, client_name: &str, client_machine: &str) {
        let client_name = self.leases.add(client_name, self.record(slot).id());
        self.record_mut(slot).set(Flag::Open, true);
        if *self.last_machine != *client_machine {
            self.last_machine = client_machine.into();
        }
        let open = UnderConstruction {
            client_name,
            client_machine: self.last_machine.clone(),
            last_block_open: false,
            copy_source: None,
        };
        self.open_files.insert(slot, open);
    }

    /// Closes a file and ends its lease.
    pub(crate) fn close_file(&mut self, slot: Slot) {
        self.leases.remove(self.record(slot).id());
        self.record_mut(slot).set(Flag::Open, false);
        self.open_files.remove(&slot);
    }

    pub(crate) fn set_last_block_open(&mut self, slot: Slot, open: bool) {
        if let Some(state) = self.open_files.get_mut(&slot) {
            state.last_block_open = open;
        }
    }

    /// What a file counts against quotas: one name, and for each replica the length of complete blocks and the
    /// preferred length of one that is being written.
    ///
    /// Hadoop: INodeFile.storagespaceConsumedContiguous (3.5.0)
    pub(crate) fn file_usage(&self, slot: Slot) -> QuotaCounts {
        self.file_usage_by(slot, self.storage_policy(slot))
    }

    /// The same for a storage policy that the caller knows.
    pub(crate) fn file_usage_by(&self, slot: Slot, policy: u8) -> QuotaCounts {
        let header = self.file_header(slot);
        if header.striped {
            return self.striped_usage(slot);
        }
        let blocks = self.blocks_of(slot);
        let open_last = self.under_construction(slot).is_some_and(|open| open.last_block_open);
        let mut bytes: u64 = blocks.iter().map(|block| block.num_bytes).sum();
        let mut replication = self.replication_of(slot);
        if self.record(slot).has(Flag::Diffs) {
            // Blocks of snapshots count as well, and as many replicas as any of them wants.
            let kept = self.shown_blocks(slot);
            bytes += kept.iter().skip(blocks.len()).map(|block| block.num_bytes).sum::<u64>();
            replication = self.block_replication(slot);
        }
        if open_last && let Some(last) = blocks.last() {
            bytes = bytes - last.num_bytes + header.preferred_block_size;
        }
        let bytes = bytes.cast_signed();
        let mut usage = QuotaCounts {
            names: 1,
            space: bytes.saturating_mul(i64::from(replication)),
            ..QuotaCounts::default()
        };
        for kind in storage_types(policy, replication) {
            let space = &mut usage.types[type_index(kind)];
            *space = space.wrapping_add(bytes);
        }
        usage
    }

    /// The same of a striped file: data and parity of each group, and the preferred length of every block of one that is
    /// being written. Hadoop counts no kinds of storage here.
    ///
    /// Hadoop: INodeFile.storagespaceConsumedStriped (3.5.0)
    fn striped_usage(&self, slot: Slot) -> QuotaCounts {
        let open = self.under_construction(slot).is_some_and(|open| open.last_block_open);
        let size = self.file_header(slot).preferred_block_size;
        let blocks = self.blocks_of(slot);
        let mut bytes = 0_u64;
        if let Some(policy) = self.ec_policy_of(slot) {
            let complete = blocks.len() - usize::from(open && blocks.len() > 0);
            for block in &blocks.as_slice()[..complete] {
                bytes = bytes.saturating_add(policy.space_consumed(block.num_bytes));
            }
            if complete < blocks.len() {
                bytes = bytes.saturating_add(size.saturating_mul(policy.units().into()));
            }
        }
        let space = i64::try_from(bytes).unwrap_or(i64::MAX);
        QuotaCounts { names: 1, space, ..QuotaCounts::default() }
    }

    /// Replicas wanted of each block of a file; 1 for striped files.
    pub(crate) fn replication_of(&self, slot: Slot) -> u16 {
        let header = self.file_header(slot);
        if header.striped { 1 } else { header.redundancy }
    }
}

/// A block and its file, as [`Namespace::visit_blocks`] shows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockOfFile {
    /// The block.
    pub block: Block,
    /// Its file.
    pub owner: INodeId,
    /// Replicas wanted.
    pub replication: u16,
    /// It is final.
    pub complete: bool,
    /// It is to become a copy of the start of this block.
    pub copy_source: Option<Block>,
}

/// Blocks of a file, without copying.
#[derive(Clone, Copy)]
pub(crate) enum BlocksOf<'a> {
    None,
    One(Block),
    Many(&'a [Block]),
}

impl BlocksOf<'_> {
    pub(crate) fn as_slice(&self) -> &[Block] {
        match self {
            Self::None => &[],
            Self::One(block) => std::slice::from_ref(block),
            Self::Many(blocks) => blocks,
        }
    }

    pub(crate) fn to_vec(self) -> Vec<Block> {
        self.as_slice().to_vec()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Block> {
        self.as_slice().iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(crate) fn last(&self) -> Option<Block> {
        self.as_slice().last().copied()
    }
}
