//! The life of a replica: what is refused, and with which words.

use super::*;
use crate::replica::VolumeIndex;
use hdfs_types::{BlockId, BlockPoolId};

fn extended(length: u64, stamp: u64) -> ExtendedBlock {
    let block =
        Block { id: BlockId(7), num_bytes: length, generation_stamp: GenerationStamp(stamp) };
    ExtendedBlock { pool: BlockPoolId::from("BP-1"), block }
}

fn finalized(length: u64, stamp: u64) -> Replica {
    Replica::finalized(extended(length, stamp).block, VolumeIndex(0))
}

fn rbw(received: u64, on_disk: u64, acked: u64, stamp: u64) -> Replica {
    let mut replica = Replica::rbw(extended(0, stamp).block, VolumeIndex(0), WriterId(1));
    replica.wrote(on_disk, None);
    replica.block.num_bytes = received;
    replica.acked(acked);
    replica
}

fn stamp(number: u64) -> GenerationStamp {
    GenerationStamp(number)
}

#[test]
fn a_block_is_created_once() {
    let error = check_create_rbw(&finalized(5, 1_001), &extended(0, 1_001), stamp(0)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReplicaAlreadyExists);
    assert_eq!(
        error.message,
        "Block BP-1:blk_7_1001 already exists in state FINALIZED and thus cannot be created."
    );
}

#[test]
fn a_retried_set_up_replaces_only_its_own_older_attempt() {
    let attempt = rbw(0, 0, 0, 1_001);
    let proceed = check_create_rbw(&attempt, &extended(0, 1_001), stamp(1_002)).unwrap();
    assert_eq!(proceed, Proceed::StopWriter(WriterId(1)));
    assert!(check_create_rbw(&finalized(5, 1_001), &extended(0, 1_001), stamp(1_002)).is_err());
    assert!(check_create_rbw(&rbw(0, 0, 0, 1_003), &extended(0, 1_001), stamp(1_002)).is_err());
}

#[test]
fn an_append_needs_the_finalized_replica_that_the_client_knows() {
    let block = extended(100, 1_001);
    assert!(check_append(&finalized(100, 1_001), &block, stamp(1_002), 100).is_ok());
    let wrong_length = check_append(&finalized(99, 1_001), &block, stamp(1_002), 100).unwrap_err();
    assert!(wrong_length.message.starts_with("Corrupted replica FinalizedReplica, blk_7_1001"));
    assert!(wrong_length.message.ends_with("with a length of 99 expected length is 100"));
    let unfinalized = check_append(&rbw(100, 100, 100, 1_001), &block, stamp(1_002), 100);
    assert_eq!(
        unfinalized.unwrap_err().message,
        "Cannot append to an unfinalized replica BP-1:blk_7_1001"
    );
    assert!(check_append(&finalized(100, 1_001), &block, stamp(1_000), 100).is_err());
    assert!(check_append(&finalized(100, 1_005), &block, stamp(1_002), 100).is_err());
}

#[test]
fn a_recovery_stops_the_writer_before_it_looks_at_lengths() {
    let block = extended(100, 1_001);
    let mut replica = rbw(100, 100, 50, 1_001);
    assert_eq!(
        check_recover(&replica, &block, stamp(1_002), 100).unwrap(),
        Proceed::StopWriter(WriterId(1))
    );
    assert!(replica.release(WriterId(1)) && !replica.release(WriterId(1)));
    let unequal = check_recover(&replica, &block, stamp(1_002), 100).unwrap_err();
    assert_eq!(unequal.kind, ErrorKind::ReplicaAlreadyExists);
    replica.acked(100);
    assert_eq!(check_recover(&replica, &block, stamp(1_002), 100).unwrap(), Proceed::Go);
    assert!(check_recover(&replica, &block, stamp(1_000), 100).is_err());
}

#[test]
fn bytes_beyond_the_acknowledged_ones_are_cut() {
    let mut replica = rbw(200, 200, 100, 1_001);
    replica.release(WriterId(1));
    let block = extended(0, 1_001);
    assert_eq!(check_recover_rbw(&replica, &block, stamp(1_002), 100, 300).unwrap(), Proceed::Go);
    assert!(check_recover_rbw(&replica, &block, stamp(1_002), 101, 300).is_err());
    assert!(check_recover_rbw(&replica, &block, stamp(1_002), 0, 199).is_err());
    assert_eq!(recover_rbw_length(&replica, 200).unwrap(), Some(100));
    assert_eq!(recover_rbw_length(&replica, 100).unwrap(), None);
    assert!(recover_rbw_length(&replica, 99).is_err());
    replica.resume(stamp(1_002), 100, WriterId(2));
    assert_eq!((replica.block.num_bytes, replica.bytes_on_disk()), (100, 100));
    assert_eq!(replica.writer(), Some(WriterId(2)));
}

#[test]
fn a_copy_arrives_only_where_nothing_better_is() {
    let block = extended(0, 1_002);
    assert!(check_create_temporary(&finalized(5, 1_002), &block, true).is_err());
    assert!(check_create_temporary(&finalized(5, 1_001), &block, false).is_err());
    assert_eq!(check_create_temporary(&finalized(5, 1_001), &block, true).unwrap(), Proceed::Go);
    assert_eq!(
        check_create_temporary(&rbw(5, 5, 5, 1_001), &block, false).unwrap(),
        Proceed::StopWriter(WriterId(1))
    );
}

#[test]
fn waiting_and_temporary_replicas_are_not_readable() {
    let waiting = Replica::waiting(extended(5, 1_001).block, VolumeIndex(0));
    assert!(check_read(&waiting, &extended(5, 1_001)).is_err());
    assert_eq!(check_read(&finalized(5, 1_002), &extended(9, 1_001)).unwrap(), 5);
    assert!(check_read(&finalized(5, 1_001), &extended(5, 1_002)).is_err());
    assert_eq!(check_read(&rbw(9, 9, 4, 1_001), &extended(5, 1_001)).unwrap(), 4);
}

#[test]
fn hdfs_7065_stamps_never_go_backward() {
    let mut replica = finalized(5, 1_005);
    let backward = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        replica.bump(stamp(1_004));
    }));
    assert!(backward.is_err());
}
