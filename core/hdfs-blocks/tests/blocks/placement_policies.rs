//! The placement policies besides the default one: placement, verification, and which surplus replica goes.

use std::collections::BTreeSet;

use hdfs_blocks::{
    BlocksConf, DefaultPorts, HostEntry, HostsLists, PlacementPolicy, SpacePreference,
    TargetRequest,
};
use hdfs_types::{BlockId, StorageType};

use crate::cluster::{Cluster, GIB, block, uuid};

fn conf(placement: PlacementPolicy) -> BlocksConf {
    BlocksConf { placement, ..BlocksConf::default() }
}

fn choose(c: &mut Cluster, replicas: usize, writer: Option<&'static str>) -> Vec<usize> {
    let request = TargetRequest { writer_ip: writer, ..Cluster::request(replicas) };
    let targets = c.bm.choose_targets(c.mono(), &request).expect("there is room");
    targets.iter().map(|target| c.node_of(*target)).collect()
}

/// Replicas on each rack, fewest first.
fn per_rack(racks: &[&str], nodes: &[usize]) -> Vec<usize> {
    let names: BTreeSet<_> = racks.iter().collect();
    let mut counts: Vec<usize> =
        names.iter().map(|r| nodes.iter().filter(|n| racks[**n] == **r).count()).collect();
    counts.sort_unstable();
    counts
}

#[test]
fn every_rack_gets_as_many_replicas_as_another_or_one_more() {
    let racks = ["/a", "/a", "/a", "/b", "/b", "/b", "/c", "/c", "/c"];
    let mut c = Cluster::with(conf(PlacementPolicy::RackFaultTolerant), &racks);
    for _ in 0..30 {
        for (replicas, expected) in
            [(2, [0, 1, 1]), (3, [1, 1, 1]), (4, [1, 1, 2]), (5, [1, 2, 2]), (8, [2, 3, 3])]
        {
            let nodes = choose(&mut c, replicas, Some("10.0.0.4"));
            assert_eq!(per_rack(&racks, &nodes), expected, "{nodes:?}");
            assert_eq!(nodes[0], 4, "the writer's own node is one of them");
        }
    }
}

#[test]
fn what_a_small_rack_has_no_room_for_goes_to_the_others() {
    let racks = ["/a", "/b", "/b", "/b", "/c", "/c", "/c"];
    let mut c = Cluster::with(conf(PlacementPolicy::RackFaultTolerant), &racks);
    for _ in 0..30 {
        assert_eq!(per_rack(&racks, &choose(&mut c, 6, None)), [1, 2, 3]);
        assert_eq!(per_rack(&racks, &choose(&mut c, 7, None)), [1, 3, 3]);
        // A node that the writer excluded is not taken even so.
        let excluded = [uuid(1)];
        let request = TargetRequest { excluded: &excluded, ..Cluster::request(6) };
        let targets = c.bm.choose_targets(c.mono(), &request).expect("there is room");
        assert_eq!(c.nodes_of(&targets), [0, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn blocks_of_a_group_lie_on_as_many_racks_as_there_are() {
    let racks = ["/a", "/a", "/b", "/b", "/c", "/c", "/d", "/d", "/e"];
    let mut c = Cluster::with(BlocksConf::default(), &racks);
    for _ in 0..20 {
        let targets = c.bm.choose_group_targets(c.mono(), &Cluster::request(5), 3, "RS-3-2-1024k");
        let nodes = c.nodes_of(&targets.expect("there is room"));
        assert_eq!(per_rack(&racks, &nodes), [1, 1, 1, 1, 1]);
    }
}

/// B16 (HDFS-17299): with a rack that failed a moment ago, no file could be created. A writer excludes what it could not
/// reach; the nodes of other racks are enough then, whatever an even spread would want.
#[test]
fn b16_without_the_nodes_of_a_failed_rack_the_others_take_the_block() {
    let racks = ["/a", "/a", "/b", "/b", "/c", "/c"];
    let (default, fault_tolerant) = (PlacementPolicy::Default, PlacementPolicy::RackFaultTolerant);
    for (placement, racks) in
        [(default, &racks[..]), (default, &racks[..4]), (fault_tolerant, &racks)]
    {
        let mut c = Cluster::with(conf(placement), racks);
        for _ in 0..20 {
            let (mut excluded, mut tries) = (Vec::new(), 0);
            let nodes = loop {
                let request = TargetRequest {
                    writer_ip: Some("10.0.0.0"),
                    excluded: &excluded,
                    ..Cluster::request(3)
                };
                let targets = c.bm.choose_targets(c.mono(), &request).expect("two racks are left");
                let nodes = c.nodes_of(&targets);
                match nodes.iter().find(|node| **node < 2) {
                    Some(unreachable) => excluded.push(uuid(*unreachable)),
                    None => break nodes,
                }
                tries += 1;
            };
            assert!(tries <= 2, "no node is offered twice");
            let expected = if racks.len() == 4 { 2 } else { 3 };
            assert_eq!(nodes.len(), expected, "{placement:?} {nodes:?}");
        }
    }
}

#[test]
fn a_block_on_two_racks_of_three_is_copied_to_the_third_and_loses_one_of_the_shared() {
    let racks = ["/a", "/a", "/b", "/c"];
    let mut c = Cluster::with(conf(PlacementPolicy::RackFaultTolerant), &racks);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    assert!(!c.bm.is_well_placed(BlockId(1)));
    let storages = [c.storage(0), c.storage(1), c.storage(2)];
    let violation = c.bm.placement_violation(&storages, 3, false).expect("two racks");
    assert_eq!((violation.missing_racks, violation.racks, violation.domains), (1, 3, None));
    assert_eq!(c.bm.stats(c.mono()).badly_distributed, 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    let told: Vec<_> = (0..4).flat_map(|node| c.told_to_copy(node)).collect();
    assert_eq!(told, [(1, vec![3])]);
    c.received(3, done);
    let gone: Vec<usize> = (0..4).filter(|node| !c.told_to_delete(*node).is_empty()).collect();
    assert!(gone == [0] || gone == [1], "{gone:?}");
    assert_eq!(c.bm.stats(c.mono()).badly_distributed, 0);
    c.check();
    // The default policy is content with two.
    let mut c = Cluster::with(BlocksConf::default(), &racks);
    c.closed_block(1, &[0, 1, 2], 3);
    assert!(c.bm.is_well_placed(BlockId(1)));
}

/// Node 0 is empty, node 1 full by so many percent.
fn filled(placement: PlacementPolicy, preference: SpacePreference, percent: u64) -> Cluster {
    let conf = BlocksConf {
        space_preference: preference,
        rack_space_preference: preference,
        ..conf(placement)
    };
    let mut c = Cluster::with(conf, &["/a", "/b"]);
    let now = c.now();
    let mut heartbeat = c.heartbeat_of(1);
    heartbeat.reports[0].dfs_used = 10 * GIB * percent;
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    c
}

fn share_of_empty(c: &mut Cluster) -> usize {
    (0..400).filter(|_| choose(c, 1, None) == [0]).count() / 4
}

#[test]
fn the_emptier_node_is_taken_more_often_but_not_always() {
    use PlacementPolicy::{AvailableSpace, AvailableSpaceRackFaultTolerant, Default};
    let strong = SpacePreference { emptier: 100, ..SpacePreference::default() };
    for placement in [AvailableSpace, AvailableSpaceRackFaultTolerant] {
        // Two draws of two nodes: half of them are two different ones.
        assert!((68..=82).contains(&share_of_empty(&mut filled(placement, strong, 40))));
        assert!(
            (42..=58).contains(&share_of_empty(&mut filled(placement, strong, 4))),
            "tolerated"
        );
    }
    assert!((42..=58).contains(&share_of_empty(&mut filled(Default, strong, 90))));
    let limited = SpacePreference { tolerance: 20, tolerance_limit: 10, ..strong };
    assert!((68..=82).contains(&share_of_empty(&mut filled(AvailableSpace, limited, 15))));
}

#[test]
fn the_writers_own_node_may_be_passed_over_when_it_is_fuller() {
    let full = |percent: u64, weigh_local: bool| {
        let preference =
            SpacePreference { emptier: 100, weigh_local, ..SpacePreference::default() };
        let conf =
            BlocksConf { space_preference: preference, ..conf(PlacementPolicy::AvailableSpace) };
        let mut c = Cluster::with(conf, &["/a", "/a", "/b"]);
        let now = c.now();
        let mut heartbeat = c.heartbeat_of(1);
        heartbeat.reports[0].dfs_used = 10 * GIB * percent;
        c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
        let firsts: BTreeSet<usize> =
            (0..20).map(|_| choose(&mut c, 2, Some("10.0.0.1"))[0]).collect();
        firsts.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(full(60, true), [0]);
    assert_eq!(full(60, false), [1]);
    assert_eq!(full(49, true), [1], "there is room enough");
}

#[test]
fn the_writers_own_node_is_not_preferred_when_it_is_not_to_be() {
    let conf = BlocksConf { prefer_local_node: false, ..BlocksConf::default() };
    let mut c = Cluster::with(conf, &["/default-rack"; 4]);
    let firsts: BTreeSet<usize> = (0..60).map(|_| choose(&mut c, 1, Some("10.0.0.1"))[0]).collect();
    assert_eq!(firsts.len(), 4);
}

fn domains(c: &mut Cluster, domains: &[&str]) {
    let entries = domains.iter().enumerate().map(|(node, domain)| HostEntry {
        upgrade_domain: Some((*domain).to_owned()),
        ..HostEntry::from_line(&format!("host{node}"), true, Default::default())
    });
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::new(entries.collect(), true, DefaultPorts::default()));
}

#[test]
fn replicas_are_spread_over_upgrade_domains() {
    let mut c =
        Cluster::with(conf(PlacementPolicy::UpgradeDomain), &["/a", "/a", "/b", "/b", "/b"]);
    domains(&mut c, &["u1", "u2", "u1", "u2", "u3"]);
    for _ in 0..40 {
        let mut nodes = choose(&mut c, 3, Some("10.0.0.0"));
        nodes.sort_unstable();
        assert_eq!(nodes, [0, 3, 4], "two racks, three domains");
    }
    // u1, u1, u3: the first two share a domain, but no rack.
    let done = c.closed_block(1, &[0, 2, 4], 3);
    let storages = [c.storage(0), c.storage(2), c.storage(4)];
    let violation = c.bm.placement_violation(&storages, 3, false).expect("two domains");
    let named = (3, vec!["u1".to_owned(), "u3".to_owned()]);
    assert_eq!((violation.missing_racks, violation.domains), (0, Some(named)));
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    let told: Vec<_> = (0..5).flat_map(|node| c.told_to_copy(node)).collect();
    let target = told[0].1[0];
    assert!([1, 3].contains(&target), "in u2");
    c.received(target, done);
    let gone: Vec<usize> = (0..5).filter(|node| !c.told_to_delete(*node).is_empty()).collect();
    assert!(gone == [0] || gone == [2], "one of those that share a domain: {gone:?}");
    assert!(c.bm.is_well_placed(BlockId(1)));
    c.check();
}

#[test]
fn a_balancers_hint_that_costs_an_upgrade_domain_is_not_followed() {
    for (placement, expected) in
        [(PlacementPolicy::Default, 1), (PlacementPolicy::UpgradeDomain, 0)]
    {
        let mut c = Cluster::with(conf(placement), &["/a", "/b", "/c", "/d"]);
        domains(&mut c, &["u1", "u2", "u3", "u1"]);
        c.closed_block(1, &[0, 1, 2], 3);
        let lines = [hdfs_blocks::IncrementalBlock {
            block: block(1, 1_001, 100),
            status: hdfs_blocks::ReceivedDeleted::Received,
            delete_hint: Some(uuid(1)),
        }];
        let now = c.now();
        let storage = hdfs_blocks::DatanodeStorage {
            storage_type: StorageType::Disk,
            ..crate::cluster::storage_of(3)
        };
        c.bm.handle_incremental_report(now, &uuid(3), &storage, &lines).expect("registered");
        let gone: Vec<usize> = (0..4).filter(|node| !c.told_to_delete(*node).is_empty()).collect();
        assert_eq!(gone, [expected], "{placement:?}");
        c.check();
    }
}
