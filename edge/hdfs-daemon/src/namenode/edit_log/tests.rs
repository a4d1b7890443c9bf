//! The log on real folders: what was acknowledged is read back, whatever became of a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdfs_format::edits::{EditOp, SetGenstampV2Op};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{GenerationStamp, TxId};

use super::EditLog;
use crate::namenode::inventory::Inventory;
use crate::namenode::progress::StartupProgress;
use crate::namenode::replay;
use crate::namenode::storage::{DirSpec, NameDirs};

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tusk-edit-log-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        for name in ["a", "b"] {
            std::fs::create_dir_all(path.join(name).join("current")).unwrap();
        }
        Self(path)
    }

    fn dirs(&self) -> Arc<NameDirs> {
        let spec =
            |name| DirSpec { root: self.0.join(name), image: true, edits: true, required: false };
        Arc::new(NameDirs::lock(&[spec("a"), spec("b")], 1).unwrap())
    }

    fn current(&self, name: &str) -> PathBuf {
        self.0.join(name).join("current")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn op(stamp: u64) -> EditOp {
    EditOp::SetGenstampV2(SetGenstampV2Op { generation_stamp: GenerationStamp(stamp) })
}

/// Logs transactions `from` to `to` in one segment that begins at `from`; leaves it open.
fn write(dirs: &Arc<NameDirs>, from: u64, to: u64) -> EditLog {
    let log =
        EditLog::start(dirs.clone(), TxId(from - 1), NAMENODE_LAYOUT_VERSION, |_| {}).unwrap();
    log.enqueue(&mut vec![(TxId(from), EditOp::StartLogSegment)]);
    for txid in from + 1..=to {
        log.enqueue(&mut vec![(TxId(txid), op(txid))]);
    }
    log.wait_synced(TxId(to)).unwrap();
    log
}

fn read(dirs: &NameDirs) -> hdfs_types::Result<Vec<u64>> {
    let inventory = Inventory::of(dirs)?;
    let mut seen = Vec::new();
    replay::replay(&inventory, TxId(0), 1 << 20, &StartupProgress::new(), |txid, _| {
        seen.push(txid.0);
        Ok(())
    })?;
    Ok(seen)
}

fn names(current: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(current).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("edits"))
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_synced_is_replayed_after_a_kill_and_across_a_roll() {
    let folder = Folder::new("roll");
    let dirs = folder.dirs();
    let log = write(&dirs, 1, 100);
    log.enqueue(&mut vec![
        (TxId(101), EditOp::EndLogSegment),
        (TxId(102), EditOp::StartLogSegment),
        (TxId(103), op(103)),
    ]);
    log.wait_synced(TxId(103)).unwrap();
    // The segment is not ended: as after a kill.
    log.stop();
    assert_eq!(
        names(&folder.current("a")),
        ["edits_0000000000000000001-0000000000000000101", "edits_inprogress_0000000000000000102"]
    );
    assert_eq!(read(&dirs).unwrap(), (1..=103).collect::<Vec<_>>());
    replay::finalize_unfinished(&Inventory::of(&dirs).unwrap()).unwrap();
    assert_eq!(
        names(&folder.current("b")),
        [
            "edits_0000000000000000001-0000000000000000101",
            "edits_0000000000000000102-0000000000000000103"
        ]
    );
    assert_eq!(read(&dirs).unwrap(), (1..=103).collect::<Vec<_>>());
}

#[test]
fn a_damaged_copy_is_healed_by_the_other_folder_and_a_torn_tail_is_cut() {
    let folder = Folder::new("torn");
    let dirs = folder.dirs();
    write(&dirs, 1, 50).stop();
    let name = "edits_inprogress_0000000000000000001";
    let (a, b) = (folder.current("a").join(name), folder.current("b").join(name));
    let whole = std::fs::read(&a).unwrap();
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    std::fs::write(&b, &damaged).unwrap();
    assert_eq!(read(&dirs).unwrap().len(), 50);

    let end = whole.iter().rposition(|byte| *byte != 0xFF).unwrap();
    let torn = &whole[..end - 3];
    std::fs::write(&a, torn).unwrap();
    assert!(read(&dirs).is_err(), "the damaged copy says that a transaction 50 was there");

    std::fs::write(&b, torn).unwrap();
    assert_eq!(read(&dirs).unwrap().len(), 49);
    replay::finalize_unfinished(&Inventory::of(&dirs).unwrap()).unwrap();
    assert_eq!(names(&folder.current("a")), ["edits_0000000000000000001-0000000000000000049"]);
    assert_eq!(read(&dirs).unwrap().len(), 49);
}

#[test]
fn damage_below_the_end_and_missing_segments_refuse_to_start() {
    let folder = Folder::new("damage");
    let dirs = folder.dirs();
    let log = write(&dirs, 1, 50);
    log.enqueue(&mut vec![(TxId(51), EditOp::EndLogSegment), (TxId(52), EditOp::StartLogSegment)]);
    log.wait_synced(TxId(52)).unwrap();
    log.stop();
    let finalized = "edits_0000000000000000001-0000000000000000051";
    for name in ["a", "b"] {
        let path = folder.current(name).join(finalized);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
    }
    let error = read(&dirs).unwrap_err();
    assert!(error.message.contains("is damaged at offset"), "{error}");
    for name in ["a", "b"] {
        std::fs::remove_file(folder.current(name).join(finalized)).unwrap();
    }
    let error = read(&dirs).unwrap_err();
    assert!(error.message.contains("We expected txid 1, but got txid 52"), "{error}");
    for name in ["a", "b"] {
        std::fs::remove_file(folder.current(name).join("edits_inprogress_0000000000000000052"))
            .unwrap();
    }
    let error = read(&dirs).unwrap_err();
    assert!(
        error.message.contains("Expected to be able to read up until at least txid 52"),
        "{error}"
    );
}

#[test]
fn a_lost_folder_is_dropped_and_the_last_one_stops_the_log() {
    let folder = Folder::new("lost");
    let dirs = folder.dirs();
    let (send, told) = std::sync::mpsc::channel();
    let log = EditLog::start(dirs.clone(), TxId(0), NAMENODE_LAYOUT_VERSION, move |why| {
        send.send(why.to_owned()).unwrap()
    })
    .unwrap();
    log.enqueue(&mut vec![(TxId(1), EditOp::StartLogSegment)]);
    log.wait_synced(TxId(1)).unwrap();
    std::fs::remove_dir_all(folder.current("a")).unwrap();
    log.enqueue(&mut vec![(TxId(2), EditOp::EndLogSegment), (TxId(3), EditOp::StartLogSegment)]);
    log.wait_synced(TxId(3)).unwrap();
    assert_eq!(dirs.live().count(), 1);
    std::fs::remove_dir_all(folder.current("b")).unwrap();
    log.enqueue(&mut vec![(TxId(4), EditOp::EndLogSegment), (TxId(5), EditOp::StartLogSegment)]);
    assert!(log.wait_synced(TxId(5)).is_err());
    assert!(told.recv().unwrap().contains("dfs.namenode.edits.dir.minimum"));
    log.stop();
}

#[test]
fn many_waiters_are_released_in_one_batch() {
    let folder = Folder::new("group");
    let dirs = folder.dirs();
    let log = Arc::new(write(&dirs, 1, 1));
    let next = Arc::new(parking_lot::Mutex::new(1));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let txid = {
                        let mut next = next.lock();
                        *next += 1;
                        log.enqueue(&mut vec![(TxId(*next), op(*next))]);
                        TxId(*next)
                    };
                    log.wait_synced(txid).unwrap();
                    assert!(log.is_synced(txid));
                }
            });
        }
    });
    log.stop();
    assert_eq!(read(&dirs).unwrap(), (1..=1_601).collect::<Vec<_>>());
}
