//! `-cp`, `-put`, `-get` and their other names.
//!
//! `-ignoreCrc` makes a difference for local files only: what is read from HDFS is always verified
//! (docs/differences.md).
//!
//! Hadoop: org.apache.hadoop.fs.shell.CopyCommands (3.5.0)

pub(super) mod append;
pub(super) mod destination;
pub(super) mod merge;
mod pump;
mod threads;
mod transfer;

use std::sync::Arc;

use super::Shell;
use super::arguments::Options;
use super::display::no_number;
use super::failure::{Failure, Outcome};
use super::progress::{self, Progress};
use super::walk::{Command, PathData};
use destination::Destination;
use threads::Threads;
use transfer::{Preserve, Transfer};

/// Bytes that are moved at a time.
pub(crate) const BUFFER: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// Between any two file systems.
    Cp,
    /// From the local file system.
    Put,
    /// The same, and the source is removed.
    MoveFromLocal,
    /// To the local file system.
    Get,
}

/// A command that copies files and directories.
pub(crate) struct Copying {
    direction: Direction,
    destination: Destination,
    transfer: Arc<Transfer>,
    /// What `-cp -p…` keeps.
    preserve: Preserve,
    /// `-t` and `-q`: how many files are copied at once, and how many may wait.
    thread_count: usize,
    queue_size: usize,
    threads: Option<Threads>,
    quiet: bool,
}

/// Files that may wait for a thread, unless `-q` says otherwise.
const QUEUE_SIZE: usize = 1_024;

impl Copying {
    fn new(direction: Direction) -> Self {
        Self {
            direction,
            destination: Destination::default(),
            transfer: Arc::default(),
            preserve: Preserve::default(),
            thread_count: 1,
            queue_size: QUEUE_SIZE,
            threads: None,
            quiet: false,
        }
    }

    /// `-cp`.
    pub(crate) fn cp() -> Self {
        Self::new(Direction::Cp)
    }

    /// `-put` and `-copyFromLocal`.
    pub(crate) fn put() -> Self {
        Self::new(Direction::Put)
    }

    /// `-moveFromLocal`.
    pub(crate) fn move_from_local() -> Self {
        Self::new(Direction::MoveFromLocal)
    }

    /// `-get` and `-copyToLocal`.
    pub(crate) fn get() -> Self {
        Self::new(Direction::Get)
    }
}

impl Copying {
    /// Shows how far the command is, where somebody looks and it takes long. The sources are summed up for that.
    fn show_progress(&self, items: &[PathData], several: bool) {
        if self.quiet || !progress::is_watched() {
            return;
        }
        let length = |item: &PathData| match item.is_dir() {
            true => item.fs.content_summary(&item.path).map(|sum| sum.length),
            false => item.known().map(|stat| stat.length),
        };
        // A source that can't be summed up will say why when it is copied.
        let bytes = items.iter().filter_map(|item| length(item).ok()).sum();
        let what = match items {
            [item] => item.text.clone(),
            _ => format!("{} sources", items.len()),
        };
        let lines = several && progress::has_lines(self.thread_count);
        self.transfer.progress.start(what, Some(bytes), lines);
    }
}

/// The number after an option; less than 1 means the default.
fn positive(options: &Options, option: &str, default: usize) -> Outcome<usize> {
    let Some(text) = options.value(option) else { return Ok(default) };
    let number: i32 = text.parse().map_err(|_| no_number(text))?;
    Ok(usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(default))
}

impl Command for Copying {
    fn prepare(&mut self, _shell: &mut Shell, args: &mut Vec<String>) -> Outcome<()> {
        if self.direction == Direction::MoveFromLocal && args.iter().any(|arg| arg == "-t") {
            return Err(Failure::Illegal("Illegal option -t".into()));
        }
        if self.direction == Direction::Cp {
            let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
            if let Some(at) = args[..end].iter().position(|arg| arg.starts_with("-p")) {
                self.preserve = Preserve::parse(&args.remove(at)[2..])?;
            }
        }
        Ok(())
    }

    fn configure(
        &mut self,
        shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.thread_count = positive(options, "t", 1)?;
        self.queue_size = positive(options, "q", QUEUE_SIZE)?;
        self.transfer = Arc::new(Transfer {
            overwrite: options.has("f"),
            direct: options.has("d"),
            lazy_persist: options.has("l"),
            checksum_file: self.direction != Direction::Get || options.has("crc"),
            ignore_checksums: options.has("ignoreCrc"),
            preserve: if options.has("p") { Preserve::parse("")? } else { self.preserve },
            progress: Progress::default(),
        });
        // With -q a command is quiet beside it.
        self.quiet = options.value("q").is_some();
        self.destination = match self.direction {
            Direction::Get => Destination::local(shell, args)?,
            _ => Destination::any(shell, args)?,
        };
        self.destination.overwrite = self.transfer.overwrite;
        Ok(())
    }

    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        match self.direction {
            Direction::Put | Direction::MoveFromLocal => Ok(vec![shell.local(arg)?]),
            _ => shell.glob_required(arg),
        }
    }

    fn arguments(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        let from_local = matches!(self.direction, Direction::Put | Direction::MoveFromLocal);
        if let ([item], true) = (items.as_slice(), from_local)
            && item.text == "-"
        {
            let target = self.destination.target(shell.depth, item)?;
            return self.transfer.copy_stdin(&target);
        }
        self.destination.check(&items)?;
        let several = items.len() > 1 || items.first().is_some_and(PathData::is_dir);
        if self.thread_count > 1 && several {
            self.threads =
                Some(Threads::start(self.thread_count, self.queue_size, &self.transfer)?);
        }
        self.show_progress(&items, several);
        let done = self.each_argument(shell, items);
        let failures = self.threads.take().map(Threads::finish).unwrap_or_default();
        self.transfer.progress.finish();
        for failure in failures {
            shell.report(failure)?;
        }
        done
    }

    fn existing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        shell.depth = 0;
        self.destination.refuse_inside(&item)?;
        self.items(shell, None, vec![item])
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let target = self.destination.target(shell.depth, item)?;
        if self.direction == Direction::MoveFromLocal && target.is_dir() {
            return Err(Failure::exists(&target.text));
        }
        if item.is_dir() {
            return Ok(());
        }
        if !item.is_file() {
            return Err(Failure::path(&item.text, "Operation not supported"));
        }
        match &self.threads {
            Some(threads) => threads.copy(item.clone(), target),
            None => {
                let done = self.transfer.copy_file(item, &target);
                if done.is_err() {
                    self.transfer.progress.make_room();
                }
                done
            }
        }
    }

    fn descend(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let target = self.destination.enter(shell.depth, item)?;
        let outer = self.destination.path.replace(target);
        let done = self.descend_into(shell, item);
        let inner = std::mem::replace(&mut self.destination.path, outer);
        done?;
        match inner {
            Some(target) => self.transfer.preserve.apply(item, &target),
            None => Ok(()),
        }
    }

    fn leave(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if self.direction == Direction::MoveFromLocal && !item.fs.delete(&item.path, false)? {
            return Err(Failure::io(format!("remove `{}': Input/output error", item.text)));
        }
        Ok(())
    }
}
