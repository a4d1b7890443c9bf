//! Block recovery: what one DataNode does to its replica, and how the primary decides over all of them.
//!
//! Hadoop: FsDatasetImpl.{initReplicaRecovery, updateReplicaUnderRecovery},
//! org.apache.hadoop.hdfs.server.datanode.BlockRecoveryWorker (3.5.0)

use crate::replica::{Place, Replica, State, UnderRecovery, WriterId};
use hdfs_types::{
    Block, BlockId, Error, ErrorKind, ExtendedBlock, GenerationStamp, ReplicaState, Result,
};

/// Lengths of a replica's files; `None` for one that is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileLengths {
    /// Of the block file.
    pub data: Option<u64>,
    /// Of the `.meta` file.
    pub meta: Option<u64>,
}

/// What a DataNode answers the primary about its replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecoveryInfo {
    /// The replica as it is on disk.
    pub block: Block,
    /// Its state before the recovery.
    pub original_state: ReplicaState,
}

/// How a recovery may begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InitRecovery {
    /// Not before this writer has ended.
    StopWriter(WriterId),
    /// It has begun.
    Ready(RecoveryInfo),
}

fn check_files(replica: &Replica, files: FileLengths) -> Result<()> {
    let Some(data) = files.data else {
        return Err(Error::new(
            ErrorKind::FileNotFound,
            format!("Block data not found, r={replica}"),
        ));
    };
    if replica.bytes_on_disk() != data {
        return Err(Error::io(format!("Block length mismatch, len={data} but r={replica}")));
    }
    match files.meta {
        None => Err(Error::io(format!("the meta file does not exist, r={replica}"))),
        Some(0) => Err(Error::io(format!("Metafile is empty, r={replica}"))),
        Some(_) => Ok(()),
    }
}

/// True when this answer of a DataNode says that it has only an older version of the block, whose bytes do not count.
pub fn is_only_older(error: &Error) -> bool {
    error.message.contains(OLDER)
}

/// Hadoop's words for it.
const OLDER: &str = "replica.getGenerationStamp() < block.getGenerationStamp()";

/// Begins the recovery of this replica: stops its writer, checks it, and marks it.
///
/// # Errors
/// When the replica is older than the block, a newer recovery runs, or its files are not what they should be.
pub fn init(
    replica: &mut Replica,
    block: &Block,
    recovery_id: GenerationStamp,
    files: FileLengths,
) -> Result<InitRecovery> {
    if let Some(writer) = replica.writer() {
        return Ok(InitRecovery::StopWriter(writer));
    }
    if replica.pipeline().is_some() {
        if replica.visible_length().is_some_and(|visible| replica.bytes_on_disk() < visible) {
            return Err(Error::io(format!("getBytesOnDisk() < getVisibleLength(), rip={replica}")));
        }
        check_files(replica, files)?;
    }
    if replica.block.generation_stamp < block.generation_stamp {
        return Err(Error::io(format!("{OLDER}, block={block}, replica={replica}")));
    }
    if replica.block.generation_stamp >= recovery_id {
        return Err(Error::io(format!(
            "THIS IS NOT SUPPOSED TO HAPPEN: replica.getGenerationStamp() >= recoveryId = {recovery_id}, \
             block={block}, replica={replica}"
        )));
    }
    let stamp = replica.block.generation_stamp;
    if let State::Rur(recovery) = &mut replica.state {
        if recovery.recovery_id >= recovery_id {
            return Err(Error::new(
                ErrorKind::RecoveryInProgress,
                format!(
                    "rur.getRecoveryID() >= recoveryId = {recovery_id}, block={block}, rur={replica}"
                ),
            ));
        }
        recovery.recovery_id = recovery_id;
    } else {
        replica.state = State::Rur(Box::new(UnderRecovery {
            recovery_id,
            original_state: replica.state(),
            bytes_on_disk: replica.bytes_on_disk(),
            visible: replica.visible_length(),
        }));
    }
    let State::Rur(recovery) = &replica.state else { unreachable!("set just above") };
    Ok(InitRecovery::Ready(RecoveryInfo {
        block: Block {
            id: replica.block.id,
            num_bytes: recovery.bytes_on_disk,
            generation_stamp: stamp,
        },
        original_state: recovery.original_state,
    }))
}

/// What the edge does to finish the recovery of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateRecovery {
    /// Cut the files to this length (when given), give them the recovery's stamp, finalize.
    InPlace {
        /// The new length, when it is shorter.
        truncate_to: Option<u64>,
    },
    /// Copy the first `length` bytes to a new finalized block, leave this one finalized as it was.
    CopyTo {
        /// The new block.
        id: BlockId,
        /// Its length.
        length: u64,
    },
}

/// Checks the end of a recovery.
///
/// # Errors
/// When this replica is not in that recovery, or too short.
pub fn check_update(
    replica: &Replica,
    old: &ExtendedBlock,
    recovery_id: GenerationStamp,
    new_id: BlockId,
    new_length: u64,
    files: FileLengths,
) -> Result<UpdateRecovery> {
    let State::Rur(recovery) = &replica.state else {
        return Err(Error::io(format!("replica.getState() != RUR, replica={replica}")));
    };
    if recovery.bytes_on_disk != old.block.num_bytes {
        return Err(Error::io(format!(
            "THIS IS NOT SUPPOSED TO HAPPEN: replica.getBytesOnDisk() != block.getNumBytes(), block={old}, \
             replica={replica}"
        )));
    }
    check_files(replica, files)?;
    if recovery.recovery_id != recovery_id {
        return Err(Error::io(format!(
            "rur.getRecoveryID() != recoveryId = {recovery_id}, rur={replica}"
        )));
    }
    let length = recovery.bytes_on_disk;
    if length < new_length {
        return Err(Error::io(format!(
            "rur.getNumBytes() < newlength = {new_length}, rur={replica}"
        )));
    }
    if new_id.0 > 0 && new_id != replica.block.id {
        return Ok(UpdateRecovery::CopyTo { id: new_id, length: new_length });
    }
    Ok(UpdateRecovery::InPlace { truncate_to: (new_length < length).then_some(new_length) })
}

/// The recovery in place is done on disk: the replica has the recovery's stamp and this length, and is finalized.
pub fn finish(replica: &mut Replica, recovery_id: GenerationStamp, length: u64) {
    replica.bump(recovery_id);
    replica.block.num_bytes = length;
    replica.place = Place::Finalized;
    replica.state = State::Finalized;
}

/// A recovery cut the replica's file to this length and failed after that: it waits for the next one.
pub fn was_cut(replica: &mut Replica, length: u64) {
    replica.block.num_bytes = replica.block.num_bytes.min(length);
    if let State::Rur(recovery) = &mut replica.state {
        recovery.bytes_on_disk = recovery.bytes_on_disk.min(length);
        recovery.visible = recovery.visible.map(|visible| visible.min(length));
    }
}

/// One replica as the primary sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Place of its DataNode in the list of locations.
    pub index: usize,
    /// What the DataNode answered.
    pub info: RecoveryInfo,
}

/// What the primary decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncPlan {
    /// Nobody has bytes: the block goes.
    Delete,
    /// These replicas (places in the list of candidates) get this length.
    Update {
        /// Who takes part.
        participants: Vec<Candidate>,
        /// The length that the block gets.
        length: u64,
    },
}

/// Chooses length and participants: finalized replicas decide when there are any, else the shortest of the best state.
///
/// `answers`: every replica that a DataNode reported. `silent`: how many locations did not say what they have. `truncate_to`:
/// the length that a truncate asks for.
///
/// # Errors
/// When finalized replicas differ, only replicas that may not serve exist, or the bytes may be where nobody answered.
pub fn plan_sync(
    block: &ExtendedBlock,
    answers: &[Candidate],
    silent: usize,
    truncate_to: Option<u64>,
) -> Result<SyncPlan> {
    let usable: Vec<&Candidate> = answers
        .iter()
        .filter(|candidate| {
            candidate.info.block.generation_stamp >= block.block.generation_stamp
                && candidate.info.block.num_bytes > 0
        })
        .collect();
    let sync: Vec<Candidate> = usable
        .iter()
        .filter(|candidate| candidate.info.original_state <= ReplicaState::Rwr)
        .map(|candidate| **candidate)
        .collect();
    if !usable.is_empty() && sync.is_empty() {
        return Err(Error::io(format!(
            "Found {} replica(s) for block {block} but none is in RWR or better state.",
            usable.len()
        )));
    }
    let Some(best) = sync.iter().map(|candidate| candidate.info.original_state).min() else {
        if silent > 0 {
            // Differs: Hadoop deletes the block. A node that is asked again later may have all its bytes.
            return Err(Error::io(format!(
                "Nobody who answered has bytes of block {block}, but {silent} locations did not answer: it is not deleted"
            )));
        }
        return Ok(SyncPlan::Delete);
    };
    let length_of = |state: ReplicaState| {
        let of_state = sync.iter().filter(move |c| c.info.original_state == state);
        of_state.map(|candidate| candidate.info.block.num_bytes)
    };
    let length = length_of(best).min().unwrap_or(0);
    // Differs: a truncate whose recovery was cut off leaves replicas that are cut already beside others that are not. All of
    // them start with the bytes that stay; Hadoop finds them inconsistent and never closes the file.
    let all_have_enough = truncate_to.is_some_and(|wanted| length >= wanted);
    if best == ReplicaState::Finalized
        && !all_have_enough
        && let Some(other) = length_of(best).find(|other| *other != length)
    {
        return Err(Error::io(format!(
            "Inconsistent size of finalized replicas. Replica of {other} bytes expected size: {length}"
        )));
    }
    let takes_part = |candidate: &&Candidate| {
        let info = &candidate.info;
        info.original_state == best
            || (best == ReplicaState::Finalized
                && info.original_state == ReplicaState::Rbw
                && info.block.num_bytes == length)
    };
    let participants = sync.iter().filter(takes_part).copied().collect();
    Ok(SyncPlan::Update { participants, length: truncate_to.unwrap_or(length) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::VolumeIndex;
    use hdfs_types::BlockPoolId;

    fn block(length: u64, stamp: u64) -> Block {
        Block { id: BlockId(7), num_bytes: length, generation_stamp: GenerationStamp(stamp) }
    }

    fn extended(length: u64, stamp: u64) -> ExtendedBlock {
        ExtendedBlock { pool: BlockPoolId::from("BP-1"), block: block(length, stamp) }
    }

    fn files(data: u64) -> FileLengths {
        FileLengths { data: Some(data), meta: Some(11) }
    }

    fn answer(index: usize, state: ReplicaState, length: u64, stamp: u64) -> Candidate {
        let info = RecoveryInfo { block: block(length, stamp), original_state: state };
        Candidate { index, info }
    }

    #[test]
    fn a_replica_goes_through_recovery_and_keeps_the_newest_one() {
        let mut replica = Replica::rbw(block(0, 1_001), VolumeIndex(0), WriterId(3));
        replica.wrote(100, Some(1));
        replica.acked(90);
        let id = GenerationStamp(1_002);
        let init_now = |replica: &mut Replica, id| init(replica, &block(0, 1_001), id, files(100));
        assert_eq!(init_now(&mut replica, id).unwrap(), InitRecovery::StopWriter(WriterId(3)));
        replica.release(WriterId(3));
        let InitRecovery::Ready(info) = init_now(&mut replica, id).unwrap() else { panic!() };
        assert_eq!(info.block, block(100, 1_001));
        assert_eq!(info.original_state, ReplicaState::Rbw);
        assert_eq!(replica.visible_length(), Some(90));
        let again = init_now(&mut replica, id).unwrap_err();
        assert_eq!(again.kind, ErrorKind::RecoveryInProgress);
        let newer = GenerationStamp(1_003);
        assert!(matches!(init_now(&mut replica, newer), Ok(InitRecovery::Ready(_))));
        let update = |id, length| {
            check_update(&replica, &extended(100, 1_001), id, BlockId(7), length, files(100))
        };
        assert!(update(id, 90).is_err());
        assert!(update(newer, 101).is_err());
        let cut = UpdateRecovery::InPlace { truncate_to: Some(90) };
        assert_eq!(update(newer, 90).unwrap(), cut);
        assert_eq!(update(newer, 100).unwrap(), UpdateRecovery::InPlace { truncate_to: None });
    }

    #[test]
    fn a_recovery_refuses_files_that_are_not_as_long_as_they_should_be() {
        let mut replica = Replica::rbw(block(0, 1_001), VolumeIndex(0), WriterId(3));
        replica.wrote(100, None);
        replica.release(WriterId(3));
        let id = GenerationStamp(1_002);
        assert!(init(&mut replica, &block(0, 1_001), id, files(99)).is_err());
        let gone = FileLengths { data: None, meta: None };
        assert!(init(&mut replica, &block(0, 1_001), id, gone).is_err());
    }

    #[test]
    fn finalized_replicas_decide_the_length() {
        use ReplicaState::{Finalized, Rbw, Rwr, Temporary};
        let old = extended(0, 1_001);
        let plan = plan_sync(
            &old,
            &[
                answer(0, Finalized, 100, 1_001),
                answer(1, Rbw, 100, 1_001),
                answer(2, Rbw, 90, 1_001),
                answer(3, Rwr, 100, 1_001),
            ],
            1,
            None,
        );
        let SyncPlan::Update { participants, length } = plan.unwrap() else { panic!() };
        let indexes: Vec<usize> = participants.iter().map(|c| c.index).collect();
        assert_eq!((indexes, length), (vec![0, 1], 100));
        let differing = [answer(0, Finalized, 100, 1_001), answer(1, Finalized, 99, 1_001)];
        assert!(plan_sync(&old, &differing, 0, None).is_err());
        assert!(plan_sync(&old, &differing, 0, Some(100)).is_err());
        let SyncPlan::Update { participants, length } =
            plan_sync(&old, &differing, 0, Some(99)).unwrap()
        else {
            panic!()
        };
        assert_eq!((participants.len(), length), (2, 99));
        assert!(plan_sync(&old, &[answer(0, Temporary, 5, 1_001)], 0, None).is_err());
    }

    #[test]
    fn without_finalized_replicas_the_shortest_of_the_best_state_wins() {
        use ReplicaState::{Rbw, Rwr};
        let old = extended(0, 1_001);
        let answers = [
            answer(0, Rbw, 100, 1_001),
            answer(1, Rbw, 80, 1_002),
            answer(2, Rwr, 10, 1_001),
            answer(3, Rbw, 5, 1_000),
            answer(4, Rbw, 0, 1_001),
        ];
        let SyncPlan::Update { participants, length } = plan_sync(&old, &answers, 0, None).unwrap()
        else {
            panic!()
        };
        assert_eq!((participants.len(), length), (2, 80));
        assert_eq!(plan_sync(&old, &answers[3..], 0, None).unwrap(), SyncPlan::Delete);
        assert!(
            plan_sync(&old, &answers[3..], 1, None)
                .unwrap_err()
                .to_string()
                .contains("1 locations")
        );
    }
}
