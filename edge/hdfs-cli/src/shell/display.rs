//! `-cat`, `-head`, `-tail`, `-checksum`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Display, Head, Tail (3.5.0)

use std::time::Duration;

use super::Shell;
use super::arguments::Options;
use super::copy::BUFFER;
use super::failure::{Failure, Outcome};
use super::files::Reader;
use super::format::hex;
use super::walk::{Command, PathData};

/// What `-head` and `-tail` show, in bytes.
const ENDS: u64 = 1_024;

pub(super) fn refuse_directory(item: &PathData) -> Outcome<()> {
    if item.is_dir() { Err(Failure::is_directory(&item.text)) } else { Ok(()) }
}

/// Prints from `offset` on, `limit` bytes at most; the position after that.
fn print(shell: &mut Shell, item: &PathData, offset: u64, limit: u64) -> Outcome<u64> {
    print_from(shell, &mut *item.fs.open(&item.path)?, offset, limit)
}

fn print_from(shell: &mut Shell, reader: &mut dyn Reader, offset: u64, limit: u64) -> Outcome<u64> {
    if offset > 0 {
        reader.seek(offset)?;
    }
    let mut buffer = vec![0; BUFFER.min(usize::try_from(limit).unwrap_or(BUFFER))];
    let mut done = 0;
    while done < limit {
        let wanted = buffer.len().min(usize::try_from(limit - done).unwrap_or(usize::MAX));
        let count = reader.read(&mut buffer[..wanted])?;
        if count == 0 {
            break;
        }
        shell.out.bytes(&buffer[..count]);
        done += count as u64;
    }
    Ok(offset + done)
}

/// `-cat`.
///
/// `-ignoreCrc` makes a difference for local files only: what is read from HDFS is always verified
/// (docs/differences.md).
#[derive(Default)]
pub(crate) struct Cat {
    ignore_checksums: bool,
}

impl Command for Cat {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.ignore_checksums = options.has("ignoreCrc");
        Ok(())
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        refuse_directory(item)?;
        let mut reader = match self.ignore_checksums {
            true => item.fs.open_unverified(&item.path)?,
            false => item.fs.open(&item.path)?,
        };
        print_from(shell, &mut *reader, 0, u64::MAX)?;
        Ok(())
    }
}

/// `-head`.
pub(crate) struct Head;

impl Command for Head {
    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        Ok(vec![shell.literal(arg)?])
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        refuse_directory(item)?;
        print(shell, item, 0, ENDS)?;
        Ok(())
    }
}

/// `-tail`.
#[derive(Default)]
pub(crate) struct Tail {
    follow_every: Option<Duration>,
}

impl Command for Tail {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        if !options.has("f") {
            return Ok(());
        }
        let given = options.value("s").filter(|value| !value.is_empty());
        let millis: i64 = match given {
            Some(text) => text.parse().map_err(|_| no_number(text))?,
            None => 0,
        };
        let millis = u64::try_from(millis).ok().filter(|millis| *millis > 0).unwrap_or(5_000);
        self.follow_every = Some(Duration::from_millis(millis));
        Ok(())
    }

    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        Ok(vec![shell.literal(arg)?])
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        refuse_directory(item)?;
        let mut item = item.clone();
        item.refresh()?;
        let mut offset = item.known()?.length.saturating_sub(ENDS);
        offset = print(shell, &item, offset, u64::MAX)?;
        while let Some(pause) = self.follow_every {
            shell.out.flush();
            std::thread::sleep(pause);
            item.refresh()?;
            let length = item.known()?.length;
            offset = if offset > length { length } else { print(shell, &item, offset, u64::MAX)? };
        }
        Ok(())
    }
}

/// Java's NumberFormatException.
pub(crate) fn no_number(text: &str) -> Failure {
    Failure::Illegal(format!("For input string: \"{text}\""))
}

/// `-checksum`.
#[derive(Default)]
pub(crate) struct Checksum {
    block_size: bool,
}

impl Command for Checksum {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.block_size = options.has("v");
        Ok(())
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        refuse_directory(item)?;
        let mut line = match item.fs.checksum(&item.path)? {
            Some((algorithm, bytes)) => format!("{}\t{algorithm}\t{}", item.text, hex(&bytes)),
            None => format!("{}\tNONE", item.text),
        };
        if self.block_size {
            line.push_str(&format!("\tBlockSize={}", item.known()?.block_size));
        }
        shell.out.line(line);
        Ok(())
    }
}
