//! The fixed part of an inode: 52 bytes.
//!
//! ```text
//! id 48 | flags 14 | kind 2         parent slot 32 | name 32        what it shares 32
//! payload 64                        length 48 | stamp 48 | mtime 48 | atime 48
//! ```
//! `payload` of a file is the id of its only block, whose length and stamp follow, or the number of its block list; of a
//! symbolic link, the number of its target. A directory has the number of its children in the low half, and what it counts
//! against quotas, itself and everything below: names in `length`, bytes in the high half and in `stamp`.
//! Owner, group, mode and the header of files are rows of a table ([`super::shared`]). Everything rare is in side tables,
//! which a flag announces.

use hdfs_types::{Block, BlockId, GenerationStamp, INodeId, WallMillis};

use super::name_pool::NameRef;
use super::shared::SharedRef;
use crate::status::INodeKind;

/// Ids have 48 bits here.
pub(crate) const MAX_ID: u64 = (1 << 48) - 1;
/// Lengths, stamps and times have 48 bits here: as many as Hadoop's own header has for the block size.
pub(crate) const MAX_48: u64 = (1 << 48) - 1;

/// The place of an inode in memory. Used again after the inode is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub(crate) struct Slot(pub(crate) u32);

impl Default for Slot {
    fn default() -> Self {
        Self::NONE
    }
}

impl Slot {
    /// No inode.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// `/`.
    pub(crate) const ROOT: Self = Self(0);
}

/// 48 bits without alignment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
struct U48([u16; 3]);

impl U48 {
    #[inline]
    fn get(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 16 | u64::from(self.0[2]) << 32
    }

    #[inline]
    fn new(value: u64) -> Self {
        debug_assert!(value <= MAX_48, "fields are checked before they are stored");
        Self([value as u16, (value >> 16) as u16, (value >> 32) as u16])
    }
}

/// Facts that a record announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Flag {
    /// One block, inside the record.
    OneBlock = 1 << 2,
    /// A block list.
    ManyBlocks = 1 << 3,
    /// Under construction.
    Open = 1 << 4,
    /// An access control list.
    Acl = 1 << 5,
    /// Extended attributes.
    XAttrs = 1 << 6,
    /// A quota feature.
    Quota = 1 << 7,
    /// Snapshots may be taken of this directory.
    Snapshottable = 1 << 8,
    /// A list of snapshot diffs.
    Diffs = 1 << 9,
    /// Renamed out of a snapshot: other places refer to it by [`crate::snapshot::model::Reference`].
    Referenced = 1 << 10,
    /// Diffs or references may be here or below. What lacks it has nothing that snapshots could know.
    Marked = 1 << 15,
}

/// The record.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
pub(crate) struct Record {
    id_flags_kind: u64,
    pub(crate) parent: Slot,
    pub(crate) name: NameRef,
    pub(crate) shared: SharedRef,
    payload: u64,
    length: U48,
    stamp: U48,
    mtime: U48,
    atime: U48,
}

const _: () = assert!(size_of::<Record>() == 52);

impl Record {
    /// A free place; its number is the next one.
    pub(crate) fn free(next: u32) -> Self {
        Self {
            id_flags_kind: 0,
            parent: Slot::NONE,
            name: NameRef(u32::MAX),
            shared: SharedRef(u32::MAX),
            payload: u64::from(next),
            length: U48::default(),
            stamp: U48::default(),
            mtime: U48::default(),
            atime: U48::default(),
        }
    }

    /// A new inode without parent.
    pub(crate) fn new(id: INodeId, kind: INodeKind, name: NameRef, shared: SharedRef) -> Self {
        debug_assert!(id.0 <= MAX_ID, "ids are checked before they are stored");
        Self { id_flags_kind: id.0 << 16 | kind as u64, name, shared, ..Self::free(0) }
    }

    #[inline]
    pub(crate) fn id(&self) -> INodeId {
        INodeId(self.id_flags_kind >> 16)
    }

    /// None for a free place.
    #[inline]
    pub(crate) fn kind(&self) -> Option<INodeKind> {
        match self.id_flags_kind & 3 {
            1 => Some(INodeKind::Directory),
            2 => Some(INodeKind::File),
            3 => Some(INodeKind::Symlink),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn is_directory(&self) -> bool {
        self.id_flags_kind & 3 == INodeKind::Directory as u64
    }

    #[inline]
    pub(crate) fn is_file(&self) -> bool {
        self.id_flags_kind & 3 == INodeKind::File as u64
    }

    #[inline]
    pub(crate) fn is_symlink(&self) -> bool {
        self.id_flags_kind & 3 == INodeKind::Symlink as u64
    }

    #[inline]
    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.id_flags_kind & flag as u64 != 0
    }

    pub(crate) fn set(&mut self, flag: Flag, on: bool) {
        if on {
            self.id_flags_kind |= flag as u64;
        } else {
            self.id_flags_kind &= !(flag as u64);
        }
    }

    #[inline]
    pub(crate) fn mtime(&self) -> WallMillis {
        WallMillis(self.mtime.get())
    }

    pub(crate) fn set_mtime(&mut self, time: WallMillis) {
        self.mtime = U48::new(time.0.min(MAX_48));
    }

    #[inline]
    pub(crate) fn atime(&self) -> WallMillis {
        WallMillis(self.atime.get())
    }

    pub(crate) fn set_atime(&mut self, time: WallMillis) {
        self.atime = U48::new(time.0.min(MAX_48));
    }

    /// The block inside the record, when [`Flag::OneBlock`] is set.
    #[inline]
    pub(crate) fn inline_block(&self) -> Block {
        Block {
            id: BlockId(self.payload.cast_signed()),
            num_bytes: self.length.get(),
            generation_stamp: GenerationStamp(self.stamp.get()),
        }
    }

    pub(crate) fn set_inline_block(&mut self, block: Block) {
        self.payload = block.id.0.cast_unsigned();
        self.length = U48::new(block.num_bytes);
        self.stamp = U48::new(block.generation_stamp.0);
    }

    /// What a directory counts: names, its own too, and bytes with all replicas.
    #[inline]
    pub(crate) fn totals(&self) -> (i64, i64) {
        let space = self.payload >> 32 | self.stamp.get() << 32;
        (self.length.get().cast_signed(), space.cast_signed())
    }

    /// Numbers of a damaged image may run over; sums and differences then still undo each other.
    #[inline]
    pub(crate) fn set_totals(&mut self, names: i64, space: i64) {
        let space = space.cast_unsigned();
        self.length = U48::new(names.cast_unsigned() & MAX_48);
        self.payload = self.payload & 0xFFFF_FFFF | space << 32;
        self.stamp = U48::new(space >> 32);
    }

    /// The number of children, block list or target.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.payload as u32
    }

    /// Leaves the totals of a directory as they are.
    #[inline]
    pub(crate) fn set_number(&mut self, number: u32) {
        self.payload = self.payload & !0xFFFF_FFFF | u64::from(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_touch_each_other() {
        let mut record = Record::new(INodeId(MAX_ID), INodeKind::File, NameRef(5), SharedRef(6));
        record.set(Flag::Open, true);
        record.set_mtime(WallMillis(MAX_48));
        record.set_atime(WallMillis(1));
        let block = Block {
            id: BlockId(-7),
            num_bytes: MAX_48,
            generation_stamp: GenerationStamp(MAX_48 - 1),
        };
        record.set_inline_block(block);
        assert_eq!((record.name, record.shared), (NameRef(5), SharedRef(6)));
        assert_eq!((record.id(), record.kind()), (INodeId(MAX_ID), Some(INodeKind::File)));
        assert_eq!((record.mtime().0, record.atime().0), (MAX_48, 1));
        assert_eq!(record.inline_block(), block);
        record.set(Flag::Open, false);
        assert!(!record.has(Flag::Open) && record.is_file());
    }

    #[test]
    fn totals_and_number_of_a_directory_do_not_touch_each_other() {
        let mut record = Record::new(INodeId(1), INodeKind::Directory, NameRef(5), SharedRef(6));
        for (names, space) in [(1, i64::MAX), (MAX_48 as i64, -1), (0, i64::MIN), (7, 1 << 40)] {
            record.set_number(u32::MAX);
            record.set_totals(names, space);
            assert_eq!((record.totals(), record.number()), ((names, space), u32::MAX));
            record.set_number(3);
            record.set_atime(WallMillis(MAX_48));
            assert_eq!((record.totals(), record.number()), ((names, space), 3));
        }
    }
}
