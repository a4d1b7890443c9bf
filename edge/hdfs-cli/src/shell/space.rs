//! `-df` and `-du`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.FsUsage (3.5.0)

pub(super) mod count;

use super::Shell;
use super::arguments::Options;
use super::failure::Outcome;
use super::format::{Table, half_up, size};
use super::walk::{Command, PathData};

fn print(shell: &mut Shell, table: &Table) {
    for line in table.lines() {
        shell.out.line(line);
    }
}

/// `-df`.
pub(crate) struct Df {
    human_readable: bool,
    table: Table,
}

impl Default for Df {
    fn default() -> Self {
        let mut table = Table::new(&[1, 2, 3, 4]);
        table.add(["Filesystem", "Size", "Used", "Available", "Use%"].map(str::to_owned).into());
        Self { human_readable: false, table }
    }
}

impl Command for Df {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.human_readable = options.has("h");
        if args.is_empty() {
            args.push("/".into());
        }
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let space = item.fs.space(&item.path)?;
        let percent = space.used as f64 / space.capacity as f64 * 100.0;
        let percent =
            if percent.is_nan() { "NaN%".into() } else { format!("{}%", half_up(percent, 0)) };
        let size = |bytes: u64| size(bytes as i64, self.human_readable);
        let row = [size(space.capacity), size(space.used), size(space.remaining), percent];
        self.table.add([item.fs.uri()].into_iter().chain(row).collect());
        Ok(())
    }

    fn finish(&mut self, shell: &mut Shell) -> Outcome<()> {
        if self.table.len() > 1 {
            print(shell, &self.table);
        }
        Ok(())
    }
}

/// `-du`.
pub(crate) struct Du {
    human_readable: bool,
    summary: bool,
    without_snapshots: bool,
    header: usize,
    table: Table,
}

impl Default for Du {
    fn default() -> Self {
        Self {
            human_readable: false,
            summary: false,
            without_snapshots: false,
            header: 0,
            table: Table::new(&[]),
        }
    }
}

impl Du {
    /// `-dus`.
    pub(crate) fn summary() -> Self {
        Self { summary: true, ..Self::default() }
    }
}

impl Command for Du {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.human_readable = options.has("h");
        self.summary |= options.has("s");
        self.without_snapshots = options.has("x");
        if options.has("v") {
            let header = ["SIZE", "DISK_SPACE_CONSUMED_WITH_ALL_REPLICAS", "FULL_PATH_NAME"];
            self.table.add(header.map(str::to_owned).into());
            self.header = 1;
        }
        if args.is_empty() {
            args.push(".".into());
        }
        Ok(())
    }

    fn existing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        if !self.summary && item.is_dir() {
            return self.descend(shell, &item);
        }
        shell.depth = 0;
        self.items(shell, None, vec![item])
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let summary = item.fs.content_summary(&item.path)?;
        let (mut length, mut consumed) = (summary.length as i64, summary.space_consumed as i64);
        if self.without_snapshots {
            length -= summary.snapshot_length as i64;
            consumed -= summary.snapshot_space_consumed as i64;
        }
        let size = |bytes: i64| size(bytes, self.human_readable);
        self.table.add(vec![size(length), size(consumed), item.text.clone()]);
        Ok(())
    }

    fn finish(&mut self, shell: &mut Shell) -> Outcome<()> {
        if self.table.len() > self.header {
            print(shell, &self.table);
        }
        Ok(())
    }
}
