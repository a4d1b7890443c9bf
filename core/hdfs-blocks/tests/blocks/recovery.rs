//! Block recovery and truncation.

use std::time::Duration;

use hdfs_blocks::{BlockState, DatanodeCommand, RecoveringBlock};
use hdfs_types::{BlockId, GenerationStamp};

use crate::cluster::{Cluster, OWNER, block};

fn written_to_three(c: &mut Cluster) {
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 3, &targets).expect("new");
    for node in 0..3 {
        c.receiving(node, block(1, 1_001, 0));
    }
}

fn recoveries(commands: Vec<DatanodeCommand>) -> Vec<RecoveringBlock> {
    commands
        .into_iter()
        .flat_map(|command| match command {
            DatanodeCommand::Recover(blocks) => blocks,
            other => panic!("recoveries come alone, not with {other:?}"),
        })
        .collect()
}

#[test]
fn a_dead_writers_block_is_recovered_and_closed() {
    let mut c = Cluster::of(3);
    written_to_three(&mut c);
    c.pass(Duration::from_secs(3));
    c.heartbeat(1);
    let mono = c.mono();
    let stamp = GenerationStamp(1_002);
    assert!(c.bm.initialize_recovery(mono, BlockId(1), stamp, None).expect("being written"));
    assert_eq!(c.bm.block(BlockId(1)).map(|b| b.state), Some(BlockState::UnderRecovery));
    assert_eq!(c.heartbeat(0), []);
    let told = recoveries(c.heartbeat(1));
    assert_eq!(told.len(), 1, "the node heard of last leads");
    assert_eq!(told[0].block, block(1, 1_001, 0));
    assert_eq!(told[0].new_generation_stamp, stamp);
    assert_eq!(c.nodes_of(&told[0].locations), [0, 1, 2]);
    // Another attempt has to wait for this one.
    let next = GenerationStamp(1_003);
    assert!(!c.bm.initialize_recovery(mono, BlockId(1), next, None).expect("being recovered"));
    // Two of three took part.
    let targets = [c.storage(0), c.storage(1)];
    let outcome =
        c.bm.finish_recovery(mono, BlockId(1), stamp, 77, &targets, true).expect("current");
    assert!(outcome.complete);
    assert_eq!(c.bm.block(BlockId(1)).map(|b| b.block), Some(block(1, 1_002, 77)));
    assert_eq!(c.readable_on(1), [0, 1]);
    assert_eq!(c.bm.stats(mono).low_redundancy, 1);
    c.received(0, block(1, 1_002, 77));
    c.received(1, block(1, 1_002, 77));
    c.check();
}

#[test]
fn the_answer_of_an_older_attempt_is_refused() {
    let mut c = Cluster::of(3);
    written_to_three(&mut c);
    let mono = c.mono();
    c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_002), None).expect("first");
    c.pass(Duration::from_secs(91));
    for node in 0..3 {
        c.heartbeat(node);
    }
    let mono = c.mono();
    assert!(
        c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_005), None).expect("again")
    );
    let targets = [c.storage(0)];
    let error =
        c.bm.finish_recovery(mono, BlockId(1), GenerationStamp(1_002), 7, &targets, true)
            .expect_err("superseded");
    assert_eq!(
        error.message,
        "The recovery id 1002 does not match current recovery id 1005 for block blk_1_1001"
    );
    c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_001), None)
        .expect_err("goes back");
    c.check();
}

#[test]
fn attempts_go_round_the_nodes() {
    let mut c = Cluster::of(3);
    written_to_three(&mut c);
    let mut leaders = Vec::new();
    for attempt in 0..4 {
        c.pass(Duration::from_secs(91));
        for node in 0..3 {
            assert_eq!(c.heartbeat(node), []);
        }
        let stamp = GenerationStamp(1_002 + attempt);
        let mono = c.mono();
        assert!(c.bm.initialize_recovery(mono, BlockId(1), stamp, None).expect("again"));
        for node in 0..3 {
            if !recoveries(c.heartbeat(node)).is_empty() {
                leaders.push(node);
            }
        }
    }
    assert_eq!(leaders.len(), 4);
    let mut first_three = leaders[..3].to_vec();
    first_three.sort_unstable();
    assert_eq!(first_three, [0, 1, 2]);
}

#[test]
fn dead_and_stale_nodes_take_no_part_while_others_do() {
    let mut c = Cluster::of(3);
    written_to_three(&mut c);
    c.pass(Duration::from_secs(31));
    c.heartbeat(0);
    c.heartbeat(1);
    let mono = c.mono();
    c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_002), None).expect("first");
    let mut told = recoveries(c.heartbeat(0));
    told.extend(recoveries(c.heartbeat(1)));
    assert_eq!(c.nodes_of(&told[0].locations), [0, 1]);
}

#[test]
fn truncation_in_place_recovers_to_the_shorter_length() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.bm.convert_to_under_construction(done.id).expect("known");
    let mono = c.mono();
    let stamp = GenerationStamp(1_002);
    let shorter = block(1, 1_002, 60);
    assert!(c.bm.initialize_recovery(mono, done.id, stamp, Some(shorter)).expect("open"));
    let told: Vec<_> = (0..3).flat_map(|node| recoveries(c.heartbeat(node))).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].block, told[0].truncate_block), (done, Some(shorter)));
    assert_eq!(told[0].new_generation_stamp, stamp);
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    let outcome = c.bm.finish_recovery(mono, done.id, stamp, 60, &targets, true).expect("current");
    assert!(outcome.complete);
    assert_eq!(c.bm.block(done.id).map(|b| b.block), Some(shorter));
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    c.check();
}

#[test]
fn truncation_of_a_block_that_a_snapshot_needs_copies_it() {
    let mut c = Cluster::of(3);
    let old = c.closed_block(1, &[0, 1, 2], 3);
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    let new = block(2, 1_002, 60);
    c.bm.add_under_construction(new, OWNER, 3, &targets).expect("new");
    let mono = c.mono();
    let stamp = GenerationStamp(1_002);
    assert!(c.bm.initialize_recovery(mono, new.id, stamp, Some(old)).expect("open"));
    let told: Vec<_> = (0..3).flat_map(|node| recoveries(c.heartbeat(node))).collect();
    assert_eq!((told[0].block, told[0].truncate_block), (old, Some(new)));
    let outcome = c.bm.finish_recovery(mono, new.id, stamp, 60, &targets, true).expect("current");
    assert!(outcome.complete);
    assert_eq!(c.bm.block(old.id).map(|b| b.block), Some(old));
    c.check();
}

#[test]
fn a_block_that_nobody_has_is_closed_as_recovery_found_it() {
    let mut c = Cluster::of(3);
    written_to_three(&mut c);
    let mono = c.mono();
    let stamp = GenerationStamp(1_002);
    c.bm.initialize_recovery(mono, BlockId(1), stamp, None).expect("first");
    let outcome = c.bm.finish_recovery(mono, BlockId(1), stamp, 0, &[], true).expect("current");
    assert!(outcome.complete, "the file must close");
    assert_eq!(c.bm.stats(mono).missing, 1);
    c.check();
}
