//! What the block map keeps for one block, in 29 bytes.
//!
//! ```text
//! +----+-----+-------+-----------+-------+
//! | gs | len | owner | storage×3 | flags |
//! |  6 |  6  |   6   |   3 × 3   |   2   |
//! +----+-----+-------+-----------+-------+
//! flags: replication (12 bits), state (2), "has more storages" (1), "counted as safe" (1)
//! ```
//!
//! Generation stamps, lengths and owner ids take 48 bits: 281 trillion, checked when a block is added. Storages take 24;
//! what does not fit is kept beside the entry.

use hdfs_types::{Block, BlockId, GenerationStamp, INodeId};

use crate::datanode::StorageSlot;

/// No storage. Those inside of an entry are below.
const NONE: u32 = (1 << 24) - 1;
/// Storages inside of an entry.
const INLINE: usize = 3;
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

/// A number of so many bytes, without alignment.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> Bytes<N> {
    #[inline]
    fn get(self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(&self.0);
        u64::from_le_bytes(bytes)
    }

    #[inline]
    fn new(value: u64) -> Self {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&value.to_le_bytes()[..N]);
        Self(bytes)
    }
}

/// What is stored for a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    generation_stamp: Bytes<6>,
    length: Bytes<6>,
    owner: Bytes<6>,
    storages: [Bytes<3>; INLINE],
    flags: Bytes<2>,
}

fn checked(value: u64) -> Bytes<6> {
    assert!(value < FIELD_LIMIT, "fields of a block are checked before they are stored");
    Bytes::new(value)
}

impl Entry {
    pub(super) fn new(block: Block, owner: INodeId, replication: u16, state: BlockState) -> Self {
        let flags = replication & REPLICATION_MASK | (state as u16) << STATE_SHIFT;
        Self {
            generation_stamp: checked(block.generation_stamp.0),
            length: checked(block.num_bytes),
            owner: checked(owner.0),
            storages: [Bytes::new(NONE.into()); INLINE],
            flags: Bytes::new(flags.into()),
        }
    }

    fn flags(&self) -> u16 {
        self.flags.get() as u16
    }

    fn set_flags(&mut self, mask: u16, bits: u16) {
        self.flags = Bytes::new((self.flags() & !mask | bits).into());
    }

    pub(crate) fn generation_stamp(&self) -> GenerationStamp {
        GenerationStamp(self.generation_stamp.get())
    }

    /// The stamp only grows (B3).
    pub(crate) fn set_generation_stamp(&mut self, stamp: GenerationStamp) {
        assert!(stamp >= self.generation_stamp(), "a generation stamp never goes back");
        self.generation_stamp = checked(stamp.0);
    }

    pub(crate) fn num_bytes(&self) -> u64 {
        self.length.get()
    }

    pub(crate) fn set_num_bytes(&mut self, length: u64) {
        self.length = checked(length);
    }

    pub(crate) fn owner(&self) -> INodeId {
        INodeId(self.owner.get())
    }

    pub(crate) fn set_owner(&mut self, owner: INodeId) {
        self.owner = checked(owner.0);
    }

    pub(crate) fn block(&self, id: BlockId) -> Block {
        Block { id, num_bytes: self.num_bytes(), generation_stamp: self.generation_stamp() }
    }

    pub(crate) fn replication(&self) -> u16 {
        self.flags() & REPLICATION_MASK
    }

    pub(crate) fn set_replication(&mut self, replication: u16) {
        self.set_flags(REPLICATION_MASK, replication & REPLICATION_MASK);
    }

    pub(crate) fn state(&self) -> BlockState {
        BlockState::from_bits(self.flags() >> STATE_SHIFT)
    }

    pub(crate) fn set_state(&mut self, state: BlockState) {
        self.set_flags(3 << STATE_SHIFT, (state as u16) << STATE_SHIFT);
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state() == BlockState::Complete
    }

    pub(crate) fn is_complete_or_committed(&self) -> bool {
        matches!(self.state(), BlockState::Complete | BlockState::Committed)
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.flags() & SAFE != 0
    }

    pub(crate) fn set_safe(&mut self, safe: bool) {
        self.set_flags(SAFE, if safe { SAFE } else { 0 });
    }

    /// The first storages.
    pub(super) fn inline_storages(&self) -> impl Iterator<Item = StorageSlot> + '_ {
        let numbers = self.storages.iter().map(|storage| storage.get() as u32);
        numbers.take_while(|storage| *storage != NONE).map(StorageSlot)
    }

    /// Adds a storage; false when it is to be kept outside, behind those inside.
    pub(super) fn add_inline(&mut self, storage: StorageSlot) -> bool {
        if self.has_more() || storage.0 >= NONE {
            return false;
        }
        let place = self.storages.iter_mut().find(|place| place.get() == u64::from(NONE));
        if let Some(place) = place {
            *place = Bytes::new(storage.0.into());
            return true;
        }
        false
    }

    /// Takes the storages that fit; the rest.
    pub(super) fn set_inline<'a>(&mut self, storages: &'a [StorageSlot]) -> &'a [StorageSlot] {
        let fitting = storages.iter().take(INLINE).take_while(|storage| storage.0 < NONE).count();
        let (inside, rest) = storages.split_at(fitting);
        for (index, place) in self.storages.iter_mut().enumerate() {
            let storage = inside.get(index).map_or(NONE, |storage| storage.0);
            *place = Bytes::new(storage.into());
        }
        rest
    }

    pub(super) fn has_more(&self) -> bool {
        self.flags() & MORE != 0
    }

    pub(super) fn set_more(&mut self, more: bool) {
        self.set_flags(MORE, if more { MORE } else { 0 });
    }
}
