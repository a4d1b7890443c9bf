//! What `hdfs doctor` says.

use expect_test::expect;

use crate::script::Script;

#[test]
fn the_doctor_names_cause_and_cure() {
    let mut script = Script::new(3);
    let told = script.run(
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
         corrupt 2 bad
         doctor /fine
         doctor /lost
         doctor /bad
         doctor /few
         doctor /open
         doctor blk_1073741825_1001
         doctor blk_7
         doctor /none",
    );
    expect![[r#"
        write /fine 10: true
        write /lost 20: true
        write /bad 30: true
        write /few 40: true
        replicate /few 5: true
        create /open: inode 16390
        add /open: blk_1073741829_1005 on 3 nodes at 0
        /fine: 1 block(s), 3 replica(s) wanted of each
        /fine is HEALTHY
        => healthy
        /lost: 1 block(s), 3 replica(s) wanted of each

        blk_1073741826_1002, block 1 of 1: 20 bytes, 0 of 3 good replica(s)
          Why: no DataNode that is alive has reported a good replica
          To do: write the file anew from elsewhere, and delete this one: hdfs fsck FILE -delete
        1 of 1 block(s) of /lost need attention
        => sick
        /bad: 1 block(s), 3 replica(s) wanted of each

        blk_1073741827_1003, block 1 of 1: 30 bytes, 0 of 3 good replica(s)
          127.0.0.1:9866 /default-rack DISK: corrupt (CORRUPTION_REPORTED)
          127.0.0.1:9867 /default-rack DISK: corrupt (CORRUPTION_REPORTED)
          127.0.0.1:9868 /default-rack DISK: corrupt (CORRUPTION_REPORTED)
          Why: every replica that was reported is corrupt
          To do: save what can be read: hdfs dfs -get -ignoreCrc FILE; if that does not help, write the file anew from elsewhere, and delete this one: hdfs fsck FILE -delete
        1 of 1 block(s) of /bad need attention
        => sick
        /few: 1 block(s), 5 replica(s) wanted of each

        blk_1073741828_1004, block 1 of 1: 40 bytes, 3 of 5 good replica(s)
          127.0.0.1:9866 /default-rack DISK: good
          127.0.0.1:9867 /default-rack DISK: good
          127.0.0.1:9868 /default-rack DISK: good
          Why: no DataNode can take a copy: 3 hold a replica of it
          To do: add DataNodes, or ask for fewer replicas: hdfs dfs -setrep N FILE
        1 of 1 block(s) of /few need attention
        => sick
        /open: 1 block(s), 3 replica(s) wanted of each
        It is being written by client on 10.0.0.9. If that writer is gone: hdfs debug recoverLease -path /open
        /open is HEALTHY
        => healthy
        blk_1073741825_1001 belongs to /fine

        blk_1073741825_1001: 10 bytes, 3 of 3 good replica(s)
          127.0.0.1:9866 /default-rack DISK: good
          127.0.0.1:9867 /default-rack DISK: good
          127.0.0.1:9868 /default-rack DISK: good
        blk_1073741825_1001 is HEALTHY
        => healthy
        doctor blk_7: blk_7 is unknown to the NameNode: its file was deleted, or it never belonged to this namespace
        doctor /none: File does not exist: /none
    "#]].assert_eq(&told);
}
