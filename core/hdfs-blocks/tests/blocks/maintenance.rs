//! Nodes that are down for a while, and what the files of hosts say of nodes.

use std::time::Duration;

use hdfs_blocks::{
    AdminState, BlocksConf, DatanodeReportType, DefaultPorts, HostEntry, HostsLists,
};
use hdfs_types::{BlockId, WallMillis};

use crate::cluster::{Cluster, block, finalized};

/// A combined file: these nodes in maintenance until some second, and whoever else.
fn maintenance(nodes: &[usize], until: Option<u64>) -> HostsLists {
    let entries = nodes.iter().map(|node| HostEntry {
        host: format!("host{node}"),
        included: true,
        admin: AdminState::InMaintenance,
        upgrade_domain: Some(format!("ud{node}")),
        maintenance_expires: until.map(|second| WallMillis(second * 1_000)),
        ..HostEntry::default()
    });
    HostsLists::new(entries.collect(), true, DefaultPorts::default())
}

fn state(c: &Cluster, node: usize) -> AdminState {
    let slot = c.bm.find_datanode(&format!("dn-{node}")).expect("registered");
    c.bm.datanode(slot).admin_state
}

fn silence(c: &mut Cluster, dead: usize, nodes: usize) {
    c.pass(Duration::from_secs(700));
    for node in (0..nodes).filter(|node| *node != dead) {
        c.heartbeat(node);
    }
    while c.bm.check_heartbeats(c.now(), 100) {}
}

#[test]
fn a_node_in_maintenance_may_die_without_any_copy_being_made() {
    let mut c = Cluster::of(4);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0], None));
    assert_eq!(state(&c, 0), AdminState::EnteringMaintenance);
    assert_eq!(c.readable_on(1), [0, 1, 2], "it still runs");
    c.bm.check_decommission(now);
    assert_eq!(state(&c, 0), AdminState::InMaintenance, "another replica is live");
    assert_eq!(c.readable_on(1), [1, 2]);
    silence(&mut c, 0, 4);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    assert_eq!(c.bm.stats(c.mono()).in_maintenance_dead_datanodes, 1);
    let counts = c.bm.replica_counts(BlockId(1)).expect("known");
    assert_eq!((counts.live, counts.in_maintenance), (2, 1));
    // It comes back, and so does its replica.
    c.register(0, "/default-rack");
    c.heartbeat(0);
    c.full_report(0, &[finalized(done)]);
    assert_eq!(state(&c, 0), AdminState::InMaintenance);
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::default());
    assert_eq!(state(&c, 0), AdminState::Normal);
    assert_eq!(c.readable_on(1), [0, 1, 2]);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    c.check();
}

#[test]
fn a_node_waits_at_the_door_of_maintenance_for_the_copies_that_must_stay() {
    for (min, copies) in [(1, 1), (2, 2)] {
        let conf = BlocksConf { maintenance_min_replication: min, ..BlocksConf::default() };
        let mut c = Cluster::with(conf, &["/default-rack"; 4]);
        c.closed_block(1, &[0], 1);
        c.closed_block(2, &[0, 1], 2);
        let now = c.now();
        c.bm.refresh_nodes(now, maintenance(&[0], None));
        let mut made = 0;
        for _ in 0..4 {
            c.bm.check_decommission(now);
            assert_eq!(state(&c, 0), AdminState::EnteringMaintenance);
            c.bm.compute_work(c.mono(), &|_| 0);
            for node in 0..4 {
                for (id, targets) in c.told_to_copy(node) {
                    made += targets.len();
                    targets.into_iter().for_each(|to| c.received(to, block(id, 1_001, 100)));
                }
            }
            c.check();
            if made == copies {
                break;
            }
        }
        assert_eq!(made, copies, "at least {min}, but not more than the file wants");
        assert!(c.told_to_delete(0).is_empty());
        c.bm.check_decommission(now);
        assert_eq!(state(&c, 0), AdminState::InMaintenance);
        // Back in service, it holds one replica too many of what was copied.
        c.bm.refresh_nodes(now, HostsLists::default());
        assert_eq!(c.bm.stats(c.mono()).excess as usize, copies);
        c.check();
    }
}

#[test]
fn without_a_minimum_maintenance_begins_at_once() {
    let conf = BlocksConf { maintenance_min_replication: 0, ..BlocksConf::default() };
    let mut c = Cluster::with(conf, &["/default-rack"; 2]);
    c.closed_block(1, &[0], 1);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0], None));
    assert_eq!(state(&c, 0), AdminState::InMaintenance);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    c.check();
}

#[test]
fn maintenance_that_is_over_ends_by_itself_and_a_dead_node_is_forgotten() {
    let mut c = Cluster::of(4);
    c.closed_block(1, &[0, 1, 2], 3);
    c.closed_block(2, &[0, 1, 2], 3);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0, 1], Some(c.seconds + 1_000)));
    c.bm.check_decommission(now);
    assert_eq!(
        (state(&c, 0), state(&c, 1)),
        (AdminState::InMaintenance, AdminState::InMaintenance)
    );
    silence(&mut c, 0, 4);
    c.bm.check_decommission(c.now());
    assert_eq!(state(&c, 0), AdminState::InMaintenance);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 0);
    c.pass(Duration::from_secs(300));
    c.bm.check_decommission(c.now());
    assert_eq!((state(&c, 0), state(&c, 1)), (AdminState::Normal, AdminState::Normal));
    while c.bm.check_heartbeats(c.now(), 1) {}
    assert_eq!(c.readable_on(1), [1, 2]);
    assert_eq!(c.bm.stats(c.mono()).low_redundancy, 2);
    c.check();
    // The file still says so, but its time is over.
    c.register(0, "/default-rack");
    assert_eq!(state(&c, 0), AdminState::Normal);
}

#[test]
fn a_node_that_dies_at_the_door_keeps_its_place_and_is_safe_to_leave_when_nothing_waits() {
    let mut c = Cluster::of(4);
    c.closed_block(1, &[0], 1);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0], None));
    c.bm.check_decommission(now);
    silence(&mut c, 0, 4);
    c.bm.check_decommission(c.now());
    assert_eq!(state(&c, 0), AdminState::EnteringMaintenance);
    let counts = c.bm.replica_counts(BlockId(1)).expect("known");
    assert_eq!((counts.live, counts.in_maintenance), (0, 1), "expected back, not missing");
    assert_eq!(c.bm.stats(c.mono()).missing, 0);
    c.check();
}

#[test]
fn dead_and_retired_nodes_are_in_maintenance_at_once_and_a_node_can_be_retired_out_of_it() {
    let mut c = Cluster::of(4);
    c.closed_block(1, &[0, 1, 2], 3);
    silence(&mut c, 0, 4);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0], None));
    assert_eq!(state(&c, 0), AdminState::InMaintenance);
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["host1"]));
    assert_eq!(
        (state(&c, 0), state(&c, 1)),
        (AdminState::Normal, AdminState::DecommissionInProgress)
    );
    c.bm.refresh_nodes(now, maintenance(&[1], None));
    assert_eq!(state(&c, 1), AdminState::EnteringMaintenance);
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["host1"]));
    assert_eq!(state(&c, 1), AdminState::DecommissionInProgress);
    c.check();
}

#[test]
fn dead_nodes_that_leave_do_not_hold_up_the_others() {
    let conf = BlocksConf { decommission_max_tracked_nodes: 1, ..BlocksConf::default() };
    let mut c = Cluster::with(conf, &["/default-rack"; 4]);
    c.closed_block(1, &[0, 1], 2);
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["host0"]));
    silence(&mut c, 0, 4);
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["host0", "host3"]));
    c.bm.check_decommission(now);
    assert_eq!(state(&c, 0), AdminState::DecommissionInProgress, "a copy is missing");
    assert_eq!(state(&c, 3), AdminState::Decommissioned);
}

#[test]
fn nodes_that_a_file_names_and_that_never_registered_are_dead() {
    let mut c = Cluster::of(1);
    let mut gone = HostEntry::from_line("host7:50010", true, AdminState::Decommissioned);
    gone.addresses = vec!["10.0.0.7".to_owned()];
    let entries = vec![
        HostEntry::from_line("HOST0", true, AdminState::Normal),
        gone,
        HostEntry::from_line("host8", true, AdminState::Normal),
        HostEntry::from_line("host9", false, AdminState::Decommissioned),
    ];
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::new(entries, false, DefaultPorts::default()));
    let absent = c.bm.never_registered(DatanodeReportType::Dead);
    let shown: Vec<_> = absent
        .iter()
        .map(|node| (node.registration.xfer_addr(), node.is_decommissioned()))
        .collect();
    let expected = [("10.0.0.7:50010".to_owned(), true), ("host8:9866".to_owned(), false)];
    assert_eq!(shown, expected);
    assert!(c.bm.never_registered(DatanodeReportType::Live).is_empty());
    let stats = c.bm.stats(c.mono());
    assert_eq!((stats.dead_datanodes, stats.decommissioned_dead_datanodes), (2, 1));
    assert_eq!(c.bm.list_datanodes(c.mono(), DatanodeReportType::Live).len(), 1);
}

#[test]
fn a_node_has_the_upgrade_domain_of_its_entry() {
    let mut c = Cluster::of(2);
    let now = c.now();
    c.bm.refresh_nodes(now, maintenance(&[0], Some(1)));
    let domain = |node: usize| {
        let slot = c.bm.find_datanode(&format!("dn-{node}")).expect("registered");
        c.bm.datanode(slot).upgrade_domain.clone()
    };
    assert_eq!((domain(0).as_deref(), domain(1)), (Some("ud0"), None));
    assert_eq!(state(&c, 0), AdminState::Normal, "its maintenance is over");
}
