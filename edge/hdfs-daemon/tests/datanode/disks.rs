//! What a DataNode makes of its disks: after a crash, when they fail, and when nobody looks at them.

use std::fs;
use std::path::PathBuf;

use super::harness::{Answer, Cluster, block, random};

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
