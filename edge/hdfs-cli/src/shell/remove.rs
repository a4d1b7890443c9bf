//! `-rm` and `-rmdir`, and moving to the trash.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Delete, org.apache.hadoop.fs.TrashPolicyDefault (3.5.0)

use std::io::{BufRead as _, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use hdfs_conf::keys;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::path::{join, name, parent};
use super::walk::{Command, PathData};

/// `-rm`.
#[derive(Default)]
pub(crate) struct Rm {
    skip_trash: bool,
    directories: bool,
    ignore_missing: bool,
    safely: bool,
}

impl Rm {
    /// `-rmr`.
    pub(crate) fn recursive() -> Self {
        Self { directories: true, ..Self::default() }
    }
}

impl Command for Rm {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.ignore_missing = options.has("f");
        self.directories |= options.has("r") || options.has("R");
        self.skip_trash = options.has("skipTrash");
        self.safely = options.has("safely");
        Ok(())
    }

    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        let found = shell.glob(arg)?;
        if found.is_empty() && !self.ignore_missing {
            Err(Failure::not_found(arg))
        } else {
            Ok(found)
        }
    }

    fn missing(&mut self, _shell: &mut Shell, item: PathData) -> Outcome<()> {
        if self.ignore_missing { Ok(()) } else { Err(Failure::not_found(&item.text)) }
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if item.is_dir() && !self.directories {
            return Err(Failure::is_directory(&item.text));
        }
        if !self.skip_trash && move_to_trash(shell, item)? {
            return Ok(());
        }
        if self.safely && !confirmed(shell, item)? {
            return Ok(());
        }
        if !item.fs.delete(&item.path, self.directories)? {
            return Err(Failure::input_output(&item.text));
        }
        shell.out.line(format!("Deleted {}", item.text));
        Ok(())
    }
}

/// Asks when there is more to delete than `hadoop.shell.safely.delete.limit.num.files`.
fn confirmed(shell: &mut Shell, item: &PathData) -> Outcome<bool> {
    let limit = shell.conf.get_i64(&keys::HADOOP_SHELL_SAFELY_DELETE_LIMIT_NUM_FILES)?;
    let files = item.fs.content_summary(&item.path)?.file_count as i64;
    if limit <= 0 || files <= limit {
        return Ok(true);
    }
    shell.out.flush();
    loop {
        eprint!("Proceed deleting {files} files? (Y or N) ");
        std::io::stderr().flush()?;
        let mut answer = String::new();
        let ended = std::io::stdin().lock().read_line(&mut answer)? == 0;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" if ended => break,
            "n" | "no" => break,
            other => eprintln!("Invalid input: {other}"),
        }
    }
    shell.out.error_line("Delete aborted at user request.\n");
    Ok(false)
}

/// Moves a path below the user's trash; false when there is no trash, or it lies there already.
fn move_to_trash(shell: &mut Shell, item: &PathData) -> Outcome<bool> {
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
    let current = format!("{root}/Current");
    let folder = format!("{current}{}", parent(&item.path).unwrap_or("/"));
    let folder = folder.trim_end_matches('/');
    make_trash_folder(item, folder).map_err(advice)?;
    let mut target = join(folder, name(&item.path));
    while item.fs.stat(&target)?.is_some() {
        target = format!("{}{}", join(folder, name(&item.path)), now_ms());
    }
    item.fs.move_to_trash(&item.path, &target).map_err(|failure| {
        let message =
            format!("Failed to move {} to trash {}", item.qualified(), item.fs.prefix() + &target);
        advice(Failure::io(format!("{message}: {}", failure.message())))
    })?;
    Ok(true)
}

/// Mode of the trash's folders.
const TRASH_MODE: hdfs_types::FsPermission = hdfs_types::FsPermission(0o700);

fn make_trash_folder(item: &PathData, folder: &str) -> Outcome<()> {
    let existed = item.fs.stat(folder)?.is_some();
    item.fs.mkdirs(folder)?;
    if !existed {
        item.fs.set_permission(folder, TRASH_MODE)?;
    }
    Ok(())
}

pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// `-rmdir`.
#[derive(Default)]
pub(crate) struct Rmdir {
    ignore_non_empty: bool,
}

impl Command for Rmdir {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.ignore_non_empty = options.has("-ignore-fail-on-non-empty");
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if !item.is_dir() {
            return Err(Failure::is_no_directory(&item.text));
        }
        if !item.fs.list(&item.path)?.is_empty() {
            return if self.ignore_non_empty {
                Ok(())
            } else {
                Err(Failure::path(&item.text, "Directory is not empty"))
            };
        }
        if item.fs.delete(&item.path, false)? {
            Ok(())
        } else {
            Err(Failure::input_output(&item.text))
        }
    }
}
