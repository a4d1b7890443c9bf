//! The trash: where `-rm` moves to, and `-expunge`.
//!
//! ```text
//! <home>/.Trash/Current/<path>           deleted since the last checkpoint
//! <home>/.Trash/<yyMMddHHmmss>/<path>    deleted before it; removed when older than fs.trash.interval
//! ```
//!
//! Hadoop: org.apache.hadoop.fs.Trash, TrashPolicyDefault (3.5.0)

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hdfs_client::trash::{CURRENT, MAX_ATTEMPTS, checkpoint_name, checkpoint_time};
use hdfs_conf::keys;
use hdfs_types::ErrorKind;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::files::FileSystem;
use super::path::{ParsedPath, join, name, parent};
use super::walk::{Command, PathData};

/// Moves a path below the user's trash; false when there is no trash, or it lies there already.
pub(super) fn move_to_trash(shell: &mut Shell, item: &PathData) -> Outcome<bool> {
    let of_server = item.fs.trash_interval_minutes()?.filter(|minutes| *minutes > 0);
    let enabled = of_server.is_some() || shell.conf.get_f64(&keys::FS_TRASH_INTERVAL)? > 0.0;
    if !enabled {
        return Ok(false);
    }
    let advice = |failure: Failure| match failure {
        Failure::Io(error) => {
            Failure::io(format!("{}. Consider using -skipTrash option", error.message))
        }
        other => other,
    };
    let root = item.fs.trash_root(&item.path)?;
    if item.path == root || item.path.starts_with(&format!("{root}/")) {
        return Ok(false);
    }
    let above = parent(&root).unwrap_or("/");
    if above.starts_with(&item.path) {
        let message =
            format!("Cannot move \"{}\" to the trash, as it contains the trash", item.qualified());
        return Err(advice(Failure::io(message)));
    }
    let current = join(&root, CURRENT);
    let folder = format!("{current}{}", parent(&item.path).unwrap_or("/"));
    let folder = folder.trim_end_matches('/');
    item.fs.mkdirs_as(folder, Some(TRASH_MODE)).map_err(advice)?;
    let mut target = join(folder, name(&item.path));
    while item.fs.stat(&target)?.is_some() {
        target = format!("{}{}", join(folder, name(&item.path)), now_ms());
    }
    item.fs.move_to_trash(&item.path, &target).map_err(|failure| {
        let message =
            format!("Failed to move {} to trash {}", item.qualified(), item.fs.prefix() + &target);
        advice(Failure::io(format!("{message}: {}", failure.message())))
    })?;
    let place = item.fs.prefix() + &target;
    shell.inform(&format!("Moved: '{}' to trash at: {place}", item.qualified()));
    Ok(true)
}

/// Mode of the trash's folders.
const TRASH_MODE: hdfs_types::FsPermission = hdfs_types::FsPermission(0o700);

pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// `-expunge`.
#[derive(Default)]
pub(crate) struct Expunge {
    immediate: bool,
    uri: Option<String>,
}

impl Command for Expunge {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.immediate = options.has("immediate");
        self.uri = options.value("fs").filter(|uri| !uri.is_empty()).map(str::to_owned);
        Ok(())
    }

    fn run(&mut self, shell: &mut Shell, _args: Vec<String>) -> Outcome<()> {
        let uri = self.uri.clone().unwrap_or_else(|| super::default_uri(&shell.conf));
        let fs = shell.file_system(&ParsedPath::parse(&uri)?)?;
        for root in fs.trash_roots()? {
            if self.immediate {
                checkpoint(shell, &*fs, &root)?;
                delete_checkpoints(shell, &fs, &root, true)?;
            } else {
                delete_checkpoints(shell, &fs, &root, false)?;
                checkpoint(shell, &*fs, &root)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }
}

/// Gives `Current` the name of the time.
fn checkpoint(shell: &mut Shell, fs: &dyn FileSystem, root: &str) -> Outcome<()> {
    let current = join(root, CURRENT);
    if fs.stat(&current)?.is_none() {
        return Ok(());
    }
    let base = join(root, &checkpoint_name(now_ms()));
    let mut target = base.clone();
    for attempt in 1..=MAX_ATTEMPTS {
        match fs.move_to_trash(&current, &target) {
            Ok(()) => {
                shell.inform(&format!("Created trash checkpoint: {target}"));
                return Ok(());
            }
            Err(Failure::Io(error)) if error.kind == ErrorKind::FileAlreadyExists => {
                target = format!("{base}-{attempt}");
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::io(format!("Failed to checkpoint trash: {target}")))
}

/// Deletes the checkpoints that are older than the trash interval, or all of them.
fn delete_checkpoints(
    shell: &mut Shell,
    fs: &Arc<dyn FileSystem>,
    root: &str,
    all: bool,
) -> Outcome<()> {
    let minutes = shell.conf.get_f64(&keys::FS_TRASH_INTERVAL)?.max(0.0);
    let keep_ms = (minutes * 60_000.0) as u64;
    let clean = shell.conf.get_bool(&keys::FS_TRASH_CLEAN_TRASHROOT_ENABLE);
    if fs.stat(root)?.is_none() {
        return Ok(());
    }
    for entry in fs.list(root)? {
        let entry_name = name(&entry.path);
        if entry_name == CURRENT {
            continue;
        }
        match checkpoint_time(entry_name) {
            None if clean => {
                fs.delete(&entry.path, true)?;
                shell.inform(&format!("Unexpected item in trash: {}. Deleting.", entry.path));
            }
            None => shell.inform(&format!("Unexpected item in trash: {}. Ignoring.", entry.path)),
            Some(time) if all || now_ms().saturating_sub(keep_ms) > time => {
                let deleted = fs.delete(&entry.path, true)?;
                shell.inform(&match deleted {
                    true => format!("Deleted trash checkpoint: {}", entry.path),
                    false => format!("Couldn't delete checkpoint: {} Ignoring.", entry.path),
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}
