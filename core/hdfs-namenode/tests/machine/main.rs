//! Scripts of calls, and what the machine answers, logs and tells DataNodes.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

mod doctor;
mod fsck;
mod random;
mod script;

use expect_test::expect;
use script::Script;

#[test]
fn a_file_is_written_closed_and_survives_a_restart() {
    let mut script = Script::new(3);
    let told = script.run(
        "create /d/f
         add /d/f
         received 0 1:5
         add /d/f 1:5
         received 0 2:3
         received 1 2:3
         complete /d/f 2:3
         info /d/f
         ops
         restart
         info /d/f
         safemode",
    );
    expect![[r#"
        create /d/f: inode 16387
        add /d/f: blk_1073741825_1001 on 3 nodes at 0
        add /d/f 1:5: blk_1073741826_1002 on 3 nodes at 5
        complete /d/f 2:3: true
        info /d/f: 8 bytes, 3 replicas
        1 OP_MKDIR
        2 OP_ADD
        3 OP_ALLOCATE_BLOCK_ID
        4 OP_SET_GENSTAMP_V2
        5 OP_ADD_BLOCK
        6 OP_ALLOCATE_BLOCK_ID
        7 OP_SET_GENSTAMP_V2
        8 OP_ADD_BLOCK
        9 OP_CLOSE
        restart: 9 operations
        info /d/f: 8 bytes, 3 replicas
        safemode: on, The reported blocks 0 needs additional 1 blocks to reach the threshold 0.9990 of total blocks 2.
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_file_is_closed_only_when_its_blocks_are_reported() {
    let mut script = Script::new(3);
    let told = script.run(
        "create /f
         add /f
         complete /f 1:7
         info /f
         received 2 1:7
         news
         complete /f 1:7
         complete /f 1:7
         info /f",
    );
    expect![[r#"
        create /f: inode 16386
        add /f: blk_1073741825_1001 on 3 nodes at 0
        complete /f 1:7: false
        info /f: 0 bytes, 3 replicas
        news: 16386
        complete /f 1:7: true
        complete /f 1:7: true
        info /f: 7 bytes, 3 replicas
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_repeated_call_gets_the_first_answer_and_has_no_second_effect() {
    let mut script = Script::new(1);
    let told = script.run(
        "create /f as 7
         create /f as 7
         create /f as 8
         mkdirs /d
         rename /f /d as 9
         rename /f /d as 9
         rename /f /d as 10
         delete /d as 11
         delete /d as 11
         delete /d as 12
         ops
         restart
         delete /d as 11
         create /f as 7",
    );
    expect![[r#"
        create /f as 7: inode 16386
        create /f as 7: inode 16386
        create /f as 8: AlreadyBeingCreated
        mkdirs /d: true
        rename /f /d as 9: true
        rename /f /d as 9: true
        rename /f /d as 10: false
        delete /d as 11: true
        delete /d as 11: true
        delete /d as 12: false
        1 OP_ADD
        2 OP_MKDIR
        3 OP_RENAME_OLD
        4 OP_DELETE
        restart: 4 operations
        delete /d as 11: true
        create /f as 7: inode none
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_repeated_add_block_gets_the_block_that_was_given_before() {
    let mut script = Script::new(2);
    let told = script.run(
        "create /f
         add /f
         add /f
         received 0 1:4
         add /f 1:4
         add /f 1:4
         ops",
    );
    expect![[r#"
        create /f: inode 16386
        add /f: blk_1073741825_1001 on 2 nodes at 0
        add /f: blk_1073741825_1001 on 2 nodes at 0
        add /f 1:4: blk_1073741826_1002 on 2 nodes at 4
        add /f 1:4: blk_1073741826_1002 on 2 nodes at 4
        1 OP_ADD
        2 OP_ALLOCATE_BLOCK_ID
        3 OP_SET_GENSTAMP_V2
        4 OP_ADD_BLOCK
        5 OP_ALLOCATE_BLOCK_ID
        6 OP_SET_GENSTAMP_V2
        7 OP_ADD_BLOCK
    "#]]
    .assert_eq(&told);
}

#[test]
fn replicas_of_deleted_files_are_deleted_on_their_nodes() {
    let mut script = Script::new(1);
    let told = script.run(
        "create /f
         add /f
         received 0 1:4
         complete /f 1:4
         delete /f as 1
         heartbeat 0",
    );
    expect![[r#"
        create /f: inode 16386
        add /f: blk_1073741825_1001 on 1 nodes at 0
        complete /f 1:4: true
        delete /f as 1: true
        heartbeat 0: delete blk_1073741825_1001
    "#]]
    .assert_eq(&told);
}

#[test]
fn nothing_changes_in_safe_mode() {
    let mut script = Script::new(1);
    let told = script.run(
        "mkdirs /d
         enter
         mkdirs /e
         create /f
         safemode
         leave
         mkdirs /e
         ops",
    );
    expect![[r#"
        mkdirs /d: true
        mkdirs /e: SafeMode
        create /f: SafeMode
        safemode: on, It was turned on manually. Use "hdfs dfsadmin -safemode leave" to turn safe mode off.
        mkdirs /e: true
        1 OP_MKDIR
        2 OP_MKDIR
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_silent_writers_file_is_recovered_and_closed() {
    let mut script = Script::new(2);
    let told = script.run(
        "create /empty
         create /f
         add /f
         receiving 0 1:4
         wait 1201
         leases
         info /empty
         heartbeat 0
         heartbeat 1
         recovered 4
         info /f
         leases",
    );
    expect![[r#"
        create /empty: inode 16386
        create /f: inode 16387
        add /f: blk_1073741825_1001 on 2 nodes at 0
        leases: closed /empty, whose writer client was silent
        leases: recovering /f, whose writer client was silent
        info /empty: 0 bytes, 3 replicas
        heartbeat 0: 
        heartbeat 1: recover blk_1073741825_1001 to 1002
        info /f: 4 bytes, 3 replicas
    "#]]
    .assert_eq(&told);
}

#[test]
fn after_a_restart_a_block_that_nobody_has_reported_is_not_taken_for_empty() {
    let mut script = Script::new(2);
    let told = script.run(
        "create /f
         add /f
         receiving 0 1:4
         restart
         recover /f
         join
         recover /f
         wait 600
         recover /f
         receiving 0 1:4
         recover /f
         heartbeat 0
         recovered 4
         info /f
         create /never-written
         add /never-written
         restart
         join
         wait 629
         recover /never-written
         wait 2
         recover /never-written",
    );
    expect![[r#"
        create /f: inode 16386
        add /f: blk_1073741825_1001 on 2 nodes at 0
        restart: 4 operations
        recover /f: false
        recover /f: false
        recover /f: false
        recover /f: false
        heartbeat 0: recover blk_1073741825_1001 to 1002
        info /f: 4 bytes, 3 replicas
        create /never-written: inode 16387
        add /never-written: blk_1073741826_1003 on 2 nodes at 0
        restart: 14 operations
        recover /never-written: false
        recover /never-written: true
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_truncated_file_is_cut_by_a_recovery() {
    let mut script = Script::new(1);
    let told = script.run(
        "create /f
         add /f
         received 0 1:9
         complete /f 1:9
         truncate /f 4 as 3
         truncate /f 4 as 3
         heartbeat 0
         recovered 4
         info /f
         truncate /f 4 as 3
         truncate /f 4 as 4",
    );
    expect![[r#"
        create /f: inode 16386
        add /f: blk_1073741825_1001 on 1 nodes at 0
        complete /f 1:9: true
        truncate /f 4 as 3: false
        truncate /f 4 as 3: false
        heartbeat 0: recover blk_1073741825_1001 to 1002, cut to 4
        info /f: 4 bytes, 3 replicas
        truncate /f 4 as 3: false
        truncate /f 4 as 4: true
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_block_that_a_snapshot_shows_is_cut_in_a_copy() {
    let mut script = Script::new(1);
    let told = script.run(
        "write /d/f 9
         allow /d
         snapshot /d s1
         truncate /d/f 4 as 3
         truncate /d/f 4 as 4
         heartbeat 0
         recovered 4
         info /d/f
         info /d/.snapshot/s1/f
         drop /d s1
         heartbeat 0
         truncate /d/f 2 as 5
         heartbeat 0",
    );
    expect![[r#"
        write /d/f 9: true
        allow /d: done
        snapshot /d s1: /d/.snapshot/s1
        truncate /d/f 4 as 3: false
        truncate /d/f 4 as 4: false
        heartbeat 0: recover blk_1073741825_1001 to 1002, 4 bytes of it as blk_1073741826
        info /d/f: 4 bytes, 3 replicas
        info /d/.snapshot/s1/f: 9 bytes, 3 replicas
        drop /d s1: done
        heartbeat 0: delete blk_1073741825_1001
        truncate /d/f 2 as 5: false
        heartbeat 0: recover blk_1073741826_1002 to 1003, cut to 2
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_copy_goes_on_after_a_restart_and_without_the_snapshot() {
    let mut script = Script::new(1);
    let told = script.run(
        "write /d/f 9
         allow /d
         snapshot /d s1
         truncate /d/f 4 as 3
         drop /d s1
         restart
         join
         received 0 1:9
         leave
         info /d/f
         recover /d/f
         heartbeat 0
         recovered 4
         info /d/f
         heartbeat 0",
    );
    expect![[r#"
        write /d/f 9: true
        allow /d: done
        snapshot /d s1: /d/.snapshot/s1
        truncate /d/f 4 as 3: false
        drop /d s1: done
        restart: 12 operations
        info /d/f: 4 bytes, 3 replicas
        recover /d/f: false
        heartbeat 0: recover blk_1073741825_1001 to 1003, 4 bytes of it as blk_1073741826
        info /d/f: 4 bytes, 3 replicas
        heartbeat 0: delete blk_1073741825_1001
    "#]]
    .assert_eq(&told);
}

#[test]
fn snapshottable_directories_get_a_trash_after_safe_mode() {
    let mut script = Script::new(0);
    let told = script.run(
        "mkdirs /d
         mkdirs /e/.Trash
         allow /d
         allow /e
         trash roots
         restart
         tick
         tick
         enter
         leave
         tick
         ops",
    );
    expect![[r#"
        mkdirs /d: true
        mkdirs /e/.Trash: true
        allow /d: done
        allow /e: done
        restart: 5 operations
        tick: created the trash /d/.Trash of a snapshottable directory
        tick: 
        tick: 
        1 OP_MKDIR
        2 OP_MKDIR
        3 OP_MKDIR
        4 OP_ALLOW_SNAPSHOT
        5 OP_ALLOW_SNAPSHOT
        6 OP_MKDIR
    "#]]
    .assert_eq(&told);
}

#[test]
fn foreign_nodes_and_old_software_are_refused() {
    let mut script = Script::new(0);
    let told = script.run(
        "register other-cluster
         register old",
    );
    expect![[r#"
        register other-cluster: UnregisteredNode
        register old: IncorrectVersion
    "#]]
    .assert_eq(&told);
}
