//! The disk helpers on a real file system.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("hdfs-rt-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        create_dir_all_durable(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_atomic_write_replaces_and_leaves_no_temporary_file() {
    let folder = Folder::new();
    let path = folder.0.join("seen_txid");
    write_file_atomic(&path, b"1\n").unwrap();
    write_file_atomic(&path, b"27\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"27\n");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn an_abandoned_atomic_file_leaves_the_old_content() {
    let folder = Folder::new();
    let path = folder.0.join("VERSION");
    write_file_atomic(&path, b"old").unwrap();
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(b"half of the n").unwrap();
    drop(file);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
fn a_storage_folder_is_locked_once() {
    let folder = Folder::new();
    let lock = StorageLock::acquire(&folder.0).unwrap();
    let text = fs::read_to_string(folder.0.join("in_use.lock")).unwrap();
    assert_eq!(text, format!("{}@{}", std::process::id(), crate::host::host_name()));
    let error = StorageLock::acquire(&folder.0).unwrap_err();
    assert!(matches!(&error, DiskError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("The directory is already locked"), "{error}");
    drop(lock);
    StorageLock::acquire(&folder.0).unwrap();
}

#[test]
fn errors_name_the_path_and_what_to_do() {
    let folder = Folder::new();
    let missing = folder.0.join("none").join("file");
    let error: Error = write_file_atomic(&missing, b"").unwrap_err().into();
    assert_eq!(error.kind, ErrorKind::FileNotFound);
    assert!(error.message.contains("none/file.tmp"), "{error}");
    assert!(error.message.contains("check that the folder exists"), "{error}");
}

#[test]
fn free_space_is_less_than_capacity() {
    let space = disk_space(&std::env::temp_dir()).unwrap();
    assert!(space.available <= space.free && space.free <= space.capacity, "{space:?}");
    assert!(space.capacity > 0);
}

#[test]
fn a_file_holds_what_was_written_in_pieces_of_any_length() {
    let folder = Folder::new();
    let path = folder.0.join("image");
    let expected: Vec<u8> = (0..1_000_003_u32).map(|at| (at % 251) as u8).collect();
    for room in [4_096, 65_536, 5_000] {
        let mut file = DirectFile::create(&path).unwrap();
        let mut buffer = DirectBuffer::with_room(room);
        let mut rest = expected.as_slice();
        while !rest.is_empty() {
            buffer.clear();
            let taken = buffer.fill(rest);
            rest = &rest[taken..];
            assert_eq!(buffer.is_full(), taken == room);
            file.write_all(buffer.as_slice()).unwrap();
        }
        assert!(!file.is_direct(), "the last piece is no multiple of a page");
        assert!(fs::read(&path).unwrap() == expected, "pieces of {room}");
    }
}

#[test]
fn buffers_lie_where_direct_writes_want_them() {
    for room in [4_096, 1 << 20] {
        let mut buffer = DirectBuffer::with_room(room);
        assert_eq!(buffer.fill(&vec![7; room + 1]), room);
        assert_eq!(buffer.as_slice().as_ptr().align_offset(4_096), 0);
    }
}
