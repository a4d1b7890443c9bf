//! What the directory scanner finds: where memory and disk tell different things about a complete replica.
//!
//! **Invariant:** nothing is deleted because of what is found here. A file that memory does not know may be the last copy of
//! a block: the NameNode hears of it and decides, and files that belong to no replica stay where they are.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DirectoryScanner, FsDatasetImpl.checkAndUpdate (3.5.0)
//! Differs: Hadoop deletes the shorter of two copies, and checksums without data.

use hdfs_types::{Block, BlockId, GenerationStamp, ReplicaState};

use crate::replica::{Replica, VolumeIndex};

/// The files of one block in the folder that its id names, on one volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OnDisk {
    /// The block.
    pub id: BlockId,
    /// The volume.
    pub volume: VolumeIndex,
    /// Bytes of data; `None` without a block file.
    pub length: Option<u64>,
    /// The version of the checksums; `None` without them.
    pub stamp: Option<GenerationStamp>,
}

/// What is different.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Difference {
    /// A whole replica that memory does not know: it is taken in and reported.
    Unknown(Block),
    /// Memory knows a replica whose data is gone: it is forgotten and reported as deleted.
    DataGone,
    /// Its checksums are gone or of another version, or it has another length: it is reported as corrupt.
    Corrupt,
    /// Memory has it on another volume: one copy too many, which stays.
    Duplicate,
    /// Data without checksums, or checksums without data, of a block that memory does not know: they stay.
    Half,
}

/// Compares what memory and disk say. `memory`: the replica wherever it is; one that is being written is not looked at.
pub fn compare(memory: Option<&Replica>, disk: &OnDisk) -> Option<Difference> {
    let whole = disk.length.zip(disk.stamp);
    let Some(replica) = memory else {
        return Some(match whole {
            Some((num_bytes, generation_stamp)) => {
                Difference::Unknown(Block { id: disk.id, num_bytes, generation_stamp })
            }
            None if disk.length.is_some() || disk.stamp.is_some() => Difference::Half,
            None => return None,
        });
    };
    if replica.state() != ReplicaState::Finalized {
        return None;
    }
    if replica.volume != disk.volume {
        return disk.length.map(|_| Difference::Duplicate);
    }
    if disk.length.is_none() {
        return Some(Difference::DataGone);
    }
    let known = (replica.block.num_bytes, replica.block.generation_stamp);
    (whole != Some(known)).then_some(Difference::Corrupt)
}

/// How often each difference was found in one scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Blocks on disk.
    pub blocks: u64,
    /// [`Difference::Unknown`].
    pub unknown: u64,
    /// [`Difference::DataGone`].
    pub data_gone: u64,
    /// [`Difference::Corrupt`].
    pub corrupt: u64,
    /// [`Difference::Duplicate`].
    pub duplicates: u64,
    /// [`Difference::Half`].
    pub halves: u64,
}

impl Findings {
    /// Counts one.
    pub fn add(&mut self, difference: &Difference) {
        *match difference {
            Difference::Unknown(_) => &mut self.unknown,
            Difference::DataGone => &mut self.data_gone,
            Difference::Corrupt => &mut self.corrupt,
            Difference::Duplicate => &mut self.duplicates,
            Difference::Half => &mut self.halves,
        } += 1;
    }

    /// All of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            blocks: self.blocks + other.blocks,
            unknown: self.unknown + other.unknown,
            data_gone: self.data_gone + other.data_gone,
            corrupt: self.corrupt + other.corrupt,
            duplicates: self.duplicates + other.duplicates,
            halves: self.halves + other.halves,
        }
    }

    /// True when memory and disk agree.
    pub fn is_clean(&self) -> bool {
        *self == Self { blocks: self.blocks, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::WriterId;

    const HERE: VolumeIndex = VolumeIndex(0);

    fn block() -> Block {
        Block { id: BlockId(7), num_bytes: 100, generation_stamp: GenerationStamp(3) }
    }

    fn disk(length: Option<u64>, stamp: Option<u64>) -> OnDisk {
        OnDisk { id: BlockId(7), volume: HERE, length, stamp: stamp.map(GenerationStamp) }
    }

    #[test]
    fn a_replica_that_is_as_memory_says_is_no_finding() {
        let replica = Replica::finalized(block(), HERE);
        assert_eq!(compare(Some(&replica), &disk(Some(100), Some(3))), None);
        assert_eq!(compare(None, &disk(None, None)), None);
        // One that is being written changes all the time.
        let rbw = Replica::rbw(block(), HERE, WriterId(1));
        assert_eq!(compare(Some(&rbw), &disk(None, None)), None);
    }

    #[test]
    fn every_difference_has_its_name() {
        let replica = Replica::finalized(block(), HERE);
        let known = |length, stamp| compare(Some(&replica), &disk(length, stamp));
        assert_eq!(known(None, Some(3)), Some(Difference::DataGone));
        assert_eq!(known(None, None), Some(Difference::DataGone));
        for (length, stamp) in [(99, Some(3)), (100, Some(4)), (100, None)] {
            assert_eq!(known(Some(length), stamp), Some(Difference::Corrupt), "{length} {stamp:?}");
        }
        let elsewhere = OnDisk { volume: VolumeIndex(1), ..disk(Some(100), Some(3)) };
        assert_eq!(compare(Some(&replica), &elsewhere), Some(Difference::Duplicate));
        let unknown = |length, stamp| compare(None, &disk(length, stamp));
        assert_eq!(unknown(Some(100), Some(3)), Some(Difference::Unknown(block())));
        assert_eq!(unknown(Some(100), None), Some(Difference::Half));
        assert_eq!(unknown(None, Some(3)), Some(Difference::Half));
    }
}
