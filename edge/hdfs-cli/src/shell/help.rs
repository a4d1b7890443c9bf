//! Usage and help.
//!
//! `commands.txt` holds what Hadoop's `-help` prints for each command, line for line: its first line is the usage, the
//! rest the description. What scripts and tests compare lives in one place so.

use super::Shell;
use super::failure::{Failure, Outcome};
use super::table::{self, Spec};
use super::walk::{Command, PathData};

const HELP: &str = include_str!("commands.txt");
const PREFIX: &str = "Usage: hadoop fs [generic options]";
/// The options before every command's own.
pub(crate) const GENERIC: &str = "\
Generic options supported are:
-conf <configuration file>        specify an application configuration file
-D <property=value>               define a value for a given property
-fs <file:///|hdfs://namenode:port> specify default filesystem URL to use, overrides 'fs.defaultFS' property from configurations.
-jt <local|resourcemanager:port>  specify a ResourceManager
-files <file1,...>                specify a comma-separated list of files to be copied to the map reduce cluster
-libjars <jar1,...>               specify a comma-separated list of jar files to be included in the classpath
-archives <archive1,...>          specify a comma-separated list of archives to be unarchived on the compute machines

The general command line syntax is:
command [genericOptions] [commandOptions]

";

/// What `-help` prints for one command.
fn help(spec: &Spec) -> String {
    if let Some(instead) = spec.replaced_by {
        return format!("-{} :\n  (DEPRECATED) Same as '{instead}'", spec.name);
    }
    let block = blocks().find(|block| names(block, spec.name));
    block.map_or_else(
        || format!("-{} :", spec.name),
        |block| block.trim_end_matches('\n').to_owned(),
    )
}

/// The texts of the commands, each up to the empty line after it.
fn blocks() -> impl Iterator<Item = &'static str> {
    HELP.split("\n\n").filter(|block| !block.trim().is_empty())
}

fn names(block: &str, name: &str) -> bool {
    let rest = block.strip_prefix('-').and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with([' ', '\n']))
}

/// The command and what it accepts: `-ls [-C] … [<path> ...]`.
pub(crate) fn usage(spec: &Spec) -> String {
    let text = help(spec);
    let first = text.lines().next().unwrap_or_default();
    first.strip_suffix(" :").unwrap_or(first).to_owned()
}

/// Every command, with the first sentence of its description.
pub(crate) fn summaries() -> impl Iterator<Item = (&'static str, String)> {
    table::current().map(|spec| {
        let text = help(spec);
        let words: Vec<&str> = text.lines().skip(1).flat_map(str::split_whitespace).collect();
        let text = words.join(" ");
        (spec.name, text.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned())
    })
}

/// The usage of the command that is typed so, with its dash.
pub(crate) fn usage_of(typed: &str) -> Option<String> {
    table::find(typed).map(usage)
}

/// The usage after Hadoop's prefix.
pub(crate) fn usage_line(spec: &Spec) -> String {
    format!("{PREFIX} {}", usage(spec))
}

/// The usages of every command and the generic options.
pub(crate) fn all_usages() -> String {
    let mut text = format!("{PREFIX}\n");
    for spec in table::current() {
        text.push_str(&format!("\t[{}]\n", usage(spec)));
    }
    text + "\n" + GENERIC
}

fn all_help() -> String {
    let mut text = format!("{PREFIX}\n");
    for spec in table::current() {
        text.push_str(&format!("\t[{}]\n", usage(spec)));
    }
    for spec in table::current() {
        text.push_str(&format!("\n{}\n", help(spec)));
    }
    text + "\n" + GENERIC
}

/// `-help` and `-usage`.
pub(crate) struct Help {
    pub long: bool,
}

impl Command for Help {
    fn run(&mut self, shell: &mut Shell, args: Vec<String>) -> Outcome<()> {
        if args.is_empty() {
            let text = if self.long { all_help() } else { all_usages() };
            shell.out.bytes(text.as_bytes());
        }
        for name in args {
            let Some(spec) = table::find(&format!("-{name}")) else {
                return Err(Failure::Illegal(format!("`{name}': Unknown command")));
            };
            shell.out.line(if self.long { help(spec) } else { usage_line(spec) });
        }
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_help_and_every_help_a_command() {
        for spec in table::current() {
            assert!(blocks().any(|block| names(block, spec.name)), "{}", spec.name);
        }
        assert_eq!(blocks().count(), table::current().count());
    }
}
