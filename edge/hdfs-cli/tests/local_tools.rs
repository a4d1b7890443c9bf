//! The tools that need no cluster, on files that Apache Hadoop 3.5.0 wrote (`testdata/hadoop-3.5.0`).

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0")
}

/// A folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("local-tools-{name}"));
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn hdfs(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hdfs")).args(args).current_dir(dir).output().unwrap()
}

/// The only file below `folder` whose path ends so.
fn find(folder: &Path, end: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                return path;
            }
        }
    }
    panic!("nothing ends with {end}");
}

#[test]
fn a_segment_becomes_xml_and_the_same_segment_again() {
    let dir = scratch("oev");
    let segment =
        find(&testdata().join("namenode"), "edits_0000000000000000001-0000000000000000208");
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(dir.join("edits"), &bytes).unwrap();
    assert!(hdfs(&dir, &["oev", "-i", "edits", "-o", "edits.xml"]).status.success());
    let back = hdfs(&dir, &["oev", "-i", "edits.xml", "-o", "again", "-p", "binary"]);
    assert!(back.status.success(), "{back:?}");
    assert!(hdfs(&dir, &["oev", "-i", "again", "-o", "again.xml"]).status.success());
    let xml = std::fs::read_to_string(dir.join("edits.xml")).unwrap();
    assert_eq!(xml, std::fs::read_to_string(dir.join("again.xml")).unwrap());
}

#[test]
fn recovery_skips_what_is_damaged_and_says_so() {
    let dir = scratch("oev-recover");
    let segment =
        find(&testdata().join("namenode"), "edits_0000000000000000001-0000000000000000208");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[600] ^= 0x40;
    std::fs::write(dir.join("edits"), &bytes).unwrap();
    let strict = hdfs(&dir, &["oev", "-i", "edits", "-o", "strict.xml"]);
    assert_eq!(strict.status.code(), Some(255));
    let lenient = hdfs(&dir, &["oev", "-r", "-i", "edits", "-o", "lenient.xml"]);
    assert!(lenient.status.success(), "{lenient:?}");
    assert!(String::from_utf8_lossy(&lenient.stderr).contains("skipped: "));
    let count =
        |name: &str| std::fs::read_to_string(dir.join(name)).unwrap().matches("<RECORD>").count();
    assert!(count("lenient.xml") > count("strict.xml"));
}

#[test]
fn a_block_is_compared_with_its_meta_file() {
    let dir = scratch("debug");
    let meta = find(&testdata().join("volume"), ".meta");
    let (block, _) = meta.to_str().unwrap().rsplit_once('_').unwrap();
    let mut bytes = std::fs::read(block).unwrap();
    std::fs::copy(&meta, dir.join("meta")).unwrap();
    std::fs::write(dir.join("block"), &bytes).unwrap();
    let good = hdfs(&dir, &["debug", "verifyMeta", "-meta", "meta", "-block", "block"]);
    assert!(good.status.success(), "{good:?}");
    let made = hdfs(&dir, &["debug", "computeMeta", "-block", "block", "-out", "made"]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::read(dir.join("made")).unwrap(), std::fs::read(&meta).unwrap());
    let again = hdfs(&dir, &["debug", "computeMeta", "-block", "block", "-out", "made"]);
    assert_eq!(again.status.code(), Some(5));
    bytes[3] ^= 1;
    std::fs::write(dir.join("block"), &bytes).unwrap();
    let bad = hdfs(&dir, &["debug", "verifyMeta", "-meta", "meta", "-block", "block"]);
    assert_eq!(bad.status.code(), Some(1));
    let text = String::from_utf8_lossy(&bad.stdout);
    assert!(text.contains("not matched for file block at position 0: expected="), "{text}");
}
