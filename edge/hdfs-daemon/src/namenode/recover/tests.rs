//! Recovery on real folders: what is asked, what is kept, and that a later start never reads what was given up.

use std::path::PathBuf;

use hdfs_conf::Configuration;
use hdfs_format::edits::{self, EditOp, MkdirOp};
use hdfs_types::{FsPermission, INodeId, PermissionStatus, TxId, WallMillis};

use super::{Choice, Dialog, Recovered, recover_with};
use crate::namenode::conf::NameNodeConf;
use crate::namenode::format::{FormatOptions, format};
use crate::namenode::progress::StartupProgress;
use crate::namenode::start_option::StartOption;
use crate::namenode::startup;

struct Site {
    root: PathBuf,
    conf: NameNodeConf,
}

impl Site {
    /// One formatted folder with segments 1 to 10 and 11 to 20; every transaction but the first and the last of a segment
    /// makes a directory.
    fn new(test: &str) -> Self {
        let root = std::env::temp_dir().join(format!("tusk-recover-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let mut conf = Configuration::new();
        for (key, value) in [
            ("fs.defaultFS", "hdfs://127.0.0.1:0"),
            ("dfs.namenode.name.dir", &*root.display().to_string()),
        ] {
            conf.set(key, value).unwrap();
        }
        format(&conf, &FormatOptions::default()).unwrap();
        let site = Self { root, conf: NameNodeConf::new(&conf).unwrap() };
        site.write(1, 10);
        site.write(11, 20);
        site
    }

    fn segment(&self, first: u64, last: u64) -> PathBuf {
        self.root.join("current").join(edits::finalized_name(TxId(first), TxId(last)))
    }

    fn write(&self, first: u64, last: u64) {
        let mut bytes = Vec::new();
        edits::encode_header(&mut bytes);
        for txid in first..=last {
            let op = match txid {
                txid if txid == first => EditOp::StartLogSegment,
                txid if txid == last => EditOp::EndLogSegment,
                txid => mkdir(txid),
            };
            edits::encode_op(&mut bytes, TxId(txid), &op);
        }
        std::fs::write(self.segment(first, last), bytes).unwrap();
    }

    /// Damages the operation in the middle of a segment.
    fn damage(&self, first: u64, last: u64) {
        let path = self.segment(first, last);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        std::fs::write(path, bytes).unwrap();
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join("current")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Directories without the root, and the last transaction, of a start on the folder.
    fn start(&self) -> hdfs_types::Result<(u64, u64)> {
        let loaded = startup::load(&self.conf, &StartOption::Regular, &StartupProgress::new())?;
        let found = (loaded.machine.namespace().counts().inodes() - 1, loaded.last.0);
        loaded.images.dirs().unlock();
        Ok(found)
    }

    /// What was asked, when every question gets the next of these answers.
    fn recover(&self, answers: &[Choice]) -> (hdfs_types::Result<Recovered>, Vec<String>) {
        let (mut asked, mut answers) = (Vec::new(), answers.iter());
        let outcome = recover_with(&self.conf, &mut |problem, _| {
            asked.push(problem.to_owned());
            Ok(*answers.next().expect("no more questions than answers"))
        });
        (outcome, asked)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn mkdir(txid: u64) -> EditOp {
    EditOp::Mkdir(MkdirOp {
        inode_id: INodeId(16_385 + txid),
        path: format!("/d{txid}").into_bytes(),
        timestamp: WallMillis(1),
        permissions: PermissionStatus {
            user: "u".into(),
            group: "g".into(),
            permission: FsPermission(0o755),
        },
        acl_entries: Vec::new(),
        x_attrs: Vec::new(),
    })
}

#[test]
fn damage_is_skipped_when_the_administrator_says_so_and_the_file_is_kept_aside() {
    let site = Site::new("skip");
    site.damage(1, 10);
    assert!(site.start().is_err(), "a start never skips an operation");
    let (outcome, asked) = site.recover(&[Choice::Continue; 2]);
    assert_eq!(outcome.unwrap(), Recovered::Done);
    assert!(asked[0].starts_with("We failed to read txId "), "{asked:?}");
    assert!(asked[1].starts_with("There appears to be a gap in the edit log.  We expected txid "));
    let files = site.files();
    assert!(files.contains(&"fsimage_0000000000000000020".to_owned()), "{files:?}");
    let aside = "edits_0000000000000000001-0000000000000000010.corrupt".to_owned();
    assert!(files.contains(&aside), "{files:?}");
    assert_eq!(site.start().unwrap(), (15, 20), "all but one of sixteen directories");
}

#[test]
fn what_was_given_up_never_comes_back() {
    let site = Site::new("stop");
    site.damage(1, 10);
    let (outcome, asked) = site.recover(&[Choice::Stop]);
    assert_eq!((outcome.unwrap(), asked.len()), (Recovered::Done, 1));
    let (directories, last) = site.start().unwrap();
    assert!(directories < 8, "{directories}");
    assert_eq!(last, 20, "new transactions come after those that were given up");
}

#[test]
fn quitting_changes_nothing() {
    let site = Site::new("quit");
    site.damage(1, 10);
    let before = site.files();
    let (outcome, _) = site.recover(&[Choice::Quit]);
    assert_eq!(outcome.unwrap(), Recovered::Quit);
    assert_eq!(site.files(), before);
}

#[test]
fn a_missing_segment_is_a_gap_and_a_duplicate_does_not_apply() {
    let site = Site::new("gap");
    std::fs::rename(site.segment(11, 20), site.root.join("elsewhere")).unwrap();
    site.write(21, 30);
    let mut bytes = std::fs::read(site.segment(21, 30)).unwrap();
    edits::encode_op(&mut bytes, TxId(31), &mkdir(22));
    edits::encode_op(&mut bytes, TxId(32), &EditOp::EndLogSegment);
    std::fs::remove_file(site.segment(21, 30)).unwrap();
    std::fs::write(site.segment(21, 32), bytes).unwrap();
    let (outcome, asked) = site.recover(&[Choice::Continue; 2]);
    assert_eq!(outcome.unwrap(), Recovered::Done);
    assert_eq!(
        asked[0],
        "There appears to be a gap in the edit log.  We expected txid 11, but got txid 21."
    );
    assert!(asked[1].starts_with("Failed to apply edit log operation OP_MKDIR 31"), "{asked:?}");
    assert_eq!(site.start().unwrap(), (16, 32));
}

#[test]
fn questions_take_letters_of_any_case_and_always_asks_no_more() {
    let ask = |input: &str| {
        let mut questions = Vec::new();
        let mut dialog =
            Dialog { input: input.as_bytes(), questions: &mut questions, always: false };
        let ready = dialog.is_ready().unwrap();
        let chosen = ready.then(|| {
            let first = dialog.choose("skipping the bad section in the log").unwrap();
            (first, dialog.choose("applying edits").unwrap())
        });
        (chosen, String::from_utf8(questions).unwrap())
    };
    let (chosen, text) = ask("maybe\nYES\nx\nC\nS\n");
    assert_eq!(chosen, Some((Choice::Continue, Choice::Stop)));
    assert!(text.contains("Are you ready to proceed? (Y/N)\n (Y or N) Invalid input: maybe"));
    assert!(text.contains("I'm sorry, I cannot understand your response."));
    assert!(text.contains("Enter 'c' to continue, skipping the bad section in the log\nEnter 's'"));
    assert_eq!(ask("y\na\n").0, Some((Choice::Continue, Choice::Continue)));
    assert_eq!(ask("y\n").0, Some((Choice::Quit, Choice::Quit)), "nobody answers");
    let (chosen, text) = ask("n\n");
    assert!(chosen.is_none() && text.ends_with("Recovery aborted at user request.\n\n"));
}
