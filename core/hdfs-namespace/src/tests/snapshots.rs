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
