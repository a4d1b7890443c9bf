//! Registration, health, and who may join.

use std::time::Duration;

use hdfs_blocks::{DatanodeCommand, DatanodeReportType, HostsLists};
use hdfs_types::ErrorKind;

use crate::cluster::{Cluster, registration, uuid};

#[test]
fn a_silent_node_is_stale_then_dead_and_its_replicas_are_forgotten_in_slices() {
    let mut c = Cluster::of(2);
    for id in 1..=10 {
        c.closed_block(id, &[0, 1], 2);
    }
    c.pass(Duration::from_secs(31));
    c.heartbeat(1);
    let stats = c.bm.stats(c.mono());
    assert_eq!((stats.stale_datanodes, stats.dead_datanodes), (1, 0));
    assert!(!c.bm.check_heartbeats(c.now(), 100));
    // Twice five minutes and ten times three seconds.
    c.pass(Duration::from_secs(600));
    c.heartbeat(1);
    assert!(c.bm.check_heartbeats(c.now(), 4), "six more replicas to forget");
    assert_eq!(c.readable_on(1), [1]);
    assert!(c.bm.check_heartbeats(c.now(), 4));
    assert!(!c.bm.check_heartbeats(c.now(), 4));
    assert_eq!(c.bm.stats(c.mono()).highest_priority, 10);
    let dead = c.bm.list_datanodes(c.mono(), DatanodeReportType::Dead);
    assert_eq!(dead.len(), 1);
    c.check();
    assert_eq!(c.heartbeat(0), [DatanodeCommand::Register]);
    c.register(0, "/default-rack");
    assert_eq!(c.bm.list_datanodes(c.mono(), DatanodeReportType::Live).len(), 2);
    c.check();
}

#[test]
fn a_node_with_empty_folders_replaces_the_one_at_its_address() {
    let mut c = Cluster::of(2);
    c.closed_block(1, &[0, 1], 2);
    let mut fresh = registration(0);
    fresh.uuid = "dn-9".into();
    let now = c.now();
    c.bm.register_datanode(now, fresh, None).expect("nobody is excluded");
    assert_eq!(c.bm.find_datanode("dn-0"), None);
    assert_eq!(c.readable_on(1), [1]);
    assert_eq!(c.bm.list_datanodes(c.mono(), DatanodeReportType::All).len(), 2);
    c.check();
}

#[test]
fn a_node_that_moves_keeps_its_replicas_and_its_old_address_is_free() {
    let mut c = Cluster::of(1);
    c.closed_block(1, &[0], 1);
    let mut moved = registration(0);
    moved.ip = "10.9.9.9".into();
    let now = c.now();
    c.bm.register_datanode(now, moved, Some("/r9")).expect("nobody is excluded");
    assert_eq!(c.readable_on(1), [0]);
    assert_eq!(c.bm.find_datanode_by_host("10.0.0.0"), None);
    let slot = c.bm.find_datanode_by_host("10.9.9.9").expect("it moved there");
    assert_eq!(c.bm.datanode(slot).location, "/r9");
    let mut newcomer = registration(0);
    newcomer.uuid = "dn-5".into();
    c.bm.register_datanode(now, newcomer, None).expect("nobody is excluded");
    assert_eq!(c.bm.find_datanode("dn-0"), Some(slot));
    c.check();
}

#[test]
fn nodes_off_the_include_list_are_turned_away() {
    let mut c = Cluster::of(2);
    let now = c.now();
    let hosts = HostsLists::from_lines(&["host1"], &[]);
    c.bm.refresh_nodes(now, hosts);
    let heartbeat = c.heartbeat_of(0);
    let error = c.bm.handle_heartbeat(now, &heartbeat).expect_err("it is not included");
    assert_eq!(error.kind, ErrorKind::DisallowedDatanode);
    let error = c.bm.register_datanode(now, registration(0), None).expect_err("nor may it join");
    assert!(error.message.starts_with(
        "Datanode denied communication with namenode because the host is not in the include-list: "
    ));
    c.heartbeat(1);
    c.check();
}

#[test]
fn a_node_that_leaves_is_retired_once_its_blocks_are_safe_elsewhere() {
    let mut c = Cluster::of(4);
    for id in 1..=3 {
        c.closed_block(id, &[0, 1, 2], 3);
    }
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["10.0.0.0"]));
    let slot = c.bm.find_datanode("dn-0").expect("registered");
    assert!(c.bm.datanode(slot).is_decommissioning());
    c.bm.check_decommission(now);
    assert!(c.bm.datanode(slot).is_decommissioning());
    assert_eq!(c.bm.datanode(slot).leaving_service().under_replicated, 3);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 3);
    for _ in 0..3 {
        c.bm.compute_work(c.mono(), &|_| 0);
        for node in 0..3 {
            for (id, targets) in c.told_to_copy(node) {
                assert_eq!(targets, [3]);
                c.received(3, crate::cluster::block(id, 1_001, 100));
            }
        }
        c.check();
    }
    c.bm.check_decommission(now);
    assert!(c.bm.datanode(slot).is_decommissioned());
    assert_eq!(c.readable_on(1), [0, 1, 2, 3], "nothing on it is deleted");
    let located = c.bm.locate(c.mono(), hdfs_types::BlockId(1), Some("10.0.0.0"), 3).locations;
    assert_eq!(c.node_of(located[3]), 0, "a retired node is the last to read from");
    // It comes back: one replica too many, which goes.
    c.bm.refresh_nodes(now, HostsLists::default());
    let surplus: usize = (0..4).map(|node| c.told_to_delete(node).len()).sum();
    assert_eq!(surplus, 3);
    c.check();
}

#[test]
fn silly_claims_of_nodes_end_nothing() {
    let mut c = Cluster::of(2);
    let now = c.now();
    for node in 0..2 {
        let mut heartbeat = c.heartbeat_of(node);
        heartbeat.xceiver_count = u32::MAX;
        heartbeat.failed_volumes = u32::MAX;
        heartbeat.cache_capacity = u64::MAX;
        let mut more = heartbeat.reports[0].clone();
        more.storage.uuid = "DS-more".into();
        for report in [&mut heartbeat.reports[0], &mut more] {
            report.capacity = u64::MAX;
            report.remaining = u64::MAX;
        }
        heartbeat.reports.push(more);
        c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    }
    assert_eq!(c.bm.stats(c.mono()).capacity, u64::MAX);
    assert_eq!(c.bm.storage_type_stats().len(), 1);
    let mut wish = Cluster::request(1);
    wish.block_size = u64::MAX;
    // Room for one such block is claimed; the answer matters less than that there is one.
    let _ = c.bm.choose_targets(c.mono(), &wish);
    c.check();
}

#[test]
fn an_impostor_with_a_copied_identity_must_register() {
    let mut c = Cluster::of(1);
    let mut heartbeat = c.heartbeat_of(0);
    heartbeat.xfer_port = 1;
    let now = c.now();
    let reply = c.bm.handle_heartbeat(now, &heartbeat).expect("not refused");
    assert_eq!(reply.commands, [DatanodeCommand::Register]);
    heartbeat.uuid = uuid(7);
    let reply = c.bm.handle_heartbeat(now, &heartbeat).expect("not refused");
    assert_eq!(reply.commands, [DatanodeCommand::Register]);
}
