//! What the block map keeps for one block, in 32 bytes.
//!
//! ```text
//! +--------+--------+--------+-----------+----------+
//! | gs low | len low| own low| storage×3 | high, 16 |
//! |    4   |    4   |    4   |    3 × 4  | 3×2 + 2  |
//! +--------+--------+--------+-----------+----------+
//! last two bytes: replication (12 bits), state (2), "has more storages" (1), "counted as safe" (1)
//! ```
//!
//! Generation stamps, lengths and owner ids take 48 bits: 281 trillion, checked when a block is added.

use hdfs_types::{Block, BlockId, GenerationStamp, INodeId};

use crate::datanode::StorageSlot;

/// No storage.
const NONE: u32 = u32::MAX;
/// Storages inside of an entry.
pub(super) const INLINE: usize = 3;
/// Generation stamps, lengths and owner ids are below this.
pub const FIELD_LIMIT: u64 = 1 << 48;

/// State of a block.
///
/// Hadoop: org.apache.hadoop.hdfs.server.common.HdfsServerConstants.BlockUCState (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum BlockState {
    /// Final, with its minimal replication.
    Complete = 0,
    /// Being written.
    UnderConstruction = 1,
    /// Its last writer is gone; replicas are being made equal.
    UnderRecovery = 2,
    /// The client said the final length; replicas must still report.
    Committed = 3,
}

impl BlockState {
    /// Hadoop's name, as in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::UnderConstruction => "UNDER_CONSTRUCTION",
            Self::UnderRecovery => "UNDER_RECOVERY",
            Self::Committed => "COMMITTED",
        }
    }

    fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::Complete,
            1 => Self::UnderConstruction,
            2 => Self::UnderRecovery,
            _ => Self::Committed,
        }
    }
}

const REPLICATION_MASK: u16 = 0x0FFF;
const STATE_SHIFT: u16 = 12;
const MORE: u16 = 1 << 14;
const SAFE: u16 = 1 << 15;

/// What is stored for a block.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Entry {
    generation_stamp_low: u32,
    length_low: u32,
    owner_low: u32,
    storages: [u32; INLINE],
    generation_stamp_high: u16,
    length_high: u16,
    owner_high: u16,
    flags: u16,
}

fn split(value: u64) -> (u32, u16) {
    assert!(value < FIELD_LIMIT, "fields of a block are checked before they are stored");
    (value as u32, (value >> 32) as u16)
}

impl Entry {
    pub(super) fn new(block: Block, owner: INodeId, replication: u16, state: BlockState) -> Self {
        let mut entry = Self {
            generation_stamp_low: 0,
            length_low: 0,
            owner_low: 0,
            storages: [NONE; INLINE],
            generation_stamp_high: 0,
            length_high: 0,
            owner_high: 0,
            flags: replication & REPLICATION_MASK | (state as u16) << STATE_SHIFT,
        };
        entry.set_generation_stamp(block.generation_stamp);
        entry.set_num_bytes(block.num_bytes);
        entry.set_owner(owner);
        entry
    }

    pub(crate) fn generation_stamp(&self) -> GenerationStamp {
        GenerationStamp(
            u64::from(self.generation_stamp_high) << 32 | u64::from(self.generation_stamp_low),
        )
    }

    /// The stamp only grows (B3).
    pub(crate) fn set_generation_stamp(&mut self, stamp: GenerationStamp) {
        assert!(stamp >= self.generation_stamp(), "a generation stamp never goes back");
        (self.generation_stamp_low, self.generation_stamp_high) = split(stamp.0);
    }

    pub(crate) fn num_bytes(&self) -> u64 {
        u64::from(self.length_high) << 32 | u64::from(self.length_low)
    }

    pub(crate) fn set_num_bytes(&mut self, length: u64) {
        (self.length_low, self.length_high) = split(length);
    }

    pub(crate) fn owner(&self) -> INodeId {
        INodeId(u64::from(self.owner_high) << 32 | u64::from(self.owner_low))
    }

    pub(crate) fn set_owner(&mut self, owner: INodeId) {
        (self.owner_low, self.owner_high) = split(owner.0);
    }

    pub(crate) fn block(&self, id: BlockId) -> Block {
        Block { id, num_bytes: self.num_bytes(), generation_stamp: self.generation_stamp() }
    }

    pub(crate) fn replication(&self) -> u16 {
        self.flags & REPLICATION_MASK
    }

    pub(crate) fn set_replication(&mut self, replication: u16) {
        self.flags = self.flags & !REPLICATION_MASK | replication & REPLICATION_MASK;
    }

    pub(crate) fn state(&self) -> BlockState {
        BlockState::from_bits(self.flags >> STATE_SHIFT)
    }

    pub(crate) fn set_state(&mut self, state: BlockState) {
        self.flags = self.flags & !(3 << STATE_SHIFT) | (state as u16) << STATE_SHIFT;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state() == BlockState::Complete
    }

    pub(crate) fn is_complete_or_committed(&self) -> bool {
        matches!(self.state(), BlockState::Complete | BlockState::Committed)
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.flags & SAFE != 0
    }

    pub(crate) fn set_safe(&mut self, safe: bool) {
        self.flags = if safe { self.flags | SAFE } else { self.flags & !SAFE };
    }

    /// The first storages.
    pub(super) fn inline_storages(&self) -> impl Iterator<Item = StorageSlot> + '_ {
        self.storages.iter().take_while(|storage| **storage != NONE).map(|s| StorageSlot(*s))
    }

    /// Adds a storage; false when there is no room inside.
    pub(super) fn add_inline(&mut self, storage: StorageSlot) -> bool {
        match self.storages.iter_mut().find(|place| **place == NONE) {
            Some(place) => {
                *place = storage.0;
                true
            }
            None => false,
        }
    }

    pub(super) fn set_inline(&mut self, storages: &[StorageSlot]) {
        for (index, place) in self.storages.iter_mut().enumerate() {
            *place = storages.get(index).map_or(NONE, |storage| storage.0);
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.flags & MORE != 0
    }

    pub(super) fn set_more(&mut self, more: bool) {
        self.flags = if more { self.flags | MORE } else { self.flags & !MORE };
    }
}
