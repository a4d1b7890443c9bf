//! Snapshots: calls in, operations and refusals out.

use expect_test::{Expect, expect};

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
         truncate /d/f 5 c2
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
            truncate /d/f 5 c2
              ! UnsupportedOperationException: Truncating inside of a block that a snapshot shows is not supported yet
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
