//! `hdfs snapshot restore`: brings a directory back to what a snapshot holds.
//!
//! The NameNode's report says what differs; only that is touched. What was renamed is moved back without copying, a file
//! that only grew is cut, everything else is copied from the snapshot into a temporary file and moved into place. A run
//! that was interrupted is finished by running it again: what waits in its temporary directory counts as renamed.
//!
//! Quotas, storage policies of directories and erasure-coding policies are left as they are.

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{FileStatus, RenameOptions};
use hdfs_conf::Configuration;
use hdfs_proto::hdfs as proto;
use hdfs_types::Result;

use super::steps::{Difference, Steps};
use super::{Manner, Progress, confirmed};
use crate::output::{complain, say};
use crate::snapshots::{place, snapshot_name};

mod content;

/// Runs it; the exit status, or why it can't be done.
pub(super) fn run(
    conf: &Configuration,
    directory: &str,
    name: &str,
    save_as: Option<&str>,
    manner: Manner,
) -> std::result::Result<i32, String> {
    let message = |error: hdfs_types::Error| error.message;
    let (client, directory) = place(conf, directory).map_err(message)?;
    let name = snapshot_name(name);
    if name.is_empty() {
        return Err("a snapshot is needed, not the present state".to_owned());
    }
    let report = client.snapshot_diff(&directory, "", name).map_err(message)?;
    let steps = Steps::of(&report.diff_report_entries.iter().map(difference).collect::<Vec<_>>())?;
    if steps.is_empty() {
        say!("{directory} is as {name} holds it.");
        return Ok(0);
    }
    describe(&steps, &directory, name, manner.dry_run);
    if manner.dry_run {
        return Ok(0);
    }
    if !manner.yes && !confirmed(&format!("Restore {directory}?")) {
        complain!("Nothing was changed.");
        return Ok(1);
    }
    if let Some(save_as) = save_as {
        let path = client.create_snapshot(&report.snapshot_root, Some(save_as)).map_err(message)?;
        say!("The present state is kept in {path}");
    }
    let now = chrono::Utc::now().timestamp_millis();
    let mut restore = Restore {
        source: snapshot_path(&report.snapshot_root, &directory, name),
        temporary: format!(".restore-{name}-{now}"),
        client,
        directory,
        progress: Progress::new(),
        copied: 0,
        failed: 0,
    };
    restore.all(&steps);
    restore.progress.end();
    if restore.failed > 0 {
        complain!(
            "{} could not be restored: see above, and run it again when that is mended.",
            restore.failed
        );
        return Ok(1);
    }
    say!("{} is restored to {name}; {} files were copied.", restore.directory, restore.copied);
    Ok(0)
}

/// Where a snapshot has a directory that may lie below the one of which it was taken.
fn snapshot_path(root: &str, directory: &str, name: &str) -> String {
    let root = root.trim_end_matches('/');
    let below = directory.strip_prefix(root).unwrap_or_default();
    format!("{root}/.snapshot/{name}{}", below.trim_end_matches('/'))
}

fn difference(entry: &proto::SnapshotDiffReportEntryProto) -> Difference {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Difference {
        label: entry.modification_label.clone(),
        path: text(&entry.fullpath),
        target: entry.target_path.as_ref().map(|target| text(target)),
    }
}

/// Says what will be done; each step on a line of its own when nothing else is wanted.
fn describe(steps: &Steps, directory: &str, name: &str, in_full: bool) {
    say!(
        "To bring {directory} back to {name}: {} to move back, {} to copy back, {} to delete, {} changed to compare.",
        steps.aside.len(),
        steps.copy.len(),
        steps.delete.len(),
        steps.compare.len()
    );
    let shown = |path: &str| if path.is_empty() { ".".to_owned() } else { format!("./{path}") };
    // What is deleted is always named: it may be in no snapshot.
    for path in &steps.delete {
        say!("delete   {}", shown(path));
    }
    if !in_full {
        return;
    }
    for moved in &steps.aside {
        say!("move     {} -> {}", shown(&moved.from), shown(&moved.to));
    }
    for path in &steps.copy {
        say!("copy     {}", shown(path));
    }
    for path in &steps.compare {
        say!("compare  {}", shown(path));
    }
}

struct Restore {
    client: HdfsClient,
    /// The directory.
    directory: String,
    /// The same in the snapshot.
    source: String,
    /// Below the directory.
    temporary: String,
    progress: Progress,
    copied: u64,
    failed: u64,
}

fn join(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    match path {
        "" if base.is_empty() => "/".to_owned(),
        "" => base.to_owned(),
        path => format!("{base}/{path}"),
    }
}

impl Restore {
    fn target(&self, path: &str) -> String {
        join(&self.directory, path)
    }

    fn note(&mut self, what: &str, path: &str, done: Result<()>) {
        if let Err(error) = done {
            self.progress.end();
            let first = error.message.lines().next().unwrap_or_default();
            complain!("snapshot restore: {what} {path}: {first}");
            self.failed += 1;
        }
    }

    fn all(&mut self, steps: &Steps) {
        let temporary = self.target(&self.temporary);
        let made = self.client.mkdirs(&temporary, None, false).map(drop);
        self.note("make", &temporary, made);
        if self.failed > 0 {
            return;
        }
        for moved in &steps.aside {
            self.progress.show(&format!("moving {}", moved.from));
            let aside = self.target(&moved.aside(&self.temporary));
            let done = self.rename(&self.target(&moved.from), &aside);
            self.note("move", &moved.from, done);
        }
        // A rename that failed leaves something where it would be overwritten: what follows would lose it.
        if self.failed == 0 {
            self.change(steps);
        }
        self.progress.show("removing what is left");
        let emptied = self.client.delete(&temporary, false).map(drop);
        self.note("remove", &temporary, emptied);
        if self.failed == 0 {
            // The temporary directory changed the time of the directory itself.
            for path in steps.compare.iter().map(String::as_str).chain([""]) {
                let done = self.directory_times(path);
                self.note("set the times of", path, done);
            }
        }
    }

    fn change(&mut self, steps: &Steps) {
        for path in &steps.delete {
            self.progress.show(&format!("deleting {path}"));
            let done = self.client.delete(&self.target(&steps.place(path, &self.temporary)), true);
            self.note("delete", path, done.map(drop));
        }
        for path in &steps.copy {
            let target = self.target(&steps.place(path, &self.temporary));
            let done = self.copy_tree(&join(&self.source, path), &target);
            self.note("copy", path, done);
        }
        for moved in &steps.back {
            self.progress.show(&format!("moving {}", moved.to));
            let aside = self.target(&moved.aside(&self.temporary));
            let done = self.rename(&aside, &self.target(&moved.to));
            self.note("move", &moved.to, done);
        }
        for path in &steps.compare {
            self.progress.show(&format!("comparing {path}"));
            let done = self.compare(path);
            self.note("restore", path, done);
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.client.rename_with(from, to, RenameOptions::default())
    }

    /// Makes one inode as it was, without what is below it.
    fn compare(&mut self, path: &str) -> Result<()> {
        let (source, target) = (join(&self.source, path), self.target(path));
        let then = self.client.status(&source)?;
        if then.is_file() {
            let now = self.client.status(&target)?;
            if !self.same_content(&then, &now)? {
                self.copy_file(&then, &target)?;
            }
        }
        self.copy_attributes(&then, &target)
    }

    /// Copies a file, or a directory with everything in it.
    fn copy_tree(&mut self, source: &str, target: &str) -> Result<()> {
        let mut waiting = vec![(self.client.status(source)?, target.to_owned())];
        let mut directories: Vec<(FileStatus, String)> = Vec::new();
        while let Some((status, target)) = waiting.pop() {
            self.progress.show(&format!("copying {target}"));
            if status.is_file() {
                self.copy_file(&status, &target)?;
                self.copy_attributes(&status, &target)?;
                continue;
            }
            self.client.mkdirs(&target, None, false)?;
            for child in self.client.list(&status.path) {
                let child = child?;
                let target = join(&target, child.name());
                waiting.push((child, target));
            }
            directories.push((status, target));
        }
        // From below: what is in them changes their times, and their mode may forbid more.
        for (status, target) in directories.iter().rev() {
            self.copy_attributes(status, target)?;
            self.set_times(status, target)?;
        }
        Ok(())
    }

    fn directory_times(&self, path: &str) -> Result<()> {
        let then = self.client.status(&join(&self.source, path))?;
        // The root of a snapshot has the time at which it was taken, not the directory's.
        if then.is_file() || path.is_empty() && !self.is_below_root() {
            return Ok(());
        }
        self.set_times(&then, &self.target(path))
    }

    fn is_below_root(&self) -> bool {
        self.source.rsplit_once("/.snapshot/").is_some_and(|(_, rest)| rest.contains('/'))
    }
}
