//! Copies and deletions that repair redundancy.

use std::time::Duration;

use hdfs_blocks::{
    BlocksConf, DatanodeCommand, DatanodeStorage, IncrementalBlock, ReceivedDeleted,
};
use hdfs_types::{BlockId, StorageType};

use crate::cluster::{Cluster, block, storage_of, uuid};

fn copies(c: &mut Cluster, nodes: usize) -> Vec<(usize, i64, Vec<usize>)> {
    (0..nodes)
        .flat_map(|node| {
            let told = c.told_to_copy(node);
            told.into_iter().map(move |(id, targets)| (node, id, targets)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_lost_replica_is_copied_from_a_good_one_to_a_new_node() {
    let mut c = Cluster::of(4);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.deleted(2, done);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0, "it is on its way");
    let told = copies(&mut c, 4);
    assert_eq!(told.len(), 1);
    let (source, id, targets) = &told[0];
    assert!([0, 1].contains(source) && *id == 1 && [2, 3].contains(&targets[0]));
    c.received(targets[0], done);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    assert_eq!(c.bm.stats(c.mono()).pending_reconstruction, 0);
    c.check();
}

#[test]
fn a_copy_on_another_volume_than_the_chosen_one_has_arrived_as_well() {
    let mut c = Cluster::of(2);
    let done = c.closed_block(1, &[0], 1);
    c.bm.set_replication(c.mono(), BlockId(1), 2).expect("known");
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    let mut other = storage_of(1);
    other.uuid = "DS-other".into();
    let lines =
        [IncrementalBlock { block: done, status: ReceivedDeleted::Received, delete_hint: None }];
    let now = c.now();
    c.bm.handle_incremental_report(now, &uuid(1), &other, &lines).expect("registered");
    assert_eq!(c.bm.stats(c.mono()).pending_reconstruction, 0);
    assert_eq!(c.readable_on(1), [0, 1]);
    c.check();
}

#[test]
fn a_copy_that_never_arrives_is_scheduled_again() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1], 2);
    c.deleted(1, done);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(copies(&mut c, 3).len(), 1);
    c.pass(Duration::from_secs(299));
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    c.pass(Duration::from_secs(2));
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(c.bm.stats(c.mono()).timed_out_reconstructions, 1);
    c.check();
}

#[test]
fn a_node_sends_two_at_a_time_and_what_is_urgent_first() {
    let mut c = Cluster::of(3);
    for id in 1..=6 {
        c.closed_block(id, &[0, 1, 2], 3);
    }
    for id in 1..=6 {
        c.deleted(2, block(id, 1_001, 100));
    }
    c.deleted(1, block(6, 1_001, 100));
    c.bm.compute_work(c.mono(), &|_| 0);
    c.bm.compute_work(c.mono(), &|_| 0);
    let mut first = c.heartbeat_of(0);
    first.xmits_in_progress = 1;
    let now = c.now();
    let reply = c.bm.handle_heartbeat(now, &first).expect("registered");
    let copies = reply.commands.iter().map(|command| match command {
        DatanodeCommand::Transfer(transfers) => {
            transfers.iter().map(|t| t.block.id.0).collect::<Vec<_>>()
        }
        other => panic!("only copies were expected, not {other:?}"),
    });
    let copies: Vec<_> = copies.flatten().collect();
    assert_eq!(copies, [6], "one stream is busy; the block with one replica goes first");
    c.check();
}

#[test]
fn blocks_on_one_rack_are_spread_to_two() {
    let mut c = Cluster::with(BlocksConf::default(), &["/r0", "/r0", "/r0", "/r1"]);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    assert_eq!(c.bm.stats(c.mono()).badly_distributed, 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    let told = copies(&mut c, 4);
    assert_eq!(told[0].2, [3]);
    c.received(3, done);
    assert_eq!(c.bm.stats(c.mono()).badly_distributed, 0);
    // Now there are four: one of the crowded rack goes.
    let gone: Vec<usize> = (0..4).filter(|node| !c.told_to_delete(*node).is_empty()).collect();
    assert!(gone.len() == 1 && gone[0] < 3, "{gone:?}");
    c.check();
}

#[test]
fn lowering_the_replication_deletes_from_the_fullest_nodes() {
    let mut c = Cluster::of(4);
    c.closed_block(1, &[0, 1, 2, 3], 4);
    c.bm.set_replication(c.mono(), BlockId(1), 2).expect("known");
    assert_eq!(c.bm.stats(c.mono()).excess, 2);
    // Node n has 500 + n GiB left.
    for node in [0, 1] {
        assert_eq!(c.told_to_delete(node), [block(1, 1_001, 100)]);
        c.deleted(node, block(1, 1_001, 100));
    }
    assert_eq!(c.readable_on(1), [2, 3]);
    assert_eq!(c.bm.stats(c.mono()).excess, 0);
    c.check();
}

#[test]
fn a_balancers_move_deletes_where_it_says() {
    let mut c = Cluster::of(4);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    let lines = [IncrementalBlock {
        block: done,
        status: ReceivedDeleted::Received,
        delete_hint: Some(uuid(2)),
    }];
    let now = c.now();
    c.bm.handle_incremental_report(now, &uuid(3), &storage_of(3), &lines).expect("registered");
    assert_eq!(c.told_to_delete(2), [done]);
    c.check();
}

#[test]
fn surplus_on_different_kinds_of_storage_goes_by_the_policy_of_the_file() {
    for (policy, loses) in [(7, 3), (2, 0)] {
        let mut c = Cluster::of(4);
        let done = c.closed_block(1, &[0, 1, 2], 3);
        let archive = DatanodeStorage {
            uuid: "DS-archive".into(),
            storage_type: StorageType::Archive,
            ..storage_of(3)
        };
        let mut heartbeat = c.heartbeat_of(3);
        let mut space = heartbeat.reports[0].clone();
        space.storage = archive.clone();
        heartbeat.reports.push(space);
        let now = c.now();
        c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
        let empty = c.bm.begin_full_report(now, &uuid(3), &archive).expect("registered");
        c.bm.finish_full_report(now, empty.expect("taken")).expect("nobody else reported");
        let lines = [IncrementalBlock {
            block: done,
            status: ReceivedDeleted::Received,
            delete_hint: None,
        }];
        c.bm.handle_incremental_report(now, &uuid(3), &archive, &lines).expect("registered");
        c.bm.decide_surplus(c.mono(), &|_| policy);
        let told: Vec<usize> = (0..4).filter(|node| !c.told_to_delete(*node).is_empty()).collect();
        assert_eq!(told, [loses], "policy {policy}");
        c.check();
    }
}

#[test]
fn deletions_are_handed_out_in_portions() {
    let mut c =
        Cluster::with(BlocksConf { invalidate_limit: 1, ..BlocksConf::default() }, &["/r0"]);
    for id in 1..=100 {
        c.closed_block(id, &[0], 1);
        c.bm.remove_block(BlockId(id));
    }
    assert_eq!(c.bm.stats(c.mono()).pending_deletion, 100);
    // Twenty for each second between heartbeats, whatever the limit says.
    assert_eq!(c.told_to_delete(0).len(), 60);
    assert_eq!(c.told_to_delete(0).len(), 40);
}

#[test]
fn nothing_is_deleted_or_copied_in_safe_mode_or_before_the_delay() {
    let conf =
        BlocksConf { startup_deletion_delay: Duration::from_secs(60), ..BlocksConf::default() };
    let mut c = Cluster::with(conf, &["/r0", "/r0", "/r0"]);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.closed_block(2, &[0, 1, 2], 3);
    c.bm.remove_block(BlockId(2));
    c.deleted(2, done);
    assert_eq!(c.told_to_delete(0), []);
    c.pass(Duration::from_secs(60));
    c.bm.set_safe_mode(true, false);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    assert_eq!(c.told_to_delete(0), []);
    c.bm.set_safe_mode(false, false);
    assert_eq!(c.told_to_delete(0).len(), 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
}

#[test]
fn surplus_is_not_judged_until_every_storage_has_reported() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.bm.mark_all_datanodes_stale();
    c.bm.set_replication(c.mono(), BlockId(1), 1).expect("known");
    assert_eq!(c.bm.stats(c.mono()).postponed, 1);
    for node in 0..3 {
        c.heartbeat(node);
        c.full_report(node, &[crate::cluster::finalized(done)]);
        c.bm.compute_work(c.mono(), &|_| 0);
        let expected = [0, 1, 2][node];
        assert_eq!(c.bm.stats(c.mono()).excess, expected, "after {node} reported");
    }
    assert_eq!(c.bm.stats(c.mono()).postponed, 0);
    c.check();
}

#[test]
fn the_scan_after_safe_mode_finds_what_is_missing_in_slices() {
    let mut c = Cluster::of(3);
    for id in 1..=500 {
        c.closed_block(id, &[0, 1, 2], 3);
    }
    c.bm.clear_queues();
    for id in 1..=500 {
        c.deleted(0, block(id, 1_001, 100));
    }
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    c.bm.start_redundancy_queues();
    assert!(c.bm.scan_redundancy(c.mono(), 100));
    while c.bm.scan_redundancy(c.mono(), 100) {}
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 500);
    c.check();
}

/// Nodes that hold a replica which counts as surplus, after the order to delete it went out.
fn ordered_away(c: &mut Cluster, nodes: usize) -> Vec<usize> {
    (0..nodes).filter(|node| !c.told_to_delete(*node).is_empty()).collect()
}

#[test]
fn an_order_to_delete_that_was_lost_is_given_again() {
    let conf = BlocksConf { excess_check_limit: 2, ..BlocksConf::default() };
    let mut c = Cluster::with(conf, &["/default-rack"; 3]);
    for id in 1..=5 {
        c.closed_block(id, &[0, 1, 2], 3);
        c.bm.set_replication(c.mono(), BlockId(id), 2).expect("known");
    }
    let told: Vec<_> = (0..3).flat_map(|node| c.told_to_delete(node)).collect();
    assert_eq!(told.len(), 5);
    // The replies never arrived: the full reports still list the replicas.
    for _ in 0..3 {
        c.bm.compute_work(c.mono(), &|_| 0);
    }
    assert_eq!(ordered_away(&mut c, 3), [0; 0], "not before its time");
    c.pass(Duration::from_secs(3_601));
    for _ in 0..3 {
        c.bm.compute_work(c.mono(), &|_| 0);
    }
    let again: Vec<_> = (0..3).flat_map(|node| c.told_to_delete(node)).collect();
    assert_eq!(again, told, "two a round, the same ones, once");
    c.check();
}

#[test]
fn a_replica_that_was_ordered_away_counts_again_when_it_is_the_last_one() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1], 2);
    c.bm.set_replication(c.mono(), BlockId(1), 1).expect("known");
    let kept_by_loss = ordered_away(&mut c, 2)[0];
    let other = 1 - kept_by_loss;
    c.deleted(other, done);
    assert_eq!(c.bm.stats(c.mono()).missing, 0);
    assert_eq!(c.readable_on(1), [kept_by_loss]);
    c.bm.set_replication(c.mono(), BlockId(1), 2).expect("known");
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1, "and is copied from");
    let told = copies(&mut c, 3);
    assert_eq!((told[0].0, told[0].1), (kept_by_loss, 1));
    c.check();
}

/// The order may still be carried out: another replica must not go because this one counts.
#[test]
fn a_replica_that_was_ordered_away_once_is_the_first_to_go_again() {
    let mut c = Cluster::of(2);
    let done = c.closed_block(1, &[0, 1], 2);
    c.bm.set_replication(c.mono(), BlockId(1), 1).expect("known");
    let ordered = ordered_away(&mut c, 2)[0];
    let other = 1 - ordered;
    c.deleted(other, done);
    c.received(other, done);
    assert_eq!(ordered_away(&mut c, 2), [ordered]);
    assert_eq!(c.bm.replica_counts(BlockId(1)).map(|n| (n.live, n.excess)), Some((1, 1)));
    c.check();
}

/// HDFS leaves such a block alone until a node joins.
#[test]
fn corrupt_replicas_on_every_other_node_make_room_for_copies() {
    for (nodes, corrupt) in [(4, [1, 2].as_slice()), (3, &[1, 2]), (3, &[2])] {
        let mut c = Cluster::of(nodes);
        let done = c.closed_block(1, &[0, 1, 2], 3);
        for node in corrupt {
            c.bm.report_bad_block(c.mono(), done, &uuid(*node), None, "checksum").expect("known");
            c.check();
        }
        for _ in 0..20 {
            c.bm.compute_work(c.mono(), &|_| 0);
            for node in 0..nodes {
                for command in c.heartbeat(node) {
                    match command {
                        DatanodeCommand::Invalidate(gone) => c.deleted(node, gone[0]),
                        DatanodeCommand::Transfer(sent) => {
                            c.nodes_of(&sent[0].targets)
                                .into_iter()
                                .for_each(|to| c.received(to, done));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            c.check();
        }
        let counts = c.bm.replica_counts(BlockId(1)).expect("known");
        assert_eq!((counts.live, counts.corrupt), (3, 0), "{corrupt:?} of {nodes}");
    }
}

#[test]
fn the_only_other_replica_is_kept_though_it_is_corrupt() {
    let mut c = Cluster::of(2);
    let done = c.closed_block(1, &[0, 1], 2);
    c.bm.report_bad_block(c.mono(), done, &uuid(1), None, "checksum").expect("known");
    c.bm.compute_work(c.mono(), &|_| 0);
    assert_eq!(ordered_away(&mut c, 2), [0; 0]);
    c.check();
}
