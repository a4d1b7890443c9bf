//! Usage texts as completion reads them: options, words to choose from, local files or paths on the cluster.

/// What a usage text names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// With their dashes, in order.
    pub options: Vec<String>,
    /// Words that stand for themselves: `enter | leave | get`.
    pub choices: Vec<String>,
    /// Arguments, in order; true for a local one.
    arguments: Vec<bool>,
}

impl Usage {
    pub(super) fn read(text: &str) -> Self {
        // What follows is the same for every command, and completed before it.
        let text = text.split("Generic options").next().unwrap_or_default();
        let mut usage = Self::default();
        let mut add = |list: &str, word: &str| {
            let list = if list == "options" { &mut usage.options } else { &mut usage.choices };
            if !list.iter().any(|known| known == word) {
                list.push(word.to_owned());
            }
        };
        // Where a word stands decides what it is: behind a bracket, a bar or a blank.
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let mut rest = text;
        let mut before = ' ';
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if end == 0 {
                before = if first == ' ' && before != ' ' { before } else { first };
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let (word, tail) = rest.split_at(end);
            let follows_bar = tail.trim_start().starts_with('|');
            let stands_alone = matches!(before, ' ' | '[' | ']' | '(' | '|' | '>' | '\n' | ',');
            if is_option(word) && stands_alone {
                add("options", word);
            } else if (before == '|' || follows_bar) && before != '<' && is_choice(word) {
                add("choices", word);
            }
            before = 'a';
            rest = tail;
        }
        // The first line says what stands where.
        let first = text.lines().find(|line| line.contains('-') || line.contains('<'));
        let names = first.unwrap_or_default().split_whitespace();
        usage.arguments = names.filter_map(argument).collect();
        usage
    }

    /// Whether the argument that comes next may be a local file, and whether a path on the cluster.
    pub(super) fn places(&self, is_first: bool) -> (bool, bool) {
        match self.arguments.as_slice() {
            [] => (false, false),
            [only] => (*only, !only),
            [first, ..] if is_first => (*first, !first),
            // `put a b …`: another source or the target.
            [_, rest @ ..] => {
                let local = rest.contains(&true) || self.arguments[0];
                (local, rest.contains(&false) || !self.arguments[0])
            }
        }
    }
}

/// `-name` or `--name`, but no rule of dashes.
fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let dashes = word.len() - name.len();
    (1..=2).contains(&dashes) && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_choice(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Whether a word of the first line is a place for a path: `<localsrc>` (true), `<src>`, `PATH...` (false).
fn argument(word: &str) -> Option<bool> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
    let is_local = word.starts_with("local");
    let names = ["path", "src", "dst", "linkdst", "snapshotdir", "target"];
    (is_local || names.contains(&word.as_str())).then_some(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, (bool, bool), (bool, bool)) {
        let usage = Usage::read(text);
        let places = (usage.places(true), usage.places(false));
        (usage.options.join(" "), usage.choices.join(" "), places.0, places.1)
    }

    #[test]
    fn usages_of_the_shell_tell_options_and_places() {
        let put = "-put [-f] [-p] [-t <thread count>] <localsrc> ... <dst>";
        let expected = ("-put -f -p -t".into(), String::new(), (true, false), (true, true));
        assert_eq!(read(put), expected);
        let get = "-get [-crc] <src> ... <localdst>";
        let expected = ("-get -crc".into(), String::new(), (false, true), (true, true));
        assert_eq!(read(get), expected);
        let chgrp = "-chgrp [-R] GROUP PATH...";
        assert_eq!(read(chgrp).2, (false, true));
        assert_eq!(read("-help [cmd ...]").2, (false, false));
    }

    #[test]
    fn alternatives_are_choices_and_placeholders_are_not() {
        let text = "[-safemode enter | leave | get | wait | forceExit]";
        assert_eq!(read(text).1, "enter leave get wait forceExit");
        let text = "[-restoreFailedStorage true|false|check ]";
        assert_eq!(read(text).1, "true false check");
        let text = "[-refresh <host:ipc_port> <key> [a...n]]\n-----";
        assert_eq!((read(text).0.as_str(), read(text).1.as_str()), ("-refresh", ""));
    }
}
