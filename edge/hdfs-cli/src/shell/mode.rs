//! Modes as `-chmod` takes them: `755`, `1777`, `u=rwx,g+rX,o-w,+t`.
//!
//! Hadoop: org.apache.hadoop.fs.permission.ChmodParser, PermissionParser (3.5.0)

use hdfs_types::FsPermission;

/// What to do with the bits of one class of users.
#[derive(Clone, Copy, Debug)]
struct Change {
    operator: char,
    /// Bits of rwx; 8 stands for `X`.
    bits: u16,
}

const NOTHING: Change = Change { operator: '+', bits: 0 };

/// A change of mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    user: Change,
    group: Change,
    others: Change,
    sticky: Change,
}

impl Mode {
    /// Reads a mode; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::symbolic(text).or_else(|| Self::octal(text))
    }

    fn octal(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
        let sticky = match digits.len() {
            3 => 0,
            4 if digits.starts_with(['0', '1']) => u16::from(digits.starts_with('1')),
            _ => return None,
        };
        let mode = u16::from_str_radix(&digits[digits.len() - 3..], 8).ok()?;
        let set = |bits| Change { operator: '=', bits };
        Some(Self {
            user: set(mode >> 6 & 7),
            group: set(mode >> 3 & 7),
            others: set(mode & 7),
            sticky: set(sticky),
        })
    }

    /// Clauses between commas; a later clause replaces an earlier one about the same users.
    fn symbolic(text: &str) -> Option<Self> {
        let mut mode = Self { user: NOTHING, group: NOTHING, others: NOTHING, sticky: NOTHING };
        let mut rest = text.trim_start();
        loop {
            let (who, after) = split(rest, |c| "ugoa".contains(c));
            let (operators, after) = split(after, |c| "+=-".contains(c));
            let (letters, after) = split(after, |c| "rwxXt".contains(c));
            let operator = operators.chars().next_back()?;
            if letters.is_empty() {
                return None;
            }
            mode.add(who, operator, letters);
            let (separator, after) = split(after, |c| c == ',' || c.is_whitespace());
            if after.is_empty() {
                return Some(mode);
            }
            if !separator.contains(',') {
                return None;
            }
            rest = after;
        }
    }

    fn add(&mut self, who: &str, operator: char, letters: &str) {
        let everybody = !who.contains(['u', 'g', 'o']);
        let bit = |letter, bit| if letters.contains(letter) { bit } else { 0 };
        let change =
            Change { operator, bits: bit('r', 4) | bit('w', 2) | bit('x', 1) | bit('X', 8) };
        if everybody || who.contains('u') {
            self.user = change;
        }
        if everybody || who.contains('g') {
            self.group = change;
        }
        if everybody || who.contains('o') {
            self.others = change;
            self.sticky = Change { operator, bits: bit('t', 1) };
        }
    }

    /// The mode that a file or directory gets.
    pub(crate) fn apply(&self, old: FsPermission, is_dir: bool) -> FsPermission {
        let executable = is_dir || old.0 & 0o111 != 0;
        FsPermission(
            self.sticky.apply(old.0 >> 9 & 1, false) << 9
                | self.user.apply(old.0 >> 6 & 7, executable) << 6
                | self.group.apply(old.0 >> 3 & 7, executable) << 3
                | self.others.apply(old.0 & 7, executable),
        )
    }
}

impl Change {
    fn apply(self, old: u16, executable: bool) -> u16 {
        let if_executable = self.bits & 8 != 0;
        let bits = if if_executable { self.bits & 7 | 1 } else { self.bits };
        let new = match self.operator {
            '+' => bits | old,
            '-' => !bits & old,
            _ => bits,
        };
        // X gives x only to directories, and to files that somebody may execute.
        if if_executable && !executable && new & 1 != 0 && old & 1 == 0 { new & !1 } else { new }
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(mode: &str, old: u16, is_dir: bool) -> Option<u16> {
        Mode::parse(mode).map(|mode| mode.apply(FsPermission(old), is_dir).0)
    }

    #[test]
    fn modes_apply_as_chmod_does() {
        for (mode, old, is_dir, new) in [
            ("755", 0o644, false, 0o755),
            ("1777", 0o755, true, 0o1777),
            ("0777", 0o1755, true, 0o777),
            ("u=rwx,g=rx,o=r", 0, false, 0o754),
            ("g-w", 0o775, false, 0o755),
            ("+x", 0o644, false, 0o755),
            ("a+rX", 0o200, false, 0o644),
            ("a+rX", 0o200, true, 0o755),
            ("+t", 0o755, true, 0o1755),
            ("o-t", 0o1755, true, 0o755),
            ("u+x, g+w", 0o644, false, 0o764),
        ] {
            assert_eq!(apply(mode, old, is_dir), Some(new), "{mode} on {old:o}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for mode in ["", "75", "888", "2755", "u", "u+", "u+z", "u+r g+w", "u+r,"] {
            assert_eq!(apply(mode, 0, false).is_some(), mode == "u+r,", "{mode}");
        }
    }
}
