//! The options of `hdfs oiv` and `hdfs oiv_legacy`, read as commons-cli's PosixParser reads them.

use std::collections::BTreeMap;

/// Short or only name, long name, takes a value.
type Known = (&'static str, &'static str, bool);

/// What a viewer knows.
pub(in crate::offline) struct Table {
    pub(in crate::offline) known: &'static [Known],
    /// These take every word up to the next option, and must be there.
    pub(in crate::offline) required: &'static [&'static str],
}

const OIV: Table = Table { known: OPTIONS, required: &["i"] };
const OPTIONS: &[Known] = &[
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
pub(in crate::offline) struct Options(BTreeMap<&'static str, String>);

impl Options {
    /// Reads the arguments; none when Hadoop's parser would refuse them. Words that belong to no option are ignored, and
    /// the last of several values to options other than `-i` is ignored, too: the first counts.
    pub(super) fn parse(args: &[String]) -> Option<Self> {
        Self::parse_as(args, &OIV)
    }

    /// The same for another viewer.
    pub(in crate::offline) fn parse_as(args: &[String], table: &Table) -> Option<Self> {
        let mut options = Self::default();
        let mut args = args.iter().map(String::as_str).peekable();
        while let Some(arg) = args.next() {
            if arg == "--" {
                break;
            }
            let Some((name, takes_value, attached)) = named(arg, table)? else { continue };
            let value = match (takes_value, attached) {
                (false, None) => String::new(),
                (false, Some(_)) => return None,
                (true, Some(value)) => value.to_owned(),
                (true, None) => args.next_if(|next| !is_option(next, table))?.to_owned(),
            };
            while table.required.contains(&name)
                && args.next_if(|next| !is_option(next, table)).is_some()
            {}
            options.0.entry(name).or_insert(value);
        }
        table.required.iter().all(|name| options.0.contains_key(name)).then_some(options)
    }

    pub(in crate::offline) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(in crate::offline) fn value<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.0.get(name).map_or(default, String::as_str)
    }
}

/// True for what cannot be a value: the name of an option.
fn is_option(arg: &str, table: &Table) -> bool {
    arg == "--" || matches!(named(arg, table), Some(Some(_)))
}

type Named<'a> = (&'static str, bool, Option<&'a str>);

/// The option that an argument names, with a value that hangs on it; an inner None for a word, an outer one for an
/// option that does not exist.
fn named<'a>(arg: &'a str, table: &Table) -> Option<Option<Named<'a>>> {
    let (name, attached) = match arg.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    };
    if let Some(long) = name.strip_prefix("--") {
        let exact = table.known.iter().find(|(short, full, _)| *full == long || *short == long);
        let mut begun = table.known.iter().filter(|(_, full, _)| full.starts_with(long));
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
    let found = table.known.iter().find(|(known, full, _)| *known == short || *full == short);
    if let Some((known, _, takes_value)) = found {
        return Some(Some((known, *takes_value, attached)));
    }
    // `-iFILE`.
    let glued = table.known.iter().find(|(known, _, takes_value)| {
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
