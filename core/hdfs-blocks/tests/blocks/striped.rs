//! Block groups: reports of their blocks, completion, deletion.

use hdfs_blocks::{BlockEvent, BlockState, BlocksConf, HostsLists, NO_ACK, StripedUnits};
use hdfs_types::{Block, BlockId};

use crate::cluster::{Cluster, OWNER, block, finalized};

/// The first group that a NameNode gives out.
const GROUP: i64 = i64::MIN + 16;
/// RS-3-2 with cells of 1 KiB.
const UNITS: StripedUnits = StripedUnits { data: 3, parity: 2, cell_bytes: 1_024 };

fn internal(index: i64, num_bytes: u64) -> Block {
    block(GROUP + index, 1_001, num_bytes)
}

fn locations(c: &Cluster) -> Vec<(u8, usize)> {
    let all = c.bm.group_locations(BlockId(GROUP)).expect("the group is known");
    all.into_iter().map(|(index, storage)| (index, c.node_of(storage))).collect()
}

#[test]
fn a_group_is_complete_when_its_data_was_reported() {
    let mut c = Cluster::of(5);
    let targets: Vec<_> = (0..5).map(|node| c.storage(node)).collect();
    let new = block(GROUP, 1_001, 0);
    c.bm.add_group(new, OWNER, UNITS, BlockState::UnderConstruction, &targets).expect("new");
    assert_eq!(locations(&c), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]);
    let done = block(GROUP, 1_001, 6_144);
    assert!(!c.bm.commit_or_complete(c.mono(), done).expect("it fits").complete);
    for index in [4, 1] {
        c.received(index as usize, internal(index, 2_048));
        assert_eq!(c.events(), []);
    }
    c.received(2, internal(2, 2_048));
    assert_eq!(c.events(), [BlockEvent::Completed { block: done, owner: OWNER }]);
    assert_eq!(locations(&c), [(1, 1), (2, 2), (4, 4)]);
    let stats = c.bm.group_stats();
    assert_eq!((stats.groups, stats.low_redundancy, stats.missing), (1, 1, 0));
    assert_eq!((c.bm.safe_counts().total, c.bm.safe_counts().safe), (1, 1));

    // One more is lost than parity can make up for.
    c.deleted(1, internal(1, 2_048));
    assert_eq!(c.bm.group_stats().missing, 1);
    assert_eq!(c.bm.corrupt_blocks(BlockId(i64::MIN), 10).len(), 1);
    assert_eq!(c.bm.safe_counts().safe, 0);
    c.check();
}

#[test]
fn blocks_of_a_known_group_are_kept_and_those_of_no_group_are_deleted() {
    let mut c = Cluster::with(BlocksConf::default(), &["/default-rack"; 3]);
    let group = block(GROUP, 1_001, 1_000);
    c.bm.add_group(group, OWNER, UNITS, BlockState::Complete, &[]).expect("new");
    let stale = block(GROUP + 3, 900, 7);
    c.full_report(0, &[finalized(internal(0, 1_000)), finalized(stale)]);
    c.full_report(1, &[finalized(internal(3, 1_000))]);
    c.full_report(2, &[finalized(block(GROUP + 16, 1_002, 5))]);
    assert_eq!(c.told_to_delete(0), []);
    assert_eq!(c.told_to_delete(2), [block(GROUP + 16, 1_002, NO_ACK)]);
    // A small group needs one data block only; what has another stamp does not count.
    assert_eq!(locations(&c), [(0, 0), (3, 1)]);
    assert_eq!(c.bm.replica_counts(BlockId(GROUP)).expect("it is known").live, 2);
    assert_eq!(c.bm.block(BlockId(GROUP)).expect("it is known").replication, 3);

    c.full_report(1, &[]);
    assert_eq!(locations(&c), [(0, 0)]);
    c.bm.remove_block(BlockId(GROUP));
    assert_eq!(c.told_to_delete(0), [block(GROUP, 1_001, NO_ACK), block(GROUP + 3, 900, NO_ACK)]);
    assert_eq!(c.bm.block_count(), 0);
    c.check();
}

fn closed_group(c: &mut Cluster) {
    let group = block(GROUP, 1_001, 9_000);
    c.bm.add_group(group, OWNER, UNITS, BlockState::Complete, &[]).expect("new");
    (0..5).for_each(|index| c.received(index as usize, internal(index, 3_000)));
}

fn decommission(c: &mut Cluster, host: &str) {
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &[host]));
    c.bm.check_decommission(now);
}

#[test]
fn a_node_with_blocks_of_groups_is_retired_after_they_were_copied() {
    let mut c = Cluster::of(6);
    closed_group(&mut c);
    decommission(&mut c, "host2");
    let slot = c.bm.find_datanode("dn-2").expect("registered");
    assert!(c.bm.datanode(slot).is_decommissioning());
    assert_eq!(c.bm.datanode(slot).leaving_service().under_replicated, 1);
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(c.told_to_copy(2), [(GROUP + 2, vec![5])]);
    // It is on its way: nothing is copied twice, whatever the source reports meanwhile.
    c.full_report(2, &[finalized(internal(2, 3_000))]);
    c.bm.check_decommission(c.now());
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    c.received(5, internal(2, 3_000));
    c.bm.check_decommission(c.now());
    assert!(c.bm.datanode(slot).is_decommissioned());
    assert_eq!(locations(&c), [(0, 0), (1, 1), (2, 5), (2, 2), (3, 3), (4, 4)]);
    c.check();
}

#[test]
fn a_node_with_the_only_block_of_an_index_waits_when_it_can_be_copied_nowhere() {
    let mut c = Cluster::of(5);
    closed_group(&mut c);
    decommission(&mut c, "host2");
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 0);
    c.bm.check_decommission(c.now());
    let slot = c.bm.find_datanode("dn-2").expect("registered");
    assert!(c.bm.datanode(slot).is_decommissioning());
    c.check();
}

#[test]
fn a_copy_of_a_groups_block_that_never_arrives_is_made_again() {
    let mut c = Cluster::of(6);
    closed_group(&mut c);
    decommission(&mut c, "host0");
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(c.told_to_copy(0).len(), 1);
    c.pass(std::time::Duration::from_secs(301));
    c.bm.compute_work(c.mono(), &|_| 0);
    c.bm.check_decommission(c.now());
    assert_eq!(c.bm.compute_work(c.mono(), &|_| 0), 1);
    assert_eq!(c.told_to_copy(0), [(GROUP, vec![5])]);
}
