//! What a balancer may move.

use hdfs_blocks::BlocksWanted;
use hdfs_types::{BlockId, StorageType};

use crate::cluster::{Cluster, OWNER, block, finalized};

fn ids(c: &Cluster, node: usize, wanted: &BlocksWanted) -> Vec<i64> {
    let slot = c.bm.find_datanode(&format!("dn-{node}")).expect("registered");
    let found = c.bm.blocks_for_balancer(slot, wanted, &|_| false);
    found.into_iter().map(|found| found.block.id.0).collect()
}

#[test]
fn a_balancer_is_told_so_many_bytes_of_blocks_from_some_block_on_and_round() {
    let mut c = Cluster::of(2);
    for id in 1..=5 {
        c.closed_block(id, &[0, 1], 2);
    }
    let open = [c.storage(0)];
    c.bm.add_under_construction(block(6, 1_001, 0), OWNER, 1, &open).expect("new");
    let all = BlocksWanted { bytes: 10_000, start: 3, ..BlocksWanted::default() };
    assert_eq!(ids(&c, 0, &all), [4, 5, 1, 2, 3]);
    // As much as is asked for, and no more: the blocks are of 100 bytes.
    assert_eq!(ids(&c, 0, &BlocksWanted { bytes: 101, start: 9, ..all }), [5, 1]);
    assert_eq!(ids(&c, 0, &BlocksWanted { min_block_bytes: 101, ..all }), [0; 0]);
    assert_eq!(ids(&c, 0, &BlocksWanted { kind: Some(StorageType::Ssd), ..all }), [0; 0]);
}

#[test]
fn blocks_of_files_in_use_come_last() {
    let mut c = Cluster::of(1);
    for id in 1..=4 {
        c.closed_block(id, &[0], 1);
    }
    let slot = c.bm.find_datanode("dn-0").expect("registered");
    let hot = |bytes| {
        let wanted = BlocksWanted { bytes, ..BlocksWanted::default() };
        c.bm.blocks_for_balancer(slot, &wanted, &|owner| owner == OWNER).len()
    };
    assert_eq!((hot(50), hot(150), hot(1_000)), (1, 2, 4), "all are in use, and none are left");
}

#[test]
fn what_is_to_be_deleted_and_what_is_not_known_since_a_failover_is_not_moved() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    c.bm.set_replication(c.mono(), BlockId(1), 2).expect("known");
    let wanted = BlocksWanted { bytes: 1, ..BlocksWanted::default() };
    let slot = c.bm.find_datanode("dn-1").expect("registered");
    let found = c.bm.blocks_for_balancer(slot, &wanted, &|_| false);
    assert_eq!(c.nodes_of(&found[0].locations).len(), 2);
    c.bm.mark_all_datanodes_stale();
    assert_eq!(ids(&c, 1, &wanted), [0; 0]);
    c.heartbeat(1);
    c.full_report(1, &[finalized(done)]);
    assert_eq!(ids(&c, 1, &wanted), [1]);
}
