//! Readers of a log on real folders.

use std::path::PathBuf;

use hdfs_format::edits::{self, SetGenstampV2Op};
use hdfs_types::GenerationStamp;

use super::*;
use crate::namenode::storage::DirSpec;

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tusk-tail-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        for name in ["a", "b"] {
            std::fs::create_dir_all(path.join(name).join("current")).unwrap();
        }
        Self(path)
    }

    fn dirs(&self) -> NameDirs {
        let spec =
            |name| DirSpec { root: self.0.join(name), image: true, edits: true, required: false };
        NameDirs::lock(&[spec("a"), spec("b")], 1).unwrap()
    }

    /// Writes a segment to both folders; one in progress has unused space behind it.
    fn write(&self, name: &str, first: u64, last: u64) {
        let mut bytes = Vec::new();
        edits::encode_header(&mut bytes);
        for txid in first..=last {
            edits::encode_op(&mut bytes, TxId(txid), &op(txid));
        }
        if name.contains("inprogress") {
            bytes.resize(bytes.len() + 3 * WINDOW_BYTES, edits::FILL);
        }
        for dir in ["a", "b"] {
            std::fs::write(self.0.join(dir).join("current").join(name), &bytes).unwrap();
        }
    }

    fn path(&self, dir: &str, name: &str) -> PathBuf {
        self.0.join(dir).join("current").join(name)
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

/// What one call reads, at most so many.
fn read(tail: &LogTail, dirs: &NameDirs, from: u64, durable: u64, most: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    tail.read(dirs, TxId(from), TxId(durable), 1 << 20, |txid, found| {
        assert_eq!(found, &op(txid.0));
        seen.push(txid.0);
        if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    seen
}

#[test]
fn a_reader_goes_on_where_it_stopped_and_never_past_the_durable_end() {
    let folder = Folder::new("places");
    let dirs = folder.dirs();
    // More than a window holds.
    let last = 3 * WINDOW_BYTES as u64 / 25;
    folder.write(&edits::finalized_name(TxId(1), TxId(1000)), 1, 1000);
    folder.write(&edits::in_progress_name(TxId(1001)), 1001, last);
    let tail = LogTail::default();
    let durable = last - 7;
    let mut next = 1;
    while next <= durable {
        let seen = read(&tail, &dirs, next, durable, 999);
        assert_eq!(seen, (next..=durable).take(999).collect::<Vec<_>>());
        next += seen.len() as u64;
    }
    assert!(read(&tail, &dirs, next, durable, 10).is_empty());
    assert_eq!(read(&tail, &dirs, next, last, 10), (next..=last).collect::<Vec<_>>());
    // Another reader, further back than any place that is remembered for the segment.
    assert_eq!(read(&tail, &dirs, 500, last, usize::MAX), (500..=last).collect::<Vec<_>>());
}

#[test]
fn purged_transactions_are_left_out_at_the_start_and_a_damaged_copy_is_healed() {
    let folder = Folder::new("purged");
    let dirs = folder.dirs();
    let second = edits::finalized_name(TxId(11), TxId(20));
    folder.write(&second, 11, 20);
    folder.write(&edits::finalized_name(TxId(31), TxId(40)), 31, 40);
    let mut bytes = std::fs::read(folder.path("a", &second)).unwrap();
    bytes[120] ^= 1;
    std::fs::write(folder.path("a", &second), &bytes).unwrap();
    let tail = LogTail::default();
    assert_eq!(read(&tail, &dirs, 3, 40, 100), (11..=20).collect::<Vec<_>>(), "up to the gap");
    assert_eq!(read(&tail, &dirs, 21, 40, 100), (31..=40).collect::<Vec<_>>());
    std::fs::write(folder.path("b", &second), &bytes).unwrap();
    let outcome = tail.read(&dirs, TxId(11), TxId(40), 1 << 20, |_, _| ControlFlow::Continue(()));
    assert!(outcome.unwrap_err().message.contains("damaged"));
}
