//! Java's properties files, as Hadoop's VERSION files are.
//!
//! ```text
//! #<date>             a comment: a line whose first character is # or !
//! key=value           `=`, `:` or white space between; a backslash escapes, `\uXXXX` names a character, and a line that
//!                     ends in a backslash goes on in the next
//! ```
//! Hadoop: java.util.Properties.store and load

use super::date::CivilTime;
use hdfs_types::WallMillis;
use std::fmt::Write as _;

/// Keys and values in the order of the file; the last of equal keys counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// Reads a file. Java never refuses one; neither does this, except for a broken `\u`.
    ///
    /// # Errors
    /// The number of the line with a broken `\u`.
    pub fn parse(bytes: &[u8]) -> Result<Self, usize> {
        // Java reads these files as ISO 8859-1: each byte is one character.
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let mut properties = Self::default();
        let mut lines = text.split(['\n', '\r']).map(trim_start).enumerate();
        while let Some((number, line)) = lines.next() {
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let mut logical = line.to_owned();
            while ends_in_escape(&logical) {
                logical.pop();
                match lines.next() {
                    Some((_, next)) => logical.push_str(next),
                    None => break,
                }
            }
            let (key, value) = split(&logical);
            let unescape = |text: &str| unescape(text).ok_or(number + 1);
            properties.set(&unescape(key)?, &unescape(value)?);
        }
        Ok(properties)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Sets the value of a key; a new one goes to the end.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(other, _)| other == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }

    /// The file as Java writes it, with the time of writing in its first line.
    pub fn print(&self, now: WallMillis) -> String {
        let mut out = format!("#{}\n", CivilTime::from(now));
        for (key, value) in &self.0 {
            escape(&mut out, key, true);
            out.push('=');
            escape(&mut out, value, false);
            out.push('\n');
        }
        out
    }
}

fn trim_start(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '\x0C'])
}

fn ends_in_escape(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Key and value of a logical line.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|character: char| {
        let ends = !escaped && matches!(character, '=' | ':' | ' ' | '\t' | '\x0C');
        escaped = character == '\\' && !escaped;
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = trim_start(rest);
    let value = rest.strip_prefix(['=', ':']).map_or(rest, trim_start);
    (key, value)
}

fn unescape(text: &str) -> Option<String> {
    let mut units = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0C',
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    if digits.len() != 4 {
                        return None;
                    }
                    units.push(u16::from_str_radix(&digits, 16).ok()?);
                    continue;
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

fn escape(out: &mut String, text: &str, key: bool) {
    for (index, character) in text.chars().enumerate() {
        match character {
            ' ' if key || index == 0 => out.push_str("\\ "),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\x0C' => out.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_that_java_reads_is_read() {
        let text = b"# comment\n! another\r\n a = 1\nb:2\nc 3\nd\\ e=x\\:y\\\n   z\nu=\\u00e4\nempty=\nalone\n";
        let properties = Properties::parse(text).unwrap();
        for (key, value) in [
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d e", "x:yz"),
            ("u", "\u{e4}"),
            ("empty", ""),
            ("alone", ""),
        ] {
            assert_eq!(properties.get(key), Some(value), "{key}");
        }
        assert_eq!(Properties::parse(b"a=1\nb=\\u12"), Err(2));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(key in "[^\u{0}]{1,8}", value in any::<String>()) {
            let mut properties = Properties::default();
            properties.set(&key, &value);
            let printed = properties.print(WallMillis(0));
            prop_assert!(printed.is_ascii());
            prop_assert_eq!(Properties::parse(printed.as_bytes()), Ok(properties));
        }
    }
}
