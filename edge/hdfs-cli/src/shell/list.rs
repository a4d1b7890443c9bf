//! `-ls`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Ls (3.5.0)

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::format::{local_time, size};
use super::walk::{Command, PathData};

/// `-ls`.
#[derive(Default)]
pub(crate) struct Ls {
    path_only: bool,
    directories_as_files: bool,
    human_readable: bool,
    hide_unprintable: bool,
    recursive: bool,
    reverse: bool,
    by_time: bool,
    by_size: bool,
    access_time: bool,
    ec_policy: bool,
    widths: Widths,
    /// Policies of erasure coding by path: of the items that wait to be printed, those of directories above as well.
    policies: BTreeMap<String, String>,
}

/// Columns only grow, from one directory to the next as well.
struct Widths {
    replication: usize,
    length: usize,
    owner: usize,
    group: usize,
    policy: usize,
}

impl Default for Widths {
    fn default() -> Self {
        Self { replication: 3, length: 10, owner: 0, group: 0, policy: 0 }
    }
}

impl Ls {
    /// `-lsr`.
    pub(crate) fn recursive() -> Self {
        Self { recursive: true, ..Self::default() }
    }

    fn order(&self, one: &PathData, other: &PathData) -> Ordering {
        let number = |item: &PathData| {
            item.stat.as_ref().map_or(0, |stat| match self.by_time {
                true if self.access_time => stat.accessed_ms,
                true => stat.modified_ms,
                false => stat.length,
            })
        };
        let order = if self.by_time || self.by_size {
            number(other).cmp(&number(one))
        } else {
            one.path.cmp(&other.path)
        };
        if self.reverse { order.reverse() } else { order }
    }

    fn widen(&mut self, items: &[PathData]) -> Outcome<()> {
        let widths = &mut self.widths;
        for stat in items.iter().filter_map(|item| item.stat.as_ref()) {
            widths.replication = widths.replication.max(stat.replication.to_string().len());
            // Hadoop measures the plain number, with -h too.
            widths.length = widths.length.max(stat.length.to_string().len());
            widths.owner = widths.owner.max(stat.owner.chars().count());
            widths.group = widths.group.max(stat.group.chars().count());
        }
        if self.ec_policy {
            // This column alone starts anew with each group of items.
            widths.policy = 0;
            for item in items {
                let policy = item.fs.content_summary(&item.path)?.erasure_coding_policy;
                widths.policy = widths.policy.max(policy.len());
                self.policies.insert(item.path.clone(), policy);
            }
        }
        Ok(())
    }
}

impl Command for Ls {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.ec_policy = options.has("e");
        self.path_only = options.has("C");
        self.directories_as_files = options.has("d");
        self.recursive = (self.recursive || options.has("R")) && !self.directories_as_files;
        self.human_readable = options.has("h");
        self.hide_unprintable = options.has("q");
        self.reverse = options.has("r");
        self.by_time = options.has("t");
        self.by_size = !self.by_time && options.has("S");
        self.access_time = options.has("u");
        if args.is_empty() {
            args.push(".".into());
        }
        Ok(())
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn whole_directories(&self) -> bool {
        self.is_sorted()
    }

    fn is_sorted(&self) -> bool {
        !self.recursive || self.by_time || self.by_size || self.reverse
    }

    fn existing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        if self.ec_policy && !item.fs.tells_erasure_coding() {
            let uri = item.fs.uri();
            return Err(Failure::Fatal(format!(
                "java.lang.UnsupportedOperationException: FileSystem {uri} does not support Erasure Coding"
            )));
        }
        if !self.directories_as_files && item.is_dir() {
            return self.descend(shell, &item);
        }
        shell.depth = 0;
        self.items(shell, None, vec![item])
    }

    fn items(
        &mut self,
        shell: &mut Shell,
        parent: Option<&PathData>,
        mut items: Vec<PathData>,
    ) -> Outcome<()> {
        if parent.is_some() && !self.recursive && !items.is_empty() {
            if !self.path_only {
                shell.out.line(format!("Found {} items", items.len()));
            }
            items.sort_by(|one, other| self.order(one, other));
        }
        if !self.path_only {
            self.widen(&items)?;
        }
        self.each_item(shell, items)
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if self.path_only {
            shell.out.line(&item.text);
            return Ok(());
        }
        let stat = item.known()?;
        let widths = &self.widths;
        let column = |text: &str, width: usize| match width {
            0 => text.to_owned(),
            width => format!("{text:<width$} "),
        };
        let policy = self.policies.remove(&item.path).unwrap_or_default();
        let replication = if stat.is_file() { stat.replication.to_string() } else { "-".into() };
        let time = if self.access_time { stat.accessed_ms } else { stat.modified_ms };
        let line = format!(
            "{}{}{}{replication:>rw$} {}{}{}{:>lw$} {} {}",
            if stat.is_dir() { 'd' } else { '-' },
            stat.permission,
            if stat.has_acl { '+' } else { ' ' },
            column(&stat.owner, widths.owner),
            column(&stat.group, widths.group),
            column(&policy, widths.policy),
            size(stat.length as i64, self.human_readable),
            local_time(time, "%Y-%m-%d %H:%M"),
            if self.hide_unprintable { printable(&item.text) } else { item.text.clone() },
            rw = widths.replication,
            lw = widths.length,
        );
        shell.out.line(line);
        Ok(())
    }
}

/// With `?` for control and format characters, private ones and surrogates.
///
/// Hadoop: org.apache.hadoop.fs.shell.PrintableString
fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}')
    };
    text.chars().map(|c| if hidden(c) { '?' } else { c }).collect()
}
