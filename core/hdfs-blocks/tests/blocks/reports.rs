//! Full and incremental reports.

use hdfs_blocks::{
    BlockManager, BlockState, BlocksConf, NO_ACK, ReportContext, ReportedReplica, StorageState,
};
use hdfs_types::{BlockId, ReplicaState};

use crate::cluster::{Cluster, OWNER, block, finalized, registration, storage_of, uuid};

fn replica(id: i64, stamp: u64, num_bytes: u64, state: ReplicaState) -> ReportedReplica {
    ReportedReplica { block: block(id, stamp, num_bytes), state }
}

#[test]
fn what_a_full_report_leaves_out_is_gone() {
    let mut c = Cluster::of(3);
    let one = c.closed_block(1, &[0, 1, 2], 3);
    let two = c.closed_block(2, &[0, 1, 2], 3);
    c.full_report(0, &[finalized(two)]);
    assert_eq!(c.readable_on(1), [1, 2]);
    assert_eq!(c.readable_on(2), [0, 1, 2]);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 1);
    c.full_report(0, &[finalized(one), finalized(two)]);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    c.check();
}

#[test]
fn a_replica_that_arrives_between_two_slices_of_a_report_is_not_taken_for_missing() {
    let mut c = Cluster::of(3);
    let one = c.closed_block(1, &[0, 1, 2], 3);
    let now = c.now();
    let begun = c.bm.begin_full_report(now, &uuid(0), &storage_of(0));
    let mut report = begun.expect("registered").expect("wanted");
    c.bm.apply_full_report(now, &mut report, &[finalized(one)]);
    let two = c.closed_block(2, &[0], 1);
    // A block that was there, goes away, and comes back during the report.
    c.deleted(0, one);
    c.received(0, one);
    c.bm.finish_full_report(now, report).expect("nobody else reported");
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    assert_eq!(c.readable_on(two.id.0), [0]);
    c.check();
}

#[test]
fn an_abandoned_report_does_not_end_a_later_one() {
    let mut c = Cluster::of(1);
    let one = c.closed_block(1, &[0], 1);
    let now = c.now();
    let abandoned = c.bm.begin_full_report(now, &uuid(0), &storage_of(0));
    c.full_report(0, &[finalized(one)]);
    let abandoned = abandoned.expect("registered").expect("wanted");
    c.bm.finish_full_report(now, abandoned).expect_err("another report began after it");
    assert_eq!(c.readable_on(1), [0]);
    c.check();
}

#[test]
fn unknown_replicas_are_deleted_but_not_by_the_first_report_of_a_storage() {
    let mut c = Cluster::of(1);
    let alien = block(99, 1_001, 5);
    c.full_report(0, &[finalized(alien)]);
    assert_eq!(c.told_to_delete(0), [block(99, 1_001, NO_ACK)]);
    let now = c.now();
    c.bm.register_datanode(now, registration(1), None).expect("nobody is excluded");
    c.heartbeat(1);
    c.full_report(1, &[finalized(alien)]);
    assert_eq!(c.told_to_delete(1), []);
    c.full_report(1, &[finalized(alien)]);
    assert_eq!(c.told_to_delete(1).len(), 1);
}

/// Hadoop: BlockManager.checkReplicaCorrupt, case by case.
#[test]
fn reported_replicas_are_judged_by_state_stamp_and_length() {
    use ReplicaState::{Finalized, Rbw, Rur, Rwr, Temporary};
    // A complete block of stamp 1001 and length 100 on nodes 0 and 1; node 2 reports.
    let cases = [
        (replica(1, 1_001, 100, Finalized), None, true),
        (replica(1, 1_000, 100, Finalized), Some("GENSTAMP_MISMATCH"), false),
        (replica(1, 1_002, 100, Finalized), Some("GENSTAMP_MISMATCH"), false),
        (replica(1, 1_001, 99, Finalized), Some("SIZE_MISMATCH"), false),
        (replica(1, 1_001, 101, Finalized), Some("SIZE_MISMATCH"), false),
        (replica(1, 1_001, 50, Rbw), None, false),
        (replica(1, 1_000, 50, Rbw), Some("GENSTAMP_MISMATCH"), false),
        (replica(1, 1_001, 100, Rwr), Some("INVALID_STATE"), false),
        (replica(1, 1_001, 100, Temporary), Some("INVALID_STATE"), false),
        (replica(1, 1_001, 100, Rur), Some("INVALID_STATE"), false),
    ];
    for (reported, reason, readable) in cases {
        let mut c = Cluster::of(3);
        // Five wanted: a corrupt replica is not deleted at once, so it can be seen.
        c.closed_block(1, &[0, 1], 5);
        c.full_report(2, &[reported]);
        let reasons: Vec<_> =
            c.bm.corrupt_replicas(BlockId(1)).iter().map(|(_, reason)| *reason).collect();
        let finalized = reported.state == Finalized;
        let during_write = reported.block.generation_stamp.0 < 1_001
            || (finalized && reported.block.num_bytes < 100);
        if during_write {
            assert_eq!(c.told_to_delete(2), [reported.block], "an older version goes at once");
        } else {
            assert_eq!(reasons, reason.into_iter().collect::<Vec<_>>(), "{reported:?}");
        }
        assert_eq!(c.readable_on(1).contains(&2), readable, "{reported:?}");
        c.check();
    }
}

#[test]
fn replicas_of_a_block_being_written_are_expected_not_stored() {
    let mut c = Cluster::of(2);
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 2, &[]).expect("new");
    c.receiving(0, block(1, 1_001, 10));
    c.full_report(1, &[replica(1, 1_001, 10, ReplicaState::Rwr)]);
    assert_eq!(c.readable_on(1), [0, 1]);
    assert!(!c.bm.has_min_storage(BlockId(1)));
    // An RBW of an older stamp is not part of it.
    c.bm.update_pipeline(block(1, 1_005, 10), &[c.storage(0)]).expect("grows");
    c.receiving(1, block(1, 1_001, 10));
    assert_eq!(c.bm.corrupt_replicas(BlockId(1)).len(), 1);
    c.check();
}

#[test]
fn during_startup_reports_make_blocks_safe_and_repeats_are_ignored() {
    let mut c = Cluster { bm: BlockManager::new(BlocksConf::default(), 1), seconds: 1 };
    for id in 1..=3 {
        c.bm.add_block(block(id, 1_001, 7), OWNER, 3, BlockState::Complete).expect("new");
    }
    c.bm.add_block(block(4, 1_001, 0), OWNER, 3, BlockState::UnderConstruction).expect("new");
    assert_eq!((c.bm.safe_counts().total, c.bm.safe_counts().safe), (3, 0));
    c.register(0, "/r");
    assert_eq!(c.heartbeat(0), [], "no commands in safe mode");
    c.full_report(0, &[finalized(block(1, 1_001, 7)), finalized(block(2, 1_001, 7))]);
    assert_eq!(c.bm.safe_counts().safe, 2);
    c.full_report(0, &[finalized(block(1, 1_001, 7))]);
    assert_eq!(c.bm.safe_counts().safe, 2, "the repeat is ignored");
    c.received(0, block(3, 1_001, 7));
    assert_eq!(c.bm.safe_counts().safe, 3);
    c.deleted(0, block(3, 1_001, 7));
    assert_eq!(c.bm.safe_counts().safe, 2);
    c.check();
}

#[test]
fn a_report_without_permission_is_refused_and_the_last_rpc_gives_it_back() {
    let mut c = Cluster::of(1);
    let mut heartbeat = c.heartbeat_of(0);
    heartbeat.request_report_lease = true;
    let now = c.now();
    let reply = c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    assert_ne!(reply.report_lease_id, 0);
    let context = |lease_id, current_rpc| {
        Some(ReportContext { total_rpcs: 2, current_rpc, report_id: 5, lease_id })
    };
    let check = |c: &Cluster, context: Option<ReportContext>| {
        c.bm.check_report_lease(c.mono(), &uuid(0), context.as_ref()).expect("registered")
    };
    let lease = reply.report_lease_id;
    assert!(check(&c, None) && check(&c, context(0, 0)) && check(&c, context(lease, 0)));
    assert!(!check(&c, context(lease + 1, 0)));
    c.bm.finish_report_rpc(now, &uuid(0), context(lease, 0).as_ref());
    assert!(check(&c, context(lease, 1)));
    c.bm.finish_report_rpc(now, &uuid(0), context(lease, 1).as_ref());
    assert!(!check(&c, context(lease, 1)));
}

#[test]
fn a_replica_that_moves_between_two_volumes_of_a_node_is_one_replica() {
    let mut c = Cluster::of(1);
    let one = c.closed_block(1, &[0], 1);
    let mut heartbeat = c.heartbeat_of(0);
    let mut other = heartbeat.reports[0].clone();
    other.storage.uuid = "DS-other".into();
    heartbeat.reports.push(other.clone());
    let now = c.now();
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    let begun = c.bm.begin_full_report(now, &uuid(0), &other.storage);
    let mut report = begun.expect("registered").expect("wanted");
    c.bm.apply_full_report(now, &mut report, &[finalized(one)]);
    c.bm.finish_full_report(now, report).expect("nobody else reported");
    c.full_report(0, &[]);
    c.deleted(0, one);
    let located = c.bm.locate(c.mono(), BlockId(1), None, 1).locations;
    assert_eq!(located, [c.bm.find_storage("dn-0", "DS-other").expect("it heartbeat")]);
    c.check();
}

#[test]
fn replicas_on_a_failed_volume_are_forgotten() {
    let mut c = Cluster::of(2);
    c.closed_block(1, &[0, 1], 2);
    let mut heartbeat = c.heartbeat_of(0);
    heartbeat.failed_volumes = 1;
    heartbeat.reports[0].failed = true;
    let now = c.now();
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    assert_eq!(c.bm.storage(c.storage(0)).state(), StorageState::Failed);
    assert_eq!(c.readable_on(1), [1]);
    while c.bm.check_heartbeats(c.now(), 1) {}
    assert_eq!(c.bm.stats(c.mono()).highest_priority, 1);
    c.check();
}
