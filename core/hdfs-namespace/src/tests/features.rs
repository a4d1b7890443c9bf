//! Quotas, storage policies and extended attributes: calls in, operations, errors and answers out.

use expect_test::{Expect, expect};

use super::machine::Machine;

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Machine::new().run(script));
}

#[test]
fn quotas_stop_what_does_not_fit() {
    check(
        "mkdirs /q/a
         setquota /q 4 10000
         setquota /q 4 10000
         usage /q
         create /q/f c1
         create /q/g c1
         add_block /q/f c1 -
         add_block /q/f c1 1024
         add_block /q/f c1 1024
         usage /q
         add_block /q/f c1 1024
         complete /q/f c1 10
         usage /q
         setrep /q/f 4
         setrep /q/f 9
         mkdirs /o
         rename2 /o /q/o
         delete /q/a
         rename2 /o /q/o
         rename2 /q/f /f
         usage /q
         usage /
         setquota /q -1 -1
         usage /q
         setquota / -1 -1
         setquota /f 1 1
         setquota /none 1 1
         setquota /q -2 1
         as bob users
         setquota /q 1 1",
        expect![[r#"
            mkdirs /q/a
              OP_MKDIR 16386 /q hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /q/a hdfs:supergroup rwxr-xr-x t1000
              = true
            setquota /q 4 10000
              OP_SET_QUOTA /q 4 10000
              = ()
            setquota /q 4 10000
              = ()
            usage /q
              2 of 4, 0 of 10000
            create /q/f c1
              OP_ADD 16388 /q/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            create /q/g c1
              OP_ADD 16389 /q/g hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            add_block /q/f c1 -
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /q/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            add_block /q/f c1 1024
              OP_ALLOCATE_BLOCK_ID 1073741826
              OP_SET_GENSTAMP_V2 1002
              OP_ADD_BLOCK /q/f Some(blk_1073741825_1001[1024]) blk_1073741826_1002[0]
              * Updated { block: blk_1073741825_1001[1024] }
              * Completed { id: BlockId(1073741825) }
              * Added { block: blk_1073741826_1002[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741826_1002[0], 1024)
            add_block /q/f c1 1024
              OP_ALLOCATE_BLOCK_ID 1073741827
              OP_SET_GENSTAMP_V2 1003
              OP_ADD_BLOCK /q/f Some(blk_1073741826_1002[1024]) blk_1073741827_1003[0]
              * Updated { block: blk_1073741826_1002[1024] }
              * Completed { id: BlockId(1073741826) }
              * Added { block: blk_1073741827_1003[0], owner: INodeId(16388), replication: 3, complete: false }
              = (blk_1073741827_1003[0], 2048)
            usage /q
              4 of 4, 9216 of 10000
            add_block /q/f c1 1024
              ! DSQuotaExceededException: The DiskSpace quota of /q is exceeded: quota = 10000 B = 9.77 KB but diskspace consumed = 12288 B = 12 KB
            complete /q/f c1 10
              OP_CLOSE /q/f [blk_1073741825_1001[1024], blk_1073741826_1002[1024], blk_1073741827_1003[10]] m1008
              * Updated { block: blk_1073741827_1003[10] }
              * Completed { id: BlockId(1073741827) }
              = INodeId(16388)
            usage /q
              4 of 4, 6174 of 10000
            setrep /q/f 4
              OP_SET_REPLICATION /q/f 4
              * Replication { id: BlockId(1073741825), from: 3, to: 4 }
              * Replication { id: BlockId(1073741826), from: 3, to: 4 }
              * Replication { id: BlockId(1073741827), from: 3, to: 4 }
              = true
            setrep /q/f 9
              ! DSQuotaExceededException: The DiskSpace quota of /q is exceeded: quota = 10000 B = 9.77 KB but diskspace consumed = 18522 B = 18.09 KB
            mkdirs /o
              OP_MKDIR 16390 /o hdfs:supergroup rwxr-xr-x t1010
              = true
            rename2 /o /q/o
              ! NSQuotaExceededException: The NameSpace quota (directories and files) of directory /q is exceeded: quota=4 file count=5
            delete /q/a
              OP_DELETE /q/a t1011
              = true
            rename2 /o /q/o
              OP_RENAME /o /q/o [None]
              = false
            rename2 /q/f /f
              OP_RENAME /q/f /f [None]
              = false
            usage /q
              3 of 4, 0 of 10000
            usage /
              5 of 9223372036854775807, 8232 of -1
            setquota /q -1 -1
              OP_SET_QUOTA /q -1 -1
              = ()
            usage /q
              3 of -1, 0 of -1
            setquota / -1 -1
              = ()
            setquota /f 1 1
              ! PathIsNotDirectoryException: `/f': Is not a directory
            setquota /none 1 1
              ! FileNotFoundException: Directory does not exist: /none
            setquota /q -2 1
              ! IllegalArgumentException: Illegal value for nsQuota or ssQuota : -2 and 1
            as bob users
            setquota /q 1 1
              ! AccessControlException: Access denied for user bob. Superuser privilege is required for operation setSpaceQuota
        "#]],
    );
}

/// Hadoop: TestSnapshotRename (3.5.0)
#[test]
fn what_a_snapshot_holds_counts_twice_when_it_is_renamed() {
    check(
        "mkdirs /d/e
         setquota /d 3 -1
         allow /d
         create /d/e/f c1
         snapshot /d s1
         rename /d/e/f /d/e/g",
        expect![[r#"
            mkdirs /d/e
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/e hdfs:supergroup rwxr-xr-x t1000
              = true
            setquota /d 3 -1
              OP_SET_QUOTA /d 3 -1
              = ()
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            create /d/e/f c1
              OP_ADD 16388 /d/e/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1004
              = "/d/.snapshot/s1"
            rename /d/e/f /d/e/g
              ! NSQuotaExceededException: The NameSpace quota (directories and files) of directory /d is exceeded: quota=3 file count=4
        "#]],
    );
}

/// Hadoop: TestQuota.testRename (3.5.0)
#[test]
fn a_renamed_file_counts_for_the_kinds_of_storage_of_its_new_directory() {
    check(
        "mkdirs /hot
         policy /hot HOT
         create /hot/f c1
         add_block /hot/f c1
         complete /hot/f c1 10
         mkdirs /ssd
         policy /ssd ALL_SSD
         setquota /ssd - 10 SSD
         rename /hot/f /ssd/f
         setquota /ssd - 30 SSD
         rename /hot/f /ssd/f",
        expect![[r#"
            mkdirs /hot
              OP_MKDIR 16386 /hot hdfs:supergroup rwxr-xr-x t1000
              = true
            policy /hot HOT
              OP_SET_STORAGE_POLICY /hot 7
              = ()
            create /hot/f c1
              OP_ADD 16387 /hot/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16387)
            add_block /hot/f c1
              OP_ALLOCATE_BLOCK_ID 1073741825
              OP_SET_GENSTAMP_V2 1001
              OP_ADD_BLOCK /hot/f None blk_1073741825_1001[0]
              * Added { block: blk_1073741825_1001[0], owner: INodeId(16387), replication: 3, complete: false }
              = (blk_1073741825_1001[0], 0)
            complete /hot/f c1 10
              OP_CLOSE /hot/f [blk_1073741825_1001[10]] m1004
              * Updated { block: blk_1073741825_1001[10] }
              * Completed { id: BlockId(1073741825) }
              = INodeId(16387)
            mkdirs /ssd
              OP_MKDIR 16388 /ssd hdfs:supergroup rwxr-xr-x t1005
              = true
            policy /ssd ALL_SSD
              OP_SET_STORAGE_POLICY /ssd 12
              = ()
            setquota /ssd - 10 SSD
              OP_SET_QUOTA_BY_STORAGETYPE SetQuotaByStorageTypeOp { src: [47, 115, 115, 100], ds_quota: 10, storage_type: Ssd }
              = ()
            rename /hot/f /ssd/f
              ! QuotaByStorageTypeExceededException: Quota by storage type : SSD on path : /ssd is exceeded. quota = 10 B but space consumed = 30 B
            setquota /ssd - 30 SSD
              OP_SET_QUOTA_BY_STORAGETYPE SetQuotaByStorageTypeOp { src: [47, 115, 115, 100], ds_quota: 30, storage_type: Ssd }
              = ()
            rename /hot/f /ssd/f
              OP_RENAME_OLD /hot/f /ssd/f
              = true
        "#]],
    );
}

#[test]
fn attributes_are_kept_from_those_who_may_not_see_them() {
    check(
        "mkdirs /d
         create /f c1
         setfattr /d user a 1 create
         setfattr /d user a 2 create
         setfattr /d user b 2 replace
         setfattr /d user a 3
         setfattr /d trusted t 4
         setfattr /d system s 5
         setfattr /d security hdfs.unreadable.by.superuser -
         setfattr /f security hdfs.unreadable.by.superuser 5
         setfattr /f security hdfs.unreadable.by.superuser -
         rmfattr /f security hdfs.unreadable.by.superuser -
         getfattr /d
         rmfattr /d user b -
         rmfattr /d trusted t -
         getfattr /d
         getfattr /none
         policy /d COLD
         policy /d NONE
         policy /f LAZY_PERSIST
         policy /none COLD
         policy /d -
         as bob users
         getfattr /d
         setfattr /d user c 1
         setfattr /d trusted c 1",
        expect![[r#"
            mkdirs /d
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              = true
            create /f c1
              OP_ADD 16387 /f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16387)
            setfattr /d user a 1 create
              OP_SET_XATTR /d [XAttr { namespace: User, name: "a", value: Some([49]) }]
              = ()
            setfattr /d user a 2 create
              ! IOException: XAttr: a already exists. The REPLACE flag must be specified.
            setfattr /d user b 2 replace
              ! IOException: XAttr: b does not exist. The CREATE flag must be specified.
            setfattr /d user a 3
              OP_SET_XATTR /d [XAttr { namespace: User, name: "a", value: Some([51]) }]
              = ()
            setfattr /d trusted t 4
              OP_SET_XATTR /d [XAttr { namespace: Trusted, name: "t", value: Some([52]) }]
              = ()
            setfattr /d system s 5
              ! AccessControlException: User doesn't have permission for xattr: system.s
            setfattr /d security hdfs.unreadable.by.superuser -
              ! IOException: Can only set 'security.hdfs.unreadable.by.superuser' on a file.
            setfattr /f security hdfs.unreadable.by.superuser 5
              ! AccessControlException: Attempt to set a value for 'security.hdfs.unreadable.by.superuser'. Values are not allowed for this xattr.
            setfattr /f security hdfs.unreadable.by.superuser -
              OP_SET_XATTR /f [XAttr { namespace: Security, name: "hdfs.unreadable.by.superuser", value: None }]
              = ()
            rmfattr /f security hdfs.unreadable.by.superuser -
              ! AccessControlException: The xattr 'security.hdfs.unreadable.by.superuser' can not be deleted.
            getfattr /d
              Trusted t Some([52])
              User a Some([51])
            rmfattr /d user b -
              ! IOException: No matching attributes found for remove operation
            rmfattr /d trusted t -
              OP_REMOVE_XATTR /d [XAttr { namespace: Trusted, name: "t", value: None }]
              = ()
            getfattr /d
              User a Some([51])
            getfattr /none
              ! FileNotFoundException: cannot find /none
            policy /d COLD
              OP_SET_STORAGE_POLICY /d 2
              = ()
            policy /d NONE
              ! HadoopIllegalArgumentException: Cannot find a block policy with the name NONE
            policy /f LAZY_PERSIST
              ! HadoopIllegalArgumentException: Policy BlockStoragePolicy{LAZY_PERSIST:15, storageTypes=[RAM_DISK, DISK], creationFallbacks=[DISK], replicationFallbacks=[DISK]} cannot be set after file creation.
            policy /none COLD
              ! FileNotFoundException: File/Directory does not exist: /none
            policy /d -
              OP_SET_STORAGE_POLICY /d 0
              = ()
            as bob users
            getfattr /d
              User a Some([51])
            setfattr /d user c 1
              ! AccessControlException: Permission denied: user=bob, access=WRITE, inode="/d":hdfs:supergroup:drwxr-xr-x
            setfattr /d trusted c 1
              ! AccessControlException: User doesn't have permission for xattr: trusted.c
        "#]],
    );
}

#[test]
fn storage_policies_may_be_left_to_superusers() {
    let mut machine = Machine::new();
    machine.conf.storage_policy_superuser_only = true;
    let expected = expect![[r#"
        mkdirs /d
          OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
          = true
        chown /d alice users
          OP_SET_OWNER /d Some("alice") Some("users")
          = ()
        policy /d COLD
          OP_SET_STORAGE_POLICY /d 2
          = ()
        as alice users
        policy /d HOT
          ! AccessControlException: Access denied for user alice. Superuser privilege is required for operation setStoragePolicy
        policy /d -
          ! AccessControlException: Access denied for user alice. Superuser privilege is required for operation unsetStoragePolicy
    "#]];
    expected.assert_eq(&machine.run(
        "mkdirs /d
         chown /d alice users
         policy /d COLD
         as alice users
         policy /d HOT
         policy /d -",
    ));
}
