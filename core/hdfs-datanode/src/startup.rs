//! What a volume's folders hold when a DataNode starts: whole replicas, and those whose two files a crash left apart.
//!
//! A replica moves between folders by two renames, checksums first. A kill or a power cut in between leaves the data in one
//! folder and the checksums in another; taken alone, each is worth nothing. They are joined again before anything is
//! reported: where the checksums are if these prove every byte, else in `rbw`, to be recovered.
//!
//! **Invariant:** nothing here removes a file, and finalized data moves only together with checksums that prove all of it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.BlockPoolSlice.addToReplicasMap (3.5.0)
//! Differs: Hadoop takes data without checksums for a replica with stamp 0, and drops checksums without data.

use std::collections::BTreeMap;

use hdfs_types::{Block, BlockId, GenerationStamp, Result};

use crate::files::{BlockFile, FileName, Folders, Part, proven_length};
use crate::layout::{FileKind, parse_file_name};
use crate::reconcile::OnDisk;
use crate::replica::{Place, Replica, VolumeIndex};

/// What one folder holds about one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Found {
    length: Option<u64>,
    meta_length: u64,
    stamp: Option<GenerationStamp>,
}

/// The names of one folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FolderContents(BTreeMap<BlockId, Found>);

impl FolderContents {
    /// A file is there; `false` when it belongs to no replica.
    ///
    /// # Errors
    /// Those of `length`, which is asked for files of replicas only.
    pub fn note(&mut self, name: &str, length: impl FnOnce() -> Result<u64>) -> Result<bool> {
        match parse_file_name(name) {
            FileKind::Block(id) => self.0.entry(id).or_default().length = Some(length()?),
            FileKind::Meta(id, stamp) => {
                let found = self.0.entry(id).or_default();
                found.stamp = found.stamp.max(Some(stamp));
                found.meta_length = length()?;
            }
            FileKind::Other => return Ok(false),
        }
        Ok(true)
    }

    /// The blocks, as the directory scanner sees them.
    pub fn on_disk(&self, volume: VolumeIndex) -> impl Iterator<Item = OnDisk> {
        self.0.iter().map(move |(id, found)| OnDisk {
            id: *id,
            volume,
            length: found.length,
            stamp: found.stamp,
        })
    }
}

/// One file of a replica whose other one is not in the same folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Half {
    /// The block.
    pub id: BlockId,
    /// The folder.
    pub place: Place,
    /// The version that the name of checksums tells; `None` for data.
    pub stamp: Option<GenerationStamp>,
}

/// Data and checksums of one replica in two folders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// The block, with the version of the checksums and the length of the data, when that is known.
    pub block: Block,
    /// Where the data is.
    pub data: Place,
    /// Where the checksums are.
    pub meta: Place,
}

/// Which halves belong together: for each data the newest checksums of its block.
pub fn splits(halves: &[Half]) -> Vec<Split> {
    let mut newest: BTreeMap<BlockId, (GenerationStamp, Place)> = BTreeMap::new();
    for half in halves {
        let Some(stamp) = half.stamp else { continue };
        let known = newest.entry(half.id).or_insert((stamp, half.place));
        if stamp > known.0 {
            *known = (stamp, half.place);
        }
    }
    let mut found: BTreeMap<BlockId, Split> = BTreeMap::new();
    for data in halves.iter().filter(|half| half.stamp.is_none()) {
        let Some((generation_stamp, meta)) = newest.get(&data.id).copied() else { continue };
        let block = Block { id: data.id, num_bytes: 0, generation_stamp };
        let split = Split { block, data: data.place, meta };
        // With data in two folders the one that was further is the one to keep.
        let kept = found.entry(data.id).or_insert(split);
        if rank(split.data) < rank(kept.data) {
            *kept = split;
        }
    }
    found.into_values().collect()
}

fn rank(place: Place) -> u8 {
    match place {
        Place::Finalized => 0,
        Place::Rbw => 1,
        Place::Tmp => 2,
    }
}

/// Where both files go, when the checksums prove all of the data, or not all. `None`: they stay apart.
pub fn meeting_place(split: &Split, all_proven: bool) -> Option<Place> {
    match (split.data, split.meta) {
        (data, Place::Tmp) if all_proven => Some(data),
        (_, meta) if all_proven => Some(meta),
        (Place::Rbw, _) => Some(Place::Rbw),
        (Place::Finalized | Place::Tmp, _) => None,
    }
}

/// Joins the halves of a replica; answers where it is now and its block.
fn join(folders: &impl Folders, split: &Split) -> Result<Option<(Place, Block)>> {
    let data_name = FileName { place: split.data, block: split.block, part: Part::Data };
    let meta_name = FileName { place: split.meta, block: split.block, part: Part::Meta };
    let looked = || -> Result<(u64, u64)> {
        let (data, meta) =
            (folders.open_to_change(&data_name)?, folders.open_to_change(&meta_name)?);
        Ok((data.length()?, proven_length(&data, &meta)?))
    };
    let (length, proven) = match looked() {
        Ok(found) => found,
        Err(error) => {
            folders.note("read a replica whose files are in two folders", &error);
            return Ok(None);
        }
    };
    let Some(place) = meeting_place(split, length == proven) else { return Ok(None) };
    if place == Place::Finalized {
        folders.make_finalized_folder(split.block.id)?;
    }
    for from in [meta_name, data_name] {
        if from.place != place {
            folders.rename(&from, &FileName { place, ..from })?;
            folders.sync_folder(place, split.block.id)?;
            folders.sync_folder(from.place, split.block.id)?;
        }
    }
    Ok(Some((place, Block { num_bytes: length, ..split.block })))
}

/// What a volume holds of one pool.
#[derive(Debug)]
pub struct Inventory {
    volume: VolumeIndex,
    replicas: Vec<Replica>,
    rbw: Vec<Block>,
    halves: Vec<Half>,
    /// Lengths of halves that are data.
    lone: BTreeMap<(BlockId, u8), u64>,
    used: u64,
}

/// What came out.
#[derive(Debug)]
pub struct Inventoried {
    /// The replicas.
    pub replicas: Vec<Replica>,
    /// Bytes that finalized ones take.
    pub used: u64,
    /// Replicas that were joined.
    pub joined: usize,
}

impl Inventory {
    /// Of this volume, empty yet.
    pub fn new(volume: VolumeIndex) -> Self {
        Self {
            volume,
            replicas: Vec::new(),
            rbw: Vec::new(),
            halves: Vec::new(),
            lone: BTreeMap::new(),
            used: 0,
        }
    }

    /// A folder of that place; there are many of finalized replicas.
    pub fn add(&mut self, place: Place, contents: &FolderContents) {
        for (id, found) in &contents.0 {
            match (found.length, found.stamp) {
                (Some(num_bytes), Some(generation_stamp)) => {
                    let block = Block { id: *id, num_bytes, generation_stamp };
                    self.add_whole(place, block, found.meta_length);
                }
                (Some(length), None) => {
                    self.lone.insert((*id, rank(place)), length);
                    self.halves.push(Half { id: *id, place, stamp: None });
                }
                (None, stamp) => self.halves.push(Half { id: *id, place, stamp }),
            }
        }
    }

    fn add_whole(&mut self, place: Place, block: Block, meta_length: u64) {
        match place {
            Place::Finalized => {
                self.used += block.num_bytes + meta_length;
                self.replicas.push(Replica::finalized(block, self.volume));
            }
            Place::Rbw => self.rbw.push(block),
            // Copies in flight: nobody was told about them.
            Place::Tmp => {}
        }
    }

    /// Joins what belongs together. `claim` says how many bytes of a replica that was being written are proven.
    ///
    /// # Errors
    /// When the disk refuses to move files; those that were found apart stay so, then.
    pub fn take<F: Folders>(
        mut self,
        folders: &F,
        claim: impl Fn(&F, Block) -> u64,
    ) -> Result<Inventoried> {
        let mut joined = 0;
        for split in splits(&self.halves) {
            let Some((place, block)) = join(folders, &split)? else { continue };
            joined += 1;
            self.lone.remove(&(block.id, rank(split.data)));
            let meta = FileName { place, block, part: Part::Meta };
            self.add_whole(place, block, folders.length(&meta).unwrap_or(0));
        }
        // Data without checksums has stamp 0, as in Hadoop: the NameNode then sees that it is corrupt.
        for ((id, rank_of), length) in std::mem::take(&mut self.lone) {
            let place = [Place::Finalized, Place::Rbw, Place::Tmp][usize::from(rank_of)];
            let generation_stamp = GenerationStamp::GRANDFATHER;
            self.add_whole(place, Block { id, num_bytes: length, generation_stamp }, 0);
        }
        for block in std::mem::take(&mut self.rbw) {
            let block = Block { num_bytes: claim(folders, block), ..block };
            self.replicas.push(Replica::waiting(block, self.volume));
        }
        Ok(Inventoried { replicas: self.replicas, used: self.used, joined })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(place: Place, stamp: Option<u64>) -> Half {
        Half { id: BlockId(7), place, stamp: stamp.map(GenerationStamp) }
    }

    fn split(data: Place, meta: Place) -> Split {
        let block = Block { id: BlockId(7), num_bytes: 0, generation_stamp: GenerationStamp(9) };
        Split { block, data, meta }
    }

    #[test]
    fn data_belongs_to_the_newest_checksums_of_its_block() {
        let halves = [
            half(Place::Rbw, Some(8)),
            half(Place::Finalized, None),
            half(Place::Rbw, Some(9)),
            Half { id: BlockId(8), ..half(Place::Tmp, None) },
        ];
        assert_eq!(splits(&halves), [split(Place::Finalized, Place::Rbw)]);
        assert_eq!(splits(&halves[1..2]), []);
        assert_eq!(splits(&halves[..1]), []);
    }

    #[test]
    fn halves_meet_at_the_checksums_when_these_prove_everything() {
        let meet = |data, meta, proven| meeting_place(&split(data, meta), proven);
        // An append began; a close, or a copy, ended.
        assert_eq!(meet(Place::Finalized, Place::Rbw, true), Some(Place::Rbw));
        assert_eq!(meet(Place::Rbw, Place::Finalized, true), Some(Place::Finalized));
        assert_eq!(meet(Place::Tmp, Place::Finalized, true), Some(Place::Finalized));
        assert_eq!(meet(Place::Tmp, Place::Rbw, true), Some(Place::Rbw));
        // What is in tmp goes at the end of the scan.
        assert_eq!(meet(Place::Rbw, Place::Tmp, true), Some(Place::Rbw));
        assert_eq!(meet(Place::Finalized, Place::Tmp, true), Some(Place::Finalized));
    }

    #[test]
    fn data_that_is_not_proven_never_counts_as_complete_and_complete_data_never_moves_unproven() {
        let meet = |data, meta| meeting_place(&split(data, meta), false);
        assert_eq!(meet(Place::Rbw, Place::Finalized), Some(Place::Rbw));
        assert_eq!(meet(Place::Rbw, Place::Tmp), Some(Place::Rbw));
        assert_eq!(meet(Place::Finalized, Place::Rbw), None);
        assert_eq!(meet(Place::Tmp, Place::Finalized), None);
    }
}
