//! Bugs that Hadoop had and this must not have. The numbers are those of the project's list of reliability rules.

use hdfs_blocks::{BlockState, HostsLists, IncrementalBlock, ReceivedDeleted};
use hdfs_types::{BlockId, GenerationStamp};

use crate::cluster::{Cluster, OWNER, block, finalized, storage_of, uuid};

/// B3 (HDFS-7065): two recoveries finished in the wrong order, and the stamp went back.
#[test]
fn b3_a_generation_stamp_only_grows() {
    let mut c = Cluster::of(3);
    let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
    c.bm.add_under_construction(block(1, 1_005, 0), OWNER, 3, &targets).expect("new");
    let mono = c.mono();
    c.bm.update_pipeline(block(1, 1_004, 0), &targets).expect_err("back");
    c.bm.update_pipeline(block(1, 1_005, 0), &targets).expect_err("the same");
    c.bm.update_block(block(1, 1_004, 0)).expect_err("back");
    c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_005), None).expect_err("the same");
    c.bm.initialize_recovery(mono, BlockId(1), GenerationStamp(1_009), None).expect("grows");
    c.bm.finish_recovery(mono, BlockId(1), GenerationStamp(1_008), 0, &targets, true)
        .expect_err("of an older attempt");
    c.bm.finish_recovery(mono, BlockId(1), GenerationStamp(1_009), 9, &targets, true)
        .expect("the current one");
    c.bm.finish_recovery(mono, BlockId(1), GenerationStamp(1_009), 1, &targets, true)
        .expect_err("twice");
    assert_eq!(c.bm.block(BlockId(1)).map(|b| b.block), Some(block(1, 1_009, 9)));
    c.check();
}

/// B6 (HDFS-5438): replicas of an older stamp were counted as good, and the file closed on them.
#[test]
fn b6_replicas_of_an_older_stamp_never_count() {
    for state in [BlockState::UnderConstruction, BlockState::UnderRecovery, BlockState::Committed] {
        let mut c = Cluster::of(3);
        let targets: Vec<_> = (0..3).map(|node| c.storage(node)).collect();
        c.bm.add_under_construction(block(1, 1_002, 0), OWNER, 3, &targets).expect("new");
        match state {
            BlockState::UnderRecovery => {
                let stamp = GenerationStamp(1_003);
                c.bm.initialize_recovery(c.mono(), BlockId(1), stamp, None).expect("open");
            }
            BlockState::Committed => {
                c.bm.commit_or_complete(c.mono(), block(1, 1_002, 50)).expect("fits");
            }
            _ => {}
        }
        for node in 0..3 {
            c.received(node, block(1, 1_001, 50));
            c.full_report(node, &[finalized(block(1, 1_001, 50))]);
        }
        assert!(!c.bm.has_min_storage(BlockId(1)), "{state:?}");
        assert_eq!(c.bm.block(BlockId(1)).map(|b| b.state), Some(state));
        c.check();
    }
}

/// B6: a replica that was final before the commit, with another length than the one committed.
#[test]
fn b6_replicas_of_another_length_do_not_close_a_file() {
    let mut c = Cluster::of(2);
    let targets = [c.storage(0), c.storage(1)];
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 2, &targets).expect("new");
    c.received(0, block(1, 1_001, 40));
    let outcome = c.bm.commit_or_complete(c.mono(), block(1, 1_001, 50)).expect("fits");
    assert!(!outcome.complete);
    c.received(1, block(1, 1_001, 50));
    assert_eq!(c.bm.block(BlockId(1)).map(|b| b.state), Some(BlockState::Complete));
    assert_eq!(c.readable_on(1), [1]);
    c.check();
}

/// B8 (HDFS-17342 and others): a read error led to the deletion of a good block.
#[test]
fn b8_reports_of_bad_replicas_never_delete_the_last_ones() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    for node in 0..3 {
        c.bm.report_bad_block(c.mono(), done, &uuid(node), None, "read error").expect("known");
        c.check();
    }
    c.bm.compute_work(c.mono(), &|_| 0);
    for node in 0..3 {
        assert_eq!(c.told_to_delete(node), []);
    }
    let located = c.bm.locate(c.mono(), BlockId(1), None, 1);
    assert!(located.corrupt);
    assert_eq!(located.locations.len(), 3, "readers may still try");
    assert_eq!(c.bm.stats(c.mono()).missing, 1);
    assert_eq!(c.bm.corrupt_blocks(BlockId(0), 10).len(), 1);
}

#[test]
fn a_corrupt_replica_goes_only_after_its_copy_has_arrived() {
    let mut c = Cluster::of(4);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.bm.report_bad_block(c.mono(), done, &uuid(0), None, "checksum").expect("known");
    assert_eq!(c.readable_on(1), [1, 2]);
    assert_eq!(c.told_to_delete(0), []);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    c.received(3, done);
    assert_eq!(c.told_to_delete(0), [done]);
    assert_eq!(c.readable_on(1), [1, 2, 3]);
    assert_eq!(c.bm.stats(c.mono()).corrupt, 0);
    c.check();
}

/// Repair never destroys the last verified copy: a replica is verified when its storage has reported since this NameNode
/// became active.
#[test]
fn corrupt_replicas_stay_until_good_ones_have_reported_after_a_failover() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 2);
    c.bm.mark_all_datanodes_stale();
    c.bm.report_bad_block(c.mono(), done, &uuid(0), None, "checksum").expect("known");
    c.bm.compute_work(c.mono(), &|_| 0);
    assert_eq!(c.told_to_delete(0), []);
    c.heartbeat(1);
    c.full_report(1, &[finalized(done)]);
    c.bm.compute_work(c.mono(), &|_| 0);
    assert_eq!(c.told_to_delete(0), [done]);
    c.check();
}

#[test]
fn a_surplus_replica_is_kept_when_the_others_are_lost_before_it_was_ordered_away() {
    let mut c = Cluster::of(2);
    let done = c.closed_block(1, &[0, 1], 2);
    c.bm.set_replication(c.mono(), BlockId(1), 1).expect("known");
    c.deleted(1, done);
    assert_eq!(c.told_to_delete(0), []);
    assert_eq!(c.readable_on(1), [0]);
    assert_eq!(c.bm.stats(c.mono()).excess, 0);
    c.check();
}

#[test]
fn replicas_on_nodes_that_leave_are_no_surplus_and_no_last_copy() {
    let mut c = Cluster::of(3);
    c.closed_block(1, &[0, 1], 2);
    let now = c.now();
    let exclude = ["host0", "host1"];
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &exclude));
    c.bm.set_replication(c.mono(), BlockId(1), 1).expect("known");
    for node in 0..3 {
        assert_eq!(c.told_to_delete(node), []);
    }
    c.bm.check_decommission(now);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1, "copied to the node that stays");
    c.check();
}

/// B6 (HDFS-2742, HDFS-3605): a standby judged reports by a namespace that was behind.
#[test]
fn b6_a_standby_holds_back_what_its_namespace_does_not_know_yet() {
    let mut c = Cluster::of(2);
    let mono = c.mono();
    c.bm.set_generation_stamp(GenerationStamp(1_001));
    c.bm.set_standby(mono, true);
    c.bm.add_block(block(1, 1_001, 50), OWNER, 2, BlockState::UnderConstruction).expect("new");
    // The pipeline went on to stamp 1002, and block 2 was begun with 1003: the edits have not said so yet.
    c.received(0, block(1, 1_002, 80));
    c.full_report(1, &[finalized(block(1, 1_002, 80)), finalized(block(2, 1_003, 9))]);
    assert_eq!(c.bm.held_back(), 3);
    assert!(!c.bm.has_min_storage(BlockId(1)));
    c.bm.set_generation_stamp(GenerationStamp(1_003));
    c.bm.update_block(block(1, 1_002, 80)).expect("grows");
    c.bm.force_complete(BlockId(1)).expect("known");
    c.bm.add_block(block(2, 1_003, 9), OWNER, 1, BlockState::Complete).expect("new");
    assert_eq!(c.bm.held_back(), 0);
    assert_eq!(c.readable_on(1), [0, 1]);
    assert_eq!(c.readable_on(2), [1]);
    // A replica of an older version looks corrupt: that is judged only when active.
    c.full_report(0, &[finalized(block(1, 1_001, 50))]);
    assert_eq!(c.bm.corrupt_replicas(BlockId(1)), []);
    c.bm.set_standby(mono, false);
    assert_eq!(c.bm.corrupt_replicas(BlockId(1)).len(), 1);
    c.check();
}

/// B7 (HDFS-17453): a word with an older stamp was held after a newer one, and the newest replica came out as corrupt.
#[test]
fn b7_the_newest_word_about_a_replica_counts() {
    let mut c = Cluster::of(1);
    let mono = c.mono();
    c.bm.set_generation_stamp(GenerationStamp(1_001));
    c.bm.set_standby(mono, true);
    c.received(0, block(1, 1_003, 80));
    c.received(0, block(1, 1_002, 50));
    c.receiving(0, block(1, 1_002, 20));
    assert_eq!(c.bm.held_back(), 1);
    c.bm.set_generation_stamp(GenerationStamp(1_003));
    c.bm.add_block(block(1, 1_003, 80), OWNER, 1, BlockState::Complete).expect("new");
    c.bm.set_standby(mono, false);
    assert_eq!(c.bm.corrupt_replicas(BlockId(1)), []);
    assert_eq!(c.readable_on(1), [0]);
    c.check();
}

/// B18 (HDFS-12942): between a balancer's copy of a replica and the deletion of the old one, a client appends. The copy is
/// of an older version: it must not count, and what it was made for must not cost a replica of the new one.
#[test]
fn b18_a_copy_from_before_an_append_costs_no_replica() {
    for told_late in [false, true] {
        let mut c = Cluster::of(4);
        c.closed_block(1, &[0, 1, 2], 3);
        let old = block(1, 1_001, 100);
        let targets = c.bm.convert_to_under_construction(BlockId(1)).expect("it exists");
        c.bm.update_pipeline(block(1, 1_002, 100), &targets).expect("newer");
        let new = block(1, 1_002, 150);
        let moved = |c: &mut Cluster| {
            let lines = [IncrementalBlock {
                block: old,
                status: ReceivedDeleted::Received,
                delete_hint: Some(uuid(0)),
            }];
            let now = c.now();
            c.bm.handle_incremental_report(now, &uuid(3), &storage_of(3), &lines)
                .expect("registered");
        };
        if !told_late {
            moved(&mut c);
        }
        for node in 0..3 {
            c.received(node, new);
        }
        c.bm.commit_or_complete(c.mono(), new).expect("fits");
        if told_late {
            moved(&mut c);
        }
        c.bm.compute_work(c.mono(), &|_| 0);
        for node in 0..3 {
            assert_eq!(c.told_to_delete(node), []);
        }
        assert_eq!(c.told_to_delete(3), [old], "what is old goes");
        assert_eq!(c.readable_on(1), [0, 1, 2]);
        let counts = c.bm.replica_counts(BlockId(1)).expect("known");
        assert_eq!((counts.live, counts.corrupt, counts.excess), (3, 0, 0));
        c.check();
    }
}
