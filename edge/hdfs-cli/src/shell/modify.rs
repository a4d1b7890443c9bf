//! `-mkdir`, `-truncate`, `-concat`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Mkdir, Truncate, Concat (3.5.0)

pub(super) mod touch;

use std::time::Duration;

use super::Shell;
use super::arguments::Options;
use super::display::no_number;
use super::failure::{Failure, Outcome};
use super::path;
use super::walk::{Command, PathData};

/// `-mkdir`.
#[derive(Default)]
pub(crate) struct Mkdir {
    parents: bool,
}

impl Command for Mkdir {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.parents = options.has("p");
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        match item.is_dir() {
            true if self.parents => Ok(()),
            true => Err(Failure::exists(&item.text)),
            false => Err(Failure::is_no_directory(&item.text)),
        }
    }

    fn missing(&mut self, _shell: &mut Shell, item: PathData) -> Outcome<()> {
        if !self.parents {
            let parent = path::parent(&item.path).unwrap_or("/");
            if item.fs.stat(parent)?.is_none() {
                return Err(Failure::not_found(&format!("{}{parent}", item.fs.prefix())));
            }
        }
        if item.fs.mkdirs(&item.path)? { Ok(()) } else { Err(Failure::input_output(&item.text)) }
    }
}

/// `-truncate`.
#[derive(Default)]
pub(crate) struct Truncate {
    length: u64,
    wait: bool,
    waiting: Vec<PathData>,
}

impl Command for Truncate {
    fn configure(
        &mut self,
        shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.wait = options.has("w");
        let text = args.remove(0);
        let length: i64 = text.parse().map_err(|_| {
            shell.warn("Illegal length, a non-negative integer expected");
            no_number(&text)
        })?;
        self.length =
            u64::try_from(length).map_err(|_| Failure::Illegal("length must be >= 0".into()))?;
        Ok(())
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        if stat.is_dir() {
            return Err(Failure::is_directory(&item.text));
        }
        if self.length > stat.length {
            return Err(Failure::Illegal(format!(
                "Cannot truncate to a larger file size. Current size: {}, truncate size: {}.",
                stat.length, self.length
            )));
        }
        if item.fs.truncate(&item.path, self.length)? {
            shell.out.line(format!("Truncated {} to length: {}", item.text, self.length));
        } else if self.wait {
            self.waiting.push(item.clone());
        } else {
            shell.out.line(format!(
                "Truncating {} to length: {}. Wait for block recovery to complete before further updating this file.",
                item.text, self.length
            ));
        }
        Ok(())
    }

    fn finish(&mut self, shell: &mut Shell) -> Outcome<()> {
        for mut item in std::mem::take(&mut self.waiting) {
            shell.out.line(format!("Waiting for {} ...", item.text));
            shell.out.flush();
            loop {
                item.refresh()?;
                if item.known()?.length == self.length {
                    break;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            shell.out.line(format!("Truncated {} to length: {}", item.text, self.length));
        }
        Ok(())
    }
}

/// `-concat`.
pub(crate) struct Concat;

const CONCAT_USAGE: &str = "<target path> <src path> <src path> ...";

impl Command for Concat {
    fn arguments(&mut self, _shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        let Some((target, sources)) = items.split_first() else {
            return Err(Failure::io(format!("Target path not specified. {CONCAT_USAGE}")));
        };
        if sources.len() < 2 {
            return Err(Failure::io(format!(
                "The number of source paths is less than 2. {CONCAT_USAGE}"
            )));
        }
        if !target.is_file() {
            let path = target.qualified();
            return Err(Failure::io(format!("Target path {path} does not exist or is not file.")));
        }
        if let Some(source) = sources.iter().find(|source| !source.is_file()) {
            return Err(Failure::io(format!(
                "{} does not exist or is not file.",
                source.qualified()
            )));
        }
        let sources: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        target.fs.concat(&target.path, &sources)
    }

    fn visit(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }
}
