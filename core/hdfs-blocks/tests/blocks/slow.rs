//! Nodes that others find slow.

use std::time::Duration;

use hdfs_blocks::{BlocksConf, PeerLatency, SlowDisk, SlowPeer, TargetRequest};
use hdfs_types::{BlockId, StorageType};

use crate::cluster::{Cluster, block, uuid};

fn conf() -> BlocksConf {
    BlocksConf {
        peer_stats: true,
        disk_stats: true,
        exclude_slow_nodes: true,
        avoid_slow_for_read: true,
        slow_peers_collected: 1,
        slow_disks_told: 1,
        outliers_report_interval: Duration::from_secs(60),
        slow_peer_collect_interval: Duration::from_secs(30),
        ..BlocksConf::default()
    }
}

/// `by` finds `slow` slow.
fn report(c: &mut Cluster, by: usize, slow: usize) {
    let mut heartbeat = c.heartbeat_of(by);
    let latency = PeerLatency { actual: 90.0, median: 2.0, mad: 1.0, upper_limit: 10.0 };
    heartbeat.slow_peers = vec![SlowPeer { name: format!("10.0.0.{slow}:9864"), latency }];
    let now = c.now();
    c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
}

#[test]
fn the_node_that_most_others_find_slow_gets_no_new_blocks_and_is_read_last() {
    let mut c = Cluster::with(conf(), &["/default-rack"; 5]);
    c.closed_block(1, &[0, 1, 2], 3);
    for (by, slow) in [(2, 0), (3, 0), (2, 1), (4, 9)] {
        report(&mut c, by, slow);
    }
    let named: Vec<_> = c.bm.slow_nodes(c.mono(), 5).into_iter().map(|node| node.name).collect();
    assert_eq!(named, ["10.0.0.0:9864", "10.0.0.1:9864"], "node 9 is unknown");
    assert_eq!(c.bm.slow_nodes(c.mono(), 5)[0].reports[1].0, "10.0.0.3:9867");
    assert_eq!(c.bm.slow_datanodes(c.mono()).len(), 2);
    c.bm.check_heartbeats(c.now(), 10);
    let slow = c.bm.find_datanode("dn-0").expect("registered");
    assert!(c.bm.is_slow(slow));
    assert!(!c.bm.is_slow(c.bm.find_datanode("dn-1").expect("registered")), "one at a time");
    for seed in 0..20 {
        let excluded = [uuid(3)];
        let request = TargetRequest { excluded: &excluded, ..Cluster::request(5) };
        let targets = c.bm.choose_targets(c.mono(), &request).expect("there is room");
        assert_eq!(c.nodes_of(&targets), [1, 2, 4]);
        let order = c.bm.locate(c.mono(), BlockId(1), Some("10.0.0.0"), seed).locations;
        assert_eq!(c.node_of(order[2]), 0, "even for a reader on it");
    }
    // Nobody says so any more.
    c.pass(Duration::from_secs(181));
    assert!(c.bm.slow_nodes(c.mono(), 5).is_empty());
    (0..5).for_each(|node| drop(c.heartbeat(node)));
    c.bm.check_heartbeats(c.now(), 10);
    assert!(!c.bm.is_slow(slow));
}

#[test]
fn reports_are_not_taken_unless_peers_are_watched() {
    let mut c = Cluster::of(2);
    report(&mut c, 1, 0);
    assert!(c.bm.slow_nodes(c.mono(), 5).is_empty());
}

#[test]
fn the_slowest_disk_is_told() {
    let mut c = Cluster::with(conf(), &["/default-rack"; 2]);
    for (node, write) in [(0, 20.0), (1, 50.0)] {
        let mut heartbeat = c.heartbeat_of(node);
        heartbeat.slow_disks = vec![SlowDisk {
            folder: "/disk7".to_owned(),
            read: Some(30.0),
            write: Some(write),
            metadata: None,
        }];
        let now = c.now();
        c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
    }
    let disks = c.bm.slow_disks(c.mono());
    assert_eq!(disks.len(), 1);
    assert_eq!((disks[0].0.as_str(), disks[0].1.slowest()), ("10.0.0.1:9867:/disk7", 50.0));
    c.pass(Duration::from_secs(180));
    assert!(c.bm.slow_disks(c.mono()).is_empty());
}

#[test]
fn readers_may_get_the_least_busy_node_or_the_fastest_storage_first() {
    for by_load in [true, false] {
        let conf = BlocksConf {
            read_considers_load: by_load,
            read_considers_storage_type: true,
            ..BlocksConf::default()
        };
        let mut c = Cluster::with(conf, &["/default-rack"; 3]);
        c.closed_block(1, &[0, 1, 2], 3);
        let now = c.now();
        for (node, kind) in
            [(0, StorageType::Archive), (1, StorageType::Disk), (2, StorageType::Ssd)]
        {
            let mut heartbeat = c.heartbeat_of(node);
            heartbeat.xceiver_count = [5, 1, 9][node];
            heartbeat.reports[0].storage.storage_type = kind;
            c.bm.handle_heartbeat(now, &heartbeat).expect("registered");
        }
        let order = c.bm.locate(c.mono(), block(1, 0, 0).id, None, 3).locations;
        let order: Vec<usize> = order.into_iter().map(|storage| c.node_of(storage)).collect();
        assert_eq!(order, if by_load { [1, 0, 2] } else { [2, 1, 0] });
    }
}
