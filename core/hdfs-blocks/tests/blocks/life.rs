//! The life of a block.

use hdfs_blocks::{BlockEvent, BlockState, NO_ACK};
use hdfs_types::{BlockId, GenerationStamp};

use crate::cluster::{Cluster, OWNER, block};

#[test]
fn a_block_is_created_written_read_and_deleted() {
    let mut c = Cluster::of(3);
    let mono = c.mono();
    let targets = c.bm.choose_targets(mono, &Cluster::request(3)).expect("three nodes run");
    assert_eq!(c.nodes_of(&targets), [0, 1, 2]);
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 3, &targets).expect("new");
    for node in 0..3 {
        c.receiving(node, block(1, 1_001, 0));
    }
    assert_eq!(c.readable_on(1), [0, 1, 2], "a reader may follow the writer");
    assert!(!c.bm.has_min_storage(BlockId(1)));
    let done = block(1, 1_001, 42);
    for node in 0..3 {
        c.received(node, done);
    }
    let outcome = c.bm.commit_or_complete(mono, done).expect("fits");
    assert!(outcome.committed && outcome.complete);
    let info = c.bm.block(BlockId(1)).expect("it exists");
    assert_eq!((info.block, info.state, info.owner), (done, BlockState::Complete, OWNER));
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    assert_eq!(c.bm.safe_counts().safe, 1);
    assert_eq!(c.bm.stats(mono).low_redundancy, 0);
    c.check();

    c.bm.remove_block(BlockId(1));
    assert_eq!(c.bm.block(BlockId(1)), None);
    for node in 0..3 {
        assert_eq!(c.told_to_delete(node), [block(1, 1_001, NO_ACK)]);
        assert_eq!(c.told_to_delete(node), []);
    }
    c.check();
}

#[test]
fn a_committed_block_completes_when_the_first_report_arrives() {
    let mut c = Cluster::of(3);
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 3, &targets).expect("new");
    let done = block(1, 1_001, 42);
    let outcome = c.bm.commit_or_complete(c.mono(), done).expect("fits");
    assert!(outcome.committed && !outcome.complete);
    assert_eq!(c.events(), []);
    c.received(2, done);
    assert_eq!(c.events(), [BlockEvent::Completed { block: done, owner: OWNER }]);
    // The other two of the pipeline are on their way: nothing to copy yet.
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    assert_eq!(c.bm.stats(c.mono()).pending_reconstruction, 1);
    c.received(0, done);
    c.received(1, done);
    assert_eq!(c.bm.stats(c.mono()).pending_reconstruction, 0);
    assert_eq!(c.events(), []);
    // A retry of the same complete() call changes nothing.
    let again = c.bm.commit_or_complete(c.mono(), done).expect("complete already");
    assert!(!again.committed && again.complete);
    c.check();
}

#[test]
fn a_commit_with_another_stamp_or_a_shorter_length_is_refused() {
    let mut c = Cluster::of(1);
    let targets = [c.storage(0)];
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 1, &targets).expect("new");
    let error = c.bm.commit_or_complete(c.mono(), block(1, 1_002, 5)).expect_err("wrong stamp");
    assert_eq!(
        error.message,
        "Commit block with mismatching GS. NN has blk_1_1001, client submits blk_1_1002"
    );
    c.bm.update_pipeline(block(1, 1_002, 10), &targets).expect("grows");
    c.bm.commit_or_complete(c.mono(), block(1, 1_002, 5)).expect_err("shorter than before");
    c.check();
}

#[test]
fn a_pipeline_update_forgets_replicas_of_the_old_stamp() {
    let mut c = Cluster::of(3);
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 3, &targets).expect("new");
    // Node 0 finalized the old version; then the pipeline went on without it.
    c.received(0, block(1, 1_001, 50));
    assert!(c.bm.has_min_storage(BlockId(1)));
    c.bm.update_pipeline(block(1, 1_002, 50), &targets[1..]).expect("grows");
    assert!(!c.bm.has_min_storage(BlockId(1)));
    let done = block(1, 1_002, 80);
    c.received(1, done);
    c.received(2, done);
    assert!(c.bm.commit_or_complete(c.mono(), done).expect("fits").complete);
    assert_eq!(c.readable_on(1), [1, 2]);
    // What node 0 still has is reported, and goes as soon as the others are enough.
    c.received(0, block(1, 1_001, 50));
    assert_eq!(c.readable_on(1), [1, 2]);
    assert_eq!(c.told_to_delete(0), [block(1, 1_001, 50)]);
    c.check();
}

#[test]
fn append_opens_the_last_block_again_where_it_is() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    let storages = c.bm.convert_to_under_construction(BlockId(1)).expect("it exists");
    assert_eq!(c.nodes_of(&storages), [0, 1, 2]);
    assert_eq!(c.bm.safe_counts().total, 0);
    c.bm.update_pipeline(block(1, 1_002, done.num_bytes), &storages).expect("grows");
    for node in 0..3 {
        c.receiving(node, block(1, 1_002, done.num_bytes));
        c.received(node, block(1, 1_002, 150));
    }
    assert!(c.bm.commit_or_complete(c.mono(), block(1, 1_002, 150)).expect("fits").complete);
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    assert_eq!(c.bm.safe_counts().total, 1);
    c.check();
}

/// The clients of Go (colinmarc/hdfs) and Python (hdfs-native) append without asking for a new stamp.
#[test]
fn an_append_under_the_old_stamp_may_be_committed_before_it_is_reported() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.bm.convert_to_under_construction(BlockId(1)).expect("it exists");
    let longer = block(1, 1_001, done.num_bytes + 1);
    assert!(c.bm.commit_or_complete(c.mono(), longer).expect("fits").complete);
    for node in 0..3 {
        c.received(node, longer);
    }
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    c.check();
}

#[test]
fn a_good_report_takes_back_a_wrong_length() {
    let mut c = Cluster::of(1);
    let done = c.closed_block(1, &[0], 1);
    c.received(0, block(1, 1_001, done.num_bytes - 1));
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 1);
    c.received(0, done);
    assert_eq!(c.readable_on(1), [0]);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    c.check();
}

#[test]
fn a_replica_that_an_append_left_behind_makes_room_for_a_good_one() {
    let mut c = Cluster::of(2);
    let targets: Vec<_> = (0..2).map(|node| c.storage(node)).collect();
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 2, &targets).expect("new");
    let short = block(1, 1_001, 10);
    c.received(0, short);
    assert!(c.bm.commit_or_complete(c.mono(), short).expect("fits").complete);
    c.bm.convert_to_under_construction(BlockId(1)).expect("it exists");
    let longer = block(1, 1_001, 20);
    c.received(0, longer);
    assert!(c.bm.commit_or_complete(c.mono(), longer).expect("fits").complete);
    // The second node says only now that it has what was written first.
    c.received(1, short);
    assert_eq!(c.told_to_delete(1), [short]);
    assert_eq!(c.readable_on(1), [0]);
    c.check();
}

#[test]
fn fields_out_of_range_are_refused_and_change_nothing() {
    let mut c = Cluster::of(1);
    let huge = 1 << 60;
    c.bm.add_block(block(1, huge, 0), OWNER, 1, BlockState::Complete).expect_err("stamp");
    c.bm.add_block(block(0, 1_001, 0), OWNER, 1, BlockState::Complete).expect_err("id 0");
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 1, &[]).expect("new");
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 1, &[]).expect_err("twice");
    c.bm.commit_or_complete(c.mono(), block(1, 1_001, huge)).expect_err("length");
    assert_eq!(c.bm.block(BlockId(1)).map(|b| b.state), Some(BlockState::UnderConstruction));
    c.bm.update_block(block(1, 1_000, 7)).expect_err("the stamp would go back");
    assert_eq!(
        c.bm.block(BlockId(1)).map(|b| b.block.generation_stamp),
        Some(GenerationStamp(1_001))
    );
    c.check();
}
