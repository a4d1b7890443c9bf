//! Deletions whose work is done after the operation.

use hdfs_format::fsimage::ImageWriter;
use hdfs_types::TxId;

use super::machine::Machine;
use crate::snapshot::model::SnapshotId;
use crate::*;

/// Files of which a snapshot knows what they were.
const FILES: usize = 60;

/// A tree with two snapshots; between them and after them every file changed.
fn changed_twice() -> Machine {
    let mut machine = Machine::new().with_script("mkdirs /s/d\nallow /s");
    let all = |machine: Machine, verb: &str, last: &str| {
        let lines = (0..FILES).map(|file| format!("{verb} /s/d/f{file} {last}\n"));
        machine.with_script(&lines.collect::<String>())
    };
    machine = all(machine, "create", "c1").with_script("snapshot /s s0");
    machine = all(machine, "setrep", "2").with_script("snapshot /s s1");
    all(machine, "setrep", "4")
}

fn finish(machine: &mut Machine) -> usize {
    let mut slices = 0;
    while machine.namespace.is_cleaning() {
        machine.namespace.reclaim_step(7);
        slices += 1;
    }
    slices
}

fn replication(machine: &Machine, path: &str) -> u16 {
    let status =
        machine.plan(|ns, ctx| ns.get_file_info(ctx, path.as_bytes(), false, false).ok().flatten());
    status.map_or(0, |status| status.replication)
}

#[test]
fn a_snapshot_is_gone_before_the_work_of_its_deletion_is_done() {
    let mut machine = changed_twice();
    machine.namespace.set_inline_steps(5);
    machine = machine.with_script("delete_snapshot /s s1");
    assert!(machine.namespace.is_cleaning());
    assert_eq!(replication(&machine, "/s/.snapshot/s1/d/f7"), 0);
    for file in [0, 33, FILES - 1] {
        assert_eq!(replication(&machine, &format!("/s/.snapshot/s0/d/f{file}")), 3);
        assert_eq!(replication(&machine, &format!("/s/d/f{file}")), 4);
    }
    // An image of half a deletion would be no image of any transaction.
    let mut writer = ImageWriter::new(Vec::new());
    assert!(machine.namespace.save(&mut writer, 7, TxId(1)).is_err());

    assert!(finish(&mut machine) > FILES / 7);
    machine.namespace.check_invariants().expect("the tree is whole");
    let slot = machine.namespace.find(b"/s/d/f33").expect("it is there");
    let diffs: Vec<SnapshotId> =
        machine.namespace.file_diffs(slot).iter().map(|diff| diff.snapshot).collect();
    assert_eq!(diffs, [SnapshotId(0)]);
    machine.replay_equals_live();
}

#[test]
fn what_is_deleted_is_found_nowhere_while_the_work_goes_on() {
    let mut machine = changed_twice().with_script("create /s/d/late c1\nadd_block /s/d/late c1 -");
    let find = |machine: &Machine, path: &[u8]| {
        machine.namespace.find(path).map(|slot| machine.namespace.record(slot).id())
    };
    let ids = [find(&machine, b"/s/d/late"), find(&machine, b"/s/d/f7"), find(&machine, b"/s/d")];
    machine.namespace.set_inline_steps(1);
    machine = machine.with_script("delete /s/d -r");
    assert!(machine.namespace.is_cleaning());
    for id in ids.into_iter().flatten() {
        assert_eq!(machine.namespace.path(id), None);
    }
    assert_eq!(replication(&machine, "/s/.snapshot/s1/d/f7"), 2);
    assert_eq!(replication(&machine, "/s/.snapshot/s1/d/late"), 0);

    // The next operation ends the deletion, and says what became of its blocks.
    let plan = machine
        .plan(|ns, ctx| ns.plan_mkdirs(ctx, b"/s/d", hdfs_types::FsPermission(0o755), None, true));
    let (_, effects) = machine.apply(plan.expect("the name is free"));
    let removed = effects.blocks.iter().filter(|b| matches!(b, BlockChange::Removed { .. }));
    assert_eq!(removed.count(), 0, "the file waits to be reclaimed");
    assert!(effects.reclaim_pending && !machine.namespace.is_cleaning());
    let effects = machine.namespace.reclaim_step(10);
    assert!(matches!(effects.blocks[..], [BlockChange::Removed { .. }]));
    machine.namespace.check_invariants().expect("the tree is whole");
    machine.replay_equals_live();
}

#[test]
fn marks_that_no_snapshot_needs_any_more_are_looked_at_in_slices() {
    let mut machine = changed_twice().with_script(
        "delete_snapshot /s s0\ndelete_snapshot /s s1\nmkdirs /other\nallow /other\nsnapshot /other s",
    );
    assert!(!machine.namespace.is_cleaning());
    machine.namespace.set_inline_steps(5);
    machine = machine.with_script("delete /s -r");
    assert!(finish(&mut machine) > FILES / 7);
    while machine.namespace.reclaim_step(1_000).reclaim_pending {}
    machine.namespace.check_invariants().expect("the tree is whole");
    machine.replay_equals_live();
}
