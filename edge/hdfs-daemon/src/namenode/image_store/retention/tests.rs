//! What is left of a folder after a purge.

use std::path::PathBuf;
use std::sync::Arc;

use hdfs_conf::Configuration;

use super::*;
use crate::namenode::conf::NameNodeConf;
use crate::namenode::storage::NameDirs;

/// A name folder with files of these names.
struct Folder {
    root: PathBuf,
    conf: Configuration,
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

impl Folder {
    fn new(test: &str, names: &[&str]) -> Self {
        let root =
            std::env::temp_dir().join(format!("tusk-retention-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(root.join("current")).unwrap();
        for name in names {
            std::fs::write(root.join("current").join(long(name)), "").unwrap();
        }
        let mut conf = Configuration::new();
        conf.set("fs.defaultFS", "hdfs://127.0.0.1:0").unwrap();
        conf.set("dfs.namenode.name.dir", root.to_str().unwrap()).unwrap();
        Self { root, conf }
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        self.conf.set(key, value).unwrap();
        self
    }

    /// Purges after an image; the names that are left, short.
    fn purged(&self, newest: ImageFile) -> Vec<String> {
        let conf = NameNodeConf::new(&self.conf).unwrap();
        let dirs = Arc::new(NameDirs::lock(&conf.dirs, 1).unwrap());
        ImageStore::new(dirs, newest.txid(), &conf).purge(newest);
        let entries = std::fs::read_dir(self.root.join("current")).unwrap();
        let mut left: Vec<String> =
            entries.map(|entry| short(entry.unwrap().file_name().to_str().unwrap())).collect();
        left.sort();
        left
    }
}

/// `image 7`, `rollback 7`, `ckpt 7`, `edits 3-7`, `open 8` as file names.
fn long(name: &str) -> String {
    let (kind, numbers) = name.split_once(' ').unwrap();
    let padded: Vec<String> = numbers
        .split('-')
        .map(|number| {
            let digits = number.trim_end_matches(|c: char| !c.is_ascii_digit());
            let (digits, rest) = number.split_at(number.find('.').unwrap_or(digits.len()));
            format!("{:019}{rest}", digits.parse::<u64>().unwrap())
        })
        .collect();
    let prefix = match kind {
        "image" => "fsimage_",
        "rollback" => "fsimage_rollback_",
        "ckpt" => "fsimage.ckpt_",
        "edits" => "edits_",
        "open" => "edits_inprogress_",
        other => panic!("{other}"),
    };
    format!("{prefix}{}", padded.join("-"))
}

fn short(name: &str) -> String {
    let (prefix, numbers) = name.rsplit_once('_').unwrap();
    let kind = match prefix {
        "fsimage" => "image",
        "fsimage_rollback" => "rollback",
        "fsimage.ckpt" => "ckpt",
        "edits" => "edits",
        _ => "open",
    };
    let cut = |number: &str| {
        let cut = number.trim_start_matches('0');
        if cut.is_empty() { "0".to_owned() } else { cut.to_owned() }
    };
    format!("{kind} {}", numbers.split('-').map(cut).collect::<Vec<_>>().join("-"))
}

const EDITS: [&str; 5] =
    ["edits 1-10", "edits 11-100", "edits 101-200", "edits 201-300", "open 301"];

fn folder(test: &str, more: &[&str]) -> Folder {
    let names: Vec<&str> = EDITS.iter().chain(more).copied().collect();
    Folder::new(test, &names)
}

#[test]
fn the_newest_images_stay_with_the_edits_after_the_oldest_of_them() {
    let images =
        ["image 10", "image 10.md5", "image 100", "image 100.md5", "image 300", "ckpt 200"];
    let folder = folder("images", &images).set("dfs.namenode.num.extra.edits.retained", "0");
    let left = folder.purged(ImageFile::Image(TxId(300)));
    assert_eq!(
        left,
        ["edits 101-200", "edits 201-300", "image 100", "image 100.md5", "image 300", "open 301"]
    );
}

#[test]
fn fewer_images_than_may_stay_all_stay() {
    let folder = folder("few", &["image 100"]).set("dfs.namenode.num.extra.edits.retained", "0");
    let left = folder.purged(ImageFile::Image(TxId(100)));
    assert_eq!(left, ["edits 101-200", "edits 201-300", "image 100", "open 301"]);
    let folder = folder.set("dfs.namenode.num.checkpoints.retained", "5");
    assert_eq!(folder.purged(ImageFile::Image(TxId(100))), left);
}

#[test]
fn extra_edits_stay_up_to_a_number_of_transactions_and_of_segments() {
    let image = ImageFile::Image(TxId(300));
    // 301 - 150 = 151 lies in the segment 101-200: all of it stays.
    let by_txns =
        folder("txns", &["image 300"]).set("dfs.namenode.num.extra.edits.retained", "150");
    assert_eq!(by_txns.purged(image), ["edits 101-200", "edits 201-300", "image 300", "open 301"]);
    let by_segments = folder("segments", &["image 300"])
        .set("dfs.namenode.max.extra.edits.segments.retained", "1");
    assert_eq!(by_segments.purged(image), ["edits 201-300", "image 300", "open 301"]);
}

#[test]
fn images_from_before_rolling_upgrades_are_counted_apart_and_cost_no_edits() {
    let more = ["image 10", "rollback 10", "rollback 100", "rollback 200"];
    let folder = folder("rollback", &more).set("dfs.namenode.num.extra.edits.retained", "0");
    let left = folder.purged(ImageFile::Rollback(TxId(200)));
    let mut expected: Vec<&str> = EDITS.to_vec();
    expected.extend(["image 10", "rollback 100", "rollback 200"]);
    expected.sort_unstable();
    assert_eq!(left, expected);
}
