//! What a DataNode makes of its disks: after a crash, when they fail, and when nobody looks at them.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hdfs_daemon::datanode::StartOption;

use super::harness::{Answer, Cluster, block, random};
use super::{invalidate, transfer};

/// The folder of that name next to `finalized`, or the one of copies in flight.
fn place(cluster: &Cluster, name: &str) -> PathBuf {
    let rbw = cluster.datanodes[0].rbw(0);
    let current = rbw.parent().unwrap().parent().unwrap();
    let folder = if name == "tmp" { current.parent().unwrap() } else { current };
    folder.join(name)
}

#[test]
fn replicas_that_a_crash_left_in_two_folders_are_joined_before_they_are_reported() {
    let mut cluster = Cluster::start(1);
    let data = random(5_000);
    for id in 1..=6 {
        cluster.write(&[0], id, &data).unwrap();
    }
    cluster.stop(0);
    let file = |id| cluster.datanodes[0].finalized(id, 1_001);
    let (rbw, tmp) = (place(&cluster, "rbw"), place(&cluster, "tmp"));
    // A close that moved the checksums, and one that moved the data.
    fs::rename(file(1).0, rbw.join("blk_1")).unwrap();
    fs::rename(file(2).1, rbw.join("blk_2_1001.meta")).unwrap();
    // The first rename of an append.
    fs::rename(file(3).1, rbw.join("blk_3_1002.meta")).unwrap();
    // The end of a copy; its data is short in one.
    fs::rename(file(4).0, tmp.join("blk_4")).unwrap();
    fs::rename(file(5).0, tmp.join("blk_5")).unwrap();
    fs::write(tmp.join("blk_5"), &data[..4_000]).unwrap();
    // A close whose last bytes never reached the disk.
    fs::rename(file(6).0, rbw.join("blk_6")).unwrap();
    fs::write(rbw.join("blk_6"), &data[..2_000]).unwrap();
    cluster.restart(0);
    let reported = |id| {
        let (length, state) = cluster.namenode.wait_for_reported(id);
        (length, state.name())
    };
    for id in [1, 4] {
        assert_eq!(reported(id), (5_000, "FINALIZED"), "block {id}");
        let read = cluster.datanodes[0].read(&block(id, 1_001, 5_000), 0, 5_000);
        assert_eq!(read, Answer::Bytes(data.clone()));
    }
    assert_eq!(reported(2), (5_000, "RWR"));
    assert_eq!(reported(3), (5_000, "RWR"));
    assert!(rbw.join("blk_3_1002.meta").exists() && rbw.join("blk_3").exists());
    assert_eq!(reported(6), (1_536, "RWR"));
    let gone = cluster.datanodes[0].read(&block(5, 1_001, 5_000), 0, 5_000);
    assert!(matches!(gone, Answer::Refused(_)), "{gone:?}");
    assert!(!tmp.join("blk_5").exists());
}

/// Two volumes below the node's folder, the second one an SSD.
fn two_volumes(folder: &Path, tolerated: &str) -> Vec<(String, String)> {
    let folders = format!("{0}/a,[SSD]file://{0}/b", folder.display());
    [
        ("dfs.datanode.data.dir", folders.as_str()),
        ("dfs.datanode.failed.volumes.tolerated", tolerated),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec()
}

#[test]
fn a_failed_volume_is_tolerated_as_configured() {
    let mut cluster = Cluster::start_with(1, None, |folder| two_volumes(folder, "1"));
    cluster.namenode.wait_for_storages(2, 0);
    cluster.stop(0);
    let second = cluster.folder(0).join("b");
    fs::remove_dir_all(&second).unwrap();
    fs::write(&second, b"a file where a folder should be").unwrap();
    cluster.restart(0);
    cluster.namenode.wait_for_storages(1, 1);
    cluster.write(&[0], 1, &random(10)).unwrap();
}

#[test]
fn a_failed_volume_that_is_not_tolerated_stops_the_start() {
    let mut cluster = Cluster::start_with(1, None, |folder| two_volumes(folder, "0"));
    cluster.stop(0);
    let second = cluster.folder(0).join("b");
    fs::remove_dir_all(&second).unwrap();
    fs::write(&second, b"a file where a folder should be").unwrap();
    let error = cluster.start_another_on(0).unwrap_err();
    assert!(error.message.starts_with("Too many failed volumes"), "{}", error.message);
    assert!(error.message.contains("/b: "), "{}", error.message);
}

#[test]
fn a_volume_that_cannot_be_read_at_the_start_leaves_the_others_in_service() {
    let mut cluster = Cluster::start_with(1, None, |folder| two_volumes(folder, "1"));
    cluster.write(&[0], 1, &random(10)).unwrap();
    cluster.stop(0);
    let pool = pool_folder(&cluster.folder(0).join("b"));
    fs::remove_dir(pool.join("current/rbw")).unwrap();
    fs::write(pool.join("current/rbw"), b"a file where a folder should be").unwrap();
    cluster.restart(0);
    cluster.namenode.wait_for_storages(1, 1);
    assert_eq!(cluster.datanodes[0].read(&block(1, 1_001, 10), 0, 10), Answer::Bytes(random(10)));
    cluster.write(&[0], 2, &random(10)).unwrap();
}

#[test]
fn a_volume_that_stops_answering_is_left_by_readers_and_reported() {
    let cluster = Cluster::start_with(1, None, |folder| two_volumes(folder, "1"));
    cluster.write(&[0], 1, &random(10)).unwrap();
    let mut open = cluster.begin_write(&[0], 2);
    cluster.namenode.wait_for_storages(2, 0);
    let volume = cluster.folder(0).join("a");
    fs::rename(&volume, volume.with_extension("pulled")).unwrap();
    cluster.namenode.wait_for_storages(1, 1);
    // Writers there are cut off, and with the last of them its replicas are gone.
    assert!(open.is_cut());
    let gone = cluster.datanodes[0].read(&block(1, 1_001, 10), 0, 10);
    assert!(matches!(gone, Answer::Refused(_)), "{gone:?}");
}

#[test]
fn one_more_failed_volume_than_tolerated_ends_the_datanode() {
    let cluster = Cluster::start_with(1, None, |folder| two_volumes(folder, "0"));
    fs::rename(cluster.folder(0).join("b"), cluster.folder(0).join("pulled")).unwrap();
    cluster.datanodes[0].wait_for_end();
}

#[test]
fn blocks_that_were_deleted_in_a_rolling_upgrade_come_back_with_a_rollback() {
    let mut cluster = Cluster::start(1);
    for id in 1..=3 {
        cluster.write(&[0], id, &random(700)).unwrap();
    }
    cluster.namenode.set_rolling_upgrade(false);
    cluster.namenode.order(invalidate(1));
    cluster.namenode.wait_for_deleted(1);
    let read = |cluster: &Cluster, id| cluster.datanodes[0].read(&block(id, 1_001, 700), 0, 700);
    assert!(matches!(read(&cluster, 1), Answer::Refused(_)));
    let (data, _) = cluster.datanodes[0].finalized(1, 1_001);
    let trash = place(&cluster, "tmp").with_file_name("trash");
    assert!(!data.exists() && trash.join("finalized/subdir0/subdir0/blk_1").exists());
    // A start as usual leaves it where it is.
    cluster.restart(0);
    assert!(matches!(read(&cluster, 1), Answer::Refused(_)));
    cluster.restart_with(0, StartOption::Rollback);
    assert_eq!(read(&cluster, 1), Answer::Bytes(random(700)));
    assert!(!trash.exists());

    cluster.namenode.order(invalidate(2));
    cluster.namenode.wait_for_deleted(2);
    assert!(trash.join("finalized/subdir0/subdir0/blk_2").exists());
    cluster.namenode.set_rolling_upgrade(true);
    cluster.await_that("the trash is emptied", || {
        !trash.exists() && !trash.with_file_name("RollingUpgradeInProgress").exists()
    });
    cluster.namenode.order(invalidate(3));
    cluster.namenode.wait_for_deleted(3);
    assert!(!data.with_file_name("blk_3").exists() && !trash.exists());
}

/// The folder of the pool on a volume.
fn pool_folder(volume: &Path) -> PathBuf {
    let entries = fs::read_dir(volume.join("current")).unwrap();
    entries.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
}

/// Turns a bit of a file over.
fn rot(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[300] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_block_scanner_finds_rot_that_nobody_reads_and_goes_on_at_its_cursor() {
    let mut cluster = Cluster::start(1);
    for id in 1..=3 {
        cluster.write(&[0], id, &random(700)).unwrap();
    }
    cluster.stop(0);
    let (data, _) = cluster.datanodes[0].finalized(1, 1_001);
    for name in ["blk_1", "blk_2"] {
        rot(&data.with_file_name(name));
    }
    // The pass before ended after the first block: as Hadoop writes it.
    let cursor = place(&cluster, "tmp").with_file_name("scanner.cursor");
    let now = 4_102_444_800_000_u64;
    let at = r#""curFinalizedDir":"subdir0","curFinalizedSubDir":"subdir0","curEntry":"blk_1""#;
    let text = format!(r#"{{"lastSavedMs":{now},"iterStartMs":{now},{at},"atEnd":false}}"#);
    fs::write(&cursor, text).unwrap();
    cluster.restart(0);
    assert_eq!(cluster.namenode.wait_for_bad_block(), 2);
    cluster.stop(0);
    let text = fs::read_to_string(&cursor).unwrap();
    assert!(text.contains("\"blk_2\"") || text.contains("\"blk_3\""), "{text}");
}

#[test]
fn a_replica_whose_copy_was_refused_is_scanned_before_others() {
    let mut cluster = Cluster::start(2);
    cluster.write(&[0], 1, &random(12_000_000)).unwrap();
    cluster.stop(0);
    rot(&cluster.datanodes[0].finalized(1, 1_001).0);
    // This pass is over: nothing is scanned in its turn.
    let cursor = place(&cluster, "tmp").with_file_name("scanner.cursor");
    let at = r#""curFinalizedDir":null,"curFinalizedSubDir":null,"curEntry":null"#;
    let started = 4_102_444_800_000_u64;
    let text = format!(r#"{{"lastSavedMs":1,"iterStartMs":{started},{at},"atEnd":true}}"#);
    fs::write(&cursor, text).unwrap();
    cluster.restart(0);
    let copy = transfer(&cluster, 1, 12_000_000);
    cluster.order(0, copy);
    assert_eq!(cluster.namenode.wait_for_bad_block(), 1);
}

/// Compares folders with memory every second.
fn often(_: &Path) -> Vec<(String, String)> {
    vec![("dfs.datanode.directoryscan.interval".to_owned(), "1".to_owned())]
}

#[test]
fn the_directory_scanner_makes_memory_right_and_deletes_nothing() {
    let cluster = Cluster::start_with(1, None, often);
    for id in 1..=4 {
        cluster.write(&[0], id, &random(700)).unwrap();
    }
    let dn = &cluster.datanodes[0];
    let file = |id| dn.finalized(id, 1_001);
    // Gone, without checksums, put there by somebody, and half of a block.
    fs::remove_file(file(1).0).unwrap();
    fs::remove_file(file(2).1).unwrap();
    fs::copy(file(3).0, file(7).0).unwrap();
    fs::copy(file(3).1, file(7).1).unwrap();
    fs::copy(file(3).0, file(8).0).unwrap();
    fs::write(file(3).0.with_file_name("notes"), b"not ours").unwrap();
    cluster.namenode.wait_for_deleted(1);
    assert_eq!(cluster.namenode.wait_for_bad_block(), 2);
    assert_eq!(cluster.namenode.wait_for_received(7, 1), (700, 1_001));
    assert_eq!(dn.read(&block(7, 1_001, 700), 0, 700), Answer::Bytes(random(700)));
    assert_eq!(dn.read(&block(4, 1_001, 700), 0, 700), Answer::Bytes(random(700)));
    for kept in [file(1).1, file(2).0, file(8).0, file(3).0.with_file_name("notes")] {
        assert!(kept.exists(), "{}", kept.display());
    }
}

#[test]
fn b8_blocks_that_are_written_and_deleted_during_scans_are_neither_lost_nor_brought_back() {
    let cluster = Cluster::start_with(1, None, often);
    for id in 1..=150 {
        cluster.write(&[0], id, &random(100)).unwrap();
        if id % 2 == 0 {
            cluster.namenode.give(invalidate(id));
        }
    }
    for id in 1..=150 {
        let read = cluster.datanodes[0].read(&block(id, 1_001, 100), 0, 100);
        if id % 2 == 1 {
            assert_eq!(read, Answer::Bytes(random(100)), "block {id}");
        } else {
            cluster.namenode.wait_for_deleted(id);
            assert_eq!(cluster.namenode.wait_for_received(id, 1), (100, 1_001));
            assert!(cluster.namenode.received(id) == 1, "block {id} came back");
        }
    }
}

#[test]
fn volumes_come_and_go_while_the_datanode_runs() {
    let cluster = Cluster::start_with(1, None, |folder| {
        vec![("dfs.datanode.data.dir".to_owned(), format!("{}/a", folder.display()))]
    });
    let dn = &cluster.datanodes[0];
    let (a, b) = (cluster.folder(0).join("a"), cluster.folder(0).join("b"));
    let set = |volumes: &[&Path]| {
        let texts: Vec<String> = volumes.iter().map(|path| path.display().to_string()).collect();
        dn.set_volumes(&texts.join(","))
    };
    cluster.write(&[0], 1, &random(700)).unwrap();
    cluster.namenode.wait_for_storages(1, 0);
    set(&[&a, &b]).unwrap();
    cluster.namenode.wait_for_storages(2, 0);

    // With the first volume its writer and its replicas go; new blocks go to the other one.
    let (mut second, mut third) = (cluster.begin_write(&[0], 2), cluster.begin_write(&[0], 3));
    let is_in_a = |id: u64| pool_folder(&a).join(format!("current/rbw/blk_{id}")).exists();
    assert!(is_in_a(2) != is_in_a(3), "volumes take turns");
    let cut = if is_in_a(2) { &mut second } else { &mut third };
    set(&[&b]).unwrap();
    cluster.namenode.wait_for_deleted(1);
    cluster.namenode.wait_for_storages(1, 0);
    let began = Instant::now();
    assert!(cut.is_cut() && began.elapsed() < Duration::from_secs(10));
    let gone = dn.read(&block(1, 1_001, 700), 0, 700);
    assert!(matches!(gone, Answer::Refused(_)), "{gone:?}");
    cluster.write(&[0], 4, &random(700)).unwrap();

    // A change that cannot be made changes nothing.
    let file = cluster.folder(0).join("file");
    fs::write(&file, b"a file where a folder should be").unwrap();
    let refused = set(&[&b, &a, &file]).unwrap_err();
    assert!(refused.message.starts_with("FAILED TO ADD: "), "{}", refused.message);
    let ssd = dn.set_volumes(&format!("[SSD]file://{}", b.display())).unwrap_err();
    assert_eq!(ssd.message, "Changing storage type is not allowed.");

    set(&[&b, &a]).unwrap();
    cluster.namenode.wait_for_storages(2, 0);
    for id in [1, 4] {
        assert_eq!(dn.read(&block(id, 1_001, 700), 0, 700), Answer::Bytes(random(700)));
    }
}
