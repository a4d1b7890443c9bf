//! The options of `hdfs oiv`, read as commons-cli's PosixParser reads them.

use std::collections::BTreeMap;

/// Short or only name, long name, takes a value.
const OPTIONS: &[(&str, &str, bool)] = &[
    ("i", "inputFile", true),
    ("o", "outputFile", true),
    ("p", "processor", true),
    ("h", "help", false),
    ("maxSize", "", true),
    ("step", "", true),
    ("format", "", false),
    ("addr", "", true),
    ("delimiter", "", true),
    ("sp", "", false),
    ("ec", "", false),
    ("t", "temp", true),
    ("m", "multiThread", true),
];

/// What was typed: the first value of each option.
#[derive(Debug, Default)]
pub(super) struct Options(BTreeMap<&'static str, String>);

impl Options {
    /// Reads the arguments; none when Hadoop's parser would refuse them. Words that belong to no option are ignored, and
    /// the last of several values to options other than `-i` is ignored, too: the first counts.
    pub(super) fn parse(args: &[String]) -> Option<Self> {
        let mut options = Self::default();
        let mut args = args.iter().map(String::as_str).peekable();
        while let Some(arg) = args.next() {
            if arg == "--" {
                break;
            }
            let Some((name, takes_value, attached)) = named(arg)? else { continue };
            let value = match (takes_value, attached) {
                (false, None) => String::new(),
                (false, Some(_)) => return None,
                (true, Some(value)) => value.to_owned(),
                (true, None) => args.next_if(|next| !is_option(next))?.to_owned(),
            };
            // `-i` takes every word up to the next option.
            while name == "i" && args.next_if(|next| !is_option(next)).is_some() {}
            options.0.entry(name).or_insert(value);
        }
        options.0.contains_key("i").then_some(options)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn value<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.0.get(name).map_or(default, String::as_str)
    }
}

/// True for what cannot be a value: the name of an option.
fn is_option(arg: &str) -> bool {
    arg == "--" || matches!(named(arg), Some(Some(_)))
}

type Named<'a> = (&'static str, bool, Option<&'a str>);

/// The option that an argument names, with a value that hangs on it; an inner None for a word, an outer one for an
/// option that does not exist.
fn named(arg: &str) -> Option<Option<Named<'_>>> {
    let (name, attached) = match arg.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    };
    if let Some(long) = name.strip_prefix("--") {
        let exact = OPTIONS.iter().find(|(short, full, _)| *full == long || *short == long);
        let mut begun = OPTIONS.iter().filter(|(_, full, _)| full.starts_with(long));
        let only = match (begun.next(), begun.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        };
        let (short, _, takes_value) = exact.or(only)?;
        return Some(Some((short, *takes_value, attached)));
    }
    let Some(short) = name.strip_prefix('-').filter(|short| !short.is_empty()) else {
        return Some(None);
    };
    let found = OPTIONS.iter().find(|(known, full, _)| *known == short || *full == short);
    if let Some((known, _, takes_value)) = found {
        return Some(Some((known, *takes_value, attached)));
    }
    // `-iFILE`.
    let glued = OPTIONS.iter().find(|(known, _, takes_value)| {
        known.len() == 1 && *takes_value && short.starts_with(known)
    });
    let (known, _, _) = glued?;
    Some(Some((known, true, arg.get(2..))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Options> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&args)
    }

    #[test]
    fn every_form_of_an_option_is_understood() {
        let options = parse("--inputFile=a -pXML --outputFile b -maxSize 5 --temp t -ec").unwrap();
        assert_eq!(
            ["i", "p", "o", "maxSize", "t", "m"].map(|name| options.value(name, "-")),
            ["a", "XML", "b", "5", "t", "-"]
        );
        assert!(options.has("ec") && !options.has("sp"));
        assert_eq!(parse("-i a more -z -p XML word").unwrap().value("i", ""), "a");
    }

    #[test]
    fn what_hadoop_refuses_is_refused() {
        for line in ["", "-p XML", "-i", "-i -p XML", "-z -i a", "-i a -p"] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
