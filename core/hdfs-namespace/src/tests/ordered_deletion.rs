//! Snapshots that are deleted in order.

use expect_test::{Expect, expect};

use super::images::saved;
use super::machine::Machine;
use crate::*;

fn machine() -> Machine {
    let mut machine = Machine::new();
    machine.conf.ordered_snapshot_deletion = true;
    machine.conf.snapshot_trash_roots = true;
    machine.namespace.configure(&machine.conf);
    machine
}

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&machine().run(script));
}

/// Snapshots of `/d` in every state: the first one, a marked one, one that was made since.
const MARKED: &str = "mkdirs /d/a
    allow /d
    snapshot /d s0
    mkdirs /d/b
    snapshot /d s1
    delete /d/a
    snapshot /d s2
    delete_snapshot /d s1";

#[test]
fn a_later_snapshot_is_marked_and_collected_when_it_is_the_first() {
    check(
        "mkdirs /d/a
         allow /d
         snapshot /d s0
         mkdirs /d/b
         snapshot /d s1
         delete /d/a
         snapshot /d s2
         delete_snapshot /d s1
         collect
         ls /d/.snapshot
         ls /d/.snapshot/s1#1
         diff /d s0 s1#1
         delete_snapshot /d s1
         snapshot /d s2#2
         delete_snapshot /d s2
         delete_snapshot /d s0
         collect
         collect
         ls /d/.snapshot
         delete_snapshot /d s2
         collect",
        expect![[r#"
            mkdirs /d/a
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/a hdfs:supergroup rwxr-xr-x t1000
              = true
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s0
              OP_CREATE_SNAPSHOT /d s0 m1002
              = "/d/.snapshot/s0"
            mkdirs /d/b
              OP_MKDIR 16388 /d/b hdfs:supergroup rwxr-xr-x t1003
              = true
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1004
              = "/d/.snapshot/s1"
            delete /d/a
              OP_DELETE /d/a t1005
              = true
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1006
              = "/d/.snapshot/s2"
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1007
              = ()
            collect
              nothing
            ls /d/.snapshot
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1002 s0
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1007 s1#1
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1006 s2
            ls /d/.snapshot/s1#1
              drwxr-xr-x 0 hdfs:supergroup 0 16387 m1000 a
              drwxr-xr-x 0 hdfs:supergroup 0 16388 m1003 b
            diff /d s0 s1#1
              M ./
              + ./b
            delete_snapshot /d s1
              ! SnapshotException: Cannot find the snapshot of directory /d with name s1
            snapshot /d s2#2
              OP_CREATE_SNAPSHOT /d s2#2 m1008
              = "/d/.snapshot/s2#2"
            delete_snapshot /d s2
              ! SnapshotException: The snapshot s2#2 already exists for directory /d
            delete_snapshot /d s0
              OP_DELETE_SNAPSHOT /d s0 m1009
              = ()
            collect
              OP_DELETE_SNAPSHOT /d s1#1 m1010
            collect
              nothing
            ls /d/.snapshot
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1006 s2
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1008 s2#2
            delete_snapshot /d s2
              OP_DELETE_SNAPSHOT /d s2 m1011
              = ()
            collect
              nothing
        "#]],
    );
}

#[test]
fn an_image_holds_what_is_marked() {
    let machine = machine().with_script(MARKED);
    let bytes = saved(&machine.namespace);
    let image = hdfs_format::fsimage::Image::parse("image", &bytes).expect("an image");
    let mut back = Namespace::load(&image, &machine.conf).expect("a tree");
    assert_eq!(back.dump(), machine.namespace.dump());
    // The mark is all that says which snapshot the collector may take.
    assert!(
        machine.plan(|_, ctx| back.plan_collect_snapshot(ctx, None)).is_ok_and(|o| o.is_none())
    );
    let first = machine.plan(|_, ctx| back.plan_delete_snapshot(ctx, b"/d", b"s0"));
    back.apply_planned(hdfs_types::TxId(back.last_txid().0 + 1), &first.expect("the first one"));
    let next = machine.plan(|_, ctx| back.plan_collect_snapshot(ctx, None));
    assert_eq!(next.expect("no error").expect("the marked one").result.name, b"s1#1");
}

#[test]
fn a_log_of_ordered_deletions_is_replayed_without_the_setting() {
    let mut machine = machine().with_script(MARKED);
    machine = machine.with_script("delete_snapshot /d s0\ncollect");
    let plain = NamespaceConf { ordered_snapshot_deletion: false, ..machine.conf.clone() };
    let mut replayed = Namespace::new(&plain);
    for (txid, op) in (1..).zip(&machine.log) {
        replayed.replay(hdfs_types::TxId(txid), op).expect("the second deletion finds nothing");
    }
    while replayed.reclaim_step(1_000).reclaim_pending {}
    while machine.namespace.reclaim_step(1_000).reclaim_pending {}
    assert_eq!(replayed.snapshot_counts(), machine.namespace.snapshot_counts());
    replayed.check_invariants().expect("the tree is whole");
}

#[test]
fn directories_take_turns() {
    let script = |d: &str| {
        format!(
            "mkdirs {d}\nallow {d}\nsnapshot {d} a\nsnapshot {d} b\nsnapshot {d} c\ndelete_snapshot {d} b
             delete_snapshot {d} c\ndelete_snapshot {d} a\n"
        )
    };
    let mut machine = machine().with_script(&(script("/x") + &script("/y")));
    let (mut last, mut paths) = (None, Vec::new());
    loop {
        let plan = machine.plan(|ns, ctx| ns.plan_collect_snapshot(ctx, last)).expect("no error");
        let Some(plan) = plan else { break };
        let (collected, _) = machine.apply(plan);
        last = Some(collected.directory);
        paths.push(String::from_utf8(collected.path).expect("ASCII"));
    }
    assert_eq!(paths, ["/x", "/y", "/x", "/y"]);
}

#[test]
fn nothing_is_renamed_out_of_a_snapshottable_directory_or_into_one() {
    check(
        "mkdirs /d/a
         mkdirs /d/b
         mkdirs /e/c
         create /f c1
         complete /f c1 -
         allow /d
         rename /d/a /e
         rename /e/c /d/b
         rename /d/a /d/b
         rename /f /e
         rename /e /g
         rename2 /d/b /e/b
         rename2 /f /g",
        expect![[r#"
            mkdirs /d/a
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/a hdfs:supergroup rwxr-xr-x t1000
              = true
            mkdirs /d/b
              OP_MKDIR 16388 /d/b hdfs:supergroup rwxr-xr-x t1001
              = true
            mkdirs /e/c
              OP_MKDIR 16389 /e hdfs:supergroup rwxr-xr-x t1002
              OP_MKDIR 16390 /e/c hdfs:supergroup rwxr-xr-x t1002
              = true
            create /f c1
              OP_ADD 16391 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16391)
            complete /f c1 -
              OP_CLOSE /f [] m1004
              = INodeId(16391)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            rename /d/a /e
              ! SnapshotException: Source /d/a and dest /e/a are not under the same snapshot root.
            rename /e/c /d/b
              ! SnapshotException: Source /e/c and dest /d/b/c are not under the same snapshot root.
            rename /d/a /d/b
              OP_RENAME_OLD /d/a /d/b/a
              = true
            rename /f /e
              ! SnapshotException: Source /f and dest /e/f are not under the same snapshot root.
            rename /e /g
              ! SnapshotException: Source /e and dest /g are not under the same snapshot root.
            rename2 /d/b /e/b
              ! SnapshotException: Source /d/b and dest /e/b are not under the same snapshot root.
            rename2 /f /g
              OP_RENAME /f /g [None]
              = false
        "#]],
    );
}
