//! The text of `fsck`.
//!
//! PROVENANCE: compared with `curl 'http://…/fsck?path=/B2&ugi=root&…'` of Apache 3.5.0 for the same trees; ids and times
//! are this machine's.

use expect_test::expect;

use crate::script::Script;

#[test]
fn fsck_tells_lost_corrupt_and_lacking_blocks_apart() {
    let mut script = Script::new(3);
    script.run(
        "write /fine 10
         write /lost 20
         write /bad 30
         write /few 40
         replicate /few 5
         create /open
         add /open
         lost 0 2:20
         lost 1 2:20
         lost 2 2:20
         corrupt 0 bad
         corrupt 1 bad
         corrupt 2 bad",
    );
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970


        /bad: CORRUPT blockpool BP-1-127.0.0.1-1 block blk_1073741827

        /bad: CORRUPT 1 blocks of total size 30 B.<Salvage { path: "/bad" }>
        <Delete { path: "/bad" }>

        /few:  Under replicated BP-1-127.0.0.1-1:blk_1073741828_1004. Target Replicas is 5 but found 3 live replica(s), 0 decommissioned replica(s), 0 decommissioning replica(s).

        /lost: MISSING 1 blocks of total size 20 B.<Salvage { path: "/lost" }>
        <Delete { path: "/lost" }>

        Status: CORRUPT
         Number of data-nodes:	3
         Number of racks:		1
         Total dirs:			1
         Total symlinks:		0

        Replicated Blocks:
         Total size:	100 B
         Total files:	4 (Files currently being written: 1)
         Total blocks (validated):	4 (avg. block size 25 B) (Total open file blocks (not validated): 1)
          ********************************
          UNDER MIN REPL'D BLOCKS:	2 (50.0 %)
          MINIMAL BLOCK REPLICATION:	1
          CORRUPT FILES:	2
          MISSING BLOCKS:	1
          MISSING SIZE:		20 B
          CORRUPT BLOCKS: 	1
          CORRUPT SIZE:		30 B
          ********************************
         Minimally replicated blocks:	2 (50.0 %)
         Over-replicated blocks:	0 (0.0 %)
         Under-replicated blocks:	1 (25.0 %)
         Mis-replicated blocks:		0 (0.0 %)
         Default replication factor:	3
         Average block replication:	1.5
         Missing blocks:		1
         Corrupt blocks:		1
         Missing replicas:		2 (14.285714 %)
         Blocks queued for replication:	0

        Erasure Coded Block Groups:
         Total size:	0 B
         Total files:	0
         Total block groups (validated):	0
         Minimally erasure-coded block groups:	0
         Over-erasure-coded block groups:	0
         Under-erasure-coded block groups:	0
         Unsatisfactory placement block groups:	0
         Average block group size:	0.0
         Missing block groups:		0
         Corrupt block groups:		0
         Missing internal blocks:	0
         Blocks queued for replication:	0
        FSCK ended at Thu Jan 01 00:16:40 UTC 1970 in 0 milliseconds
        FSCK ended at Thu Jan 01 00:16:40 UTC 1970 in 0 milliseconds
        fsck encountered internal errors!


        Fsck on path '/' FAILED
    "#]].assert_eq(&script.run("fsck path=/&move&delete"));
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970

        / <dir>
        /bad 30 bytes, replicated: replication=3, 1 block(s): 
        /bad: CORRUPT blockpool BP-1-127.0.0.1-1 block blk_1073741827
         CORRUPT 1 blocks of total size 30 B
        0. BP-1-127.0.0.1-1:blk_1073741827_1003 len=30 Live_repl=0  [DatanodeInfoWithStorage[127.0.0.1:9866,disk-0,DISK](CORRUPT), DatanodeInfoWithStorage[127.0.0.1:9867,disk-1,DISK](CORRUPT), DatanodeInfoWithStorage[127.0.0.1:9868,disk-2,DISK](CORRUPT)]

        /few 40 bytes, replicated: replication=5, 1 block(s):  Under replicated BP-1-127.0.0.1-1:blk_1073741828_1004. Target Replicas is 5 but found 3 live replica(s), 0 decommissioned replica(s), 0 decommissioning replica(s).
        0. BP-1-127.0.0.1-1:blk_1073741828_1004 len=40 Live_repl=3  [DatanodeInfoWithStorage[127.0.0.1:9866,disk-0,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9867,disk-1,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9868,disk-2,DISK](LIVE)]

        /fine 10 bytes, replicated: replication=3, 1 block(s):  OK
        0. BP-1-127.0.0.1-1:blk_1073741825_1001 len=10 Live_repl=3  [DatanodeInfoWithStorage[127.0.0.1:9866,disk-0,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9867,disk-1,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9868,disk-2,DISK](LIVE)]

        /lost 20 bytes, replicated: replication=3, 1 block(s):  MISSING 1 blocks of total size 20 B
        0. BP-1-127.0.0.1-1:blk_1073741826_1002 len=20 MISSING!

        /open 0 bytes, replicated: replication=3, 1 block(s), OPENFORWRITE:  OK

        Under Construction Block:
        0. BP-1-127.0.0.1-1:blk_1073741829_1005 len=0 Expected_repl=3  [DatanodeInfoWithStorage[127.0.0.1:9866,disk-0,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9868,disk-2,DISK](LIVE), DatanodeInfoWithStorage[127.0.0.1:9867,disk-1,DISK](LIVE)]

        Status: CORRUPT
         Number of data-nodes:	3
         Number of racks:		1
         Total dirs:			1
         Total symlinks:		0

        Replicated Blocks:
         Total size:	100 B
         Total files:	5
         Total blocks (validated):	5 (avg. block size 20 B)
          ********************************
          UNDER MIN REPL'D BLOCKS:	2 (40.0 %)
          MINIMAL BLOCK REPLICATION:	1
          CORRUPT FILES:	2
          MISSING BLOCKS:	1
          MISSING SIZE:		20 B
          CORRUPT BLOCKS: 	1
          CORRUPT SIZE:		30 B
          ********************************
         Minimally replicated blocks:	2 (40.0 %)
         Over-replicated blocks:	0 (0.0 %)
         Under-replicated blocks:	1 (20.0 %)
         Mis-replicated blocks:		0 (0.0 %)
         Default replication factor:	3
         Average block replication:	1.2
         Missing blocks:		1
         Corrupt blocks:		1
         Missing replicas:		2 (14.285714 %)
         Blocks queued for replication:	0

        Erasure Coded Block Groups:
         Total size:	0 B
         Total files:	0
         Total block groups (validated):	0
         Minimally erasure-coded block groups:	0
         Over-erasure-coded block groups:	0
         Under-erasure-coded block groups:	0
         Unsatisfactory placement block groups:	0
         Average block group size:	0.0
         Missing block groups:		0
         Corrupt block groups:		0
         Missing internal blocks:	0
         Blocks queued for replication:	0
        FSCK ended at Thu Jan 01 00:16:40 UTC 1970 in 0 milliseconds


        The filesystem under path '/' is CORRUPT
    "#]].assert_eq(&script.run("fsck path=/&files&blocks&replicadetails&openforwrite"));
}

#[test]
fn fsck_tells_about_single_blocks_and_lists_the_lost_ones() {
    let mut script = Script::new(2);
    script.run(
        "write /a 10
         write /b 10
         lost 0 2:10
         lost 1 2:10
         corrupt 1 a
         wait 5",
    );
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 at Thu Jan 01 00:16:40 UTC 1970

        Block Id: blk_1073741825
        Block belongs to: /a
        No. of Expected Replica: 3
        No. of live Replica: 1
        No. of excess Replica: 0
        No. of stale Replica: 0
        No. of decommissioned Replica: 0
        No. of decommissioning Replica: 0
        No. of corrupted Replica: 1
        Block replica on datanode/rack: localhost/default-rack is CORRUPT	 ReasonCode: CORRUPTION_REPORTED
        Block replica on datanode/rack: localhost/default-rack is HEALTHY
        Incorrect blockId format: x

    "#]].assert_eq(&script.run("fsck blockId=blk_1073741825 x"));
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970
        Cookie:	1
        blk_1073741826	/b


        The filesystem under path '/' has 1 CORRUPT files


    "#]]
    .assert_eq(&script.run("fsck listcorruptfileblocks"));
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970
        Cookie:	1


        The filesystem under path '/' has no more CORRUPT files


    "#]]
    .assert_eq(&script.run("fsck listcorruptfileblocks&startblockafter=1"));
}

#[test]
fn fsck_looks_into_snapshots_before_their_directory() {
    let mut script = Script::new(1);
    script.run(
        "write /d/e/f 10
         write /d/g 4
         replicate /d/e/f 1
         replicate /d/g 1
         allow /d
         snapshot /d s1
         delete /d/e/f
         truncate /d/g 2
         heartbeat 0
         recovered 2",
    );
    let told = script.run("fsck path=/&files&blocks&includeSnapshots");
    let (told, _) = told.split_once("Status:").expect("a report");
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970

        / <dir>
        /d/.snapshot <dir>
        /d/.snapshot/s1 <dir>
        /d/.snapshot/s1/e <dir>
        /d/.snapshot/s1/e/f 10 bytes, replicated: replication=1, 1 block(s):  OK
        0. BP-1-127.0.0.1-1:blk_1073741825_1001 len=10 Live_repl=1

        /d/.snapshot/s1/g 4 bytes, replicated: replication=1, 1 block(s):  OK
        0. BP-1-127.0.0.1-1:blk_1073741826_1002 len=4 Live_repl=1

        /d <dir>
        /d/e <dir>
        /d/g 2 bytes, replicated: replication=1, 1 block(s):  OK
        0. BP-1-127.0.0.1-1:blk_1073741827_1003 len=2 Live_repl=1


    "#]]
    .assert_eq(told);
    script.run("lost 0 1:10");
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970
        Cookie:	1
        blk_1073741825	/d/.snapshot/s1/e/f


        The filesystem under path '/' has 1 CORRUPT files


    "#]]
    .assert_eq(&script.run("fsck path=/&listcorruptfileblocks&includeSnapshots"));
    expect![[r#"
        FSCK started by root (auth:SIMPLE) from /10.0.0.9 for path / at Thu Jan 01 00:16:40 UTC 1970
        Cookie:	1


        The filesystem under path '/' has no more CORRUPT files


    "#]]
    .assert_eq(&script.run("fsck path=/&listcorruptfileblocks"));
}

#[test]
fn corrupt_files_that_only_snapshots_show_are_listed_with_their_last_path() {
    let mut script = Script::new(1);
    script.run(
        "write /d/e/f 10
         write /d/h 10
         allow /d
         snapshot /d s1
         delete /d/e/f
         lost 0 1:10
         lost 0 2:10",
    );
    expect![[r#"
        list-corrupt /: /d/e/f /d/h 1073741827
        list-corrupt /d/h: /d/h 1073741827
        list-corrupt /d/: /d/e/f /d/h 1073741827
        list-corrupt / 1073741826: /d/h 1073741827
        list-corrupt / 1073741827:  1073741827
        list-corrupt /elsewhere:  1073741827
    "#]]
    .assert_eq(&script.run(
        "list-corrupt /
         list-corrupt /d/h
         list-corrupt /d/
         list-corrupt / 1073741826
         list-corrupt / 1073741827
         list-corrupt /elsewhere",
    ));
}
