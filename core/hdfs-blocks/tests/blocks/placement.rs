//! Where new replicas go.

use hdfs_blocks::{BlocksConf, PlacementFlags, TargetRequest};
use hdfs_types::{DatanodeUuid, StorageType};
use proptest::prelude::*;

use crate::cluster::{Cluster, GIB, uuid};

const TWO_RACKS: [&str; 6] = ["/r0", "/r0", "/r0", "/r1", "/r1", "/r1"];

fn request(replicas: usize, writer: Option<&str>) -> TargetRequest<'_> {
    TargetRequest { writer_ip: writer, ..Cluster::request(replicas) }
}

fn choose(c: &mut Cluster, request: &TargetRequest<'_>) -> Vec<usize> {
    let targets = c.bm.choose_targets(c.mono(), request).expect("there is room");
    targets.iter().map(|target| c.node_of(*target)).collect()
}

fn rack(node: usize) -> usize {
    node / 3
}

#[test]
fn first_on_the_writers_node_then_two_on_another_rack() {
    let mut c = Cluster::with(BlocksConf::default(), &TWO_RACKS);
    for _ in 0..50 {
        let nodes = choose(&mut c, &request(3, Some("10.0.0.1")));
        assert_eq!(nodes[0], 1);
        assert_eq!(nodes[1..].iter().map(|n| rack(*n)).collect::<Vec<_>>(), [1, 1]);
    }
    let by_name = choose(&mut c, &request(1, Some("host4")));
    assert_eq!(by_name, [4]);
}

#[test]
fn a_writer_elsewhere_gets_its_rack_if_known_and_any_node_if_not() {
    let mut c = Cluster::with(BlocksConf::default(), &TWO_RACKS);
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let on_rack =
            TargetRequest { writer_location: Some("/r1"), ..request(3, Some("10.1.1.1")) };
        let nodes = choose(&mut c, &on_rack);
        assert_eq!(rack(nodes[0]), 1);
        firsts.insert(choose(&mut c, &request(3, None))[0]);
    }
    assert_eq!(firsts.len(), 6);
}

#[test]
fn nodes_on_one_host_share_its_writers() {
    let mut c = Cluster::of(3);
    for node in 0..3 {
        let mut moved = crate::cluster::registration(node);
        moved.ip = "127.0.0.1".into();
        moved.xfer_port = 9_000 + node as u16;
        let now = c.now();
        c.bm.register_datanode(now, moved, None).expect("nobody is excluded");
    }
    let firsts: std::collections::BTreeSet<_> =
        (0..40).map(|_| choose(&mut c, &request(1, Some("127.0.0.1")))[0]).collect();
    assert_eq!(firsts.len(), 3);
}

#[test]
fn flags_keep_the_writers_node_and_rack_free() {
    let racks = ["/r0", "/r0", "/r1", "/r1", "/r2", "/r2"];
    let mut c = Cluster::with(BlocksConf::default(), &racks);
    for _ in 0..30 {
        let mut wish = request(3, Some("10.0.0.0"));
        wish.flags = PlacementFlags { no_local_write: true, ..PlacementFlags::default() };
        assert!(!choose(&mut c, &wish).contains(&0));
        wish.flags = PlacementFlags { no_local_rack: true, ..PlacementFlags::default() };
        assert!(choose(&mut c, &wish).iter().all(|node| *node > 1));
    }
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let mut wish = request(1, Some("10.0.0.0"));
        wish.flags = PlacementFlags { ignore_client_locality: true, ..PlacementFlags::default() };
        firsts.insert(choose(&mut c, &wish)[0]);
    }
    assert_eq!(firsts.len(), 6);
}

#[test]
fn favored_nodes_come_first_and_excluded_ones_never() {
    let mut c = Cluster::with(BlocksConf::default(), &TWO_RACKS);
    let favored = ["host4:9866".to_owned(), "10.0.0.2:9866".to_owned()];
    let mut wish = request(3, Some("10.0.0.0"));
    wish.favored = &favored;
    let nodes = choose(&mut c, &wish);
    assert!(nodes.contains(&4) && nodes.contains(&2) && nodes.len() == 3, "{nodes:?}");
    let excluded = [uuid(4)];
    wish.excluded = &excluded;
    let nodes = choose(&mut c, &wish);
    assert!(!nodes.contains(&4) && nodes.contains(&2), "{nodes:?}");
}

#[test]
fn without_enough_nodes_the_message_is_hadoops() {
    let mut c = Cluster::of(2);
    let excluded = [uuid(0), uuid(1), DatanodeUuid::from("unknown")];
    let mut wish = request(3, None);
    wish.excluded = &excluded;
    let error = c.bm.choose_targets(c.mono(), &wish).expect_err("both are excluded");
    assert_eq!(
        error.message,
        "File /f could only be written to 0 of the 1 minReplication nodes. There are 2 datanode(s) running and 3 \
         node(s) are excluded in this operation."
    );
    // Fewer than wanted are fine as long as the minimum is there.
    assert_eq!(choose(&mut c, &request(3, None)).len(), 2);
}

#[test]
fn full_busy_and_leaving_nodes_get_nothing() {
    let mut c = Cluster::of(4);
    let now = c.now();
    let mut full = c.heartbeat_of(0);
    full.reports[0].remaining = (1 << 27) - 1;
    c.bm.handle_heartbeat(now, &full).expect("registered");
    for node in 1..4 {
        let mut heartbeat = c.heartbeat_of(node);
        // Average (0 + 90 + 4 + 4) / 4: more than 49 is too busy.
        heartbeat.xceiver_count = if node == 1 { 90 } else { 4 };
        c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    }
    for _ in 0..30 {
        let mut nodes = choose(&mut c, &request(4, None));
        nodes.sort_unstable();
        assert_eq!(nodes, [2, 3]);
    }
    // Its own writer may still use a busy node.
    assert_eq!(choose(&mut c, &request(1, Some("10.0.0.1"))), [1]);
}

#[test]
fn blocks_promised_to_a_node_count_as_used() {
    let mut c = Cluster::of(1);
    let now = c.now();
    let mut heartbeat = c.heartbeat_of(0);
    heartbeat.reports[0].remaining = 3 << 27;
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    for id in 1..=3 {
        let targets = c.bm.choose_targets(c.mono(), &request(1, None)).expect("room for three");
        let new = crate::cluster::block(id, 1_001, 0);
        c.bm.add_under_construction(new, crate::cluster::OWNER, 1, &targets).expect("new");
    }
    c.bm.choose_targets(c.mono(), &request(1, None)).expect_err("three are promised");
    c.received(0, crate::cluster::block(1, 1_001, 5));
    assert_eq!(choose(&mut c, &request(1, None)), [0]);
}

#[test]
fn storage_policies_choose_the_kind_and_fall_back() {
    let mut c = Cluster::of(3);
    let now = c.now();
    let mut heartbeat = c.heartbeat_of(1);
    let mut ssd = heartbeat.reports[0].clone();
    ssd.storage.uuid = "DS-ssd".into();
    ssd.storage.storage_type = StorageType::Ssd;
    heartbeat.reports.push(ssd);
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    let kinds = |c: &mut Cluster, policy| {
        let wish = TargetRequest { storage_policy: policy, ..request(3, None) };
        let targets = c.bm.choose_targets(c.mono(), &wish);
        let mut kinds: Vec<_> = targets
            .unwrap_or_default()
            .iter()
            .map(|target| c.bm.storage(*target).storage_type().name())
            .collect();
        kinds.sort_unstable();
        kinds
    };
    for _ in 0..20 {
        assert_eq!(kinds(&mut c, 0), ["DISK", "DISK", "DISK"]);
        assert_eq!(kinds(&mut c, 10), ["DISK", "DISK", "SSD"], "ONE_SSD");
        assert_eq!(kinds(&mut c, 12), ["DISK", "DISK", "SSD"], "ALL_SSD falls back");
        assert_eq!(kinds(&mut c, 2), [""; 0], "COLD has no fallback");
    }
}

#[test]
fn a_pipeline_that_lost_a_node_gets_another_one_in_reach() {
    let mut c = Cluster::with(BlocksConf::default(), &TWO_RACKS);
    let chosen = [c.storage(0), c.storage(3)];
    let excluded = [uuid(4)];
    let wish = TargetRequest {
        chosen: &chosen,
        excluded: &excluded,
        replicas: 1,
        ..request(1, Some("10.0.0.0"))
    };
    for _ in 0..20 {
        let all = c.bm.choose_additional(c.mono(), &wish);
        let nodes = c.nodes_of(&all);
        assert_eq!(nodes.len(), 3);
        assert!(nodes.contains(&0) && nodes.contains(&3) && !nodes.contains(&4), "{nodes:?}");
    }
}

#[test]
fn readers_get_their_own_node_then_their_rack_then_the_rest() {
    let mut c = Cluster::with(BlocksConf::default(), &TWO_RACKS);
    c.closed_block(1, &[0, 2, 3, 4], 4);
    let id = hdfs_types::BlockId(1);
    let mut seconds = std::collections::BTreeSet::new();
    for seed in 0..30 {
        let order = |c: &Cluster, reader| -> Vec<usize> {
            let located = c.bm.locate(c.mono(), id, Some(reader), seed);
            located.locations.iter().map(|s| c.node_of(*s)).collect()
        };
        let local = order(&c, "10.0.0.2");
        assert_eq!(local[..2], [2, 0]);
        let remote = order(&c, "10.0.0.5");
        assert!(rack(remote[0]) == 1 && rack(remote[1]) == 1);
        seconds.insert(remote[0]);
    }
    assert_eq!(seconds.len(), 2, "equally near replicas share the load");
}

#[test]
fn room_is_that_of_the_kind_not_of_the_node() {
    let mut c = Cluster::of(1);
    let now = c.now();
    let mut heartbeat = c.heartbeat_of(0);
    heartbeat.reports[0].remaining = 0;
    let mut archive = heartbeat.reports[0].clone();
    archive.storage.uuid = "DS-archive".into();
    archive.storage.storage_type = StorageType::Archive;
    archive.remaining = GIB;
    heartbeat.reports.push(archive);
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    c.bm.choose_targets(c.mono(), &request(1, None)).expect_err("no disk has room");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn targets_are_distinct_never_excluded_and_span_two_racks_when_they_can(
        racks in prop::collection::vec(0..4usize, 1..12),
        replicas in 1..6usize,
        excluded in any::<u16>(),
        writer in 0..14usize,
        seed in any::<u64>(),
    ) {
        let names: Vec<String> = racks.iter().map(|rack| format!("/r{rack}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut c = Cluster::with(BlocksConf::default(), &names);
        c.seconds += seed % 7;
        let out: Vec<usize> = (0..racks.len()).filter(|node| excluded >> node & 1 == 1).collect();
        let excluded: Vec<_> = out.iter().map(|node| uuid(*node)).collect();
        let writer = format!("10.0.0.{writer}");
        let mut wish = request(replicas, Some(&writer));
        wish.excluded = &excluded;
        let usable = racks.len() - out.len();
        match c.bm.choose_targets(c.mono(), &wish) {
            Err(_) => prop_assert_eq!(usable, 0),
            Ok(targets) => {
                let nodes = c.nodes_of(&targets);
                let mut distinct = nodes.clone();
                distinct.dedup();
                prop_assert_eq!(&nodes, &distinct);
                prop_assert!(nodes.iter().all(|node| !out.contains(node)));
                prop_assert!(nodes.len() <= replicas);
                let mut usable_racks: Vec<_> =
                    (0..racks.len()).filter(|n| !out.contains(n)).map(|n| racks[n]).collect();
                usable_racks.sort_unstable();
                usable_racks.dedup();
                let spanned: std::collections::BTreeSet<_> =
                    nodes.iter().map(|node| racks[*node]).collect();
                if nodes.len() >= 2 && usable_racks.len() >= 2 {
                    prop_assert!(spanned.len() >= 2, "{:?} on {:?}", nodes, racks);
                }
            }
        }
    }
}
