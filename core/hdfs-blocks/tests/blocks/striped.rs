//! Block groups: reports of their blocks, completion, deletion.

use hdfs_blocks::{BlockEvent, BlockState, BlocksConf, NO_ACK, StripedUnits};
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
