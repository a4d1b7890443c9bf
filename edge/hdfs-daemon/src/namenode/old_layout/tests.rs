//! Name folders of old layouts: refused, upgraded, and not rolled back by software that did not write them.

use hdfs_conf::Configuration;
use hdfs_format::reserved_names::ReservedNames;

use super::*;
use crate::namenode::start_option::{StartOption, UpgradeOptions};
use crate::namenode::startup::Loaded;
use crate::namenode::{metadata_version, rollback};

/// Folders of a test, deleted at its end.
struct Site {
    root: PathBuf,
    conf: Configuration,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

impl Site {
    /// Folders `a`, `b`, … of a layout, which hold the same files.
    fn new(test: &str, layout: i32, dirs: &[&str], files: &[(&str, &[u8])]) -> Self {
        let root = std::env::temp_dir().join(format!("tusk-old-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let roots: Vec<String> =
            dirs.iter().map(|dir| root.join(dir).display().to_string()).collect();
        let mut conf = Configuration::new();
        for (key, value) in [
            ("fs.defaultFS", "hdfs://127.0.0.1:0"),
            ("dfs.namenode.http-address", "127.0.0.1:0"),
            ("dfs.namenode.name.dir", &*roots.join(",")),
        ] {
            conf.set(key, value).unwrap();
        }
        let site = Self { root, conf };
        for dir in dirs {
            let version = format!(
                "namespaceID=-77\ncTime=0\nstorageType=NAME_NODE\nlayoutVersion={layout}\n"
            );
            site.write(dir, VERSION, version.as_bytes());
            files.iter().for_each(|(name, bytes)| site.write(dir, name, bytes));
        }
        site
    }

    fn write(&self, dir: &str, name: &str, bytes: &[u8]) {
        let current = self.root.join(dir).join("current");
        std::fs::create_dir_all(&current).unwrap();
        std::fs::write(current.join(name), bytes).unwrap();
    }

    fn load(&self, option: &StartOption) -> Result<Loaded> {
        startup::load(&NameNodeConf::new(&self.conf)?, option, &StartupProgress::new())
    }
}

fn upgrade() -> StartOption {
    StartOption::Upgrade(UpgradeOptions::default())
}

/// `edits` of a layout without transaction ids, with nothing in it.
fn empty_edits(layout: i32) -> [u8; 4] {
    layout.to_be_bytes()
}

const IMAGE_44: &[u8] = include_bytes!("../../../../../testdata/hadoop-3.5.0/legacy/layout-44");

#[test]
fn folders_without_transaction_ids_are_upgraded_once_they_may() {
    let (edits, time) = (empty_edits(-44), 5_i64.to_be_bytes());
    let files = [(IMAGE, IMAGE_44), (EDITS, &edits[..]), (TIME, &time[..])];
    let site = Site::new("upgrade", -44, &["a", "b"], &files);
    assert_eq!(metadata_version(&site.conf).unwrap(), (-44, -67));
    let refused = site.load(&StartOption::Regular).err().unwrap().message;
    assert!(refused.contains("File system image contains an old layout version -44."), "{refused}");
    let loaded = site.load(&upgrade()).unwrap();
    let inodes = loaded.machine.inode_count();
    assert!(!loaded.machine.is_upgrade_finalized());
    drop(loaded);
    assert_eq!(metadata_version(&site.conf).unwrap(), (-67, -67));
    assert_eq!(site.load(&StartOption::Regular).unwrap().machine.inode_count(), inodes);
    for dir in ["a", "b"] {
        let previous = site.root.join(dir).join("previous");
        assert_eq!(std::fs::read(previous.join(IMAGE)).unwrap(), IMAGE_44);
    }
    let refused = rollback(&site.conf).unwrap_err().message;
    assert!(refused.contains("Cannot rollback to storage version -44"), "{refused}");
}

#[test]
fn folders_of_different_checkpoints_are_refused() {
    let edits = empty_edits(-44);
    let site = Site::new("times", -44, &["a", "b"], &[(EDITS, &edits)]);
    site.write("a", IMAGE, IMAGE_44);
    site.write("a", TIME, &5_i64.to_be_bytes());
    site.write("b", TIME, &6_i64.to_be_bytes());
    let refused = site.load(&upgrade()).err().unwrap().message;
    assert!(refused.starts_with("Inconsistent storage detected"), "{refused}");
    assert!(!site.root.join("a/previous").exists());
    // A checkpoint of which the edits are gone took the place of the image.
    site.write("b", TIME, &5_i64.to_be_bytes());
    site.write("a", IMAGE, b"\xFF\xFF\xFF\xD4damaged");
    site.write("a", IMAGE_NEW, IMAGE_44);
    assert!(site.load(&upgrade()).is_ok());
}

#[test]
fn the_digest_in_version_is_that_of_the_image() {
    let edits = empty_edits(-33);
    let image = [(-33_i32).to_be_bytes().as_slice(), &[0; 60]].concat();
    let site = Site::new("digest", -33, &["a"], &[(EDITS, &edits), (IMAGE, &image)]);
    let missing = site.load(&upgrade()).err().unwrap().message;
    assert!(missing.contains("Message digest property imageMD5Digest not set"), "{missing}");
    let digits = "0123456789abcdef0123456789abcdef";
    let version = format!(
        "namespaceID=-77\ncTime=0\nstorageType=NAME_NODE\nlayoutVersion=-33\nimageMD5Digest={digits}\n"
    );
    site.write("a", VERSION, version.as_bytes());
    let wrong = site.load(&upgrade()).err().unwrap().message;
    assert!(wrong.contains(&format!("but expecting {digits}")), "{wrong}");
}

/// An edit log of layout -41 that makes `/.snapshot`; its operations have checksums but no transaction ids.
fn reserved_edits() -> Vec<u8> {
    let mut out = (-41_i32).to_be_bytes().to_vec();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u16).to_be_bytes());
        out.extend(text.as_bytes());
    };
    // OP_MKDIR: the number of texts, path, two times, then owner, group and mode.
    out.push(3);
    out.extend(3_i32.to_be_bytes());
    text(&mut out, "/.snapshot");
    text(&mut out, "7");
    text(&mut out, "0");
    out.extend([5]);
    out.extend(b"alice");
    out.extend([5]);
    out.extend(b"staff");
    out.extend(0o755_i16.to_be_bytes());
    out
}

#[test]
fn names_that_are_reserved_today_are_renamed_when_it_was_asked_for() {
    let edits = reserved_edits();
    // A root, no open file, no keys, no tokens.
    let mut image = (-41_i32).to_be_bytes().to_vec();
    image.extend((-77_i32).to_be_bytes());
    image.extend(1_i64.to_be_bytes());
    image.extend(1_000_i64.to_be_bytes());
    image.extend([0; 2 + 2 + 8 + 8 + 8]);
    image.extend((-1_i32).to_be_bytes());
    image.extend(i64::from(i32::MAX).to_be_bytes());
    image.extend((-1_i64).to_be_bytes());
    image.extend(b"\x05alice\x05staff\x01\xED");
    image.extend([0; 4 + 16]);
    let site = Site::new("reserved", -41, &["a"], &[(EDITS, &edits), (IMAGE, &image)]);
    let refused = site.load(&upgrade()).err().unwrap().message;
    assert!(
        refused.contains("upgrade with the -renameReserved [key-value pairs] option"),
        "{refused}"
    );
    assert!(!site.root.join("a/previous").exists());
    let reserved_names = ReservedNames::parse(".snapshot=was-snapshot").unwrap();
    let options = UpgradeOptions { reserved_names, ..UpgradeOptions::default() };
    let loaded = site.load(&StartOption::Upgrade(options)).unwrap();
    assert_eq!((loaded.last, loaded.machine.inode_count()), (TxId(1), 2));
    let image = std::fs::read(site.root.join("a/current/fsimage_0000000000000000001")).unwrap();
    assert!(String::from_utf8_lossy(&image).contains("was-snapshot"));
}
