//! Folders of old layouts, upgraded, stopped in between, and finalized.

use super::*;
use hdfs_types::WallMillis;

/// A folder of a test, deleted at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("tusk-datanode-upgrade-{test}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).expect("a folder is made");
        Self(root)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const POOL: &str = "BP-1-127.0.0.1-1";

fn wanted() -> BlockPoolVersion {
    BlockPoolVersion::new(7, WallMillis(5), POOL.into())
}

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder is made");
    fs::write(path, text).expect("a file is written");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("it is there")
}

fn new_version() -> DataNodeVersion {
    DataNodeVersion::new("CID-1".to_owned(), "DS-new".into(), "uuid".into())
}

fn old_version(root: &Path, layout: i32) -> DataNodeVersion {
    let text = format!(
        "namespaceID=7\nstorageID=DS-1-127.0.0.1-50010-1\ncTime=0\nstorageType=DATA_NODE\nlayoutVersion={layout}\n"
    );
    write(root.join("current/VERSION"), &text);
    DataNodeVersion::parse("VERSION", text.as_bytes()).expect("it is of that time")
}

#[test]
fn a_flat_volume_becomes_a_pool_and_keeps_its_old_state() {
    let root = Folder::new("flat");
    let root = root.path();
    let old = old_version(root, -32);
    assert!(!old.has_valid_storage_uuid());
    let current = root.join("current");
    write(current.join("blk_-5264261304532878384"), "data");
    write(current.join("blk_-5264261304532878384_1001.meta"), "meta");
    write(current.join("subdir3/subdir9/blk_65793"), "short");
    write(current.join("subdir3/subdir9/blk_65793_7.meta"), "old");
    write(current.join("subdir4/blk_65793"), "longest");
    write(current.join("subdir4/blk_65793_8.meta"), "new");
    write(current.join("dncp_block_verification.log.curr"), "log");
    write(root.join("blocksBeingWritten/blk_9"), "open");
    fs::create_dir_all(current.join("detach")).expect("a folder is made");
    before_federation(root, &old, &new_version(), &wanted()).expect("it is upgraded");
    let pool = root.join("current").join(POOL).join("current");
    assert_eq!(read(&pool.join("finalized/subdir1/subdir1/blk_65793")), "longest");
    assert_eq!(read(&pool.join("finalized/subdir1/subdir1/blk_65793_8.meta")), "new");
    let place = layout::finalized_subdir(hdfs_types::BlockId(-5_264_261_304_532_878_384));
    assert_eq!(read(&pool.join("finalized").join(place).join("blk_-5264261304532878384")), "data");
    assert_eq!(read(&pool.join("rbw/blk_9")), "open");
    assert_eq!(read(&root.join("previous/subdir3/subdir9/blk_65793")), "short");
    let version = read(&root.join("current/VERSION"));
    assert!(version.contains("layoutVersion=-57") && version.contains("clusterID=CID-1"));
    assert!(read(&pool.join("VERSION")).contains("cTime=5"));

    // What changes now does not change the old state.
    let linked = pool.join("rbw/blk_9");
    unlink_before_change(&linked).expect("it is copied");
    fs::write(&linked, "more").expect("it is written");
    assert_eq!(read(&root.join("blocksBeingWritten/blk_9")), "open");

    finalize(root, &POOL.into()).expect("the old state is deleted");
    assert!(!root.join("previous").exists() && !root.join("blocksBeingWritten").exists());
    assert_eq!(read(&pool.join("finalized/subdir1/subdir1/blk_65793")), "longest");
}

#[test]
fn a_volume_of_another_namespace_stays_as_it_is() {
    let root = Folder::new("namespace");
    let old = old_version(root.path(), -33);
    let other = BlockPoolVersion::new(8, WallMillis(5), POOL.into());
    let error =
        before_federation(root.path(), &old, &new_version(), &other).expect_err("it is not ours");
    assert!(error.message.contains("namenode namespaceID = 8; datanode namespaceID = 7"));
    assert!(root.path().join("current/VERSION").exists() && !root.path().join("previous").exists());
}

/// A pool of layout -56: blocks in 256 x 256 folders.
fn old_pool(root: &Path) -> PathBuf {
    let current = root.join("current").join(POOL).join("current");
    let version = BlockPoolVersion { layout_version: -56, ..wanted() };
    write(current.join("VERSION"), &version.print(WallMillis(0)));
    write(current.join("finalized/subdir64/subdir200/blk_1077987328"), "data");
    write(current.join("finalized/subdir64/subdir200/blk_1077987328_3.meta"), "meta");
    write(current.join("rbw/blk_5"), "open");
    current
}

#[test]
fn a_pool_of_an_older_layout_gets_the_folders_of_this_one() {
    let root = Folder::new("pool");
    let current = old_pool(root.path());
    pool(root.path(), &wanted(), StartOption::Regular).expect("it is upgraded");
    let place = layout::finalized_subdir(hdfs_types::BlockId(1_077_987_328));
    assert_eq!(read(&current.join("finalized").join(place).join("blk_1077987328_3.meta")), "meta");
    assert_eq!(read(&current.join("rbw/blk_5")), "open");
    assert!(read(&current.join("VERSION")).contains("layoutVersion=-57"));
    let previous = current.with_file_name("previous");
    assert_eq!(read(&previous.join("finalized/subdir64/subdir200/blk_1077987328")), "data");
    pool(root.path(), &wanted(), StartOption::Regular).expect("there is nothing more to do");
    assert!(previous.exists());
    finalize(root.path(), &POOL.into()).expect("the old state is deleted");
    assert!(!previous.exists());
}

#[test]
fn an_upgrade_that_stopped_is_undone_and_done_again_or_completed() {
    let root = Folder::new("stopped");
    let current = old_pool(root.path());
    let pool_root = current.with_file_name("");
    // Stopped while blocks were linked.
    fs::rename(&current, pool_root.join("previous.tmp")).expect("it is moved");
    write(current.join("finalized/subdir0/subdir0/blk_1"), "half");
    pool(root.path(), &wanted(), StartOption::Regular).expect("it is undone, then done");
    assert!(!current.join("finalized/subdir0/subdir0/blk_1").exists());
    assert!(pool_root.join("previous").exists() && !pool_root.join("previous.tmp").exists());
    // Stopped before the last step.
    fs::rename(pool_root.join("previous"), pool_root.join("previous.tmp")).expect("it is moved");
    pool(root.path(), &wanted(), StartOption::Regular).expect("it is completed");
    assert!(pool_root.join("previous").exists());
    assert!(read(&current.join("VERSION")).contains("layoutVersion=-57"));
}

/// A pool of this layout with one block.
fn new_pool(root: &Path) -> PathBuf {
    let current = root.join("current").join(POOL).join("current");
    write(current.join("VERSION"), &wanted().print(WallMillis(0)));
    write(current.join("finalized/subdir0/subdir0/blk_1"), "data");
    write(current.join("finalized/subdir0/subdir0/blk_1_3.meta"), "meta");
    fs::create_dir_all(current.join("rbw")).expect("a folder is made");
    current
}

#[test]
fn blocks_of_before_an_upgrade_of_the_namespace_come_back_with_it() {
    let root = Folder::new("ctime");
    let current = new_pool(root.path());
    let upgraded = BlockPoolVersion::new(7, WallMillis(9), POOL.into());
    pool(root.path(), &upgraded, StartOption::Regular).expect("it is upgraded");
    assert!(read(&current.join("VERSION")).contains("cTime=9"));
    fs::remove_dir_all(current.join("finalized/subdir0")).expect("blocks are deleted");
    write(current.join("finalized/subdir0/subdir0/blk_2"), "new");

    let refused = pool(root.path(), &wanted(), StartOption::Regular).expect_err("it is newer");
    assert!(refused.message.contains("CTime = 9 is newer than the namespace state"), "{refused}");
    pool(root.path(), &wanted(), StartOption::Rollback).expect("it is rolled back");
    assert_eq!(read(&current.join("finalized/subdir0/subdir0/blk_1")), "data");
    assert!(!current.join("finalized/subdir0/subdir0/blk_2").exists());
    let pool_root = current.with_file_name("");
    assert!(!pool_root.join("previous").exists() && !pool_root.join("removed.tmp").exists());
    pool(root.path(), &wanted(), StartOption::Rollback).expect("there is nothing more to do");
}

#[test]
fn the_trash_comes_back_and_overwrites_nothing_that_is_longer() {
    let root = Folder::new("trash");
    let current = new_pool(root.path());
    let trash = current.with_file_name("trash/finalized/subdir0");
    write(trash.join("subdir0/blk_1"), "cut");
    write(trash.join("subdir1/blk_257"), "back");
    write(trash.join("subdir1/blk_257_4.meta"), "meta");
    write(current.with_file_name("RollingUpgradeInProgress"), "");
    pool(root.path(), &wanted(), StartOption::Regular).expect("nothing is done");
    assert!(trash.exists());
    pool(root.path(), &wanted(), StartOption::Rollback).expect("it is restored");
    assert_eq!(read(&current.join("finalized/subdir0/subdir0/blk_1")), "data");
    assert_eq!(read(&current.join("finalized/subdir0/subdir1/blk_257")), "back");
    assert!(!current.with_file_name("trash").exists());
    assert!(!current.with_file_name("RollingUpgradeInProgress").exists());
}
