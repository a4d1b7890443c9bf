//! Upgrades, rollbacks and finalizations that stop before each of their steps, as a crash would, and what the next start
//! makes of that.

use std::path::PathBuf;
use std::sync::Arc;

use hdfs_conf::Configuration;
use hdfs_namenode::{Call, Caller};
use hdfs_proto::hdfs as p;

use super::*;
use crate::namenode::conf::NameNodeConf;
use crate::namenode::progress::StartupProgress;
use crate::namenode::shell::now;
use crate::namenode::start_option::{StartOption, UpgradeOptions};
use crate::namenode::startup::{self, Loaded};
use crate::namenode::{FormatOptions, format, start};

const DIRS: [&str; 3] = ["a", "b", "c"];

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
    /// Three formatted folders, for images, for both and for edits, with `/before` in the edits.
    fn new(test: &str) -> Self {
        let root = std::env::temp_dir().join(format!("tusk-upgrade-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let mut conf = Configuration::new();
        for (key, value) in [
            ("fs.defaultFS", "hdfs://127.0.0.1:0"),
            ("dfs.namenode.http-address", "127.0.0.1:0"),
            ("dfs.namenode.name.dir", &*format!("{0}/a,{0}/b", root.display())),
            ("dfs.namenode.edits.dir", &*format!("{0}/b,{0}/c", root.display())),
            ("dfs.namenode.resource.du.reserved", "0"),
        ] {
            conf.set(key, value).unwrap();
        }
        let site = Self { root, conf };
        format(&site.conf, &FormatOptions::default()).unwrap();
        site.mkdir("/before");
        site
    }

    /// Starts a NameNode, makes a directory, and stops it.
    fn mkdir(&self, path: &str) {
        let handle = start(&self.conf).unwrap();
        let user = hdfs_rt::users::current_user();
        let caller = Arc::new(Caller { user, groups: Vec::new(), superuser: true });
        let request = p::MkdirsRequestProto {
            src: path.to_owned(),
            masked: p::FsPermissionProto { perm: 0o755 },
            create_parent: true,
            unmasked: None,
        };
        let (made, _) = handle.shell().write_with(|nn| {
            let call = Call { caller: &caller, client_machine: "", key: None, now: now() };
            nn.mkdirs(&call, &request)
        });
        assert!(made.unwrap().result);
        handle.stop().unwrap();
    }

    fn load(&self, option: &StartOption, before: BeforeStep<'_>) -> Result<Loaded> {
        let conf = NameNodeConf::new(&self.conf).unwrap();
        startup::load_in_steps(&conf, option, &StartupProgress::new(), before)
    }

    /// Loads without an option; the number of inodes, and whether no upgrade is open.
    fn restart(&self) -> (u64, bool) {
        let loaded = self.load(&StartOption::Regular, &mut |_| Ok(())).unwrap();
        let machine = &loaded.machine;
        (machine.inode_count(), machine.is_upgrade_finalized())
    }

    fn upgrade(&self, before: BeforeStep<'_>) -> Result<Loaded> {
        self.load(&StartOption::Upgrade(UpgradeOptions::default()), before)
    }

    fn dirs(&self) -> NameDirs {
        NameDirs::lock(&conf::dir_specs(&self.conf).unwrap(), 1).unwrap()
    }

    fn versions(&self) -> Vec<String> {
        DIRS.map(|dir| self.root.join(dir).join("current/VERSION")).map(read_version).into()
    }
}

/// A VERSION file without its first line, the date.
fn read_version(path: PathBuf) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

/// Stops before step `wanted`; says whether it was reached.
fn stop_at(wanted: usize) -> (impl FnMut(&str) -> Result<()>, std::rc::Rc<std::cell::Cell<bool>>) {
    let stopped = std::rc::Rc::new(std::cell::Cell::new(false));
    let (mut step, flag) = (0, stopped.clone());
    let before = move |_: &str| {
        step += 1;
        if step - 1 == wanted {
            flag.set(true);
            return Err(Error::io("the power is gone"));
        }
        Ok(())
    };
    (before, stopped)
}

#[test]
fn an_upgrade_that_stops_anywhere_is_undone_or_done_at_the_next_start() {
    for wanted in 0.. {
        let site = Site::new("upgrade");
        let old = site.versions();
        let (mut before, stopped) = stop_at(wanted);
        let outcome = site.upgrade(&mut before);
        assert_eq!(outcome.is_err(), stopped.get());
        drop(outcome);
        let (inodes, finalized) = site.restart();
        assert_eq!(inodes, 2, "step {wanted}");
        let versions = site.versions();
        assert!(versions.iter().all(|of| *of == versions[0]), "step {wanted}");
        assert_eq!(finalized, versions == old, "step {wanted}");
        if finalized {
            drop(site.upgrade(&mut |_| Ok(())).unwrap());
        }
        site.mkdir("/after");
        assert_eq!(site.restart(), (3, false), "step {wanted}");
        rollback(&site.conf).unwrap();
        assert_eq!(site.restart(), (2, true), "step {wanted}");
        assert_eq!(site.versions(), old, "step {wanted}");
        if !stopped.get() {
            assert_eq!(wanted, 16, "three steps before the image in each folder, two after it");
            return;
        }
    }
}

#[test]
fn a_rollback_that_stops_anywhere_can_be_done_again_after_a_start() {
    for wanted in 0.. {
        let site = Site::new("rollback");
        let old = site.versions();
        drop(site.upgrade(&mut |_| Ok(())).unwrap());
        site.mkdir("/after");
        let (mut before, stopped) = stop_at(wanted);
        let outcome = roll_back(&site.dirs(), &mut before);
        assert_eq!(outcome.is_err(), stopped.get());
        let (inodes, finalized) = site.restart();
        assert_eq!(inodes, if finalized { 2 } else { 3 }, "step {wanted}");
        if !finalized {
            rollback(&site.conf).unwrap();
            assert_eq!(site.restart(), (2, true), "step {wanted}");
        }
        assert_eq!(site.versions(), old, "step {wanted}");
        let refused = rollback(&site.conf).unwrap_err().message;
        assert!(refused.contains("None of the storage directories contain previous"), "{refused}");
        if !stopped.get() {
            assert_eq!(wanted, 9);
            return;
        }
    }
}

#[test]
fn a_finalization_that_stops_anywhere_can_be_done_again() {
    for wanted in 0.. {
        let site = Site::new("finalize");
        drop(site.upgrade(&mut |_| Ok(())).unwrap());
        site.mkdir("/after");
        let refused = site.upgrade(&mut |_| Ok(())).err().unwrap().message;
        assert!(refused.contains("Finalize or rollback first."), "{refused}");
        let (mut before, stopped) = stop_at(wanted);
        let outcome = finalize(&site.dirs(), &mut before);
        assert_eq!(outcome.is_err(), stopped.get());
        assert_eq!(site.restart().0, 3, "step {wanted}");
        finalize(&site.dirs(), &mut |_| Ok(())).unwrap();
        assert_eq!(site.restart(), (3, true), "step {wanted}");
        if !stopped.get() {
            assert_eq!(wanted, 6);
            return;
        }
    }
}

#[test]
fn folders_of_an_older_layout_need_an_upgrade_and_get_this_one() {
    let site = Site::new("layout");
    for dir in DIRS {
        let path = site.root.join(dir).join("current/VERSION");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("layoutVersion=-67", "layoutVersion=-65")).unwrap();
    }
    let refused = site.load(&StartOption::Regular, &mut |_| Ok(())).err().unwrap().message;
    assert!(refused.contains("File system image contains an old layout version -65.\nAn upgrade"));
    assert_eq!(metadata_version(&site.conf).unwrap(), (-65, NAMENODE_LAYOUT_VERSION));
    drop(site.upgrade(&mut |_| Ok(())).unwrap());
    assert_eq!(site.restart(), (2, false));
    assert_eq!(metadata_version(&site.conf).unwrap(), (-67, NAMENODE_LAYOUT_VERSION));
    let refused = rollback(&site.conf).unwrap_err().message;
    assert!(refused.starts_with("Cannot rollback to storage version -65 using this"), "{refused}");
}
