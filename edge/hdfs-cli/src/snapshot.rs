//! `hdfs snapshot`: work with snapshots that Hadoop leaves to scripts.
//!
//! - `restore` brings a directory back to what a snapshot holds.
//! - `prune` deletes the snapshots that a schedule does not keep.
//!
//! Both use a client's calls only, so they work on any HDFS.

use std::io::{BufRead as _, IsTerminal as _};

use hdfs_conf::Configuration;

use crate::output::{complain, print_error, say};

mod keep;
mod prune;
mod restore;
mod steps;

const USAGE: &str = "\
Usage: hdfs snapshot restore DIR SNAPSHOT [--dry-run] [--yes] [--save-as NAME]
       hdfs snapshot prune DIR --keep RULES [--dry-run] [--yes]

restore   Brings DIR back to what SNAPSHOT holds: moves back what was renamed, copies back what was deleted or
          changed, deletes what is new. Only what differs is touched. DIR may lie below the snapshottable directory.
  --save-as NAME   takes a snapshot of the present state first

prune     Deletes the snapshots of DIR that no rule keeps.
  --keep RULES     for example daily=7,weekly=4,monthly=12: keeps the newest snapshot of each of the last 7 days,
                   4 weeks and 12 months that have one. Rules: last, hourly, daily, weekly, monthly, yearly

  --dry-run, -n    shows what would be done
  --yes, -y        does not ask before it deletes
";

/// What both commands take.
#[derive(Clone, Copy, Debug, Default)]
struct Manner {
    dry_run: bool,
    yes: bool,
}

/// Runs `hdfs snapshot …`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let Some((command, rest)) = args.split_first() else {
        complain!("{}", USAGE.trim_end());
        return 1;
    };
    let (manner, rest, values) = match options(rest) {
        Ok(options) => options,
        Err(message) => {
            complain!("snapshot {command}: {message}");
            complain!("{}", USAGE.trim_end());
            return 1;
        }
    };
    let value = |name: &str| values.iter().find(|of| of.0 == name).map(|of| of.1.as_str());
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let done = match (command.as_str(), rest.as_slice()) {
        ("restore", [directory, name]) if value("--keep").is_none() => {
            restore::run(conf, directory, name, value("--save-as"), manner)
        }
        ("prune", [directory]) if value("--save-as").is_none() => match value("--keep") {
            Some(rules) => prune::run(conf, directory, rules, manner),
            None => Err("--keep is missing".to_owned()),
        },
        ("help" | "-help" | "--help" | "-h", _) => {
            say!("{}", USAGE.trim_end());
            return 0;
        }
        _ => {
            complain!("{}", USAGE.trim_end());
            return 1;
        }
    };
    match done {
        Ok(status) => status,
        Err(message) => {
            complain!("snapshot {command}: {message}");
            1
        }
    }
}

/// Switches, what is left, and options with their values.
type Parsed = (Manner, Vec<String>, Vec<(String, String)>);

fn options(args: &[String]) -> Result<Parsed, String> {
    let mut manner = Manner::default();
    let (mut rest, mut values) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dry-run" | "-n" => manner.dry_run = true,
            // As `-force` of other commands.
            "--yes" | "-y" | "-force" | "--force" => manner.yes = true,
            "--keep" | "--save-as" => {
                let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
                values.push((arg.clone(), value.clone()));
            }
            known if known.starts_with("--keep=") || known.starts_with("--save-as=") => {
                if let Some((name, value)) = known.split_once('=') {
                    values.push((name.to_owned(), value.to_owned()));
                }
            }
            unknown if unknown.starts_with('-') => {
                return Err(format!("{unknown} is not an option"));
            }
            _ => rest.push(arg.clone()),
        }
    }
    Ok((manner, rest, values))
}

/// Asks a question; no answer is a no.
fn confirmed(question: &str) -> bool {
    let mut lines = std::io::stdin().lock().lines();
    loop {
        print_error(&format!("{question} (y/n) "));
        let Some(Ok(line)) = lines.next() else {
            complain!("");
            return false;
        };
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return true,
            "n" | "no" => return false,
            _ => {}
        }
    }
}

/// A line that the next one replaces, when somebody looks.
struct Progress {
    on: bool,
    width: usize,
}

impl Progress {
    fn new() -> Self {
        Self { on: std::io::stderr().is_terminal(), width: 0 }
    }

    fn show(&mut self, text: &str) {
        if self.on {
            let line: String = text.chars().take(100).collect();
            print_error(&format!("\r{line:<width$}", width = self.width));
            self.width = line.chars().count();
        }
    }

    fn end(&mut self) {
        if self.on && self.width > 0 {
            print_error(&format!("\r{:width$}\r", "", width = self.width));
            self.width = 0;
        }
    }
}
