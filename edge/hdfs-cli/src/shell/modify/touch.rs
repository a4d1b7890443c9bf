//! `-touch` and `-touchz`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.TouchCommands (3.5.0)

use chrono::{Local, NaiveDate, TimeDelta, TimeZone as _};

use crate::shell::Shell;
use crate::shell::arguments::Options;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::Create;
use crate::shell::trash::now_ms;
use crate::shell::walk::{Command, PathData};

const EMPTY: Create = Create { overwrite: true, lazy_persist: false, checksum_file: true };

fn refuse_without_parent(item: &PathData) -> Outcome<()> {
    if item.parent_exists()? {
        return Ok(());
    }
    let full = item.uri();
    let in_full = if full == item.text { String::new() } else { format!(": `{full}'") };
    Err(Failure::path(&item.text, &format!("No such file or directory{in_full}")))
}

fn create_empty(item: &PathData) -> Outcome<()> {
    item.fs.create(&item.path, EMPTY)?.close()
}

/// `-touchz`.
pub(crate) struct Touchz;

impl Command for Touchz {
    fn missing(&mut self, _shell: &mut Shell, item: PathData) -> Outcome<()> {
        refuse_without_parent(&item)?;
        create_empty(&item)
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        if stat.is_dir() {
            return Err(Failure::is_directory(&item.text));
        }
        if stat.length != 0 {
            return Err(Failure::path(&item.text, "Not a zero-length file"));
        }
        create_empty(item)
    }
}

/// `-touch`.
#[derive(Default)]
pub(crate) struct Touch {
    timestamp: Option<String>,
    modification_only: bool,
    access_only: bool,
    do_not_create: bool,
}

impl Touch {
    fn update(&self, item: &PathData) -> Outcome<()> {
        let time = match &self.timestamp {
            Some(text) => parse_time(text).ok_or_else(|| {
                Failure::Illegal(format!(
                    "Unable to parse the specified timestamp {text}. The expected format is yyyyMMdd:HHmmss"
                ))
            })?,
            None => now_ms(),
        };
        let both = self.modification_only == self.access_only;
        let modified = (both || self.modification_only).then_some(time);
        let accessed = (both || self.access_only).then_some(time);
        item.fs.set_times(&item.path, modified, accessed)
    }
}

/// `yyyyMMdd:HHmmss` in the time zone of this machine. As in Java, a 13th month is the first of the next year and so on,
/// and what follows is not looked at.
fn parse_time(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to).filter(|part| part.bytes().all(|c| c.is_ascii_digit()))?;
        digits.parse().ok()
    };
    if text.as_bytes().get(8) != Some(&b':') {
        return None;
    }
    let months = number(0, 4)? * 12 + number(4, 6)? - 1;
    let year = i32::try_from(months.div_euclid(12)).ok()?;
    let month = u32::try_from(months.rem_euclid(12) + 1).ok()?;
    let first = NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)?;
    let time = first
        + TimeDelta::days(number(6, 8)? - 1)
        + TimeDelta::seconds(number(9, 11)? * 3_600 + number(11, 13)? * 60 + number(13, 15)?);
    u64::try_from(Local.from_local_datetime(&time).earliest()?.timestamp_millis()).ok()
}

impl Command for Touch {
    fn prepare(&mut self, _shell: &mut Shell, args: &mut Vec<String>) -> Outcome<()> {
        let options_end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
        if let Some(at) = args[..options_end].iter().position(|arg| arg == "-t") {
            args.remove(at);
            if at >= args.len() {
                return Err(Failure::Illegal("option -t requires 1 argument.".into()));
            }
            self.timestamp = Some(args.remove(at));
        }
        Ok(())
    }

    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.modification_only = options.has("m");
        self.access_only = options.has("a");
        self.do_not_create = options.has("c");
        Ok(())
    }

    fn missing(&mut self, _shell: &mut Shell, item: PathData) -> Outcome<()> {
        refuse_without_parent(&item)?;
        if self.do_not_create {
            return Ok(());
        }
        create_empty(&item)?;
        if self.timestamp.is_some() { self.update(&item) } else { Ok(()) }
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        self.update(item)
    }
}
