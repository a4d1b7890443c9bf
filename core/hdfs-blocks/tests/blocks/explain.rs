//! What is said about a block that is not as it should be.

use std::collections::BTreeMap;

use hdfs_blocks::{BlocksConf, Hindrance, HostsLists, Unsuitable};
use hdfs_types::BlockId;

use crate::cluster::{Cluster, OWNER, block, uuid};

fn hindrance(c: &Cluster) -> Option<Hindrance> {
    c.bm.explain(c.mono(), BlockId(1), 0).expect("known").hindrance
}

#[test]
fn every_step_from_loss_to_repair_is_named() {
    let mut c = Cluster::of(4);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    assert_eq!(hindrance(&c), None);
    c.deleted(2, done);
    let explained = c.bm.explain(c.mono(), BlockId(1), 0).expect("known");
    assert_eq!((explained.counts.live, explained.required), (2, 3));
    assert_eq!(
        (explained.urgency, explained.hindrance),
        (Some("low redundancy"), Some(Hindrance::Waiting))
    );
    c.bm.set_safe_mode(true, false);
    assert_eq!(hindrance(&c), Some(Hindrance::SafeMode));
    c.bm.set_safe_mode(false, false);
    c.bm.compute_work(c.mono(), &|_| 0);
    assert_eq!(hindrance(&c), Some(Hindrance::OnTheirWay));
    c.received(2, done);
    c.received(3, done);
    assert_eq!(hindrance(&c), None);
}

#[test]
fn nodes_that_can_take_no_copy_are_counted_by_reason() {
    let mut c = Cluster::of(6);
    let done = c.closed_block(1, &[0, 1, 2], 3);
    let now = c.now();
    c.bm.refresh_nodes(now, HostsLists::from_lines(&[], &["host3"]));
    let mut full = c.heartbeat_of(4);
    full.reports[0].remaining = 99;
    c.bm.handle_heartbeat(now, &full).expect("registered");
    let mut busy = c.heartbeat_of(5);
    busy.xceiver_count = 100;
    c.bm.handle_heartbeat(now, &busy).expect("registered");
    c.bm.report_bad_block(c.mono(), done, &uuid(2), None, "checksum").expect("known");
    let reasons = BTreeMap::from([
        (Unsuitable::HoldsReplica, 3),
        (Unsuitable::LeavesService, 1),
        (Unsuitable::Busy, 1),
        (Unsuitable::NoRoom, 1),
    ]);
    assert_eq!(hindrance(&c), Some(Hindrance::NoTarget(reasons)));
    let explained = c.bm.explain(c.mono(), BlockId(1), 0).expect("known");
    let corrupt: Vec<_> = explained.replicas.iter().filter_map(|r| r.health.corrupt).collect();
    assert_eq!(corrupt, ["CORRUPTION_REPORTED"]);
}

#[test]
fn a_block_without_a_good_replica_has_no_source_and_one_on_one_rack_is_too_close() {
    let mut c = Cluster::of(3);
    let done = c.closed_block(1, &[0], 1);
    c.bm.report_bad_block(c.mono(), done, &uuid(0), None, "checksum").expect("known");
    assert_eq!(hindrance(&c), Some(Hindrance::NoSource));

    let mut c = Cluster::with(BlocksConf::default(), &["/a", "/a", "/a", "/b"]);
    c.closed_block(1, &[0, 1, 2], 3);
    let mut full = c.heartbeat_of(3);
    full.reports[0].remaining = 0;
    let now = c.now();
    c.bm.handle_heartbeat(now, &full).expect("registered");
    let explained = c.bm.explain(c.mono(), BlockId(1), 0).expect("known");
    let reasons = BTreeMap::from([(Unsuitable::HoldsReplica, 3), (Unsuitable::NoRoom, 1)]);
    assert_eq!(explained.misplaced, 1);
    assert_eq!(explained.hindrance, Some(Hindrance::NoTarget(reasons)));
}

#[test]
fn a_block_that_is_being_written_waits_for_its_writer() {
    let mut c = Cluster::of(3);
    let targets = [c.storage(0)];
    c.bm.add_under_construction(block(1, 1_001, 0), OWNER, 3, &targets).expect("new");
    assert_eq!(hindrance(&c), Some(Hindrance::BeingWritten));
    assert!(c.bm.explain(c.mono(), BlockId(2), 0).is_none());
}
