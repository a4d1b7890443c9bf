//! Options of a shell command: which there are, which were given.
//!
//! Hadoop: org.apache.hadoop.fs.shell.CommandFormat (3.5.0)

use std::collections::BTreeMap;

use super::failure::{Failure, Outcome};

/// What a command accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Least arguments besides options.
    pub min: usize,
    /// Most arguments besides options.
    pub max: usize,
    /// Options without a value.
    pub flags: &'static [&'static str],
    /// Options with a value.
    pub valued: &'static [&'static str],
    /// Unknown options are taken for arguments.
    pub lenient: bool,
}

impl Format {
    pub(crate) const fn new(min: usize, flags: &'static [&'static str]) -> Self {
        Self { min, max: usize::MAX, flags, valued: &[], lenient: false }
    }

    pub(crate) const fn most(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    pub(crate) const fn with_values(mut self, valued: &'static [&'static str]) -> Self {
        self.valued = valued;
        self
    }

    pub(crate) const fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Takes the options out of `args` and checks how many arguments are left.
    pub(crate) fn parse(&self, args: &mut Vec<String>) -> Outcome<Options> {
        let mut options = Options::default();
        let mut at = 0;
        while let Some(arg) = args.get(at).filter(|arg| arg.starts_with('-') && *arg != "-") {
            if arg == "--" {
                args.remove(at);
                break;
            }
            let name = &arg[1..];
            if let Some(flag) = self.flags.iter().find(|flag| **flag == name) {
                options.flags.push(flag);
                args.remove(at);
            } else if let Some(valued) = self.valued.iter().find(|valued| **valued == name) {
                args.remove(at);
                let value =
                    args.get(at).filter(|value| args.len() > self.min && !value.starts_with('-'));
                let value = if value.is_some() { args.remove(at) } else { String::new() };
                options.values.insert(valued, value);
            } else if self.lenient {
                at += 1;
            } else {
                return Err(Failure::Illegal(format!("Illegal option {arg}")));
            }
        }
        self.check_count(args.len())?;
        Ok(options)
    }

    /// Hadoop's messages for too few and too many arguments.
    pub(crate) fn check_count(&self, count: usize) -> Outcome<()> {
        if count < self.min {
            let message = format!("Not enough arguments: expected {} but got {count}", self.min);
            return Err(Failure::Illegal(message));
        }
        if count > self.max {
            let message = format!("Too many arguments: expected {} but got {count}", self.max);
            return Err(Failure::Illegal(message));
        }
        Ok(())
    }
}

/// The options that were given.
#[derive(Debug, Default)]
pub(crate) struct Options {
    flags: Vec<&'static str>,
    values: BTreeMap<&'static str, String>,
}

impl Options {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    /// The value of an option that was given, empty when it had none.
    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str)
    }

    /// Every flag that was given, each once.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let mut given = self.flags.clone();
        given.sort_unstable();
        given.dedup();
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format::new(1, &["f", "-odd"]).most(2).with_values(&["t"]);

    /// Arguments that are left, flags, and the value of `-t`.
    type Parsed = (Vec<String>, Vec<&'static str>, Option<String>);

    fn parse(line: &str) -> Result<Parsed, String> {
        let mut args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let options = FORMAT.parse(&mut args).map_err(|failure| failure.message().to_owned())?;
        let value = options.value("t").map(str::to_owned);
        Ok((args, options.given(), value))
    }

    #[test]
    fn options_end_at_the_first_argument() {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(parse("-f a -f"), Ok((words(&["a", "-f"]), vec!["f"], None)));
        assert_eq!(parse("--odd -- -f"), Ok((words(&["-f"]), vec!["-odd"], None)));
        assert_eq!(parse("-t 4 a"), Ok((words(&["a"]), vec![], Some("4".into()))));
        assert_eq!(parse("-t a"), Ok((words(&["a"]), vec![], Some(String::new()))));
        assert_eq!(parse("- x"), Ok((words(&["-", "x"]), vec![], None)));
    }

    #[test]
    fn wrong_options_and_counts_have_hadoops_messages() {
        assert_eq!(parse("-x a"), Err("Illegal option -x".into()));
        assert_eq!(parse("-f"), Err("Not enough arguments: expected 1 but got 0".into()));
        assert_eq!(parse("a b c"), Err("Too many arguments: expected 2 but got 3".into()));
    }
}
