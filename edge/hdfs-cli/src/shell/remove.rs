//! `-rm` and `-rmdir`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Delete (3.5.0)

use std::io::BufRead as _;

use hdfs_conf::keys;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::trash::move_to_trash;
use super::walk::{Command, PathData};
use crate::output::{complain, print_error};

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
        print_error(&format!("Proceed deleting {files} files? (Y or N) "));
        let mut answer = String::new();
        let ended = std::io::stdin().lock().read_line(&mut answer)? == 0;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" if ended => break,
            "n" | "no" => break,
            other => complain!("Invalid input: {other}"),
        }
    }
    shell.out.error_line("Delete aborted at user request.\n");
    Ok(false)
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
