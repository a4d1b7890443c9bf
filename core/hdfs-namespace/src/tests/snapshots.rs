//! Snapshots: calls in, operations and refusals out.

use expect_test::{Expect, expect};

use super::images::{loaded, saved};
use super::machine::Machine;

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Machine::new().run(script));
}

#[test]
fn snapshots_are_allowed_made_and_renamed_with_hadoops_words() {
    check(
        "mkdirs /d/e
         snapshot /d s1
         snapshot /
         allow /d
         allow /d/e
         allow /
         allow /none
         create /d/f c1
         allow /d/f
         snapshot /d s1
         snapshot /d s1
         snapshot /d -
         snapshot /d .snapshot
         rename_snapshot /d s0 s2
         rename_snapshot /d s1 a/b
         rename_snapshot /d s1 s19700101-000001.012
         rename_snapshot /d s1 s2
         disallow /d
         disallow /d/e",
        expect![[r#"
            mkdirs /d/e
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/e hdfs:supergroup rwxr-xr-x t1000
              = true
            snapshot /d s1
              ! SnapshotException: Directory is not a snapshottable directory: /d
            snapshot /
              ! SnapshotException: Failed to add snapshot: there are already 0 snapshot(s) and the snapshot quota is 0
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            allow /d/e
              ! SnapshotException: Nested snapshottable directories not allowed: path=/d/e, the ancestor /d is already a snapshottable directory.
            allow /
              ! SnapshotException: Nested snapshottable directories not allowed: path=/, the subdirectory /d is already a snapshottable directory.
            allow /none
              ! FileNotFoundException: Directory does not exist: /none
            create /d/f c1
              OP_ADD 16388 /d/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            allow /d/f
              ! PathIsNotDirectoryException: `/d/f': Is not a directory
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1003
              = "/d/.snapshot/s1"
            snapshot /d s1
              ! SnapshotException: Failed to add snapshot: there is already a snapshot with the same name "s1".
            snapshot /d -
              OP_CREATE_SNAPSHOT /d s19700101-000001.004 m1004
              = "/d/.snapshot/s19700101-000001.004"
            snapshot /d .snapshot
              ! InvalidPathException: Invalid path name Invalid snapshot name: .snapshot
            rename_snapshot /d s0 s2
              ! SnapshotException: The snapshot s0 does not exist for directory /d
            rename_snapshot /d s1 a/b
              ! HadoopIllegalArgumentException: Snapshot name cannot contain "/"
            rename_snapshot /d s1 s19700101-000001.012
              OP_RENAME_SNAPSHOT /d s1 s19700101-000001.012 m1005
              = ()
            rename_snapshot /d s1 s2
              ! SnapshotException: The snapshot s1 does not exist for directory /d
            disallow /d
              ! SnapshotException: The directory /d has snapshot(s). Please redo the operation after removing all the snapshots.
            disallow /d/e
              OP_DISALLOW_SNAPSHOT /d/e
              = ()
        "#]],
    );
}

#[test]
fn a_cut_inside_of_a_block_that_a_snapshot_shows_copies_the_block() {
    check(
        "mkdirs /d
         create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 10
         allow /d
         snapshot /d s1
         usage /
         truncate /d/f 5 c2
         usage /
         complete /d/f c2 5
         usage /
         truncate /d/f 3 c3
         complete /d/f c3 3
         usage /
         truncate /d/f 1 c4
         delete_snapshot /d s1
         complete /d/f c4 1
         usage /",
        expect![[r#"
            mkdirs /d
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              = true
            create /d/f c1
              OP_ADD 16387 /d/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16387)
            add_block /d/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /d/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16387), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /d/f c1 10
              OP_CLOSE /d/f [blk_1073741825_1001[10]] m1003
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16387)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1005
              = "/d/.snapshot/s1"
            usage /
              3 of 9223372036854775807, 30 of -1
            truncate /d/f 5 c2
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_TRUNCATE /d/f 5 Some(blk_1073741826_1002[0])
              * Added { block: blk_1073741826_1002[5], owner: INodeId(16387), replication: 3, complete: false }
              * CopyScheduled { id: BlockId(1073741826), source: blk_1073741825_1001[10], recovery_stamp: GenerationStamp(1002) }
              = Truncated { inode: INodeId(16387), done: false }
            usage /
              3 of 9223372036854775807, 3102 of -1
            complete /d/f c2 5
              OP_CLOSE /d/f [blk_1073741826_1002[5]] m1007
              * Completed { id: BlockId(1073741826) }
              = INodeId(16387)
            usage /
              3 of 9223372036854775807, 45 of -1
            truncate /d/f 3 c3
              OP_SET_GENSTAMP_V2 1003
              OP_TRUNCATE /d/f 3 Some(blk_1073741826_1003[5])
              * Reopened { id: BlockId(1073741826) }
              * TruncateScheduled { id: BlockId(1073741826), new_length: 3, recovery_stamp: GenerationStamp(1003) }
              = Truncated { inode: INodeId(16387), done: false }
            complete /d/f c3 3
              OP_CLOSE /d/f [blk_1073741826_1002[3]] m1009
              * Updated { block: blk_1073741826_1002[3] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16387)
            usage /
              3 of 9223372036854775807, 39 of -1
            truncate /d/f 1 c4
              OP_SET_GENSTAMP_V2 1004
              OP_TRUNCATE /d/f 1 Some(blk_1073741826_1004[3])
              * Reopened { id: BlockId(1073741826) }
              * TruncateScheduled { id: BlockId(1073741826), new_length: 1, recovery_stamp: GenerationStamp(1004) }
              = Truncated { inode: INodeId(16387), done: false }
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1011
              * Removed { block: blk_1073741825_1001[10] }
              = ()
            complete /d/f c4 1
              OP_CLOSE /d/f [blk_1073741826_1002[1]] m1012
              * Updated { block: blk_1073741826_1002[1] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16387)
            usage /
              3 of 9223372036854775807, 3 of -1
        "#]],
    );
}

#[test]
fn an_inode_that_only_snapshots_show_stands_for_its_last_path() {
    check(
        "mkdirs /d/e
         create /d/e/f c1
         complete /d/e/f c1 -
         allow /d
         snapshot /d s1
         stat /.reserved/.inodes/16388
         delete /d/e/f
         stat /.reserved/.inodes/16388
         mkdirs /d/e/f
         stat /.reserved/.inodes/16388
         delete /d/e/f
         delete_snapshot /d s1
         stat /.reserved/.inodes/16388",
        expect![[r#"
            mkdirs /d/e
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/e hdfs:supergroup rwxr-xr-x t1000
              = true
            create /d/e/f c1
              OP_ADD 16388 /d/e/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            complete /d/e/f c1 -
              OP_CLOSE /d/e/f [] m1002
              = INodeId(16388)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1004
              = "/d/.snapshot/s1"
            stat /.reserved/.inodes/16388
              -rw-r--r-- 3 hdfs:supergroup 0 16388 m1002 
            delete /d/e/f
              OP_DELETE /d/e/f t1005
              = true
            stat /.reserved/.inodes/16388
              none
            mkdirs /d/e/f
              OP_MKDIR 16389 /d/e/f hdfs:supergroup rwxr-xr-x t1006
              = true
            stat /.reserved/.inodes/16388
              drwxr-xr-x 0 hdfs:supergroup 0 16389 m1006 
            delete /d/e/f
              OP_DELETE /d/e/f t1007
              = true
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1008
              = ()
            stat /.reserved/.inodes/16388
              ! FileNotFoundException: File for given inode path does not exist: /.reserved/.inodes/16388
        "#]],
    );
}

#[test]
fn the_source_of_a_copy_stays_until_the_copy_is_done() {
    check(
        "mkdirs /d
         create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 10
         allow /d
         snapshot /d s1
         truncate /d/f 5 c2
         delete_snapshot /d s1
         usage /
         complete /d/f c2 5
         usage /
         truncate /d/f 3 c3 upgrading
         usage /
         snapshot /d s2
         delete /d/f
         delete_snapshot /d s2
         create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 10
         truncate /d/f 5 c2 upgrading
         delete /d/f",
        expect![[r#"
            mkdirs /d
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              = true
            create /d/f c1
              OP_ADD 16387 /d/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16387)
            add_block /d/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /d/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16387), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /d/f c1 10
              OP_CLOSE /d/f [blk_1073741825_1001[10]] m1003
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16387)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1005
              = "/d/.snapshot/s1"
            truncate /d/f 5 c2
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_TRUNCATE /d/f 5 Some(blk_1073741826_1002[0])
              * Added { block: blk_1073741826_1002[5], owner: INodeId(16387), replication: 3, complete: false }
              * CopyScheduled { id: BlockId(1073741826), source: blk_1073741825_1001[10], recovery_stamp: GenerationStamp(1002) }
              = Truncated { inode: INodeId(16387), done: false }
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1007
              = ()
            usage /
              3 of 9223372036854775807, 3072 of -1
            complete /d/f c2 5
              OP_CLOSE /d/f [blk_1073741826_1002[5]] m1008
              * Completed { id: BlockId(1073741826) }
              * Removed { block: blk_1073741825_1001[10] }
              = INodeId(16387)
            usage /
              3 of 9223372036854775807, 15 of -1
            truncate /d/f 3 c3 upgrading
              OP_ALLOCATE_BLOCK_ID 1073741827
              OP_SET_GENSTAMP_V2 1003
              OP_TRUNCATE /d/f 3 Some(blk_1073741827_1003[0])
              * Added { block: blk_1073741827_1003[3], owner: INodeId(16387), replication: 3, complete: false }
              * CopyScheduled { id: BlockId(1073741827), source: blk_1073741826_1002[5], recovery_stamp: GenerationStamp(1003) }
              = Truncated { inode: INodeId(16387), done: false }
            usage /
              3 of 9223372036854775807, 3072 of -1
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1010
              = "/d/.snapshot/s2"
            delete /d/f
              OP_DELETE /d/f t1011
              = true
            delete_snapshot /d s2
              OP_DELETE_SNAPSHOT /d s2 m1012
              * Removed { block: blk_1073741827_1003[3] }
              * Removed { block: blk_1073741826_1002[5] }
              = ()
            create /d/f c1
              OP_ADD 16388 /d/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            add_block /d/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741828
              OP_SET_GENSTAMP_V2 1004
              OP_ADD_BLOCK /d/f None blk_1073741828_1004[0]
              * Added { block: blk_1073741828_1004[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741828_1004[0], 0)
            complete /d/f c1 10
              OP_CLOSE /d/f [blk_1073741828_1004[10]] m1015
              * Updated { block: blk_1073741828_1004[10] }
              * Completed { id: BlockId(1073741828) }
              = INodeId(16388)
            truncate /d/f 5 c2 upgrading
              OP_ALLOCATE_BLOCK_ID 1073741829
              OP_SET_GENSTAMP_V2 1005
              OP_TRUNCATE /d/f 5 Some(blk_1073741829_1005[0])
              * Added { block: blk_1073741829_1005[5], owner: INodeId(16388), replication: 3, complete: false }
              * CopyScheduled { id: BlockId(1073741829), source: blk_1073741828_1004[10], recovery_stamp: GenerationStamp(1005) }
              = Truncated { inode: INodeId(16388), done: false }
            delete /d/f
              OP_DELETE /d/f t1017
              * Removed { block: blk_1073741828_1004[10] }
              * Removed { block: blk_1073741829_1005[5] }
              = true
        "#]],
    );
}

#[test]
fn what_snapshots_show_keeps_its_blocks_until_the_last_snapshot_is_gone() {
    check(
        "mkdirs /d
         mkdirs /e
         create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 10
         create /d/g c1
         add_block /d/g c1 -
         complete /d/g c1 7
         allow /d
         snapshot /d s1
         delete /d true
         rename /d /e/d
         concat /d/f /d/g
         rename /d/g /e/g
         delete /e/g
         delete /d/f
         usage /
         snapshot /d s2
         delete_snapshot /d s1
         usage /
         delete_snapshot /d s2
         delete_snapshot /d s2
         disallow /d
         delete /d true",
        expect![[r#"
            mkdirs /d
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              = true
            mkdirs /e
              OP_MKDIR 16387 /e hdfs:supergroup rwxr-xr-x t1001
              = true
            create /d/f c1
              OP_ADD 16388 /d/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            add_block /d/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /d/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /d/f c1 10
              OP_CLOSE /d/f [blk_1073741825_1001[10]] m1004
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16388)
            create /d/g c1
              OP_ADD 16389 /d/g hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            add_block /d/g c1 -
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /d/g None blk_1073741826_1002[0]
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16389), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 0)
            complete /d/g c1 7
              OP_CLOSE /d/g [blk_1073741826_1002[7]] m1007
              * Updated { block: blk_1073741826_1002[7] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16389)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1009
              = "/d/.snapshot/s1"
            delete /d true
              ! PathIsNotEmptyDirectoryException: `/d is non empty': Directory is not empty
            rename /d /e/d
              ! SnapshotException: The directory /d cannot be deleted since /d is snapshottable and already has snapshots
            concat /d/f /d/g
              ! SnapshotException: Concat: the source file /d/g is in snapshot
            rename /d/g /e/g
              OP_RENAME_OLD /d/g /e/g
              = true
            delete /e/g
              OP_DELETE /e/g t1011
              = true
            delete /d/f
              OP_DELETE /d/f t1012
              = true
            usage /
              5 of 9223372036854775807, 51 of -1
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1013
              = "/d/.snapshot/s2"
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1014
              * Removed { block: blk_1073741825_1001[10] }
              * Removed { block: blk_1073741826_1002[7] }
              = ()
            usage /
              3 of 9223372036854775807, 0 of -1
            delete_snapshot /d s2
              OP_DELETE_SNAPSHOT /d s2 m1015
              = ()
            delete_snapshot /d s2
              ! SnapshotException: Cannot delete snapshot s2 from path /d: the snapshot does not exist.
            disallow /d
              OP_DISALLOW_SNAPSHOT /d
              = ()
            delete /d true
              OP_DELETE /d t1017
              = true
        "#]],
    );
}

/// Runs a script of which nothing is refused. After every line the invariants hold, and the image is the same tree.
fn holds(script: &str) {
    let mut machine = Machine::new();
    for line in script.lines().map(str::trim) {
        machine = machine.with_script(line);
        machine.namespace.check_invariants().expect(line);
        assert_eq!(loaded(&saved(&machine.namespace)).dump(), machine.namespace.dump(), "{line}");
    }
    machine.replay_equals_live();
}

#[test]
fn nobody_writes_what_a_rename_replaced_when_other_snapshots_show_it() {
    holds(
        "mkdirs /d
         create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 10
         allow /d
         snapshot /d s1
         append /d/f c2
         rename /d/f /d/g
         create /new c3
         rename2 /new /d/g overwrite
         delete_snapshot /d s1",
    );
}

#[test]
fn a_rename_over_what_snapshots_knew_once_forgets_it() {
    holds(
        "mkdirs /d
         mkdirs /e
         create /d/f c1
         allow /d
         snapshot /d s1
         rename /d/f /e/f
         delete_snapshot /d s1
         disallow /d
         create /new c2
         rename2 /new /e/f overwrite
         mkdirs /again",
    );
}

#[test]
fn a_file_below_a_renamed_directory_is_closed_when_that_is_deleted() {
    holds(
        "mkdirs /d/e
         mkdirs /out
         create /d/e/open c1
         allow /d
         snapshot /d s1
         rename /d/e /out/e
         delete /out -r
         delete_snapshot /d s1",
    );
}

#[test]
fn the_root_of_a_deleted_snapshot_is_kept_for_the_snapshot_of_another_directory() {
    holds(
        "mkdirs /d/e/f 750
         allow /d
         snapshot /d s1
         rename /d/e /e
         allow /e/f
         snapshot /e/f s2
         chmod /e/f 700
         delete_snapshot /e/f s2
         delete_snapshot /d s1",
    );
}

#[test]
fn a_file_that_only_the_deleted_snapshot_showed_goes_away_once() {
    holds(
        "mkdirs /x/b/a
         allow /x
         snapshot /x s1
         create /x/b/a/p c1
         chmod /x/b 700
         snapshot /x s2
         setrep /x/b/a/p 2
         delete /x/b/a -r
         delete_snapshot /x s2
         delete_snapshot /x s1",
    );
}

#[test]
fn a_tree_as_deep_as_paths_may_be_is_cleaned_on_the_stack_of_a_thread() {
    let deep = "/d".repeat(999);
    let script = format!(
        "mkdirs {deep}
         create {deep}/f c1
         mkdirs /out
         allow /d
         snapshot /d s1
         chmod {deep} 700
         setrep {deep}/f 2
         snapshot /d s2
         touch {deep}/f 5
         rename /d/d /out/d
         delete /out -r
         delete_snapshot /d s2
         delete_snapshot /d s1
         mkdirs /again"
    );
    let mut machine = Machine::new();
    for line in script.lines().map(str::trim) {
        machine = machine.with_script(line);
    }
    machine.namespace.check_invariants().expect("the tree is whole");
    machine.replay_equals_live();
}

/// No path may have more than 1,000 components, but renames put one tree below another.
#[test]
fn a_tree_deeper_than_any_path_is_cleaned_on_the_stack_of_a_thread() {
    let deep = "/d".repeat(900);
    let mut script = vec![
        format!("mkdirs /s/t0{deep}"),
        format!("create /s/t0{deep}/f c1"),
        "allow /s".to_owned(),
        "snapshot /s s1".to_owned(),
        format!("setrep /s/t0{deep}/f 2"),
    ];
    for step in 1..=4 {
        script.push(format!("mkdirs /s/t{step}{deep}"));
        script.push(format!("rename /s/t{} /s/t{step}{deep}/below", step - 1));
    }
    script.extend(
        ["snapshot /s s2", "delete /s/t4 -r", "delete_snapshot /s s2", "delete_snapshot /s s1"]
            .map(str::to_owned),
    );
    let mut machine = Machine::new();
    for line in &script {
        machine = machine.with_script(line);
    }
    while machine.namespace.reclaim_step(1_000).reclaim_pending {}
    machine.namespace.check_invariants().expect("the tree is whole");
}
