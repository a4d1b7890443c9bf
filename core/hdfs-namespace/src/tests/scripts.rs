//! Calls in, operations, errors and answers out. The messages are Hadoop's.

use expect_test::{Expect, expect};

use super::machine::Machine;

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Machine::new().run(script));
}

#[test]
fn a_file_is_created_written_and_closed() {
    check(
        "create /a/b/f c1
         add_block /a/b/f c1 -
         add_block /a/b/f c1 1024
         add_block /a/b/f c1 1024
         complete /a/b/f c1 500
         complete /a/b/f c1 500
         stat /a/b/f
         ls /a
         count /
         add_block /a/b/f c1 -
         create /a/b/f c2
         overwrite /a/b/f c2
         overwrite /a/b c2
         open /
         open /a/b/
         open /a/b/f/x
         open a",
        expect![[r#"
            create /a/b/f c1
              OP_MKDIR 16386 /a hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /a/b hdfs:supergroup rwxr-xr-x t1000
              OP_ADD 16388 /a/b/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            add_block /a/b/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /a/b/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            add_block /a/b/f c1 1024
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /a/b/f Some(blk_1073741825_1001[1024]) blk_1073741826_1002[0]
              * Updated { block: blk_1073741825_1001[1024] }
              * Completed { id: BlockId(1073741825) }
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 1024)
            add_block /a/b/f c1 1024
              OP_ALLOCATE_BLOCK_ID 1073741827
              OP_SET_GENSTAMP_V2 1003
              OP_ADD_BLOCK /a/b/f Some(blk_1073741826_1002[1024]) blk_1073741827_1003[0]
              * Updated { block: blk_1073741826_1002[1024] }
              * Completed { id: BlockId(1073741826) }
              * Added { block: blk_1073741827_1003[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741827_1003[0], 2048)
            complete /a/b/f c1 500
              OP_CLOSE /a/b/f [blk_1073741825_1001[1024], blk_1073741826_1002[1024], blk_1073741827_1003[500]] m1004
              * Updated { block: blk_1073741827_1003[500] }
              * Completed { id: BlockId(1073741827) }
              = INodeId(16388)
            complete /a/b/f c1 500
              already closed
            stat /a/b/f
              -rw-r--r-- 3 hdfs:supergroup 2548 16388 m1004 
            ls /a
              drwxr-xr-x 0 hdfs:supergroup 0 16387 m1000 b
            count /
              3 directories, 1 files, 2548 bytes, 7644 with replicas
            add_block /a/b/f c1 -
              ! LeaseExpiredException: File is not open for writing: /a/b/f (inode 0) Holder c1 does not have any open files.
            create /a/b/f c2
              ! FileAlreadyExistsException: /a/b/f for client host already exists
            overwrite /a/b/f c2
              OP_ADD 16389 /a/b/f hdfs:supergroup rw-r--r-- overwrite=true
              * Removed { block: blk_1073741825_1001[1024] }
              * Removed { block: blk_1073741826_1002[1024] }
              * Removed { block: blk_1073741827_1003[500] }
              = INodeId(16389)
            overwrite /a/b c2
              ! FileAlreadyExistsException: /a/b already exists as a directory
            open /
              16389 /a/b/f c2
            open /a/b/
              16389 /a/b/f c2
            open /a/b/f/x
            open a
              ! AssertionError: Absolute path required, but got 'a'
        "#]],
    );
}

#[test]
fn a_writer_gives_up_blocks_makes_lengths_durable_and_repeats_calls() {
    check(
        "create /f c1
         add_block /f c1 -
         abandon /f c1
         add_block /f c1 -
         add_block /f c1 -
         fsync /f c1 100
         stat /f
         add_block /f c2 -
         add_block /none c1 -
         add_block / c1 -
         complete /f c2 -
         complete /f c1 100",
        expect![[r#"
            create /f c1
              OP_ADD 16386 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16386)
            add_block /f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            abandon /f c1
              OP_UPDATE_BLOCKS /f []
              * Removed { block: blk_1073741825_1001[0] }
              = Some(blk_1073741825_1001[0])
            add_block /f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /f None blk_1073741826_1002[0]
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 0)
            add_block /f c1 -
              again blk_1073741826_1002[0]
            fsync /f c1 100
              OP_UPDATE_BLOCKS /f [blk_1073741826_1002[100]]
              * Updated { block: blk_1073741826_1002[100] }
              = ()
            stat /f
              -rw-r--r-- 3 hdfs:supergroup 100 16386 m1000 
            add_block /f c2 -
              ! LeaseExpiredException: Client (=c2) is not the lease owner (=c1: /f (inode 0) Holder c2 does not have any open files.
            add_block /none c1 -
              ! FileNotFoundException: File does not exist: /none (inode 0) [Lease.  Holder: c1, pending creates: 1]
            add_block / c1 -
              ! LeaseExpiredException: INode is not a regular file: / (inode 0) [Lease.  Holder: c1, pending creates: 1]
            complete /f c2 -
              ! LeaseExpiredException: Client (=c2) is not the lease owner (=c1: /f (inode 0) Holder c2 does not have any open files.
            complete /f c1 100
              OP_CLOSE /f [blk_1073741826_1002[100]] m1005
              * Completed { id: BlockId(1073741826) }
              = INodeId(16386)
        "#]],
    );
}

#[test]
fn appending_reopens_the_last_block_unless_it_is_full_or_a_new_one_is_wanted() {
    check(
        "create /f c1
         add_block /f c1 -
         complete /f c1 10
         append /f c2
         append /f c3
         append /f c2
         complete /f c2 1024
         append /f c2
         add_block /f c2 -
         complete /f c2 5
         append /f c2 new
         complete /f c2 -
         append / c1
         append /g c1",
        expect![[r#"
            create /f c1
              OP_ADD 16386 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16386)
            add_block /f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /f c1 10
              OP_CLOSE /f [blk_1073741825_1001[10]] m1002
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16386)
            append /f c2
              OP_APPEND /f c2 new=false
              * Reopened { id: BlockId(1073741825) }
              = Appended { inode: INodeId(16386), last_block: Some(blk_1073741825_1001[10]), reopened: true }
            append /f c3
              ! AlreadyBeingCreatedException: Failed to APPEND_FILE /f for c3 on host because this file lease is currently owned by c2 on host
            append /f c2
              ! AlreadyBeingCreatedException: Failed to APPEND_FILE /f for c2 on host because c2 is already the current lease holder.
            complete /f c2 1024
              OP_CLOSE /f [blk_1073741825_1001[1024]] m1004
              * Updated { block: blk_1073741825_1001[1024] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16386)
            append /f c2
              OP_APPEND /f c2 new=false
              = Appended { inode: INodeId(16386), last_block: None, reopened: false }
            add_block /f c2 -
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /f Some(blk_1073741825_1001[1024]) blk_1073741826_1002[0]
              * Completed { id: BlockId(1073741825) }
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 1024)
            complete /f c2 5
              OP_CLOSE /f [blk_1073741825_1001[1024], blk_1073741826_1002[5]] m1007
              * Updated { block: blk_1073741826_1002[5] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16386)
            append /f c2 new
              OP_APPEND /f c2 new=true
              = Appended { inode: INodeId(16386), last_block: Some(blk_1073741826_1002[5]), reopened: false }
            complete /f c2 -
              OP_CLOSE /f [blk_1073741825_1001[1024], blk_1073741826_1002[5]] m1009
              * Completed { id: BlockId(1073741826) }
              = INodeId(16386)
            append / c1
              ! FileAlreadyExistsException: Cannot append to directory /; already exists as a directory.
            append /g c1
              ! FileNotFoundException: Failed to append to non-existent file /g for client host
        "#]],
    );
}

#[test]
fn truncation_cuts_at_once_at_a_blocks_end_and_by_recovery_inside() {
    check(
        "create /f c1
         add_block /f c1 -
         add_block /f c1 1024
         complete /f c1 1000
         truncate /f 3000 c1
         truncate /f -1 c1
         truncate /f 2024 c1
         truncate /f 1024 c1
         truncate /f 100 c1
         stat /f
         truncate /f 50 c2
         complete /f c1 100
         truncate /f 0 c1
         truncate / 0 c1",
        expect![[r#"
            create /f c1
              OP_ADD 16386 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16386)
            add_block /f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            add_block /f c1 1024
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /f Some(blk_1073741825_1001[1024]) blk_1073741826_1002[0]
              * Updated { block: blk_1073741825_1001[1024] }
              * Completed { id: BlockId(1073741825) }
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16386), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 1024)
            complete /f c1 1000
              OP_CLOSE /f [blk_1073741825_1001[1024], blk_1073741826_1002[1000]] m1003
              * Updated { block: blk_1073741826_1002[1000] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16386)
            truncate /f 3000 c1
              ! HadoopIllegalArgumentException: Cannot truncate to a larger file size. Current size: 2024, truncate size: 3000.
            truncate /f -1 c1
              ! HadoopIllegalArgumentException: Cannot truncate to a negative file size: -1.
            truncate /f 2024 c1
              = Truncated { inode: INodeId(16386), done: true }
            truncate /f 1024 c1
              OP_TRUNCATE /f 1024 None
              * Removed { block: blk_1073741826_1002[1000] }
              = Truncated { inode: INodeId(16386), done: true }
            truncate /f 100 c1
              OP_SET_GENSTAMP_V2 1003
              OP_TRUNCATE /f 100 Some(blk_1073741825_1003[1024])
              * Reopened { id: BlockId(1073741825) }
              * TruncateScheduled { id: BlockId(1073741825), new_length: 100, recovery_stamp: GenerationStamp(1003) }
              = Truncated { inode: INodeId(16386), done: false }
            stat /f
              -rw-r--r-- 3 hdfs:supergroup 1024 16386 m1006 
            truncate /f 50 c2
              ! AlreadyBeingCreatedException: Failed to TRUNCATE_FILE /f for c2 on host because this file lease is currently owned by c1 on host
            complete /f c1 100
              OP_CLOSE /f [blk_1073741825_1001[100]] m1007
              * Updated { block: blk_1073741825_1001[100] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16386)
            truncate /f 0 c1
              OP_TRUNCATE /f 0 None
              * Removed { block: blk_1073741825_1001[100] }
              = Truncated { inode: INodeId(16386), done: true }
            truncate / 0 c1
              ! FileNotFoundException: Path is not a file: /
        "#]],
    );
}

#[test]
fn leases_are_taken_over_after_the_soft_limit() {
    check(
        "create /f c1
         create /f c1
         create /f c2
         recover /f c2
         wait 61000
         create /f c2
         append /f c2
         renew c1
         append /f c2
         reassign /f c9
         append /f c9
         complete /f c1 -
         complete /f c9 -
         recover /f c2",
        expect![[r#"
            create /f c1
              OP_ADD 16386 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16386)
            create /f c1
              ! AlreadyBeingCreatedException: Failed to CREATE_FILE /f for c1 on host because c1 is already the current lease holder.
            create /f c2
              ! AlreadyBeingCreatedException: Failed to CREATE_FILE /f for c2 on host because this file lease is currently owned by c1 on host
            recover /f c2
              Some("c1")
            wait 61000
            create /f c2
              release 16386 of c1
            append /f c2
              release 16386 of c1
            renew c1
            append /f c2
              ! AlreadyBeingCreatedException: Failed to APPEND_FILE /f for c2 on host because this file lease is currently owned by c1 on host
            reassign /f c9
              OP_REASSIGN_LEASE c1 /f c9
              = ()
            append /f c9
              ! AlreadyBeingCreatedException: Failed to APPEND_FILE /f for c9 on host because c9 is already the current lease holder.
            complete /f c1 -
              ! LeaseExpiredException: Client (=c1) is not the lease owner (=c9: /f (inode 0) Holder c1 does not have any open files.
            complete /f c9 -
              OP_CLOSE /f [] m62002
              = INodeId(16386)
            recover /f c2
              None
        "#]],
    );
}

#[test]
fn renames_answer_as_in_hadoop() {
    check(
        "mkdirs /a/b
         mkdirs /c
         create /a/f c1
         rename /a/f /c
         rename /none /c/x
         rename / /c/x
         rename /a /a/b/c
         rename /a /a
         rename /c/f /x/y
         rename /c/f /c/f/y
         rename2 /none /c/x
         rename2 /a /a
         rename2 / /x
         rename2 /a /a/b/c
         rename2 /a /c
         rename2 /a /c overwrite
         rename2 /c/f /a
         rename2 /c/f /x/y
         rename2 /c/f /c/g
         create /h c1
         rename2 /h /c/g
         rename2 /h /c/g overwrite
         mkdirs /.snapshot2
         rename2 /c/g /c/.snapshot
         ls /c
         ls /",
        expect![[r#"
            mkdirs /a/b
              OP_MKDIR 16386 /a hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /a/b hdfs:supergroup rwxr-xr-x t1000
              = true
            mkdirs /c
              OP_MKDIR 16388 /c hdfs:supergroup rwxr-xr-x t1001
              = true
            create /a/f c1
              OP_ADD 16389 /a/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            rename /a/f /c
              OP_RENAME_OLD /a/f /c/f
              = true
            rename /none /c/x
              = false
            rename / /c/x
              = false
            rename /a /a/b/c
              = false
            rename /a /a
              = false
            rename /c/f /x/y
              = false
            rename /c/f /c/f/y
              ! ParentNotDirectoryException: /c/f (is not a directory)
            rename2 /none /c/x
              ! FileNotFoundException: rename source /none is not found.
            rename2 /a /a
              ! FileAlreadyExistsException: The source /a and destination /a are the same
            rename2 / /x
              ! IOException: rename source cannot be the root
            rename2 /a /a/b/c
              ! IOException: Rename destination /a/b/c is a directory or file under source /a
            rename2 /a /c
              ! FileAlreadyExistsException: rename destination /c already exists
            rename2 /a /c overwrite
              ! IOException: rename destination directory is not empty: /c
            rename2 /c/f /a
              ! IOException: Source /c/f and destination /a must both be directories
            rename2 /c/f /x/y
              ! FileNotFoundException: rename destination parent /x/y not found.
            rename2 /c/f /c/g
              OP_RENAME /c/f /c/g [None]
              = false
            create /h c1
              OP_ADD 16390 /h hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16390)
            rename2 /h /c/g
              ! FileAlreadyExistsException: rename destination /c/g already exists
            rename2 /h /c/g overwrite
              OP_RENAME /h /c/g [Overwrite]
              = true
            mkdirs /.snapshot2
              OP_MKDIR 16391 /.snapshot2 hdfs:supergroup rwxr-xr-x t1012
              = true
            rename2 /c/g /c/.snapshot
              ! HadoopIllegalArgumentException: ".snapshot" is a reserved name.
            ls /c
              -rw-r--r-- 3 hdfs:supergroup 0 16390 m1010 g
            ls /
              drwxr-xr-x 0 hdfs:supergroup 0 16391 m1012 .snapshot2
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1003 a
              drwxr-xr-x 0 hdfs:supergroup 0 16388 m1011 c
        "#]],
    );
}

#[test]
fn deletes_check_for_children_and_leave_the_root() {
    check(
        "mkdirs /a/b/c
         create /a/b/f c1
         add_block /a/b/f c1 -
         delete /a
         delete /a/b/none
         delete /
         delete / -r
         delete /a -r
         stat /a
         count /
         delete /.reserved",
        expect![[r#"
            mkdirs /a/b/c
              OP_MKDIR 16386 /a hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /a/b hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16388 /a/b/c hdfs:supergroup rwxr-xr-x t1000
              = true
            create /a/b/f c1
              OP_ADD 16389 /a/b/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            add_block /a/b/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /a/b/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16389), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            delete /a
              ! PathIsNotEmptyDirectoryException: `/a is non empty': Directory is not empty
            delete /a/b/none
              = false
            delete /
              ! PathIsNotEmptyDirectoryException: `/ is non empty': Directory is not empty
            delete / -r
              = false
            delete /a -r
              OP_DELETE /a t1005
              * Removed { block: blk_1073741825_1001[0] }
              = true
            stat /a
              none
            count /
              1 directories, 0 files, 0 bytes, 0 with replicas
            delete /.reserved
              ! InvalidPathException: Invalid path name /.reserved
        "#]],
    );
}

#[test]
fn permissions_are_checked_with_hadoops_messages() {
    check(
        "mkdirs /home/bob 700
         chmod /home 755
         mkdirs /tmp 1777
         chown /home/bob bob staff
         as alice users
         mkdirs /home/bob/x
         mkdirs /home/x
         stat /home/bob/x
         ls /home/bob
         create /tmp/alice c1
         complete /tmp/alice c1 -
         chown /tmp/alice bob -
         chown /tmp/alice - staff
         chown /tmp/alice - users
         as bob staff
         delete /tmp/alice
         rename2 /tmp/alice /home/bob/x
         chmod /tmp/alice 777
         overwrite /tmp/alice c2
         mkdirs /home/bob/d 000
         access /home/bob 7
         access /tmp/alice 2
         count /home/bob
         as carol users
         count /home
         open /",
        expect![[r#"
            mkdirs /home/bob 700
              OP_MKDIR 16386 /home hdfs:supergroup rwx------ t1000
              OP_MKDIR 16387 /home/bob hdfs:supergroup rwx------ t1000
              = true
            chmod /home 755
              OP_SET_PERMISSIONS /home rwxr-xr-x
              = ()
            mkdirs /tmp 1777
              OP_MKDIR 16388 /tmp hdfs:supergroup rwxrwxrwt t1002
              = true
            chown /home/bob bob staff
              OP_SET_OWNER /home/bob Some("bob") Some("staff")
              = ()
            as alice users
            mkdirs /home/bob/x
              ! AccessControlException: Permission denied: user=alice, access=EXECUTE, inode="/home/bob":bob:staff:drwx------
            mkdirs /home/x
              ! AccessControlException: Permission denied: user=alice, access=WRITE, inode="/home":hdfs:supergroup:drwxr-xr-x
            stat /home/bob/x
              ! AccessControlException: Permission denied: user=alice, access=EXECUTE, inode="/home/bob":bob:staff:drwx------
            ls /home/bob
              ! AccessControlException: Permission denied: user=alice, access=READ_EXECUTE, inode="/home/bob":bob:staff:drwx------
            create /tmp/alice c1
              OP_ADD 16389 /tmp/alice alice:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            complete /tmp/alice c1 -
              OP_CLOSE /tmp/alice [] m1005
              = INodeId(16389)
            chown /tmp/alice bob -
              ! AccessControlException: User alice is not a super user (non-super user cannot change owner).
            chown /tmp/alice - staff
              ! AccessControlException: User alice does not belong to staff
            chown /tmp/alice - users
              OP_SET_OWNER /tmp/alice None Some("users")
              = ()
            as bob staff
            delete /tmp/alice
              ! AccessControlException: Permission denied by sticky bit: user=bob, path="/tmp/alice":alice:users:-rw-r--r--, parent="/tmp":hdfs:supergroup:drwxrwxrwt
            rename2 /tmp/alice /home/bob/x
              ! AccessControlException: Permission denied by sticky bit: user=bob, path="/tmp/alice":alice:users:-rw-r--r--, parent="/tmp":hdfs:supergroup:drwxrwxrwt
            chmod /tmp/alice 777
              ! AccessControlException: Permission denied. user=bob is not the owner of inode=/tmp/alice
            overwrite /tmp/alice c2
              ! AccessControlException: Permission denied: user=bob, access=WRITE, inode="/tmp/alice":alice:users:-rw-r--r--
            mkdirs /home/bob/d 000
              OP_MKDIR 16390 /home/bob/d bob:staff --------- t1007
              = true
            access /home/bob 7
            access /tmp/alice 2
              ! AccessControlException: Permission denied: user=bob, access=WRITE, inode="/tmp/alice":alice:users:-rw-r--r--
            count /home/bob
              ! AccessControlException: Permission denied: user=bob, access=READ_EXECUTE, inode="/home/bob/d":bob:staff:d---------
            as carol users
            count /home
              ! AccessControlException: Permission denied: user=carol, access=READ_EXECUTE, inode="/home/bob":bob:staff:drwx------
            open /
              ! AccessControlException: Access denied for user carol. Superuser privilege is required for operation listOpenFiles
        "#]],
    );
}

#[test]
fn wrong_paths_have_hadoops_errors() {
    check(
        "create /f c1
         complete /f c1 -
         mkdirs /f
         mkdirs /f/x
         mkdir /x/y
         create /f/x c1
         stat /f/x
         mkdirs /a:b
         mkdirs a
         create /.reserved c1
         create /.reserved/x c1
         mkdirs /.reserved
         mkdirs /d/.snapshot
         stat /.reserved/.inodes/16386
         stat /.reserved/.inodes/16385
         stat /.reserved/.inodes/999
         stat /.reserved/.inodes/abc
         stat /.reserved/raw/f
         ls /.reserved
         ls /.snapshot
         ls /f/.snapshot
         delete /.snapshot/s
         chmod /none 755
         touch /none 5
         setrep /none 3
         setrep /f 9999
         setrep /f 2
         touch /f 77
         stat /f",
        expect![[r#"
            create /f c1
              OP_ADD 16386 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16386)
            complete /f c1 -
              OP_CLOSE /f [] m1001
              = INodeId(16386)
            mkdirs /f
              ! FileAlreadyExistsException: Path is not a directory: /f
            mkdirs /f/x
              ! ParentNotDirectoryException: /f (is not a directory)
            mkdir /x/y
              ! FileNotFoundException: Parent directory doesn't exist: /x
            create /f/x c1
              ! ParentNotDirectoryException: /f (is not a directory)
            stat /f/x
              none
            mkdirs /a:b
              ! InvalidPathException: Invalid path name Invalid file name: /a:b
            mkdirs a
              ! InvalidPathException: Invalid path name Invalid file name: a
            create /.reserved c1
              ! InvalidPathException: Invalid path name /.reserved
            create /.reserved/x c1
              ! InvalidPathException: Invalid path name /.reserved/x
            mkdirs /.reserved
              ! HadoopIllegalArgumentException: File name ".reserved" is reserved and cannot be created. If this is during upgrade change the name of the existing file or directory to another name before upgrading to the new release.
            mkdirs /d/.snapshot
              ! HadoopIllegalArgumentException: ".snapshot" is a reserved name.
            stat /.reserved/.inodes/16386
              -rw-r--r-- 3 hdfs:supergroup 0 16386 m1001 
            stat /.reserved/.inodes/16385
              drwxr-xr-x 0 hdfs:supergroup 0 16385 m1000 
            stat /.reserved/.inodes/999
              ! FileNotFoundException: File for given inode path does not exist: /.reserved/.inodes/999
            stat /.reserved/.inodes/abc
              ! FileNotFoundException: Invalid inode path: /.reserved/.inodes/abc
            stat /.reserved/raw/f
              -rw-r--r-- 3 hdfs:supergroup 0 16386 m1001 
            ls /.reserved
              drwxrwx--- 0 :supergroup 0 18446744073709551615 m0 .inodes
              drwxrwx--- 0 :supergroup 0 18446744073709551615 m0 raw
            ls /.snapshot
            ls /f/.snapshot
              ! AccessControlException: /f (is not a directory)
            delete /.snapshot/s
              ! SnapshotAccessControlException: Modification on a read-only snapshot is disallowed
            chmod /none 755
              ! FileNotFoundException: Directory/File does not exist /none
            touch /none 5
              ! FileNotFoundException: File/Directory /none does not exist.
            setrep /none 3
              = false
            setrep /f 9999
              ! IOException: Requested replication factor of 9999 exceeds maximum of 512 for /f
            setrep /f 2
              OP_SET_REPLICATION /f 2
              = true
            touch /f 77
              OP_TIMES /f 77 -1
              = ()
            stat /f
              -rw-r--r-- 2 hdfs:supergroup 0 16386 m77 
        "#]],
    );
}

#[test]
fn files_are_joined() {
    check(
        "create /d/t c1
         add_block /d/t c1 -
         complete /d/t c1 10
         create /d/s c1
         add_block /d/s c1 -
         complete /d/s c1 20
         setrep /d/s 1
         create /d/e c1
         complete /d/e c1 -
         create /o c1
         concat /d/t /d/t
         concat /d/t /d/e
         concat /d/t /o
         concat /d/t /d/s /d/s
         concat /o /d/s
         concat /d/t /d/s
         stat /d/t
         ls /d",
        expect![[r#"
            create /d/t c1
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_ADD 16387 /d/t hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16387)
            add_block /d/t c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /d/t None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16387), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /d/t c1 10
              OP_CLOSE /d/t [blk_1073741825_1001[10]] m1002
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16387)
            create /d/s c1
              OP_ADD 16388 /d/s hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            add_block /d/s c1 -
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /d/s None blk_1073741826_1002[0]
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 0)
            complete /d/s c1 20
              OP_CLOSE /d/s [blk_1073741826_1002[20]] m1005
              * Updated { block: blk_1073741826_1002[20] }
              * Completed { id: BlockId(1073741826) }
              = INodeId(16388)
            setrep /d/s 1
              OP_SET_REPLICATION /d/s 1
              * Replication { id: BlockId(1073741826), from: 3, to: 1 }
              = true
            create /d/e c1
              OP_ADD 16389 /d/e hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            complete /d/e c1 -
              OP_CLOSE /d/e [] m1008
              = INodeId(16389)
            create /o c1
              OP_ADD 16390 /o hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16390)
            concat /d/t /d/t
              ! HadoopIllegalArgumentException: concat: the src file /d/t is the same with the target file /d/t
            concat /d/t /d/e
              ! HadoopIllegalArgumentException: concat: source file /d/e is invalid or empty or underConstruction
            concat /d/t /o
              ! HadoopIllegalArgumentException: Source file /o is not in the same directory with the target /d/t
            concat /d/t /d/s /d/s
              ! HadoopIllegalArgumentException: concat: at least two of the source files are the same
            concat /o /d/s
              ! HadoopIllegalArgumentException: concat: target file /o is under construction
            concat /d/t /d/s
              OP_CONCAT_DELETE /d/t /d/s
              * Owner { id: BlockId(1073741826), owner: INodeId(16387), replication: 3 }
              = ()
            stat /d/t
              -rw-r--r-- 3 hdfs:supergroup 30 16387 m1010 
            ls /d
              -rw-r--r-- 3 hdfs:supergroup 0 16389 m1008 e
              -rw-r--r-- 3 hdfs:supergroup 30 16387 m1010 t
        "#]],
    );
}

#[test]
fn a_directory_is_listed_in_parts() {
    let mut machine = Machine::new();
    machine.conf.ls_limit = 2;
    machine.conf.max_directory_items = 3;
    machine.conf.max_component_length = 5;
    let script = "mkdirs /a
        mkdirs /b
        mkdirs /c
        ls /
        ls / b
        mkdirs /d
        mkdirs /a/toolong
        overwrite /c c1";
    expect![[r#"
        mkdirs /a
          OP_MKDIR 16386 /a hdfs:supergroup rwxr-xr-x t1000
          = true
        mkdirs /b
          OP_MKDIR 16387 /b hdfs:supergroup rwxr-xr-x t1001
          = true
        mkdirs /c
          OP_MKDIR 16388 /c hdfs:supergroup rwxr-xr-x t1002
          = true
        ls /
          drwxr-xr-x 0 hdfs:supergroup 0 16386 m1000 a
          drwxr-xr-x 0 hdfs:supergroup 0 16387 m1001 b
          and 1 more
        ls / b
          drwxr-xr-x 0 hdfs:supergroup 0 16388 m1002 c
        mkdirs /d
          ! FSLimitException$MaxDirectoryItemsExceededException: The directory item limit of / is exceeded: limit=3 items=3
        mkdirs /a/toolong
          ! FSLimitException$PathComponentTooLongException: The maximum path component name limit of toolong in directory /a is exceeded: limit=5 length=7
        overwrite /c c1
          ! FileAlreadyExistsException: /c already exists as a directory
    "#]].assert_eq(&machine.run(script));
}
