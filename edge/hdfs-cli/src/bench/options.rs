//! Options of the load generators: `--name value`, `--name=value` and `--switch`, and words.

use std::collections::BTreeMap;
use std::time::Duration;

/// What was typed, taken apart by a list of what is known.
#[derive(Debug, Default)]
pub(super) struct Options {
    values: BTreeMap<&'static str, String>,
    /// What is no option, in order.
    pub words: Vec<String>,
}

/// An option by its name without dashes, and whether a value follows.
pub(super) type Known = (&'static str, bool);

impl Options {
    /// # Errors
    /// A text, for an option that is not known, lacks its value or has one that it does not take.
    pub(super) fn parse(args: &[String], known: &[Known]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let Some(option) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
                options.words.push(arg.clone());
                continue;
            };
            let (name, attached) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            let &(name, takes_value) = known
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| format!("unknown option {arg}"))?;
            let value = match (takes_value, attached) {
                (false, None) => String::new(),
                (false, Some(_)) => return Err(format!("--{name} takes no value")),
                (true, Some(value)) => value,
                (true, None) => {
                    rest.next().ok_or_else(|| format!("--{name} needs a value"))?.clone()
                }
            };
            options.values.insert(name, value);
        }
        Ok(options)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A whole number within limits.
    pub(super) fn number(
        &self,
        name: &str,
        default: u64,
        limits: (u64, u64),
    ) -> Result<u64, String> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let plain = text.replace([',', '_'], "");
        let value = plain.parse().ok().filter(|value| (limits.0..=limits.1).contains(value));
        value.ok_or_else(|| {
            format!("--{name} {text}: a whole number from {} to {} is expected", limits.0, limits.1)
        })
    }

    /// Bytes, with Hadoop's suffixes: `64k`, `128m`, `1g`.
    pub(super) fn bytes(
        &self,
        name: &str,
        default: u64,
        limits: (u64, u64),
    ) -> Result<u64, String> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let lower = text.to_ascii_lowercase();
        let shift = match lower.bytes().last() {
            Some(b'k') => 10,
            Some(b'm') => 20,
            Some(b'g') => 30,
            Some(b't') => 40,
            _ => 0,
        };
        let digits = if shift == 0 { lower.as_str() } else { &lower[..lower.len() - 1] };
        let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(1 << shift));
        value.filter(|value| (limits.0..=limits.1).contains(value)).ok_or_else(|| {
            format!("--{name} {text}: a size like 4096, 64k, 128m or 1g is expected, from {} to {} bytes", limits.0, limits.1)
        })
    }

    /// A duration: `30`, `30s`, `5m`.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let (digits, unit) = match text.strip_suffix('m') {
            Some(minutes) => (minutes, 60.0),
            None => (text.strip_suffix('s').unwrap_or(text), 1.0),
        };
        let seconds = digits.parse::<f64>().ok().map(|value| value * unit);
        let seconds = seconds.filter(|seconds| (0.1..=1e6).contains(seconds));
        seconds
            .map(|seconds| Some(Duration::from_secs_f64(seconds)))
            .ok_or_else(|| format!("--{name} {text}: a time like 30s or 5m is expected"))
    }

    /// Numbers of processes, separated by commas.
    pub(super) fn pids(&self) -> Result<Vec<u32>, String> {
        let pids = self.text("server-pids").unwrap_or_default().split(',').map(str::trim);
        pids.filter(|pid| !pid.is_empty())
            .map(|pid| {
                pid.parse().map_err(|_| {
                    format!("--server-pids {pid}: numbers of processes, separated by commas, are expected")
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[("n", true), ("json", false), ("size", true), ("duration", true)];

    fn parse(line: &str) -> Result<Options, String> {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Options::parse(&args, KNOWN)
    }

    #[test]
    fn options_and_words_mix_in_any_order() {
        let options =
            parse("create --n 1,000 stat --size=64k --json --duration 2m").expect("valid");
        assert_eq!(options.words, ["create", "stat"]);
        assert_eq!(options.number("n", 5, (1, 2_000)), Ok(1_000));
        assert_eq!(options.bytes("size", 0, (1, u64::MAX)), Ok(65_536));
        assert_eq!(options.duration("duration"), Ok(Some(Duration::from_secs(120))));
        assert!(options.is_set("json"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parse("--nn 1").expect_err("unknown"), "unknown option --nn");
        assert_eq!(parse("--n").expect_err("no value"), "--n needs a value");
        assert_eq!(parse("--json=1").expect_err("a value"), "--json takes no value");
        let zero = parse("--n 0").expect("valid").number("n", 1, (1, 9)).expect_err("too small");
        assert_eq!(zero, "--n 0: a whole number from 1 to 9 is expected");
        let huge = parse("--size 99999999999t").expect("valid").bytes("size", 1, (1, u64::MAX));
        assert!(huge.expect_err("overflow").starts_with("--size 99999999999t: a size like"));
    }
}
